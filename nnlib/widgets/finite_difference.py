"""FiniteDifferenceExplorer: a smaller step is better, until rounding spoils the difference of two equal numbers."""

from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import NullLocator

from nnlib import ops, plots
from nnlib.widgets.base import Explorer, LearnerError, choice, learners, log_slider, note, slider
from nnlib.widgets.descent import nice_top

SMALLEST, LARGEST = 1e-16, 1.0  # steps
STEPS = np.geomspace(SMALLEST, LARGEST, 161)  # of the error curves, ten in each decade
LOW, HIGH = 1e-16, 1e2  # errors shown; smaller ones, zero too, are drawn at LOW
REACH = 3.0  # x goes from -REACH to REACH
DTYPES = {"float64": np.float64, "float32": np.float32}
OWN = "yours"


@dataclass(frozen=True)
class ErrorGoal:
    """An error of at most `error` by a method, "forward" or "central"."""

    error: float
    method: str = "central"

    def __str__(self):
        return f"bring the error of the {self.method} difference to {self.error:g} or less"


GOAL = ErrorGoal(1e-10)


@dataclass(frozen=True)
class Curve:
    """A function of one number (of arrays too, elementwise) and its first three derivatives."""

    name: str
    value: object
    derivatives: tuple


def _sigmoid_slopes():
    def first(x):
        p = ops.sigmoid(x)
        return p * (1 - p)

    def second(x):
        return first(x) * (1 - 2 * ops.sigmoid(x))

    def third(x):
        return first(x) * (1 - 6 * first(x))

    return first, second, third


def _slope_of_absolute(x):
    return np.nan if x == 0 else float(np.sign(x))


FUNCTIONS = {curve.name: curve for curve in (
    Curve("sin x", np.sin, (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x))),
    Curve("exp x", np.exp, (np.exp, np.exp, np.exp)),
    Curve("x³", lambda x: x * x * x, (lambda x: 3 * x * x, lambda x: 6 * x, lambda x: 6.0)),
    Curve("1/x", lambda x: 1 / x, (lambda x: -1 / x ** 2, lambda x: 2 / x ** 3, lambda x: -6 / x ** 4)),
    Curve("sigmoid", ops.sigmoid, _sigmoid_slopes()),
    Curve("|x|", np.abs, (_slope_of_absolute, lambda x: 0.0, lambda x: 0.0)))}


def forward_difference(f, x, h):
    """(f(x + h) - f(x)) / h: two evaluations, an error of the order of h."""
    return (f(x + h) - f(x)) / h


def central_difference(f, x, h):
    """(f(x + h) - f(x - h)) / 2h: two evaluations, an error of the order of h^2."""
    return (f(x + h) - f(x - h)) / (2 * h)


DIFFERENCES = {"forward": forward_difference, "central": central_difference}


def extrapolated_derivative(f, x, start=0.2, rounds=12):
    """The derivative of f at x from f alone: central differences at halving steps, extrapolated to step 0.

    Every column of the tableau removes one more even power of h (Ridders, 1982). Returns (derivative, how far
    neighbors in the tableau differ); nan where slopes from left and right say something else, at a kink or a jump.
    """
    h, best, uncertain, last = start, np.nan, np.inf, []
    for _ in range(rounds):
        row = [central_difference(f, x, h)]
        for j, above in enumerate(last, start=1):
            row.append(row[-1] + (row[-1] - above) / (4.0 ** j - 1))
            change = max(abs(row[-1] - row[-2]), abs(row[-1] - above))
            if change < uncertain:
                best, uncertain = row[-1], change
        h, last = h / 2, row
    sides = np.array([forward_difference(f, x, h) for h in (1e-6, -1e-6)])
    smooth = (np.abs(sides - best) <= 1e-3 * (1 + abs(best))).all()
    return (float(best), max(float(uncertain), 1e-15 * abs(best))) if smooth else (np.nan, np.inf)


