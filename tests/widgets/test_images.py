"""The images of the explorers of convolution and pooling, and the tables of numbers they are drawn as."""

import numpy as np
import pytest

from nnlib import plots
from nnlib.widgets.images import DECK_D, DIRECTIONS, QUARTER, SCENES, Grid, digit, photo, scene_of, short, strokes

NAMES = {"temple": "temple", "deck D": "deck D"}


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_lies_in_its_range(name):
    scene = SCENES[name]()
    assert scene.pixels.ndim == 2 and scene.low == 0 and scene.pixels.min() >= 0 and scene.pixels.max() <= scene.high
    assert np.ptp(scene.pixels) > 0.5 and scene.cmap == ("gray_r" if scene.ink else "gray")


def test_photos_are_means_of_the_originals():
    temple = photo("temple", 60, 60)
    assert temple.shape == (60, 60) and photo("temple", 120, 80).shape == (80, 120)
    assert temple[:20, 45:].mean() > 0.8 > 0.4 > temple[45:, :].mean(), "bright sky above, trees and roofs below"
    with pytest.raises(ValueError):
        temple[0, 0] = 1


def test_strokes_run_in_the_directions_named():
    image, q = strokes(), QUARTER
    vertical, horizontal, falling, rising = image[:q, :q], image[:q, q:], image[q:, :q], image[q:, q:]
    assert (vertical == vertical[0]).all() and (horizontal.T == horizontal[:, 0]).all()
    np.testing.assert_allclose(falling[1:, 1:], falling[:-1, :-1])
    np.testing.assert_allclose(rising[1:, :-1], rising[:-1, 1:])
    np.testing.assert_array_equal(vertical.T, horizontal)
    np.testing.assert_allclose(falling[:, ::-1], rising)
    assert len(DIRECTIONS) == 4


def test_digit_with_paper_around():
    assert digit().shape == (8, 8) and digit(2).shape == (12, 12)
    assert digit(2).sum() == digit().sum() and not digit(2)[:2].any()


def test_own_images_and_their_range():
    own = scene_of("X", [[0, 255, 3]] * 3, NAMES, 3, 9)
    assert (own.name, own.low, own.high) == ("yours", 0, 255)
    assert scene_of("X", np.full((4, 4), 0.8), NAMES, 3, 9).high == 1
    assert scene_of("X", -np.ones((4, 4)), NAMES, 3, 9).low == -1
    assert scene_of("X", np.zeros((4, 4)), NAMES, 3, 9).high > 0
    np.testing.assert_array_equal(scene_of("X", "deck D", NAMES, 4, 9).pixels, DECK_D)


@pytest.mark.parametrize("image, words", [
    ("cat", "no image 'cat'; try temple, deck D"), (np.zeros((2, 9)), "3 to 9 pixels each way, but got shape"),
    (np.zeros((3, 10, 3)), "average the colors"), (np.zeros((3, 18)), "every 2th pixel"),
    (np.full((4, 4), np.nan), "finite"), ([["a"]], "image of numbers"), (None, "image of"), (7, "shape ()")])
def test_wrong_images(image, words):
    with pytest.raises(ValueError, match="^X: ") as caught:
        scene_of("X", image, NAMES, 3, 9)
    assert words.replace("2th", "2") in str(caught.value).replace("2th", "2")


@pytest.mark.parametrize("value, text", [(0, "0"), (1, "1"), (-1, "−1"), (0.25, "0.25"), (-0.001, "0"), (-0.5, "−0.5"),
                                         (1 / 9, "0.11"), (-12.345, "−12.3"), (123.456, "123.5"), (1e5, "100000")])
def test_short_numbers(value, text):
    assert short(value) == text


def test_a_grid_shows_numbers_only_where_they_have_room():
    _, ax = plots.subplots()
    grid = Grid(ax, most=4)
    grid.show(np.array([[0.0, 1.0], [-1.0, 0.5]]), -1, 1)
    shown = [text.get_text() for text in grid.texts if text.get_visible()]
    assert shown == ["0", "1", "−1", "0.5"] and len(grid.lines.get_segments()) == 6
    assert grid.texts[2].get_color() == "white" and grid.texts[0].get_color() == "black"
    sparse = Grid(ax, most=4, zeros=False)
    sparse.show(np.array([[0.0, 2.0]]), -2, 2)
    assert [text.get_text() for text in sparse.texts if text.get_visible()] == ["2"]
    grid.show(np.zeros((5, 2)), -1, 1)
    assert not any(text.get_visible() for text in grid.texts) and len(grid.lines.get_segments()) == 4
