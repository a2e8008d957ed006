"""Every operation against PyTorch, values and gradients, at kinks and ties too (skipped without PyTorch)."""

import numpy as np
import pytest
from support import uniform

import nnlib
from nnlib import Tensor

torch = pytest.importorskip("torch")
F = torch.nn.functional
KINKS = np.array([[-2.0, -1.0, 0.0], [0.0, 1.0, 2.0]])
X, Y, POSITIVE = uniform(1, (2, 3)), uniform(2, (2, 3)), uniform(3, (2, 3), 0.1, 3)
TIES = np.array([[1.0, 3.0, 3.0], [3.0, 0.0, 1.0], [-2.0, -2.0, -2.0]])
FAR = np.array([[-1e4, -50.0, 0.0], [1.0, 50.0, 1e4], [-np.inf, 0.0, 2.0]])
CONDITION = np.array([[True], [False]])
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
    "tan": (nnlib.tan, torch.tan, [X]),
    "1/x": (lambda x: 1 / x, lambda x: 1 / x, [Y]), "x^-1": (lambda x: x**-1, lambda x: x**-1, [Y]),
    "minimum with ties": (nnlib.minimum, torch.minimum, [KINKS, KINKS[::-1].copy()]),
    "minimum of broadcasts": (nnlib.minimum, torch.minimum, [X, Y[:, :1]]),
    "clip": (lambda x: nnlib.clip(x, -1.0, 1.0), lambda x: torch.clamp(x, -1.0, 1.0), [KINKS]),
    "clip below": (lambda x: nnlib.clip(x, min=0.0), lambda x: torch.clamp(x, min=0.0), [KINKS]),
    "clip above": (lambda x: nnlib.clip(x, max=0.0), lambda x: torch.clamp(x, max=0.0), [KINKS]),
    "where": (lambda a, b: nnlib.where(CONDITION, a, b), lambda a, b: torch.where(torch.tensor(CONDITION), a, b),
              [X, Y[0]]),
    "max": (nnlib.max, torch.amax, [TIES]), "min": (nnlib.min, torch.amin, [TIES]),
    "max along an axis": (lambda x: nnlib.max(x, axis=1), lambda x: x.amax(dim=1), [TIES]),
    "min along axes": (lambda x: nnlib.min(x, axis=(0, -1), keepdims=True),
                       lambda x: x.amin(dim=(0, -1), keepdim=True), [TIES]),
    "var": (nnlib.var, torch.var, [X]),
    "var along an axis": (lambda x: nnlib.var(x, axis=-1, keepdims=True, correction=0),
                          lambda x: x.var(dim=-1, keepdim=True, correction=0), [X]),
    "logsumexp": (lambda x: nnlib.logsumexp(x, axis=1), lambda x: torch.logsumexp(x, dim=1), [FAR]),
    "logsumexp of all": (nnlib.logsumexp, lambda x: torch.logsumexp(x, dim=(0, 1)), [FAR]),
    "linear": (nnlib.linear, F.linear, [X, uniform(4, (4, 3)), uniform(5, 4)]),
    "linear of a vector": (nnlib.linear, F.linear, [X[0], uniform(4, (4, 3)), uniform(5, 4)]),
    "linear of a stack without bias": (nnlib.linear, F.linear, [uniform(6, (2, 5, 3)), uniform(4, (4, 3))]),
    "stack on a matrix": (nnlib.matmul, torch.matmul, [uniform(4, (2, 5, 2, 3)), uniform(5, (3, 4))]),
    "flatten": (nnlib.flatten, lambda x: torch.flatten(x, 1), [uniform(4, (2, 3, 4))]),
    "squeeze": (nnlib.squeeze, torch.squeeze, [uniform(4, (1, 3, 1))]),
    "broadcast_to": (lambda x: nnlib.broadcast_to(x, (4, 2, 3)), lambda x: torch.broadcast_to(x, (4, 2, 3)), [X]),
    "concatenate": (lambda a, b: nnlib.concatenate([a, b, a], axis=1), lambda a, b: torch.cat([a, b, a], dim=1),
                    [X, uniform(4, (2, 1))]),
    "stack": (lambda a, b: nnlib.stack([a, b, a], axis=1), lambda a, b: torch.stack([a, b, a], dim=1), [X, Y]),
    "pad": (lambda x: nnlib.pad(x, ((1, 0), (2, 3)), 7.0), lambda x: F.pad(x, (2, 3, 1, 0), value=7.0), [X]),
    "embedding": (lambda w: nnlib.embedding([[2, 0], [2, 2]], w),
                  lambda w: F.embedding(torch.tensor([[2, 0], [2, 2]]), w), [uniform(4, (4, 3))]),
    "masks": (lambda x: x[x > 0], lambda x: x[x > 0], [X]),
    "leaky_relu": (nnlib.leaky_relu, F.leaky_relu, [KINKS]),
    "leaky_relu with a slope": (lambda x: nnlib.leaky_relu(x, 0.3), lambda x: F.leaky_relu(x, 0.3), [KINKS]),
    "elu": (nnlib.elu, F.elu, [100 * KINKS]),
    "elu with alpha": (lambda x: nnlib.elu(x, 0.5), lambda x: F.elu(x, 0.5), [KINKS]),
    "swish": (nnlib.swish, F.silu, [100 * KINKS]), "silu": (nnlib.silu, F.silu, [X]),
    "hardtanh": (nnlib.hardtanh, F.hardtanh, [KINKS]),
    "hardtanh with bounds": (lambda x: nnlib.hardtanh(x, 0.0, 1.5), lambda x: F.hardtanh(x, 0.0, 1.5), [KINKS]),
    "softplus far out": (nnlib.softplus, lambda x: torch.logaddexp(x, torch.zeros_like(x)), [100 * KINKS]),
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


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("ours", "theirs", "points"), [
    (nnlib.log, torch.log, [0.0, -1.0]), (nnlib.sqrt, torch.sqrt, [0.0, -1.0]), (nnlib.exp, torch.exp, [-1e4, 1e4]),
    (lambda x: 1 / x, lambda x: 1 / x, [0.0, -2.0]), (lambda x: x / 0.0, lambda x: x / 0.0, [0.0, 1.0, -1.0]),
    (lambda x: x**-1, lambda x: x**-1, [0.0]), (lambda x: x**0.5, lambda x: x**0.5, [0.0, -1.0]),
    (lambda x: x**3, lambda x: x**3, [0.0, -2.0, 1e200]), (nnlib.var, torch.var, [[1.0, 2.0]]),
], ids=["log", "sqrt", "exp", "1/x", "x/0", "x^-1", "x^0.5", "x^3", "var"])
def test_infinite_and_undefined_results_are_pytorchs_and_warn_of_nothing(ours, theirs, points):
    for point in points:
        x, reference = Tensor(point, requires_grad=True), torch.tensor(point, dtype=torch.float64, requires_grad=True)
        value, expected = ours(x), theirs(reference)
        value.backward()
        expected.backward()
        np.testing.assert_allclose(value.data, expected.detach().numpy(), rtol=1e-12)
        np.testing.assert_allclose(x.grad, reference.grad.numpy(), rtol=1e-12)
