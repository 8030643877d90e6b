#!/usr/bin/env python3
"""The estimated memory of a rank beside what runs measured: own memory of report.json, the largest of any rank.

    tests/bench/memory.py CASE_DIR... [--ranks 1,2,4] [--precision f32,f16] [--threads 2] [--limit 0.15]

CASE_DIR holds config.yaml. TRADEWIND_BIN: folder of our executables, with memory_estimate (default: build/release/bin).
Exit code 1 when a ratio is further from 1 than the limit. Own memory is anonymous memory less that of an idle worker, at
the ends of phases; so the estimate is that of what is kept between model calls.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(os.environ.get("TRADEWIND_BIN", Path(__file__).resolve().parent / "../../build/release/bin")).resolve()
PARTS = ("graph", "edges", "nodes", "state", "attention", "scratch", "converted")


def measured(case, ranks, precision, threads):
    with tempfile.TemporaryDirectory(prefix="tradewind-memory-") as folder:
        scratch = Path(folder)
        for file in case.iterdir():
            if not file.name.startswith(("reference", "output")):
                (scratch / file.name).symlink_to(file.resolve())
        command = [BIN / "tradewind", "run", "config.yaml", "--run-dir", "run", f"precision={precision}", "lead_time=18h"]
        command += ["runner=parallel", f"world_size={ranks}"] if ranks > 1 else []
        run = subprocess.run(command, cwd=scratch, capture_output=True, text=True, env={
            **os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)})
        if run.returncode:
            sys.exit(f"error: exit code {run.returncode} from {case}: {run.stderr[-500:]}")
        report = json.loads((scratch / "run/report.json").read_text())
        return max(rank["memory"]["own_peak_bytes"] for rank in report["ranks"])


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("cases", type=Path, nargs="+")
    p.add_argument("--ranks", default="1,2,4")
    p.add_argument("--precision", default="f32,f16")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--limit", type=float, default=0.15)
    a = p.parse_args()
    print("| case | precision | ranks | estimate, MB | measured, MB | ratio | " + " | ".join(PARTS) + " |")
    print("|" + "---|" * (6 + len(PARTS)))
    worst = 0
    for case in a.cases:
        for precision in a.precision.split(","):
            for ranks in map(int, a.ranks.split(",")):
                told = json.loads(subprocess.run(
                    [BIN / "memory_estimate", case / "inference-last.ckpt", str(ranks), precision, str(a.threads)],
                    check=True, capture_output=True, text=True).stdout)
                own = measured(case, ranks, precision, a.threads)
                ratio = told["kept"] / own
                worst = max(worst, abs(ratio - 1))
                parts = " | ".join(f"{told[part] / 1e6:.1f}" for part in PARTS)
                print(f"| {case.name} | {precision} | {ranks} | {told['kept'] / 1e6:.1f} | {own / 1e6:.1f} | {ratio:.2f} | "
                      f"{parts} |", flush=True)
    return 1 if worst > a.limit else 0


if __name__ == "__main__":
    sys.exit(main())
