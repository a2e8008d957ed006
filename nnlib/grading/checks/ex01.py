"""ex01, logistic regression: the questions of solutions/ex01_logistic_regression and how their answers are tried."""

import math

import numpy as np

from nnlib import relu, sigmoid
from nnlib.grading import Case, Exercise, Misconception

NAME = "ex01_logistic_regression"


# 1 sigmoid

def naive_sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z)))


def sigmoid_by_masks(z):
    z = np.asarray(z, dtype=float)
    p = np.empty_like(z)
    p[z >= 0] = 1 / (1 + np.exp(-z[z >= 0]))
    p[z < 0] = np.exp(z[z < 0]) / (1 + np.exp(z[z < 0]))
    return p


def sigmoid_by_loop(z):
    values = [1 / (1 + math.exp(-v)) if v > -700 else 0.0 for v in np.ravel(z)]
    return np.reshape(values, np.shape(z))


def sigmoid_row_by_row(z):
    return [sigmoid_with_if(row) for row in z]


def sigmoid_with_a_minus(z):
    small = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1 / (1 + small), 1 / (1 - small))


def sigmoid_with_if(z):
    if z >= 0:
        return 1 / (1 + np.exp(-z))
    return np.exp(z) / (1 + np.exp(z))


SIGMOID = Exercise(
    "sigmoid", 2, sigmoid,
    forbidden=("scipy.special.expit", "scipy.stats.logistic.cdf"),
    cases=[
        Case("three scores you can verify by hand", lambda rng: (np.array([-2.0, 0.0, 3.0]),)),
        Case("scores of any shape", lambda rng: (rng.normal(scale=2, size=(3, 4)),)),
        Case("a single number", lambda rng: (float(rng.uniform(0.5, 2)),)),
        Case("whole numbers", lambda rng: (rng.permutation(np.arange(-3, 5)),),
             hint="An array made by np.empty_like(z) holds whole numbers, too, where z does: 0.88 becomes 0 in it."),
        Case("scores of size 1000", lambda rng: (np.array([-1000.0, -30.0, 30.0, 1000.0]),),
             points=1, no_warnings=True,
             hint="np.exp(1000) is infinite. Which form of the sigmoid takes exp of negative numbers only?")],
    misconceptions=[
        Misconception("sign of the exponent", lambda z: 1 / (1 + np.exp(z)),
                      "For z = 3 you answer 0.05. A large score should mean 'surely class 1'."),
        Misconception("naive formula", naive_sigmoid,
                      "The formula is right. But for z = -1000 it computes np.exp(1000), which overflows (inside "
                      "np.where, too: it computes both of its sides). Compute np.exp(-np.abs(z)) once, and build both "
                      "forms from it."),
        Misconception("the other naive formula", lambda z: np.exp(z) / (1 + np.exp(z)),
                      "For z = 1000 you divide infinity by infinity. This form is safe for negative scores only."),
        Misconception("an if for a whole array", sigmoid_with_if,
                      "`if` wants one truth value and an array has many. np.where chooses element by element."),
        Misconception("a loop over the rows", sigmoid_row_by_row,
                      "Your loop goes over the rows of z: it works for a list of numbers, not for a table or a single "
                      "number. Without a loop, with np.where, any shape will do."),
        Misconception("the same for z and -z", lambda z: 1 / (1 + np.exp(-np.abs(z))),
                      "You give z and -z the same answer, so none below 1/2. For z < 0 the other form is needed: e^z / "
                      "(1 + e^z), where e^z is your np.exp(-np.abs(z))."),
        Misconception("minus in the other denominator", sigmoid_with_a_minus,
                      "For z < 0 you answer more than 1. The other form is e^z / (1 + e^z): the plus stays, and e^z "
                      "stands above it, too."),
        Misconception("math.exp", lambda z: 1 / (1 + math.exp(-z)),
                      "math.exp takes one number; np.exp takes arrays of any shape."),
        Misconception("the slope instead", lambda z: sigmoid(z) * (1 - sigmoid(z)),
                      "Your largest value is 0.25: that is the slope of the sigmoid, not the sigmoid."),
        Misconception("softmax over the batch", lambda z: np.exp(z) / np.sum(np.exp(z)),
                      "Your answers sum to 1 over the batch, but every example has its own probability."),
        Misconception("tanh", np.tanh, "Your answers run from -1 to 1: that is tanh. A probability starts at 0."),
        Misconception("a hard step", lambda z: np.where(np.asarray(z) > 0, 1.0, 0.0),
                      "You answer 0 or 1: that is the perceptron. The sigmoid says how sure it is.")],
    alternatives=[lambda z: 0.5 * (1 + np.tanh(np.asarray(z) / 2)), sigmoid_by_masks, sigmoid_by_loop,
                  lambda z: 1 / (1 + np.exp(-np.clip(z, -500, 500))),
                  lambda z: sigmoid(z).astype(np.float32)])


