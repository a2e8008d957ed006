"""Questions for the methods of one class: in the notebook, in the grader, in the audit."""

import inspect
import json
import textwrap

import pytest

import nnlib
from nnlib.grading import Case, Exercise, ExerciseSet, mutation
from nnlib.grading.audit import audit, main
from nnlib.grading.examine import NOT_ATTEMPTED, RIGHT, WRONG
from nnlib.grading.grader import grade

SETUP = "from nnlib.grading import ExerciseSet\ncheck = ExerciseSet('ex93_methods')"
BOTH = {"Value.__add__": 1, "Value.__mul__": 2}
STUB = "class Value:\n    def __init__(self, data):\n        self.data = data\n" + "".join(
    f"    def {name}(self, other):\n        raise NotImplementedError\n" for name in ("__add__", "__mul__"))


@pytest.fixture
def check(methods):
    return ExerciseSet("ex93_methods")


@pytest.fixture
def submit(methods, tmp_path):
    """The grader's verdict on a notebook of these cells: {question: its dict}."""
    def run(*cells, name="anna.ipynb"):
        made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
        (tmp_path / name).write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        graded = grade(tmp_path / name, timeout=120)
        assert not graded.problem
        return {question["question"]: question for question in graded.questions}
    return run


@pytest.fixture
def value(methods):
    """The source of a right class."""
    return inspect.getsource(methods.Value)


@pytest.fixture
def Value(value):
    """A right class, as a learner's notebook holds it."""
    names = {"__name__": "__main__"}
    exec(compile(value, "<cell 2>", "exec"), names)
    return names["Value"]


def points(questions):
    return {name: question["points"] for name, question in questions.items() if question["points"]}


# In the notebook

def test_a_method_is_checked_with_its_class(check, Value):
    assert [check(name, Value) for name in BOTH] == [1, 2] and check.best == BOTH
    Value.__mul__ = Value.__add__
    assert [check(name, Value) for name in BOTH] == [1, 0]


@pytest.mark.parametrize("arguments, said", [
    (lambda Value: (Value,), 'Value   A method is checked by its name, with its class: write check("Value.__add__", '
                             "Value). The questions about Value: Value.__add__, Value.__mul__."),
    (lambda Value: ("Value", Value), 'write check("Value.__add__", Value). The questions about Value: Value.__add__,'),
    (lambda Value: (Value.__mul__,), '__mul__   A method is checked by its name, with its class: write '
                                     'check("Value.__mul__", Value).\n'),
    (lambda Value: ("__mul__", Value), 'write check("Value.__mul__", Value).\n'),
    (lambda Value: ("Value.__mul__",), 'The answer is missing: write check("Value.__mul__", Value).'),
    (lambda Value: ("Value.__mul__", Value.__mul__), 'answered by the class itself: write check("Value.__mul__", '),
    (lambda Value: ("Value.__mul__", Value(1)), 'answered by the class itself: write check("Value.__mul__", Value).'),
    (lambda Value: ("Value.__mul_", Value), "Did you mean Value.__mul__?"),
])
def test_whatever_is_given_instead_is_told_what_to_write(check, Value, capsys, arguments, said):
    assert check(*arguments(Value)) == 0
    assert said in capsys.readouterr().out


def test_a_stub_is_not_attempted_and_one_that_is_needed_is_named(check, Value, capsys):
    class Half(Value):
        def __init__(self, data):
            raise NotImplementedError

    class Using(Value):
        def __add__(self, other):
            raise NotImplementedError

        def __mul__(self, other):
            return self + other
    assert check("Value.__add__", Using) == check("Value.__mul__", Using) == check("Value.__add__", Half) == 0
    first, second, third = capsys.readouterr().out.split("Value.__")[1:]
    assert first == "add__   0 / 1 points: not attempted\n"
    assert second == "mul__   0 / 2 points: not attempted\nIt uses __add__, which is not written yet.\n"
    assert third == "add__   0 / 1 points: not attempted\nIt uses __init__, which is not written yet.\n"


