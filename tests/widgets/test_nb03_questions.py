"""The questions of notebook 03: their answers are what the formulas give."""

import numpy as np
import pytest

from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb03 import QUESTIONS

ANSWERS = {"the next step": 1 - 0.25 * 2 * (1 - 3), "a quieter gradient": np.sqrt(64 / 16)}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]


def test_the_rates_are_ordered_by_their_factors():
    rates = [float(item.split()[1]) for item in QUESTIONS["order the rates"].items]
    factors = np.abs(1 - 10 * np.array(rates))
    assert np.all(np.diff(factors) > 0) and factors[-1] > 1


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
