"""Computation graphs: read from tensors and from learners' classes, walked back, collapsed, laid out and drawn."""

import math

import numpy as np
import pytest
from support import Value

import nnlib
from nnlib import GradientError, Linear, Sequential, Tanh, Tensor, cross_entropy, exp, log, plots, sigmoid, tanh
from nnlib.plots.graph import (
    LIMIT,
    backward_steps,
    brief,
    canonical,
    collapse,
    gradients_after,
    graph_in_words,
    graph_of,
    known_gradients,
    number,
    wrong_derivatives,
    wrong_gradients,
)
from nnlib.plots.graph_drawing import (
    _crossings,
    _sort,
    computation_graph,
    edge_lines,
    lay_out,
    layers_of,
    node_lines,
    points_on,
)


def leaf(value):
    return Tensor(float(value), requires_grad=True)


def gradients_of(root, names, upstream=1.0):
    graph = graph_of(root, names)
    found = gradients_after(backward_steps(graph, upstream))
    return {graph[i].name: float(gradient) for i, gradient in found.items()}


# Worked examples

@pytest.mark.parametrize("make", [leaf, Value])
def test_sum_times_z(make):
    x, y, z = make(-2), make(5), make(-4)
    f = (x + y) * z
    names = {"x": x, "y": y, "z": z, "f": f}
    graph = graph_of(f, names)
    assert [n.title for n in graph] == ["x", "y", "v1 = x + y", "z", "f = v1 * z"]
    assert [float(n.value) for n in graph] == [-2, 5, 3, -4, -12]
    assert graph[2].parents == (0, 1) and graph[4].parents == (2, 3)
    assert graph[2].derivatives == (1, 1) and graph[4].derivatives == (-4, 3) and graph[0].derivatives == ()
    assert graph[4].worked == "3 * (-4)" and graph[2].worked == "-2 + 5"
    assert gradients_of(f, names) == {"x": -4, "y": -4, "z": 3, "v1": -4, "f": 1}


@pytest.mark.parametrize("make", [leaf, Value])
def test_a_node_used_twice_adds_what_both_paths_bring(make):
    a, b, one = make(2), make(3), make(1)
    f = (a + b) * (b + one)
    assert float(f.data) == 20
    found = gradients_of(f, {"a": a, "b": b})
    assert (found["a"], found["b"]) == (4, 9)


def test_an_upstream_gradient_other_than_one():
    w, x, v, y, u = map(leaf, (1, 2, 3, 4, 2))
    c = u * (w * x + v * y)
    found = gradients_of(c, {"w": w, "x": x, "v": v, "y": y, "u": u, "c": c}, upstream=3.0)
    assert c.item() == 28
    assert [found[name] for name in "wxvyuc"] == [12, 6, 24, 18, 42, 3]


@pytest.mark.parametrize("make", [leaf, Value])
def test_twenty_doublings_are_21_nodes_and_two_to_the_20_paths(make):
    x = make(1)
    node = x
    for _ in range(20):
        node = node + node
    graph = graph_of(node, {"x": x})
    assert len(graph) == 21 and all(n.parents == (i, i) for i, n in enumerate(graph[1:]))
    steps = backward_steps(graph)
    assert len(steps) == 1 + 40 and steps[-1].after == 2 ** 20 and collapse(graph) == (graph, "")


def test_a_square_has_two_edges_between_the_same_pair():
    x = leaf(3)
    graph = graph_of(x * x, {"x": x})
    assert graph[1].parents == (0, 0) and graph[1].derivatives == (3, 3)
    seed, first, second = backward_steps(graph)
    assert seed.edge is None and (first.edge, second.edge) == (0, 1)
    assert first.before is None and (second.before, second.handed, second.after) == (3, 3, 6)


