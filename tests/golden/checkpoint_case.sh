#!/usr/bin/env bash
# One model call of a checkpoint that lies beside what the reference makes of it, in an .npz file of the same name.
#   checkpoint_case.sh CHECKPOINT WORLD_SIZE SCRATCH_DIR     (SCRATCH_DIR is emptied first)
#   TRADEWIND_BIN   folder of the executables under test (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkpoint=${1:?usage: checkpoint_case.sh CHECKPOINT WORLD_SIZE SCRATCH_DIR}
world_size=${2:?usage: checkpoint_case.sh CHECKPOINT WORLD_SIZE SCRATCH_DIR}
scratch=${3:?usage: checkpoint_case.sh CHECKPOINT WORLD_SIZE SCRATCH_DIR}
bin=$(cd "${TRADEWIND_BIN:-$here/../../build/release/bin}" && pwd)
rm -rf "$scratch" && mkdir -p "$scratch"
"$bin/tradewind" predict "$checkpoint" "${checkpoint%.ckpt}.npz" "$scratch/y.npz" --world-size "$world_size"
python3 "$here/check_predict.py" "${checkpoint%.ckpt}.npz" "$scratch/y.npz" 1e-4
