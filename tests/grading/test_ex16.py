"""ex16: wrong answers that are not on its lists lose points, and right ones in other styles earn all."""

import numpy as np
import pytest

import nnlib
from nnlib.grading.checks import ex16
from nnlib.grading.examine import examine

BY_NAME = {exercise.name: exercise for exercise in ex16.EXERCISES}

SPOILS = {  # what a right array becomes
    "negated": lambda a: -a, "doubled": lambda a: 2 * a, "rounded": np.round, "flattened": np.ravel,
    "its mean": lambda a: np.full_like(a, a.mean()), "its sum": np.sum, "absolute": np.abs,
    "shifted by a row": lambda a: np.roll(a, 1, axis=-2), "shifted by a column": lambda a: np.roll(a, 1, axis=-1),
    "upside down": lambda a: a[..., ::-1, :], "mirrored": lambda a: a[..., ::-1], "on its side": ex16.turned,
    "one axis more": lambda a: a[None], "nothing": lambda a: None, "a pair": lambda a: (a, a)}


def loses(name, answer):
    result = examine(BY_NAME[name], answer)
    return result.points < BY_NAME[name].points and any(verdict.problem for verdict in result.verdicts)


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", BY_NAME)
def test_a_spoiled_answer_loses_points_and_is_told_what_is_wrong(name, spoil):
    reference = BY_NAME[name].reference
    if name == "attention":
        for part in (0, 1):
            def answer(*args, part=part):
                pair = list(reference(*args))
                pair[part] = SPOILS[spoil](pair[part])
                return tuple(pair)
            if part == 0 or spoil != "absolute":  # no weight is negative
                assert loses(name, answer)
    else:
        assert loses(name, lambda *args: SPOILS[spoil](reference(*args)))


