#!/usr/bin/env python3
"""slow_files.py BIN CASE: two ranks write to a file system (FUSE) that first takes nothing at all and then takes ten times as
long for the output of a step as the step does. Steps must not wait for it before the stated buffer is full, no rank may
hold more than its share of the buffer, and the file must be that of a fast disk. Exit code 77 where there is no FUSE."""

import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HELPER = Path(__file__).parents[1] / "faults" / "stalling_files.py"
RANKS, STEPS, BUFFER = 2, 12, 1 << 20
LONGEST = 2  # seconds of a step's output
SLACK = 4 << 20  # of a rank's own memory, for what is being encoded when it is looked at


def fail(text):
    sys.exit(f"slow_files: {text}")


def command(binaries, output, run_folder):
    return [f"{binaries}/tradewind", "run", "config.yaml", "--run-dir", run_folder, "runner=parallel",
            f"world_size={RANKS}", f"lead_time={6 * STEPS}h", f"output.grib.path={output}"]


def report(folder):
    return json.loads((folder / "report.json").read_text())


def mount(folder, seconds):
    folder.mkdir()
    helper = subprocess.Popen([sys.executable, HELPER, folder, "0", str(seconds)], stdout=subprocess.PIPE, text=True)
    if helper.stdout.readline() != "mounted\n":
        helper.wait()
        print("skipped: no FUSE file system can be mounted here")
        sys.exit(77)
    return helper


def held_back(run, helper, held):
    """Lets the files go on once the run has made `held` steps without them. True when it came so far."""
    came, lines = False, []
    for line in run.stderr:
        lines.append(line)
        if line.startswith(f"step {held}/"):
            came = True
            helper.send_signal(signal.SIGUSR1)
    return came, "".join(lines)


def main():
    binaries, case = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    environment = {**os.environ, "TRADEWIND_OUTPUT_BUFFER": str(BUFFER >> 20), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="tradewind-slow-files-") as scratch:
        folder = Path(scratch) / "case"
        shutil.copytree(case, folder)
        subprocess.run(command(binaries, "fast.grib", "fast"), cwd=folder, env=environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fast, size = report(folder / "fast"), (folder / "fast.grib").stat().st_size
        held = BUFFER * (STEPS + 1) // size - 2  # steps, beside the initial state, that fit into the buffer
        if not 2 <= held < STEPS - 2:
            fail(f"{held} of {STEPS} steps fit into the buffer")
        # The output of a step takes ten steps, unless this machine is very slow.
        slowly = min(LONGEST, 10 * fast["seconds"]["step_median"])
        helper = mount(folder / "out", slowly * (STEPS + 1) * 2**20 / size)
        try:
            run = subprocess.Popen(command(binaries, "out/o.grib", "slow"), cwd=folder, env=environment, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            came, told = held_back(run, helper, held)
            code = run.wait()
            if code != 0 or not came:
                fail(f"exit code {code}, {held} steps with nothing written: {came}\n{told}")
            if not filecmp.cmp(folder / "fast.grib", folder / "out" / "o.grib", shallow=False):
                fail("the file differs from that of a fast disk")
        finally:
            helper.terminate()
            helper.wait()
        slow = report(folder / "slow")
        for before, after in zip(fast["ranks"], slow["ranks"]):
            output, limit = after["output"], BUFFER // RANKS
            print(f"rank {after['rank']}: at most {output['most_pending_bytes']} of {output['pending_limit_bytes']} bytes waited; "
                  f"{output['waiting_seconds']:.2f} s for the file; own memory {after['memory']['own_peak_bytes']}, "
                  f"with a fast disk {before['memory']['own_peak_bytes']}")
            if output["pending_limit_bytes"] != limit or output["most_pending_bytes"] > limit:
                fail("more waits to be written than was stated")
            if output["most_pending_bytes"] < limit // 2 or output["waiting_seconds"] <= 0:
                fail("the buffer never was full")
            if after["memory"]["own_peak_bytes"] > before["memory"]["own_peak_bytes"] + limit + SLACK:
                fail("a rank holds more than the buffer")


main()
