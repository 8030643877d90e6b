#!/usr/bin/env python3
"""inspect_case.py CASE.json <INSPECTION.json: what `tradewind inspect --json` says, against what the case states."""
import json
import sys

case, seen = json.load(open(sys.argv[1])), json.load(sys.stdin)
print(json.dumps(seen, indent=1)[:2000])
sys.exit("not finished")
