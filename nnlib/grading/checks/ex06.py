"""ex06, backpropagation: the questions of solutions/ex06_backpropagation and how their answers are tried."""

import numpy as np

from nnlib import log_softmax, sigmoid, softmax
from nnlib.grading import Case, Exercise, Misconception

NAME = "ex06_backpropagation"
AUTOMATIC = ("nnlib.Tensor.backward", "nnlib.numerical_gradient")


# 1 linear_backward

def linear_backward(G, X, W):
    G, X, W = np.asarray(G), np.asarray(X), np.asarray(W)
    return G @ W, G.T @ X, G.sum(axis=0)


def linear_by_loops(G, X, W):
    dX, dW, db = np.zeros(np.shape(X)), np.zeros(np.shape(W)), np.zeros(len(W))
    for n in range(len(X)):
        for j in range(len(W)):
            db[j] += G[n][j]
            for i in range(len(W[0])):
                dW[j, i] += G[n][j] * X[n][i]
                dX[n, i] += G[n][j] * W[j][i]
    return dX, dW, db


def linear_by_outer_products(G, X, W):
    dW = sum(np.outer(g, x) for g, x in zip(G, X, strict=True))
    return [W.T @ g for g in G], dW, list(np.sum(G, axis=0))


def linear_but(dX=None, dW=None, db=None):
    """A linear_backward in which one of the three is computed otherwise, from (G, X, W)."""
    def answer(G, X, W):
        right = linear_backward(G, X, W)
        return tuple(wrong(G, X, W) if wrong else value for wrong, value in zip((dX, dW, db), right, strict=True))
    return answer


def layer(batch, inputs, outputs):
    return lambda rng: (rng.normal(size=(batch, outputs)), rng.normal(size=(batch, inputs)),
                        rng.normal(size=(outputs, inputs)))


LINEAR_BACKWARD = Exercise(
    "linear_backward", 3, linear_backward,
    forbidden=AUTOMATIC,
    cases=[
        Case("two examples you can verify by hand",
             lambda rng: (np.array([[1.0, 0.0], [2.0, -1.0]]), np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]]),
                          np.array([[1.0, 0.0, 2.0], [-1.0, 1.0, 0.0]])),
             hint="Three gradients, in the order of X, W, b, each in the shape of its array."),
        Case("seven examples, from 4 inputs to 3 outputs", layer(7, 4, 3),
             hint="Write the shapes beside your products: dX is like X (7, 4), dW like W (3, 4), db (3,)."),
        Case("a single example, a single output", layer(1, 5, 1),
             hint="A batch of one is a matrix of one row, and so is W of a single output; nothing changes."),
        Case("as many examples as inputs and outputs", layer(4, 4, 4),
             hint="With square arrays every product runs. Which index is summed over in each of the three?"),
    ],
    misconceptions=[
        Misconception("W transposed", linear_but(dX=lambda G, X, W: G @ W.T),
                      "The way forward is X @ W.T; its way back to X is G @ W, without the transpose: (batch, out) @ "
                      "(out, in)."),
        Misconception("the gradient of W transposed", linear_but(dW=lambda G, X, W: X.T @ G),
                      "Your gradient of W has the shape (in, out). It must have the shape of W, (out, in), so that a "
                      "step can subtract it: exchange the factors and the transpose."),
        Misconception("the gradient of W from W",
                      linear_but(dW=lambda G, X, W: G.T @ (G @ W)),
                      "Your gradient of W is built from W itself. A weight is used as weight times input, so its "
                      "gradient is the blame of the output times the *input* X."),
        Misconception("the mean of dW and db",
                      lambda G, X, W: (G @ W, G.T @ X / len(X), G.mean(axis=0)),
                      "You divide by the size of the batch. The mean belongs to the loss: G carries that factor "
                      "already, so a linear layer only adds up."),
        Misconception("the mean for the bias", linear_but(db=lambda G, X, W: G.mean(axis=0)),
                      "The bias gets the mean of G in your answer. It was used once for every example, so its "
                      "gradients add up; a mean is in G already if the loss has one."),
        Misconception("no sum for the bias", linear_but(db=lambda G, X, W: G),
                      "Your gradient of b has a row for each example, but b has one number for each output. It was "
                      "copied to all rows: add the rows up."),
        Misconception("the bias summed over the outputs", linear_but(db=lambda G, X, W: G.sum(axis=1)),
                      "You sum G over the outputs, and get a number for each example. The bias has a number for each "
                      "output: sum over the examples, axis 0."),
        Misconception("one number for the bias", linear_but(db=lambda G, X, W: G.sum()),
                      "You add up all of G. Each output has a bias of its own, so sum over the examples only: axis 0."),
        Misconception("the bias as a row", linear_but(db=lambda G, X, W: G.sum(axis=0, keepdims=True)),
                      "Your gradient of b has shape (1, out), b has (out,). Leave keepdims out."),
        Misconception("ones for the bias", linear_but(db=lambda G, X, W: np.full(len(W), float(len(X)))),
                      "The bias enters with slope 1, and that is what you count. But slope 1 means that the blame "
                      "arrives unchanged: add up the rows of G."),
        Misconception("the gradient of X left out", lambda G, X, W: (G.T @ X, G.sum(axis=0)),
                      "You return the gradients of W and b only. Without that of X, the layer below never learns of "
                      "its share of the blame. Three values: dX, dW, db."),
        Misconception("W and b first", lambda G, X, W: (G.T @ X, G.sum(axis=0), G @ W),
                      "All three are right, but in another order. Return dX, dW, db."),
        Misconception("W first", lambda G, X, W: (G.T @ X, G @ W, G.sum(axis=0)),
                      "The gradient of X comes first, then that of W: dX, dW, db."),
        Misconception("the upstream gradient ignored",
                      lambda G, X, W: linear_backward(np.ones_like(G), X, W),
                      "Your answer does not depend on G: it is right for an upstream gradient of ones only. Whatever "
                      "arrives from above multiplies everything."),
        Misconception("only the last example", linear_but(dW=lambda G, X, W: np.outer(G[-1], X[-1])),
                      "Your gradient of W comes from the last example alone. In a loop, add up: dW += ..., not dW = "
                      "..."),
        Misconception("the gradient of X summed", linear_but(dX=lambda G, X, W: (G @ W).sum(axis=0)),
                      "You sum the gradient of X over the examples. Every example has inputs of its own, so dX keeps "
                      "the shape of X."),
    ],
    alternatives=[linear_by_loops, linear_by_outer_products,
                  lambda G, X, W: (np.einsum("nj,ji->ni", G, W), np.einsum("nj,ni->ji", G, X), np.ones(len(G)) @ G),
                  lambda G, X, W: tuple(v.astype(np.float32) for v in linear_backward(G, X, W))])


