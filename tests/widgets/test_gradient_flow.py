"""GradientFlowExplorer: its network against mathematics, every control at its ends, its goal."""

import itertools

import numpy as np
import pytest
from support import assert_refused

from nnlib import cross_entropy, numerical_gradient, ops
from nnlib.widgets import GradientFlowExplorer
from nnlib.widgets.gradient_flow import (
    ACTIVATIONS,
    BATCH,
    CLASSES,
    DEEPEST,
    GOAL,
    INITIALIZATIONS,
    LABELS,
    MORE_ACTIVATIONS,
    STRONGEST,
    TINY,
    WEAKEST,
    WIDTHS,
    FlowGoal,
    decades,
    densities,
    draw_network,
    first_to_last,
    flow,
    norms,
)


def run(name, depth=6, scale=1.0, width=8, seed=0):
    weights, head, X, t = draw_network(width, seed)
    return flow(scale * weights[:depth], head, X, t, ACTIVATIONS[name].function)


def test_draws_are_kept_and_have_the_size_they_should():
    weights, head, X, t = draw_network(32)
    assert draw_network(32)[0] is weights
    assert weights.shape == (DEEPEST, 32, 32) and head.shape == (CLASSES, 32) and X.shape == (BATCH, 32)
    assert weights.std() * np.sqrt(32) == pytest.approx(1, abs=0.02) and X.std() == pytest.approx(1, abs=0.05)
    assert set(t) == set(range(CLASSES))
    assert not np.array_equal(draw_network(32, 1)[0], weights)


def test_gradients_agree_with_finite_differences():
    weights, head, X, t = draw_network(8)
    weights = 1.5 * weights[:3]

    def loss(W):
        a = X
        for layer in W:
            a = np.tanh(a @ layer.T)
        return float(cross_entropy(a @ head.T, t))

    result = flow(weights, head, X, t, ops.tanh)
    assert result.loss == pytest.approx(loss(weights))
    gradient = numerical_gradient(loss, weights)
    np.testing.assert_allclose(result.gradients["weights"], np.linalg.norm(gradient, axis=(1, 2)), rtol=1e-6)
    assert result.activations.shape == (3, BATCH, 8)
    np.testing.assert_allclose(result.spread, result.activations.std(axis=(1, 2)))
    slopes = 1 - result.activations ** 2
    np.testing.assert_allclose(result.slope, np.sqrt((slopes ** 2).mean(axis=(1, 2))))


def test_gradient_of_scores_by_the_deltas_of_backpropagation():
    weights, head, X, t = draw_network(8)
    weights = weights[:4]
    result = flow(weights, head, X, t, ops.sigmoid)
    a = result.activations
    scores = a[-1] @ head.T
    delta = (ops.softmax(scores) - np.eye(CLASSES)[t]) / BATCH @ head * a[-1] * (1 - a[-1])
    expected = [np.linalg.norm(delta)]
    for k in range(3, 0, -1):
        delta = delta @ weights[k] * a[k - 1] * (1 - a[k - 1])
        expected.append(np.linalg.norm(delta))
    np.testing.assert_allclose(result.gradients["scores"], expected[::-1])


def test_scale_times_slope_is_the_factor_of_a_layer():
    for name, scale in (("sigmoid", 1.0), ("tanh", 0.7), ("relu", 1.4), ("identity", 0.5)):
        result = run(name, depth=20, scale=scale, width=64)
        _, factor = first_to_last(result.gradients["scores"])
        by_law = scale * np.exp(np.log(result.slope[:-1]).mean())
        assert factor == pytest.approx(by_law, rel=0.06)


def test_ratio_and_factor():
    assert first_to_last(np.array([1.0, 2.0, 4.0])) == (0.25, 0.5)
    assert np.isnan(first_to_last(np.zeros(3))).all()
    assert first_to_last(np.array([0.0, 1.0])) == (0, 0)


def test_norms_of_very_large_and_very_small_arrays():
    np.testing.assert_allclose(norms([np.array([3e200, 4e200]), np.array([3e-200, 4e-200]), np.zeros(2)]),
                               [5e200, 5e-200, 0])


def test_densities_count_every_activation_of_a_layer():
    picture = densities(np.array([[0.0, 0.0, 0.99, 1.0], [0.5, 0.5, 0.2, -1.0], [2.0, 2.0, 3.0, 4.0]]), (0.0, 1.0))
    assert picture.shape[1] == 3 and picture.max(axis=0).tolist() == [1, 1, 0]
    assert picture[0, 0] == picture[-1, 0] == 1, "both ends of the range are in it"
    assert picture[:, 1].sum() == pytest.approx(1 + np.sqrt(1 / 2)), "what is out of the range is left out"


