"""Playground: build a small network, watch every neuron while it learns, and find out what each setting does."""

import time
import weakref
from dataclasses import replace

import ipywidgets
import numpy as np

from nnlib.widgets.base import Explorer, Player, button, checkbox, choice, one_at_a_time, slider
from nnlib.widgets.descent import counted
from nnlib.widgets.playground_diagram import Diagram, in_digits
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
    STRENGTHS,
    NetworkGoal,
    Settings,
    Training,
    decimal,
    own_activation,
    with_feature,
)

PERIOD, PAUSE = 0.05, 0.005  # seconds from frame to frame at best; at least this long the kernel may do other things
SILENCE = 2.0  # seconds between the words while it plays: a screen reader reads them out
LONGEST = 10_000  # frames after which it pauses by itself: perhaps nobody looks any more
ROWS = (("problem", "data", "regenerate"), ("noise", "train", "batch"), ("features",), ("layers",),
        ("activation", "optimizer"), ("rate", "momentum", "seed"), ("regularization", "strength", "frame"),
        ("inspect",), ("text",), ("test", "discretize"))
NAMES = tuple(name for row in ROWS for name in row)
PLAIN = ("data", "noise", "train", "batch", "activation", "optimizer", "rate", "momentum", "seed", "regularization",
         "strength", "frame")  # settings that have one control, which holds their value
FEW = ("data", "layers", "activation", "rate")


def _narrow(control, width="265px", label="100px"):
    control.layout.width, control.style.description_width = width, label
    return control


def _pick(label, options, value, tooltip):
    """A slider over a few numbers."""
    return _narrow(ipywidgets.SelectionSlider(options=[(decimal(v), v) for v in options], value=value,
                                              description=label, tooltip=tooltip))


