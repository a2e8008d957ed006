"""Every link leads somewhere: notebooks, Markdown files, questions, explorers, the course map."""

import re

import nbformat
import pytest

import links
from links import ROOT
from nnlib.widgets import CourseMap
from nnlib.widgets.syllabus import CHAPTERS

NOTEBOOKS = [path for folder in ("notebooks", "solutions", "exercises") for path in links.files(f"{folder}/*.ipynb")]
PAGES = links.files("*.md")
MODULES = links.files("nnlib/widgets/*.py")
README, LESSON = ROOT / "README.md", ROOT / "notebooks" / "03_gradient_descent.ipynb"


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


def test_what_is_looked_through_is_there():
    assert len(NOTEBOOKS) >= 49 and {"README.md", "TEACHING.md"} <= {path.name for path in PAGES}
    assert any("question_bank" in path.parts for path in MODULES)


@named(NOTEBOOKS + PAGES)
def test_links_lead_somewhere(path):
    assert links.broken(path) == []


def test_questions_and_explorers_name_no_address_that_is_none():
    assert [sentence for path in MODULES for sentence in links.broken(path)] == []


@pytest.mark.parametrize("number", CHAPTERS)
def test_the_course_map_leads_to_every_chapter(number, tmp_path, monkeypatch):
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "progress.json"))
    course_map = CourseMap()
    course_map.select(number)
    targets = links.links_in_html(course_map.details.value)
    assert len(targets) == (1 if number == "00" else 2)
    assert [links.fault(target, LESSON) for target in targets] == [None] * len(targets)


@named(PAGES)
def test_files_and_commands_that_a_page_names_exist(path):
    text = path.read_text(encoding="utf-8")
    commands = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^ {4}|`|^\s*\$ )make ([a-z]+)", text, re.MULTILINE)
    assert set(named) <= commands
    folders = {path.relative_to(ROOT).parts[0] for path in links.known() if path != ROOT and path.is_dir()}
    paths = [name for name in re.findall(r"`([\w.-]+/[\w./-]*)`", text)
             if name.split("/")[0] in folders and not re.search(r"NN|\.{3}", name)]
    assert [name for name in paths if ROOT / name.rstrip("/") not in links.known()] == []


@pytest.mark.parametrize("target, path, expected", [
    ("03_gradient_descent.ipynb", LESSON, None),
    ("03_gradient_descent.ipynb#The-step", LESSON, None),
    ("#Too-small,-too-large,-right", LESSON, None),
    ("../notebooks/05_computation_graphs.ipynb#The-same-graph-in-nnlib", LESSON, None),
    ("../exercises/ex03_gradient_descent/ex03_gradient_descent.ipynb#1.-One-step-(2-points)", LESSON, None),
    ("docs/", README, None),
    ("TEACHING.md#a-course-of-fourteen-weeks", README, None),
    ("https://docs.astral.sh/uv/", README, None),
    ("03_Gradient_Descent.ipynb", LESSON, "there is no 03_Gradient_Descent.ipynb"),
    ("03_gradient_descent.ipynb#The-stop", LESSON, "no heading #The-stop; did you mean #The-step?"),
    ("#the-step", LESSON, "did you mean #The-step?"),
    ("TEACHING.md#A-course-of-fourteen-weeks", README, "no heading"),
    ("docs/momentum.gif#1", README, "there is no docs/momentum.gif"),
    ("LICENSE#1", README, "no heading"),
    ("../elsewhere/README.md", README, "there is no"),
    ("/README.md", README, "relative"),
    ("docs\\growth.png", README, "relative"),
    (".venv/pyvenv.cfg", README, "there is no"),
    ("TEACHING.md#", README, "empty"),
    ("http://docs.astral.sh/uv/", README, "expected https"),
    ("file:///tmp/a.png", README, "expected https"),
    ("https://github.com/OWNER/course", README, "placeholder"),
    ("https://example.com/", README, "placeholder"),
    ("https://...", README, "placeholder"),
    ("https://nohost", README, "placeholder"),
])
def test_a_wrong_link_gets_a_sentence_and_a_right_one_none(target, path, expected):
    said = links.fault(target, path)
    assert said is None if expected is None else expected in said


def test_links_are_found_wherever_they_are_written(tmp_path):
    text = """# A `heading` of [its](own)
[a](b.md) ![c](d.png "title") [e](f(g)h) <https://i.org> https://j.org. <a href="k.md"><img src='l.png' alt="m">

[n]: o.md

`[not](this)` and

    ```python
    indented = "[kept](p)"
    ```

```
[not](this)
# neither
```
"""
    assert links.links_in_markdown(text) == ["own", "b.md", "d.png", "f(g)h", "o.md", "https://i.org", "https://j.org",
                                             "k.md", "l.png"]
    assert links.headings_of(text) == ["A heading of its"]
    assert links.github_anchors("# One, two\n## One two\n## C++ & `d_e`\n") == ["one-two", "one-two-1", "c--d_e"]
    page = nbformat.v4.new_output("display_data", {"text/html": '<a href="a.md"><img src="data:x"><img src="b.png">'})
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("[c](d.md)"),
                                         nbformat.v4.new_code_cell("'[e](f.md)'", outputs=[page])])
    nbformat.write(nb, tmp_path / "nb.ipynb")
    assert list(links.links_in_notebook(tmp_path / "nb.ipynb")) == [(1, "d.md"), (2, "a.md"), (2, "b.png")]
    (tmp_path / "a.py").write_text('"""See [one](two.md)."""\nX = "https://three.org/x"\n')
    assert list(links.links_in_python(tmp_path / "a.py")) == [(1, "two.md"), (2, "https://three.org/x")]


def test_the_command_line_lists_what_is_broken(capsys):
    assert links.main(["README.md"]) == 0 and "no broken link" in capsys.readouterr().out
