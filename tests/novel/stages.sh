#!/usr/bin/env bash
# The encoder of novel.json through everything that follows pretraining, without a line of C: finetuned whole, frozen and from video labels, evaluated,
# searched for neighbours, embedded, localizing, built into a library.
#
#   stages.sh SINEW ARRAY SAMPLE LABELS_FOLDER      in a scratch folder, which is emptied
set -euo pipefail
sinew=$1 array=$2 sample=$3 labels=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf -- amc runs act* ./*.safetensors
export SINEW_CACHE=$PWD/cache LC_ALL=C
mkdir runs
fail() { echo "FAILED: $*" >&2; exit 1; }
run() { local log=runs/$1.log; shift; "$@" > "$log" 2>&1 || fail "$*: $(cat "$log")"; }
encoder() { "$array" print "$1" | grep -- "$2" | sed "s/$2//"; } # what a part of a file holds, without its prefix

tar xJf "$sample" --strip-components=1 --wildcards '*/amc/*'
run import "$sinew" import amc amc --asf amc/03.asf --labels "$labels/mocap6.csv" --splits "$labels/splits.csv" -o set.safetensors
run pre "$sinew" pretrain "$here/novel.json" --data set.safetensors --out runs/pre --seed 3 --steps 60 --set width=8
data=(--data set.safetensors --from runs/pre --seed 3 --classes JumpJack,Twist,ArmCircle,ToeTouchOneHand,KneeRaise,Squat,Jog)

# Finetuning: all of it, the encoder as it was pretrained, and from labels of videos.
run full "$sinew" finetune "$here/tag.json" "${data[@]}" --out runs/full --validate-every 12
run linear "$sinew" finetune "$here/tag.json" "${data[@]}" --out runs/linear --mode linear --set epochs=2
run weak "$sinew" finetune "$here/weak.json" "${data[@]}" --out runs/weak --mode weak
encoder runs/pre/checkpoint-00000060.safetensors '^q\.enc\.' > pretrained.txt
encoder runs/linear/model.safetensors '^enc\.' > linear.txt
[ -s pretrained.txt ] && cmp pretrained.txt linear.txt || fail "--mode linear changed the encoder"
! encoder runs/full/model.safetensors '^enc\.' | cmp -s pretrained.txt - || fail "--mode full left the encoder"
accuracy() { awk -F, 'END { print $4 }' "runs/$1/validation.csv"; }
awk -v full="$(accuracy full)" 'BEGIN { exit !(full > 0.38) }' || fail "accuracy $(accuracy full): no better than guessing"
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "mil") c = i } NR == 2 { first = $c } END { exit !(c && $c < first) }' runs/weak/log.csv || fail "weak: the loss did not fall"

# Evaluated, it is as right as the last validation said; features have neighbours and a picture.
"$sinew" evaluate runs/full --data set.safetensors --thresholds even --json > judged.json || fail "evaluate"
awk -F'[:,]' -v want="$(accuracy full)" '/"frames":/ { got = $2 } END { exit !(got > 0 && (got - want) ^ 2 < 1e-10) }' judged.json || fail "$(cat judged.json)"
run knn "$sinew" evaluate runs/pre --data set.safetensors --knn --level snippet
grep -q 'KNN of snippets' runs/knn.log || fail "$(cat runs/knn.log)"
run embed "$sinew" embed runs/pre --data set.safetensors --level snippet --value q.enc.z2 -o rows.npy --picture rows.png --iterations 50
[ "$(head -c 4 rows.png | tail -c 3)" = PNG ] && [ -s rows.npy ] || fail "no picture"

# A recording: windows of any length, and a library that takes it in pieces, give the same bits.
for mode in full linear weak; do
    run $mode "$sinew" localize runs/$mode amc/14_14.amc --asf amc/03.asf --scores $mode.npy --csv $mode.csv
done
run cut "$sinew" localize runs/full amc/14_14.amc --asf amc/03.asf --scores cut.npy --window 2
cmp full.npy cut.npy || fail "the result depends on the window"
run build "$sinew" build runs/full -o act --exe
run act ./act amc/14_14.amc --asf amc/03.asf --scores act.npy --csv act.csv
cmp full.npy act.npy && cmp full.csv act.csv || fail "the library's result is another"
