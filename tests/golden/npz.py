"""Arrays of .npz files without NumPy. Run with FILE and NAME: exit code 0 when the file holds the array."""
import ast
import struct
import sys
import zipfile
from array import array


def load(path, name):
    """(shape, values) of an array of float32, float64 or text in C order: the .npy format, without NumPy."""
    with zipfile.ZipFile(path) as npz:
        data = npz.read(name + ".npy")
    wide = data[6] >= 2
    begin = 12 if wide else 10
    (length,) = struct.unpack("<I" if wide else "<H", data[8:begin])
    header = ast.literal_eval(data[begin : begin + length].decode("latin1"))
    payload, kind = data[begin + length :], header["descr"]
    if header["fortran_order"]:
        sys.exit(f"{path}: {name}: an array in C order wanted")
    if kind == "<f4":
        values = array("f", payload)
    elif kind == "<f8":
        values = array("d", payload)
    elif kind.startswith("<U"):
        width = 4 * int(kind[2:])
        values = [payload[i : i + width].decode("utf-32-le").rstrip("\0") for i in range(0, len(payload), width)]
    else:
        sys.exit(f"{path}: {name}: float32 or float64 wanted, found {kind}")
    return header["shape"], values


def holds(path, name):
    with zipfile.ZipFile(path) as npz:
        return name + ".npy" in npz.namelist()


def below(path, name):
    """What follows NAME/ in the names of a file's arrays."""
    with zipfile.ZipFile(path) as npz:
        return [member[len(name) + 1 : -4] for member in npz.namelist() if member.startswith(name + "/")]


def rename(source, target, arrays):
    """Writes an .npz of arrays (member, name, shape): `member` of another file, called `name`, seen in another shape of as
    many values."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member, name, shape in arrays:
            data = old.read(member + ".npy")
            begin = 12 if data[6] >= 2 else 10
            (length,) = struct.unpack("<I" if data[6] >= 2 else "<H", data[8:begin])
            header = ast.literal_eval(data[begin : begin + length].decode("latin1"))
            text = repr({"descr": header["descr"], "fortran_order": header["fortran_order"], "shape": tuple(shape)})
            text += " " * (-(len(text) + 11) % 64) + "\n"
            new.writestr(name + ".npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() +
                         data[begin + length :])


if __name__ == "__main__":
    sys.exit(not holds(sys.argv[1], sys.argv[2]))
