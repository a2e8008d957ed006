"""How long a learner waits, in real JupyterLab, from a key press on a slider to the new picture.

    python tests/benchmarks/keypress_latency.py

Prints median, fastest and 90th percentile of 20 for two sliders; fails where a median is above 80 ms.
"""

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from browser import Lab, LabError  # noqa: E402  (tools/ is not a package)

PRESSES, GOAL = 20, 80  # presses counted, milliseconds


def measure(explorer, label):
    """Milliseconds of each press, back and forth, sorted; two presses to warm up are not counted."""
    explorer.drag(label, -20)
    times = [explorer.latency(label, key) for key in ["ArrowRight", "ArrowLeft"] * (1 + PRESSES // 2)]
    return sorted(times[2:])


def main():
    """Measure both sliders; returns 1 where one is slower than the goal."""
    slow = 0
    with Lab(ROOT / "notebooks") as lab, lab.open("03_gradient_descent.ipynb") as notebook:
        notebook.run_all()
        explorer = notebook.explorer("nnlib-momentum-explorer")
        print(f"key press to new picture, MomentumExplorer, {PRESSES} presses, in milliseconds")
        print(f"{'slider':15} median    min    p90")
        for label in ("learning rate", "momentum"):
            times = measure(explorer, label)
            median = statistics.median(times)
            slow += median > GOAL
            print(f"{label:15} {median:6.0f} {times[0]:6.0f} {times[int(0.9 * PRESSES) - 1]:6.0f}")
    return 1 if slow else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