def test_steps_agree_with_backward_on_a_graph_with_every_kind_of_reuse():
    x, y = leaf(0.7), leaf(1.3)
    q = x * y
    root = sigmoid(q * q + exp(x)) * log(y + q) - (q / y) ** 2 + tanh(x) * tanh(x)
    found = gradients_of(root, {"x": x, "y": y})
    root.backward()
    assert found["x"] == pytest.approx(x.grad.item()) and found["y"] == pytest.approx(y.grad.item())


def test_a_node_hands_on_only_when_its_gradient_is_complete():
    x = leaf(2)
    q = x * x
    steps = backward_steps(graph_of(q + q * q, {"x": x, "q": q}))
    handed_to = [step.parent for step in steps]
    first_of_q = next(n for n, step in enumerate(steps) if step.node == 1)
    assert 1 not in handed_to[first_of_q:] and steps[first_of_q].gradient == 9


def test_every_local_derivative_agrees_with_a_difference():
    x, y = leaf(0.4), leaf(1.7)
    for function in (lambda a, b: a * b, lambda a, b: a / b, lambda a, b: a - b, lambda a, b: b ** a,
                     lambda a, b: nnlib.maximum(a, b), lambda a, b: nnlib.minimum(a, b)):
        node = graph_of(function(x, y), {"x": x, "y": y})[-1]
        values = [float(p.data) for p in node.source.parents]
        for k, derivative in enumerate(node.derivatives):
            up, down = ([leaf(v + h * (j == k)) for j, v in enumerate(values)] for h in (1e-6, -1e-6))
            up, down = (up[::-1], down[::-1]) if node.operation == "power" else (up, down)
            slope = (function(*up).item() - function(*down).item()) / 2e-6
            assert derivative == pytest.approx(slope, abs=1e-8)


# Reading

def test_constants_stand_in_the_statement():
    x = leaf(3)
    assert [n.title for n in graph_of(2 * x ** 2 - 1, {"x": x})] == ["x", "v1 = x ** 2", "v2 = 2 * v1", "v3 = v2 - 1"]
    assert graph_of(x * -1.5, {"x": x})[-1].statement == "x * (-1.5)"
    v = Value(3)
    assert [n.title for n in graph_of(v * Value(2), {"v": v})] == ["v", "v1 = v * 2"]
    assert len(graph_of(v * Value(2))) == 3, "without any name all leaves are nodes"


def test_an_exponent_that_is_part_of_the_operation():
    v = Value(-3)
    node = graph_of(Value(9, (v,), "**2", (-6.0,)), {"v": v})[-1]
    assert (node.statement, node.worked, node.derivatives) == ("v ** 2", "(-3) ** 2", (-6.0,))


def test_names_of_objects_and_names_that_are_taken():
    x = Value(3)
    x.name = "x"
    v1 = Value(1)
    assert [n.name for n in graph_of(x * x + v1, {"v1": v1})] == ["x", "v2", "v1", "v3"]


@pytest.mark.parametrize("operation, arguments, known", [
    ("+", 2, "add"), ("__mul__", 2, "multiply"), ("-", 2, "subtract"), ("-", 1, "negate"), ("ReLU", 1, "relu"),
    ("max", 2, "maximum"), ("max", 1, "max"), ("pow", 2, "power"), ("own", 1, "own")])
def test_names_that_learners_give_to_operations(operation, arguments, known):
    assert canonical(operation, arguments) == known


def test_missing_derivatives_are_those_of_the_known_operation():
    x, y = Value(3), Value(4)
    graph = graph_of(Value(12, (x, y), "*"), {"x": x, "y": y})
    assert graph[-1].derivatives == (4, 3) and gradients_after(backward_steps(graph))[0] == 4
    other = graph_of(Value(11, (x, y), "*"), {"x": x, "y": y})
    assert other[-1].derivatives == (None, None), "another value: not the operation that its name says"
    with pytest.raises(GradientError, match="derivatives are not known"):
        backward_steps(other)


def with_attribute(name, value):
    x = Value(2)
    node = Value(4, (x, x), "*", (2.0, 2.0))
    setattr(node, name, value)
    return node


