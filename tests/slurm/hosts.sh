# What the tests on simulated hosts share. Sourced, then:
#   hosts_begin N      brings up a real Slurm with N hosts and goes into a work folder with the golden case; skips (exit
#                      code 77) with a reason on a machine that cannot simulate hosts; everything is gone at exit
#   TRADEWIND_BIN      folder of the executables under test (default: build/release/bin)
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
golden=$here/../golden/gt-transformer
bin=$(cd "${TRADEWIND_BIN:-$here/../../build/release/bin}" && pwd)
CLUSTER_DIR= work=

say() { printf -- '-- %s\n' "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  tail -n 40 "$work"/*.log >&2 || true
  exit 1
}
hosts_end() {
  [ -z "$CLUSTER_DIR" ] || "$here/cluster.sh" stop
  rm -rf "$CLUSTER_DIR" "$work"
}
hosts_begin() {
  local lack file
  trap hosts_end EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  work=$(mktemp -d)
  CLUSTER_DIR=$(mktemp -d)
  export CLUSTER_DIR
  lack=$("$here/cluster.sh" missing)
  if [ -n "$lack" ]; then
    say "skipped: this machine lacks $lack, which simulated hosts need"
    exit 77
  fi
  "$here/cluster.sh" start "$1"
  eval "$("$here/cluster.sh" env)"
  export PATH=$bin:$PATH
  # Only as many threads as the simulated hosts really have, and the same everywhere: sums are then made in one order.
  export OMP_NUM_THREADS=1
  for file in config.yaml inference-last.ckpt input.grib; do ln -s "$golden/$file" "$work/"; done
  cd "$work" || exit 1
}
job_pids() { "$here/cluster.sh" pids; }
await_no_pids() {
  local i
  for ((i = 0; i < 70; i++)); do
    [ -n "$(job_pids)" ] || return 0
    sleep 0.1
  done
  return 1
}
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
