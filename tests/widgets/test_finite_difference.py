"""FiniteDifferenceExplorer: its theory against measurement, every control at its ends, and learners' mistakes."""

import itertools
import math

import numpy as np
import pytest
from support import assert_refused

from nnlib.widgets import FiniteDifferenceExplorer
from nnlib.widgets.finite_difference import (
    DIFFERENCES,
    FUNCTIONS,
    GOAL,
    LARGEST,
    REACH,
    SMALLEST,
    STEPS,
    ErrorGoal,
    best_step,
    central_difference,
    difference_fault,
    expected_errors,
    extrapolated_derivative,
    forward_difference,
    higher_derivatives,
    learners_difference,
    learners_function,
)

EPSILON = np.finfo(float).eps


@pytest.fixture(scope="module")
def explorer():
    return FiniteDifferenceExplorer()


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "|x|"])
def test_derivatives_of_every_function(name):
    curve = FUNCTIONS[name]
    for x in (-1.3, 0.8, 2.0):
        first, second, third = (slope(np.float64(x)) for slope in curve.derivatives)
        derivative, uncertain = extrapolated_derivative(curve.value, np.float64(x))
        assert derivative == pytest.approx(first, rel=1e-10) and uncertain < 1e-9
        assert higher_derivatives(curve.value, x) == pytest.approx((second, third), rel=1e-3, abs=1e-5)


def test_extrapolation_is_better_than_any_central_difference():
    errors = [abs(central_difference(np.exp, 1.0, h) - np.e) for h in STEPS]
    assert abs(extrapolated_derivative(np.exp, 1.0)[0] - np.e) < 1e-12 < np.median(errors)


@pytest.mark.parametrize("kink", [np.abs, lambda x: np.maximum(x, 0.0), np.sign])
def test_extrapolation_finds_no_derivative_at_a_kink_or_jump(kink):
    assert np.isnan(extrapolated_derivative(kink, 0.0)[0])
    assert extrapolated_derivative(kink, 0.5)[0] == pytest.approx(0 if kink is np.sign else 1)


@pytest.mark.parametrize("name, x", [("sin x", 1.0), ("exp x", 0.5), ("sigmoid", 1.5), ("1/x", 2.0)])
def test_theory_agrees_with_what_is_measured(name, x):
    curve = FUNCTIONS[name]
    slopes = tuple(float(slope(x)) for slope in curve.derivatives)
    for method, difference in DIFFERENCES.items():
        truncation, rounding = expected_errors(curve.value(x), slopes, x, STEPS, EPSILON)[method]
        measured = np.abs(difference(curve.value, x, STEPS) - slopes[0])
        wide = (truncation > 30 * rounding) & (STEPS < 0.02)
        np.testing.assert_allclose(measured[wide], truncation[wide], rtol=0.05)
        narrow = rounding > 30 * truncation
        assert 0.02 < np.median(measured[narrow] / rounding[narrow]) < 1.5
        assert (measured[narrow] < 3 * rounding[narrow]).all()


def test_best_steps_are_near_the_roots_of_the_spacing_of_numbers():
    slopes = np.cos(1.0), -np.sin(1.0), -np.cos(1.0)
    for method, root in (("forward", 1 / 2), ("central", 1 / 3)):
        h, error = best_step(method, np.sin(1.0), slopes, 1.0, EPSILON)
        assert 0.3 < h / EPSILON ** root < 3
        total = [sum(expected_errors(np.sin(1.0), slopes, 1.0, k * h, EPSILON)[method]) for k in (0.9, 1, 1.1)]
        assert min(total) == total[1] == pytest.approx(error)
    assert np.isnan(best_step("central", 1.0, (2.0, 2.0, 0.0), 1.0, EPSILON)).all(), "the larger the better"
    assert np.isnan(best_step("forward", 0.0, (0.0, 0.0, 6.0), 0.0, EPSILON)).all(), "the smaller the better"


def test_where_the_second_derivative_is_zero_the_third_decides():
    explorer = FiniteDifferenceExplorer("x³", at=0.0, step=1e-3)
    assert explorer._caption_text.count("error 1.0e-06 (truncation dominates)") == 2


