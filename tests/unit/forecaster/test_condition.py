"""What is the matter with a history: each fault by its code, and a good history by none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, Timeline
from luna.energy.weather import WeatherVintages
from services.forecaster.input_quality import (
    Circumstances,
    InputQuality,
    judge_origins,
    judge_weather,
)
from services.forecaster.inputs.frame import number_slot
from services.forecaster.inputs.preparation import prepare_history
from tests.support.forecasts.faulty_days import change, grow_roof, hold_load
from tests.support.household.measurements import START, day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
# In July no clock changes.
SUMMER = datetime(2024, 6, 10, tzinfo=UTC)
GOOD = measure_days(40, start=SUMMER)
NOW = SUMMER + timedelta(days=40)
NAN = np.nan


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_without_history_it_is_said_what_the_load_is_taken_from() -> None:
    nothing = Observations.of(np.array([], dtype="datetime64[s]"), {})
    said = [{"yearly_kwh": 3500.0}, {"persons": 3}, {}]
    found = [
        judge_origins(
            InputQuality.of(nothing, describe_site(household=each)), [NOW], Circumstances()
        )[0]
        for each in said
    ]
    assert found == [
        ("no_history", code) for code in ("load_by_yearly_kwh", "load_by_persons", "load_assumed")
    ]


def judge(history: Observations, circumstances: Circumstances | None = None) -> tuple[str, ...]:
    (reasons,) = judge_origins(
        InputQuality.of(history, SITE), [NOW], circumstances or Circumstances()
    )
    return reasons


@each_row(
    ("history", "expected"),
    [
        pytest.param(GOOD, (), id="good"),
        pytest.param(
            change(GOOD, ago(0.1), NOW, {"load_kwh": NAN, "pv_kwh": NAN}),
            (),
            id="late by two hours",
        ),
        pytest.param(
            change(GOOD, ago(0.6), NOW, {"load_kwh": NAN}), ("load_gaps",), id="half a day away"
        ),
        pytest.param(
            change(GOOD, ago(5), ago(2), {"load_kwh": NAN, "pv_kwh": NAN}),
            ("load_gaps", "pv_gaps"),
            id="gaps in the week",
        ),
        pytest.param(hold_load(GOOD, ago(1), NOW), ("load_frozen",), id="frozen load"),
        pytest.param(hold_load(GOOD, ago(9), ago(8)), (), id="frozen last week"),
        pytest.param(change(GOOD, ago(1), NOW, {"pv_kwh": 0.02}), ("pv_frozen",), id="frozen PV"),
        pytest.param(hold_load(GOOD, ago(40), NOW), ("load_constant",), id="constant"),
        pytest.param(change(GOOD, ago(4), NOW, {"pv_kwh": 0.0}), ("pv_silent",), id="silent PV"),
        pytest.param(
            change(GOOD, ago(40), ago(2), {"load_kwh": NAN, "pv_kwh": NAN}),
            ("short_history",),
            id="two days",
        ),
        pytest.param(
            change(GOOD, ago(40), NOW, {"load_kwh": NAN, "pv_kwh": NAN}),
            ("no_history", "load_assumed"),
            id="nothing known",
        ),
        pytest.param(
            Observations.of(np.array([], dtype="datetime64[s]"), {}),
            ("no_history", "load_assumed"),
            id="nothing at all",
        ),
        pytest.param(
            change(GOOD, ago(2), NOW, {"pv_kwh": GOOD.pv_kwh * 3}),
            ("roof_exceeds_peak",),
            id="more than the peak",
        ),
    ],
)
def test_a_history_is_judged(history: Observations, expected: tuple[str, ...]) -> None:
    assert judge(history) == expected


def test_a_new_array_is_told_for_as_long_as_the_profile_remembers_the_old_roof() -> None:
    history = grow_roof(GOOD, ago(8), 1.6)
    growth = prepare_history(history, SITE, before=NOW).growth
    assert growth is not None
    assert "roof_grown" in judge(history, Circumstances(growth=growth))
    assert "roof_grown" not in judge(
        history, Circumstances(growth=replace(growth, since=growth.since - np.timedelta64(30, "D")))
    )


def test_a_change_of_the_clock_within_the_forecast_is_told_twice_a_year() -> None:
    record = InputQuality.of(measure_days(365), SITE)
    told = [
        number
        for number in range(20, 364)
        if "clock_change" in judge_origins(record, [day(number)], Circumstances())[0]
    ]
    # 31 March and 27 October at 01:00 UTC: forecasts of the two days before look over it.
    assert [(START + timedelta(days=number)).date().isoformat() for number in told] == [
        "2024-03-30",
        "2024-03-31",
        "2024-10-26",
        "2024-10-27",
    ]


def test_what_surrounds_a_forecast_is_told() -> None:
    assert judge(GOOD, Circumstances(model="model_away", future=True)) == (
        "future_reading",
        "model_away",
    )


def test_who_has_two_days_is_not_told_that_nothing_was_trained() -> None:
    young = change(GOOD, ago(40), ago(2), {"load_kwh": NAN})
    assert judge(young, Circumstances(model="untrained")) == ("short_history",)
    assert judge(GOOD, Circumstances(model="untrained")) == ("untrained",)


def forecast_weather(hours_old: float, days: float = 2) -> WeatherVintages:
    ahead = Timeline(NOW, SLOT, int(days * 96))
    issued = np.full(
        ahead.count, np.datetime64((NOW - timedelta(hours=hours_old)).replace(tzinfo=None), "us")
    )
    return WeatherVintages.of(ahead.starts, issued, {"temperature_c": np.zeros(ahead.count)})


@each_row(
    ("weather", "expected"),
    [
        (forecast_weather(1), []),
        (forecast_weather(13), ["weather_late"]),
        (forecast_weather(1, days=0.4), ["weather_missing"]),
        (forecast_weather(-1), ["weather_missing"]),
    ],
    ids=["fresh", "old", "hours alone", "not issued yet"],
)
def test_weather_is_judged_as_known_by_then(weather: WeatherVintages, expected: list[str]) -> None:
    assert list(judge_weather(weather, number_slot(NOW))) == expected


def test_nothing_after_an_instant_changes_what_is_said_of_it() -> None:
    spoilt = change(GOOD, ago(10), NOW, {"load_kwh": 0.5, "pv_kwh": 9.0})
    assert judge_origins(
        InputQuality.of(spoilt, SITE), [ago(10)], Circumstances()
    ) == judge_origins(InputQuality.of(GOOD, SITE), [ago(10)], Circumstances())
