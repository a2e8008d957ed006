"""DrawDigit: draw a digit with mouse, finger or keys, and see at once what a trained network reads.

The drawing becomes an image in the way in which the training images were made, for a network knows no others. The
digits of scikit-learn were bitmaps of 32x32, filled from top to bottom, whose ink was counted in blocks of 4x4; those
of MNIST stand in a box of 20x20 within 28x28, their center of mass in the middle.
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import anywidget
import ipywidgets
import numpy as np
import traitlets

from nnlib import plots
from nnlib.autograd import Tensor
from nnlib.datasets import load_digits
from nnlib.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from nnlib.module import Module
from nnlib.optimizers import Adam
from nnlib.training import fit, predict
from nnlib.widgets.base import Explorer, LearnerError, button, checkbox, choice, learners, probabilities_of

SHAPES = (64,), (1, 8, 8), (784,), (1, 28, 28)  # of one image, in the order in which they are tried
MOST = 3  # models side by side
FINE = 4  # the bitmap has so many rows and columns in one of the image's


@dataclass(frozen=True)
class Frame:
    """How a data set's digits stand in their images: lengths are in pixels of the image."""

    box: float  # the longer side of a digit, its ink included
    by_mass: bool  # whether the center of mass is in the middle, or that of the box
    pen: float  # radius of the pen where the drawing does not decide it
    ink: float | None = None  # share of the image that ink covers, if it is nearly the same for all digits


FRAMES = {8: Frame(8, False, 0.75, 0.306), 28: Frame(20, True, 1.25)}
THINNEST, THICKEST = 0.35, 1.3  # radius of the pen that gives the right ink, in pixels


def _turn(center, radii, start, stop, n=24):
    """Points on an arc of an ellipse; angles in degrees, 0 to the right, 90 downward."""
    angle = np.deg2rad(np.linspace(start, stop, n))
    points = np.asarray(center) + np.asarray(radii) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return [tuple(p) for p in points.round(4).tolist()]


# One drawing of every digit: a list of strokes, each a list of points (x, y) from 0 to 1, y down.
EXAMPLES = {
    0: [_turn((0.5, 0.5), (0.2, 0.32), -80, 280, 40)],
    1: [[(0.4, 0.32), (0.54, 0.18), (0.54, 0.82)]],
    2: [[*_turn((0.49, 0.36), (0.2, 0.18), -165, 35), (0.3, 0.8), (0.72, 0.8)]],
    3: [[*_turn((0.47, 0.34), (0.18, 0.16), -150, 90), *_turn((0.47, 0.66), (0.21, 0.17), -90, 150)]],
    4: [[(0.5, 0.18), (0.27, 0.6), (0.74, 0.6)], [(0.6, 0.4), (0.56, 0.84)]],
    5: [[(0.7, 0.18), (0.38, 0.18), (0.35, 0.46), *_turn((0.47, 0.62), (0.22, 0.2), -110, 145)]],
    6: [[(0.52, 0.16), (0.4, 0.42), *_turn((0.5, 0.67), (0.15, 0.15), -175, 185, 36)]],
    7: [[(0.28, 0.2), (0.7, 0.2), (0.44, 0.84)], [(0.38, 0.52), (0.68, 0.52)]],
    8: [[*_turn((0.5, 0.34), (0.15, 0.16), -60, -270), *_turn((0.5, 0.66), (0.13, 0.16), -90, 270, 36),
         *_turn((0.5, 0.34), (0.15, 0.16), 90, -60)]],
    9: [[*_turn((0.5, 0.35), (0.17, 0.17), 20, -340, 36), (0.66, 0.4), (0.6, 0.84)]],
}


def strokes_of(drawing):
    """The strokes of a drawing as a list of arrays (n, 2), n >= 1, inside the pad; ValueError for what is none."""
    strokes = []
    try:
        for stroke in drawing:
            points = np.asarray(stroke, dtype=float)
            if points.size:
                if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
                    raise ValueError
                strokes.append(points.clip(0, 1))
    except (TypeError, ValueError):
        raise ValueError("to_digit: expected a drawing, a list of strokes, each a list of points (x, y) from 0 to 1; "
                         "try EXAMPLES[3]") from None
    return strokes


def thinned(points, gap):
    """Points (n, 2) without those nearer than `gap` to the one kept before; first and last stay."""
    kept = [points[0]]
    for point in points[1:-1]:
        if math.dist(point, kept[-1]) >= gap:
            kept.append(point)
    return np.array([*kept, points[-1]])


