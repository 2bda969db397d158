"""Nothing measured in or after the slot of the issue time, or issued after its begin, reaches a
forecast, whatever it is.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.observations import Observations
from luna.energy.outlook import PARTS, SHARES, Forecast
from luna.energy.timeline import SLOT, floor_to
from services.forecaster.forecaster import Forecaster
from services.forecaster.inputs.context import Context, Vacation
from services.forecaster.inputs.forecast_series import EVERY_SERIES
from services.forecaster.inputs.frame import frame_origins, pair_origins
from services.forecaster.inputs.view import FeatureMatrix
from services.forecaster.model.aurora import Aurora, train
from services.forecaster.model.baseline import BASELINES, Baseline
from tests.support.household.measurements import (
    QUICK,
    START,
    change_from,
    day,
    describe_site,
    forecast_weather,
    measure_days,
)
from tests.support.suite.depth import LONG, draws

# Berlin changes its clock on day 30, so origins on either side of it are drawn too.
SITE = describe_site()
VALUES = st.one_of(st.floats(0, 20), st.just(np.nan), st.just(1e9), st.just(-5.0))
MINUTES = st.integers(min_value=26 * 24 * 60, max_value=45 * 24 * 60)


@cache
def history() -> Observations:
    return measure_days(50)


@cache
def surroundings() -> Context:
    """Weather as issued, and a household that is away now and then."""
    instants = np.datetime64(START.replace(tzinfo=None), "us") + (
        24 * 60 * np.arange(0.3, 50, 3.7)
    ).astype("timedelta64[m]")
    return Context(forecast_weather(52), Vacation(instants, np.arange(instants.size) % 2.0))


@cache
def forecasters() -> dict[str, Forecaster]:
    aurora: Aurora = train(
        history(), site=SITE, until=day(26), settings=QUICK, context=surroundings()
    )
    return {aurora.version: aurora} | {version: Baseline(version, SITE) for version in BASELINES}


def assert_same(one: Forecast, other: Forecast) -> None:
    for mine, theirs in ((one.load_kwh, other.load_kwh), (one.pv_kwh, other.pv_kwh)):
        for name in PARTS:
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def change_surroundings(instant: datetime, weather: float, vacation: float) -> Context:
    """What is issued after an instant tells another weather.

    What is read from then on, another absence.
    """
    book = surroundings().weather
    away = surroundings().vacation
    later = book.issued * np.timedelta64(SLOT) + np.datetime64(0, "s") > np.datetime64(
        instant.replace(tzinfo=None), "s"
    )
    at = np.sort(np.append(away.instants, np.datetime64(instant.replace(tzinfo=None), "us")))
    on = np.where(
        at < np.datetime64(instant.replace(tzinfo=None), "us"), np.arange(at.size) % 2.0, vacation
    )
    return Context(
        replace(
            book,
            series={name: np.where(later, weather, values) for name, values in book.series.items()},
        ),
        Vacation(at, on),
    )


def see(observations: Observations, context: Context, issued_at: datetime) -> list[FeatureMatrix]:
    frame = frame_origins(observations, SITE, [issued_at], 192, context=context)
    return [series.view(frame, pair_origins(frame, [issued_at], 192)) for series in EVERY_SERIES]


@settings(max_examples=draws(25), deadline=None)
@given(minute=MINUTES, kwh=VALUES, weather=VALUES, vacation=st.sampled_from([0.0, 0.4, 1.0]))
def test_no_feature_reads_what_was_measured_or_issued_after_the_slot_of_the_issue_began(
    minute: int, kwh: float, weather: float, vacation: float
) -> None:
    issued_at = day(0) + timedelta(minutes=minute)
    begun = floor_to(issued_at, SLOT)
    before = see(history(), surroundings(), issued_at)
    after = see(
        change_from(history(), begun, kwh, kwh),
        change_surroundings(begun, weather, vacation),
        issued_at,
    )
    for mine, theirs in zip(before, after, strict=True):
        np.testing.assert_array_equal(mine.features, theirs.features)
        np.testing.assert_array_equal(mine.scale_kwh, theirs.scale_kwh)
        np.testing.assert_equal(mine.members, theirs.members)
        np.testing.assert_array_equal(mine.known_days, theirs.known_days)


@settings(max_examples=draws(25), deadline=None)
@given(minute=MINUTES, load_kwh=VALUES, pv_kwh=VALUES, weather=VALUES)
@pytest.mark.parametrize("version", ["aurora_v1.0", *BASELINES])
def test_no_forecast_reads_what_was_measured_or_issued_after_its_issue(
    version: str, minute: int, load_kwh: float, pv_kwh: float, weather: float
) -> None:
    issued_at = day(0) + timedelta(minutes=minute)
    begun = floor_to(issued_at, SLOT)
    changed = change_from(history(), begun, load_kwh, pv_kwh)
    context = change_surroundings(begun, weather, 1.0)
    forecaster = forecasters()[version]
    known = forecaster.issue_many(history(), [issued_at], context=surroundings())
    assert_same(
        known.forecast(0), forecaster.issue_many(changed, [issued_at], context=context).forecast(0)
    )


@settings(max_examples=draws(10), deadline=None)
@given(minute=MINUTES, later=st.integers(min_value=1, max_value=4 * 24 * 60), load_kwh=VALUES)
def test_a_later_origin_in_the_same_batch_changes_no_earlier_forecast(
    minute: int, later: int, load_kwh: float
) -> None:
    issued_at = day(0) + timedelta(minutes=minute)
    changed = change_from(history(), floor_to(issued_at, SLOT), load_kwh, load_kwh)
    aurora = forecasters()["aurora_v1.0"]
    batch = aurora.issue_many(changed, [issued_at, issued_at + timedelta(minutes=later)])
    assert_same(aurora.issue_many(history(), [issued_at]).forecast(0), batch.forecast(0))


# One training more, on other values of all kinds, shows a leak of any.
@settings(max_examples=3 if LONG else 1, deadline=None)
@given(load_kwh=VALUES, pv_kwh=VALUES)
def test_training_reads_nothing_measured_after_its_end(load_kwh: float, pv_kwh: float) -> None:
    changed = change_from(history(), day(26), load_kwh, pv_kwh)
    again = train(
        changed,
        site=SITE,
        until=day(26),
        settings=QUICK,
        context=change_surroundings(day(26), load_kwh, 1.0),
    )
    assert_same(
        again.issue(history(), day(40)),
        forecasters()["aurora_v1.0"].issue_many(history(), [day(40)]).forecast(0),
    )


@settings(max_examples=draws(15), deadline=None)
@given(minute=MINUTES, holes=st.lists(st.integers(0, 4000), max_size=40))
def test_quantiles_stay_ordered_and_within_bounds_whatever_is_missing(
    minute: int, holes: list[int]
) -> None:
    load = history().load_kwh.copy()
    pv = history().pv_kwh.copy()
    load[holes] = np.nan
    pv[holes] = np.nan
    damaged = Observations.of(history().starts, {"load_kwh": load, "pv_kwh": pv})
    forecast = (
        forecasters()["aurora_v1.0"]
        .issue_many(damaged, [day(0) + timedelta(minutes=minute)])
        .forecast(0)
    )
    for series, limit in ((forecast.load_kwh, np.inf), (forecast.pv_kwh, 1.25)):
        assert (
            np.diff(
                [np.zeros(192), *(getattr(series, name) for name in SHARES), np.full(192, limit)],
                axis=0,
            )
            >= 0
        ).all()
        assert ((series.expected >= 0) & (series.expected <= limit)).all()
