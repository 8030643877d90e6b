#!/usr/bin/env bash
# Makes of a built tree a self-contained tarball for CPUs (LibTorch, ecCodes and all else inside) and a Debian package.
#   packaging/packages.sh BUILD_DIR [OUT_DIR]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "${1:?usage: packages.sh BUILD_DIR [OUT_DIR]}" && pwd)
mkdir -p "${2:-$root/dist}"
out=$(cd "${2:-$root/dist}" && pwd)
say() { printf '\033[1m== %s\033[0m\n' "$*"; }
version=$(sed -n 's/^project(tradewind VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
name=tradewind-$version-cpu-$(uname -m)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cmake --install "$build" --prefix "$stage/$name" --strip >/dev/null
# For CPUs: what only CUDA wants stays out, but for what libtorch_cpu itself asks for.
libraries=$stage/$name/lib/tradewind
rm -rf "$libraries"/worker_cuda.so "$libraries"/torch/lib/lib{torch_cuda*,c10_cuda,torch_nvshmem,caffe2_nvrtc}.so* \
  "$libraries"/nvidia/{nccl,cudnn,nvshmem,cusparselt}
# Libraries of the system that are not on every one; the C library's own and libstdc++'s older ones are no help.
while read -r library _ path _; do
  [[ $library =~ ^lib(blosc|snappy|lz4|zstd|z|yaml-cpp|gomp|stdc\+\+)[.-] ]] || continue
  [[ $path == /lib/* || $path == /usr/lib/* ]] && cp -L "$path" "$libraries/torch/lib/"
done < <(ldd "$stage/$name/bin/tradewind-worker" "$stage/$name/bin/tradewind")
say "$name.tar.zst"
tar -C "$stage" --zstd -cf "$out/$name.tar.zst" "$name"
du -sh "$stage/$name" "$out/$name.tar.zst"
say "Debian package"
(cd "$build" && cpack -G DEB -B "$stage/deb" >/dev/null)
cp "$stage"/deb/*.deb "$out"
ls -sh "$out"/*.deb
