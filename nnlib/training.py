"""Training: `fit` walks a model down its loss in mini-batches, keeps the history, and knows when to stop and why."""

import math
import sys
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np

from nnlib.arguments import require, whole_number
from nnlib.autograd import Tensor, no_grad, real_array
from nnlib.diagnosis import diverged, finite
from nnlib.errors import ShapeError, TrainingError
from nnlib.layers import Embedding
from nnlib.losses import cross_entropy
from nnlib.module import Module, mode
from nnlib.optimizers import clip_grad_norm_
from nnlib.seeding import drawing_from, generator

__all__ = ["EarlyStopping", "History", "accuracy", "evaluate", "fit", "minibatches", "predict"]

interrupts_pass = ContextVar("interrupts_pass", default=False)  # in a search, Ctrl-C must end more than one run
_COLUMNS = ("loss", "metric", "validation_loss", "validation_metric", "lr", "seconds")


@dataclass(repr=False)
class History:
    """What a run of `fit` recorded: lists with one entry per epoch, each empty where there is nothing to record.

    `loss` and `metric` are means over the training batches, taken while the weights moved; `validation_loss` and
    `validation_metric` are taken after the epoch; `lr` is the rate at the epoch's start, `seconds` its wall time.
    `batch_loss` has one entry per update. `best_epoch` counts from 1 (0: the weights before training), `stopped` says
    in a sentence why the run ended before its last epoch, else it is None. A run that diverged ends in a row of nan.
    """

    loss: list = field(default_factory=list)
    metric: list = field(default_factory=list)
    validation_loss: list = field(default_factory=list)
    validation_metric: list = field(default_factory=list)
    lr: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    batch_loss: list = field(default_factory=list)
    best_epoch: int = 0
    stopped: str | None = None

    def __len__(self):
        return len(self.loss)

    @property
    def watched(self):
        """The losses that decide which epoch is best: those of the validation set, or of training without one."""
        return self.validation_loss or self.loss

    def as_dict(self):
        """The lists that have entries, by name, with the epochs 1, 2, ... first: ready for a plot or a data frame."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        return {"epoch": list(range(1, len(self) + 1)), **{name: list(c) for name, c in columns.items() if c}}

    def __repr__(self):
        lines = [f"{name.replace('_', ' '):<18}{column[0]:>7.4g} -> {column[-1]:.4g}"
                 for name in _COLUMNS[:4] if (column := getattr(self, name))]
        head = f"History: {len(self)} epoch{'s' * (len(self) != 1)}, the best is {self.best_epoch}"
        return "\n  ".join([head, *lines, *([f"stopped: {self.stopped}"] if self.stopped else [])])

    def _add(self, *row):
        for name, entry in zip(_COLUMNS, row):
            if entry is not None:
                getattr(self, name).append(entry)


class EarlyStopping:
    """Keep the best weights, and say when `patience` epochs in a row brought no better loss (deck D).

    Args: patience: epochs, >= 1; None: never.   min_delta: how much lower a loss must be to count as better, >= 0.
    Call it after each epoch with (model, history), as `fit` calls its callbacks: it answers with a sentence when it is
    time to stop, else None. `epoch` and `loss` are the best so far, and `restore(model)` brings those weights back.
    """

    def __init__(self, patience=None, min_delta=0.0):
        if patience is not None:
            whole_number("EarlyStopping", "patience", patience)
        require(self, lambda delta: 0 <= delta < math.inf, "a min_delta of at least 0", min_delta, "try 0")
        self.patience, self.min_delta = math.inf if patience is None else patience, min_delta
        self.epoch, self.loss, self.state = 0, math.inf, None

    def __call__(self, model, history):
        epoch, loss = len(history), history.watched[-1]
        if loss < self.loss - self.min_delta:
            self.epoch, self.loss, self.state = epoch, loss, model.state_dict()
        elif epoch - self.epoch >= self.patience:
            return f"no better loss than {self.loss:.4g} for {self.patience} epochs"

    def restore(self, model):
        """Load the best weights into the model, and say so in words."""
        if self.state is None:
            return "the model is as it was"
        model.load_state_dict(self.state)
        return f"the model has the weights of epoch {self.epoch}, its best" if self.epoch else \
            "the model has its initial weights again"


def accuracy(outputs, targets):
    """The share of right answers, in [0, 1].

    Args:
        outputs: scores (..., classes), where the largest wins, with targets (...) from 0 to classes - 1; or one score
            for each target, where z > 0 means class 1 and targets are 0 and 1, or -1 and 1. (For probabilities pass
            p - 0.5.)
    A score that is not a number is a wrong answer. Raises ShapeError when the shapes are others, TypeError for targets
    that are quantities, ValueError for other classes, or no example.
    """
    z, t = (real_array("accuracy", a) for a in (outputs, targets))
    if not t.size:
        raise ValueError(f"accuracy: expected at least one example but got targets of shape {t.shape}")
    if t.dtype.kind == "f" and np.any(t != np.round(t)):
        raise TypeError("accuracy: expected class numbers but got fractions among the targets; where the targets are "
                        "quantities, as in regression, pass metric=None or a metric of yours")
    if z.ndim == t.ndim + 1 and z.shape[:-1] == t.shape and z.shape[-1] > 1:
        _check_classes(t, range(z.shape[-1]))
        return float(np.mean((z.argmax(axis=-1) == t) & ~np.isnan(z).any(axis=-1)))
    if z.shape[:1] == t.shape[:1] == (z.size,) == (t.size,):
        _check_classes(t, (-1, 1) if np.any(t < 0) else (0, 1))
        return float(np.mean(((z.ravel() > 0) == (t.ravel() > 0)) & ~np.isnan(z.ravel())))
    raise ShapeError(f"accuracy: expected outputs (batch, classes) and targets (batch,), or one score for each target, "
                     f"but got {z.shape} and {t.shape}; for one-hot targets pass targets.argmax(axis=1)")


def _check_classes(t, classes):
    if not np.isin(t, classes).all():
        raise ValueError(f"accuracy: expected targets {classes[0]} to {classes[-1]} for these outputs but got "
                         f"{t.min():g} to {t.max():g}; classes are numbered from 0")


def minibatches(X, t, batch_size, rng=None, drop_last=False):
    """The batches of one epoch: pairs (X, t) of rows drawn without replacement, the last pair possibly smaller.

    Args:
        X, t: arrays with the same number of rows.   batch_size: rows in a batch, >= 1.
        rng: a Generator, a seed, or None for the library's own.   drop_last: leave out a smaller last batch.
    """
    batch_size = whole_number("minibatches", "batch_size", batch_size)
    X, t = _pair("minibatches", (X, t))
    return ((X[rows], t[rows]) for rows in _batches(len(X), batch_size, generator(rng), drop_last))


def predict(model, X, batch_size=256):
    """The model's outputs for all rows of X as one array, computed in batches and in evaluation mode."""
    batch_size = whole_number("predict", "batch_size", batch_size)
    X = _cast(real_array("predict", X), model)
    with mode(model, training=False), no_grad():
        outputs = [model(Tensor(X[first:first + batch_size])) for first in range(0, max(len(X), 1), batch_size)]
    if not isinstance(outputs[0], Tensor):
        raise TypeError(f"predict: expected a model that gives one tensor but got {type(outputs[0]).__name__}; wrap it "
                        "in a Module whose forward returns the part that you want")
    return np.concatenate([output.data for output in outputs])