WRONG = {
    "attention": {
        "hard": ex16.attention_with(shares=lambda s: np.eye(s.shape[-1])[s.argmax(axis=-1)]),
        "uniform": ex16.attention_with(shares=lambda s: np.isfinite(s) / np.isfinite(s).sum(axis=-1, keepdims=True)),
        "sigmoid": ex16.attention_with(shares=lambda s: 1 / (1 + np.exp(-s))),
        "base 2": ex16.attention_with(shares=lambda s: ex16.softmax(s * np.log(2))),
        "softmin": ex16.attention_with(mask=lambda s: np.where(np.tri(s.shape[-1]), s, np.inf),
                                       shares=lambda s: ex16.softmax(-s)),
        "cosines": ex16.attention_with(score=lambda q, k: q @ ex16.turned(k) / np.linalg.norm(
            q, axis=-1, keepdims=True) / ex16.turned(np.linalg.norm(k, axis=-1, keepdims=True))),
        "distances": ex16.attention_with(score=lambda q, k: -((q[..., :, None, :] - k[..., None, :, :]) ** 2).sum(-1)),
        "scaled after the softmax": ex16.attention_with(
            score=lambda q, k: q @ ex16.turned(k), shares=lambda s: ex16.softmax(s) / 2),
        "root of the value's features": lambda q, k, v, causal=False: ex16.attention_with(
            score=lambda q, k: q @ ex16.turned(k) / np.sqrt(v.shape[-1]))(q, k, v, causal),
        "window of two": ex16.attention_with(mask=lambda s: np.where(
            np.tri(s.shape[-1], dtype=bool) & ~np.tri(s.shape[-1], k=-2, dtype=bool), s, -np.inf)),
        "last row only": lambda q, k, v, causal=False: tuple(a[..., -1:, :] for a in ex16.attention(q, k, v, causal)),
        "keys as values": lambda q, k, v, causal=False: ex16.attention(q, k, k, causal)},
    "split_heads": {
        "merged again": lambda x, heads: ex16.merge_heads(ex16.split_heads(x, heads)),
        "heads in reverse": lambda x, heads: ex16.split_heads(x, heads)[:, ::-1],
        "a list of parts": lambda x, heads: np.split(x, heads, axis=-1),
        "the first head": lambda x, heads: ex16.split_heads(x, heads)[:, 0],
        "always two": lambda x, heads: ex16.split_heads(np.concatenate([x, x], -1), 2),
        "means": lambda x, heads: ex16.split_heads(x, heads).mean(axis=-1)},
    "positional_encoding": {
        "tangent": ex16.clocks(odd=np.tan), "minus the cosine": ex16.clocks(odd=lambda a: -np.cos(a)),
        "learned": lambda length, width: np.random.default_rng(0).normal(size=(length, width)),
        "one-hot": lambda length, width: np.eye(length, width),
        "numbers": lambda length, width: np.tile(np.arange(length)[:, None] / length, width),
        "i + 1": ex16.clocks(lambda t, i, width: t / 10000 ** (2 * (i + 1) / width)),
        "a shorter width": ex16.clocks(lambda t, i, width: t / 10000 ** (2 * i / (width - 2))),
        "a share of the length": lambda length, width: ex16.clocks(
            lambda t, i, w: t / length / 10000 ** (2 * i / w))(length, width),
        "halves of the width": lambda length, width: ex16.positional_encoding(length, 2 * width)[:, :width]},
    "layer_norm": {
        "median": ex16.norm_with(center=lambda x: np.median(x, axis=-1, keepdims=True)),
        "range": ex16.norm_with(spread=lambda x: np.ptp(x, axis=-1, keepdims=True) ** 2),
        "unit length": lambda x, gain, bias, eps=1e-5: gain * x / np.linalg.norm(x, axis=-1, keepdims=True) + bias,
        "softmax": lambda x, gain, bias, eps=1e-5: gain * ex16.softmax(x) + bias,
        "eps subtracted": ex16.norm_with(root=lambda v, eps: np.sqrt(v - eps)),
        "bias subtracted": ex16.norm_with(finish=lambda y, gain, bias: gain * y - bias),
        "divided by the gain": ex16.norm_with(finish=lambda y, gain, bias: y / gain + bias),
        "the input added": lambda x, gain, bias, eps=1e-5: x + ex16.layer_norm(x, gain, bias, eps),
        "twice": lambda x, gain, bias, eps=1e-5: ex16.layer_norm(ex16.layer_norm(x, gain, bias, eps), gain, bias, eps)},
    "transformer_block": {
        "the network before attention": lambda x, state, heads, causal=False: (
            h := x + ex16.network(ex16.norm(x, state, 1), state)) + ex16.multi_head(
                ex16.norm(h, state, 2), state, heads, causal),
        "the network alone": lambda x, state, heads, causal=False: x + ex16.network(ex16.norm(x, state, 2), state),
        "x three times": lambda x, state, heads, causal=False: x + ex16.transformer_block(x, state, heads, causal),
        "a norm at the end": lambda x, state, heads, causal=False: ex16.norm(
            ex16.transformer_block(x, state, heads, causal), state, 2),
        "values are not projected": lambda x, state, heads, causal=False: ex16.block_with(
            talk=lambda n, s, h, c: ex16.multi_head(n, s, h, c, attend=lambda q, k, v, c: ex16.attention(q, k, k, c)))(
                x, state, heads, causal),
        "tanh": ex16.block_with(think=lambda x, state: ex16.network(x, state, relu=np.tanh)),
        "biases of linear2 forgotten": lambda x, state, heads, causal=False: ex16.transformer_block(
            x, {**state, "linear2.bias": 0}, heads, causal),
        "bias of out_proj forgotten": lambda x, state, heads, causal=False: ex16.transformer_block(
            x, {**state, "self_attn.out_proj.bias": 0}, heads, causal),
        "out_proj not turned": lambda x, state, heads, causal=False: ex16.transformer_block(
            x, {**state, "self_attn.out_proj.weight": state["self_attn.out_proj.weight"].T}, heads, causal),
        "first example only": lambda x, state, heads, causal=False: ex16.transformer_block(
            x[:1], state, heads, causal)}}