@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends():
    explorer, seen = FiniteDifferenceExplorer(), set()
    states = itertools.product(FUNCTIONS, (-REACH, 0.0, 0.05, REACH), (SMALLEST, 1e-8, LARGEST),
                               ("float64", "float32"))
    for name, x, h, dtype in states:
        with explorer.setting_controls():
            explorer.function.value, explorer.x.value, explorer.h.value = name, x, h
            explorer.dtype.value = dtype
        explorer.refresh()
        assert explorer.message == "" and explorer.picture
        no_slope = x == 0 and name in ("1/x", "|x|")
        assert explorer.smooth != no_slope
        assert ("no derivative" in explorer.curve_note.get_text()) == no_slope
        assert ("no value" in explorer.note.get_text()) == (x == 0 and name == "1/x")
        assert name in explorer.alt and f"x = {float(explorer.at):g}" in explorer.alt
        seen.add(explorer.alt)
    assert len(seen) == 144 - 2 * 3, "where there is no derivative, the kind of numbers changes nothing"


def test_the_error_has_two_regimes_and_the_words_say_which(explorer):
    for h, forward, central in ((1e-2, "truncation", "truncation"), (1e-7, "truncation", "rounding"),
                                (1e-12, "rounding", "rounding")):
        explorer.h.value = h
        assert f"({forward} dominates); central" in explorer._caption_text
        assert explorer._caption_text.count(f"({central} dominates)") == 1 + (forward == central)
    assert "forward 2e-08 (error about 2e-08), central 8e-06 (error about 2e-11)" in explorer._caption_text


def test_goal_is_reached_neither_by_the_default_nor_by_the_smallest_step():
    explorer = FiniteDifferenceExplorer()
    assert "○ Goal not reached yet" in explorer._caption.value
    explorer.h.value = SMALLEST
    assert "○" in explorer._caption.value
    explorer.h.value = 1e-5
    assert "✓ Goal reached" in explorer._caption.value
    explorer.dtype.value = "float32"
    assert "○" in explorer._caption.value


@pytest.mark.parametrize("name", ["sin x", "exp x", "1/x", "sigmoid", "x³"])
def test_goal_is_reachable_near_the_best_step_of_every_smooth_function_and_never_by_forward(name):
    explorer = FiniteDifferenceExplorer(name)
    explorer.h.value = 6e-6
    assert explorer.now["central"] <= GOAL.error and "✓" in explorer._caption.value
    assert explorer.best["forward"][1] > 10 * GOAL.error, "by luck alone"
    explorer.dtype.value = "float32"
    assert explorer.error_curves["central"].min() > GOAL.error


def test_a_straight_line_is_no_way_to_the_goal():
    explorer = FiniteDifferenceExplorer("|x|")
    explorer.h.value = 0.5
    assert "○" in explorer._caption.value and "choose another function" in explorer._caption.value
    explorer.x.value = 0
    assert "no derivative to come close to" in explorer._caption.value


def test_other_goals_or_none():
    forward = FiniteDifferenceExplorer(goal=ErrorGoal(1e-7, "forward"), step=1e-8)
    assert "✓ Goal reached: bring the error of the forward difference" in forward._caption.value
    assert "Goal" not in FiniteDifferenceExplorer(goal=None)._caption.value


def test_kink_is_told_with_both_answers():
    explorer = FiniteDifferenceExplorer("|x|", at=0.0)
    assert "yet the formulas answer: forward 1, central 0." in explorer._caption_text
    assert "no derivative at this place" in explorer.alt
    explorer.x.value = 0.05
    assert "more than theory expects: what does f do between" in explorer._caption_text


def test_magnifier_is_a_staircase_in_the_end():
    explorer = FiniteDifferenceExplorer(step=1e-3)
    heights = explorer.line.get_ydata()
    assert len(set(heights)) == len(heights)
    explorer.h.value = 1e-16
    assert len(set(explorer.line.get_ydata())) <= 5 and "x + h rounds to x itself" in explorer._caption_text
    explorer.dtype.value, explorer.h.value = "float32", 1e-9
    assert set(explorer.line.get_ydata()) == {0.0} and "In float32, x + h rounds to x itself" in explorer._caption_text
    assert explorer.estimates == {"forward": 0, "central": 0}


