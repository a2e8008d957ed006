"""Whether pictures can be read: their texts, their contrast, and looks that more than color tells apart.

`poor(text)` says what is poor about an alternative text.

`faults(figure)` draws a figure and returns sentences on what fails. The rules, after WCAG 2.2 level AA:
- a text has a contrast of 4.5 (3 if it is large) with the pixels under it (1.4.3);
- on plain paper a line, and a mark by its face or its edge, has a contrast of 3, by itself or by its dark casing
  (1.4.11). What is scenery has less: FAINT and fainter (grids, unlit units), and what is transparent and has no name;
- no two lines, marks or areas that a legend names, and no two lines that have a name, differ by color alone (1.4.1):
  lines differ in dashes, marker or by half in width; areas in hatch, or their colors in lightness, by a contrast of 3.
"""

import re
from contextlib import contextmanager
from itertools import combinations

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from nnlib.plots import contrast

TEXT, LARGE, MARK = 4.5, 3.0, 3.0
COVERED = 0.2  # share of the ground under a text that may be worse: a grid line, a contour that crosses
SCENERY = 1.5  # what has less contrast with paper is not meant to be told from it
LEAST = 40  # characters of an alternative text
GENERIC = re.compile(r"((an?|the|this) )?(plot|figure|image|picture|screenshot|graphic|illustration)s?"
                     r"( (of|that|shows)\b|:|$)", re.IGNORECASE)
PAPER = np.ones(3)
NOTHING = "None", "none", "", " "  # no line, no marker, no face, as matplotlib says it


def poor(text):
    """What is poor about an alternative text: a list of words, empty if nothing is."""
    if not text or not text.strip():
        return ["no text"]
    return [said for said, bad in (
        (f"fewer than {LEAST} characters", len(text.strip()) < LEAST),
        ("begins as for every picture", GENERIC.match(text)),
        ("begins with a small letter", text[0].islower()),
        ("does not end as a sentence", not text.rstrip().endswith((".", "!", "?")))) if bad]


def over(color, ground, alpha=None):
    """A color, perhaps transparent, over the colors (..., 3) of the ground."""
    *rgb, own = to_rgba(color)
    alpha = own if alpha is None else alpha
    return alpha * np.array(rgb) + (1 - alpha) * ground


def text_fault(text, renderer):
    """A sentence if a text can hardly be read on what is drawn so far; else None."""
    box, pixels = text.get_window_extent(renderer), np.asarray(renderer.buffer_rgba())
    height, width = pixels.shape[:2]
    left, right = (int(np.clip(x, 0, width)) for x in (np.floor(box.x0), np.ceil(box.x1)))
    top, bottom = (int(np.clip(height - y, 0, height)) for y in (np.ceil(box.y1), np.floor(box.y0)))
    ground = pixels[top:bottom, left:right, :3].reshape(-1, 3) / 255
    if text.get_bbox_patch():
        ground = over(text.get_bbox_patch().get_facecolor(), ground)
    if not len(ground):
        return None
    found = np.quantile(contrast(over(text.get_color(), ground, text.get_alpha()), ground), COVERED)
    bold = text.get_fontweight() in ("bold", "heavy", "black") or text.get_fontweight() in range(700, 1000)
    least = LARGE if text.get_fontsize() >= (14 if bold else 18) else TEXT
    return f"text {text.get_text()!r}: contrast {found:.2f}, needs {least}" if found < least else None


@contextmanager
def watching_texts():
    """Within it every text that is drawn is judged, just before; yields the list of faults."""
    found, draw = [], Text.draw

    def judging(self, renderer, *arguments, **options):
        shown = self.get_visible() and self.get_text().strip() and self.get_alpha() != 0
        if shown and hasattr(renderer, "buffer_rgba"):
            found.append(text_fault(self, renderer))
        return draw(self, renderer, *arguments, **options)

    Text.draw = judging
    try:
        yield found
    finally:
        Text.draw = draw


