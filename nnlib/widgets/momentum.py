"""MomentumExplorer: a rate that is safe across a narrow valley is tiny along it, until momentum helps."""

import numpy as np
from matplotlib import colormaps

from nnlib import plots
from nnlib.widgets.base import Explorer, Goal, LearnerError, learners, learners_array, log_slider, note, slider
from nnlib.widgets.descent import (
    FAR,
    best_momentum,
    convergence_factor,
    descend,
    drawable,
    in_words,
    momentum_step,
    outside_from,
    quadratic,
    stable_below,
    swinging_rates,
    trace_verdict,
)

GOAL = Goal(loss=1e-6, steps=60)
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
        condition: the largest curvature, above 1; the smallest is 1.   goal: a `Goal`.
        rate, momentum: where their sliders begin; momentum 0 to 0.99.
    Raises ValueError for a condition of 1 or less.
    Source: deck D, poor conditioning and momentum; Polyak (1964).
    """

    def __init__(self, step=momentum_step, condition=25.0, goal=GOAL, rate=None, momentum=0.0):
        if not (np.isfinite(condition) and condition > 1):
            raise ValueError(f"MomentumExplorer: expected a condition above 1 but got {condition}; try 25")
        self.learner, self.own = learners_step(step), step is not momentum_step
        self.goal, self.steps = goal, 3 * goal.steps // 2
        self.curvatures = np.array([1.0, condition])
        height = 4 / np.sqrt(condition)  # at the start both directions hold the same share of the loss
        self.surface = quadratic(self.curvatures, (-4.0, height), (-5, 5, -3 * height, 3 * height))
        best = best_momentum(condition, 1.0)[0]
        self.rates = float(best * 10 ** -1.4), float(best * 10 ** 0.4)  # the slider stops at the best
        self.rate = log_slider("learning rate", *self.rates, rate or best * 10 ** -0.26,
                               tooltip="how far one step goes along the velocity")
        self.momentum = slider("momentum", 0.0, 0.99, float(momentum), step=0.01,
                               tooltip="the part of the velocity that stays from one step to the next")
        figure, (self.plane, self.trace, self.map) = plots.subplots(1, 3, width=9.6, height=3.7)
        self._draw_plane()
        self._draw_trace()
        self._draw_map()
        self.assemble(figure, [self.rate, self.momentum],
                      [self.path, self.ring, self.end, self.note, self.line, self.hit, self.off,
                       self.trace_title, self.here, self.map_title], goal=str(goal))

    def _draw_plane(self):
        ax, bounds = self.plane, self.surface.bounds
        plots.contours(ax, self.surface.value, bounds, resolution=90, levels=12)
        ax.set(xlabel="weight w1 (flat)", ylabel="weight w2 (steep)", title="path", xlim=bounds[:2], ylim=bounds[2:])
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

    def _draw_map(self):
        ax, (small, large) = self.map, self.curvatures
        rates, momenta = np.meshgrid(np.geomspace(*self.rates, 300), np.linspace(0, 0.99, 240))
        factors = convergence_factor(rates, momenta, self.curvatures)
        best_rate, best, best_factor = best_momentum(large, small)
        levels = LEVELS[LEVELS > best_factor + 0.15 * (1 - best_factor)][:4]
        shades = colormaps["cividis"](np.linspace(0.3, 1, len(levels) + 1))
        ax.contourf(rates, momenta, factors, levels=(0, *levels, 1), colors=shades, alpha=0.8)
        ax.contourf(rates, momenta, factors, levels=(1, 1e9), colors=["white"], hatches=["///"])
        for level in levels:  # a line, and its number under the flat part, where the descent swings
            ax.contour(rates, momenta, factors, levels=[level], colors=plots.INK, linewidths=0.8)
            left, right = swinging_rates(level, self.curvatures)
            middle = np.sqrt(max(left, self.rates[0]) * right)  # of what is shown, on a logarithmic axis
            ax.text(middle, level ** 2 - 0.01, f"{level:g}", ha="center", va="top", fontsize=9.5)
        edge = np.linspace(0, 0.99, 50)
        ax.plot(stable_below(edge, large), edge, color=plots.VERMILION, linewidth=2.5)
        ax.plot(best_rate, best, "*", color="white", markeredgecolor=plots.INK, markersize=15)
        ax.set(xscale="log", xlim=self.rates, ylim=(0, 0.99), xlabel="learning rate", ylabel="momentum")
        ax.xaxis.set_major_formatter("{x:g}")
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
        self.differs = self.own and not np.allclose(
            self.points, descend(gradient, start, rate, self.steps, momentum), rtol=1e-6, atol=1e-9)
        self.factor = float(convergence_factor(rate, momentum, self.curvatures))
        self.left_at = outside_from(self.points, self.surface.bounds)
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
        self.report_goal(bool(at), f"Reached at step {at[0]}." if at else
                         f"The loss after {goal.steps} steps is {self.losses[goal.steps]:.2g}.")

    def _tell(self):
        rate, momentum = self.rate.value, self.momentum.value
        edge, measured = stable_below(momentum, self.curvatures.max()), measured_factor(self.losses)
        parts = [f"Learning rate {rate:.3g}, momentum {momentum:.2f}: in the long run a step multiplies the "
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
        goal = "misses the goal" if self.reached_at is None else f"reaches the goal at step {self.reached_at}"
        return (f"Three pictures. The path of {self.steps} steps in a valley with curvature "
                f"{self.curvatures.max():g} across and 1 along {end}. The loss goes from "
                f"{self.losses[0]:.3g} to {self.losses[-1]:.2g} ({trace_verdict(self.losses)}) and {goal}. "
                f"On the map, learning rate {self.rate.value:.3g} and momentum {self.momentum.value:.2f} lie "
                f"{side}{', by the standard step' if self.differs else ''}.")
