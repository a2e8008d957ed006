"""The symbols of notebook 00: every chapter uses them as its table says, or a table of the chapter says otherwise."""

import re
from pathlib import Path

import nbformat
import pytest

LESSONS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
WELCOME = LESSONS[0]
ELSEWHERE = "elsewhere"  # the word with which a row says: not the meaning of notebook 00


def columns(line):
    """The cells of one line of a Markdown table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def tables(text):
    """The tables in Markdown `text` that have a column `symbol` and a column `name in code`: lists of dicts."""
    found, lines = [], text.splitlines()
    for number, line in enumerate(lines[:-1]):
        header = columns(line) if line.startswith("|") else []
        if {"symbol", "name in code"} <= set(header) and re.fullmatch(r"[|: -]+", lines[number + 1]):
            rows = []
            for row in lines[number + 2:]:
                if not row.startswith("|"):
                    break
                rows.append(dict(zip(header, columns(row), strict=True)))
            found.append(rows)
    return found


def symbols(cell):
    """The symbols in the first column, without indices: `$w_1, b = 2$` gives ["w", "b"]; formulas give themselves."""
    formulas, comma = re.findall(r"\$([^$]+)\$", cell), r"(?<!\\),(?![^({]*[)}])"
    parts = [part for formula in formulas for part in re.split(comma, formula)]
    return [re.sub(r"_(\w|\\\w+|\{[^}]*\})$", "", part.split("=")[0].strip()) for part in parts]


def names(cell):
    """The names in the column `name in code`: `` `z = X @ w1` `` gives {"z", "X", "w"}, without numbers at the end."""
    code = " ".join(re.findall(r"`([^`]+)`", cell))
    return {name.rstrip("0123456789") for name in re.findall(r"[A-Za-z_]\w*", code)}


def rows_of(path):
    """Triples (symbol, names in code, whole row as text) of all symbol tables of a notebook."""
    return [(symbol, names(row["name in code"]), " | ".join(row.values()))
            for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"
            for table in tables(cell.source) for row in table for symbol in symbols(row["symbol"])]


def course():
    """The table of notebook 00: a dict from each symbol to its row, with its names in code as a set."""
    table = next(table for cell in nbformat.read(WELCOME, 4).cells if cell.cell_type == "markdown"
                 for table in tables(cell.source) if "first in" in table[0])
    for row in table:
        row["group"] = symbols(row["symbol"])
        row["names"] = names(row["name in code"])
        row["words"] = re.findall(r"\*\*(.+?)s?\*\*", row["meaning"])
    return {symbol: row for row in table for symbol in row["group"]}


def agrees(row, in_code, text):
    """Whether a chapter's row has a name in code of the course's `row`, or its word."""
    return bool(in_code & row["names"]) or any(word in text.lower() for word in row["words"])


def contradictions(path, table):
    """What a chapter's own tables say against the table of notebook 00, without saying that they do."""
    chapter, found = path.stem[:2], []
    for symbol, in_code, text in rows_of(path):
        if symbol in table and ELSEWHERE not in text and not agrees(table[symbol], in_code, text):
            names_there = " or ".join(sorted(table[symbol]["names"]))
            found.append(f"{chapter}: {symbol} is not called {names_there}, and the row does not say "
                         f"{' or '.join(table[symbol]['words'])}, nor what it is {ELSEWHERE}: {text}")
    return found


def test_the_table_of_the_course_is_read_as_it_is_meant():
    table = course()
    assert len(table) >= 30 and {"X", "t", "W", "z", r"\eta", "h", r"\varphi"} <= set(table)
    assert table["z"]["names"] == {"z", "scores"} and table[r"\eta"]["names"] == {"rate", "lr"}
    assert symbols("$W_1, b_1$") == ["W", "b"] and symbols("$z = X w$") == ["z"]
    assert names("`W1`, `X.T`") == {"W", "X", "T"}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_chapter_contradicts_the_table_of_the_course(path):
    assert contradictions(path, course()) == []


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_other_meanings_are_listed_in_the_table_of_the_course(path):
    chapter, table = path.stem[:2], course()
    said = [(symbol, in_code, text) for symbol, in_code, text in rows_of(path) if symbol in table and ELSEWHERE in text]
    listed = {symbol for symbol, row in table.items() if chapter in row["otherwise in"].split(", ")}
    silent = [symbol for symbol in listed if not any(symbol in (s, *table[s]["group"]) for s, *_ in said)]
    assert silent == [], "listed in notebook 00, but no table of the chapter says what it means there"
    other = [(symbol, text) for symbol, in_code, text in said if not in_code & table[symbol]["names"]]
    assert [text for symbol, text in other if symbol not in listed] == [], (
        "said in the chapter, but not listed in the last column of notebook 00")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_symbol_and_name_in_code_are_called_so_in_every_table(path):
    heads = [columns(line) for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"
             for line in cell.source.splitlines() if line.startswith("|") and "symbol" in columns(line)]
    assert [head for head in heads if "in code" in head or "" in head[1:]] == []


def test_a_symbol_stands_in_its_first_chapter():
    missing = []
    for row in {row["symbol"]: row for row in course().values()}.values():
        name = WELCOME.name if row["first in"] == "here" else re.search(r"\(([^)]+)\)", row["first in"])[1]
        cells = [cell.source for cell in nbformat.read(WELCOME.parent / name, 4).cells if cell.cell_type == "markdown"]
        text = "\n".join(cells).replace("$$", "$").replace(" ", "")
        formulas = "\n".join(re.findall(r"\$([^$]+)\$", text))
        patterns = [rf"(?<![a-z\\]){re.escape(symbol.replace(' ', ''))}(?![a-z])" for symbol in row["group"]]
        if not any(re.search(pattern, formulas) for pattern in patterns):
            missing.append(f"{row['symbol']} in {name}")
    assert missing == []
