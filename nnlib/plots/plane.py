"""Figures in the plane: classes as points, probabilities as a field, losses as contours, descents as paths."""

import numpy as np

from nnlib.plots.base import DIVERGING, GRAY, INK, NEGATIVE, POSITIVE

MARKERS = {0: ("o", NEGATIVE), 1: ("^", POSITIVE)}


def grid(bounds, resolution=200):
    """Points of a regular grid.

    Args: bounds: (left, right, bottom, top).   resolution: points along each axis.
    Returns (x, y) of shape (resolution, resolution) each, as np.meshgrid does.
    """
    left, right, bottom, top = bounds
    return np.meshgrid(np.linspace(left, right, resolution), np.linspace(bottom, top, resolution))


def bounds_of(X, margin=0.1):
    """(left, right, bottom, top) around points (n, 2), with that fraction of their extent as margin."""
    low, high = X.min(axis=0), X.max(axis=0)
    room = margin * (high - low)
    return low[0] - room[0], high[0] + room[0], low[1] - room[1], high[1] + room[1]


def scatter_classes(ax, X, t, names=("class 0", "class 1"), size=28, alpha=0.85):
    """Points with a sign for each class: blue circles for 0, orange triangles for 1; color is never the only sign.

    Args: X: (n, 2).   t: (n,) of 0 and 1.   names: of the two classes, for a legend.
    """
    for k, (marker, color) in MARKERS.items():
        ax.scatter(*X[t == k].T, s=size, marker=marker, color=color, edgecolor=INK, linewidth=0.6, alpha=alpha,
                   label=names[k])
    return ax


def evaluate(function, bounds, resolution):
    """`function` of points (n, 2) on a grid. Returns (x, y, values), each (resolution, resolution)."""
    x, y = grid(bounds, resolution)
    return x, y, np.asarray(function(np.stack([x.ravel(), y.ravel()], axis=1))).reshape(x.shape)


def decision_map(ax, predict, bounds, resolution=120, boundary=True):
    """Predicted probabilities over the plane, blue near 0 and orange near 1, with the line where they are 1/2.

    Args: predict: from points (n, 2) to probabilities (n,) of class 1.   bounds: (left, right, bottom, top).
    Returns the image, for a color bar.
    """
    x, y, p = evaluate(predict, bounds, resolution)
    image = ax.imshow(p, extent=bounds, origin="lower", aspect="auto", cmap=DIVERGING, vmin=0, vmax=1, alpha=0.55,
                      interpolation="bilinear")
    if boundary and p.min() < 0.5 < p.max():
        ax.contour(x, y, p, levels=[0.5], colors=INK, linewidths=1.8)
    ax.set(xlim=bounds[:2], ylim=bounds[2:])
    ax.grid(False)
    return image


def contours(ax, function, bounds, levels=16, log=True, resolution=160):
    """Lines of equal height of `function` of points (n, 2) to heights (n,); `log` spaces them by their logarithm."""
    x, y, height = evaluate(function, bounds, resolution)
    if log and np.ndim(levels) == 0:
        low = max(height.min(), 1e-3 * height.max()) if height.min() >= 0 else None
        levels = levels if low is None else np.geomspace(max(low, 1e-12), height.max(), levels)
    lines = ax.contour(x, y, height, levels=levels, colors=GRAY, linewidths=0.8, alpha=0.7, linestyles="solid")
    ax.grid(False)
    return lines


def path(ax, points, color=NEGATIVE, label=None):
    """The route of a descent, points (steps + 1, 2): a dot at every step, a ring at the start. Returns the line."""
    points = np.asarray(points)
    line, = ax.plot(*points.T, "-o", color=color, markersize=3.5, linewidth=1.4, label=label)
    ax.plot(*points[0], "o", markersize=9, markerfacecolor="white", markeredgecolor=color, markeredgewidth=2)
    return line


def trace(ax, losses, label=None, color=None, log=False):
    """The losses (steps + 1,) at every step (the trace plot, deck D), with labeled axes. Returns the line."""
    line, = ax.plot(np.arange(len(losses)), losses, label=label, color=color)
    ax.set(xlabel="step", ylabel="loss", yscale="log" if log else "linear")
    return line
