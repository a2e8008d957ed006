"""Figures of what flows through a network: values forward, gradients backward, and what must be kept in between."""

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from nnlib.plots.base import FAINT, GRAY, GREEN, INK, NEGATIVE, POSITIVE, RUST, SKY, VERMILION, YELLOW

BETWEEN, ABOVE = 3.2, 1.9  # from one layer to the next, from one unit of a layer to the next


def _number(value):
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def network(ax, weights, nodes, edges=None, backward=False, names=None):
    """A small network of units with a number in each, and one on each connection.

    Args: weights: list of (out, in); their signs give the connections their colors, orange above 0, dashed blue below.
        nodes: list of vectors, the inputs first: values, or where `backward` the gradients that arrive.
        edges: list of (out, in), the numbers on the connections; the weights if None.
        backward: arrows point left, and units are drawn as those that receive a gradient.
        names: list of strings, one below each layer.
    """
    edges = weights if edges is None else edges
    places = [np.stack([np.full(len(layer), k * BETWEEN), ABOVE * ((len(layer) - 1) / 2 - np.arange(len(layer)))], 1)
              for k, layer in enumerate(nodes)]
    lowest = min(layer[:, 1].min() for layer in places)
    for k, (W, numbers) in enumerate(zip(weights, edges, strict=True)):
        for (i, j), weight in np.ndenumerate(W):
            ends = places[k][j], places[k + 1][i]
            color, style = (POSITIVE, "-") if weight > 0 else (NEGATIVE, "--")
            start, end = ends[::-1] if backward else ends
            ax.annotate("", end, start, zorder=1, arrowprops={
                "arrowstyle": "-|>", "color": color, "linestyle": style, "linewidth": 1.2 + 0.5 * min(abs(weight), 4),
                "shrinkA": 18, "shrinkB": 18})
            spot = ends[0] + (0.3 if (i + j) % 2 else 0.64) * (ends[1] - ends[0])  # so that crossing labels keep apart
            ax.text(*spot, _number(numbers[i, j]), ha="center", va="center", size=10, zorder=4,
                    color=RUST if backward else INK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2})
    for k, (layer, values) in enumerate(zip(places, nodes, strict=True)):
        for place, value in zip(layer, values, strict=True):
            ax.add_patch(Circle(place, 0.5, facecolor="white" if backward else SKY, zorder=3, linewidth=1.8,
                                edgecolor=VERMILION if backward else INK))
            ax.text(*place, _number(value), ha="center", va="center", size=11, weight="bold", zorder=5)
        if names:
            ax.text(k * BETWEEN, lowest - 0.75, names[k], ha="center", va="top", size=10)
    ax.set(xlim=(-0.8, BETWEEN * (len(nodes) - 1) + 0.8), ylim=(lowest - (1.5 if names else 0.7), 0.7 - lowest))
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def layer_flow(ax, units, arrays, parameters=None):
    """A network unit by unit: above the way forward with its arrays, below the way back with their gradients.

    Args: units: names of the units, left to right.
        arrays: pairs (name, shape), one before, between and behind the units: one more than there are units.
        parameters: dict, from a unit's position to the pairs (name, shape) of its parameters.
    """
    def words(name, shape, gradient=False):
        return f"{'d' if gradient else ''}{name}\n{tuple(shape)}"

    step, half = 3.6, 0.78
    for k, (name, shape) in enumerate(arrays):
        x = k * step
        for height, color, gradient in ((0.55, INK, False), (-0.55, VERMILION, True)):
            start, end = x - step / 2 + half, x + step / 2 - half
            start, end = (end, start) if gradient else (start, end)
            ax.annotate("", (end, height), (start, height),
                        arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0})
            if k == len(arrays) - 1 and gradient:
                text = f"d{name}\n= 1"
            else:
                text = words(name, shape, gradient)
            ax.text(x, height + np.sign(height) * 0.18, text, ha="center", va="top" if gradient else "bottom",
                    size=10, color=RUST if gradient else color)
    for k, unit in enumerate(units):
        x = (k + 0.5) * step
        ax.add_patch(FancyBboxPatch((x - half, -0.85), 2 * half, 1.7, boxstyle="round,pad=0,rounding_size=0.15",
                                    facecolor=FAINT, edgecolor=INK, linewidth=1.4))
        ax.text(x, 0, unit, ha="center", va="center", size=10.5, weight="bold")
        own = (parameters or {}).get(k, ())
        if own:
            ax.annotate("", (x - 0.35, 0.85), (x - 0.35, 1.75), arrowprops={"arrowstyle": "-|>", "color": INK})
            ax.annotate("", (x - 0.35, -1.75), (x - 0.35, -0.85), arrowprops={"arrowstyle": "-|>", "color": VERMILION})
            ax.text(x - 0.35, 1.85, "\n".join(f"{n} {tuple(s)}" for n, s in own), ha="center", va="bottom", size=9.5)
            ax.text(x - 0.35, -1.85, "\n".join(f"d{n} {tuple(s)}" for n, s in own), ha="center", va="top", size=9.5,
                    color=RUST)
    ax.set(xlim=(-1.2, (len(arrays) - 1) * step + 1.2), ylim=(-3.1, 3.1))
    ax.set_axis_off()
    return ax


