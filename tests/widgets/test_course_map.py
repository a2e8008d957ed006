"""The course map: every chapter can be looked at, points follow the progress file, links lead somewhere."""

import html
import json
import re
from pathlib import Path

import pytest

from nnlib.grading import checks, course_progress
from nnlib.grading.progress import record
from nnlib.widgets import CourseMap
from nnlib.widgets.course_map import layout, points_of, served_folder
from nnlib.widgets.syllabus import CHAPTERS, PARTS, ROOT, course_folder


@pytest.fixture
def progress(tmp_path, monkeypatch):
    """The path of a progress file of this test alone; it does not exist yet."""
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


@pytest.fixture
def course(tmp_path):
    """A folder that holds the notebooks of chapters 00 and 01 and the exercises of 01."""
    for name in ("notebooks/00_welcome.ipynb", "notebooks/01_logistic_regression.ipynb",
                 "exercises/ex01_logistic_regression/ex01_logistic_regression.ipynb",
                 "exercises/ex01_logistic_regression/ex01_logistic_regression-mine.ipynb"):
        Path(tmp_path, name).parent.mkdir(parents=True, exist_ok=True)
        Path(tmp_path, name).touch()
    return tmp_path


def test_syllabus_has_seventeen_chapters_in_four_parts():
    assert list(CHAPTERS) == [f"{n:02d}" for n in range(17)]
    assert {chapter.part for chapter in CHAPTERS.values()} == set(PARTS)


def test_prerequisites_come_earlier_so_that_there_are_no_circles():
    for number, chapter in CHAPTERS.items():
        assert all(need in CHAPTERS and need < number for need in chapter.needs)
        assert chapter.needs or number == "00"


def test_boxes_lie_apart():
    places = list(layout().values())
    assert len(set(places)) == len(places) == len(CHAPTERS)


@pytest.mark.usefixtures("painted")
def test_every_chapter_can_be_chosen(progress, course):
    course_map = CourseMap(course)
    for number, chapter in CHAPTERS.items():
        course_map.select(number)
        selected = course_map.alt, course_map.details.value, course_map.picture
        course_map.select("16" if number == "00" else "00")
        assert course_map.alt != selected[0] and course_map.picture != selected[2]
        course_map.buttons[number].click()
        assert (course_map.alt, course_map.details.value, course_map.picture) == selected
        assert course_map.shown is chapter
        assert f"Framed: {chapter}" in course_map.alt and chapter.promise in course_map.sentences()
        assert all(str(CHAPTERS[need]) in course_map.alt for need in chapter.needs)
        framed = {n for n, frame in course_map._frames.items() if frame.get_visible()}
        assert framed == {number, *chapter.needs}


def test_unknown_chapter():
    with pytest.raises(ValueError, match="no chapter '17'; its chapters are 00"):
        CourseMap().select("17")


def test_links_of_what_is_there_and_words_for_what_is_coming(progress, course):
    course_map = CourseMap(course)
    course_map.select("01")
    assert [path.name for path in course_map.links().values()] == [
        "01_logistic_regression.ipynb", "ex01_logistic_regression.ipynb"]
    hrefs = re.findall(r'href="([^"]+)"', course_map.details.value)
    assert len(hrefs) == 2 and all((course / "notebooks" / href).is_file() for href in hrefs)
    assert "commandlinker" not in course_map.details.value
    course_map.select("02")
    assert not course_map.links() and "coming" in course_map.details.value


@pytest.mark.parametrize("served, opened", [
    (".", "notebooks/01_logistic_regression.ipynb"), ("notebooks", "01_logistic_regression.ipynb"),
    ("exercises", None)])
