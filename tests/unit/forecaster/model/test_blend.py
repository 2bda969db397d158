import numpy as np
import pytest

from services.forecaster.model.stacking import (
    BAND_STARTS,
    LeadGroups,
    band_of,
    blend_members,
    measure_loss,
    stretch_band,
    weigh_members,
    weigh_strata,
)
from tests.support.suite.tables import each_row

SHARES = each_row("share", [None, 0.1, 0.5, 0.9], ids=["mean", "p10", "p50", "p90"])


@SHARES
def test_a_blend_is_never_worse_than_its_best_member(share: float | None) -> None:
    rng = np.random.default_rng(3)
    actual = rng.gamma(2, 0.1, 3000)
    members = np.column_stack(
        [
            actual + rng.normal(0, 0.1, 3000),
            np.full(3000, 0.2),
            actual * 0.5 + rng.normal(0, 0.05, 3000),
        ]
    )
    weights = weigh_members(members, actual, share)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    best = min(measure_loss(actual - member, share).mean() for member in members.T)
    assert measure_loss(actual - members @ weights, share).mean() <= best


def test_two_members_with_independent_errors_are_both_used() -> None:
    rng = np.random.default_rng(0)
    actual = rng.normal(5, 1, 4000)
    members = np.column_stack([actual + rng.normal(0, 1, 4000), actual + rng.normal(0, 1, 4000)])
    assert weigh_members(members, actual, None) == pytest.approx([0.5, 0.5], abs=0.05)


def test_each_band_of_leads_has_its_own_weights() -> None:
    rng = np.random.default_rng(0)
    lead = rng.integers(0, 192, 6000)
    actual = rng.normal(5, 1, 6000)
    near = np.where(lead < BAND_STARTS[1], actual, 0)
    far = np.where(lead < BAND_STARTS[1], 0, actual)
    weights = weigh_strata(
        np.column_stack([near, far]),
        actual,
        0.5,
        strata=LeadGroups(band_of(lead), BAND_STARTS.size),
    )
    assert weights[:, 0] == pytest.approx([1, 0, 0], abs=0.05)
    assert blend_members({"near": near, "far": far}, weights, band_of(lead)) == pytest.approx(
        actual, abs=0.5
    )


def test_bands_begin_at_their_first_lead() -> None:
    assert band_of(np.array([0, 11, 12, 47, 48, 191])).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_stretched_half_band_holds_the_promised_share() -> None:
    distance = np.random.default_rng(0).normal(0, 1, 5000)
    factor = stretch_band(distance, np.full(5000, 0.3), 0.9)
    assert (distance <= factor * 0.3).mean() == pytest.approx(0.9, abs=0.01)


def test_few_rows_leave_a_band_as_it_is() -> None:
    assert stretch_band(np.ones(20), np.ones(20), 0.9) == 1
