"""The processes that learners' code runs in, from the grader's side: started, asked within a time, ended, replaced.

On Linux a zygote (zygote.py), which is started once, forks a worker (worker.py) for each notebook; elsewhere each
worker is a process of its own, which is slower, and safe on macOS, too.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from nnlib.errors import NnlibError
from nnlib.grading import sandbox, wire
from nnlib.grading.notebooks import GraderError

FORKS = sys.platform.startswith("linux")
COURSE = Path(__file__).parents[2]
NO_PROCESSES = ("learners' cells run in processes of their own, and Python in a browser has none; grade on a machine "
                "with Python. In a notebook check(...) works here, too.") if sys.platform == "emscripten" else ""


class WorkerEnded(NnlibError):
    """A worker is gone. how: "late", "full", "spoilt", "broken" (it sent nonsense), or its exit code (256 - signal)."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


def words_for(how):
    """How a process ended, after a subject."""
    said = {"late": "did not end in time", "full": "filled the memory", "broken": "wrote to the grader's channel",
            "spoilt": "spoilt its process"}
    if type(how) is not int:
        return said.get(str(how), "ended its process")
    number = -how if how < 0 else 256 - how if how > 191 else 0
    with contextlib.suppress(ValueError):
        return f"was killed ({signal.Signals(number).name})" if number else f"ended its process with exit code {how}"
    return "was killed"


class _Worker:
    """The grader's end of one worker: frames to and from it, each within a time. Every method raises WorkerEnded."""

    def __init__(self, order):
        self.scratch = tempfile.mkdtemp(prefix="nnlib-grading-")
        self.order = {**order, "scratch": self.scratch, "layers": list(sandbox.available()), "forks": FORKS,
                      "memory": sandbox.MEMORY}

    def tell(self, value, seconds):
        """Send a value."""
        with self._watched(seconds):
            wire.send(self.sink, wire.pack(value))

    def hear(self, seconds):
        """The next value that it sends."""
        with self._watched(seconds):
            frame = wire.receive(self.source)
        name = os.path.basename(self.scratch).encode()  # in messages it would differ each time
        frame = frame.replace(name, b"nnlib-grading-".ljust(len(name), b"x"))
        try:
            return wire.unpack(frame)
        except wire.WireError:
            raise WorkerEnded("broken") from None

    def exchange(self, value, seconds):
        """Send a value and wait for the reply, both within `seconds`."""
        end = time.monotonic() + seconds
        self.tell(value, seconds)
        return self.hear(max(end - time.monotonic(), 1e-3))

    @contextlib.contextmanager
    def _watched(self, seconds):
        late = threading.Event()

        def stop():
            late.set()
            self.stop()
        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        except wire.WireError:
            raise WorkerEnded("broken") from None
        except (OSError, EOFError):
            raise WorkerEnded("late" if late.is_set() else "ended") from None
        finally:
            timer.cancel()

    def relax(self):
        """The cells have run: leave room for the processes that try the answers."""

    def end(self, how="late"):
        """Leave nothing behind; returns `how`, or the exit code of a worker that has "ended"."""
        try:
            code = self.reap(1.0 if how == "ended" else 0)
        finally:
            remove(self.scratch)
        return code if how == "ended" or code == "lost" else how


class _Forked(_Worker):
    """A worker forked from the zygote."""

    def __init__(self, order):
        super().__init__(order)
        self.ours, theirs = socket.socketpair()
        try:
            self.zygote = _zygote()
            self.zygote.order(self.order, theirs)
        except BaseException:
            self.ours.close()
            remove(self.scratch)
            raise
        finally:
            theirs.close()
        self.source = self.sink = self.ours.fileno()

    def stop(self):
        with contextlib.suppress(OSError):
            self.ours.shutdown(socket.SHUT_RDWR)

    def relax(self):
        if self.zygote.tasks:
            self.zygote.tasks.limit(sandbox.TASKS + 16)

    def reap(self, grace):
        self.stop()
        self.ours.close()
        return self.zygote.reap(grace)


