"""PoolingExplorer: each window of an image becomes one number, and a shifted image changes less than it did."""

import inspect
from dataclasses import dataclass

import numpy as np
from matplotlib.patches import Rectangle

from nnlib import ops, plots
from nnlib.datasets import load_digits
from nnlib.widgets.base import Explorer, LearnerError, choice, data_of, learners, learners_array, slider
from nnlib.widgets.images import APART, Grid, let_reach, scene_of, short

IMAGES = {"deck D": "deck D", "digit": "digit on paper", "temple": "small temple"}
KINDS = {"max": ops.max_pool2d, "mean": ops.avg_pool2d, "median": ops.median_pool2d}
LARGEST, FAR = 4, 2  # windows and strides, pixels of a shift
PAPER = 2  # pixels around a digit, so that nothing of it is lost
DIGITS = 100  # whose mean change decides the goal
OWN = "yours"


@dataclass(frozen=True)
class ShiftGoal:
    """Pooling after which a shift of one pixel changes at most `ratio` times as much, with `outputs` numbers left."""

    ratio: float = 0.4
    outputs: int = 25

    def __str__(self):
        return (f"let a shift by one pixel to the right change pooled digits at most {self.ratio:g} times as much as "
                f"the digits themselves, with at least {self.outputs} numbers left of their 144")


