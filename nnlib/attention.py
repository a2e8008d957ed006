"""Attention: a soft look-up in which queries compare themselves with keys and collect values (Vaswani et al., 2017).

Sequences are (batch, time, features) everywhere here: what PyTorch's layers call batch_first=True.
"""

import numpy as np

from nnlib.arguments import probability, whole_number
from nnlib.autograd import Tensor
from nnlib.errors import ShapeError
from nnlib.initializers import xavier_uniform_
from nnlib.layers import Dropout, LayerNorm, Linear
from nnlib.module import Module, Parameter
from nnlib.ops import dropout, linear, matmul, multiply, permute, relu, reshape, softmax, transpose, where
from nnlib.seeding import generator

__all__ = ["MultiHeadAttention", "TransformerBlock", "attention_weights", "causal_mask", "positional_encoding",
           "scaled_dot_product_attention"]


def attention_weights(query, key, mask=None):
    """How much each query attends to each key: softmax(Q K^T / sqrt(d)) over the keys.

    Args:
        query: (..., queries, d).   key: (..., keys, d).
        mask: booleans that broadcast to the result, True where the query may attend, as in PyTorch's
            scaled_dot_product_attention (its MultiheadAttention means the opposite).
    Returns (..., queries, keys), at least 0; every row sums to 1. A query that may attend to nothing has weights 0,
    so that its answer and its gradient are 0, too.
    Raises ShapeError when the sizes d differ or the mask does not fit, TypeError for a mask that is not boolean.
    """
    if min(np.ndim(query), np.ndim(key)) < 2 or not np.shape(query)[-1]:
        raise ShapeError("attention: expected queries and keys of shape (..., time, features) but got "
                         f"{np.shape(query)} and {np.shape(key)}; one vector alone is v[None]")
    scores = matmul(multiply(query, np.shape(query)[-1] ** -0.5), transpose(key))
    if mask is None:
        return softmax(scores)
    mask = np.asarray(mask.data if isinstance(mask, Tensor) else mask)
    if mask.dtype != bool:
        raise TypeError(f"attention: expected a boolean mask, True where a query may attend, but got {mask.dtype}; "
                        "try mask.astype(bool)")
    try:
        np.broadcast_to(mask, scores.shape)
    except ValueError:
        raise ShapeError(f"attention: expected a mask that broadcasts to (..., queries, keys) = {scores.shape} but got "
                         f"{mask.shape}; try causal_mask(time), or mask[:, None, None] for a row per example") from None
    lowest = float(np.finfo(scores.dtype).min) / 2  # not -infinity: of a row with nothing else, softmax made NaN
    weights = softmax(where(mask, scores, lowest))
    return weights if mask.any(axis=-1).all() else weights * mask


def scaled_dot_product_attention(query, key, value, mask=None):
    """For each query the mean of the values, weighted by how well its key fits: softmax(Q K^T / sqrt(d)) V.

    Args: query: (..., queries, d).   key: (..., keys, d).   value: (..., keys, v).   mask: as in `attention_weights`,
        which gives the weights alone.
    Returns (..., queries, v). Raises ShapeError for sizes that do not fit.
    """
    return matmul(attention_weights(query, key, mask), value)


def causal_mask(length):
    """Booleans (length, length), True on and below the diagonal: a step attends to itself and to what came before."""
    return np.tri(whole_number("causal_mask", "length", length, least=0), dtype=bool)


