"""How long a learner waits, in real JupyterLab, from a key press on a slider to the new picture.

    python tests/benchmarks/keypress_latency.py [notebook ...]

Runs the notebooks (by default all of them; "05" names one by its beginning) and prints median, fastest and 90th
percentile of 20 presses on the first slider of every explorer; fails where a median is above the goal.
"""

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from browser import Lab, LabError, explorers_of  # noqa: E402  (tools/ is not a package)

PRESSES, GOAL, GOALS = 20, 80, {"GraphStepper": 120}  # presses counted, milliseconds


def measure(explorer, handle):
    """Milliseconds of each press, back and forth, sorted; two presses to warm up are not counted."""
    at_the_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
    keys = ["ArrowLeft", "ArrowRight"] if at_the_end else ["ArrowRight", "ArrowLeft"]
    times = [explorer.latency(handle, key) for key in keys * (1 + PRESSES // 2)]
    return sorted(times[2:])


def main(names=()):
    """Measure the explorers of these notebooks; returns 1 where one is slower than its goal."""
    slow = 0
    print(f"key press to new picture, {PRESSES} presses, in milliseconds")
    print(f"{'explorer':28} median    min    p90   goal")
    with Lab(ROOT / "notebooks") as lab:
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            shown = explorers_of(path)
            if not shown or names and not path.name.startswith(tuple(names)):
                continue
            with lab.open(path.name) as notebook:
                notebook.run_all()
                for name, css_class in shown:
                    explorer = notebook.explorer(css_class)
                    for handle in explorer.sliders()[:1]:
                        times, goal = measure(explorer, handle), GOALS.get(name, GOAL)
                        median = statistics.median(times)
                        slow += median > goal
                        print(f"{name:28} {median:6.0f} {times[0]:6.0f} {times[int(0.9 * PRESSES) - 1]:6.0f} {goal:6}")
    return 1 if slow else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(str(error))
