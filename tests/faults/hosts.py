#!/usr/bin/env python3
"""hosts.py BIN [FAULT...]: real forecasts of four ranks on two simulated hosts under a real Slurm (tests/slurm/cluster.sh),
with a fault on the second host: in a rank, by the worker of drills; on the network between the ranks while their
launchers still reach each other; of the whole host. Checks verdict, culprit, seconds, exit code, report and that no
process is left on any host. Prints a table. Skips (exit code 77) where hosts cannot be simulated."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from watched import Pace, Run, Table, check_hang

CLUSTER = Path(__file__).parents[1] / "slurm" / "cluster.sh"
GOLDEN = Path(__file__).parents[1] / "golden" / "gt-transformer"
CONFIRM = 8  # seconds to confirm a hang in a step
HANG_AFTER = 10  # instead of the 120 s of outputs
HOST, RANK = "host2", 2

# fault: what the worker does, verdict, culprits, exit code, seconds, what the error says
FAULTS = {
    "kill": ("kill", None, None, 137, 2, "signal 9"),
    "stop": ("stop", "stopped", [RANK], 110, CONFIRM + 2, "stopped by a signal"),
    "output": ("output", "blocked in I/O", [RANK], 110, HANG_AFTER + 5, "drill-pipe"),
    "shape": ("shape", "different call", [RANK], 110, CONFIRM + 5, "another call than the others"),
    "absent": ("absent", "missing rank", [RANK], 110, CONFIRM + 5, "does not come to collective"),
    "network": ("slow-rank", "network", [], 110, CONFIRM + 10, "the network between them"),
    "host": ("slow-rank", None, None, 1, 10, "host unreachable"),
}


def cluster(*words, **options):
    return subprocess.run([CLUSTER, *words], check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def drop_data_ports():
    """Between the workers of HOST and the other host's; launchers have other ports."""
    sockets = cluster("in", HOST, "ss", "-Htnp", "state", "established")
    ports = {re.search(r":(\d+)\s", line)[1] for line in sockets.splitlines() if '"tradewind-drill"' in line}
    assert ports, sockets
    listed = ", ".join(sorted(ports))
    rules = f"""table inet cut {{
      chain incoming {{ type filter hook input priority 0; iif != lo tcp dport {{ {listed} }} drop; }}
      chain outgoing {{ type filter hook output priority 0; oif != lo tcp sport {{ {listed} }} drop; }}
    }}"""
    cluster("in", HOST, "nft", "-f", "-", input=rules)


def ours(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("tradewind")
    except OSError:
        return False


def left():
    """Of ours: Slurm's own helper waits longer for a host that it cannot reach."""
    for _ in range(70):
        pids = [pid for pid in cluster("pids").split() if ours(pid)]
        if not pids:
            break
        time.sleep(0.1)
    return pids


def run_fault(tradewind, fault, folder):
    injected, verdict, culprits, expected, deadline, says = FAULTS[fault]
    command = ["salloc", "-Q", "-N2", "--ntasks-per-node=2", tradewind, "run", str(GOLDEN / "config.yaml"), "runner=parallel",
               f"checkpoint={GOLDEN / 'inference-last.ckpt'}", f"input.grib={GOLDEN / 'input.grib'}",
               f"output.grib.path={folder}/forecast.grib", "lead_time=30d", "--run-dir", folder]
    if fault == "output":
        command += ["--hang-after", str(HANG_AFTER)]
    run = Run(command, folder, {"TRADEWIND_WORKER": str(Path(tradewind).with_name("tradewind-drill-worker")),
                                "TRADEWIND_DRILL": f"fault={injected},rank={RANK},step=3,path={folder}/drill-pipe"})
    begin = run.when("step 2/")
    if fault == "network" and begin:
        drop_data_ports()
        begin = time.monotonic()
    if fault == "host" and begin:
        cluster("cut", HOST)
        begin = time.monotonic()
    told = run.told()
    code = run.end()
    faults = []
    if code != expected:
        faults.append(f"exit code {code} instead of {expected}")
    report = run.report()
    hang = report.get("hang")
    if verdict:
        faults += check_hang(hang, verdict, culprits, 4)
    elif hang:
        faults.append(f"a verdict: {hang['what']}")
    elif report["error"]["rank"] not in ((RANK, RANK + 1) if fault == "host" else (RANK,)):
        faults.append(f"rank {report['error']['rank']} is blamed")
    if says not in run.text():
        faults.append(f"the text does not say '{says}'")
    if pids := left():
        faults.append(f"processes left: {pids}")
    return run, code, hang, told - begin if told and begin else None, deadline, faults


def what_else_is_missing():
    for name in ("ss", "nft", "salloc"):
        if not shutil.which(name):
            return f"the program {name}"
    tried = subprocess.run(["unshare", "--net", "nft", "add", "table", "inet", "cut"], stderr=subprocess.DEVNULL)
    return "nftables" if tried.returncode else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("faults", nargs="*")
    options = parser.parse_intermixed_args()
    tradewind = str((Path(options.bin) / "tradewind").resolve())
    place = tempfile.mkdtemp(prefix="tradewind-cluster-")
    os.environ["CLUSTER_DIR"] = place
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    lack = cluster("missing").strip() or what_else_is_missing()
    if lack:
        os.rmdir(place)
        print(f"skipped: this machine lacks {lack}, which simulated hosts need")
        sys.exit(77)
    try:
        cluster("start", "2")
        os.environ["SLURM_CONF"] = f"{place}/etc/slurm.conf"
        table = Table("fault, two hosts")
        for fault in options.faults or FAULTS:
            with tempfile.TemporaryDirectory(prefix="tradewind-fault-") as folder, Pace() as pace:
                run, code, hang, seconds, deadline, faults = run_fault(tradewind, fault, folder)
                allowed = pace.allowed(deadline)
                if seconds is None or seconds > allowed:
                    faults.append("too late")
                table.row(fault, code, hang, seconds, allowed, faults, run.text())
    finally:
        cluster("stop")
        shutil.rmtree(place, ignore_errors=True)
    sys.exit(bool(table.bad))


main()
