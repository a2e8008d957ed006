"""ex06: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

from nnlib import sigmoid, softmax
from nnlib.grading.checks import ex06
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex06.EXERCISES}


def in_place_through_the_softmax(Z, t):
    P = softmax(Z)
    for row, target in zip(P, t, strict=True):
        row -= target == np.arange(len(row))
        row /= len(row)
    return P


def first_layer_without_x(X, t, W1, b1, W2, b2):
    dW1, db1, dW2, db2 = ex06.two_layer_gradients(X, t, W1, b1, W2, b2)
    return np.outer(db1, X.mean(axis=0)), db1, dW2, db2


def stops_at_the_probabilities(X, t, W1, b1, W2, b2):
    P = sigmoid(X @ W1.T + b1)
    D = -np.eye(len(b2))[t] / softmax(P @ W2.T + b2) / len(X)
    dP, dW2, db2 = ex06.linear_backward(D, P, W2)
    _, dW1, db1 = ex06.linear_backward(ex06.sigmoid_backward(dP, P), X, W1)
    return dW1, db1, dW2, db2


def squared_losses(X, t, W1, b1, W2, b2):
    P = sigmoid(X @ W1.T + b1)
    D = 2 * (P @ W2.T + b2 - np.eye(len(b2))[t]) / len(X)
    dP, dW2, db2 = ex06.linear_backward(D, P, W2)
    _, dW1, db1 = ex06.linear_backward(ex06.sigmoid_backward(dP, P), X, W1)
    return dW1, db1, dW2, db2


def moves_the_weights(X, t, W1, b1, W2, b2):
    found = ex06.two_layer_gradients(X, t, W1, b1, W2, b2)
    W1 -= found[0]
    return found


def by_matching_sizes(G, shape):
    sizes = list(shape)
    for axis in reversed(range(G.ndim)):
        if G.shape[axis] not in sizes:
            G = G.sum(axis=axis)
    return G


def only_two_axes(G, shape):
    if G.ndim == 2 and len(shape) == 1:
        return G.sum(axis=0)
    if len(shape) == 2 and shape[1] == 1:
        return G.sum(axis=1, keepdims=True)
    return G


def keeps_the_gradient_that_arrives(self, G):
    dX = ex06.Unit.backward(self, G)
    self.dW, self.db = self.dW * 0 + G.sum(), self.db
    return dX


def backward_with_a_step(self, G):
    dX = ex06.Unit.backward(self, G)
    ex06.Unit.update(self, 0.1)
    return dX


def backward_with_the_sum(self, G):
    return ex06.Unit.backward(self, G).sum(axis=0)


def subtract_the_gradients(self, dW, db):
    self.dW, self.db = self.dW - dW, self.db - db


def update_adding_up(self, rate):
    self.W, self.b = self.W - rate * self.dW, self.b - rate * self.db
    self.dW = np.zeros_like(self.W)


WRONG = {
    "linear_backward": [
        lambda G, X, W: (G @ W / len(G), G.T @ X, G.sum(axis=0)),
        lambda G, X, W: (G @ W, -G.T @ X, G.sum(axis=0)),
        lambda G, X, W: (X, W, G.sum(axis=0)),
        lambda G, X, W: (G @ W, G.T @ X, np.abs(G).sum(axis=0)),
        lambda G, X, W: (G @ W * X, G.T @ X, G.sum(axis=0)),
        lambda G, X, W: (G @ W, G.T @ X * W, G.sum(axis=0)),
        lambda G, X, W: {"dX": G @ W, "dW": G.T @ X, "db": G.sum(axis=0)},
        lambda G, X, W: G @ W,
        lambda G, X, W: (G @ W, G[:1].T @ X[:1], G.sum(axis=0)),
        lambda G, X, W: ((G[:, :, None] * W).sum(axis=2), G.T @ X, G.sum(axis=0))],
    "sigmoid_backward": [
        lambda G, p: G * p**2, lambda G, p: G * (p - 1), lambda G, p: G * np.sqrt(p * (1 - p)),
        lambda G, p: G * p * (1 - p) / len(p), lambda G, p: G * np.exp(-p) / (1 + np.exp(-p)) ** 2,
        lambda G, p: 2 * G * p * (1 - p), lambda G, p: np.sign(G) * p * (1 - p), lambda G, p: G * 0.25,
        lambda G, p: G * np.log(p / (1 - p)), lambda G, p: G.sum(axis=0) * p * (1 - p)],
    "softmax_cross_entropy_backward": [
        in_place_through_the_softmax,
        lambda Z, t: 2 * (softmax(Z) - np.eye(Z.shape[1])[t]) / len(Z),
        lambda Z, t: (softmax(Z) - np.eye(Z.shape[1])[t - 1]) / len(Z),
        lambda Z, t: (softmax(Z) - np.eye(Z.shape[1])[t]).sum() / len(Z),
        lambda Z, t: (softmax(Z) - 1 / Z.shape[1]) / len(Z),
        lambda Z, t: (np.log(softmax(Z)) - np.eye(Z.shape[1])[t]) / len(Z),
        lambda Z, t: np.abs(softmax(Z) - np.eye(Z.shape[1])[t]) / len(Z),
        lambda Z, t: (softmax(Z) - np.eye(len(Z))[t]) / len(Z),
        lambda Z, t: -np.log(softmax(Z)[np.arange(len(t)), t]).mean(),
        lambda Z, t: (softmax(-Z) - np.eye(Z.shape[1])[t]) / len(Z)],
    "two_layer_gradients": [
        first_layer_without_x, stops_at_the_probabilities, squared_losses, moves_the_weights,
        lambda *a: ex06.two_layer_gradients(*a)[2:], lambda *a: ex06.two_layer_gradients(*a)[0],
        lambda *a: [-g for g in ex06.two_layer_gradients(*a)],
        lambda *a: [p - g for p, g in zip(a[2:], ex06.two_layer_gradients(*a), strict=True)],
        ex06.two_layers(slope=lambda G, p: G * (p > 0.5)),
        ex06.two_layers(slope=lambda G, p: G * p * (1 - p) / len(p)),
        ex06.two_layers(hidden=lambda X, W1, b1: np.tanh(X @ W1.T + b1))],
    "unbroadcast": [
        by_matching_sizes, only_two_axes, lambda G, shape: G.reshape(shape),
        lambda G, shape: np.broadcast_to(G, shape), lambda G, shape: np.zeros(shape),
        lambda G, shape: G.sum(axis=-1), lambda G, shape: G.sum(axis=0, keepdims=True),
        lambda G, shape: G.max(axis=0), lambda G, shape: G.sum(), lambda G, shape: G.reshape(-1, *shape)[0]],
    "Unit": [
        ex06.unit_with(backward=keeps_the_gradient_that_arrives), ex06.unit_with(backward=backward_with_a_step),
        ex06.unit_with(backward=backward_with_the_sum), ex06.unit_with(update=update_adding_up),
        ex06.unit_with(_keep=lambda self, dW, db: None), ex06.unit_with(update=lambda self, rate: None),
        ex06.unit_with(_keep=subtract_the_gradients),
        ex06.unit_with(_squashed=lambda self, A: np.tanh(A) if self.squash else A),
        ex06.unit_with(_squashed=lambda self, A: softmax(A)),
        ex06.unit_with(forward=lambda self, X: self._squashed(X @ self.W + self.b))]}


def numbered(answers):
    pairs = [(name, number) for name in answers for number in range(len(answers[name]))]
    return pytest.mark.parametrize(("name", "number"), pairs)


@numbered(WRONG)
def test_other_wrong_answers_lose_points(name, number):
    exercise = BY_NAME[name]
    result = examine(exercise, WRONG[name][number])
    assert result.points < exercise.points
    failed = next((verdict for verdict in result.verdicts if verdict.failure), None)
    assert failed and failed.problem


def in_columns(G, X, W):
    return (W.T @ G.T).T, (X.T @ G).T, (G.T @ np.ones(len(G)))


class LittleUnit:
    def __init__(self, W, b, squash):
        self.W, self.b, self.squash = W.astype(float), b.astype(float), squash
        self.dW = self.db = 0

    def forward(self, X):
        self.X = X
        self.Z = self.X @ self.W.transpose() + self.b
        return sigmoid(self.Z) if self.squash else self.Z

    def backward(self, G):
        if self.squash:
            p = sigmoid(self.Z)
            G = np.multiply(G, p - p * p)
        self.dW = self.dW + np.transpose(G) @ self.X
        self.db = self.db + np.sum(G, 0)
        return np.dot(G, self.W)

    def update(self, rate):
        self.W = self.W - rate * self.dW
        self.b = self.b - rate * self.db
        self.dW = self.db = 0


RIGHT = {
    "linear_backward": [in_columns, lambda G, X, W: [np.dot(G, W).tolist(), np.dot(X.T, G).T, list(map(sum, zip(*G)))]],
    "sigmoid_backward": [lambda G, p: np.multiply(G, np.multiply(p, 1 - p)), lambda G, p: G * p - G * p * p],
    "softmax_cross_entropy_backward": [
        lambda Z, t: (softmax(Z - 5) - (np.arange(Z.shape[1]) == t[:, None])) / Z.shape[0],
        lambda Z, t: [(softmax(z) - np.eye(len(z))[k]) / len(Z) for z, k in zip(Z, t, strict=True)]],
    "two_layer_gradients": [lambda *a: list(ex06.two_layers_flat(*a))],
    "unbroadcast": [lambda G, shape: G if G.shape == shape else ex06.unbroadcast_at_once(G, shape)],
    "Unit": [LittleUnit]}


@numbered(RIGHT)
def test_right_answers_in_other_styles_earn_all(name, number):
    exercise = BY_NAME[name]
    assert examine(exercise, RIGHT[name][number]).points == exercise.points
