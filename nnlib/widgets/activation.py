"""ActivationExplorer: an activation over its derivative, and what becomes of the scores it is given."""

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from matplotlib.ticker import MaxNLocator

from nnlib import Tensor, ops, plots
from nnlib.widgets.base import Explorer, LearnerError, choice, learners, learners_array, log_slider, slider
from nnlib.widgets.finite_difference import central_difference

REACH = 8.0  # inputs are shown from -REACH to REACH
FLAT = 0.05  # a slope smaller than this: the unit is saturated
INPUTS, BINS, CURVE = 1001, 48, 641
STEP = 1e-5  # of the differences that a learner's derivative is compared with
TOPS = 0.06, 0.12, 0.3, 0.6, 1.05  # where an axis of shares may end
BETWEEN = 0.0071  # moves the points where a learner's derivative is tried away from kinks


@dataclass(frozen=True)
class Shape:
    """An activation: value and derivative, from arrays z (...) to arrays (...), and the view of its values."""

    value: object
    derivative: object
    view: tuple


def _shape(operation, *view):
    """The Shape of an operation of `nnlib.ops`, whose derivative is what its backward pass makes of a 1."""
    def derivative(z):
        z = Tensor(np.array(z, dtype=float), requires_grad=True)
        operation(z).sum().backward()
        return z.grad

    return Shape(lambda z: operation(np.asarray(z, dtype=float)), derivative, view)


SHAPES = {"sign": Shape(np.sign, np.zeros_like, (-1.0, 1.0)), "sigmoid": _shape(ops.sigmoid, 0.0, 1.0),
          "tanh": _shape(ops.tanh, -1.0, 1.0), "hard tanh": _shape(ops.hardtanh, -1.0, 1.0),
          "ReLU": _shape(ops.relu, 0.0, REACH), "leaky ReLU": _shape(ops.leaky_relu, -0.2, REACH),
          "ELU": _shape(ops.elu, -1.0, REACH), "softplus": _shape(ops.softplus, 0.0, REACH),
          "swish": _shape(ops.swish, -0.3, REACH)}
RANGES = {"sign": "{-1, 0, 1}", "sigmoid": "(0, 1)", "tanh": "(-1, 1)", "hard tanh": "[-1, 1]", "ReLU": "[0, ∞)",
          "leaky ReLU": "(-∞, ∞)", "ELU": "(-1, ∞)", "softplus": "(0, ∞)", "swish": "[-0.278, ∞)"}


def find_name(name):
    """A key of SHAPES, whatever its capitals, hyphens and underscores; None if there is none."""
    plain = {key.lower().replace(" ", ""): key for key in SHAPES}
    return plain.get(str(name).lower().replace(" ", "").replace("_", "").replace("-", ""))


@dataclass(frozen=True)
class ActivationGoal:
    """With this activation, a share `active` of the scores out of saturation, and outputs that still differ.

    spread: the least standard deviation of the outputs.
    """

    name: str = "tanh"
    active: float = 0.9
    spread: float = 0.6

    def __str__(self):
        return (f"with {self.name}, keep at least {self.active:.0%} of the scores out of saturation (slope {FLAT:g} or "
                f"more) and the spread of the outputs at {self.spread:g} or more")

    def reached(self, name, active, spread):
        """Whether this activation does it with these scores."""
        return name == self.name and active >= self.active and spread >= self.spread


GOAL = ActivationGoal()


@lru_cache(maxsize=1)
def standard_inputs():
    """Inputs (INPUTS,) that lie as evenly as N(0, 1) does: its quantiles. No luck is in them."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / INPUTS) for i in range(INPUTS)])


def learners_activation(function, name):
    """A learner's elementwise function of an array, checked: it returns finite numbers in the shape of its input."""
    guarded = learners(function, name)

    def run(z):
        try:
            result = guarded(np.array(z, dtype=float))
        except LearnerError as error:
            if "truth value" not in str(error):
                raise
            raise LearnerError(f"{name}: `if` cannot decide for a whole array at once; try np.where(z > 0, ..., ...) "
                               f"in its place. {error}") from error
        return learners_array(result, np.shape(z), name)
    return run


