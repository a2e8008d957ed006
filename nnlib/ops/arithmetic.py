"""Elementwise arithmetic and elementary functions, of arrays of any shape.

Those of several arguments broadcast as NumPy does, and raise ShapeError for shapes that do not. Where mathematics has
no finite answer the value is infinite or not a number, without a warning, as in PyTorch: log(0) is -inf, 0 / 0 is nan.
"""

import numpy as np

from nnlib.autograd import primitive

__all__ = ["absolute", "add", "clip", "cos", "divide", "exp", "log", "maximum", "minimum", "multiply", "negate",
           "power", "sin", "sqrt", "subtract", "tan", "where"]


def floating(x):
    """x in floating-point numbers: NumPy would compute the exponential of bytes in 16 bits, and negate them modulo 256.

    Integers and booleans become float64; floating-point arrays stay as they are, and Python's numbers Python's.
    """
    if isinstance(x, (int, float)):
        return float(x)
    return x if x.dtype.kind == "f" else np.asarray(x, np.float64)


@primitive
def add(a, b):
    """a + b. The gradient goes unchanged to both: an addition distributes."""
    return a + b, lambda g: (g, g)


@primitive
def subtract(a, b):
    """a - b. The gradient goes unchanged to a, and with the other sign to b."""
    return a - b, lambda g: (g, -g)


@primitive
def multiply(a, b):
    """a * b. Each factor receives the gradient times the other factor: a multiplication swaps."""
    return a * b, lambda g: (lambda: g * b, lambda: g * a)


@primitive
def divide(a, b):
    """a / b, infinite or not a number where b is 0. The gradients: 1 / b to a, and -a / b^2 to b."""
    y = np.true_divide(a, b)
    return y, lambda g: (lambda: g / b, lambda: -g * y / b)


@primitive
def negate(a):
    """-a. The gradient changes its sign, too."""
    return -a, lambda g: (-g,)


def _raise(a, b):
    return a**b if np.ndim(a) else np.power(a, b)  # ** is faster: for an array it knows squares and roots


@primitive
def power(a, b):
    """a ** b. The gradients: b a^(b-1) to a; a^b log(a) to b, which counts as 0 where a is not positive.

    Integers to a negative power become float64; a negative float to a fraction is not a number.
    """
    try:
        y = _raise(a, b)
    except ValueError:  # NumPy has no integers to a negative power
        y = np.power(a, b, dtype=np.float64)

    def vjp(g):
        # The exponent of a^0 is not lowered: its slope b a^(b-1) would be 0 times infinity at a = 0.
        return (lambda: g * b * _raise(a, b - (b != 0)),
                lambda: g * (np.where(np.greater(a, 0), y, 0) * np.log(np.where(np.greater(a, 0), a, 1))))

    return y, vjp


@primitive
def exp(x):
    """e^x, infinite above 709 (float32: 88). Its own derivative."""
    y = np.exp(floating(x))
    return y, lambda g: (g * y,)


@primitive
def log(x):
    """Natural logarithm of x: -inf at 0, not a number below. Derivative: 1 / x."""
    return np.log(floating(x)), lambda g: (g / x,)


@primitive
def sqrt(x):
    """Square root of x, not a number below 0. Derivative: 1 / (2 sqrt(x)), infinite at 0."""
    y = np.sqrt(floating(x))
    return y, lambda g: (g / (2 * y),)


@primitive
def sin(x):
    """Sine of x in radians. Derivative: cos(x)."""
    return np.sin(floating(x)), lambda g: (g * np.cos(x),)


@primitive
def cos(x):
    """Cosine of x in radians. Derivative: -sin(x)."""
    return np.cos(floating(x)), lambda g: (-g * np.sin(x),)


@primitive
def tan(x):
    """Tangent of x in radians. Derivative: 1 + tan(x)^2."""
    y = np.tan(floating(x))
    return y, lambda g: (g * (1 + y * y),)


@primitive
def absolute(x):
    """|x|. At the kink, where any slope in [-1, 1] would do, 0 is taken, as in PyTorch."""
    return np.abs(x), lambda g: (g * np.sign(x),)


@primitive
def maximum(a, b):
    """The larger of a and b. The gradient goes to the winner: a maximum routes. A tie is shared in halves."""
    return np.maximum(a, b), lambda g: (lambda: _to_winner(g, a > b, a == b), lambda: _to_winner(g, b > a, a == b))


@primitive
def minimum(a, b):
    """The smaller of a and b. The gradient goes to the winner, and in halves to both where they tie."""
    return np.minimum(a, b), lambda g: (lambda: _to_winner(g, a < b, a == b), lambda: _to_winner(g, b < a, a == b))


def _to_winner(g, wins, ties):
    return g * wins + 0.5 * g * ties


@primitive
def clip(x, min=None, max=None):
    """x, but `min` where it is smaller and `max` where it is larger; None for no bound.

    Derivative: 1 where x stays as it is (at the bounds too, as in PyTorch), else 0.
    """
    y = np.clip(x, min, max)
    return y, lambda g: (g * (x == y),)


@primitive
def where(condition, a, b):
    """a where the boolean `condition` holds, else b. The gradient goes to the one that was picked, 0 to the other.

    Raises TypeError for a condition that is not boolean.
    """
    if np.asarray(condition).dtype != bool:
        raise TypeError(f"where: expected a boolean condition but got {np.asarray(condition).dtype}; try x > 0")
    return np.where(condition, a, b), lambda g: (
        None, lambda: np.where(condition, g, 0), lambda: np.where(condition, 0, g))
