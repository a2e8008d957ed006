"""Many submissions: whose they are, and grading them in parallel, in order, whatever one of them does."""

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nnlib.grading import checks
from nnlib.grading.grader import Graded, grade
from nnlib.grading.notebooks import GraderError, find_notebooks, shown

__all__ = ["Submission", "collect", "grade_all", "grade_each"]
NOT_A_NAME = "submitted"  # nbgrader's folder of all learners


@dataclass(frozen=True)
class Submission:
    """A notebook, or a learner's folder without one; `shown` is its path as reports name it."""

    path: Path
    learner: str
    shown: str
    problem: str = ""  # why there is nothing to grade


def collect(paths, but=None):
    """All submissions at `paths`, files or folders, in the order of learners; the folder `but` is left out.

    The learner is the first folder inside the folder named. A notebook without one is called by its file name without
    the set's name (ex01_logistic_regression_anna.ipynb and anna-ex01.ipynb: anna); where nothing is left, by the folder
    that it lies in. A folder with the name of a set is nobody's name, nor is nbgrader's `submitted`.
    A learner's folder without a notebook becomes a submission with a problem.
    Raises GraderError for a path that is not there, and for a folder without notebooks.
    """
    sets, found, paths = checks.names(), {}, list(map(Path, paths))
    but = but and _whole(but)
    for root in paths:
        inside = [path for path in find_notebooks([root]) if but not in _whole(path).parents]
        if not inside:
            raise GraderError(f"{shown(root)}: the folder holds no notebook (*.ipynb).")
        named = f"{_whole(root).name}/" if root.is_dir() and len(paths) > 1 else ""
        for path in inside:
            relative = path.relative_to(root) if root.is_dir() else Path(path.name)
            place = relative.as_posix() if root.is_dir() else f"{_whole(path).parent.name}/{path.name}"
            learner = _text(_learner(path, relative, sets))
            found.setdefault(_whole(path), Submission(path, learner, _text(named + place)))
        if root.is_dir() and all(len(path.relative_to(root).parts) > 1 for path in inside):
            for folder in _without(root, inside, sets, but):
                found[_whole(folder)] = Submission(folder, _text(folder.name), _text(named + folder.name),
                                                      "the folder holds no notebook (*.ipynb).")
    return sorted(found.values(), key=lambda one: (one.learner.casefold(), one.learner, one.shown))


def _without(root, inside, sets, but):
    """The learners' folders in `root` that hold nothing of `inside`."""
    if {path.relative_to(root).parts[0] for path in inside} == {NOT_A_NAME}:
        root = root / NOT_A_NAME
    full = {root / path.relative_to(root).parts[0] for path in inside if root in path.parents}
    return [folder for folder in sorted(root.iterdir()) if folder.is_dir() and folder not in full
            and _whole(folder) != but and folder.name not in (*sets, NOT_A_NAME)
            and not folder.name.startswith((".", "_"))]


def _learner(path, relative, sets):
    """Whose notebook it is."""
    folders = [name for name in relative.parts[:-1] if name not in sets]
    folders = folders[1:] if folders[:1] == [NOT_A_NAME] else folders
    if folders:
        return folders[0]
    named = "|".join(map(re.escape, sorted(sets, key=len, reverse=True)))
    left = re.sub(rf"{named}|ex\d\d(?!\d)", " ", path.stem).strip(" _-.")
    if left:  # the "(1)" that a browser adds may be all that tells two learners apart
        return left if any(map(str.isalpha, left)) else path.stem
    above = [folder.name for folder in _whole(path).parents if folder.name not in (*sets, "")]
    return above[0] if above else path.stem


def _whole(path):
    return Path(os.path.abspath(path))


def _text(name):
    """A file name as text that can be written, also where its bytes are no UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def grade_all(paths, jobs=None, seed=0, progress=False, timeout=120.0):
    """Grade notebooks, paths or Submissions, in parallel: list of Graded, in their order.

    jobs: processes at a time; None: as `joblib.parallel_config` says, else 1.   progress: show a bar on stderr.
    """
    return list(grade_each(paths, jobs, seed, progress, timeout))


def grade_each(paths, jobs=None, seed=0, progress=False, timeout=120.0):
    """Yield a Graded for each of `paths`, in their order, as they are done; options as for grade_all.

    No backend of joblib is named: inside `with joblib.parallel_config(backend="dask")` a cluster does the work.
    A submission that kills the process that grades it gets a Graded with a problem; the others go on in a new one.
    """
    from tqdm import tqdm

    left = [one if isinstance(one, Submission) else Submission(Path(one), "", _text(Path(one).name)) for one in paths]
    with tqdm(total=len(left), disable=not progress, unit="notebook") as bar:
        alone = False  # after a crash: the first of the rest is graded by itself, as it may be the cause
        while left:
            part = left[:1] if alone else left
            try:
                for graded in _in_parallel(part, 2 if alone else jobs and min(jobs, len(left)), seed, timeout):
                    left = left[1:]
                    bar.update()
                    yield graded
                alone = False
            except Exception as error:  # of the processes: what a submission raises, _grade has caught
                if alone:
                    yield _refused(left.pop(0), seed, f"it ended the process that graded it ({type(error).__name__}).")
                    bar.update()
                alone = not alone


def _in_parallel(submissions, jobs, seed, timeout):
    from joblib import Parallel, delayed

    work = partial(_grade, seed=seed, timeout=timeout)
    return Parallel(n_jobs=jobs, return_as="generator")(delayed(work)(one) for one in submissions)


def _grade(submission, seed, timeout):
    """A Graded with the names that reports show, of whatever happens."""
    if submission.problem:
        return _refused(submission, seed, submission.problem)
    try:
        graded = grade(submission.path, timeout=timeout, seed=seed)
    except Exception as error:
        return _refused(submission, seed, f"the grader itself stopped ({type(error).__name__}: {str(error)[:200]}).")
    graded.notebook, graded.learner = submission.shown, submission.learner or graded.learner
    return graded


def _refused(submission, seed, problem):
    return Graded(submission.shown, learner=submission.learner, seed=seed, problem=problem)
