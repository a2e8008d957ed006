"""Optimizers against their formulas written out by hand and against PyTorch; clipping, averages; what they refuse."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import seeds, shapes, uniform

from nnlib import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AveragedModel,
    GradientError,
    Module,
    Optimizer,
    Parameter,
    RMSprop,
    Tensor,
    clip_grad_norm_,
    clip_grad_value_,
    no_grad,
)

VARIANTS = [{}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}, {"weight_decay": 0.1},
            {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}]
ALL = [*((SGD, variant) for variant in VARIANTS),
       (Adagrad, {}), (Adagrad, {"weight_decay": 0.1, "eps": 1e-3}),
       (RMSprop, {}), (RMSprop, {"alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}), (RMSprop, {"momentum": 0.7}),
       (Adam, {}), (Adam, {"betas": (0.5, 0.8), "eps": 1e-3, "weight_decay": 0.1}),
       (AdamW, {}), (AdamW, {"betas": (0.8, 0.9), "weight_decay": 0.5}), (AdamW, {"weight_decay": 0})]
EACH = [SGD, Adagrad, RMSprop, Adam, AdamW]
every_optimizer = pytest.mark.parametrize("make", EACH, ids=lambda make: make.__name__)


def label(pair):
    return f"{pair[0].__name__} {pair[1]}"


def by_hand(w, gradients, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    velocity = 0
    for gradient in gradients:
        gradient = gradient + weight_decay * w
        velocity = momentum * velocity + gradient
        w = w - lr * (gradient + momentum * velocity if nesterov else velocity)
    return w


def adam_by_hand(w, gradients, lr, betas, eps):
    """The averages as sums over all gradients, instead of step by step."""
    def average(values, beta, t):
        weights = [(1 - beta) * beta ** (t - i) for i in range(1, t + 1)]
        return sum(a * v for a, v in zip(weights, values[:t], strict=True)) / sum(weights)

    for t in range(1, len(gradients) + 1):
        m, v = average(gradients, betas[0], t), average([g * g for g in gradients], betas[1], t)
        w = w - lr * m / (np.sqrt(v) + eps)
    return w


@settings(max_examples=50)
@given(shape=shapes(min_side=0), variant=st.sampled_from(VARIANTS), lr=st.floats(1e-3, 1), seed=seeds)
def test_against_the_formula(shape, variant, lr, seed):
    start, gradients = uniform(seed, shape), [uniform(seed + i, shape) for i in range(1, 5)]
    w = Tensor(start, requires_grad=True)
    optimizer = SGD([w], lr, **variant)
    for gradient in gradients:
        w.grad = gradient  # read-only: a step must not use it as scratch
        optimizer.step()
    np.testing.assert_allclose(w.data, by_hand(start, gradients, lr, **variant), rtol=1e-12, atol=1e-14)


@settings(max_examples=30)
@given(shape=shapes(min_side=0), lr=st.floats(1e-3, 1), beta=st.floats(0, 0.95), seed=seeds)
def test_adam_and_its_relatives_against_their_formulas(shape, lr, beta, seed):
    start, gradients = uniform(seed, shape), [uniform(seed + i, shape) for i in range(1, 5)]
    squares = np.cumsum([g * g for g in gradients], axis=0)
    by_sum = start - lr * sum(g / (np.sqrt(s) + 1e-3) for g, s in zip(gradients, squares, strict=True))
    for optimizer, expected in [
        (Adam([Parameter(start)], lr, (beta, 0.9), 1e-3), adam_by_hand(start, gradients, lr, (beta, 0.9), 1e-3)),
        (Adagrad([Parameter(start)], lr, eps=1e-3), by_sum),
    ]:
        w, = optimizer.params
        for gradient in gradients:
            w.grad = gradient
            optimizer.step()
        np.testing.assert_allclose(w.data, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pair", ALL, ids=label)
def test_against_pytorch(pair, dtype):
    torch = pytest.importorskip("torch")
    make, variant = pair
    arrays = [uniform(i, shape).astype(dtype) for i, shape in enumerate([(3, 2), (3,), ()])]
    ours, theirs = ([make(a, requires_grad=True) for a in arrays] for make in (Tensor, torch.tensor))
    optimizers = make(ours, lr=0.05, **variant), getattr(torch.optim, make.__name__)(theirs, lr=0.05, **variant)
    for step in range(20):
        for (W, b, scale), optimizer in zip((ours, theirs), optimizers, strict=True):
            rate = 0.05 / (1 + step)
            if make is optimizers[0].__class__ and optimizer is optimizers[0]:
                optimizer.lr = rate
            else:
                optimizer.param_groups[0]["lr"] = rate
            optimizer.zero_grad()
            loss = (W * W).sum() + (b * b).sum() + (W.T @ b).sin().sum()
            if step % 3 != 1:  # sometimes one parameter has no gradient: it rests, and so do its averages
                loss = loss + ((W.T @ b).sin() * scale).sum() + scale * scale
            loss.backward()
            optimizer.step()
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.data, reference.detach().numpy(), rtol=1e-3 if dtype == np.float32 else 1e-10,
                                   atol=1e-5 if dtype == np.float32 else 1e-12)
        assert mine.dtype == dtype and np.isfinite(mine.data).all()


@every_optimizer
def test_numbers_of_numpy_type_do_not_widen_float32(make):
    runs = []
    for number in (float, np.float64, np.float32):
        w = Parameter(np.arange(3, dtype=np.float32))
        optimizer = make([w], lr=number(0.125), weight_decay=number(0.5))
        for _ in range(3):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
        assert w.dtype == np.float32 and isinstance(optimizer.lr, float)
        optimizer.lr = number(0.25)
        optimizer.step()
        runs.append(w.data)
        assert w.dtype == np.float32 and not np.shares_memory(w.data, w.grad)
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])


def test_parameters_move_in_place_and_the_callers_array_stays():
    start = np.array([1.0, 2.0])
    w = Tensor(start, requires_grad=True)
    view = w.data
    (w * w).sum().backward()
    SGD(w, lr=0.25).step()  # one parameter needs no list
    np.testing.assert_array_equal(view, [0.5, 1])
    np.testing.assert_array_equal(start, [1, 2])
    np.testing.assert_array_equal(w.grad, [2, 4])


@every_optimizer
def test_a_step_moves_the_array_itself_and_leaves_the_gradient(make):
    w = Parameter([1.0, -2.0])
    view, w.grad = w.data, uniform(0, 2)  # read-only
    make([w], lr=0.1, weight_decay=0.1).step()
    assert w.data is view and (view != [1, -2]).all()


@every_optimizer
def test_a_parameter_without_gradient_rests(make):
    used, unused = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    optimizer = make((p for p in (used, unused)), lr=0.1, weight_decay=0.1)
    (used * 2).sum().backward()
    optimizer.step()
    assert unused.data == 1 and used.data < 1
    after = used.data.copy()
    optimizer.zero_grad()
    assert used.grad is None
    with pytest.raises(GradientError, match=r"none of the 2 parameters has a gradient; call loss\.backward\(\) before"):
        optimizer.step()
    assert used.data == after


def test_the_step_count_of_a_resting_parameter_does_not_advance():
    alone, late = Parameter([1.0]), Parameter([1.0])
    together = Adam([late, Parameter([1.0])], lr=0.1)
    for step in range(5):
        together.params[1].grad = np.array([0.3])
        together.params[0].grad = np.array([0.5]) if step == 4 else None
        together.step()
    alone.grad = np.array([0.5])
    Adam(alone, lr=0.1).step()
    assert late.data == alone.data == pytest.approx(0.9, abs=1e-8)  # the first step of Adam is lr long


def test_a_frozen_parameter_may_stand_in_the_list_and_rests():
    model, other = Scale(), Tensor([1.0], requires_grad=True)
    optimizer = SGD([*model.requires_grad_(False).parameters(), other], lr=0.1, weight_decay=0.1)
    other.sum().backward()
    optimizer.step()
    np.testing.assert_array_equal(model.weight.data, 1)
    model.requires_grad_(True)
    model(Tensor(np.ones(2))).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(model.weight.data, 1 - 0.1 * 1.1)


def test_the_rate_may_change_between_steps():
    w = Tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1)
    optimizer.lr = 0.5
    w.sum().backward()
    optimizer.step()
    assert w.data == 0.5


@pytest.mark.parametrize(("make", "lr"), [(SGD, 0.02), (Adagrad, 0.5), (RMSprop, 0.01), (Adam, 0.05), (AdamW, 0.05)])
def test_it_finds_the_bottom_of_a_valley(make, lr):
    for variant in VARIANTS[:3] if make is SGD else [{}]:
        w = Tensor([1.0, 1.0], requires_grad=True)
        optimizer = make([w], lr=lr, **variant)
        for _ in range(300):
            optimizer.zero_grad()
            (w * w * np.array([0.5, 12.5])).sum().backward()
            optimizer.step()
        with no_grad():
            assert (w * w).sum().item() < 1e-3


def test_the_decay_of_adamw_shrinks_all_weights_alike_and_that_of_adam_does_not():
    small, large = Parameter([1.0, 1.0]), Parameter([1.0, 1.0])
    for w, make in [(small, AdamW), (large, Adam)]:
        free, decayed = copy.deepcopy(w), w
        for p, decay in [(free, 0.0), (decayed, 0.1)]:
            p.grad = np.array([1e-3, 10.0])
            make([p], lr=0.1, weight_decay=decay).step()
        lost = free.data - decayed.data
        assert np.allclose(lost, 0.01) == (make is AdamW)


@pytest.mark.filterwarnings("error")
@every_optimizer
@pytest.mark.parametrize("size", [1e-300, 1e-30, 0.0, 1e30, 1e200])
def test_gradients_of_any_size_give_no_warning(make, size):
    w = Parameter([1.0, 1.0])
    optimizer = make([w], lr=1e-3)
    for _ in range(3):
        w.grad = np.array([size, -size])
        optimizer.step()
    assert np.isfinite(w.data).all()


@pytest.mark.filterwarnings("error")
def test_a_run_that_diverges_does_so_without_a_warning():
    w = Parameter(np.array([1e30], np.float32))
    optimizer = SGD([w], lr=1e10)
    for gradient in (1e30, 1e30, np.inf, -np.inf):
        w.grad = np.array([gradient], np.float32)
        optimizer.step()
    assert np.isnan(w.data).all()


class SignDescent(Optimizer):
    """What a learner may write: steps of one length, along the sign of an average of gradients."""

    def __init__(self, params, lr, beta=0.5):
        super().__init__(params, lr)
        self.beta = beta

    def update(self, w, gradient, t, average):
        average *= self.beta
        average += (1 - self.beta) * gradient
        return self.lr * np.sign(average) / t


def test_an_optimizer_of_ones_own():
    w = Parameter([3.0, -3.0])
    optimizer = SignDescent(w, lr=1.0)
    for gradient in ([4.0, -1.0], [-1.0, -1.0], [-5.0, 2.0]):
        w.grad = np.array(gradient)
        optimizer.step()
    np.testing.assert_allclose(w.data, [3 - 1 - 1 / 2 + 1 / 3, -3 + 1 + 1 / 2 - 1 / 3])
    assert repr(optimizer) == "SignDescent(1 tensors, lr=1.0, weight_decay=0.0, beta=0.5)"
    with pytest.raises(NotImplementedError, match="Optimizer has no update method; write `def update"):
        unwritten = Optimizer(w, lr=1.0)
        unwritten.step()


def test_the_printed_form_shows_the_settings():
    assert repr(Adam([Parameter([1.0]), Parameter(2.0)])) == (
        "Adam(2 tensors, lr=0.001, weight_decay=0.0, betas=(0.9, 0.999), eps=1e-08)")
    assert "momentum=0.9, nesterov=True" in repr(SGD(Parameter(1.0), 0.1, 0.9, True))


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


@pytest.mark.parametrize(("make", "arguments", "sentence"), [
    (Adagrad, {"lr": -1}, "learning rate above 0 but got -1"), (Adagrad, {"eps": 0}, "an eps above 0 but got 0"),
    (RMSprop, {"alpha": 1}, r"alpha in \[0, 1\) but got 1"), (RMSprop, {"eps": -1}, "an eps above 0"),
    (RMSprop, {"momentum": 1.5}, "momentum"), (RMSprop, {"weight_decay": np.nan}, "weight decay"),
    (Adam, {"betas": (0.9, 1.0)}, r"two betas in \[0, 1\) but got \(0.9, 1.0\)"), (Adam, {"betas": 0.9}, "two betas"),
    (Adam, {"eps": 0}, "an eps above 0"), (AdamW, {"betas": (-0.1, 0.9)}, "two betas"),
])
def test_numbers_outside_their_range_in_adaptive_optimizers(make, arguments, sentence):
    with pytest.raises(ValueError, match=f"{make.__name__}: .*{sentence}"):
        make([Parameter([1.0])], **arguments)


@pytest.mark.parametrize(("parameters", "error", "sentence"), [
    ([], ValueError, "at least one parameter"),
    ([np.ones(2)], TypeError, "requires_grad=True but got ndarray"),
    ([Tensor([1.0])], TypeError, "requires_grad=True"), (Tensor([1.0]), TypeError, "requires_grad=True"),
    (0.1, TypeError, "requires_grad=True but got float"), (None, TypeError, "got NoneType"),
    ([Tensor([1.0], requires_grad=True) * 0.1], TypeError,
     "result of 'multiply', which never receives a gradient"),
    ([Tensor([1.0], requires_grad=True)] * 2, ValueError, "each parameter once .* move twice"),
    (Module(), TypeError, r"got a Module; did you mean model.parameters\(\)\?"),
])
def test_parameters_that_cannot_be_trained(parameters, error, sentence):
    with pytest.raises(error, match=f"SGD: .*{sentence}"):
        SGD(parameters, lr=0.1)


# clipping

def with_gradients(*gradients):
    params = [Parameter(np.zeros_like(g)) for g in gradients]
    for p, gradient in zip(params, gradients, strict=True):
        p.grad = gradient
    return params


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_by_the_common_norm(dtype):
    held = [np.array([3.0, 0.0], dtype), np.array([[4.0]], dtype)]
    params = [*with_gradients(*held), Parameter(1.0)]  # the last one has no gradient
    assert clip_grad_norm_((p for p in params), np.float64(2.5)) == 5
    np.testing.assert_allclose(params[0].grad, [1.5, 0], rtol=1e-6)
    np.testing.assert_allclose(params[1].grad, [[2]], rtol=1e-6)
    assert params[0].grad.dtype == dtype and params[2].grad is None
    np.testing.assert_array_equal(held[0], [3, 0])  # who holds the old array sees no change
    before = params[0].grad
    assert clip_grad_norm_(params, np.inf) == pytest.approx(2.5, rel=1e-6) and params[0].grad is before
    assert clip_grad_norm_(Parameter(1.0), 1.0) == 0


def test_one_array_as_the_gradient_of_two_parameters_is_scaled_once_for_each():
    shared = np.array([3.0])
    a, b = with_gradients(shared, shared)
    clip_grad_norm_([a, b], 1.0)
    np.testing.assert_allclose([a.grad, b.grad], np.sqrt([[0.5], [0.5]]), rtol=1e-6)


@pytest.mark.parametrize("max_norm", [0.5, 1e3])
@pytest.mark.parametrize("special", [1.0, np.inf, np.nan, 1e30])
@pytest.mark.filterwarnings("error")
def test_clipping_by_norm_against_pytorch(max_norm, special):
    torch = pytest.importorskip("torch")
    for dtype in (np.float32, np.float64):
        gradients = [uniform(0, (3, 2)).astype(dtype), np.array([special, -0.5], dtype)]
        ours, theirs = with_gradients(*gradients), [torch.zeros(g.shape, dtype=torch.float64) for g in gradients]
        for i, gradient in enumerate(gradients):
            theirs[i] = torch.zeros(gradient.shape, dtype=getattr(torch, np.dtype(dtype).name), requires_grad=True)
            theirs[i].grad = torch.tensor(gradient)
        norm, reference = clip_grad_norm_(ours, max_norm), torch.nn.utils.clip_grad_norm_(theirs, max_norm)
        close = {"rtol": 1e-6 if dtype == np.float32 else 1e-10, "atol": 1e-14}
        np.testing.assert_allclose(norm, reference.item(), **close)
        for mine, reference in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine.grad, reference.grad.numpy(), **close)


def test_clipping_each_element():
    held = np.array([-3.0, 0.5, 3.0], np.float32)
    w, = with_gradients(held)
    clip_grad_value_([w, Parameter(1.0)], np.float64(1))
    np.testing.assert_array_equal(w.grad, np.array([-1, 0.5, 1], np.float32))
    assert w.grad.dtype == np.float32 and held[0] == -3


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_], ids=lambda f: f.__name__)
def test_clipping_refuses(clip):
    for limit in (0, -1.0, np.nan):
        with pytest.raises(ValueError, match=f"{clip.__name__}: expected a .* above 0 but got {limit}"):
            clip([Parameter(1.0)], limit)
    with pytest.raises(TypeError, match=f"{clip.__name__}: .*did you mean model.parameters"):
        clip(Module(), 1.0)
    with pytest.raises(TypeError, match=f"{clip.__name__}: .*got ndarray"):
        clip([np.ones(2)], 1.0)


# averages of weights

class Scale(Module):
    """A model of one weight and one buffer."""

    def __init__(self, weight=1.0):
        self.weight, self.seen = Parameter(np.full(2, weight)), Tensor(np.zeros(2))

    def forward(self, x):
        return x * self.weight


def walk(model, averages, weights):
    for weight in weights:
        model.weight.data[...] = weight
        model.seen.data[...] = 10 * weight
        for average in averages:
            average.update()


def test_the_plain_average_and_the_one_that_forgets():
    model = Scale(7.0)
    model.weight.grad = np.ones(2)
    plain, forgetting = AveragedModel(model), AveragedModel(model, decay=0.75)
    np.testing.assert_array_equal(plain.module.weight.data, 7)
    walk(model, [plain, forgetting], [1.0, 2.0, 6.0])
    np.testing.assert_allclose(plain.module.weight.data, 3, rtol=1e-15)
    np.testing.assert_allclose(forgetting.module.weight.data, 0.75 * (0.75 * 1 + 0.25 * 2) + 0.25 * 6)
    np.testing.assert_array_equal(plain.module.seen.data, 60)  # buffers are copied, not averaged
    np.testing.assert_array_equal(model.weight.data, 6)
    assert plain.updates == 3 and model.training and not plain.module.training
    np.testing.assert_allclose(plain.module(Tensor([1.0, 2.0])).data, [3, 6])
    assert plain.module.weight.grad is None and model.weight.grad is not None


def test_an_average_is_a_copy_and_keeps_float32():
    model = Scale(1.0).to(np.float32)
    average = AveragedModel(model, decay=np.float64(0.5))
    walk(model, [average], [1.0, 2.0])
    assert average.module.weight.dtype == np.float32
    assert not np.shares_memory(average.module.weight.data, model.weight.data)
    assert not np.shares_memory(average.module.seen.data, model.seen.data)
    model.requires_grad_(False)
    walk(model, [average], [4.0])
    np.testing.assert_array_equal(average.module.weight.data, 0.5 * 1.5 + 0.5 * 4)


def test_clipping_by_value_against_pytorch():
    torch = pytest.importorskip("torch")
    gradient = np.array([-3.0, -0.5, 0.0, 0.25, np.inf, np.nan])
    p, theirs = Tensor(np.zeros(6), requires_grad=True), torch.zeros(6, dtype=torch.float64, requires_grad=True)
    p.grad, theirs.grad = gradient, torch.tensor(gradient)
    clip_grad_value_(p, 0.5)
    torch.nn.utils.clip_grad_value_(theirs, 0.5)
    np.testing.assert_array_equal(p.grad, theirs.grad.numpy())


@pytest.mark.parametrize("decay", [None, 0.9])
def test_averages_against_pytorch(decay):
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils

    model, theirs = Scale(), torch.nn.Linear(2, 1, bias=False).double()
    options = {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(decay)} if decay else {}
    ours, reference = AveragedModel(model, decay), swa_utils.AveragedModel(theirs, **options)
    for seed in range(6):
        weights = uniform(seed, 2)
        walk(model, [ours], [weights])
        with torch.no_grad():
            theirs.weight[:] = torch.tensor(weights)
        reference.update_parameters(theirs)
        np.testing.assert_allclose(ours.module.weight.data, reference.module.weight.detach().numpy()[0], rtol=1e-10)


def test_what_cannot_be_averaged():
    with pytest.raises(TypeError, match="AveragedModel: expected a Module but got list"):
        AveragedModel([Parameter(1.0)])
    for decay in (1.0, -0.1, np.nan):
        with pytest.raises(ValueError, match=rf"AveragedModel: expected a decay in \[0, 1\) or None but got {decay}"):
            AveragedModel(Scale(), decay)
