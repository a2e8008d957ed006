"""GraphStepper: walk forward and backward through the graph of any expression, one node and one edge at a time."""

import copy
import math

import ipywidgets
import numpy as np

from nnlib import plots
from nnlib.autograd import Tensor
from nnlib.errors import GradientError
from nnlib.plots.graph import (
    backward_steps,
    bracketed,
    brief,
    collapse,
    gradients_after,
    graph_of,
    in_full,
    number,
    wrong_derivatives,
    wrong_gradients,
)
from nnlib.plots.graph_drawing import WIDTH, Drawing, compact, edge_lines, node_lines, value_line
from nnlib.widgets.base import Explorer, LearnerError, Player, learners, slider
from nnlib.widgets.expression import TextError, build, read_expression, read_values, written

VALUES = {"x": -2.0, "y": 5.0, "z": -4.0}
ROOM = 18  # letters of a sum in a box
CLOSE = 1e-3  # a goal's number is reached when the gradient rounds to it


def default_values(expression):
    """Values for the names of an expression for which none were given: the example's own, or 1, 2, 3 ..."""
    if set(expression.names) <= VALUES.keys():
        return {name: VALUES[name] for name in expression.names}
    return {name: float(i) for i, name in enumerate(expression.names, 1)}


def text_line(label, value, width, tooltip):
    """A line to type in, which counts when Enter is pressed or the line is left; width in pixels."""
    return ipywidgets.Text(value, description=label, tooltip=tooltip, continuous_update=False,
                           layout={"width": f"{width}px", "max_width": "100%"}, style={"description_width": "90px"})


def gradient_line(step):
    """The gradient in a box while something arrives there: the sum, where it is a short one."""
    if step.before is not None and not step.after.ndim:
        total = f"{number(step.before)} + {bracketed(step.handed)} = {number(step.after)}"
        if len(total) <= ROOM:
            return total
    return f"grad {brief(step.after)}"


