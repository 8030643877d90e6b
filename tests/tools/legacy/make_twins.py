#!/usr/bin/env python3
"""Small twins of ECMWF's operational models, made with the anemoi-models of their time: checkpoint and one model call.

    make_twins.py single CASE_DIR     AIFS Single v2: anemoi-models 0.9.3, seventeen imputed variables, missing values that
                                      follow another variable, all boundings, the transformed mean wave direction
    make_twins.py ens CASE_DIR        AIFS ENS v2: anemoi-models 0.11.2, the same and noise through a sparse matrix

Environment: Python 3.11, torch 2.5.1, torch_geometric 2.6.1, numpy 1.26, hydra-core 1.3.2, omegaconf 2.3.0, scikit-learn, and
anemoi-models, anemoi-graphs, anemoi-utils 0.9.3 0.7.1 0.4.35 or 0.11.2 0.8.2 0.4.42 without their dependencies; flash_attn is
stood in for by an empty package with the same names. make_twin_runs.py makes the whole run of it.
Every number is drawn from seeds made of names: two runs give the same tensors.
"""
import datetime, inspect, json, sys, tempfile, types, uuid, zlib
from pathlib import Path

P, D, F = "prognostic", "diagnostic", "forcing"
# dataset order: name -> (role, mean, stdev, minimum, maximum)
VARIABLES = {
    "10u": (P, -0.05, 5.5, -40, 42), "10v": (P, 0.19, 4.7, -38, 39), "2d": (P, 274, 20, 190, 305), "2t": (P, 278.5, 21, 190, 326),
    "cdww": (P, 0.0012, 0.0004, 0.0005, 0.004), "cos_julian_day": (F, 0, 0.7071, -1, 1), "cos_latitude": (F, 0.785, 0.22, 0.02, 1),
    "cos_longitude": (F, 0, 0.7071, -1, 1), "cos_mwd": (P, 0.1, 0.7, -1, 1), "cp": (D, 0.0004, 0.0013, 0, 0.13),
    "insolation": (F, 0.25, 0.33, 0, 1), "lsm": (F, 0.34, 0.46, 0, 1), "mpts": (P, 10, 2.5, 2, 20), "mpww": (P, 5, 2, 1, 15),
    "msl": (P, 100960, 1330, 92000, 107000), "mwp": (P, 8, 2, 2, 18), "pp1d": (P, 9, 3, 2, 22), "q_700": (P, 0.0024, 0.0025, 0, 0.018),
    "ro": (D, 0.0001, 0.0005, 0, 0.05), "sd": (P, 0.05, 0.15, 0, 10), "sdor": (F, 20, 60, 0, 700), "sf": (D, 0.0001, 0.0005, 0, 0.05),
    "shts": (P, 1.6, 1, 0, 12), "shww": (P, 1, 1, 0, 14), "sin_julian_day": (F, 0, 0.7071, -1, 1), "sin_latitude": (F, 0, 0.577, -1, 1),
    "sin_longitude": (F, 0, 0.7071, -1, 1), "sin_mwd": (P, -0.1, 0.7, -1, 1), "slor": (F, 0.003, 0.01, 0, 0.15),
    "snowc": (D, 15, 30, 0, 100), "sp": (P, 96650, 9600, 48000, 107000), "stl1": (P, 281, 20, 200, 330), "stl2": (P, 281, 19, 205, 325),
    "swh": (P, 2, 1.3, 0, 15), "swvl1": (P, 0.25, 0.15, 0, 0.77), "swvl2": (P, 0.25, 0.14, 0, 0.77), "t_500": (P, 252.9, 13.1, 215, 282),
    "t_850": (P, 274.6, 15.7, 220, 315), "tcc": (D, 0.65, 0.36, 0, 1), "tp": (D, 0.0006, 0.0017, 0, 0.16), "wmb": (F, 300, 150, 0, 999),
    "z": (F, 3720, 8400, -1200, 55000), "z_500": (P, 54100, 3350, 44000, 59500),
}
NAMES = list(VARIABLES)
BY_ROLE = {role: [n for n in NAMES if VARIABLES[n][0] == role] for role in (P, D, F)}
WAVES = ["cdww", "cos_mwd", "mpts", "mpww", "mwp", "pp1d", "shts", "shww", "sin_mwd", "swh", "wmb"]
LAND = ["sd", "swvl1", "swvl2", "stl1", "stl2"]
IMPUTED = {0: ["sd", "swvl1", "swvl2", "ro", *(n for n in WAVES if n != "wmb")], 273.15: ["stl1", "stl2"], 999: ["wmb"]}  # 17
CONSTANT = ["lsm", "sdor", "slor", "wmb", "z"]
COMPUTED = [n for n in NAMES if n.startswith(("cos_j", "cos_l", "sin_j", "sin_l")) or n == "insolation"]
CHANNELS, HEADS, LAYERS, WINDOW = 16, 2, 2, 12
TRAINABLE = dict(data=8, hidden=6, data2hidden=8, hidden2data=8, hidden2hidden=8)
MODELS = {"single": ("0.9.3", "AnemoiModelEncProcDec"), "ens": ("0.11.2", "AnemoiEnsModelEncProcDec")}
LAYERS_OF = "anemoi.models.layers"


