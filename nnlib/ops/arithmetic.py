"""Elementwise arithmetic and elementary functions, of arrays of any shape.

Those of two arguments broadcast as NumPy does, and raise ShapeError for shapes that do not.
"""

import numpy as np

from nnlib.autograd import primitive


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
    return a * b, lambda g: (g * b, g * a)


@primitive
def divide(a, b):
    """a / b, for b other than 0. The gradients: 1 / b to a, and -a / b^2 to b."""
    y = np.true_divide(a, b)
    return y, lambda g: (g / b, -g * y / b)


@primitive
def negate(a):
    """-a. The gradient changes its sign, too."""
    return -a, lambda g: (-g,)


@primitive
def power(a, b):
    """a ** b. The gradients: b a^(b-1) to a; a^b log(a) to b, which counts as 0 where a is not positive."""
    y = np.power(a, b)

    def vjp(g):
        def by_exponent():
            return g * y * np.log(np.where(np.greater(a, 0), a, 1))
        # (b != 0) is 1 but for a^0, whose slope b a^(b-1) would be 0 times infinity at a = 0.
        return lambda: g * b * np.power(a, b - (b != 0)), by_exponent

    return y, vjp


@primitive
def exp(x):
    """e^x. Its own derivative."""
    y = np.exp(x)
    return y, lambda g: (g * y,)


@primitive
def log(x):
    """Natural logarithm of x > 0. Derivative: 1 / x."""
    return np.log(x), lambda g: (g / x,)


@primitive
def sqrt(x):
    """Square root of x >= 0. Derivative: 1 / (2 sqrt(x)), infinite at 0."""
    y = np.sqrt(x)
    return y, lambda g: (g / (2 * y),)


@primitive
def sin(x):
    """Sine of x in radians. Derivative: cos(x)."""
    return np.sin(x), lambda g: (g * np.cos(x),)


@primitive
def cos(x):
    """Cosine of x in radians. Derivative: -sin(x)."""
    return np.cos(x), lambda g: (-g * np.sin(x),)


@primitive
def absolute(x):
    """|x|. At the kink, where any slope in [-1, 1] would do, 0 is taken, as in PyTorch."""
    return np.abs(x), lambda g: (g * np.sign(x),)


@primitive
def maximum(a, b):
    """The larger of a and b. The gradient goes to the winner: a maximum routes. A tie is shared in halves."""
    y = np.maximum(a, b)
    to_a = (np.greater(a, b).astype(y.dtype) + np.greater_equal(a, b)) / 2
    return y, lambda g: (g * to_a, g * (1 - to_a))
