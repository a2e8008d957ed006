"""Convolution against five plain loops, central differences and PyTorch; output sizes; the sentences of its errors."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import assert_gradients_match, seeds, uniform

from nnlib import ShapeError, Tensor, conv1d, conv2d, output_size, resolve_padding
from nnlib.ops import convolution

FEW = settings(max_examples=40, deadline=None)


def naive_conv2d(x, weight, bias=None, stride=(1, 1), padding=((0, 0), (0, 0))):
    """The definition: one dot product for each image, output channel, row and column."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    (batch, _, *size), (out_channels, _, *kernel_size) = x.shape, weight.shape
    down, across = ((n - k) // s + 1 for n, k, s in zip(size, kernel_size, stride, strict=True))
    y = np.zeros((batch, out_channels, down, across))
    for n, o, r, c in np.ndindex(y.shape):
        top, left = r * stride[0], c * stride[1]
        window = x[n, :, top:top + kernel_size[0], left:left + kernel_size[1]]
        y[n, o, r, c] = (window * weight[o]).sum() + (0 if bias is None else bias[o])
    return y


def gradients(function, arrays, upstream):
    """Value of `function` and its gradients for all `arrays`."""
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    result = function(*tensors)
    result.backward(upstream)
    return [result.data, *(t.grad for t in tensors)]


@st.composite
def convolutions(draw):
    """Arrays x, weight, bias and the options of a convolution over two axes that fits."""
    batch, channels, out_channels = draw(st.integers(0, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel_size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    size = tuple(max(1, k - 2 * p) + draw(st.integers(0, 4)) for k, p in zip(kernel_size, padding))
    seed = draw(seeds)
    return (uniform(seed, (batch, channels, *size)), uniform(seed + 1, (out_channels, channels, *kernel_size)),
            uniform(seed + 2, out_channels), stride, padding)


@FEW
@given(convolutions())
def test_of_conv2d_against_its_definition_and_central_differences(drawn):
    x, weight, bias, stride, padding = drawn
    expected = naive_conv2d(x, weight, bias, stride, [(p, p) for p in padding])
    np.testing.assert_allclose(conv2d(x, weight, bias, stride, padding), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(conv2d(x, weight, stride=stride, padding=padding), expected - bias[:, None, None],
                               rtol=1e-12, atol=1e-12)
    assert_gradients_match(lambda *arrays: conv2d(*arrays, stride=stride, padding=padding), x, weight, bias)


@FEW
@given(convolutions(), st.sampled_from(["valid", "same", "full", 1]))
def test_of_conv1d_against_conv2d_of_height_1_and_central_differences(drawn, padding):
    x, weight, bias, (stride, _), _ = drawn
    x, weight = x[:, :, 0], weight[:, :, 0]
    x = np.concatenate([x, uniform(1, (*x.shape[:2], 4))], axis=2)  # at least as long as the kernel
    stride = 1 if padding == "same" else stride
    ((before, after),) = resolve_padding(padding, weight.shape[2], stride)
    expected = naive_conv2d(x[:, :, None], weight[:, :, None], bias, (1, stride), ((0, 0), (before, after)))[:, :, 0]
    np.testing.assert_allclose(conv1d(x, weight, bias, stride, padding), expected, rtol=1e-12, atol=1e-12)
    assert_gradients_match(lambda *arrays: conv1d(*arrays, stride=stride, padding=padding), x, weight, bias)


@pytest.mark.parametrize("padding", ["valid", "same", "full"])
@pytest.mark.parametrize("kernel_size", [(1, 1), (2, 3), (3, 2), (4, 4), (5, 3)])
def test_of_padding_in_words(padding, kernel_size):
    x, weight = uniform(1, (2, 3, 6, 5)), uniform(2, (4, 3, *kernel_size))
    widths = {"valid": [(0, 0), (0, 0)], "full": [(k - 1, k - 1) for k in kernel_size],
              "same": [((k - 1) // 2, k - 1 - (k - 1) // 2) for k in kernel_size]}[padding]
    y = conv2d(x, weight, padding=padding)
    np.testing.assert_allclose(y, naive_conv2d(x, weight, padding=widths), rtol=1e-12, atol=1e-12)
    assert resolve_padding(padding, kernel_size) == tuple(widths)
    assert y.shape[2:] == output_size((6, 5), kernel_size, padding=padding)
    assert y.shape[2:] == (6, 5) or padding != "same"
    assert_gradients_match(lambda *arrays: conv2d(*arrays, padding=padding), x, weight)


def test_that_full_padding_is_kernel_minus_1_and_an_even_kernel_pads_more_after():
    x, weight = uniform(1, (2, 1, 4, 5)), uniform(2, (3, 1, 3, 4))
    np.testing.assert_array_equal(conv2d(x, weight, padding="full"), conv2d(x, weight, padding=(2, 3)))
    assert resolve_padding("same", (2, 4, 3)) == ((0, 1), (1, 2), (1, 1))
    assert resolve_padding((0, 2), (3, 3)) == ((0, 0), (2, 2)) and resolve_padding(1, 3) == ((1, 1),)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("batch", [1, 2, 63, 65, 130])
def test_that_a_block_boundary_is_nowhere_seen(batch, stride, monkeypatch):
    x, weight = uniform(1, (batch, 2, 6, 5)), uniform(2, (3, 2, 3, 2))
    upstream = uniform(3, conv2d(x, weight, stride=stride, padding=1).shape)
    whole = gradients(lambda *arrays: conv2d(*arrays, stride=stride, padding=1), (x, weight), upstream)
    monkeypatch.setattr(convolution, "_BLOCK_BYTES", 1)
    parts = gradients(lambda *arrays: conv2d(*arrays, stride=stride, padding=1), (x, weight), upstream)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(whole[0], naive_conv2d(x, weight, None, (stride, stride), ((1, 1), (1, 1))), rtol=1e-12,
                               atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_that_threads_change_no_bit(monkeypatch, dtype):
    arrays = [uniform(i, shape).astype(dtype) for i, shape in enumerate([(70, 3, 9, 8), (5, 3, 3, 3), 5])]
    upstream = uniform(4, (70, 5, 9, 8)).astype(dtype)
    monkeypatch.setattr(convolution, "_BLOCK_PRODUCTS", 1)  # many blocks, and threads for the smallest
    monkeypatch.setattr(convolution, "_THREAD_PRODUCTS", 0)
    results = []
    for workers in (1, 4):
        monkeypatch.setattr(convolution, "_WORKERS", workers)
        results.append(gradients(lambda *arrays: conv2d(*arrays, padding=1), arrays, upstream))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_that_the_same_call_gives_the_same_bits():
    x, weight, bias = uniform(1, (70, 8, 28, 28)), uniform(2, (16, 8, 5, 5)), uniform(3, 16)
    arrays = [a.astype(np.float32) for a in (x, weight, bias)]
    upstream = uniform(4, (70, 16, 28, 28)).astype(np.float32)
    runs = [gradients(lambda *arrays: conv2d(*arrays, padding=2), arrays, upstream) for _ in range(3)]
    for again in runs[1:]:
        for a, b in zip(runs[0], again, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == np.float32


@pytest.mark.parametrize("view", [
    lambda a: a.transpose(0, 1, 3, 2), lambda a: a[::-1, :, ::-1], lambda a: np.asfortranarray(a),
    lambda a: np.broadcast_to(a[:1], a.shape), lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
], ids=["transposed", "reversed", "Fortran", "broadcast", "strided"])
def test_of_inputs_that_are_not_contiguous(view):
    x, weight = view(uniform(1, (3, 2, 5, 5))), view(uniform(2, (3, 2, 3, 3)))
    upstream = view(uniform(3, (3, 3, 5, 5)))
    ours = gradients(lambda *arrays: conv2d(*arrays, padding=1), (x, weight), upstream)
    plain = [np.ascontiguousarray(a) for a in (x, weight, upstream)]
    for a, b in zip(ours, gradients(lambda *arrays: conv2d(*arrays, padding=1), plain[:2], plain[2]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    np.testing.assert_allclose(ours[0], naive_conv2d(x, weight, padding=((1, 1), (1, 1))), rtol=1e-12)


def test_that_a_tensor_used_twice_receives_both_gradients():
    x, weight = uniform(1, (2, 3, 5, 4)), uniform(2, (3, 3, 3, 3))
    assert_gradients_match(lambda x, w: conv2d(conv2d(x, w, padding=1) + x, w, padding="same"), x, weight)


def test_that_an_empty_batch_gives_an_empty_result_and_zero_gradients():
    arrays = uniform(1, (0, 2, 5, 5)), uniform(2, (3, 2, 3, 3)), uniform(3, 3)
    y, for_x, for_weight, for_bias = gradients(conv2d, arrays, np.zeros((0, 3, 3, 3)))
    assert y.shape == (0, 3, 3, 3) and for_x.shape == (0, 2, 5, 5)
    assert not for_weight.any() and not for_bias.any()


def test_of_dtypes():
    x, weight, bias = (uniform(i, shape).astype(np.float32) for i, shape in enumerate([(2, 3, 6, 6), (4, 3, 3, 3), 4]))
    upstream = uniform(4, (2, 4, 3, 3)).astype(np.float32)
    for a in gradients(lambda *arrays: conv2d(*arrays, stride=2, padding=1), (x, weight, bias), upstream):
        assert a.dtype == np.float32
    assert conv2d(x.astype(np.float64), weight).dtype == np.float64
    pixels = np.arange(16).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(conv2d(pixels, np.ones((1, 1, 2, 2)))[0, 0, 0], [10.0, 14.0, 18.0])


@pytest.mark.filterwarnings("error")
def test_of_extreme_numbers():
    x, weight = np.array([1e300, -1e300, 1e-300]).reshape(1, 1, 3), np.ones((1, 1, 2))
    np.testing.assert_array_equal(conv1d(x, weight)[0, 0], [0.0, -1e300])


@pytest.mark.parametrize(("size", "kernel_size", "stride", "padding"), list(itertools.product(
    (1, 4, 5, 7), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2, "valid", "same", "full"))))
def test_that_output_size_is_the_size_of_the_output(size, kernel_size, stride, padding):
    x, weight = np.zeros((1, 1, size)), np.zeros((1, 1, kernel_size))
    if padding == "same" and stride > 1:
        with pytest.raises(ValueError, match="keeps the size"):
            output_size(size, kernel_size, stride, padding)
        return
    padded = size + {"valid": 0, "same": kernel_size - 1, "full": 2 * kernel_size - 2}.get(padding, 2 * (padding
                     if isinstance(padding, int) else 0))
    if kernel_size > padded:
        for attempt in (lambda: output_size(size, kernel_size, stride, padding),
                        lambda: conv1d(x, weight, stride=stride, padding=padding)):
            with pytest.raises(ShapeError, match="larger than the padded image"):
                attempt()
        return
    assert output_size(size, kernel_size, stride, padding) == (padded - kernel_size) // stride + 1
    assert conv1d(x, weight, stride=stride, padding=padding).shape[2] == output_size(size, kernel_size, stride, padding)


def test_of_output_size_along_two_axes():
    assert output_size((32, 28), 3, (1, 2), 1) == (32, 14)
    assert output_size(224, 11, 4, 2) == 55


X, WEIGHT = np.zeros((8, 3, 28, 28)), np.zeros((4, 3, 3, 3))


@pytest.mark.parametrize(("arrays", "options", "sentence"), [
    ((X.transpose(0, 2, 3, 1), WEIGHT), {}, r"conv2d: expected input of shape \(batch, 3, height, width\) but got "
     r"\(8, 28, 28, 3\); did you mean x.permute\(0, 3, 1, 2\), channels first"),
    ((X[0], WEIGHT), {}, r"one alone is a batch of 1: x\[None\]"),
    ((X[:, :2], WEIGHT), {}, r"got \(8, 2, 28, 28\); channels come second"),
    ((X, WEIGHT[0]), {}, r"expected a weight of shape \(out channels, in channels, kernel height, width\)"),
    ((X, WEIGHT, np.zeros(3)), {}, r"expected a bias of shape \(4,\)"),
    ((X, WEIGHT, np.zeros((4, 1))), {}, r"expected a bias of shape \(4,\).*but got \(4, 1\)"),
    ((X[:, :, :2], WEIGHT), {}, r"a window of size \(3, 3\) is larger than the padded image, \(2, 28\)"),
    ((3.0, WEIGHT), {}, r"got \(\)"),
    ((X, 3.0), {}, r"expected a weight of shape .* but got \(\)"),
])
def test_that_shapes_which_do_not_fit_are_explained(arrays, options, sentence):
    with pytest.raises(ShapeError, match=sentence):
        conv2d(*arrays, **options)


@pytest.mark.parametrize(("options", "error", "sentence"), [
    ({"stride": 0}, ValueError, "conv2d: expected stride to be at least 1 but got 0"),
    ({"stride": (1, -1)}, ValueError, "but got -1"),
    ({"stride": (1, 1, 1)}, ValueError, "one for each of 2 axes"),
    ({"stride": 1.5}, TypeError, "expected stride to be an integer"),
    ({"padding": -1}, ValueError, "conv2d: expected padding to be at least 0"),
    ({"padding": "symmetric"}, ValueError, "'valid', 'same' or 'full' but got 'symmetric'"),
    ({"padding": None}, TypeError, "expected padding to be an integer"),
    ({"padding": "same", "stride": 2}, ValueError, "keeps the size of the image"),
])
def test_that_options_out_of_range_are_explained(options, error, sentence):
    with pytest.raises(error, match=sentence):
        conv2d(X, WEIGHT, **options)


def test_that_conv1d_names_itself():
    with pytest.raises(ShapeError, match=r"conv1d: expected input of shape \(batch, 3, length\) but got \(2, 9, 3\); "
                                         r"did you mean x.transpose\(1, 2\)"):
        conv1d(np.zeros((2, 9, 3)), np.zeros((4, 3, 2)))


@pytest.fixture
def torch():
    """PyTorch on one thread: on arrays this small, its threads spend their time waiting for each other."""
    torch = pytest.importorskip("torch", reason="parity needs PyTorch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


GRID = [case for case in itertools.product(
    [(2, 1, 3), (3, 4, 2)], [(6, 6), (7, 9)], [(1, 1), (3, 3), (2, 3), (5, 1), (6, 6)], [1, (3, 1), (2, 5)],
    [0, (0, 2), (5, 1), "same"]) if case[4] != "same" or case[3] == 1]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_that_conv2d_agrees_with_pytorch_over_a_grid(torch):
    for (batch, channels, out_channels), size, kernel_size, stride, padding in GRID:
        shapes = (batch, channels, *size), (out_channels, channels, *kernel_size), (out_channels,)
        arrays = [uniform(i, shape) for i, shape in enumerate(shapes)]
        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        expected = torch.nn.functional.conv2d(*tensors, stride=stride, padding=padding)
        upstream = uniform(9, expected.shape)
        expected.backward(torch.tensor(upstream))
        ours = gradients(lambda *a: conv2d(*a, stride=stride, padding=padding), arrays, upstream)  # noqa: B023
        for got, wanted in zip(ours, [expected.detach(), *(t.grad for t in tensors)], strict=True):
            np.testing.assert_allclose(got, wanted.numpy(), rtol=1e-10, atol=1e-10,
                                       err_msg=f"{size} {kernel_size} {stride} {padding}")


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2), (1, "same")])
def test_that_conv1d_agrees_with_pytorch(torch, stride, padding):
    arrays = uniform(1, (3, 2, 11)), uniform(2, (4, 2, 5)), uniform(3, 4)
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = torch.nn.functional.conv1d(*tensors, stride=stride, padding=padding)
    upstream = uniform(9, expected.shape)
    expected.backward(torch.tensor(upstream))
    ours = gradients(lambda *a: conv1d(*a, stride=stride, padding=padding), arrays, upstream)
    for got, wanted in zip(ours, [expected.detach(), *(t.grad for t in tensors)], strict=True):
        np.testing.assert_allclose(got, wanted.numpy(), rtol=1e-10, atol=1e-10)
