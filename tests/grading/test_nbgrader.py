"""nbgrader with the course's settings: what a class hands in gets the same points there as from our own grader."""

import copy
import csv
import inspect
import json
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade
from traitlets.config import PyFileConfigLoader

import exercises
from nnlib.grading import checks, grader
from nnlib.grading.grader import Graded, grade

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning"),
              pytest.mark.filterwarnings("ignore:Non-unique cell id")]
EX01, EX03 = "ex01_logistic_regression", "ex03_gradient_descent"
CHANGES_ITS_INPUT = "def gradient_step(w, gradient, rate):\n    w -= rate * gradient\n    return w"
OWN_WAY = {"NNLIB_AUTOGRADE": "nbgrader"}


class Course:
    """A teacher's folder: the course's settings and solutions, and what the class has handed in."""

    def __init__(self, root):
        self.root = root
        shutil.copy(ROOT / "nbgrader_config.py", root)
        for name in EX01, EX03:
            shutil.copytree(ROOT / "solutions" / name, root / "solutions" / name)
            self.run("generate_assignment", name)

    def settings(self, **environment):
        """nbgrader's configuration, as its commands would read it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("NNLIB_AUTOGRADE", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            return PyFileConfigLoader("nbgrader_config.py", path=str(self.root)).load_config()

    def run(self, command, *arguments, endless=None, **environment):
        """Run one of nbgrader's commands; returns what it reports. endless: a word of cells that get 2 s only."""
        config = self.settings(**environment)
        if endless:
            config.Execute.timeout_func = lambda cell: 2 if endless in cell.source else 300
        api = NbGraderAPI(config=config, coursedir=CourseDirectory(config=config))
        return getattr(api, command)(*arguments)

    def released(self, name):
        """The notebook that learners get."""
        return nbformat.read(self.root / ".grading" / "release" / name / f"{name}.ipynb", 4)

    def solved(self, name, *questions):
        """A learner's notebook with the first so many, or with all, questions answered as in the solution."""
        source = nbformat.read(self.root / "solutions" / name / f"{name}.ipynb", 4)
        answers = {grade_id: cell.source for grade_id, cell in cells_of(source).items()}
        nb = self.released(name)
        for grade_id, cell in cells_of(nb).items():
            if grade_id in (questions or answers):
                cell.source = answers[grade_id]
        return nb

    def hand_in(self, student, name, nb):
        """Lay a notebook where nbgrader collects; returns its path."""
        path = self.root / ".grading" / "submitted" / student / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nb if isinstance(nb, str) else json.dumps(nb), encoding="utf-8")
        return path

    def points(self, student, name):
        """{question: points} of nbgrader's gradebook."""
        with self.gradebook() as gradebook:
            (notebook,) = gradebook.find_submission(name, student).notebooks
            return {one.cell.name.removeprefix("check-").replace("-", "."): one.auto_score for one in notebook.grades}

    def gradebook(self):
        return Gradebook(self.settings().CourseDirectory.db_url)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return Course(tmp_path_factory.mktemp("course"))


def cells_of(nb):
    """{grade_id: cell} of nbgrader's cells, checks too."""
    return {cell.metadata.nbgrader.grade_id: cell for cell in nb.cells if "nbgrader" in cell.metadata}


def cell_of(question):
    """The grade_id of a question's answer: nbgrader allows no dots in it."""
    return question.replace(".", "-")


def ours(path, seed=0):
    """{question: points} of our own grader."""
    return {question["question"]: question["points"] for question in grade(path, seed=seed).questions}


def partly(nb):
    """Question 1 loses the points for large scores; 4 to 7 stay blank."""
    cells_of(nb)["sigmoid"].source = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))"
    return nb


def torn(nb):
    """A check is deleted, another doubled, an answer doubled; one question has lost both of its cells."""
    cells = cells_of(nb)
    for name in "check-predict_proba", "check-logistic_gradient", "logistic_gradient":
        nb.cells.remove(cells[name])
    for name in "check-sigmoid", "binary_cross_entropy":
        nb.cells.insert(nb.cells.index(cells[name]), copy.deepcopy(cells[name]))
    return nb


def forged(nb):
    """A blank notebook whose checks give themselves points, or are no checks any more."""
    cells = cells_of(nb)
    cells["check-sigmoid"].source = "2"
    cells["check-predict_proba"].metadata.nbgrader.points = 100
    cells["check-binary_cross_entropy"].metadata.nbgrader.solution = True
    cells["check-logistic_gradient"].metadata.nbgrader.grade_id = "mine"
    cells["check-perceptron_loss"].metadata.nbgrader = {}
    cells["check-decision_line"].cell_type = "raw"
    del cells["check-decision_line"]["outputs"], cells["check-decision_line"]["execution_count"]
    return nb


def noisy(nb):
    """A right notebook that writes to stderr by every road, inside its answers."""
    noise = ('    import os, sys, warnings\n    print("a", file=sys.stderr)\n    os.write(2, b"b\\n")\n'
             '    warnings.warn("c")\n')
    cell = cells_of(nb)["sigmoid"]
    cell.source = cell.source.replace("    ### BEGIN SOLUTION\n", noise)
    assert "os.write" in cell.source
    return nb


