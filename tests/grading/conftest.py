"""Every test gets a progress file of its own; `sample` adds the set ex90_sample to the course."""

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


@pytest.fixture
def sample(monkeypatch):
    """The module of the sample set, known to this process and to the grader's workers."""
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(SETS)])
    monkeypatch.setenv("NNLIB_CHECKS", str(SETS))
    yield importlib.import_module("nnlib.grading.checks.ex90")
    sys.modules.pop("nnlib.grading.checks.ex90", None)
