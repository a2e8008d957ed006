"""The course's own answer is no answer: find out whether an answer calls what it is to write itself.

Names are dotted text, such as "nnlib.sigmoid" or "scipy.special.expit" (`Exercise.forbidden_names()` lists them): plain
data, of use in a process that knows no question. Two ways find them:

`poisoned(names)` watches: inside it a forbidden function notes that it was called and raises Forbidden, by whatever
way and under whatever name it was reached. What is compiled (a ufunc of SciPy) is replaced in its module only.
`forbidden_in(answer, names)` reads: the answer, what its code refers to, and the same of all helpers that the learner
wrote. To be asked after the answer has run, since only what is imported by then is looked at.

A call that was noted is handed on as an Outcome with raised "Forbidden" and the name as its message; `examine` makes 0
points of it. This module imports nothing that knows a question, so that a process without them can load it.
"""

import contextlib
import dis
import functools
import inspect
import sys
import types
from contextlib import contextmanager
from itertools import islice

from nnlib.grading.guard import is_learners

ANSWERS = "nnlib.grading.checks"  # whatever comes from there is the course's own answer
OURS = "nnlib", "nnlib.architecture", "nnlib.datasets", "nnlib.initializers", "nnlib.tuning", "nnlib.Tensor"
MOST = 2000  # objects to look at: more than any answer refers to
MOST_ITEMS = 50  # of a list or dict
UNKNOWN = object()


class Forbidden(RuntimeError):
    """A forbidden function was called."""


def sentence(name):
    """What a learner reads about the forbidden `name`."""
    if name == ANSWERS:
        return "It takes its answer from the course's own checks. Write it yourself, with the hints below the question."
    return (f"It calls {name}, which does what you are to write here. Build it from simpler functions; {name} is good "
            "to compare with, in a cell of its own.")


def own_names(name, reference):
    """Dotted names of nnlib's own answers to the question `name`: what is so called, and the reference.

    To a question for a method of a learner's class, "Value.backward", also the method of Tensor so called.
    """
    found, (_, dot, method) = {}, name.rpartition(".")
    names = [f"{place}.{name}" for place in OURS]
    names += [f"nnlib.Tensor.{method}"] * bool(dot and method in vars(resolve("nnlib.Tensor") or object))
    for dotted in names:
        thing = resolve(dotted)
        if callable(thing):
            found.setdefault(id(thing), dotted)
    module = str(getattr(reference, "__module__", ""))
    if callable(reference) and module.startswith("nnlib.") and not module.startswith("nnlib.grading"):
        flat = f"nnlib.{reference.__qualname__}"
        found.setdefault(id(reference), flat if resolve(flat) is reference else f"{module}.{reference.__qualname__}")
    return list(found.values())


