"""The base of the explorers: pictures that follow controls, learners' errors, goals, playing, output."""

import asyncio
import io
import re
import threading
import time
from base64 import b64decode
from html import unescape

import ipywidgets
import numpy as np
import pytest
from matplotlib.transforms import IdentityTransform
from PIL import Image

from nnlib import ShapeError, matmul, plots
from nnlib.widgets import (
    Explorer,
    Goal,
    LearnerError,
    Player,
    button,
    checkbox,
    choice,
    learners,
    log_slider,
    slider,
)

pytestmark = pytest.mark.usefixtures("painted")


class Parabola(Explorer):
    """A point on a parabola: one curve that stays, a point and a text that move."""

    def __init__(self, step=lambda x: x, slope=lambda x: 2 * x):
        self.step, self.slope = learners(step, "step"), slope
        self.place = slider("place", -1.0, 1.0, 0.5, unit="m")
        self.rate = log_slider("learning rate", 1e-3, 1, 0.1)
        self.wide = checkbox("wide axis")
        figure, (self.ax, other) = plots.subplots(1, 2, width=4, height=2)
        x = np.linspace(-1, 1, 50)
        self.ax.plot(x, x * x, label="curve")
        other.bar([0, 1], [1, 2])
        self.point, = self.ax.plot([], [], "o", color=plots.VERMILION, zorder=3)
        self.text = figure.text(290, 120, "", transform=IdentityTransform())  # at a whole pixel, as stamps are
        self.updates = 0
        self.assemble(figure, [self.place, self.rate, [self.wide, button("nothing")]],
                      [self.point, self.text], goal="reach 0 < x")

    def update(self):
        self.updates += 1
        x = self.step(self.place.value)
        self.slope(x)
        self.point.set_data([x], [x * x])
        self.text.set_text(f"{x:.2f}")
        self.say(f"now at {x:.2f}")
        self.report_goal(x == 0, f"|x| = {abs(x):.2f}")
        if self.wide.value == (self.ax.get_xlim()[1] < 2):
            self.ax.set_xlim((-3, 3) if self.wide.value else (-1.1, 1.1))
            self.background_changed()

    def describe(self):
        return f"A point at {self.point.get_xdata()[0]:.2f} on a parabola."


@pytest.fixture
def explorer():
    made = Parabola()
    yield made
    made.close()


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def full_redraw(explorer):
    """The picture as matplotlib draws it in one go, nothing animated."""
    for artist in (explorer.point, explorer.text):
        artist.set_animated(False)
    picture = plots.png(explorer.figure)
    for artist in (explorer.point, explorer.text):
        artist.set_animated(True)
    return pixels(picture)


# The picture

@pytest.mark.parametrize("values", [[0.5], [-1.0], [1.0, -0.3, 0.7]])
@pytest.mark.parametrize("wide", [False, True])
def test_a_quick_picture_equals_a_full_redraw(explorer, values, wide):
    explorer.wide.value = wide
    for value in values:
        explorer.place.value = value
    difference = np.abs(pixels(explorer.picture) - full_redraw(explorer))
    assert difference.max() <= 32 and difference.mean() < 0.5  # only what 256 colors cost
    if (values, wide) != ([0.5], False):
        assert np.abs(pixels(explorer.picture) - pixels(Parabola().picture)).max() > 100


def test_a_change_and_back_gives_the_same_picture(explorer):
    before = explorer.picture
    explorer.place.value = -0.5
    assert explorer.picture != before
    explorer.wide.value = True
    explorer.wide.value = False
    explorer.place.value = 0.5
    assert explorer.picture == before


def test_the_background_is_drawn_only_when_it_changes(explorer, monkeypatch):
    draws, canvas = [], type(explorer.figure.canvas)
    draw = canvas.draw
    monkeypatch.setattr(canvas, "draw", lambda self: draws.append(1) or draw(self))
    explorer.place.value = 0.1
    explorer.rate.value = 0.5
    assert not draws
    explorer.wide.value = True
    assert len(draws) == 1
    explorer.redraw_background()
    assert len(draws) == 2


def test_each_control_updates_once(explorer):
    before = explorer.updates
    for control, value in [(explorer.place, 0.2), (explorer.rate, 0.2), (explorer.wide, True)]:
        control.value = value
    explorer.place.value = 0.2  # no change, no work
    assert explorer.updates - before == 3


