# Lets `tradewind exec` ask a Python process where it is. It comes first in PYTHONPATH and goes on with the
# sitecustomize that would have been imported without it; `--no-python` leaves it out.
#
# SIGRTMIN+3: faulthandler writes the frames of all threads to rank-N.frames. Its handler needs no interpreter lock. It
# does so, too, when the process crashes, unless the program has it write elsewhere.
# SIGRTMIN+4: a thread, which starts when torch.distributed is imported, writes what its flight recorder holds to
# rank-N.flight. So does a process that leaves: others may ask why.
import os
import sys


def _answer_with_frames(folder, rank):
    import faulthandler
    import fcntl
    import resource
    import signal

    path = os.path.join(folder, "rank-" + rank + ".frames")
    low = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # High up, so that a program which closes what it has inherited does not get another file under this number.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    file = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, max(3, min(900, limit - 16)))
    os.close(low)
    faulthandler.register(signal.SIGRTMIN + 3, file=file, all_threads=True, chain=False)
    if not faulthandler.is_enabled():
        faulthandler.enable(file=file, all_threads=True)


def _dump():
    torch = sys.modules.get("torch")
    recorder = getattr(getattr(torch, "_C", None), "_distributed_c10d", None)
    best = None
    for name in ("_dump_fr_trace_json", "_dump_nccl_trace_json"):
        dump = getattr(recorder, name, None)
        if dump is None:
            continue
        text = dump()
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        if best is None or ('"collective_seq_id"' in text and '"collective_seq_id"' not in best):
            best = text
    return best


def _write_record(folder, rank, if_empty):
    try:
        text = _dump()
        if text is None or not (if_empty or '"collective_seq_id"' in text):
            return
        path = os.path.join(folder, "rank-" + rank + ".flight")
        own = path + "." + str(os.getpid())
        with open(own, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(own, path)
    except Exception:
        pass


def _serve_record(folder, rank, leaving, written):
    import signal

    while True:
        signal.sigwait({signal.SIGRTMIN + 4})
        _write_record(folder, rank, not leaving.is_set())
        written.set()


# By the same thread, which is not waited for when something of torch holds it up.
def _leave(thread, pid, leaving, written):
    import signal

    if os.getpid() != pid or not thread.is_alive():
        return
    leaving.set()
    written.clear()
    signal.pthread_kill(thread.ident, signal.SIGRTMIN + 4)
    written.wait(2)


def _start_serving(folder, rank):
    import atexit
    import threading

    leaving, written = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=_serve_record, args=(folder, rank, leaving, written), name="tradewind", daemon=True
    )
    thread.start()
    atexit.register(_leave, thread, os.getpid(), leaving, written)


# Other processes are left without a thread: Python warns of a fork beside one.
class _OnDistributed:
    def __init__(self, folder, rank):
        self.place = folder, rank

    def find_spec(self, name, path=None, target=None):
        if name == "torch.distributed" and self in sys.meta_path:
            sys.meta_path.remove(self)
            try:
                _start_serving(*self.place)
            except Exception:
                pass
        return None


def _answer_with_record(folder, rank):
    import signal

    # Before any other thread is there: all of them inherit it, and only sigwait takes the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN + 4})
    sys.meta_path.insert(0, _OnDistributed(folder, rank))


def _go_on():
    import importlib.machinery
    import importlib.util

    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _begin():
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or ".") != own]
    folder, rank = os.environ.get("TRADEWIND_EVIDENCE"), os.environ.get("RANK")
    if folder and rank and rank.isdigit():
        for answer in (_answer_with_frames, _answer_with_record):
            try:
                answer(folder, rank)
            except Exception:
                pass
    _go_on()


_begin()
