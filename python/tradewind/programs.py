"""Finds the executables of this package and, in this Python environment, the LibTorch and ecCodes that they load.

Neither is imported: a process of Python never holds LibTorch for Tradewind's sake.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import os
import re
import sys
from pathlib import Path

__all__ = ["environment", "launcher", "main", "worker_main"]

_BINARIES = Path(__file__).resolve().parent / "bin"
_WORKERS = re.compile(r"torch-(\d+\.\d+)$")


def launcher() -> Path:
    """Path of the executable `tradewind`.

    TRADEWIND_PROGRAM names another, such as that of a built tree, which knows where its worker is.
    Raises FileNotFoundError where the package holds no executables (installed from source, without the wheel).
    """
    program = Path(os.environ.get("TRADEWIND_PROGRAM") or _BINARIES / "tradewind")
    if not program.exists():
        raise FileNotFoundError(f"{program} is not there: install Tradewind's wheel, or set TRADEWIND_PROGRAM")
    return program


def _folder_of(package: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    found = importlib.machinery.PathFinder.find_spec(package, [entry for entry in sys.path if entry])
    places = list(found.submodule_search_locations or []) if found else []
    return Path(places[0]) if places else None


def _torch_release(folder: Path) -> str:
    """Version of LibTorch in the folder of torch: from its header, else from torch/version.py; empty when in neither."""
    try:
        header = (folder / "include" / "torch" / "headeronly" / "version.h").read_text()
        parts = [re.search(rf"define TORCH_VERSION_{part} (\d+)", header) for part in ("MAJOR", "MINOR", "PATCH")]
        if all(parts):
            return ".".join(part.group(1) for part in parts if part)
    except OSError:
        pass
    try:
        said = re.search(r"__version__[^=]*= *['\"]([0-9.]+)", (folder / "version.py").read_text())
        return said.group(1).rstrip(".") if said else ""
    except OSError:
        return ""


def _built_for() -> dict[str, Path]:
    """Workers of this package: minor release of torch -> folder."""
    found = {}
    for folder in sorted(_BINARIES.glob("torch-*")):
        name = _WORKERS.search(folder.name)
        if name and (folder / "tradewind-worker").exists():
            found[name.group(1)] = folder
    return found


def _library_folders(torch: Path | None) -> list[Path]:
    """Where the workers find what they load."""
    folders = []
    if torch is not None:
        folders.append(torch / "lib")
        folders += sorted(torch.parent.glob("nvidia/cu*/lib"))  # of LibTorch 2.10 and later
        folders += sorted(torch.parent.glob("nvidia/cuda_*/lib"))
    for package in ("eccodeslib", "eckitlib"):
        folder = _folder_of(package)
        if folder is not None:
            folders.append(folder / "lib64")
    return [folder for folder in folders if folder.is_dir()]


def _netcdf_of() -> Path | None:
    """libnetcdf of the package netCDF4, where it is installed."""
    package = _folder_of("netCDF4")
    if package is None:
        return None
    found = [file for name in ("netcdf4.libs", "netCDF4.libs") for file in package.parent.glob(f"{name}/libnetcdf-*.so*")]
    return found[0] if found else None


def _why_no_worker(torch: Path | None, release: str, workers: dict[str, Path]) -> str:
    """What is amiss and, in a second line, the way out; empty when a worker fits."""
    built = ", ".join(workers) or "none"
    if torch is None:
        return f"torch is not installed in this Python environment ({sys.prefix})\npip install 'torch=={_newest(workers)}.*'"
    if ".".join(release.split(".")[:2]) not in workers:
        return (f"torch {release or 'of an unknown version'} was found ({torch}), and this package has workers for {built}\n"
                f"pip install 'torch=={_newest(workers)}.*', or install a Tradewind that has one for it")
    if _folder_of("eccodeslib") is None:
        return f"ecCodes is not installed in this Python environment ({sys.prefix})\npip install eccodeslib"
    return ""


def _newest(workers: dict[str, Path]) -> str:
    return max(workers, key=lambda name: [int(part) for part in name.split(".")], default="2.15")


def environment(variables: dict[str, str] | None = None) -> dict[str, str]:
    """The environment in which the launcher finds worker and libraries; `variables` (default: this process's) are kept."""
    given = dict(os.environ if variables is None else variables)
    if given.get("TRADEWIND_PROGRAM"):
        return given
    workers = _built_for()
    torch = _folder_of("torch")
    release = _torch_release(torch) if torch else ""
    for name in ("TRADEWIND_NO_WORKER", "TRADEWIND_WORKER_FOLDER", "TRADEWIND_LIBRARY_PATH"):
        given.pop(name, None)
    why = _why_no_worker(torch, release, workers)
    if why:
        given["TRADEWIND_NO_WORKER"] = why
        return given
    given["TRADEWIND_WORKER_FOLDER"] = str(workers[".".join(release.split(".")[:2])])
    given["TRADEWIND_LIBRARY_PATH"] = ":".join(map(str, _library_folders(torch)))
    netcdf = _netcdf_of()
    if netcdf is not None and "TRADEWIND_NETCDF" not in given:
        given["TRADEWIND_NETCDF"] = str(netcdf)
    return given


def main() -> None:
    """The command `tradewind`: becomes the executable."""
    program = launcher()
    os.execve(program, ["tradewind", *sys.argv[1:]], environment())


def worker_main() -> None:
    """The command `tradewind-worker`: becomes the worker that fits this environment's torch."""
    given = environment()
    if "TRADEWIND_NO_WORKER" in given:
        what, _, remedy = given["TRADEWIND_NO_WORKER"].partition("\n")
        sys.exit(f"tradewind-worker: {what}\n  remedy: {remedy}")
    worker = Path(given["TRADEWIND_WORKER_FOLDER"]) / "tradewind-worker"
    given["LD_LIBRARY_PATH"] = ":".join(filter(None, [given["TRADEWIND_LIBRARY_PATH"], given.get("LD_LIBRARY_PATH", "")]))
    os.execve(worker, ["tradewind-worker", *sys.argv[1:]], given)
