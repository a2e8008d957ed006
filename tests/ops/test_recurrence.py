"""The fused recurrences: against a loop of plain tensor operations, central differences, and at the extremes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import assert_gradients_match, seeds, uniform

from nnlib import ShapeError, Tensor, gru, lstm, relu, rnn, sigmoid, stack, tanh

BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}
OPERATIONS = {"rnn": rnn, "lstm": lstm, "gru": gru}


def drawn(kind, steps=4, batch=3, inputs=2, size=3, seed=0, bias=True):
    """x, the initial states, both weights and both biases."""
    rows = BLOCKS[kind] * size
    shapes = [(steps, batch, inputs), *[(batch, size)] * (2 if kind == "lstm" else 1), (rows, inputs), (rows, size)]
    return [uniform(seed + i, shape, -1.5, 1.5) for i, shape in enumerate(shapes + [(rows,), (rows,)] * bias)]


def in_single_operations(kind, x, *inputs, nonlinearity="tanh"):
    """The same network written as the equations stand in the docstrings, one operation on tensors at a time."""
    *states, weight_ih, weight_hh, bias_ih, bias_hh = inputs
    h, size, over_time = states[0], weight_hh.shape[1], []
    c = states[-1]
    for t in range(len(x)):
        by_input, by_state = x[t] @ weight_ih.T + bias_ih, h @ weight_hh.T + bias_hh
        a, b = ([z[:, k * size:(k + 1) * size] for k in range(BLOCKS[kind])] for z in (by_input, by_state))
        if kind == "rnn":
            h = tanh(a[0] + b[0]) if nonlinearity == "tanh" else relu(a[0] + b[0])
        elif kind == "lstm":
            i, f, g, o = (squash(p + q) for squash, p, q in zip([sigmoid, sigmoid, tanh, sigmoid], a, b, strict=True))
            c = f * c + i * g
            h = o * tanh(c)
        else:
            r, z = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
            n = tanh(a[2] + r * b[2])
            h = (1 - z) * n + z * h
        over_time.append(stack([h, c]) if kind == "lstm" else h)
    return stack(over_time, axis=1 if kind == "lstm" else 0)


@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("kind", OPERATIONS)
def test_gradients_against_central_differences(kind, bias):
    assert_gradients_match(OPERATIONS[kind], *drawn(kind, bias=bias))


def test_gradients_with_relu():
    inputs = drawn("rnn", seed=3)
    assert_gradients_match(lambda *arrays: rnn(*arrays, nonlinearity="relu"), *inputs)
    assert (rnn(*inputs, nonlinearity="relu") == 0).any()


@settings(max_examples=25)
@given(kind=st.sampled_from([*OPERATIONS]), relu=st.booleans(), steps=st.integers(1, 4), batch=st.integers(0, 3),
       inputs=st.integers(1, 3), size=st.integers(1, 3), seed=seeds.map(lambda s: s % 2**31))
def test_the_same_as_a_loop_of_single_operations(kind, relu, steps, batch, inputs, size, seed):
    options = {"nonlinearity": "relu"} if kind == "rnn" and relu else {}
    arrays = drawn(kind, steps, batch, inputs, size, seed)
    fused, plain = ([Tensor(a, requires_grad=True) for a in arrays] for _ in range(2))
    results = OPERATIONS[kind](*fused, **options), in_single_operations(kind, *plain, **options)
    assert results[0].shape == results[1].shape
    np.testing.assert_allclose(results[0].data, results[1].data, rtol=1e-12, atol=1e-14)
    upstream = uniform(seed, results[0].shape)
    for result in results:
        result.backward(upstream)
    for mine, reference in zip(fused, plain, strict=True):
        np.testing.assert_allclose(mine.grad, reference.grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", OPERATIONS)
def test_an_upstream_gradient_at_one_step_reaches_only_what_came_before(kind):
    inputs = [Tensor(a, requires_grad=True) for a in drawn(kind, steps=5)]
    states = OPERATIONS[kind](*inputs)
    (states[0, 2] if kind == "lstm" else states[2]).sum().backward()
    assert np.abs(inputs[0].grad[:3]).max(axis=(1, 2)).all() and not inputs[0].grad[3:].any()


@pytest.mark.parametrize("kind", OPERATIONS)
def test_one_graph_can_be_walked_twice(kind):
    inputs = [Tensor(a, requires_grad=True) for a in drawn(kind)]
    result = OPERATIONS[kind](*inputs).sum()
    result.backward(retain_graph=True)
    once = [t.grad.copy() for t in inputs]
    result.backward()
    for tensor, gradient in zip(inputs, once, strict=True):
        np.testing.assert_allclose(tensor.grad, 2 * gradient, rtol=1e-14)


@pytest.mark.parametrize("kind", OPERATIONS)
def test_the_same_weights_in_two_calls_add_their_gradients(kind):
    arrays = drawn(kind)
    h0 = arrays[1]

    def twice(x, *rest):
        first = OPERATIONS[kind](x, *rest)
        end = first[0, -1] if kind == "lstm" else first[-1]
        return OPERATIONS[kind](x, end, *rest[1:])

    assert_gradients_match(twice, *arrays)
    assert not h0.flags.writeable


@pytest.mark.parametrize("kind", OPERATIONS)
def test_transposed_and_strided_inputs(kind):
    inputs = drawn(kind)
    strided = [np.repeat(a, 2, axis=-1)[..., ::2].T.copy().T for a in inputs]
    np.testing.assert_allclose(OPERATIONS[kind](*strided), OPERATIONS[kind](*inputs), rtol=1e-13)
    assert_gradients_match(OPERATIONS[kind], *strided)


@pytest.mark.parametrize("kind", OPERATIONS)
def test_float32_is_kept(kind):
    inputs = [Tensor(a.astype(np.float32), requires_grad=True) for a in drawn(kind)]
    result = OPERATIONS[kind](*inputs)
    result.sum().backward()
    assert result.dtype == np.float32 and all(t.grad.dtype == np.float32 for t in inputs)
    np.testing.assert_allclose(result.data, OPERATIONS[kind](*drawn(kind)), rtol=2e-5, atol=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", OPERATIONS)
def test_extreme_inputs_saturate_without_a_warning(kind, dtype):
    x, *states, w_ih, w_hh = (a.astype(dtype) for a in drawn(kind, bias=False))
    inputs = [Tensor(a, requires_grad=True) for a in [x * dtype(1e30), *states, w_ih, w_hh]]
    result = OPERATIONS[kind](*inputs)
    result.sum().backward()
    assert all(np.isfinite(a).all() for a in [result.data, *(t.grad for t in inputs)])
    h = result.data[0] if kind == "lstm" else result.data
    assert np.abs(h).max() <= (1.5 if kind == "gru" else 1)  # a GRU may keep its first state, up to 1.5 here


@pytest.mark.parametrize("kind", OPERATIONS)
def test_a_gate_that_is_open_keeps_the_state(kind):
    """A forget gate of 1 (a z of 1) carries the state over 50 steps; the plain network has none."""
    x, *states, w_ih, w_hh, b_ih, b_hh = (a.copy() for a in drawn(kind, steps=50))
    b_ih[:] = 0
    b_ih[3:6] = 1000  # f of the LSTM, z of the GRU
    if kind == "lstm":
        b_ih[:3] = -1000  # i: nothing new is let in
        np.testing.assert_allclose(lstm(x, *states, w_ih, w_hh, b_ih, b_hh)[1, -1], states[1], rtol=1e-12)
    elif kind == "gru":
        np.testing.assert_allclose(gru(x, *states, w_ih, w_hh, b_ih, b_hh)[-1], states[0], rtol=1e-12)
    else:
        assert np.abs(rnn(x, *states, w_ih, w_hh) - states[0]).max() > 0.1


def test_shapes_that_do_not_fit():
    x, h0, *rest = drawn("rnn")
    with pytest.raises(ShapeError, match=r"rnn: expected x \(steps, batch, inputs\), states \(batch, hidden\)"):
        rnn(x, h0[:2], *rest)
    with pytest.raises(ShapeError, match=r"gru: .* weights \(3 hidden, inputs\)"):
        gru(x, h0, *rest)
    with pytest.raises(ValueError, match="'tanh' or 'relu' but got 'sigmoid'"):
        rnn(x, h0, *rest, nonlinearity="sigmoid")
