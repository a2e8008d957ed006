"""ex09, momentum and adaptive rates: the questions of solutions/ex09_momentum_and_adaptive_rates."""

import math

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex09_momentum_and_adaptive_rates"

SWAPPED = "You return the right arrays in another order. The weights come first: "
ALONE = "You return the weights alone. The next step also needs "


def draw(rng, shape, states=1, scale=1.0):
    """Weights, a gradient and `states` arrays that a step keeps, none of which is ever negative."""
    return (rng.normal(size=shape), scale * rng.normal(size=shape),
            *(rng.uniform(0.2, 3, size=shape) for _ in range(states)))


def lists(step, kept=1, **options):
    """A step by a loop over flat lists, as a learner without NumPy writes it; takes and gives the same as `step`."""
    def answer(w, gradient, *rest, **named):
        states, numbers = rest[:kept], rest[kept:]
        shape, columns = np.shape(w), zip(*(np.ravel(a).tolist() for a in (w, gradient, *states)), strict=True)
        rows = [step(*row, *numbers, **{**options, **named}) for row in columns]
        return tuple(np.reshape(column, shape).tolist() for column in zip(*rows, strict=True))
    return answer


def single(step):
    """The same step, answered in float32."""
    return lambda *args, **named: tuple(np.asarray(part, dtype=np.float32) for part in step(*args, **named))


def swapped(step, order):
    """The same step, with what it returns in another order."""
    return lambda *args, **named: tuple(step(*args, **named)[i] for i in order)


def alone(step):
    """The same step without its memory."""
    return lambda *args, **named: step(*args, **named)[0]


def uphill(step):
    """The same step in the other direction."""
    def wrong(w, *rest, **named):
        moved, *kept = step(w, *rest, **named)
        return (2 * w - moved, *kept)
    return wrong


def no_return(step):
    """The same step as a change of place, not as a place."""
    def wrong(w, *rest, **named):
        moved, *kept = step(w, *rest, **named)
        return (moved - w, *kept)
    return wrong


# Momentum.

def momentum_step(w, gradient, velocity, rate, momentum):
    velocity = momentum * velocity + gradient
    return w - rate * velocity, velocity


def velocity_step(new=lambda v, g, m: m * v + g, move=lambda v, g, m, old: v, keep=lambda v, old, rate: v):
    """A step with a velocity; with the defaults it is `momentum_step`."""
    def step(w, gradient, velocity, rate, momentum):
        after = new(velocity, gradient, momentum)
        return w - rate * move(after, gradient, momentum, velocity), keep(after, velocity, rate)
    return step


def rate_inside(w, gradient, velocity, rate, momentum):
    velocity = momentum * velocity + rate * gradient
    return w - velocity, velocity


def rate_twice(w, gradient, velocity, rate, momentum):
    velocity = momentum * velocity + rate * gradient
    return w - rate * velocity, velocity


def downhill_velocity(w, gradient, velocity, rate, momentum):
    velocity = momentum * velocity - gradient
    return w + rate * velocity, velocity


def momentum_in_place(w, gradient, velocity, rate, momentum):
    velocity *= momentum
    velocity += gradient
    return w - rate * velocity, velocity


def moves_in_place(step):
    """The same step, written over the caller's weights."""
    def wrong(w, *rest, **named):
        moved, *kept = step(w, *rest, **named)
        w[...] = moved
        return (w, *kept)
    return wrong


def calls_gradient(w, gradient, velocity, rate, momentum):
    return momentum_step(w, gradient(w), velocity, rate, momentum)


def rolling(step, w, gradients, rate, momentum):
    """The places of several steps, the velocity handed on."""
    velocity, places = np.zeros_like(w), []
    for gradient in gradients:
        w, velocity = step(w, gradient.copy(), velocity, rate, momentum)
        places.append(np.array(w, dtype=float))
    return places


def velocity_cases(second):
    """The cases of a step with velocity; `second`: a hint for the drawn ones."""
    def fixed(rng):
        return np.array([1.0, -2.0]), np.array([2.0, 4.0]), np.array([1.0, 0.0]), 0.1, 0.5
    return [
        Case("two weights you can verify by hand", fixed,
             hint="First the velocity, then the move: write the two lines one below the other, as in the chapter."),
        Case("five weights on the move",
             lambda rng: (*rng.normal(size=(3, 5)), rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.95)), hint=second),
        Case("a matrix of weights, at rest",
             lambda rng: (*rng.normal(size=(2, 3, 4)), np.zeros((3, 4)), rng.uniform(0.05, 0.5),
                          rng.uniform(0.3, 0.95)),
             hint="With a velocity of zero the new velocity is the gradient; no loop and no reshape is needed."),
        Case("three steps, one after the other",
             lambda rng: (rng.normal(size=3), rng.normal(size=(3, 3)), rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.95)),
             call=rolling, hint="The velocity that you return is the one that the next step gets: return the new one."),
    ]


