"""Static figures: the house style, pictures with alt text, and one function for each kind of figure."""

from nnlib.plots.activations import activation_curve, layer_map, layer_map_bar, runs
from nnlib.plots.attention import attention_map, block_diagram, encoding_map, look_ups
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
    RUST,
    SKY,
    VERMILION,
    YELLOW,
    Picture,
    casing,
    contrast,
    encode_png,
    img_tag,
    png,
    show,
    subplots,
    text_on,
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
from nnlib.plots.convolution import (
    channel_stacks,
    connections,
    direction_votes,
    field_tree,
    gray_image,
    number_grid,
    pixel_box,
    response,
)
from nnlib.plots.descent import batch_strip, curve_path
from nnlib.plots.differences import error_curve, secants
from nnlib.plots.flow import broadcast_copies, layer_flow, network, stored_memory
from nnlib.plots.graph import backward_steps, collapse, graph_in_words, graph_of
from nnlib.plots.graph_drawing import computation_graph
from nnlib.plots.history import timeline
from nnlib.plots.inside import (
    feature_stack,
    image_table,
    mosaic,
    network_costs,
    network_towers,
    seed_bands,
    signed_image,
)
from nnlib.plots.networks import breaking_curves, digit_map, layer_costs, number_tables, stage_maps
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
from nnlib.plots.practice import learning_curves, search_map
from nnlib.plots.racing import race_paths, race_traces, racer_style, rate_schedules, seed_results, tuning_curves
from nnlib.plots.regions import bumps, error_bars, half_planes, network_shape, sign_map, unit_maps
from nnlib.plots.remedies import bias_variance, error_curves, patience_stops, remedy_dots, weight_sizes
from nnlib.plots.sequences import cell_look, lag_curves, rate_dots, seed_traces, shortcut, unrolled

__all__ = ["CYCLE", "DIVERGING", "FAINT", "GRAY", "GREEN", "INK", "NEGATIVE", "POSITIVE", "PURPLE", "Picture", "RUST",
           "SKY", "VERMILION", "YELLOW", "activation_curve", "artificial_neuron", "attention_map", "backward_steps",
           "batch_strip", "bias_variance", "block_diagram", "boundary_line", "bounds_of", "breaking_curves",
           "broadcast_copies", "bumps", "casing", "cell_look", "channel_stacks", "class_bars", "class_counts",
           "class_table", "collapse", "computation_graph", "confusion", "confusion_counts", "connections", "contours",
           "contrast", "curve_path", "decision_map", "digit_map", "digit_weights", "direction_votes", "encode_png",
           "encoding_map", "error_bars", "error_curve", "error_curves", "evaluate", "evidence", "feature_stack",
           "field_tree", "filmstrip", "graph_in_words", "graph_of", "gray_image", "grid", "half_planes", "image_row",
           "image_table", "img_tag", "lag_curves", "layer_costs", "layer_flow", "layer_map", "layer_map_bar",
           "learning_curves", "look_ups", "margin_losses", "mosaic", "nerve_cell", "network", "network_costs",
           "network_shape", "network_towers", "number_grid", "number_tables", "path", "patience_stops", "pixel_box",
           "png", "race_paths", "race_traces", "racer_style", "rate_dots", "rate_schedules", "remedy_dots", "response",
           "runs", "scatter_classes", "search_map", "secants", "seed_bands", "seed_results", "seed_traces", "shortcut",
           "show", "sign_map", "signed_image", "spread", "stage_maps", "stored_memory", "subplots", "surprises",
           "text_on", "timeline", "trace", "tuning_curves", "unit_maps", "unrolled", "weight_gallery", "weight_image",
           "weight_sizes"]
