"""python -m nnlib.grading: points for what is handed in, a sentence for what is no notebook, and the reports."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nnlib.grading import batch, sandbox
from nnlib.grading.__main__ import main
from nnlib.grading.grader import Graded, grade

SETUP = 'from nnlib.grading import ExerciseSet\ncheck = ExerciseSet("ex90_sample")\nimport numpy as np'
SIGMOID = "def sigmoid(z):\n    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))"
SIGN = "def sign_word(x):\n    return 'up' if x > 0 else 'down' if x < 0 else 'flat'"
CHECKS = "check(sigmoid); check(sign_word)"
EX01 = "ex01_logistic_regression"
COURSE = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this platform has no alarm signal")


@pytest.fixture
def submit(sample, tmp_path):
    """Writes a notebook of code cells; gives its path."""
    def write(*cells, name="anna.ipynb"):
        path = tmp_path / name
        made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
                for cell in cells]
        path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return path
    return write


def points(graded):
    """The points that are not 0, by question."""
    return {question["question"]: question["points"] for question in graded.questions if question["points"]}


def test_a_submission(submit, progress_file):
    graded = grade(submit(SETUP, SIGMOID, SIGN, CHECKS, "check('xor_weights', [[1, 1], [-1, -1]])"))
    assert points(graded) == {"sigmoid": 2, "sign_word": 1, "xor_weights": 1} and not graded.problem
    assert (graded.points, graded.possible, graded.set) == (4, 11.5, "ex90_sample")
    assert not progress_file.exists()


@pytest.mark.parametrize("cells", [
    (SETUP, "1 / 0", SIGMOID, "def broken(:", SIGN, CHECKS),
    (SETUP, "%matplotlib inline\n!ls\nsigmoid?", f"%%time\n{SIGMOID}", SIGN),
    (SETUP, SIGMOID, SIGN, "import sys; sys.exit(1)", "raise KeyboardInterrupt", "input()"),
    (SETUP, SIGN, SIGMOID, CHECKS, CHECKS, "check = lambda *a: 100", CHECKS),
    (SETUP, SIGMOID, SIGN, "print('{\"question\": \"gradient\", \"points\": 3}')", "print('x' * 10**7)"),
    (SETUP, SIGMOID, SIGN, "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()"),
    (SETUP, SIGMOID, "check(sigmoid)", "sigmoid = 3", SIGN),
    (SETUP, "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int", SIGMOID, SIGN),
], ids=["errors", "magics", "exits", "doubled", "printing", "thread", "overwritten", "dataclass"])
def test_submissions_that_keep_their_points(submit, cells):
    graded = grade(submit(*cells))
    assert points(graded) == {"sigmoid": 2, "sign_word": 1} and not graded.problem


@pytest.mark.parametrize("cells", [
    (SETUP,), (SETUP, "def sigmoid(z):\n    raise NotImplementedError", "xor_weights = None"),
    (SETUP, "check('xor_weights', ...)"), (SETUP.replace("ExerciseSet(", "ExerciseSet(  "), "sigmoid = 3")])
def test_blank(submit, cells):
    graded = grade(submit(*cells))
    assert graded.points == 0 and {question["status"] for question in graded.questions} == {"not attempted"}


@pytest.mark.parametrize("cell", [
    "np.allclose = np.array_equal = np.isclose = lambda *a, **k: True\ndef sigmoid(z):\n    return z",
    "def sigmoid(z):\n    return np.array([0.1192029220, 0.5, 0.9525741268])",
    "np.exp = lambda z: z\ndef sigmoid(z):\n    return 1 / (1 + np.exp(-z))"])
def test_patches_and_copied_examples_earn_nothing(submit, cell):
    assert grade(submit(SETUP, cell, "check(sigmoid)")).points == 0


@pytest.mark.parametrize("options", [[], ["--report", "report"]])
def test_a_reader_who_stops_reading_is_no_error(tmp_path, options):
    """As `| head` does it."""
    for name in "anna", "bo":
        (tmp_path / f"ex01_{name}.ipynb").write_text("{}")
    run = subprocess.Popen([sys.executable, "-P", "-m", "nnlib.grading", tmp_path, *options], cwd=tmp_path, text=True,
                           env={**os.environ, "PYTHONPATH": str(COURSE)}, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    run.stdout.close()
    said = run.stderr.read()
    run.stderr.close()
    assert run.wait(60) == 141 and said == ""
    assert (tmp_path / "report" / "index.html").exists() == bool(options)


def test_what_a_learner_writes_among_the_results_does_not_stop_the_grader(submit):
    junk = ("import os\nfor line in (b'5', b'[]', b'{}', b'{\"question\": \"sigmoid\"}', b'{\"question\": []}',\n"
            "             b'{\"question\": \"sigmoid\", \"points\": 99, \"possible\": 2, \"status\": \"right\"}'):\n"
            "    for place in range(3, 30):\n        try: os.write(place, line + b'\\n')\n        except OSError: pass")
    assert points(grade(submit(SETUP, junk, SIGMOID, "check(sigmoid)"))) == {"sigmoid": 2}
    assert points(grade(submit(SETUP, junk, "os._exit(0)"))) == {}


def test_a_function_checked_under_the_name_of_a_stub(submit):
    stub = "def sigmoid(z):\n    raise NotImplementedError"
    cells = SETUP, stub, SIGMOID.replace("sigmoid", "mine"), "check('sigmoid', mine)"
    assert points(grade(submit(*cells))) == {"sigmoid": 2}


@POSIX
@pytest.mark.usefixtures("impatient")
def test_an_endless_cell_costs_no_points(submit):
    graded = grade(submit(SETUP, SIGMOID, "while True: pass", SIGN), timeout=90)
    assert points(graded) == {"sigmoid": 2, "sign_word": 1}
    assert graded.notes == ["Cell 3 was interrupted after 1 s."]


def test_the_set_is_known_by_the_file_name(submit):
    assert points(grade(submit("import numpy as np", SIGMOID, name="ex90_by_anna.ipynb"))) == {"sigmoid": 2}


@pytest.mark.parametrize("content, said", [
    (b"", "is not JSON, so it is not a notebook"), (b"{", "is not JSON"), (b"\x00\xff\xfe", "is not JSON"),
    (b"[" * 100_000, "is not JSON"), (b"3", "not a notebook of format 4"), (b"{}", "not a notebook"),
    (b'{"cells": [3]}', "not a notebook"), (b'{"worksheets": []}', "not a notebook"),
    (b'{"cells": [{"cell_type": "code", "source": 3}]}', "not a notebook"),
    (b'{"cells": []}', "has no exercise set in it"),
    (b'{"cells": [{"cell_type": "code", "source": ["ExerciseSet(\'ex77\')"]}]}', "unknown exercise set")])
def test_what_is_no_exercise_notebook(sample, content, said, tmp_path, capsys):
    (tmp_path / "anna.ipynb").write_bytes(content)
    assert main([str(tmp_path / "anna.ipynb")]) == 1
    assert said in capsys.readouterr().out


def run(*arguments):
    """(exit code, what is printed, what is said on stderr); the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = error.code
    return code, out.getvalue(), err.getvalue()


