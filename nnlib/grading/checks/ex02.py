"""ex02, from likelihood to loss: the questions of solutions/ex02_from_likelihood_to_loss and how answers are tried."""

import math

import numpy as np

from nnlib import sigmoid
from nnlib.grading import Case, Exercise, Misconception

NAME = "ex02_from_likelihood_to_loss"


# 1 squared_loss

def squared_loss(f, t):
    d = f - t
    return np.sum(d * d) / len(f), 2 * d / len(f)


def squared_by_loop(f, t):
    total, gradient = 0.0, np.zeros(np.shape(f))
    for i in range(len(f)):
        for j in range(len(f[i])):
            total += (f[i][j] - t[i][j]) ** 2 / len(f)
            gradient[i, j] = 2 * (f[i][j] - t[i][j]) / len(f)
    return total, gradient


def squared_with(loss=lambda d: np.sum(d * d) / len(d), gradient=lambda d: 2 * d / len(d)):
    """The same answer but for the loss or the gradient, given as functions of f - t."""
    return lambda f, t: (loss(np.asarray(f) - t), gradient(np.asarray(f) - t))


def outputs(n, k):
    return lambda rng: (rng.normal(scale=2, size=(n, k)), rng.normal(size=(n, k)))


SQUARED_LOSS = Exercise(
    "squared_loss", 2, squared_loss,
    forbidden=("nnlib.numerical_gradient", "nnlib.Tensor.backward"),
    cases=[
        Case("one example with three outputs, of deck C",
             lambda rng: (np.array([[3.0, 1.0, -2.0]]), np.array([[0.0, 1.0, 0.0]]))),
        Case("six examples with four outputs", outputs(6, 4)),
        Case("five examples with one output", outputs(5, 1)),
        Case("three examples with three outputs", outputs(3, 3))],
    misconceptions=[
        Misconception("mean over the outputs, too", squared_with(lambda d: np.mean(d * d), lambda d: 2 * d / d.size),
                      "You divide by the number of outputs, as well, like PyTorch's mse_loss. In this course the "
                      "squares of one example are added up; the mean runs over the examples only."),
        Misconception("loss as a mean of all, gradient of the sum over outputs", squared_with(lambda d: np.mean(d * d)),
                      "The gradient is right. The loss, np.mean of all squares, divides by the number of outputs, too: "
                      "add up all squares and divide by the number of examples."),
        Misconception("sum over the examples", squared_with(lambda d: np.sum(d * d), lambda d: 2 * d),
                      "You add up over the examples. The loss is their mean: divide both by len(f)."),
        Misconception("gradient of the sum", squared_with(gradient=lambda d: 2 * d),
                      "The loss is right. Its gradient must be divided by the number of examples, too."),
        Misconception("the 2 forgotten", squared_with(gradient=lambda d: d / len(d)),
                      "Half of the gradient: the derivative of a square brings a 2 (deck C, too, leaves it out)."),
        Misconception("deck C", squared_with(lambda d: np.sum(d * d), gradient=lambda d: d),
                      "Those are the lecture's formulas: a sum over the examples, and f - t, which is the gradient of "
                      "half the squared error. Ours is a mean, and has the 2."),
        Misconception("half the squared error", squared_with(lambda d: np.sum(d * d) / len(d) / 2,
                                                             lambda d: d / len(d)),
                      "Loss and gradient fit each other, but belong to half the squared error. Here there is no 1/2."),
        Misconception("with respect to t", squared_with(gradient=lambda d: -2 * d / len(d)),
                      "Your gradient has the wrong sign: it is that with respect to t. If f grows above t, the loss "
                      "grows."),
        Misconception("no square", squared_with(lambda d: np.sum(d) / len(d)),
                      "You add up the differences themselves, so that positive and negative ones cancel. Square them "
                      "first."),
        Misconception("absolute values", squared_with(lambda d: np.sum(np.abs(d)) / len(d),
                                                      lambda d: np.sign(d) / len(d)),
                      "That is the absolute error, which belongs to Laplace's distribution. The Normal's is squared."),
        Misconception("a root at the end", squared_with(lambda d: np.sqrt(np.sum(d * d) / len(d))),
                      "You take a root at the end. The squared loss has none."),
        Misconception("the lengths", squared_with(lambda d: np.mean(np.linalg.norm(d, axis=1))),
                      "Those are the lengths of the differences, with a root. The loss is the mean of their squares."),
        Misconception("one loss per example", squared_with(lambda d: np.sum(d * d, axis=1)),
                      "Your loss is one number per example. Take their mean."),
        Misconception("gradient added up", squared_with(gradient=lambda d: np.sum(2 * d, axis=0) / len(d)),
                      "The gradient has one entry for every entry of f, of shape (n, k): you have added up the "
                      "examples."),
        Misconception("loss only", lambda f, t: squared_loss(f, t)[0],
                      "The gradient is missing: return the pair loss, gradient."),
        Misconception("order", lambda f, t: squared_loss(f, t)[::-1],
                      "Right, in the wrong order: return loss, gradient.")],
    alternatives=[squared_by_loop, lambda f, t: (np.mean(np.sum((f - t) ** 2, axis=1)), (f - t) * 2 / f.shape[0]),
                  lambda f, t: [float(squared_loss(f, t)[0]), squared_loss(f, t)[1].tolist()],
                  lambda f, t: tuple(np.float32(part) for part in squared_loss(f, t))])


# 2 gaussian_nll

def gaussian_losses(m, t, s):
    return (t - m) ** 2 / (2 * s ** 2) + np.log(2 * np.pi * s ** 2) / 2


def gaussian_nll(m, t, s):
    return np.mean(gaussian_losses(m, t, s))


def nll_through_density(m, t, s):
    density = np.exp(-(t - m) ** 2 / (2 * s ** 2)) / np.sqrt(2 * np.pi * s ** 2)
    return -np.mean(np.log(density))


def nll_by_loop(m, t, s):
    deviations = np.broadcast_to(s, np.shape(t))
    total = 0.0
    for mean, target, deviation in zip(m, t, deviations):
        total += 0.5 * ((target - mean) / deviation) ** 2 + math.log(deviation) + 0.5 * math.log(2 * math.pi)
    return total / len(t)


