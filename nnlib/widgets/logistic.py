"""LogisticRegressionExplorer: set a neuron's weights by hand, see its loss, then let descent do it."""

import time

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from nnlib.datasets import make_blobs, make_circles, make_moons, make_xor
from nnlib.ops import sigmoid
from nnlib.plots import DIVERGING, INK, VERMILION, grid, subplots
from nnlib.plots.plane import MARKERS
from nnlib.widgets.base import Explorer, LearnerError, Player, choice, learners, log_slider, slider
from nnlib.widgets.descent import counted, logistic_loss, lowest_point

VIEW, LIMIT, STEP = 3.4, 6.0, 0.05  # half the width of the plane shown; largest weight; grid of the sliders
PLANE, WEIGHTS = (-VIEW, VIEW, -VIEW, VIEW), (-LIMIT, LIMIT, -LIMIT, LIMIT)
START = (-2.0, 1.0, 1.5)  # w1, w2, b
ECHO = 0.5  # seconds within which the browser may send back a value that was set here
LOSSES = (0.1, 12.8)  # from white to gray, in bands
BANDS = LinearSegmentedColormap.from_list("bands", ["#FFFFFF", "#DDDDDD", "#777777"], N=14)
SETS = {"overlapping": "two overlapping clouds", "separable": "two clouds with a gap between them",
        "moons": "two interleaved moons", "circles": "a ring around a disk",
        "xor": "four clouds, equal classes at opposite corners"}


def training_set(name):
    """The points of one of SETS, scaled to fill the plane shown. Returns X (n, 2), t (n,); n = 80 or 100."""
    if name == "overlapping":
        data, scale, shift = make_blobs(80, centers=((-0.3, -0.9), (1.3, 0.5)), seed=5), 1.0, 0.0
    elif name == "separable":
        data, scale, shift = make_blobs(80, centers=((-1.2, -0.9), (1.2, 0.9)), spread=0.5, seed=2), 1.0, 0.0
    elif name == "moons":
        data, scale, shift = make_moons(100), 1.6, (-0.8, -0.4)
    elif name == "circles":
        data, scale, shift = make_circles(100, noise=0.08), 2.3, 0.0
    else:
        data, scale, shift = make_xor(80), 1.5, 0.0
    return scale * data.X + shift, data.t


def logistic_gradient(X, t, w, b):
    """Gradient of `logistic_loss` at w (d,): the means of (p - t) x and of p - t. Returns (dw (d,), db)."""
    error = sigmoid(X @ w + b) - t
    return error @ X / len(t), error.mean()


def lowest_loss(X, t, steps=12):
    """The loss at the floor of the valley, by Newton steps from zero; where a line separates the classes, nearly 0."""
    V = np.column_stack([X, np.ones(len(X))])
    return float(logistic_loss(V, t, lowest_point(V, t, steps)))


def boundary(w, b, reach=4 * VIEW):
    """Two points (2, 2) on the line w @ x + b = 0, `reach` to both sides of its foot; nan if w = 0."""
    squared = w @ w
    if squared == 0:
        return np.full((2, 2), np.nan)
    along = np.array([-w[1], w[0]]) / np.sqrt(squared)
    return -b * w / squared + reach * np.array([-along, along])


def way_down(gradient):
    """How descent changes w1, w2 and b, in words; empty where the gradient (3,) is almost zero."""
    moves = [f"{'lower' if g > 0 else 'raise'} {name}" for name, g in zip(("w1", "w2", "b"), gradient)
             if abs(g) > 0.005]
    return ", ".join(moves)


