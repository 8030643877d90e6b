#!/usr/bin/env python3
"""stalling_files.py FOLDER BYTES [SECONDS]: a file system in memory, mounted at FOLDER, that stops answering writes once
BYTES have been written: for ever, or until it gets SIGUSR1, from when on a MiB takes SECONDS. Speaks the kernel's FUSE
protocol itself, so it needs root and /dev/fuse but no library. Ends at SIGTERM, or when FOLDER is unmounted; a writer that
is killed meanwhile is let go (EINTR)."""

import ctypes
import errno
import os
import signal
import stat
import struct
import sys
import time

FORGET, BATCH_FORGET, INIT, INTERRUPT = 2, 42, 26, 36
LOOKUP, GETATTR, SETATTR, UNLINK, RENAME, RENAME2 = 1, 3, 4, 10, 12, 45
OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, CREATE, FALLOCATE = 14, 15, 16, 17, 18, 20, 25, 35, 43
OPENDIR, READDIR, RELEASEDIR, ACCESS = 27, 28, 29, 34
MOST_WRITE = 128 << 10
ROOT = 1


class Files:
    def __init__(self, device, limit, seconds):
        self.device, self.limit, self.seconds, self.written = device, limit, seconds, 0
        self.slow = False  # rather than standing still
        self.names, self.bytes, self.next = {}, {}, ROOT + 1
        self.stalled = {}  # requests without an answer

    def attributes(self, node):
        size = len(self.bytes.get(node, b""))
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o644
        return struct.pack("<6Q10I", node, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def entry(self, node):
        return struct.pack("<4Q2I", node, 0, 0, 0, 0, 0) + self.attributes(node)

    def resize(self, node, size):
        content = self.bytes[node]
        content[size:] = b"" if size <= len(content) else bytes(size - len(content))

    def named(self, body):
        return body.split(b"\0", 1)[0]

    def answer(self, code, node, body):
        """What the kernel gets, a number for an error, or None for no answer ever."""
        if code == INIT:
            return struct.pack("<4I2H2I2H8I", 7, 31, 0, 0, 8, 6, MOST_WRITE, 1, 0, 0, *[0] * 8)
        if code == LOOKUP:
            found = self.names.get(self.named(body))
            return errno.ENOENT if found is None else self.entry(found)
        if code == GETATTR:
            return struct.pack("<Q2I", 0, 0, 0) + self.attributes(node)
        if code == SETATTR:
            valid, _, _, size = struct.unpack_from("<2I2Q", body)
            if valid & 8:
                self.resize(node, size)
            return struct.pack("<Q2I", 0, 0, 0) + self.attributes(node)
        if code == CREATE:
            name = self.named(body[16:])
            made = self.names.setdefault(name, self.next)
            if made == self.next:
                self.next += 1
            self.bytes[made] = bytearray()
            return self.entry(made) + struct.pack("<Q2I", 0, 0, 0)
        if code in (RENAME, RENAME2):
            old, new = body[8 if code == RENAME else 16:].split(b"\0")[:2]
            self.names[new] = self.names.pop(old)
            return b""
        if code == UNLINK:
            return b"" if self.names.pop(self.named(body), None) else errno.ENOENT
        if code == WRITE:
            _, offset, size = struct.unpack_from("<2QI", body)
            if self.slow:
                time.sleep(self.seconds * size / 2**20)
            elif self.written + size > self.limit:
                return None
            self.written += size
            content = self.bytes[node]
            if len(content) < offset:
                self.resize(node, offset)
            content[offset:offset + size] = body[40:40 + size]
            return struct.pack("<2I", size, 0)
        if code == READ:
            _, offset, size = struct.unpack_from("<2QI", body)
            return bytes(self.bytes[node][offset:offset + size])
        if code == FALLOCATE:
            _, offset, length = struct.unpack_from("<3Q", body)
            self.resize(node, max(len(self.bytes[node]), offset + length))
            return b""
        if code in (OPEN, OPENDIR):
            return struct.pack("<Q2I", 0, 0, 0)
        if code == STATFS:
            return struct.pack("<5Q4I24x", 1 << 30, 1 << 30, 1 << 30, 1 << 20, 1 << 20, 4096, 255, 4096, 0)
        return b"" if code in (RELEASE, RELEASEDIR, FSYNC, FLUSH, ACCESS, READDIR) else errno.ENOSYS

    def reply(self, unique, answer):
        fault, data = (answer, b"") if isinstance(answer, int) else (0, answer)
        try:
            os.write(self.device, struct.pack("<IiQ", 16 + len(data), -fault, unique) + data)
        except OSError as error:
            if error.errno != errno.ENOENT:  # nobody waits for it any more
                raise

    def go_on(self):
        self.slow = True
        for unique, request in self.stalled.items():
            self.reply(unique, self.answer(*request))
        self.stalled.clear()

    def serve(self):
        while True:
            try:
                request = os.read(self.device, MOST_WRITE + 8192)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                raise
            _, code, unique, node = struct.unpack_from("<2I2Q", request)
            body = request[40:]
            if code in (FORGET, BATCH_FORGET):
                continue
            if code == INTERRUPT:
                (held,) = struct.unpack_from("<Q", body)
                if self.stalled.pop(held, None):
                    self.reply(held, errno.EINTR)
                continue
            answer = self.answer(code, node, body)
            if answer is None:
                if not self.stalled:
                    print("stalled", flush=True)
                self.stalled[unique] = (code, node, body)
                if self.slow:  # the signal came in between
                    self.go_on()
            else:
                self.reply(unique, answer)


def main():
    folder, limit = sys.argv[1], int(sys.argv[2])
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else None
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"stalling", folder.encode(), b"fuse.stalling", 0, options) != 0:
        fault = ctypes.get_errno()
        sys.exit(f"cannot mount at {folder}: {os.strerror(fault)}")

    def leave(*_):
        libc.umount2(folder.encode(), 2)  # MNT_DETACH
        os._exit(0)  # closes the device: who still waits gets an error

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    files = Files(device, limit, seconds)
    if seconds is not None:
        signal.signal(signal.SIGUSR1, lambda *_: files.go_on())
    print("mounted", flush=True)
    files.serve()


main()
