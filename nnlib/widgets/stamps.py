"""Texts of a figure as stamps: each is drawn once, then copied to where it belongs.

Matplotlib lays out a text and draws its letters anew at every draw, in about a millisecond. An explorer shows up to two
hundred numbers, but only few different ones.
"""

from collections import OrderedDict

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform

MARGIN = 2  # pixels around a stamp: letters may reach beyond the box that is said to hold them
MOST = 500  # stamps kept: numbers of about 3 KB, sentences of about 30


class Stamps:
    """Draws artists; plain texts among them as stamps, at whole pixels."""

    def __init__(self):
        self._kept = OrderedDict()

    def draw(self, artist, renderer):
        """Draw an artist on an Agg renderer."""
        if not _is_plain(artist):
            artist.draw(renderer)
            return
        text = artist.get_text()
        if not text or not artist.get_visible():
            return
        across, up = artist.get_transform().transform(artist.get_unitless_position())
        if not np.isfinite(across + up):
            return
        font = artist.get_fontproperties()
        key = (text, tuple(font.get_family()), font.get_size_in_points(), font.get_weight(), font.get_style(),
               to_rgba(artist.get_color(), artist.get_alpha()), artist.get_horizontalalignment(),
               artist.get_verticalalignment(), artist.get_parse_math(), renderer.dpi)
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = _stamp(artist, renderer)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        left, bottom, pixels = self._kept[key]
        renderer.draw_image(renderer.new_gc(), round(across) + left, round(up) + bottom, pixels)


def _is_plain(artist):
    """Whether it is a horizontal text of one line, with nothing around it and nothing to cut it off."""
    return (type(artist) is Text and "\n" not in artist.get_text() and artist.get_rotation() == 0
            and artist.get_bbox_patch() is None and not artist.get_path_effects()
            and not (artist.get_clip_on() and (artist.get_clip_box() or artist.get_clip_path())))


def _stamp(text, renderer):
    """Where the picture of a text begins, in pixels from its position, and the picture, its lowest row first."""
    model = Text(text=text.get_text(), parse_math=text.get_parse_math())
    model.update_from(text)
    model.set_figure(text.get_figure())
    model.set_transform(IdentityTransform())
    box = model.get_window_extent(renderer)
    left, bottom = int(np.floor(box.x0)) - MARGIN, int(np.floor(box.y0)) - MARGIN
    width, height = int(np.ceil(box.x1)) + MARGIN - left, int(np.ceil(box.y1)) + MARGIN - bottom
    model.set_position((-left, -bottom))
    paper = RendererAgg(width, height, renderer.dpi)
    model.draw(paper)
    return left, bottom, np.ascontiguousarray(np.asarray(paper.buffer_rgba())[::-1])
