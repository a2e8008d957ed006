"""RecurrenceExplorer: a recurrent network step by step, and how much of the gradient is left after many steps back."""

import inspect
from dataclasses import dataclass

import numpy as np
from matplotlib.patches import FancyBboxPatch

from nnlib import ops, plots
from nnlib.autograd import Tensor
from nnlib.widgets.base import Explorer, LearnerError, Player, choice, data_of, learners, learners_array, slider
from nnlib.widgets.images import APART, short

HIDDEN, LONGEST, WIDEST, STRONGEST, DRAWS = 8, 60, 2.0, 6.0, 10
BLOCKS = {"RNN": 1, "LSTM": 4, "GRU": 3}  # blocks of rows in the weights, one for each gate
GATED = {"RNN": None, "LSTM": "forget gate", "GRU": "update gate"}  # what the slider of the gate's bias moves
STATES = {"RNN": ("h",), "LSTM": ("h", "c"), "GRU": ("h",)}
TABLES = {"RNN": ("h before", "W x + b", "W h", "h"), "LSTM": ("c before", "i", "f", "g", "o", "c", "h"),
          "GRU": ("h before", "r", "z", "n", "h")}
GATES = {"RNN": (), "LSTM": ("i", "f", "o"), "GRU": ("r", "z")}
RULES = {"RNN": "h = tanh(W x + b + W h)", "LSTM": "c = f c + i g,  h = o tanh(c)", "GRU": "h = (1 − z) n + z h"}
LOOKS = {"RNN": (plots.VERMILION, "-"), "LSTM": (plots.PURPLE, "--"), "GRU": (plots.INK, "-.")}
LETTERS = "abcd"
SEQUENCES, OWN = ("noise", "impulse", "wave", "constant", "letters"), "yours"
BOXES = 7  # of the unrolled network, that are in the picture
GRAIN, STRIP = 100, slice(39, 61)  # columns of pixels from box to box, and those that show the state
SPANS = 10, 20, 40, LONGEST  # where the axis of lags may end
LOWEST, HIGHEST = 1e-12, 1e7  # of the axis of gradients
NUDGE = 1e-5  # for the gradient of a learner's own step, by central differences
SMALL = 1e-8  # below which such a gradient is not measured


@dataclass(frozen=True)
class LagGoal:
    """A gradient at this lag from `low` to `high` times that at lag 0, in all of DRAWS draws of the weights.

    sequence: the inputs on which it counts.   cell: the only cell that counts, or None.
    """

    lag: int = 40
    low: float = 0.1
    high: float = 10.0
    sequence: str = "noise"
    cell: str | None = None

    def __str__(self):
        who = f"the {self.cell}'s" if self.cell else "the"
        return (f"keep {who} gradient at lag {self.lag} from {self.low:g} to {self.high:g} times that at lag 0, in all "
                f"of {DRAWS} draws of the weights, with the inputs “{self.sequence}”")

    def judge(self, cell, sequence, curves):
        """Whether it is reached, and in words how far it is.   curves: (draws, lags), relative to lag 0."""
        if self.cell and cell != self.cell:
            return False, f"It counts for the {self.cell}."
        if sequence != self.sequence:
            return False, f"It counts with the inputs “{self.sequence}”."
        if curves.shape[1] <= self.lag:
            return False, f"It takes {self.lag + 1} steps or more; there are {curves.shape[1]}."
        there = curves[:, self.lag]
        good = int(((there >= self.low) & (there <= self.high)).sum())
        return good == len(there), (f"{cell}: {good} of {len(there)} draws do it; they go from {_brief(there.min())} "
                                    f"to {_brief(there.max())}.")


GOAL = LagGoal()


def sequence_of(name, length, seed=0):
    """A sequence of inputs by its name: (length, inputs), one input for each step, four (one-hot) for "letters"."""
    rng = np.random.default_rng([seed, 7])
    if name == "letters":
        return np.eye(len(LETTERS))[rng.integers(len(LETTERS), size=LONGEST)[:length]]
    time = np.arange(LONGEST)
    x = {"noise": lambda: 0.6 * rng.normal(size=LONGEST), "impulse": lambda: (time == 0).astype(float),
         "wave": lambda: np.sin(time / 3), "constant": lambda: np.full(LONGEST, 0.5)}[name]()
    return x[:length, None]


def network_of(cell, radius=1.0, gate_bias=0.0, seed=0, inputs=1):
    """The weights of a cell of HIDDEN units: (W_ih, W_hh, b_ih, b_hh), stacked as in `nnlib.ops`.

    Every block of W_hh is `radius` times a random orthogonal matrix: its spectral radius, and each of its singular
    values, is `radius`. W_ih is normal with deviation 0.5. Biases are 0, but that of the forget or update gate.
    """
    rng, blocks = np.random.default_rng([seed, BLOCKS[cell]]), BLOCKS[cell]
    W_hh = np.concatenate([np.linalg.qr(rng.normal(size=(HIDDEN, HIDDEN)))[0] for _ in range(blocks)])
    W_ih = 0.5 * rng.normal(size=(blocks * HIDDEN, inputs))
    b_ih = np.zeros(blocks * HIDDEN)
    if cell != "RNN":
        b_ih[HIDDEN:2 * HIDDEN] = gate_bias
    return W_ih, radius * W_hh, b_ih, np.zeros_like(b_ih)


def _blocks(x, h, W_ih, W_hh, b_ih, b_hh):
    """What comes from the inputs and what from the state, in blocks of (batch, hidden)."""
    n = len(W_ih) // h.shape[-1]
    return np.split(x @ W_ih.T + b_ih, n, axis=-1), np.split(h @ W_hh.T + b_hh, n, axis=-1)


def step_of(cell, x, states, weights):
    """One step, with everything that happens in it: a dict from name to (batch, hidden).

    Args: x: (batch, inputs).   states: (h,), or (h, c) for the LSTM, each (batch, hidden).   weights: of `network_of`.
    Names are those of TABLES; "h" and "c" are the states after the step.
    """
    h = states[0]
    by_input, by_state = _blocks(x, h, *weights)
    if cell == "RNN":
        return {"h before": h, "W x + b": by_input[0], "W h": by_state[0], "h": np.tanh(by_input[0] + by_state[0])}
    if cell == "GRU":
        r, z = (ops.sigmoid(a + b) for a, b in zip(by_input[:2], by_state[:2]))
        n = np.tanh(by_input[2] + r * by_state[2])
        return {"h before": h, "r": r, "z": z, "n": n, "h": (1 - z) * n + z * h}
    i, f, g, o = (a + b for a, b in zip(by_input, by_state))
    i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), np.tanh(g), ops.sigmoid(o)
    c = f * states[1] + i * g
    return {"c before": states[1], "i": i, "f": f, "g": g, "o": o, "c": c, "h": o * np.tanh(c)}


def run(cell, x, weights, step=None):
    """Everything that happens along a sequence: a dict from name to (steps, hidden).

    Args: x: (steps, inputs).   step: a learner's, as `learners_step` makes it; then h and c are its states, and gates
        those of the right cell in these states.
    """
    states, rows = tuple(np.zeros((1, HIDDEN)) for _ in STATES[cell]), []
    for value in x[:, None]:
        row = step_of(cell, value, states, weights)
        if step is not None:
            row |= dict(zip(STATES[cell], step(value, states, weights)))
        states = tuple(row[name] for name in STATES[cell])
        rows.append(row)
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def lag_gradient(cell, x, weights, step=None):
    """The size of the gradient of the last state h with respect to the input so many steps before: (steps,).

    Args: as of `run`. It is the norm of the Jacobian (hidden, inputs); lag 0 is the last input. A learner's own step
        is measured by central differences, and what is below SMALL times that of lag 0 is NaN.
    """
    return lag_gradients(cell, [x], [weights])[0] if step is None else _measured(cell, x, weights, step)


def lag_gradients(cell, sequences, draws):
    """`lag_gradient` of several sequences with weights of their own at once: (draws, steps).

    They are run as one network whose weights are zero between the draws, in one batch with an example for each unit of
    the last state.
    """
    n, (steps, inputs) = len(draws), sequences[0].shape
    blocks, all_units = BLOCKS[cell], len(draws) * HIDDEN

    def joined(matrices, columns):
        whole = np.zeros((blocks, n, HIDDEN, n, columns))
        for d, matrix in enumerate(matrices):
            whole[:, d, :, d] = matrix.reshape(blocks, HIDDEN, columns)
        return whole.reshape(blocks * all_units, n * columns)

    W_ih, W_hh = joined([w[0] for w in draws], inputs), joined([w[1] for w in draws], HIDDEN)
    biases = [np.stack([w[k].reshape(blocks, HIDDEN) for w in draws], axis=1).ravel() for k in (2, 3)]
    together = np.concatenate(sequences, axis=1)
    x = Tensor(np.repeat(together[:, None], HIDDEN, axis=1), requires_grad=True)
    start = [np.zeros((HIDDEN, all_units))] * len(STATES[cell])
    states = {"RNN": ops.rnn, "LSTM": ops.lstm, "GRU": ops.gru}[cell](x, *start, W_ih, W_hh, *biases)
    last = (states[0] if cell == "LSTM" else states)[-1]
    (last * np.tile(np.eye(HIDDEN), (1, n))).sum().backward()
    slopes = x.grad.reshape(steps, HIDDEN, n, inputs)
    return np.sqrt((slopes ** 2).sum(axis=(1, 3)))[::-1].T


def _measured(cell, x, weights, step):
    steps, inputs = x.shape
    nudges = NUDGE * np.eye(steps * inputs).reshape(-1, steps, inputs)
    batch = np.concatenate([x + nudges, x - nudges])
    states = tuple(np.zeros((len(batch), HIDDEN)) for _ in STATES[cell])
    for t in range(steps):
        states = step(batch[:, t], states, weights)
    ahead, back = np.split(states[0], 2)
    slopes = (ahead - back) / (2 * NUDGE)
    sizes = np.sqrt((slopes.reshape(steps, -1) ** 2).sum(axis=1))[::-1]
    return np.where(sizes > SMALL * sizes[0], sizes, np.nan)


