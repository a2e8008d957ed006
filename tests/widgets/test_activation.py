"""ActivationExplorer: derivatives against differences, shares against the normal distribution, learners' functions."""

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from support import assert_refused

from nnlib.widgets import ActivationExplorer
from nnlib.widgets.activation import (
    GOAL,
    REACH,
    SHAPES,
    ActivationGoal,
    derivative_fault,
    find_name,
    flat_ranges,
    in_ranges,
    standard_inputs,
    value_fault,
)
from nnlib.widgets.finite_difference import central_difference


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def elu(z):
    return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)


def elu_slope(z):
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))


pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def own():
    return ActivationExplorer(np.tanh, lambda z: 1 - np.tanh(z) ** 2)


def replace(explorer, function, derivative=None):
    """Another function in an explorer that is there: a new one would take its time."""
    made = ActivationExplorer.learners_shape(function, derivative)
    explorer.own_derivative = derivative is not None
    explorer.shapes["yours"] = made
    explorer._curves.pop("yours", None)
    explorer.refresh()


def test_there_are_nine_and_their_derivatives_are_right():
    z = np.linspace(-6, 6, 49) + 0.01
    assert len(SHAPES) == 9
    for name, shape in SHAPES.items():
        assert shape.derivative(z) == pytest.approx(central_difference(shape.value, z, 1e-5), abs=1e-8), name
        assert shape.value(z).shape == shape.derivative(z).shape == z.shape
    assert SHAPES["softplus"].derivative(z) == pytest.approx(sigmoid(z))


def test_names_are_found_however_they_are_written():
    assert [find_name(n) for n in ("relu", "Leaky_ReLU", "hard-tanh", "hardtanh", "SWISH", "gelu")] == [
        "ReLU", "leaky ReLU", "hard tanh", "hard tanh", "swish", None]


def test_inputs_are_spread_like_a_normal_distribution():
    z = standard_inputs()
    assert z.mean() == pytest.approx(0, abs=1e-9) and z.std() == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("name, threshold, words", [
    ("tanh", 0.05, "below -2.18, above 2.18"), ("sigmoid", 0.05, "below -2.89, above 2.89"),
    ("ReLU", 0.05, "below 0.00"), ("leaky ReLU", 0.05, "below 0.00"), ("leaky ReLU", 0.005, "nowhere"),
    ("hard tanh", 0.05, "below -1.00, above 1.00"), ("ELU", 0.05, "below -3.00"), ("sign", 0.05, "everywhere"),
    ("softplus", 0.05, "below -2.94"), ("swish", 0.05, "below -4.08, from -1.56 to -1.08")])
def test_where_each_is_saturated(name, threshold, words):
    z = np.linspace(-REACH, REACH, 641)
    assert in_ranges(flat_ranges(z, SHAPES[name].derivative(z), threshold)) == words


@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends():
    explorer, seen = ActivationExplorer(), set()
    for name, mean, spread, threshold, z in [
            *itertools.product(SHAPES, (-4.0,), (0.1,), (0.001,), (-REACH,)),
            *itertools.product(("tanh", "ReLU"), (-4.0, 4.0), (5.0,), (0.05, 0.5), (REACH,))]:
        with explorer.setting_controls():
            explorer.mean.value, explorer.spread.value = mean, spread
            explorer.threshold.value, explorer.input.value = threshold, z
            explorer.activation.value = name
        explorer.refresh()
        text = explorer.alt + explorer._caption_text + explorer._goal_text
        assert explorer.message == "" and "nan" not in text and "inf " not in text
        assert f"The activation {name} over its slope" in explorer.alt and f"mean {mean:.2f}" in explorer.alt
        top = explorer.bottom.get_ylim()[1]
        assert 0 < explorer.inputs.get_data()[0].max() <= top
        assert explorer.inputs.get_data()[0].sum() == pytest.approx(1)
        assert explorer.outputs.get_data()[0].sum() == pytest.approx(1)
        assert explorer.gradients.get_data()[0].sum() == pytest.approx(1)
        seen.add(explorer.alt)
    assert len(seen) == 17


def test_shares_agree_with_the_normal_distribution():
    explorer = ActivationExplorer(name="tanh", mean=0.5, spread=2.0)
    normal, edge = NormalDist(0.5, 2.0), np.arccosh(np.sqrt(1 / 0.05))
    assert explorer.saturated == pytest.approx(1 - normal.cdf(edge) + normal.cdf(-edge), abs=2e-3)
    assert explorer.dead == 0 and f"{explorer.saturated:.1%} are saturated" in explorer._caption_text
    explorer.activation.value = "ReLU"
    assert explorer.dead == pytest.approx(normal.cdf(0), abs=2e-3)
    explorer.mean.value, explorer.spread.value = -4.0, 0.5
    assert explorer.dead == 1 and "No gradient passes at all" in explorer._caption_text
    explorer.activation.value = "leaky ReLU"
    assert explorer.saturated == 1 and explorer.dead == 0 and "No gradient" not in explorer._caption_text


def test_goal_lies_between_too_wide_and_too_narrow():
    explorer = ActivationExplorer(name="tanh")
    assert "○ Goal not reached yet" in explorer._goal_text
    reached = []
    for spread in (0.5, 0.8, 1.1, 1.2, 1.5, 2.0):
        explorer.spread.value = spread
        reached.append("✓" in explorer._goal_text)
    assert reached == [False, False, True, True, False, False]
    explorer.spread.value = 1.1
    explorer.threshold.value = 0.5
    assert "✓" in explorer._goal_text, "the goal keeps its own threshold"
    explorer.activation.value = "ReLU"
    assert "○" in explorer._goal_text and not GOAL.reached("ReLU", 1.0, 1.0)
    assert "○" in ActivationExplorer()._goal_text