# 2 predict_proba

def predict_proba(X, w, b):
    return sigmoid(X @ w + b)


def proba_by_loop(X, w, b):
    return [float(sigmoid(sum(w[j] * row[j] for j in range(len(w))) + b)) for row in X]


PREDICT_PROBA = Exercise(
    "predict_proba", 2, predict_proba,
    cases=[
        Case("two examples you can verify by hand",
             lambda rng: (np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([0.5, -0.25]), 0.5)),
        Case("six examples, three features",
             lambda rng: (rng.normal(size=(6, 3)), rng.normal(size=3), rng.uniform(1, 2))),
        Case("as many features as examples",
             lambda rng: (rng.normal(size=(4, 4)), rng.normal(size=4), rng.uniform(-2, -1))),
        Case("a single feature",
             lambda rng: (rng.normal(size=(5, 1)), rng.normal(size=1) + 2, rng.uniform(1, 2)))],
    misconceptions=[
        Misconception("no bias", lambda X, w, b: sigmoid(X @ w),
                      "Your boundary always passes through the origin: the bias is missing from the score."),
        Misconception("the score itself", lambda X, w, b: X @ w + b,
                      "Those are the scores. Squash them: a probability lies between 0 and 1."),
        Misconception("bias outside the sigmoid", lambda X, w, b: sigmoid(X @ w) + b,
                      "Some answers lie outside 0 to 1: the bias belongs to the score, inside the sigmoid."),
        Misconception("bias subtracted", lambda X, w, b: sigmoid(X @ w - b),
                      "The bias is added to the score, like the weight of a unit that always emits 1. You subtract "
                      "it."),
        Misconception("bias added once per feature", lambda X, w, b: sigmoid(np.sum(X * w + b, axis=1)),
                      "You add the bias to every product before the sum, so it counts once per feature."),
        Misconception("hard answers", lambda X, w, b: (X @ w + b > 0).astype(int),
                      "Those are decisions. The probabilities come before them: how sure is the neuron?"),
        Misconception("class 0", lambda X, w, b: 1 - sigmoid(X @ w + b),
                      "You give the probability of class 0. Wanted is that of class 1."),
        Misconception("a column", lambda X, w, b: sigmoid(X @ np.reshape(w, (-1, 1)) + b),
                      "Your answer has shape (n, 1). With targets of shape (n,) it would broadcast to (n, n) later; "
                      "let w stay of shape (d,)."),
        Misconception("no sum over the features", lambda X, w, b: sigmoid(X * w + b),
                      "X * w multiplies, but nothing adds up the features of an example: use X @ w."),
        Misconception("features as rows", lambda X, w, b: sigmoid(X.T @ w + b),
                      "Examples are the rows of X, so it is X @ w. X.T @ w, or w @ X, only runs when X happens to be "
                      "square."),
        Misconception("the first example only", lambda X, w, b: sigmoid(X[0] @ w + b),
                      "You answer for the first row only. Is the return inside a loop, or an index left over? Wanted "
                      "is one probability for each row.")],
    alternatives=[proba_by_loop, lambda X, w, b: 1 / (1 + np.exp(-(np.sum(X * w, axis=1) + b))),
                  lambda X, w, b: sigmoid(np.column_stack([X, np.ones(len(X))]) @ np.append(w, b)),
                  lambda X, w, b: sigmoid(w @ X.T + b).astype(np.float32)])


# 3 binary_cross_entropy

def binary_cross_entropy(p, t):
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))


def unprotected(p, t):
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))


def cross_entropy_of_true_class(p, t):
    return -np.log(np.maximum(np.where(np.asarray(t) == 1, p, 1 - np.asarray(p)), 1e-300)).mean()


def cross_entropy_by_loop(p, t):
    total = 0.0
    for probability, target in zip(p, t):
        total -= math.log(max(probability if target == 1 else 1 - probability, 1e-15))
    return total / len(p)


def cross_entropy_with_if(p, t):
    return -np.log(p) if t == 1 else -np.log(1 - p)


def squared_instead(p, t):
    return np.mean((p - t) ** 2)


def of_probabilities(rng, low, high, n=8):
    """Probabilities between low and high, with targets of both classes."""
    return rng.uniform(low, high, n), rng.permutation(np.arange(n) % 2)


def surprises(rng):
    """Small probabilities for what happened: costs of about 9 for each example, with no ceiling yet."""
    tiny = 10 ** rng.uniform(-5, -3, 6)
    t = np.array([1, 1, 1, 0, 0, 0])
    return np.where(t == 1, tiny, 1 - tiny), t


def costs_nothing(got, args, expected):
    if not (np.ndim(got) == 0 and abs(got) <= 1e-6):
        instead = "nan" if np.any(np.isnan(got)) else "more" if np.all(np.greater(got, 0)) else "something else"
        return f"expected a loss of 0 (to 1e-6) for answers that are sure and right, got {instead}"


