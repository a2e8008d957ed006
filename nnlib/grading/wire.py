"""Plain data between the grader and a worker, in frames of bounded size: JSON, with the bytes of arrays behind it.

None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, `...` and NumPy's arrays of numbers
arrive as they were sent; of anything else only its kind and its name. Nothing in a frame is ever executed, and no
method of what is packed is called, so a learner's object has no say in how it is written.
"""

import json
import math
import os
import re
import struct
from itertools import islice

from numpy import array, dtype, empty, frombuffer, ndarray

from nnlib.errors import NnlibError

MOST_TEXT = 4 << 20  # bytes of JSON in one frame
MOST_BYTES = 64 << 20  # bytes of arrays in one frame
MOST_ITEMS = 250_000  # numbers, words and containers in one frame, not counting those in arrays
DEEPEST = 50  # lists in lists
HEAD = struct.Struct(">4sIQ")  # mark, bytes of JSON, bytes of arrays
MARK = b"nnl1"
NUMBERS = re.compile(r"[<>|=][biufc]\d{1,2}")  # the dtypes that cross as bytes

dumps, loads, read, write = json.dumps, json.loads, os.read, os.write  # as they were before any learner's cell
tobytes = ndarray.tobytes


class WireError(NnlibError):
    """What cannot be packed or compared, or is no frame; the message is a sentence without its subject."""


class Foreign:
    """Stands for an object of a learner's class: only the name of its class has crossed."""

    def __repr__(self):
        return f"<{type(self).__name__} object>"


def plain_text(text, most=200):
    """`text` on one line, printable, without addresses, at most `most` characters; "" where it is no str."""
    if type(text) is not str:
        return ""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text[:4 * most])
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= most else text[:most - 3] + "..."


def pack(value):
    """One frame that holds `value`. Raises WireError for what is too large or nested too deeply."""
    blobs = _Blobs()
    text = dumps(_encode(value, blobs, 0)).encode()
    if len(text) > MOST_TEXT:
        raise WireError(f"is too large to be compared: more than {MOST_TEXT >> 20} MiB of lists and text")
    return b"".join([HEAD.pack(MARK, len(text), blobs.size), text, *blobs.parts])


def unpack(frame):
    """The value in a frame. Raises WireError for anything else, however it is broken."""
    try:
        mark, length, size = HEAD.unpack_from(frame)
        if mark != MARK or len(frame) != HEAD.size + length + size or length > MOST_TEXT or size > MOST_BYTES:
            raise WireError("is no frame of this format")
        start = HEAD.size + length
        blobs = _Blobs(frame, start)
        value = _decode(loads(frame[HEAD.size:start]), blobs, 0)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, struct.error) as error:
        raise WireError(f"is no frame of this format ({type(error).__name__})") from None
    if blobs.size != size:
        raise WireError("is no frame of this format: bytes are left over")
    return value


def send(place, frame):
    """Write a frame to the file descriptor `place`. Raises OSError where nobody reads."""
    rest = memoryview(frame)
    while rest:
        rest = rest[write(place, rest):]


def receive(place):
    """The next frame from the file descriptor `place`. Raises EOFError at the end, WireError for what is none."""
    head = _exactly(place, HEAD.size)
    mark, length, size = HEAD.unpack(head)
    if mark != MARK or length > MOST_TEXT or size > MOST_BYTES:
        raise WireError("is no frame of this format")
    return head + _exactly(place, length + size)


def _exactly(place, count):
    got = bytearray()
    while len(got) < count:
        part = read(place, min(count - len(got), 1 << 20))
        if not part:
            raise EOFError
        got += part
    return bytes(got)


class Bounds:
    """How large and how deep a value is, as far as it has been looked at. Every method raises WireError."""

    def __init__(self):
        self.items = self.size = 0

    def count(self, items, depth=0):
        """Refuse more than MOST_ITEMS; shared lists, written out again and again, grow without bound."""
        self.items += items
        if depth > DEEPEST:
            raise WireError(f"is nested too deeply to be compared: more than {DEEPEST} lists in one another")
        if self.items > MOST_ITEMS:
            raise WireError(f"is too large to be compared: more than {MOST_ITEMS:,} values")

    def weigh(self, nbytes):
        """Refuse more than MOST_BYTES."""
        self.size += nbytes
        if self.size > MOST_BYTES:
            raise WireError(f"is too large to be compared: more than {MOST_BYTES >> 20} MiB")


class _Blobs(Bounds):
    """The bytes behind the JSON: collected in order, or read in order from a frame."""

    def __init__(self, frame=b"", start=0):
        super().__init__()
        self.parts, self.frame, self.start = [], frame, start

    def add(self, nbytes, make):
        self.weigh(nbytes)
        self.parts.append(make())

    def take(self, nbytes):
        begin = self.start + self.size
        self.size += nbytes
        if nbytes < 0 or self.start + self.size > len(self.frame):
            raise WireError("is no frame of this format: bytes are missing")
        return self.frame[begin:begin + nbytes]


