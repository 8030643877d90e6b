#!/usr/bin/env bash
# What becomes of a run on a real Slurm with two simulated hosts when a part of it is killed or stopped: every process of
# it is gone within 7 s, with the right exit code and report. Stand-ins for the workers wait until they are ended.
#   faults.sh [SCENARIO...]       the scenarios are the functions named scenario_* below
# Skips (exit code 77) with a reason on a machine that cannot simulate hosts.
#   TRADEWIND_BIN   folder of the executables under test, fake_worker among them (default: build/release/bin)
set -euo pipefail
set -m # background jobs with default signals, as in a terminal
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
golden=$here/../golden/gt-transformer
bin=$(cd "${TRADEWIND_BIN:-$here/../../build/release/bin}" && pwd)
CLUSTER_DIR=$(mktemp -d)
export CLUSTER_DIR
lack=$("$here/cluster.sh" missing)
if [ -n "$lack" ]; then
  rmdir "$CLUSTER_DIR"
  echo "-- skipped: this machine lacks $lack, which simulated hosts need"
  exit 77
fi
work=$(mktemp -d)
finish() {
  "$here/cluster.sh" stop
  rm -rf "$CLUSTER_DIR" "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$here/cluster.sh" start 2
eval "$("$here/cluster.sh" env)"
cp "$golden"/{config.yaml,inference-last.ckpt,input.grib} "$work/"
cd "$work"
export TRADEWIND_WORKER=$bin/fake_worker FAKE_WORKER=waits

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  tail -n 40 ./*.log >&2 || true
  exit 1
}
# Processes of the job with that name, oldest first.
named() {
  local pid
  for pid in $("$here/cluster.sh" pids); do
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || echo "$pid"
  done
}
count() { named "$1" | wc -l; }
# begin NAME COMMAND...: starts it within an allocation of two hosts and four tasks and waits for the four workers.
begin() {
  name=$1
  shift
  (
    code=0
    salloc -Q -N2 -n4 "$@" run config.yaml runner=parallel --run-dir "$name" >"$name.log" 2>&1 || code=$?
    echo "$code" >"$name.code"
  ) &
  local i
  for ((i = 0; i < 400; i++)); do
    [ "$(count fake_worker)" != 4 ] || break
    sleep 0.1
  done
  [ "$(count fake_worker)" = 4 ] || fail "$name: the four workers did not come"
  sleep 1 # past their hello
  since=${EPOCHREALTIME/./}
}
# ended CODE TEXT [MILLISECONDS]: the run has left with that code, its report says TEXT, and nothing of it is left, within
# 7 s or that time.
ended() {
  local i most=${3:-7000}
  for ((i = 0; i < 100; i++)); do
    { [ ! -f "$name.code" ] || [ -n "$("$here/cluster.sh" pids)" ]; } || break
    sleep 0.1
  done
  local took=$(((${EPOCHREALTIME/./} - since) / 1000))
  [ -z "$("$here/cluster.sh" pids)" ] || fail "$name: left behind: $(ps -o pid,args -p "$("$here/cluster.sh" pids | paste -sd,)")"
  [ -f "$name.code" ] || fail "$name: the launcher still runs"
  [ "$1" = any ] || [ "$(cat "$name.code")" = "$1" ] || fail "$name: left with $(cat "$name.code"), not $1"
  [ -z "${2:-}" ] || grep -qF -- "$2" "$name/report.json" || fail "$name: the report does not say: $2"
  ((took <= most)) || fail "$name: gone only after $took ms"
  echo "-- $name: code $(cat "$name.code"), all gone after $took ms"
}

scenario_kill_rank() {
  begin rank-wrapped "$bin/tradewind"
  kill -9 "$(named fake_worker | tail -n 1)"
  ended 137 "ended by signal 9"
  begin rank-srun srun "$bin/tradewind"
  kill -9 "$(named fake_worker | tail -n 1)"
  ended 137 "ended by signal 9"
}
scenario_kill_agent() {
  begin agent "$bin/tradewind"
  kill -9 "$(awk '/^PPid/ {print $2}' "/proc/$(named fake_worker | tail -n 1)/status")"
  ended 1 "is gone: "
}
scenario_kill_launcher() {
  begin launcher "$bin/tradewind"
  kill -9 "$(named tradewind | head -n 1)"
  ended any
}
scenario_kill_srun() {
  begin srun "$bin/tradewind"
  kill -9 "$(named srun | head -n 1)"
  ended 137 "srun was ended by signal 9"
}
scenario_interrupt() {
  begin once "$bin/tradewind"
  kill -INT "$(named tradewind | head -n 1)"
  ended 130 "stopped by signal 2"
  begin twice "$bin/tradewind"
  kill -INT "$(named tradewind | head -n 1)"
  sleep 0.2
  kill -INT "$(named tradewind | head -n 1)"
  ended 130 "stopped by signal 2"
}
scenario_terminate() {
  begin term "$bin/tradewind"
  kill -TERM "$(named tradewind | head -n 1)"
  ended 143 "stopped by signal 15"
}
scenario_scancel() {
  begin scancel "$bin/tradewind"
  scancel -u "$(id -un)"
  ended any
}
scenario_crash() { # last: the host does not come back
  begin crash "$bin/tradewind"
  "$here/cluster.sh" crash host2
  ended 1 "is gone: " 10000 # a host that says nothing is believed in for 5 s
}

scenarios=("$@")
[ $# -gt 0 ] || scenarios=(kill_rank kill_agent kill_launcher kill_srun interrupt terminate scancel crash)
for scenario in "${scenarios[@]}"; do "scenario_$scenario"; done
