"""The questions of notebook 15: their answers are what the formulas and the cells give."""

import numpy as np
import pytest

from nnlib import LSTMCell, RNNCell, Tensor
from nnlib.widgets import Choice, Number
from nnlib.widgets.question_bank.nb15 import QUESTIONS


def factor_of_sixty_steps():
    cell = RNNCell(1, 1, bias=False, dtype=np.float64)
    cell.weight_hh.data[:] = 0.9
    start = Tensor(np.array([[1e-6]]), requires_grad=True)
    h = start
    for _ in range(60):
        h = cell(np.zeros((1, 1)), h)
    h.backward(np.ones((1, 1)))
    return start.grad.item()


def left_of_the_state():
    cell = LSTMCell(1, 1, dtype=np.float64)
    for parameter in cell.parameters():
        parameter.data[:] = 0
    cell.bias_ih.data[1] = 4
    state = np.zeros((1, 1)), np.ones((1, 1))
    for _ in range(60):
        _, c = cell(np.zeros((1, 1)), state)
        state = np.zeros((1, 1)), c
    return c.data.item()


@pytest.mark.parametrize("name, answer", [("sixty steps", factor_of_sixty_steps()),
                                          ("the bias of a gate", left_of_the_state())])
def test_numbers_are_what_the_cells_give(name, answer):
    assert QUESTIONS[name].judge(answer)[0]
    assert all(not QUESTIONS[name].judge(near)[0] for near in QUESTIONS[name].near)


def test_both_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number}
