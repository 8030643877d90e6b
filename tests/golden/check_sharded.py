#!/usr/bin/env python3
"""check_sharded.py ONE.npz SEVERAL.npz [--x REFERENCE.npz X.npz]: the arrays `y` of one model call on one rank and on
several. Each value may differ by DEVIATIONS of its variable's standard deviation (sums come in another order, and more
often so in deeper MLPs), or by what float32 can tell apart at the magnitude it is computed in: UNITS units in the last
place of the variable's largest value (a pressure of 1e5 Pa with a deviation of 600 Pa has a last place of 1.3e-5
deviations). Prints the largest difference of each variable.

With --x first: writes X.npz with `x` as `tradewind predict` wants it, of a reference that holds x or input_first."""
import math
import sys

from npz import load, rename

DEVIATIONS = 2e-5
UNITS = 2

if sys.argv[1] == "--x":
    source, target = sys.argv[2:]
    try:
        shape, _ = load(source, "x")
        rename(source, "x", target, "x", shape)
    except KeyError:
        shape, _ = load(source, "input_first")
        rename(source, "input_first", target, "x", (1, *shape))
    sys.exit(0)

shape, one = load(sys.argv[1], "y")
other_shape, several = load(sys.argv[2], "y")
if shape != other_shape:
    sys.exit(f"y has shape {shape} on one rank, {other_shape} on several")
worst, failed = (0.0, 0), False
for variable in range(shape[-1]):
    a, b = one[variable :: shape[-1]], several[variable :: shape[-1]]
    if any(math.isnan(p) != math.isnan(q) for p, q in zip(a, b)):
        sys.exit(f"variable {variable}: missing values in other places")
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
        print(f"variable {variable}: {in_deviations:.2e} deviations, {difference / place:.1f} units in the last place" +
              ("" if difference <= allowed else "  <-- too far"))
    failed = failed or difference > allowed
print(f"{shape[-1]} variables, the furthest is {worst[1]}: {worst[0]:.2e} of its standard deviation")
sys.exit(failed)
