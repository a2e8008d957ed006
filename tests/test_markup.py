"""Whatever a learner types, names or raises is shown as text: every place of nnlib that builds HTML, under attack.

ipywidgets' HTML and HTMLMath put their value into the page as it is, so that escaping here is all there is. `FED`
lists the modules that build HTML with what feeds them; a module that begins to build some is found by its source.
"""

import ast
import json
import re
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from support import Page

import nnlib
from nnlib import plots
from nnlib.datasets import load_digits
from nnlib.grading import pages, report
from nnlib.grading.examine import WRONG, Result, Verdict
from nnlib.grading.grader import Graded
from nnlib.grading.guard import Outcome
from nnlib.grading.reports import Batch
from nnlib.widgets import (
    AttentionExplorer,
    Choice,
    CourseMap,
    DrawDigit,
    GraphStepper,
    MomentumExplorer,
    Number,
    OptimizerRace,
    Ordering,
    Playground,
    Question,
    TrainingDashboard,
)

NNLIB = Path(nnlib.__file__).parent
EVIL = ("\"'>&lt;&<img src=x onerror=alert(1)></script></style></p><script>alert(2)</script>"
        "<a href='javascript:alert(3)'>")
SHORT = "<img src=x onerror=alert(1)>"  # where many names are drawn
MARKUP = re.compile(r"</?[a-z!][\w-]*[\s>/]|</?$")  # a tag, or the beginning of one that an f-string goes on with


# What is fed to whom

def momentum():
    def step(w, velocity, gradient, rate, momentum):
        raise type(EVIL, (ValueError,), {})(EVIL)
    step.__name__ = step.__qualname__ = EVIL
    return [MomentumExplorer(step=step)]


def race():
    def rule(w, gradient):
        raise ValueError(EVIL)
    return [OptimizerRace({EVIL: rule})]


def stepper():
    typed, valued = GraphStepper(), GraphStepper()
    typed.expression.value = f"x + {EVIL}"
    valued.values.value = f"x = {EVIL}, {EVIL} = 2"
    x = nnlib.Tensor(2.0, requires_grad=True)
    kind = type(EVIL, (), {"__init__": lambda self, data: setattr(self, "data", data)})
    return [typed, valued, GraphStepper(x * x, names={EVIL: x}), GraphStepper(value=kind)]


def attention():
    typed = AttentionExplorer()
    typed.text.value = EVIL
    few = AttentionExplorer()
    few.text.value = "<img/src=x/onerror=alert(1)> \"'>&lt; <script>alert(2)</script>"
    return [typed, few]


def playground():
    typed = Playground()
    typed.text.value = EVIL
    return [typed]


def network():
    return nnlib.Sequential(nnlib.Linear(64, 12), nnlib.ReLU(), nnlib.Linear(12, 10))


def digits():
    named = DrawDigit({SHORT: network()}, class_names=[f"{SHORT}{k}" for k in range(10)], drawing=4)
    return [named]


def dashboard():
    data = load_digits()
    held = data.X[100:150], data.t[100:150]
    shown = TrainingDashboard(2, validation=held, class_names=[f"{SHORT}{k}" for k in range(10)])
    model = network()
    nnlib.fit(model, (data.X[:100], data.t[:100]), held, optimizer=nnlib.SGD(model.parameters(), lr=0.1), epochs=2,
              batch_size=50, seed=0, progress=False, callbacks=[shown])
    return [shown]


def question():
    number = Question(Number("How?", 1.0, 0.1, "Yes."))
    texts = []
    for typed in (EVIL, r"$\href{javascript:alert(1)}{x}$", r"`$\href{javascript:alert(1)}{x}$`"):
        number.entry.value = typed
        texts.append(number._feedback.value)
        assert "$" not in re.sub(r"<code>.*?</code>", "", texts[-1])  # MathJax, which makes links, leaves code alone
    for data in (Choice(EVIL, {EVIL: EVIL, "b": EVIL}, "b"), Ordering(EVIL, (EVIL, "b", "c"), EVIL)):
        asked = Question(data)
        asked.answer(EVIL)
        texts.append(asked)
    return [number, *texts]


