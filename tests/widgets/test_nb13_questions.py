"""The questions of notebook 13: their answers are what layers, gradients and data give."""

import numpy as np
import pytest

from nnlib import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, Tensor, conv2d, datasets, max_pool2d
from nnlib.architecture import layer_table
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb13 import QUESTIONS

DECK_D = Sequential(Conv2d(3, 8, 3, padding=1), ReLU(), Conv2d(8, 16, 5, stride=2, padding=2), ReLU(), Flatten(),
                    Linear(4096, 512), ReLU(), Linear(512, 4))
ROWS = [row for row in layer_table(DECK_D, (3, 32, 32)) if row.parameters]


def blame():
    w = Tensor(np.ones((1, 1, 1, 2)), requires_grad=True)
    (conv2d(np.array([[[[1.0, 2, 3, 4]]]]), w) * np.array([1.0, 0, -1])).sum().backward()
    return w.grad[0, 0, 0, 0]


ANSWERS = {"the second convolution": ROWS[1].parameters, "the blame of a weight": blame()}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_library_gives(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]
    assert all(not QUESTIONS[name].judge(wrong)[0] for wrong in QUESTIONS[name].near)


def test_a_stage_gives_four_times_as_many_numbers():
    stage = Sequential(Conv2d(1, 16, 3, padding=1), ReLU(), MaxPool2d(2))
    count = stage(Tensor(np.zeros((1, 1, 28, 28), np.float32))).data.size
    assert f"{count:,}, four times" in QUESTIONS["one stage"].answer and count == 4 * 784


def test_layers_are_in_order_of_their_multiplications():
    names = ("conv 1", "conv 2", "dense 1", "dense 2")
    order = sorted(range(4), key=lambda i: -ROWS[i].multiply_adds)
    assert [item.split(",")[0] for item in QUESTIONS["where the parameters sit"].items] == [names[i] for i in order]


def test_the_winner_gets_the_gradient():
    x = Tensor(np.array([[[[3.0, 7], [5, 1]]]]), requires_grad=True)
    (max_pool2d(x, 2) * 4).sum().backward()
    assert QUESTIONS["who gets the blame"].answer == ", ".join(f"{g:g}" for g in x.grad.ravel())


def test_two_components_hold_what_the_answer_says():
    X = datasets.load_digits().X
    values = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    assert f"about {values[:2].sum() / values.sum():.0%}" == QUESTIONS["two components"].answer


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
