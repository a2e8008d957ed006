"""The questions of notebook 16: their answers are what nnlib's attention, norms and masks give."""

import numpy as np
import pytest

from nnlib import MultiHeadAttention, causal_mask, layer_norm
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb16 import QUESTIONS


def score_spread():
    query, key = np.random.default_rng(0).normal(size=(2, 200_000, 64))
    return round(np.std((query * key).sum(axis=1)), 1)


def share_behind_a_mask():
    sees = np.fliplr(causal_mask(8)).diagonal()     # place i and letter 7 - i
    return np.where(sees, 1, 0.1).mean()


ANSWERS = {"the spread of a score": score_spread,
           "layer norm by hand": lambda: layer_norm(np.array([[0.0, 0, 0, 0, 5]]), 5)[0, 4],
           "reversing behind a mask": share_behind_a_mask}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_formulas_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name]())[0]


def test_the_number_of_heads_does_not_change_the_number_of_weights():
    counts = {sum(p.data.size for p in MultiHeadAttention(64, heads).parameters()) for heads in (1, 4)}
    assert len(counts) == 1 and QUESTIONS["more heads"].answer == "just as many"


def test_a_shuffled_sequence_gets_shuffled_answers():
    rng = np.random.default_rng(0)
    attention, x, order = MultiHeadAttention(8, 2, dtype=float, rng=0), rng.normal(size=(1, 6, 8)), rng.permutation(6)
    assert np.allclose(attention(x[:, order]).data, attention(x).data[:, order])
    assert QUESTIONS["a shuffled sequence"].answer == "they are shuffled in the same way"


def test_the_hard_look_up_does_not_move_and_its_border_is_a_jump():
    keys, values = np.array([[1.0, 0], [0, 1]]), np.array([3.0, 7])
    answers = [values[(keys @ [np.cos(a), np.sin(a)]).argmax()] for a in np.linspace(0.1, 1.4, 200)]
    assert set(answers) == {3.0, 7.0} and np.count_nonzero(np.diff(answers)) == 1
    assert QUESTIONS["a nudge of the query"].answer == "nothing: it is 0"


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
