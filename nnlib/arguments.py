"""Checks of arguments that many parts share. Their sentences begin with the caller: a name, or an object's class."""

import numpy as np

__all__ = []


def _name(caller):
    return caller if isinstance(caller, str) else type(caller).__name__


def whole_number(caller, name, value, least=1):
    """`value`, once it is found to be an integer of at least `least`, as one of Python.

    Raises TypeError for another kind of thing, ValueError for a smaller number.
    """
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{_name(caller)}: expected {name} to be an integer but got {value!r}; a quotient of integers "
                        "is written n // 2")
    if value < least:
        raise ValueError(f"{_name(caller)}: expected {name} to be at least {least} but got {value}")
    return int(value)


def per_axis(caller, name, value, axes, least=1):
    """A whole number for each of `axes` axes, as a tuple: `value` is one for all, or has one for each.

    Raises as `whole_number`, and ValueError for another number of them.
    """
    values = tuple(value) if np.ndim(value) else (value,) * axes
    if len(values) != axes:
        raise ValueError(f"{_name(caller)}: expected {name} to be a number, or one for each of {axes} axes, but got "
                         f"{value}")
    return tuple(whole_number(caller, name, v, least) for v in values)


def require(caller, holds, expected, value, hint):
    """Raise ValueError, in a sentence, unless `holds(value)`; TypeError where that cannot be asked, as of a string."""
    sentence = f"{_name(caller)}: expected {expected} but got {value!r}; {hint}"
    try:
        fine = bool(holds(value))
    except (TypeError, ValueError):
        raise TypeError(sentence) from None
    if not fine:
        raise ValueError(sentence)


def probability(caller, name, value):
    """`value`, once it is found to be a number in [0, 1]. Raises TypeError for what is none, ValueError outside."""
    require(caller, lambda p: 0 <= p <= 1, f"{name} to be a probability in [0, 1]", value, "try 0.5")
    return float(value)
