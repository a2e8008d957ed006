"""Answers as learners give them: right ones written another way, wrong ones, broken ones."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
import warnings
from unittest.mock import Mock

import numpy as np
import pytest

import nnlib
from nnlib.grading import Case, Exercise, Misconception, report
from nnlib.grading.checks import ex01
from nnlib.grading.examine import NOT_ATTEMPTED, PARTLY, RIGHT, WRONG, Here, examine
from nnlib.grading.guard import ENDED, Outcome

HAS_ALARM = hasattr(signal, "setitimer")


def double(x):
    return 2 * x


def exercise(**options):
    settings = dict(name="double", points=2, reference=double, cases=[
        Case("by hand", lambda rng: np.array([1.0, 2.0, 4.0])),
        Case("drawn", lambda rng: rng.normal(size=5), hint="Twice as much.")])
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


class Endless(list):
    def __iter__(self):
        while True:
            yield 1.0


def nest(kind, times, inner=1.0):
    for _ in range(times):
        inner = kind([inner])
    return inner


def shared(times):
    inner = [1.0]
    for _ in range(times):
        inner = [inner, inner]
    return inner


def boxed(inner):
    box = np.empty(1, dtype=object)
    box[0] = inner[0]
    return box


TOO_MUCH = {
    "deep list": (lambda: nest(list, 100_000), "nested too deeply"),
    "deep tuple": (lambda: nest(tuple, 100_000), "nested too deeply"),
    "deep dict": (lambda: nest(lambda inner: {"a": inner[0]}, 1000), "nested too deeply"),
    "deep key": (lambda: {nest(tuple, 200): 1}, "nested too deeply"),
    "deep set": (lambda: nest(frozenset, 200), "nested too deeply"),
    "deep generators": (lambda: nest(iter, 200), "nested too deeply"),
    "arrays in arrays": (lambda: nest(boxed, 200), "nested too deeply"),
    "a list in itself": (lambda: (ring := []).append(ring) or ring, "nested too deeply"),
    "shared lists": (lambda: shared(40), "too large"),
    "endless list": (Endless, "too large"),
    "long range": (lambda: range(10**30), "too large"),
    "long text": (lambda: "a" * 10**8, "too large"),
    "large set": (lambda: set(range(10**6)), "too large"),
    "large array": (lambda: np.broadcast_to(1.0, (10**6, 10**6)), "too large"),
    "large array of objects": (lambda: np.empty(10**6, dtype=object), "too large"),
    "large tensor": (lambda: nnlib.Tensor(np.zeros(9 * 10**6)), "too large"),
    "one array many times": (lambda: [np.zeros(10**6)] * 100, "too large")}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_an_answer_that_cannot_be_compared_is_told_so(name):
    """It is no RecursionError or MemoryError of the learner's function: that has answered, the looking is ours."""
    made, said = TOO_MUCH[name][0](), TOO_MUCH[name][1]
    verdict = first_failure(examine(exercise(), lambda x: made))
    assert verdict.problem.startswith(f"your answer is {said} to be compared: more than ")
    assert verdict.diagnosis == ""


def test_answers_at_the_bounds_are_compared():
    for answer in nest(list, 49), list(range(240_000)), np.zeros(8 * 10**6), shared(10):
        problem = first_failure(examine(exercise(), lambda x, answer=answer: answer)).problem
        assert problem.startswith("expected ") and len(problem) < 300


def test_memory_and_recursion_may_end_while_an_answer_is_looked_at(monkeypatch):
    def low(x):
        answer, limit = nest(list, 45), 20
        while True:
            limit += 1
            with contextlib.suppress(RecursionError):  # it cannot be set below the present depth
                sys.setrecursionlimit(limit)
                break
        sys.setrecursionlimit(limit + 20)
        return answer
    assert first_failure(examine(exercise(), low)).problem == "your answer is too large to be compared"
    for error, said in (MemoryError, "your answer is too large to be compared"), (ValueError, "does not have the form"):
        monkeypatch.setattr("nnlib.grading.examine.compare", Mock(side_effect=error))
        assert said in first_failure(examine(exercise(), lambda x: 3.0)).problem


