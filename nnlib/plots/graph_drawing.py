"""The drawing of a computation graph: layers from left to right, like lines of text where one line is not enough."""

import textwrap
from functools import cached_property
from itertools import pairwise

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from nnlib.plots.base import FAINT, GRAY, INK, VERMILION, subplots
from nnlib.plots.graph import backward_steps, brief, collapse, graph_of, known_gradients, number

WIDTH, TALL = 9.8, 6.0  # inches of a figure; from this height on its letters become smaller
FONT = {"family": "DejaVu Sans Mono"}  # letters of one width, so that a text is known to fit its box
SIZE, SMALL = 9.5, 8.5  # points
LETTER, LINE = 0.615 * SIZE / 72, 0.165  # inches, of the larger size; a pixel more than the font says
TITLE_LETTER = 0.075  # inches, on average
PAD, TITLE = 0.05, 0.04  # above and below the texts of a box; around the line under its title
ROW, COLUMN = 0.28, 0.28  # free room between boxes, up and down and (beside the text of the edge) left to right
PORT, BOW, LANE, EDGE = 0.15, 0.30, 0.13, 0.12  # between edges at a box; of twins; between lanes; around it all


class Layout:
    """Where everything stands, in inches from the lower left corner.

    boxes: for each node (x, y, width, height), x and y of its center.   curves: for each edge (node, number) a list
    of points (n, 4, 2), Bezier curves from parent to node.   labels: where its text stands.   size: (width, height).
    """

    def __init__(self, boxes, curves, texts, size):
        self.boxes, self.curves, self.texts, self.size = boxes, curves, texts, size

    @cached_property
    def labels(self):
        """Where the text of each edge stands."""
        return _labels(self.curves, self.boxes, self.texts)


def layers_of(graph):
    """The layer of each node: one more than the last of its parents. Inputs stand just before their first use.

    So do nodes computed from inputs that nothing else uses, such as the W.T of a layer.
    """
    import networkx

    arrows = networkx.MultiDiGraph()
    arrows.add_nodes_from(range(len(graph)))
    arrows.add_edges_from((p, i) for i, node in enumerate(graph) for p in node.parents)
    layer = {i: depth for depth, generation in enumerate(networkx.topological_generations(arrows)) for i in generation}
    own = []
    for i, node in enumerate(graph):
        own.append(all(own[p] and list(arrows.successors(p)) == [i] for p in node.parents))
    for i in reversed(range(len(graph) - 1)):
        if own[i]:
            layer[i] = min(layer[child] for child in arrows.successors(i)) - 1
    return [layer[i] for i in range(len(graph))]


def _columns(graph, layer):
    """Nodes and way-points (node, "way", layer) in every layer, and each edge as a chain through them."""
    columns = [[] for _ in range(max(layer) + 1)]
    chains = {}
    for i in range(len(graph)):
        columns[layer[i]].append(i)
    for i, node in enumerate(graph):
        for k, p in enumerate(node.parents):
            way = [(p, "way", depth) for depth in range(layer[p] + 1, layer[i])]  # edges of one parent travel together
            for point in way:
                if point not in columns[point[2]]:
                    columns[point[2]].append(point)
            chains[i, k] = [p, *way, i]
    return columns, chains


def mean(numbers):
    """The mean of a short list, where NumPy would take its time."""
    return sum(numbers) / len(numbers)


def _crossings(columns, links):
    total = 0
    for depth in range(len(columns) - 1):
        left, right = ({p: r for r, p in enumerate(columns[d])} for d in (depth, depth + 1))
        ends = [(left[a], right[b]) for a, b in links if a in left and b in right]
        total += sum((a - c) * (b - d) < 0 for n, (a, b) in enumerate(ends) for c, d in ends[:n])
    return total


