"""The course's own answer is no answer: found by whatever way it is reached, and nothing else is called so."""

import contextlib
import functools
import importlib
import inspect
import types

import numpy as np
import pytest
import scipy.special
import scipy.stats

import nnlib
from nnlib import sigmoid as renamed
from nnlib.grading import Case, Exercise, ExerciseSet, checks
from nnlib.grading.checks import ex01
from nnlib.grading.examine import NOT_ATTEMPTED, RIGHT, WRONG, Here, examine
from nnlib.grading.forbidden import ANSWERS, Forbidden, forbidden_in, poisoned, resolve, sentence

NAMES = ["nnlib.sigmoid", "scipy.special.expit", "scipy.stats.logistic.cdf"]
SETS = {module.NAME: {exercise.name: exercise for exercise in module.EXERCISES} for module in checks.modules()}
SIGMOID = SETS["ex01_logistic_regression"]["sigmoid"]


def helper(z):
    return renamed(z)


def by_helper(z):
    return helper(z)


def by_attribute(z):
    return nnlib.sigmoid(z)


def by_default(z, function=renamed):
    return function(z)


def by_closure():
    mine = renamed
    return lambda z: mine(z)


def by_import(z):
    from nnlib.ops.activations import relu, sigmoid
    return sigmoid(z) + 0 * relu(z)


def by_local_alias(z):
    import nnlib as library
    again = library
    return again.sigmoid(z)


def by_getattr(z):
    return getattr(nnlib, "sigmoid")(z)  # noqa: B009


def in_a_comprehension(z):
    return [nnlib.sigmoid(value) for value in np.ravel(z)]


def scipys(z):
    from scipy.special import erf, expit
    return expit(z) + 0 * erf(z)


def scipys_module(z):
    import scipy.special as special
    return special.expit(z)


def from_the_checks(z):
    from nnlib.grading.checks.ex01 import sigmoid_by_masks
    return sigmoid_by_masks(z)


def checks_module(z):
    return ex01.sigmoid_by_masks(z)


@functools.lru_cache
def cached(z):
    return renamed(z)


class Callable:
    def __call__(self, z):
        return renamed(z)


class Holder:
    def __init__(self):
        self.function = renamed

    def __call__(self, z):
        return self.function(z)


class Inheriting(nnlib.SGD):
    def step(self):
        return super().step()


READ = [renamed, by_helper, by_attribute, by_default, by_closure(), by_import, by_local_alias, by_getattr,
        in_a_comprehension, scipys, scipys_module, from_the_checks, checks_module, cached, Callable(), Holder(),
        Callable().__call__, functools.partial(renamed), np.vectorize(renamed), np.vectorize(lambda z: renamed(z)),
        lambda z: renamed(z), scipy.special.expit]
WATCHED = [lambda z: nnlib.Tensor(z).sigmoid(), lambda z: eval("nnlib.sigmoid(z)"), nnlib.Sigmoid(),
           lambda z: getattr(nnlib, "sig" + "moid")(z), np.frompyfunc(by_attribute, 1, 1), nnlib.ops.sigmoid,
           lambda z: scipy.stats.logistic.cdf(z), lambda z: vars(nnlib)["sigmoid"](z)]


@pytest.mark.parametrize("answer", READ)
def test_what_an_answer_refers_to_is_read(answer):
    assert forbidden_in(answer, NAMES) in (*NAMES, ANSWERS)


@pytest.mark.parametrize("answer", WATCHED)
def test_what_is_reached_dynamically_is_watched(answer):
    with poisoned(NAMES) as called, pytest.raises(Forbidden, match="which does what you are to write here"):
        answer(np.array([1.0, 2.0]))
    assert called[0] in NAMES


@pytest.mark.parametrize("answer", [*READ, *WATCHED])
def test_such_answers_earn_nothing_and_are_told_so(answer):
    result = examine(SIGMOID, answer, forbidden=NAMES)
    assert (result.points, result.status, result.verdicts) == (0, WRONG, [])
    assert result.note.startswith(("It calls nnlib.sigmoid,", "It calls scipy.s", "It takes its answer from"))


