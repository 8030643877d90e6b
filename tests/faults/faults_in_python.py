"""What a rank of a Python program does when a fault is asked for. Of `skip`, `order` and `shape` its caller takes care."""
import ctypes
import os
import signal
import time


def loops():
    while True:
        pass


def sleeps():
    time.sleep(3600)


def reads(path):
    with open(path, "rb") as file:
        file.read()


def writes(path):
    with open(path, "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)


def takes_memory():
    kept = []
    while True:
        kept.append(bytearray(b"x" * (8 << 20)))
        time.sleep(0.01)


def fails():
    raise ValueError("the fault that was asked for")


def crashes():
    ctypes.string_at(0)


FAULTS = {
    "kill": lambda path: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda path: os.kill(os.getpid(), signal.SIGSTOP),
    "crash": lambda path: crashes(),
    "exception": lambda path: fails(),
    "loop": lambda path: loops(),
    "sleep": lambda path: sleeps(),
    "read": reads,
    "write": writes,
    "memory": lambda path: takes_memory(),
    "leave": lambda path: os._exit(0),
}


def let_happen(name, path):
    print("fault", time.time(), flush=True)
    if name in FAULTS:
        FAULTS[name](path)
