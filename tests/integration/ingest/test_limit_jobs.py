"""Events of a grid operator's OpenADR server, from its answer to the limits of a site."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.data import FetchLimitsReply, FetchLimitsRequest
from luna.contracts.operator_limits import StoredLimit
from luna.platform.clock import FixedClock
from luna.platform.database import operator_limits
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.ingest.limit_collection import LimitCollection
from tests.support.database.site import stored_site
from tests.support.gateway.outside_service import Service, document

NOW = datetime(2026, 12, 1, 16, 20, tzinfo=UTC)
NAME = "home_with_programme"
PROGRAM = "grid-1"
AMPERES = {"payloadType": "IMPORT_CAPACITY_LIMIT", "units": "A"}
SETTINGS = Settings.model_validate({"openadr_token": "secret-token"})
SERVER = {"url": "https://vtn.example/openadr3", "program": PROGRAM}


@pytest.fixture
def home(database: Engine) -> Iterator[Engine]:
    """A database with a home that names a programme, and one that does not."""
    with (
        stored_site(database, name=NAME, grid={"openadr": SERVER}),
        stored_site(database, name="home_without_programme"),
    ):
        yield database


def make_event(**parts: Any) -> dict[str, Any]:
    """Return an event as the standard's examples have it."""
    event = {
        "id": "7f1c",
        "objectType": "EVENT",
        "createdDateTime": "2026-12-01T16:00:00Z",
        "programID": PROGRAM,
        "eventName": "evening",
        "priority": 0,
        "intervalPeriod": {"start": "2026-12-01T17:00:00Z", "duration": "PT1H"},
        "payloadDescriptors": [
            {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "IMPORT_CAPACITY_LIMIT"}
        ],
        "intervals": [limit_to(4.2)],
    }
    return event | parts


def limit_to(limit: float, number: int = 0, kind: str = "IMPORT_CAPACITY_LIMIT") -> dict[str, Any]:
    return {"id": number, "payloads": [{"type": kind, "values": [limit]}]}


def fetch(home: Engine, service: Service, now: datetime = NOW) -> FetchLimitsReply:
    collection = LimitCollection(home, SETTINGS, FixedClock(now), transport=service)
    return collection.fetch(FetchLimitsRequest())


def standing(home: Engine, now: datetime = NOW) -> list[StoredLimit]:
    with unit_of_work(home) as connection:
        return operator_limits.read_standing(connection, NAME, now=now)


def test_event_limits_the_site_that_names_its_programme(home: Engine) -> None:
    service = Service(document([make_event()]))
    [reply] = fetch(home, service).sites
    assert (reply.site_id, reply.limits, reply.fault) == (NAME, 1, None)
    [limit] = standing(home)
    hour = datetime(2026, 12, 1, 17, tzinfo=UTC)
    assert (limit.start, limit.end) == (hour, hour + timedelta(hours=1))
    assert (limit.import_kw, limit.scope, limit.source) == (4.2, "connection", "openadr")
    [asked] = service.asked
    assert asked.headers["authorization"] == "Bearer secret-token"
    assert asked.url.params["programID"] == PROGRAM


def test_event_fetched_again_is_one_limit(home: Engine) -> None:
    service = Service(document([make_event()]))
    fetch(home, service)
    fetch(home, service, NOW + timedelta(minutes=45))
    assert len(standing(home)) == 1


def test_intervals_follow_each_other(home: Engine) -> None:
    event = make_event(intervals=[limit_to(4.2), limit_to(6, 1), limit_to(9, 2, "PRICE")])
    fetch(home, Service(document([event])))
    limits = standing(home)
    assert [limit.import_kw for limit in limits] == [4.2, 6.0]
    assert limits[0].end == limits[1].start


def test_interval_with_a_period_of_its_own(home: Engine) -> None:
    own = {"start": "2026-12-01T19:00:00+01:00", "duration": "PT30M"}
    event = make_event(intervals=[limit_to(4.2) | {"intervalPeriod": own}])
    fetch(home, Service(document([event])))
    [limit] = standing(home)
    assert limit.start == datetime(2026, 12, 1, 18, tzinfo=UTC)
    assert limit.end == datetime(2026, 12, 1, 18, 30, tzinfo=UTC)


def test_event_from_now_until_further_notice(home: Engine) -> None:
    event = make_event(intervalPeriod={"start": "0001-01-01T00:00:00Z", "duration": "P9999Y"})
    fetch(home, Service(document([event])))
    [limit] = standing(home)
    assert (limit.start, limit.end) == (NOW, None)


def test_watts_and_feed_in(home: Engine) -> None:
    kind = "EXPORT_CAPACITY_LIMIT"
    event = make_event(
        payloadDescriptors=[{"payloadType": kind, "units": "W"}],
        intervals=[limit_to(3500, 0, kind)],
    )
    fetch(home, Service(document([event])))
    [limit] = standing(home)
    assert (limit.import_kw, limit.export_kw) == (None, 3.5)


def test_event_that_is_withdrawn_ends(home: Engine) -> None:
    fetch(home, Service(document([make_event()])))
    fetch(home, Service(document([])), NOW + timedelta(minutes=50))
    assert not standing(home, NOW + timedelta(minutes=50))


def test_event_that_is_over_is_left_out(home: Engine) -> None:
    fetch(home, Service(document([make_event()])), NOW + timedelta(hours=5))
    assert not standing(home, NOW + timedelta(hours=5))


def test_events_of_many_pages(home: Engine) -> None:
    events = [make_event(id=f"event-{number}") for number in range(60)]
    service = Service(document(events[:50]), document(events[50:]))
    [reply] = fetch(home, service).sites
    assert reply.limits == 60
    assert [request.url.params["skip"] for request in service.asked] == ["0", "50"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401),
        httpx.ConnectError("away"),
        document({"no": "list"}),
        document([make_event(intervals=[limit_to(-3)])]),
        document([make_event(payloadDescriptors=[AMPERES])]),
    ],
)
def test_fault_keeps_what_is_stored(home: Engine, answer: httpx.Response | Exception) -> None:
    fetch(home, Service(document([make_event()])))
    [reply] = fetch(home, Service(answer)).sites
    assert reply.fault
    assert len(standing(home)) == 1
