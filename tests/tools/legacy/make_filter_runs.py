#!/usr/bin/env python3
"""A whole run through every filter of anemoi-transform that is built: an input that needs them, and outputs behind them.

    make_filter_runs.py TWIN_DIR CASE_DIR     TWIN_DIR: the case of make_twins.py single, in the environment of make_twin_runs.py

CASE_DIR gets input.grib, lsm.grib, lsm.npy and config.yaml, and as reference/NAME.grib what the reference wrote as NAME.grib.
"""
import datetime, os, shutil, subprocess, sys
from pathlib import Path

import numpy as np
from twin_grib import put, read_twin

twin, case = (Path(arg).resolve() for arg in sys.argv[1:3])
case.mkdir(parents=True, exist_ok=True)
date = datetime.datetime(2024, 1, 15)
names, x, variables = read_twin(twin)
with open(case / "input.grib", "wb") as out:
    for t, when in enumerate((date - datetime.timedelta(hours=6), date)):
        put(out, "tcw", when, np.ones(x.shape[1]))
        for i, name in enumerate(names):
            mars = variables[name].get("mars")
            if not mars or name == "sin_mwd":
                continue
            param, values = mars["param"], x[t, :, i].astype(float)
            if name == "cos_mwd":
                param, values = "mwd", np.degrees(np.arctan2(x[t, :, names.index("sin_mwd")].astype(float), values)) % 360
            if name == "2t":
                values = values - 273.15
            if name == "msl":
                param = "prmsl"
            if name == "z":
                param, values = "orog", values / 9.80665
            if name == "sd":  # with values everywhere
                values = np.where(np.isnan(values), 0.125, values)
            if name == "lsm" and t == 1:  # the filter takes the first one there is
                values = 1 - values
            put(out, param, when, values, mars.get("levelist"), mars["stream"])
lsm = x[0, :, names.index("lsm")]
np.save(case / "lsm.npy", lsm.astype(np.float32))
with open(case / "lsm.grib", "wb") as out:
    put(out, "lsm", date, lsm)
templates = "templates: [{input: {snowc: 2t, tp: 2t, ro: 2t, mwd: swh, 100u: 10u, orog: sp, lsm: 2t, z: 2t}}]"
(case / "config.yaml").write_text(f"""# Made by make_filter_runs.py.
checkpoint: inference-last.ckpt
device: cpu
precision: f32
lead_time: 12h
date: '{date.isoformat()}'
input:
  grib:
    path: input.grib
    pre_processors:
    - forward_transform_filter: {{filter: {{apply_mask: {{mask_param: lsm, mask_value: 0, param: [sd], return_mask: true}}}}}}
    - forward-transform-filter: {{orog-to-z: {{orography: orog, geopotential: z}}}}
    - forward_transform_filter: noop
constant_forcings:
  grib: {{path: input.grib, pre_processors: [{{forward_transform_filter: {{orog_to_z: {{}}}}}}, no_missing_values]}}
pre_processors:
- forward_transform_filter: cos_sin_mean_wave_direction
- forward_transform_filter: {{filter: rescale, param: 2t, scale: 1, offset: 273.15}}
- forward_transform_filter: {{filter: rename, param: {{prmsl: msl}}}}
- forward_transform_filter: {{filter: clip, param: q, minimum: 0.0005, maximum: 0.004}}
- forward_transform_filter: {{filter: impute_nans, param: [stl1, stl2], value: 270.5}}
- forward_transform_filter: {{filter: drop, param: tcw}}
- forward_transform_filter: {{filter: mask, self_mask: true, param: [swh], threshold: 3, threshold_operator: '>='}}
patch_metadata: {{dataset: {{constant_fields: [z, sdor, slor, lsm, wmb]}}}}
allow_nans: true
typed_variables:
  mwd: {{mars: {{param: mwd, stream: wave, levtype: sfc}}}}
  100u: {{mars: {{param: 100u, levtype: sfc}}}}
  orog: {{mars: {{param: orog, levtype: sfc}}}}
output:
  tee:
  - grib:
      path: waves.grib
      variables: [swh, mwd, msl, q_700, stl1, sd, 2t]
      {templates}
      post_processors: [backward-transform-filter: cos_sin_mean_wave_direction]
  - grib:
      path: renamed.grib
      variables: [100u, 10v]
      {templates}
      post_processors: [forward_transform_filter: {{rename: {{param: {{10u: 100u}}}}}}]
  - grib:
      path: metres.grib
      variables: [orog, sp]
      {templates}
      post_processors: [backward_transform_filter: {{filter: orog_to_z, geopotential: sp, skip_initial_state: true}}]
  - grib:
      path: scaled.grib
      variables: [tp, 2t, t_500, sd, 2d]
      {templates}
      post_processors:
      - forward_transform_filter: {{filter: rescale, param: tp, scale: 1000, offset: 0.1}}
      - backward_transform_filter: {{filter: rescale, param: t, scale: 1.7, offset: 30}}
      - forward_transform_filter: {{filter: clip, param: 2d, maximum: 270}}
      - forward_transform_filter: {{filter: impute_nans, param: sd, value: 0.7}}
      - forward_transform_filter: {{filter: drop, param: t, levelist: [850]}}
      - backward_transform_filter: noop
      - accumulate_from_start_of_forecast
  - grib:
      path: masked.grib
      variables: [2t, 2d, swvl1]
      {templates}
      post_processors:
      - forward_transform_filter: {{filter: apply_mask, path: lsm.npy, threshold: 0.5, threshold_operator: lt, param: 2t}}
      - forward_transform_filter: {{filter: apply_mask, path: lsm.grib, mask_value: 1, param: [2d]}}
      - forward_transform_filter: {{filter: apply_mask, mask_param: swvl2, threshold: 0.25, param: swvl1, skip_initial_state: true}}
""")
shutil.copy(twin / "inference-last.ckpt", case)
done = subprocess.run([str(Path(sys.executable).parent / "anemoi-inference"), "run", "config.yaml"], cwd=case, capture_output=True,
                      text=True, env=dict(os.environ, OMP_NUM_THREADS="2"))
(case / "inference-last.ckpt").unlink()
if done.returncode:
    sys.exit(done.stdout[-1500:] + done.stderr[-4000:])
(case / "reference").mkdir(exist_ok=True)
for name in ("waves", "renamed", "metres", "scaled", "masked"):
    os.replace(case / f"{name}.grib", case / "reference" / f"{name}.grib")
    print(name, (case / "reference" / f"{name}.grib").stat().st_size)
