"""nnlib: the small NumPy library of this course, made to be read. Names follow PyTorch's where it has one.

The names of the engine, the operations, the layers and of training stand here flat: `from nnlib import Tensor, conv2d,
Linear, cross_entropy, SGD, fit`. Some parts keep their own name: `architecture`, `datasets`, `initializers`, `tuning`
and, with figures and explorers, `plots` and `widgets`.
"""

import sys

from nnlib import architecture, datasets, initializers, tuning
from nnlib.attention import *
from nnlib.autograd import *
from nnlib.errors import *
from nnlib.gradcheck import *
from nnlib.layers import *
from nnlib.losses import *
from nnlib.module import *
from nnlib.ops import *
from nnlib.optimizers import *
from nnlib.recurrent import *
from nnlib.schedules import *
from nnlib.seeding import *
from nnlib.training import *

__version__ = "0.1.0"
_FLAT = ("attention", "autograd", "errors", "gradcheck", "layers", "losses", "module", "ops", "optimizers", "recurrent",
         "schedules", "seeding", "training")
__all__ = ["architecture", "datasets", "initializers", "tuning",
           *(name for part in _FLAT for name in sys.modules[f"nnlib.{part}"].__all__)]
