"""The questions of notebook 04: their answers are what the formulas give."""

import numpy as np
import pytest

from nnlib import relu
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb04 import QUESTIONS

ANSWERS = {"a nudge on a parabola": (3.1**2 - 3**2) / 0.1, "a million nudges": 2 * 1e6 * 1e-3,
           "slope of a kink": (relu(np.array(1e-3)) - relu(np.array(-1e-3))) / 2e-3}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]


def test_the_steps_are_ordered_by_their_errors():
    steps = [float(item.split()[1]) for item in QUESTIONS["ever smaller steps"].items]
    errors = [abs((np.exp(1 + h) - np.exp(1)) / h - np.exp(1)) for h in steps]
    assert np.all(np.diff(errors) > 0) and errors[-1] == np.exp(1)


def test_the_second_derivative_of_eight_levels_is_as_long_as_the_question_says():
    sympy = pytest.importorskip("sympy")
    x = u = sympy.Symbol("x")
    for _ in range(8):
        u = 1 / (1 + sympy.exp(-u))
    once = u.diff(x)
    counts = [sympy.count_ops(formula) for formula in (u, once, once.diff(x), u.diff(x, 2))]
    assert counts[:2] == [32, 280] and min(counts[2:]) > 1000  # sympy tidies up a little when asked for both at once


def test_three_of_four_wrong_gradients_still_walk_downhill():
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(40, 3)), rng.normal(size=3)
    t = (X @ [1.0, -2.0, 0.5] + rng.normal(size=40) > 0).astype(float)
    p = 1 / (1 + np.exp(-X @ w))
    right = X.T @ (p - t) / 40 + 0.1 * w
    wrong = [X.T @ (p - t) + 0.1 * w, X.T @ (t - p) / 40 + 0.1 * w, X.T @ ((p - t) * p * (1 - p)) / 40 + 0.1 * w,
             X.T @ (p - t) / 40]
    assert sum(right @ arrow > 0 for arrow in wrong) == 3


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
