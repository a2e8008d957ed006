"""The text that comes with the course."""

from nnlib.datasets import load_verses


def test_the_verses_are_whole_stanzas_of_six_lines():
    text = load_verses()
    stanzas = text.rstrip("\n").split("\n\n")
    assert len(stanzas) == 11 and {len(stanza.splitlines()) for stanza in stanzas} == {6}
    assert text.endswith('wings."\n') and all(line == line.strip() for line in text.splitlines())


def test_they_begin_and_end_as_printed():
    lines = load_verses().splitlines()
    assert lines[:2] == ["The sun was shining on the sea,", "Shining with all his might:"]
    assert lines[-4:-1] == ["Of shoes—and ships—and sealing-wax—", "Of cabbages—and kings—",
                            "And why the sea is boiling hot—"]
    assert load_verses().count('"') % 2 == 0 and sum(map(str.isalpha, load_verses())) > 1400
