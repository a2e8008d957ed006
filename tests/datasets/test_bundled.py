"""Tables that come with scikit-learn: their content, and what is said where they are missing."""

import subprocess
import sys

import numpy as np
import pytest

from nnlib import DataError, ShapeError
from nnlib.datasets import load_breast_cancer, load_digits


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
    with pytest.raises(ShapeError, match="30 features are not the pixels of a square .*expected 64, 784"):
        _ = data.images


def test_without_scikit_learn_the_sentence_says_what_to_install():
    code = ("import sys; sys.modules['sklearn'] = None\nfrom nnlib import DataError, datasets\n"
            "try: datasets.load_digits()\nexcept DataError as error: print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert "not installed" in done.stdout and "pip install scikit-learn" in done.stdout


def test_a_table_that_is_missing_from_scikit_learn(monkeypatch):
    import sklearn.datasets

    def without_its_file():
        raise FileNotFoundError(2, "No such file", "digits.csv.gz")

    monkeypatch.setattr(sklearn.datasets, "load_digits", without_its_file)
    with pytest.raises(DataError, match="its file digits.csv.gz is missing; try `pip install --force-reinstall"):
        load_digits()
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(DataError, match="not installed; try `pip install scikit-learn`"):
        load_digits()
