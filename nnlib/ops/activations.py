"""Squashing functions and their relatives, stable for inputs of any size. The result has the shape of the input."""

import numpy as np

from nnlib.autograd import primitive


@primitive
def sigmoid(z):
    """Logistic sigmoid 1 / (1 + e^-z), elementwise, in (0, 1) (deck E: the inverse of the log-odds).

    Derivative: p (1 - p), at most 1/4: small for large |z|, though never exactly zero until rounding makes it so.
    e is raised to -|z| only, so nothing overflows.
    """
    small = np.exp(-np.abs(z))
    p = np.where(np.greater_equal(z, 0), 1, small) / (1 + small)
    return p, lambda g: (g * p * (1 - p),)


@primitive
def tanh(x):
    """Hyperbolic tangent, elementwise, in (-1, 1). Derivative: 1 - tanh(x)^2, tiny for |x| > 3: the unit saturates."""
    y = np.tanh(x)
    return y, lambda g: (g * (1 - y * y),)


@primitive
def relu(x):
    """max(0, x), elementwise. Derivative: 1 where x > 0, else 0 (0 is taken at the kink, as in PyTorch)."""
    return np.maximum(x, 0), lambda g: (g * np.greater(x, 0),)


@primitive
def softplus(x):
    """log(1 + e^x), elementwise: a smooth ReLU. Its derivative is the sigmoid (deck D).

    Written as max(x, 0) + log(1 + e^-|x|), so that e is never raised to a large positive number.
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), lambda g: (g * sigmoid(x),)


@primitive
def log_softmax(z, axis=-1):
    """Logarithm of the softmax along `axis`, without ever taking the logarithm of a rounded probability.

    Args: z: scores, any shape of at least one axis.   Returns the same shape, at most 0.
    Derivative: g - p * (sum of g along `axis`), with p the softmax.
    """
    shifted = z - np.max(z, axis=axis, keepdims=True)
    y = shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
    return y, lambda g: (g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),)


@primitive
def softmax(z, axis=-1):
    """e^z / (sum of e^z along `axis`): positive numbers that sum to 1. The largest score is subtracted first.

    Args: z: scores, any shape of at least one axis.   Returns the same shape, in (0, 1). Source: deck C.
    Derivative: p * (g - sum of p g along `axis`).
    """
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
    p = powers / np.sum(powers, axis=axis, keepdims=True)
    return p, lambda g: (p * (g - np.sum(p * g, axis=axis, keepdims=True)),)
