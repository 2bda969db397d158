from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.outlook import SHARES, Forecast
from luna.energy.timeline import FloatArray
from services.forecaster.inputs.context import NO_CONTEXT, Context, Vacation
from services.forecaster.inputs.curtailment import find_curtailed
from services.forecaster.inputs.preparation import prepare_history
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.model.baseline import LIKE_DAYS, Baseline
from services.forecaster.scoring import score_batch
from tests.support.household.measurements import day, describe_site, forecast_weather, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
MONDAY = datetime(2024, 8, 4, 22, tzinfo=UTC)  # 5 August in Berlin


def issue(history: Observations, days: float, context: Context = NO_CONTEXT) -> Forecast:
    return (
        Baseline(LIKE_DAYS, SITE)
        .issue_many(history, [day(0) + timedelta(days=days)], context=context)
        .forecast(0)
    )


def take(load_kwh: FloatArray) -> Observations:
    return replace(measure_days(load_kwh.size // 96), load_kwh=load_kwh)


def switch(*changes: tuple[float, float]) -> Context:
    """Vacation mode: from each day on, what it is."""
    instants = np.array(
        [(day(0) + timedelta(days=at)).replace(tzinfo=None) for at, _ in changes],
        dtype="datetime64[us]",
    )
    return Context(vacation=Vacation(instants, np.array([on for _, on in changes])))


@each_row(
    "away, issued, kwh",
    [((28, 36), 33, 2.0), ((28, 36), 36.5, 10.0), ((10, 52), 52.5, 10.0), ((28, 29), 28.03, 3.4)],
)
def test_who_is_away_is_forecast_as_away_and_who_is_home_as_home(
    away: tuple[int, int], issued: float, kwh: float
) -> None:
    load = (
        np.repeat(np.where((np.arange(55) >= away[0]) & (np.arange(55) < away[1]), 2.0, 10.0), 96)
        / 96
    )
    forecast = issue(take(load), issued, switch((0, 0.0), (away[0], 1.0), (away[1], 0.0)))
    assert forecast.load_kwh.expected[:96].sum() == pytest.approx(kwh, rel=0.03)


def test_an_hour_that_no_other_day_has_seen_is_no_habit() -> None:
    load = np.full(20 * 96, 0.1)
    load[-96 + 40 : -96 + 44] = 15 / 4
    assert issue(take(load), 20).load_kwh.expected == pytest.approx(np.full(192, 0.1))


def test_days_off_are_forecast_from_days_off() -> None:
    weekend = (np.arange(28) + 4) % 7 >= 5  # the household's days begin on a Friday
    load = np.repeat(np.where(weekend, 0.4, 0.1), 96)
    friday, saturday = issue(take(load), 21).load_kwh.p50.reshape(2, 96).mean(axis=1)
    assert saturday > 2 * friday


def run_appliance(starts: Sequence[int | None]) -> Observations:
    """0.3 kW all day, and 2.0 kW for an hour from a slot of each local day; None: not that day."""
    load = np.full((len(starts), 96), 0.3 / 4)
    for number, first in enumerate(starts):
        if first is not None:
            load[number, first : first + 4] = 2.0 / 4
    # A Monday, in a month without holidays or a change of the clock.
    return replace(measure_days(len(starts), start=MONDAY), load_kwh=load.ravel())


def forecast_hours(history: Observations, days: int) -> FloatArray:
    """Return the expected load of two days by local hour, shape ``(2, 24)``, kWh."""
    issued_at = MONDAY + timedelta(days=days)
    forecast = Baseline(LIKE_DAYS, SITE).issue_many(history, [issued_at]).forecast(0)
    hours: FloatArray = forecast.load_kwh.expected.reshape(2, 24, 4).sum(axis=2)
    return hours


@each_row("days", [2, 3, 8, 14, 33])
def test_an_hour_that_every_day_has_stays_as_high_and_as_short_as_it_is(days: int) -> None:
    hours = forecast_hours(run_appliance([28] * 34), days)
    assert hours[:, 7] == pytest.approx(2.0, rel=0.05)
    assert hours[:, [6, 8]] == pytest.approx(0.3, rel=0.05)


# Issued before a Thursday, a Friday, a Saturday, a Sunday, a Monday: what that day and the next
# have at seven.
@each_row(
    "days, at_seven",
    [(31, (2.0, 2.0)), (32, (2.0, 0.3)), (33, (0.3, 0.3)), (34, (0.3, 2.0)), (35, (2.0, 2.0))],
)
def test_an_hour_of_working_days_alone_is_forecast_for_them_alone(
    days: int, at_seven: tuple[float, float]
) -> None:
    history = run_appliance([28 if number % 7 < 5 else None for number in range(36)])
    assert forecast_hours(history, days)[:, 7] == pytest.approx(at_seven, rel=0.05)


def test_an_hour_that_begins_a_quarter_earlier_or_later_is_forecast_between_the_two() -> None:
    starts = [28 + int(shift) for shift in np.random.default_rng(3).integers(-1, 2, 34)]
    hours = forecast_hours(run_appliance(starts), 33)[0]
    assert 1.35 < hours[7] < 2.0
    assert hours[6:9].sum() == pytest.approx(2.6, rel=0.05)


def test_an_hour_of_one_day_in_three_is_no_habit_of_every_day() -> None:
    hours = forecast_hours(run_appliance([28 if day % 3 == 0 else None for day in range(34)]), 33)[
        0
    ]
    assert 0.3 < hours[7] < 1.0


def test_noise_makes_nothing_sharp() -> None:
    # Every slot has the same mean: what differs is chance, and pooling its neighbours evens it out.
    noise = np.random.default_rng(5).gamma(2, 0.05, 34 * 96)
    history = replace(measure_days(34, start=MONDAY), load_kwh=noise)
    issued_at = [MONDAY + timedelta(days=33)]
    expected = (
        Baseline(LIKE_DAYS, SITE).issue_many(history, issued_at).forecast(0).load_kwh.expected
    )
    assert expected.std() < 0.1 * expected.mean()


@each_row("days", [0, 1, 2, 3])
def test_a_few_days_are_enough(days: int) -> None:
    forecast = issue(measure_days(30), days)
    for series in (forecast.load_kwh, forecast.pv_kwh):
        quantiles = np.array([getattr(series, name) for name in SHARES])
        assert np.isfinite(series.expected).all()
        assert (np.diff(quantiles, axis=0) >= 0).all()
        assert (quantiles >= 0).all()
    assert forecast.load_kwh.expected.sum() > 0


def test_the_level_of_the_last_days_is_followed_by_a_part() -> None:
    load = np.full(30 * 96, 0.1)
    load[-2 * 96 :] = 0.2
    level = issue(take(load), 30).load_kwh.expected.mean()
    assert 0.12 < level < 0.19


def test_habits_follow_the_clock_over_a_change_of_it() -> None:
    # Germany's clocks change on the night to 31 March, day 30: supper stays at seven, an hour
    # earlier in UTC.
    load = np.full(30 * 96, 0.05)
    load.reshape(30, 96)[:, 72] = 0.5
    supper = issue(take(load), 29.9).load_kwh.expected
    assert int(supper[:96].argmax()) + int(29.9 * 96) % 96 - 96 == 68


def test_weather_is_followed_as_far_as_pv_has_followed_it() -> None:
    context = Context(forecast_weather(62))
    instants = [day(number, 6) for number in range(45, 58)]
    history = measure_days(62)
    forecasts = [
        Baseline(LIKE_DAYS, SITE).issue_many(history, instants, context=known)
        for known in (context, NO_CONTEXT)
    ]
    told, untold = (score_batch(batch, history, SITE)["pv_kwh"] for batch in forecasts)
    assert told.pinball < 1.02 * untold.pinball


def test_where_most_days_are_clear_the_median_is_a_clear_day() -> None:
    history = measure_days(30)
    sky = estimate_clear_sky(history.starts, SITE)
    # Every third day is dull, not the last: 28 % of what counts lies far below the rest, and
    # nothing above it.
    clear = replace(
        history, pv_kwh=sky * np.where((25 - np.arange(30)) % 3 == 1, 0.3, 0.9).repeat(96)
    )
    ahead = issue(clear, 26).pv_kwh.p50[:96]
    assert ahead.sum() == pytest.approx(0.9 * sky[26 * 96 : 27 * 96].sum(), rel=0.03)


@each_row("location", [{"latitude": 52.5, "longitude": 13.4}, None])
def test_without_history_the_median_is_no_more_than_the_mean(location: object) -> None:
    history = Observations.of(np.array([], dtype="datetime64[s]"), {})
    forecast = (
        Baseline(LIKE_DAYS, describe_site(location=location))
        .issue_many(history, [day(90)])
        .forecast(0)
    )
    for series in (forecast.load_kwh, forecast.pv_kwh):
        assert 0.7 * series.expected.sum() < series.p50.sum() <= 1.001 * series.expected.sum()


@each_row("rest", ["off", "what the house takes"])
def test_days_on_which_pv_was_held_back_at_noon_forecast_what_the_arrays_can_yield(
    rest: str,
) -> None:
    history = measure_days(42)
    free = 0.7 * estimate_clear_sky(history.starts, SITE)
    held = free.reshape(42, 96).copy()
    held[20:, 36:60] = (
        0.0
        if rest == "off"
        else np.minimum(history.load_kwh.reshape(42, 96)[20:, 36:60], held[20:, 36:60])
    )
    seen = replace(history, pv_kwh=held.ravel())
    prepared = prepare_history(seen, SITE, before=day(41)).history
    forecast = issue(prepared, 41).pv_kwh.expected[:96]
    assert forecast.sum() == pytest.approx(free[41 * 96 :].sum(), rel=0.12)


def test_clouds_hold_nothing_back() -> None:
    history = measure_days(60)
    assert not find_curtailed(history, SITE, before=day(60))[0].any()
