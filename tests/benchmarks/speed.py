"""How long a training step takes in nnlib, PyTorch, MyGrad and HIPS autograd, on one machine at the same time.

    python tests/benchmarks/speed.py [--quick] [--rounds N] [--workload NAME]... [--json FILE] [--readme]

A step is forward, backward and update; all sides use two threads. Before timing, each side trains three steps, and its
losses and changes must agree with nnlib's. Then nnlib and one other take turns, block by block in random order, so
that both meet the same noise; shown are medians, and the quartiles of the ratio. The garbage collector runs as usual,
without the objects that were there before. Other libraries are measured where installed: make peers.
--quick: three short rounds.   --workload: those whose name contains NAME.   --readme: the table and the figure of
README.md.   Fails where two sides disagree or, with the full set of workloads, a goal is missed.
"""

import argparse
import gc
import json
import sys

import numpy as np

import report
from workloads import SIDES, THREADS, WORKLOADS, installed, library, plain

PEERS = [side for side in SIDES if side != "nnlib"]
TOLERANCES = {"float32": 1e-3, "float64": 1e-9}  # of the largest element: three steps of rounding, no more
ALT = ("Dots on a logarithmic axis: for each of eight workloads, the time of a training step in nnlib divided by the "
       "time in PyTorch, MyGrad and autograd. Left of the line at 1, nnlib is faster.")


def history(training, steps=3):
    """What a side computes in its first steps: the losses, and what has changed since."""
    values = [np.array(plain(training.step())) for _ in range(steps)]
    return [*values, *training.state()]


def disagreement(ours, theirs):
    """The largest difference of two histories in units of the tolerance (above 1: they compute something else)."""
    def worst(a, b):
        if a.shape != b.shape or not np.isfinite(a).all():
            return np.inf
        return np.abs(a - b).max() / (TOLERANCES[str(a.dtype)] * max(np.abs(b).max(), np.finfo(a.dtype).tiny))
    return max(map(worst, ours, theirs)) if len(ours) == len(theirs) else np.inf


def compare(workload, peers, rounds):
    """Measure one workload: {peer: (ours, theirs, ratio)}, each three quartiles, in ms; ours alone under "nnlib".

    Raises ValueError when a peer computes something else.
    """
    reference, result = history(workload.prepare("nnlib")), {}
    for peer in peers or ["nnlib"]:
        sides = [workload.prepare("nnlib")] + [workload.prepare(peer)] * (peer != "nnlib")
        off = disagreement(reference, history(sides[-1]))
        if not off <= 1:
            raise ValueError(f"{peer} and nnlib disagree by {off:.2g} times the tolerance after three steps; "
                             "a time would mean nothing")
        gc.collect()
        gc.freeze()
        ours, theirs = (times := report.interleaved(sides, rounds))[0], times[-1]
        gc.unfreeze()
        result[peer] = [report.quartiles(v) for v in (1000 * ours, 1000 * theirs, ours / theirs)]
    return result


def first(result):
    """Our time: from the first pair, which is the one with PyTorch where that is installed."""
    return next(iter(result.values()))[0][1]


def ratio(result, peer, spread=False):
    """A cell of the table: our time over the peer's, with its quartiles; a dash where it was not measured."""
    if peer not in result:
        return "-"
    low, middle, high = result[peer][2]
    return f"{middle:.2f} ({low:.2f} to {high:.2f})" if spread else f"{middle:.2f}"


HEADER = ["training step", "nnlib ms", "PyTorch ms", "nnlib / PyTorch", "/ MyGrad", "/ autograd"]


def row(name, result):
    """The cells of one workload."""
    theirs = f"{result['PyTorch'][1][1]:.2f}" if "PyTorch" in result else "-"
    return [name, f"{first(result):.2f}", theirs, ratio(result, "PyTorch", spread=True), ratio(result, "MyGrad"),
            ratio(result, "autograd")]


WIDTHS = [36, 9, 11, 21, 9, 11]


def line(cells):
    """One line of the text table: the name to the left, numbers to the right."""
    return "".join(f"{cell:<{width}}" if k == 0 else f"{cell:>{width}}"
                   for k, (cell, width) in enumerate(zip(cells, WIDTHS)))


