"""Where random numbers come from: one generator for the library, or the one that a call names."""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from nnlib.arguments import whole_number

__all__ = ["generator", "manual_seed"]

_of_the_library = np.random.default_rng()
_of_the_run = ContextVar("of_the_run", default=None)  # one for each thread: runs side by side draw from their own


def manual_seed(seed):
    """Start the library's own generator anew, so that what follows (initial weights, dropout) can be repeated.

    Args: seed: an integer >= 0.   NumPy's global state is neither used nor changed.
    """
    global _of_the_library
    _of_the_library = np.random.default_rng(whole_number("manual_seed", "seed", seed, least=0))


@contextmanager
def drawing_from(rng):
    """Within, the Generator `rng` takes the place of the library's own: one seed repeats a whole training run."""
    token = _of_the_run.set(rng)
    try:
        yield
    finally:
        _of_the_run.reset(token)


def generator(rng=None):
    """A np.random.Generator: `rng` itself, one made from an integer seed, or the library's own for None.

    Raises TypeError for anything else, ValueError for a negative seed.
    """
    if rng is None:
        return _of_the_run.get() or _of_the_library
    if isinstance(rng, (int, np.integer)):
        rng = whole_number("rng", "the seed", rng, least=0)
    if isinstance(rng, (np.random.Generator, int, np.random.SeedSequence)):
        return np.random.default_rng(rng)
    raise TypeError(f"rng: expected a np.random.Generator, an integer seed or None but got {type(rng).__name__}")
