"""The benchmarks measure the same thing on every side, and report it rightly."""

import re

import numpy as np
import pytest

import growth
import memory
import report
import speed
from workloads import SIDES, WORKLOADS, Training, installed, mlp, plain, weight_shapes

QUARTILES = (0.4, 0.5, 0.75)
RESULTS = {"tiny MLP": {"PyTorch": [(1, 2, 3), (3, 4, 5), QUARTILES],
                        "MyGrad": [(1, 2, 3), (7, 8, 9), (0.2, 0.25, 0.3)]},
           "MNIST CNN": {"PyTorch": [(8, 9, 10), (8, 9, 10), (0.9, 1.3, 2.0)]},
           "one convolution": {"nnlib": [(5, 6, 7), (5, 6, 7), (1, 1, 1)]}}


@pytest.fixture
def quick(monkeypatch):
    """Blocks of one step, without a pause."""
    monkeypatch.setattr(report, "PAUSE", 0)
    monkeypatch.setattr(report, "BLOCK", 0)


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_trains(name):
    training = WORKLOADS[name].prepare("nnlib")
    values = [np.array(plain(training.step())) for _ in range(6)]
    assert all(change.any() for change in training.state())
    if values[0].ndim == 0:
        assert values[-1] < values[0]
    assert values[0].dtype == ("float64" if "scalar" in name else "float32")


@pytest.mark.parametrize("side", [side for side in SIDES if side != "nnlib"])
@pytest.mark.parametrize("name", WORKLOADS)
def test_every_side_computes_what_nnlib_computes(name, side):
    pytest.importorskip(SIDES[side], reason=f"{side} is not installed: make peers")
    ours, theirs = (speed.history(WORKLOADS[name].prepare(s), steps=1) for s in ("nnlib", side))
    assert speed.disagreement(ours, theirs) <= 1


def test_a_side_that_computes_something_else_is_not_timed(quick, monkeypatch):
    ours = [np.array(2.0), np.array([1.0, -1e-3])]
    assert speed.disagreement(ours, ours) == 0
    assert speed.disagreement(ours, [np.array(2.0), np.array([1.0, -1e-3 + 5e-9])]) == pytest.approx(5)
    assert speed.disagreement(ours, [np.array(2.0), np.array([1.0])]) == np.inf
    assert speed.disagreement(ours, ours[:1]) == np.inf
    assert speed.disagreement([np.array(np.nan)], [np.array(np.nan)]) == np.inf

    class Different:
        def prepare(self, side):
            numbers = np.array([1.0 if side == "nnlib" else 1.1])
            return Training(lambda: numbers, [numbers])

    with pytest.raises(ValueError, match="MyGrad and nnlib disagree by .* a time would mean nothing"):
        speed.compare(Different(), ["MyGrad"], rounds=1)


class FakeSides:
    """A workload whose sides take the milliseconds that are told, on a clock that only their steps move."""

    def __init__(self, monkeypatch, **milliseconds):
        self.milliseconds, self.now, self.order = milliseconds, 0.0, []
        monkeypatch.setattr(report.time, "perf_counter", lambda: self.now)

    def prepare(self, side):
        def step():
            self.now += self.milliseconds[side] / 1000
            self.order.append(side)
            return np.array(1.0)

        return Training(step, [np.zeros(1)])


def test_both_sides_take_turns_in_random_order(quick, monkeypatch):
    fake = FakeSides(monkeypatch, a=1, b=3)
    times = report.interleaved([fake.prepare("a"), fake.prepare("b")], rounds=20)
    np.testing.assert_allclose(times, np.repeat([[0.001], [0.003]], 20, axis=1))
    rounds = ["".join(fake.order[k:k + 4]) for k in range(12, len(fake.order), 4)]  # each a step to warm up, and one
    assert len(rounds) == 20 and set(rounds) == {"aabb", "bbaa"}


def test_the_ratio_is_our_time_over_theirs(quick, monkeypatch):
    fake = FakeSides(monkeypatch, nnlib=2, MyGrad=8)
    ours, theirs, ratio = speed.compare(fake, ["MyGrad"], rounds=3)["MyGrad"]
    np.testing.assert_allclose([ours, theirs, ratio], np.repeat([[2], [8], [0.25]], 3, axis=1))
    assert speed.compare(fake, [], rounds=3)["nnlib"][2] == (1, 1, 1)


def test_short_steps_are_timed_in_blocks_and_slow_ones_in_fewer_rounds(monkeypatch):
    monkeypatch.setattr(report, "PAUSE", 0)
    fake = FakeSides(monkeypatch, short=5, slow=4000)
    assert report.interleaved([fake.prepare("short")], rounds=2).shape == (1, 2)
    assert len(fake.order) == 3 * 2 + 2 * (1 + 10)
    assert report.interleaved([fake.prepare("slow")], rounds=15, limit=40).shape == (1, 5)
    assert report.interleaved([fake.prepare("slow")], rounds=15, limit=1).shape == (1, 3)
    assert report.interleaved([fake.prepare("slow")], rounds=2, limit=1).shape == (1, 2)


def test_the_table_has_a_cell_for_each_measurement_and_a_dash_for_none():
    assert speed.row(*next(iter(RESULTS.items()))) == ["tiny MLP", "2.00", "4.00", "0.50 (0.40 to 0.75)", "0.25", "-"]
    assert speed.row("one convolution", RESULTS["one convolution"]) == ["one convolution", "6.00", "-", "-", "-", "-"]
    lines = [speed.line(speed.HEADER), *(speed.line(speed.row(*item)) for item in RESULTS.items())]
    assert len({len(text) for text in lines}) == 1
    table = speed.markdown(RESULTS).splitlines()
    assert {text.count("|") for text in table} == {7} and len(table) == 2 + len(RESULTS)


