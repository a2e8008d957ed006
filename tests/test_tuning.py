"""Searches: what is drawn, that a seed repeats it whatever the number of jobs, and that no trial kills a search."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import seeds

from nnlib import SGD, Linear, fit, manual_seed
from nnlib.datasets import make_blobs
from nnlib.tuning import Results, Trial, choice, grid_search, integers, log_uniform, random_search, refine, uniform

SPACE = {"lr": log_uniform(1e-5, 1), "width": integers(4, 64), "p": uniform(0, 0.5), "act": choice(["relu", "tanh"])}


def bowl(lr, width=32, p=0.2, act="relu"):
    """Lowest, 0, at lr 0.01, width 32, p 0.2 and relu."""
    return (math.log10(lr) + 2) ** 2 + ((width - 32) / 32) ** 2 + (p - 0.2) ** 2 + (act == "tanh")


def search(objective=bowl, space=SPACE, trials=20, **options):
    return random_search(objective, space, trials, **{"seed": 0, "progress": False, **options})


def told(results):
    """All of the trials except the seconds."""
    return [(t.number, t.parameters, t.score, t.error) for t in results]


# Distributions.

def test_log_uniform_gives_every_decade_the_same_share():
    rng = np.random.default_rng(0)
    draws = np.array([log_uniform(1e-4, 1).sample(rng) for _ in range(8000)])
    assert draws.min() >= 1e-4 and draws.max() <= 1
    counts, _ = np.histogram(np.log10(draws), bins=4, range=(-4, 0))
    np.testing.assert_allclose(counts / 8000, 0.25, atol=0.02)


def test_uniform_and_integers_and_choice_give_all_the_same_share():
    rng = np.random.default_rng(0)
    counts, _ = np.histogram([uniform(-2, 2).sample(rng) for _ in range(8000)], bins=4, range=(-2, 2))
    np.testing.assert_allclose(counts / 8000, 0.25, atol=0.02)
    for distribution in (integers(-1, 2), choice("abcd")):
        drawn = [distribution.sample(rng) for _ in range(8000)]
        assert sorted(set(drawn)) == ([-1, 0, 1, 2] if isinstance(drawn[0], int) else list("abcd"))
        np.testing.assert_allclose([drawn.count(x) / 8000 for x in set(drawn)], 0.25, atol=0.02)


def test_samples_are_pythons_own_numbers():
    rng = np.random.default_rng(0)
    assert type(uniform(np.float32(0), 1).sample(rng)) is type(log_uniform(1, 2).sample(rng)) is float
    assert type(integers(np.int64(1), 9).sample(rng)) is int
    assert choice([None, relu := print]).sample(rng) in (None, relu)


def test_grids():
    np.testing.assert_allclose(log_uniform(1e-4, 1).grid(5), [1e-4, 1e-3, 1e-2, 1e-1, 1], rtol=1e-12)
    assert log_uniform(1e-4, 1).grid(1) == pytest.approx([1e-2]) and uniform(0, 4).grid(1) == [2]
    assert uniform(0, 1).grid(3) == [0, 0.5, 1]
    assert integers(1, 9).grid(3) == [1, 5, 9] and integers(1, 3).grid(10) == [1, 2, 3]
    assert choice("ab").grid(7) == ["a", "b"]


def test_narrowed_ranges():
    fine = log_uniform(1e-4, 1).narrowed(1e-2, 4)
    assert (fine.low, fine.high) == pytest.approx((10**-2.5, 10**-1.5)) and type(fine) is log_uniform
    edge = log_uniform(1e-4, 1).narrowed(1, 2)
    assert (edge.low, edge.high) == pytest.approx((0.1, 1))
    fine = uniform(0, 8).narrowed(1, 2)
    assert (fine.low, fine.high) == (0, 3)
    fine = integers(1, 9).narrowed(5, 2)
    assert (fine.low, fine.high) == (3, 7)
    fine = integers(1, 9).narrowed(9, 100)
    assert (fine.low, fine.high) == (8, 9)
    options = choice("ab")
    assert options.narrowed("a", 2) is options


@settings(max_examples=30)
@given(seed=seeds, factor=st.floats(1.01, 100))
def test_narrowed_ranges_lie_within_and_hold_the_best(seed, factor):
    rng = np.random.default_rng(seed)
    for wide in SPACE.values():
        if isinstance(wide, choice):
            continue
        best = wide.sample(rng)
        fine = wide.narrowed(best, factor)
        slack = 1e-12 * wide.high
        assert wide.low - slack <= fine.low <= best + slack and best - slack <= fine.high <= wide.high + slack
        assert all(fine.low - slack <= fine.sample(rng) <= fine.high + slack for _ in range(5))


@pytest.mark.parametrize(("make", "error", "sentence"), [
    (lambda: log_uniform(0, 1), ValueError, "log_uniform: expected low above 0, .* but got 0; try 1e-6"),
    (lambda: log_uniform(-1, 1), ValueError, "low above 0, .* but got -1"),
    (lambda: log_uniform(1, 0.1), ValueError, "log_uniform: expected finite numbers low < high but got 1 and 0.1"),
    (lambda: uniform(2, 2), ValueError, r"uniform: .* got 2 and 2; to keep a value fixed, try choice\(\[value\]\)"),
    (lambda: uniform(0, math.inf), ValueError, "finite numbers"), (lambda: uniform(math.nan, 1), ValueError, "finite"),
    (lambda: uniform("a", "b"), TypeError, "uniform: expected two numbers but got 'a' and 'b'; .* try choice"),
    (lambda: integers(1, 2.5), TypeError, "integers: expected two whole numbers but got 1 and 2.5; try uniform"),
    (lambda: integers(3, 2), ValueError, "integers: .* got 3 and 2"),
    (lambda: choice([]), ValueError, "choice: expected at least one option"),
    (lambda: search(space={}), TypeError, r'random_search: expected a dict such as \{"lr": log_uniform'),
    (lambda: search(space=[1]), TypeError, r"but got \[1\]"),
    (lambda: search(space={"lr": 0.1}), TypeError, r"a distribution or a list for 'lr' but got 0.1; .*choice"),
    (lambda: search(trials=0), ValueError, "random_search: expected trials to be at least 1 but got 0"),
    (lambda: grid_search(bowl, SPACE, points=1.5), TypeError, "grid_search: expected points .* 1.5"),
    (lambda: refine(SPACE, search(), factor=1), ValueError, "refine: expected a finite factor above 1 but got 1"),
    (lambda: refine(SPACE, search(), factor=math.nan), ValueError, "got nan"),
    (lambda: Results([]).best, ValueError, "all 0 trials failed"),
])
def test_refused(make, error, sentence):
    with pytest.raises(error, match=sentence):
        make()


# Searches.

def test_the_best_come_first():
    low, high = search(), search(minimize=False)
    scores = [t.score for t in low]
    assert scores == sorted(scores) and [t.score for t in high] == scores[::-1]
    assert low.best is low[0] and low.best.score == bowl(**low.best.parameters) and low.best.error is None
    assert sorted(t.number for t in low) == list(range(20))


def test_the_same_trials_whatever_the_number_of_jobs_and_of_trials():
    joblib = pytest.importorskip("joblib")
    alone = told(search())
    with joblib.parallel_config(backend="threading"):
        assert told(search(jobs=2)) == alone
    few = sorted(told(search(trials=5)))
    assert few == sorted(alone)[:5]
    assert told(search(seed=1)) != alone and told(search(seed=np.random.default_rng(0))) == alone
    manual_seed(4)
    first = told(search(seed=None))
    manual_seed(4)
    assert told(search(seed=None)) == first != told(search(seed=None))


def test_processes_take_closures():
    pytest.importorskip("joblib")
    shift = 3.0

    def objective(x, seed):
        if x > 0.9:
            raise RuntimeError("too far")
        return (x - shift) ** 2 + seed

    space = {"x": uniform(0, 1)}
    assert told(search(objective, space, 30, jobs=2))[0] == told(search(objective, space, 30))[0]


def test_a_backend_that_gives_all_results_at_once(monkeypatch):
    joblib = pytest.importorskip("joblib")
    monkeypatch.setattr(joblib._parallel_backends.ThreadingBackend, "supports_return_generator", False)
    with joblib.parallel_config(backend="threading"):
        assert told(search(jobs=2)) == told(search())


def test_trials_that_fail_are_worst_and_keep_their_error():
    def objective(x):
        if x == 1:
            raise RuntimeError("no such width")
        return {2: math.nan, 3: math.inf, 4: -math.inf, 5: None}.get(x, x)

    for minimize in (True, False):
        results = grid_search(objective, {"x": range_list(8)}, minimize=minimize, progress=False)
        good = [0, 6, 7] if minimize else [7, 6, 0]
        assert [t.parameters["x"] for t in results] == [*good, 1, 2, 3, 4, 5]
        errors = [t.error for t in results[3:]]
        assert errors[0] == "RuntimeError: no such width" and errors[1:4] == ["the score is nan", "the score is inf",
                                                                              "the score is -inf"]
        assert errors[4].startswith("TypeError") and math.isnan(results[-1].score)
    assert repr(results).startswith("Results: 8 trials, 5 failed\n  trial 7: 7  (x=7)\n")
    assert "trial 1: RuntimeError: no such width  (x=1)" in repr(results)
    with pytest.raises(ValueError, match="all 2 trials failed; the first with RuntimeError: no such width"):
        _ = grid_search(objective, {"x": [1, 2]}, progress=False).best


def range_list(n):
    return list(range(n))


def test_an_error_without_words_counts_as_an_error():
    def objective(x):
        raise ValueError

    assert grid_search(objective, {"x": [1]}, progress=False)[0].error == "ValueError: "


def test_the_grid_holds_every_combination():
    results = grid_search(bowl, {"lr": log_uniform(1e-3, 1e-1), "width": [16, 32], "act": ("relu", "tanh")}, 3,
                          progress=False)
    assert len({tuple(t.parameters.values()) for t in results}) == len(results) == 3 * 2 * 2
    assert results.best.parameters == {"lr": pytest.approx(0.01), "width": 32, "act": "relu"}
    rows = results.rows()
    assert list(rows[0]) == ["number", "lr", "width", "act", "score", "seconds", "error"] and rows[0]["seconds"] >= 0


def test_from_coarse_to_fine():
    coarse = search(trials=15)
    fine = search(space=refine(SPACE, coarse), trials=15, seed=1)
    finest = search(space=refine(refine(SPACE, coarse), fine, factor=3), trials=15, seed=2)
    assert finest.best.score < coarse.best.score / 2 and finest.best.score < 0.1


def test_refine_narrows_every_range_by_the_factor_around_the_best():
    results = search()
    for factor, space in ((4, refine(SPACE, results)), (10, refine(SPACE, results, 10))):
        expected = {name: wide.narrowed(results.best.parameters[name], factor) for name, wide in SPACE.items()}
        assert repr(space) == repr(expected) and list(space) == list(SPACE)


def test_equal_scores_are_told_in_the_order_of_the_trials():
    trials = [Trial(number, {}, 1.0, 0.0, error) for number in (3, 1, 2, 0) for error in (None, "lost")]
    assert [(t.number, t.error) for t in Results(trials)] == [(n, e) for e in (None, "lost") for n in range(4)]


def test_each_trial_gets_its_own_seed_and_can_be_repeated():
    given = []

    def objective(x, seed):
        given.append(seed)
        return np.random.default_rng(seed).random()

    results = search(objective, {"x": [1]}, 10)
    assert len(set(given)) == 10 and all(isinstance(s, int) for s in given)
    assert objective(**results.best.parameters) == results.best.score
    mine = search(objective, {"x": [1], "seed": [5]}, 3)
    assert [t.parameters["seed"] for t in mine] == [5] * 3
    assert len({s["seed"] for s in grid_search(objective, {"x": [1, 2, 3]}, seed=0, progress=False).rows()}) == 3


def test_an_objective_that_does_not_tell_its_parameters():
    results = search(dict, {"x": [1]}, 2)
    assert all(t.error.startswith("TypeError") and t.parameters == {"x": 1} for t in results)


def test_ctrl_c_ends_the_search_with_what_is_done_also_from_within_fit():
    def objective(x):
        if x == 3:
            raise KeyboardInterrupt
        return x

    assert [t.parameters["x"] for t in grid_search(objective, {"x": range_list(9)}, progress=False)] == [0, 1, 2]
    runs = []

    def interrupted(model, history):
        raise KeyboardInterrupt

    def train(x):
        model = Linear(2, 2, rng=0)
        runs.append(x)
        fit(model, make_blobs(20), optimizer=SGD(model.parameters(), lr=0.1), epochs=1, progress=False,
            callbacks=[interrupted] if x == 1 else [])
        return x

    assert len(grid_search(train, {"x": [0, 1, 2]}, progress=False)) == 1 and runs == [0, 1]
    train(1)  # after the search, fit again takes Ctrl-C for the end of its run


def test_a_run_that_diverges_is_worst():
    def objective(lr, seed):
        model = Linear(2, 2, rng=seed)
        history = fit(model, make_blobs(40, seed=0), optimizer=SGD(model.parameters(), lr=lr), epochs=2, seed=seed,
                      batch_size=10, on_divergence="stop", progress=False)
        return history.loss[-1]

    results = grid_search(objective, {"lr": [1e38, 0.1]}, seed=0, progress=False)
    assert results.best.parameters["lr"] == 0.1 and results[1].error == "the score is nan"


def test_the_bar_shows_the_best(capsys):
    pytest.importorskip("tqdm")
    results = search(trials=3, progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and "3/3" in shown.err and f"best {results.best.score:.4g}" in shown.err
    search(trials=3)
    assert capsys.readouterr() == ("", "")


def test_in_print():
    assert repr(log_uniform(1e-4, 1)) == "log_uniform(0.0001, 1)" and repr(choice("ab")) == "choice(['a', 'b'])"
    trial = Trial(3, {"lr": 0.012345678, "act": "relu"}, 0.98765, 0.1)
    assert repr(trial) == "trial 3: 0.9877  (lr=0.01235, act='relu')"
    text = repr(Results([trial] * 7))
    assert text.startswith("Results: 7 trials\n  trial 3") and text.endswith("\n  ...") and text.count("trial 3") == 5
