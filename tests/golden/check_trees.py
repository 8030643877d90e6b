#!/usr/bin/env python3
"""Holds the .npz files of the golden case `trees` against the reference's and against one another.

    check_trees.py OUTPUT_DIR REFERENCE_DIR
"""
import math
import sys
import zipfile
from pathlib import Path

from npz import load

TOLERANCE = 1e-4  # of a field's standard deviation
ROOT = Path(__file__).resolve().parent


def names(path):
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def mask_of(path):
    data = path.read_bytes()
    return [value != 0 for value in data[10 + int.from_bytes(data[8:10], "little"):]]


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def close(ours, reference, what):
    mean = math.fsum(reference) / len(reference)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in reference) / len(reference))
    worst = max(abs(a - b) for a, b in zip(ours, reference))
    check(worst <= TOLERANCE * max(spread, 1e-30), f"{what} is off by {worst / max(spread, 1e-30):.2g} standard deviations")


def main():
    output, reference = Path(sys.argv[1]), Path(sys.argv[2])
    files = sorted(path.name for path in reference.glob("*.npz"))
    check(len(files) == 4, "four files of the reference")
    for folder in ("all", "part", "masked", "others", "spread"):
        check(sorted(path.name for path in (output / folder).iterdir()) == files, f"the files in {folder}")
    check([path.name for path in (output / "some").iterdir()] == ["20240115120000.npz"], "only step 12h in some")
    check(names(output / "some/20240115120000.npz") ==
          ["field_2t", "field_t_500", "field_t_850", "field_tp", "date", "latitudes", "longitudes"], "the arrays in some")
    mask, wide = mask_of(ROOT / "trees/mask.npy"), mask_of(ROOT / "trees/wide.npy")
    for file in files:
        ours, theirs = output / "all" / file, reference / file
        check(names(ours) == names(theirs), f"the arrays of {file}: {names(ours)}")
        for name in names(theirs):
            (shape, values), (wanted_shape, wanted) = load(ours, name), load(theirs, name)
            check(shape == wanted_shape, f"the shape of {name} in {file}")
            if name == "date":
                check(values == wanted, f"the date {values} in {file}")
                continue
            check(values.typecode == wanted.typecode, f"the type of {name} in {file}")
            close(values, wanted, f"{name} in {file}")
            parts = {"part": values[100:2000], "masked": [v for v, m in zip(values, mask) if m],
                     "others": [v for v, m in zip(values, mask) if not m]}
            for folder, part in parts.items():
                check(list(load(output / folder / file, name)[1]) == list(part), f"{name} in {folder}/{file}")
            left = iter(parts["others"])
            spread = [next(left) if m else -1.0 for m in wide]
            check(list(load(output / "spread" / file, name)[1]) == spread, f"{name} in spread/{file}")
    print(f"{len(files)} files as the reference has them, and as their parts have them")


if __name__ == "__main__":
    main()
