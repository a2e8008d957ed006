"""The course without a mouse and without sight: every explorer by keyboard, all that we show judged by axe-core.

One notebook shows every explorer of nnlib.widgets, each kind of question, a picture and a check, so that a new
explorer is tested without a line here. axe judges the outputs of cells alone: what is around them is JupyterLab's.
"""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from legible import poor
from support import Page

from nnlib import widgets

ROOT = Path(__file__).resolve().parents[2]
EXPLORERS = sorted(widgets._EXPLORERS)
CELLS = [
    """from nnlib import plots, widgets
from nnlib.grading import ExerciseSet
from nnlib.widgets import Choice, Number, Ordering, Question
fig, ax = plots.subplots(width=3, height=2)
ax.plot([0, 1], [1, 0])
plots.show(fig, "A straight line falls from 1 at the left to 0 at the right.")
check = ExerciseSet("ex01_logistic_regression")""",
    "def sigmoid(z):\n    return z\ncheck(sigmoid)",
    "check.progress()",
    'Question(Choice("Which?", {"this": "Yes.", "that": "No."}, "this"))',
    'Question(Number("How many?", 3, 0, "Three."))',
    'Question(Ordering("In which order?", ("first", "second", "third"), "So."))',
    *(f"shown = widgets.{name}()\nshown" for name in EXPLORERS if name != "OptimizerRace"),
    "race = widgets.OptimizerRace()\nrace", "race.player.calm"]
RULES = {"resultTypes": ["violations"]}
OURS = {"include": [[".jp-OutputArea-output"]]}
NARROW = 2  # pixels of the outline of what has the focus, the least

CONTROLS = """root => {
    const all = 'button, input, a[href], [tabindex], [contenteditable=true]';
    window.nnlibFind = () => [...root.querySelectorAll(all)].filter(
        element => element.checkVisibility() && !element.disabled &&
                   (element.tabIndex >= 0 || element.isContentEditable));
    window.nnlibControls = window.nnlibFind();
    window.nnlibFocused = [];
    window.nnlibClicks = 0;
    window.nnlibRoot = root;
    root.addEventListener('focusin', event => {
        if (window.nnlibRoot !== root) return; // another explorer is tried by now
        const {outlineStyle, outlineWidth} = getComputedStyle(event.target);
        const number = window.nnlibControls.indexOf(event.target);
        const {scrollWidth, clientWidth, scrollHeight, clientHeight} = event.target;
        if (number < 0 && (scrollWidth > clientWidth || scrollHeight > clientHeight)) return; // to scroll it by keys
        window.nnlibFocused.push([number < 0 ? event.target.outerHTML.slice(0, 200) : number,
                                  outlineStyle === 'none' ? 0 : parseFloat(outlineWidth)]);
    });
    root.addEventListener('click', event => { // counted here, and kept from whoever would compute for it
        if (!event.target.closest('button, a')) return;
        window.nnlibClicks += 1;
        event.stopPropagation();
        event.preventDefault();
    }, {capture: true});
    return window.nnlibControls.map(element => {
        const {left, right, top, bottom} = element.getBoundingClientRect();
        const name = element.getAttribute('aria-label') || element.innerText || element.title || element.type;
        const kind = element.closest('[disabled]') ? 'disabled'
            : element.getAttribute('role') === 'slider' ? 'slider' : element.matches('button') ? 'button'
            : element.matches('a') ? 'link' : element.type === 'checkbox' ? 'checkbox'
            : element.matches('canvas') ? 'pad' : 'text';
        return {name, kind, left, right, top, bottom};
    });
}"""
STATE = """number => {
    const element = window.nnlibFind()[number]; // a slider whose range changes is made anew
    return [element.getAttribute('aria-valuetext'), element.checked, element.value, window.nnlibClicks,
            element.isContentEditable && element.textContent].join(' ');
}"""
LAST_CELL = """async () => {
    await new Promise(requestAnimationFrame); // what follows from the new setting is on its way
    await new Promise(requestAnimationFrame);
    const { content } = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = content.widgets.length - 1;
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
ALL_BACK = "count => window.nnlibFind().length === count"  # a window that fits once disables where it stands
KEYS = {"slider": ("ArrowRight", "ArrowLeft"), "button": ("Enter", "Space"), "checkbox": ("Space", "Space"),
        "link": ("Enter",), "text": ("7", "Backspace")}


@pytest.fixture(scope="module")
def notebook(lab):
    """The notebook of all explorers, run."""
    with lab.open(lab.add("every_explorer.ipynb", *CELLS)) as opened:
        opened.run_all()
        yield opened


@pytest.fixture(scope="module")
def page(lab, notebook):
    """An empty page beside the notebook's."""
    opened = notebook.page.context.new_page()
    yield opened
    opened.close()


