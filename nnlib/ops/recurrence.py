"""Recurrent networks over a whole sequence: the loop over time, and backpropagation through time beside it.

Each of them could be written in single operations on tensors, with the same gradients; as one operation, with one loop
forward and one loop back, it is many times faster. Inside, an example is a column: the state is (hidden, batch), and
the gates of a step stand one below the other, each in a contiguous block of memory. The gradients of their scores are
laid out as (gates * hidden, steps * batch), so that the gradient of each weight is one product over all steps.
"""

import numpy as np

from nnlib.autograd import primitive
from nnlib.errors import ShapeError
from nnlib.ops.products import as_rows

__all__ = ["gru", "lstm", "rnn"]


def _sizes(name, gates, x, starts, weight_ih, weight_hh, *biases):
    """Steps, batch and hidden size, once all shapes are found to fit."""
    shapes = [np.shape(array) for array in (x, *starts, weight_ih, weight_hh)]
    if len(shapes[0]) == 3 and len(shapes[-1]) == 2:
        (steps, batch, inputs), (_, size) = shapes[0], shapes[-1]
        wanted = [shapes[0], *[(batch, size)] * len(starts), (gates * size, inputs), (gates * size, size)]
        if shapes == wanted and all(bias is None or np.shape(bias) == (gates * size,) for bias in biases):
            return steps, batch, size
    times = f"{gates} " if gates > 1 else ""
    raise ShapeError(f"{name}: expected x (steps, batch, inputs), states (batch, hidden), weights ({times}hidden, "
                     f"inputs) and ({times}hidden, hidden), biases ({times}hidden,) or None, but got "
                     f"{', '.join(map(str, shapes))} and {', '.join(str(np.shape(b)) for b in biases)}")


def _from_inputs(x, weight, *biases):
    """W x + b of all steps at once: (steps, batch, inputs) becomes (steps, rows of W, batch)."""
    z = weight @ x.swapaxes(1, 2)
    biases = [bias for bias in biases if bias is not None]
    if biases:
        z += np.sum(biases, axis=0)[:, None]
    return z


def _sigmoid(z):
    """`nnlib.sigmoid` in place, as (1 + tanh(z / 2)) / 2: most of an LSTM's time would go into new arrays."""
    z *= 0.5
    np.tanh(z, out=z)
    z += 1
    z *= 0.5


