"""Changes of shape and order, joining, and picking elements. All raise ShapeError for shapes that do not fit."""

import math
import operator

import numpy as np

from nnlib.autograd import primitive
from nnlib.errors import ShapeError

__all__ = ["broadcast_to", "concatenate", "embedding", "flatten", "getitem", "pad", "permute", "reshape", "squeeze",
           "stack", "transpose"]


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
def flatten(x, start_axis=1):
    """All axes from `start_axis` on become one: images (batch, channels, height, width) become rows of a matrix."""
    shape = np.shape(x)
    if not -len(shape) <= start_axis < (len(shape) or 1):
        raise ShapeError(f"flatten: expected an array with an axis {start_axis} but got shape {shape}; "
                         "try flatten(x, start_axis=0), or add an axis for the batch: x[None]")
    return np.reshape(x, (*shape[:start_axis], math.prod(shape[start_axis:]))), lambda g: (np.reshape(g, shape),)


@primitive
def squeeze(x, axis=None):
    """Without the axes of size 1, or without the one (or those in a tuple) named, as np.squeeze."""
    return np.squeeze(x, axis), lambda g: (np.reshape(g, x.shape),)


@primitive
def broadcast_to(x, shape):
    """x repeated to `shape` as broadcasting would. The gradients of the copies add up (which the engine does)."""
    return np.broadcast_to(x, shape), lambda g: (g,)


def concatenate(tensors, axis=0):
    """The tensors of a list one after another along `axis`; their other sizes agree. Each has its part of g."""
    return _concatenate(*tensors, axis=axis)


@primitive
def _concatenate(*arrays, axis):
    y = np.concatenate(arrays, operator.index(axis))  # of NumPy's None, which flattens, there would be no way back
    return y, lambda g: np.split(g, np.cumsum([a.shape[axis] for a in arrays[:-1]]), axis)


def stack(tensors, axis=0):
    """The tensors of a list, all of one shape, along a new axis. Each receives its slice of the gradient."""
    return _stack(*tensors, axis=axis)


@primitive
def _stack(*arrays, axis):
    return np.stack(arrays, axis), lambda g: tuple(np.moveaxis(g, axis, 0))


@primitive
def pad(x, widths, value=0.0):
    """x with a frame of `value` around it. The frame is no input: its gradient is cut off.

    Args: widths: as in np.pad, a number for all sides, (before, after) for all axes, or one such pair per axis.
    Raises ShapeError for a negative width, or pairs that are not as many as the axes.
    """
    if np.min(widths) < 0:
        raise ShapeError(f"pad: expected widths of at least 0 but got {widths}; to cut off elements, use a slice")
    widths = np.broadcast_to(widths, (np.ndim(x), 2)).tolist()
    inside = tuple(slice(before, before + size) for (before, _), size in zip(widths, x.shape))
    y = np.full([before + size + after for (before, after), size in zip(widths, x.shape)], value, x.dtype)
    y[inside] = x
    return y, lambda g: (g[inside],)


@primitive
def getitem(x, index=...):
    """x[index], with slices, integers, masks or index arrays. An element picked twice receives two gradients.

    Raises IndexError for an index out of range.
    """
    parts = index if isinstance(index, tuple) else (index,)

    def vjp(g):
        gradient = np.zeros(x.shape, g.dtype)
        if any(np.asarray(part).dtype.kind in "iu" for part in parts if isinstance(part, (list, np.ndarray))):
            np.add.at(gradient, index, g)
        else:  # only index arrays can pick twice; an assignment is many times faster
            gradient[index] = g
        return (gradient,)

    return x[index], vjp


@primitive
def embedding(indices, weight):
    """The rows of `weight` that `indices` name: a vector for each word. A row named twice receives two gradients.

    Args: indices: integers in 0 ... rows - 1, any shape.   weight: (rows, width).   Returns (*indices.shape, width).
    Raises TypeError when the indices are not integers, IndexError when one of them is no row.
    """
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"embedding: expected integer indices but got {indices.dtype}; try indices.astype(int)")
    if np.ndim(weight) != 2:
        raise ShapeError(f"embedding: expected a weight of shape (rows, width) but got {np.shape(weight)}")
    rows, width = weight.shape
    if indices.size and not (0 <= indices.min() and indices.max() < rows):
        raise IndexError(f"embedding: expected indices from 0 to {rows - 1} but got {indices.min()} to "
                         f"{indices.max()}; how many different words are there?")

    def vjp(g):
        gradient = np.zeros(rows * width, g.dtype)  # flat, because np.add.at is several times faster in one dimension
        np.add.at(gradient, (indices[..., None].astype(np.intp) * width + np.arange(width)).ravel(), g.ravel())
        return None, gradient.reshape(rows, width)

    return weight[indices], vjp
