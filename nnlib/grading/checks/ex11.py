"""ex11, over-fitting and regularization: the questions of solutions/ex11_overfitting_and_regularization."""

import math

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex11_overfitting_and_regularization"


def single(function):
    """The same answer in float32, its parts too where there are several."""
    def answer(*args, **named):
        result = function(*args, **named)
        return tuple(np.float32(a) for a in result) if isinstance(result, tuple) else np.float32(result)
    return answer


def in_place(function):
    """The same numbers, written over the first argument."""
    def wrong(first, *rest, **named):
        first[...] = function(first.copy(), *rest, **named)
        return first
    return wrong


# The prices of weights.

def l2_gradient(w, strength):
    return strength * w


def l1_gradient(w, strength):
    return strength * np.sign(w)


def entrywise(rule):
    """A rule for one weight, as a loop over a flat list."""
    def answer(w, strength):
        return np.reshape([rule(x, strength) for x in np.ravel(w).tolist()], np.shape(w)).tolist()
    return answer


def weights_with_zeros(rng, *shape):
    w = rng.normal(size=shape)
    w.flat[rng.integers(0, w.size)] = 0.0
    return w, rng.uniform(0.2, 0.9)


PRICE_CASES = {
    "two": lambda rng: (np.array([2.0, -3.0]), 0.5),
    "drawn": lambda rng: (rng.normal(size=7), rng.uniform(0.2, 0.9)),
    "matrix": lambda rng: weights_with_zeros(rng, 3, 4),
}

L2_GRADIENT = Exercise(
    "l2_gradient", 1, l2_gradient,
    cases=[
        Case("two weights you can verify by hand", PRICE_CASES["two"],
             hint="The derivative of w squared is 2 w, and the price has the factor 1/2."),
        Case("seven weights", PRICE_CASES["drawn"],
             hint="Each weight has its own slope: the strength times the weight."),
        Case("a matrix of weights, one of them 0", PRICE_CASES["matrix"],
             hint="The gradient has the shape of the weights: no sum."),
    ],
    misconceptions=[
        Misconception("without the half", lambda w, strength: 2 * strength * w,
                      "That belongs to strength * |w|^2. With the factor 1/2 in the price the 2 cancels."),
        Misconception("the half kept", lambda w, strength: strength / 2 * w,
                      "You kept the 1/2 and lost the 2 of the derivative of w squared: together they are 1."),
        Misconception("the price itself", lambda w, strength: strength / 2 * np.sum(w**2),
                      "That is the price, one number. Asked is its gradient: one slope for every weight."),
        Misconception("the price of each weight", lambda w, strength: strength / 2 * w**2,
                      "These are the prices of the weights, which are never negative. The slope at a negative weight "
                      "is negative."),
        Misconception("L1", l1_gradient,
                      "Every weight is pulled equally hard: that is L1. With L2 the pull is in proportion to the "
                      "weight."),
        Misconception("downhill", lambda w, strength: -strength * w,
                      "The sign is wrong: this is the direction of the step. The gradient points uphill, away from 0."),
        Misconception("the slope of the length", lambda w, strength: strength * w / np.linalg.norm(w),
                      "You divided by the length of w: that is the gradient of the length. The price has its square."),
        Misconception("the decayed weights", lambda w, strength: w - strength * w,
                      "These are shrunken weights. Return only the gradient; the optimizer makes the step."),
        Misconception("no strength", lambda w, strength: w * 1.0,
                      "The strength is missing: it multiplies the weights."),
        Misconception("the mean", lambda w, strength: strength * w / w.size,
                      "You divided by the number of weights. The price is a sum, not a mean."),
        Misconception("sizes", lambda w, strength: strength * np.abs(w),
                      "The sign got lost: a negative weight has a negative slope."),
        Misconception("in place", in_place(l2_gradient),
                      "The numbers are right, but you changed the caller's weights. Make a new array."),
    ],
    alternatives=[entrywise(lambda x, strength: strength * x), single(l2_gradient),
                  lambda w, strength: np.multiply(w, strength) / 2 + np.multiply(w, strength) / 2])


L1_GRADIENT = Exercise(
    "l1_gradient", 1, l1_gradient,
    cases=[
        Case("two weights you can verify by hand", PRICE_CASES["two"],
             hint="Right of 0 the size of w has slope 1, left of it slope -1."),
        Case("seven weights", PRICE_CASES["drawn"], hint="np.sign(w) is 1 or -1; the strength multiplies it."),
        Case("a matrix of weights, one of them 0", PRICE_CASES["matrix"], no_warnings=True,
             hint="A weight of exactly 0 is already free of charge: nothing pulls at it. np.sign(0) is 0."),
    ],
    misconceptions=[
        Misconception("L2", l2_gradient,
                      "A small weight is pulled less by you: that is L2. L1 pulls every weight with the same force."),
        Misconception("the price itself", lambda w, strength: strength * np.sum(np.abs(w)),
                      "That is the price, one number. Asked is its gradient: one slope for every weight."),
        Misconception("the price of each weight", lambda w, strength: strength * np.abs(w),
                      "These are the prices of the weights. Their slopes are +strength or -strength."),
        Misconception("no sign", lambda w, strength: strength * np.ones_like(w),
                      "You pull all weights down. A negative weight has to be pulled up: use its sign."),
        Misconception("downhill", lambda w, strength: -strength * np.sign(w),
                      "The sign is wrong: this is the direction of the step. The gradient points uphill, away from 0."),
        Misconception("no strength", lambda w, strength: np.sign(w),
                      "The strength is missing: it multiplies the signs."),
        Misconception("half", lambda w, strength: strength / 2 * np.sign(w),
                      "The 1/2 belongs to L2, where it cancels a 2. L1 has no such factor."),
        Misconception("the mean", lambda w, strength: strength * np.sign(w) / w.size,
                      "You divided by the number of weights. The price is a sum, not a mean."),
        Misconception("the shrunken weights", lambda w, strength: np.sign(w) * np.maximum(np.abs(w) - strength, 0),
                      "These are weights after soft thresholding, a whole step. Asked is only the pull, the gradient."),
        Misconception("0 is pulled down", lambda w, strength: strength * np.where(w >= 0, 1.0, -1.0),
                      "Nearly: a weight of exactly 0 gets a pull from you and would leave 0 again. Its slope counts as "
                      "0."),
        Misconception("0 is pulled up", lambda w, strength: strength * np.where(w > 0, 1.0, -1.0),
                      "Nearly: a weight of exactly 0 counts as negative with you. Its slope counts as 0."),
        Misconception("divides by the size", lambda w, strength: strength * w / np.abs(w),
                      "w / |w| is the sign, except at 0, where it is 0 / 0. np.sign knows better."),
        Misconception("in place", in_place(l1_gradient),
                      "The numbers are right, but you changed the caller's weights. Make a new array."),
    ],
    alternatives=[entrywise(lambda x, strength: math.copysign(strength, x) if x else 0.0), single(l1_gradient),
                  lambda w, strength: strength * ((w > 0) * 1.0 - (w < 0))])


# Dropout.

def dropout(x, p, rng, training=True):
    if not training:
        return x
    return x * (rng.random(np.shape(x)) >= p) / (1 - p)


def dropout_by_loop(x, p, rng, training=True):
    x = np.asarray(x)
    values = [v if not training else 0.0 if rng.random() < p else v / (1 - p) for v in x.ravel().tolist()]
    return np.reshape(values, x.shape).tolist()