def forecasts(rng, n=7):
    """Means, targets and a spread for each, none of them 1."""
    s = rng.uniform(0.3, 0.8, n) * rng.choice([1, 5], n)
    m = rng.normal(size=n) * 3
    return m, m + s * rng.normal(size=n), s


def nll_with(square=lambda d, s: d ** 2 / (2 * s ** 2), log=lambda s: np.log(2 * np.pi * s ** 2) / 2, end=np.mean):
    return lambda m, t, s: end(square(t - m, s) + log(s) + np.zeros(np.shape(t)))


GAUSSIAN_NLL = Exercise(
    "gaussian_nll", 2, gaussian_nll,
    forbidden=("nnlib.gaussian_nll_loss", "scipy.stats.norm.pdf", "scipy.stats.norm.logpdf"),
    cases=[
        Case("the example of the notebook", lambda rng: (np.array([1.0]), np.array([3.0]), np.array([2.0]))),
        Case("seven examples, each with its spread", forecasts),
        Case("one spread for all", lambda rng: (*forecasts(rng)[:2], float(rng.uniform(2, 3)))),
        Case("a target 60 standard deviations away", lambda rng: (np.zeros(2), np.array([30.0, -0.2]), 0.5),
             points=0.5, no_warnings=True,
             hint="The density itself is rounded to 0 there, and log(0) is minus infinity. Take the logarithm on paper "
                  "first: what is left of np.exp?")],
    misconceptions=[
        Misconception("through the density", nll_through_density,
                      "Right, until the density is rounded to 0 and its logarithm is infinite. Take the logarithm on "
                      "paper: the exponential disappears."),
        Misconception("no 2 pi", nll_with(log=np.log),
                      "The constant ln(2 pi)/2 is missing. It moves no minimum, but it belongs to the density, and "
                      "here we want all of it."),
        Misconception("no constants", nll_with(log=lambda s: 0 * s),
                      "Only the square is there. Without ln(s) a network would answer a huge s to be on the safe "
                      "side."),
        Misconception("squared error", lambda m, t, s: np.mean((t - m) ** 2),
                      "That is the squared error. It is what is left when s is the same for all; here s counts."),
        Misconception("s as the variance", nll_with(lambda d, s: d ** 2 / (2 * s), lambda s: np.log(2 * np.pi * s) / 2),
                      "You take s for the variance. It is the standard deviation: square it in both places."),
        Misconception("s not squared in the exponent", nll_with(lambda d, s: d ** 2 / (2 * s)),
                      "The logarithm is right. The square is divided by 2 s ** 2, not by 2 s."),
        Misconception("s not squared in the logarithm", nll_with(log=lambda s: np.log(2 * np.pi * s) / 2),
                      "The square is right. In the logarithm s is squared, too: ln(2 pi s^2) / 2."),
        Misconception("deck D", nll_with(log=lambda s: np.log(2 * np.pi ** 2 * s) / 2),
                      "Your constant is the one that deck D prints, 2 pi^2 s. The area under that is not 1: the square "
                      "belongs to s."),
        Misconception("no half in the exponent", nll_with(lambda d, s: d ** 2 / s ** 2),
                      "The square is divided by 2 s ** 2; your 2 is missing."),
        Misconception("brackets", nll_with(lambda d, s: d ** 2 / 2 * s ** 2),
                      "d ** 2 / 2 * s ** 2 multiplies by s ** 2. Brackets: d ** 2 / (2 * s ** 2)."),
        Misconception("the 2 squared, too", nll_with(lambda d, s: d ** 2 / (2 * s) ** 2),
                      "(2 * s) ** 2 squares the 2, too. Brackets: d ** 2 / (2 * s ** 2)."),
        Misconception("half of a part of the logarithm", nll_with(log=lambda s: np.log(s ** 2) + np.log(2 * np.pi) / 2),
                      "The half belongs to all of ln(2 pi s^2): half of ln(s^2) is ln(s)."),
        Misconception("math.log", lambda m, t, s: np.mean((t - m) ** 2 / (2 * s ** 2) +
                                                          math.log(2 * math.pi * s ** 2) / 2),
                      "math.log takes one number; np.log takes arrays, too."),
        Misconception("s needs an index", lambda m, t, s: np.mean([gaussian_losses(m[i], t[i], s[i])
                                                                   for i in range(len(t))]),
                      "s may be one number for all, and a number has no s[i]. np.broadcast_to(s, t.shape) makes an "
                      "array of it; whole arrays without a loop do it by themselves."),
        Misconception("log of the mean density",
                      lambda m, t, s: -np.log(np.mean(np.exp(-gaussian_losses(m, t, s)))),
                      "You average the densities and then take the logarithm. The other way round: the mean of the "
                      "logarithms."),
        Misconception("no half before the logarithm", nll_with(log=lambda s: np.log(2 * np.pi * s ** 2)),
                      "The factor of the density is one over a root, so the logarithm gets a half."),
        Misconception("log subtracted", nll_with(log=lambda s: -np.log(2 * np.pi * s ** 2) / 2),
                      "The factor is one over a root, so minus its logarithm is plus ln(2 pi s^2) / 2. With your sign "
                      "a large s would be rewarded."),
        Misconception("log-likelihood", lambda m, t, s: -gaussian_nll(m, t, s),
                      "Right size, wrong sign: that is the log-likelihood. A loss is minus that."),
        Misconception("the density", lambda m, t, s: np.mean(np.exp(-(t - m) ** 2 / (2 * s ** 2)) /
                                                             np.sqrt(2 * np.pi * s ** 2)),
                      "Those are densities. The loss is minus their logarithm."),
        Misconception("sum instead of mean", nll_with(end=np.sum),
                      "You add the losses up. Ours is the mean over the examples."),
        Misconception("one loss per example", nll_with(end=lambda each: each),
                      "Those are the losses of the examples, one each. The loss is their mean."),
        Misconception("Laplace", nll_with(lambda d, s: np.abs(d) / s, lambda s: np.log(2 * s)),
                      "That is the loss of Laplace's distribution. The Normal's has a square."),
        Misconception("log to base 10", nll_with(log=lambda s: np.log10(2 * np.pi * s ** 2) / 2),
                      "np.log10 is the logarithm to base 10; the natural one is np.log."),
        Misconception("the mean of the squares only", lambda m, t, s: np.mean((t - m) ** 2 / (2 * s ** 2)) +
                      np.log(2 * np.pi * s ** 2) / 2,
                      "Your mean ends before the logarithm, which has a value for each s: put both terms inside "
                      "np.mean."),
        Misconception("squares averaged first",
                      lambda m, t, s: np.mean((t - m) ** 2) / (2 * np.mean(s) ** 2) +
                      np.log(2 * np.pi * np.mean(s) ** 2) / 2,
                      "You average the squares and the spreads before you divide. Each example has its own s: divide "
                      "first, average last.")],
    alternatives=[nll_by_loop, lambda m, t, s: np.mean(0.5 * ((t - m) / s) ** 2 + np.log(s)) + 0.5 * np.log(2 * np.pi),
                  lambda m, t, s: np.sum((m - t) ** 2 / (2 * s * s) + np.log(s * np.sqrt(2 * np.pi))) / t.shape[0],
                  lambda m, t, s: np.float32(gaussian_nll(m, t, s))])


