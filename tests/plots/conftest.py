"""Every figure that a test of this folder makes is looked at after the test, by the rules of tests/legible.py."""

import pytest
from legible import faults
from matplotlib.figure import Figure


@pytest.fixture(autouse=True)
def legible_figures(monkeypatch):
    """Fail where a figure has text that cannot be read, pale lines, or lines that color alone tells apart."""
    made, begin = [], Figure.__init__

    def remembered(self, *arguments, **options):
        begin(self, *arguments, **options)
        made.append(self)

    monkeypatch.setattr(Figure, "__init__", remembered)
    yield
    monkeypatch.undo()
    assert [fault for figure in made for fault in faults(figure)] == []
