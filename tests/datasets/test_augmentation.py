"""Augmentation: small cases by hand, the laws of the draws, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import seeds, uniform

import nnlib
from nnlib import ShapeError
from nnlib.datasets import add_noise, affine, flip, rotate, rotation, shift, translate, warp

RANDOM = {"shift": lambda x, rng: shift(x, 2, rng), "flip": lambda x, rng: flip(x, rng),
          "rotate": lambda x, rng: rotate(x, 20, rng), "noise": lambda x, rng: add_noise(x, 0.3, rng),
          "affine": lambda x, rng: affine(x, 10, 0.1, 0.2, rng)}
IMAGE = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])[None, None]


@pytest.mark.parametrize("change", RANDOM.values(), ids=RANDOM)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 2, 6, 4), (0, 1, 3, 3), (3, 1, 1, 1), (2, 0, 3, 3)])
def test_shape_and_dtype_are_kept_inputs_unchanged_and_seeds_obeyed(change, dtype, shape):
    images = uniform(0, shape).astype(dtype)
    images.flags.writeable = False
    result = change(images, 3)
    assert result.shape == shape and result.dtype == dtype and np.isfinite(result).all()
    assert not np.shares_memory(result, images)
    np.testing.assert_array_equal(result, change(images, 3))
    np.testing.assert_array_equal(result, change(images, np.random.default_rng(3)))
    assert shape != (5, 2, 6, 4) or not np.array_equal(result, change(images, 4))
    swapped = np.ascontiguousarray(images.swapaxes(2, 3)).swapaxes(2, 3)  # not contiguous
    np.testing.assert_array_equal(change(swapped, 3), result)


@pytest.mark.parametrize("change", RANDOM.values(), ids=RANDOM)
def test_without_a_generator_the_librarys_own_draws(change):
    images = uniform(0, (4, 1, 5, 5))
    results = []
    for _ in range(2):
        nnlib.manual_seed(5)
        results.append(change(images, None))
    np.testing.assert_array_equal(*results)


def test_translations_by_hand():
    np.testing.assert_array_equal(translate(IMAGE, (1, 0))[0, 0], [[0, 0, 0], [1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(translate(IMAGE, (0, -1), fill=-5)[0, 0], [[2, 3, -5], [5, 6, -5], [8, 9, -5]])
    both = translate(np.concatenate([IMAGE, IMAGE]), np.array([[-1, 2], [0, 0]]))
    np.testing.assert_array_equal(both[0, 0], [[0, 0, 4], [0, 0, 7], [0, 0, 0]])
    np.testing.assert_array_equal(both[1], IMAGE[0])
    np.testing.assert_array_equal(translate(IMAGE, (10**12, 0), fill=2), np.full((1, 1, 3, 3), 2))


def test_a_shift_draws_every_offset_for_every_image():
    images = np.zeros((4000, 2, 7, 9))
    images[:, :, 3, 4] = 1
    moved = shift(images, 2, rng=0)
    np.testing.assert_array_equal(moved[:, 0], moved[:, 1])  # the channels of an image move together
    counts = moved[:, 0].sum(axis=0)
    assert (counts[1:6, 2:7] > 100).all() and counts[1:6, 2:7].sum() == 4000  # 25 places, 160 expected in each
    np.testing.assert_array_equal(shift(images[:3], 0, rng=0), images[:3])


def test_flips_mirror_left_and_right_in_a_share_of_the_images():
    np.testing.assert_array_equal(flip(IMAGE, p=1)[0, 0], [[3, 2, 1], [6, 5, 4], [9, 8, 7]])
    np.testing.assert_array_equal(flip(IMAGE, p=0), IMAGE)
    flipped = flip(np.repeat(IMAGE, 4000, axis=0), rng=0, p=0.3)[:, 0, 0, 0] == 3
    assert flipped.mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("shape", [(2, 3, 5, 5), (2, 1, 4, 4), (1, 2, 8, 8)])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_move_whole_pixels_counter_clockwise(shape, quarters):
    images = uniform(0, shape)
    turned = warp(images, rotation(quarters * np.pi / 2))
    np.testing.assert_allclose(turned, np.rot90(images, quarters, axes=(2, 3)), atol=1e-14)
    if quarters == 0:
        np.testing.assert_array_equal(turned, images)


def test_each_image_has_its_own_matrix_and_the_outside_is_filled():
    images = np.concatenate([IMAGE, IMAGE])
    turned = warp(images, rotation(np.array([0, np.pi])))
    np.testing.assert_allclose(turned[1, 0], [[9, 8, 7], [6, 5, 4], [3, 2, 1]], atol=1e-14)
    np.testing.assert_array_equal(turned[0], IMAGE[0])
    smaller = warp(IMAGE, 2 * np.eye(2), fill=-1)  # p sees 2 p: every second pixel, the middle stays
    np.testing.assert_array_equal(smaller[0, 0], [[-1, -1, -1], [-1, 5, -1], [-1, -1, -1]])
    larger = warp(IMAGE, np.eye(2) / 2)
    np.testing.assert_allclose(larger[0, 0], [[3, 3.5, 4], [4.5, 5, 5.5], [6, 6.5, 7]])
    half_out = warp(IMAGE, np.diag([1.5, 1]))  # half way between the border and the outside, 0
    np.testing.assert_allclose(half_out[0, 0], [[0.5, 1, 1.5], [4, 5, 6], [3.5, 4, 4.5]])
    slanted = warp(IMAGE, [[1, 0], [1, 1]])  # the top row looks one to the left, the bottom row one to the right
    np.testing.assert_array_equal(slanted[0, 0], [[0, 1, 2], [4, 5, 6], [8, 9, 0]])


@settings(max_examples=30)
@given(seed=seeds, a=st.floats(-2, 2), b=st.floats(-2, 2), c=st.floats(-2, 2), d=st.floats(-2, 2))
def test_interpolation_against_a_loop(seed, a, b, c, d):
    image, M = uniform(seed, (4, 5)), np.array([[a, b], [c, d]])
    result = warp(image[None, None], M, fill=0.5)[0, 0]
    for i, j in np.ndindex(4, 5):
        y, x = M @ (i - 1.5, j - 2.0) + (1.5, 2.0)
        top, left = int(np.floor(y)), int(np.floor(x))
        expected = sum((1 - abs(y - p)) * (1 - abs(x - q)) * (image[p, q] if 0 <= p < 4 and 0 <= q < 5 else 0.5)
                       for p in (top, top + 1) for q in (left, left + 1))
        assert result[i, j] == pytest.approx(expected, abs=1e-12)


def test_rotations_stay_within_their_range_and_turn_either_way():
    images = np.zeros((500, 1, 41, 41))
    images[:, :, 20, 35] = images[:, :, 20, 5] = 1  # a dot at either side, 15 from the center
    turned = rotate(images, 30, rng=0)[:, 0, :, 21:]
    weight = turned.sum(axis=(1, 2))
    rows, columns = np.indices((41, 20))
    angle = np.rad2deg(np.arctan2(-((rows - 20) * turned).sum(axis=(1, 2)) / weight,
                                  ((columns + 1) * turned).sum(axis=(1, 2)) / weight))
    assert -31 < angle.min() < -28 and 28 < angle.max() < 31 and abs(angle.mean()) < 2
    assert angle.std() == pytest.approx(30 / np.sqrt(3), rel=0.1)


def test_affine_changes_stay_within_their_ranges():
    images = np.zeros((300, 1, 41, 41))
    images[:, 0, 10:31, 10:31] = 1  # a square of 21
    stretched = affine(images, max_scale=0.2, rng=0)
    heights, widths = stretched[:, 0, :, 20].sum(axis=1), stretched[:, 0, 20].sum(axis=1)
    for sizes in (heights, widths):
        assert 21 / 1.2 - 0.5 < sizes.min() < 18.5 and 24.5 < sizes.max() < 21 * 1.2 + 0.5
    assert abs(np.corrcoef(heights, widths)[0, 1]) < 0.2  # each axis by its own draw
    slanted = affine(images, max_shear=0.5, rng=0)
    np.testing.assert_allclose(slanted[:, 0].sum(axis=2)[:, 12:29], 21, atol=1e-9)  # rows keep their length
    middle = (slanted[:, 0, 12] * np.arange(41)).sum(axis=1) / 21 - 20
    assert -4.1 < middle.min() < -3.5 and 3.5 < middle.max() < 4.1  # 8 rows above the center
    np.testing.assert_array_equal(affine(images[:2], rng=0), images[:2])


def test_noise_has_its_deviation_and_no_mean():
    images = uniform(0, (50, 1, 20, 20))
    noise = add_noise(images, 0.3, rng=0) - images
    assert abs(noise.mean()) < 0.01 and noise.std() == pytest.approx(0.3, rel=0.03)
    np.testing.assert_array_equal(add_noise(images, 0), images)


@pytest.mark.parametrize(("call", "error", "sentence"), [
    (lambda: shift(np.ones((4, 64)), 1), ShapeError, r"shift: .*\(n, channels, .*got shape \(4, 64\); try data.images"),
    (lambda: flip(np.ones((1, 1, 3, 3), np.uint8)), TypeError, "flip: .*floating-point .* got uint8; try .*255"),
    (lambda: add_noise([[1.0]], 1), TypeError, "add_noise: .*but got list"),
    (lambda: shift(IMAGE, -1), ValueError, "shift: expected max_shift of at least 0 but got -1"),
    (lambda: shift(IMAGE, 1.5), TypeError, "integer"),
    (lambda: rotate(IMAGE, -1), ValueError, "max_degrees of at least 0"),
    (lambda: affine(IMAGE, max_scale=np.inf), ValueError, "max_scale of at least 0 but got inf"),
    (lambda: affine(IMAGE, max_shear=-1), ValueError, "max_shear"),
    (lambda: add_noise(IMAGE, np.nan), ValueError, "deviation of at least 0 but got nan"),
    (lambda: flip(IMAGE, p=1.1), ValueError, "flip: expected p to be a probability in .* but got 1.1"),
    (lambda: translate(IMAGE, (0.5, 0)), TypeError, r"integers \(down, right\) but got float64"),
    (lambda: translate(IMAGE, (1, 2, 3)), ShapeError, r"shape \(2,\) or \(1, 2\) but got \(3,\)"),
    (lambda: warp(IMAGE, np.ones((2, 2, 2))), ShapeError, r"\(2, 2\) or \(1, 2, 2\) but got \(2, 2, 2\)"),
    (lambda: warp(IMAGE, np.full((2, 2), np.nan)), ShapeError, "finite"),
])
def test_what_cannot_be_augmented(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
