#!/usr/bin/env bash
# Compares sinew with its peers and with the machine's limit: everything interleaved on the same threads, one table.
# Not a test: it takes about 20 minutes, needs the package index once and a quiet machine; nothing of it is needed to build or test sinew.
#
#   tests/bench/compare.sh [--build DIR] [--venv DIR] [--only ROW,...] [--peers NAME,...] [--quick] [--rounds N] [--threads N] [--out DIR] [--results]
#
# Parts of a row are named by number: --only step:1,inference:1:3.  Of the steps' peers --peers picks some: --peers tuned is quick.  Rows: step inference convolution norm graph queue optimizer cold bits foreign growth (rows/).
#
# Makes a virtual environment in BUILD/bench-venv, unless --venv names one (about 6 GB: PyPI's torch carries its CUDA libraries; only the
# CPU is used).  The table goes to BUILD/bench/compare.txt, every figure to compare.json there, and each row to compare.jsonl as it comes; --results also writes RESULTS.md.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build venv=
rest=()
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=$(realpath "$2") && shift 2 ;;
    --venv) venv=$(realpath "$2") && shift 2 ;;
    *) rest+=("$1") && shift ;;
    esac
done
venv=${venv:-$build/bench-venv}

packages=(python3-venv libjemalloc2 libtcmalloc-minimal4)
missing=()
for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get -qq update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}"
fi
[ -x "$build/sinew" ] || "$root/.ci/build" "$build"
if ! "$venv/bin/python" -c 'import torch, numpy, onnx, onnxruntime, openvino, jax' 2>/dev/null; then
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet torch numpy onnx onnxruntime openvino 'jax[cpu]'
fi
unset OPENBLAS_CORETYPE OMP_NUM_THREADS OMP_PROC_BIND GOMP_CPU_AFFINITY
exec "$venv/bin/python" "$root/tests/bench/compare.py" --sinew "$build/sinew" --out "$build/bench" "${rest[@]}"
