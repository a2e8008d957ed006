"""What the Playground computes: its data sets and features, settings as a text, and training step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from nnlib import ops
from nnlib.autograd import Tensor, no_grad, primitive
from nnlib.datasets import make_blobs, make_spirals
from nnlib.layers import Identity, Linear, Sequential
from nnlib.losses import binary_cross_entropy_with_logits, squared_loss
from nnlib.optimizers import SGD, Adagrad, Adam, RMSprop
from nnlib.plots import grid
from nnlib.widgets.base import LearnerError, learners, learners_array
from nnlib.widgets.descent import counted

EXAMPLES, HALF = 500, 6.0  # of every data set, training and test together; half the width of the plane shown
RESOLUTION = 120  # of the maps: divided by 2 and 3 for the hidden neurons
CHUNK = 2500  # rows that pass the network at once: so few that the product of matrices starts no threads
KEPT = 800  # points of the loss curves before every second one is dropped
CLASSIFICATION = {"circle": "a disk inside a ring", "xor": "four squares, equal classes at opposite corners",
                  "gaussian": "two clouds", "spiral": "two arms of a spiral"}
REGRESSION = {"plane": "heights on a tilted plane", "hills": "heights of hills and hollows"}
DATA = CLASSIFICATION | REGRESSION
FEATURES = {"x1": ("x₁", lambda x, y: x), "x2": ("x₂", lambda x, y: y), "x1sq": ("x₁²", lambda x, y: x * x),
            "x2sq": ("x₂²", lambda x, y: y * y), "x1x2": ("x₁x₂", lambda x, y: x * y),
            "sinx1": ("sin x₁", lambda x, y: np.sin(x)), "sinx2": ("sin x₂", lambda x, y: np.sin(y))}
ACTIVATIONS = {"relu": ops.relu, "tanh": ops.tanh, "sigmoid": ops.sigmoid, "linear": Identity()}
OPTIMIZERS = ("SGD", "Nesterov", "Adagrad", "RMSprop", "Adam")
WITH_MOMENTUM = ("SGD", "Nesterov", "RMSprop")
RATES = (0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
STRENGTHS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
FRAMES = {"1": 1, "5": 5, "25": 25, "100": 100, "epoch": None}  # steps in a frame; None: to the end of the epoch
MOST_LAYERS, MOST_NEURONS, MOST_TEXT = 6, 8, 2000


# Data and features

def _in_ring(rng, n, inner, outer):
    """Points (n, 2), uniform in radius between two circles."""
    radius, angle = rng.uniform(inner, outer, n), rng.uniform(0, 2 * np.pi, n)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def hills(X):
    """Six hills and hollows of height 1 and -1, alternating; X (n, 2), returns (n,)."""
    centers = [(x, y) for x in (-4, 0, 4) for y in (-2.5, 2.5)]
    signs = [(-1) ** (i + i // 2) for i in range(6)]
    return sum(sign * np.exp(-np.sum((X - center) ** 2, axis=1) / 1.8) for sign, center in zip(signs, centers))


def examples(name, noise=0, seed=0, n=EXAMPLES):
    """One of DATA over the plane from -6 to 6, in random order.

    Args: noise: 0 to 50 percent, which moves points of classes, and targets of heights.
    Returns X (n, 2) and t (n,), float32: classes 0 and 1, or heights of about -1 to 1.
    """
    rng, level = np.random.default_rng((seed, list(DATA).index(name))), noise / 50
    half = n // 2
    t = np.repeat((0, 1), (n - half, half))
    if name == "circle":
        X = np.concatenate([_in_ring(rng, n - half, 3.5, 5), _in_ring(rng, half, 0, 2.5)])
        X += level * rng.normal(size=X.shape)
    elif name == "xor":
        sides = rng.uniform(0.3, 5, (n, 2))
        signs = rng.choice((-1, 1), n)
        X = sides * np.stack([signs, np.where(t == 1, -signs, signs)], axis=1)  # unequal signs are class 1
        X += level * rng.normal(size=X.shape)
    elif name == "gaussian":
        data = make_blobs(n, centers=((-2, -2), (2, 2)), spread=0.7 + 1.3 * level, seed=seed)
        X, t = data.X, data.t
    elif name == "spiral":
        data = make_spirals(n, noise=0.1 * level, turns=1.75, seed=seed)
        X, t = 5 * data.X, data.t
    else:
        X = rng.uniform(-HALF, HALF, (n, 2))
        t = (X.sum(axis=1) / (2 * HALF) if name == "plane" else hills(X)) + 0.4 * level * rng.normal(size=n)
    order = rng.permutation(n)
    return X[order].astype(np.float32), t[order].astype(np.float32)


def inputs(X, features):
    """What the network is given: the chosen `features` of points X (n, 2), as (n, features)."""
    return np.stack([FEATURES[name][1](X[:, 0], X[:, 1]) for name in features], axis=1)


# Settings

def _one_of(options):
    def read(text):
        if text not in options:
            raise ValueError(f"one of {', '.join(options)}")
        return text
    return read


def _number_of(options):
    def read(text):
        found = [option for option in options if option == _number(text)]
        if not found:
            raise ValueError(f"one of {', '.join(map(decimal, options))}")
        return found[0]
    return read


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


def decimal(number):
    """A number without an exponent: 0.00001, not 1e-05."""
    return np.format_float_positional(number, trim="-")


def _whole(low, high, step=1):
    def read(text):
        valid = text.isascii() and text.isdigit() and len(text) < 5 and low <= int(text) <= high
        if not valid or int(text) % step:
            raise ValueError(f"a whole number from {low} to {high}" + (f" in steps of {step}" if step > 1 else ""))
        return int(text)
    return read


def _layers(text):
    sizes = text.split(",") if text else []
    if len(sizes) > MOST_LAYERS or not all(s in map(str, range(1, MOST_NEURONS + 1)) for s in sizes):
        raise ValueError(f"at most {MOST_LAYERS} numbers of neurons from 1 to {MOST_NEURONS}, as in 4,2, or nothing")
    return tuple(map(int, sizes))


def _features(text):
    names = text.split(",")
    if len(set(names)) < len(names) or not set(names) <= set(FEATURES):
        raise ValueError(f"one or more of {','.join(FEATURES)}, each once")
    return tuple(name for name in FEATURES if name in names)


def _momentum(text):
    value = _number(text)
    if value not in {k / 100 for k in range(100)}:
        raise ValueError("a number from 0 to 0.99 in steps of 0.01")
    return value


_READERS = {
    "data": _one_of(DATA), "noise": _whole(0, 50, 5), "train": _whole(10, 90, 10), "sample": _whole(0, 999),
    "features": _features, "layers": _layers, "activation": _one_of([*ACTIVATIONS, "own"]), "seed": _whole(0, 99),
    "optimizer": _one_of(OPTIMIZERS), "rate": _number_of(RATES), "momentum": _momentum, "batch": _whole(1, 100),
    "regularization": _one_of(("none", "L1", "L2")), "strength": _number_of(STRENGTHS), "frame": _one_of(FRAMES),
    "test": _one_of(("no", "yes")), "discretize": _one_of(("no", "yes"))}
_LINK = {"activation": "activation", "batchSize": "batch", "learningRate": "rate", "noise": "noise",
         "regularization": "regularization", "regularizationRate": "strength", "networkShape": "layers",
         "percTrainData": "train", "showTestData": "test", "discretize": "discretize"}
_LINK_FEATURES = {"x": "x1", "y": "x2", "xSquared": "x1sq", "ySquared": "x2sq", "xTimesY": "x1x2", "sinX": "sinx1",
                  "sinY": "sinx2"}
_LINK_DATA = {"gauss": "gaussian", "reg-plane": "plane", "reg-gauss": "hills"}
_RESTART = ("data", "noise", "train", "sample", "features", "layers", "activation", "seed")


def from_link(link):
    """A link of the TensorFlow Playground as a text of ours; what has no counterpart here (its seed, say) is left out.

    The data sets are of the same kinds, but not the same points.
    """
    _, _, tail = link.partition("#")
    values = dict(part.partition("=")[::2] for part in tail.split("&"))
    kind = "regDataset" if values.get("problem") == "regression" else "dataset"
    chosen = [ours for theirs, ours in _LINK_FEATURES.items()
              if values.get(theirs, "true" if theirs in ("x", "y") else "false") != "false"]
    found = values.get(kind, "reg-plane" if kind == "regDataset" else "circle")
    words = {"true": "yes", "false": "no"}
    parts = [f"{ours}={words.get(values[theirs], values[theirs])}" for theirs, ours in _LINK.items()
             if theirs in values]
    return "&".join([f"data={_LINK_DATA.get(found, found)}", f"features={','.join(chosen)}", *parts])


@dataclass(frozen=True)
class Settings:
    """All that can be set, as one value; its text restores it.

    data: one of DATA.   noise: percent.   train: percent of the examples that are trained on.   sample: seed of the
    data.   features: names of FEATURES.   layers: neurons of each hidden layer.   seed: of the initial weights.
    strength: of the regularization.   frame: one of FRAMES.   test, discretize: what the large map shows.
    """

    data: str = "circle"
    noise: int = 0
    train: int = 50
    sample: int = 0
    features: tuple = ("x1", "x2")
    layers: tuple = (4, 2)
    activation: str = "tanh"
    seed: int = 0
    optimizer: str = "SGD"
    rate: float = 0.03
    momentum: float = 0.0
    batch: int = 10
    regularization: str = "none"
    strength: float = 0
    frame: str = "epoch"
    test: str = "no"
    discretize: str = "no"

    @classmethod
    def from_text(cls, text, own=False):
        """Read "data=spiral&layers=4,4&rate=0.1"; what is not named is as in `Settings()`. The text is only data.

        A link of the TensorFlow Playground is read, too.
        Args: own: whether there is an activation function of the learner's, so that `activation=own` means it.
        Raises ValueError, in a sentence, for an unknown name, one that stands twice, or a value out of range.
        """
        if not isinstance(text, str):
            raise ValueError(f"expected a text such as data=spiral&layers=4,4 but got a {type(text).__name__}")
        if len(text) > MOST_TEXT:
            raise ValueError(f"expected a text of at most {MOST_TEXT} characters but got {len(text)}")
        if "playground.tensorflow.org" in text.partition("#")[0]:
            text = from_link(text)
        values = {}
        for part in filter(None, text.strip().lstrip("?#").split("&")):
            name, equals, value = (piece.strip() for piece in part.partition("="))
            if name not in _READERS or not equals:
                raise ValueError(f"expected name=value, the name one of {', '.join(_READERS)}, but got {part[:40]!r}")
            if name in values:
                raise ValueError(f"{name} stands twice; leave one of them out")
            try:
                values[name] = _READERS[name](value)
            except ValueError as error:
                raise ValueError(f"{name}: expected {error} but got {value[:40]!r}") from None
        if values.get("activation") == "own" and not own:
            raise ValueError("activation: own means a function of yours; give it as Playground(activation=...)")
        return cls(**values)

    def __str__(self):
        """The text that restores these settings: data, layers and activation, and what is not as usual."""
        def written(value):
            return ",".join(map(str, value)) if isinstance(value, tuple) else (
                decimal(value) if isinstance(value, float) else str(value))

        return "&".join(f"{f.name}={written(getattr(self, f.name))}" for f in fields(self)
                        if f.name in ("data", "layers", "activation") or getattr(self, f.name) != f.default)

    @property
    def problem(self):
        """"classification" or "regression"."""
        return "classification" if self.data in CLASSIFICATION else "regression"

    def restarts(self, other):
        """Whether other settings need a new start: other data, another network or other initial weights."""
        return any(getattr(self, name) != getattr(other, name) for name in _RESTART)

    @property
    def neurons(self):
        """How many hidden neurons there are."""
        return sum(self.layers)


# A goal

@dataclass(frozen=True)
class NetworkGoal:
    """A goal for a network: a test loss of at most `loss`, within limits; None: no limit.

    epochs: passes over the training examples.   neurons: hidden neurons at most.   data: the data set it must be on.
    features: the only inputs that may be used.   noise: percent at least.
    """

    loss: float
    epochs: int | None = None
    neurons: int | None = None
    data: str | None = None
    features: tuple | None = None
    noise: int = 0

    @classmethod
    def of(cls, goal):
        """A goal, or a dict of its fields, as a goal. Raises ValueError for unknown fields or data."""
        if not isinstance(goal, cls):
            known = [f.name for f in fields(cls)]
            if not isinstance(goal, Mapping) or "loss" not in goal or not set(goal) <= set(known):
                raise ValueError(f"Playground: expected a goal such as dict(loss=0.05, epochs=100), its names among "
                                 f"{', '.join(known)}, but got {goal!r}")
            goal = cls(**goal)
        if goal.data is not None and goal.data not in DATA:
            raise ValueError(f"Playground: expected a goal on one of {', '.join(DATA)} but got {goal.data!r}")
        if goal.features is not None and not set(goal.features) <= set(FEATURES):
            raise ValueError(f"Playground: expected a goal with features of {', '.join(FEATURES)} but got "
                             f"{goal.features!r}")
        return goal

    def __str__(self):
        parts = [f"reach a test loss of {self.loss:g}"]
        parts += [f"on the {self.data} data"] if self.data else []
        parts += [f"with at least {self.noise}% noise"] if self.noise else []
        parts += [f"within {counted(self.epochs, 'epoch')}"] if self.epochs else []
        parts += [f"with at most {counted(self.neurons, 'hidden neuron')}"] if self.neurons is not None else []
        parts += [f"from {', '.join(FEATURES[name][0] for name in self.features)} alone"] if self.features else []
        return " ".join(parts)

    def missed_by(self, settings):
        """What of these settings the goal does not allow, in words; empty if it allows all."""
        if self.data not in (None, settings.data):
            return f"This is another data set: choose {self.data}."
        if settings.noise < self.noise:
            return f"Set the noise to at least {self.noise}%."
        if self.neurons is not None and settings.neurons > self.neurons:
            return f"You use {counted(settings.neurons, 'hidden neuron')}."
        if self.features and not set(settings.features) <= set(self.features):
            extra = [FEATURES[name][0] for name in settings.features if name not in self.features]
            return f"Leave out {', '.join(extra)}."
        return ""


# Training

def _answer_like(z, y, name):
    """A learner's answer to z, checked; where z itself has overflowed it is not the learner's fault."""
    return learners_array(y, z.shape, name) if np.isfinite(z).all() else np.full(z.shape, np.nan)


def own_activation(function):
    """A learner's activation function as a step of a network, checked in every call.

    Args: function: of a Tensor, made of nnlib's operations; or a pair (function, derivative) of functions of arrays.
    """
    if isinstance(function, (tuple, list)):
        if len(function) != 2 or not all(map(callable, function)):
            raise ValueError("Playground: expected activation to be a function of tensors, or a pair (function, "
                             f"derivative) of functions of arrays, but got {function!r}")
        forward, backward = learners(function[0], "activation"), learners(function[1], "derivative")

        @primitive
        def own(z):
            y, wide = forward(z.astype(np.float64)), z.astype(np.float64)
            return (_answer_like(z, y, "activation").astype(z.dtype),
                    lambda g: (g * _answer_like(z, backward(wide), "derivative").astype(z.dtype),))
        return own
    if not callable(function):
        raise ValueError(f"Playground: expected activation to be one of {', '.join(ACTIVATIONS)}, a function, or a "
                         f"pair (function, derivative), but got {function!r}")
    guarded = learners(function, "activation")

    def apply(z):
        y = guarded(z)
        if not isinstance(y, Tensor):
            raise LearnerError(f"activation: expected a Tensor but got {type(y).__name__}; for functions of arrays "
                               "give a pair, activation=(function, derivative)")
        _answer_like(z.data, y.data, "activation")
        if z.requires_grad and not y.requires_grad:
            raise LearnerError("activation: its result has lost the graph, so nothing before it could learn; use "
                               "nnlib's operations on the tensor itself, not on its .data")
        return y
    return apply


class Answers(NamedTuple):
    """What a network answers: losses, rates of right answers (None for heights), and the maps over the plane."""

    train: float
    test: float
    right_train: float | None
    right_test: float | None
    hidden: list  # per layer (RESOLUTION, RESOLUTION, neurons), row 0 at the bottom of the plane
    output: np.ndarray  # (RESOLUTION, RESOLUTION): probabilities of class 1, or heights
    silent: int  # hidden neurons that give the same answer to every training example


class Training:
    """A network on one of DATA, trained step by step; the same settings give the same numbers again.

    `times` and `losses` (train, test) are the curves, `records` the test losses lower than all before, with their time.

    Args: settings: a Settings.   own: the learner's activation as `own_activation` gives it, or None.
    """

    def __init__(self, settings, own=None):
        self.settings = s = settings
        X, t = examples(s.data, s.noise, s.sample)
        n = round(len(X) * s.train / 100)
        self.points, self.targets = (X[:n], X[n:]), (t[:n], t[n:])
        x, y = grid((-HALF, HALF, -HALF, HALF), RESOLUTION)
        plane = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
        self.X = inputs(X[:n], s.features)
        self._rows = np.concatenate([inputs(plane, s.features), inputs(X, s.features)])
        rng = np.random.default_rng(s.seed)
        act = own if s.activation == "own" else ACTIVATIONS[s.activation]
        sizes = [len(s.features), *s.layers]
        hidden = [step for a, b in zip(sizes, sizes[1:]) for step in (Linear(a, b, rng=rng), act)]
        self.network = Sequential(*hidden, Linear(sizes[-1], 1, rng=rng))
        self.layers = [step for step in self.network if isinstance(step, Linear)]
        self._loss = binary_cross_entropy_with_logits if s.problem == "classification" else squared_loss
        self._rng, self._order, self.diverged = np.random.default_rng((s.seed, 1)), np.arange(0), None
        self.steps = self.seen = 0
        self.times, self.losses = [0.0], []
        self._new_optimizer()
        with np.errstate(all="ignore"):
            self.answers = self._answer()
        if self.answers is None:  # only a function of the learner's can do that to the initial weights
            raise LearnerError("activation: expected finite numbers, but the network's answers overflow at the start")
        self.losses.append((self.answers.train, self.answers.test))
        self.records = [(0.0, self.answers.test)]

    def _new_optimizer(self):
        s, params = self.settings, list(self.network.parameters())
        momentum = {"momentum": s.momentum}
        self.optimizer = {
            "SGD": lambda: SGD(params, s.rate, **momentum),
            "Nesterov": lambda: SGD(params, s.rate, nesterov=s.momentum > 0, **momentum),
            "Adagrad": lambda: Adagrad(params, s.rate), "Adam": lambda: Adam(params, s.rate),
            "RMSprop": lambda: RMSprop(params, s.rate, alpha=0.9, **momentum)}[s.optimizer]()

    def change(self, settings):
        """Go on with other settings. Returns False where that needs a new start: other data, network, or weights."""
        before = self.settings
        if before.restarts(settings):
            return False
        self.settings = settings
        if (before.optimizer, before.momentum) != (settings.optimizer, settings.momentum):
            self._new_optimizer()
        self.optimizer.lr = float(settings.rate)
        return True

    @property
    def epoch(self):
        """Passes over the training examples so far, with a fraction."""
        return self.seen / len(self.X)

    def advance(self, steps=None):
        """Make so many steps, or those to the end of the epoch, and answer anew. Numbers that overflow end it.

        Then the weights stay as they were before, and `diverged` is the number of the step that failed.
        """
        if self.diverged is not None:
            return
        before, counts = self.weights(), (self.steps, self.seen)
        with np.errstate(all="ignore"):
            while True:
                finite = self._step()
                steps = None if steps is None else steps - 1
                if not finite or steps == 0 or steps is None and not len(self._order):
                    break
            answers = self._answer() if finite else None
        if answers is None:
            self.diverged, (self.steps, self.seen) = self.steps, counts
            self.set_weights(before)
            return
        self.answers = answers
        self.times.append(self.epoch)
        self.losses.append((answers.train, answers.test))
        self._record()
        if len(self.times) > KEPT:
            self.times, self.losses = self.times[::2], self.losses[::2]

    def _step(self):
        """One update on the next batch. Returns whether its loss was a finite number."""
        s = self.settings
        if not len(self._order):
            self._order = self._rng.permutation(len(self.X))
        rows, self._order = self._order[:s.batch], self._order[s.batch:]
        self.steps, self.seen = self.steps + 1, self.seen + len(rows)
        self.optimizer.zero_grad()
        loss = self._loss(self.network(self.X[rows])[:, 0], self.targets[0][rows])
        loss.backward()
        if s.regularization == "L2" and s.strength:
            for layer in self.layers:
                layer.weight.grad = layer.weight.grad + np.float32(s.strength) * layer.weight.data
        self.optimizer.step()
        if s.regularization == "L1" and s.strength:  # a pull that ends at 0 exactly, and does not cross it
            for layer in self.layers:
                w = layer.weight.data
                w[...] = np.sign(w) * np.maximum(np.abs(w) - np.float32(s.rate * s.strength), 0)
        return np.isfinite(loss.item())

    def _forward(self, rows):
        """The answers of every hidden layer and the scores of the output, a list of arrays, without a graph."""
        answers, x = [], rows
        with no_grad():
            for k, step in enumerate(self.network, 1):
                x = step(x)
                if not k % 2 or k == len(self.network):
                    answers.append(x.data)
        return answers

    def _answer(self):
        """Answers over the plane, and to the training and test examples; None if a number overflows."""
        parts = [self._forward(self._rows[i:i + CHUNK]) for i in range(0, len(self._rows), CHUNK)]
        *hidden, scores = [np.concatenate(layer) for layer in zip(*parts)]
        if not all(np.isfinite(values).all() for values in (*hidden, scores)):
            return None
        classes, shape, cut = self.settings.problem == "classification", (RESOLUTION, RESOLUTION), RESOLUTION ** 2
        plane, *sets = np.split(scores[:, 0], [cut, cut + len(self.X)])
        losses = [float(self._loss(z, t).item()) for z, t in zip(sets, self.targets)]
        if not np.isfinite(losses).all():
            return None
        right = [float(np.mean((z > 0) == t)) if classes else None for z, t in zip(sets, self.targets)]
        silent = sum(int(np.sum(np.ptp(h[cut:cut + len(self.X)], axis=0) < 1e-6)) for h in hidden)
        return Answers(*losses, *right, [h[:cut].reshape(*shape, -1) for h in hidden],
                       (ops.sigmoid(plane) if classes else plane).reshape(shape), silent)

    def weights(self):
        """Copies of all weights and biases, in the order of the network."""
        return [p.data.copy() for p in self.network.parameters()]

    def set_weights(self, arrays):
        """Put back what `weights` gave."""
        for p, array in zip(self.network.parameters(), arrays):
            p.data[...] = array

    def weight(self, layer, neuron, source):
        """One weight: of `neuron` in `layer` (the hidden ones, then the output), from `source`; None: its bias."""
        linear = self.layers[layer]
        return float(linear.bias.data[neuron] if source is None else linear.weight.data[neuron, source])

    def set_weight(self, layer, neuron, source, value):
        """Set one weight or bias (see `weight`) by hand, and answer anew. Returns whether all numbers stay finite."""
        linear = self.layers[layer]
        array, place = (linear.bias.data, neuron) if source is None else (linear.weight.data, (neuron, source))
        before, array[place] = array[place], value
        with np.errstate(all="ignore"):
            answers = self._answer()
        if answers is None:
            array[place] = before
            return False
        self.answers, self.losses[-1] = answers, (answers.train, answers.test)
        self._record()
        return True

    def _record(self):
        """Keep each test loss that is lower than all before: the curves drop points, and these shall stay."""
        if self.answers.test < self.records[-1][1]:
            self.records.append((self.epoch, self.answers.test))

    def reached_at(self, goal):
        """The epoch at which the curve of the test loss meets the goal first; None if not, or not allowed."""
        if goal.missed_by(self.settings):
            return None
        return next((time for time, test in self.records
                     if test <= goal.loss and (goal.epochs is None or time <= goal.epochs + 1e-9)), None)


def with_feature(settings, name, on):
    """Settings with one feature more or less; the last one stays."""
    names = tuple(n for n in FEATURES if (on if n == name else n in settings.features))
    return replace(settings, features=names or settings.features)
