"""Figures of activations: what is shaded, what the heat map's colors mean, and where the dots stand."""

import numpy as np
import pytest

from nnlib import plots


def test_the_shaded_share_is_where_the_slope_is_small():
    _, ax = plots.subplots()
    assert plots.activation_curve(ax, np.tanh, lambda z: 1 - np.tanh(z) ** 2) == pytest.approx(0.564, abs=2e-3)
    _, ax = plots.subplots()
    assert plots.activation_curve(ax, np.sign, lambda z: 0 * z) == 1
    assert np.isnan(ax.lines[0].get_ydata()).sum() <= 2  # a step is not joined by a line


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (-50.0, 50.0)])
def test_a_curve_without_jumps_has_no_gaps(bounds):
    _, ax = plots.subplots()
    plots.activation_curve(ax, lambda z: np.maximum(z, 0), lambda z: 1.0 * (z > 0), bounds)
    assert np.isfinite(ax.lines[0].get_ydata()).all()


def test_the_heat_map_shows_powers_of_ten_and_marks_zeros():
    figure, ax = plots.subplots()
    image = plots.layer_map(ax, [[1, 10, 1e-30, 0.0], [np.inf, np.nan, 100, 1]], ["one", "two"])
    shown = image.get_array()
    assert shown[0, 0] == 0 and shown[0, 1] == 1 and shown[0, 2] == -6 and shown[1, 2] == 2
    assert shown.mask[0, 3] and shown.mask[1, 0] and shown.mask[1, 1]
    crosses, = ax.lines
    assert sorted(zip(*crosses.get_data(), strict=True)) == [(1, 1), (2, 1), (4, 0)]
    bar = plots.layer_map_bar(figure, image, ax, "size")
    assert [label.get_text() for label in bar.ax.get_yticklabels()][3] == "1"
    assert len(plots.png(figure)) > 1000


@pytest.mark.parametrize("places", [["a", "b", "c"], [0.1, 1.0, 10.0]])
def test_every_run_is_a_dot_and_every_mean_a_bar(places):
    _, ax = plots.subplots()
    values = np.array([[1, 2, 3], [4, 4, 4], [0, 0, 6]])
    plots.runs(ax, places, values, log=not isinstance(places[0], str))
    dots, *bars = ax.lines
    assert len(dots.get_ydata()) == values.size
    assert [bar.get_ydata()[0] for bar in bars] == [2, 4, 2]
