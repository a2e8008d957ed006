"""The grader's core: points from a worker, restarts, the same result twice, nothing left, nothing believed."""

import copy
import inspect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nnlib.grading import checks, examine, grader, sandbox, wire, worker, workers
from nnlib.grading.examine import NOT_ATTEMPTED, RIGHT, WRONG
from nnlib.grading.grader import Graded, grade
from nnlib.grading.notebooks import GraderError, find_notebooks, read_notebook

SETUP = 'from nnlib.grading import ExerciseSet\ncheck = ExerciseSet("ex90_sample")\nimport numpy as np'
SIGMOID = "def sigmoid(z):\n    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))"
SIGN = "def sign_word(x):\n    return 'up' if x > 0 else 'down' if x < 0 else 'flat'"
BOTH = {"sigmoid": 2, "sign_word": 1}
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers are forked on Linux only")


def notebook(*cells, **more):
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
            for cell in cells]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}


@pytest.fixture
def submit(sample, tmp_path):
    """Writes a notebook of code cells and grades it."""
    def run(*cells, name="anna.ipynb", **options):
        path = tmp_path / name
        path.write_text(json.dumps(notebook(SETUP, *cells)))
        return grade(path, **{"timeout": 120, **options})
    return run


@pytest.fixture
def bare(monkeypatch):
    """A system without namespaces, Landlock and cgroups."""
    monkeypatch.setattr(sandbox, "available", lambda: ("limits",))


def points(graded):
    return {question["question"]: question["points"] for question in graded.questions if question["points"]}


def question(graded, name="sigmoid"):
    return next(question for question in graded.questions if question["question"] == name)


# Points

def test_every_kind_of_answer(submit, sample):
    cells = [inspect.getsource(getattr(sample, name)) for name in
             ("sigmoid", "gradient", "descend", "batches", "sign_word", "Momentum")]
    graded = submit(*cells, "warm_up = lambda x: x + x", "check('xor_weights', [[1, 1], [-1, -1]])")
    assert {one["status"] for one in graded.questions} == {RIGHT} and not graded.problem and not graded.notes
    assert (graded.points, graded.possible, graded.set, graded.learner, graded.seed) == (
        11.5, 11.5, "ex90_sample", "anna", 0)


def test_blank_wrong_and_stubs(submit):
    assert {one["status"] for one in submit().questions} == {NOT_ATTEMPTED}
    graded = submit("def sigmoid(z):\n    return 1 / (1 + np.exp(z))", "xor_weights = ...", "descend = 3", SIGN,
                    "def gradient(X, t, w, b):\n    t -= X @ w\n    return w, b", "check('batches', 5)")
    wrong = question(graded)
    assert (wrong["points"], wrong["possible"], wrong["status"]) == (0, 2, WRONG)
    assert wrong["misconception"] == "sign of the exponent" and wrong["hint"] == "A large z means class 1."
    assert wrong["case"] == "three numbers by hand" and "got [0.8808, 0.5, 0.04743]" in wrong["problem"]
    assert "It also changed its input." in question(graded, "gradient")["diagnosis"]
    assert question(graded, "batches")["note"] == "Expected a function or class, got a number."
    assert {question(graded, name)["status"] for name in ("xor_weights", "descend")} == {NOT_ATTEMPTED}
    assert points(graded) == {"sign_word": 1}


def test_tensors_generators_and_arrays_of_odd_kinds(submit):
    tensor = "import nnlib\ndef sigmoid(z):\n    return 1 / (1 + nnlib.exp(-nnlib.Tensor(np.clip(z, -500, 500))))"
    batches = ("def batches(X, size, rng):\n    order = rng.permutation(len(X))\n"
               "    return (X[order[i:i + size]] for i in range(0, len(X), size))")
    assert points(submit(tensor, batches)) == {"sigmoid": 2, "batches": 2}
    for odd, said in [("object", "dtype object"), ("'U3'", "dtype <U"), ("'M8[s]'", "datetime64")]:
        assert said in question(submit(f"def sigmoid(z):\n    return np.array([1, 2, 3]).astype({odd})"))["problem"]


