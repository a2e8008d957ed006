"""The engine: the graph that is recorded, the walk back, and what is said when there is nothing to walk."""

import copy
import sys
import weakref

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import assert_gradients_match, pairs_of_shapes, seeds, shapes, uniform

import nnlib
from nnlib import GradientError, ShapeError, Tensor, no_grad, primitive
from nnlib.autograd import topological_order, unbroadcast


def parameter(data):
    return Tensor(data, requires_grad=True)


# The tensor

@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint8, bool])
def test_a_tensor_keeps_shape_and_dtype(dtype):
    x = Tensor(np.ones((2, 3), dtype))
    assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((2, 3), 2, 6, 2, dtype)
    assert x.is_leaf and x.parents == () and x.operation is None and x.grad is None


def test_a_parameter_is_a_copy_so_that_training_never_changes_the_callers_array():
    start = np.zeros(2)
    w = parameter(start)
    w.data += 1
    np.testing.assert_array_equal(start, 0)
    assert np.shares_memory(Tensor(start).data, start)  # data are shared, and nothing writes to them


@pytest.mark.parametrize(("data", "error", "sentence"), [
    (["a", "b"], TypeError, "real numbers .* is there a string"), ([None, 1.0], TypeError, "dtype object"),
    ([1j], TypeError, "complex"), ([[1.0, 2.0], [3.0]], ShapeError, "rows have different lengths"),
])
def test_data_that_are_not_numbers(data, error, sentence):
    with pytest.raises(error, match=sentence):
        Tensor(data)


def test_integers_have_no_gradient():
    with pytest.raises(TypeError, match=r"int.*try Tensor\(\[1\.0, 2\.0\]\)"):
        parameter([1, 2])


def test_a_list_of_parameters_is_not_quietly_cut_off_from_its_graph():
    for use in (Tensor, nnlib.exp, np.asarray):
        with pytest.raises(GradientError, match=r"\.data"):
            use([parameter(1.0), parameter(2.0)])
    np.testing.assert_array_equal(np.asarray(Tensor([1.0, 2.0])), [1, 2])
    assert np.array(Tensor([1.0]), dtype=np.float32).dtype == np.float32


def test_how_a_tensor_prints():
    loss = parameter(0.123456)
    assert repr(loss) == f"{loss}" == "Tensor(0.1235, requires_grad=True)" and f"{loss:.2f}" == "0.12"
    assert repr(Tensor([[1.0, 2.0], [3.0, 4.0]])) == "Tensor([[1., 2.],\n        [3., 4.]])"
    assert float(loss) == loss.item() == 0.123456 and bool(Tensor(1)) and not Tensor(0.0)
    with pytest.raises(TypeError, match="single number"):
        len(loss)


def test_detach_shares_the_array_and_leaves_the_graph():
    x = parameter([1.0, 2.0])
    y = (x * x).detach()
    assert not y.requires_grad and y.is_leaf
    (y * x).sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


def test_a_parameter_can_be_copied():
    twin = copy.deepcopy(parameter([1.0, 2.0]))
    twin.sum().backward()
    np.testing.assert_array_equal(twin.grad, 1)


# The graph

def test_a_result_knows_its_operation_and_parents():
    x, W = Tensor([1.0, 2.0]), parameter([3.0, 4.0])
    y = x * W
    assert (y.operation, y.parents, y.requires_grad, y.is_leaf) == ("multiply", (x, W), True, False)
    z = x * x
    assert z.parents == () and z.operation is None and not z.requires_grad  # nothing here wants a gradient


def test_an_input_may_be_given_by_name():
    x = parameter([[1.0, 2.0], [3.0, 4.0]])
    y = nnlib.matmul(a=x, b=np.array([1.0, 2.0]))
    z = nnlib.sum(x=y, keepdims=True)
    z.backward()
    assert z.shape == (1,)
    np.testing.assert_array_equal(x.grad, [[1, 2], [1, 2]])


