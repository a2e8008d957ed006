"""GraphStepper without a kernel: worked examples step by step, every control at both ends, learners' classes."""

import asyncio
import math

import numpy as np
import pytest

from nnlib import Tensor, cross_entropy, tanh
from nnlib.plots.graph import LIMIT
from nnlib.widgets import GraphStepper
from nnlib.widgets.expression import build, read_expression
from nnlib.widgets.graph_stepper import Walk, default_values


def value_class(**changes):
    """The class that chapter 05 builds, with some methods changed."""
    class Value:
        def __init__(self, data, parents=(), operation="", derivatives=()):
            self.data, self.grad = float(data), 0.0
            self.parents, self.operation, self.derivatives = tuple(parents), operation, tuple(derivatives)

        def __add__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            return Value(self.data + other.data, (self, other), "+", (1.0, 1.0))

        def __mul__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            return Value(self.data * other.data, (self, other), "*", (other.data, self.data))

        def exp(self):
            return Value(math.exp(self.data), (self,), "exp", (math.exp(self.data),))

        def order(self):
            found, seen = [], set()

            def visit(node):
                if id(node) not in seen:
                    seen.add(id(node))
                    for parent in node.parents:
                        visit(parent)
                    found.append(node)
            visit(self)
            return found

        def backward(self):
            self.grad = 1.0
            for node in reversed(self.order()):
                for parent, derivative in zip(node.parents, node.derivatives):
                    parent.grad += derivative * node.grad

    for name, change in changes.items():
        setattr(Value, name, change)
    Value.own = Value
    return Value


@pytest.fixture(scope="module")
def explorer():
    return GraphStepper()


def at_end(explorer):
    explorer.position.value = explorer.position.max
    return explorer


def shown(explorer):
    """What stands in the boxes: {name: (value, gradient)}."""
    drawing = explorer.drawing
    return {node.name: (drawing.values[i].get_text(), drawing.gradients[i].get_text())
            for i, node in enumerate(explorer.walk.graph)}


# Worked examples

def test_values_appear_forward_then_gradients_backward():
    explorer = GraphStepper("q = x + y; f = q * z")
    texts, captions = [], []
    for position in range(explorer.position.max + 1):
        explorer.position.value = position
        texts.append(shown(explorer))
        captions.append(explorer._caption_text)
    assert explorer.position.max == 7
    assert texts[0] == {"x": ("value -2", ""), "y": ("value 5", ""), "z": ("value -4", ""), "q": ("", ""),
                        "f": ("", "")}
    assert texts[1]["q"] == ("value 3", "") and texts[1]["f"] == ("", "") and texts[2]["f"] == ("value -12", "")
    assert [t["f"][1] for t in texts[2:5]] == ["", "grad 1", "grad 1"]
    assert (texts[4]["q"][1], texts[5]["z"][1], texts[6]["x"][1], texts[7]["y"][1]) == (
        "grad -4", "grad 3", "grad -4", "grad -4") and texts[6]["y"][1] == ""
    assert captions[1] == "Forward, step 1 of 2: q = x + y = -2 + 5 = 3. On its edges: dq/dx = 1, dq/dy = 1."
    assert captions[5].endswith("f = q * z hands to z its gradient times df/dz: 1 * 3 = 3.")
    assert captions[4] == "Backward, step 2 of 5: f = q * z hands to q its gradient times df/dq: 1 * (-4) = -4."
    assert captions[7].endswith("Done: df/dx = -4, df/dy = -4, df/dz = 3.")


def test_contributions_that_add_up_are_shown_as_a_sum():
    explorer = GraphStepper("(a + b) * (b + 1)", values={"a": 2, "b": 3})
    sums = []
    for position in range(explorer.position.max + 1):
        explorer.position.value = position
        sums += [gradient for _, gradient in shown(explorer).values() if "+" in gradient]
    assert sums == ["4 + 5 = 9"] or sums == ["5 + 4 = 9"]
    assert shown(explorer)["f"][0] == "value 20" and shown(explorer)["a"][1] == "grad 4"
    assert "df/da = 4, df/db = 9" in explorer._caption_text
    assert any("paths add up" in explorer.walk.words(p) for p in range(explorer.position.max + 1))


