"""Tables of a network's layers: plain layers are calculated, modules are looked into, unknown modules are run."""

import html
import inspect
from typing import NamedTuple

import numpy as np

from nnlib import layers as nn
from nnlib import ops
from nnlib.architecture.plain import Architecture, Branches, Conv, Dense, Flatten, Layer, Other, Pool
from nnlib.autograd import Tensor, no_grad
from nnlib.errors import ShapeError
from nnlib.module import Module, mode

__all__ = ["ArchitectureTable", "Row", "count_parameters", "layer_table", "receptive_field", "summary"]

# Modules as plain layers. What works on each feature by itself needs no entry: it is run, and keeps every number.

_PLAIN = {
    nn.Linear: lambda m: Dense(m.out_features, inputs=m.in_features),
    **{kind: lambda m: Conv(m.out_channels, m.kernel_size, m.stride, m.padding, inputs=m.in_channels)
       for kind in (nn.Conv1d, nn.Conv2d)},
    **{kind: lambda m: Pool(m.kernel_size, m.stride, m.padding)
       for kind in (nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d, nn.MedianPool2d)},
}
_BY_ITSELF = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Softplus, nn.SiLU, nn.Softmax,
              nn.LogSoftmax, nn.Identity, nn.Dropout, nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.Flatten)
_FUNCTIONS = (ops.relu, ops.leaky_relu, ops.elu, ops.sigmoid, ops.tanh, ops.hardtanh, ops.softplus, ops.swish,
              ops.softmax, ops.log_softmax, ops.flatten)


def _as(layer, *kinds):
    """The one of `kinds` that a module computes as, or None: a subclass with its own `forward` is another layer."""
    return next((kind for kind in kinds if isinstance(layer, kind) and type(layer).forward is kind.forward), None)


def _keeps_place(module):
    return _as(module, *_BY_ITSELF) or vars(module).get("forward") in _FUNCTIONS  # the latter: Sequential(relu)


def _described(layer):
    """A layer in a few words: Conv2d(3, 16, 5, padding=2), its arguments as far as they are not the default."""
    if not isinstance(layer, Module) or type(layer).__repr__ is not Module.__repr__:
        return str(layer)
    parts = []
    for name, argument in inspect.signature(type(layer)).parameters.items():
        value = vars(layer).get(name, argument.default)
        if name == "bias":
            value = value is not None
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        if isinstance(value, (int, float, str, tuple)) and value != argument.default:
            parts.append(repr(value) if argument.default is argument.empty else f"{name}={value!r}")
    return f"{type(layer).__name__}({', '.join(parts)})"


def _branches(layer):
    """Pairs (name, sequence) of a layer in which the way parts, else nothing."""
    if _as(layer, nn.Residual):
        return ("module", layer.module), ("shortcut", () if layer.shortcut is None else layer.shortcut)
    return enumerate(layer.branches) if isinstance(layer, Branches) else ()


def _run(model, shape, dtype=None):
    """What comes out when zeros go in, in a batch of one."""
    with mode(model, training=False), no_grad():
        return model(Tensor(np.zeros((1, *shape), dtype or next((p.dtype for p in model.parameters()), np.float32))))


def _shape_of(output):
    """Shape, without the batch axis, of the first tensor of a result: an LSTM gives several."""
    while isinstance(output, (tuple, list)):
        output = output[0]
    return output.shape[1:]


def count_parameters(model):
    """How many numbers a module or an `Architecture` learns; a shared tensor counts once, a frozen one too."""
    return sum(p.size for p in model.parameters()) if isinstance(model, Module) else layer_table(model).parameters


class Row(NamedTuple):
    """One layer in a table. Shapes are without batch; what is not known is None.

    `receptive_field` is how much of the input, along each axis, one of the layer's features depends on, `jump` how far
    apart two neighbors look, in pixels of the input. `multiply_adds` are those for one example.
    """

    name: str
    layer: str
    shape: tuple
    parameters: int
    multiply_adds: int | None = None
    receptive_field: tuple | None = None
    jump: tuple | None = None


