"""What each service says of the grid's carbon intensity, and what it comes to.

Shapes as the services document them; 29 March 2026 has 23 hours, 25 October 25.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import SecretStr

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, Timeline, local_day
from luna.platform.settings import Settings
from services.ingest.sources.carbon.declaration import GridPlace
from services.ingest.sources.carbon.electricity_maps import ElectricityMaps
from services.ingest.sources.carbon.energinet import EnerginetCarbon
from services.ingest.sources.carbon.energy_charts import EnergyChartsCarbon
from services.ingest.sources.carbon.registry import carbon_sources, choose_sources
from services.ingest.sources.carbon.uk_carbon_intensity import UkCarbonIntensity
from services.ingest.sources.source import (
    CarbonSheet,
    CarbonSource,
    SourceError,
    SourceRefusedError,
)
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import REPLIES, Service, document, recorded
from tests.support.suite.tables import each_row

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
START = datetime(2026, 3, 28, 23, tzinfo=UTC)
NOW = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
END = datetime(2026, 3, 29, 22, tzinfo=UTC)
SOURCES: dict[str, Callable[[Web], CarbonSource]] = {
    "uk_carbon_intensity": UkCarbonIntensity,
    "energinet": EnerginetCarbon,
    "energy_charts": EnergyChartsCarbon,
    "electricity_maps": lambda way: ElectricityMaps(way, "token"),
}
ZONES = {
    "uk_carbon_intensity": "GB",
    "energinet": "DK1",
    "energy_charts": "de",
    "electricity_maps": "NO-NO2",
}
# What a service says of the past and, where that takes another request, of what comes.
RECORDED = {
    "uk_carbon_intensity": ("uk_carbon_intensity.json", "uk_carbon_intensity.json"),
    "energinet": ("energinet_measured.json", "energinet_forecast.json"),
    "energy_charts": ("energy_charts_co2eq.json",),
    "electricity_maps": ("electricity_maps_history.json", "electricity_maps_forecast.json"),
}
LISTS = {
    "uk_carbon_intensity": ("data",),
    "energinet": ("records",),
    "energy_charts": ("unix_seconds", "co2eq", "co2eq_forecast"),
    "electricity_maps": ("history", "forecast"),
}


def web(service: Service) -> Web:
    return Web("service", service, sleep=service.wait)


def fetch(name: str, *replies: httpx.Response) -> list[CarbonSheet]:
    return SOURCES[name](web(Service(*replies))).fetch(ZONES[name], START, END, now=NOW)


def fetch_recorded(name: str) -> list[CarbonSheet]:
    return fetch(name, *(recorded(file) for file in RECORDED[name]))


def changed(name: str, change: Callable[[list[object]], list[object]]) -> list[httpx.Response]:
    """Return the recorded replies of a service with each of their lists changed."""
    replies = []
    for file in RECORDED[name]:
        said = json.loads((REPLIES / file).read_text(encoding="utf-8"))
        lists = {part: change(said[part]) for part in LISTS[name] if part in said}
        replies.append(document(said | lists))
    return replies


def rows(sheets: list[CarbonSheet], *, is_measured: bool) -> dict[str, float]:
    return {
        str(start)[11:16]: round(float(value), 6)
        for sheet in sheets
        if sheet.is_measured == is_measured
        for start, value in zip(sheet.starts, sheet.g_per_kwh, strict=True)
    }


def everything(sheets: list[CarbonSheet]) -> list[dict[str, float]]:
    return [rows(sheets, is_measured=measured) for measured in (True, False)]


def test_half_hours_of_great_britain_hold_for_their_quarter_hours() -> None:
    service = Service(recorded("uk_carbon_intensity.json"))
    sheets = UkCarbonIntensity(web(service)).fetch("GB", START, END, now=NOW)
    assert rows(sheets, is_measured=True) == {"23:00": 146.0, "23:15": 146.0}
    assert rows(sheets, is_measured=False) == {
        "23:00": 140.0,
        "23:15": 140.0,
        "23:30": 148.0,
        "23:45": 148.0,
        "00:00": 144.0,
        "00:15": 144.0,
    }
    assert [request.url.path for request in service.asked] == [
        "/intensity/2026-03-28T23:00Z/2026-03-28T23:30Z",
        "/intensity/2026-03-28T23:30Z/fw48h",
    ]


def test_a_long_past_of_great_britain_takes_a_request_for_each_fortnight() -> None:
    service = Service(document({"data": []}))
    UkCarbonIntensity(web(service)).fetch("GB", NOW - timedelta(days=30), NOW, now=NOW)
    # 14, 14 and 2 days.
    assert len(service.asked) == 3
    assert service.asked[-1].url.path == "/intensity/2026-03-26T23:30Z/2026-03-28T23:30Z"


def test_five_minutes_of_denmark_become_means_of_whole_quarter_hours() -> None:
    service = Service(recorded("energinet_measured.json"), recorded("energinet_forecast.json"))
    sheets = EnerginetCarbon(web(service)).fetch("DK1", START, END, now=NOW)
    # (80 + 83 + 86) / 3; 23:15 has two of three values.
    assert rows(sheets, is_measured=True) == {"23:00": 83.0}
    assert rows(sheets, is_measured=False) == {"23:30": 63.0}
    assert [request.url.path for request in service.asked] == [
        "/dataset/CO2Emis",
        "/dataset/CO2EmisProg",
    ]
    # Local days: 28 March 23:00 UTC is midnight of the 29th; its last minute is asked for as well.
    assert dict(service.asked[0].url.params) == {
        "start": "2026-03-29",
        "end": "2026-03-30",
        "filter": '{"PriceArea": ["DK1"]}',
        "limit": "0",
    }


def test_energy_charts_tells_measured_values_beside_forecast_ones() -> None:
    service = Service(recorded("energy_charts_co2eq.json"))
    sheets = EnergyChartsCarbon(web(service)).fetch("de", START, END, now=NOW)
    assert rows(sheets, is_measured=True) == {"23:00": 491.5, "23:15": 497.4}
    assert rows(sheets, is_measured=False) == {"23:30": 505.0, "23:45": 508.0}
    assert dict(service.asked[0].url.params) == {
        "country": "de",
        "start": "2026-03-28T23:00Z",
        "end": "2026-03-29T22:00Z",
    }


def test_energy_charts_has_nothing_where_it_says_so() -> None:
    assert fetch("energy_charts", httpx.Response(404)) == []


def test_electricity_maps_tells_hours_of_a_zone_for_its_token() -> None:
    service = Service(
        recorded("electricity_maps_history.json"), recorded("electricity_maps_forecast.json")
    )
    sheets = ElectricityMaps(web(service), "secret").fetch("NO-NO2", START, END, now=NOW)
    quarters = ("00", "15", "30", "45")
    assert rows(sheets, is_measured=True) == {f"23:{minute}": 29.0 for minute in quarters}
    assert rows(sheets, is_measured=False) == {f"01:{minute}": 31.0 for minute in quarters}
    assert {request.headers["auth-token"] for request in service.asked} == {"secret"}
    assert {request.url.params["zone"] for request in service.asked} == {"NO-NO2"}


@pytest.mark.parametrize("status", [401, 402, 403])
def test_electricity_maps_tells_the_past_where_the_plan_has_no_forecast(status: int) -> None:
    sheets = fetch(
        "electricity_maps", recorded("electricity_maps_history.json"), httpx.Response(status)
    )
    assert [sheet.is_measured for sheet in sheets] == [True]


def test_electricity_maps_never_tells_its_token() -> None:
    with pytest.raises(SourceRefusedError) as refusal:
        ElectricityMaps(web(Service(httpx.Response(401))), "very-secret").fetch(
            "DE", START, END, now=NOW
        )
    assert "very-secret" not in str(refusal.value)


@each_row("name", SOURCES)
def test_a_source_with_nothing_to_tell_tells_nothing(name: str) -> None:
    sheets = fetch(name, *changed(name, lambda _: []))
    assert everything(sheets) == [{}, {}]


@each_row("name", SOURCES)
def test_what_is_said_twice_counts_once(name: str) -> None:
    sheets = fetch(name, *changed(name, lambda values: values + values))
    assert everything(sheets) == everything(fetch_recorded(name))


@each_row("name", SOURCES)
def test_half_an_answer_is_an_error_of_the_source(name: str) -> None:
    content = (REPLIES / RECORDED[name][0]).read_bytes()
    with pytest.raises(SourceError):
        fetch(name, httpx.Response(200, content=content[: len(content) // 2]))


@each_row(
    ("name", "before", "after"),
    [
        ("uk_carbon_intensity", b"2026-03-28T23:30Z", b"2026-03-29T07:00Z"),
        ("energinet", b'"PriceArea": "DK1"', b'"PriceArea": "DK2"'),
        ("energinet", b"23:10:00", b"23:11:00"),
        ("energy_charts", b"491.5, 497.4", b"491.5"),
        ("energy_charts", b"1774739700", b"1774738900"),
        ("electricity_maps", b'{"zone": "NO-NO2", "history', b'{"zone": "DE", "history'),
        ("electricity_maps", b"T23:00:00.000Z", b"T23:07:00.000Z"),
    ],
    ids=[
        "a half-hour of eight hours",
        "another area",
        "between two times",
        "too few values",
        "odd lengths",
        "another zone",
        "a late hour",
    ],
)
def test_a_source_is_not_believed_where_it_contradicts_itself(
    name: str, before: bytes, after: bytes
) -> None:
    content = (REPLIES / RECORDED[name][0]).read_bytes()
    assert before in content
    with pytest.raises(SourceError):
        fetch(name, httpx.Response(200, content=content.replace(before, after)))


@each_row("name", SOURCES)
@each_row(
    "reply",
    [httpx.Response(500), httpx.Response(429), httpx.Response(200, text="<html>sorry</html>")],
    ids=["500", "429", "HTML"],
)
def test_every_source_says_that_it_is_away(name: str, reply: httpx.Response) -> None:
    with pytest.raises(SourceError):
        fetch(name, reply)


@each_row("name", SOURCES)
def test_every_source_refuses_a_wrong_token(name: str) -> None:
    with pytest.raises(SourceRefusedError, match="token"):
        fetch(name, httpx.Response(401))


def say_day(name: str, day: Timeline) -> httpx.Response:
    """Return a day as a service measures it: each slot has its number as the intensity."""
    numbered = list(enumerate(day))
    if name == "uk_carbon_intensity":
        half_hours = [
            {
                "from": f"{start:%Y-%m-%dT%H:%MZ}",
                "to": f"{start + 2 * SLOT:%Y-%m-%dT%H:%MZ}",
                "intensity": {"forecast": None, "actual": number},
            }
            for number, start in numbered[::2]
        ]
        return document({"data": half_hours})
    if name == "energinet":
        records = [
            {
                "Minutes5UTC": f"{start + part * SLOT / 3:%Y-%m-%dT%H:%M:%S}",
                "PriceArea": "DK1",
                "CO2Emission": number,
            }
            for number, start in numbered
            for part in range(3)
        ]
        return document({"records": records})
    if name == "energy_charts":
        return document(
            {
                "unix_seconds": [int(start.timestamp()) for _, start in numbered],
                "co2eq": [number for number, _ in numbered],
                "co2eq_forecast": [None for _ in numbered],
            }
        )
    hours = [
        {"datetime": start.isoformat(), "carbonIntensity": number}
        for number, start in numbered[::4]
    ]
    return document({"zone": "NO-NO2", "history": hours})


STEPS = {"uk_carbon_intensity": 2, "energinet": 1, "energy_charts": 1, "electricity_maps": 4}


@each_row("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["23 hours", "25 hours"])
@each_row("name", SOURCES)
def test_a_day_on_which_clocks_change_has_its_own_number_of_quarter_hours(
    day: date, name: str
) -> None:
    slots = local_day(day, COPENHAGEN)
    source = SOURCES[name](web(Service(say_day(name, slots))))
    sheet = next(
        sheet
        for sheet in source.fetch(ZONES[name], slots.start, slots.end, now=slots.end)
        if sheet.is_measured
    )
    assert sheet.starts.tolist() == slots.starts.tolist()
    # A slot has the number of the first slot of its half-hour or hour.
    step = STEPS[name]
    assert sheet.g_per_kwh.tolist() == [slot - slot % step for slot in range(len(slots))]


def chosen(country: str | None, *markets: str, token: str | None = None) -> dict[str, str]:
    secret = SecretStr(token) if token else None
    settings = Settings(_env_file=None, electricity_maps_token=secret)
    place = GridPlace(country, markets)
    return {zoned.source.name: zoned.zone for zoned in choose_sources(place, settings)}


@each_row(
    ("place", "zones"),
    [
        (("GB",), {"uk_carbon_intensity": "GB"}),
        (("DK", "DK1"), {"energinet": "DK1", "energy_charts": "dk"}),
        (("DK",), {"energy_charts": "dk"}),
        (("DE", "DE-LU"), {"energy_charts": "de"}),
        (("US",), {}),
        ((None,), {}),
    ],
)
def test_a_site_has_the_zone_of_its_market_or_country(
    place: tuple[str], zones: dict[str, str]
) -> None:
    assert chosen(*place) == zones


@each_row(
    ("place", "zone"),
    [
        (("SE", "SE3"), "SE-SE3"),
        (("IT", "IT-North"), "IT-NO"),
        (("DE", "DE-LU"), "DE"),
        (("NZ",), "NZ"),
    ],
)
def test_a_token_adds_the_world_after_the_others(place: tuple[str], zone: str) -> None:
    zones = chosen(*place, token="a")
    assert list(zones)[-1] == "electricity_maps"
    assert zones["electricity_maps"] == zone


def test_every_source_is_declared_under_its_own_name() -> None:
    opened = set()
    for place in (GridPlace("GB"), GridPlace("DK", ("DK1",))):
        settings = Settings(_env_file=None, electricity_maps_token=SecretStr("a"))
        opened |= {zoned.source.name for zoned in choose_sources(place, settings)}
    assert opened == set(carbon_sources()) == set(SOURCES)


@pytest.mark.parametrize(
    ("named", "wrong"), [("energinet", "no carbon"), ("electricity_maps", "needs a token")]
)
def test_a_service_named_that_cannot_answer_is_refused(named: str, wrong: str) -> None:
    with pytest.raises(InvalidInputError, match=wrong):
        choose_sources(GridPlace("DE"), Settings(_env_file=None), named=named)