class Playground(Explorer):
    """A network on examples in the plane: every neuron shows its answers, every edge its weight, while it learns.

    Orange is positive and solid, blue negative and dashed; an edge is as wide as its weight is large; a triangle in a
    neuron's corner points up for a positive bias, down for a negative one; test examples have a thick edge.

    Args:
        text: settings, such as "data=spiral&layers=8,8&activation=relu"; the explorer shows the text of its own. A
            link of the TensorFlow Playground does as well.
        show: "all" controls, "few" for a first meeting, or a list of names from NAMES.
        activation: your own, of a Tensor and made of nnlib's operations; or a pair (function, derivative) of arrays.
        goal: dict(loss=0.05) for the test loss, also with epochs, neurons, data, features, noise: see `NetworkGoal`.
    Attributes: `settings`; `training`, with the network (`training.network`) and its losses.
    Raises ValueError for a text, a show, an activation or a goal that means nothing.
    """

    _all = weakref.WeakSet()

    def __init__(self, text="", show="all", activation=None, goal=None):
        self.own = None if activation is None else own_activation(activation)
        try:
            self.settings = Settings.from_text(text, own=self.own is not None)
        except ValueError as error:
            raise ValueError(f"Playground: {error}") from None
        if self.own and "activation=" not in text:
            self.settings = replace(self.settings, activation="own")
        self._target = None if goal is None else NetworkGoal.of(goal)
        self.training, self._steps, self._frames, self._told, self._note = None, False, 0, 0.0, ""
        self.player = Player(self.on_step, self.on_reset, on_stop=self._on_stop)
        for other in self._all:  # one that was replaced by running its cell again would play on unseen
            other.player.pause()
        self._all.add(self)
        self._make_controls()
        self.diagram = Diagram()
        self.assemble(self.diagram.figure, self._rows(show), self.diagram.animated,
                      goal=None if goal is None else str(self._target))

    def _make_controls(self):
        s = self.settings
        self.problem = choice("problem", ["classification", "regression"], s.problem,
                              tooltip="tell classes apart, or predict heights")
        self.data = choice("data", list(DATA), s.data, tooltip="what the network has to learn")
        self.noise = slider("noise", 0, 50, s.noise, step=5, unit="%", tooltip="how far chance moves the examples")
        self.train = slider("train on", 10, 90, s.train, step=10, unit="%",
                            tooltip="how many of the examples are trained on; the others test the network")
        self.batch = slider("batch size", 1, 100, s.batch, tooltip="how many examples one step looks at")
        self.regenerate = button("new data", self._regenerate, "draw other examples of the same kind")
        self.features = {name: checkbox(label, name in s.features, f"let the network see {label} of every example")
                         for name, (label, _) in FEATURES.items()}
        self.depth = slider("hidden layers", 0, MOST_LAYERS, len(s.layers), tooltip="how many layers are hidden")
        self.neurons = [_narrow(slider(f"layer {k + 1}", 1, MOST_NEURONS, 4,
                                       tooltip=f"how many neurons hidden layer {k + 1} has"), "200px", "60px")
                        for k in range(MOST_LAYERS)]
        own = {"yours": "own"} if self.own else {}
        self.activation = choice("activation", {name: name for name in ACTIVATIONS} | own, s.activation,
                                 tooltip="the function that every hidden neuron applies to its sum")
        self.optimizer = choice("optimizer", OPTIMIZERS, s.optimizer, tooltip="the rule by which weights follow slopes")
        self.rate = _pick("learning rate", RATES, s.rate, "how far one step goes")
        self.momentum = slider("momentum", 0.0, 0.99, s.momentum, step=0.01,
                               tooltip="what stays of the velocity, for SGD, Nesterov and RMSprop")
        self.seed = slider("weights", 0, 99, s.seed, unit="seed", tooltip="another number gives other initial weights")
        self.regularization = choice("regularization", ["none", "L1", "L2"], s.regularization,
                                     tooltip="a pull of all weights toward 0; L1 reaches it")
        self.strength = _pick("strength", STRENGTHS, s.strength, "how strong the regularization pulls")
        self.frame = choice("steps per frame", {"1": "1", "5": "5", "25": "25", "100": "100", "an epoch": "epoch"},
                            s.frame, tooltip="how many steps lie between two pictures; an epoch sees each example once")
        self.test = checkbox("show test data", s.test == "yes", "draw the examples that are not trained on, too")
        self.discretize = checkbox("two colors", s.discretize == "yes", "show only the sign of the answers")
        self.inspect = checkbox("inspect", False, "mark the neuron and weight that the next sliders choose")
        self.enlarge = checkbox("on the large map", False, "show the map of the inspected neuron large")
        self.layer = slider("layer", 1, 1, 1, tooltip="the layer of the inspected neuron; the last is the output")
        self.neuron = slider("neuron", 1, 1, 1, tooltip="which neuron of that layer, counted from the top")
        self.source = slider("input", 0, 1, 0, tooltip="which of its inputs, counted from the top; 0 is its bias")
        self.value = ipywidgets.FloatText(0.0, description="value", step=0.1,
                                          tooltip="the number that the button gives the inspected weight")
        self.set_weight = button("set the weight", self._set_weight, "give the inspected weight the new value")
        self.text = ipywidgets.Text(str(s), description="settings", continuous_update=False,
                                    tooltip="copy this text to keep the settings; another text, and Enter, sets them",
                                    layout={"width": "720px", "max_width": "100%"})
        for control in (self.noise, self.train, self.batch, self.depth, self.momentum, self.seed):
            _narrow(control)
        for control in (self.layer, self.neuron, self.source, self.value):
            _narrow(control, "180px", "65px")
        self._show_settings()

    def _rows(self, show):
        """The rows of controls to be shown."""
        names = {"all": NAMES, "few": FEW}.get(show, show) if isinstance(show, str) else tuple(show)
        if isinstance(names, str) or not set(names) <= set(NAMES):
            raise ValueError(f"Playground: expected show to be 'all', 'few' or a list of {', '.join(NAMES)} but got "
                             f"{show!r}")
        several = {"features": [ipywidgets.HTML(description="features", tooltip="what the network sees of an example",
                                                style={"description_width": "100px"}), *self.features.values()],
                   "layers": [self.depth, *self.neurons],
                   "inspect": [self.inspect, self.layer, self.neuron, self.source, self.value, self.set_weight,
                               self.enlarge]}
        *rows, last = [[c for name in row if name in names for c in several.get(name, [getattr(self, name, None)])]
                       for row in ROWS]
        return [*filter(None, rows), [self.player, *last]]

    # From the controls to the settings, and back

    def _changed(self, change):
        self._note = ""
        if change.owner is self.text:
            try:
                wanted = Settings.from_text(change.new, own=self.own is not None)
            except ValueError as error:
                self._note, wanted = f"These settings were not taken over: {error}.", self.settings
        else:
            wanted = self._read(change.owner)
            if wanted == self.settings and change.owner in self.features.values():
                self._note = "At least one feature has to stay: the network must see something."
        self._take(wanted, keep_text=change.owner is self.text and bool(self._note))

    def _take(self, wanted, keep_text=False):
        """Go on with these settings; where they need a new start, playing ends."""
        if self.settings.restarts(wanted):
            self.player.pause()
        self.settings = wanted
        self._show_settings(keep_text)
        self.refresh()

    def _read(self, owner):
        """The settings after one control was moved."""
        s = self.settings
        for name, box in self.features.items():
            if owner is box:
                return with_feature(s, name, box.value)
        if owner is self.depth or owner in self.neurons:
            return replace(s, layers=tuple(control.value for control in self.neurons[:self.depth.value]))
        if owner is self.problem:
            return replace(s, data=next(iter(CLASSIFICATION if owner.value == "classification" else REGRESSION)))
        for name in ("test", "discretize"):
            if owner is getattr(self, name):
                return replace(s, **{name: "yes" if owner.value else "no"})
        for name in PLAIN:
            if owner is getattr(self, name):
                value = round(owner.value, 2) if name == "momentum" else owner.value
                return replace(s, **{name: value})
        return s  # what is inspected is no setting

    def _show_settings(self, keep_text=False):
        """Let every control show the settings."""
        s = self.settings
        with self.setting_controls():
            self.problem.value = s.problem
            options = list(CLASSIFICATION if s.problem == "classification" else REGRESSION)
            if list(self.data.options) != options:
                self.data.options = options
            for name in PLAIN:
                getattr(self, name).value = getattr(s, name)
            self.test.value, self.discretize.value = s.test == "yes", s.discretize == "yes"
            for name, box in self.features.items():
                box.value = name in s.features
            self.depth.value = len(s.layers)
            for k, control in enumerate(self.neurons):
                control.layout.display = None if k < len(s.layers) else "none"
                if k < len(s.layers):
                    control.value = s.layers[k]
            sizes = [len(s.features), *s.layers, 1]
            self.layer.max = len(sizes) - 1
            self.neuron.max = sizes[self.layer.value]
            self.source.max = sizes[self.layer.value - 1]
            if not keep_text:
                self.text.value = str(s)

    @one_at_a_time
    def _regenerate(self):
        self._note = ""
        self._take(replace(self.settings, sample=(self.settings.sample + 1) % 1000))

    # Training

    @one_at_a_time
    def on_step(self):
        """Train for one frame and show it. Returns whether another frame makes sense."""
        began = time.monotonic()
        self._steps, self._frames, self._note = True, self._frames + 1 if self.player.playing else 0, ""
        self.refresh()
        self.player.interval = max(PAUSE, PERIOD - (time.monotonic() - began))
        return not self.message and self.training.diverged is None and self._frames < LONGEST

    def _on_stop(self):
        """Say what was left out while it played."""
        self._frames = 0
        self.refresh()

    @one_at_a_time
    def on_reset(self):
        """Go back to the initial weights."""
        self.training, self._note = None, ""
        self.refresh()

    def close(self):
        """Stop playing, and give the widget back."""
        if "player" in vars(self):  # not where the arguments were wrong
            self.player.pause()
        super().close()

    @property
    def _place(self):
        """The inspected weight, as `Training.weight` takes it."""
        source = self.source.value
        return self.layer.value - 1, self.neuron.value - 1, source - 1 if source else None

    @property
    def _large(self):
        """(layer, neuron) of the hidden neuron on the large map, or None for the output."""
        layer, neuron, _ = self._place
        hidden = layer < len(self.settings.layers)
        return (layer, neuron) if self.inspect.value and self.enlarge.value and hidden else None

    @one_at_a_time
    def _set_weight(self):
        value, self._note = self.value.value, ""
        if self.training is None or not self.inspect.value:
            self._note = "Tick inspect, and choose a weight by layer, neuron and input."
        elif not (np.isfinite(value) and abs(value) <= 100):
            self._note = f"Expected a number from -100 to 100 but got {value:g}."
        elif not self.training.set_weight(*self._place, value):
            self._note = f"With {value:g} a number would overflow: the weight stays as it was."
        self.refresh()

    def lay_out(self):
        """Nothing to do: every place in the diagram is counted in pixels."""

    def update(self):
        """Take over the settings, train if that is asked for, and show the network."""
        steps, self._steps = self._steps, False
        if self.training is None or not self.training.change(self.settings):
            self.training = None  # should the learner's function stop it here, the next change tries anew
            self.training = Training(self.settings, self.own)
        if steps:
            self.training.advance(FRAMES[self.settings.frame])
        if self.diagram.arrange(self.training, self._large):
            self.background_changed()
        self.diagram.show(self.training, self._large, self._place if self.inspect.value else None)
        self._tell()

    # Words

    def _tell(self):
        if self.player.playing and time.monotonic() - self._told < SILENCE and self.training.diverged is None:
            return
        self._told = time.monotonic()
        self.say(" ".join(filter(None, [self._note, self._losses_in_words(), self._warnings(), self._inspected()])))
        if self._target:
            missed, best = self._target.missed_by(self.settings), self.training.records[-1][1]
            at = self.training.reached_at(self._target)
            self.report_goal(at is not None, missed or (
                f"Reached at epoch {at:.4g}." if at is not None else f"The lowest test loss so far is {best:.3f}."))

    def _losses_in_words(self):
        t, a = self.training, self.training.answers
        right = "" if a.right_train is None else f" Right: {a.right_train:.1%} and {a.right_test:.1%}."
        return (f"Epoch {t.epoch:.4g} ({counted(t.steps, 'step')}): the loss is {in_digits(a.train)} on "
                f"{counted(len(t.points[0]), 'training example')} and {in_digits(a.test)} on "
                f"{counted(len(t.points[1]), 'test example')}.{right}")

    def _warnings(self):
        t, a, s = self.training, self.training.answers, self.settings
        if t.diverged is not None:
            return (f"It diverged: at step {t.diverged} a number became too large. The picture shows the weights of "
                    f"the frame before; press reset and choose a lower rate than {decimal(s.rate)}.")
        parts = []
        if t.epoch >= 3 and a.train > t.losses[0][0]:
            parts.append("The training loss is higher than at the start: is the rate too large?")
        elif a.test > 1.5 * a.train and a.test > a.train + 0.03:
            parts.append("The test loss is far above the training loss: the network over-fits.")
        if a.silent:
            parts.append(f"{counted(a.silent, 'hidden neuron')} {'gives' if a.silent == 1 else 'give'} the same answer "
                         "to every training example.")
        return " ".join(parts)

    def _inspected(self):
        if not self.inspect.value:
            return ""
        layer, neuron, source = self._place
        last, features = layer == len(self.settings.layers), self.settings.features
        name = "the output" if last else f"layer {layer + 1}, neuron {neuron + 1}"
        value = self.training.weight(layer, neuron, source)
        if source is None:
            return f"Inspected: the bias of {name} is {value:+.4f}."
        origin = FEATURES[features[source]][0] if not layer else f"neuron {source + 1} of layer {layer}"
        return f"Inspected: the weight of {name} for {origin} is {value:+.4f}."

    def describe(self):
        """Alternative text: data, network, epoch and losses."""
        s, t, a = self.settings, self.training, self.training.answers
        names = ", ".join(FEATURES[name][0] for name in s.features)
        kind = "your activation" if s.activation == "own" else s.activation
        hidden = (f"{counted(len(s.layers), 'hidden layer')} of {', '.join(map(str, s.layers))} "
                  f"neuron{'' if s.layers == (1,) else 's'} ({kind})"
                  if s.layers else "no hidden layer")
        right = "" if a.right_test is None else f", {a.right_test:.0%} of the test examples right"
        end = "" if t.diverged is None else f" It diverged at step {t.diverged}."
        test = ", test examples with a thick edge," if s.test == "yes" else ","
        large = "the output" if self._large is None else "neuron {1} of layer {0}".format(*np.add(self._large, 1))
        return (f"A network drawn from left to right: the features {names}, {hidden}, and one output; each neuron is a "
                f"small map of its answers over the plane, each edge a weight, orange and solid if positive, blue and "
                f"dashed if negative. At the right the map of {large} under the data, {DATA[s.data]}{test} and the "
                f"loss curves. Epoch {t.epoch:.4g}: training loss {in_digits(a.train)}, test loss {in_digits(a.test)}"
                f"{right}.{end}")
