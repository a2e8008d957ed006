"""tools/exercises.py: generating, and never losing a learner's work."""

import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import exercises
from notebooks import NotebookError, text_of

NAME = Path("exercises/ex90_tiny/ex90_tiny.ipynb")
ANSWER = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"


def graded(grade_id, **kind):
    """nbgrader's metadata of one cell."""
    return {"nbgrader": {"schema_version": 3, "grade_id": grade_id, "solution": False, "grade": False,
                         "locked": False, "task": False, **kind}}


def write_source(root, *more, answer=ANSWER, note="Write `double`."):
    path = root / "solutions" / "ex90_tiny" / "ex90_tiny.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    check = graded("check", grade=True, locked=True, points=2)
    cells = [new_markdown_cell(note, id="note"),
             new_code_cell(answer, id="answer", metadata=graded("double", solution=True)),
             new_code_cell("double(3)", id="check", metadata=check), *more]
    nbformat.write(new_notebook(cells=cells), path)


def edit(root, change):
    """Change the generated notebook as a learner would."""
    nb = nbformat.read(root / NAME, 4)
    change(nb)
    nbformat.write(nb, root / NAME)


def solve(nb):
    nb.cells[1].source = "def double(x):\n    return x + x"


@pytest.fixture
def course(tmp_path):
    write_source(tmp_path)
    assert exercises.store(exercises.generate(tmp_path), tmp_path) == []
    return tmp_path


def test_solutions_become_stubs_and_points_stay(course):
    nb = nbformat.read(course / NAME, 4)
    assert "return 2 * x" not in text_of(nb) and "SOLUTION" not in text_of(nb)
    assert nb.cells[1].source.endswith("\n    raise NotImplementedError")
    assert nb.cells[2].metadata.nbgrader.points == 2
    assert [cell.id for cell in nb.cells] == ["note", "answer", "check"]


def test_generating_again_writes_the_same_bytes(course):
    before = (course / NAME).read_bytes()
    (course / NAME).unlink()
    assert exercises.store(exercises.generate(course), course) == []
    assert (course / NAME).read_bytes() == before
    assert exercises.check(exercises.generate(course), course) == []


def test_generating_leaves_nothing_else_behind(course):
    assert sorted(p.name for p in course.rglob("*")) == sorted(
        ["solutions", "exercises", "ex90_tiny", "ex90_tiny", "ex90_tiny.ipynb", "ex90_tiny.ipynb"])


@pytest.mark.parametrize("change", [
    solve,
    lambda nb: nb.cells.append(new_code_cell("my_notes = 1")),
    lambda nb: nb.cells.append(new_markdown_cell("what I learned")),
    lambda nb: setattr(nb.cells[0], "source", "Write `double`. My remark: easy."),
    lambda nb: nb.cells[0].update(attachments={"sketch.png": {"image/png": "aGVsbG8="}}),
])
def test_a_learners_work_is_not_replaced(course, change):
    edit(course, change)
    before = (course / NAME).read_bytes()
    write_source(course, note="A clearer text.")
    (sentence,) = exercises.store(exercises.generate(course), course)
    assert "ex90_tiny.ipynb holds work of yours (cell" in sentence and "make exercises KEEP=mine" in sentence
    assert (course / NAME).read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{ broken", b"\xff\x00"])
def test_an_unreadable_notebook_may_be_work_and_stays(course, content):
    (course / NAME).write_bytes(content)
    (sentence,) = exercises.store(exercises.generate(course), course)
    assert "is no readable notebook" in sentence
    assert (course / NAME).read_bytes() == content


def test_work_can_be_kept_beside_a_new_notebook(course):
    edit(course, solve)
    work = (course / NAME).read_bytes()
    fresh = exercises.generate(course)
    assert exercises.store(fresh, course, keep_as="mine") == []
    kept = (course / NAME).with_name("ex90_tiny-mine.ipynb")
    assert kept.read_bytes() == work and (course / NAME).read_bytes() == text_of(fresh[NAME]).encode()
    edit(course, solve)
    (sentence,) = exercises.store(fresh, course, keep_as="mine")
    assert "ex90_tiny-mine.ipynb exists" in sentence and "KEEP=mine2" in sentence and kept.read_bytes() == work


@pytest.mark.parametrize("name", ["", "a/b", "../mine", "x" * 300])
def test_a_name_that_no_file_can_have(name, capsys):
    with pytest.raises(SystemExit):
        exercises.main(["generate", "--keep-as", name])
    assert "expected letters, digits, - or _" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(course, tmp_path, monkeypatch, capsys):
    fresh = exercises.generate(course)
    monkeypatch.setattr(exercises, "generate", lambda: fresh)
    (tmp_path / "file").touch()
    assert exercises.main(["copy", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("change", [
    lambda nb: nb.cells.append(new_code_cell("")),
    lambda nb: nb.cells[2].update(execution_count=3),
    lambda nb: nb.cells.pop(0),
    lambda nb: nb.cells.reverse(),
    lambda nb: nb.cells[1].metadata.update(collapsed=True, execution={"iopub.status.busy": "2024"}),
])
def test_a_notebook_that_was_only_opened_or_run_is_replaced(course, change):
    edit(course, change)
    write_source(course, note="A clearer text.", answer=ANSWER.replace("(x)", "(number)"))
    fresh = exercises.generate(course)
    assert exercises.store(fresh, course) == []
    assert (course / NAME).read_bytes() == text_of(fresh[NAME]).encode()


def test_check_tells_stale_from_run_and_missing(course):
    edit(course, lambda nb: nb.cells[2].update(execution_count=3))
    assert exercises.check(exercises.generate(course), course) == []
    write_source(course, note="A clearer text.")
    (sentence,) = exercises.check(exercises.generate(course), course)
    assert "ex90_tiny.ipynb is not what solutions/ gives; run `make exercises`." in sentence
    (course / NAME).unlink()
    (sentence,) = exercises.check(exercises.generate(course), course)
    assert "is missing" in sentence


def test_check_compares_the_committed_notebook_where_a_learner_works(course):
    for command in (["init", "-q"], ["add", "exercises"]):
        subprocess.run(["git", *command], cwd=course, check=True)
    edit(course, solve)
    assert exercises.check(exercises.generate(course), course) == []
    write_source(course, note="A clearer text.")
    assert len(exercises.check(exercises.generate(course), course)) == 1


def test_a_wrong_source_gets_a_sentence(tmp_path):
    write_source(tmp_path, new_code_cell("### BEGIN SOLUTION\n1"))
    with pytest.raises(NotebookError, match="solutions/ex90_tiny: nbgrader cannot generate it: .*olution"):
        exercises.generate(tmp_path)
    with pytest.raises(NotebookError, match="expected folders"):
        exercises.generate(tmp_path / "nothing")
