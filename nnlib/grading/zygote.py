"""The process from which workers are forked: everything imported, nothing known of checks, references or seeds.

python -P zygote.py NUMBER    takes orders from the socket with this file descriptor, a worker for each
python -P zygote.py           becomes a worker itself; orders and frames come by standard input and output
Here `nnlib.grading` is a stub whose ExerciseSet only records; its real modules cannot be imported once a worker runs.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
import types
from pathlib import Path

PRELOADED = ("numpy", "nnlib", "matplotlib.pyplot", "sklearn.datasets", "scipy.special", "cloudpickle",
             "IPython.core.inputtransformer2", "IPython.display")


def preload():
    """(worker, wire, sandbox): what learners' notebooks import, and the few modules of the grader that run here."""
    package = sys.modules["nnlib.grading"] = types.ModuleType("nnlib.grading")
    package.course_progress = dict  # the course map asks for it
    import nnlib
    for name in [*PRELOADED, *(found.name for found in pkgutil.walk_packages(nnlib.__path__, "nnlib."))]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    package.__path__ = [str(Path(__file__).parent)]
    own = [importlib.import_module(f"nnlib.grading.{name}") for name in ("worker", "wire", "sandbox")]
    for name in [name for name in sys.modules if name.startswith("nnlib.grading")]:
        del sys.modules[name]
    sys.modules["nnlib.grading"] = sys.modules["nnlib"].grading = own[0].stub()
    sys.stdin = open(os.devnull, encoding="utf-8")
    return own


def main():
    """Fork a worker for every order, until the other side has gone."""
    if len(sys.argv) < 2:
        return alone()
    worker, wire, sandbox = preload()
    control = socket.socket(fileno=int(sys.argv[1]))
    sandbox.adopt_orphans()
    gc.collect()
    gc.freeze()
    control.send(b"ready")
    running = scratch = None
    while True:
        message, places, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not message:
            end(running, 0)
            with contextlib.suppress(OSError, TypeError):  # the grader was killed, else it does this itself
                os.rmdir(scratch)
            return None
        order = json.loads(message)
        if "grace" in order:
            control.send(json.dumps(end(running, order["grace"])).encode())
            running = None
            continue
        scratch = order["scratch"]
        running = os.fork()
        if not running:
            control.close()
            start(worker, sandbox, order, places[0])
        os.close(places[0])


def alone():
    """Be the only worker of this process."""
    worker, wire, sandbox = preload()
    place = os.dup(0), os.dup(1)
    order = wire.unpack(wire.receive(place[0]))
    be_worker(worker, sandbox, order, *place)


def start(worker, sandbox, order, place):
    """In a fork: become the worker, or in namespaces the ancestor of one; never returns."""
    code = 1
    try:
        sandbox.end_with_parent()
        if "namespaces" in order["layers"]:
            sandbox.isolate(order["scratch"])
            sandbox.end_with_parent()
            for _ in range(2):  # the first is process 1 of the namespace: when it ends, all in it end
                child = os.fork()
                if child:
                    os.close(place)
                    code = wait(child)
                    return
                sandbox.end_with_parent()
            sandbox.give_up_rights()
        be_worker(worker, sandbox, order, place, place)
    finally:
        os._exit(code)


def be_worker(worker, sandbox, order, source, sink):
    """Put everything on that holds a worker, and run the notebook."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in 0, 1, 2:
        os.dup2(nothing, stream)
    os.close(nothing)
    sandbox.move_in(order["scratch"])
    readable = sandbox.readable(order["hidden"])
    if "limits" in order["layers"]:
        sandbox.limit(order["seconds"], order["memory"])
    if "landlock" in order["layers"]:
        sandbox.confine(order["scratch"], readable)
    sandbox.hook(order["scratch"], readable, (worker.fork_child.__code__, worker.end_child.__code__))
    worker.main(source, sink, order["hidden"], order["forks"])


def wait(child):
    """Wait for a child, and for the orphans that process 1 inherits meanwhile; the child's exit code."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status) % 256


def end(first, grace):
    """Kill the worker `first`, `grace` seconds from now at the latest, and all its descendants; its exit code."""
    if first is None:
        return 0
    code, deadline = None, time.monotonic() + grace
    while code is None and time.monotonic() < deadline:
        pid, status = os.waitpid(first, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status) % 256
        else:
            time.sleep(0.001)
    if code is None:
        os.kill(first, signal.SIGKILL)
    while True:
        with contextlib.suppress(ChildProcessError):
            pid = os.waitpid(-1, os.WNOHANG)[0]
            if not pid:
                for orphan in children():
                    with contextlib.suppress(OSError):
                        os.kill(orphan, signal.SIGKILL)
                time.sleep(0.001)
            continue
        return code if code is not None else 256 - signal.SIGKILL


def children():
    """The processes whose parent is this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(folder.name))
    return found


if __name__ == "__main__":
    main()
