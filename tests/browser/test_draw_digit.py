"""DrawDigit in a real JupyterLab: a scripted hand draws with mouse, finger and keys, on a notebook of its own."""

import re

import pytest

from nnlib.widgets.draw_digit import EXAMPLES

CELLS = [
    """from nnlib import *
from nnlib.datasets import load_digits
from nnlib.widgets import DrawDigit
train, test = load_digits().split()
cnn = Sequential(Conv2d(1, 8, 3, padding=1, rng=0), ReLU(), MaxPool2d(2), Flatten(), Linear(128, 10, rng=1))
fit(cnn, (train.images, train.t), optimizer=Adam(cnn.parameters(), lr=0.01), epochs=8, seed=0, progress=False)
mlp = Sequential(Linear(64, 32, rng=0), ReLU(), Linear(32, 10, rng=1))
fit(mlp, train, optimizer=Adam(mlp.parameters(), lr=0.01), epochs=8, seed=0, progress=False)
print(evaluate(cnn, (test.images, test.t))[1] > 0.93)""",
    "DrawDigit(cnn, goal=0.8)",
    'DrawDigit({"MLP": mlp, "CNN": cnn}, drawing=3)',
    "DrawDigit(lambda X: 1 / 0)"]


@pytest.fixture(scope="module")
def notebook(lab):
    """The notebook, put beside the others that this JupyterLab serves, and run."""
    with lab.open(lab.add("draw_a_digit.ipynb", *CELLS)) as opened:
        opened.run_all()
        yield opened


class Hand:
    """Draws on the pad of an explorer, and reads what the explorer says."""

    def __init__(self, notebook, index=0):
        self.page, self.explorer = notebook.page, notebook.explorer("nnlib-draw-digit", index)
        self.pad = self.explorer.place.locator("canvas.nnlib-pad")
        self.pad.wait_for()
        self.pad.scroll_into_view_if_needed()

    def at(self, point):
        """The place of a point from 0 to 1 on the page."""
        box = self.pad.bounding_box()
        return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]

    def draw(self, strokes):
        """Each stroke with the mouse, as one movement."""
        with self.explorer.new_picture():
            for first, *others in strokes:
                self.page.mouse.move(*self.at(first))
                self.page.mouse.down()
                for point in others:
                    self.page.mouse.move(*self.at(point), steps=3)
                self.page.mouse.up()

    def touch(self, strokes):
        """Each stroke with a finger."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        with self.explorer.new_picture():
            for stroke in strokes:
                for kind, point in [("touchStart", stroke[0]), *(("touchMove", p) for p in stroke[1:])]:
                    x, y = self.at(point)
                    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
                session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})

    def keys(self, *keys):
        self.pad.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, name):
        with self.explorer.new_picture():
            self.explorer.place.get_by_role("button", name=name, exact=True).click()

    @property
    def dark(self):
        """Whether there is ink on the pad."""
        return self.pad.evaluate("""canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
            .data.some((value, place) => place % 4 === 3 && value > 0)""")

    def wait_for(self, text):
        """Wait until the picture's text has this in it."""
        self.explorer.place.locator(f'img[alt*="{text}"]').wait_for()

    @property
    def reading(self):
        """The class that is read, and its probability."""
        name = re.search(r"reads (\d)", self.explorer.alt).group(1)
        return int(name), float(re.search(rf"[:,] {name} (\d\.\d+)", self.explorer.alt).group(1))


@pytest.fixture
def hand(notebook):
    made = Hand(notebook)
    if "nothing is drawn" not in made.explorer.alt:
        made.click("clear")
    return made


def test_runs_without_the_network(notebook):
    assert notebook.errors() == [] and notebook.outside_requests() == []


@pytest.mark.parametrize("digit", [1, 0, 3, 7])
def test_a_drawn_digit_is_recognized(hand, digit):
    hand.draw(EXAMPLES[digit])
    hand.wait_for(f"reads {digit}")
    assert hand.reading[1] > 0.6 and hand.dark


@pytest.mark.parametrize("digit", [1, 0])
def test_a_small_digit_in_a_corner_is_centered(hand, digit):
    hand.draw([[(0.05 + 0.4 * x, 0.5 + 0.4 * y) for x, y in stroke] for stroke in EXAMPLES[digit]])
    hand.wait_for(f"reads {digit}")
    before = hand.explorer.alt
    with hand.explorer.new_picture():
        hand.explorer.place.get_by_label("center and scale").uncheck()
    assert "as drawn" in hand.explorer.alt and hand.explorer.alt != before
    with hand.explorer.new_picture():
        hand.explorer.place.get_by_label("center and scale").check()
    assert hand.explorer.alt == before


def test_a_finger_draws(hand):
    hand.touch(EXAMPLES[0])
    hand.wait_for("reads 0")
    assert hand.pad.evaluate("pad => getComputedStyle(pad).touchAction") == "none"


def test_keys_draw_a_one(hand):
    with hand.explorer.new_picture():
        hand.keys(*["Shift+ArrowUp"] * 3, "Space", *["Shift+ArrowDown"] * 5)
        status = hand.explorer.place.locator("canvas.nnlib-pad ~ [role=status]")
        assert "Pen down, 50% from the left, 75% from the top" in status.inner_text()
        hand.keys("Space")
    assert "Pen up" in status.inner_text()
    hand.wait_for("reads 1")
    assert hand.pad.evaluate("pad => getComputedStyle(pad).outlineStyle") == "solid", "the focus is to be seen"
    with hand.explorer.new_picture():
        hand.keys("ArrowRight", "Delete")
    assert "nothing is drawn" in hand.explorer.alt and not re.search(r"reads \d", hand.explorer.alt)
    hand.page.keyboard.press("Tab")
    assert hand.pad.evaluate("pad => document.activeElement !== pad"), "Tab leaves the pad"
    assert not hand.dark


def test_undo_takes_back_a_stroke_and_clear_all(hand):
    hand.draw(EXAMPLES[4][:1])
    one = hand.explorer.alt
    hand.draw(EXAMPLES[4][1:])
    hand.wait_for("reads 4")
    hand.click("undo")
    assert hand.explorer.alt == one and hand.dark
    hand.draw(EXAMPLES[4][1:])
    with hand.explorer.new_picture():
        hand.keys("Backspace")
    assert hand.explorer.alt == one
    hand.click("clear")
    assert "nothing is drawn" in hand.explorer.alt and not hand.dark


def test_the_goal_goes_from_digit_to_digit(hand):
    hand.explorer.place.get_by_role("button", name="0", exact=True).click()
    hand.draw(EXAMPLES[0])
    caption = hand.explorer.place.get_by_text("Goal not reached yet")
    assert "0 is read: press clear for the next" in caption.inner_text()
    hand.click("clear")
    assert re.search(r"Read so far: 0.* Now draw a [1-9]", caption.inner_text())


def test_an_example_is_replaced_by_the_first_stroke(notebook):
    hand = Hand(notebook, 1)
    assert "MLP reads 3" in hand.explorer.alt and "CNN reads 3" in hand.explorer.alt and hand.dark
    hand.draw(EXAMPLES[1])
    hand.wait_for("CNN reads 1")
    assert "MLP reads" in hand.explorer.alt


def test_a_model_that_fails_is_told_in_the_explorer(notebook):
    hand = Hand(notebook, 2)
    assert "ZeroDivisionError" in hand.explorer.place.get_by_role("alert").inner_text()
