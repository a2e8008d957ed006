"""Dividing, shifting and scaling examples, with statistics of the training set alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support import seeds, uniform

from nnlib import ShapeError
from nnlib.datasets import Dataset, Normalizer, load_digits, make_blobs, make_xor, standardize


@settings(max_examples=40)
@given(n=st.integers(8, 80), test=st.floats(0.2, 0.8), seed=st.integers(0, 99))
def test_a_split_is_a_stratified_shuffled_partition(n, test, seed):
    rng = np.random.default_rng(n)
    data = Dataset(np.arange(n)[:, None] * 1.0, rng.integers(3, size=n), ("i",), ("a", "b", "c"), "numbers")
    train, held_out = data.split(test=test, seed=seed)
    assert sorted([*train.X[:, 0], *held_out.X[:, 0]]) == list(range(n))
    for part in (train, held_out):
        np.testing.assert_array_equal(part.t, data.t[part.X[:, 0].astype(int)])  # a row keeps its target
    for k in range(3):
        assert abs(np.sum(held_out.t == k) - test * np.sum(data.t == k)) <= 0.5
    again = data.split(test=test, seed=seed)
    np.testing.assert_array_equal(train.X, again[0].X)
    np.testing.assert_array_equal(held_out.X, again[1].X)


def test_a_split_mixes_the_classes_and_depends_on_its_seed():
    data = make_blobs(200)
    train, test = data.split()
    assert len(train) == 150 and len(test) == 50 and np.sum(np.diff(train.t) != 0) > 20
    assert not np.array_equal(train.X, data.split(seed=1)[0].X)


@pytest.mark.parametrize("test", [0, 1, -0.1, 1.5, np.nan])
def test_fractions_that_are_none(test):
    with pytest.raises(ValueError, match="fraction between 0 and 1 but got"):
        make_blobs().split(test=test)


def test_too_few_examples_to_split():
    with pytest.raises(ValueError, match="2 examples cannot be divided"):
        make_blobs(2).split(test=0.25)


def test_a_part_can_be_taken():
    data = make_xor(8)
    assert len(data.take(slice(3))) == 3 and len(data.take([1, 1])) == 2 and set(data.take(data.t == 1).t) == {1}


@settings(max_examples=50)
@given(shape=hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6), scale=st.floats(1e-3, 1e3), seed=seeds)
def test_standardize_with_the_statistics_of_the_training_set_alone(shape, scale, seed):
    train, other = scale * uniform(seed, shape), scale * uniform(seed + 1, (3, shape[1])) + 7
    scaled, scaled_other = standardize(train, other)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(scaled_other, (other - train.mean(axis=0)) / train.std(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(standardize(train, 100 * other)[0], scaled)
    assert len(standardize(train)) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("constant", [0.0, 0.1, 1 / 3, -1e8 / 3, 1e-300])
@pytest.mark.parametrize("n", [1, 7, 100, 569])
def test_a_constant_feature_becomes_zero(constant, n):
    scaled, other = standardize(np.full((n, 1), constant), np.full((2, 1), constant))
    np.testing.assert_allclose(scaled, 0, atol=1e-7)
    np.testing.assert_allclose(other, 0, atol=1e-7)


# Folds

@settings(max_examples=40)
@given(n=st.integers(6, 60), k=st.integers(2, 6), seed=st.integers(0, 99))
def test_every_example_is_validated_once(n, k, seed):
    t = np.random.default_rng(n).integers(3, size=n)
    data = Dataset(np.arange(n)[:, None] * 1.0, t, ("i",), ("a", "b", "c"), "numbers")
    pairs = list(data.folds(k, seed))
    assert len(pairs) == k
    assert sorted(np.concatenate([validation.X[:, 0] for _, validation in pairs])) == list(range(n))
    sizes = [len(validation) for _, validation in pairs]
    assert max(sizes) - min(sizes) <= 1
    for train, validation in pairs:
        assert sorted([*train.X[:, 0], *validation.X[:, 0]]) == list(range(n))
        np.testing.assert_array_equal(train.t, data.t[train.X[:, 0].astype(int)])
        np.testing.assert_array_equal(validation.t, data.t[validation.X[:, 0].astype(int)])
        for c in range(3):
            assert abs(np.sum(validation.t == c) - np.sum(data.t == c) / k) <= 1  # each class in proportion
    for (train, validation), (again, held_out) in zip(pairs, data.folds(k, seed), strict=True):
        np.testing.assert_array_equal(train.X, again.X)
        np.testing.assert_array_equal(validation.X, held_out.X)


def test_folds_are_shuffled_by_their_seed():
    data = make_blobs(60)
    (train, validation), *_ = data.folds(3)
    assert np.sum(np.diff(train.t) != 0) > 10 and np.sum(np.diff(validation.t) != 0) > 4
    assert not np.array_equal(validation.X, next(data.folds(3, seed=1))[1].X)
    assert len(list(data.folds())) == 5


@pytest.mark.parametrize("k", [0, 1, 61, -3])
def test_numbers_of_folds_that_are_none(k):
    with pytest.raises(ValueError, match=f"folds: expected k from 2 to 60, the number of examples, but got {k}"):
        make_blobs(60).folds(k)


# Normalizer

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_normalizer_per_feature(dtype):
    train, other = 3 * uniform(0, (50, 4)).astype(dtype) + 5, uniform(1, (7, 4)).astype(dtype)
    normalize = Normalizer(train)
    np.testing.assert_allclose(normalize.mean, train.astype(np.float64).mean(axis=0, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(normalize.deviation, train.astype(np.float64).std(axis=0, keepdims=True), rtol=1e-14)
    result = normalize(other)
    assert result.dtype == dtype and normalize.inverse(result).dtype == dtype
    expected = (other - train.mean(axis=0, dtype=np.float64)) / train.std(axis=0, dtype=np.float64)
    np.testing.assert_allclose(result, expected, rtol=1e-5 if dtype == np.float32 else 1e-12)
    np.testing.assert_allclose(normalize.inverse(result), other, rtol=1e-4, atol=1e-6)


def test_a_normalizer_per_channel_works_at_any_size_of_image():
    train, other = uniform(0, (6, 3, 5, 4)), uniform(1, (2, 3, 8, 8))
    normalize = Normalizer(train, per="channel")
    assert normalize.mean.shape == normalize.deviation.shape == (1, 3, 1, 1)
    for channel in range(3):
        scaled = normalize(train)[:, channel]
        assert abs(scaled.mean()) < 1e-14 and scaled.std() == pytest.approx(1, abs=1e-14)
        expected = (other[:, channel] - train[:, channel].mean()) / train[:, channel].std()
        np.testing.assert_allclose(normalize(other)[:, channel], expected, rtol=1e-12)
    np.testing.assert_allclose(normalize.inverse(normalize(other)), other, rtol=1e-12)


def test_subtraction_of_the_mean_image():
    images = load_digits().images
    subtract = Normalizer(images, scale=False)
    assert subtract.mean.shape == (1, 1, 8, 8)
    np.testing.assert_allclose(subtract(images[:5]), images[:5] - images.mean(axis=0), atol=1e-15)


def test_statistics_of_many_rows_are_those_of_the_whole():
    train = np.random.default_rng(0).normal(7, 3, (10_000, 3)).astype(np.float32)
    normalize = Normalizer(train)
    np.testing.assert_allclose(normalize.mean[0], train.mean(axis=0, dtype=np.float64), rtol=1e-14)
    np.testing.assert_allclose(normalize.deviation[0], train.std(axis=0, dtype=np.float64), rtol=1e-13)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_pixels_that_are_always_the_same_become_zero(dtype):
    train = np.array([[3, 1], [3, 5]], dtype)
    np.testing.assert_array_equal(Normalizer(train)(train), [[0, -1], [0, 1]])
    assert Normalizer(train)(train).dtype == (np.float64 if dtype == np.uint8 else dtype)


@pytest.mark.parametrize(("shape", "options", "error", "sentence"), [
    ((0, 4), {}, ShapeError, r"at least one example, per feature, but got shape \(0, 4\); are there any rows"),
    ((), {}, ShapeError, "at least one example"),
    ((4, 64), {"per": "channel"}, ShapeError, r"per channel, but got shape \(4, 64\); try data.images"),
    ((4, 64), {"per": "image"}, ValueError, "per='feature' or per='channel' but got 'image'"),
])
def test_what_cannot_be_fitted(shape, options, error, sentence):
    with pytest.raises(error, match=sentence):
        Normalizer(np.ones(shape), **options)


@pytest.mark.parametrize(("fitted", "per", "other"), [
    ((5, 4), "feature", (5, 3)), ((5, 1), "feature", (5, 3)), ((5, 1, 2, 2), "feature", (5, 4)),
    ((5, 3, 2, 2), "channel", (5, 1, 2, 2)), ((5, 3, 2, 2), "channel", (5, 3)),
])
def test_examples_of_other_features(fitted, per, other):
    normalize = Normalizer(uniform(0, fitted), per=per)
    for method in (normalize, normalize.inverse):
        with pytest.raises(ShapeError, match=f"as many {per}s as the training set, .* but got shape"):
            method(np.ones(other))
