"""RegularizationExplorer without a kernel: every control at both ends, the remedies by themselves, and the goal."""

import asyncio
import itertools

import numpy as np
import pytest

from nnlib.widgets import RegularizationExplorer
from nnlib.widgets import regularization as r
from nnlib.widgets.regularization import MoonsGoal, MoonsRun, MoonsSettings, train_moons

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def brief():
    """One explorer for many tests, and where its controls begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(r, "EPOCHS", 20)
        made = complete(RegularizationExplorer(goal=MoonsGoal()))
    return made, [(control, control.value) for control in (made.l2, made.l1, made.dropout, made.patience, made.hidden,
                                                           made.noise, made.examples, made.seed, made.test)]


@pytest.fixture
def short(brief, monkeypatch):
    """That explorer as new, with trainings of few epochs, where only the words and the picture matter."""
    monkeypatch.setattr(r, "EPOCHS", 20)
    explorer, start = brief
    with explorer.setting_controls():
        for control, value in start:
            control.value = value
    explorer._runs.clear()
    explorer.goal, explorer._checked, explorer._whole = MoonsGoal(), None, True
    explorer.refresh()
    return explorer


@pytest.fixture(scope="module")
def plain():
    return train_moons(MoonsSettings())


def complete(explorer):
    explorer._whole = True
    return explorer


# Training

def test_the_plain_network_over_fits(plain):
    h = plain.history
    assert len(h) == r.EPOCHS and plain.stopped_at is None and plain.kept == r.EPOCHS
    assert h.metric[-1] == 1 and h.loss[-1] < 0.02
    assert h.validation_loss[-1] > 2 * min(h.validation_loss) and 5 < h.best_epoch < 200
    assert plain.validation_error == pytest.approx(1 - plain.loss_and_accuracy(plain.validation)[1])


def test_l2_makes_weights_small_and_l1_makes_them_zero(plain):
    small, sparse = (train_moons(MoonsSettings(**{name: value})) for name, value in (("l2", 0.01), ("l1", 0.001)))
    assert small.weight_norm < plain.weight_norm / 2 and small.zero_share < 0.02
    assert sparse.zero_share > 0.7 and plain.zero_share == 0
    assert small.history.validation_loss[-1] < plain.history.validation_loss[-1] / 2


def test_early_stopping_keeps_the_best_weights(plain):
    run = train_moons(MoonsSettings(patience=20))
    assert run.stopped_at == run.kept + 20 < r.EPOCHS and len(run.history) == run.stopped_at
    assert run.history.loss == plain.history.loss[:run.stopped_at], "the same training, only shorter"
    assert run.loss_and_accuracy(run.validation)[0] == pytest.approx(min(run.history.validation_loss))


def test_dropout_draws_the_same_units_again():
    settings = MoonsSettings(dropout=0.5, examples=10)
    runs = [MoonsRun(settings) for _ in range(2)]
    for run in runs:
        run.advance()
    assert runs[0].history.loss == runs[1].history.loss and len(runs[0].history) == r.PIECE
    other = MoonsRun(settings.plain)
    other.advance()
    assert other.history.loss != runs[0].history.loss


def test_gradient_and_stop_of_l1():
    w, gradient = np.array([1.0, -2.0, 0.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.05, -0.3, 0.3])
    assert r.l1_gradient(w, gradient, 0.1) == pytest.approx([0.6, 0.4, 0.0, -0.2, 0.2])
    moved = r.stop_at_zero(np.array([-0.1, 0.2, 0.3, 0.4]), np.array([0.2, 0.1, 0.0, 0.0]), np.array([1, 1, 0, 1]))
    assert moved == pytest.approx([0, 0.2, 0, 0.4])


def test_sets_are_different_examples():
    sets = r.moons_sets(0.3, 30, 2)
    assert [len(X) for X, _ in sets] == [30, r.HELD_OUT, r.HELD_OUT]
    assert not set(map(tuple, sets[1][0])) & set(map(tuple, sets[2][0]))
    assert not set(map(tuple, sets[0][0])) & set(map(tuple, sets[1][0]))


def test_edge_of_a_plane_and_of_nothing():
    x, y = r.edge(r.plane_points()[:, 0].reshape(r.RESOLUTION, r.RESOLUTION).astype(float))
    assert np.nanmax(np.abs(x)) < 0.01 and [np.nanmin(y), np.nanmax(y)] == pytest.approx(r.PLANE[2:])
    assert np.isnan(r.edge(np.ones((r.RESOLUTION, r.RESOLUTION)))).all()


# The explorer

@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(short):
    explorer, seen = short, set()
    explorer.test.value = True
    for control in (explorer.dropout, explorer.hidden, explorer.noise, explorer.examples, explorer.seed):
        start = control.value
        for value in (control.max, control.min, start):
            control.value = value
            seen.add(healthy(explorer))
    for control in (explorer.l2, explorer.l1, explorer.patience):
        for _, value in (control._options_full[-1], control._options_full[0]):
            control.value = value
            seen.add(healthy(explorer))
    assert len(seen) >= 13


def healthy(explorer):
    """What holds in every state; returns the alternative text."""
    text = explorer.alt + explorer._caption_text + explorer._goal_text
    assert explorer.message == "" and "nan" not in text and "inf" not in text and explorer.done
    assert f"of two layers of {explorer.hidden.value} unit" in explorer.alt
    for line in (*explorer.pairs["train"], *explorer.pairs["validation"], *explorer.sizes):
        assert np.isfinite(np.asarray(line.get_data(), dtype=float)).all() and len(line.get_xdata())
    return explorer.alt


def test_all_remedies_at_their_strongest(short):
    explorer = short
    with explorer.setting_controls():
        explorer.l2.value, explorer.l1.value, explorer.dropout.value, explorer.patience.value = 1.0, 0.03, 0.8, 5
    explorer.hidden.value = 1
    healthy(explorer)
    assert explorer.settings.remedies == "L2 1, L1 0.03, dropout 0.8, patience 5"
    assert "With L2 1, L1 0.03, dropout 0.8, patience 5" in explorer._caption_text


def test_without_a_remedy_both_are_one_run(short):
    assert short.plain is short.run and "No remedy is on" in short._caption_text
    short.l2.value = 0.01
    assert short.plain is not short.run and "With L2 0.01 the validation error is" in short._caption_text
    assert short.pairs["title"][1].get_text().startswith("with remedies: ")


def test_test_examples_are_shown_on_request(short):
    assert len(short.pairs["test"][0].get_offsets()) == 0 and "test examples" not in short._caption_text
    short.test.value = True
    assert len(short.pairs["test"][0].get_offsets()) == r.HELD_OUT and "500 test examples" in short._caption_text


def test_patience_is_drawn_where_it_stops():
    explorer = RegularizationExplorer(patience=20, examples=10)
    run = explorer.run
    assert run.stopped_at
    assert list(explorer.pairs["stop"][1].get_xdata()) == [run.stopped_at] * 2
    assert list(explorer.pairs["mark"][1].get_xdata()) == [run.kept]
    assert f"stopped after epoch {run.stopped_at}; the weights of epoch {run.kept}" in explorer._caption_text
    assert f"stopped after epoch {run.stopped_at}, epoch {run.kept} kept" in explorer.alt


def test_goal_needs_the_check(short):
    explorer = short
    explorer.goal = MoonsGoal(error=0.0)
    explorer.refresh()
    assert "○" in explorer._goal_text and "Choose remedies" in explorer._goal_text
    explorer.check_button.click()
    assert "○" in explorer._goal_text and "Now: " in explorer._goal_text and "On 5 draws: plain" in explorer.alt
    explorer.goal = MoonsGoal(error=0.5)
    explorer.l2.value = 0.01
    assert explorer.checked is None and "○" in explorer._goal_text, "other settings need a check of their own"
    explorer.check_button.click()
    assert "✓ Goal reached" in explorer._goal_text and "Over 5 draws the mean validation" in explorer._caption_text
    assert len(explorer.errors[1].get_xdata()) == 5 and explorer.draws_note.get_text() == ""
    explorer.seed.value = 1
    assert "✓" in explorer._goal_text, "another draw is shown, the check stays"
    explorer.examples.value = 40
    assert "○" in explorer._goal_text and "40 examples" in explorer._goal_text
    explorer.examples.value, explorer.noise.value = 30, 0.25
    assert "○" in explorer._goal_text and "noise 0.25" in explorer._goal_text


@pytest.mark.parametrize("remedy, reached", [({"l2": 0.01, "hidden": 16}, True), ({"l2": 0.01, "patience": 50}, True),
                                             ({"hidden": 4}, False), ({"hidden": 32}, False),
                                             ({"l2": 0.1, "hidden": 16}, False)])
def test_the_goal_is_no_luck(remedy, reached):
    errors = [train_moons(MoonsSettings(seed=k, **remedy)).validation_error for k in range(r.DRAWS)]
    assert (np.mean(errors) <= MoonsGoal().error) == reached


def test_training_in_turns_can_be_stopped(short, monkeypatch):
    monkeypatch.setattr("nnlib.widgets.turns.TURN", 0.0)
    explorer, short._whole = short, False

    async def learner():
        explorer.l2.value = 0.01
        assert not explorer.done and "Training: plain at epoch 20, with remedies at epoch" in explorer._caption_text
        explorer.stopper.click()
        at = len(explorer.run.history)
        assert "Stopped" in explorer._caption_text and explorer.stopper.description == "go on training"
        await asyncio.sleep(0.1)
        assert len(explorer.run.history) == at < 20
        explorer.stopper.click()
        while not explorer.done:
            await asyncio.sleep(0.01)
        explorer.check()
        assert "trainings of the check are done" in explorer._caption_text
        assert "of 10 trainings done" in explorer.draws_note.get_text()
        explorer.finish()
        assert explorer.checked and "instead of" in explorer._caption_text

    asyncio.run(learner())


def test_old_runs_are_forgotten(short, monkeypatch):
    monkeypatch.setattr(r, "EPOCHS", 1)
    for seed, hidden in itertools.product(range(21), (1, 2, 3, 4, 5)):
        short._run_of(MoonsSettings(seed=seed, hidden=hidden))
    assert len(short._runs) <= 100


@pytest.mark.parametrize("arguments", [
    {"l2": 0.02}, {"l1": 0.3}, {"l1": -1}, {"dropout": 0.9}, {"patience": 7}, {"patience": 0}, {"hidden": 0},
    {"hidden": 65}, {"noise": 0.6}, {"examples": 5}, {"seed": -1}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="RegularizationExplorer: expected"):
        RegularizationExplorer(**arguments)
