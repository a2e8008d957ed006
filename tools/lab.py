"""Start JupyterLab on the course.

    python tools/lab.py [NOTEBOOK] [JUPYTER OPTION...]

It listens on this machine only, keeps its token, asks nobody for news or updates and installs no extensions.
A learner's own JupyterLab settings (theme, shortcuts) stay in force. Options that would let in others are refused, and
one that lets others knock is warned of: whoever is in runs programs as you.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WELCOME = "notebooks/00_welcome.ipynb"
REFUSED = {  # by the last part of an option's name
    "token": "the token keeps others out, and a command line is no place for one, as every user of this machine can "
             "read it; leave it out, or set JUPYTER_TOKEN in the environment",
    "allow_unauthenticated_access": "it lets in whoever asks",
    "disable_check_xsrf": "any page that is open in your browser could then run programs as you",
    "allow_origin": "any page that is open in your browser could then read your files",
    "allow_origin_pat": "pages of other sites could then read your files"}
HERE = ("127.0.0.1", "localhost", "::1")
WINDOWS = os.name == "nt"


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


def judge(arguments):
    """(sentence on the option for which JupyterLab is not started, sentence to warn of another one); "" for none."""
    refusal = warning = ""
    for option, following in zip(arguments, [*arguments[1:], ""]):
        name, equals, value = option.partition("=")
        value = (value if equals else following).strip("'\"")
        found = re.fullmatch(r"--?(?:\w+\.)?(\w+)", name)
        last = found[1] if found else ""
        if last in REFUSED:
            refusal = f"{name}: {REFUSED[last]}. JupyterLab was not started."
        elif last == "ip" and value not in HERE:
            warning = (f"{name} {value}: JupyterLab can now be reached from other machines, without encryption; its "
                       "token is all that keeps them out. Without this option it listens on this machine only.")
    return refusal, warning


def main(arguments):
    """Replace this process by JupyterLab (on Windows: wait for it)."""
    refusal, warning = judge(arguments)
    if refusal:
        return refusal
    if warning:
        print(f"Warning: {warning}", file=sys.stderr, flush=True)
    notebook = arguments.pop(0) if arguments and arguments[0].endswith(".ipynb") else WELCOME
    if not Path(ROOT, notebook).is_file():
        return f"{notebook}: expected a notebook of this folder, found none. Try {WELCOME}."
    full = command(notebook=Path(notebook).as_posix()) + arguments
    if not WINDOWS:
        os.execve(full[0], full, environment())
    try:
        return subprocess.call(full, env=environment())
    except KeyboardInterrupt:  # Ctrl-C, which JupyterLab has got, too
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
