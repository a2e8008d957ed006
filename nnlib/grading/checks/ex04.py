"""ex04, three ways to get a gradient: the questions of solutions/ex04_... and how their answers are tried."""

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex04_three_ways_to_get_a_gradient"
READY_MADE = ("nnlib.numerical_gradient", "nnlib.gradcheck", "scipy.optimize.approx_fprime",
              "scipy.optimize.check_grad", "nnlib.widgets.finite_difference.forward_difference",
              "nnlib.widgets.finite_difference.central_difference")


# Differences.

def forward_difference(f, x, h):
    x = np.array(x, dtype=float)
    gradient, here = np.zeros_like(x), f(x)
    for i in np.ndindex(x.shape):
        nudged = x.copy()
        nudged[i] += h
        gradient[i] = (f(nudged) - here) / h
    return gradient


def central_difference(f, x, h):
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[i] = h
        gradient[i] = (f(x + nudge) - f(x - nudge)) / (2 * h)
    return gradient


def forward_by_columns(f, x, h):
    x = np.asarray(x, dtype=float)
    here, unit = f(x), np.eye(x.size)
    return np.array([(f(x + h * e.reshape(x.shape)) - here) / h for e in unit]).reshape(x.shape)


def forward_and_back(f, x, h):
    flat, here, slopes = np.array(x, dtype=float).ravel(), f(x), []
    for i in range(len(flat)):
        kept = flat[i]
        flat[i] = kept + h
        slopes.append((f(flat.reshape(np.shape(x))) - here) / h)
        flat[i] = kept
    return np.reshape(slopes, np.shape(x)).tolist()


def central_by_columns(f, x, h):
    x = np.asarray(x, dtype=float)
    nudges = h * np.eye(x.size).reshape(-1, *x.shape)
    return np.reshape([f(x + nudge) - f(x - nudge) for nudge in nudges], x.shape) / (2 * h)


def central_and_back(f, x, h):
    moved = np.array(x, dtype=float)
    slopes = np.empty(moved.shape, np.float32)
    for i, kept in np.ndenumerate(moved.copy()):
        moved[i] = kept + h
        above = f(moved)
        moved[i] = kept - h
        slopes[i] = (above - f(moved)) / h / 2
        moved[i] = kept
    return slopes


def forward(f, at, here, i, h):
    return (f(at(i, h)) - here()) / h


def backward(f, at, here, i, h):
    return (here() - f(at(i, -h))) / h


def central(f, at, here, i, h):
    return (f(at(i, h)) - f(at(i, -h))) / (2 * h)


def halves(f, at, here, i, h):
    return (f(at(i, h / 2)) - f(at(i, -h / 2))) / h


def mean_of_both(f, at, here, i, h):
    return (forward(f, at, here, i, h) + backward(f, at, here, i, h)) / 2


def without_division(f, at, here, i, h):
    return f(at(i, h)) - here()


def differences(slope=forward, scale=1, once=True, dtype=float, everywhere=False, keep=False, rows=False,
                relative=False):
    """A difference method with one thing wrong; slope(f, at, here, i, h) is one entry, before the factor `scale`."""
    def answer(f, x, h):
        x = np.array(x, dtype=dtype)
        value = f(x) if once else None

        def at(i, step):
            nonlocal x
            moved = x if keep else x.copy()
            moved[... if everywhere else i] += step * (x[i] if relative else 1)
            return moved

        def here():
            return value if once else f(x)

        gradient = np.zeros(x.shape)
        for i in range(len(x)) if rows else np.ndindex(x.shape):
            gradient[i] = scale * slope(f, at, here, i, h)
        return gradient
    return answer


def forward_in_place(f, x, h):
    gradient, here = np.zeros(np.shape(x)), f(x)
    for i in np.ndindex(np.shape(x)):
        x[i] += h
        gradient[i] = (f(x) - here) / h
        x[i] -= h
    return gradient


def central_in_place(f, x, h):
    gradient = np.zeros(np.shape(x))
    for i in np.ndindex(np.shape(x)):
        x[i] += h
        above = f(x)
        x[i] -= 2 * h
        gradient[i] = (above - f(x)) / (2 * h)
        x[i] += h
    return gradient


def curve(rng, shape):
    """A function of an array of this shape in which every entry has its own slope, of either sign, and bends."""
    a, b, c = rng.uniform(0.5, 2, (3, *shape)) * rng.choice([-1, 1], (3, *shape))
    def f(x):
        x = np.asarray(x)
        return float(np.sum(a * x + b * x**2 + c * x**3) + np.sum(x) ** 2)
    return f


def by_hand(x):
    return x[0] ** 2 + 3 * x[1]


def by_norm(x):
    return float(np.sum(np.square(x)))


def by_hand_cubed(x):
    return x[0] ** 3 + 3 * x[1]


def on_a_curve(*shape, whole=False):
    """make(rng) for f, x and h: a step so large that each formula gives its own number."""
    def make(rng):
        f = curve(rng, shape)
        x = rng.integers(-3, 4, shape) if whole else rng.normal(size=shape)
        return f, x, rng.uniform(0.1, 0.3)
    return make


def evaluations(method, f, x, h):
    """How often `method` calls f."""
    count = 0
    def counted(w):
        nonlocal count
        count += 1
        return f(w)
    method(counted, x, h)
    return count


def as_often(got, args, expected):
    if got != expected:
        return f"expected {expected} evaluations of f for {np.size(args[1])} numbers, counted {got}"


ALL_AT_ONCE = ("You nudge all entries of x at once: that is the slope along one direction. The gradient has an entry "
               "for each entry of x; nudge one, leave the others.")
PILED_UP = ("Your nudges pile up: when the second entry is nudged the first one still is. Start from x anew for each "
            "entry, or put the entry back.")
