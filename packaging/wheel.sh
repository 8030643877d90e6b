#!/usr/bin/env bash
# Makes the wheel: executables for glibc 2.28 and later, one worker for each minor release of torch in versions.env, and
# the Python package. From nothing but Debian 12's packages and PyPI; x86_64.
#   packaging/wheel.sh [--out DIR] [--work DIR] [--from BIN_DIR]
#     --out    where the wheel goes (dist)
#     --work   where it builds, kept for the next time (build/wheel)
#     --from   takes the executables of a build as they are: quick, for this system's C library and later
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# shellcheck source=versions.env
source "$here/versions.env"
# shellcheck source=../cmake/versions.env
source "$root/cmake/versions.env"
say() { printf '\033[1m== %s\033[0m\n' "$*"; }
fail() { printf 'error: %s\n  remedy: %s\n' "$1" "$2" >&2; exit 1; }
out=$root/dist work=$root/build/wheel from=
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=${2:?--out DIR} ;;
    --work) work=${2:?--work DIR} ;;
    --from) from=$(cd "${2:?--from BIN_DIR}" && pwd) ;;
    *) fail "unknown argument '$1'" "see the first lines of $0" ;;
  esac
  shift 2
done
mkdir -p "$out" "$work"
out=$(cd "$out" && pwd) work=$(cd "$work" && pwd)
for tool in patchelf objdump readelf; do
  command -v $tool >/dev/null || fail "$tool is not there" "apt-get install patchelf binutils"
done
version=$(sed -n 's/^project(tradewind VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
package=$work/package/tradewind
rm -rf "$work/package"
mkdir -p "$work/package"
cp -r "$root"/python/. "$work/package"
mkdir -p "$package/bin" "$package/share/tradewind/rossby-haurwitz"
cp "$root"/examples/rossby-haurwitz/{config.yaml,inference-last.ckpt,input.grib} "$package/share/tradewind/rossby-haurwitz"

# take BIN_DIR MINOR: the executables of a build, as the workers for that minor release of torch.
take() {
  local folder=$package/bin/torch-$2 program
  mkdir -p "$folder"
  install -s "$1/tradewind" "$package/bin"
  for program in tradewind-worker tradewind-drill-worker; do
    install -s "$1/$program" "$folder"
    # Where LibTorch and ecCodes are is the package's to say: a run path would come before what it says.
    patchelf --remove-rpath "$folder/$program"
  done
  # NetCDF is whichever the environment has (tradewind/programs.py).
  install -s "$1/worker_netcdf.so" "$folder"
  patchelf --remove-rpath "$folder/worker_netcdf.so"
  patchelf --print-needed "$folder/worker_netcdf.so" | grep '^libnetcdf' |
    while read -r library; do patchelf --remove-needed "$library" "$folder/worker_netcdf.so"; done
}

if [ -n "$from" ]; then
  TORCHES=$TORCH_VERSION
  take "$from" "${TORCH_VERSION%.*}"
else
  for package_needed in liblz4-dev libsnappy-dev libblosc-dev libzstd-dev zlib1g-dev libyaml-cpp-dev g++-12; do
    dpkg-query -W -f '${db:Status-Status}' "$package_needed" 2>/dev/null | grep -q '^installed$' ||
      fail "$package_needed is not installed" "run cmake/setup.sh, then apt-get install $package_needed"
  done
  say "glibc $GLIBC's headers and link stubs"
  "$here/glibc228/sysroot.sh" "$work/sysroot"
  for torch in $TORCHES; do
    say "executables for torch ${torch%.*} (some minutes the first time)"
    [ "$torch" = "$TORCH_VERSION" ] || fail "torch $torch is not what cmake/setup.sh brings" "set TORCHES to $TORCH_VERSION"
    cmake -S "$root" -B "$work/torch-${torch%.*}" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTRADEWIND_STATIC_LIBRARIES=ON \
      -DCMAKE_TOOLCHAIN_FILE="$here/glibc228/toolchain.cmake" -DTRADEWIND_SYSROOT="$work/sysroot" -DTRADEWIND_TESTS=OFF \
      -DTRADEWIND_CUDA="${TRADEWIND_CUDA:-OFF}" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
    cmake --build "$work/torch-${torch%.*}" --target tradewind tradewind-worker tradewind-drill-worker worker_netcdf
    take "$work/torch-${torch%.*}/bin" "${torch%.*}"
  done
fi

# What of the system's the executables need: the C library from some version on, and nothing that is not everywhere.
mapfile -t files < <(find "$package/bin" -type f)
allowed='^(libc|libm|libpthread|libdl|librt|libgcc_s|ld-linux-x86-64|libtorch|libtorch_cpu|libc10|libgomp[^.]*|libeccodes)\.so'
[ -z "$from" ] || allowed="$allowed|^(libstdc\\+\\+|libz|libblosc|libzstd|libgomp)\\.so"
for file in "${files[@]}"; do
  while read -r library; do
    [[ $library =~ $allowed ]] || fail "${file#"$package"/} needs $library" "link it statically (TRADEWIND_STATIC_LIBRARIES)"
  done < <(patchelf --print-needed "$file")
done
needed=$(objdump -T "${files[@]}" | grep -oE 'GLIBC_[0-9]+\.[0-9]+' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
[ -n "$from" ] || [ "$(printf '%s\n' "$needed" "$GLIBC" | sort -V | tail -n 1)" = "$GLIBC" ] ||
  fail "the executables need glibc $needed" "see which symbol: objdump -T FILE | grep GLIBC_$needed"
# torch's own wheels ask for 2.28.
baseline=$(printf '%s\n' "$needed" 2.28 | sort -V | tail -n 1)
say "glibc $needed at least; the wheel is for $baseline and later"

first=${TORCHES%% *} last=${TORCHES##* }
minor=${last#*.} minor=${minor%%.*}
range=">=${first%.*},<${last%%.*}.$((minor + 1))"
rm -f "$out"/tradewind-*.whl
TRADEWIND_VERSION=$version TRADEWIND_TORCH_RANGE=$range TRADEWIND_ECCODES=$ECCODES_MINIMUM \
  TRADEWIND_PLATFORM=manylinux_${baseline/./_}_$(uname -m) \
  python3 -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir "$out" "$work/package"
wheel=$(echo "$out"/tradewind-*.whl)
size=$(stat -c %s "$wheel")
[ "$size" -lt 40000000 ] || fail "$wheel has $size bytes, more than 40 MB" "leave a torch out of TORCHES"
say "$wheel: $((size / 1000000)) MB, torch$range"
