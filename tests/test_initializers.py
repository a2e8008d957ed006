"""Starting values: their spread, bounds, fans, dtype and seeds, and what cannot be filled."""

import numpy as np
import pytest

from nnlib import Tensor, manual_seed
from nnlib.errors import ShapeError
from nnlib.initializers import (
    calculate_gain,
    constant_,
    kaiming_normal_,
    kaiming_uniform_,
    normal_,
    ones_,
    uniform_,
    xavier_normal_,
    xavier_uniform_,
    zeros_,
)

RANDOM = [uniform_, normal_, xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_]
# A weight (out, in) and a kernel (out, in, height, width) with their fans.
WEIGHTS = [((300, 200), 200, 300), ((40, 30, 5, 3), 450, 600), ((100, 60, 7), 420, 700)]


def fill(initializer, shape, **options):
    return initializer(np.full(shape, np.nan), rng=0, **options)


def assert_spread(array, std, bound=None):
    assert abs(array.mean()) < 5 * std / np.sqrt(array.size)
    assert array.std() == pytest.approx(std, rel=0.02)
    if bound is None:
        assert np.mean(np.abs(array) > 2 * std) == pytest.approx(0.0455, abs=0.005)  # two sigmas of a bell curve
    else:
        assert 0.99 * bound < np.abs(array).max() <= bound


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), WEIGHTS, ids=str)
def test_spread_by_the_fans(shape, fan_in, fan_out):
    std = np.sqrt(2 / (fan_in + fan_out))
    assert_spread(fill(xavier_normal_, shape), std)
    assert_spread(fill(xavier_uniform_, shape), std, np.sqrt(6 / (fan_in + fan_out)))
    assert_spread(fill(xavier_normal_, shape, gain=5 / 3), 5 / 3 * std)
    assert_spread(fill(xavier_uniform_, shape, gain=0.5), std / 2, np.sqrt(6 / (fan_in + fan_out)) / 2)
    assert_spread(fill(kaiming_normal_, shape), np.sqrt(2 / fan_in))  # He's, not deck C's 2 / sqrt(fan_in)
    assert_spread(fill(kaiming_normal_, shape, mode="fan_out", nonlinearity="relu"), np.sqrt(2 / fan_out))
    assert_spread(fill(kaiming_uniform_, shape, nonlinearity="linear"), np.sqrt(1 / fan_in), np.sqrt(3 / fan_in))
    assert_spread(fill(kaiming_uniform_, shape, a=np.sqrt(5)), np.sqrt(1 / (3 * fan_in)), np.sqrt(1 / fan_in))
    assert_spread(fill(kaiming_normal_, shape, nonlinearity="tanh"), 5 / 3 / np.sqrt(fan_in))


def test_he_keeps_the_size_of_signals_through_ten_layers_of_relus():
    x = np.random.default_rng(1).normal(size=(50, 400))
    for layer in range(10):
        x = np.maximum(0, x @ kaiming_normal_(np.empty((400, 400)), rng=layer).T)
    assert 0.5 < np.mean(x * x) < 2


def test_plain_fillings():
    array = np.empty((3, 2))
    assert (zeros_(array) == 0).all() and (ones_(array) == 1).all() and (constant_(array, 0.25) == 0.25).all()
    assert_spread(fill(normal_, (200, 200), mean=0.0, std=3.0), 3.0)
    assert_spread(fill(uniform_, (200, 200), a=-2.0, b=2.0), 4 / np.sqrt(12), 2.0)
    drawn = fill(uniform_, 10_000)
    assert 0 <= drawn.min() < 0.01 < 0.99 < drawn.max() < 1
    assert fill(normal_, 10_000, mean=7.0).mean() == pytest.approx(7, abs=0.05)