def test_swallowing_the_refusal_does_not_help():
    def answer(z):
        try:
            return vars(nnlib)["sigmoid"](z)
        except Exception:
            return 1 / (1 + np.exp(-z))
    assert examine(SIGMOID, answer, forbidden=NAMES).points == 0


def relu(z):
    return np.maximum(z, 0)


def sigmoid(z):
    """As nnlib.sigmoid, without nnlib.sigmoid."""
    small = np.exp(-(relu(z) + relu(-np.asarray(z))))  # not nnlib.sigmoid
    return np.where(np.asarray(z) >= 0, 1, small) / (1 + small)


class Plain:
    sigmoid = None

    def __call__(self, z):
        return sigmoid(z)


RIGHT_ONES = [sigmoid, lambda z: sigmoid(z), Plain(), functools.partial(sigmoid), lambda z: nnlib.Tensor(sigmoid(z)),
              lambda z: nnlib.exp(np.log(sigmoid(z) + 1e-300)), np.vectorize(lambda z: float(sigmoid(z)))]


@pytest.mark.parametrize("answer", RIGHT_ONES)
def test_right_answers_are_left_alone(answer):
    assert examine(SIGMOID, answer, forbidden=NAMES).status == RIGHT


def test_a_forbidden_function_may_serve_in_another_question():
    def predict_proba(X, w, b):
        return nnlib.sigmoid(X @ w + b)
    question = SETS["ex01_logistic_regression"]["predict_proba"]
    assert examine(question, predict_proba, forbidden=question.forbidden_names()).status == RIGHT


def test_nothing_is_looked_for_that_is_not_imported():
    assert forbidden_in(lambda z: None, ["a_library_that_is_absent.f", "nnlib.no_such_name"]) is None


def test_everything_works_again_afterwards():
    before = nnlib.sigmoid.__code__, scipy.special.expit, vars(nnlib.SGD)["__init__"], np.convolve
    with pytest.raises(ZeroDivisionError), poisoned([*NAMES, "nnlib.SGD", "numpy.convolve"]):
        with pytest.raises(Forbidden):
            np.convolve([1.0], [2.0])
        with pytest.raises(Forbidden):
            Inheriting([nnlib.Parameter(np.ones(2))], lr=0.1)
        raise ZeroDivisionError
    assert before == (nnlib.sigmoid.__code__, scipy.special.expit, vars(nnlib.SGD)["__init__"], np.convolve)
    assert renamed(0.0) == scipy.stats.logistic.cdf(0.0) == 0.5 and "cdf" not in vars(scipy.stats.logistic)
    assert forbidden_in(Inheriting, ["nnlib.SGD"]) == "nnlib.SGD"


def test_copies_are_found_and_so_is_what_a_container_holds():
    inner = nnlib.sigmoid
    copied = types.FunctionType(inner.__code__, inner.__globals__, "mine", inner.__defaults__, inner.__closure__)
    raw = inspect.unwrap(inner)
    bare = types.FunctionType(raw.__code__, raw.__globals__, "bare")
    kept, deep = {"f": scipy.special.expit}, [({"s": nnlib.sigmoid},)]
    for answer in copied, bare, lambda z: copied(z), lambda z: bare(z)[0], lambda z: deep[0][0]["s"](z):
        assert forbidden_in(answer, NAMES) == "nnlib.sigmoid"
    assert forbidden_in(lambda z: kept["f"](z), NAMES) == "scipy.special.expit"
    others = {"relu": nnlib.relu, "tanh": np.tanh}  # other operations of the library are no copies of this one
    assert forbidden_in(lambda z: others["tanh"](others["relu"](z)), NAMES) is None
    for answer in np.exp, lambda z: np.exp(z):  # nor is NumPy's function of the same name
        assert forbidden_in(answer, ["nnlib.exp", "nnlib.Tensor.exp"]) is None


