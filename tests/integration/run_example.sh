#!/usr/bin/env bash
# Runs a script of examples/launch as a user would, on the checkpoint of a golden case, and compares its forecast with
# that of one rank.
#   run_example.sh SCRIPT [SAME_AS_ONE_RANK: yes]
#   TRADEWIND_BIN        folder of the executables under test
#   TRADEWIND_TORCHRUN   torchrun [torchrun]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=$here/../../examples/launch/$1
golden=$here/../golden/gt-transformer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH=$(cd "$TRADEWIND_BIN" && pwd):$PATH
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
case $1 in
  mpirun.sh) program=mpirun ;;
  torchrun.sh)
    program=${TRADEWIND_TORCHRUN:-torchrun}
    mkdir "$work/bin"
    if command -v "$program" >/dev/null; then ln -s "$(command -v "$program")" "$work/bin/torchrun"; fi
    PATH=$work/bin:$PATH
    ;;
  *) program=tradewind ;;
esac
command -v "$program" >/dev/null || {
  echo "skipped: $program is not installed"
  exit 77
}
cp "$here/../../examples/launch/config.yaml" "$work/"
ln -s "$golden/inference-last.ckpt" "$golden/input.grib" "$work/"
cd "$work"
# This small checkpoint's variables have no messages of their own in the input.
sed -i 's/^  grib: forecast.grib/  grib: {path: forecast.grib, templates: [{input: {tp: 2t, tcc: 2t, lsm: 2t, z: 2t}}, builtin]}/' config.yaml
options=(lead_time=12h precision=f32)
"$script" "${options[@]}"
[ "${2:-yes}" = yes ] || exit 0
mv forecast.grib several.grib
tradewind run config.yaml runner=forecaster world_size=null "${options[@]}"
tradewind compare several.grib forecast.grib
