"""A small exercise set for the tests, with every kind of question."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception, Tolerance

NAME = "ex90_sample"
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def sigmoid(z):
    z = np.asarray(z, dtype=float)
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)


def gradient(X, t, w, b):
    X, t = np.asarray(X), np.asarray(t)
    error = sigmoid(X @ w + b) - t
    return X.T @ error / len(t), error.mean()


def gradient_by_loop(X, t, w, b):
    parts = [(sigmoid(x @ w + b) - y) * np.append(x, 1) for x, y in zip(X, t, strict=True)]
    total = sum(parts) / len(parts)
    return total[:-1], total[-1]


def gradient_sum(X, t, w, b):
    error = sigmoid(X @ w + b) - t
    return X.T @ error, error.sum()


def gradient_in_place(X, t, w, b):
    t -= sigmoid(X @ w + b)
    return -X.T @ t / len(t), -t.mean()


def descend(gradient, start, rate, steps):
    w = np.array(start, dtype=float)
    for _ in range(steps):
        w = w - rate * gradient(w)
    return w


def descend_upwards(gradient, start, rate, steps):
    return descend(lambda w: -gradient(w), start, rate, steps)


def descend_once(gradient, start, rate, steps):
    return descend(gradient, start, rate, 1)


def descend_further(gradient, start, rate, steps):
    return descend(gradient, start, rate, steps + 1)


def batches(X, size, rng):
    order = rng.permutation(len(X))
    for start in range(0, len(X), size):
        yield X[order[start:start + size]]


def batches_with_replacement(X, size, rng):
    for _ in range(0, len(X), size):
        yield X[rng.integers(0, len(X), size)]


def batches_without_the_rest(X, size, rng):
    order = rng.permutation(len(X))
    return [X[order[i:i + size]] for i in range(0, len(X) - size + 1, size)]


def batches_unshuffled(X, size, rng):
    return [X[i:i + size] for i in range(0, len(X), size)]


def each_once(got, args, expected):
    X, size, rng = args
    seen = np.concatenate(got)
    if len(seen) != len(X):
        return f"an epoch has {len(X)} examples, your batches hold {len(seen)}"
    if not np.array_equal(np.sort(seen[:, 0]), np.sort(X[:, 0])):
        return "each example must come exactly once"
    return None


def shuffled(got, args, expected):
    if np.array_equal(np.concatenate(got[0]), np.concatenate(got[1])):
        return "two epochs have the same order"
    return None


def sign_word(x):
    return "up" if x > 0 else "down" if x < 0 else "flat"


class Momentum:
    def __init__(self, rate):
        self.rate, self.velocity = rate, 0.0

    def step(self, w, g):
        self.velocity = 0.9 * self.velocity + g
        return w - self.rate * self.velocity


class Forgetful(Momentum):
    def step(self, w, g):
        return w - self.rate * g


class Averaging(Momentum):
    def step(self, w, g):
        self.velocity = 0.9 * self.velocity + 0.1 * g
        return w - self.rate * self.velocity


class Uphill(Momentum):
    def step(self, w, g):
        return 2 * w - super().step(w, g)


class Subclassed(Momentum):
    pass


def drive(Optimizer, w, gradients, rate):
    optimizer = Optimizer(rate)
    return [w := optimizer.step(w, g) for g in gradients]


def slope(z):
    return sigmoid(z) * (1 - sigmoid(z))


EXERCISES = [
    Exercise(
        "sigmoid", 2, sigmoid,
        cases=[Case("three numbers by hand", lambda rng: np.array([-2.0, 0.0, 3.0])),
               Case("any shape", lambda rng: rng.normal(size=(3, 4))),
               Case("inputs of size 1000", lambda rng: np.array([-1000.0, 1000.0]), points=1,
                    no_warnings=True, hint="Never take exp of a large positive number.")],
        misconceptions=[
            Misconception("sign of the exponent", lambda z: 1 / (1 + np.exp(z)), "A large z means class 1."),
            Misconception("overflow", lambda z: 1 / (1 + np.exp(-z)), "np.exp(1000) is infinite."),
            Misconception("softmax", lambda z: np.exp(z) / np.exp(z).sum(), "Each has its own probability."),
            Misconception("slope", slope, "Your largest value is 0.25.")],
        alternatives=[lambda z: 0.5 * (1 + np.tanh(np.asarray(z) / 2)), lambda z: sigmoid(z).tolist(),
                      lambda z: sigmoid(z).astype(np.float32)]),
    Exercise(
        "gradient", 3, gradient,
        cases=[Case("seven examples", lambda rng: (rng.normal(size=(7, 3)), rng.integers(0, 2, 7) + 0.0,
                                                   rng.normal(size=3), 0.3)),
               Case("one example", lambda rng: (rng.normal(size=(1, 2)), np.ones(1), np.ones(2), 0.0))],
        misconceptions=[
            Misconception("sum", gradient_sum, "Take the mean over the batch."),
            Misconception("sign", lambda *args: [-part for part in gradient(*args)], "Turn the sign."),
            Misconception("in place", gradient_in_place, "t -= p changes the caller's t."),
            Misconception("swapped", lambda *args: gradient(*args)[::-1], "First w, then b.")],
        alternatives=[gradient_by_loop, lambda *args: list(gradient(*args))]),
    Exercise(
        "descend", 1.5, descend,
        cases=[Case("a bowl", lambda rng: (lambda w: 2 * w, rng.normal(size=2), 0.1, 5))],
        misconceptions=[Misconception("uphill", descend_upwards, "Subtract the gradient."),
                        Misconception("one step", descend_once, "Repeat the step."),
                        Misconception("a step more", descend_further, "Count the steps.")],
        alternatives=[lambda g, start, rate, steps: descend(g, start, rate, steps).tolist(),
                      lambda g, start, rate, steps: start * (1 - 2 * rate) ** steps]),
    Exercise(
        "batches", 2, batches,
        cases=[Case("each example once", lambda rng: (rng.normal(size=(10, 2)), 4, rng), judge=each_once),
               Case("a new order", lambda rng: (rng.normal(size=(10, 2)), 4, rng), judge=shuffled,
                    call=lambda answer, X, size, rng: [list(answer(X, size, rng)) for epoch in range(2)])],
        misconceptions=[
            Misconception("with replacement", batches_with_replacement, "Draw without replacement."),
            Misconception("rest dropped", batches_without_the_rest, "The last batch may be smaller."),
            Misconception("not shuffled", batches_unshuffled, "Shuffle in each epoch.")],
        alternatives=[lambda *args: list(batches(*args)), lambda *args: tuple(batches(*args))]),
    Exercise(
        "sign_word", 1, sign_word,
        cases=[Case("all three", lambda rng: (rng.uniform(1, 2), -rng.uniform(1, 2), 0.0),
                    call=lambda answer, *numbers: [answer(x) for x in numbers])],
        misconceptions=[Misconception("turned round", lambda x: sign_word(-x), "Up means positive."),
                        Misconception("no flat", lambda x: "up" if x >= 0 else "down", "What of zero?"),
                        Misconception("always up", lambda x: "up", "Look at x.")],
        alternatives=[lambda x: ["flat", "up", "down"][int(np.sign(x))], lambda x: np.str_(sign_word(x))]),
    Exercise(
        "xor_weights", 1, np.array([[1.0, 1.0], [-1.0, -1.0]]),
        cases=[Case("the four corners", lambda rng: CORNERS,
                    call=lambda W, X: np.maximum(X @ np.asarray(W).T + np.array([0.0, 1.0]), 0))],
        misconceptions=[Misconception("zeros", np.zeros((2, 2)), "Zeros see nothing."),
                        Misconception("transposed", [[1.0, -1.0], [1.0, -1.0]], "Rows are outputs."),
                        Misconception("signs", [[-1.0, -1.0], [1.0, 1.0]], "Turn the signs round.")],
        alternatives=[[[1, 1], [-1, -1]], np.array([[1, 1], [-1, -1]], dtype=np.float32)]),
    Exercise(
        "Momentum", 1, Momentum, call=drive,
        cases=[Case("three steps", lambda rng: (rng.normal(size=3), rng.normal(size=(3, 3)), 0.1),
                    tolerance=Tolerance(1e-6, 1e-9, "three sums and products in float64"))],
        misconceptions=[Misconception("forgets", Forgetful, "Keep the velocity."),
                        Misconception("averages", Averaging, "The gradient has weight 1."),
                        Misconception("uphill", Uphill, "Subtract the velocity.")],
        alternatives=[Subclassed, lambda rate: Momentum(float(rate))]),
    Exercise(
        "warm_up", 0, lambda x: 2 * x,
        cases=[Case("three", lambda rng: 3.0), Case("any number", lambda rng: rng.normal())],
        misconceptions=[Misconception("square", lambda x: x * x, "Twice, not squared."),
                        Misconception("half", lambda x: x / 2, "Twice, not half."),
                        Misconception("plus two", lambda x: x + 2, "Times, not plus.")],
        alternatives=[lambda x: x + x, lambda x: np.float32(2 * x)]),
]
