"""Windows and macOS: what is missing there is emulated as far as Linux can, and what is said of it is true."""

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

import lab
from nnlib.grading import sandbox
from nnlib.grading.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NOT_ON_WINDOWS = {
    "os": ("fork", "forkpty", "geteuid", "getgid", "getpgid", "getuid", "killpg", "mkfifo", "nice",
           "register_at_fork", "sched_getaffinity", "setsid", "setuid", "statvfs", "wait", "O_PATH"),
    "signal": ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGXCPU", "ITIMER_REAL", "alarm", "setitimer",
               "getitimer", "pthread_sigmask")}
# What a Python on Windows does not have is taken away before anything of ours is imported, in workers, too.
WINDOWS = f"""
import os, signal, subprocess, sys
import ctypes, logging, multiprocessing, platformdirs, random, selectors, shutil, socket, tempfile  # use them
for module, names in {NOT_ON_WINDOWS!r}.items():
    for name in names:
        vars(sys.modules[module]).pop(name, None)
for name in {sorted(POSIX_ONLY - {"posix", "pwd"})!r}:
    sys.modules[name] = None
subprocess.Popen.kill = subprocess.Popen.terminate
"""
SETUP = 'from nnlib.grading import ExerciseSet\ncheck = ExerciseSet("ex01_logistic_regression")\nimport numpy as np'
SIGMOID = "def sigmoid(z):\n    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))"


def sources(*folders):
    """(name below ROOT, syntax tree) of every file of Python in some folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def unguarded(tree):
    """Modules that only POSIX has, imported where a missing one is not caught."""
    caught = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in caught:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            yield from POSIX_ONLY & {name.partition(".")[0] for name in names}


def test_no_module_of_one_system_is_imported_unguarded():
    assert {name: found for name, tree in sources("nnlib", "tools") if (found := list(unguarded(tree)))} == {}
    assert list(unguarded(ast.parse("import pwd"))) == ["pwd"]
    assert list(unguarded(ast.parse("try:\n    import pwd\nexcept ImportError:\n    pwd = None"))) == []


@pytest.fixture
def windows(tmp_path):
    """Runs Python as if on Windows, as far as names and modules go; gives the finished process."""
    place = tmp_path / "sitecustomize"
    place.mkdir()
    (place / "sitecustomize.py").write_text(WINDOWS, encoding="utf-8")

    def run(*arguments, **variables):
        return subprocess.run([sys.executable, *map(str, arguments)], cwd=ROOT, timeout=300, capture_output=True,
                              env={**os.environ, "PYTHONPATH": str(place), **variables}, text=True, encoding="utf-8")
    return run


def test_everything_is_imported_without_what_windows_lacks(windows):
    names = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name, _ in sources("nnlib")
             if "__main__" not in name]
    names += [f"nnlib.grading.{name}" for name in ("__main__",)] + ["lab", "environment", "exercises", "notebooks"]
    done = windows("-c", f"import os, signal, sys; sys.path.insert(0, 'tools'); assert not hasattr(os, 'fork')\n"
                         f"assert not hasattr(signal, 'SIGKILL')\nimport importlib\n"
                         f"for name in {names!r}: importlib.import_module(name)")
    assert done.returncode == 0, done.stderr


GRADE = textwrap.dedent("""
    import json, sys
    from nnlib.grading import grader, sandbox, workers
    workers.FORKS = False
    sandbox.available = lambda: ()
    graded = grader.grade(sys.argv[1], timeout=200)
    print(json.dumps([graded.points, graded.notes, graded.problem,
                      {each["question"]: each["problem"] for each in graded.questions}]))
