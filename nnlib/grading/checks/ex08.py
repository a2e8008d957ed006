"""ex08, activations and gradient flow: the questions of solutions/ex08_activations_and_gradient_flow, and how answers
are tried.

Each activation answers with a pair, its values and its slopes, both shaped like the scores.
"""

import math

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex08_activations_and_gradient_flow"

KINKS = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
HUGE = np.array([-1000.0, -30.0, 30.0, 1000.0])


def scores(rng, shape=(3, 4)):
    """Scores of both signs, with zeros among them."""
    z = rng.normal(scale=2, size=shape)
    z.flat[:2] = [0.0, -abs(z.flat[1]) - 0.5]
    z.flat[-1] = abs(z.flat[-1]) + 0.5
    return z


def one_by_one(value, slope):
    """An answer that goes through the scores in a loop."""
    def answer(z, *alpha):
        flat = [float(v) for v in np.ravel(z)]
        return (np.reshape([value(v, *alpha) for v in flat], np.shape(z)),
                np.reshape([slope(v, *alpha) for v in flat], np.shape(z)))
    return answer


def in_float32(function):
    return lambda *args: tuple(part.astype(np.float32) for part in function(*args))


def as_lists(function):
    return lambda *args: [part.tolist() for part in function(*args)]


def with_slope(function, slope):
    """The values of a right answer beside another slope."""
    return lambda *args: (function(*args)[0], slope(*args))


def with_values(function, values):
    """The slope of a right answer beside other values."""
    return lambda *args: (values(*args), function(*args)[1])


ONLY_VALUES = "You return the values only. Return two arrays, `h, slope`: the backward pass needs the second."
SWAPPED = "You return the slope first. The values come first, then the slopes: `return h, slope`."
A_LOOP_NEEDED = "`if` wants one truth value and an array has many. np.where chooses element by element."


# 1 leaky_relu

def leaky_relu(z, alpha):
    return np.where(z > 0, z, alpha * z), np.where(z > 0, 1.0, alpha)


def leaky_with_if(z, alpha):
    return (z, 1.0) if z > 0 else (alpha * z, alpha)


def leak(value, slope):
    """A leaky ReLU with other values or slopes on the left."""
    return lambda z, alpha: (np.where(z > 0, z, value(z, alpha)), np.where(z > 0, 1.0, slope(z, alpha)))


LEAKY_RELU = Exercise(
    "leaky_relu", 2, leaky_relu,
    forbidden=("nnlib.LeakyReLU",),
    cases=[
        Case("five scores you can verify by hand", lambda rng: (KINKS, 0.1)),
        Case("scores of any shape", lambda rng: (scores(rng), rng.uniform(0.02, 0.3)),
             hint="On the left of 0 both the values and the slopes are made with alpha."),
        Case("scores of layers in a stack", lambda rng: (scores(rng, (2, 3, 2)), rng.uniform(0.3, 0.8)),
             hint="Nothing in a leaky ReLU depends on the shape of z.")],
    misconceptions=[
        Misconception("a plain ReLU", lambda z, alpha: (np.maximum(z, 0), np.where(z > 0, 1.0, 0.0)),
                      "That is the plain ReLU: nothing leaks. On the left it is alpha * z, with slope alpha."),
        Misconception("the slope of the ReLU", leak(lambda z, alpha: alpha * z, lambda z, alpha: 0.0),
                      "Your values leak, your slope does not: on the left it is 0, so a unit could still die. What is "
                      "the slope of alpha * z?"),
        Misconception("alpha times z as the slope", leak(lambda z, alpha: alpha * z, lambda z, alpha: alpha * z),
                      "On the left your slope is alpha * z, which is the value. The slope of alpha * z is alpha."),
        Misconception("divided by alpha", leak(lambda z, alpha: z / alpha, lambda z, alpha: 1 / alpha),
                      "You divide by alpha, so the left side is steeper than the right. A leak is small: multiply."),
        Misconception("the smaller of both", with_values(leaky_relu, lambda z, alpha: np.minimum(z, alpha * z)),
                      "np.minimum takes the lower of the two lines: z on the left and alpha * z on the right, the "
                      "wrong way round."),
        Misconception("cut off at alpha", with_values(leaky_relu, lambda z, alpha: np.maximum(z, alpha)),
                      "np.maximum(z, alpha) never falls below alpha. It is alpha *times z* that stands on the left."),
        Misconception("a leak upward", leak(lambda z, alpha: -alpha * z, lambda z, alpha: -alpha),
                      "For z = -2 you answer a positive number. The leak keeps the sign of z."),
        Misconception("always 0.01", lambda z, alpha: leaky_relu(z, 0.01),
                      "You leak with 0.01, whatever alpha is. Use the argument."),
        Misconception("slope 1 at zero", with_slope(leaky_relu, lambda z, alpha: np.where(z >= 0, 1.0, alpha)),
                      "At z = 0 exactly your slope is 1. The question asks for alpha there: the condition is z > 0, "
                      "without =."),
        Misconception("an if for a whole array", leaky_with_if, A_LOOP_NEEDED),
        Misconception("only the values", lambda z, alpha: leaky_relu(z, alpha)[0], ONLY_VALUES),
        Misconception("slope first", lambda z, alpha: leaky_relu(z, alpha)[::-1], SWAPPED),
    ],
    alternatives=[lambda z, alpha: (np.maximum(z, 0) + alpha * np.minimum(z, 0), (z > 0) + alpha * (z <= 0)),
                  lambda z, alpha: (np.maximum(z, alpha * z), alpha + (1 - alpha) * (z > 0)),
                  one_by_one(lambda v, alpha: v if v > 0 else alpha * v, lambda v, alpha: 1 if v > 0 else alpha),
                  in_float32(leaky_relu), as_lists(leaky_relu)])


