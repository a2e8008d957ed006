"""The questions of the course: one module exNN for each exercise set, with its NAME (exNN_...) and its EXERCISES.

A teacher's own sets lie in the folders that the environment variable NNLIB_CHECKS lists.
"""

import difflib
import importlib
import os
import pkgutil
import re

__path__ += filter(None, os.environ.get("NNLIB_CHECKS", "").split(os.pathsep))


def _numbers():
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if re.fullmatch(r"ex\d\d", m.name))


def _module(number):
    return importlib.import_module(f"{__name__}.{number}")


def modules():
    """All modules of questions, in the order of the chapters."""
    return [_module(number) for number in _numbers()]


def names():
    """The names of all exercise sets, such as 'ex01_logistic_regression'."""
    return [module.NAME for module in modules()]


def load(name):
    """The exercises of the set `name`, as {question: Exercise}. Raises ValueError for an unknown name.

    Only the module that `name` begins with is imported: the other chapters cost nothing, and cannot be in the way.
    """
    number = str(name)[:4]
    if number in _numbers() and (module := _module(number)).NAME == name:
        return {exercise.name: exercise for exercise in module.EXERCISES}
    known = names()
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"There is no exercise set {name!r}.{meant} Known sets: {', '.join(known)}.")
