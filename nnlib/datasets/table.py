"""Examples with their targets, and what is done to them before training: divide, shift and scale."""

import operator
from dataclasses import dataclass, replace

import numpy as np

from nnlib.arguments import require
from nnlib.autograd import real_array
from nnlib.errors import ShapeError

__all__ = ["Dataset", "Normalizer", "standardize"]


@dataclass(frozen=True)
class Dataset:
    """Examples and their targets.

    X: (n, features), float64 (MNIST, which is large, float32).   t: (n,) class numbers 0, 1, ...
    feature_names, class_names: tuples of strings.
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
        """X as square images of shape (n, 1, height, width). Raises ShapeError when rows are not square images."""
        side = round(self.X.shape[1] ** 0.5)
        if side * side != self.X.shape[1]:
            raise ShapeError(f"{self.name}: its {self.X.shape[1]} features are not the pixels of a square image; "
                             "expected 64, 784 or another square, as load_digits and load_mnist have")
        return self.X.reshape(-1, 1, side, side)

    def take(self, index):
        """The examples at `index` (slice, mask or integers), as a Dataset."""
        return replace(self, X=self.X[index], t=self.t[index])

    def split(self, test=0.25, seed=0):
        """Shuffle and divide into (train, test), each class in the same proportion in both.

        For a validation set, divide the training set once more.
        Args: test: fraction in (0, 1) of every class that goes to the test set.   seed: of the shuffle.
        Raises ValueError when a set would be empty.
        """
        require("split", lambda test: 0 < test < 1, "a test fraction between 0 and 1", test, "try 0.25")
        rng = np.random.default_rng(seed)
        rows = self._shuffled_rows_of_each_class(rng)
        cuts = [round(test * len(r)) for r in rows]
        held_out = np.concatenate([r[:cut] for r, cut in zip(rows, cuts)])
        kept = np.concatenate([r[cut:] for r, cut in zip(rows, cuts)])
        if not len(held_out) or not len(kept):
            raise ValueError(f"split: {len(self)} examples cannot be divided with test={test}: one part is empty")
        return self.take(rng.permutation(kept)), self.take(rng.permutation(held_out))

    def folds(self, k=5, seed=0):
        """For k-fold cross-validation: pairs (train, validation), one after the other.

        Every example is in exactly one of the k validation sets, which differ in size by at most one and hold each
        class in about the same proportion.
        Args: k: from 2 to the number of examples, else ValueError.   seed: of the shuffle.
        """
        require("folds", lambda k: 2 <= operator.index(k) <= len(self),
                f"k from 2 to {len(self)}, the number of examples,", k, "try 5")
        rng = np.random.default_rng(seed)
        order = np.concatenate(self._shuffled_rows_of_each_class(rng))  # dealt out like cards, class after class
        hands = [rng.permutation(order[i::k]) for i in range(k)]
        return ((self.take(rng.permutation(np.concatenate(hands[:i] + hands[i + 1:]))), self.take(hands[i]))
                for i in range(k))

    def _shuffled_rows_of_each_class(self, rng):
        return [rng.permutation(np.flatnonzero(self.t == k)) for k in np.unique(self.t)]


class Normalizer:
    """Shifts and scales to mean 0 and standard deviation 1, with statistics of the training examples alone.

    A test set must not be looked at, not even for its mean: fit on the training set, apply to all.

        normalize = Normalizer(train.X)
        model(normalize(test.X))

    Args:
        train_X: (n, ...), n >= 1, the examples that mean and deviation are taken from.
        per: "feature", one mean for each place in an example (for images (n, c, h, w) that is the mean image), or
            "channel", one for each channel of images (n, c, h, w).
        scale: whether to divide by the deviation; False only subtracts the mean, as AlexNet did with its mean image.
    Attributes: `mean` and `deviation`, float64, which broadcast against examples; `per`. A constant feature gets
    deviation 1, and so becomes 0. Raises ShapeError for no examples, or for too few axes, ValueError for another `per`
    or for numbers that are not finite.
    """

    @np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused at the end
    def __init__(self, train_X, per="feature", scale=True):
        train_X = real_array("Normalizer", train_X)
        if per not in ("feature", "channel"):
            raise ValueError(f"Normalizer: expected per='feature' or per='channel' but got {per!r}")
        needed = 3 if per == "channel" else 1
        if train_X.ndim < needed or not train_X.size:
            raise ShapeError(f"Normalizer: expected at least one example, per {per}, but got shape {train_X.shape}; "
                             + ("try data.images" if per == "channel" else "are there any rows?"))
        self.per, axes = per, (0,) if per == "feature" else (0, *range(2, train_X.ndim))
        self.mean = train_X.mean(axis=axes, keepdims=True, dtype=np.float64)
        count = train_X.size // self.mean.size
        blocks = (train_X[start:start + 4096] for start in range(0, len(train_X), 4096))  # float64 for a part at a time
        squares = sum(((block - self.mean) ** 2).sum(axis=axes, keepdims=True) for block in blocks)
        deviation = np.sqrt(squares / count)
        constant = deviation <= 1e-12 * np.abs(self.mean)  # rounding gives constants a tiny one
        if not np.isfinite(deviation).all():
            raise ValueError("Normalizer: expected finite numbers, and none near the largest there is, but got such; "
                             "repair those rows or leave them out")
        self.deviation = np.where(constant, 1.0, deviation) if scale else np.ones_like(deviation)

    def __call__(self, X):
        """X, shifted and scaled; its dtype is kept (integers become float64). Raises ShapeError for other features."""
        X, mean, deviation = self._fitted(X)
        return (X - mean) / deviation

    def inverse(self, Z):
        """What `Z` was before: Normalizer.inverse(normalizer(X)) is X, up to rounding."""
        Z, mean, deviation = self._fitted(Z)
        return Z * deviation + mean

    def _fitted(self, X):
        X = np.asarray(X)
        own = self.mean.shape[1:2] if self.per == "channel" else self.mean.shape[1:]
        if X.ndim != self.mean.ndim or X.shape[1:1 + len(own)] != own:
            raise ShapeError(f"Normalizer: expected examples with as many {self.per}s as the training set, {own}, in "
                             f"{self.mean.ndim} axes but got shape {X.shape}; are images flat here and not there?")
        dtype = X.dtype if X.dtype.kind == "f" else np.float64
        return X, self.mean.astype(dtype), self.deviation.astype(dtype)


def standardize(train_X, *others):
    """Shift and scale every feature to mean 0 and standard deviation 1 on the training examples.

    The other arrays get the training set's shift and scale: see `Normalizer`, which also keeps them. A constant
    feature becomes 0.
    Args: train_X, others: (n, features), n of any size.   Returns a tuple of arrays, one per argument.
    """
    normalize = Normalizer(train_X)
    return tuple(normalize(X) for X in (train_X, *others))
