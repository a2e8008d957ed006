"""Playground without a kernel: every control at both ends, playing, settings as text, goals, words, own functions."""

import asyncio
import io
import threading

import numpy as np
import pytest
from PIL import Image

from nnlib import tanh
from nnlib.widgets import Playground, playground
from nnlib.widgets.playground import FEW, NAMES
from nnlib.widgets.playground_diagram import (
    HEIGHT,
    HIGH,
    LOW,
    MAP_X,
    WIDTH,
    Places,
    edge_width,
    points_picture,
    round_top,
    shaded,
)
from nnlib.widgets.playground_model import FEATURES, RATES, Settings, examples

ALL_FEATURES = ",".join(FEATURES)


@pytest.fixture(scope="module")
def made_once():
    made = Playground()
    yield made
    made.close()


@pytest.fixture
def explorer(made_once):
    """An explorer as at the beginning; making one takes longer than all that is tried with it."""
    made_once.text.value = str(Settings())
    for control, value in ((made_once.layer, 1), (made_once.neuron, 1), (made_once.source, 0), (made_once.value, 0),
                           (made_once.inspect, False), (made_once.enlarge, False)):
        control.value = value
    made_once.player.reset()
    return made_once


def pixels(explorer):
    return np.asarray(Image.open(io.BytesIO(explorer.picture)).convert("RGB")).astype(int)


def anew(explorer):
    """The picture with everything drawn again."""
    explorer.diagram.still.change()
    explorer.redraw_background()
    return pixels(explorer)


def healthy(explorer):
    """What holds in every state."""
    assert explorer.message == "" and "nan" not in explorer.alt + explorer._caption_text
    for line in (explorer.diagram.train, explorer.diagram.test):
        assert np.isfinite(np.asarray(line.get_data(), dtype=float)).all()
    assert np.isfinite(explorer.training.answers.output).all()
    assert Settings.from_text(explorer.text.value, own=True) == explorer.settings == explorer.training.settings
    return True


# Controls

@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(explorer):
    for control in (explorer.noise, explorer.train, explorer.batch, explorer.momentum, explorer.seed, explorer.depth,
                    *explorer.neurons, explorer.layer, explorer.neuron, explorer.source):
        for value in (control.max, control.min):
            control.value = value
            assert healthy(explorer)
        explorer.on_step()
        assert healthy(explorer)
    for control in (explorer.data, explorer.activation, explorer.optimizer, explorer.regularization, explorer.frame,
                    explorer.problem, explorer.data, explorer.rate, explorer.strength):
        for _, value in (control._options_full[0], control._options_full[-1]):
            control.value = value
            explorer.on_step()
            assert healthy(explorer)
    for box in (*explorer.features.values(), explorer.test, explorer.discretize, explorer.inspect, explorer.enlarge):
        for value in (not box.value, box.value):
            box.value = value
            assert healthy(explorer)


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("text", [
    "layers=", f"layers=&features={ALL_FEATURES}", f"layers=8,8,8,8,8,8&features={ALL_FEATURES}&data=spiral&test=yes",
    "layers=1,1,1,1,1,1&features=sinx1", "layers=1,8,1&data=hills&discretize=yes", "data=plane&layers=&test=yes",
    "layers=8&batch=1&train=10&noise=50&frame=100", "layers=5,5,5&activation=relu&rate=10", "layers=6&rate=0.00001",
    "layers=3,2&regularization=L1&strength=10&rate=10&optimizer=Adam",
    "data=hills&layers=8&activation=linear&rate=10&regularization=L2&strength=10",
])
def test_extreme_settings(explorer, text):
    explorer.text.value = text
    assert str(explorer.settings) != str(Settings()) and healthy(explorer)
    explorer.on_step()
    assert healthy(explorer) and explorer.picture and len(explorer.alt) > 100
    assert np.abs(pixels(explorer) - anew(explorer)).max() <= 80, "nothing is left of earlier pictures"


def test_problem_changes_the_data_on_offer(explorer):
    assert explorer.data.options == ("circle", "xor", "gaussian", "spiral")
    explorer.problem.value = "regression"
    assert explorer.data.options == ("plane", "hills") and explorer.settings.data == "plane"
    assert "heights" in explorer.alt and "Right" not in explorer._caption_text
    explorer.data.value = "hills"
    explorer.problem.value = "classification"
    assert explorer.settings.data == "circle"


