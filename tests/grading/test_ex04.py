"""ex04: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

from nnlib import sigmoid, softmax
from nnlib.grading.checks import ex04
from nnlib.grading.examine import RIGHT, examine

BY_NAME = {exercise.name: exercise for exercise in ex04.EXERCISES}


def first_axis_only(f, x, h):
    x = np.asarray(x, dtype=float)
    return np.array([(f(x + h * e) - f(x)) / h for e in np.eye(len(x))])


def returns_early(f, x, h):
    gradient, here = np.zeros(np.shape(x)), f(x)
    for i in np.ndindex(np.shape(x)):
        nudged = np.array(x, dtype=float)
        nudged[i] += h
        gradient[i] = (f(nudged) - here) / h
        return gradient


def aliased(f, x, h):
    gradient = np.zeros(np.shape(x))
    for i in np.ndindex(np.shape(x)):
        above = below = np.array(x, dtype=float)
        above[i] += h
        below[i] -= h
        gradient[i] = (f(above) - f(below)) / (2 * h)
    return gradient


def second_difference(f, x, h):
    x = np.asarray(x, dtype=float)
    unit = np.eye(x.size).reshape(-1, *x.shape)
    return np.reshape([(f(x + h * e) - 2 * f(x) + f(x - h * e)) / h**2 for e in unit], x.shape)


def count_in_default(method, f, x, h, calls=[]):  # noqa: B006  (that is the slip)
    def counted(w):
        calls.append(w)
        return f(w)
    method(counted, x, h)
    return len(calls)


def checked_by(error, limit=1e-6):
    return lambda f, gradient, x: bool(error(np.asarray(gradient(x)), ex04.central_difference(f, x, 1e-5)) <= limit)


def first_place_for_all(problems, rng):
    return [name for name, (f, gradient, shape) in problems.items()
            if not all(ex04.gradient_check(f, gradient, x) for x in [rng.normal(size=shape)] * 20)]


WRONG = {
    "forward_difference": [
        returns_early, lambda f, x, h: ex04.forward_difference(f, x, 1e-6),
        lambda f, x, h: ex04.forward_difference(f, x, -h), lambda f, x, h: ex04.forward_difference(f, x, h / 2),
        lambda f, x, h: ex04.forward_difference(f, x, h).ravel(),
        lambda f, x, h: ex04.forward_difference(f, x, h).sum(),
        lambda f, x, h: (ex04.forward_difference(f, x, h), f(x)), first_axis_only, second_difference,
        lambda f, x, h: np.round(ex04.forward_difference(f, x, h), 2), lambda f, x, h: f(x + h) - f(x) / h],
    "central_difference": [
        aliased, second_difference, lambda f, x, h: ex04.central_difference(f, x, 2 * h),
        lambda f, x, h: ex04.central_difference(f, x, 1e-6), lambda f, x, h: ex04.central_difference(f, x, h).T,
        lambda f, x, h: np.abs(ex04.central_difference(f, x, h)), lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h,
        lambda f, x, h: ex04.forward_difference(f, x, h) / 2, lambda f, x, h: ex04.central_difference(f, x, h) * f(x),
        lambda f, x, h: ex04.central_difference(f, x, h).ravel()],
    "count_evaluations": [
        count_in_default, lambda *a: 0, lambda method, f, x, h: np.size(x),
        lambda method, f, x, h: method.__name__, lambda *a: ex04.count_evaluations(*a) - 1,
        lambda *a: str(ex04.count_evaluations(*a)), lambda *a: [ex04.count_evaluations(*a)],
        lambda method, f, x, h: np.size(method(f, x, h)), lambda *a: 2 * ex04.count_evaluations(*a),
        lambda method, f, x, h: np.size(x) + 1 if method is ex04.forward_difference else 2 * np.size(x)],
    "analytic_gradient": [
        lambda w, X, t, s: X.T @ np.tanh(X @ w - t) / len(t) + s * np.abs(w),
        lambda w, X, t, s: X.T @ np.tanh(X @ w - t) / len(t) + s * w.sum(),
        lambda w, X, t, s: X.T @ sigmoid(X @ w - t) / len(t) + s * w,
        lambda w, X, t, s: X.T @ (np.tanh(X @ w) - t) / len(t) + s * w,
        lambda w, X, t, s: X.T @ np.tanh(X @ w - t) / len(t) + s * w**2,
        lambda w, X, t, s: -(X.T @ np.tanh(X @ w - t)) / len(t) - s * w,
        lambda w, X, t, s: X.T @ np.tanh(X @ w - t) / X.size + s * w,
        lambda w, X, t, s: X @ np.tanh(X @ w - t) / len(t) + s * w,
        lambda w, X, t, s: np.tanh(X @ w - t)[:, None] * X / len(t) + s * w,
        lambda w, X, t, s: X.T @ np.clip(X @ w - t, -1, 1) / len(t) + s * w],
    "gradient_check": [
        lambda f, gradient, x: True, lambda f, gradient, x: False, lambda f, gradient, x: None,
        checked_by(lambda g, m: np.linalg.norm(g - m) / np.linalg.norm(g + m)),
        checked_by(lambda g, m: np.max(np.abs(g - m))), checked_by(lambda g, m: np.abs(np.mean(g - m))),
        checked_by(lambda g, m: np.linalg.norm(g - m) / max(1, np.linalg.norm(m))),
        checked_by(lambda g, m: ex04.relative(g, m), 1e-4), checked_by(lambda g, m: np.prod(np.abs(g - m))),
        checked_by(lambda g, m: np.min(np.abs(g - m))), lambda f, gradient, x: np.allclose(gradient(x), x)],
    "find_broken": [
        lambda problems, rng: [], lambda problems, rng: list(problems), lambda problems, rng: "none",
        lambda problems, rng: next(iter(ex04.find_broken(problems, rng)), ""), first_place_for_all,
        lambda problems, rng: dict.fromkeys(problems, False), lambda problems, rng: len(problems),
        ex04.found(place=lambda rng, shape: rng.normal() * np.ones(shape)), ex04.found(places=2),
        ex04.found(place=lambda rng, shape: -rng.random(shape))],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    for number, answer in enumerate(WRONG[name]):
        result = examine(BY_NAME[name], answer)
        assert result.points < BY_NAME[name].points, number
        assert any(verdict.problem for verdict in result.verdicts), number


def no_division(f, x, h):
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[i], below[i] = x[i] + h, x[i] - h
        gradient[i] = f(above) - f(below)
    return gradient


@pytest.mark.parametrize("name, answer, misconception", [
    ("forward_difference", lambda f, x, h: h * ex04.forward_difference(f, x, h), "not divided"),
    ("forward_difference", lambda f, x, h: (f(np.array(x) + h) - f(x)) / h, "all at once"),
    ("central_difference", lambda f, x, h: 2 * ex04.central_difference(f, x, h), "divided by h"),
    ("central_difference", lambda f, x, h: no_division(f, x, h) / 2 * h, "precedence"),
    ("count_evaluations", count_in_default, "never reset"),
    ("analytic_gradient", lambda w, X, t, s: X.T @ np.tanh(X @ w - t) / len(t), "the penalty is forgotten"),
    ("gradient_check", lambda f, g, x: np.linalg.norm(g(x) - ex04.central_difference(f, x, 1e-5)) < 1e-6,
     "absolute error, any shape"),
    ("gradient_check", lambda f, g, x: np.allclose(g(x), ex04.central_difference(f, x, 1e-5)), "allclose alone"),
    ("find_broken", lambda problems, rng: [name for name, (f, gradient, shape) in problems.items()
                                           if not ex04.gradient_check(f, gradient, rng.normal(size=shape))],
     "one place"),
])
def test_slips_that_look_alike_are_told_apart(name, answer, misconception):
    assert examine(BY_NAME[name], answer).misconception == misconception


RIGHT_ANSWERS = {
    "forward_difference": [
        lambda f, x, h: (lambda here: np.reshape([(f(np.asarray(x) + h * e.reshape(np.shape(x))) - here) / h
                                                  for e in np.eye(np.size(x))], np.shape(x)))(f(x))],
    "central_difference": [lambda f, x, h: no_division(f, x, h) / (2 * h),
                           lambda f, x, h: no_division(f, x, h) / h * 0.5],
    "analytic_gradient": [lambda w, X, t, s: sum(np.tanh(x @ w - y) * x for x, y in zip(X, t, strict=True)) / len(X)
                          + s * w],
    "gradient_check": [
        lambda f, g, x: np.shape(g(x)) == np.shape(x) and bool(ex04.relative(
            np.asarray(g(x)), ex04.central_difference(f, x, 1e-6)) <= 1e-6),
        lambda f, g, x: np.shape(g(x)) == np.shape(x) and ex04.relative(
            np.asarray(g(x)), ex04.central_difference(f, x, 1e-5)) <= 1e-6],
    "find_broken": [lambda problems, rng: [name for name, (f, gradient, shape) in problems.items() if any(
        not ex04.gradient_check(f, gradient, rng.normal(size=shape)) for _ in range(20))]],
}


@pytest.mark.parametrize("name", RIGHT_ANSWERS)
def test_right_answers_in_other_styles_earn_all_points(name):
    for answer in RIGHT_ANSWERS[name]:
        for seed in range(3):
            assert examine(BY_NAME[name], answer, BY_NAME[name].draw(seed)).status == RIGHT


def test_an_answer_that_nnlib_or_scipy_gives_earns_nothing():
    from nnlib import numerical_gradient
    exercise = BY_NAME["central_difference"]
    result = examine(exercise, lambda f, x, h: numerical_gradient(f, x, h), forbidden=exercise.forbidden_names())
    assert result.points == 0 and "numerical_gradient" in result.note


@pytest.mark.parametrize("seed", range(5))
def test_the_reference_judges_gradients_of_real_losses(seed):
    rng = np.random.default_rng(seed)
    X, t, labels = rng.normal(size=(6, 3)), rng.normal(size=6), rng.integers(0, 3, 6)
    def loss(w):
        r = X @ w - t
        return float(np.mean(np.logaddexp(r, -r)) + 0.05 * np.sum(w**2))
    def entropy(z):
        return -float(np.mean(np.log(softmax(z)[np.arange(6), labels])))
    problems = {"robust": (loss, lambda w: ex04.analytic_gradient(w, X, t, 0.1), (3,)),
                "penalty": (loss, lambda w: ex04.analytic_gradient(w, X, t, 0.0), (3,)),
                "entropy": (entropy, lambda z: (softmax(z) - np.eye(3)[labels]) / 6, (6, 3)),
                "twice": (entropy, lambda z: (softmax(softmax(z)) - np.eye(3)[labels]) / 6, (6, 3))}
    assert ex04.find_broken(problems, rng) == ["penalty", "twice"]