# 3 one_hot

def one_hot(t, classes):
    return (np.asarray(t)[:, None] == np.arange(classes)).astype(float)


def one_hot_by_loop(t, classes):
    rows = []
    for k in t:
        row = [0] * classes
        row[int(k)] = 1
        rows.append(row)
    return rows


def one_hot_by_index(t, classes):
    T = np.zeros((len(t), classes))
    T[np.arange(len(t)), t] = 1
    return T


def columns_set(t, classes):
    T = np.zeros((len(t), classes))
    T[:, t] = 1
    return T


def from_one(t, classes):
    T = np.zeros((len(t), classes))
    T[np.arange(len(t)), np.asarray(t) - 1] = 1
    return T


def as_many_as_seen(t, classes):
    return one_hot(t, max(t) + 1)


def labels(n, classes, last=True):
    """Draws class numbers in no order, 0 among them; `last` says whether the last class is among them, too."""
    def draw(rng):
        given = [0, classes - 1] if last else [0, classes - 2]
        return rng.permutation(np.append(given, rng.integers(0, given[1] + 1, n - 2))), classes
    return draw


ONE_HOT = Exercise(
    "one_hot", 1, one_hot,
    cases=[
        Case("three targets you can verify by hand", lambda rng: (np.array([2, 0, 1]), 4)),
        Case("nine targets, five classes", labels(9, 5)),
        Case("no example of the last class", labels(6, 4, last=False),
             hint="The number of columns is `classes`, also where the last class does not occur in t."),
        Case("as many examples as classes", labels(5, 5))],
    misconceptions=[
        Misconception("as many columns as seen", as_many_as_seen,
                      "You count the classes from t. The last one may be missing there: use `classes`."),
        Misconception("as many columns as different classes", lambda t, classes: np.eye(len(np.unique(t)))[t],
                      "You count the different classes in t. Some may be missing there: use `classes`."),
        Misconception("transposed", lambda t, classes: one_hot(t, classes).T,
                      "Rows are examples; you have a row for each class. (np.eye(classes)[:, t] picks columns, "
                      "np.eye(classes)[t] rows.)"),
        Misconception("the identity", lambda t, classes: np.eye(classes),
                      "That is the identity matrix, a row for each class in order. Pick its rows by t: np.eye(classes)"
                      "[t]."),
        Misconception("square of the examples", lambda t, classes: np.eye(len(t), classes),
                      "Your ones stand on the diagonal, whatever t says. The 1 of row i stands in column t[i]."),
        Misconception("columns set", columns_set,
                      "T[:, t] = 1 sets whole columns. Each row has its own column: T[np.arange(len(t)), t]."),
        Misconception("classes from 1", from_one,
                      "You count classes from 1. Here they are 0, 1, ...: class 0 has its 1 in the first column."),
        Misconception("minus one elsewhere", lambda t, classes: 2 * one_hot(t, classes) - 1,
                      "Where the class is another one the entry is 0, not -1: a row is a distribution that is sure."),
        Misconception("inverted", lambda t, classes: 1 - one_hot(t, classes),
                      "You have 0 at the right class and 1 elsewhere: the other way round."),
        Misconception("class number as the entry", lambda t, classes: one_hot(t, classes) * np.asarray(t)[:, None],
                      "The entry is 1 for the right class, not the number of the class."),
        Misconception("only the first", lambda t, classes: one_hot(t, classes)[0],
                      "You return the row of the first example only. Is the return inside the loop?"),
        Misconception("flat", lambda t, classes: one_hot(t, classes).ravel(),
                      "Your numbers are right and flat: the shape is (n, classes).")],
    alternatives=[one_hot_by_loop, one_hot_by_index, lambda t, classes: np.eye(classes)[t],
                  lambda t, classes: np.eye(classes, dtype=np.float32)[t],
                  lambda t, classes: np.equal.outer(t, np.arange(classes)) * 1])


# 4 softmax

def softmax(z):
    powers = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def softmax_by_loop(z):
    if np.ndim(z) == 1:
        powers = [math.exp(v - max(z)) for v in z]
        return [power / sum(powers) for power in powers]
    return [softmax_by_loop(row) for row in z]


def naive_softmax(z):
    powers = np.exp(z)
    return powers / np.sum(powers, axis=-1, keepdims=True)


def softmax_of_log(z):
    top = np.max(z, axis=-1, keepdims=True)
    return np.exp(z - top - np.log(np.sum(np.exp(z - top), axis=-1, keepdims=True)))


def softmax_with(shift, axis=-1, keep=True):
    def answer(z):
        powers = np.exp(z - shift(z))
        return powers / np.sum(powers, axis=axis, keepdims=keep)
    return answer


def table_of_scores(n, classes):
    return lambda rng: (rng.normal(scale=2, size=(n, classes)),)


def far_rows(rng):
    return (np.array([[1000.0, 1001.0, 998.0], [-1000.0, -999.0, -1002.0], [-1000.0, 1000.0, -1000.0]])
            + rng.normal(size=(3, 3)),)


