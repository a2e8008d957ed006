"""Losses: how wrong a batch of answers is, as one number, the mean over the batch.

Each is one operation, so that its gradient reads like the formula and costs a single pass. Targets are constants.
"""

import math

import numpy as np

from nnlib.autograd import Tensor, primitive, real_array
from nnlib.errors import GradientError, ShapeError

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "gaussian_nll_loss",
           "hinge_loss", "l1_loss", "perceptron_loss", "squared_loss"]


def _pair(name, predictions, targets):
    """Predictions (tensor or array) and targets (array) of one shape and float dtype, or an error that says why not."""
    p = predictions if isinstance(predictions, Tensor) else real_array(name, predictions)
    t = real_array(name, targets)
    if isinstance(targets, Tensor) and targets.requires_grad:
        raise GradientError(f"{name}: targets are constants, but these want a gradient; are the two exchanged? "
                            "Predictions come first; otherwise pass targets.detach()")
    if p.shape != t.shape:
        raise ShapeError(f"{name}: expected targets of shape {p.shape} but got {t.shape}; a column (n, 1) against a "
                         "row (n,) would broadcast to (n, n)")
    if not p.size:
        raise ValueError(f"{name}: expected at least one example but got none: shape {p.shape} has no mean")
    if p.dtype.kind != "f":
        p = np.asarray(p.data if isinstance(p, Tensor) else p, dtype=np.float64)
    return p, t.astype(p.dtype, copy=False)


def _probabilities(name, t):
    if not ((t >= 0) & (t <= 1)).all():
        raise ValueError(f"{name}: expected targets in [0, 1] but got values from {np.min(t):.3g} to {np.max(t):.3g}; "
                         "for labels -1 and +1 try (t + 1) / 2")
    return t


@primitive
def _squared(p, t):
    d, n = p - t, (len(p) if p.ndim else 1)
    return np.sum(d * d) / n, lambda g: (2 * g / n * d, None)


def squared_loss(predictions, targets):
    """Squared difference, summed over the outputs of an example, mean over the batch (deck C; gradient 2(p - t)/batch).

    Args:
        predictions: shape (batch, ...).   targets: same shape.
    PyTorch's mse_loss divides by the number of outputs of an example, too.
    Raises ShapeError when the shapes differ, ValueError when the batch is empty.
    """
    return _squared(*_pair("squared_loss", predictions, targets))


@primitive
def _absolute(p, t):
    d, n = p - t, (len(p) if p.ndim else 1)
    return np.sum(np.abs(d)) / n, lambda g: (g / n * np.sign(d), None)


def l1_loss(predictions, targets):
    """Absolute difference, summed over the outputs of an example, mean over the batch: outliers pull it less.

    Args:
        predictions: shape (batch, ...).   targets: same shape.
    As for the squared loss, PyTorch's l1_loss divides by the number of outputs of an example, too. The gradient is
    sign(p - t) / batch, and 0 where they are equal. It is the negative log-likelihood of Laplace's distribution.
    Raises ShapeError when the shapes differ, ValueError when the batch is empty.
    """
    return _absolute(*_pair("l1_loss", predictions, targets))


@primitive
def _gaussian(mean, t, variance, full=False, eps=1e-6):
    v, d = np.maximum(variance, eps), mean - t
    value = np.mean(np.log(v) + d * d / v) / 2 + (math.log(2 * math.pi) / 2 if full else 0)
    return value, lambda g: (g / d.size * d / v, None, lambda: g / d.size * (1 - d / v * d) / (2 * v))


def gaussian_nll_loss(mean, targets, variance, full=False, eps=1e-6):
    """Mean of (log v + (t - m)^2 / v) / 2 over all outputs: the negative log-likelihood of Normal targets (deck D).

    Args:
        mean: m, any shape.   targets: t, same shape.
        variance: v >= 0, a number or of the mean's shape, where axes may be 1: (batch, 1) is one v for each example.
        full: adds log(2 pi) / 2, which no parameter can change.   eps: variances below it count as eps, > 0.
    With v = 1/2 it is the squared loss (of one output) and a constant. As in PyTorch, the gradient of v does not know
    of eps: a variance that is too small still learns to grow.
    Raises ShapeError when the shapes do not fit, ValueError for a negative variance, eps <= 0, or an empty batch.
    """
    m, t = _pair("gaussian_nll_loss", mean, targets)
    v = variance if isinstance(variance, Tensor) else real_array("gaussian_nll_loss", variance).astype(m.dtype)
    if v.ndim not in (0, m.ndim) or any(size not in (1, m.shape[axis]) for axis, size in enumerate(v.shape)):
        raise ShapeError(f"gaussian_nll_loss: expected a variance of shape {m.shape}, where axes may be 1, but got "
                         f"{v.shape}; for one variance per example use shape (batch, 1)")
    smallest = np.min(v.data if isinstance(v, Tensor) else v)
    if smallest < 0 or not eps > 0:
        raise ValueError(f"gaussian_nll_loss: expected variances of at least 0 and eps above 0 but got {smallest:.3g} "
                         f"and {eps:.3g}; let the network give log v, and pass its exp")
    return _gaussian(m, t, v, bool(full), float(eps))


@primitive
def _bernoulli(p, t):
    # The derivative divides by p and 1 - p; the smallest normal number keeps 0/0 out where rounding made them 0.
    tiny = np.finfo(p.dtype).tiny
    q = np.maximum(1 - p, tiny)
    p = np.maximum(p, tiny)
    return np.mean(-(t * np.log(p) + (1 - t) * np.log(q))), lambda g: (g / p.size * ((1 - t) / q - t / p), None)


