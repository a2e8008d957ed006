"""Real data that comes with scikit-learn: no network is needed."""

import numpy as np

from nnlib.datasets.table import Dataset
from nnlib.errors import DataError

__all__ = ["load_breast_cancer", "load_digits"]


def _scikit_learn(loader):
    """Call a loader of scikit-learn, which carries its small tables inside the package: no network is needed."""
    try:
        import sklearn.datasets
    except ImportError:
        raise DataError(f"{loader} comes with scikit-learn, which is not installed; try `pip install scikit-learn`, or "
                        "`make lab`, which installs all") from None
    try:
        return getattr(sklearn.datasets, loader)()
    except FileNotFoundError as error:
        raise DataError(f"{loader}: scikit-learn is installed but its file {error.filename} is missing; "
                        "try `pip install --force-reinstall scikit-learn`") from None


def load_digits(classes=None):
    """Handwritten digits, 1,797 images of 8x8 pixels with gray values from 0 (paper) to 1 (ink).

    Args: classes: the digits to keep, e.g. (3, 8), renumbered 0, 1, ... in that order; all ten if None.
    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (1998), as bundled with scikit-learn.
    Raises ValueError for something that is not a digit, DataError when scikit-learn, or its file, is missing.
    """
    bunch = _scikit_learn("load_digits")
    classes = tuple(range(10) if classes is None else np.ravel(classes).tolist())
    if not classes or len(set(classes)) < len(classes) or any(repr(c) not in "0123456789" for c in classes):
        raise ValueError(f"load_digits: expected different digits from 0 to 9 but got classes={classes}")
    names = tuple(f"pixel {i // 8},{i % 8}" for i in range(64))
    rows = np.isin(bunch.target, classes)
    number = np.zeros(10, dtype=np.int64)
    number[list(classes)] = range(len(classes))
    return Dataset(bunch.data[rows] / 16.0, number[bunch.target[rows]], names, tuple(str(c) for c in classes), "digits")


def load_breast_cancer():
    """Measurements of cell nuclei in 569 biopsies, 30 features; class 1 is malignant, class 0 benign.

    Source: Street, Wolberg and Mangasarian (1993), as bundled with scikit-learn (where malignant is 0).
    Raises DataError when scikit-learn, or its file, is missing.
    """
    bunch = _scikit_learn("load_breast_cancer")
    return Dataset(bunch.data.astype(np.float64), 1 - bunch.target.astype(np.int64),
                   tuple(map(str, bunch.feature_names)), ("benign", "malignant"), "breast cancer")
