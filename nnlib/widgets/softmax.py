"""SoftmaxExplorer: scores become probabilities, the target's probability a loss, and p - t the pull on each score."""

from dataclasses import dataclass

import numpy as np

from nnlib import ops, plots
from nnlib.widgets.base import Explorer, LearnerError, choice, learners, log_slider, note, slider

COLDEST, HOTTEST = 0.01, 100.0  # temperatures of the slider
TOP = 8.0  # the highest loss shown
FAR = 1000.0  # scores and shifts of this size make e^z overflow, or vanish


@dataclass(frozen=True)
class SoftmaxGoal:
    """A loss of at most `loss`, by scores of which no two are more than `apart` apart."""

    loss: float
    apart: float

    def __str__(self):
        return f"bring the loss to {self.loss:g} or less while no two scores are more than {self.apart:g} apart"

    def reached(self, scores, loss):
        """Whether scores (classes,) and their loss are good enough; sliders are forgiven their rounding."""
        return bool(np.ptp(scores) <= self.apart + 1e-9 and loss <= self.loss)


GOAL = SoftmaxGoal(loss=0.1, apart=2.0)


def loss_of(scores, target, temperature=1.0):
    """-log softmax(scores / temperature)[target], computed from the scores, so that it is finite for any of them.

    Args: scores: (..., classes).   target: a class.   temperature: > 0.   Returns (...,).
    """
    return np.abs(ops.log_softmax(np.asarray(scores, dtype=float) / temperature)[..., target])  # 0, and never -0


def loss_curve(scores, target, temperature, at):
    """The loss for each score of the target in `at` (n,), the others as in scores (classes,). Returns (n,)."""
    rows = np.tile(np.asarray(scores, dtype=float), (len(at), 1))
    rows[:, target] = at
    return loss_of(rows, target, temperature)


def score_gradient(p, target):
    """Gradient of the loss with respect to the scores that went into the softmax, p - t; (classes,)."""
    gradient = np.array(p, dtype=float)
    gradient[target] -= 1
    return gradient


def learners_softmax(softmax):
    """A learner's `softmax(scores)`, checked for what no picture can show; numbers that are not finite may pass."""
    guarded = learners(softmax, "softmax")

    def run(scores):
        value = guarded(scores.copy())
        if value is None:
            raise LearnerError("softmax returned None; is there a return at its end?")
        try:
            p = np.array(value)
            p = p.astype(float, casting="same_kind" if p.dtype.kind == "c" else "unsafe")
        except (TypeError, ValueError):
            raise LearnerError(f"softmax: expected an array of real numbers of shape {scores.shape} but got "
                               f"{type(value).__name__}") from None
        if p.shape != scores.shape:
            hint = ("; is the sum over all classes, and the division by it left to do?" if p.ndim == 0 else
                    "; scores come as one row of shape (classes,), so use axis=-1, not 1" if p.ndim > 1 else "")
            raise LearnerError(f"softmax: expected one probability for each score, shape {scores.shape}, but got "
                               f"shape {p.shape}{hint}")
        return p
    return run


def _wrong_values(p, scores):
    """What is wrong with probabilities p of these scores, as a sentence; empty if nothing is."""
    right = ops.softmax(scores)
    if not np.isfinite(p).all():
        largest = scores.max()
        why = ("e^z is infinite for z above 709, and infinity / infinity is not a number" if largest > 709 else
               "e^z rounds to 0 for z below -745, and 0 / 0 is not a number" if largest < -745 else
               "is there a division by 0, or a logarithm of 0?")
        hint = "; subtract the largest score first, which changes no probability" if abs(largest) > 709 else ""
        numbers = ", ".join(f"{z:g}" for z in scores)
        return f"for the scores ({numbers}) it gives {'nan' if np.isnan(p).any() else 'infinity'}: {why}{hint}."
    if np.allclose(p, right, rtol=1e-4, atol=1e-6):
        return ""
    if np.allclose(np.exp(p), right, rtol=1e-4, atol=1e-6):
        return "it gives the logarithms of the probabilities: leave the log out."
    if np.allclose(p, ops.softmax(-scores), rtol=1e-4, atol=1e-6):
        return "the larger the score, the smaller your probability: it is e^z, not e^-z."
    if (p < 0).any():
        return f"it gives {p.min():.3g}, and no probability is negative: e^z never is."
    if abs(p.sum() - 1) > 1e-4:
        hint = ("each answer depends on its own score only, like a sigmoid; " if
                np.allclose(p, ops.sigmoid(scores), atol=1e-4) else "")
        return f"its answers sum to {p.sum():.3g}, not to 1: {hint}divide by the sum over all classes."
    k = int(np.argmax(np.abs(p - right)))
    return f"class {k} gets {p[k]:.3f} where e^z / (sum of all e^z) is {right[k]:.3f}."


