"""Whose notebooks are whose, and grading many at a time: in order, as one by one, whatever one of them does."""

import os
import shutil
from pathlib import Path

import joblib
import pytest
from joblib.externals.loky import get_reusable_executor

from nnlib.grading import batch
from nnlib.grading.batch import Submission, collect, grade_all, grade_each
from nnlib.grading.grader import Graded
from nnlib.grading.notebooks import GraderError

EX01, EX03 = "ex01_logistic_regression", "ex03_gradient_descent"
COURSE = Path(__file__).parents[2]


@pytest.fixture
def write(tmp_path):
    """Writes empty notebooks; gives the folder that they lie in."""
    def write(*names):
        for name in names:
            path = tmp_path / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
        return tmp_path / "class"
    return write


@pytest.fixture
def processes():
    """Ends the processes that a test has started."""
    yield
    get_reusable_executor().shutdown()


def found(*paths, **options):
    return [(one.learner, one.shown) for one in collect(paths, **options)]


@pytest.mark.parametrize("name, learner", [
    ("Anna/a.ipynb", "Anna"), (f"Anna/{EX01}/{EX01}.ipynb", "Anna"), (f"submitted/Anna/{EX01}/{EX01}.ipynb", "Anna"),
    (f"{EX01}/Anna.ipynb", "Anna"), (f"{EX01}/{EX01}.ipynb", "class"), (f"{EX01}.ipynb", "class"),
    ("Anna.ipynb", "Anna"),
    (f"{EX01}_Anna Lee.ipynb", "Anna Lee"), (f"Anna-{EX01}.ipynb", "Anna"), ("ex01_Anna.ipynb", "Anna"),
    ("Anna.ex03.ipynb", "Anna"), (f"{EX01} (1).ipynb", f"{EX01} (1)"), ("ex0123.ipynb", "ex0123"),
    ("Zoë/deep/er/a.ipynb", "Zoë")])
def test_the_learner_of_a_notebook(write, name, learner):
    assert found(write(name)) == [(learner, name)]


def test_the_learner_of_a_file_that_is_named(write):
    folder = write(f"anna/{EX01}/{EX01}.ipynb", "bo/ex01_bo.ipynb")
    assert found(folder / "anna" / EX01 / f"{EX01}.ipynb", folder / "bo" / "ex01_bo.ipynb") == [
        ("anna", f"{EX01}/{EX01}.ipynb"), ("bo", "bo/ex01_bo.ipynb")]


def test_a_relative_folder(write, monkeypatch):
    monkeypatch.chdir(write(f"{EX01}.ipynb", "Anna/a.ipynb"))
    assert found(".") == [("Anna", "Anna/a.ipynb"), ("class", f"{EX01}.ipynb")]


def test_order_and_what_is_named_twice(write):
    folder = write("bo/2.ipynb", "bo/1.ipynb", "Ada/a.ipynb", "ada/a.ipynb", "bo/.ipynb_checkpoints/1.ipynb")
    names = [("Ada", "Ada/a.ipynb"), ("ada", "ada/a.ipynb"), ("bo", "bo/1.ipynb"), ("bo", "bo/2.ipynb")]
    assert found(folder) == names
    assert [one.path for one in collect([folder, folder / "bo" / ".." / "bo" / "1.ipynb"])] == [
        folder / "Ada/a.ipynb", folder / "ada/a.ipynb", folder / "bo/1.ipynb", folder / "bo/2.ipynb"]


def test_several_folders_tell_their_notebooks_apart(write):
    folder = write("week1/anna/a.ipynb", "week2/anna/a.ipynb")
    assert found(folder / "week1", folder / "week2") == [("anna", "week1/anna/a.ipynb"), ("anna", "week2/anna/a.ipynb")]


@pytest.mark.parametrize("under", ["", "submitted/"])
def test_a_learner_without_a_notebook_is_not_lost(write, under):
    folder = write(f"{under}anna/a.ipynb")
    for name in (f"{under}bo", ".git", "__pycache__", "report"):
        (folder / name).mkdir()
    submissions = collect([folder], but=folder / "report")
    assert [(one.learner, one.problem) for one in submissions] == [
        ("anna", ""), ("bo", "the folder holds no notebook (*.ipynb).")]
    graded = batch._grade(submissions[1], 3, 9)
    assert (graded.learner, graded.seed, graded.problem) == ("bo", 3, "the folder holds no notebook (*.ipynb).")