# 2 sigmoid_backward

def sigmoid_backward(G, p):
    p = np.asarray(p)
    return G * p * (1 - p)


def sigmoid_backward_by_loop(G, p):
    return np.reshape([g * q * (1 - q) for g, q in zip(np.ravel(G), np.ravel(p), strict=True)], np.shape(p))


def sigmoid_backward_in_place(G, p):
    G *= p * (1 - p)
    return G


SIGMOID_BACKWARD = Exercise(
    "sigmoid_backward", 2, sigmoid_backward,
    forbidden=AUTOMATIC,
    cases=[
        Case("three numbers you can verify by hand",
             lambda rng: (np.array([2.0, -1.0, 4.0]), np.array([0.5, 0.8, 0.1])),
             hint="Element by element: what arrives, times the slope of the sigmoid there."),
        Case("a batch of five, four units", lambda rng: (rng.normal(size=(5, 4)), rng.uniform(0.05, 0.95, (5, 4))),
             hint="Any shape: every element minds its own business."),
        Case("three axes", lambda rng: (rng.normal(size=(2, 3, 2)), rng.uniform(0.05, 0.95, (2, 3, 2)))),
        Case("saturated units, p exactly 0 or 1",
             lambda rng: (rng.normal(size=(3, 2)), rng.permutation([0.0, 1.0, 1.0, 0.0, 1.0, 0.0]).reshape(3, 2)),
             no_warnings=True, hint="A unit at 0 or 1 does not move: nothing passes, and nothing is divided."),
    ],
    misconceptions=[
        Misconception("the sigmoid once more", lambda G, p: G * sigmoid(p) * (1 - sigmoid(p)),
                      "p is the sigmoid's value already, and you take the sigmoid of it again. The slope is p (1 - "
                      "p)."),
        Misconception("the upstream gradient ignored", lambda G, p: p * (1 - p),
                      "That is the slope alone. The chain rule multiplies it with what arrives from above, G."),
        Misconception("only p", lambda G, p: G * p,
                      "You multiply by p: that would be the slope of the exponential. The sigmoid's is p (1 - p)."),
        Misconception("only 1 - p", lambda G, p: G * (1 - p),
                      "A factor is missing: the slope is p (1 - p), small at both ends."),
        Misconception("the slope of tanh", lambda G, p: G * (1 - p**2),
                      "1 - p^2 is the slope of tanh. The sigmoid's is p (1 - p), at most 1/4."),
        Misconception("the sign of the slope", lambda G, p: G * p * (p - 1),
                      "Your slope is negative. The sigmoid rises everywhere: p (1 - p)."),
        Misconception("divided by the slope", lambda G, p: G / (p * (1 - p)),
                      "You divide by the slope, as for the inverse function. Going back through a function "
                      "multiplies."),
        Misconception("added", lambda G, p: G + p * (1 - p), "Along a path slopes multiply; you add them."),
        Misconception("summed", lambda G, p: np.sum(G * p * (1 - p)),
                      "You sum over all elements. Each input of the sigmoid has a gradient of its own, so the shape "
                      "stays."),
        Misconception("a matrix product", lambda G, p: G @ (p * (1 - p)).T,
                      "You take a matrix product. The Jacobian of an elementwise function is diagonal, and a diagonal "
                      "matrix times a vector is an elementwise product: *."),
        Misconception("G in place", sigmoid_backward_in_place,
                      "`G *= ...` also changes the caller's array, and somebody else may still need what arrived there."
                      " Write G * ..."),
        Misconception("G as a target", lambda G, p: (p - G) * p * (1 - p),
                      "You take G for targets. It is the gradient that arrives from above, whatever the loss may be."),
        Misconception("without brackets", lambda G, p: G * p * 1 - p,
                      "Brackets are missing: G * p * 1 - p subtracts p at the end. Write (1 - p)."),
    ],
    alternatives=[sigmoid_backward_by_loop, lambda G, p: G * (p - p**2),
                  lambda G, p: (G * p * (1 - p)).astype(np.float32),
                  lambda G, p: (np.asarray(G) * (0.25 - (np.asarray(p) - 0.5) ** 2)).tolist()])


# 3 softmax_cross_entropy_backward

def one_hot(Z, t):
    return np.eye(np.shape(Z)[1])[t]


def softmax_cross_entropy_backward(Z, t):
    return (softmax(np.asarray(Z)) - one_hot(Z, t)) / len(Z)


def by_rows(Z, t):
    rows = []
    for z, target in zip(Z, t, strict=True):
        e = [np.exp(v - max(z)) for v in z]
        rows.append([(e[k] / sum(e) - (k == target)) / len(Z) for k in range(len(z))])
    return rows


def by_index(Z, t):
    P = softmax(Z)
    P[np.arange(len(t)), t] -= 1
    return P / len(t)


def through_the_probabilities(Z, t):
    """First the gradient at the probabilities, then back through the softmax."""
    P, T = softmax(np.asarray(Z, dtype=float)), one_hot(Z, t)
    G = -T / np.maximum(P, 1e-300) / len(Z)
    return P * (G - (P * G).sum(axis=1, keepdims=True))


