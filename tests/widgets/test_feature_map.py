"""FeatureMapExplorer: its functions against the network itself, every control at its ends, its goal, other models."""

import numpy as np
import pytest
from support import assert_refused

from nnlib import Tensor, ops
from nnlib import layers as nn
from nnlib.architecture import layer_table
from nnlib.datasets import load_digits
from nnlib.module import Module
from nnlib.widgets import FeatureMapExplorer
from nnlib.widgets.base import probabilities_of
from nnlib.widgets.feature_map import (
    PATCHES,
    UnitGoal,
    cut,
    decisive_units,
    filter_of,
    layers_of,
    maps_of,
    read_by,
    seen_by,
    small_network,
    strongest,
    tiled,
    windows_of,
)

DATA = load_digits()


@pytest.fixture(scope="module")
def model():
    return small_network()


@pytest.fixture(scope="module")
def decided(model):
    """An image that is read rightly, but not without some unit of layer 1."""
    right = np.flatnonzero(read_by(model, DATA.images[:200]) == DATA.t[:200])
    return next(int(i) for i in right if decisive_units(model, DATA.images[[i]], 1))


@pytest.fixture(scope="module")
def explorer(model):
    return FeatureMapExplorer(model, DATA.images[:200], DATA.t[:200])


@pytest.fixture
def home(explorer):
    """The explorer, in its first state."""
    explorer.off = {}
    with explorer.setting_controls():
        explorer.example.value, explorer.layer.value, explorer.unit.value = 0, 0, 0
    explorer.refresh()
    return explorer


