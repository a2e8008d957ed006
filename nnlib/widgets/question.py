"""Predict first: questions that a learner answers before the answer is computed, with feedback on every answer.

Their data live in `nnlib/widgets/question_bank/`, one module for each notebook, so that the cell that asks does not
show the answer. Without a kernel the stored output still shows the question, with its answer folded away.
"""

import html
import importlib
import random
import re
from dataclasses import dataclass, field

import ipywidgets

from nnlib.plots.base import SKY
from nnlib.widgets.base import button, text_of


def _rich(text):
    """Plain text as HTML: escaped, with `code` set as code; mathematics between $ signs is left to MathJax."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


@dataclass(frozen=True)
class Choice:
    """One of several options. options: {option: feedback}; answer: the right option."""

    prompt: str
    options: dict
    answer: str

    def __post_init__(self):
        if self.answer not in self.options:
            raise ValueError(f"Choice: expected the answer to be one of {list(self.options)} but got {self.answer!r}")

    def judge(self, option):
        """(whether it is right, feedback)."""
        return option == self.answer, self.options.get(option, f"{option!r} is none of the options.")

    def lines(self):
        """What a reader sees of the question apart from its prompt."""
        return list(self.options)

    def solution(self):
        """The answer and its explanation."""
        return f"{self.answer}. {self.options[self.answer]}"


@dataclass(frozen=True)
class Number:
    """A number within `tolerance` of `answer`. near: {a number wrongly arrived at: feedback}."""

    prompt: str
    answer: float
    tolerance: float
    feedback: str
    unit: str = ""
    near: dict = field(default_factory=dict)
    otherwise: str = "Not that. Work it out on paper once more."

    def judge(self, text):
        """(whether it is right, feedback) for what was typed; anything that is not a number gets a sentence."""
        text = str(text).strip()
        if not text:
            return False, "Type your answer first, a number."
        try:
            above, *below = text.replace(",", ".").replace("−", "-").split("/")
            value = float(above) / float(*below) if below else float(above)
        except (ValueError, TypeError, ZeroDivisionError):
            shown = text[:40].replace("`", "'")  # as code, which MathJax leaves alone: $\\href{...}$ would be a link
            return False, f"'`{shown}`' is not a number; write it like 0.25, 1/4 or 1e-3."
        if abs(value - self.answer) <= self.tolerance:
            return True, self.feedback
        for wrong, feedback in self.near.items():
            if abs(value - wrong) <= self.tolerance:
                return False, feedback
        return False, self.otherwise

    def lines(self):
        """What a reader sees of the question apart from its prompt."""
        return [f"a number{f' in {self.unit}' if self.unit else ''}"]

    def solution(self):
        """The answer and its explanation."""
        return f"{self.answer:g}{f' {self.unit}' if self.unit else ''}. {self.feedback}"


@dataclass(frozen=True)
class Ordering:
    """Items to be put in order; `items` gives the right one."""

    prompt: str
    items: tuple
    feedback: str
    otherwise: str = "Not yet."

    def shuffled(self):
        """The items in an order that is the same every time and is not the right one."""
        mixed = random.Random(self.prompt).sample(self.items, len(self.items))
        return mixed if tuple(mixed) != tuple(self.items) else mixed[::-1]

    def judge(self, order):
        """(whether it is right, feedback)."""
        if tuple(order) == tuple(self.items):
            return True, self.feedback
        right = sum(a == b for a, b in zip(order, self.items))
        return False, f"{self.otherwise} {right} of {len(self.items)} are in the right place."

    def lines(self):
        """What a reader sees of the question apart from its prompt."""
        return self.shuffled()

    def solution(self):
        """The answer and its explanation."""
        return f"{'; '.join(f'{i}. {item}' for i, item in enumerate(self.items, 1))}. {self.feedback}"


class Question(ipywidgets.VBox):
    """Shows a Choice, a Number or an Ordering, takes answers by mouse or keyboard, and gives feedback on each."""

    def __init__(self, data):
        self.data = data
        self._feedback = ipywidgets.HTMLMath()
        prompt = ipywidgets.HTMLMath(f"<b>Predict first.</b> {_rich(data.prompt)}")
        body = {Choice: self._choice, Number: self._number, Ordering: self._ordering}[type(data)]()
        super().__init__([prompt, *body, self._feedback],
                         layout=ipywidgets.Layout(border_left=f"4px solid {SKY}", padding="4px 12px"))
        self.add_class("nnlib-question")

    @property
    def feedback(self):
        """The feedback shown at the moment, without its markup."""
        return text_of(self._feedback.value)

    def answer(self, given):
        """Judge an answer and show the feedback. Returns whether it is right."""
        right, feedback = self.data.judge(given)
        word = "✓ Right." if right else "✗ Not quite."
        self._feedback.value = f'<div role="status"><b>{word}</b> {_rich(feedback)}</div>'
        return right

    def _choice(self):
        self.buttons = []
        for option in self.data.options:
            made = button(option)
            made.on_click(lambda _, option=option, made=made: self._choose(option, made))
            self.buttons.append(made)
        return [ipywidgets.VBox(self.buttons, layout={"align_items": "flex-start"})]

    def _choose(self, option, made):
        right = self.answer(option)
        made.description = f"{'✓' if right else '✗'} {option}"

    def _number(self):
        self.entry = ipywidgets.Text(placeholder="your answer", continuous_update=False, tooltip="a number",
                                     description=f"answer{f' ({self.data.unit})' if self.data.unit else ''}",
                                     style={"description_width": "initial"})
        self.entry.observe(lambda change: self.answer(change.new), "value")
        self.check_button = button("check", lambda: self.answer(self.entry.value), "compare your answer")
        return [ipywidgets.HBox([self.entry, self.check_button, self._reveal_button()])]

    def _ordering(self):
        self.order = list(self.data.shuffled())
        self.rows = []
        for i in range(len(self.order)):  # the rows stay and only their texts move, so that the focus stays too
            up, down = button("up", lambda i=i: self.move(i, -1)), button("down", lambda i=i: self.move(i, +1))
            up.disabled, down.disabled = i == 0, i == len(self.order) - 1
            self.rows.append(ipywidgets.HBox([up, down, ipywidgets.HTMLMath()], layout={"align_items": "center"}))
        self._show_order()
        self.check_button = button("check the order", lambda: self.answer(self.order), "compare your order")
        return [ipywidgets.VBox(self.rows), ipywidgets.HBox([self.check_button, self._reveal_button()])]

    def _show_order(self):
        for i, (item, row) in enumerate(zip(self.order, self.rows), 1):
            up, down, text = row.children
            up.tooltip, down.tooltip, text.value = f"move up: {item}", f"move down: {item}", f"{i}. {_rich(item)}"

    def move(self, position, by):
        """Move the item at `position` (from 0) up (by=-1) or down (by=+1)."""
        target = min(max(position + by, 0), len(self.order) - 1)
        self.order.insert(target, self.order.pop(position))
        self._show_order()

    def _reveal_button(self):
        def reveal():
            self._feedback.value = f'<div role="status"><b>Answer:</b> {_rich(self.data.solution())}</div>'
        return button("show answer", reveal, "give up and see the answer with its reason")

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        lines = self.data.lines()
        bundle["text/html"] = (f"<p><b>Predict first.</b> {_rich(self.data.prompt)}</p>"
                               f"<ul>{''.join(f'<li>{_rich(line)}</li>' for line in lines)}</ul>"
                               f"<details><summary>Answer</summary>{_rich(self.data.solution())}</details>")
        bundle["text/plain"] = "\n".join([f"Predict first. {self.data.prompt}", *(f"  - {line}" for line in lines)])
        return bundle


def questions(notebook):
    """The questions of one notebook: `ask = questions("01")`, then `ask("name")` shows one.

    Raises ValueError, with the names there are, for a question or a notebook that does not exist.
    """
    module = f"nnlib.widgets.question_bank.nb{notebook}"
    try:
        data = importlib.import_module(module).QUESTIONS
    except ModuleNotFoundError as error:
        if error.name != module:  # a mistake inside the module of questions, not a missing one
            raise
        raise ValueError(f"there are no questions for notebook {notebook!r}; write its number, like '01'") from None

    def ask(name):
        if name not in data:
            raise ValueError(f"there is no question {name!r}; there are {', '.join(map(repr, data))}")
        return Question(data[name])

    return ask
