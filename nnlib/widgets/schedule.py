"""ScheduleExplorer: a learning rate that falls, and what that does to a descent whose gradients are noisy."""

from dataclasses import dataclass
from functools import lru_cache
from numbers import Number

import numpy as np

from nnlib import plots
from nnlib.schedules import CosineAnnealingLR, ExponentialLR, InverseTimeLR, LinearWarmup, Schedule, StepLR
from nnlib.widgets.base import Explorer, LearnerError, choice, learners, log_slider, note, slider

EPOCHS, UPDATES, RUNS = 40, 10, 32
CURVATURES = np.array([1.0, 10.0])
START = np.array([4.0, 1.0])
NOISE = 1.0  # standard deviation of the noise on each number of a gradient
SLOWEST, FASTEST = 1e-3, 0.3
FLOOR, TOP = 5e-4, 300.0  # of the losses shown
LARGE = 1e6  # a loss beyond this has diverged


@dataclass(frozen=True)
class ScheduleGoal:
    """A mean loss of the last epoch of at most `loss`."""

    loss: float = 0.003

    def __str__(self):
        return f"bring the mean loss of the last epoch to {self.loss:g} or less, which no constant rate does"


GOAL = ScheduleGoal()


@lru_cache(maxsize=1)
def gradient_noise():
    """The noise of every update of every run, (EPOCHS, UPDATES, RUNS, 2), always the same."""
    return NOISE * np.random.default_rng(0).normal(size=(EPOCHS, UPDATES, RUNS, CURVATURES.size))


def noisy_descent(rates):
    """Descents on 1/2 (w1^2 + 10 w2^2) by gradients with noise, from the same start and with noise of their own.

    Args: rates: (epochs,), up to EPOCHS.
    Returns losses (epochs, RUNS): the mean over each epoch's updates, each taken after it; `LARGE` once diverged.
    """
    noise, w = gradient_noise(), np.tile(START, (RUNS, 1))
    losses = np.empty((len(rates), RUNS))
    for epoch, rate in enumerate(rates):
        total = np.zeros(RUNS)
        for shock in noise[epoch]:
            w = w - rate * (CURVATURES * w + shock)
            total += np.square(w) @ (0.5 * CURVATURES)
        losses[epoch] = total / UPDATES
        w = np.clip(w, -LARGE, LARGE)
    return np.minimum(losses, LARGE)


def in_words(loss):
    """A loss as text; those far off the scale are not told apart."""
    return f"{loss:.3g}" if loss < LARGE else f"more than {LARGE:,.0f}"


def learners_schedule(schedule):
    """A learner's `schedule(epoch) -> factor`, or a `Schedule`, as a function to factors (EPOCHS,), checked."""
    guarded = learners(schedule.factor if isinstance(schedule, Schedule) else schedule, "schedule")

    def factor(epoch):
        value = guarded(epoch)
        if value is None:
            raise LearnerError("schedule returned None; is there a return at its end?")
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, Number) or isinstance(value, complex):
            raise LearnerError(f"schedule: expected a number, by which the first rate is multiplied, but for epoch "
                               f"{epoch} got {type(value).__name__}")
        if not np.isfinite(value) or value < 0:
            raise LearnerError(f"schedule: expected a finite factor of at least 0 but for epoch {epoch} got {value:g}")
        return float(value)
    return lambda: np.array([factor(epoch) for epoch in range(EPOCHS)])


