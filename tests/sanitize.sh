#!/usr/bin/env bash
# Builds the unit tests with AddressSanitizer and UndefinedBehaviorSanitizer and runs them. Arguments: names of the tests
# to run, as ctest knows them (default: all).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[ -f build/asan/build.ninja ] || cmake --preset asan >/dev/null
targets=()
for name in "$@"; do
  case $name in
    hostile_files) targets+=(hostile_reader) ;;
    *_device_path) targets+=("${name%_device_path}") ;;
    *) targets+=("$name") ;;
  esac
done
cmake --build --preset asan --target "${targets[@]:-unit_tests}"
exec ctest --preset asan --no-tests=error ${1:+-R "^($(IFS='|'; echo "$*"))\$"}
