"""dtypes that stay, inputs of any size without a warning, and the sentences that bad input earns."""

import numpy as np
import pytest

import nnlib
from nnlib import ShapeError, Tensor, divide, matmul, maximum, multiply, power, softmax, subtract

UNARY = ["absolute", "cos", "exp", "log", "log_softmax", "mean", "negate", "relu", "sigmoid", "permute",
         "softmax", "softplus", "sin", "sqrt", "sum", "tanh"]
OPERATORS = {"+": nnlib.add, "-": subtract, "*": multiply, "/": divide, "**": power, "max": maximum}
EXTREME = [-1e4, -800.0, -90.0, -1e-4, -0.0, 0.0, 1e-4, 90.0, 800.0, 1e4]


def trainable(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
def test_dtype_is_kept_by_value_and_gradient(name, dtype):
    operation, x = getattr(nnlib, name), trainable([0.5, 1.5, 2.5], dtype)
    y = operation(x)
    y.backward(np.ones(y.shape))  # a float64 gradient from above does not widen it either
    assert (y.dtype, x.grad.dtype) == (dtype, dtype)
    assert operation(x.data).dtype == dtype
    if dtype == np.float32 and "softmax" not in name:  # NumPy's reductions give scalars of their own type
        assert operation(x.data.sum()).dtype == dtype


@pytest.mark.parametrize("scalar", [2, 2.0, True, np.float64(2), np.int64(2), np.float32(2), np.bool_(True)],
                         ids=repr)
@pytest.mark.parametrize("operation", OPERATORS.values(), ids=OPERATORS)
def test_a_scalar_never_widens_float32(operation, scalar):
    x = trainable([0.5, 1.5], np.float32)
    for y in (operation(x, scalar), operation(scalar, x)):
        between = (y * 1.0).retain_grad()
        between.sum().backward()
        assert y.dtype == between.grad.dtype == x.grad.dtype == np.float32


@pytest.mark.parametrize("scalar", [3, 3.0, np.float64(3), np.int32(3), np.float32(3)], ids=repr)
def test_python_operators_from_both_sides(scalar):
    x = trainable([1.0, 2.0])
    for y, expected in [(x + scalar, [4, 5]), (scalar + x, [4, 5]), (x - scalar, [-2, -1]),
                        (scalar - x, [2, 1]),
                        (x * scalar, [3, 6]), (scalar * x, [3, 6]), (x / scalar, [1 / 3, 2 / 3]),
                        (scalar / x, [3, 1.5]),
                        (x**scalar, [1, 8]), (scalar**x, [3, 9]), (-x, [-1, -2]), (abs(-x), [1, 2])]:
        assert isinstance(y, Tensor) and y.requires_grad
        np.testing.assert_allclose(y.data, expected)


def test_an_array_on_the_left_gives_a_tensor_too():
    x, A = trainable([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    for y, expected in [(A + x, A + x.data), (A - x, A - x.data), (A * x, A * x.data), (A / x, A / x.data),
                        (A**x, A**x.data), (A @ x, A @ x.data)]:
        assert isinstance(y, Tensor) and y.requires_grad
        np.testing.assert_array_equal(y.data, expected)


def test_comparisons_are_plain_boolean_arrays():
    x, y = trainable([1.0, 2.0, 3.0]), Tensor([3.0, 2.0, 1.0])
    for got, expected in [(x < y, [1, 0, 0]), (x <= y, [1, 1, 0]), (x > y, [0, 0, 1]), (x >= 2, [0, 1, 1]),
                          (x == y, [0, 1, 0]), (x != y, [1, 0, 1]), (y.data == x, [0, 1, 0]),
                          (np.float64(2) > x, [1, 0, 0])]:
        assert type(got) is np.ndarray and got.dtype == bool
        np.testing.assert_array_equal(got, np.array(expected, bool))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softplus", "softmax", "log_softmax", "absolute"])
def test_any_size_of_input_without_a_warning(name, dtype):
    z = trainable(EXTREME, dtype)
    y = getattr(nnlib, name)(z)
    y.backward(np.linspace(-1, 1, len(EXTREME)))
    assert np.isfinite(y.data).all() and np.isfinite(z.grad).all()


@pytest.mark.filterwarnings("error")
def test_values_and_slopes_at_the_far_ends():
    z = trainable([-1e4, 0, 1e4])
    np.testing.assert_array_equal(nnlib.sigmoid(z.data), [0, 0.5, 1])
    np.testing.assert_allclose(nnlib.softplus(z.data), [0, np.log(2), 1e4], rtol=1e-15)
    np.testing.assert_array_equal(nnlib.log_softmax(z.data), [-2e4, -1e4, 0])
    np.testing.assert_array_equal(softmax(z.data), [0, 0, 1])
    nnlib.softplus(z).sum().backward()
    np.testing.assert_array_equal(z.grad, [0, 0.5, 1])
    assert nnlib.sigmoid(-700.0) == pytest.approx(np.exp(-700), rel=1e-12, abs=0)  # small, not rounded to 0
    assert nnlib.softplus(-700.0) == pytest.approx(np.exp(-700), rel=1e-12, abs=0)


@pytest.mark.filterwarnings("error")
def test_softmax_does_not_see_a_common_shift_and_masks_with_minus_infinity():
    z = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]])
    np.testing.assert_allclose(softmax(z + 1e6), softmax(z), rtol=1e-9)
    np.testing.assert_allclose(softmax(z).sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_array_equal(softmax([0.0, -np.inf, 0.0]), [0.5, 0, 0.5])


def test_lists_and_integers_are_computed_with():
    assert nnlib.sum([1, 2, 3]) == 6 and nnlib.mean([1, 2]) == 1.5
    np.testing.assert_allclose(nnlib.sigmoid([0, 1]), [0.5, 1 / (1 + np.exp(-1))])
    np.testing.assert_allclose(softmax([[1, 1], [0, 0]]), 0.5)
    np.testing.assert_array_equal(matmul([[1, 2], [3, 4]], [1, 1]), [3, 7])
    np.testing.assert_array_equal(divide([1, 2], 2), [0.5, 1])
    assert (Tensor([1, 2]) * 2).dtype == np.array([1, 2]).dtype


def test_plain_arrays_give_plain_arrays_and_tensors_give_tensors():
    assert type(nnlib.relu(np.array([-1.0, 1.0]))) is np.ndarray
    assert isinstance(nnlib.exp(1.0), float)
    assert isinstance(nnlib.relu(Tensor([1.0])), Tensor)


def test_methods_are_the_functions():
    x = Tensor(np.arange(6.0).reshape(2, 3) + 1)
    for name in ["exp", "log", "sqrt", "sin", "cos", "sum", "mean", "sigmoid", "tanh", "relu", "softplus",
                 "softmax",
                 "log_softmax"]:
        np.testing.assert_array_equal(getattr(x, name)().data, getattr(nnlib, name)(x.data))
    assert x.sum(axis=0).shape == (3,) and x.mean(axis=-1, keepdims=True).shape == (2, 1)
    assert x.T.shape == x.transpose().shape == x.transpose(0, 1).shape == x.permute(1, 0).shape == (3, 2)
    assert x.reshape(3, 2).shape == x.reshape((3, 2)).shape == x.reshape(-1, 2).shape == (3, 2)
    assert x.matmul(x.T).shape == (x @ x.T).shape == (2, 2)
    assert x[0].shape == (3,) and x[:, 1].shape == (2,) and x[x > 2].shape == (4,)


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: Tensor(np.ones((64, 10))) @ np.ones((12, 10)),
     r"matmul: inner sizes differ: \(64, 10\) @ \(12, 10\); did you mean x @ W\.T\?"),
    (lambda: matmul(np.ones((2, 3)), np.ones((4, 5))),
     r"last size of the left must equal the second-last .* 4"),
    (lambda: matmul(np.ones((2, 3)), np.ones(4)), r"must equal the first of the right, 4"),
    (lambda: matmul(2.0, np.ones(3)), r"use \* to multiply by a number"),
    (lambda: Tensor(np.ones(3)) + np.ones(4), r"add: .*\(3,\) and \(4,\)"),
    (lambda: Tensor(np.ones((3, 2))).reshape(4, 2), r"reshape: .*\(3, 2\).*\(4,2\)"),
    (lambda: Tensor(np.ones(3)).sum(axis=1), r"sum: .*\(3,\).* axis 1 is out of bounds"),
    (lambda: softmax(np.ones(0)), r"softmax: .*\(0,\)"),
    (lambda: nnlib.permute(np.ones((2, 3)), (0, 0)), r"permute: .*\(2, 3\).*repeated axis"),
    (lambda: nnlib.exp([[1.0, 2.0], [3.0]]), r"rows have different lengths"),
])
def test_shapes_that_do_not_fit_are_named_in_a_sentence(call, sentence):
    with pytest.raises(ShapeError, match=sentence) as caught:
        call()
    assert caught.value.__suppress_context__ or not caught.value.__context__  # no second traceback


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_arrays_pass_through(shape):
    x = trainable(np.empty(shape))
    for y in (x * 2, x + x, x.exp(), x.T, x.reshape(-1), nnlib.sigmoid(x), x.sum(), x[..., :0]):
        y.sum().backward()
    assert x.grad.shape == shape
