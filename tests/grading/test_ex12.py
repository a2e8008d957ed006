"""ex12: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

import nnlib
from nnlib import architecture
from nnlib.grading.checks import ex12
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex12.EXERCISES}
POOLS = {"max_pool2d": nnlib.max_pool2d, "mean_pool2d": nnlib.avg_pool2d, "median_pool2d": nnlib.median_pool2d}
ARRAYS = ["conv2d", *POOLS]

SPOILS = {  # what a function returns, spoiled
    "nothing": lambda z: None,
    "zeros": np.zeros_like,
    "doubled": lambda z: 2 * z,
    "negated": lambda z: -z,
    "rounded": np.round,
    "clipped at 0": lambda z: np.maximum(z, 0),
    "one number": np.mean,
    "flat": np.ravel,
    "turned": lambda z: z.swapaxes(2, 3),
    "upside down": lambda z: z[:, :, ::-1],
    "without a batch": lambda z: z[0],
    "images exchanged": lambda z: z[::-1],
    "channels exchanged": lambda z: z[:, ::-1],
    "squeezed": np.squeeze,
    "mean of the batch": lambda z: np.broadcast_to(z.mean(axis=0), z.shape).copy(),
    "padded": lambda z: np.pad(z, ((0, 0), (0, 0), (0, 1), (0, 1))),
    "integers": lambda z: z.astype(int),
    "words": lambda z: "a map",
}


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", ARRAYS)
def test_spoiled_maps_lose_points_and_are_told_what_is_wrong(name, spoil):
    result = examine(BY_NAME[name], lambda *args: SPOILS[spoil](BY_NAME[name].reference(*args)))
    assert result.points < BY_NAME[name].points and any(verdict.problem for verdict in result.verdicts)


def conv_of(change):
    """conv2d with other arguments: change(x, weight, bias, stride, padding)."""
    return lambda x, weight, bias, stride=1, padding=0: ex12.conv2d(*change(x, weight, bias, stride, padding))


WRONG = {
    "conv_parameters": [
        lambda i, o, k, bias=True: None, lambda i, o, k, bias=True: o * (i * k**3 + bias),
        lambda i, o, k, bias=True: (o + bias) * i * k * k, lambda i, o, k, bias=True: o * (i + k * k + bias),
        lambda i, o, k, bias=True: o * i * k * k + bias * k, lambda i, o, k, bias=True: i * (o * k * k + bias),
        lambda i, o, k, bias=True: o * (i * 9 + bias), lambda i, o, k, bias=True: 3 * o * k * k + bias * o,
        lambda i, o, k, bias=True: o * (i * k * k + 1 - bias), lambda i, o, k, bias=True: (o, i, k, k),
        lambda i, o, k, bias=True: o * (i * k * k + 1) if bias else 0],
    "toeplitz": [
        lambda w, n: None, lambda w, n: np.eye(n), lambda w, n: np.tril(ex12.toeplitz(w, n)),
        lambda w, n: ex12.toeplitz(w, n)[::-1], lambda w, n: ex12.toeplitz(w, n) / len(w),
        lambda w, n: ex12.toeplitz(w, n + 1), lambda w, n: ex12.toeplitz(np.ones(len(w)), n),
        lambda w, n: ex12.toeplitz(w[:3], n), lambda w, n: ex12.toeplitz(np.sort(w), n),
        lambda w, n: ex12.toeplitz(w, n) @ np.ones(n), lambda w, n: ex12.toeplitz(w, n).ravel(),
        lambda w, n: ex12.toeplitz(w, n) != 0, lambda w, n: np.roll(ex12.toeplitz(w, n), 1, axis=1)],
    "output_size": [
        lambda size, k, s=1, p=0: None, lambda size, k, s=1, p=0: (size, size),
        lambda size, k, s=1, p=0: int((size - k + 2 * p) / s + 1.5), lambda size, k, s=1, p=0: size,
        lambda size, k, s=1, p=0: (size - k + 2 * p) // s + s, lambda size, k, s=1, p=0: -(-(size + 2 * p) // s),
        lambda size, k, s=1, p=0: (size - k + 2) // s + 1, lambda size, k, s=1, p=0: (size + k + 2 * p) // s + 1,
        lambda size, k, s=1, p=0: (size - 2 * (k // 2) + 2 * p - 1) // s + 1,
        lambda size, k, s=2, p=0: (size - k + 2 * p) // s + 1,
        lambda size, k, s=1, p=1: ex12.output_size(size, k, s, p)],
    "conv2d": [
        conv_of(lambda x, w, b, s, p: (x, w[:, :, ::-1], b, s, p)), conv_of(lambda x, w, b, s, p: (x, w, -b, s, p)),
        conv_of(lambda x, w, b, s, p: (x[:, ::-1], w, b, s, p)), conv_of(lambda x, w, b, s, p: (x, w[::-1], b, s, p)),
        conv_of(lambda x, w, b, s, p: (x, w, b[::-1], s, p)), conv_of(lambda x, w, b, s, p: (x, w, b, 2, p)),
        conv_of(lambda x, w, b, s, p: (x, w, b, s, 1)), conv_of(lambda x, w, b, s, p: (x, w, b, p + 1, s - 1)),
        conv_of(lambda x, w, b, s, p: (np.abs(x), w, b, s, p)), conv_of(lambda x, w, b, s, p: (x, w, b * p, s, p)),
        conv_of(lambda x, w, b, s, p: (x.sum(axis=1, keepdims=True).repeat(x.shape[1], 1), w, b, s, p)),
        conv_of(lambda x, w, b, s, p: (x, w, np.full_like(b, b.mean()), s, p)),
        lambda x, weight, bias, stride=1, padding=0: ex12.conv2d(x, weight, bias, 1, padding)[:, :, :-1:stride]],
    "max_pool2d": [
        lambda x, k, s: ex12.max_pool2d(x, 2, 2), lambda x, k, s: ex12.max_pool2d(x, s, k),
        lambda x, k, s: ex12.max_pool2d(x, k, s).max(axis=1), lambda x, k, s: ex12.max_pool2d(x, k + 1, s),
        lambda x, k, s: np.maximum(x[:, :, ::s, ::s], x[:, :, ::s, ::s]), lambda x, k, s: x,
        lambda x, k, s: ex12.pooling(lambda w: w[..., -1])(x, k, s)],
    "mean_pool2d": [
        lambda x, k, s: ex12.mean_pool2d(x, 2, 2), lambda x, k, s: ex12.mean_pool2d(x, s, k),
        lambda x, k, s: ex12.mean_pool2d(np.maximum(x, 0), k, s), lambda x, k, s: x[:, :, ::s, ::s],
        lambda x, k, s: ex12.pooling(lambda w: w.sum(axis=-1) / (w.shape[-1] - 1 or 1))(x, k, s),
        lambda x, k, s: np.sqrt(np.abs(ex12.mean_pool2d(x * x, k, s)))],
    "median_pool2d": [
        lambda x, k, s: ex12.median_pool2d(x, 2, 2), lambda x, k, s: ex12.median_pool2d(x, s, k),
        lambda x, k, s: ex12.pooling(lambda w: w.min(axis=-1))(x, k, s), lambda x, k, s: x[:, :, ::s, ::s],
        lambda x, k, s: ex12.pooling(lambda w: np.sort(w)[..., 1])(x, k, s),
        lambda x, k, s: ex12.pooling(lambda w: np.sort(w)[..., 1:-1].mean(axis=-1))(x, k, s)],
    "receptive_field": [
        lambda layers: None, lambda layers: 6, lambda layers: sum(k for k, _ in layers) - len(layers),
        lambda layers: sum(k * s for k, s in layers), lambda layers: len(layers) * 2 + 1,
        lambda layers: ex12.receptive_field([(k, 1) for k, s in layers]) * max([s for _, s in layers], default=1),
        lambda layers: ex12.receptive_field([(s, k) for k, s in layers]),
        lambda layers: (ex12.receptive_field(layers), 1), lambda layers: ex12.receptive_field(layers[:-1]),
        lambda layers: ex12.receptive_field(layers[1:]), lambda layers: [ex12.receptive_field([a]) for a in layers],
        lambda layers: ex12.receptive_field(layers) + 1, lambda layers: ex12.receptive_field(layers) // 2 * 2 + 1],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    for number, answer in enumerate(WRONG[name]):
        result = examine(BY_NAME[name], answer)
        assert result.points < BY_NAME[name].points, number
        assert any(verdict.problem for verdict in result.verdicts), number


def pool_by_rows(reduce):
    """Pooling with lists of lists, row by row."""
    def answer(x, kernel_size, stride):
        return [[[[reduce(channel[i:i + kernel_size, j:j + kernel_size])
                   for j in range(0, channel.shape[1] - kernel_size + 1, stride)]
                  for i in range(0, channel.shape[0] - kernel_size + 1, stride)] for channel in image] for image in x]
    return answer


def fills_a_larger_image(x, weight, bias, stride=1, padding=0):
    """conv2d that copies the image into zeros and loops over filters, then places."""
    n, channels, height, width = x.shape
    large = np.zeros((n, channels, height + 2 * padding, width + 2 * padding), np.float32)
    large[:, :, padding:padding + height, padding:padding + width] = x
    maps = []
    for w, b in zip(weight, bias, strict=True):
        rows = range(0, large.shape[2] - w.shape[1] + 1, stride)
        columns = range(0, large.shape[3] - w.shape[2] + 1, stride)
        maps.append([[(large[:, :, i:i + w.shape[1], j:j + w.shape[2]] * w).sum(axis=(1, 2, 3)) + b for j in columns]
                     for i in rows])
    return np.moveaxis(np.array(maps), -1, 0)


@pytest.mark.parametrize("name, answer", [
    ("conv_parameters", lambda i, o, k, bias=True: int(np.prod([o, i, k, k])) + (o if bias else 0)),
    ("toeplitz", lambda w, n: np.stack([np.pad(np.float32(w), (j, n - len(w) - j)) for j in range(n - len(w) + 1)])),
    ("output_size", lambda size, kernel_size, stride=1, padding=0:
        1 + int((size + 2 * padding - kernel_size) / stride)),
    ("conv2d", fills_a_larger_image),
    ("max_pool2d", pool_by_rows(np.max)), ("mean_pool2d", pool_by_rows(np.mean)),
    ("median_pool2d", pool_by_rows(np.median)),
    ("receptive_field", lambda layers: np.int64(1 + sum((k - 1) * np.prod([s for _, s in layers[:i]], dtype=int)
                                                        for i, (k, _) in enumerate(layers)))),
])
def test_other_styles_are_right_too(name, answer):
    assert examine(BY_NAME[name], answer).points == BY_NAME[name].points


def test_the_references_are_nnlibs():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(2, 3, 9, 8)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
    for stride in (1, 2, 3):
        for padding in (0, 1, 2):
            assert np.allclose(ex12.conv2d(x, weight, bias, stride, padding),
                               nnlib.conv2d(x, weight, bias, stride, padding))
            assert ex12.output_size(9, 3, stride, padding) == architecture.output_size(9, 3, stride, padding)
        for name, pool in POOLS.items():
            assert np.allclose(BY_NAME[name].reference(x, 3, stride), pool(x, 3, stride))
    layers = [(3, 1), (2, 2), (5, 1), (3, 3)]
    assert ex12.receptive_field(layers) == architecture.receptive_field(layers)
    assert ex12.conv_parameters(3, 4, 5) == architecture.count_parameters(nnlib.Conv2d(3, 4, 5))


@pytest.mark.parametrize("name, answer", [
    ("conv2d", nnlib.conv2d), ("output_size", architecture.output_size),
    ("receptive_field", architecture.receptive_field), *POOLS.items()])
def test_the_library_itself_is_no_answer(name, answer):
    exercise = BY_NAME[name]
    assert examine(exercise, lambda *args: answer(*args), forbidden=exercise.forbidden_names()).points == 0


@pytest.mark.parametrize("name, answer, misconception", [
    ("conv_parameters", lambda i, o, k, bias=True: o * k * k + (o if bias else 0), "forgets the channels"),
    ("toeplitz", lambda w, n: np.stack([np.roll(np.pad(w, (0, n - len(w))), j) for j in range(n)]), "wrapped around"),
    ("output_size", lambda size, k, s=1, p=0: (size - k + 2 * p) / s + 1, "no floor"),
    ("receptive_field", ex12.multiplied_at_pooling, "multiplied at every pooling"),
    ("max_pool2d", lambda x, k, s: ex12.max_pool2d(np.maximum(x, 0), k, s), "begins at 0"),
    ("median_pool2d", ex12.pooling(lambda w: np.sort(w, axis=-1)[..., w.shape[-1] // 2]), "the upper middle"),
    ("conv2d", lambda x, w, b, stride=1, padding=0: ex12.conv2d(x, np.flip(w, (2, 3)), b, stride, padding),
     "the kernel flipped"),
])
def test_the_mistakes_of_the_chapter_are_told_apart(name, answer, misconception):
    assert examine(BY_NAME[name], answer).misconception == misconception