def test_goals_are_judged_by_what_was_measured():
    assert dict(speed.goals(RESULTS)) == {
        "geometric mean of nnlib / PyTorch: 0.81 (goal: at most 1)": True,
        "slowest against PyTorch: 1.30 (goal: at most 2)": True,
        "slowest CNN against PyTorch: 1.30 (goal: at most 1.2)": False}
    slow = {"a convolution": {"MyGrad": [(1, 1, 1), (2, 2, 2), (0.5, 0.5, 0.5)]}}
    assert list(speed.goals(slow)) == [("convolutions against MyGrad: at least 2.0 times as fast (goal: 3)", False)]


def test_figures_show_every_ratio_and_every_exponent():
    drawing = speed.figure(RESULTS)
    ax = drawing.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == list(RESULTS) and ax.get_xscale() == "log"
    series = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(series["against PyTorch"].get_xdata(), [0.5, 1.3])
    np.testing.assert_array_equal(series["against PyTorch"].get_ydata(), [0, 1])
    sizes = np.array([1, 2, 4])
    drawing = growth.figure([("batch", "MLP", sizes, 3.0 * sizes), ("layers", "CNN", sizes, 1.0 * sizes**2)])
    labels = [text.get_text() for ax in drawing.axes for text in ax.get_legend().get_texts()]
    assert labels == ["MLP: slope 1.00", "CNN: slope 2.00"]


def test_growth_counts_multiplications():
    assert growth.multiplications(mlp(3, 5, 2), (7, 3)) == 7 * (15 + 10)
    layers = growth.convolutions(4, 2, 1)
    assert growth.multiplications(layers, (3, 1, 4, 4)) == 3 * (9 * 16 * (2 + 4) + 10 * 32)
    for _, _, points in growth.studies():
        sizes = [size for size, _ in points]
        assert sizes == sorted(sizes) and sizes[-1] >= 8 * sizes[0]


def test_networks_have_pytorchs_shapes():
    assert weight_shapes([("conv", 1, 4), ("relu",), ("lstm", 3, 5), ("linear", 2, 6)]) == [
        (4, 1, 3, 3), (4,), (20, 3), (20, 5), (20,), (20,), (6, 2), (6,)]


def test_the_readme_changes_between_its_marks_only(tmp_path, monkeypatch):
    page = "before\n<!-- speed: written by make bench -->\nold\n<!-- end of speed -->\nafter\n"
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    report.README.write_text(page, encoding="utf-8")
    report.write_readme("speed", "new\n")
    assert report.README.read_text(encoding="utf-8") == page.replace("old", "new")
    with pytest.raises(ValueError, match="expected the lines .* add them"):
        report.write_readme("memory", "new")


@pytest.mark.parametrize("part", ["speed", "memory", "growth"])
def test_the_readme_has_a_place_for_every_benchmark(part):
    page = report.README.read_text(encoding="utf-8")
    assert re.search(f"<!-- {part}: written by make bench -->\n(?s:.+)\n<!-- end of {part} -->", page)


def test_the_machine_is_described_in_words():
    text = report.machine([("NumPy itself", "numpy")])
    assert re.match(r"\d+ cores of .+, \w+, Python 3\.\d+\.\d+, NumPy [\d.]+ with \w+ .+, NumPy itself \d", text)


@pytest.mark.skipif(not report.Path("/proc/stat").exists(), reason="read from Linux' /proc")
def test_a_busy_machine_is_named_beside_its_figures(monkeypatch):
    idle, total = report._processor_time()
    assert 0 < idle < total
    rough = " 70% of the machine was busy with other work: these figures are rough."
    for idle_ticks, remark in ((30, rough), (95, "")):
        ticks = iter([(1000, 5000), (1000 + idle_ticks, 5100)])
        monkeypatch.setattr(report, "_processor_time", lambda ticks=ticks: next(ticks))
        assert report.disturbance(seconds=0) == remark


def test_an_unknown_workload_gets_a_sentence(capsys):
    with pytest.raises(SystemExit):
        speed.main(["--workload", "transformer"])
    assert "no workload is called transformer; there are: tiny MLP" in capsys.readouterr().err


def test_one_workload_runs_without_peers(quick, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(speed, "installed", lambda side: False)
    monkeypatch.setattr(report.tempfile, "gettempdir", lambda: str(tmp_path))
    assert speed.main(["--quick", "--workload", "tiny", "--json", str(tmp_path / "speed.json")]) == 0
    shown = capsys.readouterr().out
    assert "MyGrad is not installed" in shown and "make peers" in shown
    assert re.search(r"^tiny MLP 2-16-16-2, batch 32 +[\d.]+ +- +- +- +-$", shown, re.MULTILINE)
    assert '"tiny MLP' in (tmp_path / "speed.json").read_text()


@pytest.mark.skipif(not installed("PyTorch"), reason="PyTorch is not installed: make peers")
def test_a_quick_comparison_prints_plots_and_judges_nothing(quick, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(report.tempfile, "gettempdir", lambda: str(tmp_path))
    assert speed.main(["--quick", "--workload", "tiny"]) == 0
    assert re.search(r"tiny MLP.* \d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)", capsys.readouterr().out)
    assert (tmp_path / "benchmark.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not memory.sys.platform.startswith("linux"), reason="peak memory is read from Linux' /proc")
def test_memory_is_measured_in_a_fresh_process():
    assert 1 < memory.in_a_process("nnlib") < 1000
    assert 10 < memory.resident("VmRSS") < memory.resident("VmHWM") + 1


def test_memory_elsewhere_says_so(monkeypatch, capsys):
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory.main([]) == 0
    assert "not measured on this system" in capsys.readouterr().out