def cycle():
    x = Value(1)
    x.parents = (Value(2, (x,), "own", (1.0,)),)
    return x


class Bare:
    data = 1.0


@pytest.mark.parametrize("root, words", [
    (lambda: 3.0, "got a float; nothing remembers"), (lambda: None, "got a NoneType"), (Bare, "no attribute 'parents'"),
    (lambda: with_attribute("data", "four"), "data of a Value is str 'four'; expected a number"),
    (lambda: with_attribute("parents", {Value(1)}), "is a set, which would lose"),
    (lambda: with_attribute("parents", Value(1)), "try a tuple with a comma"),
    (lambda: with_attribute("parents", None), "expected a tuple of nodes"),
    (lambda: with_attribute("parents", ("x",)), "among the parents of a Value is 'x'"),
    (lambda: with_attribute("derivatives", (1.0,)), "has 2 parents but 1 derivatives"),
    (lambda: with_attribute("derivatives", 2.0), "expected a tuple with one number for each parent"),
    (lambda: with_attribute("derivatives", ("a", 1.0)), "one of the derivatives of a Value is str 'a'"),
    (lambda: with_attribute("grad", "big"), "grad of a Value is str 'big'"),
    (cycle, "has a cycle"), (lambda: Tensor(2.0) * 3, "remembers no graph"),
])
def test_what_is_wrong_in_a_class_is_said_in_a_sentence(root, words):
    with pytest.raises(GradientError, match=words):
        graph_of(root())


@pytest.mark.parametrize("name, value", [("operation", None), ("operation", max), ("operation", ""), ("grad", None),
                                         ("derivatives", [2.0, 2.0]), ("parents", [Value(2), Value(2)])])
def test_what_may_be_missing_in_a_class(name, value):
    graph = graph_of(with_attribute(name, value))
    assert graph[-1].value == 4 and len(backward_steps(graph)) == 3


# Tensors

def network(retain_graph=False):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(4, 3)), np.array([0, 1, 1, 0])
    w, b = Tensor(rng.normal(size=(2, 3)), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)
    loss = cross_entropy(x @ w.T + b, t)
    return loss, {"X": x, "W": w, "b": b, "t": t, "loss": loss}


def test_arrays_have_shapes_and_gradients_of_their_shapes():
    loss, names = network()
    graph = graph_of(loss, names)
    assert [n.title for n in graph] == ["X", "W", "v1 = W.T", "v2 = X @ v1", "b", "v3 = v2 + b", "t",
                                        "loss = cross_entropy(v3, t)"]
    assert [n.wants for n in graph] == [False, True, True, True, True, True, False, True]
    assert all(d is None for n in graph for d in n.derivatives)
    right = gradients_after(backward_steps(graph))
    loss.backward()
    assert np.allclose(right[1], names["W"].grad) and np.allclose(right[4], names["b"].grad)
    assert right[3].shape == (4, 2) and 0 not in right and 6 not in right


def test_a_graph_that_was_walked_before_still_tells_all_its_gradients():
    loss, names = network()
    before = gradients_after(backward_steps(graph_of(loss, names)))
    assert known_gradients(graph_of(loss, names)) == {}
    loss.backward()
    after = known_gradients(graph_of(loss, names))
    assert after.keys() == before.keys() and all(np.allclose(after[i], before[i]) for i in before)
    names["b"].grad += 1
    assert set(known_gradients(graph_of(loss, names))) == {1, 4}, "gradients that do not follow are not invented"


def test_options_of_operations_are_no_nodes():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert [n.title for n in graph_of(x.sum(axis=1).mean(), {"x": x})] == ["x", "v1 = sum(x)", "v2 = mean(v1)"]


# A learner's backward

