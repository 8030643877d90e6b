#!/usr/bin/env python3
"""How seconds, memory and bytes of one case go with the number of ranks; the reference's beside it.

    PEER=.../bin/anemoi-inference tests/bench/scaling.py CASE_DIR [--ranks 1x2,2x1,4x1] [--reference 1x2,2x1]
                                                         [--lead-time 18h] [--json FILE]

RANKSxTHREADS; an empty --reference leaves it out. CASE_DIR holds config.yaml. TRADEWIND_BIN: folder of our executables
(default: build/release/bin). Columns:

  s per step    median of all steps but the first (ours: without output); the reference: its last model call
  own memory    the largest of the ranks': anonymous memory less that of an idle process
                (ours: at the ends of phases; the reference: the highest that a look every 50 ms found)
  x             against the line before
  peak          the largest resident memory of a rank, shared pages included
  sent          bytes that leave a rank for another, all ranks together, per step, output included
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def linked(case, folder):
    folder.mkdir(parents=True)
    for file in case.iterdir():
        if not file.name.startswith(("reference", "output")):
            (folder / file.name).symlink_to(file.resolve())
    return folder


def environment(threads, **more):
    return {**os.environ, **{name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}, **more}


def failed(command, code, log):
    tail = "".join(f"  | {line}\n" for line in log.read_text().splitlines()[-8:])
    sys.exit(f"error: exit code {code} from {' '.join(map(str, command))}\n{tail}  remedy: see {log}")


def ours(case, scratch, ranks, threads, lead_time):
    folder, log = linked(case, scratch / f"ours-{ranks}x{threads}"), scratch / f"ours-{ranks}x{threads}.log"
    command = [Path(os.environ.get("TRADEWIND_BIN", HERE / "../../build/release/bin")).resolve() / "tradewind", "run",
               "config.yaml", "--run-dir", "run", f"lead_time={lead_time}"]
    command += ["runner=parallel", f"world_size={ranks}"] if ranks > 1 else []
    with open(log, "w") as file:
        code = subprocess.call(command, cwd=folder, env=environment(threads), stdout=file, stderr=file)
    if code:
        failed(command, code, log)
    report = json.loads((folder / "run/report.json").read_text())
    each = report["ranks"]
    return {"seconds": report["seconds"]["step_median"] or report["seconds"]["first_step"],
            "own": max(rank["memory"]["own_peak_bytes"] for rank in each),
            "peak": max(rank["peak_rss_bytes"] for rank in each),
            "sent": sum(rank["bytes_sent_per_step"] for rank in each), "ranks": each}


def reference(case, scratch, ranks, threads, lead_time):
    folder = linked(case, scratch / f"reference-{ranks}x{threads}")
    command = [Path(os.environ["PEER"]).parent / "python", HERE / "count_reference.py"]
    arguments = ["run", "config.yaml", f"lead_time={lead_time}"]
    arguments += ["runner.parallel.cluster=distributed"] if ranks > 1 else []
    port, processes = str(random.randint(20000, 60000)), []
    for rank in range(ranks):
        log = scratch / f"reference-{ranks}x{threads}.{rank}.log"
        variables = dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1",
                         MASTER_PORT=port) if ranks > 1 else {}
        with open(log, "w") as file:
            processes.append((log, subprocess.Popen([*command, folder / f"{rank}.json", *arguments], cwd=folder,
                                                    env=environment(threads, **variables), stdout=file, stderr=file)))
    codes = [(process.wait(), log) for log, process in processes]
    for code, log in codes:
        if code:
            failed([*command, *arguments], code, log)
    each = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(ranks)]
    steps = max(1, each[0]["steps"])
    return {"seconds": each[0]["last_step_seconds"], "own": max(rank["own_peak"] for rank in each),
            "peak": max(rank["peak_resident"] for rank in each),
            "sent": sum(rank["bytes_sent"] for rank in each) // steps, "ranks": each}


def sizes(text):
    found = re.findall(r"(\d+)x(\d+)", text)
    return [(int(ranks), int(threads)) for ranks, threads in found]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("case", type=Path, metavar="CASE_DIR")
    p.add_argument("--ranks", type=sizes, default=sizes("1x2,2x1,4x1"))
    p.add_argument("--reference", type=sizes, default=sizes("1x2,2x1"))
    p.add_argument("--lead-time", default="18h")
    p.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    options = p.parse_args()
    if options.reference and "PEER" not in os.environ:
        sys.exit("error: PEER is not set\n  remedy: set it to the path of anemoi-inference, or give --reference ''")

    scratch = Path(tempfile.mkdtemp(prefix="tradewind-scaling-"))
    rows = [("", "ranks", "threads", "s per step", "x", "own memory, MB", "x", "peak, MB", "sent, MB")]
    everything = {}
    for name, run, wanted in (("ours", ours, options.ranks), ("reference", reference, options.reference)):
        before = None
        for ranks, threads in wanted:
            one = run(options.case.resolve(), scratch, ranks, threads, options.lead_time)
            everything[f"{name} {ranks}x{threads}"] = one
            over = lambda key: f"{one[key] / before[key]:.2f}" if before and before[key] else ""
            rows.append((name, str(ranks), str(threads), f"{one['seconds']:.2f}", over("seconds"),
                         f"{one['own'] / 1e6:.0f}", over("own"), f"{one['peak'] / 1e6:.0f}",
                         f"{one['sent'] / 1e6:.3f}"))
            print(f"{name}, {ranks} ranks: done", file=sys.stderr)
            before = one
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths))))
    for key in everything:
        ranks = key.split(" ")[1].split("x")[0]
        peer = next((v for k, v in everything.items() if k.startswith(f"reference {ranks}x")), None)
        if key.startswith("ours") and peer and peer["sent"]:
            print(f"bytes sent with {ranks} ranks: ours / reference = {everything[key]['sent'] / peer['sent']:.3f}")
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
