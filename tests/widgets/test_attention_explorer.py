"""AttentionExplorer: its mathematics against nnlib, every control at its ends, its goal, typed text, learners' own."""

import numpy as np
import pytest
from support import assert_refused

from nnlib import Tensor, causal_mask, scaled_dot_product_attention
from nnlib import attention_weights as nnlib_weights
from nnlib.widgets import AttentionExplorer, LearnerError
from nnlib.widgets.attention import (
    COLDEST,
    FEATURES,
    HEADS,
    HOTTEST,
    LONGEST,
    MEANING,
    MOST,
    SENTENCES,
    SIZE,
    STAGES,
    WORDS,
    WeightGoal,
    attend,
    attention_fault,
    features_of,
    learners_attention,
    projections,
    read_words,
)

START = SENTENCES["cat and mat"]


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def attention(Q, K, V, mask=None):
    scores = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    return softmax(scores if mask is None else np.where(mask, scores, -np.inf)) @ V


@pytest.fixture(scope="module")
def explorer():
    return AttentionExplorer()


@pytest.fixture
def home(explorer):
    """The explorer, in its first state."""
    with explorer.setting_controls():
        explorer.sentence.value, explorer.text.value = "cat and mat", START
        explorer.temperature.value, explorer.heads.value, explorer.head.value = 1.0, 1, 0
        explorer.scale.value, explorer.causal.value, explorer.positions.value = True, False, False
        explorer.stage.value = "weights"
    explorer.refresh()
    explorer.row.value = 3
    return explorer


# The mathematics

def test_the_steps_are_those_of_nnlib():
    rng = np.random.default_rng(0)
    Q, K, V = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    for mask in (None, causal_mask(5)):
        steps = attend(Q, K, V, mask)
        np.testing.assert_allclose(steps.weights, np.asarray(nnlib_weights(Q, K, mask)), atol=1e-12)
        np.testing.assert_allclose(steps.output, np.asarray(scaled_dot_product_attention(Q, K, V, mask)), atol=1e-12)
        np.testing.assert_allclose(steps.weights.sum(axis=1), 1)
    np.testing.assert_allclose(attend(Q, K, V, None, 2.0).weights, attend(Q / 2, K, V).weights)
    np.testing.assert_allclose(attend(Q, K, V, scaled=False).weights, attend(Q * np.sqrt(3), K, V).weights)
    assert np.isneginf(attend(Q, K, V, causal_mask(5)).masked).sum() == 10


def test_words_have_meanings_and_others_keep_theirs():
    X = features_of(["cat", "Mat,", "on", "the", "zebra", "zebra"], positions=False)
    np.testing.assert_array_equal(X[:4, :MEANING], [WORDS["cat"], WORDS["mat"], WORDS["on"], WORDS["the"]])
    np.testing.assert_array_equal(X[4], X[5])
    assert np.linalg.norm(X[4]) == pytest.approx(1) and not X[:, MEANING:].any() and (X[4, :MEANING] > 0).all()
    assert not np.array_equal(X[4], features_of(["zebras"], positions=False)[0])


def test_without_positions_the_order_does_not_matter_and_with_them_it_does():
    words, other = "dog bites man".split(), "man bites dog".split()
    for positions, same in ((False, True), (True, False)):
        one, two = (attend(*projections(features_of(w, positions))).output for w in (words, other))
        assert np.allclose(one[1], two[1]) == same


def test_the_head_of_positions_asks_for_the_token_before():
    Q, K, _ = projections(features_of(["the"] * MOST))
    scores = (Q @ K.T)[1:]
    np.testing.assert_array_equal(scores.argmax(axis=1), np.arange(MOST - 1))
    np.testing.assert_allclose(scores.max(axis=1), scores[0, 0])


def test_actions_ask_for_who_acts():
    words = START.split()
    weights = attend(*projections(features_of(words, False))).weights
    assert words[weights[2].argmax()] == "cat" and words[weights[3].argmax()] == "mat"
    np.testing.assert_allclose(weights[0], 1 / 6), "“the” asks for nothing"


