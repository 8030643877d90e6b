#!/usr/bin/env python3
"""first_messages.py IN.grib N OUT.grib: the first N messages of a GRIB file (editions 1 and 2), byte for byte."""
import sys

source, wanted, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
data = open(source, "rb").read()
end = 0
for number in range(wanted):
    header = data[end : end + 16]
    if header[:4] != b"GRIB":
        sys.exit(f"{source}: {number} messages, {wanted} wanted")
    end += int.from_bytes(header[8:16] if header[7] == 2 else header[4:7], "big")
open(target, "wb").write(data[:end])
