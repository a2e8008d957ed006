"""Frames between grader and worker: what is plain arrives as it was, of the rest only its name; junk is a WireError."""

import enum
import math
import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnlib.grading import wire
from nnlib.grading.wire import WireError, pack, plain_text, receive, send, unpack

numbers = st.sampled_from("?bhilBHILefdFD").map(np.dtype)
some_arrays = arrays.arrays(numbers, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
words = st.text(st.characters(), max_size=20)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | words | st.binary(max_size=9)
keys = st.integers() | words | st.tuples(st.integers(), words)
values = st.recursive(leaves | some_arrays, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    keys, inner, max_size=3) | st.lists(inner, max_size=3).map(tuple), max_leaves=12)


def alike(a, b):
    """The same type, shape, dtype and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    return repr(a) == repr(b)


@settings(max_examples=150)
@given(values)
def test_plain_data_arrives_as_it_was(value):
    assert alike(unpack(pack(value)), value)


@pytest.mark.parametrize("value", [
    -0.0, math.nan, -math.inf, 2**63, -2**63, 2**64, -2**8000, "\ud800 \x00", ..., [...], {1, 2}, frozenset({"a"}),
    np.arange(24.0).reshape(2, 3, 4).T, np.arange(9)[::-2], np.broadcast_to(1.0, (3, 2)), np.zeros((0, 3)),
    np.array(["a", "bcd"]), np.array(2.5, ">f4"), np.array([[1, "a"], [None, 2.0]], dtype=object)], ids=repr)
def test_special_values(value):
    got = unpack(pack(value))
    assert type(got) is type(value) and repr(got) == repr(value)
    if isinstance(value, np.ndarray):
        assert got.dtype == value.dtype and got.flags.writeable and got.flags.owndata or got.base is not None


class Color(enum.IntEnum):
    RED = 3


class Liar:
    called = []
    __class__ = property(lambda self: self.called.append("class") or float)

    def __repr__(self):
        self.called.append("repr")
        return "x" * 10**6

    def __eq__(self, other):
        self.called.append("eq")
        return True

    def __array__(self, *args, **options):
        self.called.append("array")
        return np.zeros(3)

    __len__ = __iter__ = __float__ = __int__ = __reduce__ = __hash__ = __bool__ = __array__


def test_no_method_of_a_learners_object_is_called():
    got = unpack(pack([Liar(), {"a": Liar()}]))
    assert Liar.called == []
    assert repr(got[0]) == "<Liar object>" and type(got[0]).__name__ == "Liar" and not isinstance(got[0], Liar)


def test_of_functions_classes_and_odd_things_the_name_arrives():
    def mine(x):
        return x
    function, kind, lying, date = unpack(pack([mine, Color, type("A\nB at 0x12", (), {}), np.zeros(2, "M8[s]")]))
    assert function.__name__ == "mine" and function(1) is None
    assert isinstance(kind, type) and kind.__name__ == "Color" and lying.__name__ == "A B"
    assert repr(date) == "<datetime64[s] array object>"
    assert unpack(pack(Color.RED)) == 3 and type(unpack(pack(np.float64(2)))) is float
    assert repr(unpack(pack(2**10_000))) == "<huge int object>"


def test_sets_have_one_order():
    assert pack({"b", "a", "c"}) == pack({"c", "b", "a"})


@pytest.mark.parametrize("value, said", [
    (np.broadcast_to(1.0, (10**6, 10**6)), "more than 64 MiB"),
    ("x" * (5 << 20), "more than 4 MiB of lists"),
    ([0] * 300_000, "more than 250,000 values"), (np.full(300_000, None), "more than 250,000 values")],
    ids=["stretched", "text", "items", "objects"])
def test_too_large(value, said):
    with pytest.raises(WireError, match=f"is too large to be compared: {said}"):
        pack(value)


def test_too_deep_and_growing_without_end():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(WireError, match="nested too deeply"):
        pack(deep)
    wide = [1]
    for _ in range(40):
        wide = [wide, wide]
    with pytest.raises(WireError, match="more than 250,000 values"):
        pack(wide)
    circle = []
    circle.append(circle)
    with pytest.raises(WireError, match="nested too deeply"):
        pack(circle)


def framed(text, blob=b""):
    return wire.HEAD.pack(wire.MARK, len(text), len(blob)) + text + blob


words_of_frames = st.sampled_from([*wire.DECODERS, "<f8", "O", "|b1"])
trees = st.recursive(st.none() | st.integers() | st.floats() | st.text(max_size=5) | words_of_frames,
                     lambda inner: st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=2))


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.binary(max_size=60).map(framed)
       | trees.map(lambda tree: framed(wire.dumps(tree).encode(), b"12345678")))
def test_junk_is_a_wire_error(frame):
    try:
        unpack(frame)
    except WireError:
        pass


@pytest.mark.parametrize("text, blob", [
    (b'["array", "<f8", [1]]', b""), (b'["array", "<f8", [-1]]', b""), (b'["array", "|O8", [1]]', b"12345678"),
    (b'["array", "<f8", [0, 1000000000000000000000]]', b""), (b'["array", "<f7", [1]]', b"1234567"),
    (b'["array", "<f8", [true]]', b"12345678"), (b'["bytes", -1]', b""), (b'["bytes", 1e3]', b""), (b'"a', b""),
    (b'["none of these"]', b""), (b"[]", b""), (b'{"a": 1}', b""), (b'["set", ["list"]]', b""),
    (b'["int", "0x"]', b""), (b'["dict", [1]]', b""), (b"1", b"left over"), (b"[" * 100_000, b""), (b"\xff", b""),
    (b'["list", ' * 5000 + b"1" + b"]" * 5000, b""), (b'["cells", "O", [3], 1]', b""), (b'["cells"]', b"")])
def test_broken_frames(text, blob):
    with pytest.raises(WireError, match="no frame of this format"):
        unpack(framed(text, blob))


def test_booleans_of_other_bytes_are_true():
    got = unpack(framed(b'["array", "|b1", [3]]', b"\x00\x01\x07"))
    assert got.tolist() == [False, True, True] and got.view("u1").tolist() == [0, 1, 1]


def test_frames_through_a_pipe():
    source, sink = os.pipe()
    value = {"a": np.arange(100_000.0)}
    writer = threading.Thread(target=lambda: [send(sink, pack(value)), send(sink, pack(2)), os.write(sink, b"n"),
                                              os.close(sink)])
    writer.start()
    try:
        assert alike(unpack(receive(source)), value) and unpack(receive(source)) == 2
        with pytest.raises(EOFError):
            receive(source)
    finally:
        writer.join()
        os.close(source)


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n", wire.HEAD.pack(wire.MARK, 2**32 - 1, 0),
                                  wire.HEAD.pack(wire.MARK, 10, 2**60)])
def test_a_pipe_with_junk_is_not_read_to_the_end(head):
    source, sink = os.pipe()
    try:
        os.write(sink, head)
        with pytest.raises(WireError):
            receive(source)
    finally:
        os.close(source)
        os.close(sink)


def test_plain_text():
    assert plain_text("a\n\x1b[31m b\u202e <f at 0x7f12ab>") == "a [31m b <f>"
    assert plain_text("x" * 10**7, 10) == "xxxxxxx..." and plain_text(3) == plain_text(None) == ""