def bitmap(strokes, radius, size):
    """Where a round pen leaves ink: booleans (FINE * size, FINE * size). Strokes, radius: in pixels of the image."""
    side = FINE * size
    at = ((np.arange(side) + 0.5) / FINE).astype(np.float32)
    nearest = np.full(side * side, np.inf, dtype=np.float32)  # squared distance to the line
    x, y = np.tile(at, side), np.repeat(at, side)
    for stroke in strokes:
        points = thinned(stroke, radius / 2).astype(np.float32)
        for (ax, ay), (bx, by) in zip(points[:-1], points[1:]):  # a dot is a segment without length
            dx, dy = bx - ax, by - ay
            along = ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, np.float32(1e-9))
            np.clip(along, 0, 1, out=along)
            np.minimum(nearest, (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2, out=nearest)
    return (nearest <= radius * radius).reshape(side, side)


def counted_ink(bits):
    """A bitmap as an image: the share of ink in each block of FINE x FINE, from 0 to 1."""
    side = len(bits) // FINE
    return bits.reshape(side, FINE, side, FINE).mean(axis=(1, 3))


def placed(drawing, size=8, center=True):
    """A drawing where it stands in the image: (strokes in pixels, radius of the pen in pixels).

    Args: as of `to_digit`.
    """
    if size not in FRAMES:
        raise ValueError(f"to_digit: expected a size of 8 (digits) or 28 (MNIST) but got {size!r}")
    frame, strokes = FRAMES[size], strokes_of(drawing)
    if not strokes or not center:
        return [size * s for s in strokes], frame.pen
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)

    def standing(radius):
        scale = (frame.box - 2 * radius) / max(extent.max(), 1e-3)
        return [(s - low - extent / 2) * scale + size / 2 for s in strokes]

    radius = frame.pen
    if frame.ink is not None and extent.max() > 1e-3:
        thin, thick = THINNEST, THICKEST
        for _ in range(6):
            radius = (thin + thick) / 2
            ink = bitmap(standing(radius), radius, size).mean()
            thin, thick = (radius, thick) if ink < frame.ink else (thin, radius)
    strokes = standing(radius)
    if frame.by_mass:
        image = counted_ink(bitmap(strokes, radius, size))
        rows, columns = np.indices(image.shape) + 0.5
        mass = np.array([(image * columns).sum(), (image * rows).sum()]) / image.sum()
        strokes = [s + size / 2 - mass for s in strokes]
    return strokes, radius


def to_digit(drawing, size=8, center=True):
    """A drawing as an image like those of the data: (size, size), from 0 (paper) to 1 (ink).

    Args:
        drawing: a list of strokes, each a list of points (x, y) from 0 to 1, y down; `EXAMPLES` has ten.
        size: 8 for scikit-learn's digits, 28 for MNIST.   center: crop, scale and center as in the data; else the pad
            is made smaller as it is.
    An 8x8 digit fills its image in the longer direction, and the pen is as wide as gives the usual amount of ink. A
    28x28 digit is 20 pixels long, its center of mass in the middle. An empty drawing is an image of zeros.
    Source: Alpaydin and Kaynak (1998), LeCun, Cortes and Burges (MNIST, 1998).
    """
    strokes, radius = placed(drawing, size, center)
    return counted_ink(bitmap(strokes, radius, size))


def probabilities(model, image, shape, prepare=None, name="the model"):
    """What a model makes of an image: one probability for each class, (classes,).

    Args:
        model: a Module, which is asked in evaluation mode, or any function of a batch.   image: (size, size), 0 to 1.
        shape: of one image as the model takes it, e.g. (64,) or (1, 8, 8).   prepare: X -> X, for the batch before.
    The answer may be scores, of which softmax makes probabilities, or probabilities: not negative, with the sum 1.
    Raises LearnerError for what the model or `prepare` raises, and for other answers.
    """
    X = image.reshape(1, *shape)
    if prepare is not None:
        X = learners(prepare, f"prepare of {name}" if name != "the model" else "prepare")(X)
    ask = functools.partial(predict, model) if isinstance(model, Module) else model
    answer = learners(lambda X: ask(X), name)(X)
    try:
        z = np.array(answer.data if isinstance(answer, Tensor) else answer, dtype=float)
    except (TypeError, ValueError):
        raise LearnerError(f"{name}: expected scores of shape (1, classes) but got {type(answer).__name__}") from None
    if z.ndim not in (1, 2) or z.shape[:-1] not in ((), (1,)) or z.shape[-1] < 2:
        raise LearnerError(f"{name}: expected scores of shape (1, classes), two classes at least, but got shape "
                           f"{z.shape}" + (" (None: is there a return at its end?)" if answer is None else ""))
    z = z.ravel()
    if not np.isfinite(z).all():
        raise LearnerError(f"{name}: expected finite scores but got {np.array2string(z, precision=3)}")
    return probabilities_of(z)


