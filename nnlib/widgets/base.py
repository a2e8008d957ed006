"""The base of every explorer: controls, one matplotlib figure, and a picture that follows them quickly.

The figure lives on the Agg canvas. What never moves is drawn once and kept as a bitmap; a change of a control restores
that bitmap, draws only the animated artists over it (texts as stamps, see stamps.py), and sends the result as one PNG
with 256 colors inside `<img alt>`. (ipywidgets' own `Image` has no alternative text; redrawing the whole figure takes
five times as long.)
"""

import asyncio
import functools
import html
import os
import re
import threading
import traceback
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anywidget
import ipywidgets
import numpy as np
import traitlets

from nnlib.errors import NnlibError
from nnlib.ops import softmax
from nnlib.plots.base import VERMILION, encode_png, img_tag
from nnlib.widgets.stamps import Stamps

PACKAGE = str(Path(__file__).parents[1]) + os.sep
WIDE = {"width": "380px", "max_width": "100%"}  # a dict: every control gets a Layout of its own
CALM = 1.0  # seconds between steps for a reader who asked for less motion
ROW = {"display": "flex", "flex_flow": "row wrap", "align_items": "flex-end"}


_alone = threading.RLock()


def one_at_a_time(method):
    """A method that waits until no other thread is in one of these.

    A kernel may hand the messages of controls to several threads, and neither figures nor a half-done step bear that.
    """
    @functools.wraps(method)
    def locked(*arguments, **options):
        with _alone:
            return method(*arguments, **options)
    return locked


class LearnerError(NnlibError):
    """What a learner's own function did wrong, as a sentence for the learner."""


@dataclass(frozen=True)
class Goal:
    """A goal that a number decides: a loss of at most `loss` within `steps` steps."""

    loss: float
    steps: int

    def __str__(self):
        return f"reach a loss of {self.loss:g} within {self.steps} steps"

    def reached_at(self, losses):
        """The first step, up to `steps`, whose loss is low enough; None if there is none. losses: (steps + 1,)."""
        good = np.flatnonzero(np.asarray(losses)[:self.steps + 1] <= self.loss)
        return int(good[0]) if good.size else None