def evaluate(model, data, loss=cross_entropy, metric=accuracy, batch_size=256):
    """Loss and metric of a model, means over all examples, in evaluation mode and without a graph.

    Args: data, loss, metric: as of `fit`.   Returns (loss, metric), floats; the metric is None for metric=None.
    """
    batch_size = whole_number("evaluate", "batch_size", batch_size)
    _check_callable("evaluate", loss=loss, metric=metric)
    X, t = _pair("evaluate", data)
    return _mean(_scores("evaluate", model, _cast(X, model), t, loss, metric, batch_size))


def fit(model, train, validation=None, *, optimizer, loss=cross_entropy, epochs=10, batch_size=32, schedule=None,
        patience=None, min_delta=0.0, metric=accuracy, augment=None, clip_norm=None, drop_last=False, callbacks=(),
        batch_callbacks=(), on_divergence="raise", seed=None, progress=True):
    """Train a model in mini-batches without replacement, reshuffled in every epoch. Returns the History.

    Args:
        model: a Module, in training mode while it trains; its mode is restored.
        train, validation: a Dataset or a pair (X, t) of arrays, an example in each row. X takes the dtype of the
            parameters, except integers for a model with an Embedding.
        optimizer: holds the model's parameters.   schedule: its `step()` is called after every epoch.
        loss: loss(outputs, targets), a mean over the batch.   metric: metric(outputs, targets), a number; or None.
        patience, min_delta: of EarlyStopping; the model then ends with its best weights.   patience=None: never stop.
        augment: augment(X, rng) -> X, for training batches only.   clip_norm: as max_norm of `clip_grad_norm_`.
        callbacks, batch_callbacks: functions of (model, history), called after every epoch, or update; one that
            returns True or a sentence ends the run, after this epoch or with this batch.
        on_divergence: when the loss or a gradient is not finite, "raise" a TrainingError that names the layer and
            likely causes, or "stop", with that sentence in `history.stopped`.
        seed: of batches, augmentation and dropout: an integer, a Generator, or None for the library's own.
        progress: show a bar.
    After a divergence, and after Ctrl-C, which ends the run and is no error, the model gets its best weights back.
    Raises TrainingError; ShapeError, TypeError and ValueError for arguments that do not fit together.
    """
    epochs, batch_size = whole_number("fit", "epochs", epochs), whole_number("fit", "batch_size", batch_size)
    _check_trainable(model, optimizer, schedule)
    _check_callable("fit", loss=loss, metric=metric, augment=augment)
    for name, functions in (("callbacks", callbacks), ("batch_callbacks", batch_callbacks)):
        if not isinstance(functions, (list, tuple)):
            raise TypeError(f"fit: expected {name} to be a list but got {type(functions).__name__}; try [callback]")
        _check_callable("fit", **{f"{name}[{i}]": function for i, function in enumerate(functions)})
    if on_divergence not in ("raise", "stop"):
        raise ValueError(f'fit: expected on_divergence "raise" or "stop" but got {on_divergence!r}')
    (X, t), held_out = _pair("fit", train), None if validation is None else _pair("fit", validation)
    steps = len(X) // batch_size if drop_last else -(-len(X) // batch_size)
    if not steps:
        raise ValueError(f"fit: drop_last leaves none of the {len(X)} examples; try a batch_size below {batch_size}")
    if held_out and np.shares_memory(X, held_out[0]):
        raise ValueError("fit: the validation set shares rows with the training set, so it cannot show over-fitting; "
                         "try train, validation = data.split()")
    X, held_out = _cast(X, model), held_out and (_cast(held_out[0], model), held_out[1])
    history, rng, best = History(), generator(seed), EarlyStopping(patience, min_delta)
    best.state = model.state_dict()

    def update(rows, where):
        """One step of the optimizer on these rows; returns them with their loss and metric."""
        X_batch = X[rows] if augment is None else np.asarray(augment(X[rows], rng), dtype=X.dtype)
        optimizer.zero_grad()
        value, quality = _score("fit", model, X_batch, t[rows], loss, metric)
        history.batch_loss.append(value.item())
        rate = optimizer.lr if len(history.batch_loss) > 1 else None
        if not finite(value):
            raise diverged(f"the loss became {value.item()} in {where}", model, X_batch, t[rows], rows, rate)
        value.backward()
        if not all(p.grad is None or finite(p.grad) for p in optimizer.params):
            raise diverged(f"the gradient is not finite in {where}", model, X_batch, t[rows], rows, rate)
        if clip_norm is not None:
            clip_grad_norm_(optimizer.params, clip_norm)
        optimizer.step()
        return rows, value.item(), quality

    def validate(where):
        """Loss and metric on the validation set; None and None without one."""
        if held_out is None:
            return None, None
        with mode(model, training=False):
            scores = _scores("fit", model, *held_out, loss, metric)
            for rows, value, _ in scores:
                if not math.isfinite(value):
                    raise diverged(f"the validation loss became {value} after {where}", model,
                                    *(part[rows] for part in held_out), rows, optimizer.lr)
        return _mean(scores)

    try:
        with (mode(model, training=True), drawing_from(rng), np.errstate(all="ignore"),
              progress_bar(progress, epochs * steps) as tick):
            for epoch in range(1, epochs + 1):
                started, rate, scores = time.perf_counter(), optimizer.lr, []
                for batch, rows in enumerate(_batches(len(X), batch_size, rng, drop_last), 1):
                    scores.append(update(rows, f"epoch {epoch}, batch {batch}"))
                    tick(f"epoch {epoch}, loss {scores[-1][1]:.4g}")
                    if wish := _ask(batch_callbacks, model, history):
                        break
                history._add(*_mean(scores), *validate(f"epoch {epoch}"), rate, time.perf_counter() - started)
                tired = best(model, history)
                history.best_epoch = best.epoch
                if schedule is not None:
                    schedule.step()
                if wish := _ask(callbacks, model, history) or wish or tired:
                    history.stopped = f"{wish}, after epoch {epoch} of {epochs}"
                    break
        if patience is not None:
            best.restore(model)
    except KeyboardInterrupt:
        history.stopped = f"interrupted after {len(history)} of {epochs} epochs; {best.restore(model)}"
        if interrupts_pass.get():
            raise
    except TrainingError as error:
        history.stopped, nan = f"{error} Now {best.restore(model)}.", math.nan
        history._add(nan, metric and nan, held_out and nan, held_out and metric and nan, optimizer.lr, nan)
        if on_divergence == "raise":
            raise TrainingError(history.stopped, history) from None
    return history


