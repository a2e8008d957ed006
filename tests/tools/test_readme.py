"""What a visitor sees first: README.md agrees with the course, its pictures are there, CITATION.cff is valid."""

import html
import re
import tomllib

import pytest
import yaml
from PIL import Image

import moving_picture
import readme
from readme import ROOT

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CFF = {"abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers", "keywords",
       "license", "license-url", "message", "preferred-citation", "references", "repository", "repository-artifact",
       "repository-code", "title", "type", "url", "version"}  # the keys of the Citation File Format 1.2.0
ENTITY = {"address", "alias", "city", "country", "date-end", "date-start", "email", "fax", "location", "name", "orcid",
          "post-code", "region", "tel", "website"}


def test_the_table_of_the_course_agrees_with_syllabus_exercises_and_questions():
    assert readme.renewed(PAGE) == PAGE, "run python tools/readme.py"


def test_the_table_has_a_row_for_every_chapter_and_sums_up():
    rows = re.findall(r"^\| (\d\d) \| \[.*?\]\(notebooks/\1_\w+\.ipynb\) \| (\d+) min \|(.*?)\|", PAGE, re.MULTILINE)
    points = [float(found) for *_, cell in rows for found in re.findall(r"\[([\d.]+) points?\]", cell)]
    said = re.search(r"(\d+) chapters of ([\d.]+) hours .* ([\d.]+) points", PAGE)
    assert len(rows) == int(said[1]) and len(points) == len(rows) - 1
    hours = sum(int(minutes) for _, minutes, _ in rows) / 60
    assert sum(points) == float(said[3]) and abs(hours - float(said[2])) < 0.3


def test_a_page_without_its_comments_gets_a_sentence():
    with pytest.raises(ValueError, match="README.md: expected the lines"):
        readme.renewed("# A page")


def test_the_picture_moves_a_little_while_and_stays_small():
    film = moving_picture.OUT
    assert film.stat().st_size < moving_picture.LARGEST
    with Image.open(film) as images, Image.open(film.with_suffix(".png")) as still:
        assert 15 <= images.n_frames <= 30 and images.info["loop"] == 2   # shown three times, then it rests
        assert still.size == images.size
        seen = set()
        for number in range(images.n_frames):
            images.seek(number)
            seen.add(images.convert("RGB").tobytes())
            assert images.info["duration"] >= 300        # at most three changes a second: nothing flashes
        assert len(seen) > 0.75 * images.n_frames


def test_the_moving_picture_is_described_and_has_a_still_one_for_those_who_turn_motion_off():
    picture = re.search(r"<picture>.*?</picture>", PAGE, re.DOTALL)[0]
    assert re.search(r'media="\(prefers-reduced-motion: reduce\)" srcset="docs/momentum-explorer\.png"', picture)
    alt = html.unescape(re.search(r'src="docs/momentum-explorer\.gif"[^>]*alt="([^"]*)"', picture)[1])
    assert len(alt.split()) > 40 and {"path", "loss", "map", "goal"} <= set(re.findall(r"\w+", alt))
    assert all(len(text) > 40 for text in re.findall(r"!\[(.*?)\]\(", PAGE, re.DOTALL) if "badge" not in text)


def test_a_film_is_written_with_its_last_frame_as_a_still_picture(tmp_path):
    shot = [(Image.new("RGB", (8, 6), color), hold) for color, hold in (("red", 400), ("blue", 300), ("green", 900))]
    size = moving_picture.write(shot, tmp_path / "film.gif")
    assert size == (tmp_path / "film.gif").stat().st_size
    with Image.open(tmp_path / "film.gif") as film, Image.open(tmp_path / "film.png") as still:
        assert (film.n_frames, film.info["loop"], film.info["duration"]) == (3, 2, 400)
        assert still.convert("RGB").getpixel((0, 0)) == (0, 128, 0)


def test_the_citation_file_is_valid_and_names_this_version():
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(said) <= CFF
    assert said["cff-version"] == "1.2.0" and said["type"] in ("software", "dataset")
    assert said["license"] == PROJECT["license"] and said["version"] == PROJECT["version"]
    assert said["authors"] and all(set(author) <= ENTITY and author["name"] for author in said["authors"])
    assert all(isinstance(said[key], str) and said[key].strip() for key in ("message", "title", "abstract", "version"))
    assert len(said["keywords"]) == len(set(said["keywords"]))
