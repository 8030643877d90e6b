"""Pickles as torch's C++ pickler writes them (torch/csrc/jit/serialization/pickler.cpp, protocol 2): what is in the dumps of
its flight recorders. dumps_of() of what one of them holds gives it back byte by byte (make_dumps.py checks that)."""
import struct


class Pickler:
    def __init__(self):
        self.out, self.texts, self.objects, self.next = [b"\x80\x02"], {}, {}, 0

    def put(self):
        number, self.next = self.next, self.next + 1
        self.out.append(b"q" + bytes([number]) if number < 256 else b"r" + struct.pack("<I", number))
        return number

    def get(self, number):
        self.out.append(b"h" + bytes([number]) if number < 256 else b"j" + struct.pack("<I", number))

    def number(self, value):
        if 0 <= value < 256:
            return b"K" + bytes([value])
        if 0 <= value < 65536:
            return b"M" + struct.pack("<H", value)
        if -(2**31) <= value < 2**31:
            return b"J" + struct.pack("<i", value)
        return b"\x8a\x08" + struct.pack("<q", value)

    def text(self, value):
        if value in self.texts:
            return self.get(self.texts[value])
        data = value.encode()
        self.out.append(b"X" + struct.pack("<I", len(data)) + data)
        self.texts[value] = self.put()

    # `shared`: lists and dictionaries that several places hold are written once.
    def push(self, value, shared):
        if id(value) in self.objects:
            return self.get(self.objects[id(value)])
        if value is None:
            self.out.append(b"N")
        elif isinstance(value, bool):
            self.out.append(b"\x88" if value else b"\x89")
        elif isinstance(value, int):
            self.out.append(self.number(value))
        elif isinstance(value, float):
            self.out.append(b"G" + struct.pack(">d", value))
        elif isinstance(value, str):
            self.text(value)
        elif isinstance(value, tuple):
            for item in value:
                self.push(item, shared)
            self.out.append({1: b"\x85", 2: b"\x86", 3: b"\x87"}[len(value)])
        elif isinstance(value, list):
            self.out.append(b"](")
            for item in value:
                self.push(item, shared)
            self.out.append(b"e")
        else:
            self.out.append(b"}(")
            for key, item in value.items():
                self.push(key, shared)
                self.push(item, shared)
            self.out.append(b"u")
        if id(value) in shared:
            self.objects[id(value)] = self.put()


def dumps_of(value, shared=()):
    pickler = Pickler()
    pickler.push(value, {id(value), *(id(one) for one in shared)})
    return b"".join(pickler.out) + b"."
