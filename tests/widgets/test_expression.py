"""Text to graph: what is read, what is refused and in which words, and a learner's own class at work."""

import math

import pytest
from support import Value

from nnlib import Tensor
from nnlib.plots.graph import graph_of
from nnlib.widgets.base import LearnerError
from nnlib.widgets.expression import FUNCTIONS, LONGEST, TextError, build, read_expression, read_values, written


def value_of(text, **values):
    root, _ = build(read_expression(text), values)
    return root.item()


# What is read

@pytest.mark.parametrize("text, value", [
    ("(x + y) * z", -12), ("x - y", -7), ("-x", 2), ("+x", -2), ("x * -1", 2), ("x / y", -0.4), ("x ** 2", 4),
    ("2 ** x", 0.25), ("1.5e1 * x", -30), ("2 * 3 + x", 4), ("exp(x)", math.exp(-2)), ("log(y)", math.log(5)),
    ("sin(x)", math.sin(-2)), ("cos(x)", math.cos(-2)), ("tanh(x)", math.tanh(-2)), ("relu(x)", 0), ("sqrt(y)", 5**0.5),
    ("sigmoid(x)", 1 / (1 + math.exp(2))), ("max(x, y)", 5), ("min(x, 1)", -2), ("abs(x)", 2), ("x − y", -7),
    ("x × y · z", 40), ("x²", 4), ("  x*y  ", -10), ("x*y;", -10), ("q = x + y; q * z", -12), ("q = x + y\nq*q", 9),
    ("f = x * y", -10), ("a = x; b = a * a; b + a", 2), ("sqrt(4) * x", -4), ("x * exp(1/2)", -2 * math.exp(0.5))])
def test_expressions(text, value):
    assert value_of(text, x=-2, y=5, z=-4) == pytest.approx(value)


def test_names_come_in_order_of_their_first_use_and_steps_name_nodes():
    expression = read_expression("q = b * a; f = q + a + 1")
    assert expression.names == ("b", "a")
    root, names = build(expression, {"a": 2, "b": 3})
    assert set(names) == {"a", "b", "q", "f"} and names["f"] is root and isinstance(root, Tensor)
    assert [n.title for n in graph_of(root, names)] == ["b", "a", "q = b * a", "v1 = q + a", "f = v1 + 1"]


@pytest.mark.parametrize("text, values", [
    ("x = -2, y = 5", {"x": -2, "y": 5}), ("x=1;y=2", {"x": 1, "y": 2}), ("x = 1\ny = 2", {"x": 1, "y": 2}),
    ("", {}), ("x = 1/4,", {"x": 0.25}), ("x = -(2**3)", {"x": -8}), ("x = −3", {"x": -3}), ("x = 1e-3", {"x": 0.001})])
def test_values(text, values):
    assert read_values(text) == values


@pytest.mark.parametrize("values", [{"x": 1.0}, {"x": -2.5, "y": 0.1}, {"a": 1 / 3, "b": 1e-9, "c": 123456789.0}])
def test_values_written_are_read_again(values):
    assert read_values(written(values)) == values


# What is refused

