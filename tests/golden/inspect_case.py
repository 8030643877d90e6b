#!/usr/bin/env python3
"""inspect_case.py CASE.json <INSPECTION.json: what `tradewind inspect --json` says, against what the case states."""
import json
import sys

case, seen = json.load(open(sys.argv[1])), json.load(sys.stdin)
model = seen["model"]
facts = [("runnable", seen["runnable"], True)]
if "parameters" in case:
    facts.append(("parameters", model["parameters"], case["parameters"]))
for name, count in case.get("nodes", {}).items():
    facts.append((f"nodes {name}", model["nodes"].get(name), count))
ends = {end for name in case.get("edges", {}) for end in name.replace("|", "/").split("/")[::2]}
levels = sorted(end for end in ends if end.startswith("hidden")) or ["hidden"]
datasets = [end for end in ends if not end.startswith("hidden") and "trunc" not in end]


def part_of(source, target):
    """Which part has the edges between two sets of nodes; None: a processor, of which a level may have several."""
    if source not in levels or target not in levels:
        part, dataset = ("encoder", source) if target in levels else ("decoder", target)
        return part if len(datasets) < 2 else f"{part} {dataset}"
    if source == target:
        return "processor" if len(levels) == 1 else None
    finer = min(source, target, key=levels.index)
    return ("down " if source == finer else "up ") + finer


for name, count in case.get("edges", {}).items():
    if "trunc" in name:  # of the truncated residual, whose matrices are made of them
        facts.append((f"entries {name}", count in model["residual"]["entries"], True))
        continue
    source, _, target = name.replace("|", "/").split("/")
    part = part_of(source, target)
    if part:
        facts.append((f"edges of the {part}", model[part]["edges"], count))
    else:
        seen_of = {each["edges"] for key, each in model.items() if key.startswith("processor ")}
        if len(seen_of) == 1 and source != levels[-1]:
            continue  # a model with a processor on its last level alone
        facts.append((f"edges of a processor on {source}", count in seen_of, True))
if "model_calls" not in case:  # a case of one call states its widths instead
    facts.append(("input variables", len(seen["variables"]["input"]), case["x_shape"][-1]))
    facts.append(("output variables", len(seen["variables"]["output"]), case["y_shape"][-1]))

wrong = [f"{what}: {got}, want {want}" for what, got, want in facts if got != want]
print("\n".join(wrong) if wrong else f"{len(facts)} facts as in {sys.argv[1]}")
sys.exit(bool(wrong))
