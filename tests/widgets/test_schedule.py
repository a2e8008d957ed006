"""ScheduleExplorer: its schedules against those of the library, its goal, every control, and learners' functions."""

import itertools

import numpy as np
import pytest
from support import assert_refused

from nnlib.schedules import CosineAnnealingLR, InverseTimeLR, LinearWarmup, StepLR
from nnlib.widgets import ScheduleExplorer
from nnlib.widgets.schedule import CURVATURES, EPOCHS, FASTEST, GOAL, RUNS, SLOWEST, ScheduleGoal, noisy_descent

KINDS = "constant", "step", "exponential", "1/t", "cosine"


pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def explorer():
    return ScheduleExplorer()


def last(rates):
    return noisy_descent(rates)[-1].mean()


def test_noisy_descent_against_its_stationary_loss():
    for rate in (0.03, 0.08):  # of each weight: rate / (2 (2 - rate c)) times the variance of the noise
        expected = np.sum(rate / (2 * (2 - rate * CURVATURES)))
        losses = noisy_descent(np.full(EPOCHS, rate))
        assert losses.shape == (EPOCHS, RUNS)
        assert losses[-10:].mean() == pytest.approx(expected, rel=0.15)
    assert np.isfinite(noisy_descent(np.full(EPOCHS, FASTEST))).all()
    assert np.array_equal(noisy_descent(np.full(3, 0.1)), noisy_descent(np.full(3, 0.1)))


def test_no_constant_rate_reaches_the_goal():
    best = min(last(np.full(EPOCHS, rate)) for rate in np.geomspace(SLOWEST, FASTEST, 120))
    assert 2 * GOAL.loss < best < 3 * GOAL.loss


@pytest.mark.parametrize("kind, values", [
    ("step", {"rate": 0.05}), ("exponential", {"rate": 0.06, "lost": 12.0}), ("cosine", {"rate": 0.026}),
    ("1/t", {"rate": 0.12, "decay": 1.0})])
def test_every_schedule_can_reach_the_goal_and_none_does_at_first(kind, values):
    explorer = ScheduleExplorer(kind=kind)
    assert "○ Goal not reached yet" in explorer._goal_text and explorer.mean[-1] > GOAL.loss
    for name, value in values.items():
        getattr(explorer, name).value = value
    assert "✓ Goal reached" in explorer._goal_text and explorer.mean[-1] <= GOAL.loss


def test_rates_are_those_of_the_library(explorer):
    epochs = np.arange(EPOCHS)
    for kind, schedule in (("step", StepLR(None, 5, 0.5)), ("1/t", InverseTimeLR(None, 0.5)),
                           ("cosine", CosineAnnealingLR(None, EPOCHS))):
        explorer.kind.value = kind
        assert explorer.rates == pytest.approx(explorer.rate.value * schedule.factor(epochs))
    explorer.warmup.value = 8
    right = LinearWarmup(None, 8, then=CosineAnnealingLR(None, EPOCHS - 8)).factor(epochs)
    assert explorer.rates == pytest.approx(explorer.rate.value * right)
    assert "after a warm-up of 8 epochs" in explorer.alt
    explorer.warmup.value, explorer.kind.value = 0, "constant"


@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(explorer):
    seen = set()
    for kind, warmup, rate, end in itertools.product(KINDS, (0, 20), (SLOWEST, FASTEST), ("min", "max")):
        with explorer.setting_controls():
            explorer.kind.value, explorer.warmup.value, explorer.rate.value = kind, warmup, rate
            for control in (explorer.drop, explorer.every, explorer.lost, explorer.decay):
                control.value = getattr(control, end)
        explorer.refresh()
        text = explorer.alt + explorer._caption_text + explorer._goal_text
        assert explorer.message == "" and "nan" not in text and "inf " not in text
        assert explorer.rates.shape == (EPOCHS,) and (explorer.rates >= 0).all()
        assert explorer.rates.max() <= rate * (1 + 1e-9) and f"by the schedule {kind}" in explorer.alt
        seen.add((explorer.alt, end))
    assert len(seen) >= 36
    assert any("more than 1,000,000" in alt for alt, _ in seen)
    with explorer.setting_controls():
        explorer.rate.value, explorer.warmup.value, explorer.kind.value = 0.02, 0, "constant"
        explorer.drop.value, explorer.every.value, explorer.lost.value, explorer.decay.value = 0.5, 5, 5.0, 0.5
    explorer.refresh()


