import numpy as np
import pytest

from luna.energy.outlook import SHARES
from services.forecaster.model.stacking import QuantileHeads, spread_heads


def test_a_forecast_is_bound_in_order_whatever_was_learned() -> None:
    rng = np.random.default_rng(0)
    bound = QuantileHeads(rng.normal(0, 1, 500), rng.normal(0, 1, (7, 500))).bound(
        np.full(500, 1.5)
    )
    stacked = np.stack(
        [np.zeros(500), *(getattr(bound, name) for name in SHARES), np.full(500, 1.5)]
    )
    assert (np.diff(stacked, axis=0) >= 0).all()
    assert ((bound.expected >= 0) & (bound.expected <= 1.5)).all()


def test_no_sun_leaves_nothing() -> None:
    bound = QuantileHeads(np.ones(3), np.ones((7, 3))).bound(np.zeros(3))
    assert all((getattr(bound, name) == 0).all() for name in ("expected", *SHARES))


def test_stretching_keeps_the_median_and_moves_the_rest() -> None:
    heads = spread_heads(np.array([1.0]), np.array([1.0]), np.array([0.5]), np.array([1.0]))
    wider = heads.stretch(np.full((7, 1), 2.0), np.array([1.0]))
    assert wider.p50 == heads.p50
    # p10 half below, p90 one above: twice that.
    assert wider.quantiles[[1, 5], 0] == pytest.approx([0.0, 3.0])


def test_a_normal_distribution_is_spread_as_one() -> None:
    # p10 and p90 of the standard normal lie 1.2816 from the median, p05 1.6449, p25 0.6745.
    quantiles = spread_heads(
        np.zeros(1), np.zeros(1), np.full(1, 1.2816), np.full(1, 1.2816)
    ).quantiles[:, 0]
    assert quantiles == pytest.approx(
        [-1.6449, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.6449], abs=1e-3
    )
