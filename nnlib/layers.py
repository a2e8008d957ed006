"""Layers: operations that own their parameters. Names, arguments, shapes and starting values are PyTorch's.

All layers that have parameters take `dtype` (float32) and, where they start at random, `rng`: a Generator, an integer
seed, or None for the library's own generator. As in NumPy the wider type wins: float64 data through float32 parameters
are computed, at half the speed, in float64; `fit` converts the data first. Sizes that are no integers raise TypeError,
those below 1 ValueError.
"""

import inspect
import math

import numpy as np

from nnlib import ops
from nnlib.arguments import per_axis, probability, whole_number
from nnlib.autograd import Tensor
from nnlib.errors import ShapeError
from nnlib.initializers import normal_, uniform_
from nnlib.module import Module, Parameter
from nnlib.seeding import generator

__all__ = ["AvgPool1d", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Conv1d", "Conv2d", "Dropout", "ELU", "Embedding",
           "Flatten", "Hardtanh", "Identity", "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "MaxPool1d",
           "MaxPool2d", "MedianPool2d", "ReLU", "Residual", "Sequential", "SiLU", "Sigmoid", "Softmax", "Softplus",
           "Tanh"]


def _start(shape, fan_in, dtype, rng):
    """PyTorch's start of weights and biases: uniform on +-1/sqrt(fan_in), that is kaiming_uniform_ with a = sqrt(5)."""
    bound = 1 / math.sqrt(fan_in)
    return Parameter(uniform_(np.empty(shape, dtype), -bound, bound, rng))


class _Layer(Module):
    """A layer that prints with the arguments it was made with."""

    def extra_repr(self):
        values = {name: vars(self)[name] for name in inspect.signature(type(self)).parameters if name in vars(self)}
        values.pop("rng", None)
        if "bias" in values:
            values["bias"] = self.bias is not None
        return ", ".join(f"{name}={value!r}" for name, value in values.items())


class Linear(_Layer):
    """x @ weight.T + bias: a layer of `out_features` neurons, each connected to all of `in_features` inputs.

    Input (..., in_features), output (..., out_features). Parameters: weight (out_features, in_features) and bias
    (out_features,), or None with bias=False; both start uniform on +-1/sqrt(in_features).
    Raises ShapeError for an input of another last size.
    """

    def __init__(self, in_features, out_features, bias=True, *, dtype=np.float32, rng=None):
        self.in_features = whole_number(self, "in_features", in_features)
        self.out_features, rng = whole_number(self, "out_features", out_features), generator(rng)
        self.weight = _start((out_features, in_features), in_features, dtype, rng)
        self.bias = _start(out_features, in_features, dtype, rng) if bias else None

    def forward(self, x):
        shape = np.shape(x)
        if shape[-1:] != (self.in_features,):
            hint = (" Did you pass the images as columns? Try x.T." if len(shape) == 2 and shape[0] == self.in_features
                    else " Try Flatten() before it." if math.prod(shape[1:]) == self.in_features else "")
            raise ShapeError(f"Linear({self.in_features} -> {self.out_features}) expected input of shape "
                             f"(batch, {self.in_features}) but got {shape}.{hint}")
        return ops.linear(x, self.weight, self.bias)


