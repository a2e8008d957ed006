"""Data: bundled tables first, small synthetic sets in the plane, and MNIST where there is a network or its files.

Batches of images are changed at random while training by `shift`, `rotate` and their like.
"""

from nnlib.datasets import augmentation, bundled, downloads, synthetic, table
from nnlib.datasets.augmentation import *
from nnlib.datasets.bundled import *
from nnlib.datasets.downloads import *
from nnlib.datasets.synthetic import *
from nnlib.datasets.table import *

__all__ = [name for part in (augmentation, bundled, downloads, synthetic, table) for name in part.__all__]
