"""The audit accepts a sound question and names what is wrong with the others."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from nnlib.grading import Case, Tolerance
from nnlib.grading.audit import audit, look, main, readable

PAGE = "`sigmoid` squashes; see np.exp"


def more(exercise, **changes):
    """The misconceptions of `exercise` and one more, made from its first."""
    return dict(misconceptions=[*exercise.misconceptions, replace(exercise.misconceptions[0], **changes)])


def counting(function):
    """The function, a little more with each call."""
    calls = itertools.count()
    return lambda z: function(z) + next(calls)


def test_the_sample_is_sound(sample):
    assert [problem for exercise in sample.EXERCISES for problem in audit(exercise)] == []


@pytest.mark.parametrize("change, problem", [
    (lambda e: dict(misconceptions=e.misconceptions[:2]), "2 misconceptions, expected at least 3"),
    (lambda e: dict(alternatives=e.alternatives[:1]), "1 alternatives, expected at least 2"),
    (lambda e: more(e, name="b"), "hint of its own"),
    (lambda e: more(e, name="twin", hint="?"), "'twin' earns the hint of 'sign of the exponent'"),
    (lambda e: more(e, name="fine", function=e.reference, hint="?"), "'fine' is accepted"),
    (lambda e: dict(alternatives=[*e.alternatives, np.exp]), "alternative 4 is rejected: three numbers by"),
    (lambda e: dict(cases=[replace(e.cases[1], tolerance=Tolerance(0.1))]), "the tolerance needs its reason"),
    (lambda e: dict(cases=[replace(e.cases[0], points=None)]), "always returning the answer to 'three"),
    (lambda e: more(e, name="b", hint=" "), "hint of its own"),
    (lambda e: dict(reference=counting(e.reference)), "the reference answers differently"),
    (lambda e: dict(cases=[Case("drawn in vain", lambda rng: 0 * rng.normal())]), "two seeds expect the same"),
])
def test_problems_are_found(sample, change, problem):
    exercise = sample.EXERCISES[0]
    assert any(problem in found for found in audit(replace(exercise, **change(exercise))))


def test_what_is_counted(sample):
    row = look(sample.EXERCISES[0])
    assert (row.cases, row.drawn, row.rejected, row.misconceptions) == (3, 1, 4, 4)
    assert (row.accepted, row.returns, row.batch, row.oblong) == (3, "float32 list", "yes", "yes")
    words = look(sample.EXERCISES[4])
    assert (words.batch, words.oblong) == ("", "")


def test_hints_name_only_what_the_learner_can_see(sample):
    def told(hint):
        exercise = replace(sample.EXERCISES[0], **more(sample.EXERCISES[0], name="b", hint=hint))
        return [problem for problem in look(exercise, page=PAGE).problems if "cannot see" in problem]
    assert told("Use `len(v)`.") == ["sigmoid: the hint 'Use `len(v)`.'... names v, which the learner cannot see"]
    assert told("See stable_sigmoid.")[0].endswith("names stable_sigmoid, which the learner cannot see")
    assert told("Use np.exp, and `sigmoid` again.") == []


def test_the_learner_sees_no_solution():
    text = readable("ex01_logistic_regression")
    assert "def sigmoid(z)" in text and "BEGIN SOLUTION" not in text and "small = np.exp" in text  # that is a hint
    assert readable("ex77_unknown") == ""


def test_the_command_prints_a_table(sample, capsys, tmp_path):
    file = tmp_path / "audit.json"
    assert main(["ex90_sample", "--no-mutation", "--json", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ex90_sample"
    assert lines[2].split() == "sigmoid 3 1 4 of 4 3 of 3 float32 list yes yes".split()
    assert lines[10].split() == "total 13 9 26 of 26 17 of 17".split()
    assert "3.2 misconceptions on average, expected at least 6" in lines
    assert json.loads(file.read_text())["questions"][1]["question"] == "gradient"


def test_an_unknown_set_is_named(capsys):
    assert main(["ex77"]) == 2 and "no exercise set 'ex77'" in capsys.readouterr().err
