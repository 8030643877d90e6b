"""A program of ranks in torch.distributed over Gloo, in which a fault happens in one rank at its fifth step.

    program_of_ranks.py FAULT RANK [STEPS] [PATH]
"""
import ctypes
import os
import signal
import sys
import time

import torch
import torch.distributed as dist


def loops():
    while True:
        pass


def sleeps():
    time.sleep(3600)


def reads(path):
    with open(path, "rb") as file:
        file.read()


def writes(path):
    with open(path, "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)


def takes_memory():
    kept = []
    while True:
        kept.append(bytearray(b"x" * (8 << 20)))
        time.sleep(0.01)


def fails():
    raise ValueError("the fault that was asked for")


def fault_of(name, path):
    if name == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "crash":
        ctypes.string_at(0)
    elif name == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif name == "exception":
        fails()
    elif name == "loop":
        loops()
    elif name == "sleep":
        sleeps()
    elif name == "read":
        reads(path)
    elif name == "write":
        writes(path)
    elif name == "memory":
        takes_memory()
    elif name == "leave":
        os._exit(0)


def main():
    name, culprit = sys.argv[1], int(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    path = sys.argv[4] if len(sys.argv) > 4 else ""
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    values = torch.ones(16, 16)
    for step in range(1, steps + 1):
        here = step == 5 and rank == culprit
        if here and name != "none":
            print("fault", time.time(), flush=True)
        if here:
            fault_of(name, path)
        if here and name == "skip":
            continue
        if here and name == "order":
            dist.broadcast(values, 0)
            dist.all_reduce(values)
            continue
        if here and name == "shape":
            dist.all_reduce(torch.ones(7))
        else:
            dist.all_reduce(values)
        dist.broadcast(values, 0)
        values /= values.sum()
    dist.barrier()
    print("done", rank, flush=True)
    dist.destroy_process_group()


main()
