"""Modules: parts of a network that own their parameters, and the files that keep them."""

import os
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from nnlib.autograd import Tensor
from nnlib.errors import DataError, NnlibError, ShapeError

__all__ = ["Module", "Parameter", "load", "save"]


class Parameter(Tensor):
    """A tensor of a module that is trained. Frozen by `requires_grad = False`, it stays one of the parameters.

    Args: data: an array, which is copied.   requires_grad: whether it shall receive gradients.
    """

    def __init__(self, data, requires_grad=True):
        super().__init__(np.array(data.data if isinstance(data, Tensor) else data), requires_grad)


class Module:
    """A part of a network: it owns parameters and other modules, and `forward` says what it computes.

    Nothing is registered: a module's members are what stands in its attributes, or in a list, tuple or dict there, in
    the order of assignment. A `Parameter`, or any tensor made with requires_grad=True, is a parameter; another tensor
    is a buffer (saved, not trained); a module is a child. Results of operations are none of these. Names, as in
    PyTorch, are attributes joined by dots: "0.weight", "block.linear.bias".
    """

    training = True
    _hooks = ()

    def forward(self, *inputs):
        """What the module computes; a subclass writes it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; write `def forward(self, x): ...`")

    def __call__(self, *inputs, **options):
        output = self.forward(*inputs, **options)
        for hook in tuple(self._hooks):
            hook(self, inputs, output)
        return output

    def _members(self):
        """Pairs (name, value) of the attributes, and of what stands in lists, tuples and dicts there, as "name.0"."""
        for name, value in vars(self).items():
            if isinstance(value, (list, tuple, dict)):
                items = value.items() if isinstance(value, dict) else enumerate(value)
                yield from ((f"{name}.{key}", item) for key, item in items)
            else:
                yield name, value

    def named_children(self):
        """Pairs (name, module) of the modules directly in this one."""
        yield from ((name, value) for name, value in self._members() if isinstance(value, Module))

    def named_modules(self, prefix=""):
        """Pairs (name, module) of this module, named `prefix`, and of all within it, each once."""
        seen, waiting = set(), [(prefix, self)]
        while waiting:
            name, module = waiting.pop()
            if module not in seen:
                seen.add(module)
                yield name, module
                waiting.extend(reversed([(_join(name, child), m) for child, m in module.named_children()]))

    def _named_tensors(self, parameters):
        """Pairs (name, tensor) of all parameters, or of all buffers; a tensor in two places is named once."""
        seen = set()
        for prefix, module in self.named_modules():
            for name, value in module._members():
                if isinstance(value, Tensor) and value.is_leaf and value not in seen:
                    seen.add(value)
                    if parameters == (isinstance(value, Parameter) or value.requires_grad):
                        yield _join(prefix, name), value

    def named_parameters(self):
        """Pairs (name, tensor) of all parameters, each once, the frozen ones too."""
        yield from self._named_tensors(parameters=True)

    def named_buffers(self):
        """Pairs (name, tensor) of the tensors that are kept but not trained, such as running means."""
        yield from self._named_tensors(parameters=False)

    def parameters(self):
        """All parameters: `SGD(model.parameters(), lr=0.1)`."""
        yield from (tensor for _, tensor in self.named_parameters())

    def modules(self):
        """This module and all within it, each once."""
        yield from (module for _, module in self.named_modules())

    def children(self):
        """The modules directly in this one."""
        yield from (module for _, module in self.named_children())

    def train(self, mode=True):
        """Set this module and all within it to training (dropout drops, batch norm uses the batch). Returns itself."""
        if not isinstance(mode, (bool, np.bool_)):
            raise TypeError(f"train: expected True or False but got {mode!r}; for evaluation call eval()")
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self):
        """Set this module and all within it to evaluation. Returns itself."""
        return self.train(False)

    def zero_grad(self):
        """Forget the gradients of all parameters."""
        for tensor in self.parameters():
            tensor.zero_grad()

    def requires_grad_(self, requires_grad=True):
        """Freeze all parameters (False), or let them train again (True). Returns itself."""
        for tensor in self.parameters():
            tensor.requires_grad = requires_grad
        return self

    def to(self, dtype):
        """Convert all parameters and buffers, and drop their gradients. Returns itself.

        Args: dtype: a floating-point type; float32 to train fast, float64 to check gradients.
        """
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"to: expected a floating-point dtype but got {np.dtype(dtype)}; try np.float32")
        for _, tensor in [*self.named_parameters(), *self.named_buffers()]:
            if tensor.dtype.kind == "f":
                tensor.data, tensor.grad = tensor.data.astype(dtype), None
        return self

    def state_dict(self):
        """Copies of all parameters and buffers as a dict from name to array."""
        return {name: tensor.data.copy() for name, tensor in [*self.named_parameters(), *self.named_buffers()]}

    def load_state_dict(self, state):
        """Take over the values of `state`, a dict from name to array as `state_dict` or `load` gives it.

        Raises NnlibError when names are missing or unknown, ShapeError when an array has another shape, TypeError for
        what is no number; the model then stays as it was.
        """
        if not hasattr(state, "keys"):
            raise TypeError(f"load_state_dict: expected a dict from name to array but got {type(state).__name__}; "
                            "for a file try load_state_dict(load(path))")
        tensors = dict([*self.named_parameters(), *self.named_buffers()])
        missing, unknown = sorted(tensors.keys() - state.keys()), sorted(state.keys() - tensors.keys())
        if missing or unknown:
            raise NnlibError(f"load_state_dict: this state is of another model; missing: {_some(missing)}; unknown: "
                             f"{_some(unknown)}; build the model with the same layers as the one that was saved")
        arrays = {name: np.asarray(state[name].data if isinstance(state[name], Tensor) else state[name])
                  for name in tensors}
        for name, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise TypeError(f"load_state_dict: expected numbers for {name!r} but got dtype {array.dtype}")
            if array.shape != tensors[name].shape:
                raise ShapeError(f"load_state_dict: expected {name!r} of shape {tensors[name].shape} but got "
                                 f"{array.shape}; build the model with the sizes of the one that was saved")
        for name, array in arrays.items():
            tensors[name].data[...] = array

    def register_forward_hook(self, hook):
        """Call `hook(module, inputs, output)` after every forward pass, to watch what flows through.

        Returns a handle whose `remove()` ends that.
        """
        if not callable(hook):
            raise TypeError(f"register_forward_hook: expected a function of (module, inputs, output) but got {hook!r}")
        self._hooks = (*self._hooks, hook)
        return _Handle(self, hook)

    def extra_repr(self):
        """What stands in the brackets of the printed module, such as its sizes."""
        return ""

    def __repr__(self):
        lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        inside = "\n  ".join(["", *lines]) + "\n" if lines else self.extra_repr()
        return f"{type(self).__name__}({inside})"


@contextmanager
def mode(model, training):
    """Within, the model trains or evaluates; afterwards each of its modules is in the mode in which it was."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, kept in before:
            module.training = kept


