"""Figures of descents: a path on a curve, and the order in which training protocols use the examples."""

import numpy as np
from matplotlib.patches import Rectangle

from nnlib.plots.base import GRAY, INK, SKY, VERMILION, YELLOW


def curve_path(ax, function, points, bounds, color=VERMILION, label=None):
    """A loss of one weight as a curve, and a descent on it: a dot at every step, a ring at the start.

    Args: function: from weights (n,) to losses (n,).   points: (steps + 1,) or (steps + 1, 1).
        bounds: (left, right) of the weight.
    Returns the line of the descent.
    """
    w = np.linspace(*bounds, 400)
    points = np.ravel(points)
    ax.plot(w, function(w), color=GRAY, linewidth=1.4, zorder=1)
    line, = ax.plot(points, function(points), "-o", color=color, markersize=4, linewidth=1, label=label)
    ax.plot(points[0], function(points[0]), "o", markersize=10, markerfacecolor="white",
            markeredgecolor=color, markeredgewidth=2)
    ax.set(xlim=bounds, xlabel="weight w", ylabel="loss")
    return line


def batch_strip(ax, epochs):
    """Which examples each update uses: a row for each epoch, a box for each example, a bar after each update.

    Args: epochs: for each epoch the list of its batches, each a sequence of example numbers.
    Neighboring batches have different shades, so that the bars are not the only sign.
    """
    for row, batches in enumerate(epochs):
        x = 0
        for k, batch in enumerate(batches):
            for number in batch:
                ax.add_patch(Rectangle((x, row + 0.14), 1, 0.72, facecolor=(SKY, YELLOW)[k % 2], alpha=0.55,
                                       edgecolor="white", linewidth=1))
                ax.text(x + 0.5, row + 0.5, str(number), ha="center", va="center", fontsize=9)
                x += 1
            ax.plot([x, x], [row + 0.02, row + 0.98], color=INK, linewidth=2.6, solid_capstyle="butt")
    ax.set(xlim=(-0.1, x + 0.15), ylim=(len(epochs), 0), xticks=[], yticks=np.arange(len(epochs)) + 0.5,
           yticklabels=[f"epoch {row + 1}" for row in range(len(epochs))])
    ax.tick_params(left=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.grid(False)
    return ax
