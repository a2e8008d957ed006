"""What a network costs and sees, layer by layer: output sizes, parameters, multiply-adds, receptive fields.

Of a module, or of a published network as a plain table, for which no weight is allocated: `layer_table(VGG16)`.
"""

from nnlib.architecture.networks import (
    ALEXNET,
    ALEXNET_UNGROUPED,
    GOOGLENET,
    LENET5,
    LENET5_1998,
    RESNET18,
    RESNET50,
    VGG16,
)
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
from nnlib.architecture.table import ArchitectureTable, Row, count_parameters, layer_table, receptive_field, summary
from nnlib.ops.convolution import output_size

__all__ = ["ALEXNET", "ALEXNET_UNGROUPED", "Architecture", "ArchitectureTable", "Branches", "Conv", "Dense", "Flatten",
           "GOOGLENET", "GlobalPool", "LENET5", "LENET5_1998", "Norm", "Other", "Pool", "RESNET18", "RESNET50", "Row",
           "VGG16", "count_parameters", "layer_table", "output_size", "receptive_field", "residual", "summary"]
