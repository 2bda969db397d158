"""Weather from outside into the database: for sites that say where they are, with the instant at
which it was known.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
import redis
from sqlalchemy import Connection, Engine, delete

from luna.contracts import FetchPricesRequest, FetchWeatherReply, FetchWeatherRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.timeline import SLOT, Timeline
from luna.platform.clock import FixedClock
from luna.platform.database import weather_carbon
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.series import weather
from luna.platform.database.schema.sites import sites as table
from luna.platform.queue import Client, TaskContext
from luna.platform.settings import Settings
from services.ingest import tasks
from services.ingest.weather_service import fetch_weather, split_window
from tests.support.database.site import store_site
from tests.support.gateway.outside_service import REPLIES, Service, Services, document, recorded

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TWO_HOURS = Timeline(NOON, SLOT, 8)
DRY = Settings.model_validate({})
AGAIN = "luna:claimed:later:ingest.weather.fetch"


@pytest.fixture
def home(database: Engine) -> Iterator[Engine]:
    """A database with a site that says where it is and one that does not."""
    with unit_of_work(database) as connection:
        store_site(connection, name="weather-home", location={"latitude": 52.5, "longitude": 13.4})
        store_site(connection, name="weather-cellar")
    yield database
    with unit_of_work(database) as connection:
        connection.execute(delete(weather).where(weather.c.place == "weather-home"))
        connection.execute(
            delete(table).where(table.c.name.in_(["weather-home", "weather-cellar"]))
        )


def fetch(
    engine: Engine,
    *,
    now: datetime = NOW,
    services: Services,
    settings: Settings = DRY,
    **asked: object,
) -> FetchWeatherReply:
    request = FetchWeatherRequest.model_validate({"site_id": "weather-home"} | asked)
    return fetch_weather(engine, request, settings, clock=FixedClock(now), transport=services)


def read(engine: Engine, *, known_at: datetime) -> list[float]:
    with unit_of_work(engine) as connection:
        ghi = weather_carbon.read_weather(connection, "weather-home", TWO_HOURS, known_at=known_at)[
            "ghi_w_m2"
        ]
    return ghi[np.isfinite(ghi)].tolist()


EXPECTED = [180.0, 190.0, 210.0, 220.0, 100.0, 100.0, 100.0, 100.0]


def test_a_forecast_is_known_from_when_it_was_fetched(home: Engine) -> None:
    reply = fetch(home, services=Services(forecast=Service(recorded("open_meteo.json"))))
    assert [(site.site_id, site.written) for site in reply.sites] == [("weather-home", 8)]
    assert read(home, known_at=NOW) == EXPECTED
    assert read(home, known_at=NOW - timedelta(seconds=1)) == []


def test_an_hour_without_news_adds_nothing_and_news_add_what_changed(home: Engine) -> None:
    services = Services(forecast=Service(recorded("open_meteo.json")))
    fetch(home, services=services)
    later = NOW + timedelta(minutes=5)
    assert fetch(home, services=services, now=later).sites[0].written == 0
    said = json.loads((REPLIES / "open_meteo.json").read_text(encoding="utf-8"))
    said["hourly"]["shortwave_radiation"][2] = 140.0
    assert (
        fetch(home, services=Services(forecast=Service(document(said))), now=later).sites[0].written
        == 4
    )
    assert read(home, known_at=later) == [*EXPECTED[:4], 140.0, 140.0, 140.0, 140.0]
    assert read(home, known_at=NOW) == EXPECTED


def test_what_a_later_answer_lacks_stays_known(home: Engine) -> None:
    fetch(home, services=Services(forecast=Service(recorded("open_meteo.json"))))
    said = json.loads((REPLIES / "open_meteo.json").read_text(encoding="utf-8"))
    said["hourly"]["temperature_2m"] = [value + 1.0 for value in said["hourly"]["temperature_2m"]]
    for block in ("hourly", "minutely_15"):
        said[block]["shortwave_radiation"] = [None] * len(said[block]["time"])
    later = NOW + timedelta(hours=1)
    assert (
        fetch(home, services=Services(forecast=Service(document(said))), now=later).sites[0].written
        > 0
    )
    assert read(home, known_at=later) == EXPECTED


def test_the_past_is_known_since_its_slots_ended(home: Engine) -> None:
    evening = NOON + timedelta(hours=6)
    services = Services(past_forecast=Service(recorded("open_meteo.json")))
    asked = {"first": NOON, "end": NOON + timedelta(hours=2)}
    assert fetch(home, now=evening, services=services, **asked).sites[0].written == 8
    assert fetch(home, now=evening, services=services, **asked).sites[0].written == 0
    assert read(home, known_at=NOON + timedelta(minutes=30)) == EXPECTED[:2]


def test_a_service_that_is_away_is_named_and_the_run_ends_well(home: Engine) -> None:
    reply = fetch(home, services=Services(forecast=Service(httpx.ConnectError("no route to host"))))
    assert reply.sites[0].written == 0
    assert "no route to host" in reply.sites[0].faults[0]


def test_where_outside_services_are_off_only_what_is_named_is_fetched(home: Engine) -> None:
    off = Settings.model_validate({"outside_services": False})
    services = Services(forecast=Service(recorded("open_meteo.json")))
    assert fetch(home, services=services, settings=off, site_id=None).sites == []
    assert fetch(home, services=services, settings=off).sites[0].written == 8


def test_a_site_that_says_no_place_and_one_that_is_not_there_are_refused(home: Engine) -> None:
    with pytest.raises(InvalidInputError, match=r"site\.location"):
        fetch(home, services=Services(), site_id="weather-cellar")
    with pytest.raises(NotFoundError):
        fetch(home, services=Services(), site_id="weather-nobody")


def test_every_site_that_says_where_it_is_has_its_weather_fetched(home: Engine) -> None:
    # Other tests may have left sites here; nobody answers, so that nothing is written for them.
    asked = {site.site_id for site in fetch(home, services=Services(), site_id=None).sites}
    assert "weather-home" in asked
    assert "weather-cellar" not in asked


def test_the_tasks_end_well_where_nobody_outside_is_reached(
    home: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    work = TaskContext(DRY, database=lambda: home, clock=FixedClock(NOW), queue=unused)
    weather_reply = tasks.fetch_weather(FetchWeatherRequest(site_id="weather-home"), work)
    assert "not reached" in weather_reply.sites[0].faults[0]
    prices_reply = tasks.fetch_prices(
        FetchPricesRequest(market="NL", first=NOON, end=NOON + SLOT), work
    )
    assert prices_reply.markets[0].missing == 1


def test_where_nobody_is_reached_the_task_asks_for_itself_again_once(
    home: Engine, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with redis.Redis.from_url(redis_url) as admin, closing(Client(redis_url)) as client:
        admin.delete("luna:ingest", AGAIN)
        work = TaskContext(DRY, database=lambda: home, clock=FixedClock(NOW), queue=lambda: client)
        for _ in range(2):
            assert not tasks.fetch_weather(FetchWeatherRequest(), work).reached
        # What somebody named is theirs to repeat.
        assert not tasks.fetch_weather(FetchWeatherRequest(site_id="weather-home"), work).reached
        assert client.tasks.waiting("ingest") == 1
        assert 0 < admin.pttl(AGAIN) <= 30_000
        admin.delete("luna:ingest", AGAIN)


def unused() -> Client:
    raise AssertionError("nothing is sent")


def test_a_window_is_split_at_now_and_into_seasons() -> None:
    request = FetchWeatherRequest(first=NOW - timedelta(days=100), end=NOW + timedelta(days=1))
    windows = list(split_window(request, now=NOW))
    assert [len(window) for window in windows] == [90 * 96, 10 * 96, 97]
    assert windows[1].end == NOON == windows[2].start


@pytest.mark.parametrize(
    "window",
    [{"first": NOW, "end": NOW - SLOT}, {"end": NOW + timedelta(days=40)}],
    ids=["upside down", "too far ahead"],
)
def test_a_window_that_cannot_be_is_refused(
    window: dict[str, datetime], connection: Connection
) -> None:
    with pytest.raises(InvalidInputError, match="end"):
        list(split_window(FetchWeatherRequest.model_validate(window), now=NOW))
