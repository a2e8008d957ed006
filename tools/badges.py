"""Write the links to Binder, Colab and CI, made from the one address in pyproject.toml, or take them out.

    python tools/badges.py [FOLDER]     README.md, notebooks/ and solutions/ of FOLDER (default: the course), exercises/

The address is `repository` under [tool.nnlib] in pyproject.toml, such as "https://github.com/owner/name"; `ref` is the
branch or tag that the links open and Colab installs. While the address is "", there is no link that could be dead:
whatever an earlier run has written is removed, byte for byte. Every notebook gets a line at the end of its first cell
and a cell that does something on Colab only. A source in solutions/ is read in exercises/: its links lead there.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from nbformat.v4 import new_code_cell

import exercises
import notebooks
from notebooks import NotebookError

ROOT = Path(__file__).resolve().parent.parent
WELCOME = "notebooks/00_welcome.ipynb"
BEGIN, END = "<!-- badges: written by make badges -->\n", "<!-- end of badges -->\n"
LINE = re.compile(r"\n\n\*\*Without installing anything:\*\* \[Binder\]\([^\n]*\)$")
TAG = "colab-setup"  # of the cell that does something on Colab only, and its id
NEWER_THAN_COLABS = ("ipywidgets", "anywidget")  # the other packages that nnlib imports are there, and new enough


class Address(NamedTuple):
    """Where the course is public: its owner and name on GitHub, and a branch or tag."""

    owner: str
    name: str
    ref: str

    @property
    def page(self):
        """The repository's page."""
        return f"https://github.com/{self.owner}/{self.name}"

    def binder(self, path):
        """The link that opens a file in JupyterLab on Binder."""
        place = quote(f"lab/tree/{path}", safe="")
        return f"https://mybinder.org/v2/gh/{self.owner}/{self.name}/{quote(self.ref, safe='')}?urlpath={place}"

    def colab(self, path):
        """The link that opens a notebook on Colab."""
        return f"https://colab.research.google.com/github/{self.owner}/{self.name}/blob/{quote(self.ref)}/{quote(path)}"


def address(project):
    """The Address that pyproject.toml, as a dict, names; None while there is none. Raises ValueError."""
    settings = project.get("tool", {}).get("nnlib", {})
    repository, ref = settings.get("repository", ""), settings.get("ref", "main")
    if not repository:
        return None
    found = re.fullmatch(r"https://github\.com/([A-Za-z0-9-]+)/([\w.-]+?)(?:\.git)?/?", repository, re.ASCII)
    if not found:
        raise ValueError(f'pyproject.toml, [tool.nnlib]: expected repository = "https://github.com/owner/name" '
                         f'but got "{repository}"; "" takes all links out')
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", ref, re.ASCII):
        raise ValueError(f'pyproject.toml, [tool.nnlib]: expected ref to be a branch or tag such as "main" but got '
                         f'"{ref}"')
    return Address(*found.groups(), ref)


def badges(where):
    """The lines of Markdown between README's two marks; "" without an address."""
    if where is None:
        return ""
    workflow = f"{where.page}/actions/workflows/test.yml"
    pairs = [("Open the course on Binder", "https://mybinder.org/badge_logo.svg", where.binder(WELCOME)),
             ("Open chapter 00 on Colab", "https://colab.research.google.com/assets/colab-badge.svg",
              where.colab(WELCOME)),
             ("State of the tests", f"{workflow}/badge.svg", workflow),
             ("Code: BSD 3-Clause, text: CC BY 4.0",
              "https://img.shields.io/badge/license-BSD_3--Clause_and_CC_BY_4.0-blue", "LICENSE")]
    return "".join(f"[![{text}]({picture})]({link})\n" for text, picture, link in pairs)


def in_readme(text, where):
    """README's text with the badges between its marks. Raises ValueError when a mark is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md: expected a line {BEGIN.strip()} and, below, a line {END.strip()}")
    return before + begin + badges(where) + end + after


def with_setup(nb, source, tag):
    """Put a code cell behind the first cell of a notebook, in place, in the state of having been run."""
    nb.cells.insert(1, new_code_cell(source, id=tag, execution_count=1, metadata={"tags": [tag]}))
    return nb


def without(nb):
    """Take the line and the cell out of a notebook, in place."""
    nb.cells = [cell for cell in nb.cells if TAG not in notebooks.tags(cell)]
    nb.cells[0].source = LINE.sub("", nb.cells[0].source)
    return nb


def colab_setup(where, project):
    """The source of the cell that makes Colab ready, and does nothing elsewhere."""
    ranges = {re.match(r"[\w-]+", line)[0]: line.replace(" ", "") for line in project["project"]["dependencies"]}
    packages = " ".join(f'"{ranges[name]}"' for name in NEWER_THAN_COLABS)
    return f"""# On Google Colab this cell installs the course and switches its widgets on. Elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet {packages}
    %pip install --quiet --no-deps "git+{where.page}@{where.ref}"
    from google.colab import output
    output.enable_custom_widget_manager()"""


def in_notebook(nb, path, where, project):
    """A notebook with its line and its cell, or without them where `where` is None, in place.

    path: the notebook's place in the repository, as a learner opens it, such as "notebooks/00_welcome.ipynb".
    """
    without(nb)
    if where is not None:
        nb.cells[0].source += (f"\n\n**Without installing anything:** [Binder]({where.binder(path)}) or "
                               f"[Colab]({where.colab(path)})")
        with_setup(nb, colab_setup(where, project), TAG)
    return nb


def write(root=ROOT):
    """Bring all files below root to what pyproject.toml says; returns sentences on exercises that stay.

    Raises ValueError for an address or a README that cannot be used, NotebookError for such a notebook.
    """
    project = tomllib.loads(Path(root, "pyproject.toml").read_text(encoding="utf-8"))
    where, readme = address(project), Path(root, "README.md")
    stored = readme.read_bytes()
    text = in_readme(stored.decode(), where)
    changed = {}
    for path in notebooks.find([Path(root, "notebooks"), Path(root, "solutions")]):
        place = path.relative_to(root).as_posix().replace("solutions/", "exercises/", 1)
        nb = in_notebook(notebooks.read(path), place, where, project)
        notebooks.normalize(nb, outputs=not notebooks.is_source(path))
        if notebooks.text_of(nb).encode() != path.read_bytes():
            changed[path] = nb
    if text.encode() != stored:
        readme.write_bytes(text.encode())
        print("README.md: written")
    for path, nb in changed.items():
        notebooks.write(nb, path)
        print(f"{path.relative_to(root).as_posix()}: written")
    return exercises.store(exercises.generate(root), root)


def main(arguments=None):
    """The command line; returns 0 when all files say what pyproject.toml says."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0].startswith("-"):
        print(__doc__)
        return 0
    try:
        sentences = write(Path(*arguments[:1]).resolve() if arguments else ROOT)
    except (NotebookError, ValueError) as error:
        sentences = [str(error)]
    except OSError as error:
        sentences = [f"{error.filename}: cannot be read or written: {error.strerror}."]
    print(*sentences, sep="\n", end="\n" if sentences else "", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
