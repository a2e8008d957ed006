"""check in the notebook: finds the question, shows a report, returns points, never raises."""

import functools
import json
import multiprocessing
import os
import signal
import stat
import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nnlib
from nnlib.grading import ExerciseSet, course_progress, progress, report
from nnlib.grading.examine import examine


@pytest.fixture
def check(sample):
    return ExerciseSet("ex90_sample")


def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))


class Momentum:
    def __init__(self, rate):
        self.rate, self.velocity = rate, 0.0

    def step(self, w, g):
        self.velocity = 0.9 * self.velocity + g
        return w - self.rate * self.velocity


def test_functions_values_and_classes(check, capsys):
    assert check(sigmoid) == 2
    assert check("sigmoid", lambda z: sigmoid(z)) == 2
    assert check("xor_weights", [[1, 1], [-1, -1]]) == 1
    assert check(Momentum) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["sigmoid   2 / 2 points: right", "  passed  three numbers by hand"]


def test_partial_credit_is_a_plain_number(check):
    def descend(gradient, start, rate, steps):
        w = np.array(start, dtype=float)
        for _ in range(steps):
            w -= rate * gradient(w)
        return w
    points = check(descend)
    assert points == 1.5 and type(points) is float and type(check(sigmoid)) is int


def test_the_report_of_a_misconception(check, capsys):
    def sigmoid(z):
        import numpy as np
        return 1 / (1 + np.exp(z))
    assert check(sigmoid) == 0
    out, err = capsys.readouterr()
    assert err == "" and out == (
        "sigmoid   0 / 2 points: not right yet\n"
        "  failed  three numbers by hand: for z = [-2, 0, 3], expected [0.1192, 0.5, 0.9526], "
        "got [0.8808, 0.5, 0.04743].\n"
        "  failed  any shape\n"
        "  failed  inputs of size 1000\n"
        "Hint: A large z means class 1.\n")


@pytest.mark.parametrize("arguments, said", [
    ((3.0,), 'This has no name: write check('),
    (("sigmoid",), 'write check("sigmoid", answer)'),
    (("sigmod", 3), "Did you mean sigmoid? The questions: sigmoid, gradient,"),
    ((len,), "No question of ex90_sample has this name."),
    ((lambda z: z,), "No question"),
    (("sigmoid", 3), "Expected a function or class, got a number."),
    (("xor_weights", None), "not attempted")])
def test_wrong_calls_get_a_sentence(check, arguments, said, capsys):
    assert check(*arguments) == 0
    assert said in capsys.readouterr().out


def test_unknown_sets(sample):
    with pytest.raises(ValueError, match="Did you mean 'ex90_sample'"):
        ExerciseSet("ex90_samples")


def test_a_check_that_stops_says_so(check, sample, monkeypatch, capsys):
    monkeypatch.setattr("nnlib.grading.exercise_set.examine", lambda *args, **options: 1 / 0)
    assert check(sigmoid) == 0
    assert "The check stopped (ZeroDivisionError" in capsys.readouterr().out


def test_warm_up(check, capsys):
    assert check("warm_up", lambda x: x * x) == 0
    assert capsys.readouterr().out.splitlines()[0] == "warm_up   warm-up: not right yet"
    assert check("warm_up", lambda x: x + x) == 0
    assert capsys.readouterr().out.splitlines()[0] == "warm_up   warm-up: right"


def test_progress_keeps_the_best(check, sample, progress_file, capsys):
    check(sigmoid)
    check("sigmoid", lambda z: z)
    assert json.loads(progress_file.read_text()) == {"ex90_sample": {"sigmoid": 2}}
    assert course_progress()["ex90_sample"] == (2, 11.5)
    capsys.readouterr()
    assert check.progress() is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["ex90_sample   2 / 11.5 points", "  sigmoid      2 / 2"]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"ex90_sample": 3}', '{"a": {"b": "c"}}', "\x00\xff",
                                  '{"a": {"b": -1}}', '{"a": {"b": NaN}}', "[" * 100_000, '{"a": {"b": [1]}}',
                                  '{"a": [{"b": 1}]}', "null", '{"a": {"b": 1e400}}', f'{{"a": {{"b": {"9" * 9999}}}}}',
                                  '{"a": {"b": 1}}' + " " * (1 << 20)],
                         ids=lambda text: text[:20])