ROWS = "For a matrix you nudge a whole row at once. np.ndindex(x.shape) runs over the single entries of any shape."
TRUNCATED = ("x held whole numbers, and an array of whole numbers cuts a nudge of 0.1 down to 0. Make your copy with "
             "dtype=float.")
IN_PLACE = ("Your numbers are right, but you nudge the caller's array, and x + h - h is not always x: rounding. Nudge "
            "a copy.")

FORWARD_DIFFERENCE = Exercise(
    "forward_difference", 3, forward_difference, forbidden=READY_MADE,
    cases=[
        Case("two numbers you can verify by hand", lambda rng: (by_hand, np.array([1.0, 2.0]), 0.1),
             hint="Each entry of the answer is (f(x with this entry nudged by h) - f(x)) / h."),
        Case("a curve in five numbers", on_a_curve(5),
             hint="The worked example alone is not enough: every entry of x is nudged in its turn."),
        Case("a matrix", on_a_curve(2, 3),
             hint="The answer has the shape of x. np.ndindex(x.shape) runs over the indices of any shape."),
        Case("x holds whole numbers", on_a_curve(3, whole=True), hint=TRUNCATED),
        Case("N + 1 evaluations", on_a_curve(2, 4), points=1, call=evaluations, judge=as_often,
             hint="f(x) itself is the same for all entries: evaluate it once, before the loop."),
    ],
    misconceptions=[
        Misconception("all at once", lambda f, x, h: (f(np.asarray(x) + h) - f(x)) / h, ALL_AT_ONCE),
        Misconception("all at once, in every entry", differences(everywhere=True),
                      "All your entries are equal, since each time you nudge all of x. Nudge one entry, x_i, and leave "
                      "the others."),
        Misconception("not divided", differences(without_division),
                      "This is the rise of f. A slope is the rise divided by the step h."),
        Misconception("sign", differences(scale=-1),
                      "Your signs are reversed: the value after the nudge comes first, the value before is "
                      "subtracted."),
        Misconception("half", differences(scale=0.5),
                      "You divide by 2h. From x to x + h the step is h."),
        Misconception("times the step", lambda f, x, h: h**2 * forward_difference(f, x, h),
                      "You multiply by h. A slope is the rise divided by the step."),
        Misconception("backward", differences(backward),
                      "You nudge downward, to x - h. That is a difference too, but this question nudges upward."),
        Misconception("central", differences(central),
                      "You nudge both ways: that is the central difference, the next question."),
        Misconception("nudges pile up", differences(keep=True), PILED_UP),
        Misconception("in place", forward_in_place, IN_PLACE),
        Misconception("f(x) anew each time", differences(once=False),
                      "Right, but f(x) is computed anew for every entry: 2N evaluations. Compute it once, before the "
                      "loop: N + 1."),
        Misconception("whole numbers", differences(dtype=None), TRUNCATED),
        Misconception("whole rows", differences(rows=True), ROWS),
        Misconception("a step relative to x", differences(relative=True),
                      "Your nudge is h times x. In this question h is the step itself, the same for every entry."),
    ],
    alternatives=[forward_by_columns, forward_and_back, differences(),
                  lambda f, x, h: forward_difference(f, x, h).astype(np.float32)])

CENTRAL_DIFFERENCE = Exercise(
    "central_difference", 2, central_difference, forbidden=READY_MADE,
    cases=[
        Case("two numbers you can verify by hand", lambda rng: (by_hand_cubed, np.array([1.0, 2.0]), 0.1),
             hint="Each entry is (f(x with this entry h higher) - f(x with it h lower)) / 2h."),
        Case("a curve in four numbers", on_a_curve(4),
             hint="The worked example alone is not enough: every entry of x is nudged in its turn."),
        Case("a matrix", on_a_curve(3, 2), hint="The answer has the shape of x, whatever that is."),
        Case("x holds whole numbers", on_a_curve(3, whole=True), hint=TRUNCATED),
        Case("2N evaluations", on_a_curve(2, 3), points=0.5, call=evaluations, judge=as_often,
             hint="Two evaluations for each entry, one above and one below; f(x) itself is not needed."),
    ],
    misconceptions=[
        Misconception("forward", differences(forward),
                      "You nudge upward only: that is the forward difference. Nudge down as well, and subtract the two "
                      "values."),
        Misconception("forward, f(x) anew each time", differences(forward, once=False),
                      "You nudge upward only: that is the forward difference. In place of f(x) take the value below, "
                      "at x - h."),
        Misconception("backward", differences(backward),
                      "You subtract f(x), so that only the nudge downward counts. The central difference takes one "
                      "value above and one below."),
        Misconception("divided by h", differences(central, scale=2, once=False),
                      "Twice too large: from x - h to x + h the step is 2h."),
        Misconception("precedence", lambda f, x, h: h**2 * central_difference(f, x, h),
                      "(a - b) / 2 * h divides by 2 and then multiplies by h. Write (a - b) / (2 * h)."),
        Misconception("sign", differences(central, scale=-1),
                      "Your signs are reversed: the value above minus the value below."),
        Misconception("half steps", differences(halves, once=False),
                      "You nudge by h/2 either way. Central indeed, but in this question each nudge is h, and the two "
                      "are 2h apart."),
        Misconception("the mean of two differences", differences(mean_of_both, once=False),
                      "The mean of the forward and the backward difference is the same number, and f(x) cancels: you "
                      "evaluate f more often than 2N times."),
        Misconception("f(x) is not needed", differences(central),
                      "Right, but you evaluate f(x) as well, once: 2N + 1 evaluations. Only the values above and below "
                      "are needed."),
        Misconception("all at once", lambda f, x, h: (f(np.asarray(x) + h) - f(np.asarray(x) - h)) / (2 * h),
                      ALL_AT_ONCE),
        Misconception("nudges pile up", differences(central, keep=True), PILED_UP),
        Misconception("in place", central_in_place, IN_PLACE),
        Misconception("whole numbers", differences(central, dtype=None, once=False), TRUNCATED),
        Misconception("whole rows", differences(central, rows=True, once=False), ROWS),
    ],
    alternatives=[central_by_columns, central_and_back, differences(central, once=False),
                  lambda f, x, h: central_difference(f, x, h).tolist()])


