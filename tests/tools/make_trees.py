#!/usr/bin/env python3
"""make_trees.py FOLDER CASE...: the trees of the checkpoints CASE/inference-last.ckpt without their weights.

Writes FOLDER/<name of the case>.zip for each: the checkpoint's entries, packed. What is a storage of more than a few hundred
bytes and no part of a sparse matrix becomes one of zeros, and stands with its size in the entry `zeros` alone. That is enough
to read what a model is, in a small part of the size. Tests unpack it (tests/unit/checkpoint/tree_case.h).
"""
import io
import pickle
import sys
import zipfile
from pathlib import Path

KEPT_BYTES = 256


class Anything(dict):
    """Stands for every class and function of a pickle."""

    def __new__(cls, *arguments, **options):
        made = super().__new__(cls)
        made.arguments = arguments
        return made

    def __init__(self, *arguments, **options):
        super().__init__()

    def __setstate__(self, state):
        pass

    def append(self, value):
        pass

    def extend(self, values):
        pass


def sparse_storages(data):
    """Keys of the storages that sparse tensors are made of."""
    found = set()

    def rebuild(_layout, parts):
        found.update(part.arguments[0][2] for part in parts if isinstance(part, Anything) and part.arguments)
        return Anything()

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if name == "_rebuild_sparse_tensor":
                return rebuild
            return tuple if name == "Size" else type(name, (Anything,), {})

        def persistent_load(self, identity):
            return identity

    Reader(io.BytesIO(data)).load()
    return found


def write_tree(checkpoint, out):
    zeros = []
    with zipfile.ZipFile(checkpoint) as source, zipfile.ZipFile(out, "w") as target:
        root = source.namelist()[0].split("/")[0] + "/"
        pickled = source.read(root + "data.pkl")
        kept = {f"{root}data/{key}" for key in sparse_storages(pickled)}

        def write(name, content):
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)

        for entry in source.infolist():
            content = source.read(entry)
            is_storage = entry.filename.startswith(root + "data/") and entry.filename not in kept
            if is_storage and (len(content) > KEPT_BYTES or not any(content)):
                zeros.append(f"{entry.filename} {len(content)}\n")
            elif not entry.filename.endswith(".numpy"):  # arrays beside the model, such as coordinates
                write(entry.filename, content)
        write("zeros", "".join(zeros))


def main():
    folder = Path(sys.argv[1])
    for case in map(Path, sys.argv[2:]):
        write_tree(case / "inference-last.ckpt", folder / f"{case.name}.zip")


if __name__ == "__main__":
    main()
