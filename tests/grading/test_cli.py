"""python -m nnlib.grading: points for whatever is handed in, a sentence for whatever is no notebook."""

import json
import signal
import subprocess
import sys
import time

import pytest

from nnlib.grading.__main__ import main
from nnlib.grading.grader import grade

SETUP = 'from nnlib.grading import ExerciseSet\ncheck = ExerciseSet("ex90_sample")\nimport numpy as np'
SIGMOID = "def sigmoid(z):\n    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))"
SIGN = "def sign_word(x):\n    return 'up' if x > 0 else 'down' if x < 0 else 'flat'"
CHECKS = "check(sigmoid); check(sign_word)"
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
def test_an_endless_cell_and_an_endless_answer(submit):
    started = time.monotonic()
    graded = grade(submit(SETUP, SIGMOID, "while True: pass", SIGN), timeout=6)
    assert points(graded) == {"sigmoid": 2, "sign_word": 1} and time.monotonic() - started < 6


@POSIX
def test_the_whole_process_group_ends(submit, tmp_path):
    beats = tmp_path / "beats"
    child = f"import time\nwhile True: open({str(beats)!r}, 'a').write('.'); time.sleep(0.02)"
    stubborn = (f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}])\n"
                "while True:\n    try: sum(range(10_000))\n    except BaseException: pass")
    graded = grade(submit(SETUP, SIGMOID, stubborn), timeout=3)
    assert "the time limit of 3 s has passed" in graded.problem and graded.points == 0
    assert [question["status"] for question in graded.questions] == ["not graded"] * 8
    heard = beats.stat().st_size
    time.sleep(0.3)
    assert heard and beats.stat().st_size == heard


def test_a_worker_that_dies(submit):
    graded = grade(submit(SETUP, SIGMOID, "import os; os._exit(7)"))
    assert graded.problem == "not every question could be graded: the process ended early, with code 7."


def test_table_and_json(submit, tmp_path, capsys):
    submit(SETUP, "def sigmoid(z):\n    return 1 / (1 + np.exp(z))")
    submit(SETUP, SIGMOID, name="bo.ipynb")
    assert main([str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path / 'anna.ipynb'}   ex90_sample   0 / 11.5 points"
    assert lines[1] == "  sigmoid         0 / 2    not right yet (sign of the exponent)"
    assert lines[10] == "  sigmoid         2 / 2    right"
    first, second = json.loads((tmp_path / "out.json").read_text())
    assert first["questions"][0]["hint"] == "A large z means class 1." and second["points"] == 2


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


@pytest.mark.parametrize("arguments, said", [
    (["missing.ipynb"], "there is no such file or folder"), (["."], "the folder holds no notebook"),
    ([], "required: PATH"), ([".", "--timeout", "0"], "invalid positive value: '0'"),
    ([".", "--timeout", "nan"], "invalid positive value")])
def test_wrong_arguments(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "old.ipynb").write_text("{}")
    try:
        code = main(arguments)
    except SystemExit as error:
        code = error.code
    assert code == 2 and said in capsys.readouterr().err


def test_as_a_command(submit):
    run = subprocess.run([sys.executable, "-m", "nnlib.grading", str(submit(SETUP, SIGMOID))],
                         capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "") and "ex90_sample   2 / 11.5 points" in run.stdout
