"""What tests of explorers share."""

import pytest

from nnlib.widgets.base import Explorer


@pytest.fixture
def unpainted(monkeypatch):
    """For tests of words and numbers: nothing is laid out or painted, which takes nine tenths of an explorer's time."""
    def keep_words(self, artists, alt):
        self._painted, self._shown = b"not painted", alt

    monkeypatch.setattr(Explorer, "lay_out", lambda self: None)
    monkeypatch.setattr(Explorer, "_paint", keep_words)
