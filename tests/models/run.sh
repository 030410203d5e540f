#!/usr/bin/env bash
# One golden case: runs sinew on it and compares every output, gradient and state with what PyTorch computed (golden.py).
# Not a benchmark.
#
#   run.sh BUILD_DIR CASE      a line of cases.txt; exit code 1 if a tensor is off by more than 1e-4 of its largest value
set -euo pipefail
build=$1 name=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sinew=$build/sinew golden=$build/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

read -r _ file mode rule seed n frames sets < <(grep "^$name " "$here/cases.txt")
graph=$here/../../models/$file
set=()
for s in $sets; do set+=(--set "$s"); done

[[ $file == decoders/* ]] && set+=(--module "${name%%_*}")

"$sinew" init "$graph" "${set[@]}" --seed 1 -o "$work/init.safetensors" > "$work/init.log"
"$golden" weights "$rule" "$seed" "$work/init.safetensors" "$work/w.safetensors"
if [[ $file == decoders/* ]]; then
    in=() t=$frames a=1
    for s in $sets; do
        [[ $s == C* ]] || continue
        "$golden" noise -1 "$a" "$work/z$a.npy" "$n" "$t" 1 "${s#C?=}"
        in+=(--in "z$a=$work/z$a.npy") t=$(((t + 1) / 2)) a=$((a + 1))
    done
    [[ $sets =~ d=([0-9]+) ]]
    "$golden" noise -1 9 "$work/dy.npy" "$n" "$frames" 1 "${BASH_REMATCH[1]}"
    in+=(--grad "y=$work/dy.npy")
elif [[ $file == recipes/tag* || $file == recipes/weak* ]]; then
    [[ $sets =~ classes=([0-9]+) ]]
    "$golden" clip "$here/golden/motion.npy" "$n" 0 "$frames" "$work/x.npy"
    "$golden" classes $((BASH_REMATCH[1] + 1)) 1 "$work/label.npy" "${n%%x*}" "${frames%/*}"
    "$golden" noise 1 1 "$work/dy.npy"
    in=(--in "x=$work/x.npy" --in "label=$work/label.npy" --grad "loss=$work/dy.npy")
    if [[ $file == recipes/weak* ]]; then
        "$golden" classes 4 3 "$work/clip.npy" "$n"
        in+=(--in "clip=$work/clip.npy" --in "epoch=$work/dy.npy") # both are 1
    fi
elif [[ $file == recipes/* ]]; then
    "$golden" noise 1 1 "$work/one.npy"
    in=(--grad "loss=$work/one.npy")
    source "$here/views.sh"
else
    dim=256
    [[ $sets =~ dim=([0-9]+) ]] && dim=${BASH_REMATCH[1]}
    share=4
    [[ $sets =~ early=2 ]] && share=8
    [[ $file == *stream* ]] && dim=3 share=1
    low=0
    [ "$mode" = infer ] || low=-1
    "$golden" clip "$here/golden/motion.npy" "$n" 0 "$frames" "$work/x.npy"
    "$golden" noise "$low" 1 "$work/dy.npy" "${n%%x*}" $((${frames%/*} / share)) 25 "$dim"
    in=(--in "x=$work/x.npy" --grad "y=$work/dy.npy")
    if [[ $file == *hypergcn* ]]; then
        "$golden" noise 100 1 "$work/more.npy"
        in+=(--taps --grad "divergence=$work/more.npy")
    fi
fi
"$sinew" run "$graph" "${set[@]}" --mode "$mode" --weights "$work/w.safetensors" "${in[@]}" --out "$work/out" > "$work/run.log"
"$golden" compare "$here/golden/$name.safetensors" "$work/out"
