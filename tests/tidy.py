#!/usr/bin/env python3
"""clang-tidy over our sources, several files of a target as one unit: most of the time goes to the headers that they
share. Files that define the same names are kept apart; a unit that does not compile is checked file by file. What has been
found clean before (same text, same headers of ours, same settings) is not looked at again: BUILD/tidy/clean. Within
--minutes the files changed last come first, and what is left out is counted. Exit code 1 when there is a finding."""
from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = rf"^{re.escape(str(ROOT))}/(common|proto|launcher|worker|tests|examples)/.*\.(h|cpp)$"
UNIT = 12  # files at most


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def compile_commands(build):
    """{source: its entry of the compile database, with the text of the header that another compiler has compiled}"""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["file"]).resolve()
        if path.is_relative_to(ROOT):
            entry["command"] = re.sub(r"-include \S*cmake_pch\.hxx", f"-include {ROOT}/cmake/aten_pch.h",
                                      entry["command"].replace(" -Winvalid-pch", ""))
            found.setdefault(path.relative_to(ROOT).as_posix(), entry)
    return found


def own_headers(build):
    """{source: headers of ours that it includes}, from what the compiler told ninja"""
    headers, source = {}, None
    for line in said("ninja", "-C", str(build), "-t", "deps").splitlines():
        if not line.startswith("    "):
            source = None
            continue
        path = Path(os.path.normpath(build / line.strip()))
        if not path.is_relative_to(ROOT) or path.is_relative_to(build):
            continue
        name = path.relative_to(ROOT).as_posix()
        if source is None:
            source = headers.setdefault(name, set())
        elif name.endswith(".h"):
            source.add(name)
    return headers


def last_changes():
    """{file: time of the last commit that touched it}"""
    times, when = {}, 0
    for line in said("git", "log", "--format=%x00%ct", "--name-only").splitlines():
        if line.startswith("\0"):
            when = int(line[1:])
        elif line:
            times.setdefault(line, when)
    return times


def defined_names(file):
    """Names that a source seems to define outside of classes: those of two files in one unit must differ."""
    text = (ROOT / file).read_text()
    return set(re.findall(r"^(?!using namespace|namespace|TEST_CASE)\w[^\n(={;]*?(?<!::)\b(\w+)(?=\(| = | ?\{|;|\[| : )", text, re.M))


def units_of(files, commands):
    """Files in the order given, put together where options and names allow it."""
    units = []  # [options, names, files]
    for file in files:
        options = re.sub(r"(-o \S+\.dir)/\S+ -c \S+", r"\1", commands[file]["command"])
        names = defined_names(file)
        for unit in units:
            if unit[0] == options and len(unit[2]) < UNIT and not unit[1] & names:
                unit[1].update(names)
                unit[2].append(file)
                break
        else:
            units.append([options, names, [file]])
    return [files for _, _, files in units]


class Tidy:
    def __init__(self, build, commands, minutes):
        self.folder, self.commands = build / "tidy", commands
        self.deadline = time.monotonic() + minutes * 60 if minutes else float("inf")
        (self.folder / "clean").mkdir(parents=True, exist_ok=True)
        self.settings = (ROOT / ".clang-tidy").read_bytes() + said("clang-tidy", "--version").encode()
        self.headers, self.clean, self.bad, self.left_out = own_headers(build), 0, [], 0

    def mark(self, file):
        digest = hashlib.sha256(self.settings)
        for name in [file, *sorted(self.headers.get(file, ()))]:
            digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
        return self.folder / "clean" / digest.hexdigest()

    def known(self, file):
        return file in self.headers and self.mark(file).exists()

    def run(self, source, entry):
        """Through a folder with a compile database of one entry."""
        folder = self.folder / hashlib.sha256(str(source).encode()).hexdigest()[:16]
        folder.mkdir(exist_ok=True)
        command = entry["command"].replace(entry["file"], str(source))
        (folder / "compile_commands.json").write_text(json.dumps([{**entry, "command": command, "file": str(source)}]))
        return subprocess.run(["clang-tidy", "-p", folder, "--quiet", f"--header-filter={OURS}", source],
                              capture_output=True, text=True)

    def check(self, files):
        if time.monotonic() > self.deadline:
            self.left_out += len(files)
            return
        entry = self.commands[files[0]]
        source = ROOT / files[0]
        if len(files) > 1:
            source = self.folder / (hashlib.sha256(" ".join(files).encode()).hexdigest()[:16] + ".cpp")
            source.write_text("".join(f'#include "{ROOT / file}"  // NOLINT\n' for file in files))
        done = self.run(source, entry)
        if done.returncode == 0:
            for file in files:
                self.mark(file).touch()
            self.clean += len(files)
        elif len(files) > 1 and "clang-diagnostic-error" in done.stdout:
            for file in files:
                self.check([file])
        else:
            print(done.stdout, flush=True)
            named = [file for file in files if f"{ROOT / file}:" in done.stdout]
            self.bad += named or files
            self.clean += len(files) - len(named or files)


def main():
    p = argparse.ArgumentParser(prog="tidy.py", description=__doc__)
    p.add_argument("files", nargs="*", help="sources (default: all)")
    p.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="a built tree (default build/release)")
    p.add_argument("--minutes", type=float, help="begin no further files after that time")
    a = p.parse_args()
    build = a.build.resolve()
    if not (build / "build.ninja").exists():
        sys.exit(f"error: {a.build} is not built\n  remedy: cmake --preset release && cmake --build --preset release")
    commands, changed = compile_commands(build), last_changes()
    ours = [Path(file).resolve().relative_to(ROOT).as_posix() for file in a.files] or said("git", "ls-files", "*.cpp").split()
    files = [file for file in ours if file in commands]
    if a.files and files != ours:
        sys.exit(f"error: {a.build} does not compile {' '.join(set(ours) - set(files))}")
    tidy = Tidy(build, commands, a.minutes)
    newest = {file: max(changed.get(name, time.time()) for name in {file, *tidy.headers.get(file, ())}) for file in files}
    todo = [file for file in sorted(files, key=newest.get, reverse=True) if not tidy.known(file)]
    tidy.clean = len(files) - len(todo)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(tidy.check, units_of(todo, commands)))
    print(f"clang-tidy: {tidy.clean} files clean" + (f", {tidy.left_out} left out: time is up" if tidy.left_out else ""))
    if tidy.bad:
        sys.exit("clang-tidy: findings in " + " ".join(tidy.bad))


if __name__ == "__main__":
    main()