def stored_memory(ax, sizes, stored, parameters=None, xlabel="batch size"):
    """Bytes that the way back needs, in megabytes, against the batch size or the depth.

    Args: sizes: (n,).   stored: dict, from a label to (n,) bytes.   parameters: (n,) bytes of all weights, or None.
    """
    styles = zip(("-o", "--s", ":^", "-.D"), (INK, VERMILION, GREEN, NEGATIVE))
    for (label, amounts), (style, color) in zip(stored.items(), styles):
        ax.plot(sizes, np.asarray(amounts) / 1e6, style, color=color, label=label)
    if parameters is not None:
        ax.plot(sizes, np.asarray(parameters) / 1e6, color=GRAY, linewidth=4, alpha=0.75,
                label="the weights themselves")
    ax.set(xlabel=xlabel, ylabel="megabytes", ylim=(0, None))
    ax.legend()
    return ax


def broadcast_copies(ax, small, large, names=None):
    """How an array of shape `small` is copied to `large`: equal cells have equal letters and shades.

    Args: small: a shape of at most two axes, broadcastable to `large`, a shape of two axes.
        names: text under the two grids.
    """
    rows, columns = large
    padded = (1,) * (2 - len(small)) + tuple(small)
    letters = np.arange(np.prod(padded)).reshape(padded)
    shades = (SKY, YELLOW, FAINT, POSITIVE)
    for grid, left in ((letters, columns - padded[1]), (np.broadcast_to(letters, large), columns + 2.2)):
        top = (rows - len(grid)) / 2
        for (i, j), number in np.ndenumerate(grid):
            ax.add_patch(Rectangle((left + j, top + i), 1, 1, facecolor=shades[number % len(shades)], alpha=0.6,
                                   edgecolor="white", linewidth=2))
            ax.text(left + j + 0.5, top + i + 0.5, "abcdefghijkl"[number % 12], ha="center", va="center", size=10.5)
    for height, color, text, way in ((0.35, INK, "copy", 1), (-0.35, RUST, "sum", -1)):
        ends = (columns + 0.3, rows / 2 - height), (columns + 1.9, rows / 2 - height)
        ax.annotate("", ends[::way][1], ends[::way][0], arrowprops={"arrowstyle": "-|>", "color": color})
        ax.text(columns + 1.1, rows / 2 - 2 * height, text, ha="center", va="center", size=9.5, color=color)
    for text, x in zip(names or (str(tuple(small)), str(tuple(large))), (columns - padded[1] / 2, 1.5 * columns + 2.2)):
        ax.text(x, rows + 0.2, text, ha="center", va="top", size=10)
    ax.set(xlim=(-0.2, 2 * columns + 2.4), ylim=(rows + 0.9, -0.3))
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax
