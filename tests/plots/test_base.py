"""Pictures: what reaches the notebook, the alternative text it must have, and colors that mean something."""

import io
from base64 import b64decode

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from support import Page

from nnlib import plots

ALT = "The loss falls for 20 steps, then stays near 0.3."


@pytest.fixture
def shown(monkeypatch):
    """What `show` displays."""
    pictures = []
    monkeypatch.setattr("IPython.display.display", pictures.append)
    return pictures


def figure_of_a_line():
    fig, ax = plots.subplots(width=3, height=2)
    ax.plot([0, 1], [1, 0])
    return fig


def test_a_figure_is_shown_as_html_png_and_text(shown):
    plots.show(figure_of_a_line(), alt=ALT)
    bundle = shown[0]._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"} and bundle["text/plain"] == ALT == repr(shown[0])
    (tag, attributes), = Page(bundle["text/html"]).tags
    assert tag == "img" and attributes["alt"] == ALT
    assert attributes["src"] == "data:image/png;base64," + bundle["image/png"]
    image = Image.open(io.BytesIO(b64decode(bundle["image/png"])))
    assert image.format == "PNG" and image.size == (300, 200)


@pytest.mark.parametrize("alt", ["", "a plot", " " * 40, None, 42, "short" + 30 * " "], ids=repr)
def test_poor_alternative_text_is_refused(shown, alt):
    with pytest.raises(ValueError, match=r"show: expected alt text .*20 characters.*but got.*try e\.g\."):
        plots.show(figure_of_a_line(), alt=alt)
    assert not shown


def test_alternative_text_is_data_not_markup():
    alt = '"><script>alert(1)</script> & \'p < 0.5\' when x > 3'
    (tag, attributes), = Page(plots.img_tag(b"png", alt)).tags
    assert tag == "img" and attributes["alt"] == alt


def test_the_same_figure_gives_the_same_bytes():
    assert plots.png(figure_of_a_line()) == plots.png(figure_of_a_line())


def test_256_colors_lose_nothing_that_the_eye_sees():
    fig, ax = plots.subplots(width=3, height=2)
    ax.imshow(np.linspace(0, 1, 64).reshape(8, 8), cmap=plots.DIVERGING)
    image = Image.open(io.BytesIO(plots.png(fig)))
    exact = np.asarray(fig.canvas.buffer_rgba())[..., :3].astype(int)
    assert image.mode == "P" and len(plots.png(fig)) < 20_000
    assert np.abs(np.asarray(image.convert("RGB")).astype(int) - exact).mean() < 6


def test_figures_have_no_global_state_and_take_options():
    import sys

    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    fig, axes = plots.subplots(2, 3, width=6, height=4, sharex=True)
    assert axes.shape == (2, 3) and tuple(fig.get_size_inches()) == (6, 4) and fig.dpi == 100
    axes[0, 0].set_xlim(0, 7)
    assert axes[1, 2].get_xlim() == axes[1, 0].get_xlim()


def luminance(color):
    """Relative luminance of a color, as the accessibility guidelines define it."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return np.dot([0.2126, 0.7152, 0.0722], channels)


def contrast(color, background="white"):
    low, high = sorted([luminance(color), luminance(background)])
    return (high + 0.05) / (low + 0.05)


def test_text_colors_can_be_read_and_lines_be_seen():
    assert contrast(plots.INK) > 7 and contrast(plots.GRAY) > 4.5
    assert all(contrast(c) > 2 for c in plots.CYCLE) and len(set(plots.CYCLE)) == len(plots.CYCLE)


def test_blue_is_negative_and_orange_positive():
    assert plots.DIVERGING(0.0)[:3] == to_rgb(plots.NEGATIVE)
    assert plots.DIVERGING(1.0)[:3] == to_rgb(plots.POSITIVE)
    assert min(plots.DIVERGING(0.5)[:3]) > 0.95


def painted(colors):
    """What becomes of an array of colors (height, width, 3) in a picture."""
    opaque = np.dstack([colors, np.full(colors.shape[:2], 255)]).astype(np.uint8)
    return np.asarray(Image.open(io.BytesIO(plots.encode_png(opaque))).convert("RGB")).astype(int)


def test_grays_get_no_bands_and_white_stays_white():
    ramp = np.repeat(np.tile(np.arange(256), (20, 1))[..., None], 3, axis=2)
    found = painted(ramp)
    assert len(np.unique(found)) >= 60 and np.abs(found - ramp).max() <= 4
    assert (painted(np.full((5, 7, 3), 255)) == 255).all()


def test_256_colors_in_a_picture_of_more():
    row, column = np.mgrid[:20, :30]
    some = np.stack([8 * row, 8 * column, 0 * row], axis=-1)  # 600 colors: the most frequent, and their neighbors
    assert np.abs(painted(some) - some).max() <= 160 and len(np.unique(painted(some).reshape(-1, 3), axis=0)) <= 256
    many = np.random.default_rng(0).integers(0, 256, size=(60, 60, 3))  # a color photograph, as hard as can be
    assert np.abs(painted(many) - many).mean() < 16