class _Place(NamedTuple):
    """Where a walk through a network stands. `grid`: the sizes of the axes along which features still have a place."""

    shape: tuple | None
    grid: tuple | None
    field: tuple | None
    jump: tuple | None

    def after(self, layer, shape):
        """The place behind a plain layer: the field grows by (kernel - 1) jumps, the jump by the stride's factor."""
        kernel, stride = layer.window(len(self.grid or (1, 1)))
        blind = stride is None or isinstance(layer, Dense) and len(self.shape or ()) > 1
        if self.field is None or blind and max(self.grid, default=1) > 1:
            field = jump = None  # how a module mixes places is not known, only that
        else:
            field = tuple(r + (k - 1) * j for r, k, j in zip(self.field, kernel or self.grid, self.jump))
            jump = tuple(j * s for j, s in zip(self.jump, stride or self.grid))
        grid = self.grid if not self.grid else tuple(1 for _ in self.grid) if kernel is None else (
            shape[1:] if len(shape) > 1 else self.grid)
        return _Place(shape, grid, field, jump)


class _Walk:
    """Goes through layers and writes a row for each."""

    def __init__(self):
        self.rows, self.counted = [], set()

    def sequence(self, layers, prefix, place):
        """Walk through a tuple of layers, a Sequential, or a layer by itself; returns where that ends."""
        if _as(layers, nn.Sequential):
            parts = layers.named_children()
        else:
            parts = [("", layers)] if isinstance(layers, Module) else enumerate(layers)
        for name, layer in parts:
            place = self.layer(layer, ".".join(str(n) for n in (prefix, name) if n != ""), place)
        return place

    def layer(self, layer, name, place):
        if _as(layer, nn.Sequential):
            return self.sequence(layer, name, place)
        ends = [self.sequence(branch, f"{name}.{key}", place) for key, branch in _branches(layer)]
        described = _described(layer)
        if not isinstance(layer, (Module, Layer)):
            raise TypeError(f"layer {name}: expected a module or a plain layer such as Conv(6, 5) but got {layer!r}")
        try:
            place, parameters, multiply_adds = self.joined(layer, ends) if ends else self.measured(layer, place)
        except ShapeError as error:
            raise ShapeError(f"layer {name}, {described}: {error}") from None
        if isinstance(layer, Module):
            parameters = self.not_yet_counted(layer.parameters())
        self.rows.append(Row(name, described, place.shape, parameters, multiply_adds, place.field, place.jump))
        return place

    def joined(self, layer, ends):
        """Where branches meet: there the one that sees most counts."""
        layer = layer if isinstance(layer, Branches) else Branches((), "add")
        shape = None if ends[0].shape is None else layer.joined([end.shape for end in ends])
        field, jump = (None if None in values else tuple(map(max, zip(*values)))
                       for values in ([end.field for end in ends], [end.jump for end in ends]))
        return _Place(shape, ends[0].grid, field, jump), 0, 0

    def measured(self, layer, place):
        plain = self.plain(layer, place.shape) if isinstance(layer, Module) else layer
        if place.shape is None and plain.window(2)[0] is None:
            raise ValueError(f"receptive_field: how far {_described(layer)} sees depends on the size of its input; try "
                             "layer_table(layers, input_shape)")
        shape, parameters, multiply_adds = (None, 0, 0) if place.shape is None else plain.measure(place.shape)
        return place.after(plain, shape), parameters, multiply_adds

    def plain(self, module, shape):
        """The module as a plain layer. One that is not known is run, which also checks the shape."""
        if kind := _as(module, *_PLAIN):
            return _PLAIN[kind](module)
        keeps = _keeps_place(module)
        out = () if shape is None else _shape_of(_run(module, shape, int if _as(module, nn.Embedding) else None))
        if keeps and shape is not None and len(out) < len(shape):
            return Flatten()
        return Other(_described(module), None if keeps else out, 0, 0 if keeps else None)

    def not_yet_counted(self, tensors):
        """How many parameters these are without those that an earlier row counted: a shared tensor counts once."""
        new = [p for p in tensors if p not in self.counted]
        self.counted.update(new)
        return sum(p.size for p in new)


