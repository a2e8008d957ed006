"""Text that a learner types becomes a computation graph: read with `ast` against a whitelist, never evaluated.

An expression may name its steps: "q = x + y; q * z". Its numbers are calculated at once; whatever a name is in becomes
a node, of nnlib's tensors or of a learner's own class.
"""

import ast
import math
import operator
from dataclasses import dataclass
from numbers import Number

import numpy as np

from nnlib import ops
from nnlib.autograd import Tensor
from nnlib.plots.graph import number
from nnlib.widgets.base import LearnerError, learners

LONGEST, MOST = 200, 120  # characters of a text, operations in it
LONGEST_VALUES = 4000  # characters of all values together: more names than an expression can hold
_TYPED = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "²": "**2", "³": "**3", "\n": ";"})
OPERATORS = {ast.Add: ("+", "add", operator.add), ast.Sub: ("-", "sub", operator.sub),
             ast.Mult: ("*", "mul", operator.mul), ast.Div: ("/", "truediv", operator.truediv),
             ast.Pow: ("**", "pow", operator.pow)}
FUNCTIONS = {"exp": ops.exp, "log": ops.log, "sin": ops.sin, "cos": ops.cos, "tanh": ops.tanh,
             "sigmoid": ops.sigmoid, "relu": ops.relu, "sqrt": ops.sqrt, "abs": ops.absolute, "max": ops.maximum,
             "min": ops.minimum}
_ALLOWED = f"names, numbers, + - * / **, brackets and the functions {', '.join(FUNCTIONS)}"


class TextError(LearnerError):
    """A text that is no expression, or no list of values, as a sentence for the learner."""


@dataclass(frozen=True)
class Expression:
    """A text that was read: `names` in order of their first use, `steps` (name or "", syntax tree), `text`."""

    text: str
    names: tuple
    steps: tuple


def _tree(text, what):
    """The statements of a text, or a sentence on why it has none."""
    text = text.translate(_TYPED).strip().strip(";")
    if not text:
        raise TextError(f"there is no {what} yet: try (x + y) * z" if what == "expression" else "there is no number")
    if len(text) > LONGEST:
        raise TextError(f"the {what} has {len(text)} characters; at most {LONGEST} are read")
    if "^" in text:
        raise TextError("a power is written with two stars: x ** 2 instead of x^2")
    try:
        return ast.parse("\n".join(part.strip() for part in text.split(";") if part.strip())).body
    except SyntaxError as error:
        where = f" near “{error.text[max(error.offset - 8, 0):error.offset + 7].strip()}”" if (
            error.text and error.offset) else ""
        raise TextError(f"this is not an expression{where}: brackets in pairs, a star for every multiplication "
                        "(2 * x, not 2x)") from None
    except (ValueError, RecursionError, MemoryError):
        raise TextError(f"this is too deep or holds a character that no expression has; try {_ALLOWED}") from None