def network(*layers, seed=0):
    """A Sequential whose layers of random weights share a generator: each is a function of it."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(*(layer(rng) if callable(layer) and not isinstance(layer, Module) else layer
                           for layer in layers))


# The functions

def test_maps_are_what_the_network_computes(model):
    x = DATA.images[:3].astype(np.float32)
    maps = maps_of(model, x)
    assert len(maps) == len(model) and [m.shape[1] for m in maps] == [8, 8, 8, 12, 12, 12, 48, 10]
    np.testing.assert_allclose(maps[-1], model(Tensor(x)).data, rtol=1e-5)
    np.testing.assert_array_equal(maps[1], np.maximum(maps[0], 0))
    assert (read_by(model, DATA.images) == DATA.t).mean() > 0.9


def test_units_that_are_off_hand_on_zeros(model):
    x = DATA.images[:2]
    before = [m.copy() for m in maps_of(model, x)]
    without = maps_of(model, x, {1: [3], "4": [0, 5]})
    assert not without[1][:, 3].any() and without[1][:, 2].any() and not without[4][:, [0, 5]].any()
    np.testing.assert_array_equal(without[0], before[0])
    for one, two in zip(maps_of(model, x), before):
        np.testing.assert_array_equal(one, two)
    lesion = [m.copy() for m in before]
    lesion[1][:, 3] = 0
    np.testing.assert_allclose(maps_of(model, x, {1: [3]})[-1], model[2:](Tensor(lesion[1])).data, rtol=1e-5)


def test_dropout_is_off_and_the_mode_stays():
    net = network(nn.Flatten(), lambda rng: nn.Linear(64, 5, rng=rng), nn.Dropout(0.5),
                  lambda rng: nn.Linear(5, 3, rng=rng))
    one, two = maps_of(net, DATA.images[:4])[-1], maps_of(net, DATA.images[:4])[-1]
    np.testing.assert_array_equal(one, two)
    assert net.training and net[2].training


def test_decisive_units_are_those_that_decide(model, decided):
    x = DATA.images[[decided]]
    found = decisive_units(model, x, 1)
    whole = read_by(model, x)[0]
    assert found and all(answer != whole for _, answer in found)
    for unit in range(8):
        assert (read_by(model, x, {1: [unit]})[0] != whole) == (unit in dict(found))


def test_windows_agree_with_the_gradient_and_the_table():
    layers = (lambda rng: nn.Conv2d(1, 2, 3, padding=1, rng=rng), nn.ReLU(), nn.AvgPool2d(2),
              lambda rng: nn.Conv2d(2, 2, 3, stride=2, rng=rng), nn.AvgPool2d(2, 1))
    net = network(*layers)
    for step in (net[0], net[3]):
        step.weight.data[...] = 0.1
    found, table = windows_of(net), layer_table(net, (1, 16, 16))
    assert [w[:2] for w in found] == [(row.receptive_field, row.jump) for row in table.rows]
    for depth, (row, column) in ((0, (5, 6)), (2, (3, 4)), (3, (1, 2)), (4, (0, 1))):
        x = Tensor(np.ones((1, 1, 16, 16), np.float32), requires_grad=True)
        net[:depth + 1](x)[0, 0, row, column].backward()
        rows, columns = np.flatnonzero(x.grad[0, 0].any(axis=1)), np.flatnonzero(x.grad[0, 0].any(axis=0))
        top, left, height, width = seen_by(found[depth], (row, column), (16, 16))
        assert rows[0] == max(0, top) and rows[-1] == min(15, top + height - 1)
        assert columns[0] == max(0, left) and columns[-1] == min(15, left + width - 1)
    assert seen_by(None, (0, 0), (8, 9)) == (0, 0, 8, 9)
    assert windows_of(network(nn.Flatten())) == [None]


def test_strongest_places(model):
    images = DATA.images[:150]
    found, maps = strongest(model, images), maps_of(model, images)
    for (values, places), layer in zip(found, maps):
        flat = layer.reshape(*layer.shape[:2], -1)
        np.testing.assert_allclose(values, flat.max(axis=2), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.take_along_axis(flat, places[..., None], axis=2)[..., 0], values, atol=1e-4)


def test_cutting_and_tiling():
    picture = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(cut(picture, (1, 1, 2, 2)), picture[1:3, 1:3])
    outside = cut(picture, (-1, 3, 3, 2))
    assert np.isnan(outside[0]).all() and np.isnan(outside[:, 1]).all() and outside[1, 0] == 3
    assert np.isnan(cut(picture, (5, 0, 2, 2))).all() and cut(np.zeros((3, 3, 3)), (0, 0, 2, 2)).shape == (2, 2, 3)
    for n in (1, 2, 7, 10, 64):
        maps = np.arange(n)[:, None, None] + np.zeros((n, 4, 4))
        mosaic, boxes = tiled(maps, 1.6)
        assert len(boxes) == n
        for k, (left, top, width, height) in enumerate(boxes):
            assert (mosaic[top:top + height, left:left + width] == k).all()


def test_filters(model):
    name, weights = filter_of(model, 2, 3, (1, 8, 8))
    assert name == "0" and np.array_equal(weights, model[0].weight.data[3])
    assert filter_of(model, 4, 3, (1, 8, 8))[1].shape == (8, 3, 3)
    name, weights = filter_of(model, 7, 9, (1, 8, 8))
    assert name == "7" and weights.shape == (12, 2, 2)
    np.testing.assert_array_equal(weights.ravel(), model[7].weight.data[9])
    dense = nn.Sequential(nn.Flatten(), nn.Linear(64, 6, rng=0), nn.ReLU(), nn.Linear(6, 3, rng=1))
    assert filter_of(dense, 2, 5, (1, 8, 8))[1].shape == (1, 8, 8)
    assert filter_of(dense, 3, 0, (1, 8, 8))[1].shape == (6, 1, 1) and filter_of(dense, 0, 0, (1, 8, 8)) is None


def test_probabilities_from_scores_and_from_probabilities():
    scores = np.array([[1.0, -2.0, 0.0]])
    p = probabilities_of(scores)
    assert p.sum() == pytest.approx(1)
    np.testing.assert_allclose(probabilities_of(p), p)


# The controls

@pytest.mark.usefixtures("painted")
def test_every_layer_and_the_ends_of_every_control(home):
    seen = set()
    for k, layer in enumerate(home.layer.options.values()):
        home.layer.value = layer
        for unit in (0, home.unit.max):
            with home.setting_controls():
                home.unit.value, home.example.value = unit, (0, home.example.max)[k % 2]
            home.refresh()
            text = home.alt + home._caption_text + home._goal_text
            assert home.message == "" and "nan" not in text and f"unit {unit} framed" in home.alt
            assert home.switch.disabled == (layer == 7) and home.unit.max == len(home.values) - 1
            assert len(home.top) == PATCHES and home.top == sorted(home.top, key=lambda t: -t[1])
            seen.add(home.alt)
    assert len(seen) == 2 * 7 and list(home.layer.options) == [
        "0 Conv2d", "1 ReLU", "2 MaxPool2d", "3 Conv2d", "4 ReLU", "5 MaxPool2d", "7 Linear"]


def test_a_unit_that_is_gone_is_the_last_one(home):
    home.layer.value, home.unit.value = 3, 11
    home.layer.value = 0
    assert home.unit.value == 7 and "unit 7 framed" in home.alt


def test_switching_off_and_on(home):
    home.layer.value, home.unit.value, home.switch.value = 1, 3, True
    assert home.off == {"1": [3]} and "Without unit 3 of layer 1" in home._caption_text
    np.testing.assert_allclose(home.now, probabilities_of(maps_of(home.model, home.x[[0]], {1: [3]})[-1])[0])
    np.testing.assert_allclose(home.before, probabilities_of(maps_of(home.model, home.x[[0]])[-1])[0])
    assert home.values[3].any(), "its map stays to be seen"
    home.unit.value = 4
    assert not home.switch.value and home.off == {"1": [3]}
    home.switch.value = True
    home.layer.value = 4
    home.switch.value = True
    assert home.off == {"1": [3, 4], "4": [4]} and "units 3, 4 of layer 1; 4 of layer 4" in home._caption_text
    assert len(home.crosses.get_xdata()) == 1
    home.switch.value = False
    assert home.off == {"1": [3, 4]}
    home.switch_all_on()
    assert home.off == {} and "Off: no unit" in home.alt and not home.switch.value


# The goal

def test_goal_is_reached_by_a_decisive_unit_alone(home, decided):
    unit, answer = decisive_units(home.model, home.x[[decided]], 1)[0]
    assert "○ Goal not reached yet" in home._goal_text and "All units are on." in home._goal_text
    home.example.value, home.layer.value, home.unit.value = decided, 1, unit
    home.switch.value = True
    assert "✓ Goal reached" in home._goal_text and f"now reads {answer}" in home._caption_text
    home.unit.value = (unit + 1) % 8
    home.switch.value = True
    assert "○" in home._goal_text and "2 units are off" in home._goal_text


def test_goals_judge():
    goal = UnitGoal()
    assert goal.judge({"1": [2]}, 7, 1, 7)[0] and not goal.judge({"1": [2]}, 7, 7, 7)[0]
    reached, words = goal.judge({"1": [2]}, 7, 1, 1)
    assert not reached and "misreads" in words
    assert not goal.judge({}, 7, 1, 7)[0] and not goal.judge({"1": [1], "4": [2]}, 7, 1, 7)[0]
    assert UnitGoal(2).judge({"1": [1], "4": [2]}, 7, 1, 7)[0] and "at most 2 units" in str(UnitGoal(2))
    assert UnitGoal(layer=1).judge({"1": [2]}, 7, 1, 7)[0] and not UnitGoal(layer=1).judge({"4": [2]}, 7, 1, 7)[0]
    assert UnitGoal(to=1).judge({"1": [2]}, 7, 1, 7)[0] and not UnitGoal(to=3).judge({"1": [2]}, 7, 1, 7)[0]
    assert str(UnitGoal(layer=4, to=3)).startswith("switch off one unit of layer 4, so")


# Other models and images

def test_an_mlp_of_rows_without_targets():
    net = network(lambda rng: nn.Linear(64, 70, rng=rng), nn.ReLU(), lambda rng: nn.Linear(70, 4, rng=rng))
    explorer = FeatureMapExplorer(net, DATA.X[:6], layer=1, unit=69, class_names=["a", "b", "$c$", "d"])
    assert "Goal" not in explorer._caption.value and "64–69 of 70 units" in explorer.titles["all"].get_text()
    assert explorer.weights[1].shape == (1, 8, 8) and "the whole image" in explorer._caption_text
    explorer.layer.value = 2
    assert explorer.unit.value == 3 and explorer.message == ""


def test_colors_norms_nested_layers_functions_and_rectangles():
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(5, 3, 6, 9))
    stage = network(lambda rng: nn.Conv2d(3, 4, (3, 5), padding="same", rng=rng), nn.BatchNorm2d(4))
    net = nn.Sequential(stage, ops.tanh, nn.MedianPool2d(2), nn.Residual(nn.Conv2d(4, 4, 1, rng=1)), nn.Flatten(),
                        nn.Linear(48, 2, rng=2), nn.Softmax())
    assert [name for name, _ in layers_of(net)] == ["0.0", "0.1", "1", "2", "3", "4", "5", "6"]
    explorer = FeatureMapExplorer(net, images, [0, 1, 0, 1, 0], layer="0.1", unit=3)
    for layer in explorer.layer.options.values():
        explorer.layer.value = layer
        assert explorer.message == "" and "nan" not in explorer.alt
    assert explorer.now.sum() == pytest.approx(1) and len(explorer.top) == 4


def test_one_image_and_few_patches(model):
    explorer = FeatureMapExplorer(model, DATA.images[0], DATA.t[:1])
    assert explorer.example.disabled and len(explorer.top) == 1


class Odd(Module):
    def forward(self, x):
        return x


@pytest.mark.parametrize("arguments, words", [
    ({"model": Odd()}, "expected a Sequential"), ({"model": 3}, "expected a Sequential"),
    ({"images": np.zeros((2, 2, 8, 8))}, "expected images"), ({"images": np.zeros((2, 63))}, "expected images"),
    ({"images": np.full((1, 1, 8, 8), np.nan)}, "expected images"), ({"images": "cat"}, "expected images"),
    ({"images": np.zeros((0, 1, 8, 8))}, "expected images"), ({"images": np.zeros((2, 1, 16, 16))}, "does not take"),
    ({"images": DATA.X[:3]}, "does not take"), ({"targets": [1, 2]}, "targets"), ({"targets": [10] * 1797}, "targets"),
    ({"layer": 6}, "there is no layer 6"), ({"layer": "x"}, "there is no layer"), ({"unit": 8}, "a unit from 0 to 7"),
    ({"example": -1}, "an example from 0"), ({"example": 1797}, "an example from 0"), ({"class_names": "ab"}, "a name"),
    ({"model": nn.Sequential(nn.Conv2d(1, 2, 3))}, "ends in scores"),
    ({"model": nn.Sequential(nn.Flatten(), nn.Linear(64, 1))}, "ends in scores"),
    ({"model": nn.Sequential(nn.Flatten(), nn.Linear(64, 21))}, "ends in scores")])
def test_wrong_arguments(model, arguments, words):
    assert_refused(FeatureMapExplorer, {"model": model} | arguments, words)


def test_no_place_is_framed_where_a_map_is_the_same_everywhere():
    dead = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10, rng=1))
    dead[0].weight.data[0], dead[0].bias.data[0] = 0, -1
    explorer = FeatureMapExplorer(dead, DATA.images[:9], DATA.t[:9], layer=1)
    assert not explorer.frame.get_visible() and not explorer.place.get_visible()
    assert not explorer.top and "excited most by no image" in explorer.describe()
    assert "unit 0: 0 at all places. In no image is it above 0." in explorer._caption_text
    assert "frame around" not in explorer.describe()
    explorer.unit.value = 1
    assert explorer.frame.get_visible() and explorer.place.get_visible()
    explorer.layer.value = 3
    assert "10 units of layer 3 Linear" in explorer.describe()
