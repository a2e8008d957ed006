"""One JupyterLab for all browser tests, on copies of the course's notebooks."""

import os
from pathlib import Path

import pytest

from browser import Lab, chromium

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def pytest_collection_modifyitems(items):
    """Without a browser these tests are skipped; in CI a missing browser is a failure."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not chromium() and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="no Chromium or Chrome found, nor in NNLIB_CHROMIUM"))


@pytest.fixture(scope="session")
def lab():
    """A running JupyterLab with a browser."""
    with Lab(NOTEBOOKS) as running:
        yield running


def opened(lab, name):
    """A notebook that has been run from top to bottom."""
    with lab.open(name) as notebook:
        notebook.run_all()
        yield notebook


@pytest.fixture(scope="session")
def notebook_01(lab):
    """Notebook 01, run."""
    yield from opened(lab, "01_logistic_regression.ipynb")


@pytest.fixture(scope="session")
def notebook_03(lab):
    """Notebook 03, run."""
    yield from opened(lab, "03_gradient_descent.ipynb")
