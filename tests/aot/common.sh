# What the tests of `sinew build` share.  Sourced with: SINEW ARRAY REPOSITORY FOLDER.
set -euo pipefail
sinew=$(realpath "$1") array=$(realpath "$2") root=$(realpath "$3") scratch=$(realpath -m "$4")/$(basename "$0" .sh)
here=$root/tests/aot stgcn=$root/models/encoders/stgcn.json
export SINEW_CACHE=$scratch/cache LC_ALL=C
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }
skip() { echo "$(basename "$0"): skipped: $*"; exit 77; }
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }
raw() { tail -c +129 "$1"; } # numbers of an .npy file: its header takes 128 bytes
size() { stat -c %s "$1"; }

# Weights as a short training leaves them would be better, but any will do to compare bits.
weights() { "$sinew" init "$1" -o "$2" >/dev/null; }
