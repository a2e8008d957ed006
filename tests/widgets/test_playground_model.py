"""The Playground's mathematics: data, settings as text, training, goals, and learners' activations."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlib import LeakyReLU, Tensor, ops
from nnlib.widgets import LearnerError, playground_model
from nnlib.widgets.playground_model import (
    ACTIVATIONS,
    CLASSIFICATION,
    DATA,
    FEATURES,
    FRAMES,
    MOST_LAYERS,
    MOST_NEURONS,
    OPTIMIZERS,
    RATES,
    REGRESSION,
    RESOLUTION,
    STRENGTHS,
    NetworkGoal,
    Settings,
    Training,
    decimal,
    examples,
    hills,
    inputs,
    own_activation,
    with_feature,
)


def trained(text, epochs, own=None):
    training = Training(Settings.from_text(text, own=own is not None), own)
    for _ in range(epochs):
        training.advance()
    return training


# Data and features

@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("noise", [0, 50])
def test_examples(name, noise):
    X, t = examples(name, noise)
    assert X.shape == (500, 2) and t.shape == (500,) and X.dtype == t.dtype == np.float32
    assert np.isfinite(X).all() and np.abs(X).mean() > 1 and np.quantile(np.abs(X), 0.95) < 6
    again, other = examples(name, noise), examples(name, noise, seed=1)
    assert np.array_equal(again[0], X) and np.array_equal(again[1], t) and not np.array_equal(other[0], X)
    if name in CLASSIFICATION:
        assert set(t) == {0, 1} and t.mean() == 0.5 and 0.4 < t[:100].mean() < 0.6, "mixed"
    else:
        assert len(np.unique(t)) > 400 and np.abs(t).max() < (1.1 if not noise else 3)


def test_noise_moves_classes_and_targets():
    radius = np.hypot(*examples("circle")[0].T)
    assert radius[examples("circle")[1] == 1].max() <= 2.5 and radius[examples("circle")[1] == 0].min() >= 3.5
    X, t = examples("xor")
    assert np.array_equal(X[:, 0] * X[:, 1] < 0, t == 1) and np.abs(X).min() >= 0.3
    X, t = examples("plane")
    assert t == pytest.approx((X[:, 0] + X[:, 1]) / 12, abs=1e-6)
    assert (examples("plane", 50)[1] - t).std() == pytest.approx(0.4, rel=0.1)
    moved = [np.abs(examples(name, 50)[0] - examples(name)[0]).mean() for name in CLASSIFICATION]
    assert min(moved) > 0.2


def test_hills_alternate():
    heights = hills(np.array([(x, y) for x in (-4.0, 0, 4) for y in (-2.5, 2.5)]))
    assert np.abs(heights) == pytest.approx(1, abs=0.01) and heights.reshape(3, 2).sum() == pytest.approx(0, abs=0.01)
    assert (np.sign(heights.reshape(3, 2)[:-1]) != np.sign(heights.reshape(3, 2)[1:])).all()


def test_inputs_are_the_chosen_features():
    X = np.array([(1.0, 2.0), (-3.0, 0.5)])
    x, y = X.T
    expected = [x, y, x * x, y * y, x * y, np.sin(x), np.sin(y)]
    np.testing.assert_allclose(inputs(X, tuple(FEATURES)), np.stack(expected, axis=1))
    assert inputs(X, ("x1x2",)).shape == (2, 1)


def test_the_last_feature_stays():
    one = with_feature(Settings(), "x1", False)
    assert one.features == ("x2",) and with_feature(one, "x2", False) == one
    assert with_feature(one, "x1", True).features == ("x1", "x2"), "in the usual order"


# Settings as a text

def drawn(options):
    return st.sampled_from(list(options))


every_setting = st.builds(
    Settings, data=drawn(DATA), noise=st.integers(0, 10).map(lambda k: 5 * k), rate=drawn(RATES),
    train=st.integers(1, 9).map(lambda k: 10 * k), sample=st.integers(0, 999), seed=st.integers(0, 99),
    features=st.sets(drawn(FEATURES), min_size=1).map(lambda names: tuple(n for n in FEATURES if n in names)),
    layers=st.lists(st.integers(1, MOST_NEURONS), max_size=MOST_LAYERS).map(tuple), activation=drawn(ACTIVATIONS),
    optimizer=drawn(OPTIMIZERS), momentum=st.integers(0, 99).map(lambda k: k / 100), batch=st.integers(1, 100),
    regularization=drawn(["none", "L1", "L2"]), strength=drawn(STRENGTHS), frame=drawn(FRAMES),
    test=drawn(["no", "yes"]), discretize=drawn(["no", "yes"]))


@settings(max_examples=30)
@given(every_setting)
def test_a_text_restores_the_settings(chosen):
    text = str(chosen)
    assert Settings.from_text(text) == chosen and text.isascii() and "e-" not in text
    assert Settings.from_text("#" + text) == chosen and Settings.from_text(f" {text} ") == chosen


def test_a_text_tells_what_is_not_usual():
    assert str(Settings()) == "data=circle&layers=4,2&activation=tanh" and Settings.from_text("") == Settings()
    assert str(Settings(data="plane", layers=(), rate=0.00001)) == "data=plane&layers=&activation=tanh&rate=0.00001"
    assert {f.name for f in fields(Settings)} == set(Settings.from_text.__globals__["_READERS"])


@pytest.mark.parametrize("text, words", [
    ("data=digits", "data: expected one of circle, xor"), ("data", "expected name=value"),
    ("speed=3", "expected name=value"), ("noise=7", "from 0 to 50 in steps of 5"), ("noise=-5", "noise: expected"),
    ("noise=5.0", "noise: expected"), ("noise=٥", "noise: expected"), ("train=0", "train: expected"),
    ("train=100", "train: expected"), ("batch=0", "batch: expected"), ("batch=101", "batch: expected"),
    ("batch=1e9", "batch: expected"), ("layers=9", "layers: expected"), ("layers=0", "layers: expected"),
    ("layers=4,,2", "layers: expected"), ("layers=1,1,1,1,1,1,1", "layers: expected"), ("layers=a", "at most 6"),
    ("layers=4;2", "layers: expected"), ("features=", "features: expected"), ("features=x1,x1", "each once"),
    ("features=x3", "features: expected"), ("rate=0.02", "rate: expected one of 0.00001, 0.0001"),
    ("rate=nan", "rate: expected"), ("rate=inf", "rate: expected"), ("rate=", "rate: expected"),
    ("momentum=1", "momentum: expected"), ("momentum=0.123", "momentum: expected"), ("momentum=-0.1", "momentum"),
    ("optimizer=adam", "one of SGD, Nesterov"), ("activation=own", "a function of yours"),
    ("activation=__import__('os')", "activation: expected"), ("regularization=l2", "regularization: expected"),
    ("strength=5", "strength: expected"), ("frame=7", "frame: expected"), ("test=1", "one of no, yes"),
    ("data=xor&data=xor", "data stands twice"), ("data=xor=circle", "data: expected"), ("&&&x&&&", "name=value"),
    ("seed=100", "seed: expected"), ("sample=1000", "sample: expected"), ("a" * 2001, "at most 2000 characters"),
    ("<script>alert(1)</script>", "expected name=value"), ("noise=" + "9" * 900, "noise: expected"),
    (None, "a NoneType"), (b"data=xor", "a bytes"),
])
def test_a_text_that_means_nothing(text, words):
    with pytest.raises(ValueError) as caught:
        Settings.from_text(text)
    assert words in str(caught.value) and len(str(caught.value)) < 400


@settings(max_examples=30)
@given(st.text(max_size=80))
def test_any_text_is_settings_or_a_sentence(text):
    try:
        assert isinstance(Settings.from_text(text), Settings)
    except ValueError as error:
        assert "expected" in str(error) or "twice" in str(error) or "own" in str(error)


def test_a_link_of_the_tensorflow_playground_is_read():
    link = ("https://playground.tensorflow.org/#activation=relu&regularization=L1&batchSize=7&dataset=gauss"
            "&regDataset=reg-gauss&learningRate=0.00001&regularizationRate=0.003&noise=15&networkShape=8,2"
            "&seed=0.51293&showTestData=true&discretize=false&percTrainData=70&x=true&y=false&xTimesY=true"
            "&xSquared=false&ySquared=true&cosX=false&sinX=true&cosY=false&sinY=false&collectStats=false"
            "&problem=classification&initZero=false&hideText=false&noise_hide=true")
    read = Settings.from_text(link)
    assert read == Settings(data="gaussian", noise=15, train=70, features=("x1", "x2sq", "x1x2", "sinx1"),
                            layers=(8, 2), activation="relu", rate=0.00001, batch=7, regularization="L1",
                            strength=0.003, test="yes")
    assert Settings.from_text(link.replace("problem=classification", "problem=regression")).data == "hills"
    assert Settings.from_text("https://playground.tensorflow.org/") == Settings()
    assert Settings.from_text("https://playground.tensorflow.org/#networkShape=").layers == ()
    for broken in ("#x=false&y=false", "#dataset=digits", "#networkShape=9", "#noise=abc", "#learningRate="):
        with pytest.raises(ValueError, match="expected"):
            Settings.from_text("https://playground.tensorflow.org/" + broken)


@pytest.mark.parametrize("number, text", [(0.00001, "0.00001"), (0.3, "0.3"), (10, "10"), (0, "0"), (0.99, "0.99")])
def test_decimal(number, text):
    assert decimal(number) == text


# Training

@pytest.mark.parametrize("text, epochs, loss", [
    ("data=circle&rate=0.1", 50, 0.05), ("data=xor&rate=0.1&layers=4,4", 60, 0.1), ("data=gaussian&layers=", 20, 0.05),
    ("data=spiral&layers=8,8&rate=0.01&optimizer=Adam&features=x1,x2,sinx1,sinx2", 80, 0.1),
    ("data=plane&layers=", 10, 1e-4), ("data=hills&layers=8,8&rate=0.01&optimizer=Adam", 140, 0.03),
    ("data=circle&layers=&features=x1sq,x2sq", 40, 0.1), ("data=xor&layers=&features=x1x2&rate=0.1", 30, 0.1),
])
def test_every_data_set_is_learned(text, epochs, loss):
    training = Training(Settings.from_text(text))
    training.advance(25 * epochs)
    assert training.answers.test < loss and training.diverged is None
    if text.split("&")[0].removeprefix("data=") in CLASSIFICATION:
        assert training.answers.right_test > 0.95


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("momentum", ["0", "0.9"])
def test_every_optimizer_learns(optimizer, momentum):
    rate = {"SGD": "0.03", "Nesterov": "0.03", "Adagrad": "0.1"}.get(optimizer, "0.01")
    training = trained(f"data=gaussian&layers=3&optimizer={optimizer}&momentum={momentum}&rate={rate}", 10)
    assert training.answers.test < 0.1 and training.optimizer.lr == float(rate)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name):
    training = trained(f"data=gaussian&activation={name}&rate=0.3", 20)
    assert training.answers.test < 0.1
    low, high = {"relu": (0, np.inf), "tanh": (-1, 1), "sigmoid": (0, 1), "linear": (-np.inf, np.inf)}[name]
    for layer, n in zip(training.answers.hidden, (4, 2)):
        assert layer.shape == (RESOLUTION, RESOLUTION, n) and layer.min() >= low and layer.max() <= high


def test_the_same_settings_give_the_same_numbers():
    first, second = trained("noise=20&seed=3", 5), trained("noise=20&seed=3", 5)
    assert first.losses == second.losses and np.array_equal(first.answers.output, second.answers.output)
    assert trained("noise=20&seed=4", 5).losses != first.losses
    assert trained("noise=20&seed=3&sample=1", 5).losses != first.losses


def test_steps_epochs_and_batches():
    training = Training(Settings(train=50, batch=30))
    training.advance(1)
    assert (training.steps, training.seen) == (1, 30) and training.epoch == pytest.approx(30 / 250)
    training.advance()
    assert (training.steps, training.seen, training.epoch) == (9, 250, 1), "the rest of the epoch"
    training.advance(20)
    assert training.steps == 29 and training.times == [0, 30 / 250, 1, training.epoch]
    small = Training(Settings(train=10, batch=100))
    small.advance()
    assert (len(small.X), small.steps, small.epoch) == (50, 1, 1)
    assert len(Training(Settings(train=90)).X) == 450


def test_answers_are_those_of_the_network():
    training = trained("data=xor&layers=3,2&features=x1,x1x2&rate=0.1", 2)
    X = np.stack(np.meshgrid(np.linspace(-6, 6, RESOLUTION), np.linspace(-6, 6, RESOLUTION)), axis=-1)
    x = inputs(X.reshape(-1, 2).astype(np.float32), ("x1", "x1x2"))
    assert x.dtype == np.float32
    z = training.network(x)[:, 0]
    np.testing.assert_allclose(training.answers.output.ravel(), ops.sigmoid(z).data, atol=1e-5)
    np.testing.assert_allclose(training.answers.hidden[0].reshape(-1, 3), training.network[:2](x).data, atol=1e-5)
    classes = training.network(inputs(training.points[1], ("x1", "x1x2"))).data[:, 0] > 0
    assert training.answers.right_test == np.mean(classes == training.targets[1])


def test_what_changes_at_once_and_what_starts_anew():
    training = trained("noise=10", 2)
    weights = training.weights()
    for change in ({"rate": 0.3}, {"momentum": 0.9}, {"optimizer": "Adam"}, {"batch": 3}, {"regularization": "L1"},
                   {"strength": 0.1}, {"frame": "1"}, {"test": "yes"}, {"discretize": "yes"}):
        assert training.change(replace(training.settings, **change))
        assert all(np.array_equal(a, b) for a, b in zip(weights, training.weights()))
    assert training.optimizer.lr == 0.3 and type(training.optimizer).__name__ == "Adam" and training.steps == 50
    for change in ({"data": "xor"}, {"noise": 15}, {"train": 60}, {"sample": 1}, {"features": ("x1",)},
                   {"layers": (4,)}, {"activation": "relu"}, {"seed": 1}):
        assert not training.change(replace(training.settings, **change))
    assert training.settings.data == "circle"


def test_l2_shrinks_and_l1_reaches_zero():
    plain = trained("data=gaussian", 20)
    l2, l1 = (trained(f"data=gaussian&regularization={kind}&strength=0.03", 20) for kind in ("L2", "L1"))

    def weights(training):
        return np.concatenate([layer.weight.data.ravel() for layer in training.layers])

    assert np.square(weights(l2)).sum() < 0.8 * np.square(weights(plain)).sum()
    assert np.sum(weights(l1) == 0) >= 4 and not np.any(weights(plain) == 0)
    strong = trained("data=gaussian&regularization=L1&strength=10&rate=1", 2)
    assert not weights(strong).any() and strong.answers.train == pytest.approx(np.log(2), abs=0.1)
    ignored = trained("data=gaussian&regularization=none&strength=10", 20)
    assert ignored.losses == plain.losses


@pytest.mark.parametrize("text", ["data=hills&layers=8,8&rate=10&activation=relu", "data=plane&layers=&rate=10",
                                  "data=plane&layers=&rate=10&regularization=L2&strength=10&features=x1sq"])
def test_divergence_keeps_the_last_finite_weights(text):
    training = trained(text, 12)
    assert training.diverged is not None and training.diverged > training.steps
    assert all(np.isfinite(w).all() for w in training.weights()) and np.isfinite(training.losses).all()
    assert np.isfinite(training.answers.output).all() and len(training.times) == len(training.losses)
    training.advance()
    assert training.diverged > training.steps, "it stays as it is"


def test_curves_stay_short_and_records_stay(monkeypatch):
    monkeypatch.setattr(playground_model, "KEPT", 40)
    training = Training(Settings(data="gaussian", layers=(), batch=100))
    for _ in range(100):
        training.advance(1)
    assert 20 <= len(training.times) == len(training.losses) <= 40
    assert training.times[0] == 0 and training.times == sorted(training.times)
    tests = [test for _, test in training.records]
    assert tests == sorted(tests, reverse=True) and tests[-1] <= min(test for _, test in training.losses)


def test_silent_neurons_are_counted():
    training = Training(Settings(layers=(3,), activation="relu"))
    assert training.answers.silent == 0
    for k in range(3):
        assert training.set_weight(0, k, None, -100.0)
        assert training.answers.silent == k + 1


def test_weights_by_hand():
    training = trained("layers=3,2", 1)
    assert training.set_weight(1, 1, 2, 0.5) and training.weight(1, 1, 2) == 0.5
    assert training.set_weight(2, 0, None, -7.0) and training.weight(2, 0, None) == -7
    assert training.losses[-1] == (training.answers.train, training.answers.test)
    assert training.answers.output.max() < 0.5, "a bias of -7 says class 0 everywhere"
    training.set_weight(0, 0, 0, 3e38)
    before = training.weights()
    assert not training.set_weight(2, 0, None, np.inf)
    assert all(np.array_equal(a, b) for a, b in zip(before, training.weights()))


# A learner's activation

def test_an_own_activation_of_tensors_or_arrays_learns_alike():
    def leaky(z):
        return ops.leaky_relu(z, 0.1)

    def values(z):
        return np.where(z > 0, z, 0.1 * z)

    def slopes(z):
        return np.where(z > 0, 1, 0.1)

    text = "data=gaussian&activation=own&rate=0.1"
    runs = [trained(text, 4, own_activation(f)) for f in (leaky, LeakyReLU(0.1), (values, slopes), [values, slopes])]
    for run in runs[1:]:
        np.testing.assert_allclose(run.losses, runs[0].losses, rtol=1e-3)
    assert runs[0].answers.test < 0.1


@pytest.mark.parametrize("function, words", [
    (lambda z: None, "a Tensor but got NoneType"), (lambda z: z.data, "a Tensor but got ndarray"),
    (lambda z: z[:1], "shape"), (lambda z: Tensor(z.data), "has lost the graph"), (lambda z: 1 / 0, "1 / 0"),
    (lambda z: np.tanh(z), "activation raised"), (lambda: 0, "TypeError"), (lambda z: z / 0.0, "finite"),
    ((lambda z: z[0], lambda z: z), "expected an array of shape"), ((lambda z: z, lambda z: None), "derivative"),
    ((lambda z: z, lambda z: z[0]), "derivative: expected an array"), ((lambda z: z * np.nan, abs), "finite"),
    ((lambda z: z, lambda z: undefined), "NameError"),  # noqa: F821
])
def test_an_own_activation_that_fails(function, words):
    with np.errstate(all="ignore"), pytest.raises(LearnerError) as caught:
        trained("activation=own", 1, own_activation(function))
    assert words in str(caught.value)


@pytest.mark.parametrize("function", ["tanh", 3, (np.tanh,), (np.tanh, 2), (np.tanh, np.tanh, np.tanh)])
def test_an_activation_that_is_none(function):
    with pytest.raises(ValueError, match="expected activation to be"):
        own_activation(function)


def test_divergence_is_not_the_learners_fault():
    own = own_activation((lambda z: z, lambda z: np.ones_like(z)))
    assert trained("data=hills&rate=10&activation=own&layers=8,8", 10, own).diverged is not None


# Goals

def test_goals():
    training = trained("data=gaussian&layers=3", 10)
    at = training.reached_at(NetworkGoal(loss=0.1))
    assert at is not None and at <= 10
    assert training.reached_at(NetworkGoal(loss=0.1, epochs=10, neurons=3, data="gaussian")) == at
    assert training.reached_at(NetworkGoal(loss=1e-9)) is None
    assert training.reached_at(NetworkGoal(loss=0.1, epochs=at - 1)) is None
    for limit, words in [({"neurons": 2}, "You use 3 hidden neurons"), ({"data": "spiral"}, "choose spiral"),
                         ({"features": ("x1",)}, "Leave out x₂"), ({"noise": 10}, "at least 10%")]:
        goal = NetworkGoal(loss=0.1, **limit)
        assert training.reached_at(goal) is None and words in goal.missed_by(training.settings)


def test_a_goal_in_words():
    goal = NetworkGoal.of({"loss": 0.05, "epochs": 1, "neurons": 6, "data": "xor", "features": ("x1", "x2")})
    assert str(goal) == ("reach a test loss of 0.05 on the xor data within 1 epoch with at most 6 hidden neurons "
                         "from x₁, x₂ alone")
    assert NetworkGoal.of(goal) is goal and str(NetworkGoal(0.1, neurons=0)).endswith("at most 0 hidden neurons")


@pytest.mark.parametrize("goal", [0.05, {}, {"epochs": 3}, {"loss": 0.1, "speed": 3}, {"loss": 0.1, "data": "mnist"},
                                  {"loss": 0.1, "features": ("x3",)}, "loss=0.05"])
def test_a_goal_that_means_nothing(goal):
    with pytest.raises(ValueError, match="Playground: expected a goal"):
        NetworkGoal.of(goal)


def test_regression_has_no_right_answers():
    training = trained("data=plane&layers=2", 1)
    assert training.answers.right_train is None and set(REGRESSION) == {"plane", "hills"}
    assert training.settings.problem == "regression" and Settings().problem == "classification"
