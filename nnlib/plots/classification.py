"""Figures of a linear classifier: its boundary as it learns, its weights, its losses and its mistakes."""

import numpy as np

from nnlib.ops import relu, sigmoid, softplus
from nnlib.plots.base import CYCLE, DIVERGING, GRAY, INK, NEGATIVE, POSITIVE, subplots
from nnlib.plots.plane import bounds_of, decision_map, scatter_classes


def boundary_line(ax, w, b, color=INK, label=None, **style):
    """The line w @ x + b = 0 in the plane, for w (2,). Returns it, or None when both weights are 0."""
    w = np.asarray(w, dtype=float)
    if not w.any():
        return None
    foot = -b * w / (w @ w)
    return ax.axline(foot, foot + np.array([-w[1], w[0]]), color=color, label=label, **style)


def filmstrip(X, t, states, titles):
    """One decision map for each state of a neuron, side by side: a descent that can be read on paper.

    Args: X: (n, 2).   t: (n,) of 0 and 1.   states: pairs (w, b), w (2,).   titles: one for each.
    Returns the figure.
    """
    figure, axes = subplots(1, len(states), width=2.5 * len(states), height=2.9, sharey=True, squeeze=False)
    bounds = bounds_of(X)
    for ax, (w, b), title in zip(axes[0], states, titles):
        decision_map(ax, lambda X, w=w, b=b: sigmoid(X @ w + b), bounds, resolution=80, boundary=False)
        boundary_line(ax, w, b)
        scatter_classes(ax, X, t, size=16)
        ax.set(title=title, xlabel="x1")
    axes[0, 0].set_ylabel("x2")
    return figure


def margin_losses(ax, limit=4.0):
    """The cost of an example of class 1 at score h: logistic, perceptron, 0/1 (deck E). Returns the lines."""
    h = np.linspace(-limit, limit, 401)
    curves = (("logistic: softplus(-h)", softplus(-h), "-"), ("perceptron: relu(-h)", relu(-h), "--"),
              ("0/1: mistake or not", np.where(h < 0, 1.0, 0.0), ":"))
    lines = [ax.plot(h, loss, style, color=color, label=label)[0]
             for (label, loss, style), color in zip(curves, (CYCLE[1], CYCLE[2], INK))]
    ax.set(xlabel="score h of an example of class 1", ylabel="loss")
    ax.legend(loc="upper right")
    return lines


def weight_image(ax, w, side, title=""):
    """Weights (side * side,) as an image: orange speaks for class 1, blue for class 0. Returns the image."""
    w = np.reshape(w, (side, side))
    limit = np.abs(w).max() or 1.0
    image = ax.imshow(w, cmap=DIVERGING, vmin=-limit, vmax=limit)
    ax.set(title=title, xlabel="column", ylabel="row")
    ax.grid(False)
    return image


def digit_weights(train, test, w, p):
    """Four square images: the mean of each class, the test image judged most wrongly, and the weights.

    Args: train, test: Dataset of two classes.   w: (features,).   p: (len(test),) probabilities of class 1.
    Returns the figure.
    """
    side, worst = train.images.shape[-1], np.abs(p - test.t).argmax()
    zero, one = train.class_names
    panels = ((f"mean {zero}", train.X[train.t == 0].mean(axis=0)),
              (f"mean {one}", train.X[train.t == 1].mean(axis=0)),
              (f"true {train.class_names[test.t[worst]]}, p({one}) = {p[worst]:.2f}", test.X[worst]))
    figure, axes = subplots(1, 4, width=9.6, height=2.7)
    for ax, (title, image) in zip(axes, panels):
        ax.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        ax.set(title=title, xlabel="column", ylabel="row")
        ax.grid(False)
    image = weight_image(axes[3], w, side, "weights")
    figure.colorbar(image, ax=axes[3], label=f"← {zero}   speaks for   {one} →", shrink=0.85)
    return figure


def evidence(ax, names, contributions, xlabel="weight"):
    """Horizontal bars, largest on top: orange to the right speaks for class 1, blue to the left for class 0.

    Args: names: of the features.   contributions: (n,), weights or weights times inputs.   Returns the bars.
    """
    contributions = np.asarray(contributions)
    order = np.argsort(contributions)
    bars = ax.barh(np.arange(len(order)), contributions[order], edgecolor=INK, linewidth=0.5,
                   color=[POSITIVE if c > 0 else NEGATIVE for c in contributions[order]])
    ax.set_yticks(np.arange(len(order)), [names[i] for i in order])
    ax.axvline(0, color=GRAY, linewidth=1)
    ax.grid(False, axis="y")
    ax.set(xlabel=xlabel, ylabel="feature")
    return bars


def confusion_counts(t, predicted):
    """How often each truth met each prediction: (2, 2) integers, a row for each true class.

    Args: t, predicted: (n,) of 0 and 1.
    """
    pairs = 2 * np.asarray(t, dtype=int) + np.asarray(predicted, dtype=int)
    return np.bincount(pairs, minlength=4).reshape(2, 2)


def confusion(ax, counts, names, title=""):
    """A table of counts (2, 2), as `confusion_counts` gives them: right answers on the diagonal, mistakes shaded."""
    ax.imshow(np.eye(2), cmap="gray", vmin=-4, vmax=1)
    for row in range(2):
        for column in range(2):
            ax.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=18, color=INK)
    ax.set_xticks((0, 1), names)
    ax.set_yticks((0, 1), names, rotation=90, va="center")
    ax.set(xlabel="predicted", ylabel="true", title=title)
    ax.grid(False)
