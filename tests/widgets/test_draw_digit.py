"""DrawDigit without a browser: drawings become images like the data's, models are asked, and the goal is counted."""

import itertools
import math

import numpy as np
import pytest
from support import assert_refused

from nnlib import Flatten, Linear, Module, ReLU, Sequential, Tensor, matmul
from nnlib.datasets import Normalizer, load_digits
from nnlib.widgets import DrawDigit
from nnlib.widgets.draw_digit import (
    EXAMPLES,
    FRAMES,
    SHAPES,
    bitmap,
    counted_ink,
    placed,
    probabilities,
    shape_taken,
    small_network,
    strokes_of,
    thinned,
    to_digit,
)

pytestmark = pytest.mark.filterwarnings("error")

RNG = np.random.default_rng(0)


@pytest.fixture
def explorer():
    made = DrawDigit(goal=0.8)
    yield made
    made.close()


def moved(drawing, scale=1.0, right=0.0, down=0.0):
    return [[(right + scale * x, down + scale * y) for x, y in stroke] for stroke in drawing]


def scores(X):
    """A model of one line: the ink of ten parts of the image."""
    return np.asarray(X).reshape(len(X), -1)[:, :60].reshape(len(X), 10, 6).sum(axis=2)


# From drawing to image

@pytest.mark.parametrize("digit", EXAMPLES)
def test_a_drawing_fills_its_image_as_the_data_do(digit):
    image = to_digit(EXAMPLES[digit])
    rows, columns = image.any(axis=1), image.any(axis=0)
    assert image.shape == (8, 8) and image.min() >= 0 and 0.9 < image.max() <= 1
    assert rows.all() and abs(np.flatnonzero(columns).mean() - 3.5) <= 0.5
    assert np.array_equal(16 * image, np.round(16 * image)), "ink is counted in blocks of 4x4"
    assert image.mean() == pytest.approx(FRAMES[8].ink, abs=0.02)


def test_what_is_assumed_of_the_data_holds():
    images = load_digits().images[:, 0]
    assert (images > 0).any(axis=2)[:, [0, 7]].all(), "every digit reaches the first and the last row"
    inks = [images[load_digits().t == k].mean() for k in range(10)]
    assert np.mean(inks) == pytest.approx(FRAMES[8].ink, abs=0.01) and np.ptp(inks) < 0.03


@pytest.mark.parametrize("digit", EXAMPLES)
@pytest.mark.parametrize("size", [8, 28])
def test_where_and_how_large_it_is_drawn_makes_no_difference(digit, size):
    image = to_digit(EXAMPLES[digit], size)
    other = to_digit(moved(EXAMPLES[digit], 0.31, 0.6, 0.05), size)
    assert np.abs(image - other).max() <= 0.2 and np.abs(image - other).mean() < 0.01
    plain = to_digit(moved(EXAMPLES[digit], 0.31, 0.6, 0.05), size, center=False)
    assert not plain[:, :size // 2].any() and not plain[size // 2:].any() and plain.any()


@pytest.mark.parametrize("digit", EXAMPLES)
def test_mnist_digits_are_twenty_long_with_their_mass_in_the_middle(digit):
    image = to_digit(EXAMPLES[digit], 28)
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (20, 21)  # 21 where it stands between pixels
    at = np.arange(28)
    assert (image.sum(axis=0) @ at / image.sum(), image.sum(axis=1) @ at / image.sum()) == pytest.approx(
        (13.5, 13.5), abs=0.1)
    assert 0.04 < image.mean() < 0.25


def test_a_wide_drawing_keeps_its_aspect():
    image = to_digit([[(0.1, 0.5), (0.9, 0.5)]])
    assert image.any(axis=0).all() and not image[[0, 1, 6, 7]].any()
    tall = to_digit([[(0.5, 0.1), (0.5, 0.9)]])
    assert np.array_equal(tall, image.T)


def test_few_and_odd_drawings():
    for size, center in itertools.product(FRAMES, (True, False)):
        assert not to_digit([], size, center).any()
        assert to_digit([[(0.5, 0.5)]], size, center).any(), "a dot leaves ink"
        assert to_digit([[(0.5, 0.5)] * 9, []], size, center).any()
        assert np.isfinite(to_digit([[(0, 0), (1, 1)], [(1, 0), (0, 1)]], size, center)).all()
    assert np.array_equal(to_digit([[(-3, 0.5), (7, 0.5)]], center=False), to_digit([[(0, 0.5), (1, 0.5)]],
                                                                                     center=False))
    long = [[tuple(p) for p in RNG.random((3000, 2))]]
    assert to_digit(long).shape == (8, 8)


def test_a_mixed_drawing_is_the_union_of_its_strokes():
    strokes, radius = placed(EXAMPLES[4])
    both = bitmap(strokes, radius, 8)
    assert np.array_equal(both, bitmap(strokes[:1], radius, 8) | bitmap(strokes[1:], radius, 8))
    assert counted_ink(both).sum() == pytest.approx(both.mean() * 64)


def test_thinned_keeps_the_ends():
    line = np.stack([np.linspace(0, 1, 101), np.zeros(101)], axis=1)
    few = thinned(line, 0.1)
    assert len(few) < 14 and few[0].tolist() == [0, 0] and few[-1].tolist() == [1, 0]
    assert thinned(line[:1], 0.1).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("drawing", [3, "abc", [[(1, 2, 3)]], [[(np.nan, 0)]], [[1, 2]], [None], [[("a", "b")]]])
def test_what_is_no_drawing(drawing):
    with pytest.raises(ValueError, match="to_digit: expected a drawing"):
        strokes_of(drawing)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="size of 8"):
        to_digit(EXAMPLES[1], 16)


