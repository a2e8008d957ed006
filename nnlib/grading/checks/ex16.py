"""ex16, attention and beyond: the questions of solutions/ex16_attention_and_beyond."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex16_attention_and_beyond"
READY = ("nnlib.attention_weights", "nnlib.scaled_dot_product_attention", "nnlib.MultiHeadAttention",
         "nnlib.TransformerBlock", "nnlib.widgets.attention.attend")


def turned(a):
    """The last two axes exchanged."""
    return np.swapaxes(a, -1, -2)


def softmax(scores, axis=-1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def single(function):
    """The same answer in float32."""
    def answer(*args, **named):
        found = function(*args, **named)
        if isinstance(found, tuple):
            return tuple(np.asarray(part, dtype=np.float32) for part in found)
        return np.asarray(found, dtype=np.float32)
    return answer


# Attention.

def attention(query, key, value, causal=False):
    scores = query @ turned(key) / np.sqrt(query.shape[-1])
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    weights = softmax(scores)
    return weights @ value, weights


def attention_with(score=lambda q, k: q @ turned(k) / np.sqrt(q.shape[-1]),
                   mask=lambda s: np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf), shares=softmax,
                   collect=lambda a, v: (a @ v, a)):
    """Attention from its four parts; with the defaults it is right."""
    def answer(query, key, value, causal=False):
        scores = score(query, key)
        return collect(shares(mask(scores) if causal else scores), value)
    return answer


def attention_by_rows(query, key, value, causal=False):
    """One query after the other, over the keys that it may see, and no softmax over minus infinity."""
    weights = np.zeros((*query.shape[:-1], key.shape[-2]))
    for place in np.ndindex(*query.shape[:-1]):
        seen = place[-1] + 1 if causal else key.shape[-2]
        scores = [sum(query[place] * k) / query.shape[-1] ** 0.5 for k in key[place[:-1]][:seen]]
        powers = np.exp(np.array(scores) - max(scores))
        weights[place][:seen] = powers / sum(powers)
    return (weights @ value).tolist(), weights.tolist()


def attention_by_einsum(query, key, value, causal=False):
    scores = np.einsum("...qd,...kd->...qk", query / np.sqrt(query.shape[-1]), key)
    if causal:
        scores[..., np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)] = -1e30
    weights = softmax(scores)
    return np.einsum("...qk,...kv->...qv", weights, value), weights


def masked_late(query, key, value, causal=False):
    weights = attention(query, key, value)[1]
    weights = np.tril(weights) if causal else weights
    return weights @ value, weights


def masked_late_again(query, key, value, causal=False):
    weights = attention(query, key, value)[1]
    if causal:
        weights = np.tril(weights) / np.tril(weights).sum(axis=-1, keepdims=True)
    return weights @ value, weights


def naive(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)


def scaled_in_place(query, key, value, causal=False):
    query /= np.sqrt(query.shape[-1])
    return attention_with(score=lambda q, k: q @ turned(k))(query, key, value, causal)


def after(change):
    """What a change makes of the right pair."""
    return lambda query, key, value, causal=False: change(*attention(query, key, value, causal))


def of_all(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def sequences(*leading, queries=5, keys=None, d=4, v=3, causal=None):
    """Queries, keys, values, and whether later keys are hidden."""
    def make(rng):
        many = keys or queries
        drawn = (rng.normal(size=(*leading, queries, d)), rng.normal(size=(*leading, many, d)),
                 rng.normal(size=(*leading, many, v)))
        return drawn if causal is None else (*drawn, causal)
    return make


def far_apart(rng):
    """Scores near 1000 in one row and near -1000 in the next, some of them close together."""
    query, key, value = sequences(queries=4, keys=5, d=3)(rng)
    return 20 * np.array([[1], [-1], [1], [-1]]) + query / 10, 30 + key / 10, value


def far_apart_masked(rng):
    """Scores near 1000 and -1000, masked: query 0 has -1000 with itself and 1000 with a key that is hidden."""
    signs = np.array([[1], [-1], [1], [-1]])
    query, key, value = sequences(queries=4, d=3)(rng)
    return 20 * signs + query / 10, -30 * signs + key / 10, value, True


ATTENTION = Exercise(
    "attention", 4, attention, forbidden=READY,
    cases=[
        Case("one query and two keys, by hand",
             lambda rng: (np.array([[1.0, 0, 0, 0]]), np.array([[0.0, 0, 0, 0], [2 * np.log(3), 0, 0, 0]]),
                          np.array([[8.0], [4.0]])),
             hint="The scores are 0 and ln 3: what does softmax make of them?"),
        Case("five queries, seven keys", sequences(queries=5, keys=7, d=4),
             hint="Scores: query @ (key, turned), over the root of d. Weights: softmax over the keys. Answers: weights "
                  "@ value."),
        Case("with a causal mask", sequences(queries=6, causal=True), points=0.5,
             hint="Before the softmax, the scores of all keys j > i become -np.inf."),
        Case("two examples, three heads", sequences(2, 3, queries=4, d=5, causal=False),
             hint="Batch and heads stand before: turn the last two axes only, np.swapaxes(key, -1, -2), and take the "
                  "softmax over axis -1."),
        Case("two examples, three heads, with the mask", sequences(2, 3, queries=4, d=5, causal=True), points=0.5,
             hint="One triangle serves all examples and heads: np.tri(time, dtype=bool) broadcasts."),
        Case("scores of size 1000", far_apart, points=0.5, no_warnings=True,
             hint="np.exp(1000) is infinite. Subtract the largest score of each row first: softmax does not see it. It "
                  "must be the row's own: next to the largest of all, a whole row may become 0 / 0."),
        Case("scores of size 1000, with the mask", far_apart_masked, points=0.5, no_warnings=True,
             hint="A hidden key may score 2000 more than the only one that is seen, and must not count anywhere: first "
                  "mask the scores with -np.inf, then subtract the row's largest, then take exponentials."),
    ],
    misconceptions=[
        Misconception("not scaled", attention_with(score=lambda q, k: q @ turned(k)),
                      "Your weights are too hard: the scores are not divided by the root of d, the number of features "
                      "of a query."),
        Misconception("divided by d", attention_with(score=lambda q, k: q @ turned(k) / q.shape[-1]),
                      "Your weights are too soft: you divide by d. The spread of a score grows with the root of d."),
        Misconception("multiplied by the root", attention_with(score=lambda q, k: q @ turned(k) * np.sqrt(q.shape[-1])),
                      "You multiply the scores by the root of d. Divide."),
        Misconception("the root of the number of keys",
                      attention_with(score=lambda q, k: q @ turned(k) / np.sqrt(k.shape[-2])),
                      "You divide by the root of the number of keys. It is the number of features, d, that makes dot "
                      "products large."),
        Misconception("the root of the first axis", attention_with(score=lambda q, k: q @ turned(k) / np.sqrt(len(q))),
                      "You divide by the root of len(query), which is the first axis. d is the last one: "
                      "query.shape[-1]."),
        Misconception("sums without keepdims", attention_with(
                          shares=lambda s: np.exp(s - s.max(axis=-1, keepdims=True)) / np.exp(
                              s - s.max(axis=-1, keepdims=True)).sum(axis=-1)),
                      "Your sums lie along the columns, so each weight is divided by another row's sum. Keep the axis: "
                      "sum(axis=-1, keepdims=True)."),
        Misconception("softmax over axis 1", attention_with(shares=lambda s: softmax(s, axis=1)),
                      "axis=1 is the keys only while there are two axes. With batch and heads before, it is another: "
                      "use axis=-1."),
        Misconception("softmax over the queries", attention_with(shares=lambda s: softmax(s, axis=-2)),
                      "Your columns sum to 1. Each query shares its attention among the keys: rows sum to 1."),
        Misconception("softmax over everything", attention_with(shares=of_all),
                      "All your weights together sum to 1. Each row by itself must."),
        Misconception("no softmax", attention_with(mask=lambda s: np.tril(s), shares=lambda s: s),
                      "Your weights are the scores themselves. Make shares of them, softmax row by row."),
        Misconception("exponentials that are not divided", attention_with(shares=lambda s: np.exp(s)),
                      "You take exponentials and do not divide by their sum, so your rows do not sum to 1."),
        Misconception("squares instead", attention_with(
                          mask=lambda s: np.tril(s), shares=lambda s: s**2 / (s**2).sum(axis=-1, keepdims=True)),
                      "You make shares with squares. With e to the power of the score a negative score stays small."),
        Misconception("no mask", lambda query, key, value, causal=False: attention(query, key, value),
                      "You do not use `causal`. With causal=True query i may see the keys 0 to i only."),
        Misconception("always masked", lambda query, key, value, causal=False: attention(query, key, value, True),
                      "You hide later keys always. Without causal=True every query may see all keys."),
        Misconception("the past is hidden", attention_with(
                          mask=lambda s: np.where(np.tri(*s.shape[-2:], dtype=bool).T, s, -np.inf)),
                      "You hide what came before and show what comes later. np.tri is True on and below the diagonal: "
                      "row i, columns 0 to i."),
        Misconception("one step ahead", attention_with(
                          mask=lambda s: np.where(np.tri(*s.shape[-2:], k=1, dtype=bool), s, -np.inf)),
                      "Your triangle is one column too large: query i sees key i + 1, which comes later."),
        Misconception("not itself", attention_with(
                          mask=lambda s: np.where(np.tri(*s.shape[-2:], k=-1, dtype=bool), s, -np.inf)),
                      "Your triangle leaves out the diagonal. A token may see itself; token 0 sees nothing else."),
        Misconception("scores of 0", attention_with(mask=np.tril),
                      "You set forbidden scores to 0. But e to the power of 0 is 1, so they still get weight. Which "
                      "score becomes the weight 0?"),
        Misconception("scores of -1", attention_with(
                          mask=lambda s: np.where(np.tri(*s.shape[-2:], dtype=bool), s, -1.0)),
                      "You set forbidden scores to -1. They still get weight: only -infinity becomes exactly 0."),
        Misconception("scores of -100", attention_with(
                          mask=lambda s: np.where(np.tri(*s.shape[-2:], dtype=bool), s, -100.0)),
                      "You set forbidden scores to -100. Beside allowed scores of -1000 that is the winner: only "
                      "-infinity loses always."),
        Misconception("zero times infinity", attention_with(
                          mask=lambda s: s + (1 - np.tri(*s.shape[-2:])) * -np.inf),
                      "0 times infinity is nan, so what is allowed breaks as well. Choose instead of multiplying: "
                      "np.where(allowed, scores, -np.inf)."),
        Misconception("masked late and divided again", masked_late_again,
                      "You mask after the softmax and divide again. On paper that is right. But if a hidden score is "
                      "much larger, all that is seen is rounded to 0, and 0 / 0 remains. Mask the scores."),
        Misconception("the mask is added", attention_with(mask=lambda s: s + np.tri(*s.shape[-2:])),
                      "You add 1 to what is allowed. That is a preference, not a prohibition: what is forbidden "
                      "needs -infinity."),
        Misconception("the mask after the softmax", masked_late,
                      "You take weights away after the softmax, so your rows do not sum to 1, and what is hidden still "
                      "counts in the sum below. Mask the scores, before."),
        Misconception("keys ask, queries answer", attention_with(score=lambda q, k: turned(
                          q @ turned(k)) / np.sqrt(q.shape[-1])),
                      "You compute key @ query: rows are keys. Rows must be queries: query @ np.swapaxes(key, -1, "
                      "-2)."),
        Misconception("weights turned", attention_with(collect=lambda a, v: (turned(a) @ v, a)),
                      "Your weights are right, but the answers take them the other way round. Row i of the weights "
                      "belongs to answer i: weights @ value."),
        Misconception("naive softmax", attention_with(shares=naive),
                      "Right until np.exp overflows. Subtract the largest score of each row before you take "
                      "exponentials."),
        Misconception(".T of everything", attention_with(score=lambda q, k: q @ k.T / np.sqrt(q.shape[-1])),
                      "`key.T` turns all axes, batch and heads too. Exchange the last two only: np.swapaxes(key, -1, "
                      "-2)."),
        Misconception("the answers alone", after(lambda answers, weights: answers),
                      "You return the answers alone. Return the pair: `return answers, weights`."),
        Misconception("the weights alone", after(lambda answers, weights: weights),
                      "You return the weights alone. Return the pair: `return answers, weights`."),
        Misconception("weights first", after(lambda answers, weights: (weights, answers)),
                      "You return weights, answers. The answers come first."),
        Misconception("the sum, not the mean", attention_with(collect=lambda a, v: (a @ v * v.shape[-2], a)),
                      "Your answers are as many times too large as there are keys. The weights sum to 1: weights @ "
                      "value is the mean already."),
        Misconception("the query in place", scaled_in_place,
                      "The numbers are right, but `query /= ...` changes the caller's array. Write query / ..., which "
                      "makes a new one."),
    ],
    alternatives=[attention_by_rows, single(attention), attention_by_einsum,
                  attention_with(mask=lambda s: s - 1e9 * np.triu(np.ones(s.shape[-2:]), 1))])


# Heads.

def split_heads(x, heads):
    batch, time, width = x.shape
    return x.reshape(batch, time, heads, width // heads).transpose(0, 2, 1, 3)


def heads_by_slices(x, heads):
    size = x.shape[-1] // heads
    return np.stack([x[..., h * size:(h + 1) * size] for h in range(heads)], axis=1)


def reshaped(shape, order=None):
    """A reshape to shape(batch, time, heads, features of a head), then an order of the axes."""
    def answer(x, heads):
        batch, time, width = x.shape
        found = x.reshape(shape(batch, time, heads, width // heads))
        return found if order is None else found.transpose(order)
    return answer


SPLIT_HEADS = Exercise(
    "split_heads", 2, split_heads,
    cases=[
        Case("three tokens of four features, by hand", lambda rng: (np.arange(1.0, 13).reshape(1, 3, 4), 2),
             hint="Head 0 gets the features 0 and 1 of every token, head 1 the features 2 and 3."),
        Case("two heads of four features", lambda rng: (rng.normal(size=(3, 5, 8)), 2),
             hint="Cut the last axis in two by a reshape, then bring the axis of the heads to the front, behind the "
                  "batch."),
        Case("six heads of two features", lambda rng: (rng.normal(size=(2, 7, 12)), 6),
             hint="The features of a head stay neighbors: width becomes (heads, width // heads)."),
        Case("one head", lambda rng: (rng.normal(size=(2, 3, 5)), 1),
             hint="One head has all features: shape (batch, 1, time, width)."),
    ],
    misconceptions=[
        Misconception("a reshape alone", reshaped(lambda b, t, h, s: (b, h, t, s)),
                      "The shape is right and the numbers are not: a reshape reads row by row, so your head 0 holds "
                      "all features of the first tokens. Cut the features first, then exchange axes."),
        Misconception("not brought to the front", reshaped(lambda b, t, h, s: (b, t, h, s)),
                      "The features are cut, but time still stands before the heads. Exchange these two axes."),
        Misconception("features dealt out", reshaped(lambda b, t, h, s: (b, t, s, h), (0, 3, 1, 2)),
                      "You deal the features out like cards: head 0 gets every heads-th one. Each head gets neighbors: "
                      "reshape to (batch, time, heads, size)."),
        Misconception("features before time", reshaped(lambda b, t, h, s: (b, t, h, s), (0, 2, 3, 1)),
                      "Your last two axes are exchanged: time comes before the features of the head."),
        Misconception("heads first", reshaped(lambda b, t, h, s: (b, t, h, s), (2, 0, 1, 3)),
                      "Your heads come first of all. The batch stays first, the heads are second."),
        Misconception("features to the front", reshaped(lambda b, t, h, s: (b, t, h, s), (0, 3, 1, 2)),
                      "You bring the features of a head to the front. After the reshape the heads are axis 2, and they "
                      "belong behind the batch: transpose(0, 2, 1, 3)."),
        Misconception("a float for a size", lambda x, heads: x.reshape(
                          *x.shape[:2], heads, x.shape[-1] / heads).transpose(0, 2, 1, 3),
                      "`/` makes a float, and a shape must be whole: width // heads."),
        Misconception("heads taken for their size", lambda x, heads: reshaped(
                          lambda b, t, h, s: (b, t, s, h), (0, 2, 1, 3))(x, heads),
                      "You make heads of `heads` features each. `heads` is how many there are; each has width // "
                      "heads."),
        Misconception("every head gets all", lambda x, heads: np.repeat(x[:, None], heads, axis=1),
                      "Every head gets all features in yours. Each gets its own width // heads of them."),
        Misconception("time cut instead", reshaped(lambda b, t, h, s: (b, h, s, t), (0, 1, 3, 2)),
                      "You cut across tokens. Every head needs all tokens, and a part of the features of each."),
        Misconception("batch merged with the heads", lambda x, heads: np.concatenate(
                          list(split_heads(x, heads).swapaxes(0, 1))),
                      "You put batch and heads into one axis. Keep four axes: (batch, heads, time, size)."),
        Misconception("one example only", lambda x, heads: split_heads(x, heads)[0],
                      "You return the first example only, with three axes. Keep the batch axis."),
    ],
    alternatives=[heads_by_slices, single(split_heads),
                  lambda x, heads: [[[[float(f) for f in token] for token in part] for part in np.split(
                      example, heads, axis=1)] for example in x]])


# Positions.

def positional_encoding(length, width):
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    encoding = np.empty((length, width))
    encoding[:, 0::2], encoding[:, 1::2] = np.sin(angles), np.cos(angles)
    return encoding


def positions_by_loop(length, width):
    rows = []
    for t in range(length):
        row = []
        for i in range(width // 2):
            angle = t / 10000 ** (2 * i / width)
            row += [np.sin(angle), np.cos(angle)]
        rows.append(row)
    return rows


def clocks(angle=lambda t, i, width: t / 10000 ** (2 * i / width), even=np.sin, odd=np.cos):
    """An encoding from the angle of clock i at time t; with the defaults it is right."""
    def answer(length, width):
        t, i = np.arange(length)[:, None], np.arange(width // 2)
        angles = angle(t, i, width)
        return np.stack([even(angles), odd(angles)], axis=-1).reshape(length, width)
    return answer


def column_in_the_exponent(factor):
    def answer(length, width):
        j = np.arange(width)
        angles = np.arange(length)[:, None] / 10000 ** (factor * j / width)
        return np.where(j % 2 == 0, np.sin(angles), np.cos(angles))
    return answer


def half_and_half(length, width):
    found = positional_encoding(length, width)
    return np.concatenate([found[:, 0::2], found[:, 1::2]], axis=1)


def at_least_two(rng, longest=12):
    return int(rng.integers(3, longest)), 2 * int(rng.integers(2, 6))


POSITIONAL_ENCODING = Exercise(
    "positional_encoding", 3, positional_encoding, forbidden=READY,
    cases=[
        Case("two positions of four features, by hand", lambda rng: (2, 4),
             hint="Position 0 is (0, 1, 0, 1). At position 1 the first clock stands at 1 radian, the second at 0.01."),
        Case("some positions, some features", at_least_two,
             hint="Column 2i is the sine, column 2i + 1 the cosine of the same angle, t / 10000**(2i / width)."),
        Case("many features", lambda rng: (int(rng.integers(4, 9)), 2 * int(rng.integers(16, 40))),
             hint="width stands in the exponent: the slowest clock comes near 1/10000 of a radian a step."),
        Case("many positions", lambda rng: (int(rng.integers(80, 120)), 2 * int(rng.integers(2, 5))),
             hint="The angle grows in proportion to the position, however far it is."),
    ],
    misconceptions=[
        Misconception("sines only", clocks(odd=np.sin),
                      "You have sines in the odd columns, too. They hold the cosine of the same angle."),
        Misconception("cosine first", clocks(even=np.cos, odd=np.sin),
                      "You have cosine before sine: position 0 must be 0, 1, 0, 1, ..."),
        Misconception("half and half", half_and_half,
                      "All sines come first in yours, then all cosines. Here they take turns: sin, cos, sin, cos, "
                      "..."),
        Misconception("a clock for each column", column_in_the_exponent(1),
                      "Your odd columns have clocks of their own. Columns 2i and 2i + 1 share the angle, t / "
                      "10000**(2i / width)."),
        Misconception("twice the column", column_in_the_exponent(2),
                      "You put twice the column's number into the exponent. The 2i in the formula is the number of the "
                      "even column itself: 0, 2, 4, ..."),
        Misconception("i instead of 2i", clocks(lambda t, i, width: t / 10000 ** (i / width)),
                      "Your clocks slow down too little: the exponent is 2i / width with i = 0, 1, 2, ..., so the even "
                      "column's number over width."),
        Misconception("4i instead of 2i", clocks(lambda t, i, width: t / 10000 ** (4 * i / width)),
                      "Your clocks slow down too fast. np.arange(0, width, 2) is 2i already: do not double it again."),
        Misconception("a whole quotient", clocks(lambda t, i, width: t / 10000.0 ** (2 * i // width)),
                      "`//` rounds your exponents down to 0, so all clocks run alike. Divide with `/`."),
        Misconception("width - 1", clocks(lambda t, i, width: t / 10000 ** (2 * i / (width - 1))),
                      "You divide the exponent by width - 1. It is 2i / width."),
        Misconception("multiplied", clocks(lambda t, i, width: t * 10000 ** (2 * i / width)),
                      "Your later clocks turn faster, up to 10000 radians a step. Divide by the power: they turn "
                      "slower."),
        Misconception("base 1000", clocks(lambda t, i, width: t / 1000 ** (2 * i / width)),
                      "Your base is 1000. It is 10000."),
        Misconception("base e", clocks(lambda t, i, width: t / np.exp(2 * i / width)),
                      "Your base is e. It is 10000."),
        Misconception("not a power", clocks(lambda t, i, width: t / (10000 * np.maximum(2 * i, 1e-4) / width)),
                      "You divide by 10000 times 2i / width. 2i / width is an exponent: 10000 ** (2i / width)."),
        Misconception("brackets forgotten", clocks(lambda t, i, width: t / 10000 ** (2 * i) / width),
                      "`10000 ** 2i / width` takes the power first. Put brackets around 2i / width."),
        Misconception("counted from 1", clocks(lambda t, i, width: (t + 1) / 10000 ** (2 * i / width)),
                      "Your positions count from 1. The first is position 0: all sines 0, all cosines 1."),
        Misconception("degrees", clocks(lambda t, i, width: np.radians(t / 10000 ** (2 * i / width))),
                      "You take the angles for degrees. NumPy's sin and cos want radians, and so does the formula."),
        Misconception("full turns", clocks(lambda t, i, width: 2 * np.pi * t / 10000 ** (2 * i / width)),
                      "Your angles are 2 pi times too large. The angle is t over the power, in radians."),
        Misconception("length in the exponent", lambda length, width: clocks(
                          lambda t, i, _: t / 10000 ** (2 * i / length))(length, width),
                      "You divide the exponent by the length. It is the width that the clocks are spread over."),
        Misconception("on its side", lambda length, width: positional_encoding(length, width).T,
                      "Your array is (width, length). A row for each position: (length, width)."),
        Misconception("the angles", clocks(even=lambda a: a, odd=lambda a: a),
                      "You return the angles. Take their sine in the even columns and their cosine in the odd ones."),
    ],
    alternatives=[positions_by_loop, clocks(), single(positional_encoding)])


# Layer norm.

def layer_norm(x, gain, bias, eps=1e-5):
    centered = x - x.mean(axis=-1, keepdims=True)
    return gain * centered / np.sqrt((centered ** 2).mean(axis=-1, keepdims=True) + eps) + bias


def norm_with(center=lambda x: x.mean(axis=-1, keepdims=True), spread=lambda x: x.var(axis=-1, keepdims=True),
              root=lambda v, eps: np.sqrt(v + eps), finish=lambda y, gain, bias: gain * y + bias):
    """Layer norm from its four parts; with the defaults it is right."""
    def answer(x, gain, bias, eps=1e-5):
        return finish((x - center(x)) / root(spread(x), eps), gain, bias)
    return answer


def over(axis):
    """Mean and variance over other axes."""
    return norm_with(center=lambda x: x.mean(axis=axis, keepdims=True),
                     spread=lambda x: x.var(axis=axis, keepdims=True))


def norm_by_loop(x, gain, bias, eps=1e-5):
    x = np.asarray(x)
    y = np.empty(x.shape)
    for place in np.ndindex(*x.shape[:-1]):
        mean = sum(x[place]) / len(x[place])
        variance = sum((f - mean) ** 2 for f in x[place]) / len(x[place])
        y[place] = [(f - mean) / (variance + eps) ** 0.5 * g + b for f, g, b in zip(x[place], gain, bias, strict=True)]
    return y.tolist()


def norm_in_place(x, gain, bias, eps=1e-5):
    x -= x.mean(axis=-1, keepdims=True)
    x /= np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return gain * x + bias


def tokens(*shape, scale=1.0, eps=None):
    """Tokens with a mean and a spread, gains and biases, and sometimes an eps."""
    def make(rng):
        x = rng.normal(2, 3 * scale, size=shape)
        drawn = x, rng.uniform(0.5, 2, shape[-1]), rng.normal(size=shape[-1])
        return drawn if eps is None else (*drawn, eps)
    return make


def one_constant(rng):
    x, gain, bias = tokens(3, 4)(rng)
    x[1] = 1.5  # a binary fraction, so that its mean is the number itself
    return x, gain, bias


LAYER_NORM = Exercise(
    "layer_norm", 2, layer_norm, forbidden=("nnlib.LayerNorm", "nnlib.batch_norm"),
    cases=[
        Case("one token of five features, by hand",
             lambda rng: (np.array([[0.0, 0, 0, 0, 5]]), np.ones(5), np.zeros(5)),
             hint="The mean is 1 and the standard deviation 2."),
        Case("five tokens of five features", tokens(5, 5),
             hint="Mean and variance of each row, over the last axis, with keepdims=True; then gain and bias."),
        Case("a batch of sequences", tokens(2, 5, 4),
             hint="A token is the last axis, however many axes there are before: axis=-1."),
        Case("small features, and a large eps", tokens(3, 6, scale=0.1, eps=0.05),
             hint="eps is the caller's, and stands under the root, beside the variance."),
        Case("a token whose features are all equal", one_constant, no_warnings=True,
             hint="Its variance is 0: eps keeps you from dividing by 0. The answer is the bias."),
    ],
    misconceptions=[
        Misconception("over the batch", over(0),
                      "You take the mean over the first axis: that is batch norm. Here each token is normalized over "
                      "its own features, the last axis."),
        Misconception("over axis 1", over(1),
                      "axis=1 is the features only while x has two axes. In a batch of sequences it is time. Use "
                      "axis=-1."),
        Misconception("over everything", over(None),
                      "You take one mean over all tokens. Each token has its own."),
        Misconception("over all tokens of an example", lambda x, gain, bias, eps=1e-5: over(
                          (-2, -1) if x.ndim > 2 else -1)(x, gain, bias, eps),
                      "In a batch of sequences you take the mean over time, too. Each token has its own mean."),
        Misconception("without the mean", norm_with(center=lambda x: 0.0),
                      "You do not subtract the mean of the features."),
        Misconception("centered only", norm_with(root=lambda v, eps: 1.0),
                      "You subtract the mean and divide by nothing. Divide by the root of variance + eps."),
        Misconception("the variance without its root", norm_with(root=lambda v, eps: v + eps),
                      "You divide by the variance. Take its root."),
        Misconception("n - 1", norm_with(spread=lambda x: x.var(axis=-1, ddof=1, keepdims=True)),
                      "You divide the squares by n - 1. Layer norm, as batch norm, takes their mean."),
        Misconception("the sum of the squares", norm_with(
                          spread=lambda x: x.var(axis=-1, keepdims=True) * x.shape[-1]),
                      "You divide by the root of the sum of the squares. Take their mean."),
        Misconception("squares of what is not centered", norm_with(
                          spread=lambda x: (x**2).mean(axis=-1, keepdims=True)),
                      "Your variance takes the squares of the features themselves. It wants the squares of their "
                      "differences from the mean."),
        Misconception("root mean square", norm_with(
                          center=lambda x: 0.0, spread=lambda x: (x**2).mean(axis=-1, keepdims=True)),
                      "You divide by the root mean square and subtract no mean. That is another norm; here the mean is "
                      "subtracted first."),
        Misconception("without keepdims", norm_with(
                          center=lambda x: x.mean(axis=-1), spread=lambda x: x.var(axis=-1)),
                      "Your means lie along the features, so each token gets the means of others. Keep the axis: "
                      "mean(axis=-1, keepdims=True)."),
        Misconception("eps beside the root", norm_with(root=lambda v, eps: np.sqrt(v) + eps),
                      "You add eps to the root. It belongs under it, beside the variance."),
        Misconception("eps squared", norm_with(root=lambda v, eps: np.sqrt(v + eps**2)),
                      "You add the square of eps under the root. Add eps itself."),
        Misconception("no eps", norm_with(root=lambda v, eps: np.sqrt(v)),
                      "Without eps a token whose features are all equal is 0 / 0."),
        Misconception("an eps of your own", norm_with(root=lambda v, eps: np.sqrt(v + 1e-5)),
                      "You add 1e-5 whatever the caller asks for. Use the argument eps."),
        Misconception("no gain", norm_with(finish=lambda y, gain, bias: y + bias),
                      "You do not use `gain`: the normalized features are multiplied by it."),
        Misconception("no bias", norm_with(finish=lambda y, gain, bias: gain * y),
                      "You do not use `bias`: it is added at the end."),
        Misconception("neither gain nor bias", norm_with(finish=lambda y, gain, bias: y),
                      "You stop at the normalized features. Multiply by gain, then add bias."),
        Misconception("bias before gain", norm_with(finish=lambda y, gain, bias: gain * (y + bias)),
                      "You add the bias before you multiply by the gain. It comes last, as it is."),
        Misconception("gain and bias exchanged", norm_with(finish=lambda y, gain, bias: bias * y + gain),
                      "You multiply by bias and add gain. It is the other way round."),
        Misconception("gain of the input", lambda x, gain, bias, eps=1e-5: norm_with()(
                          gain * x + bias, 1.0, 0.0, eps),
                      "You apply gain and bias before you normalize, which takes most of them away again. First "
                      "normalize."),
        Misconception("in place", norm_in_place,
                      "The numbers are right, but `x -= ...` changes the caller's array. Write x - ..., which makes a "
                      "new one."),
    ],
    alternatives=[norm_by_loop, norm_with(), single(layer_norm)])


# The block.

def merge_heads(x):
    batch, heads, time, size = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, time, heads * size)


def multi_head(x, state, heads, causal=False, order=(0, 1, 2), attend=attention, split=split_heads, merge=merge_heads,
               bias=1, mix=True):
    """Self-attention of several heads; with the defaults it is right."""
    made = x @ state["self_attn.in_proj_weight"].T + bias * state["self_attn.in_proj_bias"]
    parts = [split(part, heads) for part in np.split(made, 3, axis=-1)]
    answers, _ = attend(*(parts[i] for i in order), causal)
    merged = merge(answers)
    return merged @ state["self_attn.out_proj.weight"].T + state["self_attn.out_proj.bias"] if mix else merged


def network(x, state, relu=lambda a: np.maximum(a, 0), bias=1):
    """The two layers of each token; with the defaults it is right."""
    hidden = relu(x @ state["linear1.weight"].T + bias * state["linear1.bias"])
    return hidden @ state["linear2.weight"].T + bias * state["linear2.bias"]


def norm(x, state, number, apply=layer_norm):
    return apply(x, state[f"norm{number}.weight"], state[f"norm{number}.bias"])


def transformer_block(x, state, heads, causal=False):
    h = x + multi_head(norm(x, state, 1), state, heads, causal)
    return h + network(norm(h, state, 2), state)


def block_with(talk=multi_head, think=network, first=1, second=2, keep_first=lambda x, normed: x,
               keep_second=lambda h, normed, x: h, reads=lambda h, x: h, apply=layer_norm):
    """A block from its parts; with the defaults it is right."""
    def answer(x, state, heads, causal=False):
        normed = norm(x, state, first, apply)
        h = keep_first(x, normed) + talk(normed, state, heads, causal)
        second_normed = norm(reads(h, x), state, second, apply)
        return keep_second(h, second_normed, x) + think(second_normed, state)
    return answer


def with_talk(**changes):
    return block_with(talk=lambda x, state, heads, causal: multi_head(x, state, heads, causal, **changes))


def norm_last(x, state, heads, causal=False):
    h = norm(x + multi_head(x, state, heads, causal), state, 1)
    return norm(h + network(h, state), state, 2)


def with_turned(name):
    """The block, with one weight matrix on its side."""
    return lambda x, state, heads, causal=False: transformer_block(
        x, {**state, name: state[name].T}, heads, causal)


def attend_raw(x, state, heads, causal=False):
    h = x + multi_head(x, state, heads, causal)
    return h + network(norm(h, state, 2), state)


def feed_raw(x, state, heads, causal=False):
    h = x + multi_head(norm(x, state, 1), state, heads, causal)
    return h + network(h, state)


def heads_before_parts(x, state, heads, causal=False):
    made = norm(x, state, 1) @ state["self_attn.in_proj_weight"].T + state["self_attn.in_proj_bias"]
    answers, _ = attention(*np.split(split_heads(made, heads), 3, axis=-1), causal)
    h = x + merge_heads(answers) @ state["self_attn.out_proj.weight"].T + state["self_attn.out_proj.bias"]
    return h + network(norm(h, state, 2), state)


def block_by_tokens(x, state, heads, causal=False):
    """Every example, head and token by itself."""
    x = np.asarray(x)
    batch, time, width = x.shape
    size, y = width // heads, np.empty(x.shape)
    for n in range(batch):
        made = norm(x[n], state, 1) @ state["self_attn.in_proj_weight"].T + state["self_attn.in_proj_bias"]
        found = np.empty((time, width))
        for h in range(heads):
            q, k, v = (made[:, p * width + h * size:p * width + (h + 1) * size] for p in range(3))
            found[:, h * size:(h + 1) * size] = attention_by_rows(q, k, v, causal)[0]
        rest = x[n] + found @ state["self_attn.out_proj.weight"].T + state["self_attn.out_proj.bias"]
        for t in range(time):
            y[n, t] = rest[t] + network(norm(rest[t], state, 2), state)
    return y.tolist()


def in_place(x, state, heads, causal=False):
    x += multi_head(norm(x, state, 1), state, heads, causal)
    x += network(norm(x, state, 2), state)
    return x


def draw_state(rng, width, hidden):
    """A state dict as of nnlib's and PyTorch's block, no bias 0 and no gain 1."""
    shapes = {"self_attn.in_proj_weight": (3 * width, width), "self_attn.in_proj_bias": (3 * width,),
              "self_attn.out_proj.weight": (width, width), "self_attn.out_proj.bias": (width,),
              "linear1.weight": (hidden, width), "linear1.bias": (hidden,), "linear2.weight": (width, hidden),
              "linear2.bias": (width,), "norm1.weight": (width,), "norm1.bias": (width,), "norm2.weight": (width,),
              "norm2.bias": (width,)}
    return {name: rng.normal(size=shape) if "norm" not in name or "bias" in name else rng.uniform(0.5, 2, shape)
            for name, shape in shapes.items()}


def block_input(batch, time, width, hidden, heads, *causal):
    return lambda rng: (rng.normal(size=(batch, time, width)), draw_state(rng, width, hidden), heads, *causal)


def silent_block(rng):
    """A block of which all weights are 0, so that nothing but the skip connections is left."""
    state = {name: np.zeros_like(array) for name, array in draw_state(rng, 4, 6).items()}
    return np.arange(12.0).reshape(1, 3, 4), state, 2


SAME_NAMES = "self_attn.in_proj_weight holds the matrices of the queries, the keys and the values, in this order: "
TRANSFORMER_BLOCK = Exercise(
    "transformer_block", 4, transformer_block, forbidden=(*READY, "nnlib.LayerNorm"),
    cases=[
        Case("all weights are 0: the block hands x through", silent_block, points=0.5,
             hint="Both parts add 0. What is left of x + 0, then of h + 0?"),
        Case("one head", block_input(2, 4, 6, 9, 1),
             hint="Print the shape after every line; then compare with the drawing: norm, attention, add; norm, "
                  "linear, ReLU, linear, add."),
        Case("two heads", block_input(2, 5, 6, 7, 2),
             hint="Split queries, keys and values into heads, attend, exchange the axes back, and reshape to (batch, "
                  "time, width)."),
        Case("three heads, with a causal mask", block_input(3, 4, 6, 5, 3, True), points=1,
             hint="Hand `causal` on to your attention."),
    ],
    misconceptions=[
        Misconception("norms after the sums", norm_last,
                      "You normalize after each addition, as the paper of 2017 did. Here each part gets a normalized "
                      "input, and the skip connection stays free."),
        Misconception("no skip connection around attention", block_with(keep_first=lambda x, normed: 0.0),
                      "The result of attention replaces x. Add it to x: h = x + ..."),
        Misconception("no skip connection around the network", block_with(keep_second=lambda h, normed, x: 0.0),
                      "The result of the two layers replaces h. Add it to h."),
        Misconception("no skip connections", block_with(keep_first=lambda x, n: 0.0, keep_second=lambda h, n, x: 0.0),
                      "Both skip connections are missing: each part's result is added to what went in."),
        Misconception("normalized skip connections", block_with(
                          keep_first=lambda x, normed: normed, keep_second=lambda h, normed, x: normed),
                      "You add to the normalized input. The skip connections carry x itself and h itself, without the "
                      "norm."),
        Misconception("the first skip connection normalized", block_with(keep_first=lambda x, normed: normed),
                      "Your h is the normalized x plus attention. Add x itself."),
        Misconception("the second skip connection normalized", block_with(keep_second=lambda h, normed, x: normed),
                      "At the end you add the normalized h. Add h itself."),
        Misconception("x twice", block_with(keep_second=lambda h, normed, x: x + h),
                      "At the end you add x once more. It is in h already."),
        Misconception("the second skip connection from the start", block_with(keep_second=lambda h, normed, x: x),
                      "At the end you add x. The second skip connection begins behind the first addition: add h."),
        Misconception("side by side", block_with(reads=lambda h, x: x),
                      "Your two layers read x. They come after attention: they read h, normalized."),
        Misconception("norm1 twice", block_with(second=1),
                      "You use norm1 twice. The second norm has gain and bias of its own, norm2."),
        Misconception("norms exchanged", block_with(first=2, second=1),
                      "You use norm2 first. norm1 comes before attention, norm2 before the two layers."),
        Misconception("no norms", block_with(apply=lambda x, gain, bias: x),
                      "You do not normalize. Each part gets layer_norm of its input."),
        Misconception("no first norm", attend_raw,
                      "Your attention gets x as it is. It gets x normalized with norm1."),
        Misconception("no second norm", feed_raw,
                      "Your two layers get h as it is. They get h normalized with norm2."),
        Misconception("norms without gain and bias", block_with(
                          apply=lambda x, gain, bias: layer_norm(x, 1.0, 0.0)),
                      "Your norms do not use gain and bias: state['norm1.weight'] and state['norm1.bias']."),
        Misconception("no ReLU", block_with(think=lambda x, state: network(x, state, relu=lambda a: a)),
                      "There is no ReLU between your two layers, so they collapse into one."),
        Misconception("ReLU too early", block_with(think=lambda x, state: network(
                          np.maximum(x, 0), state, relu=lambda a: a)),
                      "Your ReLU comes before the first layer. It belongs between the two."),
        Misconception("ReLU at the end", block_with(think=lambda x, state: np.maximum(
                          network(x, state), 0)),
                      "You apply a ReLU to the result of the second layer. It belongs between the two layers only."),
        Misconception("no biases in the network", block_with(think=lambda x, state: network(x, state, bias=0)),
                      "Your two layers have no biases: linear1.bias and linear2.bias."),
        Misconception("no biases of queries, keys and values", with_talk(bias=0),
                      "self_attn.in_proj_bias is missing: queries, keys and values have biases."),
        Misconception("keys first", with_talk(order=(1, 0, 2)),
                      SAME_NAMES + "you exchange the first two."),
        Misconception("values first", with_talk(order=(1, 2, 0)),
                      SAME_NAMES + "you take the values first."),
        Misconception("cut into heads before queries, keys and values", heads_before_parts,
                      "You cut into heads first and take queries, keys and values out of each. The rows of "
                      "in_proj_weight are all queries, then all keys, then all values: np.split first, heads after."),
        Misconception("one head whatever is asked", block_with(
                          talk=lambda x, state, heads, causal: multi_head(x, state, 1, causal)),
                      "You do not split into heads: with one head you are right, with more you are not."),
        Misconception("heads by a reshape alone", with_talk(
                          split=reshaped(lambda b, t, h, s: (b, h, t, s)),
                          merge=lambda a: a.reshape(a.shape[0], a.shape[2], -1)),
                      "Your heads are cut by a reshape alone, which mixes tokens. Exchange axes, too: your split_heads "
                      "does it."),
        Misconception("merged by a reshape alone", with_talk(
                          merge=lambda a: a.reshape(a.shape[0], a.shape[2], -1)),
                      "You put the heads together by a reshape alone, which mixes tokens. Bring time back before the "
                      "heads first, transpose(0, 2, 1, 3)."),
        Misconception("no matrix at the end", with_talk(mix=False),
                      "self_attn.out_proj is missing: one more matrix, with a bias, mixes what the heads found."),
        Misconception("in_proj not turned", lambda x, state, heads, causal=False: norm(x, state, 1) @ state[
                          "self_attn.in_proj_weight"],
                      "A row of a weight matrix belongs to one output: x @ W.T, as in every layer of the course."),
        Misconception("out_proj not turned", with_turned("self_attn.out_proj.weight"),
                      "self_attn.out_proj.weight is square, so its shape does not tell: it is @ W.T here, too."),
        Misconception("no bias at the end", block_with(talk=lambda x, state, heads, causal: multi_head(
                          x, state, heads, causal) - state["self_attn.out_proj.bias"]),
                      "self_attn.out_proj.bias is missing."),
        Misconception("the mask forgotten", lambda x, state, heads, causal=False: transformer_block(x, state, heads),
                      "You do not hand `causal` on to attention."),
        Misconception("always causal", lambda x, state, heads, causal=False: transformer_block(x, state, heads, True),
                      "You mask always. The mask is due only with causal=True."),
        Misconception("scaled for one head", with_talk(attend=lambda q, k, v, causal: attention(
                          q / np.sqrt(q.shape[1]), k, v, causal)),
                      "You divide the scores by the root of the whole width. Each head has width // heads features, "
                      "and d is that."),
        Misconception("not scaled", with_talk(attend=attention_with(score=lambda q, k: q @ turned(k))),
                      "The scores of your heads are not divided by the root of d. Use your own `attention`."),
        Misconception("attention alone", lambda x, state, heads, causal=False: x + multi_head(
                          norm(x, state, 1), state, heads, causal),
                      "Half of the block is missing: after attention comes the second norm, then the two layers."),
        Misconception("x in place", in_place,
                      "The numbers are right, but `x += ...` changes the caller's array. Write h = x + ..."),
    ],
    alternatives=[block_by_tokens, block_with(), single(transformer_block)])


EXERCISES = [ATTENTION, SPLIT_HEADS, POSITIONAL_ENCODING, LAYER_NORM, TRANSFORMER_BLOCK]


# Further inputs for the audit.

def any_sequences(rng):
    leading = map(int, rng.integers(1, 3, size=rng.integers(0, 3)))
    causal = [None, False, True][rng.integers(0, 3)]
    keys = None if causal else int(rng.integers(1, 6))
    return sequences(*leading, queries=int(rng.integers(1, 6)), keys=keys, d=int(rng.integers(1, 6)),
                     v=int(rng.integers(1, 4)), causal=causal)(rng)


def any_tokens(rng):
    shape = tuple(map(int, rng.integers(1, 6, size=rng.integers(1, 4))))
    return tokens(*shape, eps=[None, 10 ** rng.uniform(-6, 0)][rng.integers(0, 2)])(rng)


def any_heads(rng):
    heads, size = map(int, rng.integers(1, 4, size=2))
    return rng.normal(size=(*map(int, rng.integers(1, 5, size=2)), heads * size)), heads


def any_block(rng):
    heads, size, batch, time, hidden = map(int, rng.integers(1, 4, size=5))
    return block_input(batch, time, heads * size, hidden, heads, *[bool(rng.integers(0, 2))][:rng.integers(0, 2)])(rng)


DOMAIN = {
    "attention": [Case("any sequences", any_sequences)],
    "split_heads": [Case("any heads", any_heads)],
    "positional_encoding": [Case("any positions", lambda rng: (int(rng.integers(1, 50)),
                                                               2 * int(rng.integers(1, 20))))],
    "layer_norm": [Case("any tokens", any_tokens, no_warnings=True)],
    "transformer_block": [Case("any block", any_block)],
}
