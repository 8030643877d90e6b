#!/usr/bin/env bash
# Builds with AddressSanitizer and UndefinedBehaviorSanitizer and runs the unit tests. Arguments: the ctest names of the
# tests to build and run (default: all unit tests).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[ -f build/asan/build.ninja ] || cmake --preset asan >/dev/null
[ $# -gt 0 ] || set -- $(ctest --preset asan -N 2>/dev/null | sed -n 's/^ *Test *#[0-9]*: //p')
targets=()
for name in "$@"; do [ "$name" = hostile_files ] && targets+=(hostile_reader) || targets+=("$name"); done
cmake --build --preset asan --target "${targets[@]}"
exec ctest --preset asan --no-tests=error -R "^($(IFS='|'; echo "$*"))\$"
