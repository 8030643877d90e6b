#!/usr/bin/env python3
"""Writes dumps/nccl-*: what the flight recorder of NCCL leaves on four ranks, whose layout is that of Gloo's with more in it.
No GPU is needed: keys and their order are those of torch/csrc/distributed/c10d/FlightRecorder.cpp of torch 2.7 (version
2.4) and of FlightRecorderDetail.hpp of 2.10 and 2.15 (2.10), the bytes those of torch's pickler, which is checked on the dumps
that torch has written.

    make_dumps.py            writes them
    make_dumps.py --check    compares them with what lies there
"""
import pickle
import sys
from pathlib import Path

from torch_pickle import dumps_of

HERE = Path(__file__).resolve().parent / "dumps"
BEGIN = 1_796_000_000_000_000_000
RANKS = 4


def frames_of(step, frames):
    """The stack of a collective; its frames are shared between the entries that have passed them."""
    names = [("all_reduce", "distributed_c10d.py", 2810), (f"stage_{step % 40}", f"model/stage_{step % 40}.py", 10 + step % 40),
             ("main", "train.py", 60)]
    return [frames.setdefault(name, {"name": name[0], "filename": name[1], "line": name[2]}) for name in names]


def entry(generation, number, sequence, name, sizes, outputs=None, dtype="BFloat16", state="completed", retired=None, pairs=0,
          is_p2p=False, frames=None, group=(0, "0", "default_pg")):
    created = BEGIN + 1_000_000 * number
    done = state == "completed"
    one = {"frames": frames_of(number, frames), "record_id": number, "pg_id": group[0], "process_group": group[1:]}
    if generation == "2.10":
        one |= {"thread_name": "python", "thread_id": "140312460704640"}
    one |= {"collective_seq_id": sequence, "p2p_seq_id": pairs, "op_id": number + 1, "profiling_name": name,
            "time_created_ns": created}
    if done:
        one["duration_ms"] = 0.25 + number / 64
    one |= {"input_sizes": sizes, "input_dtypes": [dtype] * len(sizes), "output_sizes": outputs or sizes,
            "output_dtypes": [dtype] * len(outputs or sizes), "state": state,
            "time_discovered_started_ns": None if state == "scheduled" else created + 1000,
            "time_discovered_completed_ns": created + 2000 if done else None,
            "retired": done if retired is None else retired, "timeout_ms": 600_000, "is_p2p": is_p2p}
    return one


def entries_of(generation, case, rank, frames):
    entries = []

    def add(sequence, name, sizes, **more):
        entries.append(entry(generation, len(entries), sequence, name, sizes, frames=frames, **more))

    for step in range(1, 49):
        add(step, "nccl:all_reduce", [[1024, 768]])
    # Single operations of a group that is launched as one are never seen to start; they carry its number.
    for _ in range(3):
        add(49, "nccl:all_gather_into_tensor_coalesced", [[256]], outputs=[[1024]], state="scheduled", retired=False)
    add(49, "nccl:coalesced", [])
    add(49, "nccl:send 0->1" if rank == 0 else "nccl:recv 1<-0", [[16]], pairs=1, is_p2p=True)
    add(50, "nccl:scatter", [[8]] * RANKS if rank == 0 else [], outputs=[[8]])
    last = 51
    if case == "missing" and rank == 2:
        return entries
    if case == "shape" and rank == 2:
        add(last, "nccl:_all_gather_base", [[257]], outputs=[[1028]], state="started")
    elif case == "timeout" and rank == 2:
        return entries[:-1]
    else:
        # By its watchdog given up, which is not the same as done.
        add(last, "nccl:_all_gather_base", [[256]], outputs=[[1024]], state="started", retired=case == "timeout")
    return entries


def dump_of(generation, case, rank):
    frames = {}
    entries = entries_of(generation, case, rank, frames)
    newest = max(one["collective_seq_id"] for one in entries)
    completed = max(one["collective_seq_id"] for one in entries if one["state"] == "completed")
    dump = {"version": generation, "pg_config": {"0": {"name": "0", "desc": "default_pg", "ranks": "[0, 1, 2, 3]"}}}
    if generation == "2.10":
        dump["comm_lib_version"] = "2.27.5"
    dump |= {"pg_status": {"0": {"last_enqueued_collective": newest, "last_started_collective": newest,
                                 "last_completed_collective": completed}},
             "entries": entries,
             "nccl_comm_state": {"0x7f10a40": {"id": "0x7f10a40", "rank": str(rank), "nranks": "4", "Abort": "0"}}}
    return dumps_of(dump, frames.values())


def main():
    check, failed = "--check" in sys.argv[1:], False
    for path in sorted(HERE.glob("2.*/*/*_rank_*")):
        whole = path.read_bytes()
        if dumps_of(pickle.loads(whole)) != whole:
            sys.exit(f"{path}: not what torch_pickle.py writes")
    for generation in ("2.4", "2.10"):
        for case in ("missing", "shape", "timeout"):
            folder = HERE / f"nccl-{generation}" / case
            for rank in range(RANKS):
                path, dump = folder / f"nccl_trace_rank_{rank}", dump_of(generation, case, rank)
                if check:
                    failed = failed or path.read_bytes() != dump
                else:
                    folder.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(dump)
    sys.exit("the dumps are not those of this script" if failed else 0)


main()
