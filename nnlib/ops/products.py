"""Products of matrices, and the affine map that a fully connected layer is."""

import math

import numpy as np

from nnlib.autograd import primitive
from nnlib.errors import ShapeError

__all__ = ["linear", "matmul"]


def as_rows(x):
    """x as a matrix that has all its leading axes in one, so that one product of matrices does for all."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@primitive
def matmul(a, b):
    """Matrix product a @ b of shapes (..., n, k) and (..., k, m); a vector is a row on the left, a column on the right.

    Derivative: for C = A B, dA = dC B^T and dB = A^T dC (deck C, matrix form of the chain rule).
    Raises ShapeError when the inner sizes differ.
    """
    if not np.ndim(a) or not np.ndim(b):
        raise ShapeError(f"matmul: expected arrays but got shapes {np.shape(a)} and {np.shape(b)}; "
                         "use * to multiply by a number")
    inner = b.shape[0] if b.ndim == 1 else b.shape[-2]
    if a.shape[-1] != inner:
        fits = b.ndim > 1 and a.shape[-1] == b.shape[-1]
        raise ShapeError(f"matmul: inner sizes differ: {a.shape} @ {b.shape}; "
                         + ("did you mean x @ W.T?" if fits else "the last size of the left must equal "
                            f"the {'first' if b.ndim == 1 else 'second-last'} of the right, {inner}"))
    if b.ndim > 2:  # a stack of matrices on the right
        rows = a[None] if a.ndim == 1 else a

        def vjp(g):
            g = np.expand_dims(g, -2) if a.ndim == 1 else g
            return (lambda: (g @ np.swapaxes(b, -1, -2)).squeeze(-2 if a.ndim == 1 else ()),
                    lambda: np.swapaxes(rows, -1, -2) @ g)

        return a @ b, vjp

    columns = b[:, None] if b.ndim == 1 else b

    def vjp(g):
        g = g.reshape(math.prod(a.shape[:-1]), columns.shape[1])
        return lambda: (g @ columns.T).reshape(a.shape), lambda: (as_rows(a).T @ g).reshape(b.shape)

    return (a @ b if a.ndim < 3 else (as_rows(a) @ b).reshape(a.shape[:-1] + b.shape[1:])), vjp


@primitive
def linear(x, weight, bias=None):
    """x @ weight.T + bias: every row of x through the same affine map.

    Args: x: (..., in).   weight: (out, in).   bias: (out,), or None for none.   Returns (..., out).
    Derivative: as of `matmul`, and to the bias the sum of the gradients of all rows.
    Raises ShapeError when the sizes do not fit.
    """
    if np.ndim(weight) != 2 or not np.ndim(x) or x.shape[-1] != weight.shape[1]:
        _explain_linear(np.shape(x), np.shape(weight))
    outputs = len(weight)
    if bias is not None and np.shape(bias) != (outputs,):
        raise ShapeError(f"linear: expected a bias of shape ({outputs},) for a weight of shape {weight.shape} but got "
                         f"{np.shape(bias)}")
    rows = as_rows(x)
    y = rows @ weight.T
    if bias is not None:
        y = np.add(y, bias, out=y if y.dtype == np.asarray(bias).dtype else None)

    def vjp(g):
        g = g.reshape(len(rows), outputs)
        return (lambda: (g @ weight).reshape(x.shape), lambda: g.T @ rows,
                lambda: np.ones(len(g), g.dtype) @ g)  # a product with ones sums faster than g.sum(axis=0)

    return y.reshape(*x.shape[:-1], outputs), vjp


def _explain_linear(x, weight):
    if len(weight) != 2:
        raise ShapeError(f"linear: expected a weight of shape (out, in) but got {weight}; a vector v is v[None]")
    hint = ""
    if len(x) == 2 and x[0] == weight[1]:
        hint = "; did you mean x.T?"
    elif len(x) and x[-1] == weight[0]:
        hint = "; did you mean weight.T?"
    elif math.prod(x[1:]) == weight[1]:
        hint = "; did you forget to flatten(x)?"
    raise ShapeError(f"linear: expected input of shape (..., {weight[1]}) for a weight of shape {weight} but got "
                     f"{x}{hint}")
