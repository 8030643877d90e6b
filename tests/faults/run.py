#!/usr/bin/env python3
"""run.py BIN [--ranks N] [--short] [FAULT...]: lets each fault happen in a real run, by `tradewind drill`, and checks
verdict, culprit, exit code, report, deadline and that no process is left. Prints a table: fault, verdict, seconds."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = json.loads((Path(__file__).parents[2] / "proto" / "hang.schema.json").read_text())
CONFIRM = 8  # seconds to confirm a hang in a step
SLACK = 15  # this machine may be busy
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
MISMATCHES = {"skip", "operation", "dtype", "shape"}  # of two ranks none is the wrong one
SHORT = ["kill", "segv", "error", "stop", "absent", "shape", "output", "pause"]
# Gloo aborts the rank that receives too much; the verdict comes only if the sender has not gone on meanwhile. By name.
RACES = {"split"}


def check_schema(schema, value, where, faults):
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None)}
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(isinstance(value, kinds[t]) for t in types):
        faults.append(f"{where} is no {types}")
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{where} is {value!r}")
    if isinstance(value, list) and "items" in schema:
        for item in value:
            check_schema(schema["items"], item, where + "[]", faults)
    if isinstance(value, dict) and "properties" in schema:
        faults += [f"{where}.{name} is missing" for name in schema["required"] if name not in value]
        for name, member in value.items():
            if name in schema["properties"]:
                check_schema(schema["properties"][name], member, f"{where}.{name}", faults)
            else:
                faults.append(f"{where}.{name} is unknown")


def processes_with(mark):
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark.encode() in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            pass
    return found


class MemoryGroup:
    """A control group (version 1) that holds the launcher and its ranks; None where there is none to be had."""

    def __init__(self, mebibytes):
        self.path = None
        try:
            lines = Path("/proc/self/cgroup").read_text().splitlines()
            own = next(line.split(":")[2] for line in lines if line.split(":")[1] == "memory")
            path = Path("/sys/fs/cgroup/memory") / own.lstrip("/") / f"tradewind-test-{os.getpid()}"
            path.mkdir()
            self.path = path
            (path / "memory.limit_in_bytes").write_text(str(mebibytes << 20))
        except (OSError, StopIteration):
            self.close()

    def enter(self):
        (self.path / "tasks").write_text(str(os.getpid()))

    def close(self):
        if self.path and self.path.exists():
            self.path.rmdir()
        self.path = None


def drill(launcher, fault, ranks, folder):
    """Exit code, report, standard error, seconds from the end of step 2 to the verdict, processes left."""
    verdict, _, _, _ = FAULTS[fault]
    command = [launcher, "drill", fault, "--world-size", str(ranks), "--rank", str(RANK), "--run-dir", folder]
    if fault in ("output", "input"):
        command += ["--hang-after", str(HANG_AFTER)]
    mark = f"TRADEWIND_TEST_MARK={folder}"
    group = MemoryGroup(1500) if fault == "memory" else None
    if group and not group.path:
        return None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                               env={**os.environ, "TRADEWIND_TEST_MARK": folder, "OMP_NUM_THREADS": "1"},
                               preexec_fn=group.enter if group else None)
    lines, begin, told = [], None, None
    for line in process.stderr:
        lines.append(line)
        if line.startswith("step 2/"):
            begin = time.monotonic()
        if told is None and (line.startswith("the run hangs") or line.startswith("error:")):
            told = time.monotonic()
    code = process.wait()
    left = processes_with(mark)
    if group:
        group.close()
    report = json.loads((Path(folder) / "report.json").read_text())
    seconds = told - begin if told and begin else None
    return code, report, "".join(lines), seconds, left


def check(fault, ranks, code, report, text, seconds, left):
    verdict, expected_code, deadline, says = FAULTS[fault]
    faults = []
    if ranks == 2 and fault in MISMATCHES:
        verdict, says = "disagreement", "disagree"
    if code != expected_code:
        faults.append(f"exit code {code} instead of {expected_code}")
    if report["exit_code"] != code:
        faults.append("the report has another exit code")
    hang = report.get("hang")
    if verdict is None and hang is not None:
        faults.append(f"a verdict: {hang['what']}")
    if verdict is not None:
        if hang is None:
            faults.append("no verdict")
        else:
            check_schema(SCHEMA, hang, "hang", faults)
            culprits = [c["rank"] for c in hang["culprits"]]
            if hang["verdict"] != verdict:
                faults.append(f"verdict {hang['verdict']}")
            if culprits != ([] if verdict == "disagreement" else [RANK]):
                faults.append(f"culprits {culprits}")
            for rank in range(ranks):
                if not (Path(hang["dump"]) / f"rank-{rank}.txt").exists():
                    faults.append(f"no dump of rank {rank}")
            if verdict == "blocked in I/O" and not hang["culprits"][0]["path"].endswith("drill-pipe"):
                faults.append(f"path {hang['culprits'][0]['path']}")
    if expected_code and expected_code != 110 and report["error"]["rank"] != RANK:
        faults.append(f"rank {report['error']['rank']} is blamed")
    if says not in text:
        faults.append(f"the text does not say '{says}'")
    if deadline and (seconds is None or seconds > deadline + SLACK):
        faults.append(f"{seconds} s, later than {deadline} + {SLACK}")
    if left:
        faults.append(f"processes left: {left}")
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("faults", nargs="*")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    names = options.faults or (SHORT if options.short else [name for name in FAULTS if name not in RACES])
    bad = 0
    print(f"{'fault':16} {'ranks':5} {'verdict':16} {'certainty':9} {'code':>4} {'seconds':>8} {'allowed':>8}  result")
    for fault in names:
        with tempfile.TemporaryDirectory(prefix="tradewind-fault-") as name:
            done = drill(str(Path(options.bin) / "tradewind"), fault, options.ranks, name)
            if done is None:
                print(f"{fault:16} {options.ranks:5} skipped: no control group of memory can be made here", flush=True)
                continue
            code, report, text, seconds, left = done
            faults = check(fault, options.ranks, *done)
        hang = report.get("hang") or {}
        verdict = hang.get("verdict") or ("none" if code == 0 else f"rank {report['error']['rank']}")
        print(f"{fault:16} {options.ranks:5} {verdict:16} {hang.get('certainty', '-'):9} {code:4} "
              f"{'-' if seconds is None else f'{seconds:.1f}':>8} {FAULTS[fault][2] or '-':>8}  "
              f"{'; '.join(faults) or 'ok'}", flush=True)
        if faults:
            bad += 1
            print("    " + "\n    ".join(text.splitlines()[-40:]), flush=True)
    sys.exit(bool(bad))


main()
