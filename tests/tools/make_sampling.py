#!/usr/bin/env python3
"""make_sampling.py OUT.h: what the schedules and samplers of anemoi-models make: tests/unit/sampling/reference.h. Needs
a Python environment with anemoi-models 0.19.

The network is y * 0.5 / (1 + level) + 0.25 in float32, two datasets have fields of (2 steps, 5 points, 2 variables) and
(1 step, 6 points, 3 variables) that start from i * 0.1 - 1 for element i, and random numbers are torch's with seed 7."""
import sys

import torch
from anemoi.models.samplers import transport_samplers as samplers
from anemoi.models.transport import schedules

SHAPES = {"a": (1, 2, 1, 5, 2), "b": (1, 1, 1, 6, 3)}
DENOISE, MOVE = samplers.DIFFUSION_SAMPLERS, samplers.VECTOR_FIELD_SAMPLERS
SCHEDULES = {
    "karras": (schedules.SIGMA_SCHEDULES["karras"], dict(sigma_max=80.0, sigma_min=0.03, num_steps=5, rho=6.0)),
    "karras_one": (schedules.SIGMA_SCHEDULES["karras"], dict(sigma_max=80.0, sigma_min=0.03, num_steps=1)),
    "linear": (schedules.SIGMA_SCHEDULES["linear"], dict(sigma_max=80.0, sigma_min=0.03, num_steps=4)),
    "cosine": (schedules.SIGMA_SCHEDULES["cosine"], dict(sigma_max=80.0, sigma_min=0.03, num_steps=4, s=0.02)),
    "exponential": (schedules.SIGMA_SCHEDULES["exponential"], dict(sigma_max=80.0, sigma_min=0.03, num_steps=4)),
    "unit_time": (schedules.TIME_SCHEDULES["unit_time"], dict(num_steps=4)),
}
SAMPLERS = {
    "heun": ("karras", DENOISE["heun"], {}),
    "heun_churn": ("karras", DENOISE["heun"], dict(S_churn=2.0, S_min=0.1, S_max=20.0, S_noise=1.01, eps_prec=1e-6)),
    "heun_much_churn": ("linear", DENOISE["heun"], dict(S_churn=40.0)),
    "heun_one": ("karras_one", DENOISE["heun"], {}),
    "dpmpp_2m": ("karras", DENOISE["dpmpp_2m"], {}),
    "dpmpp_2m_linear": ("linear", DENOISE["dpmpp_2m"], {}),
    "euler": ("unit_time", MOVE["euler"], {}),
    "heun_in_time": ("unit_time", MOVE["heun"], {}),
    "heun_in_time_whole": ("unit_time", MOVE["heun"], dict(euler_final_step=False)),
}


def network(_x, y, level, *_):
    return {name: field * 0.5 / (1 + level[name]) + 0.25 for name, field in y.items()}


def levels(name):
    kind, options = SCHEDULES[name]
    return kind(**options).get_schedule(dtype_compute=torch.float64)


def array(name, values):
    return f"inline const std::vector<double> {name} = {{{', '.join(repr(float(v)) for v in values)}}};\n"


text = "// Made by tests/tools/make_sampling.py with anemoi-models 0.19.0, torch " + torch.__version__.split("+")[0] + ".\n"
text += "#pragma once\n\n#include <vector>\n\nnamespace tradewind::reference {\n\n"
for name in SCHEDULES:
    text += array("levels_" + name, levels(name))
for name, (schedule, kind, options) in SAMPLERS.items():
    torch.manual_seed(7)
    at = levels(schedule)
    x, y = {}, {}
    for dataset, shape in SHAPES.items():
        count = torch.tensor(shape).prod().item()
        y[dataset] = (torch.arange(count, dtype=torch.float64) * 0.1 - 1).reshape(shape)
        x[dataset] = torch.zeros(1, dtype=torch.float32)
        if not name.startswith(("euler", "heun_in_time")):
            y[dataset] = y[dataset] * at[0]
    out = kind(**options).sample(x, y, at, network)
    for dataset in SHAPES:
        text += array(f"{name}_{dataset}", out[dataset].flatten().tolist())
for kind, shape in (("float", (3, 11, 5)), ("double", (3, 11, 5)), ("float", (1, 2, 3))):
    torch.manual_seed(11)
    drawn = torch.randn(shape, dtype=getattr(torch, kind)).flatten().tolist()
    text += array(f"drawn_{kind}_{len(drawn)}", drawn)
text += "\n}  // namespace tradewind::reference\n"
open(sys.argv[1], "w").write(text)
