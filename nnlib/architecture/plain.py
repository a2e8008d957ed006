"""A notation for networks without weights: what comes out of each layer, what it costs, how far it sees.

    (Conv(96, 11, stride=4), Pool(3, 2), ..., Flatten(), Dense(1000))

A layer names what comes out, not what goes in, as published tables do. Activations and dropout, which change no number
here, may be left out. `measure(shape)` gives (shape that comes out, parameters, multiply-adds) for a shape without
batch axis; `window(axes)` gives the sizes of the part of its input that one feature of its output sees (None: all), and
the strides in which neighbors see it.
"""

import math
from dataclasses import dataclass, fields

from nnlib.arguments import whole_number
from nnlib.errors import ShapeError
from nnlib.ops.convolution import output_size

__all__ = ["Architecture", "Branches", "Conv", "Dense", "Flatten", "GlobalPool", "Norm", "Other", "Pool", "residual"]


class Layer:
    def __repr__(self):
        """Conv(96, 11, stride=4): what has no default, then what differs from its default."""
        shown = ((f, getattr(self, f.name)) for f in fields(self) if f.name != "inputs")
        parts = [repr(v) if f.default is f.default_factory else f"{f.name}={v!r}" for f, v in shown if v != f.default]
        return f"{type(self).__name__}({', '.join(parts)})"

    def window(self, axes):
        return (1,) * axes, (1,) * axes


@dataclass(frozen=True, repr=False)
class Conv(Layer):
    """A convolution, over as many axes as its input has: (channels, length) or (channels, height, width).

    Args: out: channels that come out.   kernel, stride: one number, or one for each axis.   padding: as of `conv2d`.
        groups: parts that the channels are divided into, each output seeing one part (AlexNet).   bias: is there one?
        connections: how many pairs (channel in, channel out) are wired, None for all (LeNet-5 of 1998: 60 of 96).
        inputs: channels expected, None for any.
    """

    out: int
    kernel: int | tuple
    stride: int | tuple = 1
    padding: int | tuple | str = 0
    groups: int = 1
    bias: bool = True
    connections: int | None = None
    inputs: int | None = None

    def measure(self, shape):
        channels = _channels(shape)
        whole_number(self, "out", self.out)
        _expect("channels", self.inputs, channels)
        whole_number(self, "groups", self.groups)
        if channels % self.groups or self.out % self.groups:
            raise ShapeError(f"expected channels that divide into {self.groups} groups but gets {channels}, for "
                             f"{self.out} outputs")
        pairs = channels * self.out // self.groups if self.connections is None else self.connections
        weights = pairs * math.prod(self.window(len(shape) - 1)[0])
        sizes = _slide(self, shape[1:])
        return (self.out, *sizes), weights + self.out * self.bias, weights * math.prod(sizes)

    def window(self, axes):
        return _each(self.kernel, axes), _each(self.stride, axes)


@dataclass(frozen=True, repr=False)
class Pool(Layer):
    """Pooling. Args: stride: the kernel if None.   kind: a word.   trained: a factor and a bias for each channel."""

    kernel: int | tuple
    stride: int | tuple | None = None
    padding: int | tuple | str = 0
    kind: str = "max"
    trained: bool = False

    def measure(self, shape):
        channels = _channels(shape)
        return (channels, *_slide(self, shape[1:])), 2 * channels * self.trained, 0

    def window(self, axes):
        return _each(self.kernel, axes), _each(self.kernel if self.stride is None else self.stride, axes)


@dataclass(frozen=True, repr=False)
class GlobalPool(Layer):
    """The mean (or maximum) of each channel over all places: (channels, ...) to (channels, 1, ...)."""

    def measure(self, shape):
        return (_channels(shape), *(1 for _ in shape[1:])), 0, 0

    def window(self, axes):
        return None, (1,) * axes


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """All features in one row."""

    def measure(self, shape):
        return (math.prod(shape),), 0, 0


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """A fully connected layer. Args: out: features that come out.   inputs: features expected, None for any."""

    out: int
    bias: bool = True
    inputs: int | None = None

    def measure(self, shape):
        if self.inputs is None and len(shape) > 1:
            raise ShapeError(f"expected a row of features but gets shape {shape}; put Flatten() before it")
        _expect("features", self.inputs, shape[-1])
        whole_number(self, "out", self.out)
        weights = shape[-1] * self.out
        return (*shape[:-1], self.out), weights + self.out * self.bias, weights * math.prod(shape[:-1])

    def window(self, axes):
        return None, (1,) * axes


@dataclass(frozen=True, repr=False)
class Norm(Layer):
    """Batch normalization: a scale and a shift for each channel (running statistics are not parameters)."""

    def measure(self, shape):
        return shape, 2 * shape[0], 0


@dataclass(frozen=True, repr=False)
class Other(Layer):
    """Anything else. Args: what: a description.   shape: what comes out; None if each feature is kept in its place."""

    what: str
    shape: tuple | None = None
    parameters: int = 0
    multiply_adds: int | None = 0

    def __repr__(self):
        return self.what

    def measure(self, shape):
        return shape if self.shape is None else self.shape, self.parameters, self.multiply_adds

    def window(self, axes):
        return super().window(axes) if self.shape is None else (None, None)


@dataclass(frozen=True, repr=False)
class Branches(Layer):
    """Several sequences of layers on the same input; `join` is "add" (residual) or "concatenate" (inception).

    An empty sequence is the identity: Branches(((Conv(64, 3, padding=1),), ()), "add") is a residual block.
    """

    branches: tuple
    join: str = "concatenate"

    def __str__(self):
        return f"{self.join} {len(self.branches)} branches"

    def joined(self, shapes):
        """The shape after the join."""
        if self.join == "add" and len(set(shapes)) == 1:
            return shapes[0]
        if self.join == "concatenate" and len({shape[1:] for shape in shapes}) == 1:
            return (sum(shape[0] for shape in shapes), *shapes[0][1:])
        raise ShapeError(f"cannot {self.join} branches of shapes {' and '.join(map(str, shapes))}; "
                         + ("a shortcut with a 1x1 convolution makes them equal" if self.join == "add" else
                            "padding makes heights and widths equal"))


def residual(body, shortcut=()):
    """A residual block (He et al., 2016): what `body`, a tuple of layers, computes, plus what goes past it."""
    return Branches((tuple(body), tuple(shortcut)), "add")


def _channels(shape):
    if len(shape) < 2:
        raise ShapeError(f"expected channels and at least one more axis but gets shape {shape}")
    return shape[0]


def _expect(what, expected, got):
    if expected not in (None, got):
        raise ShapeError(f"expected {expected} {what} but gets {got}")


def _each(value, axes):
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    values = values * axes if len(values) == 1 else values
    if len(values) != axes:
        raise ShapeError(f"expected one number, or one for each of {axes} axes, but got {values}")
    return tuple(whole_number("a window", "its kernel and stride", v) for v in values)


def _slide(layer, sizes):
    return output_size(tuple(sizes), *layer.window(len(sizes)), layer.padding)


@dataclass(frozen=True)
class Architecture:
    """A published network as a table. `note` says what is counted, and where it differs from the publication."""

    name: str
    source: str
    input_shape: tuple
    layers: tuple
    note: str = ""