def octahedral(np, n):
    """Latitudes and longitudes (degrees, north to south) of the octahedral reduced Gaussian grid O<n>."""
    rows = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(2 * n)[0]))[::-1]
    counts = [4 * (min(j, 2 * n - 1 - j) + 1) + 16 for j in range(2 * n)]
    return np.repeat(rows, counts), np.concatenate([np.arange(k) * (360.0 / k) for k in counts])


def build_graph(np, torch):
    sys.modules.setdefault("anemoi.datasets", types.ModuleType("anemoi.datasets")).open_dataset = None
    from anemoi.graphs.edges import CutOffEdges, KNNEdges
    from anemoi.utils.config import DotDict
    from sklearn.neighbors import NearestNeighbors
    from torch_geometric.data import HeteroData

    graph = HeteroData()
    for name, n, kind in (("data", 6, "ZarrDatasetNodes"), ("hidden", 3, "NPZFileNodes")):
        graph[name].x = torch.tensor(np.deg2rad(np.stack(octahedral(np, n), -1)), dtype=torch.float32)
        graph[name].node_type = kind
        near = NearestNeighbors(n_neighbors=2, metric="haversine").fit(graph[name].x.numpy())
        graph[name]["_grid_reference_distance"] = near.kneighbors(graph[name].x.numpy())[0][:, 1].max()
    attributes = {k: {"_target_": f"anemoi.graphs.edges.attributes.{c}", "norm": "unit-std"}
                  for k, c in (("edge_length", "EdgeLength"), ("edge_dirs", "EdgeDirection"))}
    for edges in (CutOffEdges("data", "hidden", 0.6), KNNEdges("hidden", "data", 3)):
        edges.update_graph(graph, attrs_config=DotDict(attributes))
    for kind in list(graph.node_types) + list(graph.edge_types):
        for key in [k for k in graph[kind] if k.startswith("_")]:
            del graph[kind][key]
    return graph


def noise_matrix(np, graph):
    """Noise drawn on O2, brought to the hidden nodes by a sparse matrix whose rows sum to one."""
    from scipy.sparse import csr_matrix, save_npz
    from scipy.spatial import cKDTree

    def xyz(la, lo):
        return np.stack([np.cos(la) * np.cos(lo), np.cos(la) * np.sin(lo), np.sin(la)], -1)

    coarse, fine = xyz(*np.radians(octahedral(np, 2))), xyz(*graph["hidden"].x.double().numpy().T)
    distance, source = cKDTree(coarse).query(fine, k=4)
    weight = 1 / (distance + 0.05)
    weight /= weight.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(fine)), 4)
    path = tempfile.NamedTemporaryFile(suffix=".npz", delete=False).name
    save_npz(path, csr_matrix((weight.ravel().astype(np.float32), (rows, source.ravel())), shape=(len(fine), len(coarse))))
    return path


