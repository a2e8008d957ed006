"""Sets in the plane: what is promised of sizes, seeds, geometry and separability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from nnlib.datasets import make_blobs, make_circles, make_moons, make_spirals, make_xor

MAKERS = [make_blobs, make_circles, make_moons, make_spirals, make_xor]


def accuracy_of_a_line(data):
    return LogisticRegression(C=1e4, max_iter=2000).fit(data.X, data.t).score(data.X, data.t)


def accuracy_of_neighbors(data):
    train, test = data.split()
    return KNeighborsClassifier(3).fit(train.X, train.t).score(test.X, test.t)


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=15)
@given(n=st.integers(2, 60), seed=st.integers(0, 99))
def test_size_types_and_seed(make, n, seed):
    data, again = make(n, seed=seed), make(n, seed=seed)
    assert len(data) == n and data.X.shape == (n, 2) and data.t.shape == (n,)
    assert data.X.dtype == np.float64 and data.t.dtype == np.int64 and np.isfinite(data.X).all()
    assert set(data.t) == {0, 1} and abs(np.sum(data.t == 0) - np.sum(data.t == 1)) <= 2
    assert len(data.feature_names) == 2 and len(data.class_names) == 2 and data.name in repr(data)
    np.testing.assert_array_equal(data.X, again.X)
    np.testing.assert_array_equal(data.t, again.t)
    assert not np.array_equal(data.X, make(n, seed=seed + 1).X)


@pytest.mark.parametrize("make", MAKERS)
def test_the_global_generator_is_left_alone(make):
    np.random.seed(0)  # noqa: NPY002  (it is the thing tested)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("make", [make_circles, make_moons, make_spirals, make_xor])
def test_a_line_does_not_separate_what_a_curve_does(make):
    data = make()
    assert accuracy_of_a_line(data) < 0.95 and accuracy_of_neighbors(data) > 0.95


def test_blobs_overlap_or_not_as_wished():
    assert 0.85 < accuracy_of_a_line(make_blobs(1000)) < 0.96
    assert accuracy_of_a_line(make_blobs(1000, spread=0.2)) == 1
    assert accuracy_of_a_line(make_blobs(1000, spread=5.0)) < 0.7
    data = make_blobs(9001, centers=[(0, 0), (5, 0), (0, 5)], spread=0.5)
    assert data.class_names == ("class 0", "class 1", "class 2") and set(np.bincount(data.t)) <= {3000, 3001}
    for k, center in enumerate([(0, 0), (5, 0), (0, 5)]):
        np.testing.assert_allclose(data.X[data.t == k].mean(axis=0), center, atol=0.05)
        np.testing.assert_allclose(data.X[data.t == k].std(axis=0), 0.5, rtol=0.05)


def test_geometry_without_noise():
    data = make_circles(noise=0, factor=0.3)
    np.testing.assert_allclose(np.hypot(*data.X.T), np.where(data.t == 0, 1, 0.3))
    data = make_moons(noise=0)
    centers = np.where(data.t[:, None] == 0, (0, 0), (1, 0.5))
    np.testing.assert_allclose(np.hypot(*(data.X - centers).T), 1)
    data = make_xor(noise=0)
    np.testing.assert_array_equal(data.t, data.X[:, 0] * data.X[:, 1] < 0)
    assert set(np.bincount(data.t)) == {100} and set(np.abs(data.X).ravel()) == {1}
    radius = np.hypot(*make_spirals(noise=0).X.T)
    assert radius.min() == pytest.approx(0.1) and radius.max() == pytest.approx(1)


@pytest.mark.parametrize("make", MAKERS)
def test_noise_has_the_size_it_says(make):
    option = "spread" if make is make_blobs else "noise"
    clean, noisy = make(4000, **{option: 0.0}), make(4000, **{option: 0.25})
    assert (noisy.X - clean.X).std() == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("make", [make_circles, make_moons, make_spirals])
def test_too_few_examples(make):
    with pytest.raises(ValueError, match=rf"{make.__name__}: expected n to be at least 2 but got 1"):
        make(1)
