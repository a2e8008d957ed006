"""Run every test of the course and say what passed; a learner's files and progress are not touched.

    python tools/suite.py [--quick]

--quick leaves out the browser and runs the notebooks without comparing what they print (nbval's lax mode),
for systems where a last digit may differ. With CI=true in the environment, nothing that a full run needs may be
missing: a browser, PyTorch.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COVERED = 95  # percent of the library's lines that its own tests must run, the least
AROUND = "grading", "tools", "widgets", "plots", "notebooks"  # folders of tests/ without coverage, the slow ones first
NEEDS_TORCH = ("import importlib.util, sys; sys.exit(None if importlib.util.find_spec('torch') else 'PyTorch is not "
               "installed, and without it the tests that compare with it are skipped; .ci/run installs it')")


class Step(NamedTuple):
    """One command; `beside`: those run one after the other beside the rest, and are shown in their turn."""

    name: str
    command: list
    beside: bool = False


def steps(copies, quick):
    """The Steps in the order of showing."""
    pytest = [sys.executable, "-m", "pytest", "-q", f"--color={'yes' if sys.stdout.isatty() else 'no'}"]
    parallel = ["-n", "2", "--dist", "loadfile"]  # nbval needs all cells of a notebook on one worker
    nbval = ["--nbval-lax" if quick else "--nbval", "--nbval-current-env", "--nbval-cell-timeout=600",
             f"--nbval-sanitize-with={ROOT / 'tests' / 'notebooks' / 'sanitize.cfg'}",
             f"--rootdir={copies}", "-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider"]
    in_order = [*parallel, "--no-loadscope-reorder"]  # the default begins with files of many tests, not of slow ones
    around = [f"tests/{folder}" for folder in AROUND]
    yield Step("lint", [sys.executable, "-m", "ruff", "check", "--output-format=concise"])
    if os.environ.get("CI") and not quick:
        yield Step("torch", [sys.executable, "-c", NEEDS_TORCH])
    yield Step("library", [*pytest, *in_order, "tests", "--cov", "--cov-report=",
                           *(f"--ignore={folder}" for folder in ["tests/browser", *around])])
    yield Step("coverage", [sys.executable, "-m", "coverage", "report", f"--fail-under={COVERED}", "--skip-covered",
                            "--show-missing", "--sort=cover"])
    yield Step("units", [*pytest, *in_order, *around])
    if not quick:  # first of those beside: it is done while the library is tested
        yield Step("browser", [*pytest, "tests/browser"], beside=True)
    yield Step("notebooks", [*pytest, *parallel, *nbval, copies], beside=True)


def copy_notebooks(folder):
    """Lay out all notebooks in a temporary folder as in the repository, with freshly generated exercises."""
    for name in ("notebooks", "solutions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "conftest.py", folder)
    return subprocess.run([sys.executable, ROOT / "tools" / "exercises.py", "copy", folder],
                          stdout=subprocess.DEVNULL).returncode == 0


def run(step, env, cwd=ROOT):
    """Run a Step; returns (name, whether it passed, seconds) and what it said, "" where that is shown at once."""
    kept = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if step.beside else {}
    start = time.perf_counter()
    done = subprocess.run(list(map(str, step.command)), cwd=cwd, env=env, encoding="utf-8", errors="replace", **kept)
    return (step.name, done.returncode == 0, time.perf_counter() - start), done.stdout or ""


def run_all(todo, env, cwd=ROOT):
    """Run Steps in order, those beside the others from the beginning on; yields (name, whether it passed, seconds).

    Where one row waits, the other works: on two cores that is faster than all of it one after the other.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = {step.name: pool.submit(run, step, env, cwd) for step in todo if step.beside}
        for step in todo:
            print(f"\n== {step.name}", flush=True)
            result, said = running[step.name].result() if step.beside else run(step, env, cwd)
            print(said, end="", flush=True)
            yield result


def main(arguments=None):
    """Run all steps, also after a failure; returns 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    results, start = [], time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="nnlib-suite-", ignore_cleanup_errors=True) as temporary:
        copies = Path(temporary, "course")
        copies.mkdir()
        env = os.environ | {"NNLIB_PROGRESS": str(Path(temporary, "progress.json")), "IPYTHONDIR": temporary,
                            "JUPYTER_CONFIG_DIR": str(Path(temporary, "jupyter"))}
        env |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # several workers: more threads would only wait
        env["COVERAGE_FILE"] = str(Path(temporary, "coverage"))
        if sys.version_info >= (3, 12):
            env["COVERAGE_CORE"] = "sysmon"  # counts lines at almost no cost
        if not copy_notebooks(copies):
            results.append(("copies", False, 0.0))
        results += run_all(list(steps(copies, options.quick)), env)
    success = all(passed for _, passed, _ in results)
    print()
    for name, passed, seconds in [*results, ("all", success, time.perf_counter() - start)]:
        print(f"{name:10} {'passed' if passed else 'FAILED'} {seconds:6.0f} s")
    return 0 if success else 1


if __name__ == "__main__":
    sys.exit(main())
