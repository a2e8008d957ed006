"""Notebooks that attack the grader: each gets its points or a clear note, costs no other one and leaves nothing behind.

The samples lie in hostile/, one after the other under `# %%`, named by what they try. All are graded by a process of
their own (hostile/driver.py), so a sample that breaks out hurts that process and not the test run.
"""

import contextlib
import json
import os
import re
import select
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from nnlib.grading import sandbox

HOSTILE = Path(__file__).parent / "hostile"
COURSE = Path(__file__).parents[2]
SECRET = "NNLIB_HOSTILE_SECRET"
SETUP = """
from nnlib.grading import ExerciseSet
check = ExerciseSet("{set}")
course, own, others, found, port, name, loot = {course!r}, {own!r}, {others!r}, {found!r}, {port}, {name!r}, None
"""
DOUBLE = "def double(x):\n    return 2 * x"
TRIPLE = "def triple(x):\n    return 3 * x"
CHECKS = "check(double)\ncheck(triple)\ncheck(sigmoid)"
RIGHT = "import math\ndef sigmoid(z):\n    import numpy\n    return 0.5 * (1 + numpy.tanh(numpy.asarray(z) / 2))"
LOOK = "if loot:\n    raise RuntimeError('stolen')"
KEPT = {"double": 1, "triple": 1}
NEEDS = {"checks by sqlite": "landlock", "/dev/shm written through multiprocessing": "landlock",
         "checks, with the hook's rules emptied": "landlock", "checks, with the hook's module rewritten": "landlock",
         "checks by a link, with os.lstat replaced": "landlock"}
LIMIT, CELL = 120, 1.5  # seconds for a notebook, also on a busy machine; for a cell that may have no end

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the samples attack a Linux system")


def samples(name):
    """The samples of a file: list of pytest.param(code, words that the grader must say)."""
    parts = re.split(r"^# %% (.*)\n", (HOSTILE / f"{name}.py").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = []
    for title, code in zip(parts[::2], parts[1::2], strict=True):
        title, _, words = title.partition(" -> ")
        found.append(pytest.param(code, words.strip(), id=f"{title.removesuffix(' ->')}"))
    return found


def notebook(*cells, **more):
    """A notebook of code cells as bytes of JSON."""
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
            for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}).encode()


class Driver:
    """A process that grades, and what can be seen of it from outside."""

    def __init__(self, temp, *settings):
        self.temp = temp
        environment = {**os.environ, "TMPDIR": str(temp), SECRET: "found", "NNLIB_CHECKS": str(HOSTILE),
                       "PYTHONPATH": str(COURSE), "NNLIB_PROGRESS": str(temp.parent / "progress.json")}
        self.process = subprocess.Popen([sys.executable, HOSTILE / "driver.py", *settings], env=environment,
                                        cwd=temp.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def grade(self, path, timeout=LIMIT, wait=180, **options):
        """What the grader makes of a notebook, a dict; fails where it ends or says nothing for `wait` seconds."""
        self.process.stdin.write(json.dumps({"path": str(path), "timeout": timeout, **options}) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], wait)[0]:
            pytest.fail(f"the grader says nothing for {wait} s")
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the grader itself has ended, with code {self.process.wait()}")
        return json.loads(line)

    def descendants(self):
        """Numbers of the processes that descend from the grader."""
        above = parents()
        found, new = set(), {self.process.pid}
        while new:
            new = {pid for pid, parent in above.items() if parent in new} - found
            found |= new
        return found

    def left(self):
        """What lies about: processes other than the one that workers come from, and temporary files."""
        processes = sorted(self.descendants())
        return [f"process {pid}" for pid in processes[1:]] + sorted(path.name for path in self.temp.iterdir())

    def settle(self):
        """Wait until nothing lies about; fails with what does after half a minute."""
        for _ in range(1500):
            left = self.left()
            if not left:
                return
            time.sleep(0.02)
        pytest.fail(f"left behind: {left}")

    def close(self):
        """End it as its user would: no more input."""
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()  # what it has started ends with it
            pytest.fail("the grader does not end")


def parents():
    """{process: its parent} of all processes; orphans have parent 1."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def command(pid):
    """The command line of a process, "" where there is none."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


