#!/usr/bin/env bash
# Localizes actions from what pretrain_small.sh pretrained: nearest neighbours, finetuning with shares of the labels, frozen encoders, video labels only, with and
# without the decoder, on composites and on recordings with natural transitions.  The study behind localize_small.md.  The most important comes first;
# interrupted, the same command goes on with the result that is missing.
#
#   localize_small.sh MOTION LABELS PRE OUT [PART...]     default: knn tenth plain natural linear shares weak methods
#
# PRE is the folder that pretrain_small.sh filled from MOTION and LABELS.  The environment may name the program, SINEW.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
sinew=${SINEW:-$root/build/sinew}
[ $# -ge 4 ] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
motion=$1 labels=$2 pre=$3 out=$4
shift 4
[ $# -gt 0 ] || set -- knn tenth plain natural linear shares weak methods
mkdir -p "$out"
composites=$pre/composites.safetensors

# tune NAME SEED DATA RECIPE FROM OPTION...: finetunes, evaluates; NAME.SEED.json is the record.  FROM is a run of PRE, or scratch.
tune() {
    local name=$1 seed=$2 data=$3 recipe=$4 from=$5 run=$out/$1.$2
    shift 5
    [ ! -e "$run.json" ] || return 0
    echo "== $name, seed $seed: $(date -u +%H:%M)"
    [ "$from" = scratch ] || set -- --from "$pre/$from" "$@"
    "$sinew" finetune "$root/models/recipes/${recipe}_stgcn.json" --data "$data" --out "$run" --seed "$seed" --set drop=0 --resume "$@" > "$run.txt" 2> "$run.progress"
    "$sinew" evaluate "$run" --data "$data" --name "$name" --out "$run.json" > "$run.result"
}

# Ten epochs, a tenth of the rate from the eighth; judged once, at the end.
ten=(--set epochs=10 --set drop_epoch=7 --validate-every 10)
# All labels: as many steps take three epochs instead of 30.
three=(--set epochs=3 --set drop_epoch=2 --validate-every 3)
ours=rvtclr_dense1_seed1 base=rvtclr_dense0_seed1

# Frames of the validation composites by their neighbours among those of the training composites, encoder frozen.
knn() {
    local run name
    for run in untrained "$pre"/*_dense?_seed1; do
        name=$(basename "$run")
        [ ! -e "$out/knn_$name.json" ] || continue
        if [ "$run" = untrained ]; then
            set -- "$root/models/recipes/small/moco_stgcn.json" --set dense=0 --weights "$pre/untrained.safetensors"
        else
            [ -e "$run/knn.json" ] || continue
            set -- "$run"
        fi
        echo "== knn of $name: $(date -u +%H:%M)"
        "$sinew" evaluate "$@" --knn --data "$composites" --name "$name" --out "$out/knn_$name.json" > "$out/knn_$name.result"
    done
}

# A tenth of the labels, three seeds: the main comparison.
tenth() {
    local seed
    for seed in 0 1 2; do
        tune tenth_ours "$seed" "$composites" tag $ours --mode semi --share 10 "${ten[@]}"
        tune tenth_scratch "$seed" "$composites" tag scratch --mode scratch --share 10 "${ten[@]}"
        tune tenth_base "$seed" "$composites" tag $base --mode semi --share 10 "${ten[@]}"
    done
}

# The same without the decoder.
plain() {
    tune tenth_plain_ours 0 "$composites" tag $ours --mode semi --share 10 --set decoder=0 "${ten[@]}"
    tune tenth_plain_base 0 "$composites" tag $base --mode semi --share 10 --set decoder=0 "${ten[@]}"
    tune tenth_plain_scratch 0 "$composites" tag scratch --mode scratch --share 10 --set decoder=0 "${ten[@]}"
}

# The same from the other methods.
methods() {
    local method seed
    for seed in 0 1 2; do
        for method in moco aimclr hiclr; do
            tune "tenth_${method}_base" $seed "$composites" tag "${method}_dense0_seed1" --mode semi --share 10 "${ten[@]}"
            tune "tenth_${method}_ours" $seed "$composites" tag "${method}_dense1_seed1" --mode semi --share 10 "${ten[@]}"
        done
    done
}

# The encoder stays as it was pretrained.
linear() {
    local decoder
    for decoder in 0 1; do
        tune linear${decoder}_ours 0 "$composites" tag $ours --mode linear --set decoder=$decoder "${three[@]}"
        tune linear${decoder}_base 0 "$composites" tag $base --mode linear --set decoder=$decoder "${three[@]}"
    done
}

# More labels in as many steps as ten epochs of a tenth take.
shares() {
    local share epochs drop from
    for share in 40 20; do
        epochs=$(((100 + share - 1) / share)) drop=$((epochs * 7 / 10))
        for from in ours base; do
            tune share${share}_$from 0 "$composites" tag ${!from} --mode semi --share $share --set epochs=$epochs --set drop_epoch=$drop --validate-every $epochs
        done
    done
    for from in ours base; do
        tune share100_$from 0 "$composites" tag ${!from} --mode full --set epochs=1 --validate-every 1
    done
    tune share100_scratch 0 "$composites" tag scratch --mode scratch --set epochs=1 --validate-every 1
}

# CMU recordings with natural transitions: the visual set, and exercises labelled by people (mocap6), whose validation is another subject.
natural() {
    local of seed set source
    local schedule=(--set epochs=30 --set drop_epoch=20 --validate-every 30) longer=(--set epochs=120 --set drop_epoch=80 --validate-every 120)
    for of in mocap6 visual; do
        set=$out/$of.safetensors
        if [ ! -e "$set" ]; then
            awk -F, -v of=$of 'NR == 1 { print "seq,split" } $1 == of { print $2 "," $3 }' "$labels/splits.csv" > "$out/$of.csv"
            source=(--labels "$labels/$of/segments.csv" --splits "$out/$of.csv" -o "$out/made.safetensors")
            rm -f "$out/made.safetensors"
            "$sinew" import amc "$motion/cmu_amc" --asf "$motion/cmu_amc/03/03.asf" "${source[@]}"
            "$sinew" import bvh "$motion/cmu_bvh" --append "${source[@]}"
            mv "$out/made.safetensors" "$set"
        fi
    done
    for seed in 0 1 2; do
        for of in mocap6 visual; do
            tune ${of}_ours $seed "$out/$of.safetensors" tag $ours --mode full --ignore-unlabelled "${schedule[@]}"
            tune ${of}_base $seed "$out/$of.safetensors" tag $base --mode full --ignore-unlabelled "${schedule[@]}"
            tune ${of}_scratch $seed "$out/$of.safetensors" tag scratch --mode scratch --ignore-unlabelled "${schedule[@]}"
            tune ${of}_scratch_longer $seed "$out/$of.safetensors" tag scratch --mode scratch --ignore-unlabelled "${longer[@]}"
        done
    done
}

# Which actions a recording shows, and not when: labels of windows of 33 s of mocap6, refined from the twelfth epoch on.
weak() {
    tune weak_ours 0 "$out/mocap6.safetensors" weak $ours --mode weak --ignore-unlabelled --set batch=2 --set epochs=60 --validate-every 60
    tune weak_base 0 "$out/mocap6.safetensors" weak $base --mode weak --ignore-unlabelled --set batch=2 --set epochs=60 --validate-every 60
    tune weak_scratch 0 "$out/mocap6.safetensors" weak scratch --mode scratch --ignore-unlabelled --set batch=2 --set epochs=60 --validate-every 60
}

for part; do
    "$part"
done
"$sinew" evaluate "$out"/*.json --format markdown > "$out/tables.md"
