"""MomentumExplorer without a kernel: goal, map, every control at both ends, and learners' mistakes."""

import numpy as np
import pytest

from nnlib.widgets import Goal, MomentumExplorer
from nnlib.widgets.descent import best_momentum, descend, momentum_step, nesterov_step
from nnlib.widgets.momentum import GOAL, RULES, learners_step, measured_factor


@pytest.fixture(scope="module")
def explorer():
    return MomentumExplorer()


def test_momentum_zero_cannot_reach_the_goal_and_the_best_can():
    explorer = MomentumExplorer()
    surface, goal = explorer.surface, GOAL
    for rate in np.linspace(1e-3, 0.1, 2000):
        losses = surface.value(descend(surface.gradient, surface.start, rate, goal.steps))
        assert goal.reached_at(losses) is None
    rate, momentum, _ = best_momentum(25, 1)
    losses = surface.value(descend(surface.gradient, surface.start, rate, goal.steps, momentum))
    assert goal.reached_at(losses) is not None


def test_goal_is_told_in_words():
    explorer = MomentumExplorer()
    assert "not reached" in explorer._goal_text and "missed" in explorer.trace_title.get_text()
    before = explorer.alt
    explorer.momentum.value, explorer.rate.value = 0.44, 0.111
    assert "✓ Goal reached" in explorer._goal_text and "goal at step" in explorer.trace_title.get_text()
    assert explorer.alt != before and "reaches the goal at step" in explorer.alt
    assert len(explorer.hit.get_xdata()) == 1


@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends():
    explorer = MomentumExplorer()
    low, high = 10 ** explorer.rate.min, 10 ** explorer.rate.max
    for momentum in (0.0, 0.99):
        for rate in (low, high, 0.06):
            explorer.momentum.value, explorer.rate.value = momentum, rate
            assert explorer.message == "" and np.isfinite(explorer.losses).all()
            x, y = explorer.here.get_data()
            assert (x[0], y[0]) == pytest.approx((rate, momentum), rel=1e-6)
            assert f"factor {explorer.factor:.3f}" in explorer.map_title.get_text()
            assert ("diverges" in explorer._caption_text.split(";")[0]) == (explorer.factor > 1)


def test_divergence_is_shown_sensibly():
    explorer = MomentumExplorer(rate=0.25)
    assert "off the scale" in explorer.off.get_text() and "leaves" in explorer.note.get_text()
    assert np.abs(explorer.path.get_ydata()).max() < 1e4
    assert "Measured" not in explorer._caption_text, "a path that stopped far away has no factor"


def test_factor_that_is_measured():
    assert measured_factor(0.81 ** np.arange(91)) == pytest.approx(0.9)
    explorer = MomentumExplorer(rate=0.06, momentum=0.3)
    assert measured_factor(explorer.losses) == pytest.approx(explorer.factor, rel=0.02)


@pytest.mark.parametrize("condition", [2, 1e4])
def test_other_conditions(condition):
    explorer = MomentumExplorer(condition=condition, goal=Goal(loss=1e-3, steps=40), momentum=0.5)
    assert explorer.message == "" and f"curvature {condition:g}" in explorer.alt


@pytest.mark.parametrize("condition", [1, 0.5, np.nan, np.inf])
def test_wrong_condition(condition):
    with pytest.raises(ValueError, match="expected a condition above 1"):
        MomentumExplorer(condition=condition)


@pytest.mark.parametrize("step, words", [
    (lambda w, g, v, rate, momentum: 1 / 0, "ZeroDivisionError"),
    (lambda w, g, v, rate, momentum: None, "got None"),
    (lambda w, g, v, rate, momentum: w, "try `return w, velocity`"),
    (lambda w, g, v, rate, momentum: (w, v, g), "got 3 values"),
    (lambda w, g, v, rate, momentum: (w, 0.0), "step, velocity: expected an array of shape (2,)"),
    (lambda w, g, v, rate, momentum: (w[:1], v), "step, w: expected an array of shape (2,)"),
    (lambda w, g, v, rate, momentum: (w * np.nan, v), "finite"),
    (lambda w, g, v, rate, momentum: ("a", "b"), "expected an array"),
    (lambda w, g, v, rate, momentum: (w + 1j, v), "real numbers"),
    (lambda w, g, v, rate, momentum: exit(), "SystemExit"),
    (lambda w, g, v: (w, v), "TypeError"),
])
def test_wrong_steps_are_told_inside_the_explorer(explorer, step, words):
    explorer.learner = learners_step(step)
    explorer.refresh()
    assert words in explorer.message
    explorer.learner = momentum_step
    explorer.refresh()
    assert explorer.message == ""


