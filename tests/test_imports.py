"""Which way imports run, read from the source; and what a bare `import nnlib` does not load."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nnlib

ROOT = Path(nnlib.__file__).parent
LEVELS = {"errors": 0, "arguments": 0, "seeding": 1, "autograd": 1, "ops": 2, "module": 3, "initializers": 3,
          "datasets": 3, "losses": 4, "layers": 4, "optimizers": 4, "schedules": 4, "gradcheck": 4, "diagnosis": 4,
          "recurrent": 5, "attention": 5, "training": 6, "tuning": 7, "architecture": 7, "plots": 9, "widgets": 10,
          "grading": 11}
NUMPY_ALONE = {"", *(part for part, level in LEVELS.items() if level < LEVELS["plots"])}
FILES = sorted(ROOT.rglob("*.py"))


def part_of(module):
    """The part of nnlib that a module's dotted name lies in; the face itself, `nnlib`, is ''."""
    return (module.split(".") + [""])[1]


def name_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path, everywhere=True):
    """Dotted names that a file imports; those inside functions only if `everywhere`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lazy = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if not everywhere and id(node) in lazy:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = list(path.relative_to(ROOT.parent).parts[:-node.level]) if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_run_in_one_direction(path):
    here = part_of(name_of(path))
    if here == "":
        return  # the face imports from all that need only NumPy; see below
    assert here in LEVELS, f"a new part of nnlib: give {here} its level in this test"
    for name in imports(path):
        if name.split(".")[0] != "nnlib":
            continue
        there = part_of(name)
        if here == "widgets" and there == "grading":
            assert path.name == "course_map.py", f"{path} imports {name}; only the course map shows points"
            continue
        is_face = there not in LEVELS  # `from nnlib import Tensor`: the names of the lower parts
        level = 8 if is_face else LEVELS[there]
        assert level < LEVELS[here] or here == there, f"{path} imports {name}"


@pytest.mark.parametrize("path", [p for p in FILES if part_of(name_of(p)) in NUMPY_ALONE], ids=name_of)
def test_the_engine_imports_numpy_alone(path):
    for name in imports(path, everywhere=False):
        top = name.split(".")[0]
        assert top in {"nnlib", "numpy"} or top in sys.stdlib_module_names, f"{path} imports {name}"
        assert top != "nnlib" or part_of(name) not in {"plots", "widgets", "grading"}, f"{path} imports {name}"


def loaded_after(statement):
    code = f"import sys\n{statement}\nprint(*sys.modules, *(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(("statement", "absent"), [
    ("import nnlib, nnlib.datasets", {"matplotlib", "sklearn", "ipywidgets", "IPython", "PIL", "scipy", "tqdm",
                                      "joblib", "pooch"}),
    ("import nnlib.plots", {"matplotlib.pyplot", "sklearn", "ipywidgets", "IPython", "scipy"}),
    ("import nnlib.widgets", {"matplotlib.pyplot", "sklearn", "nnlib.grading", "nnlib.widgets.course_map"}),
])
def test_what_an_import_does_not_load(statement, absent):
    assert not absent & loaded_after(statement)


@pytest.mark.parametrize("module", ["nnlib", "nnlib.ops", "nnlib.plots"])
def test_every_public_name_exists_and_is_documented(module):
    module = importlib.import_module(module)
    for name in module.__all__:
        value = getattr(module, name)
        assert value.__doc__ or not callable(value), f"{name} has no docstring"
    assert len(set(module.__all__)) == len(module.__all__)


def test_an_explorer_that_does_not_exist():
    import nnlib.widgets

    with pytest.raises(AttributeError, match="no 'MomentumExplorers'; its explorers are .*MomentumExplorer"):
        _ = nnlib.widgets.MomentumExplorers
