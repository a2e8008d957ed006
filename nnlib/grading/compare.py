"""Compare an answer with what is expected and say, in a sentence, how it differs and what that suggests.

NumPy's functions are bound here by name, so that a notebook that patches `np.allclose` changes nothing.
"""

from itertools import islice
from typing import NamedTuple

from numpy import (
    abs,
    argwhere,
    array,
    array_equal,
    asarray,
    generic,
    isfinite,
    isnan,
    log,
    ndarray,
    sort,
    squeeze,
    where,
)

MOST_ITEMS = 10_000  # of a generator: more than any case needs, few enough to end one that never stops
WHOLE = 12  # arrays up to this many numbers are shown whole
CLOSE = 5e-3  # relative error below which an answer is called close
COARSE = "Close, but not close enough: is something rounded, or an approximation too coarse?"
BASES = {1 / log(2): "log2", 1 / log(10): "log10"}


class Difference(NamedTuple):
    """What differs, as a sentence without its full stop, and what that suggests ("" where nothing does)."""

    what: str
    diagnosis: str = ""


def plain(value):
    """`value` as arrays, numbers, strings, tuples, lists and dicts; what is none of these stays as it is.

    Tensors (anything whose `.data` is an array) become arrays, generators lists.
    Raises ValueError for a generator that yields more than 10,000 items.
    """
    if isinstance(value, ndarray):
        return array(value)
    if isinstance(getattr(value, "data", None), ndarray):
        return array(value.data)
    if isinstance(value, generic):
        return value.item() if isinstance(value.item(), (bool, int, float, complex, str)) else value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, (list, range)):
        return [plain(item) for item in value]
    if hasattr(value, "__next__"):
        items = [plain(item) for item in islice(value, MOST_ITEMS + 1)]
        if len(items) > MOST_ITEMS:
            raise ValueError(f"the generator does not end: more than {MOST_ITEMS:,} items")
        return items
    return value


def compare(expected, got, tolerance=(1e-5, 1e-7), sizes=()):
    """None where `got` agrees with `expected`, both as `plain` gives them; else the Difference.

    sizes: axis lengths of the inputs, the number of examples first; they explain a factor of that size.
    """
    if got is None and expected is not None:
        return Difference("your answer is None", "Is there a `return` at the end?")
    if isinstance(expected, dict):
        return _compare_dicts(expected, got, tolerance, sizes)
    if isinstance(expected, tuple) or isinstance(expected, list) and not all(map(_is_number, expected)):
        return _compare_items(expected, got, tolerance, sizes)
    if not (_is_number(expected) or isinstance(expected, (list, ndarray))):
        return _compare_others(expected, got)
    right, answer = asarray(expected), _numeric(got)
    if answer is None:
        return Difference(f"expected {kind(expected)}, got {kind(got)}", _why_no_numbers(got))
    if right.shape != answer.shape:
        what = f"expected {_shape(right)}, got {_shape(answer)}"
        return Difference(what, _why_shape(right, answer, tolerance))
    if (isnan(answer) & ~isnan(right)).any():
        why = "nan comes from 0 * inf, inf - inf, 0 / 0 or the log of a negative number."
        return Difference(_two(right, answer, tolerance), why)
    if (~isfinite(answer) & isfinite(right)).any():
        why = "inf comes from a division by 0, log(0) or the exp of a large number."
        return Difference(_two(right, answer, tolerance), why)
    if not _close(right, answer, tolerance).all():
        return Difference(_two(right, answer, tolerance), _why_numbers(right, answer, sizes))
    return None


def _compare_dicts(expected, got, tolerance, sizes):
    if not isinstance(got, dict) or got.keys() != expected.keys():
        return Difference(f"expected a dict with the keys {list(expected)}, got {kind(got)}"
                          + (f" with the keys {show(list(got))}" if isinstance(got, dict) else ""))
    differences = ((key, compare(expected[key], got[key], tolerance, sizes)) for key in expected)
    return next((Difference(f"{key}: {d.what}", d.diagnosis) for key, d in differences if d), None)