# Counting.

def count_evaluations(method, f, x, h):
    count = 0
    def counted(w):
        nonlocal count
        count += 1
        return f(w)
    method(counted, x, h)
    return count


class Counter:
    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, w):
        self.calls += 1
        return self.f(w)


def count_by_class(method, f, x, h):
    counter = Counter(f)
    method(counter, x, h)
    return counter.calls


def count_by_list(method, f, x, h):
    seen = []
    def noted(*arguments):
        seen.append(arguments)
        return f(*arguments)
    method(noted, x, h)
    return len(seen)


def never_reset():
    count = 0
    def answer(method, f, x, h):
        def counted(w):
            nonlocal count
            count += 1
            return f(w)
        method(counted, x, h)
        return count
    return answer


def swallows_the_value(method, f, x, h):
    count = 0
    def counted(w):
        nonlocal count
        count += 1
        f(w)
    method(counted, x, h)
    return count


def without_nonlocal(method, f, x, h):
    calls = 0
    def counted(w):
        calls += 1  # noqa: F823, F841
        return f(w)
    method(counted, x, h)
    return calls


def answers_zero(method, f, x, h):
    count = 0
    def counted(w):
        nonlocal count
        count += 1
        return 0.0
    method(counted, x, h)
    return count


def distinct_points(method, f, x, h):
    seen = set()
    def counted(w):
        seen.add(np.array(w, dtype=float).tobytes())
        return f(w)
    method(counted, x, h)
    return len(seen)


def not_counted(method, f, x, h):
    count = 0
    def counted(w):
        nonlocal count
        count += 1
        return f(w)
    method(f, x, h)
    return count


def one_direction(f, x, h):
    """The slope along one direction: two evaluations, whatever the size of x."""
    direction = np.ones(np.shape(x)) / np.sqrt(np.size(x))
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


def until_it_settles(f, x, h):
    """Halves the step until the slope along the first entry changes by less than 1%: how long depends on f."""
    def slope(step):
        nudge = np.zeros(np.shape(x))
        nudge.flat[0] = step
        return (f(x + nudge) - f(x - nudge)) / (2 * step)
    before, after = slope(h), slope(h / 2)
    while abs(after - before) > 0.01 * abs(after) and h > 1e-6:
        h /= 2
        before, after = after, slope(h / 2)
    return after


def without_f(f, x, h):
    return np.zeros(np.shape(x))


naive_forward = differences(once=False)
METHODS = forward_difference, central_difference, one_direction, naive_forward, without_f


def steep(rng):
    """A function so curved that the size of the first step decides how often it must be halved."""
    a = rng.uniform(2, 6)
    return lambda w: float(np.sum(np.sinh(a * np.asarray(w))))


def right_counts(got, args, expected):
    for number, (mine, right) in enumerate(zip(got, expected, strict=True), 1):
        if not isinstance(mine, (int, float)):
            return f"the answer is a {type(mine).__name__}; expected is a whole number"
        if mine != right and list(np.diff(got)) == expected[1:]:
            return "each of your counts contains those before it"
        if mine != right:
            return f"method {number} of {len(got)} evaluates f {right} times, you counted {mine:g}"


def counted_in_turn(count_evaluations, methods, f, x, h):
    return [count_evaluations(method, f, x, h) for method in methods]


def some_methods(rng):
    x = rng.normal(size=(int(rng.integers(2, 5)), int(rng.integers(2, 5))))
    return [METHODS[i] for i in rng.permutation(len(METHODS))], curve(rng, x.shape), x, 0.1


def halving(rng):
    x = rng.uniform(0.5, 1.5, 2)
    return [until_it_settles, one_direction, until_it_settles], steep(rng), x, rng.uniform(0.5, 2)


COUNT_EVALUATIONS = Exercise(
    "count_evaluations", 2, count_evaluations, call=counted_in_turn,
    cases=[
        Case("forward and central difference of two numbers",
             lambda rng: ([forward_difference, central_difference], by_hand, np.array([1.0, 2.0]), 0.1),
             judge=right_counts,
             hint="For two numbers they make 3 and 4 evaluations."),
        Case("five methods, one after the other", some_methods, judge=right_counts,
             hint="Do not compute the count from the size of x: give the method a function that counts, and see."),
        Case("the same method, called twice",
             lambda rng: ([central_difference] * 2, by_norm, rng.normal(size=int(rng.integers(3, 8))), 0.1),
             judge=right_counts,
             hint="Every call of count_evaluations begins at 0."),
        Case("a method that goes on until the slope settles", halving, judge=right_counts,
             hint="What f returns decides how long this method goes on: your counting function must return f's value."),
    ],
    misconceptions=[
        Misconception("N + 1", lambda method, f, x, h: np.size(x) + 1,
                      "You compute N + 1, whatever the method does. Count: hand it a function that notes each call."),
        Misconception("2N", lambda method, f, x, h: 2 * np.size(x),
                      "You compute 2N, whatever the method does. Count: hand it a function that notes each call."),
        Misconception("never reset", never_reset(),
                      "Your counter goes on where the last call stopped. Set it to 0 inside count_evaluations."),
        Misconception("swallows the value", swallows_the_value,
                      "Your counting function does not return anything, and the method cannot go on: return f(w)."),
        Misconception("without nonlocal", without_nonlocal,
                      "Python takes your counter for a new local variable, because the inner function assigns to it. "
                      "Declare it there with `nonlocal`, or append to a list instead."),
        Misconception("answers 0", answers_zero,
                      "Your counting function does not return f's value. A method may decide by that value how long it "
                      "goes on: return f(w)."),
        Misconception("the method's answer", lambda method, f, x, h: method(f, x, h),
                      "This is what the method computes. The question asks how often it called f."),
        Misconception("both", lambda method, f, x, h: (method(f, x, h), count_evaluations(method, f, x, h)),
                      "Return the count alone, without what the method computes."),
        Misconception("one too many",
                      lambda method, f, x, h: count_evaluations(lambda g, x, h: (g(x), method(g, x, h)), f, x, h),
                      "One too many: do you call your counting function yourself, or begin at 1?"),
        Misconception("distinct points", distinct_points,
                      "You count the places, not the calls. Evaluating f twice at one place costs twice."),
        Misconception("f is handed over", not_counted,
                      "Always 0: you hand the method f itself. Hand it your counting function in its place."),
    ],
    alternatives=[count_by_class, count_by_list, lambda *a: float(count_evaluations(*a)),
                  lambda *a: np.int64(count_by_list(*a))])


