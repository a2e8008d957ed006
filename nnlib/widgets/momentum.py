"""MomentumExplorer: a rate that is safe across a narrow valley is tiny along it, until momentum helps."""

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import LogLocator

from nnlib import plots
from nnlib.widgets.base import Explorer, Goal, LearnerError, choice, learners, learners_array, log_slider, note, slider
from nnlib.widgets.descent import (
    FAR,
    best_momentum,
    convergence_factor,
    descend,
    drawable,
    in_words,
    momentum_step,
    nesterov_step,
    outside_from,
    quadratic,
    stable_below,
    swinging_rates,
    trace_verdict,
)

GOAL = Goal(loss=1e-6, steps=60)
START_CONDITION = 25.0
RULES = {"momentum": momentum_step, "Nesterov": nesterov_step}
LEVELS = np.array([0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])  # factors that may get a line on the map


def learners_step(step):
    """A learner's `step(w, gradient, velocity, rate, momentum)`, checked: it returns (w, velocity)."""
    guarded = learners(step, "step")

    def run(w, gradient, velocity, rate, momentum):
        result = guarded(w.copy(), gradient.copy(), velocity.copy(), rate, momentum)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            got = (f"an array of shape {result.shape}" if isinstance(result, np.ndarray) else
                   f"{len(result)} values" if isinstance(result, (tuple, list)) else
                   "None" if result is None else type(result).__name__)
            raise LearnerError(f"step: expected the pair (w, velocity) but got {got}; try `return w, velocity`")
        return (learners_array(result[0], w.shape, "step, w"), learners_array(result[1], w.shape, "step, velocity"))
    return run


def measured_factor(losses):
    """By how much the distance to the minimum of a quadratic shrank per step, from the losses (steps + 1,).

    The highest loss of the last quarter is compared with that of the quarter before, as the loss may swing.
    """
    n = len(losses) // 4
    with np.errstate(all="ignore"):
        return float((losses[-n:].max() / losses[-2 * n:-n].max()) ** (0.5 / n))


