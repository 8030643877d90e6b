#!/usr/bin/env python3
"""What exec_pairs.py is measured against: two programs of ranks that start on one host at the same moment without Tradewind,
by torchrun and by anemoi-inference itself. With their own defaults they take the same port, so that at least one of them fails;
only a newer torchrun finds one of its own for a single host.

    bare_pairs.py [SECONDS]

Needs TRADEWIND_TORCHRUN (a torchrun) or TRADEWIND_REFERENCE (an environment with bin/anemoi-inference); 77 without both. Prints
what became of each; fails when no pair collided, since then the comparison is worth nothing.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "helpers"))

from reference_program import reference_program, write_config


def by_torchrun(folder):
    program = os.environ.get("TRADEWIND_TORCHRUN")
    return [program, "--nproc-per-node", "2", str(HERE / "exec_pairs.py"), "--meet", "torch"] if program else None


def by_reference(folder):
    program = reference_program()
    write_config(folder, own_ranks=2)
    return [str(program), "run", "config.yaml"] if program else None


def pair(words, folder, seconds):
    runs = [subprocess.Popen(words, env=dict(os.environ, PAIR_NUMBER=str(number), OMP_NUM_THREADS="1"), cwd=folder,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) for number in (1, 2)]
    end, codes = time.monotonic() + seconds, []
    for run in runs:
        try:
            run.communicate(timeout=max(1, end - time.monotonic()))
            codes.append(run.returncode)
        except subprocess.TimeoutExpired:
            codes.append("hung")
    for run in runs:
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        run.wait()
    return codes


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    tried, calm = 0, 0
    with tempfile.TemporaryDirectory() as name:
        for how in (by_torchrun, by_reference):
            words = how(Path(name))
            if words is None:
                continue
            tried += 1
            codes = pair(words, name, seconds)
            calm += codes == [0, 0]
            print(f"{how.__name__}: the two ended with {codes[0]} and {codes[1]}", flush=True)
    if not tried:
        print("skipped: set TRADEWIND_TORCHRUN or TRADEWIND_REFERENCE")
    sys.exit(77 if not tried else 1 if calm == tried else 0)


main()
