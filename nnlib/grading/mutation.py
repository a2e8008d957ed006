"""Change right answers in one small place and see whether the checks notice: the tests of the tests.

The ready-made tools (mutmut, cosmic-ray) change the files of a package and run a test suite for each change. Here
one function is changed, `examine` is the test and a mutant takes milliseconds, so the standard `ast` is enough.
"""

import ast
import copy
import gc
import importlib
import inspect
import re
import sys
import time
import warnings
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnlib.grading import checks
from nnlib.grading.compare import compare, plain, same
from nnlib.grading.examine import RIGHT, examine, surroundings_as_they_were
from nnlib.grading.guard import TimeUp, time_limit

ROOT = Path(__file__).parents[2]
SOLUTIONS = ROOT / "solutions"
LIMIT = 1.0  # seconds for one case: a mutant that needs more is endless
BASE = 60  # inputs on which a right answer itself must be right
REJECTED, EQUIVALENT, SURVIVOR = "rejected", "equivalent", "survivor"

OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
             ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult}
COMPARISONS = ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq
PAIRS = [("sum", "mean"), ("max", "min"), ("exp", "log"), ("maximum", "minimum"), ("zeros", "ones"),
         ("zeros_like", "ones_like"), ("array", "asarray"), ("argmax", "argmin"), ("all", "any"), ("sqrt", "square"),
         ("floor", "ceil"), ("sin", "cos"), ("sinh", "tanh"), ("append", "extend")]
FUNCTIONS = {a: b for one, other in PAIRS for a, b in ((one, other), (other, one))}
MODULES = "np", "math", "nnlib", "random"
EVEN = r"len|abs|.*\b(abs|norm|square|shape|ndim|isfinite|isnan|zeros|empty_like|ones)"  # the same for x and -x
AXES = 0, 1, -1, None


class Mutant(NamedTuple):
    """A source with one change: its line, that line before and after, and the whole of it."""

    line: int
    before: str
    after: str
    source: str


def mutants(tree, within=None):
    """The Mutants of a syntax tree, each once; within(line) says which lines may change (default: all)."""
    original = ast.unparse(tree)
    seen = {original}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
                 and within and any(map(within, range(node.lineno, node.end_lineno + 1)))]
    named = [node for part in functions or [tree] for node in ast.walk(part) if isinstance(node, (ast.Name, ast.arg))]
    names = sorted({node.arg if isinstance(node, ast.arg) else node.id for node in named
                    if isinstance(getattr(node, "ctx", ast.Store()), ast.Store)})
    for parent, holder, key, node in list(_places(tree)):
        line = getattr(node, "lineno", getattr(parent, "lineno", 0))
        if within and not within(line):
            continue
        for new in _replacements(node, parent, key, names):
            holder[key] = new
            text = ast.unparse(tree)
            holder[key] = node
            if text not in seen:
                seen.add(text)
                yield Mutant(line, *_first_difference(original, text), text)


