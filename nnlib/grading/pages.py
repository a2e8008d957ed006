"""The reports of a batch as web pages: one for the class, one for each learner.

Each page stands alone: style and pictures are inside, there is no script, and a policy in its head forbids any. All
that learners wrote is escaped and cut. Words say what colors repeat; pages follow the reader's light or dark theme. A
learner's page names no other learner, so that it can be handed back.
"""

import html
import re
from base64 import b64encode

from nnlib.grading.report import EDGE
from nnlib.grading.reports import clean, hardest

__all__ = ["files", "index", "learner_page"]
STYLE = """
:root { color-scheme: light dark;
  --ink: #1f2328; --soft: #57606a; --back: #fff; --box: #f3f5f7; --line: #d0d7de; --link: #0b57a4 }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6e6e6; --soft: #a8b0b9; --back: #16191d; --box: #22272e; --line: #444c56; --link: #7db8f5 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 62rem; color: var(--ink); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
a { color: var(--link) }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.skip { position: absolute; left: -99rem } .skip:focus { position: static } nav { padding-top: .6rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.5rem 0 .5rem } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem }
h3 { font-size: 1.05rem; margin: 1.2rem 0 .3rem } p, ul, dl { margin: .4rem 0 } .soft { color: var(--soft) }
.wide { overflow-x: auto } table { border-collapse: collapse; overflow-wrap: break-word }
caption { text-align: left; color: var(--soft) }
th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } tbody th { font-weight: normal }
thead .number { white-space: normal } tbody th a { overflow-wrap: anywhere }
th:first-child { min-width: 9rem } td:last-child { min-width: 7rem } td.number:last-child { min-width: 4rem }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem }
.pictures img { width: 29.5rem; max-width: 100%; height: auto; border-radius: 4px }
.answer { border-left: .3rem solid var(--line); background: var(--box); padding: .1rem 1rem .5rem; margin: .8rem 0 }
dt { font-weight: 600 } dd { margin: 0 0 .4rem } code { font-family: ui-monospace, monospace; font-size: .95em }
@media (min-width: 45rem) { dl { display: grid; grid-template-columns: 10rem 1fr; gap: .1rem 1rem } dd { margin: 0 } }
@media print { .skip, nav { display: none } body { max-width: none; font-size: 10pt }
  a { color: inherit; text-decoration: none }
  .answer, tr, img { break-inside: avoid } .wide { overflow: visible } h2, h3 { break-after: avoid } }
"""


def files(batch):
    """Yield (file name, text): index.html and learners/<page>.html."""
    yield "index.html", index(batch)
    for learner in batch.learners:
        yield f"learners/{learner.page}.html", learner_page(batch, learner)


# The class

def index(batch):
    """The page of the class."""
    graded = [f"<p>{_rich(said)}</p>" for said in [batch.heading + ".", *batch.notes]]
    body = [*graded, *_remarks(batch), *(part for one in batch.sets for part in _set(one)), _grades(batch)]
    said = [*_listed("Protections that this system lacks", batch.missing),
            *_listed("Protections that held learners' code", batch.active)]
    return _page("Points of the class", "", [*body, *said])


def _remarks(batch):
    named = [(learner, said) for learner in batch.learners for said in learner.remarks]
    if not named:
        return []
    items = "".join(f"<li>{_link(learner, 'learners/')}: {_rich(said)}</li>" for learner, said in named)
    return [f"<h2>Problems</h2><ul>{items}</ul>"]


def _grades(batch):
    head = ["learner", *(one.name for one in batch.sets), f"total of {batch.possible}"]
    rows = []
    for learner in batch.learners:
        points = [learner.counted.get(one.name) for one in batch.sets]
        rows.append([_link(learner, "learners/"), *(f"{one.points} / {one.possible}" if one else "-" for one in points),
                     learner.points])
    return "<h2>Learners</h2>" + _table(head, rows, "Points; - where nothing could be graded")


def _set(one):
    count, missed = len(one.graded), one.misconceptions
    yield (f"<h2>{_rich(one.name)}</h2><p>{count} {'notebook' if count == 1 else 'notebooks'}; mean {one.mean:.2f}, "
           f"median {one.median}, of {one.possible} points.</p>")
    yield f'<div class="pictures">{_distribution(one)}{_shares(one)}</div>'
    rows = [[_code(row["question"]), "warm-up" if row["share"] is None and not row["possible"] else
             "-" if row["share"] is None else f"{row['share']:.0%}", f"{row['right']} of {row['graded']}"]
            for row in hardest(one)]
    yield _table(["question", "mean share of points", "right"], rows, f"Questions of {one.name}, the hardest first")
    rows = [[_code(question), _rich(name), count, _rich(hint)] for count, question, name, hint in missed]
    head = ["question", "misconception", "learners", "hint"]
    yield "<h3>Most common misconceptions</h3>" + (_table(head, rows, f"Misconceptions in {one.name}") if rows else
                                                   "<p>No answer matched a known misconception.</p>")


def _distribution(one):
    """How many learners have how many points, as a picture."""
    from matplotlib.ticker import MaxNLocator

    from nnlib.plots import NEGATIVE
    possible = max(one.possible, 1)
    width = 1 if possible <= 20 else possible / 20
    bars = [0] * (int(possible / width + 1e-9) + 1)
    for points in one.points:
        bars[min(int(points / width + 1e-9), len(bars) - 1)] += 1
    figure, axes = _axes(f"Points in {one.name}", 3.2)
    axes.bar([width * index for index in range(len(bars))], bars, 0.85 * width, color=NEGATIVE)
    exact = width == 1 and all(points == int(points) for points in one.points)
    axes.set(xlabel="points" if exact else "points, rounded down to the bar", ylabel="learners")
    axes.set_xlim(-0.7 * width, width * len(bars) - 0.3 * width)
    for axis in axes.xaxis, axes.yaxis:
        axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    full, none = sum(points >= one.possible for points in one.points), sum(points == 0 for points in one.points)
    return _image(figure, f"Bar chart of points in {one.name}. Of {len(one.points)} learners {full} have all "
                          f"{one.possible} points and {none} have none; half have {one.median} or more, the mean is "
                          f"{one.mean:.2f}.")


