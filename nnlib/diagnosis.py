"""Diagnosis: where a run of `fit` ceased to be finite, and what may help."""

import math

import numpy as np

from nnlib.autograd import Tensor, no_grad
from nnlib.errors import TrainingError

__all__ = []


def finite(value):
    """Whether all numbers in an array, a tensor, or a tuple of them are finite."""
    if isinstance(value, (tuple, list)):
        return all(finite(part) for part in value)
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    # One product is much faster than a test of each entry; only when it overflows the entries must be looked at.
    return array.dtype.kind != "f" or math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def diverged(what, model, X, t, rows, rate):
    """The error of a run that is no longer finite: what happened, where it began, and what may help.

    Args: X, t: the batch.   rows: its row numbers in the data.   rate: the learning rate; None before any update.
    """
    for name, array in (("input", X), ("target", t)):
        bad = [i for i, row in enumerate(array) if not finite(row)]
        if bad:
            return TrainingError(f"fit: {what}: the {name} in row {bad[0]} of the batch, row {rows[bad[0]]} of the "
                                 "data, is not finite; repair such rows or leave them out.")
    where, largest = _first_not_finite(model, X), np.abs(X).max(initial=0)
    if where is None:
        return TrainingError(f"fit: {what}: all layers have finite outputs, so the loss itself takes a log of 0 or "
                             "divides by 0; try a loss on scores, such as cross_entropy.")
    causes = ["the initial weights (no update was made before, so it is not the learning rate)" if rate is None else
              f"a learning rate too large (now {rate:g}: try {rate / 10:g}, or clip_norm=1)",
              *([f"inputs as large as {largest:.3g} (standardize them)"] if largest > 100 else []),
              "a log, a root or a division by 0 in the model"]
    return TrainingError(f"fit: {what}; the first layer with a value that is not finite is {where}. "
                         f"Likely causes: {', or '.join(causes)}.")


def _first_not_finite(model, X):
    """The layer, in words, whose output is the first that is not finite, or else whose gradient is; or None."""
    found, handles = [], []
    for name, module in model.named_modules():
        def watch(module, inputs, output, name=name):
            if not finite(output):
                found.append((name, "its output"))
        handles.append(module.register_forward_hook(watch))
    try:
        with no_grad():
            model(Tensor(X))
    finally:
        for handle in handles:
            handle.remove()
    for path, parameter in model.named_parameters():
        layer, _, name = path.rpartition(".")
        if found and found[0] == (layer, "its output") and not finite(parameter):
            found[0] = layer, f"its {name}"
    if not found:  # backward begins at the last layer, so that one is its first
        bad = [path.rpartition(".") for path, parameter in model.named_parameters()
               if parameter.grad is not None and not finite(parameter.grad)]
        found = [(layer, f"the gradient of its {name}, while all outputs are finite") for layer, _, name in bad[-1:]]
    if found:
        name, part = found[0]
        module = dict(model.named_modules())[name]
        named = f"'{name}'" if name else "the model itself"
        return f"{named} ({type(module).__name__}({module.extra_repr()})), in {part}"