@primitive
def rnn(x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, nonlinearity="tanh"):
    """The plain recurrent network, h_t = squash(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh) (deck D; Elman, 1990).

    Args:
        x: (steps, batch, inputs).   h0: the state before the first step, (batch, hidden).
        weight_ih: (hidden, inputs).   weight_hh: (hidden, hidden).   bias_ih, bias_hh: (hidden,), or None.
        nonlinearity: the squash, "tanh" or "relu".
    Returns the states after every step, (steps, batch, hidden). Raises ShapeError for shapes that do not fit.
    Derivative: every step back multiplies by W_hh^T and the slope of the squash; over many it vanishes or explodes.
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn: expected the nonlinearity 'tanh' or 'relu' but got {nonlinearity!r}")
    steps, batch, _ = _sizes("rnn", 1, x, [h0], weight_ih, weight_hh, bias_ih, bias_hh)
    h = np.concatenate([h0.T[None], _from_inputs(x, weight_ih, bias_ih, bias_hh)])
    for t in range(steps):
        z = h[t + 1]
        z += weight_hh @ h[t]
        if nonlinearity == "tanh":
            np.tanh(z, out=z)
        else:
            np.maximum(z, 0, out=z)

    def vjp(g):
        columns = np.empty((len(weight_hh), steps * batch), h.dtype)
        dh = np.zeros_like(h[0])
        for t in reversed(range(steps)):
            dz = columns[:, t * batch:(t + 1) * batch]
            dh += g[t].T
            np.multiply(dh, 1 - h[t + 1] * h[t + 1] if nonlinearity == "tanh" else h[t + 1] > 0, out=dz)
            dh = weight_hh.T @ dz
        db = columns.sum(axis=1)
        return (lambda: (columns.T @ weight_ih).reshape(x.shape), dh.T,
                columns @ as_rows(x), columns @ as_rows(h[:-1].swapaxes(1, 2)), db, db)

    return h[1:].swapaxes(1, 2), vjp


@primitive
def lstm(x, h0, c0, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """Long short-term memory (deck D; Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000).

        i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of the four blocks of W_ih x_t + b_ih + W_hh h_(t-1) + b_hh
        c_t = f c_(t-1) + i g        h_t = o tanh(c_t)

    Args:
        x: (steps, batch, inputs).   h0, c0: the states before the first step, (batch, hidden) each.
        weight_ih: (4 hidden, inputs).   weight_hh: (4 hidden, hidden).   bias_ih, bias_hh: (4 hidden,), or None.
    Returns the states h and c after every step as one array, (2, steps, batch, hidden).
    Raises ShapeError for shapes that do not fit.
    Derivative: along c, a step back multiplies by f alone: a forget gate near 1 lets the gradient pass.
    """
    steps, batch, size = _sizes("lstm", 4, x, [h0, c0], weight_ih, weight_hh, bias_ih, bias_hh)
    scores = _from_inputs(x, weight_ih, bias_ih, bias_hh)
    gates = scores.reshape(steps, 4, size, batch)  # the same memory
    states = np.empty((2, steps + 1, size, batch), gates.dtype)
    h, c = states
    h[0], c[0] = h0.T, c0.T
    for t in range(steps):
        scores[t] += weight_hh @ h[t]
        i, f, g, o = gates[t]
        _sigmoid(gates[t, :2])
        np.tanh(g, out=g)
        _sigmoid(o)
        np.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += i * g
        np.multiply(o, np.tanh(c[t + 1]), out=h[t + 1])

    def vjp(upstream):
        columns = np.empty((4 * size, steps * batch), gates.dtype)
        dh, dc = np.zeros_like(states[:, 0])
        for t in reversed(range(steps)):
            dz = columns[:, t * batch:(t + 1) * batch]
            (i, f, g, o), (di, df, dg, do) = gates[t], dz.reshape(4, size, batch)
            squashed = np.tanh(c[t + 1])
            dh += upstream[0, t].T
            dc += upstream[1, t].T
            dc += dh * o * (1 - squashed * squashed)
            np.multiply(dc * g, i * (1 - i), out=di)
            np.multiply(dc * c[t], f * (1 - f), out=df)
            np.multiply(dc * i, 1 - g * g, out=dg)
            np.multiply(dh * squashed, o * (1 - o), out=do)
            dh = weight_hh.T @ dz
            dc *= f
        db = columns.sum(axis=1)
        return (lambda: (columns.T @ weight_ih).reshape(x.shape), dh.T, dc.T,
                columns @ as_rows(x), columns @ as_rows(h[:-1].swapaxes(1, 2)), db, db)

    return states[:, 1:].swapaxes(2, 3), vjp


@primitive
def gru(x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """The gated recurrent unit (deck D; Cho et al., 2014), in the form of PyTorch: r acts after the product with W_hn.

        r, z = sigmoid of the first two blocks of W_ih x_t + b_ih + W_hh h_(t-1) + b_hh
        n = tanh(W_in x_t + b_in + r (W_hn h_(t-1) + b_hn))        h_t = (1 - z) n + z h_(t-1)

    Args:
        x: (steps, batch, inputs).   h0: the state before the first step, (batch, hidden).
        weight_ih: (3 hidden, inputs).   weight_hh: (3 hidden, hidden).   bias_ih, bias_hh: (3 hidden,), or None.
    Returns the states after every step, (steps, batch, hidden). Raises ShapeError for shapes that do not fit.
    Derivative: where z is near 1 the state, and with it the gradient, passes a step unchanged.
    """
    steps, batch, size = _sizes("gru", 3, x, [h0], weight_ih, weight_hh, bias_ih, bias_hh)
    gates = _from_inputs(x, weight_ih, bias_ih).reshape(steps, 3, size, batch)
    recalled = np.empty((steps, size, batch), gates.dtype)  # W_hn h + b_hn, which r lets in
    h = np.empty((steps + 1, size, batch), gates.dtype)
    h[0] = h0.T
    for t in range(steps):
        from_state = weight_hh @ h[t]
        if bias_hh is not None:
            from_state += np.asarray(bias_hh)[:, None]
        from_state = from_state.reshape(3, size, batch)
        recalled[t] = from_state[2]
        r, z, n = gates[t]
        gates[t, :2] += from_state[:2]
        _sigmoid(gates[t, :2])
        n += r * recalled[t]
        np.tanh(n, out=n)
        np.add(n, z * (h[t] - n), out=h[t + 1])

    def vjp(g):
        by_input, by_state = np.empty((2, 3 * size, steps * batch), gates.dtype)  # they differ by the factor r at n
        dh = np.zeros_like(h[0])
        for t in reversed(range(steps)):
            now = slice(t * batch, (t + 1) * batch)
            (r, z, n), (dr, dz, dn) = gates[t], by_input[:, now].reshape(3, size, batch)
            dh += g[t].T
            np.multiply(dh * (1 - z), 1 - n * n, out=dn)
            np.multiply(dh * (h[t] - n), z * (1 - z), out=dz)
            np.multiply(dn * recalled[t], r * (1 - r), out=dr)
            by_state[:, now] = by_input[:, now]
            by_state[2 * size:, now] *= r
            dh *= z
            dh += weight_hh.T @ by_state[:, now]
        return (lambda: (by_input.T @ weight_ih).reshape(x.shape), dh.T, by_input @ as_rows(x),
                by_state @ as_rows(h[:-1].swapaxes(1, 2)), by_input.sum(axis=1), by_state.sum(axis=1))

    return h[1:].swapaxes(1, 2), vjp
