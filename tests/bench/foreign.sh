#!/usr/bin/env bash
# Step time beside foreign processes: one that never rests on one processor, then one on each.
# Not a test: it needs a machine that is otherwise quiet, and takes about two minutes with the defaults.
#
#   tests/bench/foreign.sh [--build DIR] [--rounds N] [--seconds S] FILE [options of `sinew bench`]     default: the stage-1 recipe, batch 8
#
# A busy process is an endless loop of the shell, pinned to its processor; there are none left when the script ends.  The states (none, one,
# each processor) are interleaved N rounds (3), S seconds a state (4), the medians count.
#
# Output, for people and programs alike: one line a state, four fields after the word `foreign`
#
#   foreign BUSY STEP_S RATIO IDEAL OVER
#
# BUSY    processors with a busy process
# STEP_S  median step time, seconds
# RATIO   STEP_S over that of the first line
# IDEAL   what a fair share gives: processors / (free ones + half of the busy ones)
# OVER    RATIO / IDEAL: at most 1.5 is the target
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build rounds=3 seconds=4
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=$(realpath "$2") && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --seconds) seconds=$2 && shift 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || set -- "$root/models/recipes/moco_stgcn.json" --set batch=8

mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | while IFS=- read -r a b; do seq "$a" "${b:-$a}"; done)
n=${#cpus[@]}
spinners=()
stop() { [ ${#spinners[@]} -eq 0 ] || kill "${spinners[@]}" 2>/dev/null || true; spinners=(); }
trap stop EXIT

measure() { # BUSY: print the median step of one run
    for ((i = 0; i < $1; i++)); do
        taskset -c "${cpus[i]}" sh -c 'while :; do :; done' & spinners+=($!)
    done
    "$build/sinew" bench "${@:2}" --seconds "$seconds" | sed -n 's/^  step *\([0-9.]*\) s.*/\1/p'
    stop
}

states=(0)
[ "$n" -eq 1 ] || states+=(1)
states+=("$n")
times=$(mktemp)
trap 'stop; rm -f "$times"' EXIT
for ((r = 0; r < rounds; r++)); do
    for busy in "${states[@]}"; do
        step=$(measure "$busy" "$@")
        [ -n "$step" ] || exit 1
        echo "$busy $step" >>"$times"
    done
done
sort -k1,1n -k2,2n "$times" | awk -v n="$n" '
    { t[$1, c[$1]++] = $2; if (!($1 in seen)) { seen[$1] = 1; order[k++] = $1 } }
    END { for (i = 0; i < k; i++) { b = order[i]; m = t[b, int(c[b] / 2)]; if (i == 0) alone = m
          ideal = n / (n - b / 2); printf "foreign %d %.6f %.3f %.3f %.3f\n", b, m, m / alone, ideal, m / alone / ideal } }'
