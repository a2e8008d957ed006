"""TrainingDashboard without a kernel: what it shows, how it stops, what it costs, and that training stays the same."""

import math
import re
import threading
import time

import numpy as np
import pytest

from nnlib import SGD, Adam, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, StepLR, TrainingError, fit
from nnlib.datasets import load_digits
from nnlib.losses import squared_loss
from nnlib.widgets import TrainingDashboard
from nnlib.widgets import training_dashboard as module
from nnlib.widgets.training_dashboard import (
    block_means,
    confused_pairs,
    duration,
    filter_mosaic,
    limits,
    nice_above,
    nice_below,
    share_limits,
)

pytestmark = pytest.mark.filterwarnings("error")

TRAIN, TEST = load_digits().take(slice(0, 400)).split(seed=0)
IMAGES, HELD = (TRAIN.images, TRAIN.t), (TEST.images, TEST.t)


@pytest.fixture
def dashboard():
    made = TrainingDashboard()
    yield made
    made.close()


@pytest.fixture
def every_picture(monkeypatch):
    """A picture after every update, however slow."""
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(module, "RATION", 0.0)


def network():
    return Sequential(Conv2d(1, 6, 3, padding=1, rng=0), ReLU(), MaxPool2d(2), Flatten(), Linear(96, 10, rng=1))


def train(dashboard, model=None, data=IMAGES, held=HELD, **options):
    model = model or network()
    options = {"epochs": 3, "batch_size": 50, "seed": 0} | options
    options.setdefault("optimizer", Adam(model.parameters(), lr=0.01))
    return model, dashboard.fit(model, data, held, **options)


class At:
    """A callback that does something at one of its calls."""

    def __init__(self, call, action):
        self.call, self.action, self.calls = call, action, 0

    def __call__(self, model, history):
        self.calls += 1
        if self.calls == self.call:
            self.action()


# Plain functions

def test_confused_pairs():
    t, p = np.array([3, 3, 3, 8, 8, 1, 5]), np.array([8, 8, 3, 3, 8, 7, 5])
    assert confused_pairs(t, p) == [(3, 8, 2), (1, 7, 1), (8, 3, 1)]
    assert confused_pairs(t, p, most=1) == [(3, 8, 2)] and confused_pairs(t, t) == []


def test_filter_mosaic():
    weight = np.arange(2 * 3 * 2 * 2, dtype=np.float32).reshape(2, 3, 2, 2)
    mosaic = filter_mosaic(weight)
    assert mosaic.shape == (2, 5) and np.isnan(mosaic[:, 2]).all()
    assert mosaic[:, :2] == pytest.approx(weight[0].mean(axis=0)) and mosaic[:, 3:] == pytest.approx(
        weight[1].mean(axis=0))
    assert filter_mosaic(np.ones((64, 1, 3, 3))).shape == (15, 15)
    assert filter_mosaic(np.ones((1, 1, 5, 3))).shape == (5, 3)


def test_block_means():
    x, y = block_means([3.0, 1.0, 2.0])
    assert x.tolist() == [1, 2, 3] and y.tolist() == [3, 1, 2]
    x, y = block_means(np.arange(1, 6), most=3)
    assert x.tolist() == [1.5, 3.5, 5] and y.tolist() == [1.5, 3.5, 5]
    assert [len(part) for part in block_means(np.ones(5000))] == [295, 295]
    assert [len(part) for part in block_means([])] == [0, 0]


@pytest.mark.parametrize("value, below, above", [(1, 1, 1), (0.03, 0.02, 0.05), (7, 5, 10), (0.2, 0.2, 0.2),
                                                 (1234, 1000, 2000), (5e-7, 5e-7, 5e-7)])
def test_nice_numbers(value, below, above):
    assert nice_below(value) == pytest.approx(below) and nice_above(value) == pytest.approx(above)


def test_limits_hold_all_finite_numbers():
    for values in ([], [0.3], [2.3, 0.01, 1.1], [0.0, 2.0], [-3.0, 5.0], [math.nan, 0.5], [math.inf], [0.0],
                   [1e-30, 1e20]):
        for coarse in (False, True):
            scale, low, high = limits(values, coarse)
            finite = [v for v in values if math.isfinite(v) and v > 1e-12]
            assert low < high and all(low <= v <= high for v in finite) and (scale == "linear" or low > 0)
    assert limits([2.3, 0.03]) == ("log", pytest.approx(0.02), pytest.approx(5))
    assert limits([2.3, 0.03], coarse=True) == ("log", pytest.approx(0.01), pytest.approx(10))
    assert share_limits([0.55, 0.99])[0] == 0.5 and share_limits([0.55, 0.99], coarse=True)[0] == 0
    assert share_limits([]) == (0.0, 1.04) and share_limits([3.0, 7.0]) == (0.0, 10.0)


def test_duration():
    assert duration(2.2) == "3 s" and duration(125) == "2 min 5 s" and duration(0) == "0 s"


