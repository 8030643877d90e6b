#!/usr/bin/env python3
"""check_sharded.py ONE.npz SEVERAL.npz [--x REFERENCE.npz X.npz]: the arrays `y` (of several datasets
`y/<dataset>`) of one model call on one rank and on
several. Each value may differ by DEVIATIONS of its variable's standard deviation (sums come in another order, and more
often so in deeper MLPs), or by what float32 can tell apart at the magnitude it is computed in: UNITS units in the last
place of the variable's largest value (a pressure of 1e5 Pa with a deviation of 600 Pa has a last place of 1.3e-5
deviations). Prints the largest difference of each variable.

With --x first: writes X.npz with `x` as `tradewind predict` wants it, of a reference that holds x or input_first."""
import math
import sys

from npz import below, holds, load, rename

DEVIATIONS = 2e-5
UNITS = 2

if sys.argv[1] == "--x":
    source, target = sys.argv[2:]
    member = "x" if holds(source, "x") or below(source, "x") else "input_first"
    names = [f"/{dataset}" for dataset in below(source, member)] or [""]
    shapes = {name: load(source, member + name)[0] for name in names}
    rename(source, target, [(member + name, "x" + name, shapes[name] if member == "x" else (1, *shapes[name]))
                            for name in names])
    sys.exit(0)

failed = False
for member in [f"y/{dataset}" for dataset in below(sys.argv[1], "y")] or ["y"]:
    shape, one = load(sys.argv[1], member)
    other_shape, several = load(sys.argv[2], member)
    if shape != other_shape:
        sys.exit(f"{member} has shape {shape} on one rank, {other_shape} on several")
    worst = (0.0, 0)
    for variable in range(shape[-1]):
        a, b = one[variable :: shape[-1]], several[variable :: shape[-1]]
        if any(math.isnan(p) != math.isnan(q) for p, q in zip(a, b)):
            sys.exit(f"{member}, variable {variable}: missing values in other places")
        a, b = zip(*[(p, q) for p, q in zip(a, b) if not math.isnan(p)]) or ((0.0,), (0.0,))
        mean = math.fsum(a) / len(a)
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in a) / len(a))
        largest = max(map(abs, a))
        place = 2.0 ** (math.frexp(largest)[1] - 24) if largest else 0.0
        difference = max(abs(p - q) for p, q in zip(a, b))
        allowed = max(DEVIATIONS * deviation, UNITS * place)
        in_deviations = difference / deviation if deviation else difference
        worst = max(worst, (in_deviations, variable))
        if difference > DEVIATIONS * deviation:
            print(f"{member}, variable {variable}: {in_deviations:.2e} deviations, {difference / place:.1f} units in the last "
                  "place" + ("" if difference <= allowed else "  <-- too far"))
        failed = failed or difference > allowed
    print(f"{member}: {shape[-1]} variables, the furthest is {worst[1]}: {worst[0]:.2e} of its standard deviation")
sys.exit(failed)
