"""The reports of a batch of submissions: text, tables for a spreadsheet, JSON; pages.py makes HTML of the same.

report.txt    a table of learners and sets; below it problems, questions, misconceptions, notes
grades.csv    a row for each learner: total, points of each set, points of each question
points.csv    a row for each question of each notebook: points, and what went wrong
report.json   everything, in the form that `as_data` describes
Tables are UTF-8 with a byte order mark: without it Excel takes names for another encoding, and other programs skip it.
A cell that a spreadsheet would take for a formula begins with an apostrophe. Learners' text is free of control
characters everywhere. Nothing depends on the time, the machine's paths or its language: same results, same bytes.
"""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import nnlib
from nnlib.grading.examine import RIGHT, whole
from nnlib.grading.grader import NOT_GRADED

__all__ = ["Batch", "Learner", "SetSummary", "as_data", "clean", "files", "notebook_text", "text"]
FORMAT, VERSION = "nnlib.grading.report", 1
FORMULA = re.compile("(^|;)( *)([-=+@\uff0d\uff1d\uff0b\uff20\ufe63\ufe66\ufe62\ufe6b])")  # ; may end a cell
LONGEST = 32_000  # characters of a cell: Excel cannot hold more than 32,767
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$")  # names of devices on Windows


@dataclass(frozen=True)
class Learner:
    """One learner. page: name of the file in learners/; counted: {set: the notebook that counts}."""

    name: str
    page: str
    notebooks: tuple
    counted: dict

    @property
    def points(self):
        """Points in all sets."""
        return whole(sum(one.points for one in self.counted.values()))

    @property
    def remarks(self):
        """Sentences: what could not be graded, which of several notebooks of a set counts."""
        found = []
        for one in self.notebooks:
            found += [f"{one.notebook}: {one.problem}"] * bool(one.problem)
            chosen = self.counted.get(one.set, one)
            if chosen is not one:
                found.append(f"{one.notebook} ({one.points} of {one.possible} points) does not count: for {one.set} "
                             f"{chosen.notebook} does ({chosen.points} of {chosen.possible} points).")
        return found

    @property
    def notes(self):
        """Sentences on the cells of the notebooks."""
        return [f"{one.notebook}: {said}" for one in self.notebooks for said in one.notes]


@dataclass(frozen=True)
class SetSummary:
    """How a class did in one set; `graded` are the notebooks that count."""

    name: str
    graded: tuple

    @property
    def possible(self):
        """Points that the set gives."""
        return max(one.possible for one in self.graded)

    @property
    def points(self):
        """Points of each notebook, in increasing order."""
        return sorted(one.points for one in self.graded)

    @property
    def mean(self):
        """Mean of the points, over those who handed in."""
        return sum(self.points) / len(self.points)

    @property
    def median(self):
        """Median of the points."""
        middle = len(self.points) // 2
        return whole((self.points[middle] + self.points[-1 - middle]) / 2)

    @property
    def questions(self):
        """A dict for each question: question, possible, graded, right (numbers of answers), share (mean, 0 to 1; None
        where no answer could be graded, or for a warm-up)."""
        rows = {}
        for answer in (answer for one in self.graded for answer in one.questions):
            row = rows.setdefault(answer["question"], {"question": answer["question"], "possible": answer["possible"],
                                                       "graded": 0, "right": 0, "points": 0})
            row["graded"] += answer["status"] != NOT_GRADED
            row["right"] += answer["status"] == RIGHT
            row["points"] += answer["points"]
        for row in rows.values():
            most = row["graded"] * row["possible"]
            row["share"] = round(row["points"] / most, 6) if most else None
            del row["points"]
        return list(rows.values())

    @property
    def misconceptions(self):
        """(times seen, question, misconception, hint), the most common first."""
        answers = [answer for one in self.graded for answer in one.questions if answer["misconception"]]
        hints = {(answer["question"], answer["misconception"]): answer["hint"] for answer in reversed(answers)}
        seen = Counter((answer["question"], answer["misconception"]) for answer in answers)
        return sorted(((count, *key, hints[key]) for key, count in seen.items()), key=lambda row: (-row[0], row))