def pooled(image, kind, window, stride):
    """An image (height, width) pooled by a name of KINDS: (height of output, width of output); or more, (n, ...)."""
    image = np.asarray(image, dtype=float)
    return np.asarray(KINDS[kind](image.reshape(-1, 1, *image.shape[-2:]), window, stride)).reshape(
        *image.shape[:-2], *((n - window) // stride + 1 for n in image.shape[-2:]))


def shifted(image, right, down):
    """An image (..., height, width) moved by so many pixels; where it moved away, the pixels of its edge repeat."""
    height, width = image.shape[-2:]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return image[..., rows, :][..., columns]


def change(before, after):
    """How much changed, as a part of what there was: sum of |difference| / sum of |before|."""
    total = np.abs(before).sum()
    return float(np.abs(after - before).sum() / total) if total else 0.0


def change_of_digits(kind, window, stride):
    """How much a shift by one pixel to the right changes the first digits, and how much when they are pooled."""
    images = np.pad(load_digits().images[:DIGITS, 0], ((0, 0), (PAPER, PAPER), (PAPER, PAPER)))
    moved = shifted(images, 1, 0)
    return change(images, moved), change(pooled(images, kind, window, stride), pooled(moved, kind, window, stride))


def learners_pool(function):
    """A learner's pooling as a function of (image, window, stride) that returns (height, width), checked.

    It is called with x (1, 1, height, width), the window and the stride; with image (height, width) if its first
    argument is called image. A function of two arguments gets no stride, and must use the window's size for it.
    """
    if not callable(function):
        raise ValueError(f"PoolingExplorer: expected pool to be a function but got {type(function).__name__}")
    parameters = list(inspect.signature(function).parameters.values())
    plain = bool(parameters) and parameters[0].name in ("image", "img")
    places = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    several = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    named = next((p.name for p in parameters if p.name == "stride"), None)
    guarded = learners(lambda arguments, options: function(*arguments, **options), "pool")

    def run(image, window, stride):
        lead = () if plain else (1, 1)
        shape = tuple((n - window) // stride + 1 for n in image.shape)
        arguments, options = [np.array(image).reshape(*lead, *image.shape), window], {}
        if named:
            options = {"stride": stride}
        elif several or places > 2:
            arguments.append(stride)
        elif stride != window:
            raise LearnerError("pool has no argument `stride`: add it, or make the stride as large as the window")
        value = data_of(guarded(arguments, options))
        got = np.shape(value)
        if value is not None and got != (*lead, *shape):
            hints = [(got == shape, "two axes are missing: return (batch, channels, height, width)"),
                     (got == (*lead, *(n - window + 1 for n in image.shape)), "is the stride used?"),
                     (got == (*lead, *((n - window) // stride for n in image.shape)), "is the + 1 missing?"),
                     (got == (*lead, *(-(-n // stride) for n in image.shape)),
                      "a window that would reach beyond the image has no place"),
                     (got == (*lead, *(n // window for n in image.shape)), "its size depends on the stride, too")]
            hint = next((f"; {text}" for fits, text in hints if fits), "")
            raise LearnerError(f"pool: expected an output of shape {(*lead, *shape)} but got {got}{hint}")
        return learners_array(value, (*lead, *shape), "pool").reshape(shape)
    return run


PROBE = np.random.default_rng(0).normal(size=(9, 11)) - 1


def pool_fault(pool, image, kind, window, stride):
    """What is wrong with a learner's checked pool, as a sentence; empty if nothing is.

    It is tried on the image shown and on one with negative numbers.
    """
    for tried, where in ((image, ""), (PROBE, " on an image with negative numbers")):
        got, right = pool(tried, window, stride), pooled(tried, kind, window, stride)
        tolerance = 1e-4 * max(1.0, np.abs(right).max())
        if np.allclose(got, right, rtol=0, atol=tolerance):
            continue
        for other in KINDS:
            if np.allclose(got, pooled(tried, other, window, stride), rtol=0, atol=tolerance):
                return f"Your pool takes the {other} of each window{where}, not the {kind}."
        slips = [(-pooled(-tried, "max", window, stride), "it takes the smallest number of each window"),
                 (pooled(tried, "mean", window, stride) * window ** 2, "it takes the sum of each window"),
                 (pooled(np.abs(tried), kind, window, stride), "it drops the sign first"),
                 (np.maximum(right, 0), "it never gives less than 0: begin with the window's first number, or with "
                  "-infinity")]
        for value, words in slips:
            if np.allclose(got, value, rtol=0, atol=tolerance):
                return f"Your pool{where}: {words}."
        off = np.abs(got - right) > tolerance
        row, column = np.argwhere(off)[0]
        return (f"Your pool differs{where} at {off.sum()} of {off.size} places, first at row {row}, column {column}: "
                f"it gives {got[row, column]:.4g} where the {kind} is {right[row, column]:.4g}.")
    return ""


class PoolingExplorer(Explorer):
    """Pool an image, shift it by a pixel, and compare how much the image and how much its pooled version changes.

    Args:
        image: "deck D" (its 4 x 4 example), "digit" (8 x 8, with 2 pixels of paper around), "temple" (60 x 60), or
            your own array (height, width), 4 to 96 pixels each way.
        kind: "max", "mean" or "median".   window, stride: 1 to 4.   shift: pixels to the right, -2 to 2.
        pool: your own pooling of this kind, pool(x, kernel_size, stride); see `learners_pool`. It is shown then.
        goal: a `ShiftGoal`, or None.
    Raises ValueError for names that are not known, shapes that do not fit and numbers out of range.
    Source: deck D.
    """

    def __init__(self, image="deck D", kind="max", window=2, stride=2, shift=0, pool=None, goal=None):
        name = image if isinstance(image, str) else OWN
        self.scenes = {name: scene_of("PoolingExplorer", image, IMAGES, 4, 96)}
        if kind not in KINDS:
            raise ValueError(f"PoolingExplorer: there is no pooling {kind!r}; try {', '.join(KINDS)}")
        if not {window, stride} <= set(range(1, LARGEST + 1)) or shift not in range(-FAR, FAR + 1):
            raise ValueError(f"PoolingExplorer: expected a window and a stride of 1 to {LARGEST} and a shift of -{FAR} "
                             f"to {FAR} but got {window}, {stride} and {shift}")
        self.own = None if pool is None else learners_pool(pool)
        self.goal, self.own_kind, self._drawn, self._measured, self._at_start = goal, kind, None, {}, True
        self.image_choice = choice("image", [*IMAGES, *([OWN] if name == OWN else [])], name,
                                   tooltip="what is pooled, and shifted")
        self.kind = choice("pooling", [*KINDS, *([OWN] if self.own else [])], OWN if self.own else kind,
                           tooltip="which number stands for the numbers of a window")
        self.window = slider("window", 1, LARGEST, int(window), unit="pixels", tooltip="rows and columns of a window")
        self.stride = slider("stride", 1, LARGEST, int(stride), unit="pixels",
                             tooltip="from one window to the next; smaller than the window, they overlap")
        self.right = slider("shift right", -FAR, FAR, int(shift), unit="pixels",
                            tooltip="how far the second image is moved to the right; negative: to the left")
        self.down = slider("shift down", -FAR, FAR, 0, unit="pixels",
                           tooltip="how far the second image is moved down; negative: up")
        self.row = slider("window, row", 0, 1, 0, tooltip="row of the pooled image whose window is marked")
        self.column = slider("window, column", 0, 1, 0, tooltip="column of the pooled image whose window is marked")
        self.image_choice.layout.margin = APART
        figure = self._draw()
        self.assemble(figure, [[self.image_choice, self.kind], [self.window, self.stride], [self.right, self.down],
                               [self.row, self.column]],
                      [a for grid in self.grids.flat for a in grid.artists] + [*self.marks, *self.titles.flat],
                      goal=str(goal) if goal else None)

    def _draw(self):
        figure, self.axes = plots.subplots(2, 3, width=9.6, height=6.1)
        self.grids = np.array([[Grid(ax, most=6, zeros=ax is not row[2]) for ax in row] for row in self.axes])
        self.titles = np.array([[ax.set_title(" ") for ax in row] for row in self.axes])
        self.marks = [ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=plots.VERMILION, linewidth=3,
                                             clip_on=False))
                      for ax in self.axes[:, :2].flat]
        return figure

    def update(self):
        """Pool the image and the shifted one, and draw both and their differences."""
        self.scene = self._scene()
        window, stride, kind = self.window.value, self.stride.value, self.kind.value
        image = self.scene.pixels
        moved = shifted(image, self.right.value, self.down.value)
        self.images, self.fault, stopped = (image, moved), "", None
        try:
            if kind == OWN:
                self.fault = pool_fault(self.own, image, self.own_kind, window, stride)
            self.outputs = tuple(self.own(x, window, stride) if kind == OWN else pooled(x, kind, window, stride)
                                 for x in self.images)
        except LearnerError as error:  # nothing of an earlier output may stay beside the message
            stopped, self.fault = error, "No output: your pool stopped."
            self.outputs = (np.full([(n - window) // stride + 1 for n in image.shape], np.nan),) * 2
        self.changes = change(*self.images), change(*self.outputs)
        self._place_window()
        self._draw_grids()
        self._tell()
        if stopped:
            self._paint(self._animated, self.describe())
            raise stopped

    def _changed(self, change):
        self._at_start = change["owner"] is self.image_choice
        super()._changed(change)

    def _scene(self):
        name = self.image_choice.value
        if name not in self.scenes:
            self.scenes[name] = scene_of("PoolingExplorer", name, IMAGES, 4, 96)
        return self.scenes[name]

    def _place_window(self):
        with self.setting_controls():
            for control, count in zip((self.row, self.column), self.outputs[0].shape):
                let_reach(control, count)
                if self._at_start:  # in the middle there is more to see than at the edge
                    control.value = (count - 1) // 2
            self._at_start = False
        row, column, window, stride = self.row.value, self.column.value, self.window.value, self.stride.value
        self.seen = tuple(x[row * stride:row * stride + window, column * stride:column * stride + window]
                          for x in self.images)
        for mark, (top, left, size) in zip(self.marks, [(row * stride, column * stride, window)] * 2 +
                                           [(row, column, 1)] * 2):
            mark.set(xy=(left - 0.5, top - 0.5), width=size, height=size)

    @property
    def stopped(self):
        """Whether there is no output, because the learner's function stopped."""
        return bool(np.isnan(self.outputs[0][0, 0]))

    @property
    def kind_shown(self):
        """Name of what is taken of each window: max, mean or median, for the learner's too."""
        return self.own_kind if self.kind.value == OWN else self.kind.value

    def _draw_grids(self):
        scene, shapes = self.scene, (self.images[0].shape, self.outputs[0].shape)
        if self._drawn != shapes:
            self._drawn = shapes
            for row, shape in zip(self.grids, shapes):
                for grid in row:
                    grid.extend(shape)
        reach = scene.high - scene.low
        for row, pair in zip(self.grids, (self.images, self.outputs)):
            for grid, values in zip(row, pair):
                grid.show(values, scene.low, scene.high, scene.cmap)
            row[2].show(pair[1] - pair[0], -reach, reach)
        size = "{} × {}".format
        first, second = self.changes
        words = [[f"image {size(*shapes[0])}", self._shift(), f"difference (orange: more): {first:.0%}"],
                 [f"{'your' if self.kind.value == OWN else self.kind.value} pooling {size(*shapes[1])}",
                  "shifted, then pooled" if self._moved else "pooled", f"difference (orange: more): {second:.0%}"]]
        if self.stopped:
            words[1] = ["no output: your pool stopped", "", ""]
        for title, text in zip(self.titles.flat, sum(words, [])):
            title.set_text(text)

    def _shift(self):
        right, down = self.right.value, self.down.value
        steps = [f"{abs(n)} {ways[n < 0]}" for n, ways in ((right, ("right", "left")), (down, ("down", "up"))) if n]
        return f"shifted {', '.join(steps)}" if steps else "not shifted"

    def _tell(self):
        (height, width), window, stride = self.scene.pixels.shape, self.window.value, self.stride.value
        places = self.outputs[0].shape

        def size(n, count):
            top = n - window
            exact = "" if top % stride == 0 else f" = ⌊{top / stride:.4g}⌋ + 1"
            return f"⌊({n} − {window}) / {stride}⌋ + 1{exact} = {count}"

        sizes = (f"height and width {size(height, places[0])}" if height == width else
                 f"height {size(height, places[0])}, width {size(width, places[1])}")
        parts = [f"Output size: {sizes}; {places[0] * places[1]} numbers of {height * width} are left."]
        after = f", and after the shift {short(self._value(1))}" if self._moved else ""
        gives = "" if self.stopped else f"; its {self.kind_shown} is {short(self._value(0))}{after}"
        parts.append(f"The window marked holds {self._held(0)}{gives}.")
        first, second = self.changes
        if self.stopped:
            pass
        elif not self._moved:
            parts.append("Shift the image by a pixel, and compare.")
        elif first:
            parts.append(f"The shift changed {first:.0%} of the image (sum of the sizes of the differences / sum of "
                         f"the image) and {second:.0%} of the pooled image: {second / first:.2f} times as much.")
        if self.kind.value == OWN:
            parts.append(self.fault or f"Your pool gives the same numbers as nnlib's {self.own_kind} pooling.")
        self.say(" ".join(parts))
        if self.goal:
            self._tell_goal()

    @property
    def _moved(self):
        return self.right.value != 0 or self.down.value != 0

    def _held(self, which):
        seen = self.seen[which]
        return "; ".join(" ".join(short(v) for v in row) for row in seen)

    def _value(self, which):
        return self.outputs[which][self.row.value, self.column.value]

    def _tell_goal(self):
        key = self.kind_shown, self.window.value, self.stride.value
        if key not in self._measured:
            self._measured[key] = change_of_digits(*key)
        first, second = self._measured[key]
        side = (8 + 2 * PAPER - key[1]) // key[2] + 1
        reached = second <= self.goal.ratio * first and side ** 2 >= self.goal.outputs and not self.fault
        self.report_goal(reached, f"Of {DIGITS} digits the shift changes {first:.0%} and, pooled, {second:.0%}: "
                                  f"{second / first:.2f} times as much, with {side ** 2} numbers left.")

    def describe(self):
        """Alternative text: image, pooled image, the window marked, and what the shift changed."""
        (height, width), (rows, columns) = self.images[0].shape, self.outputs[0].shape
        kind = f"your pooling, meant as {self.own_kind}" if self.kind.value == OWN else f"{self.kind.value} pooling"

        def listed(values):
            small = max(values.shape) <= 6
            return ": " + "; ".join(" ".join(short(v) for v in row) for row in values) if small else ""

        if self.stopped:
            return (f"The image “{self.scene.name}”, {height} × {width}{listed(self.images[0])}, with a window marked "
                    f"that holds {self._held(0)}; below it an empty output. {self.fault}")
        return (f"Six pictures. Above, the image “{self.scene.name}”, {height} × {width}{listed(self.images[0])}, the "
                f"same {self._shift()}, and their difference, "
                f"{self.changes[0]:.0%} of the image. Below, what {kind} with window {self.window.value} and stride "
                f"{self.stride.value} makes of them, {rows} × {columns}{listed(self.outputs[0])}, {self._shift()}"
                f"{listed(self.outputs[1])}, and the difference, {self.changes[1]:.0%}. The window at row "
                f"{self.row.value}, column {self.column.value} is marked: it holds {self._held(0)} and gives "
                f"{short(self._value(0))}.{' ' + self.fault if self.fault else ''}")