def shape_taken(model, prepare=None, name="the model"):
    """The first of SHAPES that the model takes; LearnerError with its own words when it takes none."""
    first = next((m for m in model.modules() if isinstance(m, (Linear, Conv2d))), None) \
        if isinstance(model, Module) else None
    likely = SHAPES[1] if isinstance(first, Conv2d) else SHAPES[0]
    said = {}
    for shape in SHAPES:
        try:
            probabilities(model, np.zeros(math.prod(shape)), shape, prepare, name)
        except LearnerError as error:
            said[shape] = error
        else:
            return shape
    raise LearnerError(f"{name} takes none of the shapes {', '.join(map(str, SHAPES))} for one image; try "
                       f"DrawDigit(model, shape=(1, 8, 8)). With {likely} it stops: {said[likely]}")


@functools.cache
def small_network():
    """A convolutional network for the 8x8 digits, trained in a second or two, for DrawDigit without a model."""
    rng, data = np.random.default_rng(0), load_digits()
    model = Sequential(Conv2d(1, 8, 3, padding=1, rng=rng), ReLU(), MaxPool2d(2), Flatten(), Linear(128, 10, rng=rng))
    fit(model, (data.images, data.t), optimizer=Adam(model.parameters(), lr=0.01), epochs=6, batch_size=64, seed=0,
        progress=False)
    return model


class DrawingPad(anywidget.AnyWidget):
    """The paper to draw on; `value` is the drawing. The browser's part is in draw_digit.js, beside this file."""

    _esm = Path(__file__).with_name("draw_digit.js").read_text(encoding="utf-8")
    value = traitlets.List().tag(sync=True)
    example = traitlets.Bool(False).tag(sync=True)  # not drawn by hand: the first stroke replaces it
    description = traitlets.Unicode("drawing pad").tag(sync=True)
    tooltip = traitlets.Unicode("draw with mouse, finger, pen or keys")


