#!/usr/bin/env bash
# Cross-compiling: a library and an executable for aarch64, run by a user-mode emulator.
. "$(dirname "$0")/common.sh"
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $tool >/dev/null || skip "there is no $tool (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)"
done
[ -e "$(dirname "$sinew")/aot/aarch64/libsinew_aot.a" ] || skip "the program was built without the runtime for aarch64"

weights "$stgcn" w.safetensors
"$array" write x.npy 1,20,25,3 wave
"$sinew" build "$stgcn" -w w.safetensors -o gait --target aarch64 --exe
file gait.so 2>/dev/null | grep -q "ARM aarch64" || [ "$(od -An -tx2 -j18 -N2 gait.so)" = " 00b7" ] || fail "gait.so is not for aarch64"
raw x.npy >x.f32
qemu-aarch64 ./gait x.npy -o y.npy --threads 2
qemu-aarch64 ./gait x.npy -o y1.npy --threads 1
same y.npy y1.npy
aarch64-linux-gnu-gcc -std=c11 -I. "$here/example.c" gait.a -fopenmp -static -o example
qemu-aarch64 ./example 1 20 <x.f32 >y.f32
raw y.npy | same /dev/stdin y.f32

# Other instructions round differently, by no more than that.
"$sinew" run "$stgcn" -w w.safetensors -i x=x.npy --out here --cpu x86-64-v2
"$array" near y.npy here/y.npy 2e-5