# Text that is typed

def test_reading_words():
    assert read_words("  a   b ") == ["a", "b"] and read_words("\u732b b")[0] == "?"
    for text in ("", "one", " ".join("a" * (MOST + 1)), "a " + "b" * (LONGEST + 1)):
        with pytest.raises(LearnerError):
            read_words(text)


@pytest.mark.usefixtures("painted")
def test_typed_text_is_escaped_and_wrong_text_is_told(home):
    home.text.value = "<b>x</b> $y^2$ &amp; cat"
    assert home.sentence.value == "yours" and home.message == ""
    assert "<b>x" not in home._picture.value.split("src=")[0] and "&lt;b&gt;x" in home._picture.value
    assert "<b>x" not in home._caption.value
    picture = home.picture
    home.text.value = "alone"
    assert "Not shown: expected 2 to 8 words" in home.message and home.picture == picture
    home.text.value = START
    assert home.message == "" and home.sentence.value == "cat and mat"


def test_sentences_and_rows_that_are_gone(home):
    home.row.value = 5
    home.sentence.value = "man bites dog"
    assert home.text.value == "man bites dog" and home.row.value == home.row.max == 2
    assert "row 2 framed" in home.alt
    home.text.value = " ".join(["cat"] * MOST)
    assert home.row.max == MOST - 1 and home.message == ""


# The controls