@pytest.mark.skipif(not HAS_ALARM, reason="this platform has no alarm signal")
def test_endless_loop_is_stopped():
    def answer(x):
        while True:
            try:
                x = x + 1
            except Exception:
                pass
    handler = signal.getsignal(signal.SIGALRM)
    result = examine(exercise(time_limit=0.3), answer)
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
    assert (result.points, result.status) == (0, WRONG) and "fixed numbers" in result.note
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
    assert "does not have the form" in verdict.problem
    assert verdict.diagnosis == "Wanted is, for example, a list of 1 value, the first a tuple of 2 values, the first " \
        "a number."


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


def swallows(x):
    while True:
        try:
            time.sleep(0.01)
        except:  # noqa: E722
            pass


def goes_on(x):
    while True:
        try:
            np.linalg.inv(np.ones((20, 20)) + np.eye(20))
        except BaseException as error:
            str(error)


def swallows_below(x):
    def inner():
        try:
            time.sleep(0.01)
        except:  # noqa: E722
            return 3
    while True:
        inner()


def swallows_twice(x):
    while True:
        try:
            with np.errstate():
                try:
                    time.sleep(0.001)
                except BaseException:
                    continue
        except BaseException:
            continue


def returns_late(x):
    try:
        time.sleep(5)
    except BaseException:
        return 2 * x


@pytest.mark.skipif(not HAS_ALARM, reason="this platform has no alarm signal")
@pytest.mark.parametrize("answer", [swallows, goes_on, swallows_below, swallows_twice, returns_late])
def test_loops_that_swallow_the_interrupt_are_stopped(answer):
    handler = signal.getsignal(signal.SIGALRM)
    result = examine(exercise(time_limit=0.3), answer)
    assert first_failure(result).failure == "TimeUp" and result.points == 0
    assert signal.getsignal(signal.SIGALRM) is handler and signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert sys.exc_info() == (None, None, None)


@pytest.mark.skipif(not HAS_ALARM, reason="this platform has no alarm signal")
def test_a_question_with_many_endless_cases_is_soon_over():
    def answer(x):
        while True:
            pass
    many = exercise(cases=[Case(f"case {n}", lambda rng: rng.normal()) for n in range(8)], time_limit=0.4,
                    misconceptions=[Misconception("endless", answer, "Stop."),
                                    Misconception("slow", lambda x: time.sleep(30), "Faster.")])
    started = time.monotonic()
    result = examine(many, answer)
    assert time.monotonic() - started < 25
    assert [v.problem for v in result.verdicts[:3]] == [f"no answer after {s} s" for s in ("0.4", "0.2", "0.1")]
    assert result.misconception == "endless" and len(result.verdicts) == 8


def test_in_another_thread_there_is_no_limit_and_no_error():
    results = []
    slow = exercise(time_limit=0.05)
    thread = threading.Thread(target=lambda: results.append(examine(slow, lambda x: (time.sleep(0.1), 2 * x)[1])))
    thread.start()
    thread.join()
    assert results[0].status == RIGHT


