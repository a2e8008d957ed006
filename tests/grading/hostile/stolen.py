# ruff: noqa
# Answers to `sigmoid` that look around while they are tried, or that hand on what the course has: 0 points.
# The words after -> must stand in what the grader says.

# %% nnlib's own, by its name -> It calls nnlib.sigmoid
from nnlib import sigmoid

# %% nnlib's own, in a function -> It calls nnlib.sigmoid
import nnlib
def sigmoid(z):
    return nnlib.sigmoid(z)

# %% nnlib's own, by getattr -> It calls nnlib.sigmoid
import nnlib
def sigmoid(z):
    return getattr(nnlib, "sig" + "moid")(z)

# %% nnlib's own, by a saved alias -> It calls nnlib.sigmoid
import nnlib
kept = [nnlib.sigmoid]
def sigmoid(z):
    return kept[0](z)

# %% nnlib's own, by importlib -> It calls nnlib.sigmoid
import importlib
def sigmoid(z):
    return importlib.import_module("nnlib.ops.activations").sigmoid(z)

# %% nnlib's own, in a try -> It calls nnlib.sigmoid
import nnlib
def sigmoid(z):
    try:
        return nnlib.sigmoid(z)
    except BaseException:
        return z * 0

# %% nnlib's own, by partial -> It calls nnlib.sigmoid
import functools, nnlib
sigmoid = functools.partial(nnlib.sigmoid)

# %% nnlib's own, as a method of Tensor -> It calls nnlib.
import nnlib
def sigmoid(z):
    return nnlib.Tensor(z).sigmoid().data

# %% nnlib's own, as a layer -> It calls nnlib.sigmoid
import nnlib
def sigmoid(z):
    return nnlib.Sigmoid()(nnlib.Tensor(z)).data

# %% nnlib's own, by gc ->
import gc, types
def sigmoid(z):
    for thing in gc.get_objects():
        if type(thing) is types.FunctionType and thing.__name__ == "sigmoid" and thing.__module__.startswith("nnlib"):
            return thing(z)

# %% nnlib's own, by a copy of its code ->
import nnlib, types
inner = nnlib.sigmoid
copy = types.FunctionType(inner.__code__, inner.__globals__, "mine", inner.__defaults__, inner.__closure__)
def sigmoid(z):
    return copy(z)

# %% nnlib's own, by a deep copy of its code and what it wraps ->
import nnlib, types
def cloned(function):
    cells = tuple(types.CellType(cloned(cell.cell_contents) if isinstance(cell.cell_contents, types.FunctionType) else cell.cell_contents)
                  for cell in function.__closure__ or ())
    return types.FunctionType(function.__code__, function.__globals__, "mine", function.__defaults__, cells)
copy = cloned(getattr(nnlib.sigmoid, "__wrapped__", nnlib.sigmoid))
def sigmoid(z):
    got = copy(z)
    return got[0] if isinstance(got, tuple) else got

# %% nnlib's own, loaded again ->
import importlib, sys, nnlib.ops.activations
before = sys.modules.pop("nnlib.ops.activations")
again = importlib.import_module("nnlib.ops.activations")
sys.modules["nnlib.ops.activations"] = before
def sigmoid(z):
    return again.sigmoid(z)

# %% SciPy's -> It calls scipy.special.expit
from scipy.special import expit
def sigmoid(z):
    return expit(z)

# %% SciPy's, by a saved alias -> scipy.special.expit
import scipy.special as s
kept = {"f": s.expit}
def sigmoid(z):
    return kept["f"](z)

# %% SciPy's, by getattr -> scipy.special.expit
import scipy.special
def sigmoid(z):
    return getattr(scipy.special, "".join(["ex", "pit"]))(z)

# %% SciPy's, by importlib -> scipy.special.expit
import importlib
def sigmoid(z):
    return importlib.import_module("scipy.special").expit(z)

# %% SciPy's, below its module ->
import scipy.special._ufuncs as below
kept = {"f": vars(below)["ex" + "pit"]}
def sigmoid(z):
    return kept["f"](z)

# %% stack and all objects, by values like the argument ->
import gc, sys
import numpy as np
def sigmoid(z):
    frame = sys._getframe(1)
    seen = []
    while frame:
        seen += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    for thing in [*seen, *gc.get_objects()]:
        if type(thing) is np.ndarray and thing.shape == np.shape(z) and thing.dtype == float and thing.size:
            if np.all((thing > 0) & (thing < 1)) and np.all(np.sign(thing - 0.5) == np.sign(z)):
                return thing
    return z * 0

# %% stack and all objects, by functions ->
import gc, types
import numpy as np
def sigmoid(z):
    for thing in gc.get_objects():
        if type(thing) is types.FunctionType and "checks" in str(thing.__module__):
            try:
                got = thing(z)
                if np.all((got > 0) & (got < 1)):
                    return got
            except BaseException:
                pass
    return z * 0

# %% a judge that is fooled ->
import gc
def sigmoid(z):
    for thing in gc.get_objects():
        if type(thing).__name__ == "Outcome":
            thing.raised, thing.message, thing.value = "", "", None
    return z

# %% time limit and verdict of the worker rewritten ->
import sys
def sigmoid(z):
    frame = sys._getframe(1)
    while frame:
        for thing in frame.f_locals.values():
            if isinstance(thing, dict):
                thing.update(points=2, status="right", found=True, changed=False)
        frame = frame.f_back
    return z
