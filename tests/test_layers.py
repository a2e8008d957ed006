"""Layers by themselves: parameters and their start, values, modes, printed forms, and what they refuse."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from support import central_differences, uniform

import nnlib
from nnlib import (
    ELU,
    AvgPool1d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Hardtanh,
    Identity,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSoftmax,
    MaxPool1d,
    MaxPool2d,
    MedianPool2d,
    Module,
    Parameter,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    Tensor,
    manual_seed,
)

WITH_PARAMETERS = {  # layer: (made by, shapes of the parameters, bound of their start, shape of an input)
    "Linear": (lambda **o: Linear(50, 40, **o), {"weight": (40, 50), "bias": (40,)}, 50**-0.5, (2, 50)),
    "Conv1d": (lambda **o: Conv1d(8, 40, 5, **o), {"weight": (40, 8, 5), "bias": (40,)}, 40**-0.5, (2, 8, 6)),
    "Conv2d": (lambda **o: Conv2d(4, 40, (3, 2), **o), {"weight": (40, 4, 3, 2), "bias": (40,)}, 24**-0.5,
               (2, 4, 5, 5)),
}


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_weights_and_biases_start_uniform(name):
    make, shapes, bound, _ = WITH_PARAMETERS[name]
    layer = make(rng=0)
    assert {key: p.shape for key, p in layer.named_parameters()} == shapes
    for parameter in layer.parameters():
        assert isinstance(parameter, Parameter) and parameter.requires_grad and parameter.dtype == np.float32
        assert 0.9 * bound < np.abs(parameter.data).max() <= bound
        assert parameter.data.std() == pytest.approx(bound / 3**0.5, rel=0.2)
    assert make(bias=False).bias is None and list(dict(make(bias=False).named_parameters())) == ["weight"]


@pytest.mark.parametrize("make", [*(row[0] for row in WITH_PARAMETERS.values()), lambda **o: Embedding(9, 4, **o)])
def test_seeds_repeat_the_start(make):
    def start(layer):
        return np.concatenate([p.data.ravel() for p in layer.parameters()])

    first = start(make(rng=1))
    np.testing.assert_array_equal(start(make(rng=np.random.default_rng(1))), first)
    np.testing.assert_array_equal(start(make(rng=1, dtype=np.float64)).astype(np.float32), first)
    if len(first) > 36:
        assert (first[:40] != first[-40:]).all()  # the bias does not repeat the weight's first numbers
    manual_seed(2)
    by_library = start(make()), start(make())
    np.testing.assert_array_equal(by_library[0], start(make(rng=2)))
    assert (by_library[0] != by_library[1]).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_precision_is_kept_and_bias_can_be_left_out(name, dtype):
    make, _, _, shape = WITH_PARAMETERS[name]
    with_bias, without = make(rng=0, dtype=dtype), make(rng=0, dtype=dtype, bias=False)
    x = Tensor(uniform(1, shape).astype(dtype), requires_grad=True)
    difference = with_bias(x) - without(x)
    bias = with_bias.bias.data.reshape(-1, *[1] * (len(shape) - 2))
    np.testing.assert_allclose(difference.data, np.broadcast_to(bias, difference.shape), atol=1e-6)
    difference.sum().backward()
    assert all(t.grad.dtype == t.dtype == dtype for t in (x, *with_bias.parameters(), *without.parameters()))


def test_linear_by_hand():
    layer = Linear(3, 2, dtype=np.float64)
    layer.weight.data[:], layer.bias.data[:] = [[1, 0, -1], [0.5, 0.5, 0.5]], [10, 20]
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0, 3.0]])).data, [[8, 23]])
    assert layer(np.ones((4, 5, 3))).shape == (4, 5, 2) and layer(np.ones(3)).shape == (2,)
    assert layer(np.ones((0, 3))).shape == (0, 2)


def test_convolutions_take_stride_and_padding():
    x = uniform(1, (2, 3, 9, 7))
    for options in [{}, {"stride": 2}, {"stride": (2, 1), "padding": (1, 0)}, {"padding": "same"}, {"padding": "full"},
                    {"padding": "valid", "stride": 3}]:
        layer = Conv2d(3, 4, (3, 2), **options, dtype=np.float64)
        expected = nnlib.conv2d(x, layer.weight.data, layer.bias.data, **options)
        np.testing.assert_array_equal(layer(x).data, expected)
    layer = Conv1d(3, 4, 3, 2, 1, dtype=np.float64)
    np.testing.assert_array_equal(layer(x[:, :, 0]).data,
                                  nnlib.conv1d(x[:, :, 0], layer.weight.data, layer.bias.data, 2, 1))


def test_sizes_are_kept_for_tables_of_architectures():
    layer = Conv2d(1, 6, 5, 2, 1)
    assert (layer.in_channels, layer.out_channels) == (1, 6)
    assert (layer.kernel_size, layer.stride, layer.padding) == ((5, 5), (2, 2), (1, 1))
    assert Conv2d(1, 6, 5, padding="same").padding == "same" and Conv1d(1, 6, 5).kernel_size == (5,)
    pool = MaxPool2d((3, 2), padding=1)
    assert (pool.kernel_size, pool.stride, pool.padding) == ((3, 2), (3, 2), (1, 1))
    assert AvgPool1d(4, 2).stride == (2,) and AvgPool1d(4, 2).kernel_size == (4,)
    assert Linear(3, 2).in_features == 3 and Linear(3, 2).out_features == 2
    assert BatchNorm1d(3).num_features == 3 and LayerNorm(3).normalized_shape == (3,)
    assert Embedding(5, 2).num_embeddings == 5 and Embedding(5, 2).embedding_dim == 2


POOLS = [(MaxPool1d, nnlib.max_pool1d, 1), (AvgPool1d, nnlib.avg_pool1d, 1), (MaxPool2d, nnlib.max_pool2d, 2),
         (AvgPool2d, nnlib.avg_pool2d, 2), (MedianPool2d, nnlib.median_pool2d, 2)]


@pytest.mark.parametrize(("layer", "operation", "axes"), POOLS)
def test_pools_apply_their_operation(layer, operation, axes):
    x = uniform(1, (2, 3, 8, 7)[:axes + 2])
    for arguments in [(2,), (3, 2), (3, 1, 1)]:
        np.testing.assert_array_equal(layer(*arguments)(x), operation(x, *arguments))
    np.testing.assert_array_equal(layer(kernel_size=2, stride=1)(x), operation(x, 2, 1))


ACTIVATIONS = [(ReLU, nnlib.relu, {}), (LeakyReLU, nnlib.leaky_relu, {"negative_slope": 0.01}), (Tanh, nnlib.tanh, {}),
               (ELU, nnlib.elu, {"alpha": 1.0}), (Sigmoid, nnlib.sigmoid, {}), (Softplus, nnlib.softplus, {}),
               (Hardtanh, nnlib.hardtanh, {"min_val": -1.0, "max_val": 1.0}), (SiLU, nnlib.silu, {}),
               (Softmax, nnlib.softmax, {"axis": -1}), (LogSoftmax, nnlib.log_softmax, {"axis": -1}),
               (Flatten, nnlib.flatten, {"start_axis": 1})]


@pytest.mark.parametrize(("layer", "operation", "options"), ACTIVATIONS)
def test_activations_apply_their_operation(layer, operation, options):
    x = uniform(1, (3, 2, 2))
    np.testing.assert_array_equal(layer()(x), operation(x))
    changed = {name: value * 2 for name, value in options.items()}
    np.testing.assert_array_equal(layer(**changed)(x), operation(x, **changed))
    np.testing.assert_array_equal(layer(*changed.values())(x), operation(x, **changed))
    assert {name: getattr(layer(), name) for name in options} == options
    assert repr(layer()) == f"{layer.__name__}({', '.join(f'{n}={v}' for n, v in options.items())})"
    assert list(inspect.signature(layer).parameters) == list(options)
    assert layer.__doc__ == operation.__doc__ and layer.__module__ == "nnlib.layers"
    twin = pickle.loads(pickle.dumps(layer(*changed.values())))
    np.testing.assert_array_equal(twin(x), operation(x, **changed))
    with pytest.raises(TypeError, match=rf"{layer.__name__}: got an unexpected keyword argument 'dim'; its arguments"):
        layer(dim=1)


def test_an_option_may_be_changed_later():
    layer = LeakyReLU(0.5)
    layer.negative_slope = 0.1
    np.testing.assert_allclose(layer(np.array([-1.0])), [-0.1])


def test_batch_norm_follows_the_batches_and_then_uses_what_it_learnt():
    layer, rng = BatchNorm1d(2, momentum=0.5, dtype=np.float64), np.random.default_rng(1)
    mean, var = np.zeros(2), np.ones(2)
    for step in range(1, 6):
        x = rng.normal(3, 2, (20, 2))
        np.testing.assert_allclose(layer(x).data, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5), rtol=1e-12)
        mean, var = 0.5 * mean + 0.5 * x.mean(0), 0.5 * var + 0.5 * x.var(0, ddof=1)
        np.testing.assert_allclose(layer.running_mean.data, mean)
        np.testing.assert_allclose(layer.running_var.data, var)
        assert layer.num_batches_tracked.item() == step
    layer.eval()
    np.testing.assert_allclose(layer(x[:1]).data, (x[:1] - mean) / np.sqrt(var + 1e-5))
    assert layer.num_batches_tracked.item() == 5
    np.testing.assert_allclose(layer.running_mean.data, mean)


def test_batch_norm_without_momentum_averages_all_batches():
    layer, batches = BatchNorm2d(2, momentum=None, dtype=np.float64), [uniform(i, (3, 2, 2, 2)) for i in range(4)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean.data, np.mean([x.mean((0, 2, 3)) for x in batches], axis=0))
    np.testing.assert_allclose(layer.running_var.data, np.mean([x.var((0, 2, 3), ddof=1) for x in batches], axis=0))


def test_a_batch_of_one_is_refused_and_leaves_batch_norm_as_it_was():
    layer = BatchNorm1d(3)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"two values per channel .* got input \(1, 3\); .*eval\(\)"):
        layer(np.ones((1, 3)))
    assert all((layer.state_dict()[name] == before[name]).all() for name in before)


def test_the_state_of_batch_norm():
    layer = BatchNorm1d(3)
    assert list(dict(layer.named_parameters())) == ["weight", "bias"]
    assert list(dict(layer.named_buffers())) == ["running_mean", "running_var", "num_batches_tracked"]
    assert BatchNorm1d(3, affine=False).weight is None and not list(BatchNorm2d(3, affine=False).parameters())
    layer(np.random.default_rng(0).normal(size=(5, 3)))
    assert layer.to(np.float64).num_batches_tracked.dtype == np.int64 and layer.running_mean.dtype == np.float64
    other = BatchNorm1d(3)
    other.load_state_dict(layer.state_dict())
    assert other.num_batches_tracked.item() == 1
    np.testing.assert_allclose(other.running_var.data, layer.running_var.data, rtol=1e-6)
    x = uniform(1, (4, 3))
    np.testing.assert_allclose(BatchNorm1d(3, 0.5, affine=False)(x).data,
                               (x - x.mean(0)) / np.sqrt(x.var(0) + 0.5), rtol=1e-6)


def test_layer_norm_has_parameters_of_its_shape():
    layer = LayerNorm((2, 3), dtype=np.float64)
    assert layer.weight.shape == layer.bias.shape == (2, 3)
    assert (layer.weight.data == 1).all() and (layer.bias.data == 0).all()
    layer.bias.data[:] = 7
    x = uniform(1, (4, 2, 3))
    np.testing.assert_allclose(layer(x).data, nnlib.layer_norm(x, (2, 3)) + 7)
    assert LayerNorm(3, elementwise_affine=False).weight is None
    np.testing.assert_array_equal(LayerNorm([3], 1e-2, False)(x), nnlib.layer_norm(x, 3, eps=1e-2))


def test_dropout_drops_in_training_only():
    x, layer = uniform(1, (40, 50)), Dropout(0.25)
    dropped = layer(x)
    assert abs(np.mean(dropped == 0) - 0.25) < 0.05
    np.testing.assert_allclose(dropped[dropped != 0], (x / 0.75)[dropped != 0])
    assert (layer(x) != dropped).any()
    np.testing.assert_array_equal(layer.eval()(x), x)
    assert Dropout().p == 0.5


def test_dropout_is_repeatable():
    x = np.ones(50)
    one, two = Dropout(rng=3), Dropout(rng=3)
    first, second = one(x), one(x)
    np.testing.assert_array_equal(two(x), first)
    assert (first != second).any()
    layer = Dropout()
    manual_seed(4)
    first = layer(x)
    manual_seed(4)
    np.testing.assert_array_equal(layer(x), first)


def test_embedding_looks_rows_up():
    layer = Embedding(200, 100, rng=0, dtype=np.float64)
    assert abs(layer.weight.data.mean()) < 0.04 and layer.weight.data.std() == pytest.approx(1, rel=0.02)
    words = np.array([[3, 1, 3], [199, 0, 1]])
    rows = layer(words)
    np.testing.assert_array_equal(rows.data, layer.weight.data[words])
    rows.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad[:5, 0], [1, 2, 0, 2, 0])


def small_network():
    return Sequential(Conv2d(1, 2, 3, padding=1, dtype=np.float64, rng=0), BatchNorm2d(2, dtype=np.float64),
                      LeakyReLU(), MaxPool2d(2), Flatten(), Linear(8, 3, dtype=np.float64, rng=1), Tanh(),
                      Residual(Linear(3, 3, dtype=np.float64, rng=2)), LayerNorm(3, dtype=np.float64), Softmax())


@pytest.mark.parametrize("training", [True, False])
def test_a_whole_network_against_central_differences(training):
    network, x, upstream = small_network().train(training), uniform(1, (2, 1, 4, 4)), uniform(2, (2, 3))
    network(x).backward(upstream)
    for name, parameter in network.named_parameters():
        def function(values, parameter=parameter):
            kept, parameter.data = parameter.data, values
            try:
                return network(x).data
            finally:
                parameter.data = kept

        expected = central_differences(function, [parameter.data], 0, upstream)
        np.testing.assert_allclose(parameter.grad, expected, rtol=1e-6, atol=1e-8, err_msg=name)


# Sequential and Residual.

def test_steps_are_indexed_sliced_counted_and_added():
    steps = Linear(2, 3), ReLU(), Linear(3, 1)
    network = Sequential(*steps)
    assert len(network) == 3 and list(network) == list(steps)
    assert network[0] is steps[0] and network[-1] is steps[2]
    assert type(network[1:]) is Sequential and list(network[1:]) == [steps[1], steps[2]]
    assert network.append(Sigmoid()) is network and len(network) == 4
    assert [name for name, _ in network.named_children()] == ["0", "1", "2", "3"]
    assert list(network.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    x = uniform(1, (5, 2))
    np.testing.assert_array_equal(network(x).data, nnlib.sigmoid(network[:3](x)).data)
    np.testing.assert_array_equal(network[:2](x).data, nnlib.relu(steps[0](x)).data)
    np.testing.assert_array_equal(Sequential()(x), x)
    with pytest.raises(IndexError):
        network[9]


def test_nested_names():
    network = Sequential(Sequential(Linear(2, 2), Tanh()), Residual(Linear(2, 2), Linear(2, 2, bias=False)))
    assert list(network.state_dict()) == ["0.0.weight", "0.0.bias", "1.module.weight", "1.module.bias",
                                          "1.shortcut.weight"]


def test_a_subclass_of_sequential_may_own_more():
    class Scaled(Sequential):
        def __init__(self, *steps):
            super().__init__(*steps)
            self.scale = Parameter([2.0])

        def forward(self, x):
            return super().forward(x) * self.scale

    network = Scaled(Linear(2, 2, dtype=np.float64))
    assert list(network.state_dict()) == ["scale", "0.weight", "0.bias"]
    np.testing.assert_array_equal(network(np.ones((1, 2))).data, 2 * network[0](np.ones((1, 2))).data)


def test_plain_functions_are_steps():
    network = Sequential(Linear(2, 2, dtype=np.float64), nnlib.tanh, lambda z: z * 2)
    x = uniform(1, (3, 2))
    np.testing.assert_array_equal(network(x).data, 2 * np.tanh(network[0](x).data))
    assert [name for name, _ in network.named_children()] == ["0", "1", "2"]
    assert repr(network) == ("Sequential(\n  (0): Linear(in_features=2, out_features=2, bias=True)\n  (1): tanh\n"
                             "  (2): <lambda>\n)")
    np.testing.assert_array_equal(copy.deepcopy(network)(x).data, network(x).data)
    seen = []
    network[1].register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    network(x)
    assert seen == [(3, 2)]


@pytest.mark.parametrize(("step", "sentence"), [
    (ReLU, r"step 1 is the class ReLU, not a layer; did you mean ReLU\(\)\?"),
    (3, "expected modules or functions but step 1 is a int"), (None, "step 1 is a NoneType"),
    ([ReLU(), ReLU()], r"step 1 is a list; did you mean Sequential\(\*layers\)\?"),
])
def test_steps_that_cannot_be_called(step, sentence):
    with pytest.raises(TypeError, match=f"Sequential: .*{sentence}"):
        Sequential(Identity(), step)
    with pytest.raises(TypeError, match=f"Sequential: .*{sentence}"):
        Sequential(Identity()).append(step)


def test_residual_adds_its_input():
    inner, shortcut = Linear(3, 3, dtype=np.float64), Linear(3, 3, dtype=np.float64)
    x = Tensor(uniform(1, (4, 3)), requires_grad=True)
    np.testing.assert_allclose(Residual(inner)(x).data, x.data + inner(x).data)
    np.testing.assert_allclose(Residual(inner, shortcut)(x).data, shortcut(x).data + inner(x).data)
    Residual(inner)(x).sum().backward()
    np.testing.assert_allclose(x.grad, np.ones((4, 3)) + np.ones((4, 3)) @ inner.weight.data)
    with pytest.raises(ShapeError, match=r"Residual: .* gave \(4, 3\) and the module \(4, 2\); give a shortcut"):
        Residual(Linear(3, 2, dtype=np.float64))(x)
    with pytest.raises(ShapeError, match=r"gave \(4, 3\) and the module \(4, 1\)"):  # would broadcast
        Residual(Linear(3, 1, dtype=np.float64))(x)


def test_modes_reach_the_layers():
    network = Sequential(Dropout(1.0), Residual(Sequential(Dropout(1.0), Identity())))
    x = np.ones((2, 3))
    np.testing.assert_array_equal(network(x), 0)
    np.testing.assert_array_equal(network.eval()(x), 2 * x)
    np.testing.assert_array_equal(network.train()(x), 0)


# Printed forms, own subclasses.

@pytest.mark.parametrize(("layer", "printed"), [
    (Linear(3, 2, bias=False), "Linear(in_features=3, out_features=2, bias=False)"),
    (Conv2d(1, 6, 5),
     "Conv2d(in_channels=1, out_channels=6, kernel_size=(5, 5), stride=(1, 1), padding=(0, 0), bias=True)"),
    (Conv1d(1, 6, 5, padding="same", bias=False),
     "Conv1d(in_channels=1, out_channels=6, kernel_size=(5,), stride=(1,), padding='same', bias=False)"),
    (MaxPool2d(2), "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"),
    (Dropout(0.2, rng=1), "Dropout(p=0.2)"), (Identity(), "Identity()"),
    (Embedding(9, 2), "Embedding(num_embeddings=9, embedding_dim=2)"),
    (BatchNorm1d(4), "BatchNorm1d(num_features=4, eps=1e-05, momentum=0.1, affine=True)"),
    (LayerNorm(4, elementwise_affine=False), "LayerNorm(normalized_shape=(4,), eps=1e-05, elementwise_affine=False)"),
])
def test_printed_forms(layer, printed):
    assert repr(layer) == printed


def test_a_layer_may_be_refined_in_a_subclass():
    class Square(Linear):
        def __init__(self, size):
            super().__init__(size, size, bias=False)

    class Same(Conv2d):
        """Keeps the size of the image."""

    assert list(dict(Square(3).named_parameters())) == ["weight"] and repr(Square(3)).startswith("Square(")
    assert Same(1, 2, 3, padding="same")(np.ones((1, 1, 4, 4), np.float32)).shape == (1, 2, 4, 4)
    assert isinstance(Square(3), Module)


# What they refuse.

@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: Linear(64, 10)(np.ones((64, 32))),
     r"Linear\(64 -> 10\) expected input of shape \(batch, 64\) but got \(64, 32\)\. "
     r"Did you pass the images as columns\? Try x\.T\."),
    (lambda: Linear(64, 10)(np.ones((5, 1, 8, 8))), r"but got \(5, 1, 8, 8\)\. Try Flatten\(\) before it\."),
    (lambda: Linear(64, 10)(np.ones((5, 63))), r"\(batch, 64\) but got \(5, 63\)\.$"),
    (lambda: Linear(64, 10)(Tensor(2.0)), r"but got \(\)\."),
    (lambda: Conv2d(3, 4, 3)(np.ones((2, 8, 8, 3))), r"Conv2d\(3 -> 4\): expected input .*\(2, 8, 8, 3\).*permute"),
    (lambda: Conv2d(1, 4, 3)(np.ones((8, 8))),
     r"Conv2d\(1 -> 4\): expected input of shape \(batch, 1, height, width\)"),
    (lambda: Conv2d(1, 4, 5)(np.ones((2, 1, 4, 4))), r"Conv2d\(1 -> 4\): .*larger than the padded image"),
    (lambda: Conv1d(2, 4, 3)(np.ones((2, 5, 2))), r"Conv1d\(2 -> 4\): expected input of shape \(batch, 2, length\)"),
    (lambda: BatchNorm1d(3)(np.ones((2, 3, 4, 4))),
     r"BatchNorm1d\(3\): expected input of shape \(batch, 3\) or \(batch, 3, length\) but got \(2, 3, 4, 4\)"),
    (lambda: BatchNorm2d(3)(np.ones((2, 3))), r"BatchNorm2d\(3\): .*\(batch, 3, height, width\) but got \(2, 3\)"),
    (lambda: BatchNorm2d(3)(np.ones((2, 4, 4, 3))), r"but got \(2, 4, 4, 3\); channels come second"),
    (lambda: BatchNorm1d(3)(np.ones(3)), r"but got \(3,\)"),
    (lambda: LayerNorm(3)(np.ones((2, 4))), r"layer_norm: .*\(..., 3\) but got \(2, 4\)"),
])
def test_inputs_of_another_shape(call, sentence):
    with pytest.raises(ShapeError, match=sentence):
        call()


@pytest.mark.parametrize(("call", "error", "sentence"), [
    (lambda: Linear(0, 2), ValueError, "Linear: expected in_features to be at least 1 but got 0"),
    (lambda: Linear(2, -1), ValueError, "Linear: expected out_features to be at least 1 but got -1"),
    (lambda: Linear(7 / 2, 2), TypeError, "Linear: expected in_features to be an integer but got 3.5; .* n // 2"),
    (lambda: Linear("3", 2), TypeError, "but got '3'"),
    (lambda: Conv2d(1, 0, 3), ValueError, "Conv2d: expected out_channels to be at least 1 but got 0"),
    (lambda: Conv2d(None, 1, 3), TypeError, "Conv2d: expected in_channels to be an integer but got None"),
    (lambda: Conv2d(1, 1, 0), ValueError, "kernel_size .*got 0"),
    (lambda: Conv2d(1, 1, (3, 3, 3)), ValueError, "2 axes"), (lambda: Conv2d(1, 1, 3, 0), ValueError, "stride"),
    (lambda: Conv2d(1, 1, 2.5), TypeError, "kernel_size .* integer"),
    (lambda: Conv2d(1, 1, 3, 1, -1), ValueError, "padding .*got -1"), (lambda: MaxPool2d(0), ValueError, "kernel_size"),
    (lambda: Conv2d(1, 1, 3, padding="some"), ValueError, "'valid', 'same' or 'full' but got 'some'"),
    (lambda: Conv2d(1, 1, 3, 2, padding="same"), ValueError, "stride"), (lambda: AvgPool1d(2, 0), ValueError, "stride"),
    (lambda: Dropout(1.5), ValueError, r"Dropout: expected p to be a probability in \[0, 1\] but got 1.5"),
    (lambda: Dropout(np.nan), ValueError, "but got nan"), (lambda: Dropout(rng="x"), TypeError, "rng: expected"),
    (lambda: BatchNorm1d(0), ValueError, "BatchNorm1d: expected num_features to be at least 1"),
    (lambda: BatchNorm2d(3, momentum=1.1), ValueError, r"BatchNorm2d: expected a momentum in \[0, 1\], .* but got 1.1"),
    (lambda: LayerNorm(()), ValueError, r"normalized_shape to be a number, .* but got \(\)"),
    (lambda: LayerNorm((3, 0)), ValueError,
     "LayerNorm: expected normalized_shape to be at least 1 but got 0"),
    (lambda: LayerNorm(2.0), TypeError, r"LayerNorm: expected normalized_shape to be an integer but got 2.0"),
    (lambda: Embedding(3, 0), ValueError, "Embedding: expected embedding_dim to be at least 1"),
    (lambda: LeakyReLU(0.1, 0.2), TypeError, r"LeakyReLU: too many positional .* its arguments are \(negative_slope="),
    (lambda: Linear(2, 2, dtype=int), TypeError, "floats"),
])
def test_arguments_out_of_range(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
