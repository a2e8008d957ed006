"""Convolution: one small kernel slides over the image, and all places share its few weights.

As everywhere in deep learning the kernel is not flipped, so strictly this is cross-correlation. Inside, images lie with
the batch last, as (height, channels, width, batch). One pixel to the right is then `batch` numbers further on, for all
images alike, so that the width of a kernel is spread out by copying long runs; and the rows of an image lie one after
the other, so that its height costs no copy at all: the same memory is read with strides that overlap.
"""

import functools
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from nnlib.arguments import per_axis
from nnlib.autograd import primitive
from nnlib.errors import ShapeError

__all__ = ["conv1d", "conv2d", "output_size", "resolve_padding"]

_WORKERS = 1 if sys.platform == "emscripten" else min(8, os.cpu_count() or 1)  # Python in a browser has no threads
_BLOCK_BYTES = 2**20  # what is spread out at one time should fit into a core's cache,
_BLOCK_PRODUCTS = 10**6  # and a matrix product be small enough that BLAS does it in the thread that asks for it
_THREAD_PRODUCTS = 2 * 10**6  # a block with fewer multiplications is done before another thread has begun


def resolve_padding(padding, kernel_size, stride=1):
    """How many zeros stand before and after the image, as a pair for each axis (deck D).

    Args:
        padding: a number, a number for each axis, or a word: 'valid' pads nothing, 'same' keeps the size of the image
            (for an even kernel with one more after than before), 'full' visits all places that the kernel can touch.
        kernel_size: a number, or one for each axis.   stride: the same; 'same' needs stride 1.
    Raises ValueError for another word or a negative number, TypeError for numbers that are not integers.
    """
    return _padding("resolve_padding", padding, *_kernel_and_stride("resolve_padding", kernel_size, stride,
                                                                    np.size(kernel_size)))


def _kernel_and_stride(name, kernel_size, stride, axes):
    return per_axis(name, "kernel_size", kernel_size, axes), per_axis(name, "stride", stride, axes)


