"""Tables of modules and of plain layers, receptive fields, summaries; and how they look."""

import html.parser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlib
from nnlib import (
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    Softmax,
    Tanh,
    Tensor,
    architecture,
)
from nnlib.architecture import LENET5, RESNET18, count_parameters, layer_table, receptive_field, summary


def columns(table, *names):
    return [tuple(getattr(row, name) for name in names) for row in table]


class Gate(Module):
    """A module that the tables do not know: x * sigmoid(linear(x)), over the last axis."""

    def __init__(self, size):
        self.size, self.linear = size, Linear(size, size, rng=0)

    def forward(self, x):
        return x * nnlib.sigmoid(self.linear(x))


# Tables

def test_the_network_of_deck_d():
    model = Sequential(Conv2d(3, 8, 3, padding="same"), ReLU(), Conv2d(8, 16, 5, stride=2, padding=2), ReLU(),
                       Flatten(), Linear(16 * 16 * 16, 512), ReLU(), Linear(512, 4))
    table = layer_table(model, (3, 32, 32))
    assert [row.parameters for row in table if row.parameters] == [224, 3_216, 2_097_664, 2_052]
    assert table.parameters == count_parameters(model) == 2_103_156
    assert table.multiply_adds == 216 * 32 * 32 + 3_200 * 16 * 16 + 4096 * 512 + 512 * 4
    assert columns(table, "name", "layer", "shape", "receptive_field", "jump")[:4] == [
        ("0", "Conv2d(3, 8, 3, padding='same')", (8, 32, 32), (3, 3), (1, 1)),
        ("1", "ReLU()", (8, 32, 32), (3, 3), (1, 1)),
        ("2", "Conv2d(8, 16, 5, stride=2, padding=2)", (16, 16, 16), (7, 7), (2, 2)),
        ("3", "ReLU()", (16, 16, 16), (7, 7), (2, 2))]
    assert columns(table, "layer", "shape", "receptive_field")[4:6] == [
        ("Flatten()", (4096,), (7, 7)), ("Linear(4096, 512)", (512,), (37, 37))]


@pytest.mark.parametrize("input_shape", [(1, 28, 28), (1, 20, 33)])
def test_what_a_table_says_comes_out_of_the_model(input_shape):
    model = Sequential(
        Sequential(Conv2d(1, 4, (3, 5), padding=(1, 0), bias=False), BatchNorm2d(4), ReLU(), MaxPool2d(2)),
        Residual(Sequential(Conv2d(4, 6, 3, stride=2, padding=1), Tanh()), Conv2d(4, 6, 1, stride=2)),
        Residual(Conv2d(6, 6, 3, padding=1)), AvgPool2d(2, stride=1), Dropout(0.2), nnlib.relu, nnlib.flatten)
    table = layer_table(model, input_shape)
    assert table[-1].shape == model.eval()(np.zeros((1, *input_shape), np.float32)).shape[1:]
    assert [row.name for row in table] == ["0.0", "0.1", "0.2", "0.3", "1.module.0", "1.module.1", "1.shortcut", "1",
                                           "2.module", "2", "3", "4", "5", "6"]
    assert table.parameters == count_parameters(model) == sum(p.size for p in model.parameters()) == 650
    assert [row.parameters for row in table if row.parameters] == [60, 8, 222, 30, 330]
    outputs = []  # of the outermost layers
    for module in model.children():
        module.register_forward_hook(lambda module, inputs, output: outputs.append(output.shape[1:]))
    model(np.zeros((1, *input_shape), np.float32))
    assert [row.shape for row in table.collapsed()] == outputs
    assert sum(row.parameters for row in table.collapsed()) == table.parameters
    assert table.collapsed().multiply_adds == table.multiply_adds


def test_layers_over_one_axis_and_over_rows():
    signal = layer_table(Sequential(Conv1d(2, 4, 5, stride=2), ReLU(), nnlib.MaxPool1d(2), Flatten()), (2, 21))
    assert columns(signal, "shape", "receptive_field", "jump") == [
        ((4, 9), (5,), (2,)), ((4, 9), (5,), (2,)), ((4, 4), (7,), (4,)), ((16,), (7,), (4,))]
    rows = layer_table(Sequential(Linear(6, 5), BatchNorm1d(5), LayerNorm(5), Linear(5, 3), Softmax()), 6)
    assert columns(rows, "shape", "parameters", "multiply_adds") == [
        ((5,), 35, 30), ((5,), 10, 0), ((5,), 10, 0), ((3,), 18, 15), ((3,), 0, 0)]
    assert rows.multiply_adds == 45 and "receptive" not in repr(rows)