@pytest.mark.usefixtures("painted")
def test_a_step_that_never_worked_leaves_the_axes_and_its_message():
    explorer = MomentumExplorer(lambda w, gradient, velocity, rate, momentum: w)
    assert explorer.picture and "stopped" in explorer.alt
    assert "try `return w, velocity`" in explorer._repr_mimebundle_()["text/plain"]


def test_own_standard_step_is_recognized_and_another_rule_is_told():
    def standard(w, gradient, velocity, rate, momentum):
        return w - rate * (momentum * velocity + gradient), momentum * velocity + gradient

    same = MomentumExplorer(standard, momentum=0.4)
    assert not same.differs and "another path" not in same._caption_text

    def nesterov(w, gradient, velocity, rate, momentum):
        velocity = momentum * velocity + gradient
        return w - rate * (gradient + momentum * velocity), velocity

    other = MomentumExplorer(nesterov, momentum=0.4)
    assert other.differs and "belong to the standard step" in other._caption_text
    assert "by the standard step" in other.alt
    assert not MomentumExplorer(momentum_step).own


def test_step_in_place():
    def step(w, gradient, velocity, rate, momentum):
        velocity *= momentum
        velocity += gradient
        w -= rate * velocity
        return w, velocity

    assert not MomentumExplorer(step, momentum=0.4).differs


@pytest.fixture(scope="module")
def free():
    return MomentumExplorer(condition=None)


@pytest.mark.usefixtures("painted")
def test_condition_as_a_control_at_both_ends_with_each_rule(free):
    explorer, seen = free, set()
    assert explorer.condition in explorer.controls and explorer.rule in explorer.controls
    for rule in RULES:
        explorer.rule.value = rule
        for condition in (1.0, 25.0, 1000.0):
            explorer.condition.value = condition
            best_rate, best, factor = best_momentum(condition, 1.0, rule == "Nesterov")
            with explorer.setting_controls():
                explorer.rate.value, explorer.momentum.value = best_rate, round(best, 2)
            explorer.refresh()
            assert explorer.message == "" and np.isfinite(explorer.losses).all()
            assert explorer.factor == pytest.approx(factor, abs=0.12) and explorer.factor < 1
            assert explorer.rates[0] < best_rate < explorer.rates[1]
            assert f"Condition {condition:.4g}." in explorer._caption_text
            assert explorer.plane.get_ylim() == explorer.surface.bounds[2:]
            assert ("by the rule Nesterov" in explorer.alt) == (rule == "Nesterov")
            seen.add(explorer.alt)
    assert len(seen) == 6
    explorer.rule.value = "momentum"


def test_goal_counts_from_a_condition_of_25(free):
    explorer = free
    with explorer.setting_controls():
        explorer.rate.value, explorer.momentum.value = 0.111, 0.44
    explorer.condition.value = 25
    assert "✓ Goal reached" in explorer._goal_text
    explorer.condition.value = 20
    assert "○" in explorer._goal_text and "counts at a condition of 25 or more" in explorer._goal_text
    explorer.condition.value = 25
    assert "✓" in explorer._goal_text
    explorer.condition.value = 100
    assert "○" in explorer._goal_text and "diverges" in explorer._caption_text


def test_rates_stay_and_the_map_moves_when_the_condition_changes(free):
    explorer = free
    explorer.condition.value = 25
    rate, star = explorer.rate.value, explorer._ground[-1].get_xdata()[0]
    explorer.condition.value = 400
    assert explorer.rate.value == rate and explorer._ground[-1].get_xdata()[0] < star / 4


def test_choice_of_the_rule_beside_your_own():
    explorer = MomentumExplorer(rule="Nesterov", momentum=0.5)
    assert explorer.learner is nesterov_step and explorer.condition not in explorer.controls
    assert measured_factor(explorer.losses) == pytest.approx(explorer.factor, rel=0.02)
    explorer.rule.value = "momentum"
    assert explorer.learner is momentum_step and measured_factor(explorer.losses) == pytest.approx(
        explorer.factor, rel=0.02)
    own = MomentumExplorer(lambda w, g, v, rate, momentum: (w - rate * g, v), rule="momentum", momentum=0.5)
    assert own.rule.value == "yours" and own.differs
    own.rule.value = "Nesterov"
    assert not own.differs and "Your step" not in own._caption_text


def test_no_new_controls_unless_asked_for(explorer):
    assert explorer.rule not in explorer.controls and explorer.condition not in explorer.controls


def test_wrong_rule():
    with pytest.raises(ValueError, match="there is no rule 'Adam'"):
        MomentumExplorer(rule="Adam")


@pytest.mark.parametrize("condition", [1.5, 25.0, 100.0, 1000.0])
def test_the_map_of_rates_has_two_numbers_at_least(condition):
    explorer = MomentumExplorer(condition=condition)
    low, high = explorer.map.get_xlim()
    assert sum(low <= tick <= high for tick in explorer.map.get_xticks()) >= 2
