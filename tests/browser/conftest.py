"""One JupyterLab for all browser tests, on copies of the course's notebooks."""

import os
from pathlib import Path

import pytest

from browser import Lab, chromium

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def pytest_collection_modifyitems(items):
    """Without a browser these tests are skipped; in CI a missing browser is a failure.

    All tests of a notebook come one after the other, so that it is opened and run once.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not chromium() and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="no Chromium or Chrome found, nor in NNLIB_CHROMIUM"))
    items.sort(key=_notebook)


def _notebook(item):
    """The notebook that a test opens; "" where it opens none."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return parameters.get("notebook", "") if item.get_closest_marker("browser") else ""


@pytest.fixture(scope="session")
def lab():
    """A running JupyterLab with a browser."""
    with Lab(NOTEBOOKS) as running:
        yield running


@pytest.fixture(scope="session")
def notebook(request, lab):
    """The notebook that a test names, run from top to bottom once for all tests that name it."""
    with lab.open(f"{request.param}.ipynb") as opened:
        opened.run_all()
        yield opened
