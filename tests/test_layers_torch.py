"""Layers against PyTorch's of the same name: values, gradients, running statistics, names and shapes, in float64."""

import copy

import numpy as np
import pytest
from support import uniform

import nnlib

torch = pytest.importorskip("torch", reason="PyTorch judges the layers")

IMAGE, SIGNAL, ROWS = (4, 3, 8, 7), (4, 3, 9), (6, 5)
LAYERS = [  # (name, arguments, options, shape of the input); options are PyTorch's, `axis` for its `dim`
    ("Linear", (5, 4), {}, ROWS), ("Linear", (5, 4, False), {}, ROWS), ("Linear", (7, 2), {}, IMAGE),
    ("Conv1d", (3, 4, 3), {}, SIGNAL), ("Conv1d", (3, 2, 4, 2, 1), {"bias": False}, SIGNAL),
    ("Conv2d", (3, 4, 3), {}, IMAGE), ("Conv2d", (3, 2, (3, 2), (2, 1), (1, 0)), {}, IMAGE),
    ("Conv2d", (3, 4, 3), {"padding": "same"}, IMAGE), ("Conv2d", (3, 4, 1, 2), {"bias": False}, IMAGE),
    ("MaxPool1d", (2,), {}, SIGNAL), ("MaxPool1d", (3, 2, 1), {}, SIGNAL), ("AvgPool1d", (3, 1), {}, SIGNAL),
    ("MaxPool2d", (2,), {}, IMAGE), ("MaxPool2d", (3, 2, 1), {}, IMAGE), ("MaxPool2d", ((3, 2), (1, 2)), {}, IMAGE),
    ("AvgPool2d", (2,), {}, IMAGE), ("AvgPool2d", (3, 2, 1), {}, IMAGE),
    ("ReLU", (), {}, ROWS), ("LeakyReLU", (), {}, ROWS), ("LeakyReLU", (0.3,), {}, ROWS), ("ELU", (), {}, ROWS),
    ("ELU", (0.5,), {}, ROWS), ("Sigmoid", (), {}, ROWS), ("Tanh", (), {}, ROWS), ("Hardtanh", (), {}, ROWS),
    ("Hardtanh", (-0.5, 0.7), {}, ROWS), ("Softplus", (), {}, ROWS), ("SiLU", (), {}, ROWS),
    ("Softmax", (1,), {}, IMAGE), ("Softmax", (), {"axis": -1}, ROWS), ("LogSoftmax", (0,), {}, ROWS),
    ("Flatten", (), {}, IMAGE), ("Flatten", (2,), {}, IMAGE), ("Identity", (), {}, ROWS), ("Dropout", (0.0,), {}, ROWS),
    ("BatchNorm1d", (5,), {}, ROWS), ("BatchNorm1d", (3,), {}, SIGNAL), ("BatchNorm1d", (3, 1e-3, None), {}, SIGNAL),
    ("BatchNorm2d", (3,), {}, IMAGE), ("BatchNorm2d", (3, 1e-2, 0.3, False), {}, IMAGE),
    ("LayerNorm", (7,), {}, IMAGE), ("LayerNorm", ((3, 8, 7),), {}, IMAGE), ("LayerNorm", (5, 1e-2, False), {}, ROWS),
]
OWN_PARAMETERS = {"Linear", "Conv1d", "Conv2d", "BatchNorm1d", "BatchNorm2d", "LayerNorm", "Embedding"}


def pair(name, arguments, options):
    """One layer of each library, in float64."""
    precision = {"dtype": np.float64} if name in OWN_PARAMETERS else {}
    theirs = {"dim" if key == "axis" else key: value for key, value in options.items()}
    return (getattr(nnlib, name)(*arguments, **options, **precision),
            getattr(torch.nn, name)(*arguments, **theirs).double())


def assert_equal(mine, theirs):
    np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=1e-10, atol=1e-10)


def to_torch(state):
    return {name: torch.tensor(array) for name, array in state.items()}


