"""Pooling against windows taken one by one, central differences and PyTorch; ties; the sentences of its errors."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import assert_gradients_match, seeds, uniform

from nnlib import ShapeError, Tensor, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d, median_pool2d

FEW = settings(max_examples=30, deadline=None)
POOLS = {max_pool2d: (np.max, -np.inf), avg_pool2d: (np.mean, 0.0), median_pool2d: (np.median, 0.0)}
DECK = np.array([[1.0, 1, 2, 5], [5, 7, 7, 8], [3, 1, 1, 0], [1, 2, 3, 4]])[None, None]


def naive_pool(reduce, fill, x, kernel_size, stride, padding):
    """The definition: `reduce` over each window of the padded image."""
    x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)), constant_values=fill)
    down, across = ((n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel_size, stride, strict=True))
    y = np.zeros((*x.shape[:2], down, across))
    for n, c, row, column in np.ndindex(y.shape):
        top, left = row * stride[0], column * stride[1]
        y[n, c, row, column] = reduce(x[n, c, top:top + kernel_size[0], left:left + kernel_size[1]])
    return y


@st.composite
def poolings(draw):
    """Images without ties, however close, and window, stride and padding that fit."""
    kernel_size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel_size)
    size = tuple(max(1, k - 2 * p) + draw(st.integers(0, 4)) for k, p in zip(kernel_size, padding))
    shape = (draw(st.integers(0, 2)), draw(st.integers(1, 2)), *size)
    count = int(np.prod(shape))
    numbers = np.random.default_rng(draw(seeds)).permutation(count) - count // 2 + 0.1  # no ties with padded zeros
    return numbers.reshape(shape) / 7, kernel_size, stride, padding


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.__name__)
@FEW
@given(drawn=poolings())
def test_of_pooling_against_its_definition_and_central_differences(pool, drawn):
    x, *options = drawn
    np.testing.assert_allclose(pool(x, *options), naive_pool(*POOLS[pool], x, *options), rtol=1e-13, atol=1e-13)
    assert_gradients_match(lambda x: pool(x, *options), x)


@pytest.mark.parametrize(("pool", "expected"), [
    (max_pool2d, [[7, 8], [3, 4]]), (avg_pool2d, [[3.5, 5.5], [1.75, 2]]), (median_pool2d, [[3, 6], [1.5, 2]])],
    ids=["max", "mean", "median"])
def test_of_the_example_of_deck_d(pool, expected):
    np.testing.assert_array_equal(pool(DECK, 2), [[expected]])
    np.testing.assert_array_equal(pool(DECK[0], 2), [expected])  # one image, without the batch
    np.testing.assert_array_equal(pool(DECK, 2, 1)[:, :, ::2, ::2], [[expected]])
    np.testing.assert_array_equal(pool(x=DECK, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0)), [[expected]])


def test_that_padding_may_be_a_word():
    x = np.random.default_rng(1).permutation(2 * 3 * 25).reshape(2, 3, 5, 5) / 7
    np.testing.assert_array_equal(max_pool2d(x, 3, 1, "same"), max_pool2d(x, 3, 1, 1))
    assert avg_pool2d(x, 4, 1, "same").shape == x.shape
    assert_gradients_match(lambda x: max_pool2d(x, (2, 4), 1, "same"), x)


def gradient_of(pool, x, upstream=None, **options):
    tensor = Tensor(x, requires_grad=True)
    result = pool(tensor, **options)
    result.backward(np.ones(result.shape, x.dtype) if upstream is None else upstream)
    return tensor.grad


def test_that_the_first_maximum_receives_all_of_the_gradient():
    expected = [[0, 0, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(gradient_of(max_pool2d, DECK, kernel_size=2)[0, 0], expected)
    constant = gradient_of(max_pool2d, np.zeros((1, 1, 3, 3)), kernel_size=2, stride=1)
    np.testing.assert_array_equal(constant[0, 0], [[1, 1, 0], [1, 1, 0], [0, 0, 0]])
    padded = gradient_of(max_pool2d, np.full((1, 1, 2, 2), -3.0), kernel_size=2, padding=1)
    np.testing.assert_array_equal(padded[0, 0], [[1, 1], [1, 1]])


def test_of_the_gradient_of_the_median():
    np.testing.assert_array_equal(gradient_of(median_pool2d, DECK[:, :, :2, :2], kernel_size=2)[0, 0],
                                  [[0, 0.5], [0.5, 0]])  # of the two 1s the later, of the others the smaller
    row = np.array([[[[3.0, 1.0, 2.0]]]])
    np.testing.assert_array_equal(gradient_of(median_pool2d, row, kernel_size=(1, 3))[0, 0], [[0, 0, 1]])


@pytest.mark.parametrize(("one", "two"), [(max_pool1d, max_pool2d), (avg_pool1d, avg_pool2d)], ids=["max", "mean"])
@pytest.mark.parametrize(("kernel_size", "stride", "padding"), [(2, None, 0), (3, 1, 1), (2, 3, 1), (3, 2, 0)])
def test_that_one_axis_is_like_two_of_which_one_has_size_1(one, two, kernel_size, stride, padding):
    x = np.random.default_rng(1).permutation(42).reshape(2, 3, 7) / 7
    expected = two(x[:, :, None], (1, kernel_size), stride and (1, stride), (0, padding))[:, :, 0]
    np.testing.assert_array_equal(one(x, kernel_size, stride, padding), expected)
    assert_gradients_match(lambda x: one(x, kernel_size, stride, padding), x)


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.__name__)
@pytest.mark.parametrize("view", [lambda a: a.transpose(3, 2, 1, 0), lambda a: a[:, ::-1, ::2], np.asfortranarray],
                         ids=["transposed", "strided", "Fortran"])
def test_of_inputs_that_are_not_contiguous(pool, view):
    x = view(np.random.default_rng(1).permutation(7 * 5 * 8 * 6).reshape(7, 5, 8, 6) / 9)
    upstream = uniform(2, pool(x, 3, 2, 1).shape).T.copy().T
    np.testing.assert_array_equal(pool(x, 3, 2, 1), pool(x.copy(), 3, 2, 1))
    np.testing.assert_array_equal(gradient_of(pool, x, upstream, kernel_size=3, stride=2, padding=1),
                                  gradient_of(pool, x.copy(), upstream.copy(), kernel_size=3, stride=2, padding=1))


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.__name__)
def test_of_dtypes_and_an_empty_batch(pool):
    x = uniform(1, (2, 3, 5, 5)).astype(np.float32)
    for options in ({"kernel_size": 2}, {"kernel_size": 3, "stride": 1, "padding": 1}):
        assert pool(x, **options).dtype == np.float32
        upstream = np.ones(pool(x, **options).shape, np.float32)
        assert gradient_of(pool, x, upstream, **options).dtype == np.float32
    assert pool(x[:0], 2).shape == (0, 3, 2, 2) and gradient_of(pool, x[:0], kernel_size=2).shape == (0, 3, 5, 5)
    counts = DECK.astype(int)
    np.testing.assert_array_equal(pool(counts, 3, 2, 1), pool(DECK, 3, 2, 1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pool", [max_pool2d, median_pool2d], ids=["max", "median"])
def test_of_extreme_numbers_and_of_those_that_are_none(pool):
    huge = np.array([[[[1.7e308, 1.7e308], [1.7e308, -1.7e308]]]])
    assert pool(huge, 2).item() == 1.7e308
    assert np.isnan(pool(np.array([[[[1.0, np.nan], [3.0, np.inf]]]]), 2)).all()
    assert pool(np.array([[[[1.0, 2.0], [3.0, np.inf]]]]), 2).item() == (np.inf if pool is max_pool2d else 2.5)


@pytest.mark.parametrize(("options", "error", "sentence"), [
    ({"kernel_size": 6}, ShapeError, r"a window of size \(6, 6\) is larger than the padded image, \(5, 5\)"),
    ({"kernel_size": 0}, ValueError, "pool2d: expected kernel_size to be at least 1 but got 0"),
    ({"kernel_size": (2, 2, 2)}, ValueError, "one for each of 2 axes"),
    ({"kernel_size": 2, "stride": 0}, ValueError, "expected stride"),
    ({"kernel_size": 2, "stride": -1}, ValueError, "expected stride"),
    ({"kernel_size": 3, "padding": 2}, ValueError, r"at most half the window \(3, 3\) but got \(2, 2\)"),
    ({"kernel_size": 2, "padding": "same"}, ValueError, "keeps the size of the image"),
    ({"kernel_size": 2, "padding": 0.5}, TypeError, "expected padding to be an integer"),
    ({"kernel_size": 2.0}, TypeError, "expected kernel_size to be an integer"),
])
@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.__name__)
def test_that_options_out_of_range_are_explained(pool, options, error, sentence):
    with pytest.raises(error, match=sentence):
        pool(np.zeros((2, 3, 5, 5)), **options)


@pytest.mark.parametrize("pool", [*POOLS, max_pool1d, avg_pool1d], ids=lambda pool: pool.__name__)
def test_that_the_number_of_axes_is_explained(pool):
    with pytest.raises(ShapeError, match=rf"{pool.__name__}: expected input of shape \(batch, channels, "):
        pool(np.zeros((5,)), 2)
    with pytest.raises(ShapeError, match=r"got \(1, 1, 1, 5, 5\)"):
        pool(np.zeros((1, 1, 1, 5, 5)), 2)


@pytest.fixture
def torch():
    """PyTorch on one thread: on arrays this small, its threads spend their time waiting for each other."""
    torch = pytest.importorskip("torch", reason="parity needs PyTorch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


GRID = [case for case in itertools.product([(6, 6), (7, 9)], [1, 2, 3, (2, 3), (3, 1)], [None, 1, 2, (3, 1), 4],
                                           [0, 1, (1, 0)])
        if all(2 * p <= k for p, k in zip(np.broadcast_to(case[3], 2), np.broadcast_to(case[1], 2), strict=True))]


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_agrees_with_pytorch_over_a_grid_with_many_ties(torch, name):
    pool, theirs = {"max_pool2d": max_pool2d, "avg_pool2d": avg_pool2d}[name], getattr(torch.nn.functional, name)
    for size, kernel_size, stride, padding in GRID:
        x = np.round(uniform(1, (3, 2, *size)))
        tensor = torch.tensor(x, requires_grad=True)
        expected = theirs(tensor, kernel_size, stride, padding)
        upstream = uniform(2, expected.shape)
        expected.backward(torch.tensor(upstream))
        np.testing.assert_allclose(pool(x, kernel_size, stride, padding), expected.detach().numpy(), rtol=1e-12)
        np.testing.assert_allclose(
            gradient_of(pool, x, upstream, kernel_size=kernel_size, stride=stride, padding=padding),
            tensor.grad.numpy(), rtol=1e-12, atol=1e-12, err_msg=f"{size} {kernel_size} {stride} {padding}")


def test_that_a_nan_wins_as_in_pytorch(torch):
    x = DECK.copy()
    x[0, 0, 1, 2] = np.nan
    np.testing.assert_array_equal(max_pool2d(x, 2), torch.nn.functional.max_pool2d(torch.tensor(x), 2).numpy())


@pytest.mark.parametrize(("kernel_size", "stride"), [(2, 2), (3, 1), (3, 2), (2, 3)])
def test_that_the_median_agrees_with_a_quantile_of_pytorch(torch, kernel_size, stride):
    x = np.random.default_rng(1).permutation(2 * 3 * 49).reshape(2, 3, 7, 7) / 7
    tensor = torch.tensor(x, requires_grad=True)
    unfolded = torch.nn.functional.unfold(tensor, kernel_size, stride=stride).reshape(2, 3, kernel_size**2, -1)
    expected = unfolded.quantile(0.5, dim=2)
    upstream = uniform(2, median_pool2d(x, kernel_size, stride).shape)
    expected.backward(torch.tensor(upstream.reshape(2, 3, -1)))
    np.testing.assert_allclose(median_pool2d(x, kernel_size, stride).reshape(2, 3, -1), expected.detach().numpy(),
                               rtol=1e-12)
    np.testing.assert_allclose(gradient_of(median_pool2d, x, upstream, kernel_size=kernel_size, stride=stride),
                               tensor.grad.numpy(), rtol=1e-12)
