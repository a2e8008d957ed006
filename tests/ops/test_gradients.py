"""Every operation against NumPy and against central differences, over shapes that hypothesis draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support import assert_gradients_match, away_from_zero, pairs_of_shapes, seeds, shapes, uniform

import nnlib
from nnlib import (
    absolute,
    add,
    broadcast_to,
    clip,
    concatenate,
    cos,
    divide,
    elu,
    embedding,
    exp,
    flatten,
    getitem,
    hardtanh,
    leaky_relu,
    linear,
    log,
    log_softmax,
    logsumexp,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    multiply,
    negate,
    pad,
    permute,
    power,
    relu,
    reshape,
    sigmoid,
    sin,
    softmax,
    softplus,
    sqrt,
    squeeze,
    stack,
    subtract,
    sum,
    swish,
    tan,
    tanh,
    transpose,
    var,
    where,
)
from nnlib.ops import activations, arithmetic, products, reductions, shaping

FEW = settings(max_examples=50)
UNARY = {  # operation: (what NumPy says it is, how to draw inputs)
    absolute: (np.abs, away_from_zero), cos: (np.cos, uniform), exp: (np.exp, uniform),
    negate: (np.negative, uniform),
    log: (np.log, lambda seed, shape: uniform(seed, shape, 0.1, 3)), sin: (np.sin, uniform),
    relu: (lambda x: x * (x > 0), away_from_zero), sigmoid: (lambda x: 1 / (1 + np.exp(-x)), uniform),
    softplus: (lambda x: np.log(1 + np.exp(x)), uniform), tanh: (np.tanh, uniform),
    sqrt: (np.sqrt, lambda seed, shape: uniform(seed, shape, 0.1, 3)),
    tan: (np.tan, lambda seed, shape: uniform(seed, shape, -1.2, 1.2)),
    elu: (lambda x: np.where(x > 0, x, np.exp(x) - 1), away_from_zero),
    leaky_relu: (lambda x: np.where(x > 0, x, 0.01 * x), away_from_zero),
    swish: (lambda x: x / (1 + np.exp(-x)), uniform),
    hardtanh: (lambda x: np.minimum(np.maximum(x, -1), 1), uniform),
}
BINARY = {
    add: (np.add, uniform, uniform), subtract: (np.subtract, uniform, uniform),
    multiply: (np.multiply, uniform, uniform), divide: (np.divide, uniform, away_from_zero),
    power: (np.power, lambda seed, shape: uniform(seed, shape, 0.2, 2), uniform),
    maximum: (np.maximum, lambda seed, shape: np.floor(uniform(seed, shape)),  # a tie would be a kink
              lambda seed, shape: np.floor(uniform(seed, shape)) + 0.5),
    minimum: (np.minimum, lambda seed, shape: np.floor(uniform(seed, shape)),
              lambda seed, shape: np.floor(uniform(seed, shape)) + 0.5),
}
TESTED_BELOW = {broadcast_to, clip, concatenate, embedding, flatten, getitem, linear, log_softmax, logsumexp, matmul,
                max, mean, min, pad, permute, reshape, softmax, squeeze, stack, sum, transpose, var, where}
PARTS = (activations, arithmetic, products, reductions, shaping)  # the others have test files of their own


def name(operation):
    return operation.__name__


def test_no_operation_is_forgotten():
    assert {getattr(part, n) for part in PARTS for n in part.__all__} == {*UNARY, *BINARY, *TESTED_BELOW}


@pytest.mark.parametrize("operation", UNARY, ids=name)
@FEW
@given(shape=shapes(min_side=0), seed=seeds)
def test_of_one_input(operation, shape, seed):
    numpy, draw = UNARY[operation]
    x = draw(seed, shape)
    np.testing.assert_allclose(operation(x), numpy(x), rtol=1e-12, atol=1e-15)
    assert_gradients_match(operation, x)


@pytest.mark.parametrize("operation", BINARY, ids=name)
@FEW
@given(pair=pairs_of_shapes(min_side=0), seed=seeds)
def test_of_two_inputs_that_broadcast(operation, pair, seed):
    numpy, draw_a, draw_b = BINARY[operation]
    a, b = draw_a(seed, pair[0]), draw_b(seed + 1, pair[1])
    np.testing.assert_array_equal(operation(a, b), numpy(a, b))
    assert_gradients_match(operation, a, b)


def axes_of(shape):
    """None, one axis from either end, or several."""
    ndim = len(shape)
    one = st.integers(-ndim, ndim - 1) if ndim else st.nothing()
    return st.none() | one | hnp.valid_tuple_axes(ndim)


REDUCTIONS = {
    sum: np.sum, mean: np.mean, max: np.max, min: np.min,
    var: lambda x, axis, keepdims: np.var(x, axis=axis, keepdims=keepdims, ddof=-1),
    logsumexp: lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
}


@pytest.mark.parametrize("operation", REDUCTIONS, ids=name)
@FEW
@given(data=st.data(), shape=shapes(), keepdims=st.booleans(), seed=seeds)
def test_of_reductions(operation, data, shape, keepdims, seed):
    axis = data.draw(axes_of(shape), label="axis")
    x, options = uniform(seed, shape), {"correction": -1} if operation is var else {}  # any n but 0 will do
    expected = REDUCTIONS[operation](x, axis=axis, keepdims=keepdims)
    value = operation(x, axis, keepdims, **options)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-15)
    assert np.shape(value) == expected.shape
    assert_gradients_match(lambda x: operation(x, axis=axis, keepdims=keepdims, **options), x)


@FEW
@given(drawn=hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3),
       seed=seeds)
def test_of_matmul_in_every_combination_of_vectors_matrices_and_stacks(drawn, seed):
    a, b = (uniform(seed + i, shape) for i, shape in enumerate(drawn.input_shapes))
    np.testing.assert_allclose(matmul(a, b), a @ b, rtol=1e-12, atol=1e-14)
    assert_gradients_match(matmul, a, b)


@pytest.mark.parametrize("operation", [softmax, log_softmax], ids=name)
@FEW
@given(data=st.data(), shape=shapes(min_dims=1), seed=seeds)
def test_of_softmax_along_any_axis(operation, data, shape, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1), label="axis")
    z = uniform(seed, shape, -5, 5)
    p = np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(operation(z, axis=axis), p if operation is softmax else np.log(p), rtol=1e-12,
                               atol=1e-14)
    assert_gradients_match(lambda z: operation(z, axis=axis), z)


@FEW
@given(data=st.data(), shape=shapes(min_dims=1), seed=seeds)
def test_of_basic_indexing(data, shape, seed):
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True), label="index")
    assert_gradients_match(lambda x: getitem(x, index) if index != () else getitem(x), uniform(seed, shape))


@FEW
@given(data=st.data(), shape=shapes(min_dims=1), seed=seeds)
def test_of_index_arrays_that_pick_elements_repeatedly(data, shape, seed):
    index = data.draw(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=5)))
    assert_gradients_match(lambda x: x[index], uniform(seed, shape))


@FEW
@given(data=st.data(), shape=shapes(), seed=seeds)
def test_of_masks_and_changes_of_shape(data, shape, seed):
    x = uniform(seed, shape)
    axes = data.draw(st.none() | st.permutations(range(len(shape))).map(tuple), label="axes")
    assert_gradients_match(lambda x: permute(x, axes), x)
    if x.ndim > 1:
        assert_gradients_match(lambda x: transpose(x, 0, -1), x)
    assert_gradients_match(lambda x: reshape(x, -1), x)
    assert_gradients_match(lambda x: reshape(x, (1, *reversed(shape))), x)
    assert_gradients_match(lambda x: getitem(x, np.asarray(x if isinstance(x, np.ndarray) else x.data) > 0.3), x)


@FEW
@given(leading=shapes(max_dims=2, min_side=0), inner=st.integers(0, 3), out=st.integers(0, 3), bias=st.booleans(),
       seed=seeds)
def test_of_linear_with_any_number_of_leading_axes(leading, inner, out, bias, seed):
    arrays = [uniform(seed + i, shape) for i, shape in enumerate([(*leading, inner), (out, inner), (out,)])]
    arrays = arrays if bias else arrays[:2]
    np.testing.assert_allclose(linear(*arrays), arrays[0] @ arrays[1].T + (arrays[2] if bias else 0), atol=1e-14)
    assert_gradients_match(linear, *arrays)


@FEW
@given(data=st.data(), shape=shapes(min_dims=1, min_side=0), seed=seeds)
def test_of_joining_framing_and_repeating(data, shape, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1), label="axis")
    a, b = uniform(seed, shape), uniform(seed + 1, shape)
    widths = data.draw(hnp.arrays(int, data.draw(st.sampled_from([(), (2,), (len(shape), 2)])),
                                  elements=st.integers(0, 2)), label="widths").tolist()
    for ours, numpy, arrays in [
        (lambda a, b: concatenate([a, b, b], axis), lambda a, b: np.concatenate([a, b, b], axis), (a, b)),
        (lambda a, b: stack([a, b, b], axis), lambda a, b: np.stack([a, b, b], axis), (a, b)),
        (lambda a: pad(a, widths, 3), lambda a: np.pad(a, widths, constant_values=3), (a,)),
        (lambda a: broadcast_to(a, (2, *shape)), lambda a: np.broadcast_to(a, (2, *shape)), (a,)),
        (lambda a: flatten(a, axis), lambda a: a.reshape(*shape[:axis], np.prod(shape[axis:], dtype=int)), (a,)),
        (lambda a: squeeze(a), np.squeeze, (a,)),
    ]:
        np.testing.assert_array_equal(ours(*arrays), numpy(*arrays))
        assert_gradients_match(ours, *arrays)


@FEW
@given(shape=shapes(min_side=0, max_dims=2), rows=st.integers(1, 4), width=st.integers(0, 3), seed=seeds)
def test_of_embeddings_whose_rows_are_named_repeatedly(shape, rows, width, seed):
    indices, weight = np.random.default_rng(seed).integers(0, rows, shape), uniform(seed, (rows, width))
    np.testing.assert_array_equal(embedding(indices, weight), weight[indices])
    assert_gradients_match(lambda w: embedding(indices, w), weight)


@FEW
@given(shapes=pairs_of_shapes(3, min_side=0), seed=seeds)
def test_of_choices(shapes, seed):
    condition, a, b = (uniform(seed + i, shape) for i, shape in enumerate(shapes))
    np.testing.assert_array_equal(where(condition > 0, a, b), np.where(condition > 0, a, b))
    assert_gradients_match(lambda a, b: where(condition > 0, a, b), a, b)
    for bounds in [(-0.5, 1.0), (None, 0.3), (0.3, None)]:
        np.testing.assert_array_equal(clip(a, *bounds), np.clip(a, *bounds))
        assert_gradients_match(lambda a, bounds=bounds: clip(a, *bounds), a)


@FEW
@given(n=st.integers(1, 4), inner=st.integers(1, 4), out=st.integers(1, 4), seed=seeds)
def test_of_a_network_that_uses_its_weights_twice(n, inner, out, seed):
    X, W, b = uniform(seed, (n, inner)), uniform(seed + 1, (out, inner)), uniform(seed + 2, out)

    def network(X, W, b):
        h = nnlib.tanh(nnlib.matmul(X, transpose(W)) + b)
        return nnlib.softmax(nnlib.matmul(h, W) * nnlib.sigmoid(X), axis=1) + h.sum()

    assert_gradients_match(network, X, W, b)


@pytest.mark.parametrize("operation", [*UNARY, *REDUCTIONS, permute, flatten, squeeze], ids=name)
def test_of_arrays_that_are_not_contiguous(operation):
    table = uniform(1, (6, 8), 0.3, 1.2)
    for view in (table.T, table[::2, ::-3]):
        np.testing.assert_allclose(operation(view), operation(view.copy()), rtol=1e-14)
        assert_gradients_match(operation, view)
        assert_gradients_match(lambda x: operation(x.T if isinstance(x, np.ndarray) else permute(x)), view)
        assert_gradients_match(linear, view, table[:, :view.shape[1]][::2])


@pytest.mark.parametrize(("function", "point", "expected"), [
    (absolute, 0.0, 0.0), (relu, 0.0, 0.0), (lambda x: maximum(x, 0.0), 0.0, 0.5),
    (lambda x: maximum(x, x), 3.0, 1.0),
    (lambda x: x**0, 0.0, 0.0), (lambda x: x**1, 0.0, 1.0), (lambda x: x**2, 0.0, 0.0),
    (lambda x: x**3, -2.0, 12.0),
    (lambda x: 0.0**x, 2.0, 0.0), (lambda x: x**np.array([0.0, 1.0, 2.0]), 0.0, 1.0),
    (lambda x: (-2.0)**x, 2.0, 0.0), (lambda x: minimum(x, 0.0), 0.0, 0.5),
    (lambda x: clip(x, 0.0, 1.0), 0.0, 1.0), (lambda x: clip(x, -1.0, 0.0), 0.0, 1.0), (hardtanh, 1.0, 0.0),
    (hardtanh, -1.0, 0.0), (elu, 0.0, 1.0), (leaky_relu, 0.0, 0.01), (max, [1.0, 1.0, 1.0, 1.0], 0.25),
    (min, [2.0, 2.0], 0.5),
], ids=["abs", "relu", "maximum", "maximum twice", "x^0", "x^1", "x^2", "x^3", "0^x", "x^array", "(-2)^x",
        "minimum", "clip at min", "clip at max", "hardtanh at 1", "hardtanh at -1", "elu",
        "leaky_relu", "max", "min"])
def test_slope_taken_at_kinks_and_edges(function, point, expected):
    x = nnlib.Tensor(point, requires_grad=True)
    function(x).sum().backward()
    np.testing.assert_array_equal(x.grad, np.broadcast_to(expected, x.shape))
