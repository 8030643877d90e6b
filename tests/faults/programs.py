#!/usr/bin/env python3
"""Faults in a program that is not ours, under `tradewind exec`: verdict, time, certainty, exit code, nothing left behind.

    programs.py BIN [--ranks 4] [--hang-after 12] [FAULT...]

Needs a Python with torch: TRADEWIND_TORCH_PYTHON, else the one that runs this. Skipped (77) without. Prints the table of
docs/exec.md.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "program_of_ranks.py"
HANG = 110
# fault: (exit code, verdict or None, whether the rank is named, a Python frame of it, seconds beyond the budget)
FAULTS = {
    "none": (0, None, False, None, 0),
    "kill": (137, None, True, None, 3),
    "crash": (139, None, True, None, 4),
    "exception": (1, None, True, None, 4),
    "stop": (HANG, {"stopped"}, True, None, 16),
    "skip": (None, None, True, None, 16),
    "order": (None, None, True, None, 16),
    "shape": (None, None, True, None, 16),
    "loop": (HANG, {"missing rank"}, True, "loops", 16),
    "sleep": (HANG, {"missing rank"}, True, "sleeps", 16),
    "read": (HANG, {"blocked in I/O"}, True, "reads", 16),
    "write": (HANG, {"blocked in I/O"}, True, "writes", 16),
    "leave": (None, None, True, None, 16),
    "memory": (None, None, True, None, 40),
}


def torch_python():
    for python in (os.environ.get("TRADEWIND_TORCH_PYTHON"), sys.executable):
        if python and subprocess.run([python, "-c", "import torch.distributed"], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


def processes_of(marker):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def run(binary, python, fault, ranks, hang_after, folder):
    culprit = 1
    pipe = folder / "pipe"
    if fault in ("read", "write"):
        os.mkfifo(pipe)
        keeper = os.open(pipe, os.O_RDWR)  # its other end, which gives and takes nothing
    marker = f"{fault}-{os.getpid()}-{time.time_ns()}"
    words = [binary, "exec", "--world-size", str(ranks), "--hang", "stop", "--hang-after", str(hang_after),
             "--run-dir", str(folder / "run"), "--", python, str(PROGRAM), fault, str(culprit), "8", str(pipe)]
    began = time.time()
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, cwd=folder,
                          env=dict(os.environ, TRADEWIND_TEST_MARKER=marker))
    ended = time.time()
    if fault in ("read", "write"):
        os.close(keeper)
    report = json.loads((folder / "run" / "report.json").read_text())
    at = re.search(r"fault ([\d.]+)", done.stdout)
    seconds = ended - (float(at.group(1)) if at else began)
    time.sleep(0.3)
    return done, report, seconds, culprit, processes_of(marker)


def check(fault, done, report, seconds, culprit, left, hang_after):
    code, verdicts, named, frame, most = FAULTS[fault]
    problems = []
    hang = report.get("hang")
    if left:
        problems.append(f"left behind: {left}")
    if fault == "none":
        if done.returncode != 0 or hang or report["status"] != "done":
            problems.append(f"exit code {done.returncode}, hang {hang}, {report['status']}")
        return problems
    if done.returncode == 0:
        problems.append("exit code 0")
    if code is not None and done.returncode != code:
        problems.append(f"exit code {done.returncode}, not {code}")
    if verdicts is not None and (not hang or hang["verdict"] not in verdicts):
        problems.append(f"verdict {hang and hang['verdict']}, not {verdicts}")
    if code == HANG and hang:
        if [one["rank"] for one in hang["culprits"]] != [culprit]:
            problems.append(f"named {[one['rank'] for one in hang['culprits']]}")
        elif frame and not any(frame in line for line in hang["culprits"][0]["python"]):
            problems.append(f"no Python frame {frame}: {hang['culprits'][0]['python']}")
    if code != HANG and not hang and named and report["error"]["rank"] != culprit:
        problems.append(f"rank {report['error']['rank']} is to blame")
    if hang and hang["culprits"] and culprit not in [one["rank"] for one in hang["culprits"]]:
        problems.append(f"named {[one['rank'] for one in hang['culprits']]}")
    if seconds > (hang_after if code == HANG else 0) + most and code is not None:
        problems.append(f"{seconds:.1f} s")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("faults", nargs="*")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--hang-after", type=int, default=12)
    options = parser.parse_args()
    python = torch_python()
    if python is None:
        print("skipped: no Python with torch; set TRADEWIND_TORCH_PYTHON")
        sys.exit(77)
    binary = str(Path(options.bin) / "tradewind")
    failed = 0
    print("| fault in one rank | verdict | certainty | exit code | seconds |")
    print("|---|---|---|---|---|")
    for fault in options.faults or [name for name in FAULTS if name != "memory"]:
        folder = Path(tempfile.mkdtemp(prefix="tradewind-programs-"))
        try:
            outcome = run(binary, python, fault, options.ranks, options.hang_after, folder)
            done, report, seconds, culprit, left = outcome
            problems = check(fault, *outcome, options.hang_after)
            hang = report.get("hang")
            what = hang["verdict"] + ": " + hang["what"] if hang else report.get("error", {}).get("what", "")
            print(f"| {fault} | {what} | {hang['certainty'] if hang else ''} | {done.returncode} | {seconds:.1f} |")
            for problem in problems:
                failed += 1
                print(f"FAILED {fault}: {problem}")
            if problems:
                print(done.stdout[-2000:], done.stderr[-4000:])
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


main()