# 2 elu

def elu(z, alpha):
    below = np.minimum(z, 0)
    return np.where(z > 0, z, alpha * np.expm1(below)), np.where(z > 0, 1.0, alpha * np.exp(below))


def elu_left(value, slope):
    """An ELU with other values or slopes on the left; `below` is z there, and 0 on the right."""
    def answer(z, alpha):
        below = np.minimum(z, 0)
        return np.where(z > 0, z, value(below, alpha)), np.where(z > 0, 1.0, slope(below, alpha))
    return answer


def bend(below, alpha):
    return alpha * (np.exp(below) - 1)


def bend_slope(below, alpha):
    return alpha * np.exp(below)


def elu_by_masks(z, alpha):
    a, slope = np.array(z, dtype=float), np.ones(np.shape(z))
    left = z <= 0
    slope[left] = alpha * np.exp(z[left])
    a[left] = slope[left] - alpha
    return a, slope


ELU = Exercise(
    "elu", 2, elu,
    forbidden=("nnlib.ELU",),
    cases=[
        Case("five scores you can verify by hand", lambda rng: (KINKS, 0.5)),
        Case("another alpha", lambda rng: (scores(rng), rng.uniform(0.2, 0.8)),
             hint="Both the values and the slopes of the left side carry the factor alpha, at z = 0, too."),
        Case("scores of size 1000", lambda rng: (HUGE, 0.5), points=0.5, no_warnings=True,
             hint="np.where computes both of its sides, and np.exp(1000) is infinite. Which scores need exp at all?")],
    misconceptions=[
        Misconception("exp of the right side, too",
                      lambda z, alpha: (np.where(z > 0, z, alpha * (np.exp(z) - 1)),
                                        np.where(z > 0, 1.0, alpha * np.exp(z))),
                      "The formula is right. But np.where computes both of its sides, and np.exp(1000) overflows. Give "
                      "exp only what it needs: np.minimum(z, 0)."),
        Misconception("no minus one", elu_left(bend_slope, bend_slope),
                      "Just left of 0 your values jump to alpha. It is e^z *minus 1*, so that both sides meet at 0."),
        Misconception("alpha is missing", elu_left(lambda z, alpha: np.expm1(z), lambda z, alpha: np.exp(z)),
                      "You left out alpha: far to the left the values go to -alpha, not to -1."),
        Misconception("alpha is missing in the slope", elu_left(bend, lambda z, alpha: np.exp(z)),
                      "Your values carry alpha, your slopes do not. The derivative of alpha (e^z - 1) keeps the "
                      "factor."),
        Misconception("the value as its slope", elu_left(bend, bend),
                      "On the left your slope is the value itself, and negative. The -1 is a constant: it vanishes in "
                      "the derivative."),
        Misconception("slope zero on the left", elu_left(bend, lambda z, alpha: 0.0),
                      "On the left your slope is 0, that of a ReLU. But the curve falls there: differentiate alpha "
                      "(e^z - 1)."),
        Misconception("upside down", elu_left(lambda z, alpha: -bend(z, alpha), lambda z, alpha: -bend_slope(z, alpha)),
                      "Your left side lies above 0: you have 1 - e^z where e^z - 1 is wanted."),
        Misconception("a minus in the exponent",
                      elu_left(lambda z, alpha: alpha * (np.exp(-z) - 1), lambda z, alpha: -alpha * np.exp(-z)),
                      "Left of 0 your values explode: you have e^(-z). With e^z they level off at -alpha."),
        Misconception("both sides added",
                      lambda z, alpha: (np.maximum(z, 0) + alpha * (np.exp(z) - 1), (z > 0) + alpha * np.exp(z)),
                      "On the right you add alpha (e^z - 1) to z. It belongs to the left: min(0, e^z - 1)."),
        Misconception("a leaky ReLU", elu_left(lambda z, alpha: alpha * z, lambda z, alpha: alpha + 0 * z),
                      "Your left side is a straight line: that is the leaky ReLU. That of an ELU bends and levels "
                      "off."),
        Misconception("slope 1 at zero", with_slope(elu, lambda z, alpha: np.where(z < 0, elu(z, alpha)[1], 1.0)),
                      "At z = 0 exactly your slope is 1. The question asks for that of the left side there, alpha."),
        Misconception("only the values", lambda z, alpha: elu(z, alpha)[0], ONLY_VALUES),
        Misconception("slope first", lambda z, alpha: elu(z, alpha)[::-1], SWAPPED),
    ],
    alternatives=[elu_by_masks, elu_left(bend, bend_slope),
                  one_by_one(lambda v, alpha: v if v > 0 else alpha * (math.exp(v) - 1),
                             lambda v, alpha: 1 if v > 0 else alpha * math.exp(v)),
                  lambda z, alpha: (np.maximum(z, 0) + alpha * (np.exp(np.minimum(z, 0)) - 1),
                                    (z > 0) + alpha * np.exp(np.minimum(z, 0)) * (z <= 0)),
                  in_float32(elu)])


