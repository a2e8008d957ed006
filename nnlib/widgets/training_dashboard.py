"""TrainingDashboard: a run of `fit` while it goes on, with a button that stops it.

A cell that trains keeps its kernel busy. JupyterLab from 4.4 on, with ipykernel 7, hands the messages of controls to
another thread (a subshell), and so the stop button is answered between two updates (see `answer_elsewhere`); where it
is not, the kernel's own stop square ends `fit` as cleanly. Pictures are drawn in the training's thread, so they are
rationed: at most ten a second, and no more than a sixteenth of the time goes into them, beside the one at the end.
"""

import html
import math
import time

import ipywidgets
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from nnlib import plots, training
from nnlib.layers import Conv2d
from nnlib.training import EarlyStopping, accuracy, predict
from nnlib.widgets.base import Explorer, button, checkbox

PAUSE = 0.1  # seconds between two pictures, the least
TICK = 0.25  # seconds between two readings of the time left, which cost almost nothing
RATION = 15  # a picture that took so long is followed by so many times that without one
MOST_FILTERS, MOST_PAIRS, MOST_POINTS = 16, 5, 300
ABOUT = ("A training dashboard with six panels: loss of the updates, loss of the epochs on training and validation "
         "examples, accuracy, learning rate, the filters of the first convolution, and the pairs of classes that are "
         "confused most.")


