"""What several tests share: hypothesis' shapes, a judge of every gradient, a reader of HTML, a learner's class."""

import functools
import math
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnlib import Tensor

seeds = st.integers(0, 2**32 - 1)
shapes = functools.partial(hnp.array_shapes, min_dims=0, max_dims=3, max_side=3)


def pairs_of_shapes(count=2, **options):
    """Shapes that broadcast against each other, from () to three axes, with axes of size 1 among them."""
    return hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3, **options).map(
        lambda drawn: drawn.input_shapes)


def uniform(seed, shape, low=-2.0, high=2.0):
    """Numbers in [low, high), also for shape () an array, and read-only: to change it is an error."""
    array = np.asarray(np.random.default_rng(seed).uniform(low, high, shape))
    array.flags.writeable = False
    return array


def away_from_zero(seed, shape):
    """Numbers of either sign with absolute value in [0.1, 2): no kink is within reach of a difference."""
    rng = np.random.default_rng(seed)
    array = np.asarray(rng.uniform(0.1, 2, shape) * rng.choice([-1.0, 1.0], shape))
    array.flags.writeable = False
    return array


def central_differences(function, arrays, position, upstream, step=1e-6):
    """Gradient of sum(upstream * function(*arrays)) with respect to one of the arrays, element by element."""
    gradient = np.empty(arrays[position].shape)
    for index in np.ndindex(gradient.shape):
        ends = []
        for sign in (1, -1):
            moved = [np.array(a) for a in arrays]
            moved[position][index] += sign * step
            ends.append(np.sum(upstream * function(*moved)))
        gradient[index] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def assert_gradients_match(function, *arrays, seed=0, tolerance=1e-6):
    """Value and all gradients of `function`, for a random upstream gradient; inputs stay unchanged."""
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    result = function(*tensors)
    np.testing.assert_allclose(result.data, function(*arrays), rtol=1e-14, atol=1e-14)  # NumPy 2.0: last digit
    upstream = uniform(seed, result.shape)
    kept = upstream.copy()
    result.backward(upstream)
    np.testing.assert_array_equal(upstream, kept)
    for i, (array, tensor) in enumerate(zip(arrays, tensors, strict=True)):
        np.testing.assert_array_equal(tensor.data, array)
        assert tensor.grad.shape == array.shape and tensor.grad.dtype == array.dtype
        expected = central_differences(function, arrays, i, upstream)
        np.testing.assert_allclose(tensor.grad, expected, rtol=tolerance, atol=tolerance, err_msg=f"input {i}")


def assert_refused(explorer, arguments, words=""):
    """These arguments are refused with a ValueError that begins with the explorer's name and has these words in it."""
    with pytest.raises(ValueError, match=f"^{explorer.__name__}: ") as caught:
        explorer(**arguments)
    assert words in str(caught.value)


class Page(HTMLParser):
    """What a page, or a part of one, holds: its tags, which are balanced, and its text outside of <style>."""

    VOID = "meta", "img", "wbr", "link", "br"

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data

    def all(self, tag):
        """The attributes of every tag of this name."""
        return [attributes for name, attributes in self.tags if name == tag]


def luminance(color):
    """WCAG relative luminance of '#rgb' or '#rrggbb'."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    """WCAG contrast of two colors, from 1 to 21; text needs 4.5, marks need 3."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class Value:
    """A learner's class, as chapter 05 builds it: it knows + * and exp, of nodes alone."""

    def __init__(self, data, parents=(), operation="", derivatives=()):
        self.data, self.grad = float(data), 0.0
        self.parents, self.operation, self.derivatives = tuple(parents), operation, tuple(derivatives)

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), "+", (1.0, 1.0))

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), "*", (other.data, self.data))

    def exp(self):
        return Value(math.exp(self.data), (self,), "exp", (math.exp(self.data),))
