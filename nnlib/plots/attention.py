"""Figures of attention: who looks at whom, how positions are told apart, and what a Transformer block is made of."""

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch

from nnlib.plots.base import DIVERGING, FAINT, GRAY, GREEN, INK, RUST, SKY, VERMILION, YELLOW

SHOWN = 8  # with more keys than this the numbers would not be legible


def attention_map(ax, weights, queries=None, keys=None, title="", numbers=None):
    """Attention weights as a map, a row for each query: white is 0, orange is 1. Forbidden cells are crossed out.

    Args: weights: (queries, keys) from 0 to 1, NaN where a query may not look.   queries, keys: their names, or None
        to count them.   numbers: whether to write the weights into the cells; None: where there is room.
    Returns the image.
    """
    weights = np.asarray(weights, dtype=float)
    image = ax.imshow(np.nan_to_num(weights), cmap=DIVERGING, vmin=-1, vmax=1)
    for (row, column), weight in np.ndenumerate(weights):
        if np.isnan(weight):
            ax.text(column, row, "×", ha="center", va="center", size=10, color=GRAY)
        elif numbers or numbers is None and len(weights.T) <= SHOWN:
            ax.text(column, row, f"{weight:.2f}", ha="center", va="center", size=9)
    for axis, names, count in ((ax.yaxis, queries, len(weights)), (ax.xaxis, keys, len(weights.T))):
        axis.set_ticks(range(count), range(count) if names is None else names)
    ax.set(xlabel="key: looked at", ylabel="query: looks", title=title)
    ax.grid(False)
    return image


def encoding_map(ax, encoding):
    """Positional encodings as a map, a row for each position: blue is -1, white 0, orange 1. Returns the image.

    Args: encoding: (positions, features).
    """
    image = ax.imshow(encoding, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    ax.set(xlabel="feature", ylabel="position")
    ax.grid(False)
    return image


def look_ups(ax, places, values, answers):
    """The answer of a dictionary against the query, a curve for each kind of look-up, and its entries as dots.

    Args: places, values: (entries,) keys and values, numbers.   answers: dict, from a label to (queries, answers).
    Returns the curves.
    """
    lines = []
    for (label, (queries, found)), color, style in zip(answers.items(), (INK, VERMILION, GREEN), ("-", "--", "-.")):
        lines += ax.plot(queries, found, style, color=color, label=label)
    ax.plot(places, values, "o", color="white", markeredgecolor=INK, markersize=9, zorder=4, label="entries")
    ax.set(xlabel="query", ylabel="answer")
    return lines


def block_diagram(ax, time, width, hidden, heads):
    """One Transformer block, left to right, with the shapes of one example between its parts and both skip connections.

    Args: time: tokens of the sequence.   width: features of a token.   hidden: units of the network.   heads: of
        the attention.
    """
    parts = (("layer\nnorm", YELLOW),
             (f"attention\n{heads} head{'s' * (heads > 1)}", SKY), ("+", None), ("layer\nnorm", YELLOW),
             (f"linear\n{width}→{hidden}", FAINT), ("ReLU", FAINT), (f"linear\n{hidden}→{width}", FAINT), ("+", None))
    step, half, x = 2.0, 0.66, [2.0 * (k + 1) for k in range(len(parts))]
    edges = [(0.35, 0.35)] + [(c - (0.25 if name == "+" else half), c + (0.25 if name == "+" else half))
                              for c, (name, _) in zip(x, parts)] + [(x[-1] + step - 0.35,) * 2]
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
    sizes = [width] * 5 + [hidden] * 2 + [width] * 2
    for (_, start), (end, _), size in zip(edges, edges[1:], sizes):
        ax.annotate("", (end, 0), (start, 0), arrowprops=arrow)
        ax.text((start + end) / 2, -0.95, f"{time}×{size}", ha="center", va="top", size=9, color=GRAY)
        ax.plot([(start + end) / 2] * 2, [-0.92, -0.12], color=FAINT, linewidth=0.8, zorder=0)
    for center, (name, color) in zip(x, parts):
        if name == "+":
            ax.add_patch(Circle((center, 0), 0.25, facecolor="white", edgecolor=VERMILION, linewidth=1.8))
        else:
            ax.add_patch(FancyBboxPatch((center - half, -0.6), 2 * half, 1.2, facecolor=color, edgecolor=INK,
                                        boxstyle="round,pad=0,rounding_size=0.12", linewidth=1.2))
        ax.text(center, 0, name, ha="center", va="center", size=9.5, color=RUST if name == "+" else INK)
    for start, end, label in ((0.8, x[2], "the token itself"), (x[2] + 0.55, x[7], "the token itself")):
        ax.plot([start, start, end], [0, 1.3, 1.3], color=VERMILION, linewidth=1.6)
        ax.annotate("", (end, 0.25), (end, 1.33), arrowprops={**arrow, "color": VERMILION})
        ax.text((start + end) / 2, 1.4, label, ha="center", va="bottom", size=9.5, color=RUST)
    for place, name in ((0.1, "x"), (x[-1] + step - 0.1, "y")):
        ax.text(place, 0, name, ha="center", va="center", size=12, style="italic")
    for start, end, label in ((x[0], x[1], "tokens talk to one another"), (x[3], x[6], "each token by itself")):
        ax.text((start + end) / 2, -1.55, label, ha="center", va="top", size=9.5, weight="bold")
    ax.set(xlim=(-0.2, x[-1] + step + 0.2), ylim=(-2.1, 2.0))
    ax.set_axis_off()
    return ax