def relative(sizes):
    """Gradients (steps,) in units of that at lag 0; zeros where that is 0."""
    return sizes / sizes[0] if sizes[0] > 0 else np.zeros_like(sizes)


def learners_step(function, cell):
    """A learner's step as a function (x, states, weights) -> states, checked.

    RNN and GRU: function(x, h, W_ih, W_hh, b_ih, b_hh) -> h; LSTM: function(x, h, c, ...) -> (h, c). A function with
    one bias parameter gets b_ih alone.
    """
    name = f"{cell.lower()}_step"
    if not callable(function):
        raise ValueError(f"RecurrenceExplorer: expected {name} to be a function but got {type(function).__name__}")
    parameters = inspect.signature(function).parameters.values()
    open_ended = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    takes, full = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters), 5 + len(STATES[cell])
    both = open_ended or takes >= full
    guarded = learners(function, name)

    def step(x, states, weights):
        if not both and takes != full - 1:
            asked = f"{name}(x, {', '.join(STATES[cell])}, W_ih, W_hh, b_ih, b_hh)"
            raise LearnerError(f"{name} takes {takes} arguments; it is called as {asked}, or with one bias")
        result = guarded(x.copy(), *(s.copy() for s in states), *(w.copy() for w in weights[:4 if both else 3]))
        return _states(result, cell, name, (len(x), HIDDEN))
    step.both = both
    return step


def _states(result, cell, name, shape):
    """What a learner's step returned, as a tuple of states; a LearnerError that says what is wrong with it."""
    if cell == "LSTM":
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            got = "None; is there a return at its end?" if result is None else f"{type(result).__name__}"
            raise LearnerError(f"{name}: expected the pair (h, c) but got {got}")
    elif isinstance(result, (tuple, list)) and len(result) == 1:
        result = result[0]
    parts = result if cell == "LSTM" else (result,)
    checked = []
    for part, state in zip(parts, STATES[cell]):
        value = data_of(part)
        got = np.shape(value)
        rows, wide = (BLOCKS[cell] * HIDDEN,) * 2
        hint = {shape[::-1]: "; examples are rows, so it is X @ W.T",
                (HIDDEN,): "; keep the batch axis: x is (batch, inputs)",
                (shape[0], wide): "; split the scores into one block for each gate",
                (rows, shape[0]): "; examples are rows, so it is X @ W.T"}.get(got, "") if got != shape else ""
        if value is not None and got != shape and hint:
            raise LearnerError(f"{name}: expected {state} of shape {shape} but got {got}{hint}")
        checked.append(learners_array(value, shape, f"{name}, {state}" if cell == "LSTM" else name))
    return tuple(checked)


def step_fault(step, cell, inputs=1):
    """What is wrong with a learner's checked step, as a sentence; empty if nothing is. Tried where nothing hides."""
    rng = np.random.default_rng(3)
    rows = BLOCKS[cell] * HIDDEN
    W_ih, W_hh = rng.normal(size=(rows, inputs)), 0.5 * rng.normal(size=(rows, HIDDEN))
    b_ih, b_hh = rng.normal(size=rows), rng.normal(size=rows) * step.both
    x, states = rng.normal(size=(5, inputs)), tuple(rng.normal(size=(5, HIDDEN)) for _ in STATES[cell])
    weights = W_ih, W_hh, b_ih, b_hh
    got = step(x, states, weights)

    def right(x=x, states=states, weights=weights):
        made = step_of(cell, x, states, weights)
        return tuple(made[name] for name in STATES[cell])

    def same(wanted):
        return all(np.allclose(a, b, rtol=0, atol=1e-5) for a, b in zip(got, wanted))

    if same(right()):
        return ""
    zero, everything = np.zeros, step_of(cell, x, states, weights)
    slips = [(right(weights=(W_ih, 0 * W_hh, b_ih, b_hh)), "the state before does not enter; W_hh h is missing"),
             (right(x=0 * x), "the input does not enter; W_ih x is missing"),
             (right(weights=(W_ih, W_hh, zero(rows), zero(rows))), "the biases are missing"),
             (right(weights=(W_ih, W_hh, b_ih, zero(rows))), "b_hh is missing"),
             (right(weights=(W_ih, W_hh, zero(rows), b_hh)), "b_ih is missing")]
    slips += {"RNN": _rnn_slips, "LSTM": _lstm_slips, "GRU": _gru_slips}[cell](x, states, weights, everything, right)
    for wanted, words in slips:
        if same(wanted):
            return f"Your {cell.lower()}_step: {words}."
    for name, mine, wanted in zip(STATES[cell], got, right()):
        row, unit = np.unravel_index(np.abs(mine - wanted).argmax(), mine.shape)
        if abs(mine[row, unit] - wanted[row, unit]) > 1e-5:
            return (f"Your {cell.lower()}_step: on random numbers {name} of a unit comes out as {mine[row, unit]:.4f} "
                    f"where it is {wanted[row, unit]:.4f}.")
    return ""


