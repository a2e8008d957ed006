"""Find notebooks and read them: whatever a file holds, there is its code, or a sentence that says why not."""

import json
import os
import re
import stat
from pathlib import Path

from nnlib.errors import NnlibError
from nnlib.grading import checks, wire

LARGEST = 32 << 20  # bytes of a notebook


class GraderError(NnlibError):
    """A file or folder that cannot be graded; the message is a sentence for the teacher."""


def find_notebooks(paths):
    """All notebooks at `paths` (files, or folders at any depth), without checkpoints. Raises GraderError."""
    found = []
    for path in map(Path, paths):
        if not os.path.lexists(path):
            raise GraderError(f"{shown(path)}: there is no such file or folder.")
        inside = [path]
        if path.is_dir():
            inside = sorted(Path(folder, name) for folder, folders, names in os.walk(path) for name in folders + names
                            if name.endswith(".ipynb"))
        inside = [notebook for notebook in inside if ".ipynb_checkpoints" not in notebook.parts]
        if not inside:
            raise GraderError(f"{shown(path)}: the folder holds no notebook (*.ipynb).")
        found += inside
    return list(dict.fromkeys(found))


def shown(path):
    """A path as printable text, whatever bytes its name has."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def read_notebook(path):
    """(name of the exercise set, sources of the code cells). Raises GraderError with the reason."""
    try:
        notebook = json.loads(_read(path).decode("utf-8-sig"))
    except OSError as error:
        raise GraderError(f"cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise GraderError(f"is not JSON, so it is not a notebook ({wire.plain_text(str(error), 80)}).") from None
    try:
        version = notebook.get("nbformat", 4)
        if version != 4:
            raise GraderError(f"is of notebook format {wire.plain_text(str(version), 20)}; format 4 is needed: open it "
                              "in a current Jupyter and save it.")
        cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
        cells = ["".join(source) for source in cells]
        about = notebook.get("metadata") or {}
        language = ((about.get("kernelspec") or {}).get("language") or (about.get("language_info") or {}).get("name")
                    or "python")
    except (TypeError, KeyError, AttributeError):
        raise GraderError("is JSON, but not a notebook of format 4: it has no list of cells.") from None
    if not str(language).lower().startswith(("python", "ipython")):
        raise GraderError(f"is a notebook for {wire.plain_text(str(language), 40)}, not for Python.")
    return find_set(path, cells), cells


def _read(path):
    """The bytes of a regular file of bounded size that lies where it seems to lie. Raises GraderError, OSError."""
    path = Path(path)
    if path.is_symlink() and os.path.dirname(os.path.realpath(path)) != os.path.realpath(path.parent):
        raise GraderError("is a link to a file in another folder, and such links are not followed.")
    place = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(place, "rb") as file:
        about = os.fstat(place)
        if not stat.S_ISREG(about.st_mode):
            raise GraderError("is not a file.")
        if about.st_size > LARGEST:
            raise GraderError(f"is too large: {about.st_size / 2**20:.0f} MiB; the limit is {LARGEST >> 20} MiB. Clear "
                              "its outputs, if those are large.")
        return file.read(LARGEST + 1)


def find_set(path, cells):
    """The set that a notebook asks for by ExerciseSet("..."), else by its file name. Raises GraderError."""
    known = checks.names()
    called = re.findall(r"""ExerciseSet\(\s*["'](\w+)["']""", "\n".join(cells))
    named = re.findall(r"ex\d\d(?!\d)", Path(path).name)
    for name in [*called, *(name for number in named for name in known if name.startswith(number + "_"))]:
        if name in known:
            return name
    if called:
        raise GraderError(f"asks for the unknown exercise set {called[0][:80]!r}; known are {', '.join(known)}.")
    raise GraderError('has no exercise set in it: no ExerciseSet("..."), and no exNN in its file name.')