class MomentumExplorer(Explorer):
    """Drag rate and momentum; see the path, the loss, and where you are on the map of convergence factors.

    Args:
        step: your own `step(w, gradient, velocity, rate, momentum) -> (w, velocity)`, arrays (2,), where
            `gradient` is taken at w and the velocity begins at 0. The map always shows the standard step.
        condition: the largest curvature, above 1; the smallest is 1. None: a slider sets it, from 1 to 1000.
        goal: a `Goal`; where the condition has a slider, it counts at 25 or more.
        rate, momentum: where their sliders begin; momentum 0 to 0.99.
        rule: "momentum" or "Nesterov", which can then be chosen (beside your own step); None: there is no choice.
    Raises ValueError for a condition of 1 or less, or another rule.
    Source: deck D, poor conditioning and momentum; Polyak (1964).
    """

    def __init__(self, step=momentum_step, condition=START_CONDITION, goal=GOAL, rate=None, momentum=0.0, rule=None):
        self.free = condition is None
        condition = START_CONDITION if self.free else condition
        if not (np.isfinite(condition) and condition > 1):
            raise ValueError(f"MomentumExplorer: expected a condition above 1 but got {condition}; try 25")
        if rule not in (None, *RULES):
            raise ValueError(f"MomentumExplorer: there is no rule {rule!r}; try {' or '.join(RULES)}")
        self.own = step is not momentum_step
        self.steppers = {**RULES, **({"yours": learners_step(step)} if self.own else {})}
        first = "yours" if self.own else rule or "momentum"
        self.rule = choice("rule", list(self.steppers), first, tooltip="how a step follows from gradient and velocity")
        self.learner = self.steppers[first]
        self.goal, self.steps = goal, 3 * goal.steps // 2
        self.condition = log_slider("condition", 1.0, 1000.0, condition, step=0.01,
                                    tooltip="how much steeper the valley is across than along")
        self._set_valley(condition)
        self.rate = log_slider("learning rate", *self.rates, rate or self.first_rate,
                               tooltip="how far one step goes along the velocity")
        self.momentum = slider("momentum", 0.0, 0.99, float(momentum), step=0.01,
                               tooltip="the part of the velocity that stays from one step to the next")
        figure, (self.plane, self.trace, self.map) = plots.subplots(1, 3, width=9.6, height=3.7)
        self._ground = []  # what is drawn for one condition and one rule, and goes with them
        self._draw_plane()
        self._draw_trace()
        self._draw_map()
        self._draw_ground()
        self.plane.set_ylim((-0.6, 0.6) if self.free else self.surface.bounds[2:])  # the widest labels there are
        rows = [[self.rule]] if rule or self.free else []
        rows += [[self.condition]] if self.free else []
        self.assemble(figure, [*rows, [self.rate, self.momentum]],
                      [self.path, self.ring, self.end, self.note, self.line, self.hit, self.off,
                       self.trace_title, self.here, self.map_title], goal=str(goal))

    def _set_valley(self, condition):
        """The valley of this condition, and the rates that its map shows."""
        self.curvatures = np.array([1.0, condition])
        height = 4 / np.sqrt(condition)  # at the start both directions hold the same share of the loss
        self.surface = quadratic(self.curvatures, (-4.0, height), (-5, 5, -3 * height, 3 * height))
        best = float(best_momentum(condition, 1.0)[0])
        # the slider stops at the best; where the condition can change, the rates stay, and the map moves over them
        self.rates = (3e-4, 3.0) if self.free else (best * 10 ** -1.4, best * 10 ** 0.4)
        self.first_rate = best * 10 ** -0.26

    def _draw_plane(self):
        ax = self.plane
        ax.set(xlabel="weight w1 (flat)", ylabel="weight w2 (steep)", title="path")
        self.path, = ax.plot([], [], "-o", color=plots.VERMILION, markersize=3, linewidth=1.2)
        self.ring, = ax.plot(*self.surface.start, "o", markersize=10, markerfacecolor="white",
                             markeredgecolor=plots.VERMILION, markeredgewidth=2)
        self.end, = ax.plot([], [], "D", markersize=8, color=plots.INK)
        self.note = note(ax, 0.03, "bottom")

    def _draw_trace(self):
        ax, goal = self.trace, self.goal
        top = float(self.surface.value(np.array(self.surface.start)))
        low = 1e-6 * min(goal.loss, top)
        corner = [0, goal.steps, goal.steps], [goal.loss, goal.loss, low]
        ax.plot(*corner, "--", color=plots.GREEN, linewidth=2)
        ax.fill_between([0, goal.steps], low, goal.loss, color=plots.GREEN, alpha=0.10, linewidth=0)
        ax.text(0.03, 0.03, f"goal:\n{goal.loss:g} in {goal.steps}", transform=ax.transAxes, fontsize=9.5)
        self.line, = ax.plot([], [], "-", color=plots.INK, linewidth=1.6)
        self.hit, = ax.plot([], [], "*", color=plots.GREEN, markeredgecolor=plots.INK, markersize=14)
        self.off, self.trace_title = note(ax, 0.95, "top"), ax.set_title("trace")
        ax.set(xlabel="step", ylabel="loss", yscale="log", xlim=(-1, self.steps), ylim=(low, 1e4 * top))

    def _draw_ground(self):
        """The contours of the valley and the map of factors, for this condition and rule."""
        for artist in self._ground:
            artist.remove()
        bounds, ax, (small, large), ahead = self.surface.bounds, self.map, self.curvatures, self.nesterov
        self._ground = [plots.contours(self.plane, self.surface.value, bounds, resolution=90, levels=12)]
        self.plane.set_xlim(bounds[:2])
        self.ring.set_data([[x] for x in self.surface.start])
        fine = (150, 120) if self.free else (300, 240)
        rates, momenta = np.meshgrid(np.geomspace(*self.rates, fine[0]), np.linspace(0, 0.99, fine[1]))
        factors = convergence_factor(rates, momenta, self.curvatures, ahead)
        best_rate, best, best_factor = best_momentum(large, small, ahead)
        levels = LEVELS[LEVELS > best_factor + 0.15 * (1 - best_factor)][:4]
        shades = colormaps["cividis"](np.linspace(0.3, 1, len(levels) + 1))
        self._ground += [ax.contourf(rates, momenta, factors, levels=(0, *levels, 1), colors=shades, alpha=0.8),
                         ax.contourf(rates, momenta, factors, levels=(1, 1e9), colors=["white"], hatches=["///"])]
        for level in levels:  # a line, and its number under the flat part, where the descent swings
            self._ground.append(ax.contour(rates, momenta, factors, levels=[level], colors=plots.INK, linewidths=0.8))
            left, right = swinging_rates(level, self.curvatures)
            middle = np.sqrt(max(left, self.rates[0]) * right)  # of what is shown, on a logarithmic axis
            height = level ** 2 / (1 - middle * small) if ahead else level ** 2
            if self.free and (right < 2.5 * left or height > 0.98):
                continue  # no room for a number
            self._ground.append(ax.text(middle, height - 0.01, f"{level:g}", ha="center", va="top", fontsize=9.5,
                                        color="black"))
        edge = np.linspace(0, 0.99, 50)
        self._ground += ax.plot(stable_below(edge, large, ahead), edge, color=plots.VERMILION, linewidth=2.5)
        self._ground += ax.plot(best_rate, best, "*", color="white", markeredgecolor=plots.INK, markersize=15)

    @property
    def nesterov(self):
        """Whether the map is that of Nesterov's step; for a rule of your own it is that of momentum."""
        return self.rule.value == "Nesterov"

    def _changed(self, change):
        if change["owner"] in (self.condition, self.rule):
            self.learner = self.steppers[self.rule.value]
            if self.free:
                self._set_valley(self.condition.value)
            self._draw_ground()
            self.background_changed()
        super()._changed(change)

    def _draw_map(self):
        ax = self.map
        ax.set(xscale="log", xlim=self.rates, ylim=(0, 0.99), xlabel="learning rate", ylabel="momentum")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3) if np.log10(self.rates[1] / self.rates[0]) < 2 else (1,)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter("")
        ax.grid(False)
        self.map_title = ax.set_title("factor per step")
        self.here, = ax.plot([], [], "o", markersize=12, markerfacecolor="none", markeredgewidth=3,
                             markeredgecolor=plots.INK, clip_on=False, in_layout=False)

    def update(self):
        """Descend, and draw the path, its loss, and the place on the map."""
        rate, momentum, goal = self.rate.value, self.momentum.value, self.goal
        gradient, start = self.surface.gradient, self.surface.start
        self.points = descend(gradient, start, rate, self.steps, momentum, self.learner)
        self.losses = self.surface.value(self.points)
        self.differs = self.rule.value == "yours" and not np.allclose(
            self.points, descend(gradient, start, rate, self.steps, momentum), rtol=1e-6, atol=1e-9)
        self.factor = float(convergence_factor(rate, momentum, self.curvatures, self.nesterov))
        self.left_at = outside_from(self.points, self.surface.bounds)
        if self.plane.get_ylim() != self.surface.bounds[2:]:
            self.plane.set_ylim(self.surface.bounds[2:])
            self.background_changed()
        self.path.set_data(*drawable(self.points, self.surface.bounds).T)
        self.end.set_data(*self.points[-1:].T)
        self.note.set_text("" if self.left_at is None else f"leaves at step {self.left_at}")
        over = np.flatnonzero(self.losses > self.trace.get_ylim()[1])
        shown = np.maximum(self.losses[:over[0] + 1] if over.size else self.losses, 1e-300)
        self.line.set_data(np.arange(len(shown)), shown)
        self.off.set_text(f"▲ off the scale\nfrom step {over[0]}" if over.size else "")
        self.reached_at = goal.reached_at(self.losses)
        at = [] if self.reached_at is None else [self.reached_at]
        self.hit.set_data(at, shown[at])
        self.trace_title.set_text(f"trace: goal at step {at[0]}" if at else "trace: goal missed")
        self.here.set_data([rate], [momentum])
        self.map_title.set_text(f"factor {self.factor:.3f} per step")
        self._tell()
        easy = self.free and self.condition.value < START_CONDITION * (1 - 1e-6)
        self.report_goal(bool(at) and not easy, f"It counts at a condition of {START_CONDITION:g} or more." if easy else
                         f"Reached at step {at[0]}." if at else
                         f"The loss after {goal.steps} steps is {self.losses[goal.steps]:.2g}.")

    def _tell(self):
        rate, momentum = self.rate.value, self.momentum.value
        edge = stable_below(momentum, self.curvatures.max(), self.nesterov)
        measured = measured_factor(self.losses)
        valley = f"Condition {self.curvatures.max():.4g}. " if self.free else ""
        parts = [f"{valley}Learning rate {rate:.3g}, momentum {momentum:.2f}: in the long run a step multiplies the "
                 f"distance by {self.factor:.3f}{', so it diverges' if self.factor > 1 else ''}; with this "
                 f"momentum rates below {edge:.3g} are stable."]
        if np.isfinite(measured) and np.abs(self.points[-1]).max() < FAR:
            parts.append(f"Measured over the last half of the {self.steps} steps: {measured:.3f}.")
        if self.differs:
            parts.append("Your step takes another path than the standard one: the map, its factor and its edge of "
                         "stability belong to the standard step, the measured factor is yours.")
        parts.append("(Map: ring, you; star, the best; line, edge of stability; hatched, diverges.)")
        self.say(" ".join(parts))

    def describe(self):
        """Alternative text: the path, the trace and the place on the map."""
        end = (f"ends at {in_words(self.points[-1])}" if self.left_at is None else
               f"leaves the picture at step {self.left_at}")
        side = (f"where a step shrinks the distance to {self.factor:.3f} of it" if self.factor <= 1 else
                f"in the hatched region where a step multiplies the distance by {self.factor:.3f}")
        rule = f" by the rule {self.rule.value}" if self.nesterov else ""
        goal = "misses the goal" if self.reached_at is None else f"reaches the goal at step {self.reached_at}"
        return (f"Three pictures. The path of {self.steps} steps{rule} in a valley with curvature "
                f"{self.curvatures.max():.5g} across and 1 along {end}. The loss goes from "
                f"{self.losses[0]:.3g} to {self.losses[-1]:.2g} ({trace_verdict(self.losses)}) and {goal}. "
                f"On the map, learning rate {self.rate.value:.3g} and momentum {self.momentum.value:.2f} lie "
                f"{side}{', by the standard step' if self.differs else ''}.")
