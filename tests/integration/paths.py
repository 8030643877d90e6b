#!/usr/bin/env python3
"""paths.py BIN CASE: files of one run, and of two runs, that get into each other's way; run folders and reports that others
have prepared; configurations that come through pipes. Nothing that was there before may be lost."""

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN, CASE = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
failures = []


def check(condition, text):
    if not condition:
        failures.append(text)
        print("FAIL:", text)


class Case:
    """A folder of its own with the case's files, which must stay as they are."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tradewind-paths-"))
        for name in ("config.yaml", "input.grib", "inference-last.ckpt"):
            shutil.copy(CASE / name, self.folder / name)
            (self.folder / name).chmod(0o644)
        self.before = self.hashes()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        check(self.hashes() == self.before, f"what was there has changed ({self.before.keys()})")
        subprocess.run(["chmod", "-R", "u+w", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, name, text):
        """A further file that must stay as it is."""
        (self.folder / name).write_text(text)
        self.before[name] = hashlib.sha256(text.encode()).hexdigest()

    def hashes(self):
        names = getattr(self, "before", None) or ("config.yaml", "input.grib", "inference-last.ckpt")
        return {name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in names
                if (self.folder / name).exists()}

    def command(self, *arguments):
        return [BIN / "tradewind", "run", *arguments]

    def run(self, *arguments, **options):
        options = {"timeout": 300, "cwd": self.folder, "env": ENVIRONMENT, "capture_output": True, "text": True, **options}
        return subprocess.run(self.command(*arguments), **options)

    def begin(self, *arguments):
        return subprocess.Popen(self.command(*arguments), cwd=self.folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)

    def names(self):
        return {entry.name for entry in self.folder.iterdir()}


def refused(result, *texts):
    where = " ".join(str(word) for word in result.args[2:])
    check(result.returncode == 2, f"exit code {result.returncode} of {where}: {result.stderr}")
    for text in texts:
        check(text in result.stderr, f"nothing of '{text}' in what {where} says: {result.stderr}")


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_output_is_something_else():
    with Case() as case:
        (case.folder / "link.grib").symlink_to("input.grib")
        os.link(case.folder / "input.grib", case.folder / "hard.grib")
        (case.folder / "data").mkdir()
        os.link(case.folder / "input.grib", case.folder / "data/a.grib")
        case.keep("t.grib", "template")
        here = case.folder.name
        for output in ("input.grib", "./input.grib", f"../{here}/input.grib", "link.grib", "hard.grib", str(case.folder / "input.grib"),
                       "./{shortName}.grib"):
            refused(case.run("config.yaml", f"output.grib.path={output}"), f"'{output}'", "the input 'input.grib'")
        refused(case.run("config.yaml", "output.grib.path=inference-last.ckpt"), "the checkpoint 'inference-last.ckpt'")
        refused(case.run("config.yaml", "output.grib.path=config.yaml"), "the configuration 'config.yaml'")
        refused(case.run("config.yaml", "input.grib=data", "output.grib.path=data/new.grib"), "the input 'data'")
        refused(case.run("config.yaml", "input.grib=data", "output.grib.path=hard.grib"), "the input 'data'")
        refused(case.run("config.yaml", "input.grib=data/*.grib", "output.grib.path=data/{step}.grib"), "the input 'data/*.grib'")
        refused(case.run("config.yaml", "output.grib.path=t.grib", "output.grib.templates={file: t.grib}"), "the template 't.grib'")
        for report in ("input.grib", "link.grib", "inference-last.ckpt", "output.grib", "output.grib.partial", "config.yaml"):
            refused(case.run("config.yaml", "--report", report), "the report", "--report")
        # Neither does a report of another mistake go there.
        for report in ("input.grib", "inference-last.ckpt", "config.yaml", "t.grib"):
            refused(case.run("config.yaml", "no_such_key=1", "--report", report), "no_such_key")
        refused(case.run("config.yaml", "output.grib.path=rd", "--run-dir", "rd"), "the run folder")
        refused(case.run("config.yaml", "output.grib.path=rd/report.json", "--run-dir", "rd"), "the run folder")
        refused(case.run("config.yaml", "output.grib.path=x", "--run-dir", "x/rd"), "the run folder")
        check("output.grib" not in case.names(), "an output of a run that was refused")
        predict = subprocess.run([BIN / "tradewind", "predict", "inference-last.ckpt", "t.grib", "t.grib"],
                                 cwd=case.folder, capture_output=True, text=True, env=ENVIRONMENT)
        refused(predict, "t.grib")


def test_two_runs():
    with Case() as case:
        first = case.begin("config.yaml", "lead_time=300d", "--run-dir", "rd", "output.grib.encoding.expver=aaaa")
        lock = case.folder / "output.grib.lock"
        check(wait_for(lambda: lock.exists() and lock.stat().st_size > 0), "no lock beside the output")
        who = str(first.pid)
        second = case.run("config.yaml", "lead_time=6h", "output.grib.encoding.expver=bbbb")
        refused(second, "output.grib", "is held by another run", who, " on host ", " since 20")
        (case.folder / "by-link.grib").symlink_to("output.grib")
        refused(case.run("config.yaml", "lead_time=6h", "output.grib.path=by-link.grib"), "is held by another run", who)
        refused(case.run("config.yaml", "lead_time=6h", "--run-dir", "rd", "output.grib.path=o2.grib"),
                "the run folder rd is held by another run", who)
        check(not (case.folder / "o2.grib.partial").exists(), "an output of a run that was refused")
        check(not (case.folder / "output.grib").exists(), "an output has its name before its run has ended")
        other = case.run("config.yaml", "lead_time=6h", "--run-dir", "rd3", "output.grib.path=o3.grib")
        check(other.returncode == 0, f"a run with nothing in common with another: {other.stderr}")
        first.send_signal(signal.SIGKILL)
        first.wait()
        # A killed run's locks and unfinished files are no obstacle.
        wait_for(lambda: case.run("config.yaml", "lead_time=6h", "--run-dir", "rd", "output.grib.encoding.expver=bbbb").returncode == 0, 20)
        data = (case.folder / "output.grib").read_bytes() if (case.folder / "output.grib").exists() else b""
        check(data.count(b"bbbb") > 0 and data.count(b"aaaa") == 0, "the file is not the second run's alone")
        check(not {name for name in case.names() if name.startswith("output.grib.")}, f"something is left: {case.names()}")
        check(not (case.folder / "rd/run.lock").exists(), "a lock is left in the run folder")


def test_older_file_survives_failure():
    with Case() as case:
        case.keep("output.grib", "an older forecast")
        result = case.run("config.yaml", "output.grib.encoding.level=nonsense", "lead_time=6h")
        check(result.returncode != 0, "the mistake was not seen")
        run = case.begin("config.yaml", "lead_time=300d")
        wait_for(lambda: (case.folder / "output.grib.partial").exists())
        run.send_signal(signal.SIGTERM)
        run.wait()


def test_config_from_a_stream():
    text = (CASE / "config.yaml").read_text()
    with Case() as case:
        devices = set(os.listdir("/dev"))
        arguments = ("lead_time=6h",)
        for name in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
            result = case.run(name, *arguments, input=text)
            check(result.returncode == 0, f"{name}: {result.stderr}")
            told = [line for line in result.stderr.splitlines() if line.startswith("run folder: ")]
            check(told and (case.folder / told[0].split(": ")[1] / "report.json").exists(), f"{name}: {result.stderr}")
        shell = subprocess.run(["bash", "-c", f'"{BIN}/tradewind" run <(cat config.yaml) lead_time=6h'], cwd=case.folder,
                               capture_output=True, text=True, env=ENVIRONMENT)
        check(shell.returncode == 0, f"<( ): {shell.stderr}")
        os.mkfifo(case.folder / "pipe.yaml")
        feeder = subprocess.Popen(["bash", "-c", "cat config.yaml >pipe.yaml"], cwd=case.folder)
        result = case.run("pipe.yaml", *arguments)
        check(result.returncode == 0, f"a FIFO: {result.stderr}")
        feeder.wait()
        check(set(os.listdir("/dev")) == devices, f"new in /dev: {set(os.listdir('/dev')) - devices}")
        check(len([name for name in case.names() if name.startswith("tradewind-run-")]) == 5, f"run folders: {case.names()}")
    if os.geteuid() != 0:
        return
    # A folder of the configuration that the user may not write to, then also a current folder: as somebody else.
    with Case() as case:
        case.folder.chmod(0o755)
        work, temporary = case.folder / "work", case.folder / "temporary"
        for folder in (work, temporary):
            folder.mkdir()
            os.chown(folder, 65534, 65534)
        for folder, place in ((work, work), (case.folder, temporary)):
            result = subprocess.run(
                ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", BIN / "tradewind", "run",
                 case.folder / "config.yaml", "lead_time=6h", f"checkpoint={case.folder}/inference-last.ckpt",
                 f"input.grib={case.folder}/input.grib", f"output.grib.path={work}/o.grib"],
                cwd=folder, capture_output=True, text=True, env={**ENVIRONMENT, "TMPDIR": str(temporary)})
            check(result.returncode == 0, f"as nobody in {folder}: {result.stderr}")
            check(any(name.startswith("tradewind-run-") for name in os.listdir(place)), f"no run folder in {place}: {result.stderr}")
            check("run folder: " in result.stderr, f"the run folder's name is not told: {result.stderr}")


def test_reports():
    with Case() as case:
        case.keep("file", "x")
        (case.folder / "folder").mkdir()
        for report in ("nope/r.json", "file/r.json", "folder", "x" * 300):
            mistake = case.run("config.yaml", "foo=1", "--report", report)
            refused(mistake, "foo")
            alone = case.run("config.yaml", "lead_time=6h", "--report", report, "--run-dir", "rd")
            refused(alone, "the report", report)
            check(alone.stderr.count("cannot create the report") == 1, f"said twice: {alone.stderr}")
            check(not {"output.grib", "rd"} & case.names(), "something was begun although the report cannot be written")
        null = Path("/dev/null").stat()
        result = case.run("config.yaml", "lead_time=6h", "--report", "/dev/null", "--run-dir", "rd")
        check(result.returncode == 0 and stat.S_ISCHR(Path("/dev/null").stat().st_mode), f"--report /dev/null: {result.stderr}")
        check(Path("/dev/null").stat().st_rdev == null.st_rdev, "/dev/null is another one")
        for report in ("rd/report.json", "rd/r.json"):
            result = case.run("config.yaml", "lead_time=6h", "--report", report, "--run-dir", "rd")
            check(result.returncode == 0 and (case.folder / report).exists(), f"--report {report}: {result.stderr}")
            shutil.rmtree(case.folder / "rd")
        # A report whose place goes while the run is on: the forecast is whole, and says so.
        (case.folder / "goes").mkdir()
        run = case.begin("config.yaml", "lead_time=20d", "--report", "goes/r.json", "--run-dir", "rd")
        wait_for(lambda: (case.folder / "output.grib.partial").exists())
        shutil.rmtree(case.folder / "goes")
        error = run.communicate()[1]
        check(run.returncode == 0 and "warning: goes/r.json: cannot create the report" in error, f"{run.returncode}: {error}")
        check(json.loads((case.folder / "rd/report.json").read_text())["status"] == "done", "the other report is not written")


def test_run_folders_of_others():
    with Case() as case:
        case.folder.chmod(0o1777)
        for name in ("v1", "v2", "v3", "v4", "v5"):
            case.keep(name, "precious\n")
        run = ("config.yaml", "lead_time=18h", "--restart", "1", "--run-dir")
        (case.folder / "open").mkdir()
        (case.folder / "open").chmod(0o777)
        result = case.run(*run, "open")
        check(result.returncode != 0 and "others may write" in result.stderr, f"a folder that is open to all: {result.stderr}")
        mine = case.folder / "mine"
        (mine / "restart").mkdir(parents=True)
        (mine / "logs").mkdir()
        for link, name in (("report.json.partial", "v1"), ("status.json.partial", "v2"), ("report.json", "v1"),
                           ("status.json", "v2"), ("restart/point.json.partial", "v3"), ("restart/point.json", "v3"),
                           ("restart/rank-0.call-1.partial", "v3"), ("restart/rank-0.call-1", "v3"), ("logs/rank-0.log", "v5")):
            (mine / link).symlink_to(case.folder / name)
        (case.folder / "output.grib.partial").symlink_to("v4")
        result = case.run(*run, "mine")
        check(result.returncode == 0, f"links in the run folder: {result.stderr}")
        (case.folder / "link").symlink_to("mine")
        check(case.run(*run, "link").returncode == 0, "a link of one's own to one's own run folder")
        if os.geteuid() == 0:
            (case.folder / "theirs").mkdir()
            os.chown(case.folder / "theirs", 65534, 65534)
            os.lchown(case.folder / "link", 65534, 65534)
            for folder in ("theirs", "link"):
                result = case.run(*run, folder)
                check(result.returncode != 0 and "cannot make the run folder" in result.stderr, f"{folder}: {result.stderr}")
        # The folder that ranks started by something else meet in has a name that can be foreseen.
        (case.folder / "tradewind-run-77.0").symlink_to("mine")
        slurm = {**ENVIRONMENT, "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}
        check(case.run("config.yaml", "lead_time=6h", env=slurm).returncode == 0, "a run of one rank")


def test_end_names_files():
    with Case() as case:
        arguments = ("config.yaml", "lead_time=6h", "--run-dir", "rd")
        result = case.run(*arguments)
        check(result.stderr.rstrip().endswith("output: output.grib\nrun folder: rd"), f"the end says: {result.stderr}")
        several = case.run(*arguments, "output.grib.path=out/{shortName}-{step}.grib")
        check(" more\nrun folder: rd" in several.stderr and "output: out/" in several.stderr, f"the end says: {several.stderr}")
        output = json.loads((case.folder / "rd/report.json").read_text())["ranks"][0]["output"]
        check(sorted(output["files"]) == sorted(f"out/{name}" for name in os.listdir(case.folder / "out")), "files in the report")
        check(case.run(*arguments, "--quiet").stderr == "", "--quiet says something")


def main():
    chosen = sys.argv[3:]
    for name, test in list(globals().items()):
        if name.startswith("test_") and (not chosen or name[5:] in chosen):
            print(name, flush=True)
            test()
    sys.exit(1 if failures else 0)


main()
