"""Recurrent layers: networks with a memory, run over a sequence at once or, as cells, step by step."""

import numpy as np

from nnlib.arguments import whole_number
from nnlib.errors import ShapeError
from nnlib.module import Module, Parameter
from nnlib.ops import gru, linear, lstm, reshape, rnn, sigmoid, stack, tanh, transpose
from nnlib.seeding import generator

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell"]


class _Recurrent(Module):
    """What layers and cells of all kinds share: their parameters, and what they refuse.

    Weights and biases start in U(-1/sqrt(hidden_size), 1/sqrt(hidden_size)), as in PyTorch.
    """

    _operation, _options = None, {}  # the one from nnlib.ops that does the work
    _states = ("h_0",)
    _blocks = 1  # how many blocks of hidden_size rows the weights have: one for each gate
    _suffixes = ("",)  # of the parameters' names, one for each layer

    def __init__(self, input_size, hidden_size, bias=True, *, dtype=np.float32, rng=None):
        self.input_size, self.bias = whole_number(self, "input_size", input_size), bias
        self.hidden_size = whole_number(self, "hidden_size", hidden_size)
        rng, bound, rows = generator(rng), hidden_size ** -0.5, self._blocks * hidden_size
        for suffix in self._suffixes:
            shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            for name, shape in shapes.items():
                setattr(self, name + suffix, Parameter(rng.uniform(-bound, bound, shape).astype(dtype)))
            input_size = hidden_size  # of the layers above the first

    def _parameters(self, suffix=""):
        """weight_ih, weight_hh, bias_ih, bias_hh of one layer; the biases are None where it has none."""
        return [getattr(self, name + suffix, None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def _refuse(self, expected, got, hint):
        raise ShapeError(f"{type(self).__name__}({self.input_size} -> {self.hidden_size}) expected {expected} but got "
                         f"{got}; {hint}")

    def _start(self, state, shape, hint):
        """The initial states as a tuple, zeros if `state` is None; each must have the given shape."""
        if state is None:
            return (np.zeros(shape, next(self.parameters()).dtype),) * len(self._states)
        if len(self._states) == 1:
            state = (state,)
        elif not (isinstance(state, (tuple, list)) and len(state) == len(self._states)):
            self._refuse("an initial state (h_0, c_0)", f"{type(state).__name__}", "try a tuple of two tensors")
        for name, start in zip(self._states, state):
            if np.shape(start) != shape:
                self._refuse(f"an initial state {name} of shape {shape}", np.shape(start), hint)
        return tuple(state)

    def _steps(self, x, start, parameters):
        """The states after every step of the sequence x, (steps, batch, hidden), one array for each of `_states`."""
        states = self._operation(x, *start, *parameters, **self._options)
        return (states[0], states[1]) if len(self._states) == 2 else (states,)

    def extra_repr(self):
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class _Layers(_Recurrent):
    """One or more recurrent layers over a whole sequence; each reads the states of the one below."""

    def __init__(self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, *, dtype=np.float32,
                 rng=None):
        self.num_layers, self.batch_first = whole_number(self, "num_layers", num_layers), batch_first
        self._suffixes = [f"_l{layer}" for layer in range(num_layers)]
        super().__init__(input_size, hidden_size, bias, dtype=dtype, rng=rng)

    def forward(self, x, state=None):
        """The output of the last layer at every step, and the last state of every layer; shapes as in the class."""
        shape = np.shape(x)
        axes = "batch, time" if self.batch_first else "time, batch"
        if len(shape) != 3 or shape[2] != self.input_size:
            self._refuse(f"input of shape ({axes}, {self.input_size})", shape, "a single sequence needs a batch axis "
                         "of size 1" if len(shape) == 2 else "the features stand last")
        if self.batch_first:
            x = transpose(x, 0, 1)
        steps, batch = np.shape(x)[:2]
        if not steps:
            self._refuse("a sequence of at least one step", shape, f"the axes are ({axes}, features)")
        hint = "its axes are (layers, batch, hidden)" + (
            "" if self.batch_first else "; did you forget batch_first=True for an input (batch, time, features)?")
        start = self._start(state, (self.num_layers, batch, self.hidden_size), hint)
        ends = []
        for layer, suffix in enumerate(self._suffixes):
            states = self._steps(x, [s[layer] for s in start], self._parameters(suffix))
            x = states[0]
            ends.append([s[-1] for s in states])
        ends = tuple(stack(end) for end in zip(*ends))
        return (transpose(x, 0, 1) if self.batch_first else x), (ends if len(ends) > 1 else ends[0])

    def extra_repr(self):
        return (super().extra_repr() + (f", num_layers={self.num_layers}" if self.num_layers > 1 else "")
                + (", batch_first=True" if self.batch_first else ""))


class _Cell(_Recurrent):
    """One step of one layer, to be called in a loop that the learner writes."""

    def forward(self, x, state=None):
        """The state after the step, (batch, hidden); for the LSTM the pair (h, c)."""
        x, start = self._checked(x, state)
        states = self._steps(reshape(x, (1, *np.shape(x))), start, self._parameters())
        return tuple(s[0] for s in states) if len(states) > 1 else states[0][0]

    def _checked(self, x, state):
        shape = np.shape(x)
        if len(shape) != 2 or shape[1] != self.input_size:
            self._refuse(f"input of shape (batch, {self.input_size})", shape, "a cell takes one step of a sequence; "
                         f"for all steps at once use {type(self).__name__.removesuffix('Cell')}")
        return x, self._start(state, (shape[0], self.hidden_size), "its axes are (batch, hidden)")

    def _scores(self, x, state):
        """W_ih x + b_ih and W_hh h + b_hh, in blocks of (batch, hidden)."""
        x, (h, *_) = self._checked(x, state)
        w_ih, w_hh, b_ih, b_hh = self._parameters()
        ends = range(self.hidden_size, (self._blocks + 1) * self.hidden_size, self.hidden_size)
        return ([scores[:, end - self.hidden_size:end] for end in ends]
                for scores in (linear(x, w_ih, b_ih), linear(h, w_hh, b_hh)))


class RNN(_Layers):
    """The plain recurrent network over a sequence: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh) (deck D).

    Args:
        input_size, hidden_size: features of a step, and of the state.   num_layers: each reads the one below.
        nonlinearity: "tanh" or "relu".   bias: whether it has biases.
        batch_first: sequences are (batch, time, features) instead of PyTorch's default (time, batch, features).
    Parameters of layer k: weight_ih_lk (hidden, inputs), weight_hh_lk (hidden, hidden), bias_ih_lk, bias_hh_lk.
    Call: `output, h_n = rnn(x, h_0)`: output is (time, batch, hidden), or batch first; h_0, zeros if left out, and h_n
    are (num_layers, batch, hidden). Raises ShapeError for other shapes and for a sequence of length 0.
    """

    _operation = staticmethod(rnn)

    def __init__(self, input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False, *,
                 dtype=np.float32, rng=None):
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dtype=dtype, rng=rng)
        self.nonlinearity = _known(nonlinearity)
        self._options = {"nonlinearity": nonlinearity}


class LSTM(_Layers):
    """Long short-term memory over a sequence (deck D; Hochreiter and Schmidhuber, 1997); equations in `nnlib.lstm`.

    Args: as for `RNN`.   Parameters: as for `RNN`, with 4 blocks of hidden_size rows for the gates i, f, g, o.
    Call: `output, (h_n, c_n) = lstm(x, (h_0, c_0))`, shapes as for `RNN`.
    """

    _operation, _states, _blocks = staticmethod(lstm), ("h_0", "c_0"), 4


class GRU(_Layers):
    """The gated recurrent unit over a sequence (deck D; Cho et al., 2014); equations in `nnlib.gru`.

    Args: as for `RNN`.   Parameters: as for `RNN`, with 3 blocks of hidden_size rows for the gates r, z, n.
    Call: `output, h_n = gru(x, h_0)`, shapes as for `RNN`.
    """

    _operation, _blocks = staticmethod(gru), 3


class RNNCell(_Cell):
    """One step of the plain recurrent network: `h = cell(x, h)`; x is (batch, inputs), h (batch, hidden).

    Args: as for `RNN`, without layers.   Parameters: weight_ih, weight_hh, bias_ih, bias_hh.
    A state that is left out is zero. Raises ShapeError for other shapes.
    """

    _operation = staticmethod(rnn)

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", *, dtype=np.float32, rng=None):
        super().__init__(input_size, hidden_size, bias, dtype=dtype, rng=rng)
        self.nonlinearity = _known(nonlinearity)
        self._options = {"nonlinearity": nonlinearity}


class LSTMCell(_Cell):
    """One step of the LSTM: `h, c = cell(x, (h, c))`; x is (batch, inputs), h and c are (batch, hidden).

    Args: as for `LSTM`, without layers.   Parameters: weight_ih, weight_hh, bias_ih, bias_hh.
    """

    _operation, _states, _blocks = staticmethod(lstm), ("h_0", "c_0"), 4

    def gates(self, x, state=None):
        """The gates of that step as a dict of tensors (batch, hidden): c' = f c + i g, and h' = o tanh(c')."""
        by_input, by_state = self._scores(x, state)
        i, f, g, o = (a + b for a, b in zip(by_input, by_state))
        return {"i": sigmoid(i), "f": sigmoid(f), "g": tanh(g), "o": sigmoid(o)}


class GRUCell(_Cell):
    """One step of the GRU: `h = cell(x, h)`; x is (batch, inputs), h (batch, hidden).

    Args: as for `GRU`, without layers.   Parameters: weight_ih, weight_hh, bias_ih, bias_hh.
    """

    _operation, _blocks = staticmethod(gru), 3

    def gates(self, x, state=None):
        """The gates of that step as a dict of tensors (batch, hidden): h' = (1 - z) n + z h."""
        (r_x, z_x, n_x), (r_h, z_h, n_h) = self._scores(x, state)
        r = sigmoid(r_x + r_h)
        return {"r": r, "z": sigmoid(z_x + z_h), "n": tanh(n_x + r * n_h)}


def _known(nonlinearity):
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"RNN: expected the nonlinearity 'tanh' or 'relu' but got {nonlinearity!r}")
    return nonlinearity
