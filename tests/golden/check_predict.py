#!/usr/bin/env python3
"""check_predict.py REFERENCE.npz OUT.npz TOLERANCE: the arrays `y` of both files, and `y_fcstep1` of a reference that
holds it, variable by variable, in units of the standard deviation of the reference's variable; names the worst. Exit code
0 when none is above TOLERANCE."""
import math
import sys

from npz import below, holds, load


def difference(got, want):
    """Largest |got - want| over the standard deviation of want; infinite where only one is NaN."""
    if any(math.isnan(a) != math.isnan(b) for a, b in zip(got, want)):
        return math.inf
    pairs = [(a, b) for a, b in zip(got, want) if not math.isnan(b)]
    if not pairs:
        return 0.0
    mean = math.fsum(b for _, b in pairs) / len(pairs)
    deviation = math.sqrt(math.fsum((b - mean) ** 2 for _, b in pairs) / len(pairs))
    largest = max(abs(a - b) for a, b in pairs)
    return largest / deviation if deviation else (math.inf if largest else 0.0)


reference, output, tolerance = sys.argv[1], sys.argv[2], float(sys.argv[3])
too_far = False
# (in the reference, names of its variables, in the output); the tensors of a forecast have no batch and members.
several = [(f"output_first/{d}", f"output_variables/{d}", f"y/{d}") for d in below(reference, "output_first")]
for member, names_member, ours in several or [("y", "names_out", "y"), ("y_fcstep1", "names_out", "y_fcstep1")]:
    if member == "y_fcstep1" and not holds(reference, member):
        continue
    shape, want = load(reference, member)
    names = load(reference, names_member)[1] if holds(reference, names_member) else map(str, range(shape[-1]))
    if several:
        shape = (1, shape[0], 1, *shape[1:])
    got_shape, got = load(output, ours)
    if got_shape != shape:
        sys.exit(f"{output}: {ours} has shape {got_shape}, want {shape}")
    worst = {name: difference(got[i :: shape[-1]], want[i :: shape[-1]]) for i, name in enumerate(names)}
    for name, value in worst.items():
        print(f"{name:16s} {value:.2e} of its standard deviation" + ("" if value <= tolerance else "  <-- too far"))
    name = max(worst, key=worst.get)
    print(f"{ours}: {len(worst)} variables, worst {name}: {worst[name]:.2e} (at most {tolerance:.2e})")
    too_far = too_far or worst[name] > tolerance
sys.exit(too_far)
