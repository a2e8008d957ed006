"""SoftmaxExplorer: its mathematics, every control at its ends, its goal, and learners' own softmax."""

import itertools
import math
import warnings

import numpy as np
import pytest

from nnlib import cross_entropy, numerical_gradient, softmax
from nnlib.widgets import SoftmaxExplorer
from nnlib.widgets.softmax import (
    COLDEST,
    GOAL,
    HOTTEST,
    SoftmaxGoal,
    learners_softmax,
    loss_curve,
    loss_of,
    score_gradient,
    softmax_fault,
)

DECK = (0.6, -1.0, 5.0, 8.0, 4.0)


def naive(z):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.exp(z) / np.exp(z).sum()


def test_loss_is_cross_entropy_for_scores_of_any_size():
    z = np.array(DECK)
    for target in range(5):
        assert loss_of(z, target) == pytest.approx(cross_entropy(z[None], np.array([target])), rel=1e-12)
    assert loss_of([1000.0, -1000.0], 1) == 2000
    assert loss_of([6.0, -6.0], 1, temperature=0.01) == pytest.approx(1200)
    assert np.signbit(loss_of([1000.0, -1000.0], 0)) == 0, "0, and not -0, is what a reader should see"
    np.testing.assert_allclose(loss_of(np.array([z, z + 3]), 2), loss_of(z, 2))


def test_gradient_agrees_with_finite_differences_and_sums_to_zero():
    z, T = np.array(DECK), 1.7
    gradient = score_gradient(softmax(z / T), 3) / T
    np.testing.assert_allclose(gradient, numerical_gradient(lambda v: loss_of(v, 3, T), z), atol=1e-8)
    assert gradient.sum() == pytest.approx(0)


def test_curve_passes_through_the_loss_with_the_gradient_as_its_slope():
    z, h = np.array([2.0, 1.0, -1.0]), 1e-5
    left, here, right = loss_curve(z, 1, 0.5, z[1] + np.array([-h, 0, h]))
    assert here == pytest.approx(loss_of(z, 1, 0.5))
    assert (right - left) / (2 * h) == pytest.approx(score_gradient(softmax(z / 0.5), 1)[1] / 0.5, rel=1e-6)


def test_numbers_shown_are_those_of_the_lecture():
    explorer = SoftmaxExplorer(DECK, target=3)
    np.testing.assert_allclose(explorer.p, (0.000572, 0.000115, 0.046581, 0.935596, 0.017136), atol=5e-7)
    assert "0.000572, 0.000115, 0.0466, 0.936, 0.0171" in explorer.alt
    assert [text.get_text() for text in explorer.numbers[1]][0] == "0.000572"


@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends_and_all_corners():
    explorer, seen = SoftmaxExplorer(), set()
    ends = [(c.min, c.max) for c in (*explorer.scores, explorer.shift)]
    for values in itertools.product(*ends, (COLDEST, 1.0, HOTTEST), (0, 2)):
        *positions, T, target = values
        with explorer.setting_controls():
            for control, value in zip((*explorer.scores, explorer.shift), positions):
                control.value = value
            explorer.temperature.value, explorer.target.value = T, target
        explorer.refresh()
        assert explorer.message == "" and np.isfinite(explorer.p).all() and np.isfinite(explorer.loss)
        assert explorer.p.sum() == pytest.approx(1) and explorer.loss >= 0
        assert f"class {target} marked" in explorer.alt and "nan" not in explorer.alt + explorer._caption_text
        assert ("off the scale" in explorer.off.get_text()) == (explorer.loss > 8)
        seen.add(explorer.alt)
    assert len(seen) == 96, "each state has its own text"


@pytest.mark.usefixtures("painted")
def test_a_common_shift_moves_scores_only():
    explorer = SoftmaxExplorer()
    before, picture, alt = explorer.p, explorer.picture, explorer.alt
    explorer.shift.value = explorer.shift.max
    np.testing.assert_allclose(explorer.p, before)
    assert explorer.picture != picture and explorer.alt != alt and "no probability" in explorer._caption_text
    assert explorer.shown_scores[0] == 2 + explorer.shift.max


