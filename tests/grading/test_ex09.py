"""ex09: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import inspect
import math

import numpy as np
import pytest

from nnlib import SGD, Adagrad, Adam, ExponentialLR, InverseTimeLR, RMSprop, StepLR, Tensor
from nnlib.grading.checks import ex09
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex09.EXERCISES}
STEPS = [name for name in BY_NAME if name.endswith("_step")]
SCHEDULES = [name for name in BY_NAME if name.endswith("_decay")]

SPOILS = {  # what a step returns, spoiled: of (w before, w after, *memory)
    "nothing": lambda before, after, *kept: None,
    "never moves": lambda before, after, *kept: (before, *kept),
    "half the way": lambda before, after, *kept: ((before + after) / 2, *kept),
    "rounded": lambda before, after, *kept: (np.round(after, 1), *kept),
    "flattened": lambda before, after, *kept: (np.ravel(after)[:1], *kept),
    "their mean": lambda before, after, *kept: (np.full_like(after, after.mean()), *kept),
    "memory zeroed": lambda before, after, *kept: (after, *(0 * a for a in kept)),
    "memory doubled": lambda before, after, *kept: (after, *(2 * a for a in kept)),
    "memory negated": lambda before, after, *kept: (after, *(-a for a in kept)),
    "memory averaged": lambda before, after, *kept: (after, *(np.full_like(a, a.mean()) for a in kept)),
    "one array": lambda before, after, *kept: np.concatenate([np.ravel(a) for a in (after, *kept)]),
    "nested": lambda before, after, *kept: (after, kept),
    "words": lambda before, after, *kept: ("w", *kept),
}


def spoiled(step, spoil):
    def wrong(w, *rest, **named):
        return spoil(np.array(w), *step(w, *rest, **named))
    return wrong


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", STEPS)
def test_a_spoiled_step_loses_points_and_is_told_what_is_wrong(name, spoil):
    result = examine(BY_NAME[name], spoiled(BY_NAME[name].reference, SPOILS[spoil]))
    assert result.points < BY_NAME[name].points and any(verdict.problem for verdict in result.verdicts)


def momentum_exchanged(w, gradient, velocity, rate, momentum):
    return ex09.momentum_step(w, gradient, velocity, momentum, rate)


def looks_ahead_twice(w, gradient, velocity, rate, momentum):
    velocity = momentum * velocity + gradient
    return w - rate * (gradient + momentum * (gradient + momentum * velocity)), velocity


def shared_memory(w, gradient, total, rate, eps=1e-10, seen=[0.0]):  # noqa: B006
    seen[0] = seen[0] + gradient**2
    return w - rate * gradient / (np.sqrt(seen[0]) + eps), seen[0]


WRONG = {
    "momentum_step": [
        momentum_exchanged, lambda w, g, v, rate, m: (w - rate * (m * v + g), g),
        lambda w, g, v, rate, m: (w - rate * (m * v + g), v + g),
        lambda w, g, v, rate, m: (w - rate * (m**2 * v + g), m**2 * v + g),
        lambda w, g, v, rate, m: (w - rate * g - m * v, m * v + g)],
    "nesterov_step": [
        looks_ahead_twice, lambda w, g, v, rate, m: (w - rate * g - m * (m * v + g), m * v + g),
        lambda w, g, v, rate, m: (w - rate * (g + m**2 * v), m * v + g),
        lambda w, g, v, rate, m: (w - rate * (g + rate * m * v), m * v + g)],
    "adagrad_step": [
        shared_memory, lambda w, g, r, rate, eps=1e-10: (w - rate * g / (np.sqrt(r + g**2) + 1e-10), r + g**2),
        lambda w, g, r, rate, eps=1e-10: (w - rate * g / np.maximum(np.sqrt(r + g**2), eps), r + g**2),
        lambda w, g, r, rate, eps=1e-10: (w - rate * g / (np.cbrt(r + g**2) + eps), r + g**2)],
    "rmsprop_step": [
        lambda w, g, r, rate, alpha=0.9, eps=1e-8: ex09.rmsprop_step(w, g, r, rate, alpha, eps),
        lambda w, g, r, rate, alpha=0.99, eps=1e-8: ex09.rmsprop_step(w, g, r, rate, 1 - alpha, eps),
        lambda w, g, r, rate, alpha=0.99, eps=1e-8: ex09.rmsprop_step(w, g, r, rate, alpha**2, eps),
        lambda w, g, r, rate, alpha=0.99, eps=1e-6: ex09.rmsprop_step(w, g, r, rate, alpha, eps)],
    "adam_step": [
        lambda w, g, m, v, t, rate, beta1=0.9, beta2=0.99, eps=1e-8: ex09.adam_step(w, g, m, v, t, rate, beta1, beta2,
                                                                                    eps),
        lambda w, g, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8: ex09.adam_step(w, g, m, v, 1, rate, beta1, beta2,
                                                                                     eps),
        ex09.adam(mend=lambda m, v, b1, b2, t: (m / (1 - b2**t), v / (1 - b1**t))),
        ex09.adam(mend=lambda m, v, b1, b2, t: (m / (1 - b1)**t, v / (1 - b2)**t)),
        ex09.adam(mend=lambda m, v, b1, b2, t: (m / b1**t, v / b2**t)),
        ex09.adam(second=lambda v, g, b: np.maximum(v, b * v + (1 - b) * g**2))],
    "step_decay": [
        lambda rate, epoch, factor=0.5, every=5: rate * factor * (1 + epoch // every),
        lambda rate, epoch, factor=0.5, every=5: rate * factor ** (every // max(epoch, 1)),
        lambda rate, epoch, factor=0.5, every=5: rate - factor * (epoch // every),
        lambda rate, epoch, factor=0.5, every=5: rate * every ** -(epoch // every),
        lambda rate, epoch, factor=0.5, every=5: rate / (1 + epoch // every),
        lambda rate, epoch, factor=0.5, every=5: epoch // every, lambda rate, epoch, factor=0.5, every=5: rate,
        lambda rate, epoch, factor=0.5, every=5: [rate * factor ** (e // every) for e in range(epoch + 1)],
        lambda rate, epoch, factor=0.1, every=20: rate * factor ** (epoch // every),
        lambda rate, epoch, factor=0.5, every=5: None],
    "exponential_decay": [
        lambda rate, epoch, k: rate, lambda rate, epoch, k: None, lambda rate, epoch, k: rate - math.exp(-k * epoch),
        lambda rate, epoch, k: rate * (1 - math.exp(-k * epoch)), lambda rate, epoch, k: math.exp(-k * epoch * rate),
        lambda rate, epoch, k: rate ** (k * epoch), lambda rate, epoch, k: rate * math.exp(-k * epoch**2),
        lambda rate, epoch, k: rate * math.exp(-k + epoch), lambda rate, epoch, k: rate * 2.7 ** (-k * epoch),
        lambda rate, epoch, k: rate * math.exp(-k * (epoch // 5))],
    "inverse_time_decay": [
        lambda rate, epoch, k: rate, lambda rate, epoch, k: None, lambda rate, epoch, k: rate / (1 + k * epoch)**2,
        lambda rate, epoch, k: rate / (k + epoch) if k + epoch else rate, lambda rate, epoch, k: rate - k * epoch,
        lambda rate, epoch, k: rate / (1 + k * epoch**2), lambda rate, epoch, k: rate / (1 + rate * k * epoch),
        lambda rate, epoch, k: rate / max(1, k * epoch), lambda rate, epoch, k: rate // (1 + k * epoch),
        lambda rate, epoch, k: (1 + k * epoch) / rate],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    for answer in WRONG[name]:
        result = examine(BY_NAME[name], answer)
        assert result.points < BY_NAME[name].points
        assert any(verdict.problem for verdict in result.verdicts)


def entry_by_entry(step):
    """A step with two loops over a matrix, in place in arrays of its own."""
    def answer(w, gradient, *rest, **named):
        states = 2 if step is ex09.adam_step else 1
        arrays = [np.array(a, dtype=float) for a in (w, gradient, *rest[:states])]
        results = [np.empty(np.shape(w)) for _ in range(1 + states)]
        for at in np.ndindex(*np.shape(w)):
            for result, value in zip(results, step(*(a[at] for a in arrays), *rest[states:], **named), strict=True):
                result[at] = value
        return results
    return answer


@pytest.mark.parametrize("name", STEPS)
def test_loops_lists_and_float32_are_right_too(name):
    exercise = BY_NAME[name]
    for answer in (entry_by_entry(exercise.reference), ex09.single(entry_by_entry(exercise.reference))):
        assert examine(exercise, answer).points == exercise.points


@pytest.mark.parametrize("name", STEPS)
def test_a_step_takes_the_same_way_as_nnlib(name):
    makers = {"momentum_step": lambda p: SGD(p, 0.1, 0.9), "nesterov_step": lambda p: SGD(p, 0.1, 0.9, nesterov=True),
              "adagrad_step": lambda p: Adagrad(p, 0.1), "rmsprop_step": lambda p: RMSprop(p, 0.1),
              "adam_step": lambda p: Adam(p, 0.1)}
    step, rng, start = BY_NAME[name].reference, np.random.default_rng(1), np.ones((2, 3))
    arguments = list(inspect.signature(step).parameters)
    w, parameter = start, Tensor(start.copy(), requires_grad=True)
    optimizer, kept = makers[name](parameter), [np.zeros((2, 3))] * (2 if "m" in arguments else 1)
    for t in range(1, 30):
        gradient = rng.normal(size=(2, 3))
        parameter.grad = gradient.copy()
        optimizer.step()
        numbers = {"rate": 0.1} | ({"t": t} if "t" in arguments else {})
        w, *kept = step(w, gradient, *kept, **numbers, **({"momentum": 0.9} if "momentum" in arguments else {}))
        assert np.abs(parameter.data - w).max() < 1e-12


def test_the_schedules_are_those_of_nnlib():
    for epoch in range(50):
        assert np.isclose(ex09.step_decay(1, epoch, 0.3, 7), StepLR(None, 7, 0.3).factor(epoch))
        assert np.isclose(ex09.exponential_decay(1, epoch, 0.2), ExponentialLR(None, math.exp(-0.2)).factor(epoch))
        assert np.isclose(ex09.inverse_time_decay(1, epoch, 0.2), InverseTimeLR(None, 0.2).factor(epoch))


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_library_itself_is_no_answer(name):
    def answer(rate, epoch, *numbers, **named):
        return rate * {"step_decay": StepLR, "exponential_decay": ExponentialLR,
                       "inverse_time_decay": InverseTimeLR}[name](None, 1).factor(epoch)
    assert examine(BY_NAME[name], answer).points == 0


@pytest.mark.parametrize("name, answer, misconception", [
    ("momentum_step", lambda w, g, v, rate, m: (w - rate * (m * v + (1 - m) * g), m * v + (1 - m) * g), "the average"),
    ("momentum_step", lambda w, g, v, rate, m: w - rate * (m * v + g), "the weights alone"),
    ("adam_step", lambda w, g, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8: (
        w - rate * (beta1 * m + (1 - beta1) * g) / (np.sqrt(beta2 * v + (1 - beta2) * g**2) + eps),
        beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2), "no correction"),
    ("step_decay", lambda rate, epoch, factor=0.5, every=5: rate * factor ** np.ceil(epoch / every), "rounded up"),
    ("exponential_decay", lambda rate, epoch, k: rate**2 * np.exp(-k * epoch), "deck C's stray factor"),
])
def test_slips_that_look_alike_are_told_apart(name, answer, misconception):
    assert examine(BY_NAME[name], answer).misconception == misconception
