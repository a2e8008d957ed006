"""Every exercise set through the command line: its solutions earn all points, its blank exercises none."""

from pathlib import Path

import pytest

import exercises
from nnlib.grading import checks
from nnlib.grading.examine import NOT_ATTEMPTED, RIGHT
from nnlib.grading.grader import grade

ROOT = Path(__file__).parents[2]
SOLUTIONS = sorted(ROOT.glob("solutions/ex*/ex*.ipynb"))


@pytest.fixture(params=SOLUTIONS, ids=lambda path: path.stem)
def solution(request):
    return request.param


def test_solution_earns_all_points(solution):
    graded = grade(solution)
    assert graded.set == solution.stem and not graded.problem
    wrong = [question for question in graded.questions if question["status"] != RIGHT]
    assert not wrong and graded.points == graded.possible > 0


@pytest.fixture(scope="module")
def blanks(tmp_path_factory):
    """A folder with the learners' notebooks, freshly generated."""
    folder = tmp_path_factory.mktemp("blanks")
    exercises.store(exercises.generate(), folder)
    return folder / "exercises"


def test_blank_exercise_earns_nothing(solution, blanks):
    graded = grade(blanks / solution.stem / solution.name)
    assert graded.set == solution.stem and not graded.problem and graded.points == 0
    assert {question["status"] for question in graded.questions} == {NOT_ATTEMPTED}


def test_every_set_has_its_notebook():
    graded_sets = {name for name in checks.names() if not name.startswith("ex00")}
    assert graded_sets == {path.stem for path in SOLUTIONS}
