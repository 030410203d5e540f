#!/usr/bin/env bash
# Installs what is missing, builds sinew and runs every test.  Ends with the line "N passed, N failed".
# Not a benchmark and not an installer: it leaves build/ behind and nothing else.
#
#   tests/run.sh [BUILD_DIR]      default: build/ in the repository.  Exit code 0 if nothing failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${1:-$root/build}

# Prints "N passed, N failed" from what ctest recorded of each test, and fails if one failed or none ran.
summarise() {
    local report=$1 passed failed
    passed=$(grep -c '<testcase .*status="run"' "$report" || true)
    failed=$(grep -c '<testcase .*status="\(fail\|notrun\)"' "$report" || true)
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# What single tests need, and skip without: another processor and its emulator, debugger, browser, Python's arrays.
tools=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user gdb chromium python3-numpy)

"$root/.ci/build" "$build" "${tools[@]}"
report=$build/tests.xml
rm -f "$report"
ctest --test-dir "$build" -j"$(nproc)" --output-on-failure --timeout 600 --output-junit "$report" || true
if [ ! -s "$report" ]; then
    echo "0 passed, 1 failed"
    exit 1
fi
summarise "$report"
