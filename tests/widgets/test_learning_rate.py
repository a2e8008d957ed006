"""LearningRateExplorer without a kernel: every control at both ends, learners' mistakes, and what is said."""

import numpy as np
import pytest

from nnlib.widgets import Goal, LearningRateExplorer
from nnlib.widgets.base import learners
from nnlib.widgets.descent import SURFACES, gradient_step, quadratic
from nnlib.widgets.learning_rate import standing


@pytest.fixture(scope="module")
def explorer():
    return LearningRateExplorer()


def moved(explorer, control, value):
    """Set a control, and check that picture and text follow without a complaint."""
    before = explorer.picture
    control.value = value
    assert explorer.message == "" and explorer.picture[:4] == b"\x89PNG" and len(explorer.alt) > 60
    assert np.isfinite(explorer.points).all()
    return explorer.picture != before


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("name", SURFACES)
def test_every_control_at_both_ends(explorer, name):
    explorer.surface_choice.value = name
    assert explorer.surface.name == name and name in explorer.alt
    explorer.log_scale.value = not explorer.log_scale.value  # so that both axes meet curves and surfaces
    for rate in (1e-3, 10):
        moved(explorer, explorer.rate, rate)
    for steps in (1, 200, 40):
        moved(explorer, explorer.steps, steps)
        assert len(explorer.points) == steps + 1
    for control in (explorer.start, explorer.start2)[:explorer.surface.dim]:
        for value in (control.min, control.max):
            moved(explorer, control, value)


@pytest.mark.usefixtures("painted")
def test_verdicts_and_two_over_l_follow_the_rate():
    explorer = LearningRateExplorer("narrow valley", steps=60)
    for rate, verdict in ((1e-3, "too slow"), (0.07, "converged"), (0.083, "diverges")):
        assert moved(explorer, explorer.rate, rate)
        assert verdict in explorer.alt and verdict in explorer.verdict.get_text()
        assert f"2/L = 0.08: the rate is {rate * 12.5:.2g} times that" in explorer._caption_text
    assert "leaves the picture at step" in explorer.alt and "leaves" in explorer.note.get_text()
    explorer.rate.value = 0.0795
    assert "back and forth" in explorer._caption_text and not explorer.note.get_text()


def test_a_new_surface_sends_range_and_start_to_the_page_in_one_message(monkeypatch):
    explorer, sent = LearningRateExplorer("double well"), []
    monkeypatch.setattr(type(explorer.start), "send_state", lambda control, key=None: sent.append((control, set(key))))
    explorer.surface_choice.value = "plateau"
    assert (explorer.start.min, explorer.start.value, explorer.start.max) == (-3, 2.5, 3)
    assert [keys for control, keys in sent if control is explorer.start] == [{"min", "value", "max"}]


def test_one_step_has_neither_converged_nor_a_plural():
    explorer = LearningRateExplorer(rate=0.1, steps=1)
    assert explorer.verdict_text == "too slow: still falling" and "after 1 step." in explorer._caption_text


def test_off_the_scale_is_said():
    explorer = LearningRateExplorer(rate=1.5)
    assert "off the scale" in explorer.off.get_text()
    assert np.abs(explorer.line.get_ydata()).max() < 1e6, "only what is near the picture is drawn"
    explorer.rate.value = 0.1
    assert explorer.off.get_text() == ""


def test_local_minimum_and_saddle_are_named():
    explorer = LearningRateExplorer("double well", rate=0.05)
    assert "a local minimum that is not the lowest" in explorer.alt
    explorer.start.value = -1.5
    assert "stands at the minimum" in explorer.alt
    explorer.surface_choice.value = "saddle"
    explorer.start2.value = 0.0
    explorer.rate.value = 0.3
    assert "a saddle point" in explorer.alt
    assert standing(quadratic([1, 1], (1, 1), (-1, 1, -1, 1)), np.ones(2)) == (None, pytest.approx(1))


def test_goal_reached_and_not():
    explorer = LearningRateExplorer(goal=Goal(loss=1e-6, steps=20), rate=0.01)
    assert "not reached" in explorer._goal_text and "Lowest loss so far" in explorer._goal_text
    explorer.rate.value = 0.4
    assert "✓ Goal reached" in explorer._goal_text


def test_start_and_own_surface():
    explorer = LearningRateExplorer(lambda w: w ** 4 - 3 * w ** 2 + w, start=2.0, rate=0.02)
    assert explorer.start.value == 2.0 and explorer.surface_choice.value == "your function"
    explorer.surface_choice.value = "bowl"
    explorer.surface_choice.value = "your function"
    assert "your function" in explorer.alt
    plane = LearningRateExplorer(lambda a, b: np.cos(a) + b * b, bounds=(-4, 4, -1, 1), start=(0.5, 0.5))
    assert plane.start2.value == 0.5 and plane.start2.layout.display is None


@pytest.mark.parametrize("arguments", [{"surface": "hill"}, {"surface": 3}, {"surface": lambda: 1},
                                       {"surface": "saddle", "start": 1.0}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="expected|there is no surface"):
        LearningRateExplorer(**arguments)


@pytest.mark.parametrize("step, words", [
    (lambda w, gradient, rate: 1 / 0, "ZeroDivisionError"),
    (lambda w, gradient, rate: None, "return at its end"),
    (lambda w, gradient, rate: np.ones(3), r"expected an array of shape (1,) but got shape (3,)"),
    (lambda w, gradient, rate: float(w[0]), "shape (1,) but got shape ()"),
    (lambda w, gradient, rate: w * np.nan, "finite"), (lambda w, gradient, rate: "left", "got str"),
    (lambda w, gradient: w, "TypeError"),
])
def test_wrong_steps_are_told_inside_the_explorer(explorer, step, words):
    explorer.surface_choice.value, explorer.learner = "bowl", learners(step, "step")
    explorer.refresh()
    assert words in explorer.message
    explorer.learner = gradient_step
    explorer.refresh()
    assert explorer.message == ""


@pytest.mark.usefixtures("painted")
def test_a_step_that_never_worked_leaves_the_axes_and_its_message():
    explorer = LearningRateExplorer(step=lambda w, gradient, rate: None)
    assert explorer.picture and "stopped" in explorer.alt
    assert "return at its end" in explorer._repr_mimebundle_()["text/plain"]


def test_own_step_runs():
    seen = []

    def step(w, gradient, rate):
        seen.append(rate)
        return w - rate * np.sign(gradient)

    explorer = LearningRateExplorer(step=step, rate=0.5)
    assert set(seen) == {0.5} and explorer.points[:4, 0] == pytest.approx([-2.5, -2, -1.5, -1])


def test_a_surface_that_fails_far_away_is_told():
    def walled(w):
        if abs(w) > 3:
            raise RuntimeError("outside the world")
        return w * w

    explorer = LearningRateExplorer(walled)
    explorer.rate.value = 5
    assert "surface raised RuntimeError: outside the world" in explorer.message
    explorer.rate.value = 0.1
    assert explorer.message == ""
