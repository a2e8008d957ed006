"""Pooling: each window of an image becomes one number, so that later layers see less and mind small shifts less.

A window of k elements is k slices of the image, one for each position within the window: what happens to all windows
happens to whole slices. Axes before the height, batch and channels, are left alone.
"""

import functools
import itertools

import numpy as np

from nnlib.autograd import primitive
from nnlib.errors import ShapeError
from nnlib.ops.convolution import geometry

__all__ = ["avg_pool1d", "avg_pool2d", "max_pool1d", "max_pool2d", "median_pool2d"]


class _Windows:
    """The windows on `x`, padded with `fill`: where each of their elements stands. Iterates over those slices."""

    def __init__(self, name, axes, x, kernel_size, stride, padding, fill):
        if np.ndim(x) not in (len(axes) + 1, len(axes) + 2):
            raise ShapeError(f"{name}: expected input of shape (batch, channels, {', '.join(axes)}) but got "
                             f"{np.shape(x)}")
        size = x.shape[-len(axes):]
        kernel_size, stride, padding, places = geometry(name, size, kernel_size,
                                                        kernel_size if stride is None else stride, padding)
        if any(2 * before > k for (before, _), k in zip(padding, kernel_size)):
            raise ValueError(f"{name}: expected padding of at most half the window {kernel_size} but got "
                             f"{tuple(before for before, _ in padding)}; a window must not see padding alone")
        self.overlap = any(s < k for s, k in zip(stride, kernel_size))
        self.inside = (..., *(slice(before, before + n) for (before, _), n in zip(padding, size)))
        self.padded = x
        if any(map(any, padding)):
            shape = *x.shape[:-len(axes)], *(n + sum(p) for n, p in zip(size, padding))
            self.padded = np.full_like(x, fill, np.result_type(x, fill), shape=shape)
            self.padded[self.inside] = x
        self.elements = [(..., *(slice(i, i + s * (n - 1) + 1, s) for i, s, n in zip(corner, stride, places)))
                         for corner in itertools.product(*map(range, kernel_size))]

    def __iter__(self):
        return (self.padded[element] for element in self.elements)

    def gradient(self, g, y, shares):
        """The gradient of x, where each element of the windows receives its share of theirs, g."""
        if g.strides != y.strides:  # another order in memory, as after a flatten: NumPy would have to jump
            ordered = np.empty_like(y, dtype=g.dtype)
            ordered[...] = g
            g = ordered
        gradient = np.zeros_like(self.padded, dtype=g.dtype)
        for element, share in zip(self.elements, shares):
            if self.overlap:
                gradient[element] += g * share
            else:
                np.multiply(g, share, out=gradient[element])
        return (gradient[self.inside],)


def _maximum(windows):
    y = functools.reduce(np.maximum, windows)

    def first_maxima():
        waiting = np.ones_like(y, dtype=bool)  # windows whose maximum has not been met yet
        for piece in windows:
            hit = np.equal(piece, y)
            hit &= waiting
            waiting ^= hit
            yield hit

    return y, lambda g: windows.gradient(g, y, first_maxima())


def _average(windows):
    y = sum(windows) / len(windows.elements)
    return y, lambda g: windows.gradient(g, y, itertools.repeat(1 / len(windows.elements)))


@primitive
def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Largest number of each window (deck D). The padding is -infinity: it never wins.

    Args:
        x: (batch, channels, height, width), or without the batch.   kernel_size: a number or (height, width).
        stride: from one window to the next, like `kernel_size` if None; if it is smaller, windows overlap.
        padding: rows and columns around the image, as in `conv2d`, at most half a window.
    Returns: (batch, channels, `output_size` of height and width).
    Derivative: the first maximum of the window, row by row, receives all of the gradient, as in PyTorch.
    Raises ShapeError for another number of axes or a window larger than the padded image, ValueError for numbers out
    of range, TypeError for numbers that are not integers.
    """
    return _maximum(_Windows("max_pool2d", ("height", "width"), x, kernel_size, stride, padding, -np.inf))


@primitive
def max_pool1d(x, kernel_size, stride=None, padding=0):
    """`max_pool2d` along the one axis of signals (batch, channels, length)."""
    return _maximum(_Windows("max_pool1d", ("length",), x, kernel_size, stride, padding, -np.inf))


@primitive
def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """Mean of each window, zeros of the padding included, as in PyTorch (deck D). Arguments as in `max_pool2d`.

    Derivative: all elements of the window receive the same share, 1 / (elements of a window).
    """
    return _average(_Windows("avg_pool2d", ("height", "width"), x, kernel_size, stride, padding, 0.0))


@primitive
def avg_pool1d(x, kernel_size, stride=None, padding=0):
    """`avg_pool2d` along the one axis of signals (batch, channels, length)."""
    return _average(_Windows("avg_pool1d", ("length",), x, kernel_size, stride, padding, 0.0))


@primitive
def median_pool2d(x, kernel_size, stride=None, padding=0):
    """Median of each window, for an even number of elements the mean of the middle two (deck D).

    Arguments as in `max_pool2d`; the padding is zeros.
    Derivative: the middle element receives the gradient, or each of the middle two one half of it.
    """
    windows = _Windows("median_pool2d", ("height", "width"), x, kernel_size, stride, padding, 0.0)
    stack = np.stack(list(windows))
    order, count = np.argsort(stack, axis=0, kind="stable"), len(stack)
    lower, upper = order[(count - 1) // 2], order[count // 2]
    low, high = (np.take_along_axis(stack, middle[None], axis=0)[0] for middle in (lower, upper))
    y = low if count % 2 else low / 2 + high / 2  # halves first, for the sum of two numbers may overflow
    y[np.isnan(stack).any(axis=0)] = np.nan  # as in np.median, a NaN is not hidden
    return y, lambda g: windows.gradient(g, y, ((lower == i) / 2 + (upper == i) / 2 for i in range(count)))
