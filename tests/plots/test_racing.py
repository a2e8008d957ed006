"""Figures of optimizers side by side."""

import numpy as np
import pytest

from nnlib import plots

NAMES = ["SGD", "momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam", "yours"]


def test_every_optimizer_has_a_look_of_its_own_that_does_not_depend_on_its_place():
    looks = [plots.racer_style(name) for name in NAMES]
    assert len({look[0] for look in looks}) == len({look[2] for look in looks}) == len(NAMES)
    assert looks == [plots.racer_style(name.lower(), 3) for name in NAMES]
    assert plots.racer_style("another", 0)[:2] != plots.racer_style("a third", 1)[:2]


@pytest.mark.parametrize("minimum", [None, (0, 0)])
def test_race_paths_draws_every_route_and_a_ring_at_the_start(minimum):
    routes = {"SGD": np.array([[2.0, 1], [1, 0.5]]), "Adam": np.array([[2.0, 1], [0, 0], [0.1, 0]])}
    fig, ax = plots.subplots()
    lines = plots.race_paths(ax, lambda w: np.sum(w**2, axis=1), (-3, 3, -2, 2), routes, minimum=minimum)
    assert [line.get_label() for line in lines] == list(routes)
    assert all(np.allclose(line.get_xydata(), route) for line, route in zip(lines, routes.values(), strict=True))
    signs = [line for line in ax.lines if line not in lines]
    assert np.allclose(signs[0].get_xydata(), [[2, 1]]) and len(signs) == 1 + (minimum is not None)
    assert ax.get_xlim() == (-3, 3) and ax.get_xlabel() and ax.get_ylabel()


@pytest.mark.parametrize("log, scale", [(True, "log"), (False, "linear")])
def test_traces_and_schedules_begin_at_zero_and_name_their_lines(log, scale):
    for draw in (plots.race_traces, plots.rate_schedules):
        fig, ax = plots.subplots()
        lines = draw(ax, {"SGD": [4.0, 2, 1], "Adam": [4.0, 1]}, log=log)
        assert [line.get_label() for line in lines] == ["SGD", "Adam"] and ax.get_yscale() == scale
        assert lines[0].get_xdata().tolist() == [0, 1, 2] and ax.get_xlabel() and ax.get_ylabel()


def test_tuning_curves_mark_the_best_rate_and_leave_out_what_diverged():
    fig, ax = plots.subplots()
    rates = {"SGD": [0.01, 0.1, 1, 10], "Adam": [0.001, 0.01]}
    lines = plots.tuning_curves(ax, rates, {"SGD": [2, 0.5, 1, np.inf], "Adam": [0.3, np.nan]}, top=3)
    assert np.isnan(lines[0].get_ydata()[3]) and ax.get_ylim()[1] == 3 and ax.get_xscale() == "log"
    best = [line.get_xydata() for line in ax.lines if line not in lines]
    assert np.allclose(best, [[[0.1, 0.5]], [[0.001, 0.3]]])


def test_seed_results_show_every_seed_and_the_mean():
    fig, ax = plots.subplots()
    plots.seed_results(ax, {"SGD": [1.0, 2, 3], "Adam": [2.0, 2, 5]})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["SGD", "Adam"]
    drawn = [line.get_xdata().tolist() for line in ax.lines]
    assert [1, 2, 3] in drawn and [2, 2, 5] in drawn and [3] in drawn
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
