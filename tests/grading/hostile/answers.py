# ruff: noqa
# Answers to `sigmoid` that misbehave when they are tried: 0 points, the other questions keep theirs.
# The words after -> must stand in what the grader says.

# %% endless loop -> no answer after
def sigmoid(z):
    while True:
        pass

# %% loop that swallows interrupts -> no answer after
def sigmoid(z):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

# %% endless sleep -> no answer after
import time
def sigmoid(z):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

# %% endless print -> no answer after
def sigmoid(z):
    while True:
        print("x" * 1000)

# %% generator without end ->
def sigmoid(z):
    while True:
        yield 1

# %% iterator without end ->
import itertools
def sigmoid(z):
    return itertools.count()

# %% 50 GiB in one array -> MemoryError
import numpy as np
def sigmoid(z):
    return np.zeros(50 << 30, dtype=np.uint8)

# %% 12 GB in many pieces -> MemoryError
import numpy as np
def sigmoid(z):
    return [np.zeros(256 << 20, dtype=np.uint8) for _ in range(48)]

# %% 1 GiB returned -> too large to be compared|no answer after
import numpy as np
def sigmoid(z):
    return np.zeros(1 << 30, dtype=np.uint8)

# %% 10^9 elements by stride 0 -> too large to be compared|no answer after
import numpy as np
def sigmoid(z):
    return np.broadcast_to(0.0, (10**9,))

# %% 10^15 elements by stride 0 -> too large to be compared|no answer after
import numpy as np
def sigmoid(z):
    return np.broadcast_to(0.0, (10**15,))

# %% an object array by stride 0 -> too large to be compared|no answer after
import numpy as np
def sigmoid(z):
    return np.broadcast_to(np.array(None), (10**9,))

# %% 10^6 nested lists -> nested too deeply to be compared|no answer after|SIGSEGV
def sigmoid(z):
    nested = []
    for _ in range(10**6):
        nested = [nested]
    return nested

# %% nested object arrays -> nested too deeply to be compared|no answer after|SIGSEGV
import numpy as np
def sigmoid(z):
    nested = np.empty(1, dtype=object)
    for _ in range(10**5):
        outer = np.empty(1, dtype=object)
        outer[0] = nested
        nested = outer
    return nested

# %% self-referencing list -> nested too deeply to be compared|no answer after|SIGSEGV
def sigmoid(z):
    loop = []
    loop.append(loop)
    return loop

# %% self-referencing dict -> nested too deeply to be compared|no answer after|SIGSEGV
def sigmoid(z):
    loop = {}
    loop["loop"] = loop
    return loop

# %% billion laughs -> too large to be compared|no answer after
def sigmoid(z):
    laughs = ["ha"]
    for _ in range(40):
        laughs = [laughs] * 2
    return laughs

# %% string of 100 MB -> too large to be compared|no answer after
def sigmoid(z):
    return "x" * 10**8

# %% string of surrogates and NUL ->
def sigmoid(z):
    return "\ud800\udfff\x00\x1b[31m\u202e"

# %% bytes ->
def sigmoid(z):
    return bytes(range(256))

# %% int of 10^6 digits ->
def sigmoid(z):
    return 10**10**6

# %% dict with keys of NaN ->
def sigmoid(z):
    return {float("nan"): 1, float("nan"): 2, None: float("inf")}

# %% dict whose keys cannot be hashed after decoding ->
import numpy as np
class Key(list):
    __hash__ = lambda self: 0
def sigmoid(z):
    return {Key([1]): 1, (1, Key([2])): 2, np.float64(1): 3}

# %% set of frozensets ->
def sigmoid(z):
    return {frozenset({1, frozenset({2})}), (3,), None}

# %% lying equality ->
class Liar:
    __eq__ = __ge__ = __le__ = lambda self, other: True
    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __hash__ = lambda self: 0
    __bool__ = lambda self: True
    __getattr__ = lambda self, name: Liar()
    __call__ = __sub__ = __rsub__ = __abs__ = lambda self, *args: Liar()
def sigmoid(z):
    return Liar()

# %% lying class ->
import numpy as np
class Liar:
    __class__ = property(lambda self: np.ndarray)
    shape, dtype, size, ndim = (3,), np.dtype(float), 3, 1
