"""The eight workloads of the benchmarks, each written once for nnlib and PyTorch and once for MyGrad and HIPS autograd.

nnlib's names are PyTorch's, so both run the same lines, with layers and an optimizer. The other two have no layers:
their networks are written with their operations, and the optimizer with NumPy. All start from the same weights and
data. One training step is forward, backward, and an update by SGD with momentum 0.9.
"""

import functools
import importlib.util
from types import SimpleNamespace

import numpy as np

RATE, MOMENTUM = 0.01, 0.9
SIDES = {"nnlib": "nnlib", "PyTorch": "torch", "MyGrad": "mygrad", "autograd": "autograd"}  # name: its module
THREADS = 2


def installed(side):
    """Is the library of this side there?"""
    return importlib.util.find_spec(SIDES[side]) is not None


@functools.cache
def library(side):
    """What a side needs, under the same names for those that share code. Imported only when asked for."""
    return {"nnlib": _nnlib, "PyTorch": _pytorch, "MyGrad": _mygrad, "autograd": _autograd}[side]()


def _nnlib():
    import nnlib

    return SimpleNamespace(nn=nnlib, functions=nnlib, tanh=nnlib.tanh, SGD=nnlib.SGD, array=lambda a: a,
                           leaf=lambda a: nnlib.Tensor(a, requires_grad=True))


def _pytorch():
    import torch

    torch.set_num_threads(THREADS)
    return SimpleNamespace(nn=torch.nn, functions=torch.nn.functional, tanh=torch.tanh, SGD=torch.optim.SGD,
                           array=torch.from_numpy, leaf=lambda a: torch.tensor(a, requires_grad=True))


def _mygrad():
    import mygrad
    from mygrad.nnet import activations, layers, losses

    mygrad.turn_memory_guarding_off()  # its manual's advice for speed

    def conv2d(x, w, b, padding):
        return layers.conv_nd(x, w, stride=1, padding=padding) + b.reshape(1, -1, 1, 1)

    def differentiate(function, arrays, upstream):
        tensors = [mygrad.tensor(a, copy=False) for a in arrays]

        def run():
            value = function(tensors)
            value.backward(upstream)
            return value.data, [t.grad for t in tensors]

        return run

    return SimpleNamespace(relu=activations.relu, sigmoid=activations.sigmoid, tanh=mygrad.tanh, conv2d=conv2d,
                           max_pool=lambda x: layers.max_pool(x, (2, 2), 2), differentiate=differentiate,
                           cross_entropy=losses.softmax_crossentropy)