def higher_derivatives(f, x):
    """The second and third derivatives of f at x, roughly: by differences with steps that suit float64."""
    h, wide = 1e-4, 2e-3
    second = (f(x + h) - 2 * f(x) + f(x - h)) / h ** 2
    third = (f(x + 2 * wide) - 2 * f(x + wide) + 2 * f(x - wide) - f(x - 2 * wide)) / (2 * wide ** 3)
    return float(second), float(third)


def expected_errors(value, slopes, x, h, epsilon):
    """What theory says of the errors at step h (any shape).

    Truncation is what Taylor's series leaves over, as far as the third derivative; rounding comes of the last digits of
    f and of x + h.

    Args: value: f(x).   slopes: its first three derivatives.   epsilon: spacing of the numbers above 1.
    Returns {"forward": (truncation, rounding), "central": (truncation, rounding)}, each of the shape of h.
    """
    first, second, third = slopes
    noise = 0.5 * epsilon * (abs(value) + abs(x * first))
    cubic = abs(third) * h ** 2 / 6
    return {"forward": (abs(second) * h / 2 + cubic, noise / h), "central": (cubic, noise / (2 * h))}


def best_step(method, value, slopes, x, epsilon):
    """The step at which truncation and rounding together are least, and their sum; nan for both if there is none."""
    steps = np.geomspace(SMALLEST, LARGEST, 1601)
    total = sum(expected_errors(value, slopes, x, steps, epsilon)[method])
    best = int(np.argmin(total))
    if not 0 < best < len(steps) - 1:
        return np.nan, np.nan
    return float(steps[best]), float(total[best])


def difference_fault(name, difference):
    """What a learner's `forward` or `central` computes instead, as a sentence; empty if it is right.

    It is tried on exp at 0.7 with a step of 0.01, where every usual slip gives another number.
    """
    x, h = 0.7, 0.01
    here, above, below = np.exp(x), np.exp(x + h), np.exp(x - h)
    forward, central, backward = (above - here) / h, (above - below) / (2 * h), (here - below) / h
    right = {"forward": forward, "central": central}[name]
    slips = {
        "forward": [(backward, "it is the backward difference, (f(x) − f(x − h)) / h"),
                    (central, "it is the central difference"),
                    (above - here, "the division by h is missing"),
                    ((above - here) * h, "it multiplies by h; divide"),
                    (forward / 2, "it divides by 2h, but x + h and x are only h apart"),
                    (above - here / h, "parentheses are missing: only f(x) is divided by h")],
        "central": [(forward, "it is the forward difference"), (backward, "it is the backward difference"),
                    (2 * central, "it divides by h, but x + h and x − h are 2h apart"),
                    (above - below, "the division by 2h is missing"),
                    ((above - below) / 2, "the division by h is missing"),
                    ((above - below) / 2 * h, "`/ 2 * h` divides by 2 and then multiplies by h; write `/ (2 * h)`"),
                    (above - below / (2 * h), "parentheses are missing: only f(x − h) is divided by 2h")]}[name]

    def same(a, b):
        return bool(np.isclose(a, b, rtol=1e-7, atol=0))

    got = difference(np.exp, np.float64(x), np.float64(h))
    halved = 2 * (np.exp(x + h / 2) - np.exp(x - h / 2)) / (2 * h)  # a central difference too, with half the step
    if same(got, right) or name == "central" and same(got, halved):
        return ""
    if same(got, difference(np.exp, np.float64(x), np.float64(10 * h))):
        return f"Your {name} answers {got:.6g} whatever h is: is h used?"
    if same(got, -right):
        return f"Your {name}: the sign is wrong; the value at the larger x comes first."
    for value, words in slips:
        if same(got, value):
            return f"Your {name}: {words}."
    return f"Your {name} gives {got:.6g} for exp at 0.7 with h = 0.01, where the formula gives {right:.6g}."


