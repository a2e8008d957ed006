"""TrainingCurvesExplorer without a kernel: both ends of every control, each diagnosis, and the hidden runs."""

import asyncio

import numpy as np
import pytest

from nnlib.training import History
from nnlib.widgets import TrainingCurvesExplorer
from nnlib.widgets import training_curves as tc
from nnlib.widgets.training_curves import CAUSES, UNSURE, DigitsRun, RunSettings, diagnose, gallery, train_digits

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def made():
    """One explorer for many tests, and where its controls begin."""
    explorer = TrainingCurvesExplorer(examples=100, epochs=5, goal=3)
    explorer._whole = True
    return explorer, [(control, control.value) for control in (
        explorer.rate, explorer.epochs, explorer.hidden, explorer.examples, explorer.wrong, explorer.decay,
        explorer.seed, explorer.shuffle)]


@pytest.fixture
def explorer(made):
    """That explorer as new."""
    explorer, start = made
    explorer._runs.clear()
    set_to(explorer, start)
    explorer.collected.clear()
    return explorer


def set_to(explorer, values):
    with explorer.setting_controls():
        for control, value in values:
            control.value = value
    explorer.refresh()


def healthy(explorer):
    """What holds in every state; returns the alternative text."""
    text = explorer.alt + explorer._caption_text + explorer._goal_text
    assert explorer.message == "" and "nan" not in text and "inf" not in text and explorer.verdict
    for line in (*explorer.lines.values(), explorer.teeth):
        assert np.isfinite(np.asarray(line.get_data(), dtype=float)).all() and len(line.get_xdata())
    return explorer.alt


# Training

def test_runs_are_repeated_and_go_on():
    settings = RunSettings(examples=60, epochs=6)
    whole, begun = train_digits(settings), DigitsRun(settings)
    begun.target = 2
    while not begun.done:
        begun.advance()
    assert len(begun.history) == 2 and whole.loss[:2] == begun.history.loss
    begun.target = 6
    while not begun.done:
        begun.advance()
    assert begun.history.validation_loss == whole.validation_loss and len(whole.batch_loss) == 18
    assert tc.first_epochs(whole, 2).batch_loss == whole.batch_loss[:6]
    assert whole.best_epoch == 1 + int(np.argmin(whole.validation_loss))


def test_examples_are_sorted_and_labels_are_changed():
    X, t = tc.training_examples(RunSettings(examples=200))
    assert X.shape == (200, 64) and (np.diff(t) >= 0).all()
    _, changed = tc.training_examples(RunSettings(examples=200, wrong=30))
    assert np.sum(t != changed) == 60 and set(changed) <= set(range(10))
    held = tc.digits()[1][0]
    assert len(held) == tc.VALIDATION and not set(map(bytes, held)) & set(map(bytes, tc.digits()[0][0]))


# Diagnosis

@pytest.mark.parametrize("settings, cause", [
    ({"rate": 3.0}, "rate too high"), ({"rate": 20.0}, "rate too high"), ({"rate": 0.001}, "rate too low"),
    ({"examples": 40}, "over-fit"), ({"hidden": 1}, "under-fit"), ({"decay": 0.3}, "under-fit"),
    ({"wrong": 30}, "bad labels"), ({"wrong": 20, "hidden": 128}, "bad labels"),
    ({"shuffle": False}, "missing shuffle"), ({"shuffle": False, "rate": 0.01}, "missing shuffle"),
    ({"examples": 1000}, "healthy"), ({"rate": 0.5, "examples": 800}, "healthy"), ({"epochs": 4}, UNSURE)])
def test_each_cause_leaves_its_sign(settings, cause):
    verdict = diagnose(train_digits(RunSettings(**{"examples": 400, "seed": 3} | settings)))
    assert verdict.cause == cause and len(verdict.sign) > 40


def test_what_the_curves_do_not_show_is_not_claimed():
    few = diagnose(train_digits(RunSettings(examples=60, shuffle=False)))
    assert few.cause == "over-fit", "three batches in an epoch show no teeth"
    flat = History([2.303] * 20, [0.1] * 20, [2.303] * 20, [0.1] * 20)
    assert diagnose(flat).cause == UNSURE and "guessing" in diagnose(flat).sign
    falling = History([2.3 - 0.05 * k - 0.2 * (k > 5) for k in range(20)], [0.95] * 20, [1.5] * 20, [0.94] * 20)
    assert diagnose(falling).cause == UNSURE and "more epochs" in diagnose(falling).sign
    gap = History([2.3 * 0.7 ** k for k in range(30)], [0.97] * 30, [0.3] * 30, [0.88] * 30)
    assert diagnose(gap).cause == UNSURE and "gap of 9 points" in diagnose(gap).sign


