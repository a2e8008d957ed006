"""Grade notebooks: learners' cells and answers run in a worker, all verdicts are made here.

Arguments go to the worker one trial at a time, what an answer returned comes back as plain data (wire.py). Expected
values, references, misconceptions and judges never leave this process. A worker that ends, hangs or sends nonsense is
replaced, and the statement that it was at is left out, so that every other question keeps its points.
"""

import atexit
import contextlib
import json
import os
import pickle
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from nnlib.errors import NnlibError
from nnlib.grading import checks, sandbox, wire
from nnlib.grading.compare import kind
from nnlib.grading.examine import NOT_ATTEMPTED, WRONG, Result, examine, whole
from nnlib.grading.forbidden import ANSWERS
from nnlib.grading.guard import ENDED, Outcome

LARGEST = 32 << 20  # bytes of a notebook
FORKS = sys.platform.startswith("linux")  # else a fresh process for each worker: slower, and safe on macOS, too
MOST_WORKERS = 8  # for one notebook
SLACK = 1.5  # seconds that a worker may be late beyond its own limits
NOT_GRADED = "not graded"
PROBE = pickle.dumps((None, ()))  # a trial without a function and arguments
COURSE = Path(__file__).parents[2]
MOST_DRAWS = 100  # questions whose arguments and expected values are kept
_lock, _kept_draws = threading.RLock(), {}


class GraderError(NnlibError):
    """A file or folder that cannot be graded; the message is a sentence for the teacher."""


