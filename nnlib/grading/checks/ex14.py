"""ex14, what networks learn: the questions of solutions/ex14_what_networks_learn."""

import math

import numpy as np

from nnlib import (
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    ReLU,
    Sequential,
    Tensor,
    cross_entropy,
    manual_seed,
    softmax,
)
from nnlib.grading import Case, Exercise, Misconception, Tolerance

NAME = "ex14_what_networks_learn"


def single(function):
    """The same answer in float32."""
    def answer(*args, **named):
        found = function(*args, **named)
        return tuple(np.float32(part) for part in found) if isinstance(found, tuple) else np.float32(found)
    return answer


# Filters as pictures.

def normalize_filters(filters):
    filters = np.asarray(filters, dtype=float)
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    return 0.5 + filters / (2 * np.where(largest > 0, largest, 1.0))


def filters_one_by_one(filters):
    shown = []
    for each in filters:
        largest = max(abs(float(value)) for value in np.ravel(each))
        shown.append((each / largest + 1) / 2 if largest else np.full(np.shape(each), 0.5))
    return np.array(shown).tolist()


def filters_by(scale, axes=(1, 2, 3)):
    """A wrong scale; scale(filters, axes, keepdims) is what each filter is divided by."""
    def answer(filters):
        by = scale(filters, axes)
        return 0.5 + filters / (2 * np.where(by != 0, by, 1.0))
    return answer


def stretched(axes):
    def answer(filters):
        low, high = (edge(filters, axis=axes, keepdims=True) for edge in (np.min, np.max))
        return np.where(high > low, (filters - low) / np.where(high > low, high - low, 1.0), 0.5)
    return answer


def filters_unguarded(filters):
    return 0.5 + filters / (2 * np.abs(filters).max(axis=(1, 2, 3), keepdims=True))


def filters_in_place(filters):
    filters /= 2 * np.maximum(np.abs(filters).max(axis=(1, 2, 3), keepdims=True), 1e-300)
    filters += 0.5
    return filters


def some_filters(count, channels, height, width):
    return lambda rng: rng.normal(size=(count, channels, height, width)) * rng.uniform(0.2, 3, size=(count, 1, 1, 1))


def with_an_empty_one(rng):
    filters = some_filters(4, 2, 2, 3)(rng)
    filters[rng.integers(4)] = 0
    return filters


FILTERS = Exercise(
    "normalize_filters", 2, normalize_filters,
    cases=[
        Case("the filter of the chapter", lambda rng: np.array([3.0, 0.0, -1.0]).reshape(1, 1, 1, 3),
             hint="The largest size is 3, so 3 becomes 1, 0 becomes 0.5 and -1 becomes 0.5 - 1/6."),
        Case("gray filters of different sizes", some_filters(5, 1, 3, 3),
             hint="Each filter is divided by the largest absolute value of its own weights."),
        Case("color filters that are not square", some_filters(3, 3, 2, 4),
             hint="A filter is a stack (in, height, width): one scale for all its channels."),
        Case("a filter of zeros", with_an_empty_one, no_warnings=True,
             hint="Where all weights are 0 the picture is 0.5 everywhere, without a division by 0."),
    ],
    misconceptions=[
        Misconception("stretched from smallest to largest", stretched((1, 2, 3)),
                      "You stretch each filter from its smallest to its largest weight, so zero has another color in "
                      "every filter. Zero must be 0.5: divide by the largest absolute value."),
        Misconception("one stretch for all", stretched(None),
                      "You stretch all filters together from the smallest to the largest weight. Each has its own "
                      "scale, and zero becomes 0.5."),
        Misconception("one scale for all", filters_by(lambda f, axes: np.abs(f).max()),
                      "You divide all filters by the same number, so weak filters look gray. Each is divided by its "
                      "own largest absolute value."),
        Misconception("one scale for each channel", filters_by(lambda f, axes: np.abs(f).max(axis=(2, 3),
                                                                                             keepdims=True)),
                      "You scale each channel by itself. Then a weak channel looks as strong as the others: a filter "
                      "is the whole stack."),
        Misconception("the largest, not the largest size", filters_by(lambda f, axes: f.max(axis=axes, keepdims=True)),
                      "You divide by the largest weight. If the most negative one is larger in size, the picture "
                      "leaves the range from 0 to 1."),
        Misconception("from -1 to 1", lambda filters: 2 * normalize_filters(filters) - 1,
                      "Your values run from -1 to 1. Halve them and add 0.5, so that they run from 0 to 1."),
        Misconception("not halved", lambda filters: 2 * normalize_filters(filters) - 0.5,
                      "You add 0.5 and do not halve: your values run from -0.5 to 1.5."),
        Misconception("sizes only", lambda filters: np.abs(2 * normalize_filters(filters) - 1),
                      "Negative weights look like positive ones in your answer: you took the absolute value of the "
                      "filter, not only of its scale."),
        Misconception("length one", filters_by(lambda f, axes: np.sqrt((f ** 2).sum(axis=axes, keepdims=True))),
                      "You divide by the length of the filter, the root of the summed squares. Then no weight reaches "
                      "the full color."),
        Misconception("cut off", lambda filters: np.clip(0.5 + np.asarray(filters) / 2, 0, 1),
                      "You cut large weights off and leave small ones pale. Scale instead: nothing is cut."),
        Misconception("moved and cut off", lambda filters: np.clip(np.asarray(filters) + 0.5, 0, 1),
                      "You add 0.5 and cut off what leaves the range. Scale each filter first: then nothing does."),
        Misconception("divided by zero", filters_unguarded,
                      "Right, but for a filter of zeros: there you divide 0 by 0. Divide by 1 where the largest is 0."),
        Misconception("zeros stay zero", lambda filters: np.where(
                          np.any(filters, axis=(1, 2, 3), keepdims=True), normalize_filters(filters), 0.0),
                      "A filter of zeros becomes 0 in your answer, the full negative color. Its weights are zero, so "
                      "it is 0.5."),
        Misconception("in place", filters_in_place,
                      "Your function changes the network's own filters. Write filters / largest, which makes a new "
                      "array."),
    ],
    alternatives=[filters_one_by_one, single(normalize_filters)])