def _rnn_slips(x, states, weights, made, right):
    W_ih, W_hh, b_ih, b_hh = weights
    z = made["W x + b"] + made["W h"]
    return [(right(weights=(W_ih, W_hh.T, b_ih, b_hh)), "W_hh is transposed; it is h @ W_hh.T"),
            ((z,), "the tanh is missing"), ((ops.sigmoid(z),), "a sigmoid stands where the tanh should be"),
            ((np.maximum(z, 0),), "a ReLU stands where the tanh should be"),
            ((made["h"] + states[0],), "it adds the state before once more; W_hh h is all that enters")]


def _lstm_slips(x, states, weights, made, right):
    i, f, g, o, c, h = (made[name] for name in ("i", "f", "g", "o", "c", "h"))

    def ordered(order):
        pick = np.concatenate([np.arange(HIDDEN) + HIDDEN * order.index(gate) for gate in "ifgo"])
        return right(weights=tuple(w[pick] for w in weights))

    orders = [(ordered(order), f"the blocks stand in the order i, f, g, o; yours reads {', '.join(order)}")
              for order in ("figo", "ifog", "iogf", "fiog", "ofgi", "oifg", "gifo", "iofg")]
    old, kept = states[1], f * states[1]
    return orders + [((c, h), "it returns (c, h); the order is (h, c)"), ((o * c, c), "the tanh is missing in h"),
                     ((o * np.tanh(old), c), "h is made of the old c; it is o tanh(new c)"),
                     ((o * np.tanh(kept), kept), "c forgets what is new: i g is missing"),
                     ((o * np.tanh(old + i * g), old + i * g), "the forget gate is missing"),
                     ((np.tanh(c), c), "the output gate is missing"),
                     ((o * np.tanh(kept + g), kept + g), "the input gate is missing")]


def _gru_slips(x, states, weights, made, right):
    by_input, by_state = _blocks(x, states[0], *weights)
    r, z, n, h = made["r"], made["z"], made["n"], states[0]
    W_hh, b_hh = weights[1], weights[3]
    before = np.tanh(by_input[2] + (r * h) @ W_hh[2 * HIDDEN:].T + b_hh[2 * HIDDEN:])
    swapped = np.tanh(by_input[2] + z * by_state[2])
    return [((z * n + (1 - z) * h,), "z and 1 − z are exchanged: here z near 1 keeps the state"),
            (((1 - z) * before + z * h,), "r multiplies the state before W_hh; here, as in PyTorch, it multiplies "
             "W_hh h + b_hh"),
            (((1 - r) * swapped + r * h,), "the blocks stand in the order r, z, n; yours reads z, r, n"),
            (((1 - z) * np.tanh(by_input[2] + by_state[2]) + z * h,), "the reset gate r is missing"),
            ((n,), "the update gate z is missing"),
            (((1 - z) * (by_input[2] + r * by_state[2]) + z * h,), "the tanh of n is missing")]


