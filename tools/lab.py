"""Start JupyterLab on the course.

    python tools/lab.py [NOTEBOOK] [JUPYTER OPTION...]

It listens on this machine only, keeps its token, asks nobody for news or updates and installs no extensions.
A learner's own JupyterLab settings (theme, shortcuts) stay in force.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WELCOME = "notebooks/00_welcome.ipynb"


def command(folder=ROOT, notebook=WELCOME):
    """The command line that serves a folder of notebooks and opens one of them."""
    options = [
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{notebook}",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # in a container; Jupyter refuses it otherwise
    return [sys.executable, "-m", "jupyterlab", *options]


def environment(base=os.environ):
    """The variables it runs with: page_config.json hides news, extension manager, teachers' tools."""
    folders = [str(ROOT / "tools" / "jupyter"), *filter(None, [base.get("JUPYTER_CONFIG_PATH")])]
    return base | {"JUPYTER_CONFIG_PATH": os.pathsep.join(folders)}


def main(arguments):
    """Replace this process by JupyterLab (on Windows: wait for it)."""
    notebook = arguments.pop(0) if arguments and arguments[0].endswith(".ipynb") else WELCOME
    if not Path(ROOT, notebook).is_file():
        return f"{notebook}: expected a notebook of this folder, found none. Try {WELCOME}."
    full = command(notebook=Path(notebook).as_posix()) + arguments
    if os.name != "nt":
        os.execve(full[0], full, environment())
    return subprocess.call(full, env=environment())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