def thinning(mask=lambda x, p, rng: rng.random(x.shape) >= p, factor=lambda p: 1 / (1 - p),
             testing=lambda x, p: x):
    """A dropout with other parts; with the defaults it is right."""
    def answer(x, p, rng, training=True):
        return x * mask(x, p, rng) * factor(p) if training else testing(x, p)
    return answer


def always_thinned(x, p, rng, training=True):
    return dropout(x, p, rng)


def thinned_in_place(x, p, rng, training=True):
    if training:
        x *= (rng.random(x.shape) >= p) / (1 - p)
    return x


def fixed_number(x, p, rng, training=True):
    if not training:
        return x
    kept = np.ones(x.size)
    kept[rng.permutation(x.size)[:round(p * x.size)]] = 0
    return x * kept.reshape(x.shape) / (1 - p)


def mended_mean(x, p, rng, training=True):
    if not training:
        return x
    kept = rng.random(x.shape) >= p
    return x * kept / kept.mean()


def own_seed(x, p, rng, training=True):
    return dropout(x, p, np.random.default_rng(0), training)


def thinned_properly(got, args, expected):
    """What is wrong with a thinned (rows, columns) array, or None: judged by its zeros and its factor."""
    x, p = args[0], args[1]
    got = np.asarray(got, dtype=float)
    if got.shape != x.shape:
        return f"x has shape {x.shape}, your answer has {got.shape}"
    dropped = got == 0
    if not dropped.any():
        return "nothing was dropped"
    if dropped.all():
        return "everything was dropped"
    factors = got[~dropped] / x[~dropped]
    if np.ptp(factors) > 1e-4 * np.abs(factors).max():
        return "those that are kept are not all multiplied by one factor"
    if np.all(dropped == dropped[0]):
        return "every example loses the same units"
    if np.all(dropped == dropped[:, :1]):
        return "an example is dropped as a whole, or not at all"
    factor, share = factors.mean(), dropped.mean()
    room = 5 * math.sqrt(p * (1 - p) / x.size)
    if abs(share - p) > room:
        if abs(share - 1 + p) < room:
            divided = ", and the others are divided by p" if abs(factor * p - 1) < 1e-4 else ""
            return f"about the share 1 - p is dropped, not p{divided}"
        return f"the share that is dropped is far from p: {share:.1f} for p = {p:.1f}"
    if abs(factor * (1 - p) - 1) > 1e-4:
        for name, other in (("1", 1), ("1 - p", 1 - p), ("1 / p", 1 / p), ("p", p)):
            if abs(factor / other - 1) < 1e-4:
                return f"those that are kept are multiplied by {name}"
        return "those that are kept are multiplied by another factor than 1 / (1 - p)"
    return None


def anew_each_time(got, args, expected):
    """Two calls with one generator, and two generators with one seed."""
    first, second, again = (np.asarray(part, dtype=float) == 0 for part in got)
    if first.shape != second.shape or first.shape != args[0].shape:
        return f"x has shape {args[0].shape}, your answer has another"
    if np.array_equal(first, second):
        return "two calls drop the same units"
    if not np.array_equal(first, again):
        return "the same seed gives other units: draw from `rng`"
    if len({int(mask.sum()) for mask in (first, second)}) == 1 and first.sum() == round(args[1] * first.size):
        return "exactly the same number of units is dropped each time"
    return None


def twice_and_again(answer, x, p, seed):
    rng = np.random.default_rng(seed)
    return [answer(x.copy(), p, rng), answer(x.copy(), p, rng), answer(x.copy(), p, np.random.default_rng(seed))]


def layer(rng, rows=60, columns=50):
    return rng.uniform(0.5, 2, size=(rows, columns)) * rng.choice([-1, 1], size=(rows, columns))


def seed_with_changing_counts(rng, x, p):
    """A seed whose first two masks differ in their number of zeros, however a fair answer draws them."""
    while True:
        seed = int(rng.integers(2**31))
        other = np.random.default_rng(seed)
        if (other.random(x.shape) < p).sum() != (other.random(x.shape) < p).sum():
            return seed


def repeat_arguments(rng):
    x, p = layer(rng), rng.uniform(0.3, 0.7)
    return x, p, seed_with_changing_counts(rng, x, p)


DROPOUT = Exercise(
    "dropout", 2, dropout, forbidden=("nnlib.Dropout",),
    cases=[
        Case("half of the units", lambda rng: (layer(rng), 0.5, rng), judge=thinned_properly, points=0.5,
             hint="Each unit by itself: 0 with probability p, else multiplied by 1 / (1 - p)."),
        Case("another p", lambda rng: (layer(rng), rng.choice([0.2, 0.3, 0.7]), rng), judge=thinned_properly,
             points=0.5, hint="p is the probability of being dropped; the kept ones are divided by 1 - p."),
        Case("another draw in each call", repeat_arguments, judge=anew_each_time, call=twice_and_again, points=0.5,
             hint="Draw rng.random(x.shape) in each call, and compare it with p."),
        Case("testing", lambda rng: (layer(rng, 4, 5), rng.uniform(0.2, 0.8), rng, False), points=0.5,
             hint="Inverted dropout has done all its scaling in training: testing gives x back."),
    ],
    misconceptions=[
        Misconception("not scaled", thinning(factor=lambda p: 1),
                      "You drop, but do not scale. The next layer then receives less than in testing: divide by "
                      "1 - p."),
        Misconception("deck D's way", thinning(factor=lambda p: 1, testing=lambda x, p: (1 - p) * x),
                      "This is the other form, which scales in testing. Inverted dropout divides by 1 - p in training "
                      "and leaves testing alone."),
        Misconception("scaled twice", thinning(testing=lambda x, p: (1 - p) * x),
                      "In training you scale rightly, and in testing once more. Testing has nothing left to do."),
        Misconception("p is kept", thinning(mask=lambda x, p, rng: rng.random(x.shape) < p, factor=lambda p: 1 / p),
                      "You keep with probability p. Here p is the probability of being dropped."),
        Misconception("p is kept, right factor", thinning(mask=lambda x, p, rng: rng.random(x.shape) < p),
                      "The comparison is the wrong way round: rng.random(...) < p happens with probability p, and that "
                      "is when a unit is dropped."),
        Misconception("divided by p", thinning(factor=lambda p: 1 / p),
                      "The factor makes up for those that are missing: the share 1 - p is left, so divide by 1 - p."),
        Misconception("multiplied by 1 - p", thinning(factor=lambda p: 1 - p),
                      "You shrink those that are kept. They have to grow, to make up for the others: divide by 1 - p."),
        Misconception("one mask for the batch", thinning(mask=lambda x, p, rng: rng.random(x.shape[1]) >= p),
                      "Every example loses the same units: the mask needs the full shape of x."),
        Misconception("whole examples", thinning(mask=lambda x, p, rng: rng.random((len(x), 1)) >= p),
                      "You drop whole examples. The mask needs the full shape of x."),
        Misconception("only in testing", lambda x, p, rng, training=True: dropout(x, p, rng, not training),
                      "You drop in testing and leave training alone. It is the other way round."),
        Misconception("a fixed number", fixed_number,
                      "You drop exactly the share p. Each unit has its own draw, so the number varies from call to "
                      "call."),
        Misconception("by the share that is left", mended_mean,
                      "You divide by the share that happened to be kept. The factor is 1 / (1 - p), known before the "
                      "draw."),
        Misconception("a seed of its own", own_seed,
                      "Your generator starts anew in each call, so the same units are always dropped. Draw from the "
                      "`rng` that you get."),
        Misconception("in testing, too", always_thinned,
                      "You drop in testing, too. With training=False return x as it is."),
        Misconception("noise", lambda x, p, rng, training=True: x * rng.random(np.shape(x)) if training else x,
                      "You multiply by random numbers. Compare them with p first: a unit is there, or it is not."),
        Misconception("in place", thinned_in_place,
                      "You change the caller's x. Make a new array: x * mask / (1 - p)."),
    ],
    alternatives=[dropout_by_loop, single(dropout),
                  lambda x, p, rng, training=True: np.where(rng.uniform(size=x.shape) < p, 0, x / (1 - p))
                  if training else x.copy(),
                  lambda x, p, rng, training=True: x * rng.binomial(1, 1 - p, size=x.shape) / (1 - p)
                  if training else x])