class LogisticRegressionExplorer(Explorer):
    """The plane shows what the neuron answers, the map shows the loss around its weights and the way down.

    Args:
        gradient: from (X, t, w, b) to (dw, db), the learner's own; it draws the arrow and makes the steps.
        dataset: one of SETS.   goal: loss to be reached by hand, or None.
    Raises ValueError for an unknown data set.
    """

    def __init__(self, gradient=logistic_gradient, dataset="overlapping", goal=0.30):
        if dataset not in SETS:
            raise ValueError(f"LogisticRegressionExplorer: expected dataset to be one of {', '.join(SETS)} but got "
                             f"{dataset!r}")
        self._learners_gradient, self.goal = learners(gradient, "gradient"), goal
        self._was_set = []
        self.data = choice("data", list(SETS), dataset, tooltip="the points that the neuron has to tell apart")
        tips = "weight of the input x1", "weight of the input x2", "bias: weight of a unit that always emits 1"
        self.sliders = [slider(name, -LIMIT, LIMIT, start, step=STEP, tooltip=tip)
                        for name, start, tip in zip(("w1", "w2", "b"), START, tips)]
        self.w1, self.w2, self.b = self.sliders
        self.rate = log_slider("learning rate", 0.1, 10, 1.0, tooltip="the gradient times this is one step")
        self.player = Player(self._descend, self._restart, interval=0.15)
        self._load()
        self.assemble(self._draw(), [[self.w1, self.w2], [self.b, self.data], [self.rate, self.player]], [
            self._field, *self._points, self._line, self._normal,
            self._map, self._hand, self._descent, self._arrow, self._here],
            goal=f"reach a loss of {goal:.2f} by hand" if goal else None)

    def _draw(self):
        figure, (plane, weights) = subplots(1, 2, width=8.8, height=3.9)
        arrow = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.013}
        self._field = plane.imshow(np.full((2, 2), 0.5), extent=PLANE, origin="lower", cmap=DIVERGING,
                                   vmin=0, vmax=1, alpha=0.6, interpolation="bilinear")
        self._points = [plane.plot([], [], marker, color=color, markeredgecolor=INK, markeredgewidth=0.6)[0]
                        for marker, color in MARKERS.values()]
        self._line, = plane.plot([], [], color=INK)
        self._normal = plane.quiver([0], [0], [0], [0], color=INK, **arrow)
        plane.set(xlim=PLANE[:2], ylim=PLANE[2:], xlabel="x1", ylabel="x2", title="what the neuron answers")
        figure.colorbar(self._field, ax=plane, label="probability of class 1 (triangles)", shrink=0.85)
        self._map = weights.imshow(np.ones((2, 2)), extent=WEIGHTS, origin="lower", cmap=BANDS,
                                   norm=LogNorm(*LOSSES), interpolation="bilinear",
                                   interpolation_stage="data")
        self._hand, = weights.plot([], [], ":", color=INK, linewidth=1.2)
        self._descent, = weights.plot([], [], "-o", color=VERMILION, linewidth=1.4, markersize=3.5)
        self._arrow = weights.quiver([0], [0], [0], [0], color=VERMILION, **arrow)
        self._here, = weights.plot([], [], "o", markersize=8, markerfacecolor="white", markeredgecolor=INK,
                                   markeredgewidth=2)
        weights.set(xlim=WEIGHTS[:2], ylim=WEIGHTS[2:], xlabel="w1", ylabel="w2", title="the loss at this b")
        bar = figure.colorbar(self._map, ax=weights, label="loss", shrink=0.85, ticks=[0.1, 0.3, 1, 3, 10])
        bar.ax.minorticks_off()
        bar.ax.set_yticklabels(["0.1", "0.3", "1", "3", "10"])
        for ax in (plane, weights):
            ax.grid(False)
        self._plane_points = np.stack(grid(PLANE, 48), axis=-1)
        self._weight_points = np.stack(grid(WEIGHTS, 41), axis=-1)
        return figure

    def _load(self):
        """Take the chosen data, and forget what was reached on others."""
        self.X, self.t = training_set(self.data.value)
        self.lowest, self.best, self._mapped = lowest_loss(self.X, self.t), np.inf, None
        self._start()

    def _start(self):
        self._set(START)
        self.steps, self._note, self._hand_path, self._descent_path = 0, "", [self.parameters[:2]], []

    def _changed(self, change):
        if change.owner is self.data:
            self.player.pause()
            self._load()
        elif change.owner in self.sliders:
            if abs(change.new - change.old) < STEP / 2:  # the browser sends back what was set, a little rounded
                return
            if self._is_late_echo(change):  # of a step made before a reset, say: show what holds now
                self._show_parameters()
                return
            self.player.pause()  # a hand on a slider takes over
            self.parameters = self.parameters.copy()
            self.parameters[self.sliders.index(change.owner)] = round(change.new, 2)
            self._note, self.steps, self._descent_path = "", 0, []
            self._hand_path = [*self._hand_path[-300:], self.parameters[:2]]
        super()._changed(change)

    def _set(self, parameters):
        """Set w1, w2 and b; the sliders show the nearest value of their grid, to which the browser rounds anyway."""
        self.parameters = np.array(parameters, dtype=float)
        self._show_parameters()
        self._was_set = [*self._was_set[-2:], (time.monotonic(), [control.value for control in self.sliders])]

    def _show_parameters(self):
        with self.setting_controls():
            for control, value in zip(self.sliders, self.parameters):
                control.value = round(round(value / STEP) * STEP, 2)

    def _is_late_echo(self, change):
        """Whether the browser sends back, only now, a value that was set a moment ago and no longer holds."""
        place = self.sliders.index(change.owner)
        return any(abs(change.new - values[place]) < 1e-6 and time.monotonic() - when < ECHO
                   for when, values in self._was_set)

    def _restart(self):
        self._start()
        self.refresh()

    def _descend(self):
        """One step of gradient descent. Returns whether another one makes sense."""
        if self._gradient is None:  # the learner's function failed, and the explorer says so
            return False
        self._descent_path = self._descent_path or [self.parameters[:2]]
        there = self.parameters - self.rate.value * self._gradient
        if inside := bool(np.all(np.abs(there) <= LIMIT)):
            self._set(there)
            self.steps += 1
            self._descent_path.append(there[:2])
        else:
            self._note = "The next step would leave the map, so the descent stops here."
        self.refresh()
        return inside and self._gradient is not None and bool(np.abs(self._gradient).max() > 0.002)

    def _measure(self):
        """Set loss, right answers and gradient (by the learner's function) at the present parameters."""
        w, b, self._gradient = self.parameters[:2], self.parameters[2], None
        got = self._learners_gradient(self.X, self.t, w, b)
        try:
            dw, db = got
            gradient = np.array([*np.asarray(dw, dtype=float).reshape(2), float(db)])
        except (TypeError, ValueError):
            form = [np.shape(part) for part in got] if isinstance(got, tuple) else f"a {type(got).__name__}"
            raise LearnerError(f"expected (dw, db) of shapes (2,) and () but got {form}; try `return dw, db`") from None
        if not np.all(np.isfinite(gradient)):
            raise LearnerError(f"expected finite numbers but got dw = {gradient[:2]}, db = {gradient[2]}; does np.exp "
                               "overflow, or is there a division by zero?")
        self._gradient = gradient
        self.loss = float(logistic_loss(self.X, self.t, w, b))
        self.right = int(np.sum((self.X @ w + b > 0) == self.t))
        return w, b

    def update(self):
        """Draw the neuron's answers and boundary, and its place and way down on the map of the loss."""
        w, b = self._measure()
        self._field.set_data(sigmoid(self._plane_points @ w + b))
        for k, points in enumerate(self._points):
            points.set_data(*self.X[self.t == k].T)
        ends, length = boundary(w, b), np.hypot(*w)
        self._line.set_data(*ends.T)
        self._normal.set_offsets(ends.mean(axis=0))
        self._normal.set_UVC(*(w / length if length else w))
        if self._mapped != b:
            self._map.set_data(np.clip(logistic_loss(self.X, self.t, self._weight_points, b), *LOSSES))
            self._mapped = b
        self._hand.set_data(*np.transpose(self._hand_path))
        self._descent.set_data(*np.reshape(self._descent_path, (-1, 2)).T)
        self._arrow.set_offsets(w)
        self._arrow.set_UVC(*(-3 * self._gradient[:2]))
        self._here.set_data(*w[:, None])
        self._report()

    def _report(self):
        """Write the numbers under the picture, and how far the goal is."""
        if not self.steps:
            self.best = min(self.best, self.loss)
        if way := way_down(self._gradient):
            advice = f"Downhill: {way}."
        elif self.right == len(self.t):
            advice = "Every point is right: the loss can only creep toward 0 while the weights grow."
        else:
            advice = "The gradient is almost zero: this loss has one valley only, and you stand on its floor."
        numbers = ", ".join(f"{name} = {g:+.3f}" for name, g in zip(("dw1", "dw2", "db"), self._gradient))
        self.say(f"Loss {self.loss:.3f}; {self.right} of {len(self.t)} points right. Gradient: {numbers}. "
                 f"{self._note or advice}")
        if self.goal:
            descent = f" Descent: {self.loss:.3f} after {counted(self.steps, 'step')}." if self.steps else ""
            limit = "" if self.lowest < self.goal else " No line gets there on these points: how low can you come?"
            self.report_goal(self.best <= self.goal, f"Your best: {self.best:.3f}.{descent}{limit}")

    def describe(self):
        """Alternative text: the boundary among the points, and the loss with the way down."""
        w1, w2, b = self.parameters
        corners = VIEW * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) @ (w1, w2) + b
        line = ("a straight boundary crosses them, class 1 on the side its arrow points to"
                if corners.min() < 0 < corners.max() else "the boundary lies outside the plane shown")
        way = way_down(self._gradient)
        slope = f"the arrow of the negative gradient says: {way}" if way else "the gradient is almost zero"
        return (f"Left: {SETS[self.data.value]}; {line}; {self.right} of {len(self.t)} points lie on their side. "
                f"Right: the loss over w1 and w2, one valley in shades of gray; at w1 = {w1:.2f}, w2 = {w2:.2f}, "
                f"b = {b:.2f} it is {self.loss:.3f}, and {slope}.")
