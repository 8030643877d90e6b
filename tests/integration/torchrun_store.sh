#!/usr/bin/env bash
# Two agents of a real torchrun that share no run folder: with TRADEWIND_CONTROL=torchrun the ranks meet through torchrun's
# own store, and the forecast is that of one rank; without, the error names this way out.
#   TRADEWIND_BIN        where the executables are
#   TRADEWIND_TORCHRUN   torchrun [torchrun]; none: skipped
set -euo pipefail
torchrun=${TRADEWIND_TORCHRUN:-torchrun}
command -v "$torchrun" >/dev/null || { echo "skipped: no torchrun"; exit 77; }
case_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../golden/gt-transformer" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$case_folder"/{config.yaml,inference-last.ckpt,input.grib} "$scratch"
cd "$scratch"
port=$((20000 + RANDOM % 12000))
# run OUTPUT: two agents of one rank each; exit code of the second.
run() {
  local agents=()
  for agent in 0 1; do
    timeout 120 "$torchrun" --nnodes 2 --node-rank "$agent" --nproc-per-node 1 --master-addr 127.0.0.1 --master-port "$port" \
      --no-python "$TRADEWIND_BIN/tradewind" run config.yaml "output={grib: $1}" lead_time=12h runner=parallel \
      --run-dir "folder-$agent" --quiet >"log-$agent" 2>&1 &
    agents+=($!)
  done
  local code=0
  for agent in "${agents[@]}"; do wait "$agent" || code=$?; done
  return "$code"
}
"$TRADEWIND_BIN/tradewind" run config.yaml "output={grib: alone.grib}" lead_time=12h --run-dir alone --quiet
"$TRADEWIND_BIN/tradewind" run config.yaml "output={grib: two.grib}" lead_time=12h runner=parallel world_size=2 \
  --run-dir two --quiet
TRADEWIND_CONTROL=torchrun run met.grib || { cat log-*; exit 1; }
cmp met.grib two.grib
rm -rf folder-*
if run lost.grib; then echo "ranks without a common folder came together"; exit 1; fi
grep -q "TRADEWIND_CONTROL=torchrun" log-* || { cat log-*; exit 1; }
[ ! -e lost.grib ]