@dataclass(frozen=True)
class Batch:
    """What was graded: Graded objects, the seed, and sentences on this system's protections and on the batch."""

    graded: tuple
    seed: int
    active: tuple = ()
    missing: tuple = ()
    notes: tuple = ()

    @cached_property
    def learners(self):
        """A Learner for each name, in the order of names. Of several notebooks of a set the best counts, of equals
        one without a problem, then the first by path: file times do not survive a download."""
        names, pages, found = {}, set(), []
        for one in sorted(self.graded, key=lambda one: (one.learner.casefold(), one.learner, one.notebook)):
            names.setdefault(one.learner, []).append(one)
        for name, notebooks in names.items():
            counted = {}
            for one in sorted(notebooks, key=lambda one: (one.set, -one.points, bool(one.problem))):
                if one.questions:
                    counted.setdefault(one.set, one)
            found.append(Learner(name, page_name(name, pages), tuple(notebooks), counted))
        return found

    @cached_property
    def sets(self):
        """A SetSummary for each set that was handed in."""
        names = sorted({name for learner in self.learners for name in learner.counted})
        return [SetSummary(name, tuple(learner.counted[name] for learner in self.learners if name in learner.counted))
                for name in names]

    @property
    def possible(self):
        """Points of all sets that were handed in."""
        return whole(sum(one.possible for one in self.sets))

    @property
    def heading(self):
        """What was graded, by what, with which seed."""
        return (f"nnlib {nnlib.__version__}, seed {self.seed}: {_count(len(self.graded), 'submission')} "
                f"by {_count(len(self.learners), 'learner')}")