@pytest.mark.parametrize("values", [[1e-3, 1.0], [1e30, 1e-48], [0.0, 0.0], [5.0], [1e200, 1e-300]])
def test_decades_hold_the_values(values):
    low, high = decades(np.array(values))
    assert low < high
    assert low <= max(min(values), TINY) or low == 1e-128
    assert high >= max(values) or high == 1e128


@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends():
    explorer, seen = GradientFlowExplorer(), set()
    for name, depth, scale, width, of in itertools.product(
            ACTIVATIONS, (2, DEEPEST), (WEAKEST, 1.0, STRONGEST), (WIDTHS[0], WIDTHS[-1]),
            ("scores", "weights")):
        with explorer.setting_controls():
            explorer.activation.value, explorer.depth.value, explorer.scale.value = name, depth, scale
            explorer.width.value, explorer.of.value = width, of
        explorer.refresh()
        text = explorer.alt + explorer._caption_text + explorer._goal_text
        assert explorer.message == "" and "nan" not in text and "inf" not in text
        assert f"{depth} {LABELS.get(name, name)} layers of {width} units" in explorer.alt
        assert f"gradient of the {of}" in explorer.alt
        assert np.isfinite(explorer.norm).all() and len(explorer.norms.get_xdata()) == depth
        for ax, line in ((explorer.ahead, explorer.spread), (explorer.back, explorer.norms)):
            low, high = ax.get_ylim()
            assert (line.get_ydata() >= low).all() and (line.get_ydata() <= high).all()
            assert ax.get_xlim()[1] > depth
        seen.add(explorer.alt)
    assert len(seen) == 96


def test_seed_draws_another_network():
    explorer = GradientFlowExplorer()
    seen = set()
    for seed in (explorer.seed.min, 7, explorer.seed.max):
        explorer.seed.value = seed
        seen.add(explorer.ratio)
    assert len(seen) == 3 and max(seen) < 1e-4


def test_sigmoid_vanishes_by_less_than_a_quarter_per_layer():
    explorer = GradientFlowExplorer()
    assert explorer.factor == pytest.approx(0.233, abs=2e-3) and explorer.ratio < 1e-5
    assert "shrinks by a factor 0.233 per layer: it vanishes" in explorer._caption_text
    assert "× 0.233 per layer" in explorer.back_title.get_text()
    explorer.scale.value = 10
    assert explorer.factor > 0.25, "large weights make up for the slope of at most a quarter"
    explorer.activation.value = "identity"
    assert "grows by a factor" in explorer._caption_text and explorer.verdict() == "explodes"


def test_goal_needs_a_weight_scale_above_one():
    explorer = GradientFlowExplorer(depth=20, activation="tanh")
    assert "○ Goal not reached yet" in explorer._caption.value and explorer.ratio < 0.2
    explorer.of.value = "weights"
    assert 0.5 < explorer.ratio < 2 and "○" in explorer._caption.value, "the goal is on the scores"
    explorer.scale.value = 1.2
    assert "✓ Goal reached" in explorer._caption.value
    for control, value in ((explorer.depth, 19), (explorer.activation, "identity"), (explorer.scale, 3.0)):
        before = control.value
        control.value = value
        assert "○" in explorer._caption.value
        control.value = before
    assert "✓" in explorer._caption.value


@pytest.mark.parametrize("seed", range(0, 21, 5))
@pytest.mark.parametrize("width", WIDTHS[1:])
def test_goal_is_reachable_for_every_draw_and_width(seed, width):
    ratios = [first_to_last(run("tanh", 20, scale, width, seed).gradients["scores"])[0]
              for scale in np.geomspace(1.0, 1.7, 24)]
    assert any(GOAL.reached("tanh", 20, ratio) for ratio in ratios)
    assert not GOAL.reached("tanh", 20, ratios[0])


def test_other_goals_or_none():
    explorer = GradientFlowExplorer(goal=FlowGoal("identity", 10, 0.8, 1.25), activation="identity")
    assert "✓ Goal reached: with 10 identity layers" in explorer._caption.value
    assert explorer.band.get_height() == pytest.approx(0.45 * explorer.norm[-1])
    assert "Goal" not in GradientFlowExplorer(goal=None)._caption.value


@pytest.mark.usefixtures("painted")
def test_a_signal_that_is_lost_is_told():
    explorer = GradientFlowExplorer(depth=2, width=2, activation="relu", scale=1.0)
    assert "2 ReLU layers" in explorer.alt and "slope of the ReLU" in explorer._caption_text
    for seed in range(21):
        explorer.seed.value = seed
        assert explorer.message == "" and explorer.picture
    assert explorer.verdict() in ("is lost", "vanishes", "explodes", "keeps its size")
    explorer.ratio = np.nan
    assert explorer.verdict() == "is lost"


@pytest.mark.usefixtures("painted")
def test_axes_stay_while_the_scale_moves_little():
    explorer = GradientFlowExplorer(depth=20, activation="tanh")
    background = explorer._background
    explorer.scale.value = 1.01
    assert explorer._background is background
    explorer.scale.value = 10
    assert explorer._background is not background