def naive_softmax(Z):
    e = np.exp(Z)
    return e / e.sum(axis=1, keepdims=True)


def shifted_in_place(Z, t):
    Z -= Z.max(axis=1, keepdims=True)
    return (naive_softmax(Z) - one_hot(Z, t)) / len(Z)


def only_the_true_class(Z, t):
    return (softmax(Z) - 1) * one_hot(Z, t) / len(Z)


def at_the_probabilities(Z, t):
    return -one_hot(Z, t) / np.maximum(softmax(Z), 1e-300) / len(Z)


def scores(batch, classes):
    return lambda rng: (2 * rng.normal(size=(batch, classes)), rng.integers(0, classes, batch))


SOFTMAX_CROSS_ENTROPY_BACKWARD = Exercise(
    "softmax_cross_entropy_backward", 2, softmax_cross_entropy_backward,
    forbidden=AUTOMATIC,
    cases=[
        Case("two examples you can verify by hand",
             lambda rng: (np.array([[0.0, 0.0], [np.log(3), 0.0]]), np.array([0, 1])),
             hint="Probabilities (1/2, 1/2) and (3/4, 1/4), minus the targets (1, 0) and (0, 1), over 2 examples."),
        Case("seven examples, four classes", scores(7, 4),
             hint="Each row of your answer sums to 0: what one class gains, the others lose."),
        Case("a single example", lambda rng: (2 * rng.normal(size=(1, 5)), rng.integers(0, 4, 1)),
             hint="One row; the mean over one example divides by 1."),
        Case("scores of size 1000", lambda rng: (1000 * rng.permuted([[1.0, 0, -1]] * 4, axis=1),
                                                 rng.integers(0, 3, 4)), no_warnings=True,
             hint="np.exp(1000) is infinite: subtract the largest score of each row first, or take nnlib's softmax."),
    ],
    misconceptions=[
        Misconception("not divided by the batch", lambda Z, t: softmax(Z) - one_hot(Z, t),
                      "p - t is the gradient of one example's loss. Ours is the mean over the batch, so divide by the "
                      "number of examples, once, here at the top."),
        Misconception("divided twice", lambda Z, t: (softmax(Z) - one_hot(Z, t)) / len(Z)**2,
                      "You divide by the size of the batch twice. The mean is taken once."),
        Misconception("divided by all entries", lambda Z, t: (softmax(Z) - one_hot(Z, t)) / np.size(Z),
                      "You divide by examples times classes. The loss is a mean over the examples only."),
        Misconception("targets minus probabilities", lambda Z, t: (one_hot(Z, t) - softmax(Z)) / len(Z),
                      "The sign: your step would make the right class less likely. It is p - t."),
        Misconception("the softmax of the softmax", lambda Z, t: (softmax(softmax(Z)) - one_hot(Z, t)) / len(Z),
                      "You take the softmax twice. The outputs are probabilities already after the first: it is p - t "
                      "(the slip of deck C)."),
        Misconception("softmax over the examples", lambda Z, t: (softmax(Z, axis=0) - one_hot(Z, t)) / len(Z),
                      "Your probabilities sum to 1 over the examples. Each example has its own: over the classes, the "
                      "last axis."),
        Misconception("the probabilities alone", lambda Z, t: softmax(Z) / len(Z),
                      "Nothing is subtracted, so the targets do not matter. At the true class subtract 1."),
        Misconception("the true class only", only_the_true_class,
                      "Only the true class gets a gradient in your answer. Raising the score of any other class takes "
                      "probability away from it, so they all have one: their p."),
        Misconception("stopped at the probabilities", at_the_probabilities,
                      "-1/p is the gradient with respect to the probabilities. Go on through the softmax to the "
                      "scores: together they make p - t."),
        Misconception("targets not one-hot", lambda Z, t: (softmax(Z) - t[:, None]) / len(Z),
                      "You subtract the class *number*. It is only a name: make a row with a 1 at the true class "
                      "first."),
        Misconception("class numbers along the rows", lambda Z, t: (softmax(Z) - t) / len(Z),
                      "You subtract the class *numbers* themselves. A number is only a name: make a row with a 1 at "
                      "the true class first."),
        Misconception("a column for each example", lambda Z, t: (softmax(Z) - np.eye(len(t))[t]) / len(Z),
                      "Your one-hot rows have as many columns as there are examples. They need one for each class, as "
                      "Z has."),
        Misconception("columns up to the largest target", lambda Z, t: (softmax(Z) - np.eye(max(t) + 1)[t]) / len(Z),
                      "Your one-hot rows end at the largest class in t. The last classes may not occur in a batch: "
                      "take the number of columns from Z."),
        Misconception("scores minus targets", lambda Z, t: (Z - one_hot(Z, t)) / len(Z),
                      "You subtract the targets from the scores, as for a squared loss. Take their softmax first."),
        Misconception("sigmoids", lambda Z, t: (sigmoid(Z) - one_hot(Z, t)) / len(Z),
                      "You squash each score by itself. The classes exclude each other, so their probabilities sum to "
                      "1: softmax."),
        Misconception("overflow", lambda Z, t: (naive_softmax(Z) - one_hot(Z, t)) / len(Z),
                      "Right until np.exp overflows: subtract the largest score of each row before it. The "
                      "probabilities stay the same."),
        Misconception("through probabilities that are 0", through_the_probabilities,
                      "Right, until a probability is rounded to 0: then you divide by it and multiply by it again, and "
                      "the gradient is lost. Do that product on paper; what remains is p - t."),
        Misconception("averaged", lambda Z, t: (softmax(Z) - one_hot(Z, t)).mean(axis=0),
                      "You average over the examples. The scores of each example have a gradient of their own; "
                      "dividing by n is not yet adding up."),
        Misconception("the slope of the sigmoid as well",
                      lambda Z, t: (softmax(Z) - one_hot(Z, t)) * softmax(Z) * (1 - softmax(Z)) / len(Z),
                      "You multiply by p (1 - p) as well. That slope is already in p - t: it has canceled against the "
                      "1/p of the logarithm."),
        Misconception("Z in place", shifted_in_place,
                      "`Z -= ...` changes the caller's scores. Write Z = Z - ..."),
    ],
    alternatives=[by_rows, by_index,
                  lambda Z, t: np.exp(log_softmax(Z)) / len(Z) - one_hot(Z, t) / len(Z),
                  lambda Z, t: softmax_cross_entropy_backward(Z, t).astype(np.float32)])


