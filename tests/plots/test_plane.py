"""Figures in the plane: each draws the data that it is given, where they are."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from nnlib import GradientError, Tensor, datasets, plots

BOUNDS = (-2.0, 3.0, -1.0, 1.5)


@pytest.fixture
def ax():
    return plots.subplots()[1]


def test_grid_and_evaluate_agree_on_the_order_of_points():
    x, y = plots.grid(BOUNDS, resolution=5)
    assert x.shape == y.shape == (5, 5) and (x[0, 0], x[0, -1], y[0, 0], y[-1, 0]) == BOUNDS
    x, y, values = plots.evaluate(lambda points: 10 * points[:, 0] + points[:, 1], BOUNDS, 7)
    np.testing.assert_allclose(values, 10 * x + y)


def test_a_function_may_return_a_tensor_that_has_no_graph():
    plain = plots.evaluate(lambda points: points[:, 0], BOUNDS, 5)[2]
    np.testing.assert_array_equal(plots.evaluate(lambda points: Tensor(points)[:, 0], BOUNDS, 5)[2], plain)
    with pytest.raises(GradientError, match=r"take \.data"):
        plots.evaluate(lambda points: Tensor(points, requires_grad=True)[:, 0], BOUNDS, 5)


def test_bounds_leave_room():
    left, right, bottom, top = plots.bounds_of(np.array([[0.0, -1.0], [10.0, 1.0]]), margin=0.1)
    assert (left, right, bottom, top) == pytest.approx((-1, 11, -1.2, 1.2))


def test_classes_differ_in_color_and_shape(ax):
    data = datasets.make_moons(30)
    plots.scatter_classes(ax, data.X, data.t, names=("benign", "malignant"))
    circles, triangles = ax.collections
    np.testing.assert_array_equal(circles.get_offsets(), data.X[data.t == 0])
    np.testing.assert_array_equal(triangles.get_offsets(), data.X[data.t == 1])
    assert len(circles.get_paths()[0].vertices) != len(triangles.get_paths()[0].vertices)
    assert to_rgba(plots.NEGATIVE, 0.85) == pytest.approx(circles.get_facecolor()[0])
    assert to_rgba(plots.POSITIVE, 0.85) == pytest.approx(triangles.get_facecolor()[0])
    assert [c.get_label() for c in ax.collections] == ["benign", "malignant"]


@pytest.mark.filterwarnings("error")
def test_a_class_without_members_is_no_error(ax):
    plots.scatter_classes(ax, np.zeros((3, 2)), np.ones(3, int))
    plots.png(ax.figure)


def test_decision_map_has_each_probability_in_its_place(ax):
    image = plots.decision_map(ax, lambda X: (X[:, 0] > 1) * 0.8 + 0.1, BOUNDS, resolution=11)
    p = image.get_array()
    assert image.get_extent() == list(BOUNDS) or tuple(image.get_extent()) == BOUNDS
    assert image.origin == "lower" and image.get_clim() == (0, 1)
    assert p[0, 0] == 0.1 and p[0, -1] == pytest.approx(0.9)
    line = ax.collections[0].get_paths()[0].vertices
    assert 0.5 <= line[:, 0].min() and line[:, 0].max() <= 1.5
    assert ax.get_xlim() == BOUNDS[:2] and ax.get_ylim() == BOUNDS[2:]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_a_decision_map_without_a_boundary(ax, p):
    plots.decision_map(ax, lambda X: np.full((len(X), 1), p), BOUNDS, resolution=10)
    assert not ax.collections
    plots.png(ax.figure)


def test_contours_are_evenly_spaced_in_the_logarithm(ax):
    lines = plots.contours(ax, lambda w: 0.5 * w[:, 0] ** 2 + 12.5 * w[:, 1] ** 2, BOUNDS, levels=8)
    assert len(lines.levels) == 8 and np.ptp(np.diff(np.log(lines.levels))) < 1e-9
    for path, level in zip(lines.get_paths(), lines.levels, strict=True):
        x, y = path.vertices.T
        assert 0.5 * x**2 + 12.5 * y**2 == pytest.approx(np.full(len(x), level), rel=0.2, abs=0.01)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("function", [lambda w: w[:, 0], lambda w: 0 * w[:, 0] + np.hypot(*w.T),
                                      lambda w: w[:, 0] ** 2])
def test_contours_of_heights_that_are_negative_or_zero(ax, function):
    plots.contours(ax, function, BOUNDS)
    plots.contours(ax, function, BOUNDS, levels=[0.5, 1.0], log=False)
    plots.png(ax.figure)


def test_a_path_shows_every_step_and_rings_its_start(ax):
    points = np.array([[1.0, 2.0], [0.5, 1.0], [0.0, 0.0]])
    line = plots.path(ax, points, color=plots.INK, label="descent")
    np.testing.assert_array_equal(line.get_xydata(), points)
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), points[:1])
    assert line.get_label() == "descent" and line.get_marker() == "o"


@pytest.mark.parametrize("log", [True, False])
def test_a_trace_counts_steps_from_zero(ax, log):
    line = plots.trace(ax, [3.0, 2.0, 1.0], label="train", log=log)
    np.testing.assert_array_equal(line.get_xydata(), [[0, 3], [1, 2], [2, 1]])
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "log" if log else "linear")
