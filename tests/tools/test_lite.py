"""The course in a browser: what the page is made of, that Pyodide has all it needs, and what cannot run there."""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

import badges
import lite
import notebooks

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETS = sorted((ROOT / "solutions").glob("*/*.ipynb"))
PACKAGE_OF = {"sklearn": "scikit-learn", "PIL": "pillow", "IPython": "ipython"}
FROM_THE_KERNEL = {"ipykernel", "widgetsnbextension"}  # jupyterlite-pyodide-kernel brings stubs of these
NOT_THERE = {  # imports of what the page lacks, each inside a function or a try, and what says so there
    "jupyter_core": {"course_map.py"},  # the folder is known without it
    "nbformat": {"mutation.py"},  # the audit of the checks needs the repository
    "pooch": {"downloads.py"},  # "cannot download"
    "resource": {"sandbox.py"},  # the grader: "in processes of their own"
    "torch": {"15_skip_connections_and_recurrence.ipynb", "16_attention_and_beyond.ipynb"}}  # optional cells
LACKING = ["jupyter_core", "jupyterlab", "nbclient", "nbformat", "pooch", "resource", "_multiprocessing", "_posixshmem"]
BROWSER = f"""
import os, signal, subprocess, sys, sysconfig, threading
def refuse(error):
    def refused(*args, **options):
        raise error
    return refused
sysconfig.get_config_vars()
import matplotlib.font_manager  # Pyodide's own builds its list of fonts without a thread
for name in {LACKING}:
    sys.modules[name] = None
sys.platform = "emscripten"
os.cpu_count = lambda: 4  # as some browsers tell
import threadpoolctl  # there it finds nothing to limit, and warns
threadpoolctl.threadpool_limits = refuse(RuntimeWarning("as_object_map() is deprecated"))
threading.Thread.start = refuse(RuntimeError("can't start new thread"))
subprocess.Popen.__init__ = refuse(OSError(138, "emscripten does not support processes."))
os.fork = refuse(OSError(52, "Function not implemented"))
for name in ("setitimer", "getitimer"):
    if hasattr(signal, name):
        delattr(signal, name)
"""  # measured in Pyodide 314.0.6: the same errors


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """All that the page is made of, with nnlib's wheel unpacked as Pyodide does it, in `site`."""
    folder = tmp_path_factory.mktemp("lite")
    lite.lay_out(folder)
    with zipfile.ZipFile(next((folder / "pypi").glob("nnlib-*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder


def in_browser(page, code, where="files/notebooks"):
    """What code prints in a Python that lacks what Pyodide lacks, with the page's nnlib, in a folder of the page."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only on Linux can Python pass for one in a browser")
    env = os.environ | {"PYTHONPATH": str(page / "site"), "NNLIB_PROGRESS": str(page / "progress.json"),
                        "MPLBACKEND": "agg"}
    done = subprocess.run([sys.executable, "-c", BROWSER + code], cwd=page / where, env=env, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_the_page_has_every_notebook_with_its_kernel_and_a_cell_that_brings_nnlib(page):
    expected = {f"notebooks/{path.name}" for path in LESSONS} | {
        f"exercises/{path.stem}/{path.name}" for path in SETS}
    found = {path.relative_to(page / "files").as_posix(): path for path in (page / "files").rglob("*.ipynb")}
    assert set(found) == expected
    for name, path in found.items():
        nb = nbformat.read(path, 4)
        nbformat.validate(nb)
        assert nb.metadata.kernelspec.name == "python", name
        assert [number for number, cell in enumerate(nb.cells) if lite.TAG in notebooks.tags(cell)] == [1]
        assert "%pip install -q nnlib" in nb.cells.pop(1).source
        own = badges.without(nbformat.read(ROOT / name, 4))
        if name.startswith("notebooks/"):
            assert [cell.source for cell in nb.cells] == [cell.source for cell in own.cells]
            assert [cell.get("outputs") for cell in nb.cells[:3]] == [cell.get("outputs") for cell in own.cells[:3]]
        else:
            assert not any("### BEGIN SOLUTION" in cell.source or cell.get("outputs") for cell in nb.cells)
    assert json.loads((page / "jupyter-lite.json").read_text())["jupyter-config-data"]["defaultKernelName"] == "python"


def test_the_wheel_is_all_of_nnlib_and_requires_only_what_the_page_has(page):
    files = {path.relative_to(page / "site").as_posix() for path in (page / "site" / "nnlib").rglob("*")
             if path.is_file()}
    assert files == {path.relative_to(ROOT).as_posix() for path in (ROOT / "nnlib").rglob("*")
                     if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")}
    metadata = next((page / "site").glob("nnlib-*.dist-info/METADATA")).read_text(encoding="utf-8")
    required = [Requirement(line) for line in re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)
                if "extra ==" not in line]
    assert all(lite.runs_there(str(one)) for one in required)
    left_out = {lite.canonical(line) for line in PROJECT["dependencies"]}
    left_out -= {lite.canonical(one.name) for one in required}
    assert left_out == {"ipykernel", "jupyter-core", "jupyterlab", "nbformat", "nbclient", "pooch"}


def test_what_pyodide_has_is_in_the_ranges_that_the_course_needs():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        version = lite.PYODIDE["packages"].get(lite.canonical(requirement.name))
        assert version is None or version in requirement.specifier, f"{requirement} but Pyodide has {version}"
    assert lite.PYODIDE["python"] in Requirement(f"python{PROJECT['requires-python']}").specifier


def test_bundled_packages_are_locked_and_need_nothing_that_the_page_lacks():
    entries = re.findall(r"^([\w.-]+)==(\S+)", lite.bundled(), re.MULTILINE)
    assert [lite.canonical(name) for name, _ in entries] == sorted(lite.BUNDLED)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lite.bundled())) >= 2 * len(lite.BUNDLED)
    assert not set(lite.BUNDLED) & set(lite.PYODIDE["packages"])  # Pyodide has it now: it need not be bundled
    for name in lite.BUNDLED:
        for line in importlib.metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": "", "sys_platform": "emscripten"}):
                assert lite.runs_there(needed.name) or lite.canonical(needed.name) in FROM_THE_KERNEL, f"{name}: {line}"


def test_the_pins_fit_each_other_and_the_list_of_packages():
    text = lite.REQUIREMENTS.read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
    core, kernel = pins["jupyterlite-core"], pins["jupyterlite-pyodide-kernel"]
    assert core.split(".")[:2] == kernel.split(".")[:2]
    assert len(re.findall(r"^\S+==", text, re.MULTILINE)) == len(re.findall(r"^\S+==.*\n +--hash", text, re.MULTILINE))
    assert lite.PYODIDE["source"].split(";")[0].endswith(lite.PYODIDE["pyodide"])
    if not (constants := next(lite.VENV.rglob("jupyterlite_pyodide_kernel/constants.py"), None)):
        pytest.skip("`make lite` has not installed the kernel in .venv-lite: it cannot be asked for its Pyodide")
    assert f'PYODIDE_VERSION = "{lite.PYODIDE["pyodide"]}"' in constants.read_text(encoding="utf-8")


def imports(source):
    """The top names that a piece of Python imports anywhere."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
            [node.module] if isinstance(node, ast.ImportFrom) and not node.level else [])
        yield from (name.split(".")[0] for name in names)


def sources():
    """Pairs (path, source) of all code that runs on the page."""
    for path in sorted((ROOT / "nnlib").rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")
    for path in [*LESSONS, *SETS]:
        cells = [cell.source for cell in nbformat.read(path, 4).cells
                 if cell.cell_type == "code" and badges.TAG not in notebooks.tags(cell)]
        yield path, "\n".join(re.sub(r"(?m)^%.*$", "", source) for source in cells)


def test_every_import_is_on_the_page_or_is_known_to_be_missing():
    missing = {}
    for path, source in sources():
        for name in imports(source):
            there = name == "nnlib" or lite.runs_there(PACKAGE_OF.get(name, name)) or (
                name in sys.stdlib_module_names and name not in lite.PYODIDE["absent"])
            if not there:
                missing.setdefault(name, set()).add(path.name)
    assert missing == NOT_THERE


def test_nnlib_imports_without_what_pyodide_lacks(page):
    shown, warned = in_browser(page, """
import nnlib, nnlib.plots, nnlib.widgets, nnlib.grading, nnlib.grading.__main__
for name in nnlib.widgets.__all__:
    getattr(nnlib.widgets, name)
print(nnlib.__file__)
""")
    assert shown.strip() == str(page / "site" / "nnlib" / "__init__.py") and warned == ""


def test_the_map_finds_the_notebooks_of_the_page(page):
    shown, _ = in_browser(page, """
from pathlib import Path
from nnlib.widgets import CourseMap
course_map = CourseMap()
print(len(course_map.here), [path.name for path in course_map.links().values()])
""")
    assert shown.strip() == "17 ['00_welcome.ipynb']"


def test_work_that_is_shared_elsewhere_is_done_here_one_by_one(page):
    shown, warned = in_browser(page, """
import numpy as np
from joblib import Parallel, delayed
from nnlib import conv2d
from nnlib.tuning import random_search, uniform
print(conv2d(np.ones((64, 8, 28, 28)), np.ones((16, 8, 5, 5))).shape)
print(len(random_search(lambda x: x, {"x": uniform(0, 1)}, 3, seed=0, jobs=2, progress=False)))
print(Parallel(n_jobs=2)(delayed(abs)(x) for x in (-1, 2)))
random_search(lambda x: x, {"x": uniform(0, 1)}, 2, seed=0)
""")
    assert shown.splitlines() == ["(64, 16, 24, 24)", "3", "[1, 2]"]
    assert "2/2" in warned and "Warning" not in warned and "Error" not in warned  # the progress bar alone


def test_checks_give_points_and_hints_and_keep_them(page):
    shown, warned = in_browser(page, """
import numpy as np
from nnlib.grading import ExerciseSet, course_progress
check = ExerciseSet("ex01_logistic_regression")
def sigmoid(z):
    raise NotImplementedError
points = [check(sigmoid)]
def sigmoid(z):
    return 1 / (1 + np.exp(z))
points.append(check(sigmoid))
def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1, e) / (1 + e)
points.append(check(sigmoid))
print(points, course_progress()["ex01_logistic_regression"])
""", where="files/exercises/ex01_logistic_regression")
    assert "not attempted" in shown and "Hint" in shown
    assert re.search(r"\[0, 0, (\d)\] \(\1, 15\)$", shown.strip()) and warned == ""


@pytest.mark.parametrize("code, said", [
    ("from nnlib.grading.__main__ import main; print(main(['.']))", "nnlib.grading: learners' cells run in processes"),
    ("from nnlib.grading.grader import grade; print(grade('00_welcome.ipynb').problem)", "learners' cells run in"),
    ("from nnlib.datasets import load_mnist\ntry: load_mnist()\nexcept OSError as error: print(error)",
     "MNIST is optional, and Python in a browser cannot download it; go on without")])
def test_what_cannot_run_in_a_browser_says_so_in_one_sentence(page, code, said):
    shown, warned = in_browser(page, code)
    assert said in shown + warned and "Traceback" not in shown + warned


def test_the_site_builds_and_contains_everything(page, tmp_path):
    if not (lite.VENV / ".ready").is_file():
        pytest.skip("what builds the page is not installed: `make lite` does it; .ci/run, too")
    lite.build(lite.python(), page, tmp_path / "site")
    site = tmp_path / "site"
    settings = json.loads((site / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    extensions = {one["name"] for one in settings["federated_extensions"]}
    assert {"@jupyter-widgets/jupyterlab-manager", "@jupyterlite/pyodide-kernel-extension", "anywidget"} <= extensions
    assert all((site / "extensions" / name / "package.json").is_file() for name in extensions)
    for folder, names in [("notebooks", [path.name for path in LESSONS]),
                          *((f"exercises/{path.stem}", [path.name]) for path in SETS)]:
        listed = json.loads((site / "api/contents" / folder / "all.json").read_text(encoding="utf-8"))["content"]
        assert sorted(one["name"] for one in listed) == names
        assert all((site / "files" / folder / name).is_file() for name in names)
    wheels = json.loads((site / "pypi/all.json").read_text(encoding="utf-8"))
    assert set(wheels) == {"nnlib", *lite.BUNDLED}
    assert not [path for path in site.rglob("*.json") if str(page) in path.read_text(encoding="utf-8")]
    plugin = settings["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert any(re.match(r"\./pypi/all\.json", url) for url in plugin["pipliteUrls"])
    assert (site / "lab" / "index.html").is_file()