def violations(page, context=None):
    """What axe-core finds on a page that is serious or critical: one sentence for each element."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("([context, options]) => axe.run(context || document, options)", [context, RULES])
    return [f"{rule['id']}: {rule['help']}: {node['html'][:200]}" for rule in found["violations"]
            if rule["impact"] in ("serious", "critical") for node in rule["nodes"]]


def works_on(page, number, key):
    """Whether a key changes a control within a second; tried twice, for an answer of the kernel may draw it anew."""
    for _ in range(2):
        page.evaluate("number => window.nnlibFind()[number].focus()", number)
        before = page.evaluate(STATE, number)
        page.keyboard.press(key)
        for _ in range(20):
            if page.evaluate(STATE, number) != before:
                return True
            page.wait_for_timeout(50)
    return False


def css_class(name):
    return f"nnlib-{re.sub(r'(?<!^)(?=[A-Z])', '-', name).lower()}"


def test_all_are_shown_without_an_error(notebook):
    assert notebook.errors() == []


@pytest.mark.parametrize("name", EXPLORERS)
def test_an_explorer_is_used_by_keyboard_alone(notebook, name):
    """Tab visits every control in the order of the page, shows where it is and gets out; keys work each of them."""
    place, keyboard = notebook.explorer(css_class(name)).place, notebook.page.keyboard
    controls = place.evaluate(CONTROLS)
    for one, following in zip(controls, controls[1:]):
        assert following["top"] >= one["bottom"] - 2 or following["left"] >= one["right"] - 2, "below or to the right"
    notebook.page.evaluate("() => window.nnlibControls[0].focus({focusVisible: true})")
    inside = "root => root.contains(document.activeElement)"
    for _ in range(len(controls) + 4):  # a picture that is wider than the page is a stop of its own
        keyboard.press("Tab")
        if not place.evaluate(inside):
            break
    else:
        raise AssertionError("Tab does not leave the last control")
    focused = notebook.page.evaluate("() => window.nnlibFocused")
    assert [number for number, _ in focused] == list(range(len(controls)))
    assert {controls[number]["name"]: width for number, width in focused if width < NARROW} == {}
    notebook.page.evaluate("() => window.nnlibControls[0].focus()")
    keyboard.press("Shift+Tab")
    assert not place.evaluate(inside), "Shift+Tab leaves the first control"
    for number, control in enumerate(controls):
        if control["kind"] in ("disabled", "pad"):  # DrawDigit's pad has tests of its own
            continue
        notebook.page.wait_for_function(ALL_BACK, arg=len(controls))
        works = [works_on(notebook.page, number, key) for key in KEYS[control["kind"]]]
        assert any(works) if control["kind"] == "slider" else all(works), f"keys on {control['name']!r}"


def test_sliders_have_names_and_a_reader_who_asked_for_less_motion_gets_it(notebook):
    handles = notebook.page.locator(".nnlib-explorer [role=slider]")
    assert handles.count() > 50
    names = handles.evaluate_all("all => all.map(handle => handle.getAttribute('aria-label'))")
    assert all(names) and "learning rate" in names
    texts = handles.evaluate_all("""all => all.map(handle => [handle.getAttribute('aria-valuetext'),
        handle.closest('.widget-slider').querySelector('.widget-readout').textContent])""")
    assert all(heard == read for heard, read in texts)
    notebook.page.emulate_media(reduced_motion="reduce")
    notebook.page.evaluate(LAST_CELL)
    notebook.wait_idle()
    assert notebook.cells()[-1]["outputs"][0]["data"]["text/plain"] == "True"
    notebook.page.emulate_media(reduced_motion="no-preference")


def test_axe_finds_nothing_serious_in_the_outputs_of_jupyterlab(notebook):
    assert violations(notebook.page, OURS) == []


def test_axe_finds_nothing_serious_in_what_notebooks_show_without_a_kernel(page):
    outputs = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            outputs += [output.data["text/html"] for output in cell.get("outputs", []) if "text/html" in
                        output.get("data", {})]
    shown = re.sub(r"base64,[^\"]*", "base64,", "\n".join(outputs))
    assert len(outputs) > 200
    page.set_content(f'<!DOCTYPE html><html lang="en"><title>outputs</title><main>{shown}</main></html>')
    assert violations(page, {"include": [["main"]]}) == []


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The pages of a graded class of two: a learner who has not begun, and one who solved all."""
    folder = tmp_path_factory.mktemp("class")
    for learner, source in (("ada", "solutions"), ("bob", "exercises")):
        place = folder / "submissions" / learner
        place.mkdir(parents=True)
        name = "ex01_logistic_regression"
        (place / f"{name}.ipynb").write_bytes((ROOT / source / name / f"{name}.ipynb").read_bytes())
    subprocess.run([sys.executable, "-m", "nnlib.grading", folder / "submissions", "--report", folder / "out",
                    "--seed", "1"], check=True, capture_output=True, timeout=120, cwd=ROOT)
    pages = sorted((folder / "out").rglob("*.html"))
    assert len(pages) == 3
    return pages


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_grader_s_pages(page, report, scheme):
    page.emulate_media(color_scheme=scheme)
    for path in report:
        page.goto(path.as_uri())
        assert violations(page) == []
        for image in Page(path.read_text(encoding="utf-8")).all("img"):
            assert poor(image["alt"]) == []


def test_axe_does_find_what_is_wrong(page):
    page.set_content('<!DOCTYPE html><html lang="en"><title>bad</title><main><img src="a.png"><button></button>'
                     '<p style="color:#E69F00">pale</p></main></html>')
    assert {fault.partition(":")[0] for fault in violations(page)} == {"image-alt", "button-name", "color-contrast"}
