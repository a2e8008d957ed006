"""The Playground's picture: a network whose neurons are small maps, the map of its answers, and the loss curves."""

import functools
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from nnlib import plots
from nnlib.plots.base import DPI
from nnlib.plots.plane import MARKERS
from nnlib.widgets.base import note
from nnlib.widgets.descent import counted
from nnlib.widgets.playground_model import FEATURES, HALF, RESOLUTION, WITH_MOMENTUM, decimal, inputs

WIDTH, HEIGHT = 960, 530  # pixels; all places below are counted from the lower left corner
LEFT, RIGHT, LOW, HIGH = 90, 676, 44, 480  # of the network: features' middle, output's edge, rows
SIDE, MAP_X, MAP_Y = 2 * RESOLUTION, 684, 250  # the large map
CURVES = (684, 50, 230, 92)  # left, bottom, width, height of the loss curves
LOSSES = (1e-3, 3.0)
TRAIN = {"linestyle": "-", "color": plots.INK, "linewidth": 1.6}
TEST = {"linestyle": (0, (3, 1.5)), "color": plots.VERMILION, "linewidth": 1.6}
SHADES = (plots.DIVERGING(np.linspace(0, 1, 256)) * 255).astype(np.uint8)
LIGHT = np.uint8(255 - 0.6 * (255.0 - SHADES))  # for the large map: the examples on it stand out


def shaded(values, scale=1.0, shades=SHADES):
    """Numbers from -scale to scale as colors from blue to orange, RGBA bytes; the first row is the lowest."""
    return shades[np.clip(127.5 * (values / scale + 1), 0, 255).astype(np.uint8)]


def edge_width(weight):
    """The width of the edge of a weight, in points: grows with its size, more and more slowly."""
    return 0.25 + 5 * np.tanh(np.abs(weight) / 2.5)


@dataclass(frozen=True)
class Places:
    """Where the neurons are, in pixels: lower left corners (n, 2) of their maps for features and every hidden layer."""

    side: int
    columns: tuple

    @classmethod
    def of(cls, features, layers):
        """Places for so many features, and layers of so many neurons; fewer neurons get larger maps."""
        sizes = (features, *layers)
        side = RESOLUTION // 2 if max(sizes) <= 5 and len(layers) <= 3 else RESOLUTION // 3
        middles = np.linspace(LEFT, RIGHT, len(sizes) + 1)[:-1]
        pitch = min((HIGH - LOW) / max(sizes), 1.7 * side)
        columns = []
        for x, n in zip(middles, sizes):
            y = (LOW + HIGH) / 2 + pitch * ((n - 1) / 2 - np.arange(n)) - side / 2
            columns.append(np.stack([np.full(n, round(x - side / 2)), np.round(y)], axis=1).astype(int))
        return cls(side, tuple(columns))

    def edges(self):
        """Lines (edges, 2 ends, 2) in the order of the weights, layer by layer as (out, in)."""
        out = np.array([0, self.side / 2])
        starts = [column + (self.side, self.side / 2) for column in self.columns]
        ends = [column + out for column in self.columns[1:]] + [np.array([[MAP_X, MAP_Y + SIDE / 2]])]
        return np.concatenate([np.stack([np.tile(a, (len(b), 1)), np.repeat(b, len(a), axis=0)], axis=1)
                               for a, b in zip(starts, ends)])


class Tiles(Artist):
    """Small pictures, drawn pixel by pixel: `pictures` are (x, y, RGBA bytes), the first row the lowest."""

    def __init__(self):
        super().__init__()
        self.pictures = []

    def draw(self, renderer):
        """Copy the pictures to the canvas."""
        gc = renderer.new_gc()
        for x, y, rgba in self.pictures:
            renderer.draw_image(gc, int(x), int(y), np.ascontiguousarray(rgba))
        gc.restore()


class Still(Artist):
    """Artists that change seldom: drawn once over the background, and kept together with it as one bitmap."""

    def __init__(self):
        super().__init__()
        self.artists, self._kept = [], None

    def change(self, artists=None):
        """Take other artists if some are given, and draw anew."""
        if artists is not None:
            for artist in self.artists:
                artist.remove()
            for artist in artists:
                artist.set_animated(True)
            self.artists = artists
        self._kept = None

    def draw(self, renderer):
        """Draw the artists, or what was kept of the last time."""
        if self._kept is None:
            for artist in self.artists:
                artist.draw(renderer)
            self._kept = renderer.copy_from_bbox(self.figure.bbox)
        else:
            renderer.restore_region(self._kept)


