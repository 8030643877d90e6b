#!/usr/bin/env python3
"""How long the launcher alone takes, as a whole process: --help, inspect and cluster, which start no worker.

  start_up.py [--repeat N] [--limit MILLISECONDS] [CHECKPOINT]

prints minimum, median and maximum of each in milliseconds; with --limit, the exit code is 1 when a median is above it.
TRADEWIND_BIN: folder of the executables (default: build/release/bin).
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def milliseconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - begin)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--limit", type=float)
    parser.add_argument("checkpoint", nargs="?", default=HERE / "../golden/gt-transformer/inference-last.ckpt")
    arguments = parser.parse_args()
    program = pathlib.Path(os.environ.get("TRADEWIND_BIN", HERE / "../../build/release/bin")) / "tradewind"
    slow = False
    for words in (["--help"], ["cluster"], ["inspect", str(arguments.checkpoint)]):
        times = [milliseconds([str(program), *words]) for _ in range(arguments.repeat)]
        median = statistics.median(times)
        slow = slow or (arguments.limit is not None and median > arguments.limit)
        print(f"{words[0]:8} min {min(times):6.1f}  median {median:6.1f}  max {max(times):6.1f} ms")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
