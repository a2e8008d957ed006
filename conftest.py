"""Settings of every test session, of `pytest --nbval` too (tools/suite.py copies this file there)."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest
from nbval.kernel import RunningKernel

hypothesis.settings.register_profile("nnlib", deadline=None, derandomize=True)
hypothesis.settings.load_profile("nnlib")
FOLDER = pytest.StashKey[str]()


def pytest_configure(config):
    """A learner's progress is never read or written by a test: the session has a file of its own."""
    config.stash[FOLDER] = tempfile.mkdtemp(prefix="nnlib-tests-")
    os.environ["NNLIB_PROGRESS"] = str(Path(config.stash[FOLDER], "progress.json"))


def pytest_unconfigure(config):
    """Leave nothing behind."""
    shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


def execute_cell_input(self, cell_input, allow_stdin=None):
    """As in a notebook, with history: by it IPython knows that a final semicolon hides the value."""
    return self.kc.execute(cell_input, store_history=True, allow_stdin=bool(allow_stdin), stop_on_error=False)


RunningKernel.execute_cell_input = execute_cell_input  # nbval's own passes store_history=False


def pytest_collectstart(collector):
    """nbval compares text only: HTML holds pictures and widgets, stderr differs between systems."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html", "stderr")