@functools.cache
def _line_of_text(size, weight):
    """A canvas for one line of text, which begins at its left and stands 6 pixels above its lower edge."""
    figure = Figure(figsize=(5.6, 0.24), dpi=DPI, facecolor="none")
    return FigureCanvasAgg(figure), figure.text(1 / 560, 6 / 24, "", fontsize=size, fontweight=weight, color=plots.INK)


@functools.lru_cache(500)
def lettering(words, size=9.5, weight="normal"):
    """Words as a transparent picture, RGBA bytes (24, width, 4), the first row the lowest; drawing text is slow."""
    canvas, text = _line_of_text(size, weight)
    text.set_text(words)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())
    return picture[::-1, :np.flatnonzero(picture[..., 3].any(axis=0))[-1] + 1].copy()


def frames(corners, side):
    """The outlines of maps with these lower left corners (n, 2), as the points (2, 6 n) of one broken line."""
    around = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0), (np.nan, np.nan)]) * (side + 1)
    around += (-0.75, -0.25)  # so that lines of one pixel are rounded to the pixels just outside
    return (np.asarray(corners)[:, None] + around).reshape(-1, 2).T


def points_picture(points, targets, test, classes):
    """Training points, and test points if asked for, as a transparent picture of the large map's size.

    Classes are circles and triangles; heights are shaded, circles below 0. Test points have a thick edge.
    """
    figure = Figure(figsize=(SIDE / DPI, SIDE / DPI), dpi=DPI, facecolor="none")
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1), facecolor="none", xlim=(-HALF, HALF), ylim=(-HALF, HALF))
    ax.set_axis_off()
    groups = [(points[0], targets[0], 0.3)] + ([(points[1], targets[1], 1.2)] if test else [])
    for X, t, width in groups:
        above = t > (0.5 if classes else 0)
        for k, (marker, color) in MARKERS.items():
            chosen = above == bool(k)
            shade = color if classes else plots.DIVERGING((np.clip(t[chosen], -1, 1) + 1) / 2)
            ax.scatter(*X[chosen].T, s=17, marker=marker, color=shade, edgecolor=plots.INK, linewidth=width)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[::-1].copy()