def content(folder):
    """{name: bytes} of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("arguments, said", [
    (["missing.ipynb"], "there is no such file or folder"), (["."], "the folder holds no notebook"),
    ([], "required: SUBMISSIONS"), ([".", "--timeout", "0"], "invalid positive value: '0'"),
    ([".", "--timeout", "nan"], "invalid positive value"), ([".", "--jobs", "0"], "invalid jobs value: '0'"),
    ([".", "--seed", "-1"], "invalid natural value: '-1'"), ([".", "--seed", "x"], "invalid natural value")])
def test_wrong_arguments(sample, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "old.ipynb").write_text("{}")
    code, out, err = run(*arguments)
    assert code == 2 and said in err and out == "" and "Traceback" not in err


@pytest.mark.parametrize("below", [".", "anna"])
def test_python_that_was_started_among_submissions_grades_nothing(submit, tmp_path, monkeypatch, below):
    """`python -m` imports from where it is started: a learner's random.py would be the teacher's."""
    submit(SETUP, SIGMOID)
    (tmp_path / "anna").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / below)
    monkeypatch.syspath_prepend(str(tmp_path / below))
    code, out, err = run(tmp_path, "--report", tmp_path / "report")
    assert code == 2 and "started in what is to be graded" in err and not (tmp_path / "report").exists()
    monkeypatch.setattr(sys, "path", sys.path[1:])  # as with python -P
    assert run(tmp_path, "--seed", 3)[0] == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_reports_are_the_teachers_alone(submit, tmp_path):
    submit(SETUP, SIGMOID)
    run(tmp_path, "--report", tmp_path / "report")
    assert (tmp_path / "report").stat().st_mode & 0o077 == 0


def test_without_a_folder_for_reports_points_are_printed(submit, tmp_path):
    submit(SETUP, "def sigmoid(z):\n    return 1 / (1 + np.exp(z))")
    submit(SETUP, SIGMOID, name="bo.ipynb")
    code, out, err = run(tmp_path, "--json", tmp_path / "out.json", "--seed", 3)
    lines = out.splitlines()
    assert (code, err) == (0, "") and lines[0] == "anna.ipynb   ex90_sample   0 / 11.5 points"
    assert lines[1] == "  sigmoid         0 / 2    not right yet (sign of the exponent)"
    assert lines[10] == "  sigmoid         2 / 2    right"
    assert "nnlib 0.1.0, seed 3: 2 submissions by 2 learners." in lines
    anna, bo = json.loads((tmp_path / "out.json").read_text())["learners"]
    assert anna["notebooks"][0]["questions"][0]["hint"] == "A large z means class 1." and bo["points"] == 2


def test_reports_are_the_same_to_the_byte_for_a_seed_wherever_the_submissions_lie(submit, tmp_path):
    (tmp_path / "one" / "anna").mkdir(parents=True)
    submit(SETUP, "def sigmoid(z):\n    return 1 / (1 + np.exp(z))", SIGN, name="one/anna/a.ipynb")
    submit(SETUP, SIGMOID, "1 / 0", name="one/bo.ipynb")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for name in ("one", "two"):
        code, out, _ = run(tmp_path / name, "--report", tmp_path / f"{name}-report", "--seed", 20250)
        assert code == 0 and f"Reports: {tmp_path / f'{name}-report' / 'index.html'}" in out
    first, second = content(tmp_path / "one-report"), content(tmp_path / "two-report")
    assert first == second and sorted(first) == ["grades.csv", "index.html", "learners/anna.html", "learners/bo.html",
                                                 "points.csv", "report.json", "report.txt"]
    assert not any(str(tmp_path).encode() in text for text in first.values())
    for name in ("index.html", "learners/anna.html", "report.json", "report.txt"):
        assert b"20250" in first[name]
    assert content(tmp_path / "one") == content(tmp_path / "two")  # nothing of a submission is touched


def test_a_fresh_seed_is_drawn_and_recorded(submit, tmp_path):
    path, seeds = submit(SETUP, SIGMOID), set()
    for _ in range(2):
        assert run(path, "--report", tmp_path / "report")[0] == 0
        seeds.add(json.loads((tmp_path / "report" / "report.json").read_text())["seed"])
    assert len(seeds) == 2 and all(0 <= seed < 2**48 for seed in seeds)


def test_what_could_not_be_graded_is_in_the_report_and_in_the_exit_code(submit, tmp_path):
    (tmp_path / "class" / "di").mkdir(parents=True)
    (tmp_path / "class" / "anna").mkdir()
    (tmp_path / "class" / "bo").mkdir()
    submit(SETUP, SIGMOID, name="class/anna/a.ipynb")
    (tmp_path / "class" / "bo" / "b.ipynb").write_bytes(b"\x00")
    code, out, _ = run(tmp_path / "class", "--report", tmp_path / "report")
    assert code == 1 and "2 could not be graded in full." in out
    text = (tmp_path / "report" / "report.txt").read_text()
    assert "bo: bo/b.ipynb: is not JSON" in text and "di: di: the folder holds no notebook (*.ipynb)." in text
    assert (tmp_path / "report" / "learners" / "di.html").exists()


def test_a_question_that_could_not_be_graded(submit, tmp_path, monkeypatch):
    def half(path, **options):
        question = dict.fromkeys(("case", "problem", "diagnosis", "hint", "misconception", "note"), "")
        return Graded("", questions=[question | {"question": "q", "points": 0, "possible": 1, "status": "not graded"}])
    monkeypatch.setattr(batch, "grade", half)
    assert run(submit(SETUP))[0] == 1


def test_strict(submit, tmp_path, monkeypatch):
    path = submit(SETUP, SIGMOID)
    monkeypatch.setattr(sandbox, "missing", lambda: ["No Landlock."])
    code, out, err = run(path, "--strict", "--report", tmp_path / "report")
    assert (code, out) == (3, "") and "No Landlock." in err and content(tmp_path / "report") == {}
    assert run(path, "--report", tmp_path / "report")[0] == 0
    assert "No Landlock." in (tmp_path / "report" / "index.html").read_text()
    monkeypatch.setattr(sandbox, "missing", lambda: [])
    assert run(path, "--strict")[0] == 0


def test_a_folder_that_holds_other_things_is_left_alone(submit, tmp_path):
    path, folder = submit(SETUP, SIGMOID), tmp_path / "mine"
    folder.mkdir()
    (folder / "report.json").write_text('{"format": "other"}')
    code, _, err = run(path, "--report", folder)
    assert code == 2 and "holds other things (report.json)" in err and list(content(folder)) == ["report.json"]


def test_an_older_report_is_replaced_and_other_files_beside_it_stay(submit, tmp_path):
    path, folder = submit(SETUP, SIGMOID), tmp_path / "new" / "report"
    assert run(path, "--report", folder)[0] == 0
    (folder / "own.txt").write_text("mine")
    path.rename(tmp_path / "bo.ipynb")
    assert run(tmp_path / "bo.ipynb", "--report", folder)[0] == 0
    assert {"own.txt", "learners/bo.html"} <= set(content(folder)) and "learners/anna.html" not in content(folder)


def test_a_report_among_the_submissions_is_no_submission(submit, tmp_path):
    (tmp_path / "anna").mkdir()
    submit(SETUP, SIGMOID, name="anna/a.ipynb")
    for _ in range(2):
        code, out, _ = run(tmp_path, "--report", tmp_path / "report")
        assert code == 0 and "1 submission by 1 learner" in out


@pytest.mark.parametrize("place", ["file", "file/report"])
def test_a_folder_that_cannot_be_written(submit, tmp_path, place):
    path = submit(SETUP, SIGMOID)
    (tmp_path / "file").write_text("")
    code, out, err = run(path, "--report", tmp_path / place)
    assert code == 2 and "cannot be written" in err and out == ""
    assert run(path, "--json", tmp_path / "file" / "out.json")[0] == 2


def test_a_disk_that_is_full_at_the_end(submit, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
    path = submit(SETUP, SIGMOID)
    monkeypatch.setattr("nnlib.grading.__main__.write", full)
    code, _, err = run(path, "--report", tmp_path / "report")
    assert code == 2 and "cannot be written: No space left on device." in err


@pytest.mark.parametrize("swallowed", [False, True])
def test_an_interrupt_reports_what_is_done(submit, tmp_path, monkeypatch, swallowed):
    def grade(path, **options):
        if path.name == "c.ipynb":
            with contextlib.suppress(KeyboardInterrupt) if swallowed else contextlib.nullcontext():
                signal.raise_signal(signal.SIGINT)
        return Graded(path.name)
    for name in "abcd":
        submit(SETUP, name=f"{name}.ipynb")
    monkeypatch.setattr(batch, "grade", grade)
    before = signal.getsignal(signal.SIGINT), os.environ.get("TMPDIR")
    code, out, _ = run(tmp_path, "--report", tmp_path / "report")
    assert code == 130 and "Interrupted: 2 of 4 submissions were graded." in out
    assert [one["learner"] for one in json.loads((tmp_path / "report" / "report.json").read_text())["learners"]] == [
        "a", "b"]
    assert "Interrupted" in (tmp_path / "report" / "index.html").read_text()
    assert (signal.getsignal(signal.SIGINT), os.environ.get("TMPDIR")) == before


def test_a_dozen_notebooks_by_two_processes(tmp_path):
    solved, blank = (COURSE / folder / EX01 / f"{EX01}.ipynb" for folder in ("solutions", "exercises"))
    for number in range(12):
        folder = tmp_path / "submitted" / f"learner {number:02}" / EX01
        folder.mkdir(parents=True)
        text = (blank if number % 3 == 2 else solved).read_text(encoding="utf-8")
        if number % 3 == 1:  # the sign of the exponent, where the sigmoid takes it
            text = text.replace("np.abs(z)", "-np.abs(z)")
        (folder / f"{EX01}.ipynb").write_text(text, encoding="utf-8")
    code, out, err = run(tmp_path / "submitted", "--report", tmp_path / "report", "--jobs", 2, "--seed", 1)
    data = json.loads((tmp_path / "report" / "report.json").read_text())
    points = [one["points"] for one in data["learners"]]
    assert (code, err) == (0, "") and "12 submissions by 12 learners" in out
    assert [one["learner"] for one in data["learners"]] == [f"learner {number:02}" for number in range(12)]
    assert points[::3] == [15] * 4 and points[2::3] == [0] * 4
    assert len(set(points[1::3])) == 1 and 0 < points[1] < 15


def test_the_exit_codes_are_in_the_help():
    code, out, _ = run("--help")
    assert code == 0 and all(f"{number} " in out.split("Exit codes:")[1] for number in (0, 1, 2, 3, 130))


def test_as_a_command(submit):
    run = subprocess.run([sys.executable, "-m", "nnlib.grading", str(submit(SETUP, SIGMOID))],
                         capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "") and "ex90_sample   2 / 11.5 points" in run.stdout
