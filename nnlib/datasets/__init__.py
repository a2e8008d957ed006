"""Data: bundled tables first, small synthetic sets in the plane, and MNIST where there is a network or its files.

Batches of images are changed at random while training by `shift`, `rotate` and their like.
"""

from nnlib.datasets.augmentation import add_noise, affine, flip, rotate, rotation, shift, translate, warp
from nnlib.datasets.bundled import load_breast_cancer, load_digits
from nnlib.datasets.downloads import load_fashion_mnist, load_mnist
from nnlib.datasets.synthetic import make_blobs, make_circles, make_moons, make_spirals, make_xor
from nnlib.datasets.table import Dataset, Normalizer, standardize

__all__ = ["Dataset", "Normalizer", "add_noise", "affine", "flip", "load_breast_cancer", "load_digits",
           "load_fashion_mnist", "load_mnist", "make_blobs", "make_circles", "make_moons", "make_spirals", "make_xor",
           "rotate", "rotation", "shift", "standardize", "translate", "warp"]
