"""ex03, gradient descent: the questions of solutions/ex03_gradient_descent and how their answers are tried."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception, Tolerance

NAME = "ex03_gradient_descent"


# One step.

def gradient_step(w, gradient, rate):
    return w - rate * np.asarray(gradient)


def step_in_place(w, gradient, rate):
    w -= rate * gradient
    return w


GRADIENT_STEP = Exercise(
    "gradient_step", 2, gradient_step,
    forbidden=("nnlib.SGD", "nnlib.widgets.descent.gradient_step"),
    cases=[
        Case("two weights you can verify by hand",
             lambda rng: (np.array([1.0, -2.0]), np.array([2.0, 4.0]), 0.1),
             hint="From w go against the gradient, `rate` times as far as it is long; entry by entry."),
        Case("five weights", lambda rng: (rng.normal(size=5), rng.normal(size=5), rng.uniform(0.05, 0.8)),
             hint="The worked example alone is not enough: every entry of w has its own entry of the gradient."),
        Case("a matrix of weights",
             lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.uniform(0.05, 0.8)),
             hint="The rule is the same for an array of any shape; no loop and no reshape is needed."),
    ],
    misconceptions=[
        Misconception("uphill", lambda w, gradient, rate: w + rate * gradient,
                      "The gradient points where the loss grows fastest. To go down, subtract it."),
        Misconception("no rate", lambda w, gradient, rate: w - gradient,
                      "You subtract the whole gradient. The learning rate says how much of it one step uses."),
        Misconception("the step instead of the place", lambda w, gradient, rate: -rate * gradient,
                      "This is how far to go. The question asks where you are after going: start from w."),
        Misconception("in place", step_in_place,
                      "The new weights are right, but `w -= ...` also changed the caller's array. Write w - rate * "
                      "gradient."),
        Misconception("unit length", lambda w, gradient, rate: w - rate * gradient / np.linalg.norm(gradient),
                      "You divide by the length of the gradient, so all steps are equally long. In plain descent a "
                      "steep place gives a long step and a flat one a short step."),
        Misconception("signs only", lambda w, gradient, rate: w - rate * np.sign(gradient),
                      "You keep only the sign of each component; its size belongs to the step too."),
        Misconception("divided by the rate", lambda w, gradient, rate: w - gradient / rate,
                      "You divide by the learning rate. It says how much of the gradient one step uses: multiply."),
        Misconception("the gradient is called", lambda w, gradient, rate: w - rate * gradient(w),
                      "In this question `gradient` is an array, the slopes at w; they are computed already. Use it as "
                      "it is, without calling it."),
        Misconception("a weighted mean", lambda w, gradient, rate: (1 - rate) * w - rate * gradient,
                      "You also shrink w by (1 - rate). Plain descent leaves w whole and subtracts rate * gradient."),
    ],
    alternatives=[
        lambda w, gradient, rate: np.add(w, np.multiply(-rate, gradient)),
        lambda w, gradient, rate: (np.asarray(w) - rate * np.asarray(gradient)).astype(np.float32),
        lambda w, gradient, rate: [wi - rate * gi for wi, gi in zip(w, gradient, strict=True)],
    ])


# Many steps, and when to stop.

def gradient_descent(gradient, start, rate, tolerance, max_steps):
    path = [np.asarray(start, dtype=float)]
    while len(path) <= max_steps:
        step = rate * gradient(path[-1])
        if np.linalg.norm(step) <= tolerance:
            break
        path.append(path[-1] - step)
    return np.array(path)


def descent_by_recursion(gradient, start, rate, tolerance, max_steps):
    w = np.array(start, dtype=float)
    if max_steps == 0 or rate * np.sqrt(np.sum(gradient(w) ** 2)) <= tolerance:
        return [w]
    return [w, *descent_by_recursion(gradient, w - rate * gradient(w), rate, tolerance, max_steps - 1)]


def descent_with_break(gradient, start, rate, tolerance, max_steps):
    w, path = np.array(start, dtype=float), [np.array(start, dtype=float)]
    for _ in range(max_steps):
        g = gradient(w)
        if not rate * np.linalg.norm(g) > tolerance:
            break
        w -= rate * g
        path.append(w.copy())
    return path


def descent(sign=-1, rule=lambda step, rate: np.linalg.norm(step), stale=False, late=False, one_more=False):
    """A gradient_descent with one thing wrong; with the defaults it is right."""
    def wrong(gradient, start, rate, tolerance, max_steps):
        path = [np.asarray(start, dtype=float)]
        for _ in range(max_steps + one_more):
            step = rate * gradient(path[0] if stale else path[-1])
            if not late and rule(step, rate) <= tolerance:
                break
            path.append(path[-1] + sign * step)
            if late and rule(step, rate) <= tolerance:
                break
        return np.array(path)
    return wrong


def gradient_not_called(gradient, start, rate, tolerance, max_steps):
    return rate * gradient


def same_array_again(gradient, start, rate, tolerance, max_steps):
    w = np.array(start, dtype=float)
    path = [w]
    while len(path) <= max_steps and rate * np.linalg.norm(gradient(w)) > tolerance:
        w -= rate * gradient(w)
        path.append(w)
    return np.array(path)


def bowl(rng, size, flattest=0.5, steepest=4):
    curvature, center = rng.uniform(flattest, steepest, size), rng.normal(size=size)
    return lambda w: curvature * (w - center)


GRADIENT_DESCENT = Exercise(
    "gradient_descent", 3, gradient_descent,
    forbidden=("nnlib.SGD", "nnlib.widgets.descent.descend"),
    cases=[
        Case("the bowl w^2 from w = 1, by hand",
             lambda rng: (lambda w: 2 * w, np.array([1.0]), 0.25, 0.1, 100),
             hint="The answer is the whole path, an array or list of all points from the start on, each shaped like "
                  "start."),
        Case("a bowl in three dimensions",
             lambda rng: (bowl(rng, 3), rng.normal(size=3) + 3, 0.2, 1e-4, 500),
             hint="Stop before the first step that is not longer than tolerance: rate * np.linalg.norm(gradient(w))."),
        Case("weights in a matrix",
             lambda rng: (bowl(rng, (2, 3), 0.95, 1.05), rng.normal(size=(2, 3)) - 3, 0.1, 1e-3, 500),
             hint="The length of a matrix is the root of the sum of all its squared entries, as np.linalg.norm gives "
                  "it."),
        Case("max_steps comes first",
             lambda rng: (bowl(rng, 2), rng.normal(size=2) + 4, 0.01, 1e-9, int(rng.integers(5, 12))),
             hint="max_steps counts steps, and the start is no step: the path then has max_steps + 1 points."),
        Case("nothing to do at the minimum",
             lambda rng: (lambda w: w - 2, np.full(int(rng.integers(2, 5)), 2.0), 0.3, 0.0, 50),
             hint="At the start the gradient is already zero: no step is taken, and the path is the start alone. (A "
                  "step of length 0 is at most as long as a tolerance of 0.)"),
    ],
    misconceptions=[
        Misconception("uphill", descent(sign=1), "Your path climbs: the gradient points uphill, so subtract it."),
        Misconception("only the end", lambda *a: gradient_descent(*a)[-1],
                      "You return the last point. The question asks for all of them, the start first."),
        Misconception("without the start", lambda *a: gradient_descent(*a)[1:],
                      "The path begins with the start itself; yours begins after the first step."),
        Misconception("the gradient's norm", descent(rule=lambda step, rate: np.linalg.norm(step) / rate),
                      "You compare the norm of the gradient with the tolerance. The rule of this question measures the "
                      "step, rate * norm(gradient)."),
        Misconception("never stops early", descent(rule=lambda step, rate: np.inf),
                      "You always take max_steps steps. Stop as soon as the next step would be no longer than "
                      "tolerance."),
        Misconception("step first, test after", descent(late=True),
                      "You take the short step and then stop. Walk while the step is longer than tolerance: the test "
                      "comes before the step."),
        Misconception("the same array again and again", same_array_again,
                      "All points of your path are equal: `w -= ...` changes the one array that the list holds many "
                      "times. Make a new array, w = w - ..., or append w.copy()."),
        Misconception("the gradient is not called", gradient_not_called,
                      "In this question `gradient` is a function. Call it where you are: gradient(w) is an array, and "
                      "the step is rate times that."),
        Misconception("the gradient of the start", descent(stale=True),
                      "All your steps are equal. Compute the gradient anew at every point where you arrive."),
        Misconception("squared length", descent(rule=lambda step, rate: np.sum(step**2)),
                      "You compare the squared length of the step with the tolerance, and so stop too early. Take the "
                      "root."),
        Misconception("largest component", descent(rule=lambda step, rate: np.abs(step).max()),
                      "You measure the largest component of the step. Its length is the root of the sum of squares."),
        Misconception("no limit", lambda *a: gradient_descent(*a[:4], 10000),
                      "Your walk ends only when its steps are short. It must also end after max_steps steps."),
        Misconception("one step too few", lambda *a: gradient_descent(*a[:4], a[4] - 1),
                      "When nothing else stops it, your loop takes max_steps - 1 steps. The start is a point and no "
                      "step: a path of max_steps steps has max_steps + 1 points."),
        Misconception("one step too many", descent(one_more=True),
                      "When nothing else stops it, your loop takes max_steps + 1 steps. The start counts as a point, "
                      "not as a step."),
    ],
    alternatives=[descent_by_recursion, descent_with_break,
                  lambda *a: gradient_descent(*a).astype(np.float32)])


# Mini-batches.

def minibatches(X, t, batch_size, rng):
    order = rng.permutation(len(X))
    for first in range(0, len(X), batch_size):
        rows = order[first:first + batch_size]
        yield X[rows], t[rows]


def batches_by(order, sizes=None):
    """A minibatches that takes the rows in `order(n, rng)`; `sizes(n, batch_size)` gives the cuts."""
    def answer(X, t, batch_size, rng):
        rows = order(len(X), rng)
        cuts = range(batch_size, len(X), batch_size) if sizes is None else sizes(len(X), batch_size)
        return [(X[part], t[part]) for part in np.split(rows, cuts)]
    return answer


def with_replacement(X, t, batch_size, rng):
    for first in range(0, len(X), batch_size):
        rows = rng.integers(0, len(X), min(batch_size, len(X) - first))
        yield X[rows], t[rows]


def shuffled_apart(X, t, batch_size, rng):
    X, t = rng.permutation(X), rng.permutation(t)
    return [(X[i:i + batch_size], t[i:i + batch_size]) for i in range(0, len(X), batch_size)]


def shuffled_in_place(X, t, batch_size, rng):
    order = rng.permutation(len(X))
    X[:], t[:] = X[order], t[order]
    return [(X[i:i + batch_size], t[i:i + batch_size]) for i in range(0, len(X), batch_size)]


def shuffled_in_place_apart(X, t, batch_size, rng):
    rng.shuffle(X)
    rng.shuffle(t)
    return [(X[i:i + batch_size], t[i:i + batch_size]) for i in range(0, len(X), batch_size)]


def row_numbers(X, t, batch_size, rng):
    order = rng.permutation(len(X))
    return [order[i:i + batch_size] for i in range(0, len(X), batch_size)]


def batches_shuffled(X, t, batch_size, rng):
    for first in batch_size * rng.permutation(-(-len(X) // batch_size)):
        yield X[first:first + batch_size], t[first:first + batch_size]


def one_by_one(X, t, batch_size, rng):
    left, batches = list(range(len(X))), []
    while left:
        rows = [left.pop(rng.integers(len(left))) for _ in range(min(batch_size, len(left)))]
        batches.append([X[rows], t[rows]])
    return batches


def examples(n, batch_size):
    return lambda rng: (rng.normal(size=(n, 2)), np.arange(n), batch_size, rng)


def order_of(batches, X):
    """The row of X that each delivered example is, found by its features."""
    rows = np.concatenate([np.asarray(batch[0], dtype=float) for batch in batches])
    return np.abs(rows[:, None] - X[None]).sum(axis=2).argmin(axis=1)


def right_sizes(got, args, expected):
    sizes = [len(X_batch) for X_batch, t_batch in got]
    wanted = [len(X_batch) for X_batch, t_batch in expected]
    if sizes != wanted:
        return f"expected batches of {wanted} examples from {len(args[0])}, got {sizes}"


def each_once(got, args, expected):
    if any(np.ndim(X_batch) != 2 for X_batch, t_batch in got):
        return "each batch is a pair (X_batch, t_batch): the features, of shape (batch, features), come first"
    count = sum(len(X_batch) for X_batch, t_batch in got)
    if count != len(args[0]):
        return f"an epoch has {len(args[0])} examples; your batches hold {count}"
    if len(set(order_of(got, args[0]))) < len(args[0]):
        return "each example must come exactly once in an epoch; some of yours come twice and others never"


def together(got, args, expected):
    targets = np.concatenate([t_batch for X_batch, t_batch in got])
    if not np.array_equal(targets, args[1][order_of(got, args[0])]):
        return "some examples come with the target of another example"


def reshuffled(got, args, expected):
    first, second = (order_of(epoch, args[0]) for epoch in got)
    if np.array_equal(first, np.arange(len(first))):
        return "the examples come in the order in which they are stored"
    if np.array_equal(first, second):
        return "two epochs have the same order: shuffle anew in each"


def from_rng(got, args, expected):
    first, again, other = (order_of(epoch, args[0]) for epoch in got)
    if not np.array_equal(first, again):
        return "two generators with the same seed should give the same order, and yours differ"
    if np.array_equal(first, other):
        return "generators with different seeds should give different orders, and yours are the same"


def mixed(got, args, expected):
    if all(np.ptp(np.sort(order_of([batch], args[0]))) == len(batch[0]) - 1 for batch in got):
        return "each of your batches holds neighbors of the stored order: only whole batches were shuffled"


def two_epochs(minibatches, X, t, batch_size, rng):
    return [list(minibatches(X, t, batch_size, rng)), list(minibatches(X, t, batch_size, rng))]


def three_seeds(minibatches, X, t, batch_size, seed):
    return [list(minibatches(X, t, batch_size, np.random.default_rng(s))) for s in (seed, seed, seed + 1)]


MINIBATCHES = Exercise(
    "minibatches", 3, minibatches,
    forbidden=("nnlib.widgets.descent.minibatches",),
    cases=[
        Case("ten examples by four", examples(10, 4), judge=right_sizes,
             hint="Ten examples make pairs (X_batch, t_batch) of 4, 4 and 2 examples: the last one is smaller and "
                  "kept."),
        Case("every example once", examples(21, 5), judge=each_once),
        Case("X and t stay together", examples(17, 4), judge=together,
             hint="Draw one order and use it for both: X[rows], t[rows]."),
        Case("twelve by four, five by eight", lambda rng: (rng.normal(size=(12, 2)), np.arange(12), rng),
             call=lambda minibatches, X, t, rng: [*minibatches(X, t, 4, rng),
                                                  *minibatches(X[:5], t[:5], 8, rng)],
             judge=right_sizes,
             hint="Twelve by four makes three batches and no empty fourth; five by eight makes one."),
        Case("a new order in each epoch", examples(30, 7), call=two_epochs, judge=reshuffled),
        Case("the order comes from rng",
             lambda rng: (rng.normal(size=(30, 2)), np.arange(30), 7, int(rng.integers(1000))),
             call=three_seeds, judge=from_rng,
             hint="Use the generator that you are given, e.g. rng.permutation(len(X))."),
        Case("examples are mixed, not only batches", examples(40, 4), judge=mixed),
    ],
    misconceptions=[
        Misconception("row numbers", row_numbers,
                      "You return row numbers, as the function of the chapter does. Here each batch is a pair of the "
                      "examples themselves: (X[rows], t[rows])."),
        Misconception("only the first batch", lambda *a: next(minibatches(*a)),
                      "You return a single batch. Is `return` inside the loop? Collect all batches in a list, or write "
                      "`yield` in place of `return`."),
        Misconception("two lists", lambda *a: tuple(zip(*minibatches(*a))),
                      "You return the batches of X and those of t in two lists. Return one list of pairs (X_batch, "
                      "t_batch)."),
        Misconception("with replacement", with_replacement,
                      "You draw anew for every batch, so an example may come twice in an epoch and another never. Draw "
                      "one order of all examples and cut it into batches."),
        Misconception("the last batch dropped",
                      lambda X, t, size, rng: [b for b in minibatches(X, t, size, rng) if len(b[0]) == size],
                      "When batch_size does not divide the number of examples you leave the rest out. Keep the smaller "
                      "last batch."),
        Misconception("shuffled apart", shuffled_apart,
                      "You shuffle X and t with two different orders, and each image gets the label of another. Draw "
                      "one order and use it for both."),
        Misconception("not shuffled", batches_by(lambda n, rng: np.arange(n)),
                      "Your batches follow the stored order. A file sorted by class would then give batches of one "
                      "class."),
        Misconception("the same order every epoch",
                      batches_by(lambda n, rng: np.random.default_rng(0).permutation(n)),
                      "You make a generator of your own with a fixed seed, so every epoch repeats the same batches. "
                      "Use `rng`."),
        Misconception("the global generator",
                      batches_by(lambda n, rng: np.random.permutation(n)),  # noqa: NPY002
                      "np.random.permutation uses NumPy's global generator, and `rng` is ignored: nobody can repeat "
                      "your run. Write rng.permutation."),
        Misconception("only whole batches shuffled", batches_shuffled,
                      "You shuffle the order of the batches, but each holds the same neighbors in every epoch. Shuffle "
                      "the examples."),
        Misconception("an empty last batch", batches_by(lambda n, rng: rng.permutation(n),
                                                        lambda n, size: range(size, n + 1, size)),
                      "When batch_size divides the number of examples you add an empty batch; the mean over it is not "
                      "a number."),
        Misconception("number and size confused",
                      lambda X, t, size, rng: [(X[rows], t[rows])
                                               for rows in np.array_split(rng.permutation(len(X)), size)],
                      "You make batch_size batches. It is the size of a batch, not their number."),
        Misconception("shuffled in place", shuffled_in_place,
                      "You rearrange the caller's arrays. Leave X and t as they are; take rows by an order: X[rows]."),
        Misconception("shuffled in place and apart", shuffled_in_place_apart,
                      "rng.shuffle rearranges the caller's arrays, and each by an order of its own. Draw one order "
                      "with rng.permutation(len(X)) and take X[rows] and t[rows]."),
    ],
    alternatives=[batches_by(lambda n, rng: rng.permutation(n)), one_by_one,
                  batches_by(lambda n, rng: np.argsort(rng.random(n))),
                  batches_by(lambda n, rng: rng.choice(n, n, replace=False))])


# Reading a trace.

def diagnose_trace(losses):
    losses = np.asarray(losses, dtype=float)
    changes = np.diff(losses)
    rises, falls = changes[changes > 0].sum(), -changes[changes < 0].sum()
    if not np.all(np.isfinite(losses)) or rises > 0.1 * falls:
        return "too large"
    lately = losses[-1 - len(changes) // 10] - losses[-1]
    return "too small" if lately > 0.01 * (losses[0] - losses[-1]) else "converged"


def diagnose(finite=True, too_large=lambda rises, falls, losses: rises > 0.1 * falls,
             still_falling=lambda lately, losses: lately > 0.01 * (losses[0] - losses[-1]), window=10,
             labels=("too large", "too small", "converged")):
    """A diagnose_trace with one thing changed; with the defaults it is right."""
    def answer(losses):
        losses = np.asarray(losses, dtype=float)
        changes = np.diff(losses)
        lately = losses[-1 - max(1, len(changes) // window)] - losses[-1]
        rises, falls = changes[changes > 0].sum(), -changes[changes < 0].sum()
        if finite and not np.isfinite(losses).all() or too_large(rises, falls, losses):
            return labels[0]
        return labels[1] if still_falling(lately, losses) else labels[2]
    return answer


def diagnose_by_loop(losses):
    rises = falls = 0.0
    for before, after in zip(losses[:-1], losses[1:], strict=True):
        if not np.isfinite(before) or not np.isfinite(after):
            return "too large"
        rises, falls = rises + max(after - before, 0), falls + max(before - after, 0)
    if rises > falls / 10:
        return "too large"
    tenth = (len(losses) - 1) // 10
    if 100 * (losses[len(losses) - 1 - tenth] - losses[-1]) > losses[0] - losses[-1]:
        return "too small"
    return "converged"


def slow(rng):
    return rng.uniform(0.5, 2) * rng.uniform(0.9975, 0.999) ** np.arange(rng.integers(80, 160))


def settled(rng):
    return rng.uniform(0.5, 2) * rng.uniform(0.6, 0.85) ** np.arange(rng.integers(80, 160))


def exploding(rng):
    return rng.uniform(0.5, 2) * rng.uniform(1.01, 1.2) ** np.arange(rng.integers(80, 160))


def bouncing(rng):
    """Falls at first, then swings between two values, always below the start."""
    steps = np.arange(rng.integers(80, 160))
    return 1 + 3 * 0.7**steps + rng.uniform(0.2, 0.4) * (-1.0)**steps


def bumpy(rng):
    """Settles, with one small bump on the way."""
    losses = settled(rng)
    losses[12:] += 0.03 * losses[0] * 0.5 ** np.arange(len(losses) - 12)
    return losses + 0.4


def late(rng):
    """Settles late: a percent of the fall is left at half time, but not in the last tenth."""
    return rng.uniform(0.5, 2) * 0.95 ** np.arange(rng.integers(95, 105))


def jittery(rng):
    """Settles, and then trembles a little in every step."""
    losses = settled(rng)
    return losses + 0.4 + 2e-4 * losses[0] * rng.normal(size=len(losses))


def staircase(steps, first=0, second=0, before=0, early=0, last=0, rise=0):
    """Losses that end at 0 and fall in five steps by these amounts.

    The first and second step, the one before the last tenth of the steps, the first and the last one in it. In the
    middle they rise once.
    """
    changes = np.zeros(steps)
    changes[[0, 1, -(steps // 10) - 1, -(steps // 10), -1]] = -first, -second, -before, -early, -last
    changes[steps // 2] = rise
    return np.append(0, np.cumsum(changes)) - changes.sum()


def borders(rng):
    """Traces just on either side of each border, in small units; whole numbers where a sum must be exact."""
    steps, unit = 10 * int(rng.integers(12, 16)), 0.5 ** rng.integers(8, 12)
    near = [dict(second=97, early=3), dict(second=97, last=3), dict(second=98.995, early=1.005),
            dict(first=99.005, last=0.995), dict(first=60, second=39.4, last=0.6), dict(first=99, early=1),
            dict(first=100, rise=10), dict(first=100, rise=9.3), dict(first=100, rise=10.7)]
    return shuffle(rng, *(unit * staircase(steps, **falls) for falls in near),
                   staircase(steps + 9, second=97, before=3), staircase(steps, first=100, rise=9).tolist())


def shuffle(rng, *traces):
    return tuple(traces[i] for i in rng.permutation(len(traces)))


def ending_in(losses, *values):
    losses[-len(values):] = values
    return losses


DIAGNOSE_TRACE = Exercise(
    "diagnose_trace", 2, diagnose_trace,
    forbidden=("nnlib.widgets.descent.trace_verdict",),
    call=lambda diagnose_trace, *traces: [diagnose_trace(trace) for trace in traces],
    cases=[
        Case("three traces of 21 losses",
             lambda rng: (np.linspace(1, 0.8, 21), 0.5 ** np.arange(21), 1.3 ** np.arange(21)),
             hint="Print the sum of the rises, the sum of the falls and the fall over the last tenth for "
                  "np.linspace(1, 0.8, 21): they are 0, 0.2 and 0.02."),
        Case("a slow, a settled and an exploding descent",
             lambda rng: shuffle(rng, slow(rng), settled(rng), exploding(rng)),
             hint="Each test compares sums: all rises with all falls, the fall over the last tenth of the steps with "
                  "the whole fall."),
        Case("a loss that bounces but never exceeds its start",
             lambda rng: shuffle(rng, bouncing(rng), settled(rng), slow(rng)),
             hint="A loss may swing up and down and still end below where it began. Add up all rises and all falls."),
        Case("a loss that is or becomes nan",
             lambda rng: shuffle(rng, ending_in(exploding(rng), np.inf, np.nan), np.append(np.nan, settled(rng)),
                                 ending_in(settled(rng), np.nan), slow(rng)),
             hint="Comparisons with nan are false, whatever they ask. Test np.isfinite first."),
        Case("the same in other units",
             lambda rng: shuffle(rng, 1e-6 * slow(rng), 1e6 * settled(rng),
                                 300 + settled(rng), 300 + slow(rng)),
             hint="A loss in other units has the same shape. Compare falls with falls, not with fixed numbers."),
        Case("a small bump, a little trembling",
             lambda rng: shuffle(rng, bumpy(rng), jittery(rng), slow(rng)),
             hint="A little rise is no divergence: the rises count when their sum is more than a tenth of the falls."),
        Case("settled late", lambda rng: shuffle(rng, late(rng), slow(rng)),
             hint="Only the last tenth of the steps tells whether the loss is still falling."),
        Case("close to the borders", borders,
             hint="Each of these traces is a hair's breadth from another answer. Compare all rises with a tenth of all "
                  "falls, and the fall of exactly s // 10 steps with 1% of that from the first loss to the last."),
    ],
    misconceptions=[
        Misconception("small and large exchanged", diagnose(labels=("too small", "too large", "converged")),
                      "You exchanged the labels. A rate that is too large makes the loss bounce or grow; one that is "
                      "too small leaves it still falling at the end."),
        Misconception("nan overlooked", diagnose(finite=False),
                      "The trace that ends as nan is 'converged' for you: every comparison with nan is false. Test "
                      "np.isfinite first."),
        Misconception("falls counted as negative",
                      diagnose(too_large=lambda rises, falls, losses: rises > -0.1 * falls),
                      "Every trace is 'too large' for you. Are your falls negative? The changes downward add up to a "
                      "negative number; turn its sign before you compare."),
        Misconception("only the ends",
                      diagnose(too_large=lambda rises, falls, losses: losses[-1] > losses[0]),
                      "You compare the last loss with the first. A loss that bounces may end below its start and yet "
                      "get nowhere."),
        Misconception("any rise", diagnose(too_large=lambda rises, falls, losses: rises > 0),
                      "You call any rise 'too large', even one of 1e-15 from rounding. The rises must exceed a tenth "
                      "of the falls."),
        Misconception("only the last step", diagnose(window=10**9),
                      "You look at the last step alone. A slow descent does little in one step: look at the last tenth "
                      "of the steps."),
        Misconception("the last half", diagnose(window=2),
                      "You look at the last half of the steps. A loss may settle within it: take the last tenth."),
        Misconception("how often instead of how much",
                      diagnose(too_large=lambda rises, falls, losses: np.mean(np.diff(losses) > 0) > 0.1),
                      "You count the rising steps. Many may be tiny: add up how far they rise."),
        Misconception("a fixed threshold", diagnose(still_falling=lambda lately, losses: lately > 0.01),
                      "You compare the latest fall with a fixed number. Multiply all losses by 1,000 and your label "
                      "changes; compare with the whole fall."),
        Misconception("a small loss", diagnose(still_falling=lambda lately, losses: losses[-1] > 0.1),
                      "You ask whether the last loss is small. A loss may settle at 0.4 because no better weights "
                      "exist."),
        Misconception("compared with the last loss",
                      diagnose(still_falling=lambda lately, losses: lately > 0.01 * losses[-1]),
                      "You compare the latest fall with the last loss. Near zero every loss still falls by some "
                      "percent of itself; compare with the whole fall, losses[0] - losses[-1]."),
        Misconception("falls never measured", diagnose(still_falling=lambda lately, losses: False),
                      "You call everything that does not diverge 'converged'. Is the loss still falling at the end?"),
    ],
    alternatives=[diagnose(), diagnose_by_loop, lambda losses: diagnose_trace(list(losses))])


# The largest stable rate.

def stable(gradient, start, rate, steps=200):
    w = np.asarray(start, dtype=float)
    for _ in range(steps):
        w = w - rate * gradient(w)
    return np.linalg.norm(gradient(w)) <= np.linalg.norm(gradient(start))


def largest_stable_rate(gradient, start, low, high):
    while high - low > 1e-3:
        rate = (low + high) / 2
        if stable(gradient, start, rate):
            low = rate
        else:
            high = rate
    return (low + high) / 2


def bisection(test=stable, width=1e-3, wrong_half=False):
    """A largest_stable_rate with one thing changed; with the defaults it is right."""
    def answer(gradient, start, low, high):
        while high - low > width:
            rate = (low + high) / 2
            if test(gradient, start, rate) != wrong_half:
                low = rate
            else:
                high = rate
        return low
    return answer


def not_unstable(gradient, start, rate):
    w = start
    for _ in range(200):
        w = w - rate * gradient(w)
    return not np.linalg.norm(gradient(w)) > np.linalg.norm(gradient(start))


def start_not_reset(gradient, start, low, high):
    w = start
    while high - low > 1e-3:
        rate = (low + high) / 2
        for _ in range(200):
            w = w - rate * gradient(w)
        low, high = (rate, high) if np.linalg.norm(gradient(w)) <= np.linalg.norm(gradient(start)) else (low, rate)
    return (low + high) / 2


def start_moved(gradient, start, low, high):
    while high - low > 1e-3:
        rate, w = (low + high) / 2, start
        for _ in range(200):
            w -= rate * gradient(w)
        low, high = (rate, high) if np.linalg.norm(gradient(w)) <= np.linalg.norm(gradient(start)) else (low, rate)
    return (low + high) / 2


def power_iteration(gradient, start, low, high):
    """L by power iteration on differences of gradients, then 2 / L."""
    v, origin = np.random.default_rng(0).normal(size=np.shape(start)), gradient(start)
    for _ in range(100):
        v = v / np.linalg.norm(v)
        v = gradient(start + v) - origin
    return 2 / np.linalg.norm(v)


def stops_when_far(gradient, start, low, high):
    first = np.linalg.norm(gradient(start))
    for _ in range(20):
        rate, w = low + (high - low) / 2, np.array(start)
        for _ in range(400):
            w -= rate * gradient(w)
            if (now := np.linalg.norm(gradient(w))) > 1e6 * first or now < 1e-6 * first:
                break
        low, high = (rate, high) if now <= first else (low, rate)
    return high


def tilted_bowl(rng, curvature, far=0.0):
    """The gradient of a bowl with these curvatures, its axes turned, and a start.

    The minimum lies opposite the start, seen from the origin, or about `far` away from both.
    """
    turn, _ = np.linalg.qr(rng.normal(size=(len(curvature), len(curvature))))
    A, start = turn * curvature @ turn.T, turn.sum(axis=1)
    center = far * rng.normal(size=len(curvature)) if far else -start / 2
    return lambda w: A @ (w - center), center + start


def rate_question(curvature, low, high, far=0.0):
    """Arguments for curvatures drawn by curvature(rng) and a bracket in units of 1 / L."""
    def make(rng):
        values = curvature(rng)
        return *tilted_bowl(rng, values, far), low / values.max(), high / values.max()
    return make


CLOSE = Tolerance(0, 2.5e-3, "the bisection stops at 1e-3, and some hundred steps show growth only from about 1e-3 "
                             "beyond 2/L")
LARGEST_STABLE_RATE = Exercise(
    "largest_stable_rate", 3, largest_stable_rate,
    cases=[
        Case("the bowl 2 w^2", lambda rng: (lambda w: 4 * w, np.array([1.0]), 0.0, 1.3), tolerance=CLOSE,
             hint="Return one number inside the last interval, after halving it until it is at most 1e-3 wide."),
        Case("two curvatures, axes turned",
             rate_question(lambda rng: rng.uniform(3, 6) * np.array([1, 0.3]), 0.1, 5),
             tolerance=CLOSE,
             hint="Each trial begins at start, takes all 200 steps, and compares gradients, not places."),
        Case("five curvatures",
             rate_question(lambda rng: rng.uniform(2, 4) * np.array([0.2, 0.4, 0.5, 0.7, 1]), 0, 3.3, far=1e5),
             tolerance=CLOSE, hint="The slow directions hide the steepest one for a while: take all 200 steps."),
        Case("rates at which the numbers overflow",
             rate_question(lambda rng: rng.uniform(2, 5) * np.array([0.4, 1]), 0, 900),
             tolerance=CLOSE,
             hint="After an overflow w holds inf or nan. Which answer does your test of stability give then?"),
    ],
    misconceptions=[
        Misconception("nan counts as stable", bisection(not_unstable),
                      "After an overflow the gradient is nan, and `nan > x` is False, so your test does not see the "
                      "explosion. Ask what must hold for a stable rate, norm <= first, and nan fails it."),
        Misconception("the start is not reset", start_not_reset,
                      "Your trials go on from where the one before them ended, so a bad rate spoils all later ones. "
                      "Set w = start before the steps of each trial."),
        Misconception("the start is moved", start_moved,
                      "`w -= ...` moves `start` itself, so later trials begin elsewhere. Write w = w - ..."),
        Misconception("the wrong half", bisection(wrong_half=True),
                      "You keep the wrong half: when the middle is stable, the border lies above it, so low moves up."),
        Misconception("one step only", bisection(lambda g, s, r: stable(g, s, r, 1)),
                      "You test a single step. Along one axis it may grow while the others still shrink; only many "
                      "steps tell."),
        Misconception("too wide a bracket", bisection(width=0.1),
                      "You stop while low and high are still far apart. Go on until they differ by no more than 1e-3."),
        Misconception("no overshoot allowed", lambda *a: largest_stable_rate(*a) / 2,
                      "You found 1/L: the rate above which steps overshoot. They may overshoot and still come closer, "
                      "up to 2/L."),
        Misconception("the curvature", lambda *a: 2 / largest_stable_rate(*a),
                      "You return the curvature L. The rate asked for is 2 / L."),
        Misconception("uphill", bisection(lambda g, s, r: stable(g, s, -r)),
                      "For you no rate is stable: do your steps go uphill? Subtract rate * gradient."),
        Misconception("the middle of the bracket", lambda gradient, start, low, high: (low + high) / 2,
                      "You return the middle of the first bracket. Halve it again and again, keeping the half with the "
                      "border."),
    ],
    alternatives=[bisection(), power_iteration, stops_when_far])


# All of it together.

def sgd(gradient, w, X, t, rate, batch_size, epochs, rng):
    for _ in range(epochs):
        for X_batch, t_batch in minibatches(X, t, batch_size, rng):
            w = gradient_step(w, gradient(w, X_batch, t_batch), rate)
    return w


def sgd_by_index(gradient, w, X, t, rate, batch_size, epochs, rng):
    w = np.array(w, dtype=float)
    for _ in range(epochs):
        order = np.argsort(rng.random(len(t)))
        while len(order):
            rows, order = order[:batch_size], order[batch_size:]
            w -= rate * gradient(w, X[rows], t[rows])
    return w


def loops_exchanged(gradient, w, X, t, rate, batch_size, epochs, rng):
    for X_batch, t_batch in minibatches(X, t, batch_size, rng):
        for _ in range(epochs):
            w = w - rate * gradient(w, X_batch, t_batch)
    return w


def one_step_an_epoch(gradient, w, X, t, rate, batch_size, epochs, rng):
    for _ in range(epochs):
        w = w - rate * sum(gradient(w, *batch) for batch in minibatches(X, t, batch_size, rng))
    return w


def last_batch_only(gradient, w, X, t, rate, batch_size, epochs, rng):
    for _ in range(epochs):
        for batch in minibatches(X, t, batch_size, rng):
            new = w - rate * gradient(w, *batch)
        w = new
    return w


def whole_path(gradient, w, X, t, rate, batch_size, epochs, rng):
    path = [w]
    for _ in range(epochs):
        for batch in minibatches(X, t, batch_size, rng):
            path.append(path[-1] - rate * gradient(path[-1], *batch))
    return path


def sgd_in_place(gradient, w, X, t, rate, batch_size, epochs, rng):
    for _ in range(epochs):
        for batch in minibatches(X, t, batch_size, rng):
            w -= rate * gradient(w, *batch)
    return w


def sgd_with(once=False, stale=False, batches_once=False, whole_data=False, sign=1, first_batch=False):
    """An sgd with one thing wrong; with the defaults it is right."""
    def answer(gradient, w, X, t, rate, batch_size, epochs, rng):
        start, batches = w, None
        for _ in range(1 if once else epochs):
            if batches is None or not batches_once:
                batches = list(minibatches(X, t, batch_size, rng))
            for X_batch, t_batch in batches[:1] if first_batch else batches:
                X_used, t_used = (X, t) if whole_data else (X_batch, t_batch)
                w = w - sign * rate * gradient(start if stale else w, X_used, t_used)
        return w
    return answer


def linear_gradient(w, X, t):
    return X.T @ (X @ w - t) / len(t)


def regression(n, batch_size, rate, epochs):
    """A straight-line problem whose targets have no noise, so that one w fits every batch."""
    def make(rng):
        X = rng.normal(size=(n, 3))
        return rng.normal(size=3), X, X @ np.array([1.0, -2.0, 0.5]) + 0.1, rate, batch_size, epochs, rng
    return make


def watched(sgd, w, X, t, rate, batch_size, epochs, rng):
    """The targets of every batch whose gradient was asked for."""
    seen = []
    def gradient(w, X_batch, t_batch):
        seen.append(np.array(t_batch))
        return linear_gradient(w, X_batch, t_batch)
    sgd(gradient, w, X, t, rate, batch_size, epochs, rng)
    return seen


def whole_epochs(got, args, expected):
    if [len(batch) for batch in got] != [len(batch) for batch in expected]:
        return (f"expected {len(expected)} gradients, of {[len(b) for b in expected[:4]]} ... examples; "
                f"got {len(got)}, of {[len(b) for b in got[:4]]} ...")
    first, second = np.array_split(np.concatenate(got), args[5])[:2]
    if not np.array_equal(np.sort(first), np.sort(second)):
        return "an epoch must hold every example once"
    if np.array_equal(first, second):
        return "the second epoch repeats the batches of the first: make new ones in every epoch"


def with_linear_gradient(sgd, w, X, t, rate, batch_size, epochs, rng):
    return sgd(linear_gradient, w, X, t, rate, batch_size, epochs, rng)


SGD = Exercise(
    "sgd", 2, sgd,
    forbidden=("nnlib.SGD", "nnlib.fit", "nnlib.widgets.descent.batch_descent"),
    cases=[
        Case("one batch with all examples is plain descent", regression(8, 8, 0.2, 5),
             call=with_linear_gradient,
             hint="One batch per epoch makes one step per epoch: `epochs` steps of w - rate * gradient(w, X, t)."),
        Case("the batches of three epochs", regression(11, 4, 0.05, 3), call=watched, judge=whole_epochs,
             hint="An epoch is one new call of minibatches; take one gradient and one step for each of its batches."),
        Case("it finds the weights behind the data",
             lambda rng: (rng.normal(size=2), X := rng.normal(size=(40, 2)), X @ [1.5, -0.5],
                          0.2, 5, 20, rng),
             call=with_linear_gradient,
             tolerance=Tolerance(0, 1e-3, "the batches come in another order in each answer"),
             hint="Every batch moves w, and the next gradient is taken where that step has led."),
    ],
    misconceptions=[
        Misconception("one epoch", sgd_with(once=True),
                      "Your weights are those after one epoch. Is `return` inside the outer loop? Or did you make the "
                      "batches before it? A generator gives them only once: call minibatches anew in every epoch."),
        Misconception("divided by the batch size",
                      lambda g, w, X, t, rate, size, epochs, rng: sgd(g, w, X, t, rate / size, size, epochs, rng),
                      "Your steps are too short by the factor batch_size. gradient(...) is that of the mean loss "
                      "already; do not divide again."),
        Misconception("the gradient of the start", sgd_with(stale=True),
                      "All your gradients are taken at the first w. Take each at the w that the step before it gave."),
        Misconception("the same batches in every epoch", sgd_with(batches_once=True),
                      "You make the batches once, before the loop over epochs. Make new ones inside it."),
        Misconception("the whole data in each step", sgd_with(whole_data=True),
                      "You give X and t to the gradient, not the batch: each step costs a whole epoch."),
        Misconception("uphill", sgd_with(sign=-1), "Your weights run away: subtract rate times the gradient."),
        Misconception("loops exchanged", loops_exchanged,
                      "You repeat each batch `epochs` times before the next. Epochs are the outer loop, batches the "
                      "inner."),
        Misconception("one step an epoch", one_step_an_epoch,
                      "You add up the gradients of an epoch and take one step. Take a step after each batch."),
        Misconception("only the last batch counts", last_batch_only,
                      "Within an epoch you start every step from the same w and keep the last. Go on from where you "
                      "are."),
        Misconception("the whole path", whole_path, "You return all weights on the way. Return the last ones."),
        Misconception("in place", sgd_in_place,
                      "`w -= ...` changes the caller's starting weights. Write w = w - ..., or call gradient_step."),
        Misconception("one batch per epoch", sgd_with(first_batch=True),
                      "You take one batch and go on to the next epoch. An epoch is over when every example was used."),
    ],
    alternatives=[sgd_by_index, sgd_with(), lambda *a: list(sgd(*a))])


EXERCISES = [GRADIENT_STEP, GRADIENT_DESCENT, MINIBATCHES, DIAGNOSE_TRACE, LARGEST_STABLE_RATE, SGD]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_weights(rng):
    shape = tuple(rng.integers(1, 4, size=rng.integers(1, 4)))
    return rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0, 2)


def any_descent(rng):
    shape = tuple(rng.integers(1, 4, size=rng.integers(1, 4)))
    return (bowl(rng, shape), 5 * rng.normal(size=shape), rng.uniform(0.01, 0.4), 10 ** rng.uniform(-5, 0),
            int(rng.integers(0, 40)))


def any_examples(rng):
    n = int(rng.integers(1, 25))
    return rng.normal(size=(n, 2)), np.arange(n), int(rng.integers(1, 30)), rng


def any_trace(rng):
    """Falls, a rise and a late fall of any size, between steps that change nothing."""
    steps = int(rng.integers(20, 160))
    falls = rng.uniform(0, [50, 50, 2, 2, 1, 12])
    losses = staircase(steps, *falls)
    return (10.0 ** rng.integers(-6, 7) * losses,)


def any_regression(rng):
    return regression(int(rng.integers(9, 30)), int(rng.integers(1, 12)), rng.uniform(0.01, 0.1),
                      int(rng.integers(2, 5)))(rng)


EXEMPT = {"stops_when_far": "takes 50 ms, and half of its mutants only stop later"}
DOMAIN = {
    "gradient_step": [Case("any weights", any_weights)],
    "gradient_descent": [Case("any bowl", any_descent)],
    "minibatches": [Case("right sizes", any_examples, judge=right_sizes),
                    Case("each once", any_examples, judge=each_once), Case("together", any_examples, judge=together)],
    "diagnose_trace": [Case("any trace", any_trace)],
    "sgd": [Case("whole epochs", any_regression, call=watched, judge=whole_epochs),
            Case("plain descent", lambda rng: regression(n := int(rng.integers(1, 12)), n + int(rng.integers(0, 3)),
                                                         rng.uniform(0.01, 0.2), int(rng.integers(0, 6)))(rng),
                 call=with_linear_gradient)],
}