def _shares(one):
    """The mean share of points of each question, the hardest first, as a picture."""
    from nnlib.plots import POSITIVE
    rows = [row for row in hardest(one) if row["share"] is not None]
    if not rows:
        return ""
    figure, axes = _axes("Questions, the hardest first", max(3.2, 0.9 + 0.27 * len(rows)))
    axes.barh(range(len(rows)), [row["share"] for row in rows], 0.7, color=POSITIVE)
    axes.set(xlim=(0, 1), xlabel="mean share of points", xticks=[0, 0.25, 0.5, 0.75, 1],
             xticklabels=["0%", "25%", "50%", "75%", "100%"])
    axes.set_yticks(range(len(rows)), [clean(row["question"], 24) for row in rows])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    told = ", ".join(f"{clean(row['question'], 40)} {row['share']:.0%}" for row in rows[:3])
    return _image(figure, f"Bar chart of the mean share of points for each question of {one.name}. The hardest: {told};"
                          f" the easiest: {clean(rows[-1]['question'], 40)} {rows[-1]['share']:.0%}.")


def _axes(title, height):
    from nnlib.plots import subplots
    figure, axes = subplots(width=4.8, height=height)
    figure.set_dpi(200)  # sharp on any screen, at half its size
    axes.set_title(title)
    return figure, axes


def _image(figure, alt):
    from nnlib.plots import png
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{b64encode(png(figure)).decode()}">'


# A learner

def learner_page(batch, learner):
    """The page of one Learner."""
    body = [f"<p>{learner.points} of {batch.possible} points in all.</p>"]
    for one in learner.notebooks:
        body += _notebook(one, learner)
    body.append(f'<p class="soft">{_rich(batch.heading)}.</p>')
    return _page(learner.name, '<nav><a href="../index.html">The class</a></nav>', body)


def _notebook(one, learner):
    chosen = learner.counted.get(one.set, one)
    yield f"<h2>{_rich(one.set or 'Not graded')}</h2><p><bdi>{_escape(one.notebook, 300)}</bdi></p>"
    if chosen is not one:
        yield f"<p><strong>Does not count</strong>: <bdi>{_escape(chosen.notebook, 300)}</bdi> does.</p>"
    yield from (f"<p><strong>Problem</strong>: {_rich(said)}</p>" for said in [one.problem] if said)
    yield from _listed("Notes", one.notes, "h3")
    if one.questions:
        rows = [[_code(answer["question"]), f"{answer['points']} / {answer['possible']}" if answer["possible"] else
                 "warm-up", _rich(answer["status"])] for answer in one.questions]
        yield _table(["question", f"{one.points} / {one.possible} points", "status"], rows, f"Points in {one.set}")
        yield from (_answer(answer) for answer in one.questions if any(answer.get(name) for name, _ in TOLD))


TOLD = (("case", "First failing case"), ("inputs", "Input"), ("problem", "What happened"),
        ("diagnosis", "What it suggests"), ("misconception", "Misconception"), ("hint", "Hint"), ("note", "Note"))


def _answer(answer):
    told = "".join(f"<dt>{label}</dt><dd>{_rich(answer[name])}</dd>" for name, label in TOLD if answer.get(name))
    edge = EDGE.get(answer["status"], "#D55E00")
    head = f"{_code(answer['question'])}: {answer['points']} / {answer['possible']} points, {_rich(answer['status'])}"
    return f'<section class="answer" style="border-color: {edge}"><h3>{head}</h3><dl>{told}</dl></section>'


# Pieces

def _page(title, above, body):
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    title = _escape(title, 80) or "(no name)"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
{above}
<main id="main">
<h1><bdi>{title}</bdi></h1>
""" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"


def _table(head, rows, caption):
    """A table of rows of HTML; the first column names the row; numbers, and cells such as 1 / 2, stand right."""
    def side(index):
        numbers = all(re.fullmatch(r"-|warm-up|[\d.]+%?( (/|of) [\d.]+)?", str(row[index])) for row in rows)
        return ' class="number"' if numbers and rows else ""
    sides = [side(index) for index in range(len(head))]
    head = [_escape(name).replace("_", "_<wbr>") for name in head]
    top = "".join(f'<th scope="col"{where}>{name}</th>' for name, where in zip(head, sides, strict=True))
    body = "".join("<tr>" + f'<th scope="row">{row[0]}</th>' + "".join(
        f"<td{where}>{cell}</td>" for cell, where in zip(row[1:], sides[1:], strict=True)) + "</tr>\n" for row in rows)
    return (f'<div class="wide" role="region" aria-label="{_escape(caption)}" tabindex="0"><table>'
            f"<caption>{_escape(caption)}</caption><thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table></div>")


def _listed(title, sentences, level="h2"):
    items = "".join(f"<li>{_rich(said)}</li>" for said in sentences)
    return [f"<{level}>{title}</{level}><ul>{items}</ul>"] if items else []


def _link(learner, folder=""):
    return f'<a href="{folder}{learner.page}.html"><bdi>{_escape(learner.name, 60) or "(no name)"}</bdi></a>'


def _escape(said, most=2000):
    return html.escape(clean(said, most))


def _rich(said):
    """Text as HTML: all of it escaped, `code` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _escape(said))


def _code(name):
    return f"<code>{_escape(name)}</code>"
