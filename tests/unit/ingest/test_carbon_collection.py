"""Whose carbon intensities are taken, and when each became known."""

from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from luna.contracts import FetchCarbonRequest
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, Timeline
from luna.platform.settings import Settings
from services.ingest.carbon_collection import (
    CollectedCarbon,
    choose_window,
    collect,
    date_intensities,
)
from services.ingest.sources.carbon.declaration import GridPlace
from services.ingest.sources.carbon.registry import choose_sources
from tests.support.gateway.outside_service import Service, Services, document

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
# Two quarter-hours that have ended, the one that runs, and one ahead.
HERE = Timeline(NOON - 2 * SLOT, SLOT, 4)
MOMENT = np.datetime64(NOW.replace(tzinfo=None), "us")
ENDS = HERE.starts.astype("datetime64[us]") + np.timedelta64(SLOT)
NEVER = np.datetime64("NaT", "us")
TOKEN = Settings(_env_file=None, electricity_maps_token=SecretStr("a"))


def energinet(*values: float, start: datetime = HERE.start) -> httpx.Response:
    """Return what Energinet says of consecutive quarter-hours."""
    records = [
        {
            "Minutes5UTC": f"{start + part * SLOT / 3:%Y-%m-%dT%H:%M:%S}",
            "PriceArea": "DK1",
            "CO2Emission": values[part // 3],
        }
        for part in range(3 * len(values))
    ]
    return document({"records": records})


def energy_charts(*values: float) -> httpx.Response:
    return document(
        {
            "unix_seconds": [int(start.timestamp()) for start in HERE],
            "co2eq": values,
            "co2eq_forecast": [None] * len(values),
        }
    )


def collected(**services: Service) -> CollectedCarbon:
    place = GridPlace("DK", ("DK1",))
    sources = choose_sources(place, TOKEN, transport=Services(**services))
    return collect(sources, HERE, now=NOW)


def test_the_preferred_service_alone_is_taken_measured_before_forecast() -> None:
    carbon = collected(
        energinet=Service(energinet(80.0, 90.0), energinet(70.0, 70.0, 100.0)),
        energy_charts=Service(energy_charts(1.0, 2.0, 3.0, 4.0)),
    )
    # The fourth quarter-hour stays unknown: another service counts in its own way.
    np.testing.assert_array_equal(carbon.g_per_kwh, [80.0, 90.0, 100.0, np.nan])
    assert carbon.is_measured.tolist() == [True, True, False, False]
    assert (carbon.source, carbon.is_preferred, carbon.faults) == ("energinet", True, [])


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (httpx.Response(400, text="no such column"), "no such column"),
        (httpx.ConnectError("no route to host"), "no route to host"),
    ],
    ids=["refuses", "away"],
)
def test_a_service_that_fails_is_named_and_the_next_one_is_asked(
    reply: httpx.Response | Exception, fault: str
) -> None:
    carbon = collected(
        energinet=Service(reply), energy_charts=Service(energy_charts(1.0, 2.0, 3.0, 4.0))
    )
    assert carbon.g_per_kwh.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (carbon.source, carbon.is_preferred) == ("energy_charts", False)
    assert [fault in each for each in carbon.faults] == [True]


def test_a_service_without_values_for_the_time_leaves_it_to_the_next() -> None:
    carbon = collected(
        energinet=Service(energinet(80.0, start=NOON - timedelta(days=1)), energinet()),
        energy_charts=Service(energy_charts(1.0, 2.0, 3.0, 4.0)),
    )
    assert carbon.source == "energy_charts"


def test_impossible_values_are_left_out_and_said() -> None:
    carbon = collected(energinet=Service(energinet(-1.0, 0.0), energinet(1.0, 1.0, 2000.0, 2001.0)))
    # A forecast takes the place of the impossible measurement.
    np.testing.assert_array_equal(carbon.g_per_kwh, [1.0, 0.0, 2000.0, np.nan])
    assert carbon.is_measured.tolist() == [False, True, False, False]
    assert ["2 quarter-hours" in fault for fault in carbon.faults] == [True]


def test_where_nobody_is_reached_nothing_is_known() -> None:
    carbon = collected()
    assert np.isnan(carbon.g_per_kwh).all()
    assert (carbon.source, carbon.reached, len(carbon.faults)) == (None, False, 3)


