"""Small sets in the plane, made by a seed: what one neuron can and cannot separate."""

from dataclasses import replace

import numpy as np

from nnlib.arguments import whole_number
from nnlib.datasets.table import Dataset

__all__ = ["make_blobs", "make_circles", "make_moons", "make_spirals", "make_xor"]


def _in_the_plane(points, t, name):
    return Dataset(np.concatenate(points), np.asarray(t, dtype=np.int64), ("x1", "x2"), ("class 0", "class 1"), name)


def _halves(n, name):
    whole_number(name, "n", n, least=2)  # one example for each class
    return n // 2, n - n // 2


def make_blobs(n=200, centers=((-1.0, -1.0), (1.0, 1.0)), spread=1.0, seed=0):
    """Normal clouds of equal size around `centers`, one class each; they overlap as `spread` (a deviation) grows.

    Args: n: examples in all.   centers: (classes, 2).   spread: >= 0.   Returns a Dataset, X (n, 2).
    """
    rng, n = np.random.default_rng(seed), whole_number("make_blobs", "n", n, least=len(centers))
    counts = [len(part) for part in np.array_split(range(n), len(centers))]
    points = [center + spread * rng.normal(size=(count, 2)) for center, count in zip(np.asarray(centers), counts)]
    data = _in_the_plane(points, np.repeat(range(len(centers)), counts), "blobs")
    return replace(data, class_names=tuple(f"class {k}" for k in range(len(centers))))


def make_moons(n=200, noise=0.1, seed=0):
    """Two interleaved half circles of radius 1, with normal noise of that standard deviation.

    Args: n: examples in all, at least 2 (else ValueError).   noise: >= 0.   Returns a Dataset, X (n, 2).
    """
    rng = np.random.default_rng(seed)
    first, second = _halves(n, "make_moons")
    a, b = np.linspace(0, np.pi, first), np.linspace(0, np.pi, second)
    points = [np.stack([np.cos(a), np.sin(a)], 1), np.stack([1 - np.cos(b), 0.5 - np.sin(b)], 1)]
    return _in_the_plane([p + noise * rng.normal(size=p.shape) for p in points], [0] * first + [1] * second, "moons")


def make_circles(n=200, noise=0.05, factor=0.5, seed=0):
    """A circle of radius 1 (class 0) around one of radius `factor` (class 1), with normal noise.

    Args: n: examples in all, at least 2 (else ValueError).   noise: >= 0.   Returns a Dataset, X (n, 2).
    """
    rng = np.random.default_rng(seed)
    outer, inner = _halves(n, "make_circles")
    angles = [np.linspace(0, 2 * np.pi, count, endpoint=False) for count in (outer, inner)]
    points = [r * np.stack([np.cos(a), np.sin(a)], 1) for r, a in zip((1.0, factor), angles)]
    return _in_the_plane([p + noise * rng.normal(size=p.shape) for p in points], [0] * outer + [1] * inner, "circles")


def make_xor(n=200, noise=0.3, seed=0):
    """Four clouds at the corners (+-1, +-1); class 1 where the signs of the coordinates differ.

    Args: n: examples in all.   noise: the clouds' standard deviation, >= 0.   Returns a Dataset, X (n, 2).
    """
    rng, n = np.random.default_rng(seed), whole_number("make_xor", "n", n)
    corners = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])[np.arange(n) % 4]
    return _in_the_plane([corners + noise * rng.normal(size=(n, 2))], corners[:, 0] * corners[:, 1] < 0, "xor")


def make_spirals(n=200, noise=0.05, turns=1.0, seed=0):
    """Two arms that wind `turns` times around the origin, radius from 0.1 to 1, with normal noise.

    Args: n: examples in all, at least 2 (else ValueError).   noise: >= 0.   Returns a Dataset, X (n, 2).
    """
    rng = np.random.default_rng(seed)
    points, halves = [], _halves(n, "make_spirals")
    for start, count in zip((0.0, np.pi), halves):
        u = np.linspace(0.1, 1, count)
        angle = start + 2 * np.pi * turns * u
        points.append(u[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) + noise * rng.normal(size=(count, 2)))
    return _in_the_plane(points, np.repeat((0, 1), halves), "spirals")
