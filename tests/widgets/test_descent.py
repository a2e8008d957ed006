"""The mathematics of descents, against brute force and against eigenvalues."""

import warnings

import numpy as np
import pytest

from nnlib import numerical_gradient
from nnlib.widgets.descent import (
    FAR,
    RACES,
    SURFACES,
    batch_descent,
    batch_faults,
    best_momentum,
    convergence_factor,
    descend,
    drawable,
    finite_correction,
    gradient_spread,
    gradient_step,
    hessian,
    in_words,
    logistic_gradients,
    logistic_loss,
    minibatches,
    momentum_step,
    nesterov_step,
    nice_top,
    outside_from,
    quadratic,
    stable_below,
    surface_of,
    swinging_rates,
    trace_verdict,
    turns,
)


@pytest.mark.parametrize("name", SURFACES)
def test_surface_gradient_lowest_and_curvature(name):
    surface, rng = SURFACES[name], np.random.default_rng(0)
    low, high = np.reshape(surface.bounds, (surface.dim, 2)).T
    for w in rng.uniform(low, high, size=(20, surface.dim)):
        numerical = numerical_gradient(lambda v: float(surface.value(v)), w)
        assert surface.gradient(w) == pytest.approx(numerical, abs=1e-5)
    points = rng.uniform(low, high, size=(4000, surface.dim))
    assert surface.value(points).shape == (4000,)
    assert surface.value(points).min() >= surface.lowest - 1e-12
    assert np.all((low <= surface.start) & (surface.start <= high))
    if surface.largest_curvature:
        best = points[surface.value(points).argmin()]
        bottom = descend(surface.gradient, best, 0.5 / surface.largest_curvature, 3000)
        assert surface.value(bottom[-1]) == pytest.approx(0, abs=1e-6)
        largest = np.linalg.eigvalsh(hessian(surface.gradient, bottom[-1])).max()
        assert largest == pytest.approx(surface.largest_curvature, rel=1e-2)


def test_double_well_has_a_local_minimum_above_the_lowest():
    well = SURFACES["double well"]
    right = descend(well.gradient, [1.6], 0.05, 200)[-1]
    left = descend(well.gradient, [-1.6], 0.05, 200)[-1]
    assert well.value(left) == pytest.approx(0, abs=1e-9)
    assert well.value(right) == pytest.approx(0.6, abs=0.01)


def test_descend_is_the_recurrence():
    w, v, path = np.array([1.0, -2.0]), np.zeros(2), []
    curvatures = np.array([1.0, 3.0])
    for _ in range(6):
        path.append(w)
        v = 0.5 * v + curvatures * w
        w = w - 0.1 * v
    assert descend(lambda w: curvatures * w, [1, -2], 0.1, 5, momentum=0.5) == pytest.approx(np.array(path))


def test_descend_survives_divergence_and_nan_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for gradient in (lambda w: 2 * w, lambda w: w ** 3, lambda w: w * np.nan, lambda w: np.exp(w * w)):
            path = descend(gradient, [30.0], 5.0, 300)
            assert path.shape == (301, 1) and np.isfinite(path).all() and np.abs(path).max() <= FAR
    assert np.abs(descend(lambda w: 2 * w, [1.0], 1.01, 300)[-1]) > 100


def test_descend_does_not_mind_steps_that_work_in_place():
    def in_place(w, gradient, velocity, rate, momentum):
        velocity *= momentum
        velocity += gradient
        w -= rate * velocity
        return w, velocity

    start = np.array([1.0, 2.0])
    assert descend(lambda w: 1.0 * w, start, 0.1, 8, 0.9, in_place) == pytest.approx(
        descend(lambda w: 1.0 * w, start, 0.1, 8, 0.9))
    assert list(start) == [1.0, 2.0]


def test_critical_rate_of_a_quadratic_is_two_over_the_largest_curvature():
    surface = SURFACES["narrow valley"]
    low, high = 0.01, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        path = descend(surface.gradient, surface.start, middle, 4000)
        low, high = (low, middle) if surface.value(path[-1]) > surface.value(path[0]) else (middle, high)
    assert low == pytest.approx(2 / surface.largest_curvature, abs=1e-3)


def test_steps():
    w, g, v = np.array([1.0, 2.0]), np.array([0.5, -1.0]), np.array([2.0, 0.0])
    assert gradient_step(w, g, 0.1) == pytest.approx([0.95, 2.1])
    new, velocity = momentum_step(w, g, v, 0.1, 0.9)
    assert velocity == pytest.approx([2.3, -1.0]) and new == pytest.approx([0.77, 2.1])


