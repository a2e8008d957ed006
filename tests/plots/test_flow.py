"""Figures of what flows through a network."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from nnlib import plots

W = [np.array([[1.0, 0.5], [-1.0, 1.0], [2.0, -3.0]]), np.array([[3.0, -1.0, 0.25]])]
NODES = [[1, 2], [2, 1, -4], [4]]


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


@pytest.mark.parametrize("backward", [False, True])
def test_network_shows_every_unit_and_every_connection(backward):
    fig, ax = plots.subplots()
    plots.network(ax, W, NODES, backward=backward, names=["inputs", "hidden", "output"])
    assert sum(isinstance(patch, Circle) for patch in ax.patches) == 6
    arrows = [note for note in ax.texts if hasattr(note, "arrow_patch") and note.arrow_patch]
    assert len(arrows) == W[0].size + W[1].size
    points_right = [note.xy[0] > note.xyann[0] for note in arrows]
    assert all(points_right) != backward and any(points_right) != backward
    assert {"inputs", "hidden", "output", "0.25", "\N{MINUS SIGN}3", "\N{MINUS SIGN}4"} <= set(texts(ax))


def test_network_colors_connections_by_the_sign_of_their_weight():
    fig, ax = plots.subplots()
    plots.network(ax, [np.array([[1.0, -1.0]])], [[1, 1], [0]], edges=[np.array([[-7.0, 8.0]])])
    colors = [to_hex(note.arrow_patch.get_edgecolor()).upper()
              for note in ax.texts if getattr(note, "arrow_patch", None)]
    assert colors == [plots.POSITIVE, plots.NEGATIVE] and "8" in texts(ax)


def test_layer_flow_writes_each_array_and_its_gradient_with_one_shape():
    fig, ax = plots.subplots()
    plots.layer_flow(ax, ["linear", "loss"], [("X", (5, 4)), ("Z", (5, 3)), ("L", ())],
                     {0: [("W", (3, 4)), ("b", (3,))]})
    shown = texts(ax)
    assert {"X\n(5, 4)", "dX\n(5, 4)", "Z\n(5, 3)", "dZ\n(5, 3)", "dL\n= 1", "W (3, 4)\nb (3,)",
            "dW (3, 4)\ndb (3,)", "linear", "loss"} <= set(shown)
    assert sum(isinstance(patch, FancyBboxPatch) for patch in ax.patches) == 2


def test_stored_memory_is_in_megabytes_and_says_what_the_weights_take():
    fig, ax = plots.subplots()
    plots.stored_memory(ax, [1, 2], {"two layers": [1e6, 2e6], "four": [3e6, 4e6]}, [5e5, 5e5])
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 2], [3, 4], [0.5, 0.5]]
    assert ax.get_xlabel() == "batch size" and ax.get_ylabel() == "megabytes" and ax.get_legend()
    plots.stored_memory(ax, [1, 2], {"one": [1, 2]}, xlabel="hidden layers")
    assert ax.get_xlabel() == "hidden layers"


@pytest.mark.parametrize(("small", "letters"), [((3,), "abcabc"), ((2, 1), "aaabbb"), ((), "aaaaaa"),
                                                ((1, 3), "abcabc")])
def test_broadcast_copies_repeats_letters_as_numpy_repeats_numbers(small, letters):
    fig, ax = plots.subplots()
    plots.broadcast_copies(ax, small, (2, 3))
    cells = [text for text in texts(ax) if len(text) == 1]
    assert "".join(cells[-6:]) == letters and len(cells) == 6 + int(np.prod(small))
    shades = [patch.get_facecolor() for patch in ax.patches if isinstance(patch, Rectangle)][-6:]
    assert all((shades[i] == shades[k]) == (letters[i] == letters[k]) for i in range(6) for k in range(6))
    assert str(small) in texts(ax) and "sum" in texts(ax)
