"""The questions of notebook 12: their answers are what the layers, the images and the formulas give."""

import numpy as np
import pytest

from nnlib import Conv1d, Conv2d, Tensor, architecture, conv2d, datasets, max_pool2d
from nnlib.widgets import Number
from nnlib.widgets.question_bank.nb12 import QUESTIONS


def parameters(layer):
    return sum(p.size for p in layer.parameters())


def seen_by_gradient():
    """How many pixels in a row count for one output of conv3, conv3, mean pooling."""
    x = Tensor(np.ones((1, 1, 12, 12)), requires_grad=True)
    ones = np.ones((1, 1, 3, 3))
    conv2d(conv2d(conv2d(x, ones), ones), np.ones((1, 1, 2, 2)), stride=2)[0, 0, 1, 1].backward()
    return np.count_nonzero(x.grad[0, 0].any(axis=0))


ANSWERS = {
    "a million units": 1_000_000 * 10 * 10 / 1e6,
    "what the slide counts": parameters(Conv1d(1, 1, 3)),
    "sixteen and a half": architecture.output_size(32, 5, 2, 2),
    "sixteen filters": parameters(Conv2d(3, 16, 3)),
    "what one unit sees": seen_by_gradient(),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_are_what_the_layers_give(name):
    assert QUESTIONS[name].judge(ANSWERS[name])[0]


def test_a_linear_map_of_differences_is_one_of_pixels():
    images = datasets.load_digits().images[:, 0]
    x = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    differences = np.stack([x[:, 1:-1, 2:] - x[:, 1:-1, :-2], x[:, 2:, 1:-1] - x[:, :-2, 1:-1]], axis=1)
    scores = differences.reshape(len(images), -1) @ np.random.default_rng(0).normal(size=128)
    from_pixels = np.linalg.lstsq(images.reshape(len(images), -1), scores, rcond=None)[0]
    assert np.allclose(images.reshape(len(images), -1) @ from_pixels, scores)
    assert QUESTIONS["edges in place of pixels"].answer == "about the same"


def test_a_bright_pixel_leaves_the_kernel_turned_round():
    image, kernel = np.zeros((1, 1, 5, 5)), np.arange(1.0, 10).reshape(1, 1, 3, 3)
    image[0, 0, 2, 2] = 1
    assert np.array_equal(conv2d(image, kernel)[0, 0], np.rot90(kernel[0, 0], 2))
    assert QUESTIONS["one bright pixel"].answer == "the kernel, turned by half a turn"


def test_what_stays_when_the_image_moves_is_a_largest_number_inside_its_window():
    rows = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    pooled = [[max_pool2d(np.roll(row, s)[None, None, None].repeat(2, axis=2), 2) for s in (0, 1)] for row in rows]
    assert np.array_equal(*pooled[0]) and not np.array_equal(*pooled[1])
    assert QUESTIONS["one pixel to the right"].answer == \
        "those whose largest number stays inside, if none larger comes in"


def test_every_number_is_tested():
    assert set(ANSWERS) == {name for name, question in QUESTIONS.items() if isinstance(question, Number)}
