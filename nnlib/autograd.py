"""The engine of automatic differentiation: tensors, the graph they record, and the walk back through it.

An operation is a function from arrays to (value, vector-Jacobian product). The `primitive` decorator lifts it to
tensors and records the graph; `Tensor.backward` walks that graph from the result to the leaves. This file knows no
operation: those live in `nnlib.ops`, and are attached to `Tensor` there.
"""

import functools
import inspect
import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from nnlib.errors import GradientError, NnlibError, ShapeError

__all__ = ["Tensor", "no_grad", "primitive"]

# Linux takes big freed arrays back and clears every page anew for the next training step, unless the C library has once
# seen an array of this size come and go; then it keeps them, and a step of a network takes about half the time.
np.empty(31 * 2**20, np.uint8)

_recording = ContextVar("recording", default=True)
_PYTORCH = {"clamp": "clip", "clone": "Tensor(x.data.copy())", "dim": "x.ndim", "t": "x.T", "tolist": "x.data.tolist()",
            "unsqueeze": "x[None] or x[:, None]", "view": "reshape",
            **dict.fromkeys(("double", "float", "to"), "Tensor(x.data.astype(dtype))")}
_changes = 0  # how many times a parameter was changed in place; what was computed before its change is out of date
_counting = threading.Lock()
_FREED = object()  # stands in the place of a node's vector-Jacobian product once `backward` has used it


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

    # What a new tensor is: these stand in the class, so that making one, thousands of times a step, sets little.
    grad, requires_grad, parents, operation, _vjp, _keeps_grad = None, False, (), None, None, False
    _born = _changed = 0  # what `_changes` was when this result was computed, or this parameter last changed in place
    __array_ufunc__ = None  # so that `array * tensor` reaches Tensor.__rmul__ instead of NumPy's loop over elements

    def __init__(self, data, requires_grad=False):
        data = real_array("Tensor", data)
        if requires_grad and data.dtype.kind != "f":
            raise TypeError(f"only floating-point tensors have gradients, and this one holds {data.dtype}; "
                            "try Tensor([1.0, 2.0]) instead of Tensor([1, 2])")
        self.data = data.copy() if requires_grad else data  # an optimizer changes it in place: not the caller's array
        self.requires_grad = bool(requires_grad)

    def __setitem__(self, index, value):
        raise TypeError("a tensor's elements do not change, for its graph would not know; build a new one with where, "
                        "or change x.data[...] of a tensor that was made by hand")

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)
    is_leaf = property(lambda self: self.operation is None)

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

    def mark_changed(self):
        """Say that `data` was changed in place: `backward` then refuses graphs that were computed before."""
        global _changes
        with _counting:
            _changes += 1
            self._changed = _changes

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_changed"}  # another process counts anew

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
        return float(self.item())

    def __format__(self, spec):
        return format(self.item(), spec) if spec and self.size == 1 else format(str(self), spec)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise GradientError("NumPy would lose this tensor's graph without a word; take .data to do so on purpose")
        return np.array(self.data, dtype=dtype, copy=copy)

    def backward(self, gradient=None, retain_graph=False):
        """Add d(self)/d(leaf), weighted by `gradient`, to the `grad` of every leaf that requires one.

        Args:
            gradient: array of this tensor's shape, the gradient that arrives from above (the "upstream" gradient);
                may be left out when this tensor is a single number, and is then 1.
            retain_graph: keep what the operations saved, so that this graph can be walked once more. Otherwise that
                memory is given back node by node; what the graph looks like (`parents`, `operation`) stays.
        Raises GradientError when there is nothing to differentiate, or the graph was walked before, ShapeError when
        `gradient` has another shape.

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
        order = topological_order(self)
        if any(node._vjp is _FREED for node in order):
            raise GradientError("backward: this graph was walked before, and has given back what it had saved; compute "
                                "the loss again, or call backward(retain_graph=True) the first time")

        gradients = {self: gradient}
        with np.errstate(all="ignore"):
            while order:
                node = order.pop()
                arrived = gradients.pop(node, None)
                if arrived is not None:
                    if node.operation is None or node._keeps_grad:
                        node.grad = np.array(arrived if node.grad is None else node.grad + arrived, dtype=node.dtype)
                    if node.operation is not None:
                        node._send_back(arrived, gradients)
                if node.operation is not None and not retain_graph:
                    node._vjp = _FREED

    def _send_back(self, arrived, gradients):
        """Add to `gradients` what this node's operation hands to each of its inputs: one step of the chain rule."""
        pieces = self._vjp(arrived)
        if len(pieces) < len(self.parents) and any(
                isinstance(option, Tensor) and option.requires_grad for option in self.parents[len(pieces):]):
            raise GradientError(f"{self.operation}: one of its options is a tensor that wants a gradient, but there "
                                "is none; pass its .data, or write the operation with others, such as where")
        for parent, piece in zip(self.parents, pieces):
            if isinstance(parent, Tensor) and parent.requires_grad and piece is not None:
                if parent._changed > self._born:
                    raise GradientError(f"backward: a parameter has changed since {self.operation} computed with it, "
                                        "and its gradient would be wrong; call backward before the step")
                piece = np.asarray(piece() if callable(piece) else piece, dtype=parent.data.dtype)
                if piece.shape != parent.data.shape:
                    piece = unbroadcast(piece, parent.data.shape)
                gradients[parent] = gradients[parent] + piece if parent in gradients else piece


