"""ex05, computation graphs: the questions of solutions/ex05_computation_graphs and how their answers are tried."""

import math
from numbers import Number

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex05_computation_graphs"
ENGINES = "nnlib.Tensor", "nnlib.numerical_gradient", "nnlib.plots.graph.graph_of"


# The class, whole and right: the reference of all questions about methods.

class Value:
    def __init__(self, data, parents=(), operation="", derivatives=()):
        self.data, self.grad = float(data), 0.0
        self.parents, self.operation, self.derivatives = parents, operation, derivatives

    def lift(self, other):
        return other if isinstance(other, Value) else type(self)(other)

    def __add__(self, other):
        other = self.lift(other)
        return type(self)(self.data + other.data, (self, other), "+", (1.0, 1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return type(self)(self.data * other.data, (self, other), "*", (other.data, self.data))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def exp(self):
        e = math.exp(self.data)
        return type(self)(e, (self,), "exp", (e,))

    def __pow__(self, n):
        return type(self)(self.data ** n, (self,), "**", (n * self.data ** (n - 1),))

    def backward(self, gradient=1.0):
        order = topological_order(self)
        for node in order:
            if node.parents:
                node.grad = 0.0
        self.grad += gradient
        for node in reversed(order):
            for parent, derivative in zip(node.parents, node.derivatives, strict=True):
                parent.grad += derivative * node.grad


def topological_order(output):
    order, visited, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in visited:
            visited.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


def given(method, right=""):
    """The class with another `method`, a function; `right` is the name under which it also stands on the right side.

    Used for alternatives and misconceptions alike.
    """
    reflected = {"__add__": "__radd__", "__mul__": "__rmul__"}.get(method.__name__)
    return type("Value", (Value,), {method.__name__: method} | ({reflected: method} if reflected else {}) | (
        {right: None} if right else {}))


# One operation: what it makes of its operands.

def called(thing):
    """The name of its type, with the article."""
    name = type(thing).__name__
    return f"{'an' if name in ('int', 'ndarray') else 'a'} {name}"


def seen(Value, result, *operands, taken=""):
    """What can be seen of a node: its kind, its number, one derivative for each operand, and the operands after it.

    taken: the sign of another operation, which cannot be the name of this one.
    """
    found = {"what comes out": "nothing" if result is None else called(result)}
    found |= dict.fromkeys(("its data", "its parents", "its operation", "its derivatives", "the derivative for each "
                            "operand", "data and grad of the operands afterwards"))
    if not isinstance(result, Value):
        return found
    parents, derivatives, ups = result.parents, result.derivatives, ()
    found |= {"what comes out": "a Value", "its data": result.data, "its parents": "a tuple of Values",
              "its operation": "a name", "its derivatives": "one number for each parent"}
    if isinstance(parents, (tuple, list)):
        ups = parents
        if not (parents and all(isinstance(parent, Value) for parent in parents)):
            found["its parents"] = "an empty tuple" if not parents else "a tuple with something else in it"
    else:
        found["its parents"] = f"{called(parents)}, no tuple"
    if not (isinstance(result.operation, str) and result.operation):
        found["its operation"] = "an empty text" if result.operation == "" else "no text"
    elif result.operation == taken:
        found["its operation"] = f'"{taken}", the name of another operation'
    if not isinstance(derivatives, (tuple, list)):
        found["its derivatives"] = f"{called(derivatives)}, no tuple"
    elif len(derivatives) != len(ups):
        found["its derivatives"] = f"a tuple of {len(derivatives)} for {len(ups)} parents"
    elif not all(isinstance(derivative, Number) for derivative in derivatives):
        found["its derivatives"] = "a tuple with something else than numbers in it"
    else:
        found["the derivative for each operand"] = [
            float(sum(d for parent, d in zip(ups, derivatives, strict=True) if parent is one)) for one in operands]
    found["data and grad of the operands afterwards"] = [[one.data, one.grad] for one in operands]
    return found


def leaves(Value, *numbers):
    """Nodes with these numbers, each with a gradient from an earlier walk."""
    nodes = [Value(number) for number in numbers]
    for place, node in enumerate(nodes, 1):
        node.grad = place / 4
    return nodes


def plus(Value, x, y):
    x, y = leaves(Value, x, y)
    return seen(Value, x + y, x, y)


def plus_itself(Value, x):
    x, = leaves(Value, x)
    return seen(Value, x + x, x)


def plus_number(Value, x, number, fraction):
    x, = leaves(Value, x)
    return [seen(Value, x + number, x), seen(Value, x + fraction, x), seen(Value, number + x, x),
            seen(Value, fraction + x, x)]


def plus_inner(Value, x, y, z):
    x, y, z = leaves(Value, x, y, z)
    inner = x + y
    return [seen(Value, inner + z, inner, z), seen(Value, z + inner, z, inner), seen(Value, inner, x, y)]


def product(Value, result, *operands):
    return seen(Value, result, *operands, taken="+")


def times(Value, x, y):
    x, y = leaves(Value, x, y)
    return product(Value, x * y, x, y)


def times_itself(Value, x):
    x, = leaves(Value, x)
    return product(Value, x * x, x)


def times_number(Value, x, number, fraction):
    x, = leaves(Value, x)
    return [product(Value, x * number, x), product(Value, x * fraction, x), product(Value, number * x, x),
            product(Value, fraction * x, x)]


def times_inner(Value, x, y, z):
    x, y, z = leaves(Value, x, y, z)
    inner = x * y
    return [product(Value, inner * z, inner, z), product(Value, z * inner, z, inner), product(Value, inner, x, y)]


def some(count, low=0.5, high=3.0):
    """make(rng) for `count` different numbers of both signs, none of them near 0 or 1."""
    def make(rng):
        sizes = rng.uniform(low, high, count) + np.arange(count) / 8
        return tuple(float(number) for number in sizes * rng.choice([-1, 1], count))
    return make


def number_and_ordinary(rng):
    """A number for a node, an ordinary integer and an ordinary fraction."""
    return (*some(1)(rng), int(rng.integers(2, 9)), float(rng.integers(2, 9)) + 0.5)


# Sums.

def add(data=lambda x, y: x + y, derivatives=lambda x, y: (1.0, 1.0), numbers=True, parents=lambda x, y: (x, y)):
    """A class whose __add__ is what these functions say; with the defaults it is right."""
    def __add__(self, other):
        other = self.lift(other) if numbers else other
        return type(self)(data(self.data, other.data), parents(self, other), "+", derivatives(self.data, other.data))
    return given(__add__)


def add_without_right():
    def __add__(self, other):
        return type(self)(self.data + self.lift(other).data, (self, self.lift(other)), "+", (1.0, 1.0))
    return given(__add__, right="__radd__")


def add_in_place():
    def __add__(self, other):
        self.data += self.lift(other).data
        self.parents, self.operation, self.derivatives = (self, self.lift(other)), "+", (1.0, 1.0)
        return self
    return given(__add__)


def add_numbers_only():
    def __add__(self, other):
        return self.data + self.lift(other).data
    return given(__add__)


def add_with_gradients():
    def __add__(self, other):
        self.grad = self.lift(other).grad = 1.0
        return type(self)(self.data + self.lift(other).data, (self, self.lift(other)), "+", (1.0, 1.0))
    return given(__add__)


def add_itself():
    def __add__(self, other):
        return type(self)(self + other)
    return given(__add__)


def add_always_lifting():
    def __add__(self, other):
        other = type(self)(other)
        return type(self)(self.data + other.data, (self, other), "+", (1.0, 1.0))
    return given(__add__)


def silent(method):
    """A class whose `method` computes and returns nothing."""
    def compute(self, other):
        getattr(Value, method)(self, other)
    compute.__name__ = method
    return given(compute)


def add_unnamed():
    def __add__(self, other):
        return type(self)(self.data + self.lift(other).data, (self, self.lift(other)), derivatives=(1.0, 1.0))
    return given(__add__)


class OtherOrder(Value):
    """Parents in the other order, lists in place of tuples."""

    def __add__(self, other):
        other = other if isinstance(other, Value) else OtherOrder(other)
        return OtherOrder(other.data + self.data, [other, self], "sum", [1, 1])

    def __mul__(self, other):
        other = other if isinstance(other, Value) else OtherOrder(other)
        return OtherOrder(other.data * self.data, [other, self], "product", [self.data, other.data])

    def exp(self):
        return OtherOrder(np.exp(self.data), [self], "exp", [np.exp(self.data)])

    def __pow__(self, n):
        slope = n * self.data ** n / self.data if self.data else float(n == 1)
        return OtherOrder(self.data ** n, [self], f"**{n}", [slope])

    __radd__, __rmul__ = __add__, __mul__


class OneParent(Value):
    """No node for an ordinary number, which has no use for a gradient."""

    def __add__(self, other):
        if isinstance(other, (int, float)):
            return OneParent(self.data + other, (self,), f"+{other}", (1.0,))
        return OneParent(self.data + other.data, (self, other), "+", (1.0, 1.0))

    def __mul__(self, other):
        if isinstance(other, (int, float)):
            return OneParent(self.data * other, (self,), f"*{other}", (other,))
        return OneParent(self.data * other.data, (self, other), "*", (other.data, self.data))

    def exp(self):
        result = OneParent(math.e ** self.data, (self,), "exp")
        result.derivatives = (result.data,)
        return result

    def __pow__(self, n):
        result = OneParent(math.pow(self.data, n), (self,), "power")
        result.derivatives = (n * math.pow(self.data, n - 1),)
        return result

    __radd__, __rmul__ = __add__, __mul__


ADD = Exercise(
    "Value.__add__", 2, Value, forbidden=ENGINES, call=plus,
    cases=[
        Case("2 + 3, by hand", lambda rng: (2.0, 3.0),
             hint="Return a new Value with four things: the sum, the two parents, a name, and two derivatives."),
        Case("two numbers", some(2),
             hint="Each parent needs its local derivative: by how much does the sum grow when this parent grows?"),
        Case("a node plus itself", some(1), call=plus_itself,
             hint="In x + x both parents are the same node, each with its own derivative."),
        Case("a node plus the result of another sum", some(3), call=plus_inner,
             hint="The parents are the two nodes themselves, whether they are leaves or results."),
        Case("an ordinary number on the right, and on the left", number_and_ordinary, call=plus_number,
             hint="Turn an ordinary number into a leaf first: as_value(other). On the left it needs __radd__."),
    ],
    misconceptions=[
        Misconception("a number comes out", add_numbers_only(),
                      "The sum is right, but it is an ordinary number, and the graph ends there. Wrap it: "
                      "Value(the sum, parents, operation, derivatives)."),
        Misconception("no parents", add(parents=lambda x, y: (), derivatives=lambda x, y: ()),
                      "Your node does not know where it came from. Hand over the parents, (self, other), and the "
                      "derivatives."),
        Misconception("no derivatives", add(derivatives=lambda x, y: ()),
                      "Your node knows its parents and not its local derivatives: one number for each parent."),
        Misconception("the numbers as parents", add(parents=lambda x, y: (x.data, y.data)),
                      "Your parents are numbers, which have no parents and no gradient. The parents are the nodes: "
                      "(self, other)."),
        Misconception("the derivatives of a product", add(derivatives=lambda x, y: (y, x)),
                      "Those are the derivatives of a product. When one term of a sum grows by a little, the sum grows "
                      "by just as much."),
        Misconception("the terms as derivatives", add(derivatives=lambda x, y: (x, y)),
                      "You give the terms themselves as derivatives. When one term of a sum grows by a little, the sum "
                      "grows by just as much."),
        Misconception("half each", add(derivatives=lambda x, y: (0.5, 0.5)),
                      "You share the change between the two parents. But if only one of them grows by h, the sum grows "
                      "by h, not by h / 2."),
        Misconception("one parent", add(parents=lambda x, y: (x,), derivatives=lambda x, y: (1.0,)),
                      "Only `self` is a parent of your node. `other` has its part in the sum, too."),
        Misconception("in place", add_in_place(),
                      "`self.data += ...` changes the operand, which others may still use. Make a new Value."),
        Misconception("gradients too early", add_with_gradients(),
                      "You write into `grad` on the way forward. Local derivatives belong into `derivatives`; `grad` "
                      "is for the walk back."),
        Misconception("no ordinary numbers", add(numbers=False),
                      "x + 2 fails: the number 2 has no `data`. Begin with other = as_value(other)."),
        Misconception("nothing on the left", add_without_right(),
                      "x + 2 works and 2 + x does not: there Python asks for `__radd__`. Keep the last line of the "
                      "cell, which sets it."),
        Misconception("a node where a number is wanted", add_always_lifting(),
                      "A node stands where a number is wanted. The number of a node is other.data; and "
                      "as_value(other), in place of Value(other), makes a leaf of ordinary numbers only."),
        Misconception("it calls itself", add_itself(),
                      "`self + other` inside of __add__ calls __add__ again, without end. Add the numbers: self.data + "
                      "other.data."),
        Misconception("no return", silent("__add__"),
                      "Your method makes a node and does not return it: write `return` in front."),
        Misconception("copies as parents", add(parents=lambda x, y: (type(x)(x.data), type(y)(y.data))),
                      "No gradient would reach the operands. Are the parents new nodes with the same numbers? Give the "
                      "nodes themselves, (self, other). Or are the derivatives 0? Both are 1."),
        Misconception("no name", add_unnamed(),
                      "Everything is right except the operation: it is an empty text, as for a leaf. Call it '+'."),
    ],
    alternatives=[OtherOrder, OneParent, add()])


# Products.

def multiply(data=lambda x, y: x * y, derivatives=lambda x, y: (y.data, x.data), numbers=True,
             parents=lambda x, y: (x, y), name="*"):
    """A class whose __mul__ is what these functions say; with the defaults it is right."""
    def __mul__(self, other):
        other = self.lift(other) if numbers else other
        return type(self)(data(self.data, other.data), parents(self, other), name, derivatives(self, other))
    return given(__mul__)


def multiply_without_right():
    def __mul__(self, other):
        other = self.lift(other)
        return type(self)(self.data * other.data, (self, other), "*", (other.data, self.data))
    return given(__mul__, right="__rmul__")


def multiply_in_place():
    def __mul__(self, other):
        other = self.lift(other)
        self.parents, self.operation, self.derivatives = (self, other), "*", (other.data, self.data)
        self.data *= other.data
        return self
    return given(__mul__)


def multiply_numbers_only():
    def __mul__(self, other):
        return self.data * self.lift(other).data
    return given(__mul__)


MULTIPLY = Exercise(
    "Value.__mul__", 2, Value, forbidden=ENGINES, call=times,
    cases=[
        Case("3 times -4, by hand", lambda rng: (3.0, -4.0),
             hint="If the first factor grows by h, the product grows by h times the other factor."),
        Case("two numbers", some(2),
             hint="If the first factor grows by h, the product grows by h times the other factor."),
        Case("a node times itself", some(1), call=times_itself,
             hint="In x * x both parents are the same node; the two derivatives together make 2x."),
        Case("a node times the result of another product", some(3), call=times_inner,
             hint="The derivatives are the data of the two parents themselves, whether they are leaves or results."),
        Case("an ordinary number on the right, and on the left", number_and_ordinary, call=times_number,
             hint="Turn an ordinary number into a leaf first: as_value(other). On the left it needs __rmul__."),
    ],
    misconceptions=[
        Misconception("its own number", multiply(derivatives=lambda x, y: (x.data, y.data)),
                      "Each parent got its own number as derivative. In a product it is the other one's: if x grows by "
                      "h, x * y grows by h * y."),
        Misconception("the derivatives of a sum", multiply(derivatives=lambda x, y: (1.0, 1.0)),
                      "Those are the derivatives of a sum. If x grows by h, x * y grows by h * y."),
        Misconception("the product as derivative", multiply(derivatives=lambda x, y: (x.data * y.data,) * 2),
                      "You give the whole product as derivative. If x grows by h, x * y grows by h * y."),
        Misconception("nodes as derivatives", multiply(derivatives=lambda x, y: (y, x)),
                      "Your derivatives are nodes. The rest of the class wants numbers: other.data and self.data."),
        Misconception("a number comes out", multiply_numbers_only(),
                      "The product is right, but it is an ordinary number, and the graph ends there. Wrap it in a "
                      "Value."),
        Misconception("a sum", multiply(data=lambda x, y: x + y),
                      "Your data are the sum of the two numbers. Did you copy __add__ and forget one +?"),
        Misconception("the name of a sum", multiply(name="+"),
                      "The numbers are right, but your node still calls itself \"+\", and would be drawn as a sum. Its "
                      "operation is \"*\"."),
        Misconception("no parents", multiply(parents=lambda x, y: (), derivatives=lambda x, y: ()),
                      "Your node does not know where it came from. Hand over the parents, (self, other), and the "
                      "derivatives."),
        Misconception("one parent", multiply(parents=lambda x, y: (x,), derivatives=lambda x, y: (y.data,)),
                      "Only `self` is a parent of your node. `other` needs its gradient as well."),
        Misconception("no return", silent("__mul__"),
                      "Your method makes a node and does not return it: write `return` in front."),
        Misconception("divided", multiply(derivatives=lambda x, y: (1 / y.data, 1 / x.data)),
                      "Your derivatives divide where they should multiply. If x grows by h, x * y grows by h * y."),
        Misconception("in place", multiply_in_place(),
                      "You change `self`, which others may still use. Make a new Value and leave the operands alone."),
        Misconception("no ordinary numbers", multiply(numbers=False),
                      "x * 2 fails: the number 2 has no `data`. Begin with other = as_value(other)."),
        Misconception("nothing on the left", multiply_without_right(),
                      "x * 2 works and 2 * x does not: there Python asks for `__rmul__`. Keep the last line of the "
                      "cell, which sets it."),
    ],
    alternatives=[OtherOrder, OneParent, multiply()])


# Exponentials and powers.

def exponential(data=math.exp, derivative=lambda x, e: e, parents=lambda x: (x,), derivatives=lambda d: (d,)):
    """A class whose exp is what these functions say; with the defaults it is right."""
    def exp(self):
        e = data(self.data)
        return type(self)(e, parents(self), "exp", derivatives(derivative(self.data, e)))
    return given(exp)


def exponential_number():
    def exp(self):
        return math.exp(self.data)
    return given(exp)


def apply_exp(Value, x):
    x, = leaves(Value, x)
    return seen(Value, x.exp(), x)


def exp_of_inner(Value, x, y):
    inner = Value(x, (Value(y),), "made up", (2.0,))
    return seen(Value, inner.exp(), inner, inner.parents[0])


EXP = Exercise(
    "Value.exp", 1, Value, forbidden=ENGINES, call=apply_exp,
    cases=[
        Case("the exponential of 0", lambda rng: (0.0,),
             hint="exp(0) is 1. There is one parent, so parents and derivatives are tuples of one: (self,)."),
        Case("of any number", some(1), hint="The derivative of the exponential is the exponential itself."),
        Case("of a result", some(2), call=exp_of_inner,
             hint="The parent is the node itself, also where it has parents of its own."),
    ],
    misconceptions=[
        Misconception("derivative 1", exponential(derivative=lambda x, e: 1.0),
                      "Your derivative is 1, which is right at 0 only. The exponential is its own derivative."),
        Misconception("the rule of powers", exponential(derivative=lambda x, e: x * math.exp(x - 1)),
                      "You used the rule for powers. Here x stands in the exponent, and e^x is its own derivative."),
        Misconception("the number itself", exponential(derivative=lambda x, e: x),
                      "You give x as derivative. The exponential is its own derivative: e^x."),
        Misconception("the inverse", exponential(derivative=lambda x, e: 1 / e),
                      "You divide where you should multiply: the derivative of e^x is e^x itself."),
        Misconception("a number comes out", exponential_number(),
                      "The number is right, but the graph ends there. Wrap it in a Value with its parent and its "
                      "derivative."),
        Misconception("a tuple without its comma", exponential(parents=lambda x: x, derivatives=lambda d: d),
                      "`(self)` is self in brackets and no tuple. A tuple of one has a comma: (self,)."),
        Misconception("no parent", exponential(parents=lambda x: (), derivatives=lambda d: ()),
                      "Your node does not know where it came from: hand over (self,) and one derivative."),
        Misconception("a factor too many", exponential(derivative=lambda x, e: x * e),
                      "You multiply by x. The exponential is its own derivative, without a further factor."),
        Misconception("the node in math.exp", exponential(data=lambda x: math.exp(Value(x))),
                      "math.exp wants a number, and `self` is a node: math.exp(self.data)."),
        Misconception("two to the x", exponential(data=lambda x: 2.0 ** x),
                      "The base is e = 2.718..., as in math.exp."),
    ],
    alternatives=[OtherOrder, OneParent, exponential()])


def raised(slope=lambda x, n: n * x ** (n - 1), data=lambda x, n: x ** n, parents=lambda x: (x,),
           derivatives=lambda d: (d,)):
    """A class whose __pow__ is what these functions say; with the defaults it is right."""
    def __pow__(self, n):
        return type(self)(data(self.data, n), parents(self), f"**{n}", derivatives(slope(self.data, n)))
    return given(__pow__)


def power_number():
    def __pow__(self, n):
        return self.data ** n
    return given(__pow__)


def power_of_two_nodes():
    def __pow__(self, n):
        return type(self)(self.data ** n, (self, n), "**", (n * self.data ** (n - 1), 1.0))
    return given(__pow__)


def to_the(Value, x, n):
    x, = leaves(Value, x)
    return seen(Value, x ** n, x)


def inner_to_the(Value, x, y, n):
    inner = Value(x, (Value(y),), "made up", (2.0,))
    return seen(Value, inner ** n, inner, inner.parents[0])


POWER = Exercise(
    "Value.__pow__", 2, Value, forbidden=ENGINES, call=to_the,
    cases=[
        Case("3 to the power 2, by hand", lambda rng: (3.0, 2), hint="The derivative of x^2 is 2x."),
        Case("a whole power", lambda rng: (*some(1)(rng), int(rng.integers(3, 7))),
             hint="The derivative of x^n is n x^(n-1)."),
        Case("a negative power", lambda rng: (*some(1)(rng), -int(rng.integers(1, 4))),
             hint="The rule holds for negative n, too: the derivative of 1/x is -1/x^2."),
        Case("a root", lambda rng: (float(rng.uniform(1.5, 4)), float(rng.choice([0.5, 1.5, 2.5]))),
             hint="The rule holds for any fixed n: do not round it, and do not multiply n times."),
        Case("a power of a result", lambda rng: (*some(2)(rng), 3), call=inner_to_the,
             hint="The parent is the node itself, also where it has parents of its own."),
    ],
    misconceptions=[
        Misconception("the exponent stays", raised(lambda x, n: n * x ** n),
                      "You multiply by n and keep the exponent. It goes down by one: n x^(n-1)."),
        Misconception("no factor", raised(lambda x, n: x ** (n - 1)),
                      "You lower the exponent and forget the factor n in front: n x^(n-1)."),
        Misconception("the lower factor", raised(lambda x, n: (n - 1) * x ** (n - 1)),
                      "Your factor is n - 1. The old exponent comes down as it is, and then it is lowered by one."),
        Misconception("the exponent grows", raised(lambda x, n: n * x ** (n + 1)),
                      "Your exponent grows. It is lowered by one: n x^(n-1)."),
        Misconception("no brackets", raised(lambda x, n: n * x ** n - 1),
                      "You subtract 1 from the whole: `n * x ** n - 1` raises to the power n first. Write brackets "
                      "around n - 1."),
        Misconception("the rule of exponentials", raised(lambda x, n: x ** n * math.log(abs(x))),
                      "That is the derivative with respect to the exponent. Here n is fixed and x moves."),
        Misconception("the integral", raised(lambda x, n: x ** (n + 1) / (n + 1) if n != -1 else 0.0),
                      "You integrated. The derivative of x^n is n x^(n-1)."),
        Misconception("the square always", raised(lambda x, n: 2 * x),
                      "Your derivative is that of x^2, whatever n is."),
        Misconception("the wrong sign", raised(lambda x, n: -n * x ** (n - 1)),
                      "Your derivative has the wrong sign. For x^2 it is 2x: rising for positive x."),
        Misconception("base and exponent exchanged", raised(data=lambda x, n: n ** x),
                      "You raise n to the power x. The base is the node, self.data ** n."),
        Misconception("a product", raised(data=lambda x, n: x * n, slope=lambda x, n: n),
                      "You multiply by n. In Python the power is written with two stars."),
        Misconception("a number comes out", power_number(),
                      "The number is right, but the graph ends there. Wrap it in a Value with its parent and its "
                      "derivative."),
        Misconception("the exponent as a parent", power_of_two_nodes(),
                      "You name n as a parent. It is an ordinary number and no node: there is one parent, (self,), and "
                      "one derivative."),
        Misconception("a tuple without its comma", raised(parents=lambda x: x, derivatives=lambda d: d),
                      "`(self)` is self in brackets and no tuple. A tuple of one has a comma: (self,)."),
        Misconception("a derivative without its comma", raised(derivatives=lambda d: d),
                      "The brackets around your derivative make no tuple of it. A tuple of one has a comma at its end, "
                      "as in (self,)."),
    ],
    alternatives=[OtherOrder, OneParent, raised()])


# Graphs as data: for each node the positions of its parents and its local derivatives, leaves first, the output last.

class Node:
    """What the questions about graphs are tried on."""

    def __init__(self, data):
        self.data, self.grad = data, 0.0
        self.parents, self.operation, self.derivatives = (), "", ()


def nodes_of(parents, derivatives):
    """The nodes of a graph, made in an order that says nothing, with numbers of which many are equal."""
    made = {int(place): Node(float(place % 2)) for place in np.random.default_rng(0).permutation(len(parents))}
    nodes = [made[place] for place in range(len(parents))]
    for node, ups, slopes in zip(nodes, parents, derivatives, strict=True):
        node.parents, node.derivatives = tuple(nodes[up] for up in ups), tuple(slopes)
        node.operation = "made up" if ups else ""
    return nodes


def slopes_for(parents, rng):
    """A local derivative for every arrow of a graph, of either sign and none of them near 0 or 1."""
    def draw(count):
        return tuple(float(one) for one in rng.uniform(1.2, 2.5, count) * rng.choice([-1, 1], count))
    return [draw(len(ups)) for ups in parents]


def of_shape(*parents):
    """make(rng) for a graph of a given shape and drawn derivatives."""
    return lambda rng: (list(parents), slopes_for(parents, rng))


def any_graph(rng, most=9):
    """A graph of random shape: paths merge in a node with parents, and some nodes may not lead to the output."""
    parents = []
    while not merges(parents):
        count, leaf_count = int(rng.integers(5, most + 1)), int(rng.integers(1, 4))
        parents = [()] * leaf_count
        while len(parents) < count:
            ups = rng.integers(max(0, len(parents) - 4), len(parents), int(rng.integers(1, 3)))
            parents.append(tuple(int(up) for up in ups))
    return parents, slopes_for(parents, rng)


def merges(parents):
    """Whether the output, the last node, depends on a node with parents that is used twice."""
    needed = {len(parents) - 1}
    for node in range(len(parents) - 1, -1, -1):
        needed |= set(parents[node]) if node in needed else set()
    used = [up for node in needed for up in parents[node]] if parents else []
    return any(parents[up] and used.count(up) > 1 for up in used)


TWO_PATHS = [(), (), (), (0, 1), (1, 2), (3, 4)]  # (a + b)(b + 1): the leaves are a, b and 1
BY_HAND = TWO_PATHS, [(), (), (), (1.0, 1.0), (1.0, 1.0), (4.0, 5.0)]
CHAIN = (), (0,), (1,), (2,)
TWICE = (), (0, 0), (1, 1)
DIAMOND = (), (0,), (1,), (1,), (2, 3)
NEAR_AND_FAR = (), (0,), (1,), (2,), (1, 3)  # one node is used by the output and, further up, by another
FAR_AND_NEAR = (), (0,), (1,), (2,), (3, 1)


# The sum over all paths.

def path_sum(output, node):
    if output is node:
        return 1.0
    return sum(d * path_sum(parent, node) for parent, d in zip(output.parents, output.derivatives, strict=True))


def path_sum_by_list(output, node):
    """All paths first, then their products."""
    paths, whole = [(output, 1.0)], 0.0
    while paths:
        end, product = paths.pop()
        if end is node:
            whole += product
        for i in range(len(end.parents)):
            paths.append((end.parents[i], product * end.derivatives[i]))
    return np.float32(whole)


def path_sum_remembered(output, node):
    known = {id(node): 1.0}
    def below(one):
        if id(one) not in known:
            known[id(one)] = sum(d * below(p) for p, d in zip(one.parents, one.derivatives, strict=True))
        return known[id(one)]
    return below(output)


def paths(join=sum, along=lambda d, rest: d * rest, arrived=1.0, leaf=0.0, found=lambda a, b: a is b):
    """A path_sum with one thing wrong; with the defaults it is right."""
    def answer(output, node):
        if found(output, node):
            return arrived
        if not output.parents:
            return leaf
        return join([along(d, answer(parent, node))
                     for parent, d in zip(output.parents, output.derivatives, strict=True)])
    return answer


def last_path(output, node):
    whole = 0.0
    if output is node:
        return 1.0
    for parent, d in zip(output.parents, output.derivatives, strict=True):
        if (rest := last_path(parent, node)) != 0:
            whole = d * rest
    return whole


def parents_only(output, node):
    if output is node:
        return 1.0
    return sum(d for parent, d in zip(output.parents, output.derivatives, strict=True) if parent is node)


def each_parent_once(output, node):
    if output is node:
        return 1.0
    return sum(d * each_parent_once(p, node) for p, d in dict(zip(output.parents, output.derivatives,
                                                                  strict=True)).items())


def no_goal(output, node):
    if not output.parents:
        return 1.0
    return sum(d * no_goal(parent, node) for parent, d in zip(output.parents, output.derivatives, strict=True))


def return_in_loop(output, node):
    if output is node:
        return 1.0
    for parent, d in zip(output.parents, output.derivatives, strict=True):
        return d * return_in_loop(parent, node)


def first_path(output, node):
    if output is node:
        return 1.0
    for parent, d in zip(output.parents, output.derivatives, strict=True):
        if (rest := first_path(parent, node)) != 0:
            return d * rest
    return 0.0


def to_every_node(path_sum, parents, derivatives):
    """The derivative of the output with respect to each node."""
    nodes = nodes_of(parents, derivatives)
    return [path_sum(nodes[-1], node) for node in nodes]


PATH_SUM = Exercise(
    "path_sum", 2, path_sum, forbidden=ENGINES, call=to_every_node,
    cases=[
        Case("(a + b)(b + 1), by hand", lambda rng: BY_HAND,
             hint="b has two paths: 1 * 4 and 1 * 5. The leaves are a, b and 1; their derivatives are 4, 9 and 5."),
        Case("a chain", of_shape(*CHAIN), hint="Along a path the local derivatives multiply."),
        Case("the same parent twice", of_shape(*TWICE),
             hint="Two arrows to the same parent are two paths, each with its own derivative."),
        Case("a diamond", of_shape(*DIAMOND), hint="Where paths merge, what they bring adds up."),
        Case("any graph", any_graph,
             hint="From the output to itself there is the empty path, with product 1. Where no path leads, the sum is "
                  "0."),
    ],
    misconceptions=[
        Misconception("only the last path", last_path,
                      "You keep one path for each node, the last one. Every path counts: add them up."),
        Misconception("only the first path", first_path,
                      "You return as soon as one path is found. There may be more: add them up."),
        Misconception("added along the path", paths(along=lambda d, rest: d + rest),
                      "You add the derivatives along a path. If q grows 3 times as fast as x, and f grows 2 times as "
                      "fast as q, then f grows 6 times as fast as x: multiply."),
        Misconception("multiplied where paths merge", paths(join=lambda found: math.prod(
                          [one for one in found if one] or [0.0])),
                      "You multiply where paths merge. Both paths bring their own change, and the changes add."),
        Misconception("counted", paths(along=lambda d, rest: rest),
                      "You count the paths. Each of them is worth the product of its local derivatives."),
        Misconception("every leaf is the goal", paths(leaf=1.0),
                      "Your recursion returns 1 at every leaf. Only arriving at `node` is worth 1; another leaf is "
                      "worth 0."),
        Misconception("no goal", no_goal,
                      "Your recursion goes on to the leaves and never asks whether it has arrived: where output is "
                      "node, the answer is 1; at any other leaf it is 0."),
        Misconception("return inside the loop", return_in_loop,
                      "`return` inside the loop ends it at the first parent, and for a leaf nothing is returned. Add "
                      "up in the loop, return behind it."),
        Misconception("arriving is worth nothing", paths(arrived=0.0),
                      "All your sums are 0: what does an arrived path return? Its product so far has no factor, and an "
                      "empty product is 1."),
        Misconception("equal numbers", paths(found=lambda a, b: a.data == b.data),
                      "You compare the numbers in the nodes. Two different nodes may hold equal numbers: ask `is`."),
        Misconception("direct parents only", parents_only,
                      "You look at the parents of the output and no further. Ask each parent the same question: "
                      "path_sum(parent, node)."),
        Misconception("each parent once", each_parent_once,
                      "In x * x the same parent comes twice, with two derivatives, and you count it once. Go through "
                      "parents and derivatives side by side with zip."),
        Misconception("the largest path", paths(join=lambda found: max(found, key=abs)),
                      "You keep the path with the largest product. They all count: add them up."),
    ],
    alternatives=[path_sum_by_list, path_sum_remembered, paths()])


# Topological order.

def order_by_waiting(output):
    """The node on top of the stack waits until all of its parents are written down."""
    order, visited, stack = [], set(), [output]
    while stack:
        missing = [parent for parent in stack[-1].parents if id(parent) not in visited]
        if missing:
            stack.append(missing[0])
            continue
        node = stack.pop()
        if id(node) not in visited:
            visited.add(id(node))
            order.append(node)
    return order


def order_by_counting(output):
    """How many wait for each node; those for whom nobody waits come next, from the output down."""
    waiting, line = {output: 0}, [output]
    for node in line:
        for parent in node.parents:
            if parent not in waiting:
                waiting[parent] = 0
                line.append(parent)
            waiting[parent] += 1
    ready, order = [output], []
    while ready:
        node = ready.pop()
        order.append(node)
        for parent in node.parents:
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    return tuple(reversed(order))


def order_recursive(early=False, visited=True, key=id, reverse=False, leaves=True, last=True, first_parent=False):
    """A topological_order with one thing wrong; with the defaults it is right, but recursive."""
    def answer(output):
        order, seen = [], set()

        def visit(node):
            if visited and key(node) in seen:
                return
            seen.add(key(node))
            if early:
                order.append(node)
            for parent in node.parents[:1] if first_parent else node.parents:
                visit(parent)
            if not early and (leaves or node.parents):
                order.append(node)
        visit(output)
        order = order if last else order[:-1]
        return order[::-1] if reverse else order
    return answer


def order_by_distance(output):
    line = [output]
    for node in line:
        line += [parent for parent in dict.fromkeys(node.parents) if parent not in line]
    return line[::-1]


def order_by_simple_stack(output):
    order, visited, stack = [], set(), [output]
    while stack:
        node = stack.pop()
        if node not in visited:
            visited.add(node)
            order.append(node)
            stack += node.parents
    return order[::-1]


def order_marked_early(output):
    order, visited, stack = [], {output}, [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
            continue
        stack.append((node, True))
        for parent in node.parents:
            if parent not in visited:
                visited.add(parent)
                stack.append((parent, False))
    return order


def order_parents_below(output):
    order, visited, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in visited:
            visited.add(node)
            stack.extend((parent, False) for parent in node.parents)
            stack.append((node, True))
    return order


def order_unreturned(output):
    topological_order(output)


def order_of_numbers(output):
    return [node.data for node in topological_order(output)]


def places(topological_order, parents):
    """The positions of the nodes that come out, -1 for anything else; None where nothing comes out."""
    nodes = nodes_of(parents, [[1.0] * len(ups) for ups in parents])
    place = {id(node): i for i, node in enumerate(nodes)}
    found = topological_order(nodes[-1])
    return None if found is None else [place.get(id(node), -1) for node in found]


def is_topological(got, args, expected):
    parents, = args
    if -1 in got:
        return "what comes out are not all nodes of the graph: give the nodes themselves"
    if len(set(got)) < len(got):
        return "some nodes come more than once"
    if set(got) - set(expected):
        return "some nodes come out that the output does not depend on"
    if missing := len(set(expected) - set(got)):
        kind = ("the output is" if len(parents) - 1 not in got else
                "leaves are" if not any(parents[i] for i in set(expected) - set(got)) else f"{missing} nodes are")
        return f"{kind} missing"
    position = {node: i for i, node in enumerate(got)}
    if all(position[up] > position[node] for node in got for up in parents[node]):
        return "every node comes before its parents: it is the reversed order"
    for node in sorted(got):
        for up in parents[node]:
            if position[up] > position[node]:
                return f"a node comes before one of its parents (nodes {node} and {up} of the list above)"


def shape_only(rng, most=9):
    return any_graph(rng, most)[0]


def near_and_far(near_first):
    """make(rng) for an output that uses a node directly and through a chain of drawn length."""
    def make(rng):
        length = int(rng.integers(2, 5))
        ends = (1, length + 1) if near_first else (length + 1, 1)
        return ([(), (0,), *((i,) for i in range(1, length + 1)), ends],)
    return make


TOPOLOGICAL_ORDER = Exercise(
    "topological_order", 3, topological_order, forbidden=(*ENGINES, "nnlib.autograd.topological_order"),
    call=places, time_limit=3,
    cases=[
        Case("(a + b)(b + 1), by hand", lambda rng: (TWO_PATHS,), judge=is_topological,
             hint="All six nodes, each once, every node after its parents; the output is the last."),
        Case("a node that is used near the output and far from it",
             near_and_far(near_first=True), judge=is_topological,
             hint="Write a node down after all its parents have been written down: append comes after the loop."),
        Case("the same, parents in the other order", near_and_far(near_first=False), judge=is_topological,
             hint="Write a node down after all its parents have been written down: append comes after the loop."),
        Case("any graph", lambda rng: (shape_only(rng, 14),), judge=is_topological,
             hint="Visit each node once: remember the nodes that you have visited in a set."),
        Case("a chain of 5,000 nodes", lambda rng: ([(), *((i,) for i in range(4998 + int(rng.integers(3))))],),
             points=1, judge=is_topological,
             hint="Python lets about a thousand calls wait inside one another. Keep your own stack, as in section 6 of "
                  "the chapter."),
    ],
    misconceptions=[
        Misconception("recursive", order_recursive(),
                      "Right, until the graph is deep: Python lets about a thousand calls wait inside one another. "
                      "Keep your own stack of (node, parents_done), as in section 6 of the chapter."),
        Misconception("written down before its parents", order_recursive(early=True),
                      "You append a node before you visit its parents. Move the append behind the loop."),
        Misconception("reversed before, and still wrong", order_recursive(early=True, reverse=True),
                      "Writing nodes down on arrival and reversing the list works for trees only: a node that is used "
                      "near and far comes too late. Append after the parents instead."),
        Misconception("the output first", order_recursive(reverse=True),
                      "Your order is the one for the walk back, output first. Wanted is parents before children; "
                      "backward reverses it."),
        Misconception("by distance", order_by_distance,
                      "You order by the distance from the output. A node that is used near the output and again far "
                      "from it then comes too late in the list."),
        Misconception("a stack without a second visit", order_by_simple_stack,
                      "Your stack writes a node down when it is first met. Put it back with a mark, its parents on "
                      "top, and write it down when it comes up again."),
        Misconception("marked too early", order_marked_early,
                      "You mark a node as visited when it is put on the stack. While it waits there, others that need "
                      "it first pass it by. Mark it when it is taken off."),
        Misconception("its parents below it", order_parents_below,
                      "The last entry of a stack comes off first. You put the node on top of its parents, so it is "
                      "written down before them. Put it back first, then its parents on top of it."),
        Misconception("no return", order_unreturned,
                      "Your function gives back nothing. Its last line is `return order`, outside the loop."),
        Misconception("nothing is remembered", order_recursive(visited=False),
                      "Nodes that are used twice come twice: remember in a set which nodes were visited."),
        Misconception("numbers are remembered", order_recursive(key=lambda node: node.data),
                      "You remember the numbers of the visited nodes, and different nodes may hold equal numbers. Put "
                      "the nodes themselves into the set."),
        Misconception("without leaves", order_recursive(leaves=False),
                      "The leaves are missing. They have no parents, and they come in the order, too."),
        Misconception("without the output", order_recursive(last=False),
                      "The output itself is missing; it is the last of the order."),
        Misconception("the first parent only", order_recursive(first_parent=True),
                      "You follow one parent of each node. Visit all of them."),
        Misconception("numbers come out", order_of_numbers,
                      "You return numbers. Return the nodes themselves, so that backward can work with them."),
    ],
    alternatives=[order_by_waiting, order_by_counting, lambda output: iter(topological_order(output))])


# The walk back.

def built(Value, parents, derivatives):
    nodes = []
    for ups, slopes in zip(parents, derivatives, strict=True):
        nodes.append(Value(float(len(nodes)), tuple(nodes[up] for up in ups), "made up" if ups else "", tuple(slopes)))
    return nodes


def gradients(Value, parents, derivatives, upstream=None):
    """The gradient of every node after one walk back from the last."""
    nodes = built(Value, parents, derivatives)
    nodes[-1].backward() if upstream is None else nodes[-1].backward(upstream)
    return [node.grad for node in nodes]


def two_walks(Value, parents, derivatives, outputs):
    """The gradients of the leaves after walks back from several nodes of one graph."""
    nodes = built(Value, parents, derivatives)
    for output in outputs:
        nodes[output].backward()
    return [node.grad for node in nodes if not node.parents]


def rope(rng):
    """Forty nodes, each of which uses the one before it twice; the two derivatives add up to about 1."""
    first = rng.uniform(0.2, 0.8, 40)
    slopes = [()] + [(float(d), float(e)) for d, e in zip(first, rng.uniform(0.95, 1.05, 40) - first, strict=True)]
    return [(), *((i, i) for i in range(40))], slopes


def with_upstream(make):
    return lambda rng: (*make(rng), float(rng.uniform(1.5, 4) * rng.choice([-1, 1])))


def walk(order=lambda self: topological_order(self)[::-1], begin=1.0, reset="inner", fresh=False, along=None,
         seed=lambda given: given, whole=False):
    """A class whose backward has one thing wrong; with the defaults it is right."""
    along = along or (lambda derivative, node: derivative * node.grad)
    def backward(self, gradient=1.0):
        nodes = topological_order(self)
        for node in nodes:
            if reset == "all" or reset == "inner" and node.parents:
                node.grad = 0.0
        self.grad += begin * seed(gradient)
        for node in order(self):
            for parent, derivative in zip(node.parents, node.derivatives, strict=True):
                handed = along(derivative, self if whole else node)
                parent.grad = handed if fresh else parent.grad + handed
    return given(backward)


def at_once():
    def backward(self, gradient=1.0):
        for node in topological_order(self):
            node.grad = 0.0 if node.parents else node.grad
        self.grad += gradient
        hand_down(self)

    def hand_down(node):
        for parent, derivative in zip(node.parents, node.derivatives, strict=True):
            parent.grad += derivative * node.grad
            hand_down(parent)
    return given(backward)


def every_path():
    """Right and slow: a call for every path."""
    def backward(self, gradient=1.0):
        self.grad += gradient
        for parent, derivative in zip(self.parents, self.derivatives, strict=True):
            parent.backward(derivative * gradient)
    return given(backward)


def first_version():
    """As in section 5 of the chapter."""
    def backward(self, gradient=1.0):
        self.grad = gradient
        for node in reversed(topological_order(self)):
            for parent, derivative in zip(node.parents, node.derivatives, strict=True):
                parent.grad += derivative * node.grad
    return given(backward)


def no_start():
    """The output's gradient is set after the walk."""
    def backward(self, gradient=1.0):
        for node in topological_order(self)[::-1]:
            node.grad = 0.0 if node.parents else node.grad
            for parent, derivative in zip(node.parents, node.derivatives, strict=True):
                parent.grad += derivative * node.grad
        self.grad = gradient
    return given(backward)


def reversed_in_place():
    def backward(self, gradient=1.0):
        order = topological_order(self)
        self.grad = gradient
        for node in order.reverse():
            node.grad += 0.0
    return given(backward)


class Pulling(Value):
    """Every node collects from those that use it."""

    def backward(self, gradient=1.0):
        order = topological_order(self)
        arriving = dict.fromkeys(order, 0.0)
        arriving[self] = gradient
        while order:
            node = order.pop()
            for i, parent in enumerate(node.parents):
                arriving[parent] = arriving[parent] + node.derivatives[i] * arriving[node]
        for node, gradient in arriving.items():
            node.grad = gradient if node.parents else node.grad + gradient


class ByIndex(Value):
    """With NumPy's numbers and indices, in one loop."""

    def backward(self, gradient=1.0):
        order = topological_order(self)
        for node in order:
            node.grad = node.grad if node.parents == () else np.float64(0)
        self.grad = np.float64(gradient)
        while order:
            node = order.pop()
            for k in range(len(node.parents)):
                node.parents[k].grad = node.parents[k].grad + node.derivatives[k] * node.grad


BACKWARD = Exercise(
    "Value.backward", 3, Value, forbidden=(*ENGINES, "nnlib.autograd.topological_order"), call=gradients, time_limit=3,
    cases=[
        Case("(a + b)(b + 1), by hand", lambda rng: BY_HAND,
             hint="The gradients of a, b and 1 are 4, 9 and 5, of the two sums 4 and 5, of the output 1."),
        Case("a chain, and another gradient from above", with_upstream(of_shape(*CHAIN)),
             hint="The output's own gradient is what arrives from above: the argument `gradient`, which is 1 by "
                  "default."),
        Case("the same parent twice", with_upstream(of_shape(*TWICE)),
             hint="Both arrows bring their part: the gradients add up."),
        Case("a diamond", with_upstream(of_shape(*DIAMOND)),
             hint="A node may hand down only when all who use it have handed down to it."),
        Case("a node that is used near the output and far from it",
             lambda rng: (*of_shape(*(NEAR_AND_FAR if rng.random() < 0.5 else FAR_AND_NEAR))(rng), 1.0),
             hint="Go through the reversed topological order, so that a node comes after all who use it."),
        Case("any graph", with_upstream(any_graph),
             hint="Nodes on which the output does not depend keep the gradient 0."),
        Case("two walks, from two nodes of one graph",
             lambda rng: (*of_shape((), (), (0, 1), (2, 1), (2, 3))(rng), [4, 3]), call=two_walks,
             hint="Leaves add up over several calls; nodes with parents must begin at 0 in every call."),
        Case("forty nodes and a million million paths", rope, points=1,
             hint="Go through each node once. Following every path takes forever here."),
    ],
    misconceptions=[
        Misconception("= in place of +=", walk(fresh=True),
                      "`parent.grad = ...` throws away what arrived before: of several paths the last one wins. Write "
                      "+=."),
        Misconception("handed down at once", at_once(),
                      "You pass a gradient on as soon as a part of it arrives, so parts are passed on again and again. "
                      "Go through the reversed topological order, each node once."),
        Misconception("every path by itself", every_path(),
                      "Right, and as slow as path_sum: a call for every path, and their number doubles with every "
                      "reuse. Go through the reversed topological order, each node once."),
        Misconception("leaves first", walk(order=topological_order),
                      "Only the parents of the output got something. If you go through all nodes, you begin with the "
                      "leaves, where nothing has arrived yet: reverse the order."),
        Misconception("by distance from the output", walk(order=lambda self: order_by_distance(self)[::-1]),
                      "You go through the nodes by their distance from the output. A node may hand down only after all "
                      "who use it: take the reversed topological order."),
        Misconception("reversed in place", reversed_in_place(),
                      "`order.reverse()` turns the list around and gives back None, and no loop goes through None. "
                      "Write reversed(order)."),
        Misconception("no start", walk(begin=0.0),
                      "All your gradients are 0. The output's own gradient is the argument `gradient`: put it in after "
                      "the loop that resets, and before the walk."),
        Misconception("the start comes last", no_start(),
                      "Only the output has a gradient: nothing was handed down. Is its gradient set before the walk, "
                      "does the walk begin with it, and is it parent.grad that grows?"),
        Misconception("the gradient from above is ignored", walk(seed=lambda gradient: 1.0),
                      "You always begin with 1. Begin with the argument `gradient`; 1 is its default."),
        Misconception("inner nodes keep the old gradient", walk(reset="none"),
                      "In a second call the nodes in between still hold the gradient of the first, and hand it down "
                      "again. Set the grad of all nodes with parents to 0 first."),
        Misconception("the first version", first_version(),
                      "That is backward as in section 5 of the chapter. Section 6 calls it twice: nodes with parents "
                      "must begin at 0 in every call, or they hand down what they had before once more."),
        Misconception("leaves forget", walk(reset="all"),
                      "You set all gradients to 0, the leaves' too. Over several calls the gradients of leaves add up; "
                      "reset nodes with parents only."),
        Misconception("the local derivative alone", walk(along=lambda derivative, node: derivative),
                      "You hand down the local derivative alone. Multiply it by the gradient of the node."),
        Misconception("the gradient alone", walk(along=lambda derivative, node: node.grad),
                      "You hand down the node's gradient unchanged. Multiply it by the local derivative of each "
                      "parent."),
        Misconception("added along the path", walk(along=lambda derivative, node: derivative + node.grad),
                      "You add the local derivative and the gradient of the node. Along a path they multiply."),
        Misconception("the number of the node", walk(along=lambda derivative, node: node.data * node.grad),
                      "You multiply by the data of the node. Its `derivatives` know how it reacts to each parent."),
        Misconception("always the output's gradient", walk(whole=True),
                      "You multiply by `self.grad` everywhere. Each node hands down its own gradient: node.grad."),
    ],
    alternatives=[Pulling, ByIndex, walk()])


EXERCISES = [ADD, MULTIPLY, EXP, POWER, PATH_SUM, TOPOLOGICAL_ORDER, BACKWARD]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_number(rng):
    return float(rng.normal() * 10.0 ** rng.integers(-2, 3))


def any_shape(rng):
    return (shape_only(rng, int(rng.integers(6, 40))),)


DOMAIN = {
    "Value.__add__": [Case("any", lambda rng: (any_number(rng), any_number(rng)), call=plus),
                      Case("number", number_and_ordinary, call=plus_number)],
    "Value.__mul__": [Case("any", lambda rng: (any_number(rng), any_number(rng)), call=times),
                      Case("number", number_and_ordinary, call=times_number)],
    "Value.exp": [Case("any", lambda rng: (float(rng.normal(scale=5)),), call=apply_exp)],
    "Value.__pow__": [Case("any", lambda rng: (any_number(rng), int(rng.integers(-4, 7))), call=to_the)],
    "path_sum": [Case("any", lambda rng: any_graph(rng, int(rng.integers(6, 14))), call=to_every_node)],
    "topological_order": [Case("any", any_shape, call=places, judge=is_topological)],
    "Value.backward": [Case("any", lambda rng: with_upstream(any_graph)(rng), call=gradients)],
}
EXEMPT = {}
