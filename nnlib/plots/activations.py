"""Figures of activation functions, and of what many layers of them do to a signal and to its gradient."""

import numpy as np
from matplotlib.colors import TwoSlopeNorm

from nnlib.plots.base import DIVERGING, FAINT, GRAY, INK, VERMILION

FLAT = 0.05  # a unit counts as saturated where its slope is smaller than this
DECADES = 6  # powers of ten either way, beyond which a heat map no longer tells


def activation_curve(ax, function, slope, bounds=(-5.0, 5.0), flat=FLAT, title=""):
    """An activation function and its slope; the ground is shaded where the slope is smaller than `flat`.

    Args: function, slope: from scores (n,) to (n,).   bounds: (left, right) of the scores.
    Returns the share of the shown range that is shaded, 0 to 1.
    """
    z = np.linspace(*bounds, 1001)
    values, slopes = function(z), slope(z)
    saturated = np.abs(slopes) < flat
    ax.fill_between(z, 0, 1, where=saturated, transform=ax.get_xaxis_transform(), color=FAINT, alpha=0.75, linewidth=0,
                    label=f"saturated: slope below {flat:g}")
    jump = np.abs(np.diff(values, prepend=values[0])) > 0.5
    ax.plot(z, np.where(jump, np.nan, values), color=INK, label="function")
    ax.plot(z, slopes, "--", color=VERMILION, linewidth=1.8, label="slope")
    ax.set(xlim=bounds, ylim=(-1.35, 2.35), xlabel="score z", title=title)
    return float(saturated.mean())


def layer_map(ax, values, rows, title="", decades=DECADES):
    """Sizes of each layer (columns) for several networks (rows) as a heat map of powers of ten.

    White is 1, blue smaller, orange larger; beyond 10^-decades and 10^decades the color no longer changes. What is
    exactly zero, or no number, is drawn gray with a cross.

    Args: values: (rows, layers), none below 0.   rows: a name for each.   Returns the image, for a color bar.
    """
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values) & (values > 0)
    powers = np.where(known, np.log10(np.where(known, values, 1.0)), np.nan)
    layers = values.shape[1]
    ax.set_facecolor(FAINT)
    image = ax.imshow(np.ma.masked_invalid(np.clip(powers, -decades, decades)), cmap=DIVERGING, aspect="auto",
                      norm=TwoSlopeNorm(0, -decades, decades), extent=(0.5, layers + 0.5, len(rows) - 0.5, -0.5),
                      interpolation="nearest")
    row, column = np.nonzero(~known)
    ax.plot(column + 1, row, "x", color=GRAY, markersize=4, markeredgewidth=1)
    ax.set(title=title, xlabel="layer", yticks=range(len(rows)), yticklabels=rows,
           xticks=sorted({1, *range(5, layers + 1, 5)}))
    ax.set_xlim(0.5, layers + 0.5)
    ax.grid(False)
    return image


def layer_map_bar(figure, image, axes, label, decades=DECADES):
    """The color bar of one or more `layer_map`s, marked in powers of ten."""
    ticks = np.arange(-decades, decades + 1, 2)
    bar = figure.colorbar(image, ax=axes, ticks=ticks, label=label)
    bar.set_ticklabels(["1" if power == 0 else f"$10^{{{power}}}$" for power in ticks])
    return bar


def runs(ax, places, values, color=INK, marker="o", label=None, shift=0.0, log=False):
    """Several runs at each place: a dot for each, and a bar at their mean.

    Args: places: (n,), or names.   values: (n, runs).   shift: how far to the right, so that two sets stand side by
        side, in places or, where `log`, as a share of the place.
    """
    values = np.asarray(values, dtype=float)
    named = isinstance(places[0], str)
    centers = np.arange(len(places)) if named else np.asarray(places, dtype=float)
    centers = centers * (1 + shift) if log else centers + shift
    half = 0.04 * centers if log else np.full(len(centers), 0.18)
    ax.plot(np.repeat(centers, values.shape[1]), values.ravel(), marker, color=color, alpha=0.55, markersize=5,
            label=label, linestyle="none")
    for center, width, mean in zip(centers, half, values.mean(axis=1)):
        ax.plot([center - width, center + width], [mean, mean], color=color, linewidth=2.5)
    if named:
        ax.set_xticks(range(len(places)), places)
    return ax