# Models

@pytest.mark.parametrize("digit", EXAMPLES)
def test_a_small_network_reads_the_examples(digit):
    p = probabilities(small_network(), to_digit(EXAMPLES[digit]), (1, 8, 8))
    assert p.argmax() == digit and p.sum() == pytest.approx(1)


def test_scores_probabilities_tensors_and_rows():
    image, z = to_digit(EXAMPLES[3]), np.arange(10.0)
    softmax = np.exp(z) / np.exp(z).sum()
    for answer in (z, z[None], Tensor(z[None]), z.tolist(), softmax, softmax[None], z + 1e4):
        assert probabilities(lambda X, answer=answer: answer, image, (64,)) == pytest.approx(softmax)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shape_that_a_model_takes_is_found(shape):
    model = Sequential(Flatten(), Linear(math.prod(shape), 10)) if len(shape) > 1 else Linear(shape[0], 10)
    taken = shape_taken(model)
    assert math.prod(taken) == math.prod(shape)
    explorer = DrawDigit(model, shape=shape, drawing=3)
    assert explorer.message == "" and explorer.image.shape == (math.isqrt(math.prod(shape)),) * 2
    explorer.close()


def test_a_model_is_asked_in_evaluation_mode_and_keeps_its_mode():
    class Watched(Module):
        def __init__(self):
            self.linear = Linear(64, 10, rng=0)

        def forward(self, x):
            modes.append(self.training)
            return self.linear(x)

    modes, model = [], Watched()
    DrawDigit(model, drawing=2).close()
    assert modes and not any(modes) and model.training


def test_prepare_is_what_the_training_data_went_through():
    data, seen = load_digits(), []
    normalize = Normalizer(data.X)
    explorer = DrawDigit(lambda X: seen.append(X) or scores(X), shape=(64,), prepare=normalize, drawing=5)
    assert seen[-1] == pytest.approx(normalize(to_digit(EXAMPLES[5]).reshape(1, 64)))
    explorer.close()


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("model, words", [
    (lambda X: 1 / 0, "ZeroDivisionError"),
    (lambda X: None, "is there a return"),
    (lambda X: np.zeros((2, 10)), "shape (2, 10)"),
    (lambda X: np.zeros((1, 1)), "two classes at least"),
    (lambda X: 3.0, "shape ()"),
    (lambda X: np.full((1, 10), np.nan), "finite"),
    (lambda X: "three", "expected scores"),
    (lambda X: exit(), "SystemExit"),
    (Linear(30, 10), "takes none of the shapes"),
    (Sequential(Linear(64, 10), Linear(3, 10)), "takes none of the shapes")])
def test_models_that_fail_are_told_inside_the_explorer(model, words):
    explorer = DrawDigit(model, drawing=3)
    assert words in explorer.message and "The model stopped" in explorer.message and explorer.picture
    explorer.clear()
    explorer.draw(4)
    assert words in explorer.message
    explorer.close()


def test_a_model_that_fails_later_and_recovers(explorer):
    explorer.draw(1)
    explorer.models["the network"] = lambda X: 1 / 0
    explorer.draw(2)
    assert "ZeroDivisionError" in explorer.message
    explorer.models["the network"] = scores
    explorer.draw(3)
    assert explorer.message == "" and "the network reads" in explorer.alt


def test_other_numbers_of_classes():
    explorer = DrawDigit({"two": lambda X: scores(X)[:, :2]}, class_names=["three", "eight"], drawing=8, goal=0.5)
    assert "two reads" in explorer.alt and "draw each of three, eight" in explorer._goal_text
    explorer.close()
    explorer = DrawDigit({"ten": lambda X: scores(X), "two": lambda X: scores(X)[:, :2]}, drawing=8)
    assert "two: expected 10 classes but got 2" in explorer.message
    explorer.close()


