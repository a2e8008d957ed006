"""Drive the course in a real JupyterLab, in the Chromium or Chrome that is installed, as a learner would.

    with Lab(folder) as lab, lab.open("03_gradient_descent.ipynb") as notebook:
        notebook.run_all()
        explorer = notebook.explorer("nnlib-momentum-explorer")
        with explorer.new_picture():
            explorer.press("learning rate", "ArrowRight")

The server sees a copy of the notebooks; its settings, workspaces and runtime files are in a temporary folder.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import sync_playwright

import lab as jupyterlab
from nnlib import widgets
from notebooks import METADATA, kernel_environment

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # it visits this machine alone
START, RUN, REACT = 120, 400, 30  # seconds to wait: for a server or page, for all cells, for a picture
STEADY = 0.3  # seconds without another picture: the last one of a drag is there
WIDGET = "window.jupyterapp.shell.currentWidget"


class LabError(Exception):
    """JupyterLab or the browser did not do what a learner would expect of it."""


def chromium():
    """The path of the installed Chromium or Chrome, or of what $NNLIB_CHROMIUM names; else None."""
    if named := os.environ.get("NNLIB_CHROMIUM"):
        return shutil.which(named)
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def explorers_of(notebook):
    """Names of the explorers that a notebook shows: list of (name, CSS class), as nnlib.widgets knows them."""
    cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return [(name, f"nnlib-{re.sub(r'(?<!^)(?=[A-Z])', '-', name).lower()}") for name in sorted(widgets.__all__)
            if name in widgets._EXPLORERS and re.search(rf"\b{name}\(", source)]


class Lab:
    """JupyterLab on a copy of the notebooks in `folder`, with a headless browser. A context manager."""

    def __init__(self, folder, width=1280, height=1000):
        self.folder, self.viewport = Path(folder), {"width": width, "height": height}

    def __enter__(self):
        self._scratch = tempfile.TemporaryDirectory(prefix="nnlib-lab-", ignore_cleanup_errors=True)
        try:
            self._start_server(Path(self._scratch.name))
            self._start_browser()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _start_server(self, scratch):
        self.served = notebooks = scratch / "notebooks"
        shutil.copytree(self.folder, notebooks, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        names = ("_CONFIG", "_DATA", "_RUNTIME", "LAB_SETTINGS", "LAB_WORKSPACES")
        places = {f"JUPYTER{name}_DIR": str(scratch / name.split("_")[1].lower()) for name in names}
        tracker = scratch / "settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
        tracker.parent.mkdir(parents=True)  # all cells in the page: a test finds what is out of sight
        tracker.write_text(json.dumps({"windowingMode": "none"}), encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._log = scratch / "lab.log"
        self._variables = kernel_environment()
        options = [f"--ServerApp.port={port}", "--no-browser", "--expose-app-in-browser"]
        with open(self._log, "w", encoding="utf-8") as log:
            self._server = subprocess.Popen(
                jupyterlab.command(notebooks) + options, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=jupyterlab.environment(self._variables.__enter__() | places), cwd=notebooks)
        deadline = time.monotonic() + START
        while not (found := list((scratch / "runtime").glob("jpserver-*.json"))):
            if self._server.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise LabError(f"JupyterLab did not start:\n{said}")
            time.sleep(0.1)
        time.sleep(0.1)  # the file is there: let it be written
        info = json.loads(found[0].read_text(encoding="utf-8"))
        self.url, self.token = info["url"], info["token"]

    def _start_browser(self):
        if not (program := chromium()):
            raise LabError("No Chromium or Chrome found: install one, or name it in NNLIB_CHROMIUM.")
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=program, args=FLAGS)

    def add(self, name, *sources):
        """Put a notebook with these code cells beside those that are served; returns its file name."""
        nb = new_notebook(cells=[new_code_cell(source) for source in sources], metadata=METADATA)
        nbformat.write(nb, self.served / name)
        return name

    @contextmanager
    def open(self, notebook):
        """Open a notebook of the folder in a page of its own; yields a Notebook with an idle kernel."""
        context = self._browser.new_context(viewport=self.viewport)
        try:
            page = context.new_page()
            page.set_default_timeout(REACT * 1000)
            requested = []
            page.on("request", lambda request: requested.append(request.url))
            page.goto(f"{self.url}lab/workspaces/{Path(notebook).stem}/tree/{notebook}?token={self.token}",
                      timeout=START * 1000)
            opened = Notebook(page, notebook, requested)
            opened.wait_idle(START)
            yield opened
        finally:
            context.close()

    def close(self):
        """End browser, server and kernels, and remove the copy."""
        if hasattr(self, "_browser"):
            self._browser.close()
        if hasattr(self, "_playwright"):
            self._playwright.stop()
        if hasattr(self, "_server"):
            self._server.send_signal(signal.SIGTERM)
            try:
                self._server.wait(START)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        if hasattr(self, "_variables"):
            self._variables.__exit__(None, None, None)
        self._scratch.cleanup()


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page, name, requested):
        self.page, self.name, self._requested = page, name, requested

    def wait_idle(self, seconds=RUN):
        """Wait until the notebook is loaded and its kernel has nothing to do."""
        self.page.wait_for_function(f"""() => {{
            const widget = window.jupyterapp && {WIDGET};
            return widget?.context?.isReady && widget.sessionContext?.session?.kernel?.status === 'idle';
        }}""", timeout=seconds * 1000)

    def run_all(self, seconds=RUN):
        """Run all cells as the menu does, and wait for the end; errors are in `errors()`."""
        self.page.evaluate("""() => {
            window.nnlibRan = false;
            const run = window.jupyterapp.commands.execute('notebook:run-all-cells');
            run.finally(() => { window.nnlibRan = true; });
        }""")
        self.page.wait_for_function("() => window.nnlibRan", timeout=seconds * 1000)
        self.wait_idle(seconds)

    def cells(self):
        """The cells as stored, with their outputs."""
        return self.page.evaluate(f"() => {WIDGET}.context.model.toJSON()")["cells"]

    def errors(self):
        """Sentences on cells that failed, wrote to stderr or were not run."""
        found = []
        for number, cell in enumerate(self.cells(), 1):
            if cell["cell_type"] != "code" or not "".join(cell["source"]).strip():
                continue
            if cell["execution_count"] is None:
                found.append(f"{self.name}: cell {number} was not run")
            for output in cell["outputs"]:
                if output["output_type"] == "error":
                    found.append(f"{self.name}: cell {number} fails: {output['ename']}: {output['evalue']}")
                elif output.get("name") == "stderr":
                    found.append(f"{self.name}: cell {number} writes to stderr: {''.join(output['text'])}")
        return found

    def outside_requests(self):
        """Addresses beyond this machine that the page asked for; none is expected."""
        return [url for url in self._requested if re.match(r"(https?|wss?)://(?!127\.0\.0\.1[:/])", url)]

    def explorer(self, css_class, index=0):
        """The explorer with this class, the first of them unless index says which."""
        place = self.page.locator(f".{css_class}").nth(index)
        place.wait_for(state="attached", timeout=REACT * 1000)
        place.scroll_into_view_if_needed()
        return Explorer(self.page, place)


class Explorer:
    """An explorer on the page: sliders by their label, and the picture."""

    def __init__(self, page, place):
        self.page, self.place = page, place
        self.image = place.locator("img[alt]").first
        self.image.wait_for(timeout=REACT * 1000)

    @property
    def alt(self):
        """The text of the picture."""
        return self.image.get_attribute("alt")

    @property
    def source(self):
        """The picture itself, as a data URL."""
        return self.image.get_attribute("src")

    def slider(self, label):
        """The slider whose description starts with label."""
        named = re.compile(rf"^\s*{re.escape(label)}")
        return self.place.locator(".widget-slider").filter(has_text=named).first

    def handle(self, label):
        """What is dragged, and what takes the keys."""
        return self.slider(label).get_by_role("slider").first

    def readout(self, label):
        """The value that the slider shows."""
        return self.slider(label).locator(".widget-readout").inner_text()

    def press(self, label, key):
        """Press a key on a slider, as a learner without a mouse does."""
        self.handle(label).focus()
        self.page.keyboard.press(key)

    def drag(self, label, pixels, steps=5):
        """Drag a slider's handle by so many pixels to the right (left where negative)."""
        handle = self.handle(label)
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + pixels, y, steps=steps)
        self.page.mouse.up()

    @contextmanager
    def new_picture(self, seconds=REACT):
        """Wait, after what the block does, until another picture is shown and stays."""
        before = last = self.source
        yield
        deadline, since = time.monotonic() + seconds, time.monotonic()
        while last == before or time.monotonic() - since < STEADY:
            if time.monotonic() > deadline:
                raise LabError(f"The picture did not change within {seconds} s; its text: {self.alt}")
            time.sleep(0.02)
            if (now := self.source) != last:
                last, since = now, time.monotonic()

    def sliders(self):
        """The handles of all sliders, in the order of the page; they are dragged, and take the keys."""
        return self.place.get_by_role("slider").all()

    def latency(self, handle, key):
        """Milliseconds from pressing a key on a slider until the new picture is decoded and being painted."""
        self.place.evaluate(MEASURE)
        handle.focus()
        self.page.keyboard.press(key)
        self.page.wait_for_function("() => window.nnlibLatency > 0", timeout=REACT * 1000)
        return self.page.evaluate("() => window.nnlibLatency")


MEASURE = """explorer => {
    let before = '', pressed = 0;
    window.nnlibLatency = 0;
    document.addEventListener('keydown', () => {
        before = explorer.querySelector('img[alt]').src;  // a training that goes on may have drawn since
        pressed = performance.now();
    }, {capture: true, once: true});
    const observer = new MutationObserver(() => {
        const image = explorer.querySelector('img[alt]');
        if (!pressed || !image || image.src === before) return;
        observer.disconnect();
        image.decode().then(() => requestAnimationFrame(() => {
            window.nnlibLatency = performance.now() - pressed;
        }));
    });
    observer.observe(explorer, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
}"""
