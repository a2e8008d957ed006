"""A computation graph as plain data: its nodes, what each hands back, step by step, and the same in words.

It is read from nnlib's tensors, or from the nodes of a learner's own class. Drawing it is in `graph_drawing`.
"""

from dataclasses import dataclass, field
from numbers import Number

import numpy as np

from nnlib import losses, ops
from nnlib.autograd import Tensor, unbroadcast
from nnlib.errors import GradientError, NnlibError

LIMIT = 30  # boxes that can still be read in one picture
_CANONICAL = {"+": "add", "*": "multiply", "mul": "multiply", "/": "divide", "div": "divide", "truediv": "divide",
              "**": "power", "pow": "power", "^": "power", "@": "matmul", "abs": "absolute", "sub": "subtract",
              "neg": "negate"}
_BINARY = {"-": "subtract", "max": "maximum", "min": "minimum"}
_STATEMENTS = {"add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
               "power": "{} ** {}", "negate": "-{}", "matmul": "{} @ {}", "absolute": "abs({})",
               "maximum": "max({}, {})", "minimum": "min({}, {})", "permute": "{}.T"}
_LOSSES = {"squared": "squared_loss", "right_class": "cross_entropy", "bernoulli": "binary_cross_entropy",
           "bernoulli_of_scores": "binary_cross_entropy_with_logits"}  # what the public functions call inside


@dataclass
class Node:
    """One node. Leaves have no operation; edges are counted as `parents`, one for each use of a parent.

    name: its own or v1, v2 ... in order of computation.   operation, statement: "add", "x + y".   worked: the statement
    with numbers, "-2 + 5", empty for arrays.   value: array.
    parents: positions in the graph.   derivatives: for each edge d node / d parent, None where they are arrays or not
    known.   gradient: what its `grad` holds at present, None for nothing.   wants: whether gradients go to it.
    count: how many nodes it stands for, more than one after `collapse`.   source: the tensor or the learner's object.
    """

    name: str
    operation: str
    statement: str
    value: np.ndarray
    parents: tuple = ()
    derivatives: tuple = ()
    gradient: object = None
    wants: bool = True
    count: int = 1
    worked: str = ""
    source: object = None
    hand: object = field(default=None, repr=False)  # function of its gradient: what each edge carries to its parent

    @property
    def title(self):
        """The name and, behind it, what was computed."""
        return f"{self.name} = {self.statement}" if self.statement else self.name


@dataclass(frozen=True)
class Step:
    """One step back: `node` (a position) hands `handed` to `parent` through its edge number `edge`.

    gradient: that of the node, complete by now.   derivative: of the edge, None for arrays.   before, after: the
    gradient of the parent, None for nothing yet.   The first step has no edge: the upstream gradient reaches the root.
    """

    node: int
    gradient: np.ndarray
    edge: int = None
    parent: int = None
    derivative: float = None
    handed: np.ndarray = None
    before: np.ndarray = None
    after: np.ndarray = None


# Numbers in words

def number(value):
    """A number as a reader wants it: whole ones whole, others to four digits."""
    value = float(value)
    return str(int(value)) if abs(value) < 1e7 and value == int(value) else f"{value:.4g}"


def bracketed(value):
    """A number as a factor or summand: negative ones in brackets."""
    return number(value) if value >= 0 or number(value) == "0" else f"({number(value)})"


def brief(value, room=16):
    """An array in few characters: a single number, all its numbers where there is room, or else its shape."""
    value = np.asarray(value)
    if value.size == 1 and value.ndim == 0:
        return number(value)
    if value.ndim == 1 and len(text := f"[{', '.join(map(number, value[:room]))}]") <= room >= value.size:
        return text
    return str(value.shape)


# Reading a graph

def _is_node(x):
    return isinstance(x, Tensor) or hasattr(x, "data") and not isinstance(x, (Number, np.ndarray, np.generic))