@pytest.mark.parametrize("initializer", [*RANDOM, zeros_, ones_, lambda w: constant_(w, 2.5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_in_place_returned_and_of_the_same_dtype(initializer, dtype):
    array = np.full((4, 3), np.nan, dtype)
    assert initializer(array) is array and np.isfinite(array).all()
    tensor = Tensor(np.full((4, 3), np.nan, dtype), requires_grad=True)
    data = tensor.data
    assert initializer(tensor) is tensor and tensor.data is data and data.dtype == dtype
    assert np.isfinite(data).all() and tensor.is_leaf and tensor.requires_grad


@pytest.mark.parametrize("initializer", RANDOM)
def test_seeds_repeat_and_precision_does_not_matter(initializer):
    first = initializer(np.empty((4, 3)), rng=3)
    np.testing.assert_array_equal(initializer(np.empty((4, 3)), rng=np.random.default_rng(3)), first)
    np.testing.assert_array_equal(initializer(np.empty((4, 3), np.float32), rng=3), first.astype(np.float32))
    assert (initializer(np.empty((4, 3)), rng=4) != first).any()
    manual_seed(5)
    by_library = initializer(np.empty((4, 3)))
    np.testing.assert_array_equal(by_library, initializer(np.empty((4, 3)), rng=5))


def test_gains():
    assert [calculate_gain(name) for name in ("linear", "conv1d", "conv2d", "sigmoid")] == [1] * 4
    assert calculate_gain("tanh") == 5 / 3 and calculate_gain("selu") == 0.75
    assert calculate_gain("relu") == pytest.approx(np.sqrt(2)) == calculate_gain("leaky_relu", 0)
    assert calculate_gain("leaky_relu") == pytest.approx(np.sqrt(2 / 1.0001))
    assert calculate_gain("leaky_relu", 1.0) == pytest.approx(1)


@pytest.mark.filterwarnings("error")
def test_empty_weights_stay_empty():
    for initializer in RANDOM:
        assert initializer(np.empty((0, 3))).shape == (0, 3)
        assert initializer(np.empty((3, 0))).shape == (3, 0)


@pytest.mark.parametrize("initializer", RANDOM[2:])
def test_a_bias_has_no_fans(initializer):
    with pytest.raises(ShapeError, match=r"weight of shape \(out, in\).* but got \(5,\).*zeros_"):
        initializer(np.empty(5))


@pytest.mark.parametrize(("call", "error", "sentence"), [
    (lambda: uniform_(np.empty(3), 1.0, 0.0), ValueError, r"a <= b but got \(1.0, 0.0\)"),
    (lambda: uniform_(np.empty(3), np.nan, 0.0), ValueError, r"\(nan, 0.0\)"),
    (lambda: normal_(np.empty(3), 0.0, -1.0), ValueError, "at least 0 but got -1.0"),
    (lambda: calculate_gain("rulu"), ValueError, "expected one of linear, .* but got 'rulu'"),
    (lambda: kaiming_normal_(np.empty((3, 2)), mode="fan"), ValueError, "'fan_in' or 'fan_out' but got 'fan'"),
    (lambda: kaiming_uniform_(np.empty((3, 2)), nonlinearity="x"), ValueError, "but got 'x'"),
    (lambda: normal_([1.0, 2.0]), TypeError, "fill in place but got list"),
    (lambda: zeros_(np.arange(3)), TypeError, "array of floats to fill in place but got int64"),
    (lambda: constant_(np.arange(3), 0.5), TypeError, "got int64"),
    (lambda: normal_(np.empty(3), rng="seed"), TypeError, "Generator, an integer seed or None but got str"),
])
def test_what_cannot_be_filled(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), WEIGHTS, ids=str)
def test_bounds_and_gains_against_pytorch(shape, fan_in, fan_out):
    init = pytest.importorskip("torch").nn.init
    import torch
    for ours, theirs in [(xavier_uniform_, init.xavier_uniform_), (kaiming_uniform_, init.kaiming_uniform_),
                         (xavier_normal_, init.xavier_normal_), (kaiming_normal_, init.kaiming_normal_)]:
        assert fill(ours, shape).std() == pytest.approx(theirs(torch.empty(shape)).std().item(), rel=0.02)
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert calculate_gain(name) == pytest.approx(init.calculate_gain(name))
