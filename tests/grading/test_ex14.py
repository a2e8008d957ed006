"""ex14: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

import nnlib
from nnlib import Tensor, architecture, numerical_gradient
from nnlib.architecture import layer_table
from nnlib.grading.checks import ex14
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex14.EXERCISES}
ARRAYS = ("normalize_filters", "saliency", "occlusion_map")

SPOILS = {  # what an array becomes
    "negated": lambda a: -a, "doubled": lambda a: 2 * a, "rounded": np.round, "flattened": np.ravel,
    "their mean": lambda a: np.full_like(a, a.mean()), "their sum": np.sum, "the first": lambda a: a[:1],
    "shifted": lambda a: np.roll(a, 1, axis=-1), "upside down": lambda a: a[..., ::-1, :],
    "mirrored": lambda a: a[..., ::-1], "on its side": lambda a: np.swapaxes(a, -1, -2), "nothing": lambda a: None,
    "a pair": lambda a: (a, a), "one axis more": lambda a: a[None]}


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", ARRAYS)
def test_a_spoiled_array_loses_points_and_is_told_what_is_wrong(name, spoil):
    exercise = BY_NAME[name]
    result = examine(exercise, lambda *args: SPOILS[spoil](exercise.reference(*args)))
    assert result.points < exercise.points and any(verdict.problem for verdict in result.verdicts)


PARTS = {
    "the other way round": lambda p, s: (s, p), "shares only": lambda p, s: s, "in percent": lambda p, s: (p, 100 * s),
    "sizes": lambda p, s: (np.abs(p), s), "shares sorted": lambda p, s: (p, s[::-1]), "in a list": lambda p, s: [p],
    "components exchanged": lambda p, s: (p[:, ::-1], s), "nothing": lambda p, s: None,
    "too many": lambda p, s: (np.hstack([p, p[:, :1]]), s), "centered again": lambda p, s: (p - p.mean(axis=0), s),
    "standardized": lambda p, s: (p / p.std(axis=0), s), "examples sorted": lambda p, s: (np.sort(p, axis=0), s)}


@pytest.mark.parametrize("spoil", PARTS)
def test_spoiled_components_lose_points_and_are_told_what_is_wrong(spoil):
    result = examine(BY_NAME["pca_project"], lambda *args: PARTS[spoil](*ex14.pca_project(*args)))
    assert result.points < 3 and any(verdict.problem for verdict in result.verdicts)


COUNTS = {
    "parameters only": lambda p, m, d: p, "two of three": lambda p, m, d: (p, m), "swapped": lambda p, m, d: (m, p, d),
    "depth first": lambda p, m, d: (d, p, m), "in millions": lambda p, m, d: (p / 1e6, m / 1e6, d),
    "one level too many": lambda p, m, d: (p, m, d + 1), "a dict": lambda p, m, d: {"parameters": p, "depth": d},
    "the backward pass, too": lambda p, m, d: (p, 3 * m, d), "the sum": lambda p, m, d: p + m + d,
    "one parameter more": lambda p, m, d: (p + 1, m, d), "one less to do": lambda p, m, d: (p, m - 1, d),
    "bytes": lambda p, m, d: (4 * p, m, d), "nothing": lambda p, m, d: None}


@pytest.mark.parametrize("spoil", COUNTS)
def test_spoiled_counts_lose_points_and_are_told_what_is_wrong(spoil):
    result = examine(BY_NAME["count_architecture"], lambda *args: COUNTS[spoil](*ex14.count_architecture(*args)))
    assert result.points < 3 and any(verdict.problem for verdict in result.verdicts)


def filters_by_sorting(filters):
    shown = np.empty(np.shape(filters))
    for k, each in enumerate(filters):
        largest = np.sort(np.abs(each), axis=None)[-1]
        shown[k] = 0.5 if largest == 0 else np.interp(each, [-largest, largest], [0, 1])
    return shown


def saliency_by_differences(model, images, labels):
    """No backward pass at all: slower, and as right."""
    model.eval()
    def own(x):
        return model(Tensor(x)).data[np.arange(len(labels)), labels].sum()
    return np.abs(numerical_gradient(own, np.array(images, dtype=float))).max(axis=1)


def occlusion_by_mask(scores, image, label, size=3, fill=0.0):
    _, height, width = np.shape(image)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    def drop(i, j):
        square = (rows >= i) & (rows < i + size) & (columns >= j) & (columns < j + size)
        return scores(np.array([image, np.where(square, fill, image)]))[:, label] @ [1, -1]
    return [[drop(i, j) for j in range(width - size + 1)] for i in range(height - size + 1)]


def pca_by_gram(known, others, count=2):
    """Eigenvectors of the matrix of products; the directions come from the examples."""
    mean = np.mean(known, axis=0)
    centered = known - mean
    values, vectors = np.linalg.eigh(centered @ centered.T)
    best = np.argsort(-values)[:count]
    directions = centered.T @ vectors[:, best] / np.sqrt(values[best])
    return [(others - mean) @ directions, (values[best] / values.sum()).tolist()]


def count_by_the_library(layers, shape):
    plain = {"conv": lambda out, k, s, p, g: (architecture.Conv(out, k, s, p, g),),
             "pool": lambda k, s: (architecture.Pool(k, s),),
             "dense": lambda out: (architecture.Flatten(), architecture.Dense(out))}
    table = layer_table(tuple(layer for kind, *numbers in layers for layer in plain[kind](*numbers)), shape)
    return table.parameters, table.multiply_adds, sum(row.parameters > 0 for row in table)


@pytest.mark.parametrize("name, answer", [
    ("normalize_filters", filters_by_sorting), ("saliency", saliency_by_differences),
    ("occlusion_map", occlusion_by_mask), ("pca_project", pca_by_gram), ("count_architecture", count_by_the_library)])
def test_right_answers_in_other_styles_earn_all(name, answer):
    assert examine(BY_NAME[name], answer).points == BY_NAME[name].points


def test_the_library_itself_is_no_answer():
    exercise = BY_NAME["count_architecture"]
    assert examine(exercise, count_by_the_library, forbidden=exercise.forbidden_names()).points == 0


def test_a_map_of_the_training_mode_is_told_so():
    wrong = next(known for known in BY_NAME["saliency"].misconceptions if known.name == "in training mode")
    result = examine(BY_NAME["saliency"], wrong.function)
    assert result.points == 3 and result.misconception == wrong.name and result.hint == wrong.hint


def test_the_sign_of_a_component_is_free_one_by_one():
    def answer(known, others, count=2):
        points, shares = ex14.pca_project(known, others, count)
        return points * (-1.0) ** np.arange(count), shares
    assert examine(BY_NAME["pca_project"], answer).points == 3


@pytest.mark.parametrize("network, table", [(architecture.LENET5, ex14.LENET), (architecture.ALEXNET, ex14.alexnet(2)),
                                            (architecture.ALEXNET_UNGROUPED, ex14.alexnet(1))])
def test_tables_are_those_of_the_published_networks(network, table):
    counted = layer_table(network)
    assert ex14.count_architecture(table, network.input_shape)[:2] == (counted.parameters, counted.multiply_adds)


def test_the_saliency_of_the_check_is_the_gradient():
    rng = np.random.default_rng(0)
    images, labels, kernels, W = ex14.for_a_network(2, 3, 4, 5)(rng)
    model = ex14.small_network(kernels, W)
    expected = np.abs(numerical_gradient(
        lambda x: nnlib.Tensor.sum(model(Tensor(x))[np.arange(2), labels]).item(), images)).max(axis=1)
    assert np.abs(ex14.saliency(model, images, labels) - expected).max() < 1e-6
