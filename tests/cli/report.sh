#!/usr/bin/env bash
# A page about runs: what it holds, that no text in it is more than text, what is refused.  Not what it does in a browser (browser.py with report.js).
#
#   report.sh SINEW SAMPLE.tar.xz REPOSITORY      in a scratch folder, which is emptied
set -euo pipefail
sinew=$1 sample=$2 root=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v python3 > /dev/null || { echo "skipped: python3 is not installed"; exit 77; }
rm -rf -- amc runs begun broken ./*.html ./*.safetensors ./*.json ./*.csv
mkdir runs
export SINEW_CACHE=$PWD/cache
hostile='</script><script>hacked = 1</script><b><!--'

fail() { echo "FAILED: $*" >&2; exit 1; }
refused() { # TEXT ARGUMENT...: exit code 1, one line that says it, and no page
    local text=$1; shift
    "$sinew" report -o refused.html "$@" > out.txt 2> err.txt && fail "accepted: $*"
    grep -qF -- "$text" err.txt && [ "$(wc -l < err.txt)" -eq 1 ] || fail "expected \"$text\": $(cat err.txt)"
    [ ! -e refused.html ] || fail "a refused page was written"
}
# The data of a page, and a value of it by path: value PAGE .recordings[0].id
value() { python3 -c '
import json, re, sys
page = open(sys.argv[1]).read()
data = json.loads(re.search(r"<script type=\"application/json\" id=\"data\">(.*?)</script>", page, re.S).group(1))
print(eval("d" + sys.argv[2], {"d": data}))' "$@"; }

tar xJf "$sample" --strip-components=1 --wildcards '*/amc/*'
sed "s|Jog|$hostile|" "$root/models/data/labels/mocap6.csv" > labels.csv
"$sinew" import amc amc --asf amc/03.asf --labels labels.csv --splits "$root/models/data/labels/splits.csv" -o set.safetensors > import.log 2>&1 || fail "$(cat import.log)"
"$sinew" pretrain "$root/tests/frontend/pretext.json" --data set.safetensors --out runs/pre --steps 12 > pre.out 2> pre.log || fail "$(cat pre.log)"
for seed in 1 2; do
    "$sinew" finetune "$root/tests/frontend/tagger.json" --data set.safetensors --from runs/pre --seed $seed --out runs/tuned$seed > tuned.out 2> tuned.log || fail "$(cat tuned.log)"
done

# Everything at once: two repetitions of one name, the pretraining, another's record.
"$sinew" evaluate runs/tuned1 --data set.safetensors --thresholds even --name other -o other.json > evaluated.txt
"$sinew" report tuned=runs/tuned1 tuned=runs/tuned2 runs/pre other.json --data set.safetensors --thresholds even --points 300 --threads 1 -o page.html > out.txt
grep -q '^page.html: 4 runs, 3 results, 1 recording, 3 embeddings; ' out.txt || fail "$(cat out.txt)"
"$sinew" report tuned=runs/tuned1 tuned=runs/tuned2 runs/pre other.json --data set.safetensors --thresholds even --points 300 --threads 3 -o threads.html > /dev/null
cmp <(sed 's/"command":[^]]*]//' page.html) <(sed 's/"command":[^]]*]//' threads.html) || fail "the page depends on the number of threads"
[ "$(wc -c < page.html)" -lt 1500000 ] || fail "the page is too large"
[ "$(grep -c '<script' page.html)" -eq "$(grep -c '</script>' page.html)" ] || fail "a script element is open"
grep -Eq '(src|href)="?(https?:)?//|@import|url\(["'"'"']?http|fetch\(|XMLHttpRequest|WebSocket|import\(' page.html && fail "the page refers to a network"

# The figures are those of evaluate and of the logs.
[ "$(value page.html '["recordings"][0]["id"]')" = 14_14 ] || fail "the validation recording is not shown"
right=$(value page.html '["recordings"][0]["found"][0]["right"]') # of 5 decimals, the log of 6
awk -F, -v right="$right" 'END { off = $4 - right; exit !(off < 1e-5 && off > -1e-5) }' runs/tuned1/validation.csv || fail "frames right are not those of the last validation: $right"
[ "$(value page.html '["tables"][0]["rows"][1]["cells"]' | tr -d "[]' " | tr , ' ')" = "$("$sinew" evaluate other.json | awk '/^other/ { sub(/^other +/, ""); gsub(/ +/, " "); print; exit }')" ] || fail "the table is not evaluate's"
value page.html '["tables"][0]["rows"][0]["cells"]' | grep -q '±' || fail "two results of one name have no deviation"
[ "$(value page.html '["runs"][0]["steps"]')" -eq "$(($(wc -l < runs/tuned1/log.csv) - 1))" ] || fail "steps of the log"
value page.html '["classes"]' | grep -qF "$hostile" || fail "the label is not what it was"
[ "$(value page.html '["runs"][0]["validation"]["columns"][0]["mean"][-1]' | cut -c1-5)" = "$(awk -F, 'END { print substr($4, 1, 5) }' runs/tuned1/validation.csv)" ] || fail "the validation curve"
[ "$(value page.html '["confusion"][0]["of"]["taken"]' | tr -d '[]' | tr , '\n' | awk '{ n += $1 } END { print n }')" -eq 1164 ] || fail "the confusion is not of all frames"

[ "$(value page.html '["confusion"] and round(sum(row[i] for i, row in enumerate(d["confusion"][0]["of"]["taken"])) / 1164, 5)')" = \
  "$(value page.html '["recordings"][0]["found"][0]["right"]')" ] || fail "the diagonal of the confusion is not the frames that are right"
"$sinew" embed runs/tuned1 --data set.safetensors --splits val --picture e.png --most 300 > embedded.txt
grep -q "divergence $(value page.html '["embeddings"][0] and "%.3f" % d["embeddings"][0]["divergence"]')\$" embedded.txt || fail "the embedding is not embed's: $(cat embedded.txt)"

# Without a set: what the folder alone holds, and it says what is missing.
"$sinew" report runs/tuned1 runs/tuned1/model.safetensors -o alone.html > out.txt
grep -q 'need --data SET' out.txt || fail "$(cat out.txt)"
value alone.html '.keys()' | grep -q recordings && fail "recordings without a set"
[ "$(value alone.html '["runs"][1]["kind"]')" = model ] || fail "a model is not one"
mkdir begun && cp runs/tuned1/log.csv runs/tuned1/recipe.* begun # of a model that is still in training
"$sinew" report begun --data set.safetensors -o begun.html > out.txt
grep -q '1 run, 0 results, 1 recording, 0 embeddings' out.txt && [ "$(value begun.html '["runs"][0]["kind"]')" = finetune ] || fail "$(cat out.txt)"
"$sinew" report runs/tuned1 --data set.safetensors --val train --sequence 13_29 --recordings 2 --points 0 -o train.html > out.txt
grep -q '1 recording, 0 embeddings' out.txt || fail "$(cat out.txt)"

# Refusals: one line, no page.
refused 'runs/none: no such file or folder' runs/none
refused 'expected the folder of a run, a model (.safetensors) or a record' labels.csv
refused 'neither a run (log.csv), a model (model.safetensors) nor a record' runs
echo '{}' > empty.json
refused 'empty.json: not a record of an evaluation' empty.json
sed 's/"taken": \[/"taken": [ [1],/' other.json > crooked.json
refused 'crooked.json: "confusion" has not a row of counts for every class' crooked.json
cp -r runs/pre broken && rm broken/log.csv
refused 'broken/log.csv: open: No such file or directory' broken
head -c -5 runs/pre/log.csv > broken/log.csv
refused 'broken/log.csv:13: the last line is cut off' broken
head -n 3 runs/pre/log.csv | sed '3s/,.*/,0/' > broken/log.csv
refused 'broken/log.csv:3: found 2 fields' broken
sed '3s/^[0-9]*,[0-9]*,[^,]*/1,0,much/' runs/pre/log.csv > broken/log.csv
refused 'broken/log.csv:3: rate is "much", expected a number' broken
cp runs/pre/log.csv broken/log.csv && echo nonsense >> broken/recipe.txt
refused 'expected KEY = VALUE' broken
rm -r broken
refused 'no sequence 99_99 among' runs/tuned1 --data set.safetensors --sequence 99_99
refused 'no sequence of split test' runs/pre --data set.safetensors --val test
refused 'set.safetensors: no model' set.safetensors
"$sinew" report runs/tuned1 -o no/page.html > out.txt 2> err.txt && fail "a page in no folder"
grep -q 'no/page.html: create: No such file or directory' err.txt || fail "$(cat err.txt)"
code=0; "$sinew" report runs/pre > out.txt 2> err.txt || code=$?
[ "$code" -eq 2 ] && grep -q -- '-o PAGE.html is missing' err.txt || fail "$(cat err.txt)"
echo ok
