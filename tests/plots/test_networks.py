"""Figures of convolutional networks."""

import numpy as np
import pytest

from nnlib import plots


def test_a_stage_shows_the_image_the_kernel_and_every_map_with_its_size():
    rng = np.random.default_rng(0)
    rows = [(rng.normal(size=(3, 3)), *(rng.normal(size=(n, n)) for n in (8, 8, 4))) for _ in range(2)]
    figure = plots.stage_maps(rng.random((8, 8)), rows)
    axes = [ax for ax in figure.axes if ax.get_xlabel()]
    assert len(axes) == 10 and axes[0].get_xlabel() == "8×8" and axes[9].get_xlabel() == "4×4"
    limits = [ax.images[0].get_clim() for ax in axes]
    assert limits[2] == limits[4] == limits[8] and limits[1] == limits[6] and limits[2][0] == -limits[2][1]
    assert plots.png(figure)


def test_layer_costs_are_shares_of_the_whole():
    _, ax = plots.subplots()
    plots.layer_costs(ax, ["one", "two", "three"], [1, 3, 4], [0, 1, 1])
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert widths == [[12.5, 37.5, 50.0], [0.0, 50.0, 50.0]]
    assert [text.get_text() for text in ax.texts][:2] == ["12.5%", "37.5%"]


@pytest.mark.parametrize("table", [np.zeros((2, 3)), np.array([[1.0, -2.5], [0, 4]])])
def test_number_tables_write_every_number_and_frame_what_is_marked(table):
    marks = np.zeros(table.shape, dtype=bool)
    marks[0, 1] = True
    figure = plots.number_tables([table, table], ["before", "after"], [None, marks])
    assert [text.get_text() for text in figure.axes[0].texts] == [f"{value:g}" for value in table.ravel()]
    assert [len(ax.patches) for ax in figure.axes] == [0, 1]
    low, high = figure.axes[0].images[0].get_clim()
    assert low == -high < 0


def test_a_digit_map_draws_every_class_that_there_is():
    _, ax = plots.subplots()
    plots.digit_map(ax, np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 7)
    assert len(ax.collections) == 7 and sum(len(c.get_offsets()) for c in ax.collections) == 30


def test_breaking_curves_show_mean_and_seeds_and_a_model_looks_the_same_everywhere():
    results = {"MLP": np.array([[0.9, 1.0], [0.5, 0.7]]), "another": np.array([[0.9, 1.0], [0.5, 0.5]])}
    looks = []
    for order in (results, dict(reversed(results.items()))):
        _, ax = plots.subplots()
        lines = {line.get_label(): line for line in plots.breaking_curves(ax, [0, 1], order)}
        assert np.allclose(lines["MLP"].get_ydata(), [0.95, 0.6]) and len(ax.collections) == 2
        looks.append(lines["MLP"].get_color())
    assert looks[0] == looks[1]
