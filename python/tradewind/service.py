"""A model that stays loaded, on its own ranks, for many calls: the client of `tradewind serve` (proto/PROTOCOL.md)."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tradewind.commands import Error, Report
from tradewind.programs import environment, launcher

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    import numpy.typing as npt

__all__ = ["Service"]

_VERSION = 1
_LONGEST_LINE = 1 << 20


class Service:
    """Starts `tradewind serve` for a checkpoint and asks it for model calls.

        with Service("inference-last.ckpt", ranks=4) as service:
            service.x()[...] = values       # (samples, input steps, points, variables), float32, raw units
            service.call(step=0)
            service.y()                     # (samples, output steps, points, variables)

    x and y are arrays in memory that the ranks share with this process: nothing is copied on the way. They stay valid
    until the next open() or close(). Of several datasets each has its own, by name.

    Raises tradewind.Error for a checkpoint that is refused, for what a rank met (with the run's report, and its verdict when a
    rank hangs), and for a request that the service does not take. Not thread-safe: one thread at a time.
    Nothing is left behind, however this process ends.
    """

    def __init__(self, checkpoint: str | os.PathLike[str], ranks: int = 1, *, precision: str | None = None,
                 device: str | None = None, samples: int = 1, patience: float = 600) -> None:
        """precision: f32 (default), f16 or bf16. device: cpu, cuda, cuda:N; default: a GPU when there is one. samples: model
        calls in one request. patience: seconds to wait for the ranks to come, and for which they wait for requests."""
        self._folder = Path(tempfile.mkdtemp(prefix="tradewind-serve-"))
        self._socket: socket.socket | None = None
        self._text = b""
        self._arrays: dict[str, tuple[tuple[int, ...], int]] = {}
        self._memory: mmap.mmap | None = None
        words = ["serve", os.fspath(checkpoint), str(self._folder), "--world-size", str(ranks), "--quiet",
                 "--idle", str(max(1, round(patience)))]
        if precision is not None:
            words += ["--precision", precision]
        if device is not None:
            words += ["--device", device]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen([launcher(), *words], stdin=subprocess.DEVNULL, stdout=self._said,
                                         stderr=self._said, start_new_session=True,
                                         env={**environment(), "TRADEWIND_WITH_PARENT": "1"})
        try:
            self._connect(time.monotonic() + patience)
            self.about: Mapping[str, Any] = self._ask({"type": "hello", "version": _VERSION, "token": self._token()})
            self.open(samples)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_said"):
            self.close()

    @property
    def datasets(self) -> list[str]:
        """Names of the model's datasets."""
        return [one["name"] for one in self.about["datasets"]]

    def open(self, samples: int) -> None:
        """Makes room for calls of so many samples; earlier arrays are no longer read or written."""
        answer, descriptor = self._ask_with_descriptor({"type": "open", "samples": samples})
        try:
            self._memory = mmap.mmap(descriptor, answer["bytes"])
        finally:
            os.close(descriptor)
        self._arrays = {one["name"]: (tuple(one["shape"]), one["offset"]) for one in answer["arrays"]}

    def _array(self, name: str, dataset: str | None) -> npt.NDArray[np.float32]:
        import numpy as np

        key = name if len(self.about["datasets"]) == 1 else f"{name}/{dataset}"
        if key not in self._arrays or self._memory is None:
            raise KeyError(f"there is no {key}: the model has {', '.join(self._arrays)}")
        shape, offset = self._arrays[key]
        return np.ndarray(shape, np.float32, self._memory, offset)

    def x(self, dataset: str | None = None) -> npt.NDArray[np.float32]:
        """Input, to be filled before a call: (samples, input steps, points, variables)."""
        return self._array("x", dataset)

    def y(self, dataset: str | None = None) -> npt.NDArray[np.float32]:
        """Result of the last call: (samples, output steps, points, variables)."""
        return self._array("y", dataset)

    def noise(self) -> npt.NDArray[np.float32]:
        """Standard normal numbers, for a call with noise=True: (samples, rows, channels) of an ensemble model."""
        shape, offset = self._arrays["noise"]
        import numpy as np

        return np.ndarray(shape, np.float32, self._memory, offset)

    def call(self, step: int = 0, *, seed: int | None = None, noise: bool = False) -> float:
        """One model call of each sample; its seconds. step: number of the call in its forecast, from 0.

        seed: random numbers begin anew with it; without it they go on from the call before. noise: take noise() instead.
        """
        request: dict[str, Any] = {"type": "call", "step": step, "noise": noise}
        if seed is not None:
            request["seed"] = seed
        return float(self._ask(request)["seconds"])

    def close(self) -> Report | None:
        """Ends the service; its report, where it ended well."""
        if self._socket is not None:
            try:
                self._socket.sendall(b'{"type": "bye"}\n')
            except OSError:
                pass
            self._socket.close()
            self._socket = None
        elif self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        report = self._report()
        self._memory = None
        self._said.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return report

    # What follows is the way to the other side.

    def _token(self) -> str:
        return (self._folder / "token").read_text().strip()

    def _report(self) -> Report | None:
        try:
            return Report(json.loads((self._folder / "report.json").read_text()))
        except (OSError, json.JSONDecodeError):
            return None

    def _connect(self, until: float) -> None:
        # Relative to the folder: a socket's name is short.
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(self._folder / "socket"))
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
                if self._process.poll() is not None:
                    raise self._ended() from None
                if time.monotonic() > until:
                    raise Error("the ranks have not come in time", remedy="give more patience") from None
                time.sleep(0.02)
            else:
                self._socket = connection
                return

    def _ended(self) -> Error:
        """Why the service has ended by itself."""
        code = self._process.wait()
        report = self._report()
        first: Mapping[str, Any] = report.get("error", {}) if report else {}
        if first:
            return Error(first.get("what", ""), first.get("where") or "", first.get("remedy") or "", code, report=report)
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        wrong = [line for line in lines if line.startswith("error: ")] or lines[-1:] or ["the service has ended"]
        remedy = [line.strip().removeprefix("remedy: ") for line in lines if line.strip().startswith("remedy: ")]
        return Error(wrong[0].removeprefix("error: "), remedy=remedy[0] if remedy else "", exit_code=code, report=report)

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        answer, descriptor = self._exchange(request)
        if descriptor >= 0:
            os.close(descriptor)
        return answer

    def _ask_with_descriptor(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
        answer, descriptor = self._exchange(request)
        if descriptor < 0:
            raise Error("the service has sent no memory")
        return answer, descriptor

    def _exchange(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
        if self._socket is None:
            raise Error("the service has ended", remedy="start another")
        descriptor = -1
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            while b"\n" not in self._text:
                data, passed, _, _ = socket.recv_fds(self._socket, 65536, 1)
                descriptor = passed[0] if passed else descriptor
                if not data:
                    raise ConnectionResetError
                self._text += data
                if len(self._text) > _LONGEST_LINE:
                    raise Error("the service has sent an answer without an end")
        except OSError:
            self._socket.close()
            self._socket = None
            raise self._ended() from None
        line, _, self._text = self._text.partition(b"\n")
        answer: Mapping[str, Any] = json.loads(line)
        if answer.get("type") == "error":
            raise Error(answer.get("what", ""), remedy=answer.get("remedy", ""))
        return answer, descriptor
