"""Data: bundled tables and verses, small synthetic sets in the plane, MNIST where there is a network or its files.

Batches of images are changed at random while training by `shift`, `rotate` and their like.
"""

from nnlib.datasets import augmentation, bundled, downloads, synthetic, table, text
from nnlib.datasets.augmentation import *
from nnlib.datasets.bundled import *
from nnlib.datasets.downloads import *
from nnlib.datasets.synthetic import *
from nnlib.datasets.table import *
from nnlib.datasets.text import *

__all__ = [name for part in (augmentation, bundled, downloads, synthetic, table, text) for name in part.__all__]
