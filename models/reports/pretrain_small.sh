#!/usr/bin/env bash
# Pretrains every recipe of the small-data family, with and without the dense term, and says how well its features retrieve the action of a snippet.
# The study behind pretrain_small.md: about half an hour on two cores that do nothing else.  Interrupted, the same command goes on where it stopped.
#
#   pretrain_small.sh MOTION LABELS OUT [METHOD...]     default: rvtclr moco aimclr hiclr
#
# MOTION holds bandai_namco_1, bandai_namco_2, cmu_amc, cmu_bvh and cmu_style_bvh, unpacked; LABELS the segments and splits beside them.  The environment may
# name the program, SINEW, and seeds, SEEDS.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
sinew=${SINEW:-$root/build/sinew}
[ $# -ge 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
motion=$1 labels=$2 out=$3
shift 3
[ $# -gt 0 ] || set -- rvtclr moco aimclr hiclr
mkdir -p "$out"

# all: what is pretrained on, less the validation parts of every benchmark.  bandai: the clips, whose labels judge.  composites: what is localized in later.
if [ ! -s "$out/composites.safetensors" ]; then
    awk -F, 'NR == 1 { print "seq,fps,start_frame,end_frame,label,source"; next } $4 != "" { print $1 "," $6 ",0," $5 "," $4 ",clips" }' "$labels/bandai/clips.csv" > "$out/clips.csv"
    awk -F, 'NR == 1 { print "seq,split"; next } { print $1 "," $7 }' "$labels/bandai/clips.csv" > "$out/clip_splits.csv"
    awk -F, '!seen[$2]++ { print $2 "," $3 }' "$labels/splits.csv" > "$out/splits.csv"
    cmu=(--splits "$out/splits.csv" --labels "$labels/visual/segments.csv")
    rm -f "$out"/*.safetensors
    "$sinew" import bvh "$motion/bandai_namco_1" "$motion/bandai_namco_2" -o "$out/bandai.safetensors" --labels "$out/clips.csv" --splits "$out/clip_splits.csv"
    cp "$out/bandai.safetensors" "$out/all.safetensors"
    "$sinew" import amc "$motion/cmu_amc" --asf "$motion/cmu_amc/03/03.asf" --append -o "$out/all.safetensors" --labels "$labels/mocap6/segments.csv" "${cmu[@]}"
    "$sinew" import bvh "$motion/cmu_bvh" "$motion/cmu_style_bvh" --append -o "$out/all.safetensors" "${cmu[@]}"
    "$sinew" compose "$out/bandai.safetensors" --table "$labels/bandai/composites_train.csv" -o "$out/made.safetensors" --split train
    "$sinew" compose "$out/bandai.safetensors" --table "$labels/bandai/composites_val.csv" --append -o "$out/made.safetensors" --split val
    mv "$out/made.safetensors" "$out/composites.safetensors"
fi

# Accuracy of the clips' actions by their nearest neighbours: encoder weights of a run, or those that it began with.
knn() {
    "$sinew" evaluate "$@" --knn --data "$out/bandai.safetensors" --level snippet,sequence --ignore-unlabelled
}

# What the features of random weights are worth.
if [ ! -e "$out/untrained.json" ]; then
    "$sinew" init "$root/models/recipes/small/moco_stgcn.json" --set dense=0 --seed 1 -o "$out/untrained.safetensors"
    knn "$root/models/recipes/small/moco_stgcn.json" --set dense=0 --weights "$out/untrained.safetensors" --name untrained --out "$out/untrained.json"
fi

for seed in ${SEEDS:-1}; do
    for method; do
        for dense in 1 0; do
            run=$out/${method}_dense${dense}_seed$seed
            [ ! -e "$run/knn.json" ] || continue
            echo "== $method, dense=$dense, seed $seed: $(date -u +%H:%M)"
            "$sinew" pretrain "$root/models/recipes/small/${method}_stgcn.json" --data "$out/all.safetensors" --splits train,pretrain --out "$run" \
                --stride 5 --set dense=$dense --seed "$seed" --resume > "$run.txt" 2> "$run.progress"
            tail -n 3 "$run.txt"
            knn "$run" --out "$run/knn.json.part"
            mv "$run/knn.json.part" "$run/knn.json"
        done
    done
done