def test_the_courses_own_method_is_no_answer(check, Value, capsys):
    def own(**methods_of_tensor):
        return type("Value", (Value,), methods_of_tensor)
    assert check("Value.__mul__", own(__mul__=nnlib.Tensor.__mul__)) == 0
    assert "It calls nnlib.Tensor.__mul__, which does" in capsys.readouterr().out
    assert check("Value.__mul__", own(__mul__=lambda a, b: nnlib.Tensor(a.data) * b.data)) == 0
    assert "It calls nnlib.Tensor.__mul__" in capsys.readouterr().out
    assert check("Value.__mul__", own()) == 2


def test_forbidden_names_of_methods(methods):
    add, multiply = methods.EXERCISES
    assert add.forbidden_names() == ["nnlib.Tensor.__add__", "nnlib.Tensor"]
    assert multiply.forbidden_names() == ["nnlib.Tensor.__mul__"]
    other = Exercise("Value.__call__", 1, methods.Value, [Case("one", call=lambda Value: 1)])
    assert other.forbidden_names() == []


def test_a_method_needs_a_call():
    with pytest.raises(ValueError, match="expected a `call` that drives the class Value, got none"):
        Exercise("Value.__add__", 1, int, [Case("one", lambda rng: 1)])


# In the grader

def test_the_class_is_found_whatever_became_of_the_check_cells(submit, value):
    checks = [f"check('{name}', Value)" for name in BOTH]
    assert points(submit(SETUP, value, *checks)) == BOTH
    assert points(submit(SETUP, value)) == BOTH  # deleted
    assert points(submit(SETUP, value, "check('Value.__mul__', 3)", "check(Value)", "check(Value.__mul__)")) == BOTH
    assert points(submit(value, name="ex93_anna.ipynb")) == BOTH
    assert {question["status"] for question in submit(SETUP).values()} == {NOT_ATTEMPTED}


def test_a_class_by_another_name_is_what_the_last_check_was_given(submit, value):
    mine = value.replace("class Value", "class Mine")
    given = [f"check('{name}', Mine)" for name in BOTH]
    assert points(submit(SETUP, mine, *given)) == BOTH
    assert points(submit(SETUP, mine)) == {}
    assert points(submit(SETUP, STUB, mine, *given)) == BOTH  # a stub stands by the name
    assert points(submit(SETUP, mine, *given, "Value = 3")) == BOTH
    wrong = value.replace("other.data, self.data", "self.data, other.data")
    assert points(submit(SETUP, wrong, mine, given[0])) == {"Value.__add__": 1}  # the name comes first, as for others
    assert points(submit(SETUP, wrong, value)) == BOTH


def test_methods_are_judged_apart(submit, value):
    questions = submit(SETUP, value.replace("other.data, self.data", "self.data, other.data"))
    assert points(questions) == {"Value.__add__": 1} and questions["Value.__mul__"]["status"] == WRONG
    assert questions["Value.__mul__"]["misconception"] == "not exchanged"
    assert questions["Value.__add__"]["status"] == RIGHT
    questions = submit(SETUP, value.replace("return type(self)(self.data + ", "raise NotImplementedError(self.data + "))
    assert questions["Value.__add__"]["status"] == NOT_ATTEMPTED and points(questions) == {"Value.__mul__": 2}


def test_the_courses_own_method_earns_nothing_there_either(submit, value):
    questions = submit(SETUP, value, "import nnlib\nValue.__mul__ = nnlib.Tensor.__mul__")
    assert "It calls nnlib.Tensor.__mul__" in questions["Value.__mul__"]["note"]
    assert points(questions) == {"Value.__add__": 1}


# In the audit

def test_the_audit_finds_nothing(methods):
    assert [problem for exercise in methods.EXERCISES for problem in audit(exercise)] == []


def test_only_the_questions_own_method_is_changed(methods):
    def changed(question):
        return {one.where: {mutant.before for mutant in mutation.mutants(one.tree, one.within)}
                for one in mutation.subjects("ex93_methods", question)}
    assert changed("Value.__add__") == {"ex93.py": {
        "return type(self)(self.data + other.data, (self, other), (1.0, 1.0))"}}
    by_mul = [{mutant.before for mutant in mutation.mutants(one.tree, one.within)}
              for one in mutation.subjects("ex93_methods", "Value.__mul__")]
    assert by_mul[0] == {"derivatives = (other.data, self.data)",
                         "return type(self)(self.data * other.data, (self, other), derivatives)"}
    assert len(by_mul) == 2 and "product = self.data * other.data" in by_mul[1]  # of Renamed nothing can change
    names = {mutant.after for one in mutation.subjects("ex93_methods", "Value.__mul__")[:1]
             for mutant in mutation.mutants(one.tree, one.within)}
    assert "return derivatives" in names and "return node" not in names