# Saliency.

def small_network(kernels, W, dropout=0.0):
    """A convolution of these kernels (out, in, 3, 3), ReLU, dropout, and a dense layer of the weights W.

    It is in training mode, as it would be after a training.
    """
    manual_seed(0)
    convolution, dense = Conv2d(kernels.shape[1], kernels.shape[0], 3, padding=1), Linear(W.shape[1], W.shape[0])
    for layer, weight in ((convolution, kernels), (dense, W)):
        layer.weight.data = np.array(weight, dtype=float)
        layer.bias.data = np.zeros(len(weight))
    return Sequential(convolution, ReLU(), Flatten(), Dropout(dropout), dense)


def image_gradient(model, images, labels, loss=None, evaluate=True):
    if evaluate:
        model.eval()
    x = Tensor(np.array(images, dtype=float), requires_grad=True)
    (loss or own_scores)(model(x), np.asarray(labels)).backward()
    return x.grad


def own_scores(scores, labels):
    return scores[np.arange(len(labels)), labels].sum()


def saliency(model, images, labels):
    return np.abs(image_gradient(model, images, labels)).max(axis=1)


def saliency_one_by_one(model, images, labels):
    model.eval()
    maps = []
    for image, label in zip(images, labels, strict=True):
        x = Tensor(image[None], requires_grad=True)
        model(x)[0, int(label)].backward()
        maps.append(np.abs(x.grad[0]).max(axis=0).tolist())
    return maps


def saliency_by_mask(model, images, labels):
    model.eval()
    x = Tensor(images, requires_grad=True)
    scores = model(x)
    (scores * np.eye(scores.shape[1])[np.asarray(labels)]).sum().backward()
    return np.maximum(x.grad, -x.grad).max(axis=1)


def saliency_but(reduce=lambda g: np.abs(g).max(axis=1), **options):
    return lambda model, images, labels: reduce(image_gradient(model, images, labels, **options))


def of_the_prediction(model, images, labels):
    model.eval()
    return saliency(model, images, model(Tensor(np.array(images, dtype=float))).data.argmax(axis=1))


def scaled_to_one(model, images, labels):
    maps = saliency(model, images, labels)
    return maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-300)


def largest_then_size(model, images, labels):
    return np.abs(image_gradient(model, images, labels).max(axis=1))


def ask_saliency(saliency, images, labels, kernels, W):
    return saliency(small_network(kernels, W), images, labels)


def ask_with_dropout(saliency, images, labels, kernels, W):
    return saliency(small_network(kernels, W, dropout=0.4), images, labels)


def for_a_network(batch, channels, height, width, maps=3, classes=4):
    """Arguments of `ask_saliency`: images, labels, kernels, weights of the dense layer."""
    def make(rng):
        return (rng.normal(size=(batch, channels, height, width)), rng.integers(0, classes, size=batch),
                rng.normal(size=(maps, channels, 3, 3)), rng.normal(size=(classes, maps * height * width)))
    return make


def by_hand(rng):
    """A single dense layer, written as a network whose convolution passes ink on."""
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 1, 1] = 1
    return np.array([[[[0.5, 1.0, 0.25, 2.0]]]]), np.array([0]), kernel, np.array([[1, -2, 0.5, 0], [0, 1, 1, -1.0]])


