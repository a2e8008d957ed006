"""Tuning: the search for hyper-parameters, on a grid or at random, from coarse to fine, on one core or on many."""

import inspect
import itertools
import math
import time
from dataclasses import dataclass

import numpy as np

from nnlib.arguments import require, whole_number
from nnlib.seeding import generator
from nnlib.training import interrupts_pass, progress_bar

__all__ = ["Results", "Trial", "choice", "grid_search", "integers", "log_uniform", "random_search", "refine", "uniform"]


class uniform:
    """Numbers from low to high, all equally likely.

    Raises TypeError for what is no number, ValueError for an infinite one or an empty range.
    """

    def __init__(self, low, high):
        name = type(self).__name__
        if not all(isinstance(end, (int, float, np.integer, np.floating)) for end in (low, high)):
            raise TypeError(f"{name}: expected two numbers but got {low!r} and {high!r}; for other things try choice")
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"{name}: expected finite numbers low < high but got {low} and {high}; to keep a value "
                             "fixed, try choice([value])")
        self.low, self.high = low, high

    def sample(self, rng):
        """One draw from the generator `rng`, a Python number."""
        return float(self._at(rng.uniform()))

    def grid(self, points):
        """List of `points` values, >= 1, from low to high in equal steps; the middle alone for one point."""
        return [float(self._at(share)) for share in (np.linspace(0, 1, points) if points > 1 else [0.5])]

    def narrowed(self, around, factor):
        """The same kind of range, `factor` times narrower and centered at `around`, cut off at the ends of this one."""
        middle, half = self._share(around), 0.5 / factor
        return type(self)(float(self._at(max(middle - half, 0))), float(self._at(min(middle + half, 1))))

    def _at(self, share):
        return self.low + share * (self.high - self.low)

    def _share(self, value):
        return (value - self.low) / (self.high - self.low)

    def __repr__(self):
        return f"{type(self).__name__}({self.low:.6g}, {self.high:.6g})"


class log_uniform(uniform):
    """Numbers from low to high, every order of magnitude equally likely: right for learning rates and penalties.

    From 1e-4 to 1, `uniform` would give nine draws in ten to the last of the four decades (deck C).
    Raises TypeError for what is no number, ValueError for low <= 0 or an empty range.
    """

    def __init__(self, low, high):
        super().__init__(low, high)
        if low <= 0:
            raise ValueError(f"log_uniform: expected low above 0, where there is a logarithm, but got {low}; try 1e-6")

    def _at(self, share):
        return self.low ** (1 - share) * self.high**share

    def _share(self, value):
        return math.log(value / self.low) / math.log(self.high / self.low)


class integers(uniform):
    """Whole numbers from low to high, both included, all equally likely.

    Raises TypeError for what is no whole number, ValueError for an empty range.
    """

    def __init__(self, low, high):
        if not all(isinstance(end, (int, np.integer)) for end in (low, high)):
            raise TypeError(f"integers: expected two whole numbers but got {low!r} and {high!r}; try uniform")
        super().__init__(low, high)

    def sample(self, rng):
        """One draw from the generator `rng`, a Python integer."""
        return int(rng.integers(self.low, self.high, endpoint=True))

    def grid(self, points):
        """List of at most `points` different values, from low to high in nearly equal steps."""
        return sorted({round(value) for value in super().grid(points)})

    def narrowed(self, around, factor):
        """As for `uniform`, in whole numbers; the neighbors of `around` always stay."""
        half = max((self.high - self.low) / (2 * factor), 1)
        return integers(max(round(around - half), self.low), min(round(around + half), self.high))


class choice:
    """One of several things of any kind, all equally likely. Raises ValueError when there is none."""

    def __init__(self, options):
        if not hasattr(options, "__iter__"):
            raise TypeError(f"choice: expected a list of options but got {options!r}; try choice([{options!r}])")
        self.options = list(options)
        if not self.options:
            raise ValueError("choice: expected at least one option but got none; try choice([16, 32, 64])")

    def sample(self, rng):
        """One of the options, drawn from the generator `rng`."""
        return self.options[rng.integers(len(self.options))]

    def grid(self, points):
        """All options, however many points are wanted."""
        return list(self.options)

    def narrowed(self, around, factor):
        """All options again: between them there is no nearer and no farther."""
        return self

    def __repr__(self):
        return f"choice({self.options})"


@dataclass(frozen=True)
class Trial:
    """One call objective(**parameters): what it scored, and how many seconds it took.

    A trial that failed says so in `error`; its score is nan, or infinite where that is what it answered.
    """

    number: int
    parameters: dict
    score: float
    seconds: float
    error: str | None = None

    def __repr__(self):
        values = ", ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value!r}"
                           for name, value in self.parameters.items())
        return f"trial {self.number}: {self.error or format(self.score, '.4g')}  ({values})"


class Results(list):
    """The trials of a search, the best first, those that failed last."""

    def __init__(self, trials, minimize=True):
        sign = 1 if minimize else -1
        super().__init__(sorted(trials, key=lambda t: (bool(t.error), 0 if t.error else sign * t.score, t.number)))

    @property
    def best(self):
        """The best trial. Raises ValueError when all have failed."""
        if not self or self[0].error is not None:
            raise ValueError(f"all {len(self)} trials failed; " + (f"the first with {self[0].error}" if self else ""))
        return self[0]

    def rows(self):
        """A list of dicts, one per trial, ready for a table: number, the parameters, score, seconds, error."""
        return [{"number": t.number, **t.parameters, "score": t.score, "seconds": t.seconds, "error": t.error}
                for t in self]

    def __repr__(self):
        failed = sum(t.error is not None for t in self)
        head = f"Results: {len(self)} trials" + (f", {failed} failed" if failed else "")
        return "\n  ".join([head, *map(repr, self[:5]), *(["..."] if len(self) > 5 else [])])