def test_an_upstream_gradient_other_than_one():
    explorer = at_end(GraphStepper("c = u * (w*x + v*y)", dict(w=1, x=2, v=3, y=4, u=2), upstream=3.0))
    gradients = {name: gradient for name, (_, gradient) in shown(explorer).items()}
    assert [gradients[n] for n in "wxvyuc"] == [f"grad {g}" for g in (12, 6, 24, 18, 42, 3)]
    assert "dL/dw = 12" in explorer._caption_text
    explorer.position.value = 5
    assert "the upstream gradient 3 arrives at c" in explorer._caption_text


def test_twenty_doublings():
    text = "; ".join(f"d{k} = d{k - 1} + d{k - 1}" for k in range(1, 13))
    explorer = at_end(GraphStepper(text.replace("d0", "x"), {"x": 1}))
    assert explorer.message == "" and shown(explorer)["x"] == ("value 1", "2048 + 2048 = 4096")
    x = Tensor(1.0, requires_grad=True)
    node = x
    for _ in range(20):
        node = node + node
    explorer = at_end(GraphStepper(node, names={"x": x}))
    assert "dv20/dx = 1048576" in explorer._caption_text and len(explorer.walk.graph) == 21


# Controls

@pytest.mark.usefixtures("painted")
def test_the_slider_at_both_ends_and_in_any_order(explorer):
    top = explorer.position.max
    pictures = {}
    for position in [*range(top + 1), *range(top, -1, -1), 3, 0, top]:
        explorer.position.value = position
        assert explorer.message == "" and f"step {position} of {top}" in explorer.alt
        assert pictures.setdefault(position, explorer.picture) == explorer.picture, "the way there leaves no traces"
    assert len(set(pictures.values())) == top + 1


def test_one_node_and_one_edge_are_marked_not_by_color_alone(explorer):
    drawing = explorer.drawing
    explorer.position.value = 0
    assert not drawing.ring.get_visible() and len(drawing.road.get_xdata()) == 0
    explorer.position.value = 1
    assert drawing.ring.get_visible() and len(drawing.road.get_xdata()) == 0 and "Marked: v1." in explorer.alt
    explorer.position.value = 4
    assert len(drawing.road.get_xdata()) > 2 and drawing.tip.get_marker() == "<"
    assert drawing.ring.get_linewidth() > 3 and "Marked: the edge from f back to v1." in explorer.alt


def test_step_and_reset():
    explorer = GraphStepper()
    for position in range(1, explorer.position.max + 1):
        assert explorer.player.tick() == (position < explorer.position.max) and explorer.position.value == position
    assert not explorer.player.tick() and explorer.position.value == explorer.position.max
    explorer.player.reset_button.click()
    assert explorer.position.value == 0


def test_play_walks_to_the_end_and_another_text_stops_it():
    explorer = GraphStepper()
    explorer.player.interval = 0.001

    async def play(then):
        explorer.player.play()
        await asyncio.sleep(0.01)
        then()
        for _ in range(500):
            await asyncio.sleep(0.01 * explorer.player.playing)

    asyncio.run(play(lambda: None))
    assert explorer.position.value == explorer.position.max and not explorer.player.playing
    explorer.player.reset()
    explorer.player.interval = 0.2
    asyncio.run(play(lambda: setattr(explorer.expression, "value", "x * x")))
    assert not explorer.player.playing and explorer.position.value == 0


def test_many_inputs_are_not_all_listed():
    explorer = GraphStepper("+".join(f"x{k}" for k in range(15)))
    assert "x11 = 12 and 3 more. The next step" in explorer._caption_text


