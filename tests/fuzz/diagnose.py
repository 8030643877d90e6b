#!/usr/bin/env python3
"""diagnose.py BIN SECONDS [SEED]: `tradewind diagnose` on flight records that have been damaged in many ways: bytes changed,
cut, doubled and spliced, opcodes and sizes put in. It must tell something or refuse (exit codes 0 and 2), soon, with bounded
memory; anything else is a fault. Keeps a folder that makes it fail."""
import glob
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DUMPS = Path(__file__).resolve().parents[1] / "unit" / "flight" / "dumps"
OPCODES = [b"cos\nsystem\n", b"R", b"i", b"o", b"\x81", b"b", b"P0\n", b"Q", b"(", b"]", b"}", b"e", b"u", b"a", b"s", b"0", b"2", b"1",
           b"t", b"\x85", b"\x86", b"\x87", b"q\x00", b"h\x00", b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\xff", b"X\xff\xff\xff\x7f",
           b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x8a\xff", b"\x8b\xff\xff\xff\x7f", b"\x95" + b"\xff" * 8, b"\x80\x05", b"G" + b"\x7f\xf0" + b"\0" * 6,
           b"I01\n", b"L999999999999999999999999L\n", b"F1e999\n", b"N", b"\x88", b"."]
JSON = [b"[" * 500, b"{" * 500, b"1e999", b"-9223372036854775808", b"99999999999999999999", b"\"\\ud800\"", b"null", b"[]", b"{}", b",", b"\xff"]
LIMIT = 2 << 30  # bytes of memory


def damaged(data, others, dice):
    data = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        at, kind = dice.randrange(len(data) + 1), dice.randrange(8)
        length = min(len(data) - at, dice.choice((1, 4, 16, 256)))
        if kind == 0 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length] * dice.choice((1, 2, 50))
        elif kind == 4:
            data[at:at] = dice.choice(JSON if data[:1] == b"{" else OPCODES)
        elif kind == 5:
            data[at : at + 4] = struct.pack("<i", dice.choice((-1, 0, 1, 2**31 - 1, -(2**31))))
        elif kind == 6:
            other = dice.choice(others)
            begin = dice.randrange(len(other))
            data[at:at] = other[begin : begin + length]
        else:
            data[at : at + length] = bytes(dice.randrange(256) for _ in range(length))
        data = data or bytearray(b".")
    return bytes(data)


def main():
    binary, end = str(Path(sys.argv[1]).resolve() / "tradewind"), time.monotonic() + float(sys.argv[2])
    dice = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else None)
    seeds = [Path(name).read_bytes() for name in sorted(glob.glob(str(DUMPS / "*" / "*" / "*")))]
    counts, slowest = {0: 0, 2: 0}, 0.0
    folder = Path(tempfile.mkdtemp(prefix="tradewind-diagnose-"))
    while time.monotonic() < end:
        for rank in range(2):
            data = dice.choice(seeds)
            (folder / f"trace_rank_{rank}").write_bytes(data if rank == 1 and dice.random() < 0.5 else damaged(data, seeds, dice))
        words, begin = [binary, "diagnose", str(folder)] + ["--json"] * dice.randrange(2), time.monotonic()
        try:
            done = subprocess.run(words, capture_output=True, timeout=60,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)))
            code = done.returncode
            text = done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            code, text = "more than 60 s", b""
        slowest = max(slowest, time.monotonic() - begin)
        whole = code == 0 or (code == 2 and b"error: " in text and b"remedy: " in text)
        if not whole or any(byte < 32 and byte not in b"\n\t" for byte in text):
            print(f"exit code {code}: {' '.join(words)}\n{text[-2000:].decode(errors='replace')}")
            sys.exit(1)
        counts[code] += 1
    shutil.rmtree(folder)
    print(f"{counts[0]} told, {counts[2]} refused; at most {slowest:.1f} s each")
    sys.exit(0 if counts[0] and counts[2] else 1)


main()