SOFTMAX = Exercise(
    "softmax", 3, softmax,
    forbidden=("nnlib.log_softmax", "scipy.special.softmax", "scipy.special.log_softmax"),
    cases=[
        Case("the five scores of deck C", lambda rng: (np.array([0.6, -1.0, 5.0, 8.0, 4.0]),)),
        Case("four examples, three classes", table_of_scores(4, 3)),
        Case("as many examples as classes", table_of_scores(3, 3)),
        Case("one example, its scores in a flat array", lambda rng: (rng.normal(size=4) * 2,),
             hint="One example may come as (classes,), without a second axis. axis=-1 is the last axis of both."),
        Case("rows around 1000 and around -1000", far_rows, points=1, no_warnings=True,
             hint="np.exp(1000) is infinite, and e^-1000 is rounded to 0. Subtract from each row its own largest score "
                  "first.")],
    misconceptions=[
        Misconception("naive formula", naive_softmax,
                      "The formula is right. But np.exp(1000) overflows, and a row of e^-1000 is all zeros. Subtract "
                      "each row's largest score first: that changes no probability."),
        Misconception("one maximum for the whole batch", softmax_with(np.max),
                      "You subtract the largest score of the whole batch. A row that lies 2000 below it becomes 0 / 0. "
                      "Each row needs its own maximum: axis=-1, keepdims=True."),
        Misconception("clipped scores", lambda z: naive_softmax(np.clip(z, -500, 500)),
                      "Clipping makes all large scores equal, so 1000 and 1001 get the same probability. Subtract the "
                      "maximum: that keeps the differences."),
        Misconception("smallest subtracted", softmax_with(lambda z: np.min(z, axis=-1, keepdims=True)),
                      "You subtract the smallest score (or the mean), so that the largest power can still overflow. "
                      "Subtract the largest score: then no power is above 1."),
        Misconception("nan replaced", lambda z: np.nan_to_num(naive_softmax(z)),
                      "np.nan_to_num hides the damage: your rows do not sum to 1 any more. Subtract each row's largest "
                      "score before np.exp, and no nan arises."),
        Misconception("shifted above the line only",
                      lambda z: np.exp(z - np.max(z, axis=-1, keepdims=True)) /
                      np.sum(np.exp(z), axis=-1, keepdims=True),
                      "You shift the scores above the fraction line and not below it. Shift once, and use the same "
                      "powers in both places."),
        Misconception("a loop over the rows", lambda z: [softmax(np.atleast_1d(row)) for row in z],
                      "Your loop goes over the rows: in a flat array of scores each score becomes an example of its "
                      "own, with probability 1. Without a loop, with axis=-1, both forms will do."),
        Misconception("a loop that needs rows",
                      lambda z: [np.exp(row - max(row)) / np.sum(np.exp(row - max(row))) for row in z],
                      "Your loop needs rows, and a flat array of scores has none. Without a loop, axis=-1 does both; "
                      "with one, ask for z.ndim first."),
        Misconception("always a table", lambda z: softmax(np.atleast_2d(z)),
                      "For a flat array you return a table of one row. Wanted is the shape of z: axis=-1 needs no "
                      "second axis."),
        Misconception("over the whole batch", lambda z: np.exp(z - np.max(z)) / np.sum(np.exp(z - np.max(z))),
                      "All your answers together sum to 1. Each row, each example, has its own sum: axis=-1."),
        Misconception("over the whole batch, no maximum taken out", lambda z: np.exp(z) / np.sum(np.exp(z)),
                      "np.sum without an axis adds up all rows: all your answers together sum to 1. Each row has its "
                      "own sum: axis=-1, keepdims=True. Then make it safe for large scores."),
        Misconception("over the examples", lambda z: softmax_with(lambda z: np.max(z, axis=0), axis=0)(z),
                      "Your columns sum to 1: that is the sum over the examples. The sum runs over the classes, "
                      "axis=-1."),
        Misconception("row sums without keepdims",
                      lambda z: np.exp(z - np.max(z, axis=-1, keepdims=True)) /
                      np.sum(np.exp(z - np.max(z, axis=-1, keepdims=True)), axis=-1),
                      "Row sums of shape (n,) do not stand beside the rows, but above the columns (or fit nothing). "
                      "keepdims=True keeps them as a column."),
        Misconception("sums without keepdims, no maximum taken out", lambda z: np.exp(z) / np.sum(np.exp(z), axis=-1),
                      "Each row should be divided by its own sum, but sums of shape (n,) stand above the columns (or "
                      "fit nothing): keepdims=True. Then make it safe for large scores."),
        Misconception("no keepdims at all", lambda z: (lambda powers: powers / np.sum(powers, axis=-1))(
                          np.exp(z - np.max(z, axis=-1))),
                      "Maxima and sums of the rows have shape (n,), and NumPy matches them with the columns (or "
                      "fails). Both need keepdims=True."),
        Misconception("maxima without keepdims", lambda z: softmax(z - np.max(z, axis=-1)) if np.ndim(z) == 1 else
                      naive_softmax(z - np.max(z, axis=-1)),
                      "The maxima of the rows have shape (n,), and z - maxima subtracts them from the columns (or "
                      "fails). keepdims=True keeps them as a column."),
        Misconception("axis 1", lambda z: np.exp(z - np.max(z, axis=1, keepdims=True)) /
                      np.sum(np.exp(z - np.max(z, axis=1, keepdims=True)), axis=1, keepdims=True),
                      "Right for a table. A flat array of scores has no axis 1; axis=-1, the last one, is in both."),
        Misconception("axis 1, no maximum taken out", lambda z: np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True),
                      "Right for a table of ordinary scores. A flat array has no axis 1: axis=-1, the last one, is in "
                      "both. Then make it safe for large scores."),
        Misconception("sigmoid", sigmoid,
                      "That is the sigmoid of each score; its answers do not sum to 1. Divide powers by their sum."),
        Misconception("no exponential", lambda z: z / np.sum(z, axis=-1, keepdims=True),
                      "You divide the scores by their sum. They may be negative, or sum to 0: take np.exp first."),
        Misconception("no division", lambda z: np.exp(z - np.max(z, axis=-1, keepdims=True)),
                      "The powers are right. Divide each row by its sum."),
        Misconception("its logarithm", lambda z: np.log(softmax(z)),
                      "Those are the logarithms of the probabilities."),
        Misconception("hard maximum", lambda z: (z == np.max(z, axis=-1, keepdims=True)).astype(float),
                      "You answer 1 for the largest score and 0 elsewhere: a hard maximum. The soft one leaves "
                      "something for the others."),
        Misconception("minus in the exponent", lambda z: softmax(-np.asarray(z)),
                      "Your largest score gets the smallest probability: the sign of the exponent is wrong."),
        Misconception("squared scores", lambda z: np.square(z) / np.sum(np.square(z), axis=-1, keepdims=True),
                      "Squares are positive, too, but they make -1 as likely as 1. The exponential keeps the order."),
        Misconception("base 2", lambda z: softmax(np.asarray(z) * np.log(2)),
                      "You take powers of 2. Here the base is e: np.exp.")],
    alternatives=[softmax_by_loop, softmax_of_log, lambda z: softmax(z).astype(np.float32),
                  lambda z: np.array([softmax(row) for row in np.atleast_2d(z)]).reshape(np.shape(z)),
                  lambda z: 1 / np.sum(np.exp(np.clip(np.expand_dims(z, -2) - np.expand_dims(z, -1), -700, 700)), -1)])