def _sort(columns, links, sweeps=8):
    """Order every column so that few edges cross: each point at the mean rank of its neighbors, to and fro."""
    neighbors = {p: [] for column in columns for p in column}
    for a, b in links:
        neighbors[a].append(b)
        neighbors[b].append(a)
    best, fewest = [list(c) for c in columns], _crossings(columns, links)
    for sweep in range(sweeps):
        if not fewest:
            break
        forward = sweep % 2 == 0
        order = range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1)
        for depth in order:
            before = {p: r for r, p in enumerate(columns[depth - 1 if forward else depth + 1])}
            own = {p: r for r, p in enumerate(columns[depth])}
            means = {p: mean([before[q] for q in neighbors[p] if q in before] or [own[p]]) for p in own}
            columns[depth].sort(key=lambda p: (means[p], own[p]))
        if (crossings := _crossings(columns, links)) < fewest:
            best, fewest = [list(c) for c in columns], crossings
    return best


def _spread(wanted, gaps):
    """Places near the wanted ones, in the same order, neighbors at least `gaps` apart (least squares)."""
    shift = np.concatenate([[0.0], np.cumsum(gaps)])
    blocks = []
    for place in np.asarray(wanted) - shift:
        blocks.append([place, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    return np.repeat([b[0] for b in blocks], [b[1] for b in blocks]) + shift


def _heights(columns, links, tall):
    """The y of every point of some neighboring columns: near its neighbors, without overlap; the first is highest."""
    inside = {p for column in columns for p in column}
    neighbors = {p: [] for p in inside}
    for a, b in links:
        if a in inside and b in inside:
            neighbors[a].append(b)
            neighbors[b].append(a)
    y = {}
    for column in columns:
        places = _spread(np.zeros(len(column)), _gaps(column, tall))
        y.update(zip(column, places - places.mean()))
    for _ in range(12):
        for column in [*columns, *columns[::-1]]:
            wanted = [0.97 * mean([y[q] for q in neighbors[p]] or [y[p]]) for p in column]  # and to the middle
            y.update(zip(column, _spread(wanted, _gaps(column, tall))))
    return {p: -v for p, v in y.items()}


def _gaps(column, tall):
    return [(tall(a) + tall(b)) / 2 + ROW for a, b in pairwise(column)]


def lay_out(graph, width=WIDTH, texts=None, edge_texts=None):
    """Place the nodes of a graph in layers from left to right, wrapped like text to a width.

    Args:
        graph: from `graph_of`.   width: inches.   texts: for each node its longest lines (by default title and
        value).   edge_texts: {(node, edge): lines}, what stands on the edges.
    Returns a `Layout`; its height is as it comes.
    """
    texts = texts or [node_lines(node) for node in graph]
    edge_texts = edge_texts or {}
    layer = layers_of(graph)
    columns, chains = _columns(graph, layer)
    links = [pair for chain in chains.values() for pair in pairwise(chain)]
    columns = _sort(columns, links)

    def wide(p):
        return LETTER * max(map(len, texts[p])) + 0.18 if isinstance(p, int) else 0.0

    def tall(p):
        return LINE * 3 + 2 * PAD + TITLE if isinstance(p, int) else 0.05

    room = [max(map(wide, column)) for column in columns]
    free = [0.0] + [COLUMN + LETTER * SMALL / SIZE * max(
        (len(t) for (i, k), lines in edge_texts.items() if layer[i] == depth for t in lines), default=3)
        for depth in range(1, len(columns))]
    bands = _bands(room, free, width - 2 * EDGE, links, layer)
    boxes, left, right, y, top = {}, {}, {}, {}, 0.0
    crossing = [_lanes(chains, columns, band[-1]) for band in bands[:-1]]
    margin = max([LANE * (len(c) + 1) for c in crossing], default=0.0) + EDGE
    for number_of_band, band in enumerate(bands):
        own = _heights([columns[depth] for depth in band], links, tall)
        highest = max(v + tall(p) / 2 for p, v in own.items())
        lowest = min(v - tall(p) / 2 for p, v in own.items())
        x = margin
        for depth in band:
            x += free[depth] if depth != band[0] else 0.0
            for p in columns[depth]:
                left[p], right[p], y[p] = x, x + room[depth], top - highest + own[p]
                if isinstance(p, int):
                    boxes[p] = (x + room[depth] / 2, y[p], wide(p), tall(p))
            x += room[depth]
        top -= highest - lowest
        if number_of_band < len(bands) - 1:
            top -= ROW + LANE * (len(crossing[number_of_band]) + 1) + 1.5 * LINE
    end = max(right.values())
    bottom = min(y[p] - tall(p) / 2 for p in y)
    curves = _curves(graph, chains, boxes, left, right, y, bands, crossing, layer, end)
    heights = np.concatenate([[0.0, bottom], *(curve[:, :, 1].ravel() for curve in curves.values())])
    size = (end + margin, np.ptp(heights) + 2 * EDGE)
    lift = np.array([0.0, EDGE - heights.min()])
    boxes = {p: (x, v + lift[1], w, h) for p, (x, v, w, h) in boxes.items()}
    curves = {edge: curve + lift for edge, curve in curves.items()}
    return Layout(boxes, curves, edge_texts, size)


def _bands(room, free, width, links, layer):
    """The layers as lines of text, of about the same length and none wider than the picture (if it can be)."""
    def fill(limit):
        bands, used = [], np.inf
        for depth, own in enumerate(room):
            if used + free[depth] + own > limit:
                bands.append([])
                used = -free[depth]
            bands[-1].append(depth)
            used += free[depth] + own
        return bands

    if len(fill(width)) == 1:
        return fill(width)
    inside = width - 2 * (EDGE + LANE * 3)
    best = fill(inside)
    for limit in np.linspace(0.5, 1.0, 26) * inside:  # the shortest lines that do not make more of them
        if limit >= max(room) and len(fill(limit)) == len(best):
            return fill(limit)
    return best


def _lanes(chains, columns, depth):
    """The links from this layer to the first one of the next line, each of which gets a lane between the lines."""
    rank = {p: r for r, p in enumerate(columns[depth])}
    found = []
    for edge, chain in chains.items():
        for a, b in pairwise(chain):
            if a in rank and b not in rank and (a, b, edge if isinstance(b, int) else None) not in found:
                found.append((a, b, edge if isinstance(b, int) else None))
    return sorted(found, key=lambda link: rank[link[0]])


def _ports(graph, chains, y):
    """By how much each edge leaves its parent and reaches its node above the middle: {(edge, 0 or 1): offset}."""
    ends = {}
    for edge, chain in chains.items():
        ends.setdefault((chain[0], 0), []).append((edge, chain[1]))
        ends.setdefault((chain[-1], 1), []).append((edge, chain[-2]))
    ports = {}
    for (_, side), met in ends.items():
        routes = sorted({(-y[q], str(q)) for _, q in met}) if side == 0 else None
        if side == 0:  # the edges to one place leave together, unless they are twins
            places = {route: n for n, route in enumerate(routes)}
            for edge, q in met:
                ports[edge, 0] = PORT * ((len(routes) - 1) / 2 - places[-y[q], str(q)]) * 0.6
        else:
            met.sort(key=lambda item: (-y[item[1]], item[0][1]))
            for n, (edge, _) in enumerate(met):
                ports[edge, 1] = PORT * ((len(met) - 1) / 2 - n)
    return ports


def _bezier(start, end, bow=0.0):
    """A curve that leaves and arrives level."""
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2
    return [[x0, y0], [middle, y0 + bow], [middle, y1 + bow], [x1, y1]]


def _straight(start, end):
    start, end = np.array(start), np.array(end)
    return [start, start + (end - start) / 3, start + (end - start) * 2 / 3, end]


def _curves(graph, chains, boxes, left, right, y, bands, crossing, layer, end):
    """Each edge as Bezier curves (n, 4, 2), from the right side of its parent to the left side of its node."""
    ports = _ports(graph, chains, y)
    line_of = {depth: n for n, band in enumerate(bands) for depth in band}
    curves = {}
    for (i, k), chain in chains.items():
        p = chain[0]
        twins = [j for j, q in enumerate(graph[i].parents) if q == p]
        bow = BOW * ((len(twins) - 1) / 2 - twins.index(k)) * 4 / 3 if len(chain) == 2 else 0.0
        offset = ports[(i, k), 0] + (PORT * ((len(twins) - 1) / 2 - twins.index(k)) if len(chain) == 2 else 0)
        at = np.array([boxes[p][0] + boxes[p][2] / 2, y[p] + offset])
        parts = []
        for a, b in pairwise(chain):
            depth = layer[a] if isinstance(a, int) else a[2]
            port = ports[(i, k), 1] if isinstance(b, int) else 0.0
            column = np.array([left[b], y[b] + port])
            edge_of_a = np.array([right[a], at[1]])
            parts.append(_straight(at, edge_of_a))
            if line_of[depth] == line_of[depth + 1]:
                parts.append(_bezier(edge_of_a, column, bow))
            else:
                parts += _wrap(edge_of_a, column, (a, b, (i, k) if isinstance(b, int) else None),
                               crossing[line_of[depth]], y, boxes, bands[line_of[depth] + 1], layer, end)
            stop = boxes[b][0] - boxes[b][2] / 2 if isinstance(b, int) else right[b]
            parts.append(_straight(column, [stop, column[1]]))
            at = np.array([stop, column[1]])
        curves[i, k] = np.array(parts)
    return curves


def _wrap(start, stop, link, lanes, y, boxes, below, layer, end):
    """Round the end of a line, back between the lines, and into the next line from the left."""
    n = lanes.index(link)
    tops = [v + boxes[p][3] / 2 if isinstance(p, int) else v for p, v in y.items()
            if (layer[p] if isinstance(p, int) else p[2]) in below]
    level = max(tops) + ROW / 2 + LINE + LANE * (len(lanes) - n)
    outer, inner = end + LANE * (len(lanes) - n), min(stop[0], EDGE + LANE * (n + 1))
    bend = 0.12
    corners = [start, (outer, start[1]), (outer, level), (inner, level), (inner, stop[1]), stop]
    parts, at = [], np.array(start)
    for before, corner, after in zip(corners, corners[1:], corners[2:]):
        before, corner, after = map(np.array, (before, corner, after))
        inward = corner - bend * np.sign(corner - before) * (np.abs(corner - before) > 1e-9)
        outward = corner + bend * np.sign(after - corner) * (np.abs(after - corner) > 1e-9)
        parts += [_straight(at, inward), [inward, corner, corner, outward]]
        at = outward
    return [*parts, _straight(at, stop)]


def points_on(curve, each=12):
    """Points along the Bezier curves (n, 4, 2) of an edge, (n * each, 2)."""
    t = np.linspace(0, 1, each)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3])
    return (weights @ curve).reshape(-1, 2)