def confused_pairs(t, predicted, most=MOST_PAIRS):
    """What is most often taken for what: list of (class, read as, how often), the most frequent first.

    Args: t, predicted: (n,) class numbers.   most: the length of the list, at most.
    """
    wrong = np.flatnonzero(np.asarray(t) != np.asarray(predicted))
    pairs, counts = np.unique(np.stack([np.asarray(t)[wrong], np.asarray(predicted)[wrong]], axis=1), axis=0,
                              return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return [(int(pairs[k][0]), int(pairs[k][1]), int(counts[k])) for k in order]


def filter_mosaic(weight, most=MOST_FILTERS):
    """Filters (out, in, height, width) side by side in one array, nan between them, averaged over their inputs."""
    filters = np.asarray(weight, dtype=float)[:most].mean(axis=1)
    n, height, width = filters.shape
    columns = math.ceil(math.sqrt(n))
    rows = -(-n // columns)
    mosaic = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for k, each in enumerate(filters):
        down, right = (k // columns) * (height + 1), (k % columns) * (width + 1)
        mosaic[down:down + height, right:right + width] = each
    return mosaic


def block_means(values, most=MOST_POINTS):
    """A long series as at most so many means of equal blocks (the last may be short): (positions from 1, means)."""
    values = np.asarray(values, dtype=float)
    size = max(1, -(-len(values) // most))
    starts = np.arange(0, len(values), size)
    counts = np.minimum(size, len(values) - starts)
    return starts + (counts + 1) / 2, np.add.reduceat(values, starts) / counts if len(values) else values


def nice_below(value):
    """The largest of ... 0.1, 0.2, 0.5, 1, 2, 5, 10 ... that is not above a positive value."""
    decade = 10.0 ** math.floor(math.log10(value) + 1e-12)
    return next(k * decade for k in (5, 2, 1) if k * decade <= value * (1 + 1e-12))


def nice_above(value):
    """The smallest of ... 0.1, 0.2, 0.5, 1, 2, 5, 10 ... that is not below a positive value."""
    return 1 / nice_below(1 / value)


def limits(values, coarse=False):
    """(scale, low, high) of an axis that holds these numbers: 1, 2 or 5 times a power of ten; coarse: that power alone.

    They move in jumps, the coarse ones rarely: to draw another axis takes five times as long as to draw curves.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if not values.size:
        return "log", 0.1, 10.0
    low, high = float(values.min()), float(values.max())
    below, above = (lambda v: 10.0 ** math.floor(math.log10(v)), lambda v: 10.0 ** math.ceil(math.log10(v))) \
        if coarse else (nice_below, nice_above)
    if low > 0:
        return "log", below(max(0.9 * low, 1e-12)), above(1.1 * max(high, 1e-12))
    size = above(1.05 * max(abs(low), abs(high), 1e-12))
    return "linear", -size if low < 0 else 0.0, size


def share_limits(values, coarse=False):
    """(low, high) of an axis for accuracies: from a tenth below them (coarse: from 0) to 1; for others as `limits`."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if values.size and (values.min() < 0 or values.max() > 1):
        return limits([*values, 0.0], coarse)[1:]
    low = max(0.0, math.floor(10 * float(values.min()) - 1e-9) / 10) if values.size and not coarse else 0.0
    return low, 1 + 0.04 * (1 - low)


def set_scale(ax, scale, low, high):
    """Give the vertical axis a scale, its limits, and few ticks: at 1, 2 and 5, or at powers of ten alone."""
    if ax.get_yscale() != scale:
        ax.set_yscale(scale)
    ax.set_ylim(low, high)
    if scale == "log":
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 150 else (1,)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_locator(NullLocator())


def duration(seconds):
    """A time in words: "3 s", "2 min 5 s"."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def running_shell():
    """The notebook's shell, where something can be shown; None outside a kernel."""
    from IPython import get_ipython

    return get_ipython() if hasattr(get_ipython(), "kernel") else None


def answer_elsewhere(control):
    """Have what a control says answered while the cell runs, not in the cell's own thread, which is busy.

    ipykernel 7.4 keeps, for every control, the thread that spoke to it last, and hands the answers there; without that
    they go where JupyterLab sends them, to a subshell. Other kernels keep nothing, and nothing is lost there.
    """
    if control.comm is not None:
        vars(control.comm).pop("_reply_subshell_id", None)


class TrainingDashboard(Explorer):
    """Watch `fit` while it trains: losses, accuracy, learning rate, filters, most confused pairs; and stop it.

        dashboard = TrainingDashboard()
        history = dashboard.fit(model, train, validation, optimizer=Adam(model.parameters()), epochs=30)

    or, in a `fit` of your own, which then stops at once or at the end of the epoch, whichever list it is in:

        fit(..., callbacks=[dashboard], batch_callbacks=[dashboard], progress=False)

    It shows itself when the training begins. Args, for the second form (the first one knows them): epochs, for the time
    left; validation: examples for the confused pairs, as of `fit`.   keep_best: how the box begins; ticked, the stop
    button leaves the model with the weights of its best epoch.   class_names: of the classes 0, 1, 2 ...
    Attributes: `history`, of the run; `confused`, a list of (class, read as, how often).
    """

    def __init__(self, epochs=None, validation=None, keep_best=True, class_names=None):
        if epochs is not None:
            training.whole_number("TrainingDashboard", "epochs", epochs)
        self.epochs, self.steps, self.metric = epochs, None, "accuracy"
        self.validation = None if validation is None else training._pair("TrainingDashboard", validation)
        self.class_names, self.history, self.model, self.confused = class_names, None, None, []
        self.pictures, self.spent, self._running, self._asked, self._ours = 0, 0.0, False, False, False
        self._seen, self._first, self._frame, self._ended, self._handle = 0, None, None, "", None
        self._first_rate = 0.1
        self.stop_button = button("stop training", self.stop, "end the training after the update that is computed now; "
                                  "the stop square of the toolbar does it, too")
        self.stop_button.disabled = True
        self.keep_best = checkbox("keep the best weights", bool(keep_best),
                                  "when you stop it, the model gets the weights of its best epoch")
        self._clock = ipywidgets.HTML()
        figure = self._make_artists()
        self.assemble(figure, [self.stop_button, self.keep_best],
                      [self.updates, self.train_loss, self.held_loss, self.best_mark, self.train_metric,
                       self.held_metric, self.rates, self.filters, *self.bars.patches, *self.counts, *self.pairs,
                       self.filters_note, self.pairs_note])
        rows = self.children
        self.children = [rows[0], self._clock, *rows[1:]]

    def _make_artists(self):
        figure, ((self.update_axes, self.loss_axes, self.metric_axes),
                 (self.rate_axes, self.filter_axes, self.pair_axes)) = plots.subplots(2, 3, width=10.2, height=5.6)
        seen, held = {"color": plots.INK, "linewidth": 1.6}, {"color": plots.VERMILION, "linewidth": 1.6}
        held |= {"linestyle": "--", "marker": "o", "markersize": 3}
        self.updates, = self.update_axes.plot([], [], color=plots.GRAY, linewidth=1.1)
        self.train_loss, = self.loss_axes.plot([], [], label="training", **seen)
        self.held_loss, = self.loss_axes.plot([], [], label="validation", **held)
        self.best_mark, = self.loss_axes.plot([], [], "*", color=plots.GREEN, markersize=13, label="best epoch",
                                              markeredgecolor=plots.INK, linestyle="none")
        self.train_metric, = self.metric_axes.plot([], [], label="training", **seen)
        self.held_metric, = self.metric_axes.plot([], [], label="validation", **held)
        self.rates, = self.rate_axes.plot([], [], color=plots.INK, linewidth=1.6, marker="o", markersize=3)
        self.update_axes.set(title="loss of the updates", xlabel="update", ylabel="loss")
        self.loss_axes.set(title="loss of the epochs", xlabel="epoch", ylabel="loss")
        self.metric_axes.set(title="accuracy", xlabel="epoch", ylabel="share of right answers")
        self.rate_axes.set(title="learning rate", xlabel="epoch", ylabel="rate")
        self.loss_axes.legend(loc="upper right")
        self.metric_axes.legend(loc="lower right")
        self.filters = self.filter_axes.imshow(np.full((3, 3), np.nan), cmap=plots.DIVERGING, vmin=-1, vmax=1,
                                               extent=(0, 1, 0, 1))
        self.filter_axes.set(title="filters of the first layer", xticks=[], yticks=[],
                             xlabel="blue negative, orange positive")
        self.filter_axes.grid(False)
        self.pair_axes.set(title="most confused pairs", xlabel="bars: validation examples", xticks=[], yticks=[],
                           xlim=(0, 1.15), ylim=(MOST_PAIRS - 0.4, -0.6))
        rows = np.arange(MOST_PAIRS)
        self.bars = self.pair_axes.barh(rows + 0.22, 0 * rows, height=0.32, color=plots.GRAY, edgecolor=plots.INK,
                                        linewidth=0.8)
        self.counts = [self.pair_axes.text(0, r + 0.22, "", va="center", fontsize=9) for r in rows]
        self.pairs = [self.pair_axes.text(0.02, r - 0.2, "", va="center", fontsize=9.5,
                                          transform=self.pair_axes.get_yaxis_transform()) for r in rows]
        self.filters_note, self.pairs_note = (ax.text(0.5, 0.5, "", transform=ax.transAxes, ha="center", va="center",
                                                      fontsize=9.5) for ax in (self.filter_axes, self.pair_axes))
        for spine in (*self.filter_axes.spines.values(), *self.pair_axes.spines.values()):
            spine.set_visible(False)
        for ax, low in ((self.update_axes, 0.001), (self.loss_axes, 0.001), (self.rate_axes, 0.0001)):
            set_scale(ax, "log", low, 10)  # with labels as wide as they come: their place is kept
        return figure

    # Training

    def fit(self, model, train, validation=None, *, epochs=10, batch_size=32, drop_last=False, metric=accuracy,
            callbacks=(), batch_callbacks=(), progress=False, **options):
        """As `nnlib.fit`, with the same arguments, and this dashboard above the cell's other output."""
        self.epochs, self.validation = epochs, validation and training._pair("fit", validation)
        n = len(training._pair("fit", train)[0])
        self.steps = n // batch_size if drop_last else -(-n // batch_size)
        self.metric = getattr(metric, "__name__", "metric")
        self.history, self._ours, self._first_rate = None, True, getattr(options.get("optimizer"), "lr", 0.1)
        try:
            history = training.fit(
                model, train, validation, epochs=epochs, batch_size=batch_size, drop_last=drop_last, metric=metric,
                callbacks=[*callbacks, self], batch_callbacks=[*batch_callbacks, self], progress=progress, **options)
        finally:
            self._ours = False
            self._finish()
        return history

    def stop(self):
        """Ask the training to end; it does so after the update that it computes now."""
        if self._running:
            self._asked = True
            self.stop_button.description, self.stop_button.disabled = "stopping", True

    def __call__(self, model, history):
        """What `fit` calls after every update and epoch; a sentence ends the training."""
        if history is not self.history:
            self._begin(model, history)
        answer, now, self._running = None, time.monotonic(), True
        if self._asked:
            answer = "stopped by the button"
        if ended := len(history) > self._seen:
            self._seen, self.steps = len(history), self.steps or len(history.batch_loss)
            self._best(model, history)
            if answer and self.keep_best.value:
                answer += f" ({self._best.restore(model)})"
        if ended and not self._ours and (answer or self._seen == self.epochs):
            self._ended = f"{answer}, after epoch {self._seen}" if answer else ""
            self._finish()
        elif now >= self._next:
            self._glance(now)
        elif now >= self._tick:
            self._show_clock(now)
        return answer

    def _glance(self, now):
        """Show the state at this moment, and find out when the next picture may be drawn."""
        self._look()
        self.refresh()
        self._show_clock(now)
        self.pictures += 1
        cost = time.monotonic() - now
        self.spent += cost
        self._next = now + cost + max(PAUSE, RATION * cost)

    def _begin(self, model, history):
        """Take note of a new run, and show the dashboard."""
        self.model, self.history, self._best = model, history, EarlyStopping()
        self._seen, self._asked, self.confused, self._ended, self._frame = 0, False, [], "", None
        self.steps = self.steps if self._ours else None
        self.pictures, self.spent, self._started = 0, 0.0, time.monotonic()
        self.stop_button.description, self.stop_button.disabled = "stop training", False
        self._first = next((m for m in model.modules() if isinstance(m, Conv2d)), None)
        self._handle = None
        if shell := running_shell():
            from IPython.display import display

            self._handle = display(self, display_id=True)
            shell.events.register("post_run_cell", self._cell_ended)
        self._running = True
        for control in (self.stop_button, self.keep_best):
            answer_elsewhere(control)
        self._next = self._tick = time.monotonic() + PAUSE

    def _cell_ended(self, result=None):
        """However a `fit` ended that was not ours, its cell is done."""
        self._finish()

    def _finish(self):
        """Show the end of the run, which is also what is stored in the notebook."""
        if not self._running:
            return
        self._running = False
        self.stop_button.description, self.stop_button.disabled = "stop training", True
        self._clock.value = ""
        self._look()
        self.redraw_background()
        if self._handle is not None:
            self._handle.update(self)
            shell = running_shell()
            if shell and self._cell_ended in shell.events.callbacks["post_run_cell"]:
                shell.events.unregister("post_run_cell", self._cell_ended)

    def _look(self):
        """Ask the model what it takes the validation examples for."""
        if self.validation is None:
            return
        X, t = self.validation
        try:
            z = predict(self.model, X)
        except TypeError:
            return  # several outputs: no classes to confuse
        if z.ndim == 2 and z.shape[1] > 1 and t.shape == (len(z),) and t.dtype.kind in "iu":
            self.confused = confused_pairs(t, z.argmax(axis=1))

    @property
    def _total(self):
        """The updates of the whole run, where they are known."""
        return self.epochs * self.steps if self.epochs and self.steps else None

    def _show_clock(self, now):
        """Progress and time left; live only, for what is stored must not differ from run to run."""
        done, epoch = len(self.history.batch_loss), len(self.history)
        total = self._total
        words = f"epoch {epoch + 1 if done > epoch * (self.steps or done) else epoch}"
        bar = ""
        if total:
            left = (now - self._started) / done * (total - done)
            words += f" of {self.epochs}, update {done} of {total}, about {duration(left)} left"
            bar = (f'<progress max="{total}" value="{done}" aria-label="progress of the training" '
                   'style="width:220px"></progress> ')
        self._clock.value = f"<div>{bar}{html.escape(words)}</div>"
        self._tick = now + TICK

    # The picture

    def _changed(self, change):
        """The box is read when the training is stopped: nothing to draw."""

    def update(self):
        """Draw all that the history holds."""
        h = self.history
        if h is None:
            self.filters_note.set_text("shown while it trains")
            self.pairs_note.set_text("shown while it trains")
            return
        self._set_axes(h)
        self.updates.set_data(*block_means(h.batch_loss))
        for line, column in ((self.train_loss, h.loss), (self.held_loss, h.validation_loss),
                             (self.train_metric, h.metric), (self.held_metric, h.validation_metric),
                             (self.rates, h.lr)):
            line.set_data(np.arange(1, len(column) + 1), column)
        best = self._best.epoch
        self.best_mark.set_data([best] if best else [], [self._best.loss] if best else [])
        self._show_filters()
        self._show_pairs()
        self.say(" ".join(self._words()))

    def _set_axes(self, h):
        coarse, total = self._running, self._total
        epochs = self.epochs or nice_above(max(len(h), 1))
        frame = (epochs, total or nice_above(max(len(h.batch_loss), 1)), self.metric,
                 limits(block_means(h.batch_loss)[1], coarse), limits([*h.loss, *h.validation_loss], coarse),
                 share_limits([*h.metric, *h.validation_metric], coarse), limits(h.lr or [self._first_rate], coarse))
        if frame == self._frame:
            return
        self._frame = frame
        epochs, updates, metric, batch, loss, share, rate = frame
        for ax, (scale, low, high) in ((self.update_axes, batch), (self.loss_axes, loss), (self.rate_axes, rate)):
            set_scale(ax, scale, low, high)
        self.update_axes.set_xlim(0, updates * 1.01)
        for ax in (self.loss_axes, self.metric_axes, self.rate_axes):
            ax.set_xlim(0, epochs * 1.03)
            ax.xaxis.get_major_locator().set_params(integer=True)
        words = "share of right answers" if metric == "accuracy" else metric
        self.metric_axes.set(ylim=share, title=metric, ylabel=words)
        self.background_changed()

    def _show_filters(self):
        self.filters_note.set_text("" if self._first else "the model has\nno convolution")
        if self._first:
            mosaic = filter_mosaic(self._first.weight.data)
            self.filters.set_data(mosaic)
            self.filters.set_clim(*np.array([-1, 1]) * max(np.nanmax(np.abs(mosaic)), 1e-12))

    def _show_pairs(self):
        longest = max([times for *_, times in self.confused], default=1)
        for k, (bar, count, pair) in enumerate(zip(self.bars, self.counts, self.pairs)):
            true, read, times = self.confused[k] if k < len(self.confused) else (0, 0, 0)
            bar.set(width=times / longest, visible=times > 0)
            count.set(x=times / longest + 0.02, text=str(times) if times else "")
            pair.set_text(f"{self._name(true)} read as {self._name(read)}" if times else "")
        self.pairs_note.set_text("" if self.confused else "no validation set" if self.validation is None
                                 else "none yet" if self._running else "none")

    def _name(self, k):
        return str(self.class_names[k]) if self.class_names else str(k)

    # Words

    def _words(self):
        h = self.history
        if not self._running and (ended := h.stopped or self._ended):
            yield f"The training ended early: {ended}."
        if len(h) == 0:
            yield f"{len(h.batch_loss)} updates so far; the first epoch is not yet through."
            return
        yield f"Epoch {len(h)}" + (f" of {self.epochs}" if self.epochs else "") + ":"
        for kind, loss, metric in (("training", h.loss, h.metric), ("validation", h.validation_loss,
                                                                   h.validation_metric)):
            if loss:
                yield f"{kind} loss {loss[-1]:.3f}" + (f", {self.metric} {metric[-1]:.3f};" if metric else ";")
        yield f"the lowest {'validation' if h.validation_loss else 'training'} loss so far, {self._best.loss:.3f}, " \
              f"was after epoch {self._best.epoch}."

    def describe(self):
        """Alternative text: the panels, and what the curves have come to."""
        if self.history is None:
            return f"{ABOUT} Nothing is trained yet, so they are empty."
        pairs = ", ".join(f"{self._name(a)} read as {self._name(b)} {n} times" for a, b, n in self.confused)
        return f"{ABOUT} {' '.join(self._words())}" + (f" Most confused: {pairs}." if pairs else "")

    def _repr_mimebundle_(self, **kwargs):
        """As every explorer's; but the plain text, which tests compare, holds no numbers of this run."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if self.history is not None:
            bundle["text/plain"] = ABOUT
        return bundle