def course_map(tmp_path, monkeypatch):
    place = tmp_path / "progress.json"
    place.write_text(json.dumps({EVIL: {EVIL: 2}, "ex01_logistic_regression": {EVIL: 1, "sigmoid": 2}}))
    monkeypatch.setenv("NNLIB_PROGRESS", str(place))
    root = tmp_path / "a\"'&<img src=x onerror=alert(1)>"
    notebook = root / "notebooks" / "01_logistic_regression.ipynb"
    try:
        notebook.parent.mkdir(parents=True)
    except OSError:  # Windows knows no such names
        root = tmp_path / "a'&b"
        notebook = root / "notebooks" / notebook.name
        notebook.parent.mkdir(parents=True)
    notebook.write_text("{}")
    shown = CourseMap(root)
    shown.select("01")
    return [shown]


def table():
    kind = type(EVIL, (nnlib.Module,), {"forward": lambda self, x: x, "__repr__": lambda self: EVIL})
    return [nnlib.architecture.summary(nnlib.Sequential(kind(), nnlib.Linear(2, 3)), (2,))._repr_html_()]


def picture():
    figure, _ = plots.subplots()
    return [plots.base.Picture(plots.png(figure), EVIL)._repr_mimebundle_()["text/html"]]


def check_report():
    verdicts = [Verdict(EVIL, "value", EVIL, EVIL, EVIL, Outcome(printed=EVIL)), Verdict(EVIL, "value", EVIL, EVIL)]
    shown = [report.of_result(Result(EVIL, 0, 1, WRONG, verdicts, EVIL, EVIL, EVIL)), report.of_message(EVIL, EVIL),
             report.of_progress(EVIL, [(EVIL, 0, 1)], 0, 1, EVIL)]
    return [one.html for one in shown]


def class_pages():
    answer = dict.fromkeys(("question", "status", "case", "inputs", "problem", "diagnosis", "hint", "misconception",
                            "note"), EVIL) | {"points": 0, "possible": 1}
    graded = Graded(EVIL, EVIL, EVIL, 1, [answer], EVIL, [EVIL])
    return [text for _, text in pages.files(Batch((graded,), 1, (EVIL,), (EVIL,), (EVIL,)))]


FED = {  # module: what shows what it makes of hostile text; None: nothing of others gets there
    "widgets/base.py": (momentum, race, stepper, attention, playground, digits),
    "widgets/training_dashboard.py": (dashboard,), "widgets/question.py": (question,),
    "widgets/course_map.py": (course_map,), "architecture/table.py": (table,), "plots/base.py": (picture,),
    "grading/report.py": (check_report,), "grading/pages.py": (class_pages,),
}
FEEDERS = [feeder for feeders in FED.values() for feeder in feeders]


def texts_of(shown):
    """The HTML in a widget and all below it, live and stored; of a text, itself."""
    if isinstance(shown, str):
        yield shown
        return
    if isinstance(shown, (ipywidgets.HTML, ipywidgets.HTMLMath)):
        yield shown.value
    if isinstance(shown, ipywidgets.DOMWidget) and not isinstance(shown, ipywidgets.Layout):
        assert not getattr(shown, "description_allow_html", False)
        bundle = shown._repr_mimebundle_() if type(shown).__module__.startswith("nnlib") else {}
        yield (bundle[0] if isinstance(bundle, tuple) else bundle).get("text/html", "")  # anywidget adds metadata
    for child in getattr(shown, "children", ()):
        yield from texts_of(child)


@pytest.mark.parametrize("feeder", FEEDERS, ids=lambda feeder: feeder.__name__)
def test_hostile_text_is_shown_and_is_no_markup(feeder, request):
    names = feeder.__code__.co_varnames[:feeder.__code__.co_argcount]
    shown = feeder(*map(request.getfixturevalue, names))
    read = [Page(text) for one in shown for text in texts_of(one)]
    for page in read:
        for tag, attributes in page.tags:
            assert tag not in ("script", "iframe", "object", "embed", "svg", "math", "base", "link", "form")
            assert not [name for name in attributes if name.startswith("on") or name in ("srcdoc", "formaction")]
            assert tag != "img" or attributes["src"].startswith("data:image/png;base64,")
            assert tag != "a" or not attributes["href"].lower().strip().startswith(("javascript", "data", "vbscript"))
            assert "javascript:" not in attributes.get("style", "")
    alts = [attributes.get("alt") or "" for page in read for tag, attributes in page.tags if tag == "img"]
    said = " ".join([*(page.text for page in read), *alts])
    assert "onerror" in said or feeder in (course_map, playground)  # it did get there, as text