@pytest.mark.usefixtures("painted")
def test_another_text_begins_anew_and_other_values_keep_the_place():
    explorer = at_end(GraphStepper())
    before = explorer.picture
    explorer.values.value = "x = 1, y = 1, z = 7"
    assert explorer.position.value == explorer.position.max and shown(explorer)["x"] == ("value 1", "grad 7")
    explorer.expression.value = "exp(x) * y + y * y"
    assert explorer.position.value == 0 and explorer.position.max == len(explorer.walk.back) + 4
    explorer.expression.value, explorer.values.value = "(x + y) * z", "x=-2, y=5, z=-4"
    assert at_end(explorer).picture == before


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("text, words", [
    ("x +", "not an expression"), ("", "no expression yet"), ("x^2", "two stars"), ("foo(x)", "no function foo"),
    ("x + w", "w has no value yet"), ("x / (y - 5)", "divides by zero"), ("exp(exp(y ** 3))", "overflows"),
    ("log(x)", "not defined at -2"), ("sqrt(y - 5)", "no finite derivative"), ("x" * 500, "at most"),
    ("__import__('os').system('ls')", "not among"), ("1e200 * (x * 1e200)", "overflows"),
    ("<b>x</b>", "not an expression")])
def test_wrong_texts_are_told_and_the_picture_stays(explorer, text, words):
    explorer.expression.value = "(x + y) * z"
    before = explorer.picture
    explorer.expression.value = text
    assert explorer.message.startswith("Not drawn:") and words in explorer.message and explorer.picture == before
    explorer.position.value = 1 - min(explorer.position.value, 1)
    assert words in explorer.message, "the slider does not make it right"
    explorer.expression.value = "(x + y) * z"
    explorer.position.value = 0
    assert explorer.message == ""


@pytest.mark.parametrize("values, words", [("x = 1", "y has no value yet"), ("x = , y = 1", "x has no number"),
                                           ("x = 1, y = two, z = 1", "two is a name"), ("5", "name = number")])
def test_wrong_values_are_told(explorer, values, words):
    explorer.values.value = values
    assert words in explorer.message
    explorer.values.value = "x = -2, y = 5, z = -4"
    assert explorer.message == ""


@pytest.mark.usefixtures("painted")
def test_a_wrong_text_from_the_start_shows_an_empty_picture_that_can_be_mended():
    explorer = GraphStepper("x +")
    assert "not an expression" in explorer.message and "No graph is drawn" in explorer.alt and explorer.picture
    explorer.expression.value = "x + y"
    assert explorer.message == "" and explorer.walk and "after step 0" in explorer.alt


@pytest.mark.parametrize("options, words", [
    ({"values": {"x": "a"}}, "finite number for x"), ({"values": {"x": np.nan}}, "finite number for x"),
    ({"goal": ("w", 6.0)}, "expected a goal such as"), ({"goal": ("x", np.inf)}, "expected a goal such as"),
    ({"source": Tensor(1.0, requires_grad=True), "goal": ("x", 1.0)}, "give a text as source")])
def test_wrong_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        GraphStepper(**options)


def test_default_values():
    assert default_values(read_expression("(x + y) * z")) == {"x": -2, "y": 5, "z": -4}
    assert default_values(read_expression("w * x + b")) == {"w": 1, "x": 2, "b": 3}


def test_a_goal_is_reached_by_values_at_the_end_of_the_walk():
    explorer = GraphStepper(goal=("x", 6.0))
    assert "choose values for which the gradient at x is 6" in explorer._goal_text
    assert "○" in explorer._goal_text and "Step to the end to see" in explorer._goal_text
    at_end(explorer)
    assert "The gradient at x is -4." in explorer._goal_text and "○" in explorer._goal_text
    explorer.values.value = "x = 0, y = 0, z = 6"
    assert "✓ Goal reached" in explorer._goal_text
    explorer.position.value -= 1
    assert "○" in explorer._goal_text
    explorer.expression.value = "y * z"
    assert "has no x" in explorer._goal_text


def test_an_input_that_is_not_used_by_the_result_has_no_gradient():
    explorer = at_end(GraphStepper("0 * x + y", {"x": 1, "y": 2}, goal=("x", 0.0)))
    assert "✓" in explorer._goal_text and "df/dx = 0, df/dy = 1" in explorer._caption_text


# Learners' classes

def test_a_right_class_is_told_so():
    explorer = at_end(GraphStepper("q = x * y; q * q + exp(x) * 2", {"x": 1, "y": 2}, value=value_class()))
    assert explorer.message == "" and explorer._caption_text.endswith("Your backward() gives the same gradients.")
    assert at_end(GraphStepper("x * y", value=value_class(), upstream=3.0))._caption_text.endswith("same gradients.")