def test_controls_set_by_code_draw_nothing_until_it_is_done(explorer):
    control, before = explorer.controls[0], explorer.picture
    with pytest.raises(RuntimeError), explorer.setting_controls():
        control.value = control.max
        assert explorer.picture == before
        raise RuntimeError("an error on the way")
    control.value = control.min  # the hand again, which is followed
    assert explorer.picture != before


def test_picture_text_caption_and_goal_follow_the_state(explorer):
    explorer.place.value = -0.25
    html = unescape(explorer._picture.value)
    assert explorer.alt == "A point at -0.25 on a parabola." and f'alt="{explorer.alt}"' in html
    assert b64decode(html.split("base64,")[1].split('"')[0]) == explorer.picture
    assert 'role="status"' in explorer._caption.value and "now at -0.25" in explorer._caption.value
    assert "○ Goal not reached yet: reach 0 &lt; x. |x| = 0.25" in explorer._caption.value
    explorer.place.value = 0
    assert "✓ Goal reached: reach 0 &lt; x." in explorer._caption.value


def test_an_explorer_can_be_found_and_its_rows_wrap(explorer):
    assert {"nnlib-explorer", "nnlib-parabola"} <= set(explorer._dom_classes)
    rows = explorer.children[:2]
    assert [len(r.children) for r in rows] == [2, 2] and all(r.layout.flex_flow == "row wrap" for r in rows)


@pytest.mark.parametrize("method", ["update", "describe"])
def test_a_subclass_that_forgot_a_method(method):
    forgetful = type("Forgetful", (Parabola,), {method: getattr(Explorer, method)})
    with pytest.raises(NotImplementedError, match=rf"Forgetful must define {method}\(\)"):
        forgetful()


@pytest.mark.filterwarnings("error")
def test_numbers_that_are_not_finite_draw_nothing_and_warn_of_nothing():
    explorer = Parabola(step=lambda x: np.float64(x) / 0 if x < 0 else x)
    explorer.place.value = -0.5
    assert explorer.alt == "A point at -inf on a parabola." and not explorer.message


# The learner's function

def test_a_learners_error_is_shown_and_goes_away():
    def step(x):
        if x < 0:
            raise ValueError("x < 0 & <b>bad</b>")
        return x

    explorer = Parabola(step)
    before, alt = explorer.picture, explorer.alt
    explorer.place.value = -0.5
    assert 'role="alert"' in explorer._message.value and "<b>bad" not in explorer._message.value
    assert "Your function stopped: step raised ValueError: x < 0 & <b>bad</b> (line" in explorer.message
    assert 'raise ValueError("x < 0' in explorer.message
    assert (explorer.picture, explorer.alt) == (before, alt)
    explorer.place.value = 0.25
    assert explorer.message == "" and explorer.alt == "A point at 0.25 on a parabola."


def test_a_function_that_fails_from_the_start_still_gives_an_explorer():
    explorer = Parabola(step=lambda x: x.foo)
    assert "AttributeError" in explorer.message and "no attribute 'foo'" in explorer.message
    bundle = explorer._repr_mimebundle_()
    assert "AttributeError" in bundle["text/plain"] and "AttributeError" in bundle["text/html"]
    assert pixels(b64decode(bundle["image/png"])).shape == (200, 400, 3) and explorer.alt


def test_our_own_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Parabola(slope=lambda x: 1 / 0)
    explorer = Parabola(slope=lambda x: 1 / x)
    with pytest.raises(ZeroDivisionError):
        explorer.place.value = 0
    assert explorer.message == ""


@pytest.mark.parametrize(("function", "line"), [
    (lambda x: np.linalg.inv(np.zeros((2, 2))), "np.linalg.inv(np.zeros"),
    (lambda x: matmul(np.ones((2, 3)), np.ones((2, 3))), "matmul(np.ones((2, 3))"),
], ids=["numpy", "nnlib"])
def test_the_line_shown_is_the_learners_own_not_a_librarys(function, line):
    with pytest.raises(LearnerError) as caught:
        learners(function, "step")(1.0)
    assert line in str(caught.value) and str(caught.value).startswith("step raised ")
    assert isinstance(caught.value.__cause__, (np.linalg.LinAlgError, ShapeError))