def markdown(results):
    """The table for README.md."""
    lines = [HEADER, ["---", *["---:"] * 5], *(row(*item) for item in results.items())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def goals(results):
    """Pairs (sentence, reached) for what the library promises, as far as it was measured."""
    pytorch = {name: r["PyTorch"][2][1] for name, r in results.items() if "PyTorch" in r}
    networks = [v for name, v in pytorch.items() if "CNN" in name]
    mygrad = [r["MyGrad"][2][1] for name, r in results.items() if "MyGrad" in r and ("CNN" in name or "conv" in name)]
    if pytorch:
        mean = report.geometric_mean(pytorch.values())
        yield f"geometric mean of nnlib / PyTorch: {mean:.2f} (goal: at most 1)", mean <= 1
        yield f"slowest against PyTorch: {max(pytorch.values()):.2f} (goal: at most 2)", max(pytorch.values()) <= 2
    if networks:
        yield f"slowest CNN against PyTorch: {max(networks):.2f} (goal: at most 1.2)", max(networks) <= 1.2
    if mygrad:
        yield (f"convolutions against MyGrad: at least {1 / max(mygrad):.1f} times as fast (goal: 3)",
               max(mygrad) <= 1 / 3)


def figure(results):
    """The ratios as dots with their quartiles, a row for each workload."""
    from nnlib import plots

    drawing, ax = plots.subplots(width=8.2, height=4.4)
    styles = {"PyTorch": ("o", plots.VERMILION, 0), "MyGrad": ("s", plots.NEGATIVE, 0.2),
              "autograd": ("^", plots.GREEN, -0.2)}  # marker, color, and how far off its row: dots shall not hide dots
    ax.axvline(1, color=plots.INK, linewidth=1.2)
    for peer, (marker, color, off) in styles.items():
        rows = [(k + off, r[peer][2]) for k, r in enumerate(results.values()) if peer in r]
        if rows:
            k, quartiles = np.array([k for k, _ in rows]), np.array([q for _, q in rows])
            ax.hlines(k, quartiles[:, 0], quartiles[:, 2], color=color, linewidth=2)
            ax.plot(quartiles[:, 1], k, marker, color=color, markersize=7, label=f"against {peer}")
    report.logarithmic(ax, "x")
    ax.set_yticks(range(len(results)), list(results))
    ax.invert_yaxis()
    ax.set(xlabel="time of nnlib / time of the other   (left of 1: nnlib is faster)", title="Time of a training step")
    if any("nnlib" not in r for r in results.values()):
        drawing.legend(loc="outside upper right", ncols=3)
    return drawing


def main(arguments=None):
    """Measure, print, plot; returns 1 when two sides disagree or a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--workload", action="append", metavar="NAME")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--readme", action="store_true")
    options = parser.parse_args(arguments)
    wanted = options.workload or [""]
    chosen = {name: w for name, w in WORKLOADS.items() if any(part.lower() in name.lower() for part in wanted)}
    if not chosen:
        parser.error(f"no workload is called {' or '.join(wanted)}; there are: {'; '.join(WORKLOADS)}")
    peers = [peer for peer in PEERS if installed(peer)]
    for side in ["nnlib", *peers]:
        library(side)
    report.limit_threads(THREADS)
    about = report.machine([(peer, SIDES[peer]) for peer in peers])
    remark = report.disturbance()
    print(f"{about}; two threads.{remark}\n" + "".join(
        f"{peer} is not installed, so its column stays empty; to install it: make peers\n"
        for peer in PEERS if peer not in peers) + f"\n{line(HEADER)}", flush=True)
    results, failed = {}, False
    for name, workload in chosen.items():
        try:
            results[name] = compare(workload, peers, 3 if options.quick else options.rounds)
            print(line(row(name, results[name])), flush=True)
        except ValueError as error:
            failed = True
            print(f"{name}: {error}", flush=True)
    verdicts = list(goals(results))
    print("\nratios: time of nnlib / time of the other; in brackets the quartiles of the rounds")
    for sentence, reached in verdicts:
        print(f"{sentence}{'' if reached else ': MISSED'}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": about, "results": results}, file, indent=1)
    complete = not failed and len(results) == len(WORKLOADS)
    if peers and results:
        print(f"figure: {report.save_figure(figure(results), 'benchmark.png', options.readme and complete)}")
    if options.readme and complete and peers:
        sentences = "; ".join(sentence.split(" (goal")[0] for sentence, _ in verdicts)
        report.write_readme("speed", f"{markdown(results)}\n\nMeasured on {about}.{remark} In brackets: quartiles. "
                            f"{sentences[0].upper()}{sentences[1:]}.\n\n![{ALT}](docs/benchmark.png)")
    judged = complete and not options.quick
    return 1 if failed or judged and not all(reached for _, reached in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