def cgroups(pid):
    """Folders of the grader with process number `pid`."""
    return [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if f"nnlib-grading-{pid}-" in folder]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the submissions, what can be stolen, and the grader's temporary folder."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("submissions", "found", "temp"):
        (folder / name).mkdir()
    (folder / "submissions" / "others.ipynb").write_bytes(notebook("secret = 1"))
    (folder / "submissions" / "others.ipynb.copy").write_text("{}")
    with zipfile.ZipFile(folder / "found" / "loot.zip", "w") as pack:
        pack.writestr("loot.py", "EXERCISES = 1")
    with contextlib.closing(sqlite3.connect(folder / "found" / "loot.db")) as base:
        base.execute("create table words (word)")
        base.execute("insert into words values ('loot')")
        base.commit()
    return folder


@pytest.fixture(scope="module")
def listener():
    """(port, name, visits): servers that greet whoever comes by TCP, UDP or the abstract socket `name`."""
    visits, name = [], f"nnlib-hostile-{os.getpid()}"
    tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(type=socket.SOCK_DGRAM)
    local = socket.socket(socket.AF_UNIX)
    port = tcp.getsockname()[1]
    udp.bind(("127.0.0.1", port))
    local.bind("\0" + name)
    local.listen()
    closing, ended = socket.socketpair()

    def serve():
        while True:
            ready, _, _ = select.select([tcp, udp, local, ended], [], [])
            for server in ready:
                if server is ended:
                    return
                visits.append(server)
                if server is udp:
                    udp.sendto(b"loot", udp.recvfrom(99)[1])
                else:
                    with server.accept()[0] as link:
                        link.sendall(b"loot")

    thread = threading.Thread(target=serve)
    thread.start()
    yield port, name, visits
    closing.close()
    thread.join()
    for server in (tcp, udp, local, ended):
        server.close()


@pytest.fixture(scope="module")
def setup(place, listener):
    """The first cell of a hostile notebook: it knows where everything is."""
    others = place / "submissions" / "others.ipynb"
    return SETUP.format(set="ex91_hostile", course=str(COURSE), own=str(HOSTILE / "ex91.py"), port=listener[0],
                        found=str(place / "found"), others=str(others), name=listener[1])


@pytest.fixture(scope="module")
def drivers(place):
    """Holds the process that grades; a new one where a sample has killed it."""
    running = []
    yield running
    for driver in running:
        driver.close()


@pytest.fixture
def driver(drivers, place):
    """A process that grades; after the test nothing lies about."""
    if not drivers or drivers[-1].process.poll() is not None:
        drivers.append(Driver(place / "temp"))
    yield drivers[-1]
    if drivers[-1].process.poll() is None:
        drivers[-1].settle()


@pytest.fixture
def grade(driver, place, setup):
    """Grades a notebook of cells, before and after which stand right answers; gives what the grader says."""
    def grade(*cells, name="ex91_hostile", **options):
        path = place / "submissions" / "own.ipynb"
        path.write_bytes(notebook(setup.replace("ex91_hostile", name), DOUBLE, *cells, TRIPLE, CHECKS))
        return driver.grade(path, **options)
    return grade


def points(graded):
    """The points that are not 0, by question."""
    return {question["question"]: question["points"] for question in graded["questions"] if question["points"]}


def said(graded):
    """All that the grader says, in one text."""
    texts = [" | ".join(str(value) for value in question.values() if value != "") for question in graded["questions"]]
    return "\n".join([graded["problem"], *graded["notes"], *texts])


def is_clean(graded):
    """Whether all that the grader says is printable and short."""
    return all(line.isprintable() and len(line) < 1000 for line in said(graded).splitlines())


@pytest.mark.parametrize("cell, words", samples("cells"))
def test_a_cell_that_does_harm_costs_no_points(grade, cell, words):
    needs = re.match(r"# needs (\d+) s\n", cell)
    graded = grade(cell, cell=int(needs[1]) if needs else CELL)
    assert points(graded) == KEPT, said(graded)
    assert re.search(words, said(graded)) and is_clean(graded)


@pytest.mark.parametrize("cell, words", samples("answers"))
def test_an_answer_that_does_harm_earns_nothing_and_costs_nothing(grade, cell, words, request):
    hasty = "no answer" in words or "end" in request.node.callspec.id
    graded = grade(cell, name="ex94_hasty" if hasty else "ex91_hostile")
    assert points(graded) == KEPT, said(graded)
    assert re.search(words, said(graded)) and is_clean(graded)


