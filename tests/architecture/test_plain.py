"""The notation of plain layers: their formulas, how they print, what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlib import ShapeError
from nnlib.architecture import (
    Branches,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Norm,
    Other,
    Pool,
    layer_table,
    output_size,
    residual,
)


@pytest.mark.parametrize(("layer", "shape", "out", "parameters", "multiply_adds"), [
    (Conv(16, 3), (3, 32, 32), (16, 30, 30), 448, 432 * 900),  # deck D: sixteen 3x3 filters on a 32x32 RGB image
    (Conv(16, 3, padding="same"), (3, 32, 32), (16, 32, 32), 448, 432 * 1024),
    (Conv(16, (3, 5), (1, 2), (1, 0), bias=False), (2, 9, 9), (16, 9, 3), 480, 480 * 27),
    (Conv(8, 3, stride=2), (4, 11), (8, 5), 104, 96 * 5),  # over one axis
    (Conv(8, 3, groups=4), (4, 5, 5), (8, 3, 3), 80, 72 * 9),
    (Conv(8, 3, connections=10), (4, 5, 5), (8, 3, 3), 98, 90 * 9),
    (Pool(2), (3, 7, 6), (3, 3, 3), 0, 0), (Pool(3, 1, kind="mean"), (3, 5, 5), (3, 3, 3), 0, 0),
    (Pool(2, trained=True), (3, 4, 4), (3, 2, 2), 6, 0), (GlobalPool(), (3, 4, 5), (3, 1, 1), 0, 0),
    (Flatten(), (3, 4, 5), (60,), 0, 0), (Dense(10), (64,), (10,), 650, 640),
    (Dense(10, bias=False), (64,), (10,), 640, 640),
    (Dense(4, inputs=6), (5, 6), (5, 4), 28, 120), (Norm(), (7, 3, 3), (7, 3, 3), 14, 0), (Norm(), (7,), (7,), 14, 0),
    (Other("gate"), (7, 3), (7, 3), 0, 0), (Other("code", (4,), 5, 6), (7, 3), (4,), 5, 6),
])
def test_measures(layer, shape, out, parameters, multiply_adds):
    assert layer.measure(shape) == (out, parameters, multiply_adds)


@given(W=st.integers(1, 40), K=st.integers(1, 7), P=st.integers(0, 3), S=st.integers(1, 4))
def test_output_sizes_count_the_places_of_the_window(W, K, P, S):
    places = len(range(0, W + 2 * P - K + 1, S))
    if places:
        assert output_size(W, K, S, P) == places
        assert Conv(1, K, S, P).measure((1, W, W))[0] == (1, places, places)
    else:
        with pytest.raises(ShapeError):
            Conv(1, K, S, P).measure((1, W, W))


@pytest.mark.parametrize(("layer", "printed"), [
    (Conv(96, 11, stride=4), "Conv(96, 11, stride=4)"), (Conv(8, (3, 5), bias=False), "Conv(8, (3, 5), bias=False)"),
    (Conv(6, 5, inputs=3), "Conv(6, 5)"), (Pool(2), "Pool(2)"),
    (Pool(3, 2, kind="mean"), "Pool(3, stride=2, kind='mean')"),
    (Dense(10), "Dense(10)"), (Flatten(), "Flatten()"), (Norm(), "Norm()"), (Other("ten distances"), "ten distances"),
    (residual((Dense(4),)), "Branches(((Dense(4),), ()), join='add')"),
    (Branches(((), (Pool(2),))), "Branches(((), (Pool(2),)))"),
])
def test_layers_print_as_they_are_written(layer, printed):
    assert repr(layer) == printed


def test_plain_layers_are_values():
    assert Conv(8, 3) == Conv(8, 3, 1) != Conv(8, 3, 2) and len({Pool(2), Pool(2)}) == 1
    with pytest.raises(AttributeError):
        Conv(8, 3).out = 9


@pytest.mark.parametrize(("layers", "sentence"), [
    ((Conv(16, 3), Pool(2), Conv(8, 3, inputs=8)), r"layer 2, Conv\(8, 3\): expected 8 channels but gets 16"),
    ((Conv(16, 3), Dense(2)), r"layer 1, Dense\(2\): .*row of features but gets shape \(16, 26, 26\); put Flatten"),
    ((Flatten(), Dense(2, inputs=5)), r"layer 1, Dense\(2\): expected 5 features but gets 784"),
    ((Flatten(), Conv(2, 3)), r"layer 1, Conv\(2, 3\): expected channels and at least one more axis .*\(784,\)"),
    ((Flatten(), Pool(2)), r"layer 1, Pool\(2\): expected channels"),
    ((Flatten(), GlobalPool()), r"layer 1, GlobalPool\(\): expected channels"),
    ((Conv(9, 3), Conv(8, 3, groups=2)), r"layer 1, .*: expected channels that divide into 2 groups but gets 9"),
    ((Conv(8, 3), Conv(9, 3, groups=2)), r"layer 1, .*groups but gets 8, for 9 outputs"),
    ((Pool(2), Conv(8, 15)), r"layer 1, Conv\(8, 15\): .*larger than the padded image"),
    ((Conv(8, (3, 3, 3)),), r"layer 0, .*one number, or one for each of 2 axes, but got \(3, 3, 3\)"),
    ((residual((Conv(8, 3),)),),
     r"layer 0, add 2 branches: cannot add branches of shapes \(8, 26, 26\) and \(1, 28, 28\); a shortcut with a 1x1"),
    ((Branches(((Conv(8, 3),), ())),), "layer 0, concatenate 2 branches: cannot concatenate .*padding makes"),
    ((Norm(), residual((Conv(8, 3), Conv(4, 1, inputs=5)))), r"^layer 1.0.1, Conv.*expected 5 channels but gets 8$"),
])
def test_shapes_that_do_not_fit_name_the_layer(layers, sentence):
    with pytest.raises(ShapeError, match=sentence):
        layer_table(layers, (1, 28, 28))