def costs_much(got, args, expected):
    if not np.isfinite(got):
        return "expected a large finite loss for answers that are sure and wrong, got one that is not finite"
    if got <= 15:
        return "expected a loss above 15 for answers that are sure and wrong, got less"


BINARY_CROSS_ENTROPY = Exercise(
    "binary_cross_entropy", 3, binary_cross_entropy,
    forbidden=("nnlib.binary_cross_entropy_with_logits", "nnlib.cross_entropy", "sklearn.metrics.log_loss"),
    cases=[
        Case("the four examples of the notebook",
             lambda rng: (np.array([0.9, 0.2, 0.9, 0.5]), np.array([1, 0, 1, 0]))),
        Case("eight examples", lambda rng: of_probabilities(rng, 0.05, 0.95)),
        Case("surprising examples", surprises,
             hint="Probabilities of 0.00001 are legitimate. Whatever you do about 0 must leave them alone."),
        Case("sure and right (p exactly 0 or 1)", lambda rng: (np.array([0.0, 1.0, 1.0]), np.array([0, 1, 1])),
             points=0.5, judge=costs_nothing, no_warnings=True,
             hint="0 times log(0) is nan. Keep p away from 0 and 1, by very little, before the logarithm."),
        Case("sure and wrong (p exactly 0 or 1)", lambda rng: (np.array([1.0, 0.0]), np.array([0, 1])), points=1,
             judge=costs_much, no_warnings=True,
             hint="log(0) is minus infinity. Keep p away from 0 and 1, by very little, before the logarithm.")],
    misconceptions=[
        Misconception("nothing done about 0 and 1", unprotected,
                      "Right for all ordinary p. For p exactly 0 or 1 one of the two logarithms is infinite. Protect "
                      "both: np.clip(p, 1e-12, 1 - 1e-12) first (with 1e-17 it would not help: 1 - 1e-17 is rounded to "
                      "1)."),
        Misconception("an if for all targets", cross_entropy_with_if,
                      "If you wrote `if t == 1`: t is an array, and `if` wants one truth value. t and 1 - t are "
                      "switches: multiply each logarithm by its own."),
        Misconception("minus for class 1 only",
                      lambda p, t: binary_cross_entropy(p, t) + 2 * np.mean((1 - t) * np.log(np.clip(1 - p, 1e-12, 1))),
                      "Your minus reaches the first logarithm only, so that examples of class 0 lower the loss. It "
                      "stands before the whole bracket."),
        Misconception("log(p) for both classes", lambda p, t: -np.mean(np.log(np.clip(p, 1e-12, 1))),
                      "Both classes pay -log(p) in your loss. Class 0 has the probability 1 - p: its cost is -log(1 - "
                      "p)."),
        Misconception("clipped a little too far", lambda p, t: unprotected(np.clip(p, 1e-6, 1 - 1e-6), t),
                      "You clip at 1e-6: a sure and right answer still pays for it, and a sure and wrong one costs "
                      "13.8 at most. Clip at 1e-12."),
        Misconception("sum instead of mean", lambda p, t: binary_cross_entropy(p, t) * len(p),
                      "You add the costs up. Our loss is their mean, so that it does not grow with the size of the "
                      "data."),
        Misconception("no minus", lambda p, t: -binary_cross_entropy(p, t),
                      "Your loss is negative and grows as the answers get better: the logarithm of a probability is "
                      "negative, and a minus makes it a cost."),
        Misconception("class 1 only", lambda p, t: -np.mean(t * np.log(np.clip(p, 1e-12, 1))),
                      "Examples of class 0 cost you nothing, whatever p says about them. Their cost is -log(1 - p)."),
        Misconception("both logarithms for everyone",
                      lambda p, t: -np.mean(np.log(np.clip(p, 1e-12, 1)) + np.log(np.clip(1 - p, 1e-12, 1))),
                      "Every example pays for both classes. t and 1 - t switch one of the two logarithms off."),
        Misconception("classes exchanged", lambda p, t: binary_cross_entropy(1 - p, t),
                      "You pay for being right: t belongs to log(p), and 1 - t to log(1 - p)."),
        Misconception("logarithm of the mean",
                      lambda p, t: -np.log(np.mean(np.where(t == 1, p, 1 - p)) + 1e-12),
                      "You average the probabilities and then take the logarithm. The product of the examples becomes "
                      "a sum of logarithms: logarithm first, then the mean."),
        Misconception("base 2", lambda p, t: binary_cross_entropy(p, t) / np.log(2),
                      "You measure in bits. Here, as in the notebook, the logarithm is natural: np.log."),
        Misconception("squared error", squared_instead,
                      "That is the mean squared error: a surely wrong answer costs 1 at most. The likelihood asks for "
                      "its logarithm."),
        Misconception("targets and probabilities swapped", lambda p, t: unprotected(t, p),
                      "You take the logarithm of the targets. The first argument p holds the probabilities."),
        Misconception("clipped too far", lambda p, t: unprotected(np.clip(p, 1e-3, 1 - 1e-3), t),
                      "You clip so far that a surprise of 0.00001 costs no more than one of 0.001. 1e-12 is plenty."),
        Misconception("nan and infinity made 0", lambda p, t: np.nan_to_num(unprotected(p, t), posinf=0.0),
                      "A surely wrong answer costs nothing in your loss, as if it were right, and np.log still warned. "
                      "Keep p away from 0 and 1 instead."),
        Misconception("share of mistakes", lambda p, t: np.mean((np.asarray(p) > 0.5) != t),
                      "You count mistakes. The loss also asks how sure each answer was: take logarithms."),
        Misconception("one cost per example",
                      lambda p, t: -np.log(np.clip(np.where(t == 1, p, 1 - p), 1e-12, 1)),
                      "Those are the costs of the examples, one each. The loss is one number: their mean.")],
    alternatives=[cross_entropy_of_true_class, cross_entropy_by_loop,
                  lambda p, t: float(-np.mean(t * np.log(p + 1e-300) + (1 - t) * np.log(1 - p + 1e-300))),
                  lambda p, t: -np.log(np.clip(p ** t * (1 - p) ** (1 - t), 1e-9, 1)).mean(),
                  lambda p, t: np.float32(binary_cross_entropy(p, t))])