@pytest.mark.parametrize("arguments", [{"depth": 1}, {"depth": 31}, {"width": 1}, {"width": 500}, {"scale": 0.0},
                                       {"scale": 20.0}, {"activation": "cosine"}])
def test_wrong_arguments(arguments):
    assert_refused(GradientFlowExplorer, arguments)


def test_another_width():
    explorer = GradientFlowExplorer(width=20)
    assert explorer.width.value == 20 and "20 units" in explorer.alt


@pytest.fixture(scope="module")
def full():
    return GradientFlowExplorer(depth=20, activation="relu", initialization="xavier", goal=FlowGoal("relu"))


def test_the_first_form_has_no_new_controls():
    explorer = GradientFlowExplorer()
    assert explorer.initialization not in explorer.controls and explorer.bias not in explorer.controls
    assert list(explorer.activation.options.values()) == list(ACTIVATIONS) and "1/√width" in explorer.scale.description


@pytest.mark.usefixtures("painted")
def test_full_form_at_the_ends_of_its_controls(full):
    seen = set()
    for name, start, bias in [
            *itertools.product(ACTIVATIONS | MORE_ACTIVATIONS, ("equal", "he"), (0.0,)),
            *itertools.product(ACTIVATIONS | MORE_ACTIVATIONS, ("xavier", "small"), (0.1,))]:
        with full.setting_controls():
            full.activation.value, full.initialization.value, full.bias.value = name, start, bias
            full.depth.value = 20 if bias else DEEPEST
        full.refresh()
        text = full.alt + full._caption_text + full._goal_text
        assert full.message == "" and "nan" not in text and "inf " not in text
        assert f"({start} initialization, biases {bias:g})" in full.alt and LABELS.get(name, name) in full.alt
        assert f"{full.dead} of" in full.alt
        seen.add(full.alt)
    assert len(seen) == 36
    with full.setting_controls():
        full.activation.value, full.initialization.value, full.bias.value = "relu", "xavier", 0.0
        full.depth.value = 20
    full.refresh()


def test_he_reaches_the_goal_with_relu_and_equal_weights_never_count(full):
    seen = {}
    for start in INITIALIZATIONS:
        full.initialization.value = start
        seen[start] = "✓ Goal reached" in full._goal_text
    assert seen == {"equal": False, "small": False, "xavier": False, "he": True}
    full.initialization.value = "equal"
    assert "all alike do not count" in full._goal_text and "one unit would do" in full._caption_text
    assert np.ptp(full.flow.activations, axis=2).max() < 1e-12, "all units of a layer compute the same"
    full.initialization.value = "xavier"


def test_sizes_of_the_initializations():
    W = draw_network(32)[0]
    spreads = {name: make(W).std() for name, make in INITIALIZATIONS.items()}
    assert spreads == pytest.approx({"equal": 0, "small": 0.01, "xavier": 32 ** -0.5, "he": 0.25}, rel=0.02)
    assert (INITIALIZATIONS["equal"](W) == 1 / 32).all()


def test_dead_units_are_those_without_a_slope(full):
    full.initialization.value = "he"
    dead = (full.flow.activations == 0).all(axis=1)
    assert (full.flow.dead == dead.sum(axis=1)).all() and full.dead == dead.sum() > 0
    assert f"dead units: {full.dead} of 640" in full.dead_text.get_text()
    assert f"{full.dead} of 640 units are dead" in full._caption_text
    full.initialization.value = "small"
    assert full.dead == dead.sum(), "the size of the weights does not matter while there are no biases"
    full.bias.value = 0.1
    assert full.dead == 0 and "dead" not in full._caption_text
    full.bias.value, full.activation.value = 0.0, "leaky relu"
    assert full.dead == 0 and full.dead_text.get_text() == ""
    full.activation.value = "relu"


def test_a_gradient_that_is_lost_altogether_is_told(full):
    full.initialization.value = "equal"
    full.refresh()
    seen = []
    for seed in range(0, 21, 4):
        full.seed.value = seed
        seen.append("nan" not in full._caption_text + full._goal_text + full.alt)
    full.depth.value = DEEPEST
    full.flow.gradients["scores"][:] = 0
    full.ratio = full.factor = np.nan
    full._tell(DEEPEST)
    assert all(seen) and "it is lost" in full._caption_text and "no gradient" in full._goal_text
    assert "nan" not in full.describe()


@pytest.mark.parametrize("arguments", [{"initialization": "zeros"}, {"bias": 0.1}, {"activation": "elu"},
                                       {"initialization": "he", "bias": 1.0},
                                       {"initialization": "he", "activation": "sign"}])
def test_wrong_arguments_of_the_full_form(arguments):
    assert_refused(GradientFlowExplorer, arguments)
