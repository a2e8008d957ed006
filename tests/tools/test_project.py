"""The files around the code: environments agree, commands lose nothing, what is missing gets a sentence."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import environment
import lab
import suite

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA_NAMES = {"matplotlib": "matplotlib-base", "playwright": "playwright-python", "jupyter-core": "jupyter_core"}
KEPT = ["exercises/ex01/ex01.ipynb", "exercises/ex01/.ipynb_checkpoints/ex01.ipynb", "notebooks/a.ipynb",
        "notebooks/.ipynb_checkpoints/a.ipynb", ".grading/gradebook.db", ".nnlib/progress.json", "tests/a.py",
        "tools/environment.py"]
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


def requirements(*groups):
    """{name: range} of pyproject.toml's dependencies and all extras."""
    lists = [PROJECT["build-system"]["requires"], PROJECT["project"]["dependencies"],
             *PROJECT["project"]["optional-dependencies"].values()]
    pairs = [re.match(r"([\w-]+)\s*(.*)", line).groups() for group in lists for line in group]
    return {name.replace("_", "-"): limits for name, limits in pairs}


def test_conda_users_get_the_same_packages_and_ranges():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    by_pip = listed["dependencies"].pop()["pip"]
    conda = dict((line.split(" ", 1) + [""])[:2] for line in [*listed["dependencies"], *by_pip])
    assert conda.pop("python") == PROJECT["project"]["requires-python"]
    assert conda.pop("pip") == ""
    assert conda == {CONDA_NAMES.get(name, name): limits for name, limits in requirements().items()}
    assert listed["channels"] == ["conda-forge"]


