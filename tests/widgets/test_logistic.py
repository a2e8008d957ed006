"""LogisticRegressionExplorer: its mathematics, every control at its ends, its goal, a learner's gradient."""

import asyncio

import numpy as np
import pytest

from nnlib import binary_cross_entropy, numerical_gradient, sigmoid
from nnlib.widgets import LogisticRegressionExplorer, logistic
from nnlib.widgets.logistic import (
    LIMIT,
    SETS,
    START,
    VIEW,
    boundary,
    logistic_gradient,
    logistic_loss,
    lowest_loss,
    training_set,
    way_down,
)

PNG = b"\x89PNG"


@pytest.mark.parametrize("name", SETS)
def test_training_sets_fill_the_plane_and_hold_both_classes(name):
    X, t = training_set(name)
    assert X.shape == (len(t), 2) and len(t) >= 80
    assert 1.5 < np.abs(X).max() < VIEW
    assert np.sum(t == 0) == np.sum(t == 1)


def test_loss_is_binary_cross_entropy_for_one_weight_vector_or_a_map_of_them():
    rng = np.random.default_rng(0)
    X, t = training_set("overlapping")
    W = rng.normal(size=(3, 4, 2))
    losses = logistic_loss(X, t, W, 0.3)
    assert losses.shape == (3, 4)
    assert losses[1, 2] == pytest.approx(binary_cross_entropy(sigmoid(X @ W[1, 2] + 0.3), t), rel=1e-12)
    assert np.isfinite(logistic_loss(X, t, np.array([1e6, -1e6]), 1e6))


def test_gradient_agrees_with_finite_differences():
    X, t = training_set("moons")
    w, b = np.array([0.7, -1.1]), 0.4
    dw, db = logistic_gradient(X, t, w, b)
    expected = numerical_gradient(lambda v: logistic_loss(X, t, v[:2], v[2]), np.array([*w, b]))
    np.testing.assert_allclose([*dw, db], expected, atol=1e-8)


@pytest.mark.parametrize("name, expected", (("overlapping", 0.2715), ("moons", 0.2687), ("circles", np.log(2)),
                                            ("xor", np.log(2)), ("separable", 0)))
def test_lowest_loss_is_the_floor_of_the_valley(name, expected):
    X, t = training_set(name)
    assert lowest_loss(X, t) == pytest.approx(expected, abs=1e-3)


def test_boundary_lies_where_the_score_is_zero():
    for w, b in ((np.array([1.0, -2.0]), 0.5), (np.array([2.0, 0.0]), -1.0), (np.array([0.0, 1.0]), 3.0)):
        ends = boundary(w, b)
        np.testing.assert_allclose(ends @ w + b, 0, atol=1e-12)
        assert np.hypot(*(ends[1] - ends[0])) > 2 * VIEW
    assert np.all(np.isnan(boundary(np.zeros(2), 1.0)))


def test_way_down_is_against_the_gradient():
    assert way_down([0.2, -0.3, 0.001]) == "lower w1, raise w2"
    assert way_down([0, 0, 0]) == ""


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("name", SETS)
def test_every_slider_at_its_ends_on_every_data_set(name):
    explorer = LogisticRegressionExplorer(dataset=name)
    for value in (-LIMIT, 0.0, LIMIT):
        for control in explorer.sliders:
            before = explorer.picture
            control.value = value
            assert explorer.picture != before and explorer.picture.startswith(PNG) and not explorer.message
        assert all(f"{key} = {value:.2f}" in explorer.alt for key in ("w1", "w2", "b"))
        assert f"{explorer.loss:.3f}" in explorer.alt and SETS[name] in explorer.alt


def test_no_weights_means_no_boundary_and_a_loss_of_log_2():
    explorer = LogisticRegressionExplorer()
    for control in explorer.sliders:
        control.value = 0
    assert explorer.loss == pytest.approx(np.log(2))
    assert "outside the plane" in explorer.alt


def test_choosing_data_starts_anew():
    explorer = LogisticRegressionExplorer(dataset="xor")
    explorer.w1.value = 0
    before = explorer.alt
    explorer.data.value = "circles"
    assert tuple(explorer.parameters) == START and explorer.alt != before and SETS["circles"] in explorer.alt
    assert explorer.best == explorer.loss


def test_goal_is_reached_by_hand_and_not_by_descent():
    explorer = LogisticRegressionExplorer()
    for _ in range(25):
        explorer.player.tick()
    assert explorer.loss < explorer.goal < explorer.best
    assert "○ Goal not reached yet" in explorer._caption.value
    explorer.player.reset()
    assert tuple(explorer.parameters) == START and explorer.steps == 0
    for control, value in zip(explorer.sliders, (1.5, 1.5, 0.0)):
        control.value = value
    assert explorer.best <= explorer.goal and "✓ Goal reached" in explorer._caption.value
    explorer.w1.value = -6
    assert "✓ Goal reached" in explorer._caption.value, "what was reached stays reached"