def build_config(kind, matrix):
    norm = {"LayerNorm": {"_target_": "torch.nn.LayerNorm"}, "Linear": {"_target_": "torch.nn.Linear"},
            "Activation": {"_target_": "torch.nn.GELU"}}

    def part(target, **options):
        return {"_target_": f"{LAYERS_OF}.{target}", "mlp_hidden_ratio": 4, "num_heads": HEADS, "cpu_offload": False,
                "layer_kernels": json.loads(json.dumps(norm)), "num_chunks": 1, "qk_norm": False, **options}

    def mapper(name, trainable):
        options = {"graph_attention_backend": "pyg"} if kind == "ens" else {}
        return part(f"mapper.GraphTransformer{name}Mapper", trainable_size=TRAINABLE[trainable], shard_strategy="edges",
                    sub_graph_edge_attributes=["edge_length", "edge_dirs"], **options)

    processor = part("processor.TransformerProcessor", num_layers=LAYERS, window_size=WINDOW, dropout_p=0.0, softcap=0.0,
                     attention_implementation="flash_attention", use_alibi_slopes=False, use_rotary_embeddings=False)
    bound = f"{LAYERS_OF}.bounding."
    model = {
        "num_channels": CHANNELS, "encoder": mapper("Forward", "data2hidden"), "processor": processor,
        "decoder": mapper("Backward", "hidden2data"), "trainable_parameters": dict(TRAINABLE),
        "attributes": {"edges": ["edge_length", "edge_dirs"], "nodes": []}, "layer_kernels": norm, "cpu_offload": False,
        "keep_batch_sharded": True, "compile": [], "model": {"_target_": f"anemoi.models.models.{MODELS[kind][1]}"},
        "bounding": [
            {"_target_": bound + "ReluBounding", "variables": ["tp", "ro", "sd", "swh", "shww", "shts", "cdww", "q_700", "swvl1", "swvl2"]},
            {"_target_": bound + "HardtanhBounding", "variables": ["tcc", "snowc"], "min_val": 0, "max_val": 1},
            {"_target_": bound + "FractionBounding", "variables": ["cp", "sf"], "min_val": 0, "max_val": 1, "total_var": "tp"},
        ],
    }
    if kind == "ens":
        model["residual"] = {"_target_": f"{LAYERS_OF}.residual.SkipConnection", "step": -1}
        processor["layer_kernels"]["LayerNorm"] = {
            "_target_": f"{LAYERS_OF}.normalization.ConditionalLayerNorm", "normalized_shape": CHANNELS, "condition_shape": 4,
            "autocast": False, "zero_init": True}
        model["noise_injector"] = {
            "_target_": f"{LAYERS_OF}.ensemble.NoiseConditioning", "noise_std": 1, "noise_channels_dim": 4, "noise_mlp_hidden_dim": 32,
            "layer_kernels": {"Activation": {"_target_": "torch.nn.GELU"}}, "noise_matrix": matrix, "row_normalize_noise_matrix": True}
        model["condition_on_residual"] = False
    prefix = "anemoi.models.preprocessing."
    processors = {
        "conditional_nan": {"_target_": prefix + "postprocessor.ConditionalNaNPostprocessor", "_convert_": "all",
                            "config": {"default": "none", "remap": "sd", "nan": ["snowc", "ro"]}},
        "const_imputer": {"_target_": prefix + "imputer.ConstantImputer", "_convert_": "all", "config": {"default": "none", **IMPUTED}},
        "normalizer": {"_target_": prefix + "normalizer.InputNormalizer", "_convert_": "all", "config": {
            "default": "mean-std", "remap": {"cp": "tp", "sf": "tp"}, "std": ["tp", "ro", "sd", "swh", "shww", "shts", "cdww"],
            "min-max": ["lsm", "q_700", "swvl1", "swvl2"], "max": ["z", "sp", "sdor", "slor", "wmb", "snowc"],
            "none": [*COMPUTED, "cos_mwd", "sin_mwd", "tcc"]}},
    }
    training = {"multistep_input": 2, "precision": "bf16-mixed" if kind == "ens" else "16-mixed", "rollout": {"start": 1, "max": 1}}
    if kind == "ens":
        training["multistep_output"] = 1
    return {"data": {"format": "zarr", "resolution": "o6", "frequency": "6h", "timestep": "6h", "remapped": None,
                     "forcing": BY_ROLE[F], "diagnostic": BY_ROLE[D], "processors": processors},
            "training": training, "graph": {"data": "data", "hidden": "hidden"}, "model": model}


def variables_metadata():
    """No variable is said to be constant: the operational configuration says it in `patch_metadata`."""
    out = {}
    for n in NAMES:
        if n in COMPUTED:
            out[n] = {"computed_forcing": True, "constant_in_time": n.endswith("itude")}
            continue
        mars = {"class": "ea", "expver": "0001", "stream": "wave" if n in WAVES else "oper", "step": 0, "type": "an", "param": n, "levtype": "sfc"}
        out[n] = {"mars": mars}
        if n[0] in "qtz" and "_" in n:
            mars.update(param=n.split("_")[0], levtype="pl", levelist=int(n.split("_")[1]))
        if n in ("tp", "cp", "sf", "ro"):
            mars.update(type="fc", step=6)
            out[n].update(process="accumulation", period=[0, 6])
    return out


