#!/usr/bin/env bash
# Installs what is missing, builds sinew and runs every test.  Ends with the line "N passed, N failed".
# Not a benchmark and not an installer: it leaves build/ behind and nothing else.
#
#   tests/run.sh [BUILD_DIR]      default: build/ in the repository.  Exit code 0 if nothing failed.
#
# Debian 12.  Packages are installed only if missing, which needs root (or sudo without a password).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${1:-$root/build}
jobs=$(nproc)

packages=(
    cmake ninja-build pkg-config gcc g++ libc6-dev
    llvm-19-dev flatbuffers-compiler libflatbuffers-dev libopenblas-dev
    libjansson-dev libzstd-dev libxxhash-dev libpopt-dev libcairo2-dev libpng-dev
    libcmocka-dev xz-utils
)

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_missing() {
    local missing=() as_root=() p
    for p in "${packages[@]}"; do is_installed "$p" || missing+=("$p"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}"
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get -qq update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}"
}

# Prints "N passed, N failed" from what ctest recorded of each test, and fails if one failed or none ran.
summarise() {
    local report=$1 passed failed
    passed=$(grep -c '<testcase .*status="run"' "$report" || true)
    failed=$(grep -c '<testcase .*status="\(fail\|notrun\)"' "$report" || true)
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

build_and_test() {
    install_missing &&
    cmake -S "$root" -B "$build" -G Ninja &&
    ninja -C "$build" -j"$jobs" &&
    rm -f "$report" || return
    ctest --test-dir "$build" -j"$jobs" --output-on-failure --timeout 600 --output-junit "$report" || [ -s "$report" ]
}

report=$build/tests.xml
if build_and_test; then
    summarise "$report"
else
    echo "0 passed, 1 failed"    # nothing to count: the packages, the build or ctest itself failed
    exit 1
fi
