"""ex15, skip connections and recurrence: the questions of solutions/ex15_skip_connections_and_recurrence.

Examples are rows; gates stand in blocks of rows of the weights, LSTM: i, f, g, o, GRU: r, z, n, as in `nnlib`.
"""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex15_skip_connections_and_recurrence"


def relu(z):
    return np.maximum(z, 0)


def sigmoid(z):
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(z, dtype=float)))


def in_float32(function):
    def answer(*args):
        result = function(*args)
        return tuple(np.float32(part) for part in result) if isinstance(result, tuple) else np.float32(result)
    return answer


def as_lists(function):
    def answer(*args):
        result = function(*args)
        return [part.tolist() for part in result] if isinstance(result, tuple) else result.tolist()
    return answer


def example_by_example(function, rows):
    """The same answer, one example after the other; the first `rows` arguments have an example in each row."""
    def answer(*args):
        results = [function(*(a[n:n + 1] for a in args[:rows]), *args[rows:]) for n in range(len(args[0]))]
        if isinstance(results[0], tuple):
            return tuple(np.concatenate(parts) for parts in zip(*results, strict=True))
        return np.concatenate(results)
    return answer


TRANSPOSED = "Two of your shapes do not fit. Examples are rows here, so a layer is `x @ W.T`, with the transposed W."
IN_PLACE = "The numbers are right, but you change the caller's array. Make a new one instead of using +=, *= or [...]."


# 1 residual_block

def residual_block(x, W1, W2):
    return x + relu(x @ W1.T) @ W2.T


def block_in_place(x, W1, W2):
    x += relu(x @ W1.T) @ W2.T
    return x


def block_by_loops(x, W1, W2):
    rows = []
    for row in np.asarray(x).tolist():
        hidden = [max(0.0, sum(w * v for w, v in zip(weights, row, strict=True))) for weights in W1]
        rows.append([v + sum(w * a for w, a in zip(weights, hidden, strict=True))
                     for v, weights in zip(row, W2, strict=True)])
    return rows


def block_arguments(rng, batch=5, features=3, hidden=4):
    return rng.normal(size=(batch, features)), rng.normal(size=(hidden, features)), rng.normal(size=(features, hidden))


def in_a_row(block, x, weights):
    """Several blocks, one after the other."""
    for W1, W2 in weights:
        x = np.array(block(x, W1, W2), dtype=float)
    return x


def row_arguments(rng):
    x = rng.normal(size=(4, 3))
    return x, [(rng.normal(size=(6, 3)), rng.normal(size=(3, 6)) / 4) for _ in range(3)]


RESIDUAL_BLOCK = Exercise(
    "residual_block", 2, residual_block,
    forbidden=("nnlib.Residual",),
    cases=[
        Case("one example you can verify by hand",
             lambda rng: (np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, -1.0]]),
                          np.array([[2.0, 1.0], [0.0, 3.0]])),
             hint="The scores are (1, -2), the ReLU leaves (1, 0), W2 makes (2, 0) of it, and x is added."),
        Case("five examples, a wider hidden layer", block_arguments,
             hint="Three parts: the scores x @ W1.T, their ReLU times W2.T, and x added at the end."),
        Case("a narrow hidden layer", lambda rng: block_arguments(rng, 4, 5, 2),
             hint="The two shapes of the weights differ: W1 is (hidden, features), W2 is (features, hidden)."),
        Case("three blocks, one after the other", row_arguments, call=in_a_row,
             hint="What a block returns is what the next one gets: the whole sum."),
    ],
    misconceptions=[
        Misconception("no way around", lambda x, W1, W2: relu(x @ W1.T) @ W2.T,
                      "This is a plain block: x itself is not added. What makes it residual?"),
        Misconception("x alone", lambda x, W1, W2: x + 0.0,
                      "You return x. The block adds W2 relu(W1 x) to it."),
        Misconception("a ReLU behind the plus", lambda x, W1, W2: relu(residual_block(x, W1, W2)),
                      "You take the ReLU of the sum, so no output is negative, and the way around is blocked where it "
                      "is. The ReLU stands between W1 and W2 only."),
        Misconception("a ReLU on both layers", lambda x, W1, W2: x + relu(relu(x @ W1.T) @ W2.T),
                      "There is a second ReLU, behind W2. So the block could only ever add, never take away."),
        Misconception("no ReLU", lambda x, W1, W2: x + x @ W1.T @ W2.T,
                      "Without the ReLU the two layers are one linear layer (chapter 07)."),
        Misconception("the ReLU too late", lambda x, W1, W2: x + relu(x @ W1.T @ W2.T),
                      "Your ReLU comes behind W2. It belongs between the two layers, on the scores of W1."),
        Misconception("tanh for ReLU", lambda x, W1, W2: x + np.tanh(x @ W1.T) @ W2.T,
                      "You squash with tanh. The question asks for the ReLU, np.maximum(z, 0)."),
        Misconception("the ReLU of x", lambda x, W1, W2: x + relu(x) @ W1.T @ W2.T,
                      "You take the ReLU of x, before W1. It is the scores, x @ W1.T, that it cuts."),
        Misconception("the ReLU on the way around", lambda x, W1, W2: relu(x) + relu(x @ W1.T) @ W2.T,
                      "You add relu(x). On the way around nothing must happen to x, or the gradient does not arrive "
                      "whole."),
        Misconception("the mean of both ways", lambda x, W1, W2: residual_block(x, W1, W2) / 2,
                      "You average the two ways. They are added: x counts whole."),
        Misconception("subtracted", lambda x, W1, W2: x - relu(x @ W1.T) @ W2.T,
                      "You subtract what the layers give. They learn what to *add*."),
        Misconception("the difference the other way", lambda x, W1, W2: relu(x @ W1.T) @ W2.T - x,
                      "You subtract x from what the layers give. It is added."),
        Misconception("a product for the sum", lambda x, W1, W2: x * (relu(x @ W1.T) @ W2.T),
                      "You multiply the two ways. A plus joins them; a product would scale every gradient."),
        Misconception("weights exchanged", lambda x, W1, W2: x + relu(x @ W2) @ W1,
                      "You use W2 first. x goes through W1, (hidden, features), then through W2, (features, hidden)."),
        Misconception("not transposed", lambda x, W1, W2: x + relu(x @ W1) @ W2, TRANSPOSED),
        Misconception("in place", block_in_place, IN_PLACE),
    ],
    alternatives=[block_by_loops, in_float32(residual_block), example_by_example(residual_block, 1),
                  lambda x, W1, W2: np.add((W2 @ np.where(W1 @ x.T > 0, W1 @ x.T, 0)).T, x)])


