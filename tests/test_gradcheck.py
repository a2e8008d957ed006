"""The judge itself: it must find what is wrong, and not be wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from support import seeds, shapes, uniform

import nnlib
from nnlib import GradientError, Module, Parameter, Tensor, gradcheck, numerical_gradient, primitive


@settings(max_examples=40)
@given(shape=shapes(min_side=0), seed=seeds)
def test_numerical_gradient_of_a_cubic(shape, seed):
    x = uniform(seed, shape)
    kept = x.copy()
    np.testing.assert_allclose(numerical_gradient(lambda x: np.sum(x**3), x), 3 * x**2, atol=1e-8)
    np.testing.assert_array_equal(x, kept)


def test_numerical_gradient_takes_lists_integers_and_functions_of_tensors():
    np.testing.assert_allclose(numerical_gradient(lambda x: x[0] * x[1], [2, 5]), [5, 2])
    np.testing.assert_allclose(numerical_gradient(lambda x: (Tensor(x) ** 2).sum(), [1.0, 2.0]), [2, 4])
    assert numerical_gradient(np.sin, 0.0) == pytest.approx(1)
    calls = []
    numerical_gradient(lambda x: calls.append(1) or 0.0, np.zeros((2, 3)))
    assert len(calls) == 12


def test_numerical_gradient_error_is_of_second_order():
    errors = [abs(numerical_gradient(np.exp, 1.0, step) - np.e) for step in (1e-2, 1e-3)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize("element", [0, 1, 2])
def test_gradcheck_finds_one_wrong_element(element):
    @primitive
    def wrong(x):
        def vjp(g):
            gradient = 2 * x * g
            gradient[element] *= 1.001
            return (gradient,)
        return x * x, vjp

    with pytest.raises(GradientError, match=rf"input 0 at \({element},\): backward gives .* differences"):
        gradcheck(wrong, np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize(("vjp", "position"), [
    (lambda g, a, b: (g * b, -g * a), 1), (lambda g, a, b: (g * b, None), 1),
    (lambda g, a, b: (g * a, g * a), 0),
    (lambda g, a, b: (b + 0 * g, a + 0 * g), 0), (lambda g, a, b: (g * np.nan, g * a), 0),
], ids=["wrong sign", "forgotten", "swapped", "upstream ignored", "not a number"])
def test_gradcheck_names_the_input(vjp, position):
    @primitive
    def product(a, b):
        return a * b, lambda g: vjp(g, a, b)

    with pytest.raises(GradientError, match=f"gradcheck: input {position} at"):
        gradcheck(product, np.array([1.0, 2.0]), np.array([3.0, 5.0]))


@pytest.mark.parametrize("seed", [0, 1])
def test_gradcheck_does_not_draw_what_the_caller_has_drawn_from_the_same_seed(seed):
    @primitive
    def takes_the_sign_of_the_upstream_for_its_own(x):
        return np.maximum(x, 0), lambda g: (g * (g > 0),)

    with pytest.raises(GradientError):  # with g equal to x, nobody would notice
        gradcheck(takes_the_sign_of_the_upstream_for_its_own, np.random.default_rng(seed).normal(size=9), seed=seed)


def test_gradcheck_returns_the_largest_error_and_changes_nothing():
    a, b = uniform(0, (2, 3)), uniform(1, 3)  # read-only
    error = gradcheck(lambda a, b: nnlib.exp(a * b) / (2 + nnlib.sin(a)), a, b)
    assert 0 < error < 1e-8 and error == gradcheck(lambda a, b: nnlib.exp(a * b) / (2 + nnlib.sin(a)), a, b)
    assert gradcheck(nnlib.sum, np.zeros((0, 3))) == 0
    assert gradcheck(lambda a, b: a * 3, 1.0, 2.0) < 1e-8  # an input that is not used has gradient 0
    assert gradcheck(nnlib.tanh, np.array([0.5], np.float32)) < 1e-8  # computed in float64


def test_gradcheck_of_what_has_no_graph():
    with pytest.raises(GradientError, match="return a tensor but got float64.*record no graph"):
        gradcheck(lambda x: x.data.sum(), np.ones(2))
    with pytest.raises(GradientError, match="requires_grad"):
        gradcheck(lambda x: Tensor(x.data) * 2, np.ones(2))


class Line(Module):
    """A model of two parameters and, if asked for, a wrong gradient."""

    def __init__(self, operation=nnlib.tanh):
        self.weight, self.bias, self.operation = Parameter(uniform(0, (3, 2))), Parameter(uniform(1, 3)), operation

    def forward(self, x):
        return self.operation(x @ self.weight.T + self.bias)


def test_gradcheck_moves_the_parameters_of_a_model_and_puts_them_back():
    model, x = Line(), uniform(2, (4, 2))
    model.bias.grad = np.full(3, 7.0)
    kept = model.state_dict()
    assert 0 < gradcheck(lambda x, *parameters: model(x), x, *model.parameters()) < 1e-8
    assert 0 < gradcheck(lambda *parameters: model(x), *model.parameters()) < 1e-8
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, kept[name])
    np.testing.assert_array_equal(model.bias.grad, 7)
    assert model.weight.grad is None


def test_gradcheck_names_a_parameter_with_a_wrong_gradient():
    @primitive
    def scaled(a, factor):
        return a * factor, lambda g: (g * factor, None)

    factor = Parameter([2.0, 3.0, 4.0])
    model = Line(operation=lambda z: scaled(z, factor))
    with pytest.raises(GradientError, match=r"gradcheck: input 2 at \(\d,\): backward gives 0, finite differences"):
        gradcheck(lambda *parameters: model(uniform(2, (4, 2))), model.weight, model.bias, factor)
    np.testing.assert_array_equal(factor.data, [2, 3, 4])


def test_gradcheck_puts_back_what_an_error_interrupts():
    w, calls = Parameter([1.0, 2.0]), []

    def breaks_down(w):
        calls.append(1)
        if len(calls) > 2:
            raise RuntimeError("broken")
        return w * w

    with pytest.raises(RuntimeError, match="broken"):
        gradcheck(breaks_down, w)
    np.testing.assert_array_equal(w.data, [1, 2])
    assert w.grad is None


def test_gradcheck_refuses_float32():
    model, narrow = Line().to(np.float32), Parameter(np.ones(2, np.float32))
    for function, inputs in [(lambda x, *parameters: model(x), [np.ones((4, 2)), *model.parameters()]),
                             (lambda x: narrow * 2, [np.ones(2)])]:
        with pytest.raises(GradientError, match=r"float64 but it computes in float32.*model.to\(np.float64\)"):
            gradcheck(function, *inputs)