SALIENCY = Exercise(
    "saliency", 4, saliency,
    cases=[
        Case("four pixels and the weights of the chapter", by_hand, call=ask_saliency,
             hint="In a linear network the map is the size of each weight of the label's row: [1, 2, 0.5, 0]."),
        Case("three gray images", for_a_network(3, 1, 4, 5), call=ask_saliency,
             hint="Pick the score of each image's own label, sum these over the batch, one backward pass, then the "
                  "absolute value of x.grad."),
        Case("color images", for_a_network(2, 3, 5, 4), call=ask_saliency,
             hint="Absolute value first, then the largest over the channels, axis 1."),
        Case("a network with dropout", for_a_network(4, 2, 4, 4), call=ask_with_dropout,
             hint="A network that has just been trained is still in training mode, and drops units at random. Call "
                  "model.eval() first."),
    ],
    misconceptions=[
        Misconception("in training mode", saliency_but(evaluate=False),
                      "You ask the network in training mode, where dropout hides units at random, so your map differs "
                      "from call to call. Call model.eval() first."),
        Misconception("with its sign", saliency_but(lambda g: g.max(axis=1)),
                      "You do not take the absolute value: pixels that speak against the class matter as much."),
        Misconception("largest first, then its size", largest_then_size,
                      "You take the largest over the channels, then its absolute value. A channel with -3 loses "
                      "against one with 1 that way: absolute value first."),
        Misconception("the sum over the channels", saliency_but(lambda g: np.abs(g).sum(axis=1)),
                      "You add up the channels. Wanted is the largest absolute value among them."),
        Misconception("the mean over the channels", saliency_but(lambda g: np.abs(g).mean(axis=1)),
                      "You average over the channels. Wanted is the largest absolute value among them."),
        Misconception("channels kept", saliency_but(np.abs),
                      "Your maps still have the axis of the channels: take the largest over axis 1."),
        Misconception("the first channel", saliency_but(lambda g: np.abs(g[:, 0])),
                      "You look at the first channel only. A pixel counts by its most important channel."),
        Misconception("the loss", saliency_but(loss=cross_entropy),
                      "You differentiate the loss. Saliency asks for the score of the label, before any softmax."),
        Misconception("the probability", saliency_but(loss=lambda z, t: own_scores(softmax(z), t)),
                      "You differentiate the probability. Where the network is sure, its slope is nearly 0; use the "
                      "score."),
        Misconception("all scores", saliency_but(loss=lambda z, t: z.sum()),
                      "You sum the scores of all classes. Pick the label's: scores[np.arange(len(labels)), labels]."),
        Misconception("the labels of the others, too", saliency_but(loss=lambda z, t: z[:, t].sum()),
                      "scores[:, labels] takes the scores of all labels for every image. Pick one of each row: "
                      "scores[np.arange(len(labels)), labels]."),
        Misconception("one label for all", saliency_but(loss=lambda z, t: z[:, int(t[0])].sum()),
                      "You use the first label for all images. Each image has its own."),
        Misconception("the largest score", of_the_prediction,
                      "You explain the class that the network reads. The question gives a label, which may be another "
                      "class."),
        Misconception("the mean over the batch", saliency_but(loss=lambda z, t: own_scores(z, t) * (1 / len(t))),
                      "Your maps shrink as the batch grows: you take the mean of the scores. Sum them, each image "
                      "has its own gradient."),
        Misconception("times the image", lambda model, images, labels: np.abs(
                          image_gradient(model, images, labels) * images).max(axis=1),
                      "You multiply by the image. That is gradient × image, which the chapter's sanity check caught."),
        Misconception("squared", saliency_but(lambda g: (g ** 2).max(axis=1)),
                      "You square the gradient. Wanted is its absolute value."),
        Misconception("scaled to one", scaled_to_one,
                      "You divide each map by its largest value. Return the derivatives themselves; scaling belongs "
                      "to the picture."),
        Misconception("the first image only", lambda model, images, labels: saliency(model, images[:1], labels[:1]),
                      "You return the map of the first image only. Every image of the batch gets one."),
    ],
    alternatives=[saliency_one_by_one, saliency_by_mask, single(saliency)])


# Occlusion.

def occlusion_map(scores, image, label, size=3, fill=0.0):
    image = np.asarray(image)
    whole = np.asarray(scores(image[None]))[0, label]
    down, across = (n - size + 1 for n in image.shape[1:])
    drops = np.zeros((down, across))
    for i in range(down):
        for j in range(across):
            covered = image.copy()
            covered[:, i:i + size, j:j + size] = fill
            drops[i, j] = whole - np.asarray(scores(covered[None]))[0, label]
    return drops


def occlusion_at_once(scores, image, label, size=3, fill=0.0):
    """All covered images in one batch."""
    down, across = image.shape[1] - size + 1, image.shape[2] - size + 1
    batch = np.repeat(np.array(image)[None], 1 + down * across, axis=0)
    for n, (i, j) in enumerate(np.ndindex(down, across), 1):
        batch[n, :, i:i + size, j:j + size] = fill
    z = scores(batch)[:, label]
    return (z[0] - z[1:]).reshape(down, across).tolist()


def occlusion_but(value=lambda whole, now, label: whole[label] - now[label], cover=None, places=None, step=1):
    """value(scores whole, scores covered, label): the entry.   cover(image, i, j, size, fill): a covered image."""
    def answer(scores, image, label, size=3, fill=0.0):
        whole = scores(image[None])[0]
        down, across = places(image, size) if places else (n - size + 1 for n in image.shape[1:])
        return np.array([[value(whole, scores((cover or covered_at)(image, i, j, size, fill)[None])[0], label)
                          for j in range(0, across, step if step > 0 else size)]
                         for i in range(0, down, step if step > 0 else size)])
    return answer


def covered_at(image, i, j, size, fill):
    image = np.array(image)
    image[:, i:i + size, j:j + size] = fill
    return image


def kept_at(image, i, j, size, fill):
    """All but the square covered."""
    kept = np.full(np.shape(image), float(fill))
    kept[:, i:i + size, j:j + size] = image[:, i:i + size, j:j + size]
    return kept


def first_channel_at(image, i, j, size, fill):
    image = np.array(image)
    image[0, i:i + size, j:j + size] = fill
    return image