def test_other_goals_or_none():
    assert "✓ Goal reached: with sigmoid, keep at least 50%" in ActivationExplorer(
        name="sigmoid", goal=ActivationGoal("sigmoid", 0.5, 0.1))._goal_text
    assert "Goal" not in ActivationExplorer(goal=None)._caption.value


def test_point_and_tangent_follow_the_input():
    explorer = ActivationExplorer(name="sigmoid")
    explorer.input.value = 0.0
    assert explorer.point.get_ydata() == pytest.approx([0.5]) and explorer.slope_point.get_ydata() == [0.25]
    x, y = explorer.tangent.get_data()
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(0.25)
    assert "φ(0.00) = 0.5" in explorer.point_text.get_text() and "0.25" in explorer.slope_text.get_text()


@pytest.mark.usefixtures("painted")
def test_background_stays_while_a_slider_moves_little():
    explorer = ActivationExplorer(name="tanh")
    background = explorer._background
    explorer.mean.value = 0.1
    explorer.input.value = 2.0
    assert explorer._background is background
    explorer.activation.value = "swish"
    assert explorer._background is not background


def test_own_function_and_derivative(own):
    explorer = ActivationExplorer(elu, elu_slope, name="elu")
    assert explorer.message == "" and explorer.activation.value == "yours" and explorer.fault == ""
    assert "Your derivative agrees" in explorer._caption_text and "yours over its slope" in explorer.alt
    replace(own, lambda z: np.where(z > 0, z, 0.0))
    assert own.message == "" and own.saturated == pytest.approx(0.5, abs=0.01)
    replace(own, np.vectorize(lambda z: max(z, 0.1 * z)))
    assert own.message == ""


def test_an_own_function_that_is_right_counts_for_the_goal():
    explorer = ActivationExplorer(np.tanh, lambda z: 1 - np.tanh(z) ** 2, name="tanh", spread=1.1)
    assert "✓ Goal reached" in explorer._goal_text
    replace(explorer, np.sin)
    assert "○" in explorer._goal_text


def test_a_function_that_is_not_what_it_should_be():
    explorer = ActivationExplorer(np.tanh, name="sigmoid")
    assert "Your function is not sigmoid but tanh" in explorer._caption_text and "not sigmoid" in explorer.alt
    assert "at z = -6 it gives 12 where ReLU is 0" in value_fault(lambda z: 2 * np.abs(z), "ReLU")
    assert value_fault(np.tanh, "tanh") == ""


@pytest.mark.parametrize("function, derivative, words", [
    (np.tanh, np.tanh, "It is the function itself"),
    (np.tanh, lambda z: np.tanh(z) ** 2 - 1, "Its sign is wrong"),
    (sigmoid, lambda z: sigmoid(sigmoid(z)) * (1 - sigmoid(sigmoid(z))), "taken at the output"),
    (sigmoid, lambda z: z * (1 - z), "Your derivative is wrong"),
    (np.tanh, lambda z: sigmoid(z) * (1 - sigmoid(z)), "It is the derivative of sigmoid"),
    (elu, lambda z: np.where(z > 0, 1.0, 0.0), "It is the derivative of ReLU"),
    (elu, lambda z: np.where(z > 0, 1.0, elu(z)), "right for z above 0 and wrong below"),
    (lambda z: np.maximum(0.01 * z, z), lambda z: np.where(z > 0, z, 0.01), "right for z below 0 and wrong above"),
])
def test_wrong_derivatives_are_named(own, function, derivative, words):
    replace(own, function, derivative)
    assert own.message == "" and words in own._caption_text and "difference quotient" in own.alt


@pytest.mark.parametrize("name", ["sign", "ReLU", "hard tanh", "leaky ReLU", "swish"])
def test_right_derivatives_of_kinked_functions_are_accepted(name):
    assert derivative_fault(SHAPES[name].value, SHAPES[name].derivative) == ""


@pytest.mark.parametrize("function, words", [
    (lambda z: z if z > 0 else 0, "try np.where(z > 0"),
    (lambda z: None, "function returned None"),
    (lambda z: 1 / 0, "ZeroDivisionError"),
    (lambda z: z[:-1], "function: expected an array of shape"),
    (lambda z: 0.0, "function: expected an array of shape"),
    (lambda z: np.log(z), "finite"),
    (lambda z: z + 1j, "real numbers"),
    (lambda z: "no", "real numbers"),
    (lambda: 0, "TypeError"),
    (lambda z: exit(), "SystemExit"),
])
def test_wrong_functions_are_told_inside_the_explorer(own, function, words):
    replace(own, function)
    assert words in own.message
    replace(own, np.tanh)
    assert own.message == ""
    replace(own, np.tanh, function)
    assert words.replace("function", "derivative") in own.message


@pytest.mark.usefixtures("painted")
def test_a_function_that_never_worked_leaves_the_axes():
    explorer = ActivationExplorer(lambda z: None)
    assert explorer.picture and "stopped" in explorer.alt and "function returned None" in explorer.message


def test_in_place_work_does_no_harm(own):
    def relu(z):
        z[z < 0] = 0
        return z

    replace(own, relu)
    assert own.message == "" and own.saturated == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("arguments", [{"name": "gelu"}, {"derivative": np.cos}, {"function": np.sin, "name": "sine"},
                                       {"function": 3}, {"spread": 0.0}, {"mean": 9.0}])
def test_wrong_arguments(arguments):
    assert_refused(ActivationExplorer, arguments)
