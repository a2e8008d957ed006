"""Stamps: a text that is copied looks as one that is drawn, whatever changes, and is drawn only once."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, IdentityTransform

from nnlib import plots
from nnlib.widgets import stamps
from nnlib.widgets.stamps import Stamps

WIDTH, HEIGHT, DPI = 160, 60, 100


@pytest.fixture
def figure():
    made, _ = plots.subplots(width=WIDTH / DPI, height=HEIGHT / DPI)
    return made


def text_of(figure, text="−0.37", x=80, y=30, **options):
    options = {"ha": "center", "va": "center", "transform": IdentityTransform(), "color": plots.INK} | options
    return figure.text(x, y, text, **options)


def paper(color=(255, 255, 255)):
    renderer = RendererAgg(WIDTH, HEIGHT, DPI)
    np.asarray(renderer.buffer_rgba())[:] = (*color, 255)
    return renderer


def drawn(draw, artist, color=(255, 255, 255)):
    renderer = paper(color)
    draw(artist, renderer)
    return np.asarray(renderer.buffer_rgba())[..., :3].astype(int)


def by_matplotlib(artist, color=(255, 255, 255)):
    return drawn(lambda a, renderer: a.draw(renderer), artist, color)


def ink(pixels):
    return int((255 - pixels).sum())


@pytest.mark.parametrize("options", [
    {}, {"ha": "left"}, {"ha": "right", "va": "top"}, {"va": "baseline", "text": "gjpqy"}, {"va": "bottom"},
    {"fontsize": 8}, {"fontsize": 20, "weight": "bold"}, {"style": "italic"}, {"family": "monospace"},
    {"color": plots.RUST}, {"color": plots.YELLOW}, {"alpha": 0.4}, {"text": r"$\sigma(z)$"},
    {"text": "$5", "parse_math": False}, {"text": "x"}, {"text": "a longer line, 12 × 34"}], ids=str)
@pytest.mark.parametrize("color", [(255, 255, 255), (0, 114, 178)], ids=["on white", "on blue"])
def test_a_stamp_is_what_matplotlib_draws_where_a_text_stands_at_whole_pixels(figure, options, color):
    text = text_of(figure, **options)
    made, wanted = drawn(Stamps().draw, text, color), by_matplotlib(text, color)
    assert ink(wanted) != ink(np.full((HEIGHT, WIDTH, 3), color))
    assert np.abs(made - wanted).max() <= 2  # rounded once more


def test_between_pixels_it_stands_at_the_nearest(figure):
    put = Stamps()
    for x, y, nearest in ((80.4, 29.6, (80, 30)), (80.6, 30.4, (81, 30)), (79.51, 30.0, (80, 30))):
        made = drawn(put.draw, text_of(figure, x=x, y=y))
        assert (made == drawn(put.draw, text_of(figure, x=nearest[0], y=nearest[1]))).all()


def test_it_follows_its_transform(figure):
    put = Stamps()
    text = text_of(figure, x=0.5, y=0.5, transform=Affine2D().scale(100, 40))
    assert (drawn(put.draw, text) == drawn(put.draw, text_of(figure, x=50, y=20))).all()


@pytest.mark.parametrize("change", [
    {"text": "−0.38"}, {"color": plots.RUST}, {"alpha": 0.5}, {"fontsize": 14}, {"weight": "bold"}, {"style": "italic"},
    {"family": "monospace"}, {"ha": "left"}, {"va": "top"}], ids=str)
def test_whatever_of_a_text_changes_gives_another_stamp(figure, change):
    put, text = Stamps(), text_of(figure)
    before = drawn(put.draw, text)
    text.set(**change)
    after = drawn(put.draw, text)
    assert (after != before).any()
    assert np.abs(after - by_matplotlib(text)).max() <= 2


def test_mathematics_is_another_stamp_than_the_same_signs(figure):
    put = Stamps()
    as_text, as_math = (drawn(put.draw, text_of(figure, "$x$", parse_math=math)) for math in (False, True))
    assert (as_text != as_math).any()


def test_a_text_is_drawn_once_wherever_it_stands(figure, monkeypatch):
    draws = []
    draw = Text.draw
    monkeypatch.setattr(Text, "draw", lambda self, renderer: (draws.append(self.get_text()), draw(self, renderer))[1])
    put, renderer = Stamps(), paper()
    for x in range(20, 140, 10):
        put.draw(text_of(figure, x=x), renderer)
    assert draws == ["−0.37"]


def test_what_is_not_to_be_seen_leaves_the_paper_white(figure):
    for text in (text_of(figure, ""), text_of(figure, visible=False), text_of(figure, x=np.nan),
                 text_of(figure, y=np.inf), text_of(figure, x=5000), text_of(figure, x=-5000)):
        assert ink(drawn(Stamps().draw, text)) == 0


def test_at_the_edge_it_is_cut(figure):
    text = text_of(figure, x=WIDTH)
    assert np.abs(drawn(Stamps().draw, text) - by_matplotlib(text)).max() <= 2


def special(figure, name):
    """A text that is no plain one."""
    if name == "annotation":
        return figure.axes[0].annotate("here", (0.2, 0.3), (0.7, 0.8), arrowprops={"arrowstyle": "->"})
    if name == "cut off":
        return figure.axes[0].text(0.8, 0.5, "beyond the axes", clip_on=True)
    return text_of(figure, **{"two lines": {"text": "one\ntwo"}, "rotated": {"rotation": 30},
                              "boxed": {"bbox": {"facecolor": "yellow"}},
                              "outlined": {"path_effects": plots.casing(plots.YELLOW)}}[name])


@pytest.mark.parametrize("name", ["two lines", "rotated", "boxed", "outlined", "annotation", "cut off"])
def test_what_is_no_plain_text_is_drawn_by_matplotlib(figure, name):
    artist = special(figure, name)
    made = drawn(Stamps().draw, artist)
    assert ink(made) > 0
    assert (made == by_matplotlib(artist)).all()


def test_the_oldest_stamps_are_given_up(figure, monkeypatch):
    monkeypatch.setattr(stamps, "MOST", 5)
    put, renderer, draws = Stamps(), paper(), []
    made = stamps._stamp
    monkeypatch.setattr(stamps, "_stamp", lambda text, renderer: draws.append(text.get_text()) or made(text, renderer))
    for word in (*"abcde", "a", "f", "a", "b"):  # a was used once more, so that f takes the place of b
        put.draw(text_of(figure, word), renderer)
    assert draws == [*"abcde", "f", "b"]
