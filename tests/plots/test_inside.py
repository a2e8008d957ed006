"""Figures of what a trained network holds."""

import numpy as np
import pytest

from nnlib import architecture, plots
from nnlib.plots.inside import PARTS


def test_a_mosaic_has_empty_cells_between_its_maps():
    whole = plots.mosaic(np.arange(3 * 2 * 4).reshape(3, 2, 4), columns=2)
    assert whole.shape == (5, 9) and np.isnan(whole[2]).all() and np.isnan(whole[:, 4]).all()
    assert whole[3:, :4].tolist() == [[16, 17, 18, 19], [20, 21, 22, 23]] and np.isnan(whole[3:, 5:]).all()
    assert plots.mosaic(np.ones((3, 2, 2)), gap=0).shape == (2, 6)


def test_signed_images_have_zero_in_the_middle():
    _, axes = plots.subplots(1, 3)
    assert plots.signed_image(axes[0], np.array([[-2.0, 1, np.nan]])).get_clim() == (-2, 2)
    assert plots.signed_image(axes[1], np.zeros((2, 2))).get_clim() == (-1, 1)
    assert plots.signed_image(axes[2], np.ones((2, 2)), limit=5).get_clim() == (-5, 5)


@pytest.mark.parametrize("signed, inks", [(False, 4), (True, 0), ((False, True), 2), ([[False], [True]], 2)])
def test_a_table_of_pictures_tells_ink_from_signs(signed, inks):
    figure = plots.image_table(np.random.default_rng(0).random((2, 2, 3, 4)), ("left", "right"), ("up", "down"), signed)
    assert sum(ax.images[0].get_cmap().name == "gray_r" for ax in figure.axes) == inks
    assert [ax.get_title(loc="center") for ax in figure.axes] == ["left", "right", "", ""]
    assert [figure.axes[k].get_ylabel() for k in (0, 2)] == ["up", "down"]
    assert plots.png(figure)


def test_signed_pictures_have_one_scale_where_a_limit_says_so():
    rows = [[np.ones((2, 2)), 3 * np.ones((2, 2))]]
    limits = [[ax.images[0].get_clim()[1] for ax in plots.image_table(rows, signed=True, limit=limit).axes]
              for limit in (None, 4)]
    assert limits == [[1, 3], [4, 4]]


def test_a_table_of_pictures_may_have_gaps():
    figure = plots.image_table([[np.ones((2, 2)), None], [np.ones((2, 2))]])
    assert [bool(ax.images) for ax in figure.axes] == [True, False, True, False]
    assert plots.png(figure)


def test_a_stack_of_features_has_a_row_for_each_layer_and_numbers_few_units():
    rng = np.random.default_rng(0)
    layers = {"maps": rng.normal(size=(3, 4, 5)), "hidden": rng.normal(size=20), "scores": rng.normal(size=10)}
    figure = plots.feature_stack(rng.random((8, 8)), layers)
    assert [ax.get_ylabel() for ax in figure.axes] == ["image", "maps\n3×4×5", "hidden\n20", "scores\n10"]
    assert figure.axes[1].images[0].get_array().shape == (4, 17)
    assert [len(ax.texts) for ax in figure.axes] == [0, 0, 0, 10] and plots.png(figure)


def test_bands_reach_from_the_lowest_to_the_highest_seed():
    _, ax = plots.subplots()
    one, other = plots.seed_bands(ax, [0, 1], {"a": np.array([[0.0, 1, 2], [3, 3, 3]]), "b": np.zeros((2, 4))})
    assert one.get_ydata().tolist() == [1, 3] and other.get_label() == "b" and one.get_color() != other.get_color()
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0, 3)


def test_towers_have_a_block_for_everything_with_weights():
    networks = [architecture.LENET5, architecture.GOOGLENET]
    figure = plots.network_towers(networks, ["old", "new"])
    for ax, network, name in zip(figure.axes, networks, ("old", "new"), strict=True):
        assert len(ax.patches) == sum(type(layer) in PARTS for layer in network.layers)
        heights = [patch.get_height() for patch in ax.patches]
        assert heights == sorted(heights, reverse=True) and ax.texts[0].get_text() == name
    assert plots.png(figure)


def test_towers_take_the_networks_names():
    figure = plots.network_towers([architecture.ALEXNET])
    assert figure.axes[0].texts[0].get_text() == "AlexNet"


def test_costs_stand_where_they_belong():
    _, ax = plots.subplots()
    plots.network_costs(ax, ["a", "b"], [10, 1000], [1e6, 1e8], {"b": (-9, 0)})
    assert ax.lines[0].get_xydata().tolist() == [[1e6, 10], [1e8, 1000]]
    assert [text.get_ha() for text in ax.texts] == ["left", "right"] and ax.get_xscale() == ax.get_yscale() == "log"
