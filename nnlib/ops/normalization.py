"""Operations that keep activations in range: batch norm and layer norm standardize them, dropout thins them out."""

import math

import numpy as np

from nnlib.arguments import probability
from nnlib.autograd import primitive
from nnlib.errors import ShapeError
from nnlib.seeding import generator

__all__ = ["batch_norm", "dropout", "layer_norm"]


def _standardize(x, axes, eps, moments=None):
    """(x - mean) / sqrt(variance + eps) over `axes`, then the factor 1 / sqrt(...), the mean and the variance.

    The variance is the mean of squared differences, all summed in float64, so that a large mean does not drown it.
    `moments` are a mean and a variance to use instead.
    """
    dtype = np.result_type(x, np.float16)  # x's own, or float64 for integers
    mean = x.mean(axes, keepdims=True, dtype=np.float64) if moments is None else moments[0]
    centered = x - mean.astype(dtype)
    variance = np.square(centered, dtype=np.float64).mean(axes, keepdims=True) if moments is None else moments[1]
    scale = (1 / np.sqrt(variance + eps)).astype(dtype)
    return centered * scale, scale, mean, variance


def _back_to_x(g, y, scale, axes):
    """The gradient at x of y = (x - mean) * scale: the parts of g that would only shift or stretch x drop out."""
    return scale * (g - g.mean(axes, keepdims=True) - y * (g * y).mean(axes, keepdims=True))


@primitive
def batch_norm(x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Standardize every channel, then scale it by `weight` and shift it by `bias` (Ioffe and Szegedy, 2015).

    Args:
        x: (batch, channels) or (batch, channels, ...).   weight, bias: (channels,), or None for 1 and 0.
        running_mean, running_var: (channels,). Training uses mean and variance of the batch (all axes but 1), and moves
            these **in place** by the share `momentum` towards them, with the unbiased variance, as PyTorch does;
            evaluation uses these. None, None: keep none (in training only).
    Raises ShapeError when shapes differ, or when there are fewer than two values per channel to take a variance of.
    """
    if np.ndim(x) < 2:
        raise ShapeError(f"batch_norm: expected input (batch, channels, ...) but got shape {np.shape(x)}; one example "
                         "alone is x[None]")
    tracked = running_mean is not None
    if (running_var is not None) != tracked or not (tracked or training):
        raise ShapeError("batch_norm: expected a running mean and a running variance, or in training neither, but one "
                         "is missing; try training=True without both")
    for array in (weight, bias, running_mean, running_var):
        if array is not None and np.shape(array) != x.shape[1:2]:
            raise ShapeError(f"batch_norm: expected one value for each of the {x.shape[1]} channels on axis 1 of the "
                             f"input {x.shape} but got shape {np.shape(array)}")
    axes, column, count = (0, *range(2, x.ndim)), (-1, *[1] * (x.ndim - 2)), len(x) * math.prod(x.shape[2:])
    if training and count < 2:
        raise ShapeError(f"batch_norm: expected at least two values per channel to take a variance of but got input "
                         f"{x.shape}; take a larger batch, or call eval() first")
    given = None if training else (np.reshape(running_mean, column), np.reshape(running_var, column))
    y, scale, mean, variance = _standardize(x, axes, eps, given)
    if training and tracked:
        for running, new in (running_mean, mean), (running_var, variance * (count / (count - 1))):
            running[...] = (1 - momentum) * running + momentum * new.reshape(-1)
    weights = 1 if weight is None else np.reshape(weight, column)

    def vjp(g):
        return (lambda: _back_to_x(g * weights, y, scale, axes) if training else g * weights * scale, None, None,
                lambda: (g * y).sum(axes), lambda: g.sum(axes))

    return y * weights + (0 if bias is None else np.reshape(bias, column)), vjp


@primitive
def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Standardize every example over its last axes, then scale by `weight` and shift by `bias` (Ba et al., 2016).

    Args:
        x: (..., *normalized_shape).   normalized_shape: the sizes of the last axes, an integer or a tuple.
        weight, bias: of that shape, or None for 1 and 0.
    Raises ShapeError when x does not end in these sizes.
    """
    sizes = tuple(np.ravel(normalized_shape).tolist())
    if not sizes or 0 in sizes or np.shape(x)[-len(sizes):] != sizes:
        raise ShapeError(f"layer_norm: expected input of shape (..., {', '.join(map(str, sizes))}) but got "
                         f"{np.shape(x)}; normalized_shape names the sizes of the last axes, none of them 0")
    for array in (weight, bias):
        if array is not None and np.shape(array) != sizes:
            raise ShapeError(f"layer_norm: expected a weight and a bias of shape {sizes} but got {np.shape(array)}")
    axes, weights = tuple(range(-len(sizes), 0)), 1 if weight is None else np.asarray(weight)
    y, scale, _, _ = _standardize(x, axes, eps)
    return (y * weights + (0 if bias is None else bias),
            lambda g: (lambda: _back_to_x(g * weights, y, scale, axes), None, lambda: g * y, g))


def dropout(x, p=0.5, training=True, rng=None):
    """Set each element to 0 with probability p and multiply the others by 1 / (1 - p) (Srivastava et al., 2014).

    So the expected value stays, and evaluation (training=False) needs no factor: it gives x back.

    Args: x: any shape.   p: in [0, 1].   rng: a Generator, a seed, or None for the library's own generator.
    Raises ValueError when p is outside, TypeError when it is no number.
    """
    p = probability("dropout", "p", p)
    if not training or p == 0:
        return x
    return _thin(x, generator(rng).random(np.shape(x), dtype=np.float32) >= p, 1 / (1 - p) if p < 1 else 0.0)


@primitive
def _thin(x, kept, scale):
    """x * kept * scale: the gradient passes where x did."""
    return x * kept * scale, lambda g: (g * kept * scale, None, None)