@pytest.mark.parametrize("cell, words", samples("others"))
def test_an_answer_of_another_kind_earns_nothing_and_costs_nothing(grade, cell, words):
    graded = grade(cell, name="ex92_hostile")
    assert points(graded) == KEPT, said(graded)
    assert re.search(words, said(graded)) and is_clean(graded)


@pytest.mark.parametrize("cell, words", samples("stolen"))
def test_an_answer_of_somebody_else_earns_nothing(grade, cell, words):
    graded = grade(cell)
    assert points(graded) == KEPT, said(graded)
    assert re.search(words, said(graded)) and is_clean(graded)


def robbery(driver, place, setup):
    """What the grader says of a notebook with all thefts: {title: note on the cell that looks for its loot}."""
    cells, titles = [], {}
    for theft in samples("thefts"):
        cells += [f"import os\nos.chdir(os.environ['HOME'])\nloot = None\n{theft.values[0]}", LOOK]
        titles[f"Cell {len(cells) + 2} "] = theft.id
    path = place / "submissions" / "own.ipynb"
    path.write_bytes(notebook(setup, DOUBLE, *cells, TRIPLE, "assert double and triple"))
    graded = driver.grade(path)
    assert points(graded) == KEPT and not graded["problem"] and f"Cell {len(cells) + 4} " not in said(graded)
    return {title: "".join(note for note in graded["notes"] if note.startswith(cell)) for cell, title in titles.items()}


@pytest.fixture(scope="module")
def robbed(drivers, place, setup, listener):
    """What thefts find where every layer is on that this system has."""
    drivers.append(Driver(place / "temp"))
    return robbery(drivers[-1], place, setup)


@pytest.fixture(scope="module")
def robbed_with_the_hook_alone(place, setup, listener, tmp_path_factory):
    """What thefts find where a system has no layer but the audit hook."""
    driver = Driver(tmp_path_factory.mktemp("alone"), "1", "")
    try:
        return robbery(driver, place, setup)
    finally:
        driver.close()


@pytest.mark.parametrize("theft", [theft.id for theft in samples("thefts")])
def test_a_theft_finds_nothing(robbed, theft):
    if NEEDS.get(theft) in sandbox.LAYERS.keys() - sandbox.available():
        pytest.skip(sandbox.LAYERS[NEEDS[theft]][1])
    assert robbed[theft] == ""


def test_the_hook_alone_stops_the_ordinary_thefts(robbed_with_the_hook_alone):
    found = [theft for theft, note in robbed_with_the_hook_alone.items() if note]
    assert set(found) <= set(NEEDS)


def test_no_theft_has_reached_the_servers(robbed, robbed_with_the_hook_alone, listener):
    assert not listener[2]


@pytest.mark.parametrize("forks, layers", [("0", sandbox.LAYERS), ("1", [""])],
                         ids=["no fork server", "no layer"])
def test_on_a_system_that_has_less(tmp_path, setup, forks, layers):
    cells = {one.id: one.values[0] for one in samples("cells")}
    chosen = ["builtins replaced", "forged lines to every file", "fork bomb", "loop that swallows interrupts"]
    (tmp_path / "temp").mkdir()
    driver = Driver(tmp_path / "temp", forks, ",".join(layers))
    path = tmp_path / "own.ipynb"
    path.write_bytes(notebook(setup, DOUBLE, *(cells[title] for title in chosen), RIGHT, TRIPLE))
    try:
        graded = driver.grade(path, cell=3)
        assert points(graded) == {**KEPT, "sigmoid": 2} and not graded["problem"], said(graded)
        left = driver.left()
    finally:
        driver.close()
    assert not left and not list((tmp_path / "temp").iterdir())


def test_the_alarm_works(grade):
    assert "stopped with RuntimeError: stolen" in said(grade("loot = True", LOOK))


def test_without_the_sandbox_every_theft_succeeds(place, setup):
    thefts = {theft.id: theft.values[0] for theft in samples("thefts")}
    (place / "thefts.json").write_text(json.dumps(thefts))
    environment = {**os.environ, SECRET: "found", "PYTHONPATH": str(COURSE), "NNLIB_CHECKS": str(HOSTILE),
                   "NNLIB_PROGRESS": str(place / "progress.json")}
    run = subprocess.run([sys.executable, HOSTILE / "control.py", place / "thefts.json", setup], env=environment,
                         capture_output=True, text=True, timeout=120, cwd=place)
    assert json.loads(run.stdout.splitlines()[-1]) == [], run.stderr