def test_convergence_factor_is_the_spectral_radius():
    rng = np.random.default_rng(1)
    for _ in range(200):
        rate, momentum, curvatures = rng.uniform(0, 0.3), rng.uniform(0, 0.99), rng.uniform(0.5, 25, size=3)
        matrices = [[[1 + momentum - rate * c, -momentum], [1, 0]] for c in curvatures]
        radius = np.abs(np.linalg.eigvals(matrices)).max()
        assert convergence_factor(rate, momentum, curvatures) == pytest.approx(radius, abs=1e-9)
    assert convergence_factor(np.ones((3, 1)), np.zeros(4), [1.0]).shape == (3, 4)


def test_edge_of_stability():
    for momentum in (0.0, 0.3, 0.9):
        edge = 2 * (1 + momentum) / 25
        inside, outside = convergence_factor(edge * np.array([0.999, 1.001]), momentum, [1, 25])
        assert inside < 1 < outside


def test_best_momentum_is_the_minimum_of_the_map():
    rate, momentum, factor = best_momentum(25.0, 1.0)
    assert (rate, momentum, factor) == pytest.approx((1 / 9, 4 / 9, 2 / 3))
    assert convergence_factor(rate, momentum, [1, 25]) == pytest.approx(2 / 3, abs=1e-7)
    rates, momenta = np.meshgrid(np.linspace(0.001, 0.2, 300), np.linspace(0, 0.99, 300))
    assert convergence_factor(rates, momenta, [1, 25]).min() >= 2 / 3 - 1e-9
    without = convergence_factor(np.linspace(0.001, 0.2, 4000), 0.0, [1, 25])
    assert without.min() == pytest.approx(24 / 26, abs=1e-3)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_edge_of_stability(momentum):
    edge = stable_below(momentum, 25.0)
    inside, outside = convergence_factor(np.array([0.99, 1.01]) * edge, momentum, [1, 25])
    assert inside < 1 < outside


@pytest.mark.parametrize("factor", [0.7, 0.8, 0.9])
def test_between_the_swinging_rates_all_directions_shrink_alike(factor):
    low, high = swinging_rates(factor, (1.0, 25.0))
    within = convergence_factor(np.linspace(low, high, 9), factor ** 2, [1, 25])
    assert within == pytest.approx(np.full(9, factor), abs=1e-6)
    assert (convergence_factor(np.array([0.95 * low, 1.05 * high]), factor ** 2, [1, 25]) > factor + 0.01).all()
    low, high = swinging_rates(0.5, (1.0, 25.0))
    assert low > high, "below the best factor, 2/3, there are none"


def test_measured_rate_agrees_with_the_best_factor():
    rate, momentum, factor = best_momentum(25.0, 1.0)
    path = descend(lambda w: np.array([1.0, 25.0]) * w, [1e8, 1e8], rate, 200, momentum)
    length = np.linalg.norm(path, axis=1)
    assert (length[200] / length[100]) ** 0.01 == pytest.approx(factor, rel=0.02)


@pytest.mark.parametrize("losses, verdict", [
    (2.0 ** np.arange(40), "diverges"), ([1, 2, np.nan, 3], "diverges"),
    ([1, 2, 4, 1e18, 1e18, 1e18, 1e18], "diverges"),
    (1 + 0.001 * np.arange(40), "diverges"), (0.5 ** np.arange(40), "converged"), (np.ones(40), "converged"),
    (10 - 0.1 * np.arange(40), "too slow: still falling"), (0.95 ** np.arange(40), "too slow: still falling"),
    (2 + np.cos(np.arange(40)), "oscillates"), (np.r_[10, 5 + (-1.0) ** np.arange(39)], "oscillates"),
])
def test_trace_verdict(losses, verdict):
    assert trace_verdict(losses) == verdict


@pytest.mark.parametrize("losses, verdict", [
    ([6, 3], "too slow: still falling"), ([6, 5, 4], "too slow: still falling"),
    ([6, 3, 1, 0.5], "too slow: still falling"),
    ([6, 7], "diverges"), ([6, 7, 9], "diverges"), ([6], "converged"), ([6, 6], "converged"), ([6, 0, 0], "converged"),
])
def test_a_trace_of_a_few_steps_has_not_converged_because_it_is_short(losses, verdict):
    assert trace_verdict(losses) == verdict


