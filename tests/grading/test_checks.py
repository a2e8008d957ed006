"""Every question of the course: right answers accepted, wrong ones rejected, each with its own hint."""

import re
import signal
import time
from dataclasses import replace

import pytest

from nnlib.grading import checks
from nnlib.grading.audit import audit
from nnlib.grading.examine import RIGHT, WRONG, examine

QUESTIONS = [pytest.param(exercise, id=f"{module.NAME}-{exercise.name}")
             for module in checks.modules() for exercise in module.EXERCISES]


@pytest.mark.usefixtures("limits_in_cpu_time")
@pytest.mark.parametrize("exercise", QUESTIONS)
def test_question(exercise):
    assert audit(exercise) == []


@pytest.mark.skipif(not hasattr(signal, "ITIMER_PROF"), reason="this platform has no alarm signal")
@pytest.mark.usefixtures("limits_in_cpu_time")
def test_waiting_for_the_processor_costs_no_answer_its_time():
    exercise = replace(checks.load("ex01_logistic_regression")["sigmoid"], time_limit=0.2)

    def waits(z):
        time.sleep(0.3)
        return exercise.reference(z)

    def works(z):
        while True:
            pass
    assert [examine(exercise, answer).status for answer in (waits, works)] == [RIGHT, WRONG]


@pytest.mark.parametrize("module", checks.modules(), ids=lambda module: module.NAME)
def test_set(module):
    names = [exercise.name for exercise in module.EXERCISES]
    assert re.fullmatch(r"ex\d\d_[a-z0-9_]+", module.NAME) and module.NAME[:4] == module.__name__[-4:]
    assert len(set(names)) == len(names)
    wrong = sum(len(exercise.misconceptions) for exercise in module.EXERCISES)
    assert wrong >= 6 * len(names), f"expected six misconceptions on average, got {wrong} for {len(names)}"


def test_a_set_loads_although_another_chapter_is_broken(monkeypatch, tmp_path):
    (tmp_path / "ex99.py").write_text("1 / 0")
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    assert "sigmoid" in checks.load("ex01_logistic_regression")
    with pytest.raises(ZeroDivisionError):
        checks.load("ex99_broken")