def test_a_function_checked_under_the_name_of_a_stub(submit):
    stub = "def sigmoid(z):\n    raise NotImplementedError"
    assert points(submit(stub, SIGMOID.replace("sigmoid", "mine"), "check('sigmoid', mine)")) == {"sigmoid": 2}
    helper = f"{SIGMOID.replace('sigmoid', 'mine')}\ndef sigmoid(z):\n    return other(z)"
    graded = submit("def other(z):\n    raise NotImplementedError", helper)
    assert question(graded)["note"] == "It uses other, which is not written yet."


def test_the_courses_own_answer_earns_nothing(submit):
    for answer in "sigmoid = nnlib.sigmoid", "def sigmoid(z):\n    return getattr(nnlib, 'sig' + 'moid')(z)":
        graded = submit(f"import nnlib\n{answer}")
        assert question(graded)["status"] == WRONG and "It calls nnlib.sigmoid" in question(graded)["note"]
    claims = "class Forbidden(Exception): pass\ndef sigmoid(z):\n    raise Forbidden('<b>nnlib</b>')"
    assert question(submit(claims))["problem"] == "sigmoid raised Forbidden_: <b>nnlib</b>"


@pytest.mark.parametrize("name", ["ex01_logistic_regression", "ex03_gradient_descent", "ex90_sample"])
def test_verdicts_are_those_of_the_notebook(sample, name):
    """Every right and wrong answer of a set, tried with packed arguments, gets the same words as in the notebook."""
    for exercise in checks.load(name).values():
        trials, sent, memo, _ = grader._drawn(exercise, 1)
        answers = [exercise.reference, *exercise.alternatives, *(known.function for known in exercise.misconceptions)]
        about = {"wants_value": exercise.wants_value, "forbidden": []}
        for answer in answers:
            def runner(index, answer=answer, sent=sent, about=about, exercise=exercise):
                message = {"trial": sent[index], "seconds": exercise.time_limit, "last": False}
                return grader._outcome(wire.unpack(worker.try_answer(message, answer, about)))
            here = examine.examine(exercise, answer, trials, memo)
            there = examine.examine(exercise, answer, trials, memo, runner)
            assert grader._described(there) == grader._described(here)


# Cells

def test_cells_that_end_the_process_cost_what_follows_in_them_only(submit):
    graded = submit(f"{SIGMOID}\nimport os\nos._exit(7)\nsigmoid = None", SIGN, "os.kill(os.getpid(), 9)")
    assert points(graded) == BOTH and not graded.problem
    assert graded.notes == ["Cell 2 ended its process with exit code 7: what follows in this cell was left out.",
                            "Cell 4 was killed (SIGKILL): what follows in this cell was left out."]


def test_cells_that_fail_keep_what_came_before(submit):
    graded = submit(f"{SIGMOID}\n1 / 0", "def broken(:", f"{SIGN}\nimport sys; sys.exit()", "raise KeyboardInterrupt",
                    "from __future__ import annotations\n%matplotlib inline\n!ls\nx: unknown = 1")
    assert points(graded) == BOTH and len(graded.notes) == 4
    assert graded.notes[0] == "Cell 2 stopped with ZeroDivisionError: division by zero."
    assert graded.notes[1] == "Cell 3 stopped with SyntaxError: invalid syntax (<cell 3>, line 1)."
    assert graded.notes[2] == "Cell 4 stopped with SystemExit."


@pytest.mark.usefixtures("impatient")
def test_endless_cells_and_answers(submit):
    stubborn = "while True:\n    try: sum(range(1000))\n    except BaseException: pass"
    graded = submit(SIGMOID, "while True: pass", f"{SIGN}\n{stubborn}", timeout=90)
    assert points(graded) == BOTH and graded.notes == [
        "Cell 3 was interrupted after 1 s.",
        "Cell 4 did not end in time: what follows in this cell was left out."]
    endless = stubborn.replace("\n", "\n    ")
    graded = submit(f"def sigmoid(z):\n    {endless}", "def descend(*a):\n    while True: pass", SIGN, timeout=90)
    assert points(graded) == {"sign_word": 1} and not graded.problem
    assert question(graded)["problem"] == question(graded, "descend")["problem"] == "no answer after 0.5 s"


