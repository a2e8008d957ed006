"""ex10: wrong answers that are not on its lists lose points, other right ones earn all, each bug mended one point."""

import itertools
import math

import numpy as np
import pytest

from nnlib import Tensor, cross_entropy, datasets, evaluate, minibatches, no_grad
from nnlib.grading.checks import ex10
from nnlib.grading.examine import examine
from nnlib.tuning import log_uniform
from nnlib.tuning import random_search as library_search

BY_NAME = {exercise.name: exercise for exercise in ex10.EXERCISES}
LOOP = BY_NAME["fix_the_training_loop"]
BUGS = {"order": "once", "drop": "full", "zero": "never", "mode": "never", "chosen": "training"}


@pytest.mark.parametrize("left", [bugs for size in range(6) for bugs in itertools.combinations(BUGS, size)],
                         ids=lambda bugs: " ".join(bugs) or "none")
def test_each_bug_costs_its_own_point_whatever_the_others(left):
    result = examine(LOOP, ex10.loop(**{bug: BUGS[bug] for bug in left}))
    failed = [bug for bug, verdict in zip(BUGS, result.verdicts, strict=True) if verdict.problem]
    assert result.points == 5 - len(left) and failed == list(left)


def no_update(model, optimizer, train, validation, epochs, batch_size, rng):
    return [evaluate(model, validation, metric=None)[0] for _ in range(epochs)]


def zero_rate(model, optimizer, *rest):
    optimizer.lr = 0.0
    return ex10.fix_the_training_loop(model, optimizer, *rest)


def starts_again(model, optimizer, train, validation, epochs, batch_size, rng):
    first, losses = model.state_dict(), []
    for _ in range(epochs):
        model.load_state_dict(first)
        losses += ex10.fix_the_training_loop(model, optimizer, train, validation, 1, batch_size, rng)
    return losses


def one_epoch(model, optimizer, train, validation, epochs, batch_size, rng):
    return ex10.fix_the_training_loop(model, optimizer, train, validation, 1, batch_size, rng) * epochs


def no_gradient(model, optimizer, train, validation, epochs, batch_size, rng):
    losses = []
    for _ in range(epochs):
        for X, t in minibatches(*train, batch_size, rng):
            with no_grad():
                cross_entropy(model(Tensor(X)), t)
            optimizer.zero_grad()
            optimizer.step()
        losses.append(evaluate(model, validation, metric=None)[0])
    return losses


def on_the_validation_set(model, optimizer, train, validation, *rest):
    return ex10.fix_the_training_loop(model, optimizer, validation, validation, *rest)


@pytest.mark.parametrize("rewrite", [no_update, zero_rate, starts_again, one_epoch, no_gradient, on_the_validation_set,
                                     ex10.loop(updates="none"), ex10.loop(updates="one"), lambda *a: None,
                                     lambda *a: [0.1] * a[4], lambda model, *a: model.state_dict()])
def test_a_loop_that_does_not_train_earns_nothing(rewrite):
    assert examine(LOOP, rewrite).points == 0


def in_evaluation_mode(model, optimizer, *rest):
    model.eval()
    model.train = lambda *a: model
    return ex10.fix_the_training_loop(model, optimizer, *rest)


def of_training_set(model, optimizer, train, validation, *rest):
    return ex10.fix_the_training_loop(model, optimizer, train, train, *rest)


def zeroed_after(model, optimizer, train, validation, epochs, batch_size, rng):
    """Right, in another style: zero after the step, while loop, model.zero_grad, validation in two parts."""
    losses, best = [], None
    model.zero_grad()
    while len(losses) < epochs:
        order, first = np.argsort(rng.random(len(train[0]))), 0
        while first < len(order):
            rows = order[first:first + batch_size].tolist()
            cross_entropy(model(Tensor(train[0][rows])), train[1][rows]).backward()
            optimizer.step()
            model.zero_grad()
            first += batch_size
        losses.append(evaluate(model, validation, metric=None, batch_size=512)[0])
        best = model.state_dict() if best is None or losses[-1] <= min(losses) else best
    model.load_state_dict(best)
    return tuple(losses)


def test_the_loop_in_another_style_is_right():
    assert examine(LOOP, zeroed_after).points == 5


def scaled(change):
    return lambda train_X, other_X: change(*ex10.standardize(train_X, other_X))


def mean_of_means(train_X, other_X):
    mean = (train_X.mean(axis=0) + other_X.mean(axis=0)) / 2
    return (train_X - mean) / train_X.std(axis=0).clip(1e-12), (other_X - mean) / train_X.std(axis=0).clip(1e-12)


def even_rows(X, t, held_out, rng):
    return np.arange(len(X))[held_out:] - held_out, np.arange(len(X))[::-1][:held_out]


