"""ex07: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

from nnlib import sigmoid
from nnlib.grading.checks import ex07
from nnlib.grading.checks.ex07 import collapse_linear, collapsed, count_parameters, forward_with, giving, sign
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex07.EXERCISES}
WRONG = [
    ("sign_network", lambda X, W, b, v, c: sign((sign(X @ W.T + b) * v).mean(axis=1) + c)),
    ("sign_network", lambda X, W, b, v, c: sign(sign(X @ W.T - b) @ v + c)),
    ("sign_network", lambda X, W, b, v, c: sign(sign(X @ W.T + b) @ v - c)),
    ("sign_network", lambda X, W, b, v, c: sign(sign(X @ W.T + b) @ np.abs(v) + c)),
    ("xor_weights", giving([[1, 1], [-1, -1]], [1.9, 1.9], [1, 1], -1)),
    ("xor_weights", giving([[np.nan, 1], [1, 1]], [1, 1], [1, 1], 1)),
    ("xor_weights", giving([[1, 1], [1, 1]], [1, 1], [1, 1])),
    ("xor_weights", giving([[1, 1], [1, -1], [0, 1]], [1, 1, 1], [1, 1, 1], -1)),
    ("mlp_forward", lambda X, layers, f: ex07.mlp_forward(X, layers, lambda z: f(f(z)))),
    ("mlp_forward", lambda X, layers, f: ex07.mlp_forward(X, layers, sigmoid)),
    ("mlp_forward", forward_with(step=lambda X, W, b, f: f(X @ W.T - b))),
    ("count_parameters", lambda sizes: 2 * count_parameters(sizes)),
    ("count_parameters", lambda sizes: sum((m + 1) * (n + 1) for n, m in zip(sizes, sizes[1:]))),
    ("collapse_linear", lambda layers: (collapse_linear(layers)[0], collapse_linear(layers)[1][None])),
    ("collapse_linear", collapsed(biases=lambda V, W, b, c: V @ b - c)),
    ("bump", lambda x, a, b, m, k: m * np.minimum(sigmoid(k * (x - a)), sigmoid(k * (b - x)))),
    ("bump", lambda x, a, b, m, k: ex07.bump(x, a, b, abs(m), k)),
    ("bump", lambda x, a, b, m, k: ex07.bump(x, a, b, m, 2 * k)),
]
RIGHT = [
    ("sign_network", lambda *a: [int(answer) for answer in ex07.sign_network(*a)]),
    ("xor_weights", lambda: ([[1, -1], [1, -1]], [1, -1], [-1, 1], 1)),
    ("mlp_forward", lambda X, layers, f: np.stack([ex07.mlp_forward(x, layers, f) for x in X])),
    ("count_parameters", lambda sizes: np.int64(count_parameters(sizes))),
    ("collapse_linear", lambda layers: [part.tolist() for part in collapse_linear(layers)]),
    ("bump", lambda x, a, b, m, k: m / (1 + np.exp(-k * (x - a))) - m / (1 + np.exp(-k * (x - b)))),
]


@pytest.mark.parametrize(("name", "answer"), WRONG)
def test_other_wrong_answers_lose_points(name, answer):
    assert examine(BY_NAME[name], answer).points < BY_NAME[name].points


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_in_other_styles_earn_all(name, answer):
    assert examine(BY_NAME[name], answer).points == BY_NAME[name].points
