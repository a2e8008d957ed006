"""Images for the explorers of convolution and pooling, and how they and small tables of numbers are drawn."""

import functools
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import LineCollection
from PIL import Image

from nnlib import plots
from nnlib.datasets import load_digits

PHOTOS = {"temple": "china.jpg", "flower": "flower.jpg"}  # as they come with scikit-learn, 640 x 427 pixels
DIRECTIONS = {"vertical": "|", "horizontal": "–", "falling": "\\", "rising": "/"}  # of the strokes, quarter by quarter
QUARTER, SPACING, THICK = 14, 5, 2.0  # pixels: side of a quarter, from stroke to stroke, width of a stroke
A_FOUR = 4  # the example of the digits that is shown: its strokes run in several directions
APART = "2px 16px 2px 2px"  # margin of buttons that have others to their right
DECK_D = ((1, 1, 2, 5), (5, 7, 7, 8), (3, 1, 1, 0), (1, 2, 3, 4))


@dataclass(frozen=True)
class Scene:
    """An image (height, width) and how its numbers are shown: from `low`, black, to `high`, white; reversed for ink."""

    name: str
    pixels: np.ndarray
    low: float = 0.0
    high: float = 1.0
    ink: bool = False

    @property
    def cmap(self):
        """Name of matplotlib's map for it."""
        return "gray_r" if self.ink else "gray"


@functools.cache
def photo(name, width, height):
    """A photograph of PHOTOS in gray values from 0 to 1, reduced to (height, width) by averaging; cut to fit.

    Source: scikit-learn's sample images; china.jpg is by danielbuechele, flower.jpg by dlanglois (CC BY).
    """
    from sklearn.datasets import load_sample_image  # only here: it takes a while to load

    whole = Image.fromarray(load_sample_image(PHOTOS[name])).convert("L")
    scale = min(whole.width / width, whole.height / height)
    left = min((whole.width - width * scale) / 2, 0.09 * whole.width)  # what is to be seen stands to the left
    top = (whole.height - height * scale) / 2
    box = left, top, left + width * scale, top + height * scale
    pixels = np.asarray(whole.resize((width, height), Image.Resampling.BOX, box=box)) / 255.0
    pixels.flags.writeable = False
    return pixels


def strokes():
    """Strokes on paper (28, 28): vertical top left, horizontal top right, falling bottom left, rising bottom right."""
    row, column = np.mgrid[:QUARTER, :QUARTER] - (QUARTER - 1) / 2

    def drawn(distance):
        nearest = np.abs((distance + SPACING / 2) % SPACING - SPACING / 2)
        return np.clip(THICK / 2 + 0.5 - nearest, 0, 1)

    return np.block([[drawn(column), drawn(row)],
                     [drawn((column - row) / 2 ** 0.5), drawn((column + row) / 2 ** 0.5)]])


def digit(paper=0):
    """A handwritten 4 (8, 8), with so many pixels of paper around."""
    return np.pad(load_digits().images[A_FOUR, 0], paper)


SCENES = {"temple": lambda: Scene("temple", photo("temple", 120, 80)),
          "flower": lambda: Scene("flower", photo("flower", 120, 80)),
          "small temple": lambda: Scene("temple", photo("temple", 60, 60)),
          "large temple": lambda: Scene("temple", photo("temple", 64, 64)),
          "large flower": lambda: Scene("flower", photo("flower", 64, 64)),
          "digit": lambda: Scene("digit", digit(), ink=True),
          "digit on paper": lambda: Scene("digit", digit(2), ink=True),
          "strokes": lambda: Scene("strokes", strokes(), ink=True),
          "deck D": lambda: Scene("deck D", np.array(DECK_D, dtype=float), high=8.0, ink=True)}


