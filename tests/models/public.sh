#!/usr/bin/env bash
# One public state dictionary: into weights for the graph file, run, compared with what PyTorch computes (public.py), and back bit for bit; then damaged ones.
# Not a benchmark.
#
#   public.sh BUILD_DIR CASE      a line of public.txt
set -euo pipefail
build=$1 name=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sinew=$build/sinew golden=$build/golden state=$build/state
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

read -r _ source file stream sets < <(grep "^$name " "$here/public.txt")
n=2 frames=40 set=() how=() in=()
for s in $sets; do set+=(--set "$s"); done
[ "$stream" = - ] || how=(--stream "$stream")

"$state" make "$here/public/$name.txt" 1 "$work/their.safetensors"
"$sinew" weights from "$source" "$work/their.safetensors" "${how[@]}" -o "$work/our.safetensors"
if [[ $file == recipes/* ]]; then
    set+=(--set dense=0)
    "$golden" noise 1 1 "$work/one.npy"
    source "$here/views.sh"
else
    "$golden" clip "$here/golden/motion.npy" "$n" 0 "$frames" "$work/x.npy"
    in=(--in "x=$work/x.npy")
fi
"$sinew" run "$here/../../models/$file" "${set[@]}" --weights "$work/our.safetensors" "${in[@]}" --out "$work/out" > "$work/run.log"
"$golden" compare "$here/golden/public_$name.safetensors" "$work/out"
"$sinew" weights to "$source" "$work/our.safetensors" "${how[@]}" -o "$work/back.safetensors"
"$state" same "$work/their.safetensors" "$work/back.safetensors"

# refuse VERB FILE TEXT: fails, says TEXT, writes nothing.
refuse() {
    if "$sinew" weights "$1" "$source" "$work/$2" "${how[@]}" -o "$work/no.safetensors" 2> "$work/said.txt"; then echo "$1 $2: no error"; exit 1; fi
    grep -qF -- "$3" "$work/said.txt" || { echo "$1 $2: expected \"$3\", found"; cat "$work/said.txt"; exit 1; }
    [ ! -e "$work/no.safetensors" ] || { echo "$1 $2: a file was written"; exit 1; }
}

# Five tensors under another name (missing and left over) and with one axis; those without a counterpart may be anything.
refused=0 lines=$(wc -l < "$here/public/$name.txt")
for t in $(awk -v step=$((lines / 5)) 'NR % step == 9 { print $1 }' "$here/public/$name.txt"); do
    grep -qaF "\"kept:$t\"" "$work/our.safetensors" && continue
    "$state" rename "$t" "$t.other" "$work/their.safetensors" "$work/other.safetensors"
    refused=$((refused + 1))
    refuse from other.safetensors "$work/other.safetensors: $t is missing, expected f32["
    refuse from other.safetensors "$work/other.safetensors: $t.other f32["
    grep -q "^$t f32 [0-9]* [0-9]" "$here/public/$name.txt" || continue
    "$state" flatten "$t" "$work/their.safetensors" "$work/flat.safetensors"
    refuse from flat.safetensors "$work/flat.safetensors: $t: found f32["
done
[ "$refused" -gt 0 ]