def test_temperature_sharpens_and_flattens():
    explorer = SoftmaxExplorer(DECK, target=3)
    explorer.temperature.value = HOTTEST
    assert np.ptp(explorer.p) < 0.02 and "p − t) / 100" in explorer._caption_text
    explorer.temperature.value = COLDEST
    assert explorer.p[3] == 1 and explorer.loss == 0
    explorer.target.value = 4
    assert explorer.loss == pytest.approx(400) and "rounds to" not in explorer._caption_text
    explorer.target.value = 1
    assert explorer.loss == pytest.approx(900) and "rounds to 0, so the loss was" in explorer._caption_text


def test_goal_needs_the_temperature():
    explorer = SoftmaxExplorer()
    assert "○ Goal not reached yet" in explorer._caption.value and "3.0 apart" in explorer._caption.value
    for score, value in zip(explorer.scores, (1.0, -1.0, -1.0)):
        score.value = value
    assert explorer.loss == pytest.approx(0.2395, abs=1e-4)
    assert "○ Goal not reached yet" in explorer._caption.value
    explorer.temperature.value = 0.66
    assert "✓ Goal reached" in explorer._caption.value
    explorer.scores[0].value = 1.1
    assert "○" in explorer._caption.value, "the scores are too far apart"
    for score, value in zip(explorer.scores, (5.0, 3.0, 3.0)):
        score.value = value
    assert "✓" in explorer._caption.value, "where the scores lie does not matter, only how far they are apart"


def test_no_scores_reach_the_goal_at_temperature_one():
    best = min(loss_of(np.array([a, b, c]), 0) for a, b, c in itertools.product(np.linspace(-1, 1, 21), repeat=3))
    assert best > 2 * GOAL.loss
    edge = 2 / np.log(2 / np.expm1(0.1))
    assert loss_of([1.0, -1.0, -1.0], 0, edge) == pytest.approx(GOAL.loss)


def test_other_goals_or_none():
    assert "Goal" not in SoftmaxExplorer(goal=None)._caption.value
    assert "0.5 or less while no two scores are more than 4 apart" in SoftmaxExplorer(
        goal=SoftmaxGoal(0.5, 4.0))._caption.value