def test_folders_beside_loose_notebooks_are_nobody(write):
    folder = write("anna.ipynb")
    (folder / "data").mkdir()
    assert found(folder) == [("anna", "anna.ipynb")]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_no_text(write):
    folder = write("anna/a.ipynb")
    os.rename(os.fsencode(folder / "anna"), os.fsencode(folder) + b"/\xffx")
    [one] = collect([folder])
    assert (one.learner, one.shown) == ("\\xffx", "\\xffx/a.ipynb") and one.path.exists()


def test_what_cannot_be_collected(write, tmp_path):
    with pytest.raises(GraderError, match="missing: there is no such file or folder"):
        collect([tmp_path / "missing"])
    folder = write("report/anna.ipynb")
    with pytest.raises(GraderError, match=r"class: the folder holds no notebook \(\*\.ipynb\)"):
        collect([folder], but=folder / "report")


def test_parallel_results_are_those_of_one_process_in_the_order_of_the_paths(processes, tmp_path):
    (tmp_path / "junk.ipynb").write_bytes(b"\x00")
    paths = [COURSE / "exercises" / EX01 / f"{EX01}.ipynb", tmp_path / "junk.ipynb",
             COURSE / "solutions" / EX03 / f"{EX03}.ipynb"]
    alone = grade_all(paths, seed=4)
    assert [one.points for one in alone] == [0, 0, 15]
    assert [bool(one.problem) for one in alone] == [False, True, False]
    assert grade_all(paths, jobs=2, seed=4) == alone
    with joblib.parallel_config(n_jobs=2):
        assert grade_all(paths, seed=4) == alone


def killer(learner):
    """A submission that ends the process that looks at it, unless that is this one."""
    class Killer(Submission):
        def __getattribute__(self, name):
            if name == "problem" and os.getpid() != here:
                os._exit(9)
            return super().__getattribute__(name)
    here = os.getpid()
    return Killer(Path("missing.ipynb"), learner, f"{learner}.ipynb")


def test_submissions_that_kill_the_process_that_grades_them(processes):
    others = [Submission(Path("missing.ipynb"), name, name, "is missing.") for name in "abcdef"]
    submissions = [others[0], killer("k1"), *others[1:4], killer("k2"), killer("k3"), *others[4:]]
    results = grade_all(submissions, jobs=2, seed=3)
    assert [one.learner for one in results] == ["a", "k1", "b", "c", "d", "k2", "k3", "e", "f"]
    assert [one.problem for one in results if one.learner.startswith("k")] == [
        "it ended the process that graded it (TerminatedWorkerError)."] * 3
    assert {one.problem for one in results if len(one.learner) == 1} == {"is missing."}


def test_an_error_in_the_grader_costs_one_submission(monkeypatch):
    def fail(path, **options):
        if path.name == "b":
            raise RuntimeError("oh")
        return Graded(str(path))
    monkeypatch.setattr(batch, "grade", fail)
    results = grade_all([Path("a"), Path("b"), Path("c")])
    assert [one.problem for one in results] == ["", "the grader itself stopped (RuntimeError: oh).", ""]
    assert [one.notebook for one in results] == ["a", "b", "c"]


def test_results_come_one_by_one(monkeypatch):
    seen = []
    monkeypatch.setattr(batch, "grade", lambda path, **options: seen.append(path.name) or Graded(path.name))
    results = grade_each(map(Path, "abc"))
    assert next(results).notebook == "a" and len(seen) < 3
    results.close()


def test_the_bar(monkeypatch, capsys):
    monkeypatch.setattr(batch, "grade", lambda path, **options: Graded(path.name))
    grade_all([Path("a"), Path("b")])
    assert capsys.readouterr().err == ""
    grade_all([Path("a"), Path("b")], progress=True)
    assert "2/2" in capsys.readouterr().err


def test_copies_of_a_course_folder_need_no_options(tmp_path):
    shutil.copytree(COURSE / "exercises", tmp_path / "exercises")
    assert found(tmp_path / "exercises") == [
        ("exercises", f"{name}/{name}.ipynb") for name in sorted(os.listdir(tmp_path / "exercises"))]
