#!/usr/bin/env python3
"""Wall and processor time of a program under `tradewind exec` against the same under bare torchrun, in turns (A B A B ...), on a
machine that does nothing else.

    exec_cost.py BIN [--ranks 2] [--steps 4000] [--pairs 6]

The program makes STEPS small all_reduces and products over Gloo and tells its own time from the first step to the last, so
that the start of Python counts in the whole only. Needs TRADEWIND_TORCHRUN and its Python beside it.
"""
import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = """
import sys, time, torch, torch.distributed as dist
torch.set_num_threads(1)
dist.init_process_group("gloo")
values, matrix = torch.ones(4096), torch.rand(256, 256)
for step in range(int(sys.argv[1]) + 50):
    if step == 50: begin = time.perf_counter()
    matrix = (matrix @ matrix).softmax(0)
    dist.all_reduce(values)
    values /= dist.get_world_size()
if dist.get_rank() == 0: print("steps took", time.perf_counter() - begin, flush=True)
dist.destroy_process_group()
"""


def run(words, folder):
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=dict(os.environ, OMP_NUM_THREADS="1"))
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{words[0]} left with {done.returncode}\n{done.stdout}{done.stderr}")
    steps = float(re.search(r"steps took ([\d.]+)", done.stdout).group(1))
    return wall, steps, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--pairs", type=int, default=6)
    options = parser.parse_args()
    torchrun = os.environ.get("TRADEWIND_TORCHRUN")
    if not torchrun:
        print("skipped: set TRADEWIND_TORCHRUN")
        sys.exit(77)
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        program = Path(name) / "program.py"
        program.write_text(PROGRAM)
        python, tail = str(Path(torchrun).parent / "python"), [str(program), str(options.steps)]
        ways = {
            "exec": [str(Path(options.bin).resolve() / "tradewind"), "exec", "--world-size", str(options.ranks), "--run-dir", "run",
                     "--", python, *tail],
            "torchrun": [torchrun, "--standalone", "--nproc-per-node", str(options.ranks), *tail],
        }
        seen = {way: [] for way in ways}
        for number in range(options.pairs):
            for way in list(ways)[:: 1 if number % 2 == 0 else -1]:
                seen[way].append(run(ways[way], name))
                print(f"{way:9} wall {seen[way][-1][0]:7.2f} s, steps {seen[way][-1][1]:7.2f} s, processor {seen[way][-1][2]:7.2f} s",
                      flush=True)
    for index, what in enumerate(("wall", "steps", "processor")):
        a, b = (statistics.median(one[index] for one in seen[way]) for way in ("exec", "torchrun"))
        print(f"median {what}: exec {a:.2f} s, torchrun {b:.2f} s, {100 * (a / b - 1):+.1f} %")


main()