# 5 cross_entropy

def cross_entropy(z, t):
    top = np.max(z, axis=1)
    lse = top + np.log(np.sum(np.exp(z - top[:, None]), axis=1))
    return np.mean(lse - z[np.arange(len(t)), t])


def costs(p, t):
    return -np.log(p[np.arange(len(t)), t])


def cross_entropy_by_loop(z, t):
    total = 0.0
    for row, right in zip(z, t):
        total += max(row) + math.log(sum(math.exp(v - max(row)) for v in row)) - row[right]
    return total / len(t)


def through_log(z, t):
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.sum(one_hot(t, z.shape[1]) * log_p) / len(t)


def entropy_with(each, end=np.mean):
    """end of each(p, t), where p is the softmax."""
    return lambda z, t: end(each(softmax(z), t))


def scores_and_classes(n, classes):
    def draw(rng):
        return rng.normal(scale=2, size=(n, classes)), rng.integers(0, classes, n)
    return draw


CROSS_ENTROPY = Exercise(
    "cross_entropy", 3, cross_entropy,
    forbidden=("nnlib.log_softmax", "nnlib.logsumexp", "scipy.special.logsumexp", "scipy.special.log_softmax",
               "sklearn.metrics.log_loss"),
    cases=[
        Case("the three examples of the notebook",
             lambda rng: (np.log([[6.0, 3.0, 1.0], [1.0, 8.0, 1.0], [5.0, 3.0, 2.0]]), np.array([0, 1, 2]))),
        Case("seven examples, four classes", scores_and_classes(7, 4)),
        Case("as many examples as classes", scores_and_classes(4, 4)),
        Case("a single example", scores_and_classes(1, 5)),
        Case("scores of size 1000",
             lambda rng: (np.array([[1000.0, 0.0, -1000.0], [-1000.0, -900.0, -1000.0], [30.0, 1000.0, 30.0]]) +
                          rng.normal(size=(3, 3)), np.array([2, 0, 1])),
             points=1, no_warnings=True,
             hint="Through the probability this costs log(0). Stay with the scores: the loss is ln(sum of e^z) - z[t], "
                  "with the largest score of each row taken out of the sum.")],
    misconceptions=[
        Misconception("through the probability", lambda z, t: np.mean(costs(softmax(z), t)),
                      "Right for ordinary scores. A probability that is rounded to 0 has an infinite cost, though the "
                      "score still knows better: ln(sum of e^z) - z[t]."),
        Misconception("mean of the whole table", lambda z, t: -np.mean(one_hot(t, z.shape[1]) * np.log(softmax(z))),
                      "np.mean over the table divides by the number of classes, too (and 0 times ln 0 is nan for large "
                      "scores). Add up over the classes, and divide by the number of examples."),
        Misconception("a clipped probability", lambda z, t: np.mean(costs(np.clip(softmax(z), 1e-12, 1), t)),
                      "Your clip puts a ceiling of 27.6 on every cost. Scores 2000 apart cost 2000: compute from the "
                      "scores."),
        Misconception("naive log-sum-exp",
                      lambda z, t: np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[np.arange(len(t)), t]),
                      "Right for ordinary scores. For large ones you get nan: np.exp(1000) is infinite, and 0 times "
                      "ln 0 is nan, too. Take each row's largest score out of the sum, and pick the score of the right "
                      "class."),
        Misconception("one maximum for the whole batch",
                      lambda z, t: np.mean(np.max(z) + np.log(np.sum(np.exp(z - np.max(z)), axis=1)) -
                                           z[np.arange(len(t)), t]),
                      "You take the same maximum out of all rows. In a row that lies far below it all powers are 0: "
                      "each row needs its own."),
        Misconception("maximum not added back",
                      lambda z, t: np.mean(np.log(np.sum(np.exp(z - z.max(axis=1, keepdims=True)), axis=1)) -
                                           z[np.arange(len(t)), t]),
                      "You took the largest score out of the sum and did not add it back (or not to z[t])."),
        Misconception("sum instead of mean", lambda z, t: len(t) * cross_entropy(z, t),
                      "You add the costs up. Our loss is their mean."),
        Misconception("divided by the classes, too", lambda z, t: cross_entropy(z, t) / z.shape[1],
                      "You divide by the number of classes, too: np.mean over the whole table does that. The mean runs "
                      "over the examples."),
        Misconception("no minus", lambda z, t: -cross_entropy(z, t),
                      "A loss is minus the logarithm: probabilities are below 1 and their logarithms negative."),
        Misconception("scores taken for probabilities", lambda z, t: np.mean(-np.log(z[np.arange(len(t)), t])),
                      "You take the logarithm of the scores. They are not probabilities, they may be negative: softmax "
                      "first (or, safer, ln(sum of e^z) - z[t])."),
        Misconception("the predicted class", lambda z, t: np.mean(-np.log(softmax(z).max(axis=1))),
                      "You take the probability of the class that the network prefers. What counts is that of the "
                      "right one, t."),
        Misconception("all pairs", lambda z, t: np.mean(-np.log(softmax(z)[:, t])),
                      "p[:, t] picks the columns t from every row. You want one entry from each row: "
                      "p[np.arange(len(t)), t]."),
        Misconception("wrong classes pay, too",
                      entropy_with(lambda p, t: costs(p, t) - np.sum((1 - one_hot(t, p.shape[1])) *
                                                                     np.log(1 - p + 1e-300), axis=1)),
                      "You add -ln(1 - p) for the wrong classes: that is the loss of independent sigmoids. With a "
                      "softmax only the right class counts."),
        Misconception("binary cross-entropy of each class",
                      entropy_with(lambda p, t: (lambda T: np.sum(-T * np.log(p) - (1 - T) * np.log(1 - p), axis=1))(
                          one_hot(t, p.shape[1]))),
                      "That is the loss of chapter 01 for each class. With a softmax the wrong classes do not pay: "
                      "without the terms in 1 - p, only -ln p of the right class is left."),
        Misconception("all classes pay", entropy_with(lambda p, t: -np.log(p), lambda each: np.sum(each) / len(each)),
                      "You add up -ln p over all classes. Only the right one counts: multiply by the one-hot targets."),
        Misconception("softmax over the examples",
                      lambda z, t: np.mean(costs(softmax(z.T).T, t)),
                      "Your softmax sums over the examples. The sum runs over the classes, axis=1."),
        Misconception("log to base 2", lambda z, t: cross_entropy(z, t) / np.log(2),
                      "np.log2 gives bits; the natural logarithm is np.log."),
        Misconception("log to base 10", lambda z, t: cross_entropy(z, t) / np.log(10),
                      "np.log10 is the logarithm to base 10; the natural one is np.log."),
        Misconception("log of the mean", lambda z, t: -np.log(np.mean(softmax(z)[np.arange(len(t)), t])),
                      "You average the probabilities and then take the logarithm. The other way round: the mean of the "
                      "logarithms."),
        Misconception("missing probability", entropy_with(lambda p, t: 1 - p[np.arange(len(t)), t]),
                      "1 - p grows to 1 at most. Minus the logarithm of p is what the likelihood asks for."),
        Misconception("squared error", entropy_with(lambda p, t: np.sum((p - one_hot(t, p.shape[1])) ** 2, axis=1)),
                      "That is the squared error of the probabilities."),
        Misconception("one cost per example", entropy_with(costs, lambda each: each),
                      "Those are the costs of the examples, one each. The loss is their mean.")],
    alternatives=[cross_entropy_by_loop, through_log, lambda z, t: np.float32(cross_entropy(z, t)),
                  lambda z, t: np.mean([np.logaddexp.reduce(row) - row[k] for row, k in zip(z, t)])])


