"""Execute, normalize and check notebooks.

    python tools/notebooks.py run PATH...     execute, then store normalized (--all: cells that show time too)
    python tools/notebooks.py tidy PATH...    normalize without executing
    python tools/notebooks.py check PATH...   say what is not normalized or not executed

A PATH is a notebook or a folder of notebooks. Those below solutions/ are nbgrader sources: `run` executes
them as a test and stores them without outputs. Those below exercises/ belong to the learner: never written.
"""

import argparse
import hashlib
import os
import re
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_TIMEOUT = 120  # seconds
KEEP_OUTPUT = "nbval-ignore-output"
MAY_FAIL = "raises-exception"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"}}
CELL_METADATA = ("tags", "nbgrader", "nnlib_stub", "editable", "deletable", "slideshow", "jupyter")
BAR = re.compile(r"^ *0%\|.*\| 0/(\d+) .*$")  # a progress bar as it was first shown: the page keeps no more of it
BAR_STORED = r"(a progress bar of \1 steps, which moves when you run the cell)"
VOLATILE = [(re.compile(r"\b[0-9a-f]{32}\b"), "a widget's model id"),
            (re.compile(r"\bat 0x[0-9a-fA-F]{6,}"), "a memory address"),
            (re.compile(r"(/home/|/Users/|/tmp/|/root/|[A-Z]:\\Users\\)\w"), "a path of this machine")]


class NotebookError(Exception):
    """A notebook that cannot be read, does not run or says what differs from run to run."""


def read(path):
    """Read a notebook, in the newest format; a file that is none raises NotebookError."""
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise NotebookError(f"{path}: cannot be read: {error.strerror}.") from None
    except Exception as error:
        reason = str(error).strip().splitlines() or ["empty"]
        raise NotebookError(f"{path}: expected a notebook (JSON), got something else: {reason[0]}") from None


def text_of(nb):
    """The bytes of a notebook as text: sorted keys, indent 1, one newline at the end."""
    return nbformat.writes(nb, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write(nb, path):
    """Write through a temporary file beside it: an interrupted run leaves the old notebook or the new one."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text_of(nb))
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def tags(cell):
    """The cell's tags."""
    return cell.metadata.get("tags", [])


def is_source(path):
    """Is this an nbgrader source, which is stored without outputs?"""
    return "solutions" in Path(path).resolve().parts


def is_learners(path):
    """Is this a notebook that a learner works in?"""
    return "exercises" in Path(path).resolve().parts


def normalize(nb, outputs=True):
    """Bring a notebook into its one stored form, in place: nothing of this run or machine stays in it."""
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = nbformat.from_dict(METADATA)
    seen, count = set(), 0
    for position, cell in enumerate(nb.cells):
        cell_id = cell.get("id") or ""
        while not cell_id or cell_id in seen:
            cell_id = hashlib.sha256(f"{position} {cell_id} {cell.source}".encode()).hexdigest()[:8]
        seen.add(cell_id)
        cell.id = cell_id
        kept = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        cell.metadata = nbformat.from_dict({key: kept[key] for key in kept if kept[key] not in ([], {})})
        cell.source = cell.source.rstrip("\n")
        if cell.cell_type != "code":
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
            continue
        executed = outputs and cell.get("execution_count") is not None
        count += executed
        cell.execution_count = count if executed else None
        cell.outputs = _normal_outputs(cell) if executed else []
    return nb


def _normal_outputs(cell):
    """The outputs without widget views, with neighboring text of one stream as one text."""
    normal = []
    for output in cell.outputs:
        if output.output_type in ("display_data", "execute_result"):
            output.data.pop(WIDGET_VIEW, None)
            output.metadata.pop(WIDGET_VIEW, None)
            if BAR.match(output.data.get("text/plain", "")):
                output.data["text/plain"] = BAR.sub(BAR_STORED, output.data["text/plain"])
            if not output.data:
                continue
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
            output.pop("transient", None)
        elif output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]  # frames hold paths of this machine
        elif normal and normal[-1].output_type == "stream" and normal[-1].name == output.name:
            normal[-1].text += output.text
            continue
        normal.append(output)
    return normal


def failures(nb, executed=True):
    """Sentences on cells that fail, write to stderr or (executed=True) were not run."""
    for where, cell in _code_cells(nb):
        if executed and cell.execution_count is None:
            yield f"{where} is not executed; run `make notebooks`."
        for output in cell.outputs:
            if output.output_type == "error" and MAY_FAIL not in tags(cell):
                yield f"{where} fails: {output.ename}: {output.evalue}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{where} writes to stderr: {output.text.strip()[:300]}"


def volatile(nb):
    """Sentences on outputs that another run or another machine would show differently."""
    for where, cell in _code_cells(nb):
        for text in (text for output in cell.outputs for text in _texts(output)):
            for pattern, what in VOLATILE:
                if match := pattern.search(text):
                    yield f"{where} shows {what}, which differs from run to run: {match.group()}"


def _code_cells(nb):
    """Pairs (name for messages, cell) of the code cells that hold code."""
    return [(_name(number, cell), cell) for number, cell in enumerate(nb.cells, 1)
            if cell.cell_type == "code" and cell.source.strip()]


