"""What differs, and what that suggests."""

from types import SimpleNamespace

import numpy as np
import pytest

from nnlib.grading.compare import compare, form, kind, listed, plain, same, show

RIGHT = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
SQUARE = np.array([[1.0, 2.0], [3.0, 5.0]])


def differ(expected, got, **options):
    return compare(plain(expected), plain(got), **options)


@pytest.mark.parametrize("expected, got", [
    (RIGHT, RIGHT.tolist()), (RIGHT, RIGHT.astype(np.float32)), (RIGHT, SimpleNamespace(data=RIGHT)),
    (RIGHT, RIGHT * (1 + 1e-7)), (RIGHT, [tuple(row) for row in RIGHT]), (0.5, np.float32(0.5)),
    (0.5, np.array(0.5)),
    (2.0, 2), ([True, False], [1, 0]), ((RIGHT, 1.0), [RIGHT, 1]), ([RIGHT, SQUARE], (RIGHT, SQUARE)),
    (np.array([np.inf, np.nan]), [np.inf, np.nan]), ("up", "up"), ("up", np.str_("up")), (None, None),
    ({"w": RIGHT, "b": 0.0}, {"b": 0, "w": RIGHT}), ([], []), ([1, 2], (n for n in (1, 2))), (True, np.True_),
    (np.arange(3), [0.0, 1.0, 2.0]), (["a", 1.0], ["a", 1.0])])
def test_equal(expected, got):
    assert differ(expected, got) is None