class _Convolution(_Layer):
    """What Conv1d and Conv2d share."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, bias=True, dtype=np.float32,
                 rng=None):
        self.in_channels = whole_number(self, "in_channels", in_channels)
        self.out_channels, rng = whole_number(self, "out_channels", out_channels), generator(rng)
        self.kernel_size = per_axis(self, "kernel_size", kernel_size, self._axes)
        self.stride = per_axis(self, "stride", stride, self._axes)
        self.padding = padding if isinstance(padding, str) else per_axis(self, "padding", padding, self._axes, least=0)
        ops.resolve_padding(self.padding, self.kernel_size, self.stride)  # raises for a word that it does not know
        fan_in = in_channels * math.prod(self.kernel_size)
        self.weight = _start((out_channels, in_channels, *self.kernel_size), fan_in, dtype, rng)
        self.bias = _start(out_channels, fan_in, dtype, rng) if bias else None

    def forward(self, x):
        try:
            return self._operation(x, self.weight, self.bias, self.stride, self.padding)
        except ShapeError as error:
            sentence = str(error).removeprefix(f"{self._operation.__name__}: ")
            raise ShapeError(f"{type(self).__name__}({self.in_channels} -> {self.out_channels}): {sentence}") from None


class Conv1d(_Convolution):
    """`conv1d` over signals (batch, in_channels, length), to (batch, out_channels, new length).

    Args: kernel_size, stride, padding: a number; padding also 'valid', 'same' or 'full'.
    Parameters: weight (out_channels, in_channels, kernel_size) and bias (out_channels,) or None, both starting uniform
    on +-1/sqrt(in_channels * kernel_size). Raises ShapeError for an input of other channels or axes.
    """

    _operation, _axes = staticmethod(ops.conv1d), 1


class Conv2d(_Convolution):
    """`conv2d` over images (batch, in_channels, height, width), to (batch, out_channels, new height, new width).

    Args: kernel_size, stride, padding: a number, or one each for height and width; padding also 'valid', 'same' or
    'full'. Parameters: weight (out_channels, in_channels, kernel height, kernel width) and bias (out_channels,) or
    None, both starting uniform on +-1/sqrt(in_channels * kernel height * kernel width).
    Raises ShapeError for an input of other channels or axes.
    """

    _operation, _axes = staticmethod(ops.conv2d), 2


class _Applied(_Layer):
    """A layer without parameters that applies an operation, whose options are its arguments and attributes."""

    def __init__(self, *values, **named):
        try:
            bound = self.__signature__.bind(*values, **named)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}; its arguments are {self.__signature__}") from None
        bound.apply_defaults()
        vars(self).update(bound.arguments)

    def forward(self, x):
        return self._operation(x, *[vars(self)[option] for option in self.__signature__.parameters])


class _Pool(_Applied):
    """What the pooling layers share. A window moves by its own size if no stride is given."""

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size = per_axis(self, "kernel_size", kernel_size, self._axes)
        self.stride = self.kernel_size if stride is None else per_axis(self, "stride", stride, self._axes)
        self.padding = per_axis(self, "padding", padding, self._axes, least=0)


def _layer_of(operation, name, base=_Applied, **attributes):
    """The class of layers that apply `operation`, documented as that is: LeakyReLU(0.1)(x) is leaky_relu(x, 0.1)."""
    _, *options = inspect.signature(operation).parameters.values()
    return type(name, (base,), {"_operation": staticmethod(operation), "__doc__": operation.__doc__,
                                "__signature__": inspect.Signature(options), **attributes})


ReLU = _layer_of(ops.relu, "ReLU")
LeakyReLU = _layer_of(ops.leaky_relu, "LeakyReLU")
ELU = _layer_of(ops.elu, "ELU")
Sigmoid = _layer_of(ops.sigmoid, "Sigmoid")
Tanh = _layer_of(ops.tanh, "Tanh")
Hardtanh = _layer_of(ops.hardtanh, "Hardtanh")
Softplus = _layer_of(ops.softplus, "Softplus")
SiLU = _layer_of(ops.swish, "SiLU")
Softmax = _layer_of(ops.softmax, "Softmax")
LogSoftmax = _layer_of(ops.log_softmax, "LogSoftmax")
Flatten = _layer_of(ops.flatten, "Flatten")
MaxPool1d = _layer_of(ops.max_pool1d, "MaxPool1d", _Pool, _axes=1)
MaxPool2d = _layer_of(ops.max_pool2d, "MaxPool2d", _Pool, _axes=2)
AvgPool1d = _layer_of(ops.avg_pool1d, "AvgPool1d", _Pool, _axes=1)
AvgPool2d = _layer_of(ops.avg_pool2d, "AvgPool2d", _Pool, _axes=2)
MedianPool2d = _layer_of(ops.median_pool2d, "MedianPool2d", _Pool, _axes=2)


class Identity(Module):
    """Gives its input back: the shortcut of a residual block, or the place of a layer taken out."""

    def forward(self, x):
        return x


class Dropout(_Layer):
    """Drops each input with probability p and scales up the others, in training only. See `dropout`.

    Args: p: in [0, 1].   rng: where the choice comes from; a seed makes the layer's choices repeatable.
    Raises ValueError when p is outside, TypeError when it is no number.
    """

    def __init__(self, p=0.5, *, rng=None):
        self.p, self.rng = probability(self, "p", p), None if rng is None else generator(rng)

    def forward(self, x):
        return ops.dropout(x, self.p, self.training, self.rng)


class _BatchNorm(_Layer):
    """What BatchNorm1d and BatchNorm2d share."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, *, dtype=np.float32):
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"{type(self).__name__}: expected a momentum in [0, 1], the share of the new batch, or "
                             f"None for the average of all batches, but got {momentum}; 0.1 is the usual choice")
        self.num_features = whole_number(self, "num_features", num_features)
        self.eps, self.momentum, self.affine = eps, momentum, affine
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.running_mean = Tensor(np.zeros(num_features, dtype))
        self.running_var = Tensor(np.ones(num_features, dtype))
        self.num_batches_tracked = Tensor(0)

    def forward(self, x):
        shape = np.shape(x)
        if len(shape) not in self._layouts or shape[1] != self.num_features:
            layouts = " or ".join(f"(batch, {self.num_features}{rest})" for rest in self._layouts.values())
            raise ShapeError(f"{type(self).__name__}({self.num_features}): expected input of shape {layouts} but got "
                             f"{shape}; channels come second")
        momentum = 1 / (1 + self.num_batches_tracked.item()) if self.momentum is None else self.momentum
        y = ops.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.training, momentum,
                       self.eps)
        self.num_batches_tracked.data += self.training
        return y


