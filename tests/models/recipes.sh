#!/usr/bin/env bash
# Every recipe that ships, made small, trains two epochs on real motion; stopped after some steps and resumed it ends with the same bytes.
# Those that train on labels, tag_* and weak_*, are for another verb.
#
#   recipes.sh SINEW SAMPLE RECIPES      in a scratch folder, which is emptied
set -euo pipefail
sinew=$1 sample=$2 recipes=$3
rm -rf cmu-sample runs set.safetensors
export SINEW_CACHE=$PWD/cache
tar xJf "$sample" cmu-sample/bvh/{02_01,02_03,07_12,09_01}.bvh
"$sinew" import bvh cmu-sample/bvh -o set.safetensors > import.txt

count=0
for recipe in $(find "$recipes" -name '*.json' ! -name 'tag_*' ! -name 'weak_*' | sort); do
    name=${recipe#"$recipes"/}
    run=runs/${name%.json}
    mkdir -p "$run"
    sets=(--set hidden=8 --set frames=8 --set batch=3 --set queue=18 --set snippets=3 --set epochs=2 --set warmup=0)
    for set in mining=1 groups=1 dim=32; do # what some have: the second epoch mines; small groups of channels
        "$sinew" check "$recipe" --set "$set" > /dev/null 2>&1 && sets+=(--set "$set")
    done
    train() { "$sinew" pretrain "$recipe" --data set.safetensors --clip 2 --stride 2 --seed 5 "${sets[@]}" "$@" > "$run/last.txt" 2>&1 || { cat "$run/last.txt"; exit 1; }; }
    train --out "$run/whole"
    last=$(basename "$run"/whole/checkpoint-*.safetensors)
    train --out "$run/parts" --steps 3
    [ ! -e "$run/parts/$last" ]
    train --out "$run/parts" --resume
    cmp "$run/whole/$last" "$run/parts/$last"
    awk -F, 'END { exit NR < 5 }' "$run/whole/log.csv" # a line of names, two epochs
    count=$((count + 1))
done
echo "$count recipes"

# Features are of the recording as it is, also where the method sees it at another tempo or cut: as many rows as plain momentum contrast has.
for method in moco rvtclr; do
    "$sinew" embed "runs/${method}_stgcn/whole" --data set.safetensors --level frame --table "$method.csv" > /dev/null
done
[ "$(wc -l < rvtclr.csv)" -eq "$(wc -l < moco.csv)" ]
[ "$count" -ge 12 ]