def test_words_of_single_signs():
    turned = History([2.3 * 0.8 ** k for k in range(30)], np.linspace(0.3, 1, 30), [0.9] * 10 + [1.2] * 20, [0.7] * 30)
    assert "lowest after epoch 1 and rises since" in diagnose(turned).sign
    jumps = History([2.3, 1, 2, 0.9, 1.9, 0.8, 2.1, 1], [0.5] * 8, [1.0] * 8, [0.5] * 8)
    assert diagnose(jumps).cause == "rate too high" and "jumps" in diagnose(jumps).sign


@pytest.mark.parametrize("history", [History(), History([1.0, 0.9], [0.5, 0.6]), History([1.0], [0.5], [1.0])])
def test_a_history_without_the_curves(history):
    with pytest.raises(ValueError, match="diagnose: expected a History"):
        diagnose(history)


def test_recurrence():
    rng = np.random.default_rng(0)
    teeth = np.exp(rng.normal(size=10))
    assert tc.recurrence(np.tile(teeth, 6), 6) == pytest.approx(1)
    assert abs(tc.recurrence(np.exp(rng.normal(size=300)), 20)) < 0.35
    assert abs(tc.recurrence(np.tile(np.exp(-np.arange(10.0)), 6), 6)) < 1e-6, "an even fall is no tooth"
    for losses, epochs in (([], 0), (teeth, 1), (np.ones(31), 5), (np.full(80, np.nan), 8), (np.ones(30), 6)):
        assert tc.recurrence(losses, epochs) is None
    assert tc.decades_around(np.empty(0)) == (0.1, 10) and tc.decades_around(np.array([0.02, 3])) == (0.01, 10)


# The free part

@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(explorer):
    seen = set()
    for control in (explorer.hidden, explorer.examples, explorer.wrong, explorer.seed):
        start = control.value
        for value in (control.max, control.min, start):
            control.value = value
            seen.add(healthy(explorer))
    for value in (tc.FASTEST, tc.SLOWEST, 0.1):
        explorer.rate.value = value
        seen.add(healthy(explorer))
    for value in (tc.DECAYS[-1], 0.0):
        explorer.decay.value = value
        seen.add(healthy(explorer))
    explorer.shuffle.value = False
    seen.add(healthy(explorer))
    explorer.epochs.value = 100
    seen.add(healthy(explorer))
    assert explorer.epochs.min == 5 and len(seen) >= 12


def test_epochs_read_what_was_trained(explorer):
    explorer.epochs.value = 12
    run, losses = explorer.run, explorer.history.loss
    explorer.epochs.value = 5
    assert explorer.run is run and len(run.history) == 12 and explorer.history.loss == losses[:5]
    assert explorer.losses.get_xlim() == (0, 5) and "epoch 5" in explorer.alt


def test_losses_off_the_scale_are_told(explorer):
    explorer.rate.value = 20.0
    assert "off the scale" in explorer.off.get_text() and "not finite" in explorer.alt
    explorer.rate.value = 0.1
    assert explorer.off.get_text() == ""


def test_verdict_says_what_it_cannot_see(explorer):
    set_to(explorer, [(explorer.wrong, 4), (explorer.examples, 1000), (explorer.epochs, 10)])
    assert "Of the 4% wrong labels these curves show no sign" in explorer._caption_text
    set_to(explorer, [(explorer.wrong, 0), (explorer.examples, 60), (explorer.shuffle, False)])
    assert "That nothing is shuffled, these curves do not show" in explorer._caption_text


def test_goal_collects_verdicts(explorer):
    set_to(explorer, [(explorer.examples, 400), (explorer.epochs, 30)])
    assert "○" in explorer._goal_text and "So far 1: healthy" in explorer._goal_text
    explorer.shuffle.value = False
    explorer.rate.value = 0.08
    assert "So far 2: healthy, missing shuffle." in explorer._goal_text
    set_to(explorer, [(explorer.shuffle, True), (explorer.rate, 20.0)])
    assert "✓ Goal reached: bring about 3 different verdicts" in explorer._goal_text


