"""In the worker: run a learner's cells, then try the answers on arguments that the grader sends, one at a time.

No verdict is made here and no expected value is known. Each question is tried in a child of its own, where the system
can fork; what the child answers passes through as it is. Every name that is needed after a learner's cell has run is
bound at import.
"""

import builtins
import json
import linecache
import os
import pickle
import select
import signal
import sys
import time
import types
from ast import Module, parse
from codeop import Compile
from functools import partial

from nnlib.grading import guard, sandbox, wire
from nnlib.grading.compare import changed
from nnlib.grading.forbidden import forbidden_in, poisoned
from nnlib.grading.guard import TOO_LARGE, TimeUp, run, time_limit

GRACE = 0.5  # seconds from an interrupt that is not heeded to the end of the process
ORIGINAL, restore, Everything = dict(vars(builtins)), vars(builtins).update, BaseException
clock, close, kill, leave, pipe, wait = time.monotonic, os.close, os.kill, os._exit, os.pipe, os.waitpid
ready, unpickle = select.select, pickle.loads
fork, SIGKILL = getattr(os, "fork", None), getattr(signal, "SIGKILL", None)  # Windows has neither, and needs neither
unblock = getattr(os, "set_blocking", lambda *_: None)
has_room, all_memory = sandbox.has_room, sandbox.all_memory
receive, send, pack, unpack, WireError = wire.receive, wire.send, wire.pack, wire.unpack, wire.WireError


class Recorder:
    """Stands in for ExerciseSet: the learner's check cells give no points here, but name what to grade."""

    answers: dict = {}

    def __init__(self, name):
        self.name, self.best = name, {}

    def __call__(self, answer, *value):
        name = answer if isinstance(answer, str) else getattr(answer, "__name__", "")
        self.answers[name] = value[0] if value else answer
        return 0

    def progress(self):
        """Nothing to display."""


class Shell:
    """Stands in for IPython's shell: magics do nothing, except that the code of a timed one runs."""

    def __init__(self, execute):
        self.execute = execute

    def run_line_magic(self, name, line, *_, **__):
        if name == "time":
            self.execute(line)

    def run_cell_magic(self, name, line, cell):
        if name in ("time", "timeit", "capture", "prun"):
            self.execute(cell)

    def __getattr__(self, name):
        return lambda *args, **options: None


def stub():
    """The module that learners import as nnlib.grading."""
    module = types.ModuleType("nnlib.grading", "Exercises; in a graded notebook, `check` only takes answers in.")
    module.ExerciseSet, module.course_progress = Recorder, dict
    return module


def run_cells(job, tell, probe=None):
    """Execute the cells in order, each within its time, whatever fails; returns the namespace they leave.

    job: "cells", a list of (source, statement before which the cell ends, or None); "seconds" for one cell and
    "total" for all. tell(event, cell, detail): "begin" with the number of a statement; "late", "full", "error".
    probe(names, cell, statement): called after every statement, where given.
    """
    from IPython.core.inputtransformer2 import TransformerManager
    from IPython.display import display
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    names, compiler, end = vars(module), Compile(), clock() + job["total"]
    names.update(display=display, get_ipython=lambda: Shell(lambda code: exec(code, names)))
    names["__builtins__"] = builtins

    def run_cell(number, cell, last):
        source, place = TransformerManager().transform_cell(cell), f"<cell {number}>"
        linecache.cache[place] = len(source), None, source.splitlines(keepends=True), place
        statements = parse(source, place).body
        codes = [compiler(Module([statement], []), place, "exec") for statement in statements]
        for index, code in enumerate(codes[:last]):
            if index:
                tell("begin", number, index)
            try:
                exec(code, names)
            finally:
                restore(ORIGINAL)
            if not has_room():
                raise MemoryError
            if probe:
                probe(names, number, index)

    for number, (cell, last) in enumerate(job["cells"], 1):
        seconds = min(job["seconds"], end - clock())
        if last == 0 or seconds <= 0:
            continue
        try:
            tell("begin", number, 0)
            with time_limit(seconds):
                run_cell(number, cell, last)
        except TimeUp:
            event = "late", ""
        except Everything as error:  # whatever a learner's cell does, the next one gets its chance
            event = ("error", describe(error)) if has_room() else ("full", all_memory())
        else:
            continue
        tell(event[0], number, event[1])
    return names


def describe(error):
    """An exception's class and message, as plain text."""
    outcome = run(partial(_raise, error), limit=1.0)
    return ": ".join(filter(None, (wire.plain_text(outcome.raised, 60), wire.plain_text(outcome.message, 120))))


def _raise(error):
    raise error


def find_answer(question, names):
    """(is there one, the learner's answer): the notebook's name for it, else what its last check was given.

    A question for a method, "Value.__add__", is answered by the class.
    """
    name, wants_value = question["name"], question["wants_value"]
    answer = None if question["given"] else names.get(name.partition(".")[0])
    if answer is None or callable(answer) == wants_value:
        answer = Recorder.answers.get(name)
    return answer is not None and answer is not ..., answer


