# ruff: noqa
# Odd notebooks whose answer is right: 2 points for `sigmoid`.

# %% plain
import numpy as np
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% as a list
import math
def sigmoid(z):
    if hasattr(z, "__len__"):
        return [sigmoid(part) for part in z]
    return 1 / (1 + math.exp(-z))

# %% as a view, read only, of another order
import numpy as np
def sigmoid(z):
    made = np.array(0.5 * (1 + np.tanh(np.asarray(z) / 2)))
    made.setflags(write=False)
    return made.T.T[...]

# %% as a subclass of ndarray
import numpy as np
class Mine(np.ndarray):
    pass
def sigmoid(z):
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(z) / 2))).view(Mine)

# %% as float32, big-endian
import numpy as np
def sigmoid(z):
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(z) / 2)), dtype=">f8")

# %% as a memory-mapped array in scratch
import numpy as np
def sigmoid(z):
    made = np.memmap("mapped", dtype=float, mode="w+", shape=np.shape(z) or (1,))
    made[...] = 0.5 * (1 + np.tanh(np.asarray(z) / 2))
    return made.reshape(np.shape(z))

# %% a lambda
import numpy as np
sigmoid = lambda z: 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% a method
import numpy as np
class Neuron:
    def sigmoid(self, z):
        return 0.5 * (1 + np.tanh(np.asarray(z) / 2))
sigmoid = Neuron().sigmoid

# %% cached
import functools
import numpy as np
@functools.wraps(np.tanh)
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% compared with nnlib's in a cell of its own
import nnlib
import numpy as np
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))
assert np.allclose(sigmoid(np.arange(3.0)), nnlib.sigmoid(np.arange(3.0)))

# %% files in scratch
import json, tempfile
from pathlib import Path
import numpy as np
with tempfile.NamedTemporaryFile("w") as file:
    file.write("text")
np.save("kept.npy", np.arange(3))
Path("notes.json").write_text(json.dumps([1]))
Path.home().joinpath("mine.txt").write_text("mine")
assert np.load("kept.npy").sum() == 3
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2)) + 0 * np.load("kept.npy")[0]

# %% plots
import matplotlib.pyplot as plt
import numpy as np
plt.plot(np.arange(3)), plt.title("ü $x^2$"), plt.savefig("mine.png"), plt.show()
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% progress bar
import numpy as np
from tqdm import tqdm
from tqdm.auto import tqdm as nice
for _ in tqdm(range(3)):
    pass
for _ in nice(range(3)):
    pass
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% widgets
import ipywidgets
import numpy as np
from IPython.display import HTML, display
display(HTML("<b>bold</b>"), ipywidgets.IntSlider())
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% data of scikit-learn
import numpy as np
from sklearn.datasets import load_digits, make_moons
assert load_digits().data.shape == (1797, 64) and len(make_moons()[0]) == 100
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% threads that end
import numpy as np
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as pool:
    assert list(pool.map(abs, [-1, 2])) == [1, 2]
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% twice, the second one right
import numpy as np
def sigmoid(z):
    return z
check(sigmoid)
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% own checks changed
import numpy as np
def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))
check = lambda *args: "ha"
ExerciseSet = None
assert check(sigmoid)

# %% prints much
import numpy as np
def sigmoid(z):
    print("x" * 10**6)
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))

# %% warns
import warnings
import numpy as np
def sigmoid(z):
    warnings.warn("look out")
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2)) + 0 * np.log(np.zeros(1))[0] if False else 0.5 * (1 + np.tanh(np.asarray(z) / 2))
