"""RecurrenceExplorer: cells and gradients against nnlib, every control at its ends, its goal, learners' own steps."""


import numpy as np
import pytest
from support import assert_refused

from nnlib import GRU, LSTM, RNN, Tensor, numerical_gradient, ops
from nnlib.widgets import LearnerError, RecurrenceExplorer
from nnlib.widgets.recurrence import (
    BLOCKS,
    DRAWS,
    GOAL,
    HIDDEN,
    LONGEST,
    SEQUENCES,
    STATES,
    STRONGEST,
    TABLES,
    WIDEST,
    LagGoal,
    lag_gradient,
    lag_gradients,
    learners_step,
    network_of,
    relative,
    run,
    sequence_of,
    step_fault,
    step_of,
)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):
    return np.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def lstm_step(x, h, c, W_ih, W_hh, b_ih, b_hh):
    i, f, g, o = np.split(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, h, W_ih, W_hh, b_ih, b_hh):
    (r, z, n), (r_h, z_h, n_h) = np.split(x @ W_ih.T + b_ih, 3, axis=1), np.split(h @ W_hh.T + b_hh, 3, axis=1)
    r, z = sigmoid(r + r_h), sigmoid(z + z_h)
    return (1 - z) * np.tanh(n + r * n_h) + z * h


STEPS = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}


@pytest.fixture(scope="module")
def explorer():
    return RecurrenceExplorer()


@pytest.fixture
def home(explorer):
    """The explorer, in its first state."""
    with explorer.setting_controls():
        explorer.cell.value, explorer.sequence.value, explorer.length.value = "RNN", "noise", 50
        explorer.t.value = explorer.t.max
        explorer.radius.value, explorer.bias.value, explorer.seed.value = 1.0, 0.0, 0
    explorer.refresh()
    return explorer


# The mathematics

@pytest.mark.parametrize("cell", BLOCKS)
def test_a_walk_gives_the_states_of_nnlib(cell):
    x, weights = sequence_of("noise", 9, 1), network_of(cell, 0.9, 1.0, seed=2)
    layer = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}[cell](1, HIDDEN, dtype=np.float64)
    for name, array in zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), weights):
        getattr(layer, name).data[...] = array
    made = run(cell, x, weights)
    output, end = layer(Tensor(x[:, None]))
    np.testing.assert_allclose(made["h"], output.data[:, 0], atol=1e-12)
    if cell == "LSTM":
        np.testing.assert_allclose(made["c"][-1], end[1].data[0, 0], atol=1e-12)
    assert set(TABLES[cell]) == set(made)
    np.testing.assert_allclose(made[TABLES[cell][0]][1:], made[STATES[cell][-1]][:-1])


@pytest.mark.parametrize("cell", BLOCKS)
@pytest.mark.parametrize("name", ["noise", "letters"])
def test_gradients_agree_with_finite_differences(cell, name):
    x = sequence_of(name, 6, 3)
    weights = network_of(cell, 1.1, 1.0, seed=4, inputs=x.shape[1])
    sizes = np.zeros(6)
    for unit in range(HIDDEN):
        slopes = numerical_gradient(lambda x, unit=unit: float(run(cell, x, weights)["h"][-1, unit]), x)
        sizes += (slopes ** 2).sum(axis=1)
    np.testing.assert_allclose(lag_gradient(cell, x, weights), np.sqrt(sizes)[::-1], rtol=1e-6)


@pytest.mark.parametrize("cell", BLOCKS)
def test_several_draws_at_once_are_those_one_by_one(cell):
    xs = [sequence_of("noise", 7, seed) for seed in range(3)]
    draws = [network_of(cell, 0.8, -1.0, seed) for seed in range(3)]
    one_by_one = [lag_gradient(cell, x, weights) for x, weights in zip(xs, draws)]
    np.testing.assert_allclose(lag_gradients(cell, xs, draws), one_by_one, rtol=1e-9)