# 3 softplus

def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1 + e)


def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), sigmoid(z)


def naive_sigmoid(z):
    return 1 / (1 + np.exp(-z))


SOFTPLUS = Exercise(
    "softplus", 3, softplus,
    forbidden=("nnlib.Softplus", "nnlib.sigmoid", "nnlib.Sigmoid", "scipy.special.expit", "scipy.stats.logistic.cdf"),
    cases=[
        Case("five scores you can verify by hand", lambda rng: (KINKS,)),
        Case("scores of any shape", lambda rng: (scores(rng),)),
        Case("values and slopes for scores of size 1000", lambda rng: (HUGE,), points=1, no_warnings=True,
             hint="np.exp(1000) is infinite. Compute e = np.exp(-np.abs(z)) once, and build both answers from it.")],
    misconceptions=[
        Misconception("naive formulas", lambda z: (np.log(1 + np.exp(z)), naive_sigmoid(z)),
                      "The formula is right, until np.exp(1000) overflows: ln(1 + infinity) is infinite where 1000 is "
                      "right. Pull out what is large: max(z, 0) + log(1 + e), with e = np.exp(-np.abs(z)); and build "
                      "the slope from e as well."),
        Misconception("exp of 1000 on the way", with_slope(softplus, naive_sigmoid),
                      "Your numbers are right, but np.exp(1000) overflows on the way: inside np.where, which computes "
                      "both of its sides, or in 1 / (1 + np.exp(-z)) for z = -1000. With e = np.exp(-np.abs(z)) the "
                      "slope is 1 / (1 + e) on the right and e / (1 + e) on the left."),
        Misconception("the other naive slope", with_slope(softplus, lambda z: np.exp(z) / (1 + np.exp(z))),
                      "Your values are stable, but for z = 1000 your slope divides infinity by infinity."),
        Misconception("clipped scores", lambda z: softplus(np.clip(z, -500, 500)),
                      "You clip z, so for z = 1000 you answer 500. Right of 0 a softplus goes on like z."),
        Misconception("the maximum is missing", with_values(softplus, lambda z: np.log1p(np.exp(-np.abs(z)))),
                      "Your curve falls again on the right of 0: it is the second part only. Add max(z, 0)."),
        Misconception("minus in the exponent", lambda z: (softplus(-z)[0], -sigmoid(-z)),
                      "Your curve falls from left to right: that is ln(1 + e^(-z)). Mirror it."),
        Misconception("the mirrored sigmoid as slope", with_slope(softplus, lambda z: sigmoid(-z)),
                      "Your slope falls from 1 to 0, but the curve gets steeper to the right. It is the sigmoid of z, "
                      "not of -z."),
        Misconception("the sigmoid of the size", with_slope(softplus, lambda z: 1 / (1 + np.exp(-np.abs(z)))),
                      "Your slope is the same for z and -z. 1 / (1 + e) is right for z above 0 only; on the left it is "
                      "e / (1 + e)."),
        Misconception("the slope of the sigmoid", with_slope(softplus, lambda z: sigmoid(z) * sigmoid(-z)),
                      "Your slope is p(1 - p), which belongs to the sigmoid. The slope of softplus *is* the sigmoid."),
        Misconception("the slope of the ReLU", with_slope(softplus, lambda z: np.where(z > 0, 1.0, 0.0)),
                      "Your slope is that of the ReLU, 0 or 1. A softplus has no kink; its slope grows smoothly."),
        Misconception("another logarithm", with_values(softplus, lambda z: softplus(z)[0] / np.log(2)),
                      "For z = 0 you answer 1; ln 2 = 0.693 is right. Use the natural logarithm, np.log or np.log1p."),
        Misconception("an if for a whole array",
                      lambda z: (z + np.log1p(np.exp(-z)) if z > 0 else np.log1p(np.exp(z)), sigmoid(z)),
                      A_LOOP_NEEDED),
        Misconception("only the values", lambda z: softplus(z)[0], ONLY_VALUES),
        Misconception("slope first", lambda z: softplus(z)[::-1], SWAPPED),
    ],
    alternatives=[lambda z: (np.logaddexp(0, z), np.exp(-np.logaddexp(0, -z))),
                  lambda z: (np.maximum(z, 0) + np.log(1 + np.exp(-np.abs(z))), 0.5 * (1 + np.tanh(z / 2))),
                  lambda z: (softplus(z)[0], np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))),
                  one_by_one(lambda v: max(v, 0) + math.log1p(math.exp(-abs(v))),
                             lambda v: 1 / (1 + math.exp(-v)) if v > 0 else math.exp(v) / (1 + math.exp(v))),
                  in_float32(softplus)])


