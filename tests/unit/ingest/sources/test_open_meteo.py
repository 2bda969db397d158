"""What Open-Meteo says, and what it comes to on quarter-hours."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.site import Location
from luna.energy.timeline import SLOT, Timeline
from services.ingest.sources.open_meteo import OpenMeteo, WeatherSheet, hold_means, interpolate
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import REPLIES, Service, Services, document, recorded

# The reply's first hour.
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HERE = Location(latitude=52.516274, longitude=13.377704)
TWO_HOURS = Timeline(NOON, SLOT, 8)
SAID: dict[str, Any] = json.loads((REPLIES / "open_meteo.json").read_text(encoding="utf-8"))


def forecast(*replies: httpx.Response | Exception) -> WeatherSheet:
    return OpenMeteo(
        Web("open_meteo", Services(forecast=Service(*replies)), sleep=lambda _: None)
    ).forecast(HERE, TWO_HOURS)


def test_radiation_is_the_mean_of_the_time_before_its_instant() -> None:
    ghi = forecast(recorded("open_meteo.json")).values["ghi_w_m2"]
    # Quarter-hours as far as there are any: what is said at 12:15 is the mean from 12:00 on. Then
    # the hour that ends at 14:00.
    assert ghi.tolist() == [180.0, 190.0, 210.0, 220.0, 100.0, 100.0, 100.0, 100.0]


def test_a_quarter_hour_that_is_missing_is_taken_from_its_hour() -> None:
    dni = forecast(recorded("open_meteo.json")).values["dni_w_m2"]
    # Nothing at 12:45; the hour that ends at 13:00 has 200.
    assert dni[:4].tolist() == [180.0, 190.0, 200.0, 220.0]


def test_temperatures_are_those_at_the_middle_of_the_slot() -> None:
    temperature = forecast(recorded("open_meteo.json")).values["temperature_c"]
    # 4.0 at 12:00 and 4.2 at 12:15 are 4.1 at 12:07:30; by the hour 6.0 at 13:00 and 5.0 at 14:00
    # are 5.875 at 13:07:30.
    np.testing.assert_allclose(temperature[[0, 4]], [4.1, 5.875])


def test_cloud_cover_becomes_a_share() -> None:
    # 100 % at 12:00, 0 % at 13:00.
    np.testing.assert_allclose(
        forecast(recorded("open_meteo.json")).values["cloud_fraction"][:4],
        [0.875, 0.625, 0.375, 0.125],
    )


def test_the_place_is_told_to_the_kilometre_and_the_days_as_they_are_in_utc() -> None:
    service = Service(recorded("open_meteo.json"))
    OpenMeteo(Web("open_meteo", service)).forecast(HERE, TWO_HOURS)
    asked = dict(service.asked[0].url.params)
    assert (asked["latitude"], asked["longitude"]) == ("52.52", "13.38")
    assert (asked["start_date"], asked["end_date"], asked["timezone"]) == (
        "2026-11-20",
        "2026-11-20",
        "GMT",
    )


def test_what_cannot_be_is_unknown() -> None:
    hourly = SAID["hourly"] | {
        "temperature_2m": [4.0, 600.0, 5.0],
        "cloud_cover": [None, None, None],
    }
    sheet = forecast(document(SAID | {"hourly": hourly, "minutely_15": {}}))
    assert np.isnan(sheet.values["temperature_c"]).all()
    assert np.isnan(sheet.values["cloud_fraction"]).all()
    assert np.isfinite(sheet.values["ghi_w_m2"]).all()


@pytest.mark.parametrize(
    "change",
    [
        {"hourly_units": SAID["hourly_units"] | {"wind_speed_10m": "km/h"}},
        {"hourly": SAID["hourly"] | {"temperature_2m": [4.0]}},
        {"hourly": "sorry"},
    ],
    ids=["other units", "too few values", "another form"],
)
def test_an_answer_that_was_not_asked_for_is_an_error_of_the_source(change: dict[str, Any]) -> None:
    with pytest.raises(SourceError):
        forecast(document(SAID | change))


def test_a_refusal_is_told_in_its_words() -> None:
    said = '{"error": true, "reason": "Parameter \'end_date\' is out of allowed range"}'
    with pytest.raises(SourceRefusedError, match="out of allowed range"):
        forecast(httpx.Response(400, text=said))


def past(**services: Service) -> WeatherSheet:
    return OpenMeteo(Web("open_meteo", Services(**services), sleep=lambda _: None)).past(
        HERE, TWO_HOURS
    )


def test_the_past_is_what_was_forecast_for_it_and_the_reanalysis_where_there_is_none() -> None:
    archive = Service(document(SAID | {"minutely_15": {}}))
    assert (
        past(past_forecast=Service(recorded("open_meteo.json")), archive=archive).values[
            "ghi_w_m2"
        ][0]
        == 180.0
    )
    nothing = {
        "hourly": {name: [None] * 3 for name in SAID["hourly"]} | {"time": SAID["hourly"]["time"]},
        "minutely_15": {},
    }
    sheet = past(past_forecast=Service(document(SAID | nothing)), archive=archive)
    # The hour that ends at 13:00.
    assert sheet.values["ghi_w_m2"][0] == 200.0
    assert len(archive.asked) == 1
    assert "minutely_15" not in archive.asked[0].url.params


HOUR = np.timedelta64(60, "m")


@given(means=st.lists(st.floats(0, 1_400), min_size=1, max_size=48))
def test_every_hour_keeps_its_mean(means: list[float]) -> None:
    ends = Timeline(NOON + timedelta(hours=1), timedelta(hours=1), len(means)).starts
    held = hold_means(ends, np.array(means), HOUR, Timeline(NOON, SLOT, 4 * len(means)))
    np.testing.assert_allclose(held.reshape(-1, 4).mean(axis=1), means)


@given(values=st.lists(st.floats(-40, 40), min_size=2, max_size=48))
def test_an_interpolated_value_lies_between_its_neighbours(values: list[float]) -> None:
    series = np.array(values)
    between = interpolate(
        Timeline(NOON, timedelta(hours=1), len(values)).starts,
        series,
        HOUR,
        Timeline(NOON, SLOT, 4 * (len(values) - 1)),
    ).reshape(-1, 4)
    lower = np.minimum(series[:-1], series[1:])
    upper = np.maximum(series[:-1], series[1:])
    assert (between >= lower[:, np.newaxis] - 1e-9).all()
    assert (between <= upper[:, np.newaxis] + 1e-9).all()


def test_nothing_is_interpolated_across_a_hole_or_beyond_the_end() -> None:
    instants = Timeline(NOON, timedelta(hours=1), 4).starts
    between = interpolate(
        instants,
        np.array([1.0, np.nan, 3.0, 4.0]),
        HOUR,
        Timeline(NOON - timedelta(hours=1), SLOT, 20),
    )
    # From 12:00 to 14:00 there is a hole, before 12:00 and after 15:00 there is nothing.
    assert np.flatnonzero(np.isfinite(between)).tolist() == [12, 13, 14, 15]
