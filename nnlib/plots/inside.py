"""Figures of what a trained network holds: maps, filters, what moves an answer, and the famous networks as drawings."""

import math

import numpy as np
from matplotlib.patches import Patch, Rectangle

from nnlib.architecture import Branches, Conv, Dense, layer_table
from nnlib.plots.base import CYCLE, DIVERGING, GREEN, INK, PURPLE, SKY, subplots
from nnlib.plots.convolution import gray_image

STYLES, MARKERS = ("-", "--", "-.", ":"), ("o", "s", "^", "D")
PARTS = {Conv: ("convolution", SKY, ""), Branches: ("block with branches", GREEN, "///"),
         Dense: ("dense layer", PURPLE, "xxx")}


def mosaic(maps, columns=None, gap=1):
    """Maps of one size in one array, `gap` empty cells (NaN) between them.

    Args: maps: (n, height, width).   columns: maps in a row; all of them if None.
    """
    maps = np.asarray(maps, dtype=float)
    n, height, width = maps.shape
    columns = columns or n
    rows = -(-n // columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for k, each in enumerate(maps):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        whole[top:top + height, left:left + width] = each
    return whole


def signed_image(ax, values, limit=None):
    """Numbers as colors: orange above 0, blue below, white at 0; NaN stays empty. Returns the image.

    Args: values: (height, width).   limit: the number of full color; the largest there is if None.
    """
    values = np.ma.masked_invalid(values)
    limit = limit or float(np.abs(values).max()) or 1.0
    image = ax.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    return image


def image_table(rows, titles=(), names=(), signed=False, limit=None, cell=1.0):
    """Small pictures in rows and columns.

    Args: rows: for each row its pictures, (height, width) each; None leaves a place empty.   titles: above the columns.
        names: left of the rows.   signed: True for white at 0, orange above and blue below; False for ink, 0 to 1; or
        one of these for each column, or a table of them, [[False], [True]] for two rows.
        limit: the number of full color of all signed pictures; each has its own scale if None.   cell: inches of one.
    Returns the figure.
    """
    columns = max(map(len, rows))
    signed = np.broadcast_to(signed, (len(rows), columns))
    figure, axes = subplots(len(rows), columns, width=cell * columns + (1.3 if names else 0),
                            height=cell * len(rows) + 0.3 * bool(titles), squeeze=False)
    for number, (line, row) in enumerate(zip(axes, rows, strict=True)):
        for column, ax in enumerate(line):
            picture = row[column] if column < len(row) else None
            if picture is None:
                ax.set_axis_off()
                continue
            if signed[number, column]:
                signed_image(ax, picture, limit)
                ax.spines[:].set_visible(True)
            else:
                gray_image(ax, picture, ink=True)
            if number == 0 and column < len(titles):
                ax.set_title(titles[column], fontsize=10, loc="center")
        if number < len(names):
            line[0].set_ylabel(names[number], rotation=0, ha="right", va="center", labelpad=8)
    return figure


def feature_stack(image, layers, width=9.6):
    """An image, and below it what each layer makes of it: the maps of a layer side by side, in one scale.

    Args: image: (height, width) of ink, 0 to 1.   layers: dict from name to maps (n, height, width) or numbers (n,), of
        which a few get their places written into them.
    Returns the figure.
    """
    rows = {name: np.asarray(maps) for name, maps in layers.items()}
    figure, axes = subplots(1 + len(rows), 1, width=width, height=1.5 + 0.95 * len(rows),
                            height_ratios=[1.4, *[1.0] * len(rows)])
    gray_image(axes[0], image, ink=True)
    axes[0].set_ylabel("image", rotation=0, ha="right", va="center", labelpad=8)
    for ax, (name, maps) in zip(axes[1:], rows.items(), strict=True):
        cells = maps.reshape(-1, 1, 1) if maps.ndim == 1 else maps
        signed_image(ax, mosaic(cells, gap=0 if maps.ndim == 1 else 1))
        ax.set_anchor("W")
        ax.spines[:].set_visible(maps.ndim == 1)
        for k in range(len(maps) if maps.ndim == 1 and len(maps) <= 12 else 0):
            ax.text(k, 0, str(k), ha="center", va="center", size=9.5)
        ax.set_ylabel(f"{name}\n{'×'.join(map(str, maps.shape))}", rotation=0, ha="right", va="center", labelpad=8)
    axes[0].set_anchor("W")
    return figure


def seed_bands(ax, x, results):
    """Lines through the means of several seeds, each with a band from the lowest to the highest.

    Args: x: (n,).   results: dict from name to numbers (n, seeds).   Returns the lines.
    """
    lines = []
    for k, (name, values) in enumerate(results.items()):
        values, color = np.asarray(values, dtype=float), CYCLE[k % len(CYCLE)]
        ax.fill_between(x, values.min(axis=1), values.max(axis=1), color=color, alpha=0.15, linewidth=0)
        lines += ax.plot(x, values.mean(axis=1), STYLES[k % 4], marker=MARKERS[k % 4], markersize=5, color=color,
                         label=name)
    return lines


def network_towers(networks, names=None):
    """Networks from left to right, layer by layer: the taller a block the larger its maps, the wider the more channels.

    Args: networks: list of Architecture.   names: left of each.
    Returns the figure; pooling is not drawn, but seen as the next block is smaller.
    """
    figure, axes = subplots(len(networks), 1, width=9.6, height=1.02 * len(networks) + 0.7)
    drawn, axes = [_blocks(network) for network in networks], np.ravel(axes)
    longest = max(sum(width + 0.12 for _, _, width in blocks) for blocks in drawn)
    for ax, name, blocks in zip(axes, names or [network.name for network in networks], drawn, strict=True):
        x = 0.0
        for kind, height, width in blocks:
            _, color, hatch = PARTS[kind]
            ax.add_patch(Rectangle((x, -height / 2), width, height, facecolor=color, edgecolor=INK, linewidth=0.6,
                                   hatch=hatch))
            x += width + 0.12
        ax.text(-0.35, 0, name, ha="right", va="center", size=10)
        ax.set(xlim=(-0.2, longest), ylim=(-0.56, 0.56))
        ax.set_axis_off()
    figure.legend(handles=[Patch(facecolor=color, edgecolor=INK, hatch=hatch, label=label)
                           for label, color, hatch in PARTS.values()], loc="outside lower center", ncols=3)
    return figure


def _blocks(network):
    """(kind, height, width) of everything with weights: sizes and channels on a logarithmic scale, 227 pixels 1."""
    found = []
    for layer, row in zip(network.layers, layer_table(network).collapsed(), strict=True):
        if type(layer) in PARTS:
            side = row.shape[1] if len(row.shape) > 1 else 1
            found.append((type(layer), 0.12 + 0.88 * math.log2(side) / math.log2(227), math.log2(row.shape[0]) / 14))
    return found


def network_costs(ax, names, parameters, multiply_adds, shifts=None):
    """Networks by what they compute and what they store, both logarithmic, each with its name.

    Args: names, parameters, multiply_adds: one for each.   shifts: dict from a name to points (right, up) of its text.
    """
    ax.plot(multiply_adds, parameters, "o", color=INK, markersize=8)
    for name, x, y in zip(names, multiply_adds, parameters, strict=True):
        right, up = (shifts or {}).get(name, (9, 0))
        ax.annotate(name, (x, y), (right, up), textcoords="offset points", va="center",
                    ha="left" if right > 0 else "right", size=9.5)
    ax.set(xscale="log", yscale="log", xlabel="multiply-adds for one image", ylabel="parameters")
    return ax
