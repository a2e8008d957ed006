"""Reductions: many numbers become one, along one axis, several or all.

`axis` is a number or a tuple (all axes if None). The axes reduced over go, or keep the size 1 with `keepdims`.
All raise ShapeError for an axis that is not there.
"""

import numpy as np

from nnlib.autograd import primitive
from nnlib.errors import ShapeError
from nnlib.ops.arithmetic import floating

__all__ = ["logsumexp", "max", "mean", "min", "sum", "var"]


def _spread(g, shape, axis, keepdims):
    """A gradient of the reduced shape, repeated over the axes that the reduction removed (a view, not a copy)."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)


def _drop(y, axis, keepdims):
    """A result that was computed with keepdims, as the caller asked for it."""
    return y if keepdims else np.squeeze(y, axis)[()]


def _share(x, y):
    """How many elements of x went into each of y; not a number when there were none, as then is their mean."""
    return np.size(x) / np.size(y) if np.size(x) else np.nan


@primitive
def sum(x, axis=None, keepdims=False):
    """Sum over `axis`. Every summand receives the gradient of the sum."""
    return np.sum(x, axis=axis, keepdims=keepdims), lambda g: (_spread(g, np.shape(x), axis, keepdims),)


@primitive
def mean(x, axis=None, keepdims=False):
    """Mean over `axis`, nan if that is of size 0. Every element receives its share, 1/n, of the gradient."""
    y = np.sum(x, axis=axis, keepdims=keepdims)
    n = _share(x, y)
    return y / n, lambda g: (_spread(g / n, np.shape(x), axis, keepdims),)


@primitive
def var(x, axis=None, keepdims=False, correction=1):
    """Variance over `axis`: the sum of (x - mean)^2, divided by n - `correction`.

    The unbiased estimate has correction 1, as in PyTorch (NumPy's default is 0); nan where n is not above it.
    Derivative: 2 (x - mean) / (n - correction).
    """
    total = np.sum(x, axis=axis, keepdims=True)
    n = _share(x, total)
    centered = x - total / n
    degrees = n - correction if n > correction else np.nan
    y = np.sum(centered * centered, axis=axis, keepdims=True) / degrees
    return _drop(y, axis, keepdims), lambda g: (_spread(g * (2 / degrees), np.shape(x), axis, keepdims) * centered,)


@primitive
def max(x, axis=None, keepdims=False):
    """Largest element over `axis`. The gradient goes to it, in equal shares to several that tie.

    Raises ShapeError when there is no element to be the largest.
    """
    return _extreme("max", np.max, x, axis, keepdims)


@primitive
def min(x, axis=None, keepdims=False):
    """Smallest element over `axis`, with the gradient as in `max`. Raises ShapeError when there is no element."""
    return _extreme("min", np.min, x, axis, keepdims)


def _extreme(name, reduction, x, axis, keepdims):
    try:
        y = reduction(x, axis=axis, keepdims=True)
    except ValueError:
        if np.size(x):
            raise
        raise ShapeError(f"{name}: expected at least one element along axis {axis} but got shape {np.shape(x)}; "
                         "is the batch or the selection empty?") from None

    def vjp(g):
        ties = np.equal(x, y).astype(g.dtype)
        winners = np.maximum(np.sum(ties, axis=axis, keepdims=True), 1)  # none equals a maximum that is nan
        ties *= _spread(g, np.shape(x), axis, keepdims) / winners
        return (ties,)

    return _drop(y, axis, keepdims), vjp


@primitive
def logsumexp(x, axis=None, keepdims=False):
    """log(sum of e^x) over `axis`: a smooth maximum, which never raises e to a large number. -inf if all are.

    Derivative: e^(x - y), the softmax.
    """
    x = floating(x)
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, np.zeros_like(largest))  # -inf less -inf is not a number
    y = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest

    def vjp(g):
        p = np.exp(x - np.where(np.isfinite(y), y, np.zeros_like(y)))
        p *= _spread(g, np.shape(x), axis, keepdims)
        return (p,)

    return _drop(y, axis, keepdims), vjp
