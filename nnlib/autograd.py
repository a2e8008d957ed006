"""The engine of automatic differentiation: tensors, the graph they record, and the walk back through it.

An operation is a function from arrays to (value, vector-Jacobian product). The `primitive` decorator lifts it to
tensors and records the graph; `Tensor.backward` walks that graph from the result to the leaves. This file knows no
operation: those live in `nnlib.ops`, and are attached to `Tensor` there.
"""

import functools
import inspect
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from nnlib.errors import GradientError, ShapeError

_recording = ContextVar("recording", default=True)


@contextmanager
def no_grad():
    """Within `with no_grad():` operations record no graph, so that an update is not itself differentiated."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


class Tensor:
    """An array that remembers how it was computed.

    Args:
        data: anything NumPy can turn into an array of numbers; its dtype is kept. Copied if `requires_grad`.
        requires_grad: whether `backward` shall compute the gradient with respect to this tensor.

    Attributes: `data` and `grad` are arrays of the same shape (`grad` is None until `backward`); `parents` are the
    inputs of the operation named `operation` that made this tensor (no parents, and None, for a leaf).
    Raises TypeError for data that are not numbers, or a gradient asked of integers, ShapeError for ragged rows.
    """

    __slots__ = ("data", "grad", "requires_grad", "parents", "operation", "_vjp", "_keeps_grad")
    __array_ufunc__ = None  # so that `array * tensor` reaches Tensor.__rmul__ instead of NumPy's loop over elements

    def __init__(self, data, requires_grad=False):
        data = _as_array(data.data if isinstance(data, Tensor) else data)
        if data.dtype.kind not in "fiub":
            raise TypeError(f"Tensor expected real numbers but got an array of dtype {data.dtype}; is there a string, "
                            "a None or a complex number in it?")
        if requires_grad and data.dtype.kind != "f":
            raise TypeError(f"only floating-point tensors have gradients, and this one holds {data.dtype}; "
                            "try Tensor([1.0, 2.0]) instead of Tensor([1, 2])")
        self.data = data.copy() if requires_grad else data  # an optimizer changes it in place: not the caller's array
        self.grad = None
        self.requires_grad = requires_grad
        self.parents = ()
        self.operation = None
        self._vjp = None
        self._keeps_grad = False

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)
    is_leaf = property(lambda self: self._vjp is None)

    def item(self):
        """The one number that this tensor holds, as a Python number."""
        return self.data.item()

    def numpy(self):
        """The array itself (not a copy)."""
        return self.data

    def detach(self):
        """A tensor with the same array, cut off from the graph."""
        return Tensor(self.data)

    def retain_grad(self):
        """Ask `backward` to keep the gradient of this tensor although it is not a leaf. Returns the tensor."""
        self._keeps_grad = True
        return self

    def zero_grad(self):
        """Forget the gradient, so that the next `backward` starts from nothing."""
        self.grad = None

    def __len__(self):
        if not self.shape:
            raise TypeError("a tensor of shape () holds a single number and has no length")
        return len(self.data)

    def __repr__(self):
        body = np.array2string(self.data, precision=4, separator=", ", prefix="Tensor(")
        return f"Tensor({body}{', requires_grad=True' if self.requires_grad else ''})"

    def __bool__(self):
        return bool(self.data)

    def __float__(self):
        return float(self.data)

    def __format__(self, spec):
        return format(self.item(), spec) if spec and self.size == 1 else format(str(self), spec)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise GradientError("NumPy would lose this tensor's graph without a word; take .data to do so on purpose")
        return np.array(self.data, dtype=dtype, copy=copy)

    def backward(self, gradient=None):
        """Add d(self)/d(leaf), weighted by `gradient`, to the `grad` of every leaf that requires one.

        Args:
            gradient: array of this tensor's shape, the gradient that arrives from above (the "upstream" gradient);
                may be left out when this tensor is a single number, and is then 1.
        Raises GradientError when there is nothing to differentiate, ShapeError when `gradient` has another shape.

        Gradients add up over calls, and over every path through the graph. Each node is visited once, in an order in
        which all the nodes that use it come first: reverse mode is dynamic programming.
        """
        if not self.requires_grad:
            raise GradientError("backward: this tensor does not depend on any tensor with requires_grad=True; "
                                "did you compute it inside no_grad(), or forget requires_grad=True?")
        if gradient is None:
            if self.size != 1:
                raise GradientError(f"backward: expected a single number but got shape {self.shape}; "
                                    "take .mean() or .sum() first, or pass the upstream gradient")
            gradient = np.ones_like(self.data)
        gradient = np.asarray(gradient.data if isinstance(gradient, Tensor) else gradient, dtype=self.dtype)
        if gradient.shape != self.shape:
            raise ShapeError(f"backward: expected an upstream gradient of shape {self.shape} but got {gradient.shape}")

        gradients = {self: gradient}
        for node in reversed(topological_order(self)):
            arrived = gradients.pop(node, None)
            if arrived is None:  # every operation that used this node gives it no gradient
                continue
            if node.is_leaf or node._keeps_grad:
                node.grad = np.array(arrived if node.grad is None else node.grad + arrived, dtype=node.dtype)
            if node.is_leaf:
                continue
            for parent, piece in zip(node.parents, node._vjp(arrived)):
                if isinstance(parent, Tensor) and parent.requires_grad and piece is not None:
                    piece = np.asarray(piece() if callable(piece) else piece, dtype=parent.dtype)
                    piece = unbroadcast(piece, parent.shape)
                    gradients[parent] = gradients[parent] + piece if parent in gradients else piece


def topological_order(root):
    """All tensors with a gradient that `root` was computed from, parents before children, `root` last.

    An explicit stack instead of recursion: a graph may be deeper than Python's recursion limit.
    """
    order, visited, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in visited:
            visited.add(node)
            stack.append((node, True))
            stack.extend((p, False) for p in node.parents if isinstance(p, Tensor) and p.requires_grad)
    return order


def unbroadcast(gradient, shape):
    """Sum `gradient` over the axes along which an array of `shape` was broadcast; the result has that shape.

    Broadcasting copies a value to many places; by the chain rule the gradients of the copies add up.
    Raises ShapeError when no array of `shape` can have been broadcast to the gradient's shape.
    """
    if gradient.shape == shape:
        return gradient
    added = gradient.ndim - len(shape)
    if added < 0 or any(size not in (1, gradient.shape[added + axis]) for axis, size in enumerate(shape)):
        raise ShapeError(f"a gradient has shape {gradient.shape} but its tensor {shape}; does the vjp return a tuple "
                         "with one gradient for each input, as large as that input or the result?")
    gradient = gradient.sum(axis=tuple(range(added)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=stretched, keepdims=True)


def primitive(function):
    """Lift `function(arrays, options) -> (value, vjp)` to a function of tensors that records the graph.

    Parameters without a default are arrays (lists are converted; Python numbers stay, so that they never change a
    dtype). `vjp(g)` takes the gradient at the value and returns one gradient for each of the first parameters, in
    order; an entry may also be a function without arguments, called only when that input wants its gradient, and None
    where there is none. Gradients may have the broadcast shape: they are summed back here, once for all operations.

    Given no tensor at all, the lifted function computes on arrays and returns an array.
    """
    parameters = inspect.signature(function).parameters
    names = list(parameters)
    arrays = sum(p.default is p.empty for p in parameters.values())

    @functools.wraps(function)
    def lifted(*inputs, **options):
        while len(inputs) < len(names) and names[len(inputs)] in options:  # an input by keyword: conv(x, weight=w)
            inputs += (options.pop(names[len(inputs)]),)
        values = [_value(x, is_array=i < arrays) for i, x in enumerate(inputs)]
        try:
            value, vjp = function(*values, **options)
        except ShapeError:
            raise
        except ValueError as error:
            shapes = " and ".join(str(np.shape(v)) for v in values[:arrays])
            raise ShapeError(f"{function.__name__}: cannot work on shape {shapes}: {error}") from None
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        if not tensors:
            return value
        result = Tensor(value)
        if _recording.get() and any(t.requires_grad for t in tensors):
            result.requires_grad, result.parents, result._vjp = True, inputs, vjp
            result.operation = function.__name__
        return result

    return lifted


def _value(x, is_array):
    """What an operation computes with: the array of a tensor, a list as array, a scalar as a Python number.

    NumPy's wide scalars become Python's because np.float64(2) would turn a float32 network into a float64 one.
    """
    if isinstance(x, Tensor):
        return x.data
    if isinstance(x, (np.float64, np.integer, np.bool_)):
        return x.item()
    return _as_array(x) if is_array and not isinstance(x, (int, float)) else x


def _as_array(data):
    """np.asarray, with a clear sentence for a list whose rows differ in length."""
    try:
        return np.asarray(data)
    except GradientError:
        raise
    except ValueError:
        raise ShapeError("expected an array of numbers but got a list whose rows have different lengths; "
                         "pad them, or make one array of each") from None
