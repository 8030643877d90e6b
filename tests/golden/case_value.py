#!/usr/bin/env python3
"""case_value.py FILE DEFAULT KEY...: the value under the keys of a JSON file ("-": standard input), or DEFAULT.

A last KEY of --keys gives the names of the members there instead, separated by blanks.
"""
import json
import sys

path, default, *keys = sys.argv[1:]
with sys.stdin if path == "-" else open(path) as file:
    value = json.load(file)
for key in keys:
    if key == "--keys":
        value = " ".join(value)
    elif isinstance(value, dict) and key in value:
        value = value[key]
    else:
        value = default
        break
print(value if isinstance(value, str) else json.dumps(value))