def test_links_open_in_jupyterlab_wherever_it_was_started(served, opened, progress, course, monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_runtime_dir", lambda: str(course))
    monkeypatch.setenv("JPY_PARENT_PID", "12345")
    Path(course, "jpserver-12345.json").write_text(json.dumps({"root_dir": str(course / served)}), "utf-8")
    course_map = CourseMap(course)
    course_map.select("01")
    link = re.search("<a [^>]+>Open the notebook", course_map.details.value)[0]
    arguments = re.search('commandlinker-args="([^"]+)"', link)
    assert (json.loads(html.unescape(arguments[1]))["path"] if arguments else None) == opened
    for damaged in ("", "[]", "{}"):
        Path(course, "jpserver-12345.json").write_text(damaged, encoding="utf-8")
        assert served_folder() is None


def test_links_of_this_course_exist():
    course_map = CourseMap()
    assert "00" in course_map.here
    for number in course_map.here:
        course_map.select(number)
        hrefs = re.findall(r'href="([^"]+)"', course_map.details.value)
        assert hrefs and all((ROOT / "notebooks" / href).is_file() for href in hrefs)


def test_where_nnlib_was_installed_by_itself_the_map_follows_the_notebook_that_runs(progress, course, monkeypatch):
    alone = course / "site-packages"
    alone.mkdir()
    monkeypatch.chdir(course.anchor)
    assert course_folder(alone) == alone
    course_map = CourseMap(alone)
    assert course_map.here == set(CHAPTERS) and not course_map.links()
    assert "This chapter is coming" not in course_map.details.value
    monkeypatch.chdir(course / "notebooks")
    assert course_folder(alone) == course and course_folder(ROOT) == ROOT


@pytest.mark.usefixtures("painted")
def test_points_follow_the_progress_file(progress, course, monkeypatch):
    sets = {"ex00_welcome": (0, 0), "ex01_logistic_regression": (2.5, 14), "ex03_gradient_descent": (0, 10)}
    monkeypatch.setattr("nnlib.widgets.course_map.course_progress", lambda: dict(sets))
    course_map = CourseMap(course)
    assert "2.5 of 24" in course_map.alt and "It has no points to earn." in course_map.sentences()
    before = course_map.picture
    sets["ex01_logistic_regression"] = (14, 14)
    course_map.select("01")
    assert "14 of 24" in course_map.alt and "Your points here: 14 of 14." in course_map.sentences()
    assert course_map._points["01"].get_text() == "14 of 14 points ✓"
    assert course_map.picture != before
    assert points_of("02", sets) is None and points_of("00", sets) is None


def test_points_earned_by_a_check_show(progress):
    course_map = CourseMap()
    name, (_, possible) = next((name, points) for name, points in course_progress().items()
                               if points[1] and name[2:4] in course_map.here)
    exercise = next(iter(checks.load(name).values()))
    record(name, exercise.name, exercise.points)
    course_map.select(name[2:4])
    assert f"Your points here: {exercise.points:g} of {possible:g}." in course_map.sentences()


@pytest.mark.parametrize("content", ["", "not json", "[1, 2]", '{"ex01_logistic_regression": 3}', "\x00\xff", "{"])
def test_a_damaged_progress_file_counts_as_no_points(progress, content):
    progress.write_text(content, encoding="utf-8")
    assert "Your points so far: 0 of" in CourseMap().alt


def test_missing_progress_file_is_not_created_by_looking(progress):
    assert "Your points so far: 0 of" in CourseMap().alt
    assert not progress.exists()


def test_it_reads_well_without_a_kernel(progress, course):
    course_map = CourseMap(course)
    course_map.select("01")
    bundle = course_map._repr_mimebundle_()
    assert 'href="01_logistic_regression.ipynb"' in bundle["text/html"] and "<img alt=" in bundle["text/html"]
    assert CHAPTERS["01"].promise in bundle["text/plain"] and "Map of the course" in bundle["text/plain"]


@pytest.mark.usefixtures("painted")
def test_buttons_lie_over_their_boxes(progress, course):
    course_map = CourseMap(course)
    width, height = course_map.figure.get_size_inches()
    for number, (x, y) in layout().items():
        place = course_map.buttons[number].layout
        left, top, wide, high = (float(getattr(place, side).rstrip("%")) / 100
                                 for side in ("left", "top", "width", "height"))
        assert (left + wide / 2) * width == pytest.approx(x, abs=0.12)
        assert (1 - top - high / 2) * height == pytest.approx(y, abs=0.12)
        assert str(CHAPTERS[number]) == course_map.buttons[number].description