# 2 rnn_step

def rnn_step(x, h, W_ih, W_hh, b):
    return np.tanh(x @ W_ih.T + h @ W_hh.T + b)


def rnn_by_loops(x, h, W_ih, W_hh, b):
    new = np.zeros(np.shape(h))
    for n in range(len(h)):
        for j in range(len(b)):
            score = b[j]
            for k in range(len(x[n])):
                score = score + W_ih[j][k] * x[n][k]
            for k in range(len(h[n])):
                score = score + W_hh[j][k] * h[n][k]
            new[n, j] = np.tanh(score)
    return new


def rnn_in_place(x, h, W_ih, W_hh, b):
    h[:] = rnn_step(x, h, W_ih, W_hh, b)
    return h


def cell_arguments(rng, blocks, states=1, batch=5, inputs=3, hidden=4, biases=1):
    """x, the states, W_ih, W_hh and the biases of a cell with so many blocks."""
    rows = blocks * hidden
    return (rng.normal(size=(batch, inputs)), *(rng.uniform(-1, 1, size=(states, batch, hidden))),
            rng.normal(size=(rows, inputs)), rng.normal(size=(rows, hidden)), *rng.normal(size=(biases, rows)))


def through_time(states):
    """Drives a step through a sequence: `call` of a case whose arguments are X (steps, batch, inputs), the states, and
    the parameters. Gives the states after every step."""
    def call(step, X, *rest):
        kept, parameters, seen = rest[:states], rest[states:], []
        for x in X:
            result = step(x, *(state.copy() for state in kept), *parameters)
            kept = [np.array(part, dtype=float) for part in (result if states > 1 else [result])]
            seen.append(list(kept))
        return seen
    return call


def sequence_arguments(rng, blocks, states=1, biases=1):
    _, *rest = cell_arguments(rng, blocks, states, 2, 3, 4, biases)
    return rng.normal(size=(4, 2, 3)), *rest


NEXT_STATE = "The state that you return is the one that the next step gets: return the new one, in the shape of h."
RNN_STEP = Exercise(
    "rnn_step", 2, rnn_step,
    forbidden=("nnlib.rnn", "nnlib.RNN", "nnlib.RNNCell"),
    cases=[
        Case("one unit you can verify by hand",
             lambda rng: (np.array([[1.0]]), np.array([[0.5]]), np.array([[1.0]]), np.array([[-0.5]]),
                          np.array([0.25])),
             hint="The three terms are 1, -0.25 and 0.25, their sum is 1, and tanh 1 is 0.7616."),
        Case("five examples, four units", lambda rng: cell_arguments(rng, 1),
             hint="Three terms are added, of x, of h and of b; then the tanh of all."),
        Case("two examples, two units, six inputs", lambda rng: cell_arguments(rng, 1, 1, 2, 6, 2),
             hint="W_ih is (hidden, inputs), W_hh is (hidden, hidden); both are used transposed."),
        Case("four steps, one after the other", lambda rng: sequence_arguments(rng, 1), call=through_time(1),
             hint=NEXT_STATE),
    ],
    misconceptions=[
        Misconception("no tanh", lambda x, h, W_ih, W_hh, b: x @ W_ih.T + h @ W_hh.T + b,
                      "These are the scores. The new state is their tanh."),
        Misconception("no memory", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + b) + 0 * h,
                      "The old state h is not used, so the cell remembers nothing. Add h @ W_hh.T."),
        Misconception("no input", lambda x, h, W_ih, W_hh, b: np.tanh(h @ W_hh.T + b),
                      "The input x is not used. Add x @ W_ih.T."),
        Misconception("no bias", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h @ W_hh.T),
                      "The bias b is missing from the scores."),
        Misconception("the bias outside", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h @ W_hh.T) + b,
                      "You add b to the tanh. It belongs to the scores, inside."),
        Misconception("W_hh not transposed", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h @ W_hh + b),
                      "W_hh is square, so h @ W_hh runs without an error, and mixes the units up: it is h @ W_hh.T."),
        Misconception("h without its weights", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h + b),
                      "You add h as it is. The units hear one another through W_hh."),
        Misconception("h added outside", lambda x, h, W_ih, W_hh, b: h + rnn_step(x, h, W_ih, W_hh, b),
                      "You add the new state to the old one. In a plain cell it replaces it (LSTM and GRU keep some)."),
        Misconception("W_hh by elements", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h * np.diag(W_hh) + b),
                      "Each of your units hears only itself: you multiply by elements. It is a matrix product."),
        Misconception("two squashes", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + b) + np.tanh(h @ W_hh.T),
                      "You squash input and memory apart and add them. There is one tanh, of their sum."),
        Misconception("two squashes, and the bias outside",
                      lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T) + np.tanh(h @ W_hh.T) + b,
                      "Your three terms are added after the tanh. Add them first: one tanh of their sum."),
        Misconception("the bias twice", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + h @ W_hh.T + 2 * b),
                      "You add b twice, to the part of x and to that of h. Here the two share one bias."),
        Misconception("nested", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih.T + np.tanh(h @ W_hh.T) + b),
                      "There is a tanh too many around h @ W_hh.T: h has been squashed in the step before."),
        Misconception("a sigmoid", lambda x, h, W_ih, W_hh, b: sigmoid(x @ W_ih.T + h @ W_hh.T + b),
                      "Your states lie between 0 and 1: that is the sigmoid. The cell of this question has tanh."),
        Misconception("a ReLU", lambda x, h, W_ih, W_hh, b: relu(x @ W_ih.T + h @ W_hh.T + b),
                      "You cut with a ReLU. The cell of this question squashes with tanh."),
        Misconception("not transposed", lambda x, h, W_ih, W_hh, b: np.tanh(x @ W_ih + h @ W_hh + b), TRANSPOSED),
        Misconception("a pair", lambda x, h, W_ih, W_hh, b: (rnn_step(x, h, W_ih, W_hh, b),) * 2,
                      "You return two things. A plain cell has one state, which is also its output: return h alone."),
        Misconception("in place", rnn_in_place, IN_PLACE),
    ],
    alternatives=[rnn_by_loops, in_float32(rnn_step), as_lists(rnn_step), example_by_example(rnn_step, 2),
                  lambda x, h, W_ih, W_hh, b: np.tanh(np.hstack([x, h]) @ np.hstack([W_ih, W_hh]).T + b)])