def primitives(o):
    if hasattr(o, "todict"):
        return primitives(o.todict())
    if hasattr(o, "tolist"):
        return o.tolist()
    if isinstance(o, dict):
        return {str(k): primitives(v) for k, v in o.items()}
    return [primitives(v) for v in o] if isinstance(o, (list, tuple)) else o


def random_numbers(torch, module, name):
    """In every parameter, seeded by the case's name and its own; gains around 1."""
    for key, p in module.named_parameters():
        r = torch.randn(p.shape, generator=torch.Generator().manual_seed(zlib.crc32(f"{name}/{key}".encode())))
        leaf = key.rsplit(".", 1)[-1]
        r = 0.5 * r if leaf == "trainable" else 0.1 * r if leaf == "bias" else r / p.shape[-1] ** 0.5 if p.dim() > 1 else 1 + 0.2 * r
        with torch.no_grad():
            p.copy_(r)


def land(np, lat, lon):
    la, lo = np.radians(lat), np.radians(lon)
    return np.sin(2 * lo + 0.4) * np.cos(la) + 0.6 * np.sin(3 * la) - 0.1 > 0


def raw_input(np, name, names, lat, lon):
    """Smooth fields; waves are missing over land and under ice, the soil over sea; constants are the same at both times."""
    rng = np.random.default_rng(zlib.crc32(f"{name}/x".encode()))
    la, lo = np.radians(lat), np.radians(lon)
    fixed = {"cos_latitude": np.cos(la), "sin_latitude": np.sin(la), "cos_longitude": np.cos(lo), "sin_longitude": np.sin(lo)}
    x = np.empty((1, 2, lat.size, len(names)), np.float32)
    on_land = land(np, lat, lon)
    for k, n in enumerate(names):
        _, mean, std, low, high = VARIABLES[n]
        for t in range(2):
            f = sum(rng.normal() * np.cos(i * lo + rng.uniform(0, 6)) * np.cos(i * la + rng.uniform(0, 6)) for i in range(1, 5))
            f = fixed[n] if n in fixed else np.clip(mean + std * (f + 0.2 * rng.normal(size=lat.size)), low, high)
            if n == "lsm":
                f = np.where(on_land, 1.0, 0.0)
            x[0, t, :, k] = x[0, 0, :, k] if t and n in CONSTANT else f
            if n in LAND:
                x[0, t, ~on_land, k] = np.nan
            if n in WAVES:
                x[0, t, on_land | (lat < -70 + 8 * t * (n != "wmb")), k] = np.nan  # the ice moves
    direction = np.arctan2(x[..., names.index("sin_mwd")], x[..., names.index("cos_mwd")])
    x[..., names.index("cos_mwd")], x[..., names.index("sin_mwd")] = np.cos(direction), np.sin(direction)
    return x


def tag_as_cuda(torch, module):
    """As a model that was trained on a GPU has it: storages of parameters and buffers say cuda:0."""
    pointers, copies = set(), {}
    for owner in module.modules():
        for key, t in owner._buffers.items():
            if t is not None:
                owner._buffers[key] = copies.setdefault(id(t), t.clone())
        pointers |= {t.untyped_storage().data_ptr() for d in (owner._parameters, owner._buffers) for t in d.values()
                     if isinstance(t, torch.Tensor) and not t.is_sparse}
    torch.serialization.register_package(5, lambda s: "cuda:0" if s.data_ptr() in pointers and s.nbytes() else None, lambda s, at: None)


def predict(torch, model, x, kind):
    drawn, real = [], torch.randn

    def randn(*a, **k):
        drawn.append(real(*a, **k))
        return drawn[-1].clone()

    def step(**k):
        torch.manual_seed(1234)
        with torch.no_grad():
            return model.predict_step(torch.from_numpy(x.copy()), **k).numpy()

    torch.randn = randn
    try:
        if kind == "single":
            return step(), {}
        y, later = step(fcstep=0), step(fcstep=1)
    finally:
        torch.randn = real
    return y, {"noise": drawn[0].numpy(), "fcstep": __import__("numpy").array(0), "y_fcstep1": later}


