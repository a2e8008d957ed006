"""BatchSizeExplorer: the noise of a mini-batch, what it costs and what it saves, on real data."""

from itertools import islice

import numpy as np

from nnlib import plots
from nnlib.datasets import load_breast_cancer, standardize
from nnlib.widgets.base import Explorer, LearnerError, Player, choice, learners, log_slider, note, slider
from nnlib.widgets.descent import (
    batch_descent,
    batch_faults,
    counted,
    drawable,
    finite_correction,
    gradient_spread,
    logistic_gradients,
    logistic_loss,
    lowest_point,
    nice_top,
)
from nnlib.widgets.descent import minibatches as standard_minibatches

START = (-1.5, 1.2)
BOUNDS = (-2.5, 3.5, -2.6, 2.0)


def patients(n=128, feature="mean texture", seed=0):
    """Biopsies for one neuron: X (n, 2), a standardized feature and a 1 for the bias; t (n,)."""
    data = load_breast_cancer()
    data = data.take(np.random.default_rng(seed).permutation(len(data))[:n])
    x, = standardize(data.X[:, [data.feature_names.index(feature)]])
    return np.column_stack([x, np.ones(n)]), data.t.astype(float)


def sampled_gradients(gradients, size, orders):
    """Gradients (m, dim) of m mini-batches, from one per example (n, dim) and m orders of them (m, n)."""
    return gradients[orders[:, :size]].mean(axis=1)


def next_position(position, updates):
    """How many updates the walk shows next: one more, later 8% more, so that a long walk takes no hours."""
    return min(max(position + 1, int(1.08 * position)), updates)


def learners_batches(batches):
    """A learner's `minibatches(n, size, rng)`, checked: index arrays, not empty, each index from 0 to n-1."""
    def read(n, size, rng):
        epoch = batches(n, size, rng)
        if epoch is None:
            raise LearnerError("minibatches returned None; is there a return at its end?")
        return [np.asarray(rows) for rows in islice(epoch, n + 1)]

    guarded = learners(read, "minibatches")

    def run(n, size, rng):
        epoch = guarded(n, size, rng)
        if not epoch or len(epoch) > n:
            raise LearnerError(f"minibatches: expected between 1 and {n} batches but got "
                               f"{'more than ' + str(n) if epoch else 'none'}")
        for rows in epoch:
            if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "iu":
                raise LearnerError("minibatches: expected arrays of row numbers, one per batch, but got an array of "
                                   f"{rows.dtype} with shape {rows.shape}; try order[i:i + size]")
            if rows.min() < 0 or rows.max() >= n:
                raise LearnerError(f"minibatches: expected row numbers from 0 to {n - 1} but got some from "
                                   f"{rows.min()} to {rows.max()}")
        return epoch
    return run


