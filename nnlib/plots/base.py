"""The house style of every figure, and the way it reaches the notebook: as a picture with alt text.

JupyterLab drops alternative text from `image/png`, but shows `text/html` first and keeps `<img alt="...">`, so a figure
is emitted as both. Colors are Okabe and Ito's (2008), told apart by color-blind readers, and mean the same everywhere:
blue is the negative class or weight, orange the positive one.
"""

import html
import io
from base64 import b64encode

import numpy as np
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image

NEGATIVE, POSITIVE = "#0072B2", "#E69F00"
INK, GRAY, FAINT = "#222222", "#6B6B6B", "#D9D9D9"
GREEN, VERMILION, PURPLE, SKY, YELLOW = "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442"
RUST = "#B85000"  # vermilion for text, which needs more contrast than lines
LIGHT = (POSITIVE, SKY, YELLOW)  # hardly seen as a thin line on paper: for areas, and for what has a dark edge
CYCLE = (NEGATIVE, VERMILION, GREEN, PURPLE, POSITIVE, SKY, INK)
DIVERGING = LinearSegmentedColormap.from_list("blue_white_orange", [NEGATIVE, "#F7F7F7", POSITIVE])
DPI = 100
PALETTE, MANY_COLORS = 256, 1024  # colors of a picture; from where on they are chosen in another way

STYLE = {
    "figure.dpi": DPI, "figure.facecolor": "white", "savefig.facecolor": "white",
    "font.size": 10.5, "axes.titlesize": 11.5, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.labelsize": 10.5, "legend.fontsize": 9.5, "legend.frameon": True, "legend.framealpha": 0.9,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": GRAY, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#E6E6E6",
    "grid.linewidth": 0.8, "axes.axisbelow": True, "lines.linewidth": 2.0, "lines.markersize": 6.0,
    "axes.prop_cycle": f"cycler('color', {list(CYCLE)})", "image.cmap": "cividis",
}
rcParams.update(STYLE)  # for the whole session: titles and legends take their style when they are made, not when drawn


def casing(color, width=2.0):
    """Path effects of a line so wide, in points: a thin dark edge if its color is one of LIGHT, else none."""
    return [withStroke(linewidth=width + 1.4, foreground=INK)] if color in LIGHT else []


def luminance(color):
    """Relative luminance, from 0 to 1, of colors: anything matplotlib knows, or an array (..., 3 or 4) from 0 to 1.

    As the Web Content Accessibility Guidelines 2.2 define it.
    """
    rgb = np.asarray(to_rgb(color) if isinstance(color, str) else color, dtype=float)[..., :3]
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


def contrast(one, other):
    """Contrast of two colors, from 1 to 21: text needs 4.5, marks need 3 (Web Content Accessibility Guidelines, AA)."""
    ends = luminance(one) + 0.05, luminance(other) + 0.05
    return np.maximum(*ends) / np.minimum(*ends)


def text_on(ground):
    """"white" or "black", whichever is read better on a color: the contrast is 4.58 or more on every one."""
    return "white" if luminance(ground) < 0.179 else "black"


def subplots(rows=1, cols=1, width=6.4, height=4.0, **options):
    """A figure in the house style and its axes, as `plt.subplots` gives them, without pyplot's global state.

    Args: width, height: inches at 100 dots each.   options: as for Figure.subplots (sharex, subplot_kw ...).
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, cols, **options)


def encode_png(pixels):
    """An RGBA array (height, width, 4) as PNG bytes with at most 256 colors: half the size, and hardly a difference.

    Colors that agree in their first 5 bits of red and blue and 6 of green count as one. The 256 most frequent are kept
    as they are, so that paper stays white and photographs in gray get no bands; each of the others becomes the nearest.
    Pictures with far more colors, color photographs, go to Pillow's octree.
    """
    packed = np.ascontiguousarray(pixels).view("<u4")[..., 0]
    bins = (packed >> 3 & 0x1F | packed >> 5 & 0x7E0 | packed >> 8 & 0xF800).astype(np.uint16)
    count = np.bincount(bins.ravel(), minlength=1 << 16)
    used = np.argsort(-count, kind="stable")[:np.count_nonzero(count)]
    if len(used) > MANY_COLORS:
        image = Image.fromarray(pixels).convert("RGB")
        image = image.quantize(PALETTE, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    else:
        image = _with_palette(packed, bins, used)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _with_palette(packed, bins, used):
    """A Pillow image whose palette are the first PALETTE of the bins `used`; packed: pixels as <u4, bins: theirs."""
    example = np.zeros(1 << 16, dtype="<u4")
    example[bins] = packed  # any of the colors in a bin
    colors = example[used].view(np.uint8).reshape(-1, 4)[:, :3]
    kept, others = np.split(colors.astype(np.float32), [PALETTE])
    number = np.zeros(1 << 16, dtype=np.uint8)
    number[used[:PALETTE]] = np.arange(len(kept))
    number[used[PALETTE:]] = np.argmin((kept ** 2).sum(axis=1) - 2 * others @ kept.T, axis=1)  # least distance
    image = Image.fromarray(number[bins])
    image.putpalette(colors[:PALETTE].tobytes())
    return image


def png(figure):
    """Draw a figure made by `subplots` and return it as PNG bytes."""
    figure.canvas.draw()
    return encode_png(np.asarray(figure.canvas.buffer_rgba()))


def img_tag(data, alt):
    """PNG bytes as an HTML image that carries its alternative text."""
    return (f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{b64encode(data).decode()}" '
            'style="max-width:100%;height:auto">')


class Picture:
    """A finished picture and what is to be seen on it; Jupyter shows the HTML, a test compares the text."""

    def __init__(self, data, alt):
        self.data, self.alt = data, alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": img_tag(self.data, self.alt), "image/png": b64encode(self.data).decode(),
                "text/plain": self.alt}

    def __repr__(self):
        return self.alt


def show(figure, alt):
    """Show a figure in the notebook, as a `Picture`.

    Args: alt: what is to be seen, for a reader who does not see it: the message, not "a plot".
    Raises ValueError for an alternative text of less than 20 characters.
    """
    from IPython.display import display

    if not isinstance(alt, str) or len(alt.strip()) < 20:
        raise ValueError("show: expected alt text that says what is to be seen (20 characters or more) but got "
                         f'{alt!r}; try e.g. "The loss falls quickly for 20 steps, then stays near 0.3."')
    display(Picture(png(figure), alt))