def sigmoid(z):
    return Liar()

# %% lying length ->
class Liar(list):
    __len__ = lambda self: 10**18
    __iter__ = lambda self: iter(int, 1)
def sigmoid(z):
    return Liar([1])

# %% lying length without end ->
class Liar:
    __len__ = lambda self: 10**9
    __getitem__ = lambda self, index: 0.5
def sigmoid(z):
    return Liar()

# %% lying __array__ ->
class Liar:
    def __array__(self, dtype=None, copy=None):
        while True:
            pass
def sigmoid(z):
    return Liar()

# %% __array__ of another ->
import numpy as np
class Liar:
    def __array__(self, dtype=None, copy=None):
        return self
    __array_interface__ = {"shape": (10**12,), "typestr": "<f8", "data": (1, False), "version": 3}
def sigmoid(z):
    return Liar()

# %% huge repr ->
class Loud:
    def __repr__(self):
        return "x" * 10**9
    __str__ = __format__ = __repr__
def sigmoid(z):
    return Loud()

# %% repr without end ->
class Loud:
    def __repr__(self):
        while True:
            pass
    __str__ = __format__ = __hash__ = __eq__ = __repr__
def sigmoid(z):
    return [Loud(), {"a": Loud()}]

# %% huge class name ->
def sigmoid(z):
    return type("x" * 10**7, (), {})()

# %% class name as markup ->
def sigmoid(z):
    return type("<script>alert(1)</script>\x1b[2J", (), {})()

# %% metaclass that lies ->
class Meta(type):
    __name__ = property(lambda cls: 1 / 0)
    __mro__ = property(lambda cls: 1 / 0)
    def mro(cls):
        return type.mro(cls)
    __instancecheck__ = __subclasscheck__ = lambda cls, other: True
class Thing(metaclass=Meta):
    pass
def sigmoid(z):
    return Thing() if len(z) else Thing

# %% subclass of ndarray that lies ->
import numpy as np
class Liar(np.ndarray):
    __eq__ = lambda self, other: True
    shape = property(lambda self: (3, 4))
    dtype = property(lambda self: np.dtype(float))
    tolist = ravel = astype = view = __sub__ = lambda self, *args: 1 / 0
    def __array_finalize__(self, other):
        pass
def sigmoid(z):
    return np.zeros(2).view(Liar)

# %% subclasses of numbers that lie ->
class Number(float):
    __eq__ = __sub__ = __rsub__ = __abs__ = __float__ = __pos__ = lambda self, *args: 0.0
class Text(str):
    __str__ = __repr__ = __len__ = lambda self: 1 / 0
def sigmoid(z):
    return [Number(7), Text("seven")]

# %% structured array ->
import numpy as np
def sigmoid(z):
    return np.zeros(3, dtype=[("p", float), ("name", object)])

# %% object array ->
import numpy as np
def sigmoid(z):
    return np.array([object(), lambda: 0, None], dtype=object)

# %% masked array ->
import numpy as np
def sigmoid(z):
    return np.ma.masked_all(np.shape(z))

# %% memory-mapped array ->
import numpy as np
def sigmoid(z):
    return np.memmap("mapped", dtype=float, mode="w+", shape=np.shape(z))

# %% dates, text and void ->
import numpy as np
def sigmoid(z):
    return [np.datetime64("now"), np.array(["a", "b"]), np.void(b"abc"), np.longdouble(1), np.array([1j]), np.float16(1)]

# %% a class, a module, a function, a type ->
import numpy
def sigmoid(z):
    return [sigmoid, numpy, int, type, print, numpy.add, ..., NotImplemented, slice(1, 2), range(3)]

# %% arguments returned, changed ->
def sigmoid(z):
    z *= 0
    return z

# %% deep recursion -> RecursionError
def sigmoid(z):
    return sigmoid(z)

# %% recursion without a limit ->
import sys
def sigmoid(z):
    sys.setrecursionlimit(10**9)
    return max([z], key=lambda z: sigmoid(z))

# %% sys.exit -> SystemExit
import sys
def sigmoid(z):
    sys.exit(0)

# %% os._exit -> ended its process
import os
def sigmoid(z):
    os._exit(0)

# %% os.abort -> was killed .SIGABRT
import os
def sigmoid(z):
    os.abort()

