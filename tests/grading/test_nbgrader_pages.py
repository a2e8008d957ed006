"""nbgrader's pages in a teacher's browser: what a learner wrote is to be read there, and never runs."""

import os
import re
import shutil
import stat
from pathlib import Path

import nbgrader
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import PyFileConfigLoader

ROOT = Path(__file__).parents[2]
TEMPLATES = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
ATTACKS = r"""$\href{javascript:alert(1)}{x}$ <script>alert(1)</script>
<img src=x onerror=alert(1)>

[link](javascript:alert(1)) [link](data:text/html,alert(1)) <https://fine.example/>

<svg onload=alert(1)><a href=" jAvascript:alert(1)">x</a></svg><iframe src="javascript:alert(1)"></iframe>
<form action="https://bad.test"><input onfocus=alert(1) autofocus></form><base href="//bad.test/">
<p style="background:url(javascript:alert(1))" onclick="alert(1)">x</p><link rel=stylesheet href=//bad.test>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">
`</code><script>alert(1)</script>`"""
FAIR = f"""# A title

Some *text* with $a < b$ and `code < 2`:

| a | b |
|---|---|
| 1 | 2 |

<details><summary>Hint</summary>more</details> <img alt="a line" src="{PIXEL}">"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    place = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", place)
    config = PyFileConfigLoader("nbgrader_config.py", path=str(place)).load_config()
    assert os.name == "nt" or stat.S_IMODE((place / ".grading").stat().st_mode) == 0o700
    return config


def page(settings, template, *cells):
    """The body that nbgrader's template makes of these cells of a submission."""
    settings = settings.copy()
    settings.HTMLExporter.template_name = template
    settings.HTMLExporter.extra_template_basedirs = [str(TEMPLATES / "templates")]
    settings.HTMLExporter.extra_template_paths = [
        str(TEMPLATES / "static" / "node_modules" / "bootstrap" / "dist" / "css")]
    about = {"notebook": "a", "score": 0, "max_score": 1, "late_penalty": 0, "checksum": ""}
    text, _ = HTMLExporter(config=settings).from_notebook_node(
        new_notebook(cells=list(cells)), resources={"nbgrader": about, "base_url": "", "index": 0, "total": 1})
    return text[text.index('id="notebook"'):]


def markdown(text, **about):
    return new_markdown_cell(text, metadata={"nbgrader": about} if about else {})


ANSWER = {"grade_id": "q", "grade": True, "solution": True, "points": 1, "score": 0, "locked": False, "comment": "",
          "task": False, "schema_version": 3, "cell_type": "markdown"}


@pytest.mark.parametrize("template", ["feedback", "formgrade"])
def test_what_a_learner_wrote_does_not_run(settings, template):
    def of(text):
        data = {"text/html": text, "text/markdown": text, "application/javascript": "alert(1)",
                "image/svg+xml": "<svg onload=alert(1)></svg>"}
        outputs = [new_output("display_data", {kind: text}) for kind, text in data.items()]
        return page(settings, template, markdown(text), markdown(text, **ANSWER), new_raw_cell(text),
                    new_code_cell(text, outputs=[*outputs, new_output("stream", text=text)]))
    shown, fair = of(ATTACKS), of("x")  # which has nbgrader's own scripts and boxes
    for tag in ("script", "iframe", "form", "base", "svg", "math", "link", "object", "input"):
        assert shown.count(f"<{tag}") == fair.count(f"<{tag}"), tag
    tags = "".join(part.partition(">")[0] for part in shown.split("<")[1:])
    for attack in ("onerror", "onload", "onclick", "onfocus", "javascript:", "bad.test", 'href="data:'):
        assert attack not in tags, attack
    assert 'href="https://fine.example/"' in tags
    assert "text{javascript" in shown and "href{" not in re.sub("(?s)<pre.*?</pre>", "", shown)


@pytest.mark.parametrize("template", ["feedback", "formgrade"])
def test_what_a_learner_wrote_can_be_read(settings, template):
    shown = page(settings, template, markdown(FAIR), markdown(FAIR, **ANSWER))
    for piece in ("<h1 ", "<em>text</em>", "$a &lt; b$", "<code>code &lt; 2</code>", "<td>2</td>", "<details><summary>",
                  f'src="{PIXEL}"', 'alt="a line"'):
        assert shown.count(piece) == 2, piece