def main(kind, folder):
    import numpy as np
    import torch
    from anemoi.models.data_indices.collection import IndexCollection
    from anemoi.models.interface import AnemoiModelInterface
    from anemoi.utils.checkpoints import save_metadata
    from omegaconf import OmegaConf

    torch.set_num_threads(2)
    torch.manual_seed(0)
    version, name = MODELS[kind][0], folder.resolve().name
    folder.mkdir(parents=True, exist_ok=True)
    lat, lon = octahedral(np, 6)
    graph = build_graph(np, torch)
    config = build_config(kind, noise_matrix(np, graph) if kind == "ens" else None)
    parameters = inspect.signature(IndexCollection.__init__).parameters
    indexed = {"data_config": OmegaConf.create(config["data"])} if "data_config" in parameters else {"config": OmegaConf.create(config)}
    indices = IndexCollection(**indexed, name_to_index={n: i for i, n in enumerate(NAMES)})
    names_in, names_out = (sorted(side.name_to_index, key=side.name_to_index.get) for side in (indices.model.input, indices.model.output))
    numbers = np.array([VARIABLES[n][1:] for n in NAMES], dtype=np.float64)
    arrays = {"latitudes": lat, "longitudes": lon}
    when = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc).isoformat()
    metadata = {
        "version": "1.0", "config": primitives(config), "seed": 42, "run_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "run." + name)),
        "dataset": {"version": "0.5.16", "frequency": "6h", "shape": [1464, len(NAMES), 1, lat.size], "dtype": "float32",
                    "start_date": "2020-01-01T00:00:00", "end_date": "2020-12-31T18:00:00", "variables": NAMES,
                    "variables_metadata": variables_metadata(), "data_request": {"grid": "O6", "area": [90.0, 0.0, -90.0, 360.0]},
                    "arguments": {"args": [], "kwargs": {}}, "supporting_arrays": list(arrays)},
        "data_indices": primitives(indices),
        "provenance_training": {"time": when, "python": "3.11", "distribution_names": {}, "git_versions": {},
                                "module_versions": {"anemoi.models": {"version": version}}},
        "timestamp": when, "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, "ckpt." + name)), "model": {"model": "AnemoiModelInterface"},
        "tracker": {}, "training": {"current_epoch": 0, "global_step": 1, "elapsed_time": 1.0},
    }
    options = dict(config=OmegaConf.create(config), graph_data=graph, data_indices=indices, metadata=metadata, supporting_arrays=dict(arrays),
                   statistics=dict(zip(("mean", "stdev", "minimum", "maximum"), numbers.T)))
    if "truncation_data" in inspect.signature(AnemoiModelInterface.__init__).parameters:
        options["truncation_data"] = {}
    model = AnemoiModelInterface(**options)
    model.id = str(uuid.uuid5(uuid.NAMESPACE_DNS, "interface." + name))
    random_numbers(torch, model, name)
    x = raw_input(np, name, names_in, lat, lon)
    predict(torch, model.eval(), x, kind)  # what training leaves behind
    model.train()
    tag_as_cuda(torch, model)
    model.config, saved, model.metadata, supporting, model.supporting_arrays = None, model.metadata, None, model.supporting_arrays, None
    path = folder / "inference-last.ckpt"
    path.unlink(missing_ok=True)
    torch.save(model, path)
    save_metadata(path, saved.copy(), supporting_arrays=supporting.copy())
    y, extra = predict(torch, torch.load(path, map_location="cpu", weights_only=False).eval(), x, kind)
    np.savez_compressed(folder / "reference.npz", x=x, y=y, names_in=np.array(names_in), names_out=np.array(names_out), latitudes=lat,
                        longitudes=lon, **extra)
    (folder / "case.json").write_text(json.dumps({
        "name": name, "versions": {"anemoi.models": version, "torch": torch.__version__.split("+")[0]}, "arch": kind,
        "grid": f"O6 ({lat.size} points)", "hidden": f"O3 ({graph['hidden'].num_nodes} nodes)", "channels": CHANNELS, "heads": HEADS,
        "layers": LAYERS, "window": WINDOW, "x_shape": list(x.shape), "y_shape": list(y.shape), "imputed": sum(IMPUTED.values(), []),
        "training": config["training"]}, indent=1) + "\n")
    print(name, path.stat().st_size, "y", y.shape, "missing", {n: int(np.isnan(y[..., i]).sum()) for i, n in enumerate(names_out) if np.isnan(y[..., i]).any()})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