# Training

@pytest.mark.usefixtures("painted")
def test_training_is_the_same_with_and_without(dashboard, every_picture):
    model, history = train(dashboard)
    plain = network()
    expected = fit(plain, IMAGES, HELD, optimizer=Adam(plain.parameters(), lr=0.01), epochs=3, batch_size=50, seed=0,
                   progress=False)
    assert history.loss == expected.loss and history.validation_loss == expected.validation_loss
    assert np.array_equal(model(TEST.images).data, plain(TEST.images).data)
    assert dashboard.history is history and dashboard.pictures > 5


def test_the_picture_holds_what_the_history_holds(dashboard):
    model = network()
    optimizer = SGD(model.parameters(), lr=0.2)
    _, h = train(dashboard, model, epochs=4, optimizer=optimizer, schedule=StepLR(optimizer, 2, 0.1))
    for line, column in ((dashboard.train_loss, h.loss), (dashboard.held_loss, h.validation_loss),
                         (dashboard.train_metric, h.metric), (dashboard.held_metric, h.validation_metric),
                         (dashboard.rates, h.lr)):
        assert line.get_xdata().tolist() == [1, 2, 3, 4] and line.get_ydata() == pytest.approx(column)
        low, high = line.axes.get_ylim()
        assert all(low <= value <= high for value in column) and line.axes.get_xlim()[1] > 4
    assert dashboard.updates.get_ydata() == pytest.approx(h.batch_loss)
    assert dashboard.best_mark.get_xdata() == [h.best_epoch] and h.lr[-1] == pytest.approx(0.02)
    assert f"validation loss {h.validation_loss[-1]:.3f}" in dashboard.alt and "Epoch 4 of 4" in dashboard.alt
    z = model(TEST.images).data.argmax(axis=1)
    assert dashboard.confused == confused_pairs(TEST.t, z)
    a, b, n = dashboard.confused[0]
    assert dashboard.pairs[0].get_text() == f"{a} read as {b}" and dashboard.counts[0].get_text() == str(n)
    first = next(m for m in model.modules() if isinstance(m, Conv2d))
    assert np.nanmax(np.abs(dashboard.filters.get_array() - filter_mosaic(first.weight.data))) < 1e-6


def test_without_validation_convolution_or_metric(dashboard, every_picture):
    model = Sequential(Linear(64, 10, rng=0))
    train(dashboard, model, TRAIN, None)
    assert "no convolution" in dashboard.filters_note.get_text().replace("\n", " ")
    assert dashboard.pairs_note.get_text() == "no validation set" and "training loss so far" in dashboard.alt
    model = Sequential(Linear(64, 1, rng=0))
    column = (TRAIN.X, TRAIN.X[:, :1])
    train(dashboard, model, column, (TEST.X, TEST.X[:, :1]), loss=squared_loss, metric=None)
    assert dashboard.confused == [] and dashboard.message == "" and "nan" not in dashboard.alt


def test_class_names_and_a_second_run():
    dashboard = TrainingDashboard(class_names=[f"digit {k}" for k in range(10)])
    _, first = train(dashboard, epochs=2)
    assert "digit" in dashboard.pairs[0].get_text()
    _, second = train(dashboard, epochs=5)
    assert dashboard.history is second and len(dashboard.train_loss.get_xdata()) == 5 and "of 5" in dashboard.alt
    dashboard.close()


def test_as_a_callback_of_fit(every_picture):
    dashboard, model = TrainingDashboard(epochs=3, validation=HELD), network()
    history = fit(model, IMAGES, HELD, optimizer=Adam(model.parameters(), lr=0.01), epochs=3, batch_size=50, seed=0,
                  callbacks=[dashboard], batch_callbacks=[dashboard], progress=False)
    assert dashboard.history is history and len(dashboard.held_loss.get_xdata()) == 3 and dashboard.confused
    assert dashboard.stop_button.disabled and not dashboard._running
    dashboard.close()


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("where", ["callbacks", "batch_callbacks"])
def test_in_one_list_alone(where, every_picture):
    dashboard, model = TrainingDashboard(), network()
    history = fit(model, IMAGES, optimizer=Adam(model.parameters(), lr=0.01), epochs=3, batch_size=50, seed=0,
                  progress=False, **{where: [dashboard]})
    assert dashboard.history is history and dashboard.message == "" and dashboard.pictures
    dashboard._cell_ended()
    assert len(dashboard.train_loss.get_xdata()) == 3 and "Epoch 3:" in dashboard.alt
    dashboard.close()


# Stopping

def test_the_button_ends_after_the_update_and_the_best_weights_stay(dashboard):
    stop = At(9, dashboard.stop_button.click)  # six updates make an epoch
    model, history = train(dashboard, epochs=20, batch_callbacks=[stop])
    assert len(history.batch_loss) == 9 and len(history) == 2
    assert history.stopped.startswith("stopped by the button (the model has the weights of epoch")
    assert history.stopped.endswith("after epoch 2 of 20") and history.stopped in dashboard._caption_text
    assert dashboard.stop_button.disabled and dashboard.stop_button.description == "stop training"


