"""tools/notebooks.py: executing and normalizing."""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import notebooks

SANITIZE = Path(__file__).parents[1] / "notebooks" / "sanitize.cfg"
WIDGET_CELL = "import ipywidgets\nipywidgets.FloatSlider()"
CLOCK = "import time\nprint('seconds', time.time())"


def store(path, *sources, tags=(), **metadata):
    """Write a notebook as an editor might leave it."""
    cells = [new_markdown_cell("# Title")]
    cell_metadata = {"tags": list(tags), "execution": {"iopub.status.busy": "now"}}
    cells += [new_code_cell(source, metadata=cell_metadata) for source in sources]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata={"widgets": {"state": {}}, **metadata}), path)
    return path


def test_running_twice_changes_no_byte(tmp_path):
    path = store(tmp_path / "a.ipynb", "print('one')\nprint('two', flush=True)\nprint('three')", WIDGET_CELL)
    notebooks.run(path)
    first, time = path.read_bytes(), path.stat().st_mtime_ns
    notebooks.run(path)
    assert path.read_bytes() == first and path.stat().st_mtime_ns == time
    assert notebooks.check(path) == []
    assert list(tmp_path.iterdir()) == [path]
    assert first.endswith(b"}\n") and b"widget-view" not in first and b"iopub" not in first
    nb = nbformat.read(path, 4)
    assert nb.metadata == notebooks.METADATA
    assert [cell.get("execution_count") for cell in nb.cells] == [None, 1, 2]
    assert [output.text for output in nb.cells[1].outputs] == ["one\ntwo\nthree\n"]


def test_a_kernel_sees_its_own_folder_and_a_progress_file_of_its_own(tmp_path):
    path = store(tmp_path / "a.ipynb", "import os\nprint(os.path.basename(os.getcwd()))",
                 "print(os.environ['NNLIB_PROGRESS'] == " + repr(os.environ["NNLIB_PROGRESS"]) + ")")
    cells = notebooks.execute(path).cells
    assert cells[1].outputs[0].text == f"{tmp_path.name}\n"
    assert cells[2].outputs[0].text == "False\n"


def test_a_cell_that_shows_time_keeps_its_output_unless_asked(tmp_path):
    path = store(tmp_path / "a.ipynb", CLOCK, tags=["nbval-ignore-output"])
    notebooks.run(path)
    first = path.read_bytes()
    notebooks.run(path)
    assert path.read_bytes() == first
    notebooks.run(path, every_output=True)
    assert path.read_bytes() != first


@pytest.mark.parametrize("source, sentence", [
    ("1 / 0", "cell 2 (1 / 0) fails: ZeroDivisionError: division by zero"),
    ("import sys\nprint('careful', file=sys.stderr)", "writes to stderr: careful"),
    ("import os\nos._exit(1)", "cell 2 (import os) ended the kernel"),
    ("object()", "shows a memory address"),
    ("print('0123456789abcdef' * 2)", "shows a widget's model id"),
    ("import time\ntime.sleep(60)", "took over 1 s"),
])
def test_a_cell_that_should_not_be_stored_leaves_the_file_as_it_was(tmp_path, source, sentence):
    path = store(tmp_path / "a.ipynb", source)
    before = path.read_bytes()
    with pytest.raises(notebooks.NotebookError) as caught:
        notebooks.execute(path, timeout=1 if "sleep" in source else 60)
    assert str(caught.value).startswith(str(path)) and sentence in str(caught.value)
    assert path.read_bytes() == before


def test_an_expected_error_is_stored_without_paths(tmp_path):
    path = store(tmp_path / "a.ipynb", "1 / 0", tags=["raises-exception"])
    notebooks.run(path)
    output = nbformat.read(path, 4).cells[1].outputs[0]
    assert output.traceback == ["ZeroDivisionError: division by zero"]


def test_sources_of_exercises_are_stored_without_outputs(tmp_path):
    path = store(tmp_path / "solutions" / "a.ipynb", "print(1)")
    notebooks.run(path)
    cell = nbformat.read(path, 4).cells[1]
    assert cell.outputs == [] and cell.execution_count is None
    assert notebooks.check(path) == []


@pytest.mark.parametrize("action", [notebooks.run, notebooks.tidy])
def test_a_learners_notebook_is_never_written(tmp_path, action):
    path = store(tmp_path / "exercises" / "a.ipynb", "print(1)")
    before = path.read_bytes()
    with pytest.raises(notebooks.NotebookError, match="belongs to the learner"):
        action(path)
    assert path.read_bytes() == before


def test_an_interrupted_write_keeps_the_old_notebook(tmp_path, monkeypatch):
    path = store(tmp_path / "a.ipynb", "1")
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        notebooks.tidy(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_missing_and_doubled_cell_ids_are_mended_the_same_way_each_time(tmp_path):
    def build():
        nb = new_notebook(cells=[new_code_cell("1", id="same"), new_code_cell("2"), new_code_cell("3")])
        nb.cells[1].id = "same"
        del nb.cells[2]["id"]
        return notebooks.text_of(notebooks.normalize(nb))
    ids = [cell.id for cell in nbformat.reads(build(), 4).cells]
    assert ids[0] == "same" and len(set(ids)) == 3
    assert build() == build()


def test_streams_are_merged_only_with_their_neighbor():
    def stream(name, text):
        return new_output("stream", name=name, text=text)
    picture = new_output("display_data", {"text/plain": "a picture"})
    cell = new_code_cell("x", execution_count=7, outputs=[
        stream("stdout", "a"), stream("stdout", "b"), picture, stream("stdout", "c")])
    notebooks.normalize(new_notebook(cells=[cell]))
    assert [output.get("text") for output in cell.outputs] == ["ab", None, "c"]
    assert cell.execution_count == 1


def test_a_progress_bar_is_stored_in_words_that_nbval_takes_for_the_bar(tmp_path):
    path = store(tmp_path / "a.ipynb", "from tqdm.auto import tqdm\nfor _ in tqdm(range(7)):\n    pass")
    notebooks.run(path)
    stored = nbformat.read(path, 4).cells[1].outputs[0].data["text/plain"]
    assert stored == "(a progress bar of 7 steps, which moves when you run the cell)"
    assert notebooks.check(path) == []
    regex = re.search(r"^regex: (\^.*)$", SANITIZE.read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert {re.sub(regex, "BAR", shown) for shown in (stored, "  0%|          | 0/7 [00:00<?, ?it/s]")} == {"BAR"}


@pytest.mark.parametrize("content", [b"", b"junk", b"[1, 2]", b'{"cells": 3}', b"\xff\xfe\x00"])
def test_what_is_no_notebook_gets_a_sentence(tmp_path, content, capsys):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    assert notebooks.main(["run", str(path)]) == 1
    message = capsys.readouterr().err
    assert "expected a notebook (JSON)" in message and "Traceback" not in message
    assert path.read_bytes() == content


def test_a_path_that_is_neither_notebook_nor_folder_gets_a_sentence(tmp_path, capsys):
    for path in (tmp_path / "nothing.ipynb", tmp_path):
        assert notebooks.main(["check", str(path)]) == 1
        assert "expected a notebook (.ipynb) or a folder of notebooks" in capsys.readouterr().err


def test_check_says_what_is_missing(tmp_path):
    path = store(tmp_path / "a.ipynb", "1 + 1")
    assert [s.removeprefix(f"{path}: ") for s in notebooks.check(path)] == [
        "cell 2 (1 + 1) is not executed; run `make notebooks`.",
        f"is not normalized; run `python tools/notebooks.py tidy {Path(path)}`."]