# 4 logistic_gradient

def logistic_gradient(X, t, w, b):
    error = sigmoid(X @ w + b) - t
    return X.T @ error / len(t), error.mean()


def gradient_by_loop(X, t, w, b):
    dw, db = [0.0] * len(w), 0.0
    for x, target in zip(X, t):
        error = float(sigmoid(x @ w + b)) - target
        dw = [g + error * value / len(t) for g, value in zip(dw, x)]
        db += error / len(t)
    return dw, db


def gradient_by_broadcasting(X, t, w, b):
    error = (sigmoid(X @ w + b) - t)[:, None]
    return (error * X).mean(axis=0).tolist(), float(error.mean())


def gradient_by_ones(X, t, w, b):
    V = np.column_stack([X, np.ones(len(X))])
    gradient = (sigmoid(V @ np.append(w, b)) - t) @ V / len(V)
    return gradient[:-1], gradient[-1]


def gradient_with(error, scale=1.0):
    """A gradient whose errors come from error(p, t, z)."""
    def gradient(X, t, w, b):
        z = X @ w + b
        e = error(sigmoid(z), t, z)
        return scale * X.T @ e / len(t), scale * e.mean()
    return gradient


def pairs(n, d):
    """Draws n examples with d features, targets of both classes, weights and a bias."""
    t = (np.arange(n) % 3 == 0).astype(int)
    return lambda rng: (rng.normal(size=(n, d)) + 0.5, t, rng.normal(size=d), rng.uniform(0.5, 1))