# 4 two_layer_gradients

def two_layer_gradients(X, t, W1, b1, W2, b2):
    P = sigmoid(X @ W1.T + b1)
    D = softmax_cross_entropy_backward(P @ W2.T + b2, t)
    dP, dW2, db2 = linear_backward(D, P, W2)
    _, dW1, db1 = linear_backward(sigmoid_backward(dP, P), X, W1)
    return dW1, db1, dW2, db2


def two_layers_in_columns(X, t, W1, b1, W2, b2):
    """One example after the other, as columns, as the lectures write it."""
    total = [0 * W1, 0 * b1, 0 * W2, 0 * b2]
    for x, target in zip(X, t, strict=True):
        p = sigmoid(W1 @ x + b1)
        d2 = softmax(W2 @ p + b2) - np.eye(len(b2))[target]
        d1 = W2.T @ d2 * p * (1 - p)
        for k, gradient in enumerate((np.outer(d1, x), d1, np.outer(d2, p), d2)):
            total[k] = total[k] + gradient / len(X)
    return total


def two_layers_flat(X, t, W1, b1, W2, b2):
    n = len(X)
    P = 1 / (1 + np.exp(-(X @ W1.T + b1)))
    E = np.exp(P @ W2.T + b2)
    D = E / E.sum(1, keepdims=True)
    D[np.arange(n), t] -= 1
    H = (D @ W2) * (P - P * P)
    return H.T @ X / n, H.sum(0) / n, D.T @ P / n, D.sum(0) / n


def two_layers(at_scores=softmax_cross_entropy_backward, slope=sigmoid_backward, hidden=None, scores=None, below=None,
               give=None, blame=None):
    """A two_layer_gradients with one thing otherwise; with the defaults it is right."""
    def answer(X, t, W1, b1, W2, b2):
        A = X @ W1.T + b1
        P = hidden(X, W1, b1) if hidden else sigmoid(A)
        Z = scores(P, W2, b2) if scores else P @ W2.T + b2
        D = at_scores(Z, t)
        dP, dW2, db2 = linear_backward(D, P, W2)
        dP = blame(D, W2, dW2) if blame else dP
        dA = slope(dP, P) if slope is not None else dP
        _, dW1, db1 = linear_backward(dA, below(X, P) if below else X, W1)
        found = dW1, db1, dW2, db2
        return give(found, X) if give else found
    return answer


def slope_of_the_scores(X, t, W1, b1, W2, b2):
    A = X @ W1.T + b1
    P = sigmoid(A)
    dP, dW2, db2 = linear_backward(softmax_cross_entropy_backward(P @ W2.T + b2, t), P, W2)
    _, dW1, db1 = linear_backward(dP * A * (1 - A), X, W1)
    return dW1, db1, dW2, db2


def scores_below_the_output(X, t, W1, b1, W2, b2):
    dW1, db1, _, db2 = two_layer_gradients(X, t, W1, b1, W2, b2)
    A = X @ W1.T + b1
    D = softmax_cross_entropy_backward(sigmoid(A) @ W2.T + b2, t)
    return dW1, db1, D.T @ A, db2


def mean_over_the_batch(found, X):
    return tuple(gradient / len(X) for gradient in found)


def network(batch, inputs, hidden, classes):
    def make(rng):
        n, d, h, c = (int(rng.integers(*size)) if isinstance(size, tuple) else size
                      for size in (batch, inputs, hidden, classes))
        return (rng.normal(size=(n, d)), rng.integers(0, c, n), rng.normal(size=(h, d)), rng.normal(size=h),
                2 * rng.normal(size=(c, h)), rng.normal(size=c))
    return make


