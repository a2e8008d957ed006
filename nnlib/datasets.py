"""Data: bundled tables first, small synthetic sets in the plane, and MNIST where the learner has its files."""

import gzip
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnlib.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """Examples and their targets.

    X: (n, features) float64.   t: (n,) class numbers 0, 1, ...   feature_names, class_names: tuples of strings.
    """

    X: np.ndarray
    t: np.ndarray
    feature_names: tuple
    class_names: tuple
    name: str

    def __len__(self):
        return len(self.t)

    def __repr__(self):
        counts = ", ".join(f"{np.sum(self.t == k)} {name}" for k, name in enumerate(self.class_names))
        return f"{self.name}: X {self.X.shape}, t {self.t.shape} ({counts})"

    @property
    def images(self):
        """X as square images of shape (n, 1, height, width). Raises DataError when rows are not square images."""
        side = round(self.X.shape[1] ** 0.5)
        if side * side != self.X.shape[1]:
            raise DataError(f"{self.name}: its {self.X.shape[1]} features are not the pixels of a square image")
        return self.X.reshape(-1, 1, side, side)

    def take(self, index):
        """The examples at `index` (slice, mask or integers), as a Dataset."""
        return replace(self, X=self.X[index], t=self.t[index])

    def split(self, test=0.25, seed=0):
        """Shuffle and divide into (train, test), each class in the same proportion in both.

        Args: test: fraction in (0, 1) of every class that goes to the test set.   seed: of the shuffle.
        Raises ValueError when a set would be empty.
        """
        if not 0 < test < 1:
            raise ValueError(f"split: expected a test fraction between 0 and 1 but got {test}")
        rng = np.random.default_rng(seed)
        rows = [rng.permutation(np.flatnonzero(self.t == k)) for k in np.unique(self.t)]
        cuts = [round(test * len(r)) for r in rows]
        held_out = np.concatenate([r[:cut] for r, cut in zip(rows, cuts)])
        kept = np.concatenate([r[cut:] for r, cut in zip(rows, cuts)])
        if not len(held_out) or not len(kept):
            raise ValueError(f"split: {len(self)} examples cannot be divided with test={test}: one part is empty")
        return self.take(rng.permutation(kept)), self.take(rng.permutation(held_out))


def standardize(train_X, *others):
    """Shift and scale every feature to mean 0 and standard deviation 1 on the training examples.

    The other arrays get the training set's shift and scale: a test set must not be looked at, not even for its mean.
    A constant feature becomes 0.
    Args: train_X, others: (n, features), n of any size.   Returns a tuple of arrays, one per argument.
    """
    mean, deviation = train_X.mean(axis=0), train_X.std(axis=0)
    deviation = np.where(deviation > 1e-12 * np.abs(mean), deviation, 1.0)  # rounding gives constants a tiny one
    return tuple((X - mean) / deviation for X in (train_X, *others))


def _scikit_learn(loader):
    """Call a loader of scikit-learn, which carries its small tables inside the package: no network is needed."""
    try:
        import sklearn.datasets
    except ImportError:
        raise DataError(f"{loader} comes with scikit-learn, which is not installed; try `pip install scikit-learn`, or "
                        "`make lab`, which installs all") from None
    try:
        return getattr(sklearn.datasets, loader)()
    except FileNotFoundError as error:
        raise DataError(f"{loader}: scikit-learn is installed but its file {error.filename} is missing; "
                        "try `pip install --force-reinstall scikit-learn`") from None


def load_digits(classes=None):
    """Handwritten digits, 1,797 images of 8x8 pixels with gray values from 0 (paper) to 1 (ink).

    Args: classes: the digits to keep, e.g. (3, 8), renumbered 0, 1, ... in that order; all ten if None.
    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (1998), as bundled with scikit-learn.
    Raises ValueError for something that is not a digit, DataError when scikit-learn, or its file, is missing.
    """
    bunch = _scikit_learn("load_digits")
    classes = tuple(range(10) if classes is None else classes)
    if not classes or not set(classes) <= set(range(10)) or len(set(classes)) < len(classes):
        raise ValueError(f"load_digits: expected different digits from 0 to 9 but got classes={classes}")
    names = tuple(f"pixel {i // 8},{i % 8}" for i in range(64))
    rows = np.isin(bunch.target, classes)
    number = np.zeros(10, dtype=np.int64)
    number[list(classes)] = range(len(classes))
    return Dataset(bunch.data[rows] / 16.0, number[bunch.target[rows]], names, tuple(str(c) for c in classes), "digits")


def load_breast_cancer():
    """Measurements of cell nuclei in 569 biopsies, 30 features; class 1 is malignant, class 0 benign.

    Source: Street, Wolberg and Mangasarian (1993), as bundled with scikit-learn (where malignant is 0).
    Raises DataError when scikit-learn, or its file, is missing.
    """
    bunch = _scikit_learn("load_breast_cancer")
    return Dataset(bunch.data.astype(np.float64), 1 - bunch.target.astype(np.int64),
                   tuple(map(str, bunch.feature_names)), ("benign", "malignant"), "breast cancer")


def load_mnist(folder, part="t10k"):
    """MNIST from the files the learner has: 28x28 pixels, gray values from 0 to 1.

    Args:
        folder: where `<part>-images-idx3-ubyte.gz` and `<part>-labels-idx1-ubyte.gz` lie (or the same without .gz).
        part: "train" (60,000 images) or "t10k" (10,000).
    Source: LeCun, Bottou, Bengio and Haffner (1998). Raises DataError when a file is missing or damaged.
    """
    images = _read_idx(Path(folder), f"{part}-images-idx3-ubyte", 3)
    labels = _read_idx(Path(folder), f"{part}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        raise DataError(f"MNIST in {folder}: {len(images)} images but {len(labels)} labels; are the files of one part?")
    height, width = images.shape[1:]
    names = tuple(f"pixel {i // width},{i % width}" for i in range(height * width))
    X = images.reshape(-1, height * width) / 255.0
    return Dataset(X, labels.astype(np.int64), names, tuple("0123456789"), "MNIST")


def _read_idx(folder, name, dimensions):
    """An array of bytes in the IDX format: four bytes of magic, the sizes as big-endian integers, then the bytes."""
    path = next((p for p in (folder / f"{name}.gz", folder / name) if p.is_file()), None)
    if path is None:
        raise DataError(f"MNIST is optional and its file {name}.gz is not in {folder}; download the four files of "
                        "MNIST into that folder, or go on without")
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        sizes = struct.unpack_from(f">{dimensions}I", raw, 4)
        if raw[:4] != bytes([0, 0, 8, dimensions]):
            raise ValueError("it does not begin as an IDX file of bytes")
        return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(sizes)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise DataError(f"{path} is damaged or not an MNIST file ({error}); download it again") from None


def _in_the_plane(points, t, name):
    return Dataset(np.concatenate(points), np.asarray(t, dtype=np.int64), ("x1", "x2"), ("class 0", "class 1"), name)


def _halves(n, name):
    if n < 2:
        raise ValueError(f"{name}: expected n of at least 2, one example for each class, but got {n}")
    return n // 2, n - n // 2


def make_blobs(n=200, centers=((-1.0, -1.0), (1.0, 1.0)), spread=1.0, seed=0):
    """Normal clouds of equal size around `centers`, one class each; they overlap as `spread` (a deviation) grows.

    Args: n: examples in all.   centers: (classes, 2).   spread: >= 0.   Returns a Dataset, X (n, 2).
    """
    rng = np.random.default_rng(seed)
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
    rng = np.random.default_rng(seed)
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
