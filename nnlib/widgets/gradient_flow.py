"""GradientFlowExplorer: whether the signal survives a deep network, forward and back."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.ticker import NullLocator

from nnlib import Tensor, cross_entropy, ops, plots
from nnlib.widgets.base import Explorer, choice, log_slider, slider

DEEPEST, BATCH, CLASSES, BINS = 30, 64, 4, 25
DEPTHS = 5, 10, 20, DEEPEST  # where the axis of layers may end
WIDTHS = (8, 16, 32, 64)
WEAKEST, STRONGEST = 0.1, 10.0  # weight scales
EXPONENTS = (1, 2, 4, 8, 16, 32, 64, 128)  # the logarithmic axes end at one of these powers of ten
TINY = 1e-120  # what is drawn in place of zero


@dataclass(frozen=True)
class Activation:
    """A function of tensors, elementwise, and the range of its values that is shown.

    relative: whether that range is in units of a layer's spread, as for functions without bounds.
    """

    function: object
    view: tuple
    relative: bool = False


# What can be chosen; another activation, or another way to draw the weights, is one more line.
ACTIVATIONS = {"sigmoid": Activation(ops.sigmoid, (0.0, 1.0)), "tanh": Activation(ops.tanh, (-1.0, 1.0)),
               "relu": Activation(ops.relu, (0.0, 4.0), relative=True),
               "identity": Activation(lambda z: 1.0 * z, (-4.0, 4.0), relative=True)}
MORE_ACTIVATIONS = {"hard tanh": Activation(ops.hardtanh, (-1.0, 1.0)),
                    "leaky relu": Activation(ops.leaky_relu, (-1.0, 4.0), relative=True),
                    "elu": Activation(ops.elu, (-2.0, 4.0), relative=True),
                    "softplus": Activation(ops.softplus, (0.0, 4.0), relative=True),
                    "swish": Activation(ops.swish, (-2.0, 4.0), relative=True)}
LABELS = {"relu": "ReLU", "leaky relu": "leaky ReLU", "elu": "ELU"}  # the names that are not shown as they are
# From weights of variance 1 / width to those of an initialization; the numbers drawn are the same for all.
INITIALIZATIONS = {"equal": lambda W: np.full_like(W, 1 / W.shape[-1]),
                   "small": lambda W: 0.01 * np.sqrt(W.shape[-1]) * W,
                   "xavier": lambda W: W, "he": lambda W: np.sqrt(2) * W}


@dataclass(frozen=True)
class FlowGoal:
    """With this activation and at least this depth, a ratio of first to last gradient from `low` to `high`."""

    activation: str = "tanh"
    depth: int = 20
    low: float = 0.5
    high: float = 2.0

    def __str__(self):
        return (f"with {self.depth} {LABELS.get(self.activation, self.activation)} layers, bring the ratio of the "
                f"scores' gradients, first layer to last, between {self.low:g} and {self.high:g}")

    def reached(self, activation, depth, ratio):
        """Whether this network does it."""
        return activation == self.activation and depth >= self.depth and bool(self.low <= ratio <= self.high)


GOAL = FlowGoal()


@lru_cache(maxsize=8)
def draw_network(width, seed=0):
    """The random numbers of a network, drawn once, so that a scale or a depth changes nothing else.

    Returns weights (DEEPEST, width, width) of variance 1 / width, those of the last layer (CLASSES, width), a batch
    X (BATCH, width) of variance 1, and its targets t (BATCH,).
    """
    rng = np.random.default_rng([seed, width])
    X, t = rng.normal(size=(BATCH, width)), rng.integers(CLASSES, size=BATCH)
    head = rng.normal(size=(CLASSES, width)) / np.sqrt(width)
    return rng.normal(size=(DEEPEST, width, width)) / np.sqrt(width), head, X, t


@dataclass(frozen=True)
class Flow:
    """What one forward and one backward pass leave behind in layers 1 ... depth.

    activations: (depth, batch, width).   spread: (depth,), the standard deviation of each layer's activations.
    slope: (depth,), the root mean square of the activation's derivative.   gradients: {"scores": (depth,),
    "weights": (depth,)}, norms of the gradient of the loss with respect to each layer's.   loss: a number.
    dead: (depth,), how many units of each layer have a slope of exactly 0 for every example.
    """

    activations: np.ndarray
    spread: np.ndarray
    slope: np.ndarray
    gradients: dict
    loss: float
    dead: np.ndarray


def norms(arrays):
    """The norm of each array, without overflow or underflow of the squares."""
    largest = [float(np.abs(a).max(initial=0)) or 1.0 for a in arrays]
    return np.array([top * np.linalg.norm(a / top) for a, top in zip(arrays, largest)])


def flow(weights, head, X, t, function, bias=0.0):
    """Send a batch through layers a = function(a W^T + bias), then a softmax over classes; and the gradient back.

    Args: weights: (depth, width, width).   head: (classes, width).   X: (batch, width).   t: (batch,).
        function: of a tensor, elementwise.   bias: a number, the same for every unit.   Returns a `Flow`.
    """
    a, layers, scores, outputs = Tensor(X), [Tensor(W, requires_grad=True) for W in weights], [], []
    for W in layers:
        scores.append((a @ W.T + bias if bias else a @ W.T).retain_grad())
        a = function(scores[-1])
        outputs.append(a.data)
    loss = cross_entropy(a @ Tensor(head).T, t)
    loss.backward()
    z = Tensor(np.stack([score.data for score in scores]), requires_grad=True)
    function(z).sum().backward()
    activations = np.stack(outputs)
    return Flow(activations, activations.std(axis=(1, 2)), np.sqrt(np.mean(z.grad ** 2, axis=(1, 2))),
                {"scores": norms([score.grad for score in scores]),
                 "weights": norms([W.grad for W in layers])}, loss.item(), (z.grad == 0).all(axis=1).sum(axis=1))


def first_to_last(gradients):
    """The ratio of the first to the last of norms (depth,), and the factor per layer that makes it, going back."""
    if gradients[-1] == 0:
        return np.nan, np.nan
    ratio = gradients[0] / gradients[-1]
    return float(ratio), float(ratio ** (1 / (len(gradients) - 1)))


def densities(activations, view):
    """Histograms of each layer's activations (depth, ...) over a range, as shades 0 to 1: (BINS, depth).

    The shade is the square root of the share of the fullest bin, so that rare values show as well; values out of the
    range do not.
    """
    depth, (low, high) = len(activations), view
    values = activations.reshape(depth, -1)
    places = np.clip((values - low) * (BINS / (high - low)), 0, BINS - 1).astype(int) + BINS * np.arange(depth)[:, None]
    inside = (values >= low) & (values <= high)
    counts = np.bincount(places[inside], minlength=BINS * depth).reshape(depth, BINS)
    return np.sqrt(counts / np.maximum(counts.max(axis=1, keepdims=True), 1)).T


def decades(values):
    """Limits of a logarithmic axis for these positive values, which change rarely: (low, high)."""
    exponents = np.log10(np.maximum(values, TINY))
    low, high = (next(e for e in EXPONENTS if e >= min(far + 0.4, EXPONENTS[-1]))  # 0.4: some room beyond
                 for far in (-exponents.min(), exponents.max()))
    return 10.0 ** -low, 10.0 ** high


class GradientFlowExplorer(Explorer):
    """Choose depth, activation and weight scale; see the spread of the signal in each layer, and the gradient's norm.

    All layers are as wide as the input and have no bias; a linear layer and the softmax of 4 classes follow. Weights,
    inputs and targets are random, and the same for every depth, activation and scale.

    Args:
        depth: 2 to 30.   width: 2 to 128.   activation: a name of ACTIVATIONS.
        scale: of the weights, in units of 1 / sqrt(width), 0.1 to 10.   goal: a `FlowGoal`, or None.
        initialization: None, or one of INITIALIZATIONS: then it can be chosen, the scale multiplies it, biases of 0.1
            can be given, MORE_ACTIVATIONS join, and dead units are counted.   bias: 0 or 0.1, with an initialization.
    Raises ValueError for an argument out of range.
    Source: decks A (vanishing gradients), B (gradient flow) and C (initialization); Glorot and Bengio (2010), He et
    al. (2015).
    """

    def __init__(self, depth=10, width=32, activation="sigmoid", scale=1.0, goal=GOAL, initialization=None, bias=0.0):
        self.full = initialization is not None
        self.kinds = ACTIVATIONS | MORE_ACTIVATIONS if self.full else ACTIVATIONS
        activation = str(activation).lower().replace("_", " ") if self.full else activation
        if activation not in self.kinds:
            raise ValueError(f"GradientFlowExplorer: there is no activation {activation!r}; try "
                             f"{', '.join(self.kinds)}")
        if self.full and initialization not in INITIALIZATIONS or bias not in ((0.0, 0.1) if self.full else (0.0,)):
            raise ValueError(f"GradientFlowExplorer: expected an initialization of {', '.join(INITIALIZATIONS)}, and "
                             f"with it a bias of 0 or 0.1, but got {initialization!r} and {bias}")
        if not (2 <= depth <= DEEPEST and 2 <= width <= 128 and WEAKEST <= scale <= STRONGEST):
            raise ValueError(f"GradientFlowExplorer: expected a depth of 2 to {DEEPEST}, a width of 2 to 128 and a "
                             f"scale of {WEAKEST:g} to {STRONGEST:g} but got {depth}, {width} and {scale}")
        self.goal, self._frame = goal, None
        self.activation = choice("activation", {LABELS.get(name, name): name for name in self.kinds}, activation,
                                 tooltip="the function after each layer's weighted sums")
        self.depth = slider("depth", 2, DEEPEST, depth, unit="layers", tooltip="how many layers stand in a row")
        self.scale = log_slider("scale", WEAKEST, STRONGEST, scale, step=0.01,
                                unit="× initialization" if self.full else "× 1/√width",
                                tooltip="multiplies every weight that the initialization gives" if self.full else
                                "standard deviation of the weights, in units of 1/√(fan in)")
        self.initialization = choice("initialization", list(INITIALIZATIONS), initialization or "xavier",
                                     tooltip="size of the first weights: all 1/width; or random, with standard "
                                             "deviation 0.01, 1/√width, or √(2/width)")
        self.bias = choice("biases", {"0": 0.0, "0.1": 0.1}, bias, tooltip="the first bias of every unit")
        widths = sorted({*WIDTHS, width})
        self.width = choice("width (units)", {str(w): w for w in widths}, width, tooltip="units in each of the layers")
        self.seed = slider("draw", 0, 20, 0, unit="seed", tooltip="another number draws other weights and inputs")
        self.of = choice("gradient of", ["scores", "weights"],
                         tooltip="with respect to what the gradient of the loss is taken")
        figure, (self.ahead, self.back, self.strip) = plots.subplots(1, 3, width=9.8, height=3.7)
        self._draw()
        more = [[self.initialization, self.bias]] if self.full else []
        self.assemble(figure, [[self.activation], *more, [self.scale, self.depth], [self.width, self.seed], [self.of]],
                      [self.spread, self.band, self.norms, self.ends, self.goal_name, self.back_title, self.image,
                       self.dead_text],
                      goal=str(goal) if goal else None)

    def _draw(self):
        line = {"color": plots.INK, "markersize": 4, "linewidth": 1.5}
        self.spread, = self.ahead.plot([], [], "-o", **line)
        self.ahead.set(yscale="log", xlabel="layer", title="forward: signal", ylabel="spread of the outputs")
        self.band = self.back.axhspan(0.5, 2, color=plots.GREEN, alpha=0.2, linewidth=0)
        self.norms, = self.back.plot([], [], "-o", **line)
        self.ends, = self.back.plot([], [], "D", color=plots.VERMILION, markeredgecolor=plots.INK, markersize=8)
        self.back.set(yscale="log", xlabel="layer", ylabel="norm of the gradient")
        self.goal_name = self.back.text(0.5, 1, "goal" if self.goal else "", va="bottom", fontsize=9.5,
                                        transform=self.back.get_yaxis_transform())
        self.back_title = self.back.set_title("backward: × 0.000")
        for ax in (self.ahead, self.back, self.strip):
            ax.xaxis.get_major_locator().set_params(integer=True)
        for ax in (self.ahead, self.back):  # the widest labels there are, for which the layout leaves room
            ax.set_ylim(1e-128, 1e128)
            ax.yaxis.set_minor_locator(NullLocator())
        self.image = self.strip.imshow(np.zeros((BINS, 2)), origin="lower", aspect="auto", cmap="Greys", vmin=0, vmax=1,
                                       interpolation="nearest", extent=(0, 1, 0, 1))
        self.strip.set(xlabel="layer", title="outputs (dark: many)", ylabel="output / spread",
                       ylim=(-0.75, 1))
        self.strip.grid(False)
        self.dead_text = self.strip.text(0.5, 0.97, "", transform=self.strip.transAxes, ha="center", va="top",
                                         fontsize=9.5, bbox={"facecolor": "white", "edgecolor": plots.GRAY, "pad": 2})

    def _frame_axes(self, view, unit):
        """Set the axes; while a slider moves little they stay, and with them the background."""
        right = next(d for d in DEPTHS if d >= self.depth.value)
        frame = right, decades(self.flow.spread), decades(self.norm), view, unit
        if frame == self._frame:
            return
        for ax, limits in zip((self.ahead, self.back, self.strip), (*frame[1:3], view)):
            ax.set(xlim=(0.3, right + 0.7), ylim=limits)
        self.strip.set_ylabel(unit)
        self._frame = frame
        self.background_changed()

    def update(self):
        """Send the batch forward and the gradient back, and draw both."""
        depth, kind = self.depth.value, self.kinds[self.activation.value]
        weights, head, X, t = draw_network(self.width.value, self.seed.value)
        if self.initialization.value == "equal":  # every class sees all units alike
            head = np.repeat(head[:, :1], self.width.value, axis=1)
        weights = INITIALIZATIONS[self.initialization.value](weights[:depth])
        self.flow = flow(self.scale.value * weights, head, X, t, kind.function, self.bias.value)
        self.norm = self.flow.gradients[self.of.value]
        self.ratio, self.factor = first_to_last(self.norm)
        spread = np.maximum(self.flow.spread, TINY)
        values = self.flow.activations / spread[:, None, None] if kind.relative else self.flow.activations
        self._frame_axes(kind.view, "output / spread" if kind.relative else "output")
        layers = np.arange(1, depth + 1)
        self.spread.set_data(layers, spread)
        shown = np.maximum(self.norm, TINY)
        self.norms.set_data(layers, shown)
        self.ends.set_data(layers[[0, -1]], shown[[0, -1]])
        low, high = (self.goal.low, self.goal.high) if self.goal else (1.0, 1.0)
        self.band.set_y(low * shown[-1])
        self.band.set_height((high - low) * shown[-1])
        bottom, top = np.log10(self.back.get_ylim())
        under = np.log10(high * shown[-1]) > bottom + 0.9 * (top - bottom)  # under the band if it is at the top
        self.goal_name.set(y=(low if under else high) * shown[-1], va="top" if under else "bottom")
        self.back_title.set_text("backward: no gradient" if np.isnan(self.ratio) else
                                 f"backward: × {self.factor:.3g} per layer")
        self.image.set_extent((0.5, depth + 0.5, *kind.view))
        self.image.set_data(densities(values, kind.view))
        self.dead = int(self.flow.dead.sum())
        self.dead_text.set_text(f"dead units: {self.dead} of {depth * self.width.value}" if self.full and self.dead
                                else "")
        self._tell(depth)

    def verdict(self):
        """What becomes of the gradient on its way back, in a few words."""
        if not self.ratio > 0:
            return "is lost"
        return "vanishes" if self.ratio < 0.5 else "explodes" if self.ratio > 2 else "keeps its size"

    def _tell(self, depth):
        moves = "shrinks" if self.factor < 1 else "grows"
        slope = float(np.exp(np.mean(np.log(np.maximum(self.flow.slope[:-1], TINY)))))
        scale, start = self.scale.value, self.initialization.value
        by = scale * {"small": 0.01 * np.sqrt(self.width.value), "he": np.sqrt(2)}.get(start, 1.0)  # times 1/√width
        parts = [f"Ratio of the gradient at layer 1 to that at layer {depth}: {self.ratio:.2g}. Going back, it "
                 f"{moves} by a factor {self.factor:.3g} per layer: it {self.verdict()}.",
                 f"A step back multiplies the scores' gradient by the weights (scale {by:.3g}"
                 f"{' × 1/√width' if self.full else ''}) and "
                 f"the slope of the {self.activation.label} ({slope:.3g} here), so by about {by * slope:.3g}.",
                 f"The spread of the outputs goes from {self.flow.spread[0]:.2g} to {self.flow.spread[-1]:.2g}."]
        _, measured = first_to_last(self.flow.gradients["scores"])
        if self.full and not abs(by * slope - measured) < 0.05 * measured:
            parts[1] += f" That takes slopes and gradients to be unrelated; measured: {measured:.3g}."
        if np.isnan(self.ratio):
            parts[0] = f"The gradient is 0 in layer {depth} already: it is lost."
        if start == "equal" or np.isnan(measured):
            parts[1] = ""
        if start == "equal":
            parts[1] = (f"All weights are {scale / self.width.value:.3g}, so the {self.width.value} units of a layer "
                        "compute the same, get the same gradient, and stay alike: one unit would do.")
        if self.full and self.dead:
            parts.append(f"{self.dead} of {depth * self.width.value} units are dead: their slope is 0 for every one of "
                         f"the {BATCH} examples, so their weights get no gradient.")
        self.say(" ".join(filter(None, parts)))
        if self.goal:
            ratio, _ = first_to_last(self.flow.gradients["scores"])
            alike = start == "equal"
            self.report_goal(self.goal.reached(self.activation.value, depth, ratio) and not alike,
                             f"Here: {depth} {self.activation.label} layers, "
                             f"{'no gradient' if np.isnan(ratio) else f'ratio {ratio:.2g}'}"
                             f"{', but units that are all alike do not count' if alike else ''}.")

    def describe(self):
        """Alternative text: spread and gradient from the first layer to the last."""
        spread, norm, depth = self.flow.spread, self.norm, self.depth.value
        start = f" ({self.initialization.value} initialization, biases {self.bias.value:g})" if self.full else ""
        dead = f" {self.dead} of {depth * self.width.value} units are dead." if self.full else ""
        factor = "" if np.isnan(self.factor) else f", a factor {self.factor:.3g} per layer"
        return (f"Three pictures of {depth} {self.activation.label} layers of {self.width.value} units at weight scale "
                f"{self.scale.value:.3g}{start}. Forward, the spread of the outputs goes from {spread[0]:.2g} in "
                f"layer 1 to {spread[-1]:.2g} in layer {depth}. Backward, the norm of the gradient of the "
                f"{self.of.value} goes from {norm[-1]:.2g} in layer {depth} to {norm[0]:.2g} in layer 1{factor}: "
                f"it {self.verdict()}. Last, how the outputs of each layer are distributed.{dead}")
