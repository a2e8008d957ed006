"""Figures of finite differences: secants beside the tangent, and the error against the step."""

import numpy as np

from nnlib.plots.base import GRAY, INK, PURPLE, VERMILION


def secants(ax, function, at, step, bounds):
    """A curve, its tangent at one place, and the secants of the forward and the central difference.

    Args: function: from an array to an array of its shape.   at, step: numbers.   bounds: (left, right) of x.
    Returns the slopes (tangent, forward, central); the tangent's is a central difference with a step of 1e-6.
    """
    x = np.linspace(*bounds, 400)
    ax.plot(x, function(x), color=GRAY, linewidth=1.4, zorder=1)
    ends = {"tangent": (at - 1e-6, at + 1e-6), "forward": (at, at + step), "central": (at - step, at + step)}
    slopes = []
    for (name, (a, b)), color, style in zip(ends.items(), (INK, VERMILION, PURPLE), ("--", "-.", "-"), strict=True):
        slopes.append((function(b) - function(a)) / (b - a))
        ax.plot(x, function(a) + slopes[-1] * (x - a), style, color=color, linewidth=1.6,
                label=f"{name}: slope {slopes[-1]:.2f}")
        if name != "tangent":
            ax.plot([a, b], [function(a), function(b)], "o", color=color, markersize=6, zorder=3)
    ax.plot(at, function(at), "o", color=INK, markersize=7, zorder=4)
    ax.set(xlim=bounds, xlabel="x", ylabel="f(x)")
    ax.legend()
    return tuple(slopes)


def error_curve(ax, steps, errors, truncation, rounding, color, label, style=None):
    """Errors against step sizes on logarithmic axes, with the two laws that bound them as thin lines.

    Args: steps, errors: (n,), above 0.   truncation, rounding: (n,), the laws; each is drawn from where it is
        a twentieth of the other one.   style: a line style; for None solid, or dashes and dots where the axes has a
        solid one.
    Returns the line of the errors.
    """
    if style is None:
        style = "-." if any(line.get_linestyle() == "-" for line in ax.lines) else "-"
    line, = ax.loglog(steps, errors, color=color, linestyle=style, label=label)
    for law, other, style in ((truncation, rounding, "--"), (rounding, truncation, ":")):
        ax.loglog(steps, np.where(law >= 0.05 * other, law, np.nan), style, color=INK, linewidth=1.0, zorder=4)
    ax.set(xlabel="step h", ylabel="relative error of the slope")
    return line
