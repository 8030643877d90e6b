#!/usr/bin/env bash
# What becomes of a real forecast of four ranks on two simulated hosts when a part of it is killed or stopped: every
# process of it is gone from every host within 7 s, with the right exit code and report.
#   faults.sh wrapped|srun [SCENARIO...]    by whom srun is called: Tradewind itself, or the user
# The scenarios are the functions named scenario_* below. Skips (exit code 77) where hosts cannot be simulated.
set -euo pipefail
set -m # background jobs with default signals, as in a terminal
# shellcheck source=tests/slurm/hosts.sh
. "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"
by=${1:?usage: faults.sh wrapped|srun [SCENARIO...]}
shift
hosts_begin 2
forecast=(tradewind run config.yaml runner=parallel lead_time=100000d output=none)
[ "$by" = wrapped ] || forecast=(srun "${forecast[@]}")

# Processes of the job with that name, oldest first.
named() {
  local pid
  for pid in $(job_pids | sort -n); do
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || echo "$pid"
  done
}
parent_of() { awk '/^PPid/ {print $2}' "/proc/$1/status"; }
# The number by which its own host knows a process, as reports have it.
own_pid() { awk '/^NSpid/ {print $NF}' "/proc/$1/status"; }
worker() { named tradewind-worke | sed -n '$p'; }
# begin NAME [salloc|sbatch]: starts the forecast within an allocation and waits until it makes steps.
begin() {
  name=$1
  local line="${forecast[*]} --run-dir $name"
  if [ "${2:-salloc}" = sbatch ]; then
    printf '#!/bin/bash\n%s\n' "exec $line" >"$name.sh"
    set -- sbatch --wait --time=60 --output="$name.log" -N2 -n4 "$name.sh"
  else
    # shellcheck disable=SC2086
    set -- salloc -N2 -n4 $line
  fi
  (
    code=0
    if [ "$1" = sbatch ]; then "$@" >"$name.sbatch" 2>&1 || code=$?; else "$@" >"$name.log" 2>&1 || code=$?; fi
    echo "$code" >"$name.code"
  ) &
  local i
  for ((i = 0; i < 900; i++)); do
    ! grep -qs '^step 3/' "$name.log" || break
    [ ! -f "$name.code" ] || fail "$name: left with $(cat "$name.code") at once"
    sleep 0.1
  done
  [ "$(named tradewind-worke | wc -l)" = 4 ] || fail "$name: not four workers: $(named tradewind-worke | paste -sd,)"
  job=$(squeue -h -o %i | sort -n | sed -n '$p')
  since=$(now_ms)
}
# Processes of the job but slurmstepd, which Slurm ends when it likes.
processes() {
  local pid command
  for pid in $(job_pids); do
    { read -r command <"/proc/$pid/comm"; } 2>/dev/null || continue
    [ "$command" = slurmstepd ] || echo "$pid"
  done
}
# ended CODE TEXT [MILLISECONDS]: nothing of the run is left on any host 7 s, or that time, after the last `since`; it has
# left with that code, and its report says TEXT.
ended() {
  local i most=${3:-7000} took left=
  while left=$(processes) && [ -n "$left" ] && (($(now_ms) - since <= most)); do sleep 0.1; done
  took=$(($(now_ms) - since))
  [ -z "$left" ] || fail "$name: after $took ms there is still: $(ps -o pid,args -p "$(paste -sd, <<<"$left")")"
  for ((i = 0; i < 300; i++)); do
    { [ ! -f "$name.code" ] || [ -n "$(job_pids)" ]; } || break
    sleep 0.1
  done
  [ -z "$(job_pids)" ] || fail "$name: left behind: $(ps -o pid,args -p "$(job_pids | paste -sd,)")"
  [ -f "$name.code" ] || fail "$name: what started the run still waits"
  [ "$1" = any ] || [ "$(cat "$name.code")" = "$1" ] || fail "$name: left with $(cat "$name.code"), not $1"
  [ -z "${2:-}" ] || grep -qF -- "$2" "$name/report.json" || fail "$name: the report does not say: $2"
  say "$by, $name: code $(cat "$name.code"), all gone after $took ms"
}
# The report names that process of that host as the rank which failed, and it alone.
blamed() {
  python3 - "$name/report.json" "$1" "$2" <<'PY' || fail "$name: the report blames another rank"
import json, sys
report = json.load(open(sys.argv[1]))
rank = report["ranks"][report["error"]["rank"]]
found = (rank["pid"], rank["host"])
assert found == (int(sys.argv[2]), sys.argv[3]), (found, report["error"])
assert report["error"]["rank"] not in [other["rank"] for other in report.get("knock_on", [])], report
PY
}