class BatchNorm1d(_BatchNorm):
    """`batch_norm` of rows (batch, num_features) or signals (batch, num_features, length) (Ioffe and Szegedy, 2015).

    Parameters: weight and bias (num_features,), 1 and 0 at the start, or None with affine=False. Buffers: running_mean
    and running_var (num_features,), which training moves by `momentum` (None: the average of all batches) and
    evaluation uses; num_batches_tracked. Raises ShapeError for other inputs, and in training for a single value per
    channel.
    """

    _layouts = {2: "", 3: ", length"}


class BatchNorm2d(_BatchNorm):
    """`batch_norm` of images (batch, num_features, height, width); otherwise as BatchNorm1d."""

    _layouts = {4: ", height, width"}


class LayerNorm(_Layer):
    """`layer_norm` over the last axes, each example by itself (Ba, Kiros and Hinton, 2016).

    Args: normalized_shape: the sizes of these axes, an integer or a tuple.   elementwise_affine: whether there are
    parameters weight and bias of that shape, 1 and 0 at the start. Raises ShapeError for an input that ends otherwise.
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, *, dtype=np.float32):
        axes = max(np.size(normalized_shape), 1)
        self.normalized_shape = sizes = per_axis(self, "normalized_shape", normalized_shape, axes)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(np.ones(sizes, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(sizes, dtype)) if elementwise_affine else None

    def forward(self, x):
        return ops.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class Embedding(_Layer):
    """A table with one row of `embedding_dim` numbers for each of `num_embeddings` words: `embedding` looks them up.

    Input: integers in 0 ... num_embeddings - 1 of any shape; output: that shape and (embedding_dim,). Parameter: weight
    (num_embeddings, embedding_dim), at the start normal with standard deviation 1.
    """

    def __init__(self, num_embeddings, embedding_dim, *, dtype=np.float32, rng=None):
        self.num_embeddings = whole_number(self, "num_embeddings", num_embeddings)
        self.embedding_dim = whole_number(self, "embedding_dim", embedding_dim)
        self.weight = Parameter(normal_(np.empty((num_embeddings, embedding_dim), dtype), rng=rng))

    def forward(self, indices):
        return ops.embedding(indices, self.weight)


class _Function(Module):
    """A plain function as a step of a Sequential."""

    def __init__(self, function):
        self.forward = function

    def __repr__(self):
        return getattr(self.forward, "__name__", repr(self.forward))


class Sequential(Module):
    """Steps one after the other: Sequential(Linear(64, 32), ReLU(), Linear(32, 10)).

    Args: modules, or plain functions such as `nnlib.tanh`. The children are named "0", "1", ... Index, slice (which
    gives a Sequential of the same modules), iterate, `append`. Raises TypeError for what cannot be called.
    """

    def __init__(self, *steps):
        self.steps = []
        for step in steps:
            self.append(step)

    def append(self, step):
        """Add a step at the end. Returns the Sequential."""
        if isinstance(step, type):
            raise TypeError(f"Sequential: step {len(self)} is the class {step.__name__}, not a layer; "
                            f"did you mean {step.__name__}()?")
        if not callable(step):
            hint = "; did you mean Sequential(*layers)?" if isinstance(step, (list, tuple)) else ""
            raise TypeError(f"Sequential: expected modules or functions but step {len(self)} is a "
                            f"{type(step).__name__}{hint}")
        self.steps.append(step if isinstance(step, Module) else _Function(step))
        return self

    def _members(self):
        yield from ((name.removeprefix("steps."), value) for name, value in super()._members())

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x

    def __len__(self):
        return len(self.steps)

    def __iter__(self):
        return iter(self.steps)

    def __getitem__(self, index):
        return Sequential(*self.steps[index]) if isinstance(index, slice) else self.steps[index]


class Residual(Module):
    """x + module(x): the module learns what to add to its input (He et al., 2016).

    Args: module: a layer.   shortcut: a layer for the other way, where shapes change (a 1x1 Conv2d); None: x itself.
    Raises ShapeError when the two ways end in different shapes.
    """

    def __init__(self, module, shortcut=None):
        self.module, self.shortcut = module, shortcut

    def forward(self, x):
        shortcut, change = x if self.shortcut is None else self.shortcut(x), self.module(x)
        if np.shape(shortcut) != np.shape(change):
            raise ShapeError(f"Residual: expected both ways to give one shape but the shortcut gave "
                             f"{np.shape(shortcut)} and the module {np.shape(change)}; give a shortcut that changes "
                             "the shape, such as Linear or a 1x1 Conv2d with the module's stride")
        return shortcut + change
