"""python -m nnlib.grading PATH...: grade notebooks and print their points.

Exit code: 0 all graded; 1 a notebook, or a question of it, could not be graded; 2 a path or option is wrong.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from nnlib.grading.grader import GraderError, find_notebooks, grade, table


def positive(text):
    """A time in seconds, above 0."""
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise ValueError
    return seconds


def main(arguments=None):
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nnlib.grading", description="Grade exercise notebooks.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a notebook, or a folder of notebooks")
    parser.add_argument("--timeout", type=positive, default=120.0, metavar="SECONDS",
                        help="for one notebook (default 120)")
    parser.add_argument("--json", metavar="FILE", help="write the points and reasons there, too")
    options = parser.parse_args(arguments)
    try:
        notebooks = find_notebooks(options.paths)
    except GraderError as error:
        print(f"nnlib.grading: {error}", file=sys.stderr)
        return 2
    results = []
    for notebook in notebooks:
        results.append(grade(notebook, options.timeout))
        print(table(results[-1]), flush=True)
    if options.json:
        everything = [asdict(one) | {"points": one.points, "possible": one.possible} for one in results]
        try:
            Path(options.json).write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            print(f"nnlib.grading: {options.json}: cannot be written: {error.strerror}.", file=sys.stderr)
            return 2
    return 1 if any(graded.problem for graded in results) else 0


if __name__ == "__main__":
    sys.exit(main())
