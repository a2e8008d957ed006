"""Starting values of parameters, written in place and returned, as torch.nn.init does it.

Each takes a tensor or an array; the random ones also `rng`, a Generator, an integer seed, or None for the library's own
generator. Numbers are drawn in float64 and rounded to the dtype of the tensor, so that float32 and float64 start alike.

Layers keep the size of their signals if each output sums many small terms: a weight of standard deviation sqrt(1/n)
for n inputs does that for linear units, He's sqrt(2/n) for ReLUs, which pass one half only.
"""

import math

import numpy as np

from nnlib.arguments import require
from nnlib.autograd import Tensor
from nnlib.errors import ShapeError
from nnlib.seeding import generator

__all__ = ["calculate_gain", "constant_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "uniform_",
           "xavier_normal_", "xavier_uniform_", "zeros_"]


def _fill(tensor, values):
    """Write values into the array of a tensor (or the array itself) and give the tensor back."""
    array = tensor.data if isinstance(tensor, Tensor) else tensor
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"expected a tensor or array of floats to fill in place but got {kind}; "
                        "try Tensor(np.empty((out, in)))")
    array[...] = values
    return tensor


def constant_(tensor, val):
    """Fill with the number `val`. Raises TypeError for what is no number."""
    require("constant_", lambda val: np.ndim(val + 0.0) == 0, "a number", val, "try 0.1")
    return _fill(tensor, val)


def zeros_(tensor):
    """Fill with 0: right for biases. Equal weights would stay equal, and all hidden units compute the same."""
    return _fill(tensor, 0.0)


def ones_(tensor):
    """Fill with 1: the weight of a batch or layer norm."""
    return _fill(tensor, 1.0)


def uniform_(tensor, a=0.0, b=1.0, rng=None):
    """Draw from the uniform distribution on [a, b). Raises ValueError unless a <= b."""
    require("uniform_", lambda bounds: -np.inf < bounds[0] <= bounds[1] < np.inf, "finite bounds a <= b", (a, b),
            "try 0 and 1")
    return _fill(tensor, generator(rng).uniform(a, b, np.shape(tensor)))


def normal_(tensor, mean=0.0, std=1.0, rng=None):
    """Draw from the normal distribution. Raises ValueError for a negative standard deviation."""
    require("normal_", np.isfinite, "a finite mean", mean, "try 0")
    require("normal_", lambda std: 0 <= std < np.inf, "a standard deviation of at least 0", std, "try 0.1")
    return _fill(tensor, generator(rng).normal(mean, std, np.shape(tensor)))


def calculate_gain(nonlinearity, param=None):
    """By how much a weight's standard deviation shall exceed sqrt(1/n) for this activation to keep the signal's size.

    Args:
        nonlinearity: "linear", "conv1d", "conv2d", "sigmoid" (1), "tanh" (5/3), "relu" (sqrt 2), "leaky_relu"
            (sqrt(2 / (1 + param^2)), with `param` its negative slope, 0.01 if None) or "selu" (3/4).
    Raises ValueError for another name. Source: He et al. (2015) for the ReLUs; the others as in PyTorch.
    """
    slope = 0.01 if param is None else param
    gains = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2),
             "leaky_relu": math.sqrt(2 / (1 + slope**2)), "selu": 3 / 4}
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain: expected one of {', '.join(gains)} but got {nonlinearity!r}")
    return gains[nonlinearity]


def _fans(tensor):
    """How many inputs one output has, and how many outputs one input reaches: (fan_in, fan_out)."""
    shape = np.shape(tensor)
    if len(shape) < 2:
        raise ShapeError(f"expected a weight of shape (out, in) or (out, in, *kernel) but got {shape}, which has no "
                         "inputs to count; for a bias try zeros_")
    taps = math.prod(shape[2:])
    return max(1, shape[1] * taps), max(1, shape[0] * taps)


def xavier_uniform_(tensor, gain=1.0, rng=None):
    """Uniform on +-gain sqrt(6 / (fan_in + fan_out)): a compromise of forward and backward (Glorot and Bengio, 2010).

    Args: tensor: shape (out, in) or (out, in, *kernel); fans count the kernel's places, too.   gain: `calculate_gain`.
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, rng)


def xavier_normal_(tensor, gain=1.0, rng=None):
    """Normal with standard deviation gain sqrt(2 / (fan_in + fan_out)), otherwise as `xavier_uniform_`."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor))), rng)


def _kaiming_std(tensor, a, mode, nonlinearity):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"expected mode 'fan_in' or 'fan_out' but got {mode!r}; 'fan_in' keeps the forward signal")
    return calculate_gain(nonlinearity, a) / math.sqrt(_fans(tensor)[mode == "fan_out"])


def kaiming_normal_(tensor, a=0.0, mode="fan_in", nonlinearity="leaky_relu", rng=None):
    """Normal with standard deviation gain / sqrt(fan): He's initialization, sqrt(2/n) for n inputs (He et al., 2015).

    Args:
        tensor: shape (out, in) or (out, in, *kernel).   a: negative slope of a leaky ReLU; 0 is the ReLU.
        mode: "fan_in" keeps the size of forward signals, "fan_out" that of gradients.
        nonlinearity: as `calculate_gain` knows it.
    Deck C prints `randn(n) * 2 / sqrt(n)`; He's standard deviation is sqrt(2/n), smaller by the factor sqrt 2.
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), rng)


def kaiming_uniform_(tensor, a=0.0, mode="fan_in", nonlinearity="leaky_relu", rng=None):
    """Uniform with the standard deviation of `kaiming_normal_`: bounds +-sqrt(3) gain / sqrt(fan)."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng)
