"""One synthetic case: a checkpoint in the real format, GRIB input and configuration.

The checkpoint is a pickled AnemoiModelInterface, saved with torch.save and completed with save_metadata of
anemoi.utils.checkpoints, as the checkpoint callback of anemoi-training does. Needs an environment with the reference
implementation. Seeded: the same packages give the same files.
"""

from __future__ import annotations

import copy
import datetime
import zlib
from pathlib import Path

import numpy as np

DATE = datetime.datetime(2024, 1, 15, 0)  # forecast reference date of every case
CONSTANT_COMPUTED = ("cos_latitude", "sin_latitude", "cos_longitude", "sin_longitude")
COMPUTED = CONSTANT_COMPUTED + ("cos_julian_day", "sin_julian_day", "cos_local_time", "sin_local_time", "insolation")
LAYERS = "anemoi.models.layers."

# ---- variables and fields -------------------------------------------------------------------------------------------


def var(param, level=None, kind="prognostic", base=0.0, lat=0.0, amp=1.0, lo=None, hi=None, norm="mean-std",
        accum=False, constant=False):
    """One variable: GRIB identity, role, shape of its synthetic field, normalisation."""
    return dict(param=param, level=level, kind=kind, base=base, lat=lat, amp=amp, lo=lo, hi=hi, norm=norm, accum=accum,
                constant=constant)


def standard_variables():
    v = {
        "10u": var("10u", base=1.0, lat=-3.0, amp=4.0),
        "10v": var("10v", base=0.0, lat=0.0, amp=4.0),
        "2t": var("2t", base=298.0, lat=-42.0, amp=5.0),
        "msl": var("msl", base=101300.0, lat=-600.0, amp=900.0, norm="min-max"),
        "q_700": var("q", 700, base=0.006, lat=-0.0045, amp=0.0012, lo=1e-6, norm="std"),
        "t_500": var("t", 500, base=267.0, lat=-26.0, amp=3.0),
        "t_850": var("t", 850, base=289.0, lat=-30.0, amp=4.0),
        "z_500": var("z", 500, base=57400.0, lat=-6500.0, amp=900.0),
        "lsm": var("lsm", kind="forcing", base=0.1, lat=0.1, amp=0.6, lo=0.0, hi=1.0, norm="none", constant=True),
        "z": var("z", kind="forcing", base=200.0, lat=300.0, amp=4000.0, lo=-50.0, norm="max", constant=True),
        "tcc": var("tcc", kind="diagnostic", base=0.5, lat=0.1, amp=0.4, lo=0.0, hi=1.0, norm="none"),
        "tp": var("tp", kind="diagnostic", base=0.0005, lat=-0.0003, amp=0.0012, lo=0.0, norm="std", accum=True),
    }
    for n in COMPUTED:
        v[n] = dict(var(None, kind="forcing", norm="none"), computed=True)
    return dict(sorted(v.items()))  # Anemoi datasets order variables by name


def many_variables(n):
    """About ``n`` variables in total, for the large case."""
    v = standard_variables()
    profiles = (("t", 260, -30, 4), ("u", 5, 3, 9), ("v", 0, 0, 7), ("z", 50000, -5000, 900),
                ("q", 0.005, -0.004, 0.001), ("w", 0, 0, 0.3), ("r", 60, 0, 20))
    for level in (1000, 925, 850, 700, 600, 500, 400, 300, 250, 200, 150, 100, 50):
        for p, base, lat, amp in profiles:
            if len(v) < n and f"{p}_{level}" not in v:
                v[f"{p}_{level}"] = var(p, level, base=base, lat=lat, amp=amp, lo=1e-6 if p == "q" else None)
    return dict(sorted(v.items()))


def field(name, spec, lat, lon, when):
    """A smooth, deterministic, slowly moving field in the variable's own units (float64)."""
    r = np.random.default_rng(zlib.crc32(f"field/{name}".encode()))
    la, lo = np.deg2rad(lat), np.deg2rad(lon)
    t = 0.0 if spec["constant"] else (when - DATE).total_seconds() / 86400.0
    out = np.zeros_like(la)
    for _ in range(12):
        m, k = int(r.integers(1, 7)), int(r.integers(1, 6))
        a, ph, ph2, om = r.normal(), r.uniform(0, 2 * np.pi), r.uniform(0, 2 * np.pi), r.uniform(0.2, 2.0)
        out += a * np.cos(la) ** 1.5 * np.cos(m * lo + ph - om * t) * np.cos(k * la + ph2) / np.sqrt(6)
    return np.clip(spec["base"] + spec["lat"] * np.sin(la) ** 2 + spec["amp"] * out, spec["lo"], spec["hi"])