def test_too_many_restarts_and_too_much_time(submit, monkeypatch):
    monkeypatch.setattr(grader, "MOST_WORKERS", 2)
    graded = submit(SIGMOID, "import os; os._exit(1)", "os._exit(2)", "os._exit(3)")
    assert graded.problem == "not every question could be graded: its process ended 2 times."
    assert {one["status"] for one in graded.questions} == {grader.NOT_GRADED} and graded.possible == 11.5


def test_a_time_limit_for_all(submit):
    stubborn = "def sigmoid(z):\n    while True:\n        try: sum(range(1000))\n        except BaseException: pass"
    graded = submit(stubborn, SIGN, timeout=1.5)
    assert "the time limit of 1.5 s has passed" in graded.problem and graded.points == 0
    stubborn = "while True:\n    try: sum(range(1000))\n    except BaseException: pass"
    graded = submit(SIGN, stubborn, stubborn, timeout=1)
    assert "its cells took more than" in graded.problem or "has passed" in graded.problem
    assert graded.points == 0


@LINUX
def test_the_time_of_a_notebook_holds_whatever_hangs(submit, monkeypatch):
    monkeypatch.setattr(grader, "SLACK", 30)
    submit()
    started = time.monotonic()
    graded = submit(SIGMOID, "import os, time\nos.register_at_fork(before=lambda: time.sleep(60))", timeout=3)
    assert 3 <= time.monotonic() - started < 30
    assert graded.problem == "not every question could be graded: the time limit of 3 s has passed."


def test_a_worker_that_does_not_listen_costs_one_wait_not_two():
    ours, theirs = socket.socketpair()
    ours.setblocking(True)
    hung = object.__new__(workers._Forked)
    hung.ours, hung.sink, hung.source, hung.scratch = ours, ours.fileno(), ours.fileno(), "scratch"
    timer = threading.Timer(0.3, theirs.recv, [1 << 26])  # it takes the message, and then says nothing
    waits, watched = [], hung._watched

    def watch(seconds):
        if not waits:
            timer.start()
        waits.append(seconds)
        return watched(seconds)
    hung._watched = watch
    with theirs, pytest.raises(workers.WorkerEnded, match="late"):
        hung.exchange(b"x" * (1 << 18), 2.0)
    assert waits[0] == 2.0 and waits[1] <= 1.7
    timer.join()
    ours.close()


def test_lines_of_a_private_question_are_nobodys(submit, sample, tmp_path):
    """NNLIB_CHECKS names its folder; what it raises is not in a line of the learner's."""
    graded = question(submit("class Momentum:\n    pass"), "Momentum")
    assert graded["problem"] == "Momentum raised TypeError: Momentum() takes no arguments" and not graded["diagnosis"]
    graded = question(submit("class Momentum:\n    def __init__(self, rate):\n        1 / 0"), "Momentum")
    assert graded["diagnosis"] == "In your line 3: 1 / 0"
    names = {}
    exec("class Momentum:\n    pass", names)
    there = examine.examine(checks.load("ex90_sample")["Momentum"], names["Momentum"]).verdicts[0]
    assert there.problem == "Momentum raised TypeError: Momentum() takes no arguments" and not there.diagnosis


def test_answers_that_end_their_process_cost_no_other(submit):
    graded = submit("import os\ndef sigmoid(z):\n    os._exit(3)", SIGN,
                    "def gradient(X, t, w, b):\n    os.kill(os.getpid(), 9)",
                    "def descend(g, w, rate, steps):\n    return np.zeros(2**25)",
                    "class Momentum:\n    def __init__(self, rate): raise SystemExit('enough')")
    assert points(graded) == {"sign_word": 1} and not graded.problem
    said = {name: question(graded, name)["problem"] for name in ("sigmoid", "gradient", "descend", "Momentum")}
    assert said == {"sigmoid": "your answer ended its process with exit code 3",
                    "gradient": "your answer was killed (SIGKILL)",
                    "descend": "your answer is too large to be compared: more than 64 MiB",
                    "Momentum": "Momentum raised SystemExit: enough"}


