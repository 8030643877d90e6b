#!/usr/bin/env python3
"""old_kernel.py BIN_DIR CASE_DIR SCRATCH: a run on two ranks, and one that hangs, on a kernel that answers ENOSYS to what
came after Linux 4.18 (RHEL 8): pidfd_open, pidfd_send_signal, close_range, clone3, openat2, faccessat2, epoll_pwait2.
The forecast is that of a kernel that has them, byte for byte. Exit code 77 where no system call filter can be set."""
import ctypes
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
from pathlib import Path

BINARIES, CASE, SCRATCH = (Path(word).resolve() for word in sys.argv[1:4])
# arch/x86/entry/syscalls/syscall_64.tbl: the numbers from 424 on are the same on every architecture.
NEWER = {"pidfd_send_signal": 424, "pidfd_open": 434, "clone3": 435, "close_range": 436, "openat2": 437, "faccessat2": 439,
         "epoll_pwait2": 441}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06  # BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K
ALLOW, ENOSYS = 0x7FFF0000, 0x00050000 | 38


def become_old():
    rules = [(LOAD, 0, 0, 0)]
    for number in NEWER.values():
        rules += [(EQUALS, 0, 1, number), (RETURN, 0, 0, ENOSYS)]
    rules.append((RETURN, 0, 0, ALLOW))
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rules), ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
        os._exit(77)


def tradewind(*words, old, cwd):
    return subprocess.run([BINARIES / "tradewind", *words], cwd=cwd, text=True, capture_output=True, timeout=240,
                          preexec_fn=become_old if old else None)


def main():
    if platform.machine() != "x86_64":
        sys.exit(77)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    outputs = {}
    for old in (False, True):
        folder = SCRATCH / ("old" if old else "new")
        folder.mkdir(parents=True)
        for name in ("inference-last.ckpt", "input.grib", "config.yaml"):
            (folder / name).symlink_to(CASE / name)
        ended = tradewind("run", "config.yaml", "runner=parallel", "world_size=2", "--run-dir", "run", old=old, cwd=folder)
        if ended.returncode == 77:
            sys.exit(77)
        assert ended.returncode == 0, ended.stderr
        outputs[old] = (folder / "output.grib").read_bytes()
    assert outputs[True] == outputs[False], "another forecast"
    # Whoever looks at a stopped rank finds it, and all that were started end.
    folder = SCRATCH / "old"
    ended = tradewind("drill", "lock", "--run-dir", "drill", "--hang-after", "3", old=True, cwd=folder)
    assert ended.returncode == 110, (ended.returncode, ended.stderr)
    report = json.loads((folder / "drill" / "report.json").read_text())
    assert report["hang"], report
    for rank in report["ranks"]:
        assert not Path(f"/proc/{rank['pid']}").exists(), f"rank {rank['rank']} is left behind"
    shutil.rmtree(SCRATCH)


main()