@pytest.mark.parametrize("keep", [True, False])
def test_which_weights_are_kept(keep):
    dashboard, model, states = TrainingDashboard(keep_best=keep), network(), []

    def spoil(model, history):
        if len(history.batch_loss) == 14:  # in the third epoch: what follows must not be kept
            for parameter in model.parameters():
                parameter.data += 5

    def watch(model, history):
        states.append(model.state_dict())
        if len(history) == 3:
            dashboard.stop()

    train(dashboard, model, epochs=9, callbacks=[watch], batch_callbacks=[spoil])
    best = dashboard._best.epoch
    kept = states[best - 1] if keep else states[-1]
    assert len(states) == 3 and best == 2
    assert all(np.array_equal(kept[name], value) for name, value in model.state_dict().items())
    dashboard.close()


def test_the_button_from_another_thread(dashboard):
    began = threading.Event()
    thread = threading.Thread(target=lambda: (began.wait(20), dashboard.stop_button.click()))
    thread.start()
    slow = At(3, began.set)
    _, history = train(dashboard, epochs=500, batch_callbacks=[slow, lambda *_: time.sleep(0.002)])
    thread.join(20)
    assert history.stopped.startswith("stopped by the button") and len(history) < 500


def test_the_stop_square_ends_cleanly(dashboard):
    def interrupt():
        raise KeyboardInterrupt

    _, history = train(dashboard, epochs=20, batch_callbacks=[At(15, interrupt)])
    assert history.stopped.startswith("interrupted after 2 of 20 epochs") and "interrupted" in dashboard._caption_text
    assert not dashboard._running and len(dashboard.train_loss.get_xdata()) == 2


def test_an_interrupt_while_it_draws(dashboard, every_picture, monkeypatch):
    calls, refresh = [], TrainingDashboard.refresh

    def interrupted(self):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        refresh(self)

    monkeypatch.setattr(TrainingDashboard, "refresh", interrupted)
    _, history = train(dashboard, epochs=20)
    assert "interrupted after" in history.stopped and "interrupted" in dashboard._caption_text


@pytest.mark.usefixtures("painted")
def test_a_run_that_diverges_is_shown(dashboard):
    model = network()
    with pytest.raises(TrainingError):
        train(dashboard, model, optimizer=SGD(model.parameters(), lr=1e30))
    assert not dashboard._running and dashboard.picture and dashboard.message == ""
    _, history = train(dashboard)  # and the next run is as any
    assert len(dashboard.train_loss.get_xdata()) == 3 and history.stopped is None


def test_stop_without_a_run_does_nothing(dashboard):
    dashboard.stop()
    _, history = train(dashboard)
    assert history.stopped is None and len(history) == 3


def test_wrong_arguments_of_fit_leave_it_as_it_was(dashboard):
    with pytest.raises(TypeError):
        train(dashboard, callbacks=[3])
    assert "Nothing is trained yet" in dashboard.alt and not dashboard._running


@pytest.mark.parametrize("arguments, words", [({"epochs": 0}, "epochs"), ({"validation": 3}, "Dataset or a pair")])
def test_wrong_arguments(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        TrainingDashboard(**arguments)


# What it costs, and what is stored

@pytest.mark.usefixtures("painted")
def test_pictures_are_rationed(dashboard, monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()

    def looks():
        clock.now += 0.05  # a picture takes so long

    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(dashboard, "_look", looks)

    def update(model, history):
        clock.now += 0.01

    train(dashboard, epochs=100, batch_callbacks=[update])
    assert dashboard.pictures > 5
    assert dashboard.spent / (dashboard.spent + 6.0) < 0.08, "of 600 updates of a hundredth of a second"


def test_live_progress_and_nothing_of_it_in_what_is_stored(dashboard, every_picture):
    clock = []
    train(dashboard, callbacks=[lambda *_: clock.append(dashboard._clock.value)])
    assert "<progress max=\"18\"" in clock[1] and " of 3, update " in clock[1] and "left" in clock[1]
    bundle = dashboard._repr_mimebundle_()
    assert dashboard._clock.value == "" and " s left" not in bundle["text/html"]
    assert not re.search(r"\d", bundle["text/plain"]) and re.search(r"validation loss \d\.\d", bundle["text/html"])


def test_the_final_picture_does_not_depend_on_the_pictures_before(monkeypatch):
    pictures = []
    for pause in (0.0, 1e9):
        monkeypatch.setattr(module, "PAUSE", pause)
        monkeypatch.setattr(module, "RATION", 0.0)
        dashboard = TrainingDashboard()
        train(dashboard)
        pictures.append(dashboard._repr_mimebundle_())
        dashboard.close()
    assert all(pictures[0][kind] == pictures[1][kind] for kind in ("image/png", "text/html", "text/plain"))
