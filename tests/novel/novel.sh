#!/usr/bin/env bash
# The encoder of novel.json learns on real motion: its loss falls, and the same run on one thread ends with the same bytes.
#
#   novel.sh SINEW SAMPLE RECIPE      in a scratch folder, which is emptied
set -euo pipefail
sinew=$1 sample=$2 recipe=$3
rm -rf cmu-sample run one set.safetensors
export SINEW_CACHE=$PWD/cache
tar xJf "$sample" cmu-sample/bvh
"$sinew" import bvh cmu-sample/bvh -o set.safetensors > import.txt
"$sinew" pretrain "$recipe" --data set.safetensors --out run --seed 3 --steps 300 2> run.log
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "loss") c = i; next }
    $1 >= 20 && $1 < 40 { early += $c / 20 } $1 >= 280 { late += $c / 20 }
    END { printf "loss %.3f at steps 20 to 39, when the queue holds real keys; %.3f at steps 280 to 299\n", early, late; exit !(late < early - 0.1) }' run/log.csv
"$sinew" pretrain "$recipe" --data set.safetensors --out one --seed 3 --steps 300 --threads 1 2> one.log
cmp run/checkpoint-00000300.safetensors one/checkpoint-00000300.safetensors