# By hand.

def analytic_gradient(w, X, t, strength):
    return X.T @ np.tanh(X @ w - t) / len(t) + strength * w


def analytic_by_loop(w, X, t, strength):
    gradient = [strength * weight for weight in w]
    for x, target in zip(X, t, strict=True):
        error = np.tanh(sum(a * b for a, b in zip(x, w, strict=True)) - target)
        gradient = [g + error * a / len(t) for g, a in zip(gradient, x, strict=True)]
    return gradient


def with_cosh(w, X, t, strength):
    r = X @ w - t
    return X.T @ (np.sinh(r) / np.cosh(r)) / len(t) + strength * w


def derived(slope=np.tanh, scale=1.0, penalty=1.0, residual=lambda X, w, t: X @ w - t):
    """An analytic_gradient with one thing wrong; slope(r) is the derivative of the loss of one residual."""
    return lambda w, X, t, strength: scale * X.T @ slope(residual(X, w, t)) / len(t) + penalty * strength * w


def regression(n, d, spread=1.0, strength=None):
    def make(rng):
        X, w = rng.normal(size=(n, d)), rng.normal(size=d)
        return w, X, X @ rng.normal(size=d) + spread * rng.normal(size=n), (rng.uniform(0.1, 1) if strength is None
                                                                              else strength)
    return make


def far_off(rng):
    """Residuals of a thousand, of which cosh is infinite, and of a billion, where differences are all rounding."""
    w, X, t, strength = regression(6, 2)(rng)
    return w, X, t + 1000.0 ** rng.permutation([1, 1, 2, 2, 3, 3]) * rng.choice([-1, 1], 6), strength


ANALYTIC_GRADIENT = Exercise(
    "analytic_gradient", 3, analytic_gradient,
    forbidden=(*READY_MADE, "nnlib.Tensor.backward"),
    cases=[
        Case("two examples you can verify by hand",
             lambda rng: (np.array([1.0, 0.0]), np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, -1.0]), 0.5),
             hint="The residuals are 0 and 1; tanh(0) = 0 and tanh(1) = 0.762."),
        Case("seven examples, three weights", regression(7, 3),
             hint="Compare with your own central_difference(lambda w: robust_loss(w, X, t, strength), w, 1e-5)."),
        Case("no penalty", regression(5, 2, strength=0.0),
             hint="With strength 0 the mean over the examples is left: X.T @ (...) / n."),
        Case("five weights, four examples, a strong penalty", regression(4, 5, strength=3.0),
             hint="What is the derivative of strength/2 times the sum of w^2?"),
        Case("residuals from a thousand to a billion", far_off, no_warnings=True,
             hint="cosh(1000) is infinite, and a difference of huge losses is all rounding. The derivative of ln cosh "
                  "has a name of its own that NumPy knows."),
    ],
    misconceptions=[
        Misconception("the mean is forgotten", lambda w, X, t, s: X.T @ np.tanh(X @ w - t) + s * w,
                      "Right for the sum over the examples. The loss is their mean: divide that part by n."),
        Misconception("the penalty is forgotten", derived(penalty=0),
                      "Without the penalty this is right. Its derivative is strength * w; a check at w = 0 would not "
                      "have noticed."),
        Misconception("the 2 of the square", derived(penalty=2),
                      "The penalty is strength/2 times the sum of squares, and the 2 of the square cancels the half."),
        Misconception("half the penalty", derived(penalty=0.5),
                      "The half in strength/2 meets the 2 from the derivative of the square: strength * w is left."),
        Misconception("the penalty is averaged, too",
                      lambda w, X, t, s: (X.T @ np.tanh(X @ w - t) + s * w) / len(t),
                      "You divide the penalty by n, too. It stands outside the mean."),
        Misconception("sign", derived(residual=lambda X, w, t: t - X @ w),
                      "You take t - X @ w. The residual is X @ w - t, and its sign goes into the gradient."),
        Misconception("squared loss", derived(slope=lambda r: r),
                      "This is the gradient of half the squared residual. Here the residual passes through ln cosh; "
                      "what is the slope of that?"),
        Misconception("absolute loss", derived(slope=np.sign),
                      "This is the gradient of the absolute residual. ln cosh is like it far from 0, but bends "
                      "smoothly at 0."),
        Misconception("one derivative too many", derived(slope=lambda r: 1 - np.tanh(r) ** 2),
                      "1 - tanh^2 is the second derivative of ln cosh. The first is tanh."),
        Misconception("the loss, not its slope", derived(slope=lambda r: np.logaddexp(r, -r) - np.log(2)),
                      "You use ln cosh itself where its derivative belongs."),
        Misconception("the derivative of the outer function only", derived(slope=lambda r: 1 / np.cosh(r)),
                      "You have the derivative of ln, 1/cosh, and forgot the inner one: the derivative of cosh is "
                      "sinh."),
        Misconception("the prediction, not the residual", derived(residual=lambda X, w, t: X @ w),
                      "Your gradient does not know the targets: the residual is X @ w - t."),
        Misconception("the mean over weights", lambda w, X, t, s: X.T @ np.tanh(X @ w - t) / len(w) + s * w,
                      "You divide by the number of weights. The mean is over the n examples, len(t)."),
        Misconception("without the input", lambda w, X, t, s: np.mean(np.tanh(X @ w - t)) + s * w,
                      "The chain rule has one more factor: the residual changes with a weight by that weight's input."),
        Misconception("one mean for all weights", lambda w, X, t, s: np.mean(X.T @ np.tanh(X @ w - t)) + s * w,
                      "X.T @ ... is already the sum over the examples. np.mean then averages over the weights, and one "
                      "number is left for all of them. Divide by n instead."),
        Misconception("one mean for all entries",
                      lambda w, X, t, s: np.mean(np.tanh(X @ w - t)[:, None] * X) + s * w,
                      "np.mean without an axis averages over the weights, too, and gives one number for all of them. "
                      "With axis=0 it averages over the examples only."),
        Misconception("the sum of the weights",
                      lambda w, X, t, s: X.T @ np.tanh(X @ w - t) / len(t) + s * np.sum(w),
                      "Each weight has its own slope: the derivative of the penalty with respect to w_j is strength * "
                      "w_j alone, without the sum."),
        Misconception("overflows", with_cosh,
                      "Right until cosh overflows: sinh(r) / cosh(r) has a name of its own, np.tanh(r)."),
    ],
    alternatives=[analytic_by_loop, lambda *a: analytic_gradient(*a).astype(np.float32),
                  lambda w, X, t, strength: np.mean(np.tanh(X @ w - t)[:, None] * X, axis=0) + strength * w,
                  lambda w, X, t, strength: strength * w - np.tanh(t - X @ w) @ X / len(X)])


