"""Runs Anemoi weather models natively, sharded over many devices: a Python door to the executable `tradewind`.

    import tradewind
    report = tradewind.run("config.yaml", lead_time="48h", world_size=4)
    print(report.outputs, report["wall_seconds"])

No function of it loads LibTorch into this process. All are safe to call from several threads.
"""

from __future__ import annotations

from tradewind.commands import Error, Report, compare, inspect, run

__all__ = ["Error", "Report", "compare", "inspect", "run"]
