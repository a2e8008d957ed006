"""Alternative texts: each says what is to be seen on its picture, wherever the course shows one."""

import html
import re
from pathlib import Path

import nbformat
import pytest
from legible import poor

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOURCES = sorted((ROOT / "solutions").glob("*/*.ipynb"))
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
IMAGE = re.compile(r"<img\b[^>]*>")
EMBEDDED = re.compile(r"!\[(.*?)\]\(([^)\s]*).*?\)", re.DOTALL)


def pictures_of(page):
    """Pairs (alternative text or None, source) of all images in HTML or Markdown."""
    found = []
    for tag in IMAGE.findall(page):
        values = {name: html.unescape(value) for name, value in re.findall(r'\b(alt|src)="([^"]*)"', tag)}
        found.append((values.get("alt"), values.get("src", "")))
    return found + [(" ".join(text.split()), source) for text, source in EMBEDDED.findall(page)]


def pictures(path):
    """Triples (cell number, text, source) of a notebook: stored outputs and what Markdown embeds."""
    found = []
    for number, cell in enumerate(nbformat.read(path, 4).cells, 1):
        if cell.cell_type == "markdown":
            found += [(number, *picture) for picture in pictures_of(cell.source)]
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            shown = pictures_of(data.get("text/html", ""))
            if not shown and any(kind.startswith("image/") for kind in data):
                shown = [(None, data)]
            found += [(number, *picture) for picture in shown]
    return found


@pytest.mark.parametrize("path", LESSONS + SOURCES, ids=lambda path: path.stem)
def test_every_picture_of_a_notebook_has_a_text_of_its_own(path):
    found = pictures(path)
    assert found or path not in LESSONS
    assert {f"cell {number}: {text}": poor(text) for number, text, _ in found if poor(text)} == {}
    shown = {}
    for number, text, source in found:
        first, place = shown.setdefault(text, (source, number))
        assert first == source, f"cells {place} and {number}: two pictures, one text: {text}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_picture_of_a_page_has_a_text(path):
    found = pictures_of(re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))
    badges = [text for text, source in found if "badge" in source]  # a link's name, not a picture to look at
    assert all(badges)
    assert {text: poor(text) for text, _ in found if text not in badges and poor(text)} == {}


@pytest.mark.parametrize("text, count", [
    ("The loss falls quickly for 20 steps, then stays near 0.3.", 0),
    ("The image “strokes” with the window of the kernel marked, beside its output.", 0),
    ("Three pictures. The path of 90 steps ends in the valley, the loss at 0.1.", 0),
    ("A plot of the loss against the step, with three lines in it.", 1),
    ("Figure: the loss against the step, with three lines in it.", 1),
    ("The loss falls.", 1), ("loss against step, with three lines in it, all falling", 2), ("", 1), (None, 1),
    (" " * 60, 1), ("image", 4)])
def test_poor_texts_are_found(text, count):
    assert len(poor(text)) == count


def test_pictures_are_found_in_html_and_markdown():
    page = ('<p><img src="a.png" alt="&quot;A&quot; &lt; B."><img src="b.png"></p> ![two\nlines](c.png "title") '
            "[no](picture.png)")
    assert pictures_of(page) == [('"A" < B.', "a.png"), (None, "b.png"), ("two lines", "c.png")]
