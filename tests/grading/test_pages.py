"""The web pages: complete, linked, escaped, the same each time, and made to be read by everybody."""

import re

import pytest
from grading.twelve import EVIL, NAMES, batch, graded
from support import Page, contrast

from nnlib.grading import pages
from nnlib.grading.reports import Batch


@pytest.fixture(scope="module")
def files():
    return dict(pages.files(batch()))


@pytest.fixture(scope="module")
def parsed(files):
    return {name: Page(text) for name, text in files.items()}


def test_the_same_results_give_the_same_bytes(files):
    assert dict(pages.files(batch())) == files


def test_every_learner_has_a_page_and_every_link_leads_to_one(parsed):
    assert len(parsed) == 1 + len(NAMES) and len({name.casefold() for name in parsed}) == len(parsed)
    links = [link["href"] for link in parsed["index.html"].all("a")]
    assert set(links) - {"#main"} == set(parsed) - {"index.html"}
    for name, page in parsed.items():
        if name != "index.html":
            assert [link["href"] for link in page.all("a")] == ["#main", "../index.html"]
        assert [one.get("id") for one in page.all("main")] == ["main"]


def test_nothing_that_a_learner_wrote_becomes_a_tag(parsed, files):
    for name, page in parsed.items():
        used = {tag for tag, _ in page.tags}
        assert not used & {"script", "b", "iframe", "svg", "link", "object"}
        assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
        assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
        assert all(letter == "\n" or letter.isprintable() for letter in files[name])
        assert "x" * 301 not in files[name]
    assert "<script>alert(1)</script>" in parsed["learners/con-learner.html"].text + parsed["learners/anna-2.html"].text
    assert "default-src 'none'" in files["index.html"]


def test_every_page_can_be_read_by_everybody(parsed, files):
    for name, page in parsed.items():
        assert page.all("html") == [{"lang": "en"}]
        assert re.search(r"<title>[^<]+</title>", files[name]) and len(page.all("h1")) == 1
        assert page.tags[[tag for tag, _ in page.tags].index("body") + 1][1]["class"] == "skip"
        assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
        assert len(page.all("caption")) == len(page.all("table"))
        assert all(len(image["alt"]) > 40 for image in page.all("img"))
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
        for feature in ("prefers-color-scheme: dark", "@media print", "width=device-width"):
            assert feature in files[name]


def test_text_stands_out_in_both_themes():
    themes = re.findall(r"--ink: (#\w+); --soft: (#\w+); --back: (#\w+); --box: (#\w+); --line: #\w+; --link: (#\w+)",
                        pages.STYLE)
    assert len(themes) == 2
    for ink, soft, back, box, link in themes:
        for text, ground in ((ink, back), (ink, box), (soft, back), (link, back)):
            assert contrast(text, ground) >= 4.5


def test_the_page_of_the_class(parsed):
    page = parsed["index.html"]
    for sentence in ("nnlib 0.1.0, seed 5: 15 submissions by 12 learners.", "A note.", "no <net>", "a hook",
                     "11 notebooks; mean 1.55, median 2, of 3 points.",
                     "1 notebook; mean 2.50, median 2.5, of 4 points.",
                     "Turn <b>it</b>.", "is not JSON (<script>alert(1)</script>", "does not count"):
        assert sentence in page.text
    first, second = [image["alt"] for image in page.all("img")][:2]
    assert first == ("Bar chart of points in ex01_a. Of 11 learners 3 have all 3 points and 3 have none; half "
                     "have 2 or more, the mean is 1.55.")
    assert second == ("Bar chart of the mean share of points for each question of ex01_a. The hardest: hard 41%, "
                      "easy 73%; the easiest: easy 73%.")


def test_the_page_of_a_learner(parsed):
    page = parsed["learners/con-learner.html"]
    for sentence in ("con", "3.5 of 7 points in all.", "con/a.ipynb", "1 / 3 points", "First failing case", "a case",
                     "Misconception", "sign", "Turn <b>it</b>.", "=diagnosis", "2.5 / 4 points", "partly right",
                     "seed 5"):
        assert sentence in page.text
    assert "Anna" not in page.text
    notes = parsed["learners/anna.html"].text
    assert "Cell 3 stopped with <script>" in notes and "Does not count: Anna/a.ipynb does." in notes
    assert "Problem: is not JSON" in parsed["learners/evil.html"].text


def test_backticks_become_code_and_nothing_else_does():
    assert pages._rich(f"`<i>` {EVIL}").startswith("<code>&lt;i&gt;</code> &lt;script&gt;")
    assert pages._code("<b>`") == "<code>&lt;b&gt;`</code>"


@pytest.mark.parametrize("points", [[0.5, 1, 2.5, 3], [3], [0], [0] * 500])
def test_pictures_of_small_large_and_half_classes(points):
    page = Page(pages.index(Batch(tuple(graded(f"l{place}", value) for place, value in enumerate(points)), 1)))
    assert len(page.all("img")) == 2 and f"Of {len(points)} learners" in page.all("img")[0]["alt"]


def test_a_set_of_many_points_is_drawn_in_few_bars():
    one = graded("a", 3)
    one.questions[0]["points"] = one.questions[0]["possible"] = 150
    assert "of 152 points" in Page(pages.index(Batch((one,), 1))).text


def test_an_empty_class():
    assert "0 submissions by 0 learners" in Page(pages.index(Batch((), 1))).text
