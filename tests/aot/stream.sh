#!/usr/bin/env bash
# Libraries and executables of finetuned models: segments of a recording as it comes are those of `sinew localize` on the whole, bit for bit.
. "$(dirname "$0")/common.sh"
model=$root/models/trained/exercises.safetensors
tar xJf "$root/models/data/cmu-sample.tar.xz" --strip-components=1 --wildcards '*/amc/*'
awk 'NF == 1 && $1 + 0 > 160 { exit } { print }' amc/14_14.amc >amc/14_99.amc # 40 frames: less than the model looks around
asf="--asf amc/03.asf"
frames() { "$array" take "$1" "x/$2" "$2.npy" && raw "$2.npy" >"$2.f32"; } # SET ID
names() { awk -F, -v OFS=, 'NR > 1 { print $2, $3, $4, $5 }' "$1"; }       # CSV of localize as the examples print it

# FILE's scores and segments by sinew localize.
localize() { # MODEL ID
    "$sinew" localize "$1" "amc/$2.amc" $asf --scores "$2.scores.npy" --csv "$2.csv" >"$2.txt"
    raw "$2.scores.npy" >"$2.scores.f32"
}
"$sinew" import amc amc $asf -o set.safetensors >/dev/null
for id in 14_14 14_99 86_01; do
    frames set.safetensors $id
    localize "$model" $id
done

# A library of one thread: pieces and steps of any size, several recordings in a row, one that is shorter than what the model looks at.
"$sinew" build "$model" -o act --threads 1 --small --exe >/dev/null
flags="-std=c11 -Wall -Wextra -Werror -pedantic -O1 -I."
cc $flags "$here/stream.c" act.a -lm -o stream
cc -D_GNU_SOURCE $flags "$here/stream_test.c" act.a -lm -pthread -o stream_test
ldd act.so | awk '{ print $1 }' | grep -vE '^(linux-vdso|/lib64/ld-|libc\.so|libm\.so)' && fail "act.so needs more than libc and libm"
for id in 14_14 14_99 86_01; do
    for piece in 1 7 1000; do
        ./stream $piece <$id.f32 >found.csv
        names $id.csv | same - found.csv
    done
done
for how in "0 1" "16 7" "100 1000" "2000 33"; do
    ./stream_test scores $how 14_14.f32 14_99.f32 86_01.f32 >scores.f32 || fail "stream_test scores $how: $(head -c 400 scores.f32)"
    cat 14_14.scores.f32 14_99.scores.f32 86_01.scores.f32 | same - scores.f32
done
./stream_test checks 14_14.f32
nm -D --defined-only act.so | awk '{ print $3 }' | sort >exports.txt
sed -n 's/^[a-z].*\(act_[a-z_]*\)(.*;.*/\1/p' act.h | sort -u >declared.txt
same exports.txt declared.txt
grep -q '@' act.h && fail "the header has words that were not replaced"
echo '#include "act.h"' | c++ -std=c++17 -Wall -Wextra -Werror -pedantic -I. -x c++ -c - -o /dev/null

# The executable says what localize says.
./act amc/14_14.amc amc/14_99.amc $asf --csv exe.csv >exe.txt
"$sinew" localize "$model" amc/14_14.amc amc/14_99.amc $asf --csv both.csv >both.txt
same both.txt exe.txt
same both.csv exe.csv
./act amc/14_14.amc amc/14_99.amc $asf --json --shortest 1.05 >exe.json
"$sinew" localize "$model" amc/14_14.amc amc/14_99.amc $asf --json --shortest 1.05 >both.json
same both.json exe.json
./act 14_14.npy --scores exe.npy >/dev/null # f32[T,25,3]
same 14_14.scores.npy exe.npy
./act --help | grep -q 'Classes: JumpJack Twist' || fail "the executable's help"
"$array" write x.npy 1,64,25,3 wave
./act x.npy -o y.npy # arrays, as of any model

# Threads, several levels, weights beside: the same scores on the same level.
"$sinew" build "$model" -o wide --weights-beside --target x86-64-v2,x86-64-v3 >/dev/null
sed 's/act_/wide_/g; s/ACT_/WIDE_/g; s/act\.h/wide.h/; s/\bact\b/wide/g' "$here/stream.c" >wide.c
cc $flags wide.c wide.a -fopenmp -lm -o wide
./wide 50 <14_14.f32 | awk -F, '{ print $1, $2, $3 }' >wide.txt
awk -F, 'NR > 1 { print $2, $3, $4 }' 14_14.csv | same - wide.txt

# Python.
python=$(command -v /usr/bin/python3 python3 | head -1) || true
if [ -n "$python" ] && "$python" -c 'import numpy' 2>/dev/null; then
    "$python" "$here/stream.py" ./act.so 14_14.npy 50 >found.csv
    names 14_14.csv | same - found.csv
fi

# A model without a halo: interpolation stretches with the window, so a frame waits until no window can hold it any more.  A run's folder is a model.
"$sinew" finetune "$root/tests/frontend/tagger.json" --data set.safetensors --validate val --out tuned --mode scratch --steps 2 --set corners=1 \
    --splits train --classes none >/dev/null 2>err.txt && fail "a set without labels was learned from"
"$sinew" import amc amc $asf --labels "$root/models/data/labels/mocap6.csv" --splits "$root/models/data/labels/splits.csv" -o labelled.safetensors >/dev/null
"$sinew" finetune "$root/tests/frontend/tagger.json" --data labelled.safetensors --out tuned --mode scratch --steps 2 --set corners=1 \
    --classes JumpJack,Twist,ArmCircle,ToeTouchOneHand,KneeRaise,Squat,Jog >/dev/null 2>log.txt || fail "$(cat log.txt)"
rm act.* act
"$sinew" build tuned -o act --threads 1 >/dev/null
cc -D_GNU_SOURCE $flags "$here/stream_test.c" act.a -lm -pthread -o stream_test
for id in 14_14 14_99 86_01; do localize tuned $id; done
for how in "0 1" "0 7" "0 1000"; do
    ./stream_test scores $how 14_14.f32 14_99.f32 86_01.f32 >scores.f32 || fail "stream_test scores $how: $(head -c 400 scores.f32)"
    cat 14_14.scores.f32 14_99.scores.f32 86_01.scores.f32 | same - scores.f32
done

# Wrong use.
wrong() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0; shift 2
    "$@" >/dev/null 2>error.txt || got=$?
    [ "$got" = "$code" ] && grep -qF -- "$text" error.txt || fail "$*: exit code $got, $(cat error.txt)"
}
wrong 2 "--weights is for a graph file; tuned has its own" "$sinew" build tuned -w "$model" -o bad
wrong 1 "none.safetensors: open: No such file" "$sinew" build none.safetensors -o bad
wrong 1 'no model: metadata "sinew.kind" is' "$sinew" build labelled.safetensors -o bad
[ ! -e bad.a ] && [ ! -e bad.h ] || fail "a failed build left a file"
