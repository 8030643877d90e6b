#!/usr/bin/env bash
# Installs what the build needs and is missing: Debian packages (apt, as root or with sudo) and, into .deps, LibTorch and
# ecCodes (pip as a downloader only). Versions: versions.env beside this file. Quick when nothing is missing.
#   --tests              also what tests need: a tool for stacks; for simulated hosts Slurm, Open MPI, MPICH, nftables
#   TRADEWIND_DEPS_DIR   the folder instead of .deps
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
deps=${TRADEWIND_DEPS_DIR:-$root/.deps}
# shellcheck source=versions.env
source "$here/versions.env"

say() { printf '\033[1m== %s\033[0m\n' "$*"; }
fail() { printf 'error: %s\n  remedy: %s\n' "$1" "$2" >&2; exit 1; }

packages=(build-essential cmake ninja-build ccache python3 python3-pip ca-certificates libyaml-cpp-dev
  nlohmann-json3-dev doctest-dev libcli11-dev zlib1g-dev libblosc-dev libzstd-dev libnetcdf-dev)
if [ "${1:-}" = --tests ]; then packages+=(elfutils patchelf python3-numpy python3-venv); fi
# Only root can simulate hosts: for anybody else those tests are skipped.
if [ "${1:-}" = --tests ] && [ "$(id -u)" = 0 ]; then packages+=(slurm-wlm munge openmpi-bin mpich iproute2 nftables); fi

# No package manager of ours, and often no root: what is to be there is named, and only pip's half is done.
say_what_to_load() {
  say "not a Debian or Ubuntu system: LibTorch and ecCodes are fetched here, the rest has to be there"
  cat <<EOF
  RHEL, Rocky, Alma 8, 9   dnf install gcc-toolset-12 cmake ninja-build python3.11-pip boost-devel yaml-cpp-devel
                           json-devel doctest-devel cli11-devel zlib-devel blosc-devel libzstd-devel netcdf-devel
                           (most from EPEL and CRB), then source /opt/rh/gcc-toolset-12/enable
  SLES 15                  zypper install gcc12-c++ cmake ninja python311-pip and the same -devel packages
  a cluster's modules      module load gcc cmake ninja python boost yaml-cpp nlohmann-json cli11 doctest c-blosc zstd
                           netcdf-c (or as Spack and conda-forge name them)
  Needed: GCC 12 or later, CMake 3.25, Boost $BOOST_MINIMUM. Folders of your own: cmake --preset release
  -DCMAKE_PREFIX_PATH='DIR;DIR'. Without a compiler: the wheel or the tarball (packaging/README.md).
EOF
}

has_boost() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'libboost1.*-dev' 2>/dev/null |
    sed -n 's/^installed libboost\([0-9.]*\)-dev$/\1/p' | at_least_minimum | grep -q .
}
# Versions from standard input, those that serve, oldest first.
at_least_minimum() {
  sort -uV | while read -r one; do
    if [ "$(printf '%s\n' "$BOOST_MINIMUM" "$one" | sort -V | head -n 1)" = "$BOOST_MINIMUM" ]; then echo "$one"; fi
  done
}

# 1.81 of Debian 12, 1.83 of Debian 13 and Ubuntu 24.04.
boost_package() {
  local version
  version=$(apt-cache pkgnames libboost1. | sed -n 's/^libboost\([0-9.]*\)-dev$/\1/p' | at_least_minimum |
    while read -r one; do apt-cache show "libboost$one-dev" >/dev/null 2>&1 && echo "$one" && break; done)
  [ -n "$version" ] || fail "this release has no Boost $BOOST_MINIMUM or later" \
    "install one by hand and run cmake --preset release -DBoost_ROOT=..., or use the wheel (packaging/README.md)"
  echo "libboost$version-dev"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say_what_to_load
    return 0
  fi
  local missing=() package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  # A Python that brings its own pip serves as well as Debian's.
  if python3 -m pip --version >/dev/null 2>&1; then
    local kept=()
    for package in "${missing[@]}"; do [[ $package == python3* ]] || kept+=("$package"); done
    missing=("${kept[@]}")
  fi
  has_boost || missing+=(boost)
  [ ${#missing[@]} -gt 0 ] || return 0
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing: ${missing[*]}" "install them as root, or install sudo"
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq
  local boost
  boost=$(has_boost || boost_package)
  missing=("${missing[@]/#boost/$boost}")
  say "installing Debian packages: ${missing[*]}"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_libraries() {
  local wanted="torch $TORCH_VERSION cuda-runtime $CUDA_RUNTIME_VERSION cupti $CUDA_CUPTI_VERSION eccodes $ECCODES_VERSION eckit $ECKIT_VERSION"
  [ "$(cat "$deps/.installed" 2>/dev/null)" = "$wanted" ] && return 0
  say "downloading LibTorch $TORCH_VERSION and ecCodes $ECCODES_VERSION into $deps (about 600 MB)"
  rm -rf "$deps" "$deps.new"
  # The wheels are only unpacked: which Python runs pip does not matter, the C library's age does.
  local platforms=(--platform any) minor
  for minor in 28 27 26 25 24 17; do platforms+=(--platform "manylinux_2_${minor}_$(uname -m)"); done
  python3 -m pip install --disable-pip-version-check --root-user-action=ignore --progress-bar off -q --no-deps --no-compile \
    --only-binary=:all: --python-version 3.11 "${platforms[@]}" --platform "manylinux2014_$(uname -m)" \
    --target "$deps.new" "torch==$TORCH_VERSION" "nvidia-cuda-runtime==$CUDA_RUNTIME_VERSION" \
    "nvidia-cuda-cupti==$CUDA_CUPTI_VERSION" "eccodeslib==$ECCODES_VERSION" "eckitlib==$ECKIT_VERSION" ||
    fail "the download failed" "check the network and pip's index, then run this again"
  # What a C++ program never opens.
  find "$deps.new/torch" -mindepth 1 -maxdepth 1 ! -name include ! -name lib -exec rm -rf {} +
  rm -rf "$deps.new"/{torchgen,functorch,bin} "$deps.new/torch/lib"/libtorch_python.so
  printf '%s' "$wanted" >"$deps.new/.installed"
  mv "$deps.new" "$deps"
}

install_packages
install_libraries
