#!/usr/bin/env bash
# Ours against an installed anemoi-inference on the same cases, in turn (A B A B ...), with the same threads:
#   compare.sh [--repeat N] [--threads N] [--world-size N] [--json FILE] CASE_DIR... [-- key=value...]
# prints for each case wall time, seconds per step and peak memory of both, and of all cases one table of ratios. A case
# is a folder with config.yaml, or a checkpoint and a reference.npz that holds `x` (one model call of each); further
# `key=value` overrides go to both programs. How each figure is taken: README.md beside this file.
#   PEER            path of anemoi-inference (default: the one on PATH)
#   TRADEWIND_BIN   folder of our executables (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export TRADEWIND_BIN=${TRADEWIND_BIN:-$here/../../build/release/bin}
fail() { printf 'error: %s\n  remedy: %s\n' "$1" "$2" >&2; exit 2; }
case ${1:-} in "" | -h | --help) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;; esac
PEER=${PEER:-$(command -v anemoi-inference || true)}
[ -x "$PEER" ] ||
  fail "anemoi-inference not found${PEER:+ at $PEER}" "set PEER to its path (pip install anemoi-inference)"
[ -x "$TRADEWIND_BIN/tradewind" ] ||
  fail "no tradewind in $TRADEWIND_BIN" "build first: cmake --preset release && cmake --build --preset release"
export PEER
exec python3 "$here/compare.py" "$@"
