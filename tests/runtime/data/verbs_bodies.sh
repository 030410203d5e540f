#!/bin/sh
# The verb import on tracked bodies: NTU RGB+D and PKU-MMD folders as they are distributed, made here from the oracle's recording.
# Not a test of numbers (bodies.c).     verbs_bodies.sh SINEW GOLDEN
sinew=$1 golden=$2
failures=0

# expect CODE TEXT COMMAND...: exit code, and all output (both streams) equal to TEXT.
expect() {
  code=$1 text=$2
  shift 2
  found=$("$@" 2>&1)
  got=$?
  if [ "$got" != "$code" ] || [ "$found" != "$text" ]; then
    printf 'FAILED: %s\n--- found, exit code %s\n%s\n--- expected, exit code %s\n%s\n' "$*" "$got" "$found" "$code" "$text"
    failures=$((failures + 1))
  fi
}

rm -rf ntu pku labels ./*.safetensors list.txt missing.txt
mkdir ntu pku labels
for name in S001C001P001R001A001 S001C002P003R002A060 S002C003P008R001A007; do cp "$golden/bodies.skeleton" ntu/$name.skeleton; done
cp "$golden/bodies.skeleton" ntu/walking.skeleton
head -n 100 "$golden/bodies.skeleton" >ntu/S003C001P001R001A002.skeleton
printf '2\n0\n0\n' >ntu/S003C001P001R001A003.skeleton
cp "$golden/bodies.skeleton" ntu/S004C001P003R001A001.skeleton
printf 'S004C001P003R001A001\n' >missing.txt

expect 0 'skipped ntu/S003C001P001R001A002.skeleton:101: found the end of the file, expected 12 fields of a joint, x y z first
skipped ntu/S003C001P001R001A003.skeleton: no frame shows a body
skipped ntu/walking.skeleton: the name is not SsssCcccPpppRrrrAaaa
imported 3 of 6 .skeleton files (centred on the first person, spine and shoulders of frame 0 aligned (2s-AGCN, BABEL))
  ntu                3 sequences     0.05 min        96 frames  30 Hz  25 joints, up to 2 persons
  1 files left out because a skip list names them
  3 files skipped, reasons above
wrote agcn.safetensors: 3 sequences, 0.1 MB' \
  "$sinew" import ntu ntu --skip-list missing.txt --protocol xsub -o agcn.safetensors
expect 0 'S001C001P001R001A001 train A001
S001C002P003R002A060 test A060
S002C003P008R001A007 train A007' \
  sh -c "for s in S001C001P001R001A001 S001C002P003R002A060 S002C003P008R001A007; do
    $sinew data agcn.safetensors --json --sequence \$s | tr ',{}' '\n\n\n' | sed -n 's/^ *\"\(split\|label\)\": *\"\(.*\)\"/\2/p' | tr '\n' ' ' |
    sed \"s/^/\$s /; s/ *\$//; s/\$/\n/\"; done"
expect 1 'sinew import: agcn.safetensors: found layout ntu25, expected ntu25-aimclr' \
  "$sinew" import ntu ntu/S001C001P001R001A001.skeleton --family aimclr --append -o agcn.safetensors
expect 0 'imported 1 of 1 .skeleton files (each person on its own chest, resized, every frame turned to the camera (AimCLR))
  ntu                1 sequences     0.02 min        50 frames  53.5714 Hz  25 joints, up to 2 persons
wrote aimclr.safetensors: 1 sequences, 0.0 MB' \
  "$sinew" import ntu ntu/S001C001P001R001A001.skeleton --family aimclr -o aimclr.safetensors

awk 'BEGIN { for (t = 0; t < 40; t++) { for (i = 0; i < 150; i++) printf "%g ", i < 75 ? 1 + 0.01 * ((i * 7) % 75) + 0.001 * t : 0; print "" } }' >pku/0002-L.txt
cp pku/0002-L.txt pku/0291-M.txt
cp pku/0002-L.txt pku/0300-R.txt
printf '7,3,20,2\n51,30,20,1\n7,35,99,2\n1,40,44,2\n' >labels/0002-L.txt
printf '1,0,10,2\n' >labels/0291-M.txt
printf 'Training videos: \n0002-L, 0007-R\n\nValidataion videos:\n0291-M,0300-R\n' >list.txt
expect 0 'imported 3 of 3 .txt files (tracks cleaned, centred once, travel kept (Hyper-GCN))
  pku                3 sequences     0.07 min       120 frames  30 Hz  25 joints, up to 2 persons
labels labels: 5 rows, 4 applied (1 cut at the sequence'"'"'s end, 1 with start and end exchanged), 1 outside, 1 sequences without a file
splits list.txt: 4 ids, 3 applied, 1 of sequences not here
wrote pku.safetensors: 3 sequences, 0.1 MB' \
  "$sinew" import pku pku --family denoised --pku-labels labels --pku-splits list.txt -o pku.safetensors
expect 0 'imported 1 of 1 .txt files (centred on the first person, spine and shoulders of frame 0 aligned (2s-AGCN, BABEL))
  pku                1 sequences     0.02 min        41 frames  30 Hz  25 joints, up to 2 persons
  of 1 recordings the preparation moved frames in time: labels by frame do not fit these
wrote late.safetensors: 1 sequences, 0.0 MB' \
  sh -c "mkdir -p late && { printf '0 %.0s' \$(seq 150); echo; cat pku/0002-L.txt; } >late/0003-L.txt && $sinew import pku late --split val -o late.safetensors"
printf '52,3,20,2\n' >labels/0300-R.txt
expect 1 'sinew import: labels/0300-R.txt:1: class 52 is not 1 to 51' \
  sh -c "$sinew import pku pku --pku-labels labels -o no.safetensors 2>&1 | tail -n 1; exit 1"
[ ! -e no.safetensors ] || failures=$((failures + 1))
expect 2 "sinew import: --family is agcn, aimclr or denoised
Try 'sinew import --help'." "$sinew" import ntu ntu --family b -o no.safetensors
[ "$failures" -eq 0 ]
