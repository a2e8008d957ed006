"""Grade notebooks: learners' cells and answers run in a worker, all verdicts are made here.

Arguments go to the worker one trial at a time, what an answer returned comes back as plain data (wire.py). Expected
values, references, misconceptions and judges never leave this process. A worker that ends, hangs or sends nonsense is
replaced, and the statement that it was at is left out, so that every other question keeps its points.
"""

import json
import os
import pickle
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from nnlib.grading import checks, wire, workers
from nnlib.grading.compare import kind
from nnlib.grading.examine import NOT_ATTEMPTED, WRONG, Result, examine, whole
from nnlib.grading.forbidden import ANSWERS
from nnlib.grading.guard import ENDED, Outcome
from nnlib.grading.notebooks import GraderError, read_notebook, shown
from nnlib.grading.workers import COURSE, NO_PROCESSES, WorkerEnded, words_for

MOST_WORKERS = 8  # for one notebook
ALL_CELLS, ONE_CELL, ONE_CALL = 2 / 3, 1 / 6, 1 / 12  # of a notebook's time, at the most
SLACK = 1.5  # seconds that a worker may be late beyond its own limits
NOT_GRADED = "not graded"
PROBE = pickle.dumps((None, ()))  # a trial without a function and arguments
MOST_DRAWS = 100  # questions whose arguments and expected values are kept
_lock, _kept_draws = threading.RLock(), {}


@dataclass
class Graded:
    """The points of one notebook.

    questions: a dict for each: question, points, possible, status, case, problem, diagnosis, hint, misconception, note.
    problem: why it, or a part of it, could not be graded; notes: sentences about its cells.
    """

    notebook: str
    learner: str = ""
    set: str = ""
    seed: int = 0
    questions: list = field(default_factory=list)
    problem: str = ""
    notes: list = field(default_factory=list)

    @property
    def points(self):
        """Points earned."""
        return whole(sum(question["points"] for question in self.questions))

    @property
    def possible(self):
        """Points that the set gives."""
        return whole(sum(question["possible"] for question in self.questions))


def grade(path, seed=0, timeout=120.0, learner=""):
    """Run and grade one notebook: a Graded; never raises for what the notebook holds.

    timeout: seconds for the whole notebook, of which its cells may use two thirds and one cell a sixth. They hold to
        within a second; only the start of the process from which workers are forked, a few seconds that are needed
        once, and the misconceptions, which this process tries on its own account to find a hint, are not counted.
    The same submission and seed give the same Graded, unless a limit of time decides.
    """
    graded = Graded(shown(path), learner or shown(Path(path).stem), seed=seed, problem=NO_PROCESSES)
    if graded.problem:
        return graded
    try:
        graded.set, cells = read_notebook(path)
    except GraderError as error:
        graded.problem = str(error)
        return graded
    with _lock, _Session(graded, cells, timeout, Path(path)) as session:
        try:
            session.start()
            for name in session.exercises:
                graded.questions.append(session.question(name))
        except GraderError as error:
            graded.problem = f"not every question could be graded: {error}"
        for exercise in list(session.exercises.values())[len(graded.questions):]:
            graded.questions.append(_described(Result(exercise.name, 0, whole(exercise.points), NOT_GRADED)))
        graded.notes = [session.notes[number] for number in sorted(session.notes)]
    return graded


def _described(result):
    """A question's result as plain data."""
    failing = next((verdict for verdict in result.verdicts if verdict.failure), None)
    return {"question": result.question, "points": result.points, "possible": result.possible, "status": result.status,
            "case": failing.title if failing else "", "inputs": failing.inputs if failing else "",
            "problem": failing.problem if failing else "", "diagnosis": failing.diagnosis if failing else "",
            "hint": result.hint, "misconception": result.misconception, "note": result.note}


def _drawn(exercise, seed):
    """(trials, what the worker gets of each, memo of misconceptions, forbidden names), for all submissions once."""
    key = id(exercise), seed
    if key not in _kept_draws:
        while len(_kept_draws) >= MOST_DRAWS:
            del _kept_draws[next(iter(_kept_draws))]
        _kept_draws[key] = exercise, *_draw(exercise, seed)  # with the exercise, so that its id stays its own
    return _kept_draws[key][1:]


