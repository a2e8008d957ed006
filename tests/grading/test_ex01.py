"""Exercise set 01: wrong answers that are not in its list lose points, and other right answers keep them."""

import math

import numpy as np
import pytest

import nnlib
from nnlib import Tensor
from nnlib.grading.checks import ex01
from nnlib.grading.examine import RIGHT, examine

QUESTIONS = {exercise.name: exercise for exercise in ex01.EXERCISES}
sigmoid, gradient, entropy = ex01.sigmoid, ex01.logistic_gradient, ex01.binary_cross_entropy
perceptron, line, train = ex01.perceptron_loss, ex01.decision_line, ex01.train


def true_class(p, t):
    return np.clip(np.where(t == 1, p, 1 - p), 1e-12, 1)


def side(z, t):
    return np.where(t == 1, z, -z)


def unless_vertical(answer):
    return lambda w, b, x1: answer(w, b, x1) if w[1] else x1 * np.nan


def if_vertical(value):
    return lambda w, b, x1: line(w, b, x1) if w[1] else value(w, b, x1)


WRONG = {
    "sigmoid": [
        lambda z: 1 / 1 + np.exp(-z), lambda z: 1 / (1 - np.exp(-z)), lambda z: np.log(1 + np.exp(z)),
        lambda z: sigmoid(2 * np.asarray(z)), lambda z: sigmoid(z).round(2), lambda z: np.clip(z, 0, 1),
        lambda z: 1 / (1 + 2 ** -np.asarray(z)), lambda z: [sigmoid(v) for v in np.ravel(z)],
        lambda z: sigmoid(z) ** 2, lambda z: sigmoid(np.clip(z, -10, 10)), lambda z: None,
        lambda z: np.exp(-np.log(1 + np.exp(-z))),
        lambda z: np.add(np.zeros_like(z), sigmoid(z), casting="unsafe", dtype=np.asarray(z).dtype)],
    "predict_proba": [
        lambda X, w, b: sigmoid(np.sum(X @ w + b)), lambda X, w, b: sigmoid((X * w).sum(axis=0) + b),
        lambda X, w, b: sigmoid(X @ w * b), lambda X, w, b: sigmoid(X @ w) * sigmoid(b),
        lambda X, w, b: np.exp(X @ w + b) / np.exp(X @ w + b).sum(), lambda X, w, b: np.tanh(X @ w + b),
        lambda X, w, b: sigmoid(X @ w / np.linalg.norm(w) + b), lambda X, w, b: sigmoid(X @ w + abs(b)),
        lambda X, w, b: np.log(sigmoid(X @ w + b)), lambda X, w, b: sigmoid(X @ w + b).round(1)],
    "binary_cross_entropy": [
        lambda p, t: entropy(p, t) / np.log(10), lambda p, t: entropy(p, t) / 2, lambda p, t: 0.2817,
        lambda p, t: np.mean(np.abs(p - t)), lambda p, t: np.prod(true_class(p, t)),
        lambda p, t: -np.mean(np.log(true_class(p, t) + 1e-3)),
        lambda p, t: -np.median(np.log(true_class(p, t))), lambda p, t: np.mean(1 - true_class(p, t)),
        lambda p, t: entropy(p, t) if 0 < p.min() and p.max() < 1 else 0.0,
        lambda p, t: entropy(np.clip(p, 1e-5, 1 - 1e-5), t), lambda p, t: entropy(p.round(2), t)],
    "logistic_gradient": [
        lambda X, t, w, b: (gradient(X, t, w, b)[0], 0.0), lambda X, t, w, b: sum(gradient(X, t, w, b)),
        lambda X, t, w, b: (-gradient(X, t, w, b)[0], gradient(X, t, w, b)[1]),
        lambda X, t, w, b: (gradient(X, t, w, b)[0], -gradient(X, t, w, b)[1]),
        lambda X, t, w, b: (X.T @ sigmoid(X @ w + b) / len(t), sigmoid(X @ w + b).mean()),
        lambda X, t, w, b: ((sigmoid(X @ w + b) - t)[:, None] * X, sigmoid(X @ w + b) - t),
        lambda X, t, w, b: (X.mean(axis=0) * gradient(X, t, w, b)[1], gradient(X, t, w, b)[1]),
        lambda X, t, w, b: tuple(map(np.abs, gradient(X, t, w, b))),
        lambda X, t, w, b: (gradient(X, t, w, b)[0][:, None], gradient(X, t, w, b)[1]),
        lambda X, t, w, b: (gradient(X, t, w, b)[0], sigmoid(X @ w + b) - t)],
    "perceptron_loss": [
        lambda z, t: np.mean(np.maximum(0, -side(z, t)) ** 2), lambda z, t: np.mean(np.abs(z)),
        lambda z, t: np.max(np.maximum(0, -side(z, t))), lambda z, t: np.mean(np.maximum(0, z)),
        lambda z, t: np.mean(np.minimum(0, -side(z, t))), lambda z, t: 0.375,
        lambda z, t: np.mean(np.maximum(0, -side(sigmoid(z), t))), lambda z, t: np.mean(np.maximum(0, z - t)),
        lambda z, t: -perceptron(z, t), lambda z, t: perceptron(z, t) / 2],
    "decision_line": [
        unless_vertical(lambda w, b, x1: -w[0] / w[1]), unless_vertical(lambda w, b, x1: line(w, b - 0.5, x1)),
        unless_vertical(lambda w, b, x1: -w[0] * x1 / w[1] + b), if_vertical(lambda w, b, x1: x1 * 0 + np.inf),
        if_vertical(lambda w, b, x1: []), lambda w, b, x1: -(w[0] * x1 + b) / (w[1] + 1e-9),
        lambda w, b, x1: line(w, b, x1) if w[1] > 0 else x1 * np.nan,
        lambda w, b, x1: sigmoid(w[0] * x1 + b), lambda w, b, x1: -(w @ x1 + b),
        lambda w, b, x1: np.column_stack([x1, line(w, b, x1)]), lambda w, b, x1: line(w, b, x1)[0]],
    "train": [
        lambda X, t, rate, steps: (np.zeros(X.shape[1]), 0.0), lambda X, t, rate, steps: None,
        lambda X, t, rate, steps: train(X, t, rate / len(t), steps),
        lambda X, t, rate, steps: train(X, t, rate * len(t), steps),
        lambda X, t, rate, steps: train(X, t, rate, steps)[1],
        lambda X, t, rate, steps: train(X, t, rate, steps)[::-1],
        lambda X, t, rate, steps: train(X, t, rate, steps - 1),
        lambda X, t, rate, steps: train(X, 1 - t, rate, steps),
        lambda X, t, rate, steps: train(X, t, rate, max(1, steps)),
        lambda X, t, rate, steps: gradient(X, t, np.zeros(X.shape[1]), 0.0),
        lambda X, t, rate, steps: train(X[::2], t[::2], rate, steps)]}