# 6 softmax_regression_gradient

def softmax_regression_gradient(X, t, W, b):
    error = softmax(X @ W.T + b) - one_hot(t, len(b))
    return error.T @ X / len(t), np.mean(error, axis=0)


def gradient_by_outer(X, t, W, b):
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    for x, right in zip(X, t):
        p = softmax(W @ x + b)
        p[right] -= 1
        dW += np.outer(p, x) / len(t)
        db += p / len(t)
    return dW, db


def gradient_by_einsum(X, t, W, b):
    P = softmax(X @ W.T + b)
    P[np.arange(len(t)), t] -= 1
    return np.einsum("nk,nd->kd", P, X) / len(X), P.sum(axis=0) / len(X)


def gradient_with(error, bias=None):
    """The gradients from error(p, T, z), an array (n, classes); bias(error): another rule for db."""
    def gradient(X, t, W, b):
        z = X @ W.T + b
        e = error(softmax(z), one_hot(t, len(b)), z)
        return e.T @ X / len(t), (bias or (lambda e: e.mean(axis=0)))(e)
    return gradient


def changed(change):
    """change(dW, db, X, t) of the right gradients."""
    return lambda X, t, W, b: change(*softmax_regression_gradient(X, t, W, b), X, t)


def own_axis(p, T, z):
    return naive_softmax(z.T).T - T


def classifier(n, d, classes, seen=None):
    """Draws n examples; only the first `seen` classes occur."""
    return lambda rng: (rng.normal(size=(n, d)) + 0.4, rng.permutation(np.arange(n) % (seen or classes)),
                        rng.normal(size=(classes, d)), rng.normal(size=classes))


