"""Reports as text, tables and JSON: right numbers, one form for the same results, nothing that runs by being opened."""

import csv
import io
import json
import random

import pytest
from grading.twelve import EVIL, NAMES, batch, graded, question

from nnlib.grading import reports
from nnlib.grading.grader import Graded
from nnlib.grading.reports import Batch, clean


@pytest.fixture(scope="module")
def files():
    return reports.files(batch())


def rows(text):
    assert text.startswith("\ufeff") and text.count("\ufeff") == 1
    return list(csv.reader(io.StringIO(text[1:]), quoting=csv.QUOTE_NONNUMERIC))


def test_the_same_results_give_the_same_bytes_in_whatever_order_they_come(files):
    assert reports.files(batch()) == files
    one = batch()
    shuffled = list(one.graded)
    random.Random(1).shuffle(shuffled)
    assert reports.files(Batch(tuple(shuffled), one.seed, one.active, one.missing, one.notes)) == files


def test_counts_means_and_medians():
    first, second = batch().sets
    assert (first.name, first.possible, len(first.graded)) == ("ex01_a", 3, 11)
    assert first.points == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3] and first.mean == 17 / 11 and first.median == 2
    assert first.questions == [
        {"question": "easy", "possible": 1, "graded": 11, "right": 8, "share": 0.727273},
        {"question": "hard", "possible": 2, "graded": 11, "right": 3, "share": 0.409091},
        {"question": "warm_up", "possible": 0, "graded": 11, "right": 11, "share": None}]
    assert first.misconceptions == [(2, "hard", "sign", "Turn <b>it</b>.")]
    assert (second.points, second.median, second.possible) == ([2.5], 2.5, 4)
    assert [row["question"] for row in reports.hardest(first)] == ["hard", "easy", "warm_up"]


def test_what_could_not_be_graded_is_left_out_of_a_questions_share():
    bad = Graded("b", "b", "ex01_a", questions=[question("easy", 0, 1, "not graded")])
    good = Graded("a", "a", "ex01_a", questions=[question("easy", 1, 1)])
    assert Batch((good, bad), 1).sets[0].questions[0] == {
        "question": "easy", "possible": 1, "graded": 1, "right": 1, "share": 1.0}
    assert Batch((bad,), 1).sets[0].questions[0]["share"] is None


def test_the_most_common_misconception_comes_first():
    names = ["b", "a", "b", "c", "c", "b"]
    answers = [question("q", 0, 1, misconception=name, hint=name * 2) for name in names]
    made = [Graded(str(place), str(place), "ex01_a", questions=[answer]) for place, answer in enumerate(answers)]
    assert Batch(tuple(made), 1).sets[0].misconceptions == [
        (3, "q", "b", "bb"), (2, "q", "c", "cc"), (1, "q", "a", "aa")]


def test_the_best_of_several_notebooks_counts_and_none_is_lost(files):
    anna, small = (next(one for one in batch().learners if one.name == name) for name in ("Anna", "anna"))
    assert anna.points == 3 and anna.counted["ex01_a"].notebook == "Anna/a.ipynb"
    assert anna.remarks == ["Anna/old.ipynb (1 of 3 points) does not count: for ex01_a Anna/a.ipynb does "
                            "(3 of 3 points)."]
    assert small.points == 2 and small.counted["ex01_a"].notebook == "anna/a.ipynb"  # of equals the one without problem
    counts = {row[1]: row[3] for row in rows(files["points.csv"])[1:]}
    assert counts["Anna/old.ipynb"] == "no" and counts["anna/0.ipynb"] == "no" and counts["con/other.ipynb"] == "yes"


def test_report_txt_is_an_aligned_table_and_plain_sentences(files):
    text = files["report.txt"]
    lines = text.splitlines()
    assert lines[0] == "nnlib 0.1.0, seed 5: 15 submissions by 12 learners" and lines[1] == "A note."
    table = lines[lines.index("") + 1:][:15]
    assert table[0].split() == ["learner", "ex01_a", "ex02_b", "total"]
    assert table[2].split() == ["../../etc/passwd", "2", "-", "2"] and table[-1].split() == ["possible", "3", "4", "7"]
    assert table[-2].split() == ["mean", "1.55", "2.50", "1.62"]
    assert len({reports._columns(line) for line in table}) == 1
    assert any(line.startswith("x" * 37 + "...") for line in table) and "x" * 41 not in "".join(table)
    assert all(letter == "\n" or letter.isprintable() for letter in text)
    for sentence in ("evil: evil/a.ipynb: is not JSON (<script>", "     41%  hard (3 of 11 right)",
                     "no points  warm_up", "    2 x  hard, sign: Turn <b>it</b>.", "  no <net>", "Cell 3 stopped with"):
        assert sentence in text


@pytest.mark.parametrize("name", ["grades.csv", "points.csv"])
def test_no_cell_of_a_table_is_a_formula(files, name):
    texts = [cell for row in rows(files[name]) for cell in row if isinstance(cell, str)]
    assert not [cell for cell in texts if cell.lstrip()[:1] in tuple("=+-@\t\r\n＝＋－＠﹦﹢﹣﹫")]
    assert not [cell for cell in texts for part in cell.split(";") if part.lstrip()[:1] in tuple("=+-@＝＋－＠")]
    assert all(letter.isprintable() for cell in texts for letter in cell)
    assert len(files[name].splitlines()) == len(rows(files[name]))  # a line for each row
    assert max(map(len, texts)) <= 32_000


