"""ex08: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

from nnlib.grading.checks import ex08
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex08.EXERCISES}


def pair(values, slopes):
    return lambda *args: (values(*args), slopes(*args))


def changed(name, values=None, slopes=None):
    """The right answer with a change of its values or its slopes."""
    right = getattr(ex08, name)
    return pair(lambda *args: (values or (lambda a: a))(right(*args)[0]),
                lambda *args: (slopes or (lambda s: s))(right(*args)[1]))


EVERY_ACTIVATION = {
    name: [changed(name, slopes=lambda s: -s), changed(name, values=lambda a: np.round(a, 1)),
           changed(name, slopes=lambda s: s.mean()), changed(name, slopes=lambda s: s.sum(axis=0)),
           changed(name, values=np.square), changed(name, values=lambda a: a + 1),
           changed(name, slopes=lambda s: s / 2),
           lambda *args, name=name: np.multiply(*getattr(ex08, name)(*args)),
           lambda *args, name=name: (*getattr(ex08, name)(*args), None), lambda *args: None]
    for name in ("leaky_relu", "elu", "softplus", "swish", "hard_tanh")}

WRONG = {
    "leaky_relu": [lambda z, a: ex08.leaky_relu(z, 1 - a), lambda z, a: ex08.leaky_relu(z, a**2),
                   lambda z, a: ex08.leaky_relu(-z, a), lambda z, a: (np.maximum(z, a * z), a)],
    "elu": [lambda z, a: ex08.elu(z, 1.0), lambda z, a: ex08.elu(z / a, a), lambda z, a: ex08.leaky_relu(z, a),
            lambda z, a: (np.maximum(z, 0) + a * np.expm1(np.minimum(z, 0)), np.exp(np.minimum(z, 0)))],
    "softplus": [lambda z: ex08.leaky_relu(z, 0.0), lambda z: (ex08.sigmoid(z), ex08.sigmoid(z)),
                 lambda z: (np.log1p(np.exp(z)), 1 / (1 + np.exp(-z))),
                 lambda z: (np.where(z > 0, z, np.log1p(np.exp(z))), ex08.sigmoid(z))],
    "swish": [lambda z: ex08.softplus(z), lambda z: (z * np.tanh(z), np.tanh(z)),
              lambda z: (z * ex08.sigmoid(z), 1 - ex08.swish(z)[1]),
              lambda z: (ex08.sigmoid(z) ** 2, ex08.swish(z)[1])],
    "hard_tanh": [lambda z: (np.clip(z, -1, 1), np.abs(z)), lambda z: (np.maximum(z, -1), 1.0 * (z > -1)),
                  lambda z: (np.clip(z, -1, 1), 1.0 * ((z >= -1) & (z < 1))), lambda z: (z, np.ones_like(z))],
    "he_initial": [
        lambda n, m, rng: ex08.he_initial(n, m, rng) * 1.1, lambda n, m, rng: ex08.he_initial(n, m, rng) + 0.1,
        lambda n, m, rng: ex08.he_initial(m, n, rng), lambda n, m, rng: ex08.he_initial(n, m, rng).ravel(),
        lambda n, m, rng: np.sqrt(2 / n) * np.sign(rng.normal(size=(m, n))),
        lambda n, m, rng: np.sqrt(2 / n) * rng.standard_cauchy((m, n)), lambda n, m, rng: np.zeros((m, n)),
        lambda n, m, rng: np.tile(ex08.he_initial(n, 1, rng), (m, 1))[:, :1] * np.ones((m, n)),
        lambda n, m, rng: ex08.he_initial(80, m, rng), lambda n, m, rng: np.sqrt(2 / n)],
    "dead_fraction": [
        lambda A: 0.5, lambda A: np.all(A == 0, axis=0), lambda A: np.mean(A[-1] == 0),
        lambda A: np.mean(A.max(axis=0) == 0), lambda A: np.mean(A.std(axis=0) == 0) + 1e-3,
        lambda A: np.mean(np.median(A, axis=0) == 0), lambda A: np.all(A == 0, axis=0).sum() / A.size,
        lambda A: np.mean(np.sum(A == 0, axis=0) > len(A) / 2), lambda A: np.mean(A.prod(axis=0) == 0),
        lambda A: 1 - np.count_nonzero(A) / A.size],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    for number, answer in enumerate([*WRONG[name], *EVERY_ACTIVATION.get(name, [])]):
        with np.errstate(all="ignore"):
            result = examine(BY_NAME[name], answer)
        assert result.points < BY_NAME[name].points, number
        assert any(verdict.problem for verdict in result.verdicts), number


def test_an_answer_that_overflows_keeps_the_points_for_ordinary_scores():
    result = examine(BY_NAME["softplus"], lambda z: (np.log(1 + np.exp(z)), 1 / (1 + np.exp(-z))))
    assert result.points == 2 and result.misconception == "naive formulas"


def swish_with_own_softplus(z):
    """As the exercise suggests: the slope of the softplus is the sigmoid."""
    _, p = ex08.softplus(z)
    return [z * p, p + z * p * (1 - p)]


def elu_from_its_own_value(z, alpha):
    a = np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))
    return a, np.where(z > 0, 1, np.minimum(a, 0) + alpha)


@pytest.mark.parametrize("name, answer", [
    ("swish", swish_with_own_softplus), ("elu", elu_from_its_own_value),
    ("hard_tanh", lambda z: (np.where(z > 1, 1, np.where(z < -1, -1, z)), np.logical_and(z > -1, z < 1))),
    ("leaky_relu", lambda z, alpha: (z * np.where(z > 0, 1, alpha), np.where(z > 0, 1, alpha))),
    ("softplus", lambda z: (np.logaddexp(z, 0), np.exp(z - np.logaddexp(z, 0)))),
    ("he_initial", lambda n, m, rng: [(2 / n) ** 0.5 * rng.standard_normal(n) for _ in range(m)]),
    ("dead_fraction", lambda A: float(sum(all(v == 0 for v in unit) for unit in zip(*A.tolist())) / len(A[0])))])
def test_right_answers_in_other_styles_earn_all(name, answer):
    assert examine(BY_NAME[name], answer).points == BY_NAME[name].points


@pytest.mark.parametrize("name", EVERY_ACTIVATION)
def test_slopes_are_what_differences_say(name):
    z = np.random.default_rng(0).normal(scale=3, size=200)
    args = (0.3,) * (name in ("leaky_relu", "elu"))
    answer = getattr(ex08, name)
    differences = (answer(z + 1e-6, *args)[0] - answer(z - 1e-6, *args)[0]) / 2e-6
    assert np.allclose(answer(z, *args)[1], differences, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_he_is_accepted_whatever_the_dice(seed):
    he = BY_NAME["he_initial"]
    result = examine(he, lambda n, m, rng: np.sqrt(2 / n) * rng.standard_normal((n, m)).T, he.draw(seed))
    assert result.points == he.points
