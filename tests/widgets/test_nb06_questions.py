"""The questions of notebook 06: their answers are what the formulas give."""

import numpy as np
import pytest

from nnlib import Tensor
from nnlib.widgets import Number
from nnlib.widgets.question_bank.nb06 import QUESTIONS


def hidden_share():
    h = Tensor([2.0], requires_grad=True)
    (3 * h).backward(np.array([2.0]))
    return h.grad[0]


ANSWERS = {"the share of a hidden unit": hidden_share(), "numbers in a Jacobian": (64 * 100) ** 2 / 1e6}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]


def test_only_the_right_product_has_the_shape_of_the_weights():
    shapes, names = {}, {"G": np.ones((64, 10)), "X": np.ones((64, 20))}
    for option in QUESTIONS["which product fits"].options:
        try:
            shapes[option] = eval(option, names).shape
        except ValueError:
            shapes[option] = None
    assert [option for option, shape in shapes.items() if shape == (10, 20)] == [QUESTIONS["which product fits"].answer]


def test_the_right_order_of_the_factors_is_the_only_one_that_runs():
    W, D, upstream = np.ones((2, 3)), np.eye(2), np.ones(2)
    assert (W.T @ D @ upstream).shape == (3,)
    for wrong in (lambda: D @ W.T @ upstream, lambda: D @ W @ upstream):
        with pytest.raises(ValueError):
            wrong()
    assert QUESTIONS["the order of the factors"].answer.startswith(r"$W^\top\, \mathrm{diag}")


def test_every_number_is_computed():
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
