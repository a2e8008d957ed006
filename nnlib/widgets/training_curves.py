"""TrainingCurvesExplorer: train a small network on digits, read its curves, and tell what is wrong with a run."""

from dataclasses import dataclass, replace
from functools import lru_cache

import ipywidgets
import numpy as np
from matplotlib.ticker import NullFormatter

from nnlib import plots
from nnlib.autograd import Tensor, no_grad
from nnlib.datasets import load_digits
from nnlib.layers import Linear, ReLU, Sequential
from nnlib.losses import cross_entropy
from nnlib.optimizers import SGD
from nnlib.training import History, predict
from nnlib.widgets.base import WIDE, Explorer, button, checkbox, log_slider, note, slider
from nnlib.widgets.descent import counted
from nnlib.widgets.turns import InTurns

CAUSES = ("rate too high", "rate too low", "over-fit", "under-fit", "bad labels", "missing shuffle", "healthy")
UNSURE = "cannot tell"
CLASSES, BATCH, VALIDATION, NOISE = 10, 20, 500, 0.1
SLOWEST, FASTEST, MOST_EXAMPLES, MOST_HIDDEN, LONGEST, MOST_WRONG = 5e-4, 20.0, 1000, 128, 100, 60
DECAYS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
LEARNED, WIDE_GAP, SMALL_GAP = 0.9, 0.1, 0.08  # accuracy on training examples; its lead over the validation
RUNS, TOLD = 9, 6  # of a gallery; causes that its goal asks for
GALLERIES = 20
TOP, FLOOR = 2.8, 1e-4  # of the axes of losses; what is above or below is drawn at the rim


# Training

@dataclass(frozen=True)
class RunSettings:
    """One run.

    rate: of learning.   hidden: units.   examples: to train on.   wrong: percent of their labels.   shuffle: whether
    each epoch has its own order.   decay: of the weights.   seed: of examples, first weights and orders.
    """

    rate: float = 0.1
    hidden: int = 32
    examples: int = 400
    wrong: int = 0
    shuffle: bool = True
    epochs: int = 40
    decay: float = 0.0
    seed: int = 0


@lru_cache(maxsize=1)
def digits():
    """Digits with a little pixel noise, standardized: (X, t) to train on, by class, and (X, t) to validate with."""
    data, rng = load_digits(), np.random.default_rng(0)
    order = rng.permutation(len(data))
    X, t = data.X[order] + NOISE * rng.normal(size=data.X.shape), data.t[order]
    train = slice(VALIDATION, None)
    X = ((X - X[train].mean(axis=0)) / X[train].std()).astype(np.float32)
    return (X[train], t[train]), (X[:VALIDATION], t[:VALIDATION])


def training_examples(settings):
    """The examples of a run, sorted by class as in a file, some labels changed: X (n, 64), t (n,)."""
    rng = np.random.default_rng(settings.seed)
    X, t = digits()[0]
    rows = rng.permutation(len(X))[:settings.examples]
    rows = rows[np.argsort(t[rows], kind="stable")]
    t = t[rows]
    bad = rng.permutation(len(rows))[:round(settings.wrong / 100 * len(rows))]
    t[bad] = (t[bad] + rng.integers(1, CLASSES, len(bad))) % CLASSES
    return X[rows], t


