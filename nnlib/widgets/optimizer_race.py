"""OptimizerRace: six optimizers, and the learner's own, walk down one surface from one start."""

import inspect
from dataclasses import dataclass

import numpy as np

from nnlib import plots
from nnlib.autograd import Tensor
from nnlib.optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop
from nnlib.widgets.base import (
    Explorer,
    LearnerError,
    Player,
    checkbox,
    choice,
    learners,
    learners_array,
    log_slider,
    slider,
)
from nnlib.widgets.descent import FAR, RACES, descend, drawable, in_words

FLOOR = 1e-8  # losses below are drawn here
SLOWEST, FASTEST = 1e-4, 10.0  # of the slider of a rate
MOST_OWN = 3
RATE_NAMES = "rate", "lr", "learning_rate"
MOMENTUM_NAMES = "momentum", "beta"
COUNT_NAMES = "t", "step", "k"
USUAL = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "epsilon": 1e-8, "alpha": 0.99, "rho": 0.99, "decay": 0.99}


@dataclass(frozen=True)
class Racer:
    """An optimizer in the race: how it is made from parameters, a rate and a momentum."""

    make: object
    uses_momentum: bool = False


RACERS = {
    "SGD": Racer(lambda w, rate, momentum: SGD(w, rate)),
    "momentum": Racer(lambda w, rate, momentum: SGD(w, rate, momentum), True),
    "Nesterov": Racer(lambda w, rate, momentum: SGD(w, rate, momentum, nesterov=momentum > 0), True),
    "AdaGrad": Racer(lambda w, rate, momentum: Adagrad(w, rate)),
    "RMSProp": Racer(lambda w, rate, momentum: RMSprop(w, rate)),
    "Adam": Racer(lambda w, rate, momentum: Adam(w, rate))}
OWN_LOOKS = (plots.PURPLE, "*"), (plots.GRAY, "X"), (plots.YELLOW, "h")

# Where the rates begin: each racer does something on each surface, and none does its best.
RATES = {name: dict(zip(RACERS, rates)) for name, rates in {
    "valley": (0.03, 0.01, 0.01, 0.3, 0.03, 0.1), "tilted valley": (0.03, 0.01, 0.01, 0.3, 0.03, 0.1),
    "saddle": (0.1, 0.03, 0.03, 0.2, 0.01, 0.03), "Rosenbrock": (0.001, 0.0005, 0.0005, 0.5, 0.02, 0.1),
    "Beale": (0.01, 0.003, 0.003, 0.5, 0.03, 0.1)}.items()}


def optimizer_rule(optimizer, parameter):
    """A function of (w, gradient) that returns the next w, as this optimizer of that one parameter moves it."""
    def rule(w, gradient):
        parameter.data[...] = w
        parameter.grad = gradient
        optimizer.step()
        return parameter.data.copy()
    return rule