def centered_at(image, i, j, size, fill):
    image = np.array(image)
    top, left = max(0, i - size // 2), max(0, j - size // 2)
    image[:, top:i - size // 2 + size, left:j - size // 2 + size] = fill
    return image


def never_restored(scores, image, label, size=3, fill=0.0):
    """One copy for all: the squares stay covered."""
    whole, covered = scores(image[None])[0, label], np.array(image)
    drops = np.zeros((image.shape[1] - size + 1, image.shape[2] - size + 1))
    for i, j in np.ndindex(*drops.shape):
        covered[:, i:i + size, j:j + size] = fill
        drops[i, j] = whole - scores(covered[None])[0, label]
    return drops


def probability(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def of_the_best(scores, image, label, size=3, fill=0.0):
    return occlusion_map(scores, image, int(np.argmax(scores(image[None])[0])), size, fill)


def in_rows(images):
    images = np.asarray(images, dtype=float)
    if images.ndim != 4:
        raise ValueError(f"scores expected images (n, channels, height, width), but got shape {images.shape}; one "
                         "image as a batch is image[None]")
    return images.reshape(len(images), -1)


def linear_scores(W):
    """From images (n, channels, height, width) to scores (n, classes)."""
    return lambda images: in_rows(images) @ W.T


def bent_scores(W, V):
    return lambda images: np.tanh(in_rows(images) @ W.T) @ V.T


def an_image(channels, height, width, size, filled=False, bent=True):
    """Arguments of occlusion_map; the label is never the class with the largest score."""
    def make(rng):
        image = rng.normal(size=(channels, height, width))
        W = rng.normal(size=(7, image.size)) / image.size ** 0.5
        scores = bent_scores(W, rng.normal(size=(4, 7))) if bent else linear_scores(W)
        others = np.argsort(scores(image[None])[0])[:-1]
        return scores, image, int(rng.choice(others)), size, round(float(rng.uniform(0.3, 1)), 2) if filled else 0.0
    return make


def four_pixels(rng):
    return (linear_scores(np.array([[1.0, -2.0, 0.5, 0.0], [0.0, 1.0, 1.0, -1.0]])),
            np.array([[[0.5, 1.0], [0.0, 1.0]]]), 0, 1, 0.0)


OCCLUSION = Exercise(
    "occlusion_map", 3, occlusion_map,
    cases=[
        Case("four pixels and the weights of the chapter", four_pixels,
             hint="Each pixel is covered by itself: the score falls by weight times ink, [[0.5, -2], [0, 0]]."),
        Case("a gray image", an_image(1, 6, 5, 3),
             hint="A square of `size` fits at height - size + 1 places down and width - size + 1 across."),
        Case("a color image, larger squares", an_image(3, 5, 7, 4),
             hint="The square covers all channels."),
        Case("covered with gray", an_image(2, 5, 4, 2, filled=True),
             hint="Covered pixels get the value `fill`."),
    ],
    misconceptions=[
        Misconception("the other way round", occlusion_but(lambda whole, now, k: now[k] - whole[k]),
                      "Your signs are reversed. The map is the drop: score of the whole image minus that of the "
                      "covered one."),
        Misconception("the score itself", occlusion_but(lambda whole, now, k: now[k]),
                      "You return the scores of the covered images. Subtract them from the score of the whole image."),
        Misconception("only the size of the drop", occlusion_but(lambda whole, now, k: abs(whole[k] - now[k])),
                      "You take the absolute value. A negative drop is news: the ink there spoke against the class."),
        Misconception("probabilities", occlusion_but(lambda whole, now, k: probability(whole)[k] - probability(now)[k]),
                      "You compare probabilities. Wanted is the drop of the score, before any softmax."),
        Misconception("relative to the whole", occlusion_but(lambda whole, now, k: (whole[k] - now[k]) / whole[k]),
                      "You divide by the score of the whole image. Wanted is the drop itself."),
        Misconception("the largest score", of_the_best,
                      "You follow the class with the largest score. The question gives a label, which may be another "
                      "class."),
        Misconception("largest before and after", occlusion_but(lambda whole, now, k: whole.max() - now.max()),
                      "You compare the largest scores of both images, which may belong to two different classes. "
                      "Follow the label's score."),
        Misconception("one place short", occlusion_but(places=lambda image, size: [n - size for n in image.shape[1:]]),
                      "The last place is missing in both directions: there are height - size + 1 of them."),
        Misconception("over the edge", occlusion_but(places=lambda image, size: image.shape[1:]),
                      "At the lower and right edges your square hangs over the image. Use only places where it fits."),
        Misconception("centered", occlusion_but(cover=centered_at, places=lambda image, size: image.shape[1:]),
                      "Your square is centered on each pixel, so at the edges a part of it is outside. Place (i, j) "
                      "is its upper left corner, and it must fit."),
        Misconception("squares side by side", occlusion_but(step=0),
                      "Your squares do not overlap. The next one begins one pixel further."),
        Misconception("one channel", occlusion_but(cover=first_channel_at),
                      "You cover the first channel only. The square covers all channels of the image."),
        Misconception("the rest covered", occlusion_but(cover=kept_at),
                      "You keep the square and cover everything else."),
        Misconception("fill forgotten", lambda scores, image, label, size=3, fill=0.0: occlusion_map(
                          scores, image, label, size, 0.0),
                      "You cover with 0 whatever `fill` says."),
        Misconception("3 by 3 at all places", occlusion_but(cover=lambda image, i, j, size, fill: covered_at(
                          image, i, j, 3, fill)),
                      "You cover 3 by 3 pixels whatever `size` says."),
        Misconception("one pixel more", occlusion_but(cover=lambda image, i, j, size, fill: covered_at(
                          image, i, j, size + 1, fill)),
                      "Your squares are one pixel too large: image[:, i:i + size, j:j + size] ends before i + size."),
        Misconception("row and column exchanged", occlusion_but(cover=lambda image, i, j, size, fill: covered_at(
                          image, j, i, size, fill)),
                      "Entry (i, j) belongs to the square that begins in row i and column j: you cover the one in row "
                      "j and column i."),
        Misconception("size forgotten", lambda scores, image, label, size=3, fill=0.0: occlusion_map(
                          scores, image, label, 3, fill) if min(image.shape[1:]) >= 3 else np.zeros((1, 1)),
                      "Your squares are always 3 by 3. Use `size`."),
        Misconception("never uncovered", never_restored,
                      "Earlier squares stay covered: you make one copy for all places, or none. Copy the image anew "
                      "for each."),
    ],
    alternatives=[occlusion_at_once, occlusion_but(), single(occlusion_map)])


# Principal components.

def pca_project(known, others, count=2):
    known, others = np.asarray(known, dtype=float), np.asarray(others, dtype=float)
    mean = known.mean(axis=0)
    _, values, directions = np.linalg.svd(known - mean, full_matrices=False)
    return (others - mean) @ directions[:count].T, (values ** 2 / np.sum(values ** 2))[:count]


def pca_by_covariance(known, others, count=2):
    known = np.asarray(known, dtype=float)
    values, vectors = np.linalg.eigh(np.cov(known.T))
    order = np.argsort(values)[::-1][:count]
    return ((np.asarray(others) - known.mean(axis=0)) @ vectors[:, order]).tolist(), list(values[order] / values.sum())


def pca_mirrored(known, others, count=2):
    """The same components, each with the other sign."""
    points, shares = pca_project(known, others, count)
    return -points, shares


def pca_but(center=lambda known, others: known.mean(axis=0), move=None, scale=None, shares=None, points=None):
    """The components, with one step in another way."""
    def answer(known, others, count=2):
        mean = center(known, others)
        deviation = scale(known) if scale else 1.0
        _, values, directions = np.linalg.svd((known - mean) / deviation, full_matrices=False)
        moved = (others - (move or center)(known, others)) / deviation
        found = points(moved, values, directions, count) if points else moved @ directions[:count].T
        part = (values ** 2 / np.sum(values ** 2))[:count] if shares is None else shares(values, count)
        return found, part
    return answer


def nothing(known, others):
    return 0.0


def upright(pca_project, known, others, count):
    """(points, shares), each component with the sign that makes its largest coordinate positive."""
    found = pca_project(known, others, count)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return found
    points, shares = (np.asarray(part.data if isinstance(part, Tensor) else part) for part in found)
    if points.ndim != 2 or not points.size or points.dtype.kind not in "fiu":
        return points, shares
    most = points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])]
    return points * np.where(most < 0, -1, 1), shares