WRONG = {
    "standardize": [
        lambda a, b: (a, b), lambda a, b: None, mean_of_means, scaled(lambda a, b: (2 * a, 2 * b)),
        scaled(lambda a, b: (a.T, b.T)), scaled(lambda a, b: (a, a)), scaled(lambda a, b: np.concatenate([a, b])),
        scaled(lambda a, b: (a[:1], b)), scaled(lambda a, b: (a.clip(-1, 1), b.clip(-1, 1))),
        lambda a, b: ((a - np.median(a, axis=0)) / (np.std(a, axis=0) + (np.std(a, axis=0) == 0)), b),
        lambda a, b: (a / np.abs(a).max(axis=0), b / np.abs(a).max(axis=0)), datasets.standardize],
    "split": [
        lambda X, t, k, rng: (X, t, X, t), lambda X, t, k, rng: None, ex10.split_by(even_rows),
        lambda X, t, k, rng: ex10.split(X, t, k + 1, rng), lambda X, t, k, rng: ex10.split(X, t, len(X) // 4, rng),
        lambda X, t, k, rng: [(a, b) for a, b in zip(ex10.split(X, t, k, rng), "abcd", strict=True)],
        lambda X, t, k, rng: ex10.split(X, t, k, rng)[:2], lambda X, t, k, rng: ex10.split(X, t[::-1], k, rng),
        lambda X, t, k, rng: ex10.split(rng.permutation(X), t, k, rng),
        ex10.split_by(lambda X, t, k, rng: (rng.choice(len(X), len(X) - k), rng.choice(len(X), k)))],
    "can_overfit": [
        lambda train, X, t, rng, examples=10, limit=0.05: True, lambda train, X, t, rng, examples=10, limit=0.05: False,
        lambda train, X, t, rng, examples=10, limit=0.05: None,
        lambda train, X, t, rng, examples=10, limit=0.05: train(X[:examples], t[:examples])[-1] < limit,
        ex10.overfitter(rows=lambda n, k, rng: np.arange(0, n, n // k)[:k]),
        ex10.overfitter(rows=lambda n, k, rng: rng.permutation(n)[:k + 1]),
        ex10.overfitter(rows=lambda n, k, rng: np.arange(n)[-k:]),
        ex10.overfitter(verdict=lambda z, limit: sum(z) < limit), ex10.overfitter(verdict=lambda z, limit: z[-1]),
        ex10.overfitter(verdict=lambda z, limit: np.nanmin(z[-10:]) < limit),
        ex10.overfitter(verdict=lambda z, limit: sorted(z)[0] < limit), ex10.overfitter(level=0.5)],
    "sample_log_uniform": [
        lambda low, high, size, rng: np.full(size, np.sqrt(low * high)), lambda low, high, size, rng: None,
        lambda low, high, size, rng: np.geomspace(low, high, size),
        lambda low, high, size, rng: low * 10 ** rng.random(size),
        lambda low, high, size, rng: rng.uniform(low, high, size) ** 2,
        lambda low, high, size, rng: low + (high - low) * 10.0 ** rng.uniform(-4, 0, size),
        lambda low, high, size, rng: 2 ** rng.uniform(np.log2(low), np.log2(high)),
        lambda low, high, size, rng: 10 ** -rng.uniform(0, 4, size),
        lambda low, high, size, rng: rng.lognormal(np.log(low * high) / 2, 1, size),
        lambda low, high, size, rng: [log_uniform(low, high).sample(rng) for _ in range(size)],
        lambda low, high, size, rng: 10 ** rng.uniform(np.log10(low), np.log10(high), (size, 1))],
    "random_search": [
        lambda objective, space, trials, rng: (None, math.inf), lambda objective, space, trials, rng: None,
        ex10.searcher(count=lambda n: n + 1), ex10.searcher(count=lambda n: 1), ex10.searcher(start=-math.inf),
        ex10.searcher(draw=lambda low, high, size, rng: low), ex10.searcher(better=lambda a, b: abs(a) < abs(b)),
        ex10.searcher(better=lambda a, b: a <= 1.0), ex10.searcher(give=lambda best, score: (best, -score)),
        ex10.searcher(give=lambda best, score: (list((best or {}).values()), score)), ex10.searcher(start=math.nan),
        lambda objective, space, trials, rng: library_search(
            objective, {name: log_uniform(*ends) for name, ends in space.items()}, trials, seed=rng, progress=False)],
    "fix_the_training_loop": [
        in_evaluation_mode, of_training_set, ex10.loop(order="stored", zero="never"), ex10.loop(zero="each epoch"),
        ex10.loop(give=lambda losses: losses[-1]), ex10.loop(give=lambda losses: losses[1:]),
        ex10.loop(give=lambda losses: None), ex10.loop(give=sorted), ex10.loop(order="replacement", drop="partial"),
        ex10.loop(mode="stays", chosen="last")],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    for number, answer in enumerate(WRONG[name]):
        result = examine(BY_NAME[name], answer, forbidden=BY_NAME[name].forbidden_names())
        assert result.points < BY_NAME[name].points, number
        assert result.note or any(verdict.problem for verdict in result.verdicts), number


def test_other_styles_are_right():
    def in_lists(train_X, other_X):
        return tuple(part.tolist() for part in ex10.standardize(train_X, other_X))

    def by_boolean_mask(X, t, held_out, rng):
        mask = np.zeros(len(X), dtype=bool)
        mask[rng.choice(len(X), held_out, replace=False)] = True
        return X[~mask], t[~mask], X[mask], t[mask]

    def draws_by_comprehension(low, high, size, rng):
        return [math.exp(rng.uniform(math.log(low), math.log(high))) for _ in range(size)]

    def keeps_all(objective, space, trials, rng):
        rows = []
        for _ in range(trials):
            p = {name: float(10 ** rng.uniform(*np.log10(ends))) for name, ends in space.items()}
            rows.append((objective(**p), len(rows), p))
        score, _, best = min(row for row in rows if not math.isnan(row[0]))
        return best, score

    for name, answer in {"standardize": in_lists, "split": by_boolean_mask, "random_search": keeps_all,
                         "sample_log_uniform": draws_by_comprehension}.items():
        assert examine(BY_NAME[name], answer).points == BY_NAME[name].points, name


def test_the_reference_prepares_data_as_nnlib_does():
    X = np.random.default_rng(0).normal(3, 7, size=(20, 4))
    X[:, 2] = 5.0
    for ours, theirs in zip(ex10.standardize(X[:12], X[12:]), datasets.standardize(X[:12], X[12:]), strict=True):
        assert np.abs(ours - theirs).max() < 1e-12
