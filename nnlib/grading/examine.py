"""Try an answer on the cases of an exercise: its points, the first failure in words, the hint it earns."""

import contextlib
import copy
import inspect
import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from nnlib.grading.compare import compare, kind, same, show
from nnlib.grading.guard import Outcome, run

RIGHT, PARTLY, WRONG, NOT_ATTEMPTED = "right", "partly right", "not right yet", "not attempted"
LONG = 100  # characters of inputs in a report; longer ones show the shapes of their arrays


@dataclass
class Verdict:
    """How one case went. failure: "" or its kind; problem and diagnosis are sentences for the learner."""

    title: str
    failure: str = ""
    inputs: str = ""
    problem: str = ""
    diagnosis: str = ""
    outcome: Outcome = field(default_factory=Outcome, repr=False)


@dataclass
class Result:
    """What one answer earned; `hint` is that of the misconception named, else of the first failing case."""

    question: str
    points: float = 0
    possible: float = 0
    status: str = NOT_ATTEMPTED
    verdicts: list = field(default_factory=list)
    hint: str = ""
    misconception: str = ""
    note: str = ""


def examine(exercise, answer, trials=None, memo=None):
    """The Result of `answer`, a function, class or value, on trials of `exercise.draw` (default: seed 0).

    memo: a dict that keeps the misconceptions' verdicts on these trials, when many answers are examined.
    """
    trials = trials or exercise.draw()
    result = Result(exercise.name, possible=whole(exercise.points))
    if exercise.wants_value and (answer is None or answer is ...):
        return result
    if not exercise.wants_value and not callable(answer):
        result.status, result.note = WRONG, f"Expected a function or class, got {kind(answer)}."
        return result
    limit = exercise.time_limit
    for trial in trials:
        verdict = attempt(exercise, answer, trial, limit)
        if verdict.failure == "NotImplementedError" and not result.verdicts:
            inside = verdict.outcome.inside
            if inside not in ("", exercise.name, "<lambda>", "__init__", getattr(answer, "__name__", inside)):
                result.note = f"It uses {inside}, which is not written yet."
            return result
        result.verdicts.append(verdict)
        if verdict.failure == "KeyboardInterrupt":
            break
        if verdict.failure == "TimeUp":
            limit = min(limit, 1.0)  # a second endless case should not cost another ten seconds
    _give_points(exercise, trials, result)
    _give_hint(exercise, trials, result, {} if memo is None else memo)
    return result


def whole(points):
    """Points as an int where they are whole: 2 rather than 2.0."""
    return int(points) if points == int(points) else float(points)


def attempt(exercise, answer, trial, limit):
    """The Verdict of `answer` on one trial."""
    case, args = trial.case, copy.deepcopy(trial.args)
    outcome = run(partial(exercise.use, case), answer, args, limit=limit)
    verdict = Verdict(case.title, inputs=_inputs(exercise, trial), outcome=outcome)
    changed = not same(trial.args, args)
    with np.errstate(all="ignore"):
        failure = _find_failure(exercise, trial, outcome, changed, limit)
    verdict.failure, verdict.problem, verdict.diagnosis = failure
    return verdict


def _find_failure(exercise, trial, outcome, changed, limit):
    """(kind, problem, diagnosis); the kind is "" where the outcome is right."""
    case, name = trial.case, exercise.name
    if outcome.raised == "TimeUp":
        return "TimeUp", f"no answer after {limit:g} s", "Is there a loop that never ends?"
    if outcome.raised == "KeyboardInterrupt":
        return outcome.raised, "you interrupted it", "Does a loop never end? No other case was tried."
    if outcome.raised:
        said = f"{name} raised {outcome.raised}" + (f": {outcome.message}" if outcome.message else "")
        return outcome.raised, said, f"In your {outcome.line}" if outcome.line else ""
    if case.judge is None:
        difference = compare(trial.expected, outcome.value, case.tolerance, _sizes(trial.args))
        problem, diagnosis = difference or ("", "")
        if problem and outcome.value is None and outcome.printed:
            diagnosis = "Your function prints its answer: write `return` in place of `print`."
    else:
        try:
            diagnosis = ""
            problem = case.judge(outcome.value, copy.deepcopy(trial.args), trial.expected) or ""
        except Exception as error:
            problem = f"your answer, {kind(outcome.value)}, does not have the form that the question asks for"
            diagnosis = f"({type(error).__name__}: {error})"
    if problem:
        return "value", problem, f"{diagnosis} It also changed its input.".strip() if changed else diagnosis
    if changed:
        return "input", "your function changed its input", "Work on a copy: x -= 1 changes the caller's x."
    if case.no_warnings and outcome.warning:
        return "warning", f"right, but NumPy warned: {outcome.warning}", ""
    return "", "", ""


def _give_points(exercise, trials, result):
    """Sum of the passed cases, rounded down to half points; fixed examples count once a drawn case passes."""
    passed = [index for index, verdict in enumerate(result.verdicts) if not verdict.failure]
    by_rote = any(trial.drawn for trial in trials) and not any(trials[index].drawn for index in passed)
    shares = exercise.shares()
    earned = 0 if by_rote else sum(shares[index] for index in passed)
    result.points = whole(math.floor(2 * earned + 1e-9) / 2)
    result.status = (RIGHT if len(passed) == len(trials) else
                     PARTLY if result.points or passed and not exercise.points else WRONG)
    if by_rote and passed:
        result.note = "The worked example counts once a case with other numbers passes."


def _give_hint(exercise, trials, result, memo):
    def theirs(known, index):
        if (known.name, index) not in memo:
            memo[known.name, index] = attempt(exercise, known.function, trials[index], exercise.time_limit)
        return memo[known.name, index]

    failing = [index for index, verdict in enumerate(result.verdicts) if verdict.failure]
    if not failing:
        return
    result.hint = trials[failing[0]].case.hint
    order = failing + [index for index in range(len(result.verdicts)) if index not in failing]
    for known in exercise.misconceptions:
        if all(_alike(trials[index], result.verdicts[index], theirs(known, index)) for index in order):
            result.hint, result.misconception = known.hint, known.name
            return


def _alike(trial, mine, theirs):
    """True where two verdicts are both right, or wrong in the same way."""
    if mine.failure != theirs.failure:
        return False
    if mine.failure != "value" or trial.case.judge and mine.problem == theirs.problem:
        return True
    with np.errstate(all="ignore"):
        return compare(theirs.outcome.value, mine.outcome.value, trial.case.tolerance) is None


def _sizes(args):
    """Axis lengths of the arrays among the arguments, the number of examples first."""
    shapes = [np.shape(value) for value in args if isinstance(value, np.ndarray)]
    return [shape[0] for shape in shapes if shape][:1] + [length for shape in shapes for length in shape]


def _inputs(exercise, trial):
    """The arguments in words, by the names of the reference's parameters: 'z = [-2, 0, 3]'."""
    names = []
    if callable(exercise.reference) and not (exercise.call or trial.case.call):
        with contextlib.suppress(ValueError, TypeError):  # NumPy's own functions have no signature
            names = list(inspect.signature(exercise.reference).parameters)
    texts = [show(value) for value in trial.args]
    if sum(map(len, texts)) > LONG:
        texts = [show(value, most=4) for value in trial.args]
    if len(names) == len(texts):
        texts = [f"{name} = {text}" for name, text in zip(names, texts, strict=True)]
    return ", ".join(texts)
