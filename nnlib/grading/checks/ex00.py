"""ex00, welcome: the warm-up inside notebook 00, worth nothing; it shows how a check behaves."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex00_welcome"


def weighted_sum(x, w, b):
    """A neuron before its activation: x (n,), w (n,), b a number. Returns a number."""
    return np.dot(w, x) + b


def _loop(x, w, b):
    total = float(b)
    for value, weight in zip(x, w):
        total += value * weight
    return total


EXERCISES = [Exercise(
    "weighted_sum", 0, weighted_sum,
    cases=[Case("two inputs, by hand", lambda rng: (np.array([2.0, 1.0]), np.array([3.0, -1.0]), 0.5)),
           Case("five random inputs", lambda rng: (rng.normal(size=5), rng.normal(size=5), rng.normal())),
           Case("all inputs zero", lambda rng: (np.zeros(3), rng.normal(size=3), rng.normal()),
                hint="With all inputs 0 only the bias is left.")],
    misconceptions=[
        Misconception("no bias", lambda x, w, b: np.dot(w, x),
                      "Each input times its weight, added up: that much is right. But a neuron has a bias too; where "
                      "is b?"),
        Misconception("a bias for every input", lambda x, w, b: np.sum(np.asarray(w) * x + b),
                      "You add b inside the sum, so once for every input. A neuron has one bias: add it once, after "
                      "the sum."),
        Misconception("not added up", lambda x, w, b: np.asarray(w) * x + b,
                      "You return one number for each input. A neuron sends one number on: add the products up."),
        Misconception("mean instead of sum", lambda x, w, b: np.mean(np.asarray(w) * x) + b,
                      "You divide by the number of inputs. A neuron adds its weighted inputs; it does not average "
                      "them."),
        Misconception("bias subtracted", lambda x, w, b: np.dot(w, x) - b,
                      "You subtract b: that is a threshold. A bias is added, so it is minus the threshold."),
        Misconception("sum of the weights times sum of the inputs", lambda x, w, b: np.sum(w) * np.sum(x) + b,
                      "You add the inputs up before weighting them. Each input has a weight of its own: multiply "
                      "first."),
        Misconception("already squashed", lambda x, w, b: 1 / (1 + np.exp(-(np.dot(w, x) + b))),
                      "Your answers lie between 0 and 1: you applied the sigmoid. Here we ask for what goes into it.")],
    alternatives=[_loop, lambda x, w, b: float(np.sum(np.multiply(x, w)) + b),
                  lambda x, w, b: np.float32(np.append(x, 1) @ np.append(w, b))])]