def test_odd_answers_do_not_disturb_the_search():
    class Odd:
        def __getattr__(self, name):
            raise RuntimeError

        @property
        def __class__(self):
            raise RuntimeError

        def __eq__(self, other):
            raise RuntimeError

        __hash__ = None

    def unfilled():
        if False:
            later = 1
        return lambda: later
    ring = []
    ring.append(functools.partial(print, ring))
    for answer in Odd(), Odd, unfilled(), ring, None, 3, np, types.FunctionType, abs, property(None):
        assert forbidden_in(answer, NAMES) is None


def exercise(**options):
    cases = [Case("drawn", lambda rng: rng.normal(size=3))]
    return Exercise(**dict(name="tanh", points=1, reference=nnlib.tanh, cases=cases) | options)


def test_the_default_is_nnlibs_own_answer():
    assert exercise().forbidden_names() == ["nnlib.tanh"]
    assert exercise(name="my_tanh").forbidden_names() == ["nnlib.tanh"]
    assert exercise(forbidden=("numpy.tanh",)).forbidden_names() == ["nnlib.tanh", "numpy.tanh"]
    assert exercise(allows=("nnlib.tanh",)).forbidden_names() == []
    assert exercise(name="grid_search", reference=lambda x: x).forbidden_names() == ["nnlib.tuning.grid_search"]
    assert exercise(name="backward", reference=lambda x: x).forbidden_names() == ["nnlib.Tensor.backward"]
    assert exercise(name="linear_gradient", reference=np.array([1.0])).forbidden_names() == []


def test_what_a_question_allows_may_be_called():
    for allows, status in [((), WRONG), (("nnlib.tanh",), RIGHT)]:
        question = exercise(allows=allows)
        assert examine(question, lambda x: nnlib.tanh(x), forbidden=question.forbidden_names()).status == status


def test_a_runner_reports_a_forbidden_call_as_an_outcome():
    trials = SIGMOID.draw()
    here = Here(SIGMOID, by_attribute, trials, NAMES)
    result = examine(SIGMOID, trials=trials, runner=here)
    assert result.note == sentence("nnlib.sigmoid") and result.points == 0


def test_stubs_stay_not_attempted():
    def stub(z):
        raise NotImplementedError
    assert examine(SIGMOID, stub, forbidden=NAMES).status == NOT_ATTEMPTED


def test_check_says_it_in_the_notebook(capsys):
    check = ExerciseSet("ex01_logistic_regression")
    assert check("sigmoid", lambda z: nnlib.sigmoid(z)) == 0
    assert capsys.readouterr().out.startswith(
        "sigmoid   0 / 2 points: not right yet\nIt calls nnlib.sigmoid, which does what you are to write here.")


GRADIENTS = "nnlib.numerical_gradient", "nnlib.Tensor.backward"
DIFFERENCES = ("nnlib.numerical_gradient", "nnlib.gradcheck", "scipy.optimize.approx_fprime",
               "scipy.optimize.check_grad", "nnlib.widgets.finite_difference.forward_difference",
               "nnlib.widgets.finite_difference.central_difference")
