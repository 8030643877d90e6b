"""`run`, `inspect` and `compare`: the executable's commands, with values for Python in and out.

Each starts the executable and waits for it. Ctrl-C (KeyboardInterrupt) reaches the run, which ends after its current step;
the exception is raised once it has. All functions are safe to call from several threads.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union

from tradewind.programs import environment, launcher

PathLike = Union[str, "os.PathLike[str]"]

__all__ = ["Error", "Report", "compare", "inspect", "run"]


class Error(RuntimeError):
    """What Tradewind refused or failed at.

    what, where, remedy: the three parts of its message, `where` may be empty.
    exit_code: the executable's (2: configuration, checkpoint or input; 75: not all ranks came; 110: a rank hangs; ...).
    all: every refusal, where several were told at once, each a mapping with `what`, `where` and `remedy`.
    report: the run's report, where there is one.
    """

    def __init__(self, what: str, where: str = "", remedy: str = "", exit_code: int = 1,
                 all: Sequence[Mapping[str, Any]] = (), report: Report | None = None) -> None:
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text}\n  remedy: {remedy}" if remedy else text)
        self.what, self.where, self.remedy, self.exit_code = what, where, remedy, exit_code
        self.all = list(all) or [{"what": what, "where": where, "remedy": remedy}]
        self.report = report


class Report(dict[str, Any]):
    """report.json of a run (status, exit_code, world_size, steps, seconds, ranks, ...) as a mapping."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds of each phase: load, input, first_step, step_median, output, total."""
        found: Mapping[str, float] = self["seconds"]
        return found


def _value(value: Any) -> str:
    """As the command line takes it: YAML, of which JSON is a part. Text stays as it is."""
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "total_seconds"):
        return f"{round(value.total_seconds())}s"
    return json.dumps(value)


def _start(words: Sequence[str], given: str | None, quiet: bool) -> subprocess.CompletedProcess[str]:
    """The executable with these words, to its end; `given`: its standard input."""
    # A session of its own: a terminal's Ctrl-C goes to Python alone, and from here to the run, once.
    with subprocess.Popen([launcher(), *words], env={**environment(), "TRADEWIND_WITH_PARENT": "1"}, text=True, start_new_session=True,
                          stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE if quiet else None) as process:
        try:
            output, error = process.communicate(given)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
    return subprocess.CompletedProcess(words, process.returncode, output, error or "")


def _config(config: PathLike | Mapping[str, Any]) -> tuple[str, str | None]:
    if isinstance(config, Mapping):
        return "/dev/stdin", json.dumps(config, default=_value)
    return os.fspath(config), None


def _failed(code: int, report: Report | None, said: str) -> Error:
    first: Mapping[str, Any] = report.get("error", {}) if report else {}
    if not first:
        lines = said.strip().splitlines() or ["the run failed"]
        return Error(lines[-1].removeprefix("error: "), exit_code=code, report=report)
    return Error(first.get("what", ""), first.get("where") or "", first.get("remedy") or "", code,
                 report.get("errors", ()) if report else (), report)


def run(config: PathLike | Mapping[str, Any], *, progress: bool = True, run_dir: PathLike | None = None,
        options: Sequence[str] = (), **overrides: Any) -> Report:
    """Makes the forecast that `config` describes, as `tradewind run` does, and returns its report.

    config: path of a config.yaml, or its content as a mapping (relative paths count from the current folder).
    overrides: values of its keys, such as lead_time="48h"; keys of keys with two underscores: output__grib__path="a.grib".
      world_size=N alone also asks for runner: parallel.
    progress: whether the run writes its progress to this process's standard error.
    options: further words of the command line, such as ["--restart", "2"].
    Raises Error with all refusals, with the verdict of a hang (error.report["hang"]), or with the failure.
    """
    name, given = _config(config)
    with tempfile.TemporaryDirectory(prefix="tradewind-") as folder:
        report_file = Path(folder) / "report.json"
        words = ["run", name, "--report", str(report_file), *options]
        if not progress:
            words.append("--quiet")
        if run_dir is not None:
            words += ["--run-dir", os.fspath(run_dir)]
        if "world_size" in overrides and "runner" not in overrides:
            words.append("runner=parallel")
        words += [f"{key.replace('__', '.')}={_value(value)}" for key, value in overrides.items()]
        ended = _start(words, given, quiet=not progress)
        report = Report(json.loads(report_file.read_text())) if report_file.exists() else None
    if ended.returncode != 0 or report is None:
        raise _failed(ended.returncode, report, ended.stderr)
    return report


def inspect(checkpoint: PathLike, world_size: int = 1) -> Mapping[str, Any]:
    """What is in a checkpoint, whether it runs and what memory each of `world_size` ranks needs: `tradewind inspect --json`.

    Raises Error where the file cannot be read as a checkpoint. One that is only refused is described, with the reasons.
    """
    ended = _start(["inspect", os.fspath(checkpoint), "--json", "--world-size", str(world_size)], None, quiet=True)
    try:
        found: Mapping[str, Any] = json.loads(ended.stdout)
    except json.JSONDecodeError:
        raise _from_text(ended) from None
    return found


def compare(a: PathLike, b: PathLike, tolerance: float = 1e-4) -> Mapping[str, Any]:
    """How two forecasts differ, variable by variable: `tradewind compare --json`.

    The result's `equal`: whether keys, order and values agree within `tolerance`, in units of each field's standard deviation.
    Raises Error where one of them cannot be read.
    """
    words = ["compare", os.fspath(a), os.fspath(b), "--json", "--tolerance", repr(tolerance)]
    ended = _start(words, None, quiet=True)
    if ended.returncode not in (0, 1):
        raise _from_text(ended)
    try:
        found: dict[str, Any] = json.loads(ended.stdout)
    except json.JSONDecodeError:
        raise _from_text(ended) from None
    found.setdefault("equal", ended.returncode == 0)
    return found


def _from_text(ended: subprocess.CompletedProcess[str]) -> Error:
    """The error that the executable wrote: `error: WHERE: WHAT` and, indented, its remedy."""
    what, remedy = "the command failed", ""
    for line in ended.stderr.splitlines():
        if line.startswith("error: "):
            what = line.removeprefix("error: ")
        elif line.strip().startswith("remedy: ") and not remedy:
            remedy = line.strip().removeprefix("remedy: ")
    return Error(what, remedy=remedy, exit_code=ended.returncode)
