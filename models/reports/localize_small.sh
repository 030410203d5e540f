#!/usr/bin/env bash
# Localizes actions from what pretrain_small.sh pretrained: nearest neighbours, finetuning with shares of the labels, frozen encoders, video labels only, with and
# without the decoder, on composites and on recordings with natural transitions.  The study behind localize_small.md.  The most important comes first;
# interrupted, the same command goes on with the result that is missing.
#
#   localize_small.sh MOTION LABELS PRE OUT [PART...]     default: knn tenth plain natural parts linear shares weak
#
# PRE is the folder that pretrain_small.sh filled from MOTION and LABELS.  The environment may name the program, SINEW; the pretraining METHODS (rvtclr aimclr
# hiclr moco) and the seed that they were pretrained with, PRETRAINED (1); SEEDS of finetuning (0 1 2); SETS with natural transitions (mocap6 visual); the
# ENCODER (stgcn, or agcn if it was pretrained).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
sinew=${SINEW:-$root/build/sinew}
[ $# -ge 4 ] || { sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
motion=$1 labels=$2 pre=$3 out=$4
shift 4
[ $# -gt 0 ] || set -- knn tenth plain natural parts linear shares weak
mkdir -p "$out"
composites=$pre/composites.safetensors
methods=${METHODS:-rvtclr aimclr hiclr moco} pretrained=${PRETRAINED:-1} seeds=${SEEDS:-0 1 2} sets=${SETS:-mocap6 visual} encoder=${ENCODER:-stgcn}

# tune NAME SEED DATA RECIPE FROM OPTION...: finetunes, evaluates; NAME.SEED.json is the record.  FROM is a run of PRE, or scratch.
tune() {
    local name=$1 seed=$2 data=$3 recipe=$4 from=$5 run=$out/$1.$2
    shift 5
    [ ! -e "$run.json" ] || return 0
    echo "== $name, seed $seed: $(date -u +%H:%M)"
    [ "$from" = scratch ] || set -- --from "$pre/$from" "$@"
    "$sinew" finetune "$root/models/recipes/${recipe}_$encoder.json" --data "$data" --out "$run" --seed "$seed" --set drop=0 --resume "$@" > "$run.txt" 2> "$run.progress"
    "$sinew" evaluate "$run" --data "$data" --name "$name" --out "$run.json" > "$run.result"
}

# Ten epochs, a tenth of the rate from the eighth; judged once, at the end.
ten=(--set epochs=10 --set drop_epoch=7 --validate-every 10)
# All labels: as many steps take three epochs instead of 30.
three=(--set epochs=3 --set drop_epoch=2 --validate-every 3)

# each PART SEED DATA RECIPE OPTION...: tune from every method's encoder, with the dense term (ours) and without it (base).
each() {
    local part=$1 seed=$2 method
    shift 2
    for method in $methods; do
        tune "${part}_${method}_ours" "$seed" "$1" "$2" "${method}_dense1_seed$pretrained" "${@:3}"
        tune "${part}_${method}_base" "$seed" "$1" "$2" "${method}_dense0_seed$pretrained" "${@:3}"
    done
}

# Frames of the validation composites by their neighbours among those of the training composites, encoder frozen.
knn() {
    local run name
    for run in untrained "$pre"/*_dense?_seed"$pretrained"; do
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

# A tenth of the labels: the main comparison.
tenth() {
    local seed
    for seed in $seeds; do
        each tenth "$seed" "$composites" tag --mode semi --share 10 "${ten[@]}"
        tune tenth_scratch "$seed" "$composites" tag scratch --mode scratch --share 10 "${ten[@]}"
    done
}

# The same without the decoder.
plain() {
    local seed
    for seed in $seeds; do
        each plain "$seed" "$composites" tag --mode semi --share 10 --set decoder=0 "${ten[@]}"
        tune plain_scratch "$seed" "$composites" tag scratch --mode scratch --share 10 --set decoder=0 "${ten[@]}"
    done
}

# The encoder stays as it was pretrained; without and with the decoder.
linear() {
    each linear 0 "$composites" tag --mode linear --set decoder=0 "${three[@]}"
    each linear_decoder 0 "$composites" tag --mode linear --set decoder=1 "${three[@]}"
}

# More labels in as many steps as ten epochs of a tenth take.
shares() {
    local share epochs drop
    for share in 20 40; do
        epochs=$(((100 + share - 1) / share)) drop=$((epochs * 7 / 10))
        each share$share 0 "$composites" tag --mode semi --share $share --set epochs=$epochs --set drop_epoch=$drop --validate-every $epochs
    done
    each full 0 "$composites" tag --mode full --set epochs=1 --validate-every 1
    tune full_scratch 0 "$composites" tag scratch --mode scratch --set epochs=1 --validate-every 1
}

# CMU recordings with natural transitions: the visual set, and exercises labelled by people (mocap6), whose validation is another subject.
natural_schedule=(--ignore-unlabelled --set epochs=30 --set drop_epoch=20 --validate-every 30)
make_natural() {
    local set=$out/$1.safetensors source
    [ ! -e "$set" ] || return 0
    awk -F, -v of="$1" 'NR == 1 { print "seq,split" } $1 == of { print $2 "," $3 }' "$labels/splits.csv" > "$out/$1.csv"
    source=(--labels "$labels/$1/segments.csv" --splits "$out/$1.csv" -o "$out/made.safetensors")
    rm -f "$out/made.safetensors"
    "$sinew" import amc "$motion/cmu_amc" --asf "$motion/cmu_amc/03/03.asf" "${source[@]}"
    "$sinew" import bvh "$motion/cmu_bvh" --append "${source[@]}"
    mv "$out/made.safetensors" "$set"
}
natural() {
    local of seed
    for of in $sets; do
        make_natural "$of"
        for seed in $seeds; do
            each "$of" "$seed" "$out/$of.safetensors" tag --mode full "${natural_schedule[@]}"
            tune "${of}_scratch" "$seed" "$out/$of.safetensors" tag scratch --mode scratch "${natural_schedule[@]}"
            tune "${of}_scratch_longer" "$seed" "$out/$of.safetensors" tag scratch --mode scratch --ignore-unlabelled --set epochs=120 --set drop_epoch=80 --validate-every 120
        done
    done
}

# The same, with the encoder frozen, and everything trained but without the decoder.
parts() {
    local of seed
    for of in $sets; do
        make_natural "$of"
        for seed in $seeds; do
            each "${of}_linear_decoder" "$seed" "$out/$of.safetensors" tag --mode linear "${natural_schedule[@]}"
            each "${of}_linear" "$seed" "$out/$of.safetensors" tag --mode linear --set decoder=0 "${natural_schedule[@]}"
            each "${of}_plain" "$seed" "$out/$of.safetensors" tag --mode full --set decoder=0 "${natural_schedule[@]}"
            tune "${of}_plain_scratch" "$seed" "$out/$of.safetensors" tag scratch --mode scratch --set decoder=0 "${natural_schedule[@]}"
        done
    done
}

# Which actions a recording shows, and not when: labels of windows of 33 s of mocap6, refined from the twelfth epoch on, and of whole composites, refined from the third.
weak() {
    make_natural mocap6
    local how=(--ignore-unlabelled --set batch=2 --set epochs=60 --validate-every 60)
    each weak_mocap6 0 "$out/mocap6.safetensors" weak --mode weak "${how[@]}"
    tune weak_mocap6_scratch 0 "$out/mocap6.safetensors" weak scratch --mode scratch "${how[@]}"
    how=(--set background=0 --set batch=4 --set epochs=4 --set refine_from=2 --set slots=2 --validate-every 4) # composites have none
    each weak_composites 0 "$composites" weak --mode weak "${how[@]}"
    tune weak_composites_scratch 0 "$composites" weak scratch --mode scratch "${how[@]}"
}

for part; do
    "$part"
done
"$sinew" evaluate "$out"/*.json --format markdown > "$out/tables.md"