# Early stopping.

class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.epoch = patience, 0
        self.best_loss, self.best_epoch, self.best_weights = math.inf, 0, None

    def update(self, loss, weights):
        self.epoch += 1
        if loss < self.best_loss:
            self.best_loss, self.best_epoch, self.best_weights = loss, self.epoch, self.kept(weights)
        return self.epoch - self.best_epoch >= self.patience

    def kept(self, weights):
        return np.array(weights)


class StoppingByCounter:
    """Counts the epochs without progress, and keeps a list."""

    def __init__(self, patience):
        self.left = self.patience = patience
        self.best_loss, self.best_epoch, self.best_weights, self.losses = np.inf, 0, None, []

    def update(self, loss, weights):
        self.losses.append(float(loss))
        self.left -= 1
        if self.losses[-1] < self.best_loss:
            self.left, self.best_loss = self.patience, self.losses[-1]
            self.best_epoch, self.best_weights = len(self.losses), list(weights)
        return np.bool_(self.left <= 0)


class StoppingByHistory:
    """Keeps everything and looks the best up."""

    def __init__(self, patience):
        self.patience, self.losses, self.states = patience, [], []

    def update(self, loss, weights):
        self.losses.append(loss)
        self.states.append(weights.astype(np.float32))
        self.best_epoch = int(np.argmin(self.losses)) + 1
        self.best_loss, self.best_weights = self.losses[self.best_epoch - 1], self.states[self.best_epoch - 1]
        return len(self.losses) >= self.best_epoch + self.patience


def stopper(**parts):
    """The right class with other methods or parts."""
    return type("EarlyStopping", (EarlyStopping,), parts)


def updating(better=lambda self, loss: loss < self.best_loss,
             enough=lambda self: self.epoch - self.best_epoch >= self.patience):
    """The class with another idea of what is better, or of when it is enough."""
    def update(self, loss, weights):
        self.epoch += 1
        if better(self, loss):
            self.best_loss, self.best_epoch, self.best_weights = loss, self.epoch, self.kept(weights)
        self.last_loss = loss
        return enough(self)
    return stopper(update=update, last_loss=math.inf)


class NeverForgives(EarlyStopping):
    """Counts all epochs without progress, also those before the last progress."""

    bad = 0

    def update(self, loss, weights):
        self.bad += not loss < self.best_loss
        EarlyStopping.update(self, loss, weights)
        return self.bad >= self.patience


class AgainstTheLast(EarlyStopping):
    """Counts epochs in a row that were worse than the one before."""

    bad, last = 0, math.inf

    def update(self, loss, weights):
        self.bad = self.bad + 1 if loss >= self.last else 0
        self.last = loss
        EarlyStopping.update(self, loss, weights)
        return self.bad >= self.patience


class KeepsTheLast(EarlyStopping):
    def update(self, loss, weights):
        done = EarlyStopping.update(self, loss, weights)
        self.best_weights = np.array(weights)
        return done


class KeepsTheFirst(EarlyStopping):
    def kept(self, weights):
        return np.array(weights) if self.best_weights is None else self.best_weights


class CountsFromZero(EarlyStopping):
    def __init__(self, patience):
        EarlyStopping.__init__(self, patience)
        self.epoch = -1


class HigherIsBetter(EarlyStopping):
    def __init__(self, patience):
        EarlyStopping.__init__(self, patience)
        self.best_loss = -math.inf

    update = updating(better=lambda self, loss: loss > self.best_loss).update


class NoAnswer(EarlyStopping):
    def update(self, loss, weights):
        EarlyStopping.update(self, loss, weights)


class GivesTheEpoch(EarlyStopping):
    def update(self, loss, weights):
        return self.best_epoch if EarlyStopping.update(self, loss, weights) else None


class LossNotKept(EarlyStopping):
    def update(self, loss, weights):
        best = self.best_loss
        done = EarlyStopping.update(self, loss, weights)
        self.best_loss = min(best, loss) if self.epoch == 1 else best
        return done


class OnlyCounts(EarlyStopping):
    """Gives the right epochs, and forgets the weights."""

    def kept(self, weights):
        return None


def told(answer):
    """What `update` said, as a word that tells True and False from everything else."""
    return {True: "stop", False: "go on"}.get(bool(answer)) if isinstance(answer, (bool, np.bool_)) else repr(answer)


def run_stopper(Stopper, losses, patience):
    """What update says after each epoch; the weights move in place, as an optimizer moves them."""
    stopper, weights, said = Stopper(patience), np.zeros(3), []
    for loss in losses:
        weights += 1.0
        said.append(told(stopper.update(loss, weights)))
    return said


def stop_and_look(Stopper, losses, patience, in_place=False):
    """The epoch of the stop (0: none), and what is known then; the weights are the number of the epoch."""
    stopper, weights, stop = Stopper(patience), np.zeros(3), 0
    for epoch, loss in enumerate(losses, 1):
        weights[:] = epoch
        if stopper.update(loss, weights if in_place else weights.copy()):
            stop = epoch
            break
    kept = stopper.best_weights
    return stop, stopper.best_epoch, stopper.best_loss, "nothing" if kept is None else np.asarray(kept)


def stop_and_look_in_place(Stopper, losses, patience):
    return stop_and_look(Stopper, losses, patience, in_place=True)


def losses_that_wobble(rng, patience, progress=2):
    """Losses that fall, wobble for less than `patience` epochs, fall again, and then wait for ever."""
    low, losses = 5.0, [5.0]
    for _ in range(progress):
        losses += [low + rng.uniform(0.1, 1) for _ in range(patience - 1)]
        low -= rng.uniform(0.5, 1)
        losses.append(low)
    return losses + (low + rng.uniform(0.1, 1, size=patience + 3)).tolist()


def wobble_arguments(rng):
    patience = int(rng.integers(3, 6))
    return losses_that_wobble(rng, patience), patience


def tie_arguments(rng):
    patience, low = int(rng.integers(2, 5)), float(np.round(rng.uniform(1, 2), 2))
    return [low + 1, low, low + 0.5, *[low] * (patience + 2)], patience