# 4 swish

def swish(z):
    p = sigmoid(z)
    return z * p, p + z * p * (1 - p)


def swish_naive(z):
    p = naive_sigmoid(z)
    return z * p, p + z * p * (1 - p)


def swish_slope(slope):
    """The swish with a slope computed from z and p."""
    return with_slope(swish, lambda z: slope(z, sigmoid(z)))


SWISH = Exercise(
    "swish", 2, swish,
    forbidden=("nnlib.SiLU",),
    cases=[
        Case("five scores you can verify by hand", lambda rng: (KINKS,)),
        Case("scores of any shape", lambda rng: (scores(rng),)),
        Case("scores of size 1000", lambda rng: (HUGE,), points=0.5, no_warnings=True,
             hint="You have a stable sigmoid already: the slope that your softplus returns.")],
    misconceptions=[
        Misconception("naive sigmoid", swish_naive,
                      "The formulas are right. But for z = -1000 your sigmoid takes np.exp(1000). You have a stable "
                      "one: `softplus(z)[1]`."),
        Misconception("one half of the product rule", swish_slope(lambda z, p: p),
                      "Your slope is p: you differentiated z and kept p. The product rule has a second term, z times "
                      "the slope of p."),
        Misconception("the other half of the product rule", swish_slope(lambda z, p: z * p * (1 - p)),
                      "Your slope is z times the slope of p. The product rule has another term: p, from the derivative "
                      "of z."),
        Misconception("the slope of the sigmoid", swish_slope(lambda z, p: p * (1 - p)),
                      "Your slope is p(1 - p), that of the sigmoid. Here z stands before it: use the product rule."),
        Misconception("z is missing", swish_slope(lambda z, p: p + p * (1 - p)),
                      "In the second term of the product rule z stays: p + z p(1 - p)."),
        Misconception("minus between the terms", swish_slope(lambda z, p: p - z * p * (1 - p)),
                      "The two terms of the product rule are added, not subtracted."),
        Misconception("a for p", swish_slope(lambda z, p: p + z * p * (1 - z * p)),
                      "In the second term you have 1 minus the swish. The slope of the sigmoid is p(1 - p), with p "
                      "alone."),
        Misconception("the sigmoid", lambda z: (sigmoid(z), sigmoid(z) * (1 - sigmoid(z))),
                      "That is the sigmoid. The swish is z times it."),
        Misconception("the mirrored sigmoid", lambda z: (z * sigmoid(-z), sigmoid(-z) - z * sigmoid(z) * sigmoid(-z)),
                      "For z = 3 you answer 0.14: your sigmoid falls where it should rise. Is the sign of the exponent "
                      "right?"),
        Misconception("softplus for p everywhere",
                      lambda z: (z * softplus(z)[0], softplus(z)[0] + z * softplus(z)[0] * (1 - softplus(z)[0])),
                      "Your p is the first thing that softplus returns, its values. The sigmoid is the second, its "
                      "slope: `_, p = softplus(z)`."),
        Misconception("softplus instead of its slope", with_values(swish, lambda z: z * softplus(z)[0]),
                      "You multiply z by the softplus. It is its *slope*, the second thing it returns, that is the "
                      "sigmoid."),
        Misconception("only the values", lambda z: swish(z)[0], ONLY_VALUES),
        Misconception("slope first", lambda z: swish(z)[::-1], SWAPPED),
    ],
    alternatives=[lambda z: (z / 2 * (1 + np.tanh(z / 2)),
                             (1 + np.tanh(z / 2)) / 2 + z / 4 * (1 - np.tanh(z / 2) ** 2)),
                  lambda z: (z * sigmoid(z), sigmoid(z) * (1 + z * sigmoid(-z))),
                  lambda z: (z * sigmoid(z), z * sigmoid(z) + sigmoid(z) * (1 - z * sigmoid(z))),
                  in_float32(swish), as_lists(swish)])