def binary_cross_entropy(probabilities, targets):
    """Mean of -(t log p + (1 - t) log(1 - p)): the negative log-likelihood of Bernoulli targets (decks A and D).

    Args:
        probabilities: p in [0, 1], any shape.   targets: t in [0, 1], same shape.
    A sure and wrong p costs log of the smallest normal number, about 708 in float64, instead of infinity.
    Raises ShapeError when the shapes differ, ValueError when a p or a t is not a probability or the batch is empty.
    """
    p, t = _pair("binary_cross_entropy", probabilities, targets)
    _probabilities("binary_cross_entropy", t)
    values = p.data if isinstance(p, Tensor) else p
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("binary_cross_entropy: expected probabilities in [0, 1] but got values from "
                         f"{np.min(values):.3g} to {np.max(values):.3g}; for scores use "
                         "binary_cross_entropy_with_logits")
    return _bernoulli(p, t)


@primitive
def _bernoulli_of_scores(z, t):
    small = np.exp(-np.abs(z))  # softplus and sigmoid share it, and it never overflows
    value = np.mean(np.maximum(z, 0) + np.log1p(small) - z * t)
    return value, lambda g: (g / z.size * (np.where(z >= 0, 1, small) / (1 + small) - t), None)


def binary_cross_entropy_with_logits(logits, targets):
    """The same loss from scores z: the mean of softplus(z) - t z, exact for scores of any size (deck D).

    Args:
        logits: z, any shape.   targets: t in [0, 1], same shape.
    The gradient is (sigmoid(z) - t) / size: how wrong each probability is.
    Raises ShapeError when the shapes differ, ValueError when a t is not a probability or the batch is empty.
    """
    z, t = _pair("binary_cross_entropy_with_logits", logits, targets)
    return _bernoulli_of_scores(z, _probabilities("binary_cross_entropy_with_logits", t))


@primitive
def _right_class(z, t):
    rows, n = np.arange(len(z)), len(z)
    shifted = z - np.max(z, axis=1, keepdims=True)
    powers = np.exp(shifted)
    sums = np.sum(powers, axis=1, keepdims=True)

    def vjp(g):
        gradient = powers * (g / n / sums)  # softmax / batch
        gradient[rows, t] -= g / n
        return gradient, None

    return np.mean(np.log(sums[:, 0]) - shifted[rows, t]), vjp


def cross_entropy(logits, targets):
    """Mean of -log softmax(z)[t]: the negative log-likelihood of the right class (decks C and D).

    Args:
        logits: scores z, shape (batch, classes).   targets: t, integers in 0 ... classes - 1, shape (batch,).
    The gradient is (softmax(z) - one-hot(t)) / batch; exact for scores of any size.
    Raises ShapeError when the shapes are others, TypeError when `targets` are not integers, ValueError when one of them
    is no class or the batch is empty.
    """
    z = logits if isinstance(logits, Tensor) else real_array("cross_entropy", logits)
    t = real_array("cross_entropy", targets)
    if z.ndim != 2 or t.shape != z.shape[:1]:
        hint = ("for sequences reshape both: logits.reshape(-1, classes) and targets.reshape(-1)" if z.ndim > 2 else
                "for one-hot targets pass targets.argmax(axis=1)" if t.shape == z.shape else
                "for a column of class numbers pass targets.ravel()" if t.shape == (*z.shape[:1], 1) else
                "each row of logits needs one class number")
        raise ShapeError("cross_entropy: expected logits (batch, classes) and targets (batch,) but got "
                         f"{z.shape} and {t.shape}; {hint}")
    if not z.size:
        raise ValueError(f"cross_entropy: expected at least one example but got none: shape {z.shape} has no mean")
    if t.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: expected integer class numbers but got {t.dtype}; try targets.astype(int)")
    if t.min() < 0 or t.max() >= z.shape[1]:
        raise ValueError(f"cross_entropy: expected class numbers from 0 to {z.shape[1] - 1} but got {t.min()} to "
                         f"{t.max()}; classes are numbered from 0, and the last layer needs an output for each")
    return _right_class(z, t)


def _margins(name, scores, targets):
    """Scores z (tensor or array) and signs s, +1 for class 1 and -1 for the other: an example's margin is s z."""
    z, t = _pair(name, scores, targets)
    if not (((t == 1) | (t == 0)).all() or ((t == 1) | (t == -1)).all()):
        raise ValueError(f"{name}: expected targets 0 and 1, or -1 and 1, but got values from {np.min(t):.3g} to "
                         f"{np.max(t):.3g}; pass class labels, not probabilities")
    return z, np.where(t == 1, 1, -1).astype(z.dtype)


@primitive
def _ramp(z, s, wanted=0):
    short = wanted - s * z  # by how much the margin falls short of the one that is wanted
    return np.mean(np.maximum(short, 0)), lambda g: (-g / z.size * s * (short > 0), None)


def perceptron_loss(scores, targets):
    """Mean of relu(-h), where the margin h is z for class 1 and -z for the other: mistakes cost their |z| (decks C, E).

    Args:
        scores: z, any shape.   targets: 1 for class 1, and 0 (or -1) for the other; same shape.
    Its relative, the logistic loss softplus(-h), is binary_cross_entropy_with_logits. The gradient at h = 0 is 0.
    Raises ShapeError when the shapes differ, ValueError for other targets or an empty batch.
    """
    return _ramp(*_margins("perceptron_loss", scores, targets), 0)


def hinge_loss(scores, targets):
    """Mean of relu(1 - h): right answers, too, cost something until their margin h is 1 (Cortes and Vapnik, 1995).

    Args, margin and errors as for `perceptron_loss`.
    """
    return _ramp(*_margins("hinge_loss", scores, targets), 1)
