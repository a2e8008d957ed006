"""The process that runs one learner's notebook: python -m nnlib.grading.worker, started by grader.py.

In: one JSON job on standard input, {"set", "cells", "seed", "cell_limit"}. Out: one JSON line for each
question on what was standard output when the process began; what the learner prints goes nowhere.
Arguments and expected values are drawn before the learner's first cell runs, so that a patched NumPy does not
change them.
"""

import json
import linecache
import os
import sys
import types

import nnlib.grading
from nnlib.grading import checks, exercise_set
from nnlib.grading.examine import NOT_ATTEMPTED, examine
from nnlib.grading.guard import time_limit


class Recorder:
    """Stands in for ExerciseSet: the learner's check cells give no points here, but name what to grade."""

    answers: dict = {}

    def __init__(self, name):
        self.name = name

    def __call__(self, answer, *value):
        name = answer if isinstance(answer, str) else getattr(answer, "__name__", "")
        self.answers[name] = value[0] if value else answer
        return 0

    def progress(self):
        """Nothing to display."""


class Shell:
    """Stands in for IPython's shell: magics do nothing, except that the code of a timed one runs."""

    def __init__(self, execute):
        self.execute = execute

    def run_line_magic(self, name, line, *_, **__):
        if name == "time":
            self.execute(line)

    def run_cell_magic(self, name, line, cell):
        if name in ("time", "timeit", "capture", "prun"):
            self.execute(cell)

    def __getattr__(self, name):
        return lambda *args, **options: None


def run_cells(cells, seconds):
    """Execute the cells in order, each for at most `seconds`, whatever fails; returns what they defined."""
    from IPython.core.inputtransformer2 import TransformerManager
    from IPython.display import display
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    names = vars(module)
    names.update(display=display, get_ipython=lambda: Shell(lambda code: exec(code, names)))
    for number, cell in enumerate(cells, 1):
        try:
            source, place = TransformerManager().transform_cell(cell), f"<cell {number}>"
            linecache.cache[place] = len(source), None, source.splitlines(keepends=True), place
            with time_limit(seconds):
                exec(compile(source, place, "exec"), names)
        except BaseException:  # whatever a learner's cell does, the next one gets its chance
            continue
    return names


def find_answer(exercise, names):
    """The learner's answer: the notebook's name for it, else what its last check was given."""
    answer = names.get(exercise.name)
    if answer is None or callable(answer) == exercise.wants_value:
        answer = Recorder.answers.get(exercise.name)
    return _missing if answer is None and not exercise.wants_value else answer


def _missing(*args, **options):
    raise NotImplementedError


def main():
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    job = json.load(sys.stdin)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in 0, 1, 2:
        os.dup2(nothing, stream)
    exercises = checks.load(job["set"])
    trials = {name: exercise.draw(job["seed"]) for name, exercise in exercises.items()}
    nnlib.grading.ExerciseSet = exercise_set.ExerciseSet = Recorder
    names = run_cells(job["cells"], job["cell_limit"])
    for name, exercise in exercises.items():
        result = examine(exercise, find_answer(exercise, names), trials[name])
        if result.status == NOT_ATTEMPTED and name in Recorder.answers:  # the stub stands, but check("name", other)
            result = examine(exercise, Recorder.answers[name], trials[name])
        failing = next((verdict for verdict in result.verdicts if verdict.failure), None)
        line = {"question": name, "points": result.points, "possible": result.possible,
                "status": result.status, "note": result.note,
                "case": failing.title if failing else "", "problem": failing.problem if failing else "",
                "misconception": result.misconception, "hint": result.hint}
        print(json.dumps(line), file=results, flush=True)
    os._exit(0)  # the learner's threads and exit handlers have no say any more


if __name__ == "__main__":
    main()
