#!/usr/bin/env bash
# Neighbours and embeddings of recorded motion from the program's command line: what is printed and written, and the same for any number of threads.
# Not numbers of the search or of t-SNE (neighbours.c, tsne.c).     features.sh SINEW SAMPLE_FOLDER REPOSITORY
set -eu
sinew=$1 sample=$2 labels=$3/models/data/labels model=$3/models/encoders/stgcn.json
export SINEW_CACHE=$PWD/cache
fail() { echo "FAILED: $*"; exit 1; }
contains() { grep -qF -- "$1" "$2" || { cat "$2"; fail "'$1' is not in $2"; }; }
rejects() { # rejects TEXT ARGUMENT...
    text=$1
    shift
    "$sinew" "$@" > out.txt 2>&1 && fail "$* succeeded"
    contains "$text" out.txt
}

rm -f ./*.safetensors ./*.png ./*.json ./*.csv ./*.npy
"$sinew" import amc "$sample/amc" --asf "$sample/amc/03.asf" -o set.safetensors > import.txt 2>&1
"$sinew" import bvh "$sample/bvh/13_35.bvh" "$sample/bvh/14_21.bvh" --append -o set.safetensors --labels "$labels/mocap6.csv" --labels "$labels/visual.csv" \
    --splits "$labels/splits.csv" >> import.txt 2>&1
"$sinew" init "$model" -o w.safetensors --seed 1 > /dev/null

"$sinew" evaluate "$model" --knn --data set.safetensors -w w.safetensors --level frame,snippet,sequence --train train --val val --classes JumpJack,Jog,Squat,Twist \
    --name stgcn --scores-out p.safetensors --detections-out d.csv --thresholds even --threads 1 -o one.json > out.txt
for level in frames snippets sequences; do contains "KNN of $level" out.txt; done
contains 'babel, thresholds even' out.txt
contains 'k=100' out.txt
head -1 d.csv | grep -qx 'video,label,start,end,score' || fail 'detections have another header'
"$sinew" evaluate "$model" --knn --data set.safetensors -w w.safetensors --level frame,snippet,sequence --train train --val val --classes JumpJack,Jog,Squat,Twist \
    --name stgcn --thresholds even --threads 3 -o three.json > /dev/null
cmp one.json three.json || fail 'results depend on the number of threads'
# a recording's own rows are its nearest ones, unless they are left out
"$sinew" evaluate "$model" --knn --data set.safetensors -w w.safetensors --level snippet --train val --val val --ignore-unlabelled > out.txt
grep -Eq '^[^ ]+stgcn.json +100\.0 ' out.txt || { cat out.txt; fail 'rows are not nearest to themselves'; }
"$sinew" evaluate "$model" --knn --data set.safetensors -w w.safetensors --level snippet --val val --leave-one-out --ignore-unlabelled > out.txt
grep -Eq '^[^ ]+stgcn.json +100\.0 ' out.txt && fail 'left out and still found'

embed() { "$sinew" embed "$model" --data set.safetensors -w w.safetensors --splits train,val "$@"; }
embed --level snippet --picture one.png --table one.csv -o one.safetensors --most 200 --iterations 300 --threads 1 > out.txt
contains 'snippets of 256 features' out.txt
contains 't-SNE of' out.txt
embed --level snippet --picture three.png --table three.csv -o three.safetensors --most 200 --iterations 300 --threads 3 > /dev/null
for f in png csv safetensors; do cmp one.$f three.$f || fail "$f depends on the number of threads"; done
head -1 one.csv | grep -qx 'row,video,start,end,seconds,class,x,y' || fail 'the table has another header'
embed --level frame -o f.npy --value z1 > out.txt
contains 'frames of 16 features' out.txt
embed --level sequence --picture v.png --colour video --perplexity 3 --iterations 50 > /dev/null
embed --level sequence --picture t.png --colour time --exact --iterations 50 > /dev/null
cmp -s v.png t.png && fail 'colours make no difference'

rejects 'nothing to write: give --out, --table or --picture' embed "$model" --data set.safetensors
rejects '--level word: expected frame, snippet or sequence' embed "$model" --data set.safetensors -o f.npy --level word
rejects 'a graph file has no weights of its own' embed "$model" --data set.safetensors -o f.npy
rejects 'stgcn has no value "z4"' embed "$model" --data set.safetensors -o f.npy -w w.safetensors --value z4
rejects 'no/f.npy: create: No such file or directory' embed "$model" --data set.safetensors -o no/f.npy -w w.safetensors --level sequence
rejects 'no sequence in these splits' embed "$model" --data set.safetensors -o f.npy -w w.safetensors --splits test
rejects '--knn and --data want one MODEL' evaluate --knn --data set.safetensors
rejects '--data SET is missing' evaluate "$model" --knn
rejects 'split "night" is not pretrain, train, val or test' evaluate "$model" --knn --data set.safetensors -w w.safetensors --val night
rejects 'no sequence of test shows any of the classes' evaluate "$model" --knn --data set.safetensors -w w.safetensors --val test
[ ! -e f.npy.tmp ] && [ ! -e no ] || fail 'something half-written was left'
