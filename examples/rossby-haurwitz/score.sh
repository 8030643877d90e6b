#!/usr/bin/env bash
# How good is a forecast of the Rossby-Haurwitz wave? Scores it against the exact solution and against persistence, and
# checks every figure against verify.json, what the reference implementation's forecast scores (within 1 %).
#   score.sh FORECAST.grib      exit code 1 when a figure is off
#   TRADEWIND_BIN   folder of the executables (default: build/release/bin, else the PATH)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
forecast=${1:?usage: score.sh FORECAST.grib}
bin=${TRADEWIND_BIN:-$here/../../build/release/bin}
tradewind=$bin/tradewind
[ -x "$tradewind" ] || tradewind=tradewind
"$tradewind" compare "$forecast" "$here/truth.grib" --scores --steps 24h,72h,120h,240h \
  --climatology zonal-mean --persistence "$here/input.grib" --json | python3 "$here/score.py" "$here/verify.json"