def endless(nb):
    """A right notebook with an endless loop in a cell of its own."""
    nb.cells.insert(2, new_code_cell("while True:\n    pass"))
    return nb


@pytest.mark.parametrize("source", sorted(ROOT.glob("solutions/*/*.ipynb")), ids=lambda path: path.stem)
def test_cells_headings_and_checks_name_the_same_points(source):
    questions, nb = checks.load(source.stem), nbformat.read(source, 4)
    cells = cells_of(nb)
    assert [name for name in cells if name.startswith("check-")] == [f"check-{cell_of(one)}" for one in questions]
    answers, beginnings = [], [cell_of(one).partition("-")[0] for one in questions]
    for name in cells:  # a function has one cell before its check, a class one or, named Value-..., several
        if name.startswith("check-"):
            assert set(answers) <= {beginnings.pop(0)}
            answers = []
        else:
            answers.append(name.partition("-")[0])
    assert not answers and not beginnings and set(cells) >= {one for one in questions if one.islower()}
    assert [cells[f"check-{cell_of(name)}"].metadata.nbgrader.points for name in questions] == [
        question.points for question in questions.values()]
    text = "\n".join(cell.source for cell in nb.cells)
    headings = re.findall(r"^## \d.*\((\d+(?:\.5)?) points?\)", text, re.MULTILINE)
    assert [float(points) for points in headings] == [question.points for question in questions.values()]
    assert f"**Points:** {sum(map(float, headings)):g}." in nb.cells[0].source


def test_the_gradebook_changes_nothing_in_what_learners_get(course, tmp_path):
    config = course.settings()
    config.CourseDirectory.release_directory = str(tmp_path / "bare")
    config.CourseDirectory.assignment_id = EX01
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    written = course.root / ".grading" / "release" / EX01 / f"{EX01}.ipynb"
    assert (tmp_path / "bare" / EX01 / f"{EX01}.ipynb").read_bytes() == written.read_bytes()
    made = exercises.generate(course.root)
    assert {path.stem for path in made} == {EX01, EX03}
    for path, nb in made.items():
        for cell in nb.cells:
            del cell.metadata[exercises.STUB]
        assert nb == course.released(path.stem)


def test_generating_again_leaves_a_learners_folder_alone(course):
    work = course.root / "exercises" / EX01 / f"{EX01}.ipynb"
    work.parent.mkdir(parents=True)
    work.write_text("mine")
    assert course.run("generate_assignment", EX01)["success"]  # as its form does it: --force
    assert work.read_text() == "mine"


@pytest.mark.parametrize("name, change, total", [
    (EX01, partly, 6), (EX01, torn, 11), (EX01, forged, 0), (EX03, None, 3.5)],
    ids=["partly", "torn", "forged", "half points"])
@pytest.mark.parametrize("environment", [{}, OWN_WAY], ids=["sandbox", "own way"])
def test_points_agree(course, name, change, total, environment):
    if name == EX03:
        nb = course.solved(EX03, "gradient_descent", "minibatches")
        cells_of(nb)["gradient_step"].source = CHANGES_ITS_INPUT
    else:
        start = {partly: ("predict_proba", "binary_cross_entropy"), forged: ("none",), torn: ()}[change]
        nb = change(course.solved(EX01, *start))
    path = course.hand_in("ada", name, nb)
    result = course.run("autograde", name, "ada", **environment)
    assert result["success"], result
    seed = 0 if environment else int((course.root / ".grading" / "seed.txt").read_text())
    assert course.points("ada", name) == ours(path, seed)
    assert sum(course.points("ada", name).values()) == total


@pytest.mark.parametrize("environment", [{}, OWN_WAY], ids=["sandbox", "own way"])
def test_several_checks_of_one_class(course, methods, environment):
    name = methods.NAME
    setup = new_code_cell(f"from nnlib.grading import ExerciseSet\ncheck = ExerciseSet({name!r})")
    answer = new_code_cell(inspect.getsource(methods.Value))
    described = {"schema_version": 3, "locked": False, "task": False}
    answer.metadata.nbgrader = {**described, "grade_id": "Value", "solution": True, "grade": False}
    nb = nbformat.v4.new_notebook(cells=[setup, answer])
    for question in methods.EXERCISES:
        cell = new_code_cell(f'check("{question.name}", Value)')
        cell.metadata.nbgrader = {**described, "grade_id": f"check-{cell_of(question.name)}", "solution": False,
                                  "grade": True, "points": question.points, "locked": True}
        nb.cells.append(cell)
    folder = course.root / "solutions" / name
    folder.mkdir()
    nbformat.write(nb, folder / f"{name}.ipynb")
    assert course.run("generate_assignment", name)["success"]
    shutil.rmtree(folder)
    nb = course.released(name)
    cells_of(nb)["Value"].source = answer.source.replace("other.data, self.data", "self.data, other.data")
    del nb.cells[-1]  # its check
    path = course.hand_in("eve", name, nb)
    assert course.run("autograde", name, "eve", **environment)["success"]
    assert course.points("eve", name) == ours(path) == {"Value.__add__": 1, "Value.__mul__": 0}


