#!/usr/bin/env bash
# From a fresh clone to a forecast: installs what is missing, builds, runs the Rossby-Haurwitz example on the CPU and
# prints how good the forecast is against the exact solution. The second call only runs the forecast.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
say() { printf '\033[1m== %s\033[0m\n' "$*"; }

say "1 of 3: dependencies"
./cmake/setup.sh
say "2 of 3: build (a few minutes the first time)"
[ -f build/release/build.ninja ] || cmake --preset release >/dev/null
cmake --build --preset release --target tradewind tradewind-worker tradewind-drill-worker

say "3 of 3: forecast: Rossby-Haurwitz wave, 10 days in steps of 6 hours, O32 grid"
out=$root/build/quickstart
mkdir -p "$out"
(cd examples/rossby-haurwitz && "$root/build/release/bin/tradewind" run config.yaml --run-dir "$out/run" \
  "output.grib.path=$out/forecast.grib")
exec examples/rossby-haurwitz/score.sh "$out/forecast.grib"
