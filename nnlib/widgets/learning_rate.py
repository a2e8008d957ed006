"""LearningRateExplorer: one number decides whether a descent crawls, arrives, swings or flies away."""

import numpy as np

from nnlib import plots
from nnlib.widgets.base import Explorer, checkbox, choice, learners, learners_array, log_slider, note, slider
from nnlib.widgets.descent import (
    SURFACES,
    Surface,
    counted,
    descend,
    drawable,
    gradient_step,
    hessian,
    in_words,
    nice_top,
    outside_from,
    surface_of,
    trace_verdict,
    turns,
)

FLOOR = 1e-16  # losses below are drawn here on a logarithmic axis
FLAT = 1e-3  # a gradient shorter than this: the descent stands still


def standing(surface, w):
    """Where a descent that ended at w stands, in words, and the largest curvature there.

    Returns e.g. ("the minimum", 2.0); the words are None where the gradient is not nearly zero.
    """
    curvatures = np.linalg.eigvalsh(hessian(surface.gradient, w))
    if not np.linalg.norm(surface.gradient(w)) < FLAT:
        return None, curvatures.max()
    if curvatures.min() > FLAT:
        low = surface.value(w) <= surface.lowest + 1e-3
        return "the minimum" if low else "a local minimum that is not the lowest", curvatures.max()
    saddle = curvatures.max() > FLAT and curvatures.min() < -FLAT
    return "a saddle point" if saddle else "a flat place", curvatures.max()


