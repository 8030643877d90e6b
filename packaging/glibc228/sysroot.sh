#!/usr/bin/env bash
# sysroot.sh DIR: headers and link stubs of glibc 2.28, from PyPI's ziglang, as packaging/glibc228/toolchain.cmake wants
# them: DIR/include/{1,2,3,4} in the order of search, DIR/lib with crt1.o and the libraries. Quick when it is there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../versions.env
source "$here/../versions.env"
mkdir -p "${1:?usage: sysroot.sh DIR}"
dir=$(cd "$1" && pwd)
wanted="$GLIBC $ZIGLANG_VERSION $(sha256sum "$here/shim.c" "$here/sysroot.sh" | sha256sum)"
[ "$(cat "$dir/.made" 2>/dev/null)" != "$wanted" ] || exit 0
[ "$(uname -m)" = x86_64 ] || { echo "error: only x86_64 is known here" >&2; exit 1; }
rm -rf "${dir:?}"/*
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/python"
"$work/python/bin/pip" install -q --disable-pip-version-check "ziglang==$ZIGLANG_VERSION"
zig=$("$work/python/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')
# What it needs of a C library it makes when it links, in its cache.
export ZIG_GLOBAL_CACHE_DIR=$work/cache ZIG_LOCAL_CACHE_DIR=$work/cache
echo 'int main(void) { return 0; }' >"$work/a.c"
"$work/python/bin/python" -m ziglang cc -target "x86_64-linux-gnu.$GLIBC" "$work/a.c" -o "$work/a" -lpthread -lm -ldl -lrt
mkdir -p "$dir/include" "$dir/lib"
number=0
for folder in x86-linux-gnu generic-glibc x86-linux-any any-linux-any; do
  number=$((number + 1))
  cp -a "$zig/lib/libc/include/$folder" "$dir/include/$number"
done
# libstdc++ was built with it, and shim.c has what it declares.
rm "$dir/include/2/sys/single_threaded.h"
one() { find "$work/cache" -name "$1" | head -n 1; }
cp "$(one crt1.o)" "$(one libc_nonshared.a)" "$dir/lib"
cp "$dir/lib/crt1.o" "$dir/lib/Scrt1.o"
# Since 2.34 a program's start does without what these two had; before it they may be empty too, where every part has
# arrays of initialisers only.
for name in crti crtn; do
  echo '' | gcc -c -x assembler - -o "$dir/lib/$name.o"
done
stubs=$(dirname "$(one libc.so.6)")
for name in c:6 m:6 pthread:0 dl:2 rt:1 util:1 resolv:2; do
  [ -e "$stubs/lib${name%:*}.so.${name#*:}" ] || continue
  cp "$stubs/lib${name%:*}.so.${name#*:}" "$dir/lib"
  ln -sf "lib${name%:*}.so.${name#*:}" "$dir/lib/lib${name%:*}.so"
done
rm -f "$dir/lib/libc.so"
echo "GROUP ( libc.so.6 libc_nonshared.a libpthread.so.0 libdl.so.2 )" >"$dir/lib/libc.so"
gcc -O2 -fPIC -c "$here/shim.c" -o "$dir/lib/shim.o" -fno-builtin
echo "$wanted" >"$dir/.made"
