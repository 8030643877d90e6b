#!/usr/bin/env bash
# One model call of a case on one rank and on several: the same tensors, but for the order of sums (check_sharded.py).
#   sharded_case.sh CASE_DIR SCRATCH_DIR WORLD_SIZE...
#   TRADEWIND_CASE_MUST_RUN=1   a refusal is a failure
#   TRADEWIND_BIN   folder of the executables under test (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case_dir=$(cd "${1:?usage: sharded_case.sh CASE_DIR SCRATCH_DIR WORLD_SIZE...}" && pwd)
scratch=${2:?usage: sharded_case.sh CASE_DIR SCRATCH_DIR WORLD_SIZE...}
shift 2
bin=$(cd "${TRADEWIND_BIN:-$here/../../build/release/bin}" && pwd)
checkpoint=$case_dir/inference-last.ckpt
runnable=$("$bin/tradewind" inspect "$checkpoint" --json | python3 "$here/case_value.py" - false runnable)
if [ "$runnable" != true ]; then
  [ "${TRADEWIND_CASE_MUST_RUN:-0}" = 0 ] || { echo "FAILED: the build cannot run this case" >&2; exit 1; }
  echo "-- skipped: this build does not run the case"
  exit 77
fi
rm -rf "$scratch" && mkdir -p "$scratch"
cd "$scratch"
python3 "$here/check_sharded.py" --x "$case_dir/reference.npz" x.npz
"$bin/tradewind" predict "$checkpoint" x.npz y1.npz
for size in "$@"; do
  echo "-- $size ranks"
  "$bin/tradewind" predict "$checkpoint" x.npz "y$size.npz" --world-size "$size"
  python3 "$here/check_sharded.py" y1.npz "y$size.npz"
done
