#!/usr/bin/env bash
# On a machine with nothing: a folder made by debootstrap, without compiler, LLVM or Python.  Needs root, the network and debootstrap; a minute or two.
# Not one of the tests that ctest runs.
#
#   tests/aot/clean.sh build/sinew build/cli_array . /tmp/aot build
. "$(dirname "$0")/common.sh"
build=$(cd "$OLDPWD" && realpath "$5")
inside() { chroot clean "$@"; }
step() { printf '\n== %s\n' "$*"; }

weights "$stgcn" w.safetensors
"$array" write x.npy 1,64,25,3 wave
"$sinew" run "$stgcn" -w w.safetensors -i x=x.npy --out expected --cpu x86-64-v3
"$sinew" build "$stgcn" -w w.safetensors -o gait --exe --target x86-64-v3 >/dev/null
cc -std=c11 -O1 -I. "$here/example.c" ./gait.so -Wl,-rpath,/root -o example
(cd "$build" && cpack -G DEB -B "$scratch/package" >"$scratch/cpack.txt") || { cat cpack.txt; exit 1; }
debootstrap --variant=minbase bookworm clean >debootstrap.txt || { tail -3 debootstrap.txt; exit 1; }
cp gait gait.so example x.npy w.safetensors package/*.deb clean/root/
raw x.npy >clean/root/x.f32

step "the executable: libc is inside"
inside bash -c 'command -v cc gcc python3 ldconfig | sed "s/^/has /"; ls -l /usr/lib/x86_64-linux-gnu | grep -cE "gomp|LLVM|openblas" || true'
inside /root/gait /root/x.npy -o /root/y.npy
same clean/root/y.npy expected/y.npy
echo "the bits of sinew run"

step "the library: libc and OpenMP"
inside apt-get -qq -y install --no-install-recommends libgomp1 >/dev/null 2>&1
inside bash -c 'ldd /root/gait.so; cd /root; ./example 1 64 <x.f32 >y.f32'
raw expected/y.npy | same /dev/stdin clean/root/y.f32
echo "the bits of sinew run"

step "the package"
inside bash -c 'apt-get -qq -y install --no-install-recommends /root/*.deb >/dev/null 2>&1 && dpkg-query -W -f="\${Package} \${Version} \${Installed-Size} KiB\n" sinew'
inside bash -c 'cd /root && sinew --version && sinew check /usr/share/sinew/models/encoders/stgcn.json && mkdir -p out &&
    sinew run /usr/share/sinew/models/encoders/stgcn.json -w w.safetensors --in x=x.npy --out out --cpu x86-64-v3 &&
    sinew build /usr/share/sinew/models/encoders/stgcn.json -w w.safetensors -o walk --archive &&
    sinew build /usr/share/sinew/models/encoders/stgcn.json -w w.safetensors -o walk 2>&1 | tail -1'
same clean/root/out/y.npy expected/y.npy
echo "the bits of sinew run"