TWO_LAYER_GRADIENTS = Exercise(
    "two_layer_gradients", 3, two_layer_gradients,
    forbidden=AUTOMATIC,
    cases=[
        Case("one example you can verify by hand",
             lambda rng: (np.array([[1.0, 2.0]]), np.array([0]), np.zeros((1, 2)), np.zeros(1),
                          np.array([[1.0], [-1.0]]), np.array([-0.5, 0.5])),
             hint="Hidden value 1/2, both scores 0, so the blame at the scores is (-1/2, 1/2)."),
        Case("six examples, 4 inputs, 3 hidden units, 5 classes", network(6, 4, 3, 5),
             hint="Check every gradient against the shape of its array, then the order: dW1, db1, dW2, db2."),
        Case("random shapes", network((2, 9), (2, 6), (3, 7), (2, 6)),
             hint="It works for one network only: is a shape written as a number somewhere?"),
        Case("all sizes equal", network(4, 4, 4, 4),
             hint="With square arrays a missing transpose still runs, and gives wrong numbers."),
    ],
    misconceptions=[
        Misconception("no slope of the sigmoid", two_layers(slope=None),
                      "The blame of the hidden values goes to the first layer unchanged. On the way it must pass the "
                      "sigmoid: call sigmoid_backward."),
        Misconception("the sigmoid once more",
                      two_layers(slope=lambda G, p: G * sigmoid(p) * (1 - sigmoid(p))),
                      "For the slope you take the sigmoid of the hidden values, which are its values already: p (1 - "
                      "p)."),
        Misconception("the slope from the scores", slope_of_the_scores,
                      "The slope is p (1 - p) with p the *output* of the sigmoid; you put its input there."),
        Misconception("the slope of tanh", two_layers(slope=lambda G, p: G * (1 - p**2)),
                      "1 - p^2 is the slope of tanh. The hidden units are sigmoids: p (1 - p)."),
        Misconception("the upstream gradient lost", two_layers(slope=lambda G, p: p * (1 - p)),
                      "At the sigmoid you keep its slope and drop what arrived. The chain rule multiplies both."),
        Misconception("no batch mean", two_layers(at_scores=lambda Z, t: softmax(Z) - one_hot(Z, t)),
                      "All your gradients are too large by the number of examples: the loss is a mean, so divide once, "
                      "at the scores."),
        Misconception("the batch mean twice", two_layers(give=mean_over_the_batch),
                      "You divide by the number of examples twice: it is in the gradient at the scores already."),
        Misconception("the mean for the biases",
                      two_layers(give=lambda found, X: (found[0], found[1] / len(X), found[2], found[3] / len(X))),
                      "Your weights are right, your biases too small by the number of examples: sum, not mean."),
        Misconception("the output weights transposed", two_layers(blame=lambda D, W2, dW2: D @ W2.T),
                      "The blame goes back by D @ W2: (batch, classes) @ (classes, hidden). The transpose belongs to "
                      "the way forward."),
        Misconception("a step before the blame", two_layers(blame=lambda D, W2, dW2: D @ (W2 - dW2)),
                      "You change W2 before the blame goes back through it. The error was made with the old W2: "
                      "compute all gradients first."),
        Misconception("weighted sums below the output", scores_below_the_output,
                      "For dW2 you take the hidden sums before the sigmoid. The output layer's input is what comes out "
                      "of it, H."),
        Misconception("hidden values below", two_layers(below=lambda X, P: P),
                      "For dW1 you take the hidden values. The first layer's input is X."),
        Misconception("last layer first", two_layers(give=lambda found, X: found[2:] + found[:2]),
                      "All four are right; return them in the order of the arguments: dW1, db1, dW2, db2."),
        Misconception("weights first", two_layers(give=lambda found, X: (found[0], found[2], found[1], found[3])),
                      "All four are right, but sorted into weights and biases. The order is that of the arguments: "
                      "dW1, db1, dW2, db2."),
        Misconception("weight gradients transposed",
                      two_layers(give=lambda found, X: (found[0].T, found[1], found[2].T, found[3])),
                      "A gradient has the shape of its array: yours for the weights are transposed."),
        Misconception("no bias in the hidden layer", two_layers(hidden=lambda X, W1, b1: sigmoid(X @ W1.T)),
                      "b1 is missing on the way forward, so everything behind it is a little off."),
        Misconception("no bias at the scores", two_layers(scores=lambda P, W2, b2: P @ W2.T),
                      "b2 is missing on the way forward: look at the scores."),
        Misconception("no biases", two_layers(hidden=lambda X, W1, b1: sigmoid(X @ W1.T),
                                              scores=lambda P, W2, b2: P @ W2.T),
                      "Both biases are missing on the way forward."),
        Misconception("no squashing", two_layers(hidden=lambda X, W1, b1: X @ W1.T + b1),
                      "The hidden values are not squashed on the way forward. Then p (1 - p) is not their slope."),
        Misconception("scores squashed", two_layers(scores=lambda P, W2, b2: sigmoid(P @ W2.T + b2)),
                      "You squash the scores, too. They go into the softmax as they are."),
        Misconception("the sign", two_layers(at_scores=lambda Z, t: (one_hot(Z, t) - softmax(Z)) / len(Z)),
                      "All signs are exchanged: at the scores it is p - t."),
    ],
    alternatives=[two_layers_in_columns, two_layers_flat, two_layers(),
                  lambda *a: [v.astype(np.float32) for v in two_layer_gradients(*a)]])


# 5 unbroadcast