@pytest.mark.parametrize("cell, words", samples("right"))
def test_an_odd_notebook_keeps_its_points(grade, cell, words):
    graded = grade(cell)
    assert points(graded) == {**KEPT, "sigmoid": 2} and not graded["problem"], said(graded)


def notebooks():
    """Notebooks of ordinary mishaps: {title: (cells, points, words)}; `double` and `triple` are right in all."""
    both = {**KEPT, "sigmoid": 2}
    wrong = RIGHT.replace("tanh", "cos")
    return {
        "correct": ([RIGHT], both, ""),
        "blank": (["def sigmoid(z):\n    raise NotImplementedError"], KEPT, "not attempted"),
        "no cells at all": ([], KEPT, "not attempted"),
        "one case of three": (["def sigmoid(z):\n    import numpy\n    if numpy.ndim(z) < 2:\n        return z\n"
                               "    return 0.5 * (1 + numpy.tanh(z / 2))"], {**KEPT, "sigmoid": 0.5}, "partly right"),
        "a syntax error in one cell": (["def oops(:\n  pass", RIGHT], both, "Cell 3 stopped with SyntaxError"),
        "a syntax error in the answer": (["def sigmoid(z)\n    return z"], KEPT, "Cell 3 stopped with SyntaxError"),
        "an indentation error": (["  x = 1\n y = 2", RIGHT], both, "Cell 3 stopped with IndentationError"),
        "a NUL in a cell": (["x = '\0'", RIGHT], both, "Cell 3"),
        "a surrogate in a cell": (["x = '\ud800'\n" + RIGHT, RIGHT], both, ""),
        "a cell of 10 MB in one line": (["x = '" + "x" * 10**7 + "'", RIGHT], both, ""),
        "a cell of 100,000 lines": (["x = 1\n" * 10**5, RIGHT], both, ""),
        "a cell nested too deeply to parse": (["(" * 10**5, "[" * 150 + "]" * 150, "-" * 10**5 + "1", RIGHT], both,
                                              "Cell 3"),
        "a thousand cells": ([*["x = 1"] * 1000, RIGHT], both, ""),
        "cells doubled": ([RIGHT, RIGHT, CHECKS, CHECKS], both, ""),
        "cells in another order": ([CHECKS, "sigmoid(0)", RIGHT], both, "Cell 3 stopped with NameError"),
        "the right answer, then a wrong one": ([RIGHT, wrong], KEPT, "not right yet"),
        "the wrong answer, then the right one": ([wrong, "check(sigmoid)", RIGHT], both, ""),
        "the function renamed": ([RIGHT.replace("sigmoid", "sigmoyd"), "check(sigmoyd)"], KEPT, "not attempted"),
        "the test cell edited": ([wrong, "assert True", "check = print", "sigmoid.points = 2"], KEPT, ""),
        "the set asked for again": ([RIGHT, 'check = ExerciseSet("ex91_hostile")', 'ExerciseSet("ex01")'], both, ""),
        "magics": (["%matplotlib inline\n!ls /\nx = !ls\nsigmoid?\n%run nothing.py\n%load_ext autoreload",
                    "%%bash\nls", "%timeit 1 + 1", "%%html\n<b>", f"%%time\n{RIGHT}"], both, ""),
        "await at top level": (["import asyncio\nawait asyncio.sleep(0)", RIGHT], both, ""),
        "async for at top level": (["async def one(): yield 1", "async for x in one(): pass", RIGHT], both, ""),
        "input": (["name = input('Your name? ')", RIGHT], both, "Cell 3 stopped with EOFError"),
    }


@pytest.mark.parametrize("title", notebooks())
def test_an_ordinary_mishap(grade, title):
    cells, expected, words = notebooks()[title]
    graded = grade(*cells)
    assert points(graded) == expected and words in said(graded) and not graded["problem"], said(graded)
    assert is_clean(graded)


def test_setup_and_check_cells_deleted(driver, place):
    path = place / "submissions" / "ex91_by_anna.ipynb"
    path.write_bytes(notebook(DOUBLE, RIGHT))
    assert points(driver.grade(path)) == {"double": 1, "sigmoid": 2}