@pytest.mark.parametrize("expected, got, what, diagnosis", [
    (RIGHT, None, "your answer is None", "return"),
    (RIGHT, "up", "expected an array of shape (2, 3), got the text 'up'", "not a text"),
    (RIGHT, np.sum, "got a function", "parentheses"),
    (RIGHT, [[1, 2], [3]], "expected an array of shape (2, 3), got a list of 2 values", "differ in length"),
    (RIGHT, RIGHT.astype(object), "dtype object", "kept as Python objects"),
    (RIGHT, RIGHT.T, "expected shape (2, 3), got shape (3, 2)", "transposed"),
    (RIGHT, RIGHT[None], "got shape (1, 2, 3)", "axis of length 1 too many"),
    (np.ones(3), np.ones((3, 1)), "expected shape (3,), got shape (3, 1)", "too many"),
    (np.ones((3, 1)), np.ones(3), "expected shape (3, 1), got shape (3,)", "lacks an axis"),
    (RIGHT, RIGHT.sum(0), "got shape (3,)", "An axis is missing"),
    (RIGHT.mean(0), RIGHT, "got shape (2, 3)", "mean over axis 0 is missing"),
    (RIGHT.sum(1), RIGHT, "got shape (2, 3)", "sum over axis 1 is missing"),
    (np.ones(3), np.full((3, 3), 2), "got shape (3, 3)", "broadcast"),
    (1.0, np.array([1.0]), "expected a single number, got shape (1,)", "too many"),
    (2.0, [1.0, 2.0, 3.0], "expected a single number, got shape (3,)", "mean over axis 0 is missing"),
    (RIGHT, -RIGHT, "expected [[1, 2, 3], [4, 5, 7]], got [[-1, -2, -3], [-4, -5, -7]]", "wrong sign"),
    (SQUARE, SQUARE.T, "got [[1, 3], [2, 5]]", "the transpose"),
    (RIGHT, RIGHT + 1, "got [[2, 3, 4], [5, 6, 8]]", "off by the same amount everywhere: +1"),
    (RIGHT, RIGHT * [1, -1, 1], "got", "some signs are wrong"),
    (RIGHT, RIGHT[::-1], "got", "in another order"),
    (RIGHT, RIGHT * 2.5, "got", "2.5 times the expected one."),
    (RIGHT, RIGHT / np.log(2), "got", "log2"),
    (RIGHT, np.round(RIGHT * 1.001, 2), "got", "rounded"),
    (np.array([0.1192, 0.9526]), np.array([0.11920166, 0.9526]), "got", "Close, but not close enough"),
    (0.123456, 0.123457 + 1e-5, "expected 0.123456, got 0.123467", "Close"),
    (RIGHT, RIGHT * np.nan, "got [[nan", "nan comes from"),
    (RIGHT, RIGHT * np.inf, "got [[inf", "inf comes from"),
    (np.zeros(2), np.ones(2), "expected [0, 0], got [1, 1]", ""),
    (RIGHT, np.degrees(RIGHT), "got", "57.3 times the expected one: degrees in place of radians?"),
    (RIGHT, -RIGHT * np.log(2), "got", "0.6931 times the expected one and has the wrong sign: log in place of log2?"),
    (RIGHT / 10, RIGHT * 10, "got", "in percent?"),
    (RIGHT / 10, 1 - RIGHT / 10, "got", "Your answer is 1 minus the expected one."),
    (RIGHT / 4, (RIGHT / 4).astype(int), "got [[0, 0, 0], [1, 1, 1]]", "Your numbers are whole: does an integer dtype"),
    (np.array([0.2, 0.4]), np.array([0, 0]), "got [0, 0]", "Your numbers are whole"),
    (np.array([0.2, 0.4]), np.zeros(2), "got [0, 0]", ""),
    (np.array([0.2, 1.4]), np.array([0.0, 1.0]), "got [0, 1]", "`//` or rounding"),
    (np.array([0.2, 0.7]), np.ones(2), "got [1, 1]", ""),
    (RIGHT / 7, (RIGHT / 7).round(1), "got", "Close, but rounded to 1 decimal: return all digits."),
    (RIGHT / 7, (RIGHT / 7).round(3), "got", "Close, but rounded to 3 decimals: return all digits."),
    (0.2818, 0.3, "expected 0.2818, got 0.3", ""),
    (RIGHT / 7, (RIGHT / 7).astype(np.float16), "got", "your dtype is float16, which keeps three digits"),
    (-RIGHT, RIGHT.astype(np.uint8), "got", "Your dtype is uint8, which holds no number below 0"),
    (np.array([100.0, 1.0]), np.array([100.0, 1.4]), "got [100, 1.4]", ""),
    (RIGHT, RIGHT + 0j, "dtype complex128", "Your numbers are complex"),
    (np.ones(2), [1, None], "got a list of 2 values", "Some of its elements are None."),
    (np.ones(2), {"p": 1}, "got a dict with the keys ['p']", "without a dict around it"),
    (np.array([1.0, 2.0]), (np.array([1.0, 2.0]),), "got shape (1, 2)", "A comma after the value makes a tuple"),
    (np.array([1.0, 2.0]), (3, np.array([1.0, 2.0])), "got a tuple of 2 values", "Value 2 of your 2 is right"),
    (1.0, (1.0, 2.0), "expected a single number, got shape (2,)", "Value 1 of your 2 is right: return it alone."),
    (np.ones(3), np.nan, "expected shape (3,), got a single number (nan)", "An axis is missing"),
    (np.array([1.0, 2.0]), np.array([[1.0, 2.0]] * 3), "got shape (3, 2)", "same numbers along axis 0: did two shapes"),
    (np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 5.0]]), "got shape (2, 2)", "Did shapes (n, 1) and (n,)"),
    (np.array([1.0, 2.0]), np.array([1.0]), "expected shape (2,), got shape (1,)", "One entry too few."),
    (RIGHT, np.ones((3, 3)), "expected shape (2, 3), got shape (3, 3)", "One row too many."),
    ((1.0, 2.0), {"a": 1}, "expected 2 values, got a dict with the keys ['a']", "comma"),
    (3.0, 7.0, "expected 3, got 7", ""),
    ("falling", "Falling ", "expected 'falling', got 'Falling '", "Capital letters"),
    ("falling", 3, "expected 'falling', got 3", ""),
    (True, 0.0, "expected True, got 0", ""),
    (None, 3, "expected None, got 3", ""),
    ((1.0, 2.0), 1.0, "expected 2 values, got a number", "comma"),
    ((1.0, 2.0), (1.0, 2.0, 3.0), "expected 2 values, got a tuple of 3 values", ""),
    ((1.0, 2.0), (2.0, 1.0), "value 1 of 2: expected 1, got 2", "in the other order"),
    (["up", "down"], ["up", "up"], "value 2 of 2: expected 'down', got 'up'", ""),
    ({"w": 1.0}, {"v": 1.0}, "with the keys ['w'], got", ""),
    ({"w": 1.0}, {"w": 2.0}, "w: expected 1, got 2", "2 times"),
])
def test_difference(expected, got, what, diagnosis):
    with np.errstate(all="ignore"):
        difference = differ(expected, got)
    assert what in difference.what
    assert diagnosis in difference.diagnosis if diagnosis else difference.diagnosis == ""