# The check.

def gradient_check(f, gradient, x):
    given, measured = np.asarray(gradient(x)), central_difference(f, x, 1e-5)
    if given.shape != measured.shape:
        return False
    size = max(np.linalg.norm(given), np.linalg.norm(measured))
    return bool(np.linalg.norm(given - measured) <= 1e-6 * size)


def check_by_loop(f, gradient, x):
    given, square, sizes = gradient(x), 0.0, [0.0, 0.0]
    if np.shape(given) != np.shape(x):
        return False
    for a, b in zip(np.ravel(given), np.ravel(central_by_columns(f, x, 1e-5)), strict=True):
        square, sizes = square + (a - b) ** 2, [sizes[0] + a * a, sizes[1] + b * b]
    return bool(square <= 1e-12 * max(sizes))


def check_by_ratio(f, gradient, x):
    given, measured = np.array(gradient(x)), central_by_columns(f, x, 1e-5)
    if given.shape != np.shape(x) or not np.isfinite(given).all():
        return False
    if not given.any() and not measured.any():
        return True
    return bool(relative(given, measured) < 1e-6)


def relative(given, measured):
    size = max(np.linalg.norm(given), np.linalg.norm(measured))
    return np.linalg.norm(given - measured) / size if size else 0.0


def cosine(given, measured):
    sizes = np.linalg.norm(given) * np.linalg.norm(measured)
    return 1 - np.sum(given * measured) / sizes if sizes else float(given.any() or measured.any())


def norms(given, measured):
    return relative(np.linalg.norm(given), np.linalg.norm(measured))


def checked(error=relative, tolerance=1e-6, difference=central_difference, at=None, shapes=True):
    """A gradient_check with one thing wrong; error(given, measured) is compared with the tolerance."""
    def answer(f, gradient, x):
        place = x if at is None else at(x)
        given = np.asarray(gradient(place))
        if shapes and given.shape != np.shape(x):
            return False
        return bool(error(given, difference(f, place, 1e-5)) <= tolerance)
    return answer


def signed(given, measured):
    return np.max(given - measured) / max(np.linalg.norm(given), np.linalg.norm(measured), 1e-300)


def each_entry(given, measured):
    sizes = np.maximum(np.abs(given), np.abs(measured))
    return np.max(np.abs(given - measured) / np.where(sizes > 0, sizes, 1))


def sums(given, measured):
    return relative(np.sum(given), np.sum(measured))


def first_only(given, measured):
    return relative(given.ravel()[0], measured.ravel()[0])


def lets_nan_pass(f, gradient, x):
    given, measured = np.asarray(gradient(x)), central_difference(f, x, 1e-5)
    return given.shape == measured.shape and not relative(given, measured) > 1e-6


def divides_by_zero(given, measured):
    return np.linalg.norm(given - measured) / np.maximum(np.linalg.norm(given), np.linalg.norm(measured))


def flattened(f, gradient, x):
    given = np.ravel(gradient(x))
    return len(given) == np.size(x) and gradient_check(f, lambda x: given.reshape(np.shape(x)), x)


def allclose(f, gradient, x):
    given = np.asarray(gradient(x))
    return given.shape == np.shape(x) and np.allclose(given, central_difference(f, x, 1e-5))


def smooth(rng, shape, scale=1.0):
    """(f, its gradient, a place): the gradient has parts that vanish at 0, and parts that do not."""
    a, b, c = rng.uniform(0.5, 2, (3, *shape))
    def f(x):
        return scale * float(np.sum(a * x + b * x**2 + c * x**3) + np.sum(x) ** 2)
    def gradient(x):
        return scale * (a + 2 * b * x + 3 * c * x**2 + 2 * np.sum(x))
    def linear_part(x):
        return scale * (a + 2 * np.sum(x))
    return f, gradient, rng.normal(size=shape), linear_part


def changed(gradient, change):
    return lambda x: change(gradient(x))