scenario_kill_rank() {
  local victim own
  begin kill-rank
  victim=$(worker)
  own=$(own_pid "$victim")
  host=$("$here/cluster.sh" host "$victim")
  since=$(now_ms)
  kill -9 "$victim"
  ended 137 "the worker was ended by signal 9" 5000
  blamed "$own" "$host"
}
scenario_kill_agent() {
  begin kill-agent
  kill -9 "$(parent_of "$(worker)")"
  # srun leaves with the highest code of its tasks, here that of the killed one.
  if [ "$by" = wrapped ]; then ended 1 "is gone: "; else ended 137 "is gone: "; fi
}
# Wrapped, that is the process the user started; under srun that of rank 0.
launcher() {
  if [ "$by" = wrapped ]; then named tradewind | sed -n 1p; else parent_of "$(worker_of_rank_0)"; fi
}
worker_of_rank_0() {
  local pid
  for pid in $(named tradewind-worke); do
    ! grep -qzx SLURM_PROCID=0 "/proc/$pid/environ" || echo "$pid"
  done
}
scenario_kill_launcher() {
  begin kill-launcher
  kill -9 "$(launcher)"
  ended any
}
scenario_kill_srun() {
  begin kill-srun
  kill -9 "$(named srun | sed -n 1p)"
  if [ "$by" = wrapped ]; then ended 137 "srun was ended by signal 9"; else ended any; fi
}
# In a terminal Ctrl-C goes to the process in front: srun needs two of them within a second, and then kills.
scenario_interrupt() {
  if [ "$by" = wrapped ]; then
    begin interrupt
    kill -INT "$(launcher)"
    ended 130 "stopped by signal 2"
  else # the first one only makes srun say where its tasks are
    begin interrupt-once
    kill -INT "$(named srun | sed -n 1p)"
    sleep 2
    [ "$(named tradewind-worke | wc -l)" = 4 ] || fail "interrupt-once: the run ended, which srun does not ask for"
    since=$(now_ms)
    scancel "$job"
    ended any
  fi
  begin interrupt-twice
  local front
  front=$(if [ "$by" = wrapped ]; then launcher; else named srun | sed -n 1p; fi)
  kill -INT "$front"
  sleep 0.2
  if ! kill -INT "$front" 2>/dev/null; then say "$by, interrupt-twice: one was enough"; fi
  if [ "$by" = wrapped ]; then ended 130 "stopped by signal 2"; else ended any; fi
}
scenario_terminate() {
  begin terminate
  if [ "$by" = wrapped ]; then
    kill -TERM "$(launcher)"
    ended 143 "stopped by signal 15"
  else
    kill -TERM "$(named srun | sed -n 1p)"
    ended any
  fi
}
scenario_signal() { # as a batch script's --signal option sends it to its steps
  begin signal
  scancel -s TERM "$job.0"
  ended 143 "stopped by signal 15"
}
scenario_scancel() {
  begin scancel sbatch
  since=$(now_ms)
  scancel "$job"
  ended any "stopped by signal 15"
  begin scancel-salloc
  since=$(now_ms)
  scancel "$job"
  ended any
}
scenario_time_limit() { # Slurm looks for jobs that are over it twice a minute
  begin time-limit sbatch
  scontrol update "JobId=$job" TimeLimit=1
  local i
  for ((i = 0; i < 2400; i++)); do
    [ "$(squeue -h -j "$job" -t R -o %T 2>/dev/null)" = RUNNING ] || break
    sleep 0.1
  done
  since=$(now_ms)
  ended any "stopped by signal 15"
  [ "$(scontrol show job "$job" | grep -o 'JobState=[A-Z]*')" = JobState=TIMEOUT ] || fail "the time limit did not end it"
}
scenario_restart() { # of ranks that Tradewind starts itself
  [ "$by" = wrapped ] || return 0
  local forecast=(tradewind run config.yaml runner=parallel lead_time=20d)
  salloc -N2 -n4 "${forecast[@]}" output.grib.path=calm.grib --run-dir calm >calm.log 2>&1 || fail "calm: left with $?"
  forecast+=(output.grib.path=restart.grib --restart 1)
  begin restart
  kill -9 "$(worker)"
  local i
  for ((i = 0; i < 1200; i++)); do
    [ ! -f restart.code ] || break
    sleep 0.1
  done
  [ "$(cat restart.code)" = 0 ] || fail "restart: left with $(cat restart.code)"
  grep -q 'goes on after step' restart.log || fail "restart: it did not go on"
  cmp calm.grib restart.grib || fail "restart: another file than that of an undisturbed run"
  await_no_pids || fail "restart: left behind: $(job_pids | paste -sd,)"
  say "$by, restart: the file is that of an undisturbed run"
}
scenario_crash() { # last: the host does not come back
  begin crash
  "$here/cluster.sh" crash host2
  # A host that says nothing is believed in for 5 s, and srun is given 3 s to end.
  if [ "$by" = wrapped ]; then
    ended 1 "is gone: " 15000
    return
  fi
  # The user's srun waits until Slurm itself gives the host up, the ranks do not.
  local left took
  while left=$(named tradewind; named tradewind-worke) && [ -n "$left" ] && (($(now_ms) - since < 20000)); do sleep 0.1; done
  took=$(($(now_ms) - since))
  ((took <= 15000)) || fail "crash: ranks gone only after $took ms: $left"
  grep -qF "is gone: " crash/report.json || fail "crash: the report does not say: is gone"
  say "$by, crash: all but srun gone after $took ms"
}

scenarios=("$@")
[ $# -gt 0 ] || scenarios=(kill_rank kill_agent kill_launcher kill_srun interrupt terminate signal scancel restart crash)
for scenario in "${scenarios[@]}"; do "scenario_$scenario"; done
