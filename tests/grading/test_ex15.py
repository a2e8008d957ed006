"""ex15: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

from nnlib import RNN, GRUCell, LSTMCell, Residual, RNNCell, Tensor, relu
from nnlib.grading.checks import ex15
from nnlib.grading.checks.ex15 import bptt, gru, lstm, sigmoid
from nnlib.grading.checks.ex15 import relu as cut
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex15.EXERCISES}


def last_step_twice(X, h0, W_ih, W_hh, b, G):
    return ex15.bptt_gradient(np.concatenate([X, X[-1:]]), h0, W_ih, W_hh, b, np.concatenate([G, 0 * G[-1:]]))[::-1]


WRONG = {
    "residual_block": [
        lambda x, W1, W2: None, lambda x, W1, W2: 2 * x + cut(x @ W1.T) @ W2.T,
        lambda x, W1, W2: x + np.minimum(x @ W1.T, 0) @ W2.T, lambda x, W1, W2: x + np.abs(x @ W1.T) @ W2.T,
        lambda x, W1, W2: x + sigmoid(x @ W1.T) @ W2.T, lambda x, W1, W2: (x + cut(x @ W1.T) @ W2.T) / np.sqrt(2),
        lambda x, W1, W2: x + (x @ W1.T > 0) @ W2.T, lambda x, W1, W2: x + np.where(x @ W1.T > 0, 1, 0.01) @ W2.T,
        lambda x, W1, W2: np.concatenate([x, cut(x @ W1.T) @ W2.T], axis=1), lambda x, W1, W2: x.sum() + 0 * x,
        lambda x, W1, W2: x + x @ W1.T @ W1, lambda x, W1, W2: cut(x @ W1.T)],
    "rnn_step": [
        lambda x, h, W_ih, W_hh, b: None, lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h @ W_hh.T - b),
        lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T - h @ W_hh.T + b), lambda x, h, W_ih, W_hh, b: h,
        lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T * (h @ W_hh.T) + b),
        lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h @ W_hh.T + 2 * b),
        lambda x, h, W_ih, W_hh, b: 1 - np.tanh(x @ W_ih.T + h @ W_hh.T + b) ** 2,
        lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h @ W_hh.T + b)[0],
        lambda x, h, W_ih, W_hh, b: np.tanh((x @ W_ih.T + h @ W_hh.T + b) / 2),
        lambda x, h, W_ih, W_hh, b: np.arctan(x @ W_ih.T + h @ W_hh.T + b)],
    "lstm_step": [
        lstm(give=lambda h, c, old: None), lstm(order=(3, 1, 2, 0)), lstm(order=(0, 1, 2, 0)), lstm(order=(2, 1, 0, 3)),
        lstm(write=lambda c, i, f, g, o: f * c - i * g), lstm(write=lambda c, i, f, g, o: f * c * i * g),
        lstm(write=lambda c, i, f, g, o: f * np.tanh(c) + i * g), lstm(write=lambda c, i, f, g, o: i * c + f * g),
        lstm(show=lambda o, c, old: o + np.tanh(c)), lstm(show=lambda o, c, old: o * sigmoid(c)),
        lstm(give=lambda h, c, old: np.concatenate([h, c], axis=1)), lstm(give=lambda h, c, old: (h, np.tanh(c))),
        lstm(scores=lambda x, h, W_ih, W_hh, b: x @ W_ih.T + h @ W_hh.T - b)],
    "gru_step": [
        lambda *args: None, gru(order=(0, 2, 1)), gru(order=(2, 1, 0)), gru(mix=lambda z, n, h: z * h + n * z),
        gru(mix=lambda z, n, h: (n + h) / 2), gru(mix=lambda z, n, h: (1 - z) * n - z * h),
        gru(candidate=lambda n_x, n_h, r: np.tanh(n_x + (1 - r) * n_h)),
        gru(candidate=lambda n_x, n_h, r: np.tanh(n_x) + r * np.tanh(n_h)), gru(gate=lambda s: s),
        gru(candidate=lambda n_x, n_h, r: np.tanh(n_x - r * n_h)),
        gru(mix=lambda z, n, h: np.tanh((1 - z) * n + z * h)),
        gru(gate=lambda s: (s > 0) * 1.0)],
    "bptt_gradient": [
        lambda *args: None, last_step_twice, bptt(back=lambda delta, W_hh: -delta @ W_hh),
        bptt(slope=lambda h, old: 1 + h ** 2), bptt(slope=lambda h, old: (1 - h ** 2) ** 2),
        bptt(blame=lambda g, carry, slope: g * carry * slope), bptt(blame=lambda g, carry, slope: (g - carry) * slope),
        bptt(memory=lambda h, t: h[0]), bptt(memory=lambda h, t: h[-1]),
        bptt(total=lambda parts: max(parts, key=np.sum)),
        bptt(give=lambda a, w, d: (a, w, d.sum())), bptt(give=lambda a, w, d: (2 * a, 2 * w, 2 * d)),
        bptt(give=lambda a, w, d: (a, w.T, d)), bptt(back=lambda delta, W_hh: np.clip(delta @ W_hh, -0.1, 0.1))],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    for number, answer in enumerate(WRONG[name]):
        result = examine(BY_NAME[name], answer)
        assert result.points < BY_NAME[name].points, number
        assert any(verdict.problem for verdict in result.verdicts)


def cells_of(name):
    return {"rnn_step": (RNNCell, 1), "lstm_step": (LSTMCell, 2), "gru_step": (GRUCell, 1)}[name]


@pytest.mark.parametrize("name", ["rnn_step", "lstm_step", "gru_step"])
def test_a_step_is_that_of_nnlib_and_the_library_is_no_answer(name):
    kind, states = cells_of(name)
    cell, rng = kind(3, 4, rng=0, dtype=np.float64), np.random.default_rng(1)
    x, *kept = rng.normal(size=(5, 3)), *rng.normal(size=(states, 5, 4))
    biases = [cell.bias_ih.data, cell.bias_hh.data] if name == "gru_step" else [cell.bias_ih.data + cell.bias_hh.data]
    mine = BY_NAME[name].reference(x, *kept, cell.weight_ih.data, cell.weight_hh.data, *biases)
    other = cell(x, tuple(kept) if states > 1 else kept[0])
    assert np.abs(np.asarray(mine) - [part.data for part in other] if states > 1 else mine - other.data).max() < 1e-12

    def answer(x, *rest):
        cell = kind(x.shape[1], rest[0].shape[1], dtype=np.float64)
        new = cell(x, rest[:states] if states > 1 else rest[0])
        return tuple(part.data for part in new) if states > 1 else new.data
    assert examine(BY_NAME[name], answer).points == 0


def test_the_gradient_is_that_of_nnlib():
    layer, rng = RNN(3, 4, rng=0, dtype=np.float64), np.random.default_rng(1)
    X, h0, G = rng.normal(size=(6, 2, 3)), rng.normal(size=(2, 4)), rng.normal(size=(6, 2, 4))
    layer(Tensor(X), h0[None])[0].backward(G)
    mine = ex15.bptt_gradient(X, h0, layer.weight_ih_l0.data, layer.weight_hh_l0.data,
                              layer.bias_ih_l0.data + layer.bias_hh_l0.data, G)
    library = layer.weight_ih_l0.grad, layer.weight_hh_l0.grad, layer.bias_ih_l0.grad
    assert all(np.abs(m - n).max() < 1e-12 for m, n in zip(mine, library, strict=True))


def test_the_block_is_that_of_nnlib():
    x, W1, W2 = ex15.block_arguments(np.random.default_rng(0))
    assert np.allclose(ex15.residual_block(x, W1, W2), Residual(lambda x: relu(x @ W1.T) @ W2.T)(Tensor(x)).data)


@pytest.mark.parametrize("name, answer, misconception", [
    ("residual_block", lambda x, W1, W2: np.maximum(0, x + np.maximum(0, x @ W1.T) @ W2.T), "a ReLU behind the plus"),
    ("rnn_step", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + np.dot(h, W_hh) + b), "W_hh not transposed"),
    ("lstm_step", lstm(order=(0, 1, 3, 2)), "the order i, f, o, g"),
    ("gru_step", lambda *args: gru(mix=lambda z, n, h: n + z * (n - h) * 0 - (1 - z) * (n - h))(*args),
     "z and 1 - z exchanged"),
    ("bptt_gradient", bptt(back=lambda delta, W_hh: (W_hh @ delta.T).T), "W_hh transposed"),
])
def test_slips_that_look_alike_are_told_apart(name, answer, misconception):
    assert examine(BY_NAME[name], answer).misconception == misconception
