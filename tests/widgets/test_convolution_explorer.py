"""ConvolutionExplorer: its mathematics, every control at its ends, its goals, and learners' own conv2d."""

import asyncio
import itertools

import numpy as np
import pytest
from support import assert_refused

from nnlib import Tensor, fit, ops
from nnlib import layers as nn
from nnlib.datasets import load_digits
from nnlib.optimizers import Adam
from nnlib.widgets import ConvolutionExplorer
from nnlib.widgets.convolution import (
    KERNELS,
    LEARNED,
    SizeGoal,
    StrokeGoal,
    conv_fault,
    correlate,
    kernel_of,
    size_formula,
    stroke_answers,
    window_at,
    zeros_for,
)

LINE = np.array([[-1, 2, -1]] * 3)


def slow_conv2d(x, weight, bias=None, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    k = weight.shape[-1]
    rows, columns = ((n - k) // stride + 1 for n in x.shape[2:])
    y = np.zeros((len(x), len(weight), rows, columns))
    for r, c in itertools.product(range(rows), range(columns)):
        window = x[:, :, r * stride:r * stride + k, c * stride:c * stride + k]
        y[:, :, r, c] = np.tensordot(window, weight, axes=((1, 2, 3), (1, 2, 3)))
    return y if bias is None else y + bias[:, None, None]


def plain(image, kernel, stride=1):
    k = len(kernel)
    return [[(image[r:r + k, c:c + k] * kernel).sum() for c in range(0, image.shape[1] - k + 1, stride)]
            for r in range(0, image.shape[0] - k + 1, stride)]


def nnlib_tensor(x, weight, stride, padding):
    return ops.conv2d(Tensor(x), Tensor(weight), stride=stride, padding=padding)


@pytest.fixture(scope="module")
def explorer():
    return ConvolutionExplorer("digit")


# The mathematics

def test_each_output_is_the_sum_of_the_products_under_its_window():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(7, 9))
    for k, stride, padding in itertools.product((3, 5), (1, 2, 3, 4), range(5)):
        kernel = rng.normal(size=(k, k))
        output = correlate(image, kernel, stride, padding)
        for (row, column), value in np.ndenumerate(output):
            under = window_at(image, k, stride, padding, row, column)
            assert under.shape == (k, k) and (under * kernel).sum() == pytest.approx(value)
        assert size_formula(7, k, stride, padding).endswith(f"= {len(output)}")


def test_formula_shows_the_floor_where_it_matters():
    assert size_formula(28, 3, 2, 0) == "⌊(28 + 2·0 − 3) / 2⌋ + 1 = ⌊12.5⌋ + 1 = 13"
    assert size_formula(8, 3, 1, 1) == "⌊(8 + 2·1 − 3) / 1⌋ + 1 = 8"


def test_words_for_padding_are_those_of_the_library():
    for word, k in itertools.product(("valid", "same", "full"), (3, 5)):
        assert set(ops.resolve_padding(word, (k, k))) == {(zeros_for(word, k),) * 2}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_in_both_sizes(name):
    small, large = kernel_of(name, 3), kernel_of(name, 5)
    assert small.shape == (3, 3) and large.shape == (5, 5) and large.sum() == pytest.approx(small.sum())
    if name != "blur":
        np.testing.assert_array_equal(large[1:-1, 1:-1], small)


def test_what_the_kernels_are_for():
    flat = np.full((6, 6), 0.7)
    for name in ("identity", "blur", "sharpen", "emboss"):
        np.testing.assert_allclose(correlate(flat, kernel_of(name, 3)), 0.7)
    for name in ("Sobel x", "Sobel y", "Laplacian"):
        np.testing.assert_allclose(correlate(flat, kernel_of(name, 3)), 0, atol=1e-12)
    step = np.tile([0.0, 0, 0, 1, 1, 1], (6, 1))
    assert correlate(step, kernel_of("Sobel x", 3)).max() == 4 and not correlate(step, kernel_of("Sobel y", 3)).any()


def test_the_learned_kernel_is_one_that_training_finds():
    train, _ = load_digits().split(0.25, seed=0)
    rng = np.random.default_rng(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                            nn.Linear(128, 10, rng=rng))
    fit(network, (train.images, train.t), optimizer=Adam(network.parameters(), lr=0.01), epochs=4, seed=0,
        progress=False)
    found = network[0].weight.data[0, 0]
    assert np.corrcoef(found.ravel(), np.ravel(LEARNED))[0, 1] > 0.9


# The controls

@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(explorer):
    seen = set()
    explorer.kernel_choice.value = "emboss"
    for k in (3, 5):
        explorer.size.value = k
        for stride, zeros, (fill, flip) in itertools.product((1, 4), (0, 4), (("all", True), ("so far", False))):
            last = ops.output_size(8, k, stride, zeros) - 1
            for row, column in ((0, 0), (last, last)):
                with explorer.setting_controls():
                    explorer.stride.value, explorer.zeros.value = stride, zeros
                    explorer.filling.value, explorer.flip.value = fill, flip
                    explorer.row.value, explorer.column.value = row, column
                if row == 0:
                    explorer.refresh()
                explorer.update()
                alt = explorer.describe()
                assert explorer.message == "" and "nan" not in alt + explorer._caption_text
                assert explorer.output[explorer.row.value, explorer.column.value] == pytest.approx(explorer.sum)
                assert explorer.row.max == max(1, last) and explorer.row.disabled == (last == 0)
                assert explorer.output.shape == (last + 1, last + 1)
                seen.add((k, alt))
    assert len(seen) > 28, "nearly each state has its own text; a 5 x 5 kernel with stride 4 has one place"
    with explorer.setting_controls():
        explorer.flip.value, explorer.filling.value, explorer.stride.value = False, "all", 1
    explorer.size.value, explorer.padding.value = 3, "valid"


@pytest.mark.parametrize("image", ["temple", "flower", "digit", "strokes"])
def test_every_image_with_every_kernel(image):
    explorer = ConvolutionExplorer(image)
    for name, k in [*((name, 3) for name in KERNELS), ("blur", 5)]:
        explorer.kernel_choice.value, explorer.size.value = name, k
        np.testing.assert_allclose(explorer.output, correlate(explorer.scene.pixels, kernel_of(name, k)), atol=1e-12)
        assert f"“{name}”" in explorer.alt and explorer.message == ""


def test_the_window_begins_where_there_is_something_to_see():
    explorer = ConvolutionExplorer()
    assert abs(explorer.sum) == np.abs(explorer.output).max() > 1
    explorer.image_choice.value = "strokes"
    assert abs(explorer.sum) == np.abs(explorer.output).max() == 4


@pytest.mark.usefixtures("painted")
def test_editing_a_cell_makes_the_kernel_yours(explorer):
    explorer.kernel_choice.value = "Sobel x"
    before = explorer.picture
    explorer.cells[2][2].value = 9.5
    assert explorer.kernel_choice.value == "yours" and explorer.weights[1, 1] == 9.5 and explorer.picture != before
    explorer.size.value = 5
    assert explorer.weights.shape == (5, 5) and explorer.weights[2, 2] == 9.5 and np.abs(explorer.weights[0]).sum() == 0
    explorer.cells[0][0].value = -3
    explorer.size.value = 3
    assert explorer.weights.shape == (3, 3) and explorer.weights[1, 1] == 9.5
    explorer.size.value = 5
    assert explorer.weights[0, 0] == 0, "what was outside is gone"
    explorer.size.value, explorer.kernel_choice.value = 3, "Sobel x"
    np.testing.assert_array_equal(explorer.weights, KERNELS["Sobel x"])


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("value", [-100, 0, 100])
def test_cells_at_their_ends(explorer, value):
    for row in explorer._inner(3):
        for cell in row:
            cell.value = value
    assert (explorer.weights == value).all() and explorer.message == "" and "nan" not in explorer.alt
    assert explorer.output.shape == (6, 6)
    explorer.kernel_choice.value = "identity"


def test_cells_are_labeled_and_hidden_when_they_do_not_count(explorer):
    explorer.size.value = 3
    hidden = [cell for row in explorer.cells for cell in row if cell.layout.display == "none"]
    assert len(hidden) == 16 and [c.description for c in explorer._inner(3)[0]] == ["0,0", "0,1", "0,2"]
    explorer.size.value = 5
    assert all(cell.layout.display is None for row in explorer.cells for cell in row)
    assert explorer.cells[4][3].description == "4,3" and "row 4, column 3" in explorer.cells[4][3].tooltip
    explorer.size.value = 3


def test_words_of_padding_and_its_number_move_one_another(explorer):
    explorer.padding.value = "full"
    assert explorer.zeros.value == 2 and explorer.output.shape == (10, 10)
    explorer.size.value = 5
    assert explorer.zeros.value == 4 and explorer.output.shape == (12, 12)
    explorer.padding.value = "same"
    assert explorer.output.shape == (8, 8)
    explorer.stride.value = 2
    assert "keeps the size of the image with stride 1 only" in explorer._caption_text
    explorer.zeros.value = 3
    assert explorer.padding.value == "number" and explorer.output.shape == (5, 5)
    explorer.size.value, explorer.stride.value, explorer.padding.value = 3, 1, "valid"


def test_flip_is_convolution(explorer):
    explorer.kernel_choice.value, explorer.flip.value = "Sobel x", True
    np.testing.assert_allclose(explorer.output, -correlate(explorer.scene.pixels, KERNELS["Sobel x"]))
    assert "flipped" in explorer.alt
    explorer.kernel_choice.value = "Laplacian"
    assert "Flipped, this kernel is the same" in explorer._caption_text
    explorer.flip.value = False


def test_stepping_fills_the_output_in(explorer):
    explorer.padding.value, explorer.stride.value = "valid", 2
    explorer.player.reset()
    assert (explorer.row.value, explorer.column.value) == (0, 0) and "1 of 9 numbers are filled in" in explorer.alt
    steps = 0
    while explorer.player.tick():
        steps += 1
        assert f"{steps + 1} of 9 numbers" in explorer.alt
    assert steps == 7 and (explorer.row.value, explorer.column.value) == (2, 2) and "9 of 9 numbers" in explorer.alt
    assert not explorer.player.tick()
    explorer.filling.value = "all"
    assert "filled in" not in explorer.alt
    explorer.stride.value = 1


def test_playing_over_a_wide_output_takes_rows(monkeypatch):
    explorer = ConvolutionExplorer(np.eye(20))
    explorer.player.interval = 0

    pictures, describe = [], explorer.describe
    monkeypatch.setattr(explorer, "describe", lambda: pictures.append(1) or describe())

    async def play():
        explorer.player.reset()
        explorer.player.play()
        while explorer.player.playing:
            await asyncio.sleep(0)

    asyncio.run(play())
    assert explorer.row.value == explorer.row.max and explorer.column.value == explorer.column.max
    assert 18 + 17 <= len(pictures) <= 18 + 19


# Goals

def test_named_kernels_do_not_find_the_vertical_strokes_but_a_line_does():
    goal = StrokeGoal("vertical", 3)
    assert not any(goal.judge(kernel_of(name, k), None)[0] for name in KERNELS for k in (3, 5))
    assert goal.judge(LINE, None)[0] and goal.judge(-0.1 * LINE, None)[0], "size and sign do not matter"
    assert not goal.judge(LINE.T, None)[0] and StrokeGoal("horizontal", 3).judge(LINE.T, None)[0]
    reached, words = goal.judge(np.zeros((3, 3)), None)
    assert not reached and "nothing answers" in words
    answers = stroke_answers(LINE)
    assert answers["horizontal"] == pytest.approx(0) and answers["vertical"] == 2.5


@pytest.mark.parametrize("direction, kernel", [("falling", 3 * np.eye(3) - 1), ("rising", 3 * np.eye(3)[::-1] - 1)])
def test_diagonals_can_be_found_too(direction, kernel):
    assert StrokeGoal(direction, 1.5).judge(kernel, None)[0]
    assert max(StrokeGoal(direction, 1.5).judge(kernel_of(n, 3), None)[0] for n in KERNELS) == 0


def test_stroke_goal_in_the_explorer():
    explorer = ConvolutionExplorer("strokes", goal=StrokeGoal())
    assert "○ Goal not reached yet" in explorer._goal_text and "times the strongest other" in explorer._goal_text
    for r, c in itertools.product(range(3), range(3)):
        explorer._inner(3)[r][c].value = LINE[r, c]
    assert "✓ Goal reached" in explorer._goal_text


def test_size_goal():
    explorer = ConvolutionExplorer("strokes", goal=SizeGoal(13))
    assert "○ Goal not reached yet: make the output 13 × 13. It is 26 × 26." in explorer._goal_text
    explorer.stride.value = 2
    assert "✓" in explorer._goal_text
    explorer.zeros.value = 1
    assert "○" in explorer._goal_text and "14 × 14" in explorer._goal_text
    assert SizeGoal(3, 4).shape == (3, 4) and str(SizeGoal(3, 4)) == "make the output 3 × 4"


# What is given

@pytest.mark.parametrize("arguments, words", [
    ({"image": "cat"}, "no image 'cat'"), ({"image": np.zeros((4, 9))}, "5 to 128"), ({"kernel": "sobel"}, "no kernel"),
    ({"kernel": np.zeros((4, 4))}, "shape"), ({"kernel": np.full((3, 3), np.nan)}, "weights from"),
    ({"stride": 0}, "stride"), ({"stride": 5}, "stride"), ({"padding": "half"}, "padding"), ({"padding": 5}, "padding"),
    ({"goal": StrokeGoal("upward")}, "no direction"), ({"conv2d": 3}, "to be a function")])
def test_wrong_arguments(arguments, words):
    assert_refused(ConvolutionExplorer, arguments, words)


@pytest.mark.parametrize("shape", [(5, 5), (5, 128), (128, 6)])
def test_own_image_and_kernel(shape):
    image = np.random.default_rng(0).normal(size=shape) * 1000
    kernel = np.arange(25.0).reshape(5, 5)
    explorer = ConvolutionExplorer(image, kernel, stride=4, padding=4)
    np.testing.assert_allclose(explorer.output, correlate(image, kernel, 4, 4))
    assert explorer.image_choice.value == explorer.kernel_choice.value == "yours" and explorer.message == ""
    explorer.image_choice.value = "digit"
    assert "“digit”" in explorer.alt
    explorer.image_choice.value = "yours"
    assert "“yours”" in explorer.alt


# Learners' own

@pytest.mark.parametrize("own", [slow_conv2d, plain, nnlib_tensor, ops.conv2d,
                                 lambda x, w, **options: ops.conv2d(x, w),
                                 lambda x, w, bias, stride, padding: slow_conv2d(x, w, bias, stride, padding),
                                 lambda x, w: slow_conv2d(x, w).astype(np.float32)])
def test_right_functions_in_other_styles(own):
    explorer = ConvolutionExplorer("digit", conv2d=own)
    assert explorer.message == "" and "the same numbers as nnlib's" in explorer._caption_text
    explorer.zeros.value = 2
    assert explorer.message == "" and explorer.fault == "" and explorer.output.shape == (10, 10)


@pytest.mark.usefixtures("painted")
def test_a_function_without_a_stride_is_told():
    explorer = ConvolutionExplorer("digit", conv2d=lambda x, w: slow_conv2d(x, w))
    before = explorer.picture
    explorer.stride.value = 2
    assert "has no argument `stride`" in explorer.message and "empty output" in explorer.alt
    assert explorer.picture != before, "no output of another state stays beside the message"
    assert "No output" in explorer._caption_text and "nan" not in explorer.alt + explorer._caption_text
    explorer.stride.value = 1
    assert explorer.message == "" and "same numbers" in explorer._caption_text


@pytest.mark.parametrize("own, words", [
    (lambda x, w: slow_conv2d(x, w[:, :, ::-1, ::-1]), "flips the kernel"),
    (lambda x, w: slow_conv2d(x, w.transpose(0, 1, 3, 2)), "rows and columns of the kernel are exchanged"),
    (lambda x, w: slow_conv2d(x, w) / 9, "mean of the products"),
    (lambda x, w: slow_conv2d(x, w[:, :, ::-1]), "rows run the wrong way"),
    (lambda x, w: slow_conv2d(x, w[:, :, :, ::-1]), "columns run the wrong way"),
    (lambda x, w: np.maximum(slow_conv2d(x, w), 0), "cuts off what is negative"),
    (lambda x, w: np.abs(slow_conv2d(x, w)), "drops the sign"),
    (lambda x, w: -slow_conv2d(x, w), "the sign is wrong"),
    (lambda x, w: slow_conv2d(x, w) + 1, "it gives"),
    (lambda x, w: np.round(slow_conv2d(x, w), 1), "first at row"),
])
def test_wrong_numbers_are_told(own, words):
    explorer = ConvolutionExplorer("digit", kernel="learned", conv2d=own)
    assert words in explorer.fault and words in explorer._caption_text and words in explorer.alt


def test_a_slip_that_the_kernel_hides_is_found():
    explorer = ConvolutionExplorer("digit", kernel="blur", conv2d=lambda x, w: slow_conv2d(x, w[:, :, ::-1, ::-1]),
                                   goal=SizeGoal(6))
    assert explorer.fault.startswith("Right for this image and kernel, but not for others. Your conv2d: it flips")
    assert "○" in explorer._goal_text, "a wrong function reaches no goal"
    square = ConvolutionExplorer("digit", conv2d=lambda x, w: slow_conv2d(x.transpose(0, 1, 3, 2), w.transpose(
        0, 1, 3, 2)).transpose(0, 1, 3, 2)[:, :, :8 if x.shape[2] == 8 else 3])
    assert "expected an output of shape" in square.fault


@pytest.mark.parametrize("own, words", [
    (lambda x, w: None, "is there a return"), (lambda x, w: x, "smaller than the image"),
    (lambda x, w: slow_conv2d(x, w)[0, 0], "two axes are missing"), (lambda x, w: "text", "expected an output"),
    (lambda x, w: slow_conv2d(x, w) * np.nan, "finite"), (lambda x, w: x[0, 9], "raised IndexError"),
    (lambda x, w: slow_conv2d(x, w)[..., :-1, :-1], "is the + 1 of the formula missing"),
    (lambda x, w, stride, padding: slow_conv2d(x, w, None, 1, padding), "is the stride used"),
    (lambda x, w, stride, padding: slow_conv2d(x, w, None, stride), "is the padding used"),
    (lambda image, kernel, wrong: image, "missing 1 required"),
])
def test_wrong_shapes_and_exceptions_are_told(own, words):
    explorer = ConvolutionExplorer("digit", stride=2, padding=2, conv2d=own) if "stride" in words + str(
        own.__code__.co_varnames) else ConvolutionExplorer("digit", conv2d=own)
    assert words in explorer.message, explorer.message
    assert explorer.picture


def test_height_and_width_exchanged():
    explorer = ConvolutionExplorer(np.eye(9)[:6], conv2d=lambda x, w: slow_conv2d(x, w).transpose(0, 1, 3, 2))
    assert "height and width are exchanged" in explorer.message


def test_a_function_that_changes_its_arguments_spoils_nothing():
    def own(x, w):
        y = slow_conv2d(x, w)
        x[...], w[...] = 0, 0
        return y

    explorer = ConvolutionExplorer("digit", conv2d=own)
    assert explorer.fault == "" and explorer.scene.pixels.any() and explorer.kernel.any()


def test_after_a_message_the_same_state_is_asked_again():
    answers = [None]
    explorer = ConvolutionExplorer("digit", conv2d=lambda x, w: answers[0])
    assert explorer.message and explorer.scene_title.get_text() == "image 8 × 8", "the image is there"
    assert "8 × 8 pixels" in explorer.alt and "empty output" in explorer.alt
    explorer.player.reset()
    assert explorer.player.tick() and explorer.message
    answers[0] = correlate(explorer.scene.pixels, explorer.weights)[None, None]
    explorer.row.value = 1
    assert explorer.message == ""


def test_fault_of_right_numbers_is_none():
    image = np.random.default_rng(0).normal(size=(6, 7))
    assert conv_fault(correlate(image, LINE), image, LINE.astype(float), 1, 0) == ""
