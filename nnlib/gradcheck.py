"""Gradients by finite differences: slow, approximate, and the judge of every gradient in this course."""

import numpy as np

from nnlib.arguments import require
from nnlib.autograd import Tensor, no_grad, real_array
from nnlib.errors import GradientError, ShapeError

__all__ = ["gradcheck", "numerical_gradient"]


def numerical_gradient(function, x, step=1e-6):
    """Central differences (f(x + h e_i) - f(x - h e_i)) / 2h of a scalar function of one array (deck A).

    Args:
        function: from an array shaped like x to a number.   x: float array, not changed.
        step: h; the error is of the order of h^2 (truncation) plus 1e-16 / h (rounding).
    Returns an array shaped like x, after 2 * x.size evaluations. Raises ShapeError when the function returns more
    than one number, ValueError for a step that is not above 0.
    """
    require("numerical_gradient", lambda step: step > 0, "a step above 0", step, "try 1e-6")
    x = np.array(real_array("numerical_gradient", x), dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = _number(function(x))
        x[index] = kept - step
        below = _number(function(x))
        x[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def _number(value):
    if np.shape(value) != ():
        raise ShapeError(f"numerical_gradient: expected the function to return one number but got shape "
                         f"{np.shape(value)}; take its sum")
    return float(value)


def gradcheck(function, *inputs, seed=0, step=1e-6, tolerance=1e-6):
    """Compare the gradients that `backward` gives with central differences, in float64.

        gradcheck(lambda x, *parameters: model(x), x, *model.to(np.float64).parameters())

    The output is weighted with random numbers first: with an upstream gradient of ones many wrong derivatives pass.

    Args:
        function: of as many tensors as there are inputs, to one tensor of any shape.
        inputs: where to compare. Arrays of any shape, not changed; or tensors with requires_grad=True, such as a
            model's parameters, which are moved themselves and put back, so that the function may use them unseen.
        seed: of the random weights.   step: of the differences, as in `numerical_gradient`.
        tolerance: largest allowed |difference| / max(1, |gradient|).
    Returns the largest such relative error.
    Raises GradientError, naming the input, when it exceeds `tolerance`, when the function returns no tensor, or when
    it computes in less than float64, where rounding would drown the differences.
    """
    def is_parameter(x):
        return isinstance(x, Tensor) and x.requires_grad

    tensors = [x if is_parameter(x) else Tensor(real_array("gradcheck", x).astype(np.float64), requires_grad=True)
               for x in inputs]
    kept = [t.grad for t in tensors]
    for tensor in tensors:
        tensor.zero_grad()
    try:
        return _largest_error(function, tensors, seed, step, tolerance)
    finally:
        for tensor, gradient in zip(tensors, kept):
            tensor.grad = gradient


def _largest_error(function, tensors, seed, step, tolerance):
    output = function(*tensors)
    if not isinstance(output, Tensor):
        raise GradientError(f"gradcheck: expected the function to return a tensor but got {type(output).__name__}; "
                            "does it use .data or NumPy's functions, which record no graph?")
    for dtype in (output.dtype, *(t.dtype for t in tensors)):
        if dtype != np.float64:
            raise GradientError(f"gradcheck: expected a function of float64 but it computes in {dtype}, where rounding "
                                "drowns the differences; convert a model with model.to(np.float64)")
    child, = np.random.default_rng(seed).spawn(1)  # of its own: default_rng(0).normal(...) may be an input
    upstream = child.normal(size=output.shape)
    output.backward(upstream)

    worst = 0.0
    for i, tensor in enumerate(tensors):
        start = tensor.data.copy()

        def weighted(x, tensor=tensor):
            tensor.data[...] = x
            with no_grad():
                return np.sum(function(*tensors).data * upstream)

        try:
            expected = numerical_gradient(weighted, start, step)
        finally:
            tensor.data[...] = start
        got = np.zeros_like(start) if tensor.grad is None else tensor.grad
        errors = np.abs(got - expected) / np.maximum(1, np.abs(expected))
        if not np.all(errors <= tolerance):
            at = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
            raise GradientError(f"gradcheck: input {i} at {tuple(map(int, at))}: backward gives {got[at]:.6g}, "
                                f"finite differences {expected[at]:.6g}")
        worst = max(worst, float(errors.max(initial=0)))
    return worst
