"""The learner's best points, in a small JSON file whose place the environment variable NNLIB_PROGRESS sets.

The file holds {"ex01_logistic_regression": {"sigmoid": 2, ...}, ...}. One that cannot be read as this is set
aside as *.corrupt; a place that cannot be written costs the memory of the points, nothing else. Points never fall, and
of two notebooks that write at once, both are kept.
"""

import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

from nnlib.grading import checks

LARGEST = 1 << 20  # bytes of the file: every question of the course takes less than one percent of it
PATIENCE = 2.0  # seconds to wait for another writer: who needs longer has died


def path():
    """Where the points are kept: $NNLIB_PROGRESS, else .nnlib/progress.json in the home folder."""
    try:
        return Path(os.environ.get("NNLIB_PROGRESS") or "~/.nnlib/progress.json").expanduser()
    except RuntimeError:  # a user without a home folder
        return Path(os.devnull)


def load():
    """The best points so far: {set: {question: points}}; empty where there is no readable file."""
    try:
        if not path().is_file():  # nothing yet, or a device: NNLIB_PROGRESS=/dev/null
            return {}
        with path().open("rb") as file:
            content = file.read(LARGEST + 1)
        stored = json.loads(content.decode("utf-8-sig")) if len(content) <= LARGEST else None
        sound = all(isinstance(points, (int, float)) and 0 <= points < 1e6
                    for questions in stored.values() for points in questions.values())
    except OSError:
        return {}
    except (ValueError, AttributeError, RecursionError):
        sound = False
    if sound:
        return stored
    with contextlib.suppress(OSError):
        os.replace(path(), path().with_name(path().name + ".corrupt"))
    return {}


def record(set_name, question, points):
    """Keep `points` where they are the best so far; True where they are in the file."""
    if points <= load().get(set_name, {}).get(question, -1):
        return True
    try:
        if path().exists() and not path().is_file():
            return False
        path().parent.mkdir(parents=True, exist_ok=True)
        with _alone():
            stored = load()
            best = stored.setdefault(set_name, {})
            best[question] = max(points, best.get(question, 0))
            _write(stored)
        return True
    except OSError:
        return False


def course_progress():
    """{set: (points earned, points possible)} for every set of the course, in the order of the chapters."""
    stored = load()
    return {name: set_points(exercises, stored.get(name, {}))
            for name, exercises in ((name, checks.load(name)) for name in checks.names())}


def set_points(exercises, best):
    """(earned, possible) of a set {question: Exercise}, given the best points {question: points}."""
    earned = sum(min(best.get(name, 0), exercise.points) for name, exercise in exercises.items())
    return earned, sum(exercise.points for exercise in exercises.values())


@contextlib.contextmanager
def _alone():
    """One writer at a time: who has made the lock file. Raises OSError where none can be made."""
    lock, end = path().with_name(path().name + ".lock"), time.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if time.monotonic() > end:
                break
            time.sleep(0.01)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(lock)


def _write(stored):
    """Replace the file in one step, so that a crash leaves the old or the new one. Raises OSError."""
    handle, scratch = tempfile.mkstemp(dir=path().parent, prefix=path().name)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(stored, file, indent=1)
        os.replace(scratch, path())
    except BaseException:
        os.unlink(scratch)
        raise
