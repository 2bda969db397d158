from collections.abc import Callable
from functools import partial

import numpy as np

from luna.energy.observations import Observations
from luna.energy.outlook import Forecast
from luna.energy.site import Site, parse_site
from services.forecaster.forecaster import Forecaster
from services.forecaster.inputs.context import Context
from services.forecaster.model.aurora import Aurora
from services.forecaster.model.baseline import BASELINES, Baseline
from tests.support.household.measurements import day, describe_site, forecast_weather, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
KNOWN_DAYS = (1, 2, 3)


def begin(days: int) -> tuple[Observations, Observations]:
    """What a site that has just begun has measured, and what it will."""
    whole = measure_days(days + 2, seed=days)
    now = days * 96
    parts = (slice(now), slice(now, now + 192))
    return tuple(
        Observations.of(
            whole.starts[part], {"load_kwh": whole.load_kwh[part], "pv_kwh": whole.pv_kwh[part]}
        )
        for part in parts
    )


def measure_error(forecast: Forecast, happened: Observations) -> float:
    return float(np.abs(happened.load_kwh - forecast.load_kwh.p50).mean())


def test_in_the_first_days_the_smoothed_profile_is_closer_than_the_days_themselves() -> None:
    for days in KNOWN_DAYS:
        known, happened = begin(days)
        profile, average = (
            each.issue_many(known, [day(days)]).forecast(0)
            for each in (Aurora(SITE), Baseline("baseline_7_day_avg", SITE))
        )
        assert measure_error(profile, happened) < 0.95 * measure_error(average, happened)


@each_row(
    "forecaster",
    [Aurora, *(partial(Baseline, version) for version in BASELINES)],
    ids=["aurora", *BASELINES],
)
def test_a_house_that_names_no_arrays_and_measured_no_pv_has_none(
    forecaster: Callable[[Site], Forecaster],
) -> None:
    known = measure_days(3)
    house = forecaster(parse_site({"name": "flat", "timezone": "Europe/Berlin"}))
    forecast = house.issue_many(
        Observations.of(known.starts, {"load_kwh": known.load_kwh}), [day(3)]
    ).forecast(0)
    assert forecast.pv_kwh.p95.max() == 0
    measured = house.issue_many(known, [day(3)]).forecast(0)
    assert measured.pv_kwh.expected.max() > 0


def test_pv_follows_the_weather_before_anything_is_learned() -> None:
    known, _ = begin(2)
    weather = forecast_weather(5)
    bright = weather.series["ghi_w_m2"]
    dull = Context(
        type(weather)(
            weather.slot,
            weather.issued,
            {
                **weather.series,
                "ghi_w_m2": np.where(weather.slot < weather.slot[0] + 192, bright, 0.2 * bright),
            },
        )
    )
    expected = [
        Aurora(SITE).issue(known, day(2), context=context).pv_kwh.expected.sum()
        for context in (Context(weather), dull)
    ]
    assert expected[1] < 0.8 * expected[0]
