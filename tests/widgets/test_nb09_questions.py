"""The questions of notebook 09: their answers are what the formulas and the optimizers give."""

import numpy as np
import pytest

from nnlib import SGD, Adagrad, ExponentialLR, InverseTimeLR, RMSprop, StepLR, Tensor
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.descent import best_momentum
from nnlib.widgets.question_bank.nb09 import QUESTIONS


def walk(optimizer, gradients):
    """Where the first weight of an optimizer is after these gradients."""
    w, = optimizer.params
    for gradient in gradients:
        w.grad = np.full(w.shape, gradient)
        optimizer.step()
    return w.data


def first_step():
    w = Tensor(np.zeros(1), requires_grad=True)
    return -walk(RMSprop([w], lr=0.01, alpha=0.99), [5.0])[0]


ANSWERS = {"the best factor": best_momentum(100, 1)[2], "copying a rate": 0.5 * (1 - 0.9),
           "the first step": first_step()}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]


def test_the_copied_rate_gives_the_same_walk():
    gradients, velocity, w = np.random.default_rng(0).normal(size=9), 0.0, 0.0
    for gradient in gradients:
        velocity = 0.9 * velocity + 0.1 * gradient
        w -= 0.5 * velocity
    rate = QUESTIONS["copying a rate"].answer
    assert np.isclose(walk(SGD([Tensor(np.zeros(1), requires_grad=True)], lr=rate, momentum=0.9), gradients)[0], w)


def test_adagrad_takes_no_more_steps_in_the_narrower_valley():
    ends = []
    for curvature in (1.0, 10_000.0):
        w = Tensor(np.array([2.0]), requires_grad=True)
        optimizer = Adagrad([w], lr=0.5)
        for _ in range(50):
            w.grad = curvature * w.data
            optimizer.step()
        ends.append(w.data[0])
    assert np.isclose(*ends) and QUESTIONS["the narrower valley"].answer == "just as many"


def test_the_schedules_are_in_order():
    schedules = (InverseTimeLR(None, 0.1), ExponentialLR(None, np.exp(-0.1)), StepLR(None, 20, 0.1),
                 StepLR(None, 5, 0.5), ExponentialLR(None, np.exp(-1)))
    left = [schedule.factor(20) for schedule in schedules]
    assert np.all(np.diff(left) < 0) and len(left) == len(QUESTIONS["the rates in epoch 20"].items)
    assert np.allclose(left, [1 / 3, 0.135, 0.1, 0.0625, 2e-9], rtol=0.05)


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
