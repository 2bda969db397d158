"""PV forecasts of Solcast and forecast.solar, from replies in the shapes that they document."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline
from services.ingest.sources.pv.estimate import PvSource
from services.ingest.sources.pv.forecast_solar import ForecastSolar
from services.ingest.sources.pv.solcast import Solcast
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import REPLIES, Service, document, recorded
from tests.support.suite.tables import each_row

AHEAD = Timeline(datetime(2026, 6, 1, 5, tzinfo=UTC), SLOT, 192)
TEN = 20  # the slot that begins at ten


def describe_home(**parts: Any) -> Site:
    place = {"latitude": 52.5162, "longitude": 13.3777}
    roofs = [{"name": "roof", "peak_kw": 4, "tilt_deg": 35, "azimuth_deg": 200}]
    described = {"name": "home", "timezone": "Europe/Berlin", "location": place, "pv": roofs}
    return parse_site(described | parts)


HOME = describe_home()


def solcast(service: Service, token: str = "roof-1:key") -> Solcast:  # noqa: S107 - none of anybody
    return Solcast(Web("solcast", service, sleep=service.wait), token)


def forecast_solar(service: Service) -> ForecastSolar:
    return ForecastSolar(Web("forecast_solar", service, sleep=service.wait))


def read_reply(name: str) -> Any:
    return json.loads((REPLIES / name).read_text())


def test_powers_of_half_hours_become_energies_of_the_quarters_before_their_end() -> None:
    service = Service(recorded("solcast.json"))
    estimate = solcast(service).fetch(HOME, AHEAD)
    # 2.8107 kW from 10:00 to 10:30, which ends at 10:30: a quarter of an hour has 0.7027 kWh.
    (said,) = [
        period
        for period in read_reply("solcast.json")["forecasts"]
        if period["period_end"].startswith("2026-06-01T10:30")
    ]
    assert estimate.p50_kwh[TEN : TEN + 2] == pytest.approx([said["pv_estimate"] / 4] * 2)
    assert estimate.p10_kwh is not None
    assert estimate.p90_kwh is not None
    assert estimate.p10_kwh[TEN] == pytest.approx(said["pv_estimate10"] / 4)
    assert estimate.p90_kwh[TEN] == pytest.approx(said["pv_estimate90"] / 4)
    assert np.isfinite(estimate.p50_kwh).all()
    (asked,) = service.asked
    assert asked.url.path == "/rooftop_sites/roof-1/forecasts"
    assert dict(asked.url.params) == {"format": "json", "hours": "49"}
    assert asked.headers["authorization"] == "Bearer key"


def drop_all(_periods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return []


def shorten_periods(periods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [period | {"period": "PT5M"} for period in periods]


def move_ends(periods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    moved = []
    for period in periods:
        end = datetime.fromisoformat(period["period_end"]) + timedelta(minutes=7)
        moved.append(period | {"period_end": end.isoformat()})
    return moved


def contradict(periods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*periods, periods[9] | {"pv_estimate": 3.9}]


def mix_periods(periods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [periods[0] | {"period": "PT60M"}, *periods[1:]]


@each_row(
    "change",
    [drop_all, shorten_periods, move_ends, contradict, mix_periods],
    ids=["empty", "other period", "off the grid", "contradictory", "mixed"],
)
def test_an_answer_that_cannot_be_put_on_slots_is_a_fault(
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    periods = change(read_reply("solcast.json")["forecasts"])
    with pytest.raises(SourceError):
        solcast(Service(document({"forecasts": periods}))).fetch(HOME, AHEAD)


def test_a_period_answered_twice_alike_counts_once() -> None:
    periods = read_reply("solcast.json")["forecasts"]
    doubled = document({"forecasts": [*reversed(periods), *periods]})
    once = solcast(Service(recorded("solcast.json"))).fetch(HOME, AHEAD)
    twice = solcast(Service(doubled)).fetch(HOME, AHEAD)
    assert twice.p50_kwh == pytest.approx(once.p50_kwh)


@each_row("open_source", [solcast, forecast_solar], ids=["solcast", "forecast_solar"])
@each_row(
    ("status", "error"),
    [
        (401, SourceRefusedError),
        (402, SourceError),
        (404, SourceRefusedError),
        (429, SourceError),
        (500, SourceError),
    ],
)
def test_a_status_is_a_fault_and_costs_a_single_call(
    open_source: Callable[[Service], PvSource], status: int, error: type[Exception]
) -> None:
    service = Service(httpx.Response(status, content=b"no"))
    with pytest.raises(error):
        open_source(service).fetch(HOME, AHEAD)
    assert len(service.asked) == 1


def test_a_token_without_a_roof_is_refused_before_any_call() -> None:
    service = Service(recorded("solcast.json"))
    with pytest.raises(SourceRefusedError):
        solcast(service, "only-a-key").fetch(HOME, AHEAD)
    assert service.asked == []


def test_energies_of_hours_become_quarters_and_nights_are_dark() -> None:
    service = Service(recorded("forecast_solar.json"))
    estimate = forecast_solar(service).fetch(HOME, AHEAD)
    said = read_reply("forecast_solar.json")["result"]
    # What ends at 11:00 is the energy from ten on.
    hour_kwh = said["2026-06-01T11:00:00+00:00"] / 1000
    assert estimate.p50_kwh[TEN : TEN + 4] == pytest.approx([hour_kwh / 4] * 4)
    # From five on, what ends later than that hour counts: all of the day but its first two hours.
    day_kwh = sum(said[f"2026-06-01T{hour:02d}:00:00+00:00"] for hour in range(6, 20)) / 1000
    day_kwh += said["2026-06-01T19:40:00+00:00"] / 1000
    assert estimate.p50_kwh[: 4 * 19].sum() == pytest.approx(day_kwh)
    # From 20:00 to 3:00 nothing; nothing is known from local midnight of the third day on.
    assert not estimate.p50_kwh[4 * 15 : 4 * 22].any()
    assert np.isfinite(estimate.p50_kwh).sum() == 4 * 41
    assert estimate.p10_kwh is None
    (asked,) = service.asked
    assert asked.url.path == "/estimate/watthours/period/52.52/13.38/35/20/4"
    assert dict(asked.url.params) == {"time": "utc"}


def test_arrays_are_asked_for_one_by_one_and_added() -> None:
    east_west = describe_home(
        pv=[
            {"name": "east", "peak_kw": 2, "tilt_deg": 20, "azimuth_deg": 90},
            {"name": "west", "peak_kw": 3.5, "tilt_deg": 20, "azimuth_deg": 270},
        ]
    )
    service = Service(recorded("forecast_solar.json"))
    both = forecast_solar(service).fetch(east_west, AHEAD)
    one = forecast_solar(Service(recorded("forecast_solar.json"))).fetch(HOME, AHEAD)
    assert both.p50_kwh[:164] == pytest.approx(2 * one.p50_kwh[:164])
    paths = [asked.url.path.rpartition("13.38/")[2] for asked in service.asked]
    assert paths == ["20/-90/2", "20/90/3.5"]


def test_a_home_of_no_place_is_refused_before_any_call() -> None:
    service = Service(recorded("forecast_solar.json"))
    with pytest.raises(SourceRefusedError):
        forecast_solar(service).fetch(describe_home(location=None), AHEAD)
    assert service.asked == []


@each_row(
    "said",
    [
        {"result": {}, "message": {"code": 0}},
        {"result": {"2026-06-01T10:00:00+00:00": 5}, "message": {"code": 429}},
        {"result": {"2026-06-01 10:00:00": "x"}, "message": {"code": 0}},
    ],
    ids=["empty", "code", "unreadable"],
)
def test_an_estimate_without_energies_is_a_fault(said: dict[str, Any]) -> None:
    with pytest.raises(SourceError):
        forecast_solar(Service(document(said))).fetch(HOME, AHEAD)
