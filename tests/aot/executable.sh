#!/usr/bin/env bash
# Executables: arrays in, arrays out, in one static file; what they say when used wrongly; how soon they are done.
. "$(dirname "$0")/common.sh"

weights "$stgcn" w.safetensors
"$array" write x.npy 1,64,25,3 wave
"$array" write wrong.npy 1,64,25,2 wave
"$array" write nan.npy 1,64,25,3 nan
"$sinew" run "$stgcn" -w w.safetensors -i x=x.npy --out expected
"$sinew" build "$stgcn" -w w.safetensors -o gait --exe
ldd gait >ldd.txt 2>&1 && fail "the executable is not static"
./gait x.npy -o y.npy
same y.npy expected/y.npy
./gait --in x=x.npy --out folder --threads 1
same folder/y.npy expected/y.npy

./gait --in x=x.npy --output set.safetensors
"$array" take set.safetensors y taken.npy
same taken.npy expected/y.npy

# Recorded motion, in the form that data sets are imported in.
tar xf "$root/models/data/cmu-sample.tar.xz"
bvh=$(find cmu-sample -name 07_12.bvh) amc=$(ls cmu-sample/amc/86_*.amc | head -1)
for file in "$bvh" "$amc"; do
    format=${file##*.} name=$(basename "$file" ".${file##*.}")
    "$sinew" import "$format" "$file" -o set.safetensors >/dev/null
    "$array" take set.safetensors "x/$name" clip.npy
    ./gait clip.npy -o clip.y.npy
    ./gait "$file" -o motion.y.npy
    same clip.y.npy motion.y.npy
done
cp "$amc" lone_1.amc

# expect CODE TEXT ARGUMENT...: exit code and the one line on standard error.
expect() {
    local code=$1 text=$2 got=0; shift 2
    ./gait "$@" 2>error.txt >/dev/null || got=$?
    [ "$got" = "$code" ] && [ "$(cat error.txt)" = "$text" ] || fail "gait $*: exit code $got, $(cat error.txt)"
}
expect 2 "gait: no file for input x; try: gait --help"
expect 2 "gait: no such input: z=x.npy; try: gait --help" --in z=x.npy --out d
expect 2 "gait: unknown option --fast; try: gait --help" --fast
expect 2 "gait: one of --output FILE and --out DIR; try: gait --help" x.npy
expect 1 "gait: missing.npy: open: No such file or directory" missing.npy -o z.npy
expect 1 "gait: wrong.npy: input x: found f32[1,64,25,2], expected f32[N,T,25,3]" wrong.npy -o z.npy
expect 1 "gait: nan.npy holds nan at [0,32,0,0], expected finite numbers" nan.npy -o z.npy
expect 1 "gait: gait has no code for \"z80\"" x.npy -o z.npy --cpu z80
expect 1 "gait: /dev/full/z.npy: create: Not a directory" x.npy -o /dev/full/z.npy
expect 1 "gait: lone_1.amc: no skeleton: lone.asf is not beside it and no ASF was given" lone_1.amc -o z.npy
expect 2 "gait: --fps: expected a positive number, not 0; try: gait --help" "$bvh" -o z.npy --fps 0
head -c 3000 "$bvh" >cut.bvh
./gait cut.bvh -o z.npy 2>error.txt && fail "a cut file was read"
grep -q "^gait: cut.bvh:[0-9]*: " error.txt || fail "a cut file: $(cat error.txt)"
[ ! -e z.npy ] || fail "a failed run left a file"

# The other encoders, and building wrongly.
for model in agcn unik; do
    weights "$root/models/encoders/$model.json" $model.safetensors
    "$sinew" run "$root/models/encoders/$model.json" -w $model.safetensors -i x=x.npy --out $model.out
    "$sinew" build "$root/models/encoders/$model.json" -w $model.safetensors -o $model --exe --small
    [ $(($(size $model) - $(size $model.safetensors))) -le 1572864 ] || fail "$model takes $(size $model) bytes"
    ./$model x.npy -o $model.npy
    same $model.npy $model.out/y.npy
done
wrong() {
    local text=$1; shift
    "$sinew" build "$@" >/dev/null 2>error.txt && fail "sinew build $* succeeded"
    grep -qF -- "$text" error.txt || fail "sinew build $*: $(cat error.txt)"
}
wrong "its last part names the library's functions" "$stgcn" -w w.safetensors -o my-model
wrong "agcn.safetensors" "$stgcn" -w agcn.safetensors -o bad
wrong "processor \"x86-64-v5\" is not known" "$stgcn" -w w.safetensors -o bad --target x86-64-v5
wrong "several targets in one library" "$stgcn" -w w.safetensors -o bad --target x86-64-v2,aarch64
wrong "the linker no-such-cc cannot be run" "$stgcn" -w w.safetensors -o bad --linker no-such-cc
wrong "bad.so: the linker false failed" "$stgcn" -w w.safetensors -o bad --linker false
[ ! -e bad.so ] || fail "a failed link left a file"
