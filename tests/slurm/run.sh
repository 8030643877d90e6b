#!/usr/bin/env bash
# Real sharded forecasts on a real Slurm with simulated hosts: each must equal the same forecast made locally, bit by bit.
#   run.sh HOSTS SCENARIO...      the scenarios are the functions named scenario_* below
# Skips (exit code 77) with a reason on a machine that cannot simulate hosts.
set -euo pipefail
# shellcheck source=tests/slurm/hosts.sh
. "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"
hosts=${1:?usage: run.sh HOSTS SCENARIO...}
shift
hosts_begin "$hosts"

forecast=(run config.yaml runner=parallel lead_time=12h)
# local_forecast N: the forecast of N ranks on this host, made once.
local_forecast() {
  [ -f "local-$1.grib" ] || tradewind "${forecast[@]}" "world_size=$1" "output.grib.path=local-$1.grib" \
    --run-dir "local-$1" >"local-$1.log" 2>&1 || fail "the local forecast of $1 ranks"
}
# Checks the report of a run: ranks, and how many of them on which host, as "host1:3 host2:1".
check_report() {  # check_report RUN_DIR "host1:3 host2:1"
  python3 - "$1/report.json" "$2" <<'PY' || fail "the report of $1"
import collections, json, sys
report = json.load(open(sys.argv[1]))
assert report["status"] == "done" and report["exit_code"] == 0, report
hosts = collections.Counter(rank["host"] for rank in report["ranks"])
found = " ".join(f"{host}:{count}" for host, count in sorted(hosts.items()))
assert found == sys.argv[2], f"ranks on {found}, not {sys.argv[2]}"
PY
}
check_equal() {  # check_equal NAME RANKS "host1:3 host2:1"
  local_forecast "$2"
  [ -f "$1.grib" ] || fail "$1 wrote no forecast"
  cmp "$1.grib" "local-$2.grib" || fail "$1 differs from the local forecast of $2 ranks"
  [ -z "${3:-}" ] || check_report "$1" "$3"
  await_no_pids || fail "$1 has left processes behind"
  say "$1: equal to the local forecast of $2 ranks"
}
# batch NAME SBATCH_OPTION... -- LINE...: submits a script of those lines and waits for its end.
batch() {
  local name=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  { echo '#!/bin/bash'; echo "name=$name"; printf '%s\n' "$@"; } >"$name.sh"
  sbatch --wait --output="$name.log" "${options[@]}" "$name.sh" >"$name.sbatch.log" 2>&1 || fail "$name: sbatch left with $?"
}
run_line="tradewind ${forecast[*]} output.grib.path=\$name.grib --run-dir \$name"

