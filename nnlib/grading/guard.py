"""Run a learner's function once: within a time limit, quietly, and leaving NumPy as it was found."""

# ruff: noqa: NPY002  (the legacy random state is the one that learners' code may change)

import io
import linecache
import os
import random
import signal
import sysconfig
import threading
import time
import traceback
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnlib.grading.compare import plain

NOT_LEARNERS = (str(Path(__file__).parents[1]) + os.sep, sysconfig.get_path("stdlib"),
                sysconfig.get_path("purelib"), "<frozen", "<__array")
KEPT = 200  # characters of what a function printed


class TimeUp(BaseException):
    """The time limit has passed. Not an Exception, so that a learner's `except Exception` lets it through."""


@dataclass
class Outcome:
    """What one call gave: a value in plain form, or the exception's type name, message and line of code."""

    value: Any = None
    raised: str = ""
    message: str = ""
    line: str = ""
    inside: str = ""  # name of the function that raised
    warning: str = ""
    printed: str = ""


def run(function, *args, limit=10.0):
    """Call `function(*args)` and return its Outcome; never raises, not even KeyboardInterrupt.

    limit: seconds; kept where the platform has SIGALRM and in the main thread only.
    """
    out, printed = Outcome(), _Head()
    with _numpy_as_it_was(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                with time_limit(limit):
                    out.value = plain(function(*args))
            except BaseException as error:
                _describe(error, out)
    out.warning = next((str(w.message) for w in caught if issubclass(w.category, RuntimeWarning)), "")
    out.printed = printed.text
    return out


@contextmanager
def time_limit(seconds):
    """Raise TimeUp in the block after `seconds`; an alarm that was set before is set again afterwards."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise TimeUp

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 1e-3), interval)


@contextmanager
def _numpy_as_it_was():
    """Known random state and error handling inside the block; afterwards the learner's own again."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    np.random.seed(0)
    random.seed(0)
    try:
        with np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"), np.printoptions():
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


class _Head(io.TextIOBase):
    """A text stream that keeps its first characters only, whatever is printed."""

    text = ""

    def write(self, text):
        self.text += text[:max(KEPT - len(self.text), 0)]
        return len(text)


def _describe(error, out):
    out.raised = type(error).__name__
    try:
        out.message = " ".join(str(error).split())[:KEPT]
    except Exception:
        out.message = ""
    frames = [(frame, number) for frame, number in traceback.walk_tb(error.__traceback__)
              if not frame.f_code.co_filename.startswith(NOT_LEARNERS)]
    if frames:
        frame, number = frames[-1]
        text = linecache.getline(frame.f_code.co_filename, number).strip()
        out.inside, out.line = frame.f_code.co_name, f"line {number}" + (f": {text}" if text else "")