def test_layers_and_neurons(explorer):
    explorer.text.value = "layers=4,2"
    explorer.neurons[2].value = 4
    explorer.depth.value = 3
    assert explorer.settings.layers == (4, 2, 4) and explorer.neurons[2].layout.display is None
    explorer.neurons[2].value = 8
    explorer.depth.value = 1
    assert explorer.settings.layers == (4,) and explorer.neurons[1].layout.display == "none"
    explorer.depth.value = 3
    assert explorer.settings.layers == (4, 2, 8), "a layer that comes back is as large as it was"


def test_the_last_feature_stays(explorer):
    explorer.features["x1"].value = False
    assert explorer.settings.features == ("x2",)
    explorer.features["x2"].value = False
    assert explorer.features["x2"].value and "At least one feature" in explorer._caption_text
    explorer.features["x1sq"].value = True
    assert explorer.settings.features == ("x2", "x1sq") and "At least" not in explorer._caption_text


def test_new_data_and_other_weights(explorer):
    points = explorer.training.points[0]
    explorer.regenerate.click()
    assert explorer.settings.sample == 1 and not np.array_equal(points, explorer.training.points[0])
    explorer.text.value = "sample=999"
    explorer.regenerate.click()
    assert explorer.settings.sample == 0 and np.array_equal(points, explorer.training.points[0])
    weights = explorer.training.weights()
    explorer.seed.value = 7
    assert not np.array_equal(weights[0], explorer.training.weights()[0])


def test_what_can_be_changed_while_it_learns(explorer):
    explorer.on_step()
    for control, value in ((explorer.rate, 0.3), (explorer.momentum, 0.9), (explorer.optimizer, "Adam"),
                           (explorer.batch, 1), (explorer.regularization, "L2"), (explorer.frame, "1")):
        control.value = value
    assert explorer.training.steps == 25 and explorer.training.optimizer.lr == 0.3
    explorer.on_step()
    assert explorer.training.steps == 26
    explorer.noise.value = 10
    assert explorer.training.steps == 0


def test_steps_per_frame(explorer):
    for frame, steps in (("1", 1), ("5", 6), ("epoch", 25), ("25", 50), ("100", 150)):
        explorer.frame.value = frame
        explorer.on_step()
        assert explorer.training.steps == steps
    assert "Epoch 6 (150 steps)" in explorer._caption_text and "Epoch 6:" in explorer.alt


# Few controls, all, or some

def test_shows_few_or_all_controls():
    few, everything = Playground(show="few"), Playground()
    assert few.data in few.controls and few.rate in few.controls and few.player in few.controls
    assert few.momentum not in few.controls and few.text not in few.controls
    assert set(FEW) < set(NAMES) and len(few.controls) == 11 < len(everything.controls)
    some = Playground("regularization=L2&strength=0.01&test=yes", show=["regularization", "strength"])
    assert some.controls == [some.regularization, some.strength, some.player]
    assert some.settings.test == "yes", "what has no control is set by the text"
    few.depth.value = 0
    assert few.settings.layers == ()


@pytest.mark.parametrize("show", ["some", "data", ["data", "speed"], [["data"]], ("few",)])
def test_wrong_show(show):
    with pytest.raises((ValueError, TypeError)):
        Playground(show=show)


# Settings as a text

def test_the_text_restores_everything_and_follows():
    text = ("data=spiral&noise=10&train=70&features=x1,sinx2&layers=8,6,2&activation=relu&seed=3&optimizer=RMSprop"
            "&rate=0.003&momentum=0.5&batch=5&regularization=L1&strength=0.001&frame=5&test=yes&discretize=yes")
    explorer, other = Playground(text), Playground()
    assert explorer.text.value == text
    other.text.value = text
    for one in (explorer, other):
        one.on_step()
    assert other.settings == explorer.settings and other.training.losses == explorer.training.losses
    assert other.depth.value == 3 and other.neurons[1].value == 6 and other.features["sinx2"].value
    assert other.rate.value == 0.003 and other.momentum.value == 0.5 and other.discretize.value
    explorer.rate.value = RATES[-1]
    assert "&rate=10&" in explorer.text.value


