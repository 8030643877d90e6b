#!/usr/bin/env python3
"""strangers.py BIN [--ranks N] [--rounds N] [--short] [WAY...]: plays what others on a host can do to a forecast of several ranks:
to the port of its controller, to the ports of Gloo, and, as a relay, between a launcher and its controller. The forecast
must be that of an undisturbed run, byte by byte, or the run must end with an error; never a wrong one with exit code 0,
and nothing may be left. Ways to the controller's port must not harm at all. Prints a table: way, what came of it, tries of
the stranger, seconds."""

import argparse
import contextlib
import hashlib
import hmac
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden" / "gt-transformer"
DEADLINE = 150  # seconds for one run


def listening(pids):
    """Ports of IPv4 and IPv6 at which these processes listen, with the processes."""
    inodes = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(entry.path)
                    if target.startswith("socket:["):
                        inodes[target[8:-1]] = pid
    ports = {}
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and words[9] in inodes:
                    ports[int(words[1].split(":")[1], 16)] = inodes[words[9]]
    return ports


def children(pid):
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Forecast:
    """The launchers of all ranks as mpirun would start them, in a folder of their own."""

    def __init__(self, binaries, ranks, variables=None):
        self.folder = Path(tempfile.mkdtemp(prefix="tradewind-strangers-"))
        for name in ("config.yaml", "inference-last.ckpt", "input.grib"):
            shutil.copy(GOLDEN / name, self.folder)
        self.launchers = []
        for rank in range(ranks):
            own = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "SLURM_", "MASTER_", "TRADEWIND_"))}
            own |= {"OMPI_COMM_WORLD_RANK": str(rank), "OMPI_COMM_WORLD_SIZE": str(ranks), "OMP_NUM_THREADS": "1",
                    "OMPI_COMM_WORLD_LOCAL_RANK": str(rank), "OMPI_COMM_WORLD_LOCAL_SIZE": str(ranks),
                    "PMIX_NAMESPACE": "strangers"}
            own |= variables(rank) if variables else {}
            self.launchers.append(subprocess.Popen(
                [Path(binaries).resolve() / "tradewind", "run", "config.yaml", "runner=parallel", "lead_time=96h", "--run-dir", "d"],
                cwd=self.folder, env=own, stdin=subprocess.DEVNULL, stdout=(self.folder / f"said-{rank}").open("wb"),
                stderr=subprocess.STDOUT))

    def running(self):
        return any(launcher.poll() is None for launcher in self.launchers)

    def control(self):
        """Port of the controller and the token, once they are known."""
        for file in (self.folder / "d").glob("control-*.json"):
            with contextlib.suppress(OSError, ValueError):
                content = json.loads(file.read_text())
                return content["port"], content["token"]
        return None

    def ports(self, workers_only):
        """At which the ranks listen, or their launchers too."""
        workers = [pid for launcher in self.launchers for pid in children(launcher.pid)]
        return list(listening(workers if workers_only else workers + [launcher.pid for launcher in self.launchers]))

    def end(self):
        """Exit codes, and all that was said."""
        said, codes = b"", []
        until = time.monotonic() + DEADLINE
        for rank, launcher in enumerate(self.launchers):
            try:
                launcher.wait(max(1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                launcher.kill()
                launcher.wait()
                said += b"killed by the test after its deadline\n"
            said += (self.folder / f"said-{rank}").read_bytes()
            codes.append(launcher.returncode)
        output = self.folder / "output.grib"
        forecast = output.read_bytes() if output.exists() else None
        left = [p for p in os.listdir("/proc") if p.isdigit() and self.lives_in(p)]
        shutil.rmtree(self.folder, ignore_errors=True)
        return codes, forecast, said.decode(errors="replace"), left

    def lives_in(self, pid):
        try:
            return Path(os.readlink(f"/proc/{pid}/cwd")) == self.folder
        except OSError:
            return False


class Stranger:
    """Connects and speaks; counts how often it did. What fails to connect or to send is no matter."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tries = 0
        self.held = []  # connections that are kept open

    def connect(self, port, timeout=2):
        for address in ("127.0.0.1", "::1"):
            try:
                connection = socket.create_connection((address, port), timeout)
                self.tries += 1
                return connection
            except OSError:
                continue
        return None

    def say(self, port, data, hold=False, reset=False):
        connection = self.connect(port, 0.3)
        if connection is None:
            return
        with contextlib.suppress(OSError):
            connection.sendall(data)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if hold:
            self.held.append(connection)
        else:
            connection.close()

    def release(self):
        for connection in self.held:
            connection.close()


def line(message):
    return (json.dumps(message) + "\n").encode()


def read_line(connection):
    text = b""
    while not text.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            return None
        text += byte
    return json.loads(text)


def prove(stranger, port, token):
    """Answers the challenge with a token; true when that was believed."""
    connection = stranger.connect(port)
    if connection is None:
        return False
    with contextlib.suppress(OSError, ValueError), connection:
        theirs, ours = read_line(connection)["nonce"], "%064x" % stranger.random.getrandbits(256)
        text = f"tradewind control 2 proof agent {theirs} {ours}".encode()
        proof = hmac.new(token.encode(), text, hashlib.sha256).hexdigest()
        connection.sendall(line({"type": "prove", "nonce": ours, "proof": proof}))
        return connection.recv(1) != b""
    return False


# ---- to the controller's port: way(stranger, port, token) is called again and again while the run lasts ---------------
def noise(stranger, count):
    return bytes(stranger.random.getrandbits(8) for _ in range(count))


def wrong_proof(stranger, port, token):
    wrong = "%064x" % (int(token, 16) ^ (1 << stranger.random.randrange(256)))
    if prove(stranger, port, wrong):
        raise AssertionError("a wrong token was believed")


def old_token(stranger, port, token):
    if prove(stranger, port, OLD_TOKEN):
        raise AssertionError("an earlier run's token was believed")


OLD_TOKEN = "0" * 64  # of an earlier run, once there was one
ORDERS = [{"type": "act", "do": "kill", "rank": 0}, {"type": "leave", "exit_code": 0}, {"type": "signalled", "number": 15},
          {"type": "ask", "id": 1, "do": "set", "keys": ["tradewind/address/1"], "value": "AAAA", "expected": "",
           "amount": 0},
          {"type": "ask", "id": 2, "do": "add", "keys": ["tradewind/arrivals/1"], "value": "", "expected": "", "amount": 1},
          {"type": "join", "version": 2, "host": "x", "pid": 1, "world_size": 2, "ranks": [1], "master_address": "",
           "master_port": 0}]


def tcpstore(kind, key, value):
    """What a client of c10d's TCPStore sends: validate, then one query."""
    text = lambda t: struct.pack("<Q", len(t)) + t
    return struct.pack("<BI", 0, 0x3C85F7CE) + struct.pack("<B", kind) + text(key) + value


CONTROL = {
    "garbage": lambda s, port, token: s.say(port, noise(s, 300)),
    "http": lambda s, port, token: s.say(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "silence": lambda s, port, token: s.say(port, b"", hold=len(s.held) < 100),
    "resets": lambda s, port, token: s.say(port, noise(s, 10), reset=True),
    "many": lambda s, port, token: [s.say(port, b"", hold=len(s.held) < 3000) for _ in range(100)],
    "huge-line": lambda s, port, token: s.say(port, b"x" * (8 << 20)),
    "half-line": lambda s, port, token: s.say(port, b'{"type":"prove","nonce":"', hold=len(s.held) < 100),
    "orders": lambda s, port, token: s.say(port, line(s.random.choice(ORDERS)) * 3),
    "added-key": lambda s, port, token: s.say(port, tcpstore(2, b"tradewind/arrivals/1", struct.pack("<q", 1))),
    "overwritten-address": lambda s, port, token: s.say(
        port, tcpstore(1, b"tradewind/address/1", struct.pack("<Q", 9) + b"127.0.0.1")),
    "wrong-token": wrong_proof,
    "old-token": old_token,
}


EVERYWHERE = {"added-key", "overwritten-address"}  # to every port of the run


# ---- to Gloo's ports: way(stranger, port) ------------------------------------------------------------------------------
def numbered(number, after=b""):
    """What Gloo takes for a peer's first words: the number of a connection; then a message's head, or what may be."""
    return struct.pack("<Q", number) + after


GLOO = {
    "gloo-garbage": lambda s, port: s.say(port, noise(s, 64), hold=len(s.held) < 300),
    "gloo-silence": lambda s, port: s.say(port, b"", hold=len(s.held) < 500),
    "gloo-resets": lambda s, port: s.say(port, numbered(s.random.randrange(8)), reset=True),
    "gloo-half-number": lambda s, port: s.say(port, b"\1\0\0", hold=len(s.held) < 300),
    "gloo-numbers": lambda s, port: [s.say(port, numbered(n), hold=len(s.held) < 800) for n in range(8)],
    "gloo-numbers-and-noise": lambda s, port: [
        s.say(port, numbered(n, noise(s, 256)), hold=len(s.held) < 800) for n in range(8)],
    "gloo-huge-lengths": lambda s, port: [
        s.say(port, numbered(n, struct.pack("<7Q", 1 << 60, s.random.randrange(4), n, 0, 1 << 60, 0, 1 << 62) * 4),
              hold=len(s.held) < 800) for n in range(8)],
    "gloo-numbers-and-rows": lambda s, port: [
        s.say(port, numbered(n, struct.pack("<7Q", 72, 0, 0, 0, 16, 0, 0) + noise(s, 16)), hold=len(s.held) < 800)
        for n in range(8)],
}


# ---- between a launcher and its controller: the bytes of one direction go through `change(stranger, number, bytes)` ----
class Relay:
    """Stands where rank 1's launcher looks for the controller."""

    def __init__(self, target, change):
        self.target, self.change = target, change
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.changed = 0
        self.recorded = []  # what the launcher said, of each connection
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                self.recorded.append(b"")
                for source, sink, up in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pump, args=(source, sink, up), daemon=True).start()

    def _pump(self, source, sink, up):
        pending, number = b"", 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if up:
                    self.recorded[-1] += data
                pending += data
                *lines, pending = pending.split(b"\n")
                for one in lines:
                    changed = self.change(up, number, one + b"\n")
                    self.changed += changed != one + b"\n"
                    number += 1
                    sink.sendall(changed)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.server.close()


def flip(text, at):
    at %= len(text) - 1  # not the newline
    changed = text[:at] + bytes([text[at] ^ 4]) + text[at + 1:]
    return changed if changed[at] != 10 else text[:at] + b"?" + text[at + 1:]


def flips(direction, first):
    return lambda up, number, text: flip(text, 40 + 7 * number) if up == direction and number >= first else text


RELAY = {  # what is changed, and whether the forecast must be made all the same
    "relay-honest": (lambda up, number, text: text, True),
    "relay-flips-proofs": (flips(True, 0), False),
    "relay-flips-reports": (flips(True, 4), False),
    "relay-flips-orders": (flips(False, 3), False),
    "relay-repeats": (lambda up, number, text: text * 2 if up and number >= 5 else text, False),
    "relay-drops": (lambda up, number, text: b"" if up and number == 6 else text, False),
    "relay-replays": (lambda up, number, text: text, True),
}


SLOW = {"gloo-numbers", "gloo-numbers-and-noise", "relay-flips-proofs"}  # those that end at a timeout of 30 s


class Trial:
    def __init__(self, binaries, ranks, reference):
        self.binaries, self.ranks, self.reference = binaries, ranks, reference

    def judge(self, way, forecast, started, tries, needed=None):
        """`needed`: "forecast", "error", or None: either."""
        codes, made, said, left = forecast.end()
        faults = []
        if left:
            faults.append(f"processes left behind: {left}")
        if len(set(codes)) != 1:
            faults.append(f"exit codes {codes}")
        if codes[0] == 0 and made != self.reference:
            faults.append("A WRONG FORECAST WITH EXIT CODE 0" if made is not None else "no forecast with exit code 0")
        if codes[0] != 0 and (made is not None or "error" not in said):
            faults.append("a forecast under its final name" if made is not None else "no error is told")
        if needed == "forecast" and codes[0] != 0:
            faults.append("the run is harmed")
        if needed == "error" and codes[0] == 0:
            faults.append("nothing was noticed")
        if tries == 0:
            faults.append("the stranger never came through")
        what = "forecast" if codes[0] == 0 else next((t for t in said.splitlines() if "error" in t), "error")
        print(f"{'FAULT' if faults else 'fine':5}  {way:24} {tries:6}  {time.monotonic() - started:5.1f} s  "
              f"{'; '.join(faults) or what[:110]}", flush=True)
        if faults:
            print("\n".join(said.splitlines()[-25:]), flush=True)
        return not faults

    def beside(self, way, seed):
        """Ways that go on beside a run, to its ports."""
        global OLD_TOKEN
        started = time.monotonic()
        # The meeting takes its time for those who come to Gloo's ports: they are to have a chance before the ranks.
        relay, at = self.relay(lambda up, number, text: time.sleep(0.03) or text, seed)
        forecast, stranger = Forecast(self.binaries, self.ranks, at if way in GLOO else None), Stranger(seed)
        wrong, token = [], OLD_TOKEN
        while forecast.running() and time.monotonic() - started < DEADLINE:
            try:
                if way in GLOO:
                    for port in forecast.ports(True):
                        GLOO[way](stranger, port)
                    continue
                if control := forecast.control():
                    token = control[1]
                    for port in forecast.ports(False) if way in EVERYWHERE else control[:1]:
                        CONTROL[way](stranger, port, token)
                time.sleep(0.005)
            except AssertionError as error:
                wrong.append(str(error))
        stranger.release()
        relay.close()
        OLD_TOKEN = token
        fine = self.judge(way, forecast, started, stranger.tries, "forecast" if way in CONTROL else None)
        for text in wrong:
            print(f"FAULT  {way}: {text}")
        return fine and not wrong

    def relay(self, change, seed):
        """In front of a free port, and the variables by which rank 1 comes to it and rank 0 listens behind."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        relay = Relay(port, change)
        token = hashlib.sha256(str(seed).encode()).hexdigest()
        return relay, lambda rank: {"TRADEWIND_CONTROL": f"127.0.0.1:{relay.port if rank == 1 else port}",
                                    "TRADEWIND_TOKEN": token}

    def between(self, way, seed):
        """Ways of who stands between rank 1's launcher and the controller."""
        started = time.monotonic()
        change, whole = RELAY[way]
        relay, at = self.relay(change, seed)
        forecast = Forecast(self.binaries, self.ranks, at)
        stranger = Stranger(seed)
        while forecast.running() and time.monotonic() - started < DEADLINE:
            for session in [s for s in relay.recorded if way == "relay-replays" and s.count(b"\n") > 2]:
                stranger.say(relay.target, session)
            time.sleep(0.02)
        tries = {"relay-honest": len(relay.recorded), "relay-replays": stranger.tries}.get(way, relay.changed)
        fine = self.judge(way, forecast, started, tries, "forecast" if whole else "error")
        relay.close()
        return fine


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("ways", nargs="*")
    arguments = parser.parse_intermixed_args()
    ways = arguments.ways or [way for way in (*CONTROL, *GLOO, *RELAY) if not (arguments.short and way in SLOW)]
    codes, reference, said, _ = Forecast(arguments.binaries, arguments.ranks).end()
    if set(codes) != {0} or reference is None:
        sys.exit(f"the undisturbed run left with {codes}\n{said}")
    trial = Trial(arguments.binaries, arguments.ranks, reference)
    fine = True
    for seed in range(arguments.rounds):
        for way in ways:
            fine = (trial.between if way in RELAY else trial.beside)(way, seed) and fine
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