def named(artist):
    return not str(artist.get_label()).startswith("_")


def stroked(line):
    """Whether a line is seen as a line."""
    return line.get_linestyle() not in NOTHING and line.get_linewidth() > 0 and len(line.get_xdata()) > 1


def marked(line):
    return line.get_marker() not in (*NOTHING, None) and len(line.get_xdata()) > 0


def line_fault(line):
    """A sentence if a line on paper, or its mark, is too pale; else None."""
    casings = [effect._gc["foreground"] for effect in line.get_path_effects() if getattr(effect, "_gc", None)]
    color, important = over(line.get_color(), PAPER, line.get_alpha()), named(line) or line.get_alpha() in (None, 1)
    found = max(float(contrast(shade, PAPER)) for shade in (color, *casings)) if stroked(line) else MARK
    if found < MARK and important and (named(line) or found > SCENERY):
        return f"line {line.get_label()!r} in {line.get_color()}: contrast {found:.2f}, needs {MARK}"
    parts = [c for c in (line.get_markerfacecolor(), line.get_markeredgecolor()) if str(c) not in NOTHING]
    found = max((float(contrast(over(c, PAPER, line.get_alpha()), PAPER)) for c in parts), default=0)
    if marked(line) and important and not casings and SCENERY < found < MARK:
        return f"marks {line.get_label()!r} in {parts}: contrast {found:.2f}, needs {MARK}"
    return None


def on_paper(ax):
    """Whether nothing but paper is behind the lines of an axes: no image, no map."""
    filled = [c for c in ax.collections if not isinstance(c, PathCollection) and len(c.get_facecolor())]
    return not ax.images and not filled


def twins(one, other):
    """Whether color alone tells two artists of a legend apart."""
    if isinstance(one, Line2D) and isinstance(other, Line2D):
        widths = sorted(line.get_linewidth() for line in (one, other))
        lines = [stroked(line) for line in (one, other)]
        same_lines = lines == [False, False] or (
            all(lines) and one._unscaled_dash_pattern == other._unscaled_dash_pattern and widths[1] < 1.5 * widths[0])
        faces = [str(line.get_markerfacecolor()) in (*NOTHING, "white") for line in (one, other)]
        return (same_lines and one.get_marker() == other.get_marker() and faces[0] == faces[1]
                and to_rgb(one.get_color()) != to_rgb(other.get_color()))
    if isinstance(one, Patch) and isinstance(other, Patch):
        colors = [over(patch.get_facecolor(), PAPER) for patch in (one, other)]
        return (one.get_hatch() == other.get_hatch() and one.get_fill() == other.get_fill()
                and not np.allclose(*colors) and contrast(*colors) < MARK)
    if isinstance(one, PathCollection) and isinstance(other, PathCollection):
        shapes = [collection.get_paths()[0].vertices for collection in (one, other)]
        return (shapes[0].shape == shapes[1].shape and np.allclose(*shapes)
                and not np.allclose(one.get_facecolor()[:1], other.get_facecolor()[:1]))
    return False


def faults(figure, draw=None):
    """What in a figure cannot be read, or differs by color alone: a list of sentences.

    Args: draw: called to draw the figure; by default its canvas draws it.
    """
    with watching_texts() as found:
        (draw or figure.canvas.draw)()
    for ax in figure.axes:
        lines = [line for line in ax.lines if line.get_visible()]
        if on_paper(ax):
            found += [line_fault(line) for line in lines]
        found += [f"lines {a.get_label()!r} and {b.get_label()!r} differ by color alone"
                  for a, b in combinations(filter(named, lines), 2) if twins(a, b)]
    for legend in figure.findobj(Legend):
        entries = zip(legend.legend_handles, (text.get_text() for text in legend.texts))
        found += [f"{name!r} and {other!r} of a legend differ by color alone"
                  for (a, name), (b, other) in combinations(entries, 2) if twins(a, b)]
    return sorted({fault for fault in found if fault})
