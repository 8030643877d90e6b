#!/usr/bin/env bash
# Runs one golden case and compares it with what the reference implementation made of it.
#   run_case.sh CASE_DIR WORLD_SIZE [SCRATCH_DIR]     (SCRATCH_DIR is emptied first)
# A case with reference.grib is a forecast: same messages in the same order with the same keys, every field within
# case.json's tolerance; then the reduced precisions that case.json knows. A case whose reference.npz holds `y` is one
# model call, or that too. What the build cannot run must be refused properly; that counts as skipped (exit code 77), unless
# TRADEWIND_CASE_MUST_RUN=1.
#   TRADEWIND_BIN   folder of the executables under test (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case_dir=$(cd "${1:?usage: run_case.sh CASE_DIR WORLD_SIZE [SCRATCH_DIR]}" && pwd)
world_size=${2:?usage: run_case.sh CASE_DIR WORLD_SIZE [SCRATCH_DIR]}
bin=${TRADEWIND_BIN:-$here/../../build/release/bin}
bin=$(cd "$bin" && pwd)
scratch=${3:-$(mktemp -d)}
[ $# -ge 3 ] || trap 'rm -rf "$scratch"' EXIT

say() { printf -- '-- %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
# The value at a path of keys in case.json, or a default: from_case DEFAULT KEY...
from_case() { python3 "$here/case_value.py" "$case_dir/case.json" "$@"; }

# A copy of the case that only links to it, as it would be on a user's disk: outputs land beside the config.
rm -rf "$scratch" && mkdir -p "$scratch"
for file in "$case_dir"/*; do
  case $(basename "$file") in
    reference*.grib | case.json) ;;
    *) ln -s "$file" "$scratch/" ;;
  esac
done
cd "$scratch"

parallel=()
[ "$world_size" = 1 ] || parallel=(runner=parallel "world_size=$world_size")

forecast() {  # forecast NAME [OVERRIDE...]: makes forecast-NAME.grib, of several datasets forecast-NAME-DATASET.grib
  local name=$1 output
  shift
  say "tradewind run config.yaml ${parallel[*]} $*"
  "$bin/tradewind" run config.yaml --run-dir "run-$name" "${parallel[@]}" "$@"
  for output in output*.grib; do mv "$output" "forecast-$name${output#output}"; done
}

refused_properly() {
  local code=0
  "$bin/tradewind" "$@" >refusal.log 2>&1 || code=$?
  cat refusal.log
  [ "$code" = 2 ] || fail "the build cannot run this case, yet 'tradewind $1' left with exit code $code instead of 2"
  [ "${TRADEWIND_CASE_MUST_RUN:-0}" = 0 ] || fail "the build cannot run this case"
  say "skipped: this build does not run the case and says so"
  exit 77
}

runnable=$("$bin/tradewind" inspect inference-last.ckpt --json | python3 "$here/case_value.py" - false runnable)

if [ -f "$case_dir/reference.grib" ]; then
  [ "$runnable" = true ] || refused_properly run config.yaml --run-dir run-refused
  tolerance=$(from_case 1e-4 tolerance_suggestion max_abs_over_field_std)
  reference=$case_dir/reference.grib
  first=()
  if [ -n "$(from_case "" versions anemoi.models)" ] && [ -z "$(from_case "" run anemoi.inference)" ]; then
    # A run of 24 h by a reference that turned the input's times in a ring: a constant that differs between them, as
    # these cases have it, is taken from another one at every step. Today's keeps the latest. The first step tells.
    first=(lead_time=6h)
    reference=first.grib
    python3 "$here/first_messages.py" "$case_dir/reference.grib" 1/4 "$reference"
  fi
  forecast f32 "${first[@]}"
  "$bin/tradewind" compare forecast-f32.grib "$reference" --tolerance "$tolerance" ||
    fail "the forecast differs from reference.grib by more than $tolerance standard deviations of a field"
  say "f32: at most $tolerance"
  for precision in $(from_case "" other_precisions --keys); do
    lead_time=$(from_case 24h other_precisions "$precision" lead_time)
    known=$(from_case "" other_precisions "$precision" vs_f32 max_abs_over_std)
    messages=$(from_case "" other_precisions "$precision" vs_f32 messages)
    tolerance=$(awk -v known="$known" 'BEGIN { print 1.5 * known }')
    forecast "$precision" "precision=$precision" "lead_time=$lead_time"
    python3 "$here/first_messages.py" "$case_dir/reference.grib" "$messages" "first-$messages.grib"
    "$bin/tradewind" compare "forecast-$precision.grib" "first-$messages.grib" --tolerance "$tolerance" ||
      fail "$precision is further from the float32 reference than 1.5 x the reference's own $precision ($known)"
    say "$precision: at most $tolerance"
  done
fi
# Of several datasets each has its reference.
for reference in "$case_dir"/reference-*.grib; do
  [ -f "$reference" ] && [ ! -f "$case_dir/reference.grib" ] || continue
  [ "$runnable" = true ] || refused_properly run config.yaml --run-dir run-refused
  [ -d run-f32 ] || forecast f32
  tolerance=$(from_case 1e-4 tolerance_suggestion max_abs_over_field_std)
  dataset=${reference##*/reference-}
  say "compare forecast-f32-$dataset"
  "$bin/tradewind" compare "forecast-f32-$dataset" "$reference" --tolerance "$tolerance" ||
    fail "the forecast of ${dataset%.grib} differs from its reference by more than $tolerance standard deviations of a field"
  say "f32: at most $tolerance"
  several=1
done
if [ -n "${several:-}" ]; then
  [ -f reference.npz ] || exit 0
  predict=(predict inference-last.ckpt x.npz y.npz)
  [ "$world_size" = 1 ] || predict+=(--world-size "$world_size")
  python3 "$here/check_sharded.py" --x reference.npz x.npz
  say "tradewind ${predict[*]}"
  "$bin/tradewind" "${predict[@]}"
  python3 "$here/check_predict.py" reference.npz y.npz "$(from_case 1e-4 tolerance_suggestion max_abs_over_field_std)"
  exit
fi
if [ -f reference.npz ] && python3 "$here/npz.py" reference.npz y || [ ! -f "$case_dir/reference.grib" ]; then
  predict=(predict inference-last.ckpt reference.npz y.npz)
  [ "$world_size" = 1 ] || predict+=(--world-size "$world_size")
  [ "$runnable" = true ] || refused_properly "${predict[@]}"
  call() {  # call TOLERANCE [OPTION...]
    say "tradewind ${predict[*]} ${*:2}"
    "$bin/tradewind" "${predict[@]}" "${@:2}"
    python3 "$here/check_predict.py" reference.npz y.npz "$1"
  }
  call "$(from_case 1e-4 tolerance_suggestion max_abs_over_field_std)"
  if [ ! -f "$case_dir/reference.grib" ]; then
    for precision in $(from_case "" other_precisions --keys); do
      known=$(from_case "" other_precisions "$precision" vs_f32 max_abs_over_std)
      call "$(awk -v known="$known" 'BEGIN { print 1.5 * known }')" --precision "$precision"
    done
  fi
fi