# 5 hard_tanh

def hard_tanh(z):
    return np.clip(z, -1, 1), np.where(np.abs(z) < 1, 1.0, 0.0)


def hard_tanh_by_masks(z):
    a, slope = z.copy(), np.ones(z.shape)
    a[z > 1], a[z < -1] = 1, -1
    slope[(z >= 1) | (z <= -1)] = 0
    return a, slope


def hard_tanh_in_place(z):
    slope = np.where(np.abs(z) < 1, 1.0, 0.0)
    z[z > 1], z[z < -1] = 1, -1
    return z, slope


def hard_tanh_with_if(z):
    if z > 1:
        return 1, 0
    return (-1, 0) if z < -1 else (z, 1)


CORNERS = np.array([-3.0, -1.0, -0.5, 0.0, 1.0, 2.0])
HARD_TANH = Exercise(
    "hard_tanh", 2, hard_tanh,
    forbidden=("nnlib.hardtanh", "nnlib.Hardtanh"),
    cases=[
        Case("six scores you can verify by hand", lambda rng: (CORNERS,)),
        Case("scores of any shape", lambda rng: (scores(rng, (4, 5)),)),
        Case("the two corners, and scores beside them",
             lambda rng: (np.concatenate([[-1.0, 1.0], rng.uniform(-1.5, 1.5, 6)]),),
             hint="At -1 and at 1 exactly the slope is 0, that of the flat side.")],
    misconceptions=[
        Misconception("the smooth tanh", lambda z: (np.tanh(z), 1 - np.tanh(z) ** 2),
                      "That is tanh itself. The hard one consists of three straight lines: -1, z and 1."),
        Misconception("the slope of the smooth tanh", with_slope(hard_tanh, lambda z: 1 - np.tanh(z) ** 2),
                      "Your values are right, your slope is that of the smooth tanh. Straight lines have the slopes 0, "
                      "1 and 0."),
        Misconception("one minus the square", with_slope(hard_tanh, lambda z: 1 - np.clip(z, -1, 1) ** 2),
                      "Your slope is 1 - a^2, a rule for the smooth tanh. Between the corners the line z has slope 1."),
        Misconception("slope 1 at the corners", with_slope(hard_tanh, lambda z: 1.0 * (np.abs(z) <= 1)),
                      "At -1 and 1 exactly your slope is 1. The question asks for 0 there: < and not <=."),
        Misconception("slope 1 everywhere", with_slope(hard_tanh, lambda z: np.ones_like(z)),
                      "Your slope is 1 everywhere. Beyond the corners the curve is flat."),
        Misconception("the slope upside down", with_slope(hard_tanh, lambda z: 1.0 * (np.abs(z) >= 1)),
                      "Your slope is 1 where the curve is flat, and 0 where it rises. Turn the condition round."),
        Misconception("zero outside", lambda z: (np.where(np.abs(z) < 1, z, 0.0), hard_tanh(z)[1]),
                      "Outside the corners you answer 0. The curve stays where it is: at -1 on the left, at 1 on the "
                      "right."),
        Misconception("cut off on the right only", lambda z: (np.minimum(z, 1), 1.0 * (z < 1)),
                      "You cut off on the right only. On the left it stops at -1, with slope 0."),
        Misconception("cut off at zero", lambda z: (np.clip(z, 0, 1), 1.0 * ((z > 0) & (z < 1))),
                      "Your values run from 0 to 1. Like tanh, this function runs from -1 to 1."),
        Misconception("slope 0 on the right only", with_slope(hard_tanh, lambda z: 1.0 * (z < 1)),
                      "Your slope is right on the right side. Left of -1 the curve is flat as well."),
        Misconception("slope of positive scores only", with_slope(hard_tanh, lambda z: 1.0 * ((z > 0) & (z < 1))),
                      "Between -1 and 0 your slope is 0, as for a ReLU. The line z rises there, too."),
        Misconception("the sign", lambda z: (np.sign(z), 0 * z),
                      "That is the sign, a step. Between the corners hard tanh is z itself."),
        Misconception("in place", hard_tanh_in_place,
                      "You write into z, which is the caller's array. Work on a copy, or use np.clip, which makes a "
                      "new one."),
        Misconception("an if for a whole array", hard_tanh_with_if, A_LOOP_NEEDED),
        Misconception("only the values", lambda z: hard_tanh(z)[0], ONLY_VALUES),
        Misconception("slope first", lambda z: hard_tanh(z)[::-1], SWAPPED),
    ],
    alternatives=[hard_tanh_by_masks, lambda z: (np.minimum(np.maximum(z, -1), 1), (z > -1) & (z < 1)),
                  one_by_one(lambda v: max(-1.0, min(1.0, v)), lambda v: 1 if -1 < v < 1 else 0),
                  in_float32(hard_tanh), as_lists(hard_tanh)])


