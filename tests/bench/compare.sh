#!/usr/bin/env bash
# Races sinew against PyTorch on the stage-1 training step, both on the same threads, interleaved in one run.
# Not a test: it takes minutes, needs the package index and a quiet machine; nothing of it is needed to build or test sinew.
#
#   tests/bench/compare.sh [--build DIR] [options of race.py: --batch 32,8 --threads 2 --rounds 4 --steps 3 --peers LIST --out DIR]
#
# Makes a virtual environment in BUILD/bench-venv (about 5 GB: PyPI's torch carries its CUDA libraries; only the CPU is used) and
# prints the table; the same goes to BUILD/bench/race.txt and race.json.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build
if [ "${1:-}" = --build ]; then
    build=$(realpath "$2")
    shift 2
fi
venv=$build/bench-venv

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
if ! "$venv/bin/python" -c 'import torch, numpy' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet torch numpy
fi
exec "$venv/bin/python" "$root/tests/bench/race.py" --sinew "$build/sinew" --out "$build/bench" "$@"