def _encode(value, blobs, depth):
    kind = type(value)
    blobs.count(1, depth)
    if value is None or kind is bool or kind is float or kind is str:
        return value
    if kind is int:
        return value if -2**63 <= value < 2**64 else ["int", hex(value)] if value.bit_length() < 9000 else ["vast"]
    if kind is complex:
        return ["complex", value.real, value.imag]
    if kind is bytes:
        blobs.add(len(value), lambda: value)
        return ["bytes", len(value)]
    if kind is list or kind is tuple:
        return [kind.__name__, *[_encode(item, blobs, depth + 1) for item in value]]
    if kind is set or kind is frozenset:
        return [kind.__name__, *sorted((_encode(item, blobs, depth + 1) for item in value), key=dumps)]
    if kind is dict:
        return ["dict", *[[_encode(k, blobs, depth + 1), _encode(v, blobs, depth + 1)] for k, v in value.items()]]
    if kind is ndarray:
        return _encode_array(value, blobs, depth)
    if value is Ellipsis:
        return ["ellipsis"]
    for base in int, float:
        if issubclass(kind, base):  # IntEnum and the like
            return _encode(base.__pos__(value), blobs, depth + 1)
    name = type.__dict__["__name__"].__get__(value if issubclass(kind, type) else kind)
    if callable(value) and not issubclass(kind, type):
        given = value.__name__ if kind is type(pack) else ""
        return ["function", plain_text(given, 80)]
    return ["class" if issubclass(kind, type) else "object", plain_text(name, 80)]


def _encode_array(value, blobs, depth):
    shape = list(value.shape)
    if NUMBERS.fullmatch(value.dtype.str):
        blobs.add(value.nbytes, lambda: tobytes(value))
        return ["array", value.dtype.str, shape]
    if value.dtype.kind in "OU":
        if value.size > MOST_ITEMS:
            blobs.count(value.size)
        return ["cells", value.dtype.kind, shape, *[_encode(item, blobs, depth + 1) for item in value.ravel().tolist()]]
    return ["object", f"{plain_text(str(value.dtype), 40)} array"]


def _decode(tree, blobs, depth):
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    if not isinstance(tree, list) or depth > 2 * DEEPEST:
        raise WireError("is no frame of this format")
    return DECODERS[tree[0]](tree, blobs, depth + 1)


def _items(tree, blobs, depth, start=1):
    return [_decode(item, blobs, depth) for item in islice(tree, start, None)]


def _decode_array(tree, blobs, depth):
    _, code, shape = tree
    if not NUMBERS.fullmatch(code) or not all(type(length) is int and length >= 0 for length in shape):
        raise WireError("is no frame of this format")
    kind = dtype(code)
    raw = blobs.take(kind.itemsize * math.prod(shape))
    if kind.kind == "b":
        return (frombuffer(raw, "u1") != 0).reshape(shape)
    return frombuffer(raw, kind).reshape(shape).copy()


def _decode_cells(tree, blobs, depth):
    items, shape = _items(tree, blobs, depth, 3), tree[2]
    if tree[1] == "U" and all(type(item) is str for item in items):
        return array(items, dtype=str).reshape(shape)
    cells = empty(len(items), dtype=object)
    for index, item in enumerate(items):
        cells[index] = item
    return cells.reshape(shape)


def _decode_name(tree):
    return plain_text(tree[1], 80) or "unnamed"


def _stand_in(tree):
    """A function of the same name that does nothing, because what a learner's function does stays in the worker."""
    def function(*args, **options):
        return None
    function.__name__ = function.__qualname__ = plain_text(tree[1], 80) or "<lambda>"
    return function


DECODERS = {
    "int": lambda tree, *_: int(tree[1][:3000], 16),
    "vast": lambda tree, *_: type("huge int", (Foreign,), {})(),
    "complex": lambda tree, *_: complex(float(tree[1]), float(tree[2])),
    "bytes": lambda tree, blobs, _: blobs.take(tree[1]),
    "list": _items,
    "tuple": lambda *a: tuple(_items(*a)),
    "set": lambda *a: set(_items(*a)),
    "frozenset": lambda *a: frozenset(_items(*a)),
    "dict": lambda tree, *a: {_decode(k, *a): _decode(v, *a) for k, v in tree[1:]},
    "array": _decode_array,
    "cells": _decode_cells,
    "ellipsis": lambda *_: ...,
    "object": lambda tree, *_: type(_decode_name(tree), (Foreign,), {})(),
    "class": lambda tree, *_: type(_decode_name(tree), (Foreign,), {}),
    "function": lambda tree, *_: _stand_in(tree),
}
