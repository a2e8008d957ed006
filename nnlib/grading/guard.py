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

from numpy import errstate, printoptions
from numpy.random import get_state, seed, set_state

from nnlib.grading.compare import plain
from nnlib.grading.wire import WireError

NOT_LEARNERS = (str(Path(__file__).parents[1]) + os.sep, sysconfig.get_path("stdlib"),
                sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), "<frozen", "<__array")
ENDED = "the process ended"  # in Outcome.raised, where no exception's name can be; the message says how
TOO_LARGE = "is too large to be compared"
KEPT = 200  # characters of what a function printed
clock = time.monotonic  # these as they were before any learner's cell, which may replace them in their modules
set_signal, set_timer = signal.signal, getattr(signal, "setitimer", None)
get_python_state, set_python_state, seed_python = random.getstate, random.setstate, random.seed
catch_warnings, simplefilter, walk = warnings.catch_warnings, warnings.simplefilter, traceback.walk_tb
this_thread, main_thread, line_of = threading.current_thread, threading.main_thread, linecache.getline


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
    changed: bool = False  # the answer changed an argument


def run(function, *args, limit=10.0):
    """Call `function(*args)` and return its Outcome; never raises, not even KeyboardInterrupt.

    limit: seconds; kept where the platform has SIGALRM and in the main thread only.
    """
    out, printed = Outcome(), _Head()
    with _numpy_as_it_was(), catch_warnings(record=True) as caught:
        simplefilter("always")
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                with time_limit(limit):
                    out.value = plain(function(*args))
            except WireError as error:
                out.raised, out.message = ENDED, f"your answer {error}"
            except BaseException as error:
                _describe(error, out)
            out.warning = next((_text(w.message) for w in caught if issubclass(w.category, RuntimeWarning)), "")
    out.printed = printed.text
    return out


def is_learners(file):
    """True for the name of a file, or of a notebook's cell, whose code a learner wrote."""
    private = os.environ.get("NNLIB_CHECKS", "").split(os.pathsep)
    return not file.startswith((*NOT_LEARNERS, *(os.path.abspath(folder) + os.sep for folder in private if folder)))


@contextmanager
def time_limit(seconds):
    """Raise TimeUp in the block after `seconds`; an alarm that was set before is set again afterwards."""
    if set_timer is None or this_thread() is not main_thread():
        yield
        return

    def stop(number, frame):
        raise TimeUp

    started = clock()
    handler = set_signal(signal.SIGALRM, stop)
    left, interval = set_timer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        set_timer(signal.ITIMER_REAL, 0)
        set_signal(signal.SIGALRM, handler)
        if left:
            set_timer(signal.ITIMER_REAL, max(left - (clock() - started), 1e-3), interval)


@contextmanager
def _numpy_as_it_was():
    """Known random state and error handling inside the block; afterwards the learner's own again."""
    numpy_state, python_state = get_state(), get_python_state()
    seed(0)
    seed_python(0)
    try:
        with errstate(divide="warn", over="warn", invalid="warn", under="ignore"), printoptions():
            yield
    finally:
        set_state(numpy_state)
        set_python_state(python_state)


class _Head(io.TextIOBase):
    """A text stream that keeps its first characters only, whatever is printed."""

    text = ""

    def write(self, text):
        self.text += text[:max(KEPT - len(self.text), 0)]
        return len(text)


def _text(message):
    """A message in one line; its class may be a learner's, and its __str__ may raise anything or never end."""
    try:
        with time_limit(1.0):
            return " ".join(str(message).split())[:KEPT]
    except BaseException:
        return ""


def _looks(frame):
    """True for a frame of ours that looks at an answer, which the learner's code has already given."""
    return frame.f_code.co_filename == plain.__code__.co_filename


def _describe(error, out):
    frames = list(walk(error.__traceback__))
    if issubclass(type(error), (MemoryError, RecursionError)) and frames and _looks(frames[-1][0]):
        out.raised, out.message = ENDED, f"your answer {TOO_LARGE}"
        return
    out.raised, out.message = type(error).__name__, _text(error)
    frames = [(frame, number) for frame, number in frames if is_learners(frame.f_code.co_filename)]
    if frames:
        frame, number = frames[-1]
        text = line_of(frame.f_code.co_filename, number).strip()[:KEPT]
        out.inside, out.line = frame.f_code.co_name, f"line {number}" + (f": {text}" if text else "")