@pytest.mark.parametrize("cell, written", [
    ("=1+1", "'=1+1"), ("  @SUM(A1)", "'@SUM(A1)"), ("\t\r\n-2", "'-2"), ("\u200b=1", "'=1"), ("a; +1", "a; '+1"),
    ("\uff1d1", "'\uff1d1"), ("a-b = [-1, -2]", "a-b = [-1, -2]"), ("", ""), (2.5, 2.5), (0, 0), (-1, -1)])
def test_what_a_cell_becomes(cell, written):
    assert reports._cell(cell) == written


def test_grades_csv_has_a_row_for_each_learner_with_points_as_numbers(files):
    head, *body = rows(files["grades.csv"])
    assert head == ["learner", "total", "possible", "ex01_a", "ex02_b", "ex01_a: easy", "ex01_a: hard",
                    "ex01_a: warm_up", "ex02_b: only", "problems", "notes"]
    by_name = {row[0]: row[1:-2] for row in body}
    assert len(body) == 12 and by_name["Anna"] == [3, 7, 3, "", 1, 2, 0, ""]
    assert by_name["con"] == [3.5, 7, 1, 2.5, 1, 0, 0, 2.5] and by_name["evil"] == [0, 7, "", "", "", "", "", ""]
    assert ',3,7,3,"",1,2,0,"",' in files["grades.csv"]


def test_points_csv_has_a_row_for_each_question(files):
    head, *body = rows(files["points.csv"])
    assert head[:8] == ["learner", "notebook", "set", "counts", "question", "points", "possible", "status"]
    assert len(body) == 13 * 3 + 1 + 1
    hard = next(row for row in body if row[0] == "con" and row[4] == "hard")
    assert hard[5:11] == [0, 2, "not right yet", "sign", "a case", ""]
    assert hard[12:14] == ["'=diagnosis", "Turn <b>it</b>."]
    lost = next(row for row in body if row[0] == "evil")
    assert lost[2:8] == ["", "no", "", "", "", "not graded"] and lost[11].startswith("is not JSON (<script>")


def test_report_json_holds_everything(files):
    data = json.loads(files["report.json"])
    assert (data["format"], data["version"], data["seed"], data["nnlib"]) == ("nnlib.grading.report", 1, 5, "0.1.0")
    assert data["protections"] == {"active": ["a hook"], "missing": ["no <net>"]} and data["notes"] == ["A note."]
    assert sorted(one["learner"] for one in data["learners"]) == sorted(NAMES)
    assert sum(len(one["notebooks"]) for one in data["learners"]) == 15
    con = next(one for one in data["learners"] if one["learner"] == "con")
    assert (con["page"], con["points"], con["possible"]) == ("learners/con-learner.html", 3.5, 7)
    assert con["notebooks"][0]["questions"] == graded("con", 1).questions and con["notebooks"][1]["points"] == 2.5
    assert data["sets"][0]["misconceptions"] == [
        {"count": 2, "question": "hard", "misconception": "sign", "hint": "Turn <b>it</b>."}]
    assert (data["sets"][0]["mean"], data["sets"][0]["handed_in"]) == (1.545455, 11)
    assert files["report.json"].isascii()
    assert not any(ord(letter) < 32 for letter in files["report.json"].replace("\n", ""))


def test_one_notebook_as_text():
    shown = reports.notebook_text(graded("\x1b[31mbo", 1, problem="is late\x07."))
    assert shown.splitlines() == ["[31mbo/a.ipynb   ex01_a   1 / 3 points", "  easy        1 / 1    right",
                                  "  hard        0 / 2    not right yet (sign)", "  warm_up     0 / 0    right",
                                  "  is late."]


@pytest.mark.parametrize("text, cleaned", [
    ("a\x1b[31mb", "a[31mb"), ("a\r\n\tb", "a b"), ("\u202ea\u2066", "a"), ("a\udc80b", "ab"), ("\x9b2J", "2J"),
    ("é e\u0301 李", "é e\u0301 李"), ("\u2028x", "x")])
def test_what_is_cleaned_away(text, cleaned):
    assert clean(text) == cleaned


def test_a_text_is_cut():
    assert clean("x" * 50, 10) == "xxxxxxx..." and clean("x" * 10, 10) == "x" * 10
    assert clean(EVIL) == "<script>alert(1)</script><img src=x onerror=alert(2)>[31mgnp \"'&{{7*7}}"


@pytest.mark.parametrize("name, page", [
    ("Zoë Ann", "zoe-ann"), ("../..", "learner"), ("a/b\\c\nd", "a-b-c-d"),
    ("CON", "con-learner"), ("com1", "com1-learner"), ("nul.txt", "nul-txt"),
    ("x" * 300, "x" * 60), ("", "learner"), ("李", "learner"), ("-a-", "a"), (".hidden", "hidden")])
def test_the_name_of_a_page(name, page):
    assert reports.page_name(name, set()) == page


def test_pages_have_names_of_their_own():
    taken = set()
    assert [reports.page_name(name, taken) for name in ("A", "a", "a-2", "á", "a 2")] == [
        "a", "a-2", "a-2-2", "a-3", "a-2-3"]


def test_an_empty_batch():
    assert "0 submissions by 0 learners" in reports.files(Batch((), 1))["report.txt"]
