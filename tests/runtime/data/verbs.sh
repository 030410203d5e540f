#!/bin/sh
# The verbs import and data as a user meets them: what they print, where they fail, with which exit code.
# Not a test of numbers (sample.c).     verbs.sh SINEW SAMPLE_FOLDER LABEL_FOLDER
sinew=$1 sample=$2 labels=$3
failures=0
set -f

# expect CODE TEXT COMMAND...: exit code, and all output (both streams) equal to TEXT; SAMPLE and LABELS stand for folders.
expect() {
  code=$1 text=$2
  shift 2
  found=$("$@" 2>&1 | sed "s#$sample#SAMPLE#g; s#$labels#LABELS#g"; exit 0)
  "$@" >/dev/null 2>&1
  got=$?
  if [ "$got" != "$code" ] || [ "$found" != "$text" ]; then
    printf 'FAILED: %s\n--- found, exit code %s\n%s\n--- expected, exit code %s\n%s\n' "$*" "$got" "$found" "$code" "$text"
    failures=$((failures + 1))
  fi
}

# contains TEXT COMMAND...: success, and TEXT is a part of the output.
contains() {
  text=$1
  shift
  found=$("$@" 2>&1) || { printf 'FAILED: %s\n%s\n' "$*" "$found"; failures=$((failures + 1)); return; }
  case $found in
    *"$text"*) ;;
    *) printf 'FAILED: %s\n--- found\n%s\n--- expected in it\n%s\n' "$*" "$found" "$text"; failures=$((failures + 1)) ;;
  esac
}

