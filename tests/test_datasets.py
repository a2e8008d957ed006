"""Data sets: what is promised of sizes, seeds and separability, and what a missing or damaged file says."""

import gzip
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from support import seeds, uniform

from nnlib import DataError
from nnlib.datasets import (
    Dataset,
    load_breast_cancer,
    load_digits,
    load_mnist,
    make_blobs,
    make_circles,
    make_moons,
    make_spirals,
    make_xor,
    standardize,
)

MAKERS = [make_blobs, make_circles, make_moons, make_spirals, make_xor]


def accuracy_of_a_line(data):
    return LogisticRegression(C=1e4, max_iter=2000).fit(data.X, data.t).score(data.X, data.t)


def accuracy_of_neighbors(data):
    train, test = data.split()
    return KNeighborsClassifier(3).fit(train.X, train.t).score(test.X, test.t)


# Sets in the plane

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
    with pytest.raises(ValueError, match=rf"{make.__name__}: expected n of at least 2.*got 1"):
        make(1)


# Bundled tables

def test_digits():
    data = load_digits()
    assert data.X.shape == (1797, 64) and data.images.shape == (1797, 1, 8, 8) and data.class_names[3] == "3"
    assert data.X.min() == 0 and data.X.max() == 1 and data.X.dtype == np.float64 and data.t.dtype == np.int64
    np.testing.assert_array_equal(data.images[5, 0, 2], data.X[5, 16:24])
    assert data.feature_names[17] == "pixel 2,1"


def test_some_digits_are_renumbered_in_the_order_given():
    everything, some = load_digits(), load_digits(classes=(8, 3))
    assert some.class_names == ("8", "3") and set(some.t) == {0, 1}
    np.testing.assert_array_equal(some.X[some.t == 0], everything.X[everything.t == 8])
    np.testing.assert_array_equal(some.X[some.t == 1], everything.X[everything.t == 3])


@pytest.mark.parametrize("classes", [(), (10,), (-1, 3), (3, 3), ("3",)])
def test_what_is_not_a_digit(classes):
    with pytest.raises(ValueError, match="different digits from 0 to 9"):
        load_digits(classes)


def test_breast_cancer_counts_malignant_as_one():
    data = load_breast_cancer()
    assert data.X.shape == (569, 30) and data.class_names == ("benign", "malignant")
    assert list(np.bincount(data.t)) == [357, 212]
    radius = data.X[:, data.feature_names.index("mean radius")]
    assert radius[data.t == 1].mean() > radius[data.t == 0].mean()
    with pytest.raises(DataError, match="30 features are not the pixels of a square"):
        _ = data.images


def test_without_scikit_learn_the_sentence_says_what_to_install():
    code = ("import sys; sys.modules['sklearn'] = None\nfrom nnlib import DataError, datasets\n"
            "try: datasets.load_digits()\nexcept DataError as error: print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "not installed" in done.stdout and "pip install scikit-learn" in done.stdout


# Splitting and scaling

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


# MNIST

def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I",
                                                      *array.shape) + array.astype(np.uint8).tobytes()


IMAGES, LABELS = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 256, np.array([7, 0, 9])
NAMES = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@pytest.fixture
def folder(tmp_path):
    for name, array in zip(NAMES, (IMAGES, LABELS), strict=True):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


@pytest.mark.parametrize("zipped", [True, False])
def test_mnist(folder, zipped):
    if not zipped:
        for name in NAMES:
            (folder / name).write_bytes(gzip.decompress((folder / f"{name}.gz").read_bytes()))
            (folder / f"{name}.gz").unlink()
    data = load_mnist(str(folder))
    assert data.X.shape == (3, 784) and data.images.shape == (3, 1, 28, 28) and data.t.dtype == np.int64
    np.testing.assert_array_equal(data.t, LABELS)
    np.testing.assert_array_equal(data.images[:, 0] * 255, IMAGES)
    data.X[0, 0], data.t[0] = 0.5, 1  # the arrays may be written to


def test_mnist_is_optional(tmp_path):
    with pytest.raises(DataError, match="optional .* train-images-idx3-ubyte.gz is not in .*go on without"):
        load_mnist(tmp_path, part="train")


def corrupt(raw):
    middle = len(raw) // 2
    return raw[:middle] + bytes(255 - b for b in raw[middle:middle + 40]) + raw[middle + 40:]


@pytest.mark.parametrize("damage", [
    lambda raw: b"", lambda raw: raw[:2], lambda raw: raw[:len(raw) // 2], corrupt,
    lambda raw: b"<html>not found</html>",
    lambda raw: gzip.compress(b""), lambda raw: gzip.compress(idx(IMAGES)[:7]),
    lambda raw: gzip.compress(idx(IMAGES)[:-1]),
    lambda raw: gzip.compress(idx(IMAGES) + b"more"), lambda raw: gzip.compress(idx(LABELS)),
    lambda raw: gzip.compress(bytes([0, 0, 13, 3]) + idx(IMAGES)[4:]),
    lambda raw: gzip.compress(bytes([0, 0, 8, 3]) + b"\xff" * 12),
], ids=["empty", "two bytes", "cut", "flipped bits", "a web page", "nothing zipped", "half a header",
        "a byte short",
        "too long", "labels as images", "floats", "absurd sizes"])
def test_damaged_files(folder, damage):
    path = folder / f"{NAMES[0]}.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="images-idx3-ubyte.gz is damaged or not an MNIST file .*again"):
        load_mnist(folder)


def test_images_and_labels_of_different_parts(folder):
    (folder / f"{NAMES[1]}.gz").write_bytes(gzip.compress(idx(LABELS[:2])))
    with pytest.raises(DataError, match="3 images but 2 labels"):
        load_mnist(folder)


def test_a_file_without_images(folder):
    for name, array in zip(NAMES, (IMAGES[:0], LABELS[:0]), strict=True):
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    assert load_mnist(folder).X.shape == (0, 784)