# 3 lstm_step

def lstm_step(x, h, c, W_ih, W_hh, b):
    i, f, g, o = np.split(x @ W_ih.T + h @ W_hh.T + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def lstm(order=(0, 1, 2, 3), scores=lambda x, h, W_ih, W_hh, b: x @ W_ih.T + h @ W_hh.T + b,
         gates=lambda i, f, g, o: (sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)),
         write=lambda c, i, f, g, o: f * c + i * g, show=lambda o, c, old: o * np.tanh(c),
         give=lambda h, c, old: (h, c)):
    """An LSTM's step; with the defaults it is `lstm_step`."""
    def step(x, h, c, W_ih, W_hh, b):
        blocks = np.split(scores(x, h, W_ih, W_hh, b), 4, axis=1)
        i, f, g, o = gates(*(blocks[k] for k in order))
        new = write(c, i, f, g, o)
        return give(show(o, new, c), new, c)
    return step


def lstm_by_loops(x, h, c, W_ih, W_hh, b):
    size = len(h[0])
    new_h, new_c = np.zeros((2, len(h), size))
    for n in range(len(h)):
        for j in range(size):
            i, f, g, o = (b[k * size + j] + np.dot(W_ih[k * size + j], x[n]) + np.dot(W_hh[k * size + j], h[n])
                          for k in range(4))
            new_c[n, j] = c[n, j] / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            new_h[n, j] = np.tanh(new_c[n, j]) / (1 + np.exp(-o))
    return new_h, new_c


def lstm_by_slices(x, h, c, W_ih, W_hh, b):
    n = c.shape[1]
    gate = [x @ W_ih[k * n:(k + 1) * n].T + h @ W_hh[k * n:(k + 1) * n].T + b[k * n:(k + 1) * n] for k in range(4)]
    c = c / (1 + np.exp(-gate[1])) + np.tanh(gate[2]) / (1 + np.exp(-gate[0]))
    return [np.tanh(c) / (1 + np.exp(-gate[3])), c]


def interleaved(x, h, c, W_ih, W_hh, b):
    rows = np.arange(len(b)).reshape(-1, 4).T.ravel()
    return lstm_step(x, h, c, W_ih[rows], W_hh[rows], b[rows])


def lstm_in_place(x, h, c, W_ih, W_hh, b):
    h[:], c[:] = lstm_step(x, h, c, W_ih, W_hh, b)
    return h, c