def test_a_step_that_is_not_used_is_no_matter():
    explorer = at_end(GraphStepper("q = y * 2; f = x * 3", {"x": 1, "y": 2}, value=value_class(), goal=("y", 0.0)))
    assert explorer.message == "" and explorer._caption_text.endswith("same gradients.")
    assert "has no y" in explorer._goal_text


def overwrites(self):
    self.grad = 1.0
    for node in reversed(self.order()):
        for parent, derivative in zip(node.parents, node.derivatives):
            parent.grad = derivative * node.grad


def no_order(self):
    self.grad = 1.0
    queue = [self]
    for node in queue:
        for parent, derivative in zip(node.parents, node.derivatives):
            parent.grad += derivative * node.grad
            queue.append(parent)


@pytest.mark.parametrize("backward, words", [
    (overwrites, "+= instead of ="), (no_order, "more than once"), (lambda self: None, "nothing arrived there"),
    (lambda self: self.foo, "stopped: Value.backward raised AttributeError"),
    (lambda self: setattr(self, "grad", "big"), "grad of a Value is str 'big'"),
    (lambda self: exit(), "SystemExit"), (lambda self: self.backward(), "RecursionError")])
def test_a_wrong_backward_is_told_at_the_last_step(backward, words):
    source = "q = x * x; s = q * q; q + s"
    explorer = GraphStepper(source, {"x": 2}, value=value_class(backward=backward))
    assert "backward()" not in explorer._caption_text
    at_end(explorer)
    assert words in explorer._caption_text and "df/dx = 36" in explorer._caption_text and explorer.message == ""


def test_a_class_without_backward_still_steps():
    own = value_class()
    del own.backward
    explorer = at_end(GraphStepper("x * y", value=own))
    assert "has no backward yet" in explorer._caption_text and "df/dx = 5" in explorer._caption_text


def test_a_wrong_derivative_is_told_at_its_step_and_at_the_end():
    own = value_class(__mul__=lambda s, o: s.own(s.data * o.data, (s, o), "*", (s.data, o.data)))
    explorer = GraphStepper("x * y", {"x": 2, "y": 3}, value=own)
    explorer.position.value = 1
    assert "df/dx = 2 (your class says so; it should be 3)" in explorer._caption_text
    assert "But a derivative is wrong: f = x * y says df/dx = 2, and it is 3." in at_end(explorer)._caption_text


def test_a_wrong_derivative_of_an_unknown_operation_is_told_at_the_end():
    own = value_class(__mul__=lambda s, o: s.own(s.data * o.data, (s, o), "mine", (1.0, 1.0)))
    explorer = at_end(GraphStepper("x * y", {"x": 2, "y": 3}, value=own))
    assert "your graph itself is not right: by its steps the gradient at x is 1, and it is 3" in explorer._caption_text


@pytest.mark.usefixtures("painted")
@pytest.mark.parametrize("changes, words", [
    ({"__mul__": lambda s, o: 1 / 0}, "raised ZeroDivisionError"), ({"__mul__": lambda s, o: 6.0}, "plain number 6"),
    ({"__mul__": lambda s, o: None}, "returned None"), ({"__mul__": lambda s, o: s.own(6)}, "among its parents"),
    ({"__mul__": lambda s, o: s.own(5, (s, o), "*", (3, 2))}, "its data is 5"),
    ({"__mul__": lambda s, o: s.own(6, (s, o), "*", (3,))}, "2 parents but 1 derivatives"),
    ({"__mul__": lambda s, o: s.own(6, (s, o), "*", ("a", "b"))}, "one of the derivatives"),
    ({"__init__": lambda self, data: None}, "without an attribute data"), ({"__init__": None}, "raised TypeError")])
def test_what_a_class_does_wrong_is_told_over_the_graph_that_should_be(changes, words):
    explorer = GraphStepper("x * y", {"x": 2, "y": 3}, value=value_class(**changes))
    assert explorer.message.startswith("Your Value stopped:") and words in explorer.message
    assert "A computation graph of 3 nodes" in explorer.alt and explorer.picture
    explorer.position.value = 1 - explorer.position.value
    assert words in explorer.message


