"""Figures of attention."""

import numpy as np

from nnlib import causal_mask, plots, positional_encoding


def test_a_map_writes_every_weight_and_crosses_out_what_is_forbidden():
    weights = np.where(causal_mask(3), np.tri(3) / np.arange(1, 4)[:, None], np.nan)
    _, ax = plots.subplots()
    image = plots.attention_map(ax, weights, "abc", "abc", title="causal")
    assert [text.get_text() for text in ax.texts] == ["1.00", "×", "×", "0.50", "0.50", "×", "0.33", "0.33", "0.33"]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("abc")
    assert image.get_clim() == (-1, 1) and np.array_equal(image.get_array(), np.nan_to_num(weights))


def test_a_large_map_has_numbers_only_where_they_are_asked_for():
    counts = []
    for numbers in (None, True, False):
        _, ax = plots.subplots()
        plots.attention_map(ax, np.full((9, 9), 1 / 9), numbers=numbers)
        counts.append(len(ax.texts))
    assert counts == [0, 81, 0]


def test_encodings_keep_one_scale():
    _, ax = plots.subplots()
    image = plots.encoding_map(ax, positional_encoding(20, 8))
    assert image.get_array().shape == (20, 8) and image.get_clim() == (-1, 1)
    assert ax.get_ylabel() == "position"


def test_every_look_up_has_a_curve_and_every_entry_a_dot():
    _, ax = plots.subplots()
    queries = np.linspace(0, 1, 5)
    lines = plots.look_ups(ax, [0, 1], [2, 3], {"hard": (queries, queries > 0.5), "soft": (queries, queries)})
    assert [line.get_label() for line in lines] == ["hard", "soft"]
    assert list(ax.lines[-1].get_ydata()) == [2, 3]
    assert len({line.get_color() for line in lines}) == 2


def test_the_diagram_names_every_part_and_every_shape():
    figure, ax = plots.subplots()
    plots.block_diagram(ax, time=5, width=8, hidden=16, heads=2)
    words = [text.get_text() for text in ax.texts]
    assert [words.count(name) for name in ("layer\nnorm", "+", "ReLU", "5×8", "5×16")] == [2, 2, 1, 7, 2]
    assert {"attention\n2 heads", "linear\n8→16", "linear\n16→8", "x", "y"} <= set(words)
    assert plots.png(figure)