def test_hostile_cells_together(grade):
    cells = {one.id: one.values[0] for one in samples("cells")}
    chosen = ["os._exit", "endless loop", "forged frames to every file", "builtins replaced", "killed worker"]
    first = grade(*(cells[title] for title in chosen), RIGHT, cell=CELL)
    assert points(first) == {**KEPT, "sigmoid": 2}
    assert grade(*(cells[title] for title in chosen), RIGHT, cell=CELL) == first, "another report at a second time"


def test_a_seed_gives_the_same_report_and_hard_coded_answers_of_one_seed_fail_at_another(grade):
    learned = "seen = []\n" + RIGHT.replace("    import numpy", "    import numpy\n    print(numpy.ravel(z)[0])")
    assert grade(learned, seed=5) == grade(learned, seed=5)
    assert grade(learned, seed=5)["seed"] == 5


WRONG_FILES = {  # what is in the file, and what the grader says
    "empty": (b"", "is not JSON"),
    "half": (notebook(RIGHT)[:-9], "is not JSON"),
    "binary": (bytes(range(256)) * 99, "is not JSON"),
    "latin-1": (notebook("ü").replace(b"\\u00fc", b"\xfc"), "is not JSON"),
    "nested 10^5 times": (b"[" * 100_000, "is not JSON"),
    "a number": (b"3", "not a notebook"),
    "a number of 10^5 digits": (b'{"nbformat": ' + b"9" * 100_000 + b"}", ""),
    "cells of other kinds": (b'{"cells": [null, {"cell_type": "code", "source": {"a": 3}}]}', "not a notebook"),
    "cells that are one object": (b'{"cells": {"a": 1}, "nbformat": 4}', "not a notebook"),
    "metadata of other kinds": (notebook('ExerciseSet("ex91_hostile")', metadata=[{"kernelspec": 3}]), ""),
    "no exercise set": (notebook("x = 1"), "has no exercise set in it"),
    "another exercise set": (notebook('ExerciseSet("ex77_other")'), "unknown exercise set"),
    "format 3": (json.dumps({"worksheets": [{"cells": []}], "nbformat": 3, "metadata": {}}).encode(), "format 3"),
    "format 5": (notebook(RIGHT, nbformat=5), "format 5"),
    "a notebook for R": (notebook("x <- 1", metadata={"kernelspec": {"language": "R"}}), "for R, not for Python"),
}


@pytest.mark.parametrize("title", WRONG_FILES)
def test_what_is_no_notebook_gets_a_clear_note(driver, place, title):
    content, words = WRONG_FILES[title]
    path = place / "submissions" / "anna.ipynb"
    path.write_bytes(content)
    graded = driver.grade(path)
    assert graded["points"] == 0 and words in graded["problem"] and is_clean(graded)


def test_a_notebook_of_200_megabytes(driver, place):
    path = place / "submissions" / "huge.ipynb"
    with open(path, "wb") as file:
        file.write(notebook(RIGHT, metadata={"junk": "JUNK"}).partition(b"JUNK")[0])
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b'"}}')
    graded = driver.grade(path)
    path.unlink()
    assert "too large: 200 MiB" in graded["problem"]


def odd_places(folder):
    """Makes what is no regular file; {path: words of the grader}."""
    (folder / "folder.ipynb").mkdir()
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "loop.ipynb").symlink_to("loop.ipynb")
    (folder / "dangling.ipynb").symlink_to("nowhere.ipynb")
    (folder / "zero.ipynb").symlink_to("/dev/zero")
    (folder / "passwords.ipynb").symlink_to("/etc/passwd")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(folder / "s.ipynb"))
    return {"folder.ipynb": "is not a file|cannot be read", "pipe.ipynb": "is not a file",
            "loop.ipynb": "cannot be read|link", "dangling.ipynb": "cannot be read", "zero.ipynb": "link|not a file",
            "passwords.ipynb": "link", "s.ipynb": "is not a file|cannot be read"}


def test_what_is_no_file_gets_a_clear_note(driver, tmp_path):
    for name, words in odd_places(tmp_path).items():
        assert re.search(words, driver.grade(tmp_path / name)["problem"]), name


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(driver, tmp_path):
    path = tmp_path / "locked.ipynb"
    path.write_bytes(notebook(RIGHT))
    path.chmod(0)
    assert "cannot be read" in driver.grade(path)["problem"]


