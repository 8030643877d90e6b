#!/usr/bin/env bash
# run.sh SECONDS [BUILD_DIR]: builds the checkpoint fuzzer with clang and runs it that long from seeds made of the golden
# files. Keeps its corpus and its findings (crash-*, oom-*, timeout-*) in BUILD_DIR/fuzz; fails when there is one.
set -euo pipefail
seconds=${1:?usage: run.sh SECONDS [BUILD_DIR]}
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build_dir=${2:-$source_dir/build/fuzz}
clang=$(command -v clang++ clang++-14 | head -n 1 || true)
[ -n "$clang" ] || { echo "run.sh: clang++ not found. Remedy: apt-get install clang-14 libclang-rt-14-dev" >&2; exit 1; }

cmake -S "$source_dir" -B "$build_dir" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$clang" \
  -DCMAKE_C_COMPILER="${clang/++/}" -DTRADEWIND_FUZZ=ON
cmake --build "$build_dir" --target checkpoint_fuzzer
mkdir -p "$build_dir/fuzz/corpus"
python3 "$source_dir/tests/fuzz/make_seeds.py" "$build_dir/fuzz/seeds" \
  "$source_dir"/tests/golden/*/inference-last.ckpt "$source_dir"/tests/golden/legacy/*/inference-last.ckpt
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec "$build_dir/bin/checkpoint_fuzzer" "$build_dir/fuzz/corpus" "$build_dir/fuzz/seeds" \
  -dict="$source_dir/tests/fuzz/checkpoint.dict" -artifact_prefix="$build_dir/fuzz/" -max_total_time="$seconds" \
  -max_len=200000 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1
