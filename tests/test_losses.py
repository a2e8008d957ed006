"""Losses against closed forms, scikit-learn and PyTorch, scores of any size, and bad targets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import log_loss
from support import assert_gradients_match, away_from_zero, seeds, uniform

from nnlib import (
    GradientError,
    ShapeError,
    Tensor,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    gaussian_nll_loss,
    hinge_loss,
    l1_loss,
    perceptron_loss,
    sigmoid,
    squared_loss,
)
from nnlib.grading.checks import ex01

BERNOULLI = [binary_cross_entropy, binary_cross_entropy_with_logits]
DIFFERENCES = [squared_loss, l1_loss]
MARGINS = [perceptron_loss, hinge_loss]


def normal_loss(mean, targets):
    """The Gaussian loss with a fixed variance, to stand in a list of losses of two arguments."""
    return gaussian_nll_loss(mean, targets, 0.25)


ELEMENTWISE = [*BERNOULLI, *DIFFERENCES, *MARGINS, normal_loss]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=2, max_side=4)
FEW = settings(max_examples=40)


@FEW
@given(shape=SHAPES, seed=seeds)
def test_gradients_of_losses_of_any_shape(shape, seed):
    t = uniform(seed, shape, 0, 1)  # soft targets are allowed
    assert_gradients_match(lambda p: binary_cross_entropy(p, t), uniform(seed + 1, shape, 0.05, 0.95), tolerance=1e-5)
    assert_gradients_match(lambda z: binary_cross_entropy_with_logits(z, t), uniform(seed + 2, shape, -5, 5))
    assert_gradients_match(lambda y: squared_loss(y, t), uniform(seed + 3, shape), tolerance=1e-5)
    assert_gradients_match(lambda d: l1_loss(d + t, t), away_from_zero(seed + 4, shape))
    labels = np.random.default_rng(seed).integers(2, size=shape)
    assert_gradients_match(lambda z: perceptron_loss(z, labels), away_from_zero(seed + 5, shape))
    assert_gradients_match(lambda d: hinge_loss(d + (2 * labels - 1), labels), away_from_zero(seed + 6, shape))


@FEW
@given(shape=SHAPES, seed=seeds, ones=st.tuples(st.booleans(), st.booleans()), full=st.booleans())
def test_gradients_of_the_gaussian_loss_by_mean_and_variance(shape, seed, ones, full):
    stretched = tuple(1 if one else size for one, size in zip(ones, shape, strict=False))
    y = uniform(seed, shape)
    for variance in (uniform(seed + 1, stretched, 0.3, 2), uniform(seed + 2, (), 0.3, 2)):
        assert_gradients_match(lambda m, v: gaussian_nll_loss(m, y, v, full), uniform(seed + 3, shape), variance,
                               tolerance=1e-5)


@FEW
@given(n=st.integers(1, 5), classes=st.integers(1, 4), seed=seeds)
def test_cross_entropy_and_its_gradient(n, classes, seed):
    z, t = uniform(seed, (n, classes), -4, 4), np.random.default_rng(seed).integers(classes, size=n)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert cross_entropy(z, t) == pytest.approx(-np.mean(np.log(p[np.arange(n), t])), rel=1e-12, abs=1e-14)
    assert_gradients_match(lambda z: cross_entropy(z, t), z)
    scores = Tensor(z, requires_grad=True)
    cross_entropy(scores, t).backward()
    np.testing.assert_allclose(scores.grad, (p - np.eye(classes)[t]) / n, atol=1e-14)  # the famous p - y


def test_against_scikit_learn():
    rng = np.random.default_rng(0)
    z, t = rng.normal(size=(50, 3)) * 3, rng.integers(3, size=50)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert cross_entropy(z, t) == pytest.approx(log_loss(t, p, labels=[0, 1, 2]), rel=1e-12)
    scores, bits = z[:, 0], (t > 0).astype(int)
    expected = log_loss(bits, 1 / (1 + np.exp(-scores)))
    assert binary_cross_entropy(sigmoid(scores), bits) == pytest.approx(expected, rel=1e-12)
    assert binary_cross_entropy_with_logits(scores, bits) == pytest.approx(expected, rel=1e-12)


def test_closed_forms():
    assert binary_cross_entropy([0.25, 0.5], [1, 0]) == pytest.approx((np.log(4) + np.log(2)) / 2)
    assert binary_cross_entropy_with_logits([0.0, 0.0], [1, 0]) == pytest.approx(np.log(2))
    assert cross_entropy(np.zeros((3, 7)), [0, 3, 6]) == pytest.approx(np.log(7))
    assert squared_loss([[1.0, 2.0], [3.0, 4.0]],
                        [[0.0, 0.0], [3.0, 2.0]]) == 4.5  # (1 + 4 + 0 + 4) / 2: mean over the batch
    assert squared_loss(3.0, 1.0) == 4 and squared_loss(np.arange(3.0), np.zeros(3)) == pytest.approx(5 / 3)
    assert l1_loss([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [3.0, 2.0]]) == 2.5 and l1_loss(3.0, 5.0) == 2
    z = Tensor([0.5, -1.5], requires_grad=True)
    binary_cross_entropy_with_logits(z, [1, 0]).backward()
    np.testing.assert_allclose(z.grad, (1 / (1 + np.exp(-z.data)) - [1, 0]) / 2)


def test_the_gaussian_loss_is_a_negative_log_likelihood():
    m, y, v = uniform(0, (5, 2)), uniform(1, (5, 2)), uniform(2, (5, 2), 0.2, 3)
    density = np.exp(-((y - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)
    assert gaussian_nll_loss(m, y, v, full=True) == pytest.approx(-np.log(density).mean(), rel=1e-12)
    assert gaussian_nll_loss(m, y, v) == pytest.approx(-np.log(density).mean() - np.log(2 * np.pi) / 2, rel=1e-12)
    fixed = gaussian_nll_loss(m[:, 0], y[:, 0], 0.5)  # with v = 1/2 it is the squared loss, moved by a constant
    assert fixed == pytest.approx(squared_loss(m[:, 0], y[:, 0]) + np.log(0.5) / 2, rel=1e-12)
    rows = gaussian_nll_loss(m, y, v[:, :1])
    assert rows == pytest.approx(gaussian_nll_loss(m, y, np.repeat(v[:, :1], 2, axis=1)), rel=1e-14)


def test_a_variance_below_eps_counts_as_eps_and_still_learns_to_grow():
    v = Tensor([0.0, 1e-9], requires_grad=True)
    loss = gaussian_nll_loss([1.0, 0.0], [0.0, 0.0], v, eps=1e-2)
    assert loss.item() == pytest.approx((np.log(0.01) + 100 + np.log(0.01)) / 4)
    loss.backward()
    np.testing.assert_allclose(v.grad, [(100 - 1e4) / 4, 100 / 4])


def test_losses_of_margins_and_both_ways_to_write_their_targets():
    z, labels = np.array([2.0, -1.0, 0.5, -3.0]), np.array([1, 1, 0, 0])
    assert perceptron_loss(z, labels) == 1.5 / 4 == ex01.perceptron_loss(z, labels)
    assert hinge_loss(z, labels) == (2 + 1.5) / 4
    for loss in MARGINS:
        assert loss(z, 2 * labels - 1) == loss(z, labels) == loss(z, labels == 1) == loss(z, labels.astype(float))
    x = Tensor([0.0, 1.0, -1.0, 0.5, 0.0], requires_grad=True)
    perceptron_loss(x, [1, 1, 0, 0, -0.0]).backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 0, 0.2, 0])
    x.zero_grad()
    hinge_loss(x, [1, 1, -1, -1, -1]).backward()
    np.testing.assert_array_equal(x.grad, [-0.2, 0, 0, 0.2, 0.2])


def test_an_outlier_pulls_the_l1_loss_no_more_than_a_near_miss():
    y = Tensor([1000.0, 0.1, -0.1, 0.0], requires_grad=True)
    l1_loss(y, np.zeros(4)).backward()
    np.testing.assert_array_equal(y.grad, [0.25, 0.25, -0.25, 0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bits", [int, float, bool])
def test_scores_of_any_size_give_finite_losses_and_gradients(dtype, bits):
    extreme = np.array([-1e4, -800, -90, -1e-4, 0, 1e-4, 90, 800, 1e4])
    z, t = np.tile(extreme, 2), np.repeat([0, 1], len(extreme)).astype(bits)
    scores = Tensor(z.astype(dtype), requires_grad=True)
    loss = binary_cross_entropy_with_logits(scores, t)
    loss.backward()
    assert loss.dtype == scores.grad.dtype == dtype
    assert loss.item() == pytest.approx(np.mean(np.logaddexp(0, z) - t * z), rel=1e-5)
    assert np.isfinite(scores.grad).all() and np.abs(scores.grad).max() <= 1 / len(z)
    rows = Tensor(np.stack([z, -z, 0 * z], axis=1).astype(dtype), requires_grad=True)
    loss = cross_entropy(rows, t.astype(int))
    loss.backward()
    assert loss.dtype == rows.grad.dtype == dtype and np.isfinite(loss.data) and np.isfinite(rows.grad).all()
    for margin_loss in MARGINS:
        scores.zero_grad()
        margin_loss(scores, t).backward()
        assert np.abs(scores.grad).max() == pytest.approx(1 / len(z))


@pytest.mark.filterwarnings("error")
def test_a_loss_too_large_for_its_dtype_is_infinite_without_a_warning():
    for loss in (squared_loss, normal_loss, l1_loss):
        assert loss(np.array([3e38, -3e38], np.float32), np.array([-3e38, 3e38], np.float32)) == np.inf
    scores = Tensor(np.array([[3e38, -3e38]], np.float32), requires_grad=True)
    loss = cross_entropy(scores, [1])
    loss.backward()
    assert loss.item() == np.inf
    np.testing.assert_array_equal(scores.grad, [[1, -1]])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sure_probabilities_cost_much_but_not_infinity(dtype):
    p = Tensor(np.array([0, 1, 0, 1], dtype), requires_grad=True)
    loss = binary_cross_entropy(p, [0, 1, 1, 0])
    loss.backward()
    assert loss.item() == pytest.approx(-np.log(np.finfo(dtype).tiny) / 2, rel=1e-6) and loss.dtype == dtype
    assert np.isfinite(p.grad).all() and p.grad[2] < 0 < p.grad[3] and list(np.sign(p.grad[:2])) == [1, -1]
    saturated = Tensor(np.array([1e4, -1e4], dtype), requires_grad=True)
    binary_cross_entropy(sigmoid(saturated), [0, 1]).backward()
    np.testing.assert_array_equal(saturated.grad, 0)  # why one trains on scores: the slope is lost here


@pytest.mark.parametrize("targets", [np.array([0, 1]), np.array([0.0, 1.0]), [0, 1], Tensor([0.0, 1.0]),
                                     np.array([False, True])],
                         ids=["int", "float", "list", "tensor", "bool"])
@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_targets_of_any_type_leave_float32_alone(loss, targets):
    x = Tensor(np.array([0.3, 0.6], np.float32), requires_grad=True)
    value = loss(x, targets)
    value.backward()
    assert value.shape == () and value.dtype == x.grad.dtype == np.float32
    assert value.item() == pytest.approx(float(loss(np.array([0.3, 0.6]), [0.0, 1.0])), rel=1e-6)


def name(loss):
    return "gaussian_nll_loss" if loss is normal_loss else loss.__name__


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=name)
def test_a_column_against_a_row_is_an_error_not_a_matrix(loss):
    with pytest.raises(ShapeError, match=rf"{name(loss)}: .*\(3, 1\) but got \(3,\).*\(n, n\)"):
        loss(Tensor(np.full((3, 1), 0.5)), np.array([0, 1, 0]))


@pytest.mark.parametrize("loss", [*ELEMENTWISE, cross_entropy], ids=name)
def test_an_empty_batch_has_no_loss(loss):
    empty = np.zeros((0, 3)) if loss is cross_entropy else np.zeros(0)
    with pytest.raises(ValueError, match=rf"{name(loss)}: expected at least one example .*\(0,"):
        loss(Tensor(empty), [])


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=name)
def test_predictions_and_targets_exchanged(loss):
    with pytest.raises(GradientError, match=f"{name(loss)}: targets are constants.*exchanged.*detach"):
        loss(np.array([0.0, 1.0]), Tensor([0.3, 0.6], requires_grad=True))


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=name)
def test_whole_numbers_as_predictions(loss):
    unsigned = np.array([0, 1], np.uint8)
    assert loss(unsigned, np.array([1, 0], np.uint8)) == pytest.approx(loss([0.0, 1.0], [1.0, 0.0]), rel=1e-14)
    assert loss(Tensor([0, 1]), [1, 0]).dtype == np.float64


@pytest.mark.parametrize("loss", MARGINS, ids=name)
@pytest.mark.parametrize("targets", [[0, 2], [-1, 0], [0.5, 1], [-1, np.nan]], ids=str)
def test_targets_that_are_no_labels(loss, targets):
    with pytest.raises(ValueError, match=rf"{name(loss)}: expected targets 0 and 1, or -1 and 1, but got"):
        loss([0.5, 0.5], targets)


@pytest.mark.parametrize(("variance", "options", "error", "sentence"), [
    ([0.5, -0.1], {}, ValueError, "at least 0 .* got -0.1 .*exp"),
    (0.5, {"eps": 0}, ValueError, "eps above 0 .* and 0"),
    (Tensor([-2.0, 1]), {}, ValueError, "got -2"),
    ([1.0, 1.0, 1.0], {}, ShapeError, r"shape \(2,\), .* got \(3,\)"),
    ([[1.0], [1.0]], {}, ShapeError, r"got \(2, 1\)"),
], ids=str)
def test_variances_that_do_not_fit(variance, options, error, sentence):
    with pytest.raises(error, match=f"gaussian_nll_loss: .*{sentence}"):
        gaussian_nll_loss([0.0, 1.0], [1.0, 1.0], variance, **options)


def test_one_variance_for_each_example_must_be_a_column():
    with pytest.raises(ShapeError, match=r"got \(2,\); .*\(batch, 1\)"):
        gaussian_nll_loss(np.zeros((2, 2)), np.zeros((2, 2)), np.ones(2))


@pytest.mark.parametrize("loss", BERNOULLI, ids=lambda f: f.__name__)
@pytest.mark.parametrize("targets", [[-1, 1], [1, 2], [0.0, np.nan]])
def test_targets_that_are_no_probabilities(loss, targets):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: expected targets in \[0, 1\] .*\(t \+ 1\) / 2"):
        loss([0.5, 0.5], targets)


@pytest.mark.parametrize("p", [[0.5, 1.1], [-0.1, 0.5], [0.5, np.nan]])
def test_scores_given_as_probabilities(p):
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\].*with_logits"):
        binary_cross_entropy(p, [0, 1])


@pytest.mark.parametrize(("z", "t", "error", "sentence"), [
    (np.zeros((2, 3)), np.eye(3)[:2], ShapeError, r"\(2, 3\) and \(2, 3\).*argmax"),
    (np.zeros((2, 3)), np.array([0, 1, 2]), ShapeError, r"\(2, 3\) and \(3,\); each row"),
    (np.zeros(3), np.array([0, 1, 2]), ShapeError, r"\(batch, classes\)"),
    (0.0, 1, ShapeError, r"\(batch, classes\)"),
    (np.zeros((2, 3)), np.array([[0], [1]]), ShapeError, r"\(2, 1\); for a column .*ravel"),
    (np.zeros((2, 5, 3)), np.zeros((2, 5), int), ShapeError, r"\(2, 5, 3\) and \(2, 5\); for sequences reshape both"),
    (np.zeros((2, 3)), np.array([0.0, 1.0]), TypeError, r"integer.*float64.*astype\(int\)"),
    (np.zeros((2, 2)), np.array([True, False]), TypeError, r"integer.*bool.*astype\(int\)"),
    (np.zeros((2, 3)), np.array([0, 3]), ValueError, "from 0 to 2 but got 0 to 3"),
    (np.zeros((2, 3)), np.array([-1, 1]), ValueError, "from 0 to 2 but got -1 to 1"),
])
def test_class_numbers_that_do_not_fit(z, t, error, sentence):
    with pytest.raises(error, match=f"cross_entropy: .*{sentence}"):
        cross_entropy(z, t)


def test_inputs_stay_as_they_are():
    p, t = uniform(0, 5, 0, 1), uniform(1, 5, 0, 1)  # read-only
    for loss in ELEMENTWISE:
        labels = (t > 0.5).astype(int)
        x = Tensor(p, requires_grad=True)
        loss(x, labels if loss in MARGINS else t).backward()
        np.testing.assert_array_equal(x.data, p)
    assert gaussian_nll_loss(p, t, uniform(2, 5, 0.5, 1)) == gaussian_nll_loss(p, t, uniform(2, 5, 0.5, 1))


def test_the_graph_of_a_loss_can_be_walked_twice_and_its_gradient_scaled():
    z = Tensor(uniform(0, (3, 4)), requires_grad=True)
    loss = cross_entropy(z, [0, 1, 2])
    loss.backward(retain_graph=True)
    once = z.grad
    loss.backward()
    np.testing.assert_array_equal(z.grad, 2 * once)
    z.zero_grad()
    (cross_entropy(z, np.array([0, 1, 2], np.uint8)) * -3).backward()
    np.testing.assert_allclose(z.grad, -3 * once, rtol=1e-14)


def test_scores_in_any_memory_layout():
    z = uniform(0, (4, 6))
    assert cross_entropy(z.T, np.arange(6) % 4) == cross_entropy(np.ascontiguousarray(z.T), np.arange(6) % 4)
    strided = uniform(1, 12)[::2]
    assert squared_loss(strided, z[0]) == squared_loss(strided.copy(), z[0].copy())


def test_against_pytorch():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    z, t, soft = uniform(0, (6, 4), -30, 30), np.array([0, 1, 2, 3, 0, 1]), uniform(1, (6, 4), 0, 1)
    labels = np.random.default_rng(3).integers(2, size=(6, 4))
    signs, variance = 2.0 * labels - 1, uniform(4, (6, 1), 0.1, 2)
    for ours, theirs, x, targets in [
        (binary_cross_entropy, F.binary_cross_entropy, uniform(2, (6, 4), 0.01, 0.99), soft),
        (binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, z, soft),
        (cross_entropy, F.cross_entropy, z, t),
        (lambda y, t: squared_loss(y, t) / 4, F.mse_loss, z, soft),  # PyTorch divides by the outputs, too
        (lambda y, t: l1_loss(y, t) / 4, F.l1_loss, z, soft),
        (l1_loss, F.l1_loss, z[:, 0], soft[:, 0]),
        (lambda y, t: gaussian_nll_loss(y, t, variance, True),
         lambda y, t: F.gaussian_nll_loss(y, t, torch.tensor(variance), full=True), z, soft),
        (perceptron_loss, lambda z, s: torch.relu(-s * z).mean(), z, signs),
        (hinge_loss, lambda z, s: torch.relu(1 - s * z).mean(), z / 10, signs),
    ]:
        a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        mine, reference = ours(a, targets), theirs(b, torch.tensor(targets))
        mine.backward()
        reference.backward()
        assert mine.item() == pytest.approx(reference.item(), rel=1e-13)
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("shape", [(6, 4), (6, 1)])
def test_the_gradient_of_a_variance_against_pytorch(shape):
    torch = pytest.importorskip("torch")
    m, y, v = uniform(0, (6, 4)), uniform(1, (6, 4)), np.abs(uniform(2, shape, -1, 1)) * (uniform(3, shape) > 0)
    ours, theirs = ([make(x, requires_grad=True) for x in (m, v)] for make in (Tensor, torch.tensor))
    mine = gaussian_nll_loss(ours[0], y, ours[1], eps=1e-2)
    reference = torch.nn.functional.gaussian_nll_loss(theirs[0], torch.tensor(y), theirs[1], eps=1e-2)
    mine.backward()
    reference.backward()
    assert mine.item() == pytest.approx(reference.item(), rel=1e-13)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-14)
