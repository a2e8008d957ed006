"""fit: what it computes, that a seed repeats it, when it stops, and what it says when things go wrong."""

import math
import sys

import numpy as np
import pytest
from support import uniform

import nnlib
from nnlib import (
    SGD,
    Dropout,
    EarlyStopping,
    Embedding,
    Flatten,
    History,
    Linear,
    Module,
    Parameter,
    ReLU,
    Sequential,
    Tensor,
    TrainingError,
    accuracy,
    cross_entropy,
    evaluate,
    fit,
    minibatches,
    predict,
)
from nnlib.datasets import make_blobs, make_moons

BLOBS = make_blobs(60, seed=1)


def network(*, hidden=8, inputs=2, outputs=2, seed=0, dtype=np.float32):
    return Sequential(Linear(inputs, hidden, dtype=dtype, rng=seed), ReLU(),
                      Linear(hidden, outputs, dtype=dtype, rng=seed + 1))


def run(model, train=BLOBS, validation=None, lr=0.1, **options):
    options = {"epochs": 3, "seed": 0, "progress": False, "optimizer": SGD(model.parameters(), lr=lr), **options}
    return fit(model, train, validation, **options)


def weights(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


class Watch(Module):
    """A layer that calls a function with every input, and passes it on."""

    def __init__(self, function):
        self.function = function

    def forward(self, x):
        self.function(x)
        return x


# What it computes.

def test_one_run_by_hand():
    """Three epochs with momentum, written out; a batch of 60 rows in 25, 25, 10."""
    model, by_hand = network(dtype=np.float64), network(dtype=np.float64)
    history = fit(model, BLOBS, optimizer=SGD(model.parameters(), 0.1, 0.9), epochs=3, batch_size=25, seed=7,
                  progress=False)
    optimizer, rng = SGD(by_hand.parameters(), 0.1, 0.9), np.random.default_rng(7)
    for epoch in range(3):
        order, losses, right = rng.permutation(60), [], 0
        for rows in (order[:25], order[25:50], order[50:]):
            z = by_hand(Tensor(BLOBS.X[rows]))
            loss = cross_entropy(z, BLOBS.t[rows])
            by_hand.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * len(rows))
            right += np.sum(z.data.argmax(1) == BLOBS.t[rows])
        assert history.loss[epoch] == pytest.approx(sum(losses) / 60, rel=1e-12)
        assert history.metric[epoch] == pytest.approx(right / 60, rel=1e-12)
    np.testing.assert_allclose(weights(model), weights(by_hand), rtol=1e-12)
    assert len(history) == 3 and len(history.batch_loss) == 9 and history.stopped is None


def test_it_learns_the_moons_and_pairs_serve_as_well_as_datasets():
    train, test = make_moons(400, seed=0).split(seed=0)
    model = network(hidden=16)
    history = run(model, (train.X, train.t), (test.X, test.t), lr=0.5, epochs=60)
    assert history.validation_metric[-1] >= 0.97 and history.loss[-1] < 0.15 < history.loss[0]
    again = network(hidden=16)
    assert run(again, train, test, lr=0.5, epochs=60).loss == history.loss


