"""The questions of notebook 01: their answers are what is computed here."""

import math

from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb01 import QUESTIONS

COMPUTED = {"log-odds": math.log(0.8 / 0.2), "likelihood of four": 0.9 * 0.8 * 0.9 * 0.5, "coin on XOR": math.log(2),
            "cost of missing": 1 / (1 + 9)}


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}


def test_numbers_are_computed_here_too():
    assert set(COMPUTED) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
    for name, value in COMPUTED.items():
        assert QUESTIONS[name].judge(value)[0]


def test_the_order_is_by_size_of_the_error():
    order = QUESTIONS["who pulls hardest"].items
    words = [item.replace(",", "").split() for item in order]
    errors = [abs(float(predicted) - float(target)) for _, target, _, predicted in words]
    assert errors == sorted(errors, reverse=True)
