"""Answers as learners give them: right ones written another way, wrong ones, broken ones."""

import signal
import sys
import time
import warnings

import numpy as np
import pytest

from nnlib.grading import Case, Exercise, Misconception, report
from nnlib.grading.examine import NOT_ATTEMPTED, PARTLY, RIGHT, WRONG, examine

HAS_ALARM = hasattr(signal, "setitimer")


def double(x):
    return 2 * x


def exercise(**options):
    settings = dict(name="double", points=2, reference=double, cases=[
        Case("by hand", lambda rng: np.array([1.0, 2.0, 4.0])),
        Case("drawn", lambda rng: rng.normal(size=5), hint="Twice as much.")], time_limit=0.3)
    return Exercise(**settings | options)


def first_failure(result):
    return next(verdict for verdict in result.verdicts if verdict.failure)


def test_right_answers():
    for answer in double, lambda x: x + x, lambda x: [2 * one for one in x], lambda x: np.float32(2 * x):
        result = examine(exercise(), answer)
        assert (result.points, result.status, result.hint) == (2, RIGHT, "")
        assert isinstance(result.points, int)


@pytest.mark.parametrize("answer, failure, problem, diagnosis", [
    (lambda x: None, "value", "your answer is None", "`return`"),
    (lambda x: print(2 * x), "value", "your answer is None", "in place of `print`"),
    (lambda x: 1 / 0, "ZeroDivisionError", "raised ZeroDivisionError: division by zero", "In your line"),
    (lambda: 3, "TypeError", "takes 0 positional arguments", ""),
    (lambda x: sys.exit(3), "SystemExit", "double raised SystemExit: 3", "In your line"),
    (lambda x: x.__imul__(2), "input", "your function changed its input", "copy"),
    (lambda x: (y for y in iter(int, 1)), "ValueError", "does not end", ""),
    (lambda x: 3 * x, "value", "got [3, 6, 12]", "1.5 times"),
    (lambda x: x.__imul__(3), "value", "got [3, 6, 12]", "It also changed its input"),
    (lambda x: double, "value", "got a function", "parentheses"),
])
def test_broken_answers(answer, failure, problem, diagnosis):
    result = examine(exercise(), answer)
    verdict = first_failure(result)
    assert (result.points, result.status, verdict.failure) == (0, WRONG, failure)
    assert problem in verdict.problem and diagnosis in verdict.diagnosis


def test_the_learners_own_line_is_quoted():
    def answer(x):
        y = x + 1
        return np.linalg.inv(y)
    assert "return np.linalg.inv(y)" in first_failure(examine(exercise(), answer)).diagnosis


def test_deep_recursion_and_odd_exceptions():
    def forever(x):
        return forever(x)

    class Odd(Exception):
        def __str__(self):
            raise ValueError

    def odd(x):
        raise Odd
    assert first_failure(examine(exercise(), forever)).failure == "RecursionError"
    assert first_failure(examine(exercise(), odd)).problem == "double raised Odd"


@pytest.mark.skipif(not HAS_ALARM, reason="this platform has no alarm signal")
def test_endless_loop_is_stopped():
    def answer(x):
        while True:
            try:
                x = x + 1
            except Exception:
                pass
    handler, started = signal.getsignal(signal.SIGALRM), time.monotonic()
    result = examine(exercise(), answer)
    assert time.monotonic() - started < 2
    assert first_failure(result).problem == "no answer after 0.3 s" and result.points == 0
    assert signal.getsignal(signal.SIGALRM) is handler and signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.skipif(not HAS_ALARM, reason="this platform has no alarm signal")
def test_an_alarm_that_was_set_is_set_again():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        examine(exercise(), double)
        time.sleep(0.4)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rang


def test_interrupted_by_the_learner():
    def answer(x):
        raise KeyboardInterrupt
    result = examine(exercise(), answer)
    assert len(result.verdicts) == 1 and result.points == 0
    assert "you interrupted it" in first_failure(result).problem


def test_numpy_and_the_screen_are_left_as_found(capfd):
    def answer(x):
        np.seterr(all="raise")
        np.set_printoptions(precision=1)
        np.random.seed(7)  # noqa: NPY002
        warnings.simplefilter("error")
        warnings.warn("careful", stacklevel=1)
        print("x" * 10_000_000)
        print("error", file=sys.stderr)
        return np.log(x * 0)
    np.random.seed(3)  # noqa: NPY002
    settings, options, filters = np.geterr(), np.get_printoptions(), list(warnings.filters)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    result = examine(exercise(), answer)
    assert np.geterr() == settings and np.get_printoptions() == options and warnings.filters == filters
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert capfd.readouterr() == ("", "") and len(result.verdicts[0].outcome.printed) <= 200