def _draw(exercise, seed):
    import cloudpickle
    trials, modules = exercise.draw(seed), [one for name, one in sys.modules.items()
                                            if name.startswith("nnlib.grading.checks.")]
    for module in modules:  # its functions go by value: the worker has no such module
        cloudpickle.register_pickle_by_value(module)
    try:
        sent = [cloudpickle.dumps((trial.case.call or exercise.call, trial.args)) for trial in trials]
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
    return trials, sent, {}, exercise.forbidden_names()


class _Session:
    """One notebook at work: its workers, one after the other, and what is known of its cells."""

    def __init__(self, graded, cells, timeout, path):
        self.exercises, self.seed = checks.load(graded.set), graded.seed
        self.cells, self.timeout, self.cells_left, self.end = cells, timeout, timeout * ALL_CELLS, None
        hidden = [COURSE / "solutions", COURSE / "exercises", COURSE / "tests", COURSE / "nnlib" / "grading",
                  COURSE / ".git", COURSE / ".grading", path.absolute().parent]
        hidden += [place for place in os.environ.get("NNLIB_CHECKS", "").split(os.pathsep) if place]
        self.hidden = [os.path.abspath(place) for place in hidden]
        self.notes, self.stops, self.workers, self.worker, self.asked, self.blamed = {}, {}, 0, None, None, None
        self.probe = None  # None: not yet needed; True: look after every statement whether answers can be tried

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.worker:
            self.worker.end()

    def start(self):
        """Run the cells in a new worker; where one ends it, again without the rest of that cell. Raises GraderError."""
        while True:
            self.workers += 1
            if self.workers > MOST_WORKERS:
                raise GraderError(f"its process ended {MOST_WORKERS} times.")
            if self.cells_left <= 0:
                raise GraderError(f"its cells took more than {self.timeout * ALL_CELLS:g} s.")
            self.worker = workers.new_worker({"hidden": self.hidden, "seconds": self.timeout})
            place, began = [0, 0], time.monotonic()
            self.end = self.end or began + self.timeout
            try:
                self._run_cells(place)
                return
            except WorkerEnded as error:
                how, self.worker = self.worker.end(error.how), None
                began += SLACK if how == "late" else 0
                if how == "lost":  # the zygote: no cell is to blame
                    continue
                if place[0] == 0:
                    raise GraderError(f"its process could not begin ({words_for(how)}).") from None
                self.stops[place[0]] = min(place[1], self.stops.get(place[0], place[1]))
                self.notes[place[0]] = (f"Cell {place[0]} {words_for(how)}: what follows in this cell was left out.")
            finally:
                self.cells_left -= time.monotonic() - began

    def _run_cells(self, place):
        """Follow the worker through the cells; `place` is where it is: [cell, statement]."""
        seconds = self.timeout * ONE_CELL
        cells = [[cell, self.stops.get(number)] for number, cell in enumerate(self.cells, 1)]
        self.worker.tell({"cells": json.dumps(cells).encode(), "seconds": seconds, "total": self.cells_left,
                          "probe": self.probe is True}, self.within(60.0))
        what = ""
        while True:
            limit = min(seconds, self.cells_left) if place[0] else 60.0  # until it has begun, no cell is to blame
            try:
                event = self.worker.hear(self.within(limit + SLACK))
            except WorkerEnded:
                if what == "probe":
                    raise WorkerEnded("spoilt") from None
                raise
            if not (type(event) is list and len(event) == 3 and type(event[1]) is int and 0 <= event[1] <= len(cells)):
                raise WorkerEnded("broken")
            what, number, detail = event
            if what == "ran":
                return self.worker.relax()
            if what == "begin" and type(detail) is int and 0 <= detail < 100_000 and number:
                place[:] = number, detail
            elif what == "late":
                self.notes[number] = f"Cell {number} was interrupted after {seconds:g} s."
                self.stops[number] = place[1]  # another worker need not wait for it again
            elif what == "probe" and self.probe:
                about = {"name": "", "wants_value": True, "given": True, "forbidden": []}
                self.worker.tell({"question": about, "seconds": 1.0}, self.within(60.0))
                self.worker.tell({"trial": PROBE, "seconds": 1.0, "last": True}, self.within(60.0))
            elif what == "full":
                raise WorkerEnded("full")
            elif what == "error":
                self.notes[number] = f"Cell {number} stopped with {wire.plain_text(detail)}."
            else:
                raise WorkerEnded("broken")

    def within(self, seconds):
        """As much of `seconds` as is left of the notebook's time. Raises GraderError where nothing is."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise GraderError(f"the time limit of {self.timeout:g} s has passed.")
        return min(seconds, left)

    def ask(self, message, seconds):
        """The worker's reply, a dict; {"died": how} where there is none. Raises GraderError when the time is over."""
        if "question" in message:
            self.asked = message
        for attempt in range(3):
            try:
                if self.worker is None:
                    self.start()
                    if message is not self.asked:
                        self.worker.exchange(self.asked, self.within(self.asked["seconds"] + SLACK))
                reply = self.worker.exchange(message, self.within(seconds + SLACK))
                reply = reply if type(reply) is dict else {"died": "broken"}
            except WorkerEnded as error:
                reply, self.worker = {"died": self.worker.end(error.how)}, None
                self.within(seconds)
            if reply.get("died") == "lost":  # the zygote, for a reason that is not the answer's
                continue
            if "died" not in reply or reply["died"] == "late" and "trial" in message or self.blamed is self.asked:
                break
            if attempt and self.probe is not None:  # it ended two processes in the same place
                self.blamed = self.asked
                break
            if self.worker:
                self.worker.end()
            self.worker = None
            if self.probe is None:
                self.probe = True  # was it the answer, or a cell that spoilt the process?
        if self.probe:
            self.probe = False  # once is enough
        return reply

    def question(self, name):
        """The graded question, a dict. Raises GraderError."""
        result = self._try(self.exercises[name], given=False)
        if result.status == NOT_ATTEMPTED:  # a stub stands, but check("name", other) names another answer
            second = self._try(self.exercises[name], given=True)
            result = result if second.status == NOT_ATTEMPTED else second
        return _described(result)

    def _try(self, exercise, given):
        trials, sent, memo, forbidden = _drawn(exercise, self.seed)
        limit, final = min(exercise.time_limit, self.timeout * ONE_CALL), None
        about = {"name": exercise.name, "wants_value": exercise.wants_value, "given": given, "forbidden": forbidden}
        reply = self.ask({"question": about, "seconds": 1.0}, 1.0)
        result = Result(exercise.name, possible=whole(exercise.points))
        if not reply.get("found") and "died" not in reply:
            return result
        if "died" in reply or not exercise.wants_value and reply.get("callable") is not True:
            result.status = WRONG
            result.note = (f"Your answer {words_for(reply['died'])}." if "died" in reply else
                           f"Your answer {wire.plain_text(reply['refused'])}." if "refused" in reply else
                           f"Expected a function or class, got {kind(reply.get('value'))}.")
            return result

        def runner(index):
            nonlocal limit, final
            if final:
                return final
            last = index == len(trials) - 1
            reply = self.ask({"trial": sent[index], "seconds": limit, "last": last}, limit)
            outcome = _outcome(reply, forbidden)
            if outcome.raised == "TimeUp":
                outcome.message, limit = f"{limit:g}", min(limit / 2, 1.0)
            if "died" in reply and not workers.FORKS:
                final = outcome  # the next trial would cost a whole process, and the cells again
            return outcome

        def answer():
            """Stands for the learner's function, of which only the name has crossed."""
        answer.__name__ = wire.plain_text(reply.get("name"), 80) or exercise.name
        return examine(exercise, answer, trials, memo, runner)


def _outcome(reply, forbidden=()):
    """The Outcome in a worker's reply, nothing of which is trusted."""
    if "died" in reply:
        how = reply["died"]
        if how == "late":
            return Outcome(raised="TimeUp")
        return Outcome(raised=ENDED, message=f"your answer {words_for(how)}")
    if "refused" in reply:
        return Outcome(raised=ENDED, message=f"your answer {wire.plain_text(reply['refused'])}")
    if reply.get("forbidden") in (*forbidden, ANSWERS):
        return Outcome(raised="Forbidden", message=reply["forbidden"])
    if reply.get("raised") == ENDED:
        return Outcome(raised=ENDED, message=wire.plain_text(reply.get("message")))
    texts = {name: wire.plain_text(reply.get(name)) for name in ("message", "line", "inside", "warning", "printed")}
    raised = re.sub(r"\W", "", wire.plain_text(reply.get("raised"), 60)).replace("Forbidden", "Forbidden_")
    return Outcome(reply.get("value"), raised, changed=reply.get("changed") is True, **texts)
