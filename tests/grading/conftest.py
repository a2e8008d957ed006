"""Every test gets a progress file of its own; `sample` and `methods` add a set to the course."""

import importlib
import signal
import sys
from pathlib import Path

import pytest

from nnlib.grading import checks, grader

SETS = Path(__file__).parent / "sets"


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    path = tmp_path / "kept" / "progress.json"
    monkeypatch.setenv("NNLIB_PROGRESS", str(path))
    return path


@pytest.fixture
def impatient(monkeypatch):
    """grade(..., timeout=90) gives a cell 1 s and a call 0.5 s, and all together the time that a busy machine needs."""
    monkeypatch.setattr(grader, "ONE_CELL", 1 / 90)
    monkeypatch.setattr(grader, "ONE_CALL", 1 / 180)


@pytest.fixture
def limits_in_cpu_time(monkeypatch):
    """Limits of calls in this process count its CPU seconds: what other programs take is no answer's fault."""
    if hasattr(signal, "ITIMER_PROF"):
        monkeypatch.setattr(signal, "ITIMER_REAL", signal.ITIMER_PROF)
        monkeypatch.setattr(signal, "SIGALRM", signal.SIGPROF)


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