# 6 he_initial

def he_initial(fan_in, fan_out, rng):
    return rng.normal(0, np.sqrt(2 / fan_in), (fan_out, fan_in))


def drawn_with(spread):
    """Normal weights of another spread, a function of both fans."""
    return lambda fan_in, fan_out, rng: spread(fan_in, fan_out) * rng.normal(size=(fan_out, fan_in))


def he_unit_by_unit(fan_in, fan_out, rng):
    return [[math.sqrt(2 / fan_in) * rng.normal() for _ in range(fan_in)] for _ in range(fan_out)]


def he_uniform(fan_in, fan_out, rng):
    bound = np.sqrt(6 / fan_in)
    return rng.uniform(-bound, bound, (fan_out, fan_in))


def he_positive(fan_in, fan_out, rng):
    return np.abs(he_initial(fan_in, fan_out, rng))


def he_from_zero_to_one(fan_in, fan_out, rng):
    return rng.random((fan_out, fan_in)) * np.sqrt(2 / fan_in)


def right_shape(got, args, expected):
    fan_in, fan_out, _ = args
    if np.shape(got) != (fan_out, fan_in):
        return f"expected weights of shape ({fan_out}, {fan_in}), got {np.shape(got)}"


def right_spread(got, args, expected):
    """The shape, mean 0 and He's spread, judged on so many weights that chance does not matter."""
    if wrong := right_shape(got, args, expected):
        return wrong
    if np.iscomplexobj(got):
        return "the weights must be real numbers: did you take the root of a negative one?"
    he = math.sqrt(2 / args[0])
    W = np.asarray(got, dtype=float)
    if abs(W.mean()) > 0.1 * he:
        return "the weights do not have mean 0"
    ratio = W.std() / he
    if not 0.95 < ratio < 1.05:
        share = f"{ratio:.1f} times" if 0.1 <= ratio < 100 else "less than a tenth of" if ratio < 1 else "far more than"
        return f"the spread of the weights is {share} that of He's rule"


def normal_tails(W):
    """Of a normal distribution 4.6% lie beyond two standard deviations; of a uniform one none."""
    if not 0.025 < np.mean(np.abs(W - W.mean()) > 2 * W.std()) < 0.07:
        return "about 4.6% of normal numbers lie beyond two standard deviations; of yours it is another share"


def twice(he_initial, fan_in, fan_out, rng):
    """Two draws from one generator, then the first one again from a generator of the same seed."""
    seed = int(rng.integers(2 ** 32))
    rng, again = np.random.default_rng(seed), np.random.default_rng(seed)
    return [np.asarray(he_initial(fan_in, fan_out, r)) for r in (rng, rng, again)]


def normal_and_repeatable(got, args, expected):
    first, second, again = (np.asarray(W) for W in got)
    if not np.array_equal(first, again):
        return "the same seed must give the same weights"
    if np.array_equal(first, second):
        return "two layers drawn from one generator must differ"
    return normal_tails(first)


def any_fans(rng):
    return int(rng.integers(76, 85)), int(rng.integers(230, 251)), rng


