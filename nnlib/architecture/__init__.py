"""What a network costs and sees, layer by layer: output sizes, parameters, multiply-adds, receptive fields.

Of a module, or of a published network as a plain table, for which no weight is allocated: `layer_table(VGG16)`.
"""

from nnlib.architecture import networks, plain, table
from nnlib.architecture.networks import *
from nnlib.architecture.plain import *
from nnlib.architecture.table import *
from nnlib.ops.convolution import output_size

__all__ = ["output_size", *networks.__all__, *plain.__all__, *table.__all__]