class _Fresh(_Worker):
    """A worker that is a process of its own, for systems where forking is not safe or not there."""

    def __init__(self, order):
        super().__init__(order)
        self.process = subprocess.Popen(_command(), cwd=self.scratch, env=_environment(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        self.source, self.sink = self.process.stdout.fileno(), self.process.stdin.fileno()
        self.tell(self.order, 60.0)

    def stop(self):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL) if hasattr(os, "killpg") else self.process.kill()

    def reap(self, grace):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace or 1e-3)
        self.stop()
        code = self.process.wait()
        for pipe in self.process.stdin, self.process.stdout:
            with contextlib.suppress(OSError):
                pipe.close()
        return code


class _Zygote:
    """The process from which workers are forked, one at a time."""

    def __init__(self):
        self.pid = os.getpid()
        self.control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.tasks = sandbox.Tasks.make() if "tasks" in sandbox.available() else None
        self.errors = tempfile.TemporaryFile()
        with theirs:
            self.process = subprocess.Popen([*_command(), str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd="/",
                                            env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=self.errors, start_new_session=True)
        try:
            if self.tasks:
                self.tasks.add(self.process.pid)
            self._hear(60)
        except (OSError, EOFError):
            self.errors.seek(0)
            said = self.errors.read()[-2000:].decode(errors="replace").strip().splitlines() or ["it says nothing"]
            self.close()
            raise GraderError(f"Python could not be started for it ({wire.plain_text(said[-1])}).") from None

    def order(self, order, place):
        """Fork a worker that has the socket `place`. Raises OSError."""
        if self.tasks:
            self.tasks.limit(sandbox.TASKS)
        socket.send_fds(self.control, [json.dumps(order).encode()], [place.fileno()])

    def reap(self, grace):
        """End the worker and all its descendants; its exit code."""
        try:
            self.control.send(json.dumps({"grace": grace}).encode())
            return json.loads(self._hear(30))
        except (OSError, EOFError):
            self.close()
            return "lost"

    def _hear(self, seconds):
        self.control.settimeout(seconds)
        message = self.control.recv(1 << 16)
        if not message:
            raise EOFError
        return message

    def alive(self):
        """Whether it runs, and for this process."""
        return self.pid == os.getpid() and self.process.poll() is None and self.control.fileno() >= 0

    def close(self):
        """End it; its worker, if there is one, ends with it."""
        self.control.close()
        if self.pid != os.getpid():
            return
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        if self.tasks:
            self.tasks.remove()


def _zygote():
    """The zygote of this process, started where there is none. Raises GraderError where it cannot start."""
    global _kept
    if _kept is None or not _kept.alive():
        close()
        _kept = _Zygote()
    return _kept


def close():
    """End the zygote; grading starts another one."""
    global _kept
    if _kept is not None:
        _kept.close()
        _kept = None


_kept = None
atexit.register(close)


def new_worker(order):
    """A worker that is ready for its cells. Raises GraderError."""
    for _ in range(3):
        with contextlib.suppress(OSError, WorkerEnded):
            return (_Forked if FORKS else _Fresh)(order)
    raise GraderError("the process that runs notebooks could not be started.")


def _command():
    return [sys.executable, "-P", str(Path(__file__).with_name("zygote.py"))]


def _environment():
    environment = sandbox.clean_environment()
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(COURSE), environment.get("PYTHONPATH")]))
    return environment


def remove(folder):
    """Remove a folder, however deeply it is nested and whatever rights its parts have."""
    number = 0
    with contextlib.suppress(OSError):
        while entries := list(os.scandir(folder)):  # without recursion: what lies deep is moved up first
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.path, 0o700)
                    for inner in list(os.scandir(entry.path)):
                        number += 1
                        os.rename(inner.path, os.path.join(folder, f".{number}"))
                    os.rmdir(entry.path)
                else:
                    os.unlink(entry.path)
        os.rmdir(folder)
