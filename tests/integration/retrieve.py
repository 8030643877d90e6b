#!/usr/bin/env python3
"""retrieve.py BIN_DIR GOLDEN_DIR SCRATCH: the requests of `tradewind retrieve` stand for the same fields as those of
`anemoi-inference retrieve`, for every checkpoint of GOLDEN_DIR and of TRADEWIND_FIXTURES. TRADEWIND_REFERENCE: an environment
with anemoi-inference 0.13; exit code 77 without it."""
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

BINARIES, GOLDEN, SCRATCH = (Path(word).resolve() for word in sys.argv[1:4])
PYTHON = Path(os.environ.get("TRADEWIND_REFERENCE") or "/nowhere") / "bin" / "python"
DATE = "2024-01-15T06:00:00"

THEIRS = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from anemoi.inference.checkpoint import Checkpoint
from anemoi.inference.commands.retrieve import checkpoint_to_requests
from anemoi.inference.variables import Variables
import datetime
made = {}
for path in json.load(open(sys.argv[1])):
    for kind in Variables.input_types():
        for scda in (False, True):
            try:
                checkpoint = Checkpoint(path)
                name = list(checkpoint.multi_dataset_metadata)[0]
                if (checkpoint.task or "").replace("-", "_") == "temporal_downscaler":
                    raise ValueError("asks for dates before the start, which its runner does not read")
                requests = checkpoint_to_requests(
                    checkpoint, dataset_name=name, date=sys.argv[2], use_scda=scda,
                    forecast_dates=scda, lead_time=datetime.timedelta(hours=12), time_step=checkpoint.timestep,
                    **Variables.input_type_to_include_exclude(kind))
            except Exception as error:
                requests = {"error": repr(error)}
            made[f"{path} {kind} {scda}"] = requests
json.dump(made, open(sys.argv[3], "w"), default=str)
"""


def fields(requests):
    """Every field that the requests ask for; grids and areas are one value."""
    found = set()
    for request in requests:
        whole = {"grid", "area", "target"}
        lists = [[(key, json.dumps(value))] if key in whole or not isinstance(value, list)
                 else [(key, json.dumps(one)) for one in value] for key, value in request.items() if key != "target"]
        found |= {tuple(sorted(one)) for one in itertools.product(*lists)}
    return found


def ours(path, kind, scda):
    words = [BINARIES / "tradewind", "retrieve", f"checkpoint={path}", "lead_time=12h", "--date", DATE, "--input-type", kind]
    return subprocess.run(words + (["--use-scda", "--forecast-dates"] if scda else []), text=True, capture_output=True)


def main():
    if not PYTHON.exists():
        print("TRADEWIND_REFERENCE names no environment with anemoi-inference")
        sys.exit(77)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    folders = [GOLDEN, *map(Path, filter(None, [os.environ.get("TRADEWIND_FIXTURES")]))]
    paths = sorted({str(path.resolve()) for folder in folders for path in folder.rglob("inference-last.ckpt")})
    (SCRATCH / "paths.json").write_text(json.dumps(paths))
    subprocess.run([PYTHON, "-c", THEIRS, SCRATCH / "paths.json", DATE, SCRATCH / "theirs.json"], check=True)
    theirs = json.loads((SCRATCH / "theirs.json").read_text())
    same = failed = without = 0
    for name, expected in theirs.items():
        path, kind, scda = name.rsplit(" ", 2)
        if isinstance(expected, dict):
            without += 1  # the reference of today does not read it
            continue
        got = ours(path, kind, scda == "True")
        if got.returncode == 0 and fields(json.loads(got.stdout)) == fields(expected):
            same += 1
            continue
        failed += 1
        made = fields(json.loads(got.stdout)) if got.returncode == 0 else set()
        print(f"{name}: exit code {got.returncode} {got.stderr.strip()[:300]}\n  theirs alone {list(fields(expected) - made)[:2]}\n"
              f"  ours alone {list(made - fields(expected))[:2]}")
    print(f"{same} same, {failed} not, {without} that the reference does not read")
    sys.exit(1 if failed or not same else 0)


main()
