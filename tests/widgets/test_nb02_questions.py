"""The questions of notebook 02: their answers are what is computed here."""

import numpy as np

from nnlib import softmax
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb02 import QUESTIONS

COMPUTED = {"five readings": np.mean([20, 21, 22, 22, 40]), "before training": -np.log(1 / 10)}


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}


def test_numbers_are_computed_here_too():
    assert set(COMPUTED) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
    for name, value in COMPUTED.items():
        assert QUESTIONS[name].judge(value)[0]


def test_wrong_readings_are_arrived_at_as_the_feedback_says():
    readings = np.array([20, 21, 22, 22, 40])
    ways = {np.median(readings), readings[:4].mean(), (readings.min() + readings.max()) / 2, readings.sum()}
    assert set(QUESTIONS["five readings"].near) == ways


def test_a_quarter_of_the_gradient():
    def slope(deviation):
        return (0.3 - 1.0) / deviation ** 2
    assert np.isclose(slope(2.0) / slope(1.0), 0.25)
    assert QUESTIONS["doubled deviation"].answer.endswith("a quarter")


def test_the_slips_of_deck_c_are_the_two_that_a_softmax_does_not_give():
    printed = np.array([0.006, 0.0001, 0.047, 0.94, 0.17])
    wrong = np.abs(printed / softmax(np.array([0.6, -1.0, 5.0, 8.0, 4.0])) - 1) > 0.5
    assert QUESTIONS["a slip in print"].answer == " and ".join(f"{p:g}" for p in printed[wrong])


def test_a_shift_changes_nothing_and_a_batch_of_one_is_certain():
    z = np.array([[0.3, -1.0, 2.0]])
    assert np.allclose(softmax(z + 5), softmax(z)) and QUESTIONS["five for everyone"].answer == "nothing"
    assert np.all(softmax(z, axis=0) == 1) and QUESTIONS["a batch of one"].answer.startswith("1 for")


def test_the_order_is_by_the_pull_of_the_squared_loss():
    p = np.array([float(item.split()[1]) for item in QUESTIONS["who pulls with squares"].items])
    pulls = 2 * p * p * (1 - p)
    assert np.all(np.diff(pulls) < 0) and np.allclose(pulls, [0.294, 0.25, 0.162, 0.0196], atol=5e-4)