class DigitsRun:
    """A training that goes on epoch by epoch; the `epochs` of the settings only say how far.

    Its `history` is as that of `fit`: training values are means over the batches while the weights moved.
    """

    def __init__(self, settings):
        rng = np.random.default_rng((settings.seed, 1))
        self.settings, self.target, self.rng, self.history = settings, settings.epochs, rng, History()
        self.X, self.t = training_examples(settings)
        self.model = Sequential(Linear(64, settings.hidden, rng=rng), ReLU(), Linear(settings.hidden, CLASSES, rng=rng))
        self.optimizer = SGD(self.model.parameters(), lr=settings.rate, weight_decay=settings.decay)

    @property
    def done(self):
        """Whether it has come as far as it shall."""
        return len(self.history) >= self.target

    def advance(self):
        """Train for one more epoch."""
        n, history = len(self.t), self.history
        order = self.rng.permutation(n) if self.settings.shuffle else np.arange(n)
        loss = right = 0.0
        with np.errstate(all="ignore"):
            for first in range(0, n, BATCH):
                rows = order[first:first + BATCH]
                self.optimizer.zero_grad()
                scores = self.model(Tensor(self.X[rows]))
                value = cross_entropy(scores, self.t[rows])
                value.backward()
                self.optimizer.step()
                history.batch_loss.append(value.item())
                loss += value.item() * len(rows)
                right += np.sum(scores.data.argmax(axis=1) == self.t[rows])
            validation = self.validate()
        for column, entry in (("loss", loss / n), ("metric", right / n), ("validation_loss", validation[0]),
                              ("validation_metric", validation[1]), ("lr", self.settings.rate)):
            getattr(history, column).append(float(entry))
        history.best_epoch = 1 + int(np.argmin(np.nan_to_num(history.validation_loss, nan=np.inf)))

    def validate(self):
        """Loss and accuracy on the validation set; few rows at once, so that the products start no threads."""
        X, t = digits()[1]
        rows = max(16, 2 ** 18 // (64 * self.settings.hidden))
        scores = predict(self.model, X, rows)
        with no_grad():
            return cross_entropy(Tensor(scores), t).item(), np.mean(scores.argmax(axis=1) == t)


def train_digits(settings):
    """Train as these `RunSettings` say, to the end. Returns the `History`."""
    run = DigitsRun(settings)
    while not run.done:
        run.advance()
    return run.history


# Diagnosis

@dataclass(frozen=True)
class Verdict:
    """What the curves say: one of CAUSES or UNSURE, and the sign it rests on, as a sentence."""

    cause: str
    sign: str


def recurrence(batch_loss, epochs):
    """How alike the losses of the batches are in one epoch and the next: their mean correlation, -1 to 1.

    Near 0 where the examples are shuffled anew; None where there is too little to see: fewer than 8 batches in an
    epoch, fewer than 4 epochs, or losses that are not finite.
    """
    losses = np.asarray(batch_loss, dtype=float)
    if not epochs or len(losses) % epochs or len(losses) < 8 * epochs or epochs < 4 or not np.isfinite(losses).all():
        return None
    rows = np.log(np.maximum(losses, 1e-6)).reshape(epochs, -1)[1:]  # the log: late epochs count as early ones do
    place = np.linspace(-1, 1, rows.shape[1])
    slope = (rows @ place) / (place @ place)  # a steady fall within each epoch is no tooth
    rows = rows - rows.mean(axis=1, keepdims=True) - slope[:, None] * place
    size = np.linalg.norm(rows, axis=1)
    return float(np.mean(np.sum(rows[1:] * rows[:-1], axis=1) / np.maximum(size[1:] * size[:-1], 1e-12)))


def diagnose(history, classes=CLASSES):
    """What is wrong with a run, as a `Verdict`, from nothing but its curves.

    Args: history: of `fit`, with losses and accuracies of training and validation.   classes: how many there are.
    The limits are rules of thumb for a classifier without dropout or augmentation, which change the signs.
    Raises ValueError for a history without these curves.
    """
    curves = [np.asarray(c, dtype=float) for c in (history.loss, history.metric, history.validation_loss,
                                                   history.validation_metric)]
    epochs = len(curves[0])
    if not epochs or any(len(c) != epochs for c in curves):
        raise ValueError("diagnose: expected a History with loss and accuracy of training and validation; try "
                         "fit(model, train, validation, metric=accuracy, ...)")
    loss, right, validation_loss, validation_right = curves
    if not all(np.isfinite(c).all() for c in (loss, validation_loss)):
        return Verdict("rate too high", "The loss is no longer a finite number: the steps overshoot, each more than "
                                        "the last.")
    if epochs < 5:
        return Verdict(UNSURE, f"Too few epochs: a curve of {counted(epochs, 'point')} has no shape yet.")
    chance, tail = np.log(classes), max(2, epochs // 10)
    rises = np.maximum(np.diff(loss), 0).sum() / max(loss[0] - loss.min(), 0.1 * loss[0])
    if loss[-tail:].mean() > 1.1 * max(loss[0], chance):
        return Verdict("rate too high", f"The training loss ends at {loss[-1]:.3g}, above its beginning and above the "
                                        f"{chance:.3g} of guessing: the steps overshoot.")
    again = recurrence(history.batch_loss, epochs)
    if again is not None and again > 0.5:
        return Verdict("missing shuffle", "The losses of the batches show the same teeth in every epoch (their "
                       f"correlation from one epoch to the next is {again:.2f}; shuffled batches give about 0).")
    if rises > 0.35:
        return Verdict("rate too high", "The training loss jumps up again and again: all its rises together make "
                                        f"{min(rises, 9.99):.0%} of its fall{' and more' if rises > 9.99 else ''}.")
    ahead = (validation_right[:-1] > right[1:] + 0.03) & (validation_loss[:-1] < 0.93 * loss[1:])
    if ahead[1:].sum() >= max(3, 0.1 * epochs):
        epoch = 1 + int(np.argmax(np.where(ahead, validation_right[:-1] - right[1:], -1)))
        return Verdict("bad labels", f"After epoch {epoch} the network is right on {validation_right[epoch - 1]:.0%} "
                       f"of the validation images but, in the next epoch, on only {right[epoch]:.0%} of the images it "
                       "trains on: some of the training labels must be wrong.")
    end, held = right[-tail:].mean(), validation_right[-tail:].mean()
    fifth = max(1, epochs // 5)
    late = loss[-fifth - 1] - loss[-tail:].mean()
    share = late / max((loss[0] - loss[-tail:].mean()) * fifth / epochs, 1e-9)  # of the mean fall in as many epochs
    best = 1 + int(validation_loss.argmin())
    if end - held >= WIDE_GAP and end >= 0.85 and validation_loss[-1] > 2 * loss[-1]:
        turned = validation_loss[-1] > 1.05 * validation_loss.min()
        return Verdict("over-fit", f"A gap: {end:.0%} right in training, {held:.0%} in validation. The training loss "
                       "keeps falling toward 0, the validation loss "
                       + (f"was lowest after epoch {best} and rises since." if turned else
                          f"stays near {validation_loss[-1]:.2g}."))
    if end < LEARNED and share > 0.6 and late > 0:
        return Verdict("rate too low", f"The training loss still falls as fast as before, and is only at "
                       f"{loss[-1]:.3g}: it needs larger steps, or many more of them.")
    if end < 0.8 and share < 0.4 and loss[0] - loss[-1] > 0.02 * loss[0]:
        return Verdict("under-fit", f"The training loss itself has become nearly flat at {loss[-1]:.2g}, with only "
                       f"{end:.0%} right: the network cannot fit even the images it sees.")
    if end >= LEARNED and end - held <= SMALL_GAP and share < 0.4:
        return Verdict("healthy", f"Both losses fell and became flat, {end:.0%} right in training and {held:.0%} in "
                                  "validation: a small gap.")
    return Verdict(UNSURE, _why_unsure(end, held, loss, chance))


def _why_unsure(end, held, loss, chance):
    if loss[-1] > 0.97 * chance:
        return ("The loss has not left the value of guessing, and no sign says why: try a rate ten times as large, "
                "and one ten times as small.")
    if end - held > SMALL_GAP:
        return f"A gap of {100 * (end - held):.0f} points between training and validation, neither small nor wide."
    return "The training loss is neither still falling fast nor flat yet: give it more epochs."


# The gallery of runs with a hidden cause

@dataclass(frozen=True)
class Mystery:
    """A run and its hidden cause."""

    cause: str
    settings: RunSettings


def mystery_settings(cause, rng):
    """Settings of a run that shows this cause; numbers and seed are drawn."""
    usual = {"rate": 0.1, "hidden": 32, "examples": int(rng.choice([700, 850, 1000])), "epochs": 40}
    special = {
        "rate too high": lambda: {"rate": rng.uniform(2, 3.5), "examples": 400},
        "rate too low": lambda: {"rate": rng.uniform(0.001, 0.003), "examples": 400},
        "over-fit": lambda: {"examples": int(rng.choice([40, 60])), "hidden": 128, "rate": 0.3, "epochs": 60},
        "under-fit": lambda: {"hidden": int(rng.choice([1, 2])), "epochs": 50},
        "bad labels": lambda: {"wrong": int(rng.choice([25, 30, 35])), "examples": int(rng.choice([500, 700]))},
        "missing shuffle": lambda: {"shuffle": False, "rate": rng.uniform(0.2, 0.3), "epochs": 25},
        "healthy": lambda: {"rate": rng.uniform(0.1, 0.2)}}[cause]()
    special = {name: round(value, 4) if isinstance(value, float) else value for name, value in special.items()}
    return RunSettings(**usual | special, seed=int(rng.integers(1, 1000)))


def gallery(number=0):
    """Nine runs in a mixed order: each of CAUSES, and two of them a second time."""
    rng = np.random.default_rng((number, 7))
    causes = [*CAUSES, *rng.permutation(CAUSES)[:RUNS - len(CAUSES)]]
    return [Mystery(causes[k], mystery_settings(causes[k], rng)) for k in rng.permutation(len(causes))]


SIGNS = {
    "rate too high": "the training loss would jump up again and again, or end above its beginning",
    "rate too low": "the training loss would still fall at an even pace at the end",
    "over-fit": "training would end far better than validation",
    "under-fit": "the training loss itself would be flat and high",
    "bad labels": "validation would stay better than training for many epochs",
    "missing shuffle": "the losses of the batches would show the same teeth in every epoch",
    "healthy": "both losses would have fallen, become flat, and ended close together"}


# The explorer

def first_epochs(history, epochs):
    """What a history held after so many epochs."""
    updates = len(history.batch_loss) // max(len(history), 1)
    cut = {name: getattr(history, name)[:epochs] for name in ("loss", "metric", "validation_loss", "validation_metric")}
    return History(**cut, batch_loss=history.batch_loss[:epochs * updates])


def decades_around(losses):
    """Powers of ten around these losses (n,), as limits of an axis: (low, high)."""
    if not losses.size:
        return 0.1, 10.0
    low, high = np.log10(np.clip((losses.min(), losses.max()), FLOOR, 1e12))
    return 10.0 ** np.floor(low), 10.0 ** max(np.ceil(high), np.floor(low) + 1)


def loss_in_words(value):
    """A loss with three digits; "not finite" where it is none."""
    return f"{value:.3g}" if np.isfinite(value) else "not finite"


class TrainingCurvesExplorer(InTurns, Explorer):
    """Train a small network on digits as you set it, and read its curves; or tell what is wrong with hidden runs.

    The network has one hidden layer of ReLU units and is trained by plain SGD in batches of 20; the labels of the 500
    validation images are always right. Training goes on in turns, and runs that were made are kept.

    Args:
        part: "free": every control, and a verdict in words.   "mystery": nine runs, the settings hidden; a row of
            buttons takes the diagnosis, and the first answer to each run counts.
        rate, hidden, examples, wrong, shuffle, epochs, decay, seed: as in `RunSettings`, where the controls begin.
        goal: how many different verdicts to bring about, or causes to tell at the first answer: 1 to 7, or None. 6
            in the part "mystery" unless told otherwise.
    Raises ValueError for an argument out of range.
    Source: decks B and C (reading the curves of training and validation).
    """

    def __init__(self, part="free", rate=0.1, hidden=32, examples=400, wrong=0, shuffle=True, epochs=40, decay=0.0,
                 seed=0, goal=None):
        if part not in ("free", "mystery"):
            raise ValueError(f"TrainingCurvesExplorer: expected the part \"free\" or \"mystery\" but got {part!r}")
        if goal not in (None, *range(1, len(CAUSES) + 1)):
            raise ValueError(f"TrainingCurvesExplorer: expected a goal of 1 to {len(CAUSES)}, or None, but got "
                             f"{goal!r}")
        limits = {"rate": (rate, SLOWEST, FASTEST), "hidden": (hidden, 1, MOST_HIDDEN),
                  "examples": (examples, BATCH, MOST_EXAMPLES), "wrong": (wrong, 0, MOST_WRONG),
                  "epochs": (epochs, 5, LONGEST), "seed": (seed, 0, 20)}
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise ValueError(f"TrainingCurvesExplorer: expected {name} from {low:g} to {high:g} but got {value}")
        if decay not in DECAYS:
            raise ValueError(f"TrainingCurvesExplorer: expected a decay of {', '.join(map(str, DECAYS))} but got "
                             f"{decay}")
        self.mystery = part == "mystery"
        self.aim = goal if goal or not self.mystery else TOLD
        self.collected, self._runs, self._frame = [], {}, None
        self.stop_button()
        figure, (self.losses, self.rights, self.batches) = plots.subplots(1, 3, width=10.2, height=3.7)
        self._make_artists()
        rows = (self._mystery_controls() if self.mystery else
                self._free_controls(RunSettings(rate, hidden, examples, wrong, shuffle, epochs, decay, seed)))
        ask = "tell" if self.mystery else "bring about"
        end = "causes at the first answer" if self.mystery else "verdicts"
        self.assemble(figure, rows, [*self.lines.values(), self.teeth, self.title, self.off],
                      goal=f"{ask} {self.aim} different {end}" if self.aim else None)
        self._whole = False

    def _free_controls(self, start):
        self.rate = log_slider("learning rate", SLOWEST, FASTEST, start.rate,
                               tooltip="how far one update goes along the gradient")
        self.hidden = slider("hidden", 1, MOST_HIDDEN, start.hidden, unit="units", tooltip="units of the hidden layer")
        self.examples = slider("training examples", BATCH, MOST_EXAMPLES, start.examples, step=BATCH,
                               tooltip="how many images it trains on; validation always has 500 others")
        self.wrong = slider("wrong labels", 0, MOST_WRONG, start.wrong, unit="%",
                            tooltip="share of the training images whose label is changed to a wrong one")
        self.epochs = slider("epochs", 5, LONGEST, start.epochs, unit="passes", tooltip="passes over the examples")
        self.decay = ipywidgets.SelectionSlider(
            options=[(f"{d:g}" if d else "off", d) for d in DECAYS], value=start.decay, description="weight decay",
            tooltip="each update also shrinks every weight by learning rate times this", layout=WIDE,
            style={"description_width": "150px"})
        self.seed = slider("draw", 0, 20, start.seed, unit="seed",
                           tooltip="another number draws other examples and first weights")
        self.shuffle = checkbox("shuffle in every epoch", start.shuffle,
                                "whether each epoch has its own order; without it the images stay sorted by class")
        return [[self.rate, self.epochs], [self.hidden, self.examples], [self.wrong, self.decay],
                [self.seed, self.shuffle, self.stopper]]

    def _mystery_controls(self):
        self.number = 0
        self._new_gallery()
        self.answers = {cause: button(cause, lambda cause=cause: self.answer(cause), f"your diagnosis: {cause}")
                        for cause in CAUSES}
        self.previous = button("previous run", lambda: self.move(-1), "back to the run before")
        self.next = button("next run", lambda: self.move(+1), "on to the next run, answered or not")
        self.others = button("other runs", self.other_runs, "nine new runs; the score begins again")
        return [[*self.answers.values()], [self.previous, self.next, self.others, self.stopper]]

    def _new_gallery(self):
        self.runs, self.place = gallery(self.number), 0
        self.given = [[] for _ in self.runs]  # the answers to each run, in their order
        self.collected = []

    def answer(self, cause):
        """Take a diagnosis of the run shown; only the first one counts."""
        given, mystery = self.given[self.place], self.runs[self.place]
        if cause not in given and mystery.cause not in given and self.run.done:
            given.append(cause)
            if given == [mystery.cause] and cause not in self.collected:
                self.collected.append(cause)
        self.refresh()

    def move(self, by):
        """Show the next or an earlier run; after the last comes the first."""
        self._stopped, self.place = False, (self.place + by) % len(self.runs)
        self.refresh()

    def other_runs(self):
        """Begin a new gallery."""
        self._stopped, self.number = False, (self.number + 1) % GALLERIES
        self._new_gallery()
        self.refresh()

    def _make_artists(self):
        train = {"color": plots.INK, "linewidth": 2}
        held = {"color": plots.VERMILION, "linewidth": 2, "linestyle": (0, (3, 1.5))}
        self.lines = {}
        for ax, name in ((self.losses, "loss"), (self.rights, "metric")):
            self.lines[name], = ax.plot([], [], label="training", **train)
            self.lines[f"validation_{name}"], = ax.plot([], [], label="validation", **held)
            ax.set(xlabel="epoch", xlim=(0, 40))
        self.losses.set(ylabel="loss", ylim=(0, TOP))
        self.losses.axhline(np.log(CLASSES), color=plots.GRAY, linewidth=1, linestyle=":")
        self.losses.text(1, np.log(CLASSES), "guessing ", transform=self.losses.get_yaxis_transform(), ha="right",
                         va="bottom", fontsize=9, color=plots.GRAY)
        self.rights.set(ylabel="accuracy", ylim=(0, 1.03), title="accuracy")
        self.rights.legend(loc="lower right")
        self.title, self.off = self.losses.set_title("loss, run 9 of 9"), note(self.losses, 0.55, "center")
        self.teeth, = self.batches.plot([], [], "-", color=plots.INK, linewidth=1)
        for k in (-2, -1):
            self.batches.axvline(k, color=plots.GRAY, linewidth=1, zorder=0)
        self.batches.set(xlabel="epochs, back from the last", ylabel="loss of the batch", yscale="log", xlim=(-3, 0),
                         title="batches, last 3 epochs", xticks=range(-3, 1), ylim=(FLOOR, 10))
        self.batches.yaxis.set_minor_formatter(NullFormatter())

    @property
    def settings(self):
        """The settings of the run shown, as `RunSettings`."""
        if self.mystery:
            return self.runs[self.place].settings
        return RunSettings(**{name: getattr(self, name).value for name in (
            "rate", "hidden", "examples", "wrong", "shuffle", "epochs", "decay", "seed")})

    def _run_of(self, settings):
        """The run with these settings, as far as it was trained; few epochs are the beginning of many."""
        key = replace(settings, epochs=0)
        if key not in self._runs and len(self._runs) >= 60:
            del self._runs[next(iter(self._runs))]
        run = self._runs.setdefault(key, None) or DigitsRun(settings)
        self._runs[key], run.target = run, settings.epochs
        return run

    def update(self):
        """Train for a turn if the run is not there yet, and draw it as far as it is."""
        settings = self.settings
        self.run = self._run_of(settings)
        done = self.work_on(self.run)
        self.history = first_epochs(self.run.history, settings.epochs)
        self.verdict = diagnose(self.history) if done else None
        self._draw(settings)
        if self.mystery:
            self._tell_mystery(settings, done)
        else:
            self._tell_free(settings, done)

    def _draw(self, settings):
        epochs, h = len(self.history), self.history
        batches = np.asarray(h.batch_loss[-3 * (len(h.batch_loss) // max(epochs, 1)):], dtype=float)
        shown = min(3, epochs)
        finite = batches[np.isfinite(batches)]
        low, high = decades_around(finite)
        frame = settings.epochs, low, high
        if frame != self._frame:
            for ax in (self.losses, self.rights):
                ax.set_xlim(0, settings.epochs)
            self.batches.set_ylim(low, high)
            self._frame = frame
            self.background_changed()
        x = np.arange(1, epochs + 1)
        for name, line in self.lines.items():
            values = np.asarray(getattr(h, name), dtype=float)
            limit = 1.5 * TOP if "loss" in name else 1
            line.set_data(x, np.clip(np.nan_to_num(values, nan=limit, posinf=limit), 0, limit))
        self.teeth.set_data((np.arange(len(batches)) + 0.5) * shown / max(len(batches), 1) - shown,
                            np.clip(np.nan_to_num(batches, nan=high, posinf=high), low / 10, 10 * high))
        self.teeth.set_marker("o" if len(batches) < 20 else "")
        top = np.nan_to_num(h.loss + h.validation_loss, nan=np.inf).max(initial=0)
        self.off.set_text("" if top <= TOP else f"▲ off the scale:\nup to {top:.2g}" if np.isfinite(top) else
                          "▲ off the scale:\nno finite number")
        self.title.set_text(f"loss, run {self.place + 1} of {RUNS}" if self.mystery else "loss")

    def _progress(self, settings):
        word = "Stopped at" if self._stopped else "Training:"
        return f"{word} epoch {len(self.history)} of {settings.epochs}."

    def _tell_free(self, settings, done):
        if not done:
            self.say(self._progress(settings))
        else:
            if self.verdict.cause in CAUSES and self.verdict.cause not in self.collected:
                self.collected.append(self.verdict.cause)
            parts = [f"Verdict from the curves alone: {self.verdict.cause}. {self.verdict.sign}"]
            if settings.wrong and self.verdict.cause != "bad labels":
                parts.append(f"Of the {settings.wrong}% wrong labels these curves show no sign of their own.")
            if not settings.shuffle and self.verdict.cause != "missing shuffle":
                parts.append("That nothing is shuffled, these curves do not show.")
            self.say(" ".join(parts))
        if self.aim:
            self.report_goal(len(self.collected) >= self.aim,
                             f"So far {len(self.collected)}: {', '.join(self.collected) or 'none'}.")

    def _tell_mystery(self, settings, done):
        mystery, given = self.runs[self.place], self.given[self.place]
        for cause, made in self.answers.items():
            mark = "" if cause not in given else "✓ " if cause == mystery.cause else "✗ "
            made.description = mark + cause
        where = f"Run {self.place + 1} of {RUNS}."
        if not done:
            self.say(f"{where} {self._progress(settings)}")
        elif not given:
            self.say(f"{where} What is wrong with it, or is it healthy? Your first answer counts.")
        elif given[-1] != mystery.cause:
            self.say(f"{where} ✗ Not {given[-1]}: then {SIGNS[given[-1]]}. Look again; your next answer does not "
                     "count, but tells.")
        else:
            first = "" if len(given) == 1 else " (not at the first answer)"
            self.say(f"{where} ✓ Right{first}: {mystery.cause}. {self.verdict.sign}")
        answered = sum(bool(g) for g in self.given)
        self.report_goal(len(self.collected) >= self.aim,
                         f"Told apart: {len(self.collected)} ({', '.join(self.collected) or 'none'}); {answered} of "
                         f"{RUNS} runs answered.")

    def describe(self):
        """Alternative text: what the three pictures show, without the diagnosis of a hidden run."""
        h, epochs = self.history, len(self.history)
        which = f"run {self.place + 1} of {RUNS}" if self.mystery else "the run"
        if not epochs:
            return f"Three empty pictures for {which}: loss, accuracy and the losses of its batches. No epoch is done."
        marks = sorted({1, max(2, epochs // 10), max(1, epochs // 2), epochs} & set(range(1, epochs + 1)))
        rows = [f"after epoch {k} loss {loss_in_words(h.loss[k - 1])} and "
                f"{loss_in_words(h.validation_loss[k - 1])}, accuracy {h.metric[k - 1]:.0%} and "
                f"{h.validation_metric[k - 1]:.0%}" for k in marks]
        again = recurrence(h.batch_loss, epochs)
        teeth = ("" if again is None else " The losses of the batches " + (
            "repeat in every epoch" if again > 0.5 else "do not repeat from epoch to epoch")
            + f" (correlation {again:.2f}).")
        finite = [value for value in h.validation_loss if np.isfinite(value)]
        low = f"The lowest validation loss is {min(finite):.3g}." if finite else "No validation loss is finite."
        return (f"Three pictures of {which}, training and validation: {'; '.join(rows)}. {low}{teeth}")
