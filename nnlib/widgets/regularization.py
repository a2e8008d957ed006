"""RegularizationExplorer: one over-fitting network on two moons, with and without the remedies chosen."""

from dataclasses import dataclass, replace
from functools import lru_cache

import ipywidgets
import numpy as np
from contourpy import contour_generator

from nnlib import plots
from nnlib.autograd import Tensor, no_grad
from nnlib.datasets import make_moons
from nnlib.layers import Dropout, Linear, ReLU, Sequential
from nnlib.losses import binary_cross_entropy_with_logits
from nnlib.module import mode
from nnlib.optimizers import Adam
from nnlib.training import EarlyStopping, History, predict
from nnlib.widgets.base import WIDE, Explorer, button, checkbox, note, slider
from nnlib.widgets.descent import counted
from nnlib.widgets.turns import InTurns

RATE, EPOCHS, HELD_OUT, DRAWS = 0.01, 400, 500, 5
STRENGTHS = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
L1_STRENGTHS = STRENGTHS[:7]
PATIENCES = (0, 5, 10, 20, 50, 100)
FEWEST, MOST_EXAMPLES, MOST_HIDDEN, LOUDEST, MOST_DROPPED, LAST_SEED = 10, 200, 64, 0.5, 0.8, 20
PLANE, RESOLUTION = (-2.2, 3.2, -1.8, 2.3), 70
TOP = 1.6  # of the axes of losses
PIECE = 10  # epochs that are trained at once


# Training

@dataclass(frozen=True)
class MoonsSettings:
    """One run: strengths of the penalties, probability of dropout, patience, size of the network, and the data.

    l2: adds l2/2 times the sum of squared weights to the loss.   l1: adds l1 times the sum of their absolute values.
    dropout: of each hidden layer.   patience: epochs without a better validation loss after which training stops, and
    the best weights come back; None: never.   hidden: units in each of two layers.   noise: of the moons.   seed: of
    data, first weights and dropout.
    """

    l2: float = 0.0
    l1: float = 0.0
    dropout: float = 0.0
    patience: int | None = None
    hidden: int = 32
    noise: float = 0.3
    examples: int = 30
    seed: int = 4

    @property
    def plain(self):
        """The same run without any remedy."""
        return replace(self, l2=0.0, l1=0.0, dropout=0.0, patience=None)

    @property
    def remedies(self):
        """The remedies that are on, in words."""
        parts = [f"L2 {self.l2:g}"] * bool(self.l2) + [f"L1 {self.l1:g}"] * bool(self.l1)
        parts += [f"dropout {self.dropout:.1f}"] * bool(self.dropout)
        return ", ".join(parts + [f"patience {self.patience}"] * bool(self.patience))


@lru_cache(maxsize=64)
def moons_sets(noise, examples, seed):
    """Training, validation and test examples: three pairs X (n, 2), t (n,), the last two of 500 each."""
    sets = [make_moons(n, noise, seed + 1000 * k) for k, n in enumerate((examples, HELD_OUT, HELD_OUT))]
    return [(s.X.astype(np.float32), s.t.astype(np.float32)) for s in sets]


def l1_gradient(w, gradient, strength):
    """The gradient with strength * |w| added to the loss; where w is 0, the least one of its subgradients."""
    return np.where(w != 0, gradient + strength * np.sign(w),
                    np.sign(gradient) * np.maximum(np.abs(gradient) - strength, 0))


def stop_at_zero(w, old, gradient):
    """Weights after a step under L1: one that crossed 0 stops there, one that was at 0 leaves only for a gradient."""
    return np.where((w * old < 0) | ((old == 0) & (gradient == 0)), 0, w)