def test_what_is_too_large_or_too_deep_is_said_of_the_answer_not_of_the_function(submit):
    """Numbers, texts, nested and shared lists: the function has done its work, what is looked at is its answer."""
    deep = "answer = []\n    for _ in range(100_000): answer = [answer]\n    return answer"
    graded = submit(f"def sigmoid(z):\n    {deep}", "def gradient(X, t, w, b):\n    return range(10**9)",
                    "def descend(*a):\n    answer = 1.0\n    for _ in range(40): answer = [answer, answer]\n"
                    "    return answer", "def sign_word(x):\n    return 'up' * 10**8",
                    "warm_up = lambda x: {x: x * 0 + 1}",
                    f"class Momentum:\n    def __init__(self, rate): pass\n    def step(self, w, g):\n        "
                    f"{deep.replace('    ', '        ').replace('[answer]', '(answer,)')}", timeout=120)
    said = {one["question"]: one["problem"] for one in graded.questions}
    deep = "your answer is nested too deeply to be compared: more than 50 lists in one another"
    assert said["sigmoid"] == said["Momentum"] == deep
    assert said["gradient"] == said["descend"] == "your answer is too large to be compared: more than 250,000 values"
    assert said["sign_word"] == "your answer is too large to be compared: more than 64 MiB"
    assert "got a dict" in said["warm_up"] and graded.points == 0 and not graded.problem and not graded.notes


@pytest.mark.skipif("limits" not in sandbox.available(), reason="this system has no limits")
def test_memory_is_limited_for_cells_and_answers(submit, monkeypatch):
    monkeypatch.setattr(sandbox, "MEMORY", 200 << 20)
    pieces = "blocks = []\n{}while True: blocks.append(np.ones(2**18))"
    graded = submit(pieces.format(""), SIGN, "def sigmoid(z):\n    return np.ones(50 * 2**27)",
                    "def gradient(X, t, w, b):\n    " + pieces.format("    ").replace("while", "while", 1))
    assert graded.notes == ["Cell 2 filled the memory: what follows in this cell was left out."]
    assert "sigmoid raised MemoryError: Unable to allocate 50.0 GiB" in question(graded)["problem"]
    assert "gradient raised MemoryError" in question(graded, "gradient")["problem"]
    assert points(graded) == {"sign_word": 1} and not graded.problem


def test_patches_change_nothing(submit):
    patches = ("import builtins, json, os, pickle, signal, threading, time, warnings\n"
               "builtins.isinstance = builtins.len = builtins.type = builtins.callable = lambda *a: True\n"
               "del builtins.print\nbuiltins.BaseException = None\n"
               "json.dumps = json.loads = os.read = os.write = os.fork = pickle.loads = time.monotonic = None\n"
               "signal.signal = signal.setitimer = threading.current_thread = warnings.catch_warnings = None\n"
               "np.array = np.errstate = np.allclose = np.array_equal = np.testing.assert_allclose = None\n"
               "np.random.seed = np.random.get_state = None")
    assert points(submit(patches, SIGMOID, SIGN)) == BOTH
    graded = submit("check = lambda *a: 100", "ExerciseSet.__call__ = lambda *a: 100", SIGN, "check(sign_word)")
    assert points(graded) == {"sign_word": 1}
    assert submit("import nnlib.grading\nnnlib.grading.ExerciseSet = None\nnp.exp = lambda z: z",
                  "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))").points == 0


@LINUX
def test_cells_that_spoil_the_process_are_found_and_left_out(submit):
    graded = submit(SIGMOID, f"{SIGN}\nimport os\nos.register_at_fork(before=lambda: os._exit(5))\nsigmoid = None",
                    "import sys\nsys.modules.clear()")
    assert points(graded) == BOTH and not graded.problem
    for number, note in zip((3, 4), graded.notes, strict=True):  # whether it is seen to end is a matter of time
        assert re.fullmatch(rf"Cell {number} (spoilt its process|ended its process with exit code 5): what follows in "
                            "this cell was left out.", note)