def _texts(output):
    """What an output says in text, without the data of pictures."""
    if output.output_type == "stream":
        return [output.text]
    data = output.get("data", {})
    texts = ["".join(text) for kind, text in data.items() if kind.startswith("text/")]
    return [re.sub(r"base64,[A-Za-z0-9+/=]+", "", text) for text in texts]


def _name(number, cell):
    """What messages call a cell: its number and first line."""
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "empty")
    return f"cell {number} ({first[:60]})"


@contextmanager
def kernel_environment():
    """Variables for a kernel: a progress file and an IPython folder of its own, one thread, no screen."""
    with tempfile.TemporaryDirectory(prefix="nnlib-", ignore_cleanup_errors=True) as folder:
        yield os.environ | {
            "NNLIB_PROGRESS": str(Path(folder, "progress.json")), "IPYTHONDIR": folder, "PYTHONHASHSEED": "0",
            "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def execute(path, every_output=False, timeout=CELL_TIMEOUT):
    """Execute a notebook in its own folder and return it normalized; nothing is written.

    Cells tagged nbval-ignore-output keep their stored output unless every_output. An error, text on stderr or
    a cell that takes longer than timeout seconds raises NotebookError with notebook, cell and sentence.
    """
    nb = normalize(read(path))
    stored = {cell.id: list(cell.outputs) for _, cell in _code_cells(nb)
              if KEEP_OUTPUT in tags(cell) and cell.outputs and not every_output}
    normalize(nb, outputs=False)
    at = "the start"

    def told(cell, cell_index):
        """Where it is now: the cells themselves do not tell, since a kernel may die before it counts one."""
        nonlocal at
        at = _name(cell_index + 1, cell)

    client = NotebookClient(
        nb, timeout=timeout, on_cell_execute=told, kernel_name="python3", store_widget_state=False, record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else each kernel warns of its loopback sockets
        resources={"metadata": {"path": str(Path(path).resolve().parent)}})
    try:
        with kernel_environment() as env:
            client.execute(env=env)
    except CellTimeoutError:
        raise NotebookError(f"{path}: {at} took over {timeout} s; make it smaller.") from None
    except DeadKernelError:
        raise NotebookError(f"{path}: {at} ended the kernel; is there enough memory?") from None
    except CellExecutionError as error:
        raise NotebookError(f"{path}: {at} fails: {error.ename}: {error.evalue}") from None
    found = list(failures(nb))
    for _, cell in _code_cells(nb):
        cell.outputs = stored.get(cell.id, cell.outputs)
    normalize(nb, outputs=not is_source(path))
    if found := found + list(volatile(nb)):
        raise NotebookError("\n".join(f"{path}: {sentence}" for sentence in found))
    return nb


def check(path):
    """Sentences on a stored notebook: not normalized, not executed, volatile; empty when all is well."""
    try:
        nb, stored = read(path), Path(path).read_text(encoding="utf-8")
    except NotebookError as error:
        return [str(error)]
    blank = is_source(path) or is_learners(path)
    found = [*failures(nb, executed=not blank), *volatile(nb)]
    if text_of(normalize(nb, outputs=not blank)) != stored:
        how = "make exercises" if is_learners(path) else f"python tools/notebooks.py tidy {path}"
        found.append(f"is not normalized; run `{how}`.")
    return [f"{path}: {sentence}" for sentence in found]


def find(paths):
    """The notebooks that the paths name, folders searched; a path that is neither raises NotebookError."""
    notebooks = []
    for path in map(Path, paths):
        if path.is_dir() and (inside := sorted(p for p in path.rglob("*.ipynb") if p.is_file()
                                               and ".ipynb_checkpoints" not in p.parts)):
            notebooks += inside
        elif path.suffix == ".ipynb" and path.is_file():
            notebooks.append(path)
        else:
            raise NotebookError(f"{path}: expected a notebook (.ipynb) or a folder of notebooks, found none.")
    return notebooks


def run(path, every_output=False):
    """Execute and store one notebook; the file is written only when its bytes change."""
    if is_learners(path):
        raise NotebookError(f"{path}: belongs to the learner, is never executed in place; copy it first.")
    _store(execute(path, every_output), path)


def tidy(path):
    """Normalize one notebook without executing it."""
    if is_learners(path):
        raise NotebookError(f"{path}: belongs to the learner, is never rewritten; try `make exercises`.")
    _store(normalize(read(path), outputs=not is_source(path)), path)


def _store(nb, path):
    if text_of(nb).encode() != Path(path).read_bytes():
        try:
            write(nb, path)
        except OSError as error:
            raise NotebookError(f"{path}: cannot be written: {error.strerror}.") from None


def main(arguments=None):
    """The command line; returns 0 when every notebook is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "tidy", "check"])
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--all", action="store_true", help=f"renew the output of cells tagged {KEEP_OUTPUT}")
    options = parser.parse_args(arguments)
    failed = 0
    try:
        paths = find(options.paths)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    for path in paths:
        start = time.perf_counter()
        try:
            if options.command == "check":
                if sentences := check(path):
                    raise NotebookError("\n".join(sentences))
            elif options.command == "run":
                run(path, options.all)
            else:
                tidy(path)
        except NotebookError as error:
            failed += 1
            print(error, file=sys.stderr, flush=True)
        else:
            print(f"{path}  {time.perf_counter() - start:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