def clouds(n, m, features, count):
    """Examples to find the components of, and others, whose mean is elsewhere; one direction is longer than the next.

    The points to be projected lie to one side along each component, so that rounding cannot exchange signs.
    """
    def make(rng):
        turn = np.linalg.qr(rng.normal(size=(features, features)))[0]
        sizes = np.array([1.8 ** -k for k in range(features)])
        shift = rng.normal(size=features) + 1
        known = rng.normal(size=(n, features)) * sizes @ turn + shift
        others = (rng.normal(size=(m, features)) + rng.uniform(0.5, 1.5, size=features)) * sizes @ turn + shift
        return known, others, count
    return make


def line_of_points(rng):
    return np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), np.array([[3.0, 4.0], [9.0, 12.0], [7.0, 1.0]]), 1


PCA = Exercise(
    "pca_project", 3, pca_project, call=upright,
    cases=[
        Case("three points on a line, by hand", line_of_points,
             hint="The mean is (3, 4), the direction (0.6, 0.8), all of the variance along it. The point (9, 12) lies "
                  "10 from the mean, along the direction."),
        Case("two components", clouds(30, 12, 5, 2),
             hint="Mean and directions come from `known`; subtract that mean from `others`, too, and multiply by the "
                  "first `count` rows of directions, transposed."),
        Case("three components, fewer examples than features", clouds(6, 9, 8, 3),
             hint="np.linalg.svd(..., full_matrices=False) gives as many directions as there are."),
        Case("one component of long rows", clouds(20, 5, 4, 1),
             hint="The result has the shape (others, count), also for count = 1."),
    ],
    misconceptions=[
        Misconception("not centered", pca_but(center=nothing),
                      "You do not subtract the mean. The first direction then points at the mean of the data in place "
                      "of their largest spread."),
        Misconception("each its own mean", pca_but(move=lambda known, others: others.mean(axis=0)),
                      "You subtract the mean of `others` from them. Both get the mean of `known`, or the two clouds "
                      "cannot be compared."),
        Misconception("others not centered", pca_but(move=nothing),
                      "You project `others` without subtracting the mean of `known`."),
        Misconception("fitted on the others", lambda known, others, count=2: pca_project(others, others, count),
                      "You look for the directions in `others`. They come from `known` alone, as all statistics do."),
        Misconception("fitted on both", lambda known, others, count=2: pca_project(
                          np.concatenate([known, others]), others, count),
                      "You look for the directions in both parts together. They come from `known` alone."),
        Misconception("the known ones projected", lambda known, others, count=2: pca_project(known, known, count),
                      "You project `known`. The directions come from them, but `others` are to be projected."),
        Misconception("one mean for all features", pca_but(center=lambda known, others: known.mean()),
                      "You subtract one number, the mean of everything. Each feature has its own mean: axis 0."),
        Misconception("scaled features", pca_but(scale=lambda known: known.std(axis=0)),
                      "You also divide by the deviation of each feature. PCA here only subtracts the mean."),
        Misconception("the smallest ones", pca_but(points=lambda X, s, V, k: X @ V[::-1][:k].T,
                                                   shares=lambda s, k: (s ** 2 / np.sum(s ** 2))[::-1][:k]),
                      "You keep the directions of smallest variance. The largest come first in an SVD; with "
                      "eigenvalues they come last."),
        Misconception("columns of directions", pca_but(points=lambda X, s, V, k: X @ V.T[:, :k] if V.shape[0]
                                                       != V.shape[1] else X @ V[:, :k]),
                      "With the third result of svd, directions are its rows, not its columns: directions[:count].T."),
        Misconception("scaled to one", pca_but(points=lambda X, s, V, k: X @ V[:k].T / s[:k]),
                      "You divide the points by the singular values, so all components look equally long. Leave their "
                      "lengths."),
        Misconception("count forgotten", lambda known, others, count=2: pca_project(known, others, 2),
                      "You always keep two components. Keep `count` of them."),
        Misconception("shares of all", pca_but(shares=lambda s, k: s ** 2 / np.sum(s ** 2)),
                      "You return the shares of all components. Return those of the first `count`."),
        Misconception("sizes of the coordinates", pca_but(points=lambda X, s, V, k: np.abs(X @ V[:k].T)),
                      "Your points have no negative coordinates. A point may lie on either side of the mean."),
        Misconception("columns of a square matrix", pca_but(points=lambda X, s, V, k: X @ V[:, :k]),
                      "The directions are the rows of what svd returns third, and you take its columns. Write "
                      "directions[:count].T."),
        Misconception("not squared", pca_but(shares=lambda s, k: (s / s.sum())[:k]),
                      "Your shares are those of the singular values. Variance is their square."),
        Misconception("shares of what is kept", pca_but(shares=lambda s, k: s[:k] ** 2 / np.sum(s[:k] ** 2)),
                      "Your shares add up to 1: you divide by the variance of the kept components. Divide by that of "
                      "all."),
        Misconception("added up", pca_but(shares=lambda s, k: np.cumsum(s ** 2 / np.sum(s ** 2))[:k]),
                      "You add the shares up. Return the share of each component."),
        Misconception("one share", pca_but(shares=lambda s, k: (s ** 2 / np.sum(s ** 2))[:k].sum()),
                      "You return the sum of the shares. Return one for each component, an array (count,)."),
        Misconception("variances", pca_but(shares=lambda s, k: s[:k] ** 2),
                      "You return squared singular values. Divide by the sum of all of them to get shares."),
        Misconception("points only", lambda known, others, count=2: pca_project(known, others, count)[0],
                      "You return the points alone. Return two things: the points, and the shares of variance."),
        Misconception("on its side", lambda known, others, count=2: (pca_project(known, others, count)[0].T,
                                                                     pca_project(known, others, count)[1]),
                      "Your points stand in columns. Rows are examples: the shape is (others, count)."),
    ],
    alternatives=[pca_by_covariance, pca_mirrored, single(pca_project)])