def _compare_items(expected, got, tolerance, sizes):
    count = len(expected)
    if not isinstance(got, (tuple, list, ndarray)) or isinstance(got, ndarray) and got.ndim == 0:
        return Difference(f"expected {count} values, got {kind(got)}", "Return all of them, comma between.")
    if len(got) != count:
        return Difference(f"expected {count} values, got {len(got)}")
    for index in range(count):
        difference = compare(expected[index], got[index], tolerance, sizes)
        if difference:
            swapped = count == 2 and not any(compare(expected[i], got[1 - i], tolerance) for i in (0, 1))
            return Difference(f"value {index + 1} of {count}: {difference.what}",
                              "Both are right, in the other order." if swapped else difference.diagnosis)
    return None


def _compare_others(expected, got):
    if type(expected) is type(got) and expected == got:
        return None
    letters = isinstance(expected, str) and isinstance(got, str) and expected.lower() == got.strip().lower()
    return Difference(f"expected {show(expected)}, got {show(got)}",
                      "Capital letters and spaces count." if letters else "")


def _is_number(value):
    return isinstance(value, (bool, int, float)) or isinstance(value, generic) and value.dtype.kind in "biuf"


def _numeric(value):
    """`value` as an array of real numbers, or None."""
    if not (_is_number(value) or isinstance(value, (list, tuple, ndarray))):
        return None
    try:
        answer = asarray(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return answer if answer.dtype.kind in "biuf" else None


def _close(right, answer, tolerance):
    rtol, atol = tolerance[:2]
    right, answer = asarray(right, float), asarray(answer, float)
    finite = isfinite(right) & isfinite(answer)
    gap = abs(where(finite, answer, 0.0) - where(finite, right, 0.0))
    near = gap <= atol + rtol * abs(where(finite, right, 0.0))
    return where(finite, near, (right == answer) | isnan(right) & isnan(answer))


def _why_no_numbers(got):
    if callable(got):
        return "Did you forget the parentheses of a call?"
    if isinstance(got, ndarray) and got.dtype == object or isinstance(got, (list, tuple)):
        return "Its rows differ in length, or not every element is a number."
    return ""


def _why_shape(right, answer, tolerance):
    if right.ndim == answer.ndim == 2 and right.shape == answer.shape[::-1]:
        return "Your answer has the transposed shape: is a .T missing or too much?"
    if answer.size == right.size and squeeze(answer).shape == squeeze(right).shape:
        if answer.ndim > right.ndim:
            return "Your answer has an axis of length 1 too many: see keepdims, reshape or an index."
        return "Your answer lacks an axis of length 1: see keepdims, reshape or np.newaxis."
    if answer.ndim < right.ndim:
        return "An axis is missing: did a sum, mean or index take it away?"
    if answer.ndim > right.ndim:
        for axis in range(answer.ndim):
            if answer.shape[:axis] + answer.shape[axis + 1:] == right.shape:
                means, sums = answer.mean(axis), answer.sum(axis)
                if _close(right, means, tolerance).all():
                    return f"The mean over axis {axis} is missing."
                if _close(right, sums, tolerance).all():
                    return f"The sum over axis {axis} is missing."
        return "There is an axis too many: is a sum or mean over it missing, or did two shapes broadcast?"
    return ""


def _why_numbers(right, answer, sizes):
    """What a wrong answer of the right shape suggests."""
    right, answer = asarray(right, float), asarray(answer, float)
    if not (isfinite(right).all() and isfinite(answer).all() and right.any() and answer.any()):
        return ""
    loose = (1e-4, 1e-9)
    if _close(right, answer, loose).all():  # before the others, which would find an order or a sign in it
        return COARSE
    factor = float((answer * right).sum() / (right * right).sum())
    if factor and abs(factor - 1) > CLOSE and _close(factor * right, answer, loose).all():
        return _why_factor(factor, sizes, surely=(right != 0).sum() > 1)
    if right.ndim == 2 and right.shape[0] == right.shape[1] and _close(right, answer.T, loose).all():
        return "Your answer is the transpose: is a .T missing or too much?"
    if right.size > 1:
        offset = (answer - right).mean()
        if _close(right + offset, answer, loose).all():
            return f"Your answer is off by the same amount everywhere: {offset:+.4g}."
        if _close(abs(right), abs(answer), loose).all():
            return "The sizes are right, some signs are wrong."
        if _close(sort(right, axis=None), sort(answer, axis=None), loose).all():
            return "The numbers are right, in another order."
    if (abs(answer - right) <= CLOSE * abs(right).max()).all():
        return COARSE
    return ""


def _why_factor(factor, sizes, surely):
    def near(number):
        return abs(abs(factor) - number) <= 1e-4 * number

    sign = " and has the wrong sign" if factor < 0 else ""
    for size in dict.fromkeys(size for size in sizes if size > 2):
        why = f"{sign}; {size} is the {'number of examples' if size == sizes[0] else 'length of an axis'}"
        if near(size):
            return f"Your answer is {size} times the expected one{why}: is a mean missing?"
        if near(1 / size):
            return f"Your answer is 1/{size} of the expected one{why}: is a mean too much?"
    if near(1):
        return "Right size, wrong sign."
    for base, name in BASES.items():
        if near(base):
            return f"Your answer is {base:.4g} times the expected one{sign}: {name} in place of log?"
    if near(2) or near(0.5) or surely:
        return f"Your answer is {abs(factor):.4g} times the expected one{sign}."
    return ""


def kind(value):
    """What `value` is, in words: 'an array of shape (3, 2)', 'a str', ..."""
    if isinstance(value, ndarray):
        dtype = "" if value.dtype.kind in "biuf" else f" and dtype {value.dtype}"
        return f"an array of {_shape(value)}{dtype}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)} values"
    if _is_number(value):
        return "a number"
    if callable(value):
        return "a class" if isinstance(value, type) else "a function"
    return "None" if value is None else f"{type(value).__name__} {show(value)}"


def _shape(value):
    return f"shape {value.shape}" if value.ndim else "a single number"


def _two(right, answer, tolerance):
    """'expected ..., got ...', with digits enough to see it; of large arrays the first difference."""
    place = count = ""
    if right.size > WHOLE:
        wrong = ~_close(right, answer, tolerance)
        index = tuple(argwhere(wrong)[0].tolist())
        place, count = f"at index {list(index)} ", f" ({wrong.sum()} of {right.size} numbers differ)"
        right, answer = right[index], answer[index]
    for digits in 4, 8, 17:
        texts = show(right, digits), show(answer, digits)
        if texts[0] != texts[1]:
            break
    return f"{place}expected {texts[0]}, got {texts[1]}{count}"


def show(value, digits=4, most=WHOLE):
    """`value` in a few words: `digits` significant digits; arrays above `most` numbers as their shape."""
    if isinstance(value, ndarray):
        if value.size > most:
            return f"an array of shape {value.shape}"
        return show(value.tolist(), digits)
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"{value + 0.0:.{digits}g}"
    if isinstance(value, (list, tuple)) and len(value) <= WHOLE:
        inner = ", ".join(show(item, digits) for item in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)} values"
    if callable(value):
        name = getattr(value, "__name__", "<lambda>")
        return "a function" if name == "<lambda>" else str(name)
    if hasattr(value, "bit_generator"):
        return "a random generator"
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def same(a, b):
    """True where two arguments hold the same numbers; functions and random generators are not compared."""
    if isinstance(a, ndarray):
        return (isinstance(b, ndarray) and a.shape == b.shape and a.dtype == b.dtype
                and array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(getattr(a, "data", None), ndarray):
        return same(a.data, b.data)
    return not isinstance(a, (bool, int, float, str)) or a == b or a != a
