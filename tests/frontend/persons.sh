#!/usr/bin/env bash
# Two persons: recordings in PKU-MMD's form where only the second person's motion says what happens.  A model that looks at both learns it, and says so
# alike in finetune, evaluate, localize and a built library; one that looks at the first does not.
#
#   persons.sh SINEW ARRAY RECIPES_FOLDER      in a scratch folder, which is emptied
set -euo pipefail
sinew=$1 array=$2 recipes=$3
rm -rf -- pku labels runs act* ./*.safetensors
export SINEW_CACHE=$PWD/cache LC_ALL=C
mkdir pku labels runs
fail() { echo "FAILED: $*" >&2; exit 1; }

# Recording NUMBER of 420 frames, 150 numbers each: the first person's legs never rest (so that it moves more, and stays the first), the second's arms wave fast (class 1), slowly (class 2) or rest, 60 frames each.
recording() {
    awk -v seed="$1" -v labels="labels/0$1-L.txt" 'BEGIN {
        for (t = 0; t < 420; t++) {
            part = int(t / 60); class = (part * 2 + seed + int(part / 3)) % 3
            if (t % 60 == 0 && class) print class "," t "," t + 60 ",2" > labels
            for (m = 0; m < 2; m++)
                for (j = 0; j < 25; j++) {
                    arm = j >= 4 && j <= 11
                    x = 0.2 * ((j * 7) % 5 - 2) + m; y = 0.06 * j; z = 2 + 0.05 * (j % 3)
                    if (!m && j >= 12) y += 0.6 * sin(0.7 * t + j)
                    if (m && arm && class) y += 0.2 * sin((class == 1 ? 1.0 : 0.25) * t + j)
                    printf "%.5f %.5f %.5f ", x, y, z
                }
            print ""
        }
    }' > "pku/0$1-L.txt"
}
for i in 102 107 111 120; do recording $i; done
printf 'Training videos:\n0102-L, 0107-L, 0111-L\n\nValidataion videos:\n0120-L\n' > list.txt
"$sinew" import pku pku --pku-labels labels --pku-splits list.txt -o set.safetensors > import.txt || fail "$(cat import.txt)"
grep -q 'up to 2 persons' import.txt || fail "$(cat import.txt)"

tune() { # RUN OPTIONS...
    local run=runs/$1; shift
    "$sinew" finetune "$recipes/tag_stgcn.json" --data set.safetensors --mode scratch --seed 1 --out "$run" --set hidden=4 --set dim=16 \
        --set d=16 --set drop=0 --set frames=96 --set batch=4 --set rate=0.005 --set epochs=20 "$@" > "$run.out" 2> "$run.log" || fail "$run: $(cat "$run.log")"
}
accuracy() { awk -F, 'END { print $4 }' "runs/$1/validation.csv"; }
tune two --set persons=2
tune one
awk -v two="$(accuracy two)" -v one="$(accuracy one)" 'BEGIN { exit !(two > 0.9 && one < 0.6) }' || fail "accuracy of two persons $(accuracy two), of one $(accuracy one)"

# Judged on its validation recording it is as right as the last validation said; a file says what the set says, in windows of any length.
"$sinew" evaluate runs/two --data set.safetensors --thresholds even --json > judged.json
awk -F'[:,]' -v want="$(accuracy two)" '/"frames":/ { got = $2 } END { exit !(got > 0 && (got - want) ^ 2 < 1e-10) }' judged.json || fail "$(cat judged.json)"
"$sinew" localize runs/two set.safetensors --sequence 0120-L --scores set.npy --csv set.csv > set.txt
for window in 0 1.3 3; do
    "$sinew" localize runs/two pku/0120-L.txt --window $window --scores file.npy > file.txt
    cmp set.npy file.npy || fail "window $window: the file's scores are not the set's"
done
"$sinew" evaluate runs/two --data set.safetensors --knn --level snippet > knn.txt || fail "neighbours of two persons' features"

# As a library: frames of two persons.
"$sinew" build runs/two -o act --exe > built.txt
grep -q 'ACT_PERSONS = 2, ' act.h || fail "$(grep PERSONS act.h)"
"$array" take set.safetensors x/0120-L 0120-L.npy
./act 0120-L.npy --scores built.npy --csv built.csv > built.txt
cmp set.npy built.npy || fail "the library's scores are others"
cmp set.csv built.csv || fail "the library's segments are others"
./act pku/0120-L.txt --scores built.npy > built.txt
"$sinew" localize runs/two pku/0120-L.txt > file.txt
cmp set.npy built.npy && cmp file.txt built.txt || fail "the library reads the file otherwise"

# Where persons count only in windows that show them, scores depend on the whole window: there is no halo.
halo() { head -c 60000 "runs/$1/model.safetensors" | grep -ao '"sinew.halo": *"[a-z0-9]*"' | tr -dc '0-9a-z:' | cut -d: -f2; }
tune masked --set persons=2 --set masked=1 --steps 2
[ "$(halo masked)" = none ] && [ "$(halo two)" -gt 16 ] || fail "halos: $(halo masked) and $(halo two)"

# From a pretrained encoder, frozen; and what is said of what cannot be.
"$sinew" pretrain "$recipes/moco_stgcn.json" --data set.safetensors --splits train --out runs/pre --steps 2 --set hidden=4 --set dim=16 --set persons=2 --set frames=96 \
    --set batch=4 --set queue=16 --set snippets=5 > pre.txt 2> pre.log || fail "$(cat pre.log)"
"$sinew" finetune "$recipes/tag_stgcn.json" --data set.safetensors --from runs/pre --mode linear --out runs/linear --steps 2 --set hidden=4 --set dim=16 --set d=16 \
    --set persons=2 --set frames=96 --set batch=4 > linear.txt 2> linear.log || fail "$(cat linear.log)"
"$sinew" finetune "$recipes/weak_stgcn.json" --data set.safetensors --from runs/pre --mode weak --out runs/weak --steps 2 --set hidden=4 --set dim=16 \
    --set persons=2 --set frames=420 --set batch=2 > weak.txt 2> weak.log || fail "$(cat weak.log)"
"$sinew" localize runs/weak pku/0120-L.txt > weak.txt || fail "localize by the weak model"
! "$sinew" finetune "$recipes/tag_stgcn.json" --data set.safetensors --mode scratch --out runs/three --set persons=3 > three.txt 2>&1 || fail "three persons"
grep -q 'loader: 3 persons, expected 1 to 2' three.txt || fail "$(cat three.txt)"
echo ok
