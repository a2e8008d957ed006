"""Recurrent layers and cells: shapes, gates, PyTorch, a small task, and what they refuse."""

import numpy as np
import pytest
from support import uniform

from nnlib import (
    GRU,
    LSTM,
    RNN,
    SGD,
    Adam,
    GRUCell,
    Linear,
    LSTMCell,
    RNNCell,
    ShapeError,
    Tensor,
    cross_entropy,
    tanh,
)

LAYERS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
CELLS = {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}
KINDS = ["RNN", "LSTM", "GRU"]


def parts(state):
    return list(state) if isinstance(state, tuple) else [state]


def joined(states):
    return tuple(states) if len(states) > 1 else states[0]


def initial(kind, shape, make=lambda a: Tensor(a, requires_grad=True)):
    return [make(uniform(10 + i, shape)) for i in range(2 if kind == "LSTM" else 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_have_the_names_shapes_and_range_of_pytorch(kind):
    layer, rows = LAYERS[kind](5, 16, num_layers=2, rng=0), {"RNN": 16, "LSTM": 64, "GRU": 48}[kind]
    assert {name: a.shape for name, a in layer.state_dict().items()} == {
        "weight_ih_l0": (rows, 5), "weight_hh_l0": (rows, 16), "bias_ih_l0": (rows,), "bias_hh_l0": (rows,),
        "weight_ih_l1": (rows, 16), "weight_hh_l1": (rows, 16), "bias_ih_l1": (rows,), "bias_hh_l1": (rows,)}
    for array in layer.state_dict().values():
        assert array.dtype == np.float32 and 0.2 < np.abs(array).max() <= 0.25 and array.min() < 0 < array.max()
    cell = CELLS[kind](5, 16, bias=False, rng=0)
    assert list(cell.state_dict()) == ["weight_ih", "weight_hh"]
    np.testing.assert_array_equal(cell.weight_ih.data, LAYERS[kind](5, 16, rng=0).weight_ih_l0.data)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_cells_in_a_loop(kind, batch_first):
    layer = LAYERS[kind](2, 3, batch_first=batch_first, dtype=np.float64, rng=0)
    cell = CELLS[kind](2, 3, dtype=np.float64, rng=1)
    cell.load_state_dict({name.removesuffix("_l0"): a for name, a in layer.state_dict().items()})
    x = uniform(0, (4, 5, 2))
    output, end = layer(x)
    state, outputs = None, []
    for x_t in x.swapaxes(0, 1) if batch_first else x:
        state = cell(x_t, state)
        outputs.append(parts(state)[0].data)
    np.testing.assert_allclose(output.data, np.stack(outputs, axis=1 if batch_first else 0), rtol=1e-12)
    for mine, reference in zip(parts(end), parts(state), strict=True):
        np.testing.assert_allclose(mine.data[0], reference.data, rtol=1e-12)


def test_the_gates_of_an_lstm_cell_explain_its_step():
    cell = LSTMCell(2, 3, dtype=np.float64, rng=0)
    x, h, c = uniform(0, (4, 2)), *initial("LSTM", (4, 3))
    gates = cell.gates(x, (h, c))
    new_c = gates["f"] * c + gates["i"] * gates["g"]
    new_h, expected_c = cell(x, (h, c))
    np.testing.assert_allclose(new_c.data, expected_c.data, rtol=1e-12)
    np.testing.assert_allclose((gates["o"] * tanh(new_c)).data, new_h.data, rtol=1e-12)


def test_the_gates_of_a_gru_cell_explain_its_step():
    cell = GRUCell(2, 3, dtype=np.float64, rng=0)
    x, (h,) = uniform(0, (4, 2)), initial("GRU", (4, 3))
    gates = cell.gates(x, h)
    np.testing.assert_allclose(((1 - gates["z"]) * gates["n"] + gates["z"] * h).data, cell(x, h).data, rtol=1e-12)
    assert list(gates) == ["r", "z", "n"]


@pytest.mark.parametrize("kind", KINDS)
def test_two_layers_are_one_above_the_other_each_with_its_own_state(kind):
    layers = LAYERS[kind](2, 3, num_layers=2, dtype=np.float64, rng=0)
    x, states = uniform(0, (4, 5, 2)), initial(kind, (2, 5, 3))
    output, end = layers(x, joined(states))
    below, ends = x, []
    for k in range(2):
        one = LAYERS[kind](below.shape[2], 3, dtype=np.float64)
        one.load_state_dict({name.replace(f"_l{k}", "_l0"): a for name, a in layers.state_dict().items()
                             if name.endswith(f"_l{k}")})
        below, last = one(below, joined([s[k:k + 1] for s in states]))
        ends.append([s.data[0] for s in parts(last)])
    np.testing.assert_allclose(output.data, below.data, rtol=1e-12)
    for mine, expected in zip(parts(end), zip(*ends, strict=True), strict=True):
        np.testing.assert_allclose(mine.data, expected, rtol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("given", [True, False], ids=["states given", "states left out"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", [*KINDS, "ReLU"])
def test_layers_against_pytorch(kind, layers, batch_first, given, bias):
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    options = {"num_layers": layers, "bias": bias, "batch_first": batch_first}
    if kind == "ReLU":
        kind, options["nonlinearity"] = "RNN", "relu"
    ours = LAYERS[kind](3, 4, **options, dtype=np.float64, rng=0)
    theirs = getattr(torch.nn, kind)(3, 4, **options).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})

    x = uniform(1, (5, 2, 3))
    batch = 5 if batch_first else 2
    seen = []
    for layer, make in (ours, Tensor), (theirs, torch.tensor):
        inputs = [make(x, requires_grad=True)]
        if given:
            inputs += initial(kind, (layers, batch, 4), lambda a, make=make: make(a, requires_grad=True))
        output, end = layer(inputs[0], *([joined(inputs[1:])] if given else []))
        results = [output, *parts(end)]
        loss = sum((r * make(uniform(20 + i, tuple(r.shape)))).sum() for i, r in enumerate(results))
        loss.backward()
        seen.append([r.detach().numpy() for r in results]
                    + [np.asarray(t.grad) for t in [*inputs, *layer.parameters()]])
    for mine, reference in zip(*seen, strict=True):
        assert mine.shape == reference.shape
        np.testing.assert_allclose(mine, reference, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("given", [True, False], ids=["states given", "states left out"])
@pytest.mark.parametrize("kind", [*KINDS, "ReLU"])
def test_cells_against_pytorch(kind, given):
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    options = {"nonlinearity": "relu"} if kind == "ReLU" else {}
    kind = "RNN" if kind == "ReLU" else kind
    ours = CELLS[kind](3, 4, **options, dtype=np.float64, rng=0)
    theirs = getattr(torch.nn, kind + "Cell")(3, 4, **options).double()
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    seen = []
    for cell, make in (ours, Tensor), (theirs, torch.tensor):
        inputs = [make(uniform(1, (5, 3)), requires_grad=True)]
        if given:
            inputs += initial(kind, (5, 4), lambda a, make=make: make(a, requires_grad=True))
        results = parts(cell(inputs[0], *([joined(inputs[1:])] if given else [])))
        sum((r * make(uniform(20 + i, (5, 4)))).sum() for i, r in enumerate(results)).backward()
        seen.append([r.detach().numpy() for r in results]
                    + [np.asarray(t.grad) for t in [*inputs, *cell.parameters()]])
    for mine, reference in zip(*seen, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-10, atol=1e-12)


def test_an_lstm_learns_to_remember_the_first_token():
    """Ten steps of random tokens; the class is the first one, which the state has to carry to the end."""
    rng = np.random.default_rng(0)
    lstm, head = LSTM(4, 16, rng=1), Linear(16, 4, rng=2)
    lstm.bias_ih_l0.data[16:32] = 2  # forget gates start open: without that, it learns nothing in this time
    optimizer = Adam([*lstm.parameters(), *head.parameters()], lr=0.02)

    def batch(size):
        tokens = rng.integers(0, 4, (10, size))
        return np.eye(4, dtype=np.float32)[tokens], tokens[0]

    for _ in range(250):
        x, t = batch(32)
        optimizer.zero_grad()
        cross_entropy(head(lstm(x)[0][-1]), t).backward()
        optimizer.step()
    x, t = batch(500)
    assert (head(lstm(x)[0][-1]).data.argmax(axis=1) == t).mean() >= 0.98


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_down_the_gradient_lowers_the_loss_in_float32(kind):
    layer = LAYERS[kind](3, 4, num_layers=2, batch_first=True, rng=0)
    optimizer, x, losses = SGD(layer.parameters(), lr=0.01), uniform(0, (2, 6, 3)).astype(np.float32), []
    for _ in range(2):
        optimizer.zero_grad()
        output, _ = layer(x)
        loss = (output * output).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0] and output.dtype == np.float32
    assert all(p.grad.dtype == p.dtype == np.float32 for p in layer.parameters())


def test_what_is_printed():
    assert repr(LSTM(28, 64)) == "LSTM(28, 64)"
    assert repr(GRU(3, 4, num_layers=2, bias=False, batch_first=True)) == (
        "GRU(3, 4, bias=False, num_layers=2, batch_first=True)")
    assert repr(RNNCell(3, 4)) == "RNNCell(3, 4)"


ZEROS = np.zeros((5, 2, 3), np.float32)


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: LSTM(28, 64)(np.zeros((2, 5, 27))),
     r"LSTM\(28 -> 64\) expected input of shape \(time, batch, 28\) but got \(2, 5, 27\); the features stand last"),
    (lambda: GRU(3, 4, batch_first=True)(np.zeros((5, 3))),
     r"GRU\(3 -> 4\) expected input of shape \(batch, time, 3\) but got \(5, 3\); a single sequence needs"),
    (lambda: RNN(3, 4)(np.zeros((0, 2, 3))), r"RNN\(3 -> 4\) expected a sequence of at least one step .* \(0, 2, 3\)"),
    (lambda: RNN(3, 4, batch_first=True)(np.zeros((2, 0, 3))), r"at least one step .*\(batch, time, features\)"),
    (lambda: RNN(3, 4)(ZEROS, np.zeros((1, 5, 4))),
     r"initial state h_0 of shape \(1, 2, 4\) but got \(1, 5, 4\); .*batch_first=True"),
    (lambda: RNN(3, 4, batch_first=True)(ZEROS, np.zeros((5, 4))), r"h_0 of shape \(1, 5, 4\) but got \(5, 4\)"),
    (lambda: LSTM(3, 4)(ZEROS, (np.zeros((1, 2, 4)), np.zeros((1, 2, 5)))), r"c_0 of shape \(1, 2, 4\) but got"),
    (lambda: LSTM(3, 4)(ZEROS, np.zeros((2, 2, 4))), r"initial state \(h_0, c_0\) but got ndarray"),
    (lambda: LSTMCell(3, 4)(ZEROS[0], (np.zeros((2, 4)),)), r"initial state \(h_0, c_0\) but got tuple"),
    (lambda: LSTMCell(3, 4)(ZEROS), r"LSTMCell\(3 -> 4\) expected input of shape \(batch, 3\) .* use LSTM$"),
    (lambda: GRUCell(3, 4)(ZEROS[0], np.zeros(4)), r"h_0 of shape \(2, 4\) but got \(4,\)"),
    (lambda: GRUCell(3, 4).gates(ZEROS[0], np.zeros(4)), r"h_0 of shape \(2, 4\) but got \(4,\)"),
])
def test_shapes_that_do_not_fit(call, sentence):
    with pytest.raises(ShapeError, match=sentence):
        call()


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: LSTM(0, 4), "LSTM: expected input_size to be at least 1 but got 0"),
    (lambda: GRUCell(3, 0), "GRUCell: expected hidden_size to be at least 1 but got 0"),
    (lambda: GRU(3, 4, num_layers=0), "GRU: expected num_layers to be at least 1 but got 0"),
    (lambda: RNN(3, 4, nonlinearity="sigmoid"), "'tanh' or 'relu' but got 'sigmoid'"),
    (lambda: RNNCell(3, 4, nonlinearity="sigmoid"), "'tanh' or 'relu' but got 'sigmoid'"),
])
def test_numbers_outside_their_range(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
