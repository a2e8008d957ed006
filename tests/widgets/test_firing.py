"""FiringExplorer and the leaky cell behind it."""

import numpy as np
import pytest

from nnlib.widgets import FiringExplorer
from nnlib.widgets.firing import LARGEST, LEAK, charge, firing_rate


def simulated_rate(drive, seconds=2.0, step=1e-5):
    v, spikes = 0.0, 0
    for _ in range(round(seconds / step)):
        v += step / LEAK * (drive - v)
        if v >= 1:
            v, spikes = 0.0, spikes + 1
    return spikes / seconds


@pytest.mark.parametrize("drive", [0.0, 0.99, 1.2, 2.0, 4.0])
def test_rate_agrees_with_a_simulation(drive):
    assert firing_rate(drive) == pytest.approx(simulated_rate(drive), abs=1)


def test_rate_rises_and_is_never_negative_or_infinite():
    rates = firing_rate(np.linspace(0, LARGEST, 1000))
    assert np.all(np.diff(rates) >= 0) and rates[0] == 0 and np.all(np.isfinite(rates))


def test_charge_starts_at_rest_and_stays_at_or_below_threshold():
    times = np.linspace(0, 0.2, 5000)
    for drive in (0.0, 0.5, 1.0, 1.01, 2.5, 4.0):
        v = charge(drive, times)
        assert v[0] == 0 and v.max() <= 1 + 1e-9
    assert charge(0.5, 1.0) == pytest.approx(0.5)


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("drive", [0.0, 0.8, 1.0, 1.01, LARGEST])
def test_the_picture_follows_the_slider(drive):
    explorer = FiringExplorer()
    before = explorer.picture
    explorer.drive.value = drive
    assert (explorer.picture != before) == (drive != 0.8)
    assert ("silent" in explorer.alt) == (drive <= 1)


def test_goal():
    explorer = FiringExplorer()
    assert "not reached" in explorer._repr_mimebundle_()["text/plain"]
    explorer.drive.value = 2.54
    assert "✓ Goal reached" in explorer._repr_mimebundle_()["text/plain"]
