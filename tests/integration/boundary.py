#!/usr/bin/env python3
"""A limited-area model that forecasts no row has all its next input from the run's input: each of its steps is the first
step of a forecast that begins at that date, to the bit, by one rank and by several.

    boundary.py BIN_DIR CASE_DIR      # CASE_DIR: golden/gt-transformer
"""
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

BIN, CASE = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
POINTS, STEPS = 5248, 3
DATES = [f"2024-01-15T{6 * i:02}:00:00" for i in range(STEPS + 1)]


def run(folder, name, expected=0, **config):
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"device": "cpu", "precision": "f32", "write_initial_state": False, **config}))
    done = subprocess.run([BIN / "tradewind", "run", path, "--quiet", "--run-dir", folder / f"{name}.run"],
                          cwd=folder, capture_output=True, text=True)
    if done.returncode != expected:
        sys.exit(f"FAILED: exit code {done.returncode} of {name}, not {expected}\n{done.stderr}")
    return done.stderr


def with_mask(folder, name, values):
    """The checkpoint with an output_mask, and what tells its metadata."""
    shutil.copyfile(CASE / "inference-last.ckpt", folder / name)
    with zipfile.ZipFile(folder / name, "a") as archive:
        archive.writestr("inference-last/anemoi-metadata/output_mask.numpy", bytes(values))
    array = {"path": "inference-last/anemoi-metadata/output_mask.numpy", "shape": [len(values)], "dtype": "bool"}
    return {"checkpoint": name, "patch_metadata": {"supporting_arrays_paths": {"data": {"output_mask": array}}}}


def fields(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.startswith("field_")}


def main(folder):
    plain = {"checkpoint": str(CASE / "inference-last.ckpt")}
    templates = [{"input": {name: "2t" for name in ("tp", "tcc", "lsm", "z")}}, "builtin"]
    run(folder, "ahead", **plain, date=DATES[0], lead_time="18h", input={"grib": str(CASE / "input.grib")},
        output={"grib": {"path": "ahead.grib", "templates": templates}})
    (folder / "all.grib").write_bytes((CASE / "input.grib").read_bytes() + (folder / "ahead.grib").read_bytes())
    common = {"input": {"grib": "all.grib"}, "constant_forcings": {
        "repeated_dates": {"source": {"grib": str(CASE / "input.grib")}, "date": DATES[0]}}}

    for i, date in enumerate(DATES[:-1]):
        run(folder, f"from{i}", **plain, **common, date=date, lead_time="6h", output={"raw": f"from{i}"})
    for ranks in (1, 3):
        parallel = {"runner": "parallel", "world_size": ranks} if ranks > 1 else {}
        around = with_mask(folder, "around.ckpt", [0] * POINTS)
        run(folder, f"around{ranks}", **around, **common, **parallel, date=DATES[0], lead_time="18h",
            output={"raw": f"around{ranks}"})
        for i, date in enumerate(DATES[1:]):
            name = date.replace("-", "").replace("T", "").replace(":", "") + ".npz"
            ours, fresh = fields(folder / f"around{ranks}" / name), fields(folder / f"from{i}" / name)
            if not ours or ours != fresh:
                wrong = [key for key in fresh if ours.get(key) != fresh[key]]
                sys.exit(f"FAILED: {ranks} ranks, {date}: other values of {', '.join(wrong)}")

    # With no row around it is a model like any other; a mask of another grid is refused.
    run(folder, "inside", **with_mask(folder, "inside.ckpt", [1] * POINTS), date=DATES[0], lead_time="18h",
        input={"grib": str(CASE / "input.grib")}, output={"grib": {"path": "inside.grib", "templates": templates}})
    if (folder / "inside.grib").read_bytes() != (folder / "ahead.grib").read_bytes():
        sys.exit("FAILED: a mask without effect changes the forecast")
    said = run(folder, "short", 2, **with_mask(folder, "short.ckpt", [1] * 5), date=DATES[0], lead_time="6h",
               input={"grib": str(CASE / "input.grib")}, output="none")
    if "output_mask" not in said:
        sys.exit(f"FAILED: does not name the output_mask: {said}")
    print("steps of a model that forecasts no row are those of fresh forecasts, by 1 and 3 ranks")


with tempfile.TemporaryDirectory(prefix="tradewind-boundary-") as scratch:
    main(Path(scratch))