def test_training_in_turns_can_be_stopped(monkeypatch):
    monkeypatch.setattr("nnlib.widgets.turns.TURN", 0.0)
    explorer = TrainingCurvesExplorer(examples=40, epochs=5)

    async def learner():
        explorer.epochs.value = 15
        assert "Training: epoch 6 of 15" in explorer._caption_text and explorer.verdict is None
        explorer.stopper.click()
        assert "Stopped at epoch 6 of 15" in explorer._caption_text
        await asyncio.sleep(0.1)
        assert len(explorer.run.history) == 6
        explorer.stopper.click()
        while not explorer.verdict:
            await asyncio.sleep(0.01)
        assert len(explorer.history) == 15 and "Verdict" in explorer._caption_text
        explorer.hidden.value = 8
        assert explorer.verdict is None and len(explorer.history) == 1
        explorer.finish()
        assert explorer.verdict

    asyncio.run(learner())
    assert explorer.stopper.description == "stop training"


def test_old_runs_are_forgotten(explorer):
    for seed in range(70):
        explorer._run_of(RunSettings(examples=20, seed=seed))
    assert len(explorer._runs) <= 60


# The mystery part

@pytest.fixture(scope="module")
def mystery():
    made = TrainingCurvesExplorer("mystery")
    made._whole = True
    return made


@pytest.fixture
def fresh(mystery):
    mystery.number = -1
    mystery.other_runs()
    return mystery


def test_hidden_causes_show_in_their_curves():
    runs = gallery(1)
    assert len(runs) == tc.RUNS and {run.cause for run in runs} == set(CAUSES)
    for run in runs:
        verdict = diagnose(train_digits(run.settings))
        assert verdict.cause == run.cause, f"{run}: {verdict}"


def test_right_answers_reach_the_goal(fresh):
    assert "○" in fresh._goal_text and "Your first answer counts" in fresh._caption_text
    for k, run in enumerate(fresh.runs):
        healthy(fresh)
        assert f"run {k + 1} of {tc.RUNS}" in fresh.alt and run.cause not in fresh.alt
        assert fresh.verdict.cause == run.cause
        fresh.answers[run.cause].click()
        assert f"✓ Right: {run.cause}. {fresh.verdict.sign}" in fresh._caption_text
        assert fresh.answers[run.cause].description == f"✓ {run.cause}"
        fresh.next.click()
    assert fresh.place == 0 and "✓ Goal reached" in fresh._goal_text and set(fresh.collected) == set(CAUSES)
    assert "9 of 9 runs answered" in fresh._goal_text


def test_only_the_first_answer_counts(fresh):
    cause = fresh.runs[0].cause
    wrong = next(c for c in CAUSES if c != cause)
    fresh.answers[wrong].click()
    assert f"✗ Not {wrong}: then {tc.SIGNS[wrong]}" in fresh._caption_text and cause not in fresh._caption_text
    assert fresh.answers[wrong].description == f"✗ {wrong}"
    fresh.answers[cause].click()
    assert "✓ Right (not at the first answer)" in fresh._caption_text and fresh.collected == []
    fresh.answers[wrong].click()
    assert fresh.given[0] == [wrong, cause], "after the right answer nothing is taken"
    fresh.previous.click()
    assert fresh.place == tc.RUNS - 1 and not any("✗" in b.description for b in fresh.answers.values())
    fresh.next.click()
    assert "✓ Right" in fresh._caption_text
    before = fresh.runs
    fresh.others.click()
    assert fresh.runs != before and fresh.given[0] == [] and "0 of 9 runs answered" in fresh._goal_text


def test_one_button_for_all_runs_is_no_way(fresh):
    for cause in CAUSES:
        told = sum(run.cause == cause for run in fresh.runs)
        assert 1 <= told <= 2 < tc.TOLD


@pytest.mark.parametrize("arguments", [
    {"part": "third"}, {"rate": 0}, {"hidden": 200}, {"examples": 10}, {"wrong": 70}, {"epochs": 4}, {"decay": 0.5},
    {"seed": 21}, {"goal": 0}, {"goal": 8}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="TrainingCurvesExplorer: expected"):
        TrainingCurvesExplorer(**arguments)