def test_validation_is_that_of_the_weights_after_the_epoch_in_evaluation_mode():
    model = Sequential(Linear(2, 8, rng=0), Dropout(0.5), Linear(8, 2, rng=1))
    train, held_out = BLOBS.split(seed=0)
    seen = []
    history = run(model, train, held_out, callbacks=[lambda m, h: seen.append(evaluate(m, held_out))])
    assert list(zip(history.validation_loss, history.validation_metric)) == seen
    assert len(set(seen)) > 1


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 7, 20, 21, 50])
def test_batches_hold_each_row_once_in_a_new_order_each_epoch(size, drop_last):
    epochs, X = [], np.arange(20.0)[:, None]
    model = Sequential(Watch(lambda x: epochs.append(x.data[:, 0])), Linear(1, 2, rng=0))
    if drop_last and size > 20:
        with pytest.raises(ValueError, match=f"leaves none of the 20 examples; try a batch_size below {size}"):
            run(model, (X, np.zeros(20, int)), batch_size=size, drop_last=True)
        return
    run(model, (X, np.zeros(20, int)), epochs=2, batch_size=size, drop_last=drop_last, lr=1e-6)
    steps = 20 // size if drop_last else math.ceil(20 / size)
    assert len(epochs) == 2 * steps and {len(b) for b in epochs[:20 // size]} <= {size}
    first, second = np.concatenate(epochs[:steps]), np.concatenate(epochs[steps:])
    assert len(set(first)) == len(first) == (steps * size if drop_last else 20)
    assert not np.array_equal(first, second) and not np.array_equal(first, np.sort(first))


def test_minibatches_keep_rows_and_targets_together():
    X, t = uniform(0, (10, 3)), np.arange(10)
    batches = list(minibatches(X, t, 4, rng=0))
    assert [len(X_batch) for X_batch, _ in batches] == [4, 4, 2]
    for X_batch, t_batch in batches:
        np.testing.assert_array_equal(X_batch, X[t_batch])
    assert sorted(np.concatenate([t_batch for _, t_batch in batches])) == list(range(10))
    assert [len(t_batch) for _, t_batch in minibatches(X, t, 4, drop_last=True)] == [4, 4]
    again = [t_batch.tolist() for _, t_batch in minibatches(X, t, 4, rng=np.random.default_rng(0))]
    assert again == [t_batch.tolist() for _, t_batch in batches]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_data_take_the_dtype_of_the_parameters(dtype):
    seen = set()
    model = Sequential(Watch(lambda x: seen.add(x.dtype)), network(dtype=dtype))
    run(model, BLOBS, make_blobs(10, seed=2), augment=lambda X, rng: X + rng.normal(size=X.shape))
    predict(model, [[1, 2], [3, 4]])
    evaluate(model, BLOBS)
    assert seen == {np.dtype(dtype)} and all(p.dtype == dtype for p in model.parameters())


def test_integers_stay_for_an_embedding():
    model = Sequential(Embedding(5, 3, rng=0), Flatten(), Linear(6, 2, rng=0))
    X = np.random.default_rng(0).integers(0, 5, (80, 2))
    history = run(model, (X, (X[:, 0] > 2).astype(int)), lr=0.5, epochs=40)
    assert history.metric[-1] == 1


def test_augmentation_changes_training_batches_only():
    train, held_out = BLOBS.split(seed=0)
    seen = []
    model = Sequential(Watch(lambda x: seen.append(np.abs(x.data).max() > 50)), network())
    run(model, train, held_out, lr=1e-9, epochs=1, batch_size=15, augment=lambda X, rng: X + 100)
    assert seen == [True, True, True, False] and np.abs(train.X).max() < 10


def test_clipping_bounds_the_step():
    model, before = network(), []
    start = weights(model)
    run(model, lr=1.0, epochs=1, batch_size=60, clip_norm=1e-3)
    assert np.linalg.norm(weights(model) - start) == pytest.approx(1e-3, rel=1e-3)
    assert not before


def test_the_schedule_steps_once_an_epoch_and_the_rate_is_recorded():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.8)
    history = run(model, optimizer=optimizer, schedule=nnlib.StepLR(optimizer, 1, gamma=0.5))
    assert history.lr == [0.8, 0.4, 0.2] and optimizer.lr == 0.1
    assert all(s > 0 for s in history.seconds)


def test_a_regression_without_metric():
    X = uniform(0, (50, 3))
    model = Linear(3, 1, rng=0)
    history = run(model, (X, X.sum(1, keepdims=True)), loss=nnlib.squared_loss, metric=None, lr=0.2, epochs=30)
    assert history.loss[-1] < 1e-3 and history.metric == []
    assert evaluate(model, (X, X.sum(1, keepdims=True)), loss=nnlib.squared_loss, metric=None)[1] is None


# Seeds.

def dropped(seed=0):
    return Sequential(Linear(2, 16, rng=seed), Dropout(0.5), ReLU(), Linear(16, 2, rng=seed))


def test_one_seed_repeats_a_run_to_the_bit():
    noise = {"augment": lambda X, rng: X + 0.1 * rng.normal(size=X.shape)}
    a, b, c = dropped(), dropped(), dropped()
    first, second, other = (run(m, seed=s, **noise) for m, s in ((a, 5), (b, 5), (c, 6)))
    np.testing.assert_array_equal(weights(a), weights(b))
    assert first.batch_loss == second.batch_loss != other.batch_loss


def test_the_librarys_seed_serves_where_none_is_given_and_a_seed_leaves_the_library_alone():
    histories = []
    for _ in range(2):
        nnlib.manual_seed(3)
        histories.append(run(dropped(), seed=None).batch_loss)
    assert histories[0] == histories[1]
    nnlib.manual_seed(3)
    expected = nnlib.generator().random()
    nnlib.manual_seed(3)
    run(dropped(), seed=1)
    assert nnlib.generator().random() == expected


def test_neither_data_nor_numpys_global_generator_change():
    train, held_out = BLOBS.split(seed=0)
    for array in (train.X, train.t, held_out.X, held_out.t):
        array.flags.writeable = False
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    run(dropped(), train, held_out)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


# Modes.

@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_every_layer_is_restored(training):
    modes = []
    model = Sequential(Watch(lambda x: modes.append(model.training)), Linear(2, 2, rng=0), Dropout(0.5)).train(training)
    model[2].training = not training
    run(model, make_blobs(20, seed=0), make_blobs(20, seed=1), epochs=1, batch_size=20)
    assert modes == [True, False]
    evaluate(model, BLOBS)
    predict(model, BLOBS.X)
    assert modes[2:] == [False, False]
    assert model.training is training and model[2].training is not training

    def broken(model, history):
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        run(model, callbacks=[broken])
    assert model.training is training and model[2].training is not training


# predict, evaluate, accuracy.

def test_predict_and_evaluate_go_through_all_rows_in_batches():
    sizes = []
    model = Sequential(Watch(lambda x: sizes.append(len(x))), network())
    z = predict(model, BLOBS.X, batch_size=25)
    assert sizes == [25, 25, 10] and z.shape == (60, 2) and z.dtype == np.float32
    np.testing.assert_allclose(z, model(Tensor(BLOBS.X.astype(np.float32))).data, rtol=1e-6)
    loss, share = evaluate(model, BLOBS, batch_size=25)
    assert share == accuracy(z, BLOBS.t) and loss == pytest.approx(cross_entropy(Tensor(z), BLOBS.t).item(), rel=1e-6)
    assert all(p.grad is None for p in model.parameters())
    assert predict(model, np.empty((0, 2))).shape == (0, 2)
    assert predict(Sequential(Flatten()), np.ones((3, 2, 2))).shape == (3, 4)


@pytest.mark.parametrize(("outputs", "targets", "expected"), [
    ([[1.0, 2], [3, 0], [0, 1]], [1, 0, 0], 2 / 3),
    ([[[1.0, 2], [3, 0]]], [[1, 1]], 0.5),
    ([[0.5], [-1], [2], [3]], [1, 0, 1, 0], 0.75),
    ([[0.5], [-1]], [[1], [1]], 0.5),
    ([0.5, -1, 0], [1, 0, 1], 2 / 3),
    ([0.5, -1], [1.0, -1.0], 1),
    ([[0.5]], [0], 0),
])
def test_accuracy(outputs, targets, expected):
    for kind in (np.array, Tensor):
        assert accuracy(kind(outputs), np.array(targets)) == pytest.approx(expected)


@pytest.mark.parametrize(("outputs", "targets", "error", "sentence"), [
    (np.zeros((3, 2)), np.eye(3, 2, dtype=int), nnlib.ShapeError, r"got \(3, 2\) and \(3, 2\); for one-hot"),
    (np.zeros((3, 2)), np.zeros(2, int), nnlib.ShapeError, r"got \(3, 2\) and \(2,\)"),
    (np.zeros((2, 3)), np.zeros(6, int), nnlib.ShapeError, "one score for each target"),
    (np.zeros(3), np.array([0.5, 1, 0]), TypeError, "fractions among the targets.*metric=None"),
    (np.zeros((0, 2)), np.zeros(0, int), ValueError, "at least one example"),
])
def test_accuracy_refuses(outputs, targets, error, sentence):
    with pytest.raises(error, match=sentence):
        accuracy(outputs, targets)


def test_one_logit_for_two_classes():
    model = Linear(2, 1, rng=0)
    history = run(model, (BLOBS.X, BLOBS.t[:, None]), loss=nnlib.binary_cross_entropy_with_logits, lr=1.0, epochs=20)
    assert history.metric[-1] > 0.85


# When it stops.

def losses(*values):
    """A history with these validation losses."""
    return History(loss=[9.0] * len(values), validation_loss=list(values))


def test_early_stopping_counts_epochs_without_a_better_loss():
    model, stop, answers = Linear(1, 1, rng=0), EarlyStopping(2, min_delta=0.1), []
    series = [1.0, 0.5, 0.45, 0.2, 0.3, 0.15, 0.1]
    for i in range(len(series)):
        model.weight.data[:] = i + 1
        answers.append(stop(model, losses(*series[:i + 1])))
    assert answers[:5] == [None] * 5 and (stop.epoch, stop.loss) == (4, 0.2)
    assert answers[5] == "no better loss than 0.2 for 2 epochs"
    assert stop.restore(model) == "the model has the weights of epoch 4, its best" and model.weight.data == 4


def test_early_stopping_takes_no_nan_for_better_and_watches_training_without_validation():
    stop, model = EarlyStopping(1), Linear(1, 1, rng=0)
    assert stop.restore(model) == "the model is as it was"
    assert stop(model, losses(math.nan)).startswith("no better loss than inf for 1") and stop.epoch == 0
    stop(model, History(loss=[3.0]))
    assert stop.loss == 3


def test_patience_ends_the_run_with_the_best_weights():
    train, held_out = make_moons(40, noise=0.3, seed=0).split(seed=0)
    model, states = network(hidden=32), []
    history = run(model, train, held_out, lr=1.0, epochs=400, patience=15,
                  callbacks=[lambda m, h: states.append(weights(m))])
    assert history.best_epoch == 1 + np.argmin(history.validation_loss) == len(history) - 15
    assert history.stopped.startswith("no better loss than") and f"after epoch {len(history)} of 400" in history.stopped
    np.testing.assert_array_equal(weights(model), states[history.best_epoch - 1])
    assert evaluate(model, held_out)[0] == min(history.validation_loss)


def test_without_patience_the_last_weights_stay_and_with_it_the_best_even_at_the_end():
    states = []
    model = network()
    history = run(model, lr=30.0, epochs=5, callbacks=[lambda m, h: states.append(weights(m))], batch_size=60)
    assert history.best_epoch < 5 and history.stopped is None
    np.testing.assert_array_equal(weights(model), states[-1])
    model = network()
    history = run(model, lr=30.0, epochs=5, batch_size=60, patience=50)
    np.testing.assert_array_equal(weights(model), states[history.best_epoch - 1])


@pytest.mark.parametrize(("answer", "sentence"), [
    (True, "ask said stop, after epoch 2 of 9"), (np.True_, "ask said stop"), ("enough", "enough, after epoch 2 of 9")])
def test_a_callback_ends_the_run_and_all_are_called(answer, sentence):
    calls = []

    def ask(model, history):
        return answer if len(history) == 2 else None

    history = run(network(), epochs=9, callbacks=[ask, lambda m, h: calls.append(len(h))])
    assert len(history) == 2 and calls == [1, 2] and history.stopped.startswith(sentence)


@pytest.mark.parametrize("answer", [None, False, 1, 0.5, "", [1], np.ones(2), Tensor([1.0, 2.0])], ids=repr)
def test_other_answers_of_a_callback_mean_go_on(answer):
    history = run(network(), callbacks=[lambda m, h: answer], batch_callbacks=[lambda m, h: answer])
    assert len(history) == 3 and history.stopped is None


def test_a_batch_callback_ends_the_run_with_its_batch():
    sizes = []
    history = run(network(), batch_size=10, batch_callbacks=[
        lambda m, h: sizes.append(len(h)), lambda m, h: "seen enough" if len(h.batch_loss) == 8 else None])
    assert len(history.batch_loss) == 8 and sizes == [0] * 6 + [1] * 2
    assert history.loss[1] == pytest.approx(np.mean(history.batch_loss[6:])) and len(history) == 2
    assert history.stopped == "seen enough, after epoch 2 of 3"


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("patience", [None, 3])
def test_ctrl_c_between_epochs_keeps_history_and_best_weights(patience):
    model, states = network(), []
    history = run(model, epochs=9, lr=30.0, batch_size=60, patience=patience, callbacks=[
        lambda m, h: states.append(weights(m)), lambda m, h: interrupt() if len(h) == 3 else None])
    best = history.best_epoch
    assert len(history) == 3 and 1 <= best == 1 + np.argmin(history.loss)
    assert history.stopped == f"interrupted after 3 of 9 epochs; the model has the weights of epoch {best}, its best"
    np.testing.assert_array_equal(weights(model), states[best - 1])


def test_ctrl_c_within_a_forward_pass():
    calls = []
    watch = Watch(lambda x: interrupt() if calls.append(1) or len(calls) == 5 else None)
    model = Sequential(watch, network()).eval()
    history = run(model, batch_size=30)
    assert len(history) == 2 and len(history.batch_loss) == 4 and "interrupted after 2 of 3 epochs" in history.stopped
    assert not model.training
    calls.clear()
    model = Sequential(Watch(interrupt), network())
    start = weights(model)
    history = run(model)
    assert history.stopped == "interrupted after 0 of 3 epochs; the model has its initial weights again"
    np.testing.assert_array_equal(weights(model), start)


# When it diverges.

def sentence_of(model, *args, **options):
    """The sentence of a run that diverges, the same whether it raises or stops; no warning is shown."""
    start = model.state_dict()
    with pytest.raises(TrainingError) as caught:
        run(model, *args, **options)
    model.load_state_dict(start)
    history = run(model, *args, **options, on_divergence="stop")
    assert str(caught.value) == history.stopped and repr(caught.value.history) == repr(history)
    assert math.isnan(history.loss[-1]) and np.isfinite(weights(model)).all()
    return history.stopped


@pytest.mark.filterwarnings("error")
def test_a_rate_too_large_names_the_layer_and_the_rate():
    sentence = sentence_of(network(), lr=1e25, batch_size=20)
    assert sentence.startswith("fit: the loss became nan in epoch 1, batch 2; the first layer with a value that is not "
                               "finite is '2' (Linear(")
    assert "in its output. Likely causes: a learning rate too large (now 1e+25: try 1e+24, or clip_norm=1)" in sentence
    assert sentence.endswith("division by 0 in the model. Now the model has its initial weights again.")


@pytest.mark.filterwarnings("error")
def test_weights_that_overflow_are_named():
    sentence = sentence_of(network(), lr=1e39, batch_size=20)
    assert "is '0' (Linear(" in sentence and "in its weight. Likely" in sentence


class Root(Module):
    """Takes the square root of |x|: its slope at 0 is infinite."""

    def __init__(self):
        self.scale = Parameter(np.zeros(2, np.float32))

    def forward(self, x):
        return (x * self.scale).abs().sqrt() if hasattr(Tensor, "abs") else ((x * self.scale) ** 2) ** 0.25


class Inverse(Module):
    """A model whose own forward, not a layer's, divides by 0."""

    def __init__(self):
        self.linear = Linear(2, 2, rng=0)

    def forward(self, x):
        return self.linear(x) / (x.data * 0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("model", "sentence"), [
    (Sequential(Linear(2, 2, rng=0), Root()),
     r"the gradient is not finite in epoch 1, batch 1; .* is '1' \(Root\(\)\), in the gradient of its scale, while all "
     r"outputs are finite. Likely causes: the initial weights \(no update was made before, so it is not the learning"),
    (Inverse(), r"the loss became nan in epoch 1, batch 1; .* is the model itself \(Inverse\(\)\), in its "
                r"output. Likely causes: the initial weights \(no update was made before"),
])
def test_a_hole_in_the_model_is_not_blamed_on_the_rate(model, sentence):
    with pytest.raises(TrainingError, match=f"fit: {sentence}"):
        run(model)


def test_a_nested_layer_is_named_by_its_path():
    inner = network()
    inner[2].bias.data[0] = np.inf
    with pytest.raises(TrainingError, match=r"is '1\.2' \(Linear\(.*\)\), in its bias\. .*: the initial weights"):
        run(Sequential(Flatten(), inner))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("error")
def test_a_bad_input_is_found_by_its_row(value):
    X = BLOBS.X.copy()
    X[17, 1] = value
    batch_row = int(np.flatnonzero(np.random.default_rng(0).permutation(60)[:60] == 17)[0])
    with pytest.raises(TrainingError, match=f"the input in row {batch_row} of the batch, row 17 of the data, is not "
                                            "finite; repair such rows or leave them out. Now the model has its"):
        run(network(), (X, BLOBS.t), batch_size=60)


def test_a_bad_target_is_found_by_its_row():
    t = BLOBS.X[:, :1].copy()
    t[3] = np.nan
    with pytest.raises(TrainingError, match="the target in row .* row 3 of the data, is not finite"):
        run(network(outputs=1), (BLOBS.X, t), loss=nnlib.squared_loss, metric=None)


@pytest.mark.filterwarnings("error")
def test_a_loss_with_a_hole():
    with pytest.raises(TrainingError, match="became inf in epoch 1, batch 1: all layers have finite outputs, so the "
                                            "loss itself takes a log of 0"):
        run(network(), loss=lambda z, t: -(z * 0).log().mean())


def test_inputs_of_a_large_scale_are_mentioned():
    with pytest.raises(TrainingError, match=r"clip_norm=1\), or inputs as large as 1e\+06 \(standardize them\)"):
        run(network(), (np.full((40, 2), 1e6), np.arange(40) % 2), lr=1e30)


def test_an_infinite_validation_loss_ends_the_run_too():
    bad = BLOBS.X[:9].copy()
    bad[5] = np.inf
    model = network()
    with pytest.raises(TrainingError, match="the validation loss became nan after epoch 1: the input in row 5 of the "
                                            "batch, row 5 of the data") as caught:
        run(model, BLOBS, (bad, BLOBS.t[:9]))
    history = caught.value.history
    assert all(math.isnan(s[-1]) for s in (history.metric, history.validation_loss, history.validation_metric))
    assert model.training


class Halves(Module):
    """A layer with two results, the second of which may be infinite."""

    def forward(self, x):
        return x, (x / 0, None)


class Joined(Module):
    """A model that adds what `Halves` gives."""

    def __init__(self):
        self.linear, self.halves = Linear(2, 2, rng=0), Halves()

    def forward(self, x):
        x, (y, _) = self.halves(self.linear(x))
        return x + y


def test_a_layer_with_several_results_is_found_too():
    with pytest.raises(TrainingError, match=r"is 'halves' \(Halves\(\)\), in its output"):
        run(Joined())


def test_the_search_for_the_layer_leaves_no_trace():
    model = network()
    sentence_of(model, lr=1e25)
    assert not any(module._hooks for module in model.modules())


def test_a_run_that_diverges_late_keeps_its_curve_and_gets_its_best_weights_back():
    model, states = network(), []

    def spoil(model, history):
        states.append(weights(model))
        if len(history) == 3:
            model[0].weight.data[:] = 1e30

    history = run(model, epochs=9, callbacks=[spoil], on_divergence="stop")
    assert len(history) == 4 and np.isfinite(history.loss[:3]).all() and math.isnan(history.loss[3])
    assert history.best_epoch == 3 and "Now the model has the weights of epoch 3, its best." in history.stopped
    np.testing.assert_array_equal(weights(model), states[2])
    assert all(len(series) == 4 for series in (history.metric, history.lr, history.seconds))


def test_a_finite_gradient_too_large_to_be_squared_is_no_divergence():
    model = Linear(1, 1, dtype=np.float32, rng=0)
    history = run(model, (np.ones((4, 1)), np.ones((4, 1))), loss=lambda z, t: (z * 1e30).mean(), metric=None, lr=1e-38,
                  epochs=1)
    assert len(history) == 1 and history.stopped is None


# The history.

def test_the_history_as_a_dict_and_in_print():
    train, held_out = BLOBS.split(seed=0)
    history = run(network(), train, held_out)
    columns = history.as_dict()
    assert list(columns) == ["epoch", "loss", "metric", "validation_loss", "validation_metric", "lr", "seconds"]
    assert columns["epoch"] == [1, 2, 3] and columns["validation_loss"] == history.validation_loss
    columns["loss"].clear()
    assert len(history.loss) == 3
    assert list(run(network(), metric=None).as_dict()) == ["epoch", "loss", "lr", "seconds"]
    text = repr(History(loss=[2.3, 0.5], validation_loss=[2.0, 1.0], best_epoch=2, stopped="enough"))
    assert text.splitlines() == ["History: 2 epochs, the best is 2", "  loss                  2.3 -> 0.5",
                                 "  validation loss         2 -> 1", "  stopped: enough"]
    assert repr(History(loss=[1.0])).startswith("History: 1 epoch,")


def test_the_bar_is_written_to_stderr_and_only_when_wanted(capsys):
    pytest.importorskip("tqdm")
    run(network(), progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and "epoch 3, loss" in shown.err and "6/6" in shown.err
    run(network())
    assert capsys.readouterr() == ("", "")


def test_no_bar_no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    run(network())
    with pytest.raises(ImportError):
        run(network(), progress=True)


# What does not fit together.

@pytest.mark.parametrize(("options", "error", "sentence"), [
    ({"train": (BLOBS.X, BLOBS.t[:59])}, nnlib.ShapeError, r"X of shape \(60, 2\) and t of shape \(59,\)"),
    ({"train": (BLOBS.X, 3)}, nnlib.ShapeError, r"t of shape \(\)"),
    ({"train": BLOBS.X}, TypeError, r"a Dataset or a pair \(X, t\) of arrays but got ndarray"),
    ({"train": (BLOBS.X[:0], BLOBS.t[:0])}, ValueError, r"at least one example but got none: X has shape \(0, 2\)"),
    ({"validation": (BLOBS.X[:0], BLOBS.t[:0])}, ValueError, "at least one example"),
    ({"validation": BLOBS}, ValueError, r"shares rows with the training set.*data.split\(\)"),
    ({"validation": BLOBS.take(slice(10))}, ValueError, "shares rows"),
    ({"epochs": 0}, ValueError, "fit: expected epochs to be at least 1 but got 0"),
    ({"epochs": 2.5}, TypeError, "epochs .* 2.5"), ({"epochs": True}, TypeError, "epochs .* True"),
    ({"batch_size": -4}, ValueError, "batch_size .* -4"), ({"batch_size": None}, TypeError, "batch_size .* None"),
    ({"patience": 0}, ValueError, "patience .* 0"), ({"min_delta": math.nan}, ValueError, "min_delta"),
    ({"min_delta": -1}, ValueError, "min_delta of at least 0 but got -1"),
    ({"on_divergence": "ignore"}, ValueError, "on_divergence \"raise\" or \"stop\" but got 'ignore'"),
    ({"optimizer": SGD(network().parameters(), lr=0.1)}, ValueError,
     r"holds none of this model's parameters; was it built for another model.*SGD\(model.parameters\(\), lr="),
    ({"optimizer": 0.1}, TypeError, r"an optimizer but got float; try optimizer=SGD\(model.parameters\(\), lr=0.1\)"),
    ({"schedule": nnlib.StepLR(SGD(network().parameters(), lr=0.1), 1)}, ValueError, "rate of another optimizer"),
    ({"loss": lambda z, t: (z * z).sum(axis=1)}, TypeError, r"a tensor with one number but got shape \(32,\)"),
    ({"loss": lambda z, t: float(z.data.sum())}, TypeError, "but got float"),
    ({"train": (BLOBS.X, BLOBS.t.astype(float))}, TypeError, "cross_entropy: expected integer class numbers"),
    ({"seed": "x"}, TypeError, "rng: expected a np.random.Generator"),
    ({"clip_norm": 0}, ValueError, "max_norm above 0"),
])
def test_arguments_that_do_not_fit(options, error, sentence):
    with pytest.raises(error, match=sentence):
        run(network(), **options)


def test_models_that_cannot_be_trained():
    optimizer = SGD(network().parameters(), lr=0.1)
    with pytest.raises(ValueError, match="fit: this Sequential has no parameters to train"):
        fit(Sequential(Flatten()), BLOBS, optimizer=optimizer, progress=False)
    with pytest.raises(TypeError, match="fit: expected a Module to train but got function"):
        fit(lambda x: x, BLOBS, optimizer=optimizer, progress=False)


@pytest.mark.parametrize("call", [
    lambda **size: predict(network(), BLOBS.X, **size), lambda **size: evaluate(network(), BLOBS, **size),
    lambda **size: minibatches(BLOBS.X, BLOBS.t, **size)])
def test_batch_sizes_are_whole_numbers(call):
    with pytest.raises(ValueError, match="batch_size to be at least 1 but got 0"):
        call(batch_size=0)
    call(batch_size=np.int64(3))