class MoonsRun:
    """A training on all examples at once (Adam, rate 0.01, up to 400 epochs) that goes on in small pieces.

    `history` holds losses and accuracies after each epoch, without the penalty and with no unit dropped.
    `stopped_at`: the epoch where the patience ended it, else None.
    """

    def __init__(self, settings):
        rng, hidden = np.random.default_rng((settings.seed, 2)), settings.hidden
        self.settings, self.history, self.stopped_at = settings, History(), None
        self.train, self.validation, self.test = moons_sets(settings.noise, settings.examples, settings.seed)
        layers = [Linear(2, hidden, rng=rng), ReLU(), Linear(hidden, hidden, rng=rng), ReLU(),
                  Linear(hidden, 1, rng=rng)]
        if settings.dropout:
            noise = np.random.default_rng((settings.seed, 3))
            layers[4:4], layers[2:2] = [Dropout(settings.dropout, rng=noise)], [Dropout(settings.dropout, rng=noise)]
        self.model = Sequential(*layers)
        self.weights = [p for p in self.model.parameters() if p.data.ndim == 2]
        self.optimizer = Adam(self.model.parameters(), lr=RATE)
        self.best = EarlyStopping(settings.patience)

    @property
    def done(self):
        """Whether it has come to its end."""
        return len(self.history) >= EPOCHS or self.stopped_at is not None

    def scores(self, X):
        """Scores (n,) of examples; few rows at once, so that the products start no threads."""
        rows = max(32, 2 ** 18 // self.settings.hidden ** 2)
        return predict(self.model, X, rows)[:, 0]

    def loss_and_accuracy(self, data):
        """Mean loss, and share of right answers."""
        z, t = self.scores(data[0]), data[1]
        with no_grad():
            return binary_cross_entropy_with_logits(Tensor(z), t).item(), float(np.mean((z > 0) == (t > 0.5)))

    def advance(self):
        """Train for a few epochs more."""
        for _ in range(PIECE):
            if not self.done:
                self._epoch()

    def _epoch(self):
        (X, t), settings, history = self.train, self.settings, self.history
        with mode(self.model, training=True):
            self.optimizer.zero_grad()
            binary_cross_entropy_with_logits(self.model(Tensor(X))[:, 0], t).backward()
        old = [w.data.copy() for w in self.weights] if settings.l1 else ()
        for w in self.weights:
            w.grad = w.grad + settings.l2 * w.data if settings.l2 else w.grad
            w.grad = l1_gradient(w.data, w.grad, settings.l1).astype(w.dtype) if settings.l1 else w.grad
        self.optimizer.step()
        for w, before in zip(self.weights, old):
            w.data[...] = stop_at_zero(w.data, before, w.grad)
        for name, (loss, right) in (("", self.loss_and_accuracy(self.train)),
                                    ("validation_", self.loss_and_accuracy(self.validation))):
            getattr(history, f"{name}loss").append(loss)
            getattr(history, f"{name}metric").append(right)
        if self.best(self.model, history):
            self.stopped_at = len(history)
            self.best.restore(self.model)
        history.best_epoch = self.best.epoch

    @property
    def kept(self):
        """The epoch whose weights the model has, from 1: the best one after an early stop, else the last; 0: none."""
        return self.history.best_epoch if self.stopped_at else len(self.history)

    @property
    def validation_error(self):
        """Share of wrong answers on the validation examples; nan before the first epoch."""
        return 1 - self.history.validation_metric[self.kept - 1] if self.kept else np.nan

    @property
    def test_error(self):
        """Share of wrong answers on the test examples."""
        return 1 - self.loss_and_accuracy(self.test)[1]

    @property
    def sizes(self):
        """Absolute values of all weights, biases left out, the largest first."""
        return np.sort(np.abs(np.concatenate([w.data.ravel() for w in self.weights])))[::-1]

    @property
    def weight_norm(self):
        """Root of the sum of the squared weights."""
        return float(np.linalg.norm(self.sizes))

    @property
    def zero_share(self):
        """Share of the weights that are exactly 0."""
        return float(np.mean(self.sizes == 0))


def train_moons(settings):
    """Train as these `MoonsSettings` say, to the end. Returns the `MoonsRun`."""
    run = MoonsRun(settings)
    while not run.done:
        run.advance()
    return run


# The explorer

@dataclass(frozen=True)
class MoonsGoal:
    """A mean validation error of at most `error` over five draws, with few examples and much noise."""

    error: float = 0.128
    examples: int = 30
    noise: float = 0.3

    def __str__(self):
        return (f"a mean validation error of at most {100 * self.error:g}% over {DRAWS} draws, with at most "
                f"{self.examples} training examples and a noise of at least {self.noise:g}")

    def allows(self, settings):
        """Whether these settings are within its limits."""
        return settings.examples <= self.examples and settings.noise >= self.noise - 1e-9


def edge(scores):
    """The line of score 0 over the plane, its parts separated by nan: x and y. scores: (RESOLUTION, RESOLUTION)."""
    left, right, bottom, top = PLANE
    x, y = np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION)
    parts = contour_generator(x, y, scores).lines(0.0)
    gap = np.full((1, 2), np.nan)
    return np.concatenate([piece for part in parts for piece in (part, gap)] or [gap]).T


