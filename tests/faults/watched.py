"""What the tests of the watch share: a run with its lines, times and report; how slow the machine is meanwhile."""

import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

SCHEMA = json.loads((Path(__file__).parents[2] / "proto" / "hang.schema.json").read_text())
# Seconds over a deadline that are forgiven: the watch looks once a second, and what it looks at is up to a second old.
SLACK = 2


class Pace:
    """How many times slower than alone this machine computes, from short bursts of work while it is measured."""

    def __enter__(self):
        self._wall = self._work = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _measure(self):
        while not self._end.wait(0.5):
            wall, work = time.perf_counter(), time.thread_time()
            while time.thread_time() - work < 0.02:
                pass
            self._wall += time.perf_counter() - wall
            self._work += time.thread_time() - work

    def slowness(self):
        return max(1.0, self._wall / self._work) if self._work > 0 else 1.0

    def allowed(self, deadline):
        return (deadline + SLACK) * self.slowness()


def check_schema(schema, value, where, faults):
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None)}
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(isinstance(value, kinds[t]) for t in types):
        faults.append(f"{where} is no {types}")
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{where} is {value!r}")
    if isinstance(value, list) and "items" in schema:
        for item in value:
            check_schema(schema["items"], item, where + "[]", faults)
    if isinstance(value, dict) and "properties" in schema:
        faults += [f"{where}.{name} is missing" for name in schema["required"] if name not in value]
        for name, member in value.items():
            if name in schema["properties"]:
                check_schema(schema["properties"][name], member, f"{where}.{name}", faults)
            else:
                faults.append(f"{where}.{name} is unknown")


def check_hang(hang, verdict, culprits, ranks):
    """What is wrong with the `hang` of a report."""
    if hang is None:
        return ["no verdict"]
    faults = []
    check_schema(SCHEMA, hang, "hang", faults)
    if hang["verdict"] != verdict:
        faults.append(f"verdict {hang['verdict']}: {hang['what']}")
    named = [culprit["rank"] for culprit in hang["culprits"]]
    if named != culprits:
        faults.append(f"culprits {named} instead of {culprits}")
    for rank in range(ranks):
        if not (Path(hang["dump"]) / f"rank-{rank}.txt").exists():
            faults.append(f"no dump of rank {rank}")
    return faults


class Run:
    """A launcher with all it starts; its folder is gone with it."""

    def __init__(self, command, folder, environment=None, **options):
        self.folder = Path(folder)
        self.mark = f"TRADEWIND_TEST_MARK={folder}"
        self.lines = []  # (seconds, text)
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace", **options,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {}), "TRADEWIND_TEST_MARK": str(folder)})
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append((time.monotonic(), line))
                self._changed.notify_all()
        with self._changed:
            self.lines.append((time.monotonic(), ""))
            self._changed.notify_all()

    def when(self, *beginnings, within=600):
        """The time of the first line that begins so; None when there is none before the run's end."""
        seen, until = 0, time.monotonic() + within
        with self._changed:
            while True:
                for moment, line in self.lines[seen:]:
                    if line.startswith(beginnings):
                        return moment
                    if not line:
                        return None
                seen = len(self.lines)
                if not self._changed.wait(until - time.monotonic()):
                    return None

    def told(self, within=600):
        return self.when("the run hangs", "error:", within=within)

    def status(self):
        try:
            return json.loads((self.folder / "status.json").read_text())
        except (OSError, ValueError):
            return {"ranks": []}

    def pid_of(self, rank, within=120):
        until = time.monotonic() + within
        while time.monotonic() < until:
            for row in self.status()["ranks"]:
                if row["rank"] == rank and row["pid"]:
                    return row["pid"]
            time.sleep(0.1)
        raise TimeoutError(f"no process of rank {rank}")

    def end(self, within=600):
        """Its exit code; a run that does not end is killed, and that is its code."""
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reader.join()
        return self.process.wait()

    def text(self):
        return "".join(line for _, line in self.lines)

    def report(self):
        return json.loads((self.folder / "report.json").read_text())

    def left(self):
        found = []
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdigit() and self.mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append(process.name)
            except OSError:
                pass
        return found


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="tradewind-fault-")


class Table:
    """Rows as they come: what was done, what was said, seconds; and whether all was as it is to be."""

    def __init__(self, first):
        self.bad = 0
        print(f"{first:24} {'verdict':18} {'certainty':9} {'code':>4} {'seconds':>8} {'allowed':>8}  result", flush=True)

    def row(self, name, code, hang, seconds, allowed, faults, text=""):
        verdict = (hang or {}).get("verdict", "none")
        print(f"{name:24} {verdict:18} {(hang or {}).get('certainty', '-'):9} {code:4} "
              f"{'-' if seconds is None else f'{seconds:.1f}':>8} {'-' if allowed is None else f'{allowed:.1f}':>8}  "
              f"{'; '.join(faults) or 'ok'}", flush=True)
        if faults:
            self.bad += 1
            print("    " + "\n    ".join(text.splitlines()[-40:]), flush=True)