@pytest.mark.parametrize("text", ["data=cats", "layers=9", "rate=2&&", "'; import os", "<b>x</b>", "activation=own"])
def test_garbage_is_told_and_changes_nothing(explorer, text):
    before = explorer.settings
    explorer.on_step()
    explorer.text.value = text
    assert explorer.settings == before and explorer.training.steps == 25
    assert "These settings were not taken over: " in explorer._caption_text and explorer.text.value == text
    assert "<b>" not in explorer._caption.value
    explorer.noise.value = 5
    assert "not taken over" not in explorer._caption_text and "noise=5" in explorer.text.value
    with pytest.raises(ValueError, match="^Playground: "):
        Playground(text)


# Playing

@pytest.mark.usefixtures("painted")
def test_step_reset_and_the_same_again(explorer):
    first = explorer.picture
    explorer.player.step_button.click()
    second = explorer.picture
    assert second != first and explorer.training.steps == 25
    explorer.player.step_button.click()
    explorer.player.reset_button.click()
    assert explorer.picture == first and explorer.training.steps == 0
    explorer.player.step_button.click()
    assert explorer.picture == second


def test_play_pause_and_what_ends_it(monkeypatch):
    async def session():
        explorer = Playground("frame=1")
        explorer.player.play_button.click()
        assert explorer.player.playing
        while explorer.training.steps < 2:
            await asyncio.sleep(0.01)
        assert explorer.player.interval >= playground.PAUSE
        explorer.rate.value = 0.1
        assert explorer.player.playing, "the rate may change while it plays"
        explorer.player.play_button.click()
        assert not explorer.player.playing and f"({explorer.training.steps} steps)" in explorer._caption_text
        explorer.player.play()
        explorer.noise.value = 5
        assert not explorer.player.playing and explorer.training.steps == 0, "other data end it"
        explorer.player.play()
        Playground(show="few")
        assert not explorer.player.playing, "a new one ends it, as when a cell is run again"
        monkeypatch.setattr(playground, "LONGEST", 2)
        explorer.player.play()
        while explorer.player.playing:
            await asyncio.sleep(0.01)
        assert explorer.training.steps == 2
        assert explorer.on_step(), "and it can go on"
        explorer.player.play()
        explorer.close()
        assert not explorer.player.playing

    asyncio.run(session())


def test_words_are_few_while_it_plays(monkeypatch):
    monkeypatch.setattr(playground, "SILENCE", 60.0)

    async def session():
        explorer = Playground("frame=1")
        explorer.player.play()
        while not (steps := explorer.training.steps):
            await asyncio.sleep(0.01)
        told = explorer._caption.value
        for _ in range(3):
            explorer.on_step()
        assert explorer._caption.value == told and explorer.training.steps > steps
        explorer.player.pause()
        assert explorer._caption.value != told

    asyncio.run(session())


@pytest.mark.usefixtures("painted")
def test_two_threads_do_not_disturb_each_other():
    explorer, failed = Playground("frame=1&layers=3"), []

    def turn():
        try:
            for k in range(6):
                explorer.rate.value = RATES[k % len(RATES)]
                explorer.depth.value = k % 3
        except Exception as error:
            failed.append(error)

    other = threading.Thread(target=turn)
    other.start()
    for _ in range(10):
        explorer.on_step()
    other.join()
    assert not failed and healthy(explorer)
    assert np.abs(pixels(explorer) - anew(explorer)).max() <= 80


def test_a_step_that_comes_too_late_is_left_out(explorer):
    turn = explorer.player._turn
    assert explorer.player.tick(turn) and explorer.training.steps == 25
    explorer.player.reset()
    assert not explorer.player.tick(turn) and explorer.training.steps == 0


def test_divergence_is_told_and_ends():
    explorer = Playground("data=hills&layers=8,8&activation=relu&rate=10")
    while explorer.on_step():
        assert explorer.training.steps < 1000
    assert "It diverged" in explorer._caption_text and "lower rate than 10" in explorer._caption_text
    assert "diverged at step" in explorer.diagram.note.get_text() and "diverged" in explorer.alt
    assert healthy(explorer) and not explorer.on_step()
    explorer.rate.value = 0.01
    explorer.player.reset()
    assert explorer.on_step() and "diverged" not in explorer.alt + explorer._caption_text
    assert explorer.diagram.note.get_text() == ""


def test_words_on_a_rate_too_large_over_fitting_and_silent_neurons():
    wild = Playground("data=spiral&layers=8,8&rate=10&momentum=0.9&frame=100")
    for _ in range(3):
        wild.on_step()
    assert wild.training.diverged is not None or "is the rate too large?" in wild._caption_text
    over = Playground("data=xor&noise=50&train=10&layers=8,8&optimizer=Adam&rate=0.03&frame=100")
    for _ in range(4):
        over.on_step()
    assert "over-fits" in over._caption_text
    dead = Playground("layers=2&activation=relu")
    dead.training.set_weight(0, 1, None, -100)
    dead.refresh()
    assert "1 hidden neuron gives the same answer" in dead._caption_text