class LearningRateExplorer(Explorer):
    """Choose a surface and drag the learning rate: see the path of the descent, and its trace with a verdict.

    Args:
        surface: a name of `descent.SURFACES`, a `descent.Surface`, or your own function of one number (a
            curve) or of two numbers (a surface).
        goal: a `Goal`, or None.   step: your own `step(w, gradient, rate) -> w`, arrays (dim,).
        rate: 0.001 to 10.   start: (dim,), the surface's own if None.   steps: 1 to 200.
        bounds: what is shown of your own function, (left, right) or (left, right, bottom, top).
    Raises ValueError for a surface that is not known, or not finite within its bounds.
    Source: decks B and D.
    """

    def __init__(self, surface="bowl", goal=None, step=gradient_step, rate=0.1, start=None, steps=40, bounds=None):
        if isinstance(surface, str) and surface not in SURFACES:
            raise ValueError(f"LearningRateExplorer: there is no surface {surface!r}; try {', '.join(SURFACES)}")
        if callable(surface):
            surface = surface_of(learners(surface, "surface"), bounds)
        self.surface = SURFACES[surface] if isinstance(surface, str) else surface
        if not isinstance(self.surface, Surface):
            raise ValueError(f"LearningRateExplorer: expected a name, a Surface or a function but got {surface!r}")
        self.learner, self.goal = learners(step, "step"), goal
        self._surfaces = {self.surface.name: self.surface, **SURFACES}
        self.surface_choice = choice("surface", list(self._surfaces), self.surface.name,
                                     tooltip="the loss to walk on: curves of one weight, or surfaces of two")
        self.rate = log_slider("learning rate", 1e-3, 10, rate, tooltip="how far one step goes along the gradient")
        self.steps = slider("number of steps", 1, 200, steps, tooltip="how many steps the descent takes")
        self.start = slider("start, w1", -3.0, 3.0, 0.0, step=0.01, tooltip="the first weight at step 0")
        self.start2 = slider("start, w2", -3.0, 3.0, 0.0, step=0.01, tooltip="the second weight at step 0")
        self.log_scale = checkbox("logarithmic loss", tooltip="steady shrinking becomes a straight line")
        figure, (self.plane, self.trace) = plots.subplots(1, 2, width=9.4, height=3.9,
                                                          gridspec_kw={"width_ratios": [1.15, 1]})
        self._make_artists()
        self._show_surface(start)
        controls = [self.surface_choice, self.rate], [self.steps, self.log_scale], [self.start, self.start2]
        animated = self.path, self.ring, self.end, self.note, self.title, self.line, self.off, self.verdict
        self.assemble(figure, controls, animated, goal=str(goal) if goal else None)

    def _make_artists(self):
        self._ground = []  # the artists of the surface, which go when another is chosen
        self.path, = self.plane.plot([], [], "-o", color=plots.VERMILION, markersize=3.5, linewidth=1.3)
        self.ring, = self.plane.plot([], [], "o", markersize=10, markerfacecolor="white", markeredgewidth=2,
                                     markeredgecolor=plots.VERMILION)
        self.end, = self.plane.plot([], [], "D", markersize=8, color=plots.INK)
        self.note, self.off = note(self.plane, 0.03, "bottom"), note(self.trace, 0.95, "top")
        self.line, = self.trace.plot([], [], "-o", color=plots.INK, markersize=3, linewidth=1.5)
        self.title, self.verdict = self.plane.set_title("surface"), self.trace.set_title("trace")
        self.trace.set(xlabel="step", ylabel="loss", xlim=(0, 50), ylim=(0, 10))
        if self.goal:
            self.trace.axhline(self.goal.loss, color=plots.GREEN, linestyle="--", linewidth=1.5)
            self.trace.axvline(self.goal.steps, color=plots.GREEN, linestyle=":", linewidth=1.5)
            self.trace.text(0.99, self.goal.loss, f"goal {self.goal.loss:g}", ha="right", va="bottom",
                            fontsize=9.5, transform=self.trace.get_yaxis_transform(),
                            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})

    def _show_surface(self, start=None):
        """Draw the surface, which stays until another is chosen, and set the start's sliders to it."""
        surface, ax = self.surface, self.plane
        start = np.atleast_1d(np.asarray(surface.start if start is None else start, dtype=float))
        if start.size != surface.dim:
            raise ValueError(f"LearningRateExplorer: expected a start of {surface.dim} number(s) on "
                             f"{surface.name} but got {start}")
        for artist in self._ground:
            artist.remove()
        if surface.dim == 1:
            w = np.linspace(*surface.bounds, 400)
            heights = surface.value(w[:, None])
            self._ground = ax.plot(w, heights, color=plots.GRAY, linewidth=2, zorder=1)
            room = 0.08 * np.ptp(heights) or 1.0
            self.view = (*surface.bounds, heights.min() - room, heights.max() + room)
            ax.grid(True)
        else:
            self.view = surface.bounds
            self._ground = [plots.contours(ax, lambda w: surface.value(w) - surface.lowest, surface.bounds,
                                           resolution=80)]
        ax.set(xlim=self.view[:2], ylim=self.view[2:], xlabel="weight w" if surface.dim == 1 else "weight w1",
               ylabel="loss" if surface.dim == 1 else "weight w2")
        self._frame = None
        self.start2.layout.display = "none" if surface.dim == 1 else None
        sides = zip((self.start, self.start2), start, surface.bounds[::2], surface.bounds[1::2])
        for control, value, low, high in sides:
            with control.hold_sync():  # in one message: else the page clips the value to its old range, and answers
                control.min, control.max = min(control.min, low), max(control.max, high)
                control.value = value  # widen, move, narrow: a slider refuses a value out of its range
                control.min, control.max = low, high

    def _changed(self, change):
        if change["owner"] is self.surface_choice:
            self.surface = self._surfaces[change["new"]]
            with self.setting_controls():  # the sliders of the start move to the new surface
                self._show_surface()
        super()._changed(change)

    def _step(self, w, gradient, velocity, rate, momentum):
        return learners_array(self.learner(w.copy(), gradient.copy(), rate), w.shape, "step"), velocity

    def update(self):
        """Walk down the surface, and draw the path and its losses."""
        surface, steps = self.surface, self.steps.value
        start = [self.start.value, self.start2.value][:surface.dim]
        self.points = descend(surface.gradient, start, self.rate.value, steps, step=self._step)
        self.losses = np.nan_to_num(surface.value(self.points), nan=np.inf, posinf=1e300)
        xy = np.column_stack([self.points[:, 0], self.losses if surface.dim == 1 else self.points[:, 1]])
        self.left_at = outside_from(xy, self.view)
        self.path.set_data(*drawable(xy, self.view).T)
        self.ring.set_data(*xy[:1].T)
        self.end.set_data(*xy[-1:].T)
        self.note.set_text("" if self.left_at is None else f"leaves the picture at step {self.left_at}")
        self._frame_trace()
        self._draw_trace()
        self._tell()

    def _frame_trace(self):
        """Set the trace's axes. While only the rate is dragged they stay, and with them the background."""
        lowest, log = self.surface.lowest, self.log_scale.value
        right = nice_top(max(self.steps.value, self.goal.steps if self.goal else 0))
        top = nice_top(1.15 * max(self.losses[0] - lowest, 1e-6))
        if (right, top, log) == self._frame:
            return
        relabeled, self._frame = self._frame is None or self._frame[2] != log, (right, top, log)
        self.trace.set_yscale("log" if log else "linear")
        self.trace.set(xlim=(-0.02 * right, right),
                       ylabel="loss above the lowest" if log and lowest else "loss",
                       ylim=(FLOOR, 100 * top) if log else (lowest - 0.03 * top, lowest + top))
        self.lay_out() if relabeled else self.background_changed()

    def _draw_trace(self):
        low, high = self.trace.get_ylim()
        shown = np.maximum(self.losses - self.surface.lowest, FLOOR) if self.log_scale.value else self.losses
        xy = np.column_stack([np.arange(len(shown)), shown])
        over = np.flatnonzero(shown > high)
        xy = xy[:over[0] + 1] if over.size else xy
        self.line.set_data(*(xy if self.log_scale.value else drawable(xy, (0, len(shown), low, high))).T)
        self.off.set_text("" if not over.size else
                          f"▲ off the scale from step {over[0]}\nlast loss {self.losses[-1]:.2g}")
        self.verdict_text = trace_verdict(self.losses)
        self.verdict.set_text(f"trace: {self.verdict_text}")

    def _tell(self):
        surface, rate = self.surface, self.rate.value
        words, curvature = standing(surface, self.points[-1]) if self.left_at is None else (None, None)
        self.ends = f"stands at {words}" if words else "is still under way"
        after = counted(self.steps.value, "step")
        parts = [f"Learning rate {rate:.3g}: the trace reads “{self.verdict_text}”.",
                 f"Loss {self.losses[0]:.3g} at the start, {self.losses[-1]:.3g} after {after}."]
        if words:
            parts.append(f"It stands at {words}.")
        elif self.verdict_text != "diverges" and turns(self.points) > 0.5:
            parts.append("Its steps turn back and forth across the valley: a smaller rate may be faster.")
        where = "where it stands" if words else "where it ends"
        if surface.largest_curvature:
            curvature, where = surface.largest_curvature, "at the minimum"
        if curvature and curvature > FLAT:
            parts.append(f"The largest curvature {where} is L = {curvature:.3g}, so 2/L = {2 / curvature:.3g}: the "
                         f"rate is {rate * curvature / 2:.2g} times that.")
        self.say(" ".join([*parts, "(Ring: start. Diamond: end.)"]))
        share = surface.largest_curvature and f": rate = {rate * surface.largest_curvature / 2:.2g} · 2/L"
        self.title.set_text(surface.name + (share or ""))
        if self.goal:
            at, best = self.goal.reached_at(self.losses), self.losses[:self.goal.steps + 1].min()
            self.report_goal(at is not None, f"Lowest loss so far: {best:.3g}." if at is None else
                             f"Reached at step {at}.")

    def describe(self):
        """Alternative text: the surface, where the path leads, and what the trace looks like."""
        path = (f"leaves the picture at step {self.left_at}" if self.left_at is not None else
                f"ends at {in_words(self.points[-1])} and {self.ends}")
        kind = "Curve" if self.surface.dim == 1 else "Contour lines"
        return (f"{kind} of {self.surface.name} with the path of {counted(self.steps.value, 'step')} of gradient "
                f"descent at learning rate {self.rate.value:.3g}: from {in_words(self.points[0])} it {path}. "
                f"Beside it the trace of the loss, from {self.losses[0]:.3g} to {self.losses[-1]:.3g}: "
                f"{self.verdict_text}.")