HE_INITIAL = Exercise(
    "he_initial", 2, he_initial,
    forbidden=("nnlib.initializers.kaiming_normal_", "nnlib.initializers.kaiming_uniform_",
               "nnlib.initializers.calculate_gain"),
    cases=[
        Case("one row for each unit", lambda rng: (8, 3, rng), judge=right_shape, points=0.5,
             hint="W is (out, in), as everywhere in the course."),
        Case("mean and spread of thousands of weights", any_fans, judge=right_spread, points=1,
             hint="He's *variance* is 2 / fan_in, with fan_in the number of inputs; the spread is its root."),
        Case("normal numbers, drawn from rng", any_fans, judge=normal_and_repeatable, call=twice, points=0.5,
             hint="Everything random comes from the argument rng: rng.normal.")],
    misconceptions=[
        Misconception("the recipe of deck C", drawn_with(lambda n, m: 2 / np.sqrt(n)),
                      "You have 2 / sqrt(n), the slip of deck C: the root must cover the 2 as well. Yours is too large "
                      "by sqrt(2), and twenty layers make that 1024."),
        Misconception("the variance as the spread", drawn_with(lambda n, m: 2 / n),
                      "2 / fan_in is the *variance*. rng.normal wants the standard deviation, its root."),
        Misconception("the rule for tanh", drawn_with(lambda n, m: np.sqrt(1 / n)),
                      "sqrt(1/n) keeps the size for linear units and tanh. A ReLU keeps only half of the mean square, "
                      "so the variance must be doubled."),
        Misconception("the mean of the fans", drawn_with(lambda n, m: np.sqrt(2 / (n + m))),
                      "sqrt(2 / (n + m)) is Xavier's compromise. He's rule has the fan-in alone."),
        Misconception("the fan-out", drawn_with(lambda n, m: np.sqrt(2 / m)),
                      "You divide by the number of units. A score is a sum over the *inputs*: fan_in."),
        Misconception("the root of the 2 only", drawn_with(lambda n, m: np.sqrt(2) / n),
                      "Your root covers the 2 only. It must cover the fan-in as well: sqrt(2 / n)."),
        Misconception("small random numbers", drawn_with(lambda n, m: 0.01),
                      "A fixed spread of 0.01 fits one hidden layer. In twenty of them the signal dies; the spread "
                      "must depend on fan_in."),
        Misconception("nothing but standard normal", drawn_with(lambda n, m: 1.0),
                      "Your weights have spread 1, whatever the layer. Multiply by sqrt(2 / fan_in)."),
        Misconception("inputs as rows", lambda n, m, rng: he_initial(n, m, rng).T,
                      "Your W is (in, out). In this course a layer is X @ W.T + b with W (out, in)."),
        Misconception("uniform numbers", he_uniform,
                      "The spread is right, but the numbers are uniform. The question asks for normal ones."),
        Misconception("from zero up", he_from_zero_to_one,
                      "rng.random is never negative, so the mean of your weights is not 0. Use rng.normal."),
        Misconception("equal weights", lambda n, m, rng: np.full((m, n), np.sqrt(2 / n)),
                      "All your weights are equal, and so all units will stay equal. Draw them at random."),
        Misconception("a generator of its own", lambda n, m, rng: he_initial(n, m, np.random.default_rng(0)),
                      "You make a generator with a fixed seed, so all layers get the same weights. Draw from the "
                      "argument rng."),
        Misconception("a generator without a seed", lambda n, m, rng: he_initial(n, m, np.random.default_rng()),
                      "Your numbers come from a generator that nobody has seeded (np.random, or a new default_rng()), "
                      "so no run can be repeated. Draw from the argument rng."),
    ],
    alternatives=[lambda n, m, rng: rng.standard_normal((m, n)) * (2 / n) ** 0.5, he_unit_by_unit,
                  lambda n, m, rng: rng.normal(0, np.sqrt(2 / n), (n, m)).T,
                  lambda n, m, rng: he_initial(n, m, rng).astype(np.float32)])


# 7 dead_fraction

def dead_fraction(A):
    return np.mean(np.all(A == 0, axis=0))


def dead_by_loop(A):
    dead = 0
    for unit in range(A.shape[1]):
        if not any(A[example][unit] != 0 for example in range(len(A))):
            dead += 1
    return dead / A.shape[1]


