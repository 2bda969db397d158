"""Sites at a real broker: what Home Assistant finds and shows, what it may switch, and what becomes
of it when broker, database and sites go.
"""

import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine

from luna.contracts import PlanRequest
from luna.contracts.charging_sessions import NewSession
from luna.contracts.control import BatterySetpoint, ControlState
from luna.contracts.live_steering import LiveSteering
from luna.contracts.steering import SteeredUnitState
from luna.energy.errors import UnavailableError
from luna.energy.site import parse_site
from luna.house import control_service
from luna.platform.addresses import Broker
from luna.platform.database import charging_sessions, control, engine, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import Servers
from services.home_assistant.broker import BrokerConnection
from services.home_assistant.commands import Commands
from services.home_assistant.discovery import slug
from services.home_assistant.entities import LONGEST_ATTRIBUTES
from services.home_assistant.publisher import Publisher, Publishing
from tests.support.control.executor import Clock
from tests.support.control.inverters import DEVICES, describe, describe_devices
from tests.support.database.databases import own_database, remove_site
from tests.support.database.site import issue_half_a_kilowatt, plan_stored
from tests.support.home_assistant.broker import Mosquitto, Relay, needs_mosquitto
from tests.support.words.wording import plain, wording
from tests.support.worker.workers import wait_for

PREFIX = "homeassistant"


class MqttHome:
    """Hears everything at a broker from now on, as of old what was kept."""

    def __init__(self, port: int) -> None:
        self.topics: dict[str, str] = {}
        self.counted: dict[str, int] = {}
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._environment = jinja2.Environment(autoescape=False)  # noqa: S701 - states are no pages
        self._environment.filters["float"] = lambda value, default: (
            float(value) if str(value).replace(".", "", 1).isdigit() else default
        )

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(30)

    @property
    def configs(self) -> dict[str, dict[str, Any]]:
        """The entities that were announced and not taken off, by unique id."""
        with self._lock:
            found = [
                json.loads(payload)
                for topic, payload in self.topics.items()
                if topic.startswith(f"{PREFIX}/") and topic.endswith("/config") and payload
            ]
        return {config["unique_id"]: config for config in found}

    @property
    def kept(self) -> set[str]:
        with self._lock:
            return {topic for topic, payload in self.topics.items() if payload}

    def state(self, unique_id: str) -> str:
        """Return an entity's state as Home Assistant shows it."""
        config = self.configs[unique_id]
        listed = [
            self.topics.get(each["topic"], "")
            if "value_template" not in each
            else self._render(each)
            for each in config["availability"]
        ]
        if any(said != "online" for said in listed):
            return "unavailable"
        return self._render(
            {
                "topic": config["state_topic"],
                "value_template": config.get("value_template", "{{ value }}"),
            }
        )

    def attributes(self, unique_id: str) -> dict[str, Any]:
        """Return an entity's attributes."""
        document: dict[str, Any] = json.loads(
            self.topics[self.configs[unique_id]["json_attributes_topic"]]
        )
        return document

    def switch(self, unique_id: str, payload: str) -> None:
        """Do what Home Assistant does when somebody touches an entity."""
        config = self.configs[unique_id]
        self.say(config["command_topic"], payload, retain=config.get("retain", False))

    def wait_for_entity(self, unique_id: str) -> None:
        wait_for(lambda: unique_id in self.configs and self.state(unique_id) != "unavailable")

    def _render(self, part: dict[str, Any]) -> str:
        payload = self.topics.get(part["topic"], "")
        try:
            document = json.loads(payload)
        except ValueError:
            document = {}
        return self._environment.from_string(part["value_template"]).render(
            value=payload, value_json=document
        )

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._lock:
            self.topics[message.topic] = message.payload.decode("utf-8", "replace")
            self.counted[message.topic] = self.counted.get(message.topic, 0) + 1


pytestmark = needs_mosquitto
START = datetime(2024, 2, 1, 12, tzinfo=UTC)
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SHORT = timedelta(milliseconds=20)
_NUMBERS = itertools.count()


