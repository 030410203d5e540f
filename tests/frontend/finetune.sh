#!/usr/bin/env bash
# A model of the user's own, finetuned on labelled human motion: from a pretrained encoder, with it frozen, on a share, from nothing, from another
# model; on one thread and on three, stopped and resumed.  Also what the verb says when things are wrong.
#
#   finetune.sh SINEW ARRAY SAMPLE.tar.xz LABELS_FOLDER      in a scratch folder, which is emptied
set -euo pipefail

sinew=$1 array=$2 sample=$3 labels=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf -- amc runs ./*.safetensors
export SINEW_CACHE=$PWD/cache
mkdir runs
classes=JumpJack,Twist,ArmCircle,ToeTouchOneHand,KneeRaise,Squat,Jog

fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0; shift 2
    "$@" > out.txt 2> err.txt || got=$?
    [ "$got" -eq "$code" ] || fail "exit code $got, expected $code: $*: $(cat err.txt)"
    grep -qF -- "$text" err.txt || fail "no \"$text\" in: $(cat err.txt)"
}
tune() { # RUN OPTIONS...
    local run=runs/$1; shift
    "$sinew" finetune "$here/tagger.json" --data set.safetensors --classes "$classes" --seed 3 --out "$run" "$@" > "$run.out" 2> "$run.log" || fail "$run: $(cat "$run.log")"
}
arrays() { "$array" print "$1" | grep -- "$2" | sed "s/$2//"; } # what a part holds, without its prefix

tar xJf "$sample" --strip-components=1 --wildcards '*/amc/*'
"$sinew" import amc amc --asf amc/03.asf --labels "$labels/mocap6.csv" --splits "$labels/splits.csv" -o set.safetensors > import.log 2>&1 || fail "$(cat import.log)"
"$sinew" pretrain "$here/pretext.json" --data set.safetensors --out runs/pre --steps 10 > pre.out 2> pre.log

"$sinew" pretrain "$here/pretext.json" --data set.safetensors --out runs/wide --steps 1 --set width=16 > wide.out 2> wide.log

# The whole run, on one thread, and stopped in the middle of an epoch: the same bytes.
tune whole --from runs/pre
final=$(cd runs/whole && ls checkpoint-*.safetensors | tail -1)
tune threads --from runs/pre --threads 1
cmp "runs/whole/$final" "runs/threads/$final" || fail "threads change the result"
steps=$((10#$(echo "$final" | tr -dc 0-9)))
tune resumed --from runs/pre --steps $((steps * 5 / 8)) --keep 9
tune resumed --from runs/pre --resume
for f in "$final" model.safetensors; do cmp "runs/whole/$f" "runs/resumed/$f" || fail "resumed: $f differs"; done
[ "$(cat runs/whole/validation.csv | wc -l)" -eq 11 ] || fail "validation.csv: $(cat runs/whole/validation.csv)"
awk -F, 'NR > 1 { last = $4 } END { exit !(last > 0.3) }' runs/whole/validation.csv || fail "no better than guessing: $(cat runs/whole/validation.csv)"

# Linear: the encoder is bit for bit the pretrained one, running statistics included; the rest has moved.
tune linear --from runs/pre --mode linear
arrays runs/pre/checkpoint-00000010.safetensors '^q\.enc\.' > pretrained.txt
arrays "runs/linear/$final" '^net\.enc\.' > linear.txt
arrays "runs/whole/$final" '^net\.enc\.' > full.txt
[ -s pretrained.txt ] && cmp pretrained.txt linear.txt || fail "--mode linear changed the encoder"
! cmp -s pretrained.txt full.txt || fail "--mode full left the encoder"
! cmp -s <(arrays "runs/linear/$final" '^net\.unet\.b1\.conv\.w') <(arrays "runs/whole/$final" '^net\.unet\.b1\.conv\.w') || fail "linear and full agree"

# Semi: a third of three sequences is one; scratch takes nothing; transfer takes the decoder, too, for other classes.
tune semi --from runs/pre --mode semi --share 33
grep -q '1 sequences to train on, 1 to validate on' runs/semi.log || fail "$(cat runs/semi.log)"
tune every --from runs/pre --mode semi --share 100 --steps 1
grep -q '3 sequences to train on, 1 to validate on' runs/every.log || fail "$(cat runs/every.log)"
tune scratch --mode scratch --steps 2
# What is named at the end is there: a run that stops before its first epoch has validated nothing.
tune brief --mode scratch --minutes 0.000001
grep -q '^stopped after step' runs/brief.out && ! grep -q 'validation.csv' runs/brief.out && [ ! -e runs/brief/validation.csv ] || fail "$(cat runs/brief.out)"
grep -q 'validation.csv' runs/every.out && [ -e runs/every/validation.csv ] || fail "$(cat runs/every.out)"
"$sinew" finetune "$here/tagger.json" --data set.safetensors --classes Squat,Jog --from runs/whole/model.safetensors --mode transfer --out runs/other --steps 1 > other.out 2> other.log
grep -q 'net.unet are those of unet there' other.log || fail "$(cat other.log)"

# Weak: labels of clips alone.  Soft labels of each clip are kept between epochs, so stopped and resumed in the middle it ends with the same bytes.
weak() { # RUN OPTIONS...
    local run=runs/$1; shift
    "$sinew" finetune "$here/weak.json" --data set.safetensors --classes "$classes" --seed 3 --from runs/pre --mode weak --out "$run" "$@" > "$run.out" 2> "$run.log" || fail "$run: $(cat "$run.log")"
}
weak weak
final_weak=$(cd runs/weak && ls checkpoint-*.safetensors | tail -1)
weak weak2 --steps $((10#$(echo "$final_weak" | tr -dc 0-9) * 3 / 4))
weak weak2 --resume
cmp "runs/weak/$final_weak" "runs/weak2/$final_weak" || fail "resumed with soft labels, the result differs"
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "mil") c = i } NR == 2 { first = $c } END { exit !(c && $c < first) }' runs/weak/log.csv || fail "the loss did not fall"
"$sinew" localize runs/weak set.safetensors --sequence 14_14 > weak.txt || fail "localize by the weak model"

# The model says what happens in a recording of a person it never saw, as the last validation did; cut into windows of any length it says the same bits.
localize() { "$sinew" localize "$@" amc/14_14.amc --asf amc/03.asf; }
localize runs/whole --truth "$labels/mocap6.csv" --scores whole.npy --csv found.csv --picture found.png > found.txt
share=$(awk -F, 'END { printf "%.1f%% of %d frames as labelled", 100 * $4, $3 }' runs/whole/validation.csv)
grep -qF "$share" found.txt || fail "expected $share: $(tail -1 found.txt)"
[ "$(head -c 4 found.png | tail -c 3)" = PNG ] || fail "no picture"
for window in 0 1.3 3 100; do
    localize runs/whole/model.safetensors --window $window --threads 1 --scores cut.npy > cut.txt
    cmp whole.npy cut.npy || fail "the result depends on a window of $window s"
done
"$sinew" localize runs/whole set.safetensors --sequence 14_14 --scores same.npy > same.txt
cmp whole.npy same.npy || fail "a file and the set it was imported to give different scores"
localize runs/whole --json > found.json
[ "$(grep -c '"label"' found.json)" -eq "$(($(wc -l < found.csv) - 1))" ] || fail "JSON and CSV differ"
awk -F, 'NR > 1 && !($6 >= 0 && $7 > $6 && $7 <= 38.9 && $5 > 0 && $5 <= 1) { exit 1 }' found.csv || fail "$(cat found.csv)"
"$sinew" localize runs/whole set.safetensors --scores many.safetensors > many.txt
"$array" print many.safetensors | grep -q '^14_14 f32\[1164,8\]' || fail "$("$array" print many.safetensors)"

grep -q '\["JumpJack", "Twist", "ArmCircle", "ToeTouchOneHand", "KneeRaise", "Squat", "Jog", "background"\]' <(head -c 4000 many.safetensors | tr -d '\\') || fail "names of the columns"
grep -E '^(seq|14_14),' "$labels/mocap6.csv" > truth.csv
"$sinew" evaluate --scores whole.npy --classes "$classes,background" --truth truth.csv --fps 30 --protocol babel-corrected > judged.txt || fail "evaluate refuses the scores of localize"

# The model that ships still says what it did: most of a recording that it never saw.
localize "$here/../../models/trained/exercises.safetensors" --truth "$labels/mocap6.csv" > shipped.txt
awk '/frames as labelled/ { exit !($2 + 0 > 70) }' shipped.txt || fail "$(tail -1 shipped.txt)"

# Judged on its validation sequences it is as right as the last validation said; neighbours are found in its encoder and in its decoder.
"$sinew" evaluate runs/whole --data set.safetensors --thresholds even --json > judged.json
awk -F'[:,]' -v want="$(awk -F, 'END { print $4 }' runs/whole/validation.csv)" '/"frames":/ { got = $2 } END { exit !(got > 0 && (got - want) ^ 2 < 1e-10) }' judged.json ||
    fail "validation and evaluation differ: $(cat judged.json)"
for value in enc unet; do
    "$sinew" evaluate runs/whole --data set.safetensors --knn --value $value --level snippet > knn.txt
    grep -q 'KNN of snippets' knn.txt || fail "$(cat knn.txt)"
done

# Where interpolation stretches with the window there is no halo: windows as in training, and the mean of what they say.
tune stretched --mode scratch --steps 2 --set corners=1
localize runs/stretched --scores stretched.npy > stretched.txt
localize runs/stretched --window 0 --scores once.npy > once.txt
! cmp -s stretched.npy once.npy || fail "--window 0 changes nothing without a halo"

# Wrong use.
expect 1 'runs/none: open: No such file' localize runs/none
expect 1 'no model: metadata "sinew.kind" is checkpoint' localize "runs/whole/$final"
expect 1 'no motion file by its name' "$sinew" localize runs/whole found.csv
expect 1 'scores of several are a .safetensors' "$sinew" localize runs/whole set.safetensors --scores several.npy
expect 1 'no such sequence' "$sinew" localize runs/whole set.safetensors --sequence 99_99
expect 2 'MOTION is missing' "$sinew" localize runs/whole
head -c 3000 runs/whole/model.safetensors > cut.safetensors
expect 1 'cut.safetensors' localize cut.safetensors
try() { "$sinew" finetune "$here/tagger.json" --data set.safetensors --out runs/none "$@"; }
expect 2 '--from RUN is missing' try
expect 2 'starts from nothing' try --mode scratch --from runs/pre
expect 1 'learns from labels of frames' try --from runs/pre --mode weak
expect 2 '--mode is full, linear' try --mode fuul
expect 2 '--mode semi wants --share' try --from runs/pre --mode semi
expect 1 'array "q.enc.conv1.w": found f32[5,3,16], expected f32[5,3,8]' try --from runs/wide
expect 1 'class "Jig" is no label of the set' try --mode scratch --classes Jog,Jig
expect 1 'no sequence of split test has one of the classes' try --mode scratch --validate test
expect 1 'has weights of no encoder' try --from set.safetensors
expect 1 'the recipe wants labels' "$sinew" pretrain "$here/tagger.json" --data set.safetensors --out runs/none
expect 1 'the recipe has no labels' "$sinew" finetune "$here/pretext.json" --data set.safetensors --mode scratch --out runs/none
[ ! -e runs/none ] || fail "a refused run left a folder"
echo ok
