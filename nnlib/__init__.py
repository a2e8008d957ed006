"""nnlib: the small NumPy library of this course, made to be read. Names follow PyTorch's where it has one."""

from nnlib import datasets
from nnlib.autograd import Tensor, no_grad, primitive
from nnlib.errors import DataError, GradientError, NnlibError, ShapeError
from nnlib.gradcheck import gradcheck, numerical_gradient
from nnlib.losses import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, squared_loss
from nnlib.ops import *  # noqa: F403  (the names are listed in nnlib.ops.__all__)
from nnlib.ops import __all__ as _operations
from nnlib.optimizers import SGD

__version__ = "0.1.0"
__all__ = ["DataError", "GradientError", "NnlibError", "SGD", "ShapeError", "Tensor", "binary_cross_entropy",
           "binary_cross_entropy_with_logits", "cross_entropy", "datasets", "gradcheck", "no_grad",
           "numerical_gradient", "primitive", "squared_loss", *_operations]
