"""The questions of notebook 14: their answers are what tables, weights and gradients give."""

import numpy as np

from nnlib import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, Tensor, architecture, manual_seed
from nnlib.widgets import Choice, Number, Ordering
from nnlib.widgets.question_bank.nb14 import QUESTIONS


def test_the_best_nudge_is_what_trying_all_directions_gives():
    question, w = QUESTIONS["the best nudge"], np.array([1, -2, 0.5])
    rises = [0.1 * w @ signs for signs in np.array(np.meshgrid(*[[-1, 0, 1]] * 3)).reshape(3, -1).T]
    assert question.judge(max(rises))[0]
    assert all(not question.judge(wrong)[0] for wrong in question.near)
    assert abs(0.1 * np.linalg.norm(w) - 0.229) < 1e-3


def test_networks_are_in_order_of_their_parameters():
    networks = {name: getattr(architecture, attribute) for name, attribute in (
        ("VGG-16", "VGG16"), ("AlexNet", "ALEXNET"), ("ResNet-50", "RESNET50"), ("GoogLeNet", "GOOGLENET"),
        ("LeNet-5", "LENET5"))}
    counts = {name: architecture.count_parameters(network) for name, network in networks.items()}
    items = [item.split(" (")[0] for item in QUESTIONS["who is largest"].items]
    assert items == sorted(counts, key=counts.get, reverse=True)
    millions = [counts[name] / 1e6 for name in items]
    assert [round(number) for number in millions[:4]] == [138, 61, 26, 7] and round(millions[4], 2) == 0.06


def test_gradient_times_image_is_zero_where_there_is_no_ink_whatever_the_weights():
    image = np.random.default_rng(0).random((1, 1, 8, 8)).astype(np.float32)
    image[0, 0, :, :4] = 0
    for seed in range(3):
        manual_seed(seed)
        x = Tensor(image, requires_grad=True)
        Sequential(Conv2d(1, 4, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(64, 10))(x)[0, 3].backward()
        assert not (x.grad * image)[..., :4].any() and x.grad[..., :4].any()
    assert QUESTIONS["sanity check"].answer == "gradient × image"


def test_nine_digits_drawn_by_lot_have_two_or_three_of_one_class():
    drawn = np.random.default_rng(0).integers(10, size=(2000, 9))
    assert 2 < np.mean([np.bincount(nine).max() for nine in drawn]) < 3


def test_ten_means_equally_far_apart_spread_alike_in_nine_directions():
    values = np.linalg.svd(np.eye(10) - np.eye(10).mean(axis=0), compute_uv=False) ** 2
    assert np.allclose(values / values.sum(), [1 / 9] * 9 + [0]) and round(200 / 9) == 22


def test_all_three_kinds_are_there():
    assert {type(question) for question in QUESTIONS.values()} == {Choice, Number, Ordering}
