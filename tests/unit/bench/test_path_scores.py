"""Scores of courses, on cases small enough to reckon by hand."""

import numpy as np
import pytest

from bench.path_scores import score_energy, score_variogram

EVEN = np.array([0.5, 0.5])


def test_one_course_scores_its_distance() -> None:
    # √(3² + 4²) = 5.
    assert score_energy(np.array([[3.0, 4.0]]), np.ones(1), np.zeros(2)) == pytest.approx(5)


def test_two_courses_are_credited_for_lying_apart() -> None:
    # Either lies 1 from what happened, and 2 from the other: 1 − ½ · ½ · 2 = ½.
    assert score_energy(np.array([[1.0], [-1.0]]), EVEN, np.zeros(1)) == pytest.approx(0.5)


def test_courses_that_vary_as_what_happened_did_score_nothing() -> None:
    actual = np.tile([0.0, 1.0], 100)
    assert score_variogram(np.stack([actual, 1 - actual]), EVEN, actual) == pytest.approx(0)


def test_courses_that_never_vary_score_what_they_miss() -> None:
    # Alternating 0 and 1 differ by one at distance 1 only; the other six of seven distances are
    # even.
    assert score_variogram(np.zeros((2, 200)), EVEN, np.tile([0.0, 1.0], 100)) == pytest.approx(
        1 / 7
    )