def unbroadcast(G, shape):
    while np.ndim(G) > len(shape):
        G = np.sum(G, axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            G = np.sum(G, axis=axis, keepdims=True)
    return G


def unbroadcast_by_index(G, shape):
    result = np.zeros(shape)
    copies = np.broadcast_to(np.arange(result.size).reshape(shape), np.shape(G))
    for number, g in zip(copies.ravel(), np.ravel(G), strict=True):
        result.flat[number] += g
    return result


def unbroadcast_at_once(G, shape):
    padded = (1,) * (np.ndim(G) - len(shape)) + tuple(shape)
    axes = tuple(axis for axis, size in enumerate(padded) if size == 1)
    return np.sum(G, axis=axes, keepdims=True).reshape(shape)


def added_axes_only(G, shape):
    return np.sum(G, axis=tuple(range(np.ndim(G) - len(shape))))


def stretched_axes_only(G, shape):
    for axis, size in enumerate(shape):
        if size == 1:
            G = np.sum(G, axis=axis, keepdims=True)
    return G


def axes_lost(G, shape):
    G = added_axes_only(G, shape)
    return np.sum(G, axis=tuple(axis for axis, size in enumerate(shape) if size == 1))


def averaged(G, shape):
    return unbroadcast(G, shape) / (np.size(G) / max(1, int(np.prod(shape))))


def first_copy(G, shape):
    while np.ndim(G) > len(shape):
        G = G[0]
    for axis, size in enumerate(shape):
        if size == 1:
            G = np.take(G, [0], axis=axis)
    return G


def last_axes_summed(G, shape):
    while np.ndim(G) > len(shape):
        G = np.sum(G, axis=-1)
    return stretched_axes_only(G, shape)


def added_axes_kept(G, shape):
    padded = (1,) * (np.ndim(G) - len(shape)) + tuple(shape)
    return np.sum(G, axis=tuple(axis for axis, size in enumerate(padded) if size == 1), keepdims=True)


def one_added_axis_at_most(G, shape):
    G = np.sum(G, axis=0) if np.ndim(G) > len(shape) else G
    return stretched_axes_only(G, shape)


def always_the_first_axis(G, shape):
    return np.sum(G, axis=0)


def compared_from_the_left(G, shape):
    for axis, size in enumerate(shape):
        if G.shape[axis] != size:
            G = G.sum(axis=axis, keepdims=True)
    return G


def gradients(*pairs):
    """Arguments: a gradient for each pair (its shape, the shape before broadcasting)."""
    def make(rng):
        return [rng.normal(size=large) for large, _ in pairs], [small for _, small in pairs]
    return make


def each_in_turn(unbroadcast, Gs, shapes):
    return [unbroadcast(G, shape) for G, shape in zip(Gs, shapes, strict=True)]


def any_gradient(rng):
    large = tuple(map(int, rng.integers(1, 4, size=rng.integers(0, 4))))
    small = tuple(int(size) if rng.random() < 0.6 else 1 for size in large)[int(rng.integers(0, len(large) + 1)):]
    return rng.normal(size=large), small


UNBROADCAST = Exercise(
    "unbroadcast", 2, unbroadcast,
    forbidden=(*AUTOMATIC, "nnlib.autograd.unbroadcast"),
    cases=[
        Case("a bias you can verify by hand", lambda rng: (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (3,)),
             hint="Each of the three numbers was copied to two rows: add the rows up."),
        Case("axes were added in front", gradients(((4, 4), (4,)), ((2, 5, 3), (3,)), ((2, 5, 3), (5, 3))),
             call=each_in_turn, hint="Broadcasting adds axes in front, as many as are missing. Sum them away."),
        Case("axes of size 1 were stretched", gradients(((5, 3), (5, 1)), ((4, 3), (1, 3)), ((2, 3, 4), (2, 1, 1))),
             call=each_in_turn,
             hint="Where the shape has a 1, sum over that axis and keep it, so that the shape stays as it was."),
        Case("both at once", gradients(((2, 4, 3), (4, 1)), ((2, 3, 5, 2), (3, 1, 2)), ((6, 3), (1,))),
             call=each_in_turn, hint="First sum away the axes in front; only then does axis 0 mean the same in both."),
        Case("a single number was copied", gradients(((2, 3), ()), ((4,), ())), call=each_in_turn,
             hint="The shape () has no axes: everything in G belongs to that one number."),
        Case("nothing was broadcast", gradients(((3, 2), (3, 2)), ((1, 4), (1, 4)), ((), ())), call=each_in_turn,
             hint="Equal shapes: the gradient comes back as it is."),
    ],
    misconceptions=[
        Misconception("the mean of the copies", averaged,
                      "You average over the copies. Every copy had its own effect on the loss, and effects add up."),
        Misconception("added axes only", added_axes_only,
                      "You sum over axes that were added, not over axes of size 1 that were stretched: a column (5, 1) "
                      "comes back as (5, 3)."),
        Misconception("stretched axes only", stretched_axes_only,
                      "You treat axes of size 1, but broadcasting also adds axes in front, and your answer keeps "
                      "them."),
        Misconception("axes of size 1 lost", axes_lost,
                      "Your sums remove the axes of size 1. They belong to the shape: keepdims=True."),
        Misconception("added axes kept", added_axes_kept,
                      "Your answer still has the added axes, with size 1. Sum those without keepdims, or reshape to "
                      "shape."),
        Misconception("the first copy", first_copy,
                      "You take the gradient of the first copy only. All copies are the same number, so all of their "
                      "gradients count: sum."),
        Misconception("summed at the end", last_axes_summed,
                      "You sum away axes at the end. Shapes are lined up at the *right*: what is missing was added in "
                      "front."),
        Misconception("compared from the left", compared_from_the_left,
                      "You compare the shapes from the left. They are lined up at the *right*: first sum away the axes "
                      "that were added in front, then compare."),
        Misconception("axis 0, always", always_the_first_axis,
                      "You always sum over axis 0, which is right for a bias. Compare the two shapes: any number of "
                      "axes may have been added or stretched, also none."),
        Misconception("one axis at most", one_added_axis_at_most,
                      "You remove one added axis, but two or more may have been added: as long as G has too many."),
        Misconception("nothing summed", lambda G, shape: np.resize(G, shape),
                      "Your answer has the right shape, but numbers have been cut off. What does not fit must be added "
                      "up, not dropped."),
        Misconception("everything summed", lambda G, shape: np.full(shape, np.sum(G)),
                      "You add up everything and give the total to each number. Each number gets only the gradients "
                      "of its own copies."),
        Misconception("G as it is", lambda G, shape: G,
                      "That is G unchanged. Its shape must become `shape`: sum over what broadcasting has copied."),
    ],
    alternatives=[unbroadcast_by_index, unbroadcast_at_once, lambda G, shape: np.float32(unbroadcast(G, shape))])


# 6 Unit

class Unit:
    def __init__(self, W, b, squash):
        self.W, self.b, self.squash = np.array(W, dtype=float), np.array(b, dtype=float), squash
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, X):
        self.X = X
        self.Y = self._squashed(X @ self.W.T + self.b)
        return self.Y

    def _squashed(self, A):
        return sigmoid(A) if self.squash else A

    def backward(self, G):
        G = self._through_the_sigmoid(G) if self.squash else G
        dX, dW, db = linear_backward(G, self.X, self.W)
        self._keep(dW, db)
        return dX

    def _through_the_sigmoid(self, G):
        return sigmoid_backward(G, self.Y)

    def _keep(self, dW, db):
        self.dW, self.db = self.dW + dW, self.db + db

    def update(self, rate):
        self.W, self.b = self.W - rate * self.dW, self.b - rate * self.db
        self._forget()

    def _forget(self):
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)