def layer_outputs(rng, examples, units, dead):
    """Outputs (examples, units) with `dead` dead units, and an example that silences all.

    Every other unit speaks for the first or the last example, two of them for no other.
    """
    A = np.where(rng.random((examples, units)) < 0.5, rng.uniform(0.1, 2, (examples, units)), 0.0)
    A[examples // 2] = 0
    order = rng.permutation(units)
    A[:, order[:dead + 2]] = 0
    A[np.resize([0, -1], units - dead), order[dead:]] = rng.uniform(0.1, 2, units - dead)
    return A


def whispering(rng):
    """One dead unit of twelve; one is never above 0, two have mean 0, four hardly speak, four are ordinary."""
    A = layer_outputs(rng, 6, 12, 0)
    places = rng.permutation(12)
    dead, negative, canceling, tiny = np.split(places[:8], [1, 2, 4])
    A[:, places[:8]] = 0
    A[1:, negative] = -rng.uniform(0.01, 0.5, (5, 1))
    A[:2, canceling] = [[0.75], [-0.75]]
    A[rng.integers(1, 6), tiny] = 1e-10
    return A


HAND = np.array([[0.0, 0.0, 1.5, 0.0], [0.0, 2.0, 0.3, 0.0], [0.0, 0.0, 0.9, 0.0]])
DEAD_FRACTION = Exercise(
    "dead_fraction", 2, dead_fraction,
    cases=[
        Case("three examples, four units", lambda rng: (HAND,)),
        Case("six examples, ten units", lambda rng: (layer_outputs(rng, 6, 10, int(rng.integers(2, 5))),),
             hint="A unit is dead if its whole column is 0."),
        Case("thirty examples, eight units", lambda rng: (layer_outputs(rng, 30, 8, int(rng.integers(5, 8))),),
             hint="A unit is dead if its whole column is 0."),
        Case("outputs that are negative, cancel or are tiny", whispering,
             hint="Dead means exactly 0 for every example: not negative, not 0 on average, not small.")],
    misconceptions=[
        Misconception("the share of zeros", lambda A: np.mean(A == 0),
                      "You count single zeros: that is sparsity. A unit is dead only if it is 0 for *every* example."),
        Misconception("dead examples", lambda A: np.mean(np.all(A == 0, axis=1)),
                      "You ask which *examples* silence all units. Examples are rows; look along axis 0."),
        Misconception("silent once is enough", lambda A: np.mean(np.any(A == 0, axis=0)),
                      "You count units that are 0 for *some* example. Being silent now and then is a ReLU's job: use "
                      "np.all."),
        Misconception("the number of dead units", lambda A: np.sum(np.all(A == 0, axis=0)),
                      "That is how many units are dead. Divide by the number of units."),
        Misconception("divided by the examples", lambda A: np.sum(np.all(A == 0, axis=0)) / len(A),
                      "You divide by the number of examples, len(A). The share is one of the units: A.shape[1]."),
        Misconception("the living", lambda A: 1 - np.mean(np.all(A == 0, axis=0)),
                      "That is the share of living units."),
        Misconception("percent", lambda A: 100 * np.mean(np.all(A == 0, axis=0)),
                      "You answer in percent. A share lies between 0 and 1."),
        Misconception("negative counts as dead", lambda A: np.mean(np.all(A <= 0, axis=0)),
                      "You count units that are never above 0. A leaky unit with negative outputs still passes blame "
                      "on: dead means exactly 0."),
        Misconception("zero on average", lambda A: np.mean(A.mean(axis=0) == 0),
                      "You take a unit for dead if its outputs *add up* to 0. They may cancel: look at each of them."),
        Misconception("small counts as dead", lambda A: np.mean(np.all(np.abs(A) < 1e-3, axis=0)),
                      "You take small outputs for 0. A unit that speaks softly is alive."),
        Misconception("the first example only", lambda A: np.mean(A[0] == 0),
                      "You look at the first example only. Another one may wake the unit."),
        Misconception("all or nothing", lambda A: float(np.all(A == 0)),
                      "Without an axis np.all looks at the whole table at once. Ask each column: axis=0."),
    ],
    alternatives=[dead_by_loop, lambda A: 1 - np.count_nonzero(np.any(A, axis=0)) / A.shape[1],
                  lambda A: np.float32(np.mean(np.abs(A).max(axis=0) == 0)),
                  lambda A: sum(not column.any() for column in A.T) / len(A.T)])


EXERCISES = [LEAKY_RELU, ELU, SOFTPLUS, SWISH, HARD_TANH, HE_INITIAL, DEAD_FRACTION]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_scores(rng):
    """Scores of any shape and size, with kinks among them."""
    shape = tuple(rng.integers(1, 5, size=rng.integers(1, 4)))
    z = rng.normal(size=shape) * 10 ** rng.uniform(-2, 3)
    return np.where(rng.random(shape) < 0.2, rng.integers(-1, 2, size=shape), z)


def any_layer(rng):
    units = int(rng.integers(1, 9))
    return (layer_outputs(rng, int(rng.integers(3, 9)), units, int(rng.integers(0, units + 1))),)


DOMAIN = {
    "leaky_relu": [Case("any scores", lambda rng: (any_scores(rng), rng.uniform(0, 0.9)))],
    "elu": [Case("any scores", lambda rng: (any_scores(rng), rng.uniform(0.1, 2)), no_warnings=True)],
    "softplus": [Case("any scores", lambda rng: (any_scores(rng),), no_warnings=True)],
    "swish": [Case("any scores", lambda rng: (any_scores(rng),), no_warnings=True)],
    "hard_tanh": [Case("any scores", lambda rng: (any_scores(rng),))],
    "he_initial": [Case("right shape", lambda rng: (int(rng.integers(1, 9)), int(rng.integers(1, 9)), rng),
                        judge=right_shape),
                   Case("right spread", any_fans, judge=right_spread),
                   Case("normal", any_fans, judge=normal_and_repeatable, call=twice)],
    "dead_fraction": [Case("any layer", any_layer), Case("whispering", whispering)],
}