LSTM_STEP = Exercise(
    "lstm_step", 4, lstm_step,
    forbidden=("nnlib.lstm", "nnlib.LSTM", "nnlib.LSTMCell"),
    cases=[
        Case("one unit you can verify by hand",
             lambda rng: (np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), np.zeros((4, 1)), np.zeros((4, 1)),
                          np.array([0.0, 0.0, 0.5493061443340549, 0.0])),
             hint="The gates i, f and o are 0.5 and the candidate is 0.5, too: c = 0.5 * 1 + 0.5 * 0.5, then "
                  "h = 0.5 * tanh(c). Print yours, one after the other."),
        Case("five examples, four units", lambda rng: cell_arguments(rng, 4, 2),
             hint="First the scores, in four blocks of columns: i, f, g, o; np.split(scores, 4, axis=1) parts them."),
        Case("two examples, six inputs, three units", lambda rng: cell_arguments(rng, 4, 2, 2, 6, 3),
             hint="The blocks are as wide as the state: c.shape[1] columns each."),
        Case("four steps, one after the other", lambda rng: sequence_arguments(rng, 4, 2), call=through_time(2),
             hint="Both new states go to the next step: return h, then c."),
    ],
    misconceptions=[
        Misconception("the order i, f, o, g", lstm(order=(0, 1, 3, 2)),
                      "You take the third block for o and the fourth for g. The order is i, f, g, o."),
        Misconception("the order i, g, f, o", lstm(order=(0, 2, 1, 3)),
                      "You take the second block for g and the third for f. The order is i, f, g, o."),
        Misconception("the order f, i, g, o", lstm(order=(1, 0, 2, 3)),
                      "You take the first block for f and the second for i. The order is i, f, g, o."),
        Misconception("tanh is missing at g", lstm(gates=lambda i, f, g, o: (sigmoid(i), sigmoid(f), g, sigmoid(o))),
                      "What you write is the bare score g. The candidate is its tanh."),
        Misconception("a sigmoid at g",
                      lstm(gates=lambda i, f, g, o: (sigmoid(i), sigmoid(f), sigmoid(g), sigmoid(o))),
                      "All four of your blocks go through a sigmoid, so nothing negative is ever written. g is a "
                      "value, not a gate: tanh."),
        Misconception("tanh at all", lstm(gates=lambda i, f, g, o: tuple(map(np.tanh, (i, f, g, o)))),
                      "Your gates go through tanh, and may be negative. i, f and o are shares: sigmoid."),
        Misconception("gates not squashed", lstm(gates=lambda i, f, g, o: (i, f, np.tanh(g), o)),
                      "Your gates are bare scores. i, f and o must lie between 0 and 1: sigmoid."),
        Misconception("the input gate not squashed",
                      lstm(gates=lambda i, f, g, o: (i, sigmoid(f), np.tanh(g), sigmoid(o))),
                      "You multiply by the bare score i. The input gate is its sigmoid."),
        Misconception("the output gate not squashed",
                      lstm(gates=lambda i, f, g, o: (sigmoid(i), sigmoid(f), np.tanh(g), o)),
                      "You multiply by the bare score o. The output gate is its sigmoid."),
        Misconception("tanh at the output gate",
                      lstm(gates=lambda i, f, g, o: (sigmoid(i), sigmoid(f), np.tanh(g), np.tanh(o))),
                      "Your output gate goes through tanh. It is a share, from 0 to 1: sigmoid."),
        Misconception("keeps h in place of c",
                      lambda x, h, c, W_ih, W_hh, b: lstm(write=lambda old, i, f, g, o: f * h + i * g)(
                          x, h, c, W_ih, W_hh, b),
                      "You multiply f with the old h. What the cell keeps is the old c."),
        Misconception("split along the examples",
                      lambda x, h, c, W_ih, W_hh, b: np.split(x @ W_ih.T + h @ W_hh.T + b, 4),
                      "np.split cuts along the examples unless you say otherwise. The blocks are columns: axis=1."),
        Misconception("a pair in the pair", lstm(give=lambda h, c, old: (h, (h, c))),
                      "You return h and then the pair, as a whole layer does. A step returns two arrays: h, c."),
        Misconception("forgets by f", lstm(write=lambda c, i, f, g, o: (1 - f) * c + i * g),
                      "Your cell keeps 1 - f. The forget gate, in spite of its name, is the share that is *kept*."),
        Misconception("gates coupled", lstm(write=lambda c, i, f, g, o: f * c + (1 - f) * g),
                      "You write with 1 - f. That is how a GRU does it; the LSTM has a gate of its own for it, i."),
        Misconception("forgets all", lstm(write=lambda c, i, f, g, o: i * g + 0 * c),
                      "The old c is lost: it comes in with the share f."),
        Misconception("keeps all", lstm(write=lambda c, i, f, g, o: c + i * g),
                      "Your cell never forgets: the old c must be multiplied by f."),
        Misconception("writes all", lstm(write=lambda c, i, f, g, o: f * c + g),
                      "You write all of g. The input gate i says how much of it."),
        Misconception("f on both", lstm(write=lambda c, i, f, g, o: f * (c + i * g)),
                      "f multiplies what is written, too. It belongs to the old c only: mind the brackets."),
        Misconception("h without tanh", lstm(show=lambda o, c, old: o * c),
                      "You show o * c. The state c may be large; what is shown is its tanh: o * tanh(c)."),
        Misconception("o inside the tanh", lstm(show=lambda o, c, old: np.tanh(o * c)),
                      "You squash o * c. The gate stands outside: o * tanh(c)."),
        Misconception("shows the old c", lstm(show=lambda o, c, old: o * np.tanh(old)),
                      "Your h is made of the c from before the step. First the new c, then h from it."),
        Misconception("shows all", lstm(show=lambda o, c, old: np.tanh(c)),
                      "The output gate o is not used: h = o * tanh(c)."),
        Misconception("c is squashed, too", lstm(write=lambda c, i, f, g, o: np.tanh(f * c + i * g),
                                                 show=lambda o, c, old: o * c),
                      "You keep tanh(c) as the state. Then every step squashes it again; c itself is carried on "
                      "without tanh."),
        Misconception("c is shown and kept", lstm(give=lambda h, c, old: (h, h)),
                      "You return h for c. The two states are different: c goes on unseen."),
        Misconception("keeps the old c", lstm(give=lambda h, c, old: (h, old)),
                      "Your h is right, but you return the c that you got. The next step would know nothing of this "
                      "one."),
        Misconception("c first", lstm(give=lambda h, c, old: (c, h)),
                      "You return c first. The order is h, c, as in nnlib and PyTorch."),
        Misconception("h alone", lstm(give=lambda h, c, old: h),
                      "You return h alone. The next step needs c, too: `return h, c`."),
        Misconception("no bias", lstm(scores=lambda x, h, W_ih, W_hh, b: x @ W_ih.T + h @ W_hh.T),
                      "The bias b is missing from the scores, and with it what opens the forget gate."),
        Misconception("no memory h", lstm(scores=lambda x, h, W_ih, W_hh, b: x @ W_ih.T + b),
                      "The scores do not depend on h. Add h @ W_hh.T."),
        Misconception("W_hh by rows", lstm(scores=lambda x, h, W_ih, W_hh, b: x @ W_ih.T + b + np.hstack(
                          [h @ block for block in np.split(W_hh, 4)])),
                      "You part W_hh into four square blocks and forget to transpose them: h @ block.T each."),
        Misconception("gates interleaved", interleaved,
                      "You take every fourth column for a gate. The gates stand in blocks, one behind the other: the "
                      "first c.shape[1] columns are i."),
        Misconception("not transposed", lstm(scores=lambda x, h, W_ih, W_hh, b: x @ W_ih + h @ W_hh + b), TRANSPOSED),
        Misconception("in place", lstm_in_place, IN_PLACE),
    ],
    alternatives=[lstm_by_loops, lstm_by_slices, in_float32(lstm_step), as_lists(lstm_step),
                  example_by_example(lstm_step, 3)])