def test_no_grad_records_nothing_and_ends_even_after_an_error():
    x = parameter(2.0)
    with no_grad():
        y = x * x
        with no_grad():
            pass
        z = x * x
    assert not y.requires_grad and not z.requires_grad and y.parents == ()
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (x * x).requires_grad

    @no_grad()
    def evaluate():
        return x * x

    assert not evaluate().requires_grad and (x * x).requires_grad


def test_a_parameter_changes_in_place_within_no_grad_only():
    w = parameter(np.ones(2, np.float32))
    kept = w
    with no_grad():
        w -= 0.5 * np.ones(2)
        w *= 2
        w += 1
        w /= 4
    assert w is kept and w.requires_grad and w.is_leaf and w.dtype == np.float32
    np.testing.assert_array_equal(w.data, 0.5)
    with pytest.raises(GradientError, match="no_grad"):
        w -= 1.0
    h = w * 2
    before = h
    h += 1  # not a parameter: a new tensor, recorded
    h.sum().backward()
    assert h is not before
    np.testing.assert_array_equal(w.grad, 2)


def test_order_has_each_node_once_and_parents_first():
    x = parameter(1.0)
    a, b = x * 2, x + 1
    y = a * b + a
    order = topological_order(y)
    assert order[-1] is y and len(order) == len({id(n) for n in order}) == 5
    place = {id(n): i for i, n in enumerate(order)}
    assert all(place[id(p)] < place[id(n)] for n in order for p in n.parents if isinstance(p, Tensor))


# The walk back

@settings(max_examples=50)
@given(triple=pairs_of_shapes(3), seed=seeds)
def test_diamonds_and_reused_nodes(triple, seed):
    def function(a, b, c):
        shared = nnlib.sin(a * b)
        left, right = shared + c, shared * shared
        return left * right + shared - left / 2

    assert_gradients_match(function, *(uniform(seed + i, shape) for i, shape in enumerate(triple)))


@st.composite
def programs(draw):
    """Straight-line programs: each line combines two earlier values, so any value may be used many times."""
    lines = draw(st.lists(st.tuples(st.sampled_from("+-*m"), st.integers(0, 99), st.integers(0, 99)),
                          min_size=1, max_size=10))
    return draw(pairs_of_shapes(2)), lines


@settings(max_examples=100)
@given(program=programs(), seed=seeds)
def test_any_graph(program, seed):
    (shape_a, shape_b), lines = program
    combine = {"+": nnlib.add, "-": nnlib.subtract, "*": lambda x, y: x * y / 4,
               "m": lambda x, y: nnlib.tanh(x) * nnlib.mean(y)}

    def run(a, b):
        values = [a, b]
        for kind, i, j in lines:
            left, right = values[i % len(values)], values[j % len(values)]
            values.append(combine[kind](left, right))
        return values[-1] + 0 * a + 0 * b

    assert_gradients_match(run, uniform(seed, shape_a), uniform(seed + 1, shape_b), tolerance=1e-5)


def test_each_node_is_visited_once_however_many_paths_there_are():
    calls = []

    @primitive
    def double(x):
        return 2 * x, lambda g: (calls.append(1), (2 * g,))[1]

    x = y = parameter(1.0)
    for _ in range(60):  # 2^60 paths
        y = (double(y) + double(y)) / 4
    y.backward()
    assert len(calls) == 120 and x.grad == 1


@pytest.mark.parametrize("depth", [5_000, 20_000])
def test_a_graph_deeper_than_the_recursion_limit(depth):
    assert depth > sys.getrecursionlimit()
    x = y = parameter(1.0)
    for i in range(depth):
        y = y + x if i % 1000 == 0 else y * 1.0
    y.backward()
    assert x.grad == 1 + depth // 1000
    del y  # freeing such a chain must not exhaust the stack either


def test_gradients_add_up_until_they_are_cleared():
    x = parameter([1.0, 2.0])
    (x * x).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    np.testing.assert_array_equal(first, [2, 4])  # what was handed out is not changed afterwards
    np.testing.assert_array_equal(x.grad, [4, 8])
    (3 * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [7, 11])
    x.zero_grad()
    assert x.grad is None


