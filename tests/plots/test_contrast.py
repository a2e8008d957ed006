"""Colors: what is written and drawn can be seen on paper, by readers of every kind of color vision too."""

from itertools import combinations

import numpy as np
import pytest
import support
from legible import faults
from matplotlib.colors import to_hex, to_rgb

from nnlib import plots
from nnlib.plots.base import LIGHT

INKS = {name: getattr(plots, name) for name in ("INK", "GRAY", "RUST")}
LINES = {name: getattr(plots, name) for name in ("NEGATIVE", "GREEN", "VERMILION", "PURPLE", "INK", "GRAY")}
# Machado, Oliveira and Fernandes (2009), A physiologically-based model for simulation of color vision deficiency:
# their matrices for linear RGB at severity 1.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]}
SRGB = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                 [0.0193339, 0.1191920, 0.9503041]])  # linear RGB to XYZ, white D65


@pytest.fixture
def legible_figures():
    """Here figures are made to break the rules; they are not looked at afterwards."""


def seen(color, vision="usual"):
    """CIE L*a*b* of a color as an eye with this vision sees it: (3,)."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(VISIONS[vision]) @ linear, 0, 1)
    x, y, z = np.cbrt(SRGB @ linear / SRGB.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one, other, vision="usual"):
    """How different two colors look: 2 is just noticed side by side, 20 is another color at a glance (CIE 1976)."""
    return float(np.linalg.norm(seen(one, vision) - seen(other, vision)))


def test_contrast_is_that_of_the_guidelines():
    assert plots.contrast("white", "black") == pytest.approx(21) and plots.contrast("#777777", "#777777") == 1
    for one, other in combinations([*INKS.values(), *LINES.values(), "#ffffff"], 2):
        assert plots.contrast(one, other) == pytest.approx(support.contrast(one, other))


def test_the_simulated_eyes_see_what_they_are_known_for():
    gray = [seen(color, vision)[1:] for color in ("white", "black", "#777777") for vision in VISIONS]
    assert np.abs(gray).max() < 1, "gray stays gray"
    red, green = "#B22222", "#4F7A1E"
    assert difference(red, green) > 2.5 * difference(red, green, "deuteranopia")
    assert difference("#0000FF", "#008080", "tritanopia") < difference("#0000FF", "#008080")


@pytest.mark.parametrize("ground", ["white", "#F7F7F7"])
def test_text_can_be_read(ground):
    assert {name: float(plots.contrast(color, ground)) for name, color in INKS.items()
            if plots.contrast(color, ground) < 4.5} == {}


def test_lines_can_be_seen_and_what_is_too_light_for_a_line_gets_a_dark_edge():
    assert {name for name, color in LINES.items() if plots.contrast(color, "white") < 3} == set()
    for color in {*plots.CYCLE, *LIGHT, plots.YELLOW}:
        light = plots.contrast(color, "white") < 3
        assert light == (color in LIGHT) == bool(plots.casing(color))


def test_black_or_white_is_read_on_every_color():
    shades = np.array(np.meshgrid(*[np.linspace(0, 1, 9)] * 3)).reshape(3, -1).T
    worst = min(float(plots.contrast(plots.text_on(to_hex(shade)), shade)) for shade in shades)
    assert worst > 4.5 and plots.text_on(plots.NEGATIVE) == "white" and plots.text_on(plots.POSITIVE) == "black"


@pytest.mark.parametrize("vision", VISIONS)
def test_colors_that_mean_something_look_different_to_every_eye(vision):
    assert difference(plots.NEGATIVE, plots.POSITIVE, vision) > 60  # the classes, the signs of weights
    low, middle, high = (to_hex(plots.DIVERGING(place)) for place in (0.0, 0.5, 1.0))
    assert min(difference(low, middle, vision), difference(high, middle, vision)) > 40
    for one, other in combinations(plots.CYCLE, 2):
        assert difference(one, other, vision) > 8, f"{one} and {other}"


def test_half_of_a_blue_and_orange_map_is_told_from_the_other_half():
    for vision in VISIONS:
        for strength in (0.1, 0.25, 0.5):
            pair = [to_hex(plots.DIVERGING(0.5 + side * strength)) for side in (-1, 1)]
            assert difference(*pair, vision) > 10


def figure(**looks):
    fig, ax = plots.subplots(width=4, height=3)
    ax.plot([0, 1], [0, 1], "-", color=plots.INK, label="one")
    ax.plot([0, 1], [1, 0], **{"linestyle": "--", "color": plots.VERMILION, "label": "other"} | looks)
    return fig, ax


def test_a_figure_that_keeps_the_rules_has_no_faults():
    fig, ax = figure()
    ax.legend()
    ax.text(0.5, 0.9, "read me", color=plots.GRAY)
    assert faults(fig) == []


@pytest.mark.parametrize("looks, fault", [
    ({"linestyle": "-"}, "lines 'one' and 'other' differ by color alone"),
    ({"color": plots.SKY}, "line 'other' in #56B4E9: contrast 2.31"),
    ({"linestyle": "", "marker": "o", "color": plots.POSITIVE}, "marks 'other' in .*: contrast 2.25"),
    ({"alpha": 0.4}, "line 'other' in #D55E00: contrast")])
def test_lines_that_are_pale_or_alike_are_found(looks, fault):
    fig, _ = figure(**looks)
    assert len(faults(fig)) == 1
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError(faults(fig))


def test_a_dark_edge_a_marker_or_another_width_is_enough():
    for looks in ({"color": plots.SKY, "path_effects": plots.casing(plots.SKY)}, {"linestyle": "-", "marker": "s"},
                  {"linestyle": "-", "linewidth": 5}):
        assert faults(figure(**looks)[0]) == []


@pytest.mark.parametrize("text, found", [
    ({"color": plots.POSITIVE}, True), ({"color": plots.INK, "alpha": 0.3}, True), ({"color": plots.INK}, False),
    ({"color": "white"}, True), ({"color": "white", "bbox": {"facecolor": plots.NEGATIVE}}, False),
    ({"color": plots.VERMILION, "fontsize": 20}, False), ({"color": plots.VERMILION}, True)])
def test_text_is_judged_on_what_is_under_it(text, found):
    fig, ax = plots.subplots(width=4, height=3)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.text(0.1, 0.5, "can you read this?", **text)
    assert [fault.startswith("text 'can you read this?': contrast") for fault in faults(fig)] == [True] * found


def test_text_on_a_picture_is_judged_by_its_pixels():
    for ground, found in ((0.0, ["text 'dark on dark': contrast 1.00, needs 4.5"]), (1.0, [])):
        fig, ax = plots.subplots(width=4, height=3)
        ax.imshow(np.full((2, 2), ground), cmap="gray", vmin=0, vmax=1)
        ax.text(0, 0, "dark on dark", color="black")
        assert faults(fig) == found


def test_areas_of_a_legend_need_a_hatch_or_another_lightness():
    for second, found in (({"color": plots.GREEN}, 1), ({"color": plots.GREEN, "hatch": "//"}, 0),
                          ({"color": plots.YELLOW}, 0)):
        fig, ax = plots.subplots(width=4, height=3)
        ax.bar([0], [1], color=plots.NEGATIVE, label="first")
        ax.bar([1], [1], label="second", **second)
        ax.legend()
        assert len(faults(fig)) == found
