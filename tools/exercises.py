"""Generate the learners' notebooks in exercises/ from their sources in solutions/, with nbgrader.

    python tools/exercises.py generate [--keep-as NAME]     write exercises/; never replaces a learner's work
    python tools/exercises.py copy FOLDER                   write freshly generated notebooks into a folder
    python tools/exercises.py check                         say what in exercises/ is not as generated

Every generated cell carries the hash of its source, so that an untouched cell is recognized even after
solutions/ has changed. A cell that is neither as generated then nor as generated now is a learner's work,
and its notebook stays.
"""

import argparse
import hashlib
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

from notebooks import NotebookError, normalize, read, text_of, write

ROOT = Path(__file__).resolve().parent.parent
STUB = "nnlib_stub"


def generate(root=ROOT):
    """Generate every set below root/solutions; returns {path relative to root: notebook}, writes no file."""
    sets = sorted(path.parent.name for path in Path(root, "solutions").glob("*/*.ipynb"))
    if not sets:
        raise NotebookError(f"{Path(root, 'solutions')}: expected folders with a notebook, found none.")
    with tempfile.TemporaryDirectory(prefix="nnlib-exercises-") as course:
        shutil.copytree(Path(root, "solutions"), Path(course, "solutions"),
                        ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        for name in dict.fromkeys(sets):
            _generate_set(name, course)
        paths = sorted(Path(course, "exercises").glob("*/*.ipynb"))
        return {path.relative_to(course): _mark(normalize(read(path), outputs=False)) for path in paths}


def _generate_set(name, course):
    """Have nbgrader generate one set in a temporary course folder, without a database."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    config.CourseDirectory.root = course
    config.CourseDirectory.release_directory = "exercises"  # nbgrader's own commands replace what is there
    config.CourseDirectory.assignment_id = name
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    log = logging.getLogger(f"exercises.{name}")
    log.propagate = False
    log.addHandler(messages := _Messages())
    try:
        GenerateAssignment(coursedir=CourseDirectory(config=config), config=config, log=log).start()
    except (Exception, SystemExit) as error:
        reason = messages.text or str(error)
        raise NotebookError(f"solutions/{name}: nbgrader cannot generate it: {reason}") from None


class _Messages(logging.Handler):
    """Keeps the first error that nbgrader reports: the last line of a traceback, or the sentence itself."""

    text = ""

    def emit(self, record):
        lines = record.getMessage().strip().splitlines()
        if record.levelno >= logging.ERROR and lines and not self.text.strip():
            self.text = lines[-1] if lines[0].startswith("Traceback") else lines[0]


def _digest(source):
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def _mark(nb):
    """Give every cell the hash of its source, in place."""
    for cell in nb.cells:
        cell.metadata[STUB] = _digest(cell.source)
    return nb


def learners_cells(nb, fresh):
    """Numbers of the cells a learner wrote or put a picture in: not empty, nor as generated now or once."""
    generated = {cell.source for cell in fresh.cells}
    return [number for number, cell in enumerate(nb.cells, 1) if cell.get("attachments") or cell.source.strip()
            and cell.source not in generated and cell.metadata.get(STUB) != _digest(cell.source)]


def work_in(path, fresh):
    """A phrase that says what of a learner's stands in the file at path; "" when there is nothing to lose."""
    if not path.exists():
        return ""
    try:
        cells = learners_cells(read(path), fresh)
    except NotebookError:
        return "is no readable notebook but may hold work of yours"
    listed = ", ".join(map(str, cells[:5])) + (", ..." if len(cells) > 5 else "")
    return f"holds work of yours (cell{'s'[:len(cells) > 1]} {listed})" if cells else ""


def store(fresh, root=ROOT, keep_as=None):
    """Write the generated notebooks into root; returns sentences on those that stay, for a learner's work.

    With keep_as="mine", a notebook with work in it is first moved to NAME-mine.ipynb beside it.
    """
    refused = []
    for name, nb in fresh.items():
        path = Path(root, name)
        if work := work_in(path, nb):
            kept = path.with_name(f"{path.stem}-{keep_as or 'mine'}.ipynb")
            if not keep_as:
                refused.append(f"{name} {work} and is not replaced. To keep it and get a new one, "
                               f"run `make exercises KEEP=mine`: it is moved to {kept.name} first.")
                continue
            if kept.exists():
                refused.append(f"{name} {work} and is not replaced: {kept.name} exists, too. "
                               f"Try another name: `make exercises KEEP={keep_as}2`.")
                continue
            path.rename(kept)
            print(f"{name}: kept as {kept.name}")
        if not path.exists() or path.read_bytes() != text_of(nb).encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(nb, path)
            print(f"{name}: written")
    return refused


def check(fresh, root=ROOT):
    """Sentences on notebooks in root that are not as generated; where a learner worked, git's copy counts."""
    stale = []
    for name, nb in fresh.items():
        path, expected = Path(root, name), text_of(nb)
        stored = path.read_bytes().decode(errors="replace") if path.exists() else ""
        if stored != expected and (not stored or work_in(path, nb)):
            stored = _committed(name, root)
        if stored and stored != expected:  # perhaps run, but not answered
            stored = _without_outputs(stored)
        if stored != expected:
            stale.append(f"{name.as_posix()} is {'not what solutions/ gives' if stored else 'missing'}; "
                         "run `make exercises`.")
    return stale


def _without_outputs(text):
    try:
        return text_of(normalize(nbformat.reads(text, as_version=4), outputs=False))
    except ValueError:  # no notebook, and so not as generated
        return text


def _committed(name, root):
    """The text of the committed file, "" where there is none."""
    shown = subprocess.run(["git", "show", f":{name.as_posix()}"], cwd=root, capture_output=True)
    return shown.stdout.decode() if shown.returncode == 0 else ""


def file_name(text):
    """A NAME that can stand in the name of a file. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[\w.-]{1,50}", text):
        raise argparse.ArgumentTypeError(f"expected letters, digits, - or _, got {text!r}; try mine")
    return text


def main(arguments=None):
    """The command line; returns 0 when all is generated or as generated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate").add_argument("--keep-as", metavar="NAME", type=file_name,
                                                 help="move your work to *-NAME.ipynb first")
    commands.add_parser("copy").add_argument("folder", type=Path)
    commands.add_parser("check")
    options = parser.parse_args(arguments)
    try:
        fresh = generate()
        if options.command == "check":
            sentences = check(fresh)
        else:
            target = ROOT if options.command == "generate" else options.folder
            sentences = store(fresh, target, keep_as=getattr(options, "keep_as", None))
    except NotebookError as error:
        sentences = [str(error)]
    except OSError as error:
        sentences = [f"{error.filename}: cannot be written: {error.strerror}."]
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
