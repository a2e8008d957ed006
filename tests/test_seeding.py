"""Where random numbers come from."""

import threading

import numpy as np
import pytest

from nnlib import dropout, generator, manual_seed
from nnlib.seeding import drawing_from


def test_a_seed_repeats_what_follows_and_leaves_numpy_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002  (that it is left alone is what is tested)
    manual_seed(3)
    first = generator().random(4), dropout(np.ones(50))
    manual_seed(3)
    second = generator().random(4), dropout(np.ones(50))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], generator().random(4))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_a_generator_goes_on_and_a_number_begins_anew():
    rng = np.random.default_rng(5)
    assert generator(rng) is rng
    expected = np.random.default_rng(5).random()
    assert generator(5).random() == generator(np.int64(5)).random() == expected


@pytest.mark.parametrize("seed", ["5", 0.5, [1], np.random])
def test_what_is_no_source_of_random_numbers(seed):
    with pytest.raises(TypeError, match="expected a np.random.Generator, an integer seed or None but got"):
        generator(seed)


def test_a_run_draws_from_its_own_generator_in_its_own_thread():
    own, seen = np.random.default_rng(1), []
    with drawing_from(own):
        assert generator() is own
        thread = threading.Thread(target=lambda: seen.append(generator()))
        thread.start()
        thread.join()
        with pytest.raises(ZeroDivisionError), drawing_from(np.random.default_rng(2)):
            raise ZeroDivisionError
        assert generator() is own
    assert generator() is not own and seen[0] is generator()