def test_a_function_with_the_wrong_number_of_arguments_shows_no_line_of_ours():
    with pytest.raises(LearnerError, match="^step raised TypeError: .*missing 1 required .* argument: 'y'$"):
        learners(lambda x, y: x, "step")(1.0)


def test_an_interrupt_is_not_a_learners_error():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learners(interrupted, "step")()
    assert learners(lambda x, y: x + y, "step")(1, 2) == 3


# Stored output

def test_stored_output_reads_well_without_a_kernel(explorer):
    bundle = explorer._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert b64decode(bundle["image/png"]) == explorer.picture
    assert f'alt="{explorer.alt}"' in bundle["text/html"] and "reach 0 &lt; x" in bundle["text/html"]
    assert "reach 0 < x" not in bundle["text/html"]
    text = bundle["text/plain"].splitlines()
    assert text[:3] == [explorer.alt, "○ Goal not reached yet: reach 0 < x. |x| = 0.50", "now at 0.50"]
    assert text[-1].endswith("move the controls: place (m), learning rate, wide axis, nothing.")


# Controls

def test_sliders():
    steps = slider("steps", 1, 50, 10, tooltip="how many")
    assert isinstance(steps, ipywidgets.IntSlider)
    assert (steps.min, steps.max, steps.value, steps.step) == (1, 50, 10, 1)
    assert steps.description == "steps" and steps.tooltip == "how many" and steps.readout
    angle = slider("angle", 0, 2.0, 1.0, unit="rad")
    assert isinstance(angle, ipywidgets.FloatSlider) and angle.step == 0.02 and angle.readout_format == ".2f"
    assert angle.description == "angle (rad)"
    assert slider("fine", 0.0, 1.0, 0.5, step=0.001).readout_format == ".3f"
    assert slider("coarse", 0.0, 100.0, 50.0, step=5.0).readout_format == ".0f"


@pytest.mark.parametrize(("minimum", "maximum", "value"),
                         [(1e-3, 1, 0.1), (0.003, 30, 0.003), (1e-6, 1e2, 1e2), (0.7, 0.9, 0.8)])
def test_log_sliders_take_values_not_exponents(minimum, maximum, value):
    made = log_slider("rate", minimum, maximum, value)
    assert made.value == pytest.approx(value)
    made.value = 1e-30
    assert made.value == pytest.approx(minimum)
    made.value = 1e30
    assert made.value == pytest.approx(maximum)


def test_choices_boxes_and_buttons():
    pressed = []
    assert choice("data", ["moons", "xor"]).value == "moons"
    assert choice("data", ["moons", "xor"], "xor").value == "xor"
    assert choice("size", {"small": 8, "large": 64}).value == 8
    assert choice("size", {"none": 0, "one": 1}, 0).value == 0
    assert checkbox("noise", True).value is True and checkbox("noise").description == "noise"
    made = button("go", lambda: pressed.append(1), tooltip="start")
    made.click()
    assert pressed == [1] and made.tooltip == "start" and button("go").tooltip == "go"


def test_a_goal_is_decided_by_numbers():
    goal = Goal(loss=1e-6, steps=3)
    assert str(goal) == "reach a loss of 1e-06 within 3 steps"
    assert goal.reached_at([1, 1e-3, 1e-6, 0, 0]) == 2 and goal.reached_at([0.0]) == 0
    assert goal.reached_at([1, 1, 1, 1, 0]) is None and goal.reached_at([]) is None  # step 4 is too late
    assert goal.reached_at([np.nan, np.inf, -np.inf]) == 2 and goal.reached_at([np.nan]) is None
    assert type(goal.reached_at(np.array([1.0, 0.0]))) is int


# Playing

class Count:
    """A computation of `last` steps, with its player."""

    def __init__(self, last):
        self.at, self.last = 0, last
        self.player = Player(self.step, self.reset, interval=0)

    def step(self):
        self.at += 1
        return self.at < self.last

    def reset(self):
        self.at = 0


async def turns(n):
    for _ in range(n):
        await asyncio.sleep(0)


def test_step_and_reset_need_no_event_loop():
    count = Count(3)
    player = count.player
    assert [player.tick(), player.tick(), player.tick()] == [True, True, False] and not player.playing
    player.reset_button.click()
    assert count.at == 0
    player.step_button.click()
    assert count.at == 1
    with pytest.raises(RuntimeError, match="no running event loop"):
        player.play()
    assert not player.playing and player.play_button.description == "play"


