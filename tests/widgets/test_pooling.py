"""PoolingExplorer: its mathematics, every control at its ends, its goal, and learners' own pooling."""

import itertools

import numpy as np
import pytest
from support import assert_refused

from nnlib import ops
from nnlib.widgets import PoolingExplorer
from nnlib.widgets.images import DECK_D
from nnlib.widgets.pooling import KINDS, ShiftGoal, change, change_of_digits, pool_fault, pooled, shifted

DECK = np.array(DECK_D, dtype=float)


def slow_pool(x, kernel_size, stride, reduce=np.max):
    rows, columns = ((n - kernel_size) // stride + 1 for n in x.shape[2:])
    return np.array([[[[reduce(plane[r * stride:r * stride + kernel_size, c * stride:c * stride + kernel_size])
                        for c in range(columns)] for r in range(rows)] for plane in image] for image in x])


def plain(image, window, stride):
    return slow_pool(image[None, None], window, stride)[0, 0].tolist()


def from_zero(x, kernel_size, stride):
    return np.maximum(slow_pool(x, kernel_size, stride), 0)


@pytest.fixture(scope="module")
def explorer():
    return PoolingExplorer()


# The mathematics

def test_numbers_of_the_lecture():
    np.testing.assert_array_equal(pooled(DECK, "max", 2, 2), [[7, 8], [3, 4]])
    np.testing.assert_array_equal(pooled(DECK, "mean", 2, 2), [[3.5, 5.5], [1.75, 2]])
    np.testing.assert_array_equal(pooled(DECK, "median", 2, 2), [[3, 6], [1.5, 2]])
    np.testing.assert_array_equal(pooled(DECK, "max", 2, 1), [[7, 7, 8], [7, 7, 8], [3, 3, 4]])


@pytest.mark.parametrize("kind, reduce", [("max", np.max), ("mean", np.mean), ("median", np.median)])
def test_pooling_agrees_with_loops_for_one_image_and_many(kind, reduce):
    images = np.random.default_rng(0).normal(size=(3, 7, 9))
    for window, stride in itertools.product(range(1, 5), repeat=2):
        wanted = slow_pool(images[None], window, stride, reduce)[0]
        np.testing.assert_allclose(pooled(images, kind, window, stride), wanted)
        np.testing.assert_allclose(pooled(images[0], kind, window, stride), wanted[0])


def test_a_shift_repeats_the_edge():
    np.testing.assert_array_equal(shifted(DECK, 1, 0)[0], [1, 1, 1, 2])
    np.testing.assert_array_equal(shifted(DECK, -2, 0)[1], [7, 8, 8, 8])
    np.testing.assert_array_equal(shifted(DECK, 0, 1)[:, 0], [1, 1, 5, 3])
    np.testing.assert_array_equal(shifted(DECK, 0, 0), DECK)
    np.testing.assert_array_equal(shifted(DECK[None], 1, -1)[0], shifted(DECK, 1, -1))


def test_change_is_a_part_of_what_there_was():
    assert change(DECK, DECK) == 0 and change(DECK, 0 * DECK) == 1 and change(0 * DECK, DECK) == 0
    assert change(DECK, shifted(DECK, 1, 0)) == pytest.approx(13 / 51)


def test_max_pooling_bears_a_shift_best_on_the_digits():
    ratio = {(k, w): np.divide(*change_of_digits(k, w, w)[::-1]) for k in KINDS for w in (2, 3)}
    assert ratio["max", 2] < 0.6 < ratio["mean", 2] < ratio["median", 2]
    assert ratio["max", 3] < ratio["max", 2]
    first, second = change_of_digits("max", 1, 1)
    assert first == second > 0.5, "a window of one pixel changes nothing"


# The controls

@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("image", ["deck D", "digit", "temple"])
def test_every_control_at_both_ends(image):
    explorer, seen = PoolingExplorer(image), set()
    for kind, (window, stride), (right, down) in itertools.product(
            KINDS, ((1, 1), (1, 4), (4, 1), (4, 4)), ((-2, -2), (2, 2), (0, 0))):
        rows, columns = ((n - window) // stride + 1 for n in explorer.images[0].shape)
        with explorer.setting_controls():
            explorer.kind.value, explorer.window.value, explorer.stride.value = kind, window, stride
            explorer.right.value, explorer.down.value = right, down
            explorer.row.value, explorer.column.value = rows - 1, columns - 1
        if right == 2:  # painting takes most of the time
            explorer.refresh()
        explorer.update()
        alt = explorer.describe()
        assert explorer.row.max == max(1, rows - 1) and explorer.row.disabled == (rows == 1)
        np.testing.assert_allclose(explorer.outputs[1], pooled(explorer.images[1], kind, window, stride))
        assert explorer.message == "" and "nan" not in alt + explorer._caption_text
        assert explorer.seen[0].shape == (window, window)
        assert (explorer.changes == (0, 0)) == (right == 0)
        seen.add(alt)
    assert len(seen) == 36


def test_the_window_marked_gives_the_number_said(explorer):
    for row, column in itertools.product(range(2), repeat=2):
        explorer.row.value, explorer.column.value = row, column
        value = DECK[2 * row:2 * row + 2, 2 * column:2 * column + 2].max()
        assert f"its max is {value:g}." in explorer._caption_text and f"gives {value:g}." in explorer.alt
    explorer.row.value = explorer.column.value = 0
    explorer.right.value = 1
    assert "holds 1 1; 5 7; its max is 7, and after the shift 5" in explorer._caption_text
    assert "25% of the image" in explorer._caption_text and "0.71 times as much" in explorer._caption_text
    explorer.right.value = 0
    assert "Shift the image" in explorer._caption_text


def test_the_floor_is_shown(explorer):
    explorer.window.value, explorer.stride.value = 1, 2
    assert "⌊(4 − 1) / 2⌋ + 1 = ⌊1.5⌋ + 1 = 2; 4 numbers of 16" in explorer._caption_text
    explorer.window.value = 2


def test_words_for_the_shift(explorer):
    for right, down, words in ((1, 0, "shifted 1 right"), (-2, 1, "shifted 2 left, 1 down"), (0, -1, "shifted 1 up"),
                               (0, 0, "not shifted")):
        explorer.right.value, explorer.down.value = right, down
        assert words in explorer.alt


def test_goal_needs_a_larger_window_that_takes_the_maximum():
    goal, found = ShiftGoal(), set()
    explorer = PoolingExplorer("digit", goal=goal)
    for kind, window, stride in itertools.product(KINDS, range(1, 5), range(1, 5)):
        with explorer.setting_controls():
            explorer.kind.value, explorer.window.value, explorer.stride.value = kind, window, stride
        explorer.update()
        if "✓" in explorer._goal_text:
            found.add((kind, window, stride))
    assert found == {("max", 4, 1), ("max", 4, 2)}
    assert "○ Goal not reached yet" in PoolingExplorer(goal=goal)._goal_text


# What is given

@pytest.mark.parametrize("arguments, words", [
    ({"image": "cat"}, "no image"), ({"image": np.zeros((3, 5))}, "4 to 96"), ({"kind": "min"}, "no pooling"),
    ({"window": 0}, "window"), ({"window": 5}, "window"), ({"stride": 5}, "stride"), ({"shift": 3}, "shift"),
    ({"pool": 1}, "to be a function")])
def test_wrong_arguments(arguments, words):
    assert_refused(PoolingExplorer, arguments, words)


@pytest.mark.parametrize("shape", [(4, 4), (4, 96), (96, 5)])
def test_own_image(shape):
    explorer = PoolingExplorer(np.random.default_rng(0).normal(size=shape), "median", 4, 3, shift=-2)
    assert explorer.message == "" and explorer.image_choice.value == "yours" and "“yours”" in explorer.alt
    assert "height" in explorer._caption_text
    explorer.image_choice.value = "deck D"
    explorer.image_choice.value = "yours"
    assert explorer.images[0].shape == shape


# Learners' own

@pytest.mark.parametrize("own", [
    slow_pool, plain, ops.max_pool2d, lambda x, k, stride: ops.max_pool2d(x, k, stride=stride),
    lambda x, k: slow_pool(x, k, k), lambda *arguments: slow_pool(*arguments),
    lambda x, k, s: slow_pool(x, k, s).astype(np.float32)])
def test_right_functions_in_other_styles(own):
    explorer = PoolingExplorer(pool=own)
    assert explorer.kind.value == "yours" and explorer.message == "" and explorer.fault == ""
    assert "same numbers as nnlib's max pooling" in explorer._caption_text
    assert "your pooling, meant as max" in explorer.alt


@pytest.mark.parametrize("kind, reduce", [("mean", np.mean), ("median", np.median)])
def test_other_kinds(kind, reduce):
    explorer = PoolingExplorer(kind=kind, pool=lambda x, k, s: slow_pool(x, k, s, reduce))
    assert explorer.fault == "" and explorer.message == ""
    explorer.kind.value = "max"
    assert explorer.outputs[0][0, 0] == 7


@pytest.mark.parametrize("own, words", [
    (lambda x, k, s: slow_pool(x, k, s, np.mean), "takes the mean of each window, not the max"),
    (lambda x, k, s: slow_pool(x, k, s, np.min), "smallest number"),
    (lambda x, k, s: slow_pool(x, k, s, np.sum), "sum of each window"),
    (from_zero, "on an image with negative numbers: it never gives less than 0"),
    (lambda x, k, s: slow_pool(np.abs(x), k, s), "drops the sign"),
    (lambda x, k, s: slow_pool(x, k, s) + 1, "at 4 of 4 places, first at row 0, column 0: it gives 8 where the max"),
    (lambda x, k, s: slow_pool(x, k, s).transpose(0, 1, 3, 2) if x.shape[2] == 4 else slow_pool(x, k, s), "differs")])
def test_wrong_numbers_are_told(own, words):
    explorer = PoolingExplorer(pool=own, goal=ShiftGoal(1, 1))
    assert words in explorer.fault and words in explorer.alt and words in explorer._caption_text
    assert "○" in explorer._goal_text


@pytest.mark.parametrize("own, words", [
    (lambda x, k, s: None, "is there a return"), (lambda x, k, s: x[0, 7], "raised IndexError"),
    (lambda x, k, s: slow_pool(x, k, s)[0, 0], "two axes are missing"),
    (lambda x, k, s: slow_pool(x, k, 1), "is the stride used"),
    (lambda x, k, s: slow_pool(x, k, s)[:, :, :-1, :-1], "is the + 1 missing"),
    (lambda x, k, s: slow_pool(x, k, s) * np.inf, "finite"), (lambda x, k, s: "a", "expected an output of shape")])
def test_wrong_shapes_and_exceptions_are_told(own, words):
    explorer = PoolingExplorer(pool=own)
    assert words in explorer.message and explorer.picture
    explorer.kind.value = "mean"
    assert explorer.message == "" and "mean pooling" in explorer.alt


def test_a_window_beyond_the_image_has_no_place():
    def ceiling(x, k, s):
        grown = np.pad(x, ((0, 0), (0, 0), (0, k), (0, k)), constant_values=-np.inf)
        rows = -(-x.shape[2] // s)
        return slow_pool(grown, k, s)[:, :, :rows, :rows]

    assert "beyond the image has no place" in PoolingExplorer(window=2, stride=3, pool=ceiling).message


@pytest.mark.usefixtures("painted")
def test_a_function_without_a_stride_is_told():
    explorer = PoolingExplorer(pool=lambda x, k: slow_pool(x, k, k))
    before = explorer.picture
    explorer.stride.value = 1
    assert "has no argument `stride`" in explorer.message and "empty output" in explorer.alt
    assert explorer.picture != before, "no output of another state stays beside the message"
    assert "No output" in explorer._caption_text and "nan" not in explorer.alt + explorer._caption_text
    explorer.window.value = 1
    assert explorer.message == ""


def test_a_function_that_changes_its_argument_spoils_nothing():
    def own(x, k, s):
        y = slow_pool(x, k, s)
        x[...] = 0
        return y

    explorer = PoolingExplorer(pool=own, shift=1)
    assert explorer.fault == "" and explorer.images[0].any()


def test_fault_of_a_right_pool_is_none():
    assert pool_fault(lambda x, w, s: pooled(x, "mean", w, s), DECK, "mean", 3, 1) == ""
