"""A small set for the tests whose questions are methods of one class."""

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex93_methods"


class Value:
    def __init__(self, data, parents=(), derivatives=()):
        self.data, self.parents, self.derivatives, self.grad = float(data), parents, derivatives, 0.0

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        derivatives = other.data, self.data
        return type(self)(self.data * other.data, (self, other), derivatives)

    __rmul__ = __mul__

    def backward(self):
        self.grad, line = 1.0, [self]
        while line:
            node = line.pop()
            for parent, derivative in zip(node.parents, node.derivatives, strict=True):
                parent.grad += derivative * node.grad
                line.append(parent)


class Exchanged(Value):
    def __mul__(self, other):
        product = self.data * other.data
        return type(self)(product, parents=(other, self), derivatives=(self.data, other.data))


class Renamed(Value):
    pass


class Forward(Value):
    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), (self.data, other.data))


class Summing(Value):
    def __mul__(self, other):
        return type(self)(self.data + other.data, (self, other), (other.data, self.data))


class Bare(Value):
    def __mul__(self, other):
        return self.data * other.data


class Signed(Value):
    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), (1.0, -1.0))


class Lonely(Value):
    def __add__(self, other):
        return type(self)(self.data + other.data)


class Doubling(Value):
    def __add__(self, other):
        return type(self)(self.data + self.data, (self, other), (1.0, 1.0))


def parts(z, x, y):
    """The data of z, and its derivatives with respect to x and y in this order."""
    found = {id(parent): derivative for parent, derivative in zip(z.parents, z.derivatives, strict=True)}
    return z.data, found.get(id(x), 0.0), found.get(id(y), 0.0)


def add(Value, x, y):
    x, y = Value(x), Value(y)
    return parts(x + y, x, y)


def multiply(Value, x, y):
    x, y = Value(x), Value(y)
    return parts(x * y, x, y)


def two_numbers(rng):
    return tuple(rng.normal(size=2).tolist())


EXERCISES = [
    Exercise("Value.__add__", 1, Value, call=add, forbidden=("nnlib.Tensor",),
             cases=[Case("two numbers", two_numbers), Case("two others", two_numbers)],
             misconceptions=[Misconception("one sign", Signed, "Both derivatives are 1."),
                             Misconception("no parents", Lonely, "Hand the parents over."),
                             Misconception("doubled", Doubling, "Add the other one.")],
             alternatives=[Exchanged, Renamed]),
    Exercise("Value.__mul__", 2, Value, call=multiply,
             cases=[Case("two numbers", two_numbers), Case("two others", two_numbers)],
             misconceptions=[Misconception("not exchanged", Forward, "The derivative by x is y."),
                             Misconception("sum", Summing, "Multiply."),
                             Misconception("a number", Bare, "Return a Value.")],
             alternatives=[Exchanged, Renamed]),
]
