"""From the meters through steering to the owner: what the page and Home Assistant show."""

import asyncio
import html
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.control import VehicleSetpoint
from luna.contracts.live_steering import LiveSteering
from luna.contracts.steering import RecordsQuestion, SteeringState
from luna.contracts.steering_records import SteeringRecord
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT
from luna.house.doctor.examination import check_queue
from luna.house.steering_channel import serve_steering
from luna.house.steering_history import format_records
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import SystemClock
from luna.platform.database import control
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client
from luna.platform.queue.connection import connect
from luna.platform.queue.heartbeats import steering_relayed
from luna.platform.queue.live_flows import LiveFlows
from luna.words import Numbers
from services.home_assistant.entities import list_entities, numbers_of
from services.ingest.listening.live_powers import LivePowers
from services.ingest.listening.steering_feed import SteeringFeed
from services.ingest.listening.steering_records import SteeringRecordStore
from services.steering.records import RecordJournal
from tests.support.control.house import house_of
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    MODE,
    POWER,
    PV,
    SOC,
    TOKEN,
    Inverter,
    describe_devices,
    serve,
)
from tests.support.control.steering import SITE, SteeredHome, planned
from tests.support.database.site import stored_site
from tests.support.gateway import server
from tests.support.words.wording import plain, wording
from tests.support.worker.workers import wait_for

CHARGER = "vehicle:car"
FLOW = f"/ui/sites/{SITE}/home/flow"
SURPLUS = {"car": planned(VehicleSetpoint(mode="charge", charge_kw=7.0), follow="surplus")}
STATES = {CAR: "off", CURRENT: "6", BOILER: "off", PV: "100", SOC: "50", MODE: "Self Use"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SteeredHome]:
    with serve(Inverter(STATES | {POWER: "0"})) as inverter:
        access = HomeAssistantAccess(inverter.url, TOKEN)
        home = SteeredHome(
            tmp_path, lambda _: HomeAssistantDevice(access), describe_devices(), **DEVICES
        )
        home.target(CHARGER, SURPLUS)
        home.live(load_kw=0.5, import_kw=0.5)
        yield home
        home.stop()
        home.loop.join()