def test_trace_verdict_of_real_descents():
    bowl = SURFACES["bowl"]
    expected = {1e-3: "too slow: still falling", 0.1: "converged", 0.5: "converged", 1.001: "diverges",
                10: "diverges"}
    for rate, verdict in expected.items():
        assert trace_verdict(bowl.value(descend(bowl.gradient, bowl.start, rate, 40))) == verdict
    well = SURFACES["double well"]
    assert trace_verdict(well.value(descend(well.gradient, well.start, 0.25, 60))) == "oscillates"
    valley = SURFACES["narrow valley"]
    assert trace_verdict(valley.value(descend(valley.gradient, valley.start, 0.11, 60, 0.97))) == "oscillates"


def test_surface_of_a_learners_function():
    curve = surface_of(lambda w: w ** 4 - 3 * w ** 2 + w)
    assert curve.dim == 1 and curve.value(np.array([[1.0], [2.0]])) == pytest.approx([-1, 6])
    assert curve.gradient(np.array([2.0])) == pytest.approx([21], abs=1e-5)
    plane = surface_of(lambda a, b, c=1: a * a + 3 * b * c, bounds=(-1, 1, 0, 2))
    assert plane.dim == 2 and plane.gradient(np.array([1.0, 1.0])) == pytest.approx([2, 3], abs=1e-5)
    for function, bounds in ((lambda: 0, None), (lambda a, b, c: 0, None), (lambda w: w, (0, 1, 2, 3)),
                             (lambda w: np.log1p(w), None)):
        with pytest.raises(ValueError, match="surface: "), np.errstate(all="ignore"):
            surface_of(function, bounds)


@pytest.mark.parametrize("function", [lambda w: None, lambda w: [w], lambda w: "high"])
def test_a_surface_must_return_numbers(function):
    with pytest.raises(ValueError, match="expected your function to return a number but got"):
        surface_of(function)


def test_quadratic_and_hessian():
    surface = quadratic([1.0, 4.0], (1, 1), (-2, 2, -2, 2))
    assert surface.value([1, 2]) == 8.5 and surface.largest_curvature == 4
    assert hessian(surface.gradient, [0.3, 0.1]) == pytest.approx(np.diag([1, 4]), abs=1e-9)


def test_what_is_drawn():
    bounds = (-1, 1, -1, 1)
    points = np.array([[0, 0], [0, 3], [0.5, 0], [5, 0], [1e9, 0], [1e9, 0]], dtype=float)
    assert outside_from(points, bounds) == 3 and outside_from(points[:3], bounds) is None
    assert outside_from(points[3:], bounds) == 0
    assert len(drawable(points, bounds)) == 5 and np.abs(drawable(points, bounds)).max() <= 120
    assert [nice_top(v) for v in (0.9, 1.0, 1.2, 40, 61, 0.003, 99)] == [1, 1, 1.5, 50, 70, 0.003, 100]
    assert in_words([-0.001]) == "0.00" and in_words([1, -2.346]) == "(1.00, -2.35)"
    assert turns(np.array([[1.0], [-1], [1], [-1], [1], [-1]])) == 1 and turns(np.arange(8.0)[:, None]) == 0


@pytest.mark.parametrize("size", [1, 3, 8, 10, 20])
def test_minibatches_use_each_example_once_in_a_new_order(size):
    rng = np.random.default_rng(0)
    first, second = minibatches(20, size, rng), minibatches(20, size, rng)
    assert all(len(rows) == size for rows in first[:-1]) and 1 <= len(first[-1]) <= size
    assert sorted(np.concatenate(first)) == list(range(20))
    assert list(np.concatenate(first)) != list(np.concatenate(second))
    assert batch_faults(first, 20, size) == ""


def test_batch_faults_names_what_is_wrong():
    assert "10 of 20 examples are left out" in batch_faults([np.arange(10)], 20, 10)
    assert "20 are used more than once" in batch_faults([np.arange(20)] * 2, 20, 20)
    assert "a batch holds 20 examples instead of 5" in batch_faults([np.arange(20)], 20, 5)


