"""What every notebook of the course keeps to, whatever it teaches."""

import re
from pathlib import Path

import nbformat
import pytest

import badges
import exercises
import notebooks

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOURCES = sorted((ROOT / "solutions").glob("*/*.ipynb"))
LINES = 20  # in a code cell; about 12 is better
NETWORK = re.compile(r"https?://|\b(import|from) (urllib|requests|httpx|socket)\b|fetch_openml|urlretrieve")


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def cells(path, kind):
    """Pairs (number, cell) of one kind."""
    return [(n, c) for n, c in enumerate(nbformat.read(path, 4).cells, 1) if c.cell_type == kind]


def test_the_notebooks_of_this_stage_are_there_and_every_chapter_but_the_first_has_a_set():
    assert [path.stem[:2] for path in LESSONS] == [f"{number:02d}" for number in range(17)]
    assert [path.stem for path in SOURCES] == [f"ex{path.stem}" for path in LESSONS[1:]]


@named(LESSONS + SOURCES)
def test_it_is_stored_normalized_and_a_lesson_also_executed(path):
    assert notebooks.check(path) == []


@named(LESSONS + SOURCES)
def test_no_cell_needs_the_network(path):
    assert [number for number, cell in cells(path, "code") if NETWORK.search(cell.source)
            and badges.TAG not in notebooks.tags(cell)] == []


@named(LESSONS + SOURCES)
def test_no_code_cell_is_longer_than_a_glance(path):
    long = {number: len(cell.source.splitlines()) for number, cell in cells(path, "code")}
    assert {number: lines for number, lines in long.items() if lines > LINES} == {}


@named(LESSONS)
def test_prose_stands_before_every_code_cell(path):
    kinds = [cell.cell_type for cell in nbformat.read(path, 4).cells]
    assert [n for n, pair in enumerate(zip(kinds, kinds[1:]), 2) if pair == ("code", "code")] == []


@named(LESSONS + SOURCES)
def test_it_begins_with_its_title(path):
    first = nbformat.read(path, 4).cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")


def test_the_exercises_are_what_the_solutions_give():
    assert exercises.check(exercises.generate()) == []