class BatchSizeExplorer(Explorer):
    """Choose a batch size; see the noisy descent beside the full batch's, and how its gradients scatter.

    One neuron (a weight and a bias) tells malignant from benign in 128 biopsies by their texture.

    Args:
        minibatches: your own `minibatches(n, size, rng) -> list of index arrays`, the batches of one epoch.
        batch: 1, 2, 4 ... 128.   rate: 0.05 to 20.   epochs: 1 to 10, where the controls begin.
    Source: decks B, C and D (batch, single-sample and mini-batch protocols).
    """

    def __init__(self, minibatches=standard_minibatches, batch=8, rate=0.5, epochs=4):
        self.X, self.t = patients()
        self.n, self.own = len(self.X), minibatches is not standard_minibatches
        self.batches = learners_batches(minibatches) if self.own else minibatches
        sizes = [2 ** k for k in range(8)]
        if batch not in sizes:
            raise ValueError(f"BatchSizeExplorer: expected a batch of 1, 2, 4, ... {self.n} but got {batch}")
        self.batch = choice("batch size (examples)", {str(s): s for s in sizes}, batch,
                            tooltip="how many examples the gradient of one update averages")
        self.rate = log_slider("learning rate", 0.05, 20, rate, tooltip="how far one update goes along the gradient")
        self.epochs = slider("epochs", 1, 10, epochs, unit="passes", tooltip="passes over all examples")
        self.seed = slider("shuffle", 0, 20, 0, unit="seed",
                           tooltip="another number gives another order of the examples")
        self.axis = choice("trace against", ["epochs", "updates"],
                           tooltip="count examples seen (the work) or updates (the steps) along the trace")
        self.player = Player(self.on_step, self.on_reset)
        self._orders = np.argsort(np.random.default_rng(0).random((400, self.n)), axis=1)
        self._key = self._frame = None
        self.points, self.position = np.array([START]), 0
        figure, (self.plane, self.trace, self.cloud) = plots.subplots(1, 3, width=9.6, height=3.8)
        self._draw_plane()
        self._draw_trace()
        self._draw_cloud()
        self.assemble(figure, [[self.batch, self.rate], [self.epochs, self.seed], [self.axis, self.player]],
                      [self.full_path, self.path, self.ring, self.bottom, self.end, self.full_line, self.line,
                       self.dots, self.legend, self.off, self.arrows, self.tips, self.mean, self.circle,
                       self.law, self.cloud_title])

    def _draw_plane(self):
        ax = self.plane
        self.best = lowest_point(self.X, self.t)
        self.lowest = float(logistic_loss(self.X, self.t, self.best))
        heights = self.lowest + 2.6 * np.linspace(0.06, 1, 11) ** 2
        plots.contours(ax, lambda w: logistic_loss(self.X, self.t, w), BOUNDS, levels=heights, resolution=70)
        ax.set(xlabel="weight", ylabel="bias", title="path", xlim=BOUNDS[:2], ylim=BOUNDS[2:])
        self.full_path, = ax.plot([], [], "--s", color=plots.INK, markersize=4, linewidth=1.3)
        self.path, = ax.plot([], [], "-o", color=plots.VERMILION, markersize=2.5, linewidth=1)
        self.ring, = ax.plot(*START, "o", markersize=10, markerfacecolor="white", markeredgewidth=2,
                             markeredgecolor=plots.VERMILION)
        self.end, = ax.plot([], [], "D", markersize=8, color=plots.VERMILION, markeredgecolor=plots.INK)
        self.bottom, = ax.plot(*self.best, "P", color=plots.GREEN, markeredgecolor=plots.INK, markersize=10)

    def _draw_trace(self):
        ax, top = self.trace, float(logistic_loss(self.X, self.t, np.array(START)))
        ax.axhline(self.lowest, color=plots.GREEN, linestyle=":", linewidth=1.5)
        self.line, = ax.plot([], [], "-", color=plots.VERMILION, linewidth=1, label="mini-batch")
        self.dots, = ax.plot([], [], "o", color=plots.VERMILION, markeredgecolor=plots.INK, markersize=6)
        self.full_line, = ax.plot([], [], "--s", color=plots.INK, markersize=4, linewidth=1.3, label="full batch")
        ax.set(ylabel="loss on all examples", title="trace", xlabel=f"epochs (examples seen / {self.n})",
               xlim=(0, 10), ylim=(self.lowest - 0.06 * top, 1.45 * top))  # the legend is above the start
        ax.xaxis.get_major_locator().set_params(integer=True)
        self.off, self.legend = note(ax, 0.8, "top"), ax.legend(loc="upper right")
        self.off.set(x=0.97, ha="right")  # under the legend, where a falling loss has left room

    def _draw_cloud(self):
        ax = self.cloud
        ax.set(xlim=(-1.6, 1.6), ylim=(-2, 1.2), xlabel="slope along weight", ylabel="slope along bias")
        ax.set_aspect("equal")
        self.arrows, = ax.plot([], [], "-", color=plots.GRAY, linewidth=0.6, alpha=0.5)
        self.tips, = ax.plot([], [], "o", color=plots.VERMILION, markersize=3, alpha=0.6)
        self.mean, = ax.plot([], [], "X", color=plots.INK, markersize=9)
        self.circle, = ax.plot([], [], "-", color=plots.VERMILION, linewidth=2, label="measured")
        self.law, = ax.plot([], [], "--", color=plots.INK, linewidth=1.5, label="law σ/√batch")
        ax.legend(loc="lower right")
        self.cloud_title = ax.set_title("gradients")

    def on_step(self):
        """Show the next update, later the next few; after the last begin again. Whether there is more."""
        updates = len(self.points) - 1
        self.position = next_position(0 if self.position == updates else self.position, updates)
        self.refresh()
        return self.position < updates

    def on_reset(self):
        """Go back to the start."""
        self.position = 0
        self.refresh()

    def _walk(self):
        """Both descents for the present controls; the player moves along them without computing them anew."""
        key = self.batch.value, self.rate.value, self.epochs.value, self.seed.value
        if key == self._key:
            return
        size, rate, epochs, seed = key
        batches, self.fault = self.batches, ""
        if self.own:
            self.fault = batch_faults(batches(self.n, size, np.random.default_rng(seed)), self.n, size)
        self.points, self.seen = batch_descent(self.X, self.t, START, rate, epochs, size,
                                               np.random.default_rng(seed), batches)
        rng = np.random.default_rng(seed)
        self.full_points, _ = batch_descent(self.X, self.t, START, rate, epochs, self.n, rng)
        self.losses = logistic_loss(self.X, self.t, self.points)
        self.full_losses = logistic_loss(self.X, self.t, self.full_points)
        self.position, self._key = len(self.points) - 1, key

    def update(self):
        """Draw the walk up to its present position, and the gradients there."""
        self._walk()
        k, size = self.position, self.batch.value
        per_epoch = self.axis.value == "epochs"
        count = self.seen / self.n if per_epoch else np.arange(len(self.points))
        epochs, updates = self.epochs.value, len(self.points) - 1
        frame = per_epoch, nice_top(epochs if per_epoch else max(updates, epochs))
        if frame != self._frame:
            self._frame = frame
            self.trace.set(xlim=(-0.02 * frame[1], 1.02 * frame[1]),
                           xlabel=f"epochs (examples seen / {self.n})" if per_epoch else "updates")
            self.background_changed()
        ends = np.flatnonzero(np.diff(self.seen[:k + 1] // self.n, prepend=0))
        self.path.set_data(*drawable(self.points[:k + 1], BOUNDS).T)
        self.path.set_marker("o" if k <= 150 else "")
        self.end.set_data(*self.points[k:k + 1].T)
        self.full_path.set_data(*drawable(self.full_points, BOUNDS).T)
        self.line.set_data(count[:k + 1], self.losses[:k + 1])
        self.dots.set_data(count[ends], self.losses[ends])
        self.full_line.set_data(np.arange(len(self.full_losses)), self.full_losses)
        high = self.trace.get_ylim()[1]
        self.off.set_text(f"▲ off the scale\nhighest {self.losses[:k + 1].max():.2g}"
                          if self.losses[:k + 1].max() > high else "")
        self._scatter(self.points[k], size)
        self._tell(k, size)

    def _scatter(self, w, size):
        """The gradients of many mini-batches at w, and their spread beside the law of the square root."""
        gradients = logistic_gradients(self.X, self.t, w)
        sample = sampled_gradients(gradients, size, self._orders)
        self.spread, sigma = round(gradient_spread(sample), 9), gradient_spread(gradients)
        self.sigma, self.by_law = sigma, sigma / np.sqrt(size)
        tips, mean = sample[:100], gradients.mean(axis=0)
        rays = np.full((len(tips), 3, 2), np.nan)
        rays[:, 0], rays[:, 1] = 0, tips
        self.arrows.set_data(*rays.reshape(-1, 2).T)
        self.tips.set_data(*tips.T)
        self.mean.set_data(*mean[:, None])
        turn = np.linspace(0, 2 * np.pi, 60)
        ring = np.stack([np.cos(turn), np.sin(turn)])
        self.circle.set_data(*(mean[:, None] + self.spread * ring))
        self.law.set_data(*(mean[:, None] + self.by_law * ring))
        self.cloud_title.set_text(f"gradients: spread {self.spread:.2g}")

    def _tell(self, k, size):
        parts = [f"Batch {size}, learning rate {self.rate.value:.3g}: after {counted(k, 'update')} on "
                 f"{counted(self.seen[k], 'example')} ({counted(f'{self.seen[k] / self.n:.3g}', 'epoch')}) "
                 f"the loss is {self.losses[k]:.3f}.",
                 f"The full batch makes {counted(len(self.full_points) - 1, 'update')} in "
                 f"{counted(self.epochs.value, 'epoch')} and reaches {self.full_losses[-1]:.3f}; the lowest possible "
                 f"is {self.lowest:.3f}.",
                 f"Gradients of single examples spread by σ = {self.sigma:.2g} here: the law σ/√batch says "
                 f"{self.by_law:.2g} (dashed circle), measured {self.spread:.2g} (solid circle); drawing without "
                 f"replacement from only {self.n} makes it {finite_correction(self.n, size):.2f} of the law."]
        self.say(" ".join([*parts, self.fault]))

    def describe(self):
        """Alternative text: the two paths, their losses, and the scatter of the gradients."""
        k, updates = self.position, len(self.full_points) - 1
        return (f"Three pictures. Over loss contours, a path of {counted(k, 'update')} with batches of "
                f"{self.batch.value} from loss {self.losses[0]:.2f} to {self.losses[k]:.3f}, beside the smooth path of "
                f"{counted(updates, 'full-batch update')} to {self.full_losses[-1]:.3f}. The trace of "
                f"both losses against {self.axis.value}. The gradients of a hundred mini-batches at the last "
                f"point: a cloud with standard deviation {self.spread:.2g} around the full gradient.")