class UnitInPlace:
    """Changes its own arrays, keeps the slope instead of the value, and gives float32."""

    def __init__(self, W, b, squash):
        self.W, self.b, self.squash = np.array(W), np.array(b), squash
        self.dW, self.db = 0 * self.W, 0 * self.b

    def forward(self, X):
        self.inputs, self.slope = np.array(X), 1
        A = self.inputs @ self.W.T + self.b
        if self.squash:
            A = 1 / (1 + np.exp(-A))
            self.slope = A * (1 - A)
        return A.astype(np.float32)

    def backward(self, G):
        D = G * self.slope
        self.dW += D.T @ self.inputs
        self.db += D.sum(axis=0)
        return (D @ self.W).astype(np.float32)

    def update(self, rate):
        self.W -= rate * self.dW
        self.b -= rate * self.db
        self.dW[:] = 0
        self.db[:] = 0


class UnitOfLists:
    """Keeps a list of the gradients that arrived, and gives lists."""

    def __init__(self, W, b, squash):
        self.W, self.b, self.squash, self.kept = np.array(W), np.array(b), squash, []

    @property
    def dW(self):
        return sum((dW for dW, _ in self.kept), np.zeros(self.W.shape))

    @property
    def db(self):
        return sum((db for _, db in self.kept), np.zeros(self.b.shape))

    def forward(self, X):
        self.X = np.array(X)
        self.Y = X @ self.W.T + self.b
        if self.squash:
            self.Y = sigmoid(self.Y)
        return self.Y.tolist()

    def backward(self, G):
        D = np.asarray(G) * (self.Y * (1 - self.Y) if self.squash else 1)
        dX, dW, db = linear_by_loops(D, self.X, self.W)
        self.kept.append((dW, db))
        return dX.tolist()

    def update(self, rate):
        self.W = self.W - rate * self.dW
        self.b = self.b - rate * self.db
        self.kept.clear()


def unit_with(**methods):
    """A Unit with other methods."""
    return type("Unit", (Unit,), methods)


def forward_without_bias(self, X):
    self.X, self.Y = X, self._squashed(X @ self.W.T)
    return self.Y


def forward_keeping_nothing(self, X):
    return self._squashed(X @ self.W.T + self.b)


def forward_keeping_scores(self, X):
    self.X, self.Y = X, X @ self.W.T + self.b
    return self._squashed(self.Y)


def backward_giving_nothing(self, G):
    Unit.backward(self, G)


def backward_giving_the_weights(self, G):
    Unit.backward(self, G)
    return self.dW


def backward_before_the_sigmoid(self, G):
    dX, _, _ = linear_backward(G, self.X, self.W)
    Unit.backward(self, G)
    return dX


def backward_always_squashed(self, G):
    dX, dW, db = linear_backward(sigmoid_backward(G, self.Y), self.X, self.W)
    self._keep(dW, db)
    return dX


def keep_the_last(self, dW, db):
    self.dW, self.db = dW, db


def keep_the_mean(self, dW, db):
    self.dW, self.db = self.dW + dW / len(self.X), self.db + db / len(self.X)


def keep_only_weights(self, dW, db):
    self.dW = self.dW + dW


def update_uphill(self, rate):
    Unit.update(self, -rate)


def update_without_rate(self, rate):
    Unit.update(self, 1)


def update_only_weights(self, rate):
    self.W = self.W - rate * self.dW
    self._forget()


def update_nothing_kept(self, rate):
    W = self.W - rate * self.dW
    b = self.b - rate * self.db
    return W, b


def unit_arguments(batch, inputs, outputs, squash):
    def make(rng):
        return (rng.normal(size=(outputs, inputs)), rng.normal(size=outputs), squash,
                rng.normal(size=(batch, inputs)), rng.normal(size=(batch, outputs)), rng.uniform(0.1, 0.6))
    return make


def goes_forward(Unit, W, b, squash, X, G, rate):
    return Unit(W, b, squash).forward(X)


def goes_back(Unit, W, b, squash, X, G, rate):
    unit = Unit(W, b, squash)
    unit.forward(X)
    given = unit.backward(G)
    return {"what backward returns": given, "dW": np.array(unit.dW), "db": np.array(unit.db)}


def steps(Unit, W, b, squash, X, G, rate):
    unit = Unit(W, b, squash)
    unit.forward(X)
    unit.backward(G)
    unit.update(rate)
    return {"W after the step": np.array(unit.W), "b after the step": np.array(unit.b)}


def steps_after_two_batches(Unit, W, b, squash, X, G, rate):
    unit, half = Unit(W, b, squash), len(X) // 2
    for part in (slice(half), slice(half, None)):
        unit.forward(X[part])
        unit.backward(G[part])
    added = np.array(unit.dW)
    unit.update(rate)
    seen = {"dW after two batches": added, "W after the step": np.array(unit.W)}
    unit.update(rate)
    return {**seen, "W after another update without backward": np.array(unit.W), "b": np.array(unit.b)}


def learns(Unit, X, t, W1, b1, W2, b2):
    """Five steps of a network of two units: the probabilities after each."""
    hidden, output, seen = Unit(W1, b1, True), Unit(W2, b2, False), []
    for _ in range(5):
        Z = np.asarray(output.forward(np.asarray(hidden.forward(X))))
        seen.append(softmax(Z))
        G = output.backward(softmax_cross_entropy_backward(Z, t))
        hidden.backward(np.asarray(G))
        hidden.update(0.5)
        output.update(0.5)
    return {f"probabilities after {k} steps": P for k, P in enumerate(seen)}


