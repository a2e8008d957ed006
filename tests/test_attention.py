"""Attention, masks, positions and the Transformer block: by hand, against PyTorch, and on a small task."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import assert_gradients_match, seeds, uniform

from nnlib import (
    Adam,
    Embedding,
    Linear,
    MultiHeadAttention,
    ShapeError,
    Tensor,
    TransformerBlock,
    attention_weights,
    causal_mask,
    cross_entropy,
    positional_encoding,
    scaled_dot_product_attention,
)


def drawn(*shapes):
    return [uniform(i, shape) for i, shape in enumerate(shapes)]


def test_weights_by_hand():
    """Two keys whose scores differ by sqrt(d) log 3 for d = 4: weights 1/4 and 3/4."""
    query, key = np.array([[1.0, 0, 0, 0]]), np.array([[0.0, 0, 0, 0], [2 * np.log(3), 5, 5, 5]])
    np.testing.assert_allclose(attention_weights(query, key), [[0.25, 0.75]])
    np.testing.assert_allclose(scaled_dot_product_attention(query, key, np.array([[4.0], [8.0]])), [[7.0]])


@settings(max_examples=30)
@given(batch=st.sampled_from([(), (2,), (2, 3)]), queries=st.integers(0, 4), keys=st.integers(1, 4),
       width=st.integers(1, 4), seed=seeds)
def test_weights_are_a_softmax_over_the_keys(batch, queries, keys, width, seed):
    query, key = uniform(seed, (*batch, queries, width)), uniform(seed + 1, (*batch, keys, width))
    weights = attention_weights(query, key)
    powers = np.exp(np.einsum("...qd,...kd->...qk", query, key) / np.sqrt(width))
    np.testing.assert_allclose(weights, powers / powers.sum(axis=-1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("mask", [None, causal_mask(3), np.array([True, False, True]), np.zeros((3, 3), bool)],
                         ids=["no mask", "causal", "a row for all", "nothing allowed"])
def test_gradients_against_central_differences(mask):
    assert_gradients_match(lambda q, k, v: scaled_dot_product_attention(q, k, v, mask),
                           *drawn((2, 3, 4), (2, 3, 4), (2, 3, 5)))


def test_a_causal_mask_hides_what_comes_later():
    np.testing.assert_array_equal(causal_mask(3), [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    assert causal_mask(3).dtype == bool and causal_mask(0).shape == (0, 0)
    query, key = drawn((4, 2), (4, 2))
    weights = attention_weights(query, key, causal_mask(4))
    assert not np.triu(weights, 1).any()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights[1, :2], attention_weights(query[1:2], key[:2])[0])


@pytest.mark.parametrize("norm_first", [False, True])
def test_under_a_causal_mask_the_gradient_to_later_tokens_is_exactly_zero(norm_first):
    block = TransformerBlock(8, 2, 16, dropout=0.0, norm_first=norm_first, dtype=np.float64, rng=0)
    x = Tensor(uniform(0, (2, 6, 8)), requires_grad=True)
    (block(x, causal_mask(6))[:, 2] * uniform(1, (2, 8))).sum().backward()
    assert not x.grad[:, 3:].any()
    assert x.grad[:, :3].all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_query_that_may_attend_to_nothing_gets_zero(dtype):
    query, key, value = (Tensor(a.astype(dtype), requires_grad=True) for a in drawn((3, 4), (5, 4), (5, 2)))
    mask = np.ones((3, 5), bool)
    mask[1] = False
    weights = attention_weights(query, key, mask)
    np.testing.assert_allclose(weights.data.sum(axis=1), [1, 0, 1], rtol=1e-6)
    answer = scaled_dot_product_attention(query, key, value, mask)
    answer.sum().backward()
    assert not answer.data[1].any() and not query.grad[1].any() and query.grad[0].all()
    assert answer.dtype == query.grad.dtype == dtype


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e17), (np.float64, 1e150)])
@pytest.mark.parametrize("mask", [None, causal_mask(4)], ids=["no mask", "causal"])
def test_extreme_scores_pick_one_key_without_a_warning(dtype, scale, mask):
    query, key, value = (Tensor(a.astype(dtype), requires_grad=True) for a in drawn((4, 3), (4, 3), (4, 2)))
    weights = attention_weights(query * scale, key * scale, mask)
    assert set(np.unique(weights.data)) == {0, 1} and (weights.data.sum(axis=1) == 1).all()
    scaled_dot_product_attention(query * scale, key * scale, value, mask).sum().backward()
    assert all(np.isfinite(t.grad).all() for t in (query, key, value))


def test_masks_broadcast_and_may_be_lists_or_tensors():
    query, key = drawn((2, 3, 4, 5), (2, 3, 6, 5))
    keys_of_each = np.arange(6) < np.array([[4], [6]])
    weights = attention_weights(query, key, keys_of_each[:, None, None])
    assert not weights[0, ..., 4:].any() and weights[1].all()
    same = attention_weights(query, key, keys_of_each[:, None, None].tolist())
    np.testing.assert_array_equal(weights, same)
    np.testing.assert_array_equal(weights, attention_weights(query, key, Tensor(keys_of_each[:, None, None])))


def test_positions_are_sines_and_cosines_of_ever_longer_waves():
    encoding = positional_encoding(50, 8, dtype=np.float64)
    assert encoding.shape == (50, 8)
    np.testing.assert_allclose(encoding[:, 0], np.sin(np.arange(50)))
    np.testing.assert_allclose(encoding[7, 3], np.cos(7 / 10))
    np.testing.assert_allclose(encoding[7, 6], np.sin(7 / 1000))
    np.testing.assert_allclose((encoding ** 2).sum(axis=1), 4)  # a sine and a cosine of each of four angles
    assert positional_encoding(3, 5).dtype == np.float32
    np.testing.assert_allclose(positional_encoding(3, 5, np.float64)[2, 4], np.sin(2 / 10000 ** 0.8))


def test_heads_attend_each_in_its_own_features():
    """With identity projections head 0 sees features 0 and 1, head 1 the others."""
    attention = MultiHeadAttention(4, 2, dtype=np.float64, rng=0)
    attention.in_proj_weight.data[...] = np.tile(np.eye(4), (3, 1))
    attention.out_proj.weight.data[...] = np.eye(4)
    query, memory = drawn((2, 3, 4), (2, 5, 4))
    y = attention(query, memory, memory)
    for head in (slice(0, 2), slice(2, 4)):
        alone = scaled_dot_product_attention(query[..., head], memory[..., head], memory[..., head])
        np.testing.assert_allclose(y.data[..., head], alone, rtol=1e-12)
    assert attention.last_weights.shape == (2, 2, 3, 5) and isinstance(attention.last_weights, np.ndarray)
    np.testing.assert_allclose(attention.last_weights[:, 1], attention_weights(query[..., 2:], memory[..., 2:]))
    assert "last_weights" not in attention.state_dict()


def test_one_argument_is_query_key_and_value():
    attention, (x,) = MultiHeadAttention(4, 2, rng=0), drawn((2, 3, 4))
    np.testing.assert_array_equal(attention(x).data, attention(x, x, x).data)
    np.testing.assert_array_equal(attention(x, mask=causal_mask(3)).data, attention(x, x, x, causal_mask(3)).data)


def test_parameters_have_the_names_shapes_and_start_of_pytorch():
    attention = MultiHeadAttention(8, 2, rng=0)
    state = attention.state_dict()
    assert {name: a.shape for name, a in state.items()} == {
        "in_proj_weight": (24, 8), "in_proj_bias": (24,), "out_proj.weight": (8, 8), "out_proj.bias": (8,)}
    bound = np.sqrt(6 / 32)
    assert 0.9 * bound < np.abs(state["in_proj_weight"]).max() <= bound
    assert not state["in_proj_bias"].any() and not state["out_proj.bias"].any() and state["out_proj.weight"].any()
    assert list(MultiHeadAttention(8, 2, bias=False).state_dict()) == ["in_proj_weight", "out_proj.weight"]
    np.testing.assert_array_equal(MultiHeadAttention(8, 2, rng=0).state_dict()["in_proj_weight"],
                                  state["in_proj_weight"])


def test_dropout_acts_in_training_only_and_follows_the_seed():
    (x,) = drawn((2, 5, 8))
    x = x.astype(np.float32)
    first, second = (TransformerBlock(8, 2, 16, dropout=0.5, rng=3) for _ in range(2))
    np.testing.assert_array_equal(first(x).data, second(x).data)
    assert (first(x).data != first(x).data).any()
    assert (first.self_attn(x).data != first.self_attn(x).data).any()
    first.eval()
    np.testing.assert_array_equal(first(x).data, first(x).data)
    np.testing.assert_array_equal(first.self_attn(x).data, first.self_attn(x).data)
    assert first(x).dtype == np.float32


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_block_is_attention_and_two_layers_with_residuals_and_norms(norm_first):
    block = TransformerBlock(8, 2, 12, dropout=0.0, norm_first=norm_first, dtype=np.float64, rng=0)
    x = uniform(0, (2, 5, 8))

    def norm(a):
        return (a - a.mean(axis=-1, keepdims=True)) / np.sqrt(a.var(axis=-1, keepdims=True) + 1e-5)

    def think(a):
        hidden = np.maximum(a @ block.linear1.weight.data.T + block.linear1.bias.data, 0)
        return hidden @ block.linear2.weight.data.T + block.linear2.bias.data

    if norm_first:
        middle = x + block.self_attn(norm(x)).data
        expected = middle + think(norm(middle))
    else:
        middle = norm(x + block.self_attn(x).data)
        expected = norm(middle + think(middle))
    np.testing.assert_allclose(block(x).data, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "mask"])
@pytest.mark.parametrize("bias", [True, False])
def test_multi_head_attention_against_pytorch(bias, masked):
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    ours = MultiHeadAttention(6, 3, bias=bias, dtype=np.float64, rng=0)
    theirs = torch.nn.MultiheadAttention(6, 3, bias=bias, batch_first=True).double()
    state = {name: uniform(i, a.shape) for i, (name, a) in enumerate(ours.state_dict().items())}
    ours.load_state_dict(state)
    theirs.load_state_dict({name: torch.tensor(a) for name, a in state.items()})
    arrays = drawn((2, 4, 6), (2, 5, 6), (2, 5, 6))
    mask = uniform(7, (4, 5)) > -1 if masked else None
    upstream = uniform(8, (2, 4, 6))
    mine, reference = ([make(a, requires_grad=True) for a in arrays] for make in (Tensor, torch.tensor))
    y = ours(*mine, mask)
    y_reference, weights = theirs(*reference, attn_mask=torch.tensor(~mask) if masked else None,
                                  average_attn_weights=False)
    np.testing.assert_allclose(y.data, y_reference.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.last_weights, weights.detach().numpy(), rtol=1e-10, atol=1e-12)
    y.backward(upstream)
    y_reference.backward(torch.tensor(upstream))
    for a, b in zip([*mine, *ours.parameters()], [*reference, *theirs.parameters()], strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_against_pytorch(causal):
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    arrays, upstream = drawn((2, 3, 4, 5), (2, 3, 4, 5), (2, 3, 4, 6)), uniform(9, (2, 3, 4, 6))
    mine, reference = ([make(a, requires_grad=True) for a in arrays] for make in (Tensor, torch.tensor))
    y = scaled_dot_product_attention(*mine, causal_mask(4) if causal else None)
    y_reference = torch.nn.functional.scaled_dot_product_attention(
        *reference, torch.tensor(causal_mask(4)) if causal else None)
    y.backward(upstream)
    y_reference.backward(torch.tensor(upstream))
    np.testing.assert_allclose(y.data, y_reference.detach().numpy(), rtol=1e-10)
    for a, b in zip(mine, reference, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
def test_the_block_against_pytorch(norm_first, causal):
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    ours = TransformerBlock(8, 2, 12, dropout=0.0, norm_first=norm_first, dtype=np.float64, rng=0)
    theirs = torch.nn.TransformerEncoderLayer(8, 2, 12, 0.0, norm_first=norm_first, batch_first=True).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    state = {name: uniform(i, a.shape) for i, (name, a) in enumerate(ours.state_dict().items())}
    ours.load_state_dict(state)
    theirs.load_state_dict({name: torch.tensor(a) for name, a in state.items()})
    x, upstream = uniform(50, (3, 5, 8)), uniform(51, (3, 5, 8))
    mine, reference = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = ours(mine, causal_mask(5) if causal else None)
    y_reference = theirs(reference, torch.tensor(~causal_mask(5)) if causal else None)
    np.testing.assert_allclose(y.data, y_reference.detach().numpy(), rtol=1e-10, atol=1e-11)
    y.backward(upstream)
    y_reference.backward(torch.tensor(upstream))
    for a, b in zip([mine, *ours.parameters()], [reference, *theirs.parameters()], strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-10)


def test_a_block_learns_to_reverse_sequences():
    """Six tokens in, the same six in reverse order out: each step has to look at another one, found by position."""
    rng = np.random.default_rng(0)
    embedding, head = Embedding(8, 32, rng=1), Linear(32, 8, rng=3)
    block = TransformerBlock(32, 2, dim_feedforward=32, dropout=0.0, rng=2)
    optimizer = Adam([p for part in (embedding, block, head) for p in part.parameters()], lr=0.005)
    positions = positional_encoding(6, 32)

    def batch(size):
        tokens = rng.integers(0, 8, (size, 6))
        return head(block(embedding(tokens) + positions)).reshape(-1, 8), tokens[:, ::-1].ravel()

    for _ in range(400):
        optimizer.zero_grad()
        cross_entropy(*batch(32)).backward()
        optimizer.step()
    logits, t = batch(200)
    assert (logits.data.argmax(axis=1) == t).mean() >= 0.98
    ahead = block.self_attn.last_weights.mean(axis=(0, 1))
    np.testing.assert_array_equal(ahead.argmax(axis=1), [5, 4, 3, 2, 1, 0])


X = np.zeros((2, 3, 8), np.float32)


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: attention_weights(X, X[..., :5]), "matmul: inner sizes differ"),
    (lambda: attention_weights(X, X, causal_mask(4)),
     r"mask that broadcasts to \(..., queries, keys\) = \(2, 3, 3\) but got \(4, 4\); try causal_mask"),
    (lambda: MultiHeadAttention(8, 2)(X[0]),
     r"MultiHeadAttention\(8\) expected a query of shape \(batch, time, 8\) but got \(3, 8\)"),
    (lambda: MultiHeadAttention(8, 2)(X, X[..., :4]), r"a key of shape .* but got \(2, 3, 4\)"),
    (lambda: MultiHeadAttention(8, 2)(X, X, X[:, :2]), r"a value for each key.*\(2, 2, 8\)"),
    (lambda: MultiHeadAttention(8, 2)(X, X[:1], X[:1]), "the same batch everywhere"),
    (lambda: TransformerBlock(8, 2)(X[..., :4]), r"shape \(batch, time, 8\) but got \(2, 3, 4\)"),
])
def test_shapes_that_do_not_fit(call, sentence):
    with pytest.raises(ShapeError, match=sentence):
        call()


def test_what_is_printed():
    assert repr(TransformerBlock(8, 2, 16)).startswith("TransformerBlock(\n  (self_attn): MultiHeadAttention(")
    assert MultiHeadAttention(8, 2).extra_repr() == "8, 2"


def test_other_mistakes():
    with pytest.raises(ValueError, match="expected num_heads to divide embed_dim but got 3 and 8"):
        MultiHeadAttention(8, 3)
    with pytest.raises(TypeError, match="expected a boolean mask, True where .* but got float64"):
        attention_weights(X, X, np.tri(3))
