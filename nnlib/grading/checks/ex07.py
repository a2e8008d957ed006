"""ex07, multilayer perceptrons: the questions of solutions/ex07_multilayer_perceptrons and how answers are tried."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex07_multilayer_perceptrons"
MODELS = "nnlib.Linear", "nnlib.Sequential", "nnlib.linear"


# A vote of half-planes.

def sign(z):
    return np.where(np.asarray(z) >= 0, 1, -1)


def sign_network(X, W, b, v, c):
    return sign(sign(np.asarray(X) @ np.transpose(W) + b) @ np.asarray(v) + c)


def sign_network_by_loops(X, W, b, v, c):
    answers = []
    for x in X:
        votes = c
        for w, bias, weight in zip(W, b, v, strict=True):
            votes += weight if sum(wi * xi for wi, xi in zip(w, x, strict=True)) + bias >= 0 else -weight
        answers.append(1 if votes >= 0 else -1)
    return answers


def sign_network_of_booleans(X, W, b, v, c):
    H = 2.0 * ((X @ W.T + b) >= 0) - 1
    return (2.0 * (H @ v + c >= 0) - 1).astype(np.float32)


def voting(hidden=sign, output=sign, scores=lambda X, W, b: X @ W.T + b, votes=lambda H, v, c: H @ v + c):
    """A sign_network with one thing wrong; with the defaults it is right."""
    def wrong(X, W, b, v, c):
        return output(votes(hidden(scores(X, W, b)), v, c))
    return wrong


def above(z):
    return np.where(np.asarray(z) > 0, 1, -1)


def zero_or_one(z):
    return (np.asarray(z) >= 0).astype(float)


def votes_of(n, features, units):
    """make(rng) for a network with mixed answers, which change if votes or the bias count otherwise."""
    others = [voting(hidden=lambda z, yes=yes, no=no: np.where(z >= 0, yes, no))
              for yes, no in ((1, 0), (0, -1), (2, -1), (1, -2), (3, -1))]
    others += [voting(votes=lambda H, v, c, sign=sign: H @ v + sign * c) for sign in (0, -1)]

    def make(rng):
        while True:
            X, W, b = rng.normal(size=(n, features)), rng.normal(size=(units, features)), rng.normal(size=units)
            arguments = X, W, b, rng.normal(size=units) + np.sign(rng.normal(size=units)), rng.normal()
            answers = sign_network(*arguments)
            if abs(answers.mean()) < 0.7 and not any(np.array_equal(other(*arguments), answers) for other in others):
                return arguments
    return make


def ties(rng):
    """Small whole numbers with many scores of exactly 0, so that every other treatment of 0 shows, and differently."""
    ways = [voting(hidden, output) for hidden in (sign, np.sign, above) for output in (sign, np.sign, above)]
    while True:
        X = rng.integers(-2, 3, size=(40, 2)).astype(float)
        W, b = rng.choice([-1.0, 1.0], size=(4, 2)), rng.integers(-1, 2, size=4).astype(float)
        arguments = X, W, b, rng.choice([-0.5, 0.5], size=4), 0.0
        if len({tuple(way(*arguments)) for way in ways}) == len(ways):
            return arguments


SIGN_NETWORK = Exercise(
    "sign_network", 2, sign_network, forbidden=MODELS,
    cases=[
        Case("a network you can verify by hand",
             lambda rng: (np.array([[1.0, -3.0], [1.0, 1.0]]), np.array([[3.0, 5.0], [0.0, 3.0]]), np.array([0.0, 6.0]),
                          np.array([4.0, 2.0]), -4.0),
             hint="At (1, -3) both units say -1, and the vote is -4 - 2 - 4 = -10; at (1, 1) both say +1: 4 + 2 - 4 = "
                  "2."),
        Case("twenty examples, three units", votes_of(20, 2, 3),
             hint="Two steps: what the hidden units say, (n, units), and then their vote, (n,)."),
        Case("five features, four units", votes_of(30, 5, 4),
             hint="Nothing depends on two features: X @ W.T + b, with a row of W for each unit."),
        Case("scores of exactly 0", ties,
             hint="np.sign(0) is 0, and a unit cannot abstain. In this question sign(0) is +1, in the hidden units and "
                  "in the output: np.where(z >= 0, 1, -1)."),
    ],
    misconceptions=[
        Misconception("units abstain at 0", voting(hidden=np.sign, output=np.sign),
                      "On a line np.sign gives 0. Here sign(0) is +1: np.where(z >= 0, 1, -1)."),
        Misconception("0 is a no", voting(hidden=above, output=above),
                      "A score of exactly 0 gets -1 from you. Here sign(0) is +1: >= in place of >."),
        Misconception("hidden units abstain at 0", voting(hidden=np.sign),
                      "Your output treats 0 as asked, and your hidden units do not: both need sign(0) = +1."),
        Misconception("the output abstains at 0", voting(output=np.sign),
                      "Your hidden units treat 0 as asked, and your output does not: both need sign(0) = +1."),
        Misconception("hidden scores instead of votes", voting(hidden=lambda z: z),
                      "Your hidden layer hands on its scores, not their signs. Then the whole is one straight line: "
                      "two linear layers collapse."),
        Misconception("a vote without an answer", voting(output=lambda z: z),
                      "You return the sum of the votes. The answer is its sign, +1 or -1."),
        Misconception("0 and 1 inside", voting(hidden=zero_or_one),
                      "Your hidden units say 0 for no. Here a no is -1: it counts against."),
        Misconception("0 and 1 outside", voting(output=zero_or_one),
                      "You answer 0 or 1, perhaps as False and True. Here the two answers are -1 and +1."),
        Misconception("no hidden biases", voting(scores=lambda X, W, b: X @ W.T),
                      "The biases b of the hidden units are missing: all your lines go through the origin."),
        Misconception("no bias of the output", voting(votes=lambda H, v, c: H @ v),
                      "The output's own bias c is missing: it says how many votes are needed."),
        Misconception("one unit, one vote", voting(votes=lambda H, v, c: H.sum(axis=1) + c),
                      "You add the votes without their weights v. In this network some votes count more."),
        Misconception("columns of W", voting(scores=lambda X, W, b: X @ W + b),
                      "X @ W uses the columns of W. Each unit has its weights in a row: X @ W.T."),
        Misconception("tanh", voting(hidden=np.tanh),
                      "You use tanh in the hidden layer. It is soft; a sign unit says +1 or -1 and nothing between."),
        Misconception("a column", lambda *a: sign_network(*a)[:, None],
                      "Your answers are a column, (n, 1). The question asks for shape (n,)."),
        Misconception("one answer for all", lambda X, W, b, v, c: int(sign(sign(X @ W.T + b).sum(axis=0) @ v + c)),
                      "You add over the examples, too. Each row of X is an example with an answer of its own."),
        Misconception("turned round", lambda *a: -sign_network(*a),
                      "All your answers have the wrong sign."),
    ],
    alternatives=[sign_network_by_loops, sign_network_of_booleans])


# XOR by hand: a function without arguments, which gives the weights.

CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])


def giving(*weights):
    """An xor_weights that gives these."""
    return lambda: weights


def xor_weights():
    return np.array([[1.0, 1.0], [-1.0, -1.0]]), np.ones(2), np.ones(2), -1.0


def solve(xor_weights, X):
    """What the network of these weights says at X, and what its hidden units say at the corners."""
    W, b, v, c = xor_weights()
    W, b, v = np.asarray(W, dtype=float), np.asarray(b, dtype=float), np.asarray(v, dtype=float)
    found = {"shapes": [list(W.shape), list(b.shape), list(v.shape), int(np.size(c))], "answers": [], "corners": [],
             "hidden": []}
    if found["shapes"] != [[2, 2], [2], [2], 1]:
        return found
    c = float(np.asarray(c).item())
    return found | {"answers": sign_network(X, W, b, v, c).tolist(), "corners": sign_network(
        CORNERS, W, b, v, c).tolist(), "hidden": sign(CORNERS @ W.T + b).tolist()}


def is_xor(got, args, expected):
    if got["shapes"] != expected["shapes"]:
        wanted = "W of shape (2, 2), b (2,), v (2,) and the number c"
        return f"expected {wanted}; got shapes {', '.join(str(tuple(s)) for s in got['shapes'][:3])}"
    if got["corners"] != expected["corners"]:
        said = "; ".join("({:+d}, {:+d})".format(*pair) for pair in got["hidden"])
        return (f"the corners (-1, -1), (-1, 1), (1, -1), (1, 1) should get -1, +1, +1, -1 and get "
                f"{', '.join(format(a, '+d') for a in got['corners'])}; there your hidden units say {said}")
    if got["answers"] != expected["answers"]:
        wrong = [number for number, pair in enumerate(zip(got["answers"], expected["answers"], strict=True))
                 if pair[0] != pair[1]]
        return (f"right at the corners, but {len(wrong)} of {len(args[0])} points near them, each moved by at most "
                "0.2, come out wrong: a line passes too close to a corner")


def shaken(rng):
    return np.repeat(CORNERS, 12, axis=0) + rng.uniform(-0.2, 0.2, size=(48, 2))


XOR_WEIGHTS = Exercise(
    "xor_weights", 2, xor_weights, call=solve,
    cases=[
        Case("the four corners", lambda rng: (CORNERS,), judge=is_xor,
             hint="Choose two lines first, and write down what your units say at each corner. Then choose the vote."),
        Case("points near the corners", shaken, judge=is_xor,
             hint="Let your lines pass in the middle between the corners that they separate."),
    ],
    misconceptions=[
        Misconception("zeros", giving(np.zeros((2, 2)), np.zeros(2), np.zeros(2), 0.0),
                      "Each of your units says the same at all four corners: its weights are 0, or its line does not "
                      "pass between them. (A corner on a line gets +1.) Draw the four corners and two lines first."),
        Misconception("the opposite", giving([[1, 1], [-1, -1]], [1, 1], [-1, -1], 1),
                      "Your strip is right, and yes and no are exchanged: turn the signs of v and c."),
        Misconception("the opposite, on the other diagonal", giving([[1, -1], [-1, 1]], [1, 1], [1, 1], -1),
                      "Your strip holds (-1, -1) and (1, 1), which should get -1. Let the output say no there: turn "
                      "the signs of v and c."),
        Misconception("or where and is needed", giving([[1, 1], [-1, -1]], [1, 1], [1, 1], 1),
                      "Your hidden units are right, but with this bias one yes is enough (one yes and one no make 0, "
                      "and sign(0) is +1), and every corner has one. Both must say yes: a bias below 0."),
        Misconception("nobody can say yes", giving([[1, 1], [-1, -1]], [1, 1], [1, 1], -3),
                      "Your hidden units are right, but a bias of -3 needs three votes, and there are two."),
        Misconception("both lines look the same way", giving([[1, 1], [1, 1]], [1, -1], [1, 1], -1),
                      "Both your units are on the same side of their lines. To enclose a strip, one of them must look "
                      "the other way: turn the signs of its weights and its bias. (Or give its vote a minus.)"),
        Misconception("no hidden biases", giving([[1, 1], [-1, -1]], [0, 0], [1, 1], -1),
                      "Both your lines go through the origin, and so through two of the corners. Move them apart with "
                      "their biases."),
        Misconception("one unit for each input", giving([[1, 0], [0, 1]], [0, 0], [1, 1], -1),
                      "Your units repeat x1 and x2. Then the output sees the same four corners as before, and one line "
                      "cannot part them."),
        Misconception("one unit for each input, with a minus", giving([[1, 0], [0, 1]], [0, 0], [1, -1], -1),
                      "Your units repeat x1 and x2, so the output is one neuron on the corners: it can find one of the "
                      "two, never both. Let a hidden unit mix x1 and x2."),
        Misconception("made for 0 and 1", giving([[1, 1], [1, 1]], [-0.5, -1.5], [1, -1], -0.5),
                      "These weights would do if inputs and units said 0 and 1. Here they say -1 and +1, so the "
                      "corners have the sums -2, 0 and 2."),
        Misconception("too close", giving([[1, 1], [-1, -1]], [0.1, 0.1], [1, 1], -1),
                      "Your strip is so narrow that a corner moved a little falls out of it. The two lines can be 0.7 "
                      "away from all corners: biases of 1."),
        Misconception("only a half", giving([[1, 1], [1, 1]], [1, 1], [1, 1], -1),
                      "Your two units are the same unit twice. The second line should cut off the corner on the other "
                      "side."),
        Misconception("W alone", giving([[1, 1], [-1, -1]], [1, 1], [[1, 1]], -1),
                      "v is a vector here, of shape (2,): one pair of brackets."),
    ],
    alternatives=[giving(np.array([[1, 1], [1, 1]]), np.array([1, -1]), np.array([1, -1]), -1),
                  giving(np.array([[1, -1], [-1, 1]], dtype=np.float32), [-1, -1], (1, 1), 1.0),
                  lambda: [[[2, 2], [-2, -2]], [2, 2], [5, 4], [-3]]])


# Any number of layers.

def mlp_forward(X, layers, activation):
    *hidden, (W, b) = layers
    for V, c in hidden:
        X = activation(np.asarray(X) @ np.transpose(V) + c)
    return np.asarray(X) @ np.transpose(W) + b


def forward_by_recursion(X, layers, activation):
    Z = X @ layers[0][0].T + layers[0][1]
    return Z if len(layers) == 1 else forward_by_recursion(activation(Z), layers[1:], activation)


def forward_with_index(X, layers, activation):
    H = np.array(X)
    for k in range(len(layers)):
        H = np.dot(H, layers[k][0].T) + layers[k][1]
        if k < len(layers) - 1:
            H = activation(H)
    return H.astype(np.float32)


def forward_by_columns(X, layers, activation):
    return [mlp_forward(x[None], layers, activation)[0].tolist() for x in X]


def forward_with(step=lambda X, W, b, activation: activation(X @ W.T + b), end=lambda X, W, b, activation: X @ W.T + b,
                 choose=lambda layers: layers):
    """An mlp_forward with one thing wrong; with the defaults it is right."""
    def wrong(X, layers, activation):
        *hidden, (W, b) = choose(layers)
        for V, c in hidden:
            X = step(X, V, c, activation)
        return end(X, W, b, activation)
    return wrong


def affine(X, W, b, activation):
    return X @ W.T + b


def forward_from_the_start(X, layers, activation):
    for W, b in layers[:-1]:
        H = activation(X @ W.T + b)
    return H @ layers[-1][0].T + layers[-1][1]


def relu(z):
    return np.maximum(z, 0)


def wave(z):
    return np.sin(z) + 0.1 * z


def layers_of(rng, *sizes):
    return [(rng.normal(size=(m, n)), rng.normal(size=m)) for n, m in zip(sizes, sizes[1:])]


def batch_for(activation, n, *sizes):
    return lambda rng: (rng.normal(size=(n, sizes[0])), layers_of(rng, *sizes), activation)


MLP_FORWARD = Exercise(
    "mlp_forward", 3, mlp_forward, forbidden=MODELS,
    cases=[
        Case("a 2-2-1 network you can verify by hand",
             lambda rng: (np.array([[1.0, 2.0], [0.0, 1.0]]),
                          [(np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([0.0, 0.0])),
                           (np.array([[2.0, 3.0]]), np.array([1.0]))], relu),
             hint="At (1, 2) the hidden scores are 3 and -1, after relu 3 and 0, and the output is 2 * 3 + 3 * 0 + 1 = "
                  "7."),
        Case("one hidden layer, tanh", batch_for(np.tanh, 7, 3, 5, 2),
             hint="X becomes activation(X @ W.T + b) in every layer but the last."),
        Case("three hidden layers, relu", batch_for(relu, 6, 4, 6, 5, 3, 2),
             hint="The output of one layer is the input of the next: X = activation(X @ W.T + b), in a loop."),
        Case("an activation of another kind", batch_for(wave, 5, 2, 4, 3, 1),
             hint="`activation` is a function that you are given. Call it; do not choose one yourself."),
        Case("no hidden layer", batch_for(np.tanh, 6, 4, 3),
             hint="With one pair in `layers` that pair is the last layer: no activation at all."),
    ],
    misconceptions=[
        Misconception("activated at the end, too", forward_with(end=lambda X, W, b, f: f(X @ W.T + b)),
                      "You apply the activation after the last layer as well. Its scores stay as they are: they may be "
                      "negative, or large."),
        Misconception("never activated", forward_with(step=affine),
                      "You never apply the activation, and so your layers collapse into one."),
        Misconception("activated at the end only", forward_with(step=affine, end=lambda X, W, b, f: f(X @ W.T + b)),
                      "You activate the last layer and no other. It is the other way round."),
        Misconception("activated first, then weighted", forward_with(step=lambda X, W, b, f: f(X) @ W.T + b,
                                                                     end=lambda X, W, b, f: f(X) @ W.T + b),
                      "You send the input of each layer through the activation, also the examples themselves. First "
                      "the weights and the bias, then the activation."),
        Misconception("the bias after the activation", forward_with(step=lambda X, W, b, f: f(X @ W.T) + b),
                      "You add the bias after the activation. It belongs inside: activation(X @ W.T + b)."),
        Misconception("no biases", forward_with(step=lambda X, W, b, f: f(X @ W.T), end=lambda X, W, b, f: X @ W.T),
                      "Your layers have no biases: each pair in `layers` is (W, b)."),
        Misconception("no bias at the end", forward_with(end=lambda X, W, b, f: X @ W.T),
                      "The bias of the last layer is missing."),
        Misconception("relu always", lambda X, layers, activation: mlp_forward(X, layers, relu),
                      "You use relu whatever `activation` is. The caller chooses it."),
        Misconception("tanh always", lambda X, layers, activation: mlp_forward(X, layers, np.tanh),
                      "You use tanh whatever `activation` is. The caller chooses it."),
        Misconception("the first and the last layer", forward_with(choose=lambda layers: [layers[0], layers[-1]]),
                      "You use the first layer and the last. Every pair of `layers` has its turn."),
        Misconception("one layer only", forward_with(choose=lambda layers: layers[:1]),
                      "You stop after the first pair of `layers`; perhaps the return stands inside the loop."),
        Misconception("the features, not the scores",
                      lambda X, layers, activation: forward_with(end=lambda X, *rest: X)(X, layers, activation),
                      "You return what the last hidden layer says. One layer is missing: the scores."),
        Misconception("always from the examples", forward_from_the_start,
                      "Every layer of yours begins with the examples again. It should take what the layer before has "
                      "given."),
        Misconception("backward", forward_with(choose=lambda layers: layers[::-1]),
                      "You go through the layers from the last to the first. Values flow forward: layers[0] comes "
                      "first."),
        Misconception("columns of W", forward_with(step=lambda X, W, b, f: f(X @ W + b),
                                                   end=lambda X, W, b, f: X @ W + b),
                      "X @ W uses the columns of W. Each unit has its weights in a row: X @ W.T."),
        Misconception("probabilities", forward_with(end=lambda X, W, b, f: 1 / (1 + np.exp(-(X @ W.T + b)))),
                      "You turn the scores into probabilities. The question asks for the scores."),
        Misconception("the class", lambda *a: mlp_forward(*a).argmax(axis=1),
                      "You return which score is largest. The question asks for all scores, (n, outputs)."),
        Misconception("flattened", lambda *a: mlp_forward(*a).ravel(),
                      "The numbers are right, but not their shape: a row for each example, a column for each output."),
    ],
    alternatives=[forward_by_recursion, forward_with_index, forward_by_columns])


# Counting.

def count_parameters(sizes):
    return sum(m * (n + 1) for n, m in zip(sizes, sizes[1:]))


def count_by_arrays(sizes):
    total = 0
    for k in range(1, len(sizes)):
        total += np.zeros((sizes[k], sizes[k - 1])).size + np.zeros(sizes[k]).size
    return total


def count_by_vectors(sizes):
    sizes = np.asarray(sizes)
    return float(sizes[:-1] @ sizes[1:] + sizes[1:].sum())


def network_sizes(layers, low=2, high=60):
    return lambda rng: ([int(size) for size in rng.choice(np.arange(low, high), layers, replace=False)],)


def all_connected(sizes):
    return sum(m * n for k, m in enumerate(sizes) for n in sizes[:k]) + sum(sizes[1:])


COUNT_PARAMETERS = Exercise(
    "count_parameters", 2, count_parameters,
    forbidden=("nnlib.architecture.count_parameters", "nnlib.architecture.summary", "nnlib.Linear"),
    cases=[
        Case("2-3-2-1, by hand", lambda rng: ([2, 3, 2, 1],),
             hint="9 for the three units that hear two inputs, 8 for the two that hear three units, 3 for the output."),
        Case("one hidden layer", network_sizes(3),
             hint="A layer of m units that hears n has a matrix (m, n) and m biases."),
        Case("four hidden layers", network_sizes(6),
             hint="Add up over all neighbors in the list: zip(sizes, sizes[1:]) gives them."),
        Case("no hidden layer", network_sizes(2),
             hint="Two sizes are one layer: it has a matrix and biases like any other."),
    ],
    misconceptions=[
        Misconception("no biases", lambda sizes: sum(m * n for n, m in zip(sizes, sizes[1:])),
                      "You count the connections only. Every unit but the inputs has a bias, too."),
        Misconception("biases of the inputs", lambda sizes: count_parameters(sizes) + sizes[0],
                      "You give the inputs biases. They only pass on what they get."),
        Misconception("the bias on the wrong side", lambda sizes: sum(n * (m + 1) for n, m in zip(sizes, sizes[1:])),
                      "You count a bias for every unit that *sends*. Each unit that *receives* has one."),
        Misconception("one bias for each layer", lambda sizes: sum(m * n + 1 for n, m in zip(sizes, sizes[1:])),
                      "You count one bias for a whole layer. Each of its units has its own."),
        Misconception("no biases of the output", lambda sizes: count_parameters(sizes) - sizes[-1],
                      "The output units have biases, too."),
        Misconception("the last layer forgotten", lambda sizes: count_parameters(sizes[:-1]),
                      "The weights into the outputs are missing."),
        Misconception("the first layer forgotten", lambda sizes: count_parameters(sizes[1:]),
                      "The weights between the inputs and the first hidden layer are missing: inputs have no weights, "
                      "but the units that hear them do."),
        Misconception("all with all", all_connected,
                      "You connect every layer with all layers before it. Here a layer hears only its neighbor."),
        Misconception("one product", lambda sizes: int(np.prod(sizes)),
                      "You multiply all the sizes. Each pair of neighbors has its own matrix: products of two, added "
                      "up."),
        Misconception("units", lambda sizes: sum(sizes),
                      "You count units. Each has a weight for every unit that it hears, and a bias."),
        Misconception("hidden units and outputs", lambda sizes: sum(sizes[1:]),
                      "You count the biases only. And the weights?"),
        Misconception("the last pair only", lambda sizes: sizes[-1] * (sizes[-2] + 1),
                      "You count one layer, the last. Add up over all of them; perhaps `=` stands where `+=` should."),
        Misconception("the first pair only", lambda sizes: sizes[1] * (sizes[0] + 1),
                      "You count one layer, the first. Add up over all of them; perhaps the return stands inside the "
                      "loop."),
        Misconception("a list", lambda sizes: [m * (n + 1) for n, m in zip(sizes, sizes[1:])],
                      "You give a number for each layer. Add them up."),
    ],
    alternatives=[count_by_arrays, count_by_vectors,
                  lambda sizes: 0 if len(sizes) < 2 else sizes[1] * sizes[0] + sizes[1] + count_parameters(sizes[1:])])


# Linear layers are one.

def collapse_linear(layers):
    W, b = map(np.asarray, layers[0])
    for V, c in layers[1:]:
        W, b = np.asarray(V) @ W, np.asarray(V) @ b + c
    return W, b


def collapse_by_points(layers):
    """What the layers make of 0 is b, and what they add for each unit vector a column of W."""
    def through(x):
        for W, b in layers:
            x = W @ x + b
        return x
    n = layers[0][0].shape[1]
    b = through(np.zeros(n))
    return np.stack([through(e) - b for e in np.eye(n)], axis=1), b


def collapse_backward(layers):
    W, b = layers[-1]
    for V, c in layers[-2::-1]:
        W, b = W @ V, W @ c + b
    return [W.tolist(), b.tolist()]


def collapsed(weights=lambda V, W: V @ W, biases=lambda V, W, b, c: V @ b + c, choose=lambda layers: layers):
    """A collapse_linear with one thing wrong; with the defaults it is right."""
    def wrong(layers):
        (W, b), *rest = choose(layers)
        for V, c in rest:
            W, b = weights(V, W), biases(V, W, b, c)
        return W, b
    return wrong


def collapse_new_weights_first(layers):
    W, b = layers[0]
    for V, c in layers[1:]:
        W = V @ W
        b = W @ b + c
    return W, b


def collapse_in_place(layers):
    W, b = collapse_linear(layers)
    layers.clear()
    return W, b


def linear_layers(*sizes):
    return lambda rng: (layers_of(rng, *sizes),)


COLLAPSE_LINEAR = Exercise(
    "collapse_linear", 3, collapse_linear,
    cases=[
        Case("two layers you can verify by hand",
             lambda rng: ([(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, -1.0])),
                           (np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([0.0, 3.0]))],),
             hint="W2 (W1 x + b1) + b2: the weights are W2 @ W1, the bias is W2 @ b1 + b2."),
        Case("two square layers", linear_layers(3, 3, 3),
             hint="Matrices do not commute: the layer that acts last stands on the left."),
        Case("two layers of different sizes", linear_layers(4, 3, 2),
             hint="W has as many rows as the last layer has units and as many columns as the first has inputs."),
        Case("four layers", linear_layers(2, 5, 4, 3, 6),
             hint="Keep one pair (W, b) for all layers so far, and let each further layer act on both."),
        Case("one layer", linear_layers(3, 2), hint="One layer is its own collapse."),
    ],
    misconceptions=[
        Misconception("the other order", collapsed(weights=lambda V, W: W @ V),
                      "You multiply the matrices in the order of the layers. But x meets W1 first, so W1 stands at the "
                      "right: W2 @ W1."),
        Misconception("biases added", collapsed(biases=lambda V, W, b, c: b + c),
                      "You add the biases. But the first one goes through the second layer's matrix, too: W2 @ b1 + "
                      "b2."),
        Misconception("the last bias only", collapsed(biases=lambda V, W, b, c: c),
                      "Only the last bias is left. What becomes of b1 in W2 (W1 x + b1) + b2?"),
        Misconception("the last bias forgotten", collapsed(biases=lambda V, W, b, c: V @ b),
                      "The first bias is carried along, and the later ones are missing: W2 @ b1 + b2."),
        Misconception("new weights before the bias", collapse_new_weights_first,
                      "Your bias goes through all matrices so far, W2 @ W1, and should go through the new one only. "
                      "Keep the new layer's matrix, or compute the bias first."),
        Misconception("the bias through the transpose", collapsed(biases=lambda V, W, b, c: V.T @ b + c),
                      "b1 goes through the transpose of W2. It is hidden values like any other: W2 @ b1."),
        Misconception("all transposed", collapsed(weights=lambda V, W: (V @ W).T),
                      "Somewhere a matrix is transposed. With W of shape (out, in) the product is W2 @ W1 as it "
                      "stands."),
        Misconception("the result transposed", lambda layers: (collapse_linear(layers)[0].T, collapsed()(layers)[1]),
                      "W comes out transposed: its shape is (outputs of the last layer, inputs of the first)."),
        Misconception("entry by entry", collapsed(weights=lambda V, W: V * W),
                      "`*` multiplies entry by entry. A matrix after a matrix is V @ W."),
        Misconception("a sum of matrices", collapsed(weights=lambda V, W: V + W),
                      "You add the matrices. One acts on what the other has made: multiply them."),
        Misconception("two layers only", collapsed(choose=lambda layers: layers[:2]),
                      "You stop after two layers. Go on: the pair that you have is a layer, too."),
        Misconception("first and last", collapsed(choose=lambda layers: [layers[0], *layers[1:][-1:]]),
                      "You use the first layer and the last. Those between act, too."),
        Misconception("weights only", lambda layers: collapse_linear(layers)[0],
                      "You return the weights and not the bias: a pair (W, b) is asked for."),
        Misconception("bias first", lambda layers: collapse_linear(layers)[::-1],
                      "You return (b, W). The order is (W, b)."),
        Misconception("the list is emptied", collapse_in_place,
                      "Your answer is right, and the caller's list is changed by it. Leave `layers` as it is; no pop."),
    ],
    alternatives=[collapse_by_points, collapse_backward,
                  lambda layers: tuple(part.astype(np.float32) for part in collapse_linear(layers))])


# A bump.

def sigmoid(z):
    return 0.5 * (1 + np.tanh(np.asarray(z, dtype=float) / 2))


def bump(x, left, right, height, steepness):
    x = np.asarray(x)
    return height * (sigmoid(steepness * (x - left)) - sigmoid(steepness * (x - right)))


def bump_of_tanh(x, left, right, height, steepness):
    up, down = (np.tanh(steepness / 2 * (x - edge)) for edge in (left, right))
    return (height / 2 * (up - down)).astype(np.float32)


def bump_by_weights(x, left, right, height, steepness):
    W, b, v = np.array([steepness, steepness]), -steepness * np.array([left, right]), np.array([height, -height])
    return sigmoid(np.asarray(x)[..., None] * W + b) @ v


def bump_place_by_place(x, left, right, height, steepness):
    return np.vectorize(lambda place: bump(place, left, right, height, steepness))(x)


def somewhere(count, low=1.0, high=6.0, up=None):
    """make(rng) for places around a bump that is wider than its edges are, but not much."""
    def make(rng):
        left = rng.uniform(-2, 1)
        right = left + rng.uniform(0.8, 2.5)
        height = rng.uniform(0.6, 3) * (rng.choice([-1, 1]) if up is None else up)
        x = rng.uniform(left - 1.5, right + 1.5, size=count)
        return x, float(left), float(right), float(height), float(rng.uniform(low, high))
    return make


def box(x, left, right, height, steepness):
    return height * ((x > left) & (x < right))


BUMP = Exercise(
    "bump", 3, bump,
    cases=[
        Case("a steep bump you can verify by hand", lambda rng: (np.arange(5.0), 1.0, 3.0, 5.0, 50.0),
             hint="In its middle, at 2, it is 5 high, outside 0, and half as high at both edges."),
        Case("forty places, edges soft", somewhere(40, up=1),
             hint="One step up at `left`, one step down at `right`: two sigmoids of steepness * (x - edge)."),
        Case("a hollow", somewhere(30, up=-1), hint="A negative height makes a hollow; nothing else changes."),
        Case("a table of places", somewhere((4, 6)), hint="NumPy does the same for any shape of x; no loop is needed."),
        Case("one place", lambda rng: (float((bumped := somewhere(())(rng))[0]), *bumped[1:]),
             hint="x may also be a single number."),
    ],
    misconceptions=[
        Misconception("two steps up", lambda x, a, b, m, k: m * (sigmoid(k * (x - a)) + sigmoid(k * (x - b))),
                      "Your second step goes up, too: a staircase of two. To come down at `right`, subtract it."),
        Misconception("down, then up", lambda x, a, b, m, k: -bump(x, a, b, m, k),
                      "Your bump stands on its head: first the step at `left`, then minus the step at `right`."),
        Misconception("a product of steps", lambda x, a, b, m, k: m * sigmoid(k * (x - a)) * sigmoid(k * (b - x)),
                      "You multiply two steps. That has a similar shape, but an output unit can only add what the "
                      "hidden units say: take the difference."),
        Misconception("no steepness", lambda x, a, b, m, k: bump(x, a, b, m, 1.0),
                      "You leave out the steepness: it multiplies (x - edge) inside both sigmoids."),
        Misconception("steepness on x alone", lambda x, a, b, m, k: m * (sigmoid(k * x - a) - sigmoid(k * x - b)),
                      "steepness * x - left is 0 at left / steepness. To have the step at `left`, multiply the whole "
                      "difference: steepness * (x - left)."),
        Misconception("steepness divides", lambda x, a, b, m, k: bump(x, a, b, m, 1 / k),
                      "You divide by the steepness: a larger one must make the edges sharper."),
        Misconception("steepness as height", lambda x, a, b, m, k: k * bump(x, a, b, m, 1.0),
                      "The steepness stands outside the sigmoids, where it makes the bump higher. Inside it makes it "
                      "sharper."),
        Misconception("no height", lambda x, a, b, m, k: bump(x, a, b, 1.0, k),
                      "Your bump is always 1 high. Multiply by `height`."),
        Misconception("height inside", lambda x, a, b, m, k: sigmoid(m * k * (x - a)) - sigmoid(m * k * (x - b)),
                      "The height stands inside the sigmoids, where it makes the edges steeper. It is the weight of "
                      "the output: outside."),
        Misconception("height on the first step only",
                      lambda x, a, b, m, k: m * sigmoid(k * (x - a)) - sigmoid(k * (x - b)),
                      "Only the step up is `height` high; the step down is 1. Both need it, or the bump does not come "
                      "back to 0."),
        Misconception("the step up only", lambda x, a, b, m, k: m * sigmoid(k * (x - a)),
                      "Your bump goes up at `left` and never comes down: the second step is missing."),
        Misconception("a box", box,
                      "Your bump has vertical walls whatever the steepness is. Make it from two sigmoids, as hidden "
                      "units could."),
        Misconception("tanh for the sigmoid", lambda x, a, b, m, k: m * (np.tanh(k * (x - a)) - np.tanh(k * (x - b))),
                      "tanh goes from -1 to 1, so your bump is twice as high, and its edges twice as steep."),
        Misconception("middle and width", lambda x, a, b, m, k: bump(x, a - b / 2, a + b / 2, m, k),
                      "You read `left` and `right` as a middle and a width. They are the two places where the bump "
                      "begins and ends."),
        Misconception("half the height", lambda x, a, b, m, k: bump(x, a, b, m, k) / 2,
                      "Your bump is half as high. Each sigmoid goes from 0 to 1; nothing is to be shared."),
        Misconception("one place of the bump", lambda x, a, b, m, k: m * sigmoid(k * (x - (a + b) / 2)),
                      "This is one step in the middle between the edges. A bump needs two steps."),
    ],
    alternatives=[bump_of_tanh, bump_by_weights, bump_place_by_place])


EXERCISES = [SIGN_NETWORK, XOR_WEIGHTS, MLP_FORWARD, COUNT_PARAMETERS, COLLAPSE_LINEAR, BUMP]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_vote(rng):
    n, features, units = map(int, rng.integers(1, 6, size=3))
    return (rng.integers(-3, 4, size=(n, features)) / 2, rng.integers(-3, 4, size=(units, features)) / 2,
            rng.integers(-3, 4, size=units) / 2, rng.integers(-3, 4, size=units) / 2, int(rng.integers(-3, 4)) / 2)


def any_sizes(rng, most=6):
    return [int(size) for size in rng.integers(1, most, size=rng.integers(2, 6))]


def any_network(rng):
    sizes = any_sizes(rng)
    X = rng.normal(size=(int(rng.integers(1, 5)), sizes[0]))
    return X, layers_of(rng, *sizes), (np.tanh, relu, wave)[rng.integers(3)]


DOMAIN = {
    "sign_network": [Case("any votes", any_vote)],
    "mlp_forward": [Case("any network", any_network)],
    "count_parameters": [Case("any sizes", lambda rng: (any_sizes(rng, 200),))],
    "collapse_linear": [Case("any layers", lambda rng: (layers_of(rng, *any_sizes(rng)),))],
    "bump": [Case("any bump", lambda rng: somewhere(int(rng.integers(1, 9)), 0.1, 20)(rng))],
}