OTHER_RIGHT = {
    "sigmoid": [lambda z: nnlib.sigmoid(Tensor(np.asarray(z, dtype=float))), lambda z: sigmoid(z).tolist(),
                lambda z: np.exp(-np.logaddexp(0, -np.asarray(z)))],
    "predict_proba": [lambda X, w, b: (sigmoid(row @ w + b) for row in X),
                      lambda X, w, b: (sigmoid(X @ w.reshape(-1, 1) + b)).ravel()],
    "binary_cross_entropy": [nnlib.binary_cross_entropy,
                             lambda p, t: sum(-math.log(q) for q in true_class(p, t)) / len(t),
                             lambda p, t: -np.mean(np.log(np.maximum(true_class(p, t), 1e-7)))],
    "logistic_gradient": [lambda X, t, w, b: (np.mean([(sigmoid(x @ w + b) - y) * x for x, y in zip(X, t)], axis=0),
                                              float(np.mean(sigmoid(X @ w + b) - t)))],
    "perceptron_loss": [lambda z, t: np.mean(np.where((z > 0) == t, 0, np.abs(z)))],
    "decision_line": [lambda w, b, x1: np.where(w[1] == 0, np.nan, -(w[0] * x1 + b) / (w[1] or 1))],
    "train": [lambda X, t, rate, steps: [Tensor(part) for part in train(X, t, rate, steps)]]}


def test_the_lists_cover_every_question():
    assert set(WRONG) == set(OTHER_RIGHT) == set(QUESTIONS)
    assert sum(exercise.points for exercise in ex01.EXERCISES) == 15


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, answer", [(name, answer) for name, answers in WRONG.items() for answer in answers])
def test_wrong_answers_lose_points(name, answer):
    result = examine(QUESTIONS[name], answer)
    assert result.status != RIGHT and result.points < QUESTIONS[name].points


@pytest.mark.parametrize("name, answer",
                         [(name, answer) for name, answers in OTHER_RIGHT.items() for answer in answers])
def test_right_answers_in_another_style_earn_all(name, answer):
    assert examine(QUESTIONS[name], answer).status == RIGHT