def test_wrong_gradients_are_found_and_explained():
    def graph_with(**held):
        x = Value(3)
        f = x * x
        x.grad, f.grad = held["x"], held["f"]
        return graph_of(f, {"x": x, "f": f})

    assert wrong_gradients(graph_with(x=6.0, f=1.0)) == []
    (node, right, why), = wrong_gradients(graph_with(x=3.0, f=1.0))
    assert node.name == "x" and right == 6 and "+= instead of =" in why
    assert "nothing arrived" in wrong_gradients(graph_with(x=0.0, f=1.0))[0][2]
    assert "more than once" in wrong_gradients(graph_with(x=12.0, f=1.0))[0][2]
    (node, right, why), = wrong_gradients(graph_with(x=6.0, f=2.0), upstream=5.0)
    assert node.name == "f" and right == 5 and why == ""


def test_wrong_derivatives_are_found_where_the_operation_is_known():
    x, y = Value(3), Value(4)
    swapped = Value(12, (x, y), "*", (3.0, 4.0))
    assert wrong_derivatives(graph_of(swapped, {"x": x, "y": y})) == [(2, 0, 4.0), (2, 1, 3.0)]
    assert wrong_derivatives(graph_of(x * y, {"x": x, "y": y})) == []
    assert wrong_derivatives(graph_of(Value(7, (x,), "own", (9.0,)), {"x": x})) == []


# Words

@pytest.mark.parametrize("value, text", [(3, "3"), (-0.0, "0"), (1048576, "1048576"), (0.123456, "0.1235"),
                                         (1e12, "1e+12"), (-2.5, "-2.5"), (np.inf, "inf"), (np.nan, "nan")])
def test_numbers_for_readers(value, text):
    assert number(value) == text


@pytest.mark.parametrize("value, text", [(2.0, "2"), ([1, 2], "[1, 2]"), (np.zeros(99), "(99,)"),
                                         (np.zeros((1, 1)), "(1, 1)"), ([1.2345678, -9.87654321, 3.2], "(3,)")])
def test_small_arrays_by_value_and_others_by_shape(value, text):
    assert brief(value) == text


def test_the_graph_in_words():
    x, y = leaf(2), leaf(3)
    f = x * y + x
    words = graph_in_words(f, {"x": x, "y": y}, upstream=1.0)
    assert words == ("A computation graph of 4 nodes, from left to right. Inputs: x = 2, y = 3. Computed: v1 = x * y = "
                     "6; v2 = v1 + x = 8. On the edges: dv1/dx = 3, dv1/dy = 2, dv2/dv1 = 1, dv2/dx = 1. Gradients: "
                     "x = 4, y = 2, v1 = 1, v2 = 1.")
    assert "Gradients" not in graph_in_words(f, {"x": x}) and "edges" not in graph_in_words(f, derivatives=False)
    loss, names = network()
    assert "W of shape (2, 3)" in graph_in_words(loss, names)


# Large graphs

def chain(length):
    x = leaf(0.3)
    node = x
    for k in range(length):
        node = tanh(node) if k % 2 else node * 1.1
    return node, x


def deep_network():
    nnlib.manual_seed(0)
    net = Sequential(*[layer for _ in range(12) for layer in (Linear(4, 4), Tanh())])
    return net(np.ones((2, 4), dtype=np.float32)).sum(), dict(net.named_parameters())


def many_inputs():
    inputs = [leaf(0.1 * k) for k in range(50)]
    root = inputs[0]
    for x in inputs[1:]:
        root = root + x * x
    return root, {f"x{k}": x for k, x in enumerate(inputs)}


def tangled(nodes=40):
    rng, made = np.random.default_rng(0), [leaf(0.5), leaf(0.7)]
    for _ in range(nodes):
        made.append(0.5 * (made[-1] + made[rng.integers(max(0, len(made) - 6), len(made))]))
    return made[-1], {"x": made[0], "y": made[1]}