@pytest.mark.parametrize("name", SETS)
def test_a_goal_that_no_line_reaches_is_called_so(name):
    explorer = LogisticRegressionExplorer(dataset=name)
    assert ("No line gets there" in explorer._caption.value) == (name in ("circles", "xor"))


def test_playing_ends_when_a_hand_takes_over_or_other_data_are_chosen():
    async def play_then(act):
        explorer = LogisticRegressionExplorer()
        explorer.player.play()
        await asyncio.sleep(0)
        assert explorer.player.playing
        act(explorer)
        return explorer.player.playing

    assert not asyncio.run(play_then(lambda explorer: setattr(explorer.w1, "value", 3.0)))
    assert not asyncio.run(play_then(lambda explorer: setattr(explorer.data, "value", "xor")))
    assert asyncio.run(play_then(lambda explorer: explorer.player.tick()))


def test_a_goal_is_optional_and_bad_names_are_explained():
    assert "Goal" not in LogisticRegressionExplorer(goal=None)._caption.value
    with pytest.raises(ValueError, match="expected dataset to be one of overlapping, .* but got 'spirals'"):
        LogisticRegressionExplorer(dataset="spirals")


@pytest.mark.parametrize("name, rate", (("overlapping", 0.1), ("separable", 10.0), ("moons", 10.0),
                                        ("circles", 1.0), ("xor", 10.0)))
def test_descent_ends_and_never_leaves_the_map(name, rate):
    explorer = LogisticRegressionExplorer(dataset=name)
    explorer.rate.value = rate
    start = explorer.loss
    for _ in range(12):
        if not explorer.player.tick():
            break
    assert np.all(np.abs(explorer.parameters) <= LIMIT) and np.isfinite(explorer.loss)
    assert rate == 10 or explorer.loss < start


def test_one_step_is_the_rate_times_the_gradient():
    explorer = LogisticRegressionExplorer()
    X, t = training_set("overlapping")
    dw, db = logistic_gradient(X, t, np.array(START[:2]), START[2])
    explorer.rate.value = 0.5
    explorer.player.step_button.click()
    np.testing.assert_allclose(explorer.parameters, np.array(START) - 0.5 * np.array([*dw, db]))
    assert explorer.steps == 1 and "after 1 step." in explorer._caption.value
    explorer.b.value = 0
    assert explorer.steps == 0


def test_a_value_that_the_browser_rounds_and_sends_back_is_no_move_by_hand():
    explorer = LogisticRegressionExplorer()
    explorer.player.tick()
    exact, best = explorer.parameters, explorer.best
    for control in explorer.sliders:
        control.value += 1e-12
    assert np.array_equal(explorer.parameters, exact) and explorer.steps == 1 and explorer.best == best


def test_a_late_echo_of_the_browser_does_not_undo_a_reset(monkeypatch):
    explorer = LogisticRegressionExplorer()
    explorer.player.tick()
    late = explorer.w1.value + 1e-12
    explorer.player.reset()
    explorer.w1.value = late
    assert tuple(explorer.parameters) == START and explorer.w1.value == START[0]
    monkeypatch.setattr(logistic, "ECHO", -1)
    explorer.w1.value = late
    assert explorer.parameters[0] == round(late, 2), "later on it is a hand that sets the same value"


def test_a_step_off_the_map_is_not_made():
    explorer = LogisticRegressionExplorer(lambda X, t, w, b: (np.array([50.0, 0.0]), 0.0))
    before = explorer.parameters
    assert not explorer.player.tick()
    assert np.array_equal(explorer.parameters, before) and "leave the map" in explorer._caption.value


@pytest.mark.parametrize("wrong, message", (
    (lambda X, t, w, b: (X.T @ (X @ w + b - t))[:1], "expected (dw, db) of shapes (2,) and () but got a ndarray"),
    (lambda X, t, w, b: (np.zeros(3), 0.0), "but got [(3,), ()]"),
    (lambda X, t, w, b: None, "but got a NoneType"),
    (lambda X, t, w, b: (np.full(2, np.nan), 0.0), "expected finite numbers"),
    (lambda X, t, w, b: 1 / 0, "gradient raised ZeroDivisionError"),
))
def test_a_wrong_gradient_is_explained_and_nothing_moves(wrong, message):
    explorer = LogisticRegressionExplorer(gradient=wrong)
    assert message in explorer.message
    assert not explorer.player.tick()
    explorer.w1.value = 3
    assert message in explorer.message and explorer.steps == 0


def test_the_learners_gradient_makes_the_steps():
    calls = []

    def gradient(X, t, w, b):
        calls.append(w)
        return [[0.5], [-0.5]], np.array(0.25)

    explorer = LogisticRegressionExplorer(gradient=gradient)
    explorer.player.tick()
    np.testing.assert_allclose(explorer.parameters, np.array(START) - [0.5, -0.5, 0.25])
    assert calls and "dw1 = +0.500" in explorer._caption.value


def test_stored_output_reads_without_a_kernel():
    bundle = LogisticRegressionExplorer()._repr_mimebundle_()
    assert bundle["text/html"].startswith("<img alt=") and "learning rate" in bundle["text/plain"]
