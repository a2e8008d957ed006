"""BatchSizeExplorer without a kernel: controls at both ends, player, spread, and learners' batches."""

import itertools
import re

import numpy as np
import pytest

from nnlib.widgets import BatchSizeExplorer, LearnerError
from nnlib.widgets.batch_size import learners_batches, lowest_point, next_position, patients, sampled_gradients
from nnlib.widgets.descent import gradient_spread, logistic_gradients, minibatches


@pytest.fixture(scope="module")
def explorer():
    return BatchSizeExplorer()


def test_data_and_lowest_point():
    X, t = patients()
    assert X.shape == (128, 2) and set(t) == {0, 1}
    assert X.mean(axis=0) == pytest.approx([0, 1]) and X[:, 0].std() == pytest.approx(1)
    assert np.abs(logistic_gradients(X, t, lowest_point(X, t)).mean(axis=0)).max() < 1e-10


@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(explorer):
    for axis, epochs, rate in (("epochs", 1, 0.05), ("epochs", 10, 20), ("updates", 10, 0.05)):
        explorer.axis.value, explorer.epochs.value, explorer.rate.value = axis, epochs, rate
        for batch in (1, 128):
            explorer.batch.value = batch
            assert explorer.message == "" and np.isfinite(explorer.losses).all()
            assert len(explorer.points) == epochs * 128 // batch + 1 and explorer.seen[-1] == epochs * 128
            assert f"batches of {batch} " in explorer.alt and axis in explorer.alt


@pytest.mark.parametrize("batch, rate, reached", [(1, 0.05, True), (1, 0.5, False), (32, 0.05, False), (32, 1, True)])
def test_the_goal_of_the_notebook_needs_a_larger_rate_for_a_larger_batch(batch, rate, reached):
    explorer = BatchSizeExplorer(batch=batch, rate=rate, epochs=10)
    assert (explorer.losses[-1] < 0.545) == reached and round(explorer.lowest, 3) == 0.540


def test_one_update_is_not_called_one_updates():
    explorer = BatchSizeExplorer(batch=128, epochs=1)
    text = explorer.alt + explorer._caption_text
    assert "after 1 update on 128 examples (1 epoch)" in text and not re.search(r"\b1 (updates|epochs)", text)


def test_shuffle_changes_the_path_but_not_the_full_batch(explorer):
    explorer.batch.value = 8
    points, full = explorer.points, explorer.full_points
    explorer.seed.value = 20
    assert not np.allclose(points, explorer.points) and np.allclose(full, explorer.full_points)
    explorer.seed.value = 0
    assert np.array_equal(points, explorer.points)


def test_full_batch_is_the_batch_of_all(explorer):
    explorer.batch.value = 128
    assert explorer.points == pytest.approx(explorer.full_points)
    assert explorer.spread == 0


def test_many_noisy_updates_beat_few_exact_ones():
    explorer = BatchSizeExplorer()
    assert explorer.losses[-1] < explorer.full_losses[-1]


def test_spread_follows_the_law(explorer):
    for batch in (1, 4, 16, 64, 128):
        explorer.batch.value = batch
        law = explorer.sigma / np.sqrt(batch) * np.sqrt((128 - batch) / 127)
        assert explorer.spread == pytest.approx(law, rel=0.12, abs=1e-9)


def test_sampled_gradients():
    gradients, rng = np.arange(8.0).reshape(4, 2), np.random.default_rng(0)
    orders = np.array([rng.permutation(4) for _ in range(5)])
    sample = sampled_gradients(gradients, 2, orders)
    assert sample.shape == (5, 2) and sample[0] == pytest.approx(gradients[orders[0, :2]].mean(axis=0))
    assert gradient_spread(sampled_gradients(gradients, 4, orders)) == pytest.approx(0)


@pytest.mark.parametrize("batch", [4, 128])
def test_player_walks_to_the_end_and_back(explorer, batch):
    explorer.batch.value = batch
    updates = len(explorer.points) - 1
    explorer.player.reset()
    assert explorer.position == 0 and "a path of 0 updates" in explorer.alt
    alts, ticks = {explorer.alt}, 0
    while explorer.player.tick():
        ticks += 1
        alts.add(explorer.alt)
        assert ticks < 120
    assert explorer.position == updates and len(alts) >= min(updates, 5)
    assert len(explorer.path.get_xdata()) == updates + 1
    explorer.player.tick()
    assert explorer.position == 1, "after the end it begins again"
    explorer.player.reset()
    assert explorer.position == 0


def test_player_does_not_compute_again(explorer):
    points = explorer.points
    explorer.player.reset()
    explorer.player.tick()
    assert explorer.points is points


def test_next_position():
    assert next_position(0, 5) == 1 and next_position(4, 5) == 5 and next_position(1000, 1280) == 1080


def test_off_the_scale_is_said(explorer):
    explorer.batch.value, explorer.rate.value = 1, 20
    assert "off the scale" in explorer.off.get_text()


@pytest.mark.parametrize("batches, words", [
    (lambda n, size, rng: 1 / 0, "ZeroDivisionError"), (lambda n, size, rng: None, "returned None"),
    (lambda n, size, rng: [], "expected between 1 and 128 batches but got none"),
    (lambda n, size, rng: [np.arange(n) / n], "row numbers"), (lambda n, size, rng: [[]], "row numbers"),
    (lambda n, size, rng: np.ones((2, 3, 4), dtype=int), "shape (3, 4)"),
    (lambda n, size, rng: [np.arange(1, n + 1)], "from 0 to 127"),
    (lambda n, size, rng: [[-1, 3]], "from 0 to 127"),
    (lambda n, size, rng: itertools.repeat(np.arange(size)), "more than 128"),
    (lambda n, size, rng: [np.arange(n) > 5], "row numbers"),
])
def test_wrong_batches_are_told_inside_the_explorer(batches, words):
    with pytest.raises(LearnerError, match=re.escape(words)):
        learners_batches(batches)(128, 8, np.random.default_rng(0))


@pytest.mark.usefixtures("painted")
def test_batches_that_never_worked_leave_the_axes_and_their_message():
    explorer = BatchSizeExplorer(lambda n, size, rng: [])
    assert "got none" in explorer.message and explorer.picture and "stopped" in explorer.alt
    explorer.rate.value = 1.0
    assert "got none" in explorer.message


def test_own_batches():
    right = BatchSizeExplorer(lambda n, size, rng: minibatches(n, size, rng))
    assert right.fault == "" and right.points == pytest.approx(BatchSizeExplorer().points)
    short = BatchSizeExplorer(lambda n, size, rng: [rng.permutation(n)[:size]])
    assert "120 of 128 examples are left out" in short._caption_text
    replaced = BatchSizeExplorer(lambda n, size, rng: (rng.integers(0, n, size) for _ in range(n // size)))
    assert "used more than once" in replaced._caption_text


def test_batches_that_fail_from_the_start_are_told_at_every_control():
    explorer = BatchSizeExplorer(lambda n, size, rng: 1 / 0)
    assert explorer.on_step() is False
    explorer.on_reset()
    explorer.batch.value, explorer.epochs.value = 16, 2
    assert "ZeroDivisionError" in explorer.message and "1 / 0" in explorer.message


def test_wrong_batch_size():
    with pytest.raises(ValueError, match="expected a batch of 1, 2, 4"):
        BatchSizeExplorer(batch=7)