class DrawDigit(Explorer):
    """Draw a digit: see it as the network sees it, and the probability that the network gives to each class.

    Args:
        models: a Module, or any function of a batch of images, that answers with scores or probabilities (1, classes);
            or {name: model} of up to three, shown side by side. None: a small network, trained at once.
        shape: of one image as the model takes it, or {name: shape}; None: the first it takes of (64,), (1, 8, 8),
            (784,) and (1, 28, 28).   prepare: X -> X, what the training images went through (a Normalizer, say).
        goal: a probability from 0.5 to 1, with which every class in turn is to be read by the last of the models.
        drawing: a digit whose example is on the pad at first.   center: how the box "center and scale" begins.
        class_names: names of the classes in their order, if they are not 0, 1, 2 ...
    What a model raises is shown in the explorer; wrong arguments raise ValueError.
    """

    _lead = "The model stopped:"

    def __init__(self, models=None, *, shape=None, prepare=None, goal=None, drawing=None, center=True,
                 class_names=None):
        models = small_network() if models is None else models
        self.models = dict(models) if isinstance(models, dict) else {"the network": models}
        if not 1 <= len(self.models) <= MOST or not all(callable(m) for m in self.models.values()):
            raise ValueError(f"DrawDigit: expected a model that can be called, or a dict of 1 to {MOST} of them, but "
                             f"got {models!r}"[:300])
        self.shapes = {str(n): shape[n] if isinstance(shape, dict) and n in shape else shape for n in self.models}
        if isinstance(shape, dict):
            self.shapes = {n: None if s is shape else s for n, s in self.shapes.items()}
        self.models = {str(n): m for n, m in self.models.items()}
        for s in filter(None, self.shapes.values()):
            if tuple(s) not in SHAPES:
                raise ValueError(f"DrawDigit: expected a shape of {', '.join(map(str, SHAPES))} but got {s!r}")
        if goal is not None and not 0.5 <= goal < 1:
            raise ValueError(f"DrawDigit: expected a goal of 0.5 up to 1, a probability, but got {goal!r}; try 0.8")
        if drawing is not None and drawing not in EXAMPLES:
            raise ValueError(f"DrawDigit: expected drawing to be a digit from 0 to 9 or None but got {drawing!r}")
        if prepare is not None and not callable(prepare):
            raise ValueError(f"DrawDigit: expected prepare to be a function of X but got {type(prepare).__name__}")
        self.prepare, self.goal, self.read = prepare, goal, set()
        self.names = self._class_names(class_names)
        self.image, self.results = np.zeros((8, 8)), {}
        self.pad = DrawingPad(value=[[list(p) for p in s] for s in EXAMPLES.get(drawing, ())],
                              example=drawing is not None)
        self.undo_button = button("undo", self.undo, "take back the last stroke")
        self.clear_button = button("clear", self.clear, "a new sheet of paper")
        self.center = checkbox("center and scale", bool(center),
                               "make the drawing as large, as central and as thick as the training data are")
        self.meant = choice("you draw", {n: k for k, n in enumerate(self.names)},
                            tooltip="the class that you are about to draw, for the goal")
        figure = self._make_artists()
        self.assemble(figure, [[self.pad], [self.undo_button, self.clear_button, self.center],
                               *([[self.meant]] if goal else [])],
                      [self.seen, self.pen_line, self.title, *(a for panel in self.panels.values()
                                                               for a in (*panel.bars, *panel.texts, panel.title))],
                      goal=f"draw each of {', '.join(self.names)} and have it read with more than {goal:g}"
                      if goal else None)
        self._arrange()

    def _class_names(self, class_names):
        """Names for the bars: given ones, else numbers, as many as the first model that answers has classes."""
        if class_names is not None:
            return [str(n) for n in class_names]
        for name, model in self.models.items():
            try:
                shape = self._shape_of(name)
                return [str(k) for k in range(len(probabilities(model, np.zeros(math.prod(shape)), shape,
                                                                self.prepare)))]
            except LearnerError:
                pass  # told in the explorer
        return [str(k) for k in range(10)]

    def _shape_of(self, name):
        if self.shapes[name] is None:
            self.shapes[name] = shape_taken(self.models[name], self.prepare, name)
        return tuple(self.shapes[name])

    def _make_artists(self):
        n = len(self.models)
        figure, (paper, *panels) = plots.subplots(
            1, 1 + n, width=2.7 + 2.5 * n, height=3.3, gridspec_kw={"width_ratios": [1.15] + [1] * n})
        self.paper, self.panels = paper, {}
        self.seen = paper.imshow(np.zeros((8, 8)), cmap="gray_r", vmin=0, vmax=1, extent=(0, 1, 1, 0))
        self.pen_line, = paper.plot([], [], color=plots.VERMILION, linewidth=1.3)
        self.title = paper.set_title("what it sees: 28x28")
        paper.set(xticks=[], yticks=[], xlabel="ink from 0 (white) to 1 (black)")
        paper.grid(False)
        rows = np.arange(len(self.names))
        for name, ax in zip(self.models, panels):
            bars = ax.barh(rows, 0 * rows, height=0.66, color=plots.GRAY, edgecolor=plots.INK, linewidth=0.8)
            texts = [ax.text(0, row, "", va="center", fontsize=9) for row in rows]
            ax.set(xlim=(0, 1.28), ylim=(len(rows) - 0.4, -0.6), yticks=rows, yticklabels=self.names,
                   xticks=[0, 0.5, 1], xlabel="probability")
            ax.grid(axis="y", visible=False)
            self.panels[name] = Panel(bars.patches, texts, ax.set_title(name[:22]))
        return figure

    def _arrange(self):
        """The pad stands beside the picture; beside the words, where the bars of several models need the width."""
        (pad, buttons, *goal), (picture, *words) = self.children[:-3], self.children[-3:]
        beside = {"flex": "1 1 420px", "min_width": "0"}
        wrap = {"flex_flow": "row wrap", "align_items": "flex-start"}
        pad.layout.margin = "0 12px 0 0"
        if len(self.models) == 1:
            buttons.layout.max_width = "250px"
            self.children = [ipywidgets.HBox([ipywidgets.VBox([pad, buttons]),
                                              ipywidgets.VBox([*goal, picture, *words], layout=beside)], layout=wrap)]
        else:
            self.children = [ipywidgets.HBox([pad, ipywidgets.VBox([buttons, *goal, *words], layout=beside)],
                                             layout=wrap), picture]

    def undo(self):
        """Take back the last stroke."""
        self._draw(() if self.pad.example else self.pad.value[:-1])

    def clear(self):
        """Take a new sheet of paper; after a class that was read, the next one is meant."""
        self._draw(())

    def draw(self, drawing):
        """Put a drawing on the pad, in place of what is there: a digit with an example, or a list of strokes."""
        self._draw(EXAMPLES[drawing] if isinstance(drawing, int) else strokes_of(drawing))

    def _draw(self, strokes):
        self.pad.example = False
        self.pad.value = [[[float(x), float(y)] for x, y in s] for s in strokes]

    def update(self):
        """Make an image of the drawing, ask the models, and show their answers."""
        drawing, before, self.results, failed = self.pad.value, self.results, {}, None
        if before and not drawing and self.meant.value in self.read and len(self.read) < len(self.names):
            with self.setting_controls():
                self.meant.value = next(k for k in range(len(self.names)) if k not in self.read)
        for name, model in self.models.items():
            try:
                shape = self._shape_of(name)
                image = to_digit(drawing, math.isqrt(math.prod(shape)), self.center.value)
                self.image = image
                if drawing:
                    p = probabilities(model, image, shape, self.prepare, name)
                    if len(p) != len(self.names):
                        raise LearnerError(f"{name}: expected {len(self.names)} classes but got {len(p)}; try "
                                           "class_names=...")
                    self.results[name] = p
            except LearnerError as error:
                failed = failed or error
        if failed:
            raise failed
        self._show_paper(drawing)
        for name, panel in self.panels.items():
            panel.show(self.results.get(name))
        self._judge()

    def _show_paper(self, drawing):
        size = len(self.image)
        strokes, _ = placed(drawing, size, self.center.value)
        self.seen.set_data(self.image)
        gap = [[np.nan, np.nan]]
        line = np.concatenate([part for s in strokes for part in (s / size, gap)]) if strokes else np.empty((0, 2))
        self.pen_line.set_data(*line.T)
        self.title.set_text(f"what it sees: {size}x{size}")

    def _judge(self):
        words = [f"{name} reads {self.names[p.argmax()]} with probability {p.max():.2f}"
                 + (f", then {self.names[p.argsort()[-2]]} with {np.sort(p)[-2]:.2f}" if p.max() < 0.995 else "")
                 for name, p in self.results.items()]
        self.say(("An example; your first stroke replaces it. " if self.pad.example and words else "")
                 + ("; ".join(words)[:1].upper() + "; ".join(words)[1:] + "." if words
                    else "The paper is empty: draw a digit on the pad."))
        if not self.goal:
            return
        target = self.meant.value
        p = list(self.results.values())[-1][target] if self.results else 0.0
        if p > self.goal and not self.pad.example:
            self.read.add(target)
        done = len(self.read) == len(self.names)
        names = ", ".join(self.names[k] for k in sorted(self.read)) or "none"
        self.report_goal(done, f"Read so far: {names}." + (
            "" if done else f" {self.names[target]} is read: press clear for the next." if target in self.read
            else f" Now draw a {self.names[target]}" + (f": its probability is {p:.2f}." if self.results else ".")))

    def describe(self):
        """Alternative text: the image's size, and what each model reads."""
        size = f"{len(self.image)}x{len(self.image)} pixels"
        if not self.results:
            return (f"An empty sheet of {size}, and beside it bars without length, one for each of the classes "
                    f"{', '.join(self.names)}: nothing is drawn yet.")
        parts = [f"{name} reads {self.names[p.argmax()]}: "
                 + ", ".join(f"{n} {v:.2f}" for n, v in zip(self.names, p)) for name, p in self.results.items()]
        return (f"The drawing as an image of {size}, {'centered and scaled' if self.center.value else 'as drawn'}, its "
                f"line over it, and bars of probability for every class; {'; '.join(parts)}.")

    def _repr_mimebundle_(self, **kwargs):
        """As every explorer's; but the plain text, which tests compare, holds no probability of this machine."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if self.results:
            bundle["text/plain"] = (f"DrawDigit: a drawing as an image of {len(self.image)}x{len(self.image)} pixels, "
                                    f"and bars of probability for the classes {', '.join(self.names)}.")
        return bundle


@dataclass
class Panel:
    """The bars of one model."""

    bars: list
    texts: list
    title: object

    def show(self, p):
        """Set them to probabilities, or to nothing for None."""
        for k, (bar, text) in enumerate(zip(self.bars, self.texts)):
            value = 0.0 if p is None else p[k]
            first = p is not None and k == p.argmax()
            bar.set(width=value, facecolor=plots.GREEN if first else plots.GRAY)
            text.set(x=value + 0.03, text="" if p is None else f"{value:.2f}", weight="bold" if first else "normal")