class ArchitectureTable:
    """Rows of a network, and their sums; prints as aligned columns, and in a notebook as a table.

    Attributes: `title`, `input_shape`, `rows` (a list of `Row`); `parameters` and `multiply_adds`, the sums (None if
    that of a row is not known). Multiply-adds count those of convolutions and dense layers, for one example.
    """

    def __init__(self, title, input_shape, rows):
        self.title, self.input_shape, self.rows = title, input_shape, rows
        self.parameters = sum(row.parameters for row in rows)
        known = None not in [row.multiply_adds for row in rows]
        self.multiply_adds = sum(row.multiply_adds for row in rows) if known else None

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    def collapsed(self):
        """A table with one row for each layer of the outermost sequence: blocks and what they contain are one."""
        groups = {}
        for row in self.rows:
            groups.setdefault(row.name.split(".")[0], []).append(row)
        return ArchitectureTable(self.title, self.input_shape, [
            group[-1]._replace(name=name, parameters=sum(r.parameters for r in group),
                               multiply_adds=ArchitectureTable("", (), group).multiply_adds)
            for name, group in groups.items()])

    def _cells(self):
        """Header, rows and sums as strings; columns about the receptive field only where one is known."""
        header = ["", "layer", "output", "parameters", "multiply-adds", "receptive field", "jump"]
        body = [[row.name, row.layer, _sizes(row.shape), f"{row.parameters:,}", _count(row.multiply_adds),
                 _square(row.receptive_field), _square(row.jump)] for row in self.rows]
        total = ["", "total", "", f"{self.parameters:,}", _count(self.multiply_adds), "", ""]
        columns = 7 if any(row.receptive_field for row in self.rows) else 5
        return header[:columns], [cells[:columns] for cells in body], total[:columns]

    def __repr__(self):
        header, body, total = self._cells()
        lines = [header, *body, total]
        widths = [max(map(len, column)) for column in zip(*lines)]
        text = ["  ".join(cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
                for line in lines]
        rule = "-" * len(text[0])
        body = "\n".join(line.rstrip() for line in [text[0], rule, *text[1:-1], rule, text[-1]])
        return f"{self.title}, input {_sizes(self.input_shape)}\n{body}"

    def _repr_html_(self):
        header, body, total = self._cells()

        def line(cells, scope=""):
            place = [' style="text-align: left"' if i < 3 else "" for i in range(len(cells))]
            tags = ["th" if scope == "col" or i == 1 else "td" for i in range(len(cells))]
            scopes = [f' scope="{scope or "row"}"' if tag == "th" else "" for tag in tags]
            return "<tr>" + "".join(f"<{tag}{s}{style}>{html.escape(cell)}</{tag}>"
                                    for tag, s, style, cell in zip(tags, scopes, place, cells)) + "</tr>"

        caption = html.escape(f"{self.title}, input {_sizes(self.input_shape)}")
        return (f"<table><caption>{caption}</caption><thead>{line(['#', *header[1:]], 'col')}</thead>"
                f"<tbody>{''.join(map(line, body))}</tbody><tfoot>{line(total)}</tfoot></table>")


def _sizes(shape):
    return "?" if shape is None else "x".join(map(str, shape))


def _square(sizes):
    return "?" if sizes is None else str(sizes[0]) if len(set(sizes)) == 1 else _sizes(sizes)


def _count(number):
    return "?" if number is None else f"{number:,}"


def layer_table(model, input_shape=None):
    """Every layer of a network: what comes out, what it costs, how much of the input it sees.

    Args:
        model: a Sequential, in which a module that is not one of nnlib's layers is one row; an `Architecture`; or a
            tuple of plain layers and modules.
        input_shape: without batch: (channels, height, width), (channels, length) or (features,).
    Returns an `ArchitectureTable`. Layers are numbered as in `model[3]`, and named as in `state_dict` where one is
    inside another. A residual block stands after its branches, where they are added.
    Raises ShapeError that names the layer where shapes do not fit.
    """
    name, layers = type(model).__name__ if isinstance(model, Module) else "network", model
    if isinstance(model, Architecture):
        name, layers, input_shape = model.name, model.layers, input_shape or model.input_shape
    walk, shape = _Walk(), _checked(input_shape)
    ones = tuple(1 for _ in shape[1:])
    walk.sequence(_several(layers), "", _Place(shape, shape[1:], ones, ones))
    return ArchitectureTable(name, shape, walk.rows)


def _several(layers):
    if not isinstance(layers, (Module, tuple, list)):
        raise TypeError(f"expected a module, an Architecture or a tuple of layers but got {layers!r}; "
                        "try (Conv(6, 5), Pool(2))")
    return (layers,) if isinstance(layers, Module) and not _as(layers, nn.Sequential) else layers


def _checked(shape):
    shape = () if shape is None else tuple(np.ravel(shape).tolist())
    if not 1 <= len(shape) <= 3 or not all(isinstance(size, int) and size >= 1 for size in shape):
        raise ShapeError("expected an input shape without batch, (channels, height, width), (channels, length) or "
                         f"(features,), but got {shape}")
    return shape


def receptive_field(layers):
    """How much of the input, along each axis, one feature behind `layers` depends on.

    Args: layers: as of `layer_table`, or pairs (kernel, stride).
    Returns a number, or a tuple with one for each axis where they differ.

    Layer by layer r <- r + (kernel - 1) * jump and jump <- jump * stride, from r = jump = 1; pooling counts as every
    window does (to multiply at each pooling, as deck D says, goes wrong). Of branches the one that sees most counts.
    Raises ValueError for a layer whose window is not known without the input's size, such as Dense.
    """
    layers = _several(layers.layers if isinstance(layers, Architecture) else layers)
    if not isinstance(layers, Module):
        layers = [Pool(*layer) if isinstance(layer, (tuple, list)) else layer for layer in layers]
    field = _Walk().sequence(layers, "", _Place(None, None, (1, 1), (1, 1))).field
    return field[0] if field[0] == field[1] else field


def summary(model, input_shape, dtype=None):
    """Every module that runs when zeros go through the model, in the order in which they run.

    Unlike `layer_table` it follows any `forward`, and so cannot know how much of the input a layer sees. The model runs
    in evaluation mode: its modes, running statistics and gradients stay as they are.
    Args: input_shape: without batch.   dtype: of the zeros, that of the parameters if None; `int` for tokens.
    Returns an `ArchitectureTable`; a last row holds parameters of modules that did not run.
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expected a module, to run it, but got {type(model).__name__}; try layer_table")
    walk, names, shape = _Walk(), {module: name for name, module in model.named_modules()}, _checked(input_shape)

    def hook(module, inputs, output):
        inside = {p for child in module.children() for p in child.parameters()}
        parameters = walk.not_yet_counted(p for p in module.parameters() if p not in inside)
        if parameters or not list(module.children()):  # a module with others inside: for parameters of its own
            kind = _as(module, *_PLAIN)
            cost = (_PLAIN[kind](module).measure(_shape_of(inputs))[2] if kind else
                    None if parameters and not _keeps_place(module) else 0)
            walk.rows.append(Row(names[module], _described(module), _shape_of(output), parameters, cost))

    handles = [module.register_forward_hook(hook) for module in names]
    try:
        _run(model, shape, dtype)
    finally:
        for handle in handles:
            handle.remove()
    if unused := walk.not_yet_counted(model.parameters()):
        walk.rows.append(Row("", "did not run", None, unused, 0))
    return ArchitectureTable(type(model).__name__, shape, walk.rows)