@dataclass
class Luna:
    """A publisher of a test's own, and the site it speaks of."""

    site: str
    clock: Clock
    asked: list[PlanRequest]
    publisher: Publisher
    connection: BrokerConnection
    database: Engine

    def id(self, entity: str) -> str:
        return f"luna_{slug(self.site)}_{entity}"

    def turn_until(self, condition: Callable[[], bool]) -> None:
        def turned() -> bool:
            self.publisher.turn(SHORT)
            return condition()

        wait_for(turned)

    def state(self, device: str = "batteries") -> ControlState:
        with unit_of_work(self.database) as connection:
            return control.load(connection, self.site, device)


@pytest.fixture(scope="module")
def database(servers: Servers) -> Iterator[Engine]:
    """An engine on a database of this module's own: a turn describes every site there is, also
    those that other tests have left.
    """
    with own_database(servers.database_url, f"luna_published_{uuid.uuid4().hex[:8]}") as own:
        upgrade(own)
        pool = engine.create(own)
        yield pool
        pool.dispose()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def home(broker: Mosquitto) -> Iterator[MqttHome]:
    home = MqttHome(broker.port)
    yield home
    home.close()


@pytest.fixture
def site(database: Engine) -> Iterator[str]:
    """A stored site with two days' plan, issued at the start, of half a kilowatt at 0.30 a kWh."""
    name = f"told-{next(_NUMBERS)}-{time.time_ns()}"
    tariff = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.05}}
    document = {
        "name": name,
        "timezone": "UTC",
        "batteries": [BATTERY],
        "tariff": tariff,
        "control": describe(),
    }
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(document))
        issue_half_a_kilowatt(connection, name, START, slots=192)
    with unit_of_work(database) as connection:
        plan_stored(connection, name, START)
    yield name
    remove_site(database, name)


Start = Callable[..., Luna]


@pytest.fixture
def start(database: Engine, broker: Mosquitto, site: str) -> Iterator[Start]:
    with ExitStack() as stack:

        def run(
            *,
            commands: bool = True,
            language: Any = "en",
            port: int | None = None,
            on: Engine = database,
            read_steering: Callable[[str], LiveSteering | None] = lambda _site_id: None,
        ) -> Luna:
            clock = Clock()
            asked: list[PlanRequest] = []
            connection = BrokerConnection(Broker("127.0.0.1", port or broker.port))
            connection.open()
            stack.callback(connection.close)
            about = Publishing(
                language=language,
                commands=commands,
                prefix="homeassistant",
                plan_max_age=timedelta(hours=3),
            )
            publisher = Publisher(
                connection,
                on,
                Commands(on, asked.append, Path("/nonexistent")),
                read_steering,
                publishing=about,
                clock=clock,
            )
            return Luna(site, clock, asked, publisher, connection, database)

        yield run


@pytest.fixture
def luna(start: Start, home: MqttHome) -> Luna:
    """One that has said everything."""
    luna = start()
    luna.turn_until(lambda: home.topics.get("luna/availability") == "online")
    return luna


def test_a_site_is_one_device_whose_entities_say_how_it_is_planned(
    luna: Luna, home: MqttHome
) -> None:
    own = [config for name, config in home.configs.items() if name.startswith(luna.id(""))]
    assert {config["device"]["name"] for config in own} == {f"Luna {luna.site}"}
    # Half a kilowatt at 0.30, from an empty morning on nothing is planned: today is not known,
    # tomorrow is 24 h × 0.5 kW.
    assert home.state(luna.id("load_tomorrow")) == "12.0"
    assert home.state(luna.id("cost_today")) == "None"
    assert home.state(luna.id("import_price")) == "0.3"
    assert home.state(luna.id("plan_age")) == "0"
    assert home.state(luna.id("problem")) == "OFF"
    assert home.state(luna.id("planned_mode")) in home.configs[luna.id("planned_mode")]["options"]
    assert home.attributes(luna.id("planned_mode"))["status"] == "optimal"
    # It is not armed, so nothing is told to anything.
    assert (home.state(luna.id("actual_mode")), home.state(luna.id("armed"))) == (
        "unavailable",
        "OFF",
    )