def assert_same_run(ours, theirs, shape, steps=3):
    """Values and gradients of both models agree over several training steps and in evaluation."""
    for step in range(steps + 1):
        ours.train(step < steps), theirs.train(step < steps)
        x = nnlib.Tensor(uniform(step, shape), requires_grad=True)
        their_x = torch.tensor(x.data, requires_grad=True)
        y, their_y = ours(x), theirs(their_x)
        assert_equal(y.data, their_y)
        upstream = uniform(step + 10, y.shape)
        ours.zero_grad(), theirs.zero_grad()
        y.backward(upstream), their_y.backward(torch.tensor(upstream))
        assert_equal(x.grad, their_x.grad)
        parameters = dict(theirs.named_parameters())
        for name, parameter in ours.named_parameters():
            assert_equal(parameter.grad, parameters[name].grad)
            parameter.data -= 0.1 * parameter.grad
            parameters[name].data -= 0.1 * parameters[name].grad
        state = theirs.state_dict()
        for name, array in ours.state_dict().items():
            assert_equal(array, state[name])


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), LAYERS, ids=str)
def test_layers(name, arguments, options, shape):
    ours, theirs = pair(name, arguments, options)
    assert {n: a.shape for n, a in ours.state_dict().items()} == {n: t.shape for n, t in theirs.state_dict().items()}
    theirs.load_state_dict(to_torch(ours.state_dict()))
    assert_same_run(ours, theirs, shape)


@pytest.mark.parametrize("name", ["Linear", "Conv1d", "Conv2d", "BatchNorm1d", "BatchNorm2d", "LayerNorm", "Embedding"])
def test_parameters_start_in_the_same_range(name):
    arguments = {"Linear": (300, 200), "Conv1d": (20, 30, 7), "Conv2d": (20, 30, 5), "Embedding": (100, 50)}
    nnlib.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = pair(name, arguments.get(name, (6,)), {})
    for parameter, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
        reference = reference.detach().numpy()
        # The bounds tell the ranges apart; the deviation of a bias of 30 numbers is known to a fifth only.
        assert parameter.data.std() == pytest.approx(reference.std(), rel=0.05 if reference.size > 1000 else 0.5)
        assert np.abs(parameter.data).max() == pytest.approx(np.abs(reference).max(), rel=0.3)


def test_embedding():
    ours, theirs = pair("Embedding", (7, 3), {})
    ours.load_state_dict(theirs.state_dict())
    words = np.array([[0, 3, 3], [6, 1, 3]])
    assert_equal(ours(words).data, theirs(torch.tensor(words)))
    upstream = uniform(1, (2, 3, 3))
    ours(words).backward(upstream), theirs(torch.tensor(words)).backward(torch.tensor(upstream))
    assert_equal(ours.weight.grad, theirs.weight.grad)


def networks():
    d = {"dtype": np.float64}
    n, t = nnlib, torch.nn
    ours = n.Sequential(n.Conv2d(3, 4, 3, padding=1, **d), n.BatchNorm2d(4, **d), n.ReLU(), n.MaxPool2d(2),
                        n.Sequential(n.Conv2d(4, 5, 3, 2, bias=False, **d), n.SiLU()), n.Flatten(),
                        n.Linear(5 * 1 * 1, 6, **d), n.BatchNorm1d(6, **d), n.Dropout(0.0), n.LayerNorm(6, **d),
                        n.Linear(6, 3, **d), n.LogSoftmax())
    theirs = t.Sequential(t.Conv2d(3, 4, 3, padding=1), t.BatchNorm2d(4), t.ReLU(), t.MaxPool2d(2),
                          t.Sequential(t.Conv2d(4, 5, 3, 2, bias=False), t.SiLU()), t.Flatten(), t.Linear(5 * 1 * 1, 6),
                          t.BatchNorm1d(6), t.Dropout(0.0), t.LayerNorm(6), t.Linear(6, 3), t.LogSoftmax(-1)).double()
    return ours, theirs


def test_a_network_trains_alike_and_states_go_both_ways():
    ours, theirs = networks()
    assert set(ours.state_dict()) == set(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_buffers()] == [n for n, _ in theirs.named_buffers()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    theirs.load_state_dict(to_torch(ours.state_dict()))
    assert_same_run(ours, theirs, (4, 3, 7, 6))
    other, reference = networks()
    other.load_state_dict(theirs.state_dict())
    reference.load_state_dict(to_torch(other.state_dict()))
    assert_same_run(other, reference, (4, 3, 7, 6), steps=1)


def test_a_residual_block():
    ours = nnlib.Residual(nnlib.Linear(4, 4, dtype=np.float64), nnlib.Linear(4, 4, bias=False, dtype=np.float64))

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.module, self.shortcut = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4, bias=False)

        def forward(self, x):
            return self.shortcut(x) + self.module(x)

    theirs = Block().double()
    ours.load_state_dict(theirs.state_dict())
    assert_same_run(ours, theirs, (3, 4))
    assert_same_run(copy.deepcopy(ours), theirs, (3, 4), steps=1)