LOGISTIC_GRADIENT = Exercise(
    "logistic_gradient", 3, logistic_gradient,
    forbidden=("nnlib.numerical_gradient", "nnlib.Tensor.backward", "nnlib.widgets.descent.logistic_gradients"),
    cases=[
        Case("two examples you can verify by hand",
             lambda rng: (np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([1, 0]), np.zeros(2), 0.0)),
        Case("seven examples, three features", pairs(7, 3)),
        Case("as many features as examples", pairs(4, 4)),
        Case("fifty examples, one feature", pairs(50, 1))],
    misconceptions=[
        Misconception("sum instead of mean",
                      lambda X, t, w, b: tuple(len(t) * g for g in logistic_gradient(X, t, w, b)),
                      "Right direction, too long by the number of examples: the loss is a mean, so divide by n (the "
                      "lectures write the sum)."),
        Misconception("uphill", gradient_with(lambda p, t, z: t - p),
                      "Right size, wrong sign: this is the direction that lowers the loss. The gradient points uphill, "
                      "p - t."),
        Misconception("slope of the sigmoid left in", gradient_with(lambda p, t, z: (p - t) * p * (1 - p)),
                      "You have an extra p (1 - p). It belongs to the squared error; in the cross-entropy it cancels."),
        Misconception("scores instead of probabilities", gradient_with(lambda p, t, z: z - t),
                      "You subtract the targets from the scores: that is linear regression. Squash the scores first."),
        Misconception("hard answers", gradient_with(lambda p, t, z: (z > 0) - t),
                      "Your errors are -1, 0 or 1: that is the perceptron. The error of the logistic neuron is p - t."),
        Misconception("bias forgotten in the score",
                      lambda X, t, w, b: (X.T @ (sigmoid(X @ w) - t) / len(t), np.mean(sigmoid(X @ w) - t)),
                      "Your probabilities ignore the bias: the score is X @ w + b."),
        Misconception("twice", gradient_with(lambda p, t, z: p - t, scale=2.0),
                      "Exactly twice too long: the 2 belongs to the derivative of a square, and there is no square "
                      "here."),
        Misconception("bias gradient as a sum",
                      lambda X, t, w, b: (logistic_gradient(X, t, w, b)[0], np.sum(sigmoid(X @ w + b) - t)),
                      "dw is right. db must be a mean over the examples, too."),
        Misconception("input forgotten", lambda X, t, w, b: (np.full(len(w), np.mean(sigmoid(X @ w + b) - t)),
                                                            np.mean(sigmoid(X @ w + b) - t)),
                      "Every weight gets the same gradient in your answer. Error times input: the x is missing."),
        Misconception("divided by the number of features",
                      lambda X, t, w, b: (X.T @ (sigmoid(X @ w + b) - t) / X.shape[1],
                                          np.mean(sigmoid(X @ w + b) - t)),
                      "You divide by the number of features. The mean runs over the examples: len(t)."),
        Misconception("dw as a sum",
                      lambda X, t, w, b: (X.T @ (sigmoid(X @ w + b) - t), np.mean(sigmoid(X @ w + b) - t)),
                      "db is right. dw must be divided by the number of examples, too: X.T @ error adds them up."),
        Misconception("the weights after a step",
                      lambda X, t, w, b: downhill(X, t, w, b, rate=1.0),
                      "You return moved weights. Wanted is the gradient itself; the step comes in question 7."),
        Misconception("X not transposed",
                      lambda X, t, w, b: (X @ (sigmoid(X @ w + b) - t) / len(t), np.mean(sigmoid(X @ w + b) - t)),
                      "X @ error runs only when X happens to be square, and then adds up the wrong way. There is one "
                      "error for each row of X, and the sum runs over the rows: X.T @ error."),
        Misconception("errors along the features",
                      lambda X, t, w, b: (np.mean((sigmoid(X @ w + b) - t) * X, axis=0),
                                          np.mean(sigmoid(X @ w + b) - t)),
                      "error * X multiplies column by column, but there is one error for each row: error[:, None] * X, "
                      "or X.T @ error at once."),
        Misconception("all in one array", lambda X, t, w, b: np.append(*logistic_gradient(X, t, w, b)),
                      "You return a single array. Return a pair: dw of shape (d,) and db, a number."),
        Misconception("order", lambda X, t, w, b: logistic_gradient(X, t, w, b)[::-1],
                      "Right numbers in the wrong order: return dw, db."),
        Misconception("dw only", lambda X, t, w, b: logistic_gradient(X, t, w, b)[0],
                      "The gradient of the bias is missing: return dw, db.")],
    alternatives=[gradient_by_loop, gradient_by_broadcasting, gradient_by_ones,
                  lambda X, t, w, b: [np.float32(part) for part in logistic_gradient(X, t, w, b)]])


# 5 perceptron_loss

def perceptron_loss(z, t):
    return np.mean(np.maximum(0, np.where(np.asarray(t) == 1, -np.asarray(z), z)))


def perceptron_by_loop(z, t):
    costs = [max(0.0, -score if target == 1 else score) for score, target in zip(z, t)]
    return sum(costs) / len(costs)


def scores(rng):
    """Nine scores, with two right and two wrong ones in each class at least."""
    signs = np.array([1, 1, -1, -1, 1, 1, -1, -1, 1])
    return signs * rng.uniform(0.2, 4, 9), np.array([1, 1, 1, 1, 0, 0, 0, 0, 1])