def test_junk_among_the_frames(submit):
    junk = "import os\nfor place in range(3, 40):\n    try: os.write(place, b'junk' * 10)\n    except OSError: pass"
    graded = submit(SIGMOID, junk, SIGN)
    assert points(graded) == BOTH
    assert graded.notes == ["Cell 3 wrote to the grader's channel: what follows in this cell was left out."]
    graded = submit(SIGN, f"def sigmoid(z):\n    {junk.replace(chr(10), chr(10) + '    ')}")
    assert points(graded) == {"sign_word": 1} and "your answer" in question(graded)["problem"]


def test_forged_frames(submit):
    """Frames of the right form that a learner writes are data like any other."""
    forge = ("import os, struct\ndef frame(text):\n    return struct.pack('>4sIQ', b'nnl1', len(text), 0) + text\n"
             "for place in range(3, 40):\n    try: os.write(place, frame(b'{}'))\n    except OSError: pass")
    for event in ('["begin", 99, 0]', '["ran", -1, ""]', '{"died": 3}', '["error", 2, ["list"]]', "3", '["list"]',
                  '["list", "begin", 2, 1e9]', '["list", "error", 2, 5]', '["list", "none", 1, 0]'):
        graded = submit(SIGMOID, forge.format(event), SIGN)
        assert points(graded).get("sign_word") == 1, event


def test_what_a_worker_replies_is_not_believed():
    reply = {"raised": "A b\n\x00!" * 50, "message": ["x"], "line": 3, "inside": "a" * 9999, "changed": 1, "value": 2,
             "printed": "\x1b[31mred <x at 0x7fff>", "warning": None, "forbidden": "nnlib.exp"}
    outcome = grader._outcome(reply, ["nnlib.sigmoid"])
    assert outcome.raised.isidentifier() and len(outcome.inside) == 200 and outcome.message == outcome.line == ""
    assert outcome.changed is False and outcome.printed == "[31mred <x>" and outcome.value == 2
    assert grader._outcome({"forbidden": "nnlib.sigmoid"}, ["nnlib.sigmoid"]).message == "nnlib.sigmoid"
    for how in ("late", "broken", "ended", 0, 3, 247, -9, 10**9, None, [], {}):
        assert "{" not in grader._outcome({"died": how}).message


# The same twice, and nothing left

MESSY = (SIGMOID, "import os; raise RuntimeError(os.getcwd(), object(), {'b', 'a', 'c'}, hash('x'))", SIGN,
         "os._exit(3)",
         "def gradient(X, t, w, b):\n    raise ValueError(f'{gradient} {np.random.rand()} {id(0) * 0} {os.getcwd()}')",
         "class Momentum:\n    pass", "def descend(*a):\n    return {'x', 'y', 'z'}", "warm_up = lambda x: object()")


def test_the_same_submission_and_seed_give_the_same_result(submit, monkeypatch):
    first = submit(*MESSY, seed=5)
    again = submit(*MESSY, seed=5)
    assert first == again and first.seed == 5 and len(first.notes) == 2
    assert "object at 0x" not in repr(first) and "nnlib-grading-xxxxxxxx" in first.notes[0]
    workers.close()
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert submit(*MESSY, seed=5) == first


def test_another_seed_draws_other_arguments(submit):
    wrong = "def gradient(X, t, w, b):\n    return X.sum(axis=0), 0.0"
    first, second = (question(submit(wrong, seed=seed), "gradient")["problem"] for seed in (1, 2))
    assert first != second