def test_only_the_controls_of_the_schedule_are_shown(explorer):
    owners = {explorer.drop: "step", explorer.every: "step", explorer.lost: "exponential", explorer.decay: "1/t"}
    for kind in KINDS:
        explorer.kind.value = kind
        assert all((control.layout.display is None) == (owner == kind) for control, owner in owners.items())
    explorer.kind.value = "constant"


def test_words_tell_what_goes_wrong():
    explorer = ScheduleExplorer(rate=0.25)
    assert explorer.diverged and "diverges" in explorer.off.get_text() and "overshoots" in explorer._caption_text
    explorer.rate.value = 0.05
    assert explorer.off.get_text() == "" and "A constant rate ends where" in explorer._caption_text
    explorer.kind.value, explorer.every.value, explorer.drop.value = "step", 1, 0.05
    assert "stands still" in explorer._caption_text


def test_own_schedule_and_one_of_the_library():
    own = ScheduleExplorer(lambda epoch: 0.5 ** (epoch // 5), rate=0.05)
    assert own.message == "" and own.kind.value == "yours" and "✓ Goal reached" in own._goal_text
    library = ScheduleExplorer(StepLR(None, 5, 0.5), rate=0.05)
    assert np.array_equal(own.losses, library.losses)
    own.warmup.value = 5
    assert own.rates[:6] == pytest.approx(0.05 * np.array([0.2, 0.4, 0.6, 0.8, 1, 1])) and own.message == ""
    own.kind.value = "step"
    assert "by the schedule step" in own.alt
    for value in (np.float32(0.5), np.array([0.5]), 1):
        assert ScheduleExplorer(lambda epoch, value=value: value).message == ""


@pytest.mark.parametrize("schedule, words", [
    (lambda epoch: None, "schedule returned None"), (lambda epoch: 1 / epoch, "ZeroDivisionError"),
    (lambda epoch: "0.1", "expected a number"), (lambda epoch: np.ones(3), "expected a number"),
    (lambda epoch: True, "expected a number"), (lambda epoch: 1j, "expected a number"),
    (lambda epoch: -0.5, "factor of at least 0 but for epoch 0 got -0.5"),
    (lambda epoch: 1 - epoch / 20, "but for epoch 21 got -0.05"), (lambda epoch: np.inf, "finite"),
    (lambda epoch: np.nan, "finite"), (lambda: 1.0, "TypeError"), (lambda epoch, rate: 1.0, "TypeError"),
    (lambda epoch: exit(), "SystemExit")])
def test_wrong_schedules_are_told_inside_the_explorer(schedule, words):
    explorer = ScheduleExplorer(schedule)
    assert words in explorer.message and "Your schedule stopped" in explorer.message and explorer.picture
    explorer.kind.value = "step"
    assert explorer.message == ""


def test_other_goals_or_none():
    assert "✓ Goal reached: bring" in ScheduleExplorer(goal=ScheduleGoal(0.5))._goal_text
    assert "Goal" not in ScheduleExplorer(goal=None)._caption.value


@pytest.mark.parametrize("arguments", [{"kind": "linear"}, {"rate": 1.0}, {"rate": 0}, {"warmup": 30}])
def test_wrong_arguments(arguments):
    assert_refused(ScheduleExplorer, arguments)


def test_a_schedule_that_is_no_function():
    with pytest.raises(TypeError, match="expected a function from an epoch to a factor but got float"):
        ScheduleExplorer(0.5)
