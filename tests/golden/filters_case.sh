#!/usr/bin/env bash
# A forecast through every filter of anemoi-transform, before the model and behind it, against the reference's files.
#   filters_case.sh WORLD_SIZE SCRATCH_DIR     (SCRATCH_DIR is emptied first)
#   TRADEWIND_BIN   folder of the executables under test (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
world_size=${1:?usage: filters_case.sh WORLD_SIZE SCRATCH_DIR}
scratch=${2:?usage: filters_case.sh WORLD_SIZE SCRATCH_DIR}
bin=${TRADEWIND_BIN:-$here/../../build/release/bin}
bin=$(cd "$bin" && pwd)
rm -rf "$scratch" && mkdir -p "$scratch"
for file in filters/config.yaml filters/input.grib filters/lsm.grib filters/lsm.npy legacy/0.9.3-single-v2-twin/inference-last.ckpt; do
  ln -s "$here/$file" "$scratch/"
done
cd "$scratch"
parallel=()
[ "$world_size" = 1 ] || parallel=(runner=parallel "world_size=$world_size")
"$bin/tradewind" run config.yaml --run-dir run "${parallel[@]}"
count=0
for reference in "$here"/filters/reference/*.grib; do
  name=$(basename "$reference")
  "$bin/tradewind" compare "$name" "$reference" || { echo "FAILED: $name differs from the reference's" >&2; exit 1; }
  count=$((count + 1))
done
[ "$count" = 5 ] || { echo "FAILED: five files of the reference" >&2; exit 1; }
