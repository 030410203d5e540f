#!/usr/bin/env bash
# What the dense snippet term costs: the training step of each method with and without it, taken in turns, the fastest of each.
# Not part of the comparison with others (compare.sh).
#
#   dense.sh [--build DIR] [--rounds N] [METHOD...]     default: 2 rounds of moco aimclr hiclr rvtclr, ST-GCN at quarter width, batch 32
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build rounds=2
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=$2; shift 2 ;;
    --rounds) rounds=$2; shift 2 ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || set -- moco aimclr hiclr rvtclr

# The fastest step in seconds.
step() {
    "$build/sinew" bench "$root/models/recipes/$1_stgcn.json" --json --seconds 4 --set batch=32 --set dense="$2" |
        sed -n 's/.*"step_fastest_s": *\([0-9.e-]*\).*/\1/p'
}

printf '%-8s %10s %10s %8s\n' method "without s" "with s" "more"
for method; do
    for ((i = 0; i < rounds; i++)); do
        step "$method" 0
        step "$method" 1
    done | awk -v method="$method" '
        { at = NR % 2 ? 0 : 1; if (!(at in best) || $1 < best[at]) best[at] = $1 }
        END { printf "%-8s %10.3f %10.3f %7.1f%%\n", method, best[0], best[1], 100 * (best[1] / best[0] - 1) }'
done
