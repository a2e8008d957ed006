"""TEACHING.md: what it tells teachers to run is run here, what it quotes is still said, its plan is the course's."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader
import pytest

import exercises
import nnlib.grading
from nnlib.grading import checks
from nnlib.widgets.syllabus import CHAPTERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^<!-- (tested|file: (\S+)) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COURSE = ("nnlib", "solutions", "tools", "nbgrader_config.py")


def rows(heading):
    """The cells of the table below a heading, without its own heading and rule."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.skipif(os.name == "nt" or not shutil.which("sh"), reason="its commands are for a POSIX shell")
def test_the_commands_work_in_the_order_of_the_page(tmp_path):
    for name in COURSE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    exercises.store(exercises.generate(), tmp_path)  # the working files may hold a learner's answers
    scripts = ["set -e"]
    for kind, name, text in BLOCK.findall(PAGE):
        if kind == "tested":
            scripts.append(text)
            continue
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(scripts) > 7 and (tmp_path / "private" / "checks" / "ex51.py").is_file()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"),
                   "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(["sh", "-c", "\n".join(scripts)], cwd=tmp_path, env=environment, text=True, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-3000:]
    grades = (tmp_path / ".grading" / "grades.csv").read_text()
    assert re.search(r"ex01_logistic_regression,.*,ada,.*,15.0,15.0\n.*,bo,.*,0.0,15.0\n", grades)
    for folder, points in ("report", "15"), ("quiz-report", "2"):
        assert (tmp_path / folder / "index.html").is_file() and (tmp_path / folder / "report.json").is_file()
        with open(tmp_path / folder / "grades.csv", encoding="utf-8-sig", newline="") as file:
            totals = {row["learner"]: (row["total"], row["possible"]) for row in csv.DictReader(file)}
        assert totals == {"ada": (points, points), "bo": ("0", points)}
    assert "1 questions, 7.0 misconceptions on average, 0 problems" in done.stdout  # the audit of the example
    handed_out = sorted(path.name for path in (tmp_path / "private" / ".grading" / "release").rglob("*.*"))
    assert handed_out == ["ex51_quiz.ipynb"]
    assert "return" not in nbformat.read(tmp_path / "quiz" / "bo" / "ex51_quiz.ipynb", 4).cells[2].source


def test_the_messages_it_explains_are_those_that_are_said():
    said = "".join(path.read_text(encoding="utf-8") for package in (nnlib.grading, nbgrader)
                   for path in Path(package.__file__).parent.rglob("*.py"))
    said = re.sub(r"""["']\n\s*f?["']""", "", said)  # one text over two lines
    for message, _, _ in rows("When something goes wrong"):
        assert re.search("`(.*)`", message)[1] in said, message


def test_the_plan_is_the_courses():
    plan = rows("A course of fourteen weeks")
    assert [row[1] for row in plan] == [str(chapter) for chapter in CHAPTERS.values()]
    assert [int(row[0]) for row in plan] == sorted(int(row[0]) for row in plan)
    for (_, _, state, minutes, todo), chapter in zip(plan, CHAPTERS.values(), strict=True):
        assert state == ("here" if chapter.notebook(ROOT) else "coming"), chapter
        assert int(minutes) == chapter.minutes
        sets = sorted(ROOT.glob(f"solutions/ex{chapter.number}_*/*.ipynb"))
        expected = "-"
        if sets:
            time = re.search(r"\*\*Time:\*\* about (\d+) minutes", nbformat.read(sets[0], 4).cells[0].source)[1]
            expected = f"{time} minutes, {sum(one.points for one in checks.load(sets[0].stem).values()):g} points"
        assert todo == expected, chapter


def test_its_links_lead_somewhere():
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", PAGE), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) <= anchors
    for path in re.findall(r"`((?:nnlib|tools|notebooks|exercises|solutions)/[\w./]*)`", PAGE):
        assert "..." in path or (ROOT / path).exists(), path
