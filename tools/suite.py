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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COVERED = 95  # percent of the library's lines that the units must run, the least
NEEDS_TORCH = ("import importlib.util, sys; sys.exit(None if importlib.util.find_spec('torch') else 'PyTorch is not "
               "installed, and without it the tests that compare with it are skipped; .ci/run installs it')")


def steps(copies, quick):
    """Pairs (name, command) in the order of running."""
    pytest = [sys.executable, "-m", "pytest", "-q", f"--color={'yes' if sys.stdout.isatty() else 'no'}"]
    parallel = ["-n", "2", "--dist", "loadfile"]  # nbval needs all cells of a notebook on one worker
    nbval = ["--nbval-lax" if quick else "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120",
             f"--nbval-sanitize-with={ROOT / 'tests' / 'notebooks' / 'sanitize.cfg'}",
             f"--rootdir={copies}", "-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider"]
    yield "lint", [sys.executable, "-m", "ruff", "check", "--output-format=concise"]
    if os.environ.get("CI") and not quick:
        yield "torch", [sys.executable, "-c", NEEDS_TORCH]
    yield "units", [*pytest, *parallel, "tests", "--ignore=tests/browser", "--cov", "--cov-report="]
    yield "coverage", [sys.executable, "-m", "coverage", "report", f"--fail-under={COVERED}", "--skip-covered",
                       "--show-missing", "--sort=cover"]
    yield "notebooks", [*pytest, *parallel, *nbval, copies]
    if not quick:
        yield "browser", [*pytest, "tests/browser"]


def copy_notebooks(folder):
    """Lay out all notebooks in a temporary folder as in the repository, with freshly generated exercises."""
    for name in ("notebooks", "solutions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "conftest.py", folder)
    return subprocess.run([sys.executable, ROOT / "tools" / "exercises.py", "copy", folder],
                          stdout=subprocess.DEVNULL).returncode == 0


def main(arguments=None):
    """Run all steps, also after a failure; returns 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    results = []
    with tempfile.TemporaryDirectory(prefix="nnlib-suite-", ignore_cleanup_errors=True) as temporary:
        copies = Path(temporary, "course")
        copies.mkdir()
        env = os.environ | {"NNLIB_PROGRESS": str(Path(temporary, "progress.json")), "IPYTHONDIR": temporary,
                            "JUPYTER_CONFIG_DIR": str(Path(temporary, "jupyter"))}
        env |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # two workers: more threads would only wait
        env["COVERAGE_FILE"] = str(Path(temporary, "coverage"))
        if sys.version_info >= (3, 12):
            env["COVERAGE_CORE"] = "sysmon"  # counts lines at almost no cost
        if not copy_notebooks(copies):
            results.append(("copies", False, 0.0))
        for name, command in steps(copies, options.quick):
            print(f"\n== {name}", flush=True)
            start = time.perf_counter()
            passed = subprocess.run(list(map(str, command)), cwd=ROOT, env=env).returncode == 0
            results.append((name, passed, time.perf_counter() - start))
    success = all(passed for _, passed, _ in results)
    print()
    for name, passed, seconds in [*results, ("all", success, sum(seconds for *_, seconds in results))]:
        print(f"{name:10} {'passed' if passed else 'FAILED'} {seconds:6.0f} s")
    return 0 if success else 1


if __name__ == "__main__":
    sys.exit(main())