def random_search(objective, space, trials=20, *, seed=None, minimize=True, jobs=1, progress=True):
    """Try parameters drawn at random: no two trials share a value of what matters most (Bergstra and Bengio, 2012).

    Args:
        objective: objective(**parameters) -> a number, the score. If it has a parameter `seed` that is not in the
            space, it gets an integer of its own in every trial, for the weights and for `fit`; `parameters` keeps it.
        space: dict from name to log_uniform, uniform, integers or choice (or a list of options).
        trials: how many, >= 1.   seed: an integer, a Generator, or None for the library's own generator.
        minimize: whether the lowest score is best (a loss), or the highest (an accuracy).
        jobs: processes at a time, -1 for all cores.   progress: show a bar.
    Returns Results. A trial that raises, or whose score is not finite, counts as worst and keeps its error. Parameters
    and seeds of trial i depend on `seed` and i alone, not on `jobs`. Ctrl-C ends the search with what is done.

    Several jobs run through joblib on the backend of its context, so a cluster needs no more than
    `with joblib.parallel_config(backend="dask"): random_search(..., jobs=-1)`.
    """
    trials = whole_number("random_search", "trials", trials)
    space = _distributions("random_search", space)
    rngs = [np.random.default_rng(child) for child in _seeds(seed, trials)]
    candidates = [{name: distribution.sample(rng) for name, distribution in space.items()} for rng in rngs]
    return _search(objective, candidates, rngs, minimize, jobs, progress)


def grid_search(objective, space, points=5, *, seed=None, minimize=True, jobs=1, progress=True):
    """Try every combination of values from a grid. Returns Results.

    Args: space: dict from name to a list of values, or a distribution, which then gives `points` values from end to end
        (at most; a choice gives all).   The others: as of `random_search`.
    """
    points = whole_number("grid_search", "points", points)
    columns = [distribution.grid(points) for distribution in _distributions("grid_search", space).values()]
    candidates = [dict(zip(space, values)) for values in itertools.product(*columns)]
    rngs = [np.random.default_rng(child) for child in _seeds(seed, len(candidates))]
    return _search(objective, candidates, rngs, minimize, jobs, progress)


def refine(space, results, factor=4):
    """From coarse to fine: the same space, each range `factor` times narrower around the best trial (deck C).

    Args: space: as of the search that gave `results`.   factor: > 1; measured in decades for log_uniform.
    Raises ValueError for another factor, or when every trial failed.
    """
    require("refine", lambda factor: 1 < factor < math.inf, "a finite factor above 1", factor, "try 4")
    if not isinstance(results, Results):
        raise TypeError(f"refine: expected the Results of a search but got {type(results).__name__}; "
                        "try refine(space, random_search(objective, space))")
    space, best = _distributions("refine", space), results.best.parameters
    if unknown := space.keys() - best.keys():
        raise ValueError("refine: expected the space of that search but its trials have no "
                         f"{', '.join(sorted(unknown))}; pass the same space again")
    return {name: distribution.narrowed(best[name], factor) for name, distribution in space.items()}


def _seeds(seed, trials):
    """One seed for each trial, a function of `seed` and the number of the trial alone."""
    return np.random.SeedSequence(int(generator(seed).integers(2**63))).spawn(trials)


def _distributions(function, space):
    """The space with every list made a choice."""
    if not isinstance(space, dict) or not space:
        raise TypeError(f'{function}: expected a dict such as {{"lr": log_uniform(1e-4, 1)}} but got {space!r}')
    space = {name: choice(entry) if isinstance(entry, (list, tuple, np.ndarray)) else entry
             for name, entry in space.items()}
    for name, entry in space.items():
        if not isinstance(entry, (uniform, choice)):
            raise TypeError(f"{function}: expected a distribution or a list for {name!r} but got {entry!r}; to keep a "
                            "value fixed, try choice([value])")
    return space


def _search(objective, candidates, rngs, minimize, jobs, progress):
    """Run the objective on all candidates, here or through joblib."""
    if "seed" not in candidates[0] and _takes_seed(objective):
        candidates = [{**candidate, "seed": int(rng.integers(2**31))} for candidate, rng in zip(candidates, rngs)]
    done, passing = [], interrupts_pass.set(True)
    try:
        with progress_bar(progress, len(candidates)) as tick:
            for trial in _trials(objective, candidates, jobs):
                done.append(trial)
                tick(f"best {Results(done, minimize)[0].score:.4g}")
    except KeyboardInterrupt:
        pass
    finally:
        interrupts_pass.reset(passing)
    return Results(done, minimize)


def _takes_seed(objective):
    try:
        return "seed" in inspect.signature(objective).parameters
    except ValueError:  # some functions written in C do not tell
        return False


def _trials(objective, candidates, jobs):
    """The trials as they are done, in any order."""
    if jobs == 1:
        return (_try(objective, *numbered) for numbered in enumerate(candidates))
    from joblib import Parallel, delayed
    calls = [delayed(_try)(objective, *numbered) for numbered in enumerate(candidates)]
    try:
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    except ValueError:  # a backend that can only give all results at once
        parallel = Parallel(n_jobs=jobs)
    return parallel(calls)


def _try(objective, number, parameters):
    """One trial; what goes wrong in it is kept, and kills no search."""
    started, score, error = time.perf_counter(), math.nan, None
    try:
        score = float(objective(**parameters))
        error = None if math.isfinite(score) else f"the score is {score}"
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    return Trial(number, parameters, score, time.perf_counter() - started, error)
