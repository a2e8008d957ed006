"""Another set for hostile notebooks: two plain questions, and between them one of every other kind to attack."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception
from nnlib.grading.checks import ex91

NAME = "ex92_hostile"


def walk(slope, w, steps):
    for _ in range(steps):
        w = w - 0.1 * slope(w)
    return w


class Counter:
    def __init__(self):
        self.total = 0.0

    def add(self, x):
        self.total += x
        return self.total


def drive(Answer, numbers):
    counter = Answer()
    return [counter.add(x) for x in numbers]


def deal(cards, rng):
    return rng.permutation(cards)


def all_dealt(got, args, expected):
    if not np.array_equal(np.sort(got), np.sort(args[0])):
        return "each card must come exactly once"
    return None


EXERCISES = [
    ex91.times(2),
    Exercise(
        "walk", 1, walk, time_limit=0.4,
        cases=[Case("a bowl", lambda rng: (lambda w: 2 * w, rng.normal(size=2), 5))],
        misconceptions=[Misconception("uphill", lambda slope, w, steps: w + 0.1 * slope(w), "Subtract.")]),
    Exercise(
        "Counter", 1, Counter, call=drive, time_limit=0.4,
        cases=[Case("five numbers", lambda rng: rng.normal(size=5))],
        misconceptions=[Misconception("turned round", lambda: None, "Add.")]),
    Exercise(
        "deal", 1, deal, time_limit=0.4,
        cases=[Case("ten cards", lambda rng: (rng.normal(size=10), rng), judge=all_dealt)],
        misconceptions=[
            Misconception("with replacement", lambda cards, rng: rng.choice(cards, 10), "Do not put back.")]),
    Exercise(
        "weights", 1, np.array([[1.0, 1.0], [-1.0, -1.0]]),
        cases=[Case("the weights", lambda rng: ())],
        misconceptions=[Misconception("zeros", np.zeros((2, 2)), "Zeros see nothing.")]),
    ex91.times(3),
]
