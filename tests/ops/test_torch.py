"""Every operation against PyTorch, values and gradients, at kinks and ties too (skipped without PyTorch)."""

import numpy as np
import pytest
from support import uniform

import nnlib
from nnlib import Tensor

torch = pytest.importorskip("torch")
KINKS = np.array([[-2.0, -1.0, 0.0], [0.0, 1.0, 2.0]])
X, Y, POSITIVE = uniform(1, (2, 3)), uniform(2, (2, 3)), uniform(3, (2, 3), 0.1, 3)
CASES = {
    "absolute": (nnlib.absolute, torch.abs, [KINKS]), "exp": (nnlib.exp, torch.exp, [X]),
    "log": (nnlib.log, torch.log, [POSITIVE]),
    "sqrt": (nnlib.sqrt, torch.sqrt, [POSITIVE]), "sin": (nnlib.sin, torch.sin, [X]),
    "cos": (nnlib.cos, torch.cos, [X]),
    "sigmoid": (nnlib.sigmoid, torch.sigmoid, [100 * KINKS]), "tanh": (nnlib.tanh, torch.tanh, [10 * KINKS]),
    "relu": (nnlib.relu, torch.relu, [KINKS]),
    "softplus": (nnlib.softplus, torch.nn.functional.softplus, [X]),
    "negate": (nnlib.negate, torch.neg, [X]), "add": (nnlib.add, torch.add, [X, Y]),
    "divide": (nnlib.divide, torch.div, [X, Y]),
    "subtract": (nnlib.subtract, torch.sub, [X, Y]), "multiply": (nnlib.multiply, torch.mul, [X, Y[:1]]),
    "power": (nnlib.power, torch.pow, [POSITIVE, Y]), "square": (lambda x: x**2, lambda x: x**2, [KINKS]),
    "x^0": (lambda x: x**0, lambda x: x**0, [KINKS]), "2^x": (lambda x: 2**x, lambda x: 2**x, [X]),
    "power of 0": (nnlib.power, torch.pow, [np.zeros(3), np.array([0.0, 1.0, 2.0])]),
    "maximum with ties": (nnlib.maximum, torch.maximum, [KINKS, KINKS[::-1].copy()]),
    "maximum of equals": (nnlib.maximum, torch.maximum, [KINKS, KINKS]),
    "matmul": (nnlib.matmul, torch.matmul, [X, Y.T]),
    "matmul of vectors": (nnlib.matmul, torch.matmul, [X[0], Y[0]]),
    "matmul of a stack": (nnlib.matmul, torch.matmul, [uniform(4, (4, 1, 2, 3)), uniform(5, (5, 3, 2))]),
    "vector on a stack": (nnlib.matmul, torch.matmul, [uniform(4, 3), uniform(5, (5, 3, 2))]),
    "stack on a vector": (nnlib.matmul, torch.matmul, [uniform(4, (5, 2, 3)), uniform(5, 3)]),
    "sum": (lambda x: x.sum(axis=0), lambda x: x.sum(dim=0), [X]),
    "mean": (lambda x: x.mean(axis=(0, 1), keepdims=True), lambda x: x.mean(dim=(0, 1), keepdim=True), [X]),
    "softmax": (lambda x: nnlib.softmax(x, axis=0), lambda x: torch.softmax(x, dim=0), [100 * KINKS]),
    "log_softmax": (nnlib.log_softmax, lambda x: torch.log_softmax(x, dim=-1), [100 * KINKS]),
    "transpose": (lambda x: x.T @ x, lambda x: x.T @ x, [X]),
    "reshape": (lambda x: x.reshape(3, 2), lambda x: x.reshape(3, 2), [X]),
    "index arrays": (lambda x: x[[0, 0, 1], [2, 2, 0]], lambda x: x[[0, 0, 1], [2, 2, 0]], [X]),
    "slices": (lambda x: x[:, None, 1:], lambda x: x[:, None, 1:], [X]),
    "reused": (lambda x, y: (x * y + x) * (x * y).exp(), lambda x, y: (x * y + x) * (x * y).exp(), [X, Y]),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("ours", "theirs", "arrays"), CASES.values(), ids=CASES)
def test_agrees_with_pytorch(ours, theirs, arrays, dtype):
    arrays = [a.astype(dtype) for a in arrays]
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    references = [torch.tensor(a, requires_grad=True) for a in arrays]
    value, reference = ours(*tensors), theirs(*references)
    upstream = uniform(9, value.shape).astype(dtype)
    value.backward(upstream)
    reference.backward(torch.tensor(upstream))
    tolerance = {"rtol": 3e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-13}
    np.testing.assert_allclose(value.data, reference.detach().numpy(), **tolerance)
    for tensor, expected in zip(tensors, references, strict=True):
        np.testing.assert_allclose(tensor.grad, expected.grad.numpy(), **tolerance)
        assert tensor.grad.dtype == value.dtype == dtype