VELOCITY = "`return w, velocity`."
MOMENTUM_STEP = Exercise(
    "momentum_step", 2, momentum_step,
    forbidden=("nnlib.SGD", "nnlib.widgets.descent.momentum_step"),
    cases=velocity_cases("What is left of the old velocity is `momentum` times it; the whole gradient is added."),
    misconceptions=[
        Misconception("forgets", velocity_step(new=lambda v, g, m: g),
                      "Your step does not use the velocity that it gets: this is plain descent. Keep `momentum` times "
                      "the old velocity and add the gradient."),
        Misconception("the average", velocity_step(new=lambda v, g, m: m * v + (1 - m) * g),
                      "You average, with weights momentum and 1 - momentum, as decks C and D do. The house's form, and "
                      "PyTorch's, adds the whole gradient."),
        Misconception("moves by the old velocity", velocity_step(move=lambda v, g, m, old: old),
                      "You move by the velocity from before this step, so every gradient acts one step late. Compute "
                      "the new velocity first, then move by it."),
        Misconception("keeps the old velocity", velocity_step(keep=lambda v, old, rate: old),
                      "Your new weights are right, but you return the velocity that you got. The next step would start "
                      "without this gradient."),
        Misconception("uphill", uphill(momentum_step),
                      "You add the step. The velocity adds up gradients, which point uphill: subtract it."),
        Misconception("a velocity that points downhill", downhill_velocity,
                      "The weights are right, but your velocity has the other sign. Here it adds up gradients and the "
                      "move subtracts it; some books do both the other way round."),
        Misconception("the velocity as a move", lambda w, gradient, velocity, rate, momentum: (
                          w + momentum * velocity - rate * gradient, momentum * velocity - rate * gradient),
                      "Your velocity is the move itself, with the rate and the minus inside: many books write it so. "
                      "Here the velocity adds up bare gradients, and the move is -rate * velocity."),
        Misconception("the rate inside the velocity", rate_inside,
                      "You multiply the gradient by the rate before it enters the velocity. Here the velocity adds up "
                      "gradients as they are, and the rate multiplies the velocity when w moves."),
        Misconception("the rate twice", rate_twice,
                      "The rate enters twice: once into the velocity, and once into the move. It belongs to the move."),
        Misconception("the rate in the kept velocity", velocity_step(keep=lambda v, old, rate: rate * v),
                      "Your weights are right, but the velocity that you return is multiplied by the rate."),
        Misconception("no rate", lambda w, gradient, velocity, rate, momentum: momentum_step(
                          w, gradient, velocity, 1, momentum),
                      "You subtract the whole velocity. The rate says how much of it one step uses."),
        Misconception("momentum times the gradient", velocity_step(new=lambda v, g, m: v + m * g),
                      "Momentum is what is left of the old velocity, so it multiplies the velocity, not the gradient."),
        Misconception("momentum times both", velocity_step(new=lambda v, g, m: m * (v + g)),
                      "Momentum multiplies the old velocity only; you also shrink the new gradient by it."),
        Misconception("no momentum", velocity_step(new=lambda v, g, m: v + g),
                      "Nothing of your velocity is ever lost, so the ball never comes to rest. Multiply the old "
                      "velocity by `momentum`."),
        Misconception("Nesterov's step", velocity_step(move=lambda v, g, m, old: g + m * v),
                      "The move is gradient + momentum * velocity: that is Nesterov's step, the next question. Here w "
                      "moves by the velocity itself."),
        Misconception("the velocity first", swapped(momentum_step, (1, 0)), SWAPPED + VELOCITY),
        Misconception("the weights alone", alone(momentum_step), ALONE + "the velocity: " + VELOCITY),
        Misconception("the step instead of the place", no_return(momentum_step),
                      "You return by how much w moves. The question asks where it is then: start from w."),
        Misconception("the velocity in place", momentum_in_place,
                      "The numbers are right, but `velocity *= ...` and `velocity += ...` change the caller's array. "
                      "Write velocity = momentum * velocity + gradient."),
        Misconception("the weights in place", moves_in_place(momentum_step),
                      "The numbers are right, but your step changes the caller's w. Make a new array: w - rate * "
                      "velocity."),
        Misconception("the gradient is called", calls_gradient,
                      "In this question `gradient` is an array, the slopes at w. Use it as it is, without calling it."),
    ],
    alternatives=[
        lists(momentum_step), single(momentum_step),
        lambda w, gradient, velocity, rate, momentum: [
            w - rate * momentum * velocity - rate * gradient, np.add(gradient, np.multiply(momentum, velocity))],
    ])


# Nesterov's step.

def nesterov_step(w, gradient, velocity, rate, momentum):
    velocity = momentum * velocity + gradient
    return w - rate * (gradient + momentum * velocity), velocity


def nesterov_in_place(w, gradient, velocity, rate, momentum):
    velocity *= momentum
    velocity += gradient
    return w - rate * (gradient + momentum * velocity), velocity


def nesterov_calls(w, gradient, velocity, rate, momentum):
    return momentum_step(w, gradient(w - rate * momentum * velocity), velocity, rate, momentum)


NESTEROV_STEP = Exercise(
    "nesterov_step", 2, nesterov_step,
    forbidden=("nnlib.SGD", "nnlib.widgets.descent.momentum_step"),
    cases=velocity_cases("The velocity is that of `momentum_step`; only the move differs: gradient + momentum * "
                         "velocity, with the new velocity."),
    misconceptions=[
        Misconception("plain momentum", momentum_step,
                      "You move by the velocity: that is momentum_step. Nesterov looks one step ahead, and moves by "
                      "gradient + momentum * velocity."),
        Misconception("no memory at all", velocity_step(new=lambda v, g, m: g, move=lambda v, g, m, old: g),
                      "This is plain descent. The velocity is momentum * velocity + gradient, as in question 1."),
        Misconception("brackets forgotten", lambda w, gradient, velocity, rate, momentum: (
                          w - rate * gradient + momentum * (momentum * velocity + gradient),
                          momentum * velocity + gradient),
                      "The rate multiplies the gradient only, and momentum * velocity is added uphill. Put brackets "
                      "around gradient + momentum * velocity."),
        Misconception("looks ahead along nothing", velocity_step(move=lambda v, g, m, old: g),
                      "Your velocity is right, but w moves by the gradient alone. Add momentum * velocity to it."),
        Misconception("looks ahead without the gradient", velocity_step(move=lambda v, g, m, old: m * v),
                      "You move by momentum * velocity. The gradient itself has to be added once more."),
        Misconception("momentum forgotten in the move", velocity_step(move=lambda v, g, m, old: g + v),
                      "You move by gradient + velocity. Momentum multiplies the velocity a second time in the move."),
        Misconception("the velocity in place of the gradient", velocity_step(move=lambda v, g, m, old: v + m * v),
                      "You move by velocity + momentum * velocity. It is the gradient to which momentum * velocity is "
                      "added; the velocity holds this gradient already."),
        Misconception("the velocity plus its memory", velocity_step(move=lambda v, g, m, old: v + m * old),
                      "You add momentum times the old velocity to the new one, so the old one counts twice. The move "
                      "is gradient + momentum * (new velocity)."),
        Misconception("the average", velocity_step(new=lambda v, g, m: m * v + (1 - m) * g,
                                                   move=lambda v, g, m, old: g + m * v),
                      "Your velocity averages, with weights momentum and 1 - momentum. In the house's form the whole "
                      "gradient is added."),
        Misconception("averaged in the move", velocity_step(move=lambda v, g, m, old: (1 - m) * g + m * v),
                      "In the move you weigh the gradient by 1 - momentum. It counts whole."),
        Misconception("keeps the look-ahead", lambda w, gradient, velocity, rate, momentum: (
                          nesterov_step(w, gradient, velocity, rate, momentum)[0],
                          gradient + momentum * (momentum * velocity + gradient)),
                      "Your weights are right, but what you return as velocity is the move. Keep the velocity itself, "
                      "momentum * velocity + gradient."),
        Misconception("keeps the old velocity", lambda w, gradient, velocity, rate, momentum: (
                          nesterov_step(w, gradient, velocity, rate, momentum)[0], velocity),
                      "Your new weights are right, but you return the velocity that you got. Return the new one."),
        Misconception("uphill", uphill(nesterov_step),
                      "You add the step. Gradient and velocity both point uphill: subtract."),
        Misconception("the velocity first", swapped(nesterov_step, (1, 0)), SWAPPED + "w, then the velocity."),
        Misconception("the weights alone", alone(nesterov_step), ALONE + "the velocity, the second of the two."),
        Misconception("the velocity in place", nesterov_in_place,
                      "The numbers are right, but `*=` and `+=` change the caller's velocity. Make a new array."),
        Misconception("the gradient is called", nesterov_calls,
                      "The first form of the chapter asks for the gradient at a point ahead, so it needs a function. "
                      "Here `gradient` is an array, the slopes at w: use the second form."),
    ],
    alternatives=[
        lists(nesterov_step), single(nesterov_step),
        lambda w, gradient, velocity, rate, momentum: (
            w - rate * ((1 + momentum) * gradient + momentum**2 * velocity), momentum * velocity + gradient),
    ])


