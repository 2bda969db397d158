import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.timeline import FloatArray
from luna.energy.weather import WeatherVintages
from services.forecaster.inputs.context import NO_CONTEXT, Context, Vacation
from services.forecaster.inputs.forecast_series import LOAD
from services.forecaster.inputs.frame import Frame, Pairs, frame_series, number_slot
from services.forecaster.inputs.load_features import (
    QUIET_SHARE,
    describe_day_off,
    describe_temperature,
    view_load,
)
from services.forecaster.inputs.view import FeatureMatrix
from tests.support.household.measurements import START, describe_site, measure_days

DAYS = 40
FIRST = number_slot(START)
HISTORY = measure_days(DAYS)


def frame_days(history: Observations = HISTORY, context: Context = NO_CONTEXT) -> Frame:
    return frame_series(
        history, describe_site(), first=FIRST, last=FIRST + (DAYS + 2) * 96, context=context
    )


def look(frame: Frame, origin: int, leads: int = 96) -> FeatureMatrix:
    return view_load(frame, Pairs(np.full(leads, origin), origin + np.arange(leads)))


def away_from(*days: float) -> Context:
    """Vacation mode: off since ever, then switched at each of the days."""
    instants = np.datetime64(START.replace(tzinfo=None), "us") + (
        1440 * np.array([-1.0, *days])
    ).astype("timedelta64[m]")
    return Context(vacation=Vacation(instants, np.arange(instants.size, dtype=np.float64) % 2))


def column(view: FeatureMatrix, name: str) -> FloatArray:
    return view.features[:, view.names.index(name)]


def test_an_absent_household_is_forecast_low_at_once() -> None:
    usual = look(frame_days(), 35 * 96).members["centre"]["mean"]
    absent = look(frame_days(context=away_from(35 - 1 / 96)), 35 * 96)
    assert column(absent, "vacation").tolist() == [1.0] * 96
    assert absent.members["centre"]["mean"].sum() == pytest.approx(
        QUIET_SHARE * usual.sum(), rel=0.1
    )


def test_every_member_of_every_head_falls_with_an_absence() -> None:
    pairs = Pairs(np.full(96, 35 * 96), 35 * 96 + np.arange(96))
    usual, absent = (
        LOAD.view(frame, pairs).members
        for frame in (frame_days(), frame_days(context=away_from(35 - 1 / 96)))
    )
    ratios = {
        (head, name): absent[head][name].sum() / named[name].sum()
        for head, named in usual.items()
        for name in named
    }
    assert max(ratios.values()) < 0.5


def test_what_an_empty_house_takes_is_learned_while_it_is_empty() -> None:
    # From day 31 on
    load = np.where(HISTORY.starts >= np.datetime64("2024-04-01"), 0.01, HISTORY.load_kwh)
    absent = look(
        frame_days(Observations.of(HISTORY.starts, {"load_kwh": load}), away_from(31)), 38 * 96
    )
    # Seven days of 0.01 kWh against half a day of prejudice.
    assert absent.members["centre"]["mean"].mean() == pytest.approx(0.01, rel=0.3)


def test_who_comes_home_is_forecast_from_the_days_at_home() -> None:
    load = np.where(
        (HISTORY.starts >= np.datetime64("2024-03-25"))
        & (HISTORY.starts < np.datetime64("2024-04-05")),
        0.01,
        HISTORY.load_kwh,
    )
    emptied = Observations.of(HISTORY.starts, {"load_kwh": load})  # days 24 to 34
    back = look(frame_days(emptied, away_from(24, 35)), 35 * 96 + 4)
    plain = look(frame_days(emptied), 35 * 96 + 4)
    usual = look(frame_days(), 35 * 96 + 4).members["centre"]["mean"].sum()
    assert back.members["centre"]["mean"].sum() == pytest.approx(usual, rel=0.1)
    assert plain.members["centre"]["mean"].sum() < 0.3 * usual


def test_without_vacation_readings_nothing_changes() -> None:
    np.testing.assert_array_equal(
        look(frame_days(context=away_from()), 30 * 96).features,
        look(frame_days(), 30 * 96).features,
    )


def test_the_temperature_is_the_forecasts_and_the_change_is_against_the_measured_week() -> None:
    slots = FIRST + np.arange((DAYS + 2) * 96)
    starts = (slots * 900).astype("datetime64[s]")
    measured = starts + np.timedelta64(900, "s")
    forecast = np.full(slots.size, np.datetime64("2024-03-30T00:05"))
    book = WeatherVintages.of(
        np.concatenate([starts, starts]),
        np.concatenate([measured, forecast]).astype("datetime64[us]"),
        {"temperature_c": np.concatenate([np.full(slots.size, 10.0), np.full(slots.size, 2.0)])},
    )
    origin = 30 * 96
    pairs = Pairs(np.full(3, origin), origin + np.array([0, 48, 120]))
    signs = describe_temperature(frame_days(context=Context(book)), pairs)
    assert signs["temperature_c"].tolist() == [2, 2, 2]
    # Of the eight looks back over a day, the first sees the target alone ahead of the origin, then
    # five, then all.
    assert signs["temperature_day_c"].tolist() == [9, 5, 2]
    assert signs["temperature_change_c"] == pytest.approx([-1, -5, -8])
    assert signs["heating_degrees"].tolist() == [6, 10, 13]
    assert np.isnan(describe_temperature(frame_days(), pairs)["temperature_c"]).all()


def test_good_friday_is_marked_and_forecast_as_a_sunday() -> None:
    friday = 28 * 96  # 29 March 2024, the 28th day
    weekend = ((HISTORY.starts.astype("datetime64[D]").astype(np.int64) + 3) % 7) == 6
    lively = Observations.of(HISTORY.starts, {"load_kwh": np.where(weekend, 1.0, 0.1)})
    frame = frame_days(lively)
    pairs = Pairs(np.full(8, friday), friday + 40 + np.arange(8))
    assert describe_day_off(frame, pairs)["holiday"].tolist() == [1.0] * 8
    members = view_load(frame, pairs).members["centre"]
    assert (members["weekday"] > 3 * members["median"]).all()
