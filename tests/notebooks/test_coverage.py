"""Every idea of the five lectures has a section that teaches it and a question that asks for it: docs/COVERAGE.md."""

import importlib
import re

import pytest

import links
from links import ROOT
from nnlib.grading import checks
from nnlib.widgets.syllabus import CHAPTERS

PAGE = ROOT / "docs" / "COVERAGE.md"
SLIDES = {"A": 29, "B": 0, "C": 0, "D": 153, "E": 0}  # of the decks that number them
PLACE = re.compile(r"([A-E])(?: (\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*))?")
LINK = re.compile(r"\[([^\]]+)\]\((\S+?)\)(?=, \[|$)")
SLIPS = 21  # of the decks, that the course sets right


def rows_of(text):
    """The rows of a page's tables: list of (line number, heading above, cells)."""
    rows, heading = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        heading = line.lstrip("# ") if line.startswith("#") else heading
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if line.startswith("|") and not set(line) <= set("|- ") and cells[0] != "deck":
            rows.append((number, heading, cells))
    return rows


def pieces(path):
    """Pairs (anchor of the heading above, text or code) of a notebook."""
    above = ""
    for cell in links.notebook_cells(path):
        if cell["cell_type"] == "markdown":
            first, *rest = links.HEADING.split(links.FENCE.sub("", cell["source"]))
            yield above, first
            for heading, text in zip(rest[::2], rest[1::2]):
                above = links.plain(heading).replace(" ", "-")
                yield above, text
        else:
            yield above, cell["source"]


def fault_of_place(place, heading):
    """What is wrong with a row's first cell: decks by letter, with slides where the deck numbers them."""
    decks = [PLACE.fullmatch(part) for part in re.split(r", (?=[A-E])", place)]
    if not all(decks):
        return "expected a deck, such as D 12 or D 12-14"
    for letter, slides in (deck.groups() for deck in decks):
        numbers = [int(number) for number in re.findall(r"\d+", slides or "")]
        if heading.startswith("Deck") and not heading.startswith(f"Deck {letter}:"):
            return f"deck {letter} in the table of another"
        if numbers and max(numbers) > SLIDES[letter]:
            return f"deck {letter} has no slide {max(numbers)} with a number"
        if heading.startswith("Deck") and SLIDES[letter] and not numbers:
            return "expected the slide's number"
    return None


def fault_of_section(text, target):
    """What is wrong with a link to the section of a chapter: its text is the chapter's number and the heading."""
    broken = links.fault(target, PAGE)
    found = re.fullmatch(r"\.\./notebooks/((\d\d)_\w+\.ipynb)#(.+)", target)
    if broken or not found:
        return broken or "expected a section of a chapter"
    said = f"{found[2]} {re.sub(r'^[0-9]+[.]-', '', found[3]).replace('-', ' ')}"
    return None if links.plain(text).replace("-", " ") == said else f"expected {said!r} but got {text!r}"


def fault_of_question(text, target):
    """What is wrong with a link to what asks: a question of the bank, an exercise, or an item of a self-test."""
    if broken := links.fault(target, PAGE):
        return broken
    path, anchor = (PAGE.parent / target.partition("#")[0]).resolve(), target.partition("#")[2]
    number = re.search(r"\d\d", path.name)[0]
    sources = [source for above, source in pieces(path) if above == anchor]
    if asked := re.fullmatch(r"\*(.+)\*", text):
        questions = importlib.import_module(f"nnlib.widgets.question_bank.nb{number}").QUESTIONS
        there = asked[1] in questions and any(f'ask("{asked[1]}")' in source for source in sources)
    elif graded := re.fullmatch(r"`(.+)`", text):
        exercises = checks.load(next(name for name in checks.names() if name.startswith(f"ex{number}")))
        call = re.compile(rf'^check\("?{re.escape(graded[1])}["),]', re.MULTILINE)
        there = graded[1] in exercises and any(call.search(source) for source in sources)
    else:
        item = re.fullmatch(r"self-test (\d+)", text)
        there = item and anchor == "Test-yourself" and any(
            re.search(rf"^{item[1]}\. ", source, re.MULTILINE) for source in sources)
    return None if there else f"{text} is not asked under #{anchor} of {path.name}"


