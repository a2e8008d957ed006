"""Figures of descents."""

import numpy as np
import pytest

from nnlib import plots


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_curve_path_has_a_dot_at_every_step_and_a_ring_at_the_start(shape):
    points = np.linspace(-2, 1, 5)
    fig, ax = plots.subplots()
    line = plots.curve_path(ax, np.square, points.reshape(shape), (-3, 3))
    assert np.allclose(line.get_xydata(), np.stack([points, points**2], axis=1))
    assert ax.get_xlim() == (-3, 3) and ax.get_xlabel() and ax.get_ylabel()
    assert any(np.allclose(other.get_xydata(), [[-2, 4]]) for other in ax.lines)


def test_batch_strip_names_every_example_and_draws_a_bar_after_every_update():
    epochs = [[[3, 1], [0, 2], [4]], [[4, 2], [1, 0], [3]]]
    fig, ax = plots.subplots()
    plots.batch_strip(ax, epochs)
    assert [int(text.get_text()) for text in ax.texts] == [3, 1, 0, 2, 4, 4, 2, 1, 0, 3]
    assert [line.get_xdata()[0] for line in ax.lines] == [2, 4, 5, 2, 4, 5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["epoch 1", "epoch 2"]
    shades = [patch.get_facecolor() for patch in ax.patches]
    assert shades[0] == shades[1] != shades[2]
