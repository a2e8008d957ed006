"""Every test gets a progress file of its own; `sample` and `methods` add a set to the course."""

import importlib
import sys
from pathlib import Path

import pytest

from nnlib.grading import checks

SETS = Path(__file__).parent / "sets"


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    path = tmp_path / "kept" / "progress.json"
    monkeypatch.setenv("NNLIB_PROGRESS", str(path))
    return path


def added(monkeypatch, number):
    """Yields the module of a set in SETS, known to this process and to the grader's workers."""
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(SETS)])
    monkeypatch.setenv("NNLIB_CHECKS", str(SETS))
    yield importlib.import_module(f"nnlib.grading.checks.{number}")
    sys.modules.pop(f"nnlib.grading.checks.{number}", None)


@pytest.fixture
def sample(monkeypatch):
    """A set with every kind of question, ex90_sample."""
    yield from added(monkeypatch, "ex90")


@pytest.fixture
def methods(monkeypatch):
    """A set whose questions are methods of one class, ex93_methods."""
    yield from added(monkeypatch, "ex93")
