from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.forecast import describe
from bench.peers.forecasting import order_quantiles, write_case
from luna.energy.observations import Observations
from luna.energy.outlook import SHARES
from services.forecaster.model.aurora import VERSION
from services.forecaster.model.baseline import BASELINES
from services.forecaster.scoring import Score
from tests.support.household.measurements import day, describe_site, measure_days


def test_a_peer_is_handed_what_lies_before_the_first_origin_and_every_origin(
    tmp_path: Path,
) -> None:
    history = measure_days(20)
    gap = np.arange(len(history)) != 500
    holed = Observations.of(history.starts[gap], {"load_kwh": history.load_kwh[gap]})
    write_case(
        tmp_path / "case.npz",
        holed,
        "load_kwh",
        site=describe_site(),
        instants=[day(10), day(10) + timedelta(hours=6)],
    )
    case = dict(np.load(tmp_path / "case.npz"))
    assert int(case["learned"]) == 960
    assert case["origins"].tolist() == [960, 984]
    # The grid ends where the last origin begins, and has no hole: what was not measured is unknown.
    assert np.flatnonzero(np.isnan(case["values"])).tolist() == [500]
    assert case["values"].size == 984


def test_a_peers_quantiles_are_put_in_order_and_never_negative() -> None:
    ordered = order_quantiles(np.random.default_rng(0).normal(0, 1, (7, 3, 4)))
    stacked = np.stack([getattr(ordered, name) for name in SHARES])
    assert (np.diff(stacked, axis=0) >= 0).all()
    assert stacked.min() >= 0


def test_aurora_is_put_beside_the_best_baseline_and_the_best_peer() -> None:
    errors = dict.fromkeys(BASELINES, 1.0) | {
        "baseline_7_day_median": 0.9,
        VERSION: 0.81,
        "peer_one": 0.9,
        "peer_two": 1.2,
    }
    scores = {
        version: {"load_kwh": Score(mae=error, rmse=error, pinball=error, coverage_80=0.8, slots=9)}
        for version, error in errors.items()
    }
    ours = describe(scores, "load_kwh")[VERSION]
    assert [
        ours[f"mae_over_{what}"] for what in ("median", "best_baseline", "best_peer")
    ] == pytest.approx([0.9, 0.9, 0.9])
    assert (ours["mae_ratio"], ours["skill"]) == pytest.approx((0.81, 0.19))