def test_several_models_side_by_side():
    models = {"logistic": Linear(64, 10, rng=0), "CNN": small_network(),
              "MLP": Sequential(Linear(784, 4, rng=0), ReLU(), Linear(4, 10, rng=0))}
    explorer = DrawDigit(models, shape={"logistic": (64,)}, drawing=7)
    assert all(f"{name} reads" in explorer.alt for name in models) and explorer.message == ""
    assert explorer.shapes == {"logistic": (64,), "CNN": (1, 8, 8), "MLP": (784,)}
    explorer.close()


def test_a_learners_function_of_tensors():
    W = RNG.standard_normal((10, 64))
    explorer = DrawDigit(lambda X: matmul(Tensor(X), Tensor(W.T)), drawing=1)
    assert explorer.message == "" and "the network reads" in explorer.alt
    explorer.close()


# The explorer

@pytest.mark.usefixtures("painted")
def test_every_digit_with_every_control_at_both_ends(explorer):
    seen = set()
    for digit, center, meant in itertools.product(EXAMPLES, (True, False), (0, 9)):
        with explorer.setting_controls():
            explorer.center.value, explorer.meant.value = center, meant
        explorer.draw(digit)
        explorer.refresh()
        assert explorer.message == "" and len(explorer.results["the network"]) == 10
        assert ("centered and scaled" if center else "as drawn") in explorer.alt
        assert "nan" not in explorer.alt + explorer._caption_text
        seen.add(explorer.picture)
    assert len(seen) == 20


def test_bars_and_texts_are_the_probabilities(explorer):
    explorer.draw(4)
    p, panel = explorer.results["the network"], explorer.panels["the network"]
    assert [bar.get_width() for bar in panel.bars] == pytest.approx(p)
    assert [float(text.get_text()) for text in panel.texts] == pytest.approx(p, abs=0.005)
    assert panel.texts[4].get_weight() == "bold" and f"reads 4 with probability {p[4]:.2f}" in explorer._caption_text
    explorer.clear()
    assert not any(bar.get_width() for bar in panel.bars) and not any(text.get_text() for text in panel.texts)
    assert "empty" in explorer._caption_text and "nothing is drawn" in explorer.alt


def test_undo_and_clear(explorer):
    explorer.draw(4)
    explorer.undo_button.click()
    assert len(explorer.pad.value) == 1
    for _ in range(3):
        explorer.undo_button.click()
    assert explorer.pad.value == [] and "nothing is drawn" in explorer.alt
    explorer.draw(EXAMPLES[7])
    explorer.clear_button.click()
    assert explorer.pad.value == []


def test_an_example_goes_as_a_whole():
    explorer = DrawDigit(drawing=4)
    assert explorer.pad.example and "An example" in explorer._caption_text
    explorer.undo()
    assert explorer.pad.value == [] and not explorer.pad.example
    explorer.close()


def test_the_goal_takes_all_digits_in_turn(explorer):
    assert "Read so far: none. Now draw a 0." in explorer._goal_text
    explorer.draw(1)
    assert "its probability is 0.0" in explorer._goal_text and not explorer.read
    for digit in range(10):
        assert explorer.meant.value == digit
        explorer.draw(digit)
        if digit not in explorer.read:  # these examples are no perfect hand
            explorer.goal = 0.5
            explorer.refresh()
        explorer.clear()
    assert "✓ Goal reached" in explorer._goal_text and explorer.read == set(range(10))
    explorer.clear()
    assert explorer.meant.value == 9


def test_a_digit_chosen_again_stays_chosen(explorer):
    explorer.draw(0)
    explorer.clear()
    assert explorer.meant.value == 1
    explorer.meant.value = 0
    assert explorer.meant.value == 0 and "0 is read" in explorer._goal_text


def test_an_example_does_not_count_for_the_goal():
    explorer = DrawDigit(drawing=0, goal=0.5)
    assert "reads 0" in explorer.alt and not explorer.read
    explorer.close()


@pytest.mark.parametrize("arguments", [
    {"models": 3}, {"models": {}}, {"models": dict.fromkeys("abcd", scores)}, {"models": {"a": 3}},
    {"shape": (3, 3)}, {"shape": (8, 8)}, {"goal": 1.0}, {"goal": 0.2}, {"drawing": 12}, {"drawing": "a"},
    {"prepare": 3}])
def test_wrong_arguments(arguments):
    assert_refused(DrawDigit, {"models": scores} | arguments)


def test_stored_text_holds_no_probability():
    explorer = DrawDigit(drawing=3)
    bundle = explorer._repr_mimebundle_()
    assert "0." not in bundle["text/plain"] and "reads 3" in bundle["text/html"] and "Run this cell" in bundle[
        "text/html"]
    again = DrawDigit(drawing=3)._repr_mimebundle_()
    assert bundle["image/png"] == again["image/png"] and bundle["text/html"] == again["text/html"]
    explorer.close()


def test_the_browsers_part_is_there_and_asks_for_nothing():
    source = str(DrawDigit(scores).pad._esm)
    assert "export default" in source and "http" not in source and "import" not in source
