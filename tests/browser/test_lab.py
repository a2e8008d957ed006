"""The course as a learner meets it: real JupyterLab, a real browser, keys and mouse."""

import re

import pytest

SLIDERS = ["learning rate", "momentum"]


@pytest.fixture
def momentum_explorer(notebook_03):
    return notebook_03.explorer("nnlib-momentum-explorer")


@pytest.mark.parametrize("name", ["notebook_01", "notebook_03"])
def test_notebook_runs_without_errors_and_without_the_network(name, request):
    notebook = request.getfixturevalue(name)
    assert notebook.errors() == []
    assert notebook.outside_requests() == []


@pytest.mark.parametrize("label", SLIDERS)
@pytest.mark.parametrize("key", ["ArrowRight", "ArrowLeft"])
def test_a_key_on_a_slider_changes_picture_and_text(momentum_explorer, label, key):
    alt, readout = momentum_explorer.alt, momentum_explorer.readout(label)
    with momentum_explorer.new_picture():
        momentum_explorer.press(label, key)
    assert momentum_explorer.alt != alt
    assert momentum_explorer.readout(label) != readout


@pytest.mark.parametrize("label", SLIDERS)
@pytest.mark.parametrize("pixels", [40, -70])
def test_dragging_a_slider_changes_picture_and_text(momentum_explorer, label, pixels):
    alt, readout = momentum_explorer.alt, float(momentum_explorer.readout(label))
    with momentum_explorer.new_picture():
        momentum_explorer.drag(label, pixels)
    assert momentum_explorer.alt != alt
    assert (float(momentum_explorer.readout(label)) > readout) == (pixels > 0)


@pytest.mark.parametrize("name, css_class", [
    ("notebook_01", "nnlib-logistic-regression-explorer"), ("notebook_03", "nnlib-learning-rate-explorer"),
    ("notebook_03", "nnlib-batch-size-explorer"), ("notebook_03", "nnlib-momentum-explorer")])
def test_every_explorer_shows_a_picture_with_a_text_and_labeled_controls(name, css_class, request):
    explorer = request.getfixturevalue(name).explorer(css_class)
    assert len(explorer.alt) > 20
    assert explorer.image.evaluate("image => image.naturalWidth") > 200
    for handle in explorer.place.get_by_role("slider").all():
        assert handle.locator("xpath=ancestor::*[contains(@class, 'widget-slider')]").inner_text().strip()


@pytest.mark.parametrize("name", ["notebook_01", "notebook_03"])
def test_a_question_is_answered_by_keyboard(name, request):
    notebook = request.getfixturevalue(name)
    other = notebook.page.get_by_role("button", name="show answer")  # a number or an ordering
    question = notebook.page.locator(".nnlib-question").filter(has_not=other).first
    question.scroll_into_view_if_needed()
    question.get_by_role("button").first.focus()
    notebook.page.keyboard.press("Enter")
    verdict = question.get_by_role("status")
    verdict.wait_for()
    assert re.match(r"[✓✗] \w", verdict.inner_text())