rm -rf ./*.safetensors ./*.png here; set +f; rm -rf ./*.safetensors ./*.png; set -f

expect 0 'imported 5 of 5 .amc files (25 joints, centred, aligned, metres)
  cmu-asf31          5 sequences     2.68 min      4829 frames  30 Hz  25 joints
  4 AMC files had no ASF of their own: joint angles on the limbs of SAMPLE/amc/03.asf
  2 files of other kinds in the folders were left alone
wrote s.safetensors: 5 sequences, 1.5 MB' \
  "$sinew" import amc "$sample/amc" --asf "$sample/amc/03.asf" -o s.safetensors

# once, because a second --append finds every sequence there already
"$sinew" import bvh "$sample/bvh" --append -o s.safetensors --labels "$labels/mocap6.csv" --labels "$labels/visual.csv" \
  --splits "$labels/splits.csv" >import.txt 2>&1 || failures=$((failures + 1))
contains 'cmu-bvh43         20 sequences     1.43 min      2576 frames  30 Hz  25 joints; 120 leading frames that were never performed left out' \
  cat import.txt
contains 'labels LABELS/mocap6.csv: 24 rows, 24 applied (0 cut at the sequence'"'"'s ends), 0 outside, 0 of sequences not here' \
  sed "s#$labels#LABELS#" import.txt
contains 'wrote s.safetensors: 26 sequences, 2.3 MB' cat import.txt

contains 's.safetensors: layout ntu25, 26 sequences, 7681 frames, 4.27 minutes' "$sinew" data s.safetensors
contains 'cmu-bvh31                            1      0.15       276      9.20      9.20   25 joints, 30 Hz' "$sinew" data s.safetensors
contains 'Twist (mocap6-human)                 5      0.42       756      1.80      9.00' "$sinew" data s.safetensors
contains '117 .. 303         3.90 .. 10.10    s  Twist (mocap6-human)' "$sinew" data s.safetensors --sequence 13_29
contains 'wrote p.png: sequence 86_01' "$sinew" data s.safetensors --sequence 86_01 --picture p.png
contains '"sequences": 26' "$sinew" data s.safetensors --json
contains '"label": "kick"' "$sinew" data s.safetensors --json --sequence 86_01
contains '02_01                            cmu-bvh43      pretrain' "$sinew" data s.safetensors --list
[ -s p.png ] || failures=$((failures + 1))

expect 0 'imported 1 of 1 .bvh files (raw: source joints and rate, world coordinates, metres)
  cmu-bvh31          1 sequences     0.15 min      1102 frames  120 Hz  31 joints
wrote r.safetensors: 1 sequences, 0.4 MB' "$sinew" import bvh "$sample/bvh/131_03.bvh" --raw -o r.safetensors
contains 'layout raw, 1 sequences, 1102 frames' "$sinew" data r.safetensors --picture r.png
expect 1 'sinew import: s.safetensors: found layout ntu25, expected raw' \
  "$sinew" import bvh "$sample/bvh/131_03.bvh" --raw --append -o s.safetensors

# a file named on the command line that cannot be read fails the command; one met in a folder is skipped
expect 1 'skipped SAMPLE/amc/13_29.amc: no skeleton: 13.asf is not beside it and no ASF was given
imported 0 of 1 .amc files (25 joints, centred, aligned, metres)
  1 files skipped, reasons above
sinew import: n.safetensors not written, because of the files skipped' \
  "$sinew" import amc "$sample/amc/13_29.amc" -o n.safetensors
mkdir -p here/one here/two
printf 'HIERARCHY\nROOT hip\n' >here/bad_1.bvh
cp "$sample/bvh/09_03.bvh" here/one/01.bvh
cp "$sample/bvh/09_03.bvh" here/two/01.bvh
expect 0 'skipped here/bad_1.bvh:3: found the end of the file, expected '"'{'"'
imported 2 of 3 .bvh files (25 joints, centred, aligned, metres)
  cmu-bvh43          2 sequences     0.03 min        62 frames  30 Hz  25 joints; 12 leading frames that were never performed left out
  1 files skipped, reasons above
wrote n.safetensors: 2 sequences, 0.0 MB' "$sinew" import bvh here -o n.safetensors
contains 'two_01 ' "$sinew" data n.safetensors --list
expect 1 'skipped here/bad_1.bvh:3: found the end of the file, expected '"'{'"'
imported 2 of 3 .bvh files (25 joints, centred, aligned, metres)
  cmu-bvh43          2 sequences     0.03 min        62 frames  30 Hz  25 joints; 12 leading frames that were never performed left out
  1 files skipped, reasons above
sinew import: m.safetensors not written, because of the files skipped' "$sinew" import bvh here --strict -o m.safetensors
[ ! -e m.safetensors ] || failures=$((failures + 1))

try="Try 'sinew import --help'."
expect 2 "sinew import: FORMAT is missing (bvh, amc, ntu, pku, npy or babel)
$try" "$sinew" import
expect 2 "sinew import: FORMAT is not bvh, amc, ntu, pku, npy or babel
$try" "$sinew" import c3d x -o s
expect 2 "sinew import: PATH is missing (motion files or folders of them)
$try" "$sinew" import bvh -o s
expect 2 "sinew import: -o SET is missing
$try" "$sinew" import bvh x
expect 2 "sinew import: --wrong: unknown option
$try" "$sinew" import bvh x --wrong
expect 2 "sinew import: --fps and --amc-fps are 1 to 1000
$try" "$sinew" import bvh x -o s --fps nan
expect 1 'sinew import: absent.asf: open: No such file or directory' "$sinew" import amc here -o s --asf absent.asf
expect 1 'sinew import: x: no such file or folder' "$sinew" import bvh x -o s
expect 1 'sinew import: no .amc file in the paths given' "$sinew" import amc here -o s
expect 1 'sinew import: absent.csv: open: No such file or directory' \
  sh -c '"$1" import bvh here/one -o s.s --labels absent.csv 2>&1 >/dev/null' sh "$sinew"
expect 1 'sinew import: no/s: create: No such file or directory' \
  sh -c '"$1" import bvh here/one -o no/s 2>&1 >/dev/null' sh "$sinew"

# Two recordings in a row, the second turned to go on where the first ended.
cat >row.csv <<'END'
seq,fps,start_frame,end_frame,label,clip,source
both,30,0,85,walk,02_01,tests
both,30,85,1230,,86_01,tests
END
expect 0 'wrote both.safetensors: 1 sequences composed, 1 in all' "$sinew" compose s.safetensors --table row.csv --split val -o both.safetensors
contains '        0 .. 85          0.00 .. 2.83     s  walk (tests)' "$sinew" data both.safetensors --sequence both
expect 1 'sinew compose: row.csv:2: the set holds already sequence "both"' sh -c \
  '"$1" compose s.safetensors --table row.csv --append -o both.safetensors 2>&1 >/dev/null' sh "$sinew"
expect 1 'sinew compose: row.csv: no sequence is to be made' "$sinew" compose s.safetensors --table row.csv --prefix x -o x.s
try="Try 'sinew compose --help'."
expect 2 "sinew compose: --table CSV is missing
$try" "$sinew" compose s.safetensors -o x.s

try="Try 'sinew data --help'."
expect 2 "sinew data: expected one SET
$try" "$sinew" data
expect 2 "sinew data: --poses is not within 1 to 32
$try" "$sinew" data s.safetensors --poses 0
expect 1 'sinew data: absent: open: No such file or directory' "$sinew" data absent
expect 1 'sinew data: s.safetensors: no sequence "99_99"' "$sinew" data s.safetensors --sequence 99_99
head -c 1000 s.safetensors >cut.safetensors
contains 'sinew data: cut.safetensors: byte 0: header length' sh -c '"$1" data cut.safetensors 2>&1; [ $? = 1 ]' sh "$sinew"
contains 'Usage: sinew import FORMAT PATH... -o SET' "$sinew" import --help
contains 'Usage: sinew data SET' "$sinew" data --help

[ "$failures" = 0 ] || { echo "$failures failures"; exit 1; }