class Diagram:
    """The figure and its artists. `arrange` draws what stays while a network trains, `show` what moves."""

    def __init__(self):
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
        FigureCanvasAgg(self.figure)
        self.plane = self.figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, HEIGHT))
        self.plane.set_axis_off()
        self._key, self._top, self._points_key = None, 20, None
        self.still = Still()
        self.still.set_figure(self.figure)
        self._make_map()
        self._make_curves()
        ax = self.plane
        self.positive = ax.add_collection(LineCollection([], colors=plots.POSITIVE, linestyles="solid"), autolim=False)
        self.negative = ax.add_collection(LineCollection([], colors=plots.NEGATIVE, linestyles=(0, (2.2, 1.4))),
                                          autolim=False)
        self.tiles = Tiles()
        small = {"linestyle": "", "markersize": 5.5, "markeredgewidth": 0.5, "markeredgecolor": plots.INK}
        self.above, = ax.plot([], [], marker="^", color=plots.POSITIVE, **small)
        self.below, = ax.plot([], [], marker="v", color=plots.NEGATIVE, **small)
        self.chosen_edge, = ax.plot([], [], "-", color=plots.GREEN, linewidth=2.5)
        self.chosen_frame, = ax.plot([], [], "-", color=plots.GREEN, linewidth=3)
        self.note = note(self.curves, 0.5, "center")
        self.numbers = []  # words stay, numbers move: drawing text is slow
        for x, y, word, room in ((0, 168, "epoch", 43), (137, 168, "step", 33),
                                 (18, 151, "train loss", 63), (155, 151, "test loss", 58)):
            ax.text(MAP_X + x, y, word, fontsize=9)
            self.numbers.append(ax.text(MAP_X + x + room, y, "", fontsize=9, fontweight="bold"))
        ax.plot((MAP_X, MAP_X + 14), (155, 155), **TRAIN)
        ax.plot((MAP_X + 137, MAP_X + 151), (155, 155), **TEST)
        self.animated = [self.still, self.positive, self.negative, self.chosen_edge, self.tiles, self.above, self.below,
                         self.chosen_frame, self.train, self.test, *self.numbers, self.note]

    def _make_map(self):
        box = MAP_X / WIDTH, MAP_Y / HEIGHT, SIDE / WIDTH, SIDE / HEIGHT
        ax = self.figure.add_axes(box, xlim=(-HALF, HALF), ylim=(-HALF, HALF), xticks=(-5, 0, 5), yticks=(-5, 0, 5))
        ax.grid(False)
        ax.spines[["top", "right"]].set_visible(True)
        ax.yaxis.tick_right()
        ax.tick_params(labelsize=8.5, pad=2)
        self.map = ax
        bar = self.figure.add_axes((MAP_X / WIDTH, 212 / HEIGHT, SIDE / WIDTH, 9 / HEIGHT))
        bar.imshow(LIGHT[None], aspect="auto", extent=(-1, 1, 0, 1))
        bar.set(yticks=[], xticks=[])

    def _make_curves(self):
        left, bottom, width, height = CURVES
        ax = self.figure.add_axes((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT), yscale="log",
                                  ylim=LOSSES, xlim=(0, 20))
        ax.set_yticks((0.001, 0.01, 0.1, 1), ("0.001", "0.01", "0.1", "1"))
        ax.minorticks_off()
        ax.yaxis.tick_right()
        ax.tick_params(labelsize=8.5, pad=2)
        ax.set_xlabel("epochs", fontsize=9.5, labelpad=1)
        self.train, = ax.plot([], [], **TRAIN)
        self.test, = ax.plot([], [], **TEST)
        self.curves = ax

    def arrange(self, training, large=None):
        """Draw for these settings what stays. Returns whether an axis changed, so that the background must, too.

        Args: large: (layer, neuron) of the hidden neuron on the large map, or None for the output.
        """
        s, top = training.settings, round_top(training.times[-1])
        if (s, large) != self._key:
            self._key = s, large
            self.places = Places.of(len(s.features), s.layers)
            self.still.change(self._still_maps(s, self._still_words(s, large)))
        if top == self._top:
            return False
        self._top = top
        self.curves.set_xlim(0, top)
        self.still.change()
        return True

    def _still_maps(self, s, words):
        """The maps of the features with these words, and the frames of all neurons."""
        side = self.places.side
        points = np.stack(plots.grid((-HALF, HALF, -HALF, HALF), side), axis=-1).reshape(-1, 2)
        features = inputs(points, s.features).reshape(side, side, -1)
        tiles = self.plane.add_artist(Tiles())
        tiles.pictures = [(x, y, shaded(features[..., k], np.abs(features[..., k]).max()))
                          for k, (x, y) in enumerate(self.places.columns[0])] + words
        outlines, = self.plane.plot(*frames(np.concatenate(self.places.columns), side), "-", color=plots.GRAY,
                                    linewidth=72 / DPI)  # a pixel
        return tiles, outlines

    def _still_words(self, s, large):
        """Names of features, sizes of layers, what the large map shows, and the settings."""
        side, columns = self.places.side, self.places.columns
        low, kind, high = (("0", "probability of class 1 (▲)", "1") if s.problem == "classification" else
                           ("-1", "height: ● below 0, ▲ above", "1"))
        title = "output" if large is None else f"layer {large[0] + 1}, neuron {large[1] + 1}"
        words = [(MAP_X, MAP_Y + SIDE + 11, 0, lettering(title + (", two colors" if s.discretize == "yes" else ""), 11,
                                                         "bold"))]
        words += [(MAP_X + share * SIDE, 197, share, lettering(text)) for share, text in ((0, low), (0.5, kind),
                                                                                         (1, high))]
        words += [(12, y, 0, lettering(text)) for y, text in zip((26, 9), settings_lines(s))]
        words += [(x - 6, y + side / 2 - 4, 1, lettering(FEATURES[name][0]))
                  for name, (x, y) in zip(s.features, columns[0])]
        words += [(column[0, 0] + side / 2, 510, 0.5, lettering(f"layer {k}" if k else "features"))
                  for k, column in enumerate(columns)]
        words += [(column[0, 0] + side / 2, 495, 0.5, lettering(counted(n, "neuron")))
                  for n, column in zip(s.layers, columns[1:])]
        if not s.layers:
            words.append(((LEFT + RIGHT) / 2, 510, 0.5, lettering("no hidden layer: one neuron on the features")))
        return [(round(x - share * picture.shape[1]), y - 6, picture) for x, y, share, picture in words]

    def show(self, training, large=None, chosen=None):
        """Set what moves.

        Args: large: as for `arrange`.
            chosen: (layer, neuron, source) of the weight to be marked, source None for a bias; or None.
        """
        self._show_weights(training, chosen)
        self._show_maps(training, large)
        self._show_points(training)
        a = training.answers
        losses = np.clip(np.array(training.losses), LOSSES[0], LOSSES[1]).T
        self.train.set_data(training.times, losses[0])
        self.test.set_data(training.times, losses[1])
        numbers = f"{training.epoch:.5g}", training.steps, in_digits(a.train), in_digits(a.test)
        for text, number in zip(self.numbers, numbers):
            text.set_text(number)
        self.note.set_text("" if training.diverged is None else f"diverged at step {training.diverged}")

    def _show_weights(self, training, chosen):
        weights = [layer.weight.data for layer in training.layers]
        flat, lines = np.concatenate([w.ravel() for w in weights]), self.places.edges()
        for collection, mask in ((self.positive, flat > 0), (self.negative, flat < 0)):
            collection.set_segments(lines[mask])
            collection.set_linewidth(edge_width(flat[mask]) * self.places.side / 60)
        corners, biases = np.concatenate([*self.places.columns[1:], [(MAP_X, MAP_Y)]]), np.concatenate(
            [layer.bias.data for layer in training.layers])
        for marks, mask in ((self.above, biases > 0.05), (self.below, biases < -0.05)):
            marks.set_data(*(corners[mask] + (5, 5)).T)
        self.chosen_edge.set_data([], [])
        self.chosen_frame.set_data([], [])
        if chosen:
            layer, neuron, source = chosen
            if source is not None:
                place = sum(w.size for w in weights[:layer]) + neuron * weights[layer].shape[1] + source
                self.chosen_edge.set_data(*lines[place].T)
            corner, side = ((MAP_X, MAP_Y), SIDE) if layer == len(weights) - 1 else (
                self.places.columns[layer + 1][neuron], self.places.side)
            self.chosen_frame.set_data(*frames([corner], side))

    def _show_maps(self, training, large):
        s, a, step = training.settings, training.answers, RESOLUTION // self.places.side
        pictures = []
        for values, column in zip(a.hidden, self.places.columns[1:]):
            values = values[::step, ::step]
            scale = np.maximum(np.abs(values).max(axis=(0, 1)), 1)
            colors = shaded(values, scale)
            pictures += [(x, y, colors[:, :, k]) for k, (x, y) in enumerate(column)]
        if large is None:
            values = 2 * a.output - 1 if s.problem == "classification" else a.output
            scale = 1.0
        else:
            layer, neuron = large
            values = a.hidden[layer][..., neuron]
            scale = max(float(np.abs(values).max()), 1.0)
        if s.discretize == "yes":
            values = np.where(values > 0, scale, -scale)
        self._large = MAP_X, MAP_Y, shaded(values, scale, LIGHT).repeat(2, axis=0).repeat(2, axis=1)
        self.tiles.pictures = [*pictures, self._large]

    def _show_points(self, training):
        s = training.settings
        key = s.data, s.noise, s.train, s.sample, s.test
        if key != self._points_key:
            self._points = points_picture(training.points, training.targets, s.test == "yes",
                                          s.problem == "classification")
            self._points_key = key
        self.tiles.pictures.append((MAP_X, MAP_Y, self._points))


def round_top(epochs):
    """The end of the axis of epochs: 20, 50, 100, 200, ... so that it is drawn anew only now and then."""
    top = 20
    while top < epochs:
        top = top * 5 // 2 if str(top)[0] == "2" else top * 2
    return top


def in_digits(loss):
    """A loss in few characters: 0.1208, 12.3, 1e+12."""
    return f"{loss:.4f}" if loss < 10 else f"{loss:.3g}" if loss < 1000 else f"{loss:.0e}"


def settings_lines(s):
    """The settings that the picture does not show otherwise, in two lines: what is learned, and how."""
    momentum = f", momentum {s.momentum:g}" if s.momentum and s.optimizer in WITH_MOMENTUM else ""
    penalty = f"{s.regularization} {decimal(s.strength)}" if s.regularization != "none" else "no regularization"
    return (f"{s.data}, noise {s.noise}%, {s.train}% to train on; {s.activation}; initial weights {s.seed}",
            f"{s.optimizer}, rate {decimal(s.rate)}{momentum}, batch {s.batch}; {penalty}")
