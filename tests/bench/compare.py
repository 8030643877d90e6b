#!/usr/bin/env python3
"""The measuring behind compare.sh: runs both programs in turn on links of each case and prints its figures and, of all
cases, one table of ratios."""
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

HERE = Path(__file__).resolve().parent


class Failed(Exception):
    """A program that did not run a case: the first line says why."""


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
        lines = [line.strip() for line in Path(log).read_text().splitlines() if line.strip()]
        named = [line for line in lines if line.startswith("error:") or re.match(r"[\w.]*(Error|Exception)\b", line)]
        raise Failed("\n".join([(named or lines or ["no message"])[-1], f"exit code {process.returncode}, log: {log}"]))
    # A process may end between two looks; the kernel's own account of the largest has no such gap.
    largest = max([usage.ru_maxrss * 1024, *memory.peaks.values()])
    return wall, max(largest, sum(memory.peaks.values())), largest


def run_reference(case, scratch, options):
    folder, log = linked(case, scratch / "reference"), scratch / "reference.log"
    python = Path(os.environ["PEER"]).parent / "python"
    if is_forecast(case):
        overrides = list(options.overrides)
        if options.world_size > 1:
            overrides.append(f"runner.parallel.cluster.manual={options.world_size}")
        wall, total, largest = measured([python, HERE / "steps_reference.py", "run", "config.yaml", *overrides], folder,
                                        log, options.threads)
        calls = [float(seconds) for seconds in re.findall(r"^step: ([\d.]+) s", log.read_text(), re.M)]
    else:
        if options.world_size > 1:
            raise Failed("the reference's model is called on one rank only")
        wall, total, largest = measured([python, HERE / "predict_reference.py", "inference-last.ckpt", case /
                                         "reference.npz", "y.npz"], folder, log, options.threads)
        calls = [float(seconds) for seconds in re.findall(r"^model call: ([\d.]+) s$", log.read_text(), re.M)]
    step = statistics.median(calls[1:] or calls) if calls else None
    return {"wall": wall, "step": step, "first_step": calls[0] if calls else None, "memory": total, "largest": largest}


def run_ours(case, scratch, options):
    folder, log = linked(case, scratch / "ours"), scratch / "ours.log"
    program = Path(os.environ["TRADEWIND_BIN"]).resolve() / "tradewind"
    if is_forecast(case):
        overrides = list(options.overrides)
        if options.world_size > 1:
            overrides += ["runner=parallel", f"world_size={options.world_size}"]
        command = [program, "run", "config.yaml", "--run-dir", "run", "--report", "report.json", *overrides]
    else:
        command = [program, "predict", "inference-last.ckpt", case / "reference.npz", "y.npz", "--world-size",
                   str(options.world_size), "--report", "report.json"]
    wall, total, largest = measured(command, folder, log, options.threads)
    seconds = json.loads((folder / "report.json").read_text())["seconds"]
    step = seconds["step_median"] or seconds["first_step"]
    return {"wall": wall, "step": step, "first_step": seconds["first_step"], "memory": total, "largest": largest}


def is_forecast(case):
    """Else it is one call of the model: reference.npz holds its x."""
    return (case / "config.yaml").exists()


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
    if not theirs or not ours or None in theirs or None in ours:
        return "-"
    return f"{statistics.median(theirs) / statistics.median(ours):.2f}"


def run_case(case, options):
    """{"reference": [figures of each run], "ours": [...]}, and {program: why it does not run the case}."""
    runs, failures = {"reference": [], "ours": []}, {}
    scratch = Path(tempfile.mkdtemp(prefix="tradewind-bench-"))  # stays, with the logs, when a run fails
    for turn in range(options.repeat):
        for name, run in (("reference", run_reference), ("ours", run_ours)):
            if name in failures:
                continue
            try:
                one = run(case, scratch, options)
            except Failed as failure:
                failures[name] = str(failure)
                print(f"{case.name}: {name} fails: {failure}", file=sys.stderr)
                continue
            runs[name].append(one)
            print(f"{case.name}: {name} {turn + 1}/{options.repeat}: {one['wall']:.2f} s", file=sys.stderr)
    if not failures:
        shutil.rmtree(scratch)
    return runs, failures


FIGURES = (("wall", "wall, s", 1.0, 2), ("step", "step, s", 1.0, 3), ("memory", "memory, MB", 1e6, 0),
           ("largest", "largest process, MB", 1e6, 0))


def print_table(head, rows, left=1):
    """Columns as wide as their content, the first `left` of them flush left."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def print_results(results, options):
    get = lambda case, who, what: [run[what] for run in results[case][0][who]]
    print(f"\n{options.threads} threads a rank, {options.world_size} rank(s), {options.repeat} run(s) each in turn; "
          "median [min-max]")
    rows = []
    for case in results:
        for what, title, unit, digits in FIGURES:
            if what != "largest" or options.world_size > 1:
                a, b = get(case, "reference", what), get(case, "ours", what)
                rows.append((case if what == "wall" else "", title, spread(a, unit, digits), spread(b, unit, digits),
                             ratio(a, b)))
    print_table(("case", "", "reference", "ours", "reference / ours"), rows, left=2)
    if len(results) > 1:
        print("\nreference / ours: how many times less we take")
        print_table(("case", "wall", "time per step", "peak memory"),
                    [(case, *(ratio(get(case, "reference", what), get(case, "ours", what))
                              for what in ("wall", "step", "memory"))) for case in results])
    for case, (_, failures) in results.items():
        for who, why in failures.items():
            first, *rest = why.splitlines()
            print(f"{case}: {who} does not run it: {first}" + "".join(f" ({line})" for line in rest))


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
        if not is_forecast(case) and not (case / "reference.npz").exists():
            sys.exit(f"error: {case} has neither config.yaml nor reference.npz\n"
                     "  remedy: give a folder in which `anemoi-inference run` works, or one of tests/golden/legacy")

    results = {case.resolve().name: run_case(case.resolve(), options) for case in options.cases}
    print_results(results, options)
    if options.json:
        options.json.write_text(json.dumps({
            "threads": options.threads, "world_size": options.world_size,
            "cases": {case: runs for case, (runs, _) in results.items()},
            "failures": {case: failures for case, (_, failures) in results.items() if failures}}, indent=1))
    # A case that the reference cannot run is left out; one that we cannot run is a fault.
    sys.exit(any("ours" in failures for _, failures in results.values()))


if __name__ == "__main__":
    main()
