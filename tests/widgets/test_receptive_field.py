"""ReceptiveFieldExplorer: formula and gradient agree, every control at its ends, its goals, learners' formulas."""

import itertools

import numpy as np
import pytest
from support import assert_refused

from nnlib import architecture
from nnlib.plots.convolution import seen_by
from nnlib.widgets import ReceptiveFieldExplorer
from nnlib.widgets.receptive_field import (
    MOST_LAYERS,
    FieldGoal,
    Layer,
    extent_of,
    fields_of,
    formula_fault,
    formula_in_words,
    gradient_of,
    network_of,
    read_layers,
    sizes_of,
    weights_of,
)


def right_formula(pairs):
    field, jump = 1, 1
    for kernel, stride in pairs:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


def from_behind(pairs):
    field = 1
    for kernel, stride in reversed(pairs):
        field = (field - 1) * stride + kernel
    return np.int64(field)


@pytest.fixture(scope="module")
def explorer():
    return ReceptiveFieldExplorer()


# The mathematics

def test_layers_as_text():
    layers = read_layers("conv3 conv5/2, pool2 pool3/1")
    assert layers == [Layer("conv", 3, 1), Layer("conv", 5, 2), Layer("pool", 2, 2), Layer("pool", 3, 1)]
    assert " ".join(map(str, layers)) == "conv3 conv5/2 pool2 pool3/1"
    assert weights_of(layers) == 9 + 25


@pytest.mark.parametrize("text", ["", "conv", "dense3", "conv3 " * 7, "conv0", "conv8", "conv3/0", "conv3/5", "pool2/8",
                                  "conv3x3", None, 3, ["conv3"]])
def test_texts_that_cannot_be_read(text):
    with pytest.raises(ValueError, match="ReceptiveFieldExplorer: expected"):
        ReceptiveFieldExplorer(text)


def test_the_lectures_rule_is_mended():
    layers = read_layers("conv3 conv3 pool2")
    assert fields_of(layers) == [(1, 1), (3, 1), (5, 1), (6, 2)]
    assert formula_in_words(layers) == "1 + 2·1 + 2·1 + 1·1 = 6"
    assert sizes_of(layers, 64) == [64, 62, 60, 30]


def random_layers(rng):
    while True:
        layers = [Layer(rng.choice(["conv", "pool"]), int(rng.integers(1, 8)), int(rng.integers(1, 5)))
                  for _ in range(rng.integers(1, 7))]
        if sizes_of(layers, 64)[-1]:
            return layers


def test_formula_gradient_and_library_agree_on_many_networks():
    rng = np.random.default_rng(0)
    image = np.zeros((64, 64))
    for _ in range(40):
        layers = random_layers(rng)
        field, jump = fields_of(layers)[-1]
        row, column = rng.integers(0, sizes_of(layers, 64)[-1], size=2)
        gradient = gradient_of(network_of(layers), image, row, column)
        assert extent_of(gradient) == (row * jump, row * jump + field - 1, column * jump, column * jump + field - 1)
        assert (gradient >= 0).all() and gradient.sum() == pytest.approx(1)
        pairs = [(layer.kernel, layer.stride) for layer in layers]
        np.testing.assert_array_equal(np.flatnonzero(gradient.any(axis=0)), seen_by(pairs, column)[0])
        np.testing.assert_array_equal(np.flatnonzero(gradient.any(axis=1)), seen_by(pairs, row)[0])
        plain = [architecture.Conv(1, x.kernel, x.stride) if x.kind == "conv" else architecture.Pool(x.kernel, x.stride)
                 for x in layers]
        assert np.ravel(architecture.receptive_field(plain)).tolist() in ([field], [field, field])


# The controls

@pytest.mark.usefixtures("painted")
def test_kernels_and_strides_of_every_layer_at_both_ends(explorer):
    for kind, kernel, stride in itertools.product(("conv", "pool"), (1, 7), (1, 7)):
        for chosen in range(3):
            explorer.layers, other = read_layers("conv3 conv3 pool2"), 7 if kernel == 1 else 1
            with explorer.setting_controls():
                explorer._show_layers(chosen)
                explorer.kind.value, explorer.kernel.value, explorer.stride.value = kind, other, stride
            explorer.kernel.value = kernel
            assert explorer.layers[chosen] == Layer(kind, kernel, stride) and explorer.message == ""
            assert explorer.measured == (explorer.field,) * 2 and "nan" not in explorer.alt + explorer._caption_text
            assert explorer.row.max == max(1, explorer.sizes[0][-1] - 1)
    explorer._take(read_layers("conv3 conv3 pool2"), 2)