@pytest.mark.parametrize("arguments", [{"scores": (1.0,)}, {"scores": range(7)}, {"scores": (1.0, np.nan)},
                                       {"scores": ((1.0, 2.0), (3.0, 4.0))}, {"target": 3}, {"target": -1},
                                       {"target": "cat"}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="SoftmaxExplorer: expected"):
        SoftmaxExplorer(**arguments)


@pytest.mark.parametrize("n", [2, 6])
def test_fewest_and_most_classes(n):
    explorer = SoftmaxExplorer(np.linspace(-12, 12, n), target=n - 1)
    assert len(explorer.scores) == n and explorer.scores[0].min == -12 and explorer.message == ""


@pytest.mark.parametrize("own", [
    lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(),
    lambda z: [np.exp(v - max(z)) / sum(np.exp(u - max(z)) for u in z) for v in z],
    lambda z: softmax(z).astype(np.float32),
    lambda z: 1 / np.exp(np.minimum(z[None] - z[:, None], 700)).sum(axis=1),
])
def test_right_functions_in_other_styles_have_no_fault(own):
    explorer = SoftmaxExplorer(softmax=own)
    assert explorer.fault == "" and explorer.message == "" and not any(len(o.get_xdata()) for o in explorer.outlines)
    explorer.temperature.value = COLDEST
    assert explorer.fault == "" and explorer.loss == pytest.approx(0)


def test_a_right_function_that_changes_its_argument_spoils_nothing():
    def own(z):
        z -= z.max()
        np.exp(z, out=z)
        return z / z.sum()

    explorer = SoftmaxExplorer(softmax=own)
    assert explorer.fault == "" and explorer.shown_scores[0] == 2


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("own, words", [
    (naive, "is right for small scores, but for the scores (999, 1000.25, 1001.5) it gives nan: e^z is infinite"),
    (lambda z: naive(z - z.mean()), "right for small scores, but for the scores (1000, 0, -1000) it gives nan"),
    (lambda z: naive(np.minimum(z, 700)), "right for small scores, but class"),
    (lambda z: naive(z - 710), "0 / 0"),
    (lambda z: np.exp(z), "sum to 10.5, not to 1: divide by the sum"),
    (lambda z: 1 / (1 + np.exp(-z)), "depends on its own score only, like a sigmoid"),
    (lambda z: z / z.sum(), "no probability is negative"),
    (lambda z: np.abs(z) / np.abs(z).sum(), "Adding 1 to every score moves its answers"),
    (lambda z: naive(-z), "it is e^z, not e^-z"),
    (lambda z: 2 ** z / np.sum(2.0 ** z), "class 0 gets"),
    (lambda z: np.log(naive(z)), "leave the log out"),
    (lambda z: np.exp(z) / np.exp(z).max(), "sum to 1.42, not to 1"),
    (lambda z: (z == z.max()) * 1.0, "class 0 gets 1.000"),
    (lambda z: z * np.nan, "it gives nan: is there a division by 0"),
    (lambda z: z / 0.0, "it gives infinity"),
])
def test_wrong_functions_are_told_and_drawn(own, words):
    with np.errstate(all="ignore"):
        explorer = SoftmaxExplorer(softmax=own)
        assert words in explorer._caption_text and words in explorer.alt and explorer.message == ""
        explorer.temperature.value = COLDEST
        explorer.shift.value = explorer.shift.min
    assert explorer.fault and explorer.picture and "✓" not in explorer._goal_text


def test_overflow_that_raises_is_told_and_what_works_is_drawn():
    def own(z):
        powers = [math.exp(v) for v in z]
        return [power / sum(powers) for power in powers]

    explorer = SoftmaxExplorer(softmax=own)
    assert "scores of 1000 or -1000 stop it: softmax raised OverflowError" in explorer._caption_text
    assert explorer.message == "" and explorer.p[0] == pytest.approx(0.705, abs=1e-3)
    explorer.temperature.value, explorer.shift.value = COLDEST, 5.0
    explorer.scores[0].value = 5.0
    assert "OverflowError" in explorer.message


def test_marks_show_the_right_probabilities_beside_wrong_ones():
    explorer = SoftmaxExplorer(softmax=lambda z: np.abs(z) / np.abs(z).sum())
    assert [line.get_xdata()[0] for line in explorer.outlines] == pytest.approx(softmax(np.array([2.0, 1.0, -1.0])))
    assert "Black marks" in explorer._caption_text and "The shift" not in explorer._caption_text
    explorer.shift.value = 1
    assert "moves every score and your probabilities too" in explorer._caption_text
    unmarked = SoftmaxExplorer(softmax=naive)
    assert unmarked.fault and "Black marks" not in unmarked._caption_text


def test_overflow_in_the_state_shown():
    explorer = SoftmaxExplorer(softmax=naive)
    explorer.temperature.value, explorer.shift.value = COLDEST, 5.0
    explorer.scores[0].value = 5.0
    assert "nan" in explorer.numbers[1][0].get_text() and "nan" in explorer.loss_title.get_text()
    assert "it gives nan" in explorer.fault and explorer.message == ""


@pytest.mark.parametrize("own, words", [
    (lambda z: None, "returned None"),
    (lambda z: np.exp(z).sum(), "but got shape (); is the sum"),
    (lambda z: np.exp(z)[:, None], "but got shape (3, 1)"),
    (lambda z: np.exp(z)[:2], "but got shape (2,)"),
    (lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), "softmax raised AxisError"),
    (lambda z: "p", "expected an array of real numbers"),
    (lambda z: z + 1j, "expected an array of real numbers"),
    (lambda z: 1 / 0, "softmax raised ZeroDivisionError"),
    (lambda z, axis: z, "TypeError"),
    (lambda z: exit(), "SystemExit"),
])
def test_functions_that_cannot_be_drawn_stop_with_a_sentence(own, words):
    explorer = SoftmaxExplorer(softmax=own)
    assert words in explorer.message and explorer.picture
    explorer.softmax = learners_softmax(softmax)
    explorer.refresh()
    assert explorer.message == ""


def test_fault_is_empty_for_the_course_s_own():
    assert softmax_fault(softmax, np.array(DECK)) == ""
