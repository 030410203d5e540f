#!/usr/bin/env bash
# The page of `sinew profile` in a real browser, without a network: what it draws and what clicks do (profile_page.js).
#
#   profile_browser.sh SINEW SOURCE_FOLDER      in a scratch folder
set -euo pipefail

sinew=$1 source=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SINEW_CACHE=$PWD/cache OMP_NUM_THREADS=2
browser=$(command -v chromium chromium-browser google-chrome | head -1) || { echo "skipped: there is no chromium (apt-get install chromium)"; exit 77; }
command -v python3 > /dev/null || { echo "skipped: python3 is not installed"; exit 77; }

"$sinew" profile "$source/models/encoders/stgcn.json" --set T=48 --train --grad y --seconds 0 --html page.html > /dev/null
{ cat page.html; echo "<script>"; cat "$here/profile_page.js"; echo "</script>"; } > driven.html
timeout 120 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/browser" --host-resolver-rules='MAP * ~NOTFOUND' --virtual-time-budget=10000 \
    --dump-dom "file://$PWD/driven.html" > dom.html 2> browser.txt || { cat browser.txt; exit 1; }
python3 "$here/profile.py" browser dom.html
