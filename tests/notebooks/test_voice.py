"""One template: what a learner finds in the same place and in the same words in every chapter."""

import re
from pathlib import Path

import nbformat
import pytest

from nnlib.widgets.syllabus import CHAPTERS

LESSONS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
named = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
WIDGET = re.compile(r"^(\w+Explorer|GraphStepper|OptimizerRace|Playground|DrawDigit)\(", re.MULTILINE)


def cells(path):
    return nbformat.read(path, 4).cells


def headings(path):
    text = "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


@named
def test_the_first_cell_promises_and_says_the_time_of_the_map_and_what_is_needed(path):
    first, chapter = cells(path)[0].source, CHAPTERS[path.stem[:2]]
    assert first.startswith(f"# {chapter}\n\n**You ")
    assert f"**Time:** about {chapter.minutes} minutes" in first
    needs = first[first.index("**You need:**"):first.index("**Exercises:**")]
    assert all(f"[{CHAPTERS[number]}]({CHAPTERS[number].notebook().name})" in needs for number in chapter.needs)
    assert 3 <= len(re.findall(r"^\d\. ", first[first.index("## What you will be able to do"):], re.MULTILINE)) <= 5


@named
def test_the_way_on_stands_at_both_ends(path):
    def way(source):
        return re.findall(r"\*\*(?:Previous|Exercises|Next):\*\* [^*\n]*[^*\s·]", source)
    assert len(way(cells(path)[0].source)) >= 2 and way(cells(path)[0].source) == way(cells(path)[-1].source)


@named
def test_sections_are_numbered_and_the_others_have_their_names(path):
    numbers = [int(heading.split(".")[0]) for heading in headings(path) if re.match(r"\d+\. ", heading)]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 5
    names = [heading for heading in headings(path) if not re.match(r"\d+\. ", heading)]
    assert set(names) <= {"What you will be able to do", "How to work through a chapter", "Setup", "Resting point",
                          "What you can do now", "Summary", "Test yourself", "Sources"}
    assert names[-3:] == ["Summary", "Test yourself", "Sources"]
    assert ("Resting point" in names) >= ("resting point in the middle" in cells(path)[0].source)


@named
def test_an_explorer_has_a_goal_before_it_and_what_was_seen_after_it(path):
    bare, all_cells = [], cells(path)
    for before, cell, after in zip(all_cells, all_cells[1:], all_cells[2:]):
        found = WIDGET.search(cell.source) if cell.cell_type == "code" else None
        if found and not ("**Goal:**" in before.source and after.source.startswith("**What you saw.**")):
            bare.append(found[1])
    assert bare == []


@named
def test_the_first_mention_of_another_chapter_is_a_link(path):
    linked, bare = {path.stem[:2]}, []
    lines = [line for cell in cells(path) if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    for line in lines:
        linked |= set(re.findall(r"\]\((\d\d)_", line))
        bare += [line for number in re.findall(r"\b[Cc]hapter (\d\d)\b", line)
                 if number in CHAPTERS and number not in linked]
    assert bare == []


@named
def test_no_chapter_says_it_in_other_words(path):
    text = "\n".join(re.sub(r"`[^`]*`|\*[^*\n]+\*|\]\([^)]*\)", "", line) for cell in cells(path)
                     if cell.cell_type == "markdown" for line in cell.source.splitlines())
    text = text.split("\n## Sources")[0]  # titles of papers keep their spelling
    others = r"\b(samples|data points?|pre-activations?|hyper-parameters?|overfit\w*|nonlinear\w*|soft-max|backprop|" \
             r"colour\w*|grey|behaviour|normalis\w+|regularis\w+|recognis\w+|labelled|cancelled|neighbour\w*)\b"
    assert re.findall(others, text) == []
