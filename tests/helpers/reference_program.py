"""The reference as a program of ranks: `anemoi-inference run` with `runner: parallel`, of the environment TRADEWIND_REFERENCE (a
folder with bin/anemoi-inference)."""
import os
from pathlib import Path

CASE = Path(__file__).resolve().parent.parent / "golden" / "gt-transformer"
CONFIG = f"""checkpoint: {CASE}/inference-last.ckpt
device: cpu
precision: f32
lead_time: 240h
date: '2024-01-15T00:00:00'
input:
  grib: {CASE}/input.grib
output: none
runner:
  parallel:
    base_runner: default
"""


def reference_program():
    """Its path, or None."""
    program = Path(os.environ.get("TRADEWIND_REFERENCE", "/nowhere")) / "bin" / "anemoi-inference"
    return program if program.exists() else None


def write_config(folder, own_ranks=None):
    """config.yaml in that folder. own_ranks: as many that the reference starts itself; None: something else starts them."""
    cluster = f"    cluster:\n      manual:\n        world_size: {own_ranks}\n" if own_ranks else ""
    (folder / "config.yaml").write_text(CONFIG + cluster)
