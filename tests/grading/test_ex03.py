"""ex03: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

from nnlib.grading.checks import ex03
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex03.EXERCISES}


def single(X, t, batch_size, rng):
    return [(x, target) for x, target in zip(X, t, strict=True)]


def draws_batches(X, t, batch_size, rng):
    draws = [rng.choice(len(X), batch_size, replace=False) for _ in range(len(X) // batch_size)]
    return [(X[rows], t[rows]) for rows in draws]


def scan(gradient, start, low, high):
    return next(rate for rate in np.linspace(low, high, 50) if not ex03.stable(gradient, start, rate))


def returns_too_early(gradient, w, X, t, rate, batch_size, epochs, rng):
    for _ in range(epochs):
        for batch in ex03.minibatches(X, t, batch_size, rng):
            w = w - rate * gradient(w, *batch)
        return w


def without_order(gradient, w, X, t, rate, batch_size, epochs, rng):
    for _ in range(epochs):
        for first in range(0, len(X), batch_size):
            w = w - rate * gradient(w, X[first:first + batch_size], t[first:first + batch_size])
    return w


WRONG = {
    "gradient_step": [
        lambda w, g, rate: w * (1 - rate * g), lambda w, g, rate: w - rate * abs(g),
        lambda w, g, rate: w - g / rate, lambda w, g, rate: (w - rate * g).ravel(),
        lambda w, g, rate: w - rate * g.mean(), lambda w, g, rate: np.round(w - rate * g, 1)],
    "gradient_descent": [
        lambda *a: (ex03.gradient_descent(*a)[-1], 3), lambda *a: ex03.gradient_descent(*a)[::-1],
        lambda *a: ex03.gradient_descent(*a).ravel(), lambda *a: ex03.gradient_descent(*a[:4], a[4] - 1),
        ex03.descent(rule=lambda step, rate: np.mean(np.abs(step))),
        ex03.descent(rule=lambda step, rate: step.sum()),
        ex03.descent(rule=lambda step, rate: np.linalg.norm(step) or 1.0)],
    "minibatches": [
        single, draws_batches, lambda *a: next(ex03.minibatches(*a)),
        lambda *a: [(t, X) for X, t in ex03.minibatches(*a)],
        lambda *a: [X for X, t in ex03.minibatches(*a)], lambda *a: list(ex03.minibatches(*a))[::-1],
        ex03.batches_by(lambda n, rng: np.arange(n)[::-1]),
        lambda X, t, size, rng: [batch for batch in ex03.minibatches(X, t, size, rng) if len(batch[1]) > 1]],
    "diagnose_trace": [
        lambda losses: "converged", lambda losses: ex03.diagnose_trace(losses).capitalize(),
        lambda losses: "too small" if losses[-1] < losses[0] else "too large",
        ex03.diagnose(too_large=lambda rises, falls, losses: max(losses) > losses[0]),
        ex03.diagnose(still_falling=lambda lately, losses: lately > 0),
        ex03.diagnose(window=9), ex03.diagnose(window=11),
        ex03.diagnose(too_large=lambda rises, falls, losses: rises > 0.11 * falls),
        ex03.diagnose(too_large=lambda rises, falls, losses: rises >= 0.1 * falls),
        ex03.diagnose(still_falling=lambda lately, losses: lately > 0.01 * (losses[1] - losses[-1])),
        lambda losses: ex03.diagnose_trace(losses[1:] if np.isnan(losses[0]) else losses),
        lambda losses: ex03.diagnose_trace(losses + 0.0) if losses.size else "converged"],
    "largest_stable_rate": [
        scan, lambda gradient, start, low, high: 0.5, lambda *a: (ex03.largest_stable_rate(*a), 1e-3),
        lambda *a: round(ex03.largest_stable_rate(*a), 1),
        lambda gradient, start, *bracket: ex03.largest_stable_rate(gradient, -start, *bracket),
        lambda gradient, start, low, high: 2 / np.linalg.norm(gradient(start))],
    "sgd": [
        returns_too_early, without_order,
        lambda g, w, X, t, rate, size, epochs, rng: ex03.sgd(g, w, X, t, rate / size, size, epochs, rng),
        lambda g, w, X, t, rate, size, epochs, rng: ex03.sgd(g, w, X, t, rate, len(X), epochs, rng)],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    for answer in WRONG[name]:
        result = examine(BY_NAME[name], answer)
        assert result.points < BY_NAME[name].points
        assert any(verdict.problem for verdict in result.verdicts)


def used_up(gradient, w, X, t, rate, batch_size, epochs, rng):
    batches = ex03.minibatches(X, t, batch_size, rng)  # a generator: empty after the first epoch
    for _ in range(epochs):
        for batch in batches:
            w = w - rate * gradient(w, *batch)
    return w


def rows_only(X, t, batch_size, rng):
    return np.split(rng.permutation(len(X)), range(batch_size, len(X), batch_size))


def never_called(gradient, start, rate, tolerance, max_steps):
    return [start - rate * gradient]


@pytest.mark.parametrize("name, answer, misconception", [
    ("sgd", used_up, "one epoch"), ("sgd", returns_too_early, "one epoch"),
    ("minibatches", rows_only, "row numbers"),
    ("minibatches", lambda *a: list(ex03.minibatches(*a))[0], "only the first batch"),
    ("gradient_descent", never_called, "the gradient is not called"),
    ("diagnose_trace", lambda losses: "too large", "falls counted as negative"),
])
def test_slips_that_look_alike_are_told_apart(name, answer, misconception):
    assert examine(BY_NAME[name], answer).misconception == misconception


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_stable_rate_is_two_over_the_largest_curvature(seed):
    rng = np.random.default_rng(seed)
    curvature = rng.uniform(1, 5, size=3)
    gradient, start = ex03.tilted_bowl(rng, curvature)
    with np.errstate(all="ignore"):
        found = ex03.largest_stable_rate(gradient, start, 0.0, 5.0)
    assert abs(found - 2 / curvature.max()) <= 2.5e-3


def test_a_learner_may_use_the_earlier_answers_and_lists():
    def descent(gradient, start, rate, tolerance, max_steps):
        points = [start.tolist()]
        for _ in range(max_steps):
            slope = gradient(np.array(points[-1]))
            if np.sqrt((rate**2 * slope**2).sum()) <= tolerance:
                return points
            points.append(ex03.gradient_step(np.array(points[-1]), slope, rate).tolist())
        return points
    result = examine(BY_NAME["gradient_descent"], descent)
    assert result.points == 3