# %% killed -> was killed .SIGKILL
import os
def sigmoid(z):
    os.kill(os.getpid(), 9)

# %% killed parent ->
import os
def sigmoid(z):
    os.kill(os.getppid(), 9)

# %% stopped by a signal -> no answer after
import os, signal
def sigmoid(z):
    os.kill(os.getpid(), signal.SIGSTOP)

# %% fork bomb ->
import os, time
def sigmoid(z):
    for _ in range(300):
        if not os.fork():
            time.sleep(20)
            os._exit(0)

# %% thread flood ->
import threading, time
def sigmoid(z):
    for _ in range(300):
        threading.Thread(target=time.sleep, args=(20,)).start()

# %% thread that goes on ->
import threading
def sigmoid(z):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()

# %% raises TimeUp and Forbidden of its own -> raised
class TimeUp(BaseException):
    pass
class Forbidden(BaseException):
    pass
def sigmoid(z):
    raise [TimeUp, Forbidden][len(z) % 2](" \ud800 <b>" * 10**6)

# %% exception with a name as markup ->
def sigmoid(z):
    raise type("<b>=1+1</b>", (Exception,), {})("=HYPERLINK()")

# %% exception named NotImplementedError -> not attempted
def sigmoid(z):
    raise type("NotImplementedError", (BaseException,), {})

# %% exception that cannot be shown ->
class Odd(BaseException):
    def __str__(self):
        while True:
            pass
    __repr__ = __str__
    __traceback__ = property(lambda self: 1 / 0)
def sigmoid(z):
    raise Odd

# %% forged replies to every file ->
import json, os, struct
def sigmoid(z):
    for reply in ({"value": 0.5}, {"died": 0}, {"died": [1]}, {"raised": "", "value": ["list"]}, {"value": {"a": ["int", "x"]}}):
        text = json.dumps(["dict", *[[key, value] for key, value in reply.items()]])
        for place in range(64):
            try:
                os.write(place, struct.pack(">4sIQ", b"nnl1", len(text), 0) + text.encode())
            except OSError:
                pass

# %% all files closed ->
import os
def sigmoid(z):
    os.closerange(0, 256)

# %% interrupt on its way -> KeyboardInterrupt|interrupted
def sigmoid(z):
    raise KeyboardInterrupt

# %% hard-coded answers for the visible case ->
import numpy as np
def sigmoid(z):
    return np.array([0.11920292202211755, 0.5, 0.9525741268224334])

# %% hard-coded answers by comparison ->
import numpy as np
def sigmoid(z):
    if np.array_equal(z, [-2.0, 0.0, 3.0]):
        return [0.11920292202211755, 0.5, 0.9525741268224334]
    return np.zeros(np.shape(z))

# %% renamed ->
import numpy as np
def sigmoyd(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% deleted ->
import numpy as np
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))
del sigmoid

# %% blank -> not attempted
def sigmoid(z):
    raise NotImplementedError

# %% wrong, with its hint -> A large z means class 1.
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(z))

# %% np.exp patched ->
import numpy as np
np.exp = lambda z: z
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

# %% comparisons patched, in numpy ->
import numpy as np
np.allclose = np.isclose = np.array_equal = np.all = np.testing.assert_allclose = lambda *a, **k: True
def sigmoid(z):
    return z

# %% comparisons patched, when it is called ->
import builtins, numpy as np
def sigmoid(z):
    np.allclose = np.isclose = np.array_equal = np.all = lambda *a, **k: True
    builtins.abs = builtins.sum = builtins.isinstance = lambda *a: True
    return z

# %% a property of the module ->
import sys
class Module(type(sys)):
    sigmoid = property(lambda self: 1 / 0)
    __getattr__ = lambda self, name: 1 / 0
sys.modules["__main__"].__class__ = Module

# %% a callable that lies about its name ->
class Answer:
    __name__ = property(lambda self: "x" * 10**7)
    __call__ = lambda self, z: z
    __deepcopy__ = __reduce_ex__ = lambda self, *args: 1 / 0
sigmoid = Answer()

# %% a callable whose class is endless ->
class Meta(type):
    def __call__(cls, *args):
        while True:
            pass
class sigmoid(metaclass=Meta):
    pass
