#!/usr/bin/env python3
"""outside.py BIN [--large | --config CONFIG --output KEY] [--ranks N] [CASE...]: real forecasts by the workers of every day, to which
something happens from outside: a worker is stopped, or killed, or the output takes nothing more (a FUSE that stalls, a pipe
that nobody reads) at the end of a run or while it still moves. Checks verdict, culprit or path, seconds, exit code, report
and that no process is left. Prints a table. --large: the checkpoint and input in the folder of the variable TRADEWIND_BIG,
niced. Exit code 77 when a case cannot be tried here."""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from watched import Pace, Run, Table, check_hang, temporary_folder

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "rossby-haurwitz" / "config.yaml"
HANG_AFTER = 10  # instead of the 120 s of outputs
END, LARGE_END = "15d", "6h"  # less than a second of the example's steps; one of the large case's
ENDLESS = "10000d"  # more than is kept in memory
RANK = 1


def forecast(options, folder, output, *more, lead_time="1000d"):
    config = Path(options.config).resolve()
    command = [*options.prefix, str(Path(options.bin) / "tradewind"), "run", str(config), "runner=parallel",
               f"world_size={options.ranks}", f"checkpoint={config.parent / 'inference-last.ckpt'}",
               f"input.grib={config.parent / 'input.grib'}", f"{options.output}={output}", f"lead_time={lead_time}",
               "--run-dir", str(folder), *more]
    return Run(command, folder)


def signalled(options, folder, number):
    run = forecast(options, folder, Path(folder) / "forecast.grib")
    if run.when("step 2/") is None:
        run.end()
        return run, None
    pid = run.pid_of(RANK)
    time.sleep(0.3)
    begin = time.monotonic()
    os.kill(pid, number)
    return run, begin


def stop(options, folder):
    run, begin = signalled(options, folder, signal.SIGSTOP)
    return run, begin, 15, 110, lambda hang: check_hang(hang, "stopped", [RANK], options.ranks)


def kill(options, folder):
    run, begin = signalled(options, folder, signal.SIGKILL)

    def check(hang):
        error = run.report()["error"]
        faults = [] if hang is None else [f"a verdict: {hang['what']}"]
        if error["rank"] != RANK or "signal 9" not in error["what"]:
            faults.append(f"rank {error['rank']}: {error['what']}")
        return faults

    return run, begin, 2, 137, check


def held_up(path, options):
    def check(hang):
        culprits = [culprit["rank"] for culprit in (hang or {"culprits": []})["culprits"]]
        faults = check_hang(hang, "blocked in I/O", culprits, options.ranks)
        if not culprits:
            faults.append("nobody is named")
        elif hang["culprits"][0]["path"] not in (str(path), str(path) + ".partial"):
            faults.append(f"path {hang['culprits'][0]['path']}")
        return faults

    return check


class Reader:
    """Of a pipe, which has enough after some bytes."""

    def __init__(self, path, enough):
        os.mkfifo(path)
        self.path, self.enough = path, enough
        self.stalled, self._gone = None, threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with open(self.path, "rb", buffering=0) as pipe:
            left = self.enough
            while left > 0 and (got := pipe.read(min(left, 1 << 16))):
                left -= len(got)
            self.stalled = time.monotonic()
            self._gone.wait()

    def go(self):
        self._gone.set()


def pipe(options, folder):
    reader = Reader(Path(folder) / "forecast.pipe", options.bytes)
    run = forecast(options, folder, reader.path, "--hang-after", str(HANG_AFTER), lead_time=options.end)
    run.told()
    reader.go()
    return run, reader.stalled, HANG_AFTER + 5, 110, held_up(reader.path, options)


def moving(options, folder):
    """It is said that the output stands still, and the run left alone until the user ends it."""
    reader = Reader(Path(folder) / "forecast.pipe", options.bytes)
    run = forecast(options, folder, reader.path, "--hang-after", str(HANG_AFTER), lead_time=ENDLESS)
    warned = run.when(f"warning: rank 0 on {os.uname().nodename} waits for the file {reader.path}")
    time.sleep(2)
    run.process.terminate()
    run.end()
    reader.go()

    def check(hang):
        return [f"a verdict: {hang['what']}"] if hang else []

    return run, reader.stalled, HANG_AFTER + 2, 143, check, warned


def fuse(options, folder):
    mount = Path(folder) / "files"
    mount.mkdir()
    helper = subprocess.Popen([sys.executable, str(HERE / "stalling_files.py"), str(mount), str(options.bytes)],
                              stdout=subprocess.PIPE, text=True)
    if helper.stdout.readline() != "mounted\n":
        helper.wait()
        return None
    try:
        path = mount / "forecast.grib"
        run = forecast(options, folder, path, "--hang-after", str(HANG_AFTER), lead_time=options.end)
        begin = None
        if helper.stdout.readline() == "stalled\n":
            begin = time.monotonic()
        run.told()
        run.end()
    finally:
        helper.terminate()
        helper.wait()
    return run, begin, HANG_AFTER + 5, 110, held_up(path, options)


CASES = {case.__name__: case for case in (stop, kill, pipe, fuse, moving)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--config", default=EXAMPLE)
    parser.add_argument("--output", default="output.grib.path", help="the config's key of the output's path")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--bytes", type=int, default=300000, help="what the output takes before it stalls")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_intermixed_args()
    options.prefix = []
    if options.large:
        if "TRADEWIND_BIG" not in os.environ:
            print("skipped: TRADEWIND_BIG names no folder with a large case")
            sys.exit(77)
        options.config, options.output = Path(os.environ["TRADEWIND_BIG"]) / "config.yaml", "output.grib"
        options.prefix = ["nice", "-n", "10"]
    options.end = LARGE_END if options.large else END
    table, skipped = Table("from outside"), False
    for name in options.cases or CASES:
        with temporary_folder() as folder, Pace() as pace:
            done = CASES[name](options, folder)
            if done is None:
                print(f"{name:24} skipped: file systems of one's own cannot be mounted here", flush=True)
                skipped = True
                continue
            run, begin, deadline, expected, check, *told = done
            told = told[0] if told else run.told()
            code = run.end()
            seconds = told - begin if told and begin else None
            allowed = pace.allowed(deadline)
            hang = run.report().get("hang")
            faults = check(hang)
            if code != expected:
                faults.append(f"exit code {code} instead of {expected}")
            if seconds is None or seconds > allowed:
                faults.append("too late")
            if left := run.left():
                faults.append(f"processes left: {left}")
            table.row(name, code, hang, seconds, allowed, faults, run.text())
    sys.exit(1 if table.bad else 77 if skipped else 0)


main()
