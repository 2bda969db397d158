"""Intervals of what controllers are compared by."""

import numpy as np
import pytest

from bench.edge_simulation import bootstrap


def test_an_interval_of_paired_runs_is_narrow_where_only_the_runs_differ_by_much() -> None:
    runs = np.random.default_rng(0).uniform(5, 50, 64)
    less = bootstrap(runs + 1, runs)
    assert (less["value"], less["low"], less["high"]) == (
        pytest.approx(1),
        pytest.approx(1),
        pytest.approx(1),
    )
    share = bootstrap(0.9 * runs, runs, ratio=True)
    assert (share["value"], share["low"], share["high"]) == (
        pytest.approx(0.9),
        pytest.approx(0.9),
        pytest.approx(0.9),
    )
    noisy = bootstrap(runs + np.random.default_rng(1).normal(0.0, 1.0, 64), runs)
    assert noisy["low"] < 0 < noisy["high"]
