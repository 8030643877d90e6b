"""A program of ranks in torch.distributed over Gloo whose rank 1 keeps the others waiting for long, though it is alive, and
then stops for good.

    program_alive.py CASE SECONDS FOLDER
"""
import os
import subprocess
import sys
import time

import faults_in_python

PAUSE = 20  # seconds between two signs of life of what is slow
BURN = "import time\nwhile True:\n    t = time.time()\n    while time.time() < t + 0.1: pass\n    time.sleep(0.1)"


def until(end):
    while time.monotonic() < end:
        yield


def slow_import(end, folder):
    """Reads of a disk that gives 64 KiB now and then: a pipe that the test fills."""
    with open(os.path.join(folder, "disk"), "rb", buffering=0) as disk:
        for _ in until(end):
            if not disk.read(1 << 16):
                break


def compilation(end, folder):
    """A compiler at work, for which Python waits."""
    with subprocess.Popen([sys.executable, "-S", "-c", BURN]) as compiler:
        for _ in until(end):
            time.sleep(1)
        compiler.kill()


def long_step(end, folder):
    for _ in until(end):
        pass


def debugger(end, folder):
    """Held by gdb most of the time, by the test."""
    with open(os.path.join(folder, "pid.new"), "w") as file:
        file.write(str(os.getpid()))
    os.rename(os.path.join(folder, "pid.new"), os.path.join(folder, "pid"))
    for _ in until(end):
        time.sleep(1)


def checkpoint(end, folder):
    with open(os.path.join(folder, "checkpoint"), "wb", buffering=0) as file:
        for _ in until(end):
            file.write(bytes(1 << 20))
            os.fsync(file.fileno())
            time.sleep(PAUSE)
            file.seek(0)


def phases(end, folder):
    """Waits for something of its own, and says so."""
    with os.fdopen(int(os.environ["TRADEWIND_PHASE_FD"]), "w", buffering=1) as phase:
        for step, _ in enumerate(until(end)):
            print("queue", step, file=phase)
            time.sleep(PAUSE)


def main():
    case, seconds, folder = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    late, rank = case == "slow_import", int(os.environ["RANK"])
    end = time.monotonic() + seconds
    if late and rank == 1:
        slow_import(end, folder)
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo", timeout=__import__("datetime").timedelta(hours=2))
    dist.all_reduce(torch.ones(4))
    if rank == 1:
        if not late:
            globals()[case](end, folder)
        print("alive for", time.monotonic() - end + seconds, flush=True)
        faults_in_python.let_happen("stop", "")
    dist.all_reduce(torch.ones(4))


main()