@pytest.mark.parametrize("make", [lambda: (chain(60)[0], {"x": chain(60)[1]}), deep_network, many_inputs, tangled])
def test_large_graphs_collapse_and_keep_the_gradients_of_what_is_left(make):
    root, names = make()
    full = graph_of(root, names)
    small, told = collapse(full)
    assert len(full) > LIMIT >= len(small) and str(len(full)) in told
    assert all(p < i for i, node in enumerate(small) for p in node.parents)
    right = {id(full[i].source): g for i, g in gradients_after(backward_steps(full)).items()}
    steps = backward_steps(small)
    assert sum(node.count for node in small) == len(full)
    assert min(np.abs(gradient).max() for gradient in right.values()) > 1e-9, "else there is nothing to compare"
    for i, gradient in gradients_after(steps).items():
        assert np.allclose(gradient, right[id(small[i].source)], rtol=1e-5)
    assert told in graph_in_words(root, names)


def test_a_chain_becomes_boxes_whose_derivatives_are_products():
    root, x = chain(60)
    small, _ = collapse(graph_of(root, {"x": x}))
    assert any("nodes" in node.statement for node in small) and len(small) <= 20
    product = math.prod(node.derivatives[0] for node in small if node.parents)
    root.backward()
    assert product == pytest.approx(x.grad.item())


@pytest.mark.parametrize("limit", [1, 5, 12])
def test_any_graph_can_be_collapsed_as_far_as_asked(limit):
    grid = [leaf(0.1 * k) for k in range(8)]
    for _ in range(4):
        grid = [a * b for a, b in zip(grid, grid[1:] + grid[:1])]
    full = graph_of(sum(grid[1:], grid[0]))
    small, told = collapse(full, limit)
    assert len(small) == limit and sum(node.count for node in small) == len(full) and "too many" in told


# Layout and drawing

def random_graph(seed, nodes):
    rng, made = np.random.default_rng(seed), [leaf(0.5), leaf(0.7), leaf(0.9)]
    while True:
        a, b = (made[max(0, len(made) - 1 - int(rng.exponential(3)))] for _ in range(2))
        made.append((a * b, a + b, tanh(a), sigmoid(b))[rng.integers(4)])
        if len(graph_of(made[-1])) >= nodes:
            return graph_of(made[-1])[:LIMIT]


@pytest.mark.parametrize("seed, nodes", [(0, 5), (1, 9), (2, 14), (3, 20), (4, 28)])
@pytest.mark.parametrize("width", [5.0, 9.8])
def test_no_box_covers_another_and_no_edge_runs_through_a_box(seed, nodes, width):
    graph = random_graph(seed, nodes)
    on_edges = {(i, k): edge_lines(graph, i, k, 0.1234) for i, n in enumerate(graph) for k in range(len(n.parents))}
    layout = lay_out(graph, width, [node_lines(node, [0.1234]) for node in graph], on_edges)
    boxes = np.array([layout.boxes[i] for i in range(len(graph))])
    for i, (x, y, w, h) in enumerate(boxes):
        apart = np.maximum(np.abs(boxes[:i, 0] - x) - (boxes[:i, 2] + w) / 2,
                           np.abs(boxes[:i, 1] - y) - (boxes[:i, 3] + h) / 2)
        assert (apart > 0.05).all()
        assert 0 < x - w / 2 and x + w / 2 < layout.size[0] and 0 < y - h / 2 and y + h / 2 < layout.size[1]
    for (i, k), curve in layout.curves.items():
        px, py = points_on(curve, 30).T
        inside = ((np.abs(px[:, None] - boxes[:, 0]) < boxes[:, 2] / 2 - 0.02)
                  & (np.abs(py[:, None] - boxes[:, 1]) < boxes[:, 3] / 2 - 0.02))
        assert not inside.any(), (i, k)
        start, end = boxes[graph[i].parents[k]], boxes[i]
        assert px[0] == pytest.approx(start[0] + start[2] / 2) and px[-1] == pytest.approx(end[0] - end[2] / 2)


