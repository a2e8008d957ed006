"""Networks of the literature: the parameters that are published or known of them, from their layer tables."""

from dataclasses import replace

import pytest

from nnlib.architecture import (
    ALEXNET,
    ALEXNET_UNGROUPED,
    GOOGLENET,
    LENET5,
    LENET5_1998,
    RESNET18,
    RESNET50,
    VGG16,
    Branches,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Norm,
    Pool,
    count_parameters,
    layer_table,
)

ALL = [LENET5, LENET5_1998, ALEXNET, ALEXNET_UNGROUPED, VGG16, GOOGLENET, RESNET18, RESNET50]


@pytest.mark.parametrize(("network", "parameters", "multiply_adds", "receptive_field"), [
    (LENET5, 61_706, 416_520, 32), (LENET5_1998, 60_000, 326_520, 32),
    (ALEXNET, 60_965_224, 724_406_816, 355), (ALEXNET_UNGROUPED, 62_378_344, 1_135_256_096, 355),
    (VGG16, 138_357_544, 15_470_264_320, 404), (GOOGLENET, 6_998_552, 1_582_671_872, 907),
    (RESNET18, 11_689_512, 1_814_073_344, 627), (RESNET50, 25_557_032, 4_089_184_256, 619),
], ids=lambda value: getattr(value, "name", None))
def test_parameters_multiply_adds_and_receptive_field(network, parameters, multiply_adds, receptive_field):
    table = layer_table(network)
    assert table.parameters == count_parameters(network) == parameters
    assert table.multiply_adds == multiply_adds
    assert table[-1].shape == ((10,) if network.name.startswith("LeNet") else (1000,))
    assert table[-1].receptive_field == (receptive_field, receptive_field)


@pytest.mark.parametrize("network", ALL, ids=lambda network: network.name)
def test_what_is_counted_is_said(network):
    assert f"{layer_table(network).parameters:,}" in network.note
    assert any(f"({year})" in network.source for year in (1998, 2012, 2015, 2016))


def test_parameters_of_the_layers_of_alexnet():
    counts = [row.parameters for row in layer_table(ALEXNET) if row.parameters]
    assert counts == [34_944, 307_456, 885_120, 663_936, 442_624, 37_752_832, 16_781_312, 4_097_000]
    shapes = [row.shape for row in layer_table(ALEXNET)][:8]
    assert shapes == [(96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13), (384, 13, 13), (384, 13, 13),
                      (256, 13, 13), (256, 6, 6)]


def test_parameters_of_the_layers_of_lenet5_as_published():
    assert [row.parameters for row in layer_table(LENET5_1998)] == [156, 12, 1_516, 32, 48_120, 0, 10_164, 0]
    assert [row.parameters for row in layer_table(LENET5)] == [156, 0, 2_416, 0, 48_120, 0, 10_164, 850]


def test_parameters_of_the_stages_of_vgg16():
    table = layer_table(VGG16)
    assert [row.shape for row in table if row.layer.startswith("Pool")] == [
        (64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7)]
    assert sum(row.parameters for row in table if row.layer.startswith("Conv")) == 14_714_688
    assert sum(row.layer.startswith(("Conv", "Dense")) for row in table) == 16


@pytest.mark.parametrize(("network", "depth"), [(RESNET18, 18), (RESNET50, 50)], ids=["18", "50"])
def test_the_depth_of_a_resnet_counts_what_is_not_a_shortcut(network, depth):
    rows = [row for row in layer_table(network) if row.layer.startswith(("Conv", "Dense"))]
    assert sum(not ("." in row.name and row.name.split(".")[1] == "1") for row in rows) == depth


def test_channels_of_googlenet():
    channels = [row.shape[0] for row in layer_table(GOOGLENET).collapsed() if row.layer.startswith("concatenate")]
    assert channels == [256, 480, 512, 512, 512, 528, 832, 832, 1024]


def test_torchvisions_googlenet_by_the_changes_that_its_note_names():
    def changed(layers):
        for layer in layers:
            if isinstance(layer, Branches):
                yield Branches(tuple(tuple(changed(branch)) for branch in layer.branches))
            elif isinstance(layer, Conv):
                small = {"kernel": 3, "padding": 1} if layer.kernel == 5 else {}
                yield from (replace(layer, bias=False, **small), Norm())
            else:
                yield layer

    table = layer_table(replace(GOOGLENET, layers=tuple(changed(GOOGLENET.layers))))
    assert table.parameters == 6_624_904


def test_torchvisions_alexnet():
    layers = (Conv(64, 11, 4, 2), Pool(3, 2), Conv(192, 5, padding=2), Pool(3, 2), Conv(384, 3, padding=1),
              Conv(256, 3, padding=1), Conv(256, 3, padding=1), Pool(3, 2), Flatten(), Dense(4096), Dense(4096),
              Dense(1000))
    assert layer_table(layers, (3, 224, 224)).parameters == 61_100_840


def test_a_network_for_another_size_of_image():
    assert layer_table(RESNET18, (3, 64, 64)).parameters == 11_689_512
    assert layer_table(VGG16, (3, 32, 32)).parameters == 138_357_544 - (7 * 7 - 1) * 512 * 4096
    assert layer_table((Conv(4, 3), GlobalPool(), Flatten()), (1, 9, 7))[-1].shape == (4,)
