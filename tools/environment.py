"""Create or update the environment of the course in .venv: with uv where it is installed, else with pip.

    python tools/environment.py

Needs nothing but Python 3.11 to 3.14. Installs what requirements.lock names, and nnlib from this folder.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
READY = VENV / ".ready"  # holds its folder; newer than requirements.lock: nothing to do
OLDEST, NEWEST = (3, 11), (3, 14)


def works(python, module):
    """Does this Python start, has it the module, and is its version one that the course supports?"""
    code = f"import sys, {module}; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    try:
        return subprocess.run([python, "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


def call(*command):
    """Run a command; end with a sentence when it fails."""
    if subprocess.run(list(map(str, command)), cwd=ROOT).returncode:
        sys.exit("The environment is not complete: the command above failed. It needs the network and 1 GB\n"
                 "of disk; try again, or remove .venv first.")


def create(uv):
    """Make an empty .venv where there is none that works."""
    if works(PYTHON, "sys" if uv else "pip"):
        return
    if VENV.exists():
        print("The Python or pip of .venv does not work (any more): making a new one.", flush=True)
    if uv:
        call(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
    elif not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        sys.exit(f"{sys.executable} has no venv module. On Debian and Ubuntu: package python3-venv\n"
                 "(sudo apt install python3-venv). Or install uv, which needs no venv module.")
    else:
        call(sys.executable, "-m", "venv", "--clear", VENV)


def install(uv):
    """Install the locked packages, by hash, and nnlib itself as the files of this folder."""
    pip = [uv, "pip", "install", "--quiet", "--python", PYTHON] if uv else [
        PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The lock names all that is needed; and pip, which would look for more, stumbles over extras of older packages.
    call(*pip, "--no-deps", "--require-hashes", "-r", ROOT / "requirements.lock")
    call(*pip, "--no-deps", "--no-build-isolation", "-e", ROOT)


def main():
    """Create, install, and leave the stamp that make looks at."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(f"The course needs Python 3.11 to 3.14; {sys.executable} is {sys.version.split()[0]}.")
    start, uv = time.perf_counter(), shutil.which("uv")
    print(f"Installing into .venv with {'uv' if uv else 'pip'} and Python {sys.version.split()[0]}, "
          "about a minute ...", flush=True)
    create(uv)
    install(uv)
    READY.write_text(f"{ROOT}\n", encoding="utf-8")
    print(f"The environment is ready ({time.perf_counter() - start:.0f} s).", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted: the environment is not complete. The next call goes on from here.")