PERCEPTRON_LOSS = Exercise(
    "perceptron_loss", 2, perceptron_loss,
    cases=[
        Case("four scores you can verify by hand",
             lambda rng: (np.array([2.0, -1.0, 0.5, -3.0]), np.array([1, 1, 0, 0]))),
        Case("nine scores, both classes right and wrong", scores),
        Case("class 1 only", lambda rng: (rng.normal(size=7) - 0.5, np.ones(7, dtype=int))),
        Case("class 0 only", lambda rng: (rng.normal(size=6) + 0.5, np.zeros(6, dtype=int)))],
    misconceptions=[
        Misconception("rewards mistakes", lambda z, t: np.mean(relu(np.where(t == 1, z, -z))),
                      "Right answers cost you something and mistakes nothing. For class 1 the cost is relu(-z)."),
        Misconception("every score as class 1", lambda z, t: np.mean(relu(-z)),
                      "You treat all examples as class 1. For class 0 a positive score is the mistake: relu(z)."),
        Misconception("max in place of np.maximum", lambda z, t: np.mean(max(0, -z)),
                      "If you wrote `max` or `if`: they want one number or one truth value, and z is an array. "
                      "np.maximum and np.where work element by element."),
        Misconception("each class averaged by itself",
                      lambda z, t: relu(-z[t == 1]).mean() + relu(z[t == 0]).mean(),
                      "You average each class by itself and add the two means. The mean runs over all examples "
                      "together (and a class may have none)."),
        Misconception("targets as if -1 and 1", lambda z, t: np.mean(relu(-t * z)),
                      "relu(-t z) is for targets -1 and 1. With t = 0 it is always 0, so class 0 never costs "
                      "anything."),
        Misconception("number of mistakes", lambda z, t: np.mean((z > 0) != t),
                      "You count mistakes; that has no useful slope. The loss grows with how far the score is on the "
                      "wrong side."),
        Misconception("no relu", lambda z, t: np.mean(np.where(t == 1, -z, z)),
                      "Right answers earn you negative costs, which hide the mistakes. relu makes them 0."),
        Misconception("logistic loss", lambda z, t: np.mean(np.log1p(np.exp(np.where(t == 1, -z, z)))),
                      "That is softplus, the logistic loss: right answers still cost something. The perceptron's is "
                      "relu."),
        Misconception("hinge with margin 1", lambda z, t: np.mean(relu(1 + np.where(t == 1, -z, z))),
                      "You ask right answers to be right by 1 at least: that is the SVM's hinge loss. Here 0 is "
                      "enough."),
        Misconception("sum instead of mean", lambda z, t: len(t) * perceptron_loss(z, t),
                      "You add the costs up; our losses are means over the examples."),
        Misconception("mean over the mistakes only",
                      lambda z, t: np.sum(relu(np.where(t == 1, -z, z))) / max(1, np.sum((z > 0) != t)),
                      "You divide by the number of mistakes. Right answers cost 0, but they count in the mean."),
        Misconception("distance to the target", lambda z, t: np.mean(relu(t - z)),
                      "You compare the score with the target. Only the side of the score counts: positive for class "
                      "1."),
        Misconception("one cost per example", lambda z, t: relu(np.where(t == 1, -z, z)),
                      "Those are the costs of the examples, one each. The loss is one number: their mean.")],
    alternatives=[perceptron_by_loop, lambda z, t: np.mean(relu(-z) ** t * relu(z) ** (1 - t)),
                  lambda z, t: relu((1 - 2 * t) * z).mean(),
                  lambda z, t: np.mean(t * relu(-z) + (1 - t) * relu(z)),
                  lambda z, t: np.float32(perceptron_loss(z, t))])


# 6 decision_line

def decision_line(w, b, x1):
    x1 = np.asarray(x1, dtype=float)
    return np.full_like(x1, np.nan) if w[1] == 0 else -(w[0] * x1 + b) / w[1]


def unguarded_line(w, b, x1):
    return -(w[0] * np.asarray(x1) + b) / w[1]


def line_by_loop(w, b, x1):
    return [math.nan if w[1] == 0 else -(w[0] * x + b) / w[1] for x in np.atleast_1d(x1)]


def guarded(line):
    """The same answer as `line`, and nan for a vertical boundary."""
    return lambda w, b, x1: decision_line(w, b, x1) if w[1] == 0 else line(w, b, np.asarray(x1))


def random_line(rng):
    return rng.choice([-1, 1], 2) * rng.uniform(0.5, 3, 2), rng.uniform(0.5, 2), rng.normal(size=5)


