"""Figures of what hidden units do."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from nnlib import plots
from nnlib.plots.plane import MARKERS

SQUARE = (-2, 2, -2, 2)


def test_sign_map_shows_two_colors_where_answers_are_positive_and_negative():
    fig, ax = plots.subplots()
    plots.sign_map(ax, lambda X: 7 * X[:, 0] - 0.5, SQUARE, resolution=5)
    image, = ax.images
    assert np.array_equal(image.get_array(), np.tile([-1, -1, -1, 1, 1], (5, 1)))
    low, high = (to_hex(image.cmap(image.norm(value))).upper() for value in (-1, 1))
    assert (low, high) == (plots.NEGATIVE, plots.POSITIVE) and ax.get_xlim() == (-2, 2)


def test_half_planes_draw_each_line_and_an_arrow_to_its_positive_side():
    W, b = np.array([[1.0, 1.0], [0.0, -2.0], [3.0, 0.0]]), np.array([0.0, 2.0, -3.0])
    fig, ax = plots.subplots(width=4, height=4)
    plots.half_planes(ax, W, b, SQUARE, names=["one", "two", "three"])
    for w, bias, line in zip(W, b, ax.lines, strict=True):
        assert np.allclose(np.stack(line.get_data(), axis=1) @ w + bias, 0)
    arrows = [note for note in ax.texts if getattr(note, "arrow_patch", None)]
    assert all(w @ arrow.xy + bias > 0.1 for w, bias, arrow in zip(W, b, arrows, strict=True))
    assert {"one", "two", "three"} <= {text.get_text() for text in ax.texts}


def test_half_planes_leave_out_what_does_not_cross_the_picture():
    fig, ax = plots.subplots()
    plots.half_planes(ax, [[1, 0], [0, 0], [0, 1]], [9, 1, 0], SQUARE)
    assert len(ax.lines) == 1


def test_arrows_begin_where_they_are_told():
    fig, ax = plots.subplots()
    plots.half_planes(ax, [[1, 0], [0, 1]], [0, 0], SQUARE, feet=[[0, 1.5], [-1.5, 0]])
    arrows = [note for note in ax.texts if getattr(note, "arrow_patch", None)]
    assert [tuple(np.round(arrow.xyann, 9)) for arrow in arrows] == [(0, 1.5), (-1.5, 0)]


@pytest.mark.parametrize("w", [(1, 1), (1, -1), (2, 1), (0, 1), (1, 0)])
def test_a_line_through_corners_of_the_picture_has_two_ends(w):
    fig, ax = plots.subplots()
    plots.half_planes(ax, [w], [0], SQUARE)
    ends = np.stack(ax.lines[0].get_data(), axis=1)
    assert ends.shape == (2, 2) and np.linalg.norm(ends[1] - ends[0]) >= 4


def test_unit_maps_give_each_unit_its_own_scale_and_examples_their_signs():
    fig, axes = plots.subplots(1, 3)
    X, t = np.array([[-1.0, 0], [1, 1]]), np.array([0, 1])
    plots.unit_maps(axes, lambda P: np.stack([P[:, 0], 100 * P[:, 1], 0 * P[:, 0]], axis=1), SQUARE, X, t, 20)
    assert [ax.images[0].norm.vmax for ax in axes] == [2, 200, 1]
    assert [ax.get_title(loc="left") for ax in axes] == ["unit 1", "unit 2", "unit 3"]
    assert all(sum(isinstance(c, PathCollection) for c in ax.collections) == len(MARKERS) for ax in axes)
    fig.canvas.draw()


def test_bumps_show_the_sum():
    x = np.linspace(0, 1, 11)
    parts = np.array([x, 1 - x, np.zeros(11)])
    fig, ax = plots.subplots()
    plots.bumps(ax, x, parts, np.full(11, 0.5))
    target, total = ax.lines
    assert np.allclose(target.get_ydata(), 0.5) and np.allclose(total.get_ydata(), 1) and len(ax.collections) == 3
    assert ax.get_legend_handles_labels()[1] == ["the bumps", "the curve", "their sum"]
    fig, ax = plots.subplots()
    assert len(plots.bumps(ax, x, parts).lines) == 1


def test_network_shape_draws_units_and_connections_and_says_what_is_left_out():
    fig, ax = plots.subplots()
    plots.network_shape(ax, [2, 40, 1], most=6)
    circles = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(circles) == 2 + 6 + 1 and len(ax.lines) - len(circles) == 2 * 6 + 6
    assert [text.get_text() for text in ax.texts] == ["2", "40\n(6 drawn)", "1"]


def test_error_bars_are_means_and_standard_deviations():
    fig, ax = plots.subplots()
    plots.error_bars(ax, [1, 2], [[1, 2, 3], [5, 5, 5]], "seeds")
    (mean, caps, (bar,)), = ax.containers
    assert mean.get_ydata().tolist() == [2, 5] and len(caps) == 2
    assert np.allclose([segment[:, 1] for segment in bar.get_segments()], [[1, 3], [5, 5]])
    assert len(ax.lines[0].get_xdata()) == 6