class _Handle:
    """What `register_forward_hook` returns."""

    def __init__(self, module, hook):
        self._module, self._hook = module, hook

    def remove(self):
        """End the watching; a second call does nothing."""
        self._module._hooks = tuple(hook for hook in self._module._hooks if hook is not self._hook)


def _join(prefix, name):
    return f"{prefix}.{name}" if prefix else name


def _some(names, limit=4):
    return (", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")) or "none"


def save(state, path):
    """Write a dict from name to array, such as `model.state_dict()`, to a NumPy archive (.npz).

    The file is written beside its place and moved there when complete: an interrupted call leaves the old one.
    """
    if not hasattr(state, "items"):
        raise TypeError(f"save: expected a dict from name to array but got {type(state).__name__}; "
                        "try save(model.state_dict(), path)")
    path = Path(path)
    if not path.parent.is_dir():
        raise DataError(f"save: there is no folder {path.parent}; make it first, or save elsewhere")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name, array in state.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path):
    """Read what `save` wrote: a dict from name to array. Nothing in the file is executed.

    Raises DataError when the file is missing, cut short, or of another kind.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds no archive")
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise DataError(f"load: there is no file {path}; save(model.state_dict(), {str(path)!r}) writes one") from None
    except Exception as error:  # damage makes zipfile, zlib and NumPy raise almost anything
        raise DataError(f"load: {path} is damaged or was not written by nnlib.save ({error})") from None