class WorkerEnded(NnlibError):
    """A worker is gone. how: "late", "full", "spoilt", "broken" (it sent nonsense), or its exit code (256 - signal)."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


@dataclass
class Graded:
    """The points of one notebook.

    questions: a dict for each: question, points, possible, status, case, problem, diagnosis, hint, misconception, note.
    problem: why it, or a part of it, could not be graded; notes: sentences about its cells.
    """

    notebook: str
    learner: str = ""
    set: str = ""
    seed: int = 0
    questions: list = field(default_factory=list)
    problem: str = ""
    notes: list = field(default_factory=list)

    @property
    def points(self):
        """Points earned."""
        return whole(sum(question["points"] for question in self.questions))

    @property
    def possible(self):
        """Points that the set gives."""
        return whole(sum(question["possible"] for question in self.questions))


# Notebooks

def find_notebooks(paths):
    """All notebooks at `paths` (files, or folders at any depth), without checkpoints. Raises GraderError."""
    found = []
    for path in map(Path, paths):
        if not os.path.lexists(path):
            raise GraderError(f"{shown(path)}: there is no such file or folder.")
        inside = [path]
        if path.is_dir():
            inside = sorted(Path(folder, name) for folder, folders, names in os.walk(path) for name in folders + names
                            if name.endswith(".ipynb"))
        inside = [notebook for notebook in inside if ".ipynb_checkpoints" not in notebook.parts]
        if not inside:
            raise GraderError(f"{shown(path)}: the folder holds no notebook (*.ipynb).")
        found += inside
    return list(dict.fromkeys(found))


def shown(path):
    """A path as printable text, whatever bytes its name has."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def read_notebook(path):
    """(name of the exercise set, sources of the code cells). Raises GraderError with the reason."""
    try:
        notebook = json.loads(_read(path).decode("utf-8-sig"))
    except OSError as error:
        raise GraderError(f"cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise GraderError(f"is not JSON, so it is not a notebook ({wire.plain_text(str(error), 80)}).") from None
    try:
        version = notebook.get("nbformat", 4)
        if version != 4:
            raise GraderError(f"is of notebook format {wire.plain_text(str(version), 20)}; format 4 is needed: open it "
                              "in a current Jupyter and save it.")
        cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
        cells = ["".join(source) for source in cells]
        about = notebook.get("metadata") or {}
        language = ((about.get("kernelspec") or {}).get("language") or (about.get("language_info") or {}).get("name")
                    or "python")
    except (TypeError, KeyError, AttributeError):
        raise GraderError("is JSON, but not a notebook of format 4: it has no list of cells.") from None
    if not str(language).lower().startswith(("python", "ipython")):
        raise GraderError(f"is a notebook for {wire.plain_text(str(language), 40)}, not for Python.")
    return find_set(path, cells), cells


def _read(path):
    """The bytes of a regular file of bounded size that lies where it seems to lie. Raises GraderError, OSError."""
    path = Path(path)
    if path.is_symlink() and os.path.dirname(os.path.realpath(path)) != os.path.realpath(path.parent):
        raise GraderError("is a link to a file in another folder, and such links are not followed.")
    place = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(place, "rb") as file:
        about = os.fstat(place)
        if not stat.S_ISREG(about.st_mode):
            raise GraderError("is not a file.")
        if about.st_size > LARGEST:
            raise GraderError(f"is too large: {about.st_size / 2**20:.0f} MiB; the limit is {LARGEST >> 20} MiB. Clear "
                              "its outputs, if those are large.")
        return file.read(LARGEST + 1)


def find_set(path, cells):
    """The set that a notebook asks for by ExerciseSet("..."), else by its file name. Raises GraderError."""
    known = checks.names()
    called = re.findall(r"""ExerciseSet\(\s*["'](\w+)["']""", "\n".join(cells))
    named = re.findall(r"ex\d\d(?!\d)", Path(path).name)
    for name in [*called, *(name for number in named for name in known if name.startswith(number + "_"))]:
        if name in known:
            return name
    if called:
        raise GraderError(f"asks for the unknown exercise set {called[0][:80]!r}; known are {', '.join(known)}.")
    raise GraderError('has no exercise set in it: no ExerciseSet("..."), and no exNN in its file name.')


# Grading

def grade(path, seed=0, timeout=120.0, learner=""):
    """Run and grade one notebook: a Graded; never raises for what the notebook holds.

    timeout: seconds for the whole notebook, of which its cells may use two thirds and one cell a sixth.
    The same submission and seed give the same Graded, unless a limit of time decides.
    """
    graded = Graded(shown(path), learner or shown(Path(path).stem), seed=seed)
    try:
        graded.set, cells = read_notebook(path)
    except GraderError as error:
        graded.problem = str(error)
        return graded
    with _lock, _Session(graded, cells, timeout, Path(path)) as session:
        try:
            session.start()
            for name in session.exercises:
                graded.questions.append(session.question(name))
        except GraderError as error:
            graded.problem = f"not every question could be graded: {error}"
        for exercise in list(session.exercises.values())[len(graded.questions):]:
            graded.questions.append(_described(Result(exercise.name, 0, whole(exercise.points), NOT_GRADED)))
        graded.notes = [session.notes[number] for number in sorted(session.notes)]
    return graded


def _described(result):
    """A question's result as plain data."""
    failing = next((verdict for verdict in result.verdicts if verdict.failure), None)
    return {"question": result.question, "points": result.points, "possible": result.possible, "status": result.status,
            "case": failing.title if failing else "", "inputs": failing.inputs if failing else "",
            "problem": failing.problem if failing else "", "diagnosis": failing.diagnosis if failing else "",
            "hint": result.hint, "misconception": result.misconception, "note": result.note}


def _drawn(exercise, seed):
    """(trials, what the worker gets of each, memo of misconceptions, forbidden names), for all submissions once."""
    key = id(exercise), seed
    if key not in _kept_draws:
        while len(_kept_draws) >= MOST_DRAWS:
            del _kept_draws[next(iter(_kept_draws))]
        _kept_draws[key] = exercise, *_draw(exercise, seed)  # with the exercise, so that its id stays its own
    return _kept_draws[key][1:]


def _draw(exercise, seed):
    import cloudpickle
    trials, modules = exercise.draw(seed), [one for name, one in sys.modules.items()
                                            if name.startswith("nnlib.grading.checks.")]
    for module in modules:  # its functions go by value: the worker has no such module
        cloudpickle.register_pickle_by_value(module)
    try:
        sent = [cloudpickle.dumps((trial.case.call or exercise.call, trial.args)) for trial in trials]
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
    return trials, sent, {}, exercise.forbidden_names()


class _Session:
    """One notebook at work: its workers, one after the other, and what is known of its cells."""

    def __init__(self, graded, cells, timeout, path):
        self.exercises, self.seed = checks.load(graded.set), graded.seed
        self.cells, self.timeout, self.cells_left, self.end = cells, timeout, timeout * 2 / 3, None
        hidden = [COURSE / "solutions", COURSE / "exercises", COURSE / "tests", COURSE / "nnlib" / "grading",
                  COURSE / ".git", COURSE / ".grading", path.absolute().parent]
        hidden += [place for place in os.environ.get("NNLIB_CHECKS", "").split(os.pathsep) if place]
        self.hidden = [str(place) for place in hidden]
        self.notes, self.stops, self.workers, self.worker, self.asked = {}, {}, 0, None, None
        self.probe = None  # None: not yet needed; True: look after every statement whether answers can be tried

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.worker:
            self.worker.end()

    def start(self):
        """Run the cells in a new worker; where one ends it, again without the rest of that cell. Raises GraderError."""
        while True:
            self.workers += 1
            if self.workers > MOST_WORKERS:
                raise GraderError(f"its process ended {MOST_WORKERS} times.")
            if self.cells_left <= 0:
                raise GraderError(f"its cells took more than {self.timeout * 2 / 3:g} s.")
            self.worker = _new_worker({"hidden": self.hidden, "seconds": self.timeout})
            place, began = [0, 0], time.monotonic()
            self.end = self.end or began + self.timeout
            try:
                self._run_cells(place)
                return
            except WorkerEnded as error:
                how, self.worker = self.worker.end(error.how), None
                began += SLACK if how == "late" else 0
                if how == "lost":  # the zygote: no cell is to blame
                    continue
                if place[0] == 0:
                    raise GraderError(f"its process could not begin ({_words(how)}).") from None
                self.stops[place[0]] = min(place[1], self.stops.get(place[0], place[1]))
                self.notes[place[0]] = (f"Cell {place[0]} {_words(how)}: what follows in this cell was left out.")
            finally:
                self.cells_left -= time.monotonic() - began

    def _run_cells(self, place):
        """Follow the worker through the cells; `place` is where it is: [cell, statement]."""
        seconds = self.timeout / 6
        cells = [[cell, self.stops.get(number)] for number, cell in enumerate(self.cells, 1)]
        self.worker.tell({"cells": json.dumps(cells).encode(), "seconds": seconds, "total": self.cells_left,
                          "probe": self.probe is True})
        what = ""
        while True:
            try:
                event = self.worker.hear(min(seconds, self.cells_left) + SLACK)
            except WorkerEnded:
                if what == "probe":
                    raise WorkerEnded("spoilt") from None
                raise
            if not (type(event) is list and len(event) == 3 and type(event[1]) is int and 0 <= event[1] <= len(cells)):
                raise WorkerEnded("broken")
            what, number, detail = event
            if what == "ran":
                return self.worker.relax()
            if what == "begin" and type(detail) is int and 0 <= detail < 100_000 and number:
                place[:] = number, detail
            elif what == "late":
                self.notes[number] = f"Cell {number} was interrupted after {seconds:g} s."
                self.stops[number] = place[1]  # another worker need not wait for it again
            elif what == "probe" and self.probe:
                about = {"name": "", "wants_value": True, "given": True, "forbidden": []}
                self.worker.tell({"question": about, "seconds": 1.0})
                self.worker.tell({"trial": PROBE, "seconds": 1.0, "last": True})
            elif what == "full":
                raise WorkerEnded("full")
            elif what == "error":
                self.notes[number] = f"Cell {number} stopped with {wire.plain_text(detail)}."
            else:
                raise WorkerEnded("broken")

    def ask(self, message, seconds):
        """The worker's reply, a dict; {"died": how} where there is none. Raises GraderError when the time is over."""
        if time.monotonic() > self.end:
            raise GraderError(f"the time limit of {self.timeout:g} s has passed.")
        if "question" in message:
            self.asked = message
        for _ in range(3):
            try:
                if self.worker is None:
                    self.start()
                    if message is not self.asked:
                        self.worker.exchange(self.asked, self.asked["seconds"] + SLACK)
                reply = self.worker.exchange(message, seconds + SLACK)
                reply = reply if type(reply) is dict else {"died": "broken"}
            except WorkerEnded as error:
                reply, self.worker = {"died": self.worker.end(error.how)}, None
            if reply.get("died") == "lost":  # the zygote, for a reason that is not the answer's
                continue
            if "died" not in reply or self.probe is not None or reply["died"] == "late" and "trial" in message:
                break
            if self.worker:
                self.worker.end()
            self.worker, self.probe = None, True  # was it the answer, or a cell that spoilt the process?
        if self.probe:
            self.probe = False  # once is enough
        return reply

    def question(self, name):
        """The graded question, a dict. Raises GraderError."""
        result = self._try(self.exercises[name], given=False)
        if result.status == NOT_ATTEMPTED:  # a stub stands, but check("name", other) names another answer
            second = self._try(self.exercises[name], given=True)
            result = result if second.status == NOT_ATTEMPTED else second
        return _described(result)

    def _try(self, exercise, given):
        trials, sent, memo, forbidden = _drawn(exercise, self.seed)
        limit, final = min(exercise.time_limit, self.timeout / 12), None
        about = {"name": exercise.name, "wants_value": exercise.wants_value, "given": given, "forbidden": forbidden}
        reply = self.ask({"question": about, "seconds": 1.0}, 1.0)
        result = Result(exercise.name, possible=whole(exercise.points))
        if not reply.get("found") and "died" not in reply:
            return result
        if "died" in reply or not exercise.wants_value and reply.get("callable") is not True:
            result.status = WRONG
            result.note = (f"Your answer {_words(reply['died'])}." if "died" in reply else
                           f"Your answer {wire.plain_text(reply['refused'])}." if "refused" in reply else
                           f"Expected a function or class, got {kind(reply.get('value'))}.")
            return result

        def runner(index):
            nonlocal limit, final
            if final:
                return final
            last = index == len(trials) - 1
            reply = self.ask({"trial": sent[index], "seconds": limit, "last": last}, limit)
            outcome = _outcome(reply, forbidden)
            if outcome.raised == "TimeUp":
                outcome.message, limit = f"{limit:g}", min(limit / 2, 1.0)
            if "died" in reply and not FORKS:
                final = outcome  # the next trial would cost a whole process, and the cells again
            return outcome

        def answer():
            """Stands for the learner's function, of which only the name has crossed."""
        answer.__name__ = wire.plain_text(reply.get("name"), 80) or exercise.name
        return examine(exercise, answer, trials, memo, runner)


def _outcome(reply, forbidden=()):
    """The Outcome in a worker's reply, nothing of which is trusted."""
    if "died" in reply:
        how = reply["died"]
        if how == "late":
            return Outcome(raised="TimeUp")
        return Outcome(raised=ENDED, message=f"your answer {_words(how)}")
    if "refused" in reply:
        return Outcome(raised=ENDED, message=f"your answer {wire.plain_text(reply['refused'])}")
    if reply.get("forbidden") in (*forbidden, ANSWERS):
        return Outcome(raised="Forbidden", message=reply["forbidden"])
    texts = {name: wire.plain_text(reply.get(name)) for name in ("message", "line", "inside", "warning", "printed")}
    raised = re.sub(r"\W", "", wire.plain_text(reply.get("raised"), 60)).replace("Forbidden", "Forbidden_")
    return Outcome(reply.get("value"), raised, changed=reply.get("changed") is True, **texts)


def _words(how):
    """How a process ended, after a subject."""
    said = {"late": "did not end in time", "full": "filled the memory", "broken": "wrote to the grader's channel",
            "spoilt": "spoilt its process"}
    if type(how) is not int:
        return said.get(str(how), "ended its process")
    number = -how if how < 0 else 256 - how if how > 191 else 0
    with contextlib.suppress(ValueError):
        return f"was killed ({signal.Signals(number).name})" if number else f"ended its process with exit code {how}"
    return "was killed"


# Workers

class _Worker:
    """The grader's end of one worker: frames to and from it, each within a time. Every method raises WorkerEnded."""

    def __init__(self, order):
        self.scratch = tempfile.mkdtemp(prefix="nnlib-grading-")
        self.order = {**order, "scratch": self.scratch, "layers": list(sandbox.available()), "forks": FORKS,
                      "memory": sandbox.MEMORY}

    def tell(self, value, seconds=60.0):
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
        """Send a value and wait for the reply."""
        self.tell(value, seconds)
        return self.hear(seconds)

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
        self.tell(self.order)

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


def _new_worker(order):
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


def table(graded):
    """The points of one notebook as lines of text."""
    total = f"   {graded.set}   {graded.points} / {graded.possible} points" if graded.set else ""
    lines = [graded.notebook + total]
    width = max((len(question["question"]) for question in graded.questions), default=0)
    for question in graded.questions:
        known = f" ({question['misconception']})" if question.get("misconception") else ""
        points = f"{question['points']:>4} / {question['possible']:<4}"
        lines.append(f"  {question['question']:<{width}}  {points} {question['status']}{known}")
    return "\n".join(lines + [f"  {graded.problem}"] * bool(graded.problem))
