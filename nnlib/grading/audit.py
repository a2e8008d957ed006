"""Check the checks: is every right answer accepted, every wrong one rejected with its own hint?"""

from functools import partial

from nnlib.grading.examine import RIGHT, examine
from nnlib.grading.exercise import Tolerance

SEEDS = 0, 1  # the notebook's, and another
FAR = 1000  # a seed for other arguments: an answer that was once right, returned for everything


def audit(exercise):
    """The problems of one Exercise, as sentences; an empty list where there is none.

    A right answer that is rejected, a wrong one that is accepted or earns another hint than its own, too few of
    either, a tolerance without its reason, and cases that an answer learned by heart passes.
    """
    name, problems = exercise.name, []
    if len(exercise.misconceptions) < 3:
        problems.append(f"{name}: {len(exercise.misconceptions)} misconceptions, expected at least 3")
    if len(exercise.alternatives) < 2:
        problems.append(f"{name}: {len(exercise.alternatives)} alternatives, expected at least 2")
    if len({m.hint for m in exercise.misconceptions if m.hint}) < len(exercise.misconceptions):
        problems.append(f"{name}: every misconception needs a hint of its own")
    for case in exercise.cases:
        tolerance = Tolerance(*case.tolerance)
        if tolerance[:2] != Tolerance()[:2] and tolerance.reason in ("", Tolerance().reason):
            problems.append(f"{name}, {case.title}: the tolerance needs its reason")
    for seed in SEEDS:
        problems += [f"{problem} (seed {seed})" for problem in _audit_answers(exercise, exercise.draw(seed))]
    return problems


def _audit_answers(exercise, trials):
    name, memo = exercise.name, {}
    rights = [("the reference", exercise.reference)]
    rights += [(f"alternative {number}", answer) for number, answer in enumerate(exercise.alternatives, 1)]
    for what, answer in rights:
        result = examine(exercise, answer, trials, memo)
        if result.status != RIGHT:
            failed = next((v for v in result.verdicts if v.failure), None)
            why = f"{failed.title}: {failed.problem}" if failed else result.note or result.status
            yield f"{name}: {what} is rejected: {why}"
    for misconception in exercise.misconceptions:
        result = examine(exercise, misconception.function, trials, memo)
        if result.status == RIGHT or result.points == exercise.points > 0:
            yield f"{name}: the misconception {misconception.name!r} is accepted"
        elif result.misconception != misconception.name:
            other = result.misconception or "none"
            yield f"{name}: the misconception {misconception.name!r} earns the hint of {other!r}"
    if not exercise.wants_value and not isinstance(exercise.reference, type) and exercise.points:
        for trial in exercise.draw(FAR):
            points = examine(exercise, partial(_always, trial.expected), trials, memo).points
            if 2 * points >= exercise.points:
                yield f"{name}: always returning the answer to {trial.case.title!r} earns {points} points"


def _always(answer, *args, **kwargs):
    return answer