def test_mutants_of_a_method_are_rejected_by_its_question(methods, capsys):
    assert main(["ex93_methods", "--inputs", "200"]) == 1  # only for the three misconceptions on average
    out = capsys.readouterr().out
    assert "survivor" not in out.replace("survivors", "") and "100.0% of the mutants rejected" in out


@pytest.fixture
def solution(methods, monkeypatch, tmp_path):
    """Writes the solution of ex93 with cells (source, whether it is an answer)."""
    def write(*cells):
        made = [{"cell_type": "code", "id": f"cell{number}", "source": source, "outputs": [], "execution_count": None,
                 "metadata": {"nbgrader": {"solution": solved}}} for number, (source, solved) in enumerate(cells)]
        path = tmp_path / "ex93_methods" / "ex93_methods.ipynb"
        path.parent.mkdir()
        path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    monkeypatch.setattr(mutation, "SOLUTIONS", tmp_path)
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    return write


ADD = "def __add__(self, other):\n    ### BEGIN SOLUTION\n    return self.data + other\n    ### END SOLUTION\n"
MULTIPLY = ADD.replace("add", "mul").replace("+", "*")
BEGIN = "class Value:\n    def __init__(self, data):\n        self.data = data\n"


def test_a_method_in_a_solution_is_changed_where_it_is_marked(solution):
    solution((BEGIN + textwrap.indent(ADD + MULTIPLY, "    "), True))
    found, = mutation._model_answers("ex93_methods", "Value.__mul__")
    assert found.where == "ex93_methods/ex93_methods.ipynb, cell cell0" and found.build()(3) * 4 == 12
    assert {mutant.line for mutant in mutation.mutants(found.tree, found.within)} == {10}
    assert mutation._model_answers("ex93_methods", "Value.backward") == []


def test_a_method_may_be_given_to_its_class_in_another_cell(solution):
    solution((BEGIN, False), (f"{ADD}Value.__add__ = Value.__radd__ = __add__", True),
             ("def negative(self):\n    return Value(-self.data)\nValue.__neg__, Value.minus = negative, negative\n"
              "values = 1 / 0\nVALUE.first = values[0]", False),
             (f"{MULTIPLY}\nValue.__mul__ = __mul__", True))
    found, = mutation._model_answers("ex93_methods", "Value.__mul__")
    assert found.where.endswith("cell cell3") and -found.build()(3) * 4 == -12 and 5 + found.build()(3) == 8
    made = list(mutation.mutants(found.tree, found.within))
    assert {mutant.line for mutant in made} == {3} and "return other" in {mutant.after for mutant in made}
    assert found.build(next(one.source for one in made if one.after == "return self.data / other"))(8) * 4 == 2
    assert found.build()(8) * 4 == 32


def test_a_change_in_one_cell_of_a_class_does_not_stay(solution):
    solution((BEGIN, False), *((f"{source}Value.{name} = {name}", True)
                               for source, name in ((ADD, "__add__"), (MULTIPLY, "__mul__"))))
    first, second = (mutation._model_answers("ex93_methods", f"Value.{name}")[0] for name in ("__add__", "__mul__"))
    second = second._replace(around=first.around, methods=first.methods)
    made = list(mutation.mutants(first.tree, first.within))
    assert first.build(next(one.source for one in made if one.after == "return self.data - other"))(8) + 4 == 4
    assert second.build()(8) + 4 == 12


def test_a_question_for_a_whole_class_changes_all_of_it(sample):
    reference = mutation.subjects("ex90_sample", "Momentum")[0]
    assert {mutant.before for mutant in mutation.mutants(reference.tree)} == {
        "self.rate, self.velocity = (rate, 0.0)", "self.velocity = 0.9 * self.velocity + g",
        "return w - self.rate * self.velocity"}
