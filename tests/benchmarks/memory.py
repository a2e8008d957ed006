"""The peak of memory in a training step of the MNIST CNN, batch 64: nnlib against PyTorch. Linux only.

    python tests/benchmarks/memory.py [--rounds N] [--readme]

Each measurement is a process of its own: it trains once with a batch of 1, so that both libraries have loaded all they
need, notes the resident memory, trains three steps with a batch of 64, and reports how far the peak rose above the
note (the kernel's VmHWM). Fails where nnlib's peak is above 1.5 times PyTorch's.
"""

import argparse
import gc
import re
import statistics
import subprocess
import sys
import tracemalloc
from pathlib import Path

import report
from workloads import WORKLOADS, Network, cnn, installed

WORKLOAD, GOAL = "MNIST CNN on 1x28x28, batch 64", 1.5
SIDES = ("nnlib", "PyTorch")


def resident(field):
    """A line of the kernel's account of this process, VmRSS (now) or VmHWM (peak), in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) / 1000


def rise(side):
    """MB by which three steps raise the peak of this process above what it holds before them."""
    Network(cnn(28), (1, 1, 28, 28)).prepare(side).step()
    training = WORKLOADS[WORKLOAD].prepare(side)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak, too, starts anew
    before = resident("VmRSS")
    for _ in range(3):
        training.step()
    return resident("VmHWM") - before


def traced():
    """MB that NumPy and Python ask for at the peak of nnlib's step, whatever the system gives them."""
    training = WORKLOADS[WORKLOAD].prepare("nnlib")
    training.step()
    tracemalloc.start()
    training.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def in_a_process(what):
    """The number that this script prints when asked for `what` alone."""
    done = subprocess.run([sys.executable, __file__, "--measure", what], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main(arguments=None):
    """Measure both sides in turn and print medians; returns 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--measure", choices=[*SIDES, "traced"], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not sys.platform.startswith("linux"):
        print("Peak memory is read from Linux' /proc, and not measured on this system.")
        return 0
    if options.measure:
        print(traced() if options.measure == "traced" else rise(options.measure))
        return 0
    sides = [side for side in SIDES if installed(side)]
    peaks = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side in sides:
            peaks[side].append(in_a_process(side))
    print(f"peak memory of a training step, {WORKLOAD}, above the level before it, {options.rounds} processes each")
    medians = {side: statistics.median(values) for side, values in peaks.items()}
    for side, values in peaks.items():
        print(f"{side:9} {medians[side]:6.1f} MB ({min(values):.1f} to {max(values):.1f})")
    print(f"{'':9} {in_a_process('traced'):6.1f} MB of arrays and objects at the peak of nnlib's step (tracemalloc)")
    if "PyTorch" not in medians:
        print("PyTorch is not installed, so there is nothing to compare with; to install it: make peers")
        return 0
    ratio = medians["nnlib"] / medians["PyTorch"]
    print(f"nnlib / PyTorch: {ratio:.2f} (goal: at most {GOAL}){'' if ratio <= GOAL else ': MISSED'}")
    if options.readme:
        report.write_readme("memory", f"Peak memory of a step of the MNIST CNN, above the level before it: "
                            f"{medians['nnlib']:.0f} MB, PyTorch {medians['PyTorch']:.0f} MB, ratio {ratio:.2f}.")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
