"""ex11: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import inspect

import numpy as np
import pytest

import nnlib
from nnlib.grading.checks import ex11
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex11.EXERCISES}


def masked(mask, factor=lambda p: 1 / (1 - p)):
    return lambda x, p, rng, training=True: x * mask(x, p, rng) * factor(p) if training else x


class StopsForGood(ex11.EarlyStopping):
    """Waits for `patience` epochs, however they were spread, after the first rise."""

    risen = 0

    def update(self, loss, weights):
        self.risen += bool(self.risen) or loss > self.best_loss
        ex11.EarlyStopping.update(self, loss, weights)
        return self.risen >= self.patience


class WaitsForADrop(ex11.EarlyStopping):
    """Wants a loss lower by a tenth."""

    def update(self, loss, weights):
        self.epoch += 1
        if loss < 0.9 * self.best_loss:
            self.best_loss, self.best_epoch, self.best_weights = loss, self.epoch, np.array(weights)
        return self.epoch - self.best_epoch >= self.patience


class StopsAtTheMean(ex11.EarlyStopping):
    def update(self, loss, weights):
        self.seen = [*getattr(self, "seen", []), loss]
        ex11.EarlyStopping.update(self, loss, weights)
        return bool(loss > np.mean(self.seen[-self.patience:]))


class ForgetsTheEpoch(ex11.EarlyStopping):
    def update(self, loss, weights):
        done = ex11.EarlyStopping.update(self, loss, weights)
        self.shown, self.best_epoch = self.best_epoch, self.best_epoch if not done else self.epoch
        return done


class RaisesAtTheEnd(ex11.EarlyStopping):
    def update(self, loss, weights):
        if ex11.EarlyStopping.update(self, loss, weights):
            raise StopIteration
        return False


class SaysWords(ex11.EarlyStopping):
    def update(self, loss, weights):
        return "stop" if ex11.EarlyStopping.update(self, loss, weights) else "go on"


class SharedByAll(ex11.EarlyStopping):
    """Keeps its best loss in the class."""

    shared = [np.inf]

    def update(self, loss, weights):
        self.best_loss = self.shared[0]
        done = ex11.EarlyStopping.update(self, loss, weights)
        self.shared[0] = min(self.shared[0], loss)
        return done


class Halves(ex11.EarlyStopping):
    def kept(self, weights):
        return np.array(weights) / 2


class OnlyTheFirstWeight(ex11.EarlyStopping):
    def kept(self, weights):
        return np.array(weights)[:1]


class PatienceFromTheStart(ex11.EarlyStopping):
    def update(self, loss, weights):
        return ex11.EarlyStopping.update(self, loss, weights) and self.epoch > 2 * self.patience + 3


def norm_with(spoil):
    def answer(*args, **named):
        return spoil(*(np.asarray(part) for part in ex11.batch_norm_forward(*args, **named)))
    return answer


def back_with(spoil):
    return lambda *args: spoil(*(np.asarray(part) for part in ex11.batch_norm_backward(*args)))


WRONG = {
    "l2_gradient": [
        lambda w, strength: None, lambda w, strength: strength, lambda w, strength: strength * w**2,
        lambda w, strength: strength + w, lambda w, strength: w - strength, lambda w, strength: strength * w.sum(),
        lambda w, strength: strength**2 * w, lambda w, strength: strength * w / np.linalg.norm(w),
        lambda w, strength: np.round(strength * w), lambda w, strength: strength * w.ravel()[:1],
        lambda w, strength: 0.01 * w, lambda w, strength: strength * np.maximum(w, 0)],
    "l1_gradient": [
        lambda w, strength: None, lambda w, strength: strength, lambda w, strength: strength * (w > 0),
        lambda w, strength: np.sign(strength * w), lambda w, strength: strength + np.sign(w),
        lambda w, strength: strength * np.sign(w.sum()), lambda w, strength: strength * np.tanh(w),
        lambda w, strength: strength * np.clip(w, -1, 1), lambda w, strength: np.sign(w) * (np.abs(w) - strength),
        lambda w, strength: strength**2 * np.sign(w), lambda w, strength: strength * np.sign(w).ravel()],
    "dropout": [
        lambda x, p, rng, training=True: None, lambda x, p, rng, training=True: x,
        lambda x, p, rng, training=True: np.zeros_like(x), masked(lambda x, p, rng: rng.normal(size=x.shape) >= p),
        masked(lambda x, p, rng: rng.random() >= p), masked(lambda x, p, rng: rng.random(x.shape) >= 0.5),
        masked(lambda x, p, rng: np.abs(x) > np.quantile(np.abs(x), p)),
        masked(lambda x, p, rng: np.random.default_rng(7).random(x.shape) >= p),
        masked(lambda x, p, rng: rng.random(x.shape) >= p, lambda p: 2), masked(lambda x, p, rng: 1 - p),
        lambda x, p, rng, training=False: ex11.dropout(x, p, rng, training),
        lambda x, p, rng, training=True: ex11.dropout(x, p, rng, not training),
        lambda x, p, rng, training=True: dropout_by_choice(x, p, rng) if training else x / (1 - p),
        lambda x, p, rng, training=True: x[:, rng.random(x.shape[1]) >= p] / (1 - p)],
    "EarlyStopping": [
        StopsForGood, WaitsForADrop, StopsAtTheMean, ForgetsTheEpoch, RaisesAtTheEnd, SaysWords, SharedByAll, Halves,
        OnlyTheFirstWeight, PatienceFromTheStart],
    "augment_shift": [
        lambda images, most, rng: None, lambda images, most, rng: np.zeros_like(images),
        lambda images, most, rng: images[..., ::-1], lambda images, most, rng: images + rng.random(images.shape),
        ex11.shifting(lambda rng, most, n: rng.integers(-1, 1, (n, 2), endpoint=True) * (most > 0)),
        ex11.shifting(lambda rng, most, n: rng.integers(-most, 0, (n, 2), endpoint=True)),
        ex11.shifting(lambda rng, most, n: np.abs(rng.integers(-most, most, (n, 2), endpoint=True))),
        ex11.shifting(lambda rng, most, n: rng.permutation(np.resize([most, -most, 0], (2 * n))).reshape(n, 2)),
        ex11.shifting(move=lambda image, down, right: image[max(down, 0):, max(right, 0):]),
        ex11.shifting(move=lambda image, down, right: ex11.moved(image, down, right).T),
        lambda images, most, rng: np.concatenate([images, ex11.augment_shift(images, most, rng)]),
        lambda images, most, rng: ex11.augment_shift(images, most, np.random.default_rng(len(images))),
        lambda images, most, rng: [ex11.moved(image, *rng.integers(-most, most + 1, 2)) for image in images[:1]]],
    "batch_norm_forward": [
        norm_with(lambda Y, m, v: None), norm_with(lambda Y, m, v: (m, v, Y)), norm_with(lambda Y, m, v: (Y, v, m)),
        norm_with(lambda Y, m, v: (Y.T, m, v)), norm_with(lambda Y, m, v: (Y, m, np.sqrt(v))),
        norm_with(lambda Y, m, v: (Y, m, m)), norm_with(lambda Y, m, v: (Y, m.mean(), v.mean())),
        norm_with(lambda Y, m, v: (np.clip(Y, -1, 1), m, v)), norm_with(lambda Y, m, v: (Y, m, v, m)),
        ex11.normalizing(lambda X: (np.median(X, axis=0), X.var(axis=0))),
        ex11.normalizing(lambda X: (X[0], X.var(axis=0))),
        ex11.normalizing(lambda X: (X.mean(axis=0), np.ptp(X, axis=0))),
        ex11.normalizing(share=lambda momentum: 0.1), ex11.normalizing(scale=lambda var, eps: np.sqrt(var + 1e-5))],
    "batch_norm_backward": [
        back_with(lambda dX, g, b: None), back_with(lambda dX, g, b: (-dX, g, b)), back_with(lambda dX, g, b: (dX, g)),
        back_with(lambda dX, g, b: (dX, -g, b)), back_with(lambda dX, g, b: (dX / len(dX), g, b)),
        back_with(lambda dX, g, b: (dX.T, g, b)), back_with(lambda dX, g, b: (dX, g.sum(), b.sum())),
        back_with(lambda dX, g, b: (dX, b, b)), back_with(lambda dX, g, b: (dX, g, g)),
        ex11.going_back(D=lambda G, gamma: G / gamma), ex11.going_back(lambda s, D, X_hat, n: s * (D - X_hat)),
        ex11.going_back(lambda s, D, X_hat, n: s * (D - D.mean(axis=0)) * (1 - X_hat**2))],
    "ema_update": [
        lambda average, weights, decay: None, lambda average, weights, decay: decay,
        lambda average, weights, decay: decay * (average + weights),
        lambda average, weights, decay: average + decay * weights,
        lambda average, weights, decay: decay * average - (1 - decay) * weights,
        lambda average, weights, decay: 0.9 * average + 0.1 * weights,
        lambda average, weights, decay: (decay * average + weights) / 2,
        lambda average, weights, decay: decay**2 * average + (1 - decay**2) * weights,
        lambda average, weights, decay: np.maximum(average, weights),
        lambda average, weights, decay: [ex11.ema_update(average, weights, decay), average]],
    "ensemble_predict": [
        lambda scores: None, lambda scores: ex11.softmax(scores), lambda scores: ex11.softmax(np.max(scores, axis=0)),
        lambda scores: ex11.softmax(np.sum(scores, axis=0)), lambda scores: ex11.ensemble_predict(scores).T,
        lambda scores: ex11.softmax(ex11.ensemble_predict(scores)), lambda scores: ex11.softmax(scores)[-1],
        lambda scores: np.median(ex11.softmax(scores), axis=0), lambda scores: ex11.ensemble_predict(scores)[0],
        lambda scores: ex11.ensemble_predict(np.clip(scores, -700, 700)) if np.abs(scores).max() < 700 else 0,
        lambda scores: 1 / (1 + np.exp(-np.mean(np.clip(scores, -700, 700), axis=0))),
        lambda scores: ex11.ensemble_predict(scores).mean(axis=0)],
}


@pytest.mark.parametrize("name", WRONG)
def test_further_wrong_answers_lose_points_and_are_told_what_is_wrong(name):
    assert len(WRONG[name]) >= 10
    for number, answer in enumerate(WRONG[name]):
        result = examine(BY_NAME[name], answer)
        assert result.points < BY_NAME[name].points, number
        assert any(verdict.problem for verdict in result.verdicts)


def dropout_by_choice(x, p, rng, training=True):
    return x * rng.choice([0, 1 / (1 - p)], p=[p, 1 - p], size=x.shape) if training else np.array(x)


class FlagsAndLists:
    """Keeps the weights as a list, and counts down."""

    best_loss, best_epoch, best_weights, epoch = float("inf"), 0, None, 0

    def __init__(self, patience):
        self.patience = self.waiting = patience

    def update(self, loss, weights):
        self.epoch += 1
        if loss >= self.best_loss:
            self.waiting -= 1
            if self.waiting <= 0:
                return True
        else:
            self.waiting, self.best_loss, self.best_epoch = self.patience, loss, self.epoch
            self.best_weights = [float(value) for value in weights]
        return False


def shift_pixel_by_pixel(images, most, rng):
    result = [[[0.0] * images.shape[2] for _ in range(images.shape[1])] for _ in images]
    for k, image in enumerate(images):
        down, right = rng.integers(-most, most + 1, 2)
        for i, j in np.ndindex(*image.shape):
            if 0 <= i + down < image.shape[0] and 0 <= j + right < image.shape[1]:
                result[k][i + down][j + right] = float(image[i, j])
    return result


def shift_all_at_once(images, most, rng):
    moves = rng.integers(-most, most, size=(len(images), 2), endpoint=True)
    return nnlib.datasets.augmentation.warp(images[:, None], np.eye(2))[:, 0] if not most else np.stack(
        [ex11.moved(image, *move) for image, move in zip(images, moves)])


def norm_row_by_row(X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    mean, var = (np.mean(X, 0), np.var(X, 0)) if training else (running_mean, running_var)
    rows = [[g * (x - m) * (v + eps) ** -0.5 + b for x, m, v, g, b in zip(row, mean, var, gamma, beta)] for row in X]
    if training:
        running_mean = running_mean + momentum * (mean - running_mean)
        running_var = running_var + momentum * (np.var(X, 0, ddof=1) - running_var)
    return rows, list(running_mean), list(running_var)


def backward_by_the_engine(G, X, gamma, eps=1e-5):
    x, g, b = (nnlib.Tensor(a, requires_grad=True) for a in (X.copy(), gamma.copy(), np.zeros_like(gamma)))
    centered = x - x.mean(axis=0)
    y = centered / ((centered * centered).mean(axis=0) + eps) ** 0.5 * g + b
    (y * nnlib.Tensor(G)).sum().backward()
    return x.grad, g.grad, b.grad


RIGHT = {"dropout": [dropout_by_choice], "EarlyStopping": [FlagsAndLists],
         "augment_shift": [shift_pixel_by_pixel, shift_all_at_once],
         "batch_norm_forward": [norm_row_by_row], "batch_norm_backward": [backward_by_the_engine],
         "l2_gradient": [lambda w, strength: nnlib.Tensor(strength * w)],
         "l1_gradient": [lambda w, strength: np.where(w == 0, 0, np.copysign(strength, w))],
         "ema_update": [lambda average, weights, decay: np.average([average, weights], axis=0,
                                                                   weights=[decay, 1 - decay])],
         "ensemble_predict": [lambda scores: np.mean([
             1 / np.sum(np.exp(np.clip(z[..., None, :] - z[..., None], -700, 700)), axis=-1) for z in scores], axis=0)]}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_in_other_styles_earn_all(name):
    for answer in RIGHT[name]:
        result = examine(BY_NAME[name], answer)
        assert result.points == BY_NAME[name].points, [verdict.problem for verdict in result.verdicts]


def test_the_references_agree_with_nnlib():
    rng = np.random.default_rng(0)
    layer, running = nnlib.BatchNorm1d(3, dtype=float), (np.zeros(3), np.ones(3))
    for _ in range(5):
        X, G = rng.normal(2, 3, size=(6, 3)), rng.normal(size=(6, 3))
        Y, *running = ex11.batch_norm_forward(X, layer.weight.data, layer.bias.data, *running)
        x = nnlib.Tensor(X, requires_grad=True)
        y = layer(x)
        layer.zero_grad()
        (y * nnlib.Tensor(G)).sum().backward()
        assert np.allclose(y.data, Y) and np.allclose(layer.running_var.data, running[1])
        for ours, theirs in zip(ex11.batch_norm_backward(G, X, layer.weight.data),
                                (x.grad, layer.weight.grad, layer.bias.grad)):
            assert np.allclose(ours, theirs)


@pytest.mark.parametrize("name, answer", [
    ("dropout", lambda x, p, rng, training=True: nnlib.dropout(x, p, training, rng)),
    ("batch_norm_forward", lambda X, gamma, beta, mean, var, training=True, momentum=0.1, eps=1e-5: (
        nnlib.batch_norm(nnlib.Tensor(X), mean, var, gamma, beta, training, momentum, eps).data, mean, var)),
    ("ensemble_predict", lambda scores: nnlib.softmax(nnlib.Tensor(scores)).data.mean(axis=0))])
def test_the_library_itself_is_no_answer(name, answer):
    assert examine(BY_NAME[name], answer, forbidden=BY_NAME[name].forbidden_names()).points == 0


@pytest.mark.parametrize("name, answer, misconception", [
    ("l2_gradient", lambda w, strength: 2.0 * strength * w, "without the half"),
    ("l1_gradient", lambda w, strength: strength * w / abs(w), "divides by the size"),
    ("dropout", lambda x, p, rng, training=True: np.where(rng.random(x.shape) < p, 0, x) if training else x,
     "not scaled"),
    ("dropout", lambda x, p, rng, training=True: x * rng.binomial(1, p, x.shape) / (1 - p) if training else x,
     "p is kept, right factor"),
    ("augment_shift", lambda images, most, rng: np.stack(
        [np.roll(image, rng.integers(-most, most + 1, 2), (0, 1)) for image in images]), "np.roll"),
    ("batch_norm_backward", lambda G, X, gamma, eps=1e-5: (
        gamma * G / np.sqrt(X.var(0) + eps), (G * (X - X.mean(0)) / np.sqrt(X.var(0) + eps)).sum(0), G.sum(0)),
     "mean and variance as constants"),
    ("ema_update", lambda average, weights, decay: weights + (1 - decay) * (average - weights), "the shares exchanged"),
    ("ensemble_predict", lambda scores: ex11.softmax(np.array(scores).mean(0)), "the softmax of the mean score")])
def test_slips_that_look_alike_are_told_apart(name, answer, misconception):
    assert examine(BY_NAME[name], answer).misconception == misconception


def test_every_answer_has_its_signature_in_the_solution():
    assert list(inspect.signature(ex11.dropout).parameters) == ["x", "p", "rng", "training"]
    assert list(inspect.signature(ex11.augment_shift).parameters) == ["images", "max_shift", "rng"]
