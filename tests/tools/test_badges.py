"""Links to Binder, Colab and CI: right with an address, gone without; Binder finds what it needs."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

import badges
import notebooks
from nnlib.grading.grader import grade

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WHERE = badges.Address("an-owner", "a.course", "v1.0")
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETS = sorted((ROOT / "solutions").glob("*/*.ipynb"))
PARTS = ("README.md", "notebooks", "solutions", "exercises", "pyproject.toml")
named = pytest.mark.parametrize("path", [*LESSONS, *SETS], ids=lambda path: path.stem)


def place(path):
    """Where a learner opens what is at path."""
    return path.relative_to(ROOT).as_posix().replace("solutions/", "exercises/")


def with_links(path):
    return badges.in_notebook(nbformat.read(path, 4), place(path), WHERE, PROJECT)


def committed(name):
    """The bytes of a committed file: a learner may have worked in the exercises."""
    shown = subprocess.run(["git", "show", f":{name}"], cwd=ROOT, capture_output=True)
    return shown.stdout if shown.returncode == 0 else (ROOT / name).read_bytes()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the files that the tool writes, as they are committed."""
    root = tmp_path_factory.mktemp("course")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        else:
            shutil.copy(ROOT / name, root)
    for path in (root / "exercises").rglob("*.ipynb"):
        path.write_bytes(committed(path.relative_to(root).as_posix()))
    return root