@pytest.mark.usefixtures("painted")
def test_a_missing_operation_is_told_and_the_picture_stays():
    explorer = GraphStepper("x * y", {"x": 2, "y": 3}, value=value_class())
    before = explorer.picture
    explorer.expression.value = "exp(x) - y"
    assert explorer.message == "Your Value stopped: your Value has no __sub__ yet" and explorer.picture == before


def test_derivatives_that_are_not_known_leave_the_way_forward():
    own = value_class(__mul__=lambda s, o: s.own(s.data * o.data, (s, o), "mine"))
    explorer = at_end(GraphStepper("x * y + x", value=own))
    assert explorer.position.max == 2 and "There is no way back" in explorer._caption_text


# Nodes given in code

def test_a_learners_node_is_walked_and_its_backward_called_on_a_copy():
    own = value_class()
    x = own(3)
    f = x * x + x
    explorer = at_end(GraphStepper(f, names={"x": x, "f": f}))
    assert not hasattr(explorer, "expression") and "df/dx = 7" in explorer._caption_text
    assert explorer._caption_text.endswith("Your backward() gives the same gradients.") and x.grad == 0
    f.backward()
    assert at_end(GraphStepper(f, names={"x": x, "f": f}))._caption_text.endswith("same gradients.") and x.grad == 7
    own.backward = overwrites
    assert "Your backward() differs" in at_end(GraphStepper(f, names={"x": x}))._caption_text


def test_a_node_that_cannot_be_copied_is_walked_all_the_same():
    own = value_class(__deepcopy__=lambda self, memo: 1 / 0)
    x = own(3)
    explorer = at_end(GraphStepper(x * x, names={"x": x}))
    assert "dv1/dx = 6" in explorer._caption_text and "backward()" not in explorer._caption_text


@pytest.mark.parametrize("source, words", [(3.0, "a float"), (None, "a NoneType"), (object(), "an object"),
                                           (value_class(), "expected")])
def test_what_is_no_node_is_told(source, words):
    explorer = GraphStepper(source)
    assert explorer.message.startswith("This graph cannot be walked:") and words in explorer.message


def test_tensors_show_shapes_on_nodes_and_edges():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(4, 3)), np.array([0, 1, 1, 0])
    w, b = Tensor(rng.normal(size=(2, 3)), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)
    loss = cross_entropy(tanh(x @ w.T + b), t)
    explorer = GraphStepper(loss, names={"X": x, "W": w, "b": b, "t": t, "loss": loss})
    captions = []
    for position in range(explorer.position.max + 1):
        explorer.position.value = position
        captions.append(explorer._caption_text)
    assert explorer.message == "" and shown(explorer)["W"] == ("shape (2, 3)", "grad (2, 3)")
    assert any(text.get_text() == "(3, 2)\n← (3, 2)" for text in explorer.drawing.edges.values())
    assert any("to b a gradient of the same shape (2,): its own, of shape (4, 2), is summed" in c for c in captions)
    assert any("an array of shape (4, 2)." in c for c in captions) and w.grad is None
    loss.backward()
    assert "dloss/dW of shape (2, 3)" in at_end(GraphStepper(loss, names={"W": w, "loss": loss}))._caption_text


def test_a_large_graph_says_so_and_is_walked_in_its_collapsed_form():
    x = Tensor(0.3, requires_grad=True)
    node = x
    for _ in range(60):
        node = tanh(node)
    explorer = at_end(GraphStepper(node, names={"x": x}))
    assert "61 nodes, too many" in explorer._caption_text and len(explorer.walk.graph) <= LIMIT
    node.backward()
    assert f"dv60/dx = {x.grad.item():.4g}" in explorer._caption_text


def test_a_walk_is_plain_data():
    walk = Walk(*build(read_expression("x * x"), {"x": 3.0}))
    assert walk.length == 1 + 3 and walk.forward == [1] and walk.computed(0) == {0} and walk.computed(1) == {0, 1}
    assert len(walk.walked(4)) == 3 and walk.result() == "Done: dv1/dx = 6."


def test_two_explorers_do_not_share_a_state():
    first, second = GraphStepper(), GraphStepper("x * y")
    at_end(first)
    assert second.position.value == 0 and second.walk is not first.walk
