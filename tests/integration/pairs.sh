#!/usr/bin/env bash
# Pairs of jobs started at the same moment on one host, without a given port: each must find its own ranks and make the
# forecast that one job alone makes.
#   pairs.sh PAIRS        TRADEWIND_BIN   folder of the executables under test
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
golden=$here/../golden/gt-transformer
bin=$(cd "$TRADEWIND_BIN" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MASTER_ADDR MASTER_PORT
export OMP_NUM_THREADS=1
for file in config.yaml inference-last.ckpt input.grib; do ln -s "$golden/$file" "$work/"; done
cd "$work"
job() { # job NAME
  "$bin/tradewind" run config.yaml runner=parallel world_size=2 lead_time=6h "output.grib.path=$1.grib" --run-dir "$1" \
    >"$1.log" 2>&1
}
job alone
for ((pair = 1; pair <= $1; pair++)); do
  job "left-$pair" &
  left=$!
  job "right-$pair" &
  right=$!
  for side in left right; do
    pid=${!side}
    wait "$pid" || { echo "FAILED: pair $pair, $side" >&2; cat "$side-$pair.log" >&2; exit 1; }
    cmp alone.grib "$side-$pair.grib"
    rm "$side-$pair.grib"
  done
done
echo "$1 pairs of jobs ended well"
