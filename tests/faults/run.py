#!/usr/bin/env python3
"""run.py BIN [--ranks N] [--short] [FAULT...]: lets each fault happen in a real run, by `tradewind drill`, and checks
verdict, culprit, exit code, report, deadline and that no process is left. Prints a table: fault, verdict, seconds from the
step before the fault to the verdict, and how many there may be: the deadline and 2 s (watched.SLACK), times what this
machine was slower than alone."""

import argparse
import os
import sys
from pathlib import Path

from memory_group import MemoryGroup
from watched import Pace, Run, Table, check_hang, temporary_folder

CONFIRM = 8  # seconds to confirm a hang in a step
HANG_AFTER = 15  # instead of the 120 s of inputs and outputs
RANK = 1

# fault: verdict (of `hang`), exit code, seconds from the last step to the verdict, what the error says
FAULTS = {
    "kill": (None, 137, 2, "signal 9"),
    "segv": (None, 139, 4, "signal 11"),
    "abort": (None, 134, 4, "signal 6"),
    "error": (None, 2, 2, "a drill's bad input"),
    "exit": (None, 3, 2, "left with exit code 3"),
    "memory": (None, 253, 20, "out of memory"),
    "stop": ("stopped", 110, CONFIRM + 2, "stopped by a signal"),
    "absent": ("missing rank", 110, CONFIRM + 5, "does not come to collective"),
    "loop": ("missing rank", 110, CONFIRM + 5, "does not come to collective"),
    "lock": ("missing rank", 110, CONFIRM + 5, "does not come to collective"),
    "skip": ("different call", 110, CONFIRM + 5, "another call than the others"),
    "operation": ("different call", 110, CONFIRM + 5, "another call than the others"),
    "dtype": ("different call", 110, CONFIRM + 5, "another call than the others"),
    "shape": ("different call", 110, CONFIRM + 5, "another call than the others"),
    "split": ("disagreement", 110, CONFIRM + 5, "disagree about how many rows"),
    "output": ("blocked in I/O", 110, HANG_AFTER + 5, "held up by the file"),
    "input": ("blocked in I/O", 110, HANG_AFTER + 5, "held up by the file"),
    "slow-rank": (None, 0, None, ""),
    "slow-first-step": (None, 0, None, ""),
    "pause": (None, 0, None, ""),
}
AT_HOST = {"absent", "loop", "lock"}  # the culprit's stack says where, when there is a tool that takes it
MISMATCHES = {"skip", "operation", "dtype", "shape"}  # of two ranks none is the wrong one
SHORT = ["kill", "segv", "error", "stop", "absent", "shape", "split", "output", "pause"]


def drill(launcher, fault, ranks, folder):
    command = [launcher, "drill", fault, "--world-size", str(ranks), "--rank", str(RANK), "--run-dir", folder]
    if fault in ("output", "input"):
        command += ["--hang-after", str(HANG_AFTER)]
    group = MemoryGroup(1500) if fault == "memory" else None
    if group and not group.path:
        return None
    run = Run(command, folder, preexec_fn=group.enter if group else None)
    run.code = run.end()
    run.remains = run.left()
    if group:
        group.close()
    begin, told = run.when("step 2/"), run.told()
    run.seconds = told - begin if told and begin else None
    return run


def check(fault, ranks, run, allowed):
    verdict, expected_code, _, says = FAULTS[fault]
    if ranks == 2 and fault in MISMATCHES:
        verdict, says = "disagreement", "disagree"
    report = run.report()
    hang = report.get("hang")
    faults = []
    if run.code != expected_code:
        faults.append(f"exit code {run.code} instead of {expected_code}")
    if report["exit_code"] != run.code:
        faults.append("the report has another exit code")
    if verdict is None and hang is not None:
        faults.append(f"a verdict: {hang['what']}")
    if verdict is not None:
        faults += check_hang(hang, verdict, [] if verdict == "disagreement" else [RANK], ranks)
        if hang and verdict == "blocked in I/O" and not hang["culprits"][0]["path"].endswith("drill-pipe"):
            faults.append(f"path {hang['culprits'][0]['path']}")
    has_tool = any(os.access(f"/usr/bin/{name}", os.X_OK) for name in ("eu-stack", "gdb"))
    if fault in AT_HOST and hang and hang["culprits"] and has_tool:
        if not any("FaultyCommunicator" in frame for frame in hang["culprits"][0]["stack"]):
            faults.append("the culprit's stack does not say where it is")
    if fault == "absent" and hang:
        faults += [f"no flight record of rank {rank}" for rank in range(ranks)
                   if "gloo:all_to_all" not in (Path(hang["dump"]) / f"rank-{rank}.txt").read_text()]
    if expected_code and expected_code != 110 and report["error"]["rank"] != RANK:
        faults.append(f"rank {report['error']['rank']} is blamed")
    if says not in run.text():
        faults.append(f"the text does not say '{says}'")
    if allowed and (run.seconds is None or run.seconds > allowed):
        faults.append("too late")
    if run.remains:
        faults.append(f"processes left: {run.remains}")
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("faults", nargs="*")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_intermixed_args()
    table = Table(f"fault, {options.ranks} ranks")
    for fault in options.faults or (SHORT if options.short else FAULTS):
        with temporary_folder() as folder, Pace() as pace:
            run = drill(str(Path(options.bin) / "tradewind"), fault, options.ranks, folder)
            if run is None:
                print(f"{fault:24} skipped: no control group of memory can be made here", flush=True)
                continue
            deadline = FAULTS[fault][2]
            allowed = pace.allowed(deadline) if deadline else None
            faults = check(fault, options.ranks, run, allowed)
            table.row(fault, run.code, run.report().get("hang"), run.seconds, allowed, faults, run.text())
    sys.exit(bool(table.bad))


main()