def test_playing_goes_to_the_end_and_can_be_repeated():
    async def session():
        count = Count(5)
        for _ in range(2):
            count.player.play_button.click()
            assert count.player.playing and count.player.play_button.description == "pause"
            await turns(20)
            assert count.at == 5 and not count.player.playing
            assert count.player.play_button.description == "play"
            count.player.reset_button.click()

    asyncio.run(session())


def test_pause_step_and_reset_stop_the_playing():
    async def session():
        for stop in ("play_button", "step_button", "reset_button"):
            count = Count(10**6)
            count.player.play()
            count.player.play()  # twice is once
            await turns(10)
            assert 5 <= count.at <= 12
            getattr(count.player, stop).click()
            at = count.at
            await turns(10)
            assert count.at == at and not count.player.playing and (at == 0) == (stop == "reset_button")

    asyncio.run(session())


def test_pause_and_play_in_one_breath_leave_one_player_running():
    async def session():
        count = Count(10**6)
        count.player.play()
        await turns(3)
        count.player.pause()
        count.player.play()
        await turns(5)
        assert count.player.playing and count.player.play_button.description == "pause"
        count.player.pause()
        at = count.at
        await turns(10)
        assert count.at == at

    asyncio.run(session())


def test_an_error_while_playing_stops_it():
    async def session():
        def step():
            raise ZeroDivisionError

        player = Player(step, lambda: None)
        player.play()
        task = player._task
        await turns(3)
        assert not player.playing and isinstance(task.exception(), ZeroDivisionError)

    asyncio.run(session())


def test_a_step_may_pause_its_own_player():
    async def session():
        count = Count(10**6)
        player = Player(lambda: count.step() and (count.at < 3 or player.pause() or True), count.reset, interval=0)
        player.play()
        await turns(10)
        assert count.at == 3 and not player.playing

    asyncio.run(session())


def test_a_step_of_a_turn_that_was_ended_is_left_out():
    count, ended = Count(10), []
    count.player = Player(count.step, count.reset, on_stop=lambda: ended.append(count.at))
    turn = count.player._turn
    assert count.player.tick(turn) and count.at == 1
    count.player.pause()
    assert not count.player.tick(turn) and count.at == 1 and ended == []  # it had not played

    async def session():
        count.player.play()
        await turns(2)
        count.player.pause()

    asyncio.run(session())
    assert ended == [2]


def test_two_threads_never_draw_at_once():
    inside, seen = [], []

    def step(x):
        inside.append(x)
        time.sleep(0.01)
        seen.append(len(inside))
        inside.pop()
        return x

    explorer = Parabola(step)
    other = threading.Thread(target=lambda: [setattr(explorer.place, "value", x) for x in (-0.5, -0.25, 0.25)])
    other.start()
    for rate in (0.2, 0.3, 0.4):
        explorer.rate.value = rate
    other.join()
    assert seen == [1] * len(seen) and len(seen) == 7


class Mute(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize("error, words", [(ValueError("x" * 10**6), "x" * 500 + "..."), (Mute(), "cannot be read"),
                                          (ValueError("short"), "ValueError: short")])
def test_what_a_learner_raises_is_told_in_a_bounded_sentence(error, words):
    def mine():
        raise error
    with pytest.raises(LearnerError, match=re.escape(words)) as caught:
        learners(mine, "mine")()
    assert len(str(caught.value)) < 700


def test_a_player_goes_slowly_for_a_reader_who_asked_for_less_motion(monkeypatch):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    class Walk(Parabola):
        def assemble(self, figure, controls, animated, goal):
            self.left = 2
            self.player = Player(self.on_step, lambda: None, interval=0.1)
            super().assemble(figure, [*controls, self.player], animated, goal)

        def on_step(self):
            self.left -= 1
            return self.left >= 0

    made = Walk()
    monkeypatch.setattr("asyncio.sleep", sleep)
    asyncio.run(made.player._run(0))
    made.left, made.access.calm = 2, True
    asyncio.run(made.player._run(0))
    assert pauses == [0.1, 0.1, 1.0, 1.0]
