"""nbgrader's settings: `make exercises` uses them, and so do nbgrader's own commands. TEACHING.md shows how.

Points come from the course's grader, which runs a submission in a sandbox. With NNLIB_AUTOGRADE=nbgrader in the
environment they come from nbgrader's own way: it runs the notebook, and a check cell's value is its points.

nbgrader shows a learner's Markdown and outputs in your browser as they are, scripts too: here they are cleaned first.
"""

import os
import re
import secrets
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat.v4 import new_code_cell, new_output
from nbgrader import preprocessors as steps
from nbgrader.api import Gradebook

HERE = Path(__file__).resolve().parent
WORK = HERE / ".grading"  # git ignores it
CODE_STUB = "# Your answer: write it here, then take the next line away.\nraise NotImplementedError"
TAGS = ("a abbr b blockquote br caption center cite code col colgroup dd del details div dl dt em figcaption "
        "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strong sub "
        "summary sup table tbody td tfoot th thead tr tt u ul var").split()
OWN_WAY = os.environ.get("NNLIB_AUTOGRADE", "") == "nbgrader"


class MendCells(steps.NbGraderPreprocessor):
    """Give a submission's graded cells back what the gradebook says of them.

    nbgrader itself aborts the whole class on a doubled cell, and one submission on a forged cell; a deleted check
    would give no points. The last of the doubled cells counts; missing checks are added at the end.
    """

    def preprocess(self, nb, resources):
        """(nb, resources), with nb's cells mended in place."""
        place = resources["nbgrader"]
        with Gradebook(place["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(place["notebook"], place["assignment"])
            known = {cell.name: self.describe(cell, notebook) for cell in notebook.source_cells}
        for cell in reversed(nb.cells):
            theirs = cell.metadata.pop("nbgrader", None)
            name = str(theirs.get("grade_id")) if isinstance(theirs, dict) else None
            if name in known:
                cell.metadata["nbgrader"], _ = known.pop(name)
        for described, source in known.values():
            if described["cell_type"] == "code" and described["grade"] and not described["solution"]:
                cell = new_code_cell(source, metadata={"nbgrader": described})
                if (nb.nbformat, nb.nbformat_minor) < (4, 5):
                    del cell["id"]
                nb.cells.append(cell)
        return nb, resources

    @staticmethod
    def describe(cell, notebook):
        """(nbgrader's metadata, source) of one of the gradebook's cells."""
        graded = {one.name: one.max_score for one in (*notebook.grade_cells, *notebook.task_cells)}
        task = cell.name in {one.name for one in notebook.task_cells}
        described = {"schema_version": 3, "grade_id": cell.name, "cell_type": cell.cell_type, "locked": cell.locked,
                     "checksum": cell.checksum, "task": task, "grade": cell.name in graded and not task,
                     "solution": cell.name in {one.name for one in notebook.solution_cells}}
        return described | ({"points": graded[cell.name]} if cell.name in graded else {}), cell.source


class GradeInSandbox(steps.NbGraderPreprocessor):
    """In place of running the notebook here: let the course's grader run it, and write its points into the checks.

    What it says of a cell (it stopped with an error, it was interrupted) comes below that cell.
    """

    def preprocess(self, nb, resources):
        """(nb, resources), with points and reasons as outputs of nb's check cells."""
        from nnlib.grading.grader import grade
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, resources["nbgrader"]["notebook"] + ".ipynb")
            nbformat.write(nb, path)
            graded = grade(path, seed=private_seed())
        questions = {f"check-{question['question'].replace('.', '-')}": question for question in graded.questions}
        for cell in filter(is_check, nb.cells):
            cell.outputs = self.outputs(questions.get(cell.metadata.nbgrader.grade_id), graded.problem)
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        for note in graded.notes:  # "Cell 3 stopped with ...": below the third
            code[int(re.match(r"Cell (\d+) ", note)[1]) - 1].outputs.insert(0, stream(note))
        return nb, resources

    @staticmethod
    def outputs(question, problem):
        """The outputs of one check cell: what was found, and the points as its value, which nbgrader reads."""
        if question is None:
            question, problem = {"points": 0, "status": "not graded"}, problem or "the grader has no such question."
        case = f"{question['case']}: " if question.get("case") else ""
        said = [question["status"], case + question.get("problem", ""), question.get("diagnosis", ""),
                question.get("note", ""), question.get("hint", ""), problem * (question["status"] == "not graded")]
        return [stream(*filter(None, said)),
                new_output("execute_result", data={"text/plain": str(question["points"])})]


class ExecuteHere(steps.Execute):
    """nbgrader's own way to run a notebook, with the teacher's progress file left as it is.

    To nbgrader a check without a value has earned all points, and one with a line on stderr none. Here its value
    counts, whatever stands on stderr, and without a value between 0 and its points it earns nothing.
    """

    def preprocess(self, nb, resources, **options):
        """(nb, resources), with nb executed in place."""
        before = os.environ.get("NNLIB_PROGRESS")
        os.environ["NNLIB_PROGRESS"] = os.devnull
        try:
            nb, resources = super().preprocess(nb, resources, **options)
        finally:
            del os.environ["NNLIB_PROGRESS"]
            if before is not None:
                os.environ["NNLIB_PROGRESS"] = before
        for cell in filter(is_check, nb.cells):
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
            values = [one.data.get("text/plain") for one in cell.outputs if one.output_type == "execute_result"]
            if not is_number(values[-1:], cell.metadata.nbgrader.points):
                cell.outputs.insert(0, new_output("execute_result", data={"text/plain": "0"}))
        return nb, resources


def clean(markup):
    """What a learner's Markdown or output became, as HTML without scripts, forms, frames or addresses that run code."""
    def keep(tag, name, value):
        if name == "src":  # a picture elsewhere would tell its server who grades, and when
            return tag == "img" and value.startswith(("data:image/png;", "data:image/jpeg;", "data:image/gif;"))
        if name == "href":
            return value.startswith(("https://", "http://", "mailto:", "#"))
        return name in "alt class colspan height id open rowspan scope style title width".split()
    markup = markup.decode() if isinstance(markup, bytes) else str(markup)
    cleaned = bleach.clean(markup, tags=TAGS, attributes=keep, protocols=["https", "http", "mailto", "data"],
                           css_sanitizer=CSSSanitizer())
    return re.sub(r"href(?=\s*\{)", "text", cleaned)  # in a formula it would make a link, to javascript: too


def stream(*lines):
    """The output of a cell that prints these lines."""
    return new_output("stream", name="stdout", text="".join(f"{line}\n" for line in lines))


def is_check(cell):
    """True for a cell whose value is points."""
    described = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and described.get("grade", False) and not described.get("solution")


def is_number(texts, most):
    """True where the only text is a number from 0 to `most`."""
    try:
        return 0 <= float(*texts) <= most and bool(texts)
    except (TypeError, ValueError):
        return False


def private_seed():
    """The seed of the arguments that answers are tried on: drawn once, then kept for the whole class."""
    kept = WORK / "seed.txt"
    if not kept.exists():
        kept.write_text(f"{secrets.randbelow(2**32)}\n", encoding="utf-8")
    return int(kept.read_text(encoding="utf-8"))


if not shutil.which("alembic"):  # nbgrader starts it by its name when it makes a gradebook
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
with suppress(OSError):  # read-only: then there is nothing to grade here, either
    WORK.mkdir(mode=0o700, exist_ok=True)  # names, points and the seed are no business of other accounts

c = get_config()  # noqa: F821  (nbgrader defines it when it reads this file)
c.CourseDirectory.course_id = "nnlib"
c.CourseDirectory.root = str(HERE)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.db_url = f"sqlite:///{(WORK / 'gradebook.db').as_posix()}"
for step in ("release", "submitted", "autograded", "feedback", "source_with_tests"):
    setattr(c.CourseDirectory, f"{step}_directory", f".grading/{step}")  # exercises/ is a learner's: never replaced

c.ClearSolutions.code_stub = {"python": CODE_STUB}
c.ClearSolutions.text_stub = "*Your answer: write it here.*"
c.Autograde.sanitize_preprocessors = [steps.ClearOutput, MendCells, steps.OverwriteKernelspec, steps.OverwriteCells,
                                      steps.CheckCellMetadata]
c.Autograde.autograde_preprocessors = [ExecuteHere if OWN_WAY else GradeInSandbox, ClearMetadataPreprocessor,
                                       steps.LimitOutput, steps.SaveAutoGrades, steps.AssignLatePenalties,
                                       steps.CheckCellMetadata]
c.HTMLExporter.sanitize_html = True  # of feedback, and of the pages in which a teacher grades by hand; no JavaScript
c.HTMLExporter.filters = {"clean_html": clean, "strip_files_prefix": clean}  # formgrade's template has the second only
c.Execute.timeout = 60  # seconds for a cell: a check's own limits come first