scenario_srun() { # a batch script that starts the ranks with srun
  batch srun -N"$hosts" -n4 -- "srun $run_line"
  check_equal srun 4
}
scenario_wrapped() { # a batch script without srun
  batch wrapped -N"$hosts" -n4 -- "$run_line"
  check_equal wrapped 4
}
scenario_uneven() { # three ranks on one host, one on the other, both ways
  batch uneven-srun -N2 -n4 -- "srun $run_line"
  check_equal uneven-srun 4 "host1:3 host2:1"
  batch uneven-wrapped -N2 -n4 -- "$run_line"
  check_equal uneven-wrapped 4 "host1:3 host2:1"
}
scenario_salloc() { # from a shell on the login host
  name=salloc
  # shellcheck disable=SC2086
  salloc -N2 -n2 bash -c "name=salloc; $run_line" >salloc.log 2>&1 || fail "salloc left with $?"
  check_equal salloc 2 "host1:1 host2:1"
}
scenario_nested() { # a step inside a step
  batch nested -N2 -n3 -- "srun -n1 -N1 bash -c 'name=nested; srun --overlap -n3 -N2 $run_line'"
  check_equal nested 3
}
scenario_gpus() { # tasks that are given a GPU each; the forecast is made on the CPUs
  batch gpus -N2 -n4 --gpus-per-task=1 -- "srun $run_line"
  check_equal gpus 4 "host1:3 host2:1"
}
scenario_cpus() { # the tasks' CPUs are said again to srun, and two runs share an allocation
  batch cpus -N2 -n2 --cpus-per-task=2 -- "$run_line & first=\$!" "name=beside; $run_line" "code=\$?; wait \$first && exit \$code"
  check_equal cpus 2
  check_equal beside 2
}
# refused NAME TEXT LINE...: a batch script that must leave with a code other than 0 and say TEXT; from the start of its
# last line to the end of it within 5 s
refused() {
  local name=$1 text=$2 took
  shift 2
  {
    printf '%s\n' '#!/bin/bash' "name=$name" "${@:1:$#-1}" 'begun=${EPOCHREALTIME/[.,]/}' "${!#}" 'code=$?'
    printf '%s\n' 'echo $(((${EPOCHREALTIME/[.,]/} - begun) / 1000)) >$name.took; exit $code'
  } >"$name.sh"
  sbatch --wait --output="$name.log" -N2 -n2 "$name.sh" >"$name.sbatch.log" 2>&1 && fail "$name left with 0"
  grep -qF "$text" "$name.log" || fail "$name does not say: $text"
  took=$(cat "$name.took")
  ((took < 5000)) || fail "$name took $took ms"
  [ ! -f "$name.grib" ] || fail "$name wrote a forecast"
  await_no_pids || fail "$name has left processes behind"
  say "$name, after $took ms: $text"
}
scenario_master() { # MASTER_ADDR and MASTER_PORT: given, half given, wrong
  batch master -N2 -n2 -- "export MASTER_ADDR=host1 MASTER_PORT=29600" "srun $run_line"
  check_equal master 2
  batch master-address -N2 -n2 -- "export MASTER_ADDR=host1" "$run_line"
  check_equal master-address 2
  batch master-port -N2 -n2 -- "export MASTER_PORT=29601" "srun $run_line"
  check_equal master-port 2
  batch interface -N2 -n2 -- "export GLOO_SOCKET_IFNAME=eth0" "srun $run_line"
  check_equal interface 2
  refused unknown-name "nowhere: the name does not resolve" "export MASTER_ADDR=nowhere" "srun $run_line"
  refused other-host "MASTER_ADDR host2: is no address of host1" "export MASTER_ADDR=host2" "$run_line"
  refused no-interface "eth7: there is no such interface" "srun $run_line --interface eth7"
  local host # on both: either rank may be the first to say so
  for host in host1 host2; do "$here/cluster.sh" in "$host" ip link add wan0 type veth peer name wan1; done
  refused interface-down "wan0: the interface is down on host" "srun $run_line --interface wan0"
  refused interface-down-wrapped "wan0: the interface is down on host" "$run_line --interface wan0"
  CLUSTER_BYSTANDER=1 "$here/cluster.sh" in host1 python3 -c 'import socket, time
s = socket.create_server(("", 29602))
time.sleep(60)' &
  disown
  sleep 0.5
  refused taken-port ":29602: the port is taken" "export MASTER_ADDR=host1 MASTER_PORT=29602" "$run_line"
  refused taken-port-srun ":29602: the port is taken" "export MASTER_PORT=29602" "srun $run_line"
}
# Ranks that srun starts where the run folder is each host's own: without it they say what they lack, with the two
# variables they need none, and Tradewind's own srun does not either.
scenario_no_shared_folder() {
  local i name apart code=0
  for ((i = 1; i <= hosts; i++)); do
    mkdir -p apart
    "$here/cluster.sh" in "host$i" mount -t tmpfs apart "$work/apart"
  done
  apart="tradewind ${forecast[*]} --run-dir apart/run"
  salloc -N2 -n2 srun $apart output.grib.path=apart.grib >apart.log 2>&1 || code=$?
  [ "$code" = 75 ] || fail "without a shared folder: left with $code"
  grep -qE "host2: rank 1 did not find the launcher of rank 0 within 30 s: there is no .*apart/run/control-.*\.json" apart.log ||
    fail "without a shared folder: nothing says which file is missing"
  await_no_pids || fail "without a shared folder: processes left behind"
  say "without a shared folder: $(grep -o 'rank 1 did not find .*' apart.log)"
  TRADEWIND_CONTROL=host1:29700 TRADEWIND_TOKEN=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n') \
    salloc -N2 -n2 srun $apart output.grib.path=by-variables.grib >by-variables.log 2>&1 || fail "by variables: left with $?"
  check_equal by-variables 2
  batch self-wrapped -N2 -n2 -- "$apart output.grib.path=self-wrapped.grib"
  check_equal self-wrapped 2
}
scenario_examples() { # the batch scripts of examples/launch, as they are
  local script ranks
  cp "$here/../../examples/launch/config.yaml" examples.yaml
  for script in srun without-srun two-hosts; do
    ranks=2
    [ "$script" = two-hosts ] && ranks=4
    mkdir "$script"
    ln -s "$work/inference-last.ckpt" "$work/input.grib" "$script/"
    sed 's/^  grib: forecast.grib/  grib: {path: forecast.grib, templates: [{input: {tp: 2t, tcc: 2t, lsm: 2t, z: 2t}}, builtin]}/' \
      examples.yaml >"$script/config.yaml"
    (cd "$script" && sbatch --wait --output="$work/$script.log" "$here/../../examples/launch/$script.sbatch" lead_time=12h precision=f32 \
      --run-dir run >"$work/$script.sbatch.log" 2>&1) || fail "the example $script.sbatch left with $?"
    local_forecast "$ranks"
    tradewind compare "$script/forecast.grib" "local-$ranks.grib" >"$script.compare.log" 2>&1 || fail "the example $script.sbatch"
    say "example $script.sbatch: equal to the local forecast of $ranks ranks"
  done
}

