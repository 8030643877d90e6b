#!/usr/bin/env python3
"""predict_reference.py CKPT IN.npz OUT.npz: one model call of the reference on the tensor `x`, as `tradewind predict`
makes it; prints its seconds. Run it with the Python of an environment that holds the reference. A checkpoint of a
generation that the installed reference cannot load ends in the reference's own exception."""
import os
import sys
import time

import numpy as np
import torch

checkpoint, source, target = sys.argv[1:]
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
model = torch.load(checkpoint, map_location="cpu", weights_only=False).eval()
x = torch.from_numpy(np.load(source)["x"])
per_dataset = hasattr(model.model, "input_datasets")  # newer generations take one tensor for each dataset
start = time.perf_counter()
with torch.inference_mode():
    y = model.predict_step({"data": x} if per_dataset else x)
print(f"model call: {time.perf_counter() - start:.6f} s")
np.savez(target, y=(y["data"] if per_dataset else y).numpy())