def serve(source, sink, names):
    """Answer "question" and "trial" messages until the other side ends."""
    question, answer, found = {}, None, False
    while True:
        message = unpack(receive(source))
        if "question" in message:
            question = message["question"]
            found, answer = find_answer(question, names)
            reply = {"found": found, "callable": callable(answer), "value": None}
            reply["name"] = wire.plain_text(getattr(answer, "__name__", ""), 80) if callable(answer) else ""
            send(sink, _packed(reply, "value", None if callable(answer) else answer, message["seconds"]))
        else:
            send(sink, try_answer(message, answer, question))


def try_answer(message, answer, question):
    """The frame of the Outcome of one trial, with "forbidden", the name of what the answer must not call."""
    call, args = unpickle(message["trial"])
    _, before = unpickle(message["trial"])
    function = partial(call, answer) if call else partial(_value, answer) if question["wants_value"] else answer
    with poisoned(question["forbidden"]) as called:
        outcome = run(function, *args, limit=message["seconds"])
    if message["last"] and not called:  # by then all that it imports is imported
        called.append(forbidden_in(answer, question["forbidden"]))
    fields = {**vars(outcome), "changed": changed(before, args), "forbidden": called[0] if called else None}
    return _packed(fields, "value", outcome.value, 1.0)


def _value(answer):
    return answer


def _packed(fields, name, value, seconds):
    """The frame of `fields` with fields[name] = value; where that cannot be sent, the sentence why."""
    try:
        with time_limit(seconds):
            return pack({**fields, name: value})
    except WireError as error:
        said = str(error)
    except (TimeUp, MemoryError, RecursionError):
        said = TOO_LARGE
    return pack({**fields, name: None, "refused": said})


def fork_child(names, channel):
    """(pid, place to write to, place to read from) of a child for one question, without the grader's channel."""
    inner_source, outer_sink = pipe()
    outer_source, inner_sink = pipe()
    pid = fork()
    if not pid:
        try:
            for place in (outer_sink, outer_source, *channel):
                close(place)
            all_memory()
            serve(inner_source, inner_sink, names)
        finally:
            leave(0)
    close(inner_source)
    close(inner_sink)
    return pid, outer_sink, outer_source


def relay(source, sink, names):
    """Pass the grader's messages to a child, a new one for each question, and its replies back.

    A child that does not reply in time, or that ends, is replaced; the grader is told how it ended.
    """
    child, question = None, b""
    while True:
        frame = receive(source)
        message = unpack(frame)
        try:
            if "question" in message:
                question = frame
                end_child(child)
                child = None
            if child is None:
                child = fork_child(names, {source, sink})
                if frame is not question:
                    ask(child, question, message["seconds"])
            reply = ask(child, frame, message["seconds"])
        except (OSError, EOFError, WireError, TimeoutError) as error:
            late = type(error) is TimeoutError
            status = end_child(child, report=True) if child else None
            child, reply = None, pack({"died": "late" if late else status if type(error) is EOFError else "broken"})
        send(sink, reply)


def ask(child, frame, seconds):
    """The child's reply to a frame. Raises TimeoutError, EOFError, OSError, WireError."""
    _, outer_sink, outer_source = child
    send(outer_sink, frame)
    if not ready([outer_source], [], [], seconds + GRACE)[0]:
        raise TimeoutError
    return receive(outer_source)


def probing(source, sink, forks):
    """A probe for run_cells: try a question as they will be tried; where that fails, the last statement is to blame."""
    def probe(names, *place):
        child = None
        try:
            send(sink, pack(["probe", *place]))
            child = fork_child(names, {source, sink}) if forks else None
            for _ in range(2):  # a question, a trial
                frame = receive(source)
                if forks:
                    ask(child, frame, 1.0)
                elif "trial" in (message := unpack(frame)):
                    try_answer(message, None, {"wants_value": True, "forbidden": ()})
            end_child(child)
        except Everything:
            leave(1)
    return probe


def end_child(child, report=False):
    """Kill a child, if there is one; with `report` give it a moment first and tell its exit code."""
    if not child:
        return None
    pid, outer_sink, outer_source = child
    close(outer_sink)
    if report:
        ready([outer_source], [], [], 0.2)
    kill(pid, SIGKILL)
    status = wait(pid, 0)[1]
    close(outer_source)
    return os.waitstatus_to_exitcode(status)


def main(source, sink, hidden, forks):
    """The whole work of a worker; ends with the process. hidden: folders of the course and its teacher."""
    try:
        guard.NOT_LEARNERS += tuple(folder + os.sep for folder in hidden)
        job = unpack(receive(source))
        job["cells"] = json.loads(job["cells"])
        probe = probing(source, sink, forks) if job["probe"] else None
        names = run_cells(job, lambda *event: send(sink, pack(list(event))), probe)
        unblock(source, True)
        send(sink, pack(["ran", 0, ""]))
        (relay if forks else serve)(source, sink, names)
    finally:
        leave(0)
