"""The audit accepts a sound question and names what is wrong with the others."""

from dataclasses import replace

import numpy as np
import pytest

from nnlib.grading import Tolerance, audit


def more(exercise, **changes):
    """The misconceptions of `exercise` and one more, made from its first."""
    return dict(misconceptions=[*exercise.misconceptions, replace(exercise.misconceptions[0], **changes)])


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
])
def test_problems_are_found(sample, change, problem):
    exercise = sample.EXERCISES[0]
    assert any(problem in found for found in audit(replace(exercise, **change(exercise))))