def _what(node):
    name = type(node).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def canonical(operation, arguments):
    """nnlib's name of an operation that a learner may have called "+" or "mul"."""
    operation = operation.strip().strip("_").lower()
    if arguments == 2 and operation in _BINARY:
        return _BINARY[operation]
    return "negate" if operation == "-" else _CANONICAL.get(operation, operation)


def _again(operation, inputs):
    """The node that nnlib's operation of that name makes of these inputs, or None if there is none."""
    try:
        made = (getattr(ops, operation, None) or getattr(losses, f"_{operation}"))(*inputs)
        return made if made.operation == operation else None
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None


def _vjp_of(tensor):
    """The vector-Jacobian product of a tensor; computed anew where `backward` has given it back."""
    if callable(tensor._vjp):
        return tensor._vjp
    fresh = [Tensor(p.data, requires_grad=True) if isinstance(p, Tensor) and p.requires_grad else p
             for p in tensor.parents]
    made = _again(tensor.operation, fresh)
    if made is None or made.shape != tensor.shape or not np.array_equal(made.data, tensor.data, equal_nan=True):
        return None
    return made._vjp


@np.errstate(all="ignore")
def _pieces(vjp, gradient):
    return [piece() if callable(piece) else piece for piece in vjp(np.asarray(gradient))]


def _read_tensor(tensor):
    """Value, gradient, inputs, operation, and the function that hands on, of a tensor."""
    if tensor.operation is None:
        return tensor.data, tensor.grad, (), "", None
    vjp = _vjp_of(tensor)
    if vjp is None:
        return tensor.data, tensor.grad, tensor.parents, tensor.operation, None
    inputs = tensor.parents[:len(_pieces(vjp, np.ones_like(tensor.data)))]  # the others are options, such as an axis

    def hand(gradient):
        pieces = _pieces(vjp, np.asarray(gradient, dtype=float))
        return [None if p is None else unbroadcast(np.asarray(p), np.shape(getattr(x, "data", x)))
                for p, x in zip(pieces, inputs)]
    return tensor.data, tensor.grad, inputs, tensor.operation, hand


def _floats(node, name, value):
    try:
        return np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise GradientError(f"{name} of {_what(node)} is {type(value).__name__} {value!r:.40}; expected a number, "
                            "or an array of numbers") from None


def _read_object(node):
    """The same of an object of a learner's class, with a sentence for what is missing or wrong in it."""
    for name in ("data", "parents"):
        if not hasattr(node, name):
            raise GradientError(f"{_what(node)} has no attribute {name!r}; a node of a graph needs data and parents "
                                "(and grad, operation and derivatives, for the way back)")
    value, parents = _floats(node, "data", node.data), node.parents
    if isinstance(parents, (set, frozenset)):
        raise GradientError(f"parents of {_what(node)} is a set, which would lose one of the two x in x * x; "
                            "try a tuple: (self, other)")
    if _is_node(parents):
        raise GradientError(f"parents of {_what(node)} is a single node; try a tuple with a comma: (self,)")
    if not isinstance(parents, (tuple, list)):
        raise GradientError(f"parents of {_what(node)} is {parents!r:.40}; expected a tuple of nodes, () for a leaf")
    for parent in parents:
        if not _is_node(parent) and not isinstance(parent, (Number, np.ndarray)):
            raise GradientError(f"among the parents of {_what(node)} is {parent!r:.40}; expected nodes with data "
                                "and parents")
    operation = getattr(node, "operation", "") or ""
    operation = operation if isinstance(operation, str) else getattr(operation, "__name__", str(operation))
    operation = operation or ("?" if parents else "")
    gradient = getattr(node, "grad", None)
    gradient = None if gradient is None else _floats(node, "grad", gradient)
    return value, gradient, tuple(parents), operation, _object_hand(node, parents, operation) if parents else None


