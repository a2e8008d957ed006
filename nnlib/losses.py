"""Losses: how wrong a batch of answers is, as one number, the mean over the batch."""

import numpy as np

from nnlib.autograd import Tensor, primitive
from nnlib.errors import ShapeError
from nnlib.ops import log_softmax, softplus


def _array(x):
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def _targets(name, predictions, targets, bernoulli=False):
    """The targets as an array of the predictions' shape and float dtype, or an error that says what differs."""
    p, t = _array(predictions), _array(targets)
    if p.shape != t.shape:
        raise ShapeError(f"{name}: expected targets of shape {p.shape} but got {t.shape}; a column (n, 1) against a "
                         "row (n,) would broadcast to (n, n)")
    if not p.size:
        raise ValueError(f"{name}: expected at least one example but got none: shape {p.shape} has no mean")
    if bernoulli and not np.all((t >= 0) & (t <= 1)):
        raise ValueError(f"{name}: expected targets in [0, 1] but got values from {np.min(t):.3g} to {np.max(t):.3g}; "
                         "for labels -1 and +1 try (t + 1) / 2")
    return t.astype(p.dtype, copy=False) if p.dtype.kind == "f" else t


@primitive
def _bernoulli(p, t):
    # The derivative divides by p and 1 - p; the smallest normal number keeps 0/0 out where rounding made them 0.
    tiny = np.finfo(p.dtype).tiny
    q = np.clip(1 - p, tiny, None)
    p = np.clip(p, tiny, None)
    return -(t * np.log(p) + (1 - t) * np.log(q)), lambda g: (g * ((1 - t) / q - t / p), None)


def binary_cross_entropy(probabilities, targets):
    """Mean of -(t log p + (1 - t) log(1 - p)): the negative log-likelihood of Bernoulli targets (decks A and D).

    Args:
        probabilities: p in [0, 1], any shape.   targets: t in [0, 1], same shape.
    A sure and wrong p costs log of the smallest normal number, about 708 in float64, instead of infinity.
    Raises ShapeError when the shapes differ, ValueError when a p or a t is not a probability or the batch is empty.
    """
    p = _array(probabilities)
    if p.dtype.kind != "f":
        p = probabilities = p.astype(np.float64)
    t = _targets("binary_cross_entropy", probabilities, targets, bernoulli=True)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("binary_cross_entropy: expected probabilities in [0, 1] but got values from "
                         f"{np.min(p):.3g} to {np.max(p):.3g}; for scores use binary_cross_entropy_with_logits")
    return _bernoulli(probabilities, t).mean()


def binary_cross_entropy_with_logits(logits, targets):
    """The same loss from scores z: the mean of softplus(z) - t z, exact for scores of any size (deck D).

    Args:
        logits: z, any shape.   targets: t in [0, 1], same shape.
    Raises ShapeError when the shapes differ, ValueError when a t is not a probability or the batch is empty.
    """
    t = _targets("binary_cross_entropy_with_logits", logits, targets, bernoulli=True)
    z = logits if isinstance(logits, Tensor) else np.asarray(logits)
    return (softplus(z) - z * t).mean()


def cross_entropy(logits, targets):
    """Mean of -log softmax(z)[t]: the negative log-likelihood of the right class (decks C and D).

    Args:
        logits: scores z, shape (batch, classes).   targets: t, integers in 0 ... classes - 1, shape (batch,).
    Raises ShapeError when the shapes are others, TypeError when `targets` are not integers, ValueError when one of them
    is no class.
    """
    z, t = _array(logits), _array(targets)
    if z.ndim != 2 or t.shape != z.shape[:1]:
        raise ShapeError("cross_entropy: expected logits (batch, classes) and targets (batch,) but got "
                         f"{z.shape} and {t.shape}; for one-hot targets pass targets.argmax(axis=1)")
    if t.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: expected integer class numbers but got {t.dtype}; try targets.astype(int)")
    if t.size and not (0 <= t.min() and t.max() < z.shape[1]):
        raise ValueError(f"cross_entropy: expected class numbers from 0 to {z.shape[1] - 1} but got "
                         f"{t.min()} to {t.max()}")
    return -log_softmax(logits)[np.arange(len(t)), t].mean()


def squared_loss(predictions, targets):
    """Squared difference, summed over the outputs of an example, mean over the batch (deck C; gradient 2(f - y)/batch).

    Args:
        predictions: shape (batch, ...).   targets: same shape.
    Raises ShapeError when the shapes differ, ValueError when the batch is empty.
    """
    difference = predictions - _targets("squared_loss", predictions, targets)
    batch = len(difference) if difference.ndim else 1
    return (difference * difference).sum() / batch