def test_a_service_that_was_not_reached_is_not_asked_again_in_this_run() -> None:
    away = {"energinet": "energinet is away", "electricity_maps": "electricity_maps is away"}
    service = Service(energinet(80.0))
    sources = choose_sources(
        GridPlace("DK", ("DK1",)), TOKEN, transport=Services(energinet=service)
    )
    carbon = collect(sources, HERE, now=NOW, away=away)
    assert (service.asked, carbon.reached) == ([], False)
    assert carbon.faults[0] == "energinet is away"
    assert set(away) == {"energinet", "energy_charts", "electricity_maps"}


def known(values: list[float], measured: list[bool], *, preferred: bool = True) -> CollectedCarbon:
    return CollectedCarbon(
        HERE, np.array(values), np.array(measured), source="energinet", is_preferred=preferred
    )


def test_a_measurement_is_known_since_its_slot_ended_and_a_forecast_from_now_on() -> None:
    carbon = known([80.0, np.nan, 100.0, 110.0], [True, False, True, False])
    chosen, known_at = date_intensities(carbon, np.full(4, np.nan), np.full(4, NEVER), now=NOW)
    assert chosen.tolist() == [True, False, True, True]
    # The third slot still runs: what is measured of it is known now, not at its end.
    assert known_at[chosen].tolist() == [ENDS[0].tolist(), MOMENT.tolist(), MOMENT.tolist()]


def test_what_is_stored_already_is_not_new_and_a_revision_is_known_now() -> None:
    carbon = known([80.0, 95.0, 100.0, 120.0], [True, True, False, False])
    stored = np.array([80.0, 90.0, 100.0, 110.0])
    issued_at = np.array([ENDS[0], ENDS[1], MOMENT - np.timedelta64(1, "h"), MOMENT])
    chosen, known_at = date_intensities(carbon, stored, issued_at, now=NOW)
    assert chosen.tolist() == [False, True, False, True]
    assert (known_at[chosen] == MOMENT).all()


def test_a_measurement_follows_a_forecast_from_the_end_of_its_slot_on() -> None:
    carbon = known([80.0, 90.0, np.nan, np.nan], [True, True, False, False])
    # The second slot's forecast was made after it had ended.
    issued_at = np.array([ENDS[0] - np.timedelta64(1, "h"), MOMENT, NEVER, NEVER])
    stored = np.array([70.0, 70.0, np.nan, np.nan])
    chosen, known_at = date_intensities(carbon, stored, issued_at, now=NOW)
    assert known_at[chosen].tolist() == [ENDS[0].tolist(), MOMENT.tolist()]


def test_neither_a_forecast_nor_another_service_revises_a_measurement() -> None:
    stored = np.array([80.0, 80.0, np.nan, 70.0])
    issued_at = np.array([ENDS[0], ENDS[1], NEVER, MOMENT - np.timedelta64(1, "h")])
    carbon = known([81.0, 81.0, 82.0, 83.0], [True, False, True, False], preferred=False)
    chosen, _ = date_intensities(carbon, stored, issued_at, now=NOW)
    assert chosen.tolist() == [False, False, True, True]


def test_the_usual_window_is_the_last_day_and_the_horizon_of_plans() -> None:
    window = choose_window(FetchCarbonRequest(), now=NOW)
    assert (window.start, window.end) == (NOON - timedelta(days=1), NOON + timedelta(days=2))


def test_a_window_spans_the_quarter_hours_that_it_touches() -> None:
    request = FetchCarbonRequest(first=NOW, end=NOW + timedelta(minutes=20))
    window = choose_window(request, now=NOW)
    assert (window.start, window.count) == (NOON, 2)


@pytest.mark.parametrize(
    "window",
    [
        {"first": NOW},
        {"end": NOW},
        {"first": NOW, "end": NOW},
        {"first": NOW, "end": NOW + timedelta(days=1_099)},
    ],
    ids=["no end", "no start", "upside down", "too long"],
)
def test_a_window_that_cannot_be_is_refused(window: dict[str, datetime]) -> None:
    with pytest.raises(InvalidInputError, match="first"):
        choose_window(FetchCarbonRequest.model_validate(window), now=NOW)