def plane_points():
    """The points of the map, row by row from below: (RESOLUTION ** 2, 2)."""
    left, right, bottom, top = PLANE
    x, y = np.meshgrid(np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


class RegularizationExplorer(InTurns, Explorer):
    """Train one network on noisy moons twice, plain and with remedies; compare boundaries, curves and weights.

    Both have two hidden layers of ReLU units and begin with the same weights on the same examples; validation and
    test are 500 other examples each. Training goes on in turns, and runs that were made are kept.

    Args:
        l2, l1, dropout, patience, hidden, noise, examples, seed: as in `MoonsSettings`, where the controls begin.
        test: whether 500 test examples are shown.   goal: a `MoonsGoal`, or None.
    Raises ValueError for an argument out of range.
    Source: decks A (dropout), C (penalties), D (early stopping with patience).
    """

    def __init__(self, l2=0.0, l1=0.0, dropout=0.0, patience=None, hidden=32, noise=0.3, examples=30, seed=4,
                 test=False, goal=None):
        for name, value, options in (("l2", l2, STRENGTHS), ("l1", l1, L1_STRENGTHS),
                                     ("patience", patience, (None, *PATIENCES[1:]))):
            if value not in options:
                raise ValueError(f"RegularizationExplorer: expected {name} to be one of "
                                 f"{', '.join(map(str, options))} but got {value!r}")
        for name, value, low, high in (("dropout", dropout, 0, MOST_DROPPED), ("hidden", hidden, 1, MOST_HIDDEN),
                                       ("noise", noise, 0, LOUDEST), ("examples", examples, FEWEST, MOST_EXAMPLES),
                                       ("seed", seed, 0, LAST_SEED)):
            if not low <= value <= high:
                raise ValueError(f"RegularizationExplorer: expected {name} from {low} to {high} but got {value}")
        self.goal, self._runs, self._points, self._checked = goal, {}, plane_points(), None
        self._maps = [(None, None)] * 2  # of both networks: at which settings and epoch, and the scores there
        self._make_controls(MoonsSettings(l2, l1, dropout, patience, hidden, noise, examples, seed), test)
        figure, axes = plots.subplots(2, 3, width=10.2, height=6.4)
        (*self.maps, self.weights_ax), (*self.curves, self.draws_ax) = axes
        self._make_artists()
        pairs = [artist for pair in zip(*self.pairs.values()) for artist in pair]
        self.assemble(figure, [[self.l2, self.l1], [self.dropout, self.patience], [self.hidden, self.noise],
                               [self.examples, self.seed], [self.test, self.check_button, self.stopper]],
                      [*pairs, *self.sizes, *self.errors, self.draws_note], goal=str(goal) if goal else None)
        self._whole = False

    def _make_controls(self, start, test):
        def ladder(label, options, value, tooltip):
            return ipywidgets.SelectionSlider(options=[(np.format_float_positional(o, trim="-") if o else "off", o)
                                                       for o in options], value=value, description=label,
                                              tooltip=tooltip, layout=WIDE, style={"description_width": "150px"})

        self.l2 = ladder("L2 strength", STRENGTHS, start.l2,
                         "adds half of this times the sum of the squared weights to the loss")
        self.l1 = ladder("L1 strength", L1_STRENGTHS, start.l1,
                         "adds this times the sum of the weights' absolute values to the loss")
        self.dropout = slider("dropout", 0.0, MOST_DROPPED, float(start.dropout), step=0.1, unit="share",
                              tooltip="probability with which each hidden unit is left out of a step")
        self.patience = ladder("patience (epochs)", PATIENCES, start.patience or 0,
                               "stop when the validation loss has had no new lowest value for so many epochs")
        self.hidden = slider("hidden units", 1, MOST_HIDDEN, start.hidden, unit="a layer",
                             tooltip="units in each of the two hidden layers")
        self.noise = slider("noise", 0.0, LOUDEST, float(start.noise), step=0.05, unit="deviation",
                            tooltip="standard deviation of what moves each example off its moon")
        self.examples = slider("examples", FEWEST, MOST_EXAMPLES, start.examples, step=10, unit="training",
                               tooltip="how many examples both networks are trained on")
        self.seed = slider("draw", 0, LAST_SEED, start.seed, unit="seed",
                           tooltip="another number draws other examples and other first weights")
        self.test = checkbox("show test examples", test, "500 examples that took no part in training or stopping")
        self.check_button = button(f"check on {DRAWS} draws", self.check,
                                   "train both networks on five other draws too, which takes a few seconds")
        self.stop_button()

    def _make_artists(self):
        left, right, bottom, top = PLANE
        self.pairs = {name: [] for name in ("map", "test", "edge", "zero", "one", "train", "validation", "stop", "mark",
                                            "title", "off")}
        for ax, curve, who in zip(self.maps, self.curves, ("plain", "with remedies")):
            ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="x1", ylabel="x2")
            self.pairs["map"].append(ax.imshow(np.zeros((RESOLUTION, RESOLUTION)), extent=PLANE, origin="lower",
                                               aspect="auto", cmap=plots.DIVERGING, vmin=-0.15, vmax=1.15,
                                               interpolation="nearest", alpha=0.7))
            self.pairs["test"].append(ax.scatter([], [], s=7, linewidth=0, alpha=0.75))
            self.pairs["edge"].append(ax.plot([], [], color=plots.INK, linewidth=1.6)[0])
            for name, marker, color in (("zero", "o", plots.NEGATIVE), ("one", "^", plots.POSITIVE)):
                self.pairs[name] += ax.plot([], [], marker, color=color, markeredgecolor=plots.INK, markersize=6)
            self.pairs["title"].append(ax.set_title(f"{who}: 00.0% wrong"))
            self.pairs["train"].append(curve.plot([], [], color=plots.INK, linewidth=2, label="training")[0])
            self.pairs["validation"].append(curve.plot([], [], color=plots.VERMILION, linestyle=(0, (3, 1.5)),
                                                       linewidth=2, label="validation")[0])
            self.pairs["stop"].append(curve.axvline(0, color=plots.GREEN, linestyle=":", linewidth=1.8))
            self.pairs["mark"].append(curve.plot([], [], "D", color=plots.GREEN, markeredgecolor=plots.INK,
                                                 markersize=8, label="weights kept", clip_on=False, in_layout=False)[0])
            self.pairs["off"].append(note(curve, 0.6, "top"))
            curve.set(xlabel="epoch", ylabel="loss", xlim=(0, EPOCHS), ylim=(0, TOP), title=f"{who}: losses")
        self.curves[0].legend(loc="upper left")
        self.sizes = [self.weights_ax.plot([], [], color=color, linewidth=2, linestyle=style, label=label)[0]
                      for label, color, style in (("plain", plots.GRAY, (0, (3, 1.5))),
                                                  ("with remedies", plots.GREEN, "-"))]
        self.weights_ax.set(xlim=(0, 100), ylim=(1e-4, 5), yscale="log", xlabel="share of the weights (%)",
                            ylabel="size", title="weights, by size")
        self.weights_ax.legend(loc="upper right")
        self.errors = [self.draws_ax.plot([], [], marker, color=color, markeredgecolor=plots.INK, markersize=8,
                                          linestyle="none")[0]
                       for marker, color in (("o", plots.GRAY), ("D", plots.GREEN))]
        self.errors += [self.draws_ax.axhline(-1, color=color, linestyle=style, linewidth=1.8)
                        for color, style in ((plots.GRAY, (0, (3, 1.5))), (plots.GREEN, "-"))]
        self.draws_note = note(self.draws_ax, 0.5, "center")
        self.draws_ax.set(xlim=(-0.5, DRAWS - 0.5), ylim=(0, 40), xticks=range(DRAWS), xlabel="draw (seed)",
                          ylabel="validation error (%)", title=f"{DRAWS} draws")
        if self.goal:
            self.draws_ax.axhline(100 * self.goal.error, color=plots.VERMILION, linestyle=":", linewidth=1.5)
        self.draws_ax.text(0.03, 0.03, f"lines: means{'; dotted: the goal for it' if self.goal else ''}", fontsize=9.5,
                           transform=self.draws_ax.transAxes)

    @property
    def settings(self):
        """The settings of the run with remedies, as `MoonsSettings`."""
        return MoonsSettings(self.l2.value, self.l1.value, round(self.dropout.value, 1), self.patience.value or None,
                             self.hidden.value, round(self.noise.value, 2), self.examples.value, self.seed.value)

    def _run_of(self, settings):
        if settings not in self._runs:
            if len(self._runs) >= 100:
                del self._runs[next(iter(self._runs))]
            self._runs[settings] = MoonsRun(settings)
        return self._runs[settings]

    def check(self):
        """Train both networks on the first five draws too, so that their errors can be compared."""
        self._checked, self._stopped = replace(self.settings, seed=0), False
        self.refresh()

    def update(self):
        """Train for a turn if a run is not there yet, and draw both as far as they are."""
        now = self.settings
        self.plain, self.run = self._run_of(now.plain), self._run_of(now)
        checking = self._checked == replace(now, seed=0)
        others = [self._run_of(replace(s, seed=k)) for k in range(DRAWS) for s in (now.plain, now)] if checking else []
        self.done = self.work_on(self.plain, self.run, *others)
        for k, run in enumerate((self.plain, self.run)):
            self._draw_run(k, run)
        self._draw_weights()
        self.checked = (others[::2], others[1::2]) if checking and self.done else None
        self._draw_draws(checking, sum(run.done for run in others))
        self._tell(now, others)

    def _draw_run(self, k, run):
        part = {name: artists[k] for name, artists in self.pairs.items()}
        at = run.settings, len(run.history)
        if self._maps[k][0] != at:
            self._maps[k] = at, run.scores(self._points).reshape(RESOLUTION, RESOLUTION)
        scores = self._maps[k][1]
        part["map"].set_data(1 / (1 + np.exp(-np.clip(scores, -30, 30))))
        part["edge"].set_data(*edge(scores))
        X, t = run.train
        for name, rows in (("zero", t < 0.5), ("one", t > 0.5)):
            part[name].set_data(*X[rows].T)
        shown, kinds = run.test if self.test.value else (np.empty((0, 2)), np.empty(0))
        part["test"].set_offsets(shown)
        part["test"].set_color(np.where(kinds > 0.5, plots.POSITIVE, plots.NEGATIVE))
        who = ("plain", "with remedies")[k]
        part["title"].set_text(f"{who}: {run.validation_error:.1%} wrong")
        h = run.history
        x = np.arange(1, len(h) + 1)
        part["train"].set_data(x, np.minimum(h.loss, 2 * TOP))
        part["validation"].set_data(x, np.minimum(h.validation_loss, 2 * TOP))
        part["stop"].set_xdata([run.stopped_at or -10] * 2)
        kept = run.kept
        part["mark"].set_data(*([[kept], [min(h.validation_loss[kept - 1], TOP)]] if run.stopped_at else ([], [])))
        high = max(h.loss + h.validation_loss, default=0)
        part["off"].set_text(f"▲ off the scale: up to {high:.2g}" if high > TOP else "")

    def _draw_weights(self):
        for line, run in zip(self.sizes, (self.plain, self.run)):
            sizes = run.sizes
            line.set_data(100 * (np.arange(len(sizes)) + 0.5) / len(sizes), np.maximum(sizes, 1e-5))

    def _draw_draws(self, checking, done):
        for k in (0, 1):
            errors = [100 * run.validation_error for run in self.checked[k]] if self.checked else []
            self.errors[k].set_data(np.arange(len(errors)) + (-0.08, 0.08)[k], errors)
            self.errors[k + 2].set_ydata([np.mean(errors) if errors else -1] * 2)
        self.draws_note.set_text("" if self.checked else f"{done} of {2 * DRAWS} trainings done" if checking else
                                 f"press “check on {DRAWS} draws”")

    def _tell(self, now, others):
        if not self.done:
            at = [len(run.history) for run in (self.plain, self.run)]
            word = "Stopped" if self._stopped else "Training"
            self.say(f"{word}: plain at epoch {at[0]}, with remedies at epoch {at[1]} of {EPOCHS}"
                     + (f"; {sum(run.done for run in others)} of {2 * DRAWS} trainings of the check are done." if others
                        else "."))
        else:
            self.say(" ".join(self._words(now)))
        if self.goal:
            self._judge(now)

    def _words(self, now):
        plain, run = self.plain, self.run
        if not now.remedies:
            yield (f"No remedy is on: both pictures show the same training. Training error "
                   f"{1 - plain.history.metric[-1]:.1%}, validation error {plain.validation_error:.1%}.")
        else:
            change = 100 * (run.validation_error - plain.validation_error)
            way = "lower" if change < 0 else "higher"
            moved = "unchanged" if abs(change) < 0.05 else f"{abs(change):.1f} points {way}"
            yield (f"With {now.remedies} the validation error is {run.validation_error:.1%} instead of "
                   f"{plain.validation_error:.1%}, {moved}.")
            gaps = [r.history.validation_loss[r.kept - 1] - r.history.loss[r.kept - 1] for r in (plain, run)]
            yield f"The gap between the losses, validation less training, goes from {gaps[0]:.2f} to {gaps[1]:.2f}."
            yield (f"The size of the weights goes from {plain.weight_norm:.1f} to {run.weight_norm:.1f} (root of the "
                   f"sum of squares); {run.zero_share:.0%} of them are 0.")
        if run.stopped_at:
            yield (f"Training stopped after epoch {run.stopped_at}; the weights of epoch {run.kept}, with the lowest "
                   "validation loss, were kept.")
        elif now.patience:
            yield f"The patience of {now.patience} epochs was not used up in {EPOCHS} epochs."
        if self.test.value:
            yield f"On the 500 test examples: {plain.test_error:.1%} and {run.test_error:.1%} wrong."
        if self.checked:
            means = [np.mean([r.validation_error for r in runs]) for runs in self.checked]
            better = sum(b.validation_error < a.validation_error for a, b in zip(*self.checked))
            yield (f"Over {DRAWS} draws the mean validation error is {means[0]:.1%} plain and {means[1]:.1%} with "
                   f"remedies, which are better in {better} of {DRAWS}.")

    def _judge(self, now):
        if not self.goal.allows(now):
            self.report_goal(False, f"Now: {now.examples} examples, noise {now.noise:.2f}.")
        elif not self.checked:
            self.report_goal(False, f"Choose remedies, then press “check on {DRAWS} draws”.")
        else:
            mean = np.mean([r.validation_error for r in self.checked[1]])
            self.report_goal(mean <= self.goal.error + 1e-9, f"Now: {mean:.1%}.")

    def describe(self):
        """Alternative text: both networks' errors, losses and weights, and the check if there is one."""
        now, parts = self.settings, []
        for who, run in (("plain", self.plain), (f"with {now.remedies or 'no remedy'}", self.run)):
            h = run.history
            if not len(h):
                parts.append(f"{who}: not trained yet")
                continue
            stop = f", stopped after epoch {run.stopped_at}, epoch {run.kept} kept" if run.stopped_at else ""
            parts.append(f"{who}: validation error {run.validation_error:.1%}, after {len(h)} epochs training loss "
                         f"{h.loss[-1]:.2g} and validation loss {h.validation_loss[-1]:.2g}, lowest "
                         f"{min(h.validation_loss):.2g} after epoch {1 + int(np.argmin(h.validation_loss))}{stop}, "
                         f"size of the weights {run.weight_norm:.1f}, {run.zero_share:.0%} of them 0")
        draws = ""
        if self.checked:
            errors = [", ".join(f"{r.validation_error:.1%}" for r in runs) for runs in self.checked]
            draws = f" On {DRAWS} draws: plain {errors[0]}; with remedies {errors[1]}."
        return (f"Two networks of two layers of {counted(now.hidden, 'unit')} on {now.examples} examples of two moons "
                f"with noise {now.noise:.2f}; for each a map with its boundary and a picture of its losses, then the "
                f"sizes of the weights and errors on {DRAWS} draws. {'; '.join(parts)}.{draws}")