@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(home):
    seen = set()
    cases = [(*case, k) for k, case in enumerate([
        (START, 4, 3, HOTTEST), (START, 1, 0, COLDEST), ("a b", 2, 1, COLDEST),
        (" ".join(["cat", "sat"] * 4), 4, 0, HOTTEST)])]
    for text, heads, head, temperature, k in cases:
        for last in (0, 1):
            with home.setting_controls():
                home.text.value, home.heads.value, home.temperature.value = text, heads, temperature
                home.head.max = max(1, heads - 1)
                home.head.value = head
                home.scale.value, home.causal.value, home.positions.value = bool(k % 2), bool(last), bool(k // 2 % 2)
                home.stage.value = STAGES[(k + 2 * last) % 4]
            home.refresh()
            home.row.value = last * (len(text.split()) - 1)
            text_shown = home.alt + home._caption_text + home._goal_text
            assert home.message == "" and "nan" not in text_shown
            assert home.weights.shape == (len(text.split()),) * 2 and home.output.shape[1] == MEANING
            np.testing.assert_allclose(home.weights.sum(axis=1), 1)
            assert home.K.shape[1] == SIZE // heads and home.head.disabled == (heads == 1)
            assert not last or not np.triu(home.weights, 1).any()
            seen.add(home.alt)
    assert len(seen) == 8


def test_the_row_is_written_out(home):
    assert "q · k = 4·1 = 4; divided by √8 it is 1.41" in home._caption_text
    assert home.divided[5].get_text() == "1.41" and home.shares[5].get_text() == f"{home.weights[3, 5]:.2f}"
    home.causal.value = True
    assert home.divided[5].get_text() == "−∞" and home.weights[3, 5] == 0 and "mat masked to 0.00" in home.alt
    home.scale.value, home.temperature.value = False, 2.0
    assert home.divisor.get_text() == "/ 2" and "divided by 2 it is" in home._caption_text
    for name, value in zip(FEATURES, home.output[3]):
        assert f"{name} {value:.2f}" in home.alt


def test_heads_without_positions_know_nothing(home):
    home.heads.value = 2
    home.head.value = 1
    assert "Positions are off" in home._caption_text and np.ptp(home.weights) < 1e-12
    assert "All heads share the values here" in home._caption_text
    home.positions.value = True
    assert home.weights[3].argmax() == 2 and "compares position." in home._caption_text
    home.heads.value = 1
    assert home.head.value == 0 and home.head.disabled and "share the values" not in home._caption_text


# The goal

def test_goal(home):
    assert "○ Goal not reached yet" in home._goal_text and "0.417 on token 5" in home._goal_text
    home.temperature.value = 0.25
    assert "✓ Goal reached" in home._goal_text
    home.row.value = 0
    assert "✓" in home._goal_text, "the goal's row counts, not the one shown"
    home.sentence.value = "dog bites man"
    assert "○" in home._goal_text and "only 3 tokens" in home._goal_text


def test_at_temperature_1_only_a_few_ways_reach_the_goal():
    goal, found = WeightGoal(temperature=1), set()
    for heads in HEADS:
        for positions in (False, True):
            for scaled in (False, True):
                for head in range(heads):
                    part = slice(head * SIZE // heads, (head + 1) * SIZE // heads)
                    Q, K, V = projections(features_of(START.split(), positions))
                    steps = attend(Q[:, part], K[:, part], V, scaled=scaled)
                    if goal.judge(steps.weights, np.full(6, 6), 1.0)[0]:
                        found.add((heads, head, positions, scaled))
    assert (2, 1, True, False) in found and len(found) <= 4 and (1, 0, False, True) not in found
    assert not any(scaled for *_, scaled in found)


def test_goals_judge():
    weights = np.array([[0.5, 0.3, 0.2], [0.05, 0.9, 0.05], [0.1, 0.0, 0.9]])
    assert WeightGoal(1).judge(weights, [3, 3, 3], 1.0)[0] and not WeightGoal(0).judge(weights, [3, 3, 3], 1.0)[0]
    assert WeightGoal(2, on=2).judge(weights, [3, 3, 3], 1.0)[0]
    assert not WeightGoal(2, on=0).judge(weights, [3, 3, 3], 1.0)[0]
    reached, words = WeightGoal(1).judge(weights, [1, 2, 3], 1.0)
    assert not reached and "three tokens" in words
    reached, words = WeightGoal(1, temperature=1).judge(weights, [3, 3, 3], 0.5)
    assert not reached and "temperature is 0.5" in words
    assert str(WeightGoal(1, 0.8, 2, 1)) == ("make row 1 put 0.8 of its weight on token 2, at a temperature of 1 or "
                                             "more")


# What is given

@pytest.mark.parametrize("arguments", [{"tokens": "one"}, {"row": 6}, {"row": -1}, {"heads": 3},
                                       {"tokens": "a b " + "c" * 13}, {"attention": 3}])
def test_wrong_arguments(arguments):
    assert_refused(AttentionExplorer, arguments)


# Learners' own

def with_weights(Q, K, V, mask=None):
    weights = attention(Q, K, np.eye(len(K)), mask)
    return weights @ V, weights


def causal_form(Q, K, V, causal=False):
    return attention(Q, K, V, np.tri(Q.shape[-2], dtype=bool) if causal else None)


@pytest.mark.parametrize("own", [
    attention, with_weights, causal_form, scaled_dot_product_attention,
    lambda *arrays: attention(*arrays), lambda q, k, v, allowed: attention(q, k, v, allowed),
    lambda Q, K, V, mask: attention(Q, K, V, mask).tolist(),
    lambda Q, K, V, mask: scaled_dot_product_attention(Tensor(Q), Tensor(K), Tensor(V), mask),
    lambda Q, K, V, mask: attention(Q, K.transpose(0, 2, 1).transpose(0, 2, 1), V, mask),
    lambda Q, K, V, mask: attention(Q.astype(np.float32), K, V, mask)])
def test_right_functions_in_other_styles(own):
    assert attention_fault(learners_attention(own)) == ""


def slip(change):
    """An attention whose weights are what `change` makes of (scores, d, mask)."""
    def own(Q, K, V, mask=None):
        allowed = np.ones((len(Q), len(K)), bool) if mask is None else mask
        return change(Q @ K.T, Q.shape[1], allowed) @ V
    return own


def cut(scores, mask):
    return softmax(np.where(mask, scores, -1e9))


@pytest.mark.parametrize("change, words", [
    (lambda s, d, m: cut(s, m), "not divided by √d"), (lambda s, d, m: cut(s / d, m), "divided by d"),
    (lambda s, d, m: cut(s * d ** 0.5, m), "multiplied by √d"), (lambda s, d, m: cut(-s / d ** 0.5, m), "sign"),
    (lambda s, d, m: softmax(np.where(m, s / d ** 0.5, -1e9), axis=0), "over the queries"),
    (lambda s, d, m: cut(s.T / d ** 0.5, m), "queries and keys are exchanged"),
    (lambda s, d, m: s / d ** 0.5, "the softmax is missing"),
    (lambda s, d, m: np.exp(s / d ** 0.5) * m, "division by the sum is missing"),
    (lambda s, d, m: softmax(s / d ** 0.5), "the mask changes nothing"),
    (lambda s, d, m: softmax(s / d ** 0.5) * m, "the mask comes after the softmax"),
    (lambda s, d, m: softmax(np.where(m, s / d ** 0.5, 0)), "masked scores are set to 0"),
    (lambda s, d, m: cut(s / d ** 0.5, m.T), "the mask is transposed"),
    (lambda s, d, m: cut(s / d ** 0.5, ~m if not m.all() else m), "the wrong way round"),
    (lambda s, d, m: cut(s / d ** 0.5, m & ~np.eye(len(m), dtype=bool) if not m.all() else m), "itself, too"),
    (lambda s, d, m: 0.5 * cut(s / d ** 0.5, m), "on random numbers"),
    (lambda s, d, m: cut(s / d ** 0.5, m) * (1 if m.all() else 0.5), "right without a mask, but with a causal mask")])
def test_slips_are_told(change, words):
    assert words in attention_fault(learners_attention(slip(change)))


def test_wrong_weights_beside_a_right_output():
    def own(Q, K, V, mask=None):
        output, weights = with_weights(Q, K, V, mask)
        return output, weights.T

    assert "its output is right, but the weights" in attention_fault(learners_attention(own))


@pytest.mark.parametrize("own, words", [
    (lambda Q, K, V, mask: None, "is there a return"), (lambda Q, K, V, mask: attention(Q, K, V, mask).T, "transposed"),
    (lambda Q, K, V, mask: attention(Q, K, np.eye(len(K)), mask), "multiply them by V"),
    (lambda Q, K, V, mask: (V, V, V), "but got 3 values"),
    (lambda Q, K, V, mask: attention(Q, K, V, mask).sum(axis=-2), "one row for each query"),
    (lambda Q, K, V, mask: V * np.nan, "a row with nothing but −infinity"), (lambda Q, K, V, mask: Q @ V, "ValueError"),
    (lambda Q, K, V: attention(Q, K, V), "has no argument `mask`"), (lambda Q: Q, "has no argument `mask`")])
def test_wrong_shapes_and_exceptions_are_told(own, words):
    rng = np.random.default_rng(0)
    with pytest.raises(LearnerError) as caught:
        learners_attention(own)(rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2)),
                                causal_mask(5))
    assert words in str(caught.value)


def test_own_attention_in_the_explorer():
    explorer = AttentionExplorer(attention=lambda Q, K, V: attention(Q, K, V), goal=WeightGoal(temperature=1))
    assert "the same numbers as nnlib's" in explorer._caption_text and "○" in explorer._goal_text
    explorer.heads.value, explorer.positions.value, explorer.scale.value = 2, True, False
    explorer.head.value = 1
    assert "✓ Goal reached" in explorer._goal_text
    np.testing.assert_allclose(explorer.weights, explorer.steps.weights)
    explorer.causal.value = True
    assert "Your attention stopped: attention has no argument `mask`" in explorer.message
    explorer.causal.value = False
    explorer.own = learners_attention(slip(lambda s, d, m: cut(s, m)))
    explorer._fault.clear()
    explorer.refresh()
    assert "not divided by √d" in explorer.alt and "○" in explorer._goal_text, "a wrong function reaches no goal"


def test_a_function_that_changes_its_arguments_spoils_nothing():
    def own(Q, K, V, mask=None):
        output = attention(Q, K, V, mask)
        Q[...] = K[...] = 0
        return output

    assert attention_fault(learners_attention(own)) == ""
