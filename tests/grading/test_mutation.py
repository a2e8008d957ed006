"""The mutator makes the changes it should, knows an equivalent one, and finds a check that overlooks one."""

import ast
import inspect
import re
import sys
import types

import numpy as np
import pytest

from nnlib.grading import Case, Exercise, Misconception, checks, mutation
from nnlib.grading.audit import main
from nnlib.grading.checks import ex01, ex03


def changed(source):
    """All mutants of a source, each as its changed line."""
    return {mutant.after for mutant in mutation.mutants(ast.parse(source))}


@pytest.mark.parametrize("source, expected", [
    ("y = a - b", {"y = a + b", "y = b - a", "y = a", "y = b", "y = -a - b", "y = a - -b", "y = -(a - b)"}),
    ("y = a / b", {"y = a * b", "y = b / a"}), ("y = a @ b", {"y = a * b", "y = b @ a", "y = a.T @ b"}),
    ("y = -a", {"y = a"}), ("y = not a", {"y = a"}),
    ("y = a < b", {f"y = a {sign} b" for sign in ("<=", ">", ">=", "==", "!=")}),
    ("y = a and b", {"y = a or b", "y = a", "y = b"}), ("y = True", {"y = False"}), ("y = 'up'", {"y = ''"}),
    ("y = 3", {"y = 4", "y = 2"}), ("y = 0.4", {"y = 0.8", "y = 0.2", "y = 0.0", "y = 1.0"}),
    ("y = f(a, axis=0)", {"y = f(a, axis=1)", "y = f(a, axis=-1)", "y = f(a, axis=None)", "y = f(a)",
                          "y = f(a, axis=0, keepdims=True)", "y = a"}),
    ("y = f(a, keepdims=True)", {"y = f(a, keepdims=False)", "y = f(a)"}), ("y = f(a, b)", {"y = f(b, a)", "y = a"}),
    ("y = np.sum(a)", {"y = np.mean(a)", "y = a", "y = -np.sum(a)"}), ("y = a.max()", {"y = a.min()", "y = a"}),
    ("y = np.exp(a)", {"y = np.log(a)"}), ("y = np.maximum(a, 0)", {"y = np.minimum(a, 0)", "y = np.maximum(0, a)"}),
    ("y = np.zeros(n)", {"y = np.ones(n)"}), ("y = a.copy()", {"y = a"}), ("y = abs(a)", {"y = a"}),
    ("y = a.T", {"y = a"}),
    ("y = a[1:n]", {"y = a[:n]", "y = a[1:]", "y = a[2:n]", "y = a[1:n + 1]", "y = a[1:n - 1]"}),
    ("for i in range(n): f(i)", {"for i in range(n + 1):", "for i in range(n - 1):", "for i in range(1, n):", "pass"}),
    ("y += a", {"y -= a", "y = a", "pass"}), ("y = y - a", {"y -= a"}), ("f(a)", {"pass"}),
    ("if a > b: c = 1", {"if not a > b:", "if True:", "if False:", "c = 2", "if a < b:"}),
    ("while a: break", {"while not a:", "continue"}), ("y = [v for v in a if v]", {"y = [v for v in a]"}),
    ("def f(a, b):\n    c = a\n    return c", {"return a", "return b", "pass"}),
    ("def f(a, b):\n    return a, b", {"return (b, a)", "return a", "return b"}),
])
def test_every_operator(source, expected):
    assert expected <= changed(source)


@pytest.mark.parametrize("source", ["import numpy as np", "'a docstring'", "y = x", "y = None"])
def test_what_is_left_alone(source):
    assert changed(source) <= {"pass", "y = -x"}


def test_one_change_at_a_time_and_each_once():
    source = inspect.getsource(ex03.gradient_descent)
    made = list(mutation.mutants(ast.parse(source)))
    lines = ast.unparse(ast.parse(source)).splitlines()
    assert len({mutant.source for mutant in made}) == len(made) > 50
    for mutant in made:
        assert mutant.before in map(str.strip, lines) and mutant.before != mutant.after
        assert mutant.before[:4] == source.splitlines()[mutant.line - 1].strip()[:4]
    assert ast.unparse(ast.parse(source)) == "\n".join(lines)


