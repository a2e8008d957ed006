"""The questions of notebook 11: their answers are what the formulas give."""

import numpy as np
import pytest

import nnlib
from nnlib.widgets import Choice, Number
from nnlib.widgets.playground_model import Settings, Training
from nnlib.widgets.question_bank.nb11 import QUESTIONS


def decayed():
    w = nnlib.Tensor(np.ones(1), requires_grad=True)
    optimizer = nnlib.SGD([w], lr=0.1, weight_decay=0.01)
    for _ in range(100):
        w.grad = np.zeros(1)
        optimizer.step()
    return w.data[0]


def last_epoch():
    stopper, history = nnlib.EarlyStopping(patience=3), nnlib.History()
    model = nnlib.Linear(1, 1)
    for loss in [5, 3, 4, 2, 6, 7, 8, 1]:
        history.loss.append(loss)
        if stopper(model, history):
            return len(history)
    raise AssertionError("it never stopped")


def alone():
    """What batch normalization makes of 37 in a batch of one: its formula, since the layer refuses."""
    x, gamma, beta = np.array([37.0]), 2, 5
    return float((gamma * (x - x.mean()) / np.sqrt(x.var() + 1e-5) + beta)[0])


ANSWERS = {"three refits": np.var([0.2, 0.5, 0.8]), "deck C's weight decay": decayed(),
           "patience of three": last_epoch(), "the factor at test time": np.mean([0, 4 * 0.5]) / 4,
           "a batch of one": alone()}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]


def test_the_layer_refuses_a_batch_of_one():
    with pytest.raises(nnlib.ShapeError, match="two values"):
        nnlib.BatchNorm1d(1)(nnlib.Tensor(np.array([[37.0]], dtype=np.float32)))


@pytest.mark.parametrize("price, ends", [("L1", 0), ("L2", 1 / 3)])
def test_a_weak_pull_holds_against_l2_alone(price, ends):
    w, rate = 1.0, 0.5
    for _ in range(10_000):
        w += rate * 0.001  # the pull of the data
        w = np.sign(w) * max(abs(w) - rate * 0.003, 0) if price == "L1" else w - rate * 0.003 * w
    assert np.isclose(w, ends, atol=1e-3) and QUESTIONS["which price makes zeros"].answer == "L1"


def test_the_network_learns_wrong_labels_by_heart():
    digits = nnlib.datasets.load_digits().take(slice(0, 200))
    t = digits.t.copy()
    t[:40] = (t[:40] + 3) % 10
    nnlib.manual_seed(0)
    model = nnlib.Sequential(nnlib.Linear(64, 128), nnlib.ReLU(), nnlib.Linear(128, 10))
    history = nnlib.fit(model, (digits.X, t), optimizer=nnlib.SGD(model.parameters(), 0.05, 0.9), epochs=60,
                        batch_size=20, seed=0, progress=False)
    assert history.metric[-1] > 0.95 and QUESTIONS["the wrong labels"].answer == "about 0"


@pytest.mark.parametrize("strength, reaches", [(0, False), (0.01, True), (0.03, True)])
def test_the_goal_in_the_playground_is_reached_by_regularization_and_not_without(strength, reaches):
    training = Training(Settings.from_text("data=circle&noise=50&train=10&layers=8,8&activation=tanh&rate=0.1"
                                           f"&regularization=L2&strength={strength}"))
    for _ in range(450):
        training.advance()
    lowest = training.records[-1][1]
    assert lowest < 0.37 if reaches else lowest > 0.43  # the goal is 0.38


def test_each_kind_is_there_and_all_numbers_are_tested():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
