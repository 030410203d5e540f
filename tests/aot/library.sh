#!/usr/bin/env bash
# Libraries: what they need and export, how large they are; used from C and C++, linked and loaded, from many threads; the bits of `sinew run`.
. "$(dirname "$0")/common.sh"

weights "$stgcn" w.safetensors
"$array" write x.npy 2,52,25,3 wave
"$sinew" run "$stgcn" -w w.safetensors -i x=x.npy --out expected
raw x.npy >x.f32
raw expected/y.npy >y.f32
"$sinew" build "$stgcn" -w w.safetensors -o gait

# Its functions are all that a library shows; of others it needs libc and OpenMP.
nm -D --defined-only gait.so | awk '{ print $3 }' | sort >exports.txt
sed -n 's/^[a-z].*\(gait_[a-z_]*\)(.*;.*/\1/p' gait.h | sort -u >declared.txt
same exports.txt declared.txt
[ "$(wc -l <declared.txt)" -ge 17 ] || fail "the header declares too little"
ldd gait.so | awk '{ print $1 }' | grep -vE '^(linux-vdso|/lib64/ld-|libc\.so|libgomp\.so|libm\.so|libpthread\.so)' && fail "gait.so needs more than libc and OpenMP"
nm gait.a | grep -iE 'llvm|flatbuffers|openblas|cblas|_Z[A-Z]' && fail "gait.a holds or wants what an inference does not"
"$sinew" build "$stgcn" -w w.safetensors -o small --small
[ $((($(size small.so) - $(size w.safetensors)))) -le 1048576 ] || fail "small.so takes $(size small.so) bytes, $(size w.safetensors) of them weights"

# C and C++, linked both ways.
flags="-std=c11 -Wall -Wextra -Werror -pedantic -O1 -I."
cc $flags "$here/example.c" gait.a -fopenmp -o static
cc $flags "$here/example.c" ./gait.so -Wl,-rpath,"$PWD" -o shared
./static 2 52 <x.f32 >static.f32
./shared 2 52 <x.f32 >shared.f32
same static.f32 y.f32
same shared.f32 y.f32
c++ -std=c++17 -Wall -Wextra -Werror -pedantic -O1 -I. "$here/threads.cpp" gait.a -fopenmp -pthread -o threads
OMP_NUM_THREADS=2 ./threads
cc $flags "$here/dynamic.c" -ldl -o dynamic
./dynamic ./gait.so x.f32 >dynamic.f32
same dynamic.f32 y.f32
PKG_CONFIG_PATH=. pkg-config --libs gait | grep -q -- '-l:gait.a' || fail "pkg-config does not find the library"

# One thread: libc alone, nothing allocated after a session is made.  Weights beside, several levels, and what goes wrong.
"$sinew" build "$stgcn" -w w.safetensors -o step --threads 1 --weights-beside --target x86-64-v2,x86-64-v3,x86-64-v4
ldd step.so | awk '{ print $1 }' | grep -vE '^(linux-vdso|/lib64/ld-|libc\.so)' && fail "step.so needs more than libc"
[ "$(size step.so)" -le 1048576 ] || fail "step.so takes $(size step.so) bytes for three levels"
cc $flags "$here/faults.c" step.a -o faults
./faults x.f32
for cpu in x86-64-v2 x86-64-v3 x86-64-v4; do
    ./faults --can "$cpu" || continue
    "$sinew" run "$stgcn" -w w.safetensors -i x=x.npy --out "$cpu" --cpu "$cpu"
    ./faults --run "$cpu" x.f32 >"$cpu.f32"
    raw "$cpu/y.npy" | cmp - "$cpu.f32" || fail "$cpu: not the bits of sinew run"
done

# Two libraries in one program.
cc $flags "$here/two.c" gait.a step.a -fopenmp -o two
./two x.f32 | same /dev/stdin y.f32
