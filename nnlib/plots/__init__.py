"""Static figures: the house style, pictures with alt text, and one function for each kind of figure."""

from nnlib.plots.base import (
    CYCLE,
    DIVERGING,
    FAINT,
    GRAY,
    GREEN,
    INK,
    NEGATIVE,
    POSITIVE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    Picture,
    encode_png,
    img_tag,
    png,
    show,
    subplots,
)
from nnlib.plots.classification import (
    boundary_line,
    confusion,
    confusion_counts,
    digit_weights,
    evidence,
    filmstrip,
    margin_losses,
    weight_image,
)
from nnlib.plots.descent import batch_strip, curve_path
from nnlib.plots.differences import error_curve, secants
from nnlib.plots.flow import broadcast_copies, layer_flow, network, stored_memory
from nnlib.plots.graph import backward_steps, collapse, graph_in_words, graph_of
from nnlib.plots.graph_drawing import computation_graph
from nnlib.plots.history import timeline
from nnlib.plots.neuron import artificial_neuron, nerve_cell
from nnlib.plots.outputs import (
    class_bars,
    class_counts,
    class_table,
    image_row,
    spread,
    surprises,
    weight_gallery,
)
from nnlib.plots.plane import bounds_of, contours, decision_map, evaluate, grid, path, scatter_classes, trace

__all__ = ["CYCLE", "DIVERGING", "FAINT", "GRAY", "GREEN", "INK", "NEGATIVE", "POSITIVE", "PURPLE", "Picture", "SKY",
           "VERMILION", "YELLOW", "artificial_neuron", "backward_steps", "batch_strip", "boundary_line", "bounds_of",
           "broadcast_copies", "class_bars", "class_counts", "class_table", "collapse", "computation_graph",
           "confusion", "confusion_counts", "contours", "curve_path", "decision_map", "digit_weights", "encode_png",
           "error_curve", "evaluate", "evidence", "filmstrip", "graph_in_words", "graph_of", "grid", "image_row",
           "img_tag", "layer_flow", "margin_losses", "nerve_cell", "network", "path", "png", "scatter_classes",
           "secants", "show", "spread", "stored_memory", "subplots", "surprises", "timeline", "trace", "weight_gallery",
           "weight_image"]