def _check(node, names, own):
    """Refuse whatever is not on the list; collect the names that need a value. Returns the number of operations."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return 0
        raise TextError(f"{node.value!r:.30} is not a number; there are {_ALLOWED}")
    if isinstance(node, ast.Name):
        if node.id in FUNCTIONS:
            raise TextError(f"{node.id} is a function: write {node.id}(x), and use another name for a number")
        if len(node.id) > 8:
            raise TextError(f"the name {node.id:.20} is too long for its box: at most 8 letters")
        if node.id not in own and node.id not in names:
            names.append(node.id)
        return 0
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return 1 + _check(node.left, names, own) + _check(node.right, names, own)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return 1 + _check(node.operand, names, own)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name, wanted = node.func.id, 2 if node.func.id in ("max", "min") else 1
        if name not in FUNCTIONS:
            close = f"{name} * (...)" if len(name) == 1 else f"one of {', '.join(FUNCTIONS)}"
            raise TextError(f"there is no function {name:.20}; did you mean {close}?")
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args) or len(node.args) != wanted:
            raise TextError(f"{name} takes {'two arguments' if wanted == 2 else 'one argument'}: "
                            f"{name}({'x, y' if wanted == 2 else 'x'})")
        return 1 + sum(_check(argument, names, own) for argument in node.args)
    shown = ast.unparse(node)
    raise TextError(f"“{shown[:30]}{'…' if len(shown) > 30 else ''}” is not among what can be drawn: {_ALLOWED}")


def read_expression(text):
    """Read a text such as "(x + y) * z" or "q = x + y; q * z" into an `Expression`.

    Raises TextError, with a sentence for the learner, for anything else.
    """
    body, names, own, steps, count = _tree(text, "expression"), [], [], [], 0
    for statement in body:
        name = ""
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(
                statement.targets[0], ast.Name):
            name = statement.targets[0].id
        elif not isinstance(statement, ast.Expr):
            raise TextError(f"“{ast.unparse(statement)[:30]}” is not an expression; there are {_ALLOWED}")
        elif statement is not body[-1]:
            raise TextError(f"“{ast.unparse(statement)[:30]}” is not used: give it a name (q = ...), or leave it out")
        count += _check(statement.value, names, own)
        if name:
            if name in names or name in own or name in FUNCTIONS:
                raise TextError(f"{name} has a meaning already: give this step another name")
            _check(ast.Name(name), [], [])
            own.append(name)
        steps.append((name, statement.value))
    if count > MOST:
        raise TextError(f"this has {count} operations; at most {MOST} are drawn")
    if not names:
        raise TextError("there is no name in it, so there is nothing to take a derivative of; try 2 * x")
    return Expression(text, tuple(names), tuple(steps))


def read_values(text):
    """Read "x = -2, y = 5" into a dict of floats. Raises TextError for anything else."""
    values = {}
    if len(text) > LONGEST_VALUES:
        raise TextError(f"the values have {len(text)} characters; at most {LONGEST_VALUES} are read")
    for part in text.translate(_TYPED).replace(";", ",").split(","):
        if not part.strip():
            continue
        name, equals, amount = (piece.strip() for piece in part.partition("="))
        if not equals or not name.isidentifier():
            raise TextError(f"“{part.strip():.20}” is not a value: write name = number, with commas between them and "
                            "a point in decimal numbers (x = 2.5, y = -1)")
        if name in values:
            raise TextError(f"{name} has two values")
        tree = _tree(amount, "number") if amount else []
        if len(tree) != 1 or not isinstance(tree[0], ast.Expr):
            raise TextError(f"{name} has no number: write {name} = 1")
        names = []
        _check(tree[0].value, names, [])
        if names:
            raise TextError(f"the value of {name} must be a number, and {names[0]} is a name")
        values[name] = _calculate(tree[0].value, {}, None)
        if not math.isfinite(values[name]):
            raise TextError(f"the value of {name} is not finite")
    return values


def written(values):
    """Values as a text that `read_values` reads."""
    return ", ".join(f"{name} = {number(value) if float(number(value)) == value else repr(float(value))}"
                     for name, value in values.items())


def build(expression, values, maker=None):
    """Build the graph of an `Expression` at `values` (a dict). Returns (root, names): names from name to node.

    Args: maker: your own class, made by `maker(number)` and combined by your own operators and methods; None for
        nnlib's tensors.
    Raises TextError for a name without a value or a result that is not finite; LearnerError for what the class does
    wrong, or cannot do yet.
    """
    missing = [name for name in expression.names if name not in values]
    if missing:
        raise TextError(f"{missing[0]} has no value yet: add {missing[0]} = 1 to the values")
    maker = OwnClass(maker) if maker else Tensors()
    names = {name: maker.leaf(name, values[name]) for name in expression.names}
    for name, tree in expression.steps:
        result = _calculate(tree, names, maker)
        if name:
            names[name] = result
    if isinstance(result, float):
        raise TextError("the result does not depend on any name; try 2 * x")
    return result, {name: node for name, node in names.items() if not isinstance(node, float)}


def _calculate(tree, names, maker):
    """The node, or the float, that a checked syntax tree stands for."""
    if isinstance(tree, ast.Constant):
        try:
            return float(tree.value)
        except OverflowError:
            raise TextError("a number in it is too large") from None
    if isinstance(tree, ast.Name):
        return names[tree.id]
    if isinstance(tree, ast.UnaryOp):
        inner = _calculate(tree.operand, names, maker)
        return inner if isinstance(tree.op, ast.UAdd) else -inner if isinstance(inner, float) else maker.negative(inner)
    if isinstance(tree, ast.BinOp):
        inputs = [_calculate(side, names, maker) for side in (tree.left, tree.right)]
        symbol, method, operation = OPERATORS[type(tree.op)]
    else:
        inputs = [_calculate(argument, names, maker) for argument in tree.args]
        symbol, method, operation = tree.func.id, None, FUNCTIONS[tree.func.id]
    if all(isinstance(x, float) for x in inputs):
        with np.errstate(all="ignore"):
            return _finite(lambda: operation(*inputs), ast.unparse(tree))
    result = maker.binary(method, operation, *inputs) if method else maker.function(symbol, *inputs)
    maker.verify(result, tree, inputs)
    return result


def _finite(calculate, shown):
    try:
        value = calculate()
    except ZeroDivisionError:
        raise TextError(f"{shown:.40} divides by zero") from None
    except (OverflowError, ValueError):
        raise TextError(f"{shown:.40} is too large for a number of 64 bits") from None
    if isinstance(value, complex) or not math.isfinite(value):
        raise TextError(f"{shown:.40} is not a finite real number")
    return float(value)


def _remembers(node, ancestor, most=50):
    """Whether a node was computed from another, by its parents; True where it has none to look at, or too many."""
    queue = [node]
    for x in queue:
        if x is ancestor or len(queue) > most:
            return True
        parents = getattr(x, "parents", None)
        if not isinstance(parents, (tuple, list)):
            return True  # `graph_of` has a sentence for that
        queue += parents
    return False


class Tensors:
    """Nodes of nnlib's tensors, of one number each."""

    def leaf(self, name, value):
        """A tensor that wants a gradient."""
        return Tensor(float(value), requires_grad=True)

    def negative(self, x):
        """-x."""
        return -x

    def binary(self, method, operation, a, b):
        """a + b and its kin."""
        return operation(a, b)

    def function(self, name, *inputs):
        """exp(x) and its kin."""
        return FUNCTIONS[name](*inputs)

    def verify(self, result, tree, inputs):
        """Say where the numbers leave the finite ones: in the value, or in the derivatives."""
        if np.isfinite(result.data):
            return
        shown, at = ast.unparse(tree), [float(x) for x in inputs]
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div) and at[1] == 0:
            raise TextError(f"{shown:.40} divides by zero; try other values")
        if max(map(abs, at)) > 20:
            raise TextError(f"{shown:.40} overflows: it is too large for a number of 64 bits; try smaller values")
        raise TextError(f"{shown:.40} is not defined at {' and '.join(map(number, at))}; try other values")