# Inspecting and setting a weight

def test_inspecting_a_weight(explorer):
    explorer.text.value = "layers=4,3&features=x1,sinx2"
    explorer.inspect.value = True
    explorer.layer.value, explorer.neuron.value, explorer.source.value = 2, 3, 4
    value = explorer.training.weight(1, 2, 3)
    assert f"the weight of layer 2, neuron 3 for neuron 4 of layer 1 is {value:+.4f}" in explorer._caption_text
    assert np.ptp(explorer.diagram.chosen_edge.get_xdata()) > 0
    explorer.layer.value = 3
    assert explorer.neuron.max == 1 and explorer.source.max == 3 and "the output" in explorer._caption_text
    explorer.layer.value, explorer.source.value = 1, 2
    assert "for sin x₂ is" in explorer._caption_text
    explorer.source.value = 0
    assert "the bias of layer 1" in explorer._caption_text
    explorer.depth.value = 0
    assert (explorer.layer.value, explorer.layer.max, explorer.neuron.max) == (1, 1, 1) and healthy(explorer)


@pytest.mark.usefixtures("painted")
def test_setting_a_weight(explorer):
    explorer.value.value = 2.5
    explorer.set_weight.click()
    assert "Tick inspect" in explorer._caption_text
    explorer.inspect.value, explorer.source.value = True, 2
    before = explorer.picture
    explorer.set_weight.click()
    assert explorer.training.weight(0, 0, 1) == 2.5 and "is +2.5000" in explorer._caption_text
    assert explorer.picture != before
    for value in (np.nan, np.inf, 101, -1e9):
        explorer.value.value = value
        explorer.set_weight.click()
        assert "Expected a number from -100 to 100" in explorer._caption_text
    assert explorer.training.weight(0, 0, 1) == 2.5 and healthy(explorer)
    explorer.player.reset()
    assert explorer.training.weight(0, 0, 1) != 2.5


@pytest.mark.usefixtures("painted")
def test_a_neuron_on_the_large_map(explorer):
    explorer.inspect.value = True
    output = pixels(explorer)
    explorer.enlarge.value = True
    assert np.abs(pixels(explorer) - output)[45:275, MAP_X + 20:915].max() > 100
    assert "the map of neuron 1 of layer 1 under" in explorer.alt
    explorer.layer.value = 3
    assert np.abs(pixels(explorer) - output)[45:275, MAP_X + 20:915].max() < 100, "the output is there already"
    assert "the map of the output under" in explorer.alt


# Goals

def test_a_goal_is_reached_or_not():
    explorer = Playground("data=gaussian&layers=2", goal=dict(loss=0.1, epochs=30, neurons=2, data="gaussian"))
    assert "○ Goal not reached yet: reach a test loss of 0.1 on the gaussian data" in explorer._goal_text
    while explorer.training.answers.test > 0.1:
        explorer.on_step()
    assert "✓ Goal reached" in explorer._goal_text and "Reached at epoch" in explorer._goal_text
    for _ in range(2):
        explorer.on_step()
    assert "✓ Goal reached" in explorer._goal_text
    explorer.depth.value = 2
    assert "not reached" in explorer._goal_text and "You use 6 hidden neurons." in explorer._goal_text
    explorer.data.value = "xor"
    assert "choose gaussian" in explorer._goal_text
    late = Playground("data=gaussian&layers=2&rate=0.0001", goal=dict(loss=0.1, epochs=2))
    for _ in range(4):
        late.on_step()
    assert "not reached" in late._goal_text and "The lowest test loss so far is" in late._goal_text


def test_wrong_goal():
    with pytest.raises(ValueError, match="expected a goal such as"):
        Playground(goal=0.05)


# A learner's activation

def test_own_activation():
    explorer = Playground("data=gaussian", activation=lambda z: tanh(z) + 0.1 * z)
    assert explorer.settings.activation == "own" and ("yours", "own") in explorer.activation._options_full
    for _ in range(8):
        explorer.on_step()
    assert healthy(explorer) and explorer.training.answers.test < 0.1 and "(your activation)" in explorer.alt
    explorer.activation.value = "relu"
    assert explorer.settings.activation == "relu" and healthy(explorer)
    assert Playground("activation=tanh", activation=tanh).settings.activation == "tanh"
    with pytest.raises(ValueError, match="expected activation to be"):
        Playground(activation="tanh")