def test_units_in_all_corners(explorer):
    for row, column in itertools.product((0, 29), repeat=2):
        explorer.row.value, explorer.column.value = row, column
        assert f"rows {2 * row} to {2 * row + 5} and columns {2 * column} to {2 * column + 5}" in explorer.alt
        assert explorer.measured == (6, 6)


def test_buttons_add_and_remove_layers():
    explorer = ReceptiveFieldExplorer("conv3")
    assert explorer.remove.disabled and not explorer.add_conv.disabled
    explorer.add_pool.click()
    explorer.add_conv.click()
    assert " ".join(map(str, explorer.layers)) == "conv3 pool2 conv3" and explorer.which.value == 2
    assert [label for label, _ in explorer.which.options] == ["1 conv3", "2 pool2", "3 conv3"]
    explorer.which.value = 1
    assert (explorer.kind.value, explorer.kernel.value, explorer.stride.value) == ("pool", 2, 2)
    explorer.stride.value = 1
    assert str(explorer.layers[1]) == "pool2/1" and explorer.which.value == 1
    for _ in range(5):
        explorer.add_conv.click()
    assert len(explorer.layers) == MOST_LAYERS and explorer.add_conv.disabled and explorer.add_pool.disabled
    for _ in range(9):
        explorer.remove.click()
    assert len(explorer.layers) == 1 and explorer.remove.disabled and explorer.which.value == 0
    assert explorer.message == "" and explorer.field == 3


def test_the_unit_keeps_its_place_in_the_picture():
    explorer = ReceptiveFieldExplorer("conv1")
    explorer.row.value = explorer.column.value = 63
    explorer.add_pool.click()
    assert explorer.row.value == explorer.column.value == 31
    explorer.remove.click()
    assert explorer.row.value == 63


def test_layers_that_do_not_fit_are_told_and_no_field_is_shown(explorer):
    explorer._take(read_layers("conv3/4 pool7 conv7"), 2)
    assert "layer 3, conv7, is larger than the 2 × 2 units before it" in explorer.message
    assert "without a field" in explorer.alt and "no field to show" in explorer._caption_text
    assert not explorer.box.get_visible() and not explorer.cone.get_paths()
    assert [text.get_text() for text in explorer.notes[:4]] == [
        "64 pixels", "sees 3 px, 16 units", "sees 27 px, 2 units", "no unit fits"]
    explorer._take(read_layers("conv3/4 pool7 conv2"), 2)
    assert explorer.message == "" and explorer.sizes[0] == [64, 16, 2, 1]
    assert explorer.row.disabled and explorer.row.value == 0 and explorer.field == 55
    explorer._take(read_layers("conv3 conv3 pool2"), 2)
    assert not explorer.row.disabled and explorer.box.get_visible() and explorer.cone.get_paths()


def test_skipped_pixels_are_told():
    explorer = ReceptiveFieldExplorer("conv1/2 conv3")
    assert "Of these it does not see 16" in explorer._caption_text and "image: 3 of 64 pixels" in explorer.alt


def test_other_images():
    explorer = ReceptiveFieldExplorer("conv7", image=np.random.default_rng(0).normal(size=(16, 96)))
    assert explorer.sizes == ([16, 10], [96, 90]) and explorer.message == ""
    explorer.image_choice.value = "flower"
    assert "“flower” of 64 × 64" in explorer.alt and explorer.sizes == ([64, 58],) * 2
    explorer.image_choice.value = "yours"
    assert explorer.sizes[1] == [96, 90]


@pytest.mark.parametrize("arguments, words", [
    ({"image": "digit"}, "no image"), ({"image": np.zeros((8, 8))}, "16 to 96"), ({"formula": 6}, "to be a function"),
    ({"layers": "conv7/4 conv7/4 conv7"}, "do not fit")])