DECISION_LINE = Exercise(
    "decision_line", 2, decision_line,
    cases=[
        Case("the boundary of the notebook",
             lambda rng: (np.array([3.0, 4.0]), -5.0, np.array([-1.0, 0.0, 3.0]))),
        Case("any boundary", random_line),
        Case("a boundary through the origin",
             lambda rng: (abs(random_line(rng)[0]) * [1, -1], 0.0, rng.normal(size=4))),
        Case("w2 = 0: no x2 to give", lambda rng: (np.array([2.0, 0.0]), 1.0, np.array([-0.5, 0.0, 4.0])),
             points=0.5, no_warnings=True,
             hint="Where w2 is 0 there is nothing to divide by. Answer nan for every x1, before you divide.")],
    misconceptions=[
        Misconception("nothing done about w2 = 0", unguarded_line,
                      "The line is right. For w2 = 0 you divide by zero, where NumPy warns and goes on (it raises "
                      "nothing that `try` could catch): look at w[1] first and answer np.nan for every x1."),
        Misconception("np.where as the guard",
                      lambda w, b, x1: np.where(w[1] == 0, np.nan, -(w[0] * np.asarray(x1) + b) / w[1]),
                      "Right numbers. But np.where computes both of its sides, so it divides by zero all the same, and "
                      "NumPy warns. Look at w[1] with an `if` first."),
        Misconception("brackets", guarded(lambda w, b, x1: -w[0] * x1 + b / w[1]),
                      "Only the bias is divided in your formula. Brackets: the whole of w1 x1 + b is divided by w2."),
        Misconception("sign of the bias", guarded(lambda w, b, x1: (b - w[0] * x1) / w[1]),
                      "The bias has the wrong sign: solve w1 x1 + w2 x2 + b = 0 for x2; b goes to the other side."),
        Misconception("sign of the slope", guarded(lambda w, b, x1: (w[0] * x1 - b) / w[1]),
                      "The slope has the wrong sign: solve w1 x1 + w2 x2 + b = 0 for x2; w1 x1 goes to the other "
                      "side."),
        Misconception("all signs", guarded(lambda w, b, x1: (w[0] * x1 + b) / w[1]),
                      "Your line is mirrored: solving w1 x1 + w2 x2 + b = 0 for x2 puts a minus before everything."),
        Misconception("weights swapped", guarded(lambda w, b, x1: -(w[1] * x1 + b) / w[0]),
                      "You divide by w1. To solve for x2, divide by the weight that multiplies x2."),
        Misconception("bias forgotten", guarded(lambda w, b, x1: -w[0] * x1 / w[1]),
                      "Every boundary of yours passes through the origin: the bias is missing."),
        Misconception("bias not divided", guarded(lambda w, b, x1: -w[0] * x1 / w[1] - b),
                      "The slope is right. The bias, too, must be divided by w2."),
        Misconception("along the weights", guarded(lambda w, b, x1: (w[1] * x1 - b) / w[0]),
                      "Your line runs along w. The boundary is perpendicular to w."),
        Misconception("the score", guarded(lambda w, b, x1: w[0] * x1 + b),
                      "That is the part of the score that x1 and the bias make. Which x2 brings the sum to zero?"),
        Misconception("0 for a vertical boundary",
                      lambda w, b, x1: np.zeros(len(x1)) if w[1] == 0 else decision_line(w, b, x1),
                      "For w2 = 0 you answer 0, as if the boundary were there. No x2 is the answer: say np.nan."),
        Misconception("the place of the vertical boundary",
                      lambda w, b, x1: np.full(len(x1), -b / w[0]) if w[1] == 0 else decision_line(w, b, x1),
                      "-b / w1 is where the vertical boundary stands, an x1. Wanted is a height x2, and there is none: "
                      "np.nan."),
        Misconception("one nan for all", lambda w, b, x1: np.nan if w[1] == 0 else decision_line(w, b, x1),
                      "For w2 = 0 you return a single nan. A plot needs one for each x1: np.full(len(x1), np.nan)."),
        Misconception("None for a vertical boundary",
                      lambda w, b, x1: None if w[1] == 0 else decision_line(w, b, x1),
                      "For w2 = 0 you return None, which a plot cannot draw. An array of np.nan draws nothing, "
                      "quietly.")],
    alternatives=[line_by_loop, lambda w, b, x1: (-w[0] / w[1]) * x1 + (-b / w[1]) if w[1] else x1 * np.nan,
                  lambda w, b, x1: decision_line(w, b, x1).astype(np.float32)])


# 7 train

def train(X, t, rate, steps):
    w, b = np.zeros(X.shape[1]), 0.0
    for _ in range(steps):
        dw, db = logistic_gradient(X, t, w, b)
        w, b = w - rate * dw, b - rate * db
    return w, b


def train_in_place(X, t, rate, steps):
    v, V = np.zeros(X.shape[1] + 1), np.column_stack([X, np.ones(len(X))])
    while steps > 0:
        v -= rate * V.T @ (sigmoid(V @ v) - t) / len(t)
        steps -= 1
    return v[:-1], v[-1]


def trained_with(update, start=lambda d: (np.zeros(d), 0.0)):
    """A training whose steps are update(X, t, w, b, rate)."""
    def training(X, t, rate, steps):
        w, b = start(X.shape[1])
        for _ in range(steps):
            w, b = update(X, t, w, b, rate)
        return w, b
    return training


def uphill(X, t, w, b, rate):
    dw, db = logistic_gradient(X, t, w, b)
    return w + rate * dw, b + rate * db


def without_bias(X, t, w, b, rate):
    return w - rate * logistic_gradient(X, t, w, b)[0], b


def one_after_the_other(X, t, w, b, rate):
    w = w - rate * logistic_gradient(X, t, w, b)[0]
    return w, b - rate * logistic_gradient(X, t, w, b)[1]


def without_rate(X, t, w, b, rate):
    dw, db = logistic_gradient(X, t, w, b)
    return w - dw, b - db


def downhill(X, t, w, b, rate):
    dw, db = logistic_gradient(X, t, w, b)
    return w - rate * dw, b - rate * db


def step_only(X, t, w, b, rate):
    dw, db = logistic_gradient(X, t, w, b)
    return -rate * dw, -rate * db


def all_states(X, t, rate, steps):
    return [train(X, t, rate, k) for k in range(steps + 1)]


def table(rate, steps):
    return lambda rng: (rng.normal(size=(12, 3)) + 0.5, (np.arange(12) % 3 == 0).astype(int), rate, steps)


