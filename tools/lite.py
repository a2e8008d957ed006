"""Build the course as a web page in _site/: JupyterLite, whose Python (Pyodide) runs in the reader's browser.

    python tools/lite.py [JUPYTER LITE OPTION...]     such as --pyodide pyodide-314.0.6.tar.bz2

Needs the network once: what builds the page goes to .venv-lite, the course's own environment is not touched. The page
holds every notebook, the exercises as a learner gets them, nnlib, and the packages in pure Python that Pyodide lacks.
NumPy and the other compiled ones come from Pyodide's own server when a notebook is opened, unless the option --pyodide
names a copy of Pyodide for the page to hold. Any web server can show _site/: `python -m http.server -d _site`.
tools/jupyterlite/ holds the versions that fit each other, and the list of what Pyodide has.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import nbformat

import badges
import environment
import exercises
import notebooks

ROOT = Path(__file__).resolve().parent.parent
SITE, VENV = ROOT / "_site", ROOT / ".venv-lite"
REQUIREMENTS = Path(__file__).parent / "jupyterlite" / "requirements.txt"
PYODIDE = json.loads((Path(__file__).parent / "jupyterlite" / "pyodide.json").read_text(encoding="utf-8"))
BUNDLED = ("anywidget", "comm", "ipywidgets", "jupyterlab-widgets", "psygnal")  # as requirements.lock names them
LABEXTENSIONS = ("anywidget", "jupyterlab-widgets")  # those of them that bring code for the page
KERNEL = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
TAG = "lite-setup"  # of the cell that brings nnlib, and its id
SETUP = """# Brings the course's library into this page. The first time it takes a minute or two.
import os

os.environ["NNLIB_PROGRESS"] = "/drive/progress.json"  # your points, beside the notebooks of this page
%pip install -q nnlib"""
SETTINGS = {"jupyter-lite-schema-version": 0, "jupyter-config-data": {
    "appName": "From one neuron to attention", "defaultKernelName": "python"}}


def canonical(requirement):
    """The name in a requirement such as "jupyter_core >=5.7", as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def runs_there(requirement):
    """Is this a package that the page has: Pyodide's, or a bundled one?"""
    return canonical(requirement) in {*PYODIDE["packages"], *BUNDLED}


def converted(nb):
    """A notebook for the page, in place: its kernel's name, and a cell that brings nnlib; links to other ways go."""
    badges.with_setup(badges.without(nb), SETUP, TAG)
    notebooks.normalize(nb)
    nb.metadata.kernelspec = nbformat.from_dict(KERNEL)
    return nb


def wheel(folder):
    """Build nnlib's wheel in a folder; it requires only what the page has. Returns its path."""
    with tempfile.TemporaryDirectory(prefix="nnlib-lite-") as scratch:
        for name in ("LICENSE", "LICENSE-text", "README.md"):
            shutil.copy(ROOT / name, scratch)
        shutil.copytree(ROOT / "nnlib", Path(scratch, "nnlib"), ignore=shutil.ignore_patterns("__pycache__", ".*"))
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        for requirement in tomllib.loads(text)["project"]["dependencies"]:
            if not runs_there(requirement):
                text = text.replace(f'    "{requirement}",\n', "", 1)
        Path(scratch, "pyproject.toml").write_text(text, encoding="utf-8")
        build = "import sys; from flit_core.buildapi import build_wheel; print(build_wheel(sys.argv[1]))"
        name = call(sys.executable, "-c", build, folder, cwd=scratch)
    return Path(folder, name.strip())


def lay_out(folder):
    """Write all that the page is made of, but for other people's packages, into an empty folder."""
    for path in notebooks.find([ROOT / "notebooks"]):
        _store(notebooks.read(path), Path(folder, "files", "notebooks", path.name))
    for name, nb in exercises.generate().items():
        _store(nb, Path(folder, "files", name))
    Path(folder, "pypi").mkdir()
    wheel(Path(folder, "pypi"))
    Path(folder, "jupyter-lite.json").write_text(json.dumps(SETTINGS, indent=1) + "\n", encoding="utf-8")


def _store(nb, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    notebooks.write(converted(nb), path)


def bundled():
    """The lines of requirements.lock, with hashes, on the packages that the page holds."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^[\w.-]+==.*(?:\n    --hash=.*)+", lock, re.MULTILINE)
    return "".join(f"{entry}\n" for entry in entries if canonical(entry) in BUNDLED)


def call(*command, cwd=ROOT):
    """Run a command and return what it prints; ends with that and a sentence when it fails."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, text=True, stdout=subprocess.PIPE)
    if done.returncode:
        print(done.stdout[-5000:])
        sys.exit("The page is not built: the command above failed. The first time it needs the network; try again, or "
                 "remove .venv-lite first.")
    return done.stdout


def python():
    """The Python of .venv-lite, with what builds the page; made anew when the requirements have changed."""
    binary = VENV / environment.PYTHON.relative_to(environment.VENV)
    stamp = VENV / ".ready"
    if not (stamp.is_file() and stamp.read_bytes() == REQUIREMENTS.read_bytes()
            and environment.works(binary, "jupyterlite_core")):
        print("Installing what builds the page into .venv-lite ...", flush=True)
        if uv := shutil.which("uv"):
            call(uv, "venv", "--quiet", "--clear", "--seed", "--python", sys.executable, VENV)
        else:
            call(sys.executable, "-m", "venv", "--clear", VENV)
        call(binary, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "-r", REQUIREMENTS)
        stamp.write_bytes(REQUIREMENTS.read_bytes())
    return binary


def download(binary, folder):
    """Fetch the bundled wheels, by hash, into a folder: those in pure Python, for Pyodide runs no others."""
    with tempfile.TemporaryDirectory(prefix="nnlib-lite-") as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text(bundled(), encoding="utf-8")
        call(binary, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi",
             "none", "--python-version", ".".join(PYODIDE["python"].split(".")[:2]), "-d", folder, "-r", listed)


def build(binary, folder, site=SITE, options=()):
    """Build the page anew, from a folder that `lay_out` has filled."""
    download(binary, Path(folder, "pypi"))
    with_code = [str(path) for path in sorted(Path(folder, "pypi").glob("*.whl"))
                 if canonical(path.name.split("-")[0]) in LABEXTENSIONS]
    Path(folder, "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": {
        "contents": ["files"], "apps": ["lab"], "federated_extensions": with_code, "no_sourcemaps": True,
        "no_unused_shared_packages": True}}), encoding="utf-8")
    shutil.rmtree(site, ignore_errors=True)
    call(binary, "-m", "jupyterlite_core", "build", "--lite-dir", folder, "--output-dir", site, *options, cwd=folder)


def main(arguments):
    """Build _site/ and say how to look at it."""
    binary = python()
    print("Building the page, about a minute ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="nnlib-lite-") as folder:
        lay_out(folder)
        build(binary, folder, options=arguments)
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"The page is in {SITE.name}/ ({size / 1e6:.0f} MB). To look at it here: python -m http.server -b 127.0.0.1 "
          f"-d {SITE.name}, then http://127.0.0.1:8000/lab/index.html?path={badges.WELCOME}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
