"""The report in its two forms: the same words, readable on light and dark pages, whatever a learner's strings hold."""

import json
import re
import sys
from pathlib import Path

import pytest
from support import Page, contrast

from nnlib.grading import report
from nnlib.grading.examine import NOT_ATTEMPTED, PARTLY, RIGHT, WRONG, Result, Verdict
from nnlib.grading.guard import Outcome

THEMES = Path(sys.prefix, "share/jupyter/lab/themes/@jupyterlab")
MATERIAL = {"--md-grey-200": "#eee", "--md-grey-800": "#424242", "--md-grey-900": "#212121"}


def full_result():
    verdicts = [Verdict("one"), Verdict("two", "value", "x = 1", "expected 2, got `y`", "Why?"),
                Verdict("three", "value", "x = 5", "expected 3, got 4", "Off by one")]
    return Result("double", 1, 2, PARTLY, verdicts, hint="Twice `x`.", note="A note.")


def test_text():
    assert report.of_result(full_result()).text == (
        "double   1 / 2 points: partly right\n"
        "  passed  one\n"
        "  failed  two: for x = 1, expected 2, got `y`. Why?\n"
        "  failed  three\n"
        "A note.\n"
        "Hint: Twice `x`.")


def test_html_says_the_same_and_more_behind_the_titles():
    read = Page(report.of_result(full_result()).html)
    for words in ("double", "1 / 2 points", "partly right", "passed", "failed", "expected 2, got", "A note.", "Hint:"):
        assert words in read.text
    assert [tag for tag, _ in read.tags].count("details") == 1 and "for x = 5, expected 3, got 4." in read.text
    assert ("code", {}) in read.tags


def test_status_is_said_in_words_and_the_box_has_a_name():
    shown = report.of_result(Result("f", 0, 2, WRONG, [Verdict("one"), Verdict("two", "value", "x = 1", "`y` is 2")]))
    assert "<strong>failed</strong>: two<br>for x = 1, <code>y</code> is 2." in shown.html
    assert "<strong>passed</strong>: one" in shown.html and 'role="group" aria-label="Check of f"' in shown.html


def test_tables_have_headers():
    shown = report.of_progress("ex90", [("f", 1, 2), ("g", 0, 0)], 1, 2, "Not kept.")
    scopes = [attributes.get("scope") for tag, attributes in Page(shown.html).tags if tag == "th"]
    assert scopes == ["col", "col", "row", "row"] and "<caption" in shown.html
    assert shown.text == "ex90   1 / 2 points\n  f  1 / 2\n  g  warm-up\nNot kept."


NASTY = '<script>alert("1")</script><img src=x onerror=alert(1)> & \x1b[31m \u202egnp.exe \ud800 \x00'


@pytest.mark.parametrize("shown", [
    report.of_result(Result(NASTY, 0, 1, WRONG, [Verdict(NASTY, "value", NASTY, NASTY, NASTY, Outcome(printed=NASTY)),
                                                 Verdict(NASTY, "value", NASTY, NASTY)], NASTY, NASTY, NASTY)),
    report.of_message(NASTY, NASTY), report.of_progress(NASTY, [(NASTY, 0, 1)], 0, 1, NASTY)])
def test_whatever_a_learner_wrote_is_text(shown):
    tags = {tag for tag, _ in Page(shown.html).tags}
    assert not tags & {"script", "img"} and "&lt;script&gt;" in shown.html
    for text in shown.text, shown.html:
        assert text.replace("\n", "").isprintable()
        json.dumps(text, ensure_ascii=False).encode()  # as a kernel sends it
    assert not any(name.startswith("on") for _, attributes in Page(shown.html).tags for name in attributes)


def over(color, background):
    """A color of a theme as '#rrggbb', on its background where it is translucent."""
    named = {"white": "#fff", "black": "#000"}.get(color, color)
    if match := re.fullmatch(r"var\((--md-[a-z]+-\d+).*", named):
        named = MATERIAL[match[1]]
    if not named.startswith("rgba"):
        return named
    *parts, alpha = map(float, re.findall(r"[\d.]+", named))
    below = [int(background[i:i + 2], 16) if len(background) == 7 else 17 * int(background[i], 16)
             for i in ((1, 3, 5) if len(background) == 7 else (1, 2, 3))]
    return "#" + "".join(f"{round(alpha * part + (1 - alpha) * under):02x}" for part, under in zip(parts, below))


@pytest.mark.skipif(not THEMES.is_dir(), reason="JupyterLab and its themes are not installed here")
@pytest.mark.parametrize("theme", ["light", "dark", "dark-high-contrast"])
def test_contrast_in_the_themes_of_jupyterlab(theme):
    style = (THEMES / f"theme-{theme}-extension" / "index.css").read_text()
    color = dict(re.findall(r"(--jp-(?:layout|content-font|ui-font)-color\d):\s*([^;}]+)", style))
    page = over(color["--jp-layout-color0"], "")
    behind_code = over(color["--jp-layout-color2"], page)
    for text in over(color["--jp-content-font-color1"], page), over(color["--jp-ui-font-color1"], page):
        assert contrast(text, page) >= 4.5 and contrast(text, behind_code) >= 4.5
    assert set(report.EDGE) == {RIGHT, PARTLY, WRONG, NOT_ATTEMPTED}
    for edge in report.EDGE.values():
        assert contrast(edge, page) >= 3
    colors = re.findall(r"(?<![-\w])(?:color|background)[^;:\"]*:\s*([^;\"]+)", report.of_result(full_result()).html)
    assert set(colors) == {"inherit", "transparent"}  # so the page's own text is what is read


def test_the_computation_of_contrast():
    assert contrast("#ffffff", "#000") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)
    assert over("rgba(0, 0, 0, 0.5)", "#fff") == "#808080"