def _places(tree):
    """Every node below `tree` as (parent, holder, key, node), where holder[key] is the node."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, list):
                yield from ((parent, value, index, item) for index, item in enumerate(value)
                            if isinstance(item, ast.AST))
            elif isinstance(value, ast.AST):
                yield parent, vars(parent), field, value


def _first_difference(original, text):
    pairs = zip(original.splitlines(), text.splitlines(), strict=False)
    return next(((a.strip(), b.strip()) for a, b in pairs if a != b), ("", text.splitlines()[-1].strip()))


def _replacements(node, parent, key, names):
    """New nodes to stand in the place of `node`, which is `key` of its parent."""
    if isinstance(node, ast.stmt):
        yield from _statements(node, names)
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    elif isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        yield from _expressions(node, parent)
        if key == "test":
            yield from (ast.UnaryOp(ast.Not(), node), ast.Constant(True), ast.Constant(False))
        if _is_number(node, parent, key):
            yield ast.UnaryOp(ast.USub(), node)
    elif isinstance(node, ast.keyword) and node.arg == "axis":
        yield from (ast.keyword("axis", ast.Constant(axis)) for axis in AXES)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [], node.is_async)


def _is_number(node, parent, key):
    """True where a minus before the node can matter: not before np, a callee, a dtype, or in len(x), norm(x)."""
    deaf = isinstance(parent, ast.Call) and re.fullmatch(EVEN, ast.unparse(parent.func))
    return (isinstance(node, (ast.Name, ast.Call, ast.BinOp, ast.Attribute, ast.Subscript)) and key != "func"
            and not isinstance(parent, (ast.Attribute, ast.UnaryOp, ast.keyword, ast.For, ast.comprehension))
            and not deaf and not (isinstance(parent, ast.Subscript) and key == "value"))


def _statements(node, names):
    match node:
        case ast.FunctionDef() | ast.ClassDef() | ast.Pass() | ast.Import() | ast.ImportFrom():
            return
        case ast.Expr(ast.Constant(str())):
            return
        case ast.Return(value) if value is not None:
            yield from (ast.Return(ast.Name(name, ast.Load())) for name in names)
        case ast.Assign([ast.Name(name)], ast.BinOp(ast.Name(same), op, right)) if name == same:
            yield ast.AugAssign(ast.Name(name, ast.Store()), op, right)
        case ast.AugAssign(target, op, value):
            yield ast.AugAssign(target, OPERATORS.get(type(op), ast.Add)(), value)
            yield ast.Assign([target], value, lineno=node.lineno)
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
    yield ast.Pass()


def _expressions(node, parent):
    match node:
        case ast.BinOp(left, op, right):
            yield ast.BinOp(left, OPERATORS.get(type(op), ast.Add)(), right)
            if not isinstance(op, (ast.Add, ast.Mult)):
                yield ast.BinOp(right, op, left)
            yield from (left, right)
            if isinstance(op, ast.MatMult):
                yield ast.BinOp(ast.Attribute(left, "T", ast.Load()), op, right)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.Compare(left, [op], [right]) if isinstance(op, COMPARISONS):
            yield from (ast.Compare(left, [other()], [right]) for other in COMPARISONS)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield from (ast.BoolOp(op, values[:i] + values[i + 1:]) if len(values) > 2 else values[1 - i]
                        for i in range(len(values)))
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(float(value)):
            yield from (ast.Constant(new) for new in (2 * value, value / 2, 0.0, 1.0))
        case ast.Constant(str()) if not isinstance(parent, (ast.JoinedStr, ast.Expr)):
            yield ast.Constant("")
        case ast.Attribute(value, "T"):
            yield value
        case ast.Attribute(value, attr) if attr in FUNCTIONS:
            yield ast.Attribute(value, FUNCTIONS[attr], ast.Load())
        case ast.Name(name) if name in FUNCTIONS:
            yield ast.Name(FUNCTIONS[name], ast.Load())
        case ast.Subscript(value):
            yield value
        case ast.Tuple(elements) if len(elements) > 1:
            yield ast.Tuple(elements[::-1], ast.Load())
            yield from elements
        case ast.Call():
            yield from _calls(node)


def _calls(node):
    func, args, keywords = node.func, node.args, node.keywords
    yield from (argument for argument in args if not isinstance(argument, ast.Starred))
    if isinstance(func, ast.Attribute) and not (isinstance(func.value, ast.Name) and func.value.id in MODULES):
        yield func.value
    for i in range(len(args) - 1):
        yield ast.Call(func, args[:i] + [args[i + 1], args[i]] + args[i + 2:], keywords)
    for i in range(len(keywords)):
        yield ast.Call(func, args, keywords[:i] + keywords[i + 1:])
    if "axis" in (known := {keyword.arg for keyword in keywords}) and "keepdims" not in known:
        yield ast.Call(func, args, [*keywords, ast.keyword("keepdims", ast.Constant(True))])
    if isinstance(func, ast.Name) and func.id == "range":
        if len(args) == 1:
            yield ast.Call(func, [ast.Constant(1), *args], keywords)
        for i, bound in enumerate(args):
            yield from (ast.Call(func, [*args[:i], near, *args[i + 1:]], keywords) for near in _one_off(bound))


def _slices(node):
    bounds = node.lower, node.upper, node.step
    for i, bound in enumerate(bounds):
        if bound is not None:
            yield from (ast.Slice(*bounds[:i], new, *bounds[i + 1:]) for new in (None, *_one_off(bound)))


def _one_off(bound):
    if not isinstance(bound, ast.Constant):  # constants change by themselves
        yield from (ast.BinOp(bound, op(), ast.Constant(1)) for op in (ast.Add, ast.Sub))


class Subject(NamedTuple):
    """A right answer that can be changed: where it stands, its tree, the names around it, which is its own.

    methods: what the class `name` held before one of its methods was changed, where cells give it their functions.
    """

    where: str
    tree: Any
    around: dict
    name: str
    within: Any = None
    methods: Any = None

    def build(self, source=""):
        """The answer that `source` defines (default: the answer as it is)."""
        names = dict(self.around)
        for key, value in (self.methods or {}).items():
            if vars(names[self.name]).get(key) is not value:
                setattr(names[self.name], key, value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SyntaxWarning: 'int' object is not callable
            exec(compile(source or ast.unparse(self.tree), f"<mutant of {self.where}>", "exec"), names)
        return names[self.name]


@lru_cache(maxsize=1)
def subjects(set_name, question):
    """The Subjects of a question: the model answer of its solution, its reference and alternatives.

    Of a class that answers a question for a method, "Value.__add__", only this method changes.
    """
    exercise = checks.load(set_name)[question]
    plain = [answer for answer in (exercise.reference, *exercise.alternatives)
             if getattr(answer, "__name__", "") not in table(set_name, "EXEMPT")]
    plain = [_class_of_checks(answer, question) if isinstance(answer, type) else _plain_function(answer)
             for answer in plain]
    return [*_model_answers(set_name, question), *filter(None, plain)]


def _model_answers(set_name, question):
    """The Subjects in solutions/, where the course (not a teacher's own set without it) has some.

    A function has one cell; a class may have several, the further ones named by their grade_id, Value-...
    """
    path = SOLUTIONS / set_name / f"{set_name}.ipynb"
    if not path.is_file():
        return []
    import nbformat
    name, _, method = question.partition(".")
    around, found = {}, []
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(re.sub(r"(?m)^[ \t]*[%!].*", "", cell.source))
        graded = cell.metadata.get("nbgrader", {})
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
        kinds += (ast.Assign,) if graded.get("solution") else ()
        tree.body = [node for node in tree.body if isinstance(node, kinds) or _gives_methods(node)]
        exec(compile(tree, str(path), "exec"), around)
        if graded.get("solution") and name in around:
            lines = _marked(cell.source)
            if method:
                lines &= _lines(tree, name, method)
            if lines and method or not method and (not found or graded.get("grade_id", "").startswith(f"{name}-")):
                place = f"{path.relative_to(ROOT)}, cell {cell.id}"
                found.append(Subject(place, tree, around, name, lines.__contains__))
    methods = dict(vars(around[name])) if isinstance(around.get(name), type) else None
    return [one._replace(methods=methods) for one in (found[:1] if method else found)]


def _marked(source):
    """The numbers of the lines between BEGIN and END SOLUTION."""
    inside, wanted = False, set()
    for number, line in enumerate(source.splitlines(), 1):
        inside = "### BEGIN SOLUTION" in line or inside and "### END SOLUTION" not in line
        wanted |= {number} if inside else set()
    return wanted


def _gives_methods(node):
    """True for a statement such as Value.__neg__ = negative, or with several on both sides."""
    if not isinstance(node, ast.Assign):
        return False
    places = [place for target in node.targets for place in getattr(target, "elts", [target])]
    functions = getattr(node.value, "elts", [node.value])
    return (all(isinstance(place, ast.Attribute) and isinstance(place.value, ast.Name) for place in places)
            and all(isinstance(function, ast.Name) for function in functions))


def _lines(tree, name, method):
    """The numbers of the lines that define a method of a class, inside of it or by `Value.method = function`."""
    given = [node.value.id for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name)
             and f"{name}.{method}" in map(ast.unparse, node.targets)]
    inside = [node for part in tree.body if isinstance(part, ast.ClassDef) and part.name == name for node in part.body]
    found = [node for node in inside if isinstance(node, ast.FunctionDef) and node.name == method
             or isinstance(node, ast.Assign) and method in map(ast.unparse, node.targets)]
    found += [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in given]
    return {line for node in found for line in range(node.lineno, node.end_lineno + 1)}


def _plain_function(function):
    """The Subject of a function or lambda that stands in a module of questions; None for all others, closures too."""
    ours = inspect.isfunction(function) and function.__module__.startswith(checks.__name__)
    if not ours or function.__closure__:
        return None
    path, code = Path(inspect.getsourcefile(function)), function.__code__
    spots = {(line, column) for line, _, column, _ in code.co_positions() if line and column}
    holds = [node for node in ast.walk(_parsed(path)) if isinstance(node, (ast.FunctionDef, ast.Lambda))
             and (node.lineno, node.col_offset) <= min(spots)
             and max(spots) <= (node.end_lineno, node.end_col_offset)]
    node = max(holds, key=lambda node: (node.lineno, node.col_offset))
    name = function.__name__ if isinstance(node, ast.FunctionDef) else "answer"
    statement = node if isinstance(node, ast.FunctionDef) else ast.Assign([ast.Name(name, ast.Store())], node)
    tree = ast.fix_missing_locations(ast.Module([statement], []))
    return Subject(path.name, tree, function.__globals__, name)


def _class_of_checks(answer, question):
    """The Subject of a class that stands in a module of questions; None for all others, and for an inherited method."""
    name, module = answer.__name__, sys.modules.get(answer.__module__)
    if not answer.__module__.startswith(checks.__name__) or getattr(module, name, None) is not answer:
        return None
    path, (_, dot, method) = Path(inspect.getsourcefile(answer)), question.rpartition(".")
    tree = ast.Module([node for node in _parsed(path).body if isinstance(node, ast.ClassDef) and node.name == name], [])
    lines = _lines(tree, name, method)
    if not tree.body or dot and not lines:
        return None
    return Subject(path.name, tree, vars(module), name, lines.__contains__ if dot else None)


@lru_cache
def _parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def table(set_name, name):
    """The dict of this name in the set's module of questions; empty where it has none."""
    return getattr(importlib.import_module(f"{checks.__name__}.{set_name[:4]}"), name, {})


class Trials:
    """Independent inputs of a question, drawn once and kept: its drawn cases, and its module's DOMAIN of others."""

    def __init__(self, set_name, question, seed):
        exercise, domain = checks.load(set_name)[question], table(set_name, "DOMAIN")
        cases = [trial.case for trial in exercise.draw() if trial.drawn] + list(domain.get(question, ()))
        self.exercise = replace(exercise, points=0, cases=cases or exercise.cases, misconceptions=(), time_limit=LIMIT)
        self.seed, self.drawn = seed, []

    def __getitem__(self, index):
        while index >= len(self.drawn):
            self.seed += 1
            self.drawn += self.exercise.draw(self.seed)
            gc.freeze()  # they stay to the end: millions of objects that no collection needs to look at again
        return self.drawn[index]


@lru_cache(maxsize=1)
def _fresh(set_name, question, seed):
    return Trials(set_name, question, seed)


@lru_cache(maxsize=1)
def _checked(set_name, question, seed):
    """What an answer is checked with: the notebook's trials, and those of another seed."""
    exercise = replace(checks.load(set_name)[question], misconceptions=(), time_limit=LIMIT)
    return exercise, [exercise.draw(0), exercise.draw(seed + 1)]


def accepts(exercise, answer, trials):
    """True where `answer` is right on all trials; stops at the first where it is not."""
    return all(examine(exercise, answer, [trial]).status == RIGHT for trial in trials)


@dataclass
class Fate:
    """What became of one mutant; `inputs` is the number on which it agreed with the right answer."""

    where: str
    before: str
    after: str
    verdict: str = REJECTED
    inputs: int = 0


def judge(set_name, question, number, chosen, seed=0, inputs=10_000, seconds=10.0):
    """The Fates of a question's mutants: those of its subject `number` at the places `chosen` (a slice)."""
    subject = subjects(set_name, question)[number]
    made = list(mutants(subject.tree, subject.within))[chosen]
    return [_judge(set_name, question, subject, mutant, seed, inputs, seconds) for mutant in made]


def _judge(set_name, question, subject, mutant, seed, inputs, seconds):
    """Rejected where the check rejects it with both seeds; else compared with the reference.

    It is equivalent when it agrees on `inputs` independent inputs, or on as many as `seconds` allow, else a survivor.
    """
    fate = Fate(f"{subject.where}, line {mutant.line}", mutant.before, mutant.after)
    try:
        answer = subject.build(mutant.source)
    except Exception:
        return fate
    exercise, checked = _checked(set_name, question, seed)
    if not any(accepts(exercise, answer, trials) for trials in checked):
        return fate
    fresh, spent = _fresh(set_name, question, seed + 1), 0.0
    while fate.inputs < inputs and spent < seconds:
        some = [fresh[i] for i in range(fate.inputs, min(fate.inputs + 100, inputs))]
        started = time.monotonic()
        agreed = _agreeing(fresh.exercise, answer, some, seconds)
        fate.inputs += agreed
        if agreed < len(some):
            if not accepts(fresh.exercise, answer, [some[agreed]]):
                fate.verdict = SURVIVOR
                return fate
            fate.inputs += 1
        spent += time.monotonic() - started
    fate.verdict = EQUIVALENT
    return fate


def _agreeing(exercise, answer, trials, seconds):
    """How many trials, from the first on, the answer surely passes: a quick look that leaves doubts to `accepts`."""
    count = 0
    with (suppress(Exception, TimeUp), redirect_stdout(StringIO()), surroundings_as_they_were(),
          time_limit(seconds)):
        for case, args, expected, _ in trials:
            mine = copy.deepcopy(args)
            with np.errstate(all="raise" if case.no_warnings else "ignore", under="ignore"):
                value = plain(exercise.use(case, answer, mine))
            wrong = case.judge(value, args, expected) if case.judge else compare(expected, value, case.tolerance)
            if wrong or not same(args, mine):
                break
            count += 1
    return count


def tasks(set_name, question, seed=0, size=6):
    """(problems, arguments of `judge` for small parts of the work) for a question.

    A right answer that fails on the inputs on which its mutants would be compared is a problem, and not mutated.
    """
    problems, work = [], []
    fresh = _fresh(set_name, question, seed + 1)
    for number, subject in enumerate(subjects(set_name, question)):
        answer = subject.build()
        wrong = next((fresh[i] for i in range(BASE) if not accepts(fresh.exercise, answer, [fresh[i]])), None)
        if wrong:
            problems.append(f"{question}: {subject.where}: a right answer fails on inputs of {wrong.case.title!r}")
            continue
        count = sum(1 for _ in mutants(subject.tree, subject.within))
        work += [(set_name, question, number, slice(start, start + size), seed) for start in range(0, count, size)]
    return problems, work
