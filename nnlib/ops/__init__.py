"""Every operation: its value beside its vector-Jacobian product. Importing this gives `Tensor` its operators."""

import numpy as np

from nnlib.autograd import Tensor
from nnlib.errors import GradientError
from nnlib.ops import (
    activations,
    arithmetic,
    convolution,
    normalization,
    pooling,
    products,
    recurrence,
    reductions,
    shaping,
)
from nnlib.ops.activations import *
from nnlib.ops.arithmetic import *
from nnlib.ops.convolution import *
from nnlib.ops.normalization import *
from nnlib.ops.pooling import *
from nnlib.ops.products import *
from nnlib.ops.recurrence import *
from nnlib.ops.reductions import *
from nnlib.ops.shaping import *

_PARTS = (activations, arithmetic, convolution, normalization, pooling, products, recurrence, reductions, shaping)
__all__ = [name for part in _PARTS for name in part.__all__]


def _reflected(operation):
    """The operator for `number - tensor`, where Python calls the right operand first."""
    return lambda self, other: operation(other, self)


def _in_place(operation):
    """`w -= step` changes a parameter itself, as in PyTorch, and so only where no graph is recorded."""
    def operator(self, other):
        result = operation(self, other)
        if not (self.is_leaf and self.requires_grad):
            return result
        if result.requires_grad:
            raise GradientError("a parameter can change in place only inside `with no_grad():`")
        self.data[...] = result.data
        self.mark_changed()
        return self

    return operator


def _comparison(ufunc):
    """Comparisons have no derivative: they give a plain boolean array."""
    return lambda self, other: ufunc(self.data, other.data if isinstance(other, Tensor) else other)


for _name, _operation in [("add", add), ("sub", subtract), ("mul", multiply), ("truediv", divide), ("pow", power),
                          ("matmul", matmul)]:
    setattr(Tensor, f"__{_name}__", _operation)
    setattr(Tensor, f"__r{_name}__", _reflected(_operation))
for _name, _operation in [("add", add), ("sub", subtract), ("mul", multiply), ("truediv", divide)]:
    setattr(Tensor, f"__i{_name}__", _in_place(_operation))
for _name, _ufunc in [("lt", np.less), ("le", np.less_equal), ("gt", np.greater), ("ge", np.greater_equal),
                      ("eq", np.equal), ("ne", np.not_equal)]:
    setattr(Tensor, f"__{_name}__", _comparison(_ufunc))
for _operation in [clip, cos, exp, log, log_softmax, logsumexp, matmul, max, mean, min, relu, sigmoid, sin,
                   softmax, softplus, sqrt, squeeze, sum, tan, tanh, transpose, var]:
    setattr(Tensor, _operation.__name__, _operation)

Tensor.__neg__ = negate
Tensor.__abs__ = Tensor.abs = absolute
Tensor.__getitem__ = getitem
Tensor.T = property(permute)
Tensor.permute = lambda self, *axes: permute(self, axes)
Tensor.reshape = lambda self, *shape: reshape(self, shape[0] if len(shape) == 1 else shape)
Tensor.flatten = lambda self, start_axis=0: flatten(self, start_axis)  # of an array, all axes; of a batch, from 1 on
Tensor.argmax = lambda self, axis=None: np.argmax(self.data, axis)  # a position has no derivative: a plain array
