#!/usr/bin/env python3
"""Build golden cases with the reference implementation, and the large case for timing.

Run it with the Python of an environment that holds the reference (versions: the golden cases' case.json).

  make_cases.py [--out DIR] [--cases A,B,...]      build, run the reference, store what it wrote
  make_cases.py --list                             names of the cases
  make_cases.py --big DIR [--grid o96] [--channels 512] ...   the large case (not run)
  make_cases.py --time CASE_DIR [key=value ...]    time one run of the reference, split by phase

A case folder holds inference-last.ckpt, input.grib, config.yaml, config-parallel.yaml, reference.grib (the reference's
command line, CPU, float32, 2 threads), reference.npz (tensors of the same forecast, see dump_reference) and case.json
(what it covers, versions, wall times, measured differences, tolerance). Of several datasets there is an input and a
reference for each (run_datasets).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from case_builder import (Case, gnn_mapper, gnn_processor, graph_transformer_mapper, graph_transformer_processor,
                          many_variables, standard_variables, transformer_processor)

PACKAGES = ("anemoi-inference", "anemoi-models", "anemoi-graphs", "anemoi-utils", "anemoi-transform", "earthkit-data",
            "eccodes", "eccodeslib", "torch", "torch_geometric", "numpy")


def cases():
    return [Case(
        "gt-transformer",
        "AIFS-single layout: GraphTransformer mappers, Transformer processor with sliding window, trainable node and "
        "edge features, all five normalisations, Relu and Hardtanh bounding",
        graph_transformer_mapper("Forward", 32), transformer_processor(32, 4, window=48),
        graph_transformer_mapper("Backward", 32), precisions=("bf16", "f16"),
        templates=[{"input": {"tp": "2t", "tcc": "2t", "lsm": "2t", "z": "2t"}}, "builtin"],
    ), datasets_case()]


def datasets_case():
    standard = standard_variables()
    few = ("10u", "2t", "cos_julian_day", "cos_latitude", "insolation", "lsm", "msl", "sin_longitude", "tp")
    less = {n: v for n, v in standard.items() if n in few}
    more = {n: v for n, v in standard.items() if n in (*few, "t_850", "tcc", "z")}
    return Case(
        "datasets",
        "Three datasets: fine (o16) has an encoder and a decoder, coarse (o8) shares the encoder and is only read, made "
        "(o8) has a decoder alone, which starts from coordinates and prognostics; latents put beside each other, "
        "coarse's first",
        graph_transformer_mapper("Forward", 8), graph_transformer_processor(16, 2),
        graph_transformer_mapper("Backward", 8), hidden=2, trainable=2, lead_time="12h", aggregator="Concat", bounding=[],
        encoders={"shared": ["coarse", "fine"]},
        datasets={"fine": {"grid": "o16", "variables": less, "decoder": "x"},
                  "coarse": {"grid": "o8", "variables": less},
                  "made": {"grid": "o8", "variables": more, "decoder": "y", "features": ["coordinates", "prognostics"]}},
        templates=[{"input": {"tp": "2t", "tcc": "2t", "lsm": "2t", "z": "2t"}}, "builtin"],
    )


def big_case(a):
    hidden = int(a.hidden) if a.hidden.isdigit() else a.hidden
    mapper = dict(heads=a.heads, trainable=8, chunks=4)
    parts = [graph_transformer_mapper("Forward", a.channels, **mapper),
             transformer_processor(a.channels, a.layers, a.heads, a.window),
             graph_transformer_mapper("Backward", a.channels, **mapper)]
    if a.family == "graph-transformer":
        parts[1] = graph_transformer_processor(a.channels, a.layers, a.heads, trainable=8)
    elif a.family == "gnn":
        parts = [gnn_mapper("Forward", a.channels, trainable=8), gnn_processor(a.channels, a.layers, trainable=8),
                 gnn_mapper("Backward", a.channels, trainable=8)]
    return Case(
        "big", f"{a.family}, {a.grid}, {a.channels} channels, {a.layers} layers", *parts,
        grid=a.grid, hidden=hidden, variables=many_variables(a.nvars), trainable=8, lead_time=a.lead_time, bits=16,
    )


# ---- running the reference ------------------------------------------------------------------------------------------


def environment(threads):
    n = str(threads)
    return {**os.environ, "OMP_NUM_THREADS": n, "MKL_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n,
            "ANEMOI_BASE_SEED": "42"}


def run_reference(folder, threads, config="config.yaml", overrides=(), log="reference.log"):
    """(exit code, wall seconds); the forecast is in output.grib."""
    command = [str(Path(sys.executable).parent / "anemoi-inference"), "run", config, *overrides]
    start = time.time()
    with open(folder / log, "w") as f:
        done = subprocess.run(command, cwd=folder, env=environment(threads), stdout=f, stderr=subprocess.STDOUT)
    return done.returncode, time.time() - start


def dump_reference(folder):
    """One run of the case in this process; writes reference.npz:

    input_first, input_second    (time, grid, variable) float32: tensors given to the model at the first two calls
    normalised_first             the first of them after the pre-processors
    output_first, output_last    (time, grid, variable) float32: what the first and the last call gave
    latent_encoder, latent_processor   hidden rows of the first call after the encoder, after the processor
    decoder_first                raw result of the decoder
    input_variables, output_variables, latitudes, longitudes, calls
    """
    import torch
    from anemoi.inference.config.run import RunConfiguration
    from anemoi.inference.runners import create_runner

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    os.chdir(folder)
    runner = create_runner(RunConfiguration.load("config.yaml", []))
    keep, calls = {}, []
    predict = runner.predict_step

    def arr(t):
        return t.detach().to(torch.float32).cpu().numpy().copy()

    def keep_once(module, name, pick):
        def hook(_module, _inputs, o):
            keep.setdefault(name, arr(pick(o)))

        module.register_forward_hook(hook)

    def predict_step(model, tensors, **kw):
        (dataset,) = tensors
        if not calls:
            (encoder,), (decoder,) = model.model.encoder.values(), model.model.decoder.values()
            keep_once(encoder, "latent_encoder", lambda o: o[1])
            keep_once(model.model.processor, "latent_processor", lambda o: o[0] if isinstance(o, tuple) else o)
            keep_once(decoder, "decoder_first", lambda o: o)
            keep_once(model.pre_processors[dataset], "normalised_first", lambda o: o[0, :, 0])
        if len(calls) < 2:
            keep[("input_first", "input_second")[len(calls)]] = arr(tensors[dataset][0])
        y = predict(model, tensors, **kw)
        t = y[dataset]
        keep["output_last"] = arr(t[0] if t.ndim == 4 else t[0, :, 0])
        keep.setdefault("output_first", keep["output_last"])
        calls.append(time.time())
        return y

    runner.predict_step = predict_step
    runner.execute()
    (md,) = runner.checkpoint.multi_dataset_metadata.values()
    by_index = lambda d: np.array(sorted(d, key=d.get))
    keep["input_variables"] = by_index(md.variable_to_input_tensor_index)
    keep["output_variables"] = by_index(md.variable_to_output_tensor_index)
    for a in ("latitudes", "longitudes"):
        keep[a] = md.load_supporting_array(a)
    keep["calls"] = np.array(len(calls))
    np.savez_compressed("reference.npz", **keep)


def predict_what_there_is(self, batch, pre_processors, post_processors, n_step_input, **kw):
    """predict_step of anemoi-models 0.19.0, which stops at a dataset that is only read, mended."""
    import torch

    with torch.no_grad():
        kw = {k: v for k, v in kw.items() if k not in ("model_comm_group", "gather_out")}
        x = {n: pre_processors[n](t[:, 0:n_step_input, None, ...], in_place=False) for n, t in batch.items()}
        y = self.forward(x, model_comm_group=None, grid_shard_sizes=None, **kw)
        return {n: post_processors[n](t, in_place=False) for n, t in y.items()}


def run_datasets(folder):
    """The forecast of several datasets in this process: reference-DATASET.grib, and reference.npz with
    input_first/DATASET and output_first/DATASET (time, grid, variable), the tensors of the first call, and
    output_variables/DATASET."""
    import torch
    from anemoi.inference.config.run import RunConfiguration
    from anemoi.inference.runners import create_runner
    from anemoi.models.models.base import BaseGraphModel

    torch.set_num_threads(1)
    os.chdir(folder)
    BaseGraphModel.predict_step = predict_what_there_is
    runner = create_runner(RunConfiguration.load("config.yaml", []))
    keep, calls, predict = {}, [], runner.predict_step

    def predict_step(model, tensors, **kw):
        if not calls:
            keep.update({f"input_first/{n}": t[0].numpy().copy() for n, t in tensors.items()})
        y = predict(model, tensors, **kw)
        if not calls:
            keep.update({f"output_first/{n}": t[0, :, 0].numpy().copy() for n, t in y.items()})
        calls.append(y)
        return y

    runner.predict_step = predict_step
    runner.execute()
    for n, md in runner.checkpoint.multi_dataset_metadata.items():
        columns = md.variable_to_output_tensor_index
        keep[f"output_variables/{n}"] = np.array(sorted(columns, key=columns.get))
        Path(f"output-{n}.grib").replace(f"reference-{n}.grib")
    np.savez_compressed("reference.npz", **keep)
    report = json.loads(Path("case.json").read_text())
    report["model_calls"] = len(calls)
    Path("case.json").write_text(json.dumps(report, indent=1) + "\n")


def time_reference(folder, overrides):
    """One run of the case in this process; prints where the wall time goes (JSON on the last line)."""
    import resource

    import psutil

    start = psutil.Process().create_time()
    import anemoi.models.interface  # noqa: F401  (the unpickler would import it)
    import torch
    from anemoi.inference.config.run import RunConfiguration
    from anemoi.inference.runners import create_runner

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    t = {"imports": time.time() - start, "model_calls": [], "checkpoint_load": 0.0, "output": 0.0, "input": 0.0}

    def timed(owner, name, key):
        inner = getattr(owner, name)

        def wrapper(*a, **k):
            begin = time.time()
            try:
                return inner(*a, **k)
            finally:
                d = time.time() - begin
                t[key] = t[key] + [d] if isinstance(t[key], list) else t[key] + d

        setattr(owner, name, wrapper)

    os.chdir(folder)
    begin = time.time()
    runner = create_runner(RunConfiguration.load("config.yaml", list(overrides)))
    t["create_runner"] = time.time() - begin
    timed(torch, "load", "checkpoint_load")
    timed(runner, "predict_step", "model_calls")
    for n, o in runner.outputs.items():
        for name in ("write_state", "write_initial_state", "close"):
            timed(o, name, "output")
        timed(runner.prognostics_inputs[n], "create_input_state", "input")
        timed(runner.constant_forcings_inputs[n], "create_input_state", "input")
        timed(runner.tensor_handlers[n], "prepare_input_tensor", "input")
    begin = time.time()
    runner.execute()
    t["execute"] = time.time() - begin
    t["total"] = time.time() - start
    t["other"] = t["execute"] - sum(t["model_calls"]) - t["checkpoint_load"] - t["output"] - t["input"]
    t["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({k: [round(x, 2) for x in v] if isinstance(v, list) else round(v, 2) for k, v in t.items()}))


# ---- comparing ------------------------------------------------------------------------------------------------------


def read_grib(path):
    """List of (key, values) in file order."""
    import eccodes

    out = []
    names = ("shortName", "typeOfLevel", "level", "dataDate", "dataTime", "stepRange")
    with open(path, "rb") as f:
        while (h := eccodes.codes_grib_new_from_file(f)) is not None:
            out.append((tuple(str(eccodes.codes_get(h, k)) for k in names), eccodes.codes_get_values(h)))
            eccodes.codes_release(h)
    return out


def compare_grib(a, b, prefix=False):
    """Largest difference of two GRIB files, absolute over the standard deviation of the field."""
    x, y = read_grib(a), read_grib(b)
    if prefix:
        y = y[: len(x)]
    if [k for k, _ in x] != [k for k, _ in y]:
        return {"same_messages": False}
    worst, where = max((float(np.abs(u - v).max() / max(u.std(), 1e-30)), "/".join(k)) for (k, u), (_, v) in zip(x, y))
    return {"same_messages": True, "messages": len(x), "max_abs_over_std": worst, "where": where if worst else None,
            "identical_bytes": Path(a).read_bytes() == Path(b).read_bytes()}


def versions():
    from importlib.metadata import version

    return {"python": sys.version.split()[0], **{p: version(p) for p in PACKAGES}}


def make_case(case, out):
    folder = out / case.name
    info = case.build(folder)
    report = {"name": case.name, "about": case.about, "versions": versions(), **info,
              "checkpoint_bytes": (folder / "inference-last.ckpt").stat().st_size}
    if len(case.datasets) > 1:
        made = {n for n, d in case.datasets.items() if d.get("decoder")}
        read = {n for sources in case.encoders.values() for n in sources}
        used = [f"{n}|to|hidden" for n in read] + [f"hidden|to|{n}" for n in made] + ["hidden|to|hidden"]
        report["edges"] = {e: count for e, count in report["edges"].items() if e in used}
        report["notes"] = predict_what_there_is.__doc__
        report["tolerance_suggestion"] = {"max_abs_over_field_std": 1e-4}
        (folder / "case.json").write_text(json.dumps(report, indent=1))
        (folder / "config-parallel.yaml").unlink()
        subprocess.run([sys.executable, __file__, "--datasets", str(folder)], env=environment(1), check=True)
        return
    output, reference = folder / "output.grib", folder / "reference.grib"

    def run(what, *args, **kw):
        code, wall = run_reference(folder, *args, **kw)
        if code:
            log = folder / kw.get("log", "reference.log")
            raise SystemExit(f"{case.name}: {what}: the reference left with {code}, see {log}")
        return round(wall, 2)

    report["peer"] = {"rc": 0, "seconds_2_threads": run("float32", 2)}
    output.replace(reference)
    subprocess.run([sys.executable, __file__, "--dump", str(folder)], env=environment(1), check=True)
    report["one_thread_vs_two"] = compare_grib(reference, output)
    report["model_calls"] = int(np.load(folder / "reference.npz")["calls"])
    for precision in case.precisions:  # the first 24 hours; only the bfloat16 file is kept
        overrides = [f"precision={precision}", "lead_time=24h"]
        wall = run(precision, 2, overrides=overrides, log=f"reference-{precision}.log")
        report.setdefault("other_precisions", {})[precision] = {
            "seconds_2_threads": wall, "lead_time": "24h", "vs_f32": compare_grib(output, reference, prefix=True)}
        if precision == "bf16":
            output.replace(folder / "reference-bf16.grib")
    wall = run("two ranks", 1, "config-parallel.yaml", log="reference-parallel.log")
    report["parallel_gloo"] = {"seconds_2_ranks_1_thread": wall, "vs_single": compare_grib(reference, output)}
    output.unlink()
    repeats = report["one_thread_vs_two"], report["parallel_gloo"]["vs_single"]
    worst = max(r["max_abs_over_std"] for r in repeats)
    report["tolerance_suggestion"] = {
        "max_abs_over_field_std": float(f"{max(10 * worst, 1e-4):.1e}"),
        "how": "10 x the largest of (1 thread vs 2 threads, 2 ranks vs 1), at least 1e-4"}
    (folder / "case.json").write_text(json.dumps(report, indent=1))
    print(case.name, json.dumps({k: report[k] for k in ("peer", "one_thread_vs_two", "parallel_gloo")}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--out", type=Path, default=Path.cwd(), help="folder in which case folders are made")
    p.add_argument("--cases", help="names, separated by commas (default: all)")
    p.add_argument("--list", action="store_true", help="names of the cases")
    p.add_argument("--dump", type=Path, help=argparse.SUPPRESS)
    p.add_argument("--datasets", type=Path, help=argparse.SUPPRESS)
    p.add_argument("--time", type=Path, metavar="CASE_DIR", help="time one run of the reference on a case")
    p.add_argument("overrides", nargs="*", help="with --time: key=value for the configuration")
    p.add_argument("--big", type=Path, metavar="DIR", help="make the large case there")
    p.add_argument("--family", choices=["transformer", "graph-transformer", "gnn"], default="transformer",
                   help="of the large case's processor; gnn: of its mappers too")
    p.add_argument("--grid", default="o96")
    p.add_argument("--channels", type=int, default=512)
    p.add_argument("--layers", type=int, default=16)
    p.add_argument("--hidden", default="o48")
    p.add_argument("--nvars", type=int, default=100)
    p.add_argument("--heads", type=int, default=16)
    p.add_argument("--window", type=int, default=512)
    p.add_argument("--lead-time", default="24h")
    a = p.parse_args()
    if a.dump:
        dump_reference(a.dump.resolve())
    elif a.datasets:
        run_datasets(a.datasets.resolve())
    elif a.time:
        time_reference(a.time.resolve(), a.overrides)
    elif a.big:
        case = big_case(a)
        info = case.build(a.big)
        (a.big / "case.json").write_text(json.dumps({"about": case.about, "versions": versions(), **info}, indent=1))
        print(json.dumps(info))
    elif a.list:
        print("\n".join(f"{c.name:24s} {c.about}" for c in cases()))
    else:
        wanted = a.cases.split(",") if a.cases else None
        for c in cases():
            if wanted is None or c.name in wanted:
                make_case(c, a.out.resolve())


if __name__ == "__main__":
    main()
