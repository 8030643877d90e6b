#!/usr/bin/env python3
"""score.py VERIFY.json <SCORES.json: the table of skill of a forecast, from `tradewind compare --scores --json`."""
import json
import sys

FIELDS = {"u_500": "zonal wind, m/s", "v_500": "meridional wind, m/s", "z_500": "geopotential, m2/s2"}
FIGURES = {"rmse_model": "rmse", "rmse_persistence": "rmse_persistence", "acc_model": "acc",
           "acc_persistence": "acc_persistence", "bias_model": "bias"}



def digits(value, count):
    """A number in `count` significant digits, zeros kept."""
    return f"{value:#.{count}g}".rstrip(".")


known = json.load(open(sys.argv[1]))
try:
    scored = json.load(sys.stdin)["fields"]
except ValueError:
    sys.exit(1)  # compare has said why
scores = {(f"day{row['step'] / 24:.0f}", row["field"]): row for row in scored}

print("""
Rossby-Haurwitz wave, zonal wave number 4 (Williamson et al. 1992, test case 6), 10-day forecast on the O32 grid,
against the exact solution. Persistence is the analysis kept; anomalies are from the zonal mean.

  500 hPa                day         RMSE   of persistence     ACC   of persistence       bias""")
off = []
for field, title in FIELDS.items():
    print()
    for day, want in known["scores"].items():
        row = scores.get((day, field))
        if row is None:
            sys.exit(f"the forecast has no {field} on {day}")
        print(f"  {title:22s} {day[3:]:>3s} {digits(row['rmse'], 4):>12s} "
              f"{digits(row['rmse_persistence'], 4):>16s} {row['acc']:7.4f} {row['acc_persistence']:16.4f} "
              f"{digits(row['bias'], 3):>10s}")
        title = ""
        for name, key in FIGURES.items():
            expected = want[field][name]
            if not abs(row[key] - expected) <= 0.01 * abs(expected):
                off.append(f"{field} {day} {name}: {row[key]:.5g}, the reference's forecast has {expected:.5g}")

print()
if off:
    print("\n".join(f"  {line}" for line in off))
    print(f"{len(off)} figures are off by more than 1 %: this forecast is not the reference's.")
    sys.exit(1)
gain = [scores["day10", f]["rmse_persistence"] / scores["day10", f]["rmse"] for f in FIELDS]
count = len(known["scores"]) * len(FIELDS) * len(FIGURES)
print(f"The model carries the wave around the globe: at day 10 its error is {min(gain):.1f} to {max(gain):.1f} times "
      f"smaller than\nthat of persistence, and all {count} figures are within 1 % of those of the reference implementation.")
