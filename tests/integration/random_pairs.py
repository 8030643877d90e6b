#!/usr/bin/env python3
"""random_pairs.py BIN CASE PAIRS [SEED]: pairs of runs that share an input, an output, a run folder or nothing, begun at random
moments and ended by random signals to their launchers and workers. Afterwards no file under its final name may mix or lack
messages, no input may have changed, and whatever was left must not stand in the way of the next run."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

BIN, CASE, PAIRS = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), int(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 14
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SHARED = ("input", "output", "run folder", "output and run folder", "link", "nothing")


class Failed(Exception):
    pass


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Run:
    def __init__(self, folder, mark, output, run_folder, steps, ranks, source):
        self.mark, self.output, self.steps = mark, folder / output, steps
        self.command = [BIN / "tradewind", "run", "config.yaml", "--run-dir", run_folder, f"lead_time={6 * steps}h",
                        f"input.grib={source}", f"output.grib.path={output}", f"output.grib.encoding.expver={mark}"]
        if ranks > 1:
            self.command += ["runner=parallel", f"world_size={ranks}"]
        self.folder = folder

    def begin(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)

    def end(self):
        self.error = self.process.communicate(timeout=300)[1]
        self.code = self.process.returncode

    def kill(self, rng):
        """The launcher, or one of the processes that it has started."""
        if self.process.poll() is not None:
            return "too late"
        own = children(self.process.pid)
        worker = bool(own) and rng.random() < 0.5
        pid, number = rng.choice(own) if worker else self.process.pid, rng.choice((signal.SIGKILL, signal.SIGTERM))
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return "too late"
        return f"{number.name} to {'a worker' if worker else 'the launcher'}"


def marks(path, all_marks):
    data = path.read_bytes()
    return {mark: len(re.findall(mark.encode(), data)) for mark in all_marks if mark.encode() in data}


def check_output(path, run_of, wanted):
    """One run's, whole: messages of all its steps."""
    if not path.exists():
        return
    found = marks(path, run_of)
    if len(found) != 1:
        raise Failed(f"{path.name} holds messages of {found}")
    mark, count = next(iter(found.items()))
    if count != wanted(run_of[mark].steps):
        raise Failed(f"{path.name} holds {count} messages of {mark}, not {wanted(run_of[mark].steps)}")
    return mark


def pair(number, rng, scratch, wanted, tally):
    folder = scratch / f"pair-{number}"
    folder.mkdir()
    for name in ("config.yaml", "input.grib", "inference-last.ckpt"):
        shutil.copy(CASE / name, folder / name)
    shutil.copy(folder / "input.grib", folder / "second.grib")
    before = {name: digest(folder / name) for name in ("config.yaml", "input.grib", "second.grib", "inference-last.ckpt")}
    shared = rng.choice(SHARED)
    output = ("output" in shared or shared == "link") and "a.grib"
    (folder / "link.grib").symlink_to("a.grib")
    runs = [Run(folder, "aaaa", "a.grib", "ra", rng.randint(1, 8), rng.choice((1, 1, 2)), "input.grib"),
            Run(folder, "bbbb", "link.grib" if shared == "link" else output or "b.grib", "ra" if "run folder" in shared else "rb",
                rng.randint(1, 8), rng.choice((1, 1, 2)), "input.grib" if shared == "input" else "second.grib")]
    older = rng.random() < 0.5
    run_of = {run.mark: run for run in runs}
    if older:
        (folder / "a.grib").write_bytes(b"cccc, an older forecast")
    runs[0].begin()
    time.sleep(rng.choice((0, 0, 0.1, 0.5, 1)) * rng.random())
    runs[1].begin()
    done = []
    for run in rng.sample(runs, rng.choice((0, 1, 1, 2))):
        time.sleep(1.5 * rng.random())
        done.append(run.kill(rng))
    for run in runs:
        run.end()
    story = f"pair {number} ({shared}, {done}, exit codes {[run.code for run in runs]})"
    try:
        for name, hash_before in before.items():
            if digest(folder / name) != hash_before:
                raise Failed(f"{name} has changed")
        for name in ("a.grib", "b.grib"):
            path = folder / name
            if older and name == "a.grib" and path.exists() and path.read_bytes() == b"cccc, an older forecast":
                continue
            owner = check_output(path, run_of, wanted)
            if owner and run_of[owner].code not in (0, -signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM, 128 + signal.SIGKILL):
                raise Failed(f"{name} is of {owner}, which ended with {run_of[owner].code}")
        if older and not (folder / "a.grib").exists():
            raise Failed("an older file is gone")
        for run in runs:
            if run.code == 0 and not (run.output.exists() and marks(run.output, run_of)):
                raise Failed(f"{run.mark} ended well, but its output is not there")
            if run.code == 2 and "is held by another run: process " not in run.error:
                raise Failed(f"{run.mark} was refused for another reason: {run.error}")
            if run.code not in (0, 1, 2) and not done:
                raise Failed(f"{run.mark} ended with {run.code}: {run.error}")
            if shared in ("nothing", "input") and not done and run.code != 0:
                raise Failed(f"{run.mark} shares nothing that is written, but ended with {run.code}: {run.error}")
        if not done and all(run.code != 0 for run in runs):
            raise Failed("neither run came through: " + runs[0].error + runs[1].error)
        tally["refused"] += sum("is held by another run" in run.error for run in runs)
        for run in runs:  # whatever is left is no obstacle
            run.begin()
            run.end()
            if run.code != 0:
                raise Failed(f"the next run of {run.mark} ended with {run.code}: {run.error}")
            if check_output(run.output, run_of, wanted) != run.mark:
                raise Failed("the next run's file is not its own")
        if left := [path.name for path in folder.rglob("*") if path.name.endswith((".lock", ".partial"))]:
            raise Failed(f"left after a good end: {left}")
    except Failed as failure:
        raise Failed(f"{story}: {failure}") from None
    tally[shared] += 1
    tally["killed: " + (", ".join(sorted(done)) or "none")] += 1
    shutil.rmtree(folder)


def main():
    rng, tally = random.Random(SEED), Counter()
    with tempfile.TemporaryDirectory(prefix="tradewind-random-pairs-") as scratch:
        scratch = Path(scratch)
        counts = []
        for steps in (1, 2):  # messages of a step, and of the initial state
            folder = scratch / f"count-{steps}"
            folder.mkdir()
            for name in ("config.yaml", "input.grib", "inference-last.ckpt"):
                shutil.copy(CASE / name, folder / name)
            run = Run(folder, "aaaa", "a.grib", "r", steps, 1, "input.grib")
            run.begin()
            run.end()
            if run.code != 0:
                sys.exit(f"random_pairs: {run.error}")
            counts.append(marks(folder / "a.grib", ["aaaa"])["aaaa"])
        def wanted(steps):
            return counts[0] + (steps - 1) * (counts[1] - counts[0])
        failures = 0
        for number in range(PAIRS):
            try:
                pair(number, rng, scratch, wanted, tally)
            except Failed as failure:
                failures += 1
                print("FAIL:", failure, flush=True)
        for what, count in sorted(tally.items()):
            print(f"{count:5} {what}")
        print(f"{PAIRS} pairs, {failures} failed (seed {SEED})")
    sys.exit(1 if failures else 0)


main()
