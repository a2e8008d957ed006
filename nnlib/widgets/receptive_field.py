"""ReceptiveFieldExplorer: how much of the image one unit sees, by the formula and by the gradient of a network."""

import math
import re
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle

from nnlib import layers as nn
from nnlib import plots
from nnlib.autograd import Tensor
from nnlib.plots.convolution import seen_by
from nnlib.widgets.base import Explorer, LearnerError, button, choice, learners, slider
from nnlib.widgets.finite_difference import read_number
from nnlib.widgets.images import APART, let_reach, scene_of

IMAGES = {"temple": "large temple", "flower": "large flower"}
MOST_LAYERS, MOST_KERNEL, MOST_STRIDE = 6, 7, 4
KINDS = "conv", "pool"


@dataclass(frozen=True)
class Layer:
    """A convolution or a pooling without padding, one channel in and one out."""

    kind: str
    kernel: int
    stride: int

    def __str__(self):
        usual = 1 if self.kind == "conv" else self.kernel
        return f"{self.kind}{self.kernel}" + (f"/{self.stride}" if self.stride != usual else "")

    @property
    def weights(self):
        """How many weights it learns, bias not counted."""
        return self.kernel ** 2 if self.kind == "conv" else 0


@dataclass(frozen=True)
class FieldGoal:
    """A unit that sees `field` pixels each way or more, with few weights, some convolutions and enough outputs."""

    field: int = 20
    weights: int = 30
    outputs: int = 1
    convolutions: int = 0

    def __str__(self):
        parts = [f"at most {self.weights} weights"]
        if self.convolutions:
            parts.append(f"{self.convolutions} convolutions or more (1 × 1 does not count)")
        if self.outputs > 1:
            parts.append(f"{self.outputs} × {self.outputs} units or more in the output")
        return f"let a unit see {self.field} × {self.field} pixels or more, with {', '.join(parts)}"

    def reached(self, layers, size):
        """Whether these layers reach it on an image of this size."""
        convolutions = sum(layer.kind == "conv" and layer.kernel > 1 for layer in layers)
        return (fields_of(layers)[-1][0] >= self.field and weights_of(layers) <= self.weights
                and sizes_of(layers, size)[-1] >= self.outputs and convolutions >= self.convolutions)


def read_layers(text):
    """Layers from a text such as "conv3 conv5/2 pool2": kind, kernel, and after / a stride.

    Without it, a convolution has stride 1 and a pooling that of its window. Raises ValueError for another text.
    """
    words = text.replace(",", " ").split() if isinstance(text, str) else []
    found = [re.fullmatch(r"(conv|pool)(\d+)(?:/(\d+))?", word) for word in words]
    if not 1 <= len(words) <= MOST_LAYERS or None in found:
        raise ValueError(f"ReceptiveFieldExplorer: expected 1 to {MOST_LAYERS} layers such as 'conv3 conv5/2 pool2' "
                         f"but got {text!r}")
    layers = [Layer(m[1], int(m[2]), int(m[3] or (1 if m[1] == "conv" else m[2]))) for m in found]
    for layer in layers:
        if not (1 <= layer.kernel <= MOST_KERNEL and 1 <= layer.stride <= (
                MOST_KERNEL if layer.kind == "pool" else MOST_STRIDE)):
            raise ValueError(f"ReceptiveFieldExplorer: expected kernels of 1 to {MOST_KERNEL} and strides of 1 to "
                             f"{MOST_STRIDE} but got {layer}")
    return layers


def fields_of(layers):
    """(field, jump) of the image and after each layer: the field grows by (kernel - 1) jumps, the jump by strides."""
    field, jump = 1, 1
    places = [(field, jump)]
    for layer in layers:
        field += (layer.kernel - 1) * jump
        jump *= layer.stride
        places.append((field, jump))
    return places