def test_a_corrupt_progress_file_is_set_aside(check, sample, progress_file, text):
    progress_file.parent.mkdir()
    progress_file.write_text(text, encoding="latin-1")
    assert check(sigmoid) == 2
    assert progress.load() == {"ex90_sample": {"sigmoid": 2}}
    aside = progress_file.with_name("progress.json.corrupt")
    assert aside.read_text(encoding="latin-1") == text and len(list(progress_file.parent.iterdir())) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_points_are_nobody_elses_business(check, progress_file):
    check(sigmoid)
    assert stat.S_IMODE(progress_file.stat().st_mode) == 0o600


def test_a_vast_progress_file_is_not_read_to_its_end(progress_file):
    progress_file.parent.mkdir()
    with progress_file.open("wb") as file:
        file.truncate(1 << 34)  # bytes that take no room on the disk
    tracemalloc.start()
    assert progress.load() == {}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_place_that_cannot_be_written(check, sample, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert check(sigmoid) == 2 and not progress.record("ex90_sample", "sigmoid", 2)
    check.progress()
    assert "ex90_sample   2 / 11.5 points" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_device_is_neither_read_nor_replaced(check, sample, tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"  # stands for /dev/null: a place, and no file
    os.mkfifo(pipe)
    monkeypatch.setenv("NNLIB_PROGRESS", str(pipe))
    assert check(sigmoid) == 2 and pipe.is_fifo() and progress.load() == {}


def test_a_progress_file_saved_by_another_editor(progress_file):
    progress_file.parent.mkdir()
    progress_file.write_text('{"ex90_sample": {"sigmoid": 1}}', encoding="utf-8-sig")
    assert progress.load() == {"ex90_sample": {"sigmoid": 1}}


def test_points_of_questions_that_changed(check, progress_file):
    progress_file.parent.mkdir()
    progress_file.write_text('{"ex90_sample": {"sigmoid": 50, "gone": 3}}')
    assert course_progress()["ex90_sample"] == (2, 11.5)


def test_both_forms_are_offered(sample):
    def sigmoid(z):
        raise ValueError("<script>alert(1)</script>")
    shown = report.of_result(examine(sample.EXERCISES[0], sigmoid))
    bundle = shown._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"] and "&lt;script&gt;" in bundle["text/html"]
    assert bundle["text/plain"] == repr(shown)


def test_shown_by_ipython_when_it_is_there(check, sample, monkeypatch, capsys):
    import IPython
    shown = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", shown.append)
    assert check(sigmoid) == 2
    assert capsys.readouterr().out == "" and repr(shown[0]).startswith("sigmoid   2 / 2")


class Raising:
    """Raises whatever is done with it, but to be called."""

    def __getattribute__(self, name):
        raise KeyError(name)

    def __call__(self, z):
        return self

    __eq__ = __len__ = __repr__ = __str__ = __array__ = __iter__ = __float__ = __bool__ = __getattribute__
    __hash__ = None


class Liar(float):
    """A number that says it equals everything."""

    def __eq__(self, other):
        return True

    def __array__(self, *args, **options):
        return np.array([0.1192, 0.5, 0.9526])

    __class__ = str
    __hash__ = None


class LyingArray(np.ndarray):
    def __eq__(self, other):
        return True

    def __array_function__(self, *args, **options):
        return True

    def __array_ufunc__(self, *args, **options):
        return np.array(True)


class Exit:
    @property
    def __name__(self):
        raise SystemExit


class LongAnswer(list):
    def __len__(self):
        return 3

    def __iter__(self):
        return iter([0.1, 0.5, 0.9])


class EndlessConstructor:
    def __init__(self, *args):
        while True:
            pass


async def coroutine(z):
    return z


def generator(z):
    yield from z


def changes_everything(z):
    z[...] = Raising()


ODD = [Raising(), Raising, lambda z: Raising(), lambda z: [Raising()] * 3, lambda z: {"a": Raising()}, Liar(),
       lambda z: Liar(), lambda z: np.ones(3).view(LyingArray), Exit(), lambda z: Exit(), lambda z: LongAnswer(),
       coroutine, coroutine(0), generator, np, functools, nnlib.Linear(3, 1), nnlib.Tensor(np.ones(3)),
       lambda z: nnlib.Tensor(z), np.vectorize(lambda z: z), functools.partial(pow, 2), [].append, lambda: 0, type, 3j,
       lambda z: np.array([object()] * 3), lambda z: 10 ** 5000, lambda z: z.__iadd__(1), changes_everything, "text",
       lambda z: "\ud800\x1b[0m", lambda z: np.array(["a", "b", "c"]), lambda z: np.datetime64("2020-01-01"),
       lambda z: np.zeros(3, dtype=[("a", int)]), lambda z: memoryview(b"abc"), lambda z: type("\n<b>", (), {})(),
       lambda z: np.ma.masked_array([1.0, 2.0, 3.0], [1, 1, 1]), property(), NotImplemented, lambda z: NotImplemented]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("number", range(len(ODD)))  # not the answers: they would break pytest
def test_check_never_raises_whatever_the_answer(check, number, capsys):
    answer = ODD[number]
    for call in (answer,), ("sigmoid", answer), ("gradient", answer), ("sign_word", answer), ("xor_weights", answer):
        assert check(*call) == 0
    out = capsys.readouterr().out
    assert "The check stopped" not in out.replace("The check stopped (KeyError", "").replace(
        "The check stopped (SystemExit", "") and " at 0x" not in out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this platform has no alarm signal")
def test_a_constructor_that_never_ends(check, monkeypatch, capsys):
    question = replace(check.exercises["Momentum"], time_limit=0.2)
    monkeypatch.setitem(check.exercises, "Momentum", question)
    assert check("Momentum", EndlessConstructor) == 0
    assert "no answer after 0.2 s. Is there a loop that never ends?" in capsys.readouterr().out


def test_an_answer_by_another_name(check, capsys):
    def my_sigmoid(z):
        return sigmoid(z)
    assert check("sigmoid", my_sigmoid) == 2
    assert check(my_sigmoid) == 0
    said = capsys.readouterr().out
    assert "Did you mean sigmoid? " in said and 'Or write check("sigmoid", answer).' in said


def test_check_works_in_another_thread(check):
    points = []
    thread = threading.Thread(target=lambda: points.append(check(sigmoid)))
    thread.start()
    thread.join()
    assert points == [2]


def test_a_closed_screen_costs_no_points(check, monkeypatch):
    monkeypatch.setattr("nnlib.grading.report.Report.show", lambda self: 1 / 0)
    assert check(sigmoid) == 2


def test_points_never_fall(progress_file):
    for points in 1, 2, 0.5:
        assert progress.record("ex90_sample", "sigmoid", points)
    assert progress.load() == {"ex90_sample": {"sigmoid": 2}}


def record_many(number):
    return all([progress.record(f"set{number}", f"question{i}", i) for i in range(25)])


def test_notebooks_that_write_at_once_are_all_kept(progress_file):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert all(pool.map(record_many, range(3)))
    assert progress.load() == {f"set{n}": {f"question{i}": i for i in range(25)} for n in range(3)}
    assert [path.name for path in progress_file.parent.iterdir()] == ["progress.json"]


def test_the_lock_of_a_dead_writer_is_lifted(progress_file, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.1)
    progress_file.parent.mkdir()
    progress_file.with_name("progress.json.lock").touch()
    assert progress.record("a", "b", 1)
    assert [path.name for path in progress_file.parent.iterdir()] == ["progress.json"]


def test_points_that_cannot_be_kept_are_shown_with_a_note(check, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "file" / "progress.json"))
    check(sigmoid)
    check.progress()
    assert "cannot be written: these points last until the kernel ends." in capsys.readouterr().out


def test_the_place_of_the_points(monkeypatch):
    monkeypatch.setenv("NNLIB_PROGRESS", "~/elsewhere.json")
    assert progress.path() == Path.home() / "elsewhere.json"
    monkeypatch.delenv("NNLIB_PROGRESS")
    assert progress.path() == Path.home() / ".nnlib" / "progress.json"
    monkeypatch.setattr(Path, "expanduser", lambda self: (_ for _ in ()).throw(RuntimeError("no home")))
    assert progress.load() == {} and not progress.record("a", "b", 1)
