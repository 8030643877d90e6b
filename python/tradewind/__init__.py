"""Runs Anemoi weather models natively, sharded over many devices: a Python door to the executable `tradewind`.

    import tradewind
    report = tradewind.run("config.yaml", lead_time="48h", world_size=4)
    print(report.outputs, report["wall_seconds"])

`Service` keeps a model loaded for many calls. Runners for anemoi-inference: tradewind.anemoi. Of these only the last loads
torch into this process; the functions are safe to call from several threads.
"""

from __future__ import annotations

from tradewind.commands import Error, Report, compare, inspect, run
from tradewind.service import Service

__all__ = ["Error", "Report", "Service", "compare", "inspect", "run"]
