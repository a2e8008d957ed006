"""What several tests share: arrays with hypothesis' shapes, and an independent judge of every gradient."""

import functools

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnlib import Tensor

seeds = st.integers(0, 2**32 - 1)
shapes = functools.partial(hnp.array_shapes, min_dims=0, max_dims=3, max_side=3)


def pairs_of_shapes(count=2, **options):
    """Shapes that broadcast against each other, from () to three axes, with axes of size 1 among them."""
    return hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3, **options).map(
        lambda drawn: drawn.input_shapes)


def uniform(seed, shape, low=-2.0, high=2.0):
    """Numbers in [low, high), also for shape () an array, and read-only: to change it is an error."""
    array = np.asarray(np.random.default_rng(seed).uniform(low, high, shape))
    array.flags.writeable = False
    return array


def away_from_zero(seed, shape):
    """Numbers of either sign with absolute value in [0.1, 2): no kink is within reach of a difference."""
    rng = np.random.default_rng(seed)
    array = np.asarray(rng.uniform(0.1, 2, shape) * rng.choice([-1.0, 1.0], shape))
    array.flags.writeable = False
    return array


def central_differences(function, arrays, position, upstream, step=1e-6):
    """Gradient of sum(upstream * function(*arrays)) with respect to one of the arrays, element by element."""
    gradient = np.empty(arrays[position].shape)
    for index in np.ndindex(gradient.shape):
        ends = []
        for sign in (1, -1):
            moved = [np.array(a) for a in arrays]
            moved[position][index] += sign * step
            ends.append(np.sum(upstream * function(*moved)))
        gradient[index] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def assert_gradients_match(function, *arrays, seed=0, tolerance=1e-6):
    """Value and all gradients of `function`, for a random upstream gradient; inputs stay unchanged."""
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    result = function(*tensors)
    np.testing.assert_array_equal(result.data, function(*arrays))
    upstream = uniform(seed, result.shape)
    kept = upstream.copy()
    result.backward(upstream)
    np.testing.assert_array_equal(upstream, kept)
    for i, (array, tensor) in enumerate(zip(arrays, tensors, strict=True)):
        np.testing.assert_array_equal(tensor.data, array)
        assert tensor.grad.shape == array.shape and tensor.grad.dtype == array.dtype
        expected = central_differences(function, arrays, i, upstream)
        np.testing.assert_allclose(tensor.grad, expected, rtol=tolerance, atol=tolerance, err_msg=f"input {i}")
