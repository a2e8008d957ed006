"""Check the checks: python -m nnlib.grading.audit [SET ...] [--no-mutation] [--seed S] [--jobs N] [--json FILE].

Is every right answer accepted, every wrong one rejected with its own hint? And does a small change of a right
answer, a mutant, lose points wherever it matters (see mutation.py)? The column "inputs" says on how many inputs every
equivalent mutant agreed at least; where their time was over before --inputs, a line below the tables says so.

Exit code: 0 where all is well; 1 where a question has a problem or a mutant survives; 2 for a wrong option.
"""

import argparse
import builtins
import copy
import json
import keyword
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from nnlib.grading import checks, mutation
from nnlib.grading.compare import same
from nnlib.grading.examine import RIGHT, examine
from nnlib.grading.exercise import Tolerance

SEEDS = 0, 1  # the notebook's, and another
FAR = 1000  # a seed for other arguments: an answer that was once right, returned for everything
MISCONCEPTIONS, ALTERNATIVES, AVERAGE = 3, 2, 6  # the fewest of a question; misconceptions on average in a course
CODE = r"`([^`]+)`|\b(np\.\w+(?:\.\w+)*|[A-Za-z]\w*_\w+)"  # what a hint names


@dataclass
class Row:
    """What the audit found about one question; `problems` are sentences, `fates` those of its mutants."""

    set: str
    question: str
    cases: int = 0
    drawn: int = 0
    misconceptions: int = 0
    rejected: int = 0
    alternatives: int = 0
    accepted: int = 0
    returns: str = ""
    batch: str = ""
    oblong: str = ""
    exempt: str = ""
    problems: list = field(default_factory=list)
    fates: list = field(default_factory=list)

    def count(self, verdict):
        """The number of mutants that ended so."""
        return sum(fate.verdict == verdict for fate in self.fates)


def audit(exercise):
    """The problems of one Exercise, as sentences; an empty list where there is none.

    A right answer that is rejected, a wrong one that is accepted or earns another hint than its own, too few of
    either, a tolerance without its reason, and cases that an answer learned by heart passes.
    """
    return look(exercise).problems


def look(exercise, set_name="", page=""):
    """The Row of an exercise, without mutation; page: all that a learner can read, to see that hints name no more."""
    row = Row(set_name, exercise.name, len(exercise.cases), misconceptions=len(exercise.misconceptions),
              alternatives=len(exercise.alternatives))
    row.problems += _form(exercise, page)
    drawn = [exercise.draw(seed) for seed in SEEDS]
    row.problems += _draws(exercise, *drawn)
    row.drawn = sum(trial.drawn for trial in drawn[0])
    row.batch, row.oblong = _shapes(drawn[0])
    wrong = set()
    for seed, trials in zip(SEEDS, drawn, strict=True):
        memo = {}
        found = [*_rights(exercise, trials, memo), *_wrongs(exercise, trials, memo), *_rote(exercise, trials, memo)]
        row.problems += [f"{exercise.name}: {problem} (seed {seed})" for _, problem in found]
        wrong |= {what for what, _ in found}
    row.rejected = sum(known.name not in wrong for known in exercise.misconceptions)
    right = [answer for number, answer in enumerate(exercise.alternatives, 1) if f"alternative {number}" not in wrong]
    row.accepted, row.returns = len(right), _returns(exercise, right, drawn[0])
    return row


def _form(exercise, page):
    """Problems that need no answer to be tried."""
    name, hints = exercise.name, [known.hint.strip() for known in exercise.misconceptions]
    if len(hints) < MISCONCEPTIONS:
        yield f"{name}: {len(hints)} misconceptions, expected at least {MISCONCEPTIONS}"
    if len(exercise.alternatives) < ALTERNATIVES:
        yield f"{name}: {len(exercise.alternatives)} alternatives, expected at least {ALTERNATIVES}"
    if len(set(filter(None, hints))) < len(hints):
        yield f"{name}: every misconception needs a hint of its own"
    for case in exercise.cases:
        tolerance = Tolerance(*case.tolerance)
        if tolerance[:2] != Tolerance()[:2] and tolerance.reason in ("", Tolerance().reason):
            yield f"{name}, {case.title}: the tolerance needs its reason"
    words = set(re.findall(r"\w+", page)) | set(dir(builtins)) | set(dir(np)) | set(keyword.kwlist)
    for hint in hints + [case.hint for case in exercise.cases] if page else ():
        code = " ".join("".join(pair) for pair in re.findall(CODE, hint))
        unseen = [word for word in re.findall(r"[A-Za-z_]\w*", code) if word not in words]
        if unseen:
            yield f"{name}: the hint {hint[:40]!r}... names {unseen[0]}, which the learner cannot see"


