"""Runners for anemoi-inference that make each step with Tradewind, on ranks of their own.

In a configuration, all else of which stays as it is (inputs, outputs, processors, plugins):

    runner:
      tradewind: {ranks: 4}

and in Python, in place of the reference's SimpleRunner:

    from tradewind.anemoi import SimpleRunner

Of anemoi-inference's own device nothing is asked: `device` of the configuration is that of the ranks.
"""

from __future__ import annotations

import weakref
from functools import cached_property
from typing import Any

import numpy as np
import torch
from anemoi.inference.config.run import RunConfiguration
from anemoi.inference.runner import Runner
from anemoi.inference.runners import runner_registry, simple

from tradewind.commands import Error, inspect
from tradewind.service import Service

__all__ = ["SimpleRunner", "TradewindRunner"]


def _refuse(path: str) -> None:
    """Raises Error with every reason for which the checkpoint does not run."""
    about = inspect(path)
    if about["runnable"]:
        return
    reasons = about.get("obstacles") or [{"what": "this checkpoint does not run", "where": path, "remedy": ""}]
    first = reasons[0]
    raise Error(first.get("what", ""), first.get("where", ""), first.get("remedy", ""), 2, reasons)


class _Model(Service):
    """The service where a runner expects a torch.nn.Module."""

    def eval(self) -> _Model:
        return self


class _Steps(Runner):
    """What makes a runner compute its steps here. `ranks`, `service_device`: of the service, set before Runner's own
    __init__ is called."""

    _ranks = 1

    def _begin(self, config: Any) -> None:
        """After the base class: what it has found out is known."""
        if config.predict_kwargs:
            raise Error("predict_kwargs are not passed on", "predict_kwargs", "leave them out, or use `tradewind run`", 2)
        self._where = str(self._device) if self._device is not None else None
        # Its tensors are filled here and read by the ranks.
        self.device = torch.device("cpu")
        _refuse(str(self.checkpoint.path))

    @cached_property
    def model(self) -> Any:
        """The service, in place of a torch.nn.Module: nothing of the checkpoint is loaded into this process."""
        precision = {torch.float32: "f32", torch.bfloat16: "bf16", torch.float16: "f16"}.get(self.autocast)  # type: ignore[arg-type]
        if precision is None:
            raise Error(f"precision {self.autocast} is not known", "precision", "give 32, bf16 or 16", 2)
        service = _Model(self.checkpoint.path, self._ranks, precision=precision, device=self._where)
        weakref.finalize(self, service.close)
        return service

    def predict_step(self, model: Any, input_tensors_torch: Any, **kwargs: Any) -> Any:
        """One model call. x of each dataset (1, time, grid, variables); y (1, [time,] ensemble, grid, variables)."""
        alone = not isinstance(input_tensors_torch, dict)
        tensors = {model.datasets[0]: input_tensors_torch} if alone else input_tensors_torch
        step = int(kwargs.get("fcstep", 0))
        for name, tensor in tensors.items():
            values = tensor.numpy(force=True)
            np.copyto(model.x(name), values if values.ndim == 4 else values[:, :, 0])
        # torch's own numbers, which the base class has seeded, are those of a forecast's first call here too.
        model.call(step, seed=torch.initial_seed() if step == 0 else None)
        results = {}
        for one in model.about["datasets"]:
            if one["output_steps"] == 0 or one["name"] not in tensors:
                continue
            y = torch.from_numpy(model.y(one["name"]).copy())[:, :, None]
            results[one["name"]] = y if model.about["output_has_time"] else y[:, 0]
        return next(iter(results.values())) if alone else results


@runner_registry.register("tradewind")
class TradewindRunner:
    """`runner: {tradewind: {ranks: N}}`: the runner that the checkpoint asks for, with its steps made by Tradewind.

    ranks: processes that share the model. base_runner: another runner than `auto`, whose steps are to be made here.
    """

    def __new__(cls, config: RunConfiguration, ranks: int = 1, base_runner: str = "auto", **kwargs: Any) -> Any:
        if base_runner == "auto":
            from anemoi.inference.checkpoint import Checkpoint

            patch: Any = config.patch_metadata
            base_runner = Checkpoint(config.checkpoint, patch_metadata=patch).task or "forecaster"
        base: Any = runner_registry.lookup(base_runner)

        class Running(_Steps, base):  # type: ignore[misc]
            def __init__(self) -> None:
                base.__init__(self, config, **kwargs)
                self._ranks = ranks
                self._begin(config)

        Running.__name__ = f"Tradewind{base.__name__}"
        return Running()


class SimpleRunner(_Steps, simple.SimpleRunner):
    """The reference's SimpleRunner (`for state in runner.run(input_state=..., lead_time=...)`), its steps made here.

    ranks: processes that share the model. Further arguments are SimpleRunner's own.
    """

    def __init__(self, checkpoint: str, *, ranks: int = 1, **kwargs: Any) -> None:
        simple.SimpleRunner.__init__(self, checkpoint, **kwargs)
        self._ranks = ranks
        self._begin(self.config)