@pytest.mark.usefixtures("painted")
def test_own_activation_that_fails_is_told_and_another_choice_helps():
    explorer = Playground(activation=lambda z: 1 / 0)
    assert "ZeroDivisionError" in explorer.message and "1 / 0" in explorer.message and explorer.picture
    assert explorer.on_step() is False
    explorer.on_reset()
    explorer.noise.value = 10
    assert "ZeroDivisionError" in explorer.message
    explorer.set_weight.click()
    explorer.activation.value = "tanh"
    assert healthy(explorer) and explorer.on_step()


def test_own_derivative_that_fails_in_the_middle():
    explorer = Playground(activation=(np.tanh, lambda z: 1 / 0))
    assert explorer.message == "" and explorer.on_step() is False
    assert "derivative raised ZeroDivisionError" in explorer.message
    explorer.activation.value = "relu"
    assert explorer.message == "" and explorer.on_step()


# The picture

@pytest.mark.parametrize("features", [1, 2, 7])
@pytest.mark.parametrize("layers", [(), (1,), (8,), (4, 2), (5, 5, 5), (1, 8, 1, 8), (8,) * 6])
def test_neurons_have_room(features, layers):
    places = Places.of(features, layers)
    assert [len(column) for column in places.columns] == [features, *layers]
    for column in places.columns:
        assert column[:, 1].min() >= LOW - 1 and column[:, 1].max() + places.side <= HIGH + 1
        assert len(column) == 1 or np.diff(column[::-1, 1]).min() >= places.side + 4
    lefts = [column[0, 0] for column in places.columns]
    assert lefts[-1] + places.side < MAP_X - 30 and (len(lefts) == 1 or np.diff(lefts).min() > places.side + 30)
    edges = places.edges()
    sizes = [features, *layers, 1]
    assert edges.shape == (sum(a * b for a, b in zip(sizes, sizes[1:])), 2, 2)
    assert (edges[:, 0, 0] < edges[:, 1, 0]).all() and edges.min() > 0 and edges[..., 0].max() <= MAP_X
    if layers:  # in the order of the weights: neuron after neuron of the next layer
        assert len(set(edges[:features, 1, 1])) == 1 and len(set(edges[:features, 0, 1])) == features


def test_edges_tell_sign_and_size(explorer):
    diagram = explorer.diagram
    weights = np.concatenate([layer.weight.data.ravel() for layer in explorer.training.layers])
    assert len(diagram.positive.get_segments()) == np.sum(weights > 0)
    assert len(diagram.negative.get_segments()) == np.sum(weights < 0)
    np.testing.assert_allclose(diagram.negative.get_linewidth(), edge_width(weights[weights < 0]))
    widths = edge_width(np.array([0, 0.1, 1, 10, 100]))
    assert (np.diff(widths)[:3] > 0.1).all() and widths.max() < 6


def test_colors_and_rounded_axes():
    low, middle, high = shaded(np.array([[-9.0, 0.0, 9.0]]))[0, :, :3].astype(int)
    assert low[2] > low[0] and high[0] > high[2] and middle.min() > 240
    assert [round_top(e) for e in (0, 20, 21, 51, 101, 999)] == [20, 20, 50, 100, 200, 1000]


def test_test_examples_are_drawn_on_demand():
    X, t = examples("circle")
    few, many = (points_picture((X[:50], X[50:]), (t[:50], t[50:]), test, True) for test in (False, True))
    assert few.shape == (240, 240, 4) and 0 < np.sum(few[..., 3] > 0) < np.sum(many[..., 3] > 0)


@pytest.mark.usefixtures("painted")
def test_the_upper_half_of_the_plane_is_drawn_above(explorer):
    explorer.text.value = "data=plane&layers=&features=x2"
    explorer.on_step()
    picture = pixels(explorer)
    side = explorer.diagram.places.columns[0][0]
    x, y = side[0] + 10, HEIGHT - side[1] - 10
    bottom, top = picture[y, x], picture[y - 40, x]
    assert picture.shape == (HEIGHT, WIDTH, 3) and top[0] > top[2] and bottom[2] > bottom[0]
