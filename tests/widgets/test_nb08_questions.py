"""The questions of notebook 08: their answers are what the formulas give, and what a measurement gives."""

import numpy as np
import pytest

from nnlib import Tensor, cross_entropy, relu, sigmoid, tanh
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb08 import QUESTIONS


def growth_of_the_mean_square():
    """What a ReLU layer with the recipe of deck C does to the mean square of its input."""
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(2000, 500)), rng.normal(size=(500, 500)) * 2 / np.sqrt(500)
    return np.mean(relu(X @ W.T) ** 2) / np.mean(X ** 2)


ANSWERS = {"the steepest place": sigmoid(0.0) * (1 - sigmoid(0.0)), "the deck's recipe": 500 * (4 / 500) / 2}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]


def test_the_recipe_of_the_deck_doubles_the_mean_square():
    assert growth_of_the_mean_square() == pytest.approx(QUESTIONS["the deck's recipe"].answer, rel=0.03)


def test_twenty_slopes_of_a_quarter():
    assert 1e-13 < 0.25 ** 20 < 1e-12 < 1e-6 * 1e-6 * 1.01
    assert QUESTIONS["twenty sigmoids"].answer == "about a millionth of a millionth"


def two_layer_gradients():
    """The first weights, before and after a step, of a network that starts with all weights equal."""
    rng = np.random.default_rng(0)
    W, V = Tensor(np.full((4, 3), 0.1), requires_grad=True), Tensor(np.full((2, 4), 0.1), requires_grad=True)
    for _ in range(3):
        W.grad = V.grad = None
        cross_entropy(tanh(rng.normal(size=(8, 3)) @ W.T) @ V.T, np.arange(8) % 3 % 2).backward()
        W.data, V.data = W.data - W.grad, V.data - V.grad
    return W.data


def test_equal_weights_move_and_stay_equal():
    W = two_layer_gradients()
    assert np.ptp(W, axis=0).max() < 1e-12 and np.abs(W - 0.1).min() > 1e-4
    assert QUESTIONS["all weights equal"].answer == "all equal, and no longer at 0.1"


def test_a_silent_unit_gets_no_gradient():
    w, b = Tensor(np.array([1.0, -2.0]), requires_grad=True), Tensor(-50.0, requires_grad=True)
    relu(np.random.default_rng(0).normal(size=(20, 2)) @ w + b).sum().backward()
    assert not w.grad.any() and not np.any(b.grad)
    assert QUESTIONS["a silent unit"].answer == "nothing, ever"


def test_the_test_set_comes_last():
    assert "test set" in QUESTIONS["a fair comparison"].items[-1]


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
