"""The mathematics behind the explorers of descent: surfaces, steps, paths, and what a trace plot tells.

A point w is an array (dim,). Nothing here knows of widgets or figures.
"""

import inspect
from dataclasses import dataclass

import numpy as np

from nnlib.ops import sigmoid, softplus

FAR = 1e9  # a coordinate beyond this has left for good: the descent stops there, long before numbers overflow


@dataclass(frozen=True)
class Surface:
    """A loss to walk on.

    value: from points (..., dim) to losses (...).   gradient: from a point (dim,) to its gradient (dim,).
    bounds: (left, right) in 1-D, (left, right, bottom, top) in 2-D.   start: where a descent begins, (dim,).
    largest_curvature: largest eigenvalue of the Hessian at the minimum, or None where minima differ in it.
    lowest: the lowest loss there is.
    """

    name: str
    value: callable
    gradient: callable
    bounds: tuple
    start: tuple
    largest_curvature: float | None = None
    lowest: float = 0.0

    @property
    def dim(self):
        """1 for a curve, 2 for a surface."""
        return len(self.start)


def quadratic(curvatures, start, bounds, name="quadratic"):
    """The surface 1/2 sum(curvatures * w^2); `curvatures` (dim,) are the eigenvalues of its Hessian."""
    curvatures = np.asarray(curvatures, dtype=float)
    return Surface(name, lambda w: 0.5 * np.sum(curvatures * np.square(w), axis=-1), lambda w: curvatures * w,
                   tuple(bounds), tuple(start), float(curvatures.max()))


def _double_well():
    """(w^2 - 1)^2 + 0.3 w, shifted so that the lower of its two minima, left, has loss 0."""
    def height(w):
        return (w * w - 1) ** 2 + 0.3 * w

    lowest = height(min(np.roots([4, 0, -4, 0.3]).real))
    return Surface("double well", lambda w: height(np.asarray(w)[..., 0]) - lowest,
                   lambda w: 4 * w * (w * w - 1) + 0.3, (-1.8, 1.8), (1.6,))


def _plateau():
    """w^2 / (w^2 + 0.3): nearly flat far from its minimum at 0."""
    return Surface("plateau", lambda w: np.sum(np.square(w) / (np.square(w) + 0.3), axis=-1),
                   lambda w: 0.6 * w / (w * w + 0.3) ** 2, (-3, 3), (2.5,), 2 / 0.3)


def _saddle():
    """w1^2 / 2 + (w2^2 - 1)^2 / 4: a saddle point at (0, 0) between minima at (0, -1) and (0, 1)."""
    def value(w):
        x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
        return 0.5 * x * x + 0.25 * (y * y - 1) ** 2

    return Surface("saddle", value, lambda w: np.array([w[0], w[1] * (w[1] ** 2 - 1)]),
                   (-2, 2, -1.8, 1.8), (1.6, 0.02), 2.0)


def _curved_valley():
    """(1 - w1)^2 + 10 (w2 - w1^2)^2, a milder form of Rosenbrock's valley (1960); minimum at (1, 1)."""
    def value(w):
        x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
        return (1 - x) ** 2 + 10 * (y - x * x) ** 2

    def gradient(w):
        x, y = w
        return np.array([-2 * (1 - x) - 40 * x * (y - x * x), 20 * (y - x * x)])

    return Surface("curved valley", value, gradient, (-2, 2, -1, 3), (-1.2, 1.0), 51 + np.sqrt(51 ** 2 - 40))


SURFACES = {s.name: s for s in (
    quadratic([2.0], (-2.5,), (-3, 3), "bowl"), _double_well(), _plateau(),
    quadratic([2.0, 2.0], (-2.0, 1.2), (-2.6, 2.6, -2, 2), "round bowl"),
    quadratic([1.0, 25.0], (-2.6, 0.5), (-3, 3, -1.2, 1.2), "narrow valley"), _saddle(), _curved_valley())}


