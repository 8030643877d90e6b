#!/usr/bin/env python3
"""Two `tradewind exec` at the same moment on one host must never meet: pairs of programs whose rank 0 listens at
MASTER_PORT and whose other ranks connect to it and say which run they are of.

    exec_pairs.py BIN PAIRS [PYTHON_WITH_TORCH]

With a third argument the ranks meet through torch.distributed instead, and add up who they are.
"""
import os
import socket
import subprocess
import sys
import time


def meet():
    rank, size, name = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), os.environ["PAIR_NAME"]
    place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
    if rank == 0:
        with socket.create_server(place) as server:
            for _ in range(size - 1):
                connection, _ = server.accept()
                with connection:
                    said = connection.recv(100).decode()
                    if said != name:
                        sys.exit(f"a rank of {said} came to {name}")
                    connection.sendall(b"yes")
        return
    for _ in range(200):
        try:
            with socket.create_connection(place, timeout=20) as connection:
                connection.sendall(name.encode())
                if connection.recv(10) != b"yes":
                    sys.exit("no answer")
                return
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("nobody listens")


def meet_by_torch():
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo")
    value = torch.tensor([float(os.environ["PAIR_NUMBER"])])
    dist.all_reduce(value)
    if value.item() != float(os.environ["PAIR_NUMBER"]) * dist.get_world_size():
        sys.exit(f"met others: {value.item()}")
    dist.destroy_process_group()


def main():
    if sys.argv[1] == "--meet":
        return meet_by_torch() if len(sys.argv) > 2 else meet()
    binary, pairs = os.path.join(sys.argv[1], "tradewind"), int(sys.argv[2])
    torch = sys.argv[3] if len(sys.argv) > 3 else None
    failed = 0
    for pair in range(pairs):
        runs = []
        for number in (1, 2):
            words = [binary, "exec", "--quiet", "--world-size", "3", "--run-dir", f"pair-{os.getpid()}-{pair}-{number}", "--",
                     torch or sys.executable, os.path.abspath(__file__), "--meet"] + (["torch"] if torch else [])
            runs.append(subprocess.Popen(words, env=dict(os.environ, PAIR_NAME=f"run-{number}", PAIR_NUMBER=str(number)),
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        for run in runs:
            output = run.communicate(timeout=300)[0]
            if run.returncode != 0:
                failed += 1
                print(f"pair {pair}: exit code {run.returncode}\n{output}")
    print(f"{pairs} pairs, {failed} runs failed")
    sys.exit(1 if failed else 0)


main()
