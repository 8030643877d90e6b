#!/usr/bin/env python3
"""make_hostile.py CHECKPOINT FOLDER: writes hostile variants of a checkpoint, each with what its refusal must say.

FOLDER/expected.json maps file name to a part of the error; null where the file must be accepted. Paths that a hostile
file would create if anything in it were executed all begin with FOLDER/executed.
"""

import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

SATURATED = 0xFFFFFFFF


class Entry:
    """One entry of a zip file, whose records may lie."""

    def __init__(self, name, data=b"", deflated=False, stored=None, size=None, crc=None, local=None, payload=None):
        self.name = name.encode("latin-1")
        self.payload = payload if payload is not None else deflate(data) if deflated else data
        self.method = 8 if deflated else 0
        self.stored = len(self.payload) if stored is None else stored
        self.size = len(data) if size is None else size
        self.crc = zlib.crc32(data) if crc is None else crc
        self.local = local


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zip_bytes(entries, count=None, directory_offset=None, directory_size=None, force64=True, marks=None):
    """The file, with a zip64 end record as torch writes it. `marks` collects the offsets at which records begin."""
    marks = [] if marks is None else marks
    body, directory = bytearray(), bytearray()
    for entry in entries:
        offset = len(body) if entry.local is None else entry.local
        marks.append(len(body))
        sizes = struct.pack("<LLL", entry.crc, min(entry.stored, SATURATED), min(entry.size, SATURATED))
        common = struct.pack("<HHHHH", 45, 0, entry.method, 0, 0) + sizes
        body += b"PK\3\4" + common + struct.pack("<HH", len(entry.name), 0) + entry.name
        marks.append(len(body))
        body += entry.payload
        wide = [value for value in (entry.size, entry.stored, offset) if value >= SATURATED]
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        directory += b"PK\1\2" + struct.pack("<H", 45) + common
        directory += struct.pack("<HHHHHLL", len(entry.name), len(extra), 0, 0, 0, 0, min(offset, SATURATED))
        directory += entry.name + extra
    marks.append(len(body))
    start = len(body) if directory_offset is None else directory_offset
    length = len(directory) if directory_size is None else directory_size
    count = len(entries) if count is None else count
    body += directory
    end64 = len(body)
    if force64:
        marks.append(end64)
        body += b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, count, count, length, start)
        marks.append(len(body))
        body += b"PK\6\7" + struct.pack("<LQL", 0, end64, 1)
    marks.append(len(body))
    values = (0xFFFF, 0xFFFF, SATURATED, SATURATED) if force64 else (count, count, length, start)
    return bytes(body + b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, *values, 0))


# --- pickles


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<L", len(data)) + data