def test_nothing_is_left(submit, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temp").mkdir()
    submit(SIGMOID)
    before = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
    threads = threading.active_count()
    submit("import os\nos.makedirs('/'.join(['deep'] * 500))\nos.chmod('deep', 0)\nopen('file', 'w').write('x')",
           "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()", SIGMOID, "os._exit(0)")
    assert os.listdir(tmp_path / "temp") == [] and threading.active_count() == threads
    if before:
        assert set(os.listdir("/proc/self/fd")) == before


def test_folders_of_any_depth_are_removed(tmp_path):
    place = tmp_path / "top"
    place.mkdir()
    (place / "link").symlink_to(tmp_path)
    inner = os.open(place, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=inner)
        inner, old = os.open("d", os.O_RDONLY, dir_fd=inner), inner
        os.close(old)
    os.close(inner)
    (place / "locked").mkdir()
    (place / "locked" / "file").touch()
    (place / "locked").chmod(0)
    workers.remove(place)
    assert not place.exists() and tmp_path.exists()


@LINUX
def test_what_a_learner_detaches_is_gone(submit, bare):
    """Without namespaces: the zygote adopts and kills it."""
    detach = ("import _posixsubprocess as p, os\n"
              "r, w = os.pipe()\n"
              "p.fork_exec([b'/bin/sleep', b'47.11'], [b'/bin/sleep'], True, (w,), None, None,\n"
              "            -1, -1, -1, -1, -1, -1, r, w, False, True, -1, None, None, None, -1, None, False)")
    graded = submit(SIGMOID, detach, SIGN)
    assert points(graded) == BOTH
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert "47.11" not in running


# What the worker knows

def test_a_worker_holds_no_expected_value(submit):
    look = ("import gc, sys\n"
            "def sigmoid(z):\n"
            "    frame, seen = sys._getframe(), []\n"
            "    while frame: seen += [*frame.f_locals, *frame.f_globals]; frame = frame.f_back\n"
            "    kept = [thing for thing in gc.get_objects() if type(thing) in (dict, list, tuple)]\n"
            "    words = ' '.join(map(repr, [*seen, *sys.modules, *kept]))\n"
            "    hints = '.1 ssalc snaem z egral A', '.ytilibaborp nwo sti sah hcaE', 'ecalp_ni_tneidarg'\n"
            "    assert not [hint for hint in hints if hint[::-1] in words]\n"
            "    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))")
    graded = submit(look)
    assert points(graded) == {"sigmoid": 2}, question(graded)


@pytest.mark.parametrize("layers", ["all", "hook alone"])
def test_checks_solutions_and_submissions_are_closed(submit, tmp_path, request, layers):
    if layers == "hook alone":
        request.getfixturevalue("bare")
    solution, own = str(next(workers.COURSE.glob("solutions/*/*.ipynb"))), str(tmp_path / "anna.ipynb")
    cells = ["import nnlib.grading.checks.ex01", "from nnlib.grading import examine", f"open({checks.__file__!r})",
             f"open({own!r})", f"import os; os.listdir({str(tmp_path)!r})", f"open({solution!r})",
             f"import importlib.util as u\ns = u.spec_from_file_location('a', {checks.__file__!r})\n"
             "s.loader.exec_module(u.module_from_spec(s))", "import nnlib.grading\nnnlib.grading.__path__ = "
             f"[{os.path.dirname(checks.__path__[0])!r}]\nimport nnlib.grading.checks"]
    notes = submit(*cells).notes
    assert len(notes) == len(cells) and all("PermissionError" in note or "ImportError" in note for note in notes), notes


# The processes

@LINUX
def test_the_zygote_is_reused_and_replaced(submit):
    submit(SIGMOID)
    first = workers._kept.process.pid
    submit(SIGMOID)
    assert workers._kept.process.pid == first
    workers._kept.process.kill()
    workers._kept.process.wait()
    assert points(submit(SIGMOID)) == {"sigmoid": 2} and workers._kept.process.pid != first


@LINUX
def test_a_zygote_that_is_killed_at_work_costs_nothing(submit):
    submit(SIGMOID)
    first = workers._kept.process
    killer = threading.Timer(0.4, first.kill)
    killer.start()
    graded = submit(SIGMOID, "import time; time.sleep(0.8)", SIGN)
    killer.join()
    assert first.poll() == -signal.SIGKILL and points(graded) == BOTH and graded.notes == [] and not graded.problem


@LINUX
def test_a_zygote_that_cannot_start(submit, monkeypatch):
    workers.close()
    monkeypatch.setattr(workers, "_command", lambda: [sys.executable, "-c", "raise SystemError('no such thing')"])
    graded = submit(SIGMOID)
    assert graded.problem == ("not every question could be graded: Python could not be started for it "
                              "(SystemError: no such thing).")
    assert graded.possible == 11.5 and graded.points == 0


@LINUX
def test_a_grader_that_is_killed_leaves_no_process(tmp_path, sample):
    path = tmp_path / "anna.ipynb"
    path.write_text(json.dumps(notebook(SETUP, "import time\nwhile True: time.sleep(0.1)")))
    code = (f"import sys; from nnlib.grading import grader, workers; import threading, time\n"
            f"threading.Thread(target=grader.grade, args=({str(path)!r},), daemon=True).start()\n"
            "while not (workers._kept and workers._kept.tasks is not 0): time.sleep(0.05)\n"
            "time.sleep(0.5); print(workers._kept.process.pid, flush=True); time.sleep(60)")
    killed = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=workers.COURSE)
    zygote = int(killed.stdout.readline())
    killed.kill()
    killed.communicate()
    for _ in range(1000):
        if not Path(f"/proc/{zygote}").exists() or "Z" in Path(f"/proc/{zygote}/stat").read_text("utf-8").split()[2]:
            return
        time.sleep(0.05)
    pytest.fail("the zygote is still there")


