"""On real images the library must reach what the course promises."""

import numpy as np
import pytest


def test_a_convolutional_network_reads_the_digits():
    """The mean of three seeds. One thread for BLAS: on matrices this small, two that share busy cores only wait."""
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    from benchmarks.real_data import DIGITS_GOAL, digits_accuracy
    from threadpoolctl import threadpool_limits
    with threadpool_limits(1):
        accuracies = [digits_accuracy(seed) for seed in range(3)]
    assert np.mean(accuracies) >= DIGITS_GOAL, accuracies