def read_number(value, name):
    """What a learner's function returned, as a float (nan or infinite, too); a LearnerError if it is no number."""
    if value is None:
        raise LearnerError(f"{name} returned None; is there a return at its end?")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.size != 1:
        got = type(value).__name__ if array.dtype.kind not in "fiub" else f"an array of shape {array.shape}"
        raise LearnerError(f"{name}: expected one real number but got {got}")
    return float(array.reshape(()))


def learners_function(function, name="function"):
    """A learner's function of one number as one of arrays: nan where it has no value (log of -1, 1 / 0)."""
    guarded = learners(function, name)

    def one(x):
        try:
            return read_number(guarded(x), name)
        except LearnerError as error:
            if isinstance(error.__cause__, (ArithmeticError, ValueError)):
                return np.nan
            raise

    def run(x):
        x = np.asarray(x)
        return x.dtype.type(one(x[()])) if x.ndim == 0 else np.array([one(v) for v in x], dtype=x.dtype)
    return run


def learners_difference(difference, name):
    """A learner's `difference(f, x, h)`, checked, for a step h or an array of them."""
    guarded = learners(difference, name)

    def run(f, x, h):
        if np.ndim(h):
            return np.array([read_number(guarded(f, x, step), name) for step in h])
        return read_number(guarded(f, x, h), name)
    return run


