"""check: the learner's side of an exercise set."""

import contextlib
import difflib
import sys

from threadpoolctl import threadpool_limits

from nnlib.grading import checks, progress, report
from nnlib.grading.examine import examine

MISSING = object()


class ExerciseSet:
    """The questions of one exercise set, to be called with an answer.

    check = ExerciseSet("ex01_logistic_regression")
    check(sigmoid)                  a function or class, by its name
    check("xor_weights", weights)   a value, or a function by another name
    check("Value.__add__", Value)   a method, given with its class
    check.progress()                the best points of every question; `check.best` holds those of this session
    Calls display a report and return the points earned (int, or float for half points); they never raise, and leave
    random states, NumPy's settings, warnings, environment, working folder and open figures as they were. An answer
    that does not end is stopped after 10 seconds, in the main thread of systems that have an alarm signal (Linux,
    macOS); elsewhere (Windows, other threads) interrupt the kernel: the check then ends with a message. In JupyterLite,
    whose kernel cannot be interrupted, restart it.
    Raises ValueError for an unknown set.
    """

    def __init__(self, name):
        self.name, self.exercises, self.best, self.kept = name, checks.load(name), {}, True

    def __call__(self, answer, value=MISSING):
        try:
            shown, points = self._check(answer, value)
        except BaseException as error:  # a learner's object may raise anything, wherever it is looked at
            said = ""
            with contextlib.suppress(BaseException):
                said = f": {str(error)[:200]}"
            shown, points = report.of_message("not checked", f"The check stopped ({type(error).__name__}{said})."), 0
        with contextlib.suppress(Exception):  # a closed screen
            shown.show()
        return points

    def progress(self):
        """Display the best points so far of every question of the set."""
        stored = progress.load().get(self.name, {})
        best = {name: max(self.best.get(name, 0), stored.get(name, 0)) for name in self.exercises}
        rows = [(name, min(best[name], one.points), one.points) for name, one in self.exercises.items()]
        note = "" if self.kept else f"{progress.path()} cannot be written: these points last until the kernel ends."
        report.of_progress(self.name, rows, *progress.set_points(self.exercises, best), note).show()

    def _check(self, answer, value):
        """(Report, points)."""
        by_name = type(answer) is str  # not isinstance: a learner's object may say that it is one
        name = answer if by_name else getattr(answer, "__name__", None)
        if type(name) is not str:
            return report.of_message("not checked", 'This has no name: write check("name of the question", answer).'), 0
        if name not in self.exercises:
            return report.of_message(name[:80], self._not_known(name, answer, by_name)), 0
        if by_name and value is MISSING:
            return report.of_message(name, f"The answer is missing: {_call(name)}."), 0
        if "." in name and not issubclass(type(value), type):
            return report.of_message(name, f"This question is answered by the class itself: {_call(name)}."), 0
        exercise = self.exercises[name]
        with _one_thread():  # as in the grader: on a busy machine threads wait for each other, and time runs out
            result = examine(exercise, answer if value is MISSING else value, forbidden=exercise.forbidden_names())
        self.best[name] = max(result.points, self.best.get(name, 0))
        self.kept = progress.record(self.name, name, result.points)
        return report.of_result(result), result.points

    def _not_known(self, name, answer, by_name):
        """What to say of a name that no question has."""
        methods = [question for question in self.exercises if "." in question and name in question.split(".")]
        if methods:
            own = getattr(answer, "__qualname__", "")
            said = f"A method is checked by its name, with its class: {_call(own if own in methods else methods[0])}."
            return said + (f" The questions about {name}: {', '.join(methods)}." if len(methods) > 1 else "")
        near = difflib.get_close_matches(name, self.exercises, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        known = f"The questions: {', '.join(self.exercises)}."
        say = "" if by_name else f" Or {_call(near[0] if near else 'name')}."
        return f"No question of {self.name} has this name.{meant} {known}{say}"


def _one_thread():
    """A context in which matrix products use one thread; in a browser there is no other."""
    return contextlib.nullcontext() if sys.platform == "emscripten" else threadpool_limits(1)


def _call(name):
    """How the question `name` is checked."""
    return f'write check("{name}", {name.partition(".")[0] if "." in name else "answer"})'