@pytest.mark.parametrize("name, wrong", [(name, wrong) for name, answers in WRONG.items() for wrong in answers])
def test_another_wrong_answer_loses_points_and_is_told_what_is_wrong(name, wrong):
    assert loses(name, WRONG[name][wrong])


def attention_with_lists(query, key, value, causal=False):
    weights = ex16.attention(query, key, value, causal)[1]
    return [(weights @ value).tolist(), weights.tolist()]


def block_of_tensors(x, state, heads, causal=False):
    h = nnlib.Tensor(x) + ex16.multi_head(ex16.norm(x, state, 1), state, heads, causal)
    return h + ex16.network(ex16.norm(h.data, state, 2), state)


@pytest.mark.parametrize("name, answer", [
    ("attention", attention_with_lists), ("attention", ex16.single(ex16.attention_by_einsum)),
    ("split_heads", lambda x, heads: np.moveaxis(x.reshape(*x.shape[:2], heads, -1), 2, 1)),
    ("split_heads", lambda x, heads: np.stack(np.split(x, heads, axis=-1), axis=1)),
    ("positional_encoding", lambda length, width: [[(np.sin, np.cos)[j % 2](t / 10000 ** ((j - j % 2) / width))
                                                    for j in range(width)] for t in range(length)]),
    ("positional_encoding", lambda length, width: ex16.clocks(
        lambda t, i, w: t * np.exp(-np.log(10000) * 2 * i / w))(length, width)),
    ("layer_norm", lambda x, gain, bias, eps=1e-5: (x - x.mean(-1)[..., None]) * gain / np.sqrt(
        x.var(-1)[..., None] + eps) + bias),
    ("transformer_block", block_of_tensors), ("transformer_block", ex16.single(ex16.block_by_tokens))])
def test_right_answers_in_other_styles_earn_all(name, answer):
    assert examine(BY_NAME[name], answer).points == BY_NAME[name].points


@pytest.mark.parametrize("heads, causal", [(1, False), (2, True), (4, False)])
def test_the_answers_are_those_of_nnlib(heads, causal):
    rng = np.random.default_rng(5)
    block = nnlib.TransformerBlock(8, heads, 12, dropout=0.0, norm_first=True, dtype=np.float64, rng=0)
    x, mask = rng.normal(size=(3, 5, 8)), nnlib.causal_mask(5) if causal else None
    assert np.abs(ex16.transformer_block(x, block.state_dict(), heads, causal) - block(x, mask).data).max() < 1e-12
    q, k, v = rng.normal(size=(3, 2, 5, 4))
    answers, weights = ex16.attention(q, k, v, causal)
    assert np.abs(weights - nnlib.attention_weights(q, k, mask)).max() < 1e-12
    assert np.abs(answers - nnlib.scaled_dot_product_attention(q, k, v, mask)).max() < 1e-12
    assert np.allclose(ex16.positional_encoding(9, 6), nnlib.positional_encoding(9, 6, np.float64))
    gain, bias = rng.normal(size=(2, 8))
    assert np.allclose(ex16.layer_norm(x, gain, bias), nnlib.layer_norm(x, 8, gain, bias))


def by_nnlibs_block(x, state, heads, causal=False):
    block = nnlib.TransformerBlock(x.shape[-1], heads, len(state["linear1.bias"]), dropout=0.0, norm_first=True,
                                   dtype=np.float64)
    block.load_state_dict(state)
    return block(x, nnlib.causal_mask(x.shape[1]) if causal else None)


@pytest.mark.parametrize("name, answer", [
    ("attention", lambda q, k, v, causal=False: (nnlib.scaled_dot_product_attention(q, k, v), None)),
    ("positional_encoding", lambda length, width: nnlib.positional_encoding(length, width)),
    ("layer_norm", lambda x, gain, bias, eps=1e-5: nnlib.layer_norm(x, x.shape[-1], gain, bias, eps)),
    ("transformer_block", by_nnlibs_block)])
def test_nnlib_itself_is_no_answer(name, answer):
    exercise = BY_NAME[name]
    assert examine(exercise, answer, forbidden=exercise.forbidden_names()).points == 0
