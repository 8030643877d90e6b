#!/usr/bin/env python3
"""make_seeds.py OUT CHECKPOINT...: the fuzzer's first inputs, small ones, from real checkpoints and from Python's pickler.

Of each checkpoint: its pickle, and the file with all storages zero, deflated to stay small. Beside them: values of every protocol, and a
tensor in a tiny archive.
"""

import collections
import io
import pickle
import sys
import zipfile
from pathlib import Path

TENSOR = (
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
    b"X\x03\x00\x00\x00cpuK\x10tQK\x00K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\n)RtR."
)
NUMPY = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x03\x85cnumpy\ndtype\n"
    b"X\x02\x00\x00\x00f4\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89C\x0c"
    b"\x00\x00\x80?\x00\x00\x00@\x00\x00@@tb."
)
MODULE = (
    b"\x80\x02ctorch.nn.modules.container\nModuleList\n)\x81}(X\x08\x00\x00\x00_modulesccollections\nOrderedDict\n)R"
    b"(X\x01\x00\x00\x000h\x01X\x01\x00\x00\x001NuX\x0b\x00\x00\x00_parameters}ub."
)


def values():
    shared = [1, 2.5, "text", b"bytes", None, True, 2**40, -(2**70)]
    loop = {"shared": shared, "again": shared, ("a", "to", "b"): {1, 2}, "frozen": frozenset("xy")}
    loop["self"] = loop
    return loop, collections.OrderedDict(a=1, b=bytearray(b"xyz")), complex(1, 2), range(3)


def tiny(method):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        archive.writestr("r/data.pkl", TENSOR)
        archive.writestr("r/byteorder", "little")
        archive.writestr("r/data/0", bytes(range(64)))
        archive.writestr("r/anemoi-metadata/anemoi.json", '{"version": "2.0"}')
    return data.getvalue()


def zero_storages(path):
    data = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(data, "w") as archive:
        for entry in source.infolist():
            if "/data/" in entry.filename:
                archive.writestr(entry.filename, bytes(entry.file_size), zipfile.ZIP_DEFLATED)
            elif not entry.filename.endswith(".numpy"):
                archive.writestr(entry.filename, source.read(entry))
    return data.getvalue()


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    seeds = {"tensor": TENSOR, "numpy": NUMPY, "module": MODULE}
    for protocol in range(2, 6):
        seeds[f"protocol-{protocol}"] = pickle.dumps(values(), protocol)
    seeds["stored"] = tiny(zipfile.ZIP_STORED)
    seeds["deflated"] = tiny(zipfile.ZIP_DEFLATED)
    for path in map(Path, sys.argv[2:]):
        with zipfile.ZipFile(path) as archive:
            entry = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            seeds[f"{path.parent.name}.pkl"] = archive.read(entry)
        seeds[f"{path.parent.name}.zip"] = zero_storages(path)
    for name, content in seeds.items():
        (out / name).write_bytes(content)


main()
