#!/usr/bin/env bash
# A library from Python: ctypes and NumPy.
. "$(dirname "$0")/common.sh"
python=$(command -v /usr/bin/python3 python3 | head -1) || skip "there is no python3"
"$python" -c 'import numpy' 2>/dev/null || skip "there is no NumPy"

weights "$stgcn" w.safetensors
"$array" write x.npy 3,40,25,3 wave
"$sinew" run "$stgcn" -w w.safetensors -i x=x.npy --out expected
"$sinew" build "$stgcn" -w w.safetensors -o gait
"$python" "$here/example.py" ./gait.so x.npy y.npy
raw expected/y.npy >expected.f32
raw y.npy | same /dev/stdin expected.f32
"$python" "$here/example.py" ./gait.so expected/y.npy y.npy 2>error.txt && fail "features were taken for clips"
grep -q "could not broadcast" error.txt