@pytest.mark.parametrize("factor, diagnosis", [
    (32, "32 times the expected one; 32 is the number of examples: is a mean missing?"),
    (-32, "32 times the expected one and has the wrong sign; 32 is"),
    (1 / 32, "1/32 of the expected one; 32 is the number of examples: is a mean too much?"),
    (5, "5 times the expected one; 5 is the length of an axis"),
    (2, "2 times the expected one.")])
@pytest.mark.parametrize("expected", [0.3, RIGHT])
def test_factor(factor, diagnosis, expected):
    assert diagnosis in differ(expected, expected * factor, sizes=[32, 32, 5]).diagnosis


def test_large_arrays_show_the_first_difference():
    right = np.arange(20.0).reshape(4, 5)
    wrong = right.copy()
    wrong[2, 3] = wrong[3, 0] = -1
    assert differ(right, wrong).what == "at index [2, 3] expected 13, got -1 (2 of 20 numbers differ)"


def test_endless_generator():
    with pytest.raises(ValueError, match="does not end"):
        plain(iter(int, 1))


def test_a_lying_repr_and_a_huge_one():
    class Liar:
        def __repr__(self):
            raise RuntimeError
    assert show(Liar()) == "a Liar"
    assert len(show("x" * 10_000)) == 80


def test_show():
    assert show(np.array([-2.0, 0.0, 3.14159])) == "[-2, 0, 3.142]"
    assert show(np.ones((30, 2))) == "an array of shape (30, 2)"
    assert show(np.array([-0.0])) == "[0]" and show(1234567) == "1234567"
    assert show(np.int64(3)) == "3" and show(np.float32(0.5)) == "0.5" and show(np.True_) == "True"
    assert show((4,)) == "(4,)" and show((4, 3)) == "(4, 3)"
    assert show(len) == "len" and show(lambda x: x) == "a function"
    assert show(np.random.default_rng(0)) == "a random generator"


def test_same():
    assert same((RIGHT, [1, np.nan], {"a": 2}), (RIGHT.copy(), [1, np.nan], {"a": 2}))
    assert not same(RIGHT, RIGHT + 1e-15)
    assert not same([RIGHT], [RIGHT, RIGHT]) and not same({"a": 1}, {"a": 2})
    assert not same(SimpleNamespace(data=RIGHT), SimpleNamespace(data=-RIGHT))


def test_an_axis_of_the_inputs_in_place_of_another():
    difference = differ(np.ones(7), np.ones(3), sizes=[7, 7, 3])
    assert difference.diagnosis.startswith("Each is the length of an axis of the inputs")
    assert differ(np.ones(7), np.ones(4), sizes=[7, 7, 3]).diagnosis == ""


def test_coroutines_are_told_apart():
    async def answer():
        return 1.0
    got = answer()
    difference = differ(1.0, got)
    got.close()
    assert difference == ("expected a number, got a coroutine", "Write `def` in place of `async def`.")


def test_what_things_are_called():
    class Élan:
        pass

    assert [kind(value) for value in (np, Élan(), Élan, len, "up", {"a": 1}, [1], (1, 2), 3, None, 2j, b"x")] == [
        "the module numpy", "a Élan", "a class", "a function", "the text 'up'", "a dict with the keys ['a']",
        "a list of 1 value", "a tuple of 2 values", "a number", "None", "2j", "b'x'"]
    assert form([(RIGHT, 1.0)]).endswith("1 value, the first a tuple of 2 values, the first an array of shape (2, 3)")
    assert form([]) == "a list of 0 values" and show(10**5000) == "a huge integer"
    assert listed(["an array", "an array", "1", "1", "a function"]) == "2 times an array, 1, 1, a function"
