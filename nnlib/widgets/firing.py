"""FiringExplorer: how the input of the simplest model of a nerve cell becomes a rate of spikes."""

import numpy as np

from nnlib.plots import GREEN, INK, VERMILION, subplots
from nnlib.widgets.base import Explorer, slider

LEAK = 0.02  # seconds in which the charge of the resting cell falls to 37%
SECONDS, LARGEST, GOAL = 0.1, 4.0, 100


def firing_rate(drive, leak=LEAK):
    """Spikes per second of the leaky integrate-and-fire cell, whose charge v follows leak dv/dt = drive - v.

    At v = 1, the threshold, it fires and starts again from 0; a drive of at most 1 never gets it there.
    Args: drive: any shape, in units of the threshold.   leak: seconds.   Returns the same shape.
    """
    drive = np.asarray(drive, dtype=np.float64)
    above = np.maximum(drive, 1 + 1e-12)
    return np.where(drive > 1, 1 / (leak * np.log(above / (above - 1))), 0.0)


def charge(drive, times, leak=LEAK):
    """The charge of that cell at `times` (seconds, any shape): from rest at 0, reset after every spike."""
    rate = firing_rate(drive, leak)
    return drive * (1 - np.exp(-(np.mod(times, 1 / rate) if rate else times) / leak))


class FiringExplorer(Explorer):
    """One slider, two pictures: the charge of the cell over time, and its rate of spikes by input."""

    def __init__(self):
        self.drive = slider("input", 0.0, LARGEST, 0.8, step=0.01, unit="thresholds",
                            tooltip="the sum of what arrives at the cell; 1 is just not enough to fire")
        self._times = np.linspace(0, SECONDS, 1001)
        figure, (cell, curve) = subplots(1, 2, width=8.4, height=3.0)
        cell.axhline(1, color=VERMILION, linestyle="--", linewidth=1.2, label="threshold")
        cell.set(xlim=(0, 1000 * SECONDS), ylim=(0, 1.25), xlabel="time (ms)", ylabel="charge (thresholds)",
                 title="the charge of the cell")
        cell.legend(loc="upper right")
        drives = np.linspace(0, LARGEST, 401)
        curve.plot(drives, firing_rate(drives), color=INK)
        curve.axhline(GOAL, color=GREEN, linestyle=":", linewidth=1.2, label="goal")
        curve.set(xlim=(0, LARGEST), ylim=(-5, 180), xlabel="input (thresholds)", ylabel="spikes per second",
                  title="its rate of spikes")
        curve.legend(loc="upper left")
        self._charge, = cell.plot([], [], color=INK, linewidth=1.4)
        self._here, = curve.plot([], [], "o", color=VERMILION, markersize=10)
        self.assemble(figure, controls=[self.drive], animated=[self._charge, self._here],
                      goal=f"let the cell fire {GOAL} times a second, give or take 1")

    @property
    def rate(self):
        """Spikes per second at the input chosen."""
        return float(firing_rate(self.drive.value))

    def update(self):
        """Draw the charge over time and the point on the curve."""
        self._charge.set_data(1000 * self._times, charge(self.drive.value, self._times))
        self._here.set_data([self.drive.value], [self.rate])
        self.report_goal(abs(self.rate - GOAL) <= 1, f"Now it fires {self.rate:.0f} times a second.")

    def describe(self):
        """The alternative text: whether and how often the cell fires."""
        begin = f"With an input of {self.drive.value:.2f} thresholds the charge of the cell"
        if not self.rate:
            return f"{begin} levels off there, never passes the threshold of 1, and the cell is silent."
        return (f"{begin} climbs to the threshold again and again: a sawtooth with {self.rate:.0f} spikes a "
                "second. Right, the rate of spikes against the input: zero up to an input of 1, then rising.")
