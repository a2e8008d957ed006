"""dtypes that stay, inputs of any size without a warning, and the sentences that bad input earns."""

import numpy as np
import pytest

import nnlib
from nnlib import ShapeError, Tensor, divide, matmul, maximum, multiply, power, softmax, subtract

UNARY = ["absolute", "cos", "exp", "log", "log_softmax", "mean", "negate", "relu", "sigmoid", "permute",
         "softmax", "softplus", "sin", "sqrt", "sum", "tanh", "tan", "elu", "leaky_relu", "hardtanh", "swish",
         "max", "min", "var", "logsumexp", "squeeze"]
OPERATORS = {"+": nnlib.add, "-": subtract, "*": multiply, "/": divide, "**": power, "max": maximum,
             "min": nnlib.minimum, "where": lambda a, b: nnlib.where([True, False], a, b)}
EXTREME = [-1e4, -800.0, -90.0, -1e-4, -0.0, 0.0, 1e-4, 90.0, 800.0, 1e4]


def trainable(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
def test_dtype_is_kept_by_value_and_gradient(name, dtype):
    operation, x = getattr(nnlib, name), trainable([0.5, 1.5, 2.5], dtype)
    y = operation(x)
    y.backward(np.ones(y.shape), retain_graph=True)  # a float64 gradient from above does not widen it either
    pieces = [piece() if callable(piece) else piece for piece in y._vjp(np.ones(y.shape, dtype))]
    assert (y.dtype, x.grad.dtype, pieces[0].dtype) == (dtype, dtype, dtype)  # nor does the operation, on its way
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
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softplus", "softmax", "log_softmax", "absolute",
                                  "elu", "leaky_relu", "hardtanh", "swish", "logsumexp", "max", "min", "mean", "var",
                                  "sin", "cos"])
def test_any_size_of_input_without_a_warning(name, dtype):
    z = trainable(EXTREME, dtype)
    y = getattr(nnlib, name)(z)
    y.backward(np.linspace(-1, 1, len(EXTREME)) if y.shape else 1.0)
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


@pytest.mark.filterwarnings("error")
def test_logsumexp_and_swish_at_the_far_ends():
    for values, expected, slope in [([-np.inf] * 2, -np.inf, [0, 0]), ([-np.inf, 1.0], 1.0, [0, 1]),
                                    ([1e4, 1e4], 1e4 + np.log(2), [0.5, 0.5]),
                                    ([-1e4, -1e4], np.log(2) - 1e4, [0.5, 0.5])]:
        x = trainable(values)
        y = nnlib.logsumexp(x)
        y.backward()
        assert y.item() == expected
        np.testing.assert_allclose(x.grad, slope, rtol=1e-12)
    assert nnlib.logsumexp(np.empty(0)) == -np.inf
    np.testing.assert_array_equal(nnlib.swish(np.array([-1e4, 0, 1e4])), [0, 0, 1e4])
    assert nnlib.elu(-1e-20) == pytest.approx(-1e-20, rel=1e-12, abs=0)


@pytest.mark.filterwarnings("error")
def test_statistics_of_too_few_numbers_are_not_a_number():
    for y in (nnlib.mean(np.empty((0, 2)), axis=0), nnlib.var(np.ones((1, 2)), axis=0), nnlib.var(np.empty((0, 2)), 0),
              nnlib.var(np.ones((2, 2)), axis=0, correction=3)):
        np.testing.assert_array_equal(y, [np.nan, np.nan])
    assert nnlib.var(7.0, correction=0) == 0 and nnlib.var([1, 2, 3]) == 1


@pytest.mark.filterwarnings("error")
def test_a_maximum_that_is_not_a_number_sends_no_gradient_and_no_warning():
    x = trainable([1.0, np.nan])
    nnlib.max(x).backward()
    np.testing.assert_array_equal(x.grad, [0, 0])


def test_a_gradient_that_is_infinite_does_not_leak_to_what_was_not_picked():
    x, y = trainable([0.0, 4.0]), trainable([3.0, 3.0])
    nnlib.where(x > 0, x, y).backward([np.inf, np.nan])
    np.testing.assert_array_equal(x.grad, [0, np.nan])
    np.testing.assert_array_equal(y.grad, [np.inf, 0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool])
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "softmax", "log_softmax", "elu", "swish", "exp", "log",
                                  "sqrt", "sin", "cos", "tan", "mean", "var", "logsumexp"])
def test_integers_and_booleans_are_computed_with_as_floats(name, dtype):
    array, operation = np.array([1, 0, 120]).astype(dtype), getattr(nnlib, name)
    value = operation(array)
    np.testing.assert_array_equal(value, operation(array.astype(np.float64)))
    assert value.dtype == np.float64
    np.testing.assert_array_equal(operation(Tensor(array)).data, value)


def test_integers_to_a_negative_power_are_floats():
    np.testing.assert_array_equal((Tensor([1, 2]) ** -1).data, [1, 0.5])
    np.testing.assert_array_equal((2 ** Tensor([-1, 2])).data, [0.5, 4])
    assert power(2, -1) == 0.5 and (Tensor([2, 3]) ** 2).dtype == np.int64
    assert (2 ** Tensor(np.array([-1, 1], np.float32))).dtype == np.float32