def faults(text):
    """Sentences on the rows that lack a target, or whose target is not there."""
    found = []
    for number, heading, cells in rows_of(text):
        said = [] if len(cells) == 4 and all(cells) else ["expected four cells, none of them empty"]
        if not said:
            place, _, section, question = cells
            said = [fault_of_place(place, heading)]
            for cell, fault in ((section, fault_of_section), (question, fault_of_question)):
                targets = LINK.findall(cell)
                complete = ", ".join(f"[{text}]({target})" for text, target in targets) == cell
                said += [fault(*target) for target in targets] if complete else [f"expected links but got {cell}"]
        found += [f"line {number}: {sentence}" for sentence in said if sentence]
    return found


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_every_row_has_a_section_and_a_question_that_exist(page):
    assert faults(page) == []


def test_all_decks_and_all_chapters_have_rows_and_no_idea_stands_twice(page):
    rows = rows_of(page)
    decks = [heading[5] for _, heading, _ in rows if heading.startswith("Deck ")]
    assert list(dict.fromkeys(decks)) == list(SLIDES)
    assert set(re.findall(r"/notebooks/(\d\d)_", page)) == set(CHAPTERS)
    keys = [(cells[0][0], cells[1]) for _, _, cells in rows]
    assert len(keys) == len(set(keys))


def test_every_slide_of_the_decks_that_number_them_is_in_a_row(page):
    for letter, first, empty in (("A", 2, set()), ("D", 1, {95, 106, 110, 116})):  # title slides and dividers
        seen = set()
        for _, heading, (place, *_) in rows_of(page):
            if heading.startswith(f"Deck {letter}:"):
                for low, _, high in (part.partition("-") for part in place[2:].split(", ")):
                    seen |= set(range(int(low), int(high or low) + 1))
        assert set(range(first, SLIDES[letter] + 1)) - seen == empty


def test_every_slip_of_the_decks_is_in_the_last_table(page):
    slips = [cells for _, heading, cells in rows_of(page) if heading.startswith("Slips")]
    assert len(slips) == SLIPS and {cells[0][0] for cells in slips} == {"C", "D", "E"}


SECTION = "[03 The step](../notebooks/03_gradient_descent.ipynb#The-step)"
QUESTION = "[*the next step*](../notebooks/03_gradient_descent.ipynb#1.-Walking-on-the-error-surface)"
ANSWER = "../exercises/ex03_gradient_descent/ex03_gradient_descent.ipynb#1.-One-step-(2-points)"


@pytest.mark.parametrize("row, expected", [
    (f"| A 17 | an idea | {SECTION} | {QUESTION}, [`gradient_step`]({ANSWER}) |", None),
    (f"| A | an idea | {SECTION} | {QUESTION} |", "slide's number"),
    (f"| A 30 | an idea | {SECTION} | {QUESTION} |", "no slide 30"),
    (f"| D 17 | an idea | {SECTION} | {QUESTION} |", "table of another"),
    (f"| A 17 | an idea | {SECTION} |  |", "four cells"),
    (f"| A 17 |  | {SECTION} | {QUESTION} |", "four cells"),
    (f"| A 17 | an idea | {SECTION} |", "four cells"),
    (f"| A 17 | an idea | coming | {QUESTION} |", "expected links"),
    (f"| A 17 | an idea | {SECTION} | {QUESTION} and more |", "expected links"),
    (f"| A 17 | an idea | {SECTION.replace('#The-step', '#A-step')} | {QUESTION} |", "no heading #A-step"),
    (f"| A 17 | an idea | {SECTION.replace('[03', '[04')} | {QUESTION} |", "expected '03 The step'"),
    (f"| A 17 | an idea | [TEACHING](../TEACHING.md) | {QUESTION} |", "a section of a chapter"),
    (f"| A 17 | an idea | {SECTION} | {QUESTION.replace('next', 'last')} |", "is not asked"),
    (f"| A 17 | an idea | {SECTION} | {QUESTION.replace('#1.-Walking-on-the-error-surface', '#4.-Batches')} |",
     "is not asked"),
    (f"| A 17 | an idea | {SECTION} | [`gradient_step`](../notebooks/03_gradient_descent.ipynb#The-step) |",
     "is not asked"),
    (f"| A 17 | an idea | {SECTION} | [`gradient_leap`]({ANSWER}) |", "is not asked"),
    (f"| A 17 | an idea | {SECTION} | [self-test 1](../notebooks/03_gradient_descent.ipynb#Test-yourself) |", None),
    (f"| A 17 | an idea | {SECTION} | [self-test 9](../notebooks/03_gradient_descent.ipynb#Test-yourself) |",
     "is not asked"),
])
def test_a_row_without_a_target_gets_a_sentence(row, expected):
    said = faults(f"## Deck A: x\n\n| deck | idea | section | asked by |\n|---|---|---|---|\n{row}\n")
    assert said == [] if expected is None else len(said) == 1 and expected in said[0]