def statistics_for(variables, lat, lon):
    """Statistics in dataset order, as an anemoi dataset would provide them (float64 arrays)."""
    s = {k: np.zeros(len(variables)) for k in ("mean", "stdev", "minimum", "maximum")}
    for i, (n, v) in enumerate(variables.items()):
        if v.get("computed"):
            x = np.array([-1.0, 1.0, 0.0]) if n != "insolation" else np.array([0.0, 1.0, 0.3])
        else:
            times = [DATE + datetime.timedelta(hours=h) for h in (-48, -24, -6, 0)]
            x = np.concatenate([field(n, v, lat, lon, t) for t in times])
        s["mean"][i], s["stdev"][i], s["minimum"][i], s["maximum"][i] = x.mean(), x.std(), x.min(), x.max()
    return s


# ---- GRIB -----------------------------------------------------------------------------------------------------------


def grid_handle(grid):
    """GRIB2 message on the octahedral grid ``oNN``."""
    import eccodes

    n = int(grid[1:])
    half = [20 + 4 * i for i in range(n)]
    pl = half + half[::-1]
    h = eccodes.codes_grib_new_from_samples("reduced_gg_pl_32_grib2")
    eccodes.codes_set(h, "N", n)
    eccodes.codes_set(h, "Nj", 2 * n)
    eccodes.codes_set_array(h, "pl", np.array(pl))
    eccodes.codes_set(h, "longitudeOfLastGridPointInDegrees", 360 - 360 / max(pl))
    eccodes.codes_set_values(h, np.zeros(sum(pl)))
    lats = np.unique(eccodes.codes_get_array(h, "latitudes"))
    eccodes.codes_set(h, "latitudeOfFirstGridPointInDegrees", float(lats[-1]))
    eccodes.codes_set(h, "latitudeOfLastGridPointInDegrees", float(lats[0]))
    assert eccodes.codes_get(h, "gridName").lower() == grid
    return h


def grid_latlon(grid):
    """Latitudes and longitudes of a grid, degrees, as ecCodes gives them."""
    import eccodes

    h = grid_handle(grid)
    points = eccodes.codes_get_array(h, "latitudes"), eccodes.codes_get_array(h, "longitudes")
    eccodes.codes_release(h)
    return points


def write_input(path, variables, grid, dates, bits=24):
    """The non-computed input fields for ``dates``; constants at every date, as MARS gives them; in no useful order."""
    import eccodes

    lat, lon = grid_latlon(grid)
    base, messages = grid_handle(grid), []
    for when in dates:
        for n, v in variables.items():
            if v.get("computed") or v["kind"] == "diagnostic":
                continue
            h = eccodes.codes_clone(base)
            keys = {"setLocalDefinition": 1, "class": "ea", "type": "an", "stream": "oper", "expver": "0001",
                    "dataDate": int(when.strftime("%Y%m%d")), "dataTime": when.hour * 100, "step": 0,
                    "typeOfLevel": "surface" if v["level"] is None else "isobaricInhPa", "level": v["level"] or 0,
                    "shortName": v["param"], "bitsPerValue": bits, "packingType": "grid_simple"}
            for k, value in keys.items():
                eccodes.codes_set(h, k, value)
            eccodes.codes_set_values(h, field(n, v, lat, lon, when))
            eccodes.codes_set(h, "bitsPerValue", bits)
            messages.append(eccodes.codes_get_message(h))
            eccodes.codes_release(h)
    with open(path, "wb") as f:
        for i in np.random.default_rng(0).permutation(len(messages)):
            f.write(messages[i])


# ---- graph and model configuration (mirrors the yaml files of anemoi-training) --------------------------------------


def edges(src, dst, builder):
    attributes = {"edge_length": {"_target_": "anemoi.graphs.edges.attributes.EdgeLength", "norm": "unit-std"},
                  "edge_dirs": {"_target_": "anemoi.graphs.edges.attributes.EdgeDirection", "norm": "unit-std"}}
    builder = {**builder, "source_mask_attr_name": None, "target_mask_attr_name": None}
    return {"source_name": src, "target_name": dst, "edge_builders": [builder], "attributes": attributes}


