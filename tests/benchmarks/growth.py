"""How the time of nnlib's training step grows with the batch, the width and the depth of a network.

    python tests/benchmarks/growth.py [--quick] [--readme]

Prints, and plots on logarithmic axes, the time against what grows, and the fitted exponent: time ~ size^exponent. It
is near 1 where time grows like the work, and below 1 where part of the time is the same for any size. The work of a
layer grows with the square of its width, so width is shown as the number of multiplications. One thread, so that a
second one, which large networks use better than small ones, does not bend the curve. --readme: docs/growth.png and the
sentence in README.md.
"""

import argparse
import sys

import numpy as np

import report
from workloads import Network, mlp

ALT = ("Three log-log plots of the time of a training step, for an MLP and a convolutional network: against the batch, "
       "the multiplications as layers get wider, and the number of layers. All six rise almost like the dashed line "
       "of slope 1.")


def convolutions(side, channels, depth):
    """A convolutional network of `depth` equal layers on one-channel images, and a linear layer at the end."""
    layers = [("conv", 1, channels), ("relu",)]
    for _ in range(depth):
        layers += [("conv", channels, channels), ("relu",)]
    return [*layers, ("flatten",), ("linear", channels * side * side, 10)]


def multiplications(layers, shape):
    """How often two numbers are multiplied in one forward pass."""
    total = 0
    for kind, *sizes in layers:
        if kind in ("linear", "conv"):
            total += sizes[0] * sizes[1] * (9 * shape[-1] * shape[-2] if kind == "conv" else 1)
    return shape[0] * total


def studies():
    """Triples (what grows, network, [(size, workload) ...]), from small to 8 or more times as large."""
    def dense(width, depth, batch):
        return mlp(*[width] * (depth + 1), 10), (batch, width)

    def conv(channels, depth, batch):
        return convolutions(14, channels, depth), (batch, 1, 14, 14)

    plans = [
        ("batch", "MLP", [(n, dense(256, 2, n)) for n in (128, 256, 512, 1024, 2048)]),
        ("batch", "CNN", [(n, conv(16, 1, n)) for n in (16, 32, 64, 128, 256)]),
        ("multiplications (width)", "MLP", [(None, dense(w, 2, 256)) for w in (192, 256, 384, 512, 768)]),
        ("multiplications (width)", "CNN", [(None, conv(c, 1, 32)) for c in (16, 24, 32, 48, 64)]),
        ("layers", "MLP", [(d, dense(256, d, 256)) for d in (2, 4, 8, 16)]),
        ("layers", "CNN", [(d, conv(16, d, 16)) for d in (2, 4, 8, 16)]),
    ]
    return [(what, network, [(size or multiplications(*plan), Network(*plan)) for size, plan in plans_of_one])
            for what, network, plans_of_one in plans]


def exponent(sizes, times):
    """The slope of the straight line through the logarithms, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def measure(rounds):
    """[(what grows, network, sizes, milliseconds)]: all sizes of a study take turns, in random order."""
    results = []
    for what, network, points in studies():
        times = report.interleaved([w.prepare("nnlib") for _, w in points], rounds, limit=8)
        results.append((what, network, [size for size, _ in points], 1000 * np.median(times, axis=1)))
    return results


def figure(results):
    """A plot for each thing that grows: dots, the fitted lines' exponents, and a line of slope 1 to compare."""
    from nnlib import plots

    names = list(dict.fromkeys(what for what, *_ in results))
    drawing, axes = plots.subplots(1, len(names), width=9.6, height=3.6, sharey=True)
    styles = {"MLP": ("o-", plots.NEGATIVE), "CNN": ("s-", plots.VERMILION)}
    for what, network, sizes, times in results:
        ax, (marker, color) = axes[names.index(what)], styles[network]
        ax.plot(sizes, times, marker, color=color, label=f"{network}: slope {exponent(sizes, times):.2f}")
        ax.plot(sizes, times[-1] * np.array(sizes) / sizes[-1], "--", color=plots.GRAY, linewidth=1)
    for ax, what in zip(axes, names):
        ax.set(xlabel=what)
        report.logarithmic(ax, "x")
        ax.legend(loc="upper left")
    report.logarithmic(axes[0], "y")
    axes[0].set_ylim(top=4 * axes[0].get_ylim()[1])  # room for the legends
    axes[0].set(ylabel="ms for a training step", title="Time grows like the work")
    return drawing


def main(arguments=None):
    """Measure, print and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--readme", action="store_true")
    options = parser.parse_args(arguments)
    remark = report.disturbance()
    report.limit_threads(1)
    results = measure(2 if options.quick else 9)
    print(f"how the time of nnlib's training step grows: time ~ size^exponent.{remark}")
    for what, network, sizes, times in results:
        print(f"{network} {what:24} exponent {exponent(sizes, times):.2f}   "
              + "  ".join(f"{size:.3g}: {ms:.2f} ms" for size, ms in zip(sizes, times)))
    print(f"figure: {report.save_figure(figure(results), 'growth.png', options.readme)}")
    if options.readme:
        sentences = "; ".join(f"{network}, {what}: {exponent(sizes, times):.2f}"
                              for what, network, sizes, times in results)
        report.write_readme("growth", f"Fitted exponents of the time of a step: {sentences}.{remark}\n\n"
                            f"![{ALT}](docs/growth.png)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
