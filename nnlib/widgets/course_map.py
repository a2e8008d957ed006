"""The map of the course: its chapters, what each needs first, and the points earned so far."""

import html
import json
import os
import sys
import textwrap
from pathlib import Path

import ipywidgets
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nnlib import plots
from nnlib.grading import course_progress
from nnlib.widgets.base import Explorer, button
from nnlib.widgets.syllabus import CHAPTERS, PARTS, ROOT

WIDTH, HEIGHT = 8.8, 5.5  # inches of the picture
BOX = (1.7, 0.76)  # inches of one chapter
FIRST, APART = (1.3, 4.5), (2.15, 0.98)  # inches: the middle of the first box; from one box to the next
STYLE = """<style>
.nnlib-map-stage {position: relative; padding: 0}
.nnlib-map-stage .jupyter-widgets {margin: 0}
.nnlib-map-stage .widget-html-content {line-height: 0}
.nnlib-map-stage .jupyter-button {position: absolute; padding: 0; min-width: 0; border-radius: 8px;
  box-shadow: none; background: transparent; color: transparent}
.nnlib-map-stage .jupyter-button:hover {background: rgba(86, 180, 233, 0.2)}
.nnlib-map-stage .jupyter-button:focus-visible {outline: 3px solid #0072B2; outline-offset: 2px}
</style>"""


def points_of(number, progress):
    """(earned, possible) of the chapter's exercise set, or None where it has no points to earn.

    Args: progress: {set name: (earned, possible)}, as nnlib.grading.course_progress gives it.
    """
    return next((points for name, points in progress.items() if name.startswith(f"ex{number}_") and points[1]), None)


def layout():
    """The middle of each chapter's box in inches: a column for each part. Returns {number: (x, y)}."""
    middle = {}
    for column, part in enumerate(PARTS):
        for row, number in enumerate(n for n, chapter in CHAPTERS.items() if chapter.part == part):
            middle[number] = FIRST[0] + APART[0] * column, FIRST[1] - APART[1] * row
    return middle


