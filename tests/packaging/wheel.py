#!/usr/bin/env python3
"""wheel.py WHEEL_SH BIN_DIR DEPS_DIR CASE_DIR SCRATCH: the wheel of the built executables in fresh environments. The
forecasts are those of the built tree, byte for byte; what an environment lacks is told. Exit code 77 without patchelf."""
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

WHEEL_SH, BINARIES, DEPS, CASE, SCRATCH = (Path(word).resolve() for word in sys.argv[1:6])
CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith("TRADEWIND_") and name not in ("LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")}


def call(*words, cwd=SCRATCH, variables=None, code=0):
    ended = subprocess.run(words, cwd=cwd, env={**CLEAN, **(variables or {})}, text=True, capture_output=True, timeout=600)
    assert ended.returncode == code, f"{words} ended with {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended


def environment(name, wheel, *packages):
    """A fresh environment with the wheel, and what the folders `packages` hold beside it."""
    folder = SCRATCH / name
    venv.create(folder, with_pip=True)
    call(folder / "bin" / "pip", "install", "-q", "--no-deps", "--no-index", wheel)
    site = next(folder.glob("lib/python3*/site-packages"))
    (site / "further.pth").write_text("".join(f"{one}\n" for one in packages))
    return folder, site


def case(name):
    folder = SCRATCH / name
    folder.mkdir()
    for file in ("inference-last.ckpt", "input.grib", "config.yaml"):
        (folder / file).symlink_to(CASE / file)
    return folder


def fake(name, release):
    """A folder with a torch of another release, as far as anybody looks at it."""
    folder = SCRATCH / name / "torch"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "version.py").write_text(f"__version__ = '{release}+cpu'\n")
    return folder.parent


def check_lacks(wheel):
    """What stands in the way is told by who needs it, and by nobody else."""
    for name, packages, told in (
        ("bare", (), "torch is not installed in this Python environment"),
        ("other-torch", (fake("other", "2.3.1"),), "torch 2.3.1 was found"),
    ):
        folder, _ = environment(name, wheel, *packages)
        where = case(f"{name}-case")
        error = call(folder / "bin" / "tradewind", "run", "config.yaml", cwd=where, code=1).stderr
        assert told in error and "remedy: pip install 'torch==" in error, error
        assert not (where / "output.grib").exists()
        call(folder / "bin" / "tradewind", "inspect", "inference-last.ckpt", cwd=where)
        error = call(folder / "bin" / "tradewind-worker", cwd=where, code=1).stderr
        assert told in error, error


def check_python(python, expected):
    """The functions for Python: a report, a description, equality, an error with its parts."""
    where = case("python-case")
    script = f"""
import json, tradewind
report = tradewind.run("config.yaml", progress=False, world_size=2)
assert report["status"] == "done" and report["world_size"] == 2, report
config = {{"checkpoint": "inference-last.ckpt", "date": "2024-01-15T00:00:00", "input": {{"grib": "input.grib"}},
          "output": {{"grib": "mapping.grib"}}}}
assert tradewind.inspect("inference-last.ckpt")["runnable"] is True
same = tradewind.compare("output.grib", {str(expected)!r})
assert same["equal"] is True, same
try:
    tradewind.run("config.yaml", progress=False, lead_tim="6h", input__grib="nowhere.grib")
except tradewind.Error as error:
    assert error.exit_code == 2 and "lead_tim" in str(error.all) and error.remedy, (error, error.all)
else:
    raise SystemExit("a mistake was not told")
try:
    tradewind.compare("output.grib", "nowhere.grib")
except tradewind.Error as error:
    assert error.exit_code == 2 and "nowhere.grib" in str(error), error
else:
    raise SystemExit("a file that is not there was compared")
import sys
assert "torch" not in sys.modules
"""
    call(python, "-c", script, cwd=where)


def main():
    if not shutil.which("patchelf"):
        print("patchelf is not installed")
        sys.exit(77)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    call(WHEEL_SH, "--from", BINARIES, "--out", SCRATCH / "dist", "--work", SCRATCH / "work")
    wheel = next((SCRATCH / "dist").glob("tradewind-*.whl"))
    assert wheel.stat().st_size < 40_000_000, wheel.stat()

    built = case("built")
    call(BINARIES / "tradewind", "run", "config.yaml", cwd=built)
    expected = (built / "output.grib").read_bytes()

    folder, site = environment("whole", wheel, DEPS)
    for file in (site / "tradewind").rglob("*"):  # as on a system where others have installed it
        file.chmod(0o555 if file.is_dir() or "bin" in file.parts else 0o444)
    for ranks in (1, 3):
        where = case(f"ranks-{ranks}")
        call(folder / "bin" / "tradewind", "run", "config.yaml", "runner=parallel", f"world_size={ranks}", cwd=where)
        assert (where / "output.grib").read_bytes() == expected, f"another forecast on {ranks} ranks"
    # A program under `exec` has the libraries that it would have without.
    seen = call(folder / "bin" / "tradewind", "exec", "--world-size", "1", "--", "/usr/bin/env",
                variables={"LD_LIBRARY_PATH": "/nowhere"}).stdout
    assert "LD_LIBRARY_PATH=/nowhere\n" in seen and "TRADEWIND_LIBRARY_PATH" not in seen, seen
    told = call(folder / "bin" / "tradewind", "drill", "error", "--run-dir", "drill", code=2).stderr
    assert "rank" in told, told
    check_python(folder / "bin" / "python", built / "output.grib")
    check_lacks(wheel)
    print(json.dumps({"wheel": wheel.name, "bytes": wheel.stat().st_size}))
    for file in (site / "tradewind").rglob("*"):
        file.chmod(0o755)
    shutil.rmtree(SCRATCH)


main()