SOFTMAX_REGRESSION_GRADIENT = Exercise(
    "softmax_regression_gradient", 3, softmax_regression_gradient,
    forbidden=("nnlib.numerical_gradient", "nnlib.Tensor.backward"),
    cases=[
        Case("two examples you can verify by hand",
             lambda rng: (np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([0, 1]), np.zeros((2, 2)), np.zeros(2))),
        Case("seven examples, four features, three classes", classifier(7, 4, 3)),
        Case("as many features as classes as examples", classifier(3, 3, 3)),
        Case("five classes, no example of the last", classifier(11, 2, 5, seen=4),
             hint="The number of classes is len(b), also where the last class does not occur in t.")],
    misconceptions=[
        Misconception("sum instead of mean", changed(lambda dW, db, X, t: (dW * len(t), db * len(t))),
                      "Right direction, too long by the number of examples: the loss is a mean, so divide by n."),
        Misconception("dW as a sum", changed(lambda dW, db, X, t: (dW * len(t), db)),
                      "db is right. error.T @ X adds the examples up: divide dW by len(t), too."),
        Misconception("db as a sum", changed(lambda dW, db, X, t: (dW, db * len(t))),
                      "dW is right. db must be a mean over the examples, too: error.mean(axis=0)."),
        Misconception("uphill", gradient_with(lambda p, T, z: T - p),
                      "Right size, wrong sign: the gradient points uphill, p - t."),
        Misconception("as many classes as seen",
                      lambda X, t, W, b: (lambda e: (e.T @ X / len(t), e.mean(axis=0)))(
                          softmax(X @ W.T + b) - one_hot(t, max(t) + 1)),
                      "You count the classes from t. The last one may be missing there: len(b)."),
        Misconception("one-hot forgotten", gradient_with(lambda p, T, z: p),
                      "Your error is p alone. Subtract the one-hot targets: the right class wants p = 1."),
        Misconception("class numbers subtracted",
                      lambda X, t, W, b: gradient_with(lambda p, T, z: p - np.asarray(t)[:, None])(X, t, W, b),
                      "You subtract the class number t from every probability. Subtract its one-hot row."),
        Misconception("scores instead of probabilities", gradient_with(lambda p, T, z: z - T),
                      "You subtract the targets from the scores: that is linear regression. Softmax first."),
        Misconception("softmax twice", gradient_with(lambda p, T, z: softmax(p) - T),
                      "You take the softmax of the softmax. p is a probability already (deck C has this slip)."),
        Misconception("sigmoid", gradient_with(lambda p, T, z: sigmoid(z) - T),
                      "Your outputs are sigmoids, one for each class. The classes exclude each other here: softmax."),
        Misconception("slope left in", gradient_with(lambda p, T, z: (p - T) * p * (1 - p)),
                      "You have an extra p (1 - p). With the cross-entropy it cancels: p - t is all."),
        Misconception("bias forgotten in the scores",
                      lambda X, t, W, b: softmax_regression_gradient(X, t, W, 0 * b),
                      "Your probabilities ignore the bias: the scores are X @ W.T + b."),
        Misconception("softmax over the examples", gradient_with(own_axis),
                      "Your softmax sums over the examples: each column of p sums to 1. It must be each row."),
        Misconception("the weights after a step",
                      lambda X, t, W, b: (lambda dW, db: (W - dW, b - db))(*softmax_regression_gradient(X, t, W, b)),
                      "You return moved weights. Wanted is the gradient itself; the step comes in question 7."),
        Misconception("the first example only",
                      lambda X, t, W, b: softmax_regression_gradient(X[:1], t[:1], W, b),
                      "You use the first example only. Is the return inside a loop, or an index left over?"),
        Misconception("transposed", changed(lambda dW, db, X, t: (dW.T, db)),
                      "dW has the shape (features, classes) in your answer. It must have W's, (classes, features): "
                      "error.T @ X, not X.T @ error."),
        Misconception("W not transposed",
                      lambda X, t, W, b: (lambda e: (e.T @ X / len(t), e.mean(axis=0)))(
                          softmax(X @ W + b) - one_hot(t, len(b))),
                      "X @ W fits only when W happens to be square, and then takes the wrong weights. W has a row for "
                      "each class: X @ W.T."),
        Misconception("mean over the classes",
                      gradient_with(lambda p, T, z: p - T, bias=lambda e: e.mean(axis=1)),
                      "db has one entry for each example in your answer. It has one for each class: the mean over "
                      "axis=0."),
        Misconception("one number for the biases", gradient_with(lambda p, T, z: p - T, bias=np.mean),
                      "db is a single number in your answer (and 0, as every row of p - t sums to 0). Each class has "
                      "its bias: mean over axis=0."),
        Misconception("twice", changed(lambda dW, db, X, t: (2 * dW, 2 * db)),
                      "Exactly twice too long: the 2 belongs to the derivative of a square, and there is none here."),
        Misconception("divided by the number of classes",
                      gradient_with(lambda p, T, z: (p - T) / p.shape[1]),
                      "You divide by the number of classes, too: np.mean over a whole table does that. The mean runs "
                      "over the examples only."),
        Misconception("input forgotten",
                      changed(lambda dW, db, X, t: (np.repeat(db[:, None], X.shape[1], axis=1), db)),
                      "All weights of a class have the same gradient in your answer. Error times input: the x is "
                      "missing."),
        Misconception("order", changed(lambda dW, db, X, t: (db, dW)),
                      "Right, in the wrong order: return dW, db."),
        Misconception("dW only", changed(lambda dW, db, X, t: dW),
                      "The gradient of the biases is missing: return dW, db.")],
    alternatives=[gradient_by_outer, gradient_by_einsum,
                  lambda X, t, W, b: ((X.T @ (softmax(X @ W.T + b) - np.eye(len(W))[t])).T / len(X),
                                      softmax_regression_gradient(X, t, W, b)[1].tolist()),
                  lambda X, t, W, b: tuple(np.float32(part) for part in softmax_regression_gradient(X, t, W, b))])


# 7 train_classifier

def train_classifier(X, t, classes, rate, steps):
    W, b = np.zeros((classes, X.shape[1])), np.zeros(classes)
    for _ in range(steps):
        dW, db = softmax_regression_gradient(X, t, W, b)
        W, b = W - rate * dW, b - rate * db
    return W, b


def train_with_ones(X, t, classes, rate, steps):
    V, T = np.column_stack([X, np.ones(len(X))]), one_hot(t, classes)
    W = np.zeros((classes, V.shape[1]))
    while steps > 0:
        W -= rate * (softmax(V @ W.T) - T).T @ V / len(t)
        steps -= 1
    return W[:, :-1], W[:, -1]


def trained_with(update, start=lambda classes, d: (np.zeros((classes, d)), np.zeros(classes))):
    """A training whose steps are update(X, t, W, b, rate)."""
    def training(X, t, classes, rate, steps):
        W, b = start(classes, X.shape[1])
        for _ in range(steps):
            W, b = update(X, t, W, b, rate)
        return W, b
    return training


def moved(move):
    """The update that makes (W, b) of move(W, b, dW, db, rate)."""
    return lambda X, t, W, b, rate: move(W, b, *softmax_regression_gradient(X, t, W, b), rate)


def one_after_the_other(X, t, W, b, rate):
    W = W - rate * softmax_regression_gradient(X, t, W, b)[0]
    return W, b - rate * softmax_regression_gradient(X, t, W, b)[1]


def points_in_classes(n, d, classes, rate, steps, seen=None):
    """Draws n examples; only the first `seen` classes occur."""
    def draw(rng):
        t = rng.permutation(np.arange(n) % (seen or classes))
        return rng.normal(size=(n, d)) + t[:, None], t, classes, rate, steps
    return draw


