"""TrainingDashboard in a real JupyterLab: the picture moves while the cell runs, and both ways to stop it do."""

import re
import time

import pytest

SETUP = """import time
from nnlib import *
from nnlib.datasets import load_digits
from nnlib.widgets import TrainingDashboard
train, test = load_digits().split()
held = test.images, test.t
def run(epochs, dashboard, pause=0.0):
    cnn = Sequential(Conv2d(1, 8, 3, padding=1, rng=0), ReLU(), MaxPool2d(2), Flatten(), Linear(128, 10, rng=1))
    return dashboard.fit(cnn, (train.images, train.t), held, optimizer=Adam(cnn.parameters(), lr=0.003), epochs=epochs,
                         batch_size=64, seed=0, batch_callbacks=[lambda model, history: time.sleep(pause)])"""
SHORT = """short = TrainingDashboard()
print(run(4, short).stopped)"""
LONG = """history = run(2000, TrainingDashboard(), pause=0.01)
print(history.stopped)"""


@pytest.fixture
def notebook(lab):
    """A notebook of its own beside the others that this JupyterLab serves, not yet run."""
    with lab.open(lab.add("train_with_a_dashboard.ipynb", SETUP, SHORT, LONG)) as opened:
        opened.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
        yield opened


def text_of(cell):
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def stored(cell):
    """The pictures' texts that are stored with a cell, without a kernel."""
    return "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])


@pytest.mark.parametrize("how", ["button", "stop square"])
def test_a_long_run_is_watched_and_stopped(notebook, how):
    page = notebook.page
    dashboards = page.locator(".nnlib-training-dashboard")
    page.wait_for_function("() => document.querySelectorAll('.nnlib-training-dashboard').length === 2", timeout=90000)
    explorer = notebook.explorer("nnlib-training-dashboard", 1)
    running = dashboards.nth(1)
    running.locator('img[alt*=" of 2000: training loss"]').wait_for(timeout=60000)
    assert "left" in running.get_by_text("of 2000, update").inner_text()
    with explorer.new_picture(30):
        pass
    began = time.monotonic()
    if how == "button":
        running.get_by_role("button", name="stop training").click()
    else:
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
    while not text_of(notebook.cells()[2]):  # the status idle may be that of the thread that answered the button
        assert time.monotonic() - began < 120
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    _, short, long = notebook.cells()
    said = text_of(long)
    assert ("stopped by the button (the model has the weights of epoch" if how == "button" else "interrupted after") \
        in said and "2000" in said
    assert text_of(short).strip() == "None" and notebook.errors() == []
    assert "Epoch 4 of 4" in stored(short), "the end is what is stored"
    assert re.search(r"The training ended early: (stopped|interrupted)", stored(long))
    last = notebook.explorer("nnlib-training-dashboard", 1)
    assert "ended early" in last.alt and running.get_by_role("button", name="stop training").is_disabled()
    assert notebook.outside_requests() == []
