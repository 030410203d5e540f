#!/usr/bin/env bash
# The verbs bench and doctor: every promised figure is there and sensible, and wrong use is named.
#
#   measure.sh SINEW RECIPE      in a scratch folder
set -euo pipefail

sinew=$1 recipe=$2
export SINEW_CACHE=$PWD/cache TMPDIR=$PWD
fail() { echo "FAILED: $*" >&2; exit 1; }
value() { sed -n 's/^  "'"$1"'": \(.*[^,]\),\{0,1\}$/\1/p' "$2"; }
positive() { awk -v x="$(value "$1" "$2")" 'BEGIN { exit !(x + 0 > 0) }' || fail "$1 is \"$(value "$1" "$2")\""; }
expect() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0; shift 2
    "$@" > out.txt 2> err.txt || got=$?
    [ "$got" -eq "$code" ] || fail "exit code $got, expected $code: $*: $(cat err.txt)"
    grep -qF -- "$text" err.txt || fail "no \"$text\" in: $(cat err.txt)"
}

"$sinew" bench "$recipe" --seconds 0.1 --kernels --json > step.json
for key in compile_cold_s compile_cached_s step_s sequences_per_second gflops peak_share memory_planned_bytes memory_peak_bytes; do
    positive "$key" step.json
done
[ "$(value training step.json)" = true ] && [ "$(value batch step.json)" = 8 ] || fail "not the recipe's step"
grep -q '"where": ".*layers.json:[0-9]*"' step.json || fail "no kernel with its place"
awk -v cold="$(value compile_cold_s step.json)" -v cached="$(value compile_cached_s step.json)" 'BEGIN { exit !(cached < cold) }' || fail "the cache does not help"
awk -v peak="$(value memory_peak_bytes step.json)" -v planned="$(value memory_planned_bytes step.json)" 'BEGIN { exit !(planned < peak) }' || fail "memory"
[ -z "$(ls -d sinew-bench-* 2> /dev/null)" ] || fail "the scratch cache was left behind"

"$sinew" bench "$recipe" --module encoder --set N=3 --set T=20 --seconds 0 --threads 1 --json > infer.json
[ "$(value training infer.json)" = false ] && [ "$(value batch infer.json)" = 3 ] && [ "$(value threads infer.json)" = 1 ] || fail "not inference"
"$sinew" bench "$recipe" --seconds 0 --kernels > text.txt
grep -q 'sequences/s' text.txt && grep -q 'kernel' text.txt || fail "text: $(cat text.txt)"
for row in kernels 'momentum copies' optimiser 'between kernels' step; do grep -q "^ *[0-9.]* *[0-9.]*% .* $row" text.txt || fail "no row $row: $(cat text.txt)"; done
[ "$(awk 'length > 140' text.txt | wc -l)" -eq 0 ] || fail "rows wider than 140 columns: $(awk 'length > 140' text.txt)"

expect 2 'FILE is missing' "$sinew" bench
expect 1 'absent.json' "$sinew" bench absent.json
expect 2 '--by is call' "$sinew" bench "$recipe" --by layer
expect 2 '--what' "$sinew" bench --what

"$sinew" doctor > doctor.txt
for row in processor vectors peak LLVM OpenMP OpenBLAS cache; do grep -q "^$row" doctor.txt || fail "doctor has no row $row"; done
OPENBLAS_CORETYPE=PRESCOTT "$sinew" doctor > old.txt
if grep -q 'core Prescott' old.txt && grep -q -w avx2 /proc/cpuinfo; then grep -q 'are from before AVX2' old.txt || fail "the wrong kernels were not noticed: $(cat old.txt)"; fi
expect 2 'takes no arguments' "$sinew" doctor now
echo ok