def test_an_unknown_module_is_one_row():
    model = Sequential(Conv2d(1, 2, 3), Gate(6), Conv2d(2, 3, 3), Flatten(), Linear(48, 5))
    table = layer_table(model, (1, 8, 8))
    assert columns(table, "name", "layer", "shape", "parameters", "multiply_adds", "receptive_field")[:3] == [
        ("0", "Conv2d(1, 2, 3)", (2, 6, 6), 20, 18 * 36, (3, 3)), ("1", "Gate(6)", (2, 6, 6), 42, None, None),
        ("2", "Conv2d(2, 3, 3)", (3, 4, 4), 57, 54 * 16, None)]
    assert table.multiply_adds is None and table.parameters == count_parameters(model)
    behind = layer_table(Sequential(Conv2d(1, 2, 3), Flatten(), Linear(72, 6), Gate(6)), (1, 8, 8))
    assert behind[-1].receptive_field == (8, 8)  # once a layer has seen everything, so have those behind it
    alone = layer_table(Gate(4), (4,))
    assert columns(alone, "name", "layer", "shape", "parameters") == [("0", "Gate(4)", (4,), 20)]
    assert layer_table((Linear(3, 4), architecture.Dense(2), Gate(2)), 3)[-1].shape == (2,)  # modules in a plain table


def test_a_linear_layer_over_the_last_axis_alone():
    table = layer_table(Sequential(Conv2d(1, 2, 3), Linear(6, 4)), (1, 8, 8))
    assert columns(table, "shape", "multiply_adds", "receptive_field")[1] == ((2, 6, 4), 6 * 4 * 12, None)


def test_a_subclass_that_only_builds_is_looked_into_and_one_that_computes_is_not():
    class Net(Sequential):
        def __init__(self):
            super().__init__(Linear(4, 3), ReLU())

    class Doubled(Linear):
        def forward(self, x):
            return super().forward(x) * 2

    assert [row.layer for row in layer_table(Net(), 4)] == ["Linear(4, 3)", "ReLU()"]
    assert columns(layer_table(Sequential(Doubled(4, 3)), 4), "shape", "multiply_adds") == [((3,), None)]


def test_words_are_looked_up():
    model = Sequential(Embedding(10, 3), Flatten(), Linear(12, 2))
    assert [row.shape for row in layer_table(model, (4,))] == [(4, 3), (12,), (2,)]
    assert [row.shape for row in summary(model, (4,), dtype=int)] == [(4, 3), (12,), (2,)]


def test_a_shared_layer_is_counted_once():
    layer = Linear(4, 4)
    model = Sequential(layer, ReLU(), layer, Linear(4, 2))
    for table in (layer_table(model, 4), summary(model, 4)):
        assert [row.parameters for row in table] == [20, 0, 0, 10] and table.parameters == count_parameters(model) == 30
        assert table.multiply_adds == 16 + 16 + 8


def test_frozen_parameters_count():
    model = Sequential(Linear(4, 4), Linear(4, 2)).requires_grad_(False)
    assert count_parameters(model) == layer_table(model, 4).parameters == 30


@pytest.mark.parametrize(("model", "sentence"), [
    (Sequential(Conv2d(1, 16, 3), ReLU(), MaxPool2d(2), Conv2d(8, 4, 3)),
     r"layer 3, Conv2d\(8, 4, 3\): expected 8 channels but gets 16"),
    (Sequential(Conv2d(1, 16, 3), BatchNorm2d(8)), r"layer 1, BatchNorm2d\(8\): .*expected .* 8"),
    (Sequential(Flatten(), Linear(100, 4)), r"layer 1, Linear\(100, 4\): expected 100 features but gets 784"),
    (Sequential(ReLU(), Sequential(Conv2d(1, 2, 3), Conv2d(3, 2, 3))), r"layer 1.1, Conv2d.*expected 3 channels .* 2$"),
    (Sequential(Residual(Conv2d(1, 2, 3))), r"layer 0, Residual\(\): cannot add .*\(2, 26, 26\) and \(1, 28, 28\)"),
    (Sequential(Residual(Sequential(ReLU(), Conv2d(2, 2, 1)))), "^layer 0.module.1, Conv2d.*expected 2 channels .* 1$"),
    (Sequential(ReLU(), Gate(7)), r"layer 1, Gate\(7\): .*7"), (Gate(7), r"layer 0, Gate\(7\): "),
])
def test_modules_that_do_not_fit_are_named(model, sentence):
    with pytest.raises(ShapeError, match=sentence):
        layer_table(model, (1, 28, 28))