def _object_hand(node, parents, operation):
    """How a learner's node hands on: by its derivatives, or by the known ones of its operation; None if unknown."""
    derivatives = getattr(node, "derivatives", None)
    if derivatives is None or isinstance(derivatives, (tuple, list)) and not derivatives:
        made = _nnlibs(node, parents, operation)
        return None if made is None else (lambda gradient: _pieces(made._vjp, np.asarray(gradient, dtype=float)))
    if not isinstance(derivatives, (tuple, list)):
        raise GradientError(f"derivatives of {_what(node)} is {derivatives!r:.40}; expected a tuple with one number "
                            f"for each parent, as (1.0, 1.0) for an addition")
    if len(derivatives) != len(parents):
        raise GradientError(f"a node {operation!r} of your graph has {len(parents)} parents but {len(derivatives)} "
                            "derivatives; expected one for each parent, in the same order")
    numbers = [_floats(node, "one of the derivatives", getattr(d, "data", d)) for d in derivatives]
    return lambda gradient: [np.asarray(gradient) * d for d in numbers]


def _nnlibs(node, parents, operation):
    """nnlib's own node of that operation and these inputs, or None where it has none or another value."""
    inputs = [Tensor(np.array(getattr(p, "data", p), dtype=float), requires_grad=True) for p in parents]
    made = _again(canonical(operation, len(parents)), inputs)
    same = made is not None and made.ndim == 0 and np.ndim(node.data) == 0 and np.isclose(made.data, float(node.data))
    return made if same else None


def _in_order(root, inputs_of):
    """Every node that root was computed from, parents first, from left to right. Without recursion."""
    order, done, path = [], set(), {id(root)}
    stack = [(root, iter(inputs_of(root)))]
    while stack:
        node, rest = stack[-1]
        for parent in rest:
            if id(parent) in path:
                raise GradientError("this graph has a cycle: a node is among its own ancestors; an operation must "
                                    "make a new node, not change one of its parents")
            if id(parent) not in done:
                path.add(id(parent))
                stack.append((parent, iter(inputs_of(parent))))
                break
        else:
            stack.pop()
            path.discard(id(node))
            done.add(id(node))
            order.append(node)
    return order


def graph_of(root, names=None):
    """The graph below `root` as a list of `Node`, parents before children, the root last.

    Args:
        root: a Tensor, or an object of your own class with data, grad and parents (a tuple of such objects), and
            perhaps operation (a word), derivatives (d node / d parent, a number for each parent) and name.
        names: dict from name to node or array. Scalar constants are not nodes of their own: they stand in the
            statement of the node that uses them ("2 * x"); so do a class's nameless leaves where others have names.
    Raises GradientError for a root that is no node or remembers no graph, for attributes that are missing or wrong,
    and for a cycle.
    """
    if not _is_node(root):
        raise GradientError(f"expected a Tensor or a node with data, grad and parents but got {_what(root)}; "
                            "nothing remembers how a plain number was computed")
    if isinstance(root, Tensor) and not root.requires_grad:
        raise GradientError("this tensor remembers no graph: nothing that it was computed from has requires_grad=True, "
                            "or it was computed inside no_grad()")
    called = {id(node): name for name, node in (names or {}).items()}
    readings = {}

    def read(node):
        if id(node) not in readings:
            readings[id(node)] = ((np.asarray(node), None, (), "", None) if isinstance(node, np.ndarray) else
                                  (_read_tensor if isinstance(node, Tensor) else _read_object)(node))
        return readings[id(node)]

    def inputs_of(node):
        return [x for x in read(node)[2] if _is_node(x) or isinstance(x, np.ndarray) and x.ndim]

    order = _in_order(root, inputs_of)
    for node in order:
        name = getattr(node, "name", None)
        if isinstance(name, str) and name:
            called.setdefault(id(node), name)
        elif isinstance(node, np.ndarray) and id(node) not in called:  # an operation may have made an array of its own
            same = [n for n, x in (names or {}).items() if isinstance(x, np.ndarray) and np.array_equal(x, node)]
            called.update({id(node): same[0]} if same else {})
    any_named = any(id(node) in called for node in order if not read(node)[2])

    def constant(node):
        if id(node) in called or node is root or read(node)[2]:
            return False
        scalar = np.ndim(read(node)[0]) == 0
        return scalar and (not node.requires_grad if isinstance(node, Tensor) else any_named)

    drawn = [node for node in order if not constant(node)]
    place, graph, taken, counter = {id(node): i for i, node in enumerate(drawn)}, [], set(called.values()), 0
    any_gradient = any(np.any(g) for node in drawn if (g := read(node)[1]) is not None)
    for node in drawn:
        value, gradient, inputs, operation, hand = read(node)
        name = called.get(id(node))
        while name is None:
            counter += 1
            name = f"v{counter}" if f"v{counter}" not in taken else None
        words = [graph[place[id(x)]].name if id(x) in place else bracketed_constant(x) for x in inputs]
        kept = [k for k, x in enumerate(inputs) if id(x) in place]
        made = Node(name, operation, _statement(operation, words), np.asarray(value, dtype=float),
                    tuple(place[id(inputs[k])] for k in kept), gradient=gradient if any_gradient else None,
                    wants=not isinstance(node, (Tensor, np.ndarray)) or isinstance(node, Tensor) and node.requires_grad,
                    source=node, hand=hand and _only(hand, kept))
        made.derivatives = _local(made, graph)
        made.worked = _worked(operation, inputs)
        graph.append(made)
    return graph