def value_fault(function, name):
    """Where a learner's function differs from the activation that it should be, as a sentence; empty if nowhere."""
    z = np.linspace(-6, 6, 49)
    mine, right = function(z), SHAPES[name].value(z)
    if np.allclose(mine, right, rtol=1e-6, atol=1e-9):
        return ""
    other = next((n for n, s in SHAPES.items() if np.allclose(mine, s.value(z), rtol=1e-6, atol=1e-9)), None)
    k = int(np.argmax(np.abs(mine - right)))
    return (f"Your function is not {name}{f' but {other}' if other else ''}: at z = {z[k]:g} it gives {mine[k]:.4g} "
            f"where {name} is {right[k]:.4g}.")


def derivative_fault(function, derivative):
    """What is wrong with a learner's derivative, measured against central differences, as a sentence; else empty."""
    z = np.linspace(-6, 6, 49) + BETWEEN
    right, mine = central_difference(function, z, STEP), derivative(z)
    smooth = np.abs(right - central_difference(function, z, 1e-4)) < 1e-3  # a kink or a jump decides nothing
    z, right, mine = z[smooth], right[smooth], mine[smooth]
    if np.allclose(mine, right, rtol=1e-4, atol=1e-5):
        return ""
    value = function(z)
    k = int(np.argmax(np.abs(mine - right)))
    where = f"at z = {z[k]:.2f} it gives {mine[k]:.4g}, and the difference quotient of your function {right[k]:.4g}"
    fits = {"It is the function itself, not its derivative.": value, "Its sign is wrong.": -right,
            "It is the derivative taken at the output: pass z, not the activation, on.":
                central_difference(function, value, STEP)}
    other = next((n for n, s in SHAPES.items() if np.allclose(mine, s.derivative(z), rtol=1e-4, atol=1e-5)), None)
    if other:
        fits[f"It is the derivative of {other}."] = mine
    hint = next((text for text, guess in fits.items() if np.allclose(mine, guess, rtol=1e-4, atol=1e-5)), None)
    if hint is None:
        sides = [np.allclose(mine[side], right[side], rtol=1e-4, atol=1e-5) for side in (z > 0, z < 0)]
        hint = ("It is right for z above 0 and wrong below." if sides[0] else
                "It is right for z below 0 and wrong above." if sides[1] else "")
    return f"Your derivative is wrong: {where}. {hint}".strip()


