"""What the benchmarks share: how two sides are timed side by side, the machine in words, and README.md's figures."""

import os
import platform
import random
import re
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import threadpoolctl

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import marked  # noqa: E402  (tools/ is not a package)

README = ROOT / "README.md"
PAUSE, BLOCK = 0.03, 0.05  # seconds between two blocks of steps, and of a block


def limit_threads(count):
    """Let NumPy's matrix products use at most so many threads, from now on."""
    threadpoolctl.threadpool_limits(count, user_api="blas")


def per_step(training, steps):
    """Seconds of one step, the mean of a block of them.

    A pause before lets the other side's threads fall asleep, which spin for a while when their work is done; a step
    that is not counted fills the caches.
    """
    time.sleep(PAUSE)
    training.step()
    start = time.perf_counter()
    for _ in range(steps):
        training.step()
    return (time.perf_counter() - start) / steps


def interleaved(trainings, rounds, limit=30.0):
    """Seconds of a step of each side, `rounds` times: in every round each side runs a block, in random order.

    Args: trainings: one or more sides.   limit: seconds; slow sides get fewer rounds, at least 3.
    Returns an array (sides, rounds).
    """
    once = [min(per_step(t, 1) for _ in range(3)) for t in trainings]
    steps = [max(1, round(BLOCK / seconds)) for seconds in once]
    length = sum(seconds * (n + 1) + PAUSE for seconds, n in zip(once, steps))
    rounds = max(min(rounds, round(limit / length)), min(rounds, 3))
    times, order = np.empty((len(trainings), rounds)), list(range(len(trainings)))
    for k in range(rounds):
        random.shuffle(order)
        for side in order:
            times[side, k] = per_step(trainings[side], steps[side])
    return times


def quartiles(values):
    """First quartile, median, third quartile."""
    return tuple(float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))


def geometric_mean(values):
    """The mean for ratios: twice as fast and twice as slow cancel."""
    return statistics.geometric_mean(values)


def _processor_time():
    """Ticks since the system started: (idle, all), over all cores (Linux)."""
    ticks = [int(field) for field in Path("/proc/stat").read_text(encoding="utf-8").split("\n")[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def disturbance(seconds=1.0):
    """A remark for the figures where, before we measure, other programs keep the cores busy; else nothing.

    Threads that wait for each other suffer most, so that a busy machine does not slow all sides alike.
    """
    if not Path("/proc/stat").exists():
        return ""
    before = _processor_time()
    time.sleep(seconds)
    idle, total = (later - earlier for earlier, later in zip(before, _processor_time()))
    busy = 1 - idle / max(total, 1)
    return f" {busy:.0%} of the machine was busy with other work: these figures are rough." if busy > 0.15 else ""


def machine(modules=()):
    """The machine and the versions, in words: what a reader must know to compare.

    Args: modules: names of installed packages to name with their version.
    """
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        processor = found[1] if found else processor
    processor = re.sub(r"\((R|TM)\)|\bCPU\b|@.*| +(?= )", "", processor).strip()
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    name = "OpenBLAS" if "openblas" in blas["name"] else blas["name"]
    packages = "".join(f", {title} {version(module)}" for title, module in modules)
    return (f"{os.cpu_count()} cores of {processor}, {platform.system()}, Python {platform.python_version()}, "
            f"NumPy {np.__version__} with {name} {blas['version']}{packages}")


def logarithmic(ax, which):
    """Make the axis "x" or "y" logarithmic, with ticks at 1, 2 and 5 times powers of ten, written in full."""
    low, high = getattr(ax.dataLim, f"interval{which}")
    ticks = [m * 10.0**e for e in range(-4, 13) for m in (1, 2, 5) if 0.7 * low <= m * 10.0**e <= 1.4 * high]
    ax.set(**{f"{which}scale": "log"})
    axis = getattr(ax, f"{which}axis")
    units = [(1e6, " M") if t >= 1e6 else (1e3, " k") if t >= 1e3 else (1, "") for t in ticks]
    axis.set_ticks(ticks, [f"{t / unit:g}{name}" for t, (unit, name) in zip(ticks, units)])
    axis.set_ticks([], minor=True)


def save_figure(figure, name, for_readme):
    """Write a figure to docs/ for the README, else to the system's temporary folder. Returns its path."""
    from nnlib import plots

    path = (ROOT / "docs" if for_readme else Path(tempfile.gettempdir())) / name
    path.write_bytes(plots.png(figure))
    return path


def write_readme(part, text):
    """Put `text` between the two comments of README.md that name this part.

    Raises ValueError when they are not there.
    """
    page = README.read_text(encoding="utf-8")
    README.write_text(marked.renewed(page, part, "make bench", text), encoding="utf-8")