UNIT = Exercise(
    "Unit", 3, Unit,
    forbidden=(*AUTOMATIC, "nnlib.Linear"),
    cases=[
        Case("forward, two examples you can verify by hand",
             lambda rng: (np.array([[1.0, 2.0]]), np.array([1.0]), False, np.array([[3.0, 1.0], [0.0, 1.0]]),
                          np.array([[1.0], [2.0]]), 0.1), call=goes_forward,
             hint="X @ W.T + b: the scores are 6 and 3, and nothing is squashed here."),
        Case("forward through the sigmoid", unit_arguments(6, 4, 3, True), call=goes_forward,
             hint="With squash=True the result goes through the sigmoid; without it, not."),
        Case("backward of a unit that does not squash", unit_arguments(6, 4, 3, False), call=goes_back,
             hint="backward returns the gradient of X and keeps dW and db; linear_backward gives all three."),
        Case("backward of a unit that squashes", unit_arguments(5, 3, 4, True), call=goes_back,
             hint="First back through the sigmoid, with its value that forward has kept; then linear_backward."),
        Case("one step", unit_arguments(5, 3, 2, True), call=steps,
             hint="update moves W and b against dW and db, `rate` times as far."),
        Case("two batches before one step", unit_arguments(6, 3, 2, True), call=steps_after_two_batches,
             hint="Gradients add up over calls of backward, and update sets them back to zero after the step."),
        Case("two units in a row learn", network(8, 3, 4, 3), call=learns,
             hint="Each step of the network is right only if all of the unit is."),
    ],
    misconceptions=[
        Misconception("no bias", unit_with(forward=forward_without_bias),
                      "The bias is missing on the way forward."),
        Misconception("never squashed", unit_with(_squashed=lambda self, A: A),
                      "Your forward never squashes. Where squash is True, its result goes through the sigmoid."),
        Misconception("always squashed",
                      unit_with(_squashed=lambda self, A: sigmoid(A)),
                      "Your forward always squashes. Ask self.squash first: the last unit of a network gives scores."),
        Misconception("nothing kept on the way forward", unit_with(forward=forward_keeping_nothing),
                      "forward computes the right values, and backward does not find them: keep what it needs as "
                      "attributes, such as self.X = X."),
        Misconception("the scores kept", unit_with(forward=forward_keeping_scores),
                      "For backward you keep what goes *into* the sigmoid. Its slope is p (1 - p) with p what comes "
                      "out."),
        Misconception("no slope of the sigmoid", unit_with(_through_the_sigmoid=lambda self, G: G),
                      "Your backward goes straight to the weights. Where the unit squashes, the gradient passes the "
                      "sigmoid first."),
        Misconception("the slope without the gradient",
                      unit_with(_through_the_sigmoid=lambda self, G: self.Y * (1 - self.Y)),
                      "At the sigmoid you put its slope in the place of the gradient. Multiply both."),
        Misconception("the sigmoid once more",
                      unit_with(_through_the_sigmoid=lambda self, G: G * sigmoid(self.Y) * (1 - sigmoid(self.Y))),
                      "The value that you kept is the sigmoid's already; do not take the sigmoid of it again."),
        Misconception("back through a sigmoid always", unit_with(backward=backward_always_squashed),
                      "Your backward passes a sigmoid even in a unit that has none. Ask self.squash."),
        Misconception("the input's gradient before the sigmoid", unit_with(backward=backward_before_the_sigmoid),
                      "dW and db are right, but what you return has not passed the sigmoid. Use the same gradient for "
                      "all three."),
        Misconception("backward returns nothing", unit_with(backward=backward_giving_nothing),
                      "backward keeps its gradients and returns nothing. The unit below waits for the gradient of X."),
        Misconception("backward returns dW", unit_with(backward=backward_giving_the_weights),
                      "You hand dW down. The unit below needs the blame of *its* output, which is your X: return dX."),
        Misconception("the last gradient only", unit_with(_keep=keep_the_last),
                      "The second call of backward replaces the gradients of the first. Both batches have used the "
                      "same weights: add."),
        Misconception("the mean once more", unit_with(_keep=keep_the_mean),
                      "You divide by the size of the batch. The mean is in the gradient that arrives."),
        Misconception("the bias forgotten on the way back", unit_with(_keep=keep_only_weights),
                      "db stays zero: backward must keep it, too."),
        Misconception("gradients not set to zero", unit_with(_forget=lambda self: None),
                      "After the step dW and db still hold the old gradients, and the next ones are added to them. Set "
                      "both to zero in update."),
        Misconception("uphill", unit_with(update=update_uphill),
                      "update goes uphill: subtract rate times the gradient."),
        Misconception("no rate", unit_with(update=update_without_rate),
                      "update takes the whole gradient. The rate says how much of it."),
        Misconception("only the weights move", unit_with(update=update_only_weights),
                      "update moves W and leaves b where it was."),
        Misconception("the step is not kept", unit_with(update=update_nothing_kept),
                      "update computes new arrays and does not keep them: self.W = ..., self.b = ..."),
    ],
    alternatives=[UnitInPlace, UnitOfLists])


EXERCISES = [LINEAR_BACKWARD, SIGMOID_BACKWARD, SOFTMAX_CROSS_ENTROPY_BACKWARD, TWO_LAYER_GRADIENTS, UNBROADCAST, UNIT]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_layer(rng):
    return layer(*map(int, rng.integers(1, 6, size=3)))(rng)


def any_slopes(rng):
    shape = tuple(map(int, rng.integers(1, 4, size=rng.integers(1, 4))))
    return rng.normal(size=shape), rng.uniform(size=shape)


def any_scores(rng):
    return scores(int(rng.integers(1, 8)), int(rng.integers(2, 6)))(rng)


DOMAIN = {
    "linear_backward": [Case("any layer", any_layer)],
    "sigmoid_backward": [Case("any shape", any_slopes)],
    "softmax_cross_entropy_backward": [Case("any batch", any_scores)],
    "two_layer_gradients": [Case("any network", network((1, 6), (1, 5), (1, 5), (2, 5)))],
    "unbroadcast": [Case("any shapes", any_gradient)],
}