@contextmanager
def progress_bar(shown, total):
    """Yields a function tick(text), to be called after each of `total` steps; it moves a bar if `shown`."""
    if not shown:
        yield lambda text: None
        return
    from tqdm.auto import tqdm
    if sys.platform == "emscripten":
        tqdm.monitor_interval = 0  # its monitor is a thread, which Python in a browser does not have
    with tqdm(total=total) as bar:
        def tick(text):
            bar.set_postfix_str(text, refresh=False)
            bar.update()
        yield tick


def _batches(n, size, rng=None, drop_last=False):
    """Arrays of row numbers: each row once, shuffled if there is a generator."""
    order = np.arange(n) if rng is None else rng.permutation(n)
    return (order[first:first + size] for first in range(0, n - size + 1 if drop_last else n, size))


def _score(function, model, X, t, loss, metric):
    """Loss, as a tensor, and metric of one batch."""
    outputs = model(Tensor(X))
    value = loss(outputs, t)
    if not isinstance(value, Tensor) or value.size != 1:
        got = f"shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{function}: expected loss(outputs, targets) to return a tensor with one number but got "
                        f"{got}; take its .mean(), and compute with tensors only")
    if metric is None:
        return value, None
    quality = metric(outputs.data, t)
    if np.ndim(quality) or not isinstance(quality, (int, float, np.number, np.bool_, Tensor, np.ndarray)):
        raise TypeError(f"{function}: expected metric(outputs, targets) to return a number but got "
                        f"{type(quality).__name__} of shape {np.shape(quality)}; take its mean")
    return value, float(quality)


