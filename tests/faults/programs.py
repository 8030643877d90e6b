#!/usr/bin/env python3
"""Faults in programs that are not ours, under `tradewind exec`: verdict, time, certainty, exit code, nothing left behind.

    programs.py BIN [--program torch|reference] [--ranks 4] [--hang-after 12] [FAULT...]

`torch`: program_of_ranks.py, a small program in torch.distributed. It needs a Python with torch: TRADEWIND_TORCH_PYTHON, else
the one that runs this. `reference`: `anemoi-inference run` with `runner: parallel`, of the environment TRADEWIND_REFERENCE (a
folder with bin/anemoi-inference). Skipped (77) without. Prints a table.
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

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "helpers"))

from memory_group import MemoryGroup
from reference_program import reference_program, write_config

CULPRIT = 1
HANG, OUT_OF_MEMORY = 110, 253
# fault: (exit code, verdict or None, a Python frame of the culprit, seconds beyond the budget)
FAULTS = {
    "none": (0, None, None, 0),
    "kill": (137, None, None, 3),
    "crash": (139, None, "crashes", 4),
    "exception": (1, None, "fails", 4),
    "stop": (HANG, "stopped", None, 16),
    "skip": (HANG, "different call", None, 16),
    "order": (HANG, "different call", None, 16),
    "shape": (HANG, "different call", None, 16),
    "loop": (HANG, "missing rank", "loops", 16),
    "sleep": (HANG, "missing rank", "sleeps", 16),
    "read": (HANG, "blocked in I/O", "reads", 16),
    "write": (HANG, "blocked in I/O", "writes", 16),
    "leave": (HANG, "missing rank", None, 16),
    "memory": (OUT_OF_MEMORY, None, None, 40),
}
AT_ONCE = {"shape", "leave"}  # Gloo ends the others: no budget has to run out


class TorchProgram:
    memory = 2500  # MiB for four ranks and what one of them takes more
    slack = 0  # seconds more

    def __init__(self):
        self.python = None
        for python in (os.environ.get("TRADEWIND_TORCH_PYTHON"), sys.executable):
            asked = [python, "-c", "import torch.distributed"]
            if not self.python and python and subprocess.run(asked, stderr=subprocess.DEVNULL).returncode == 0:
                self.python = python
        self.lacks = None if self.python else "no Python with torch; set TRADEWIND_TORCH_PYTHON"

    def command(self, fault, pipe, folder):
        return [self.python, str(HERE / "program_of_ranks.py"), fault, str(CULPRIT), "8", str(pipe)], {}


class Reference:
    memory = 5000
    slack = 10  # until its Python has left

    def __init__(self):
        self.program = reference_program()
        self.lacks = None if self.program else "no anemoi-inference; set TRADEWIND_REFERENCE to its environment"

    def command(self, fault, pipe, folder):
        write_config(folder)
        variables = {"PYTHONPATH": str(HERE / "in_reference")}
        if fault != "none":
            variables["TRADEWIND_TEST_FAULT"] = f"{fault} {CULPRIT} 20 {pipe}"
        return [str(self.program), "run", "config.yaml"], variables


def processes_of(marker):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def run(options, program, fault, folder):
    pipe, keeper, group = folder / "pipe", None, None
    if fault in ("read", "write"):
        os.mkfifo(pipe)
        keeper = os.open(pipe, os.O_RDWR)  # its other end, which gives and takes nothing
    if fault == "memory":
        group = MemoryGroup(program.memory)
        if not group.path:
            return None
    marker = f"{fault}-{os.getpid()}-{time.time_ns()}"
    words, variables = program.command(fault, pipe, folder)
    # One that fills its memory is busy while it does.
    hang_after = 120 if fault == "memory" else options.hang_after
    words = [str(Path(options.bin).resolve() / "tradewind"), "exec", "--world-size", str(options.ranks), "--hang", "stop",
             "--hang-after", str(hang_after), "--run-dir", str(folder / "run"), "--", *words]
    began = time.time()
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, cwd=folder, preexec_fn=group and group.enter,
                          env=dict(os.environ, TRADEWIND_TEST_MARKER=marker, **variables))
    ended = time.time()
    if keeper:
        os.close(keeper)
    if group:
        group.close()
    report = json.loads((folder / "run" / "report.json").read_text())
    at = re.search(r"fault ([\d.]+)", done.stdout)
    seconds = ended - (float(at.group(1)) if at else began)
    time.sleep(0.3)
    return done, report, seconds, processes_of(marker)


def check(options, program, fault, done, report, seconds, left):
    code, verdict, frame, most = FAULTS[fault]
    problems = [f"left behind: {left}"] if left else []
    hang, error = report.get("hang"), report.get("error")
    if done.returncode != code:
        problems.append(f"exit code {done.returncode}, not {code}")
    if fault == "none":
        return problems + ([f"{report['status']}, hang {hang}"] if hang or report["status"] != "done" else [])
    # Ranks that Gloo has aborted leave no record: of two others none can be named.
    torn = verdict == "different call" and hang and hang["verdict"] == "disagreement"
    if (hang and hang["verdict"]) != verdict and not torn:
        problems.append(f"verdict {hang and hang['verdict']}, not {verdict}")
    named = [one["rank"] for one in hang["culprits"]] if hang else [error["rank"]]
    if named != ([] if torn else [CULPRIT]):
        problems.append(f"named {named}")
    python = (hang["culprits"][0]["python"] if hang and hang["culprits"] else error.get("python", []))
    if frame and not any(frame in line for line in python):
        problems.append(f"no Python frame {frame}: {python}")
    if seconds > (options.hang_after if code == HANG and fault not in AT_ONCE else 0) + most + program.slack:
        problems.append(f"{seconds:.1f} s")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("faults", nargs="*")
    parser.add_argument("--program", choices=("torch", "reference"), default="torch")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--hang-after", type=int, default=12)
    options = parser.parse_intermixed_args()
    program = Reference() if options.program == "reference" else TorchProgram()
    if program.lacks:
        print(f"skipped: {program.lacks}")
        sys.exit(77)
    failed = skipped = 0
    print("| fault in one rank | verdict | certainty | exit code | seconds |")
    print("|---|---|---|---|---|")
    for fault in options.faults or FAULTS:
        folder = Path(tempfile.mkdtemp(prefix="tradewind-programs-"))
        try:
            outcome = run(options, program, fault, folder)
            if outcome is None:
                skipped += 1
                print(f"{fault}: skipped: no control group of memory can be made here")
                continue
            done, report, seconds, _ = outcome
            problems = check(options, program, fault, *outcome)
            hang = report.get("hang")
            what = hang["verdict"] + ": " + hang["what"] if hang else report.get("error", {}).get("what", "")
            what = what.replace(str(folder), "")
            print(f"| {fault} | {what} | {hang['certainty'] if hang else ''} | {done.returncode} | {seconds:.1f} |")
            for problem in problems:
                failed += 1
                print(f"FAILED {fault}: {problem}")
            if problems:
                print(done.stdout[-2000:], done.stderr[-6000:], json.dumps(hang, indent=1))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.flush()
    sys.exit(1 if failed else 77 if skipped else 0)


main()