def with_one_entry_off(gradient, index, factor=1.01):
    def answer(x):
        g = np.array(gradient(x))
        g[index] *= factor
        return g
    return answer


def both_by_hand(rng):
    x = np.array([1.0, 2.0])
    return (("the gradient (2 x1, 3)", by_hand, lambda x: np.array([2 * x[0], 3.0]), x),
            ("(2 x1, -3) in place of (2 x1, 3)", by_hand, lambda x: np.array([2 * x[0], -3.0]), x))


def usual_mistakes(rng):
    f, gradient, x, linear_part = smooth(rng, (5,))
    return shuffled(rng, ("that of a polynomial in five numbers", f, gradient, x),
                    ("a gradient with its sign exchanged", f, changed(gradient, np.negative), x),
                    ("a gradient twice too large", f, changed(gradient, lambda g: 2 * g), x),
                    ("a gradient whose entries are moved by one", f, changed(gradient, lambda g: np.roll(g, 1)), x),
                    ("a gradient without a part that is 0 at x = 0", f, linear_part, x))


def one_of_many(rng):
    f, gradient, x, _ = smooth(rng, (4, 6))
    index = int(rng.integers(1, 4)), int(np.abs(gradient(x)).argmax(axis=1)[0])
    large = np.unravel_index(np.abs(gradient(x)).ravel()[1:].argmax() + 1, x.shape)
    return shuffled(rng, ("that of a function of a 4 x 6 matrix", f, gradient, x),
                    ("a 4 x 6 gradient with one entry 1% too large", f, with_one_entry_off(gradient, large), x),
                    ("a 4 x 6 gradient with one entry off by a factor 2", f, with_one_entry_off(gradient, index, 2), x))


def small_and_large(rng):
    small, large = smooth(rng, (3,), 1e-7), smooth(rng, (3,), 1e7)
    return shuffled(rng, ("that of a loss near 1e-7", *small[:3]), ("that of a loss near 1e7", *large[:3]),
                    ("that of a loss which is nearly flat along one entry", *one_flat_entry(rng)),
                    ("a gradient 1% too large, of a loss near 1e-7", small[0],
                     changed(small[1], lambda g: 1.01 * g), small[2]))


def one_flat_entry(rng):
    """(f, its gradient, a place): along the last entry f is nearly flat, and its slope drowns in rounding."""
    a, b = rng.uniform(50, 200, 3), rng.uniform(1e-7, 1e-6)
    def f(x):
        return float(np.sum(a * np.cosh(x[:-1])) + b * x[-1])
    return f, lambda x: np.append(a * np.sinh(x[:-1]), b), rng.normal(size=4)


def near_the_border(rng):
    f, gradient, x, _ = smooth(rng, (4,))
    return shuffled(rng, ("one with a relative error of 4e-7", f, changed(gradient, lambda g: (1 + 4e-7) * g), x),
                    ("one with a relative error of 2.5e-6", f, changed(gradient, lambda g: (1 + 2.5e-6) * g), x))


def odd_ones(rng):
    f, gradient, x, _ = smooth(rng, (3,))
    return shuffled(rng, ("a gradient with a nan", f, with_one_entry_off(gradient, 1, np.nan), x),
                    ("a gradient of shape (3, 1) where x has shape (3,)", f,
                     changed(gradient, lambda g: g[:, None]), x),
                    ("the number 3.0 as gradient of 3 * sum(x)", lambda x: 3 * float(np.sum(x)), lambda x: 3.0, x),
                    ("zeros for a function that is constant", lambda x: 1.5, np.zeros_like, x),
                    ("ones for a function that is constant", lambda x: 1.5, np.ones_like, x))


def shuffled(rng, *things):
    return tuple(things[i] for i in rng.permutation(len(things)))


def each(gradient_check, *problems):
    return [gradient_check(*problem[1:]) for problem in problems]


def right_verdicts(got, args, expected):
    if not all(isinstance(mine, (bool, np.bool_)) for mine in got):
        return "the answer is neither True nor False"
    wrong = {right: [name for (name, *_), mine, expect in zip(args, got, expected, strict=True)
                     if expect == right and bool(mine) != right] for right in (True, False)}
    if wrong[True]:
        return f"it rejects a right gradient: {'; '.join(wrong[True])}"
    if wrong[False]:
        return f"it accepts what is wrong: {'; '.join(wrong[False])}"


