#!/usr/bin/env bash
# Runs one case: lines "$ COMMAND", each followed by what it prints (both streams) and "[exit N]" unless N is 0.
# Not a shell session: every command starts anew in the case's own empty folder, which has `models` and `graphs` beside it.
# SN_BLESS=1 rewrites the expectations; the diff is reviewed like code.
#
#   case.sh SINEW ARRAY CASE.txt SCRATCH REPOSITORY
set -u
sinew=$1 array=$2 case=$3 scratch=$4 root=$5

rm -rf "$scratch"
mkdir -p "$scratch/bin"
ln -s "$sinew" "$scratch/bin/sinew"
ln -s "$array" "$scratch/bin/array"
ln -s "$root/models" "$scratch/models"
ln -s "$root/tests/cli/graphs" "$scratch/graphs"
cd "$scratch" || exit 1
export PATH=$scratch/bin:$PATH SINEW_CACHE=$scratch/cache COLUMNS=120 LC_ALL=C

found=$scratch/found.txt
while IFS= read -r line; do
    case $line in
    '#'*) printf '%s\n' "$line" ;;
    '$ '*)
        printf '%s\n' "$line"
        bash -c "${line#??}" 2>&1 </dev/null
        code=$?
        [ $code -eq 0 ] || printf '[exit %d]\n' $code
        ;;
    esac
done <"$case" >"$found"

if [ -n "${SN_BLESS:-}" ]; then cp "$found" "$case"; fi
diff -u "$case" "$found"