def test_wrong_arguments(arguments, words):
    assert_refused(ReceptiveFieldExplorer, arguments, words)


# Goals

def test_goal_of_many_pixels_with_few_weights():
    goal = FieldGoal(20, 30, outputs=8, convolutions=3)
    explorer = ReceptiveFieldExplorer("conv3 conv3 conv3", goal=goal)
    assert "○ Goal not reached yet: let a unit see 20 × 20 pixels or more, with at most 30" in explorer._goal_text
    explorer._take(read_layers("pool2 conv3 pool2 conv3 conv3"), 0)
    assert "✓" in explorer._goal_text and explorer.field == 24
    for text, why in (("conv7 conv7 conv7 conv3", "too many weights"), ("pool5 pool5", "nothing is learned"),
                      ("conv3/2 conv3/2 conv3/2 pool2", "too few units"), ("pool4 pool5 conv1 conv1 conv1", "1 x 1")):
        assert not goal.reached(read_layers(text), 64), why


def test_three_small_kernels_see_as_far_as_a_large_one():
    goal = FieldGoal(7, 27)
    assert goal.reached(read_layers("conv3 conv3 conv3"), 64) and not goal.reached(read_layers("conv7"), 64)
    assert str(goal) == "let a unit see 7 × 7 pixels or more, with at most 27 weights"


# Learners' own

@pytest.mark.parametrize("own", [right_formula, from_behind, lambda pairs: float(right_formula(pairs)),
                                 lambda pairs: architecture.receptive_field(
                                     [architecture.Conv(1, k, s) for k, s in pairs])])
def test_right_formulas(own):
    explorer = ReceptiveFieldExplorer(formula=own)
    assert explorer.fault == "" and explorer.message == "" and "gives the same number" in explorer._caption_text


@pytest.mark.parametrize("own, words", [
    (lambda pairs: 1 + sum(k - 1 for k, _ in pairs), "leaves out the strides"),
    (lambda pairs: sum(k for k, _ in pairs), "sums the kernels"),
    (lambda pairs: int(np.prod([k for k, _ in pairs])), "multiplies the kernels"),
    (lambda pairs: right_formula(pairs) - 1, "begins at 0"),
    (lambda pairs: right_formula(pairs[::-1]), "from the last to the first"),
    (lambda pairs: 10, "gives 10, and the gradient covers 13."),
    (lambda pairs: right_formula(pairs[:-1]), "last layer is missing"),
    (lambda pairs: 1 + sum((k - 1) * s for (k, _), (_, s) in zip(pairs, [(1, 1), *pairs])), "only that of the last"),
    (lambda pairs: 1 + sum((k - 1) * int(np.prod([s for _, s in pairs[:i + 1]])) for i, (k, _) in enumerate(pairs)),
     "counts for the layers behind it, not for itself"),
    (lambda pairs: int(np.prod([s for _, s in pairs])), "how far apart neighbors look"),
    (lambda pairs: 1 + sum((k - 1) * s for k, s in pairs), "its own does not count")])
def test_wrong_formulas_are_told(own, words):
    explorer = ReceptiveFieldExplorer("conv3 pool3/2 conv5", formula=own, goal=FieldGoal(1, 100))
    assert words in explorer.fault and words in explorer.alt and "○" in explorer._goal_text


def test_a_slip_that_these_layers_hide_is_found():
    fault = formula_fault(lambda pairs: 1 + sum(k - 1 for k, _ in pairs), read_layers("conv3 conv3"))
    assert fault.startswith("Your formula is right here, but gives 5 for conv3/2 conv3, where the gradient covers 7:")


@pytest.mark.parametrize("own, words", [
    (lambda pairs: None, "is there a return"), (lambda pairs: pairs[9], "raised IndexError"),
    (lambda pairs: "six", "one real number"), (lambda pairs: [6, 6], "one real number")])
def test_exceptions_are_told(own, words):
    explorer = ReceptiveFieldExplorer(formula=own, goal=FieldGoal(1, 100))
    assert words in explorer.fault and words in explorer._caption_text and "○" in explorer._goal_text
    assert explorer.fault.startswith("Your formula stopped: ") and explorer.measured == (6, 6)
