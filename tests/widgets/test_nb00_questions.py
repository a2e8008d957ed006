"""The questions of notebook 00 are true where they speak of numbers."""

import numpy as np

from nnlib import datasets
from nnlib.widgets.question_bank.nb00 import QUESTIONS


def test_a_shift_by_one_pixel_changes_about_forty_numbers():
    images = datasets.load_digits().images[:, 0]
    shifted = np.pad(images, ((0, 0), (0, 0), (1, 0)))[:, :, :8]
    assert 37 < (images != shifted).sum(axis=(1, 2)).mean() < 43
    assert "about forty of its 64" in QUESTIONS["one pixel to the right"].options["Both lose a few percent"]


def test_connections_of_a_brain():
    right = QUESTIONS["connections"]
    assert right.answer == "some fifty million, or more" and 4.5e7 < 1e11 * 1e3 / 2_103_156 < 5e7


def test_sixteen_functions():
    corners = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    weights = np.stack(np.meshgrid(*[np.arange(-3, 4) + 0.1] * 3), axis=-1).reshape(-1, 3)
    assert len(np.unique(weights @ corners.T > 0, axis=0)) == QUESTIONS["sixteen functions"].answer == 14
