"""ConvolutionExplorer: a small kernel walks over an image; what is under it, times its weights, sums to one output."""

import inspect
from dataclasses import dataclass

import ipywidgets
import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from nnlib import ops, plots
from nnlib.widgets.base import (
    Explorer,
    LearnerError,
    Player,
    checkbox,
    choice,
    data_of,
    learners,
    learners_array,
    slider,
)
from nnlib.widgets.images import APART, DIRECTIONS, QUARTER, Grid, let_reach, scene_of, short, strokes

IMAGES = {"temple": "temple", "flower": "flower", "digit": "digit", "strokes": "strokes"}
SIZES, MOST_STRIDE, MOST_ZEROS = (3, 5), 4, 4
WORDS = "valid", "same", "full"
OWN = "yours"
LIKE_IMAGES = "identity", "blur", "sharpen", "emboss"  # kernels whose output is shown in gray at first

# Of the 8 filters that Conv2d(1, 8, 3, padding=1), ReLU, MaxPool2d(2) and a dense layer learned on the digits (Adam at
# 0.01, 20 epochs, 97% of the test digits right), the first one, divided by its largest weight.
LEARNED = ((0.03, -0.86, -0.93), (0.15, 0.63, 1.00), (0.33, 0.45, 0.38))
KERNELS = {name: np.array(rows, dtype=float) for name, rows in {
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "blur": ((1 / 9,) * 3,) * 3,
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "Sobel x": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Sobel y": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "Laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
    "emboss": ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    "learned": LEARNED}.items()}


@dataclass(frozen=True)
class SizeGoal:
    """An output of this height and width (the height, if None)."""

    height: int
    width: int | None = None

    @property
    def shape(self):
        """(height, width)"""
        return self.height, self.width or self.height

    def __str__(self):
        return "make the output {} × {}".format(*self.shape)

    def judge(self, kernel, shape):
        """Whether it is reached, and in words how far it is."""
        return tuple(shape) == self.shape, f"It is {shape[0]} × {shape[1]}."


@dataclass(frozen=True)
class StrokeGoal:
    """A kernel that answers to strokes in one of DIRECTIONS `ratio` times as strongly as in any other."""

    direction: str = "vertical"
    ratio: float = 3.0

    def __str__(self):
        return (f"find a kernel that answers to {self.direction} strokes at least {self.ratio:g} times as strongly as "
                "to those of any other direction")

    def judge(self, kernel, shape):
        """Whether it is reached, and in words how far it is."""
        answers = stroke_answers(kernel)
        mine, other = answers[self.direction], max(v for n, v in answers.items() if n != self.direction)
        told = ", ".join(f"{name} {value:.2f}" for name, value in answers.items())
        found = mine / other if other > 0 else np.inf if mine > 0 else 0.0
        times = ("no other direction answers" if found == np.inf else "nothing answers" if not mine else
                 f"{found:.2f} times the strongest other")
        return bool(found >= self.ratio - 1e-9), f"Mean size of the answers in “strokes”: {told}; {times}."


