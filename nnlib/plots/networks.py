"""Figures of convolutional networks: what a stage does to an image, where layers spend, how blame is routed."""

import numpy as np
from matplotlib.patches import Rectangle

from nnlib.plots.base import (
    DIVERGING,
    FAINT,
    GRAY,
    GREEN,
    INK,
    NEGATIVE,
    POSITIVE,
    PURPLE,
    SKY,
    VERMILION,
    casing,
    subplots,
)

READERS = {"logistic regression": (INK, ":", "o"), "MLP": (SKY, "--", "s"), "CNN": (VERMILION, "-", "^"),
           "CNN, shifted images": (GREEN, "-.", "D")}  # the same in every figure of chapter 13


def stage_maps(image, rows, titles=("convolution", "ReLU", "pooling")):
    """An image, and beside it what each kernel's map becomes on its way through a stage.

    Args: image: (height, width) from 0, paper, to 1, ink.   rows: for each kernel (kernel, map, map, ...), 2-D arrays,
        as many maps as titles.
    Returns the figure: negative blue, positive orange, with one scale for the kernels and one for the maps.
    """
    figure, axes = subplots(len(rows), 2 + len(titles), width=9.6, height=2.0 * len(rows) + 0.3, squeeze=False)
    strongest = max(np.abs(row[0]).max() for row in rows), max(np.abs(a).max() for row in rows for a in row[1:])
    for number, (line, row) in enumerate(zip(axes, rows, strict=True)):
        line[0].imshow(image, cmap="gray_r", vmin=0, vmax=1)
        for column, (ax, values) in enumerate(zip(line[1:], row, strict=True)):
            limit = strongest[column > 0] or 1.0
            drawn = ax.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit)
        for ax, name, values in zip(line, ("image", "kernel", *titles), (image, *row), strict=True):
            ax.set(xticks=[], yticks=[], xlabel="×".join(map(str, np.shape(values))))
            ax.set_title(name if number == 0 else "", fontsize=10.5)
            ax.spines[:].set_visible(True)
            ax.grid(False)
    figure.colorbar(drawn, ax=axes, label="number in a map", shrink=0.8)
    return figure


def layer_costs(ax, names, parameters, multiply_adds):
    """Two bars for each layer: its share of the parameters and its share of the multiplications, in percent.

    Args: names: of the layers.   parameters, multiply_adds: (layers,) numbers.
    """
    places = np.arange(len(names))
    for offset, numbers, color, hatch, label in ((-0.2, parameters, SKY, "", "parameters"),
                                                 (0.2, multiply_adds, POSITIVE, "//", "multiplications")):
        shares = 100 * np.asarray(numbers) / np.sum(numbers)
        bars = ax.barh(places + offset, shares, height=0.38, color=color, hatch=hatch, edgecolor=INK, linewidth=0.6,
                       label=label)
        ax.bar_label(bars, [f"{share:.1f}%" for share in shares], padding=3, fontsize=9.5)
    ax.set(yticks=places, yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlim=(0, 115),
           xlabel="share of the whole network, percent")
    ax.grid(False, axis="y")
    return ax


def number_tables(tables, titles, marked=(), form="{:g}"):
    """Small matrices side by side, number for number; marked cells have a frame.

    Args: tables: 2-D arrays.   titles: one for each.   marked: for each table an array of bool, or None for no frame.
        form: how a number is written.
    Returns the figure; negative numbers are on blue, positive on orange, 0 on white.
    """
    widths = [np.shape(table)[1] for table in tables]
    height = max(np.shape(table)[0] for table in tables)
    figure, axes = subplots(1, len(tables), width=0.42 * sum(widths) + 0.4 * len(tables), height=0.42 * height + 0.5,
                            squeeze=False, width_ratios=widths)
    marked = [*marked, *[None] * (len(tables) - len(marked))]
    for ax, table, title, frames in zip(axes[0], tables, titles, marked, strict=True):
        table = np.asarray(table, dtype=float)
        limit = 2 * np.abs(table).max() or 1.0
        ax.imshow(table, cmap=DIVERGING, vmin=-limit, vmax=limit)
        for (row, column), value in np.ndenumerate(table):
            ax.text(column, row, form.format(value), ha="center", va="center", fontsize=10.5)
            if frames is not None and frames[row, column]:
                ax.add_patch(Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=INK,
                                       linewidth=2))
        ax.set(xticks=np.arange(table.shape[1] + 1) - 0.5, yticks=np.arange(table.shape[0] + 1) - 0.5)
        ax.set_title(title, fontsize=10.5)
        ax.tick_params(length=0, labelbottom=False, labelleft=False)
        ax.spines[:].set_visible(True)
        ax.grid(True, color=GRAY, linewidth=0.5)
        ax.set_axisbelow(False)
    return figure


DIGIT_COLORS = (NEGATIVE, VERMILION, GREEN, PURPLE, POSITIVE, SKY, INK, GRAY, "#8C510A", "#01665E")


def digit_map(ax, points, t):
    """Points (n, 2), each drawn as its class number 0 to 9, in a color of its own. Returns ax."""
    for k in np.unique(t):
        ax.scatter(*points[t == k].T, marker=f"${k}$", s=36, color=DIGIT_COLORS[k % 10], linewidth=0.3, alpha=0.8)
    return ax


def breaking_curves(ax, sizes, results, guessing=0.1):
    """Accuracy against the size of a disturbance: the mean over seeds as a line, the seeds as a band.

    Args: sizes: (n,).   results: dict from a model's name to accuracies (n, seeds).   guessing: a faint line there.
    Returns the lines.
    """
    lines = []
    for name, values in results.items():
        values = np.asarray(values)
        color, style, marker = READERS.get(name, (PURPLE, "-", "o"))
        ax.fill_between(sizes, values.min(axis=1), values.max(axis=1), color=color, alpha=0.15, linewidth=0)
        lines += ax.plot(sizes, values.mean(axis=1), color=color, linestyle=style, marker=marker, markersize=5,
                         label=name, path_effects=casing(color))
    ax.axhline(guessing, color=FAINT, linewidth=1.5, zorder=0)
    ax.set(ylim=(0, 1.03), ylabel="accuracy", xticks=sizes)
    return lines