def sizes_of(layers, size):
    """Units along one axis of the image and after each layer; 0 from where a window no longer fits."""
    sizes = [size]
    for layer in layers:
        sizes.append(max(0, (sizes[-1] - layer.kernel) // layer.stride + 1))
    return sizes


def weights_of(layers):
    """How many weights all layers together learn."""
    return sum(layer.weights for layer in layers)


def network_of(layers):
    """The layers as a real network: every weight of a convolution the same positive number, pooling by the mean."""
    def made(layer):
        if layer.kind == "pool":
            return nn.AvgPool2d(layer.kernel, layer.stride)
        convolution = nn.Conv2d(1, 1, layer.kernel, layer.stride, bias=False, dtype=np.float64, rng=0)
        convolution.weight.data[...] = 1 / layer.kernel ** 2
        return convolution

    return nn.Sequential(*(made(layer) for layer in layers))


def gradient_of(network, image, row, column):
    """The gradient of one unit of the output with respect to the image (height, width): which pixels it depends on."""
    x = Tensor(np.array(image, dtype=float)[None, None], requires_grad=True)
    network(x)[0, 0, row, column].backward()
    return np.array(x.grad)[0, 0]


def extent_of(gradient):
    """First and last row, first and last column, where a gradient is not zero."""
    rows, columns = np.flatnonzero(gradient.any(axis=1)), np.flatnonzero(gradient.any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def formula_in_words(layers):
    """The field as the sum it is: 1 + 2·1 + 2·1 + 1·1 = 6."""
    places = fields_of(layers)
    terms = [f"{layer.kernel - 1}·{jump}" for layer, (_, jump) in zip(layers, places)]
    return f"{' + '.join(['1', *terms])} = {places[-1][0]}"


def by_formula(pairs):
    """The receptive field of a list of pairs (kernel, stride)."""
    return fields_of([Layer("conv", *pair) for pair in pairs])[-1][0]


SLIPS = (
    (lambda pairs: 1 + sum(k - 1 for k, _ in pairs),
     "it leaves out the strides; behind a stride of 2, neighbors look at pixels two apart"),
    (lambda pairs: 1 + sum((k - 1) * math.prod(s for _, s in pairs[:i + 1]) for i, (k, _) in enumerate(pairs)),
     "a layer's own stride counts for the layers behind it, not for itself"),
    (lambda pairs: 1 + sum((k - 1) * s for k, s in pairs),
     "the strides of all layers before it multiply, and its own does not count"),
    (lambda pairs: 1 + sum((k - 1) * s for (k, _), (_, s) in zip(pairs, [(1, 1), *pairs])),
     "the strides of all layers before it multiply, not only that of the last"),
    (lambda pairs: sum(k for k, _ in pairs), "it sums the kernels"),
    (lambda pairs: math.prod(k for k, _ in pairs), "it multiplies the kernels"),
    (lambda pairs: by_formula(pairs) - 1, "it begins at 0, but without a layer a pixel sees itself: 1"),
    (lambda pairs: by_formula(pairs[::-1]), "it takes the layers from the last to the first"),
    (lambda pairs: by_formula(pairs[:-1]), "the last layer is missing"),
    (lambda pairs: math.prod(s for _, s in pairs), "that is the product of the strides, how far apart neighbors look"))
PROBES = "conv3/2 conv3", "conv5 pool3/2 conv3 conv3/3 pool2"


def formula_fault(formula, layers):
    """What a learner's receptive field of these layers, and of a few others, is wrong about, as a sentence; or ""."""
    tried = [layers, *map(read_layers, PROBES)]
    pairs = [[(layer.kernel, layer.stride) for layer in stack] for stack in tried]
    got = [formula(list(stack)) for stack in pairs]
    wrong = next((i for i, stack in enumerate(pairs) if got[i] != by_formula(stack)), None)
    if wrong is None:
        return ""
    hint = next((f": {words}" for slip, words in SLIPS if [slip(stack) for stack in pairs] == got), "")
    told = (f"Your formula gives {got[0]:g}, and the gradient covers" if not wrong else
            f"Your formula is right here, but gives {got[wrong]:g} for {PROBES[wrong - 1]}, where the gradient covers")
    return f"{told} {by_formula(pairs[wrong])}{hint}."


class ReceptiveFieldExplorer(Explorer):
    """Stack convolutions and poolings, choose a unit of the output, and see which pixels it depends on.

    Args:
        layers: a text such as "conv3 conv5/2 pool2", see `read_layers`; 1 to 6 layers, without padding.
        image: "temple" or "flower" (photographs, 64 x 64), or your own array (height, width), 16 to 96 pixels each
            way.
        formula: your own function of a list of pairs (kernel, stride), first layer first, that returns how many
            pixels a unit sees along one axis; it is compared with the gradient.
        goal: a `FieldGoal`, or None.
    Raises ValueError for layers that cannot be read or do not fit on the image, and for other images.
    Source: deck D, whose rule for pooling is mended here: the field of conv3, conv3, pool2 is 6.
    """

    _lead = "Not drawn:"

    def __init__(self, layers="conv3 conv3 pool2", image="temple", formula=None, goal=None):
        self.layers = read_layers(layers)
        name = image if isinstance(image, str) else "yours"
        self.scenes = {name: scene_of("ReceptiveFieldExplorer", image, IMAGES, 16, 96)}
        if not sizes_of(self.layers, min(self.scenes[name].pixels.shape))[-1]:
            raise ValueError(f"ReceptiveFieldExplorer: {layers} do not fit on an image of "
                             f"{self.scenes[name].pixels.shape}; try smaller strides")
        if formula is not None and not callable(formula):
            raise ValueError(f"ReceptiveFieldExplorer: expected formula to be a function but got {formula!r}")
        self.goal, self._network, self._built = goal, None, None
        self.own = None
        if formula is not None:
            guarded = learners(formula, "formula")
            self.own = lambda pairs: read_number(guarded(pairs), "formula")
        self._make_controls(name)
        figure = self._draw()
        self.assemble(figure, [[self.image_choice, self.add_conv, self.add_pool, self.remove],
                               [self.which, self.kind], [self.kernel, self.stride], [self.row, self.column]],
                      [self.heat, self.box, self.field_title, *self.dots, self.cone, *self.seen, *self.names,
                       *self.notes], goal=str(goal) if goal else None)

    def _make_controls(self, image):
        self.image_choice = choice("image", [*IMAGES, *(["yours"] if image == "yours" else [])], image,
                                   tooltip="what the units look at")
        self.add_conv = button("add conv", lambda: self._add(Layer("conv", 3, 1)),
                               "put a 3 x 3 convolution behind the last layer")
        self.add_pool = button("add pool", lambda: self._add(Layer("pool", 2, 2)),
                               "put a 2 x 2 pooling behind the last layer")
        self.remove = button("remove last", self._remove, "take the last layer away")
        self.which = choice("layer", {"1": 0}, tooltip="which layer the next three controls set")
        self.kind = choice("its kind", list(KINDS), tooltip="convolution, with weights, or mean pooling, without")
        self.kernel = slider("its kernel", 1, MOST_KERNEL, 3, unit="units",
                             tooltip="rows and columns of the layer before it that a unit sees")
        self.stride = slider("its stride", 1, MOST_KERNEL, 1, unit="units",
                             tooltip="how far apart neighbors of this layer look, in units of the layer before it")
        self.row = slider("unit, row", 0, 1, 0, tooltip="row of the output in which the unit chosen lies")
        self.column = slider("unit, column", 0, 1, 0, tooltip="column of the output in which the unit chosen lies")
        self.image_choice.layout.margin = self.which.layout.margin = APART
        self._show_layers(len(self.layers) - 1)
        sizes = [sizes_of(self.layers, n)[-1] for n in self.scenes[image].pixels.shape]
        for control, count in zip((self.row, self.column), sizes):
            let_reach(control, count)
            control.value = (count - 1) // 2

    # The layers and their controls

    def _show_layers(self, chosen):
        """Let the controls say what the layers are, with one of them chosen."""
        self.which.options = [(f"{i} {layer}", i - 1) for i, layer in enumerate(self.layers, 1)]
        self.which.value = chosen
        layer = self.layers[chosen]
        self.kind.value, self.kernel.value, self.stride.value = layer.kind, layer.kernel, layer.stride
        full = len(self.layers) == MOST_LAYERS
        self.add_conv.disabled = self.add_pool.disabled = full
        self.remove.disabled = len(self.layers) == 1

    def _add(self, layer):
        if len(self.layers) < MOST_LAYERS:
            self._take([*self.layers, layer], len(self.layers))

    def _remove(self):
        if len(self.layers) > 1:
            self._take(self.layers[:-1], min(self.which.value, len(self.layers) - 2))

    def _take(self, layers, chosen):
        self.layers = layers
        with self.setting_controls():
            self._show_layers(chosen)
        self.refresh()

    def _changed(self, change):
        owner = change["owner"]
        if owner is self.which:
            with self.setting_controls():
                self._show_layers(self.which.value)
        elif owner in (self.kind, self.kernel, self.stride):
            layers = list(self.layers)
            layers[self.which.value] = Layer(self.kind.value, self.kernel.value, self.stride.value)
            return self._take(layers, self.which.value)
        super()._changed(change)

    # The picture

    def _draw(self):
        figure, (self.image_ax, self.side) = plots.subplots(1, 2, width=10.2, height=4.6,
                                                            gridspec_kw={"width_ratios": (1, 1.35)})
        self.image_ax.grid(False)
        self.photo = self.image_ax.imshow(np.zeros((64, 64)), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        self.heat = self.image_ax.imshow(np.zeros((64, 64, 4)), interpolation="nearest")
        self.box = self.image_ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=plots.VERMILION,
                                                     linewidth=2.5, clip_on=False))
        self.field_title = self.image_ax.set_title("field")
        ax = self.side
        ax.set(ylim=(-0.6, MOST_LAYERS + 0.6), title="a row through the middle of the field, layer by layer", yticks=[],
               xlabel="column of the image")
        ax.spines["left"].set_visible(False)
        ax.grid(False)
        self.cone = ax.add_collection(PolyCollection([], facecolors=plots.POSITIVE, alpha=0.25, linewidths=0))
        blank = {"linestyle": "none", "marker": "s"}
        self.dots = [ax.plot([], [], color=plots.FAINT, **blank)[0] for _ in range(MOST_LAYERS + 1)]
        self.seen = [ax.plot([], [], color=plots.POSITIVE, markeredgecolor=plots.INK, markeredgewidth=0.5, **blank)[0]
                     for _ in range(MOST_LAYERS + 1)]
        self.names = [ax.text(-0.02, i, "", transform=ax.get_yaxis_transform(), ha="right", va="center", fontsize=10)
                      for i in range(MOST_LAYERS + 1)]
        self.notes = [ax.text(1.02, i, "", transform=ax.get_yaxis_transform(), ha="left", va="center", fontsize=9.5)
                      for i in range(MOST_LAYERS + 1)]
        self.names[0].set_text("5 pool2/1  ")  # the room that the widest labels take
        self.notes[0].set_text("sees 100 px, 64 units")
        self._shown_scene = None
        return figure

    def update(self):
        """Ask formula and network how much the unit sees, and draw it."""
        self.scene = self._scene()
        shape = self.scene.pixels.shape
        self.sizes = tuple(sizes_of(self.layers, n) for n in shape)
        if not min(self.sizes[0][-1], self.sizes[1][-1]):
            fits = next(i for i, pair in enumerate(zip(*self.sizes)) if not min(pair))
            self._show_no_field(fits)
            raise LearnerError(f"layer {fits}, {self.layers[fits - 1]}, is larger than the {self.sizes[0][fits - 1]} × "
                               f"{self.sizes[1][fits - 1]} units before it; make it or a stride before it smaller")
        self._place_unit()
        row, column = self.row.value, self.column.value
        if self._built != self.layers:
            self._network, self._built = network_of(self.layers), self.layers
        self.gradient = gradient_of(self._network, self.scene.pixels, row, column)
        self.through = seen_by([(layer.kernel, layer.stride) for layer in self.layers], column)
        self.field = fields_of(self.layers)[-1][0]
        self.corner = tuple(unit * fields_of(self.layers)[-1][1] for unit in (row, column))
        self.extent = top, bottom, left, right = extent_of(self.gradient)
        self.measured = bottom - top + 1, right - left + 1
        try:
            self.fault = "" if self.own is None else formula_fault(self.own, self.layers)
        except LearnerError as error:  # the picture needs no formula
            self.fault = f"Your formula stopped: {error}"
        self._draw_scene()
        self._draw_field()
        self._draw_side()
        self._tell()

    def _show_no_field(self, number):
        """Paint the layers up to the one that does not fit: a field, or words about an earlier one, must not stay."""
        self._draw_scene()
        self.heat.set_data(np.zeros((*self.scene.pixels.shape, 4)))
        self.box.set_visible(False)
        self.field_title.set_text(f"no field: layer {number} does not fit")
        self.through = [[]] * (len(self.layers) + 1)
        self._draw_side()
        self.say(f"Behind layer {number} no unit is left, so there is no field to show.")
        if self.goal:
            self.report_goal(False, f"Layer {number} does not fit.")
        self._paint(self._animated, f"The image “{self.scene.name}” without a field, and beside it the layers and "
                                    f"their units up to layer {number}, which does not fit.")

    def _scene(self):
        name = self.image_choice.value
        if name not in self.scenes:
            self.scenes[name] = scene_of("ReceptiveFieldExplorer", name, IMAGES, 16, 96)
        return self.scenes[name]

    def _place_unit(self):
        with self.setting_controls():
            for control, sizes in zip((self.row, self.column), self.sizes):
                last = sizes[-1] - 1
                if control.max != max(1, last):  # the unit keeps its place in the picture
                    there = round(control.value / control.max * last)
                    let_reach(control, sizes[-1])
                    control.value = there
                let_reach(control, sizes[-1])

    def _draw_scene(self):
        height, width = self.scene.pixels.shape
        if self._shown_scene is not self.scene:
            self._shown_scene = self.scene
            extent = (-0.5, width - 0.5, height - 0.5, -0.5)
            self.photo.set(data=self.scene.pixels, cmap=self.scene.cmap, clim=(self.scene.low, self.scene.high),
                           extent=extent)
            self.heat.set_extent(extent)
            self.side.set_xlim(-1, width)
            self.background_changed()

    def _draw_field(self):
        height, width = self.scene.pixels.shape
        strength = self.gradient / self.gradient.max()
        colors = np.empty((height, width, 4))
        colors[..., :3] = plots.DIVERGING(1.0)[:3]
        colors[..., 3] = np.where(strength > 0, 0.15 + 0.75 * strength, 0)
        self.heat.set_data(colors)
        top, left = self.corner
        self.box.set(xy=(left - 0.5, top - 0.5), width=self.field, height=self.field, visible=True)
        self.field_title.set_text("field {0} × {0}, by gradient {1} × {2}".format(self.field, *self.measured))

    def _draw_side(self):
        layers, places, sizes = self.layers, fields_of(self.layers), self.sizes[1]
        apart, edges = MOST_LAYERS / max(len(layers), 3), []
        for i in range(MOST_LAYERS + 1):
            used, height = i <= len(layers), i * apart
            at = seen = np.array([])
            if used:
                field, jump = places[i]
                at = np.arange(sizes[i]) * jump + (field - 1) / 2
                seen = at[np.asarray(self.through[i], dtype=int)]
                side = min(0.75 * jump, 2.0)
                if len(seen):
                    edges.append((seen[0] - side / 2, seen[-1] + side / 2, height))
                for line in (self.dots[i], self.seen[i]):
                    line.set_markersize(max(2, side * 72 / self._columns_in_an_inch()))
                    line.set_zorder(3)
                self.names[i].set_text(str(layers[i - 1]) if i else "image")
                self.notes[i].set_text(f"{sizes[0]} pixels" if not i else "no unit fits" if not sizes[i] else
                                       f"sees {field} px, {sizes[i]} unit{'s' if sizes[i] > 1 else ''}")
            self.dots[i].set_data(at, [height] * len(at))
            self.seen[i].set_data(seen, [height] * len(seen))
            for text in (self.names[i], self.notes[i]):
                text.set_y(height)
                text.set_visible(used)
        self.cone.set_verts([[(left, low), (right, low), (above_right, high), (above_left, high)]
                             for (left, right, low), (above_left, above_right, high) in zip(edges, edges[1:])])

    def _columns_in_an_inch(self):
        """Columns of the image in an inch of the side view."""
        inches = self.side.get_position().width * self.figure.get_figwidth()
        return (self.sizes[1][0] + 1) / inches

    def _tell(self):
        row, column = self.row.value, self.column.value
        parts = [f"By formula a unit sees {formula_in_words(self.layers)} pixels each way (each term: kernel − 1, "
                 "times the strides before it).",
                 f"By the gradient of a network of these layers the unit at row {row}, column {column} depends on rows "
                 "{} to {} and columns {} to {}: ".format(*self.extent) + "{} × {}.".format(*self.measured)]
        unseen = self.measured[0] * self.measured[1] - np.count_nonzero(self.gradient)
        if unseen:
            parts.append(f"Of these it does not see {unseen}: a stride larger than the kernel skips pixels.")
        weights = weights_of(self.layers)
        parts.append(f"{weights} weights in all; one convolution that sees as far would have {self.field ** 2}.")
        if self.own is not None:
            parts.append(self.fault or "Your formula gives the same number.")
        self.say(" ".join(parts))
        if self.goal:
            size = min(self.scene.pixels.shape)
            reached = self.goal.reached(self.layers, size) and not self.fault
            self.report_goal(reached, f"It sees {self.field} × {self.field}, with {weights} weights and "
                                      f"{self.sizes[0][-1]} × {self.sizes[1][-1]} units in the output.")

    def describe(self):
        """Alternative text: the layers, the unit, its field on the image, and how the view narrows layer by layer."""
        top, left = self.corner
        through = ", ".join(f"{layer}: {len(seen)} of {size} units" for layer, seen, size in
                            zip(self.layers, self.through[1:], self.sizes[1][1:]))
        return (f"Left, the image “{self.scene.name}” of {self.scene.pixels.shape[0]} × {self.scene.pixels.shape[1]} "
                f"pixels with the receptive field of the output's unit at row {self.row.value}, column "
                f"{self.column.value}: a box over rows {top} to {top + self.field - 1} and columns {left} to "
                f"{left + self.field - 1}, {self.field} × "
                f"{self.field} by formula, {self.measured[0]} × {self.measured[1]} by the gradient, which is shown in "
                f"orange, strongest where most ways lead to the unit. Right, from below, the layers and how many units "
                f"of a row the unit depends on: image: {len(self.through[0])} of "
                f"{self.sizes[1][0]} pixels, {through}.{' ' + self.fault if self.fault else ''}")