# A rate for every weight.

def adagrad_step(w, gradient, total, rate, eps=1e-10):
    total = total + gradient**2
    return w - rate * gradient / (np.sqrt(total) + eps), total


def rmsprop_step(w, gradient, square, rate, alpha=0.99, eps=1e-8):
    square = alpha * square + (1 - alpha) * gradient**2
    return w - rate * gradient / (np.sqrt(square) + eps), square


def scaled(new, divide=lambda after, before, eps: np.sqrt(after) + eps, keep=lambda after, before: after,
           top=lambda g: g):
    """A step that divides by the root of what it keeps: new(kept, gradient, alpha); the rest as in `rmsprop_step`."""
    def step(w, gradient, kept, rate, alpha=0.99, eps=1e-8):
        after = new(kept, gradient, alpha)
        return w - rate * top(gradient) / divide(after, kept, eps), keep(after, kept)
    return step


def summing(new=lambda r, g: r + g**2, **parts):
    """The same for `adagrad_step`, whose `new` knows no alpha."""
    step = scaled(lambda r, g, alpha: new(r, g), **parts)
    return lambda w, gradient, total, rate, eps=1e-10: step(w, gradient, total, rate, eps=eps)


def adagrad_in_place(w, gradient, total, rate, eps=1e-10):
    total += gradient**2
    return w - rate * gradient / (np.sqrt(total) + eps), total


def rmsprop_in_place(w, gradient, square, rate, alpha=0.99, eps=1e-8):
    square *= alpha
    square += (1 - alpha) * gradient**2
    return w - rate * gradient / (np.sqrt(square) + eps), square


def walking(step, w, gradients, *numbers):
    """The places of several steps, the one array of memory handed on."""
    kept, places = np.zeros_like(w), []
    for gradient in gradients:
        w, kept = step(w, gradient.copy(), kept, *numbers)
        places.append(np.array(w, dtype=float))
    return places


def idle(rng, tiny):
    """Weights whose third has never had a gradient, and whose second has its first, a tiny one."""
    w, gradient, kept = draw(rng, 4)
    gradient[2] = kept[2] = kept[1] = 0
    gradient[1] = rng.choice([-1, 1]) * tiny
    return w, gradient, kept, rng.uniform(0.05, 0.5)


IDLE = "a weight without a gradient, and one with a tiny one"
NONZERO = ("0 / 0 is nan. The small `eps`, as the question gives it, is added to the root, so that a weight without "
           "gradients stays where it is.")
OUTSIDE = "Add `eps` to the root, not to what stands under it."
ADAGRAD_STEP = Exercise(
    "adagrad_step", 2, adagrad_step, forbidden=("nnlib.Adagrad",),
    cases=[
        Case("two weights you can verify by hand",
             lambda rng: (np.array([1.0, -2.0]), np.array([3.0, 4.0]), np.array([16.0, 0.0]), 0.1),
             hint="The new total of the first weight is 16 + 9 = 25, its root 5."),
        Case("five weights", lambda rng: (*draw(rng, 5), rng.uniform(0.05, 0.5)),
             hint="Square the gradient, add it to the total, and divide by the root of the new total."),
        Case("a matrix of weights, and a large eps",
             lambda rng: (*draw(rng, (3, 4)), rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.9)),
             hint="Every weight has a total and so a rate of its own; eps is added to the root, and given as an "
                  "argument."),
        Case(IDLE, lambda rng: idle(rng, 2e-10), no_warnings=True, hint=NONZERO),
        Case("three steps, one after the other",
             lambda rng: (rng.normal(size=3), rng.normal(size=(3, 3)), rng.uniform(0.05, 0.5)), call=walking,
             hint="The total that you return is what the next step adds to."),
    ],
    misconceptions=[
        Misconception("no root", summing(divide=lambda after, before, eps: after + eps),
                      "You divide by the sum of the squares. It is the root of that sum: otherwise doubling the loss "
                      "would halve the steps."),
        Misconception("no square", summing(lambda r, g: r + np.abs(g)),
                      "You add up the sizes of the gradients. AdaGrad adds up their squares, gradient**2."),
        Misconception("gradients added up", summing(lambda r, g: r + g),
                      "You add up the gradients themselves: what alternates in sign cancels, and a negative total has "
                      "no root. Add their squares."),
        Misconception("the old total", summing(divide=lambda after, before, eps: np.sqrt(before) + eps),
                      "You divide by the root of the total from before. This gradient belongs to it: with a total of 0 "
                      "the first step would be huge."),
        Misconception("keeps the old total", summing(keep=lambda after, before: before),
                      "Your weights are right, but you return the total that you got. The next step would not know of "
                      "this gradient."),
        Misconception("keeps the root", summing(keep=lambda after, before: np.sqrt(after)),
                      "Your weights are right, but you return the root of the total. Return the total itself: the next "
                      "square is added to it."),
        Misconception("keeps only this square", summing(lambda r, g: g**2),
                      "Your total holds only the present gradient's square, so every weight moves by about the rate. "
                      "Add the square to the total that you get."),
        Misconception("averaged", summing(lambda r, g: 0.9 * r + 0.1 * g**2),
                      "You average the squares, which is RMSProp's idea, the next question. AdaGrad adds them up and "
                      "forgets none."),
        Misconception("one rate for all", summing(lambda r, g: r + np.sum(g**2)),
                      "You add the squares of all weights together, so all share one rate. Each weight has a total of "
                      "its own."),
        Misconception("no eps", summing(divide=lambda after, before, eps: np.sqrt(after)),
                      "You forgot eps: a weight that never had a gradient then gets 0 / 0, which is nan."),
        Misconception("eps beside the fraction", lambda w, gradient, total, rate, eps=1e-10: (
                          w - rate * gradient / np.sqrt(total + gradient**2) + eps, total + gradient**2),
                      "Your eps is added to the weights. Put brackets around np.sqrt(...) + eps, which stands below "
                      "the fraction as a whole."),
        Misconception("eps under the root", summing(divide=lambda after, before, eps: np.sqrt(after + eps)),
                      "With a small eps nearly right; some libraries do so. " + OUTSIDE),
        Misconception("the root of the squared gradient alone",
                      summing(divide=lambda after, before, eps: after**0.25 + eps),
                      "You take the root twice. The total holds squares; one root brings it back to the size of a "
                      "gradient."),
        Misconception("multiplied", summing(divide=lambda after, before, eps: 1 / (np.sqrt(after) + eps)),
                      "You multiply by the root. Where gradients have been large, the rate has to be small: divide."),
        Misconception("the square as direction", summing(top=lambda g: g**2),
                      "You move by the squared gradient, which has no sign. Only the divisor needs squares."),
        Misconception("signs only", summing(top=np.sign),
                      "You keep only the sign of the gradient on top. Its size belongs there: rate * gradient / root."),
        Misconception("uphill", uphill(adagrad_step), "You add the step. Subtract it: the gradient points uphill."),
        Misconception("the total first", swapped(adagrad_step, (1, 0)), SWAPPED + "`return w, total`."),
        Misconception("the weights alone", alone(adagrad_step), ALONE + "the total: `return w, total`."),
        Misconception("the total in place", adagrad_in_place,
                      "The numbers are right, but `total += ...` changes the caller's array. Make a new one."),
        Misconception("the weights in place", moves_in_place(adagrad_step),
                      "The numbers are right, but your step changes the caller's w. Make a new array: w - ..."),
    ],
    alternatives=[
        lists(adagrad_step), single(adagrad_step),
        lambda w, gradient, total, rate, eps=1e-10: (
            w - rate / ((total + gradient * gradient)**0.5 + eps) * gradient, total + np.square(gradient)),
    ])