def served_folder():
    """The folder that the JupyterLab of this kernel shows, or None where there is no such server."""
    if sys.platform == "emscripten":
        return Path("/drive")  # where a kernel of JupyterLite finds the files of the page
    from jupyter_core.paths import jupyter_runtime_dir  # only here: JupyterLite has no such package

    record = Path(jupyter_runtime_dir(), f"jpserver-{os.environ.get('JPY_PARENT_PID')}.json")
    try:
        return Path(json.loads(record.read_text(encoding="utf-8"))["root_dir"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class CourseMap(Explorer):
    """Choose a chapter: what it promises, what you need first, your points so far, and the way in.

    Args: root: the folder that holds notebooks/ and exercises/.
    The boxes of the picture are buttons: click one, or go there with the Tab key and press Enter. (Not a
    list to choose from: in command mode, JupyterLab takes the arrow keys away from it.)
    """

    def __init__(self, root=ROOT):
        self.root, self._middle, self.progress, self.shown = root, layout(), None, CHAPTERS["00"]
        alone = not Path(root, "notebooks").is_dir()  # nnlib was installed by itself, as on Colab: there are no links
        self.here = {number for number, chapter in CHAPTERS.items() if alone or chapter.notebook(root)}
        self.details = ipywidgets.HTML()
        figure, ax = plots.subplots(width=WIDTH, height=HEIGHT)
        ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
        ax.set_axis_off()
        for column, (part, name) in enumerate(PARTS.items()):
            ax.text(FIRST[0] + APART[0] * column, HEIGHT - 0.3, f"Part {part}\n{name}", size=10,
                    weight="bold", ha="center", va="center")
        edges = [(need, number) for number, chapter in CHAPTERS.items() for need in chapter.needs]
        for edge in edges:
            self._arrow(ax, *edge, color="#A8A8A8", linewidth=1.1)
        for number, chapter in CHAPTERS.items():
            (x, y), color = self._middle[number], plots.INK if number in self.here else plots.GRAY
            self._box(ax, number, facecolor="white", edgecolor=color,
                      linestyle="-" if number in self.here else (0, (4, 2)))
            ax.text(x, y + 0.1, textwrap.fill(str(chapter), 21), size=9.2, color=color, linespacing=1.05,
                    ha="center", va="center")
        self._points = {number: ax.text(x, y - 0.27, "", size=8.6, color=plots.GRAY, ha="center", va="center")
                        for number, (x, y) in self._middle.items()}
        self._frames = {number: self._box(ax, number) for number in CHAPTERS}
        self._arrows = {edge: self._arrow(ax, *edge, color=plots.GREEN, linewidth=2.4) for edge in edges}
        self.assemble(figure, controls=[], animated=[*self._arrows.values(), *self._frames.values()])
        self.buttons = {number: self._button(ax, number) for number in CHAPTERS}
        self.children = [self._stage(), self._caption, self._message, self.details]

    def _box(self, ax, number, **style):
        (x, y), (width, height) = self._middle[number], BOX
        return ax.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height,
                                           boxstyle="round,pad=0,rounding_size=0.08", **style))

    def _arrow(self, ax, need, number, **style):
        """An arrow from box to box: down a column, around the chapter in between, or to another column."""
        (x, y), (to_x, to_y), (width, height) = self._middle[need], self._middle[number], BOX
        if x != to_x:
            ends, bend = ((x + width / 2, y), (to_x - width / 2, to_y)), 0.28 * (to_x - x > 1.5 * APART[0])
        elif y - to_y < 1.5 * APART[1]:
            ends, bend = ((x, y - height / 2), (to_x, to_y + height / 2)), 0
        else:
            ends, bend = ((x - width / 2, y), (to_x - width / 2, to_y)), 0.3
        return ax.add_patch(FancyArrowPatch(*ends, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>",
                                            mutation_scale=11, shrinkA=1, shrinkB=1, **style))

    def _button(self, ax, number):
        """A transparent button that lies over the chapter's box, at whatever size the picture is shown."""
        (x, y), (width, height) = self._middle[number], BOX
        to_figure = ax.transData + ax.figure.transFigure.inverted()  # fractions of the picture, upward
        (left, bottom), (right, top) = to_figure.transform([(x - width / 2, y - height / 2),
                                                            (x + width / 2, y + height / 2)])
        chapter = CHAPTERS[number]
        made = button(str(chapter), lambda: self.select(number), f"look at {chapter}")
        made.layout = {"left": f"{left:.2%}", "top": f"{1 - top:.2%}", "width": f"{right - left:.2%}",
                       "height": f"{top - bottom:.2%}"}
        return made

    def _stage(self):
        stage = ipywidgets.Box(
            [ipywidgets.HTML(STYLE, layout={"height": "0"}), self._picture, *self.buttons.values()],
            layout={"display": "block", "width": "max-content", "max_width": "100%", "overflow": "visible"})
        stage.add_class("nnlib-map-stage")
        return stage

    def select(self, number):
        """Show the chapter of that number, two digits. Raises ValueError for one that does not exist."""
        if number not in CHAPTERS:
            raise ValueError(f"the course has no chapter {number!r}; its chapters are {', '.join(CHAPTERS)}")
        self.shown = CHAPTERS[number]
        self.refresh()

    def refresh(self):
        """Follow the progress file, which a check in another notebook may have changed, then the choice."""
        progress = course_progress()
        if progress == self.progress:
            return super().refresh()
        self.progress = progress
        for number, label in self._points.items():
            label.set_text(self._line(number))
        self.redraw_background()

    def update(self):
        """Frame the chapter and what it needs; write the details below."""
        needs = self.shown.needs
        for number, frame in self._frames.items():
            frame.set(visible=number in needs, facecolor=plots.GREEN + "30", edgecolor=plots.GREEN,
                      linewidth=2, linestyle="--")
        self._frames[self.shown.number].set(visible=True, facecolor=plots.SKY + "30", edgecolor=plots.INK,
                                            linewidth=2.8, linestyle="-")
        for (_, to), arrow in self._arrows.items():
            arrow.set_visible(to == self.shown.number)
        earned, possible = (sum(points) for points in zip(*self.progress.values(), (0, 0)))
        self.say(f"Your points so far: {earned:g} of {possible:g}.")
        self.details.value = f'<div role="status" style="line-height: 1.5">{self._details()}</div>'

    def _line(self, number):
        """The second line in a chapter's box."""
        if number not in self.here:
            return "coming"
        earned, possible = points_of(number, self.progress) or (0, 0)
        tick = " ✓" * (earned >= possible)
        return f"{earned:g} of {possible:g} points{tick}" if possible else "no points"

    def sentences(self):
        """What there is to say about the chapter shown, without its links: list of strings."""
        chapter, points = self.shown, points_of(self.shown.number, self.progress)
        first = ", ".join(str(CHAPTERS[number]) for number in chapter.needs) or "nothing but some Python"
        said = [f"Part {chapter.part}, {PARTS[chapter.part]}: {chapter}, about {chapter.minutes} minutes.",
                chapter.promise, f"What you need first: {first}."]
        if chapter.number not in self.here:
            return [*said, "This chapter is coming; it is not written yet."]
        if points is None:
            return [*said, "It has no points to earn."]
        return [*said, f"Your points here: {points[0]:g} of {points[1]:g}."]

    def links(self):
        """Where to go from here: {text: path of a notebook}; empty for a chapter that is still to come."""
        if self.shown.number not in self.here:
            return {}
        found = {"Open the notebook": self.shown.notebook(self.root),
                 "Open the exercises": self.shown.exercises(self.root)}
        return {text: path for text, path in found.items() if path}

    def _details(self):
        title, *rest = map(html.escape, self.sentences())
        anchors = " &nbsp; ".join(self._anchor(*link) for link in self.links().items())
        return "<br>".join([f"<b>{title}</b>", *rest, *filter(None, [anchors])])

    def _anchor(self, text, path):
        """A link relative to notebooks/, with the command by which JupyterLab opens it in a tab."""
        relative, served, command = os.path.relpath(path, Path(self.root, "notebooks")), served_folder(), ""
        if served and path.is_relative_to(served):
            arguments = html.escape(json.dumps({"path": path.relative_to(served).as_posix()}))
            command = f' data-commandlinker-command="docmanager:open" data-commandlinker-args="{arguments}"'
        return (f'<a href="{html.escape(Path(relative).as_posix())}" target="_blank"{command} '
                f'style="text-decoration: underline">{text}: {html.escape(path.stem)}</a>')

    def describe(self):
        """The alternative text: what the map shows, with the chapter looked at."""
        needs = " and ".join(str(CHAPTERS[number]) for number in self.shown.needs)
        missing = ", ".join(sorted(set(CHAPTERS) - set(self.here)))
        here = f"All but {missing} are here." if missing else "All of them are here."
        return (f"Map of the course: {len(CHAPTERS)} chapters in {len(PARTS)} parts, with arrows from what "
                f"is needed first. Framed: {self.shown}, which needs {needs or 'no other chapter'}. "
                f"{here} {self._caption_text}")

    def _repr_mimebundle_(self, **kwargs):
        """The map, and the details of the chapter with its links, for a reader without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        note = "Run this cell in JupyterLab to look at the other chapters."
        bundle["text/html"] += f"<p>{self._details()}</p><p>{note}</p>"
        bundle["text/plain"] = "\n".join([bundle["text/plain"], *self.sentences(), note])
        return bundle