def flat_ranges(z, slopes, threshold):
    """The intervals of z (n,) where |slope| is below the threshold, as a list of (from, to), between points by rule."""
    size = np.abs(slopes)
    flat = np.concatenate([[False], size < threshold, [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])

    def crossing(i, j):  # where a straight line from a point of the interval to its neighbor meets the threshold
        if not 0 <= j < len(z):
            return float(z[i])
        return float(z[i] + (threshold - size[i]) / (size[j] - size[i]) * (z[j] - z[i]))
    return [(crossing(i, i - 1), crossing(j - 1, j)) for i, j in zip(edges[::2], edges[1::2])]


def in_ranges(ranges):
    """Intervals in words: below -2.18, from -1.50 to -1.05, above 2.18."""
    words = []
    for low, high in ranges:
        ends = low <= -REACH, high >= REACH
        words.append("everywhere" if all(ends) else f"below {high + 0.0:.2f}" if ends[0]
                     else f"above {low:.2f}" if ends[1] else f"from {low:.2f} to {high:.2f}")
    return ", ".join(words) or "nowhere"


def shares(values, edges):
    """The share of values (n,) in each bin between edges (bins + 1,); those beyond count in the last bins."""
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return counts / values.size


class ActivationExplorer(Explorer):
    """Choose an activation, and the mean and spread of its scores; see slopes, outputs, and how many are saturated.

    The scores are spread like N(mean, spread^2): what a unit z = w x + b makes of x ~ N(0, 1), with w = spread and
    b = mean.

    Args:
        function: your own activation, of an array z (n,), elementwise.   derivative: its derivative, of z as well;
            without one a numerical one is shown, and a wrong one is named.
        name: which of `SHAPES` is shown first, "relu" if None; with a function: the one it shall be, or None.
        goal: an `ActivationGoal`, or None.   mean: -4 to 4.   spread: 0.1 to 5.   threshold: 0.001 to 0.5.
    Raises ValueError for a name that is not known, or a derivative without its function.
    Source: decks B, C, D and E; Clevert et al. (2016) for the ELU, Ramachandran et al. (2017) for swish.
    """

    def __init__(self, function=None, derivative=None, name=None, goal=GOAL, mean=0.0, spread=3.0, threshold=FLAT):
        known = find_name("relu" if name is None else name)
        if known is None:
            raise ValueError(f"ActivationExplorer: there is no activation {name!r}; try {', '.join(SHAPES)}")
        if derivative is not None and function is None:
            raise ValueError("ActivationExplorer: expected the function too, with its derivative; try "
                             "ActivationExplorer(my_elu, my_elu_derivative)")
        if not (-4 <= mean <= 4 and 0.1 <= spread <= 5 and 0.001 <= threshold <= 0.5):
            raise ValueError(f"ActivationExplorer: expected a mean of -4 to 4, a spread of 0.1 to 5 and a threshold of "
                             f"0.001 to 0.5 but got {mean}, {spread} and {threshold}")
        for given in (function, derivative):
            if given is not None and not callable(given):
                raise ValueError(f"ActivationExplorer: expected a function of an array but got {type(given).__name__}; "
                                 "try ActivationExplorer(np.tanh)")
        self.goal, self.own, self.claimed = goal, function is not None, known if name is not None else None
        self.own_derivative = derivative is not None
        self.shapes = dict(SHAPES)
        if self.own:
            self.shapes["yours"] = self.learners_shape(function, derivative)
        self.activation = choice("activation", list(self.shapes), "yours" if self.own else known,
                                 tooltip="the function of a unit's score z")
        self.mean = slider("mean of the scores", -4.0, 4.0, float(mean), step=0.05,
                           tooltip="where the scores lie: the bias b of a unit z = w x + b")
        self.spread = slider("spread of the scores", 0.1, 5.0, float(spread), step=0.05,
                             tooltip="standard deviation of the scores: the weight w of a unit z = w x + b")
        self.input = slider("one score z", -REACH, REACH, 1.0, step=0.05,
                            tooltip="the score at which a point and a tangent are drawn")
        self.threshold = log_slider("saturated below", 0.001, 0.5, threshold, unit="slope",
                                    tooltip="a unit counts as saturated where its slope is smaller than this")
        self.z = np.linspace(-REACH, REACH, CURVE)
        self._curves, self._frame, self._tops = {}, None, None
        figure, axes = plots.subplots(3, 2, width=9.2, height=6.0,
                                      gridspec_kw={"width_ratios": [2.3, 1], "height_ratios": [1.25, 1, 0.8]})
        self._draw(axes)
        self.assemble(figure, [[self.activation], [self.mean, self.spread], [self.input, self.threshold]],
                      [*self.bands, self.curve, self.slopes, self.tangent, self.point, self.slope_point, self.inputs,
                       self.flat_inputs, self.outputs, self.gradients, self.point_text, self.slope_text,
                       *self.titles, self.words], goal=str(goal) if goal else None)

    @staticmethod
    def learners_shape(function, derivative=None):
        """The Shape of a learner's function, with a numerical derivative if there is none."""
        value = learners_activation(function, "function")
        slope = (learners_activation(derivative, "derivative") if derivative is not None else
                 lambda z: central_difference(value, z, STEP))
        return Shape(value, slope, None)

    def _draw(self, axes):
        (self.top, self.out), (self.middle, self.back), (self.bottom, self.text) = axes
        self.bands, self.titles = [], []
        for ax, title in ((self.top, "activation h = φ(z)"), (self.middle, "slope φ′(z)"),
                          (self.bottom, "scores z: share in each bin")):
            self.bands.append(ax.imshow(np.zeros((1, CURVE, 4)), extent=(-REACH, REACH, 0, 1), aspect="auto",
                                        transform=ax.get_xaxis_transform(), interpolation="nearest", zorder=0))
            ax.set(xlim=(-REACH, REACH), title=title)
        self.curve, = self.top.plot([], [], color=plots.INK, linewidth=2.2)
        self.tangent, = self.top.plot([], [], color=plots.VERMILION, linewidth=1.8)
        point = {"marker": "o", "color": plots.VERMILION, "markeredgecolor": plots.INK, "markersize": 9}
        self.point, = self.top.plot([], [], **point)
        self.slopes, = self.middle.plot([], [], color=plots.INK, linewidth=2.2)
        self.slope_point, = self.middle.plot([], [], **point)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
        self.point_text = self.top.text(0.02, 0.95, "", transform=self.top.transAxes, va="top", fontsize=9.5, bbox=box)
        self.slope_text = self.middle.text(0.02, 0.93, "", transform=self.middle.transAxes, va="top", fontsize=9.5,
                                           bbox=box)
        self.inputs = self.bottom.stairs(np.zeros(BINS), np.linspace(-REACH, REACH, BINS + 1), fill=True,
                                         color=plots.SKY)
        self.flat_inputs = self.bottom.stairs(np.zeros(BINS), np.linspace(-REACH, REACH, BINS + 1), fill=True,
                                              color=plots.VERMILION)
        self.bottom.set(xlabel="score z (beyond ±8: in the last bins)", ylim=(0, TOPS[0]))
        self.top.set(ylim=(-1.4, 1.4), yticks=(-1.25,))  # the widest label there is, for which the layout leaves room
        for ax, title in ((self.out, "outputs h"), (self.back, "slopes met")):
            self.titles.append(ax.set_title(title))
            ax.set(xlim=(0, 1), xlabel="share (beyond: in the last bin)" if ax is self.out else "share")
        self.outputs = self.out.stairs(np.zeros(BINS), np.linspace(0, 1, BINS + 1), fill=True, color=plots.SKY,
                                       orientation="horizontal")
        self.gradients = self.back.stairs(np.zeros(BINS), np.linspace(0, 1, BINS + 1), fill=True, color=plots.SKY,
                                          orientation="horizontal")
        self.text.axis("off")
        self.words = self.text.text(0, 0.95, "", transform=self.text.transAxes, va="top", fontsize=10)
        self.middle.set_ylim(-0.25, 1.25)
        self.back.set_ylim(-0.25, 1.25)

    def _curve(self, name):
        """Values and slopes along z; what a learner's function gives is kept, as it is asked for at every change."""
        if name not in self._curves:
            shape = self.shapes[name]
            fault = ""
            if name == "yours":
                fault = value_fault(shape.value, self.claimed) if self.claimed else ""
                if self.own_derivative:
                    fault = " ".join(f for f in (fault, derivative_fault(shape.value, shape.derivative)) if f)
            self._curves[name] = shape.value(self.z), shape.derivative(self.z), fault
        return self._curves[name]

    def _frame_axes(self, values, slopes, view):
        """The limits of the upper axes, which change with the function alone; and the bins between them."""
        low, high = view if view else (float(values.min()), float(values.max()))
        room = 0.12 * max(high - low, 0.5)
        steep = max(1.0, float(slopes.max())), min(0.0, float(slopes.min()))
        limits = (low - room, high + room), (steep[1] - 0.15 * steep[0], 1.3 * steep[0])
        if limits == self._frame:
            return
        self._frame = limits
        self.top.yaxis.set_major_locator(MaxNLocator(5))
        for axes, ends in zip(((self.top, self.out), (self.middle, self.back)), limits):
            for ax in axes:
                ax.set_ylim(ends)
        self.out_edges, self.back_edges = (np.linspace(*ends, BINS + 1) for ends in limits)
        self.background_changed()

    def _frame_shares(self, tops):
        """The limits of the axes of shares, a few round numbers, so that they and the background mostly stay."""
        tops = [next(top for top in TOPS if top >= min(share, 1)) for share in tops]
        if tops != self._tops:
            self._tops = tops
            self.bottom.set_ylim(0, tops[0])
            for ax, top in ((self.out, tops[1]), (self.back, tops[2])):
                ax.set(xlim=(0, top), xticks=(0, 0.5, 1) if top > 1 else (0, top / 2, top))
            self.background_changed()

    def update(self):
        """Send the scores through the activation, and draw it, its slope and the histograms."""
        name, threshold = self.activation.value, self.threshold.value
        shape = self.shapes[name]
        values, slopes, self.fault = self._curve(name)
        self._frame_axes(values, slopes, shape.view)
        z = self.mean.value + self.spread.value * standard_inputs()
        outputs, steep = shape.value(z), shape.derivative(z)
        flat = np.abs(steep) < threshold
        self.saturated, self.dead = float(flat.mean()), float((steep == 0).mean())
        self.active = float((np.abs(steep) >= FLAT).mean())
        self.output_mean, self.output_spread = float(outputs.mean()), float(outputs.std())
        self.ranges = flat_ranges(self.z, slopes, threshold)
        here = np.array([self.input.value])
        self.at = here.item(), shape.value(here).item(), shape.derivative(here).item()
        self._draw_curves(values, slopes, np.abs(slopes) < threshold)
        edges = np.linspace(-REACH, REACH, BINS + 1)
        every = shares(z, edges)
        saturated = np.histogram(np.clip(z[flat], -REACH, REACH), edges)[0] / z.size
        self.inputs.set_data(every)
        self.flat_inputs.set_data(saturated)
        columns = shares(outputs, self.out_edges), shares(steep, self.back_edges)
        self.outputs.set_data(columns[0], self.out_edges)
        self.gradients.set_data(columns[1], self.back_edges)
        self._frame_shares([share.max() for share in (every, *columns)])
        self.words.set_text(f"gray: |slope| below {threshold:.3g}\nscores there (red): {self.saturated:.1%}\n"
                            f"scores at slope exactly 0: {self.dead:.1%}\n"
                            f"spread of the outputs h: {self.output_spread:.3g}")
        self._tell(name)

    def _draw_curves(self, values, slopes, flat):
        shade = np.zeros((1, CURVE, 4))
        shade[0, flat] = (0.5, 0.5, 0.5, 0.28)
        for band in self.bands:
            band.set_data(shade)
        z, h, slope = self.at
        self.curve.set_data(self.z, values)
        self.slopes.set_data(self.z, slopes)
        self.point.set_data([z], [h])
        self.slope_point.set_data([z], [slope])
        along = np.array([-1.5, 1.5])
        self.tangent.set_data(z + along, h + slope * along)
        self.point_text.set_text(f"φ({z:.2f}) = {h:.4g}")
        self.slope_text.set_text(f"φ′({z:.2f}) = {slope:.3g}")

    def _tell(self, name):
        z, h, slope = self.at
        who = "Your function" if name == "yours" else name
        kind = f"values in {RANGES[name]}" if name in RANGES else "values as drawn"
        parts = [f"{who}: {kind}, saturated (slope smaller than {self.threshold.value:.3g}) {in_ranges(self.ranges)}.",
                 f"Of the scores with mean {self.mean.value:.2f} and spread {self.spread.value:.2f}, "
                 f"{self.saturated:.1%} are saturated, and {self.dead:.1%} meet a slope of exactly 0."]
        if self.dead == 1:
            parts.append("No gradient passes at all: this unit learns nothing.")
        parts.append(f"The outputs have mean {self.output_mean:.3g} and spread {self.output_spread:.3g}.")
        if self.fault and name == "yours":
            parts.append(self.fault)
        elif name == "yours" and self.own_derivative:
            parts.append("Your derivative agrees with the difference quotient of your function.")
        self.say(" ".join(parts))
        if self.goal:
            mine = self.claimed if name == "yours" and not self.fault else name
            self.report_goal(self.goal.reached(mine, self.active, self.output_spread),
                             f"Here: {name}, {self.active:.1%} not saturated, spread of the outputs "
                             f"{self.output_spread:.2f}.")

    def describe(self):
        """Alternative text: the function, its slope, the saturated ranges and what the scores meet."""
        z, h, slope = self.at
        name = self.activation.value
        return (f"The activation {name} over its slope, shaded where that is smaller than {self.threshold.value:.3g}: "
                f"{in_ranges(self.ranges)}. At z = {z:.2f} a point on it has height {h:.4g} and a tangent of slope "
                f"{slope:.3g}. Below, the histogram of scores with mean {self.mean.value:.2f} and spread "
                f"{self.spread.value:.2f}, of which {self.saturated:.1%} are saturated; at the right the histograms of "
                f"outputs (spread {self.output_spread:.3g}) and of slopes ({self.dead:.1%} exactly 0)."
                f"{' ' + self.fault if self.fault else ''}")
