"""What a learner reads: one Report as text and as HTML, in words first, so that color is never needed.

The HTML takes its text color from the page, light or dark; the colors of the bar at its left are told apart from both
backgrounds (3:1 at least) and only repeat what the words say.
"""

import html
import re
import sys
from dataclasses import dataclass

from nnlib.grading.examine import NOT_ATTEMPTED, PARTLY, RIGHT, WRONG

EDGE = {RIGHT: "#009E73", PARTLY: "#B37A00", WRONG: "#D55E00", NOT_ATTEMPTED: "#8c8c8c"}
BOX = ("border-left: 0.3em solid {}; padding: 0.2em 1em; margin: 0.3em 0; color: inherit; background: transparent; "
       "overflow-wrap: anywhere")


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
    """The Report of one answer: the first failing case in full; the others, in HTML, behind their titles."""
    points = f"{result.points} / {result.possible} points" if result.possible else "warm-up"
    lines, items, explained = [], [], False
    for verdict in result.verdicts:
        word = "failed" if verdict.failure else "passed"
        line, item = f"  {word}  {verdict.title}", f"<strong>{word}</strong>: {_rich(verdict.title)}"
        told = _explain(verdict) if verdict.failure else ""
        if told and not explained:
            line, item, explained = f"{line}: {told}", f"{item}<br>{_rich(told)}", True
        elif told:
            item = f"<details><summary>{item}</summary>{_rich(told)}</details>"
        lines.append(line)
        items.append(f"<li>{item}</li>")
    said = [("", result.note)] * bool(result.note) + [("Hint: ", result.hint)] * bool(result.hint)
    text = [f"{result.question}   {points}: {result.status}", *lines, *(label + each for label, each in said)]
    body = [f"<p><code>{html.escape(result.question)}</code> <strong>{points}</strong>: {result.status}</p>",
            f"<ul>{''.join(items)}</ul>" if items else "",
            *(f"<p>{label and f'<strong>{label}</strong>'}{_rich(each)}</p>" for label, each in said)]
    return _boxed(text, body, f"Check of {result.question}", result.status)


def of_message(title, sentence):
    """The Report of something that could not be checked."""
    body = [f"<p><strong>{html.escape(title)}</strong> {_rich(sentence)}</p>"]
    return _boxed([f"{title}   {sentence}"], body, title)


def of_progress(name, rows, earned, possible, note=""):
    """The Report of a set's points; rows: (question, best points, points possible)."""
    width = max((len(question) for question, _, _ in rows), default=0)
    total = f"{earned:g} / {possible:g} points"
    rows = [(question, f"{points:g} / {of:g}" if of else "warm-up") for question, points, of in rows]
    text = [f"{name}   {total}", *(f"  {question:<{width}}  {points}" for question, points in rows),
            *[note] * bool(note)]
    cells = "".join(f'<tr><th scope="row" style="text-align: left"><code>{html.escape(question)}</code></th>'
                    f"<td>{points}</td></tr>" for question, points in rows)
    title = f"{html.escape(name)}: <strong>{total}</strong>"
    body = [f'<table><caption style="white-space: nowrap">{title}</caption><thead><tr>'
            '<th scope="col" style="text-align: left">question</th><th scope="col">points</th></tr></thead>',
            f"<tbody>{cells}</tbody></table>", *[f"<p>{_rich(note)}</p>"] * bool(note)]
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


def _boxed(text, body, label, status=WRONG):
    """A Report in a box named `label`; what no page can show (control signs, halves of a surrogate) becomes '?'."""
    opening = f'<section role="group" aria-label="{html.escape(label)}" style="{BOX.format(EDGE[status])}">'
    return Report(*("".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in whole)
                    for whole in ("\n".join(text), f"{opening}{''.join(body)}</section>")))
