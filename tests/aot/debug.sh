#!/usr/bin/env bash
# Lines of graph files in a library: its line table, and where there is gdb, a stop at a line of the model.
. "$(dirname "$0")/common.sh"

ln -s "$root/models" models
model=models/encoders/stgcn.json
weights $model w.safetensors
"$array" write x.npy 2,52,25,3 wave
raw x.npy >x.f32
"$sinew" build $model -w w.safetensors -o gait --archive
cc -I. "$here/example.c" gait.a -fopenmp -o plain
"$sinew" build $model -w w.safetensors -o gait --archive -g
cc -I. "$here/example.c" gait.a -fopenmp -o example
./plain 2 52 <x.f32 >plain.f32
./example 2 52 <x.f32 >example.f32
same plain.f32 example.f32

# A node of every block, fused behind the graph product.
line=$(grep -n 'name: "relu1"' $model | head -1 | cut -d: -f1)
readelf --debug-dump=decodedline example >lines.txt 2>/dev/null
nm example >names.txt
grep -qE "^stgcn.json +$line +0x" lines.txt || fail "no instruction is from stgcn.json:$line"
grep -qE ' gait\.block4\.conv\.xw\.[^ ]*_[0-9]$' names.txt || fail "no function is named for block 4"
if command -v gdb >/dev/null; then
    gdb -nx -batch -ex "break stgcn.json:$line" -ex "run 2 52 <x.f32 >gdb.f32" -ex backtrace -ex "list $line,$line" ./example >gdb.txt 2>&1
    grep -qE "hit Breakpoint .*gait\.block[0-9]+\..* at models/encoders/stgcn.json:$line" gdb.txt || { tail gdb.txt; fail "gdb did not stop at the line"; }
    grep -q 'name: "relu1"' gdb.txt || fail "gdb does not show the line"
fi
