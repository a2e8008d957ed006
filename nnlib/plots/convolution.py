"""Figures of convolution: numbers in cells, gradients and their votes, who is connected to whom, who sees what."""

import numpy as np
from matplotlib.patches import Rectangle

from nnlib.plots.base import CYCLE, DIVERGING, FAINT, GRAY, GREEN, INK, NEGATIVE, POSITIVE, SKY, VERMILION

COLOR_CHANNELS = VERMILION, GREEN, NEGATIVE  # red, green and blue in the house's colors


def number_grid(ax, values, title="", form="{:g}", limit=None, labels=None, size=10):
    """Numbers in square cells: orange above 0, blue below, white at 0.

    Args: values: (rows, columns), or (columns,) for a single row; cells of NaN stay empty.   form: of a number.
        limit: the number of full color; the largest one if None.   labels: strings in place of the numbers.
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    limit = limit or np.nanmax(np.abs(values), initial=0) or 1.0
    ax.imshow(np.ma.masked_invalid(values), cmap=DIVERGING, vmin=-limit, vmax=limit, alpha=0.6)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="none", edgecolor=GRAY, linewidth=0.6))
            text = form.format(value + 0.0) if labels is None else np.atleast_2d(labels)[row][column]
            ax.text(column, row, text, ha="center", va="center", size=size)
    ax.set(xlim=(-0.55, values.shape[1] - 0.45), ylim=(values.shape[0] - 0.45, -0.55), title=title)
    ax.set_axis_off()
    return ax


def gray_image(ax, image, title="", ink=False):
    """An image (height, width) of 0 to 1, or (height, width, 3) in color. Light is white; with `ink`, 1 is black."""
    ax.imshow(image, cmap="gray_r" if ink else "gray", vmin=0, vmax=1, interpolation="nearest")
    return _frame(ax, title)


def response(ax, values, title="", limit=None):
    """A feature map (height, width): orange above 0, blue below, white at 0. Returns the image."""
    limit = limit or np.abs(values).max() or 1.0
    image = ax.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
    _frame(ax, title)
    return image


def _frame(ax, title):
    ax.set(xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(True)
    ax.grid(False)
    return ax


def direction_votes(ax, votes, cell=2):
    """For each cell a line for each direction of the gradient, as long as the votes that it got.

    Args: votes: (rows, columns, directions), direction k at k/directions of a full turn, clockwise from the right, as
        angles turn in an image whose rows go down.   cell: pixels of a cell, so that the lines lie over the image.
    """
    rows, columns, bins = votes.shape
    turn = 2 * np.pi * np.arange(bins) / bins
    most = votes.max() or 1.0
    for row, column, k in zip(*np.nonzero(votes > 0.05 * most), strict=True):
        length = 0.5 * cell * votes[row, column, k] / most
        x, y = (column + 0.5) * cell - 0.5, (row + 0.5) * cell - 0.5
        ax.plot([x, x + length * np.cos(turn[k])], [y, y + length * np.sin(turn[k])], color=VERMILION, linewidth=2,
                solid_capstyle="butt")
    for edge in range(0, rows * cell + 1, cell):
        ax.axhline(edge - 0.5, color=GRAY, linewidth=0.8)
    for edge in range(0, columns * cell + 1, cell):
        ax.axvline(edge - 0.5, color=GRAY, linewidth=0.8)
    return ax


def connections(ax, weights, title=""):
    """Inputs below, units above, and a line for each weight; where weights are shared, lines have the same look.

    Args: weights: (units, inputs) integers, the number of the weight on each connection, 0 where there is none.
    Returns (lines, different weights), counted.
    """
    weights = np.asarray(weights)
    units, inputs = weights.shape
    different = np.unique(weights[weights > 0])
    shared = len(different) < np.count_nonzero(weights)
    for unit, pixel in zip(*np.nonzero(weights), strict=True):
        kind = int(np.searchsorted(different, weights[unit, pixel]))
        look = {"color": CYCLE[kind % len(CYCLE)], "linestyle": ("-", "--", ":")[kind % 3]} if shared else {
            "color": GRAY, "linewidth": 1.0}
        ax.plot([pixel, unit + (inputs - units) / 2], [0, 1], zorder=1, **{"linewidth": 1.8, **look})
    for count, height, color in ((inputs, 0, "white"), (units, 1, SKY)):
        places = np.arange(count) + (inputs - count) / 2
        ax.plot(places, np.full(count, height), "o", color=color, markeredgecolor=INK, markersize=9, zorder=2)
    ax.set(title=title, xlim=(-0.5, inputs - 0.5), ylim=(-0.2, 1.2))
    ax.set_axis_off()
    return int(np.count_nonzero(weights)), len(different)


def channel_stacks(ax, channels=3, filters=16, size=(32, 32), kernel=3, places=(30, 30), shown=4):
    """Channels of an image, the stack of kernels of each filter, and the map that each filter makes, as a drawing.

    Args: size: of the image.   places: of a map.   shown: how many of the filters are drawn.
    """
    def pile(x, y, side, colors, gap=0.22):
        for k, color in enumerate(colors):
            ax.add_patch(Rectangle((x + k * gap, y - k * gap), side, side, facecolor=color, alpha=0.55, edgecolor=INK,
                                   linewidth=0.9, zorder=2 + k))
        return x + side + (len(colors) - 1) * gap

    colors = [COLOR_CHANNELS[k % 3] for k in range(channels)]
    pile(0, 1.7, 2.6, colors)
    heights = np.linspace(4.6, 0.2, shown)
    for k, y in enumerate(heights):
        right = pile(5.2, y, 0.7, colors, 0.14)
        ax.annotate("", (5.0, y + 0.35), (3.3, 2.9), arrowprops={"arrowstyle": "-", "color": FAINT})
        ax.annotate("", (8.2, y + 0.35), (right + 0.1, y + 0.35), arrowprops={"arrowstyle": "->", "color": INK})
        ax.text((right + 8.2) / 2 + 0.05, y + 0.47, "add, + bias", ha="center", va="bottom", size=9)
        pile(8.35, y - 0.1, 0.95, [FAINT])
        number = filters if k == shown - 1 else k + 1
        ax.text(9.5, y + 0.35, f"map {number}", va="center", size=9.5)
    if filters > shown:
        ax.text(5.6, (heights[-2] + heights[-1]) / 2 + 0.3, "...", ha="center", va="center", size=13)
    height, width = size
    for x, text in ((1.5, f"image\n{channels} x {height} x {width}"),
                    (5.7, f"{filters} filters\n{channels} x {kernel} x {kernel} each"),
                    (8.9, f"feature maps\n{filters} x {places[0]} x {places[1]}")):
        ax.text(x, -0.55, text, ha="center", va="top", size=10.5)
    ax.set(xlim=(-0.3, 10.7), ylim=(-1.5, 5.5), aspect="equal")
    ax.set_axis_off()
    return ax


def field_tree(ax, layers, units=5):
    """A side view of layers along one axis: what units see of the layer below, and all that the middle one depends on.

    Args: layers: pairs (kernel, stride), from the image on.   units: of the last layer.
    Returns how many pixels of the image the middle unit depends on.
    """
    size = units
    for kernel, stride in reversed(layers):
        size = (size - 1) * stride + kernel
    places = [np.arange(size, dtype=float)]
    for kernel, stride in layers:
        count = (len(places[-1]) - kernel) // stride + 1
        places.append(np.array([places[-1][i * stride:i * stride + kernel].mean() for i in range(count)]))
    seen = seen_by(layers, units // 2)
    for level, (kernel, stride) in enumerate(layers, 1):
        for i, x in enumerate(places[level]):
            for u in range(kernel):
                lit = i in seen[level]
                ax.plot([places[level - 1][i * stride + u], x], [level - 1, level], zorder=2 if lit else 1,
                        color=VERMILION if lit else FAINT, linewidth=1.6 if lit else 1.0)
    for level, row in enumerate(places):
        lit = np.isin(np.arange(len(row)), seen[level])
        for mask, color in ((lit, POSITIVE), (~lit, "white")):
            ax.plot(row[mask], np.full(mask.sum(), level), "o", color=color, markeredgecolor=INK, markersize=9,
                    zorder=3)
    names = ["image"] + [f"kernel {k}, stride {s}" for k, s in layers]
    ax.set_yticks(range(len(names)), [f"{name}\nsees {len(seen_by(layers[:level])[0])}"
                                      for level, name in enumerate(names)])
    ax.set(xticks=[], xlim=(-0.6, size - 0.4), ylim=(-0.4, len(layers) + 0.4))
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(left=False)
    return len(seen[0])


def seen_by(layers, unit=0):
    """What a unit behind layers, pairs (kernel, stride), depends on along one axis, back to the image.

    Returns arrays of indices in ascending order: pixels of the image, then units of each layer, last the unit itself.
    """
    seen = [np.array([unit])]
    for kernel, stride in reversed(layers):
        seen.insert(0, np.unique(seen[0][:, None] * stride + np.arange(kernel)))
    return seen


def pixel_box(ax, top, left, height, width, color=VERMILION, label=None, linewidth=2.0):
    """A frame around pixels of an image, its label above. Returns the rectangle."""
    box = ax.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, facecolor="none", edgecolor=color,
                                 linewidth=linewidth))
    if label:
        ax.annotate(label, (left - 0.5, top - 0.5), (0, 3), textcoords="offset points", ha="left", va="bottom",
                    size=9, color=INK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85})
    return box