def _count(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"


def clean(value, most=None):
    """Text in one line, without control, format and half characters (terminal sequences, marks that turn the direction
    of reading); cut to `most` characters."""
    said = "".join(" " if letter.isspace() else letter if unicodedata.category(letter) not in ("Cc", "Cf", "Cs") else ""
                   for letter in str(value))
    said = " ".join(said.split())
    return said if most is None or len(said) <= most else said[:most - 3] + "..."


def page_name(name, taken):
    """A file name without extension for any learner's name, safe on every system; it is added to the set `taken`."""
    plain = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or "learner"
    base = f"{base}-learner" if RESERVED.match(base) else base
    page, number = base, 1
    while page in taken:
        number += 1
        page = f"{base}-{number}"
    taken.add(page)
    return page


# Text

def text(batch):
    """report.txt."""
    rows = [["learner", *(one.name for one in batch.sets), "total"]]
    for learner in batch.learners:
        points = [learner.counted[one.name].points if one.name in learner.counted else "-" for one in batch.sets]
        rows.append([clean(learner.name, 40), *map(str, points), str(learner.points)])
    rows.append(["mean", *(f"{one.mean:.2f}" for one in batch.sets),
                 f"{sum(learner.points for learner in batch.learners) / max(len(batch.learners), 1):.2f}"])
    rows.append(["possible", *(str(one.possible) for one in batch.sets), str(batch.possible)])
    widths = [max(map(_columns, column)) for column in zip(*rows, strict=True)]
    lines = [batch.heading, *batch.notes, ""]
    for row in rows:
        first, *others = row
        lines.append(first + " " * (widths[0] - _columns(first)) + "".join(
            f"  {cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)))
    lines += _part("Problems", [f"{clean(learner.name, 40)}: {clean(said)}"
                                for learner in batch.learners for said in learner.remarks])
    for one in batch.sets:
        lines += _part(f"{one.name}: questions, by the mean share of their points", [
            f"{_percent(row['share']):>8}  {row['question']} ({row['right']} of {row['graded']} right)"
            for row in hardest(one)])
        lines += _part(f"{one.name}: misconceptions", [f"{count:>5} x  {question}, {name}: {hint}"
                                                       for count, question, name, hint in one.misconceptions])
    lines += _part("Notes on cells", [f"{clean(learner.name, 40)}: {clean(said)}"
                                      for learner in batch.learners for said in learner.notes])
    lines += _part("Protections that this system lacks", batch.missing)
    return "\n".join(lines) + "\n"


def hardest(one):
    """The questions of a SetSummary, the lowest mean share first, warm-ups last."""
    return sorted(one.questions, key=lambda row: (row["share"] is None, row["share"] or 0))


def _percent(share):
    return "no points" if share is None else f"{share:.0%}"


def _part(title, lines):
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _columns(said):
    """Columns that a text takes in a terminal."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in said)
    return len(said) + wide - sum(unicodedata.combining(letter) > 0 for letter in said)


def notebook_text(graded):
    """The points of one notebook as lines of text."""
    total = f"   {graded.set}   {graded.points} / {graded.possible} points" if graded.set else ""
    lines = [clean(graded.notebook) + total]
    width = max((len(question["question"]) for question in graded.questions), default=0)
    for question in graded.questions:
        known = f" ({question['misconception']})" if question["misconception"] else ""
        points = f"{question['points']:>4} / {question['possible']:<4}"
        lines.append(f"  {question['question']:<{width}}  {points} {question['status']}{known}")
    return "\n".join(lines + [f"  {clean(said)}" for said in [graded.problem, *graded.notes] if said])


# Tables

def _table(rows):
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return "\ufeff" + buffer.getvalue()


def _cell(value):
    """Numbers stay numbers; text that a spreadsheet would take for a formula is marked as text."""
    return value if isinstance(value, (int, float)) else FORMULA.sub(r"\1\2'\3", clean(value, LONGEST))


def grades_table(batch):
    """Rows of grades.csv; cells of sets that were not handed in are empty."""
    questions = {one.name: [row["question"] for row in one.questions] for one in batch.sets}
    yield ["learner", "total", "possible", *questions,
           *(f"{name}: {question}" for name in questions for question in questions[name]), "problems", "notes"]
    for learner in batch.learners:
        points = {(name, answer["question"]): answer["points"]
                  for name, one in learner.counted.items() for answer in one.questions}
        yield [learner.name, learner.points, batch.possible,
               *(learner.counted[name].points if name in learner.counted else "" for name in questions),
               *(points.get((name, question), "") for name in questions for question in questions[name]),
               " ".join(learner.remarks), " ".join(learner.notes)]


COLUMNS = ("question", "points", "possible", "status", "misconception", "case", "inputs", "problem", "diagnosis",
           "hint", "note")


def points_table(batch):
    """Rows of points.csv; a notebook without questions has one row, which says why."""
    yield ["learner", "notebook", "set", "counts", *COLUMNS]
    for learner in batch.learners:
        for one in learner.notebooks:
            counts = "yes" if learner.counted.get(one.set) is one else "no"
            for answer in one.questions or [{"status": NOT_GRADED, "problem": one.problem}]:
                yield [learner.name, one.notebook, one.set, counts, *(answer.get(name, "") for name in COLUMNS)]


# JSON

def as_data(batch):
    """Everything, as plain data.

    format, version: "nnlib.grading.report" and 1; a change that breaks readers raises the version.
    nnlib, seed, notes, protections {active, missing}: what graded, from which seed, sentences.
    sets: [{set, possible, handed_in, mean, median, questions, misconceptions}], of the notebooks that count;
        questions: [{question, possible, graded, right, share}];
        misconceptions: [{count, question, misconception, hint}].
    learners: [{learner, page, points, possible, notebooks}]; notebooks: [{notebook, set, counts, points, possible,
        problem, notes, questions}]; questions as `Graded.questions`: {question, points, possible, status, case,
        problem, diagnosis, hint, misconception, note}, texts as they came from the learner.
    """
    keys = ("count", "question", "misconception", "hint")
    sets = [{"set": one.name, "possible": one.possible, "handed_in": len(one.graded), "mean": round(one.mean, 6),
             "median": one.median, "questions": one.questions,
             "misconceptions": [dict(zip(keys, row, strict=True)) for row in one.misconceptions]} for one in batch.sets]
    learners = [{"learner": learner.name, "page": f"learners/{learner.page}.html", "points": learner.points,
                 "possible": batch.possible, "notebooks": [
                     {"notebook": one.notebook, "set": one.set, "counts": learner.counted.get(one.set) is one,
                      "points": one.points, "possible": one.possible, "problem": one.problem, "notes": list(one.notes),
                      "questions": one.questions} for one in learner.notebooks]} for learner in batch.learners]
    return {"format": FORMAT, "version": VERSION, "nnlib": nnlib.__version__, "seed": batch.seed,
            "notes": list(batch.notes), "protections": {"active": list(batch.active), "missing": list(batch.missing)},
            "sets": sets, "learners": learners}


def files(batch):
    """{file name: text} of all reports but the pages; report.json first, as it marks a folder as ours."""
    return {"report.json": json.dumps(as_data(batch), indent=1) + "\n", "report.txt": text(batch),
            "grades.csv": _table(grades_table(batch)), "points.csv": _table(points_table(batch))}
