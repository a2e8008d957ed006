"""The questions of notebook 05: their answers are what the formulas and a walk through the graphs give."""

import pytest

from nnlib import Tensor, numerical_gradient
from nnlib.autograd import topological_order
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb05 import QUESTIONS

ANSWERS = {"the nudge": (-2 + 0.001 + 5) * -4 - (-2 + 5) * -4,
           "used twice": numerical_gradient(lambda b: (2 + b) * (b + 1), 3.0)}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(round(float(ANSWERS[name]), 6))[0]


def test_the_number_of_paths():
    x = node = Tensor(1.0, requires_grad=True)
    for _ in range(20):
        node = node + node
    node.backward()
    assert len(topological_order(node)) == 21 and x.grad == 2**20  # every path contributes 1
    assert QUESTIONS["counting paths"].answer == "about a million"


def test_the_order_in_which_gradients_are_complete():
    x = Tensor(3.0, requires_grad=True)
    q = x * x
    s = q * q
    f = q + s
    names = {x: "x", q: "q", s: "s", f: "f"}
    order = "".join(names[node] for node in reversed(topological_order(f)))
    assert order == "".join(item[0] for item in QUESTIONS["who goes first"].items)


def test_two_calls_that_keep_what_the_first_left_in_the_nodes():
    z, q, x = -4, 0, 0
    for _ in range(2):
        q += z * 1
        x += 1 * q
    assert QUESTIONS["twice"].answer == str(x)


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