def text_of(markup):
    """What a reader sees of HTML: without its tags, characters in place of entities."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def _options(label, unit, tooltip):
    return {"description": f"{label} ({unit})" if unit else label, "tooltip": tooltip, "layout": WIDE,
            "style": {"description_width": "150px"}}


def slider(label, minimum, maximum, value, step=None, unit="", tooltip=""):
    """A slider on a linear scale: whole numbers if all three values are, else `step` apart (a 100th of the range)."""
    options = _options(label, unit, tooltip)
    if all(isinstance(v, int) for v in (minimum, maximum, value)):
        return ipywidgets.IntSlider(value, minimum, maximum, step or 1, **options)
    step = step or (maximum - minimum) / 100
    digits = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
    return ipywidgets.FloatSlider(value, min=minimum, max=maximum, step=step, readout_format=f".{digits}f", **options)


def log_slider(label, minimum, maximum, value, step=0.02, unit="", tooltip=""):
    """A slider on a logarithmic scale from `minimum` to `maximum` (values, not exponents); `step` is in decades."""
    return ipywidgets.FloatLogSlider(value, base=10, min=np.log10(minimum), max=np.log10(maximum), step=step,
                                     readout_format=".3g", **_options(label, unit, tooltip))


def choice(label, options, value=None, tooltip=""):
    """One of a few `options` (strings, or a dict from name to value), as a row of buttons.

    Not a drop-down list: JupyterLab takes the arrow keys from it, so that it cannot be used by keyboard.
    """
    first = next(iter(options.values() if isinstance(options, dict) else options))
    return ipywidgets.ToggleButtons(options=options, value=first if value is None else value, description=label,
                                    tooltip=tooltip, layout=ipywidgets.Layout(width="auto", max_width="100%"),
                                    style={"button_width": "auto", "description_width": "150px"})


def checkbox(label, value=False, tooltip=""):
    """A box to tick."""
    return ipywidgets.Checkbox(value, description=label, tooltip=tooltip, indent=False,
                               layout=ipywidgets.Layout(width="auto", margin="2px 12px"))


def button(label, on_click=None, tooltip=""):
    """A button with a text; `on_click` is called without arguments."""
    made = ipywidgets.Button(description=label, tooltip=tooltip or label, layout=ipywidgets.Layout(width="auto"))
    if on_click:
        made.on_click(lambda _: on_click())
    return made


class Access(anywidget.AnyWidget):
    """An invisible part of every explorer that names its sliders for screen readers and shows where the focus is.

    `calm` is whether the reader asked the system for less motion. The browser's part is in access.js and access.css.
    """

    _esm = Path(__file__).with_name("access.js").read_text(encoding="utf-8")  # a Path would keep every explorer alive
    _css = Path(__file__).with_name("access.css").read_text(encoding="utf-8")
    calm = traitlets.Bool(False).tag(sync=True)


class Player(ipywidgets.HBox):
    """Buttons play / pause, step and reset around a computation that advances in steps.

    Args:
        on_step: called for one step; returns whether there is another one.
        on_reset: called to go back to the start.   interval: seconds between steps while playing.
        on_stop: called after it has played.
    For a reader who asked for less motion (`calm`) it shows at most one step a second while it plays.
    (ipywidgets' own `Play` has unlabeled buttons, which a screen reader cannot name.)
    """

    def __init__(self, on_step, on_reset, interval=0.1, on_stop=None):
        self._on_step, self._on_reset, self._on_stop = on_step, on_reset, on_stop
        self.interval, self.calm, self._task, self._turn = interval, False, None, 0
        self.play_button = button("play", self._toggle, "advance by itself; press again to pause")
        self.step_button = button("step", self._single, "advance one step")
        self.reset_button = button("reset", self.reset, "back to the start")
        super().__init__([self.play_button, self.step_button, self.reset_button])

    @property
    def playing(self):
        """Whether it advances by itself at the moment."""
        return self._task is not None

    @one_at_a_time
    def tick(self, turn=None):
        """Advance one step, unless it belongs to a turn that was ended. Returns whether there is another one."""
        return turn in (None, self._turn) and bool(self._on_step())

    @one_at_a_time
    def play(self):
        """Advance by itself until the end or until `pause`; needs the event loop of a running kernel."""
        if not self.playing:
            self._task = asyncio.get_running_loop().create_task(self._run(self._turn))
            self.play_button.description = "pause"

    @one_at_a_time
    def pause(self):
        """Stop advancing: a step that waits at this moment, perhaps in another thread, is left out."""
        self._turn += 1
        self._stopped()

    @one_at_a_time
    def reset(self):
        """Stop, and go back to the start."""
        self.pause()
        self._on_reset()

    def _toggle(self):
        self.pause() if self.playing else self.play()

    def _single(self):
        self.pause()
        self.tick()

    def _stopped(self):
        was, self._task = self.playing, None
        self.play_button.description = "play"
        if was and self._on_stop:
            self._on_stop()

    async def _run(self, turn):
        try:
            while self.tick(turn):
                await asyncio.sleep(max(self.interval, CALM) if self.calm else self.interval)
        finally:
            if self._task is asyncio.current_task():  # else it was paused, and perhaps another one plays already
                self._stopped()


def learners(function, name):
    """Wrap a learner's function so that what it raises becomes a LearnerError that shows the learner's own line."""
    @functools.wraps(function)
    def guarded(*arguments):
        try:
            return function(*arguments)
        except LearnerError:
            raise
        except (Exception, SystemExit) as error:  # ours come first, then the learner's, then libraries'
            frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(PACKAGE)]
            own = [f for f in frames if f.filename == frames[0].filename and f.line]
            where = f" (line {own[-1].lineno}: {own[-1].line})" if own else ""
            raise LearnerError(f"{name} raised {type(error).__name__}: {said_by(error)}{where}") from error
    return guarded


def said_by(error, most=500):
    """The message of a learner's exception, cut to so many characters; a sentence where it has none to give."""
    try:
        text = str(error)
    except Exception:
        return "(its message cannot be read)"
    return text if len(text) <= most else f"{text[:most]}..."


def data_of(value):
    """The array in a tensor, of this library or of another engine; any other value as it is."""
    return value.data if hasattr(value, "backward") else value


def probabilities_of(outputs):
    """Probabilities (..., classes) from what a network gives: scores, or probabilities already."""
    p = np.asarray(outputs, dtype=float)
    return p if p.min() >= 0 and (np.abs(p.sum(axis=-1) - 1) < 1e-4).all() else softmax(p)


def learners_array(value, shape, name):
    """What a learner's function returned, as an array of this shape; a LearnerError if it is none, or not finite."""
    if value is None:
        raise LearnerError(f"{name} returned None; is there a return at its end?")
    try:
        array = np.array(value)
        array = array.astype(float, casting="same_kind" if array.dtype.kind == "c" else "unsafe")
    except (TypeError, ValueError):
        raise LearnerError(f"{name}: expected an array of real numbers of shape {shape} but got "
                           f"{type(value).__name__}") from None
    if array.shape != shape:
        raise LearnerError(f"{name}: expected an array of shape {shape} but got shape {array.shape}")
    if not np.isfinite(array).all():
        raise LearnerError(f"{name}: expected finite numbers but got {np.array2string(array, precision=3)}")
    return array


def note(ax, y, va):
    """A text in a box across the middle of an axes at height y (0 to 1), empty until `set_text`: a word for readers."""
    return ax.text(0.5, y, "", transform=ax.transAxes, ha="center", va=va, fontsize=9.5, zorder=9,
                   bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": VERMILION, "alpha": 0.95})


class Explorer(ipywidgets.VBox):
    """A figure that follows its controls.

    A subclass makes its controls, its figure and its artists in `__init__`, ends with `self.assemble(...)`, and defines
    `update()` (called on every change: sets data on the animated artists, nothing else) and `describe()` (the
    alternative text for the state shown). Its mathematics lives in plain functions outside the class.
    """

    def assemble(self, figure, controls, animated, goal=None):
        """Put the explorer together and draw it for the first time.

        Args:
            figure: from `plots.subplots`.   controls: widgets, or lists of widgets for further rows; every one that
                has a value is observed.   animated: artists that `update` changes.   goal: text of what to reach.
        """
        self.figure, self._animated, self._goal = figure, list(animated), goal
        self._shown, self._background, self._painted, self._stamps = None, None, b"", Stamps()
        rows = [r for r in controls if isinstance(r, (list, tuple))]
        rows = [[c for c in controls if not isinstance(c, (list, tuple))], *rows]
        self.controls = [c for row in rows for c in row]
        for control in self.controls:
            if hasattr(control, "value") and not isinstance(control, ipywidgets.HTML):
                control.observe(self._observed, "value")
        self._picture = ipywidgets.HTML()
        self._caption = ipywidgets.HTML()
        self._message = ipywidgets.HTML()
        self.access = Access(layout={"display": "none"})
        self.access.observe(self._calm, "calm")
        for artist in self._animated:
            artist.set_animated(True)
        self.lay_out()
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()
        super().__init__([*(ipywidgets.HBox(row, layout=ROW) for row in rows if row),
                          self._picture, self._caption, ipywidgets.VBox([self._message, self.access])])
        self.add_class("nnlib-explorer")
        self.add_class(f"nnlib-{kebab}")
        self.redraw_background()

    def _calm(self, change):
        for control in self.controls:
            if isinstance(control, Player):
                control.calm = change.new

    def update(self):
        """Set the animated artists to the state of the controls."""
        raise NotImplementedError(f"{type(self).__name__} must define update()")

    def describe(self):
        """The alternative text of the picture in its present state."""
        raise NotImplementedError(f"{type(self).__name__} must define describe()")

    def say(self, text):
        """Show `text` under the picture; a screen reader reads it out when it changes."""
        self._caption_text = text

    _caption_text = ""

    def report_goal(self, reached, text):
        """Show whether the goal is reached, and `text`: how far it is."""
        self._goal_text = f"{'✓ Goal reached' if reached else '○ Goal not reached yet'}: {self._goal}. {text}"

    _goal_text = ""

    @property
    def alt(self):
        """The alternative text of the picture shown."""
        return self._shown

    @property
    def picture(self):
        """The picture shown, as PNG bytes."""
        return self._painted

    @property
    def message(self):
        """What is wrong with the learner's function or input, or an empty string."""
        return text_of(self._message.value)

    @contextmanager
    def setting_controls(self):
        """Within `with self.setting_controls():` code may move several controls, and no picture is drawn for each."""
        self._setting = True
        try:
            yield
        finally:
            self._setting = False

    _setting = False
    _lead = "Your function stopped:"  # before what is wrong; a subclass may say it more precisely

    @one_at_a_time
    def _observed(self, change):
        if not self._setting:
            self._changed(change)

    def _changed(self, change):
        self.refresh()

    @one_at_a_time
    def refresh(self):
        """Update and paint. What a learner's own function does wrong is shown, and the picture stays."""
        try:
            with np.errstate(all="ignore"):
                self.update()
        except LearnerError as error:
            self._message.value = (f'<div role="alert" style="border-left:4px solid {VERMILION};padding:4px 10px">'
                                   f"<b>{html.escape(self._lead)}</b> {html.escape(str(error))}</div>")
            if not self._painted:  # the first time there is no picture to keep: show at least the axes
                self._paint([], f"Axes without a path: the function stopped. {error}")
            return
        if self._message.value:
            self._message.value = ""
        self._paint(self._animated, self.describe())

    def redraw_background(self):
        """Draw what does not move again (after another surface was chosen, say), then everything else."""
        self.background_changed()
        self.refresh()

    def lay_out(self):
        """Give labels and titles the room they need, once; what was laid out stays, and so does the background."""
        self.figure.set_layout_engine("constrained")
        self.figure.canvas.draw()
        self.figure.set_layout_engine("none")
        self.background_changed()

    def background_changed(self):
        """For `update`: what does not move has changed (the limits of an axis, say) and must be drawn again."""
        self._background = None

    def _png(self, artists):
        canvas = self.figure.canvas
        if self._background is None:
            canvas.draw()
            self._background = canvas.copy_from_bbox(self.figure.bbox)
        canvas.restore_region(self._background)
        renderer = canvas.get_renderer()
        for artist in artists:
            self._stamps.draw(artist, renderer)
        return encode_png(np.asarray(canvas.buffer_rgba()))

    def _paint(self, artists, alt):
        self._painted, self._shown = self._png(artists), alt
        self._picture.value = img_tag(self._painted, self._shown)
        lines = [t for t in (self._goal_text, self._caption_text) if t]
        self._caption.value = ('<div role="status" style="line-height:1.4">'
                               + "".join(f"<div>{html.escape(t)}</div>" for t in lines) + "</div>")

    def _repr_mimebundle_(self, **kwargs):
        """The live widget, and beside it the picture and its text, for a reader without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        names = ", ".join(c.description for c in self.controls if getattr(c, "description", ""))
        note = f"Run this cell in JupyterLab to move the controls: {names}." if names else ""
        notes = [t for t in (self.message, self._goal_text, self._caption_text, note) if t]
        bundle["text/html"] = img_tag(self._painted, self._shown) + "".join(f"<p>{html.escape(t)}</p>" for t in notes)
        bundle["image/png"] = b64encode(self._painted).decode()
        bundle["text/plain"] = "\n".join([self._shown, *notes])
        return bundle
