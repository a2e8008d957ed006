"""Gradients by finite differences: slow, approximate, and the judge of every gradient in this course."""

import numpy as np

from nnlib.autograd import Tensor
from nnlib.errors import GradientError


def numerical_gradient(function, x, step=1e-6):
    """Central differences (f(x + h e_i) - f(x - h e_i)) / 2h of a scalar function of one array (deck A).

    Args:
        function: from an array shaped like x to a number.   x: float array, not changed.
        step: h; the error is of the order of h^2 (truncation) plus 1e-16 / h (rounding).
    Returns an array shaped like x, after 2 * x.size evaluations.
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = float(function(x))
        x[index] = kept - step
        below = float(function(x))
        x[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def gradcheck(function, *arrays, seed=0, step=1e-6, tolerance=1e-6):
    """Compare the gradients that `backward` gives with central differences, in float64.

    The output is weighted with random numbers first: with an upstream gradient of ones many wrong derivatives pass.

    Args:
        function: of as many tensors as there are arrays, to one tensor of any shape.
        arrays: where to compare, each of any shape; not changed.   seed: of the random weights.
        step: of the differences, as in `numerical_gradient`.
        tolerance: largest allowed |difference| / max(1, |gradient|).
    Returns the largest such relative error.
    Raises GradientError, naming the input, when it exceeds `tolerance`, or when the function returns no tensor.
    """
    arrays = [np.array(a, dtype=np.float64) for a in arrays]
    tensors = [Tensor(a.copy(), requires_grad=True) for a in arrays]
    output = function(*tensors)
    if not isinstance(output, Tensor):
        raise GradientError(f"gradcheck: expected the function to return a tensor but got {type(output).__name__}; "
                            "does it use .data or NumPy's functions, which record no graph?")
    upstream = np.random.default_rng(seed).normal(size=output.shape)
    output.backward(upstream)

    worst = 0.0
    for i, (array, tensor) in enumerate(zip(arrays, tensors)):
        def weighted(x, i=i):
            inputs = [Tensor(x if j == i else a) for j, a in enumerate(arrays)]
            return np.sum(function(*inputs).data * upstream)

        expected = numerical_gradient(weighted, array, step)
        got = np.zeros_like(array) if tensor.grad is None else tensor.grad
        errors = np.abs(got - expected) / np.maximum(1, np.abs(expected))
        if not np.all(errors <= tolerance):
            at = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
            raise GradientError(f"gradcheck: input {i} at {tuple(map(int, at))}: backward gives {got[at]:.6g}, "
                                f"finite differences {expected[at]:.6g}")
        worst = max(worst, float(errors.max(initial=0)))
    return worst