def test_a_fresh_process_for_each_notebook(submit, monkeypatch, bare):
    """As on macOS and Windows."""
    monkeypatch.setattr(workers, "FORKS", False)
    workers.close()
    graded = submit(SIGMOID, "import os", "def descend(*a):\n    os._exit(5)", SIGN, "os._exit(4)")
    assert points(graded) == BOTH and workers._kept is None
    assert graded.notes == ["Cell 6 ended its process with exit code 4: what follows in this cell was left out."]
    assert question(graded, "descend")["problem"] == "your answer ended its process with exit code 5"
    assert os.listdir(workers.tempfile.gettempdir()).count("nnlib-grading-") == 0


def test_arguments_are_drawn_once_and_not_kept_for_ever(sample, monkeypatch):
    exercise = checks.load("ex90_sample")["sigmoid"]
    assert grader._drawn(exercise, 3) == grader._drawn(exercise, 3)
    assert grader._drawn(exercise, 3)[0] is grader._drawn(exercise, 3)[0]
    monkeypatch.setattr(grader, "MOST_DRAWS", 4)
    for seed in range(20):
        grader._drawn(exercise, seed)
    assert len(grader._kept_draws) <= 4


# Files

@pytest.mark.parametrize("change, said", [
    ({"nbformat": 3}, "is of notebook format 3; format 4 is needed"), ({"nbformat": 5}, "format 5"),
    ({"nbformat": "\x1b4"}, "format 4;"), ({"metadata": {"kernelspec": {"language": "R"}}}, "is a notebook for R, not"),
    ({"metadata": {"language_info": {"name": "julia"}}}, "for julia"), ({"metadata": [1]}, "it has no list of cells"),
    ({"cells": {"a": 1}}, "no list of cells"), ({"cells": None}, "no list of cells")])
def test_notebooks_of_another_kind(sample, tmp_path, change, said):
    path = tmp_path / "ex90_a.ipynb"
    path.write_text(json.dumps({**notebook(SETUP), **change}))
    graded = grade(path)
    assert said in graded.problem and graded.questions == [] and graded.points == graded.possible == 0


@pytest.mark.parametrize("change", [
    {"metadata": {}}, {"metadata": None}, {"metadata": {"kernelspec": {"language": "Python"}}},
    {"metadata": {"language_info": {"name": "ipython3"}}}, {"nbformat": 4, "nbformat_minor": 99}])
def test_notebooks_of_python(sample, tmp_path, change):
    path = tmp_path / "ex90_a.ipynb"
    cells = [*notebook(SETUP)["cells"], {"cell_type": "markdown", "source": 3},
             {"cell_type": "code", "source": ["a\n", "b"]}]
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({**notebook(), "cells": cells, **change}).encode())
    assert read_notebook(path) == ("ex90_sample", [SETUP, "a\nb"])


