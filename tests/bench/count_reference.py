#!/usr/bin/env python3
"""One rank of the reference with its collectives counted: count_reference.py OUT.json run config.yaml [key=value...]

Started once per rank with RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, and `cluster: distributed` in the
configuration. Writes {"bytes_sent", "calls": {operation: [calls, bytes_sent]}, "idle_anonymous", "own_peak",
"peak_resident", "steps"}: payload that leaves this rank for others, counted as docs/communication.md does for ours; own
memory is anonymous memory less what the process held once everything was imported, the largest value that a look every
50 ms found."""
import json
import os
import re
import sys
import threading
import time

import torch
import torch.distributed as dist

out = sys.argv.pop(1)
counts = {}
calls_of_model = [0, 0.0]


def status(key):
    with open("/proc/self/status") as file:
        return int(re.search(rf"{key}:\s+(\d+) kB", file.read())[1]) * 1024


def note(operation, sent):
    entry = counts.setdefault(operation, [0, 0])
    entry[0] += 1
    entry[1] += int(sent)


def counted(name, sent):
    original = getattr(dist, name)

    def call(*args, **kwargs):
        group = kwargs.get("group")
        ranks = dist.get_world_size(group)
        if ranks > 1:
            note(name, sent(args, kwargs, ranks, dist.get_rank(group)))
        return original(*args, **kwargs)

    setattr(dist, name, call)


size = lambda tensor: tensor.numel() * tensor.element_size()
argument = lambda args, kwargs, i, name: args[i] if len(args) > i else kwargs[name]
counted("all_gather", lambda a, k, p, r: (p - 1) * size(argument(a, k, 1, "tensor")))
counted("all_gather_into_tensor", lambda a, k, p, r: (p - 1) * size(argument(a, k, 1, "input_tensor")))
counted("all_to_all", lambda a, k, p, r: sum(size(t) for i, t in enumerate(argument(a, k, 1, "input_tensor_list"))
                                             if i != r))
counted("all_to_all_single", lambda a, k, p, r: size(argument(a, k, 1, "input")) * (p - 1) / p)
counted("all_reduce", lambda a, k, p, r: 2 * size(argument(a, k, 0, "tensor")) * (p - 1) / p)
counted("broadcast", lambda a, k, p, r: (p - 1) * size(argument(a, k, 0, "tensor"))
        if argument(a, k, 1, "src") == r else 0)
counted("reduce_scatter_tensor", lambda a, k, p, r: (p - 1) / p * size(argument(a, k, 1, "input")))
for name in ("send", "isend"):
    counted(name, lambda a, k, p, r: size(argument(a, k, 0, "tensor")))
p2p = dist.batch_isend_irecv


def batch(operations):
    for one in operations:
        if one.op in (dist.isend, dist.send):
            note("batch_isend_irecv", size(one.tensor))
    return p2p(operations)


dist.batch_isend_irecv = batch

from anemoi.inference.__main__ import main  # noqa: E402
import anemoi.inference.commands.run  # noqa: E402,F401
from anemoi.inference.runners.parallel import create_parallel_runner  # noqa: E402,F401
import anemoi.models  # noqa: E402,F401

idle, peak, done = status("RssAnon"), [0], threading.Event()


def watch():
    while not done.wait(0.05):
        peak[0] = max(peak[0], status("RssAnon"))


def predictions():
    """Times the model calls, wherever the runner makes them."""
    from anemoi.inference.runner import Runner

    original = Runner.predict_step

    def predict_step(self, *args, **kwargs):
        begin = time.monotonic()
        result = original(self, *args, **kwargs)
        calls_of_model[0] += 1
        calls_of_model[1] = time.monotonic() - begin
        return result

    Runner.predict_step = predict_step


predictions()
threading.Thread(target=watch, daemon=True).start()
code = 0
try:
    sys.argv[0] = "anemoi-inference"
    main()
except SystemExit as exit_:
    code = exit_.code or 0
done.set()
with open(out, "w") as file:
    json.dump({"bytes_sent": sum(sent for _, sent in counts.values()), "calls": counts, "idle_anonymous": idle,
               "own_peak": max(0, peak[0] - idle), "peak_resident": status("VmHWM"), "steps": calls_of_model[0],
               "last_step_seconds": calls_of_model[1]}, file)
sys.exit(code)
