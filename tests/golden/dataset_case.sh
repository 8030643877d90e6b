#!/usr/bin/env bash
# A forecast from a zarr store of anemoi-datasets (blosc, format 2, written by zarr) must be that from GRIB files of the same
# fields, which is held against the reference in golden.gt-transformer: from the store in a zip file, in a folder, and as the
# data of the training.
#   dataset_case.sh WORLD_SIZE SCRATCH_DIR     (SCRATCH_DIR is emptied first)
#   TRADEWIND_BIN   folder of the executables under test (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
world_size=${1:?usage: dataset_case.sh WORLD_SIZE SCRATCH_DIR}
scratch=${2:?usage: dataset_case.sh WORLD_SIZE SCRATCH_DIR}
bin=${TRADEWIND_BIN:-$here/../../build/release/bin}
bin=$(cd "$bin" && pwd)
rm -rf "$scratch" && mkdir -p "$scratch"
for file in gt-transformer/inference-last.ckpt gt-transformer/input.grib dataset/input.zarr.zip; do ln -s "$here/$file" "$scratch/"; done
cd "$scratch"
python3 -m zipfile -e input.zarr.zip input.zarr
parallel=()
[ "$world_size" = 1 ] || parallel=(runner=parallel "world_size=$world_size")

forecast() {  # forecast NAME INPUT [LINE]
  printf '%s\n' "checkpoint: inference-last.ckpt" "precision: f32" "lead_time: 12h" "input: $2" "output: {raw: $1}" \
    "${3:-}" >"$1.yaml"
  "$bin/tradewind" run "$1.yaml" --run-dir "run-$1" "${parallel[@]}"
}
forecast grib "{grib: input.grib}"
forecast zip "{dataset: input.zarr.zip}"
forecast folder "{dataset: {dataset: input.zarr, reorder: sort, start: 2024-01-14, frequency: 6h}}"
forecast training "{test: {use_original_paths: true}}" \
  "patch_metadata: {config: {dataloader: {test: {datasets: {data: {dataset_config: {dataset: $PWD/input.zarr}}}}}}}"
for file in grib/*.npz; do
  for other in zip folder training; do
    cmp "$file" "$other/$(basename "$file")" || { echo "FAILED: the forecast from $other is another one" >&2; exit 1; }
  done
done
[ "$(find grib -name '*.npz' | wc -l)" = 3 ] || { echo "FAILED: three states" >&2; exit 1; }
