"""Augmentation: changes that leave an image's class as it is, drawn anew for every image of every batch.

All functions take a batch (n, channels, height, width) of floating-point numbers and return a new one of the same
shape and dtype. `rng` is a np.random.Generator, an integer seed, or None for the library's own. Where an image is moved
away, `fill` comes in: 0 is paper for the digits, but not after normalization. Each raises ShapeError for another number
of axes, TypeError for integers, ValueError for a range that is negative. Source: decks B and D; Simard, Steinkraus and
Platt (2003).
"""

import numpy as np

from nnlib.arguments import probability, require, whole_number
from nnlib.errors import ShapeError
from nnlib.seeding import generator

__all__ = ["add_noise", "affine", "flip", "rotate", "rotation", "shift", "translate", "warp"]


def shift(images, max_shift, rng=None, fill=0.0):
    """Move every image by whole pixels, from -max_shift to max_shift, drawn for each axis."""
    _check("shift", images, max_shift=max_shift)
    most = whole_number("shift", "max_shift", max_shift, least=0)
    return translate(images, generator(rng).integers(-most, most, (len(images), 2), endpoint=True), fill)


def translate(images, offsets, fill=0.0):
    """Move images by `offsets`, whole pixels (down, right): one pair for all, or an array (n, 2).

    Raises TypeError for offsets that are not integers, ShapeError for another number of them.
    """
    _check("translate", images)
    n, _, height, width = images.shape
    offsets = np.asarray(offsets)
    if offsets.dtype.kind not in "iu":
        raise TypeError(f"translate: expected integers (down, right) but got {offsets.dtype}; try offsets.astype(int)")
    if offsets.shape not in ((2,), (n, 2)):
        raise ShapeError(f"translate: expected offsets of shape (2,) or ({n}, 2) but got {offsets.shape}")
    offsets = np.broadcast_to(np.clip(offsets, (-height, -width), (height, width)), (n, 2))  # farther is as good as out
    most = int(np.abs(offsets).max(initial=0))
    padded = np.pad(images, ((0, 0), (0, 0), (most, most), (most, most)), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
    down, right = most - offsets.T
    return windows[np.arange(n), :, down, right]


def flip(images, rng=None, p=0.5):
    """Mirror every image, left to right, with probability p. Good for photos, bad for digits: a mirrored 2 is none."""
    _check("flip", images)
    mirrored = generator(rng).random(len(images)) < probability("flip", "p", p)
    return np.where(mirrored[:, None, None, None], images[..., ::-1], images)


def rotate(images, max_degrees, rng=None, fill=0.0):
    """Turn every image about its center by an angle from -max_degrees to max_degrees, counter-clockwise if positive."""
    return affine(images, max_degrees, rng=rng, fill=fill)


def affine(images, max_degrees=0.0, max_scale=0.0, max_shear=0.0, rng=None, fill=0.0):
    """Turn, stretch and slant every image about its center.

    Args: max_degrees: of the angle, either way.   max_scale: 0.1 stretches each axis by 1/1.1 to 1.1.
        max_shear: 0.2 slants by up to 0.2 pixels to either side per pixel of height.
    """
    _check("affine", images, max_degrees=max_degrees, max_scale=max_scale, max_shear=max_shear)
    rng, n = generator(rng), len(images)
    angle = np.deg2rad(rng.uniform(-max_degrees, max_degrees, n))
    stretch = np.exp(rng.uniform(-1, 1, (n, 2)) * np.log1p(max_scale))
    slant = rng.uniform(-max_shear, max_shear, n)
    shape = np.zeros((n, 2, 2))
    shape[:, 0, 0], shape[:, 1, 1], shape[:, 1, 0] = *stretch.T, slant
    return warp(images, shape @ rotation(angle), fill)


def rotation(angle):
    """Matrices (..., 2, 2) for `warp` that turn counter-clockwise by `angle` in radians, of any shape."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)


def warp(images, matrices, fill=0.0):
    """The pixel at p = (down, right) from the center becomes what was at `matrix @ p`, bilinearly interpolated.

    Args: matrices: (2, 2), or (n, 2, 2), one for each image; [[0.5, 0], [0, 0.5]] enlarges twice.
    """
    _check("warp", images)
    n, channels, height, width = images.shape
    matrices = np.asarray(matrices, dtype=np.float64)
    if matrices.shape not in ((2, 2), (n, 2, 2)) or not np.isfinite(matrices).all():
        raise ShapeError(f"warp: expected finite matrices of shape (2, 2) or ({n}, 2, 2) but got {matrices.shape}")
    center = np.array([[(height - 1) / 2], [(width - 1) / 2]])
    places = np.indices((height, width)).reshape(2, -1) - center
    source = np.broadcast_to(matrices, (n, 2, 2)) @ places + center + 1  # 1: padded below, so that outside is `fill`
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=fill)
    source = np.clip(source, 0, [[height + 1], [width + 1]])
    corner = np.minimum(source.astype(np.intp), [[height], [width]])
    down, right = np.moveaxis(source - corner, 1, 0).astype(images.dtype)[:, :, None]
    stride, plane = width + 2, (height + 2) * (width + 2)
    first = corner[:, 0] * stride + corner[:, 1]  # upper left of the four neighbors
    first = first[:, None] + plane * np.arange(n * channels).reshape(n, channels, 1)
    pixels = padded.reshape(-1)
    top, bottom = ((1 - right) * pixels[row] + right * pixels[row + 1] for row in (first, first + stride))
    return ((1 - down) * top + down * bottom).reshape(images.shape)


def add_noise(images, deviation, rng=None):
    """Add normal noise of that standard deviation to every pixel."""
    _check("add_noise", images, deviation=deviation)
    noise = generator(rng).standard_normal(images.shape, np.float32 if images.dtype.itemsize <= 4 else np.float64)
    return images + noise.astype(images.dtype, copy=False) * images.dtype.type(deviation)


def _check(name, images, **ranges):
    if not isinstance(images, np.ndarray) or images.dtype.kind != "f":
        kind = getattr(images, "dtype", type(images).__name__)
        raise TypeError(f"{name}: expected an array of floating-point numbers but got {kind}; try images / 255")
    if images.ndim != 4:
        raise ShapeError(f"{name}: expected images (n, channels, height, width) but got shape {images.shape}; "
                         "try data.images instead of data.X")
    for what, value in ranges.items():
        require(name, lambda value: 0 <= value < np.inf, f"{what} of at least 0", value, "try 1")

