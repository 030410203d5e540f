#!/usr/bin/env bash
# Sizes of what `sinew build` makes, and how soon an executable has written its first output: a table.  Not a test.
#
#   measure.sh SINEW ARRAY REPOSITORY FOLDER        after a build: tests/aot/measure.sh build/sinew build/cli_array . /tmp/aot
. "$(dirname "$0")/common.sh"

# Seconds from starting the process to its end, seen from the shell: the least and the middle of 41.
start() {
    local i from
    for ((i = 0; i < 41; i++)); do
        from=${EPOCHREALTIME/./}
        "$@" >/dev/null
        echo $((${EPOCHREALTIME/./} - from))
    done | sort -n | awk '{ t[NR] = $1 } END { printf "%.1f ms (least %.1f)", t[21] / 1000, t[1] / 1000 }'
}

"$array" write short.npy 1,64,25,3 wave
"$array" write long.npy 1,300,25,3 wave
printf '%-6s %-9s %-8s %9s %9s %9s %9s  %-26s %s\n' model target threads weights archive shared exe 'first output, 64 frames' '300 frames'
row() {
    local model=$1 target=$2 threads=$3
    local file=$root/models/encoders/$model.json
    [ -e "$model.safetensors" ] || weights "$file" "$model.safetensors"
    "$sinew" build "$file" -w "$model.safetensors" -o "$model" --exe --target "$target" --threads "$threads" >/dev/null
    printf '%-6s %-9s %-8s %9d %9d %9d %9d  %-26s %s\n' "$model" "${target//x86-64-/}" "$threads" "$(size "$model.safetensors")" \
        "$(size "$model.a")" "$(size "$model.so")" "$(size "$model")" "$(start "./$model" short.npy -o y.npy)" "$(start "./$model" long.npy -o y.npy)"
}
row stgcn native 0
row stgcn native 1
row stgcn x86-64-v2,x86-64-v3,x86-64-v4 1
row agcn native 0
row unik native 0