def _elsewhere(name, here):
    """What stands in the place of a method of PyTorch's tensors that these have under another name."""
    def explain(self):
        raise AttributeError(f"a Tensor has no attribute {name!r}; what PyTorch calls {name} is {here} here")
    return property(explain)


for _name, _here in _PYTORCH.items():  # one by one, for a __getattr__ would slow down every attribute
    setattr(Tensor, _name, _elsewhere(_name, _here))


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
            for parent in node.parents:
                if isinstance(parent, Tensor) and parent.requires_grad and parent not in visited:
                    stack.append((parent, False))
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
    dtype); with `*arrays`, all are. `vjp(g)` takes the gradient at the value and returns one gradient for each of the
    first parameters, in order; an entry may also be a function without arguments, called only when that input wants
    its gradient, and None where there is none. Gradients may have the broadcast shape: they are summed back by the
    engine, once for all operations.

    Given no tensor at all, the lifted function computes on arrays and returns an array. Where a result is infinite or
    not a number it says so itself, as in PyTorch: NumPy's warnings are off, here and on the way back.
    """
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
    defaults = {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    takes_any_number = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    name, function = function.__name__.lstrip("_"), np.errstate(all="ignore")(function)
    arrays = sys.maxsize if takes_any_number else sum(p.default is p.empty for p in parameters)

    @functools.wraps(function)
    def lifted(*inputs, **options):
        for key in list(defaults)[len(inputs):] if options else ():  # inputs by keyword take their place in the order
            left_out = key not in options
            if left_out and (defaults[key] is inspect.Parameter.empty or not any(map(_is_tensor, options.values()))):
                break
            inputs += (options.pop(key, defaults[key]),)
        values, any_tensor, wants_gradient = [], False, False
        for x in inputs:
            if isinstance(x, Tensor):
                any_tensor = True
                wants_gradient = wants_gradient or x.requires_grad
                values.append(x.data)
            else:
                values.append(_value(name, x, is_array=len(values) < arrays))
        try:
            value, vjp = function(*values, **options)
        except (TypeError, ValueError) as error:
            if isinstance(error, NnlibError) or str(error).startswith(f"{name}: "):
                raise
            if unknown := sorted(options.keys() - known):
                hint = "; PyTorch's dim is axis here, its keepdim keepdims" if "dim" in unknown[0] else ""
                raise TypeError(f"{name}: expected arguments among {', '.join(known)} but got {', '.join(unknown)}"
                                + hint) from None
            shapes = " and ".join(str(np.shape(v)) for v in values[:arrays])
            kind = ShapeError if isinstance(error, ValueError) else TypeError
            raise kind(f"{name}: cannot work on shape {shapes}: {error}") from error
        if not any_tensor:
            return value
        result = object.__new__(Tensor)
        result.data = np.asarray(value)
        if wants_gradient and _recording.get():
            result.requires_grad, result.operation = True, name
            result.parents, result._vjp, result._born = inputs, vjp, _changes
        return result

    return lifted


def _is_tensor(x):
    return isinstance(x, Tensor)


def _value(name, x, is_array):
    """What an operation computes with: a list as array, a scalar as a Python number.

    NumPy's wide scalars become Python's because np.float64(2) would turn a float32 network into a float64 one.
    """
    if isinstance(x, (np.float64, np.integer, np.bool_)):
        return x.item()
    return real_array(name, x) if is_array and not isinstance(x, (int, float)) else x


def real_array(name, data):
    """np.asarray of real numbers (a tensor gives its own), with a sentence that begins with `name` for anything else.

    Raises TypeError for strings, None, complex numbers, objects, ShapeError for rows that differ in length.
    """
    try:
        array = data.data if isinstance(data, Tensor) else np.asarray(data)
    except GradientError:
        raise
    except ValueError:
        raise ShapeError(f"{name}: expected an array of numbers but got a list whose rows have different lengths; "
                         "pad them, or make one array of each") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected real numbers but got dtype {array.dtype}; is there a string, a None or a "
                        "complex number among them?")
    return array
