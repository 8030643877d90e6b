#!/usr/bin/env python3
"""make_sparse.py CHECKPOINT FOLDER: hostile variants of a checkpoint with sparse matrices, and of such matrices alone.

FOLDER/expected-sparse.json maps file name to a part of the error, as make_hostile.py has it.
"""

import io
import json
import pickle
import struct
import sys
import zipfile
from pathlib import Path

from make_hostile import Entry, call, integer, tensor, text, zip_bytes


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


def sparse_tensors(data):
    """(key of the indices' storage, their number of entries) of each sparse tensor of coordinates, in order."""
    found = []

    def rebuild(layout, parts):
        found.append((parts[0].arguments[0][2], parts[1].arguments[2][0]))
        return Anything()

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if name == "_rebuild_sparse_tensor":
                return rebuild
            if name == "Size":
                return tuple
            return type(name, (Anything,), {})

        def persistent_load(self, identity):
            return identity

    Reader(io.BytesIO(data)).load()
    return found


def matrices():
    """name -> (a sparse tensor alone, what its refusal says). One storage "0" of 64 bytes lies beside each."""
    begin = b"\x80\x04"

    def longs(count, size, stride):
        return tensor(count, 0, size, stride).replace(b"FloatStorage", b"LongStorage")

    floats, indices, pointers = tensor(3, 0, [3], [1]), longs(6, [2, 3], [3, 1]), longs(3, [3], [1])

    def sparse(layout, *parts):
        named = call("torch.serialization", "_get_layout", text("torch.sparse_" + layout))
        return begin + call("torch._utils", "_rebuild_sparse_tensor", named, b"(" + b"".join(parts) + b"t") + b"."

    def size(rows, columns):
        return b"(" + integer(rows) + integer(columns) + b"t"

    return {
        "parts-missing": (sparse("coo", indices, floats), "too few parts"),
        "no-tensors": (sparse("coo", b"N", floats, size(2, 3)), "not made of tensors"),
        "indices-of-floats": (sparse("coo", floats, floats, size(2, 3)), "no integers"),
        "indices-of-another-shape": (sparse("coo", pointers, floats, size(2, 3)), "indices have the shape (3)"),
        "indices-beyond-entry": (sparse("coo", longs(9, [2, 3], [3, 1]), floats, size(2, 3)), "its entry only 64"),
        "size-negative": (sparse("coo", indices, floats, size(-1, 3)), "negative"),
        "size-of-nothing": (sparse("coo", indices, floats, b"N"), "malformed"),
        "pointers-too-few": (sparse("csr", pointers, pointers, floats, size(3, 3)), "row pointers have the shape (3)"),
        "pointers-overflow": (sparse("csr", pointers, pointers, floats, size(2**63 - 1, 3)), "row pointers have the shape"),
        "columns-too-many": (sparse("csr", pointers, pointers, tensor(2, 0, [2], [1]), size(2, 3)), "columns have the shape (3)"),
    }


def main():
    source, folder = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    with zipfile.ZipFile(source) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(contents)).split("/")[0] + "/"
    metadata_name = next(name for name in contents if name.endswith(".json"))
    expected = {}

    def write(name, entries, says):
        (folder / f"sparse-{name}.ckpt").write_bytes(zip_bytes(entries))
        expected[f"sparse-{name}.ckpt"] = says

    for name, (content, says) in matrices().items():
        document = Entry(metadata_name, contents[metadata_name])
        write(name, [Entry(root + "data.pkl", content), Entry(root + "data/0", bytes(64)), document], says)

    key, count = sparse_tensors(contents[root + "data.pkl"])[0]
    stored = root + "data/" + key
    values = list(struct.unpack(f"<{2 * count}q", contents[stored]))  # rows, then columns

    def changed(change):
        other = list(values)
        change(other)
        replaced = struct.pack(f"<{len(other)}q", *other)
        return [Entry(name, replaced if name == stored else data) for name, data in contents.items()]

    def put(places):
        return lambda other: [other.__setitem__(at, value) for at, value in places.items()]

    write("accepted", changed(lambda other: None), None)
    write("row-outside", changed(put({count - 1: 1 << 40})), "with an entry at row 1099511627776")
    write("row-negative", changed(put({0: -1})), "with an entry at row -1")
    write("column-outside", changed(put({2 * count - 1: 1 << 62})), "column 4611686018427387904")
    write("column-negative", changed(put({count: -(1 << 63)})), "column -9223372036854775808")
    write("unsorted", changed(put({0: values[count - 1], count - 1: values[0]})), "said to be coalesced")
    write("duplicate", changed(put({1: values[0], count + 1: values[count]})), "said to be coalesced")
    write("entry-cut", changed(lambda other: other.pop()), "its entry only")
    (folder / "expected-sparse.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main()
