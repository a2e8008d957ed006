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
from nnlib.plots.history import timeline
from nnlib.plots.neuron import artificial_neuron, nerve_cell
from nnlib.plots.plane import bounds_of, contours, decision_map, evaluate, grid, path, scatter_classes, trace

__all__ = ["CYCLE", "DIVERGING", "FAINT", "GRAY", "GREEN", "INK", "NEGATIVE", "POSITIVE", "PURPLE",
           "Picture", "SKY", "VERMILION", "YELLOW", "artificial_neuron", "batch_strip", "boundary_line",
           "bounds_of", "confusion", "confusion_counts", "contours", "curve_path", "decision_map", "digit_weights",
           "encode_png", "evaluate", "evidence", "filmstrip", "grid", "img_tag", "margin_losses",
           "nerve_cell", "path", "png", "scatter_classes", "show", "subplots", "timeline", "trace",
           "weight_image"]
