#!/usr/bin/env python3
"""The measuring behind compare.sh: runs both programs in turn on links of each case and prints one table."""
from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

UNITS = {"hour": 3600.0, "minute": 60.0, "second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6}


class Memory(threading.Thread):
    """Peak resident memory of a process and all its descendants, from VmHWM in /proc (a high-water mark kept by the
    kernel: only the time of a process's end matters, not the rate of looking)."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.root, self.peaks, self.done = pid, {}, threading.Event()

    def run(self):
        while not self.done.wait(0.02):
            self.look()

    def look(self):
        pids = [self.root]
        for pid in pids:  # grows while it is walked
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    pids += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
                found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
            except OSError:  # ended meanwhile
                continue
            if found:
                self.peaks[pid] = max(self.peaks.get(pid, 0), int(found[1]) * 1024)


def measured(command, folder, log, threads):
    """(wall seconds, peak bytes of all processes together, of the largest) of one run."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
                   "OPENBLAS_NUM_THREADS": str(threads)}
    with open(log, "w") as file:
        begin = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT)
        memory = Memory(process.pid)
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        memory.done.set()
        memory.join()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "".join(f"  | {line}\n" for line in Path(log).read_text().splitlines()[-8:])
        sys.exit(f"error: exit code {process.returncode} from {' '.join(map(str, command))}\n{tail}"
                 f"  remedy: see {log}; both programs must run the case")
    # A process may end between two looks; the kernel's own account of the largest has no such gap.
    largest = max([usage.ru_maxrss * 1024, *memory.peaks.values()])
    return wall, max(largest, sum(memory.peaks.values())), largest


def seconds_of(text):
    """'1 minute 5 seconds', '0.3 seconds', '60.3 milliseconds', 'instantaneous'"""
    return sum(float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+) (\w+?)s?\b", text) if unit in UNITS)


def reference_steps(log):
    """Seconds of each model call that the reference logs (of the first rank that does)."""
    return [seconds_of(text) for text in re.findall(r"Forecasting \(.*?\).*?: (.+?)\.?$", Path(log).read_text(), re.M)]


def run_reference(case, scratch, options):
    folder, log = linked(case, scratch / "reference"), scratch / "reference.log"
    overrides = list(options.overrides)
    if options.world_size > 1:
        overrides.append(f"runner.parallel.cluster.manual={options.world_size}")
    command = [os.environ["PEER"], "run", "config.yaml", *overrides]
    wall, total, largest = measured(command, folder, log, options.threads)
    calls = reference_steps(log)
    step = statistics.median(calls[1:] or calls) if calls else None
    return {"wall": wall, "step": step, "first_step": calls[0] if calls else None, "memory": total, "largest": largest}


def run_ours(case, scratch, options):
    folder, log = linked(case, scratch / "ours"), scratch / "ours.log"
    overrides = list(options.overrides)
    if options.world_size > 1:
        overrides += ["runner=parallel", f"world_size={options.world_size}"]
    command = [Path(os.environ["TRADEWIND_BIN"]).resolve() / "tradewind", "run", "config.yaml", "--run-dir", "run",
               "--report", "report.json", *overrides]
    wall, total, largest = measured(command, folder, log, options.threads)
    report = json.loads((folder / "report.json").read_text())
    seconds = report["seconds"]
    step = seconds["step_median"] or seconds["first_step"]
    return {"wall": wall, "step": step, "first_step": seconds["first_step"], "memory": total, "largest": largest}


def linked(case, folder):
    """A fresh folder that links to the case's files, so that outputs land in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in case.iterdir():
        if not file.name.startswith(("reference", "output")):
            (folder / file.name).symlink_to(file)
    return folder


def spread(values, unit=1.0, digits=2):
    """median [min-max]"""
    values = [v / unit for v in values if v is not None]
    if not values:
        return "-"
    shown = f"{statistics.median(values):.{digits}f}"
    return shown if len(values) == 1 else f"{shown} [{min(values):.{digits}f}-{max(values):.{digits}f}]"


def ratio(theirs, ours):
    if any(v is None for v in (*theirs, *ours)):
        return "-"
    return f"{statistics.median(theirs) / statistics.median(ours):.2f}"


def main():
    p = argparse.ArgumentParser(prog="compare.sh", description="ours against an installed anemoi-inference")
    p.add_argument("cases", nargs="+", type=Path, metavar="CASE_DIR")
    p.add_argument("--repeat", type=int, default=3, help="runs of each program per case (default 3)")
    p.add_argument("--threads", type=int, default=2, help="threads of each rank, of both programs (default 2)")
    p.add_argument("--world-size", type=int, default=1, help="ranks, of both programs (default 1)")
    p.add_argument("--json", type=Path, metavar="FILE", help="write every single figure there")
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    options = p.parse_args(arguments[:cut])
    options.overrides = arguments[cut + 1:]
    for case in options.cases:
        if not (case / "config.yaml").exists():
            sys.exit(f"error: {case} has no config.yaml\n  remedy: give a folder in which `anemoi-inference run` works")

    rows, everything = [], {}
    for case in options.cases:
        case = case.resolve()
        runs = {"reference": [], "ours": []}
        scratch = Path(tempfile.mkdtemp(prefix="tradewind-bench-"))  # stays, with the logs, when a run fails
        for turn in range(options.repeat):
            for name, run in (("reference", run_reference), ("ours", run_ours)):
                one = run(case, scratch, options)
                runs[name].append(one)
                print(f"{case.name}: {name} {turn + 1}/{options.repeat}: {one['wall']:.2f} s", file=sys.stderr)
        shutil.rmtree(scratch)
        everything[case.name] = runs
        get = lambda who, what: [r[what] for r in runs[who]]
        for what, title, unit, digits in (("wall", "wall, s", 1.0, 2), ("step", "step, s", 1.0, 3),
                                          ("memory", "memory, MB", 1e6, 0), ("largest", "largest process, MB", 1e6, 0)):
            a, b = get("reference", what), get("ours", what)
            if what != "largest" or options.world_size > 1:
                rows.append((case.name if what == "wall" else "", title, spread(a, unit, digits),
                             spread(b, unit, digits), ratio(a, b)))

    head = ("case", "", "reference", "ours", "reference / ours")
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(5)]
    line = lambda r: "  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip()
    print(f"\n{options.threads} threads a rank, {options.world_size} rank(s), {options.repeat} run(s) each in turn; "
          "median [min-max]")
    print(line(head))
    for row in rows:
        print(line(row))
    if options.json:
        options.json.write_text(json.dumps({"threads": options.threads, "world_size": options.world_size,
                                            "cases": everything}, indent=1))


if __name__ == "__main__":
    main()