def bracketed_constant(x):
    """A constant as it stands in a statement."""
    x = np.asarray(getattr(x, "data", x))
    return bracketed(x) if x.size == 1 and x.dtype.kind in "fiub" else "array" if x.ndim else "constant"


def _statement(operation, words):
    if not operation:
        return ""
    if operation.startswith("**") and len(words) == 1:  # a learner's "**2", whose exponent is no node
        return f"{words[0]} ** {operation[2:].strip()}"
    form = _STATEMENTS.get(canonical(operation, len(words)))
    if form and form.count("{}") == len(words):
        return form.format(*words)
    return f"{_LOSSES.get(operation, operation)}({', '.join(words)})"


def _worked(operation, inputs):
    values = [np.asarray(getattr(x, "data", x)) for x in inputs]
    if not operation or any(v.ndim or v.dtype.kind not in "fiub" for v in values):
        return ""
    name = canonical(operation, len(values))
    infix = name in _STATEMENTS or name.startswith("**")
    words = [bracketed(v) if infix else number(v) for v in values]
    if name in ("add", "subtract", "multiply", "divide"):
        words[0] = number(values[0])
    return _statement(operation, words)


def _only(hand, kept):
    return lambda gradient: [piece for k, piece in enumerate(hand(gradient)) if k in kept]


def _local(node, graph):
    """d node / d parent for each edge: the upstream gradient 1, handed on. None for arrays, and where unknown."""
    if node.hand is None or node.value.ndim or any(graph[p].value.ndim for p in node.parents):
        return (None,) * len(node.parents)
    return tuple(None if d is None else float(d) for d in node.hand(1.0))


# The way back

def backward_steps(graph, upstream=1.0):
    """The backward pass over `graph` as a list of `Step`: the upstream gradient at the root, then edge by edge.

    A node hands on when all nodes that use it have handed to it: in the reverse of the order of computation.
    Args: upstream: the gradient that arrives at the root, a number or an array of its shape.
    Raises GradientError for a node whose derivatives are not known.
    """
    seed = np.array(np.broadcast_to(np.asarray(upstream, dtype=float), graph[-1].value.shape))
    gradients, steps = {len(graph) - 1: seed}, [Step(len(graph) - 1, seed, after=seed)]
    for i in reversed(range(len(graph))):
        node, gradient = graph[i], gradients.get(i)
        if gradient is None or not any(graph[p].wants for p in node.parents):
            continue
        if node.hand is None:
            raise GradientError(f"{node.title}: its derivatives are not known, so nothing can be handed back from it; "
                                "give the node derivatives, one number for each of its parents")
        for k, (parent, handed) in enumerate(zip(node.parents, node.hand(gradient))):
            if handed is not None and graph[parent].wants:
                before = gradients.get(parent)
                gradients[parent] = handed if before is None else before + handed
                steps.append(Step(i, gradient, k, parent, node.derivatives[k], handed, before, gradients[parent]))
    return steps


