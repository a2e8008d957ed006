"""Predict first: every kind of question, every kind of answer, and what stays to be read without a kernel."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlib.widgets import Choice, Number, Ordering, Question, questions

CHOICE = Choice("Does it get faster if $\\eta > 2/L$ & `lr < 1`?", {
    "sooner": "No: the steps overshoot.", "it depends": "Yes: on the walls where $x < y$.",
    "a <b> tag": "Never."}, "it depends")
NUMBER = Number("How much is a quarter?", 0.25, 0.01, "One of four parts.", unit="pies",
                near={4: "That is its inverse.", -0.25: "The sign is wrong."})
ORDERING = Ordering("Put the steps of training in order.", ("forward", "loss", "backward", "update"),
                    "The loss needs a prediction.")


def test_a_right_and_a_wrong_choice():
    question = Question(CHOICE)
    assert question.feedback == ""
    assert question.answer("sooner") is False
    assert question.feedback == "✗ Not quite. No: the steps overshoot."
    assert question.answer("it depends") is True
    assert question.feedback == "✓ Right. Yes: on the walls where $x < y$."
    assert 'role="status"' in question._feedback.value


@pytest.mark.parametrize("garbage", ["", "maybe", None, 3])
def test_a_choice_that_was_not_offered(garbage):
    question = Question(CHOICE)
    assert question.answer(garbage) is False and "none of the options" in question.feedback


def test_choosing_with_buttons():
    question = Question(CHOICE)
    assert [b.description for b in question.buttons] == list(CHOICE.options)
    question.buttons[0].click()
    assert "overshoot" in question.feedback and question.buttons[0].description == "✗ sooner"
    question.buttons[1].click()
    assert "Right" in question.feedback and question.buttons[1].description == "✓ it depends"
    question.buttons[1].click()
    assert question.buttons[1].description == "✓ it depends"


def test_a_choice_needs_its_answer_among_the_options():
    with pytest.raises(ValueError, match="expected the answer to be one of .*'yes'.* but got 'perhaps'"):
        Choice("?", {"yes": "", "no": ""}, "perhaps")


@pytest.mark.parametrize("given", ["0.25", " 0.25 ", "0,25", "2.5e-1", ".25", "+0.25", "0.2501", 0.25, "1/4", "-1/-4",
                                   "0.241"])
def test_right_numbers_however_written(given):
    question = Question(NUMBER)
    assert question.answer(given) is True and question.feedback == "✓ Right. One of four parts."


@pytest.mark.parametrize(("given", "feedback"), [
    ("4", "That is its inverse."), ("3.995", "That is its inverse."), ("-0.25", "The sign is wrong."),
    ("−0.25", "The sign is wrong."), ("7", "Not that."), ("nan", "Not that."), ("inf", "Not that."),
    ("1e999", "Not that."),
    ("", "Type your answer first"), ("  ", "Type your answer first"), ("a quarter", "'a quarter' is not a number"),
    ("4/1", "That is its inverse."), ("1/0", "'1/0' is not a number; write it like 0.25"), ("1/2/3", "is not a number"),
    ("1/", "is not a number"),
    ("0.25 pies", "is not a number"), ("<img src=x>", "'<img src=x>' is not a number"),
    ("__import__('os')", "is not a number"),
    (None, "is not a number"),
])
def test_wrong_numbers_and_what_is_none(given, feedback):
    question = Question(NUMBER)
    assert question.answer(given) is False
    assert question.feedback.startswith("✗ Not quite. ") and feedback in question.feedback
    assert "<img" not in question._feedback.value


@settings(max_examples=100)
@given(text=st.text(max_size=12))
def test_no_text_breaks_a_number_question(text):
    right, feedback = NUMBER.judge(text)
    assert isinstance(right, bool) and feedback


def test_typing_a_number_and_checking_it_again():
    question = Question(NUMBER)
    assert question.entry.description == "answer (pies)" and not question.entry.continuous_update
    question.entry.value = "4"  # what the front end sends after Enter
    assert "inverse" in question.feedback
    question.entry.value = ""
    assert "inverse" not in question.feedback and "Type your answer first" in question.feedback
    question.entry.value = "four"
    question.check_button.click()
    assert "not a number" in question.feedback
    question.entry.value = "0.25"
    assert "Right" in question.feedback


def items_shown(question):
    return [row.children[2].value for row in question.rows]


def test_putting_things_in_order_with_buttons():
    question = Question(ORDERING)
    rows = list(question.rows)
    for place, item in enumerate(ORDERING.items):
        for position in range(question.order.index(item), place, -1):
            question.rows[position].children[0].click()
    assert tuple(question.order) == ORDERING.items
    assert items_shown(question) == [f"{i}. {item}" for i, item in enumerate(ORDERING.items, 1)]
    assert [b.tooltip for b in question.rows[1].children[:2]] == ["move up: loss", "move down: loss"]
    assert all(a is b for a, b in zip(rows, question.rows, strict=True))  # the focused button is still there
    question.check_button.click()
    assert question.feedback == "✓ Right. The loss needs a prediction."
    question.rows[0].children[1].click()
    assert question.order == ["loss", "forward", "backward", "update"]
    question.check_button.click()
    assert question.feedback == "✗ Not quite. Not yet. 2 of 4 are in the right place."


def test_the_ends_of_an_order_stay_within_it():
    question = Question(ORDERING)
    first, last = question.rows[0].children, question.rows[-1].children
    assert first[0].disabled and last[1].disabled and not first[1].disabled and not last[0].disabled
    before = list(question.order)
    question.move(0, -1)
    question.move(3, +1)
    assert question.order == before


@pytest.mark.parametrize("garbage", [(), ("forward",), ("a", "b", "c", "d", "e"), "text"])
def test_an_order_of_something_else(garbage):
    assert Question(ORDERING).answer(garbage) is False


@settings(max_examples=100)
@given(items=st.lists(st.text("abc", min_size=1, max_size=3), min_size=2, max_size=5, unique=True),
       prompt=st.text(max_size=5))
def test_a_shuffled_order_is_always_the_same_and_never_right(items, prompt):
    ordering = Ordering(prompt, tuple(items), "")
    assert sorted(ordering.shuffled()) == sorted(items) and list(ordering.shuffled()) != items
    assert ordering.shuffled() == ordering.shuffled()


@pytest.mark.parametrize("data", [NUMBER, ORDERING], ids=["number", "ordering"])
def test_the_answer_can_be_asked_for(data):
    question = Question(data)
    row = question.children[-2].children  # above the feedback
    row[[b.description for b in row].index("show answer")].click()
    assert question.feedback == f"Answer: {data.solution()}"


@pytest.mark.parametrize(("data", "solution"), [
    (CHOICE, "it depends. Yes: on the walls where $x < y$."), (NUMBER, "0.25 pies. One of four parts."),
    (ORDERING, "1. forward; 2. loss; 3. backward; 4. update. The loss needs a prediction."),
])
def test_stored_output_asks_and_folds_the_answer_away(data, solution):
    bundle = Question(data)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    text, page = bundle["text/plain"], bundle["text/html"]
    assert data.solution() == solution and solution not in text
    assert text.startswith(f"Predict first. {data.prompt}")
    for line in data.lines():
        assert f"  - {line}" in text
    shown, folded = page.split("<details><summary>Answer</summary>")
    assert folded.endswith("</details>") and "</details>" not in shown
    plain = re.sub("<[^>]+>", "", folded).replace("&lt;", "<")
    assert plain == solution
    for feedback in (data.options.values() if data is CHOICE else [data.feedback]):
        assert feedback not in shown.replace("&lt;", "<") and feedback not in text


def test_markup_in_data_is_escaped_and_code_is_set_as_code():
    page = Question(CHOICE)._repr_mimebundle_()["text/html"]
    assert "<code>lr &lt; 1</code>" in page and "$\\eta &gt; 2/L$ &amp;" in page and "a &lt;b&gt; tag" in page


def test_questions_of_a_notebook(monkeypatch):
    import sys
    from types import SimpleNamespace

    monkeypatch.setitem(sys.modules, "nnlib.widgets.question_bank.nb99",
                        SimpleNamespace(QUESTIONS={"a quarter": NUMBER}))
    ask = questions("99")
    assert ask("a quarter").data is NUMBER
    with pytest.raises(ValueError, match="no question 'half'; there are 'a quarter'"):
        ask("half")
    for unknown in ("77", 1, "01.x", ""):
        with pytest.raises(ValueError, match=f"no questions for notebook {unknown!r}; .* like '01'"):
            questions(unknown)