def positional_encoding(length, dim, dtype=np.float32):
    """Sines and cosines that tell positions apart: an array (length, dim) to be added to the features of each step.

    Columns 2i and 2i + 1 are sin and cos of position / 10000^(2i / dim): wavelengths from 2 pi to 10000 * 2 pi.
    Source: Vaswani et al. (2017).
    """
    length = whole_number("positional_encoding", "length", length, least=0)
    dim = whole_number("positional_encoding", "dim", dim)
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, dim, 2) / dim)
    encoding = np.empty((length, dim), dtype)
    encoding[:, 0::2], encoding[:, 1::2] = np.sin(angles), np.cos(angles[:, :dim // 2])
    return encoding


class MultiHeadAttention(Module):
    """Several attentions side by side, each in its own embed_dim / num_heads features (Vaswani et al., 2017).

    Args:
        embed_dim: features of queries, keys, values and of the result.   num_heads: a divisor of it.
        dropout: probability of dropping a weight in training.   bias: whether the projections have biases.
    Parameters, as in PyTorch: in_proj_weight (3 embed_dim, embed_dim) and in_proj_bias for query, key and value;
    out_proj.weight, out_proj.bias.
    Call: `y = attention(query, key, value, mask)`; with only one argument, it is all three: self-attention. Query is
    (batch, queries, embed_dim), key and value are (batch, keys, embed_dim), the mask broadcasts to (batch, heads,
    queries, keys); the result is shaped as the query. `last_weights` then holds the weights, an array (batch, heads,
    queries, keys), to be shown. Raises ValueError for heads that do not divide, ShapeError for other shapes.
    """

    last_weights = None

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, *, dtype=np.float32, rng=None):
        if whole_number(self, "embed_dim", embed_dim) % whole_number(self, "num_heads", num_heads):
            raise ValueError(f"MultiHeadAttention: expected num_heads to divide embed_dim but got {num_heads} and "
                             f"{embed_dim}; try {embed_dim} features in 1, or 64 in 4")
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, probability(self, "dropout", dropout)
        self.rng = None if rng is None else generator(rng)
        self.in_proj_weight = xavier_uniform_(Parameter(np.empty((3 * embed_dim, embed_dim), dtype)), rng=self.rng)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, rng=self.rng)
        if bias:
            self.out_proj.bias.data[...] = 0

    def forward(self, query, key=None, value=None, mask=None):
        """The answer to every query, shaped as `query`."""
        key = query if key is None else key
        value = key if value is None else value
        self._check(np.shape(query), np.shape(key), np.shape(value))
        q, k, v = (self._heads(x, slice(i * self.embed_dim, (i + 1) * self.embed_dim))
                   for i, x in enumerate([query, key, value]))
        weights = attention_weights(q, k, mask)
        self.last_weights = weights.data
        weights = dropout(weights, self.dropout, self.training, self.rng)
        return self.out_proj(reshape(permute(matmul(weights, v), (0, 2, 1, 3)), np.shape(query)))

    def _heads(self, x, rows):
        """x, projected by some rows of in_proj, as (batch, heads, time, features of a head)."""
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        projected = linear(x, self.in_proj_weight[rows], bias)
        return permute(reshape(projected, (*np.shape(x)[:2], self.num_heads, -1)), (0, 2, 1, 3))

    def _check(self, query, key, value):
        for name, shape in [("query", query), ("key", key), ("value", value)]:
            if len(shape) != 3 or shape[2] != self.embed_dim:
                raise ShapeError(f"MultiHeadAttention({self.embed_dim}) expected a {name} of shape (batch, time, "
                                 f"{self.embed_dim}) but got {shape}; the features stand last")
        if key != value or query[0] != key[0]:
            raise ShapeError(f"MultiHeadAttention({self.embed_dim}) expected a value for each key, and the same batch "
                             f"everywhere, but got shapes {query}, {key} and {value}; pass query, key, value")

    def extra_repr(self):
        return f"{self.embed_dim}, {self.num_heads}"


class TransformerBlock(Module):
    """Self-attention, then a network of two layers for each step; a residual connection and layer norm around both.

    Args:
        embed_dim, num_heads: as for `MultiHeadAttention`.   dim_feedforward: width of the hidden layer (ReLU).
        dropout: probability, in four places.   norm_first: normalize before each part instead of after its sum,
            which trains deep stacks more easily (Xiong et al., 2020).
    Names, defaults and values are those of PyTorch's TransformerEncoderLayer with batch_first=True.
    Call: `y = block(x, mask)`; x and y are (batch, time, embed_dim), the mask is as for `MultiHeadAttention`.
    """

    def __init__(self, embed_dim, num_heads, dim_feedforward=2048, dropout=0.1, norm_first=False, *, dtype=np.float32,
                 rng=None):
        rng = None if rng is None else generator(rng)  # one for all parts
        made = {"dtype": dtype, "rng": rng}
        self.norm_first = norm_first
        self.self_attn = MultiHeadAttention(embed_dim, num_heads, dropout, **made)
        self.linear1 = Linear(embed_dim, dim_feedforward, **made)
        self.linear2 = Linear(dim_feedforward, embed_dim, **made)
        self.norm1, self.norm2 = LayerNorm(embed_dim, dtype=dtype), LayerNorm(embed_dim, dtype=dtype)
        self.dropout, self.dropout1, self.dropout2 = (Dropout(dropout, rng=rng) for _ in range(3))

    def forward(self, x, mask=None):
        """The new features of every step, shaped as x."""
        if self.norm_first:
            x = x + self._attend(self.norm1(x), mask)
            return x + self._think(self.norm2(x))
        x = self.norm1(x + self._attend(x, mask))
        return self.norm2(x + self._think(x))

    def _attend(self, x, mask):
        return self.dropout1(self.self_attn(x, x, x, mask))

    def _think(self, x):
        return self.dropout2(self.linear2(self.dropout(relu(self.linear1(x)))))
