#!/usr/bin/env python3
"""What the hang watch costs a run: the same forecast with --hang off and --hang stop, in turn, and the updates of the
telemetry page that a step makes, times what an update takes.

    tests/bench/watch_pairs.py [--ranks N] [--pairs N] [--lead-time 30d] CASE_DIR

CASE_DIR holds config.yaml, inference-last.ckpt and input.grib. TRADEWIND_BIN: folder of the executables (default:
build/release/bin); where it holds telemetry_cost too (cmake --build ... --target telemetry_cost), the updates' share of
a step is shown. Needs a quiet machine. Ratios are stop / off of medians. "by chance" holds 95 % of the ratios that come
out when the two names are given to the runs of each pair at random: a ratio inside is no difference.
"""
import argparse
import itertools
import json
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = Path(os.environ.get("TRADEWIND_BIN", HERE / "../../build/release/bin")).resolve()
PAGE = struct.Struct("<QII10Q Q16s64sii")  # proto/telemetry.h, up to the steps of the place
MODES = ("off", "stop")
FIGURES = ("s per step", "wall, s", "CPU, s")


def page_of(pid):
    """Numbers of the page that a process writes; None when it has none or has not begun."""
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if "memfd:tradewind-telemetry" in os.readlink(link):
                with open(link, "rb") as file:
                    fields = PAGE.unpack(file.read(PAGE.size))
                phase = fields[14].split(b"\0")[0].decode()
                return {"tick": fields[3], "calls": fields[4], "phase": phase, "step": fields[16]}
    except (OSError, struct.error):
        pass
    return None


def processor_seconds(pid):
    """That a process has used itself, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def updates_per_step(process, folder):
    """Of rank 0, between two looks at its page while steps go on; and how much of a processor the launcher takes."""
    looks, pid = [], None
    while process.poll() is None:
        time.sleep(0.05)
        try:
            pid = pid or json.loads((folder / "status.json").read_text())["ranks"][0]["pid"]
        except (OSError, ValueError, LookupError):
            continue
        page = page_of(pid)
        if page and page["phase"] == "step" and (not looks or page["step"] > looks[-1]["step"]):
            looks.append({**page, "time": time.monotonic(), "launcher": processor_seconds(process.pid)})
    if len(looks) < 2 or looks[-1]["step"] == looks[0]["step"]:
        return None
    change = {name: looks[-1][name] - looks[0][name] for name in ("tick", "calls", "step", "time", "launcher")}
    # A collective ticks when it begins and when it ends, all else once.
    return {"places": (change["tick"] - 2 * change["calls"]) / change["step"],
            "calls": change["calls"] / change["step"],
            "launcher": change["launcher"] / change["time"]}


def messages_in(file):
    """Of GRIB, both editions."""
    data, at, count = file.read_bytes(), 0, 0
    while data[at:at + 4] == b"GRIB":
        at += int.from_bytes(data[at + 8:at + 16] if data[at + 7] == 2 else data[at + 4:at + 7], "big")
        count += 1
    return count


def run(options, mode, look=False):
    case = options.case.resolve()
    with tempfile.TemporaryDirectory(prefix="tradewind-pairs-") as scratch:
        folder, output, log = Path(scratch) / "run", Path(scratch) / "output.grib", Path(scratch) / "log"
        command = [BIN / "tradewind", "run", case / "config.yaml", f"checkpoint={case / 'inference-last.ckpt'}",
                   f"input.grib={case / 'input.grib'}", f"output.grib.path={output}", f"lead_time={options.lead_time}",
                   "--run-dir", folder, "--hang", mode]
        command += ["runner=parallel", f"world_size={options.ranks}"] if options.ranks > 1 else []
        begin = time.perf_counter()
        with open(log, "w") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, env={"OMP_NUM_THREADS": "1", **os.environ})
            updates = updates_per_step(process, folder) if look else None
            _, status, used = os.wait4(process.pid, 0) if process.returncode is None else (0, process.returncode, None)
        if status:
            sys.exit(f"error: exit code {os.waitstatus_to_exitcode(status)}\n{log.read_text()[-2000:]}")
        wall = time.perf_counter() - begin
        if look:
            steps = len(re.findall(r"^step \d+/", log.read_text(), re.M)) or 1
            return updates and {**updates, "messages": messages_in(output) / steps}
        report = json.loads((folder / "report.json").read_text())
        return dict(zip(FIGURES, (report["seconds"]["step_median"], wall, used.ru_utime + used.ru_stime)))


def ratio(pairs):
    return statistics.median(stop for _, stop in pairs) / statistics.median(off for off, _ in pairs)


def by_chance(pairs):
    """The middle 95 % of the ratios when the names of the modes are dealt anew in each pair."""
    deals = list(itertools.product((False, True), repeat=len(pairs))) if len(pairs) <= 12 else [
        [random.random() < 0.5 for _ in pairs] for _ in range(4096)]
    ratios = sorted(ratio([pair[::-1] if swap else pair for pair, swap in zip(pairs, deal)]) for deal in deals)
    cut = int(0.025 * len(ratios))
    return ratios[cut], ratios[-1 - cut]


def show_updates(updates, seconds):
    print(f"a step of rank 0: {updates['places']:.1f} places, {updates['calls']:.1f} collectives, "
          f"{updates['messages']:.1f} messages written")
    print(f"the launcher takes {100 * updates['launcher']:.2f} % of a processor")
    if not (BIN / "telemetry_cost").exists():
        return
    text = subprocess.run([BIN / "telemetry_cost"], check=True, stdout=subprocess.PIPE, text=True).stdout
    cost = [float(re.search(rf"^{name} +(\d+) ns$", text, re.M)[1])
            for name in ("a layer begins", "a collective of 4 ranks", "a message is written")]
    total = sum(count * one for count, one in zip((updates[name] for name in ("places", "calls", "messages")), cost))
    print(f"their updates: {cost[0]:.0f}, {cost[1]:.0f} and {cost[2]:.0f} ns each, {total / 1000:.1f} us a step: "
          f"{100 * total / 1e9 / seconds:.3f} % of it")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=Path, metavar="CASE_DIR")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--lead-time", default="30d")
    options = parser.parse_args()
    updates = run(options, "stop", look=True)  # also what warms the machine up
    runs = {mode: [] for mode in MODES}
    for pair in range(options.pairs):
        for mode in MODES if pair % 2 == 0 else MODES[::-1]:
            runs[mode].append(run(options, mode))
    print(f"{options.case.name}, {options.ranks} rank(s), {options.pairs} pairs")
    heading = "".join(f" {mode:>8} {'(least to most)':>18}" for mode in MODES)
    print(f"{'':12}{heading} {'ratio':>7} {'by chance':>16}")
    for figure in FIGURES:
        values = {mode: [one[figure] for one in runs[mode]] for mode in MODES}
        pairs = list(zip(values["off"], values["stop"]))
        low, high = by_chance(pairs)
        columns = "".join(
            f" {statistics.median(values[mode]):8.4f} {f'{min(values[mode]):.4f} - {max(values[mode]):.4f}':>18}"
            for mode in MODES)
        print(f"{figure:12}{columns} {ratio(pairs):7.4f} {f'{low:.4f} - {high:.4f}':>16}  "
              f"{'no difference' if low <= ratio(pairs) <= high else 'A DIFFERENCE'}")
    if updates:
        show_updates(updates, statistics.median(one["s per step"] for one in runs["stop"]))


main()