def _draws(exercise, first, second):
    """Problems of the trials themselves: a reference that is not deterministic, seeds that change nothing."""
    if not all(same(a.expected, b.expected) for a, b in zip(first, exercise.draw(SEEDS[0]), strict=True)):
        yield f"{exercise.name}: the reference answers differently with the same arguments"
    plain = [(a, b) for a, b in zip(first, second, strict=True)
             if a.drawn and not (a.case.judge or a.case.call or exercise.call)]
    if plain and all(same(a.expected, b.expected) for a, b in plain):
        yield f"{exercise.name}: two seeds expect the same of every drawn case"


def _shapes(trials):
    """("yes", "no" or "" where there is no array) for: a batch other than 1, a matrix that is not square."""
    shapes = [np.shape(value) for trial in trials for value in trial.args if isinstance(value, np.ndarray)]
    matrices = [shape for shape in shapes if len(shape) > 1]
    return tuple("" if not of else "yes" if any(fits) else "no" for of, fits in (
        (shapes, [shape[:1] != (1,) for shape in shapes]), (matrices, [len(set(shape)) > 1 for shape in matrices])))


def _returns(exercise, answers, trials):
    """The kinds of answers that the alternatives try: 'list', 'float32'."""
    found = set()
    for answer in answers:
        with np.errstate(all="ignore"):
            value = exercise.use(trials[0].case, answer, copy.deepcopy(trials[0].args))
        for part in (value, *value) if isinstance(value, (tuple, list)) else (value,):
            found |= {"list"} if isinstance(part, list) else {str(getattr(part, "dtype", ""))}
    return " ".join(sorted(found & {"list", "float32"}))


def _rights(exercise, trials, memo):
    """(what, problem) of right answers that are rejected."""
    rights = [("the reference", exercise.reference)]
    rights += [(f"alternative {number}", answer) for number, answer in enumerate(exercise.alternatives, 1)]
    for what, answer in rights:
        result = examine(exercise, answer, trials, memo)
        if result.status != RIGHT:
            failed = next((v for v in result.verdicts if v.failure), None)
            why = f"{failed.title}: {failed.problem}" if failed else result.note or result.status
            yield what, f"{what} is rejected: {why}"


def _wrongs(exercise, trials, memo):
    """(name, problem) of misconceptions that are accepted, or told something else."""
    for known in exercise.misconceptions:
        result = examine(exercise, known.function, trials, memo)
        if result.status == RIGHT or result.points == exercise.points > 0:
            yield known.name, f"the misconception {known.name!r} is accepted"
        elif result.misconception != known.name:
            other = result.misconception or "none"
            yield known.name, f"the misconception {known.name!r} earns the hint of {other!r}"


def _rote(exercise, trials, memo):
    """(what, problem) of answers learned by heart that earn half of the points, or anything for fixed cases alone."""
    if exercise.wants_value or isinstance(exercise.reference, type) or not exercise.points:
        return
    for trial in exercise.draw(FAR):
        points = examine(exercise, partial(_always, trial.expected), trials, memo).points
        if 2 * points >= exercise.points:
            yield "constant", f"always returning the answer to {trial.case.title!r} earns {points} points"
    fixed = [trial for trial in trials if not trial.drawn]
    if len(fixed) < len(trials):
        points = examine(exercise, partial(_by_heart, fixed), trials, memo).points
        if points:
            yield "by heart", f"the answers to the fixed cases, learned by heart, earn {points} points"


def _always(answer, *args, **kwargs):
    return answer


def _by_heart(fixed, *args):
    return next((trial.expected for trial in fixed if same(trial.args, args)), None)


def readable(set_name):
    """All that a learner of the set can read: its notebook without the solutions, and its chapter."""
    text = ""
    for path in sorted(mutation.ROOT.glob(f"notebooks/{set_name[2:4]}_*.ipynb")) + [
            mutation.SOLUTIONS / set_name / f"{set_name}.ipynb"]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []
        text += "\n".join(["".join(cell["source"]) for cell in cells] + [""] * bool(cells))
    return re.sub(r"(?s)### BEGIN SOLUTION.*?### END SOLUTION", "", text)


def mutate(rows, seed=0, jobs=1, **limits):
    """Fill in the fates of every row's mutants, in parallel."""
    from joblib import Parallel, delayed
    from tqdm import tqdm
    found = [mutation.tasks(row.set, row.question, seed) for row in rows if not row.exempt]
    work = [task for _, tasks in found for task in tasks]
    for row, (problems, _) in zip([row for row in rows if not row.exempt], found, strict=True):
        row.problems += problems
    by_name = {(row.set, row.question): row for row in rows}
    results = Parallel(jobs, return_as="generator")(delayed(mutation.judge)(*task, **limits) for task in work)
    for task, fates in zip(work, tqdm(results, "mutants", len(work), unit="part", disable=None), strict=True):
        by_name[task[:2]].fates += fates