# 4 gru_step

def gru_step(x, h, W_ih, W_hh, b_ih, b_hh):
    r_x, z_x, n_x = np.split(x @ W_ih.T + b_ih, 3, axis=1)
    r_h, z_h, n_h = np.split(h @ W_hh.T + b_hh, 3, axis=1)
    r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
    n = np.tanh(n_x + r * n_h)
    return (1 - z) * n + z * h


def gru(order=(0, 1, 2), by_state=lambda h, W_hh, b_hh: h @ W_hh.T + b_hh,
        by_input=lambda x, W_ih, b_ih: x @ W_ih.T + b_ih, gate=sigmoid,
        candidate=lambda n_x, n_h, r: np.tanh(n_x + r * n_h), mix=lambda z, n, h: (1 - z) * n + z * h):
    """A GRU's step; with the defaults it is `gru_step`."""
    def step(x, h, W_ih, W_hh, b_ih, b_hh):
        inputs, states = (np.split(a, 3, axis=1) for a in (by_input(x, W_ih, b_ih), by_state(h, W_hh, b_hh)))
        (r_x, z_x, n_x), (r_h, z_h, n_h) = ([a[k] for k in order] for a in (inputs, states))
        return mix(gate(z_x + z_h), candidate(n_x, n_h, gate(r_x + r_h)), h)
    return step


def reset_first(x, h, W_ih, W_hh, b_ih, b_hh):
    size = h.shape[1]
    r, z = np.split(sigmoid((x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)[:, :2 * size]), 2, axis=1)
    n = np.tanh(x @ W_ih[2 * size:].T + b_ih[2 * size:] + (r * h) @ W_hh[2 * size:].T + b_hh[2 * size:])
    return (1 - z) * n + z * h


def bias_outside(x, h, W_ih, W_hh, b_ih, b_hh):
    keep = np.concatenate([b_hh[:2 * h.shape[1]], 0 * b_hh[2 * h.shape[1]:]])
    return gru_step(x, h, W_ih, W_hh, b_ih + b_hh - keep, keep)


def all_biases_inside(x, h, W_ih, W_hh, b_ih, b_hh):
    keep = np.concatenate([b_ih[:2 * h.shape[1]], 0 * b_ih[2 * h.shape[1]:]])
    return gru_step(x, h, W_ih, W_hh, keep, b_hh + b_ih - keep)


def gru_in_place(x, h, W_ih, W_hh, b_ih, b_hh):
    h[:] = gru_step(x, h, W_ih, W_hh, b_ih, b_hh)
    return h


def gru_by_loops(x, h, W_ih, W_hh, b_ih, b_hh):
    size = len(h[0])
    new = []
    for one, state in zip(x, h, strict=True):
        from_x = [sum(w * v for w, v in zip(W_ih[k], one, strict=True)) + b_ih[k] for k in range(3 * size)]
        from_h = [sum(w * v for w, v in zip(W_hh[k], state, strict=True)) + b_hh[k] for k in range(3 * size)]
        row = []
        for j in range(size):
            r = 1 / (1 + np.exp(-from_x[j] - from_h[j]))
            z = 1 / (1 + np.exp(-from_x[size + j] - from_h[size + j]))
            n = np.tanh(from_x[2 * size + j] + r * from_h[2 * size + j])
            row.append(n + z * (state[j] - n))
        new.append(row)
    return new