def _scores(function, model, X, t, loss, metric, batch_size=256):
    """List of (rows, loss, metric), one per batch, in evaluation mode."""
    with mode(model, training=False), no_grad():
        scores = []
        for rows in _batches(len(X), batch_size):
            value, quality = _score(function, model, X[rows], t[rows], loss, metric)
            scores.append((rows, value.item(), quality))
    return scores


def _mean(scores):
    """Mean loss and metric over all examples: a smaller batch counts less."""
    rows, *columns = zip(*scores)
    return tuple(None if column[0] is None else float(np.average(column, weights=[len(r) for r in rows]))
                 for column in columns)


def _ask(callbacks, model, history):
    """Call all of them; the first wish to stop, in words, or None."""
    answers = [(callback, callback(model, history)) for callback in callbacks]
    return next((answer if isinstance(answer, str) else f"{getattr(callback, '__name__', 'a callback')} said stop"
                 for callback, answer in answers if isinstance(answer, (str, bool, np.bool_)) and answer), None)


def _pair(function, data):
    """The arrays (X, t) of a Dataset or a pair."""
    if hasattr(data, "X") and hasattr(data, "t"):
        data = data.X, data.t
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise TypeError(f"{function}: expected a Dataset or a pair (X, t) of arrays but got {type(data).__name__}")
    X, t = (real_array(function, array) for array in data)
    if not X.ndim or not t.ndim or len(X) != len(t):
        raise ShapeError(f"{function}: expected one target for each row of X but got X of shape {X.shape} and t of "
                         f"shape {t.shape}; is it the t of another set?")
    if not len(X):
        raise ValueError(f"{function}: expected at least one example but got none: X has shape {X.shape}")
    return X, t


def _cast(X, model):
    """X in the dtype of the model's parameters; integers stay where an Embedding may want them."""
    parameter = next(model.parameters(), None)
    indices = X.dtype.kind in "iu" and any(isinstance(module, Embedding) for module in model.modules())
    return X if parameter is None or indices else X.astype(parameter.dtype, copy=False)


def _check_callable(caller, **functions):
    for name, function in functions.items():
        if not callable(function) and (function is not None or name == "loss"):
            raise TypeError(f"{caller}: expected {name} to be a function but got {function!r}; pass its name without "
                            "quotes or brackets, such as loss=cross_entropy")


def _check_trainable(model, optimizer, schedule):
    """Whether the three belong together: an optimizer built for another model is a classic mistake."""
    if not isinstance(model, Module):
        raise TypeError(f"fit: expected a Module to train but got {type(model).__name__}; try Sequential(...)")
    if not hasattr(optimizer, "params"):
        raise TypeError(f"fit: expected an optimizer but got {type(optimizer).__name__}; "
                        "try optimizer=SGD(model.parameters(), lr=0.1)")
    parameters = set(model.parameters())
    if not parameters:
        raise ValueError(f"fit: this {type(model).__name__} has no parameters to train; are its layers attributes?")
    if parameters.isdisjoint(optimizer.params):
        raise ValueError("fit: the optimizer holds none of this model's parameters; was it built for another model, or "
                         f"before this one was made anew? Try {type(optimizer).__name__}(model.parameters(), lr=...)")
    if schedule is not None and (isinstance(schedule, type) or not hasattr(schedule, "step")):
        raise TypeError(f"fit: expected a schedule but got {schedule!r}; try StepLR(optimizer, 5)")
    if getattr(schedule, "optimizer", optimizer) is not optimizer:
        raise ValueError("fit: the schedule moves the rate of another optimizer; make it from this one")
