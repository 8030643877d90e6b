#!/usr/bin/env python3
"""Whole runs, GRIB to GRIB, of the twins of make_twins.py: input.grib, lsm.grib and the operational configuration beside the
checkpoint; the reference makes reference.grib.

    make_twin_runs.py CASE_DIR

Environment: Python 3.11 with anemoi-inference 0.13.0, anemoi-transform 0.5.1, earthkit-data 0.20.0, eccodes 2.50.0, torch 2.10.0,
numpy below 2.5, scipy; before these on PYTHONPATH the checkpoint's own anemoi-models and anemoi-graphs (and no more of anemoi),
torch_geometric 2.6.1 and the stand-in for flash_attn.
"""
import datetime, json, os, subprocess, sys
from pathlib import Path

import eccodes as ec
import numpy as np
from twin_grib import put, read_twin

case = Path(sys.argv[1]).resolve()
date = datetime.datetime(2024, 1, 15)
names, x, variables = read_twin(case)
names_out = [str(n) for n in np.load(case / "reference.npz")["names_out"]]
ensemble = "ens" in case.name


with open(case / "input.grib", "wb") as out:
    for t, when in enumerate((date - datetime.timedelta(hours=6), date)):
        for i, name in enumerate(names):
            mars = variables[name].get("mars")
            if not mars or name == "sin_mwd":
                continue
            values = x[t, :, i].astype(float)
            if name == "cos_mwd":  # the direction in their place
                values = np.degrees(np.arctan2(x[t, :, names.index("sin_mwd")].astype(float), values)) % 360
                mars = dict(mars, param="mwd")
            if name in ("sd", "swvl1", "swvl2"):  # with values everywhere: the filter takes those over sea out
                values = np.where(np.isnan(values), 0.125, values)
            put(out, mars["param"], when, values, mars.get("levelist"), mars["stream"])
with open(case / "lsm.grib", "wb") as out:
    put(out, "lsm", date, x[1, :, names.index("lsm")])

# Templates: the reference has none of its own for so small a grid, and of the input's only those of prognostic variables.
others = [*(n for n in names_out if n not in names), "lsm", "sdor", "slor", "wmb", "z"]
encoding = "\n    encoding: {eps: 1, number: 3, class: ai, stream: enfo, type: pf}" if ensemble else ""
(case / "config.yaml").write_text(f"""checkpoint: inference-last.ckpt
device: cpu
precision: f32
lead_time: 24h
date: '{date.isoformat()}'
input: {{grib: input.grib}}
output:
  grib:
    path: output.grib{encoding}
    templates: [{{input: {{{", ".join(f"{n}: 2t" for n in others)}, mwd: swh}}}}]
pre_processors:
  - forward-transform-filter: cos_sin_mean_wave_direction
  - forward-transform-filter: {{filter: apply-mask, param: [sd, swvl1, swvl2], path: lsm.grib, mask_value: 0}}
post_processors:
  - backward-transform-filter: cos_sin_mean_wave_direction
  - accumulate_from_start_of_forecast
patch_metadata: {{dataset: {{constant_fields: [z, sdor, slor, lsm, wmb]}}}}
use_grib_paramid: {"true" if ensemble else "false"}
allow_nans: true
typed_variables:
  mwd: {{mars: {{param: mwd, stream: wave, levtype: sfc}}}}
  snowc: {{mars: {{param: fscov, stream: oper, levtype: sfc}}}}
""" + ("seed: 42\n" if ensemble else ""))


def run(name, *overrides):
    command = [str(Path(sys.executable).parent / "anemoi-inference"), "run", "config.yaml", *overrides]
    done = subprocess.run(command, cwd=case, capture_output=True, text=True, env=dict(os.environ, OMP_NUM_THREADS="2"))
    if done.returncode:
        sys.exit(done.stdout[-1500:] + done.stderr[-4000:])
    os.replace(case / "output.grib", case / name)


def fields(name):
    with open(case / name, "rb") as f:
        while (h := ec.codes_grib_new_from_file(f)) is not None:
            ec.codes_set(h, "missingValue", 1e36)
            values = ec.codes_get_values(h)
            yield np.where(values == 1e36, np.nan, values)
            ec.codes_release(h)


run("reference.grib")
info = json.loads((case / "case.json").read_text())
info["run"] = {"anemoi.inference": "0.13.0"}
if ensemble:  # the type in which it is run for real
    run("bf16.grib", "precision=bf16", "lead_time=6h")
    apart = [np.nanmax(np.abs(a - b)) / s for a, b in zip(fields("bf16.grib"), fields("reference.grib")) if (s := np.nanstd(b)) > 0]
    count = sum(1 for _ in fields("bf16.grib"))
    (case / "bf16.grib").unlink()
    info["other_precisions"] = {"bf16": {"lead_time": "6h", "vs_f32": {"max_abs_over_std": float(max(apart)), "messages": count}}}
(case / "case.json").write_text(json.dumps(info, indent=1) + "\n")
print(case.name, "reference.grib", (case / "reference.grib").stat().st_size, info.get("other_precisions"))