def _autograd():
    import autograd.numpy as anp
    from autograd import make_vjp
    from autograd.scipy.signal import convolve

    def conv2d(x, w, b, padding):
        if padding:
            x = anp.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), "constant")
        flipped = w[:, :, ::-1, ::-1]  # this is a true convolution
        return convolve(x, flipped, axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid") + b[:, None, None]

    def max_pool(x):
        n, channels, height, width = x.shape
        x = x[:, :, :height // 2 * 2, :width // 2 * 2]
        return anp.max(anp.reshape(x, (n, channels, height // 2, 2, width // 2, 2)), axis=(3, 5))

    def cross_entropy(z, t):
        z = z - anp.max(z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[np.arange(len(t)), t])

    def differentiate(function, arrays, upstream):
        def run():
            vjp, value = make_vjp(function)(arrays)
            return value, vjp(upstream)

        return run

    return SimpleNamespace(relu=lambda x: anp.maximum(x, 0), sigmoid=lambda x: 0.5 * (anp.tanh(0.5 * x) + 1),
                           tanh=anp.tanh, conv2d=conv2d, max_pool=max_pool, differentiate=differentiate,
                           cross_entropy=cross_entropy)


class Training:
    """One side of one workload.

    Args: step: a function without arguments: trains once, and returns the loss (or the result).
        parameters: the tensors or arrays that it moves.   extra: a function that gives what else is to be compared.
    """

    def __init__(self, step, parameters, extra=lambda: []):
        self.step, self._parameters, self._extra = step, parameters, extra
        self._start = [np.array(plain(p)) for p in parameters]

    def state(self):
        """The changes of the parameters since the start and, for a convolution, the gradient of its input."""
        changes = [np.array(plain(p)) - start for p, start in zip(self._parameters, self._start)]
        return changes + [np.array(plain(a)) for a in self._extra()]


def plain(x):
    """The array of a tensor of any library."""
    return np.asarray(getattr(x, "data", x) if not isinstance(x, np.ndarray) else x)


# Networks: a list of layers, (kind, sizes ...), that each side turns into a model.

def mlp(*sizes):
    """Linear layers with ReLU between them."""
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [("linear", inputs, outputs), ("relu",)]
    return layers[:-1]


def cnn(side, first=16, second=32, hidden=64):
    """Two 3x3 convolutions with padding 1, each with ReLU and 2x2 max-pooling, then two linear layers."""
    return [("conv", 1, first), ("relu",), ("pool",), ("conv", first, second), ("relu",), ("pool",), ("flatten",),
            *mlp(second * (side // 4) ** 2, hidden, 10)]


def weight_shapes(layers):
    """Shapes of all parameters, as in PyTorch: (outputs, inputs), (outputs,) ...; an LSTM's gates are i, f, g, o."""
    shapes = {"linear": lambda i, o: [(o, i), (o,)], "conv": lambda i, o: [(o, i, 3, 3), (o,)],
              "lstm": lambda i, h: [(4 * h, i), (4 * h, h), (4 * h,), (4 * h,)]}
    return [shape for kind, *sizes in layers for shape in shapes.get(kind, lambda: [])(*sizes)]


def with_layers(lib, layers, weights, x, t):
    """Training in nnlib and PyTorch."""
    class Last(lib.nn.Module):
        def forward(self, outputs_and_state):
            return outputs_and_state[0][-1]

    make = {"linear": lib.nn.Linear, "conv": lambda i, o: lib.nn.Conv2d(i, o, 3, padding=1), "relu": lib.nn.ReLU,
            "pool": lambda: lib.nn.MaxPool2d(2), "flatten": lib.nn.Flatten, "lstm": lib.nn.LSTM, "last": Last}
    network = lib.nn.Sequential(*(make[kind](*sizes) for kind, *sizes in layers))
    parameters = list(network.parameters())
    for p, w in zip(parameters, weights, strict=True):
        p.data = lib.array(w.copy())
    optimizer, x, t = lib.SGD(parameters, lr=RATE, momentum=MOMENTUM), lib.leaf(x).detach(), lib.array(t)

    def step():
        optimizer.zero_grad()
        loss = lib.functions.cross_entropy(network(x), t)
        loss.backward()
        optimizer.step()
        return loss

    return Training(step, parameters)


def by_hand(lib, layers, weights, x, t):
    """Training in MyGrad and HIPS autograd, whose `differentiate(function, arrays, upstream)` gives a function without
    arguments that returns the value of `function(arrays)` and its gradients."""
    def forward(parameters):
        z, left = x, iter(parameters)
        for kind, *sizes in layers:
            if kind == "linear":
                z = z @ next(left).T + next(left)
            elif kind == "relu":
                z = lib.relu(z)
            elif kind == "conv":
                z = lib.conv2d(z, next(left), next(left), padding=1)
            elif kind == "pool":
                z = lib.max_pool(z)
            elif kind == "flatten":
                z = z.reshape(len(z), -1)
            elif kind == "lstm":
                z = _last_of_lstm(lib, z, sizes[1], *(next(left) for _ in range(4)))
        return lib.cross_entropy(z, t)

    return _momentum(lib, forward, weights, np.float32(1))


def _last_of_lstm(lib, x, width, w_ih, w_hh, b_ih, b_hh):
    """The last output of an LSTM, x (steps, batch, inputs): one matrix product for the inputs of all steps."""
    from_inputs = x @ w_ih.T + (b_ih + b_hh)
    h = c = np.zeros((x.shape[1], width), x.dtype)
    back = w_hh.T
    for k in range(len(x)):
        gates = from_inputs[k] + h @ back
        i, f, g, o = (gates[:, n * width:(n + 1) * width] for n in range(4))
        c = lib.sigmoid(f) * c + lib.sigmoid(i) * lib.tanh(g)
        h = lib.sigmoid(o) * lib.tanh(c)
    return h


def _momentum(lib, function, weights, upstream, fixed=()):
    """Training of `function(arrays)`; the arrays numbered in `fixed` have a gradient but do not move."""
    arrays = [w.copy() for w in weights]
    velocities = [np.zeros_like(a) for a in arrays]
    run, last = lib.differentiate(function, arrays, upstream), []

    def step():
        value, gradients = run()
        last[:] = gradients
        for k, (a, velocity, g) in enumerate(zip(arrays, velocities, gradients)):
            if k not in fixed:
                velocity *= MOMENTUM
                velocity += g
                a -= RATE * velocity
        return value

    return Training(step, [a for k, a in enumerate(arrays) if k not in fixed], lambda: [last[k] for k in fixed])


class Network:
    """A workload that trains a network on random data, cross-entropy with ten classes or fewer."""

    def __init__(self, layers, shape, batch_axis=0):
        self.layers, self.shape, self.batch = layers, shape, shape[batch_axis]

    def prepare(self, side):
        """The `Training` of a side, always with the same weights and data."""
        rng = np.random.default_rng(0)
        shapes = weight_shapes(self.layers)
        weights = [(rng.normal(size=s) * np.sqrt(2 / max(np.prod(s[1:]), 16))).astype(np.float32) for s in shapes]
        x = rng.normal(size=self.shape).astype(np.float32)
        t = rng.integers(shapes[-1][0], size=self.batch)
        make = with_layers if side in ("nnlib", "PyTorch") else by_hand
        return make(library(side), self.layers, weights, x, t)


class Convolution:
    """A workload of one convolution in the middle of a network: its input, too, needs a gradient."""

    shapes = (64, 8, 28, 28), (16, 8, 5, 5), (16,), (64, 16, 24, 24)  # input, weight, bias, upstream gradient

    def prepare(self, side):
        """The `Training` of a side, always with the same weights and data."""
        rng, lib = np.random.default_rng(0), library(side)
        x, w, b, upstream = (rng.normal(size=s).astype(np.float32) / 8 for s in self.shapes)
        if side not in ("nnlib", "PyTorch"):
            return _momentum(lib, lambda a: lib.conv2d(*a, padding=0), [x, w, b], upstream, fixed=(0,))
        x, w, b = map(lib.leaf, (x, w, b))
        optimizer, upstream = lib.SGD([w, b], lr=RATE, momentum=MOMENTUM), lib.array(upstream)

        def step():
            x.grad = None
            optimizer.zero_grad()
            y = lib.functions.conv2d(x, w, b)
            y.backward(upstream)
            optimizer.step()
            return y

        return Training(step, [w, b], lambda: [x.grad])


class Scalars:
    """A workload of single numbers: what an operation costs, apart from its arithmetic. 1,000 nodes, 5 in a round."""

    rounds = 200

    def compute(self, tanh, a, b, c):
        """Each round uses the two before it."""
        x = y = a
        for _ in range(self.rounds):
            x, y = tanh(x * a + y * b) - c, x
        return x

    def prepare(self, side):
        """The `Training` of a side, always from the same three numbers."""
        lib, start = library(side), [np.array(v) for v in (0.9, 0.4, 0.1)]
        if side not in ("nnlib", "PyTorch"):
            return _momentum(lib, lambda numbers: self.compute(lib.tanh, *numbers), start, 1.0)
        parameters = [lib.leaf(v) for v in start]
        optimizer = lib.SGD(parameters, lr=RATE, momentum=MOMENTUM)

        def step():
            optimizer.zero_grad()
            result = self.compute(lib.tanh, *parameters)
            result.backward()
            optimizer.step()
            return result

        return Training(step, parameters)


WORKLOADS = {
    "tiny MLP 2-16-16-2, batch 32": Network(mlp(2, 16, 16, 2), (32, 2)),
    "digits MLP 64-64-10, batch 64": Network(mlp(64, 64, 10), (64, 64)),
    "MLP 784-256-128-10, batch 128": Network(mlp(784, 256, 128, 10), (128, 784)),
    "digits CNN on 1x8x8, batch 64": Network(cnn(8), (64, 1, 8, 8)),
    "MNIST CNN on 1x28x28, batch 64": Network(cnn(28), (64, 1, 28, 28)),
    "convolution 5x5, 8 to 16 channels": Convolution(),
    "LSTM, 28 steps, width 64, batch 64": Network([("lstm", 28, 64), ("last",), ("linear", 64, 10)], (28, 64, 28), 1),
    "scalar graph of 1,000 nodes": Scalars(),
}