def test_answers_are_found_where_they_stand():
    found = mutation.subjects("ex01_logistic_regression", "sigmoid")
    assert [subject.where.rpartition("/")[2] for subject in found] == [
        "ex01_logistic_regression.ipynb, cell sigmoid", *["ex01.py"] * 5]
    z = np.array([-2.0, 3.0])
    for subject in found:
        assert np.allclose(subject.build()(z), ex01.sigmoid(z))
    assert {mutant.line for mutant in mutation.mutants(found[0].tree, found[0].within)} == {4, 5}
    assert mutation._plain_function(np.tanh) is mutation._plain_function(ex03.bisection()) is None


def middle(a):
    return (a.min() + a.max()) / 2


def toy(cases):
    wrong = [Misconception("smallest", np.min, "Smallest."), Misconception("largest", np.max, "Largest."),
             Misconception("sum", lambda a: a.min() + a.max(), "Halve it.")]
    return Exercise("middle", 1, middle, cases, wrong, [lambda a: 0.5 * (max(a) + min(a)), middle])


@pytest.fixture
def course(monkeypatch):
    """Makes a course of one question with the given cases."""
    def make(*cases, **tables):
        module = types.ModuleType("nnlib.grading.checks.ex91")
        vars(module).update(NAME="ex91_toy", EXERCISES=[toy(cases)], **tables)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(checks, "_numbers", lambda: ["ex91"])
        monkeypatch.setattr(middle, "__module__", module.__name__)
        for cached in mutation.subjects, mutation._fresh, mutation._checked:
            cached.cache_clear()
    yield make
    for cached in mutation.subjects, mutation._fresh, mutation._checked:
        cached.cache_clear()


PAIR = Case("two numbers", lambda rng: rng.normal(size=2))
MANY = Case("many numbers", lambda rng: rng.normal(size=5))


def test_a_weak_check_has_survivors_that_are_listed(course, capsys):
    course(Case("two equal numbers", lambda rng: np.full(2, rng.normal())), DOMAIN={"middle": [MANY]})
    assert main(["ex91_toy", "--inputs", "50"]) == 1
    out = capsys.readouterr().out
    assert "survivor: test_mutation.py, line" in out and "\n  + return (a.max() + a.max()) / 2\n" in out


def test_equivalent_mutants_are_dropped(course, capsys):
    course(MANY)
    problems, work = mutation.tasks("ex91_toy", "middle")
    fates = [fate for task in work for fate in mutation.judge(*task, inputs=300)]
    verdicts = {fate.after: (fate.verdict, fate.inputs) for fate in fates}
    assert problems == [] and verdicts["return (a.min() - a.max()) / 2"] == ("rejected", 0)
    assert {fate.verdict for fate in fates} <= {"rejected", "equivalent"}


def test_how_many_inputs_were_tried_is_said_where_time_ends_it(course, capsys):
    course(Case("two equal numbers", lambda rng: np.full(2, rng.normal())))
    main(["ex91_toy", "--inputs", "1000000", "--seconds", "0.05"])
    said = re.search(r"\nmiddle: (\d+) of (\d+) equivalent mutants agreed on fewer than 1,000,000 inputs, the fewest "
                     r"([\d,]+): 0.05 s for each were over\n", capsys.readouterr().out)
    assert said[1] == said[2] != "0" and int(said[3].replace(",", "")) > 0
    main(["ex91_toy", "--inputs", "20"])
    assert "agreed on fewer" not in capsys.readouterr().out


def test_a_right_answer_that_fails_on_the_domain_is_a_problem(course):
    course(PAIR, DOMAIN={"middle": [Case("odd", MANY.make, judge=lambda *a: "never")]})
    problems, work = mutation.tasks("ex91_toy", "middle")
    assert work == [] and "a right answer fails on inputs of 'odd'" in problems[0]


def test_an_endless_mutant_is_rejected(monkeypatch):
    monkeypatch.setattr(mutation, "LIMIT", 0.1)
    mutation._checked.cache_clear()
    subject = mutation.subjects("ex01_logistic_regression", "train")[0]
    endless = mutation.Mutant(1, "", "", "def train(X, t, rate, steps):\n    while True: pass")
    fate = mutation._judge("ex01_logistic_regression", "train", subject, endless, 0, 10, 1.0)
    mutation._checked.cache_clear()
    assert fate.verdict == "rejected"