ENGINES = "nnlib.Tensor", "nnlib.numerical_gradient", "nnlib.plots.graph.graph_of"
LISTED = {
    "ex00_welcome": {"weighted_sum": ()},
    "ex01_logistic_regression": {
        "sigmoid": ("nnlib.sigmoid", "scipy.special.expit", "scipy.stats.logistic.cdf"),
        "predict_proba": (),
        "binary_cross_entropy": ("nnlib.binary_cross_entropy", "nnlib.binary_cross_entropy_with_logits",
                                 "nnlib.cross_entropy", "sklearn.metrics.log_loss"),
        "logistic_gradient": ("nnlib.numerical_gradient", "nnlib.Tensor.backward",
                              "nnlib.widgets.descent.logistic_gradients"),
        "perceptron_loss": ("nnlib.perceptron_loss",),
        "decision_line": (),
        "train": ("nnlib.SGD", "nnlib.fit")},
    "ex03_gradient_descent": {
        "gradient_step": ("nnlib.SGD", "nnlib.widgets.descent.gradient_step"),
        "gradient_descent": ("nnlib.SGD", "nnlib.widgets.descent.descend"),
        "minibatches": ("nnlib.minibatches", "nnlib.widgets.descent.minibatches"),
        "diagnose_trace": ("nnlib.widgets.descent.trace_verdict",),
        "largest_stable_rate": (),
        "sgd": ("nnlib.SGD", "nnlib.fit", "nnlib.widgets.descent.batch_descent")},
    "ex02_from_likelihood_to_loss": {
        "squared_loss": ("nnlib.squared_loss", *GRADIENTS),
        "gaussian_nll": ("nnlib.gaussian_nll_loss", "scipy.stats.norm.pdf", "scipy.stats.norm.logpdf"),
        "one_hot": (),
        "softmax": ("nnlib.softmax", "nnlib.log_softmax", "scipy.special.softmax", "scipy.special.log_softmax"),
        "cross_entropy": ("nnlib.cross_entropy", "nnlib.log_softmax", "nnlib.logsumexp", "scipy.special.logsumexp",
                          "scipy.special.log_softmax", "sklearn.metrics.log_loss"),
        "softmax_regression_gradient": GRADIENTS,
        "train_classifier": ("nnlib.SGD", "nnlib.fit")},
    "ex04_three_ways_to_get_a_gradient": {
        "forward_difference": DIFFERENCES,
        "central_difference": DIFFERENCES,
        "count_evaluations": (),
        "analytic_gradient": (*DIFFERENCES, "nnlib.Tensor.backward"),
        "gradient_check": DIFFERENCES,
        "find_broken": DIFFERENCES},
    "ex05_computation_graphs": {
        "Value.__add__": ("nnlib.Tensor.__add__", *ENGINES),
        "Value.__mul__": ("nnlib.Tensor.__mul__", *ENGINES),
        "Value.exp": ("nnlib.Tensor.exp", *ENGINES),
        "Value.__pow__": ("nnlib.Tensor.__pow__", *ENGINES),
        "path_sum": ENGINES,
        "topological_order": (*ENGINES, "nnlib.autograd.topological_order"),
        "Value.backward": ("nnlib.Tensor.backward", *ENGINES, "nnlib.autograd.topological_order")},
    "ex06_backpropagation": {
        "linear_backward": GRADIENTS[::-1],
        "sigmoid_backward": GRADIENTS[::-1],
        "softmax_cross_entropy_backward": GRADIENTS[::-1],
        "two_layer_gradients": GRADIENTS[::-1],
        "unbroadcast": (*GRADIENTS[::-1], "nnlib.autograd.unbroadcast"),
        "Unit": (*GRADIENTS[::-1], "nnlib.Linear")}}


@pytest.mark.parametrize("name", LISTED)
def test_the_table_of_forbidden_names(name):
    assert {question: tuple(e.forbidden_names()) for question, e in SETS[name].items()} == LISTED[name]


@pytest.mark.parametrize("exercise", [e for questions in SETS.values() for e in questions.values()],
                         ids=lambda exercise: exercise.name)
def test_no_question_needs_what_it_forbids(exercise):
    names = exercise.forbidden_names()
    for name in names:  # they are resolved once their module is imported
        with contextlib.suppress(ImportError):
            importlib.import_module(name.rpartition(".")[0])
    assert [name for name in names if resolve(name) is None] == []
    trials, free = exercise.draw(), 0
    for answer in [exercise.reference, *exercise.alternatives]:
        with poisoned(names) as called:
            outcomes = [Here(exercise, answer, trials)(index) for index in range(len(trials))]
        free += not called and not any(outcome.raised for outcome in outcomes)
    assert free >= 2, "the cases, or most right answers, call what is forbidden"