def _padding(name, padding, kernel_size, stride):
    if not isinstance(padding, str):
        return tuple((p, p) for p in per_axis(name, "padding", padding, len(kernel_size), least=0))
    if padding not in ("valid", "same", "full"):
        raise ValueError(f"{name}: expected padding to be a number, 'valid', 'same' or 'full' but got {padding!r}")
    if padding == "same" and max(stride) > 1:
        raise ValueError(f"{name}: padding='same' keeps the size of the image, which a stride of {stride} cannot; "
                         "try a number, or stride=1")
    return tuple({"valid": (0, 0), "same": ((k - 1) // 2, k // 2), "full": (k - 1, k - 1)}[padding]
                 for k in kernel_size)


def geometry(name, size, kernel_size, stride, padding):
    """Kernel size, stride, padding before and after, and the number of places of a window, each a tuple over axes.

    `name` is the operation's: errors begin with it.
    """
    kernel_size, stride = _kernel_and_stride(name, kernel_size, stride, len(size))
    padding = _padding(name, padding, kernel_size, stride)
    padded = tuple(n + before + after for n, (before, after) in zip(size, padding))
    if any(k > n for k, n in zip(kernel_size, padded)):
        raise ShapeError(f"{name}: a window of size {kernel_size} is larger than the padded image, {padded}; "
                         "try a smaller window or more padding")
    return kernel_size, stride, padding, tuple((n - k) // s + 1 for n, k, s in zip(padded, kernel_size, stride))


def output_size(size, kernel_size, stride=1, padding=0):
    """How many places a window has: floor((size + padding before and after - kernel_size) / stride) + 1 (deck D).

    Args: size: of the image along one axis, or a tuple for several.   The others as in `conv2d`.
    Returns: a number, or a tuple. Raises ShapeError when the window is larger than the padded image.
    """
    sizes = per_axis("output_size", "size", size, np.size(size), least=0)
    places = geometry("output_size", sizes, kernel_size, stride, padding)[-1]
    return places if np.ndim(size) else places[0]


def _overlap(count, offset, step, size):
    """Which of `count` rows, put at offset, offset + step, ..., fall inside `size`, and where: two slices."""
    first = max(0, -(offset // step))
    last = max(first, min(count, -((offset - size) // step)))
    return slice(first, last), slice(offset + first * step, offset + last * step, step)


def _place(images, offset, step, size):
    """Images (height, channels, width, batch), pixel (r, c) at offset + step * (r, c), amid zeros, cut to `size`."""
    height, channels, width, batch = images.shape
    rows, columns = (_overlap(*axis) for axis in zip((height, width), offset, step, size))
    placed = np.zeros((size[0], channels, size[1], batch), images.dtype)
    placed[rows[1], :, columns[1]] = images[rows[0], :, columns[0]]
    return placed


@functools.cache
def _threads(process):  # of each process its own, for a fork does not copy threads
    return ThreadPoolExecutor(_WORKERS)


def _map_blocks(function, images, kernel_size, stride, places, out_channels):
    """[function(columns, windows), ...] for blocks of a kernel's places on images (height, channels, width, batch).

    `windows` is (rows, kernel height * channels * kernel width, columns): what the kernel sees at the places of a row,
    in every image; `columns` says which (place, image) pairs of a row these are. Blocks run in threads, for NumPy lets
    go of Python's lock. Their borders do not depend on that, and so neither does any bit of the result.
    """
    height, channels, _, batch = images.shape
    down, across = places
    row, column, pixel, one = images.strides
    strips = np.ndarray((height, channels, kernel_size[1], across, batch), images.dtype, images,
                        strides=(row, column, pixel, stride[1] * pixel, one))
    strips = strips.reshape(height, channels, kernel_size[1], across * batch)  # no copy with stride 1
    depth = kernel_size[0] * channels * kernel_size[1]
    fit = min(_BLOCK_BYTES // max(1, height * channels * kernel_size[1] * images.itemsize),
              _BLOCK_PRODUCTS // max(1, depth * out_channels))
    size = max(64, fit // 64 * 64)

    def block(start):
        columns = slice(start, start + size)
        spread = np.ascontiguousarray(strips[..., columns])
        line = spread.shape[3] * spread.itemsize
        return function(columns, np.ndarray((down, depth, spread.shape[3]), spread.dtype, spread, strides=(
            stride[0] * channels * kernel_size[1] * line, line, spread.itemsize)))

    starts = range(0, across * batch, size)
    parallel = len(starts) > 1 < _WORKERS and down * depth * out_channels * size > _THREAD_PRODUCTS
    return list((_threads(os.getpid()).map if parallel else map)(block, starts))


def _correlate(images, weight, stride, places):
    """Images (height, channels, width, batch) seen through `weight`: (rows, out channels, columns, batch)."""
    out_channels, _, *kernel_size = weight.shape
    matrix = np.ascontiguousarray(weight.transpose(0, 2, 1, 3)).reshape(out_channels, -1)
    result = np.empty((places[0], out_channels, places[1] * images.shape[3]), np.result_type(images, weight))
    _map_blocks(lambda columns, windows: np.matmul(matrix, windows, out=result[..., columns]),
                images, kernel_size, stride, places, out_channels)
    return result.reshape(places[0], out_channels, places[1], images.shape[3])


def _checked(name, axes, x, weight, bias, stride, padding):
    """Stride, padding and number of places for each axis, once the shapes are found to fit."""
    if np.ndim(weight) != len(axes) + 2:
        raise ShapeError(f"{name}: expected a weight of shape (out channels, in channels, kernel {', '.join(axes)}) "
                         f"but got {np.shape(weight)}")
    if np.ndim(x) != weight.ndim or x.shape[1] != weight.shape[1]:
        order = "transpose(1, 2)" if len(axes) == 1 else "permute(0, 3, 1, 2)"
        hint = ("one alone is a batch of 1: x[None]" if np.ndim(x) == weight.ndim - 1
                else "channels come second" if np.ndim(x) != weight.ndim or x.shape[-1] != weight.shape[1]
                else f"did you mean x.{order}, channels first?")
        raise ShapeError(f"{name}: expected input of shape (batch, {weight.shape[1]}, {', '.join(axes)}) but got "
                         f"{np.shape(x)}; {hint}")
    if bias is not None and np.shape(bias) != weight.shape[:1]:
        raise ShapeError(f"{name}: expected a bias of shape {weight.shape[:1]}, a number for each output channel, "
                         f"but got {np.shape(bias)}")
    return geometry(name, x.shape[2:], weight.shape[2:], stride, padding)[1:]


def _convolve(x, weight, bias, stride, padding, places):
    """Value and vjp of a convolution over two axes whose arguments are checked."""
    out_channels, channels, *kernel_size = weight.shape
    size, before = x.shape[2:], [first for first, _ in padding]

    def padded():  # once more in the backward pass: to keep it would cost more memory than time is won
        return _place(x.transpose(2, 1, 3, 0), before, (1, 1), [n + sum(p) for n, p in zip(size, padding)])

    value = _correlate(padded(), weight, stride, places)
    if bias is not None:
        value += np.asarray(bias)[:, None, None]

    def input_gradient(g):
        # Each output gives its gradient back through the kernel, so the input collects it through the flipped kernel.
        apart = _place(g, [k - 1 - b for k, b in zip(kernel_size, before)], stride,
                       [n + k - 1 for n, k in zip(size, kernel_size)])
        return _correlate(apart, weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1], (1, 1), size).transpose(3, 1, 0, 2)

    def weight_gradient(g):
        # The gradient of a weight is the image, as that weight saw it, seen through the gradient at all its places.
        g = g.reshape(places[0], out_channels, places[1] * len(x))

        def part(columns, windows):  # BLAS is fastest with neither factor transposed, so g is copied to lie ready
            return np.matmul(windows, np.ascontiguousarray(g[..., columns].transpose(0, 2, 1))).sum(axis=0)

        parts = _map_blocks(part, padded(), kernel_size, stride, places, out_channels)
        matrix = sum(parts) if parts else np.zeros((weight[0].size, out_channels), value.dtype)
        return matrix.T.reshape(out_channels, kernel_size[0], channels, kernel_size[1]).transpose(0, 2, 1, 3)

    def vjp(g):
        g = np.ascontiguousarray(g.transpose(2, 1, 3, 0))
        return lambda: input_gradient(g), lambda: weight_gradient(g), lambda: g.sum(axis=(0, 2, 3))

    return value.transpose(3, 1, 0, 2), vjp


@primitive
def conv2d(x, weight, bias=None, stride=1, padding=0):
    """Slide each kernel of `weight` over the images and take the dot product at every place (decks D and E).

    Args:
        x: images (batch, in channels, height, width).
        weight: kernels (out channels, in channels, kernel height, kernel width).   bias: (out channels,), or None.
        stride: pixels from one place to the next, a number or (down, across).
        padding: zeros around the image: a number, (rows, columns), 'valid', 'same' or 'full'; see `resolve_padding`.
    Returns: (batch, out channels, `output_size` of height and width).
    Derivatives are convolutions too: of the gradient with the flipped kernel, and of the image with the gradient.
    Raises ShapeError when shapes do not fit or the kernel is larger than the padded image, ValueError for a stride
    below 1 or an unknown padding, TypeError when they are not integers.
    """
    return _convolve(x, weight, bias, *_checked("conv2d", ("height", "width"), x, weight, bias, stride, padding))


@primitive
def conv1d(x, weight, bias=None, stride=1, padding=0):
    """`conv2d` along one axis, a signal being an image of height 1.

    Args:
        x: signals (batch, in channels, length).   weight: kernels (out channels, in channels, kernel length).
        bias, stride, padding: as in `conv2d`, for one axis.
    Returns: (batch, out channels, `output_size` of the length). Raises as `conv2d`.
    """
    stride, padding, places = _checked("conv1d", ("length",), x, weight, bias, stride, padding)
    value, vjp = _convolve(x[:, :, None], weight[:, :, None], bias, (1, *stride), ((0, 0), *padding), (1, *places))

    def flat_vjp(g):
        for_x, for_weight, for_bias = vjp(g[:, :, None])
        return lambda: for_x()[:, :, 0], lambda: for_weight()[:, :, 0], for_bias

    return value[:, :, 0], flat_vjp
