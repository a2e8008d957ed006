"""A class of twelve, some of whom wish a teacher ill: what the tests of reports and pages are made of."""

from nnlib.grading.grader import Graded
from nnlib.grading.reports import Batch

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202egnp\x00\r\n\"'&{{7*7}}"
NAMES = ["Anna", "anna", "=HYPERLINK(\"http://x\")", "<script>alert(1)</script>", "\x1b[2Jred", "\u202eevil",
         "x" * 10_000, "new\nline\ttab", "../../etc/passwd", "con", "李小龙", "\uff0bfull;=1+1"]
POINTS = [3, 2, 2, 1, 0, 0, 3, 3, 2, 1, 0, 0]  # in set ex01_a, of 3


def question(name, points, possible, status="", misconception="", **more):
    """A question's dict as `grade` makes it."""
    status = status or ("right" if points == possible else "not right yet")
    texts = dict.fromkeys(("case", "problem", "diagnosis", "hint", "note"), "")
    return {"question": name, "points": points, "possible": possible, "status": status, **texts,
            "misconception": misconception, **more}


def graded(learner, points, name="a.ipynb", **more):
    """A notebook of the set ex01_a: `easy` gives 1 point, `hard` 2, `warm_up` none."""
    easy, hard = min(points, 1), max(points - 1, 0)
    wrong = {"case": "a case", "problem": EVIL, "diagnosis": "=diagnosis", "hint": f"Hint `code` {EVIL}", "note": EVIL}
    known = {"misconception": "sign", "hint": "Turn <b>it</b>."} if points == 1 else {}
    questions = [question("easy", easy, 1), question("hard", hard, 2, **({} if hard == 2 else wrong) | known),
                 question("warm_up", 0, 0)]
    return Graded(f"{learner}/{name}", learner, "ex01_a", 5, questions, **more)


def batch():
    """Twelve learners with one notebook each of ex01_a; some more notebooks, of which not all count."""
    found = [graded(*pair) for pair in zip(NAMES, POINTS, strict=True)]
    found[5] = Graded(f"{NAMES[5]}/a.ipynb", NAMES[5], seed=5, problem=f"is not JSON ({EVIL}).")
    found[0].notes = [f"Cell 3 stopped with {EVIL}"]
    better = graded("anna", 3, "0.ipynb", problem="not every question could be graded: its time is over.")
    better.questions[0] = question("easy", 0, 1, "not graded")
    other = Graded("con/other.ipynb", "con", "ex02_b", 5, [question("only", 2.5, 4, "partly right")])
    return Batch((*found, graded("Anna", 1, "old.ipynb"), better, other), 5, ("a hook",), ("no <net>",), ("A note.",))
