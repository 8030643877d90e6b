#!/usr/bin/env python3
"""serve.py BIN_DIR GOLDEN_DIR SCRATCH: `tradewind serve` and its Python client. Each call's y is that of `tradewind predict`,
byte for byte, at 1 and 3 ranks; strangers get nothing; whoever is killed, the other side is told and nothing is left.
Exit code 77 without numpy."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

BINARIES, GOLDEN, SCRATCH = (Path(word).resolve() for word in sys.argv[1:4])
os.environ["TRADEWIND_PROGRAM"] = str(BINARIES / "tradewind")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
try:
    import numpy as np
except ImportError:
    system = "/usr/bin/python3"  # Debian's, for which python3-numpy is
    if os.path.realpath(sys.executable) == os.path.realpath(system) or not os.path.exists(system):
        print("numpy is not installed")
        sys.exit(77)
    os.execv(system, [system, *sys.argv])
import tradewind  # noqa: E402


def predicted(case, ranks, arrays):
    given, made = SCRATCH / "in.npz", SCRATCH / "out.npz"
    np.savez(given, **arrays)
    subprocess.run([BINARIES / "tradewind", "predict", GOLDEN / case / "inference-last.ckpt", given, made, "--world-size",
                    str(ranks), "--quiet"], check=True)
    return np.load(made)


def gone(pids, seconds=10):
    until = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < until, f"left behind: {pids}"
        time.sleep(0.05)


def children_of(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def check_calls(case, ranks):
    x = np.load(GOLDEN / case / "reference.npz")["x"].astype(np.float32)
    expected = predicted(case, ranks, {"x": x})["y"]
    with tradewind.Service(GOLDEN / case / "inference-last.ckpt", ranks=ranks, samples=len(x)) as service:
        for _ in range(3):
            service.y()[...] = 0
            np.copyto(service.x(), x)
            service.call()
            assert np.array_equal(service.y().reshape(expected.shape), expected, equal_nan=True), (case, ranks)
        service.open(2 * len(x))
        np.copyto(service.x(), np.concatenate([x, x]))
        service.call()
        assert np.array_equal(service.y()[len(x):].reshape(expected.shape), expected, equal_nan=True), (case, ranks)
        for wrong in ({"samples": 0}, {"samples": "many"}):
            try:
                service._ask({"type": "open", **wrong})
            except tradewind.Error as error:
                assert error.remedy, error
            else:
                raise AssertionError(f"{wrong} was taken")
        try:
            service.call(step=-1)
        except tradewind.Error as error:
            assert "step -1" in str(error), error
        else:
            raise AssertionError("a negative step was taken")
        np.copyto(service.x()[: len(x)], x)
        service.call()  # after what it has refused
        pids = [service._process.pid, *children_of(service._process.pid)]
        folder = service._folder
        assert len(pids) >= ranks + 1
        report = service.close()
        assert report is not None and report["status"] == "done" and report["steps"] == 5, report
    gone(pids)
    assert not folder.exists()


def check_noise(case, ranks):
    """Given noise, the first call of a forecast and a later one; without, the numbers of a seed, which go on."""
    given = np.load(GOLDEN / case / "reference.npz")
    arrays = {name: given[name] for name in ("x", "noise", "fcstep")}
    expected = predicted(case, ranks, arrays)
    drawn = predicted(case, ranks, {"x": given["x"]})["y"]
    with tradewind.Service(GOLDEN / case / "inference-last.ckpt", ranks=ranks) as service:
        assert service.about["takes_step"]
        np.copyto(service.x(), given["x"])
        np.copyto(service.noise(), given["noise"].reshape(service.noise().shape))
        for step, name in ((0, "y"), (1, "y_fcstep1")):
            service.call(step, noise=True)
            assert np.array_equal(service.y().reshape(expected[name].shape), expected[name]), (case, ranks, name)
        for seed, same in ((0, True), (None, False), (0, True), (1, False)):
            service.call(seed=seed)
            assert np.array_equal(service.y().reshape(drawn.shape), drawn) is same, (case, ranks, seed)


def check_strangers(checkpoint):
    """Nobody without the token gets an answer; a second client is told that there is one."""
    with tradewind.Service(checkpoint) as service:
        for words in ({"type": "open"}, {"type": "hello", "version": 1, "token": "0" * 64}):
            stranger = socket.socket(socket.AF_UNIX)
            stranger.settimeout(10)
            stranger.connect(str(service._folder / "socket"))
            try:
                stranger.sendall(json.dumps(words).encode() + b"\n")
            except BrokenPipeError:  # it is sent away before it has said a word
                pass
            assert json.loads(stranger.makefile().readline())["what"] == "another client is here"
            stranger.close()
        service.call()
    folder = SCRATCH / "alone"
    process = subprocess.Popen([BINARIES / "tradewind", "serve", checkpoint, folder, "--quiet", "--idle", "2"])
    try:
        until = time.monotonic() + 60
        while not (folder / "socket").exists():
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.02)
        assert folder.stat().st_mode & 0o777 == 0o700 and (folder / "token").stat().st_mode & 0o777 == 0o600
        for words in (b'{"type": "open"}\n', b'{"type": "hello", "version": 1, "token": "no"}\n', b"\x00" * 70000):
            stranger = socket.socket(socket.AF_UNIX)
            stranger.settimeout(10)
            stranger.connect(str(folder / "socket"))
            try:
                stranger.sendall(words)
                assert stranger.recv(100) == b"", words
            except ConnectionError:
                pass
            stranger.close()
        assert process.wait(60) == 0  # nobody has asked for anything
        assert not (folder / "socket").exists() and not (folder / "token").exists()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def check_ends(checkpoint):
    """A worker, the client, the launcher: whoever is killed, all others end."""
    service = tradewind.Service(checkpoint, ranks=2)
    launcher = service._process.pid
    workers = [pid for pid in children_of(launcher) if b"tradewind-worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(workers) == 2, workers
    os.kill(workers[1], signal.SIGKILL)
    try:
        service.call()
        service.call()
    except tradewind.Error as error:
        assert "rank 1" in str(error) or "signal" in str(error), error
    else:
        raise AssertionError("a call without rank 1")
    service.close()
    gone([launcher, *workers])

    script = ("import sys, tradewind, time\n"
              "s = tradewind.Service(sys.argv[1], ranks=2)\nprint(s._process.pid, s._folder, flush=True)\ntime.sleep(600)\n")
    client = subprocess.Popen([sys.executable, "-c", script, checkpoint], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": sys.path[0]})
    launcher, folder = client.stdout.readline().split()
    pids = [int(launcher), *children_of(int(launcher))]
    client.kill()
    client.wait()
    gone(pids)
    shutil.rmtree(folder)

    service = tradewind.Service(checkpoint, ranks=2)
    pids = children_of(service._process.pid)
    service._process.kill()
    try:
        service.call()
        service.call()
    except tradewind.Error as error:
        assert error.exit_code != 0, error
    else:
        raise AssertionError("a call without a launcher")
    service.close()
    gone(pids)


def check_refusals(checkpoint):
    try:
        tradewind.Service(SCRATCH / "nowhere.ckpt")
    except tradewind.Error as error:
        assert error.exit_code == 2 and "nowhere.ckpt" in str(error), error
    else:
        raise AssertionError("a checkpoint that is not there")
    folder = SCRATCH / "taken"
    folder.mkdir(mode=0o700)
    (folder / "socket").touch()
    ended = subprocess.run([BINARIES / "tradewind", "serve", checkpoint, folder], text=True, capture_output=True)
    assert ended.returncode == 2 and "something is there already" in ended.stderr, ended


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    before = set(Path("/dev/shm").iterdir())
    checkpoint = GOLDEN / "gt-transformer" / "inference-last.ckpt"
    for ranks in (1, 3):
        check_calls("legacy/0.3.1-aifs", ranks)
        check_calls("legacy/0.9.3-aifs-small-imputer", ranks)
        check_noise("legacy/0.9.3-ens", ranks)
    check_strangers(checkpoint)
    check_ends(checkpoint)
    check_refusals(checkpoint)
    assert set(Path("/dev/shm").iterdir()) <= before
    shutil.rmtree(SCRATCH)


main()