def test_weights_are_what_the_labels_say():
    for cell, blocks in BLOCKS.items():
        W_ih, W_hh, b_ih, b_hh = network_of(cell, 0.7, 3.0, seed=5, inputs=2)
        assert W_ih.shape == (blocks * HIDDEN, 2) and not b_hh.any()
        for block in np.split(W_hh, blocks):
            np.testing.assert_allclose(np.linalg.svd(block)[1], 0.7)
            assert np.abs(np.linalg.eigvals(block)).max() == pytest.approx(0.7)
        bias = np.zeros(blocks * HIDDEN)
        bias[HIDDEN:2 * HIDDEN] = 3.0 * (cell != "RNN")
        np.testing.assert_array_equal(b_ih, bias)
    assert not np.array_equal(network_of("RNN", seed=1)[1], network_of("RNN", seed=2)[1])


def test_sequences():
    for name in SEQUENCES:
        x = sequence_of(name, LONGEST, 3)
        assert x.shape == (LONGEST, 4 if name == "letters" else 1)
        np.testing.assert_array_equal(sequence_of(name, 5, 3), x[:5])
    assert sequence_of("impulse", 9).sum() == 1 and (sequence_of("letters", 9).sum(axis=1) == 1).all()
    assert not np.array_equal(sequence_of("noise", 9, 1), sequence_of("noise", 9, 2))


def test_without_inputs_to_disturb_it_the_gradient_goes_as_the_radius_to_the_lag():
    for radius in (0.5, 0.9, 1.0, 1.1):
        sizes = relative(lag_gradient("RNN", np.zeros((30, 1)), network_of("RNN", radius)))
        np.testing.assert_allclose(sizes, radius ** np.arange(30.0))


def test_relative_of_nothing():
    np.testing.assert_array_equal(relative(np.zeros(3)), np.zeros(3))


# The controls