def tilted(curvatures, degrees, start, bounds, name):
    """A `quadratic` of two weights, turned counterclockwise: its axes are no longer those of the weights."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flat = quadratic(curvatures, start, bounds, name)
    return Surface(name, lambda w: flat.value(np.asarray(w, dtype=float) @ turn),
                   lambda w: turn @ flat.gradient(w @ turn), tuple(bounds), tuple(map(float, turn @ start)),
                   flat.largest_curvature)


def _rosenbrock():
    """(1 - w1)^2 + 100 (w2 - w1^2)^2, a bent valley with a nearly flat floor; minimum at (1, 1) (Rosenbrock, 1960)."""
    def value(w):
        x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2

    def gradient(w):
        x, y = w
        return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])

    return Surface("Rosenbrock", value, gradient, (-2, 2, -1, 3), (-1.2, 1.0), 501 + np.sqrt(501 ** 2 - 400))


def _beale():
    """The sum over k = 1, 2, 3 of (c_k - w1 (1 - w2^k))^2, c = (1.5, 2.25, 2.625): plateaus between steep walls.

    Minimum at (3, 0.5), where the Hessian is that of the squares of its three linear terms. Source: Beale (1958).
    """
    constants = (1.5, 2.25, 2.625)

    def value(w):
        x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
        return sum((c - x * (1 - y ** k)) ** 2 for k, c in enumerate(constants, 1))

    def gradient(w):
        x, y = w
        terms = [(c - x * (1 - y ** k), y ** k - 1, k * x * y ** (k - 1)) for k, c in enumerate(constants, 1)]
        return 2 * np.array([sum(r * dx for r, dx, _ in terms), sum(r * dy for r, _, dy in terms)])

    slopes = np.array([(0.5 ** k - 1, 3 * k * 0.5 ** (k - 1)) for k in (1, 2, 3)])  # of the terms, at the minimum
    return Surface("Beale", value, gradient, (-0.5, 4.5, -1.5, 2), (1.0, 1.5),
                   float(np.linalg.eigvalsh(2 * slopes.T @ slopes).max()))


# The courses of a race between optimizers.
RACES = {s.name: s for s in (
    quadratic([1.0, 25.0], (-2.6, 0.5), (-3, 3, -2, 2), "valley"),
    tilted([1.0, 25.0], 30, (-2.6, 0.5), (-3, 3, -2, 2), "tilted valley"), _saddle(), _rosenbrock(), _beale())}


def surface_of(function, bounds=None, name="your function"):
    """A Surface from a plain function of one number (a curve) or of two (a surface); gradients are numerical.

    Args: bounds: (left, right), or (left, right, bottom, top); -3 to 3 each if None.   name: as shown.
    Raises ValueError for another number of arguments, or for values that are not finite.
    """
    free = [p for p in inspect.signature(function).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    dim = len(free)
    if dim not in (1, 2):
        raise ValueError(f"surface: expected a function of one or two numbers but got one of {dim}; "
                         "try lambda w: w**4 - 3*w**2 + w")
    bounds = tuple(bounds or (-3.0, 3.0) * dim)
    if len(bounds) != 2 * dim:
        raise ValueError(f"surface: expected {2 * dim} bounds for {dim} number(s) but got {bounds}")

    def height(point):
        number = function(*map(float, point))
        try:
            return float(number)
        except (TypeError, ValueError):
            raise ValueError(f"surface: expected {name} to return a number but got {type(number).__name__}; "
                             "is there a return at its end?") from None

    def value(w):
        w = np.asarray(w, dtype=float)
        return np.array([height(point) for point in w.reshape(-1, dim)]).reshape(w.shape[:-1])

    def gradient(w, h=1e-5):
        steps = h * np.eye(dim)
        return (value(w + steps) - value(w - steps)) / (2 * h)

    axes = [np.linspace(low, high, 401 if dim == 1 else 61) for low, high in zip(bounds[::2], bounds[1::2])]
    heights = value(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
    if not np.isfinite(heights).all():
        raise ValueError(f"surface: {name} is not finite everywhere within {bounds}; try other bounds")
    start = tuple(low + 0.1 * (high - low) for low, high in zip(bounds[::2], bounds[1::2]))
    return Surface(name, value, gradient, bounds, start, lowest=float(heights.min()))


def gradient_step(w, gradient, rate):
    """One step of plain gradient descent, w - rate * gradient; arrays (dim,). Source: decks B, C and D."""
    return w - rate * gradient


def momentum_step(w, gradient, velocity, rate, momentum):
    """One step of gradient descent with momentum, in PyTorch's form.

        velocity <- momentum * velocity + gradient
        w <- w - rate * velocity

    Args: w, gradient (taken at w), velocity: (dim,).   rate: > 0.   momentum: in [0, 1).
    Returns the pair (w, velocity).
    Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
    """
    velocity = momentum * velocity + gradient
    return w - rate * velocity, velocity


def descend(gradient, start, rate, steps, momentum=0.0, step=momentum_step):
    """The points that a descent visits.

    Args:
        gradient: from a point (dim,) to the gradient there (dim,).   start: (dim,).
        rate: learning rate, > 0.   steps: how many.   momentum: in [0, 1).
        step: from (w, gradient, velocity, rate, momentum) to (w, velocity); the velocity begins at 0.
    Returns the path (steps + 1, dim), always finite: where a coordinate passes `FAR` the descent stops, and
    the rest of the path stays there.
    """
    w = np.array(start, dtype=float)
    velocity, path = np.zeros_like(w), np.empty((steps + 1, w.size))
    path[0] = w
    with np.errstate(all="ignore"):
        for i in range(1, steps + 1):
            w, velocity = step(w, gradient(w), velocity, rate, momentum)
            path[i] = w
            if not np.abs(w).max() < FAR:
                path[i:] = np.clip(np.nan_to_num(w, nan=FAR), -FAR, FAR)
                break
    return path


def outside_from(points, bounds):
    """Index from which points (n, 2) stay outside (left, right, bottom, top); None if the last is inside."""
    low, high = np.reshape(bounds, (2, 2)).T
    inside = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    after = int(inside[-1]) + 1 if inside.size else 0
    return after if after < len(points) else None


def drawable(points, bounds, times=30):
    """The part of points (n, 2) worth drawing in bounds: up to the first one `times` their extent away."""
    low, high = np.reshape(bounds, (2, 2)).T
    middle, reach = (low + high) / 2, times * (high - low)
    gone = np.flatnonzero((np.abs(points - middle) > reach).any(axis=1))
    return np.clip(points[:gone[0] + 1] if gone.size else points, middle - 2 * reach, middle + 2 * reach)


def nice_top(value):
    """The least of 1, 1.5, 2, 3, 5, 7, 10 times a power of ten that is not below a positive value."""
    power = 10.0 ** np.floor(np.log10(value))
    return next(float(m * power) for m in (1, 1.5, 2, 3, 5, 7, 10) if m * power >= value * (1 - 1e-9))


def counted(n, noun):
    """A number, or a number as text, with its noun: 1 step, 40 steps, 0.5 epochs."""
    return f"{n} {noun}{'' if str(n) == '1' else 's'}"


def in_words(w):
    """A point as text: -0.35, or (0.10, 2.00); never -0.00."""
    numbers = [f"{round(float(x), 2) + 0.0:.2f}" for x in w]
    return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"


def hessian(gradient, w, h=1e-4):
    """The second derivatives at w, (dim, dim), by central differences of the gradient."""
    w = np.asarray(w, dtype=float)
    columns = [(np.asarray(gradient(w + d)) - gradient(w - d)) / (2 * h) for d in h * np.eye(w.size)]
    return 0.5 * (np.array(columns) + np.array(columns).T)


def turns(path):
    """The fraction of steps in the second half of a path (n, dim) that go against the step before."""
    moves = np.diff(path[len(path) // 2:], axis=0)
    return float(np.mean(np.sum(moves[1:] * moves[:-1], axis=1) < 0)) if len(moves) > 1 else 0.0


def trace_verdict(losses):
    """What a trace plot tells, in the words of a reader who looks at its second half.

    Args: losses: (steps + 1,), the loss before every step and after the last.
    Returns one of
        "diverges": it ends above its start and still grows, or a thousand times above it, or is not finite;
        "converged": over the last quarter it changes by less than 1% of its whole fall;
        "oscillates": in the second half it rises in at least one step of ten;
        "too slow: still falling": it falls, and has not arrived.
    Source: deck D, trace plots.
    """
    losses = np.asarray(losses, dtype=float)
    if not np.isfinite(losses).all():
        return "diverges"
    last = max(len(losses) - 2, 0)  # at least the last step is looked at, however short the trace
    half, quarter = losses[min(len(losses) // 2, last):], losses[min(3 * len(losses) // 4, last):]
    rises = np.diff(half) > 0
    grows = rises.all() or quarter.max() > 2 * losses[:3 * len(losses) // 4].max()
    if losses[-1] > losses[0] and (grows or losses[-1] > 1e3 * abs(losses[0])):
        return "diverges"
    if np.ptp(quarter) <= 0.01 * (losses[0] - losses.min()):
        return "converged"
    return "oscillates" if rises.mean() >= 0.1 else "too slow: still falling"


def convergence_factor(rate, momentum, curvatures, nesterov=False):
    """By how much a step with momentum shrinks the distance to the minimum of a quadratic, in the long run.

    Along an eigenvector of the Hessian with eigenvalue c, every step multiplies the pair (w_t, w_t-1) by
    [[1 + momentum - rate * c, -momentum], [1, 0]]. The factor is the largest size of an eigenvalue of these
    matrices; the loss shrinks by its square. Above 1 the descent diverges. Nesterov's step looks ahead: with
    s = 1 - rate * c the first row is (1 + momentum) s and -momentum s.

    Args: rate, momentum: numbers, or arrays that broadcast.   curvatures: (dim,).   nesterov: whether to look ahead.
    Returns an array of their common shape.
    """
    rate, momentum = np.broadcast_arrays(np.asarray(rate, dtype=float), np.asarray(momentum, dtype=float))
    momentum, shrunk = momentum[..., None], 1 - rate[..., None] * np.asarray(curvatures, dtype=float)
    b, product = ((1 + momentum) * shrunk, momentum * shrunk) if nesterov else (momentum + shrunk, momentum)
    discriminant = b * b - 4 * product  # of z^2 - b z + product; negative: |z| = sqrt(product)
    real = 0.5 * (np.abs(b) + np.sqrt(np.maximum(discriminant, 0)))
    return np.where(discriminant < 0, np.sqrt(np.maximum(product, 0)), real).max(axis=-1)


def stable_below(momentum, curvature, nesterov=False):
    """The rate, 2 (1 + momentum) / curvature, above which a descent on a quadratic diverges (deck D).

    Looking ahead, as Nesterov's step does, it is that divided by 1 + 2 momentum.
    """
    return 2 * (1 + momentum) / curvature / (1 + 2 * momentum if nesterov else 1)


def swinging_rates(factor, curvatures):
    """Between which rates, at momentum factor^2, all directions of a quadratic swing and shrink by `factor` a step.

    Args: factor: in (0, 1).   curvatures: (smallest, largest).   Returns (low, high); low > high where there are none.
    """
    smallest, largest = curvatures
    return (1 - factor) ** 2 / smallest, (1 + factor) ** 2 / largest


def nesterov_step(w, gradient, velocity, rate, momentum):
    """One step of Nesterov's momentum, in PyTorch's form: as `momentum_step`, but it looks ahead along the velocity.

        velocity <- momentum * velocity + gradient
        w <- w - rate * (gradient + momentum * velocity)

    Source: Nesterov (1983), in the form of Sutskever et al. (2013).
    """
    velocity = momentum * velocity + gradient
    return w - rate * (gradient + momentum * velocity), velocity


def best_momentum(largest, smallest, nesterov=False):
    """(rate, momentum, factor) of the fastest descent on a quadratic with these extreme curvatures L and mu.

    With k = L / mu: rate 4 / (sqrt L + sqrt mu)^2, momentum ((sqrt k - 1) / (sqrt k + 1))^2; for Nesterov's step
    rate 4 / (3 L + mu), momentum (r - 2) / (r + 2), factor 1 - 2 / r with r = sqrt(3 k + 1).
    Source: Polyak (1964); Lessard, Recht and Packard (2016) for Nesterov's.
    """
    if nesterov:
        root = np.sqrt(3 * largest / smallest + 1)
        return 4 / (3 * largest + smallest), (root - 2) / (root + 2), 1 - 2 / root
    root = np.sqrt(largest / smallest)
    factor = (root - 1) / (root + 1)
    return 4 / (np.sqrt(largest) + np.sqrt(smallest)) ** 2, factor ** 2, factor


def minibatches(n, size, rng):
    """One epoch: the numbers 0 ... n-1 in a new random order, cut into batches; each is used exactly once.

    Args: size: of a batch, from 1 to n.   rng: a NumPy Generator.
    Returns a list of index arrays; the last may be shorter. Source: decks B, C and D.
    """
    order = rng.permutation(n)
    return [order[i:i + size] for i in range(0, n, size)]


def batch_faults(epoch, n, size):
    """What is wrong with one epoch's batches, as a sentence; empty if each row is used exactly once.

    Args: epoch: list of index arrays, from 0 to n-1.   size: the largest batch allowed.
    """
    uses = np.bincount(np.concatenate(epoch), minlength=n)
    faults = [f"{np.sum(uses == 0)} of {n} examples are left out"] if (uses == 0).any() else []
    faults += [f"{np.sum(uses > 1)} are used more than once"] if (uses > 1).any() else []
    if max(map(len, epoch)) > size:
        faults.append(f"a batch holds {max(map(len, epoch))} examples instead of {size}")
    return f"In one epoch of your batches {', and '.join(faults)}." if faults else ""


def logistic_loss(X, t, w, b=0.0):
    """Mean binary cross-entropy of a neuron: X (n, d), t (n,), w (..., d), b scalar. Returns shape (...)."""
    z = w @ X.T + b
    return (softplus(z) - t * z).mean(axis=-1)


def logistic_gradients(X, t, w):
    """The gradient of each example's loss, (n, d); a batch's gradient is the mean over its rows."""
    return (sigmoid(X @ w) - t)[:, None] * X


def lowest_point(X, t, steps=20):
    """The weights (d,) with the least logistic loss, by Newton's method from zero.

    Where a line separates the classes there is no such point: every step goes on, until the Hessian is singular.
    """
    w = np.zeros(X.shape[1])
    for _ in range(steps):
        p = sigmoid(X @ w)
        w = w - np.linalg.solve(X.T @ ((p * (1 - p))[:, None] * X), X.T @ (p - t))
    return w


def batch_descent(X, t, start, rate, epochs, size, rng, batches=minibatches):
    """Logistic regression by mini-batch descent.

    Args: start: (features,).   epochs: passes over the data.   size: of a batch.   batches: as `minibatches`.
    Returns (path (updates + 1, features), examples seen before each of its points (updates + 1,)).
    """
    w, path, seen = np.array(start, dtype=float), [np.array(start, dtype=float)], [0]
    for _ in range(epochs):
        for rows in batches(len(X), size, rng):
            x = X[rows]
            w = w - (rate / len(rows)) * ((sigmoid(x @ w) - t[rows]) @ x)
            path.append(w)
            seen.append(seen[-1] + len(rows))
    return np.array(path), np.array(seen)


def gradient_spread(gradients):
    """The standard deviation of vectors (n, dim) around their mean: the root of the mean squared distance."""
    return float(np.sqrt(np.mean(np.sum((gradients - gradients.mean(axis=0)) ** 2, axis=1))))


def finite_correction(n, size):
    """By how much drawing `size` of n examples without replacement makes the spread of a mean smaller, 0 to 1."""
    return np.sqrt((n - size) / (n - 1))