def build_graph(places, hidden, among_hidden=False):
    """Data nodes at ``places``, (lat, lon) degrees by name; ``hidden`` is a refinement of the icosahedron or a grid's
    name; ``among_hidden``: edges for a processor over a graph."""
    import torch
    from anemoi.graphs.create import GraphCreator
    from anemoi.graphs.nodes import LatLonNodes
    from anemoi.utils.config import DotDict
    from torch_geometric.data import HeteroData

    graph, nodes, links = HeteroData(), {}, []
    for name, (lat, lon) in places.items():
        graph = LatLonNodes(lat, lon, name=name).update_graph(graph, attrs_config=DotDict({}))
        graph[name]["area_weight"] = torch.cos(graph[name].x[:, :1])  # in real graphs, for the loss
    if isinstance(hidden, int):
        nodes["hidden"] = {"node_builder": {"_target_": "anemoi.graphs.nodes.TriNodes", "resolution": hidden}}
    else:
        graph = LatLonNodes(*grid_latlon(hidden), name="hidden").update_graph(graph, attrs_config=DotDict({}))
    for name in places:
        links += [edges(name, "hidden", {"_target_": "anemoi.graphs.edges.CutOffEdges", "cutoff_factor": 0.6}),
                  edges("hidden", name, {"_target_": "anemoi.graphs.edges.KNNEdges", "num_nearest_neighbours": 3})]
    if among_hidden:
        links.append(edges("hidden", "hidden", {"_target_": "anemoi.graphs.edges.KNNEdges",
                                                "num_nearest_neighbours": 8}))
    creator = GraphCreator(DotDict({"nodes": nodes, "edges": links, "post_processors": []}))
    return creator.clean(creator.update_graph(graph))


def common(chunks):
    kernels = {"LayerNorm": {"_target_": "torch.nn.LayerNorm"}, "Linear": {"_target_": "torch.nn.Linear"},
               "Activation": {"_target_": "torch.nn.GELU"},
               "QueryNorm": {"_target_": LAYERS + "normalization.AutocastLayerNorm", "bias": False},
               "KeyNorm": {"_target_": LAYERS + "normalization.AutocastLayerNorm", "bias": False}}
    return {"cpu_offload": False, "gradient_checkpointing": True, "num_chunks": chunks, "layer_kernels": kernels}


def graph_transformer_mapper(direction, channels, heads=4, trainable=4, chunks=1):
    c = {"_target_": LAYERS + f"mapper.GraphTransformer{direction}Mapper", "num_channels": channels, **common(chunks),
         "trainable_size": trainable, "sub_graph_edge_attributes": ["edge_length", "edge_dirs"], "mlp_hidden_ratio": 4,
         "mlp_implementation": "mlp", "num_heads": heads, "qk_norm": False, "shard_strategy": "edges",
         "graph_attention_backend": "pyg", "edge_pre_mlp": False}
    if direction == "Backward":
        c["initialise_data_extractor_zero"] = False
    return c


def transformer_processor(channels, layers, heads=4, window=64, chunks=2):
    return {"_target_": LAYERS + "processor.TransformerProcessor", "num_channels": channels, "num_layers": layers,
            **common(chunks), "mlp_hidden_ratio": 4, "mlp_implementation": "mlp", "num_heads": heads,
            "window_size": window, "dropout_p": 0.0, "attention_implementation": "scaled_dot_product_attention",
            "qk_norm": False, "softcap": 0.0, "use_alibi_slopes": False, "use_rotary_embeddings": False}


def graph_transformer_processor(channels, layers, heads=4, trainable=4, chunks=2):
    c = graph_transformer_mapper("Forward", channels, heads, trainable, chunks)
    return {**c, "_target_": LAYERS + "processor.GraphTransformerProcessor", "num_layers": layers}


def gnn_mapper(direction, channels, trainable=4, chunks=1):
    return {"_target_": LAYERS + f"mapper.GNN{direction}Mapper", "num_channels": channels, **common(chunks),
            "trainable_size": trainable, "sub_graph_edge_attributes": ["edge_length", "edge_dirs"],
            "mlp_extra_layers": 0, "mlp_hidden_ratio": 1.0, "mlp_implementation": "mlp"}