def test_a_graph_is_walked_once_unless_it_is_kept():
    x = parameter([1.0, 2.0])
    y = x * x
    loss = y.sum()
    loss.backward(retain_graph=True)
    loss.backward()
    np.testing.assert_array_equal(x.grad, [4, 8])
    for again in (loss, y.sum(), (y * x).sum()):  # the whole graph, or one that shares a part with it
        with pytest.raises(GradientError, match=r"walked before.*compute the loss again.*retain_graph=True"):
            again.backward()
    np.testing.assert_array_equal(x.grad, [4, 8])  # refused before anything was added
    assert loss.operation == "sum" and loss.parents[0] is y and y.parents == (x, x)  # it can still be drawn


def test_what_an_operation_saved_is_given_back_during_the_walk():
    alive = []

    @primitive
    def hoard(x):
        saved = np.ones(1000)
        alive.append(weakref.ref(saved))
        return x * 1.0, lambda g: (g * saved[0],)

    def count():
        return sum(reference() is not None for reference in alive)

    counts = []

    @primitive
    def witness(x):
        return x * 1.0, lambda g: (counts.append(count()), (g,))[1]

    x = parameter(1.0)
    y = hoard(hoard(witness(hoard(x))))
    assert count() == 3
    y.backward()
    assert counts == [1] and count() == 0 and x.grad == 1


def test_gradients_of_different_tensors_share_no_memory():
    a, b, upstream = parameter([1.0]), parameter([2.0]), np.array([3.0])
    (a + b).backward(upstream)
    a.grad += 1
    assert b.grad == 3 and upstream == 3


def test_backward_from_a_leaf_gives_the_upstream_gradient():
    x = parameter([1.0, 2.0])
    x.backward([3.0, 4.0])
    np.testing.assert_array_equal(x.grad, [3, 4])


def test_only_leaves_and_those_who_ask_keep_their_gradient():
    x, constant = parameter(3.0), Tensor(2.0)
    y = x * constant
    z = (y * y).retain_grad()
    z.backward(retain_graph=True)
    assert y.grad is None and constant.grad is None and z.grad == 1 and x.grad == 24
    y.retain_grad()
    z.backward()
    assert y.grad == 12 and z.grad == 2


@settings(max_examples=30)
@given(shape=shapes(min_dims=1), seed=seeds)
def test_an_upstream_gradient_weights_the_outputs(shape, seed):
    x, weights = parameter(uniform(seed, shape)), uniform(seed + 1, shape)
    (x * x).backward(Tensor(weights))
    direct = parameter(x.data)
    (direct * direct * weights).sum().backward()
    np.testing.assert_allclose(x.grad, direct.grad, rtol=1e-15)


def test_what_backward_says_when_it_cannot():
    x = parameter(np.ones((2, 3)))
    with pytest.raises(GradientError, match=r"single number but got shape \(2, 3\).*mean\(\) or \.sum\(\)"):
        (x * x).backward()
    with pytest.raises(ShapeError, match=r"upstream gradient of shape \(2, 3\) but got \(3,\)"):
        (x * x).backward(np.ones(3))
    with pytest.raises(GradientError, match="requires_grad=True.*no_grad"):
        (Tensor([1.0]) * 2).backward()
    with no_grad(), pytest.raises(GradientError, match="no_grad"):
        (x * x).sum().backward()
    for y in (x.sum(), x[:1, :1]):  # one number is enough, whatever its shape
        y.backward()
    np.testing.assert_array_equal(x.grad, [[2, 1, 1], [1, 1, 1]])


@pytest.mark.parametrize("upstream", [1, 2.0, np.float32(2), Tensor(2.0)])
def test_upstream_gradients_of_any_kind_of_number(upstream):
    x = parameter(np.array(3.0, np.float32))
    (x * x).backward(upstream)
    assert x.grad == 6 * float(upstream) and x.grad.dtype == np.float32


# Undoing broadcasting

