#!/usr/bin/env bash
# Profiles of a training step and of an inference program, forward and backward: that numbers add up, that others can read the files, what is said when
# things are wrong.  No speeds: nothing here depends on how fast the machine is.
#
#   profile.sh SINEW SOURCE_FOLDER      in a scratch folder, which is emptied
set -euo pipefail

sinew=$1 source=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -f -- ./*.json ./*.txt ./*.html
export SINEW_CACHE=$PWD/cache OMP_NUM_THREADS=2
command -v python3 > /dev/null || { echo "skipped: python3 is not installed"; exit 77; }

fail() { echo "FAILED: $*" >&2; exit 1; }
profile() { "$sinew" profile --seconds 0 "$@" 2> err.txt || fail "profile $*: $(cat err.txt)"; }
refuse() { # CODE TEXT OPTIONS...
    local code=$1 text=$2 got=0; shift 2
    "$sinew" profile --seconds 0 "$@" > out.txt 2> err.txt || got=$?
    [ "$got" -eq "$code" ] || fail "exit code $got, expected $code: $*: $(cat err.txt)"
    grep -qF -- "$text" err.txt || fail "no \"$text\" in: $(cat err.txt)"
    [ ! -s out.txt ] || fail "output although it failed: $*"
}
check() { python3 "$here/profile.py" "$@" || fail "$*"; }

# A real training step; its trace is of the same run.
profile "$source/models/recipes/moco_stgcn.json" --set batch=1 --set frames=48 --json --trace train.trace.json > train.json
check json train.json call
check trace train.trace.json train.json
grep -q '"optimiser and momentum copies"' train.trace.json || fail "no parts of the training step in its trace"

# Inference: what depends on weights alone is made before the first run.  Then with gradients, rows taken together.
profile "$source/models/encoders/stgcn.json" --set T=48 --json --trace infer.trace.json > infer.json
check json infer.json call
check trace infer.trace.json infer.json
grep -q '"backward_seconds": [1-9]' infer.json && fail "inference goes backward"
profile "$source/models/encoders/stgcn.json" --set T=48 --train --grad y --by node --json > node.json
check json node.json node
grep -q '"backward_seconds": 0\.[0-9]*[1-9]\|"backward_seconds": [1-9]' node.json || fail "no time in gradients"
profile "$source/tests/frontend/profile.json" --set N=1000 --by place --json > place.json
check json place.json place
grep -q '"name": ".*profile.json:9"' place.json || fail "no row of line 9"

# The page: complete in itself.
profile "$source/models/encoders/stgcn.json" --set T=48 --train --grad y --stages 3 --html page.html > page.txt
check page page.html 3

# The table, and a comparison with the profile before.
profile "$source/tests/frontend/profile.json" --set N=1000 --threads 1 > table.txt
grep -q '^ *ms .*roof .*wait' table.txt && grep -q ' y.*profile.json:9' table.txt && grep -q '100.00% .* step' table.txt || fail "$(cat table.txt)"
grep -q 'Counted in the kernels\|Not counted here' table.txt || fail "nothing about counters: $(cat table.txt)"
profile "$source/tests/frontend/profile.json" --set N=1000 --json > before.json
sed 's/"name": "scaled"/"name": "gone"/' before.json > other.json
profile "$source/tests/frontend/profile.json" --set N=2000 --against other.json > compared.txt
grep -q '^N = 2000, before 1000$' compared.txt && grep -q ' gone  gone' compared.txt && grep -q ' new  scaled' compared.txt && grep -q '%  step' compared.txt || fail "$(cat compared.txt)"
profile "$source/tests/frontend/profile.json" --set N=1000 --by module --against before.json > compared.txt
grep -q '%  kernels' compared.txt || fail "$(cat compared.txt)"

# What is wrong is said before anything is written.
refuse 2 "FILE is missing"
refuse 2 "one FILE at a time" a.json b.json
refuse 2 "--by is call" a.json --by layer
refuse 1 "cannot read the file" absent.json
refuse 1 "the recipe says what is trained" "$source/models/recipes/moco_stgcn.json" --grad loss
refuse 1 'stgcn has no output "z"' "$source/models/encoders/stgcn.json" --grad z
refuse 1 "absent.json: open" "$source/tests/frontend/profile.json" --against absent.json
echo '{"sinew": "evaluation 1"}' > wrong.json
refuse 1 "wrong.json: not a profile" "$source/tests/frontend/profile.json" --against wrong.json
refuse 1 "--by call does not fit it" "$source/tests/frontend/profile.json" --set N=1000 --against place.json
refuse 1 "none/t.json" "$source/tests/frontend/profile.json" --set N=1000 --trace none/t.json
refuse 1 "none/p.html" "$source/tests/frontend/profile.json" --set N=1000 --html none/p.html
cp "$source/tests/frontend/profile.json" $'not\xfftext.json'
refuse 1 "a name of a file is not UTF-8" $'not\xfftext.json' --set N=1000 --json
refuse 1 "is not UTF-8" $'not\xfftext.json' --set N=1000 --html p.html
[ ! -e p.html ] || fail "half a page"
echo "ok"