GRU_STEP = Exercise(
    "gru_step", 3, gru_step,
    forbidden=("nnlib.gru", "nnlib.GRU", "nnlib.GRUCell"),
    cases=[
        Case("one unit you can verify by hand",
             lambda rng: (np.zeros((1, 1)), np.ones((1, 1)), np.zeros((3, 1)), np.zeros((3, 1)),
                          np.array([0.0, 1.0986122886681098, 0.0]), np.array([0.0, 0.0, 1.0986122886681098])),
             hint="r is 0.5, z is 0.75 and n is 0.5. Print yours: the first that differs shows where to look."),
        Case("five examples, four units", lambda rng: cell_arguments(rng, 3, 1, biases=2),
             hint="Part the scores of x and those of h into three blocks each, r, z, n: in n they are not simply "
                  "added."),
        Case("two examples, six inputs, three units", lambda rng: cell_arguments(rng, 3, 1, 2, 6, 3, 2),
             hint="The blocks are as wide as the state: h.shape[1] columns each."),
        Case("four steps, one after the other", lambda rng: sequence_arguments(rng, 3, 1, 2), call=through_time(1),
             hint=NEXT_STATE),
    ],
    misconceptions=[
        Misconception("z and 1 - z exchanged", gru(mix=lambda z, n, h: z * n + (1 - z) * h),
                      "You keep 1 - z of the old state. So do some books; here z is the share that *stays*."),
        Misconception("the order z, r, n", gru(order=(1, 0, 2)),
                      "You take the first block for z and the second for r. The order is r, z, n."),
        Misconception("the order n, r, z", gru(order=(1, 2, 0)),
                      "You take the first block for n. The order is r, z, n."),
        Misconception("the reset before the product", reset_first,
                      "You multiply h by r before the product with W_hh: the form of the first paper. Here, as in "
                      "nnlib and PyTorch, r multiplies the finished third block of h @ W_hh.T + b_hh."),
        Misconception("the bias outside of r", bias_outside,
                      "In n you add b_hh outside. r multiplies the third block of h @ W_hh.T + b_hh, bias and all."),
        Misconception("all biases inside of r", all_biases_inside,
                      "In n your r also multiplies b_ih. That bias belongs to the input, outside."),
        Misconception("no reset gate", gru(candidate=lambda n_x, n_h, r: np.tanh(n_x + n_h)),
                      "The reset gate r is not used. In n it multiplies what comes from the state."),
        Misconception("r on the input", gru(candidate=lambda n_x, n_h, r: np.tanh(r * n_x + n_h)),
                      "r multiplies what comes from x. It says how much of the *old state* the candidate sees."),
        Misconception("r on both", gru(candidate=lambda n_x, n_h, r: np.tanh(r * (n_x + n_h))),
                      "r multiplies all of the score of n. It belongs to the part from the state only."),
        Misconception("r outside the tanh", gru(candidate=lambda n_x, n_h, r: r * np.tanh(n_x + n_h)),
                      "r multiplies the finished tanh. It acts inside, on the part from the state."),
        Misconception("no tanh", gru(candidate=lambda n_x, n_h, r: n_x + r * n_h),
                      "The candidate is a bare score: take its tanh."),
        Misconception("a sigmoid for n", gru(candidate=lambda n_x, n_h, r: sigmoid(n_x + r * n_h)),
                      "Your candidate lies between 0 and 1. n is a value, not a gate: tanh."),
        Misconception("tanh for the gates", gru(gate=np.tanh),
                      "Your gates go through tanh, and may be negative. r and z are shares: sigmoid."),
        Misconception("gates not squashed", gru(gate=lambda z: z),
                      "Your gates are bare scores. r and z must lie between 0 and 1: sigmoid."),
        Misconception("the part from the state is kept",
                      lambda x, h, W_ih, W_hh, b_ih, b_hh: gru(mix=lambda z, n, old: (1 - z) * n + z * np.split(
                          old @ W_hh.T + b_hh, 3, axis=1)[2])(x, h, W_ih, W_hh, b_ih, b_hh),
                      "You keep z times the score n_h. What stays is the old state itself, z h."),
        Misconception("split along the examples", lambda x, h, W_ih, W_hh, b_ih, b_hh: np.split(x @ W_ih.T + b_ih, 3),
                      "np.split cuts along the examples unless you say otherwise. Blocks are columns: axis=1."),
        Misconception("only the candidate", gru(mix=lambda z, n, h: n),
                      "You return the candidate n. The new state mixes it with the old one: (1 - z) n + z h."),
        Misconception("nothing is given up", gru(mix=lambda z, n, h: n + z * h),
                      "You add all of n. Old and new share the place: (1 - z) n + z h."),
        Misconception("the state is not kept", gru(mix=lambda z, n, h: (1 - z) * n),
                      "The part z h of the old state is missing."),
        Misconception("z and r exchanged at the end", gru(
                          candidate=lambda n_x, n_h, r: (np.tanh(n_x + r * n_h), r),
                          mix=lambda z, n, h: (1 - n[1]) * n[0] + n[1] * h),
                      "You mix old and new by r. It is the update gate z that decides how much stays."),
        Misconception("no bias of the state", gru(by_state=lambda h, W_hh, b_hh: h @ W_hh.T),
                      "b_hh is not used. It is added to h @ W_hh.T, in all three blocks."),
        Misconception("no bias of the input", gru(by_input=lambda x, W_ih, b_ih: x @ W_ih.T),
                      "b_ih is not used. It is added to x @ W_ih.T, in all three blocks."),
        Misconception("W_hh by rows", gru(by_state=lambda h, W_hh, b_hh: b_hh + np.hstack(
                          [h @ block for block in np.split(W_hh, 3)])),
                      "You part W_hh into three square blocks and forget to transpose them: h @ block.T each."),
        Misconception("not transposed", gru(by_input=lambda x, W_ih, b_ih: x @ W_ih + b_ih), TRANSPOSED),
        Misconception("in place", gru_in_place, IN_PLACE),
    ],
    alternatives=[gru_by_loops, in_float32(gru_step), as_lists(gru_step), example_by_example(gru_step, 2)])


# 5 bptt_gradient