def softmax_fault(softmax, scores):
    """The first fault of a learner's checked softmax, as a sentence that says where; empty if there is none.

    It is tried on the scores shown, on a few others, on shifted ones, and on scores of 1000.
    """
    usual, n = np.linspace(-1.0, 1.5, len(scores)), len(scores)
    for z in (scores, usual):
        if fault := _wrong_values(softmax(z), z):
            shift = np.abs(softmax(z + 1) - softmax(z)).max()
            moved = (f" Adding 1 to every score moves its answers by up to {shift:.2g}, and those of a softmax not "
                     "at all.") if shift > 1e-4 else ""
            return "Your softmax: " + fault + moved
    for z in (usual + FAR, usual - FAR, np.linspace(FAR, -FAR, n), np.linspace(-FAR, FAR, n)):
        try:
            fault = _wrong_values(softmax(z), z)
        except LearnerError as error:
            if not isinstance(error.__cause__, ArithmeticError):
                raise
            fault = f"scores of {FAR:g} or -{FAR:g} stop it: {error}. Subtract the largest score first."
        if fault:
            return "Your softmax is right for small scores, but " + fault
    return ""


class SoftmaxExplorer(Explorer):
    """Drag scores, a shift common to all, and the temperature; see probabilities, the loss, and the pull on each score.

    Args:
        scores: the first scores, one for each of 2 to 6 classes.   target: the class that is right.
        softmax: your own function from scores (classes,) to probabilities (classes,); what is shown then is yours.
        goal: a `SoftmaxGoal`, or None.
    Raises ValueError for other numbers of classes, scores that are not finite, or a target that is no class.
    Source: decks C (softmax, shift) and D (cross-entropy); Hinton, Vinyals and Dean (2015) for the temperature.
    """

    def __init__(self, scores=(2.0, 1.0, -1.0), target=0, softmax=None, goal=GOAL):
        scores = np.array(scores, dtype=float)
        if scores.ndim != 1 or not 2 <= scores.size <= 6 or not np.isfinite(scores).all():
            raise ValueError(f"SoftmaxExplorer: expected 2 to 6 finite scores but got {scores}; try (2.0, 1.0, -1.0)")
        if target not in range(scores.size):
            raise ValueError(f"SoftmaxExplorer: expected a target from 0 to {scores.size - 1} but got {target}")
        self.own, self.goal = softmax is not None, goal
        self.softmax = learners_softmax(softmax) if self.own else ops.softmax
        self.n, self.reach = scores.size, float(max(5.0, np.ceil(np.abs(scores).max())))
        self.scores = [slider(f"score of class {k}", -self.reach, self.reach, float(z), step=0.1,
                              tooltip=f"how much the network speaks for class {k}") for k, z in enumerate(scores)]
        self.shift = slider("common shift", -self.reach, self.reach, 0.0, step=0.1,
                            tooltip="is added to every score")
        self.temperature = log_slider("temperature", COLDEST, HOTTEST, 1.0,
                                      tooltip="divides every score before the softmax")
        self.target = choice("target", {f"class {k}": k for k in range(self.n)}, int(target),
                             tooltip="the class that is right for this example")
        sliders = [*self.scores, self.shift, self.temperature]
        figure = self._draw()
        self.assemble(figure, [*(sliders[i:i + 2] for i in range(0, len(sliders), 2)), [self.target]],
                      [*self.bands, self.mark, *self.bars[0], *self.bars[1], *self.bars[2], *self.outlines,
                       *self.numbers[0], *self.numbers[1], *self.numbers[2],
                       self.curve, self.tangent, self.point, self.loss_title, self.off],
                      goal=str(goal) if goal else None)

    def _draw(self):
        figure, axes = plots.subplots(1, 4, width=9.8, height=1.7 + 0.42 * max(self.n, 4),
                                      gridspec_kw={"width_ratios": [1.3, 0.95, 0.95, 1.15]})
        far = 2 * self.reach
        views = (-far, 1.65 * far), (0, 1.7), (-1, 2.3)  # to the right of the bars there is a column of numbers
        titles = "scores z", "probabilities p", "gradient p − t"
        labels = "score", "probability", "slope of the loss"
        ticks = (-far, 0, far), (0, 0.5, 1), (-1, 0, 1)
        rows, self.bands, self.bars, self.numbers = np.arange(self.n), [], [], []
        for ax, view, title, label, at in zip(axes, views, titles, labels, ticks):
            ax.set(xlim=view, ylim=(self.n - 0.4, -0.6), title=title, xlabel=label, xticks=at, yticks=rows,
                   yticklabels=[f"class {k}" for k in rows] if ax is axes[0] else [])
            ax.grid(False, axis="y")
            ax.axvline(0, color=plots.GRAY, linewidth=1)
            self.bands.append(ax.axhspan(0, 1, color=plots.YELLOW, alpha=0.35, linewidth=0))
            self.bars.append(ax.barh(rows, 0, height=0.5, color=plots.GRAY, edgecolor=plots.INK, linewidth=0.8))
            self.numbers.append([ax.text(0.98, k, "", transform=ax.get_yaxis_transform(), ha="right", va="center",
                                         fontsize=10) for k in rows])
        self.outlines = [axes[1].plot([], [], color=plots.INK, linewidth=2.5)[0] for _ in rows]
        self.mark = axes[0].text(0.02, 0, "target", transform=axes[0].get_yaxis_transform(), ha="left", va="center",
                                 fontsize=9.5, fontweight="bold")
        self._draw_loss(axes[3])
        return figure

    def _draw_loss(self, ax):
        if self.goal:
            ax.axhline(self.goal.loss, color=plots.GREEN, linestyle="--", linewidth=1.5)
            ax.text(0.03, self.goal.loss, f"goal {self.goal.loss:g}", transform=ax.get_yaxis_transform(), va="bottom",
                    fontsize=9.5)
        self.at = np.linspace(-self.reach, self.reach, 241)
        self.curve, = ax.plot([], [], color=plots.INK, linewidth=1.8)
        self.tangent, = ax.plot([], [], color=plots.VERMILION, linewidth=1.8)
        self.point, = ax.plot([], [], "o", color=plots.VERMILION, markeredgecolor=plots.INK, markersize=9,
                              clip_on=False, in_layout=False)
        ax.set(xlabel="target's score (unshifted)", ylabel="loss −log p", xlim=(-self.reach, self.reach),
               ylim=(-0.25, TOP), xticks=(-self.reach, 0, self.reach))
        self.loss_title, self.off = ax.set_title("loss"), note(ax, 0.95, "top")

    def update(self):
        """Compute probabilities, loss and gradient, and draw them."""
        self.z = np.array([s.value for s in self.scores])
        self.T, self.shown_scores = self.temperature.value, self.z + self.shift.value
        target, inside = self.target.value, self.shown_scores / self.T
        self.p, self.right = self.softmax(inside), ops.softmax(inside)
        self.fault = softmax_fault(self.softmax, inside) if self.own else ""
        self.differs = not np.allclose(self.p, self.right, rtol=1e-4, atol=1e-6)
        self.loss = float(-np.log(self.p[target]) + 0.0 if self.differs else loss_of(inside, target))
        self.gradient = score_gradient(self.p, target)
        self._draw_bars(target)
        self.curve.set_data(self.at, np.minimum(loss_curve(self.z, target, self.T, self.at), 10 * TOP))
        here, there = self.z[target], self.loss if np.isfinite(self.loss) else np.nan
        self.point.set_data([here], [min(there, TOP)])
        slope, length = self.gradient[target] / self.T, 0.35 * self.reach
        along = length / np.hypot(1, slope * 2 * self.reach / TOP) * np.array([-1, 1])
        self.tangent.set_data(here + along, there + slope * along)
        self.loss_title.set_text(f"loss {self.loss:.3g}")
        self.off.set_text("▲ off the scale" if self.loss > TOP else "")
        self._tell(target)

    def _draw_bars(self, target):
        values, differs = (self.shown_scores, self.p, self.gradient), self.differs
        colors = [[plots.POSITIVE if v > 0 else plots.NEGATIVE for v in signed] for signed in (values[0], values[2])]
        forms = "{:.1f}", "{:.3g}", "{:+.3g}"
        for column, value, color, form in zip(range(3), values, (colors[0], [plots.GRAY] * self.n, colors[1]), forms):
            for k in range(self.n):
                bar = self.bars[column][k]
                bar.set_width(np.clip(np.nan_to_num(value[k]), -1e3, 1e3))
                bar.set_facecolor(color[k])
                bar.set_hatch("///" if k == target else None)
                self.numbers[column][k].set_text(form.format(value[k] + 0.0))
        for k, outline in enumerate(self.outlines):  # where the bar of the right softmax would end
            outline.set_data([self.right[k]] * 2 if differs else [], [k - 0.4, k + 0.4] if differs else [])
        for band in self.bands:
            band.set_y(target - 0.45)
            band.set_height(0.9)
        self.mark.set_y(target)

    def _tell(self, target):
        p, T, shift = self.p[target], self.T, self.shift.value
        parts = [f"Target class {target}: p = {p:.3g}, so the loss −log p is {self.loss:.3g}."]
        if p == 0 and np.isfinite(self.loss):
            parts.append("The probability rounds to 0, so the loss was computed from the scores: log of the sum of "
                         "e^z, minus the target's z.")
        if np.isfinite(self.gradient).all() and not self.fault:
            others = np.delete(self.gradient, target)
            parts.append(f"Descent raises the target's score with a pull of {-self.gradient[target]:.3g} and lowers "
                         f"the others with {' + '.join(f'{g:.3g}' for g in others)}: the pulls balance.")
        if T != 1:
            parts.append(f"At temperature {T:.3g} the gradient with respect to z itself is (p − t) / {T:.3g}.")
        if shift:
            stays = np.allclose(self.p, self.softmax(self.z / T), rtol=1e-4, atol=1e-6)
            parts.append(f"The shift of {shift:+.1f} moves every score and "
                         f"{'no probability' if stays else 'your probabilities too, which it should not'}.")
        if self.fault:
            parts.append(self.fault + (" (Black marks: the right probabilities.)" if self.differs else ""))
        self.say(" ".join(parts))
        if self.goal:
            apart = np.ptp(self.z)
            self.report_goal(self.goal.reached(self.z, self.loss) and not self.fault,
                             f"The scores are up to {apart:.1f} apart and the loss is {self.loss:.3g}, at temperature "
                             f"{T:.3g}.")

    def describe(self):
        """Alternative text: scores, probabilities and gradient of each class, and the loss."""
        def row(values, form):
            return ", ".join(form.format(v + 0.0) for v in values)

        target, shift = self.target.value, self.shift.value
        moved = f", all shifted by {shift:+.1f}" if shift else ""
        return (f"Bars in four columns for {self.n} classes, class {target} marked as the target. Scores "
                f"{row(self.shown_scores, '{:.1f}')}{moved}; at temperature {self.T:.3g} they become the probabilities "
                f"{row(self.p, '{:.3g}')}. Gradient p − t: {row(self.gradient, '{:+.3g}')}. Last, the "
                f"loss against the target's score: a curve that falls, straight where the target is unlikely and flat "
                f"where it is sure, with a point and its tangent at loss {self.loss:.3g}."
                f"{' ' + self.fault if self.fault else ''}")
