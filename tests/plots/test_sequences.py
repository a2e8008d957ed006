"""Figures of paths around layers and of recurrent networks."""

import numpy as np
import pytest

from nnlib import plots


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_a_shortcut_shows_its_boxes_and_the_way_around_them():
    fig, ax = plots.subplots()
    plots.shortcut(ax, ["W1", "relu", "W2"], label="itself")
    assert {"x", "W1", "relu", "W2", "itself", "+", "output"} <= set(words(ax))
    fig.canvas.draw()


def test_without_the_way_around_there_is_no_plus():
    fig, ax = plots.subplots()
    plots.shortcut(ax, ["W1"], label="itself", skip=False)
    assert "+" not in words(ax) and "itself" not in words(ax)
    fig.canvas.draw()


@pytest.mark.parametrize("context", ["hidden", "output"])
def test_an_unrolled_network_has_a_column_for_each_step_and_an_arrow_between(context):
    fig, ax = plots.subplots()
    plots.unrolled(ax, 3, context, title="three steps")
    assert {f"${name}_{t}$" for name in "xhy" for t in (1, 2, 3)} <= set(words(ax)) and len(ax.patches) == 3
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    red = [a for a in arrows if a.arrowprops["color"] == plots.VERMILION]
    assert len(arrows) == 8 and len(red) == 2 and ax.get_title(loc="left") + ax.get_title() == "three steps"
    assert all((a.xyann[1] == 0) == (context == "hidden") for a in red)
    fig.canvas.draw()


def test_lag_curves_draw_each_run_thin_and_their_geometric_mean_thick():
    fig, ax = plots.subplots()
    lines = plots.lag_curves(ax, {"RNN": [[1, 0.1, 0.01], [1, 0.1, 0.0001]], "other": [1, 0.5, 0.0]}, floor=1e-8)
    assert np.allclose(lines[0].get_ydata(), [1, 0.1, 0.001]) and len(ax.lines) == 2 + 1 + 1 + 1
    assert [line.get_label() for line in lines] == ["RNN", "other"] and ax.get_ylim()[0] == 1e-8
    assert (lines[0].get_color(), lines[0].get_linestyle()) == plots.cell_look("RNN")
    fig.canvas.draw()


def test_cells_can_be_told_apart_without_color():
    looks = [plots.cell_look(name) for name in ("RNN", "LSTM", "GRU", "none of them")]
    assert len({style for _, style in looks}) == 4


def test_seed_traces_name_each_kind_once_and_show_a_level():
    fig, ax = plots.subplots()
    plots.seed_traces(ax, {"a": [[3, 2], [3, 1]], "b": [[2, 2], [2, 0]]}, 2.3, "guessing")
    named = [line.get_label() for line in ax.lines if not line.get_label().startswith("_")]
    assert named == ["a", "b", "guessing"] and len(ax.lines) == 5 and ax.get_xlabel() == "step"
    plots.seed_traces(ax, {"a": [1, 2]})
    fig.canvas.draw()


def test_rate_dots_show_every_run_at_its_rate():
    fig, ax = plots.subplots()
    plots.rate_dots(ax, {"RNN": [0.01, 0.1], "GRU": [0.01]}, {"RNN": [[0.3, 0.4], [0.5, 0.6]], "GRU": [[1, 1]]}, 1 / 3)
    dots = [line for line in ax.lines if line.get_marker() not in ("None", "")]
    assert sum(len(line.get_ydata()) for line in dots) == 6 and ax.get_xscale() == "log"
    assert all(np.any(np.isclose(line.get_xdata()[0] / 0.01, 1, atol=0.15)) for line in dots)
    assert [line.get_label() for line in ax.lines if not line.get_label().startswith("_")] == ["RNN", "GRU", "guessing"]
    plots.rate_dots(ax, {"LSTM": [1.0]}, {"LSTM": [[0.5]]})
    fig.canvas.draw()