@settings(max_examples=100)
@given(pair=pairs_of_shapes(min_side=0), seed=seeds)
@example(pair=((1, 1, 3), (2, 2, 1)), seed=0)
@example(pair=((1, 3, 1), (2, 2, 1, 2)), seed=0)
def test_unbroadcast_is_the_adjoint_of_broadcasting(pair, seed):
    shape, wide = pair[0], np.broadcast_shapes(*pair)
    x, g = uniform(seed, shape), uniform(seed + 1, wide)
    back = unbroadcast(g, shape)
    assert back.shape == shape
    np.testing.assert_allclose(np.sum(back * x), np.sum(g * np.broadcast_to(x, wide)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("gradient", "shape"), [((), (3,)), ((3,), (1, 3)), ((2,), (3,)), ((2, 3), (2, 1, 3))])
def test_unbroadcast_refuses_what_broadcasting_cannot_have_made(gradient, shape):
    with pytest.raises(ShapeError, match="gradient has shape .* tuple"):
        unbroadcast(np.ones(gradient), shape)


# Primitives that learners write

@pytest.mark.parametrize("vjp", [lambda g: 2 * g, lambda g: (g.sum(),), lambda g: (g[:2],)],
                         ids=["no tuple", "a number", "too short"])
@pytest.mark.parametrize("size", [1, 3])
def test_a_gradient_of_the_wrong_shape_is_not_taken_in_silence(vjp, size):
    @primitive
    def double(x):
        return 2 * x, vjp

    x = parameter(np.ones(size))
    if size == 1 and vjp(np.ones(1))[0].shape == (1,):
        return
    with pytest.raises(ShapeError, match="tuple"):
        double(x).backward(np.ones(size))


def test_each_gradient_has_the_dtype_of_its_tensor():
    seen = []

    @primitive
    def spy(x):
        return x * 1, lambda g: (seen.append(g.dtype), (g,))[1]

    x = parameter(np.ones(2, np.float32))
    (spy(x) * np.ones(2)).sum().backward()  # widens the product, not the way back
    (2 ** spy(x)).sum().backward()
    assert seen == [np.float32, np.float32]


def test_gradients_may_be_lazy_or_absent():
    called = []

    @primitive
    def scaled(x, by, ignored, factor=1.0):
        return x * by * factor, lambda g: (lambda: called.append("x") or g * by * factor,
                                           lambda: called.append("by") or g * x * factor, None)

    x, by, ignored = parameter(3.0), Tensor(4.0), parameter(1.0)
    scaled(x, by, ignored * 2, factor=2.0).backward()
    assert called == ["x"] and x.grad == 8 and ignored.grad is None
    assert scaled(3.0, 4.0, 0) == 12 and scaled.__name__ == "scaled"


def test_a_primitive_of_any_number_of_arrays():
    @primitive
    def weighted(*arrays, scale=1.0):
        return scale * sum((i + 1) * a for i, a in enumerate(arrays)), (
            lambda g: tuple(scale * (i + 1) * g for i in range(len(arrays))))

    x, y = parameter([1.0, 2.0]), parameter([3.0, 4.0])
    z = weighted(x, [1, 1], y, x, scale=2.0)
    np.testing.assert_array_equal(z.data, [2 * (1 + 2 + 9 + 4), 2 * (2 + 2 + 12 + 8)])
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, [10, 10])
    np.testing.assert_array_equal(y.grad, [6, 6])
    assert type(weighted(np.ones(2), np.ones(2))) is np.ndarray


def test_an_optional_array_by_name_or_place_gets_its_gradient():
    @primitive
    def shifted(x, offset=None, factor=1.0):
        value = factor * x if offset is None else factor * x + offset
        return value, lambda g: (factor * g, g)

    x, offset = parameter(2.0), parameter(1.0)
    shifted(x, factor=3.0, offset=offset).backward()
    shifted(x, offset, 2.0).backward()
    shifted(x).backward()
    assert x.grad == 6 and offset.grad == 2
    factor = parameter(2.0)
    assert shifted(x, factor=factor).parents == (x, None, factor)  # a tensor by name behind one that is left out


def test_an_error_inside_a_primitive_keeps_its_kind():
    @primitive
    def strict(x):
        raise ShapeError("strict: expected two columns")

    with pytest.raises(ShapeError, match="^strict: expected two columns$"):
        strict(np.ones(3))
    with pytest.raises(IndexError):
        Tensor([1.0])[3]
    with pytest.raises(TypeError):
        Tensor([1.0]) + None
