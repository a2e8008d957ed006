"""What every explorer of the course keeps to; a new one is found by its name in nnlib.widgets, or missed there."""

import ast
import gc
import importlib
import weakref
from pathlib import Path

import pytest
from legible import faults, poor

from nnlib import widgets
from nnlib.widgets import Explorer, Player

FOLDER = Path(widgets.__file__).parent
EXPLORERS = sorted(widgets._EXPLORERS)
pytestmark = pytest.mark.usefixtures("painted")


def test_every_explorer_is_listed():
    defined = {node.name: path.stem for path in FOLDER.glob("*.py")
               for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)}
    found = {name for name, module in defined.items() if module not in ("base", "question")
             and issubclass(getattr(importlib.import_module(f"nnlib.widgets.{module}"), name), Explorer)}
    assert found == set(EXPLORERS) and len(found) >= 6


@pytest.fixture(scope="module")
def explorer(request):
    """The explorer of a name, made once for all tests here."""
    return getattr(widgets, request.param)()


explorers = pytest.mark.parametrize("explorer", EXPLORERS, indirect=True, scope="module")


@explorers
def test_labels_tooltips_and_what_is_shown_without_a_kernel(explorer):
    for control in explorer.controls:
        assert isinstance(control, Player) or control.description and len(control.tooltip) > 15
    bundle = explorer._repr_mimebundle_()
    assert poor(explorer.alt) == [] and explorer.alt in bundle["text/plain"] and explorer.message == ""
    assert "<img alt=" in bundle["text/html"] and bundle["image/png"]


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_picture_that_followed_the_controls_is_the_one_that_is_drawn_anew(name):
    made = getattr(widgets, name)()
    for control in (c for c in made.controls if hasattr(c, "index") or hasattr(c, "readout_format") and not c.disabled):
        if hasattr(control, "index"):
            control.index = (control.index - 1) % len(control.options)
        else:
            control.value = control.min if control.value == control.max else control.max
        followed = made.picture
        made.redraw_background()
        assert made.picture == followed, control.description


@pytest.mark.parametrize("name", EXPLORERS)
def test_one_that_is_closed_gives_its_memory_back(name):
    made = getattr(widgets, name)()
    made.close_all()
    left = weakref.ref(made)
    del made
    gc.collect()
    assert left() is None


@explorers
def test_what_it_draws_can_be_read_and_is_told_apart_by_more_than_color(explorer):
    assert faults(explorer.figure, explorer.redraw_background) == []
