"""Figures of what hidden units do: half-planes and their votes, maps over the plane, bumps, shapes of networks."""

import numpy as np
from matplotlib.lines import Line2D

from nnlib.plots.base import DIVERGING, FAINT, GRAY, INK, SKY, VERMILION
from nnlib.plots.plane import evaluate, scatter_classes


def sign_map(ax, predict, bounds, resolution=300):
    """Where answers are above 0, orange, and where they are below, blue, without shades.

    Args: predict: from points (n, 2) to numbers (n,).   bounds: (left, right, bottom, top).
    """
    values = evaluate(predict, bounds, resolution)[2]
    ax.imshow(np.sign(values), extent=bounds, origin="lower", aspect="auto", cmap=DIVERGING, vmin=-1, vmax=1,
              alpha=0.55, interpolation="nearest")
    ax.set(xlim=bounds[:2], ylim=bounds[2:])
    ax.grid(False)
    return ax


def half_planes(ax, W, b, bounds, names=None, color=INK, feet=None):
    """For each unit the line on which w @ x + b is 0, and an arrow to its positive side.

    A unit whose line does not cross the picture is left out. Arrows are square to their lines on square axes.
    Args: W: (units, 2).   b: (units,).   bounds: (left, right, bottom, top).   names: written at the arrows' tips.
        feet: (units, 2), points on the lines where the arrows begin; near the middle of each line if None.
    """
    left, right, bottom, top = bounds
    size = np.array([right - left, top - bottom])
    for k, (w, bias) in enumerate(zip(np.asarray(W, dtype=float), np.asarray(b, dtype=float), strict=True)):
        ends = _crossings(w, bias, bounds)
        if len(ends) < 2:
            continue
        ends = np.array(ends)
        ax.plot(*ends.T, color=color, linewidth=1.8)
        place = 0.5 if len(W) == 1 else (0.38, 0.62, 0.5)[k % 3]  # so that arrows of parallel lines do not meet
        foot = ends[0] + place * (ends[1] - ends[0]) if feet is None else np.asarray(feet[k], dtype=float)
        seen = w * size  # the direction across the line as the picture shows it
        normal = seen / np.hypot(*seen) * size
        ax.annotate("", foot + 0.1 * normal, foot, zorder=4, arrowprops={
            "arrowstyle": "-|>", "color": color, "linewidth": 2, "shrinkA": 0, "shrinkB": 0})
        if names:
            ax.text(*(foot + 0.15 * normal), names[k], ha="center", va="center", size=10, weight="bold", zorder=5,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8})
    ax.set(xlim=bounds[:2], ylim=bounds[2:])
    return ax


def _crossings(w, bias, bounds):
    """The two points where a line meets the frame of the picture, from left to right; fewer where it does not."""
    left, right, bottom, top = bounds
    found = []
    if w[1]:
        found += [(x, -(bias + w[0] * x) / w[1]) for x in (left, right)]
    if w[0]:
        found += [(-(bias + w[1] * y) / w[0], y) for y in (bottom, top)]
    room = 1e-9 * (right - left + top - bottom)
    inside = [p for p in found if left - room <= p[0] <= right + room and bottom - room <= p[1] <= top + room]
    apart = [p for k, p in enumerate(inside) if not any(np.allclose(p, q) for q in inside[:k])]
    return sorted(apart)[:2]


def unit_maps(axes, units, bounds, X=None, t=None, resolution=80):
    """One small map for each hidden unit: orange where its output is positive, blue where it is negative.

    Each map has its own scale. The dark line is where a map passes the middle of its values.
    Args: axes: as many as units.   units: from points (n, 2) to outputs (n, units).   X, t: examples to be drawn, too.
    """
    axes = np.ravel(axes)
    outputs = [evaluate(lambda P, k=k: np.asarray(units(P))[:, k], bounds, resolution) for k in range(len(axes))]
    for k, (ax, (x, y, values)) in enumerate(zip(axes, outputs, strict=True)):
        most = np.abs(values).max() or 1.0
        ax.imshow(values, extent=bounds, origin="lower", aspect="auto", cmap=DIVERGING, vmin=-most, vmax=most,
                  alpha=0.75, interpolation="bilinear")
        middle = (values.min() + values.max()) / 2
        if np.ptp(values) > 1e-6 * most:
            ax.contour(x, y, values, levels=[middle], colors=INK, linewidths=1.3, linestyles="solid")
        if X is not None:
            scatter_classes(ax, X, t, size=5, alpha=0.6)
        ax.set(xlim=bounds[:2], ylim=bounds[2:], xticks=[], yticks=[], title=f"unit {k + 1}")
        ax.grid(False)
    return axes


def bumps(ax, x, parts, target=None, labels=("the bumps", "their sum", "the curve")):
    """Bumps along a line, each filled faintly, with their sum, and the curve that the sum should meet.

    Args: x: (n,).   parts: (bumps, n).   target: (n,) or None.   labels: of the three, for the legend.
    """
    parts = np.asarray(parts)
    for k, part in enumerate(parts):
        ax.fill_between(x, 0, part, facecolor=SKY, alpha=0.3, edgecolor=GRAY, linewidth=0.6,
                        label=labels[0] if k == 0 else None)
    if target is not None:
        ax.plot(x, target, "--", color=INK, linewidth=1.8, label=labels[2])
    ax.plot(x, parts.sum(axis=0), color=VERMILION, linewidth=1.8, label=labels[1])
    ax.set(xlim=(x[0], x[-1]), xlabel="x", ylabel="output")
    return ax


def network_shape(ax, sizes, most=16):
    """Units as circles and connections as lines, without numbers; of a wide layer only `most` units are drawn.

    Args: sizes: units of each layer, the inputs first.   Returns ax.
    """
    places = []
    for k, size in enumerate(sizes):
        shown = min(size, most)
        heights = (np.arange(shown) - (shown - 1) / 2) / max(most - 1, 1)
        places.append([(k, y) for y in heights])
    for one, other in zip(places, places[1:]):
        for start in one:
            for end in other:
                ax.add_line(Line2D(*zip(start, end), color=FAINT, linewidth=0.7, zorder=1))
    for k, (layer, size) in enumerate(zip(places, sizes, strict=True)):
        for x, y in layer:
            ax.plot(x, y, "o", color=SKY, markeredgecolor=INK, markersize=5.5, markeredgewidth=0.8, zorder=2)
        more = f"\n({len(layer)} drawn)" if len(layer) < size else ""
        ax.text(k, -0.56, f"{size}{more}", ha="center", va="top", size=9.5)
    ax.set(xlim=(-0.4, len(sizes) - 0.6), ylim=(-0.78, 0.56))
    ax.set_axis_off()
    return ax


def error_bars(ax, places, results, label=None, color=INK, marker="o"):
    """Results of several seeds: a faint dot for each, and the mean with its standard deviation as an error bar.

    Args: places: (n,) on the horizontal axis.   results: (n, seeds).
    """
    results, places = np.asarray(results, dtype=float), np.asarray(places, dtype=float)
    ax.plot(np.repeat(places, results.shape[1]), results.ravel(), marker, color=color, alpha=0.25, markersize=4)
    ax.errorbar(places, results.mean(axis=1), results.std(axis=1, ddof=1), color=color, marker=marker, markersize=7,
                capsize=4, linewidth=1.5, label=label)
    return ax