def _labels(curves, boxes, texts):
    """Where the text of every edge stands: on it, near its middle, where it covers no box and no other text."""
    taken = np.array(list(boxes.values()))
    lines = {edge: points_on(curve) for edge, curve in curves.items()}
    shares = np.linspace(0.04, 0.96, 47)
    labels = {}
    for edge, points in lines.items():
        shown = texts.get(edge) or ["0000"]
        size = np.array([LETTER * SMALL / SIZE * max(map(len, shown)) + 0.06, LINE * 0.9 * len(shown) + 0.02])
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        tries = np.column_stack([np.interp(shares * along[-1], along, points[:, axis]) for axis in (0, 1)])
        shared = (size + taken[:, 2:]) / 2 - np.abs(tries[:, None] - taken[:, :2])
        cost = 100 * np.maximum(shared, 0).prod(axis=-1).sum(axis=1) + 0.2 * np.abs(shares - 0.5)
        others = [p for other, p in lines.items() if other != edge]
        if others:
            cost += 3 * (np.abs(np.vstack(others) - tries[:, None]) < size / 2).all(axis=-1).mean(axis=1)
        labels[edge] = tries[np.argmin(cost)]
        taken = np.vstack([taken, [*labels[edge], *size]])
    return labels


def edge_lines(graph, i, k, handed=None, derivatives=True):
    """The text on an edge: the local derivative or the shape, and below it what was handed back."""
    node, parent = graph[i], graph[graph[i].parents[k]]
    if node.derivatives[k] is not None:
        first = f"× {number(node.derivatives[k])}"
    else:
        first = brief(parent.value, 0) if parent.value.ndim else "?" if node.hand is None else ""
    lines = [first] if derivatives and first else []
    return [*lines, f"← {brief(handed, 8)}"] if handed is not None else lines


