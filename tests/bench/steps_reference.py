#!/usr/bin/env python3
"""steps_reference.py ARGUMENTS...: `anemoi-inference ARGUMENTS...` that prints the seconds of each step when it ends. A
step is what the reference does from having handed over one step's fields until it hands over the next one's: forcings,
the next input, the model call (also printed by itself), the new fields; output is not in it. Run it with the Python of an
environment that holds the reference."""
import sys
import time

from anemoi.inference import runner
from anemoi.inference.__main__ import main

steps, calls = [], []
forecast, predict_step = runner.Runner.forecast, runner.Runner.predict_step


def timed_predict_step(self, *args, **kwargs):
    start = time.perf_counter()
    try:
        return predict_step(self, *args, **kwargs)
    finally:
        calls.append(time.perf_counter() - start)


def timed_forecast(self, *args, **kwargs):
    states = forecast(self, *args, **kwargs)
    while True:
        start, before = time.perf_counter(), len(calls)
        state = next(states, None)
        elapsed = time.perf_counter() - start
        if len(calls) > before:
            steps.append(elapsed)
        elif steps:  # a further output step of the same model call
            steps[-1] += elapsed
        if state is None:
            break
        yield state


if __name__ == "__main__":
    runner.Runner.forecast, runner.Runner.predict_step = timed_forecast, timed_predict_step
    try:
        main()
    finally:
        for seconds, call in zip(steps, calls):
            print(f"step: {seconds:.6f} s, model call: {call:.6f} s", flush=True)