# ---- mpirun and torchrun on the same hosts ---------------------------------------------------------------------------
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
need() { # need PROGRAM: skips the rest when it is not installed
  command -v "$1" >/dev/null && return
  say "skipped: $1 is not installed"
  exit 77
}
# host_list N SEPARATOR: host1:N, host2:N and so on
host_list() {
  local i list=
  for ((i = 1; i <= hosts; i++)); do list+="${list:+,}host$i:$1"; done
  echo "$list"
}
scenario_openmpi() {
  need mpirun.openmpi
  name=openmpi
  timeout 300 mpirun.openmpi -n $((2 * hosts)) --host "$(host_list 2)" --mca plm rsh --mca plm_rsh_agent "$here/rsh.sh" \
    -x PATH -x OMP_NUM_THREADS --bind-to none tradewind "${forecast[@]}" output.grib.path=openmpi.grib --run-dir openmpi \
    >openmpi.log 2>&1 || fail "mpirun left with $?"
  check_equal openmpi $((2 * hosts))
}
scenario_openmpi_in_slurm() { # Slurm's variables are those of mpirun's daemons here
  need mpirun.openmpi
  batch openmpi-in-slurm -N2 -n4 -- "mpirun.openmpi -n 4 --bind-to none $run_line"
  check_equal openmpi-in-slurm 4 "host1:3 host2:1"
}
scenario_mpich() {
  need mpiexec.hydra
  timeout 300 mpiexec.hydra -n $((2 * hosts)) -hosts "$(host_list 2)" -launcher rsh -launcher-exec "$here/rsh.sh" \
    tradewind "${forecast[@]}" output.grib.path=mpich.grib --run-dir mpich >mpich.log 2>&1 || fail "mpiexec left with $?"
  check_equal mpich $((2 * hosts))
}
scenario_torchrun() {
  torchrun=${TRADEWIND_TORCHRUN:-torchrun}
  need "$torchrun"
  local i pids=() code=0
  for ((i = 0; i < hosts; i++)); do
    "$here/cluster.sh" in "host$((i + 1))" env -C "$work" timeout 300 "$torchrun" --nnodes "$hosts" --nproc-per-node 2 \
      --node-rank "$i" --master-addr host1 --master-port 29511 --no-python \
      tradewind "${forecast[@]}" output.grib.path=torchrun.grib --run-dir torchrun >"torchrun-$i.log" 2>&1 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || code=$?; done
  [ "$code" = 0 ] || fail "torchrun left with $code"
  check_equal torchrun $((2 * hosts))
}

for scenario in "$@"; do "scenario_$scenario"; done