TRAIN_CLASSIFIER = Exercise(
    "train_classifier", 1, train_classifier,
    forbidden=("nnlib.SGD", "nnlib.fit"),
    cases=[Case("three steps", points_in_classes(12, 2, 3, 0.7, 3)),
           Case("thirty steps", points_in_classes(10, 3, 4, 0.3, 30)),
           Case("a class without examples", points_in_classes(9, 2, 4, 0.5, 5, seen=3),
                hint="W and b have a row for each of the `classes`, also for one that does not occur in t."),
           Case("no step at all", points_in_classes(6, 2, 3, 0.1, 0),
                hint="After 0 steps the weights and the biases are still 0.")],
    misconceptions=[
        Misconception("uphill", trained_with(moved(lambda W, b, dW, db, rate: (W + rate * dW, b + rate * db))),
                      "Your loss grows from step to step: the gradient points uphill, so subtract it."),
        Misconception("biases never move", trained_with(moved(lambda W, b, dW, db, rate: (W - rate * dW, b))),
                      "The biases stay 0: they have a gradient, too."),
        Misconception("weights never move", trained_with(moved(lambda W, b, dW, db, rate: (W, b - rate * db))),
                      "The weights stay 0: move W, too."),
        Misconception("rate ignored", trained_with(moved(lambda W, b, dW, db, rate: (W - dW, b - db))),
                      "Your steps do not depend on the rate: multiply by it."),
        Misconception("divided by n again",
                      lambda X, t, classes, rate, steps: train_classifier(X, t, classes, rate / len(t), steps),
                      "Your steps are too short by the number of examples. Your gradient is that of a mean already."),
        Misconception("gradient as a sum",
                      lambda X, t, classes, rate, steps: train_classifier(X, t, classes, rate * len(t), steps),
                      "Your steps are too long by the number of examples. Is your gradient of question 6 a sum, where "
                      "it should be a mean?"),
        Misconception("all states",
                      lambda X, t, classes, rate, steps: [train_classifier(X, t, classes, rate, k)
                                                          for k in range(steps + 1)],
                      "You return the states of all steps. Wanted is the last pair W, b."),
        Misconception("one after the other", trained_with(one_after_the_other),
                      "You compute the biases' gradient with the weights that have already moved. Compute both "
                      "gradients first, then move both."),
        Misconception("the step in place of the weights",
                      trained_with(moved(lambda W, b, dW, db, rate: (-rate * dW, -rate * db))),
                      "You forget where the weights were: -rate * dW is the step alone. Add it to W."),
        Misconception("a single step", lambda X, t, classes, rate, steps: train_classifier(X, t, classes, rate, 1),
                      "You return after one step. Is the return inside the loop, or does every pass start from zero "
                      "again?"),
        Misconception("return inside the loop",
                      lambda X, t, classes, rate, steps: train_classifier(X, t, classes, rate, 1) if steps else None,
                      "Your return stands inside the loop: it ends after the first step (and with 0 steps returns "
                      "nothing). Move it out."),
        Misconception("one step too many",
                      lambda X, t, classes, rate, steps: train_classifier(X, t, classes, rate, steps + 1),
                      "One step too many: range(steps) already runs `steps` times."),
        Misconception("starts at ones", trained_with(
            moved(lambda W, b, dW, db, rate: (W - rate * dW, b - rate * db)),
            start=lambda classes, d: (np.ones((classes, d)), np.ones(classes))),
                      "Start from zero: np.zeros, not np.ones."),
        Misconception("as many classes as seen",
                      lambda X, t, classes, rate, steps: train_classifier(X, t, int(max(t)) + 1, rate, steps),
                      "You count the classes from t. One may have no examples: use `classes`."),
        Misconception("as many rows as features", trained_with(
            moved(lambda W, b, dW, db, rate: (W - rate * dW, b - rate * db)),
            start=lambda classes, d: (np.zeros((d, classes)), np.zeros(classes))),
                      "If the shapes do not fit: W has a row for each class and a column for each feature, (classes, "
                      "d)."),
        Misconception("W only", lambda X, t, classes, rate, steps: train_classifier(X, t, classes, rate, steps)[0],
                      "The biases are missing: return W, b.")],
    alternatives=[train_with_ones, lambda X, t, classes, rate, steps: [part.tolist() for part in
                                                                      train_classifier(X, t, classes, rate, steps)],
                  lambda *args: tuple(np.float32(part) for part in train_classifier(*args))])

EXERCISES = [SQUARED_LOSS, GAUSSIAN_NLL, ONE_HOT, SOFTMAX, CROSS_ENTROPY, SOFTMAX_REGRESSION_GRADIENT,
             TRAIN_CLASSIFIER]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def size(rng, most=9):
    return int(rng.integers(1, most))


def any_outputs(rng):
    shape = size(rng), size(rng, 6)
    return tuple(rng.normal(size=(2, *shape)) * 10 ** rng.uniform(-1, 1))


def any_forecast(rng):
    n = size(rng)
    s = 10 ** rng.uniform(-1, 1, n) if rng.random() < 0.5 else float(10 ** rng.uniform(-1, 1))
    m = rng.normal(size=n) * 3
    return m, m + s * rng.normal(size=n) * rng.choice([1, 30]), s


def any_labels(rng):
    classes = size(rng)
    return rng.integers(0, classes, size(rng)), classes


def any_scores(rng):
    shape = (size(rng, 7),) if rng.random() < 0.3 else (size(rng), size(rng, 7))
    return rng.normal(size=shape) * 10 ** rng.uniform(-1, 3)


def any_classified(rng):
    z = np.atleast_2d(any_scores(rng))
    return z, rng.integers(0, z.shape[1], len(z))


def any_classifier(rng):
    n, d, classes = size(rng), size(rng, 6), size(rng, 6)
    return (rng.normal(size=(n, d)), rng.integers(0, classes, n), rng.normal(size=(classes, d)) * 2,
            rng.normal(size=classes))


def any_training(rng):
    X, t, W, b = any_classifier(rng)
    return X, t, len(b), rng.uniform(0.01, 1), int(rng.integers(0, 6))


DOMAIN = {
    "squared_loss": [Case("any outputs", any_outputs)],
    "gaussian_nll": [Case("any forecast", any_forecast, no_warnings=True)],
    "one_hot": [Case("any labels", any_labels)],
    "softmax": [Case("any scores", any_scores, no_warnings=True)],
    "cross_entropy": [Case("any scores", any_classified, no_warnings=True)],
    "softmax_regression_gradient": [Case("any table", any_classifier)],
    "train_classifier": [Case("any table", any_training)],
}
