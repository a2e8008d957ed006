"""ex10, training in practice: the questions of solutions/ex10_training_in_practice and how their answers are tried."""

import math

import numpy as np

import nnlib
from nnlib import SGD, Dropout, Linear, Module, Tensor, cross_entropy
from nnlib.grading import Case, Exercise, Misconception

NAME = "ex10_training_in_practice"


def single(function):
    """The same answer in float32."""
    return lambda *args: tuple(np.asarray(part, dtype=np.float32) for part in function(*args))


# 1 standardize

def standardize(train_X, other_X):
    mean, deviation = train_X.mean(axis=0), train_X.std(axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (train_X - mean) / deviation, (other_X - mean) / deviation


def standardize_by_columns(train_X, other_X):
    columns = []
    for a, b in zip(np.transpose(train_X).tolist(), np.transpose(other_X).tolist(), strict=True):
        mean = sum(a) / len(a)
        deviation = math.sqrt(sum((x - mean) ** 2 for x in a) / len(a)) or 1.0
        columns.append(([(x - mean) / deviation for x in a], [(x - mean) / deviation for x in b]))
    return [np.transpose([pair[0] for pair in columns]).tolist(), np.transpose([pair[1] for pair in columns]).tolist()]


def standardize_nonzero(train_X, other_X):
    scaled = [X - np.mean(train_X, axis=0) for X in (train_X, other_X)]
    moves = np.ptp(train_X, axis=0) > 0
    for X in scaled:
        X[:, moves] /= np.sqrt(np.mean((train_X[:, moves] - train_X[:, moves].mean(axis=0)) ** 2, axis=0))
    return scaled


def standardizer(of=lambda a, b: (a, a), center=np.mean, spread=np.std, axis=0, safe=lambda d: np.where(d == 0, 1, d),
                 shift=1, give=lambda a, b: (a, b)):
    """A standardize with one thing wrong. of(train, other): the arrays whose statistics each of the two gets."""
    def answer(train_X, other_X):
        pairs = zip((train_X, other_X), of(train_X, other_X), strict=True)
        return give(*((X - shift * center(source, axis=axis, keepdims=True)) / safe(
            spread(source, axis=axis, keepdims=True)) for X, source in pairs))
    return answer


def both(a, b):
    return (np.concatenate([a, b]),) * 2


def standardize_in_place(train_X, other_X):
    mean, deviation = train_X.mean(axis=0), train_X.std(axis=0)
    deviation[deviation == 0] = 1
    train_X -= mean
    train_X /= deviation
    return train_X, (other_X - mean) / deviation


def statistics_of_what_is_scaled(train_X, other_X):
    train_X = standardize(train_X, other_X)[0]
    return train_X, standardize(train_X, other_X)[1]


def catch(n, others, constant=False):
    """Fish: meters, grams and, perhaps, a column that never changes in the training set."""
    def make(rng):
        def some(count, shift):
            return np.stack([rng.normal(0.5 + 0.05 * shift, 0.1, count), rng.normal(3000 + 300 * shift, 800, count),
                             rng.normal(-2, 5, count)], axis=1)
        train_X, other_X = some(n, 0), some(others, 1)
        if constant:
            train_X[:, 2] = 4.0
            other_X[:, 2] = 4.0 + rng.integers(0, 3, others)
        return train_X, other_X
    return make


STANDARDIZE = Exercise(
    "standardize", 2, standardize, forbidden=("nnlib.datasets.Normalizer",),
    cases=[
        Case("three fish by hand",
             lambda rng: (np.array([[0.4, 2000.0], [0.5, 3000.0], [0.6, 4000.0]]), np.array([[0.5, 5000.0]])),
             hint="The mean is (0.5, 3000). The deviation is the root of the mean squared distance, (0.0816, 816.5)."),
        Case("twenty fish, and six others", catch(20, 6),
             hint="Mean and deviation are those of train_X, one of each for every column; other_X gets the same."),
        Case("a column that never changes", catch(9, 4, constant=True), points=0.5, no_warnings=True,
             hint="The deviation of a constant column is 0: divide by 1 there, so that it becomes 0 in the training "
                  "set."),
        Case("a single other fish", catch(12, 1),
             hint="One example has no deviation of its own. It gets the numbers of the training set."),
    ],
    misconceptions=[
        Misconception("each by its own", standardizer(of=lambda a, b: (a, b)),
                      "You use the other set's own mean and deviation. It must be put on the ruler of the training "
                      "set, or the network meets inputs on another scale than it learned."),
        Misconception("all data together", standardizer(of=both),
                      "Your statistics are those of both sets together: the leak of the chapter. Take them from "
                      "train_X alone."),
        Misconception("statistics of the others", standardizer(of=lambda a, b: (b, b)),
                      "You take the statistics from other_X. It is the training set that decides."),
        Misconception("one mean for all columns", standardizer(axis=None),
                      "You use one mean and one deviation for the whole table, so meters and grams are mixed. Take "
                      "them for each column: axis=0."),
        Misconception("each fish by itself", standardizer(of=lambda a, b: (a, b), axis=1),
                      "You standardize the rows: each example by itself. A feature is a column: axis=0."),
        Misconception("no care for constants", standardizer(safe=lambda d: d),
                      "Where a column of the training set is constant you divide by 0. Replace a deviation of 0 by 1."),
        Misconception("a small number instead", standardizer(safe=lambda d: d + 1e-8),
                      "A tiny number in place of the deviation 0 turns a small difference in other_X into millions. "
                      "Divide by 1 there."),
        Misconception("constants thrown to zero", lambda train_X, other_X: tuple(
                          np.where(train_X.std(axis=0) == 0, 0, part) for part in standardize(train_X, other_X)),
                      "You set the constant column to 0 in the other set, too. There the value may differ: subtract "
                      "the mean, and divide by 1."),
        Misconception("n - 1", standardizer(spread=lambda X, **k: np.std(X, ddof=1, **k)),
                      "You divide by n - 1 in the deviation. Here it is the root of the mean squared distance, as "
                      "np.std gives it."),
        Misconception("the variance", standardizer(spread=np.var),
                      "You divide by the variance, grams squared. The deviation is its root."),
        Misconception("mean only", standardizer(safe=lambda d: 1),
                      "You subtract the mean and stop there. The scales still differ: divide by the deviation."),
        Misconception("deviation only", standardizer(shift=0),
                      "You divide and do not subtract the mean."),
        Misconception("between 0 and 1", standardizer(center=np.min, spread=np.ptp),
                      "You map the columns to the range from 0 to 1. That is another normalization, too; here mean "
                      "0 and deviation 1 are wanted."),
        Misconception("the training set alone", lambda *a: standardize(*a)[0],
                      "You return the training set only: `return train_scaled, other_scaled`."),
        Misconception("the others first", standardizer(give=lambda a, b: (b, a)),
                      "You return the two sets in the other order. The training set comes first."),
        Misconception("statistics of what is scaled", statistics_of_what_is_scaled,
                      "You scale train_X first and then take its mean and deviation for other_X: by then they are 0 "
                      "and 1. Keep both in names of their own before anything changes."),
        Misconception("in place", standardize_in_place,
                      "The numbers are right, but `-=` and `/=` change the caller's array. Make new ones."),
    ],
    alternatives=[standardize_by_columns, standardize_nonzero, single(standardize), standardizer()])


# 2 split

def split(X, t, held_out, rng):
    order = rng.permutation(len(X))
    kept, test = order[held_out:], order[:held_out]
    return X[kept], t[kept], X[test], t[test]


def split_by(rows, targets=None, give=lambda *parts: parts):
    """A split by rows(X, t, held_out, rng) -> (kept, test); targets: the same for t, where it goes apart."""
    def answer(X, t, held_out, rng):
        kept, test = rows(X, t, held_out, rng)
        t_kept, t_test = targets(X, t, held_out, rng) if targets else (kept, test)
        return give(X[kept], t[t_kept], X[test], t[t_test])
    return answer


def at_random(X, t, held_out, rng):
    order = rng.permutation(len(X))
    return order[held_out:], order[:held_out]


def by_sorting(X, t, held_out, rng):
    order = np.argsort(rng.random(len(X)))
    return order[:len(X) - held_out], order[len(X) - held_out:]


def of_own_seed(X, t, held_out, rng):
    return at_random(X, t, held_out, np.random.default_rng(0))


def with_replacement(X, t, held_out, rng):
    test = rng.integers(0, len(X), held_out)
    return np.setdiff1d(np.arange(len(X)), test), test


def overlapping(X, t, held_out, rng):
    return np.arange(len(X)), rng.permutation(len(X))[:held_out]


def drawn_apart(X, t, held_out, rng):
    return rng.permutation(len(X))[held_out:], rng.permutation(len(X))[:held_out]


def one_lost(X, t, held_out, rng):
    order = rng.permutation(len(X))
    return order[held_out + 1:], order[:held_out]


def split_one_by_one(X, t, held_out, rng):
    test = set(rng.choice(len(X), held_out, replace=False).tolist())
    parts = [], [], [], []
    for i, (x, target) in enumerate(zip(X, t, strict=True)):
        parts[2 * (i in test)].append(x)
        parts[2 * (i in test) + 1].append(target)
    return parts


def split_in_place(X, t, held_out, rng):
    order = rng.permutation(len(X))
    X[:], t[:] = X[order], t[order]
    return X[held_out:], t[held_out:], X[:held_out], t[:held_out]


def table(n, held_out):
    """Rows that can be told apart, sorted by class as in a file; the target tells the row."""
    return lambda rng: (rng.normal(size=(n, 3)), np.arange(n) + 100, held_out, rng)


def row_numbers(part, X):
    """The row of X that each delivered row is."""
    part = np.asarray(part, dtype=float).reshape(-1, X.shape[1])
    return np.abs(part[:, None] - X[None]).sum(axis=2).argmin(axis=1)


def right_parts(got, args, expected):
    X, t, held_out, _ = args
    sizes = [len(part) for part in got]
    wanted = [len(X) - held_out, len(X) - held_out, held_out, held_out]
    if sizes == wanted and any(np.ndim(got[i]) != d for i, d in ((0, 2), (1, 1), (2, 2), (3, 1))):
        return "the order is X_train, t_train, X_test, t_test, and yours is another"
    if sizes != wanted:
        return f"expected parts of {wanted} rows from {len(X)}, got {sizes}"


def every_row_once(got, args, expected):
    X, (train_X, _, test_X, _) = args[0], got
    train, test = row_numbers(train_X, X), row_numbers(test_X, X)
    if len(set(test)) < len(test) or len(set(train)) < len(train):
        return "some examples come twice in one set"
    if set(train) & set(test):
        return "some examples are in both sets: the test set leaks into the training set"
    if len(train) + len(test) < len(X):
        return "some examples are in neither set"


def targets_stay(got, args, expected):
    X, t = args[:2]
    if all(np.array_equal(part, np.sort(part)) for part in (got[1], got[3])) and any(
            np.any(np.diff(row_numbers(part, X)) < 0) for part in (got[0], got[2])):
        return "the rows of X are shuffled and the targets are not"
    for part_X, part_t in (got[:2], got[2:]):
        if not np.array_equal(np.asarray(part_t), t[row_numbers(part_X, X)]):
            return "some examples have the target of another example"


def shuffled(got, args, expected):
    X = args[0]
    first, again, other = (row_numbers(parts[2], X).tolist() for parts in got)
    for end, rows in (("beginning", range(len(first))), ("end", range(len(X) - len(first), len(X)))):
        if sorted(first) == list(rows):
            return f"the test set is the {end} of the file: in a file sorted by class it would hold one class"
    if sorted(first) != sorted(again):
        return "two generators with the same seed should give the same split, and yours differ"
    if sorted(first) == sorted(other):
        return "generators with different seeds should give different splits, and yours are the same"


def three_splits(split, X, t, held_out, seed):
    return [split(X, t, held_out, np.random.default_rng(s)) for s in (seed, seed, seed + 1)]


SPLIT = Exercise(
    "split", 2, split, forbidden=("nnlib.datasets.Dataset.split", "sklearn.model_selection.train_test_split"),
    cases=[
        Case("the sizes of the four parts", table(10, 3), points=0.25, judge=right_parts,
             hint="Ten rows with held_out = 3 make a training set of 7 and a test set of 3: X_train, t_train, X_test, "
                  "t_test."),
        Case("every example in exactly one set", table(23, 6), points=0.25, judge=every_row_once,
             hint="One permutation, cut once: what is before the cut is in no other part."),
        Case("each example keeps its target", table(17, 5), points=0.75, judge=targets_stay,
             hint="Use the same row numbers for X and for t."),
        Case("drawn by rng", lambda rng: (rng.normal(size=(40, 3)), np.arange(40), 10, int(rng.integers(1000))),
             points=0.75, call=three_splits, judge=shuffled,
             hint="rng.permutation(len(X)) is the order to cut."),
    ],
    misconceptions=[
        Misconception("the end of the file", split_by(lambda X, t, k, rng: (np.arange(len(X) - k), np.arange(len(X))[
            len(X) - k:])), "You hold out the last rows. A file is often sorted: shuffle first, with rng."),
        Misconception("the beginning of the file", split_by(lambda X, t, k, rng: (np.arange(k, len(X)), np.arange(k))),
                      "You hold out the first rows as they are stored. Draw an order with rng, then cut it."),
        Misconception("shuffled apart", split_by(at_random, at_random),
                      "You draw one order for X and another one for t, so the targets belong to other examples. It "
                      "is the first bug of the clinic."),
        Misconception("only X is shuffled", split_by(at_random, lambda X, t, k, rng: (
            np.arange(k, len(X)), np.arange(k))), "You shuffle the rows of X and leave t as it was."),
        Misconception("a seed of its own", split_by(of_own_seed),
                      "You make a generator of your own, so every split is the same. Draw from the rng that you get."),
        Misconception("with replacement", split_by(with_replacement),
                      "You draw the test rows with replacement, so some come twice. Cut one permutation."),
        Misconception("trains on all", split_by(overlapping),
                      "Your training set holds all examples, those of the test set too."),
        Misconception("two draws", split_by(drawn_apart),
                      "You draw the training rows and the test rows by two permutations, so they overlap. Draw one "
                      "order and cut it."),
        Misconception("one example lost", split_by(one_lost),
                      "One example is in neither set: where the one part ends the other must begin."),
        Misconception("test set first", split_by(at_random, give=lambda a, b, c, d: (c, d, a, b)),
                      "Your first pair has held_out rows: that is the test set. The order is X_train, t_train, X_test, "
                      "t_test, and held_out is the size of the test set."),
        Misconception("the order of other libraries", split_by(at_random, give=lambda a, b, c, d: (a, c, b, d)),
                      "You return X_train, X_test, t_train, t_test, as another library does. Here it is X_train, "
                      "t_train, X_test, t_test."),
        Misconception("row numbers", lambda X, t, k, rng: (rng.permutation(len(X))[k:], rng.permutation(len(X))[:k]),
                      "You return row numbers. Return the rows: X[kept], t[kept], X[test], t[test]."),
        Misconception("shuffled in place", split_in_place,
                      "The parts are right, but you have also shuffled the caller's arrays. Use X[rows], which makes "
                      "a new one."),
    ],
    alternatives=[split_one_by_one, split_by(by_sorting), split_by(at_random)])


# 3 can_overfit

def can_overfit(train, X, t, rng, examples=10, limit=0.05):
    rows = rng.choice(len(X), examples, replace=False)
    losses = train(X[rows], t[rows])
    return bool(losses[-1] < limit)


def can_overfit_by_permutation(train, X, t, rng, examples=10, limit=0.05):
    order = rng.permutation(len(t))
    return not math.isnan(last := float(train(X[order[:examples]], t[order[:examples]])[-1])) and last < limit


def overfitter(rows=lambda n, k, rng: rng.choice(n, k, replace=False), verdict=lambda z, limit: z[-1] < limit,
               apart=False, size=None, level=None):
    """A can_overfit with one thing wrong; with the defaults it is right."""
    def answer(train, X, t, rng, examples=10, limit=0.05):
        chosen = rows(len(X), size or examples, rng)
        targets = rows(len(X), size or examples, rng) if apart else chosen
        return verdict(train(X[chosen], t[targets]), level or limit)
    return answer


def trained_twice(train, X, t, rng, examples=10, limit=0.05):
    rows = rng.choice(len(X), examples, replace=False)
    losses = [train(X[rows], t[rows]) for _ in range(3)]
    return any(each[-1] < limit for each in losses)


def falling(rng, end, steps=60):
    """Losses that fall from 2.3 to `end`."""
    return (end + (2.3 - end) * np.exp(-np.arange(steps) / 6) * rng.uniform(0.9, 1.1, steps)).tolist()


def machines(rng):
    """The losses of machines that learn by heart, that get stuck, that explode, that dip, and that begin well."""
    stuck = falling(rng, rng.uniform(0.5, 1.5))
    dips = falling(rng, 0.001)[:40] + np.linspace(0.01, 3, 20).tolist()
    explodes = falling(rng, 0.01)[:30] + [math.nan] * 20
    near = falling(rng, rng.uniform(0.055, 0.09))
    slow = np.linspace(2.3, 0.04, 50).tolist()
    return falling(rng, 0.001), stuck, explodes, dips, near, slow, [0.01] * 10 + stuck


def file_by_class(n):
    """A file sorted by class; every row can be told from the others."""
    return lambda rng: (rng.normal(size=(n, 2)), np.repeat(np.arange(n // 20 + 1), 20)[:n], rng)


def verdicts(can_overfit, *traces):
    """What is said of several machines."""
    X, t = np.random.default_rng(1).normal(size=(50, 2)), np.arange(50) % 5
    return [bool(can_overfit(lambda X, t, trace=trace: list(trace), X, t, np.random.default_rng(2)))
            for trace in traces]


def several_limits(can_overfit, X, t, rng):
    """The same machine with several limits."""
    return [bool(can_overfit(lambda X, t: [2.0, 1.0, 0.3], X, t, rng, limit=limit)) for limit in (0.5, 0.2, 0.31, 0.29)]


def examples_used(can_overfit, X, t, rng, **options):
    """For each call of train, the features and targets that it got."""
    seen = []
    def train(X_part, t_part):
        seen.append([np.array(X_part, dtype=float), np.array(t_part)])
        return [1.0, 0.01]
    can_overfit(train, X, t, rng, **options)
    return seen


def other_options(can_overfit, X, t, rng):
    return [examples_used(can_overfit, X, t, rng, examples=13), several_limits(can_overfit, X, t, rng)]


def small_portion(got, args, expected):
    X, t, _ = args
    if len(got) != 1:
        return f"train should be called once, and you {'call it more often' if got else 'never call it'}"
    (part_X, part_t), wanted = got[0], len(expected[0][1])
    if len(part_X) != wanted or len(part_t) != wanted:
        return f"train should get {wanted} examples with their targets, got {len(part_X)} and {len(part_t)}"
    rows = row_numbers(part_X, X)
    if not np.array_equal(part_t, t[rows]):
        return "train got examples with targets of other examples"
    if len(set(rows)) < len(rows):
        return "some examples come twice in your portion"
    if np.array_equal(np.sort(rows), np.arange(wanted)) or np.array_equal(np.sort(rows), np.arange(len(X))[-wanted:]):
        return "the portion is one end of the file, where all examples are of one class: even a bias learns those"
    steps = np.diff(np.sort(rows))
    if np.all(steps == steps[0]):
        return "the portion is drawn by a fixed pattern, not by rng"


def options_heeded(got, args, expected):
    if got[1] != expected[1]:
        return "with other limits your answers are wrong: the last loss decides, and `limit` is what it must be below"
    return small_portion(got[0], args, expected[0])


CAN_OVERFIT = Exercise(
    "can_overfit", 2, can_overfit, forbidden=("nnlib.fit",),
    cases=[
        Case("seven machines", machines, call=verdicts, points=1,
             hint="True only where the last loss is below the limit; a loss that is not a number is not."),
        Case("which examples it trains on", file_by_class(60), call=examples_used, judge=small_portion, points=0.5,
             hint="Ten rows drawn by rng, without replacement; X and t by the same row numbers."),
        Case("thirteen examples, other limits", file_by_class(80),
             call=other_options, judge=options_heeded,
             hint="Use the arguments `examples` and `limit`; 10 and 0.05 are only their defaults."),
    ],
    misconceptions=[
        Misconception("the whole data", overfitter(rows=lambda n, k, rng: np.arange(n)),
                      "You train on all the data. The check is quick, and sharp, because the portion is small."),
        Misconception("the first rows", overfitter(rows=lambda n, k, rng: np.arange(k)),
                      "You take the first rows. In a file sorted by class they are all of one class, and a network "
                      "that can do nothing but say that class passes."),
        Misconception("with replacement", overfitter(rows=lambda n, k, rng: rng.integers(0, n, k)),
                      "You draw with replacement, so some examples may come twice. Use rng.choice(..., "
                      "replace=False)."),
        Misconception("targets drawn apart", overfitter(apart=True),
                      "You draw other rows for t than for X."),
        Misconception("always ten", overfitter(size=10),
                      "You always take ten examples. How many is the argument `examples`."),
        Misconception("always 0.05", overfitter(level=0.05), "You always compare with 0.05. Use the argument `limit`."),
        Misconception("the lowest loss", overfitter(verdict=lambda z, limit: min(z) < limit),
                      "You take the lowest loss on the way. A machine that dips below the limit and then explodes has "
                      "not learned: the last loss decides."),
        Misconception("the mean loss", overfitter(verdict=lambda z, limit: np.mean(z) < limit),
                      "You take the mean of all losses, the large ones of the beginning too. The last one decides."),
        Misconception("the first loss", overfitter(verdict=lambda z, limit: z[0] < limit),
                      "You look at the first loss, before anything is learned. Take the last."),
        Misconception("it has fallen", overfitter(verdict=lambda z, limit: z[-1] < z[0]),
                      "You ask whether the loss has fallen. Nearly every machine brings it down a little: here it "
                      "must go below the limit."),
        Misconception("not a number is passed", overfitter(verdict=lambda z, limit: not z[-1] >= limit),
                      "A loss that is not a number is not above the limit, and not below it either. Ask whether it is "
                      "below."),
        Misconception("the wrong way round", overfitter(verdict=lambda z, limit: z[-1] > limit),
                      "You say True where the loss is above the limit."),
        Misconception("tries again", trained_twice,
                      "You call train more than once. Each call is a whole training of a fresh machine: one call, and "
                      "its last loss decides."),
        Misconception("the loss itself", overfitter(verdict=lambda z, limit: z[-1]),
                      "You return the last loss. The question is whether it is below the limit: True or False."),
    ],
    alternatives=[can_overfit_by_permutation, overfitter(),
                  lambda train, X, t, rng, examples=10, limit=0.05: can_overfit(train, np.asarray(X), t, rng, examples,
                                                                                limit)])


# 4 sample_log_uniform

def sample_log_uniform(low, high, size, rng):
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def by_loop(low, high, size, rng):
    return [low * (high / low) ** rng.random() for _ in range(size)]


def two_seeds(sample_log_uniform, low, high, size, seed):
    """4,000 draws, the same once more, and by another seed."""
    return [np.asarray(sample_log_uniform(low, high, size, np.random.default_rng(s)), dtype=float)
            for s in (seed, seed, seed + 1)]


def even_decades(got, args, expected):
    low, high, size = args[:3]
    first, again, other = (np.asarray(draws, dtype=float) for draws in got)
    if first.shape != (size,):
        return f"expected {size} numbers, got an answer of shape {first.shape}"
    if not np.isfinite(first).all() or first.min() < 0.999 * low or first.max() > 1.001 * high:
        return f"your numbers go from {first.min():.3g} to {first.max():.3g}, outside of {low:.3g} to {high:.3g}"
    share = np.sort(np.log(first / low) / np.log(high / low))
    off = np.abs(share - (np.arange(size) + 0.5) / size).max()
    if off > 0.035:
        middle = np.exp(np.interp(0.5, (np.arange(size) + 0.5) / size, np.log(np.sort(first))))
        if abs(share[size // 2] - 0.5) > 0.03:
            return (f"half of your numbers should be below {math.sqrt(low * high):.2g}, the middle of the exponents; "
                    f"half of yours are below {middle:.2g}")
        return "the middle is right, but the draws are not spread evenly over the exponents"
    if share[0] > 0.01 or share[-1] < 0.99:
        return f"your numbers go from {first.min():.3g} to {first.max():.3g} only, not from end to end"
    if not np.allclose(first, again):
        return "two generators with the same seed should give the same numbers, and yours differ"
    if np.allclose(first, other):
        return "generators with different seeds should give different numbers, and yours are the same"


SAMPLE_LOG_UNIFORM = Exercise(
    "sample_log_uniform", 1, sample_log_uniform,
    forbidden=("nnlib.tuning.log_uniform", "scipy.stats.loguniform"),
    cases=[
        Case("four decades below 1", lambda rng: (1e-4, 1.0, 4000, int(rng.integers(1000))), call=two_seeds,
             judge=even_decades, hint="Draw the exponent evenly, then take the power."),
        Case("other ends", lambda rng: (rng.uniform(0.5, 2), rng.uniform(200, 3000), 4000, int(rng.integers(1000))),
             call=two_seeds, judge=even_decades,
             hint="Both ends are arguments, and they need not be powers of ten: take their logarithms."),
    ],
    misconceptions=[
        Misconception("evenly", lambda low, high, size, rng: rng.uniform(low, high, size),
                      "You draw the number itself evenly, so nearly all draws fall into the last decade. Draw its "
                      "exponent."),
        Misconception("the exponents", lambda low, high, size, rng: rng.uniform(
            np.log10(low), np.log10(high), size), "You return exponents. Take 10 to their power."),
        Misconception("two bases", lambda low, high, size, rng: np.exp(rng.uniform(
            np.log10(low), np.log10(high), size)), "You mix two bases: np.log10 belongs to 10 ** u, np.log to np.exp."),
        Misconception("two bases, the other way", lambda low, high, size, rng: 10 ** rng.uniform(
            np.log(low), np.log(high), size), "You take natural logarithms and then powers of 10. np.log belongs to "
                      "np.exp."),
        Misconception("powers of the ends", lambda low, high, size, rng: 10 ** rng.uniform(low, high, size),
                      "You take the ends themselves for exponents. Their logarithms are."),
        Misconception("whole decades", lambda low, high, size, rng: low * 10.0 ** rng.integers(
            0, max(1, round(np.log10(high / low))) + 1, size) / (1 if np.log10(high / low) % 1 == 0 else 10 ** 0.5),
                      "You draw whole powers of ten only, a grid of a few values. Draw the exponent from a range, not "
                      "from whole numbers."),
        Misconception("a seed of its own", lambda low, high, size, rng: sample_log_uniform(
            low, high, size, np.random.default_rng(0)),
                      "You make a generator of your own, so every call gives the same numbers. Draw from the rng that "
                      "you get."),
        Misconception("one number many times", lambda low, high, size, rng: np.full(
            size, sample_log_uniform(low, high, 1, rng)), "You draw one number and repeat it. Draw `size` of them."),
        Misconception("logarithm of an even draw", lambda low, high, size, rng: np.log10(rng.uniform(low, high, size)),
                      "You draw evenly, and then take logarithms. First the logarithms of the ends, then an even draw "
                      "between them, then its power."),
        Misconception("a Normal exponent", lambda low, high, size, rng: np.exp(np.clip(rng.normal(
            np.log(low * high) / 2, np.log(high / low) / 4, size), np.log(low), np.log(high))),
                      "Your exponents crowd in the middle. They should be equally likely from end to end: "
                      "rng.uniform."),
    ],
    alternatives=[by_loop, lambda low, high, size, rng: 10 ** rng.uniform(np.log10(low), np.log10(high), size),
                  lambda low, high, size, rng: np.float32(low * np.exp(rng.random(size) * np.log(high / low)))])


# 5 random_search

def random_search(objective, space, trials, rng):
    best, best_score = None, math.inf
    for _ in range(trials):
        parameters = {name: float(sample_log_uniform(low, high, 1, rng)[0]) for name, (low, high) in space.items()}
        score = objective(**parameters)
        if score < best_score:
            best, best_score = parameters, score
    return best, best_score


def search_by_columns(objective, space, trials, rng):
    columns = {name: sample_log_uniform(*ends, trials, rng) for name, ends in space.items()}
    candidates = [{name: column[i] for name, column in columns.items()} for i in range(trials)]
    scores = [objective(**candidate) for candidate in candidates]
    if all(math.isnan(score) for score in scores):
        return None, math.inf
    return [candidates[int(np.nanargmin(scores))], float(np.nanmin(scores))]


def searcher(better=lambda score, best: score < best, start=math.inf, draw=sample_log_uniform, once=False, shared=False,
             give=lambda best, score: (best, score), count=lambda n: n, keep=None, positional=False):
    """A random_search with one thing wrong; with the defaults it is right."""
    def answer(objective, space, trials, rng):
        best, best_score, parameters = None, start, None
        for _ in range(count(trials)):
            if parameters is None or not once:
                share = rng.random() if shared else None
                def one(low, high, share=share):
                    return low * (high / low) ** share if shared else np.ravel(draw(low, high, 1, rng))[0]
                parameters = {name: float(one(*ends)) for name, ends in space.items()}
            score = objective(*parameters.values()) if positional else objective(**parameters)
            if better(score, best_score):
                best, best_score = parameters, score
        return give(keep(parameters) if keep else best, best_score)
    return answer


def scored_again(objective, space, trials, rng):
    best, _ = random_search(objective, space, trials, rng)
    return best, objective(**best)


def scored_twice(objective, space, trials, rng):
    best, best_score = None, math.inf
    for _ in range(trials):
        parameters = {name: float(sample_log_uniform(*ends, 1, rng)[0]) for name, ends in space.items()}
        if objective(**parameters) < best_score:
            best, best_score = parameters, objective(**parameters)
    return best, best_score


def argmin_with_nan(objective, space, trials, rng):
    candidates = [{name: float(sample_log_uniform(*ends, 1, rng)[0]) for name, ends in space.items()}
                  for _ in range(trials)]
    scores = [objective(**candidate) for candidate in candidates]
    return candidates[int(np.argmin(scores))], scores[int(np.argmin(scores))]


def in_order_of_space(objective, space, trials, rng):
    return searcher(positional=True)(objective, space, trials, rng)


def bowl(rate=0.01, decay=0.001, width=1.0):
    """A score that is lowest, 0, where every setting has its default value."""
    return sum(math.log10(value / best) ** 2 for value, best in ((rate, 0.01), (decay, 0.001), (width, 1.0)))


def some_space(rng):
    low = 10 ** rng.uniform(-6, -4, 2)
    return {"decay": (low[0], 1e3 * low[0]), "rate": (low[1], 1e4 * low[1])}, int(rng.integers(150, 250)), rng


def tried(random_search, space, trials, rng):
    """What was tried, in exponents, with the scores; and what was answered."""
    seen = []
    def objective(rate, decay):
        seen.append([math.log10(rate), math.log10(decay), bowl(rate, decay)])
        return seen[-1][2]
    return [seen, random_search(objective, space, trials, rng)]


def with_failures(random_search, space, trials, rng):
    """As `tried`, where the first trial and those of large rates score nan; the last twenty do not, and score badly."""
    seen, low, high = [], *space["rate"]
    def objective(rate, decay):
        late = len(seen) >= trials - 20
        failed = not seen or rate > math.sqrt(low * high) and not late
        seen.append([math.log10(rate), math.log10(decay), math.nan if failed else bowl(rate, decay) + 99 * late])
        return seen[-1][2]
    return [seen, random_search(objective, space, trials, rng)]


def negative_scores(random_search, space, trials, rng):
    """As `tried`, with scores that are all below 0, or all far above."""
    seen, answers = [], []
    for shift in (-1000, 10_000):
        part = []
        def objective(rate, decay, part=part, shift=shift):
            part.append([math.log10(rate), math.log10(decay), bowl(rate, decay) + shift])
            return part[-1][2]
        answers.append(random_search(objective, space, trials, rng))
        seen.append(part)
    return [seen, answers]


def even_draws(got, args, expected):
    space, trials, _ = args
    seen = np.asarray(got[0], dtype=float).reshape(-1, 3)
    if len(seen) != trials:
        return f"the objective should be called {trials} times, once for each trial, and is called {len(seen)} times"
    for column, name in enumerate(("rate", "decay")):
        low, high = np.log10(space[name])
        share = np.sort((seen[:, column] - low) / (high - low))
        if share[0] < -1e-3 or share[-1] > 1 + 1e-3:
            return f"{name} is drawn from outside of its range"
        if len(np.unique(share.round(9))) < 0.9 * trials:
            return f"{name} has the same value in many trials: draw anew in every trial"
        if np.abs(share - (np.arange(trials) + 0.5) / trials).max() > 0.15:
            return f"{name} is not drawn by its exponent: its decades do not get equal shares"
    if abs(np.corrcoef(seen[:, 0], seen[:, 1])[0, 1]) > 0.5:
        return "rate and decay go up and down together: draw each by itself"


def the_best_found(got, args, expected):
    return _best_of(np.asarray(got[0], dtype=float).reshape(-1, 3), got[1])


def both_best(got, args, expected):
    for seen, answer in zip(*got, strict=True):
        if problem := _best_of(np.asarray(seen, dtype=float).reshape(-1, 3), answer):
            return problem


def _best_of(seen, answer):
    lowest = seen[np.nanargmin(seen[:, 2])]
    if not isinstance(answer, (list, tuple)):
        return f"you return the {'parameters' if isinstance(answer, dict) else 'score'} alone; wanted is (best, score)"
    best, score = answer
    if best is None:
        return "you return None for the parameters, as if no trial had been good enough"
    if isinstance(score, dict):
        return "the score comes first in your answer; wanted is (best, score)"
    if not isinstance(best, dict) or set(best) != {"rate", "decay"}:
        return "the first part of the answer is the dict of the best parameters, by their names"
    if math.isnan(score):
        return "the best score that you return is that of a trial that failed: it is not a number"
    if not np.isclose(score, lowest[2], rtol=1e-5, atol=1e-7):
        return f"the lowest score of your trials is {lowest[2]:.5g}, and you return {float(score):.5g}"
    if not np.allclose(np.log10([best["rate"], best["decay"]]), lowest[:2], atol=1e-5):
        return "the parameters that you return are not those of the trial with the lowest score"


RANDOM_SEARCH = Exercise(
    "random_search", 3, random_search,
    cases=[
        Case("what is tried", some_space, call=tried, judge=even_draws, points=1,
             hint="In each of the trials draw every parameter anew with sample_log_uniform(low, high, 1, rng)[0], then "
                  "call objective(**parameters) once."),
        Case("the best of all trials", some_space, call=tried, judge=the_best_found, points=1,
             hint="Keep the parameters and the score of the best trial so far, and return both."),
        Case("trials that fail", some_space, call=with_failures, judge=the_best_found, points=0.5,
             hint="A score that is not a number is never the best: `score < best_score` is False for it."),
        Case("scores of any size", some_space, call=negative_scores, judge=both_best, points=0.5,
             hint="Begin with a best score that every finite score beats: math.inf."),
    ],
    misconceptions=[
        Misconception("the largest", searcher(better=lambda a, b: a > b, start=-math.inf),
                      "You keep the largest score. It is a loss: the lowest is best."),
        Misconception("the last", searcher(better=lambda a, b: True),
                      "You return the last trial. Keep one only when it is better than the best so far."),
        Misconception("the last parameters", searcher(keep=lambda parameters: parameters),
                      "Your score is the best, your parameters are those of the last trial. Keep both together; and "
                      "make a new dict in every trial, or the one that you kept goes on changing."),
        Misconception("the score alone", searcher(give=lambda best, score: score),
                      "You return the score alone. The parameters are what one wants to know: return (best, score)."),
        Misconception("the parameters alone", searcher(give=lambda best, score: best),
                      "You return the parameters alone: return (best, score)."),
        Misconception("the score first", searcher(give=lambda best, score: (score, best)),
                      "You return the score first. The order is (best, score)."),
        Misconception("drawn evenly", searcher(draw=lambda low, high, size, rng: rng.uniform(low, high, size)),
                      "You draw the parameters evenly, so most trials are in the last decade. Use your "
                      "sample_log_uniform."),
        Misconception("drawn once", searcher(once=True),
                      "You draw the parameters once, before the loop, and try the same again and again."),
        Misconception("one draw for all", searcher(shared=True),
                      "One random number sets all parameters of a trial, so they rise and fall together. Draw each by "
                      "itself."),
        Misconception("nan wins", argmin_with_nan,
                      "np.argmin takes a nan for the smallest. A trial that failed is never the best: use "
                      "np.nanargmin, or compare with <."),
        Misconception("nan at the start", searcher(better=lambda a, b: not a >= b),
                      "A comparison with nan is False, so `not score >= best_score` lets a failed trial win. Ask "
                      "`score < best_score`."),
        Misconception("begins at 0", searcher(start=0),
                      "Your best score begins at 0, so no loss above 0 ever beats it. Begin with math.inf."),
        Misconception("begins at a large number", searcher(start=1000.0),
                      "Your best score begins at some number, and a loss may be larger. Begin with math.inf."),
        Misconception("scored again", scored_again,
                      "You call the objective once more for the best trial. Each call is a training: keep the score "
                      "when you have it."),
        Misconception("scored twice", scored_twice,
                      "You call the objective twice where a trial is the best so far. Each call is a training: give "
                      "its score a name, then compare and keep the name."),
        Misconception("returns inside the loop", searcher(count=lambda n: 1),
                      "Only one trial is made. Does your `return` stand inside the loop?"),
        Misconception("one trial too few", searcher(count=lambda n: n - 1),
                      "You make one trial too few: range(trials)."),
        Misconception("by position", in_order_of_space,
                      "You pass the parameters by position, in the order of the space; the objective may have another "
                      "one. Pass them by name: objective(**parameters)."),
    ],
    alternatives=[search_by_columns, searcher(), searcher(draw=lambda low, high, size, rng: 10 ** rng.uniform(
        np.log10(low), np.log10(high), size))])


# 6 fix_the_training_loop

def fix_the_training_loop(model, optimizer, train, validation, epochs, batch_size, rng):
    X, t = train
    X_validation, t_validation = validation
    losses, best_loss, best_weights = [], np.inf, model.state_dict()
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for first in range(0, len(X), batch_size):
            rows = order[first:first + batch_size]
            optimizer.zero_grad()
            cross_entropy(model(Tensor(X[rows])), t[rows]).backward()
            optimizer.step()
        model.eval()
        validation_loss = cross_entropy(model(Tensor(X_validation)), t_validation).item()
        model.train()
        losses.append(validation_loss)
        if validation_loss < best_loss:
            best_loss, best_weights = validation_loss, model.state_dict()
    model.load_state_dict(best_weights)
    return losses


def with_the_library(model, optimizer, train, validation, epochs, batch_size, rng):
    best, losses = None, []
    while len(losses) < epochs:
        for X, t in nnlib.minibatches(*train, batch_size, rng):
            for p in model.parameters():
                p.grad = None
            cross_entropy(model(Tensor(X)), t).backward()
            optimizer.step()
        losses.append(nnlib.evaluate(model, validation, metric=None)[0])
        if losses[-1] == min(losses):
            best = {name: p.data.copy() for name, p in model.named_parameters()}
    model.load_state_dict(best)
    return np.array(losses, dtype=np.float32)


def loop(order="each epoch", drop="", zero="before", mode="eval", chosen="validation", updates="all", give=None):
    """A fix_the_training_loop with its faults named; with the defaults it is right."""
    def answer(model, optimizer, train, validation, epochs, batch_size, rng):
        (X, t), losses, best_loss, best_weights = train, [], np.inf, model.state_dict()
        rows_of_all = rng.permutation(len(X)) if order == "once" else np.arange(len(X))
        end = {"": len(X), "full": len(X) - batch_size, "partial": len(X) - batch_size + 1}[drop]
        for _ in range(epochs):
            if order == "each epoch":
                rows_of_all = rng.permutation(len(X))
            if zero == "each epoch":
                optimizer.zero_grad()
            for first in range(0, max(end, 1), len(X) if updates == "one" else batch_size):
                rows = rows_of_all if updates == "one" else rows_of_all[first:first + batch_size]
                if order == "replacement":
                    rows = rng.integers(0, len(X), len(rows))
                if zero == "before":
                    optimizer.zero_grad()
                loss = cross_entropy(model(Tensor(X[rows])), t[rows])
                loss.backward()
                if zero == "between":
                    optimizer.zero_grad()
                if updates != "none":
                    optimizer.step()
            if mode in ("eval", "stays"):
                model.eval()
            value = cross_entropy(model(Tensor(validation[0])), validation[1]).item()
            if mode == "eval":
                model.train()
            losses.append(value)
            judged = value if chosen == "validation" else loss.item()
            if judged < best_loss:
                best_loss, best_weights = judged, model.state_dict()
        if chosen != "last":
            model.load_state_dict(best_weights)
        return losses if give is None else give(losses)
    return answer


class Watched(Module):
    """A linear model that notes for each batch: the inputs, its weights, and whether it was in training mode."""

    def __init__(self, W, b, dropout):
        super().__init__()
        self.layer, self.dropout, self.seen = Linear(W.shape[1], W.shape[0]), Dropout(dropout), []
        self.layer.weight.data, self.layer.bias.data = W.copy(), b.copy()

    def now(self):
        return [self.layer.weight.data.copy(), self.layer.bias.data.copy()]

    def forward(self, x):
        self.seen.append({"X": np.array(x.data, dtype=float), "training": self.training, "weights": self.now()})
        return self.layer(self.dropout(x))


class Noted(SGD):
    """Descent that notes with each update the batch that came before it, and the gradients that it uses."""

    def __init__(self, model, rate):
        super().__init__(model.parameters(), rate)
        self.model, self.updates = model, []

    def step(self):
        used = [np.zeros_like(p.data) if p.grad is None else p.grad.copy() for p in self.model.parameters()]
        before = self.model.now()
        super().step()
        self.updates.append({"seen": len(self.model.seen) - 1, "gradients": used, "before": before,
                             "after": self.model.now()})


def loss_of(weights, X, t):
    """The mean cross-entropy of a linear model."""
    z = X @ weights[0].T + weights[1]
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(t)), t]))


def gradients_of(weights, X, t):
    """Its gradients: of the weights, and of the bias."""
    z = X @ weights[0].T + weights[1]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    error = (e / e.sum(axis=1, keepdims=True) - np.eye(len(weights[1]))[t]) / len(t)
    return error.T @ X, error.sum(axis=0)


def problem(n, batch_size, epochs, held_out=30, features=8, rate=0.5, wrong=0.3):
    """Three classes, many features, some labels wrong: a linear model over-fits."""
    def make(rng):
        X, X_validation = rng.normal(size=(n, features)), rng.normal(size=(held_out, features))
        t, t_validation = (3 * rng.random((2, max(n, held_out)))).astype(int)
        t, t_validation = t[:n], t_validation[:held_out]
        for part, targets in ((X, t), (X_validation, t_validation)):
            part[np.arange(len(part)), targets] += 1.0
        noisy = rng.random(n) < wrong
        t[noisy] = rng.integers(0, 3, noisy.sum())
        weights = 0.1 * rng.normal(size=(3, features)), np.zeros(3)
        return X, t, X_validation, t_validation, *weights, rate, epochs, batch_size, int(rng.integers(1000))
    return make


def several(make, count):
    """Several problems, one after the other."""
    return lambda rng: ([make(rng) for _ in range(count)],)


def watched(dropout):
    """call of a case: what the loop did with each problem."""
    def call(fix_the_training_loop, problems):
        return [_run(fix_the_training_loop, dropout, *each) for each in problems]
    return call


def _run(answer, dropout, X, t, X_validation, t_validation, W, b, rate, epochs, batch_size, seed):
    """What one run did: batches (their rows), gradients beside the right ones, modes, losses, and the last weights.

    A row of the validation set has a number from 1000 on.
    """
    nnlib.manual_seed(seed)
    model = Watched(W, b, dropout)
    optimizer = Noted(model, rate)
    everything = np.concatenate([X, X_validation])
    returned = answer(model, optimizer, (X.copy(), t.copy()), (X_validation.copy(), t_validation.copy()), epochs,
                      batch_size, np.random.default_rng(seed))
    for each in model.seen:
        near = np.abs(each["X"][:, None] - everything[None]).sum(axis=2)
        rows = near.argmin(axis=1)
        each["rows"] = np.where(rows < len(X), rows, 1000 + rows - len(X))
    gradients = []
    for each in optimizer.updates:
        batch = model.seen[each["seen"]] if each["seen"] >= 0 else {"rows": np.array([1000])}
        right = (gradients_of(batch["weights"], batch["X"], t[batch["rows"]]) if batch["rows"].max() < 1000
                 else [np.nan])
        gradients.append([np.concatenate([np.ravel(g) for g in part]) for part in (each["gradients"], right)])
    used = [model.seen[each["seen"]]["rows"] for each in optimizer.updates if each["seen"] >= 0]
    looks = [each for each in model.seen if each["rows"].min() >= 1000]
    return {"batches": used, "gradients": gradients, "returned": returned, "last": np.ravel(model.now()[0]),
            "descends": all(np.allclose(after, before - rate * gradient) for each in optimizer.updates
                            for before, after, gradient in zip(*(each[k] for k in ("before", "after", "gradients")))),
            "goes on": all(np.array_equal(one, other) for a, b in zip(optimizer.updates, optimizer.updates[1:])
                           for one, other in zip(a["after"], b["before"], strict=True)),
            "train modes": [each["training"] for each in model.seen if each["rows"].max() < 1000],
            "looks": [[each["training"], len(each["rows"]), loss_of(each["weights"], X_validation, t_validation),
                       np.ravel(each["weights"][0])] for each in looks]}


def training(judge):
    """A judge that first asks whether the loop trains at all, in mini-batches, with some gradient."""
    def careful(got, args, expected):
        for run, (X, t, _, _, _, _, _, epochs, batch_size, _) in zip(got, args[0], strict=True):
            least = epochs * max(1, (len(X) - 1) // batch_size)
            if len(run["batches"]) < least:
                return (f"the optimizer makes {len(run['batches'])} updates in {epochs} epochs of {len(X)} examples by "
                        f"{batch_size}: it does not train in mini-batches")
            if max(len(rows) for rows in run["batches"]) > batch_size:
                return "some batches are larger than batch_size"
            if max(rows.max() for rows in map(np.asarray, run["batches"])) >= 1000:
                return "it trains on the validation set"
            if max(np.abs(used).max() for used, _ in run["gradients"]) < 1e-12:
                return "all gradients are zero when the optimizer makes its step: nothing is learned"
            if not run["descends"]:
                return "the updates are not those of the optimizer that you get, with its learning rate"
            if not run["goes on"]:
                return "the weights change between two updates: each must go on from where the one before it led"
            if problem := judge(run, X, t, epochs, batch_size):
                return problem
    return careful


def _epochs_of(batches, epochs):
    """The rows of every epoch, where all have the same number of batches."""
    per = len(batches) // epochs
    return [np.concatenate(batches[k * per:(k + 1) * per]) for k in range(epochs)]


@training
def shuffled_anew(run, X, t, epochs, batch_size):
    orders = _epochs_of(run["batches"], epochs)
    if np.array_equal(orders[0], np.sort(orders[0])) or np.array_equal(orders[1], np.sort(orders[1])):
        return "the examples come in the order in which they are stored"
    if any(np.array_equal(a, b) for a, b in zip(orders, orders[1:])):
        return "every epoch brings the examples in the same order"


@training
def whole_epochs(run, X, t, epochs, batch_size):
    per, given = -(-len(X) // batch_size), len(run["batches"])
    if given != epochs * per:
        return (f"{len(X)} examples in batches of {batch_size} make {per} updates an epoch; in {epochs} epochs yours "
                f"makes {given} updates")
    if any(len(set(rows.tolist())) < len(X) for rows in _epochs_of(run["batches"], epochs)):
        return "in some epoch not every example is used once"


@training
def own_gradients(run, X, t, epochs, batch_size):
    wrong = [number for number, (used, right) in enumerate(run["gradients"], 1)
             if used.shape != right.shape or not np.allclose(used, right, rtol=1e-4, atol=1e-7)]
    if wrong:
        return (f"in {len(wrong)} of {len(run['gradients'])} updates, first in update {wrong[0]}, the gradient is not "
                "that of its batch")


@training
def quiet_validation(run, X, t, epochs, batch_size):
    if sum(size for _, size, _, _ in run["looks"]) < epochs * 30:
        return "the validation set is not looked at after every epoch"
    if any(training for training, *_ in run["looks"]):
        return "the validation loss is computed in training mode, with dropout at work"
    if not all(run["train modes"]):
        return "some batches are trained in evaluation mode, without dropout"
    returned = np.asarray(run["returned"], dtype=float)
    if returned.shape != (epochs,) or not np.allclose(returned, [run["looks"][k][2] for k in range(-epochs, 0)],
                                                      rtol=1e-4):
        return "the answer should be the list of the validation losses, one for every epoch"


@training
def best_weights(run, X, t, epochs, batch_size):
    if not run["looks"]:
        return "the validation set is never looked at"
    losses, last = [loss for _, _, loss, _ in run["looks"]], run["last"]
    if np.allclose(last, run["looks"][int(np.argmin(losses))][3], rtol=1e-5, atol=1e-9):
        return None
    if np.allclose(last, run["looks"][-1][3], rtol=1e-5, atol=1e-9):
        return "the model is left with the weights of the last epoch, not with those of the lowest validation loss"
    return "the weights that the model is left with are not those of the lowest validation loss"


OVER_FITS = problem(16, 5, 14)
FIX_THE_TRAINING_LOOP = Exercise(
    "fix_the_training_loop", 5, fix_the_training_loop, forbidden=("nnlib.fit",),
    cases=[
        Case("the order of the examples", several(problem(30, 6, 4), 1), points=1, call=watched(0.0),
             judge=shuffled_anew,
             hint="Write down which rows the first batch holds in epoch 1, and which in epoch 2."),
        Case("all examples of an epoch", lambda rng: ([problem(20, 5, 3)(rng), problem(22, 5, 3)(rng)],), points=1,
             call=watched(0.0), judge=whole_epochs,
             hint="Which numbers does the range over the batches give for 22 examples by 5? Which rows are missing?"),
        Case("the gradient of each update", several(problem(24, 6, 3), 1), points=1, call=watched(0.0),
             judge=own_gradients, hint="What does backward() do with a gradient that is there already?"),
        Case("validation without dropout", several(problem(24, 6, 4), 1), points=1, call=watched(0.5),
             judge=quiet_validation,
             hint="Compute the validation loss twice with the same weights. Why do the two differ?"),
        Case("the weights that stay", several(OVER_FITS, 2), points=1, call=watched(0.0), judge=best_weights,
             hint="Which loss decides what `best_weights` is? A training loss falls on while the network over-fits."),
    ],
    misconceptions=[
        Misconception("as it was found", loop("once", "full", "never", "never", "training"),
                      "All five bugs are still in it. Start with the tools: which rows, how many of them, which "
                      "gradient, which mode, which loss?"),
        Misconception("one order for all epochs", loop(order="once"),
                      "Four are mended. The order is drawn before the loop over the epochs, so every epoch is the "
                      "same."),
        Misconception("no order", loop(order="stored"),
                      "The examples come as they are stored. Draw an order with rng, anew in every epoch."),
        Misconception("drawn with replacement", loop(order="replacement"),
                      "You draw each batch with replacement, so in one epoch some examples come twice and others not "
                      "at all. Cut one permutation into batches."),
        Misconception("the last batch lost", loop(drop="full"),
                      "Four are mended. The range over the batches ends too early, so the last batch is lost."),
        Misconception("the smaller batch lost", loop(drop="partial"),
                      "You have saved the last full batch, and still lose a smaller one: 22 examples by 5 leave two. "
                      "Count from 0 to len(X)."),
        Misconception("gradients add up", loop(zero="never"),
                      "Four are mended. backward() adds to the gradients that are there: nobody sets them to zero."),
        Misconception("zero once an epoch", loop(zero="each epoch"),
                      "You set the gradients to zero once in an epoch. Within it they still add up: once for every "
                      "batch."),
        Misconception("zero too late", loop(zero="between"),
                      "You set the gradients to zero after backward() and before the step, which then has nothing to "
                      "use. Zero first, then backward, then the step."),
        Misconception("dropout in validation", loop(mode="never"),
                      "Four are mended. The model validates in training mode: model.eval() before it, model.train() "
                      "after."),
        Misconception("never back to training", loop(mode="stays"),
                      "model.eval() is there, but nobody calls model.train() after it: from the second epoch on it "
                      "trains without dropout."),
        Misconception("chosen by the training loss", loop(chosen="training"),
                      "Four are mended. The best weights are chosen by a training loss, which falls on while the "
                      "network over-fits."),
        Misconception("the last weights", loop(chosen="last"),
                      "You leave the model with its last weights. Load the best ones before you return; and keep "
                      "copies of them, as model.state_dict() gives: the parameters themselves go on changing."),
        Misconception("no training", loop(updates="none"),
                      "Without optimizer.step() nothing is trained, and nothing is mended by that."),
        Misconception("one batch with everything", loop(updates="one"),
                      "One update with all examples avoids the batches and does not mend them: keep batch_size."),
        Misconception("the best loss alone", loop(give=min),
                      "Return the whole list of validation losses, one for every epoch."),
    ],
    alternatives=[with_the_library, loop()])


EXERCISES = [STANDARDIZE, SPLIT, CAN_OVERFIT, SAMPLE_LOG_UNIFORM, RANDOM_SEARCH, FIX_THE_TRAINING_LOOP]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_catch(rng):
    return catch(int(rng.integers(2, 30)), int(rng.integers(1, 9)), bool(rng.integers(0, 2)))(rng)


def any_table(rng):
    n = int(rng.integers(2, 30))
    return table(n, int(rng.integers(1, n)))(rng)


DOMAIN = {
    "standardize": [Case("any catch", any_catch, no_warnings=True)],
    "split": [Case("sizes", any_table, judge=right_parts), Case("once", any_table, judge=every_row_once),
              Case("targets", any_table, judge=targets_stay)],
}
