"""A nerve cell and the unit that was modeled on it, in the same layout: inputs left, output right."""

import numpy as np
from matplotlib.patches import Circle, Ellipse

from nnlib.plots.base import FAINT, GRAY, INK, NEGATIVE, POSITIVE, SKY, casing

BODY = np.array([4.0, 2.5])


def _bare(ax):
    ax.set(xlim=(-0.2, 10.2), ylim=(-0.3, 5.2), aspect="equal")
    ax.set_axis_off()


def _curve(ax, points, **style):
    """A smooth branch through three control points (a quadratic Bezier curve)."""
    start, middle, end = map(np.asarray, points)
    s = np.linspace(0, 1, 30)[:, None]
    curve = (1 - s) ** 2 * start + 2 * s * (1 - s) * middle + s ** 2 * end
    ax.plot(*curve.T, solid_capstyle="round", **style)


def _note(ax, text, at, target):
    ax.annotate(text, target, at, ha="center", va="center", size=10,
                arrowprops={"arrowstyle": "-", "color": GRAY, "linewidth": 0.9, "shrinkA": 2, "shrinkB": 2})


def nerve_cell(ax):
    """A nerve cell in outline: dendrites on the left, the body, the axon with a spike, terminals right."""
    _bare(ax)
    for tip, bend in [((0.6, 4.4), (2.6, 4.0)), ((0.3, 2.9), (2.2, 2.5)), ((0.6, 1.3), (2.4, 1.3))]:
        tip, bend = np.array(tip), np.array(bend)
        _curve(ax, (BODY, bend, tip), color=INK, linewidth=3)
        fork = 0.25 * BODY + 0.5 * bend + 0.25 * tip  # halfway along the branch
        for side in (-0.5, 0.5):
            _curve(ax, (fork, fork + (-0.7, 0.2 * side), tip + (0.3, side)), color=INK, linewidth=1.5)
    ax.add_patch(Ellipse(BODY, 1.7, 1.5, facecolor=SKY, edgecolor=INK, linewidth=2, zorder=3))
    ax.add_patch(Circle(BODY, 0.28, facecolor="white", edgecolor=INK, linewidth=1.2, zorder=4))
    _curve(ax, (BODY + (0.8, 0), (6, 2.7), (8, 2.5)), color=INK, linewidth=4)
    for end in ((9.5, 3.6), (9.7, 2.6), (9.5, 1.4)):
        _curve(ax, ((8, 2.5), (8.8, 2.5), end), color=INK, linewidth=1.8)
        ax.add_patch(Circle(end, 0.13, facecolor=INK, edgecolor=INK))
    x = np.linspace(5.4, 7.4, 200)
    spike = 0.95 * np.exp(-((x - 6.2) / 0.1) ** 2) - 0.22 * np.exp(-((x - 6.5) / 0.2) ** 2)
    ax.plot(x, 3.05 + spike, color=INK, linewidth=1.4)
    _note(ax, "dendrites:\ninputs", (3.1, 4.75), (2.1, 3.85))
    _note(ax, "synapses: how much\neach input counts", (1.7, 0.15), (0.9, 0.75))
    _note(ax, "cell body:\ncollects", (4.6, 0.7), (4.3, 1.85))
    _note(ax, "spike", (7.3, 4.1), (6.3, 3.9))
    _note(ax, "axon: output", (6.6, 1.5), (6.6, 2.4))
    _note(ax, "terminals: to\nother cells", (8.6, 0.5), (9.3, 1.35))
    ax.set_title("a nerve cell")
    return ax


def artificial_neuron(ax, x, w, b, activation, name="activation"):
    """The unit of a network with its numbers: inputs, weights (orange above 0, blue below), sum and output.

    Args: x, w: (n,), n up to 5.   b: a number.   activation: from a number to a number; name: its name.
    """
    _bare(ax)
    z = float(np.dot(w, x) + b)
    heights = np.linspace(4.5, 0.5, len(x))
    for i, (value, weight, height) in enumerate(zip(x, w, heights), 1):
        start, end = np.array([0.6, height]), BODY + 0.85 * np.array([-1, (height - 2.5) / 3.5])
        color, width = POSITIVE if weight > 0 else NEGATIVE, 1 + 2 * abs(weight)
        ax.plot(*np.stack([start, end]).T, linewidth=width, color=color, path_effects=casing(color, width),
                linestyle="-" if weight > 0 else "--")
        ax.add_patch(Circle(start, 0.42, facecolor="white", edgecolor=INK, zorder=3))
        ax.text(*start, f"{value:g}", ha="center", va="center", zorder=4)
        ax.text(0.05, height, f"$x_{i}$", ha="right", va="center")
        ax.text(*((start + end) / 2), f"$w_{i}$ = {weight:g}", ha="center", va="center", zorder=5, size=9.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    ax.add_patch(Circle(BODY, 0.9, facecolor=SKY, edgecolor=INK, linewidth=2, zorder=3))
    ax.text(*BODY, f"sum + b\n{z:g}", ha="center", va="center", zorder=4, size=10)
    ax.text(4.0, 1.3, f"b = {b:g}", ha="center", va="top", size=10)
    ax.annotate("", (6.0, 2.5), (4.9, 2.5), arrowprops={"arrowstyle": "-|>", "color": INK})
    box = ax.inset_axes([6.05, 1.75, 1.5, 1.5], transform=ax.transData)
    grid = np.linspace(-6, 6, 121)
    box.plot(grid, [activation(v) for v in grid], color=INK, linewidth=1.6)
    box.plot(z, activation(z), "o", color=INK)
    box.set(xticks=[], yticks=[], facecolor=FAINT + "55")
    ax.text(6.8, 1.6, name, ha="center", va="top", size=10)
    ax.annotate("", (8.7, 2.5), (7.6, 2.5), arrowprops={"arrowstyle": "-|>", "color": INK})
    ax.text(8.8, 2.5, f"{activation(z):.3g}", va="center", size=12, weight="bold")
    ax.text(8.8, 2.0, "output", va="center", size=10)
    ax.set_title("an artificial neuron")
    return ax
