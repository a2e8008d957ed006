"""A question as data: its reference, the cases that try an answer, and the wrong answers that earn a hint."""

import copy
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nnlib.grading.compare import plain
from nnlib.grading.forbidden import own_names


class Tolerance(NamedTuple):
    """How far an answer may be off: |got - expected| <= atol + rtol |expected|, and why so much."""

    rtol: float = 1e-5
    atol: float = 1e-7
    reason: str = "lets answers in float32 pass"


@dataclass(frozen=True)
class Case:
    """One trial of an answer.

    title: what is tried, in the learner's words; it stands in the report.
    make(rng): the arguments, a tuple (anything else is the only argument); drawn from `rng`, or fixed.
    points: what the case earns; None shares what the other cases leave of the exercise's points.
    hint: shown when this is the first failing case and no misconception matches.
    tolerance: for numbers; another than the default needs its reason.
    judge(got, args, expected): for properties, in place of the comparison; returns None or a sentence that
        says what is wrong. `got` is what the answer returned, in the form of `compare.plain`.
    call(answer, *args): how the answer is used, for classes or several calls; None: the exercise's call.
    no_warnings: a NumPy warning (overflow, division by zero, invalid value) fails the case.
    """

    title: str
    make: Callable[[np.random.Generator], Any] = lambda rng: ()
    points: float | None = None
    hint: str = ""
    tolerance: Tolerance = Tolerance()
    judge: Callable[[Any, tuple, Any], str | None] | None = None
    call: Callable | None = None
    no_warnings: bool = False


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that learners give: its name, the function, class or value itself, and its hint."""

    name: str
    function: Any
    hint: str


class Trial(NamedTuple):
    """A case with its arguments and its expected value; `drawn` is False where the arguments are fixed."""

    case: Case
    args: tuple
    expected: Any
    drawn: bool


@dataclass(frozen=True)
class Exercise:
    """One graded question.

    name: of the function or class that the learner writes, or of the value; "Value.__add__" for a method, whose
        question is answered by the class: reference, alternatives and misconceptions are classes, `call` drives them.
    points: of the whole question, in steps of 0.5; 0 for a warm-up.
    reference: the right answer, a function or class; anything else makes it a question for a value.
    cases, misconceptions, alternatives: how answers are tried, known wrong answers, other right answers.
    call(answer, *args): how an answer is used; None: `answer(*args)`, or the value itself.
    time_limit: seconds for one case.
    forbidden, allows: dotted names that an answer may not call ("scipy.special.expit"), and those that it may although
        they are nnlib's own answer: see `forbidden_names`. `call` and the arguments must not need them.
    Raises ValueError for points that do not add up, and for a method that nothing drives.
    """

    name: str
    points: float
    reference: Any
    cases: Sequence[Case]
    misconceptions: Sequence[Misconception] = ()
    alternatives: Sequence[Any] = ()
    call: Callable | None = None
    time_limit: float = 10.0
    forbidden: Sequence[str] = ()
    allows: Sequence[str] = ()

    def __post_init__(self):
        given = sum(case.points or 0 for case in self.cases)
        shares = any(case.points is None for case in self.cases)
        if not self.cases or self.points < 0 or self.points * 2 % 1:
            raise ValueError(f"{self.name}: expected at least one case and points 0, 0.5, 1, ...; "
                             f"got {len(self.cases)} cases and {self.points} points")
        if "." in self.name and self.call is None and any(case.call is None for case in self.cases):
            raise ValueError(f"{self.name}: expected a `call` that drives the class {self.name.partition('.')[0]}, "
                             "got none")
        if self.points and (given >= self.points if shares else given != self.points):
            raise ValueError(f"{self.name}: expected cases whose points add up to {self.points}, some left "
                             f"where a case names none; got {given}")

    @property
    def wants_value(self):
        """True when the answer is a value, not a function or class."""
        return not callable(self.reference)

    def shares(self):
        """The points of each case: list of floats that adds up to `points`."""
        open_cases = sum(case.points is None for case in self.cases)
        left = self.points - sum(case.points or 0 for case in self.cases)
        return [left / open_cases if case.points is None else case.points for case in self.cases]

    def forbidden_names(self):
        """What an answer may not call: list of dotted names, to be used with nnlib.grading.forbidden.

        By default nnlib's function, class or method of Tensor that has the question's name, and the reference where
        it is nnlib's; then those of `forbidden`; without those that the question `allows`.
        """
        names = [*own_names(self.name, self.reference), *self.forbidden]
        return [name for name in dict.fromkeys(names) if name not in self.allows]

    def use(self, case, answer, args):
        """What `answer` gives for the arguments of `case`."""
        call = case.call or self.call
        if call is not None:
            return call(answer, *args)
        return answer if self.wants_value else answer(*args)

    def draw(self, seed=0):
        """Draw the arguments of every case and compute what is expected: list of Trial."""
        trials = []
        for index, case in enumerate(self.cases):
            rng = np.random.default_rng([seed, zlib.crc32(self.name.encode()), index])
            before = repr(rng.bit_generator.state)
            args = case.make(rng)
            args = args if isinstance(args, tuple) else (args,)
            drawn = repr(rng.bit_generator.state) != before or any(value is rng for value in args)
            with np.errstate(all="ignore"):
                expected = plain(self.use(case, self.reference, copy.deepcopy(args)))
            trials.append(Trial(case, args, expected, drawn))
        return trials