def kernel_of(name, size):
    """A kernel of KERNELS in this size: with zeros around it, the blur with equal weights everywhere."""
    if name == "blur":
        return np.full((size, size), 1 / size ** 2)
    return np.pad(KERNELS[name], (size - 3) // 2)


def correlate(image, kernel, stride=1, padding=0):
    """`conv2d` of an image (height, width) with a kernel (k, k): (height of output, width of output)."""
    return np.asarray(ops.conv2d(np.asarray(image, dtype=float)[None, None],
                                 np.asarray(kernel, dtype=float)[None, None], stride=stride, padding=padding))[0, 0]


def window_at(image, size, stride, padding, row, column):
    """What the window of the output at (row, column) covers, zeros of the padding included: (size, size)."""
    top, left = row * stride, column * stride
    return np.pad(image, padding)[top:top + size, left:left + size]


def size_formula(n, size, stride, padding):
    """The output's size along one axis, as it is calculated: text with the floor in it."""
    top = n + 2 * padding - size
    exact = "" if top % stride == 0 else f" = ⌊{top / stride:.4g}⌋ + 1"
    return f"⌊({n} + 2·{padding} − {size}) / {stride}⌋ + 1{exact} = {top // stride + 1}"


def zeros_for(word, size):
    """How many zeros 'valid', 'same' and 'full' put around an image, for a kernel of odd size."""
    return {"valid": 0, "same": size // 2, "full": size - 1}[word]


def stroke_answers(kernel):
    """The mean size of a kernel's answers to strokes in each direction, within each quarter of `images.strokes`."""
    image, q = strokes(), QUARTER
    corners = dict(zip(DIRECTIONS, ((0, 0), (0, q), (q, 0), (q, q))))
    return {name: float(np.abs(correlate(image[r:r + q, c:c + q], kernel)).mean()) for name, (r, c) in corners.items()}


def learners_conv(function):
    """A learner's conv2d as a function of (image, kernel, stride, padding) that returns (height, width), checked.

    It is called with x (1, 1, height, width) and weight (1, 1, k, k); if its first argument is called image, with
    image (height, width) and kernel (k, k). Arguments stride, padding and bias are handed over by name if it has them.
    """
    if not callable(function):
        raise ValueError(f"ConvolutionExplorer: expected conv2d to be a function but got {type(function).__name__}")
    parameters = inspect.signature(function).parameters
    plain = next(iter(parameters), "x") in ("image", "img")
    guarded = learners(lambda x, weight, options: function(x, weight, **options), "conv2d")

    def run(image, kernel, stride, padding):
        options = {"stride": stride} if "stride" in parameters else {}
        if "padding" in parameters:
            options["padding"] = padding
        elif padding:
            image = np.pad(image, padding)
        if "bias" in parameters and parameters["bias"].default is inspect.Parameter.empty:
            options["bias"] = np.zeros(() if plain else 1)
        if "stride" not in parameters and stride > 1:
            raise LearnerError("conv2d has no argument `stride`: add it, or leave the stride at 1")
        lead = () if plain else (None, None)
        result = guarded(np.array(image[lead]), np.array(kernel[lead]), options)
        grown = np.array(image.shape) + (2 * padding if "padding" in parameters else 0)
        shape = tuple(int(n) for n in (grown - len(kernel)) // stride + 1)
        return _checked(result, shape, grown, stride, len(kernel), padding, plain)
    return run


def _checked(result, shape, grown, stride, size, padding, plain):
    """The learner's output of this shape; a LearnerError that says what the shape looks like, if it is another."""
    lead = () if plain else (1, 1)
    value = data_of(result)
    got = np.shape(value)
    if value is not None and got != (*lead, *shape):
        sizes = tuple(int(n) for n in grown)
        hints = [(got == shape, "two axes are missing: return (batch, out channels, height, width)"),
                 (got == (*lead, *shape[::-1]) and shape[0] != shape[1], "height and width are exchanged"),
                 (got == (*lead, *(n - size + 1 for n in sizes)), "is the stride used?"),
                 (got == (*lead, *(-(-(n - size + 1) // stride) + 1 for n in sizes)), "one row and column too many"),
                 (got == (*lead, *((n - size) // stride for n in sizes)), "is the + 1 of the formula missing?"),
                 (got == (*lead, *((n - 2 * padding - size) // stride + 1 for n in sizes)), "is the padding used?"),
                 (got == (*lead, *sizes), "the output is smaller than the image: there is one number for each place "
                  "of the window")]
        hint = next((f"; {text}" for fits, text in hints if fits), "")
        raise LearnerError(f"conv2d: expected an output of shape {(*lead, *shape)} but got {got}{hint}")
    return learners_array(value, (*lead, *shape), "conv2d").reshape(shape)


def conv_fault(got, image, kernel, stride, padding):
    """What is wrong with a learner's output of the right shape, as a sentence; empty if nothing is."""
    right = correlate(image, kernel, stride, padding)
    tolerance = 1e-4 * max(1.0, np.abs(right).max())

    def same(value):
        return np.allclose(got, value, rtol=0, atol=tolerance)

    if same(right):
        return ""
    slips = [(correlate(image, kernel[::-1, ::-1], stride, padding),
              "it flips the kernel first (convolution in the mathematical sense); a network's conv2d does not"),
             (correlate(image, kernel.T, stride, padding), "rows and columns of the kernel are exchanged"),
             (correlate(image, kernel[::-1], stride, padding), "the kernel's rows run the wrong way"),
             (correlate(image, kernel[:, ::-1], stride, padding), "the kernel's columns run the wrong way"),
             (right / kernel.size, "it takes the mean of the products; take their sum"),
             (-right, "the sign is wrong"), (np.abs(right), "it drops the sign"),
             (np.maximum(right, 0), "it cuts off what is negative; leave that to a ReLU")]
    for value, words in slips:
        if same(value):
            return f"Your conv2d: {words}."
    off = np.abs(got - right) > tolerance
    row, column = np.argwhere(off)[0]
    return (f"Your conv2d differs at {off.sum()} of {off.size} places, first at row {row}, column {column}: it gives "
            f"{got[row, column]:.4g} where the sum is {right[row, column]:.4g}.")


PROBE = np.random.default_rng(0).normal(size=(9, 11))


def probe_kernel(size):
    """A kernel in which every flip and every exchange of axes shows."""
    return np.random.default_rng(1).normal(size=(size, size))


def _cell(row, column):
    """The number field for one weight of the kernel."""
    return ipywidgets.BoundedFloatText(0.0, min=-100, max=100, step=0.1, description=f"{row},{column}",
                                       tooltip=f"weight in row {row}, column {column} of the kernel",
                                       layout={"width": "78px", "margin": "1px"}, style={"description_width": "22px"})


class ConvolutionExplorer(Explorer):
    """Move a kernel over an image by hand, and see products and sum; edit its weights, stride and padding.

    Args:
        image: "temple" or "flower" (photographs, 120 x 80), "digit" (8 x 8), "strokes" (28 x 28), or your own array
            (height, width), 5 to 128 pixels each way.
        kernel: a name of KERNELS, or an array (3, 3) or (5, 5).   stride: 1 to 4.
        padding: "valid", "same", "full", or a number of zeros, 0 to 4.
        conv2d: your own; see `learners_conv` for what it is given. What is shown then is its output.
        goal: a `SizeGoal` or a `StrokeGoal`, or None.
    Raises ValueError for names that are not known, shapes that do not fit and numbers out of range.
    Source: decks D and E.
    """

    def __init__(self, image="temple", kernel="Sobel x", stride=1, padding="valid", conv2d=None, goal=None):
        self.scenes = {} if isinstance(image, str) else {OWN: scene_of("ConvolutionExplorer", image, IMAGES, 5, 128)}
        if isinstance(image, str):
            self.scenes[image] = scene_of("ConvolutionExplorer", image, IMAGES, 5, 128)
        weights = self._weights_of(kernel)
        if stride not in range(1, MOST_STRIDE + 1) or padding not in (*WORDS, *range(MOST_ZEROS + 1)):
            raise ValueError(f"ConvolutionExplorer: expected a stride of 1 to {MOST_STRIDE} and a padding of 0 to "
                             f"{MOST_ZEROS}, 'valid', 'same' or 'full' but got {stride!r} and {padding!r}")
        if isinstance(goal, StrokeGoal) and goal.direction not in DIRECTIONS:
            raise ValueError(f"ConvolutionExplorer: there is no direction {goal.direction!r}; try "
                             f"{', '.join(DIRECTIONS)}")
        self.own = None if conv2d is None else learners_conv(conv2d)
        self.goal, self._computed, self._probed, self._at_start = goal, None, {}, True
        self._make_controls(next(iter(self.scenes)), kernel if isinstance(kernel, str) else OWN, weights, stride,
                            padding)
        figure = self._draw()
        self.assemble(figure, [[self.image_choice, self.kernel_choice], *self.cells, [self.stride, self.zeros],
                               [self.padding, self.size, self.flip], [self.row, self.column],
                               [self.filling, self.shades, self.player]], self._artists,
                      goal=str(goal) if goal else None)
        self._beside()

    @staticmethod
    def _weights_of(kernel):
        if isinstance(kernel, str):
            if kernel not in KERNELS:
                raise ValueError(f"ConvolutionExplorer: there is no kernel {kernel!r}; try {', '.join(KERNELS)}, or "
                                 "an array of shape (3, 3) or (5, 5)")
            return kernel_of(kernel, 3)
        weights = np.array(kernel, dtype=float)
        if weights.shape not in [(k, k) for k in SIZES] or not (np.abs(weights) <= 100).all():
            raise ValueError("ConvolutionExplorer: expected a kernel of shape (3, 3) or (5, 5) with weights from -100 "
                             f"to 100 but got shape {weights.shape}")
        return weights

    def _make_controls(self, image, name, weights, stride, padding):
        size = len(weights)
        self.image_choice = choice("image", [*IMAGES, *([OWN] if OWN in self.scenes else [])], image,
                                   tooltip="what the kernel walks over")
        self.kernel_choice = choice("kernel", [*KERNELS, OWN], name,
                                    tooltip="weights that are known by a name; change a cell, and they are yours")
        self.cells = [[_cell(r, c) for c in range(SIZES[-1])] for r in range(SIZES[-1])]
        self.size = choice("kernel size", {f"{k} × {k}": k for k in SIZES}, size,
                           tooltip="rows and columns of the kernel")
        self.flip = checkbox("flip the kernel", tooltip="turn it by 180 degrees first: convolution as in mathematics")
        self.stride = slider("stride", 1, MOST_STRIDE, int(stride), unit="pixels",
                             tooltip="how far the window moves from one place to the next")
        word = padding if padding in WORDS else "number"
        self.padding = choice("padding", [*WORDS, "number"], word,
                              tooltip="how the edge is treated; the words choose how many zeros there are")
        self.zeros = slider("zeros around", 0, MOST_ZEROS, int(padding) if word == "number" else
                            zeros_for(word, size), unit="pixels", tooltip="rows and columns of zeros on every side")
        self.row = slider("window, row", 0, 1, 0, tooltip="row of the output that the window shown belongs to")
        self.column = slider("window, column", 0, 1, 0, tooltip="column of the output that the window belongs to")
        self.filling = choice("output shown", ["all", "so far"],
                              tooltip="all of it, or what the window has passed, row by row")
        self.shades = choice("colors of output", ["signed", "gray"], self._fitting_shades(name, weights),
                             tooltip="signed: orange positive, blue negative; gray: like the image")
        self.player = Player(self.on_step, self.on_reset, interval=0.15)
        for control in (self.stride, self.zeros, self.row, self.column):  # so that the cells find room beside them
            control.layout.width, control.style.description_width = "325px", "142px"
        for control in (self.image_choice, self.padding, self.filling, self.shades):
            control.layout.margin = APART
        self._show_weights(weights)

    @staticmethod
    def _fitting_shades(name, weights):
        return "gray" if name in LIKE_IMAGES or name == OWN and (weights >= 0).all() else "signed"

    def _beside(self):
        """Put the cells of the kernel beside the other controls where the page is wide enough."""
        rows = list(self.children)
        grid = ipywidgets.VBox(rows[1:1 + SIZES[-1]], layout={"margin": "4px 12px"})
        rest = ipywidgets.VBox(rows[1 + SIZES[-1]:-3])
        both = ipywidgets.HBox([rest, grid], layout={"display": "flex", "flex_flow": "row wrap"})
        self.children = [rows[0], both, *rows[-3:]]

    # The kernel's cells

    def _inner(self, size):
        """The cells that belong to a kernel of this size, row by row."""
        edge = (SIZES[-1] - size) // 2
        return [row[edge:SIZES[-1] - edge] for row in self.cells[edge:SIZES[-1] - edge]]

    def _show_weights(self, weights):
        inner = self._inner(len(weights))
        shown = {cell for row in inner for cell in row}
        for row in self.cells:
            for cell in row:
                cell.layout.display = None if cell in shown else "none"
                if cell not in shown:
                    cell.value = 0.0
        for r, (row, values) in enumerate(zip(inner, weights)):
            for c, (cell, value) in enumerate(zip(row, values)):
                cell.value = round(float(value), 4)
                cell.description = f"{r},{c}"
                cell.tooltip = f"weight in row {r}, column {c} of the kernel"

    @property
    def weights(self):
        """The kernel as its cells say, or exactly that of the name chosen: (k, k)."""
        if self.kernel_choice.value != OWN:
            return kernel_of(self.kernel_choice.value, self.size.value)
        return np.array([[cell.value for cell in row] for row in self._inner(self.size.value)])

    # Controls that move one another

    def _changed(self, change):
        owner = change["owner"]
        with self.setting_controls():
            if owner in (self.kernel_choice, self.size):
                self._kernel_changed(owner)
            elif any(owner is cell for row in self.cells for cell in row):
                self.kernel_choice.value = OWN
            if owner in (self.padding, self.size) and self.padding.value != "number":
                self.zeros.value = zeros_for(self.padding.value, self.size.value)
            elif owner is self.zeros:
                self.padding.value = "number"
        if owner is self.image_choice:
            self._at_start = True
        if owner not in (self.row, self.column):
            self.player.pause()
        super()._changed(change)

    def _kernel_changed(self, owner):
        named, size = self.kernel_choice.value != OWN, self.size.value
        if named:
            weights = kernel_of(self.kernel_choice.value, size)
            if owner is self.kernel_choice:
                self.shades.value = self._fitting_shades(self.kernel_choice.value, weights)
            self._show_weights(weights)
        elif owner is self.size:
            self._show_weights(np.array([[cell.value for cell in row] for row in self._inner(size)]))

    def on_step(self):
        """Move the window on: by a place, and while it plays over a wide output by a row. Is there another one?"""
        rows, columns = self.right.shape
        here = self.row.value * columns + self.column.value
        far = columns if self.player.playing and columns > 16 and self.row.value else 1
        there = min(here + far, rows * columns - 1)
        self._go(there if here < rows * columns - 1 else here)
        return there < rows * columns - 1

    def on_reset(self):
        """Back to the first place, with an empty output."""
        self._go(0)

    def _go(self, place):
        with self.setting_controls():
            self.filling.value = "so far"
            self.row.value, self.column.value = divmod(place, self.right.shape[1])
        self.refresh()

    # The picture

    def _draw(self):
        figure, first = plots.subplots(width=10.2, height=5.9)
        first.remove()
        upper, lower = figure.subfigures(2, 1, height_ratios=(3.4, 2.4))
        self.scene_ax, self.out_ax = upper.subplots(1, 2)
        axes = lower.subplots(1, 4, gridspec_kw={"width_ratios": (1, 1, 1, 1.1)})
        for ax in (self.scene_ax, self.out_ax):
            ax.grid(False)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
        self.scene_image = self.scene_ax.imshow(np.zeros((80, 120)), cmap="gray", vmin=0, vmax=1,
                                                interpolation="nearest")
        self.edge = self.scene_ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=plots.GREEN, linestyle="--"))
        halo = [withStroke(linewidth=4.5, foreground="white")]  # so that they are seen on any color
        frame = {"fill": False, "edgecolor": plots.VERMILION, "linewidth": 2.5, "path_effects": halo}
        self.window = self.scene_ax.add_patch(Rectangle((0, 0), 1, 1, **frame))
        self.out_image = self.out_ax.imshow(np.zeros((80, 120)), cmap=plots.DIVERGING, interpolation="nearest")
        self.unfilled = self.out_ax.add_patch(Rectangle((0, 0), 1, 1, transform=self.out_ax.transAxes, hatch="////",
                                                        facecolor="white", edgecolor=plots.FAINT, linewidth=0))
        self.place = self.out_ax.add_patch(Rectangle((0, 0), 1, 1, **frame))
        self.scene_title, self.out_title = (ax.set_title(" ", y=1) for ax in (self.scene_ax, self.out_ax))
        self.under, self.factors, self.products = (Grid(ax) for ax in axes[:3])
        for ax, sign in zip(axes, "×="):
            ax.text(1.13, 0.5, sign, transform=ax.transAxes, ha="center", va="center", fontsize=18)
        for ax, title in zip(axes, ("under the window", "kernel", "products", "their sum")):
            ax.set_title(title, y=1)  # a height that is given need not be found out
        axes[3].axis("off")
        self.sum_text = axes[3].text(0.05, 0.62, "", transform=axes[3].transAxes, fontsize=22, va="center")
        self.sum_words = axes[3].text(0.05, 0.28, "", transform=axes[3].transAxes, fontsize=10, va="center",
                                      linespacing=1.4)
        self._drawn = self._shapes = None
        axes_lines = self.out_ax.spines["left"], self.out_ax.spines["bottom"], self.out_ax.xaxis, self.out_ax.yaxis
        self._artists = [self.window, self.unfilled, self.out_image, *axes_lines, self.place, self.out_title,
                         *self.under.artists, *self.factors.artists, *self.products.artists, self.sum_text,
                         self.sum_words]
        return figure

    def update(self):
        """Compute the output, and draw it, the window and what is under it."""
        self.scene = self._scene()
        kernel = self.weights[::-1, ::-1] if self.flip.value else self.weights
        stride, padding = self.stride.value, self.zeros.value
        key = self.scene.name, kernel.tobytes(), stride, padding
        if self._computed != key:
            self._computed, self.kernel = None, kernel
            self.right = correlate(self.scene.pixels, kernel, stride, padding)
            self._place_window()
            self._draw_scene()
            try:
                self.output = self.right if self.own is None else self.own(self.scene.pixels, kernel, stride, padding)
                self.fault = "" if self.own is None else self._fault(kernel, stride, padding)
            except LearnerError:
                self._show_no_output()
                raise
            self._computed = key
        self._draw_output()
        self._draw_products()
        self._tell()

    def _show_no_output(self):
        """Paint what there is without the learner's output: it, and what was said about an earlier one, must go."""
        self.output, self.fault = np.full(self.right.shape, np.nan), "No output: your conv2d stopped."
        self._draw_output()
        self._draw_products()
        self._tell()
        self._paint(self._animated, self.describe())

    @property
    def stopped(self):
        """Whether there is no output, because the learner's function stopped."""
        return bool(np.isnan(self.output[0, 0]))

    def _scene(self):
        name = self.image_choice.value
        if name not in self.scenes:
            self.scenes[name] = scene_of("ConvolutionExplorer", name, IMAGES, 5, 128)
        return self.scenes[name]

    def _fault(self, kernel, stride, padding):
        """What is wrong with the learner's output here, or with that of an image and kernel that hide no slip."""
        if fault := conv_fault(self.output, self.scene.pixels, kernel, stride, padding):
            return fault
        key = len(kernel), stride, padding
        if key not in self._probed:
            probe = probe_kernel(len(kernel))
            try:
                self._probed[key] = conv_fault(self.own(PROBE, probe, stride, padding), PROBE, probe, stride, padding)
            except LearnerError as error:
                self._probed[key] = f"{error}."
        return f"Right for this image and kernel, but not for others. {self._probed[key]}" if self._probed[key] else ""

    def _place_window(self):
        rows, columns = self.right.shape
        with self.setting_controls():
            for control, count in ((self.row, rows), (self.column, columns)):
                let_reach(control, count)
            if self._at_start:  # where the kernel answers most, there is something to see
                self._at_start = False
                self.row.value, self.column.value = divmod(int(np.abs(self.right).argmax()), columns)

    def _draw_scene(self):
        scene, padding = self.scene, self.zeros.value
        if self._drawn != (scene.name, padding):
            self._drawn = scene.name, padding
            height, width = scene.pixels.shape
            self.scene_image.set(data=np.pad(scene.pixels, padding), cmap=scene.cmap, clim=(scene.low, scene.high),
                                 extent=(-0.5 - padding, width - 0.5 + padding, height - 0.5 + padding, -0.5 - padding))
            self.edge.set(xy=(-0.5, -0.5), width=width, height=height, visible=padding > 0)
            self.scene_title.set_text(f"image {height} × {width}" + (f", zeros around {padding}" if padding else ""))
            self.background_changed()
        shapes = self.right.shape, self.size.value
        if self._shapes != shapes:
            self._shapes = shapes
            (rows, columns), k = shapes
            self.out_image.set_extent((-0.5, columns - 0.5, rows - 0.5, -0.5))
            self.out_ax.apply_aspect()
            for grid in (self.under, self.factors, self.products):
                grid.extend((k, k))

    def _draw_output(self):
        row, column, stride = self.row.value, self.column.value, self.stride.value
        shown = self.output.copy()
        if self.filling.value == "so far":
            shown.flat[row * shown.shape[1] + column + 1:] = np.nan
        if self.shades.value == "signed":
            limit = max(np.abs(self.right if self.stopped else self.output).max(), 1e-9)
            self.out_image.set(cmap=plots.DIVERGING, clim=(-limit, limit))
        else:
            white = self.scene.high * max(1.0, self.kernel.sum())
            self.out_image.set(cmap=self.scene.cmap, clim=(min(0.0, self.scene.low), white))
        self.out_image.set_data(np.ma.masked_invalid(shown))
        low, high = (short(v) for v in (self.output.min(), self.output.max()))
        self.out_title.set_text("no output: your conv2d stopped" if self.stopped else
                                "output {} × {}, ".format(*shown.shape) + f"{low} to {high}")
        k, padding = self.size.value, self.zeros.value
        self.window.set(xy=(column * stride - padding - 0.5, row * stride - padding - 0.5), width=k, height=k)
        self.place.set(xy=(column - 0.5, row - 0.5))

    def _draw_products(self):
        scene, kernel = self.scene, self.kernel
        row, column = self.row.value, self.column.value
        self.pixels = window_at(scene.pixels, len(kernel), self.stride.value, self.zeros.value, row, column)
        products = self.pixels * kernel
        self.sum = float(products.sum())
        self.under.show(self.pixels, scene.low, scene.high, scene.cmap)
        for grid, values in ((self.factors, kernel), (self.products, products)):
            limit = max(np.abs(values).max(), 1e-9)
            grid.show(values, -limit, limit)
        self.sum_text.set_text(f"{self.sum:.3f}".replace("-", "−"))
        mine = float(self.output[row, column])
        other = f"\nyours: {mine:.3f}" if abs(mine - self.sum) > 1e-4 * max(1, abs(self.sum)) else ""
        verb = "would be" if self.stopped else "is"
        self.sum_words.set_text(f"{verb} the output at\nrow {row}, column {column}{other}")

    def _tell(self):
        (height, width), k = self.scene.pixels.shape, self.size.value
        stride, padding = self.stride.value, self.zeros.value
        sizes = ("height and width " + size_formula(height, k, stride, padding) if height == width else
                 f"height {size_formula(height, k, stride, padding)}, width {size_formula(width, k, stride, padding)}")
        parts = [f"Output size: {sizes}."]
        if self.padding.value == "same" and stride > 1:
            parts.append("“same” keeps the size of the image with stride 1 only.")
        top, left = self.row.value * stride - padding, self.column.value * stride - padding
        parts.append(f"The window covers rows {top} to {top + k - 1} and columns {left} to {left + k - 1} of the image;"
                     f" the {k * k} products sum to {self.sum:.3f}. The weights sum to {self.kernel.sum():.3g}.")
        if self.flip.value and np.allclose(self.kernel, self.weights):
            parts.append("Flipped, this kernel is the same.")
        if self.own is not None:
            parts.append(self.fault or "Your conv2d gives the same numbers as nnlib's.")
        self.say(" ".join(parts))
        if self.goal:
            reached, words = self.goal.judge(self.kernel, self.output.shape)
            self.report_goal(reached and not self.fault, words)

    def describe(self):
        """Alternative text: image, kernel, window with its sum, and the output."""
        (height, width), (rows, columns) = self.scene.pixels.shape, self.output.shape
        weights = "; ".join(" ".join(short(v) for v in row) for row in self.kernel)
        under = "; ".join(" ".join(short(v) for v in row) for row in self.pixels)
        so_far = self.row.value * columns + self.column.value + 1
        filled = "" if self.filling.value == "all" else f", of which {so_far} of {rows * columns} numbers are filled in"
        if self.stopped:
            return (f"The image “{self.scene.name}”, {height} × {width} pixels, with the window of the kernel marked, "
                    f"and beside it an empty output. Under the window: {under}; the kernel: {weights}; the products "
                    f"sum to {self.sum:.3f}. {self.fault}")
        colors = ("orange where it is positive, blue where negative" if self.shades.value == "signed" else
                  "in gray like the image")
        return (f"The image “{self.scene.name}”, {height} × {width} pixels, {self.zeros.value} zeros around, with the "
                f"window of the kernel marked, and beside it the output, {rows} × {columns}, {colors}, from "
                f"{self.output.min():.3g} to {self.output.max():.3g}{filled}. Stride {self.stride.value}. Under the "
                f"window: {under}; kernel “{self.kernel_choice.value}”{', flipped' if self.flip.value else ''}: "
                f"{weights}; the products sum to {self.sum:.3f}, the output at row {self.row.value}, column "
                f"{self.column.value}.{' ' + self.fault if self.fault else ''}")
