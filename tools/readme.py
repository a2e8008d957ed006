"""Write the course's table in README.md from the syllabus, the exercises and the questions.

    python tools/readme.py
"""

import importlib
import re
import sys
from pathlib import Path

import marked
from nnlib import widgets
from nnlib.grading import checks
from nnlib.widgets.syllabus import CHAPTERS, PARTS

ROOT = Path(__file__).resolve().parent.parent


def minutes_of(path):
    """The minutes that an exercise notebook says it takes."""
    said = re.search(r"\*\*Time:\*\* about (\d+) minutes", path.read_text(encoding="utf-8"))
    if not said:
        raise ValueError(f"{path.name}: expected '**Time:** about ... minutes' in its first lines")
    return int(said[1])


def plural(count, noun):
    """'1 point', '15 points'; halves as they are."""
    return f"{count:,g} {noun}{'' if count == 1 else 's'}"


def hours(minutes):
    """Minutes in hours, to half an hour."""
    return f"{round(minutes / 30) / 2:g} hours"


def row(chapter, exercises):
    """One line of the table."""
    path = chapter.exercises(ROOT)
    points = sum(exercise.points for exercise in exercises)
    practice = "a warm-up inside" if path is None else (
        f"[{plural(points, 'point')}]({path.relative_to(ROOT).as_posix()}), {minutes_of(path)} min")
    notebook = chapter.notebook(ROOT).relative_to(ROOT).as_posix()
    cells = chapter.number, f"[{chapter.title}]({notebook})", f"{chapter.minutes} min", practice, chapter.promise
    return f"| {' | '.join(cells)} |"


def syllabus():
    """The table of the chapters, and what it all comes to, as Markdown."""
    sets = {name[2:4]: checks.load(name).values() for name in checks.names()}
    lines = ["| | chapter | time | exercises | at the end |", "|---|---|---|---|---|"]
    for part, name in PARTS.items():
        lines.append(f"| **{part}** | **{name}** | | | |")
        lines += [row(chapter, sets[number]) for number, chapter in CHAPTERS.items() if chapter.part == part]
    graded = [exercise for number, exercises in sets.items() for exercise in exercises if exercise.points]
    banks = [importlib.import_module(f"nnlib.widgets.question_bank.nb{number}") for number in CHAPTERS]
    reading = sum(chapter.minutes for chapter in CHAPTERS.values())
    practice = sum(minutes_of(path) for path in (c.exercises(ROOT) for c in CHAPTERS.values()) if path)
    return "\n".join([*lines, "", (
        f"Together: {len(CHAPTERS)} chapters of {hours(reading)} with {len(widgets._EXPLORERS)} explorers and "
        f"{sum(len(bank.QUESTIONS) for bank in banks)} questions to predict an answer; {len(graded)} graded exercises "
        f"of {hours(practice)}, "
        f"{plural(sum(exercise.points for exercise in graded), 'point')}; "
        f"{sum(len(exercise.misconceptions) for exercise in graded):,} known mistakes that get a hint of their own.")])


def renewed(page):
    """The text of README.md with the table as it should be. Raises ValueError where the comments around it lack."""
    return marked.renewed(page, "syllabus", "tools/readme.py", syllabus())


def main():
    """Renew README.md; returns 0."""
    path = ROOT / "README.md"
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
