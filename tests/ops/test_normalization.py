"""Batch norm, layer norm and dropout: statistics, gradients, running averages, extremes, and PyTorch's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import assert_gradients_match, seeds, uniform

from nnlib import ShapeError, Tensor, batch_norm, dropout, layer_norm, manual_seed

CHANNELS = 3
BATCHES = [(4, CHANNELS), (2, CHANNELS), (2, CHANNELS, 3), (1, CHANNELS, 2, 2), (3, CHANNELS, 2, 1)]


def statistics(dtype=np.float64):
    return np.array([0.5, -1.0, 0.25], dtype), np.array([1.5, 0.5, 2.0], dtype)


def of_channels(values, ndim):
    return np.asarray(values).reshape(-1, *[1] * (ndim - 2))


@pytest.mark.parametrize("shape", BATCHES, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_gradients(shape, training):
    running = statistics()
    arrays = uniform(1, shape), uniform(2, CHANNELS), uniform(3, CHANNELS)

    def function(x, weight, bias):
        return batch_norm(x, *running, weight, bias, training=training, momentum=0.0)

    assert_gradients_match(function, *arrays, seed=4)
    assert_gradients_match(lambda x: batch_norm(x, *running, training=training, momentum=0.0), arrays[0], seed=5)
    strided = np.swapaxes(np.swapaxes(arrays[0], 0, 1).copy(), 0, 1)
    np.testing.assert_allclose(function(strided, *arrays[1:]), function(*arrays), rtol=1e-13)


@settings(max_examples=30)
@given(shape=st.sampled_from(BATCHES), seed=seeds, shift=st.sampled_from([0, 1e3]))
def test_batch_norm_standardizes_every_channel(shape, seed, shift):
    x = uniform(seed, shape) + shift
    axes = (0, *range(2, len(shape)))
    y = batch_norm(x, None, None, training=True, eps=0.0)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-9)
    np.testing.assert_allclose(y.var(axes), 1, rtol=1e-9)
    weight, bias = uniform(seed + 1, CHANNELS), uniform(seed + 2, CHANNELS)
    scaled = batch_norm(x, None, None, weight, bias, training=True, eps=0.0)
    expected = y * of_channels(weight, x.ndim) + of_channels(bias, x.ndim)
    np.testing.assert_allclose(scaled, expected, rtol=1e-9, atol=1e-9)


def test_batch_norm_by_hand():
    x = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 10.0]])
    mean, var = np.array([1.0, 1.0]), np.array([2.0, 2.0])
    y = batch_norm(x, mean, var, training=True, momentum=0.25, eps=8 / 3)  # the variances are 8/3 and 0
    np.testing.assert_allclose(y, np.array([[-2, 0], [0, 0], [2, 0]]) / np.sqrt(16 / 3))
    np.testing.assert_allclose(mean, [0.75 + 0.25 * 3, 0.75 + 0.25 * 10])
    np.testing.assert_allclose(var, [0.75 * 2 + 0.25 * 4, 0.75 * 2])  # unbiased: (4 + 0 + 4) / 2
    y = batch_norm(x, mean, var, eps=0.0)
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var))
    np.testing.assert_allclose(mean, [1.5, 3.25])  # evaluation moves nothing


def test_running_statistics_may_be_tensors_and_change_in_place():
    mean, var = (Tensor(a) for a in statistics(np.float32))
    array, x = mean.data, uniform(1, (5, CHANNELS)).astype(np.float32)
    batch_norm(Tensor(x), mean, var, training=True, momentum=1.0)
    np.testing.assert_allclose(array, x.mean(0), rtol=1e-6)
    np.testing.assert_allclose(var.data, x.var(0, ddof=1), rtol=1e-6)
    assert mean.data is array and array.dtype == var.dtype == np.float32


SHAPES = [((4, 5), 5), ((4, 5), (5,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), 4), ((3, 4), (3, 4)), ((3,), 3)]


@pytest.mark.parametrize(("shape", "sizes"), SHAPES, ids=str)
def test_layer_norm_gradients(shape, sizes):
    x, weight, bias = uniform(1, shape), uniform(2, sizes), uniform(3, sizes)
    assert_gradients_match(lambda x, weight, bias: layer_norm(x, sizes, weight, bias), x, weight, bias, seed=4)
    assert_gradients_match(lambda x: layer_norm(x, sizes, eps=0.1), x, seed=5)
    strided = np.asfortranarray(x)
    np.testing.assert_allclose(layer_norm(strided, sizes, weight, bias), layer_norm(x, sizes, weight, bias), rtol=1e-12)


def test_layer_norm_by_hand_and_each_example_by_itself():
    x = np.array([[1.0, 3.0, 5.0, 7.0], [1e6, 1e6, 1e6, 1e6], [-1e3, 0, 0, 1e3]])
    y = layer_norm(x, 4, np.array([1.0, 2.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 1.0]), eps=0.0 + 1e-12)
    np.testing.assert_allclose(y, [[-3 / 5**0.5, -2 / 5**0.5, 1 / 5**0.5, 1 + 3 / 5**0.5], [0, 0, 0, 1],
                                   [-(2**0.5), 0, 0, 1 + 2**0.5]], atol=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("normalize", [lambda x: batch_norm(x, None, None, training=True),
                                       lambda x: layer_norm(x.T, len(x)).T], ids=["batch_norm", "layer_norm"])
def test_constant_shifted_and_extreme_inputs(normalize, dtype):
    noise = uniform(1, (200, 4))
    expected = normalize(noise - noise.mean(0))
    shift = dtype(1e4 if dtype == np.float32 else 1e12)
    shifted = (noise + shift).astype(dtype)
    result = normalize(shifted)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, atol=2e-3)  # what rounding left of the noise, no more
    np.testing.assert_array_equal(normalize(np.full((6, 4), shift)), 0)
    largest = np.finfo(dtype).max ** dtype(0.49)
    np.testing.assert_allclose(normalize(noise.astype(dtype) * largest), normalize(noise * 1e3), atol=1e-4)
    assert normalize(np.full((6, 4), np.finfo(dtype).max)).shape == (6, 4)
    x = Tensor(np.full((6, 4), shift), requires_grad=True)
    normalize(x).backward(np.ones((6, 4)))
    assert np.isfinite(x.grad).all()


@pytest.mark.filterwarnings("error")
def test_float32_has_no_overflow_where_its_square_would():
    x = np.array([[-1e25], [1e25]], np.float32)
    np.testing.assert_allclose(batch_norm(x, None, None, training=True), [[-1], [1]])
    np.testing.assert_allclose(layer_norm(x.T, 2), [[-1, 1]])


@pytest.mark.filterwarnings("error")
def test_batches_without_examples():
    assert batch_norm(np.ones((0, CHANNELS)), *statistics()).shape == (0, CHANNELS)
    assert layer_norm(np.ones((0, 3)), 3).shape == (0, 3)
    assert dropout(np.ones((0, 3)), rng=0).shape == (0, 3)


@pytest.mark.parametrize("options", [{}, {"weight": True}, {"weight": True, "bias": True}], ids=str)
def test_the_dtype_stays(options):
    x = Tensor(uniform(1, (4, CHANNELS)).astype(np.float32), requires_grad=True)
    affine = {name: Tensor(np.ones(CHANNELS, np.float32), requires_grad=True) for name in options}
    for y in (batch_norm(x, *statistics(), **affine, training=True), batch_norm(x, *statistics(np.float32), **affine),
              layer_norm(x, CHANNELS, **affine), dropout(x, 0.3, rng=1)):
        assert y.dtype == np.float32
        y.backward(np.ones_like(y.data))
        assert x.grad.dtype == np.float32 and all(a.grad.dtype == np.float32 for a in affine.values())
    assert layer_norm(np.array([[1, 2, 3]]), 3).dtype == np.float64


def test_dropout_drops_a_share_and_keeps_the_mean():
    x = Tensor(np.full((100, 200), 2.0), requires_grad=True)
    y = dropout(x, 0.2, rng=3)
    assert set(np.unique(y.data)) == {0.0, 2.5}
    assert abs(np.mean(y.data == 0) - 0.2) < 4 * np.sqrt(0.2 * 0.8 / x.size)
    upstream = uniform(1, x.shape)
    y.backward(upstream)
    np.testing.assert_allclose(x.grad, np.where(y.data == 0, 0, 1.25 * upstream), rtol=1e-15)


@settings(max_examples=20)
@given(p=st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]), seed=seeds)
def test_dropout_gradients(p, seed):
    assert_gradients_match(lambda x: dropout(x, p, rng=seed), uniform(seed, (3, 4)), seed=seed)


@pytest.mark.filterwarnings("error")
def test_dropout_at_its_ends_and_in_evaluation():
    x = uniform(1, (3, 4))
    np.testing.assert_array_equal(dropout(x, 1.0), 0)
    np.testing.assert_array_equal(dropout(x, 0.0), x)
    np.testing.assert_array_equal(dropout(x, 0.9, training=False), x)
    t = Tensor(x, requires_grad=True)
    (dropout(t, 0.9, training=False) * 3).sum().backward()
    np.testing.assert_array_equal(t.grad, np.full((3, 4), 3.0))


def test_dropout_is_repeatable():
    x = np.ones(50)
    np.testing.assert_array_equal(dropout(x, rng=5), dropout(x, rng=np.random.default_rng(5)))
    manual_seed(7)
    first, second = dropout(x), dropout(x)
    manual_seed(7)
    np.testing.assert_array_equal(dropout(x), first)
    assert (first != second).any()


ones, three = np.ones, (np.zeros(3), np.ones(3))


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: batch_norm(ones(3), *three), r"input \(batch, channels, ...\).*shape \(3,\).*x\[None\]"),
    (lambda: batch_norm(ones((2, 4)), *three), r"each of the 4 channels on axis 1 of the input \(2, 4\).*shape \(3,\)"),
    (lambda: batch_norm(ones((2, 3)), *three, ones(2)), r"each of the 3 channels.*got shape \(2,\)"),
    (lambda: batch_norm(ones((2, 3)), *three, ones(3), ones((1, 3))), r"got shape \(1, 3\)"),
    (lambda: batch_norm(ones((2, 3)), None, None), "expected a running mean and a running variance"),
    (lambda: batch_norm(ones((1, 3)), *three, training=True), r"two values per channel.*\(1, 3\).*eval\(\)"),
    (lambda: batch_norm(ones((1, 3, 1)), *three, training=True), "two values per channel"),
    (lambda: batch_norm(ones((0, 3)), *three, training=True), "two values per channel"),
    (lambda: layer_norm(ones((2, 3)), 4), r"shape \(..., 4\) but got \(2, 3\)"),
    (lambda: layer_norm(ones((2, 3)), (3, 2)), r"shape \(..., 3, 2\)"),
    (lambda: layer_norm(ones(3), (2, 3)), r"\(..., 2, 3\) but got \(3,\)"),
    (lambda: layer_norm(ones(3), ()), "normalized_shape"), (lambda: layer_norm(2.0, 3), r"got \(\)"),
    (lambda: layer_norm(ones((2, 3)), 3, ones(2)), r"weight and a bias of shape \(3,\) but got \(2,\)"),
    (lambda: layer_norm(ones((2, 3)), 3, ones(3), ones(2)), r"shape \(3,\) but got \(2,\)"),
])
def test_shapes_that_do_not_fit(call, sentence):
    with pytest.raises(ShapeError, match=sentence):
        call()


@pytest.mark.parametrize("p", [-0.1, 1.5, np.nan])
def test_a_rate_that_is_no_probability(p):
    for training in (True, False):
        with pytest.raises(ValueError, match=rf"dropout: expected p to be a probability in \[0, 1\] but got {p}"):
            dropout(ones(3), p, training)


@pytest.mark.parametrize("shape", [*BATCHES, (5, CHANNELS, 4, 3)], ids=str)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_against_pytorch(shape, training, affine):
    torch = pytest.importorskip("torch")
    running, upstream = statistics(), uniform(4, shape)
    arrays = [uniform(1, shape), uniform(2, CHANNELS), uniform(3, CHANNELS)][:3 if affine else 1]
    ours, theirs = [Tensor(a, True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    their_running = [torch.tensor(r) for r in running]
    for _ in range(3):
        mine = batch_norm(ours[0], *running, *ours[1:], training=training, momentum=0.3, eps=1e-3)
        reference = torch.nn.functional.batch_norm(theirs[0], *their_running, *(theirs[1:] or (None, None)), training,
                                                   0.3, 1e-3)
        np.testing.assert_allclose(mine.data, reference.detach().numpy(), rtol=1e-10, atol=1e-10)
    mine.backward(upstream)
    reference.backward(torch.tensor(upstream))
    for a, b in [*((a.grad, b.grad) for a, b in zip(ours, theirs)), *zip(running, their_running)]:
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("shape", "sizes"), SHAPES, ids=str)
def test_layer_norm_against_pytorch(shape, sizes):
    torch = pytest.importorskip("torch")
    arrays = [uniform(1, shape), uniform(2, sizes), uniform(3, sizes)]
    ours, theirs = [Tensor(a, True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    mine = layer_norm(ours[0], sizes, *ours[1:])
    reference = torch.nn.functional.layer_norm(theirs[0], tuple(np.ravel(sizes)), *theirs[1:])
    np.testing.assert_allclose(mine.data, reference.detach().numpy(), rtol=1e-10, atol=1e-10)
    mine.backward(uniform(4, shape))
    reference.backward(torch.tensor(uniform(4, shape)))
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-10)