def gradients_after(steps):
    """The gradient of each node, by position, after these steps."""
    return {step.node if step.edge is None else step.parent: step.after for step in steps}


def wrong_gradients(graph, upstream=1.0):
    """Where the gradients that the nodes hold differ from the right ones: a list of (node, right gradient, why).

    `upstream` is what the right ones are multiplied with; the nodes' own `backward` began with 1.
    """
    steps, wrong = backward_steps(graph), []
    right = gradients_after(steps)
    for i, node in enumerate(graph):
        if node.wants and i in right:
            own = np.zeros_like(node.value) if node.gradient is None else np.asarray(node.gradient, dtype=float)
            if own.shape != right[i].shape or not np.allclose(own, right[i], rtol=1e-6, atol=1e-9):
                wrong.append((node, upstream * right[i], _why(own, i, steps)))
    return wrong


def _why(own, i, steps):
    """A guess at the slip behind a wrong gradient, as a sentence; empty if there is none."""
    pieces = [step.handed for step in steps if step.parent == i]
    if not np.any(own):
        return "nothing arrived there."
    if len(pieces) > 1 and own.shape == pieces[0].shape:
        if any(np.allclose(own, piece) for piece in pieces):
            return f"that is what one of its {len(pieces)} edges brings; the edges add up: += instead of =."
        return (f"{len(pieces)} edges bring it something; does a node that uses it hand on before its own gradient "
                "is complete, or more than once?")
    return ""


def wrong_derivatives(graph):
    """Where the derivatives that a learner's nodes store are wrong: a list of (position, edge, right derivative).

    Only operations that nnlib has too, and knows by their name, can be compared.
    """
    wrong = []
    for i, node in enumerate(graph):
        parents = getattr(node.source, "parents", ())
        if isinstance(node.source, Tensor) or node.count > 1 or len(parents) != len(node.parents):
            continue
        made, hand = _nnlibs(node.source, parents, node.operation), node.hand
        if made is not None and hand is not None:
            right = [float(piece) for piece in _pieces(made._vjp, np.asarray(1.0))]
            wrong += [(i, k, r) for k, (r, own) in enumerate(zip(right, node.derivatives))
                      if own is not None and not np.isclose(r, own, rtol=1e-6, atol=1e-9)]
    return wrong


# Graphs that are too large for a picture