def test_places_that_are_no_notebook(tmp_path, monkeypatch):
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "ex01.ipynb").write_text(json.dumps(notebook()))
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "there" / "ex01.ipynb")
    (tmp_path / "dangling.ipynb").symlink_to(tmp_path / "nothing")
    (tmp_path / "beside_ex01.ipynb").symlink_to(tmp_path / "ex01.ipynb")
    (tmp_path / "ex01.ipynb").write_text(json.dumps(notebook()))
    (tmp_path / "large.ipynb").write_bytes(b"")
    os.truncate(tmp_path / "large.ipynb", 200 << 20)
    wanted = {"folder": "is not a file|cannot be read", "link": "is a link to a file in another folder",
              "dangling": "cannot be read: No such file", "large": "is too large: 200 MiB; the limit is 32 MiB",
              "missing": "cannot be read: No such file"}
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo.ipynb")
        wanted["fifo"] = "is not a file"
    for name, said in wanted.items():
        with pytest.raises(GraderError, match=said):
            read_notebook(tmp_path / f"{name}.ipynb")
    assert read_notebook(tmp_path / "beside_ex01.ipynb") == ("ex01_logistic_regression", [])
    if os.getuid():
        (tmp_path / "ex01.ipynb").chmod(0)
        with pytest.raises(GraderError, match="cannot be read: Permission denied"):
            read_notebook(tmp_path / "ex01.ipynb")


@pytest.mark.parametrize("name", [b"with space.ipynb", "Zo\u00eb.ipynb".encode(), b"two\nlines.ipynb", b"bad\xff.ipynb",
                                  b"-rf.ipynb", b"'quote\".ipynb"])
def test_names_of_any_letters(sample, tmp_path, name):
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    try:
        path.write_text(json.dumps(notebook(SETUP, SIGN)), encoding="utf-8")
    except OSError:
        pytest.skip("this file system does not allow such a name")
    graded = grade(path)
    assert points(graded) == {"sign_word": 1} and graded.notebook.isprintable() and graded.learner.isprintable()
    assert find_notebooks([tmp_path]) == [path]


def test_finding_notebooks(tmp_path):
    for name in ("b/two.ipynb", "a/one.ipynb", "a/.ipynb_checkpoints/one.ipynb", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_notebooks([tmp_path, tmp_path / "b"]) == [tmp_path / "a" / "one.ipynb", tmp_path / "b" / "two.ipynb"]
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(find_notebooks([tmp_path])) == 2
    (tmp_path / "empty").mkdir()
    for missing, said in ((tmp_path / "empty", "holds no notebook"), (tmp_path / "none", "no such file or folder")):
        with pytest.raises(GraderError, match=said):
            find_notebooks([missing])


def test_graded_is_plain_data(submit):
    graded = submit(*MESSY)
    assert json.loads(json.dumps(copy.deepcopy(vars(graded)))) == vars(graded)
    assert {type(one["points"]) for one in graded.questions} <= {int, float}


# Who ended a process?

class Acted:
    """Takes the place of a worker: ends after so many replies, and with the messages in `guilty`."""

    def __init__(self, replies, guilty=()):
        self.left, self.guilty = replies, guilty

    def exchange(self, message, seconds):
        if message.get("trial", "none") in self.guilty or not self.left:
            raise workers.WorkerEnded("ended")
        self.left -= 1
        return {"value": message.get("trial")}

    def end(self, how=None):
        return 3


def asked(sample, acts, *trials):
    """The replies to trials of one question from a session whose workers act so, and how many workers it took."""
    session = grader._Session(Graded("", set="ex90_sample", seed=0), [], 60, Path("a.ipynb"))
    session.end = time.monotonic() + 60
    played = iter(acts)
    session.start = lambda: setattr(session, "worker", next(played))
    session.ask({"question": {}, "seconds": 1.0}, 1.0)
    replies = [session.ask({"trial": trial}, 1.0) for trial in trials]
    return [reply.get("value", reply.get("died")) for reply in replies], len(acts) - len(list(played))


def test_a_thread_that_ends_process_after_process_is_not_taken_for_an_answer(sample):
    """It wakes now and then, whatever is tried at that moment: each trial is made once more."""
    acts = [Acted(replies) for replies in (2, 3, 3, 9)]
    assert asked(sample, acts, *"abcdef") == (list("abcdef"), 4)


def test_an_answer_that_ends_two_processes_in_the_same_place_is_not_tried_on(sample):
    acts = [Acted(99, guilty="bc") for _ in range(9)]
    assert asked(sample, acts, *"abcd") == (["a", 3, 3, "d"], 4)
