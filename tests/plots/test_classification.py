"""Figures of a linear classifier."""

import numpy as np
import pytest

from nnlib import plots
from nnlib.datasets import load_digits, make_blobs


@pytest.mark.parametrize("w, b", (((1.0, 2.0), -1.0), ((0.0, 3.0), 1.0), ((2.0, 0.0), 0.0)))
def test_boundary_line_lies_where_the_score_is_zero(w, b):
    _, ax = plots.subplots()
    line = plots.boundary_line(ax, w, b)
    for point in (line.get_xy1(), line.get_xy2()):
        assert np.dot(w, point) + b == pytest.approx(0, abs=1e-12)


def test_no_weights_no_boundary_line():
    _, ax = plots.subplots()
    assert plots.boundary_line(ax, (0, 0), 1.0) is None and not ax.lines


def test_filmstrip_has_a_titled_panel_for_each_state():
    data = make_blobs(20)
    figure = plots.filmstrip(data.X, data.t, [(np.zeros(2), 0.0), (np.ones(2), 0.5)], ["start", "end"])
    panels = figure.axes
    assert [ax.get_title(loc="left") for ax in panels] == ["start", "end"]
    assert all(ax.get_xlabel() for ax in panels) and panels[0].get_ylabel()
    assert plots.png(figure).startswith(b"\x89PNG")


def test_margin_losses_agree_far_from_zero_and_only_one_is_smooth():
    _, ax = plots.subplots()
    logistic, perceptron, mistakes = (line.get_ydata() for line in plots.margin_losses(ax, limit=20))
    assert logistic[0] == pytest.approx(perceptron[0]) and perceptron[-1] == 0 < logistic[-1] < 1e-8
    assert set(mistakes) == {0.0, 1.0}


def test_weight_image_is_symmetric_around_zero_even_without_weights():
    _, ax = plots.subplots()
    image = plots.weight_image(ax, np.arange(-3.0, 6.0), 3)
    assert image.get_clim() == (-5.0, 5.0) and ax.get_xlabel() and ax.get_ylabel()
    assert plots.weight_image(ax, np.zeros(9), 3).get_clim() == (-1.0, 1.0)


def test_digit_weights_shows_the_image_that_is_judged_most_wrongly():
    train, test = load_digits((3, 8)).split()
    p = np.where(test.t == 1, 0.9, 0.1)
    worst = int(np.flatnonzero(test.t == 1)[4])
    p[worst] = 0.07
    figure = plots.digit_weights(train, test, np.ones(64), p)
    titles = [ax.get_title(loc="left") for ax in figure.axes[:4]]
    assert titles == ["mean 3", "mean 8", "true 8, p(8) = 0.07", "weights"]
    assert np.array_equal(figure.axes[2].images[0].get_array(), test.images[worst, 0])


def test_evidence_is_sorted_with_its_names_and_colors():
    figure, ax = plots.subplots()
    bars = plots.evidence(ax, ["a", "b", "c"], [1.0, -2.0, 3.0])
    figure.canvas.draw()
    assert [bar.get_width() for bar in bars] == [-2, 1, 3]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["b", "a", "c"]
    assert bars[0].get_facecolor() != bars[1].get_facecolor() == bars[2].get_facecolor()


def test_confusion_counts_rows_are_the_truth():
    counts = plots.confusion_counts([0, 0, 0, 1, 1], [False, True, True, True, False])
    assert counts.tolist() == [[1, 2], [1, 1]]
    _, ax = plots.subplots()
    plots.confusion(ax, counts, ("benign", "malignant"))
    assert [text.get_text() for text in ax.texts] == ["1", "2", "1", "1"] and ax.get_ylabel() == "true"