def collapse(graph, limit=LIMIT):
    """The same graph with at most `limit` nodes: nodes that only one other uses are merged into it, chains first.

    Chains go on shrinking down to two thirds of the limit. Returns the graph and a sentence on what was done, which is
    empty for nothing.
    """
    if len(graph) <= limit:
        return graph, ""
    group = list(range(len(graph)))
    for what, target in (("chains", max(2, 2 * limit // 3)), ("computed", limit), ("inputs", limit)):
        while (surplus := len(set(group)) - target) > 0 and _merge_once(graph, group, what, surplus):
            pass
    merged = _merged(graph, group)
    return merged, (f"The graph has {len(graph)} nodes, too many for one picture: boxes that say “nodes” hold several, "
                    f"so that {len(merged)} are left.")


def _merge_once(graph, group, what, most):
    """Merge up to `most` disjoint pairs of a group and the only group that uses it. Returns whether there was one.

    what: "chains", groups of one parent; "computed", all that are not inputs; "inputs", these too.
    """
    parents = {g: set() for g in group}
    for i, node in enumerate(graph):
        parents[group[i]] |= {group[p] for p in node.parents} - {group[i]}
    users = {g: [] for g in parents}
    for user, used in parents.items():
        for g in used:
            users[g].append(user)
    moved, taken = {}, set()
    for g in sorted(parents):
        if len(users[g]) != 1 or g in taken or len(moved) == most:
            continue
        user = users[g][0]
        fits = {"chains": len(parents[g]) == len(parents[user]) == 1, "computed": parents[g], "inputs": True}[what]
        if fits and user not in taken:
            moved[g] = user
            taken |= {g, user}
    group[:] = [moved.get(g, g) for g in group]
    return bool(moved)


def _merged(graph, group):
    """One node for each group, named as the last of its members."""
    members = {g: [i for i in range(len(graph)) if group[i] == g] for g in sorted(set(group))}
    place = {g: i for i, g in enumerate(members)}
    merged = []
    for inner in members.values():
        last = graph[inner[-1]]
        if len(inner) == 1:
            node = Node(**{**vars(last), "parents": tuple(place[group[p]] for p in last.parents)})
        else:
            outer = [(i, k) for i in reversed(inner) for k, p in enumerate(graph[i].parents) if p not in inner]
            known = all(graph[i].hand for i in inner if graph[i].parents)
            node = Node(last.name, "several", f"{len(inner)} nodes", last.value,
                        tuple(place[group[graph[i].parents[k]]] for i, k in outer), gradient=last.gradient,
                        wants=last.wants, count=len(inner), source=last.source,
                        hand=_through(graph, inner, outer) if known else None)
            node.derivatives = _local(node, merged)
        merged.append(node)
    return merged


def _through(graph, inner, outer):
    """How a group of nodes hands on to the nodes outside of it: a backward pass within."""
    def hand(gradient):
        gradients, handed = {inner[-1]: np.asarray(gradient)}, {}
        for i in (i for i in reversed(inner) if graph[i].parents):
            for k, (p, piece) in enumerate(zip(graph[i].parents, graph[i].hand(gradients[i]))):
                if p not in inner:
                    handed[i, k] = piece
                elif piece is not None:
                    gradients[p] = gradients[p] + piece if p in gradients else piece
        return [handed[edge] for edge in outer]
    return hand


# In words

def known_gradients(graph, upstream=None):
    """The gradients to show, by position: those of a backward pass from `upstream`, or what the nodes hold.

    Tensors keep the gradients of leaves alone; where these belong to an upstream gradient of 1, the others follow.
    """
    if upstream is not None:
        return gradients_after(backward_steps(graph, upstream))
    held = {i: node.gradient for i, node in enumerate(graph) if node.gradient is not None}
    if held and isinstance(graph[-1].source, Tensor):
        try:
            right = gradients_after(backward_steps(graph))
        except NnlibError:
            return held
        if all(i in right and np.allclose(right[i], gradient) for i, gradient in held.items()):
            return right
    return held


def graph_in_words(root, names=None, gradients=True, derivatives=True, upstream=None):
    """The graph below `root` in words, as alternative text: inputs, statements with values, derivatives, gradients.

    Arguments as for `computation_graph`.   Raises GradientError as `graph_of`.
    """
    graph, told = collapse(graph_of(root, names))
    leaves = [node for node in graph if not node.statement]
    parts = [f"A computation graph of {len(graph)} {'node' if len(graph) == 1 else 'nodes'}, from left to right.", told,
             f"Inputs: {', '.join(f'{n.name}{in_full(n.value)}' for n in leaves)}."]
    inner = [f"{n.title}{in_full(n.value)}" for n in graph if n.statement]
    parts.append(f"Computed: {'; '.join(inner)}." if inner else "")
    edges = [f"d{n.name}/d{graph[p].name} = {number(d)}" for n in graph
             for p, d in zip(n.parents, n.derivatives) if d is not None]
    parts.append(f"On the edges: {', '.join(edges)}." if derivatives and edges else "")
    shown = known_gradients(graph, upstream) if gradients else {}
    held = [f"{n.name}{in_full(shown[i])}" for i, n in enumerate(graph) if i in shown]
    parts.append(f"Gradients: {', '.join(held)}." if held else "")
    return " ".join(part for part in parts if part)


def in_full(value):
    """A value behind its name: " = 3", small arrays by their numbers too, others by their shape."""
    text = brief(value, 30)
    return f" of shape {text}" if text.startswith("(") else f" = {text}"