def test_logistic_gradients_and_batch_descent():
    rng = np.random.default_rng(2)
    X, t, w = rng.normal(size=(12, 2)), rng.integers(0, 2, 12).astype(float), np.array([0.3, -0.7])
    mean = logistic_gradients(X, t, w).mean(axis=0)
    assert mean == pytest.approx(numerical_gradient(lambda v: float(logistic_loss(X, t, v)), w), abs=1e-7)
    path, seen = batch_descent(X, t, w, 0.5, 2, 12, rng)
    assert path[1] == pytest.approx(w - 0.5 * mean) and list(seen) == [0, 12, 24]
    path, seen = batch_descent(X, t, w, 0.5, 3, 5, rng)
    assert path.shape == (10, 2) and list(seen[:4]) == [0, 5, 10, 12]
    assert logistic_loss(X, t, path).shape == (10,)


def test_gradient_spread_follows_the_law_without_replacement():
    rng = np.random.default_rng(3)
    gradients = rng.normal(size=(50, 2))
    for size in (1, 10, 50):
        means = np.array([gradients[rng.permutation(50)[:size]].mean(axis=0) for _ in range(4000)])
        law = gradient_spread(gradients) / np.sqrt(size) * finite_correction(50, size)
        assert gradient_spread(means) == pytest.approx(law, rel=0.05, abs=1e-12)


@pytest.mark.parametrize("name", RACES)
def test_surfaces_of_races(name):
    surface, rng = RACES[name], np.random.default_rng(1)
    low, high = np.reshape(surface.bounds, (2, 2)).T
    for w in [np.array(surface.start), *rng.uniform(low, high, size=(8, 2))]:
        expected = numerical_gradient(lambda v: float(surface.value(v)), w)
        assert surface.gradient(w) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    points = rng.uniform(low, high, size=(3, 4, 2))
    assert surface.value(points).shape == (3, 4) and (surface.value(points) >= 0).all()
    assert ((low <= surface.start) & (surface.start <= high)).all()
    minimum = {"saddle": (0, 1), "Rosenbrock": (1, 1), "Beale": (3, 0.5)}.get(name, (0, 0))
    assert surface.value(minimum) == 0 and surface.gradient(np.array(minimum, dtype=float)) == pytest.approx([0, 0])
    curvatures = np.linalg.eigvalsh(hessian(surface.gradient, minimum))
    assert curvatures.max() == pytest.approx(surface.largest_curvature, rel=1e-5) and curvatures.min() > 0


def test_tilted_valley_is_the_valley_turned():
    flat, turned = RACES["valley"], RACES["tilted valley"]
    assert turned.value(turned.start) == pytest.approx(flat.value(flat.start))
    assert np.linalg.norm(turned.start) == pytest.approx(np.linalg.norm(flat.start))
    assert np.linalg.eigvalsh(hessian(turned.gradient, (0, 0))) == pytest.approx([1, 25])


@pytest.mark.parametrize("momentum", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("rate", [0.01, 0.03, 0.055])
def test_factor_of_nesterov_is_an_eigenvalue_and_is_measured(rate, momentum):
    curvatures = np.array([1.0, 25.0])
    by_hand = []
    for c in curvatures:  # of the pair (w, velocity)
        step = np.array([[1 - rate * c * (1 + momentum), -rate * momentum ** 2], [c, momentum]])
        by_hand.append(np.abs(np.linalg.eigvals(step)).max())
    assert convergence_factor(rate, momentum, curvatures, True) == pytest.approx(max(by_hand), abs=1e-7)
    path = descend(lambda w: curvatures * w, (1.0, 1.0), rate, 400, momentum, nesterov_step)
    grows = np.linalg.norm(path[-1]) > np.linalg.norm(path[0])
    assert grows == (convergence_factor(rate, momentum, curvatures, True) > 1)


@pytest.mark.parametrize("condition", [5.0, 25.0, 300.0])
def test_best_and_edge_of_nesterov(condition):
    curvatures = np.array([1.0, condition])
    rate, momentum, factor = best_momentum(condition, 1.0, True)
    assert convergence_factor(rate, momentum, curvatures, True) == pytest.approx(factor)
    rates, momenta = np.meshgrid(np.geomspace(rate / 3, 3 * rate, 80), np.linspace(0, 0.99, 80))
    assert convergence_factor(rates, momenta, curvatures, True).min() >= factor
    for m in (0.0, 0.3, 0.9):
        edge = stable_below(m, condition, True)
        assert convergence_factor(0.999 * edge, m, curvatures, True) < 1
        assert convergence_factor(1.001 * edge, m, curvatures, True) > 1
