#!/usr/bin/env python3
"""NCCL's evidence under `tradewind exec` without a GPU: ranks that play what a torch program over NCCL offers (the flight
recorder behind its pipe, the RAS service of rank 0), hang, and must be judged by it.

    played_nccl.py BIN
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

DUMPS = Path(__file__).resolve().parents[1] / "unit" / "flight" / "dumps" / "nccl-2.10"
RAS = """NCCL version 2.27.5 compiled with CUDA 12.8
CUDA runtime version 12080, driver version 12080

Errors
======

#0-0 (9ff12a)
  Rank 2 -- GPU 2 managed by process 4713 on node vm: DEAD

"""


def serve_pipe(rank, case):
    """As ProcessGroupNCCL's monitor thread: a byte in the pipe makes it write its dump."""
    pipe = f"{os.environ['TORCH_NCCL_DEBUG_INFO_PIPE_FILE']}{rank}.pipe"
    os.mkfifo(pipe, 0o600)
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    while True:
        try:
            asked = os.read(descriptor, 1)
        except BlockingIOError:
            asked = b""
        if asked:
            # Not at once: the reader must not take half of it.
            whole = (DUMPS / case / f"nccl_trace_rank_{rank}").read_bytes()
            with open(f"{os.environ['TORCH_FR_DUMP_TEMP_FILE']}{rank}", "wb", buffering=0) as dump:
                dump.write(whole[: len(whole) // 2])
                time.sleep(0.2)
                dump.write(whole[len(whole) // 2 :])
        time.sleep(0.05)


def serve_ras(listener):
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb", buffering=0) as file:
            for answer in (b"SERVER PROTOCOL 2\n", b"OK\n", RAS.encode()):
                file.readline()
                file.write(answer)


def rank_of_program(case):
    rank = int(os.environ["RANK"])
    assert int(os.environ["TORCH_FR_BUFFER_SIZE"]) > 0
    threading.Thread(target=serve_pipe, args=(rank, case), daemon=True).start()
    if rank == 0:
        address, port = os.environ["NCCL_RAS_ADDR"].split(":")
        listener = socket.create_server((address, int(port)))
        threading.Thread(target=serve_ras, args=(listener,), daemon=True).start()
    time.sleep(600)


def main():
    if sys.argv[1] == "--rank":
        return rank_of_program(sys.argv[2])
    failed = []
    for case, verdict, certainty in (("missing", "missing rank", "certain"), ("shape", "different call", "certain")):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            words = [str(Path(sys.argv[1]).resolve() / "tradewind"), "exec", "--world-size", "4", "--hang", "stop", "--hang-after", "6",
                     "--run-dir", "run", "--", sys.executable, os.path.abspath(__file__), "--rank", case]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120,
                                  env=dict(os.environ, NCCL_RAS_ADDR=f"127.0.0.1:{port}"))
            hang = json.loads((Path(folder) / "run" / "report.json").read_text()).get("hang") or {}
            dump = Path(folder) / "run" / "hang" / "rank-0.txt"
            text = dump.read_text() if dump.exists() else ""
        named = [one["rank"] for one in hang.get("culprits", [])]
        checks = {
            "exit code": done.returncode == 110,
            "verdict": (hang.get("verdict"), hang.get("certainty"), named) == (verdict, certainty, [2]),
            "RAS in the evidence": any("Rank 2 -- GPU 2 managed by process 4713" in line for line in hang.get("evidence", [])),
            "RAS in the dump": "NCCL RAS, asked in this process" in text,
            "recorder in the dump": "51 _all_gather_base of [BFloat16] [[256]]" in text,
        }
        failed += [f"{case}: {what}" for what, holds in checks.items() if not holds]
        print(f"{case}: {hang.get('what')}")
        if not all(checks.values()):
            print(done.stdout, done.stderr, json.dumps(hang, indent=1), text)
    print("\n".join("FAILED " + one for one in failed))
    sys.exit(1 if failed else 0)


main()