class OwnClass:
    """Nodes of a learner's own class, combined by its own operators and methods."""

    def __init__(self, maker):
        self.maker, self.name = maker, getattr(maker, "__name__", "Value")

    def leaf(self, name, value):
        """A node of that value."""
        return self._checked(learners(self.maker, self.name)(float(value)), f"{self.name}({number(value)})")

    def _checked(self, node, shown):
        if node is None:
            raise LearnerError(f"{shown} returned None; is there a return at its end?")
        if isinstance(node, (Number, np.ndarray)):
            raise LearnerError(f"{shown} gave the plain number {number(node) if np.ndim(node) == 0 else node}, which "
                               f"does not remember its parents; return {self.name}(data, (self, other), ...)")
        if not hasattr(node, "data"):
            raise LearnerError(f"{shown} gave a {type(node).__name__} without an attribute data")
        return node

    def _missing(self, method, instead=""):
        raise LearnerError(f"your {self.name} has no {method} yet{instead}")

    def negative(self, x):
        """-x by __neg__."""
        if not hasattr(type(x), "__neg__"):
            self._missing("__neg__", ": write (-1) * x, or add it")
        return self._checked(learners(operator.neg, f"{self.name}.__neg__")(x), f"{self.name}.__neg__")

    def binary(self, method, operation, a, b):
        """a + b by __add__; a number on the left by __radd__, or made a node where there is none."""
        own = f"__{method}__"
        if isinstance(a, float):
            if hasattr(type(b), f"__r{method}__"):
                return self._checked(learners(operation, f"{self.name}.__r{method}__")(a, b),
                                     f"{self.name}.__r{method}__")
            a = self.leaf("", a)
        if not hasattr(type(a), own):
            self._missing(own)
        guarded = learners(operation, f"{self.name}.{own}")
        try:
            result = guarded(a, b)
        except LearnerError:
            if method == "pow" and not isinstance(b, float):
                raise LearnerError(f"your {self.name} takes a fixed number as exponent, such as x ** 2, and here it is "
                                   "a node; x ** y is exp(y * log(x))") from None
            if not isinstance(b, float):
                raise
            result = guarded(a, self.leaf("", b))  # a class that cannot take plain numbers yet
        return self._checked(result, f"{self.name}.{own}")

    def function(self, name, *inputs):
        """exp(x) by its method exp, abs(x) by __abs__ or abs."""
        first, *rest = [x if not isinstance(x, float) else self.leaf("", x) for x in inputs]
        method = next((m for m in (f"__{name}__", name, {"max": "maximum", "min": "minimum"}.get(name, name))
                       if hasattr(type(first), m)), None)
        if method is None:
            self._missing(name)
        call = learners(getattr(first, method), f"{self.name}.{method}")
        return self._checked(call(*rest), f"{self.name}.{method}")

    def verify(self, result, tree, inputs):
        """Compare the value with the right one at the same inputs, and look for the inputs among its ancestors."""
        for x, side in zip(inputs, [tree.left, tree.right] if isinstance(tree, ast.BinOp) else tree.args):
            if not isinstance(x, float) and not _remembers(result, x):
                raise LearnerError(f"your {self.name} computes {ast.unparse(tree):.40}, but the result does not have "
                                   f"{ast.unparse(side):.20} among its parents, so no gradient will find its way there")
        try:
            with np.errstate(all="ignore"):
                plain = [float(getattr(x, "data", x)) for x in inputs]
                function = (OPERATORS[type(tree.op)][2] if isinstance(tree, ast.BinOp) else FUNCTIONS[tree.func.id])
                right, got = float(function(*plain)), float(result.data)
        except (TypeError, ValueError, ArithmeticError):
            return
        if math.isfinite(right) and not math.isclose(right, got, rel_tol=1e-9, abs_tol=1e-12):
            raise LearnerError(f"your {self.name} gets {ast.unparse(tree)} wrong: with "
                               f"{' and '.join(map(number, plain))} it should be {number(right)}, and its data is "
                               f"{number(got)}")