class FiniteDifferenceExplorer(Explorer):
    """Drag the step h: a magnifier as wide as h shows the secants, and two curves show what error each step makes.

    Args:
        function: a name of FUNCTIONS, or your own function of one number; sin x if None.
        derivative: of your own function; if None it is found by extrapolation.   at: x, from -3 to 3.
        forward, central: your own `forward(f, x, h)` and `central(f, x, h)`, one number each.
        step: h, from 1e-16 to 1.   goal: an `ErrorGoal`, or None.
    Raises ValueError for an unknown name, or for an x or a step out of range.
    Source: decks A and B (forward and central difference).
    """

    def __init__(self, function=None, derivative=None, at=1.0, forward=None, central=None, goal=GOAL, step=0.1):
        self._functions = dict(FUNCTIONS)
        if callable(function):
            slopes = (None if derivative is None else learners_function(derivative, "derivative"), None, None)
            self._functions = {OWN: Curve("your function", learners_function(function), slopes), **FUNCTIONS}
        elif function is not None and function not in FUNCTIONS:
            raise ValueError(f"FiniteDifferenceExplorer: there is no function {function!r}; try "
                             f"{', '.join(FUNCTIONS)}, or a function of your own")
        if not -REACH <= at <= REACH or not SMALLEST <= step <= LARGEST:
            raise ValueError(f"FiniteDifferenceExplorer: expected at from {-REACH:g} to {REACH:g} and a step from "
                             f"{SMALLEST:g} to {LARGEST:g} but got at={at} and step={step}")
        self.goal, own = goal, {"forward": forward, "central": central}
        self.differences = {name: learners_difference(own[name], name) if own[name] else standard
                            for name, standard in DIFFERENCES.items()}
        self._own, self._faults = [name for name in own if own[name]], None
        first = OWN if callable(function) else function or "sin x"
        self.function = choice("function", list(self._functions), first,
                               tooltip="the function f whose derivative is sought")
        self.x = slider("x", -REACH, REACH, float(at), step=0.05, tooltip="where the derivative is sought")
        self.h = log_slider("step h", SMALLEST, LARGEST, step, step=0.05,
                            tooltip="the distance from x at which f is evaluated")
        self.dtype = choice("numbers", list(DTYPES), tooltip="float64 keeps about 16 digits, float32 about 7")
        self._key = self._frame = None
        self.assemble(self._draw(), [[self.function], [self.h, self.x], [self.dtype]],
                      [self.line, self.tangent, self.forward_secant, self.central_secant, self.dots, self.note,
                       *self.roots, *self.root_names, *self.theory.values(), *self.curves.values(), self.cursor,
                       *self.here.values(), self.curve_note, self.near_title], goal=str(goal) if goal else None)

    def _draw(self):
        figure, (near, errors) = plots.subplots(1, 2, width=9.6, height=4.1, gridspec_kw={"width_ratios": [1, 1.35]})
        self.near, self.errors = near, errors
        near.set(xlim=(-2, 2), ylim=(-0.15, 0.15), yticks=(-0.075, 0.075), xticks=(-2, -1, 0, 1, 2),
                 xlabel="(position − x) / h", ylabel="(f − f(x)) / h")
        near.yaxis.set_major_formatter("{x:g}")
        self.line, = near.plot([], [], color=plots.INK, linewidth=1.6)
        self.tangent, = near.plot([], [], color=plots.GRAY, linewidth=5, alpha=0.75, label="tangent")
        self.forward_secant, = near.plot([], [], color=plots.VERMILION, linewidth=2, label="forward")
        self.central_secant, = near.plot([], [], "--", color=plots.PURPLE, linewidth=2.5, label="central")
        self.dots, = near.plot([], [], "o", color="white", markeredgecolor=plots.INK, markersize=6)
        self.note, self.near_title = note(near, 0.95, "top"), near.set_title("magnified: h = 1.1e-16")
        near.legend(loc="lower right")
        errors.set(xscale="log", yscale="log", xlim=(SMALLEST, LARGEST), ylim=(LOW, HIGH), xlabel="step h",
                   ylabel="error of the derivative", title="error against step")
        for axis in (errors.xaxis, errors.yaxis):
            axis.set_minor_locator(NullLocator())
        if self.goal:
            errors.axhline(self.goal.error, color=plots.GREEN, linestyle="--", linewidth=1.5)
            errors.text(0.99, self.goal.error, f"goal {self.goal.error:g}", ha="right", va="bottom", fontsize=9.5,
                        transform=errors.get_yaxis_transform())
        self.roots = [errors.axvline(1, color=plots.GRAY, linestyle=":", linewidth=1.2) for _ in range(2)]
        self.root_names = [errors.text(1, 0.97, name, transform=errors.get_xaxis_transform(), ha="right", va="top")
                           for name in ("√ε", "³√ε")]
        colors = {"forward": plots.VERMILION, "central": plots.PURPLE}
        self.theory = {name: errors.plot([], [], ":", color=color, linewidth=1.6)[0]
                       for name, color in colors.items()}
        self.curves = {name: errors.plot([], [], style, color=color, linewidth=1.3, label=name)[0]
                       for (name, color), style in zip(colors.items(), ("-", "-."))}
        self.cursor = errors.axvline(1, color=plots.INK, linewidth=1)
        self.here = {name: errors.plot([], [], marker, color=color, markeredgecolor=plots.INK, markersize=size,
                                       clip_on=False, in_layout=False)[0]
                     for (name, color), marker, size in zip(colors.items(), "os", (13, 7))}
        self.curve_note = note(errors, 0.8, "top")
        errors.legend(loc="lower left")
        return figure

    def _measure(self):
        """For the chosen function, x and numbers: value, slopes and the error curves, whatever h is."""
        key = self.function.value, self.x.value, self.dtype.value
        if key == self._key:
            return
        if self._faults is None:
            self._faults = [fault for name in self._own if (fault := difference_fault(name, self.differences[name]))]
        self.kind = DTYPES[self.dtype.value]
        self.f, self.at = self._functions[self.function.value], self.kind(round(self.x.value, 9))
        x, self.doubt = float(self.at), 0.0
        self.value = float(self.f.value(np.float64(x)))
        if self.function.value == OWN:
            self.slopes = self._own_slopes(x)
        else:
            self.slopes = tuple(float(slope(np.float64(x))) for slope in self.f.derivatives)
        self.smooth = bool(np.isfinite([self.value, self.slopes[0]]).all())
        steps = STEPS.astype(self.kind)
        self.error_curves = {name: np.abs(np.asarray(difference(self.f.value, self.at, steps), dtype=float)
                                          - self.slopes[0]) for name, difference in self.differences.items()}
        self.epsilon = float(np.finfo(self.kind).eps)
        self.best = {name: best_step(name, self.value, self.slopes, x, self.epsilon) for name in DIFFERENCES}
        self._key = key

    def _own_slopes(self, x):
        """The derivatives of a learner's function, and into `slope_fault` what is wrong with the given one."""
        self.slope_fault = ""
        slope, self.doubt = extrapolated_derivative(self.f.value, np.float64(x))
        given = self.f.derivatives[0]
        if given is None:
            return slope, *higher_derivatives(self.f.value, np.float64(x))
        told = float(given(np.float64(x)))
        if np.isfinite(slope) and not abs(told - slope) <= 1e-6 * (1 + abs(slope)) + 10 * self.doubt:
            self.slope_fault = (f"Your derivative is {told:.6g} at x = {x:g}, but the differences tend to {slope:.6g}: "
                                "both curves stop falling at the gap between the two.")
        self.doubt = 0.0
        return told, *higher_derivatives(self.f.value, np.float64(x))

    slope_fault = ""

    def update(self):
        """Draw the secants at this h, and both errors on their curves."""
        self._measure()
        h = self.kind(self.h.value)
        self.estimates = {name: float(difference(self.f.value, self.at, h))
                          for name, difference in self.differences.items()}
        self.now = {name: abs(value - self.slopes[0]) for name, value in self.estimates.items()}
        self._magnify(h)
        expected = expected_errors(self.value, self.slopes, float(self.at), STEPS, self.epsilon)
        for name in DIFFERENCES:
            curve = self.error_curves[name]
            self.curves[name].set_data(STEPS, np.where(np.isfinite(curve), np.clip(curve, LOW, 10 * HIGH), np.nan))
            self.theory[name].set_data(STEPS, sum(expected[name]) if self.smooth else np.nan * STEPS)
            self.here[name].set_data([self.h.value], [np.clip(self.now[name], LOW, HIGH) if self.smooth else np.nan])
        self.cursor.set_xdata([self.h.value] * 2)
        for line, text, power in zip(self.roots, self.root_names, (1 / 2, 1 / 3)):
            line.set_xdata([self.epsilon ** power] * 2)
            text.set_x(self.epsilon ** power)
        self.curve_note.set_text("" if self.smooth else "no derivative here")
        self._tell(h)

    def _magnify(self, h):
        """The neighborhood of x in units of h, as the chosen numbers see it, with tangent and secants."""
        slope = self.slopes[0]
        units = np.linspace(-2, 2, 201)
        places = (self.at + units * float(h)).astype(self.kind)
        edges = np.array([self.at - h, self.at, self.at + h])
        here = float(self.f.value(self.at))
        heights, edges = ((np.asarray(self.f.value(at), dtype=float) - here) / float(h) for at in (places, edges))
        top = 3.0
        if self.smooth:  # room for the tangent, and for the bend of a wide neighborhood
            bend = min(np.nan_to_num(2 * abs(self.slopes[1] * float(h))), max(2.0, 2 * abs(slope)))
            top = nice_top(max(0.2, 2.2 * abs(slope) + bend))
        if top != self._frame:
            self._frame = top
            self.near.set(ylim=(-top, top), yticks=np.linspace(-top, top, 5))
            self.background_changed()
        self.line.set_data(units, np.clip(heights, -50 * top, 50 * top))
        self.tangent.set_data([-2, 2], np.array([-2, 2]) * slope)
        ends = np.array([-2.0, 2.0])
        self.forward_secant.set_data(ends, ends * self.estimates["forward"])
        middle = (edges[0] + edges[2]) / 2
        self.central_secant.set_data(ends, np.clip(middle + ends * self.estimates["central"], -1e6, 1e6))
        self.dots.set_data([-1, 0, 1], np.clip(edges, -50 * top, 50 * top))
        self.near_title.set_text(f"magnified: h = {float(h):.2g}")
        self.note.set_text("" if np.isfinite(self.value) else f"no value at x = {float(self.at):g}")

    def regime(self, name, h):
        """Which error dominates at step h; something else where the error is far larger than theory's sum of both."""
        truncation, rounding = expected_errors(self.value, self.slopes, float(self.at), h, self.epsilon)[name]
        if self.now[name] == 0:
            return "not one digit is wrong"
        if any(fault.startswith(f"Your {name}") for fault in self._faults):
            return "not the method's own"
        if self.now[name] > 100 * (truncation + rounding):
            return "more than theory expects: what does f do between x − h and x + h?"
        return "truncation dominates" if truncation > rounding else "rounding dominates"

    def _tell(self, h):
        name, x = self.f.name, float(self.at)
        if not self.smooth:
            there = f"{name} has no {'derivative' if np.isfinite(self.value) else 'value'} at x = {x:g}"
            parts = [f"{there[0].upper()}{there[1:]}, yet the formulas answer: forward "
                     f"{self.estimates['forward']:.6g}, central {self.estimates['central']:.6g}."]
        else:
            parts = [f"f'({x:g}) = {self.slopes[0]:.12g}, and with h = {float(h):.2g}:"]
            for method in DIFFERENCES:
                parts.append(f"{method} {self.estimates[method]:.12g}, error {self.now[method]:.1e} "
                             f"({self.regime(method, float(h))}){';' if method == 'forward' else '.'}")
            best = [f"{method} {at:.0e} (error about {error:.0e})" for method, (at, error) in self.best.items()
                    if np.isfinite(at)]
            if best:
                parts.append(f"Best steps by theory (dotted curves): {', '.join(best)}.")
            if self.at + h == self.at:
                parts.append(f"In {self.dtype.value}, x + h rounds to x itself here.")
            if self.doubt:
                parts.append(f"The derivative itself is known to about {self.doubt:.0e} here.")
        self.fault = " ".join([*self._faults, *([self.slope_fault] if self.function.value == OWN else [])]).strip()
        self.say(" ".join([*parts, self.fault]).strip())
        if self.goal:
            error, method = self.now[self.goal.method], self.goal.method
            straight = expected_errors(self.value, self.slopes, x, 1.0, self.epsilon)[method][0] == 0
            reached = bool(error <= self.goal.error) and not straight and not self.fault
            self.report_goal(reached, "On a straight line every step is right: choose another function." if straight and
                             self.smooth else f"Its error is {error:.1e}." if np.isfinite(error) else
                             "There is no derivative to come close to.")

    def describe(self):
        """Alternative text: the secants beside the tangent, and the two errors on their curves."""
        name, x, h = self.f.name, float(self.at), self.h.value
        if not self.smooth:
            return (f"Left, {name} around x = {x:g} in units of the step h = {h:.1e}. There is no derivative at this "
                    f"place: the forward difference says {self.estimates['forward']:.4g}, the central one "
                    f"{self.estimates['central']:.4g}. Right, no error curves.")
        lowest = {method: (curve[at := int(np.nanargmin(curve))], STEPS[at])
                  for method, curve in self.error_curves.items() if not np.isnan(curve).all()}
        valleys = ", ".join(f"the {method} one lowest with {error:.0e} at step {at:.0e}"
                            for method, (error, at) in lowest.items())
        return (f"Left, {name} around x = {x:g} in units of the step h = {h:.1e}: the tangent has slope "
                f"{self.slopes[0]:.4g}, the forward secant {self.estimates['forward']:.4g}, the central one "
                f"{self.estimates['central']:.4g}. Right, both errors against the step from 1e-16 to 1 on logarithmic "
                f"axes in {self.dtype.value}: {valleys}. At this step the forward error is "
                f"{self.now['forward']:.1e} ({self.regime('forward', h)}), the central one "
                f"{self.now['central']:.1e} ({self.regime('central', h)}).")
