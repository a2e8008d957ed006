"""Figures of paths around layers, and of networks that read sequences: unrolled in time, their states, their gradients.

The three cells look alike everywhere: the plain one vermilion and solid, the LSTM purple and dashed, the GRU dark and
dotted.
"""

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch

from nnlib.plots.base import FAINT, GRAY, GREEN, INK, PURPLE, RUST, SKY, VERMILION

CELL_LOOKS = {"RNN": (VERMILION, "-"), "LSTM": (PURPLE, "--"), "GRU": (INK, "-.")}
OTHER_LOOKS = ((VERMILION, "--"), (INK, "-"), (GREEN, "-."))  # of what is no cell
ARROW = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
STEP, HALF, REACH = 2.6, 0.85, 0.38  # from box to box, half a box's width, and its half height


def cell_look(name):
    """Color and line style of a cell, by its name; gray and dotted for another."""
    return CELL_LOOKS.get(name, (GRAY, ":"))


def _box(ax, x, y, text, color=FAINT):
    ax.add_patch(FancyBboxPatch((x - HALF, y - REACH), 2 * HALF, 2 * REACH, facecolor=color, edgecolor=INK,
                                linewidth=1.4, boxstyle="round,pad=0,rounding_size=0.12", zorder=3))
    ax.text(x, y, text, ha="center", va="center", size=10, zorder=4)


def shortcut(ax, boxes, label="x", start="x", end="output", skip=True):
    """A chain of boxes from left to right, with a path around them that is added at the end.

    Args: boxes: what stands in each.   label: on the path around.   start, end: before and behind the chain.
        skip: whether there is a path around; without it the chain is the plain one.
    """
    last = len(boxes) * STEP
    ax.text(-STEP / 2 - 0.35, 0, start, ha="right", va="center", size=12, weight="bold")
    for k, text in enumerate(boxes):
        _box(ax, k * STEP, 0, text)
        ax.annotate("", (k * STEP - HALF, 0), ((k - 1) * STEP + HALF if k else -STEP / 2 - 0.2, 0), arrowprops=ARROW)
    ax.annotate("", (last - (0.75 if skip else 0.3), 0), (last - STEP + HALF, 0), arrowprops=ARROW)
    if skip:
        around = {**ARROW, "color": VERMILION, "linewidth": 2.2, "connectionstyle": "angle,angleA=90,angleB=0,rad=10"}
        ax.plot([-STEP / 2, -STEP / 2, last - 0.45, last - 0.45], [0, 1.05, 1.05, 0.62], color=VERMILION, linewidth=2.2)
        ax.annotate("", (last - 0.45, 0.3), (last - 0.45, 0.75),
                    arrowprops={key: value for key, value in around.items() if key != "connectionstyle"})
        ax.text((last - 0.45 - STEP / 2) / 2, 1.13, label, ha="center", va="bottom", size=10.5, color=RUST)
        ax.add_patch(Circle((last - 0.45, 0), 0.3, facecolor="white", edgecolor=INK, linewidth=1.6, zorder=3))
        ax.text(last - 0.45, -0.02, "+", ha="center", va="center", size=14, zorder=4)
        ax.annotate("", (last + 0.45, 0), (last - 0.15, 0), arrowprops=ARROW)
    ax.text(last + 0.55 if skip else last - 0.2, 0, end, ha="left", va="center", size=12, weight="bold")
    ax.set(xlim=(-STEP / 2 - 0.9, last + 1.3), ylim=(-0.6, 1.65), aspect="equal")
    ax.set_axis_off()
    return ax


def unrolled(ax, steps=4, context="hidden", title=""):
    """A recurrent network, one column for each step: input below, hidden layer, output above.

    Args: steps: columns.   context: what the next step receives: "hidden" (Elman) or "output" (Jordan).
    """
    for t in range(1, steps + 1):
        x = (t - 1) * STEP
        _box(ax, x, 0, f"$h_{t}$", SKY)
        ax.text(x, -1.5, f"$x_{t}$", ha="center", va="center", size=12)
        ax.text(x, 1.5, f"$y_{t}$", ha="center", va="center", size=12)
        ax.annotate("", (x, -REACH), (x, -1.25), arrowprops=ARROW)
        ax.annotate("", (x, 1.25), (x, REACH), arrowprops=ARROW)
        if t < steps:
            start = (x + HALF, 0) if context == "hidden" else (x + 0.3, 1.5)
            end = (x + STEP - HALF, 0) if context == "hidden" else (x + STEP - HALF, 0.2)
            ax.annotate("", end, start, arrowprops={**ARROW, "color": VERMILION, "linewidth": 2.2})
    ax.set(xlim=(-1.2, (steps - 1) * STEP + 1.2), ylim=(-1.9, 1.9), aspect="equal", title=title)
    ax.set_axis_off()
    return ax


def seed_traces(ax, runs, level=None, label=None):
    """What several runs of each kind did at every step, all runs of a kind alike.

    Args: runs: dict from a name to values (seeds, steps).   level, label: a height to compare with, and its name.
    """
    for (name, values), (color, style) in zip(runs.items(), OTHER_LOOKS, strict=False):
        values = np.atleast_2d(values)
        ax.plot(np.arange(values.shape[1]), values.T, style, color=color, linewidth=1.3,
                label=[name] + [None] * (len(values) - 1))
    if level is not None:
        ax.axhline(level, color=GRAY, linestyle=":", linewidth=2, label=label)
    ax.set(xlabel="step", ylabel="loss")
    return ax


def rate_dots(ax, rates, scores, guessing=None):
    """What each run reached, against the learning rate: a dot for each, in the look of its cell.

    Args: rates, scores: dicts from a cell's name to (n,) and to (n, seeds).   guessing: the score of a guess.
    """
    marks = {name: "osD^"[number % 4] for number, name in enumerate(dict.fromkeys([*CELL_LOOKS, *scores]))}
    for number, (name, values) in enumerate(scores.items()):
        places = np.asarray(rates[name]) * 1.12 ** (number - (len(scores) - 1) / 2)  # so that dots stand side by side
        ax.plot(places, values, marks[name], color=cell_look(name)[0], markersize=7, alpha=0.75,
                markeredgecolor=INK, markeredgewidth=0.6,
                label=[name] + [None] * (np.shape(values)[1] - 1))
    if guessing is not None:
        ax.axhline(guessing, color=GRAY, linestyle=":", linewidth=2, label="guessing")
    ax.set(xscale="log", xlabel="learning rate", ylabel="accuracy")
    return ax


def lag_curves(ax, curves, floor=1e-12):
    """How large a gradient is that has gone back so many steps, for several cells, each with several draws of weights.

    Args: curves: dict from a name to norms (draws, lags), from lag 0 on; thin lines are the draws, the thick one is
        their geometric mean.   floor: where the axis ends below.
    Returns the thick lines.
    """
    lines, of_cells = [], CELL_LOOKS.keys() & curves.keys()
    for number, (name, values) in enumerate(curves.items()):
        values = np.maximum(np.atleast_2d(values), np.finfo(float).tiny)
        color, style = cell_look(name) if of_cells else OTHER_LOOKS[number % len(OTHER_LOOKS)]
        lags = np.arange(values.shape[1])
        ax.plot(lags, values.T, color=color, linewidth=0.7, alpha=0.5)
        lines += ax.plot(lags, np.exp(np.log(values).mean(axis=0)), color=color, linestyle=style, linewidth=2.4,
                         label=name)
    ax.set(yscale="log", xlabel="lag: steps back", ylabel="norm, relative to lag 0")
    ax.set_ylim(bottom=floor)
    return lines
