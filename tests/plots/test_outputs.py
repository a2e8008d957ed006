"""Figures of what a network puts out."""

import numpy as np
import pytest

from nnlib import gaussian_nll_loss, plots
from nnlib.plots.outputs import normal_density


@pytest.mark.parametrize("deviation", (0.3, 1.0, 4.0))
def test_the_normal_density_sums_to_one_and_is_what_the_loss_takes_the_log_of(deviation):
    y = np.linspace(-10 * deviation, 10 * deviation, 2001)
    assert np.trapezoid(normal_density(y, 0.2, deviation), y) == pytest.approx(1)
    loss = gaussian_nll_loss(np.full(3, 0.2), np.array([1.0, -1.0, 0.5]), deviation ** 2, full=True)
    assert -np.log(normal_density([1.0, -1.0, 0.5], 0.2, deviation)).mean() == pytest.approx(float(loss))


def test_below_each_distribution_stands_minus_its_logarithm():
    figure = plots.surprises(0.25, (0.5, 0.3, 0.2))
    above, below = np.reshape(figure.axes, (2, 3))
    assert [ax.get_title(loc="left") for ax in above] == ["Normal", "Bernoulli", "Multinoulli"]
    heights = [[bar.get_height() for bar in ax.patches] for ax in (above[1], below[1], above[2], below[2])]
    assert heights[0] == [0.75, 0.25] and heights[2] == [0.5, 0.3, 0.2]
    assert np.allclose(np.exp(-np.array(heights[1])), heights[0]) and np.allclose(-np.log(heights[2]), heights[3])
    assert np.allclose(np.exp(-below[0].lines[0].get_ydata()), above[0].lines[0].get_ydata())
    assert all(ax.get_xlabel() and ax.get_ylabel() for ax in figure.axes)


def test_class_bars_mark_the_right_class_by_more_than_color():
    _, ax = plots.subplots()
    bars = plots.class_bars(ax, [0.2, 0.8], right=1, names=["cat", "dog"])
    assert [bar.get_hatch() for bar in bars] == [None, "//"]
    assert [text.get_text() for text in ax.texts] == ["0.20", "0.80"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]


def test_class_counts_have_a_row_for_each_true_class():
    counts = plots.class_counts([0, 0, 1, 3], [0, 2, 1, 2], 4)
    assert counts.tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_class_table_writes_what_is_not_zero_and_shades_mistakes_only():
    _, ax = plots.subplots()
    image = plots.class_table(ax, [[5, 2], [0, 7]], names=("3", "8"))
    assert sorted(text.get_text() for text in ax.texts) == ["2", "5", "7"]
    assert image.get_array().tolist() == [[0, 2], [0, 0]]
    plots.class_table(ax, np.diag([3, 3]))


def test_weight_gallery_has_one_scale_around_zero_and_hides_empty_places():
    figure = plots.weight_gallery(np.arange(-12, 15).reshape(3, 9), names="abc", columns=2)
    panels = figure.axes[:4]
    assert [ax.get_title(loc="left") for ax in panels[:3]] == ["a", "b", "c"] and not panels[3].get_visible()
    assert {ax.images[0].get_clim() for ax in panels[:3]} == {(-14.0, 14.0)}
    assert plots.weight_gallery(np.zeros((2, 4))).axes[0].images[0].get_clim() == (-1.0, 1.0)


def test_image_row_and_spread_can_be_drawn():
    figure = plots.image_row(np.zeros((3, 8, 8)), ["a", "b", "c"])
    assert len(figure.axes) == 3
    figure, ax = plots.subplots()
    line = plots.spread(ax, np.arange(3.0), np.zeros(3), np.array([1.0, 2.0, 3.0]))
    assert line.get_ydata().tolist() == [0, 0, 0] and ax.get_ylim()[1] >= 6
    assert plots.png(figure).startswith(b"\x89PNG")
