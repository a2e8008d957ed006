"""The exercise set of the hostile notebooks: two plain questions, and one between them to attack."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex91_hostile"


def sigmoid(z):
    small = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1, small) / (1 + small)


def times(factor):
    return Exercise(
        {2: "double", 3: "triple"}[factor], 1, lambda x: factor * x,
        cases=[Case("a number", lambda rng: rng.normal()), Case("an array", lambda rng: rng.normal(size=(2, 3)))],
        misconceptions=[Misconception("added", lambda x: x + factor, "Multiply, do not add.")])


EXERCISES = [
    times(2),
    Exercise(
        "sigmoid", 2, sigmoid, forbidden=("scipy.special.expit",),
        cases=[Case("three scores by hand", lambda rng: np.array([-2.0, 0.0, 3.0])),
               Case("any shape", lambda rng: rng.normal(size=(3, 4))),
               Case("a single number", lambda rng: rng.normal())],
        misconceptions=[
            Misconception("sign of the exponent", lambda z: 1 / (1 + np.exp(z)), "A large z means class 1.")]),
    times(3),
]
