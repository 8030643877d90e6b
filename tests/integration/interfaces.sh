#!/usr/bin/env bash
# Real interfaces that are down, and a name service that does not answer: each ends with its exact cause within 5 s, in a
# network namespace of its own. Skips (exit code 77) with a reason where there is none to be had.
#   TRADEWIND_BIN   folder of the executables under test
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$(cd "$TRADEWIND_BIN" && pwd):$PATH:/usr/sbin:/sbin
if ! unshare --net --mount ip link add probe type veth 2>/dev/null; then
  echo "-- skipped: this machine lets us make no network namespace with an interface of our own"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for file in config.yaml inference-last.ckpt input.grib; do ln -s "$here/../golden/gt-transformer/$file" .; done
export OMP_NUM_THREADS=1
# refused TEXT SETUP OPTION...: in a network of its own, made by SETUP, a run of two ranks leaves with 1 and says TEXT
refused() {
  local text=$1 setup=$2 code=0 took
  shift 2
  took=${EPOCHREALTIME/[.,]/}
  unshare --net --mount bash -c "set -e; $setup; exec tradewind run config.yaml runner=parallel world_size=2 --run-dir run \"\$@\"" \
    bash "$@" >log 2>&1 || code=$?
  took=$(((${EPOCHREALTIME/[.,]/} - took) / 1000))
  if [ "$code" != 1 ] || ! grep -qF -- "$text" log || ((took >= 5000)); then
    echo "FAILED: code $code after $took ms, expected: $text" >&2
    cat log >&2
    exit 1
  fi
  echo "-- after $took ms: $text"
}
down='ip link set lo up; ip link add wan0 type veth peer name wan1; ip link set wan1 up; ip addr add 10.9.9.1/24 dev wan0'
refused "--interface wan0: the interface is down on" "$down" --interface wan0
refused "GLOO_SOCKET_IFNAME wan0: the interface is down on" "$down; export GLOO_SOCKET_IFNAME=wan0"
refused "MASTER_ADDR 10.9.9.1: the interface wan0, which holds that address, is down on" "$down; export MASTER_ADDR=10.9.9.1"
refused "127.0.0.1: the interface lo, which holds that address, is down on" ":"
echo 'nameserver 10.9.9.53' >resolv.conf
printf 'hosts: dns\n' >nsswitch.conf
silent="$down; ip link set wan0 up; mount --bind resolv.conf /etc/resolv.conf; mount --bind nsswitch.conf /etc/nsswitch.conf"
refused "somewhere: no answer from the name service within 3 s" "$silent; export MASTER_ADDR=somewhere"