GRADIENT_CHECK = Exercise(
    "gradient_check", 3, gradient_check, call=each, forbidden=READY_MADE,
    cases=[
        Case("a right and a wrong gradient", both_by_hand, judge=right_verdicts,
             hint="`gradient` is a function: call it with x. Then return True for a right gradient and False for a "
                  "wrong one, nothing else."),
        Case("a sign, a factor, an index, a missing part", usual_mistakes, judge=right_verdicts,
             hint="Compare all entries at the place x: the norm of the difference with the larger of the two norms."),
        Case("one entry of many is wrong", one_of_many, judge=right_verdicts,
             hint="Every entry must count: the norm of the whole difference."),
        Case("small losses and large ones", small_and_large, judge=right_verdicts,
             hint="Divide the difference by the size of the gradients: what counts is the relative error."),
        Case("near the border", near_the_border, judge=right_verdicts,
             hint="A relative error of up to 1e-6 is right. It is the norm of the difference divided by the larger of "
                  "the two norms."),
        Case("nan, shapes, a constant function", odd_ones, judge=right_verdicts,
             hint="Compare shapes first. Write the comparison so that nan gives False, and 0 <= 0 gives True."),
    ],
    misconceptions=[
        Misconception("the error itself", lambda f, gradient, x: relative(np.asarray(gradient(x)),
                                                                          central_difference(f, x, 1e-5)),
                      "You return the relative error. The question asks for a verdict: whether it is at most 1e-6."),
        Misconception("the wrong way round", lambda f, gradient, x: not gradient_check(f, gradient, x),
                      "True and False are exchanged: True means that the gradient is right."),
        Misconception("absolute error", checked(lambda a, b: np.linalg.norm(a - b)),
                      "You compare the difference itself with 1e-6. A small loss has a small gradient, and then any "
                      "mistake is small. Divide by the size of the gradients."),
        Misconception("absolute error, any shape", checked(lambda a, b: np.linalg.norm(a - b), shapes=False),
                      "Two things: the difference itself says nothing about a small loss, so compare it with the size "
                      "of the gradients; and a gradient of another shape than x must be wrong."),
        Misconception("allclose alone", lambda f, gradient, x: np.allclose(gradient(x), central_difference(f, x, 1e-5)),
                      "np.allclose has limits of its own, 1e-5 and 1e-8, and stretches shapes that differ. Compare the "
                      "shapes, then the norm of the difference with 1e-6 times the larger norm."),
        Misconception("entry by entry", checked(each_entry),
                      "You compare each entry with its own size. Where the function is nearly flat along one entry, "
                      "the measured slope is all rounding, and a right gradient fails. Take the norm of the whole."),
        Misconception("entry by entry, any shape", checked(each_entry, shapes=False),
                      "Two things: compare the norms of whole gradients, since a single entry may be all rounding; and "
                      "a gradient of another shape than x must be wrong."),
        Misconception("not per entry", checked(sums),
                      "You compare sums (or means) of the entries: entries that are exchanged, or errors that cancel, "
                      "go unnoticed. Subtract entry by entry, then take the norm."),
        Misconception("only the first entry", checked(first_only),
                      "You look at one entry. A mistake may be in any of them."),
        Misconception("lengths", checked(norms),
                      "You compare the lengths of the two gradients. Take the norm of their difference: two arrows may "
                      "be equally long and point apart."),
        Misconception("directions", checked(cosine),
                      "You compare directions, by an angle or a cosine. A gradient twice too large points the right "
                      "way and is wrong."),
        Misconception("without the sign", checked(signed),
                      "Your difference has a sign: an entry that is much too small counts as a tiny error. Take "
                      "absolute values or the norm."),
        Misconception("a coarse judge", checked(difference=forward_difference),
                      "You reject right gradients: your measured one is not good to 1e-6 itself. Use the central "
                      "difference with h = 1e-5."),
        Misconception("lenient", checked(tolerance=1e-2),
                      "A relative error of 1e-2 is a mistake in the formula. In double precision, central differences "
                      "agree to 1e-9 or so with a right gradient; the limit here is 1e-6."),
        Misconception("another tolerance", allclose,
                      "Nearly right, but your limit is not 1e-6. (np.allclose, for example, allows 1e-5 if you do not "
                      "tell it.)"),
        Misconception("too strict", checked(tolerance=1e-7),
                      "You reject a relative error of 4e-7; up to 1e-6 counts as right, since the measured gradient "
                      "has errors, too."),
        Misconception("at zero", checked(at=np.zeros_like),
                      "You check at x = 0, where a part of the gradient vanishes: it may be missing and nobody sees "
                      "it. Check at the x that you are given."),
        Misconception("nan passes", lets_nan_pass,
                      "A gradient with nan passes: `error > 1e-6` is False for nan. Ask whether `error <= 1e-6`."),
        Misconception("zero by zero", checked(divides_by_zero),
                      "A constant function has gradient 0, and 0 / 0 is nan. Compare norm(difference) <= 1e-6 * size: "
                      "no division."),
        Misconception("broadcast", checked(shapes=False),
                      "One number in place of a gradient passes: NumPy stretches it to all entries. Compare the shapes "
                      "first."),
        Misconception("flattened", flattened,
                      "A gradient must have the shape of x; you flatten both and let another shape pass."),
    ],
    alternatives=[check_by_loop, check_by_ratio, checked(), checked(lambda a, b: np.abs(a - b).max() / max(
        np.abs(a).max(), np.abs(b).max(), 1e-300))])


# Which of them are broken?

def find_broken(problems, rng):
    broken = []
    for name, (f, gradient, shape) in problems.items():
        if not all(gradient_check(f, gradient, rng.normal(size=shape)) for _ in range(20)):
            broken.append(name)
    return broken


def found(place=lambda rng, shape: rng.normal(size=shape), places=20, verdict=all, stop=False):
    """A find_broken with one thing wrong; verdict(checks) says whether a gradient counts as right."""
    def answer(problems, rng):
        broken = []
        for name, (f, gradient, shape) in problems.items():
            checks = [gradient_check(f, gradient, place(rng, shape)) for _ in range(places)]
            if not verdict(checks):
                broken.append(name)
                if stop:
                    break
        return broken
    return answer


def find_by_comprehension(problems, rng):
    def wrong_somewhere(f, gradient, shape):
        places = rng.uniform(-2, 2, size=(25, *shape))
        return any(not check_by_loop(f, gradient, place) for place in places)
    return {name for name, problem in problems.items() if wrong_somewhere(*problem)}


def signed_square(rng, side=1):
    """(f, gradient, wrong, shape): the wrong gradient is right wherever the first entry has the sign of `side`."""
    a = rng.uniform(0.5, 2, 2)
    return (lambda x: float(np.sum(a * x * np.abs(x))), lambda x: 2 * a * np.abs(x),
            lambda x: 2 * a * np.array([side * x[0], abs(x[1])]), (2,))


def wrong_above(rng):
    return signed_square(rng, side=-1)


def penalized(rng):
    """The wrong gradient is right at 0, for it has forgotten the penalty."""
    a = rng.normal(size=(2, 2))
    return (lambda x: float(np.sum(np.sin(a * x)) + 0.5 * np.sum(x**2)), lambda x: a * np.cos(a * x) + x,
            lambda x: a * np.cos(a * x), (2, 2))


