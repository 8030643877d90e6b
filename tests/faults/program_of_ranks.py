"""A program of ranks in torch.distributed over Gloo, in which a fault happens in one rank at its fifth step.

    program_of_ranks.py FAULT RANK [STEPS] [PATH]
"""
import sys

import torch
import torch.distributed as dist
from faults_in_python import let_happen


def main():
    name, culprit = sys.argv[1], int(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    path = sys.argv[4] if len(sys.argv) > 4 else ""
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    values = torch.ones(16, 16)
    for step in range(1, steps + 1):
        here = step == 5 and rank == culprit and name != "none"
        if here:
            let_happen(name, path)
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
