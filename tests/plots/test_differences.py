"""Figures of finite differences."""

import numpy as np
import pytest

from nnlib import plots


def test_secants_return_the_slopes_that_their_legend_names():
    fig, ax = plots.subplots()
    tangent, forward, central = plots.secants(ax, np.square, at=1.0, step=0.5, bounds=(0, 2))
    assert (tangent, forward, central) == pytest.approx((2.0, 2.5, 2.0))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "tangent: slope 2.00", "forward: slope 2.50", "central: slope 2.00"]
    assert ax.get_xlim() == (0, 2) and ax.get_xlabel() and ax.get_ylabel()


def test_error_curve_draws_each_law_where_it_rules():
    steps = np.logspace(-10, 0, 11)
    fig, ax = plots.subplots()
    line = plots.error_curve(ax, steps, steps + 1e-8, steps, 1e-8 / np.maximum(steps, 1e-9), plots.GREEN, "forward")
    assert np.allclose(line.get_ydata(), steps + 1e-8)
    measured, truncation, rounding = ax.lines
    assert measured is line and ax.get_xscale() == ax.get_yscale() == "log"
    assert np.isnan(truncation.get_ydata()[0]) and np.isnan(rounding.get_ydata()[-1])
    assert truncation.get_ydata()[-1] == 1