RMSPROP_STEP = Exercise(
    "rmsprop_step", 2, rmsprop_step, forbidden=("nnlib.RMSprop",),
    cases=[
        Case("two weights you can verify by hand",
             lambda rng: (np.array([1.0, -2.0]), np.array([3.0, 4.0]), np.array([23.0, 0.0]), 0.1, 0.5),
             hint="With alpha 0.5 the new average of the first weight is 0.5 * 23 + 0.5 * 9 = 16, its root 4."),
        Case("five weights, and the usual alpha", lambda rng: (*draw(rng, 5), rng.uniform(0.05, 0.5)),
             hint="alpha * square + (1 - alpha) * gradient**2, then divide by its root."),
        Case("a matrix of weights, and a large eps",
             lambda rng: (*draw(rng, (3, 4)), rng.uniform(0.05, 0.5), rng.uniform(0.6, 0.95), rng.uniform(0.3, 0.9)),
             hint="Every weight has an average of its own; alpha and eps are the caller's, and eps is added to the "
                  "root."),
        Case(IDLE, lambda rng: (*idle(rng, 2e-8), rng.uniform(0.6, 0.95)), no_warnings=True, hint=NONZERO),
        Case("three steps, one after the other",
             lambda rng: (rng.normal(size=3), rng.normal(size=(3, 3)), rng.uniform(0.05, 0.5), rng.uniform(0.6, 0.95)),
             call=walking, hint="The average that you return is what the next step gets."),
    ],
    misconceptions=[
        Misconception("a sum, as in AdaGrad", scaled(lambda r, g, a: r + g**2),
                      "You add the squares up, as AdaGrad does, so the rate can only fall. RMSProp averages: alpha * "
                      "square + (1 - alpha) * gradient**2."),
        Misconception("weights exchanged", scaled(lambda r, g, a: (1 - a) * r + a * g**2),
                      "You exchanged the two weights: alpha, near 1, belongs to the old average."),
        Misconception("the new square counts whole", scaled(lambda r, g, a: a * r + g**2),
                      "The new square has to be multiplied by 1 - alpha; with weights that sum to 1 it is an average."),
        Misconception("the old one counts whole", scaled(lambda r, g, a: r + (1 - a) * g**2),
                      "You forget nothing of the old average: multiply it by alpha."),
        Misconception("no root", scaled(lambda r, g, a: a * r + (1 - a) * g**2,
                                        divide=lambda after, before, eps: after + eps),
                      "You divide by the average of the squares. The R and M of the name stand for root and mean: take "
                      "the root."),
        Misconception("the average gradient, squared", scaled(lambda r, g, a: (a * np.sqrt(r) + (1 - a) * g)**2),
                      "You average first and square afterwards. Square each gradient, then average."),
        Misconception("sizes averaged", scaled(lambda r, g, a: a * r + (1 - a) * np.abs(g)),
                      "You average the sizes of the gradients. It is their squares that are averaged."),
        Misconception("gradients averaged", scaled(lambda r, g, a: a * r + (1 - a) * g),
                      "You average the gradients, as a momentum does. Here their squares are averaged."),
        Misconception("the old average", scaled(lambda r, g, a: a * r + (1 - a) * g**2,
                                                divide=lambda after, before, eps: np.sqrt(before) + eps),
                      "You divide by the root of the average from before this gradient. Use the new one."),
        Misconception("keeps the old average", scaled(lambda r, g, a: a * r + (1 - a) * g**2,
                                                      keep=lambda after, before: before),
                      "Your weights are right, but you return the average that you got, not the new one."),
        Misconception("keeps the root", scaled(lambda r, g, a: a * r + (1 - a) * g**2,
                                               keep=lambda after, before: np.sqrt(after)),
                      "Your weights are right, but you return the root. Return the average of the squares itself."),
        Misconception("one rate for all", scaled(lambda r, g, a: a * r + (1 - a) * np.mean(g**2)),
                      "You average the squares over all weights, so all share one rate. Each weight has its own."),
        Misconception("a fixed alpha", lambda w, gradient, square, rate, alpha=0.99, eps=1e-8: rmsprop_step(
                          w, gradient, square, rate, 0.99, eps),
                      "You use 0.99 whatever the caller asks for. Use the argument alpha."),
        Misconception("no eps", scaled(lambda r, g, a: a * r + (1 - a) * g**2,
                                       divide=lambda after, before, eps: np.sqrt(after)),
                      "You forgot eps: a weight that never had a gradient then gets 0 / 0."),
        Misconception("another usual alpha", lambda w, gradient, square, rate, alpha=0.9, eps=1e-8: rmsprop_step(
                          w, gradient, square, rate, alpha, eps),
                      "Right when the caller gives alpha; when not, yours is 0.9. Keep the 0.99 of the first line."),
        Misconception("eps beside the fraction", lambda w, gradient, square, rate, alpha=0.99, eps=1e-8: (
                          w - rate * gradient / np.sqrt(alpha * square + (1 - alpha) * gradient**2) + eps,
                          alpha * square + (1 - alpha) * gradient**2),
                      "Your eps is added to the weights. Put brackets around np.sqrt(...) + eps, which stands below "
                      "the fraction as a whole."),
        Misconception("eps under the root", scaled(lambda r, g, a: a * r + (1 - a) * g**2,
                                                   divide=lambda after, before, eps: np.sqrt(after + eps)),
                      "Nearly right, and in some books. " + OUTSIDE),
        Misconception("uphill", uphill(rmsprop_step), "You add the step. Subtract it, as in every descent."),
        Misconception("the average first", swapped(rmsprop_step, (1, 0)), SWAPPED + "`return w, square`."),
        Misconception("the weights alone", alone(rmsprop_step), ALONE + "the average: `return w, square`."),
        Misconception("the average in place", rmsprop_in_place,
                      "The numbers are right, but `*=` and `+=` change the caller's square. Make a new array."),
    ],
    alternatives=[
        lists(rmsprop_step), single(rmsprop_step),
        lambda w, gradient, square, rate, alpha=0.99, eps=1e-8: (
            w - rate * gradient / (eps + (square + (1 - alpha) * (gradient * gradient - square))**0.5),
            square + (1 - alpha) * (gradient * gradient - square)),
    ])


