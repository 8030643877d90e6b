#!/usr/bin/env python3
"""Whether two builds write the same bytes: every golden case at 1 to 4 ranks with both.

    tests/tools/same_bytes.py OLD_BIN NEW_BIN [CASE_DIR ...] [--ranks 1,2,3,4] [--precision f32,f16] [--lead-time 12h]

Without case folders: tests/golden/*, tests/golden/legacy/* and examples/* that have a case.json. A forecast (config.yaml)
is compared by the output's bytes, a model call (reference.npz with x) by those of every array. What one build refuses
the other must refuse. One line a case; exit code 1 when something differs.
"""
import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def own_cases():
    patterns = ("tests/golden/*/case.json", "tests/golden/legacy/*/case.json", "examples/*/case.json")
    return sorted(path.parent for pattern in patterns for path in ROOT.glob(pattern))


def digest(path):
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            parts = [name.encode() + archive.read(name) for name in sorted(archive.namelist())]
    else:
        parts = [path.read_bytes()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def command_of(case, ranks, precision, lead_time):
    if (case / "config.yaml").is_file():
        parallel = ["runner=parallel", f"world_size={ranks}"] if ranks > 1 else []
        return ["run", "config.yaml", "--run-dir", "run", f"precision={precision}", f"lead_time={lead_time}"] + parallel
    return ["predict", "inference-last.ckpt", "reference.npz", "y.npz", "--precision", precision,
            "--world-size", str(ranks)]


def outputs(case, program, arguments):
    """(exit code, {file: digest}) of one run on links to the case."""
    with tempfile.TemporaryDirectory(prefix="tradewind-same-") as folder:
        scratch = Path(folder)
        for file in case.iterdir():
            if not file.name.startswith("output"):
                (scratch / file.name).symlink_to(file.resolve())
        run = subprocess.run([program, *arguments], cwd=scratch, capture_output=True, text=True,
                             env={**os.environ, "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"})
        made = {path.name: digest(path) for path in scratch.iterdir() if path.is_file() and not path.is_symlink()}
        shutil.rmtree(scratch / "run", ignore_errors=True)
        return run.returncode, made, run.stderr


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("old", type=Path)
    p.add_argument("new", type=Path)
    p.add_argument("cases", type=Path, nargs="*")
    p.add_argument("--ranks", default="1,2,3,4")
    p.add_argument("--precision", default="f32")
    p.add_argument("--lead-time", default="12h")
    a = p.parse_args()
    different = compared = 0
    for case in a.cases or own_cases():
        told = []
        for precision in a.precision.split(","):
            for ranks in map(int, a.ranks.split(",")):
                arguments = command_of(case.resolve(), ranks, precision, a.lead_time)
                old, new = (outputs(case.resolve(), (folder / "tradewind").resolve(), arguments)
                            for folder in (a.old, a.new))
                same = old[:2] == new[:2] and (old[0] != 0 or bool(old[1]))
                compared += 1
                different += not same
                word = "same" if same and old[0] == 0 else f"both refuse ({old[0]})" if same else "DIFFERENT"
                told.append(f"{precision} x {ranks}: {word}")
                if not same:
                    told.append(f"[exit codes {old[0]} and {new[0]}; {new[2].strip()[-300:]}]")
        print(f"{case.name}: {', '.join(told)}", flush=True)
    print(f"{compared} pairs of runs, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
