#!/usr/bin/env bash
# Compiled code written down for perf: read by the format's specification, and, where perf is and may record, by perf itself.
#
#   jitdump.sh SINEW SOURCE_FOLDER      in a scratch folder, which is emptied
set -euo pipefail

sinew=$1 source=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf -- dump ./*.data ./*.txt
mkdir dump
export SINEW_CACHE=$PWD/cache OMP_NUM_THREADS=2
command -v python3 > /dev/null || { echo "skipped: python3 is not installed"; exit 77; }

fail() { echo "FAILED: $*" >&2; exit 1; }
bench() { "$@" bench "$source/models/encoders/stgcn.json" --seconds 1 > bench.txt 2> err.txt || fail "$*: $(cat err.txt)"; }

SINEW_JITDUMP=$PWD/none "$sinew" bench "$source/tests/frontend/profile.json" --set N=10 > out.txt 2> err.txt && fail "a folder that is not there was written to"
grep -q 'code was not written down for perf, .*none/jit-[0-9]*.dump: No such file' err.txt && [ ! -s out.txt ] || fail "$(cat err.txt)"

export SINEW_JITDUMP=$PWD/dump
bench "$sinew"
python3 "$here/jitdump.py" dump/jit-*.dump > pieces.txt || fail "$(cat pieces.txt)"
grep -q '^block10.tcn.xw#2 .*/models/layers/layers.json:[0-9]* [1-9]' pieces.txt || fail "$(cat pieces.txt)"
[ "$(grep -c '^block10.tcn.xw#2 ' pieces.txt)" -eq 2 ] || fail "bench compiles twice" # with an empty cache and again

rm -f dump/*
perf record -q -e cpu-clock -k mono -o perf.data true > perf.txt 2>&1 || { echo "perf does not record here: not tried with it"; exit 0; }
bench perf record -q -e cpu-clock -k mono -o perf.data "$sinew"
perf inject --jit -i perf.data -o jit.data > perf.txt 2>&1 || fail "perf inject: $(cat perf.txt)"
perf report -i jit.data --stdio --sort symbol 2> /dev/null | sed 's/ *$//' > report.txt
grep -q '\[\.\] block10.tcn.xw#2' report.txt || fail "perf does not know our kernels: $(head -30 report.txt)"
perf annotate -i jit.data --stdio -s 'block10.tcn.xw#2' > annotated.txt 2> /dev/null
grep -q '<block10.tcn.xw#2>:' annotated.txt && grep -q 'vfmadd\|mulps' annotated.txt || fail "perf does not show our code: $(head -30 annotated.txt)"
echo "ok, with perf"