def resolve(dotted):
    """The object of a dotted name; None where there is none, or its module is not imported."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        module = sys.modules.get(".".join(parts[:cut]))
        if module is not None:
            with contextlib.suppress(Exception):
                return functools.reduce(getattr, parts[cut:], module)
    return None


@contextmanager
def poisoned(names):
    """Forbid the functions and classes of these dotted names in the block; yields a list of those that were called."""
    called, undo = [], []
    try:
        for name in names:
            thing = resolve(name)
            if thing is not None:
                undo.append(_poison(thing, name, functools.partial(_refuse, name, called)))
        yield called
    finally:
        for restore in reversed(undo):
            restore()


def _refuse(forbidden_name, called, /, *args, **options):
    called.append(forbidden_name)
    raise Forbidden(sentence(forbidden_name))


def _poison(thing, name, refuse):
    """Let `thing` call `refuse` in place of what it does; returns the function that undoes it."""
    if isinstance(thing, types.FunctionType):  # its code, so that every alias of it refuses
        code = thing.__code__
        thing.__code__ = _code_calling(refuse, len(code.co_freevars))
        return lambda: setattr(thing, "__code__", code)
    place, attribute = (thing, "__init__") if isinstance(thing, type) else (resolve(name.rpartition(".")[0]),
                                                                            name.rpartition(".")[2])
    had, before = attribute in vars(place), vars(place).get(attribute)
    with contextlib.suppress(TypeError):  # a compiled class cannot be changed
        setattr(place, attribute, staticmethod(refuse) if isinstance(place, type) else refuse)
        return lambda: setattr(place, attribute, before) if had else delattr(place, attribute)
    return lambda: None


def _code_calling(refuse, count):
    """Code with `count` free variables that calls refuse(*args, **options)."""
    cells = "".join(f"_{i}, " for i in range(count))
    lines = [f"def outer({cells}):", " def inner(*args, **options):", f"  {cells or None}",
             "  refuse = 'refuse'", "  return refuse(*args, **options)", " return inner"]
    names = {}
    exec("\n".join(lines), names)
    code = names["outer"](*[None] * count).__code__
    return code.replace(co_consts=tuple(refuse if each == "refuse" else each for each in code.co_consts))


def forbidden_in(answer, names):
    """The first of `names` that `answer`, or a helper of it, is or refers to; None where there is none.

    ANSWERS, in place of a name, where something comes from the checks themselves.
    """
    seen, line = {}, [answer]
    while line and len(seen) < MOST:
        thing = line.pop(0)
        if id(thing) not in seen:
            seen[id(thing)] = thing  # held, so that no other object takes its id
            with contextlib.suppress(Exception):
                line += _parts(thing, first=thing is answer)
    if any(map(_is_of_the_checks, seen.values())):
        return ANSWERS
    return next((name for name in names if (found := resolve(name)) is not None and (
        id(found) in seen or any(_is_copy(thing, found, name) for thing in seen.values()))), None)


def _is_copy(thing, found, name):
    """True for a function made anew from the code of `found`, and for a ufunc that is called as it is."""
    if issubclass(type(thing), types.FunctionType) and issubclass(type(found), types.FunctionType):
        with contextlib.suppress(Exception):  # __wrapped__ may be anything
            return inspect.unwrap(thing).__code__ == inspect.unwrap(found).__code__
    return type(thing).__name__ == type(found).__name__ == "ufunc" and thing.__name__ == name.rpartition(".")[2]


def _is_of_the_checks(thing):
    if issubclass(type(thing), types.ModuleType):
        return f"{vars(thing).get('__name__')}.".startswith(f"{ANSWERS}.")
    return issubclass(type(thing), (types.FunctionType, type)) and f"{thing.__module__}.".startswith(f"{ANSWERS}.")


def _parts(thing, first):
    """What `thing` refers to, as far as a learner wrote it or wrapped something in it."""
    kind = type(thing)
    if issubclass(kind, types.FunctionType):
        if not (first or _is_learners(thing)):  # a library's; only what its module does not know may be a copy
            known = resolve(f"{thing.__module__}.{thing.__qualname__}") is thing
            return [] if known else [cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell)]
        cells = zip(thing.__code__.co_freevars, thing.__closure__ or ())
        closure = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
        names = {**_builtins(thing.__globals__), **thing.__globals__}
        return [*closure.values(), *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values(),
                vars(thing).get("__wrapped__"), *_named(thing.__code__, names, closure)]
    if issubclass(kind, (list, tuple, set, frozenset, dict)):
        return list(islice(thing.values() if issubclass(kind, dict) else thing, MOST_ITEMS))
    if issubclass(kind, types.MethodType):
        return [thing.__func__, thing.__self__]
    if issubclass(kind, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if issubclass(kind, (staticmethod, classmethod)):
        return [thing.__func__]
    if issubclass(kind, property):
        return [thing.fget]
    if issubclass(kind, type):
        return [*thing.__mro__, *vars(thing).values()] if first or _is_learners(thing) else []
    if issubclass(kind, types.ModuleType) or not hasattr(thing, "__dict__"):
        return []
    inside = vars(thing)
    wrapped = [inside.get(name) for name in ("pyfunc", "__wrapped__")]  # np.vectorize, functools.lru_cache
    return [*wrapped, kind, *inside.values()] if first or _is_learners(kind) else wrapped


def _is_filled(cell):
    try:
        return cell.cell_contents is not UNKNOWN
    except ValueError:
        return False


def _is_learners(thing):
    """True for a function that a learner wrote, and for a class with such a method."""
    if issubclass(type(thing), type):
        methods = vars(thing).values()
        return any(isinstance(method, types.FunctionType) and _is_learners(method) for method in methods)
    return is_learners(thing.__code__.co_filename)


def _builtins(names):
    builtins = names.get("__builtins__", {})
    return vars(builtins) if isinstance(builtins, types.ModuleType) else builtins


def _named(code, names, local):
    """The objects that `code` refers to: globals, what modules and classes hold, imports, getattr by text.

    names, local: {name: object} outside of it. Its own variables are followed in one reading from top to bottom.
    """
    found, local, value, module = [], dict(local), UNKNOWN, None
    for step in dis.get_instructions(code):
        what, name, before, value = step.opname, step.argval, value, UNKNOWN
        if what in ("LOAD_GLOBAL", "LOAD_NAME"):
            value = names.get(name, UNKNOWN)
        elif what == "IMPORT_NAME":
            value = module = sys.modules.get(name if isinstance(before, tuple) else name.split(".")[0])
        elif what == "IMPORT_FROM":
            value = _member(module, name)
        elif what in ("LOAD_ATTR", "LOAD_METHOD"):
            value = _member(before, name)
        elif what == "LOAD_CONST" and isinstance(name, types.CodeType):
            found += _named(name, names, local)
        elif what == "LOAD_CONST":
            value = _member(before, name) if isinstance(name, str) else name  # getattr(nnlib, "sigmoid")
        elif what.startswith(("STORE_FAST", "STORE_DEREF", "LOAD_FAST", "LOAD_DEREF")):
            first, last = name if isinstance(name, tuple) else (name, name)
            if what.startswith("STORE"):
                local[first] = before
            if "LOAD" in what:
                value = local.get(last, UNKNOWN)
        elif what in ("PUSH_NULL", "COPY", "SWAP", "POP_TOP"):
            value = before
        found.append(value)
    return found


def _member(place, name):
    """What a module or class holds under `name`."""
    with contextlib.suppress(Exception):
        if issubclass(type(place), (types.ModuleType, type)):
            return getattr(place, name, UNKNOWN)
    return UNKNOWN
