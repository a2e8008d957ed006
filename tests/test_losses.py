"""Losses against closed forms, scikit-learn and PyTorch, scores of any size, and bad targets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import log_loss
from support import assert_gradients_match, seeds, uniform

from nnlib import (
    ShapeError,
    Tensor,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    sigmoid,
    squared_loss,
)

BERNOULLI = [binary_cross_entropy, binary_cross_entropy_with_logits]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=2, max_side=4)
FEW = settings(max_examples=40)


@FEW
@given(shape=SHAPES, seed=seeds)
def test_gradients_of_losses_of_any_shape(shape, seed):
    t = uniform(seed, shape, 0, 1)  # soft targets are allowed
    assert_gradients_match(lambda p: binary_cross_entropy(p, t), uniform(seed + 1, shape, 0.05, 0.95), tolerance=1e-5)
    assert_gradients_match(lambda z: binary_cross_entropy_with_logits(z, t), uniform(seed + 2, shape, -5, 5))
    assert_gradients_match(lambda y: squared_loss(y, t), uniform(seed + 3, shape), tolerance=1e-5)


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
    z = Tensor([0.5, -1.5], requires_grad=True)
    binary_cross_entropy_with_logits(z, [1, 0]).backward()
    np.testing.assert_allclose(z.grad, (1 / (1 + np.exp(-z.data)) - [1, 0]) / 2)


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
@pytest.mark.parametrize("loss", [*BERNOULLI, squared_loss])
def test_targets_of_any_type_leave_float32_alone(loss, targets):
    x = Tensor(np.array([0.3, 0.6], np.float32), requires_grad=True)
    value = loss(x, targets)
    value.backward()
    assert value.shape == () and value.dtype == x.grad.dtype == np.float32
    assert value.item() == pytest.approx(float(loss(np.array([0.3, 0.6]), [0.0, 1.0])), rel=1e-6)


@pytest.mark.parametrize("loss", [*BERNOULLI, squared_loss], ids=lambda f: f.__name__)
def test_a_column_against_a_row_is_an_error_not_a_matrix(loss):
    with pytest.raises(ShapeError, match=rf"{loss.__name__}: .*\(3, 1\) but got \(3,\).*\(n, n\)"):
        loss(Tensor(np.full((3, 1), 0.5)), np.array([0, 1, 0]))


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
    (np.zeros((2, 3)), np.array([0, 1, 2]), ShapeError, r"\(2, 3\) and \(3,\)"),
    (np.zeros(3), np.array([0, 1, 2]), ShapeError, r"\(batch, classes\)"),
    (np.zeros((2, 3)), np.array([0.0, 1.0]), TypeError, r"integer.*astype\(int\)"),
    (np.zeros((2, 3)), np.array([0, 3]), ValueError, "from 0 to 2 but got 0 to 3"),
    (np.zeros((2, 3)), np.array([-1, 1]), ValueError, "from 0 to 2 but got -1 to 1"),
])
def test_class_numbers_that_do_not_fit(z, t, error, sentence):
    with pytest.raises(error, match=f"cross_entropy: .*{sentence}"):
        cross_entropy(z, t)


def test_inputs_stay_as_they_are():
    p, t = uniform(0, 5, 0, 1), uniform(1, 5, 0, 1)  # read-only
    for loss in (*BERNOULLI, squared_loss):
        x = Tensor(p, requires_grad=True)
        loss(x, t).backward()
        np.testing.assert_array_equal(x.data, p)


def test_against_pytorch():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    z, t, soft = uniform(0, (6, 4), -30, 30), np.array([0, 1, 2, 3, 0, 1]), uniform(1, (6, 4), 0, 1)
    for ours, theirs, x, targets, rounding in [
        (binary_cross_entropy, F.binary_cross_entropy, uniform(2, (6, 4), 0.01, 0.99), soft, 1e-13),
        (binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, z, soft, 1e-13),
        (cross_entropy, F.cross_entropy, z, t, 1e-13),
        (lambda y, t: squared_loss(y, t) / 4, F.mse_loss, z, soft, 1e-13),  # PyTorch divides by the outputs, too
    ]:
        a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        mine, reference = ours(a, targets), theirs(b, torch.tensor(targets))
        mine.backward()
        reference.backward()
        assert mine.item() == pytest.approx(reference.item(), rel=rounding)
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-15)