def listed(words, most=12):
    """Some of them, with commas, and how many more there are."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


class Walk:
    """A graph with all the steps through it: first the nodes that are computed, then the edges on the way back.

    forward: positions of the computed nodes.   back: a list of `Step`.   told: sentences on what is not shown.
    """

    def __init__(self, root, names, upstream=1.0):
        full = graph_of(root, names)
        self.graph, self.told = collapse(full)
        self.wrong = {(i, k): right for i, k, right in wrong_derivatives(self.graph)}
        self.forward = [i for i, node in enumerate(self.graph) if node.statement]
        try:
            self.back = backward_steps(self.graph, upstream)
        except GradientError as error:
            self.back, self.told = [], f"{self.told} There is no way back: {error}".strip()
        self.upstream = upstream
        for node in self.graph:
            for p, d in zip(node.parents, node.derivatives):
                if d is not None and not math.isfinite(d):
                    raise TextError(f"{node.title} has no finite derivative at {self.graph[p].name} = "
                                    f"{brief(self.graph[p].value)}; try other values")
        if any(not np.isfinite(step.after).all() for step in self.back):
            raise TextError("a gradient overflows: it is too large for a number of 64 bits; try smaller values")

    @property
    def length(self):
        """How many steps there are; step 0 is the start."""
        return len(self.forward) + len(self.back)

    def computed(self, position):
        """Positions of the nodes whose value is known after so many steps."""
        return set(range(len(self.graph))) - set(self.forward[position:])

    def walked(self, position):
        """The steps back that are done after so many steps."""
        return self.back[:max(0, position - len(self.forward))]

    def words(self, position):
        """What happens in this step, as sentences with numbers."""
        if position == 0:
            leaves = [f"{n.name}{in_full(n.value)}" for n in self.graph if not n.statement]
            return f"Start: the inputs have their values, {listed(leaves)}. The next step computes."
        if position <= len(self.forward):
            return f"Forward, step {position} of {len(self.forward)}: " + self._forward(self.forward[position - 1])
        done = position - len(self.forward)
        return f"Backward, step {done} of {len(self.back)}: " + self._back(done - 1)

    def _forward(self, i):
        node = self.graph[i]
        if node.value.ndim:
            return f"{node.title}, an array of shape {node.value.shape}."
        text = f"{node.title}{f' = {node.worked}' if node.worked else ''} = {brief(node.value)}."
        shown = [f"d{node.name}/d{self.graph[p].name} = {number(d)}{self._doubt(i, k)}"
                 for k, (p, d) in enumerate(zip(node.parents, node.derivatives)) if d is not None]
        return f"{text} On its edge{'s' if len(shown) > 1 else ''}: {', '.join(shown)}." if shown else text

    def _doubt(self, i, k):
        return f" (your class says so; it should be {number(self.wrong[i, k])})" if (i, k) in self.wrong else ""

    def _back(self, n):
        step = self.back[n]
        node = self.graph[step.node]
        if step.edge is None:
            if node.value.ndim:
                return f"a gradient of shape {node.value.shape} arrives at {node.name}, the upstream gradient."
            if self.upstream == 1:
                return f"it begins at the result: d{node.name}/d{node.name} = 1."
            return f"the upstream gradient {number(step.gradient)} arrives at {node.name}, from whatever uses it."
        parent = self.graph[step.parent]
        if step.handed.ndim or step.gradient.ndim:
            text = f"{node.title} hands to {parent.name} a gradient of the same shape {step.handed.shape}"
            if node.value.shape != parent.value.shape and node.operation in ("add", "subtract", "multiply", "divide"):
                text += f": its own, of shape {node.value.shape}, is summed, for {parent.name} was broadcast"
            return f"{text}.{self._more(step, n)}"
        text = (f"{node.title} hands to {parent.name} its gradient times d{node.name}/d{parent.name}: "
                f"{number(step.gradient)} * {bracketed(step.derivative)} = {number(step.handed)}.")
        if step.before is not None:
            text += (f" {parent.name} had {number(step.before)}, and paths add up: {number(step.before)} + "
                     f"{bracketed(step.handed)} = {number(step.after)}.")
        return text + self._more(step, n)

    def _more(self, step, n):
        later = sum(other.parent == step.parent for other in self.back[n + 1:])
        if later:
            return f" {later} more edge{'s bring' if later > 1 else ' brings'} it something."
        return "" if step.before is None else " Its gradient is complete."

    def result(self):
        """The gradients of the inputs, as a sentence; empty where there is no way back."""
        right = gradients_after(self.back)
        root = self.graph[-1].name if self.upstream == 1 else "L"
        leaves = [f"d{root}/d{n.name}{in_full(right[i])}" for i, n in enumerate(self.graph)
                  if not n.statement and i in right]
        return f"Done: {listed(leaves)}." if leaves else ""


def run_backward(root, names, upstream=1.0):
    """Call the `backward` of a learner's own graph, and say in a sentence where its gradients are wrong.

    Args: root, names: a fresh graph, as for `graph_of`.   Returns (whether it is right, sentence).
    """
    kind = type(root).__name__
    if not hasattr(root, "backward"):
        return False, f"Your {kind} has no backward yet; these steps are what it must do."
    try:
        learners(root.backward, f"{kind}.backward")()
        wrong = wrong_gradients(graph_of(root, names), upstream)
    except (LearnerError, GradientError, RecursionError) as error:
        return False, f"Your backward() stopped: {error}"
    if not wrong:
        return True, "Your backward() gives the same gradients."
    node, right, why = wrong[-1]  # the first one on the way back
    held = "0" if node.gradient is None else number(upstream * np.asarray(node.gradient))
    others = "" if len(wrong) == 1 else f" ({len(wrong)} nodes differ in all; this is the first on the way back.)"
    return False, (f"Your backward() differs: the gradient of {node.name} should be {number(right)}, and yours is "
                   f"{held}{': ' + why if why else '.'}{others}")


class GraphStepper(Explorer):
    """Step forward and backward through a computation graph: values, derivatives and gradients appear one by one.

    Args:
        source: a text such as "(x + y) * z" or "q = x + y; q * z", which the learner can change, or a node: a
            Tensor, or an object of your own class (see `plots.graph_of`).
        values: dict from name to finite number, for a text.   value: your own class, to build the text's graph with.
        names: dict from name to node, for a node.   goal: (name, number), reached by values for which the gradient
            at that name is that number.   upstream: the gradient that arrives at the result; 1 if it is the end.
    Wrong texts and classes are told inside the explorer. Raises ValueError for values that are no finite numbers, and
    for a goal without a text to change, or whose name the text does not have.
    Source: decks A, B and C.
    """

    def __init__(self, source="(x + y) * z", values=None, value=None, names=None, goal=None, upstream=1.0):
        self.maker, self.goal, self.upstream, self.walk, self.drawing = value, goal, upstream, None, None
        self.typed = isinstance(source, str)
        self.root, self.names = (None, None) if self.typed else (source, names)
        self._built = self._expression = self._verdict = self._right = None
        self._lead = "This graph cannot be walked:"
        texts = self._texts(source, values) if self.typed else []
        self._check_goal(source)
        self.position = slider("step", 0, 1, 0, tooltip="forward through the nodes, then backward along the edges")
        self.player = Player(self._advance, self._rewind, interval=0.9)
        figure, ax = plots.subplots(width=WIDTH, height=2.5)
        ax.set_axis_off()
        told = goal and f"choose values for which the gradient at {goal[0]} is {number(goal[1])}, and step to the end"
        self.assemble(figure, [texts, [self.position, self.player]], [], goal=told)

    def _texts(self, source, values):
        for name, value in (values or {}).items():
            if not (isinstance(value, (int, float, np.number)) and math.isfinite(value)):
                raise ValueError(f"GraphStepper: expected a finite number for {name} but got {value!r}")
        try:
            expression = read_expression(source)
            values = {**default_values(expression), **(values or {})}
        except TextError:
            values = values or VALUES
        self.expression = text_line("expression", source, 560,
                               "names, numbers, + - * / **, brackets, exp log tanh ...; then Enter")
        self.values = text_line("values", written(values), 420,
                           "a number for every name, such as x = -2, y = 5; then Enter")
        return [self.expression, self.values]

    def _check_goal(self, source):
        if self.goal is None:
            return
        if not isinstance(source, str):
            raise ValueError("GraphStepper: a goal needs values that can be changed; give a text as source")
        name, wanted = self.goal
        if name not in read_expression(source).names or not math.isfinite(wanted):
            raise ValueError(f"GraphStepper: expected a goal such as ('x', 6.0), with a name of {source!r}, but got "
                             f"{self.goal!r}")

    def lay_out(self):
        """The graph is laid out by itself, and fills the figure."""
        self.figure.set_layout_engine("none")
        self.figure.axes[0].set_position([0, 0, 1, 1])
        self.background_changed()

    def _advance(self):
        if self.position.value < self.position.max:
            self.position.value += 1
        return self.position.value < self.position.max

    def _rewind(self):
        self.position.value = 0

    def _changed(self, change):
        if change["owner"] is not self.position:
            self.player.pause()
        super()._changed(change)

    def refresh(self):
        """Update and paint; what is wrong in a text, or in a learner's class, is said, and the picture stays."""
        first = not self._painted
        super().refresh()
        if self.message and first:
            self._paint(self._animated if self.walk else [], self.describe())

    # The graph

    def _asked(self):
        """The walk through what the controls say, or through the node that was given."""
        if not self.typed:
            return self._walk_of(self.root, self.names)
        self._lead = "Not drawn:"  # a text that nnlib cannot follow is not the fault of the learner's class
        right = self._walk_of(*self._built_with(None))
        if self.maker is None:
            return right
        self._right = {right.graph[i].name: gradient for i, gradient in gradients_after(right.back).items()}
        self._lead = f"Your {getattr(self.maker, '__name__', 'class')} stopped:"
        try:
            return self._walk_of(*self._built_with(self.maker))
        except LearnerError:
            if self.walk is None:
                self._show(right)
            raise

    def _built_with(self, maker):
        """A fresh graph of the text: (root, names). The result is called f, if it has no name and none else has it."""
        root, names = build(read_expression(self.expression.value), read_values(self.values.value), maker)
        nameless = "f" not in names and all(node is not root for node in names.values())
        return root, {**names, "f": root} if nameless else names

    def _walk_of(self, root, names):
        try:
            return Walk(root, names, self.upstream)
        except GradientError as error:
            raise LearnerError(str(error)) from None

    def _show(self, walk):
        """Draw another graph: its boxes and edges are the background."""
        self.walk, self.drawing = walk, None
        handed = {(step.node, step.edge): step.handed for step in walk.back}
        texts = [[*node_lines(node), *self._passing(i)] for i, node in enumerate(walk.graph)]
        on_edges = {(i, k): edge_lines(walk.graph, i, k, handed.get((i, k)))
                    for i, node in enumerate(walk.graph) for k in range(len(node.parents))}
        layout, scale = compact(walk.graph, texts, on_edges)
        ax = self.figure.axes[0]
        ax.clear()
        self.figure.set_size_inches(max(scale * layout.size[0], WIDTH), scale * layout.size[1])
        self.drawing = Drawing(ax, walk.graph, layout, scale)
        self._animated = self.drawing.moving
        for artist in self._animated:
            artist.set_animated(True)
        self.lay_out()

    def _passing(self, i):
        """The gradients that a node has on the way, as lines of its box."""
        return [gradient_line(step) for step in self.walk.back
                if (step.node if step.edge is None else step.parent) == i]

    def update(self):
        """Draw the graph, if another one is asked for, and what is known after so many steps."""
        asked = (self.expression.value, self.values.value) if self.typed else True
        if asked != self._built:
            walk = self._asked()
            same_text = self.typed and self._expression == self.expression.value
            self._show(walk)
            self._built, self._verdict = asked, None
            self._expression = self.expression.value if self.typed else None
            with self.setting_controls(), self.position.hold_sync():
                self.position.max = max(1, walk.length)
                if not same_text:
                    self.position.value = 0
        self._draw(self.position.value)
        self._tell()

    def _draw(self, position):
        walk, drawing = self.walk, self.drawing
        computed, steps = walk.computed(position), walk.walked(position)
        gradients, handed = gradients_after(steps), {(s.node, s.edge): s.handed for s in steps}
        for i, node in enumerate(walk.graph):
            drawing.values[i].set_text(value_line(node) if i in computed else "")
            drawing.gradients[i].set_text(f"grad {brief(gradients[i])}" if i in gradients else "")
        if steps and steps[-1].edge is not None:
            drawing.gradients[steps[-1].parent].set_text(gradient_line(steps[-1]))
        for (i, k), text in drawing.edges.items():
            lines = edge_lines(walk.graph, i, k, handed.get((i, k))) if i in computed else []
            text.set_text("\n".join(lines))
            text.set_visible(bool(lines))
        if steps:
            last = steps[-1]
            drawing.mark(last.node, None if last.edge is None else (last.node, last.edge))
        else:
            drawing.mark(walk.forward[position - 1] if position else None)

    def _tell(self):
        position, walk = self.position.value, self.walk
        parts = [walk.words(position), walk.told]
        if position >= walk.length and walk.back:
            parts += [walk.result(), self._judged()]
        self.say(" ".join(part for part in parts if part))
        if self.goal:
            self._tell_goal(position >= walk.length)

    def _tell_goal(self, at_end):
        name, wanted = self.goal
        right = gradients_after(self.walk.back)
        place = next((i for i, node in enumerate(self.walk.graph) if node.name == name), None)
        if place is None:
            self.report_goal(False, f"This expression has no {name}.")
        elif not at_end:
            self.report_goal(False, f"Step to the end to see the gradient at {name}.")
        else:
            got = float(right.get(place, 0.0))
            self.report_goal(abs(got - wanted) <= CLOSE * max(1.0, abs(wanted)),
                             f"The gradient at {name} is {number(got)}.")

    def _judged(self):
        """What the learner's own `backward` makes of a fresh graph, in a sentence; asked once for each graph."""
        if self.maker is None and (self.typed or isinstance(self.root, Tensor)):
            return ""
        if self._verdict is None:
            root, names = self._fresh()
            self._verdict = run_backward(root, names, self.upstream)[1] if root is not None else ""
            held = gradients_after(self.walk.back)
            held = {node.name: held.get(i, 0.0) for i, node in enumerate(self.walk.graph)}
            off = [name for name in read_expression(self.expression.value).names if self.walk.back and not
                   np.isclose(held.get(name, 0.0), self._right.get(name, 0.0), rtol=1e-6)] if self.typed else []
            if self.walk.wrong:
                (i, k), right = next(iter(self.walk.wrong.items()))
                node = self.walk.graph[i]
                self._verdict += (f" But a derivative is wrong: {node.title} says d{node.name}/d"
                                  f"{self.walk.graph[node.parents[k]].name} = {number(node.derivatives[k])}, and it "
                                  f"is {number(right)}.")
            elif off:
                self._verdict += (f" But your graph itself is not right: by its steps the gradient at {off[0]} is "
                                  f"{number(held.get(off[0], 0.0))}, and it is {number(self._right[off[0]])}. Does "
                                  "every operation keep all its parents, each with its derivative?")
        return self._verdict

    def _fresh(self):
        if self.typed:
            return self._built_with(self.maker)
        try:
            root, names = copy.deepcopy((self.root, self.names or {}))
            for node in graph_of(root, names):
                node.source.grad = 0.0
        except Exception:  # a class that cannot be copied is not asked
            return None, None
        return root, names

    def describe(self):
        """Alternative text: the graph, and what is known and marked after so many steps."""
        if self.walk is None:
            return f"No graph is drawn yet. {self.message}"
        walk, position = self.walk, self.position.value
        steps = walk.walked(position)
        computed, gradients = walk.computed(position), gradients_after(steps)
        nodes = "; ".join(n.title + (f", {value_line(n)}" if i in computed else "")
                          + (f", gradient {brief(gradients[i])}" if i in gradients else "")
                          for i, n in enumerate(walk.graph))
        last = steps[-1] if steps else None
        marked = ("" if not position else
                  f" Marked: the edge from {walk.graph[last.node].name} back to {walk.graph[last.parent].name}."
                  if last and last.edge is not None else
                  f" Marked: {walk.graph[last.node if last else walk.forward[position - 1]].name}.")
        return (f"A computation graph of {len(walk.graph)} nodes from left to right, after step {position} of "
                f"{walk.length}: {nodes}.{marked}")