# New places

def markup_of(path):
    """(line, f-string or text) of a module's texts that hold tags, but for its docstrings."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source if re.search("</?[a-z!{]", source) else "pass")  # the others need not be taken apart
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    skipped = {node.body[0].value for node in ast.walk(tree) if isinstance(node, documented)
               and isinstance(node.body[0], ast.Expr)}
    skipped |= {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node] if node not in skipped else []
        if any(isinstance(part, ast.Constant) and isinstance(part.value, str) and MARKUP.search(part.value)
               for part in parts):
            yield node


NO_MARKUP = {  # modules with a "<" that is no tag
    "grading/examine.py", "grading/guard.py", "grading/mutation.py", "grading/reports.py", "grading/wire.py",
    "grading/worker.py", "plots/graph_drawing.py"}


def test_every_module_that_builds_html_is_attacked_here():
    found = {path.relative_to(NNLIB).as_posix() for path in NNLIB.rglob("*.py") if any(markup_of(path))}
    assert found - NO_MARKUP == set(FED), "new HTML? Escape what comes from outside, and add a feeder to FED"


OURS = {  # ends of attributes and keys that stand in markup unescaped: numbers, and words of ours
    "points", "possible", "median", "mean", "page", "status"}


def test_what_is_looked_up_is_escaped_before_it_stands_in_markup():
    found = []
    for name in FED:
        for node in markup_of(NNLIB / name):
            for part in getattr(node, "values", []):
                value = getattr(part, "value", None)
                last = (value.attr if isinstance(value, ast.Attribute) else getattr(value.slice, "value", "")
                        if isinstance(value, ast.Subscript) else None)
                if isinstance(part, ast.FormattedValue) and last is not None and last not in OURS:
                    if ast.unparse(value) not in ("EDGE[status]", "row[0]"):  # a color of ours; HTML by now
                        found.append(f"{name}:{node.lineno}: {ast.unparse(value)}")
    assert not found, "text in markup without html.escape"


def test_scripts_of_ours_build_no_markup_from_text():
    scripts = list(NNLIB.rglob("*.js"))
    assert scripts
    for path in scripts:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\b|new Function|"
                             r"setTimeout\([\"'`]|createContextualFragment|DOMParser", source), path.name
        assert not re.search(r"https?:|import\(|fetch\(|XMLHttpRequest|localStorage", source), path.name


def test_notebooks_hold_no_scripts_and_no_commands():
    paths = [*NNLIB.parent.glob("notebooks/*.ipynb"), *NNLIB.parent.glob("solutions/*/*.ipynb")]
    assert len(paths) > 30
    for path in paths:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source, data = "".join(cell["source"]), [one.get("data", {}) for one in cell.get("outputs", [])]
            kept = [source] if cell["cell_type"] == "markdown" else ["".join(one.get("text/html", "")) for one in data]
            commands = r"^\s*[!%]|(?<![\w.])(eval|exec)\(|\bpickle\b|\bsubprocess\b|\bos\.system\b|shell="
            assert cell["cell_type"] != "code" or not re.search(commands, source, re.M), f"{path.name}: {source[:80]}"
            assert not [one for one in data if "application/javascript" in one], path.name
            for text in kept:
                assert not re.search(r"<(script|iframe|object|embed)\b|javascript:|<[^>]*\son\w+\s*=", text), path.name


def test_pages_of_the_grader_forbid_scripts_forms_and_bases():
    for text in class_pages():
        policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', text)[1]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules == {"default-src": "'none'", "img-src": "data:", "style-src": "'unsafe-inline'",
                         "base-uri": "'none'", "form-action": "'none'"}
        assert text.index("Content-Security-Policy") < text.index("<title>")  # it holds for what comes after it


def test_the_reader_of_pages_would_notice():
    hostile = Page(f"<p>{EVIL}</p>".replace("</script></style></p>", "").replace("<p>", "").replace("</p>", "")
                   .replace("<a href='javascript:alert(3)'>", ""))
    assert {"img", "script"} <= {tag for tag, _ in hostile.tags}
    assert np.array([("onerror", "alert(1)") in attributes.items() for _, attributes in hostile.tags]).any()