@pytest.mark.usefixtures("painted")
def test_every_control_at_both_ends(home):
    seen = set()
    cases = [("RNN", 2, 0.0, 0.0, "noise"), ("RNN", LONGEST, WIDEST, 0.0, "letters"),
             ("RNN", LONGEST, 0.0, 0.0, "noise"), ("LSTM", LONGEST, WIDEST, -STRONGEST, "noise"),
             ("LSTM", 2, 0.0, STRONGEST, "letters"), ("LSTM", 9, 1.0, STRONGEST, "wave"),
             ("GRU", LONGEST, 0.0, -STRONGEST, "impulse"), ("GRU", 8, WIDEST, STRONGEST, "constant")]
    for k, (cell, length, radius, bias, sequence) in enumerate(cases):
        with home.setting_controls():
            home.cell.value, home.radius.value, home.bias.value = cell, radius, bias
            home.sequence.value, home.seed.value, home.length.value = sequence, (0, 20)[k % 2], length
            home.t.value = (1, home.t.max)[k // 2 % 2]
        home.refresh()
        text = home.alt + home._caption_text + home._goal_text
        assert home.message == "" and "nan" not in text and "inf" not in text
        assert f"step {home.t.value} of {length} framed" in home.alt and f"“{sequence}”" in home.alt
        assert home.lags[cell].shape == (length,) and home.lags[cell][0] in (0, 1)
        assert home.draws.shape == (DRAWS, length) and home.t.max == length
        assert home.bias.disabled == (cell == "RNN")
        seen.add(home.alt)
    assert len(seen) == len(cases)


def test_walking_through_time(home):
    home.length.value = 5
    assert home.t.value == 5, "at the end it stays at the end"
    home.player.reset()
    assert home.t.value == 1 and np.isfinite(home.heat.get_array()[:, 1:].filled(np.nan)).sum() == 0
    steps = 1
    while home.player.tick():
        steps += 1
    assert home.t.value == 5 and steps == 4 and not home.player.tick()
    home.t.value = 3
    home.length.value = 2
    assert home.t.value == 2 and home.message == ""
    home.length.value = 30
    assert home.t.value == 30


def test_the_table_holds_what_happens_in_the_step(home):
    for cell in BLOCKS:
        home.cell.value, home.t.value = cell, 7
        states = tuple(home.made[name][[5]] for name in STATES[cell])
        step = step_of(cell, home.x[[6]], states, network_of(cell, 1.0, 0.0, 0))
        np.testing.assert_allclose(home.table.get_array(), np.stack([step[n][0] for n in TABLES[cell]], axis=1))
    home.cell.value, home.bias.value = "LSTM", 4.0
    assert home.made["f"].mean() > 0.95 and "forget gate f is 0.9" in home._caption_text


@pytest.mark.usefixtures("painted")
def test_background_stays_while_a_slider_moves(home):
    background = home._background
    home.radius.value, home.t.value = 0.5, 20
    home.length.value = 48
    assert home._background is background
    home.cell.value = "GRU"
    assert home._background is not background


# The goal

@pytest.mark.parametrize("seed", (0, 10))
def test_no_radius_reaches_the_goal_with_the_plain_network_and_both_gated_cells_can(seed):
    def reached(cell, radius, bias):
        seeds = [(seed + k) % 21 for k in range(DRAWS)]
        sizes = lag_gradients(cell, [sequence_of("noise", 50, s) for s in seeds],
                              [network_of(cell, radius, bias, s) for s in seeds])
        return GOAL.judge(cell, "noise", np.array([relative(s) for s in sizes]))[0]

    assert not any(reached("RNN", radius, 0.0) for radius in np.arange(0.9, WIDEST + 0.01, 0.1))
    assert reached("LSTM", 0.2, 5.0) and reached("LSTM", 0.0, 5.0) and not reached("LSTM", 0.2, 0.0)
    assert reached("GRU", 1.0, 4.0) and reached("GRU", 0.5, 5.0) and not reached("GRU", 1.0, 0.0)


def test_goal_in_the_explorer(home):
    assert "○ Goal not reached yet" in home._goal_text and "0 of 10 draws" in home._goal_text
    assert "they go from 6e−5 to" in home._goal_text  # with a minus at which no line is broken
    home.cell.value, home.bias.value = "GRU", 4.0
    assert "✓ Goal reached" in home._goal_text and "10 of 10 draws" in home._goal_text
    home.length.value = 40
    assert "○" in home._goal_text and "It takes 41 steps or more" in home._goal_text
    home.length.value = 41
    assert "✓" in home._goal_text
    home.sequence.value = "impulse"
    assert "○" in home._goal_text and "“noise”" in home._goal_text


def test_other_goals():
    curves = np.array([np.geomspace(1, 1e-4, 21)] * 2)
    assert LagGoal(lag=10, low=5e-3).judge("RNN", "noise", curves)[0]
    assert not LagGoal(lag=20, low=5e-3).judge("RNN", "noise", curves)[0]
    reached, words = LagGoal(lag=10, low=5e-3, cell="GRU").judge("RNN", "noise", curves)
    assert not reached and "counts for the GRU" in words and "the GRU's gradient" in str(LagGoal(cell="GRU"))
    assert not LagGoal(lag=1, high=0.1).judge("RNN", "noise", curves)[0], "too large does not count either"


# What is given

@pytest.mark.parametrize("arguments", [
    {"cell": "rnn"}, {"sequence": "sine"}, {"length": 1}, {"length": 61}, {"radius": -0.1}, {"radius": 2.1},
    {"gate_bias": 7}, {"seed": 21}, {"sequence": [np.nan]}, {"sequence": []}, {"sequence": np.zeros((3, 9))},
    {"sequence": ["a"]}, {"step": 3}, {"step": {"rnn": rnn_step}}])
def test_wrong_arguments(arguments):
    assert_refused(RecurrenceExplorer, arguments)


# Learners' own

def test_right_steps_and_an_own_sequence():
    explorer = RecurrenceExplorer("RNN", step=STEPS, sequence=[1.0, -2.0, 0.5], length=8, goal=None)
    np.testing.assert_array_equal(explorer.x[:, 0], [1, -2, 0.5, 1, -2, 0.5, 1, -2])
    assert "Goal" not in explorer._caption.value and "“yours”" in explorer.alt
    for cell in BLOCKS:
        explorer.cell.value = cell
        assert explorer.message == "" and "the same numbers as nnlib's" in explorer._caption_text
        assert "(h: yours)" in explorer.table_title.get_text()
        weights = network_of(cell, 1.0, 0.0, 0)
        np.testing.assert_allclose(explorer.sizes[cell], lag_gradient(cell, explorer.x, weights), rtol=1e-4)


@pytest.mark.parametrize("cell, own", [
    ("RNN", lambda x, h, W, U, b: np.tanh(x @ W.T + h @ U.T + b)),
    ("RNN", lambda *a: ops.tanh(Tensor(a[0]) @ a[2].T + a[4] + a[1] @ a[3].T + a[5])),
    ("RNN", lambda x, h, W, U, b, d: [list(row) for row in rnn_step(x, h, W, U, b, d)]),
    ("RNN", lambda x, h, W, U, b, d: (rnn_step(x, h, W, U, b, d),)),
    ("LSTM", lambda x, h, c, W, U, b: lstm_step(x, h, c, W, U, b, 0.0)),
    ("LSTM", lambda x, h, c, W, U, b, d: list(lstm_step(x, h, c, W, U, b, d))),
    ("GRU", lambda x, h, W, U, b=0.0: gru_step(x, h, W, U, b, np.zeros(3 * HIDDEN)))])
def test_right_steps_in_other_styles(cell, own):
    assert step_fault(learners_step(own, cell), cell) == ""


@pytest.mark.parametrize("cell, own, words", [
    ("RNN", lambda x, h, W, U, b, d: x @ W.T + b + h @ U.T + d, "the tanh is missing"),
    ("RNN", lambda x, h, W, U, b, d: np.tanh(x @ W.T + b + d), "the state before does not enter"),
    ("RNN", lambda x, h, W, U, b, d: np.tanh(h @ U.T + b + d), "the input does not enter"),
    ("RNN", lambda x, h, W, U, b, d: np.tanh(x @ W.T + h @ U + b + d), "W_hh is transposed"),
    ("RNN", lambda x, h, W, U, b, d: np.tanh(x @ W.T + h @ U.T), "the biases are missing"),
    ("RNN", lambda x, h, W, U, b, d: np.tanh(x @ W.T + h @ U.T + b), "b_hh is missing"),
    ("RNN", lambda x, h, W, U, b, d: np.maximum(x @ W.T + b + h @ U.T + d, 0), "a ReLU stands"),
    ("RNN", lambda x, h, W, U, b, d: sigmoid(x @ W.T + b + h @ U.T + d), "a sigmoid stands"),
    ("RNN", lambda x, h, W, U, b, d: rnn_step(x, h, W, U, b, d) + h, "adds the state before once more"),
    ("RNN", lambda x, h, W, U, b, d: 2 * rnn_step(x, h, W, U, b, d), "on random numbers h of a unit"),
    ("LSTM", lambda x, h, c, *w: lstm_step(x, h, c, *w)[::-1], "it returns (c, h)"),
    ("LSTM", lambda x, h, c, *w: lstm_step(x, h, 0 * c, *w), "the forget gate is missing|on random numbers"),
    ("GRU", lambda x, h, *w: h + gru_step(x, h, *w) - gru_step(x, h, *w), "on random numbers h of a unit")])
def test_wrong_numbers_are_told(cell, own, words):
    fault = step_fault(learners_step(own, cell), cell)
    assert any(part in fault for part in words.split("|")), fault


def slips_of_the_gates(cell):
    """Steps of one slip each, with the words that name it."""
    def lstm(order="ifgo", h_of=lambda o, c, old: o * np.tanh(c), c_of=lambda i, f, g, c: f * c + i * g):
        def step(x, h, c, W_ih, W_hh, b_ih, b_hh):
            blocks = dict(zip(order, np.split(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh, 4, axis=1)))
            i, f, g, o = sigmoid(blocks["i"]), sigmoid(blocks["f"]), np.tanh(blocks["g"]), sigmoid(blocks["o"])
            new = c_of(i, f, g, c)
            return h_of(o, new, c), new
        return step

    def gru(form):
        def step(x, h, W_ih, W_hh, b_ih, b_hh):
            a, b = np.split(x @ W_ih.T + b_ih, 3, axis=1), np.split(h @ W_hh.T + b_hh, 3, axis=1)
            return form(sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1]), a[2], b[2], h, W_hh[2 * HIDDEN:], b_hh[2 * HIDDEN:])
        return step

    if cell == "LSTM":
        return [(lstm("figo"), "yours reads f, i, g, o"), (lstm("ifog"), "yours reads i, f, o, g"),
                (lstm("iofg"), "yours reads i, o, f, g"), (lstm(h_of=lambda o, c, old: o * c), "tanh is missing in h"),
                (lstm(h_of=lambda o, c, old: o * np.tanh(old)), "made of the old c"),
                (lstm(h_of=lambda o, c, old: np.tanh(c)), "output gate is missing"),
                (lstm(c_of=lambda i, f, g, c: f * c), "i g is missing"),
                (lstm(c_of=lambda i, f, g, c: c + i * g), "forget gate is missing"),
                (lstm(c_of=lambda i, f, g, c: f * c + g), "input gate is missing")]
    return [(gru(lambda r, z, a, b, h, U, d: z * np.tanh(a + r * b) + (1 - z) * h), "z and 1 − z are exchanged"),
            (gru(lambda r, z, a, b, h, U, d: (1 - z) * np.tanh(a + (r * h) @ U.T + d) + z * h), "before W_hh"),
            (gru(lambda r, z, a, b, h, U, d: (1 - r) * np.tanh(a + z * b) + r * h), "yours reads z, r, n"),
            (gru(lambda r, z, a, b, h, U, d: (1 - z) * np.tanh(a + b) + z * h), "reset gate r is missing"),
            (gru(lambda r, z, a, b, h, U, d: np.tanh(a + r * b)), "update gate z is missing"),
            (gru(lambda r, z, a, b, h, U, d: (1 - z) * (a + r * b) + z * h), "tanh of n is missing")]


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_slips_of_the_gates_are_told(cell):
    for own, words in slips_of_the_gates(cell):
        assert words in step_fault(learners_step(own, cell), cell)


