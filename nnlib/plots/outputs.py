"""Figures of what a network puts out: distributions and their losses, probabilities of classes, a predicted spread."""

import math

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from nnlib.plots.base import DIVERGING, FAINT, GREEN, INK, SKY, VERMILION, subplots

MISTAKES = LinearSegmentedColormap.from_list("white_vermilion", ["#FFFFFF", VERMILION])


def normal_density(t, mean=0.0, deviation=1.0):
    """The Normal density at t (any shape): exp(-(t - mean)^2 / (2 deviation^2)) / sqrt(2 pi deviation^2)."""
    d = (np.asarray(t) - mean) / deviation
    return np.exp(-d * d / 2) / math.sqrt(2 * math.pi * deviation ** 2)


def surprises(bernoulli=0.7, multinoulli=(0.6, 0.3, 0.1)):
    """Three distributions, and below each what an outcome costs: minus the logarithm of its height (deck D).

    Args: bernoulli: probability of 1.   multinoulli: probabilities of the classes 0, 1, ...
    Returns the figure: Normal, Bernoulli and Multinoulli from left to right.
    """
    figure, axes = subplots(2, 3, width=9.6, height=5.0)
    t = np.linspace(-3.5, 3.5, 201)
    for ax, curve in zip(axes[:, 0], (normal_density(t), -np.log(normal_density(t)))):
        ax.plot(t, curve, color=INK)
        ax.fill_between(t, curve, color=FAINT, alpha=0.6)
        ax.set_xlabel("target minus mean, t - m")
    for column, p in ((1, np.array([1 - bernoulli, bernoulli])), (2, np.array(multinoulli))):
        for ax, heights in zip(axes[:, column], (p, -np.log(p))):
            class_bars(ax, heights)
            ax.set_xlabel("target t")
    for ax, title in zip(axes[0], ("Normal", "Bernoulli", "Multinoulli")):
        ax.set(title=title, ylabel="density" if title == "Normal" else "probability", ylim=(0, None))
    for ax in axes[1]:
        ax.set(ylabel="loss: minus the log", ylim=(0, None))
    return figure


def class_bars(ax, heights, right=None, names=None, form="{:.2f}"):
    """A bar for each class with its height written above; the right class, if given, is green and hatched.

    Args: heights: (classes,) of at least 0.   right: a class number.   names: of the classes.   Returns the bars.
    """
    heights = np.asarray(heights)
    bars = ax.bar(np.arange(len(heights)), heights, color=SKY, edgecolor=INK, linewidth=0.6)
    if right is not None:
        bars[right].set(facecolor=GREEN, hatch="//")
    ax.bar_label(bars, [form.format(height) for height in heights], padding=2, fontsize=9.5)
    ax.set_xticks(np.arange(len(heights)), names or np.arange(len(heights)))
    ax.set_ylim(0, 1.18 * max(heights.max(), 1e-12))
    ax.grid(False, axis="x")
    return bars


def class_counts(t, predicted, classes):
    """How often each true class met each predicted one: (classes, classes) integers, a row for each true class.

    Args: t, predicted: (n,) of 0 ... classes - 1.
    """
    pairs = classes * np.asarray(t, dtype=int) + np.asarray(predicted, dtype=int)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def class_table(ax, counts, names=None, title=""):
    """Counts (classes, classes) as a table: right answers on the gray diagonal, mistakes the redder the more there are.

    Args: counts: as `class_counts` gives them.   names: of the classes.   Returns the image.
    """
    counts, k = np.asarray(counts), len(counts)
    mistakes = np.where(np.eye(k, dtype=bool), 0, counts)
    image = ax.imshow(mistakes, cmap=MISTAKES, vmin=0, vmax=1.6 * max(mistakes.max(), 1))
    for i in range(k):
        ax.add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, facecolor=FAINT, edgecolor="none"))
        for j in range(k):
            if counts[i, j]:
                ax.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=9.5, color=INK)
    ax.set_xticks(np.arange(k), names or np.arange(k))
    ax.set_yticks(np.arange(k), names or np.arange(k))
    ax.set(xlabel="predicted", ylabel="true", title=title)
    ax.grid(False)
    return image


def _frame(ax):
    """An image without numbers at its edges, framed on all sides."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
    ax.grid(False)


def weight_gallery(W, names=None, columns=5):
    """The weights of each class as an image: orange where ink speaks for it, blue where ink speaks against it.

    Args: W: (classes, side * side).   names: of the classes.   columns: images in a row.
    Returns the figure; white is 0, and all images share one scale.
    """
    W = np.asarray(W)
    side, limit = math.isqrt(W.shape[1]), np.abs(W).max() or 1.0
    rows = -(-len(W) // columns)
    figure, axes = subplots(rows, columns, width=1.55 * columns + 1.2, height=1.75 * rows, squeeze=False)
    for ax in axes.flat[len(W):]:
        ax.set_visible(False)
    for ax, w, name in zip(axes.flat, W, names or range(len(W))):
        image = ax.imshow(w.reshape(side, side), cmap=DIVERGING, vmin=-limit, vmax=limit)
        ax.set_title(str(name))
        _frame(ax)
    figure.colorbar(image, ax=axes, label="← against   ink speaks   for →", shrink=0.9)
    return figure


def image_row(images, titles):
    """Gray images side by side, ink dark, each with a title.

    Args: images: (n, side, side) from 0 (paper) to 1 (ink).   titles: one for each.   Returns the figure.
    """
    figure, axes = subplots(1, len(images), width=1.65 * len(images), height=2.0, squeeze=False)
    for ax, image, title in zip(axes[0], images, titles):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(title, fontsize=10)
        _frame(ax)
    return figure


def spread(ax, x, mean, deviation, color=VERMILION, label="mean ± 2 deviations"):
    """A predicted mean as a line, and the band of two standard deviations around it. Returns the line.

    Args: x: (n,) in rising order.   mean: (n,).   deviation: a number or (n,).
    """
    ax.fill_between(x, mean - 2 * deviation, mean + 2 * deviation, color=color, alpha=0.18, linewidth=0)
    for sign in (-2, 2):
        ax.plot(x, mean + sign * deviation, color=color, linewidth=1, linestyle="--")
    line, = ax.plot(x, mean, color=color, label=label)
    return line
