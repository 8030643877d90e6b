#!/usr/bin/env python3
"""serve.py BIN CHECKPOINT [--calls 1000] [--ranks 1 2]: what a call of `tradewind serve` costs beside the model call in it, and the
memory of its ranks from the tenth call to the last. Needs numpy."""
import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))


def resident(pids):
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty:"):
                total += int(line.split()[1])
    return total / 1024


def workers_of(launcher):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == launcher and b"worker" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("checkpoint")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    os.environ["TRADEWIND_PROGRAM"] = str(Path(options.bin).resolve() / "tradewind")
    import tradewind

    for ranks in options.ranks:
        with tradewind.Service(options.checkpoint, ranks=ranks) as service:
            pids = workers_of(service._process.pid)
            service.x()[...] = 1
            over, seconds = [], []
            for call in range(options.calls):
                begin = time.perf_counter()
                took = service.call(call)
                over.append(time.perf_counter() - begin - took)
                seconds.append(took)
                if call == min(10, options.calls - 1):
                    tenth = resident(pids)
            last = resident(pids)
        print(f"{ranks} ranks: {options.calls} calls, median {statistics.median(seconds) * 1e3:.2f} ms in the ranks and "
              f"{statistics.median(over) * 1e3:.3f} ms to ask and answer; memory of its own {tenth:.1f} MiB after 10 calls, {last:.1f} MiB "
              f"at the end", flush=True)


if __name__ == "__main__":
    main()
