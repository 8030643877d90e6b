#!/usr/bin/env bash
# install_test.sh BUILD_DIR CASE_DIR SCRATCH_DIR: `cmake --install`, moved elsewhere, forecasts a golden case with the
# libraries of its own tree and the system's, none of the build's.
set -euo pipefail
build=$1 case_dir=$2 scratch=$3
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
rm -rf "$scratch"
mkdir -p "$scratch/case"
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/first" >/dev/null
mv "$scratch/first" "$scratch/moved"

libraries=$(env -u LD_LIBRARY_PATH ldd "$scratch/moved/bin/tradewind-worker" "$scratch/moved/bin/tradewind")
while read -r name arrow path _; do
  [ "$arrow" = "=>" ] || continue
  case $path in
    "$scratch"/moved/* | /lib* | /usr/lib*) ;;
    *) fail "$name is taken from '$path'" ;;
  esac
done <<<"$libraries"

ln -s "$case_dir"/{inference-last.ckpt,input.grib,config.yaml} "$scratch/case"
cd "$scratch/case"
env -u LD_LIBRARY_PATH -u TRADEWIND_WORKER "$scratch/moved/bin/tradewind" run config.yaml --run-dir run
env -u LD_LIBRARY_PATH -u TRADEWIND_WORKER "$scratch/moved/bin/tradewind" compare output.grib "$case_dir/reference.grib" |
  tail -n 1
