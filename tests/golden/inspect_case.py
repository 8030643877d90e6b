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
for name, count in case["edges"].items():
    if "trunc" in name:  # of the truncated residual, whose matrices are made of them
        facts.append((f"entries {name}", count in model["residual"]["entries"], True))
        continue
    part = {"data to hidden": "encoder", "hidden to hidden": "processor", "hidden to data": "decoder"}[
        " ".join(name.replace("|", "/").split("/"))
    ]
    facts.append((f"edges of the {part}", model[part]["edges"], count))
if "model_calls" not in case:  # a case of one call states its widths instead
    facts.append(("input variables", len(seen["variables"]["input"]), case["x_shape"][-1]))
    facts.append(("output variables", len(seen["variables"]["output"]), case["y_shape"][-1]))

wrong = [f"{what}: {got}, want {want}" for what, got, want in facts if got != want]
print("\n".join(wrong) if wrong else f"{len(facts)} facts as in {sys.argv[1]}")
sys.exit(bool(wrong))