def files(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def set_address(root, text):
    path = root / "pyproject.toml"
    path.write_text(re.sub(r'(?m)^repository = "[^"]*"', f'repository = "{text}"', path.read_text(encoding="utf-8")),
                    encoding="utf-8")


def test_an_address_brings_links_everywhere_and_none_takes_them_out_again(course, capsys):
    set_address(course, "")
    if badges.address(PROJECT):
        assert badges.write(course) == []
    before = files(course)
    set_address(course, f"{WHERE.page}.git")
    capsys.readouterr()
    assert badges.write(course) == []
    after = files(course)
    pages = {name for name in after if name.endswith((".ipynb", ".md"))}
    assert len(pages) == 1 + len(LESSONS) + 2 * len(SETS)
    assert {line.removesuffix(": written") for line in capsys.readouterr().out.splitlines()} == pages
    assert [name for name in pages if b"an-owner/a.course" not in after[name]] == []
    linted = subprocess.run([sys.executable, "-m", "ruff", "check", "--config", ROOT / "pyproject.toml", course],
                            capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout
    set_address(course, "")
    assert badges.write(course) == []
    assert files(course) == before


def test_the_course_as_committed_says_what_its_address_says():
    where = badges.address(PROJECT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert badges.in_readme(readme, where) == readme
    for path in [*LESSONS, *SETS]:
        nb = badges.in_notebook(nbformat.read(path, 4), place(path), where, PROJECT)
        notebooks.normalize(nb, outputs=not notebooks.is_source(path))
        assert notebooks.text_of(nb).encode() == path.read_bytes(), path.name


def test_another_address_replaces_the_links():
    path, other = LESSONS[0], badges.Address("somebody", "else", "main")
    nb = badges.in_notebook(with_links(path), place(path), other, PROJECT)
    assert nb == badges.in_notebook(nbformat.read(path, 4), place(path), other, PROJECT)
    assert badges.without(nb) == nbformat.read(path, 4)


@named
def test_every_notebook_links_to_itself_and_stays_in_its_stored_form(path, tmp_path):
    nb = with_links(path)
    title, binder, colab = re.fullmatch(r"(?s)(# .*)\n\n\*\*Without installing anything:\*\* \[Binder\]\((\S+)\) or "
                                        r"\[Colab\]\((\S+)\)", nb.cells[0].source).groups()
    link = re.fullmatch(r"https://mybinder\.org/v2/gh/an-owner/a\.course/v1\.0\?urlpath=([\w%.-]+)", binder)
    opened = unquote(link[1])
    assert opened == f"lab/tree/{place(path)}" and colab == (
        f"https://colab.research.google.com/github/an-owner/a.course/blob/v1.0/{place(path)}")
    assert (ROOT / opened.removeprefix("lab/tree/")).is_file()
    assert "mybinder" not in title
    written = tmp_path / path.parent.relative_to(ROOT) / path.name
    written.parent.mkdir(parents=True)
    notebooks.normalize(nb, outputs=not notebooks.is_source(path))
    notebooks.write(nb, written)
    assert notebooks.check(written) == []
    nbformat.validate(nbformat.read(written, 4))


def test_the_setup_cell_does_nothing_here(capsys):
    cell = with_links(LESSONS[0]).cells[1]
    assert cell.cell_type == "code" and notebooks.tags(cell) == [badges.TAG] and cell.outputs == []
    exec(TransformerManager().transform_cell(cell.source), {})  # without get_ipython: a magic would fail
    assert capsys.readouterr() == ("", "")


def test_the_setup_cell_on_colab_installs_what_the_links_open(monkeypatch):
    ran, colab = [], ModuleType("google.colab")
    colab.output = SimpleNamespace(enable_custom_widget_manager=lambda: ran.append("widgets"))
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    code = TransformerManager().transform_cell(with_links(LESSONS[0]).cells[1].source)
    shell = SimpleNamespace(run_line_magic=lambda name, line: ran.append(f"{name} {line}"))
    exec(code, {"get_ipython": lambda: shell})
    dependencies = [line.replace(" ", "") for line in PROJECT["project"]["dependencies"]]
    newer, course, widgets = ran
    assert course == 'pip install --quiet --no-deps "git+https://github.com/an-owner/a.course@v1.0"'
    assert widgets == "widgets"
    assert [word.strip('"') for word in newer.split()[3:]] == [
        next(line for line in dependencies if line.startswith(name)) for name in badges.NEWER_THAN_COLABS]


def test_a_notebook_with_the_setup_cell_executes_and_shows_the_same(tmp_path):
    path = tmp_path / "notebooks" / LESSONS[2].name
    path.parent.mkdir()
    stored = with_links(LESSONS[2])
    notebooks.normalize(stored)
    notebooks.write(stored, path)
    executed = notebooks.execute(path)
    assert executed.cells[1].outputs == [] and executed.cells[1].execution_count == 1
    for one, other in zip(executed.cells, stored.cells):
        assert [o.get("text") for o in one.get("outputs", [])] == [o.get("text") for o in other.get("outputs", [])]


def test_a_solution_with_the_setup_cell_gets_its_points(tmp_path):
    path = tmp_path / SETS[0].name
    notebooks.write(with_links(SETS[0]), path)
    graded = grade(path, seed=1)
    assert graded.problem == "" and graded.points == graded.possible > 0


@pytest.mark.parametrize("repository", ["github.com/owner/name", "https://github.com/owner", "https://example.org/a/b",
                                        "https://github.com/owner/name/tree/main", "https://github.com/o/n?x"])
def test_an_address_that_cannot_be_used_gets_a_sentence(repository):
    with pytest.raises(ValueError, match="expected repository = .*but got"):
        badges.address({"tool": {"nnlib": {"repository": repository}}})


@pytest.mark.parametrize("ref", ["", "a b", "main;ls", '"', "/main"])
def test_a_ref_that_cannot_be_used_gets_a_sentence(ref):
    with pytest.raises(ValueError, match="expected ref to be a branch or tag"):
        badges.address({"tool": {"nnlib": {"repository": WHERE.page, "ref": ref}}})


def test_a_readme_without_its_marks_gets_a_sentence_and_nothing_is_written(course, capsys):
    before = files(course)
    readme = course / "README.md"
    readme.write_text("# A course\n", encoding="utf-8")
    set_address(course, WHERE.page)
    assert badges.main([str(course)]) == 1
    assert "expected a line <!-- badges" in capsys.readouterr().err
    left = files(course)
    assert {name for name in left if left[name] != before[name]} <= {"README.md", "pyproject.toml"}


def test_binder_finds_the_environment_and_installs_the_course_into_it():
    """repo2docker reads environment.yml and postBuild here only while no folder or file with precedence exists."""
    for name in ("binder", ".binder", "Dockerfile", "Project.toml", "default.nix", "install.R", "DESCRIPTION"):
        assert not (ROOT / name).exists(), f"{name} would hide environment.yml from Binder"
    script = (ROOT / "postBuild").read_bytes()
    assert script.startswith(b"#!/bin/bash\n") and b"\r" not in script
    listed = subprocess.run(["git", "ls-files", "--stage", "postBuild"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        assert listed.stdout.startswith("100755 "), "must be executable: git update-index --chmod=+x postBuild"
    commands = [line for line in script.decode().splitlines() if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", "python -m pip install --no-deps --no-build-isolation -e ."]
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    names = {re.match(r"[\w-]+", line)[0] for line in listed if isinstance(line, str)}
    assert {"pip", "flit-core", "jupyterlab", "ipywidgets", "anywidget"} <= names  # to build, to open, to show widgets
