"""The figures of notebook 00: what is drawn must be what is said."""

import numpy as np
import pytest

from nnlib import plots, sigmoid
from nnlib.plots.history import ERAS, EVENTS, KINDS


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_timeline_shows_every_event_once_in_its_year():
    figure, ax = plots.subplots(width=8.8, height=5.2)
    plots.timeline(ax)
    places = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert [year for year, _, _ in EVENTS] == sorted(year for year, _, _ in EVENTS)
    for year, what, kind in EVENTS:
        assert places[f"{year}  {what}"] == year and kind in KINDS
    assert all(name in places for _, _, name in ERAS)


def test_timeline_texts_do_not_overlap_or_leave_the_picture():
    figure, ax = plots.subplots(width=8.8, height=5.2)
    plots.timeline(ax)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts] + [ax.get_legend().get_window_extent()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(0 <= box.x0 and box.x1 <= figure.bbox.width for box in boxes)


@pytest.mark.parametrize("x, w, b", [([1, 0.5, 2], [1.5, -2, 0.5], -1), ([1.0], [0.0], 0.0),
                                     (np.ones(5), -np.ones(5), 2)])
def test_artificial_neuron_shows_its_sum_and_output(x, w, b):
    figure, ax = plots.subplots()
    plots.artificial_neuron(ax, x, w, b, sigmoid, "sigmoid")
    z = np.dot(w, x) + b
    assert f"sum + b\n{z:g}" in texts(ax) and f"{sigmoid(z):.3g}" in texts(ax)
    assert sum(text.startswith("$w_") for text in texts(ax)) == len(x)
    assert plots.png(figure).startswith(b"\x89PNG")


def test_artificial_neuron_tells_signs_by_color_and_by_dashes():
    figure, ax = plots.subplots()
    plots.artificial_neuron(ax, [1, 1], [2, -2], 0, sigmoid)
    positive, negative = ax.lines[:2]
    assert positive.get_color() == plots.POSITIVE and negative.get_color() == plots.NEGATIVE
    assert positive.get_linestyle() != negative.get_linestyle()


def test_nerve_cell_names_its_parts_without_overlap():
    figure, ax = plots.subplots(width=4.7, height=3.0)
    plots.nerve_cell(ax)
    figure.canvas.draw()
    assert {"dendrites", "synapses", "cell body", "axon", "terminals"} <= {t.split(":")[0] for t in texts(ax)}
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
