"""Grade notebooks out of process: one subprocess for each, with a time limit."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from nnlib.errors import NnlibError
from nnlib.grading import checks
from nnlib.grading.examine import whole


class GraderError(NnlibError):
    """A file or folder that cannot be graded; the message is a sentence for the teacher."""


@dataclass
class Graded:
    """The points of one notebook. questions: one dict for each, as the worker writes them."""

    notebook: str
    set: str = ""
    questions: list = field(default_factory=list)
    problem: str = ""  # why it, or a part of it, could not be graded

    @property
    def points(self):
        """Points earned."""
        return whole(sum(question["points"] for question in self.questions))

    @property
    def possible(self):
        """Points that the set gives."""
        return whole(sum(question["possible"] for question in self.questions))


def find_notebooks(paths):
    """All notebooks at `paths` (files, or folders at any depth), without checkpoints. Raises GraderError."""
    found = []
    for path in map(Path, paths):
        if not path.exists():
            raise GraderError(f"{path}: there is no such file or folder.")
        inside = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        inside = [notebook for notebook in inside if ".ipynb_checkpoints" not in notebook.parts]
        if not inside:
            raise GraderError(f"{path}: the folder holds no notebook (*.ipynb).")
        found += inside
    return list(dict.fromkeys(found))


def read_notebook(path):
    """(name of the exercise set, sources of the code cells). Raises GraderError with the reason."""
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise GraderError(f"cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise GraderError(f"is not JSON, so it is not a notebook ({str(error)[:80]}).") from None
    try:
        cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
        cells = ["".join(source) for source in cells]
    except (TypeError, KeyError):
        raise GraderError("is JSON, but not a notebook of format 4: it has no list of cells.") from None
    return find_set(path, cells), cells


def find_set(path, cells):
    """The set that a notebook asks for by ExerciseSet("..."), else by its file name. Raises GraderError."""
    known = checks.names()
    called = re.findall(r"""ExerciseSet\(\s*["'](\w+)["']""", "\n".join(cells))
    named = re.findall(r"ex\d\d(?!\d)", Path(path).name)
    for name in [*called, *(name for number in named for name in known if name.startswith(number + "_"))]:
        if name in known:
            return name
    if called:
        raise GraderError(f"asks for the unknown exercise set {called[0]!r}; known are {', '.join(known)}.")
    raise GraderError('has no exercise set in it: no ExerciseSet("..."), and no exNN in its file name.')


def grade(path, timeout=120.0, seed=0):
    """Run and grade one notebook: a Graded; never raises for what the notebook holds."""
    graded = Graded(str(path))
    try:
        graded.set, cells = read_notebook(path)
    except GraderError as error:
        graded.problem = str(error)
        return graded
    job = {"set": graded.set, "cells": cells, "seed": seed, "cell_limit": timeout / 3}
    lines, ended = _run_worker(json.dumps(job), timeout)
    exercises = checks.load(graded.set)
    written = dict(filter(None, (_question(line, exercises) for line in lines.splitlines())))
    for name, exercise in exercises.items():
        if name not in written:
            graded.problem = f"not every question could be graded: {ended}."
        blank = {"question": name, "points": 0, "possible": whole(exercise.points), "status": "not graded"}
        graded.questions.append(written.get(name, blank))
    return graded


def _question(line, exercises):
    """(name, what a worker wrote of it); None for half a line of a killed one, or what a learner wrote there."""
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        question = json.loads(line)
        name = question["question"]
        if 0 <= question["points"] <= exercises[name].points == question["possible"] and question["status"]:
            return name, question
    return None


def _run_worker(job, timeout):
    """(what the worker wrote, how it ended). The worker and all that it started are gone afterwards."""
    root = str(Path(__file__).parents[2])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
                       "NNLIB_PROGRESS": str(Path(scratch, "progress.json")), "MPLBACKEND": "Agg"}
        worker = subprocess.Popen([sys.executable, "-m", "nnlib.grading.worker"], cwd=scratch,
                                  env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, encoding="utf-8", start_new_session=True)
        try:
            lines, _ = worker.communicate(job, timeout=timeout)
            return lines, f"the process ended early, with code {worker.returncode}"
        except subprocess.TimeoutExpired:
            _kill(worker)
            return worker.communicate()[0], f"the time limit of {timeout:g} s has passed"
        finally:
            _kill(worker)


def _kill(worker):
    """End the worker with its whole process group, where the platform has such."""
    with contextlib.suppress(OSError):
        os.killpg(worker.pid, signal.SIGKILL) if hasattr(os, "killpg") else worker.kill()


def table(graded):
    """The points of one notebook as lines of text."""
    total = f"   {graded.set}   {graded.points} / {graded.possible} points" if graded.set else ""
    lines = [graded.notebook + total]
    width = max((len(question["question"]) for question in graded.questions), default=0)
    for question in graded.questions:
        known = f" ({question['misconception']})" if question.get("misconception") else ""
        points = f"{question['points']:>4} / {question['possible']:<4}"
        lines.append(f"  {question['question']:<{width}}  {points} {question['status']}{known}")
    return "\n".join(lines + [f"  {graded.problem}"] * bool(graded.problem))