NAMES = [b"anna maria.ipynb", "Zo\u00eb \u4f60.ipynb".encode(), b"two\nlines.ipynb", b"not\xffutf-8.ipynb",
         b"=1+1.ipynb", b"<script>.ipynb", b"-rf.ipynb", b"a'b\"c$(x).ipynb", b"%s{0}\\n.ipynb", b"\x1b[2J.ipynb"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_file_of_any_name_is_graded(driver, tmp_path, setup, name):
    path = os.path.join(os.fsencode(tmp_path), name)
    Path(os.fsdecode(path)).write_bytes(notebook(setup, DOUBLE, TRIPLE))
    graded = driver.grade(os.fsdecode(path))
    assert points(graded) == KEPT and is_clean(graded)
    assert graded["notebook"].isprintable() and graded["learner"].isprintable()


def test_the_command_goes_through_a_folder_of_everything(tmp_path, setup):
    folder = tmp_path / "in"
    folder.mkdir()
    odd = odd_places(folder)
    for title, (content, _) in WRONG_FILES.items():
        (folder / f"{title}.ipynb").write_bytes(content)
    for name in NAMES:
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(notebook(setup, DOUBLE, TRIPLE))
    (folder / "killer.ipynb").write_bytes(notebook(setup, DOUBLE, "import os\nos._exit(1)", TRIPLE))
    (folder / "empty folder").mkdir()
    temp = tmp_path / "temp"
    temp.mkdir()
    environment = {**os.environ, "TMPDIR": str(temp), "PYTHONPATH": str(COURSE), "NNLIB_CHECKS": str(HOSTILE)}
    command = [sys.executable, "-m", "nnlib.grading", folder, "--report", tmp_path / "out", "--seed", "3"]
    run = subprocess.run(command, env=environment, capture_output=True, timeout=120, cwd=tmp_path)
    assert run.returncode == 1 and b"Traceback" not in run.stderr, run.stderr.decode()
    assert not list(temp.iterdir())
    report = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    graded = [one for learner in json.loads(report["report.json"])["learners"] for one in learner["notebooks"]]
    assert len(graded) == len(odd) + len(WRONG_FILES) + len(NAMES) + 1
    assert [one["points"] for one in graded if one["points"]] == [2] * (len(NAMES) + 1)
    assert not [one for one in graded if not one["points"] and not one["problem"] and one["set"] != "ex91_hostile"]
    pages = [text for name, text in report.items() if name.endswith("html")]
    assert pages and not [page for page in pages if b"<script>." in page] and b"\x1b" not in b"".join(report.values())


def test_a_folder_without_notebooks(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    environment = {**os.environ, "PYTHONPATH": str(COURSE)}
    run = subprocess.run([sys.executable, "-m", "nnlib.grading", tmp_path], env=environment, capture_output=True,
                         text=True, timeout=300)
    assert run.returncode == 2 and "holds no notebook" in run.stderr and "Traceback" not in run.stderr


def test_a_grader_that_is_killed_leaves_no_process_behind(tmp_path, setup):
    (tmp_path / "temp").mkdir()
    driver = Driver(tmp_path / "temp")
    path = tmp_path / "own.ipynb"
    path.write_bytes(notebook(setup, "while True:\n    try:\n        while True: pass\n    except BaseException: pass"))
    driver.process.stdin.write(json.dumps({"path": str(path), "timeout": 60}) + "\n")
    driver.process.stdin.flush()
    deadline = time.monotonic() + 120
    while len(seen := {pid for pid in driver.descendants() if "zygote" in command(pid)}) < 2:
        assert time.monotonic() < deadline, "the grader has started no worker"
        time.sleep(0.05)
    driver.process.kill()
    driver.process.wait()
    while alive := {pid for pid in seen if pid in parents()}:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)
    driver.process.stdin.close()
    driver.process.stdout.close()


def test_nothing_is_left_behind_in_the_end(drivers, place):
    numbers = [driver.process.pid for driver in drivers]
    for driver in drivers:
        if driver.process.poll() is None:
            driver.close()
    assert not list((place / "temp").iterdir()) and not [folder for number in numbers for folder in cgroups(number)]
    drivers.clear()