# Counting.

def count_architecture(layers, shape):
    (channels, height, width), parameters, multiply_adds, depth = shape, 0, 0, 0
    for kind, *numbers in layers:
        if kind == "conv":
            out, kernel, stride, padding, groups = numbers
            height, width = ((n + 2 * padding - kernel) // stride + 1 for n in (height, width))
            weights = channels // groups * kernel * kernel * out
            parameters, multiply_adds = parameters + weights + out, multiply_adds + weights * height * width
            channels, depth = out, depth + 1
        elif kind == "pool":
            kernel, stride = numbers
            height, width = ((n - kernel) // stride + 1 for n in (height, width))
        else:
            weights = channels * height * width * numbers[0]
            channels, height, width = numbers[0], 1, 1
            parameters, multiply_adds, depth = parameters + weights + channels, multiply_adds + weights, depth + 1
    return parameters, multiply_adds, depth


def count_by_rows(layers, shape):
    """A list of (parameters, multiply-adds) for each layer with weights, summed at the end."""
    rows, shape = [], list(shape)
    for layer in layers:
        if layer[0] == "dense":
            rows.append((layer[1] * (math.prod(shape) + 1), layer[1] * math.prod(shape)))
            shape = [layer[1], 1, 1]
            continue
        kernel, stride, padding = (layer[2], layer[3], layer[4]) if layer[0] == "conv" else (layer[1], layer[2], 0)
        places = [int((n + 2 * padding - kernel) / stride) + 1 for n in shape[1:]]
        if layer[0] == "conv":
            weights = layer[1] * shape[0] * kernel ** 2 // layer[5]
            rows.append((weights + layer[1], weights * math.prod(places)))
        shape = [layer[1] if layer[0] == "conv" else shape[0], *places]
    return [sum(row[0] for row in rows), sum(row[1] for row in rows), len(rows)]


def count_but(size=lambda n, kernel, stride, padding: (n + 2 * padding - kernel) // stride + 1, pool=None,
              weights=lambda channels, kernel, out, groups: channels * kernel ** 2 * out // groups,
              bias=(1, 1), places=lambda before, after: after[1] * after[2], flat=math.prod, levels=(1, 0, 1), twice=1,
              biases_work=False):
    """Counting with one step in another way; with the defaults it is right.

    pool(n, kernel, stride): what a pooling makes of a size.   bias: of a convolution's map, of a dense unit.
    places(shape before, shape after): of a convolution.   levels: what a conv, pool and dense layer add to the depth.
    """
    def answer(layers, shape):
        shape, parameters, work, depth = tuple(shape), 0, 0, 0
        for kind, *numbers in layers:
            depth += levels[("conv", "pool", "dense").index(kind)]
            if kind == "conv":
                out, kernel, stride, padding, groups = numbers
                count = weights(shape[0], kernel, out, groups)
                before, shape = shape, (out, *(size(n, kernel, stride, padding) for n in shape[1:]))
                parameters += count + bias[0] * out
                work += (count + biases_work * out) * places(before, shape)
            elif kind == "pool":
                shape = (shape[0], *(pool(n, *numbers) if pool else size(n, *numbers, 0) for n in shape[1:]))
            else:
                count = flat(shape) * numbers[0]
                shape = (numbers[0], 1, 1)
                parameters, work = parameters + count + bias[1] * numbers[0], work + count + biases_work * numbers[0]
        return parameters, twice * work, depth
    return answer


LENET = [("conv", 6, 5, 1, 0, 1), ("pool", 2, 2), ("conv", 16, 5, 1, 0, 1), ("pool", 2, 2), ("conv", 120, 5, 1, 0, 1),
         ("dense", 84), ("dense", 10)]


def alexnet(groups):
    return [("conv", 96, 11, 4, 0, 1), ("pool", 3, 2), ("conv", 256, 5, 1, 2, groups), ("pool", 3, 2),
            ("conv", 384, 3, 1, 1, 1), ("conv", 384, 3, 1, 1, groups), ("conv", 256, 3, 1, 1, groups), ("pool", 3, 2),
            ("dense", 4096), ("dense", 4096), ("dense", 1000)]


def a_table(rng, convolutions=3, groups=True):
    """A random table, with strides that leave pixels over, for an image that is not square."""
    layers, channels = [], int(2 * rng.integers(1, 4))
    shape = channels, int(rng.integers(130, 150)), int(rng.integers(151, 170))  # more than three strides of 2 use up
    for number in range(convolutions):
        out, divisor = int(4 * rng.integers(1, 5)), 2 if groups and rng.random() < 0.6 else 1
        layers.append(("conv", out, int(rng.choice([2, 3, 5])), int(rng.integers(1, 3)), int(rng.integers(0, 3)),
                       divisor))
        if number < convolutions - 1 and rng.random() < 0.8:
            layers.append(("pool", 3 if rng.random() < 0.5 else 2, 2))
    layers += [("dense", int(rng.integers(5, 30))) for _ in range(int(rng.integers(1, 3)))]
    return layers, shape


def several_tables(**options):
    def make(rng):
        return ([a_table(rng, **options) for _ in range(3)],)
    return make


EXACT = Tolerance(0, 0.4, "what is counted is whole")


def count_all(count_architecture, tables):
    return [count_architecture(*table) for table in tables]


COUNT = Exercise(
    "count_architecture", 3, count_architecture,
    forbidden=("nnlib.architecture.layer_table", "nnlib.architecture.count_parameters"),
    cases=[
        Case("LeNet-5", lambda rng: (list(LENET), (1, 32, 32)), tolerance=EXACT,
             hint="Its first convolution gives 6 maps of 28x28: 156 parameters and 150 · 784 multiply-adds."),
        Case("tables without groups", several_tables(groups=False), call=count_all, tolerance=EXACT,
             hint="Go through the layers and keep (channels, height, width). A size becomes "
                  "(size + 2 · padding - kernel) // stride + 1."),
        Case("tables with groups", several_tables(), call=count_all, tolerance=EXACT,
             hint="With groups each output sees channels / groups maps only."),
        Case("AlexNet, in two groups and in one", lambda rng: ([(alexnet(2), (3, 227, 227)),
                                                               (alexnet(1), (3, 227, 227))],), call=count_all,
             tolerance=EXACT,
             hint="60,965,224 parameters in two groups, 62,378,344 in one."),
    ],
    misconceptions=[
        Misconception("no biases", count_but(bias=(0, 0)),
                      "The biases are missing: one for each map of a convolution and one for each dense unit."),
        Misconception("no biases in convolutions", count_but(bias=(0, 1)),
                      "The biases of the convolutions are missing, one for each map."),
        Misconception("no biases in dense layers", count_but(bias=(1, 0)),
                      "The biases of the dense layers are missing, one for each unit."),
        Misconception("groups ignored", count_but(weights=lambda c, k, out, g: c * k * k * out),
                      "You do not use the groups. Each output sees only channels / groups maps."),
        Misconception("groups on both sides", count_but(weights=lambda c, k, out, g: c * k * k * out // g ** 2),
                      "You divide by the groups twice, channels and outputs. All outputs are there, each sees a part "
                      "of the channels."),
        Misconception("kernel not squared", count_but(weights=lambda c, k, out, g: c * k * out // g),
                      "A kernel has k · k weights for each channel, not k."),
        Misconception("one channel", count_but(weights=lambda c, k, out, g: k * k * out),
                      "Your kernels see one channel. Each has a slice for each map of the layer before."),
        Misconception("pooling skipped", count_but(pool=lambda n, kernel, stride: n),
                      "Your maps do not shrink in the pooling layers."),
        Misconception("pooling by its stride", count_but(pool=lambda n, kernel, stride: n // stride),
                      "You divide by the stride of a pooling and forget its kernel: (size - kernel) // stride + 1."),
        Misconception("pooling by its kernel", count_but(pool=lambda n, kernel, stride: n // kernel),
                      "You divide by the kernel of a pooling and forget its stride: (size - kernel) // stride + 1."),
        Misconception("stride ignored", count_but(size=lambda n, k, s, p: n + 2 * p - k + 1),
                      "You do not use the stride: sizes become (size + 2 · padding - kernel) // stride + 1."),
        Misconception("padding once", count_but(size=lambda n, k, s, p: (n + p - k) // s + 1),
                      "Padding is added on both sides: 2 · padding."),
        Misconception("padding ignored", count_but(size=lambda n, k, s, p: (n - k) // s + 1),
                      "You do not use the padding."),
        Misconception("rounded up", count_but(size=lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1),
                      "You round sizes up. Where the stride leaves pixels over they are lost: round down, with //."),
        Misconception("plus 1 forgotten", count_but(size=lambda n, k, s, p: (n + 2 * p - k) // s),
                      "One place is missing in each direction: + 1 at the end of the formula."),
        Misconception("only the maps count", count_but(flat=lambda shape: shape[0]),
                      "Your first dense layer sees one number for each map. It sees channels · height · width of "
                      "them."),
        Misconception("square maps only", count_but(flat=lambda shape: shape[0] * shape[1] ** 2),
                      "You take the maps for square. A dense layer sees channels · height · width numbers."),
        Misconception("places of the input", count_but(places=lambda before, after: before[1] * before[2]),
                      "You count the places of a convolution's input. Its kernel is used once for each place of the "
                      "output."),
        Misconception("no places", count_but(places=lambda before, after: 1),
                      "A kernel works at every place: its multiply-adds are weights · height · width of its output."),
        Misconception("places of one side", count_but(places=lambda before, after: after[1]),
                      "The places of a map are height · width, not the height alone."),
        Misconception("biases counted as work", count_but(biases_work=True),
                      "You count the biases among the multiply-adds. A bias is added, and multiplies nothing."),
        Misconception("counted twice", count_but(twice=2),
                      "You count multiplication and addition as two operations. Here one multiply-add is one."),
        Misconception("pooling counted as depth", count_but(levels=(1, 1, 1)),
                      "Pooling has no weights, so it does not count for the depth."),
        Misconception("convolutions only", count_but(levels=(1, 0, 0)),
                      "The dense layers have weights, too: they count for the depth."),
    ],
    alternatives=[count_by_rows, count_but()])


EXERCISES = [FILTERS, SALIENCY, OCCLUSION, PCA, COUNT]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_filters(rng):
    filters = some_filters(*map(int, rng.integers(1, 5, size=4)))(rng)
    if rng.random() < 0.3:
        filters[rng.integers(len(filters))] = 0
    return filters


def any_network(rng):
    return for_a_network(*map(int, rng.integers(1, 5, size=4)), classes=int(rng.integers(2, 5)))(rng)


def any_image(rng):
    height, width = map(int, rng.integers(2, 7, size=2))
    return an_image(int(rng.integers(1, 4)), height, width, int(rng.integers(1, min(height, width) + 1)),
                    bool(rng.random() < 0.5))(rng)


def any_clouds(rng):
    features = int(rng.integers(2, 7))
    return clouds(int(rng.integers(features + 2, 20)), int(rng.integers(2, 9)), features,
                  int(rng.integers(1, features)))(rng)


DOMAIN = {
    "normalize_filters": [Case("any filters", any_filters)],
    "saliency": [Case("any network", any_network, call=ask_with_dropout)],
    "occlusion_map": [Case("any image", any_image)],
    "pca_project": [Case("any clouds", any_clouds)],
    "count_architecture": [Case("any table", lambda rng: a_table(rng, int(rng.integers(1, 4))), tolerance=EXACT)],
}
