"""The questions of notebook 07: their answers are what counting, voting and the course's own networks give."""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from nnlib import Linear, Sequential, numerical_gradient
from nnlib.architecture import count_parameters
from nnlib.widgets import Choice, Number
from nnlib.widgets.question_bank.nb07 import QUESTIONS


def parameters(*sizes):
    return count_parameters(Sequential(*(Linear(n, m) for n, m in zip(sizes, sizes[1:]))))


def holes(folds):
    """How many places of a strip, folded so often, lie where the hole is punched."""
    y = np.linspace(0, 1, 100_001)
    for _ in range(folds):
        y = 1 - np.abs(2 * y - 1)
    return np.sum((y[:-1] < 0.4) != (y[1:] < 0.4))


ANSWERS = {"products of two": len(list(combinations_with_replacement(range(100), 2))),
           "counting weights": parameters(2, 3, 2, 1), "folding": holes(6)}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_counting_gives(name):
    assert QUESTIONS[name].judge(int(ANSWERS[name]))[0]


def test_the_seven_outvotes_both_units():
    assert min(4 * h1 + 2 * h2 + 7 for h1, h2 in product((-1, 1), repeat=2)) == 1
    assert QUESTIONS["where it says no"].answer == "nowhere"


def test_two_sign_units_solve_xor_and_one_does_not():
    corners = np.array(list(product((-1, 1), repeat=2)))
    unlike = corners[:, 0] != corners[:, 1]
    strip = np.sign(corners @ [1, 1] + 1) + np.sign(corners @ [-1, -1] + 1) - 1 > 0
    assert np.array_equal(strip, unlike) and QUESTIONS["fewest units"].answer == "2"
    w = np.random.default_rng(0).normal(size=(3, 10_000))
    one = corners @ w[:2] + w[2] > 0
    assert not np.any(np.all(one == unlike[:, None], axis=0))


def test_ten_linear_layers_are_one():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(3, 3)), rng.normal(size=3)) for _ in range(10)]

    def network(x):
        for W, b in layers:
            x = W @ x + b
        return x
    x, y = rng.normal(size=(2, 3))
    assert np.allclose(network((x + y) / 2), (network(x) + network(y)) / 2)
    assert QUESTIONS["ten linear layers"].answer == "what one neuron reaches"


def test_a_sign_has_no_slope():
    assert not numerical_gradient(lambda w: np.sign(w @ [1.0, 2.0]), np.array([0.3, 0.4])).any()
    assert QUESTIONS["the slope of a sign"].answer == "they do not move at all"


def test_twice_as_many_steps_halve_the_error():
    x = np.linspace(0, 1, 6401, endpoint=False)
    few, many = (np.abs(np.sin(3 * x) - np.sin(3 * (np.floor(x * n) + 0.5) / n)).max() for n in (40, 80))
    assert few / many == pytest.approx(2, rel=0.05) and QUESTIONS["twice as many steps"].answer == "half"


def test_numbers_and_choices_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