def read_lines(api: httpx.Client) -> str:
    """Return what the page says of the devices, without its marks."""
    text = api.get(FLOW, headers={"Accept-Language": "en"}).text
    return plain(" ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split()))


@pytest.fixture
def api(
    database: Engine, database_url: str, redis_url: str, home: SteeredHome
) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    parts = {name: part for name, part in home.document.items() if name != "timezone"}
    with stored_site(database, **parts), server.serve(addresses) as client:
        yield client


def share(redis_url: str, steering: dict[str, LiveSteering]) -> None:
    with closing(connect(redis_url)) as redis:
        LiveFlows(redis).share({SITE: None}, steering)


def live_of(state: SteeringState) -> LiveSteering:
    live = LiveSteering.of(state)
    assert live is not None
    return live


def test_the_recorder_notes_what_steering_does_also_while_the_meters_are_silent(
    home: SteeredHome, tmp_path: Path
) -> None:
    site = parse_site(home.document)
    feed = SteeringFeed(LivePowers(), tmp_path, clock=home.clock)
    try:
        with serve_steering(tmp_path, home.loop.answer):
            asyncio.run(feed.turn([site]))
            shown = feed.shown
        # Nobody is there any more: nothing is shown, and nothing fails.
        asyncio.run(feed.turn([site]))
    finally:
        feed.close()
    assert shown[SITE].units[CHARGER].reason == "waits_for_surplus"
    assert not shown[SITE].stale
    assert feed.shown == {}


def test_home_shows_what_each_device_does_now(
    api: httpx.Client, home: SteeredHome, redis_url: str
) -> None:
    share(redis_url, {SITE: live_of(home.state)})
    waits = wording("steering", "now_waits_for_surplus", name="Car")
    assert waits in read_lines(api)
    # The meters fall silent: one line for all devices.
    home.silent(20)
    share(redis_url, {SITE: live_of(home.state)})
    silent = read_lines(api)
    assert wording("steering", "now_all_stale") in silent
    assert waits not in silent
    # Steering is gone.
    share(redis_url, {})
    assert wording("steering", "now_all_stale") not in read_lines(api)


def test_a_site_s_mark_changes_with_what_steering_does(home: SteeredHome, redis_url: str) -> None:
    marks = []
    with closing(connect(redis_url)) as redis:
        flows = LiveFlows(redis)
        for after_s in (0.0, 20.0):
            home.silent(after_s)
            flows.share({SITE: None}, {SITE: live_of(home.state)})
            marks += [flows.read_text(SITE), flows.read_text(SITE)]
        flows.share({SITE: None}, {})
        assert flows.read_text(SITE) == ""
    assert marks[0] == marks[1] != marks[2] == marks[3]


def test_home_assistant_has_an_entity_for_each_steered_device(home: SteeredHome) -> None:
    site = parse_site(home.document)
    house = house_of(site, None, home.clock.instant)
    numbers = numbers_of(house, "en")
    entities = {entity.key: entity for entity in list_entities(house, numbers, commands=False)}
    assert site.control is not None
    steered_keys = {key for key in entities if key.startswith("steering")}
    assert steered_keys == {
        "steering_vehicle:car",
        "steering_load:boiler",
        "steering_pv",
    }
    assert len(steered_keys) == len(site.control.devices)
    charger = entities["steering_vehicle:car"]
    assert charger.name(numbers) == "Car now"
    assert charger.state is not None
    assert charger.attributes is not None
    # Unknown until steering has said something.
    assert charger.state(house, numbers) is None
    steered = replace(house, steering=live_of(home.state))
    assert charger.state(steered, numbers) == wording(
        "steering", "now_waits_for_surplus", name="Car"
    )
    details = charger.attributes(steered, numbers)
    assert details["reason"] == "waits_for_surplus"
    assert details["mode"] == {"car": "stop"}
    assert details["power_kw"] == {"car": None}
    unsteered = parse_site(
        home.document | {"control": home.document["control"] | {"steering": False}}
    )
    plain_house = house_of(unsteered, None, home.clock.instant)
    keys = [entity.key for entity in list_entities(plain_house, numbers, commands=False)]
    assert not any(key.startswith("steering") for key in keys)


def test_steering_that_commands_nothing_shows_nothing(home: SteeredHome) -> None:
    state = home.state
    assert LiveSteering.of(state.model_copy(update={"sends": False})) is None
    assert LiveSteering.of(state.model_copy(update={"units": {}})) is None
    assert LiveSteering.of(None) is None


@contextmanager
def relayed(home: SteeredHome, redis_url: str) -> Iterator[None]:
    """Have steering's sign of life in the queue, where the recorder hands it from the socket."""
    feed = SteeringFeed(LivePowers(), home.data_folder, clock=home.clock)
    with closing(feed), serve_steering(home.data_folder, home.loop.answer):
        asyncio.run(feed.turn([parse_site(home.document)]))
    assert feed.sign is not None
    # The loop's clock is the test's, that of the gateway the machine's.
    sign = feed.sign.model_copy(update={"turned_at": SystemClock().now()})
    with closing(Client(redis_url)) as client, steering_relayed(redis_url, lambda: sign):
        wait_for(lambda: client.heartbeats.steering() == sign)
        yield


def find_steering(api: httpx.Client) -> dict[str, Any]:
    services = api.get("/health/services").json()["services"]
    [steering] = [service for service in services if service["service"] == "steering"]
    return steering


def read_services(api: httpx.Client) -> str:
    answer = api.get("/ui/admin/parts/services", headers={"Accept-Language": "en"})
    return html.unescape(answer.text)


def test_the_services_show_whether_steering_lives_and_since_when_it_is_blind(
    api: httpx.Client, home: SteeredHome, redis_url: str
) -> None:
    last_seen = home.clock.instant
    with relayed(home, redis_url):
        steering = find_steering(api)
        assert steering["ready"]
        [site] = steering["instances"][0]["sites"]
        assert (site["site"], site["blind_since"]) == (SITE, None)
        assert datetime.fromisoformat(site["cycled_at"]) == last_seen
        assert f"{SITE}: last decided" in read_services(api)
    # The meters fall silent.
    home.silent(20)
    with relayed(home, redis_url):
        steering = find_steering(api)
        assert (steering["ready"], steering["missing"]) == (False, ["meters"])
        [site] = steering["instances"][0]["sites"]
        assert datetime.fromisoformat(site["blind_since"]) == last_seen
        assert f"{SITE}: no fresh meter values since" in read_services(api)
        findings = list(check_queue(redis_url, clock=SystemClock()))
    [finding] = [finding for finding in findings if finding.topic == "steering"]
    assert (finding.severity, finding.code) == ("fault", "steering-blind")
    assert finding.figures == {"sites": SITE}


def test_steering_that_an_armed_site_needs_and_lacks_is_missing(
    api: httpx.Client, home: SteeredHome, database: Engine, redis_url: str
) -> None:
    names = [service["service"] for service in api.get("/health/services").json()["services"]]
    assert "steering" not in names
    with unit_of_work(database) as connection:
        control.arm(connection, SITE, at=SystemClock().now(), by="owner")
    assert find_steering(api)["missing"] == ["instance"]


def test_a_quarter_hour_says_later_what_held_a_device_back(
    api: httpx.Client, home: SteeredHome, database: Engine
) -> None:
    first = home.clock.instant
    for _ in range(90):
        home.live(pv_kw=4.0, load_kw=0.5, export_kw=3.5)
    # A cloud: the car has to stop, and half an hour goes by.
    while home.clock.instant < first + 3 * SLOT:
        home.live(after_s=10.0, load_kw=0.5, import_kw=0.5)
    store = SteeringRecordStore(database, home.data_folder)
    with closing(store):
        # Steering is not there yet.
        store.turn()
        with serve_steering(home.data_folder, home.loop.answer):
            store.turn()
            # What is stored is not answered again.
            store.turn()
            assert (
                home.loop.answer(RecordsQuestion()).records
                == home.loop.answer(RecordsQuestion(journal="another", stored=9)).records
            )
    window = {"from": first.isoformat(), "to": home.clock.instant.isoformat()}
    address = f"/v1/sites/{SITE}/control/steering"
    records = api.get(address, params=window).raise_for_status().json()["records"]
    assert list_by_pages(api, address, window) == records
    car = [record for record in records if record["device"] == "car"]
    assert len(car) >= 3
    switched = [switch["mode"] for record in car for switch in record["switches"]]
    assert switched == ["charge", "stop"]
    assert car[0]["most_kw"] > 0
    assert car[-1]["mean_kw"] == 0
    assert car[-1]["reasons"].keys() == {"waits_for_surplus"}
    # The plan gave it 7 kW.
    assert car[-1]["moved_kwh"] == pytest.approx(-7.0 / 4, abs=0.1)
    for record in car:
        lasts = datetime.fromisoformat(record["ends_at"]) - datetime.fromisoformat(
            record["begins_at"]
        )
        assert sum(record["reasons"].values()) <= lasts.total_seconds() + 15
    numbers = Numbers("en", ZoneInfo("Europe/Berlin"), "EUR")
    said = format_records([SteeringRecord.model_validate(record) for record in car], numbers)
    assert any("waits for more sun" in line for line in said)
    assert any("too little sun" in line for line in said)


def list_by_pages(api: httpx.Client, address: str, window: dict[str, str]) -> list[Any]:
    """Return a list's records in pages of two."""
    records: list[Any] = []
    following: dict[str, str] = {}
    while True:
        page = api.get(address, params={**window, **following, "limit": "2"}).raise_for_status()
        records += page.json()["records"]
        if page.json()["cursor"] is None:
            return records
        following = {"cursor": page.json()["cursor"]}


def test_records_that_nobody_fetches_lose_the_oldest_and_are_counted() -> None:
    journal = RecordJournal(most=3)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    for number in range(5):
        record = SteeringRecord(
            site_id=SITE, device=f"device {number}", begins_at=at, ends_at=at + SLOT
        )
        journal.add([record])
    assert journal.dropped == 2
    fetched = journal.answer(RecordsQuestion())
    assert [record.device for record in fetched.records] == ["device 2", "device 3", "device 4"]
    following = journal.answer(RecordsQuestion(journal=fetched.journal, stored=fetched.stored))
    assert following.records == []