def exchanged(rng):
    """The wrong gradient is right wherever all entries are equal, for it exchanges neighbors."""
    return (lambda x: float(np.sum(x**3)), lambda x: 3 * x**2, lambda x: 3 * np.roll(x, 1) ** 2, (3,))


def everywhere_wrong(rng):
    a = rng.uniform(0.5, 2, 3)
    return lambda x: float(np.sum(a * x)), lambda x: a, lambda x: -a, (3,)


def catalog(rng, right, wrong):
    """A dict of right and wrong gradients in a drawn order: {name: (f, gradient, shape)}."""
    entries = []
    for kind in right:
        f, gradient, _, shape = kind(rng)
        entries.append((f, gradient, shape))
    for kind in wrong:
        f, _, gradient, shape = kind(rng)
        entries.append((f, gradient, shape))
    order = rng.permutation(len(entries))
    letters = rng.choice(list("ABCDEFGHJKLMNPQRSTUVWXYZ"), len(entries), replace=False)
    return {str(letter): entries[i] for letter, i in zip(letters, order, strict=True)}


def names_them_all(got, args, expected):
    strange = [name for name in got if name not in args[0]]
    if strange:
        return f"the answer holds {strange[0]!r}, which is no name of a problem"
    accused, missed = sorted(set(got) - set(expected)), sorted(set(expected) - set(got))
    if accused:
        return f"it names {', '.join(accused)}: right gradients"
    if missed:
        return f"it does not name {', '.join(missed)}: broken gradients"


FIND_BROKEN = Exercise(
    "find_broken", 2, find_broken, forbidden=READY_MADE,
    cases=[
        Case("a right and a wrong one, clear everywhere",
             lambda rng: (catalog(rng, [everywhere_wrong, exchanged], [everywhere_wrong, everywhere_wrong]), rng),
             judge=names_them_all, hint="A list of the names whose gradient fails gradient_check."),
        Case("right at 0, or where all entries are equal",
             lambda rng: (catalog(rng, [penalized], [penalized, exchanged, penalized]), rng), judge=names_them_all,
             hint="Zeros and ones are special places. Draw x from rng.normal(size=shape)."),
        Case("right for half of all x",
             lambda rng: (catalog(rng, [signed_square, penalized], [signed_square, wrong_above] * 4), rng),
             judge=names_them_all,
             hint="A gradient may be right in one place and wrong in another: try twenty places, and count it as "
                  "broken when the check fails at any of them."),
    ],
    misconceptions=[
        Misconception("the right ones", lambda problems, rng: [n for n in problems
                                                               if n not in find_broken(problems, rng)],
                      "These are the names of the right gradients. Wanted are the broken ones."),
        Misconception("verdicts", lambda problems, rng: [n in find_broken(problems, rng) for n in problems],
                      "You return True and False. Return the names of the broken ones."),
        Misconception("their number", lambda problems, rng: len(find_broken(problems, rng)),
                      "You return how many are broken. Return their names, in a list."),
        Misconception("one place", found(places=1),
                      "You look at one place. A gradient that is wrong for half of all x passes there half of the "
                      "time: try twenty places."),
        Misconception("at zero", found(place=lambda rng, shape: np.zeros(shape)),
                      "You check at x = 0. There a forgotten penalty is 0, too: draw x at random."),
        Misconception("at one", found(place=lambda rng, shape: np.ones(shape)),
                      "You check where all entries are equal. There an exchanged index changes nothing: draw x at "
                      "random."),
        Misconception("broken everywhere", found(verdict=any),
                      "You call a gradient broken only if it fails at all places. One failure is enough."),
        Misconception("the first one only", found(stop=True),
                      "You stop at the first broken gradient. Is `return` or `break` inside the loop over the "
                      "problems?"),
        Misconception("only positive places", found(place=lambda rng, shape: rng.random(shape)),
                      "rng.random gives numbers between 0 and 1: you never try a negative x. Use rng.normal."),
    ],
    alternatives=[find_by_comprehension, found(), lambda problems, rng: tuple(find_broken(problems, rng))])


EXERCISES = [FORWARD_DIFFERENCE, CENTRAL_DIFFERENCE, COUNT_EVALUATIONS, ANALYTIC_GRADIENT, GRADIENT_CHECK, FIND_BROKEN]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_curve(rng):
    shape = tuple(int(n) for n in rng.integers(1, 4, size=rng.integers(1, 4)))
    whole = rng.random() < 0.2
    x = rng.integers(-3, 4, shape) if whole else rng.normal(size=shape)
    return curve(rng, shape), x, 10 ** rng.uniform(-2, 0)


def any_robust(rng):
    n, d = rng.integers(1, 8, 2)
    return regression(int(n), int(d), 10 ** rng.uniform(-1, 3), rng.choice([0.0, 0.1, 2.0]))(rng)


def any_problem(rng):
    makers = usual_mistakes, one_of_many, small_and_large, near_the_border, odd_ones
    return makers[rng.integers(len(makers))](rng)


def any_catalog(rng):
    kinds = penalized, exchanged, everywhere_wrong, signed_square, wrong_above
    right, wrong = ([kinds[i] for i in rng.integers(0, 5, rng.integers(0, 4))] for _ in range(2))
    return catalog(rng, right, wrong), rng


DOMAIN = {
    "forward_difference": [Case("any curve", any_curve), Case("N + 1", any_curve, call=evaluations, judge=as_often)],
    "central_difference": [Case("any curve", any_curve), Case("2N", any_curve, call=evaluations, judge=as_often)],
    "count_evaluations": [Case("any methods", some_methods, judge=right_counts)],
    "analytic_gradient": [Case("any table", any_robust, no_warnings=True)],
    "gradient_check": [Case("any gradients", any_problem, judge=right_verdicts)],
    "find_broken": [Case("any catalog", any_catalog, judge=names_them_all)],
}