def test_lists_and_integers_are_computed_with():
    assert nnlib.sum([1, 2, 3]) == 6 and nnlib.mean([1, 2]) == 1.5
    np.testing.assert_allclose(nnlib.sigmoid([0, 1]), [0.5, 1 / (1 + np.exp(-1))])
    np.testing.assert_allclose(softmax([[1, 1], [0, 0]]), 0.5)
    np.testing.assert_array_equal(matmul([[1, 2], [3, 4]], [1, 1]), [3, 7])
    np.testing.assert_array_equal(divide([1, 2], 2), [0.5, 1])
    np.testing.assert_array_equal(nnlib.linear([[1, 2]], [[1, 1]], [0.5]), [[3.5]])
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
    (lambda: Tensor(np.ones(3)) ** np.ones(4), r"power: .*\(3,\) and \(4,\)"),
    (lambda: nnlib.where([True, False], np.ones(3), 0.0), r"where: .*\(2,\) and \(3,\)"),
    (lambda: nnlib.max(np.empty((0, 3)), axis=0),
     r"max: expected at least one element along axis 0 but got shape \(0, 3\); is the batch"),
    (lambda: nnlib.min(Tensor([])), r"min: expected at least one element along axis None but got shape \(0,\)"),
    (lambda: nnlib.max(np.ones(3), axis=1), r"max: .*axis 1 is out of bounds"),
    (lambda: nnlib.linear(np.ones((64, 32)), np.ones((10, 64))),
     r"linear: expected input of shape \(\.\.\., 64\) .* \(10, 64\) but got \(64, 32\); did you mean x\.T\?"),
    (lambda: nnlib.linear(np.ones((5, 3)), np.ones((3, 4))), r"expected .*4\).* \(5, 3\); did you mean weight\.T\?"),
    (lambda: nnlib.linear(np.ones((5, 8, 8)), np.ones((3, 64))), r"but got \(5, 8, 8\); did you forget to flatten"),
    (lambda: nnlib.linear(np.ones((5, 7)), np.ones((3, 4))), r"but got \(5, 7\)$"),
    (lambda: nnlib.linear(2.0, np.ones((3, 4))), r"linear: .*but got \(\)$"),
    (lambda: nnlib.linear(np.ones(3), np.ones(3)), r"a weight of shape \(out, in\) but got \(3,\); .*v\[None\]"),
    (lambda: nnlib.linear(np.ones(3), np.ones((2, 3)), np.ones(3)),
     r"a bias of shape \(2,\) .*\(2, 3\) but got \(3,\)"),
    (lambda: nnlib.flatten(np.ones(3)), r"flatten: expected an array with an axis 1 but got shape \(3,\); try"),
    (lambda: nnlib.squeeze(np.ones((2, 3)), 0), r"squeeze: .*\(2, 3\)"),
    (lambda: nnlib.broadcast_to(np.ones(3), (2, 2)), r"broadcast_to: .*\(3,\)"),
    (lambda: nnlib.concatenate([np.ones((2, 3)), np.ones((3, 2))]), r"concatenate: .*\(2, 3\) and \(3, 2\)"),
    (lambda: nnlib.concatenate([]), r"concatenate: .*at least one"),
    (lambda: nnlib.stack([np.ones(2), np.ones(3)]), r"stack: .*\(2,\) and \(3,\)"),
    (lambda: nnlib.pad(np.ones((2, 3)), ((1, 2), (3, 4), (5, 6))), r"pad: .*\(2, 3\)"),
    (lambda: nnlib.pad(np.ones(3), (0, -1)), r"pad: expected widths of at least 0 but got \[ 0 -1\]; .* slice"),
    (lambda: nnlib.embedding([0], np.ones(3)), r"embedding: expected a weight of shape \(rows, width\) but got \(3,\)"),
])
def test_shapes_that_do_not_fit_are_named_in_a_sentence(call, sentence):
    with pytest.raises(ShapeError, match=sentence) as caught:
        call()
    assert caught.value.__suppress_context__ or not caught.value.__context__  # no second traceback


@pytest.mark.parametrize(("indices", "error", "sentence"), [
    ([0.0, 1.0], TypeError, r"embedding: expected integer indices but got float64; try indices\.astype\(int\)"),
    ([0, 5], IndexError, r"embedding: expected indices from 0 to 4 but got 0 to 5; how many"),
    ([-1, 2], IndexError, r"from 0 to 4 but got -1 to 2"),
])
def test_indices_that_name_no_row_are_refused(indices, error, sentence):
    with pytest.raises(error, match=sentence):
        nnlib.embedding(indices, np.ones((5, 2)))


def test_small_index_types_reach_every_row_of_a_large_table():
    weight = trainable(np.ones((200, 3)))
    nnlib.embedding(np.array([199, 199], np.uint8), weight).backward(np.ones((2, 3)))
    np.testing.assert_array_equal(weight.grad[[0, 198, 199]].sum(axis=1), [0, 0, 6])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_arrays_pass_through(shape):
    x = trainable(np.empty(shape))
    for y in (x * 2, x + x, x.exp(), x.T, x.reshape(-1), nnlib.sigmoid(x), x.sum(), x[..., :0], nnlib.clip(x, 0, 1),
              nnlib.mean(x), nnlib.var(x), nnlib.logsumexp(x), nnlib.max(x.reshape(1, -1), axis=0), nnlib.elu(x),
              nnlib.flatten(x, 0), nnlib.stack([x, x]), nnlib.where(True, x, x), nnlib.maximum(x, x)):
        y.sum().backward()
    assert x.grad.shape == shape
