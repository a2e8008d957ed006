"""Take a picture of a running notebook, or of one of its explorers, in real JupyterLab.

    python tools/screenshot.py notebooks/03_gradient_descent.ipynb --explorer nnlib-momentum-explorer out.png

Without --explorer the window is shown as it looks after running all cells.
"""

import argparse
import sys
from pathlib import Path

from browser import Lab, LabError


def main(arguments=None):
    """The command line; returns 0 when the picture is written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--explorer", metavar="CLASS", help="its CSS class, such as nnlib-momentum-explorer")
    parser.add_argument("--index", type=int, default=0, help="which of several, from 0")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1000)
    options = parser.parse_args(arguments)
    folder, name = options.notebook.parent, options.notebook.name
    with Lab(folder, options.width, options.height) as lab, lab.open(name) as notebook:
        notebook.run_all()
        for sentence in notebook.errors():
            print(sentence, file=sys.stderr)
        if options.explorer:
            notebook.explorer(options.explorer, options.index).place.screenshot(path=options.out)
        else:
            notebook.page.screenshot(path=options.out)
    print(options.out)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
