"""check: the learner's side of an exercise set."""

import difflib

from nnlib.grading import checks, progress, report
from nnlib.grading.examine import examine

MISSING = object()


class ExerciseSet:
    """The questions of one exercise set, to be called with an answer.

    check = ExerciseSet("ex01_logistic_regression")
    check(sigmoid)                  a function or class, by its name
    check("xor_weights", weights)   a value, or a function by another name
    Both display a report and return the points earned (int, or float for half points); they never raise.
    Raises ValueError for an unknown set.
    """

    def __init__(self, name):
        self.name, self.exercises, self.best = name, checks.load(name), {}

    def __call__(self, answer, value=MISSING):
        try:
            shown, points = self._check(answer, value)
        except (Exception, KeyboardInterrupt) as error:
            said = f"The check itself stopped ({type(error).__name__}: {str(error)[:200]})."
            shown, points = report.of_message("not checked", said), 0
        shown.show()
        return points

    def progress(self):
        """Display the best points so far of every question of the set."""
        stored = progress.load().get(self.name, {})
        best = {name: max(self.best.get(name, 0), stored.get(name, 0)) for name in self.exercises}
        rows = [(name, min(best[name], one.points), one.points) for name, one in self.exercises.items()]
        report.of_progress(self.name, rows, *progress.set_points(self.exercises, best)).show()

    def _check(self, answer, value):
        """(Report, points)."""
        name = answer if isinstance(answer, str) else getattr(answer, "__name__", None)
        if not isinstance(name, str):
            return report.of_message("not checked", 'A value needs its name: check("name", value).'), 0
        if name not in self.exercises:
            near = difflib.get_close_matches(name, self.exercises, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            known = f"The questions: {', '.join(self.exercises)}."
            return report.of_message(name, f"No question of {self.name} has this name.{meant} {known}"), 0
        if isinstance(answer, str) and value is MISSING:
            return report.of_message(name, f'The answer is missing: write check("{name}", answer).'), 0
        result = examine(self.exercises[name], answer if value is MISSING else value)
        self.best[name] = max(result.points, self.best.get(name, 0))
        progress.record(self.name, name, result.points)
        return report.of_result(result), result.points
