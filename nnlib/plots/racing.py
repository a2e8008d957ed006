"""Figures of optimizers side by side: their routes, traces, rates, and what they reach over rates and over seeds."""

import numpy as np

from nnlib.plots.base import CYCLE, GREEN, INK, NEGATIVE, POSITIVE, PURPLE, SKY, VERMILION, casing
from nnlib.plots.plane import contours

RACERS = {"sgd": (INK, "-", "o"), "momentum": (NEGATIVE, "--", "s"), "nesterov": (SKY, "-.", "^"),
          "adagrad": (GREEN, (0, (2, 1)), "v"), "rmsprop": (POSITIVE, (0, (5, 1)), "D"), "adam": (VERMILION, "-", "P"),
          "yours": (PURPLE, "-", "*")}  # the colors of OptimizerRace
STYLES = ("-", "--", ":", "-.")


def racer_style(name, number=0):
    """(color, line style, marker) of an optimizer, the same in every figure; others take theirs by their number."""
    return RACERS.get(name.lower(), (CYCLE[number % len(CYCLE)], STYLES[number % len(STYLES)], "o"))


def _line(name, number, width):
    """How a line of an optimizer is drawn: its own color, dashes, and a mark at every fifth of the picture."""
    color, style, marker = racer_style(name, number)
    return {"color": color, "linestyle": style, "linewidth": width, "marker": marker, "markevery": 0.2,
            "markersize": 5.5, "path_effects": casing(color, width)}


def race_paths(ax, height, bounds, paths, minimum=None, **options):
    """The routes of several optimizers over the lines of equal height, with a ring at the start, a star at the minimum.

    Args: height: from points (n, 2) to losses (n,).   bounds: (left, right, bottom, top).
        paths: dict from name to points (steps + 1, 2).   minimum: (2,), or None.   options: as of `contours`.
    Returns the lines of the routes.
    """
    contours(ax, height, bounds, **options)
    lines = []
    for number, (name, points) in enumerate(paths.items()):
        lines += ax.plot(*np.transpose(points), label=name, **_line(name, number, 1.8))
    start = next(iter(paths.values()))[0]
    ax.plot(*start, "o", markersize=9, markerfacecolor="white", markeredgecolor=INK, markeredgewidth=2)
    if minimum is not None:
        ax.plot(*minimum, "*", markersize=14, color="white", markeredgecolor=INK)
    ax.set(xlim=bounds[:2], ylim=bounds[2:], xlabel="weight w1", ylabel="weight w2")
    return lines


def race_traces(ax, losses, log=True):
    """The losses (steps + 1,) of several optimizers, or what else they change, at every step: a dict by name.

    Returns the lines.
    """
    lines = []
    for number, (name, values) in enumerate(losses.items()):
        lines += ax.plot(np.arange(len(values)), values, label=name, **_line(name, number, 2.0))
    ax.set(xlabel="step", ylabel="loss", yscale="log" if log else "linear")
    return lines


def rate_schedules(ax, rates, log=True):
    """Learning rates against the epoch, 0, 1, ..., from a dict by name; each holds for its epoch. Returns the lines."""
    lines = []
    for number, (name, values) in enumerate(rates.items()):
        color = CYCLE[number % len(CYCLE)]
        lines += ax.step(np.arange(len(values)), values, where="post", color=color, path_effects=casing(color),
                         linestyle=STYLES[number % len(STYLES)], label=name)
    ax.set(xlabel="epoch", ylabel="learning rate", yscale="log" if log else "linear")
    return lines


def tuning_curves(ax, rates, losses, top=None):
    """What each optimizer reaches with each rate, the best marked; a run that reached nothing is left out.

    Args: rates: dict from name to its rates (n,).   losses: dict from name to losses (n,); nan or infinite: no point.
        top: the highest loss shown.
    Returns the lines.
    """
    lines = []
    for number, (name, values) in enumerate(losses.items()):
        color, style, marker = racer_style(name, number)
        values = np.where(np.isfinite(values), values, np.nan)
        lines += ax.plot(rates[name], values, color=color, linestyle=style, marker=marker, markersize=5, label=name,
                         path_effects=casing(color))
        best = np.nanargmin(values)
        ax.plot(rates[name][best], values[best], marker, color=color, markersize=11, markeredgecolor=INK,
                markeredgewidth=1.4)
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="loss")
    if top is not None:
        ax.set_ylim(top=top)
    return lines


def seed_results(ax, results):
    """A row for each optimizer: a dot for each seed, and a bar of one standard deviation around their mean.

    Args: results: dict from name to numbers (seeds,).
    """
    for row, (name, values) in enumerate(results.items()):
        color, _, marker = racer_style(name, row)
        ax.errorbar(np.mean(values), row, xerr=np.std(values, ddof=1), color=INK, capsize=5, linewidth=1.6, zorder=3)
        ax.plot(np.mean(values), row, "|", color=INK, markersize=18, markeredgewidth=2.5, zorder=4)
        ax.plot(values, np.full(len(values), row + 0.22), marker, color=color, markersize=5, linestyle="none",
                markeredgecolor=INK, markeredgewidth=0.5)
    ax.set(yticks=np.arange(len(results)), yticklabels=list(results), ylim=(len(results) - 0.5, -0.5))
    return ax