def test_only_what_depends_on_the_step_is_computed_while_it_is_dragged():
    calls = []

    def f(x):
        calls.append(x)
        return x * x

    explorer = FiniteDifferenceExplorer(f)
    first = len(calls)
    calls.clear()
    explorer.h.value = 1e-3
    assert len(calls) < 250 < first


@pytest.mark.parametrize("arguments", [{"function": "cosine"}, {"function": 3}, {"at": 4.0}, {"at": np.nan},
                                       {"step": 0.0}, {"step": 2.0}])
def test_wrong_arguments(arguments):
    assert_refused(FiniteDifferenceExplorer, arguments)


def test_own_function_with_and_without_derivative():
    without = FiniteDifferenceExplorer(lambda x: math.exp(math.sin(x)), at=0.5)
    slope = math.exp(math.sin(0.5)) * math.cos(0.5)
    assert "your function around x = 0.5" in without.alt
    assert without.slopes[0] == pytest.approx(slope, rel=1e-12) and without.doubt < 1e-11
    assert "known to about" in without._caption_text and without.message == "" and without.fault == ""
    given = FiniteDifferenceExplorer(lambda x: math.exp(math.sin(x)),
                                     lambda x: math.exp(math.sin(x)) * math.cos(x), 0.5)
    assert given.slopes[0] == slope and given.doubt == 0 and given.fault == ""
    given.h.value = 6e-6
    assert "✓" in given._caption.value
    given.function.value = "exp x"
    assert given.slopes[0] == pytest.approx(np.exp(0.5))


def test_wrong_derivative_is_told():
    explorer = FiniteDifferenceExplorer(np.sin, derivative=np.sin, step=1e-5)
    assert "Your derivative is 0.841471 at x = 1, but the differences tend to 0.540302" in explorer._caption_text
    assert "✓" not in explorer._caption.value
    explorer.function.value = "exp x"
    assert explorer.fault == ""


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("f, at", [(math.log, 0.5), (lambda x: 1 / x, 1.0), (math.sqrt, 0.5), (math.log, 0.05)])
def test_own_function_without_a_value_somewhere(f, at):
    explorer = FiniteDifferenceExplorer(f, at=at, step=LARGEST)
    assert explorer.message == "" and np.isfinite(explorer.slopes[0])
    explorer.x.value = 0
    assert explorer.message == "" and "no value" in explorer.note.get_text() + explorer._caption_text or f is math.sqrt
    explorer.h.value = SMALLEST
    assert explorer.picture


@pytest.mark.parametrize("f, words", [
    (lambda x: None, "function returned None"),
    (lambda x: "x", "expected one real number but got str"),
    (lambda x: np.array([x, x]), "an array of shape (2,)"),
    (lambda x: x + 1j, "expected one real number"),
    (lambda: 1, "function raised TypeError"),
    (lambda x: x.no_such_thing, "AttributeError"),
    (lambda x: undefined, "NameError"),  # noqa: F821
    (lambda x: exit(), "SystemExit"),
])
def test_own_function_that_fails(f, words):
    explorer = FiniteDifferenceExplorer(f)
    assert words in explorer.message and explorer.picture
    explorer.function.value = "sin x"
    assert explorer.message == ""


def test_functions_and_results_of_one_element_are_fine():
    assert FiniteDifferenceExplorer(lambda x: np.array([x * x])).slopes[0] == pytest.approx(2)
    own = learners_difference(lambda f, x, h: [(f(x + h) - f(x)) / h], "forward")
    assert own(np.exp, 0.0, 1e-6) == pytest.approx(1)
    assert learners_function(lambda x: 3)(np.float32(1)).dtype == np.float32


