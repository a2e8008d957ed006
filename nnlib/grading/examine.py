"""Try an answer on the cases of an exercise: its points, the first failure in words, the hint it earns."""

import contextlib
import copy
import inspect
import math
import os
import re
import signal
import sys
import threading
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from nnlib.grading.compare import NONE, changed, compare, form, kind, listed, plain, show
from nnlib.grading.forbidden import forbidden_in, poisoned, sentence
from nnlib.grading.guard import ENDED, TOO_LARGE, Outcome, TimeUp, run

RIGHT, PARTLY, WRONG, NOT_ATTEMPTED = "right", "partly right", "not right yet", "not attempted"
NO_HINT = "TimeUp", "KeyboardInterrupt", "NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", ENDED
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


def examine(exercise, answer=None, trials=None, memo=None, runner=None, forbidden=None):
    """The Result of `answer`, a function, class or value, on trials of `exercise.draw` (default: seed 0).

    memo: a dict that keeps the misconceptions' verdicts on these trials, when many answers are examined.
    runner(index): gives the Outcome of the answer on trials[index], with `changed` True where the answer changed its
        arguments; for an answer that lives in another process. `answer` is then not looked at. A runner keeps the
        time limits itself, exercise.time_limit for a trial and much less once one has ended as TimeUp; it gives the
        seconds that it waited as message, "10".
    forbidden: dotted names that the answer may not call, exercise.forbidden_names() for a learner's answer; None
        where anything may be called, as the references and alternatives of an audit do. A runner looks after them
        itself: an Outcome with raised "Forbidden" and the name as message ends the examination with 0 points.
    """
    trials = trials or exercise.draw()
    result = Result(exercise.name, possible=whole(exercise.points))
    if runner is None:
        if exercise.wants_value and (answer is None or answer is ...):
            return result
        if not exercise.wants_value and not callable(answer):
            result.status, result.note = WRONG, f"Expected a function or class, got {kind(answer)}."
            return result
        runner = Here(exercise, answer, trials, forbidden)
    for index, trial in enumerate(trials):
        outcome = runner(index)
        if outcome.raised == "Forbidden":
            return refused(exercise, outcome.message)
        verdict = judge(exercise, trial, outcome)
        if verdict.failure == "NotImplementedError" and not result.verdicts:
            inside, (_, dot, method) = verdict.outcome.inside, exercise.name.rpartition(".")
            own = ("", method) if dot else ("", method, "<lambda>", "__init__", getattr(answer, "__name__", inside))
            if inside not in own:
                result.note = f"It uses {inside}, which is not written yet."
            return result
        result.verdicts.append(verdict)
        if verdict.failure == "KeyboardInterrupt":
            break
    _give_points(exercise, trials, result)
    _give_hint(exercise, trials, result, {} if memo is None else memo)
    return result


def refused(exercise, name):
    """The Result of an answer that calls `name`, which is forbidden."""
    return Result(exercise.name, 0, whole(exercise.points), WRONG, note=sentence(name))


class Here:
    """The runner of an answer in this process: Here(...)(index) is its Outcome on trials[index]."""

    def __init__(self, exercise, answer, trials, forbidden=None, limit=None):
        self.exercise, self.answer, self.trials, self.forbidden = exercise, answer, trials, forbidden
        self.limit = exercise.time_limit if limit is None else limit

    def __call__(self, index):
        trial, args = self.trials[index], copy.deepcopy(self.trials[index].args)
        with surroundings_as_they_were(), poisoned(self.forbidden or ()) as called:
            outcome = run(insist, partial(self.exercise.use, trial.case), self.answer, args, limit=self.limit)
        outcome.changed = changed(trial.args, args)
        last = index == len(self.trials) - 1  # by then all that it imports is imported
        if self.forbidden is not None and last and (name := forbidden_in(self.answer, self.forbidden)):
            called.append(name)
        if called:
            return Outcome(raised="Forbidden", message=called[0])
        if outcome.raised == "TimeUp":
            outcome.message = f"{self.limit:g}"
            self.limit = min(self.limit / 2, 1.0)  # further endless cases together cost two seconds at most
        return outcome


