#!/usr/bin/env bash
# A recipe trained by the program: killed at random moments and resumed, stopped by a signal and resumed, on one thread and on three,
# it ends with the same checkpoint, byte for byte.  Also what the verb says and returns when things are wrong.
#
#   resume.sh SINEW MAKE_SET RECIPE      in a scratch folder, which is emptied
set -euo pipefail

sinew=$1 make_set=$2 recipe=$3
rm -rf -- whole again killed stopped threads set.safetensors
export SINEW_CACHE=$PWD/cache
"$make_set" set.safetensors
steps=40
final=checkpoint-00000040.safetensors

fail() { echo "FAILED: $*" >&2; exit 1; }
train() { # RUN OPTIONS...
    local run=$1; shift
    "$sinew" pretrain "$recipe" --data set.safetensors --out "$run" --seed 5 --steps "$steps" "$@" 2> "$run.log"
}
same() { cmp "whole/$final" "$1/$final" || fail "$1 differs"; }
expect() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0; shift 2
    "$@" > out.txt 2> err.txt || got=$?
    [ "$got" -eq "$code" ] || fail "exit code $got, expected $code: $*: $(cat err.txt)"
    grep -qF -- "$text" err.txt || fail "no \"$text\" in: $(cat err.txt)"
}

train whole
[ "$(wc -l < whole/log.csv)" -eq 41 ] || fail "log.csv"
[ -s whole/loss.png ] && [ -s whole/recipe.txt ] || fail "picture or recipe missing"
awk -F, 'NR == 6 { early = $5 } END { exit !($5 < early) }' whole/log.csv || fail "the loss did not fall"

train threads --threads 1
same threads
rm -rf threads; train threads --threads 3
same threads

# The recipe as run is a recipe: run again, it ends with the same bytes, and resumes the run it came from.
"$sinew" check whole/recipe.json > check.log || fail "recipe.json: $(cat check.log)"
"$sinew" pretrain whole/recipe.json --data set.safetensors --out again --seed 5 --steps "$steps" 2> again.log
same again
"$sinew" pretrain whole/recipe.json --data set.safetensors --out whole --seed 5 --steps "$steps" --resume 2> again.log || fail "recipe.json does not resume its run"

# Killed: each sitting gets a little more time, so that it ends; on a busy machine the last one is left alone.  One that ends unkilled at first was too fast for us: once more.
kills=0
for i in $(seq 1 80); do
    "$sinew" pretrain "$recipe" --data set.safetensors --out killed --seed 5 --steps "$steps" --resume --save 0.01 > killed.log 2>&1 &
    pid=$!
    sleep "0.$(printf %03d $((RANDOM % 30 + 5 * i)))"
    if kill -9 "$pid" 2> kill.log; then kills=$((kills + 1)); fi
    if wait "$pid" 2> kill.log; then
        [ "$kills" -eq 0 ] || break
        rm -rf killed
    fi
done
echo "killed $kills times"
[ "$kills" -gt 0 ] || fail "no sitting was killed"
[ -f "killed/$final" ] || train killed --resume
same killed

# Stopped: exit code 3 and a checkpoint, whenever it comes after the handler stands.
code=0
"$sinew" pretrain "$recipe" --data set.safetensors --out stopped --seed 5 --steps 100000 > stopped.log 2>&1 & pid=$!
for i in $(seq 1 100); do [ -f stopped/log.csv ] && [ "$(wc -l < stopped/log.csv)" -gt 3 ] && break; sleep 0.1; done
kill -TERM "$pid"
wait "$pid" || code=$?
[ "$code" -eq 3 ] || fail "SIGTERM gave $code: $(cat stopped.log)"
done_steps=$(ls stopped/checkpoint-*.safetensors | tail -1 | sed 's/.*-0*\([0-9]*\)\.safetensors/\1/')
if [ "$done_steps" -lt "$steps" ]; then train stopped --resume; same stopped; fi
echo "stopped after $done_steps steps"

# Wrong use.
expect 1 'already holds a run of 40 steps' "$sinew" pretrain "$recipe" --data set.safetensors --out whole --seed 5
expect 1 'made with another recipe: "momentum = ' "$sinew" pretrain "$recipe" --data set.safetensors --out whole --seed 5 --resume --set momentum=0.5
expect 1 'made with seed 5' "$sinew" pretrain "$recipe" --data set.safetensors --out whole --seed 6 --resume
expect 1 'No such file' "$sinew" pretrain "$recipe" --data absent.safetensors --out none
expect 2 'RECIPE is missing' "$sinew" pretrain
expect 2 '--data SET is missing' "$sinew" pretrain "$recipe"
truncate -s -1 "whole/$final"
expect 1 "$final" "$sinew" pretrain "$recipe" --data set.safetensors --out whole --seed 5 --resume
echo ok