@pytest.mark.parametrize("shape", [None, (), (64, 1, 28, 28), (1, 0, 28)])
def test_input_shapes_that_are_none(shape):
    for call in (layer_table, summary):
        with pytest.raises(ShapeError, match=r"without batch, \(channels, height, width\).* but got"):
            call(Sequential(Flatten()), shape)


# Receptive fields

@pytest.mark.parametrize(("layers", "size"), [
    ([(3, 1), (3, 1), (2, 2)], 6),  # deck D's rule says 10
    ([(3, 1)] * 4, 9), ([(2, 2)] * 3, 8), ([(3, 1), (2, 2), (3, 1), (2, 2)], 10), ([], 1), ([(1, 3), (3, 1)], 7),
    ([((3, 5), 1), (2, (2, 1)), (3, 1)], 8), ([((3, 5), 1), (2, (2, 1))], (4, 6)), ([((3, 1), 1)], (3, 1)),
    ((architecture.Conv(8, 3), architecture.Norm(), architecture.Pool(2), architecture.Conv(8, 3)), 8),
    ((architecture.residual((architecture.Conv(8, 3), architecture.Conv(8, 3))), architecture.Pool(2)), 6),
    (Sequential(Conv2d(1, 2, 3), ReLU(), nnlib.relu, Sequential(MaxPool2d(2), Conv2d(2, 2, (1, 3)))), (4, 8)),
    (Sequential(Conv1d(1, 2, 3), BatchNorm1d(2), Conv1d(2, 2, 3)), 5), (Conv2d(1, 1, 5), 5),
    (Residual(Conv2d(1, 1, 3), Conv2d(1, 1, (1, 5))), (3, 5)),
    ((architecture.Branches(((architecture.Conv(8, 3),),)), architecture.Conv(8, (1, 2))), (3, 4)),
])
def test_receptive_fields_by_hand(layers, size):
    assert receptive_field(layers) == size


@pytest.mark.parametrize(("layers", "name"), [
    (LENET5, r"Dense\(84\)"), (RESNET18, r"GlobalPool\(\)"), (Sequential(Linear(3, 4)), r"Linear\(3, 4\)"),
    (Sequential(Gate(3)), r"Gate\(3\)"), (Gate(4), r"Gate\(4\)"),
])
def test_layers_whose_window_is_not_known(layers, name):
    with pytest.raises(ValueError, match=f"how far {name} sees depends on the size of its input; try layer_table"):
        receptive_field(layers)


windows = st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)), max_size=3)


@settings(max_examples=30, deadline=None)
@given(windows=windows, skip=st.booleans())
def test_a_receptive_field_is_where_the_gradient_is_not_zero(windows, skip):
    layers = [AvgPool2d((high, wide), stride) if pool else Conv2d(1, 1, (high, wide), stride, dtype=np.float64)
              for pool, high, wide, stride in windows]
    if skip:
        layers.append(Residual(Conv2d(1, 1, 3, padding=1, dtype=np.float64)))
    model = Sequential(*layers)
    for p in model.parameters():
        p.data[...] = np.abs(p.data) + 0.1
    x = Tensor(np.ones((1, 1, 80, 80)), requires_grad=True)
    y = model(x)
    upstream = np.zeros(y.shape)
    upstream[0, 0, y.shape[2] // 2, y.shape[3] // 2] = 1
    (y * upstream).sum().backward()
    rows, cols = np.nonzero(x.grad[0, 0])
    found = (np.ptp(rows) + 1, np.ptp(cols) + 1)
    expected = receptive_field(model)
    assert found == (expected if isinstance(expected, tuple) else (expected, expected))
    if layers:
        assert layer_table(model, (1, 80, 80))[-1].receptive_field == found


# Summaries

class Twice(Module):
    """Runs its layers in an order of its own, one of them twice and one never."""

    def __init__(self):
        self.unused, self.last, self.first = Linear(5, 5), Linear(4, 2), Sequential(Linear(4, 4), Tanh())
        self.scale = nnlib.Parameter(np.ones(2, np.float32))

    def forward(self, x):
        return self.last(self.first(self.first(x))) * self.scale


def test_a_summary_follows_the_forward_pass():
    model = Twice()
    table = summary(model, (4,))
    assert columns(table, "name", "layer", "shape", "parameters", "multiply_adds") == [
        ("first.0", "Linear(4, 4)", (4,), 20, 16), ("first.1", "Tanh()", (4,), 0, 0),
        ("first.0", "Linear(4, 4)", (4,), 0, 16), ("first.1", "Tanh()", (4,), 0, 0),
        ("last", "Linear(4, 2)", (2,), 10, 8), ("", "Twice()", (2,), 2, None), ("", "did not run", None, 30, 0)]
    assert table.parameters == count_parameters(model) == 62


def test_a_summary_changes_nothing():
    model = Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), Dropout(0.5), Flatten(), Linear(72, 3))
    model[2].eval()
    before, modes = model.state_dict(), [module.training for module in model.modules()]
    nnlib.manual_seed(0)
    drawn = nnlib.seeding.generator().bit_generator.state
    for table in (summary(model, (1, 8, 8)), layer_table(model, (1, 8, 8))):
        assert [row.shape for row in table] == [(2, 6, 6), (2, 6, 6), (2, 6, 6), (72,), (3,)]
        assert table.parameters == 20 + 4 + 219 and table.multiply_adds == 18 * 36 + 216
    assert [module.training for module in model.modules()] == modes == [True, True, True, False, True, True]
    assert all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())
    assert nnlib.seeding.generator().bit_generator.state == drawn
    assert all(p.grad is None for p in model.parameters()) and not any(module._hooks for module in model.modules())