""")


def test_the_grader_works_without_what_windows_lacks(windows, tmp_path):
    """Programs and sockets are refused; an answer that ends its process costs its own points alone."""
    cells = [SETUP, SIGMOID, "def predict_proba(*args):\n    import os\n    os._exit(3)",
             "import subprocess; subprocess.run(['true'])", "import socket; socket.socket()"]
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
            for cell in cells]
    path = tmp_path / "ada_ex01_logistic_regression.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    done = windows("-c", GRADE, path)
    assert done.returncode == 0, done.stderr
    points, notes, problem, problems = json.loads(done.stdout)
    assert not problem and points == 2 and not problems["sigmoid"], (notes, problem, problems)
    assert [re.match(r"Cell (\d) stopped with PermissionError", note)[1] for note in notes] == ["4", "5"]
    assert "exit code 3" in problems["predict_proba"]


# What the grader says is missing

SYSTEMS = {  # layers of the system, and what must be said to be missing
    "darwin": (("limits",), ("memory", "network", "files", "scratch space", "processes")),
    "win32": ((), ("memory", "processor time", "files", "network", "scratch space", "processes"))}


@pytest.fixture(params=SYSTEMS)
def system(request, monkeypatch):
    """(its name, words for what it lacks); here it has what that system has."""
    layers, words = SYSTEMS[request.param]
    monkeypatch.setattr(sys, "platform", request.param)
    if request.param == "win32":
        monkeypatch.setattr(sandbox, "resource", None)
    assert sandbox.available.__wrapped__() == layers
    monkeypatch.setattr(sandbox, "available", lambda: layers)
    return request.param, words


def test_what_a_system_lacks_is_said(system, capsys, tmp_path):
    name, words = system
    said = " ".join(sandbox.missing())
    assert [word for word in words if word not in said] == []
    assert "audit hook alone closes the network" in said and "audit hook alone closes files" in said
    assert "memory" not in " ".join(sandbox.protections())
    assert ("64 MiB a file" in " ".join(sandbox.protections())) == (name == "darwin")
    (tmp_path / "ex01.ipynb").write_text("{}", encoding="utf-8")
    assert main([str(tmp_path), "--strict"]) == 3
    assert said in capsys.readouterr().err


def test_the_table_for_teachers_agrees_with_what_is_said(system):
    """TEACHING.md: what a column calls missing, or left to the audit hook, the grader says, too."""
    text = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in re.search(r"\| against \|.*?\n\n", text, re.DOTALL)[0].strip().split("\n")]
    table = {row[0]: dict(zip(rows[0][1:], row[1:])) for row in rows[2:]}
    column, said = {"darwin": "macOS", "win32": "Windows"}[system[0]], sandbox.missing()
    lacking = {"memory": "of memory", "network": "closes the network", "files of others": "closes files",
               "large and many files": "processor time and files", "processes left behind": "may be left behind"}
    for row, words in lacking.items():
        weak = table[row][column] in ("nothing", "the audit hook")
        assert weak == any(words in sentence for sentence in said), (row, column)
        assert table[row]["Linux"] not in ("nothing", "the audit hook")


# Commands and paths

def test_every_command_of_a_learner_has_a_plain_form():
    """What `make` does for a learner or a teacher, README.md also says as a command without it, that exists."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"\.venv\\Scripts\\python (-m [\w.]+|tools\\\w+\.py)(?: (\w+|--\w+))?", text)
    assert {command for command, _ in told} >= {"tools\\lab.py", "tools\\suite.py", "tools\\exercises.py",
                                               "-m nnlib.grading"}
    assert r"py tools\environment.py" in text
    for command, word in told:
        if command.startswith("tools"):
            script = ROOT / command.replace("\\", "/")
            assert script.is_file() and (not word or word in script.read_text(encoding="utf-8")), (command, word)


def test_the_lab_waits_on_windows_and_ctrl_c_ends_it_quietly(monkeypatch):
    def interrupted(command, env):
        raise KeyboardInterrupt
    monkeypatch.setattr(lab, "WINDOWS", True)
    monkeypatch.setattr(lab.subprocess, "call", lambda command, env: len(command))
    assert lab.main([]) == len(lab.command())
    monkeypatch.setattr(lab.subprocess, "call", interrupted)
    assert lab.main([]) == 130


def test_the_grader_prints_to_a_terminal_of_few_letters(tmp_path):
    """As a Windows console or a pipe may be: another learner's name costs nobody the points."""
    folder = tmp_path / "in" / "\u017baneta \u674e"
    folder.mkdir(parents=True)
    (folder / "ex01_logistic_regression.ipynb").write_text("{}", encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "nnlib.grading", str(tmp_path / "in")], cwd=ROOT, capture_output=True,
                          env={**os.environ, "PYTHONIOENCODING": "cp1252"}, timeout=120)
    assert done.returncode == 1 and b"\\u017baneta" in done.stdout and b"Traceback" not in done.stderr


def test_no_two_files_are_one_on_a_file_system_that_ignores_case():
    """And no name is one that Windows does not allow, or longer than its paths may be in an ordinary folder."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git repository")
    names = listed.stdout.strip("\0").split("\0")
    assert len({name.lower() for name in names}) == len(names)
    forbidden = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ](/|$)|(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)', re.IGNORECASE)
    assert [name for name in names if forbidden.search(name) or len(name) > 120] == []


def test_files_are_opened_with_an_encoding_and_line_ends_are_those_of_the_repository():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "PLW1514" in settings["select"] and settings["preview"] and settings["explicit-preview-rules"]
    assert "eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8")
