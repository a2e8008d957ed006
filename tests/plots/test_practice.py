"""Figures of training in practice."""

import numpy as np

from nnlib import plots
from nnlib.tuning import log_uniform, random_search


def search(objective, trials=12):
    space = {"rate": log_uniform(1e-4, 1), "decay": log_uniform(1e-6, 1e-2)}
    return random_search(objective, space, trials, seed=0, progress=False)


def test_learning_curves_begin_with_epoch_one_and_can_be_told_apart_without_color():
    fig, ax = plots.subplots()
    train, validation = plots.learning_curves(ax, [3.0, 2, 1], [3.0, 2.5, 2.6], best=2)
    assert train.get_xdata().tolist() == [1, 2, 3] and train.get_linestyle() != validation.get_linestyle()
    assert [line.get_label() for line in (train, validation)] == ["training", "validation"]
    mark, = (line for line in ax.lines if line not in (train, validation))
    assert set(mark.get_xdata()) == {2} and ax.get_xlabel() == "epoch" and ax.get_ylabel() == "loss"
    fig, ax = plots.subplots()
    assert len(plots.learning_curves(ax, [1.0, 0.5], ylabel="accuracy")) == 1 and ax.get_ylabel() == "accuracy"


def test_a_search_map_shows_every_trial_and_rings_the_best():
    results = search(lambda rate, decay: abs(np.log10(rate) + 2) + 0.1)
    fig, ax = plots.subplots()
    dots = plots.search_map(ax, results, "rate", "decay", (0.1, 3))
    assert np.allclose(dots.get_offsets(), [[row["rate"], row["decay"]] for row in results.rows()])
    best = results.best.parameters
    rings = [line.get_xydata().tolist() for line in ax.lines if len(line.get_xdata())]
    assert rings == [[[best["rate"], best["decay"]]]] and ax.get_xscale() == ax.get_yscale() == "log"
    fig.canvas.draw()


def test_failed_trials_are_crosses():
    results = search(lambda rate, decay: rate if rate < 1e-2 else np.nan)
    fig, ax = plots.subplots()
    dots = plots.search_map(ax, results, "rate", "decay", (1e-4, 1))
    crosses = next(line for line in ax.lines if line.get_marker() == "x")
    assert len(dots.get_offsets()) + len(crosses.get_xdata()) == 12 and min(crosses.get_xdata()) >= 1e-2
    fig, ax = plots.subplots()
    nothing = plots.search_map(ax, search(lambda rate, decay: np.inf), "rate", "decay", (1e-4, 1))
    assert len(nothing.get_offsets()) == 0
