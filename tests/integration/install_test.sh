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

programs=("$scratch/moved/bin/tradewind-worker" "$scratch/moved/bin/tradewind")
if [ -e "$build/bin/worker_cuda.so" ]; then
  cuda=$scratch/moved/lib/tradewind/worker_cuda.so
  [ -e "$cuda" ] || fail "worker_cuda.so was built and is not installed"
  programs+=("$cuda")
fi
netcdf=$scratch/moved/lib/tradewind/worker_netcdf.so
[ -e "$netcdf" ] || fail "worker_netcdf.so is not installed"
programs+=("$netcdf")
libraries=$(env -u LD_LIBRARY_PATH ldd "${programs[@]}")
while read -r name arrow path _; do
  [ "$arrow" = "=>" ] || continue
  case $path in
    "$scratch"/moved/* | /lib* | /usr/lib*) ;;
    not | /usr/local/*)  # a CUDA toolkit's libraries may be the system's, or missing; LibTorch's part may not
      [[ -n ${cuda-} && ! $name =~ ^lib(torch|c10|gomp|ecc|eckit) ]] || fail "$name is taken from '$path'" ;;
    *) fail "$name is taken from '$path'" ;;
  esac
done <<<"$libraries"

# An empty or relative element of a run path means the current folder, whoever filled it; one in /tmp is anybody's.
checked=0
while read -r file; do
  run_path=$(readelf -d "$file" 2>/dev/null | sed -n 's/.*(R\(UN\)\?PATH).*\[\(.*\)\]$/\2/p')
  checked=$((checked + 1))
  [ -z "$run_path" ] || [[ $run_path =~ ^(/|\$ORIGIN)[^:]*(:(/|\$ORIGIN)[^:]*)*$ ]] || fail "run path of $file: '$run_path'"
  [[ ! :$run_path =~ :(/var)?/(tmp|dev/shm) ]] || fail "run path of $file: '$run_path'"
done < <(find "$scratch/moved/bin" "$scratch/moved"/lib* -type f \( -path '*/bin/*' -o -name '*.so*' \))
[ "$checked" -ge 5 ] || fail "only $checked programs and libraries are installed"

ln -s "$case_dir"/{inference-last.ckpt,input.grib,config.yaml} "$scratch/case"
cd "$scratch/case"
env -u LD_LIBRARY_PATH -u TRADEWIND_WORKER "$scratch/moved/bin/tradewind" run config.yaml --run-dir run
env -u LD_LIBRARY_PATH -u TRADEWIND_WORKER "$scratch/moved/bin/tradewind" compare output.grib "$case_dir/reference.grib" |
  tail -n 1

# What is loaded when it is needed is found, and missed by those alone who need it.
printf '%s\n' 'checkpoint: inference-last.ckpt' 'device: cpu' 'precision: f32' 'lead_time: 6h' 'input: {grib: input.grib}' \
  'output: {netcdf: a.nc}' >netcdf.yaml
installed=(env -u LD_LIBRARY_PATH -u TRADEWIND_WORKER "$scratch/moved/bin/tradewind" run)
"${installed[@]}" netcdf.yaml --run-dir run
[ -s a.nc ] || fail "no NetCDF file was written"
rm "$netcdf" a.nc
if told=$("${installed[@]}" netcdf.yaml --run-dir run 2>&1); then fail "NetCDF was written without its library"; fi
[[ $told == *"the part of Tradewind for NetCDF files is not there"* ]] || fail "without its library NetCDF says: $told"
[ ! -e a.nc ] || fail "a NetCDF file was begun without its library"
"${installed[@]}" config.yaml lead_time=6h --run-dir run