def test_a_car_says_how_it_charges_and_when_it_is_ready_at_which_cost(
    start: Start, home: MqttHome, database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        stored = sites.load(connection, site)
        document = stored.model_dump(mode="json", by_alias=True)
        sites.save(
            connection,
            parse_site(
                document
                | {
                    "vehicles": [
                        {
                            "name": "car",
                            "capacity_kwh": 60,
                            "charge_limit_kw": 11,
                            "charge_efficiency": 1.0,
                        }
                    ]
                }
            ),
        )
        wanted = {
            "vehicle": "car",
            "from": START,
            "to": START + timedelta(hours=6),
            "arrival_soc": 0.4,
            "target_soc": 0.6,
        }
        charging_sessions.add(
            connection, site, NewSession.model_validate(wanted), by="owner", now=START
        )
        plan_stored(connection, site, START)
    luna = start()
    luna.turn_until(lambda: home.topics.get("luna/availability") == "online")
    ready = home.attributes(luna.id("vehicle_ready_car"))
    # A fifth of 60 kWh at one fixed price; the battery is at hand for some of it.
    assert ready["energy_kwh"] == pytest.approx(12.0, abs=1e-3)
    assert 0 < ready["cost"] <= 12 * 0.3 + 1e-6
    assert home.state(luna.id("vehicle_ready_car")) == ready["end"]
    assert (
        START
        <= datetime.fromisoformat(ready["start"])
        < datetime.fromisoformat(ready["end"])
        <= START + timedelta(hours=6)
    )
    charged = sum(
        kw / 4 for _, kw in home.attributes(luna.id("plan_vehicle_car"))["data"] if kw is not None
    )
    assert charged == pytest.approx(12.0, abs=0.01)


def test_the_plan_is_pairs_of_milliseconds_and_value_for_charts_short_enough_for_the_recorder(
    luna: Luna, home: MqttHome
) -> None:
    series = (
        "plan_soc",
        "plan_battery",
        "plan_grid",
        "plan_load",
        "plan_pv",
        "import_price",
        "export_price",
    )
    for entity in series:
        data = home.attributes(luna.id(entity))["data"]
        assert [data[0][0], data[1][0]] == [
            START.timestamp() * 1000,
            START.timestamp() * 1000 + 900_000,
        ]
        assert len(data) == 192
        assert (
            len(home.topics[home.configs[luna.id(entity)]["json_attributes_topic"]])
            < LONGEST_ATTRIBUTES
        )
    assert home.attributes(luna.id("plan_load"))["data"][0][1] == pytest.approx(0.5)


def test_an_override_is_asked_for_and_ended_as_luna_control_does_it(
    luna: Luna, home: MqttHome
) -> None:
    home.switch(luna.id("override_hours"), "3")
    home.switch(luna.id("override"), wording("modes", "mode_charge"))
    luna.turn_until(lambda: home.state(luna.id("override")) == wording("modes", "mode_charge"))
    wanted = luna.state().override
    assert wanted is not None
    assert (wanted.mode, wanted.by, wanted.until) == (
        "charge",
        "home assistant",
        START + timedelta(hours=3),
    )
    assert home.state(luna.id("override_until")) == "2024-02-01T15:00:00+00:00"
    home.switch(luna.id("override"), "Follow the plan")
    luna.turn_until(lambda: home.state(luna.id("override")) == "Follow the plan")
    assert luna.state().override is None
    assert home.state(luna.id("override_until")) == "unavailable"


def test_an_override_that_has_ended_is_shown_no_more(luna: Luna, home: MqttHome) -> None:
    home.switch(luna.id("override"), wording("modes", "mode_hold"))
    luna.turn_until(lambda: home.state(luna.id("override")) == wording("modes", "mode_hold"))
    # Two hours by default.
    luna.clock.instant += timedelta(hours=2)
    luna.turn_until(lambda: home.state(luna.id("override")) == "Follow the plan")


def test_arming_vacation_and_planning_are_switched(luna: Luna, home: MqttHome) -> None:
    for entity in ("armed", "vacation"):
        home.switch(luna.id(entity), "ON")
        luna.turn_until(lambda entity=entity: home.state(luna.id(entity)) == "ON")  # type: ignore[misc]
    assert (luna.state().armed_at, luna.state().armed_by) == (START, "home assistant")
    for entity in ("armed", "vacation"):
        home.switch(luna.id(entity), "OFF")
        luna.turn_until(lambda entity=entity: home.state(luna.id(entity)) == "OFF")  # type: ignore[misc]
    home.switch(luna.id("plan_now"), "PRESS")
    luna.turn_until(lambda: luna.asked != [])
    assert luna.asked == [PlanRequest(site_id=luna.site)]


def test_what_cannot_be_done_is_refused_and_said_and_the_next_thing_is_done(
    luna: Luna, home: MqttHome
) -> None:
    with unit_of_work(luna.database) as connection:
        sites.save(
            connection, parse_site({"name": luna.site, "timezone": "UTC", "batteries": [BATTERY]})
        )
    home.switch(luna.id("armed"), "ON")
    luna.turn_until(lambda: "no section control" in home.state(luna.id("refusal")))
    assert luna.state().armed_at is None
    for topic, garbage in [
        ("override", b"\xff\xfe{"),
        ("override", b"dance"),
        ("override_hours", b"1e9"),
        ("armed", b"maybe"),
        ("nothing", b"ON"),
    ]:
        home.say(f"luna/{slug(luna.site)}/set/{topic}", garbage)
    home.say(f"luna/{slug(luna.site)}/set/vacation", "x" * 100_000)
    home.say("luna/somebody_else/announced", b"[")
    home.switch(luna.id("vacation"), "ON")
    luna.turn_until(lambda: home.state(luna.id("vacation")) == "ON")
    assert (luna.state().override, luna.state().armed_at) == (None, None)


def test_a_command_that_the_broker_kept_switches_nothing_when_luna_comes_back(
    start: Start, home: MqttHome, site: str
) -> None:
    home.say(f"luna/{slug(site)}/set/armed", "ON", retain=True)
    home.say(f"luna/{slug(site)}/set/override_hours", "4", retain=True)
    luna = start()
    luna.turn_until(lambda: home.topics.get("luna/availability") == "online")
    home.switch(luna.id("override"), wording("modes", "mode_save"))
    luna.turn_until(lambda: luna.state().override is not None)
    wanted = luna.state().override
    assert wanted is not None
    # The number that was kept counts: four hours. What was switched does not.
    assert wanted.until == START + timedelta(hours=4)
    assert luna.state().armed_at is None


def test_sensors_alone_take_no_commands(start: Start, home: MqttHome, site: str) -> None:
    luna = start(commands=False)
    luna.turn_until(lambda: home.topics.get("luna/availability") == "online")
    assert [name for name, config in home.configs.items() if "command_topic" in config] == []
    home.say(f"luna/{slug(site)}/set/armed", "ON")
    home.say(f"luna/{slug(site)}/set/plan_now", "PRESS")
    for _ in range(5):
        luna.publisher.turn(SHORT)
    assert (luna.state().armed_at, luna.asked) == (None, [])


def test_everything_is_said_again_when_home_assistant_starts_and_nothing_otherwise(
    luna: Luna, home: MqttHome
) -> None:
    topic = f"homeassistant/switch/luna_{slug(luna.site)}/armed/config"
    for _ in range(3):
        luna.publisher.turn(SHORT)
    assert home.counted[topic] == 1
    home.say("homeassistant/status", "online")
    luna.turn_until(lambda: home.counted[topic] == 2)


def test_a_site_that_is_removed_leaves_nothing_at_the_broker_also_when_it_went_while_luna_was_away(
    luna: Luna, start: Start, home: MqttHome, database: Engine
) -> None:
    luna.connection.close()
    wait_for(lambda: home.topics["luna/availability"] == "offline")
    # What is like it in name stays.
    home.say(
        "homeassistant/switch/luna_of_another/armed/config",
        '{"unique_id": "other", "availability": []}',
        retain=True,
    )
    remove_site(database, luna.site)
    start().turn_until(lambda: not any(slug(luna.site) in topic for topic in home.kept))
    assert "homeassistant/switch/luna_of_another/armed/config" in home.kept


def test_an_announcement_takes_off_nothing_of_others(luna: Luna, home: MqttHome) -> None:
    home.say(
        "homeassistant/light/lamp/config", '{"unique_id": "lamp", "availability": []}', retain=True
    )
    foreign = [
        "homeassistant/light/lamp/config",
        "zigbee2mqtt/lamp",
        "luna/availability",
        "luna/thief/state",
    ]
    home.say("luna/thief/state", "stolen", retain=True)
    home.say("luna/thief/announced", json.dumps(foreign), retain=True)
    luna.turn_until(lambda: "luna/thief/state" not in home.kept)
    assert {"homeassistant/light/lamp/config", "luna/availability"} <= home.kept


def test_devices_have_selects_of_their_own_that_go_when_they_do(luna: Luna, home: MqttHome) -> None:
    with unit_of_work(luna.database) as connection:
        sites.save(
            connection,
            parse_site(
                {
                    "name": luna.site,
                    "timezone": "UTC",
                    "batteries": [BATTERY],
                    "control": describe_devices(),
                }
                | DEVICES
            ),
        )
    luna.turn_until(lambda: luna.id("override_vehicle_car") in home.configs)
    home.switch(luna.id("override_vehicle_car"), "Charge")
    luna.turn_until(lambda: home.state(luna.id("override_vehicle_car")) == "Charge")
    assert luna.state("vehicle:car").override is not None
    with unit_of_work(luna.database) as connection:
        sites.save(
            connection, parse_site({"name": luna.site, "timezone": "UTC", "batteries": [BATTERY]})
        )
    luna.turn_until(lambda: luna.id("override_vehicle_car") not in home.configs)


def test_in_german_entities_and_modes_are_german_and_ids_are_the_same(
    start: Start, home: MqttHome, site: str
) -> None:
    luna = start(language="de")
    luna.turn_until(lambda: home.topics.get("luna/availability") == "online")
    assert home.configs[luna.id("armed")]["name"] == wording("entities", "armed", "de")
    home.switch(luna.id("override"), wording("modes", "mode_save", "de"))
    luna.turn_until(lambda: home.state(luna.id("override")) == wording("modes", "mode_save", "de"))
    assert home.configs[luna.id("armed")]["default_entity_id"] == f"switch.luna_{slug(site)}_armed"


def test_the_broker_says_that_luna_is_gone_and_all_comes_back_after_its_restart(
    start: Start, home: MqttHome, broker: Mosquitto
) -> None:
    relay = Relay(broker.port)
    luna = start(port=relay.port)
    luna.turn_until(lambda: home.topics.get("luna/availability") == "online")
    relay.close()
    wait_for(lambda: home.topics["luna/availability"] == "offline")
    luna.publisher.turn(SHORT)
    other = start()
    other.turn_until(lambda: home.topics["luna/availability"] == "online")
    broker.kill()
    other.publisher.turn(SHORT)
    with unit_of_work(luna.database) as connection:
        control_service.switch_vacation(connection, luna.site, on=True, now=START)
    broker.start()
    other.turn_until(
        lambda: (
            home.topics["luna/availability"] == "online" and home.state(luna.id("vacation")) == "ON"
        )
    )


def test_what_steering_does_is_published_and_nothing_else_waits_for_redis(
    start: Start, home: MqttHome, site: str, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        stored = sites.load(connection, site)
        document = stored.model_dump(mode="json", by_alias=True)
        document["control"]["steering"] = True
        sites.save(connection, parse_site(document))
    charging = SteeredUnitState(
        target_id="of-now",
        reason="operator_limit",
        since=START,
        commands={"battery": BatterySetpoint(mode="charge", power_kw=4.2)},
        confirmed=True,
    )
    shown = {site: LiveSteering(stale=False, units={"batteries": charging})}

    def read_steering(site_id: str) -> LiveSteering | None:
        if site_id not in shown:
            raise UnavailableError("Redis is away")
        return shown[site_id]

    luna = start(read_steering=read_steering)
    luna.turn_until(lambda: luna.id("steering") in home.configs)
    luna.turn_until(lambda: home.state(luna.id("steering")) != "unavailable")
    action = wording("steering", "action_battery_charge", power="4.2 kW")
    said = wording("steering", "now_operator_limit", name="Battery", action=action)
    assert plain(home.state(luna.id("steering"))) == plain(said)
    details = home.attributes(luna.id("steering"))
    assert details["reason"] == "operator_limit"
    assert details["power_kw"] == {"battery": 4.2}
    shown.clear()
    luna.turn_until(lambda: home.state(luna.id("steering")) == "unavailable")
    assert home.state(luna.id("import_price")) == "0.3"


def test_without_the_database_luna_says_that_it_is_away(start: Start, home: MqttHome) -> None:
    nowhere = engine.create("postgresql://luna@127.0.0.1:1/luna")
    luna = start(on=nowhere)
    luna.turn_until(lambda: home.topics.get("luna/availability") == "offline")
    nowhere.dispose()


def test_names_that_are_alike_are_two_devices() -> None:
    assert len({slug(name) for name in ("home", "home!", "hö me", "", "家", "home_")}) == 6
    # A capital letter makes no other id, and no ugly one.
    assert slug("Home") == "home"
