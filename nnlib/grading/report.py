"""What a learner reads: one Report as text and as HTML, in words first, so that color is never needed."""

import html
import re
import sys
from dataclasses import dataclass

from nnlib.grading.examine import NOT_ATTEMPTED, PARTLY, RIGHT

EDGE = {RIGHT: "#009E73", PARTLY: "#E69F00", NOT_ATTEMPTED: "#8c8c8c"}  # left bar; else vermilion
BOX = "border-left: 0.3em solid {}; padding: 0.2em 1em; margin: 0.3em 0; color: inherit; overflow-x: auto"


@dataclass(frozen=True)
class Report:
    """Text for a terminal and HTML for a notebook, which shows the same words in either of its themes."""

    text: str
    html: str

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.text, "text/html": self.html}

    def show(self):
        """Display in a notebook, print elsewhere."""
        ipython = sys.modules.get("IPython")
        if ipython and ipython.get_ipython() is not None:
            from IPython.display import display
            display(self)
        else:
            print(self.text)


def of_result(result):
    """The Report of one answer."""
    points = f"{result.points} / {result.possible} points" if result.possible else "warm-up"
    lines, items, explained = [], [], False
    for verdict in result.verdicts:
        word, told = ("failed" if verdict.failure else "passed"), ""
        if verdict.failure and not explained:
            told, explained = _explain(verdict), True
        lines.append(f"  {word}  {verdict.title}" + (f": {told}" if told else ""))
        shown = f"<br>{_rich(told)}" if told else ""
        items.append(f"<li><strong>{word}</strong>: {_rich(verdict.title)}{shown}</li>")
    said = [("", result.note)] * bool(result.note) + [("Hint: ", result.hint)] * bool(result.hint)
    text = [f"{result.question}   {points}: {result.status}", *lines, *(label + each for label, each in said)]
    body = [f"<p><code>{html.escape(result.question)}</code> <strong>{points}</strong>: {result.status}</p>",
            f"<ul>{''.join(items)}</ul>" if items else "",
            *(f"<p><strong>{label}</strong>{_rich(each)}</p>" for label, each in said)]
    return _boxed(text, body, f"Check of {result.question}", result.status)


def of_message(title, sentence):
    """The Report of something that could not be checked."""
    body = [f"<p><strong>{html.escape(title)}</strong> {_rich(sentence)}</p>"]
    return _boxed([f"{title}   {sentence}"], body, title)


def of_progress(name, rows, earned, possible):
    """The Report of a set's points; rows: (question, best points, points possible)."""
    width = max(len(question) for question, _, _ in rows)
    total = f"{earned:g} / {possible:g} points"
    rows = [(question, f"{points:g} / {of:g}" if of else "warm-up") for question, points, of in rows]
    text = [f"{name}   {total}", *(f"  {question:<{width}}  {points}" for question, points in rows)]
    cells = "".join(f'<tr><th scope="row" style="text-align: left"><code>{html.escape(question)}</code></th>'
                    f"<td>{points}</td></tr>" for question, points in rows)
    body = [f"<table><caption>{html.escape(name)}: <strong>{total}</strong></caption><thead><tr>"
            '<th scope="col">question</th><th scope="col">points</th></tr></thead>',
            f"<tbody>{cells}</tbody></table>"]
    return _boxed(text, body, f"Points of {name}", RIGHT if earned == possible else PARTLY)


def _explain(verdict):
    told = f"for {verdict.inputs}, {verdict.problem}" if verdict.inputs else verdict.problem
    told = " ".join(_sentence(part) for part in (told, verdict.diagnosis) if part)
    printed = " ".join(verdict.outcome.printed.split())
    if printed:
        told += f" (It printed: {printed[:60]}{'...' if len(printed) > 60 else ''})"
    return told


def _sentence(text):
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _rich(text):
    """Text as HTML: all of it escaped, `code` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _boxed(text, body, label, status=""):
    opening = f'<section aria-label="{html.escape(label)}" style="{BOX.format(EDGE.get(status, "#D55E00"))}">'
    return Report("\n".join(text), f"{opening}{''.join(body)}</section>")
