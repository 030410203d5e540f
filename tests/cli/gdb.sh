#!/usr/bin/env bash
# Code compiled in this process and gdb: it stops at a line of a graph file, knows the kernel and shows the line; the numbers are the same.
#
#   gdb.sh SINEW ARRAY SOURCE_FOLDER      in a scratch folder, which is emptied
set -euo pipefail

sinew=$1 array=$2 source=$3
rm -rf -- models plain shown ./*.npy ./*.safetensors ./*.txt
ln -s "$source/models" models
model=models/encoders/stgcn.json
export SINEW_CACHE=$PWD/cache OMP_NUM_THREADS=2

fail() { echo "FAILED: $*" >&2; exit 1; }
"$sinew" init $model -o w.safetensors > /dev/null
"$array" write x.npy 2,52,25,3 wave
run=(run $model --weights w.safetensors --in x=x.npy --out)
"$sinew" "${run[@]}" plain
SINEW_GDB=1 "$sinew" "${run[@]}" shown
cmp plain/y.npy shown/y.npy || fail "other numbers with debug information"

SINEW_GDB=1 "$sinew" "${run[@]}" coded --code edited.ll 2> err.txt && fail "edited code and gdb together"
grep -q 'edited.ll and SINEW_GDB exclude each other' err.txt && [ ! -e coded ] || fail "$(cat err.txt)"

command -v gdb > /dev/null || { echo "skipped: gdb is not installed"; exit 77; }
line=$(grep -n 'name: "relu1"' $model | head -1 | cut -d: -f1) # a node of every block, fused behind the graph product
SINEW_GDB=1 gdb -nx -batch -ex "set breakpoint pending on" -ex "break stgcn.json:$line" -ex run -ex "info breakpoints" -ex backtrace -ex "list $line,$line" \
    --args "$sinew" "${run[@]}" stopped > gdb.txt 2>&1
grep -qE "hit Breakpoint .*block[0-9]+\.conv\.xw.* at models/encoders/stgcn.json:$line" gdb.txt || fail "gdb did not stop at the line: $(tail -30 gdb.txt)"
[ "$(grep -cE 'y +0x.* in .*block[0-9]+\.conv\.xw.* at .*stgcn.json' gdb.txt)" -eq 10 ] || fail "gdb does not know all ten blocks: $(tail -30 gdb.txt)"
grep -q 'sn_rt_team_run' gdb.txt || fail "gdb finds no way back: $(tail -30 gdb.txt)"
grep -q 'name: "relu1"' gdb.txt || fail "gdb does not show the line"
[ ! -e stopped/y.npy ] || fail "gdb did not end the program"
echo "ok"
