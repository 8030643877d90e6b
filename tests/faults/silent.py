#!/usr/bin/env python3
"""silent.py BIN [--seconds N] [--ranks N] [--at-once N] [CASE...]: real forecasts that are slow or held, but alive: each for
that many seconds, in which nothing may be told and nothing stopped. Then a worker is stopped for good, which must be told:
the watch was not asleep. Prints a table. Exit code 77 when a case cannot be tried here."""

import argparse
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from watched import Run, Table, check_hang, temporary_folder

EXAMPLE = Path(__file__).parents[2] / "examples" / "rossby-haurwitz"
STEP_BYTES = 33000  # of the example's output, about
STILL = 12  # seconds: a step's budget and its confirmation are 8
RANK = 1


def forecast(options, folder, output="none", lead_time="100000d", **environment):
    command = [str(Path(options.bin) / "tradewind"), "run", str(EXAMPLE / "config.yaml"), "runner=parallel",
               f"world_size={options.ranks}", f"checkpoint={EXAMPLE / 'inference-last.ckpt'}",
               f"input.grib={EXAMPLE / 'input.grib'}", f"output={output}" if output == "none" else f"output.grib.path={output}",
               f"lead_time={lead_time}", "--run-dir", str(folder)]
    run = Run(command, folder, environment)
    if output == "none" and run.when("step 2/") is None:
        run.end()
        raise RuntimeError("the run ended at once:\n" + run.text())
    return run


def workers(run, ranks):
    return [run.pid_of(rank) for rank in range(ranks)]


def send(pids, number):
    for pid in pids:
        os.kill(pid, number)


def slow_output(options, folder):
    """A pipe of 64 KiB that is emptied every STILL seconds, at the end of a run that waits for nothing else."""
    pipe = Path(folder) / "forecast.pipe"
    os.mkfifo(pipe)
    rounds = max(1, round(options.seconds / STILL))
    steps = 2 + rounds * (1 << 16) // STEP_BYTES

    def read():
        with open(pipe, "rb", buffering=0) as reader:
            for _ in range(rounds):
                time.sleep(STILL)
                left = 1 << 16
                while left > 0 and (got := reader.read(left)):
                    left -= len(got)
            while reader.read(1 << 16):
                pass

    threading.Thread(target=read, daemon=True).start()
    return forecast(options, folder, pipe, f"{6 * steps}h")


def slow_first_step(options, folder):
    return forecast(options, folder, TRADEWIND_DRILL=f"fault=slow-first-step,rank={RANK}",
                    TRADEWIND_WORKER=str(Path(options.bin) / "tradewind-drill-worker"))


def slow_rank(options, folder):
    """Stopped for two thirds of every second, in step with the samples of the watch, as cpulimit may do."""
    run = forecast(options, folder)
    pid = run.pid_of(RANK)
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.67)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.33)
    return run


def debugger(options, folder):
    run = forecast(options, folder)
    pid = run.pid_of(RANK)
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        subprocess.run(["gdb", "-nx", "-batch", "-p", str(pid), "-ex", f"shell sleep {STILL}", "-ex", "detach"], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)
    return run


def suspended(options, folder, with_launcher):
    run = forecast(options, folder)
    pids = ([run.process.pid] if with_launcher else []) + workers(run, options.ranks)
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        send(pids, signal.SIGSTOP)
        time.sleep(STILL)
        send(pids[::-1], signal.SIGCONT)
        time.sleep(2)
    return run


def suspended_job(options, folder):
    return suspended(options, folder, True)


def suspended_ranks(options, folder):
    return suspended(options, folder, False)


CASES = {case.__name__: case
         for case in (slow_output, slow_first_step, slow_rank, debugger, suspended_job, suspended_ranks)}
NEEDS = {"debugger": "gdb"}


def tried(options, name):
    with temporary_folder() as folder:
        begin = time.monotonic()
        run = CASES[name](options, folder)
        seconds = time.monotonic() - begin
        if name == "slow_output":
            code, expected = run.end(), 0
            seconds = time.monotonic() - begin
        else:
            quiet = options.seconds - seconds
            if quiet > 0:
                run.told(within=quiet)
            told_early = [line for _, line in run.lines if line.startswith(("the run hangs", "error:"))]
            seconds = time.monotonic() - begin
            if not told_early:
                os.kill(run.pid_of(RANK), signal.SIGSTOP)
            code, expected = run.end(), 110
        hang = run.report().get("hang")
        faults = []
        if code != expected:
            faults.append(f"exit code {code} instead of {expected}")
        if name == "slow_output":
            faults += [f"a verdict: {hang['what']}"] if hang else []
        else:
            faults += [f"told while it was alive: {line.strip()}" for line in told_early]
            faults += check_hang(hang, "stopped", [RANK], options.ranks)
        if left := run.left():
            faults.append(f"processes left: {left}")
        return name, code, hang, seconds, None, faults, run.text()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--seconds", type=int, default=100)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--at-once", type=int, default=1)
    options = parser.parse_intermixed_args()
    table, skipped, names = Table("alive, then stopped"), False, []
    for name in options.cases or CASES:
        if name in NEEDS and not shutil.which(NEEDS[name]):
            print(f"{name:24} skipped: {NEEDS[name]} is not here", flush=True)
            skipped = True
        else:
            names.append(name)
    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        for done in pool.map(lambda name: tried(options, name), names):
            table.row(*done)
    sys.exit(1 if table.bad else 77 if skipped else 0)


main()