EARLY_STOPPING = Exercise(
    "EarlyStopping", 3, EarlyStopping, call=stop_and_look,
    cases=[
        Case("eight epochs you can follow by hand",
             lambda rng: ([5.0, 3.0, 4.0, 2.0, 6.0, 7.0, 8.0, 1.0], 3), call=run_stopper, points=0.5,
             hint="The best is epoch 4. Epochs 5, 6, 7 bring nothing better: after the third of them, stop."),
        Case("when to stop, after each epoch", wobble_arguments, call=run_stopper, points=0.5,
             hint="Epochs since the best one: self.epoch - self.best_epoch. Every new best starts the waiting anew."),
        Case("what is kept in the end", wobble_arguments, points=0.5,
             hint="At the stop, best_epoch, best_loss and best_weights belong to the best epoch, not to the last."),
        Case("weights that change in place", wobble_arguments, points=0.5, call=stop_and_look_in_place,
             hint="An optimizer goes on writing into the same array. Keep a copy: weights.copy()."),
        Case("the same loss again is not better", tie_arguments, points=0.5,
             hint="A loss has to be lower than the best one to count as progress."),
        Case("a run that goes on improving",
             lambda rng: (np.sort(rng.uniform(1, 5, size=12))[::-1].tolist(), int(rng.integers(1, 4))), points=0.5,
             hint="As long as each loss is lower than the best before, there is no reason to stop."),
    ],
    misconceptions=[
        Misconception("no copy", stopper(kept=lambda self, weights: weights),
                      "You keep the array itself, and training goes on changing it: in the end it holds the last "
                      "weights. Keep a copy."),
        Misconception("the last weights", KeepsTheLast,
                      "You store the weights in every epoch. Store them only when the loss is a new best."),
        Misconception("the first weights", KeepsTheFirst,
                      "You store the weights once and never again. Every new best loss brings new best weights."),
        Misconception("no weights", OnlyCounts,
                      "`best_weights` stays None. At every new best, keep a copy of the weights."),
        Misconception("one epoch too late", updating(enough=lambda self: self.epoch - self.best_epoch > self.patience),
                      "You stop one epoch late: with patience 3 the third epoch without progress is the last."),
        Misconception("one epoch too early",
                      updating(enough=lambda self: self.epoch - self.best_epoch >= self.patience - 1),
                      "You stop one epoch early: with patience 3, wait for three epochs without progress."),
        Misconception("never forgives", NeverForgives,
                      "You count all epochs without progress. A new best starts the waiting anew: set the counter "
                      "back."),
        Misconception("against the epoch before", AgainstTheLast,
                      "You compare each loss with the one before, so a small dip counts as progress. Compare with the "
                      "best."),
        Misconception("better than the last",
                      updating(better=lambda self, loss: loss < self.last_loss),
                      "Your best is replaced whenever a loss is lower than the one before. It has to be lower than the "
                      "best."),
        Misconception("a tie counts", updating(better=lambda self, loss: loss <= self.best_loss),
                      "You count an equal loss as progress, so a flat curve would never end. Take < in place of <=."),
        Misconception("higher is better", HigherIsBetter,
                      "You look for the highest value. It is a loss: lower is better."),
        Misconception("the best loss is not kept", LossNotKept,
                      "`best_loss` stays what it was in the first epoch. Replace it at every new best."),
        Misconception("counts from zero", CountsFromZero,
                      "Your epochs are 0, 1, 2, ... The first call of `update` is epoch 1."),
        Misconception("the other way round",
                      updating(enough=lambda self: self.epoch - self.best_epoch < self.patience),
                      "You answer True as long as it may go on. True means: stop."),
        Misconception("says nothing", NoAnswer,
                      "`update` has to answer in every call: True when it is time to stop, else False."),
        Misconception("True or nothing",
                      updating(enough=lambda self: True if self.epoch - self.best_epoch >= self.patience else None),
                      "You answer True when it is time to stop, and nothing at all before. Then the answer is False: "
                      "end with return and the comparison itself."),
        Misconception("gives the epoch", GivesTheEpoch,
                      "`update` answers with True or False. The best epoch stands in `best_epoch`."),
        Misconception("after so many epochs", updating(enough=lambda self: self.epoch >= self.patience),
                      "You stop after `patience` epochs in all. Patience counts the epochs since the best one."),
    ],
    alternatives=[StoppingByCounter, StoppingByHistory])


# Augmentation.