def table(rows, mutated):
    """The rows as aligned text."""
    head = ["question", "cases", "drawn", "misconceptions", "alternatives", "that return", "n > 1", "oblong"]
    head += ["mutants", "equivalent", "inputs", "rejected", "survivors"] if mutated else []
    lines = [head]
    for row in [*rows, None]:
        mine = rows if row is None else [row]
        def total(name, mine=mine):
            return sum(getattr(one, name) for one in mine)
        def ended(verdict, mine=mine):
            return sum(one.count(verdict) for one in mine)
        line = [row.question if row else "total", total("cases"), total("drawn"),
                f"{total('rejected')} of {total('misconceptions')}", f"{total('accepted')} of {total('alternatives')}"]
        line += [row.returns, row.batch, row.oblong] if row else ["", "", ""]
        inputs = [fate.inputs for one in mine for fate in one.fates if fate.verdict == mutation.EQUIVALENT]
        if mutated and row and row.exempt:
            line += [f"exempt: {row.exempt}"]
        elif mutated:
            line += [sum(len(one.fates) for one in mine), ended(mutation.EQUIVALENT), f"{min(inputs, default=0):,}",
                     ended(mutation.REJECTED), ended(mutation.SURVIVOR)]
        lines.append([str(cell) for cell in line])
    widths = [max(len(line[i]) for line in lines if i < len(line) and not line[i].startswith("exempt"))
              for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) if i in (0, 5, 6, 7) else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths, strict=False))).rstrip()
                     for line in lines)


def main(arguments=None):
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nnlib.grading.audit", description="Check the checks.")
    parser.add_argument("sets", nargs="*", metavar="SET", help="such as ex01_logistic_regression (default: all)")
    parser.add_argument("--no-mutation", action="store_true", help="leave the mutants out")
    parser.add_argument("--seed", type=int, default=0, help="for other inputs (default 0)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes for the mutants (-1: all cores)")
    parser.add_argument("--inputs", type=int, default=10_000, metavar="N", help="on which equivalents agree (10,000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="at most, for those of one mutant (10)")
    parser.add_argument("--json", metavar="FILE", help="write all of it there, too")
    options = parser.parse_args(arguments)
    try:
        chosen = {name: checks.load(name) for name in options.sets or checks.names()}
    except ValueError as error:
        print(f"audit: {error}", file=sys.stderr)
        return 2
    started, rows = time.monotonic(), []
    for name, exercises in chosen.items():
        page, exempt = readable(name), mutation.table(name, "EXEMPT")
        for exercise in exercises.values():
            rows.append(look(exercise, name, page))
            rows[-1].exempt = exempt.get(exercise.name, "")
    if not options.no_mutation:
        mutate(rows, options.seed, options.jobs, inputs=options.inputs, seconds=options.seconds)
    problems = [f"{row.set}, {problem}" for row in rows for problem in row.problems]
    average = sum(row.misconceptions for row in rows) / len(rows)
    if average < AVERAGE:
        problems.append(f"{average:.1f} misconceptions on average, expected at least {AVERAGE}")
    survivors = [fate for row in rows for fate in row.fates if fate.verdict == mutation.SURVIVOR]
    for name in chosen:
        print(f"{name}\n{table([row for row in rows if row.set == name], not options.no_mutation)}\n")
    for row in rows:
        few = [fate.inputs for fate in row.fates
               if fate.verdict == mutation.EQUIVALENT and fate.inputs < options.inputs]
        if few:
            print(f"{row.question}: {len(few)} of {row.count(mutation.EQUIVALENT)} equivalent mutants agreed on fewer "
                  f"than {options.inputs:,} inputs, the fewest {min(few):,}: {options.seconds:g} s for each were over")
    for fate in survivors:
        print(f"survivor: {fate.where}\n  - {fate.before}\n  + {fate.after}")
    print(*problems, sep="\n", end="\n" if problems else "")
    made, dropped = (sum(map(of, rows)) for of in (lambda r: len(r.fates), lambda r: r.count(mutation.EQUIVALENT)))
    share = f", {1 - len(survivors) / max(1, made - dropped):.1%} of the mutants rejected" if made else ""
    print(f"{len(rows)} questions, {average:.1f} misconceptions on average, {len(problems)} problems{share}; "
          f"{time.monotonic() - started:.0f} s")
    if options.json:
        content = {"questions": [asdict(row) for row in rows], "problems": problems}
        Path(options.json).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 1 if problems or survivors else 0


if __name__ == "__main__":
    from nnlib.grading.audit import main as run  # this module once more, by the name that workers know
    sys.exit(run())