def test_noise_and_an_endless_cell_cost_nothing_in_nbgraders_own_way(course, progress_file):
    course.hand_in("bo", EX01, endless(noisy(course.solved(EX01))))
    assert course.run("autograde", EX01, "bo", endless="while True", **OWN_WAY)["success"]
    assert sum(course.points("bo", EX01).values()) == 15
    assert not progress_file.exists() and os.environ["NNLIB_PROGRESS"] == str(progress_file)


@pytest.mark.parametrize("value, points", [("None", 0), ("True", 0), ("99", 0), ("'all'", 0), ("float('nan')", 0),
                                           ("print('noise', file=sys.stderr) or 1.5", 1.5)])
def test_a_check_without_sound_points_earns_none_and_noise_costs_none(course, value, points):
    own = course.settings(**OWN_WAY).Autograde.autograde_preprocessors[0]
    cell = cells_of(course.released(EX01))["check-sigmoid"]
    nb = nbformat.v4.new_notebook(cells=[
        new_code_cell(f"import sys\ncheck = lambda answer: {value}\nsigmoid = 0"), cell])
    assert issubclass(own, Execute)
    own().preprocess(nb, {"metadata": {"path": str(course.root)}})
    assert determine_grade(cell) == (points, 2)


def test_a_patched_check_earns_nothing_in_the_sandbox(course):
    nb = course.solved(EX01, "none")
    nb.cells.insert(2, new_code_cell("check = lambda answer: 1"))
    course.hand_in("cy", EX01, nb)
    assert course.run("autograde", EX01, "cy")["success"]
    assert set(course.points("cy", EX01).values()) == {0}


def test_feedback_and_export(course, tmp_path):
    nb = partly(course.solved(EX01, "predict_proba"))
    nb.cells.insert(2, new_code_cell("1 / 0"))
    course.hand_in("di", EX01, nb)
    course.hand_in("no-notebook", EX01, "{ broken")
    assert not course.run("autograde", EX01, "no-notebook")["success"]
    assert course.run("autograde", EX01, "di")["success"]
    assert course.run("generate_feedback", EX01, "di")["success"]
    page = (course.root / ".grading" / "feedback" / "di" / EX01 / f"{EX01}.html").read_text(encoding="utf-8")
    assert "computes np.exp(1000), which overflows" in page and "not attempted" in page
    assert page.count("stopped with") == 1 and "stopped with ZeroDivisionError: division by zero." in page
    plugin = CsvExportPlugin(config=course.settings())
    plugin.to = str(tmp_path / "grades.csv")
    with course.gradebook() as gradebook:
        plugin.export(gradebook)
    with open(plugin.to, encoding="utf-8", newline="") as file:
        rows = {(row["assignment"], row["student_id"]): row for row in csv.DictReader(file)}
    assert (rows[EX01, "di"]["score"], rows[EX01, "di"]["max_score"]) == ("3.0", "15.0")
    assert rows[EX01, "no-notebook"]["score"] == "0.0"
    assert (ROOT / ".gitignore").read_text().count(".grading/") == 1


def test_the_sandbox_gets_the_seed_of_the_class_and_its_reasons_come_into_the_checks(course, monkeypatch):
    seen = []
    found = {"question": "sigmoid", "points": 0.5, "possible": 2, "status": "partly right", "case": "large scores",
             "problem": "expected 1, got nan", "diagnosis": "It overflows.", "hint": "Which form is safe?", "note": ""}

    def fake(path, seed):
        seen.append((path.name, seed, len(nbformat.read(path, 4).cells)))
        return Graded(str(path), questions=[found])
    monkeypatch.setattr(grader, "grade", fake)
    nb, place = course.released(EX01), {"nbgrader": {"notebook": EX01}}
    (course.root / ".grading" / "seed.txt").unlink(missing_ok=True)
    for _ in range(2):  # the seed is drawn once
        course.settings().Autograde.autograde_preprocessors[0]().preprocess(nb, place)
    kept = int((course.root / ".grading" / "seed.txt").read_text())
    assert seen == [(f"{EX01}.ipynb", kept, len(nb.cells))] * 2
    checks_of = cells_of(nb)
    said, value = checks_of["check-sigmoid"].outputs
    assert said.text.splitlines() == ["partly right", "large scores: expected 1, got nan", "It overflows.",
                                      "Which form is safe?"]
    assert determine_grade(checks_of["check-sigmoid"]) == (0.5, 2)
    assert determine_grade(checks_of["check-train"]) == (0, 1)


def test_a_question_that_the_grader_does_not_know_earns_nothing(course):
    sandbox = course.settings().Autograde.autograde_preprocessors[0]
    said, value = sandbox.outputs(None, "")
    assert (said.text, value.data) == ("not graded\nthe grader has no such question.\n", {"text/plain": "0"})
    said, value = sandbox.outputs(None, "is not JSON.")
    assert said.text == "not graded\nis not JSON.\n" and value.data == {"text/plain": "0"}