def gnn_processor(channels, layers, trainable=4, chunks=2):
    return {**gnn_mapper("Forward", channels, trainable, chunks), "_target_": LAYERS + "processor.GNNProcessor",
            "num_layers": layers}


BOUNDING = [{"_target_": LAYERS + "bounding.ReluBounding", "variables": ["tp"]},
            {"_target_": LAYERS + "bounding.HardtanhBounding", "variables": ["tcc"], "min_val": 0.0, "max_val": 1.0}]


class Case:
    """Encoder, processor and decoder, two input steps 6 h apart, one output step. ``datasets``: several, each with
    ``grid``, ``variables``, the name of its ``encoder`` and its ``decoder`` if it has one, and the decoder's
    ``features``; encoders stand in the order of ``encoders``."""

    def __init__(self, name, about, encoder, processor, decoder, grid="o32", hidden=3, variables=None, trainable=4,
                 lead_time="48h", bits=24, templates=None, precisions=(), datasets=None, encoders=None,
                 aggregator="Sum", bounding=None):
        self.name, self.about = name, about
        self.encoder, self.processor, self.decoder = encoder, processor, decoder
        self.hidden, self.trainable = hidden, trainable
        self.lead_time, self.bits, self.templates, self.precisions = lead_time, bits, templates, precisions
        one = {"grid": grid, "variables": variables or standard_variables(), "encoder": "0", "decoder": "0"}
        self.datasets = datasets or {"data": one}
        self.encoders = encoders or {"0": ["data"]}
        self.aggregator, self.bounding = aggregator, BOUNDING if bounding is None else bounding

    def file(self, what, dataset):
        """Name of an input or output file."""
        return f"{what}.grib" if list(self.datasets) == ["data"] else f"{what}-{dataset}.grib"

    def training_config(self):
        from omegaconf import OmegaConf

        def data_of(variables):
            methods = {"default": "mean-std", "remap": {}, "std": [], "min-max": [], "max": [], "none": []}
            roles = {"forcing": [], "diagnostic": [], "prognostic": []}
            for n, v in variables.items():
                roles[v["kind"]].append(n)
                if v["norm"] != "mean-std":
                    methods[v["norm"]].append(n)
            normalizer = {"_target_": "anemoi.models.preprocessing.normalizer.InputNormalizer", "config": methods}
            return {"forcing": roles["forcing"], "diagnostic": roles["diagnostic"], "target": [],
                    "processors": {"normalizer": normalizer}}

        def of_each(value):
            return {"datasets": {n: copy.deepcopy(value) for n in self.datasets}}

        encoders = {name: {"source_datasets": sources, "dataset_fusing_strategy": "not_supported",
                           "mapper": copy.deepcopy(self.encoder)} for name, sources in self.encoders.items()}
        decoders = {d["decoder"]: {"target_datasets": [n], "mapper": copy.deepcopy(self.decoder),
                                   "target_node_features": d.get("features", ["encoded_data"])}
                    for n, d in self.datasets.items() if d.get("decoder")}
        model = {
            "cpu_offload": False, "keep_batch_sharded": True,
            "model": {"_target_": "anemoi.models.models.AnemoiModelEncProcDec", "hidden_nodes_name": "hidden",
                      "latent_skip": True},
            "processor": self.processor,
            "encoders": encoders, "decoders": decoders,
            "latent_aggregator": {"_target_": LAYERS + f"aggregator.{self.aggregator}Aggregator"},
            "residual": of_each({"_target_": LAYERS + "residual.SkipConnection", "step": -1}),
            "output_mask": of_each({"_target_": "anemoi.training.utils.masks.NoOutputMask"}),
            "node_trainable_parameters": {n: self.trainable for n in [*self.datasets, "hidden"]},
            "attributes": {"edges": ["edge_length", "edge_dirs"], "nodes": []},
            "bounding": of_each(self.bounding),
        }
        training = {"precision": "16-mixed", "multistep_input": 2, "multistep_output": 1}
        loaded = {n: {"dataset_config": {"dataset": f"synthetic-{n}"}} for n in self.datasets}
        dataloader = {"training": {"datasets": loaded}}
        data = {n: data_of(d["variables"]) for n, d in self.datasets.items()}
        return OmegaConf.create({
            "data": {"format": "zarr", "frequency": "6h", "timestep": "6h", "datasets": data},
            "model": model, "training": training, "dataloader": dataloader,
        })

    def variable_metadata(self, name, v):
        if v.get("computed"):
            return {"computed_forcing": True, "constant_in_time": name in CONSTANT_COMPUTED}
        fc = v["kind"] == "diagnostic"
        mars = {"class": "ea", "date": 20191231 if fc else 20200101, "domain": "g", "expver": "0001",
                "param": v["param"], "step": 6 if fc else 0, "stream": "oper", "time": 1800 if fc else 0,
                "type": "fc" if fc else "an"}
        mars.update({"levtype": "sfc"} if v["level"] is None else {"levtype": "pl", "levelist": v["level"]})
        out = {"mars": dict(sorted(mars.items()))}
        if v["accum"]:
            out.update(period=["0:00:00", "6h"], process="accumulation")
        if v["constant"]:
            out["constant_in_time"] = True
        return out

    def dataset_metadata(self, name, points):
        variables = self.datasets[name]["variables"]
        request = {"grid": self.datasets[name]["grid"].upper(), "area": [90.0, 0.0, -90.0, 360.0]}
        return {
            "version": "0.5.35",
            "arguments": {"args": [{"dataset": f"synthetic-{name}"}], "kwargs": {}},
            "specific": {"action": "zarr", "attrs": {"data_request": {**request, "param_level": {}, "param_step": {}}}},
            "data_request": request, "frequency": "6h", "variables": list(variables),
            "variables_metadata": {n: self.variable_metadata(n, v) for n, v in variables.items()},
            "shape": [1464, len(variables), 1, points], "dtype": "float32",
            "start_date": "2020-01-01T00:00:00", "end_date": "2020-12-31T18:00:00", "name": None, "sources": [],
            "supporting_arrays": ["latitudes", "longitudes"],
        }

    def inference_metadata(self, indices):
        names = {v: k for k, v in indices.data.input.name_to_index.items()}
        kinds = ("forcing", "target", "prognostic", "diagnostic")
        return {
            "data_indices": {"input": indices.model.input.name_to_index, "output": indices.model.output.name_to_index},
            "variable_types": {k: [names[int(i)] for i in getattr(indices.data.input, k)] for k in kinds},
            "timesteps": {"relative_date_indices_training": [0, 1, 2], "input_relative_date_indices": [0, 1],
                          "output_relative_date_indices": [2], "timestep": "6h"},
        }

    def metadata(self, config, indices, points):
        """Metadata in the layout of checkpoints that current anemoi-training writes."""
        import torch
        from anemoi.utils.provenance import gather_provenance_info
        from omegaconf import OmegaConf

        def plain(x):
            if isinstance(x, dict):
                return {k: plain(v) for k, v in x.items()}
            return x.tolist() if isinstance(x, torch.Tensor) else x

        run_id = f"synthetic-{self.name}"
        return {
            "version": "2.0", "config": OmegaConf.to_container(config, resolve=True), "seed": 42, "base_seed": 42,
            "run_id": run_id, "task": None,
            "dataset": {n: self.dataset_metadata(n, points[n]) for n in self.datasets},
            "data_indices": {n: plain(i.todict()) for n, i in indices.items()},
            "provenance_training": gather_provenance_info(),
            "timestamp": "2026-01-01T00:00:00+00:00",
            "metadata_inference": {
                "seed": 42, "base_seed": 42, "run_id": run_id, "dataset_names": list(self.datasets), "task": None,
                **{n: self.inference_metadata(i) for n, i in indices.items()},
            },
            "uuid": f"00000000-0000-4000-8000-{zlib.crc32(self.name.encode()):012x}",
        }

    def build(self, out: Path):
        """Writes checkpoint, input and configurations; returns what case.json says about them."""
        import torch
        from anemoi.models.data_indices.collection import IndexCollection
        from anemoi.models.interface import AnemoiModelInterface
        from anemoi.utils.checkpoints import save_metadata

        torch.manual_seed(1)
        np.random.seed(1)
        out.mkdir(parents=True, exist_ok=True)
        places = {n: grid_latlon(d["grid"]) for n, d in self.datasets.items()}
        graph = build_graph(places, self.hidden, "trainable_size" in self.processor)
        config = self.training_config()
        indices = {n: IndexCollection(config.data.datasets[n], {v: i for i, v in enumerate(d["variables"])})
                   for n, d in self.datasets.items()}
        metadata = self.metadata(config, indices, {n: len(lat) for n, (lat, _) in places.items()})
        arrays = {n: {"latitudes": lat.astype(np.float64), "longitudes": lon.astype(np.float64)}
                  for n, (lat, lon) in places.items()}
        statistics = {n: statistics_for(self.datasets[n]["variables"], *place) for n, place in places.items()}
        interface = AnemoiModelInterface(
            config=config, n_step_input=2, n_step_output=1, graph_data=graph, statistics_tendencies=None,
            statistics=statistics, data_indices=indices, metadata=metadata, supporting_arrays=arrays,
        )
        interface.id = metadata["uuid"]
        self.randomise(interface)
        info = {
            "parameters": sum(p.numel() for p in interface.parameters()),
            "nodes": {n: int(graph[n].num_nodes) for n in graph.node_types},
            "edges": {"|".join(e): int(graph[e].edge_index.shape[1]) for e in graph.edge_types
                      if "edge_index" in graph[e]},
        }
        interface.config = interface.metadata = interface.supporting_arrays = None  # as the checkpoint callback does
        path = out / "inference-last.ckpt"
        path.unlink(missing_ok=True)
        torch.save(interface, path)
        save_metadata(str(path), metadata, supporting_arrays=arrays)
        dates = [DATE - datetime.timedelta(hours=6), DATE]
        for n, d in self.datasets.items():
            write_input(out / self.file("input", n), d["variables"], d["grid"], dates, self.bits)
        self.write_config(out)
        return info

    def randomise(self, interface):
        """Makes every trainable tensor matter, and keeps the forecast bounded."""
        import torch
        from torch import nn

        g = torch.Generator().manual_seed(1001)
        done = set()

        def normal(p, std, mean=0.0):
            done.add(id(p))
            with torch.no_grad():
                p.copy_(torch.randn(p.shape, generator=g) * std + mean)

        model = interface.model
        for name, m in model.named_modules():
            if isinstance(m, nn.Linear):
                gain = 1.6 if name.endswith(("lin_query", "lin_key", "lin_q", "lin_k")) else 1.0
                normal(m.weight, gain / m.weight.shape[1] ** 0.5)
            elif type(m).__name__.endswith("LayerNorm") and getattr(m, "weight", None) is not None:
                normal(m.weight, 0.15, 1.0)
            else:
                continue
            if getattr(m, "bias", None) is not None:
                normal(m.bias, 0.1)
        for p in model.parameters():
            if id(p) not in done:
                normal(p, 0.5)  # trainable node and edge features
        # last layer of the decoder: small increments for prognostic variables, the full range for diagnostic ones
        for key, decoder in model.decoder.items():
            (dataset,) = model.decoder2datasets[key]
            last = [m for m in decoder.node_data_extractor.modules() if isinstance(m, nn.Linear)][-1]
            output = model.data_indices[dataset].model.output
            scale, bias = torch.full((len(output.full),), 0.15), torch.zeros(len(output.full))
            scale[output.diagnostic.long()], bias[output.diagnostic.long()] = 0.6, 0.4
            with torch.no_grad():
                last.weight.mul_(scale[:, None])
                last.bias.mul_(scale).add_(bias)

    def write_config(self, out: Path):
        import yaml

        inputs = {n: {"grib": self.file("input", n)} for n in self.datasets}
        outputs = {n: {"grib": self.file("output", n)} for n in self.datasets}
        if self.templates:
            for n, output in outputs.items():
                output["grib"] = {"path": output["grib"], "templates": copy.deepcopy(self.templates)}
        if list(self.datasets) == ["data"]:
            inputs, outputs = inputs["data"], outputs["data"]
        config = {"checkpoint": "inference-last.ckpt", "device": "cpu", "precision": "f32", "lead_time": self.lead_time,
                  "date": DATE.isoformat(), "input": inputs, "output": outputs}
        (out / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        manual = {"world_size": 2, "port": 29511}
        config["runner"] = {"parallel": {"base_runner": "default", "cluster": {"manual": manual}}}
        (out / "config-parallel.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
