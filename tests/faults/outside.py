#!/usr/bin/env python3
"""outside.py BIN [--config CONFIG --output KEY --ranks N] [CASE...]: real forecasts by the workers of every day, to which
something happens from outside: a worker is stopped, or killed. Checks verdict, culprit, seconds, exit code, report and that
no process is left. Prints a table."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from watched import Pace, Run, Table, check_hang, temporary_folder

EXAMPLE = Path(__file__).parents[2] / "examples" / "rossby-haurwitz" / "config.yaml"
RANK = 1


def forecast(options, folder):
    config = Path(options.config).resolve()
    command = [str(Path(options.bin) / "tradewind"), "run", str(config), "runner=parallel",
               f"world_size={options.ranks}", f"checkpoint={config.parent / 'inference-last.ckpt'}",
               f"input.grib={config.parent / 'input.grib'}", f"{options.output}={folder}/forecast.grib", "lead_time=1000d",
               "--run-dir", str(folder)]
    return Run(command, folder)


def signalled(options, folder, number):
    run = forecast(options, folder)
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


CASES = {case.__name__: case for case in (stop, kill)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--config", default=EXAMPLE)
    parser.add_argument("--output", default="output.grib.path", help="the config's key of the output's path")
    parser.add_argument("--ranks", type=int, default=4)
    options = parser.parse_intermixed_args()
    table = Table("from outside")
    for name in options.cases or CASES:
        with temporary_folder() as folder, Pace() as pace:
            run, begin, deadline, expected, check = CASES[name](options, folder)
            told = run.told()
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
    sys.exit(bool(table.bad))


main()