@pytest.mark.parametrize("name, own", [
    ("forward", lambda f, x, h: (f(x + h) - f(x)) / h),
    ("forward", lambda f, x, h: -(f(x) - f(x + h)) / h),
    ("central", lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h)),
    ("central", lambda f, x, h: 0.5 / h * (f(x + h) - f(x - h))),
    ("central", lambda f, x, h: (f(x + h / 2) - f(x - h / 2)) / h),
    ("central", lambda f, x, h: (forward_difference(f, x, h) + forward_difference(f, x, -h)) / 2),
])
def test_right_differences_have_no_fault(name, own):
    explorer = FiniteDifferenceExplorer(**{name: own}, step=6e-6)
    assert explorer.fault == "" and explorer.message == "" and "✓" in explorer._caption.value


@pytest.mark.parametrize("name, own, words", [
    ("forward", lambda f, x, h: (f(x) - f(x - h)) / h, "it is the backward difference"),
    ("forward", lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), "it is the central difference"),
    ("forward", lambda f, x, h: f(x + h) - f(x), "the division by h is missing"),
    ("forward", lambda f, x, h: (f(x + h) - f(x)) * h, "multiplies by h"),
    ("forward", lambda f, x, h: (f(x) - f(x + h)) / h, "the sign is wrong"),
    ("forward", lambda f, x, h: f(x + h) - f(x) / h, "parentheses are missing"),
    ("forward", lambda f, x, h: (f(x + h) - f(x)) / (2 * h), "only h apart"),
    ("forward", lambda f, x, h: (f(x + 1e-5) - f(x)) / 1e-5, "is h used?"),
    ("forward", lambda f, x, h: 0.0, "is h used?"),
    ("central", lambda f, x, h: (f(x + h) - f(x - h)) / h, "2h apart"),
    ("central", lambda f, x, h: (f(x + h) - f(x - h)) / 2, "the division by h is missing"),
    ("central", lambda f, x, h: f(x + h) - f(x - h), "the division by 2h is missing"),
    ("central", lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h, "write `/ (2 * h)`"),
    ("central", lambda f, x, h: f(x + h) - f(x - h) / (2 * h), "parentheses are missing"),
    ("central", lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h), "the sign is wrong"),
    ("central", lambda f, x, h: (f(x + h) - f(x)) / h, "it is the forward difference"),
    ("central", lambda f, x, h: (f(x) - f(x - h)) / h, "it is the backward difference"),
    ("central", lambda f, x, h: (f(x + h) + f(x - h)) / (2 * h), "where the formula gives 2.01379"),
    ("central", lambda f, x, h: h * np.nan, "Your central gives nan"),
])
def test_wrong_differences_are_named(name, own, words):
    explorer = FiniteDifferenceExplorer(**{name: own})
    assert words in explorer._caption_text and f"Your {name}" in explorer._caption_text and explorer.message == ""
    assert "not the method's own" in explorer._caption_text
    assert difference_fault(name, own) == explorer.fault
    explorer.h.value, explorer.dtype.value = 6e-6, "float32"
    assert explorer.picture and "✓" not in explorer._caption.value


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("own, words", [
    (lambda f, x, h: None, "central returned None"),
    (lambda f, x, h: 1 / 0, "central raised ZeroDivisionError"),
    (lambda f, x, h: np.zeros(3), "an array of shape (3,)"),
    (lambda f, x: 0, "TypeError"),
    (lambda f, x, h: f(x)(h), "TypeError"),
    (lambda f, x, h: "0.5", "expected one real number but got str"),
])
def test_differences_that_fail_stop_with_a_sentence(own, words):
    explorer = FiniteDifferenceExplorer(central=own)
    assert words in explorer.message and explorer.picture
    explorer.h.value = 1e-3
    assert words in explorer.message


def test_standard_differences():
    assert forward_difference(np.square, 3.0, 0.5) == 6.5
    assert central_difference(np.square, 3.0, 0.5) == 6


def test_an_error_of_zero_is_no_regime():
    explorer = FiniteDifferenceExplorer("|x|", step=0.5)
    assert explorer.now == {"forward": 0, "central": 0} and "not one digit is wrong" in explorer.alt
