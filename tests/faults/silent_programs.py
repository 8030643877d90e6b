#!/usr/bin/env python3
"""silent_programs.py BIN [--seconds N] [CASE...]: programs in torch.distributed under `tradewind exec` whose rank 1 keeps the
others waiting for that many seconds, though it is alive, all cases at once: nothing may be told, nothing stopped. Then it is
stopped for good, which must be told: the watch was not asleep. Prints a table. Exit code 77 when a case cannot be tried here.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAUSE = 20
HELD = 70  # seconds under the debugger at a stretch: longer than the time after which a program that stands still is told
CASES = ("slow_import", "compilation", "long_step", "debugger", "checkpoint", "phases")


def slow_disk(folder, over):
    with open(folder / "disk", "wb", buffering=0) as disk:
        while not over.wait(PAUSE):
            try:
                disk.write(bytes(1 << 16))
            except BrokenPipeError:
                return


def debug(folder, over, seconds):
    end = time.monotonic() + seconds
    while not (folder / "pid").exists() and not over.wait(0.2):
        pass
    while time.monotonic() < end and not over.wait(2):
        hold = str(max(1, min(HELD, int(end - time.monotonic()))))
        subprocess.run(["gdb", "-nx", "-batch", "-p", (folder / "pid").read_text(), "-ex", "shell sleep " + hold, "-ex", "detach"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tried(options, python, case):
    folder, over = Path(tempfile.mkdtemp(prefix="tradewind-silent-")), threading.Event()
    try:
        if case == "slow_import":
            os.mkfifo(folder / "disk")
            threading.Thread(target=slow_disk, args=(folder, over), daemon=True).start()
        if case == "debugger":
            threading.Thread(target=debug, args=(folder, over, options.seconds), daemon=True).start()
        words = ["nice", "-n", "10", str(Path(options.bin).resolve() / "tradewind"), "exec", "--world-size", "2", "--hang", "stop",
                 "--run-dir", str(folder / "run"), "--", python, str(HERE / "program_alive.py"), case, str(options.seconds), str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=options.seconds + 600, cwd=folder)
        over.set()
        report = json.loads((folder / "run" / "report.json").read_text())
        hang = report.get("hang")
        problems = []
        if "alive for" not in done.stdout:
            problems.append("told while it was alive" if hang else "it ended by itself")
        if done.returncode != 110 or not hang or hang["verdict"] != "stopped" or [one["rank"] for one in hang["culprits"]] != [1]:
            problems.append(f"then: exit code {done.returncode}, {hang and hang['what']}")
        return case, hang, problems, done.stdout[-2000:] + done.stderr[-4000:]
    finally:
        over.set()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_intermixed_args()
    python = os.environ.get("TRADEWIND_TORCH_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import torch.distributed"], stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: no Python with torch; set TRADEWIND_TORCH_PYTHON")
        sys.exit(77)
    cases, skipped, bad = list(options.cases or CASES), False, False
    if "debugger" in cases and not shutil.which("gdb"):
        print("debugger: skipped: gdb is not here")
        cases.remove("debugger")
        skipped = True
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for case, hang, problems, text in pool.map(lambda case: tried(options, python, case), cases):
            bad = bad or bool(problems)
            print(f"{case:12} {options.seconds} s without a verdict, then: {hang and hang['what']}" if not problems else
                  f"{case:12} FAILED: {'; '.join(problems)}\n{text}", flush=True)
    sys.exit(1 if bad else 77 if skipped else 0)


main()