def bptt_gradient(X, h0, W_ih, W_hh, b, G):
    h = [h0]
    for x in X:
        h.append(rnn_step(x, h[-1], W_ih, W_hh, b))
    dW_ih, dW_hh, db, carry = np.zeros_like(W_ih), np.zeros_like(W_hh), np.zeros_like(b), np.zeros_like(h0)
    for t in reversed(range(len(X))):
        delta = (G[t] + carry) * (1 - h[t + 1] ** 2)
        dW_ih = dW_ih + delta.T @ X[t]
        dW_hh = dW_hh + delta.T @ h[t]
        db = db + delta.sum(axis=0)
        carry = delta @ W_hh
    return dW_ih, dW_hh, db


def bptt(slope=lambda h, old: 1 - h ** 2, blame=lambda g, carry, slope: (g + carry) * slope,
         back=lambda delta, W_hh: delta @ W_hh, memory=lambda h, t: h[t], start=lambda h0: h0,
         total=lambda parts: sum(parts), order=lambda steps: reversed(steps), give=lambda *parts: parts):
    """Backpropagation through time; with the defaults it is `bptt_gradient`."""
    def gradient(X, h0, W_ih, W_hh, b, G):
        h = [start(h0)]
        for x in X:
            h.append(rnn_step(x, h[-1], W_ih, W_hh, b))
        parts, carry = [], np.zeros_like(h0)
        for t in order(range(len(X))):
            delta = blame(G[t], carry, slope(h[t + 1], h[t]))
            parts.append((delta.T @ X[t], delta.T @ memory(h, t), delta.sum(axis=0)))
            carry = back(delta, W_hh)
        return give(*(total(list(column)) for column in zip(*parts, strict=True)))
    return gradient


def by_all_products(X, h0, W_ih, W_hh, b, G):
    """The sum over all pairs of a step and a later output, example by example."""
    h = [np.asarray(h0, dtype=float)]
    for x in X:
        h.append(np.tanh(x @ W_ih.T + h[-1] @ W_hh.T + b))
    dW_ih, dW_hh, db = np.zeros(W_ih.shape), np.zeros(W_hh.shape), np.zeros(b.shape)
    for n in range(len(h0)):
        for last in range(len(X)):
            delta = G[last][n] * (1 - h[last + 1][n] ** 2)
            for t in range(last, -1, -1):
                dW_ih += np.outer(delta, X[t][n])
                dW_hh += np.outer(delta, h[t][n])
                db += delta
                delta = (W_hh.T @ delta) * (1 - h[t][n] ** 2)
    return dW_ih, dW_hh, db


def deltas_first(X, h0, W_ih, W_hh, b, G):
    """All deltas first, then three products over all steps."""
    states = [h0]
    for x in X:
        states.append(rnn_step(x, states[-1], W_ih, W_hh, b))
    h, deltas = np.array(states), np.zeros_like(G)
    for t in range(len(X) - 1, -1, -1):
        later = deltas[t + 1] @ W_hh if t + 1 < len(X) else 0
        deltas[t] = (G[t] + later) * (1 - np.square(h[t + 1]))
    return [np.einsum("tni,tnj->ij", deltas, X), np.einsum("tni,tnj->ij", deltas, h[:-1]), deltas.sum(axis=(0, 1))]


def one_output(X, h0, W_ih, W_hh, b, G):
    return bptt_gradient(X, h0, W_ih, W_hh, b, np.concatenate([0 * G[:-1], G[-1:]]))


def carries_outputs(X, h0, W_ih, W_hh, b, G):
    later = np.concatenate([G[1:] @ W_hh, 0 * G[:1]])
    return bptt(back=lambda delta, W_hh: 0 * delta)(X, h0, W_ih, W_hh, b, G + later)


def backward_in_place(X, h0, W_ih, W_hh, b, G):
    h = [h0]
    for x in X:
        h.append(rnn_step(x, h[-1], W_ih, W_hh, b))
    dW_ih, dW_hh, db = np.zeros_like(W_ih), np.zeros_like(W_hh), np.zeros_like(b)
    for t in reversed(range(len(X))):
        G[t] *= 1 - h[t + 1] ** 2
        dW_ih, dW_hh, db = dW_ih + G[t].T @ X[t], dW_hh + G[t].T @ h[t], db + G[t].sum(axis=0)
        if t:
            G[t - 1] += G[t] @ W_hh
    return dW_ih, dW_hh, db


def bptt_arguments(rng, steps=5, batch=3, inputs=2, hidden=4, last_only=False, rest=True):
    G = rng.normal(size=(steps, batch, hidden))
    if last_only:
        G[:-1] = 0
    return (rng.normal(size=(steps, batch, inputs)), rng.uniform(-1, 1, size=(batch, hidden)) * rest,
            rng.normal(size=(hidden, inputs)), rng.normal(size=(hidden, hidden)) / np.sqrt(hidden),
            rng.normal(size=hidden), G)


