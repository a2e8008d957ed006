"""Figures of convolution."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from nnlib import architecture, plots
from nnlib.plots.convolution import seen_by


def test_a_grid_shows_every_number_in_the_color_of_its_sign():
    fig, ax = plots.subplots()
    plots.number_grid(ax, [[1.5, -2, 0], [np.nan, 2, -0.0]], "numbers")
    assert [text.get_text() for text in ax.texts] == ["1.5", "-2", "0", "2", "0"]
    image, = ax.images
    assert image.norm.vmax == 2 and ax.get_title(loc="left") == "numbers"
    low, high = (to_hex(image.cmap(image.norm(value))).upper() for value in (-2, 2))
    assert (low, high) == (plots.NEGATIVE, plots.POSITIVE)
    fig.canvas.draw()


def test_a_grid_takes_one_row_zeros_and_labels():
    fig, ax = plots.subplots()
    plots.number_grid(ax, [0, 0], labels=["w1", "w2"])
    assert [text.get_text() for text in ax.texts] == ["w1", "w2"] and ax.images[0].norm.vmax == 1
    plots.number_grid(ax, np.eye(2), form="{:.2f}", limit=5)
    assert ax.texts[-1].get_text() == "1.00" and ax.images[-1].norm.vmax == 5


def test_images_are_light_or_ink_and_responses_have_white_at_0():
    fig, (light, ink, map_) = plots.subplots(1, 3)
    plots.gray_image(light, np.ones((2, 3)), "light")
    plots.gray_image(ink, np.ones((2, 3)), ink=True)
    colors = [to_hex(ax.images[0].cmap(ax.images[0].norm(1.0))) for ax in (light, ink)]
    assert colors == ["#ffffff", "#000000"]
    image = plots.response(map_, np.array([[-1.0, 3.0]]))
    assert (image.norm.vmin, image.norm.vmax) == (-3, 3)
    assert plots.response(map_, np.zeros((2, 2))).norm.vmax == 1
    assert plots.response(map_, np.ones((2, 2)), limit=4).norm.vmax == 4


def test_votes_are_lines_in_their_direction_as_long_as_they_are_many():
    fig, ax = plots.subplots()
    votes = np.zeros((2, 2, 8))
    votes[0, 0, 0], votes[1, 1, 2], votes[0, 1, 4] = 4, 2, 0.1  # right, down, and too few to be seen
    plots.direction_votes(ax, votes, cell=2)
    right, down = (line for line in ax.lines if line.get_color() == plots.VERMILION)
    assert np.allclose(np.diff(right.get_data()).ravel(), [1, 0]) and np.allclose(right.get_xdata()[0], 0.5)
    assert np.allclose(np.diff(down.get_data()).ravel(), [0, 0.5])
    assert len(ax.lines) == 2 + 2 * 3


def test_connections_count_lines_and_different_weights():
    fig, (full, shared) = plots.subplots(1, 2)
    assert plots.connections(full, np.arange(1, 7).reshape(2, 3), "full") == (6, 6)
    assert plots.connections(shared, [[1, 2, 0], [0, 1, 2]]) == (4, 2)
    lines = [line for line in shared.lines if line.get_marker() == "None"]
    looks = {(line.get_color(), line.get_linestyle()) for line in lines}
    assert len(lines) == 4 and len(looks) == 2
    assert len({line.get_color() for line in full.lines if line.get_marker() == "None"}) == 1


@pytest.mark.parametrize("filters, shown", [(16, 4), (3, 3)])
def test_a_drawing_of_channels_names_the_sizes(filters, shown):
    fig, ax = plots.subplots()
    plots.channel_stacks(ax, channels=3, filters=filters, size=(32, 28), kernel=5, places=(28, 24), shown=shown)
    words = {text.get_text() for text in ax.texts}
    assert {"image\n3 x 32 x 28", f"{filters} filters\n3 x 5 x 5 each", f"feature maps\n{filters} x 28 x 24"} <= words
    assert f"map {filters}" in words and ("..." in words) == (filters > shown)
    assert len(ax.patches) >= 3 + shown * 4
    fig.canvas.draw()


@pytest.mark.parametrize("layers", [[(3, 1)], [(3, 1), (3, 1), (2, 2)], [(2, 2), (3, 1), (3, 2)], [(1, 3), (3, 1)]])
def test_the_side_view_lights_what_one_unit_depends_on(layers):
    fig, ax = plots.subplots()
    seen = plots.field_tree(ax, layers)
    assert seen == len(seen_by(layers)[0])
    if min(k - s for k, s in layers) >= 0:  # no gaps between windows
        assert seen == architecture.receptive_field(layers)
    lit = [line for line in ax.lines if line.get_color() == plots.POSITIVE]
    assert len(lit[0].get_xdata()) == seen and len(lit[-1].get_xdata()) == 1
    assert [label.get_text() for label in ax.get_yticklabels()][0] == "image\nsees 1"
    fig.canvas.draw()


def test_a_box_stands_around_its_pixels():
    fig, ax = plots.subplots()
    box = plots.pixel_box(ax, top=2, left=5, height=3, width=4, label="here")
    assert isinstance(box, Rectangle) and box.get_xy() == (4.5, 1.5)
    assert (box.get_width(), box.get_height()) == (4, 3) and ax.texts[0].get_text() == "here"
    assert plots.pixel_box(ax, 0, 0, 1, 1) and len(ax.texts) == 1
