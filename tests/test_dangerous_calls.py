"""What would let foreign data run: pickles, eval, shells, names for files that anybody may take first. Each is listed.

A new call of this kind fails here until it stands in ALLOWED, with the reason for which it is safe.
"""

import ast
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("nnlib/**/*.py"), *ROOT.glob("tools/**/*.py"), ROOT / "nbgrader_config.py",
                ROOT / "conftest.py"])
ALLOWED = {
    ("nnlib/grading/forbidden.py", "exec"): "compiles a wrapper from a template of ours, which holds a number alone",
    ("nnlib/grading/mutation.py", "exec"): "runs mutants of the course's own answers, for make audit",
    ("nnlib/grading/worker.py", "exec"): "runs a learner's cells: what the sandbox around this process is for",
    ("nnlib/grading/worker.py", "pickle.loads"): "in the worker: reads what the grader sends, never the other way",
    ("nnlib/module.py", "numpy.load"): "with allow_pickle=False, which a test attacks",
}
ALWAYS = {  # dotted names, by what they do
    "eval", "exec", "pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads",
    "joblib.load", "dill.load", "dill.loads", "marshal.load", "marshal.loads", "shelve.open", "numpy.load",
    "pandas.read_pickle", "torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen",
    "tempfile.mktemp", "subprocess.getoutput", "subprocess.getstatusoutput", "sympy.sympify", "sympy.parse_expr",
    "sympy.S", "sympy.lambdify", "sympy.parsing.sympy_parser.parse_expr", "numexpr.evaluate", "shutil.unpack_archive",
    "tarfile.open", "zipfile.ZipFile.extractall", "xml.etree.ElementTree.parse",
    "builtins.eval", "builtins.exec"}
METHODS = {"extractall", "extract"}  # of an archive, whatever it is called
SHELLED = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"}


def imports(tree):
    """{name in the module: dotted name} of what it imports anywhere."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                known[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return known


def dangers(source):
    """(line, dotted name) of dangerous names in a module, called or handed on; and shells."""
    tree = ast.parse(source)
    known, owned = imports(tree), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load) and node not in owned:
            parts, inner = [], node
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
                owned.add(inner)
            if isinstance(inner, ast.Name):
                dotted = ".".join([known.get(inner.id, inner.id), *reversed(parts)])
                if dotted in ALWAYS:
                    yield node.lineno, dotted
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                yield node.lineno, f".{node.func.attr}"
            options = {one.arg: one.value for one in node.keywords}
            for name in ("shell", "allow_pickle"):
                if name in options and not (isinstance(options[name], ast.Constant) and options[name].value is False):
                    yield node.lineno, f"{name}={ast.unparse(options[name])}"
            dotted = ast.unparse(node.func)
            first, _, rest = dotted.partition(".")
            if f"{known.get(first, first)}{'.' + rest if rest else ''}" in SHELLED and node.args and isinstance(
                    node.args[0], (ast.Constant, ast.JoinedStr)):
                yield node.lineno, "a command as one text"


def test_every_dangerous_call_is_listed_with_its_reason():
    found = {}
    for path in FILES:
        for line, name in dangers(path.read_text(encoding="utf-8")):
            found.setdefault((path.relative_to(ROOT).as_posix(), name), []).append(line)
    assert len(FILES) > 100
    assert {key: lines for key, lines in found.items() if key not in ALLOWED} == {}
    assert set(ALLOWED) - set(found) == set(), "no longer there: strike it from ALLOWED"


@pytest.mark.parametrize("source, name", [
    ("eval(text)", "eval"), ("run = exec", "exec"), ("import pickle\npickle.load(file)", "pickle.load"),
    ("from pickle import loads as read\nread(x)", "pickle.loads"), ("import joblib as j\nj.load(p)", "joblib.load"),
    ("import numpy as np\nnp.load(p)", "numpy.load"), ("f(p, allow_pickle=True)", "allow_pickle=True"),
    ("f(p, allow_pickle=flag)", "allow_pickle=flag"), ("import yaml\nyaml.load(f, yaml.Loader)", "yaml.load"),
    ("import subprocess\nsubprocess.run(a, shell=True)", "shell=True"), ("import os\nos.system('ls')", "os.system"),
    ("import subprocess\nsubprocess.run(f'ls {x}')", "a command as one text"),
    ("from subprocess import Popen\nPopen('ls')", "a command as one text"),
    ("from sympy import sympify\nsympify(text)", "sympy.sympify"), ("archive.extractall(place)", ".extractall"),
    ("import tempfile\ntempfile.mktemp()", "tempfile.mktemp"),
    ("def f():\n    import pickle as p\n    return map(p.loads, x)", "pickle.loads")])
def test_the_search_finds(source, name):
    assert name in [found for _, found in dangers(source)]


@pytest.mark.parametrize("source", [
    "model.eval()", "loads = json.loads\nloads(x)", "import json\njson.load(f)", "'eval(x)'",
    "f(p, allow_pickle=False)", "import subprocess\nsubprocess.run(['ls', name])", "import yaml\nyaml.safe_load(f)",
    "re.compile(x)"])
def test_the_search_passes(source):
    assert list(dangers(textwrap.dedent(source))) == []