def test_after_an_error_modes_and_hooks_are_as_before():
    model = Sequential(Linear(4, 3), Linear(4, 3))
    with pytest.raises(ShapeError):
        summary(model, (4,))
    assert all(module.training and not module._hooks for module in model.modules())


def test_zeros_have_the_parameters_dtype_and_record_no_graph():
    seen = []

    class Watch(Linear):
        def forward(self, x):
            y = super().forward(x)
            seen.append((x.dtype, y.requires_grad))
            return y, (x, x)  # several results, as of an LSTM: the shape of the first

    for table in (summary, layer_table):
        assert table(Watch(2, 3, dtype=np.float64), (2,))[0].shape == (3,)
        assert table(Sequential(Watch(2, 3)), (2,))[0].shape == (3,)
    assert seen == [(np.float64, False), (np.float32, False)] * 2


# How tables look

def test_a_table_prints_in_aligned_columns():
    printed = repr(layer_table(LENET5))
    lines = printed.split("\n")
    assert lines[0] == "LeNet-5, input 1x32x32" and len(lines) == 13
    assert lines[1].split() == ["layer", "output", "parameters", "multiply-adds", "receptive", "field", "jump"]
    assert lines[3] == "0  Conv(6, 5)            6x28x28          156        117,600                5     1"
    assert lines[-1].split() == ["total", "61,706", "416,520"]
    ends = [len(line) - len(line.split("156")[1]) for line in lines if "156" in line]
    assert lines[-1][:ends[0]].endswith("61,706") and set(lines[2]) == {"-"}
    assert "3x5" in repr(layer_table(Sequential(Conv2d(1, 1, (3, 5))), (1, 9, 9)))
    assert "?" in repr(layer_table(Sequential(Gate(9)), (1, 9, 9)))


class Reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.scopes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.scopes += [value for name, value in attributes if name == "scope"]

    def handle_data(self, data):
        self.text += data + "|"


def test_a_table_in_a_notebook_has_a_caption_headers_and_no_foreign_tags():
    class Odd(Module):
        def forward(self, x):
            return x

        def __repr__(self):
            return "<script>alert(1)</script>"

    shown = Reader(layer_table(Sequential(Linear(4, 3), Odd()), 4)._repr_html_())
    assert "<script>alert(1)</script>" in shown.text and "script" not in shown.tags
    assert shown.tags[:2] == ["table", "caption"] and shown.text.startswith("Sequential, input 4|")
    assert shown.scopes == ["col"] * 5 + ["row"] * 3 and shown.tags.count("tr") == 4
    assert "|15|" in shown.text and "|12|" in shown.text


def test_a_table_is_a_sequence_of_rows():
    table = layer_table(LENET5)
    assert len(table) == 8 and table[0].name == "0" and table.title == "LeNet-5" and table.input_shape == (1, 32, 32)
    assert [row.name for row in table.collapsed()] == [row.name for row in table]