def test_patched_numpy_does_not_help(monkeypatch):
    for name in "allclose", "array_equal", "isclose":
        monkeypatch.setattr(np, name, lambda *args, **options: True)
    monkeypatch.setattr(np.testing, "assert_allclose", lambda *args, **options: None)
    assert examine(exercise(), lambda x: x).points == 0


def test_not_attempted():
    def stub(x):
        raise NotImplementedError

    def helper(x):
        raise NotImplementedError

    def uses_helper(x):
        return helper(x)
    assert examine(exercise(), stub).status == NOT_ATTEMPTED
    result = examine(exercise(), uses_helper)
    assert result.status == NOT_ATTEMPTED and "helper, which is not written yet" in result.note


def test_the_worked_example_alone_earns_nothing():
    result = examine(exercise(), lambda x: np.array([2.0, 4.0, 8.0]))
    assert (result.points, result.status) == (0, WRONG) and "worked example" in result.note
    assert result.hint == "Twice as much."


def test_points_are_shared_and_rounded_down_to_halves():
    cases = [Case("small", lambda rng: rng.uniform(0, 1)), Case("large", lambda rng: rng.uniform(2, 3)),
             Case("list", lambda rng: rng.normal(size=2), points=1)]
    assert exercise(cases=cases).shares() == [0.5, 0.5, 1]
    assert examine(exercise(cases=cases), lambda x: 2 * x if np.ndim(x) or x > 1 else x).points == 1.5
    thirds = [Case(str(low), lambda rng, low=low: rng.uniform(low, low + 1)) for low in range(3)]
    result = examine(exercise(cases=thirds, points=1), lambda x: 2 * x if x > 1 else x)
    assert (result.points, result.status) == (0.5, PARTLY)


@pytest.mark.parametrize("cases, points", [
    ([], 1), ([Case("a")], 0.3), ([Case("a")], -1), ([Case("a", points=1)], 2),
    ([Case("a", points=2), Case("b")], 2)])
def test_points_that_do_not_add_up(cases, points):
    with pytest.raises(ValueError, match="expected"):
        exercise(cases=cases, points=points)


def test_misconceptions_earn_their_hint():
    known = exercise(misconceptions=[Misconception("square", lambda x: x * x, "Squared."),
                                     Misconception("raises", lambda x: len(x[0]), "No list.")])
    assert examine(known, lambda x: x ** 2).hint == "Squared."
    assert examine(known, lambda x: len(3)).misconception == "raises"
    almost = examine(known, lambda x: x * x if x[0] == 1 else 3 * x)
    assert almost.misconception == "" and almost.hint == ""


def test_warnings_fail_only_where_the_case_says_so():
    def answer(x):
        np.exp(1e4)
        return 2 * x
    case = Case("quietly", lambda rng: rng.normal(), no_warnings=True)
    assert examine(exercise(), answer).points == 2
    assert "overflow" in first_failure(examine(exercise(cases=[case]), answer)).problem


def test_judges_that_stumble_over_the_answer():
    def judge(got, args, expected):
        first, second = got[0]
    case = Case("pairs", lambda rng: rng.normal(), judge=judge)
    verdict = first_failure(examine(exercise(cases=[case], reference=lambda x: [(x, x)]), lambda x: 3))
    assert "does not have the form" in verdict.problem and "TypeError" in verdict.diagnosis


def test_learners_that_draw_at_random_get_the_same_report():
    def answer(x):
        return x * np.random.rand()  # noqa: NPY002
    first, second = (report.of_result(examine(exercise(), answer)).text for _ in range(2))
    assert first == second


def test_values():
    value = exercise(reference=np.array([1.0, 2.0]), cases=[Case("two numbers")])
    assert examine(value, [1, 2]).points == 2 and examine(value, [2, 1]).points == 0
    assert examine(value, None).status == examine(value, ...).status == NOT_ATTEMPTED
    assert examine(value, double).points == 0
    assert examine(exercise(), 3).note == "Expected a function or class, got a number."


def test_inputs_are_named_after_the_reference():
    result = examine(exercise(), lambda x: x)
    assert result.verdicts[0].inputs == "x = [1, 2, 4]"
    wide = exercise(cases=[Case("wide", lambda rng: rng.normal(size=100))])
    assert examine(wide, lambda x: x).verdicts[0].inputs == "x = an array of shape (100,)"


def test_draws_depend_on_the_seed_alone():
    first, again, other = (exercise().draw(seed)[1].args[0] for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).all()
    assert [trial.drawn for trial in exercise().draw()] == [False, True]