@pytest.mark.parametrize("text, words", [
    ("", "no expression yet"), ("  ; ", "no expression yet"), ("x +", "not an expression near"), ("2x", "star for"),
    ("(x", "brackets in pairs"), ("x y", "star for every"), ("x^2", "written with two stars"),
    ("foo(x)", "no function foo"), ("x(y)", "did you mean x"), ("exp", "exp is a function"), ("exp()", "one argument"),
    ("exp(x, y)", "one argument"), ("max(x)", "two arguments"), ("max(*x)", "two arguments"), ("exp(x=1)", "one arg"),
    ("x.real", "not among"), ("x[0]", "not among"), ("[x]", "not among"), ("x if x else y", "not among"),
    ("x < y", "not among"), ("x and y", "not among"), ("lambda: x", "not among"), ("not x", "not among"),
    ("~x", "not among"), ("x @ y", "not among"), ("x // y", "not among"), ("x % y", "not among"), ("f'{x}'", "not a"),
    ("(q := x)", "not among"), ("'x'", "not a number"), ("True * x", "not a number"), ("1j * x", "not a number"),
    ("None", "not a number"), ("import os", "not an expression"), ("del x", "not an expr"), ("x += 1", "not an expr"),
    ("x, y = 1", "not an expression"), ("__import__('os')", "no function __import__"), ("x.__class__()", "not among"),
    ("().__class__", "not among"), ("x; y", "is not used"), ("q = x; q = y", "has a meaning already"),
    ("x = y; y = x", "has a meaning already"), ("exp = x; x", "has a meaning already"), ("2 + 3", "nothing to take"),
    ("1", "nothing to take"), ("averylongname * 2", "at most 8 letters"), ("x*" * LONGEST + "x", f"at most {LONGEST}"),
    ("-" * 150 + "x", "at most 120"), ("(" * 99 + "x" + ")" * 98, "brackets in pairs"), ("x\0", "not an|character"),
    ("x $ y", "not an expression"), ("# x", "not an expression|no expression|nothing")])
def test_texts_that_are_no_expressions(text, words):
    with pytest.raises(TextError, match=words):
        read_expression(text)


@pytest.mark.parametrize("text, words", [
    ("x", "write name = number"), ("x = 2,5", "a point in decimal numbers"), ("= 3", "write name = number"),
    ("x =", "x has no number"), ("x = y", "y is a name"), ("x = 1, x = 2", "two values"), ("x = 1/0", "by zero"),
    ("x = a b", "not an expression"), ("x = 'a'", "not a number"), ("x = 1e999", "not finite"), ("2 = x", "write name"),
    ("x = 10**400", "too large"), ("x == 2", "not an expression")])
def test_texts_that_are_no_values(text, words):
    with pytest.raises(TextError, match=words):
        read_values(text)


@pytest.mark.parametrize("text", [
    "().__class__.__bases__[0].__subclasses__()", "x + __import__('os').system('ls')", "exp(__builtins__)", "open('a')",
    "exec('x')", "x + (lambda: x)()", "[x for x in (1,)]", "x.__init__.__globals__", "f'{x.__class__}' + x",
    "x + {**x}", "await x", "yield x", "x; import os", "global x", "print(x)", "getattr(x, 'y')", "exp(*open('a'))"])
def test_texts_that_would_be_programs(text):
    with pytest.raises(TextError):
        read_expression(text)
    with pytest.raises(TextError):
        read_values(f"x = {text}")


def test_values_beyond_all_measure_are_not_looked_at():
    with pytest.raises(TextError, match="at most 4000"):
        read_values(",".join(f"x{i} = 1" for i in range(1000)))


@pytest.mark.parametrize("text, words", [
    ("x / y", "divides by zero"), ("x / (y - 0)", "divides by zero"), ("log(y)", "not defined at 0"),
    ("sqrt(-x)", "not defined at -3"), ("exp(999 * x)", "overflows"), ("(0 - x) ** 0.5", "not defined at -3 and 0.5"),
    ("x * 9**9**9", "too large"), ("x + 1/0", "1 / 0 divides by zero"), ("x * (-8) ** 0.5", "not a finite real number"),
    ("x * log(0)", "not a finite real number"), ("x + w", "w has no value yet: add w = 1"), ("y ** -1", "not defined"),
    ("q = 2; q * 3 + 0 * q; x", "not used"), ("q = 2 + 0 * 1; w = x; q", "does not depend")])
def test_values_for_which_there_is_no_graph(text, words):
    with pytest.raises(TextError, match=words):
        build(read_expression(text), {"x": 3.0, "y": 0.0})


# A learner's class

