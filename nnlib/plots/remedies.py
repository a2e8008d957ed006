"""Figures of over-fitting and its remedies: curves of a run, bias and variance, weights, a table of dots."""

import numpy as np

from nnlib.plots.base import FAINT, GRAY, GREEN, INK, SKY, VERMILION, casing


def error_curves(ax, train, validation, best=None):
    """Errors on training and validation examples after each epoch, 1, 2, ...; a ring marks the best epoch.

    Args: train, validation: (epochs,), or (seeds, epochs), of which the mean is drawn over a faint line for each seed.
        best: the epoch with the ring, or None.
    Returns the two lines.
    """
    lines = []
    for values, color, style, label in ((train, INK, "-", "training"), (validation, VERMILION, "--", "validation")):
        values = np.atleast_2d(np.asarray(values, dtype=float))
        epochs, mean = np.arange(1, values.shape[1] + 1), values.mean(axis=0)
        if len(values) > 1:
            ax.plot(epochs, values.T, color=color, linewidth=0.7, alpha=0.35)
        lines += ax.plot(epochs, mean, style, color=color, label=label)
    if best is not None:
        ax.plot(best, mean[best - 1], "o", markersize=10, markerfacecolor="white", markeredgecolor=VERMILION,
                markeredgewidth=2, zorder=4)
    ax.set(xlabel="epoch")
    return lines


def bias_variance(ax, names, bias, variance):
    """A bar for each model: its squared bias, and its variance on top of it, each with its number.

    Args: names: below the bars.   bias, variance: (models,), numbers of at least 0; the bias already squared.
    Returns the two groups of bars.
    """
    bias, variance, places = np.asarray(bias, dtype=float), np.asarray(variance, dtype=float), np.arange(len(names))
    low = ax.bar(places, bias, color=SKY, edgecolor=INK, linewidth=0.6, label="bias²")
    high = ax.bar(places, variance, bottom=bias, color="white", edgecolor=VERMILION, hatch="///", linewidth=1.0,
                  label="variance")
    for bars, heights in ((low, bias), (high, variance)):
        for bar, height in zip(bars, heights):
            ax.text(bar.get_x() + bar.get_width() / 2, bar.get_y() + height / 2, f"{height:.2f}", ha="center",
                    va="center", size=9.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
    ax.set(xticks=places, xticklabels=list(names), ylim=(0, 1.15 * (bias + variance).max()))
    ax.grid(axis="x", visible=False)
    return low, high


def weight_sizes(ax, weights, smallest=1e-4):
    """The sizes of the weights of several models, each sorted from the largest down; exact zeros end a line.

    Args: weights: dict from name to an array of any shape.   smallest: what the axis begins with.
    Returns the lines.
    """
    lines = []
    for (name, values), color, style in zip(weights.items(), (INK, SKY, VERMILION, GREEN), ("-", "--", "-.", ":")):
        sizes = np.sort(np.abs(np.ravel(values)))[::-1]
        share = 100 * (np.arange(len(sizes)) + 1) / len(sizes)
        kept = sizes > 0
        lines += ax.plot(share[kept], sizes[kept], color=color, linestyle=style, label=name,
                         path_effects=casing(color))
        if not kept.all():
            ax.plot(share[kept][-1:], np.maximum(sizes[kept][-1:], smallest), "o", color=color, markersize=6,
                    markeredgecolor=INK, markeredgewidth=0.6)
    ax.set(xlabel="share of the weights (%), the largest first", ylabel="size of the weight", yscale="log",
           xlim=(0, 100))
    ax.set_ylim(bottom=smallest)
    return lines


def patience_stops(ax, losses, stops):
    """The validation loss of one run, with the epoch at which each patience ends it and the one whose weights it keeps.

    Args: losses: (epochs,).   stops: dict from patience to (last epoch, best epoch), counted from 1.
    """
    epochs = np.arange(1, len(losses) + 1)
    line, = ax.plot(epochs, losses, color=VERMILION, label="validation loss")
    low, high = np.min(losses), np.max(losses)
    for row, (patience, (last, best)) in enumerate(stops.items()):
        y = low - (row + 1) * 0.09 * (high - low)
        ax.plot([best, last], [y, y], color=INK, linewidth=1.3)
        ax.plot(best, y, "o", color=GREEN, markersize=7, label="keeps these weights" if row == 0 else None)
        ax.plot(last, y, "|", color=INK, markersize=11, markeredgewidth=2, label="stops" if row == 0 else None)
        ax.text(last + 0.012 * len(losses), y, f"patience {patience}", va="center", size=9)
    ax.set(xlabel="epoch", ylabel="loss", xlim=(0, 1.16 * len(losses)))
    return line


def remedy_dots(ax, results, costs=None, baseline=None):
    """A row for each remedy: a faint dot for each seed, the mean with one standard deviation, and the cost.

    Args: results: dict from name to numbers (seeds,).   costs: dict from name to a short text.   baseline: the name of
        the row whose mean is drawn as a line through all rows.
    """
    names = list(results)
    if baseline is not None:
        ax.axvline(np.mean(results[baseline]), color=GRAY, linestyle="--", linewidth=1.4, zorder=1)
    for row, name in enumerate(names):
        values = np.asarray(results[name], dtype=float)
        if row % 2:
            ax.axhspan(row - 0.5, row + 0.5, color=FAINT, alpha=0.35, linewidth=0, zorder=0)
        ax.plot(values, np.full(len(values), row), "o", color=SKY, markeredgecolor=INK, markeredgewidth=0.5,
                markersize=5, zorder=2)
        color = INK if name == baseline else VERMILION
        ax.errorbar(values.mean(), row, xerr=values.std(ddof=1) if len(values) > 1 else None, color=color, marker="D",
                    markersize=6, capsize=4, linewidth=1.7, zorder=3)
        if costs:
            ax.text(1.02, row, costs[name], transform=ax.get_yaxis_transform(), va="center", size=9.5)
    ax.set(yticks=np.arange(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    return ax
