#!/usr/bin/env bash
# cmake --install, and a foreign project that finds what was installed.  Behind the others' arguments: BUILD.
. "$(dirname "$0")/common.sh"
build=$5

cmake --install "$build" --prefix "$scratch/usr" >/dev/null
for file in bin/sinew lib/sinew/x86_64/libsinew_aot.a include/sinew/sinew_rt.h share/sinew/models/encoders/stgcn.json share/man/man1/sinew.1 \
    share/bash-completion/completions/sinew; do
    [ -s "usr/$file" ] || fail "$file was not installed"
done
installed=$scratch/usr/bin/sinew
for verb in $("$installed" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    grep -q "^.B sinew $verb\$" usr/share/man/man1/sinew.1 || fail "the manual page lacks $verb"
done
completed=$(PATH=$scratch/usr/bin:$PATH bash -c '. usr/share/bash-completion/completions/sinew; COMP_WORDS=(sinew build --wei) COMP_CWORD=2; _sinew; echo "${COMPREPLY[@]}"')
[ "$completed" = "--weights --weights-beside" ] || fail "completion gives: $completed"

"$installed" init usr/share/sinew/models/encoders/stgcn.json --set hidden=8 --set dim=16 -o w.safetensors >/dev/null
cmake -S "$here/foreign" -B foreign -DCMAKE_PREFIX_PATH="$scratch/usr" -DWEIGHTS="$scratch/w.safetensors" >log.txt || { cat log.txt; exit 1; }
cmake --build foreign >log.txt || { cat log.txt; exit 1; }
[ "$(foreign/features)" = "1 16 25 16" ] || fail "the foreign project computes $(foreign/features)"
