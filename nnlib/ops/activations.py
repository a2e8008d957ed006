"""Squashing functions and their relatives, stable for inputs of any size. The result has the shape of the input."""

import numpy as np

from nnlib.autograd import primitive
from nnlib.ops.arithmetic import floating

__all__ = ["elu", "hardtanh", "leaky_relu", "log_softmax", "relu", "sigmoid", "silu", "softmax", "softplus", "swish",
           "tanh"]


@primitive
def sigmoid(z):
    """Logistic sigmoid 1 / (1 + e^-z), elementwise, in (0, 1) (deck E: the inverse of the log-odds).

    Derivative: p (1 - p), at most 1/4: small for large |z|, though never exactly zero until rounding makes it so.
    Where e^-z is too large for a number it counts as infinite, and 1 / (1 + infinity) is the 0 that it should be.
    """
    p = 1 / (1 + np.exp(-floating(z)))
    return p, lambda g: ((1 - p) * p * g,)


@primitive
def tanh(x):
    """Hyperbolic tangent, elementwise, in (-1, 1). Derivative: 1 - tanh(x)^2, tiny for |x| > 3: the unit saturates."""
    y = np.tanh(floating(x))
    return y, lambda g: ((1 - y * y) * g,)


@primitive
def hardtanh(x, min_val=-1.0, max_val=1.0):
    """x between the bounds, and the bound beyond them: tanh in straight lines. Derivative: 1 between them, else 0."""
    return np.clip(x, min_val, max_val), lambda g: (g * ((x > min_val) & (x < max_val)),)


@primitive
def relu(x):
    """max(0, x), elementwise. Derivative: 1 where x > 0, else 0 (0 is taken at the kink, as in PyTorch)."""
    y = np.maximum(x, 0)
    return y, lambda g: (g * (y > 0),)


@primitive
def leaky_relu(x, negative_slope=0.01):
    """x where x > 0, else negative_slope * x: a ReLU that never quite dies. Derivative: 1 or `negative_slope`."""
    y = np.maximum(x, 0) + negative_slope * np.minimum(x, 0)
    return y, lambda g: (g * (x > 0) + negative_slope * g * (x <= 0),)


@primitive
def elu(x, alpha=1.0):
    """x where x > 0, else alpha (e^x - 1) (Clevert, Unterthiner and Hochreiter, 2016). Derivative: 1 or alpha e^x."""
    x = floating(x)
    below = np.minimum(x, 0)  # e is raised to these only, so nothing overflows

    def vjp(g):
        return (g * (x > 0) + alpha * np.exp(below) * g * (x <= 0),)

    return np.maximum(x, 0) + alpha * np.expm1(below), vjp


@primitive
def softplus(x):
    """log(1 + e^x), elementwise: a smooth ReLU. Its derivative is the sigmoid (deck D).

    Written as max(x, 0) + log(1 + e^-|x|), so that e is never raised to a large positive number.
    """
    x = floating(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), lambda g: (g * sigmoid(x),)


@primitive
def swish(x):
    """x times its sigmoid p, elementwise (Ramachandran, Zoph and Le, 2017); PyTorch calls it SiLU.

    Derivative: p + x p (1 - p).
    """
    p = sigmoid(x)
    return x * p, lambda g: (((1 - p) * x + 1) * p * g,)


silu = swish


@primitive
def log_softmax(z, axis=-1):
    """Logarithm of the softmax along `axis`, without ever taking the logarithm of a rounded probability.

    Args: z: scores, any shape.   axis: one, a tuple, or None for all.   Returns the same shape, at most 0.
    Derivative: g - p * (sum of g along `axis`), with p the softmax. Raises ShapeError for an axis that is not there.
    """
    y = np.asarray(z - np.max(floating(z), axis=axis, keepdims=True))  # an array, for a single number too
    y -= np.log(np.sum(np.exp(y), axis=axis, keepdims=True))
    return y, lambda g: (g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),)


@primitive
def softmax(z, axis=-1):
    """e^z / (sum of e^z along `axis`): positive numbers that sum to 1. The largest score is subtracted first.

    Args: z: scores, any shape.   axis: one, a tuple, or None for all.   Returns the same shape, in (0, 1).
    Derivative: p * (g - sum of p g along `axis`). Raises ShapeError for an axis that is not there. Source: deck C.
    """
    p = np.asarray(z - np.max(floating(z), axis=axis, keepdims=True))
    np.exp(p, out=p)
    p /= np.sum(p, axis=axis, keepdims=True)
    return p, lambda g: (p * (g - np.sum(p * g, axis=axis, keepdims=True)),)