@pytest.mark.parametrize("cell, own, words", [
    ("RNN", lambda x, h, W, U, b, d: None, "is there a return"),
    ("RNN", lambda x, h, W, U, b, d: rnn_step(x, h, W, U, b, d).T, "examples are rows"),
    ("RNN", lambda x, h, W, U, b, d: rnn_step(x, h, W, U, b, d)[0], "keep the batch axis"),
    ("RNN", lambda x, h, W, U, b, d: rnn_step(x, h, W, U, b, d) * np.nan, "finite"),
    ("RNN", lambda x, h, W, U, b, d: W @ x + U @ h, "raised ValueError"),
    ("RNN", lambda x, h: h, "takes 2 arguments; it is called as rnn_step(x, h, W_ih, W_hh, b_ih, b_hh)"),
    ("RNN", lambda x, h, W, U, b, d: "h", "expected an array"),
    ("LSTM", lambda x, h, c, W, U, b, d: h, "expected the pair (h, c)"),
    ("LSTM", lambda x, h, c, W, U, b, d: None, "is there a return"),
    ("LSTM", lambda x, h, c, W, U, b, d: (x @ W.T + h @ U.T, c), "split the scores into one block for each gate"),
    ("GRU", lambda x, h, W, U, b, d: x @ W.T + h @ U.T, "split the scores")])
