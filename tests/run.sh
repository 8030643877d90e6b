#!/usr/bin/env bash
# Sets up, builds and runs all tests but the long ones (ctest label soak). Further arguments go to ctest.
#   TRADEWIND_FIXTURES   a folder with further golden cases
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
say() { printf '\033[1m== %s\033[0m\n' "$*"; }

say "1 of 3: dependencies"
./cmake/setup.sh --tests
say "2 of 3: build (some minutes the first time)"
[ -f build/release/build.ninja ] || cmake --preset release >/dev/null
cmake --build --preset release
say "3 of 3: tests"
ctest --preset release --label-exclude soak "$@"
