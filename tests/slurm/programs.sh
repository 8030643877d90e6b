#!/usr/bin/env bash
# Programs that are not ours under a real Slurm, mpirun and torchrun, four ranks on two simulated hosts: a healthy one, and
# one in whose rank 1 a fault happens. Verdict, exit code, report, and that nothing is left on any host.
#   programs.sh BY [FAULT...]       BY: wrapped (Tradewind calls srun), srun, openmpi, mpich, torchrun
# Needs a Python with torch, TRADEWIND_TORCH_PYTHON. Skips (exit code 77) with a reason without it or without hosts.
set -euo pipefail
# shellcheck source=tests/slurm/hosts.sh
. "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"
by=${1:?usage: programs.sh wrapped|srun|openmpi|mpich|torchrun [FAULT...]}
shift
skip() { say "skipped: $*"; exit 77; }
python=${TRADEWIND_TORCH_PYTHON:-python3}
"$python" -c 'import torch.distributed' 2>/dev/null || skip "no Python with torch; set TRADEWIND_TORCH_PYTHON"
torchrun=${TRADEWIND_TORCHRUN:-torchrun}
case $by in
  openmpi) command -v mpirun.openmpi >/dev/null || skip "mpirun.openmpi is not installed" ;;
  mpich) command -v mpiexec.hydra >/dev/null || skip "mpiexec.hydra is not installed" ;;
  torchrun) command -v "$torchrun" >/dev/null || skip "torchrun is not installed; set TRADEWIND_TORCHRUN" ;;
esac
hosts_begin 2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
hang_after=12

on_hosts() { # on_hosts NAME CMD...: starts it in four ranks, whoever does that here
  local name=$1 i pids=() code=0
  shift
  case $by in
    wrapped) salloc -N2 -n4 "$@" >"$name.log" 2>&1 ;;
    srun) salloc -N2 -n4 srun "$@" >"$name.log" 2>&1 ;;
    openmpi)
      mpirun.openmpi -n 4 --host host1:2,host2:2 --mca plm rsh --mca plm_rsh_agent "$here/rsh.sh" -x PATH -x OMP_NUM_THREADS \
        --bind-to none "$@" >"$name.log" 2>&1
      ;;
    mpich) mpiexec.hydra -n 4 -hosts host1:2,host2:2 -launcher rsh -launcher-exec "$here/rsh.sh" "$@" >"$name.log" 2>&1 ;;
    torchrun)
      for i in 0 1; do
        "$here/cluster.sh" in "host$((i + 1))" env -C "$work" "$torchrun" --nnodes 2 --nproc-per-node 2 --node-rank "$i" \
          --master-addr host1 --master-port 29511 --no-python "$@" >"$name-$i.log" 2>&1 &
        pids+=($!)
      done
      for i in "${pids[@]}"; do wait "$i" || code=$?; done
      return "$code"
      ;;
  esac
}

# tried FAULT CODE VERDICT: what the report must say; VERDICT: - none.
tried() {
  local fault=$1 code=0
  on_hosts "$fault" timeout 300 tradewind exec --hang stop --hang-after "$hang_after" --run-dir "$fault" -- \
    "$python" "$here/../faults/program_of_ranks.py" "$fault" 1 8 || code=$?
  python3 - "$by" "$fault" "$code" "$2" "$3" <<'PY' || fail "$fault"
import json, sys
by, fault, left, code, verdict = sys.argv[1:]
report = json.load(open(f"{fault}/report.json"))
hang, error = report.get("hang"), report.get("error")
assert report["exit_code"] == int(code), report
hosts = sorted(rank["host"] for rank in report["ranks"])
assert hosts == ["host1", "host1", "host2", "host2"] or (by in ("wrapped", "srun") and set(hosts) == {"host1", "host2"}), hosts
if by == "wrapped":
    assert left == code, f"exit code {left}"
assert (left == "0") == (code == "0"), f"exit code {left}"
if code == "0":
    assert report["status"] == "done" and not hang, report
else:
    assert (hang["verdict"] if hang else "-") == verdict, (hang, error)
    named = [one["rank"] for one in hang["culprits"]] if hang else [error["rank"]]
    assert named == [1], (named, hang, error)
    if fault in ("loop", "sleep"):
        assert any(fault + "s" in line for line in hang["culprits"][0]["python"]), hang["culprits"]
    if fault == "exception":
        assert any("fails" in line for line in error["python"]), error
what = hang["what"] if hang else (error or {}).get("what", "done")
seconds = f", {hang['seconds_to_verdict']:.0f} s" if hang else ""
print(f"| {by} | {fault} | {what} | {hang['certainty'] if hang else ''} | {left}{seconds} |")
PY
  await_no_pids || fail "$fault: left behind: $(ps -o pid,args -p "$(job_pids | paste -sd,)")"
}

faults=("$@")
[ $# -gt 0 ] || faults=(none kill exception loop)
for fault in "${faults[@]}"; do
  case $fault in
    none) tried none 0 - ;;
    kill) tried kill 137 - ;;
    exception) tried exception 1 - ;;
    loop | sleep) tried "$fault" 110 "missing rank" ;;
    stop) tried stop 110 stopped ;;
    order | shape) tried "$fault" 110 "different call" ;;
    *) fail "no such fault: $fault" ;;
  esac
done
