#!/bin/sh
# The verb import on a made-up split of BABEL with its motions and body model (babel.py).
# Not a test of numbers (babel.c).     verbs_babel.sh SINEW GOLDEN
sinew=$1 golden=$2/babel
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

rm -rf ./*.safetensors ./*.json amass
cp "$golden"/*.json .
cp -r "$golden/amass" amass
cp "$golden/model.npz" model.npz

expect 0 'skipped 000010: CMU/10/10_poses.npz is not in amass
skipped 000013: amass/CMU/13/13_poses.npz: array "joint_pos": CRC error
imported 2 of 2 .json files (centred on the first person, spine and shoulders of frame 0 aligned (2s-AGCN, BABEL))
  babel              5 sequences     0.14 min       261 frames  30 Hz  25 joints
  of 8 sequences 5 imported with 12 segments; left out: 1 without frame annotation, 0 too long, 2 faulty
  1 annotations without category and 1 outside the motion passed over
wrote all.safetensors: 5 sequences, 0.1 MB' \
  "$sinew" import babel train.json val.json --amass amass --body-model model.npz -o all.safetensors
expect 0 'imported 1 of 1 .json files (centred on the first person, spine and shoulders of frame 0 aligned (2s-AGCN, BABEL))
  babel              1 sequences     0.03 min        48 frames  30 Hz  25 joints
  of 2 sequences 1 imported with 3 segments; left out: 0 without frame annotation, 1 without a class of subset 1, 0 too long, 0 faulty
wrote val.safetensors: 1 sequences, 0.0 MB' \
  "$sinew" import babel val.json --amass amass --subset 1 --babel-rates rates.json --babel-splits splits.json -o val.safetensors
expect 1 'skipped train.json: sequence 005534: poses of the body model SMPL+H, whose file was not given
  of 1 sequences 0 imported with 0 segments; left out: 0 without frame annotation, 0 too long, 1 faulty
  1 annotations without category and 0 outside the motion passed over
  1 files skipped, reasons above
sinew import: no.safetensors not written, because of the files skipped
Motions of AMASS are poses; where joints are then says the body model SMPL+H, which is licensed: give smplh/male/model.npz of its
version for AMASS (mano.is.tue.mpg.de, after registration) with --body-model, or motions that hold joint_pos.' \
  sh -c "$sinew import babel train.json --amass amass -o no.safetensors 2>&1 | grep -v ^imported; exit 1"
[ ! -e no.safetensors ] || failures=$((failures + 1))
expect 1 'sinew import: amass/CMU/8/8_poses.npz: array "v_template" is missing' \
  "$sinew" import babel val.json --amass amass --body-model amass/CMU/8/8_poses.npz -o no.safetensors
expect 2 "sinew import: --amass DIR is missing
Try 'sinew import --help'." "$sinew" import babel val.json -o no.safetensors
expect 2 "sinew import: --subset is 1, 2 or 3
Try 'sinew import --help'." "$sinew" import babel val.json --amass amass --subset 4 -o no.safetensors
expect 2 "sinew import: babel is prepared as family agcn
Try 'sinew import --help'." "$sinew" import babel val.json --amass amass --family aimclr -o no.safetensors
[ "$failures" -eq 0 ]
