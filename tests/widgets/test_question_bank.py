"""What the questions of every notebook keep to, whatever they ask; a new chapter's questions are found here, too."""

import importlib
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest

from nnlib.widgets import Choice, Number, question_bank

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
BANKS = {name.removeprefix("nb"): importlib.import_module(f"{question_bank.__name__}.{name}").QUESTIONS
         for _, name, _ in pkgutil.iter_modules(question_bank.__path__)}


def of_kind(kind):
    found = [pytest.param(question, id=f"{number}-{name}") for number, bank in BANKS.items()
             for name, question in bank.items() if isinstance(question, kind)]
    return pytest.mark.parametrize("question", found)


@pytest.mark.parametrize("number", BANKS)
def test_the_notebook_asks_every_question_once(number):
    notebook, = NOTEBOOKS.glob(f"{number}_*.ipynb")
    code = "\n".join(cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code")
    assert sorted(re.findall(r'^ask\("([^"]+)"\)$', code, re.M)) == sorted(BANKS[number])


@of_kind(Choice)
def test_every_option_has_feedback_of_its_own(question):
    feedback = list(question.options.values())
    assert len(feedback) >= 3 and len(set(feedback)) == len(feedback)
    assert all(len(text) > 30 for text in feedback)


@of_kind(Number)
def test_a_number_wrongly_arrived_at_gets_its_own_feedback(question):
    assert question.judge(question.answer)[0]
    for wrong, feedback in question.near.items():
        assert question.judge(wrong) == (False, feedback)
