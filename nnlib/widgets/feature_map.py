"""FeatureMapExplorer: what each unit of a trained network answers to, and what becomes of the answer without it."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from nnlib import layers as nn
from nnlib import ops, plots
from nnlib.autograd import Tensor, no_grad
from nnlib.datasets import load_digits
from nnlib.errors import NnlibError
from nnlib.module import mode
from nnlib.optimizers import Adam
from nnlib.training import fit
from nnlib.widgets.base import Explorer, button, checkbox, choice, probabilities_of, slider
from nnlib.widgets.images import APART, Grid, let_reach, short

HIDDEN = nn.Flatten, nn.Dropout, nn.Identity  # layers that show nothing of their own
WINDOWS = nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.MedianPool2d
MOST_CLASSES, MOST_TILES, MOST_IMAGES, MOST_LETTERS = 20, 64, 1000, 10
PATCHES = 4  # images whose patches are shown
BATCH = 100


@dataclass(frozen=True)
class UnitGoal:
    """Another answer from a network that was right, with at most `units` units off.

    layer: the only layer in which they may be, as it is numbered in the model.   to: the class that is to be read.
    """

    units: int = 1
    layer: int | str | None = None
    to: int | None = None

    def __str__(self):
        what = "one unit" if self.units == 1 else f"at most {self.units} units"
        where = "" if self.layer is None else f" of layer {self.layer}"
        read = "another class" if self.to is None else f"class {self.to}"
        return f"switch off {what}{where}, so that an image that was read rightly is read as {read}"

    def judge(self, off, whole, now, target):
        """Whether it is reached, and in words how far it is.

        Args: off: {layer: units}.   whole, now: the class read with all units, and now.   target: the right one.
        """
        count = sum(map(len, off.values()))
        if whole != target:
            return False, "The whole network misreads this image: take another one."
        if not count:
            return False, "All units are on."
        if count > self.units:
            return False, f"{count} units are off."
        if self.layer is not None and set(off) != {str(self.layer)}:
            return False, f"A unit of another layer is off: layer {', '.join(off)}."
        if now == whole:
            return False, f"It still reads {now}."
        return self.to in (None, now), f"It reads {now} now."


GOAL = UnitGoal()


def layers_of(model):
    """The layers of a Sequential as a list of (name, module), with those of a Sequential inside one after the other.

    Raises ValueError for a model that is no Sequential: only there is the output of one layer the input of the next.
    """
    if not isinstance(model, nn.Sequential) or type(model).forward is not nn.Sequential.forward:
        raise ValueError("FeatureMapExplorer: expected a Sequential, whose layers stand in a row, but got "
                         f"{type(model).__name__}; put its layers into a Sequential")
    found = []
    for name, layer in model.named_children():
        inner = layers_of(layer) if isinstance(layer, nn.Sequential) else [("", layer)]
        found += [(".".join(filter(None, (name, part))), module) for part, module in inner]
    return found


def maps_of(model, x, off=None):
    """What every layer hands on, in evaluation mode, for images x (n, ...): a list of arrays, one for each layer.

    Args: off: {layer's name or number: units}, the channels or units that are set to 0 behind that layer.
    """
    off = {str(name): list(units) for name, units in (off or {}).items()}
    dtype, outputs = next((p.dtype for p in model.parameters()), np.float64), []
    with mode(model, training=False), no_grad():
        value = Tensor(np.asarray(x, dtype=dtype))
        for name, layer in layers_of(model):
            value = layer(value)
            if off.get(name):
                array = np.array(value.data)
                array[:, off[name]] = 0
                value = Tensor(array)
            outputs.append(value.data)
    return outputs


def read_by(model, x, off=None):
    """The class that is read for each of the images x: (n,)."""
    return maps_of(model, x, off)[-1].argmax(axis=1)


def decisive_units(model, x, layer):
    """The units of a layer without which an image is read as another class.

    Args: x: one image, (1, ...).   layer: its number or name.   Returns a list of (unit, class that is read then).
    """
    names = [name for name, _ in layers_of(model)]
    maps = maps_of(model, x)
    whole = int(maps[-1][0].argmax())
    found = [(unit, int(read_by(model, x, {layer: [unit]})[0]))
             for unit in range(maps[names.index(str(layer))].shape[1])]
    return [(unit, answer) for unit, answer in found if answer != whole]


def windows_of(model):
    """What one place of each layer's maps sees: for each layer (field, jump, start), pairs (height, width), or None.

    The place (row, column) sees `field` pixels from start + jump * place on. None: its places see the whole image.
    """
    field, jump, start, found = (1, 1), (1, 1), (0, 0), []
    whole = False
    for _, layer in layers_of(model):
        if isinstance(layer, WINDOWS):
            kernel, stride = layer.kernel_size, layer.stride
            zeros = [first for first, _ in ops.resolve_padding(layer.padding, kernel, stride)]
            start = tuple(s - z * j for s, z, j in zip(start, zeros, jump))
            field = tuple(f + (k - 1) * j for f, k, j in zip(field, kernel, jump))
            jump = tuple(j * s for j, s in zip(jump, stride))
        whole |= isinstance(layer, (nn.Flatten, nn.Linear, nn.Residual))
        found.append(None if whole else (field, jump, start))
    return found


def strongest(model, images):
    """Where each unit answers most, in every image: for each layer (values, places), arrays (n, units).

    A place is row * width + column in the unit's map; 0 for a unit without one.
    """
    parts = []
    for first in range(0, len(images), BATCH):
        maps = maps_of(model, images[first:first + BATCH])
        flat = [m.reshape(*m.shape[:2], -1) for m in maps]
        parts.append([(m.max(axis=2), m.argmax(axis=2)) for m in flat])
    return [tuple(np.concatenate(both) for both in zip(*layer)) for layer in zip(*parts)]


def seen_by(window, place, shape):
    """The pixels that a place (row, column) sees: (top, left, height, width); the whole image of `shape` for None."""
    if window is None:
        return 0, 0, *shape
    field, jump, start = window
    return *(s + j * p for s, j, p in zip(start, jump, place)), *field


def cut(picture, box):
    """The part of a picture (height, width, ...) in a box (top, left, height, width), NaN where it is outside."""
    top, left, height, width = box
    part = np.full((height, width, *picture.shape[2:]), np.nan)
    rows, columns = (slice(max(0, first), max(0, min(first + size, most)))
                     for first, size, most in ((top, height, picture.shape[0]), (left, width, picture.shape[1])))
    part[rows.start - top:rows.stop - top, columns.start - left:columns.stop - left] = picture[rows, columns]
    return part


def tiled(maps, aspect):
    """Maps (n, height, width) side by side, NaN between them, in about this ratio of width to height.

    Returns (picture, boxes): boxes (n, 4) are left, top, width and height of each map in the picture.
    """
    n, height, width = maps.shape
    grow = max(1, 12 // max(height, width))
    height, width, gap = grow * height, grow * width, max(2, grow * max(height, width) // 14)
    ideal = min(n, max(2, round(math.sqrt(n * aspect * (height + gap) / (width + gap)))))
    columns = min((ideal, ideal + 1, max(1, ideal - 1)), key=lambda c: -n % c)  # of these, the one that leaves no gaps
    rows = -(-n // columns)
    picture = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap), np.nan)
    boxes = []
    for i, one in enumerate(maps):
        top, left = (gap + (i // columns) * (height + gap)), (gap + (i % columns) * (width + gap))
        picture[top:top + height, left:left + width] = one.repeat(grow, axis=0).repeat(grow, axis=1)
        boxes.append((left, top, width, height))
    return picture, np.array(boxes)


def filter_of(model, index, unit, image_shape):
    """The weights with which a unit reads what is before it: (name of their layer, maps (n, height, width)), or None.

    For a layer without weights they are those of the nearest layer before that has one weight for each unit. Those of
    a dense layer stand as the maps that it reads, or as the image (channels, height, width) does.
    """
    layers = layers_of(model)
    for k in range(index, -1, -1):
        name, layer = layers[k]
        if isinstance(layer, nn.Conv2d):
            return (name, layer.weight.data[unit]) if unit < layer.out_channels else None
        if isinstance(layer, nn.Linear):
            weights = layer.weight.data
            if unit >= len(weights):
                return None
            shape = _shape_before(model, k, image_shape)
            return name, weights[unit].reshape(shape if math.prod(shape) == weights.shape[1] else (-1, 1, 1))
        if isinstance(layer, nn.Flatten):
            return None
    return None


def _shape_before(model, index, image_shape):
    """The shape of what a dense layer reads, before it is flattened."""
    layers = layers_of(model)
    if not any(isinstance(layer, (nn.Linear, nn.Conv2d)) for _, layer in layers[:index]):
        return image_shape
    flat = [k for k in range(index) if isinstance(layers[k][1], nn.Flatten)]
    if not flat or any(isinstance(layer, nn.Linear) for _, layer in layers[flat[-1]:index]):
        return -1, 1, 1
    return maps_of(model, np.zeros((1, *image_shape)))[flat[-1] - 1].shape[1:]


@functools.cache
def small_network():
    """A network of two stages for the 8x8 digits, trained at once, for the explorer without a model."""
    rng, data = np.random.default_rng(0), load_digits()
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Conv2d(8, 12, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(48, 10, rng=rng))
    fit(model, (data.images, data.t), optimizer=Adam(model.parameters(), lr=0.01), epochs=4, batch_size=64, seed=0,
        progress=False)
    return model


def _as_images(images):
    """What was given as (images for the model, pictures (n, height, width) or (n, height, width, 3))."""
    try:
        x = np.array(images, dtype=float)
    except (TypeError, ValueError):
        x = np.zeros(0)
    side = math.isqrt(x.shape[1]) if x.ndim == 2 else 0
    pictures = x if x.ndim == 3 else x.reshape(-1, side, side) if side and side * side == x.shape[1] else None
    if x.ndim == 4 and x.shape[1] in (1, 3):
        pictures = x[:, 0] if x.shape[1] == 1 else x.transpose(0, 2, 3, 1)
    if pictures is None or not pictures.size or not np.isfinite(pictures).all():
        raise ValueError("FeatureMapExplorer: expected images of finite numbers, shape (n, 1 or 3, height, width), (n, "
                         f"height, width) or (n, pixels of a square), but got shape {np.shape(images)}")
    low, high = pictures.min(), pictures.max()
    return (x[:, None] if x.ndim == 3 else x), (pictures - low) / max(high - low, 1e-9)


class FeatureMapExplorer(Explorer):
    """Pick an image, a layer and a unit: its map, its weights, what excites it most, and the answer without it.

    Args:
        model: a Sequential (of Conv2d, activations, pools, norms, Dropout, Flatten, Linear; others are shown where
            their outputs are maps or units). It is run in evaluation mode, and stays as it is. None: a small network.
        images: (n, 1 or 3, height, width), (n, height, width), or (n, pixels) for a model that begins with Linear;
            None: the digits.   targets: (n,) class numbers, or None.
        example: number of the image shown first.   layer: as it is numbered in the model.   unit: of that layer.
        goal: a `UnitGoal` (which needs targets), or None.   class_names: if they are not 0, 1, 2 ...
    Raises ValueError for a model that is no Sequential, or does not take the images, and for numbers out of range.
    Source: deck E (filters and transformations of trained networks), deck D; Zeiler and Fergus (2014).
    """

    def __init__(self, model=None, images=None, targets=None, *, example=0, layer=None, unit=0, goal=GOAL,
                 class_names=None):
        if images is None:
            data = load_digits()
            images, targets = data.images, data.t if targets is None else targets
        self.model = small_network() if model is None else model
        self.x, self.pictures = _as_images(images)
        self.layers, self.windows = layers_of(self.model), windows_of(self.model)
        self.targets = None if targets is None else np.asarray(targets).astype(int)
        if self.targets is not None and self.targets.shape != (len(self.x),):
            raise ValueError(f"FeatureMapExplorer: expected {len(self.x)} targets, one for each image, but got shape "
                             f"{self.targets.shape}")
        self.goal, self.off, self._whole = None if self.targets is None else goal, {}, None
        self._try_model()
        self._check(example, layer, unit, class_names)
        self.best = strongest(self.model, self.x[:MOST_IMAGES])
        self._make_controls(example, layer, unit)
        figure = self._draw()
        self.assemble(figure, [[self.layer], [self.example, self.unit], [self.switch, self.all_on]], self._artists,
                      goal=str(self.goal) if self.goal else None)

    def _try_model(self):
        try:
            maps = maps_of(self.model, self.x[:1])
        except (NnlibError, ValueError, TypeError, IndexError) as error:
            raise ValueError(f"FeatureMapExplorer: the model does not take images of shape {self.x.shape[1:]}: "
                             f"{error}") from error
        self.shown = [i for i, (m, (_, layer)) in enumerate(zip(maps, self.layers))
                      if m.ndim in (2, 4) and not isinstance(layer, HIDDEN)]
        if maps[-1].ndim != 2 or not 2 <= maps[-1].shape[1] <= MOST_CLASSES:
            raise ValueError(f"FeatureMapExplorer: expected a model that ends in scores of 2 to {MOST_CLASSES} "
                             f"classes, (n, classes), but it ends in shape {maps[-1].shape}")

    def _check(self, example, layer, unit, class_names):
        names, classes = [self.layers[i][0] for i in self.shown], maps_of(self.model, self.x[:1])[-1].shape[1]
        if layer is not None and str(layer) not in names:
            raise ValueError(f"FeatureMapExplorer: there is no layer {layer!r} to be shown; try {', '.join(names)}")
        index = self.shown[0 if layer is None else names.index(str(layer))]
        units = maps_of(self.model, self.x[:1])[index].shape[1]
        if example not in range(len(self.x)) or unit not in range(units):
            raise ValueError(f"FeatureMapExplorer: expected an example from 0 to {len(self.x) - 1} and a unit from 0 "
                             f"to {units - 1} but got {example!r} and {unit!r}")
        self.names = [str(k) for k in range(classes)] if class_names is None else [str(n) for n in class_names]
        if len(self.names) != classes or self.targets is not None and not set(self.targets) <= set(range(classes)):
            raise ValueError(f"FeatureMapExplorer: expected a name for each of {classes} classes, and targets from 0 "
                             f"to {classes - 1}")

    def _make_controls(self, example, layer, unit):
        options = {f"{name} {type(module).__name__.strip('_')}": i for i, (name, module) in enumerate(self.layers)
                   if i in self.shown}
        first = self.shown[0] if layer is None else next(i for i in self.shown if self.layers[i][0] == str(layer))
        self.layer = choice("layer", options, first, tooltip="the layer whose maps are shown, after what it computes")
        self.example = slider("image", 0, max(1, len(self.x) - 1), int(example), unit="number",
                              tooltip="which of the images the network reads")
        self.unit = slider("unit", 0, max(1, unit), int(unit), unit="number",
                           tooltip="channel of a convolution, or unit of a dense layer")
        self.switch = checkbox("switch this unit off", tooltip="set what this unit hands on to 0; others stay as they "
                                                               "are, and it stays off when you go elsewhere")
        self.all_on = button("all units on", self.switch_all_on, "switch every unit of every layer on again")
        let_reach(self.example, len(self.x))
        self.layer.layout.margin = APART

    def switch_all_on(self):
        """Switch every unit on again."""
        self.off = {}
        self.refresh()

    # Controls that move one another

    def _changed(self, change):
        if change["owner"] is self.switch:
            name = self.layers[self.layer.value][0]
            units = set(self.off.get(name, ())) ^ {self.unit.value}
            self.off = {n: u for n, u in {**self.off, name: sorted(units)}.items() if u}
        super()._changed(change)

    # The picture

    def _draw(self):
        figure, first = plots.subplots(width=10.2, height=6.2)
        first.remove()
        upper, lower = figure.subfigures(2, 1, height_ratios=(1.35, 1))
        self.image_ax, self.all_ax, self.bar_ax = upper.subplots(
            1, 3, gridspec_kw={"width_ratios": (1, 1.75, 1.05)})
        self.map_ax, self.filter_ax, *patch_axes = lower.subplots(
            1, 2 + PATCHES, gridspec_kw={"width_ratios": (1.5, 1.5, *([0.8] * PATCHES))})
        halo = [withStroke(linewidth=4.5, foreground="white")]  # so that they are seen on any color
        frame = {"fill": False, "edgecolor": plots.VERMILION, "linewidth": 2.5, "path_effects": halo}
        for ax in (self.image_ax, self.all_ax, self.filter_ax, *patch_axes):
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.spines[:].set_visible(ax is self.image_ax or ax in patch_axes)
            ax.spines[:].set_color(plots.FAINT)
            ax.set_anchor("N")
        self.map_ax.set_anchor("N")
        tiles = plots.DIVERGING.with_extremes(bad=plots.FAINT)  # between the maps
        self.image = self.image_ax.imshow(self.pictures[0], cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        self.frame = self.image_ax.add_patch(Rectangle((0, 0), 1, 1, **frame))
        self.all_image = self.all_ax.imshow(np.zeros((2, 3)), cmap=tiles, interpolation="nearest")
        self.chosen = self.all_ax.add_patch(Rectangle((0, 0), 1, 1, **frame))
        self.crosses, = self.all_ax.plot([], [], "x", color=plots.INK, markersize=11, markeredgewidth=2)
        self.map = Grid(self.map_ax, most=5)
        self.place = self.map_ax.add_patch(Rectangle((0, 0), 1, 1, **frame))
        self.filter_image = self.filter_ax.imshow(np.zeros((3, 3)), cmap=tiles, interpolation="nearest")
        self.filter_texts = [self.filter_ax.text(0, 0, "", ha="center", va="center", fontsize=9) for _ in range(25)]
        blank = np.zeros((3, 3, *self.pictures.shape[3:]))
        self.patches = [ax.imshow(blank, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest") for ax in patch_axes]
        self.patch_texts = [ax.text(0.5, -0.05, "", transform=ax.transAxes, ha="center", va="top", fontsize=9.5,
                                    parse_math=False) for ax in patch_axes]
        for ax in patch_axes:  # hatched: outside the image
            ax.patch.set(hatch="////", edgecolor=plots.GRAY)
        self.titles = {"image": self.image_ax.set_title("image 0, a 0"), "all": self.all_ax.set_title("layer"),
                       "map": self.map_ax.set_title("unit"), "filter": self.filter_ax.set_title("its weights"),
                       "patches": patch_axes[0].set_title("what excites it most")}
        self._draw_bars()
        self._artists = [self.image, self.frame, self.all_image, self.chosen, self.crosses, *self.map.artists,
                         self.place, self.filter_image, *self.filter_texts, *self.patches, *self.patch_texts,
                         *self.titles.values(), *self.bars, *self.marks, *self.numbers, self.bar_title]
        return figure

    def _draw_bars(self):
        ax, rows = self.bar_ax, np.arange(len(self.names))
        self.bars = ax.barh(rows, 0 * rows, height=0.66, color=plots.GRAY, edgecolor=plots.INK, linewidth=0.8).patches
        self.marks = [ax.plot([0, 0], [k - 0.45, k + 0.45], color=plots.INK, linewidth=2.5)[0] for k in rows]
        self.numbers = [ax.text(0, k, "", va="center", fontsize=9) for k in rows]
        ax.set(xlim=(0, 1.3), ylim=(len(rows) - 0.4, -0.6), xticks=[0, 0.5, 1], xlabel="probability")
        ax.set_yticks(rows, [name[:MOST_LETTERS] for name in self.names], parse_math=False)
        ax.tick_params("y", labelsize=10 if len(rows) <= 12 else 7)
        ax.grid(False, axis="y")
        self.bar_title = ax.set_title("reads 0 (1.00)")
        for title in (self.bar_title, self.titles["image"]):
            title.set_parse_math(False)

    def update(self):
        """Run the network with and without the units that are off, and draw what the chosen unit does."""
        index, x = self.layer.value, self.x[[self.example.value]]
        self.maps = maps_of(self.model, x, self.off)
        if self._whole is None or self._whole[0] != self.example.value:
            self._whole = self.example.value, maps_of(self.model, x)
        whole = self._whole[1]
        self.values = whole[index][0].reshape(whole[index].shape[1], *(whole[index].shape[2:] or (1, 1)))
        self.now, self.before = probabilities_of(self.maps[-1])[0], probabilities_of(whole[-1])[0]
        name, count = self.layers[index][0], len(self.values)
        with self.setting_controls():
            let_reach(self.unit, count)
            self.switch.value = self.unit.value in self.off.get(name, ())
            self.switch.disabled = index == len(self.layers) - 1
        self.one = self.values[self.unit.value]
        self.at = tuple(int(i) for i in np.unravel_index(self.one.argmax(), self.one.shape))
        self.box = seen_by(self.windows[index], self.at, self.pictures.shape[1:3])
        self.level = self.one.size > 1 and self.one.min() == self.one.max()  # then no place is the strongest
        self._draw_image()
        self._draw_maps(name)
        self._draw_filter(index)
        self._draw_patches(index)
        self._draw_answer()
        self._tell()

    def _draw_image(self):
        number = self.example.value
        self.image.set_data(self.pictures[number])
        top, left, height, width = self._inside()
        self.frame.set(xy=(left - 0.5, top - 0.5), width=width, height=height, visible=not self.level)
        known = "" if self.targets is None else f": {self.names[self.targets[number]][:MOST_LETTERS]}"
        self.titles["image"].set_text(f"image {number}{known}")

    def _inside(self):
        """What the unit's strongest place sees of the image: (top, left, height, width)."""
        top, left, height, width = self.box
        rows, columns = self.pictures.shape[1:3]
        first, before = max(0, top), max(0, left)
        return first, before, min(top + height, rows) - first, min(left + width, columns) - before

    def _draw_maps(self, name):
        unit, count = self.unit.value, len(self.values)
        first = unit // MOST_TILES * MOST_TILES
        picture, boxes = tiled(self.values[first:first + MOST_TILES], 1.6)
        limit = max(float(np.abs(self.values).max()), 1e-9)
        if self.all_image.get_array().shape != picture.shape:
            self.all_image.set_extent((-0.5, picture.shape[1] - 0.5, picture.shape[0] - 0.5, -0.5))
            self.background_changed()
        self.all_image.set(data=np.ma.masked_invalid(picture), clim=(-limit, limit))
        left, top, width, height = boxes[unit - first]
        self.chosen.set(xy=(left - 1, top - 1), width=width + 1, height=height + 1)
        crossed = [boxes[u - first] for u in self.off.get(name, ()) if first <= u < first + MOST_TILES]
        self.crosses.set_data([b[0] + b[2] / 2 - 0.5 for b in crossed], [b[1] + b[3] / 2 - 0.5 for b in crossed])
        some = f" {first}–{min(first + MOST_TILES, count) - 1} of" if count > MOST_TILES else ""
        self.titles["all"].set_text(f"layer {self.layer.label}:{some} {count} {self._kind()}s")
        rows, columns = self.one.shape
        if self.map.image.get_array().shape != self.one.shape:
            self.map.extend(self.one.shape)
        self.map.show(self.one.astype(float), -limit, limit)
        self.place.set(xy=(self.at[1] - 0.5, self.at[0] - 0.5), width=1, height=1, visible=not self.level)
        size = f", {rows} × {columns}" if rows * columns > 1 else ""
        self.titles["map"].set_text(f"unit {unit}{size}")

    def _kind(self):
        return "map" if self.values[0].size > 1 else "unit"

    def _draw_filter(self, index):
        found = filter_of(self.model, index, self.unit.value, self.x.shape[1:] if self.x.ndim == 4 else
                          (1, *self.pictures.shape[1:]))
        self.weights = found
        maps = np.zeros((1, 1, 1)) if found is None else found[1]
        numbers = maps.shape[0] == 1 and max(maps.shape[1:]) <= 5 and found is not None
        picture = maps[0] if len(maps) == 1 else tiled(maps[:4 * MOST_TILES], 1.0)[0]
        limit = max(float(np.abs(maps).max()), 1e-9)
        if self.filter_image.get_array().shape != picture.shape:
            self.filter_image.set_extent((-0.5, picture.shape[1] - 0.5, picture.shape[0] - 0.5, -0.5))
            self.background_changed()
        self.filter_image.set(data=np.ma.masked_invalid(picture), clim=(-limit, limit))
        grounds = self.filter_image.to_rgba(np.nan_to_num(picture)).reshape(-1, 4)
        for i, text in enumerate(self.filter_texts):
            shown = numbers and i < picture.size
            text.set_visible(shown)
            if shown:
                text.set(position=(i % picture.shape[1], i // picture.shape[1]), text=short(picture.flat[i]),
                         color=plots.text_on(grounds[i]))
        name = self.layers[index][0]
        self.titles["filter"].set_text("no weights" if found is None else "its weights" if found[0] == name else
                                       f"weights, layer {found[0]}")

    def _draw_patches(self, index):
        values, places = (array[:, self.unit.value] for array in self.best[index])
        order = np.argsort(-values, kind="stable")[:PATCHES] if values.any() else ()  # nothing excites a dead unit
        width = self.one.shape[1]
        self.top = []
        for i, (image, text) in enumerate(zip(self.patches, self.patch_texts)):
            there = i < len(order)
            image.set_visible(there)
            text.set_text("")
            if not there:
                continue
            n = int(order[i])
            box = seen_by(self.windows[index], divmod(int(places[n]), width), self.pictures.shape[1:3])
            part = cut(self.pictures[n], box)
            if part.ndim == 3:
                part = np.nan_to_num(part, nan=0.85)
            if image.get_array().shape != part.shape:
                image.set_extent((-0.5, part.shape[1] - 0.5, part.shape[0] - 0.5, -0.5))
                self.background_changed()
            image.set_data(np.ma.masked_invalid(part) if part.ndim == 2 else part)
            label = f"image {n}" if self.targets is None else f"class {self.names[self.targets[n]][:MOST_LETTERS]}"
            text.set_text(f"{label}: {values[n]:.3g}".replace("-", "−"))
            self.top.append((n, float(values[n])))

    def _draw_answer(self):
        for k, (bar, mark, number) in enumerate(zip(self.bars, self.marks, self.numbers)):
            bar.set_width(self.now[k])
            bar.set_facecolor(plots.GREEN if k == self.now.argmax() else plots.GRAY)
            mark.set_xdata([self.before[k]] * 2 if self.off else [np.nan] * 2)
            number.set_position((max(self.now[k], self.before[k] if self.off else 0) + 0.03, k))
            number.set_text(f"{self.now[k]:.2f}")
        self.answer, self.whole_answer = int(self.now.argmax()), int(self.before.argmax())
        self.bar_title.set_text(f"reads {self.names[self.answer][:MOST_LETTERS]} ({self.now[self.answer]:.2f})")

    def _off_in_words(self):
        parts = [f"{', '.join(map(str, units))} of layer {name}" for name, units in self.off.items()]
        many = sum(map(len, self.off.values())) > 1
        return f"unit{'s' if many else ''} {'; '.join(parts)}" if self.off else "no unit"

    def _tell(self):
        low, high, unit = self.one.min(), self.one.max(), self.unit.value
        number, target = self.example.value, None if self.targets is None else int(self.targets[self.example.value])
        if self.level:
            text = f"Layer {self.layer.label}, unit {unit}: {high:.3g} at all places."
        elif self.one.size > 1:
            top, left, height, width = self._inside()
            sees = ("the whole image" if (height, width) == self.pictures.shape[1:3] else
                    f"rows {top} to {top + height - 1} and columns {left} to {left + width - 1} of the image")
            text = (f"Layer {self.layer.label}, unit {unit}: from {low:.3g} to {high:.3g}, most at row {self.at[0]}, "
                    f"column {self.at[1]}, which sees {sees}.")
        else:
            text = f"Layer {self.layer.label}, unit {unit}: {high:.3g}; it sees the whole image."
        parts = [text]
        if not self.top or self.top[0][1] <= 0:
            parts.append("In no image is it above 0.")
        whole, p = self.names[self.whole_answer], self.before[self.whole_answer]
        wrong = f" (it is class {self.names[target]})" if target is not None and target != self.whole_answer else ""
        parts.append(f"With all units the network reads {whole}{wrong} with {p:.2f}.")
        if self.off:
            now = self.names[self.answer]
            change = "still" if self.answer == self.whole_answer else "now"
            parts.append(f"Without {self._off_in_words()} it {change} reads {now} with {self.now[self.answer]:.2f}"
                         + (f", and {whole} with {self.now[self.whole_answer]:.2f}" if change == "now" else "")
                         + ". (Black marks: with all units.)")
        if self.switch.disabled:
            parts.append("These are the scores of the classes, the answer itself: they cannot be switched off.")
        self.say(" ".join(parts).replace(" -", " −"))
        if self.goal:
            reached, words = self.goal.judge(self.off, self.whole_answer, self.answer, target)
            self.report_goal(reached, f"Image {number}: {words}")

    def describe(self):
        """Alternative text: image, layer, unit with its map and weights, what excites it, and the answer."""
        number = self.example.value
        target = "" if self.targets is None else f", class {self.names[self.targets[number]]}"
        size = " × ".join(map(str, self.one.shape))
        weights = ("It has no weights of its own" if self.weights is None else
                   f"Its weights, of layer {self.weights[0]}, {' × '.join(map(str, self.weights[1].shape))}, go from "
                   f"{self.weights[1].min():.3g} to {self.weights[1].max():.3g}")
        top = ", ".join(f"image {n}" + ("" if self.targets is None else f" (class {self.names[self.targets[n]]})")
                        + f" with {value:.3g}" for n, value in self.top) or "no image"
        order = np.argsort(-self.now)[:3]
        answer = ", ".join(f"{self.names[k]} with {self.now[k]:.2f}" for k in order)
        top_row, left, height, width = self._inside()
        frame = "" if self.level else (f", with a frame around the {height} × {width} pixels from row {top_row}, "
                                       f"column {left}")
        its = (f"its map, {size}, goes from {self.one.min():.3g} to {self.one.max():.3g}" if self.one.size > 1 else
               f"it gives {self.one.max():.3g}")
        return (f"Image {number}{target}{frame}. Beside it the {len(self.values)} {self._kind()}s of layer "
                f"{self.layer.label}, orange positive, blue negative, unit {self.unit.value} framed; {its}. "
                f"{weights}. It is excited most by {top}. Off: {self._off_in_words()}. The "
                f"network reads {answer}.")