def test_the_lock_names_every_requirement_with_hashes_and_no_place():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)==\S+.*?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", lock, re.MULTILINE)
    assert set(requirements()) <= {name for name, _ in entries}
    assert len(entries) == len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE))
    assert "://" not in lock and "--index" not in lock and "--find-links" not in lock
    assert "rfc3987-syntax" not in lock  # it costs each program that reads notebooks a second


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine():
    hosts = r"(pypi|pythonhosted|anaconda|npmjs|debian)\.(org|com)"
    pattern = re.compile(rf"{hosts}|/(home|Users|root|work|opt)/\w+")
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git repository")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".png", ".gif", ".npz"):
            text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", path.read_text(encoding="utf-8"))  # no pictures
            found += [f"{name}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


@pytest.fixture
def bare(tmp_path):
    """A folder with the Makefile and what its rules look at, and a learner's files."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in (*KEPT, "nnlib/__pycache__/a.pyc", ".venv/.ready"):
        Path(tmp_path, name).parent.mkdir(parents=True, exist_ok=True)
        Path(tmp_path, name).write_text("mine", encoding="utf-8")
    return tmp_path


@needs_make
def test_clean_removes_what_can_be_made_again_and_nothing_else(bare):
    subprocess.run(["make", "clean"], cwd=bare, check=True, capture_output=True)
    left = {path.relative_to(bare).as_posix() for path in bare.rglob("*") if path.is_file()}
    assert left == {"Makefile", "requirements.lock", "pyproject.toml", *KEPT}


@needs_make
def test_make_alone_lists_the_commands(bare):
    shown = subprocess.run(["make"], cwd=bare, check=True, capture_output=True, text=True).stdout
    commands = re.findall(r"^make (\w+)", shown, re.MULTILINE)
    assert {"lab", "test", "notebooks", "exercises", "grade", "bench", "lint", "clean"} <= set(commands)


@needs_make
@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell is needed")
def test_a_machine_without_python_gets_a_sentence(bare):
    done = subprocess.run([shutil.which("make"), "lab"], cwd=bare, capture_output=True, text=True,
                          env={"PATH": "/nowhere"})
    assert done.returncode != 0
    assert "No Python 3.11 to 3.14 found." in done.stdout and "make lab PYTHON=" in done.stdout


def test_copies_for_tests_leave_the_working_files_alone(tmp_path):
    def working_files():
        return {path: path.stat().st_mtime_ns for name in ("exercises", "notebooks", "solutions", ".grading")
                for path in (ROOT / name).rglob("*")}
    before = working_files()
    assert suite.copy_notebooks(tmp_path)
    assert working_files() == before
    assert {path.name for path in (tmp_path / "exercises").iterdir()} == {
        path.name for path in (ROOT / "solutions").iterdir()}
    assert Path.home() not in Path(os.environ["NNLIB_PROGRESS"]).parents


@pytest.mark.parametrize("ci, quick, required", [("true", False, True), ("true", True, False), ("", False, False)])
def test_a_full_run_in_continuous_integration_requires_pytorch(monkeypatch, tmp_path, ci, quick, required):
    monkeypatch.setenv("CI", ci)
    names = [step.name for step in suite.steps(tmp_path, quick)]
    assert ("torch" in names) == required and names.index("coverage") == names.index("library") + 1
    bare = subprocess.run([sys.executable, "-I", "-S", "-c", suite.NEEDS_TORCH], capture_output=True, text=True)
    assert bare.returncode == 1 and "PyTorch is not installed" in bare.stderr


def test_every_test_belongs_to_one_step(tmp_path):
    commands = {step.name: list(map(str, step.command)) for step in suite.steps(tmp_path, quick=False)}
    left_out = {word.removeprefix("--ignore=") for word in commands["library"] if word.startswith("--ignore=")}
    taken = {word for name in ("units", "browser") for word in commands[name] if word.startswith("tests/")}
    assert "tests" in commands["library"] and taken == left_out
    assert all((ROOT / folder).is_dir() for folder in taken)


def test_what_runs_beside_the_others_is_shown_in_its_turn_and_failures_are_kept(tmp_path, capfd):
    waits = "import os, time\nfor _ in range(3000): os.path.exists('a') or time.sleep(0.01)\nos.stat('a')"
    codes = {"first": f"{waits}\nprint('one')", "slow": "open('a', 'w')\nprint('two')\nraise SystemExit('three')",
             "last": "print('four')"}
    todo = [suite.Step(name, [sys.executable, "-c", code], beside=name == "slow") for name, code in codes.items()]
    found = list(suite.run_all(todo, dict(os.environ), cwd=tmp_path))
    assert [(name, passed) for name, passed, _ in found] == [("first", True), ("slow", False), ("last", True)]
    assert capfd.readouterr().out.split() == "== first one == slow two three == last four".split()


def test_the_lock_is_complete_so_that_nothing_else_need_be_looked_for():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)
    versions = {canonicalize_name(name): version for name, version in pinned}
    todo, seen = [Requirement(f"{name} {limits}") for name, limits in requirements().items()], set()
    while todo:
        asked = todo.pop()
        name = canonicalize_name(asked.name)
        assert asked.specifier.contains(versions[name], prereleases=True), asked
        for extra in {"", *asked.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                needs = map(Requirement, metadata.requires(name) or ())
                todo += [one for one in needs if one.marker is None or one.marker.evaluate({"extra": extra})]
    assert len(seen) > 100


def test_continuous_integration_and_the_benchmarks_use_one_version_of_pytorch():
    peers = (ROOT / "tests" / "benchmarks" / "peers.txt").read_text(encoding="utf-8")
    version = re.search(r"^torch==(\S+)$", peers, re.MULTILINE)[1]
    assert f"torch={version}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_another_python_gets_a_sentence(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    with pytest.raises(SystemExit, match="The course needs Python 3.11 to 3.14"):
        environment.main()


def test_a_python_without_venv_gets_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="python3-venv"):
        environment.create(uv=None)


def test_lab_listens_here_only_keeps_its_token_and_is_root_only_when_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    options = " ".join(lab.command())
    assert "--ServerApp.ip=127.0.0.1" in options and "00_welcome.ipynb" in options
    assert "token" not in options and "--allow-root" not in options
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert "--allow-root" in lab.command()
    folder = lab.environment()["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0]
    assert Path(folder, "labconfig", "page_config.json").is_file()


def test_lab_on_a_notebook_that_is_not_there_gets_a_sentence():
    assert "expected a notebook of this folder, found none" in lab.main(["notebooks/99_nothing.ipynb"])