class Drawing:
    """The artists of a graph on an axes, whose size at this scale is `frame`: that of the layout, or more around it.

    values, gradients: a Text for each node.   edges: {(node, edge): Text}.   ring, road: what marks the active node
    and edge.   `moving`: all that changes.
    """

    def __init__(self, ax, graph, layout, scale=1.0, frame=None):
        self.ax, self.graph, self.layout, self.scale = ax, graph, layout, scale
        (width, height), (x, y) = layout.size, np.maximum(frame or layout.size, layout.size)
        ax.set(xlim=((width - x) / 2, (width + x) / 2), ylim=((height - y) / 2, (height + y) / 2), aspect="equal")
        ax.set_axis_off()
        self.values, self.gradients, self.edges = [], [], {}
        for edge, curve in layout.curves.items():
            self._arrow(curve, edge)
        for i, (x, y, w, h) in sorted(layout.boxes.items()):
            self._box(graph[i], x, y, w, h)
        heads = np.array([curve[-1, -1] for curve in layout.curves.values()]).reshape(-1, 2) - (0.05, 0)
        ax.add_line(Line2D(*heads.T, linestyle="none", marker=">", color=GRAY, markersize=6 * scale, zorder=2))
        rules = [((x - w / 2, x + w / 2, np.nan), [y + h / 2 - PAD - LINE - TITLE / 2] * 3)
                 for x, y, w, h in layout.boxes.values()]
        ax.add_line(Line2D(*np.hstack(rules), color=FAINT, linewidth=0.8 * scale, zorder=3))
        self.road = Line2D([], [], color=VERMILION, linewidth=3.2 * scale, zorder=3, solid_capstyle="round")
        self.tip = Line2D([], [], color=VERMILION, linestyle="none", markersize=11 * scale, zorder=6)
        self.ring = FancyBboxPatch((0, 0), 1, 1, boxstyle="round,pad=0.03,rounding_size=0.08", facecolor="none",
                                   edgecolor=VERMILION, linewidth=3.2 * scale, zorder=5, visible=False)
        ax.add_line(self.road)
        ax.add_line(self.tip)
        ax.add_patch(self.ring)
        self.moving = [self.road, *self.values, *self.gradients, *self.edges.values(), self.tip, self.ring]

    def _arrow(self, curve, edge):
        codes = [Path.MOVETO, *[Path.CURVE4] * (3 * len(curve))]
        path = Path([curve[0, 0], *curve[:, 1:].reshape(-1, 2)], codes)
        self.ax.add_patch(PathPatch(path, facecolor="none", edgecolor=GRAY, linewidth=1.3 * self.scale, zorder=1))
        self.edges[edge] = self.ax.text(*self.layout.labels[edge], "", ha="center", va="center", linespacing=1.1,
                                        size=SMALL * self.scale, zorder=4, color=INK, **FONT,
                                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8 * self.scale})

    def _box(self, node, x, y, w, h):
        self.ax.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, boxstyle="round,pad=0,rounding_size=0.06",
                                         facecolor="white" if node.statement else "#F4F4F4",
                                         edgecolor=INK if node.wants else GRAY, zorder=2,
                                         linestyle="-" if node.wants else "--", linewidth=1.2 * self.scale))
        top = y + h / 2 - PAD - LINE / 2
        at = [top, top - LINE - TITLE, top - 2 * LINE - TITLE]
        style = {"ha": "center", "va": "center", "size": SIZE * self.scale, "color": INK, "zorder": 4, **FONT}
        self.ax.text(x, at[0], node.title, weight="bold", **style)
        self.values.append(self.ax.text(x, at[1], "", **style))
        self.gradients.append(self.ax.text(x, at[2], "", **style))

    def mark(self, node=None, edge=None):
        """Mark a node by a thick border, and an edge (node, number) by a thick line with a tip at its parent."""
        self.ring.set_visible(node is not None)
        if node is not None:
            x, y, w, h = self.layout.boxes[node]
            self.ring.set_bounds(x - w / 2, y - h / 2, w, h)
        points = points_on(self.layout.curves[edge]) if edge is not None else np.empty((0, 2))
        self.road.set_data(*points.T)
        self.tip.set_data(*(points[:1] + (0.07, 0)).T)
        self.tip.set_marker("<")


