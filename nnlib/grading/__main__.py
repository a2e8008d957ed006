"""Grade the exercise notebooks of a class: points, what went wrong, reports as text, tables, JSON and web pages.

SUBMISSIONS: a folder with a folder for each learner (nbgrader's submitted/ is one), which holds notebooks at any depth;
or a folder of loose notebooks, whose learner is the file name without the set's; or notebooks. Where a learner hands in
several notebooks of one set, all are graded, the best counts, and the reports say so.

Exit codes: 0 all is graded; 1 a submission, or a question of one, could not be graded (the reports say which, and why);
2 a path or option is wrong, DIR cannot be written, or Python runs in a browser; 3 --strict, and this system lacks a
protection; 130 interrupted: what was done is reported; 141 nobody reads on what it prints, as with `| head`.
"""

import argparse
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from nnlib.grading import pages, reports, sandbox
from nnlib.grading.batch import collect, grade_each
from nnlib.grading.grader import NOT_GRADED
from nnlib.grading.notebooks import GraderError
from nnlib.grading.workers import NO_PROCESSES

OURS = ("report.json", "report.txt", "grades.csv", "points.csv", "index.html", "learners")


def positive(text):
    """A time in seconds, above 0."""
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise ValueError
    return seconds


def natural(text):
    """A whole number, 0 or above, that JSON readers keep exactly."""
    if not 0 <= int(text) < 2**53:
        raise ValueError
    return int(text)


def jobs(text):
    """A number of processes: 1 or above."""
    if not 1 <= int(text) <= 1000:
        raise ValueError
    return int(text)


def parse(arguments):
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m nnlib.grading", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("submissions", nargs="+", metavar="SUBMISSIONS", help="a folder of learners, or notebooks")
    parser.add_argument("--report", type=Path, metavar="DIR",
                        help="write the reports there, a new or empty folder or an older report; else print points")
    parser.add_argument("--jobs", type=jobs, default=1, metavar="N",
                        help="grade so many notebooks at a time (default 1)")
    parser.add_argument("--seed", type=natural, metavar="S",
                        help="draw the cases' numbers from this seed (default: a fresh one, which the reports name)")
    parser.add_argument("--strict", action="store_true", help="do not begin where this system lacks a protection")
    parser.add_argument("--timeout", type=positive, default=120.0, metavar="SECONDS",
                        help="for one notebook (default 120)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write report.json there, too")
    return parser.parse_args(arguments)


def main(arguments=None):
    """Run the command line; returns the exit code."""
    try:
        code = _main(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed at the end
        return 128 + 13  # as a shell says of a program that SIGPIPE has ended


def _main(arguments):
    options = parse(arguments)
    if NO_PROCESSES:
        return _stop(2, NO_PROCESSES)
    if inside := [place for place in options.submissions if _imports_from(place)]:
        return _stop(2, f"{inside[0]}: Python was started in what is to be graded, and imports what lies there: a "
                        "learner's random.py would run outside the sandbox. Start in the course's folder.")
    with contextlib.suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know every learner's letters
    try:
        submissions = collect(options.submissions, but=options.report)
        for place in filter(None, (options.report, options.json)):
            prepare(place, folder=place is options.report)
    except GraderError as error:
        return _stop(2, error)
    active, missing = sandbox.protections(), sandbox.missing()
    if options.strict and missing:
        return _stop(3, "--strict, and protections are missing: " + " ".join(missing))
    seed = secrets.randbits(48) if options.seed is None else options.seed
    graded, interrupted = run(submissions, options, seed)
    notes = [f"Interrupted: {len(graded)} of {len(submissions)} submissions were graded."] if interrupted else []
    batch = reports.Batch(tuple(graded), seed, tuple(active), tuple(missing), tuple(notes))
    try:
        if options.report:
            write(batch, options.report)
        if options.json:
            options.json.write_text(json.dumps(reports.as_data(batch), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        return _stop(2, f"{error.filename or options.report}: cannot be written: {error.strerror}.")
    failed = sum(bool(one.problem) or any(each["status"] == NOT_GRADED for each in one.questions) for one in graded)
    said = [batch.heading + ".", *notes, *missing]
    if failed:
        said.append(f"{failed} could not be graded in full.")
    if options.report:
        said.append(f"Reports: {options.report / 'index.html'}")
    print("\n".join(said))
    return 130 if interrupted else 1 if failed else 0


def _imports_from(place):
    """Whether Python looks for modules in this folder, or deeper in it: `python -m` does where it is started."""
    here, place = os.path.realpath(os.getcwd()), os.path.realpath(place)
    looked = {os.path.realpath(folder) for folder in sys.path if folder}
    return here in looked and os.path.isdir(place) and Path(here).is_relative_to(place)


def _stop(code, said):
    print(f"nnlib.grading: {said}", file=sys.stderr)
    return code


def run(submissions, options, seed):
    """(what was graded, whether Ctrl-C ended it)."""
    from joblib.externals.loky import get_reusable_executor

    graded, pressed = [], []

    def interrupt(number, frame):
        pressed.append(number)  # a call that swallows the exception does not swallow this
        raise KeyboardInterrupt
    try:
        before = signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # not in the main thread, which alone gets signals
        before = None
    scratch = tempfile.TemporaryDirectory(prefix="nnlib-grading-", ignore_cleanup_errors=True)
    kept = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = scratch.name  # of the processes to come: some are killed before they can tidy up
    bar = bool(options.report) and sys.stderr.isatty()  # else the points that are printed show how far it is
    results = grade_each(submissions, options.jobs, seed, bar, options.timeout)
    try:
        for one in results:
            if pressed:
                break
            graded.append(one)
            if not options.report:
                print(reports.notebook_text(one), flush=True)
    except KeyboardInterrupt:
        pressed.append(signal.SIGINT)
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        results.close()
        if options.jobs > 1:
            get_reusable_executor().shutdown()  # else its processes wait for more work, in a folder that is gone
        scratch.cleanup()
        del os.environ["TMPDIR"]
        os.environ.update({"TMPDIR": kept} if kept is not None else {})
    return graded, bool(pressed)


def prepare(place, folder):
    """See that reports can be written to a folder, or to a file. Raises GraderError."""
    try:
        if not folder:
            return place.open("a").close()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)  # names and points: for the teacher alone, as grades are
        tempfile.TemporaryFile(dir=place).close()
        inside = [one.name for one in place.iterdir()]
    except OSError as error:
        raise GraderError(f"{place}: cannot be written: {error.strerror}.") from None
    if inside and not _is_report(place):
        raise GraderError(f"{place}: holds other things ({sorted(inside)[0]}); name a new or empty folder, or one that "
                          "an earlier run has written.")


def _is_report(folder):
    with contextlib.suppress(OSError, ValueError, RecursionError, TypeError, KeyError):
        return json.loads((folder / "report.json").read_text(encoding="utf-8"))["format"] == reports.FORMAT
    return False


def write(batch, folder):
    """Write all reports to a folder, in place of older ones. Raises OSError."""
    for name in OURS[1:]:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    for name, content in [*reports.files(batch).items(), *pages.files(batch)]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8", newline="")


if __name__ == "__main__":
    sys.exit(main())
