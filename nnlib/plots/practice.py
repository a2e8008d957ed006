"""Figures of training in practice: curves of a run, and the trials of a search."""

import numpy as np
from matplotlib.colors import LogNorm

from nnlib.plots.base import GRAY, INK, VERMILION


def learning_curves(ax, train, validation=None, best=None, ylabel="loss"):
    """What was measured after each epoch: training solid and dark, validation dashed and red.

    Args: train, validation: (epochs,), from epoch 1 on.   best: an epoch to be marked by a dotted line.
    Returns the lines.
    """
    lines = ax.plot(np.arange(1, len(train) + 1), train, color=INK, label="training")
    if validation is not None:
        lines += ax.plot(np.arange(1, len(validation) + 1), validation, "--", color=VERMILION, label="validation")
    if best is not None:
        ax.axvline(best, color=GRAY, linewidth=1.4, linestyle=":")
    ax.set(xlabel="epoch", ylabel=ylabel)
    return lines


def search_map(ax, results, x, y, limits, marker="o", label=None):
    """The trials of a search over two settings, the darker the lower the score, on logarithmic axes; the best ringed.

    Args: results: Results of a search.   x, y: names of two of its parameters.   limits: (lowest, highest) score of the
        colors.   marker, label: of these trials.
    A trial that failed is a cross. Returns the dots, for a color bar.
    """
    rows = results.rows()
    failed = [row for row in rows if row["error"]]
    fine = [row for row in rows if not row["error"]]
    dots = ax.scatter([row[x] for row in fine], [row[y] for row in fine], c=[row["score"] for row in fine], s=70,
                      marker=marker, cmap="cividis", norm=LogNorm(*limits, clip=True), edgecolor=INK, linewidth=0.6,
                      label=label)
    ax.plot([row[x] for row in failed], [row[y] for row in failed], "x", color=VERMILION, markersize=7)
    if fine:
        ax.plot(fine[0][x], fine[0][y], marker, color="none", markeredgecolor=VERMILION, markeredgewidth=2.2,
                markersize=14)
    ax.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    return dots