def insist(function, *args):
    """plain(function(*args)), where the alarm of a time limit comes again and again until it is heeded.

    `except:` in an endless loop swallows TimeUp. It cannot swallow one that arrives after its handler and before the
    next `try`, and with alarms some microseconds apart one soon does. Without alarms (on Windows, outside of the main
    thread) nothing is stopped.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return plain(function(*args))
    here, rang = sys._getframe(), 0

    def again(number, frame):
        nonlocal rang
        rang, outer = rang + 1, frame.f_back
        while outer not in (here, None):
            outer = outer.f_back
        if frame is not here and outer is here:  # else the answer has ended
            signal.setitimer(signal.ITIMER_REAL, 0.1 if rang < 4 else (1 + 7 * rang % 50) * 1e-6)
            raise TimeUp

    before = signal.signal(signal.SIGALRM, again)
    try:
        value = plain(function(*args))
    finally:
        if rang:
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if rang:
        raise TimeUp
    return value


@contextlib.contextmanager
def surroundings_as_they_were():
    """Working folder, environment, recursion limit and open figures: afterwards as before."""
    def figures():
        pyplot = sys.modules.get("matplotlib.pyplot")
        return {number: pyplot for number in pyplot.get_fignums()} if pyplot else {}

    folder, environment, depth, had = os.path.abspath("."), dict(os.environ), sys.getrecursionlimit(), figures()
    try:
        yield
    finally:
        sys.setrecursionlimit(depth)
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        with contextlib.suppress(Exception):
            os.chdir(folder)
            for number, pyplot in figures().items():
                if number not in had:
                    pyplot.close(number)


def whole(points):
    """Points as an int where they are whole: 2 rather than 2.0."""
    return int(points) if points == int(points) else float(points)


def judge(exercise, trial, outcome):
    """The Verdict on one Outcome, from wherever it comes."""
    verdict = Verdict(trial.case.title, inputs=_inputs(exercise, trial), outcome=outcome)
    with np.errstate(all="ignore"):
        verdict.failure, verdict.problem, verdict.diagnosis = _find_failure(exercise, trial, outcome)
    return verdict


def _find_failure(exercise, trial, outcome):
    """(kind, problem, diagnosis); the kind is "" where the outcome is right."""
    case, name = trial.case, exercise.name
    if outcome.raised == "TimeUp":
        seconds = outcome.message or f"{exercise.time_limit:g}"
        return "TimeUp", f"no answer after {seconds} s", "Is there a loop that never ends?"
    if outcome.raised == "KeyboardInterrupt":
        return outcome.raised, "you interrupted it", "Does a loop never end? No other case was tried."
    if outcome.raised == ENDED:
        return outcome.raised, outcome.message or ENDED, ""
    if outcome.raised:
        said = f"{name} raised {outcome.raised}" + (f": {outcome.message}" if outcome.message else "")
        return outcome.raised, said, f"In your {outcome.line}" if outcome.line else ""
    diagnosis = ""
    try:
        if outcome.value is None and trial.expected is not None:
            problem, diagnosis = NONE
            if outcome.printed:
                diagnosis = "Your function prints its answer: write `return` in place of `print`."
        elif case.judge is None:
            difference = compare(trial.expected, outcome.value, case.tolerance, _sizes(trial.args))
            problem, diagnosis = difference or ("", "")
        else:
            problem = case.judge(outcome.value, copy.deepcopy(trial.args), trial.expected) or ""
    except (MemoryError, RecursionError):
        return ENDED, f"your answer {TOO_LARGE}", ""
    except Exception:  # a judge that expects another form, or an object that raises when it is looked at
        problem = f"your answer, {form(outcome.value)}, does not have the form that the question asks for"
        diagnosis = f"Wanted is, for example, {form(trial.expected)}."
    if problem:
        return "value", problem, f"{diagnosis} It also changed its input.".strip() if outcome.changed else diagnosis
    if outcome.changed:
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
        result.note = "What passed has fixed numbers; it counts once a case with other numbers passes."


def _give_hint(exercise, trials, result, memo):
    def theirs(known, index):
        if (known.name, index) not in memo:
            endless = result.verdicts[index].failure == "TimeUp"
            limit = (1.0 if index == failing[0] else 0.25) if endless else None
            outcome = Here(exercise, known.function, trials, limit=limit)(index)
            memo[known.name, index] = judge(exercise, trials[index], outcome)
        return memo[known.name, index]

    failing = [index for index, verdict in enumerate(result.verdicts) if verdict.failure]
    if not failing:
        return
    first = result.verdicts[failing[0]]
    if first.failure not in NO_HINT and (first.problem, first.failure) != (NONE[0], "value"):
        result.hint = trials[failing[0]].case.hint
    order = failing + [index for index in range(len(result.verdicts)) if index not in failing]
    for known in exercise.misconceptions:
        if all(_alike(trials[index], result.verdicts[index], theirs(known, index)) for index in order):
            result.hint, result.misconception = known.hint, known.name
            for index in failing:
                if result.verdicts[index].failure == "value":
                    result.verdicts[index].diagnosis = ""  # a guess, and the hint knows better
            return


def _alike(trial, mine, theirs):
    """True where two verdicts are both right, or wrong in the same way."""
    if mine.failure != theirs.failure:
        return False
    if mine.outcome.raised:
        return _complaint(mine.outcome) == _complaint(theirs.outcome)
    if mine.failure != "value" or trial.case.judge and mine.problem == theirs.problem:
        return True
    with np.errstate(all="ignore"):
        return compare(theirs.outcome.value, mine.outcome.value, trial.case.tolerance) is None


def _complaint(outcome):
    """What an exception is about: its message without numbers and names; all shapes that do not fit are alike."""
    if re.search("shape|dimension|broadcast|aligned|size", outcome.message):
        return "shapes"
    return re.sub(r"'[^']*'|[\w.<>]+\(\)|[\d.]+", "", outcome.message)


def _sizes(args):
    """Axis lengths of the arrays among the arguments, the number of examples first."""
    shapes = [np.shape(value) for value in args if isinstance(value, np.ndarray)]
    return [shape[0] for shape in shapes if shape][:1] + [length for shape in shapes for length in shape]


def _inputs(exercise, trial):
    """The arguments in words, by the names of their parameters: 'z = [-2, 0, 3]'."""
    names, call = [], trial.case.call or exercise.call
    if callable(call or exercise.reference):
        with contextlib.suppress(ValueError, TypeError):  # NumPy's own functions have no signature
            parameters = list(inspect.signature(call or exercise.reference).parameters.values())[bool(call):]
            names = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    texts = [show(value) for value in trial.args]
    if sum(map(len, texts)) > LONG:
        texts = [show(value, most=4) for value in trial.args]
    if len(names) == len(texts):
        texts = [f"{name} = {text}" for name, text in zip(names, texts, strict=True)]
    return listed(texts)