class ScheduleExplorer(Explorer):
    """Choose a schedule: see the rate of each epoch, and the loss of a noisy descent that follows it.

    40 epochs of 10 updates on 1/2 (w1^2 + 10 w2^2), each gradient with noise of standard deviation 1 on both numbers;
    the loss shown is the mean over the updates of an epoch and over 32 runs.

    Args:
        schedule: your own function from an epoch, 0 to 39, to the factor of the first rate; or a `Schedule`.
        goal: a `ScheduleGoal`, or None.   kind: "constant", "step", "exponential", "1/t" or "cosine", shown first.
        rate: the first rate, 0.001 to 0.3.   warmup: 0 to 20 epochs.
    Raises ValueError for another kind or a rate out of range, TypeError for a schedule that cannot be called.
    Source: deck C (step, exponential and 1/t decay); Loshchilov and Hutter (2017), Goyal et al. (2017).
    """

    _lead = "Your schedule stopped:"

    def __init__(self, schedule=None, goal=GOAL, kind="constant", rate=0.02, warmup=0):
        kinds = ["constant", "step", "exponential", "1/t", "cosine"]
        if kind not in kinds or not SLOWEST <= rate <= FASTEST or not 0 <= warmup <= 20:
            raise ValueError(f"ScheduleExplorer: expected one of {', '.join(kinds)}, a rate of {SLOWEST:g} to "
                             f"{FASTEST:g} and a warm-up of 0 to 20 epochs but got {kind!r}, {rate} and {warmup}")
        if not (schedule is None or callable(schedule) or isinstance(schedule, Schedule)):
            raise TypeError(f"ScheduleExplorer: expected a function from an epoch to a factor but got "
                            f"{type(schedule).__name__}; try lambda epoch: 0.5 ** (epoch // 5)")
        self.goal, self.own = goal, None if schedule is None else learners_schedule(schedule)
        self.kind = choice("schedule", [*kinds, *(["yours"] if self.own else [])], "yours" if self.own else kind,
                           tooltip="how the rate changes from epoch to epoch")
        self.rate = log_slider("first rate", SLOWEST, FASTEST, rate, tooltip="the rate that the schedule multiplies")
        self.warmup = slider("warm-up", 0, 20, int(warmup), unit="epochs",
                             tooltip="epochs in which the rate rises to the first rate, before the schedule begins")
        self.drop = slider("factor of a drop", 0.05, 1.0, 0.5, step=0.05,
                           tooltip="what a step schedule multiplies the rate by at each drop")
        self.every = slider("drop every", 1, EPOCHS, 5, unit="epochs", tooltip="epochs between two drops of the rate")
        self.lost = slider("lost per epoch", 0.0, 50.0, 5.0, step=0.5, unit="%",
                           tooltip="the share of the rate that an exponential schedule takes away each epoch")
        self.decay = slider("decay", 0.0, 5.0, 0.5, step=0.05,
                            tooltip="of the 1/t schedule: the rate is the first rate / (1 + decay × epoch)")
        figure, (self.above, self.below) = plots.subplots(2, 1, width=8.6, height=5.2, sharex=True,
                                                          gridspec_kw={"height_ratios": [1, 1.5]})
        self._draw()
        self.assemble(figure, [[self.kind], [self.rate, self.warmup], [self.drop, self.every, self.lost, self.decay]],
                      [self.rates_line, self.constant, *self.runs, self.line, self.last, self.rate_title,
                       self.loss_title, self.off], goal=str(goal) if goal else None)

    def _draw(self):
        self.rates_line, = self.above.plot([], [], "-o", color=plots.INK, markersize=4, drawstyle="steps-mid")
        self.rate_title = self.above.set_title("rate of each epoch")
        self.above.set(ylabel="rate", yscale="log", ylim=(1e-5, 0.5), xlim=(-0.5, EPOCHS - 0.5))
        epochs = np.arange(EPOCHS)
        self.runs = [self.below.plot(epochs, np.ones(EPOCHS), color=plots.GRAY, linewidth=0.8, alpha=0.8)[0]
                     for _ in range(5)]
        self.constant, = self.below.plot(epochs, np.ones(EPOCHS), "--", color=plots.VERMILION, linewidth=1.8,
                                         label="first rate, constant: mean of 32 runs")
        self.line, = self.below.plot(epochs, np.ones(EPOCHS), color=plots.INK, linewidth=2.4,
                                     label="with the schedule: mean of 32 runs")
        self.runs[0].set_label("with the schedule: 5 of the runs")
        self.last, = self.below.plot([], [], "D", color=plots.INK, markersize=8, clip_on=False, in_layout=False)
        self.below.set(xlabel="epoch (10 steps each)", ylabel="loss", yscale="log", ylim=(FLOOR, TOP))
        if self.goal:
            self.below.axhline(self.goal.loss, color=plots.GREEN, linestyle=":", linewidth=2)
            self.below.text(0.01, self.goal.loss, f"goal {self.goal.loss:g}", va="bottom", fontsize=9.5,
                            transform=self.below.get_yaxis_transform())
        self.below.legend(handles=[self.line, self.runs[0], self.constant], loc="upper right")
        self.loss_title, self.off = self.below.set_title("loss"), note(self.below, 0.5, "center")

    def factors(self):
        """What the first rate is multiplied by in each epoch, (EPOCHS,)."""
        kind, epochs, warm = self.kind.value, np.arange(EPOCHS), self.warmup.value
        if kind == "yours":
            after = self.own()
            rest = after[np.maximum(epochs - warm, 0)]
            return rest if warm == 0 else np.where(epochs < warm, (epochs + 1) / warm, rest)
        schedule = {"constant": lambda: None, "step": lambda: StepLR(None, self.every.value, self.drop.value),
                    "exponential": lambda: ExponentialLR(None, 1 - self.lost.value / 100),
                    "1/t": lambda: InverseTimeLR(None, self.decay.value),
                    "cosine": lambda: CosineAnnealingLR(None, EPOCHS - warm)}[kind]()
        if warm:
            schedule = LinearWarmup(None, warm, then=schedule)
        return np.ones(EPOCHS) if schedule is None else np.broadcast_to(schedule.factor(epochs), EPOCHS)

    def update(self):
        """Follow the schedule, and draw its rates and the losses."""
        kind, epochs = self.kind.value, np.arange(EPOCHS)
        for control, where in ((self.drop, "step"), (self.every, "step"), (self.lost, "exponential"),
                               (self.decay, "1/t")):
            control.layout.display = None if kind == where else "none"
        self.rates = self.rate.value * self.factors()
        self.losses = noisy_descent(self.rates)
        self.mean = self.losses.mean(axis=1)
        self.plain = noisy_descent(np.full(EPOCHS, self.rate.value)).mean(axis=1)
        self.rates_line.set_data(epochs, np.maximum(self.rates, 1e-9))
        self.constant.set_ydata(self.plain)
        self.line.set_ydata(self.mean)
        for run, losses in zip(self.runs, self.losses.T):
            run.set_ydata(losses)
        self.diverged = bool(self.mean[-1] >= TOP)
        self.last.set_data(([], []) if self.diverged else (epochs[-1:], np.maximum(self.mean[-1:], FLOOR)))
        self.off.set_text("▲ diverges: the rate is too large" if self.diverged else "")
        self.rate_title.set_text(f"rate: {self.rates[0]:.3g} at first, {self.rates[-1]:.3g} at last")
        self.loss_title.set_text("loss: off the scale" if self.diverged else
                                 f"loss: {self.mean[-1]:.3g} in the last epoch")
        self._tell(kind)

    def _tell(self, kind):
        constant = f"with the first rate kept constant it ends at {in_words(self.plain[-1])}."
        parts = [f"The mean loss goes from {in_words(self.mean[0])} in epoch 0 to {in_words(self.mean[-1])} in epoch "
                 f"{EPOCHS - 1}{'.' if self.kind.value == 'constant' and not self.warmup.value else '; ' + constant}"]
        if self.diverged:
            parts.append(f"A step longer than {2 / CURVATURES.max():g} overshoots the steep weight ever further.")
        elif kind == "constant" and not self.warmup.value:
            parts.append("A constant rate ends where the noise of a step is as large as what the step gains: a smaller "
                         "rate ends lower, but later.")
        elif self.mean[-1] > 10 * self.mean.min() or self.rates[-10:].sum() < 1e-4:
            parts.append("The rate has become so small that the descent stands still.")
        self.say(" ".join(parts))
        if self.goal:
            self.report_goal(bool(self.mean[-1] <= self.goal.loss),
                             f"The last epoch's mean loss is {self.mean[-1]:.4f}." if self.mean[-1] < 100 else
                             "The descent diverges.")

    def describe(self):
        """Alternative text: the rates and the losses, with and without the schedule."""
        warm = f" after a warm-up of {self.warmup.value} epochs" if self.warmup.value else ""
        first, last, plain = map(in_words, (self.mean[0], self.mean[-1], self.plain[-1]))
        return (f"Two pictures over {EPOCHS} epochs. The rate by the schedule {self.kind.value}{warm} goes from "
                f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}. The loss of a noisy descent, mean of {RUNS} runs, goes "
                f"from {first} to {last}; with a constant rate of {self.rate.value:.3g} it ends at {plain}.")