class RecurrenceExplorer(Explorer):
    """Walk through a recurrent network step by step, and see how much gradient is left after many steps back.

    Args:
        cell: "RNN", "LSTM" or "GRU"; 8 units.   length: 2 to 60 steps.   radius: of the recurrent weights, 0 to 2.
        gate_bias: of the forget gate (LSTM) or update gate (GRU), -6 to 6.
        sequence: "noise", "impulse", "wave", "constant", "letters", or an array (steps,) or (steps, inputs), which is
            repeated where it is too short.
        step: your own step for `cell`, or {cell: function}; see `learners_step` for what it is given.
        seed: of the first draw of the weights and of the noise, 0 to 20.   goal: a `LagGoal`, or None.
    Raises ValueError for names that are not known and numbers out of range.
    Source: deck D; Bengio, Simard and Frasconi (1994), Hochreiter and Schmidhuber (1997), Cho et al. (2014).
    """

    def __init__(self, cell="RNN", *, length=50, radius=1.0, gate_bias=0.0, sequence="noise", step=None, seed=0,
                 goal=GOAL):
        if cell not in BLOCKS or isinstance(sequence, str) and sequence not in SEQUENCES:
            raise ValueError(f"RecurrenceExplorer: expected a cell of {', '.join(BLOCKS)} and a sequence of "
                             f"{', '.join(SEQUENCES)}, or an array, but got {cell!r} and {sequence!r}")
        if not (2 <= length <= LONGEST and 0 <= radius <= WIDEST and abs(gate_bias) <= STRONGEST
                and seed in range(21)):
            raise ValueError(f"RecurrenceExplorer: expected 2 to {LONGEST} steps, a radius of 0 to {WIDEST:g}, a bias "
                             f"of {-STRONGEST:g} to {STRONGEST:g} and a seed of 0 to 20 but got {length}, {radius}, "
                             f"{gate_bias} and {seed}")
        self.given = None if isinstance(sequence, str) else self._own_sequence(sequence)
        own = {cell: step} if step is not None and not isinstance(step, dict) else step or {}
        if not set(own) <= set(BLOCKS):
            raise ValueError(f"RecurrenceExplorer: expected steps for {', '.join(BLOCKS)} but got {', '.join(own)}")
        self.own = {name: learners_step(function, name) for name, function in own.items()}
        self.goal, self._kept, self._faults, self._frame = goal, {}, {}, None
        self._make_controls(cell, length, radius, gate_bias, OWN if self.given is not None else sequence, seed)
        figure = self._draw()
        self.assemble(figure, [[self.cell, self.sequence], [self.radius, self.bias], [self.length, self.seed],
                               [self.t, self.player]], self._artists, goal=str(goal) if goal else None)

    @staticmethod
    def _own_sequence(sequence):
        try:
            x = np.array(sequence, dtype=float)
        except (TypeError, ValueError):
            x = np.zeros(0)
        x = x[:, None] if x.ndim == 1 else x
        if x.ndim != 2 or not 1 <= len(x) <= LONGEST or not 1 <= x.shape[1] <= 8 or not np.isfinite(x).all():
            raise ValueError(f"RecurrenceExplorer: expected a sequence of 1 to {LONGEST} steps of finite numbers, "
                             f"shape (steps,) or (steps, 1 to 8 inputs), but got shape {np.shape(sequence)}")
        return x

    def _make_controls(self, cell, length, radius, gate_bias, sequence, seed):
        self.cell = choice("cell", list(BLOCKS), cell, tooltip="what happens in a step: plain, with four gates, or "
                                                               "with three")
        names = [*SEQUENCES, *([OWN] if self.given is not None else [])]
        self.sequence = choice("inputs", names, sequence, tooltip="the sequence that the network reads")
        self.radius = slider("radius", 0.0, WIDEST, float(radius), step=0.05, unit="of W_hh",
                             tooltip="spectral radius of W_hh: every block is so many times an orthogonal matrix")
        self.bias = slider("gate bias", -STRONGEST, STRONGEST, float(gate_bias), step=0.25,
                           tooltip="bias of the LSTM's forget gate f and of the GRU's update gate z, which keep the "
                                   "state where they are near 1")
        self.length = slider("length", 2, LONGEST, int(length), unit="steps", tooltip="how long the sequence is")
        self.seed = slider("draw", 0, 20, int(seed), unit="seed", tooltip="another number draws other weights and "
                                                                          "other noise")
        self.t = slider("step shown", 1, int(length), int(length), unit="t",
                        tooltip="the step whose box is framed; what comes later is not yet drawn")
        self.player = Player(self._advance, self._rewind, interval=0.15)
        for control in (self.cell, self.sequence):
            control.layout.margin = APART

    def _advance(self):
        if self.t.value < self.length.value:
            self.t.value += 1
        return self.t.value < self.length.value

    def _rewind(self):
        self.t.value = 1

    def _changed(self, change):
        if change["owner"] is not self.t:
            self.player.pause()
        super()._changed(change)

    def _let_reach(self, length):
        """Let the slider of the step reach the end; where it was at the end it stays there."""
        if self.t.max != length:
            with self.setting_controls():
                at_end = self.t.value == self.t.max
                self.t.max = length
                self.t.value = length if at_end else min(self.t.value, length)

    # The picture

    def _draw(self):
        figure, first = plots.subplots(width=10.2, height=6.3)
        first.remove()
        upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.9))
        self.chain = upper.subplots()
        self.heat_ax, self.table_ax, self.lag_ax = lower.subplots(1, 3, gridspec_kw={"width_ratios": (1.05, 1.15, 1.2)})
        self._draw_chain()
        self._draw_heat()
        self._draw_table()
        self._draw_lags()
        self._artists = [self.strips, *self.names, *self.inputs, *self.left, self.now, self.heat, self.cursor,
                         self.table, *self.numbers, self.table_title, *self.others, *self.curves.values(), self.dot,
                         self.lag_note]
        return figure

    def _draw_chain(self):
        ax = self.chain
        ax.set(xlim=(-0.75, BOXES - 0.25), ylim=(-1.62, 0.95), xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(False)
        self.parts, self.names, self.inputs, self.left = [], [], [], []
        self.strips = ax.imshow(np.zeros((HIDDEN, BOXES * GRAIN)), cmap=plots.DIVERGING, vmin=-1, vmax=1, aspect="auto",
                                interpolation="nearest", extent=(-0.5, BOXES - 0.5, -0.48, 0.48), zorder=2)
        arrow = {"arrowstyle": "-|>", "color": plots.GRAY, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
        for k in range(BOXES):
            box = ax.add_patch(FancyBboxPatch((k - 0.25, -0.55), 0.5, 1.1, boxstyle="round,pad=0,rounding_size=0.08",
                                              facecolor="white", edgecolor=plots.GRAY))
            ahead = ax.annotate("", (k - 0.26, 0), (k - 0.74, 0), arrowprops=arrow)
            up = ax.annotate("", (k, -0.57), (k, -0.85), arrowprops=arrow)
            self.parts.append((box, ahead, up))
            self.names.append(ax.text(k, 0.62, "", ha="center", va="bottom", fontsize=9.5))
            self.inputs.append(ax.text(k, -0.9, "", ha="center", va="top", fontsize=9.5))
            self.left.append(ax.text(k, -1.27, "", ha="center", va="top", fontsize=9.5, color=plots.GRAY))
        self.now = ax.add_patch(FancyBboxPatch((-0.3, -0.6), 0.6, 1.2, boxstyle="round,pad=0,rounding_size=0.1",
                                               fill=False, edgecolor=plots.VERMILION, linewidth=2.5))
        for y, text in ((0.62, "state"), (-0.9, "input"), (-1.27, "gradient")):
            ax.text(-0.75, y, text, ha="left", va="bottom" if y > 0 else "top", fontsize=9.5, color=plots.GRAY)
        ax.set_title("unrolled: one box for each step")

    def _draw_heat(self):
        self.heat = self.heat_ax.imshow(np.zeros((2, 2)), cmap=plots.DIVERGING.with_extremes(bad="white"), vmin=-1,
                                        vmax=1, aspect="auto", interpolation="nearest")
        self.cursor = self.heat_ax.axvline(1, color=plots.VERMILION, linewidth=1.5)
        self.heat_ax.set(xlabel="step t", title="through time", yticks=[0.5], yticklabels=["mean z"])  # for the layout
        self.heat_ax.grid(False)
        self.heat_ax.tick_params("y", length=0)

    def _draw_table(self):
        ax, most = self.table_ax, max(map(len, TABLES.values()))
        self.table = ax.imshow(np.zeros((HIDDEN, most)), cmap=plots.DIVERGING, vmin=-1, vmax=1, aspect="auto",
                               interpolation="nearest")
        self.numbers = [ax.text(0, 0, "", ha="center", va="center") for _ in range(HIDDEN * most)]
        ax.set(yticks=range(HIDDEN), ylabel="unit")
        ax.grid(False)
        ax.tick_params(length=0)
        ax.xaxis.tick_top()
        ax.spines[:].set_visible(False)
        ax.set_xticks([0], ["h\nbefore"])  # for the layout
        self.table_title = ax.text(0, -0.04, "", transform=ax.transAxes, va="top", fontsize=9.5)

    def _draw_lags(self):
        ax = self.lag_ax
        self.others = [ax.plot([], [], linewidth=1, alpha=0.4)[0] for _ in range(DRAWS - 1)]
        self.curves = {name: ax.plot([], [], color=color, linestyle=style, label=name)[0]
                       for name, (color, style) in LOOKS.items()}
        self.dot, = ax.plot([], [], "o", color=plots.VERMILION, markeredgecolor=plots.INK, markersize=7)
        if self.goal:
            goal = self.goal
            ax.plot([goal.lag] * 2, [goal.low, goal.high], color=plots.GREEN, linewidth=9, alpha=0.4,
                    solid_capstyle="butt")
            ax.text(goal.lag, 1.5 * goal.high, "goal", ha="center", va="bottom", fontsize=9.5)
        ax.axhline(1, color=plots.GRAY, linewidth=1)
        ax.set(xlim=(-0.5, LONGEST + 0.5), yscale="log", ylim=(LOWEST, HIGHEST), xlabel="lag (steps back)",
               title="gradient against lag", ylabel="of the last state, relative to lag 0")
        ax.set_yticks([1e-12, 1e-8, 1e-4, 1, 1e4])
        ax.minorticks_off()
        ax.legend(loc="upper center", ncols=len(BLOCKS), handlelength=2.4, columnspacing=1.2, frameon=False)
        self.lag_note = ax.text(0.98, 0.03, "", transform=ax.transAxes, ha="right", va="bottom", fontsize=9.5)

    def update(self):
        """Run the sequence, and draw the step shown, all steps up to it, and the gradients."""
        cell, length, seed = self.cell.value, self.length.value, self.seed.value
        self._let_reach(length)
        self.x = self._inputs(seed)
        self.fault = self._fault(cell)
        weights = network_of(cell, self.radius.value, self.bias.value, seed, self.x.shape[1])
        key = cell, length, seed, self.radius.value, self.bias.value, self.sequence.value
        if self._kept.get("run", (None,))[0] != key:
            made = run(cell, self.x, weights, self.own.get(cell))
            self._kept["run"] = key, made
        self.made = self._kept["run"][1]
        self._gradients()
        if self.bias.disabled != (cell == "RNN"):
            self.bias.disabled = cell == "RNN"
        self._frame_axes(cell, length)
        self._show_chain(cell, length)
        self._show_heat(cell, length)
        self._show_table(cell)
        self._show_lags(cell)
        self._tell(cell, length)

    def _inputs(self, seed):
        if self.sequence.value != OWN:
            return sequence_of(self.sequence.value, self.length.value, seed)
        repeats = -(-self.length.value // len(self.given))
        return np.tile(self.given, (repeats, 1))[:self.length.value]

    def _fault(self, cell):
        """What is wrong with the learner's step of this cell; it is looked for once."""
        if cell not in self.own:
            return ""
        key = cell, self.x.shape[1]
        if key not in self._faults:
            self._faults[key] = step_fault(self.own[cell], cell, self.x.shape[1])
        return self._faults[key]

    def _gradients(self):
        """Gradients of the chosen cell in DRAWS draws, the seed's first, and of the others in that one.

        Where there is a learner's step of the chosen cell, the first is measured by it.
        """
        chosen = self.cell.value
        key = self.length.value, self.radius.value, self.bias.value, self.sequence.value, self.seed.value
        if self._kept.get("key") != key:
            self._kept |= {"key": key, "sizes": {}, "own": {}}
        sizes, own = self._kept["sizes"], self._kept["own"]
        for cell in BLOCKS:
            draws = DRAWS if cell == chosen else 1
            if len(sizes.get(cell, ())) < draws:
                seeds = [(self.seed.value + k) % 21 for k in range(draws)]
                x = [self._inputs(seed) for seed in seeds]
                networks = [network_of(cell, *key[1:3], seed, x[0].shape[1]) for seed in seeds]
                sizes[cell] = lag_gradients(cell, x, networks)
        if chosen in self.own and chosen not in own:
            weights = network_of(chosen, *key[1:3], self.seed.value, self.x.shape[1])
            own[chosen] = lag_gradient(chosen, self.x, weights, self.own[chosen])
        self.sizes = {cell: sizes[cell][0] for cell in BLOCKS} | own
        self.lags = {cell: relative(sizes) for cell, sizes in self.sizes.items()}
        self.draws = np.array([self.lags[chosen], *(relative(curve) for curve in sizes[chosen][1:])])

    def _frame_axes(self, cell, length):
        """What does not move while a cell and a kind of input stay, and the length changes little."""
        span = next(span for span in SPANS if span >= length)
        frame = cell, span, min(length, BOXES), self.x.shape[1]
        if frame == self._frame:
            return
        self._frame = frame
        self.rows = [("x", self.x.shape[1] if self.x.shape[1] > 1 else 2), *((name, HIDDEN) for name in STATES[cell]),
                     *((name, 2) for name in GATES[cell])]
        ends = np.cumsum([count + 1 for _, count in self.rows])
        self.heat_ax.set(xlim=(0.5, span + 0.5), ylim=(ends[-1] - 1, 0),
                         yticks=[end - 1 - count / 2 for end, (_, count) in zip(ends, self.rows)],
                         yticklabels=[f"mean {name}" if name in GATES[cell] else name for name, _ in self.rows])
        columns = len(TABLES[cell])
        self.table.set_extent((-0.5, columns - 0.5, HIDDEN - 0.5, -0.5))
        self.table_ax.set(xlim=(-0.5, columns - 0.5), xticks=range(columns))
        self.table_ax.set_xticklabels([name.replace(" before", "\nbefore") for name in TABLES[cell]], fontsize=9.5)
        self.lag_ax.set_xlim(-0.5, span + 0.5)
        for k, parts in enumerate(self.parts):
            for part in parts:
                part.set_visible(k < length)
        self.background_changed()

    def _show_chain(self, cell, length):
        t, count = self.t.value, min(BOXES, length)
        first = int(np.clip(t - BOXES // 2 - 1, 0, length - count))  # the step in the first box, from 0
        self.now.set_x(t - 1 - first - 0.3)
        strips = np.full((HIDDEN, BOXES, GRAIN), np.nan)
        for k in range(BOXES):
            step, there = first + k, k < count
            done = there and step < t
            if done:
                strips[:, k, STRIP] = self.made["h"][step][:, None]
            self.names[k].set_text(f"h{step + 1}" if there else "")
            self.inputs[k].set_text(f"x{step + 1} = {self._spelled(step)}" if there else "")
            share = self.lags[cell][length - 1 - step] if there else np.nan
            self.left[k].set_text(_brief(share) if there else "")
        self.strips.set_data(np.ma.masked_invalid(strips.reshape(HIDDEN, -1)))

    def _spelled(self, step):
        x = self.x[step]
        if self.sequence.value == "letters":
            return LETTERS[int(x.argmax())]
        return short(x[0]) if len(x) == 1 else f"({short(x[0])}, …)"

    def _show_heat(self, cell, length):
        t, bands = self.t.value, []
        for name, count in self.rows:
            if name in GATES[cell]:
                band = np.tile(self.made[name].mean(axis=1), (count, 1))
            else:
                values = self.x if name == "x" else self.made[name]
                band = values.T / max(1.0, np.abs(values).max())
                band = np.repeat(band, count // len(band), axis=0)
            bands += [band, np.full((1, length), np.nan)]
        picture = np.concatenate(bands[:-1])
        picture[:, t:] = np.nan
        self.heat.set_extent((0.5, length + 0.5, len(picture), 0))
        self.heat.set_data(np.ma.masked_invalid(picture))
        self.cursor.set_xdata([t, t])

    def _show_table(self, cell):
        t, names = self.t.value - 1, TABLES[cell]
        table = np.stack([self.made[name][t] for name in names], axis=1)
        self.table.set_data(table)
        grounds = self.table.to_rgba(table).reshape(-1, 4)
        for i, text in enumerate(self.numbers):
            text.set_visible(i < table.size)
            if i < table.size:
                value = table.flat[i]
                text.set(position=(i % len(names), i // len(names)), fontsize=9.5 if len(names) < 6 else 8,
                         text=f"{round(value, 2) + 0.0:.2f}".replace("-", "−") if abs(value) < 9.995 else short(value),
                         color=plots.text_on(grounds[i]))
        own = " (h: yours)" if cell in self.own else ""
        self.table_title.set_text(f"step {t + 1}: {RULES[cell]}{own}")

    def _show_lags(self, cell):
        length, t = self.length.value, self.t.value
        lags = np.arange(length)
        for name, line in self.curves.items():
            line.set_data(lags, np.where(self.lags[name] > 0, self.lags[name], np.nan))
            line.set_linewidth(3 if name == cell else 1.6)
        for line, curve in zip(self.others, self.draws[1:]):
            line.set_data(lags, np.where(curve > 0, curve, np.nan))
            line.set_color(LOOKS[cell][0])
        here = self.lags[cell][length - t]
        self.dot.set_data([length - t], [np.clip(here, LOWEST, HIGHEST) if here > 0 else np.nan])
        ends = self.draws[:, -1]
        low = np.isnan(ends).any() or (ends < LOWEST).any()
        self.lag_note.set_text("▼ below the scale" if low else "▲ above the scale" if (ends > HIGHEST).any() else "")

    def _tell(self, cell, length):
        t, name = self.t.value, GATED[cell]
        parts = [f"Step {t} of {length} of the {cell} reads {self._spelled(t - 1)}; its states h go from "
                 f"{self.made['h'][t - 1].min():.2f} to {self.made['h'][t - 1].max():.2f}."]
        if name:
            gate = {"LSTM": "f", "GRU": "z"}[cell]
            parts.append(f"Its {name} {gate} is {self.made[gate].mean():.2f} in the mean of all steps and units.")
        far = min(self.goal.lag if self.goal else 40, length - 1)
        shares = ", ".join(f"{n} {_brief(self.lags[n][far])}" for n in BLOCKS)
        parts.append(f"Of the gradient at lag 0 there is left at lag {far}: {shares}.")
        first = self.draws[:, far]
        if np.isfinite(first).all():
            parts.append(f"{DRAWS} draws of the {cell}: {_brief(first.min())} to {_brief(first.max())} (thin lines).")
        if self.sizes[cell][0] < 0.05:
            parts.append(f"(The last input itself counts little: its gradient is {self.sizes[cell][0]:.2g}.)")
        if cell in self.own:
            parts.append(self.fault or f"Your {cell.lower()}_step gives the same numbers as nnlib's.")
        self.say(" ".join(parts).replace(" -", " −"))
        if self.goal:
            reached, words = self.goal.judge(cell, self.sequence.value, np.nan_to_num(self.draws))
            self.report_goal(reached and not self.fault, words)

    def describe(self):
        """Alternative text: the step shown, its states and gates, and the gradients against lag."""
        cell, length, t = self.cell.value, self.length.value, self.t.value
        h = " ".join(f"{v:.2f}" for v in self.made["h"][t - 1])
        gates = "".join(f" Gate {name}: {' '.join(f'{v:.2f}' for v in self.made[name][t - 1])}."
                        for name in GATES[cell])
        shares = "; ".join(f"{n}: {_brief(self.lags[n][length // 2])} at lag {length // 2}, {_brief(self.lags[n][-1])} "
                           f"at lag {length - 1}" for n in BLOCKS)
        bias = f", gate bias {self.bias.value:g}" if cell != "RNN" else ""
        return (f"The {cell} unrolled, with step {t} of {length} framed, inputs “{self.sequence.value}”, radius "
                f"{self.radius.value:.2f}{bias}, draw {self.seed.value}. Below, inputs, states and gates through time "
                f"up to this step, and what happens in it: input {self._spelled(t - 1)}, states {h}.{gates} Last, the "
                f"gradient against lag, relative to lag 0, on a logarithmic scale. {shares}."
                f"{' ' + self.fault if self.fault else ''}")


def _brief(value):
    """A share in few signs: 0.12, 3e−7, with a minus at which no line is broken."""
    if not np.isfinite(value):
        return f"below {_brief(SMALL)}"
    if value == 0 or value >= 1e-3:
        return f"{value:.2g}"
    digit, power = f"{value:.0e}".split("e")
    return f"{digit}e−{abs(int(power))}"
