"""Nothing measured in or after the slot of the issue time reaches a forecast, whatever it is."""

from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.observations import Observations
from luna.outlook import Forecast
from luna.timeline import SLOT, floor_to
from services.forecaster.aurora import Aurora, train
from services.forecaster.baseline import BASELINES, Baseline
from services.forecaster.forecaster import Forecaster
from tests.household import QUICK, change_from, day, describe_site, measure_days

# Berlin changes its clock on day 30, so origins on either side of it are drawn too.
SITE = describe_site()
VALUES = st.one_of(st.floats(0, 20), st.just(np.nan), st.just(1e9), st.just(-5.0))
MINUTES = st.integers(min_value=26 * 24 * 60, max_value=45 * 24 * 60)


@cache
def history() -> Observations:
    return measure_days(50)


@cache
def forecasters() -> dict[str, Forecaster]:
    aurora: Aurora = train(history(), site=SITE, until=day(26), settings=QUICK)
    return {aurora.version: aurora} | {version: Baseline(version, SITE) for version in BASELINES}


def assert_same(one: Forecast, other: Forecast) -> None:
    for mine, theirs in ((one.load_kwh, other.load_kwh), (one.pv_kwh, other.pv_kwh)):
        for name in ("expected", "p10", "p50", "p90"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


@settings(max_examples=25, deadline=None)
@given(minute=MINUTES, load_kwh=VALUES, pv_kwh=VALUES)
@pytest.mark.parametrize("version", ["aurora_v1.0", *BASELINES])
def test_no_forecast_reads_what_was_measured_after_its_issue(version: str, minute: int, load_kwh: float, pv_kwh: float) -> None:
    issued_at = day(0) + timedelta(minutes=minute)
    changed = change_from(history(), floor_to(issued_at, SLOT), load_kwh, pv_kwh)
    forecaster = forecasters()[version]
    assert_same(forecaster.issue_many(history(), [issued_at]).forecast(0), forecaster.issue_many(changed, [issued_at]).forecast(0))


@settings(max_examples=10, deadline=None)
@given(minute=MINUTES, later=st.integers(min_value=1, max_value=4 * 24 * 60), load_kwh=VALUES)
def test_a_later_origin_in_the_same_batch_changes_no_earlier_forecast(minute: int, later: int, load_kwh: float) -> None:
    issued_at = day(0) + timedelta(minutes=minute)
    changed = change_from(history(), floor_to(issued_at, SLOT), load_kwh, load_kwh)
    aurora = forecasters()["aurora_v1.0"]
    batch = aurora.issue_many(changed, [issued_at, issued_at + timedelta(minutes=later)])
    assert_same(aurora.issue_many(history(), [issued_at]).forecast(0), batch.forecast(0))


@settings(max_examples=3, deadline=None)
@given(load_kwh=VALUES, pv_kwh=VALUES)
def test_training_reads_nothing_measured_after_its_end(load_kwh: float, pv_kwh: float) -> None:
    changed = change_from(history(), day(26), load_kwh, pv_kwh)
    again = train(changed, site=SITE, until=day(26), settings=QUICK)
    assert_same(again.issue(history(), day(40)), forecasters()["aurora_v1.0"].issue_many(history(), [day(40)]).forecast(0))


@settings(max_examples=15, deadline=None)
@given(minute=MINUTES, holes=st.lists(st.integers(0, 4000), max_size=40))
def test_quantiles_stay_ordered_and_within_bounds_whatever_is_missing(minute: int, holes: list[int]) -> None:
    load, pv = history().load_kwh.copy(), history().pv_kwh.copy()
    load[holes], pv[holes] = np.nan, np.nan
    damaged = Observations.of(history().starts, {"load_kwh": load, "pv_kwh": pv})
    forecast = forecasters()["aurora_v1.0"].issue_many(damaged, [day(0) + timedelta(minutes=minute)]).forecast(0)
    for series, limit in ((forecast.load_kwh, np.inf), (forecast.pv_kwh, 1.25)):
        assert (np.diff([np.zeros(192), series.p10, series.p50, series.p90, np.full(192, limit)], axis=0) >= 0).all()
        assert ((series.expected >= 0) & (series.expected <= limit)).all()