def test_wrong_shapes_and_exceptions_are_told(cell, own, words):
    with pytest.raises(LearnerError) as caught:
        run(cell, sequence_of("noise", 3), network_of(cell), learners_step(own, cell))
    assert words in str(caught.value)


@pytest.mark.usefixtures("painted")
def test_a_step_that_stops_is_a_message_and_a_wrong_one_reaches_no_goal():
    explorer = RecurrenceExplorer("RNN", gate_bias=4.0, step={"RNN": lambda x, h, W, U, b, d: W @ x,
                                                              "GRU": lambda x, h, *w: 0.9 * gru_step(x, h, *w)})
    assert "raised ValueError" in explorer.message and explorer.picture
    explorer.cell.value = "GRU"
    assert explorer.message == "" and "GRU unrolled" in explorer.alt
    assert "○" in explorer._goal_text and "on random numbers" in explorer._caption_text + explorer.alt


def test_a_step_that_changes_its_arguments_spoils_nothing():
    def own(x, h, W_ih, W_hh, b_ih, b_hh):
        after = rnn_step(x, h, W_ih, W_hh, b_ih, b_hh)
        x[...], h[...], W_hh[...] = 0, 0, 0
        return after

    weights, x = network_of("RNN"), sequence_of("noise", 6)
    np.testing.assert_allclose(run("RNN", x, weights, learners_step(own, "RNN"))["h"], run("RNN", x, weights)["h"])
