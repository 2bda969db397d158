"""Carbon intensities from outside into the database, and from there into a plan's outlook."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine, delete

from luna.contracts import FetchCarbonReply, FetchCarbonRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.timeline import SLOT, Timeline
from luna.platform.clock import FixedClock
from luna.platform.database import sites, weather_carbon
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.series import carbon_intensity
from luna.platform.queue import Client, TaskContext
from luna.platform.settings import Settings
from services.ingest import tasks
from services.ingest.carbon_collection import fetch_carbon
from services.planner.service.inputs import gather_inputs, read_facts, read_outlook
from tests.support.database.site import issue_half_a_kilowatt, stored_site
from tests.support.gateway.outside_service import Service, Services, document

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
BEFORE = Timeline(NOON - timedelta(hours=1), SLOT, 4)
AHEAD = Timeline(NOON, SLOT, 8)
DRY = Settings.model_validate({})


@pytest.fixture
def home(database: Engine) -> Iterator[Engine]:
    """A database with a home in Great Britain, and one in no country."""
    with (
        stored_site(database, name="carbon-home", timezone="Europe/London"),
        stored_site(database, name="carbon-nowhere", timezone="UTC"),
    ):
        yield database
    with unit_of_work(database) as connection:
        connection.execute(
            delete(carbon_intensity).where(carbon_intensity.c.place.startswith("carbon-"))
        )


def britain(
    start: datetime, *, actual: list[float | None], forecast: list[float | None]
) -> httpx.Response:
    """Return what the service says of consecutive half-hours."""
    half_hours = [
        {
            "from": f"{start + number * HALF_HOUR:%Y-%m-%dT%H:%MZ}",
            "to": f"{start + (number + 1) * HALF_HOUR:%Y-%m-%dT%H:%MZ}",
            "intensity": {"actual": measured, "forecast": expected, "index": "low"},
        }
        for number, (measured, expected) in enumerate(zip(actual, forecast, strict=True))
    ]
    return document({"data": half_hours})


def usual() -> Services:
    """Return a service with two half-hours that have ended and four ahead."""
    past = britain(BEFORE.start, actual=[200.0, None], forecast=[190.0, 180.0])
    ahead = britain(NOON, actual=[None] * 4, forecast=[170.0, 160.0, 150.0, 140.0])
    return Services(uk_carbon_intensity=Service(past, ahead))


def fetch(
    engine: Engine,
    services: Services,
    *,
    now: datetime = NOW,
    settings: Settings = DRY,
    **asked: object,
) -> FetchCarbonReply:
    request = FetchCarbonRequest.model_validate({"site_id": "carbon-home"} | asked)
    return fetch_carbon(engine, request, settings, clock=FixedClock(now), transport=services)


def read(engine: Engine, timeline: Timeline, *, known_at: datetime = NOW) -> list[float]:
    with unit_of_work(engine) as connection:
        carbon = weather_carbon.read_carbon(connection, "carbon-home", timeline, known_at=known_at)
    known: list[float] = carbon[np.isfinite(carbon)].tolist()
    return known


def test_a_plans_outlook_has_the_carbon_that_was_fetched(home: Engine) -> None:
    (site,) = fetch(home, usual()).sites
    assert (site.site_id, site.added, site.revised, site.faults) == ("carbon-home", 12, 0, [])
    assert site.sources == {"uk_carbon_intensity": 12}
    with unit_of_work(home) as connection:
        issue_half_a_kilowatt(connection, "carbon-home", NOON)
        stored = sites.load(connection, "carbon-home")
        facts = read_facts(connection, [stored], NOON + SLOT, now=NOW)[stored.name]
        inputs = gather_inputs(facts)
        outlook = read_outlook(connection, facts, inputs, with_scenarios=False)
    assert outlook.carbon_g_per_kwh is not None
    assert outlook.carbon_g_per_kwh[:7] == [170.0, 160.0, 160.0, 150.0, 150.0, 140.0, 140.0]


def test_a_second_run_stores_nothing_new(home: Engine) -> None:
    fetch(home, usual())
    (site,) = fetch(home, usual(), now=NOW + timedelta(minutes=5)).sites
    assert (site.added, site.revised) == (0, 0)


def test_each_value_is_known_from_its_own_time_on(home: Engine) -> None:
    fetch(home, usual())
    # 11:00 to 11:30 was measured; the next half-hour has its forecast until it is.
    assert read(home, BEFORE, known_at=NOON) == [200.0, 200.0]
    assert read(home, BEFORE) == [200.0, 200.0, 180.0, 180.0]
    assert read(home, AHEAD, known_at=NOW - timedelta(seconds=1)) == []
    later = NOW + timedelta(hours=1)
    revised = britain(BEFORE.start, actual=[205.0, 185.0], forecast=[190.0, 180.0])
    nothing = document({"data": []})
    services = Services(uk_carbon_intensity=Service(revised, nothing))
    (site,) = fetch(home, services, now=later).sites
    assert (site.added, site.revised) == (0, 4)
    assert read(home, BEFORE, known_at=later) == [205.0, 205.0, 185.0, 185.0]
    assert read(home, BEFORE) == [200.0, 200.0, 180.0, 180.0]


def test_a_named_window_of_the_past_is_fetched(home: Engine) -> None:
    past = britain(BEFORE.start, actual=[200.0, 210.0], forecast=[190.0, 180.0])
    services = Services(uk_carbon_intensity=Service(past))
    (site,) = fetch(home, services, first=BEFORE.start, end=BEFORE.end).sites
    assert (site.added, site.missing) == (4, 0)
    assert read(home, BEFORE, known_at=NOON) == [200.0, 200.0, 210.0, 210.0]


def test_homes_of_one_place_share_their_requests(home: Engine) -> None:
    service = usual().services["api.carbonintensity.org.uk"]
    with stored_site(home, name="carbon-second", country="GB"):
        reply = fetch(home, Services(uk_carbon_intensity=service), site_id=None)
    added = {site.site_id: site.added for site in reply.sites}
    assert (added["carbon-home"], added["carbon-second"]) == (12, 12)
    assert "carbon-nowhere" not in added
    assert len(service.asked) == 2


def test_where_outside_services_are_off_only_what_is_named_is_fetched(home: Engine) -> None:
    off = Settings.model_validate({"outside_services": False})
    assert fetch(home, usual(), settings=off, site_id=None).sites == []
    assert fetch(home, usual(), settings=off).sites[0].added == 12


def test_a_home_that_nobody_has_carbon_of_and_one_that_is_not_there_are_refused(
    home: Engine,
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        fetch(home, usual(), site_id="carbon-nowhere")
    assert (refused.value.field, refused.value.reason) == ("site.country", "site-without-carbon")
    with pytest.raises(NotFoundError):
        fetch(home, usual(), site_id="carbon-nobody")


def test_the_task_ends_well_where_nobody_outside_is_reached(
    home: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    work = TaskContext(DRY, database=lambda: home, clock=FixedClock(NOW), queue=unused)
    reply = tasks.fetch_carbon(FetchCarbonRequest(site_id="carbon-home"), work)
    assert not reply.reached
    assert "not reached" in reply.sites[0].faults[0]


def unused() -> Client:
    raise AssertionError("nothing is sent")
