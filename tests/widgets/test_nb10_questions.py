"""The questions of notebook 10: their answers are what formulas and small experiments give."""

import math

import numpy as np
import pytest

from nnlib import Linear, ReLU, Sequential, Tensor, cross_entropy, manual_seed
from nnlib.datasets import load_digits
from nnlib.tuning import grid_search, log_uniform, random_search
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb10 import QUESTIONS


def gradient_ratio():
    w = Tensor(np.array([2.0, 0.001]), requires_grad=True)
    (0.5 * ((w * np.array([0.5, 3000.0])).sum() - 7.0) ** 2).backward()
    return w.grad[1] / w.grad[0]


def best_of_a_hundred():
    return 100 * np.random.default_rng(0).binomial(50, 0.5, size=(2000, 100)).max(axis=1).mean() / 50


ANSWERS = {"meters and grams": gradient_ratio, "a hundred guessers": best_of_a_hundred, "the first loss":
           lambda: math.log(10)}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_experiments_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name]())[0]


def test_a_fresh_network_for_ten_classes_begins_near_the_logarithm_of_ten():
    data = load_digits()
    for seed in range(3):
        manual_seed(seed)
        model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10))
        assert abs(cross_entropy(model(Tensor(data.X)), data.t).item() - QUESTIONS["the first loss"].answer) < 0.2


def test_features_chosen_with_the_test_labels_flatter_on_noise():
    scores, t = [], np.tile([0, 1], 30)
    for seed in range(30):
        X = np.random.default_rng(seed).normal(size=(60, 1000))
        distance = np.abs(X[t == 1].mean(axis=0) - X[t == 0].mean(axis=0))
        X = X[:, np.argsort(-distance)[:10]]
        middle = [X[:40][t[:40] == k].mean(axis=0) for k in (0, 1)]
        nearer = np.argmin([np.sum((X[40:] - m) ** 2, axis=1) for m in middle], axis=0)
        scores.append(np.mean(nearer == t[40:]))
    assert np.mean(scores) > 0.75
    assert QUESTIONS["what leaks"].answer == "the test labels have helped to choose the features"


def test_a_grid_tries_three_rates_and_random_draws_nine():
    space = {"rate": log_uniform(1e-4, 1), "decay": log_uniform(1e-6, 1)}
    grid = grid_search(lambda rate, decay: rate + decay, space, 3, seed=0, progress=False)
    draws = random_search(lambda rate, decay: rate + decay, space, 9, seed=0, progress=False)
    rates = [len({row["rate"] for row in results.rows()}) for results in (grid, draws)]
    assert len(grid) == len(draws) == 9 and rates == [3, 9]
    assert QUESTIONS["nine trials"].answer == "three and nine"


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