# Adam.

def adam_step(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - rate * m_hat / (np.sqrt(v_hat) + eps), m, v


def adam(first=lambda m, g, b: b * m + (1 - b) * g, second=lambda v, g, b: b * v + (1 - b) * g**2,
         mend=lambda m, v, b1, b2, t: (m / (1 - b1**t), v / (1 - b2**t)),
         move=lambda m, v, eps: m / (np.sqrt(v) + eps), keep=lambda m, v, m_hat, v_hat: (m, v)):
    """An adam_step with one thing changed; with the defaults it is right."""
    def step(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
        m, v = first(m, gradient, beta1), second(v, gradient, beta2)
        m_hat, v_hat = mend(m, v, beta1, beta2, t)
        return (w - rate * move(m_hat, v_hat, eps), *keep(m, v, m_hat, v_hat))
    return step


def betas_exchanged(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    return adam_step(w, gradient, m, v, t, rate, beta2, beta1, eps)


def square_of_the_average(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * m**2
    return w - rate * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def no_first_average(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    _, m_new, v_new = adam_step(w, gradient, m, v, t, rate, beta1, beta2, eps)
    return w - rate * gradient / (np.sqrt(v_new / (1 - beta2**t)) + eps), m_new, v_new


def fixed_betas(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    return adam_step(w, gradient, m, v, t, rate, eps=eps)


def adam_in_place(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    m *= beta1
    m += (1 - beta1) * gradient
    v *= beta2
    v += (1 - beta2) * gradient**2
    return w - rate * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_as_the_paper_saves_time(w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = m + (1 - beta1) * (gradient - m), v + (1 - beta2) * (gradient**2 - v)
    root = math.sqrt(1 - beta2**t)
    return w - rate * root / (1 - beta1**t) * m / (v**0.5 + eps * root), m, v


def adaptive(step, w, gradients, *numbers):
    """The places of several steps of Adam, both averages handed on and t counted from 1."""
    m, v, places = np.zeros_like(w), np.zeros_like(w), []
    for t, gradient in enumerate(gradients, 1):
        w, m, v = step(w, gradient.copy(), m, v, t, *numbers)
        places.append(np.array(w, dtype=float))
    return places


def any_adam(rng, shape, t, eps=False):
    w, gradient, v = draw(rng, shape)
    return (w, gradient, rng.normal(size=shape), v, t, rng.uniform(0.05, 0.5), rng.uniform(0.5, 0.9),
            rng.uniform(0.91, 0.99), *([rng.uniform(0.3, 0.9)] if eps else []))


def idle_adam(rng):
    w, gradient, m, v, *rest = any_adam(rng, 4, int(rng.integers(2, 6)))
    gradient[2] = m[2] = v[2] = m[1] = v[1] = 0
    gradient[1] = rng.choice([-1, 1]) * 2e-8
    return w, gradient, m, v, *rest


ADAM_STEP = Exercise(
    "adam_step", 3, adam_step, forbidden=("nnlib.Adam", "nnlib.AdamW"),
    cases=[
        Case("a first step that you can verify by hand",
             lambda rng: (np.array([1.0, -2.0]), np.array([3.0, -0.5]), np.zeros(2), np.zeros(2), 1, 0.1),
             hint="In the first step both corrections undo the small weight of the new gradient, so m_hat is the "
                  "gradient, v_hat its square, and every weight moves by the rate."),
        Case("five weights, in a later step", lambda rng: any_adam(rng, 5, int(rng.integers(3, 9))),
             hint="Average, average, correct, correct, move: five lines, in this order."),
        Case("a matrix of weights, the usual betas, early",
             lambda rng: (*draw(rng, (3, 4), 1), rng.uniform(0.2, 3, size=(3, 4)), int(rng.integers(2, 5)),
                          rng.uniform(0.05, 0.5)),
             hint="Divide m by 1 - beta1**t and v by 1 - beta2**t, with the step's number t."),
        Case("a large eps", lambda rng: any_adam(rng, 3, int(rng.integers(2, 6)), eps=True),
             hint="eps is added to the root of the corrected v."),
        Case(IDLE, idle_adam, no_warnings=True, hint=NONZERO),
        Case("three steps, one after the other",
             lambda rng: (rng.normal(size=3), rng.normal(size=(3, 3)), rng.uniform(0.05, 0.5), rng.uniform(0.5, 0.9),
                          rng.uniform(0.91, 0.99)),
             call=adaptive, hint="Return the two averages as they are, without the correction: it is made anew in "
                                 "every step."),
    ],
    misconceptions=[
        Misconception("no correction", adam(mend=lambda m, v, b1, b2, t: (m, v)),
                      "Without the corrections the averages remember their start at zero, m less than v: the first "
                      "steps are about three times too long. Divide by 1 - beta1**t and 1 - beta2**t."),
        Misconception("only m corrected", adam(mend=lambda m, v, b1, b2, t: (m / (1 - b1**t), v)),
                      "You correct m but not v. v starts at zero too, and with beta2 near 1 it is far too small for "
                      "hundreds of steps."),
        Misconception("only v corrected", adam(mend=lambda m, v, b1, b2, t: (m, v / (1 - b2**t))),
                      "You correct v but not m, so the first steps are too short. Divide m by 1 - beta1**t."),
        Misconception("corrected averages kept", adam(keep=lambda m, v, m_hat, v_hat: (m_hat, v_hat)),
                      "Your weights are right, but you return the corrected averages. The next step would correct them "
                      "once more: return m and v as they were before."),
        Misconception("t counted from 0", adam(mend=lambda m, v, b1, b2, t: (m / (1 - b1**(t + 1)),
                                                                            v / (1 - b2**(t + 1)))),
                      "You use t + 1. Here t is 1 in the first step already."),
        Misconception("beta times t", adam(mend=lambda m, v, b1, b2, t: (m / (1 - b1 * t), v / (1 - b2 * t))),
                      "You multiply beta by t. The start at zero fades like a power: beta1**t."),
        Misconception("no power at all", adam(mend=lambda m, v, b1, b2, t: (m / (1 - b1), v / (1 - b2))),
                      "You divide by 1 - beta in every step. That is right in the first one only; later the average "
                      "needs less correction: 1 - beta**t."),
        Misconception("one beta for both", adam(mend=lambda m, v, b1, b2, t: (m / (1 - b1**t), v / (1 - b1**t))),
                      "You correct v with beta1. Each average is corrected with its own beta."),
        Misconception("multiplied by the correction",
                      adam(mend=lambda m, v, b1, b2, t: (m * (1 - b1**t), v * (1 - b2**t))),
                      "You multiply by 1 - beta**t. The young averages are too small: divide."),
        Misconception("v corrected after the root",
                      adam(mend=lambda m, v, b1, b2, t: (m / (1 - b1**t), (np.sqrt(v) / (1 - b2**t))**2)),
                      "You correct the root of v. Correct v first, then take the root."),
        Misconception("betas exchanged", betas_exchanged,
                      "You exchanged the betas: beta1 belongs to m, the average of the gradients, beta2 to v."),
        Misconception("weights exchanged", adam(first=lambda m, g, b: (1 - b) * m + b * g,
                                                second=lambda v, g, b: (1 - b) * v + b * g**2),
                      "You exchanged the weights of the averages: beta, near 1, belongs to the old average."),
        Misconception("a velocity", adam(first=lambda m, g, b: b * m + g),
                      "Your m adds up gradients, as the velocity of momentum_step does. In Adam it is an average: the "
                      "gradient is multiplied by 1 - beta1."),
        Misconception("v sums", adam(second=lambda v, g, b: v + g**2),
                      "Your v adds up squares, as AdaGrad does. In Adam it is an average, with weights beta2 and "
                      "1 - beta2."),
        Misconception("v without the square", adam(second=lambda v, g, b: b * v + (1 - b) * g,
                                                   move=lambda m, v, eps: m / (np.sqrt(np.abs(v)) + eps)),
                      "Your v averages gradients. It is to average their squares, gradient**2."),
        Misconception("the square of the average", square_of_the_average,
                      "Your v averages m**2. It averages the squares of the gradients themselves."),
        Misconception("no root", adam(move=lambda m, v, eps: m / (v + eps)),
                      "You divide by v_hat. Divide by its root: else twice the gradient would give half the step."),
        Misconception("no first average", no_first_average,
                      "On top stands the gradient itself: that is RMSProp with a correction. Adam moves by m_hat."),
        Misconception("eps under the root", adam(move=lambda m, v, eps: m / np.sqrt(v + eps)), "Nearly. " + OUTSIDE),
        Misconception("no eps", adam(move=lambda m, v, eps: m / np.sqrt(v)),
                      "You forgot eps: where a weight never had a gradient, m_hat and v_hat are 0, and 0 / 0 is nan."),
        Misconception("eps before the correction",
                      lambda w, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, eps=1e-8: adam_step(
                          w, gradient, m, v, t, rate, beta1, beta2, eps / math.sqrt(1 - beta2**t)),
                      "You gathered both corrections in front of the fraction, so that eps is corrected too. Correct m "
                      "and v, and then add eps to the root."),
        Misconception("fixed betas", fixed_betas,
                      "You use 0.9 and 0.999 whatever the caller asks for. Use the arguments beta1 and beta2."),
        Misconception("uphill", uphill(adam_step), "You add the step. Subtract it."),
        Misconception("another order", swapped(adam_step, (1, 2, 0)), SWAPPED + "`return w, m, v`."),
        Misconception("v before m", swapped(adam_step, (0, 2, 1)),
                      "You return v before m. The next step would take one for the other: `return w, m, v`."),
        Misconception("the weights alone", alone(adam_step), ALONE + "both averages: `return w, m, v`."),
        Misconception("averages in place", adam_in_place,
                      "The numbers are right, but `*=` and `+=` change the caller's m and v. Make new arrays."),
    ],
    alternatives=[lists(adam_step, kept=2), single(adam_step), adam_as_the_paper_saves_time])


# Schedules.

def step_decay(rate, epoch, factor=0.5, every=5):
    return rate * factor ** (epoch // every)


def step_decay_by_loop(rate, epoch, factor=0.5, every=5):
    for _ in range(int(epoch / every)):
        rate *= factor
    return rate


def in_epochs(schedule, rate, epochs, *rest):
    """The rates of several epochs."""
    return [schedule(rate, epoch, *rest) for epoch in epochs]


AT_ZERO = "Before the first epoch is done, at epoch 0, the rate is the one that you start with."
STEP_DECAY = Exercise(
    "step_decay", 2, step_decay, forbidden=("nnlib.StepLR",),
    cases=[
        Case("the usual staircase, by hand", lambda rng: (0.1, [0, 4, 5, 12]), call=in_epochs, hint=AT_ZERO),
        Case("another start", lambda rng: (rng.uniform(0.01, 1), rng.permutation(40)[:12].tolist()), call=in_epochs,
             hint="How many whole stairs lie before this epoch? In Python: epoch // every."),
        Case("0.1 every 20, and others",
             lambda rng: (rng.uniform(0.01, 1), [0, *rng.permutation(100)[:8].tolist()], rng.uniform(0.1, 0.9),
                          int(rng.integers(3, 21))), call=in_epochs,
             hint="factor and every are the caller's: factor to the power of the number of stairs."),
        Case("the foot and the edge of every stair",
             lambda rng: (rng.uniform(0.01, 1), [(n := int(rng.integers(2, 9))) - 1, n, n + 1, 2 * n - 1, 2 * n],
                          rng.uniform(0.1, 0.9), n), call=in_epochs,
             hint="The rate falls when epoch reaches a multiple of `every`, not one epoch before or after."),
    ],
    misconceptions=[
        Misconception("a ramp", lambda rate, epoch, factor=0.5, every=5: rate * factor ** (epoch / every),
                      "Your rate falls a little in every epoch: that is an exponential decay. For stairs, cut the "
                      "fraction: epoch // every."),
        Misconception("every epoch", lambda rate, epoch, factor=0.5, every=5: rate * factor**epoch,
                      "You multiply by the factor in every epoch. It is due only once in `every` epochs."),
        Misconception("rounded", lambda rate, epoch, factor=0.5, every=5: rate * factor ** round(epoch / every),
                      "You round epoch / every, so the first stair is only half as long. Round down: epoch // every."),
        Misconception("rounded up", lambda rate, epoch, factor=0.5, every=5: rate * factor ** -(-epoch // every),
                      "You round epoch / every up: your rate falls in epoch 1 already. Round down: epoch // every."),
        Misconception("one stair too early",
                      lambda rate, epoch, factor=0.5, every=5: rate * factor ** ((epoch + 1) // every),
                      "Your rate falls one epoch too early. Epochs count from 0: the first fall is at epoch = every."),
        Misconception("one stair too late",
                      lambda rate, epoch, factor=0.5, every=5: rate * factor ** (max(epoch - 1, 0) // every),
                      "Your rate falls one epoch too late. At epoch = every it has fallen already."),
        Misconception("one factor too many",
                      lambda rate, epoch, factor=0.5, every=5: rate * factor ** (epoch // every + 1),
                      "Your first rate is rate * factor already. On the first stair the rate is the one you start "
                      "with."),
        Misconception("one stair only",
                      lambda rate, epoch, factor=0.5, every=5: rate * (factor if epoch >= every else 1),
                      "Your rate falls once and never again. After 2 * every epochs the factor is due twice, and so "
                      "on."),
        Misconception("only at the multiples",
                      lambda rate, epoch, factor=0.5, every=5: rate * (factor if epoch and epoch % every == 0 else 1),
                      "Your rate falls in the epochs that are multiples of `every`, and rises again after each. The "
                      "falls must last, and multiply."),
        Misconception("only at the multiples, and at 0",
                      lambda rate, epoch, factor=0.5, every=5: rate * (factor if epoch % every == 0 else 1),
                      "Your rate falls in the epochs that are multiples of `every` (0 is one), and rises again after "
                      "each. The falls must last, and multiply: count them with epoch // every."),
        Misconception("the remainder",
                      lambda rate, epoch, factor=0.5, every=5: rate * factor ** (epoch % every),
                      "epoch % every is the remainder; the number of whole stairs is epoch // every."),
        Misconception("times instead of to the power",
                      lambda rate, epoch, factor=0.5, every=5: rate * factor * (epoch // every),
                      "You multiply by the number of stairs. The factor is due once for each: factor ** (number)."),
        Misconception("divided", lambda rate, epoch, factor=0.5, every=5: rate / factor ** (epoch // every),
                      "Your rate grows. A factor below 1 is to be multiplied, not divided by."),
        Misconception("the complement",
                      lambda rate, epoch, factor=0.5, every=5: rate * (1 - factor) ** (epoch // every),
                      "You keep 1 - factor of the rate at each stair. The factor is what is kept."),
        Misconception("fixed numbers", lambda rate, epoch, factor=0.5, every=5: rate * 0.5 ** (epoch // 5),
                      "You use 0.5 and 5 whatever the caller asks for. Use the arguments factor and every."),
        Misconception("without the rate", lambda rate, epoch, factor=0.5, every=5: factor ** (epoch // every),
                      "You return what the rate is multiplied by. Multiply the rate by it."),
    ],
    alternatives=[step_decay_by_loop,
                  lambda rate, epoch, factor=0.5, every=5: rate * np.power(factor, np.floor(epoch / every)),
                  lambda rate, epoch, factor=0.5, every=5: np.float32(step_decay(rate, epoch, factor, every))])


def exponential_decay(rate, epoch, k):
    return rate * math.exp(-k * epoch)


def decay_cases(hint, more):
    """The cases of a schedule with one constant k."""
    return [
        Case("two epochs that you can verify by hand", lambda rng: (0.1, [0, 10], 0.1), call=in_epochs, hint=AT_ZERO),
        Case("five epochs",
             lambda rng: (rng.uniform(0.01, 1), rng.permutation(30)[:5].tolist(), rng.uniform(0.02, 0.3)),
             call=in_epochs, hint=hint),
        Case("fast and slow", lambda rng: (rng.uniform(0.01, 1), rng.integers(1, 9, 3).tolist(), rng.uniform(1, 2)),
             call=in_epochs, hint=more),
    ]


EXPONENTIAL_DECAY = Exercise(
    "exponential_decay", 1, exponential_decay, forbidden=("nnlib.ExponentialLR",),
    cases=decay_cases("rate times e to the power of -k * epoch.", "k may be any positive number, above 1 too."),
    misconceptions=[
        Misconception("deck C's stray factor", lambda rate, epoch, k: rate * math.exp(-k * epoch) * rate,
                      "The rate enters twice, as deck C prints it. At epoch 0 your formula gives rate * rate."),
        Misconception("grows", lambda rate, epoch, k: rate * math.exp(k * epoch),
                      "Your rate grows. The exponent is negative."),
        Misconception("without k", lambda rate, epoch, k: rate * math.exp(-epoch),
                      "You do not use k, which says how fast the rate falls: exp(-k * epoch)."),
        Misconception("divided by k", lambda rate, epoch, k: rate * math.exp(-epoch / k),
                      "You divide the epoch by k. A larger k is to fall faster: -k * epoch."),
        Misconception("k as the base", lambda rate, epoch, k: rate * k**epoch,
                      "You take k to the power of the epoch. The base is e, and k stands in the exponent."),
        Misconception("1 - k as the base", lambda rate, epoch, k: rate * (1 - k)**epoch,
                      "(1 - k)**epoch is only near e**(-k epoch), and only while k is small. Use np.exp or math.exp."),
        Misconception("base 2", lambda rate, epoch, k: rate * 2 ** (-k * epoch),
                      "Your base is 2. Here it is e."),
        Misconception("base 10", lambda rate, epoch, k: rate * 10 ** (-k * epoch),
                      "Your base is 10. Here it is e."),
        Misconception("without the rate", lambda rate, epoch, k: math.exp(-k * epoch),
                      "You return the factor alone. Multiply the rate by it."),
        Misconception("1/t", lambda rate, epoch, k: rate / (1 + k * epoch),
                      "This is the 1/t decay, the next question. Here every epoch takes the same share of the rate."),
        Misconception("the epoch outside", lambda rate, epoch, k: rate * math.exp(-k) * epoch,
                      "The epoch belongs into the exponent. At epoch 0 your rate would be 0."),
        Misconception("one epoch late", lambda rate, epoch, k: rate * math.exp(-k * (epoch + 1)),
                      "At epoch 0 your rate has fallen already. Epochs count from 0: exp(-k * epoch)."),
    ],
    alternatives=[lambda rate, epoch, k: rate / np.exp(k * epoch),
                  lambda rate, epoch, k: rate * np.exp(-k)**epoch,
                  lambda rate, epoch, k: np.float32(rate * np.exp(-k * epoch))])


def inverse_time_decay(rate, epoch, k):
    return rate / (1 + k * epoch)


INVERSE_TIME_DECAY = Exercise(
    "inverse_time_decay", 1, inverse_time_decay, forbidden=("nnlib.InverseTimeLR",),
    cases=decay_cases("The rate divided by 1 + k * epoch.", "Mind the brackets: 1 + k * epoch as a whole is below."),
    misconceptions=[
        Misconception("without the 1", lambda rate, epoch, k: rate / (k * epoch),
                      "At epoch 0 you divide by zero. The 1 below makes the schedule begin with the rate itself."),
        Misconception("without the 1, epoch 0 apart", lambda rate, epoch, k: rate / (k * epoch) if epoch else rate,
                      "You divide by k * epoch. Divide by 1 + k * epoch: then epoch 0 needs no line of its own."),
        Misconception("brackets forgotten", lambda rate, epoch, k: rate / 1 + k * epoch,
                      "`rate / 1 + k * epoch` divides by 1 and then adds. Put brackets around 1 + k * epoch."),
        Misconception("brackets around 1 + k", lambda rate, epoch, k: rate / ((1 + k) * (epoch or 1)),
                      "You add 1 to k. It is added to the product k * epoch."),
        Misconception("to the power", lambda rate, epoch, k: rate / (1 + k)**epoch,
                      "1 + k to the power of the epoch falls exponentially. Here the epoch multiplies k."),
        Misconception("without k", lambda rate, epoch, k: rate / (1 + epoch),
                      "You do not use k, which says how fast the rate falls."),
        Misconception("divided by k", lambda rate, epoch, k: rate / (1 + epoch / k),
                      "You divide the epoch by k. A larger k is to fall faster."),
        Misconception("a straight line", lambda rate, epoch, k: rate * (1 - k * epoch),
                      "A straight line down, which becomes negative after 1 / k epochs. Divide by 1 + k * epoch."),
        Misconception("grows", lambda rate, epoch, k: rate * (1 + k * epoch),
                      "Your rate grows. Divide by 1 + k * epoch."),
        Misconception("the root", lambda rate, epoch, k: rate / math.sqrt(1 + k * epoch),
                      "You divide by the root, as AdaGrad does. The 1/t decay divides by 1 + k * epoch itself."),
        Misconception("exponential", lambda rate, epoch, k: rate * math.exp(-k * epoch),
                      "This is the exponential decay, the question before."),
        Misconception("the stray factor", lambda rate, epoch, k: rate * rate / (1 + k * epoch),
                      "The rate enters twice. At epoch 0 the answer is the rate itself."),
        Misconception("without the rate", lambda rate, epoch, k: 1 / (1 + k * epoch),
                      "You return the factor alone. Multiply the rate by it."),
        Misconception("one epoch late", lambda rate, epoch, k: rate / (1 + k * (epoch + 1)),
                      "At epoch 0 your rate has fallen already. Epochs count from 0."),
    ],
    alternatives=[lambda rate, epoch, k: rate * (1 + k * epoch)**-1,
                  lambda rate, epoch, k: np.divide(rate, k * epoch + 1.0),
                  lambda rate, epoch, k: np.float32(rate / (1 + k * epoch))])


EXERCISES = [MOMENTUM_STEP, NESTEROV_STEP, ADAGRAD_STEP, RMSPROP_STEP, ADAM_STEP, STEP_DECAY, EXPONENTIAL_DECAY,
             INVERSE_TIME_DECAY]


# Further inputs for the audit.

def any_shape(rng):
    return tuple(int(n) for n in rng.integers(1, 4, size=rng.integers(1, 4)))


def any_velocity(rng):
    shape = any_shape(rng)
    return *rng.normal(size=(3, *shape)), 10 ** rng.uniform(-3, 0), rng.uniform(0, 0.99)


def any_scaled(rng, *numbers):
    w, gradient, kept = draw(rng, any_shape(rng))
    mask = rng.random(w.shape) < 0.2
    gradient[mask] = kept[mask] = 0
    return w, gradient, kept, 10 ** rng.uniform(-3, 0), *numbers


def any_schedule(rng):
    return 10 ** rng.uniform(-5, 0), [int(rng.integers(0, 100))], 10 ** rng.uniform(-3, 0.3)


DOMAIN = {
    "momentum_step": [Case("any weights", any_velocity)],
    "nesterov_step": [Case("any weights", any_velocity)],
    "adagrad_step": [Case("any weights", lambda rng: any_scaled(rng, *[10 ** rng.uniform(-9, 0)][:rng.integers(0, 2)]),
                          no_warnings=True)],
    "rmsprop_step": [Case("any weights", lambda rng: any_scaled(rng, *[rng.uniform(0, 0.999), 10 ** rng.uniform(-9, 0)]
                                                                [:rng.integers(0, 3)]), no_warnings=True)],
    "adam_step": [Case("any weights", lambda rng: any_adam(rng, any_shape(rng), int(rng.integers(1, 50)),
                                                           bool(rng.integers(0, 2))), no_warnings=True)],
    "step_decay": [Case("any staircase", lambda rng: (10 ** rng.uniform(-5, 0), [int(rng.integers(0, 100))],
                                                      *[rng.uniform(0.05, 1), int(rng.integers(1, 30))]
                                                      [:rng.integers(0, 3)]), call=in_epochs)],
    "exponential_decay": [Case("any decay", any_schedule, call=in_epochs)],
    "inverse_time_decay": [Case("any decay", any_schedule, call=in_epochs)],
}
