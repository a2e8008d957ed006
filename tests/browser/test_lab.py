"""The course as a learner meets it: real JupyterLab, a real browser, keys and mouse.

Four chapters are opened and run, the first two, gradient descent and the last, and each explorer that they show is
tried. With NNLIB_LONG=1, which a scheduled workflow sets, all chapters are, new ones without a line here. A push need
not run them a second time: nbval runs all chapters, and test_accessibility.py tries all explorers.
"""

import os
import re
from pathlib import Path

import pytest

from browser import explorers_of

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
ALWAYS = "00", "01", "03", "16"
SLIDERS = ["learning rate", "momentum"]
EXPLORERS = [(path.stem, css_class) for path in NOTEBOOKS for _, css_class in explorers_of(path)]


def opened(stem, *others):
    """Parameters of a test that opens a notebook."""
    skipped = stem[:2] not in ALWAYS and not os.environ.get("NNLIB_LONG")
    return pytest.param(stem, *others, marks=pytest.mark.skipif(skipped, reason="set NNLIB_LONG=1 to open it"))


lessons = pytest.mark.parametrize("notebook", [opened(path.stem) for path in NOTEBOOKS], indirect=True)
explorers = pytest.mark.parametrize("notebook, css_class", [opened(*pair) for pair in EXPLORERS], indirect=["notebook"])
momentum = pytest.mark.parametrize("notebook", ["03_gradient_descent"], indirect=True)


@pytest.fixture
def momentum_explorer(notebook):
    return notebook.explorer("nnlib-momentum-explorer")


@lessons
def test_notebook_runs_without_errors_and_without_the_network(notebook):
    assert notebook.errors() == []
    assert notebook.outside_requests() == []


@explorers
def test_every_explorer_shows_a_picture_with_a_text_and_labeled_controls(notebook, css_class):
    explorer = notebook.explorer(css_class)
    assert len(explorer.alt) > 20
    assert explorer.image.evaluate("image => image.naturalWidth") > 200
    for handle in explorer.sliders():
        assert handle.locator("xpath=ancestor::*[contains(@class, 'widget-slider')]").inner_text().strip()


@explorers
def test_a_key_on_the_first_slider_of_every_explorer_changes_its_picture(notebook, css_class):
    explorer = notebook.explorer(css_class)
    if not explorer.sliders():
        pytest.skip(f"{css_class} has no slider")
    handle = explorer.sliders()[0]
    at_the_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
    with explorer.new_picture():
        handle.focus()
        notebook.page.keyboard.press("ArrowLeft" if at_the_end else "ArrowRight")


@momentum
@pytest.mark.parametrize("label", SLIDERS)
def test_a_key_on_a_slider_changes_picture_and_text(momentum_explorer, label):
    for key in ("ArrowRight", "ArrowLeft"):
        alt, readout = momentum_explorer.alt, momentum_explorer.readout(label)
        with momentum_explorer.new_picture():
            momentum_explorer.press(label, key)
        assert momentum_explorer.alt != alt
        assert momentum_explorer.readout(label) != readout


@momentum
@pytest.mark.parametrize("label", SLIDERS)
@pytest.mark.parametrize("pixels", [40, -70])
def test_dragging_a_slider_changes_picture_and_text(momentum_explorer, label, pixels):
    alt, readout = momentum_explorer.alt, float(momentum_explorer.readout(label))
    with momentum_explorer.new_picture():
        momentum_explorer.drag(label, pixels)
    assert momentum_explorer.alt != alt
    assert (float(momentum_explorer.readout(label)) > readout) == (pixels > 0)


@lessons
def test_a_question_is_answered_by_keyboard(notebook):
    other = notebook.page.get_by_role("button", name="show answer")  # a number or an ordering
    question = notebook.page.locator(".nnlib-question").filter(has_not=other).first
    question.scroll_into_view_if_needed()
    question.get_by_role("button").first.focus()
    notebook.page.keyboard.press("Enter")
    verdict = question.get_by_role("status")
    verdict.wait_for()
    assert re.match(r"[✓✗] \w", verdict.inner_text())
