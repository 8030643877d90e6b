#!/usr/bin/env bash
# Format, layers and sizes of our own sources; with `--tidy [FILE...]` clang-tidy too, of a built tree (tests/tidy.py has options).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
listed=$(git ls-files '*.cpp' '*.h' ':!cmake/gloo_declarations')
mapfile -t sources <<<"$listed"
if command -v clang-format >/dev/null; then
  clang-format --dry-run --Werror "${sources[@]}"
  echo "clang-format: ${#sources[@]} files clean"
else
  echo "clang-format: skipped, not installed (apt-get install clang-format)"
fi
tests/layers.py
tests/sizes.py
if [ "${1:-}" = --tidy ]; then
  shift
  exec tests/tidy.py "$@"
fi
