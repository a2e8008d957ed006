"""What the figures of chapter 11 draw: the numbers that they are given, and no others."""

import numpy as np
import pytest

from nnlib import plots


@pytest.fixture
def ax():
    return plots.subplots(width=6.0, height=3.0)[1]


def test_error_curves_of_one_run_and_of_several(ax):
    train, validation = plots.error_curves(ax, [0.5, 0.2], [0.6, 0.4], best=2)
    assert np.allclose(train.get_ydata(), [0.5, 0.2]) and np.allclose(validation.get_xdata(), [1, 2])
    assert np.allclose(ax.lines[-1].get_xydata(), [[2, 0.4]])
    several, _ = plots.error_curves(ax, [[0.5, 0.2], [0.7, 0.4]], [[1, 1], [3, 5]])
    assert np.allclose(several.get_ydata(), [0.6, 0.3])


def test_bars_of_bias_and_variance_stand_on_each_other(ax):
    low, high = plots.bias_variance(ax, ["small", "big"], [0.5, 0.2], [0.1, 0.3])
    assert [bar.get_height() for bar in low] == [0.5, 0.2]
    assert np.allclose([(bar.get_y(), bar.get_height()) for bar in high], [(0.5, 0.1), (0.2, 0.3)])
    assert [text.get_text() for text in ax.texts] == ["0.50", "0.20", "0.10", "0.30"]


def test_weights_are_sorted_and_zeros_are_left_out(ax):
    all_there, sparse = plots.weight_sizes(ax, {"plain": [[1, -3], [2, 0.5]], "L1": [0, 0, -0.1, 2]})
    assert np.allclose(all_there.get_xydata(), [[25, 3], [50, 2], [75, 1], [100, 0.5]])
    assert np.allclose(sparse.get_xydata(), [[25, 2], [50, 0.1]])
    assert np.allclose(ax.lines[-1].get_xydata(), [[50, 0.1]])


def test_all_weights_zero_draw_no_line(ax):
    line, = plots.weight_sizes(ax, {"dead": np.zeros(4)})
    assert not len(line.get_xdata())
    plots.png(ax.figure)


def test_each_patience_is_marked_where_it_stops_and_what_it_keeps(ax):
    plots.patience_stops(ax, [3.0, 2.0, 2.5, 2.6], {1: (3, 2), 10: (4, 2)})
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    bars = [line for line in ax.lines if line.get_marker() == "|"]
    assert [line.get_xdata()[0] for line in dots] == [2, 2] and [line.get_xdata()[0] for line in bars] == [3, 4]
    assert [text.get_text() for text in ax.texts] == ["patience 1", "patience 10"]


def test_rows_of_remedies_with_costs_and_the_line_of_the_plain_network(ax):
    plots.remedy_dots(ax, {"plain": [0.2, 0.4], "L2": [0.1, 0.1]}, {"plain": "1", "L2": "1.0"}, baseline="plain")
    assert np.allclose(ax.lines[0].get_xdata(), 0.3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["plain", "L2"]
    assert [text.get_text() for text in ax.texts] == ["1", "1.0"]
    assert ax.get_ylim() == (1.5, -0.5)
    plots.remedy_dots(plots.subplots()[1], {"one seed": [0.2]})