def scene_of(explorer, image, names, least, most):
    """A Scene for what a learner gave: one of `names`, or an array (height, width), `least` to `most` pixels each way.

    Raises ValueError, which begins with the explorer's name, for anything else.
    """
    if isinstance(image, str):
        if image not in names:
            raise ValueError(f"{explorer}: there is no image {image!r}; try {', '.join(names)}, or an array")
        return SCENES[names[image]]()
    try:
        pixels = np.array(image, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{explorer}: expected an image of numbers but got {type(image).__name__}; try an array of "
                         "shape (height, width)") from None
    if pixels.ndim != 2 or not all(least <= n <= most for n in pixels.shape) or not np.isfinite(pixels).all():
        hint = ("; one gray value for each pixel: average the colors" if pixels.ndim == 3 else
                f"; every {-(-max(pixels.shape) // most)}th pixel would do" if pixels.ndim == 2 and
                max(pixels.shape) > most else "")
        raise ValueError(f"{explorer}: expected an image of finite numbers, shape (height, width) with {least} to "
                         f"{most} pixels each way, but got shape {pixels.shape}{hint}")
    low, high = min(0.0, pixels.min()), max(pixels.max(), pixels.min() + 1e-9)
    return Scene("yours", pixels, low, 1.0 if low == 0 and 0.5 < high <= 1 else high)


def let_reach(control, count):
    """Let a slider choose one of `count` places, 0 and up; with a single place there is nothing to choose.

    (The page cannot draw a slider from 0 to 0.)
    """
    last = max(1, count - 1)
    if control.max != last:
        control.max = last
    if control.disabled != (count == 1):
        control.disabled = count == 1
    if control.value > count - 1:
        control.value = count - 1


def short(value):
    """A number in at most five signs, for a cell."""
    for digits in (2, 1, 0):
        text = f"{value:.{digits}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if len(text) <= 5:
            break
    return "0" if text == "-0" else text.replace("-", "−")


class Grid:
    """An image whose numbers stand in its pixels, if it has no more than `most` rows and columns.

    Args: zeros: False leaves the pixels empty that are exactly 0.
    """

    def __init__(self, ax, most=5, zeros=True):
        self.ax, self.most, self.zeros = ax, most, zeros
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(False)
        self.image = ax.imshow(np.zeros((3, 3)), cmap=plots.DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
        self.lines = ax.add_collection(LineCollection([], colors=plots.GRAY, linewidths=0.6, clip_on=False))
        self.texts = [ax.text(0, 0, "", ha="center", va="center", visible=False) for _ in range(most ** 2)]

    @property
    def artists(self):
        """What `show` changes."""
        return self.image, self.lines, *self.texts

    def extend(self, shape):
        """Give the axes room for so many rows and columns. They show nothing but the grid: no background changes."""
        self.image.set_data(np.zeros(shape))
        self.image.set_extent((-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5))
        self.ax.apply_aspect()

    def show(self, values, low, high, cmap=plots.DIVERGING):
        """Show values (rows, columns) in colors from low to high; what is NaN stays empty."""
        rows, columns = values.shape
        self.image.set(data=values, cmap=cmap, clim=(low, high))
        numbers = max(rows, columns) <= self.most
        right, bottom = columns - 0.5, rows - 0.5
        across = range(rows + 1) if numbers else (0, rows)
        down = range(columns + 1) if numbers else (0, columns)
        self.lines.set_segments([*([(-0.5, y - 0.5), (right, y - 0.5)] for y in across),
                                 *([(x - 0.5, -0.5), (x - 0.5, bottom)] for x in down)])
        grounds = self.image.to_rgba(values).reshape(-1, 4)
        for i, text in enumerate(self.texts):
            text.set_visible(numbers and i < values.size and (self.zeros or bool(values.flat[i]))
                             and bool(np.isfinite(values.flat[i])))
            if text.get_visible():
                text.set(position=(i % columns, i // columns), text=short(values.flat[i]),
                         fontsize=12 if max(rows, columns) <= 4 else 9,
                         color=plots.text_on(grounds[i]))
