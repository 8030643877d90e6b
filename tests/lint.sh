#!/usr/bin/env bash
# Format and static checks of our own sources. With clang-tidy: `tests/lint.sh --tidy [BUILD_DIR]`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mapfile -t sources < <(git ls-files '*.cpp' '*.h' ':!cmake/gloo_declarations')
if command -v clang-format >/dev/null; then
  clang-format --dry-run --Werror "${sources[@]}"
  echo "clang-format: ${#sources[@]} files clean"
else
  echo "clang-format: skipped, not installed (apt-get install clang-format)"
fi
if [ "${1:-}" = --tidy ]; then
  build=${2:-build/release}
  mapfile -t units < <(git ls-files '*.cpp' | grep -v -e '^tests/fuzz/' -e '^cmake/')
  printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet
  echo "clang-tidy: ${#units[@]} files clean"
fi
