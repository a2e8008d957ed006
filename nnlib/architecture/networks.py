"""Networks of the literature, from their tables; parameters are counted with biases, without auxiliary heads."""

from dataclasses import replace

from nnlib.architecture.plain import (
    Architecture,
    Branches,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Norm,
    Other,
    Pool,
    residual,
)

__all__ = ["ALEXNET", "ALEXNET_UNGROUPED", "GOOGLENET", "LENET5", "LENET5_1998", "RESNET18", "RESNET50", "VGG16"]

_LENET_SOURCE = "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition (1998)"
LENET5 = Architecture(
    "LeNet-5", _LENET_SOURCE, (1, 32, 32),
    (Conv(6, 5), Pool(2, kind="mean"), Conv(16, 5), Pool(2, kind="mean"), Conv(120, 5), Flatten(), Dense(84),
     Dense(10)),
    "As built today, 61,706 parameters: all channels wired, pooling without parameters, a dense output.")
LENET5_1998 = Architecture(
    "LeNet-5 (1998)", _LENET_SOURCE, (1, 32, 32),
    (Conv(6, 5), Pool(2, kind="mean", trained=True), Conv(16, 5, connections=60), Pool(2, kind="mean", trained=True),
     Conv(120, 5), Flatten(), Dense(84), Other("10 distances to fixed codes", (10,), 0, 840)),
    "As published, 60,000 parameters: 60 of the 96 pairs of channels of C3 are wired (1,516 parameters), pooling has a "
    "factor and a bias for each channel, the codes of the output layer are not trained.")


def _alexnet(groups):
    return (Conv(96, 11, stride=4), Pool(3, 2), Conv(256, 5, padding=2, groups=groups), Pool(3, 2),
            Conv(384, 3, padding=1), Conv(384, 3, padding=1, groups=groups), Conv(256, 3, padding=1, groups=groups),
            Pool(3, 2), Flatten(), Dense(4096), Dense(4096), Dense(1000))


_ALEXNET_SOURCE = "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional networks (2012)"
ALEXNET = Architecture(
    "AlexNet", _ALEXNET_SOURCE, (3, 227, 227), _alexnet(groups=2),
    "As published: three layers are divided into two groups, one on each graphics card; 60,965,224 parameters. The "
    "paper says 224x224, but its 55x55 maps need 227. torchvision's AlexNet (61,100,840) is a later, narrower one.")
ALEXNET_UNGROUPED = replace(ALEXNET, name="AlexNet (ungrouped)", layers=_alexnet(groups=1),
                            note="On one card, without groups: 62,378,344 parameters.")


def _vgg(*stages):
    convolutions = (layer for count, out in stages for layer in (*(Conv(out, 3, padding=1),) * count, Pool(2)))
    return (*convolutions, Flatten(), Dense(4096), Dense(4096), Dense(1000))


VGG16 = Architecture(
    "VGG-16", "Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition (2015)",
    (3, 224, 224), _vgg((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), "Configuration D: 138,357,544 parameters.")


def _normed(out, kernel, stride=1, padding=0):
    return Conv(out, kernel, stride, padding, bias=False), Norm()


def _resnet(block, *counts):
    layers = [*_normed(64, 7, 2, 3), Pool(3, 2, padding=1)]
    for stage, count in enumerate(counts):
        for number in range(count):
            layers.append(block(64 * 2 ** stage, stride=2 if stage and not number else 1, first=not number))
    return (*layers, GlobalPool(), Flatten(), Dense(1000))


def _basic(width, stride, first):
    body = (*_normed(width, 3, stride, 1), *_normed(width, 3, padding=1))
    return residual(body, _normed(width, 1, stride) if stride > 1 else ())


def _bottleneck(width, stride, first):
    body = (*_normed(width, 1), *_normed(width, 3, stride, 1), *_normed(4 * width, 1))
    return residual(body, _normed(4 * width, 1, stride) if first else ())


_RESNET_SOURCE = "He, Zhang, Ren and Sun, Deep residual learning for image recognition (2016)"
RESNET18 = Architecture("ResNet-18", _RESNET_SOURCE, (3, 224, 224), _resnet(_basic, 2, 2, 2, 2),
                        "11,689,512 parameters with those of batch normalization; 1x1 convolutions where sizes change.")
RESNET50 = Architecture("ResNet-50", _RESNET_SOURCE, (3, 224, 224), _resnet(_bottleneck, 3, 4, 6, 3),
                        "25,557,032 parameters with those of batch normalization. The stride is in the 3x3, as in "
                        "torchvision; the paper's, in the 1x1, has as many parameters and fewer multiply-adds.")


def _inception(one, reduce3, three, reduce5, five, pooled):
    return Branches(((Conv(one, 1),), (Conv(reduce3, 1), Conv(three, 3, padding=1)),
                     (Conv(reduce5, 1), Conv(five, 5, padding=2)), (Pool(3, 1, padding=1), Conv(pooled, 1))))


_halve = Pool(3, 2, padding=1)
GOOGLENET = Architecture(
    "GoogLeNet", "Szegedy et al., Going deeper with convolutions (2015)", (3, 224, 224),
    (Conv(64, 7, stride=2, padding=3), _halve, Conv(64, 1), Conv(192, 3, padding=1), _halve,
     _inception(64, 96, 128, 16, 32, 32), _inception(128, 128, 192, 32, 96, 64), _halve,
     _inception(192, 96, 208, 16, 48, 64), _inception(160, 112, 224, 24, 64, 64), _inception(128, 128, 256, 24, 64, 64),
     _inception(112, 144, 288, 32, 64, 64), _inception(256, 160, 320, 32, 128, 128), _halve,
     _inception(256, 160, 320, 32, 128, 128), _inception(384, 192, 384, 48, 128, 128), GlobalPool(), Flatten(),
     Dense(1000)),
    "6,998,552 parameters with biases, without the two auxiliary classifiers. torchvision's (6,624,904) normalizes "
    "batches and has 3x3 kernels in place of 5x5.")