def test_surroundings_are_left_as_found(tmp_path, monkeypatch):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    monkeypatch.setenv("NNLIB_TEST_KEPT", "old")
    mine = plt.figure()

    def answer(x):
        os.chdir(tmp_path)
        os.environ["NNLIB_TEST_NEW"], os.environ["NNLIB_TEST_KEPT"] = "1", "2"
        sys.setrecursionlimit(5000)
        random.seed(1)
        plt.figure()
        plt.plot([1, 2])
        return 2 * x
    random.seed(5)
    before = os.getcwd(), dict(os.environ), sys.getrecursionlimit(), random.getstate()
    assert examine(exercise(), answer).status == RIGHT
    assert before == (os.getcwd(), dict(os.environ), sys.getrecursionlimit(), random.getstate())
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_a_runner_stands_for_an_answer_elsewhere():
    trials = exercise().draw(3)
    asked = []

    def runner(index):
        asked.append(index)
        return Outcome(value=2 * trials[index].args[0])
    assert examine(exercise(), trials=trials, runner=runner).status == RIGHT and asked == [0, 1]
    here = Here(exercise(), lambda x: 3 * x, trials)
    texts = [report.of_result(examine(exercise(), lambda x: 3 * x, trials, runner=each)).text for each in (None, here)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("outcome, failure, problem", [
    (Outcome(raised="TimeUp", message="4"), "TimeUp", "no answer after 4 s"),
    (Outcome(raised="TimeUp"), "TimeUp", "no answer after 10 s"),
    (Outcome(raised=ENDED, message="killed"), ENDED, "killed"),
    (Outcome(raised=ENDED), ENDED, ENDED),
    (Outcome(raised="ValueError", message="no"), "ValueError", "double raised ValueError: no"),
    (Outcome(value=object()), "value", "expected an array of shape (3,), got an object")])
def test_what_a_runner_may_report(outcome, failure, problem):
    verdict = examine(exercise(), runner=lambda index: outcome).verdicts[0]
    assert (verdict.failure, verdict.problem) == (failure, problem)


def test_a_changed_argument_is_seen_through_a_runner():
    trials = exercise().draw()
    result = examine(exercise(), trials=trials, runner=lambda i: Outcome(value=2 * trials[i].args[0], changed=True))
    assert first_failure(result).failure == "input"


def test_hints_do_not_contradict_what_is_said_before_them():
    known = exercise(misconceptions=[Misconception("thrice", lambda x: 3 * x, "Twice, not three times."),
                                     Misconception("calls it", lambda x: x * len, "x is an array.")])
    matched = examine(known, lambda x: 3 * x)
    assert matched.hint == "Twice, not three times." and not any(v.diagnosis for v in matched.verdicts)
    assert examine(known, lambda x: x * print).misconception == "calls it"
    assert examine(known, lambda x: float([])).misconception == ""  # another TypeError is another mistake
    assert first_failure(examine(known, lambda x: 2.5 * x)).diagnosis.startswith("Your answer is 1.25 times")


@pytest.mark.parametrize("answer, hinted", [
    (lambda x: 3 * x, True), (lambda x: None, False), (lambda x: unknown * x, False),  # noqa: F821
    (lambda x: x[7], True)])
def test_the_hint_of_a_case_is_about_its_numbers(answer, hinted):
    hints = exercise(cases=[Case("drawn", lambda rng: rng.normal(size=5), hint="Twice as much.")])
    assert bool(examine(hints, answer).hint) == hinted


def test_shapes_that_do_not_fit_are_one_mistake():
    known = exercise(misconceptions=[Misconception("product", lambda x: x @ np.ones((7, 2)), "Shapes.")])
    assert examine(known, lambda x: np.dot(x, np.ones(7))).misconception == "product"


def test_inputs_of_a_call_have_its_names():
    def use(answer, first, second):
        return answer(first) + answer(second)
    two = exercise(cases=[Case("two", lambda rng: (1.0, 2.0), call=use),
                          Case("many", lambda rng: tuple(np.ones((3, 20))), call=lambda answer, *xs: sum(xs))])
    verdicts = examine(two, lambda x: x).verdicts
    assert verdicts[0].inputs == "first = 1, second = 2"
    assert examine(two, lambda x: x, two.draw()).verdicts[1].inputs == "3 times an array of shape (20,)"


def test_speed_of_a_check():
    """A right answer and a wrong one with all its misconceptions: far below what a learner would wait for."""
    question = ex01.EXERCISES[0]
    started = time.process_time()
    examine(question, question.reference, forbidden=[])
    examine(question, lambda z: z, forbidden=["nnlib.tanh"])
    assert time.process_time() - started < 3