def test_layers_go_from_inputs_to_result_and_inputs_stand_near_their_use():
    x, y, z = leaf(1), leaf(2), leaf(3)
    graph = graph_of(((x + y) * x) * tanh(z), {"x": x, "y": y, "z": z})
    layer = dict(zip([n.name for n in graph], layers_of(graph)))
    assert layer == {"x": 0, "y": 0, "v1": 1, "v2": 2, "z": 1, "v3": 2, "v4": 3}


def test_the_layout_sorts_crossings_away():
    columns, links = [[0, 1, 2], [3, 4, 5], [6, 7]], [(0, 5), (1, 4), (2, 3), (3, 7), (5, 6), (4, 6)]
    assert _crossings(columns, links) > 3
    ordered = _sort([list(column) for column in columns], links)
    assert _crossings(ordered, links) == 0 and [sorted(column) for column in ordered] == columns


def drawn_texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text() and text.get_visible()]


def test_the_drawing_shows_values_derivatives_and_gradients_as_asked():
    x, y, z = leaf(-2), leaf(5), leaf(-4)
    f = (x + y) * z
    names = {"x": x, "y": y, "z": z, "f": f}
    texts = drawn_texts(computation_graph(None, f, names))
    assert {"x", "v1 = x + y", "f = v1 * z", "value -12", "× -4", "× 1"} <= set(texts)
    assert not any(text.startswith("grad") for text in texts), "nobody has called backward"
    assert not any("×" in text for text in drawn_texts(computation_graph(None, f, names, derivatives=False)))
    texts = drawn_texts(computation_graph(None, f, names, upstream=2.0))
    assert {"grad -8", "grad 6", "grad 2", "× -4\n← -8", "× 3\n← 6"} <= set(texts)
    f.backward()
    assert {"grad -4", "grad 3", "grad 1"} <= set(drawn_texts(computation_graph(None, f, names)))
    assert not any("grad" in t for t in drawn_texts(computation_graph(None, f, names, gradients=False)))


def test_a_learners_own_gradients_are_drawn_even_if_they_are_wrong():
    x = Value(3)
    f = x * x
    f.grad, x.grad = 1.0, 3.0
    assert {"grad 3", "grad 1"} <= set(drawn_texts(computation_graph(None, f, {"x": x})))


@pytest.mark.parametrize("size", [(9, 4), (3, 6), (14, 2)])
@pytest.mark.parametrize("make", [network, lambda: (random_graph(4, 20)[-1].source, {})])
def test_every_text_fits_its_box_and_every_box_the_axes(make, size):
    root, names = make()
    figure, ax = plots.subplots(width=size[0], height=size[1])
    computation_graph(ax, root, names, upstream=1.0)
    figure.canvas.draw()
    frame = ax.get_window_extent()
    boxes = [patch.get_window_extent() for patch in ax.patches if hasattr(patch, "get_boxstyle")]
    titles = [text for text in ax.texts if text.get_weight() == "bold"]
    assert len(titles) == len(boxes) - 1  # and the ring that marks
    for title, box in zip(titles, boxes):
        extent = title.get_window_extent()
        assert box.x0 <= extent.x0 + 1 and extent.x1 - 1 <= box.x1, "a pixel for the rounding of small letters"
        assert box.y0 <= extent.y0 and extent.y1 <= box.y1
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def test_a_collapsed_graph_says_so_above_its_drawing():
    ax = computation_graph(None, chain(60)[0])
    assert "61 nodes, too many" in ax.get_title("left").replace("\n", " ")
    assert plots.png(ax.figure).startswith(b"\x89PNG")


def test_a_single_node_is_a_graph_too():
    ax = computation_graph(None, leaf(2), upstream=1.0)
    assert drawn_texts(ax) == ["v1", "value 2", "grad 1"]
    assert graph_in_words(leaf(2)) == "A computation graph of 1 node, from left to right. Inputs: v1 = 2."
