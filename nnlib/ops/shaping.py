"""Reductions, products of matrices, and changes of shape. All raise ShapeError for shapes that do not fit."""

import numpy as np

from nnlib.autograd import primitive
from nnlib.errors import ShapeError


def _spread(g, shape, axis, keepdims):
    """A gradient of the reduced shape, repeated over the axes that the reduction removed (a view, not a copy)."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)


@primitive
def sum(x, axis=None, keepdims=False):
    """Sum over `axis`, a number or a tuple (all axes if None). Every summand receives the gradient of the sum.

    The axes summed over go, or keep the size 1 with `keepdims`.
    """
    return np.sum(x, axis=axis, keepdims=keepdims), lambda g: (_spread(g, x.shape, axis, keepdims),)


@primitive
def mean(x, axis=None, keepdims=False):
    """Mean over `axis`, as in `sum`. Every element receives its share, 1/n, of the gradient."""
    y = np.mean(x, axis=axis, keepdims=keepdims)
    share = np.size(y) / np.size(x) if np.size(x) else 0.0
    return y, lambda g: (_spread(g * share, x.shape, axis, keepdims),)


@primitive
def matmul(a, b):
    """Matrix product a @ b of shapes (..., n, k) and (..., k, m); a vector is a row on the left, a column on the right.

    Derivative: for C = A B, dA = dC B^T and dB = A^T dC (deck C, matrix form of the chain rule).
    Raises ShapeError when the inner sizes differ.
    """
    if not np.ndim(a) or not np.ndim(b):
        raise ShapeError(f"matmul: expected arrays but got shapes {np.shape(a)} and {np.shape(b)}; "
                         "use * to multiply by a number")
    inner = b.shape[0] if b.ndim == 1 else b.shape[-2]
    if a.shape[-1] != inner:
        fits = b.ndim > 1 and a.shape[-1] == b.shape[-1]
        raise ShapeError(f"matmul: inner sizes differ: {a.shape} @ {b.shape}; "
                         + ("did you mean x @ W.T?" if fits else "the last size of the left must equal "
                            f"the {'first' if b.ndim == 1 else 'second-last'} of the right, {inner}"))
    rows, columns = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)

    def vjp(g):
        g = np.expand_dims(g, -1) if b.ndim == 1 else g
        g = np.expand_dims(g, -2) if a.ndim == 1 else g
        return (lambda: (g @ np.swapaxes(columns, -1, -2)).squeeze(-2 if a.ndim == 1 else ()),
                lambda: (np.swapaxes(rows, -1, -2) @ g).squeeze(-1 if b.ndim == 1 else ()))

    return a @ b, vjp


@primitive
def permute(x, axes=None):
    """The axes in another order (reversed if None). The gradient is permuted back."""
    back = None if axes is None else np.argsort(axes)
    return np.transpose(x, axes), lambda g: (np.transpose(g, back),)


@primitive
def transpose(x, axis0=-2, axis1=-1):
    """Two axes swapped, the last two if none are named: a matrix, or a stack of them, transposed."""
    return np.swapaxes(x, axis0, axis1), lambda g: (np.swapaxes(g, axis0, axis1),)


@primitive
def reshape(x, shape):
    """The same elements in another shape, as np.reshape (one size may be -1)."""
    return np.reshape(x, shape), lambda g: (np.reshape(g, x.shape),)


@primitive
def getitem(x, index=...):
    """x[index], with slices, integers, masks or index arrays. An element picked twice receives two gradients.

    Raises IndexError for an index out of range.
    """
    def vjp(g):
        gradient = np.zeros_like(x, dtype=g.dtype)
        np.add.at(gradient, index, g)
        return (gradient,)

    return x[index], vjp
