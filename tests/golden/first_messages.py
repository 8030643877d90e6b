#!/usr/bin/env python3
"""first_messages.py IN.grib N OUT.grib: the first N messages of a GRIB file (editions 1 and 2), byte for byte; N may be a
part of them, as in 1/4."""
import sys

source, wanted, target = sys.argv[1:4]
data = open(source, "rb").read()
ends = [0]
while data[ends[-1] : ends[-1] + 4] == b"GRIB":
    header = data[ends[-1] : ends[-1] + 16]
    ends.append(ends[-1] + int.from_bytes(header[8:16] if header[7] == 2 else header[4:7], "big"))
numerator, _, denominator = wanted.partition("/")
count = (len(ends) - 1) * int(numerator) // int(denominator) if denominator else int(numerator)
if not 0 < count < len(ends):
    sys.exit(f"{source}: {len(ends) - 1} messages, {wanted} wanted")
open(target, "wb").write(data[: ends[count]])
