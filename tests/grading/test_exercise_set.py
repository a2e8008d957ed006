"""check in the notebook: finds the question, shows a report, returns points, never raises."""

import html.parser
import json
import os

import pytest

from nnlib.grading import ExerciseSet, course_progress, progress, report
from nnlib.grading.examine import Result, Verdict, examine


@pytest.fixture
def check(sample):
    return ExerciseSet("ex90_sample")


def test_functions_values_and_classes(check, sample, capsys):
    assert check(sample.sigmoid) == 2
    assert check("sigmoid", sample.EXERCISES[0].alternatives[0]) == 2
    assert check("xor_weights", [[1, 1], [-1, -1]]) == 1
    assert check(sample.Momentum) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["sigmoid   2 / 2 points: right", "  passed  three numbers by hand"]


def test_partial_credit_is_a_plain_number(check, sample):
    def descend(gradient, start, rate, steps):
        return sample.descend(gradient, start, rate, steps)
    points = check(descend)
    assert points == 1.5 and type(points) is float and type(check(sample.sigmoid)) is int


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
    ((3.0,), 'A value needs its name: check("name", value).'),
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
    monkeypatch.setattr("nnlib.grading.exercise_set.examine", lambda *args: 1 / 0)
    assert check(sample.sigmoid) == 0
    assert "The check itself stopped (ZeroDivisionError" in capsys.readouterr().out


def test_warm_up(check, capsys):
    assert check("warm_up", lambda x: x * x) == 0
    assert capsys.readouterr().out.splitlines()[0] == "warm_up   warm-up: not right yet"
    assert check("warm_up", lambda x: x + x) == 0
    assert capsys.readouterr().out.splitlines()[0] == "warm_up   warm-up: right"


def test_progress_keeps_the_best(check, sample, progress_file, capsys):
    check(sample.sigmoid)
    check("sigmoid", lambda z: z)
    assert json.loads(progress_file.read_text()) == {"ex90_sample": {"sigmoid": 2}}
    assert course_progress()["ex90_sample"] == (2, 11.5)
    capsys.readouterr()
    assert check.progress() is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["ex90_sample   2 / 11.5 points", "  sigmoid      2 / 2"]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"ex90_sample": 3}', '{"a": {"b": "c"}}', "\x00\xff",
                                  '{"a": {"b": -1}}', '{"a": {"b": NaN}}', "[" * 100_000])
def test_a_corrupt_progress_file_is_set_aside(check, sample, progress_file, text):
    progress_file.parent.mkdir()
    progress_file.write_text(text, encoding="latin-1")
    assert check(sample.sigmoid) == 2
    assert progress.load() == {"ex90_sample": {"sigmoid": 2}}
    aside = progress_file.with_name("progress.json.corrupt")
    assert aside.read_text(encoding="latin-1") == text and len(list(progress_file.parent.iterdir())) == 2


def test_a_place_that_cannot_be_written(check, sample, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert check(sample.sigmoid) == 2 and not progress.record("ex90_sample", "sigmoid", 2)
    check.progress()
    assert "ex90_sample   2 / 11.5 points" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_device_is_neither_read_nor_replaced(check, sample, tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"  # stands for /dev/null: a place, and no file
    os.mkfifo(pipe)
    monkeypatch.setenv("NNLIB_PROGRESS", str(pipe))
    assert check(sample.sigmoid) == 2 and pipe.is_fifo() and progress.load() == {}


def test_a_progress_file_saved_by_another_editor(progress_file):
    progress_file.parent.mkdir()
    progress_file.write_text('{"ex90_sample": {"sigmoid": 1}}', encoding="utf-8-sig")
    assert progress.load() == {"ex90_sample": {"sigmoid": 1}}


def test_points_of_questions_that_changed(check, progress_file):
    progress_file.parent.mkdir()
    progress_file.write_text('{"ex90_sample": {"sigmoid": 50, "gone": 3}}')
    assert course_progress()["ex90_sample"] == (2, 11.5)


def test_html_is_escaped_and_closed(sample):
    def sigmoid(z):
        raise ValueError("<script>alert(1)</script>")
    shown = report.of_result(examine(sample.EXERCISES[0], sigmoid))
    bundle = shown._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"] and "&lt;script&gt;" in bundle["text/html"]
    assert bundle["text/plain"] == repr(shown)

    class Balance(html.parser.HTMLParser):
        open = []

        def handle_starttag(self, tag, attrs):
            self.open += [tag] if tag != "br" else []

        def handle_endtag(self, tag):
            assert self.open.pop() == tag
    checker = Balance()
    checker.feed(bundle["text/html"])
    assert checker.open == []


def test_status_is_said_in_words():
    verdicts = [Verdict("one"), Verdict("two", "value", "x = 1", "`y` is 2")]
    result = Result("f", 0, 2, "not right yet", verdicts)
    shown = report.of_result(result).html
    assert "<strong>failed</strong>: two<br>for x = 1, <code>y</code> is 2." in shown
    assert "<strong>passed</strong>: one" in shown and 'aria-label="Check of f"' in shown


def test_shown_by_ipython_when_it_is_there(check, sample, monkeypatch, capsys):
    import IPython
    shown = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", shown.append)
    assert check(sample.sigmoid) == 2
    assert capsys.readouterr().out == "" and repr(shown[0]).startswith("sigmoid   2 / 2")
