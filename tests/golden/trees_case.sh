#!/usr/bin/env bash
# A forecast whose input and outputs are made of others, against the reference's files and against one another.
#   trees_case.sh WORLD_SIZE SCRATCH_DIR     (SCRATCH_DIR is emptied first)
#   TRADEWIND_BIN   folder of the executables under test (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
world_size=${1:?usage: trees_case.sh WORLD_SIZE SCRATCH_DIR}
scratch=${2:?usage: trees_case.sh WORLD_SIZE SCRATCH_DIR}
bin=${TRADEWIND_BIN:-$here/../../build/release/bin}
bin=$(cd "$bin" && pwd)
rm -rf "$scratch" && mkdir -p "$scratch"
for file in trees/config.yaml trees/mask.npy trees/wide.npy gt-transformer/inference-last.ckpt gt-transformer/input.grib; do
  ln -s "$here/$file" "$scratch/"
done
cd "$scratch"
parallel=()
[ "$world_size" = 1 ] || parallel=(runner=parallel "world_size=$world_size")
"$bin/tradewind" run config.yaml --run-dir run "${parallel[@]}"
python3 "$here/check_trees.py" . "$here/trees/reference"
# The same fields in two files of GRIB: two chunks of each state.
for part in split_w0.grib split_w1.grib; do
  [ -s "$part" ] || { echo "FAILED: no $part" >&2; exit 1; }
done
! ls ./*.partial */*.partial ./*.lock */*.lock 2>/dev/null
