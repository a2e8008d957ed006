"""SGD against the formula written out by hand and against PyTorch, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import seeds, shapes, uniform

from nnlib import SGD, Tensor, no_grad

VARIANTS = [{}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}, {"weight_decay": 0.1},
            {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}]


def by_hand(w, gradients, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    velocity = 0
    for gradient in gradients:
        gradient = gradient + weight_decay * w
        velocity = momentum * velocity + gradient
        w = w - lr * (gradient + momentum * velocity if nesterov else velocity)
    return w


@settings(max_examples=50)
@given(shape=shapes(), variant=st.sampled_from(VARIANTS), lr=st.floats(1e-3, 1), seed=seeds)
def test_against_the_formula(shape, variant, lr, seed):
    start, gradients = uniform(seed, shape), [uniform(seed + i, shape) for i in range(1, 5)]
    w = Tensor(start, requires_grad=True)
    optimizer = SGD([w], lr, **variant)
    for gradient in gradients:
        w.grad = gradient  # read-only: a step must not use it as scratch
        optimizer.step()
    np.testing.assert_allclose(w.data, by_hand(start, gradients, lr, **variant), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_pytorch(variant, dtype):
    torch = pytest.importorskip("torch")
    arrays = [uniform(i, shape).astype(dtype) for i, shape in enumerate([(3, 2), (3,), ()])]
    ours, theirs = ([make(a, requires_grad=True) for a in arrays] for make in (Tensor, torch.tensor))
    optimizers = SGD(ours, lr=0.05, **variant), torch.optim.SGD(theirs, lr=0.05, **variant)
    for _ in range(10):
        for (W, b, scale), optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            ((W * W).sum() + ((W.T @ b).sin() * scale).sum() + (b * b).sum() + scale * scale).backward()
            optimizer.step()
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.data, reference.detach().numpy(), rtol=1e-4 if dtype == np.float32 else 1e-11)
        assert mine.dtype == dtype and np.isfinite(mine.data).all()


def test_learning_rates_of_numpy_type_do_not_widen_float32():
    w = Tensor(np.ones(3, np.float32), requires_grad=True)
    optimizer = SGD([w], np.float64(0.1), momentum=np.float64(0.9), weight_decay=np.float64(0.1), nesterov=True)
    (w * w).sum().backward()
    optimizer.step()
    assert w.dtype == np.float32


def test_parameters_move_in_place_and_the_callers_array_stays():
    start = np.array([1.0, 2.0])
    w = Tensor(start, requires_grad=True)
    view = w.data
    (w * w).sum().backward()
    SGD(w, lr=0.25).step()  # one parameter needs no list
    np.testing.assert_array_equal(view, [0.5, 1])
    np.testing.assert_array_equal(start, [1, 2])
    np.testing.assert_array_equal(w.grad, [2, 4])


def test_a_parameter_without_gradient_rests():
    used, unused = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    optimizer = SGD((p for p in (used, unused)), lr=0.1, momentum=0.9, weight_decay=0.1)
    (used * 2).sum().backward()
    optimizer.step()
    assert unused.data == 1 and used.data == pytest.approx(1 - 0.1 * 2.1)
    optimizer.zero_grad()
    assert used.grad is None
    optimizer.step()
    assert used.data == pytest.approx(1 - 0.1 * 2.1)


def test_the_rate_may_change_between_steps():
    w = Tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1)
    optimizer.lr = 0.5
    w.sum().backward()
    optimizer.step()
    assert w.data == 0.5


@pytest.mark.parametrize("variant", VARIANTS[:3], ids=str)
def test_it_finds_the_bottom_of_a_valley(variant):
    w = Tensor([1.0, 1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.02, **variant)
    for _ in range(300):
        optimizer.zero_grad()
        (w * w * np.array([0.5, 12.5])).sum().backward()
        optimizer.step()
    with no_grad():
        assert (w * w).sum().item() < 1e-5


@pytest.mark.parametrize(("arguments", "sentence"), [
    ({"lr": 0}, "finite learning rate above 0 but got 0"), ({"lr": -0.1}, "got -0.1"),
    ({"lr": np.nan}, "got nan"),
    ({"lr": np.inf}, "finite .* got inf"), ({"lr": 0.1, "momentum": 1.0}, r"momentum in \[0, 1\) but got 1"),
    ({"lr": 0.1, "momentum": -0.5}, "got -0.5"), ({"lr": 0.1, "momentum": np.nan}, "got nan"),
    ({"lr": 0.1, "weight_decay": -1}, "weight decay of at least 0 but got -1"),
    ({"lr": 0.1, "weight_decay": np.inf}, "weight decay"),
    ({"lr": 0.1, "nesterov": True}, "momentum above 0"),
])
def test_numbers_outside_their_range(arguments, sentence):
    with pytest.raises(ValueError, match=f"SGD: .*{sentence}"):
        SGD([Tensor([1.0], requires_grad=True)], **arguments)


@pytest.mark.parametrize(("parameters", "error", "sentence"), [
    ([], ValueError, "at least one parameter"),
    ([np.ones(2)], TypeError, "requires_grad=True but got ndarray"),
    ([Tensor([1.0])], TypeError, "requires_grad=True"), (Tensor([1.0]), TypeError, "requires_grad=True"),
    ([Tensor([1.0], requires_grad=True) * 0.1], TypeError,
     "result of 'multiply', which never receives a gradient"),
])
def test_parameters_that_cannot_be_trained(parameters, error, sentence):
    with pytest.raises(error, match=f"SGD: .*{sentence}"):
        SGD(parameters, lr=0.1)