def read_rule(name, function):
    """What a learner's rule takes, by the names of its arguments after (w, gradient).

    Returns {argument: one of "rate", "momentum", "count", "state", "gradient_at", "memory", or a number}; those with
    a default that is not a rate, a momentum or a count are left alone.
    Raises ValueError for what cannot be called, or takes no w and gradient.
    """
    if not callable(function):
        raise ValueError(f"OptimizerRace: expected {name!r} to be a function but got {type(function).__name__}; try "
                         "{'mine': my_step}")
    parameters = [p for p in inspect.signature(function).parameters.values()
                  if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(parameters) < 2:
        raise ValueError(f"OptimizerRace: expected {name!r} to take w and gradient first, as in step(w, gradient, "
                         f"velocity, rate, momentum), but it takes {len(parameters)} argument(s)")
    roles = {}
    for p in parameters[2:]:
        known = next((role for role, names in (("rate", RATE_NAMES), ("momentum", MOMENTUM_NAMES),
                                               ("count", COUNT_NAMES)) if p.name in names), None)
        if known or p.default is p.empty:
            roles[p.name] = known or USUAL.get(p.name) or (p.name if p.name in ("state", "gradient_at") else "memory")
    return roles


def learners_rule(name, function, rate, momentum, gradient_at=None):
    """A learner's step rule as a function of (w, gradient) that returns the next w, checked.

    See `OptimizerRace` for what it may take and return.
    """
    roles = read_rule(name, function)
    given = {"rate": rate, "momentum": momentum, "state": {}, "gradient_at": gradient_at}
    memories = [argument for argument, role in roles.items() if role == "memory"]
    kept, steps = {}, 0
    wanted = ", ".join(["w", *memories])

    def call(w, gradient, values):
        return function(w, gradient, **values)

    guarded = learners(call, name)

    def rule(w, gradient):
        nonlocal steps
        steps += 1
        values = {argument: given.get(role, role) if role != "count" else steps
                  for argument, role in roles.items() if role != "memory"}
        values |= {m: kept.get(m, np.zeros_like(w)).copy() for m in memories}
        result = guarded(w.copy(), gradient.copy(), values)
        if isinstance(result, tuple) and "state" in roles.values() and not memories and len(result) == 2:
            result = result[0]  # of (w, state) the dict is the one that was given
        if isinstance(result, tuple) and not memories:
            raise LearnerError(f"{name}: expected w alone but got {len(result)} values; what it shall remember must be "
                               "an argument too, as in step(w, gradient, velocity, rate)")
        parts = result if memories else (result,)
        if not isinstance(parts, (tuple, list)) or len(parts) != 1 + len(memories):
            got = ("None" if parts is None else f"an array of shape {parts.shape}" if isinstance(parts, np.ndarray)
                   else f"{len(parts)} values" if isinstance(parts, (tuple, list)) else type(parts).__name__)
            raise LearnerError(f"{name}: expected ({wanted}) but got {got}; try `return {wanted}`")
        kept.update({m: learners_array(v, w.shape, f"{name}, {m}") for m, v in zip(memories, parts[1:])})
        return learners_array(parts[0], w.shape, f"{name}, w" if memories else name)
    return rule


def race(rule, surface, steps):
    """The points (steps + 1, 2) that a rule visits on a surface, and the losses there (steps + 1,).

    Where a coordinate passes `FAR` the racer is out: it stays, and its losses are infinite from there on.
    """
    path = descend(surface.gradient, surface.start, 0.0, steps, step=lambda w, g, v, rate, momentum: (rule(w, g), v))
    losses = surface.value(path)
    return path, np.where(np.abs(path).max(axis=1) >= FAR, np.inf, losses)


def out_at(losses):
    """The first step from which a racer is out for good: its loss stays 1000 times the first; None if it is not."""
    fine = np.flatnonzero(losses <= 1e3 * max(losses[0], 1e-3))
    return int(fine[-1]) + 1 if fine[-1] + 1 < len(losses) else None


class OptimizerRace(Explorer):
    """Let optimizers race down a surface from one start, each at its own rate; see their paths, losses and places.

    Args:
        optimizers: {name: your own rule}, up to 3, which race beside the six. A rule takes w and gradient, arrays
            (2,), and what else it needs, by name: `rate`; `momentum`; `t`, the number of the step, from 1; `state`, a
            dict that is empty at first; `gradient_at`, the function from a point to its gradient. Any further
            argument without a default is a memory: zeros at first, then what the rule returned. It returns w, or
            (w, and its memories in the order of the arguments):
                step(w, gradient, velocity, rate, momentum) -> (w, velocity)
                step(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999) -> (w, m, v)
            A subclass of `Optimizer` may stand in place of a function; it is made with lr alone.
        surface: a name of `descent.RACES`.   goal: a `Goal` on that surface, or None; for one of your own rules if
            there are any.   show: names of those that race at first; None for all.
        rates: {name: rate} where they begin, on that surface.   steps: 10 to 1000.   momentum: 0 to 0.99.
    Raises ValueError for names that are not known and numbers out of range.
    Source: decks C (momentum, rates) and D (Nesterov to Adam); Rosenbrock (1960), Beale (1958).
    """

    _lead = "One of your racers stopped:"

    def __init__(self, optimizers=None, surface="valley", goal=None, show=None, rates=None, steps=200, momentum=0.9):
        surface = {name.lower(): name for name in RACES}.get(str(surface).lower(), surface)
        if surface not in RACES:
            raise ValueError(f"OptimizerRace: there is no surface {surface!r}; try {', '.join(RACES)}")
        self.own = {str(name): rule for name, rule in dict(optimizers or {}).items()}
        if len(self.own) > MOST_OWN or set(self.own) & set(RACERS):
            raise ValueError(f"OptimizerRace: expected at most {MOST_OWN} rules, with other names than "
                             f"{', '.join(RACERS)}, but got {', '.join(self.own)}")
        for name, rule in self.own.items():
            if not self._is_class(rule):
                read_rule(name, rule)
        self.looks = {name: plots.racer_style(name)[::2] for name in RACERS} | dict(zip(self.own, OWN_LOOKS))
        unknown = [n for n in [*(show or ()), *(rates or ())] if n not in self.looks]
        if unknown:
            raise ValueError(f"OptimizerRace: there is no racer {unknown[0]!r}; try {', '.join(self.looks)}")
        if not (10 <= steps <= 1000 and 0 <= momentum <= 0.99):
            raise ValueError("OptimizerRace: expected 10 to 1000 steps and a momentum of 0 to 0.99 but got "
                             f"{steps} and {momentum}")
        if not all(SLOWEST <= rate <= FASTEST for rate in (rates or {}).values()):
            raise ValueError(f"OptimizerRace: expected rates of {SLOWEST:g} to {FASTEST:g} but got {rates}")
        self.goal, self.goal_surface, self.most = goal, surface, max(steps, goal.steps if goal else 0)
        self._rates = {s: {n: table.get(n, table["SGD"]) for n in self.looks} for s, table in RATES.items()}
        self._rates[surface] |= rates or {}
        self._kept, self._ground = {}, []
        self._make_controls(surface, list(self.looks) if show is None else show, momentum)
        figure, (self.plane, self.trace, self.table) = plots.subplots(
            1, 3, width=10.2, height=3.9, gridspec_kw={"width_ratios": [1.15, 1, 1.15]})
        self._make_artists()
        self._show_surface()
        boxes = list(self.boxes.values())
        self.assemble(figure, [[self.surface_choice], boxes, [self.who], [self.rate, self.factor],
                               [self.momentum, self.steps], [self.player]],
                      [*self.corner, self.ring, *self.paths.values(), *self.ends.values(), *self.lines.values(),
                       *self.heads.values(), self.trace_title, *self.signs, *(t for row in self.cells for t in row)],
                      goal=str(goal) if goal else None)

    @staticmethod
    def _is_class(rule):
        return isinstance(rule, type) and issubclass(rule, Optimizer)

    def _make_controls(self, surface, show, momentum):
        self.surface_choice = choice("surface", list(RACES), surface, tooltip="the loss that all walk down")
        self.boxes = {name: checkbox(name, name in show, f"whether {name} takes part in the race")
                      for name in self.looks}
        first = next(iter([*self.own, *show]), "SGD")
        self.who = choice("set the rate of", list(self.looks), first,
                          tooltip="whose learning rate the next slider sets; each has its own")
        self.rate = log_slider("its learning rate", SLOWEST, FASTEST, self._rates[surface][first],
                               tooltip="learning rate of the racer chosen above")
        self.factor = log_slider("all rates ×", 0.1, 10, 1.0, tooltip="multiplies the learning rate of every racer")
        self.momentum = slider("momentum", 0.0, 0.99, float(momentum), step=0.01,
                               tooltip="of the racers momentum and Nesterov, and of your rule if it takes one")
        self.steps = slider("steps shown", 0, self.most, self.most, tooltip="how far the race has gone")
        self.player = Player(self.on_step, self.on_reset)

    def on_step(self):
        """Go on by a step, later by several. Returns whether there is another one."""
        step = self.steps.value
        self.steps.value = min(step + 1 + step // 20, self.most)
        return self.steps.value < self.most

    def on_reset(self):
        """Go back to the start."""
        self.steps.value = 0

    def _make_artists(self):
        self.paths, self.ends, self.lines, self.heads = {}, {}, {}, {}
        for name, (color, marker) in self.looks.items():
            line = {"color": color, "linewidth": 1.5, "marker": marker, "markersize": 4, "markevery": 10,
                    "path_effects": plots.casing(color, 1.5)}
            head = {"color": color, "marker": marker, "markersize": 10, "markeredgecolor": plots.INK,
                    "linestyle": "none"}
            self.paths[name], = self.plane.plot([], [], **line)
            self.ends[name], = self.plane.plot([], [], **head)
            self.lines[name], = self.trace.plot([], [], **line)
            self.heads[name], = self.trace.plot([], [], clip_on=False, in_layout=False, **head)
        self.ring, = self.plane.plot([], [], "o", markersize=10, markerfacecolor="white", markeredgewidth=2,
                                     markeredgecolor=plots.INK)
        self.plane.set(xlabel="weight w1", ylabel="weight w2")
        self.trace_title = self.trace.set_title("loss")
        self.trace.set(xlabel="step", ylabel="loss", yscale="log", xlim=(0, self.most), ylim=(FLOOR, 1e4))
        self.corner = ()
        if self.goal:
            edge, = self.trace.plot([0, self.goal.steps, self.goal.steps], [self.goal.loss] * 2 + [FLOOR], "--",
                                    color=plots.GREEN, linewidth=2)
            self.corner = edge, self.trace.text(0.03, 0.03, "", transform=self.trace.transAxes, fontsize=9.5)
        self.table.set(xlim=(0, 1), ylim=(len(self.looks) + 0.6, -0.8), title="places (lowest loss first)")
        self.table.axis("off")
        self.signs, self.cells = [], []
        for k, text in enumerate(("", "rate", "loss\nnow", "{:g}\nat step")):
            limit = self.goal.loss if self.goal else 1e-3
            self.table.text((0, 0.56, 0.8, 1.0)[k], 0, text.format(limit), ha="right", va="center", fontsize=9.5,
                            color=plots.GRAY)
        for k in range(1, len(self.looks) + 1):
            self.signs.append(self.table.plot([], [], markersize=9, markeredgecolor=plots.INK, linestyle="none")[0])
            self.cells.append([self.table.text(x, k, "", ha=side, va="center", fontsize=9.5) for x, side in
                               ((0.09, "left"), (0.56, "right"), (0.8, "right"), (1.0, "right"))])

    def _show_surface(self):
        """Draw the surface, which stays until another is chosen, and its lowest points."""
        self.surface, ax = RACES[self.surface_choice.value], self.plane
        for artist in self._ground:
            artist.remove()
        lowest = {"saddle": [(0, 1), (0, -1)], "Rosenbrock": [(1, 1)], "Beale": [(3, 0.5)]}
        self.lowest = np.array(lowest.get(self.surface.name, [(0, 0)]), dtype=float)
        self._ground = [plots.contours(ax, self.surface.value, self.surface.bounds, resolution=100),
                        *ax.plot(*self.lowest.T, "P", color="white", markeredgecolor=plots.INK, markersize=11)]
        ax.set(xlim=self.surface.bounds[:2], ylim=self.surface.bounds[2:],
               title=self.surface.name if self.surface.name.endswith("valley") else f"surface: {self.surface.name}")
        self.ring.set_data(*[[x] for x in self.surface.start])
        top = float(self.surface.value(np.array(self.surface.start)))
        self.trace.set_ylim(FLOOR, 1e3 * top)

    def _changed(self, change):
        owner, rates = change["owner"], self._rates[self.surface_choice.value]
        if owner is self.surface_choice:
            self._show_surface()
            self.background_changed()
        with self.setting_controls():
            if owner is self.rate:
                rates[self.who.value] = self.rate.value
            elif owner in (self.who, self.surface_choice):
                self.rate.value = rates[self.who.value]
        super()._changed(change)

    def rate_of(self, name):
        """The learning rate at which a racer runs."""
        return self._rates[self.surface.name][name] * self.factor.value

    def _race(self, name, rate):
        """Path and losses of one racer at a rate; a race with the same numbers is run once."""
        key = self.surface.name, name, rate, self.momentum.value
        if key not in self._kept:
            if len(self._kept) > 200:
                self._kept.clear()
            rule = self.own.get(name)
            if rule is None or self._is_class(rule):
                parameter = Tensor(np.array(self.surface.start), requires_grad=True)
                optimizer = (rule([parameter], lr=rate) if rule else
                             RACERS[name].make([parameter], rate, self.momentum.value))
                step = optimizer_rule(optimizer, parameter)
            else:
                step = learners_rule(name, rule, rate, self.momentum.value, self.surface.gradient)
            self._kept[key] = race(step, self.surface, self.most)
        return self._kept[key]

    def update(self):
        """Run the race of those that take part, and draw it up to the step shown."""
        shown, now = self.surface, self.steps.value
        limit = self.goal.loss if self.goal else 1e-3
        self.results = {name: self._race(name, self.rate_of(name)) for name, box in self.boxes.items() if box.value}
        self.losses = {name: losses[:now + 1] for name, (_, losses) in self.results.items()}
        self.out = {name: out_at(losses) for name, losses in self.losses.items()}
        self.reached = {name: next(iter(np.flatnonzero(losses <= limit)), None) for name, losses in self.losses.items()}
        self.places = sorted(self.losses, key=lambda n: np.nan_to_num(self.losses[n][-1], nan=np.inf, posinf=1e300))
        for name in self.looks:
            here = name in self.results
            points = self.results[name][0][:now + 1] if here else np.empty((0, 2))
            losses = self.losses.get(name, np.empty(0))
            gone = self.out.get(name)
            drawn = drawable(points, shown.bounds) if here else points
            self.paths[name].set_data(*drawn.T)
            self.ends[name].set_data(*(points[-1:].T if gone is None else np.empty((2, 0))))
            kept = np.clip(losses[:None if gone is None else gone + 1], FLOOR, 1e300)
            self.lines[name].set_data(np.arange(len(kept)), kept)
            inside = len(kept) and kept[-1] < self.trace.get_ylim()[1]
            self.heads[name].set_data([[len(kept) - 1], kept[-1:]] if inside else ([], []))
        self._draw_table()
        self._judge()
        self._tell()

    def _draw_table(self):
        for k, (sign, cells) in enumerate(zip(self.signs, self.cells)):
            name = self.places[k] if k < len(self.places) else None
            sign.set_data([[0.03], [k + 1]] if name else ([], []))
            texts = [""] * 4
            if name:
                color, marker = self.looks[name]
                sign.set(color=color, marker=marker, markeredgecolor=plots.INK)
                at, out = self.reached[name], self.out[name]
                texts = [name[:13], f"{self.rate_of(name):.3g}",
                         f"{self.losses[name][-1]:.1e}" if out is None else f"out at {out}",
                         "-" if at is None or out is not None else f"{at}"]
            for cell, text in zip(cells, texts):
                cell.set_text(text)

    def _judge(self):
        self.trace_title.set_text(f"loss after {self.steps.value} steps")
        if not self.goal:
            return
        goal, there = self.goal, self.surface.name == self.goal_surface
        for artist in self.corner:
            artist.set_visible(there)
        self.corner[1].set_text(f"goal: {goal.loss:g}\nin {goal.steps} steps")
        counted = [n for n in self.places if not self.own or n in self.own]
        hits = {n: goal.reached_at(self.losses[n]) for n in counted} if there else {}
        winners = sorted((at, n) for n, at in hits.items() if at is not None)
        who = "your rule" if self.own else "any racer"
        self._goal = f"{goal} on the surface {self.goal_surface}, by {who}"
        if not there:
            text = f"This is the surface {self.surface.name}."
        elif winners:
            at, name = winners[0]
            end = self.losses[name][-1]
            left = f", and leaves it again: now {end:.2g}" if end > goal.loss else ""
            text = f"{name} reaches it at step {at}{left}."
        elif counted:
            text = f"Nearest: {counted[0]}, loss {self.losses[counted[0]][-1]:.2g}."
        else:
            text = "No such racer yet."
        self.report_goal(bool(winners), text)

    def _tell(self):
        if not self.places:
            self.say("Nobody races: tick a box.")
            return
        first, outs = self.places[0], [n for n in self.places if self.out[n] is not None]
        end = self.results[first][0][self.steps.value]
        parts = [f"After {self.steps.value} steps {first} leads with loss {self.losses[first][-1]:.2g} at "
                 f"{in_words(end)}; the white plus marks the minimum, "
                 f"{' and '.join(in_words(w) for w in self.lowest)}."]
        if outs:
            parts.append("Out, as the loss has grown a thousandfold: "
                         + ", ".join(f"{n} (step {self.out[n]})" for n in outs) + ".")
        late = [n for n in self.places if self.out[n] is None and self.losses[n][-1] > 0.5 * self.losses[n][0]]
        if late and self.steps.value:
            parts.append(f"Still above half of the first loss: {', '.join(late)}.")
        for name in self.own:
            if name in self.results and (twin := self.twin(name)):
                parts.append(f"{name} takes the same path as {twin} at this rate.")
        self.say(" ".join(parts))

    def twin(self, name):
        """Which of the six takes the same path at the same rate as a rule of your own; None if none does."""
        path, rate = self.results[name][0], self.rate_of(name)
        return next((n for n in RACERS if np.allclose(path, self._race(n, rate)[0], rtol=1e-5, atol=1e-7)), None)

    def describe(self):
        """Alternative text: the surface, and where each racer is."""
        rows = [f"{n} (rate {self.rate_of(n):.3g}) "
                + (f"loss {self.losses[n][-1]:.2g}" if self.out[n] is None else f"out at step {self.out[n]}")
                for n in self.places]
        return (f"A race after {self.steps.value} steps on the surface {self.surface.name}: paths over its contours, "
                f"losses against steps on a logarithmic scale, and a table. In the order of their losses: "
                f"{', '.join(rows) if rows else 'nobody'}. Momentum is {self.momentum.value:.2f}.")
