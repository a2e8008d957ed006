"""ex13: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

from nnlib import Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, Tensor, conv2d, datasets
from nnlib import max_pool2d as nnlibs_pool
from nnlib.grading.checks import ex13
from nnlib.grading.examine import RIGHT, examine

BY_NAME = {exercise.name: exercise for exercise in ex13.EXERCISES}
GRADIENTS = ("conv2d_backward_weight", "conv2d_backward_input", "max_pool2d_backward")

SPOILS = {  # what a gradient becomes
    "negated": lambda a: -a, "doubled": lambda a: 2 * a, "rounded": lambda a: np.round(a),
    "flattened": lambda a: a.ravel(), "their mean": lambda a: np.full_like(a, a.mean()),
    "their sum": lambda a: a.sum(), "the batch lost": lambda a: a[0], "shifted": lambda a: np.roll(a, 1, axis=-1),
    "upside down": lambda a: a[:, :, ::-1], "mirrored": lambda a: a[..., ::-1], "nothing": lambda a: None,
    "a pair": lambda a: (a, a), "size only": lambda a: np.abs(a)}


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", GRADIENTS)
def test_a_spoiled_gradient_loses_points_and_is_told_what_is_wrong(name, spoil):
    exercise = BY_NAME[name]
    result = examine(exercise, lambda *args: SPOILS[spoil](exercise.reference(*args)))
    assert result.points < exercise.points and any(verdict.problem for verdict in result.verdicts)


def by_backward(G, x, weight, stride, padding):
    x, weight = Tensor(x, requires_grad=True), Tensor(weight, requires_grad=True)
    (conv2d(x, weight, stride=stride, padding=padding) * G).sum().backward()
    return x.grad, weight.grad


@pytest.mark.parametrize("stride, padding", [(1, 0), (1, 2), (2, 1), (3, 1)])
def test_the_gradients_are_those_of_nnlib(stride, padding):
    rng = np.random.default_rng(3)
    x, weight = rng.normal(size=(3, 2, 9, 8)), rng.normal(size=(4, 2, 3, 2))
    G = rng.normal(size=conv2d(x, weight, stride=stride, padding=padding).shape)
    for_x, for_weight = by_backward(G, x, weight, stride, padding)
    assert np.abs(ex13.conv2d_backward_weight(G, x, (3, 2), stride, padding) - for_weight).max() < 1e-12
    assert np.abs(ex13.conv2d_backward_input(G, weight, (9, 8), stride, padding) - for_x).max() < 1e-12


@pytest.mark.parametrize("size, stride", [(2, 2), (3, 2), (2, 3), (3, 1)])
def test_the_routes_are_those_of_nnlib(size, stride):
    rng = np.random.default_rng(4)
    x = Tensor(np.round(rng.normal(size=(2, 3, 9, 8))), requires_grad=True)
    y = nnlibs_pool(x, size, stride)
    G = rng.normal(size=y.shape)
    (y * G).sum().backward()
    assert np.allclose(ex13.max_pool2d_backward(G, x.data, size, stride), x.grad)


def weight_by_conv2d(G, x, kernel_size, stride=1, padding=0):
    """The chapter's way: the image correlated with the spread gradient, cut to the kernel's size."""
    x = ex13.padded(x, padding)
    found = conv2d(x.swapaxes(0, 1), ex13.spread(G, stride).swapaxes(0, 1)).swapaxes(0, 1)
    return found[:, :, :kernel_size[0], :kernel_size[1]]


def input_by_conv2d(G, weight, size, stride=1, padding=0):
    full = conv2d(ex13.spread(G, stride), weight[:, :, ::-1, ::-1].swapaxes(0, 1), padding="full")
    whole = np.zeros((*full.shape[:2], size[0] + 2 * padding, size[1] + 2 * padding))
    whole[:, :, :full.shape[2], :full.shape[3]] = full
    return whole[:, :, padding:padding + size[0], padding:padding + size[1]]


def pool_by_four_loops(G, x, size=2, stride=2):
    dx = [[[[0.0] * x.shape[3] for _ in range(x.shape[2])] for _ in range(x.shape[1])] for _ in range(len(x))]
    for n, c, i, j in np.ndindex(*G.shape):
        best, where = -np.inf, None
        for row in range(i * stride, i * stride + size):
            for column in range(j * stride, j * stride + size):
                if x[n, c, row, column] > best:
                    best, where = x[n, c, row, column], (row, column)
        dx[n][c][where[0]][where[1]] += G[n, c, i, j]
    return dx


@pytest.mark.parametrize("name, answer", [
    ("conv2d_backward_weight", weight_by_conv2d), ("conv2d_backward_input", input_by_conv2d),
    ("max_pool2d_backward", pool_by_four_loops),
    ("conv2d_backward_weight", ex13.single(weight_by_conv2d)), ("conv2d_backward_input", ex13.single(input_by_conv2d))])
def test_right_answers_in_other_styles_earn_all(name, answer):
    assert examine(BY_NAME[name], answer).points == BY_NAME[name].points


@pytest.mark.parametrize("name", GRADIENTS[:2])
def test_backward_itself_is_no_answer(name):
    exercise = BY_NAME[name]
    def answer(G, other, *rest):
        by_backward(G, np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)), 1, 0)
    assert examine(exercise, answer, forbidden=exercise.forbidden_names()).points == 0


# The network.

def head(count, hidden, classes, dropout):
    return Linear(count, hidden), ReLU(), Dropout(dropout), Linear(hidden, classes)


WRONG_NETWORKS = {
    "one stage only": lambda s, c, h, k, p: Sequential(
        Conv2d(s[0], c[0], 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), *head(c[0] * s[1] * s[2] // 4, h, k, p)),
    "reversed": lambda s, c, h, k, p: ex13.build_cnn(s, c[::-1], h, k, p),
    "hidden and classes exchanged": lambda s, c, h, k, p: ex13.build_cnn(s, c, k, h, p),
    "ten classes": lambda s, c, h, k, p: ex13.build_cnn(s, c, h, 10, p),
    "gray images": lambda s, c, h, k, p: ex13.build_cnn((1, *s[1:]), c, h, k, p),
    "square images": lambda s, c, h, k, p: ex13.build_cnn((s[0], s[1], s[1]), c, h, k, p),
    "no bias": ex13.network_but(bias=False), "two hidden layers": ex13.network_but(
        head=lambda n, h, k, p: (Linear(n, h), ReLU(), Linear(h, h), ReLU(), Dropout(p), Linear(h, k))),
    "dropout in the stages": ex13.network_but((ReLU, lambda: MaxPool2d(2), lambda: Dropout(0.3))),
    "the class": lambda *args: ex13.OwnNetwork, "nothing": lambda *args: None}


@pytest.mark.parametrize("name", WRONG_NETWORKS)
def test_another_network_loses_points_and_is_told_what_is_wrong(name):
    result = examine(BY_NAME["build_cnn"], WRONG_NETWORKS[name])
    assert result.points < 3 and any(verdict.problem for verdict in result.verdicts)


# Training.

KNOWN = datasets.load_digits()


class Recited(Module):
    """No training: each image is looked up among all digits, or gets the labels in the order of the data set."""

    def __init__(self, search):
        self.search, self.convolution = search, Conv2d(1, 1, 3)

    def forward(self, x):
        images = x.data.reshape(len(x.data), 64)
        nearest = [np.abs(KNOWN.X - image).sum(axis=1).argmin() if self.search else n for n, image in enumerate(images)]
        return Tensor(np.eye(10)[KNOWN.t[nearest]])


@pytest.mark.parametrize("search", [True, False])
def test_labels_known_by_heart_earn_nothing(search):
    assert examine(BY_NAME["train_cnn"], lambda images, labels: Recited(search)).points == 0


def test_the_data_set_is_out_of_bounds_for_train_cnn():
    train = BY_NAME["train_cnn"]
    def answer(images, labels):
        return ex13.RandomKernels(datasets.load_digits().images, labels)
    assert examine(train, answer, forbidden=train.forbidden_names()).points == 0


def test_what_is_sent_to_an_answer_does_not_hold_the_labels_of_the_held_out_digits():
    for trial in BY_NAME["train_cnn"].draw(3):
        images, labels, held_out = trial.args
        assert len(images) == len(labels) and len(held_out) == len(ex13.remembered(held_out)) == 450
        assert trial.case.judge(trial.expected, trial.args, trial.expected) is None


def test_points_go_by_the_accuracy_reached():
    exercise = BY_NAME["train_cnn"]
    results = [examine(exercise, lambda images, labels, rows=rows: ex13.RandomKernels(images, labels, rows=rows))
               for rows in (40, 100, None)]
    assert [result.points for result in results] == sorted(result.points for result in results)
    assert results[0].points == 0 < results[1].points < results[2].points == 4 and results[2].status == RIGHT
    assert "% to " in next(verdict.problem for verdict in results[0].verdicts if verdict.problem)


@pytest.mark.parametrize("answer, said", [
    (lambda images, labels: ex13.Sequential(Flatten(), ex13.flat_network(images, labels)), "no convolution"),
    (lambda images, labels: np.asarray(labels), "expected the trained network"),
    (lambda images, labels: ex13.wrong_scores(images, labels), "expected ten scores")])
def test_what_is_no_such_network_is_told_so(answer, said):
    result = examine(BY_NAME["train_cnn"], answer)
    assert result.points == 0 and said in result.verdicts[0].problem
