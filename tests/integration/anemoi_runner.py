#!/usr/bin/env python3
"""anemoi_runner.py BIN_DIR CASE_DIR SCRATCH: the runners of tradewind.anemoi inside anemoi-inference, against its own.
TRADEWIND_REFERENCE: an environment with anemoi-inference 0.13; exit code 77 without it."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

BINARIES, CASE, SCRATCH = (Path(word).resolve() for word in sys.argv[1:4])
PYTHON = Path(os.environ.get("TRADEWIND_REFERENCE") or "/nowhere") / "bin" / "python"
VARIABLES = {**os.environ, "TRADEWIND_PROGRAM": str(BINARIES / "tradewind"),
             "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "python")}

# The command of the reference, with the entry point that an installed package has.
RUN = """
import sys, tradewind.anemoi
from anemoi.inference.__main__ import main
sys.argv = ["anemoi-inference", "run", sys.argv[1]]
main()
"""

# A notebook, with the reference's runner and with ours: only the import and `ranks` differ.
NOTEBOOK = """
import sys, numpy as np, yaml
from anemoi.inference.config.run import RunConfiguration
from anemoi.inference.runners import create_runner
import anemoi.inference.runners.simple, tradewind.anemoi
config = RunConfiguration.load("ours.yaml", {"runner": "auto"})
given = create_runner(config)
name = given.dataset_names[0]
dates = [given.reference_date + lag for lag in given.checkpoint.multi_dataset_metadata[name].lagged]
state = given._combine_states(given.prognostics_inputs[name].create_input_state(dates=dates),
                              given.constant_forcings_inputs[name].create_input_state(dates=dates))
def forecast(runner):
    made = []
    for one in runner.run(input_states={**state, "fields": dict(state["fields"])}, lead_time="24h"):
        made.append({k: np.array(v, dtype=np.float64) for k, v in one["fields"].items()})
    return made
theirs = forecast(anemoi.inference.runners.simple.SimpleRunner("inference-last.ckpt", precision="32", device="cpu"))
ours = forecast(tradewind.anemoi.SimpleRunner("inference-last.ckpt", ranks=2, precision="32", device="cpu"))
assert len(ours) == len(theirs) >= 2, (len(ours), len(theirs))
worst = 0.0
for a, b in zip(ours, theirs):
    assert a.keys() == b.keys()
    for key in a:
        spread = b[key].std() or 1.0
        worst = max(worst, float(np.abs(a[key] - b[key]).max() / spread))
assert worst < 1e-4, worst
print("notebook", worst)
"""


def python(script, *words, code=0):
    ended = subprocess.run([PYTHON, "-c", script, *words], cwd=SCRATCH, env=VARIABLES, text=True, capture_output=True,
                           timeout=600)
    assert ended.returncode == code, f"{words} ended with {ended.returncode}\n{ended.stdout}{ended.stderr[-6000:]}"
    return ended


def write(name, **changes):
    # JSON is YAML: the environment of this script need not have a library for it.
    config = {"checkpoint": "inference-last.ckpt", "date": CONFIG["date"], "lead_time": "24h", "precision": "32",
              "device": "cpu", "write_initial_state": False, "input": {"grib": "input.grib"},
              "output": {"grib": {"path": f"{name}.grib", "templates": [{"input": {"tp": "2t", "tcc": "2t", "lsm": "2t", "z": "2t"}}, "builtin"]}}}
    config.update(changes)
    (SCRATCH / f"{name}.yaml").write_text(json.dumps(config))


CONFIG = {}


def main():
    if not PYTHON.exists():
        print("TRADEWIND_REFERENCE names no environment with anemoi-inference")
        sys.exit(77)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    for file in ("inference-last.ckpt", "input.grib"):
        (SCRATCH / file).symlink_to(CASE / file)
    text = (CASE / "config.yaml").read_text()
    CONFIG["date"] = next(line.split(":", 1)[1].strip().strip("'\"") for line in text.splitlines() if line.startswith("date"))

    write("theirs", runner="auto")
    python(RUN, "theirs.yaml")
    for ranks in (1, 2):
        write("ours", runner={"tradewind": {"ranks": ranks}})
        python(RUN, "ours.yaml")
        compared = subprocess.run([BINARIES / "tradewind", "compare", "ours.grib", "theirs.grib", "--json"], cwd=SCRATCH,
                                  text=True, capture_output=True)
        assert compared.returncode == 0, compared.stdout + compared.stderr
        print(ranks, json.loads(compared.stdout)["worst_over_std"])
    print(python(NOTEBOOK).stdout.strip().splitlines()[-1])

    write("refused", runner={"tradewind": {"ranks": 1}}, predict_kwargs={"a": 1})
    error = python(RUN, "refused.yaml", code=1).stderr
    assert "predict_kwargs are not passed on" in error, error[-3000:]
    shutil.rmtree(SCRATCH)


main()
