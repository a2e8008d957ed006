"""Say which links of the course lead nowhere: in notebooks, Markdown files, questions and explorers.

    python tools/links.py [FILE...]     (without a FILE: all of them)

A relative link must name a file that git knows, in its exact spelling, and its #anchor a heading of that file. In
notebooks an anchor is the heading with spaces as hyphens (JupyterLab's and nbconvert's way), in Markdown files it is
GitHub's. Outside addresses are not visited; they must be https and no placeholder.
"""

import ast
import difflib
import html
import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^( *)(```|~~~).*?^ *\2`*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?:(?!\1).)+?\1(?!`)", re.DOTALL)
TARGET = re.compile(r"\]\((<[^<>\n]*>|(?:[^()\s]|\([^()\s]*\))+)(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]*(\S+)", re.MULTILINE)
AUTOMATIC = re.compile(r"<(https?:[^>\s]*)>|(?<![\w(\"'=<])(https?://[^\s<>\"'`\\]+)")
ATTRIBUTE = re.compile(r"<(?:a|img|source|link|script)\b[^>]*?\s(?:href|src|srcset)\s*=\s*"
                       r"(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$", re.MULTILINE)
PLACEHOLDER = re.compile(r"[<>{}\[\]]|\.{3}|\b(todo|fixme|owner|username|your[-_]?\w*|repository-address)\b|"
                         r"\bexample\.(com|org|net)\b|localhost|127\.0\.0\.1", re.IGNORECASE)


def files(pattern):
    """Paths of the repository whose name matches a glob pattern, without what git ignores."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", pattern],
                            cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\0")
    if listed.returncode:  # an archive without git
        names = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")]
        names = [name for name in names if fnmatch(name, pattern) and not name.startswith((".venv", ".git/"))]
    return sorted(path for path in (ROOT / name for name in names if name) if path.is_file())


@cache
def known():
    """All files that git knows and the folders that hold them."""
    listed = files("*")
    return {*listed, *(parent for path in listed for parent in path.parents if ROOT in (parent, *parent.parents))}


@cache
def notebook_cells(path):
    """The cells of a notebook as stored: list of dictionaries, `source` as one string."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def plain(heading):
    """What a reader sees of a heading: no marks for code and emphasis, of a link its text."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = re.sub(r"`([^`]*)`", r"\1", heading)
    return re.sub(r"(\*\*|\*|__)(\S(?:.*?\S)?)\1", r"\2", html.unescape(heading))


def headings_of(text):
    """The headings of Markdown text, as a reader sees them."""
    return [plain(heading) for heading in HEADING.findall(FENCE.sub("", text))]


def github_anchors(text):
    """The anchors that GitHub gives the headings of a Markdown file."""
    anchors, seen = [], {}
    for heading in headings_of(text):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        anchors.append(f"{slug}-{seen[slug]}" if seen[slug] else slug)
    return anchors


@cache
def anchors_of(path):
    """The anchors in a notebook or Markdown file; None for a file that has no headings to go to."""
    if path.suffix == ".ipynb":
        return [heading.replace(" ", "-") for cell in notebook_cells(path) if cell["cell_type"] == "markdown"
                for heading in headings_of(cell["source"])]
    return github_anchors(path.read_text(encoding="utf-8")) if path.suffix == ".md" else None


def links_in_html(page):
    """Where tags of a page lead, without the data that they carry inside."""
    return [html.unescape(first or second) for first, second in ATTRIBUTE.findall(page)
            if not (first or second).startswith("data:")]


def links_in_markdown(text):
    """Where Markdown text leads: links, pictures, references, bare addresses, HTML tags."""
    text = CODE.sub("``", FENCE.sub("", text))
    found = [target.strip("<>") for target in TARGET.findall(text)] + REFERENCE.findall(text)
    return found + [first or second.rstrip(".,;:)") for first, second in AUTOMATIC.findall(text)
                    ] + links_in_html(text)


def links_in_notebook(path):
    """Pairs (cell number, target) of a notebook's text and of what its stored outputs show."""
    for number, cell in enumerate(notebook_cells(path), 1):
        if cell["cell_type"] == "markdown":
            yield from ((number, target) for target in links_in_markdown(cell["source"]))
        for output in cell.get("outputs", []):
            for kind, links in (("text/html", links_in_html), ("text/markdown", links_in_markdown)):
                yield from ((number, target) for target in links("".join(output.get("data", {}).get(kind, ""))))


def links_in_python(path):
    """Pairs (line, target) of the strings of a module: what an explorer, a question or a report may show."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            targets = [*TARGET.findall(node.value), *(a or b for a, b in AUTOMATIC.findall(node.value))]
            yield from ((node.lineno, target) for target in targets)


def fault_outside(address):
    """What is wrong with an outside address, as far as can be seen without a network; else None."""
    parts = urlsplit(address)
    if parts.scheme == "mailto":
        return None if "@" in parts.path else "expected a mail address"
    if parts.scheme != "https":
        return f"expected https but got {parts.scheme}"
    if PLACEHOLDER.search(address) or not re.fullmatch(r"([\w-]+\.)+[a-z]{2,}(:\d+)?", parts.netloc, re.I):
        return "expected an address but got a placeholder"
    return None


def fault(target, path, folder=None):
    """What is wrong with a link of a file, in a sentence, or None.

    Args: target: as it is written; path: the file that holds it; folder: from where it is followed, if elsewhere.
    """
    if re.match(r"[a-z][a-z0-9+.-]*:", target, re.I) or target.startswith("//"):
        return fault_outside(target)
    name, _, anchor = target.partition("#")
    goal = Path(folder or path.parent, unquote(name)).resolve() if name else path
    if "\\" in name or name.startswith("/"):
        return "expected a relative path with slashes"
    if goal != ROOT and ROOT not in goal.parents or goal not in known():
        return f"there is no {name}"
    if not anchor:
        return None if "#" not in target else "the anchor is empty"
    anchors = (anchors_of(goal) if goal.is_file() else None) or []
    if unquote(anchor) in anchors:
        return None
    near = difflib.get_close_matches(unquote(anchor), anchors, 1, 0.4)
    return f"{goal.name} has no heading #{anchor}" + (f"; did you mean #{near[0]}?" if near else "")


def read_in(path):
    """The folder from which a notebook's links are followed: a source in solutions/ is read in exercises/."""
    parts = path.relative_to(ROOT).parts
    return ROOT.joinpath("exercises", *parts[1:-1]) if parts[0] == "solutions" else path.parent


def broken(path):
    """Sentences on the links of a notebook, Markdown file or Python module that lead nowhere."""
    if path.suffix == ".ipynb":
        pairs = [(f"cell {number}", target) for number, target in links_in_notebook(path)]
    elif path.suffix == ".md":
        pairs = [("", target) for target in links_in_markdown(path.read_text(encoding="utf-8"))]
    else:
        pairs = [(f"line {line}", target) for line, target in links_in_python(path)]
    found = [(place, target, fault(target, path, read_in(path))) for place, target in pairs]
    return [f"{path.relative_to(ROOT).as_posix()}{place and ', '}{place}: {target}: {sentence}"
            for place, target, sentence in found if sentence]


def main(arguments):
    """The command line: broken links, one a line; 1 where there are some."""
    paths = [Path(name).resolve() for name in arguments] or [
        *files("*.ipynb"), *files("*.md"), *files("nnlib/widgets/*.py")]
    sentences = [sentence for path in paths for sentence in broken(path)]
    print("\n".join(sentences) or f"{len(paths)} files, no broken link.")
    return bool(sentences)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