TRAIN = Exercise(
    "train", 1, train,
    forbidden=("nnlib.SGD", "nnlib.fit"),
    cases=[Case("three steps", table(0.7, 3)), Case("forty steps", table(0.3, 40)),
           Case("no step at all", table(0.1, 0), hint="After 0 steps the weights and the bias are still 0.")],
    misconceptions=[
        Misconception("uphill", trained_with(uphill),
                      "Your loss grows from step to step: the gradient points uphill, so subtract it."),
        Misconception("bias never moves", trained_with(without_bias), "The bias stays 0: it has a gradient, too."),
        Misconception("one after the other", trained_with(one_after_the_other),
                      "You compute the bias's gradient with the weights that have already moved. Compute both "
                      "gradients first, then move both."),
        Misconception("rate ignored", trained_with(without_rate),
                      "Your steps do not depend on the rate: multiply by it."),
        Misconception("the step in place of the weights", trained_with(step_only),
                      "You forget where the weights were: w = -rate * dw is the step alone. Add it to w."),
        Misconception("all states", all_states,
                      "You return the states of all steps, as `descend` in the notebook does. Wanted is the last pair "
                      "w, b."),
        Misconception("weights only", lambda X, t, rate, steps: train(X, t, rate, steps)[0],
                      "The bias is missing: return w, b."),
        Misconception("one weight per example", trained_with(downhill, start=lambda d: (np.zeros(d + 1), 0.0)),
                      "If the shapes do not fit: there is one weight for each column of X, so start from "
                      "np.zeros(X.shape[1])."),
        Misconception("a single step", lambda X, t, rate, steps: train(X, t, rate, 1),
                      "You return after one step. Is the return inside the loop, or does every pass start from zero "
                      "again?"),
        Misconception("one step too many", lambda X, t, rate, steps: train(X, t, rate, steps + 1),
                      "One step too many: range(steps) already runs `steps` times."),
        Misconception("starts at ones", trained_with(downhill, start=lambda d: (np.ones(d), 0.0)),
                      "Start from zero: np.zeros, not np.ones.")],
    alternatives=[train_in_place, lambda X, t, rate, steps: [part.tolist() if np.ndim(part) else part
                                                            for part in train(X, t, rate, steps)]])

EXERCISES = [SIGMOID, PREDICT_PROBA, BINARY_CROSS_ENTROPY, LOGISTIC_GRADIENT, PERCEPTRON_LOSS, DECISION_LINE, TRAIN]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def size(rng, most=9):
    return int(rng.integers(1, most))


def any_scores(rng):
    shape = rng.integers(0, 4, size=rng.integers(0, 4))
    return rng.normal(size=shape) * 10 ** rng.uniform(-2, 3)


def any_table(rng):
    """X and t, with any number of examples and features, targets of any kind."""
    n, d = size(rng), size(rng, 6)
    t = rng.integers(0, 2, n)
    return rng.normal(size=(n, d)) * rng.uniform(0.1, 5), t if rng.random() < 0.5 else t.astype(float)


def any_neuron(rng, targets=True):
    X, t = any_table(rng)
    return X, *[t] * targets, rng.normal(size=X.shape[1]), rng.normal()


def any_probabilities(rng):
    p, n = 10 ** rng.uniform(-5, 0, 9), size(rng)
    return np.where(rng.random(n) < 0.5, p[:n], 1 - p[:n]), rng.integers(0, 2, n)


def any_line(rng):
    return rng.normal(size=2) * [1, rng.integers(0, 2)], rng.normal(), rng.normal(size=size(rng)) * 10


DOMAIN = {
    "sigmoid": [Case("any scores", any_scores, no_warnings=True),
                Case("whole numbers", lambda rng: (rng.integers(-30, 31, size(rng)),)),
                Case("a number", lambda rng: rng.normal() * 10 ** rng.uniform(-2, 3), no_warnings=True)],
    "predict_proba": [Case("any table", lambda rng: any_neuron(rng, False))],
    "binary_cross_entropy": [
        Case("any probabilities", any_probabilities, no_warnings=True),
        Case("sure and right", lambda rng: 2 * (rng.integers(0, 2, size(rng)),), judge=costs_nothing, no_warnings=True),
        Case("sure and wrong", lambda rng: (1.0 - (t := rng.integers(0, 2, size(rng))), t), judge=costs_much,
             no_warnings=True)],
    "logistic_gradient": [Case("any table", any_neuron)],
    "perceptron_loss": [Case("any scores", lambda rng: (rng.normal(size=(n := size(rng))) * 10 ** rng.uniform(-2, 3),
                                                        rng.integers(0, 2, n)))],
    "decision_line": [Case("any line", any_line, no_warnings=True)],
    "train": [Case("any table", lambda rng: (*any_table(rng), rng.uniform(0.01, 2), int(rng.integers(0, 6))))],
}