BPTT_GRADIENT = Exercise(
    "bptt_gradient", 4, bptt_gradient,
    forbidden=("nnlib.rnn", "nnlib.RNN", "nnlib.RNNCell", "nnlib.numerical_gradient"),
    cases=[
        Case("two steps you can verify by hand",
             lambda rng: (np.array([[[1.0]], [[0.0]]]), np.zeros((1, 1)), np.array([[1.0]]), np.array([[0.5]]),
                          np.zeros(1), np.array([[[0.0]], [[1.0]]])),
             hint="The deltas are 0.868 in the second step and 0.182 in the first. Print yours, and begin with the "
                  "second."),
        Case("one step alone", lambda rng: bptt_arguments(rng, 1),
             hint="With one step there is no carry: delta = G[0] * (1 - h**2), and three products with it."),
        Case("five steps, an output at each", bptt_arguments,
             hint="Each state gets blame from its own output, G[t], and from the step after it."),
        Case("five steps, an output at the last one", lambda rng: bptt_arguments(rng, last_only=True),
             hint="The only blame comes from the last step; carry brings it back, step by step."),
        Case("twelve steps, three inputs", lambda rng: bptt_arguments(rng, 12, 2, 3, 2),
             hint="The gradients of all steps are added up: one sum for each of W_ih, W_hh and b."),
    ],
    misconceptions=[
        Misconception("no carry", bptt(back=lambda delta, W_hh: 0 * delta),
                      "No step hears of the later ones: each has only the blame of its own output. Add carry, "
                      "delta @ W_hh of the step after."),
        Misconception("W_hh transposed", bptt(back=lambda delta, W_hh: delta @ W_hh.T),
                      "Your blame goes back through W_hh.T, which is the way forward. For rows, back is delta @ W_hh."),
        Misconception("no W_hh on the way back", bptt(back=lambda delta, W_hh: delta),
                      "You hand delta itself to the step before. It has to go through W_hh."),
        Misconception("the blame of the output only is carried", carries_outputs,
                      "You carry G[t] back. What goes on is the whole delta of the step, with all that came from later "
                      "ones: delta @ W_hh."),
        Misconception("no slope", bptt(slope=lambda h, old: 1 + 0 * h),
                      "The slope of tanh is missing: delta = (G[t] + carry) * (1 - h**2)."),
        Misconception("no square in the slope", bptt(slope=lambda h, old: 1 - h),
                      "Your slope is 1 - h. That of tanh is 1 - h**2."),
        Misconception("the slope of a sigmoid", bptt(slope=lambda h, old: h * (1 - h)),
                      "h (1 - h) is the slope of a sigmoid. That of tanh is 1 - h**2."),
        Misconception("the slope of the state", bptt(slope=lambda h, old: 1 - np.tanh(h) ** 2),
                      "You take the tanh of the state once more: h is tanh already, so the slope is 1 - h**2."),
        Misconception("the slope of the step before", bptt(slope=lambda h, old: 1 - old ** 2),
                      "Your slope is that of the state *before* the step. The tanh of step t made the state after it."),
        Misconception("the slope for the output only", bptt(blame=lambda g, carry, slope: g * slope + carry),
                      "The carry goes through the tanh, too: the slope multiplies the sum, (G[t] + carry)."),
        Misconception("the slope for the carry only", bptt(blame=lambda g, carry, slope: g + carry * slope),
                      "The blame of the output goes through the tanh, too: the slope multiplies the sum, "
                      "(G[t] + carry)."),
        Misconception("the state after the step", bptt(memory=lambda h, t: h[t + 1]),
                      "For W_hh you use the state *after* step t. What W_hh multiplied was the state before it."),
        Misconception("only the first step", bptt(total=lambda parts: parts[-1]),
                      "You overwrite in each step, and what is left is that of step 0. Add the parts of all steps."),
        Misconception("only the last step", bptt(total=lambda parts: parts[0]),
                      "You return the part of the last step. Every step used the same weights: add the parts up."),
        Misconception("the mean over the steps", bptt(total=lambda parts: sum(parts) / len(parts)),
                      "You average over the steps. A loss that is a sum has a gradient that is a sum."),
        Misconception("forward in time", bptt(order=lambda steps: steps),
                      "Your second loop also runs forward. Blame comes from later steps, so begin at the last: "
                      "reversed(range(len(X)))."),
        Misconception("starts at zero", bptt(start=np.zeros_like),
                      "Your sequence starts from a state of zeros. It starts from h0."),
        Misconception("the last output only", one_output,
                      "You use the gradient of the last output only. G has one for every step."),
        Misconception("a mean over the batch", lambda X, h0, *rest: tuple(
                          part / len(h0) for part in bptt_gradient(X, h0, *rest)),
                      "You divide by the number of examples. G holds the gradients as they are: add up."),
        Misconception("transposed gradients", bptt(give=lambda a, w, d: (a.T, w.T, d)),
                      "A gradient has the shape of its weights: delta.T @ X[t] is (hidden, inputs)."),
        Misconception("W_hh first", bptt(give=lambda a, w, d: (w, a, d)),
                      "You return the gradient of W_hh first. The order is W_ih, W_hh, b."),
        Misconception("no gradient of b", bptt(give=lambda a, w, d: (a, w)),
                      "You return two gradients. That of b is missing: the sum of all deltas."),
        Misconception("uphill", bptt(give=lambda a, w, d: (-a, -w, -d)),
                      "All signs are reversed. The question asks for the gradient, not for the step."),
        Misconception("in place", backward_in_place, IN_PLACE),
    ],
    alternatives=[by_all_products, deltas_first, in_float32(bptt_gradient), as_lists(bptt_gradient)])


EXERCISES = [RESIDUAL_BLOCK, RNN_STEP, LSTM_STEP, GRU_STEP, BPTT_GRADIENT]


def any_cell(blocks, states=1, biases=1):
    def make(rng):
        return cell_arguments(rng, blocks, states, *map(int, rng.integers(1, 6, size=3)), biases)
    return make


DOMAIN = {
    "residual_block": [Case("any block", lambda rng: block_arguments(rng, *map(int, rng.integers(1, 6, size=3))))],
    "rnn_step": [Case("any cell", any_cell(1))],
    "lstm_step": [Case("any cell", any_cell(4, 2))],
    "gru_step": [Case("any cell", any_cell(3, 1, 2))],
    "bptt_gradient": [Case("any sequence", lambda rng: bptt_arguments(rng, *map(int, rng.integers(1, 6, size=4))))],
}