def value_line(node):
    """The value in a box: the number, or the shape of a larger array."""
    text = brief(node.value)
    return f"{'shape' if text.startswith('(') else 'value'} {text}"


def node_lines(node, gradients=()):
    """The lines that a box must have room for."""
    return [node.title, value_line(node), *(f"grad {brief(g)}" for g in gradients)]


def computation_graph(ax, root, names=None, gradients=True, derivatives=True, upstream=None):
    """Draw the graph below `root` from left to right: names, operations, values, gradients and local derivatives.

    Args:
        ax: the axes to fill; None for a new figure as large as the graph needs.   root: a Tensor, or a node of your
        own class, as for `graph_of`.   names: dict from name to node.   gradients: whether to write the gradients
        that the nodes hold.   derivatives: whether to write d node / d parent on the edges (shapes, for arrays).
        upstream: a number draws the gradients of a backward pass that begins with it, whatever the nodes hold.
    Returns the axes. Graphs of more than 30 nodes are collapsed, and say so.
    Raises GradientError as `graph_of`.
    """
    graph, told = collapse(graph_of(root, names))
    shown = known_gradients(graph, upstream) if gradients else {}
    handed = {}
    if upstream is not None and gradients:
        handed = {(s.node, s.edge): s.handed for s in backward_steps(graph, upstream) if s.edge is not None}
    texts = [node_lines(node, [shown[i]] if i in shown else []) for i, node in enumerate(graph)]
    on_edges = {(i, k): edge_lines(graph, i, k, handed.get((i, k)), derivatives)
                for i, node in enumerate(graph) for k in range(len(node.parents))}
    layout, scale, frame = _fit(ax, graph, texts, on_edges)
    if ax is None:
        width, height = (scale * length for length in layout.size)
        told = textwrap.fill(told, max(30, int(width / TITLE_LETTER)))
        top = 0.25 + 0.2 * told.count("\n") if told else 0.0
        figure, ax = subplots(width=width, height=height + top)
        figure.set_layout_engine("none")
        ax.set_position([0, 0, 1, height / (height + top)])
    drawing = Drawing(ax, graph, layout, scale, frame)
    for i, lines in enumerate(texts):
        drawing.values[i].set_text(lines[1])
        drawing.gradients[i].set_text(lines[2] if len(lines) > 2 else "")
    for edge, lines in on_edges.items():
        drawing.edges[edge].set_text("\n".join(lines))
        drawing.edges[edge].set_visible(bool(lines))
    if told:
        ax.set_title(told, size=9.5, weight="normal", pad=2)
    return ax


def compact(graph, texts, on_edges):
    """A layout for a figure of its own, with smaller letters where it would be tall, and their scale."""
    for scale in (1.0, 0.92, 0.85):
        layout = lay_out(graph, WIDTH / scale, texts, on_edges)
        if layout.size[1] * scale <= TALL:
            break
    return layout, scale


def _fit(ax, graph, texts, on_edges):
    """A layout for these axes, the scale at which it fits them, and their size at that scale."""
    if ax is None:
        return *compact(graph, texts, on_edges), None
    figure, place = ax.figure, ax.get_position()
    width, height = 0.98 * place.width * figure.get_figwidth(), 0.98 * place.height * figure.get_figheight()
    if figure.get_layout_engine() is not None and len(figure.axes) == 1:
        width, height = 0.98 * figure.get_figwidth(), 0.94 * figure.get_figheight()
    for scale in (1.15, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        layout = lay_out(graph, width / scale, texts, on_edges)
        fits = min(width / layout.size[0], height / layout.size[1])
        if fits >= scale:
            break
    scale = min(scale, fits)
    return layout, scale, (width / scale, height / scale)