@pytest.mark.parametrize("text, value", [("x * y + x", 8), ("2 * x", 4), ("x + 1", 3), ("exp(x * 0)", 1),
                                         ("exp(0) * x", 2), ("q = x * x; q + q * y", 16)])
def test_a_class_that_takes_nodes_alone_works_with_numbers_too(text, value):
    root, names = build(read_expression(text), {"x": 2.0, "y": 3.0}, Value)
    assert isinstance(root, Value) and root.data == value and names["x"].data == 2


@pytest.mark.parametrize("text, missing", [
    ("x - y", "__sub__"), ("-x", "__neg__"), ("x / 2", "__truediv__"), ("1 / x", "__truediv__"), ("x ** 2", "__pow__"),
    *[(f"{name}(x)", name) for name in FUNCTIONS if name not in ("exp", "max", "min")], ("max(x, y)", "max"),
    ("min(x, 1)", "min")])
def test_what_a_class_cannot_do_yet(text, missing):
    with pytest.raises(LearnerError, match=f"your Value has no {missing} yet"):
        build(read_expression(text), {"x": 2.0, "y": 3.0}, Value)


@pytest.mark.parametrize("text", ["x ** y", "2 ** x"])
def test_a_class_whose_powers_take_numbers_alone(text):
    class Powers(Value):
        def __pow__(self, n):
            return Powers(self.data ** n, (self,), f"**{n}", (n * self.data ** (n - 1),))

    with pytest.raises(LearnerError, match="your Powers takes a fixed number as exponent"):
        build(read_expression(text), {"x": 2.0, "y": 3.0}, Powers)
    assert build(read_expression("x ** 2"), {"x": 2.0}, Powers)[0].data == 4


def test_reflected_operators_and_other_names_of_methods_are_used():
    class Rich(Value):
        def __radd__(self, number):
            return Rich(number + self.data, (self,), "radd", (1.0,))

        def __abs__(self):
            return Rich(abs(self.data), (self,), "abs", (math.copysign(1, self.data),))

        def maximum(self, other):
            return Rich(max(self.data, other.data), (self, other), "max", (1.0, 0.0))

    root, _ = build(read_expression("1 + x"), {"x": 2.0}, Rich)
    assert root.operation == "radd"
    assert build(read_expression("abs(x)"), {"x": -2.0}, Rich)[0].data == 2
    assert build(read_expression("max(x, 1)"), {"x": 2.0}, Rich)[0].data == 2


@pytest.mark.parametrize("multiply, words", [
    (lambda s, o: 1 / 0, r"Value.__mul__ raised ZeroDivisionError: division by zero \(line"),
    (lambda s, o: exit(), "raised SystemExit"),
    (lambda s, o: None, "returned None; is there a return"),
    (lambda s, o: s.data * o.data, "gave the plain number 6, which does not remember its parents"),
    (lambda s, o: "six", "gave a str without an attribute data"),
    (lambda s, o: NotImplemented, "raised TypeError"),
    (lambda s, o: Value(s.data + o.data, (s, o), "*", (1, 1)), "it should be 6, and its data is 5"),
    (lambda s, o: Value(s.data * o.data), "does not have x among its parents"),
    (lambda s, o: Value(s.data * o.data, (s,), "*", (o.data,)), "does not have y among its parents"),
    (lambda s: s, "raised TypeError")])
def test_mistakes_of_a_class(multiply, words):
    own = type("Value", (Value,), {"__mul__": multiply})
    with pytest.raises(LearnerError, match=words):
        build(read_expression("x * y"), {"x": 2.0, "y": 3.0}, own)


@pytest.mark.parametrize("maker, words", [(lambda v: None, "returned None"), (lambda v: v, "plain number"),
                                          (3, "not callable"), (lambda: 1, "TypeError"), (lambda v: [v], "without an")])
def test_makers_that_make_no_nodes(maker, words):
    with pytest.raises(LearnerError, match=words):
        build(read_expression("x * y"), {"x": 2.0, "y": 3.0}, maker)