def integer(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def call(module, name, *arguments):
    return f"c{module}\n{name}\n".encode() + b"(" + b"".join(arguments) + b"tR"


def storage(key, count, kind="FloatStorage"):
    return b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + integer(count) + b"tQ"


def tensor(count, offset, size, stride, key="0"):
    sizes, strides = (b"(" + b"".join(map(integer, values)) + b"t" for values in (size, stride))
    hooks = call("collections", "OrderedDict")
    return call("torch._utils", "_rebuild_tensor_v2", storage(key, count), integer(offset), sizes, strides, b"\x89", hooks)


def pickles(folder):
    """name -> (what the pickle does, what its refusal says). One storage "0" of 64 bytes lies beside each."""
    begin, run = b"\x80\x04", f"touch {folder}/executed"
    megabyte = text("x" * (1 << 20))
    encode = b"c_codecs\nencode\n\x940(" + megabyte + text("latin1") + b"t\x940"
    dtype = call("numpy", "dtype", text("f4"), b"\x89\x88") + b"(K\x03" + text("<") + b"tb"
    array = call("numpy.core.multiarray", "_reconstruct", b"NNN")
    wide = b"(" + b"N" * 100000 + b"t\x940"
    bomb = b"N\x94" + b"".join(b"(" + bytes([0x68, level]) * 10 + b"t\x94" for level in range(100))
    made = {
        "empty": (b"", "empty"),
        "no-pickle": (b"hello world", "not a pickle"),
        "old-protocol": (b"\x80\x01N.", "protocol 1"),
        "future-protocol": (b"\x80\x06N.", "protocol 6"),
        "no-stop": (begin + b"N", "early"),
        "stack-underflow": (begin + b"K\x01\x87.", "empty stack"),
        "stack-underflow-mark": (begin + b"N(\x85.", "empty stack"),
        "no-mark": (begin + b"Nt.", "no mark"),
        "memo-out-of-range": (begin + b"Nr\xff\xff\xff\xff.", "out of range"),
        "memo-missing": (begin + b"j\xff\xff\xff\xff.", "does not exist"),
        "text-beyond-end": (begin + b"X\xff\xff\xff\x7fabc.", "early"),
        "text-beyond-end-8": (begin + b"\x8d" + b"\xff" * 8 + b"abc.", "early"),
        "bytes-beyond-end": (begin + b"\x8e" + b"\xff" * 7 + b"\x7fabc.", "early"),
        "bytearray-beyond-end": (begin + b"\x96" + b"\xff" * 8 + b"abc.", "early"),
        "frame-beyond-end": (begin + b"\x95" + b"\xff" * 8 + b"N.", "frame"),
        "long4-negative": (begin + b"\x8b\xff\xff\xff\xff.", "negative"),
        "string-negative": (begin + b"T\x00\x00\x00\x80.", "negative"),
        "line-without-end": (begin + b"cos\nsystem", "does not end"),
        "extension-code": (begin + b"\x82\x01.", "extension"),
        "out-of-band-buffer": (begin + b"\x97.", "out-of-band"),
        "persistent-id": (begin + b"Pevil\n.", "persistent"),
        "unknown-opcode": (begin + b"\xfe.", "unknown opcode"),
        "call-of-nothing": (begin + b"N)R.", "not callable"),
        "state-of-nothing": (begin + b"NNb.", "has none"),
        "odd-dictionary": (begin + b"}(Nu.", "no value"),
        "long-class-name": (begin + b"ca\n" + b"x" * 5000 + b"\n.", "too long"),
        "os-system": (begin + call("os", "system", text(run)) + b".", "os.system"),
        "posix-system-stack-global": (begin + text("posix") + text("system") + b"\x93" + text(run) + b"\x85R.", "posix.system"),
        "eval": (begin + call("builtins", "eval", text(f"open('{folder}/executed', 'w')")) + b".", "builtins.eval"),
        "load-from-bytes": (begin + call("torch.storage", "_load_from_bytes", b"C\x04abcd") + b".", "_load_from_bytes"),
        "marks": (begin + b"(" * 1000000 + b".", "nests deeper"),
        "nested-tuples": (begin + b"N" + b"\x85" * 1000000 + b".", "nests deeper"),
        "nested-lists": (begin + b"]" * 1000000 + b"a" * 999999 + b".", "nests deeper"),
        "nested-lists-outside-in": (begin + b"]" + b"]q\x01ah\x01" * 1000000 + b".", "is not supported"),
        "nested-states": (begin + b"ca\nb\n)\x81" * 100000 + b"b" * 99999 + b".", "nests deeper"),
        "memo-bomb": (begin + bomb + b".", "is not supported"),
        "memo-bomb-as-keys": (begin + bomb + b"}(h\x63Nh\x62Nh\x63Nu.", "is not supported"),
        "copies-of-bytes": (begin + encode + b"h\0h\1R0" * 100000 + b"N.", "far more memory"),
        "copies-of-lists": (begin + b"cbuiltins\nlist\n\x940" + wide + b"h\1\x85\x940" + b"h\0h\2R0" * 100000 + b"N.", "far more memory"),
        "copies-of-arguments": (begin + b"ca\nb\n\x940" + wide + b"h\0h\1R0" * 100000 + b"N.", "far more memory"),
        "copies-of-names": (begin + b"ca\n" + b"x" * 4000 + b"\n\x940" + b"h\0)R0" * 200000 + b"N.", "far more memory"),
        "many-values": (begin + b"]0" * 4000001 + b"N.", "more than 4000000 values"),
        "deep-stack": (begin + b"N" + b"2" * 4000001 + b".", "stack"),
        "storage-larger-than-entry": (begin + tensor(17, 0, [1], [1]) + b".", "its entry only 64"),
        "storage-huge": (begin + tensor(1 << 62, 0, [1], [1]) + b".", "malformed"),
        "storage-negative": (begin + tensor(-1, 0, [0], [1]) + b".", "malformed"),
        "storage-missing": (begin + tensor(1, 0, [1], [1], "1") + b".", "no entry"),
        "storage-elsewhere": (begin + tensor(1, 0, [1], [1], "../byteorder") + b".", "no entry"),
        "size-beyond-storage": (begin + tensor(16, 0, [17], [1]) + b".", "beyond storage"),
        "offset-beyond-storage": (begin + tensor(16, 1, [16], [1]) + b".", "beyond storage"),
        "offset-negative": (begin + tensor(16, -1, [1], [1]) + b".", "overflows"),
        "size-negative": (begin + tensor(16, 0, [-1], [1]) + b".", "negative"),
        "stride-negative": (begin + tensor(16, 15, [16], [-1]) + b".", "negative"),
        "size-overflow": (begin + tensor(16, 0, [1 << 32, 1 << 32], [0, 0]) + b".", "overflows"),
        "stride-overflow": (begin + tensor(16, 0, [3, 3], [2**63 - 1] * 2) + b".", "beyond storage"),
        "repeated-storage": (begin + tensor(16, 0, [1 << 40], [0]) + b".", "repeats"),
        "too-many-dimensions": (begin + tensor(16, 0, [1] * 1000, [1] * 1000) + b".", "malformed"),
        "numpy-too-short": (begin + array + b"(K\x01K\x09\x85" + dtype + b"\x89C\x04abcdtb.", "does not match"),
        "numpy-overflow": (begin + array + b"(K\x01" + integer(1 << 62) * 2 + b"\x86" + dtype + b"\x89C\x00tb.", "does not match"),
    }
    return {f"pickle-{name}": case for name, case in made.items()}


# --- files


def big_zeros(mebibytes):
    """A deflate stream of that many MiB of zeros, made by repeating one block."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * mebibytes + packer.flush()


def grown(document, value):
    """A document with one more value, which nobody asks for."""
    return document.rstrip()[:-1] + b', "more": ' + value + b"}"


def keys(count, length):
    return b"{" + b",".join(b'"%0*d":0' % (length, number) for number in range(count)) + b"}"


def main():
    source, folder = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(contents)).split("/")[0] + "/"
    metadata_name = next(name for name in contents if name.endswith(".json"))
    expected = {}

    def write(name, content, says):
        (folder / f"{name}.ckpt").write_bytes(content)
        expected[f"{name}.ckpt"] = says

    def small(pickle, *more, metadata=None):
        """Just what is needed to reach the pickle."""
        document = metadata or Entry(metadata_name, contents[metadata_name])
        return [Entry(root + "data.pkl", pickle), Entry(root + "data/0", bytes(64)), document, *more]

    def changed(replacements):
        """The whole checkpoint with some entries replaced."""
        return [replacements.get(name) or Entry(name, data) for name, data in contents.items()]

    # The writer itself is right: the checkpoint comes back, also when something in its pickle would run a program.
    write("accepted", zip_bytes(changed({})), None)
    write("accepted-deflated", zip_bytes([Entry(name, data, True) for name, data in contents.items()]), None)
    pickle = contents[root + "data.pkl"]
    run = call("os", "system", text(f"touch {folder}/executed"))
    laced = Entry(root + "data.pkl", pickle[:2] + run + b"0" + pickle[2:])
    write("accepted-os-system", zip_bytes(changed({laced.name.decode(): laced})), None)

    for name, (content, says) in pickles(folder).items():
        write(name, zip_bytes(small(content)), says)

    # Cut off at the start of each entry and of its data, and within each kind of record.
    marks = []
    whole = zip_bytes([Entry(name, data[:64]) for name, data in contents.items()], marks=marks)
    kinds = marks[:2] + marks[-4:] + [(marks[-4] + marks[-3]) // 2]
    for at in sorted(set(marks).union(mark + step for mark in kinds for step in (2, 11))):
        if 0 < at < len(whole):
            write(f"cut-at-{at}", whole[:at], "zip")
    write("cut-last-byte", whole[:-1], "zip")

    fine = b"\x80\x02N."
    entries = small(fine)
    write("directory-huge-count", zip_bytes(entries, count=(1 << 62)), "too short")
    write("directory-count-65534", zip_bytes(entries, count=65534, force64=False), "too short")
    write("directory-one-less", zip_bytes(entries, count=2), "longer than its entries")
    write("directory-outside", zip_bytes(entries, directory_offset=1 << 40), "outside the file")
    write("directory-outside-32", zip_bytes(entries, directory_offset=0xFFFFFFF0, force64=False), "outside the file")
    write("directory-too-long", zip_bytes(entries, directory_size=1 << 63), "outside the file")
    write("directory-overflow", zip_bytes(entries, directory_offset=2**64 - 16, directory_size=32), "outside the file")
    write("directory-shifted", zip_bytes(entries, directory_offset=7), "malformed")
    write("directory-nested-in-itself", zip_bytes(entries, directory_offset=0, directory_size=30), "too short")

    data = bytes(1000)
    write("extent-beyond-file", zip_bytes(small(fine, Entry(root + "x", data, stored=1 << 40, size=1 << 40))), "beyond")
    write("extent-overflow", zip_bytes(small(fine, Entry(root + "x", data, stored=2**64 - 8, size=2**64 - 8))), "beyond")
    write("extent-overlap", zip_bytes([Entry(root + "x", data, stored=1040, size=1040), *entries]), "overlaps")
    write("extent-same", zip_bytes([Entry(root + "x", data), Entry(root + "x", data, local=0), *entries]), "same name")
    write("local-header-elsewhere", zip_bytes(small(fine, Entry(root + "x", data, local=5))), "local header")
    write("local-header-beyond", zip_bytes(small(fine, Entry(root + "x", data, local=1 << 50))), "local header")
    write("local-header-of-another", zip_bytes(small(fine, Entry(root + "x", data, local=0))), "another name")
    write("two-sizes", zip_bytes(small(fine, Entry(root + "x", data, size=999))), "two different sizes")
    for label, name, says in (
        ("parent", root + "../x", "leaves the archive"),
        ("parent-backslash", "..\\x", "leaves the archive"),
        ("absolute", "/etc/passwd", "absolute"),
        ("nul", root + "x\0y", "NUL"),
        ("empty", "", "no name"),
        ("duplicate", root + "data.pkl", "same name"),
    ):
        write(f"name-{label}", zip_bytes(small(fine, Entry(name, data))), says)

    document = contents[metadata_name]
    for label, entry, says in (
        ("wrong-checksum", Entry(metadata_name, document, True, crc=1), "checksum"),
        ("no-deflate", Entry(metadata_name, document, True, payload=b"\xff" * 500), "damaged"),
        ("cut-deflate", Entry(metadata_name, document, True, payload=deflate(document)[:-20]), "damaged"),
        ("bomb", Entry(metadata_name, size=6 << 30, deflated=True, payload=big_zeros(6 << 10)), "would unpack to"),
        ("bomb-that-lies", Entry(metadata_name, size=1000, deflated=True, payload=big_zeros(6 << 10)), "larger than it says"),
        ("size-that-lies", Entry(metadata_name, size=200 << 20, deflated=True, payload=deflate(document)), "would unpack to"),
        ("no-json", Entry(metadata_name, b"hello"), "json"),
        ("deep-json", Entry(metadata_name, b"[" * 1000000), "json"),
        ("deep-json-closed", Entry(metadata_name, b'{"a":' * 1000000 + b"1" + b"}" * 1000000), "json"),
        ("array-json", Entry(metadata_name, b"[]"), "json"),
        ("large", Entry(metadata_name, grown(document, b'"' + b"x" * (65 << 20) + b'"')), "more than"),
        ("many-values", Entry(metadata_name, grown(document, b"[" + b"[]," * 2100000 + b"0]")), "more than 2000000 values"),
        ("many-values-packed", Entry(metadata_name, grown(document, b"[" + b"[]," * 87000000 + b"0]"), True), "would unpack to"),
        ("many-keys", Entry(metadata_name, grown(document, keys(200000, 4))), "too many keys"),
        ("long-keys", Entry(metadata_name, grown(document, keys(8000, 1000))), "too many keys"),
        ("much-memory", Entry(metadata_name, grown(document, b"[" + (b'{"' + b"k" * 55 + b'":""},') * 900000 + b"0]")), "MiB of memory"),
    ):
        write(f"metadata-{label}", zip_bytes(changed({metadata_name: entry})), says)
    write("metadata-missing", zip_bytes([Entry(root + "data.pkl", pickle)]), "metadata")

    # Supporting arrays that claim more than the model has points, or another size than their entry.
    latitudes = json.loads(document)["supporting_arrays_paths"]["data"]["latitudes"]
    for label, change, size, says in (
        ("larger", {"shape": [5248, 199800], "dtype": "uint8"}, 5248 * 199800, "values are needed"),
        ("shape", {"shape": [10496]}, None, "values are needed"),
        ("shape-overflow", {"shape": [2**31 - 1] * 3}, None, "values are needed"),
        ("dtype", {"dtype": "uint8"}, None, "do not make an array"),
        ("dtype-unknown", {"dtype": "object"}, None, "not supported"),
        ("packed", {}, 6 << 30, "do not make an array"),
        ("elsewhere", {"path": "../latitudes.numpy"}, None, "no entry"),
    ):
        told = json.loads(document)
        told["supporting_arrays_paths"]["data"]["latitudes"].update(change)
        replaced = {metadata_name: Entry(metadata_name, json.dumps(told).encode())}
        if size:
            name = latitudes["path"]
            replaced[name] = Entry(name, size=size, deflated=True, payload=big_zeros(size >> 20))
        write(f"array-{label}", zip_bytes(changed(replaced)), says)
    # Times of a temporal downscaler that are no window, or one without end.
    for label, inputs, outputs, says in (
        ("one-input", [0], [1], "two input times"),
        ("huge", [0, 2**62], [1], "two input times"),
        ("backward", [0, -3], [1], "two input times"),
        ("text", [0, "3"], [1, 2], "input_relative_date_indices"),
        ("gap", [0, 3], [1, 2**62], "outputs must be"),
        ("none", [0, 3], [], "at least one input"),
    ):
        told = json.loads(document)
        told["metadata_inference"]["task"] = "time_interpolator"
        steps = told["metadata_inference"]["data"]["timesteps"]
        steps.update(input_relative_date_indices=inputs, output_relative_date_indices=outputs)
        write(f"window-{label}", zip_bytes(changed({metadata_name: Entry(metadata_name, json.dumps(told).encode())})), says)

    # A model that claims to be of another class than its attributes.
    plain = b"canemoi.models.models.encoder_processor_decoder\nAnemoiModelEncProcDec\n"
    transport = b"canemoi.models.models.transport_encoder_processor_decoder\n"
    for label, other, says in (
        ("hierarchical", b"canemoi.models.models.hierarchical\nAnemoiModelEncProcDecHierarchical\n", "_graph_name_hidden"),
        ("ensemble", b"canemoi.models.models.ens_encoder_processor_decoder\nAnemoiEnsModelEncProcDec\n", "condition_on_residual"),
        ("transport", transport + b"AnemoiTransportModelEncProcDec\n", "transport_model_objective"),
        ("tendencies", transport + b"AnemoiTransportTendModelEncProcDec\n", "condition_on_residual"),
    ):
        assert plain in pickle
        name = root + "data.pkl"
        write(f"class-{label}", zip_bytes(changed({name: Entry(name, pickle.replace(plain, other))})), says)

    many = [Entry(f"{root}x{number}") for number in range(250000)]
    write("directory-many-entries", zip_bytes(many), "more than any that is read")

    order = root + "byteorder"
    write("big-endian", zip_bytes(changed({order: Entry(order, b"big")})), "little-endian")
    write("no-pickle", zip_bytes([Entry(name, data) for name, data in contents.items() if name != root + "data.pkl"]), "data.pkl")
    write("two-pickles", zip_bytes(changed({}) + [Entry("other/data.pkl", fine)]), "data.pkl")
    storages = [name for name in contents if name.startswith(root + "data/")]
    write("storage-entry-cut", zip_bytes(changed({name: Entry(name, contents[name][:-4]) for name in storages[:1]})), "its entry only")
    write("storage-entry-gone", zip_bytes([Entry(name, data) for name, data in contents.items() if name != storages[0]]), "no entry")
    bombs = {name: Entry(name, size=6 << 30, deflated=True, payload=big_zeros(6 << 10)) for name in storages[:1]}
    write("storage-bomb", zip_bytes(changed(bombs)), "compressed storages")

    write("empty-file", b"", "empty")
    write("not-a-zip", b"This is a text about weather models, not a model.\n" * 100, "not a zip file")
    write("only-magic", b"PK\3\4" + bytes(100), "no central directory")
    (folder / "folder.ckpt").mkdir(exist_ok=True)
    expected["folder.ckpt"] = "folder"
    expected["absent.ckpt"] = "No such file"
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main()