def moved(image, down, right):
    """An image, or each of several, moved by whole pixels; 0 comes in."""
    height, width = image.shape[-2:]
    result = np.zeros_like(image)
    rows, columns = np.arange(height) - down, np.arange(width) - right
    inside = np.ix_((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
    source = np.ix_(rows[(rows >= 0) & (rows < height)], columns[(columns >= 0) & (columns < width)])
    result[..., *inside] = image[..., *source]
    return result


def shifting(draw=lambda rng, most, n: rng.integers(-most, most, size=(n, 2), endpoint=True), move=moved):
    """An augmentation with another draw of (down, right) or another way to move; with the defaults it is right."""
    def answer(images, max_shift, rng):
        return np.array([move(image, *offset) for image, offset in zip(images, draw(rng, max_shift, len(images)))])
    return answer


augment_shift = shifting()


def shift_by_padding(images, max_shift, rng):
    """Pads once and cuts a window out of each image, as lists."""
    n, height, width = images.shape
    padded = np.pad(images, ((0, 0), (max_shift, max_shift), (max_shift, max_shift)))
    corners = rng.integers(0, 2 * max_shift + 1, size=(n, 2))
    return [padded[k, i:i + height, j:j + width].tolist() for k, (i, j) in enumerate(corners)]


def shift_by_rolling(images, max_shift, rng):
    """Rolls, and blanks what came in on the other side."""
    result = []
    for image in images:
        down, right = (int(rng.integers(-max_shift, max_shift + 1)) for _ in range(2))
        rolled = np.roll(image, (down, right), axis=(0, 1)).astype(np.float32)
        rolled[:max(down, 0)] = 0
        rolled[len(image) + min(down, 0):] = 0
        rolled[:, :max(right, 0)] = 0
        rolled[:, image.shape[1] + min(right, 0):] = 0
        result.append(rolled)
    return np.array(result)


def moved_around(image, down, right):
    return np.roll(image, (down, right), axis=(0, 1))


def moved_with_edges(image, down, right):
    height, width = image.shape
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    return image[np.ix_(rows, np.clip(np.arange(width) - right, 0, width - 1))]


def moved_with_ones(image, down, right):
    return moved(image, down, right) + (1 - moved(np.ones_like(image), down, right))


def shift_in_place(images, max_shift, rng):
    images[:] = augment_shift(images.copy(), max_shift, rng)
    return images


def shift_with_own_seed(images, max_shift, rng):
    return augment_shift(images, max_shift, np.random.default_rng(0))


def offsets_of(got, images, most):
    """By how much each image was moved: (down, right) within `most`, the first that fits, or None."""
    offsets = [None] * len(images)
    for down in range(-most, most + 1):
        for right in range(-most, most + 1):
            for k in np.flatnonzero(np.isclose(got, moved(images, down, right), atol=1e-5).all(axis=(1, 2))):
                offsets[k] = offsets[k] or (down, right)
    return offsets


def moved_properly(got, args, expected):
    """What is wrong with a batch of moved images, or None."""
    images, most = args[:2]
    got = np.asarray(got, dtype=float)
    if got.shape != images.shape:
        return f"the images have shape {images.shape}, your answer has {got.shape}"
    offsets = offsets_of(got, images, most)
    strange = [k for k, offset in enumerate(offsets) if offset is None]
    if strange:
        g, image = got[strange[0]], images[strange[0]]
        around = range(-most, most + 1)
        if any(np.allclose(g, moved_around(image, i, j), atol=1e-5) for i in around for j in around):
            return "what leaves an image on one side comes in on the other"
        if any(np.allclose(g, moved_with_edges(image, i, j), atol=1e-5) for i in around for j in around):
            return "the edge of the image is repeated where 0 should come in"
        if any(np.allclose(g, moved_with_ones(image, i, j), atol=1e-5) for i in around for j in around):
            return "1 comes in where 0 should"
        if offsets_of(g[None], image[None], 2 * most + 1)[0]:
            return "an image was moved farther than max_shift"
        return "an image is not a moved copy of itself with 0 coming in"
    seen = set(offsets)
    if len(seen) == 1:
        return "all images were moved alike"
    if all(down == 0 for down, _ in seen) or all(right == 0 for _, right in seen):
        return "the images move along one axis only"
    if all(down == right for down, right in seen):
        return "down and right are always the same"
    if all(max(abs(down), abs(right)) < most for down, right in seen):
        return "no image was moved by max_shift"
    if min(down for down, _ in seen) >= 0 and min(right for _, right in seen) >= 0:
        return "images move down and right only"
    if max(down for down, _ in seen) < most or max(right for _, right in seen) < most:
        return "no image was moved by max_shift down, or none right"
    if not any(0 in offset for offset in seen):
        return "0 is never drawn"
    if len(seen) < (2 * most + 1) ** 2:
        return "some of the moves never occur"
    return None


def moves_anew(got, args, expected):
    first, second, again = (np.asarray(part, dtype=float) for part in got)
    if np.allclose(first, second):
        return "two calls move the images alike"
    if not np.allclose(first, again):
        return "the same seed gives other moves: draw from `rng`"
    return None


def shifted_twice(answer, images, most, seed):
    rng = np.random.default_rng(seed)
    return [answer(images.copy(), most, rng), answer(images.copy(), most, rng),
            answer(images.copy(), most, np.random.default_rng(seed))]


AUGMENT_SHIFT = Exercise(
    "augment_shift", 2, augment_shift, forbidden=("nnlib.datasets.shift", "nnlib.datasets.translate"),
    cases=[
        Case("no shift at all", lambda rng: (rng.uniform(0.1, 1, size=(3, 4, 5)), 0, rng), points=0.5,
             hint="With max_shift 0 the only number from -0 to 0 is 0: the images stay as they are."),
        Case("many images, by up to one pixel", lambda rng: (rng.uniform(0.1, 1, size=(150, 4, 5)), 1, rng),
             judge=moved_properly, points=0.5,
             hint="Draw for each image two whole numbers from -max_shift to max_shift, both ends included."),
        Case("images that are not square, by up to two",
             lambda rng: (rng.uniform(0.1, 1, size=(400, 6, 5)), 2, rng), judge=moved_properly, points=0.5,
             hint="Rows move down, columns right; np.zeros_like(images) is a good start."),
        Case("other moves in each call",
             lambda rng: (rng.uniform(0.1, 1, size=(20, 5, 5)), 2, int(rng.integers(2**31))), judge=moves_anew,
             call=shifted_twice, points=0.5, hint="Draw from the `rng` that you get, in each call."),
    ],
    misconceptions=[
        Misconception("np.roll", shifting(move=moved_around),
                      "What leaves on one side comes in on the other: np.roll does that. Paper has to come in: 0."),
        Misconception("the edge repeated", shifting(move=moved_with_edges),
                      "You repeat the pixels of the edge. Where nothing was, 0 comes in."),
        Misconception("ink comes in", shifting(move=moved_with_ones),
                      "1 comes in at the edge, which is ink. Paper is 0."),
        Misconception("all alike", shifting(lambda rng, most, n: np.tile(
                          rng.integers(-most, most, size=2, endpoint=True), (n, 1))),
                      "All images move by the same pixels. Draw down and right anew for every image."),
        Misconception("one side only", shifting(lambda rng, most, n: rng.integers(0, most, size=(n, 2), endpoint=True)),
                      "Your images move down and right only. Draw from -max_shift to max_shift."),
        Misconception("the end left out", shifting(lambda rng, most, n: rng.integers(-most, max(most, 1 - most),
                                                                                    size=(n, 2))),
                      "rng.integers leaves its upper end out. Add 1 to it, or say endpoint=True."),
        Misconception("the largest always", shifting(lambda rng, most, n: most * rng.choice([-1, 1], size=(n, 2))),
                      "You move every image by the full max_shift. All whole numbers up to it are wanted, 0 too."),
        Misconception("sideways only", shifting(lambda rng, most, n: np.stack(
                          [np.zeros(n, dtype=int), rng.integers(-most, most, size=n, endpoint=True)], axis=1)),
                      "Your images move along one axis only. Draw two numbers for each: down and right."),
        Misconception("along the diagonal", shifting(lambda rng, most, n: np.repeat(
                          rng.integers(-most, most, size=(n, 1), endpoint=True), 2, axis=1)),
                      "Down and right are the same number with you. Draw two."),
        Misconception("too far", shifting(lambda rng, most, n: rng.integers(-most, most, size=(n, 2), endpoint=True)
                                          * 2),
                      "Your images move farther than max_shift."),
        Misconception("a seed of its own", shift_with_own_seed,
                      "Your generator starts anew in each call, so each epoch would see the same moves. Draw from the "
                      "`rng` that you get."),
        Misconception("unchanged", lambda images, max_shift, rng: images.copy(),
                      "Your images stay where they are."),
        Misconception("in place", shift_in_place,
                      "You change the caller's images: the next epoch would move the moved ones. Fill a new array."),
        Misconception("images mixed up", lambda images, max_shift, rng: augment_shift(images, max_shift, rng)[::-1],
                      "Your images come back in another order, and no longer fit their targets."),
    ],
    alternatives=[shift_by_padding, shift_by_rolling])


# Batch normalization.

def batch_norm_forward(X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    if not training:
        return gamma * (X - running_mean) / np.sqrt(running_var + eps) + beta, running_mean, running_var
    mean, var, n = X.mean(axis=0), X.var(axis=0), len(X)
    Y = gamma * (X - mean) / np.sqrt(var + eps) + beta
    return (Y, (1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * var * n / (n - 1))


def normalizing(moments=lambda X: (X.mean(axis=0), X.var(axis=0)), scale=lambda var, eps: np.sqrt(var + eps),
                out=lambda X_hat, gamma, beta: gamma * X_hat + beta, kept=lambda var, n: var * n / (n - 1),
                share=lambda momentum: momentum, given=lambda X, mean, var: (mean, var), frozen=True):
    """A forward pass with other parts; with the defaults it is right."""
    def answer(X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
        mean, var = moments(X) if training else given(X, running_mean, running_var)
        Y = out((X - mean) / scale(var, eps), gamma, beta)
        if training or not frozen:
            m = share(momentum)
            running_mean = (1 - m) * running_mean + m * mean
            running_var = (1 - m) * running_var + m * kept(var, len(X))
        return Y, running_mean, running_var
    return answer


def norm_by_loop(X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    """Unit by unit, in lists."""
    columns, means, variances = [], [], []
    for k in range(X.shape[1]):
        x, mean, var = X[:, k].tolist(), float(running_mean[k]), float(running_var[k])
        if training:
            mean = sum(x) / len(x)
            squares = sum((value - mean) ** 2 for value in x)
            var = squares / len(x)
            means.append(running_mean[k] + momentum * (mean - running_mean[k]))
            variances.append(running_var[k] + momentum * (squares / (len(x) - 1) - running_var[k]))
        else:
            means.append(mean)
            variances.append(var)
        columns.append([gamma[k] * (value - mean) / math.sqrt(var + eps) + beta[k] for value in x])
    return np.transpose(columns).tolist(), means, variances


def norm_in_place(X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    Y, mean, var = batch_norm_forward(X, gamma, beta, running_mean, running_var, training, momentum, eps)
    running_mean[...], running_var[...] = mean, var
    return Y, running_mean, running_var


def with_moved_statistics(X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    _, *moved_on = batch_norm_forward(X, gamma, beta, running_mean, running_var, training, momentum, eps)
    return batch_norm_forward(X, gamma, beta, *moved_on, False, momentum, eps)


def norm_arguments(rng, n=7, units=4, training=True):
    return (rng.normal(2, 3, size=(n, units)), rng.uniform(0.5, 2, units), rng.normal(size=units),
            rng.normal(size=units), rng.uniform(0.5, 4, units), training)


def norm_in_epochs(answer, batches, gamma, beta, X):
    """Several batches, then one example alone in testing."""
    running = np.zeros(len(gamma)), np.ones(len(gamma))
    for batch in batches:
        _, *running = answer(batch.copy(), gamma, beta, *running)
    return answer(X, gamma, beta, *running, training=False)


BATCH_NORM_FORWARD = Exercise(
    "batch_norm_forward", 2, batch_norm_forward, forbidden=("nnlib.batch_norm", "nnlib.BatchNorm1d"),
    cases=[
        Case("two examples of one unit, by hand",
             lambda rng: (np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), np.zeros(1), np.ones(1)),
             hint="Mean 2 and variance 1: the standardized values are -1 and 1."),
        Case("a batch in training", norm_arguments,
             hint="Mean and variance over axis 0, one for each unit; then gamma times the standardized value, plus "
                  "beta."),
        Case("other momentum and a large eps",
             lambda rng: (*norm_arguments(rng), rng.uniform(0.2, 0.4), rng.uniform(0.5, 2)),
             hint="momentum is the share of the new batch; eps is added to the variance, under the root."),
        Case("a batch in testing", lambda rng: norm_arguments(rng, training=False),
             hint="Testing uses the running statistics, and leaves them as they are."),
        Case("units that hardly vary, eps left as it is",
             lambda rng: (rng.normal(2, 0.003, size=(7, 4)), *norm_arguments(rng)[1:]),
             hint="The variance is about as small as eps, 1e-5: it decides how far Y spreads."),
        Case("five batches, then one example alone",
             lambda rng: (rng.normal(3, 2, size=(5, 6, 3)), rng.uniform(0.5, 2, 3), rng.normal(size=3),
                          rng.normal(3, 2, size=(1, 3))), call=norm_in_epochs,
             hint="Return the new running statistics: the next batch moves them on."),
    ],
    misconceptions=[
        Misconception("each example by itself", normalizing(lambda X: (X.mean(axis=1, keepdims=True),
                                                                     X.var(axis=1, keepdims=True))),
                      "You standardize each example over its units: that is layer normalization. Here each unit is "
                      "standardized over the batch: axis 0."),
        Misconception("one mean for all", normalizing(lambda X: (X.mean(), X.var())),
                      "You take one mean over everything. Each unit has its own: axis=0."),
        Misconception("unbiased in the batch", normalizing(lambda X: (X.mean(axis=0), X.var(axis=0, ddof=1)),
                                                           kept=lambda var, n: var),
                      "You standardize with n - 1. Within the batch it is n; only the running variance takes n - 1."),
        Misconception("biased running variance", normalizing(kept=lambda var, n: var),
                      "Nearly: the running variance takes the unbiased estimate, var * n / (n - 1)."),
        Misconception("the wrong way unbiased", normalizing(kept=lambda var, n: var * (n - 1) / n),
                      "The unbiased variance is larger than the mean square: n / (n - 1), not its inverse."),
        Misconception("momentum is what stays", normalizing(share=lambda momentum: 1 - momentum),
                      "Your momentum is the share of the old statistics. Here it is the share of the new batch, as in "
                      "PyTorch."),
        Misconception("eps outside the root", normalizing(scale=lambda var, eps: np.sqrt(var) + eps),
                      "You add eps to the root. It belongs under the root, to the variance."),
        Misconception("no root", normalizing(scale=lambda var, eps: var + eps),
                      "You divide by the variance. Divide by its root, the standard deviation."),
        Misconception("no eps", normalizing(scale=lambda var, eps: np.sqrt(var)),
                      "You forgot eps: it is added to the variance under the root."),
        Misconception("the batch in testing", normalizing(given=lambda X, mean, var: (X.mean(axis=0), X.var(axis=0))),
                      "In testing you use the batch's own statistics, so an answer depends on its company. Use the "
                      "running ones."),
        Misconception("running statistics in training",
                      lambda X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5: (
                          batch_norm_forward(X, gamma, beta, running_mean, running_var, False, momentum, eps)[0],
                          *batch_norm_forward(X, gamma, beta, running_mean, running_var, training, momentum, eps)[1:]),
                      "You standardize with the running statistics in training, too. There it is those of the batch."),
        Misconception("testing moves the statistics", normalizing(
                          frozen=False, given=lambda X, mean, var: (mean, var)),
                      "Your running statistics change in testing. They have to stay."),
        Misconception("never moves the statistics",
                      lambda X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5: (
                          batch_norm_forward(X, gamma, beta, running_mean, running_var, training, momentum, eps)[0],
                          running_mean, running_var),
                      "Your running statistics stay what they were. In training they move towards those of the batch."),
        Misconception("the batch's statistics kept", normalizing(share=lambda momentum: 1.0),
                      "You replace the running statistics by those of the batch. Only the share `momentum` is new."),
        Misconception("the statistics add up",
                      lambda X, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5: (
                          batch_norm_forward(X, gamma, beta, running_mean, running_var, training, momentum, eps)[0],
                          running_mean + training * momentum * X.mean(axis=0),
                          running_var + training * momentum * X.var(axis=0) * len(X) / max(len(X) - 1, 1)),
                      "You add the new share and keep all of the old: the running statistics would grow without end. "
                      "Only the share 1 - momentum of the old ones stays."),
        Misconception("standardized with the moved statistics", with_moved_statistics,
                      "In training you standardize with the running statistics, after moving them. They are for "
                      "testing; training takes those of the batch."),
        Misconception("gamma and beta forgotten", normalizing(out=lambda X_hat, gamma, beta: X_hat),
                      "Your Y is only standardized. Multiply by gamma and add beta."),
        Misconception("beta first", normalizing(out=lambda X_hat, gamma, beta: gamma * (X_hat + beta)),
                      "You add beta before you multiply by gamma. First the factor, then the shift."),
        Misconception("gamma and beta exchanged", normalizing(out=lambda X_hat, gamma, beta: beta * X_hat + gamma),
                      "gamma is the factor and beta the shift; you have them the other way round."),
        Misconception("not centered", lambda X, gamma, beta, running_mean, running_var, training=True, momentum=0.1,
                      eps=1e-5: (batch_norm_forward(X, gamma, beta, running_mean, running_var, training, momentum,
                                                    eps)[0] + gamma * (X.mean(axis=0) if training else running_mean)
                                 / np.sqrt((X.var(axis=0) if training else running_var) + eps),
                                 *batch_norm_forward(X, gamma, beta, running_mean, running_var, training, momentum,
                                                     eps)[1:]),
                      "You divide by the deviation, but do not take the mean away first."),
        Misconception("Y alone", lambda *args, **named: batch_norm_forward(*args, **named)[0],
                      "You return Y alone. The next batch needs the running statistics, too."),
        Misconception("the statistics in place", norm_in_place,
                      "The numbers are right, but you change the caller's running statistics. Make new arrays."),
    ],
    alternatives=[norm_by_loop, single(batch_norm_forward)])


def batch_norm_backward(G, X, gamma, eps=1e-5):
    s = 1 / np.sqrt(X.var(axis=0) + eps)
    X_hat = (X - X.mean(axis=0)) * s
    D = gamma * G
    dX = s * (D - D.mean(axis=0) - X_hat * (D * X_hat).mean(axis=0))
    return dX, (G * X_hat).sum(axis=0), G.sum(axis=0)


def backward_in_five_steps(G, X, gamma, eps=1e-5):
    """The steps of the derivation, path by path."""
    n, centered = len(X), X - X.mean(axis=0)
    s = (np.mean(centered**2, axis=0) + eps) ** -0.5
    D = G * gamma
    d_var = -0.5 * s**3 * (D * centered).sum(axis=0)
    direct = D * s + 2 / n * centered * d_var
    return direct - direct.sum(axis=0) / n, (G * centered * s).sum(axis=0), G.sum(axis=0)


def backward_by_loop(G, X, gamma, eps=1e-5):
    """The Jacobian of every unit, written out."""
    n, units = X.shape
    dX, dgamma = np.zeros((n, units)), np.zeros(units)
    for k in range(units):
        x = X[:, k]
        s = 1 / math.sqrt(np.mean((x - x.mean()) ** 2) + eps)
        x_hat = (x - x.mean()) * s
        jacobian = s * (np.eye(n) - 1 / n - np.outer(x_hat, x_hat) / n)
        dX[:, k] = gamma[k] * jacobian @ G[:, k]
        dgamma[k] = x_hat @ G[:, k]
    return dX.tolist(), dgamma.tolist(), [sum(G[:, k].tolist()) for k in range(units)]


def going_back(dX=lambda s, D, X_hat, n: s * (D - D.mean(axis=0) - X_hat * (D * X_hat).mean(axis=0)),
               dgamma=lambda G, X_hat, X: (G * X_hat).sum(axis=0), dbeta=lambda G: G.sum(axis=0),
               D=lambda G, gamma: gamma * G, scale=lambda var, eps: 1 / np.sqrt(var + eps)):
    """A backward pass with other parts; with the defaults it is right."""
    def answer(G, X, gamma, eps=1e-5):
        s = scale(X.var(axis=0), eps)
        X_hat = (X - X.mean(axis=0)) * s
        return dX(s, D(G, gamma), X_hat, len(X)), dgamma(G, X_hat, X), dbeta(G)
    return answer


def backward_arguments(rng, n=5, units=3):
    return rng.normal(size=(n, units)), rng.normal(2, 3, size=(n, units)), rng.uniform(0.5, 2, units)


BATCH_NORM_BACKWARD = Exercise(
    "batch_norm_backward", 2, batch_norm_backward,
    forbidden=("nnlib.batch_norm", "nnlib.BatchNorm1d", "nnlib.numerical_gradient"),
    cases=[
        Case("three examples of one unit, by hand",
             lambda rng: (np.array([[1.0], [0.0], [0.0]]), np.array([[-1.0], [0.0], [1.0]]), np.array([1.0]), 0.0),
             hint="The variance is 2/3. dbeta is 1, dgamma is the first standardized value."),
        Case("five examples, three units", backward_arguments,
             hint="dX = s (D - mean of D - X_hat * mean of D * X_hat), with D = gamma * G, all means over axis 0."),
        Case("a large eps", lambda rng: (*backward_arguments(rng, 4, 6), rng.uniform(1, 5)),
             hint="s and X_hat have eps under their root, as in the forward pass."),
        Case("units that hardly vary, eps left as it is",
             lambda rng: (rng.normal(size=(5, 3)), rng.normal(2, 0.003, size=(5, 3)), rng.uniform(0.5, 2, 3)),
             hint="The variance is about as small as eps, 1e-5: it belongs under the root of s."),
        Case("a gradient that is the same for all examples",
             lambda rng: (np.tile(rng.normal(size=4), (6, 1)), *backward_arguments(rng, 6, 4)[1:]),
             hint="Moving the whole batch changes nothing behind the normalization: dX is 0 here, dbeta is not."),
    ],
    misconceptions=[
        Misconception("mean and variance as constants", going_back(lambda s, D, X_hat, n: s * D),
                      "You treat the mean and the variance as constants. Both depend on every example of the batch: "
                      "two more paths lead to X."),
        Misconception("the variance as a constant", going_back(lambda s, D, X_hat, n: s * (D - D.mean(axis=0))),
                      "The path through the variance is missing: - X_hat times the mean of D * X_hat."),
        Misconception("the mean as a constant", going_back(
                          lambda s, D, X_hat, n: s * (D - X_hat * (D * X_hat).mean(axis=0))),
                      "The path through the mean is missing: - the mean of D."),
        Misconception("sums in place of means", going_back(
                          lambda s, D, X_hat, n: s * (D - D.sum(axis=0) - X_hat * (D * X_hat).sum(axis=0))),
                      "You subtract sums. The mean and the variance hold 1/n, so means come back."),
        Misconception("no s", going_back(lambda s, D, X_hat, n: D - D.mean(axis=0) - X_hat * (D * X_hat).mean(axis=0)),
                      "The bracket is right. It has to be multiplied by s = 1 / sqrt(var + eps)."),
        Misconception("s upside down", going_back(
                          lambda s, D, X_hat, n: (D - D.mean(axis=0) - X_hat * (D * X_hat).mean(axis=0)) / s),
                      "You multiply by the deviation. The forward pass divides by it, and so does its derivative."),
        Misconception("gamma forgotten", going_back(D=lambda G, gamma: G),
                      "gamma is missing in dX: the gradient at X_hat is gamma * G."),
        Misconception("gamma in dgamma", going_back(dgamma=lambda G, X_hat, X: (G * X_hat).sum(axis=0),
                                                    dbeta=lambda G: G.mean(axis=0)),
                      "dbeta is a sum over the examples, not a mean: the 1/n of the loss is in G already."),
        Misconception("means for the parameters", going_back(dgamma=lambda G, X_hat, X: (G * X_hat).mean(axis=0),
                                                             dbeta=lambda G: G.mean(axis=0)),
                      "You average over the examples. gamma and beta are shared by all of them, and shared paths add."),
        Misconception("dgamma with X", going_back(dgamma=lambda G, X_hat, X: (G * X).sum(axis=0)),
                      "gamma multiplies the standardized values, so dgamma needs X_hat, not X."),
        Misconception("dgamma per example", going_back(dgamma=lambda G, X_hat, X: G * X_hat, dbeta=lambda G: G),
                      "dgamma and dbeta have one number for each unit: sum over the examples, axis=0."),
        Misconception("the variance path added", going_back(
                          lambda s, D, X_hat, n: s * (D - D.mean(axis=0) + X_hat * (D * X_hat).mean(axis=0))),
                      "The path through the variance has the other sign: a larger variance makes X_hat smaller."),
        Misconception("each example by itself", going_back(
                          lambda s, D, X_hat, n: s * (D - D.mean(axis=1, keepdims=True) - X_hat * (D * X_hat).mean(
                              axis=1, keepdims=True))),
                      "Your means run over the units. In the forward pass they ran over the examples: axis=0."),
        Misconception("no eps", going_back(scale=lambda var, eps: 1 / np.sqrt(var)),
                      "eps is missing under the root. In the forward pass it was there."),
        Misconception("dX alone", lambda *args: batch_norm_backward(*args)[0],
                      "You return dX alone. gamma and beta are learned, too: return dX, dgamma, dbeta."),
        Misconception("dbeta before dgamma", lambda *args: tuple(batch_norm_backward(*args)[k] for k in (0, 2, 1)),
                      "You return the right arrays in another order: dX, dgamma, dbeta."),
        Misconception("in place", in_place(lambda G, X, gamma, eps=1e-5: gamma * G),
                      "You write into the caller's G. Make new arrays, and return dX, dgamma, dbeta."),
    ],
    alternatives=[backward_in_five_steps, backward_by_loop, single(batch_norm_backward)])


# Averages.

def ema_update(average, weights, decay):
    return decay * average + (1 - decay) * weights


def ema_by_loop(average, weights, decay):
    pairs = zip(np.ravel(average).tolist(), np.ravel(weights).tolist())
    return np.reshape([a + (1 - decay) * (w - a) for a, w in pairs], np.shape(average)).tolist()


def over_time(answer, places, decay):
    """The average after each of several updates, beginning with the first place."""
    average, seen = places[0].copy(), []
    for weights in places[1:]:
        average = np.asarray(answer(average, weights.copy(), decay), dtype=float)
        seen.append(average.copy())
    return seen


EMA_UPDATE = Exercise(
    "ema_update", 1, ema_update,
    cases=[
        Case("two weights you can verify by hand",
             lambda rng: (np.array([1.0, 0.0]), np.array([3.0, -1.0]), 0.9),
             hint="0.9 of what was there, and 0.1 of what is new: they add up to 1."),
        Case("a matrix of weights", lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(3, 4)),
                                                 rng.uniform(0.6, 0.95)),
             hint="decay * average + (1 - decay) * weights, entry by entry."),
        Case("eight updates, one after the other",
             lambda rng: (np.cumsum(rng.normal(size=(9, 3)), axis=0), rng.uniform(0.6, 0.95)), call=over_time,
             hint="What you return is the average that the next call gets."),
    ],
    misconceptions=[
        Misconception("the shares exchanged", lambda average, weights, decay: (1 - decay) * average + decay * weights,
                      "decay is the share of the old average, near 1. You give it to the new weights."),
        Misconception("adds everything", lambda average, weights, decay: decay * average + weights,
                      "You add the new weights whole, as a velocity does. The shares of an average add up to 1."),
        Misconception("the plain mean", lambda average, weights, decay: (average + weights) / 2,
                      "You take the middle of the two. decay says how much of the old average stays."),
        Misconception("no memory", lambda average, weights, decay: weights.copy(),
                      "You return the present weights: nothing is averaged."),
        Misconception("never moves", lambda average, weights, decay: average.copy(),
                      "Your average stays what it was. The share 1 - decay of the new weights comes in."),
        Misconception("only the old part", lambda average, weights, decay: decay * average,
                      "The new part is missing: + (1 - decay) * weights."),
        Misconception("only the new part", lambda average, weights, decay: (1 - decay) * weights,
                      "The old part is missing: decay * average +."),
        Misconception("away from the weights", lambda average, weights, decay: average - (1 - decay) * (
                          weights - average),
                      "Your average moves away from the weights. It has to move towards them."),
        Misconception("in place", in_place(ema_update),
                      "The numbers are right, but you changed the caller's average. Make a new array."),
        Misconception("one number", lambda average, weights, decay: np.mean(ema_update(average, weights, decay)),
                      "You average over the entries, too. Every weight has an average of its own."),
    ],
    alternatives=[ema_by_loop, single(ema_update),
                  lambda average, weights, decay: weights + decay * np.subtract(average, weights)])


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def ensemble_predict(scores):
    return softmax(np.asarray(scores, dtype=float)).mean(axis=0)


def ensemble_by_loop(scores):
    total = np.zeros(np.shape(scores)[1:])
    for z in scores:
        for row, out in zip(z, total):
            row = row - np.max(row)
            out += np.exp(row) / sum(np.exp(row).tolist())
    return (total / len(scores)).tolist()


def votes(scores):
    winners = np.argmax(scores, axis=-1)
    return np.mean(winners[..., None] == np.arange(np.shape(scores)[-1]), axis=0)


def naive(scores):
    e = np.exp(scores)
    return (e / e.sum(axis=-1, keepdims=True)).mean(axis=0)


def geometric(scores):
    product = np.exp(np.log(softmax(scores)).sum(axis=0))
    return product / product.sum(axis=-1, keepdims=True)


ENSEMBLE_PREDICT = Exercise(
    "ensemble_predict", 1, ensemble_predict, forbidden=("nnlib.softmax",),
    cases=[
        Case("two models, one example, by hand", lambda rng: (np.log([[[0.9, 0.1]], [[0.5, 0.5]]]),),
             hint="The first says 0.9 and 0.1, the second 0.5 and 0.5: the mean is 0.7 and 0.3."),
        Case("three models, five examples, four classes", lambda rng: (rng.normal(scale=2, size=(3, 5, 4)),),
             hint="First the softmax of each model's scores over the classes, then the mean over the models, axis 0."),
        Case("scores in the thousands", lambda rng: (1000 * rng.normal(size=(4, 3, 2)),), no_warnings=True,
             hint="Subtract the largest score of each row before np.exp, as in chapter 02."),
    ],
    misconceptions=[
        Misconception("the softmax of the mean score", lambda scores: softmax(np.mean(scores, axis=0)),
                      "You average the scores and take the softmax then. A model with large scores would count more; "
                      "average probabilities."),
        Misconception("votes", votes,
                      "You count votes, and a close decision counts as much as a sure one. Average the probabilities."),
        Misconception("the winner only", lambda scores: ensemble_predict(scores).argmax(axis=-1),
                      "You return classes. Asked are the mean probabilities; whoever wants a class takes argmax."),
        Misconception("the sum", lambda scores: softmax(scores).sum(axis=0),
                      "You add the probabilities of the models. Divide by the number of models."),
        Misconception("the product", geometric,
                      "You multiply the probabilities. One model that says 0 would overrule all; take the mean."),
        Misconception("overflow", naive,
                      "np.exp of a large score is infinite. Subtract the largest score of each row first."),
        Misconception("mean scores", lambda scores: np.mean(scores, axis=0),
                      "These are mean scores, no probabilities: the softmax is missing."),
        Misconception("over the examples", lambda scores: softmax(scores).mean(axis=1),
                      "You average over the examples. The models are on axis 0."),
        Misconception("softmax over the models", lambda scores: softmax(np.moveaxis(scores, 0, -1)).mean(axis=-1),
                      "Your softmax runs over the models. Each model distributes 1 over the classes, the last axis."),
        Misconception("the best model only", lambda scores: softmax(scores)[0],
                      "You return one model's answer. All of them count alike."),
        Misconception("the surest", lambda scores: softmax(scores).max(axis=0),
                      "You take the largest probability of each class. They no longer sum to 1; take the mean."),
    ],
    alternatives=[ensemble_by_loop, single(ensemble_predict),
                  lambda scores: sum(softmax(z) for z in scores) / len(scores)])


EXERCISES = [L2_GRADIENT, L1_GRADIENT, DROPOUT, EARLY_STOPPING, AUGMENT_SHIFT, BATCH_NORM_FORWARD, BATCH_NORM_BACKWARD,
             EMA_UPDATE, ENSEMBLE_PREDICT]
