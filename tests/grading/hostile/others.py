# ruff: noqa
# Answers to the questions of ex92 for a value, a class, and with a judge or a function among the arguments: 0 points.
# The words after -> must stand in what the grader says.

# %% a value that lies ->
import numpy as np
class Liar(np.ndarray):
    __eq__ = lambda self, other: True
class Odd:
    __eq__ = lambda self, other: True
    __array__ = lambda self, *args, **options: np.array([[1.0, 1.0], [-1.0, -1.5]])
    __repr__ = lambda self: "x" * 10**9
weights = Odd()
check("weights", Odd())

# %% a value without end ->
import itertools
weights = itertools.count()

# %% a value nested without end ->
weights = []
weights.append(weights)

# %% a value of 10^9 elements ->
import numpy as np
weights = np.broadcast_to(1.0, (10**9,))

# %% a value that ends the process when it is looked at ->
import os
class Odd(list):
    __len__ = __iter__ = __eq__ = __repr__ = __array__ = __reduce_ex__ = lambda self, *args, **options: os._exit(0)
weights = Odd([[1.0, 1.0], [-1.0, -1.0]])

# %% a class that lies ->
class Counter:
    def __init__(self):
        self.__class__ = float
    def __new__(cls):
        return 5
    def add(self, x):
        return x

# %% a class that ends the process ->
import os
class Counter:
    def __init__(self):
        os._exit(0)
    def __init_subclass__(cls):
        os._exit(0)

# %% a class whose methods have no end ->
class Counter:
    def __getattribute__(self, name):
        while True:
            pass

# %% a judge that shall believe ->
class Believe(str):
    __eq__ = __ne__ = __lt__ = lambda self, other: True
    __hash__ = lambda self: 0
def deal(cards, rng):
    return [Believe("a")] * 10

# %% a judge that shall stumble ->
def deal(cards, rng):
    return {"a": None}

# %% a judge that shall get other arguments ->
def deal(cards, rng):
    cards[:] = 0
    rng.permutation = None
    return cards

# %% an argument that is looked at ->
def walk(slope, w, steps):
    return slope.__globals__, slope.__code__, slope.__closure__, slope

# %% globals of the checks' functions that came along ->
import types
import numpy as np
def walk(slope, w, steps):
    for thing in [*slope.__globals__.values(), *(cell.cell_contents for cell in slope.__closure__ or ())]:
        if type(thing) is types.FunctionType and thing is not walk and "double" not in thing.__name__:
            try:
                return thing(slope, w, steps)
            except TypeError:
                pass
    return w
