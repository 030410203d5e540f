#!/usr/bin/env bash
# From nothing to a pretrained encoder and localized actions: installs, builds, imports the bundled motion, pretrains for about two minutes, shows
# what was learned, and what a finetuned model finds in a recording.  Everything it makes is in build/quickstart.
#
#   models/quickstart.sh [MINUTES]      default: 2
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
minutes=${1:-2}
work=$root/build/quickstart
sinew=$root/build/sinew
labels=$root/models/data/labels
recipe=$root/models/recipes/moco_stgcn.json
queue=128

echo "== build"
"$root/.ci/build"
"$sinew" doctor

echo "== data: 26 recordings of 12 people (CMU motion capture), 30 frames a second, 25 joints"
rm -rf "$work"
mkdir -p "$work"
tar xJf "$root/models/data/cmu-sample.tar.xz" -C "$work"
"$sinew" import amc "$work/cmu-sample/amc" --asf "$work/cmu-sample/amc/03.asf" -o "$work/sample.safetensors" > "$work/import.txt"
"$sinew" import bvh "$work/cmu-sample/bvh" --append -o "$work/sample.safetensors" --labels "$labels/mocap6.csv" \
    --labels "$labels/visual.csv" --splits "$labels/splits.csv" >> "$work/import.txt"
"$sinew" data "$work/sample.safetensors" --sequence 86_01 --picture "$work/motion.png"

echo "== pretraining for $minutes minutes: sequences of 100 frames, queue of $queue"
"$sinew" pretrain "$recipe" --data "$work/sample.safetensors" --out "$work/run" --minutes "$minutes" \
    --set frames=100 --set batch=16 --set queue=$queue --set rate=0.05 --set momentum=0.99

echo "== what was learned"
# Means over the first and the last tenth of the steps; the queue is full of real keys after queue/batch steps.
awk -F, -v queue=$queue '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    { row[++n] = $0 }
    function mean(name, from, to,   i, f, s) {
        for (i = from; i <= to; i++) { split(row[i], f, ","); s += f[column[name]] }
        return s / (to - from + 1)
    }
    END {
        skip = queue / 16; tenth = int((n - skip) / 10)
        if (tenth < 1) { print "too few steps to compare: " n; exit 1 }
        printf "%-62s %10s %10s %10s\n", "", "beginning", "end", "chance"
        printf "%-62s %10.3f %10.3f %10.3f\n", "loss of whole sequences (log " queue " + 1 when nothing is known)",
               mean("global", skip + 1, skip + tenth), mean("global", n - tenth + 1, n), log(queue + 1)
        printf "%-62s %10.3f %10.3f %10.3f\n", "loss of snippets", mean("dense", skip + 1, skip + tenth), mean("dense", n - tenth + 1, n), log(queue + 1)
        printf "%-62s %9.1f%% %9.1f%% %9.1f%%\n", "sequence nearest to its own other view", 100 * mean("hit_global", skip + 1, skip + tenth),
               100 * mean("hit_global", n - tenth + 1, n), 100 / (queue + 1)
        printf "%-62s %9.1f%% %9.1f%% %9.1f%%\n", "snippet nearest to its partner among " queue " negatives", 100 * mean("hit_dense", skip + 1, skip + tenth),
               100 * mean("hit_dense", n - tenth + 1, n), 100 / (queue + 1)
        printf "\n%d steps\n", n
    }' "$work/run/log.csv"
echo "== localizing: a model finetuned before (models/trained) on a recording of a person it never saw"
"$sinew" localize "$root/models/trained/exercises.safetensors" "$work/cmu-sample/amc/14_14.amc" --asf "$work/cmu-sample/amc/03.asf" \
    --truth "$labels/mocap6.csv" --picture "$work/localized.png"
"$sinew" report "pretrained=$work/run" "exercises=$root/models/trained/exercises.safetensors" --data "$work/sample.safetensors" -o "$work/report.html" > "$work/report.txt"
echo "pictures: ${work#"$root"/}/motion.png ${work#"$root"/}/run/loss.png ${work#"$root"/}/localized.png"
echo "all of it on one page: ${work#"$root"/}/report.html"
