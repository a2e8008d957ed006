"""What tests of explorers share."""

import ipywidgets
import pytest

from nnlib.widgets.base import Explorer


@pytest.fixture
def painted():
    """For tests of pictures: explorers are laid out and painted as a learner sees them."""


@pytest.fixture(autouse=True)
def unpainted(request, monkeypatch):
    """For all other tests: nothing is laid out or painted, which takes nine tenths of an explorer's time."""
    if "painted" not in request.fixturenames:
        monkeypatch.setattr(Explorer, "lay_out", lambda self: None)
        monkeypatch.setattr(Explorer, "_png", lambda self, artists: b"not painted")


@pytest.fixture(autouse=True)
def closed():
    """ipywidgets keeps every widget until it is closed: so that explorers do not pile up, all are after each test."""
    yield
    ipywidgets.Widget.close_all()
