"""Set-up asks how cars and water heaters are controlled, and the saved site commands just that."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.contracts.device_search import NetworkDevice
from luna.contracts.plan.reply import VehicleFlow
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.energy.devices.commands import Via
from luna.energy.site import Site, parse_site
from luna.energy.site.control import Control
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import control, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.editing import answers_of
from services.api.pages.setup.find_page import leave_device, take_device
from services.executor.control_step import Executor
from services.executor.target import DeviceConnections
from tests.support.control.executor import START, Clock
from tests.support.control.inverters import TOKEN as INVERTER_TOKEN
from tests.support.control.inverters import Inverter
from tests.support.control.inverters import serve as serve_inverter
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.home_assistant.server import TOKEN, House
from tests.support.home_assistant.server import serve as serve_home_assistant
from tests.support.pages.flat_html import flatten_html
from tests.support.planning.plans import describe_plan, store_plan
from tests.support.words.wording import wording

OWN_ID = "haus_mueller"
SITE = {"name": "Haus Müller", "place": "AT:Graz", "yearly_kwh": "3.500", "go": "next"}
TARIFF = {
    "import_kind": "fixed",
    "import_price": "31,5",
    "export_kind": "fixed",
    "export_price": "7",
    "go": "next",
}
CAR = {
    "vehicles-0-capacity_kwh": "60",
    "vehicles-0-power_kw": "11",
    "vehicles-0-phases": "1_3",
    "vehicles-0-least_current_a": "6",
    "vehicles-0-kwh_per_100_km": "18",
}
HEATER = {"loads-0-power_kw": "3", "loads-0-energy_kwh_per_day": "6"}
BATTERY = {
    "batteries-0-capacity_kwh": "9,6",
    "batteries-0-power_kw": "4.6",
    "batteries-0-reserve_percent": "10",
    "batteries-0-efficiency_percent": "90",
}
NEXT = {"go": "next"}
SWITCHED = {"switch_place": "switch.wallbox", "on_word": "on", "off_word": "off"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the gateway keeps what is entered."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def gateway(redis_url: str, database_url: str, folder: Path) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, data_folder=folder, outside_services=False) as client:
        yield client


@pytest.fixture
def api(gateway: httpx.Client, database: Engine, folder: Path) -> Iterator[httpx.Client]:
    yield gateway
    remove_site(database, OWN_ID)
    (folder / "settings.json").unlink(missing_ok=True)


def begin(api: httpx.Client, *devices: Mapping[str, str]) -> str:
    """Begin a draft with devices and return its address."""
    draft = api.post("/ui/setup", data={"kind": "site"}).headers["Location"].removesuffix("/site")
    typed = dict(NEXT)
    for device in devices:
        typed |= device
    follow(api, draft, ("site", SITE), ("devices", typed), ("tariff", TARIFF))
    return draft


def follow(api: httpx.Client, draft: str, *steps: tuple[str, Mapping[str, str]]) -> str:
    """Send steps and return where the last one leads, below the draft."""
    for step, typed in steps:
        answer = api.post(f"{draft}/{step}", data=dict(typed))
        assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix(f"{draft}/")


def choose(section: str, way: str, **fields: str) -> dict[str, str]:
    """Return the answers for the first device of a section."""
    prefix = f"{section}-0-"
    typed = {f"{prefix}{way}-{name}": text for name, text in fields.items()}
    return typed | {f"{prefix}way": way}


def stored_site(database: Engine) -> Site:
    with unit_of_work(database) as connection:
        return sites.load(connection, OWN_ID)


def stored_control(database: Engine) -> Control:
    found = stored_site(database).control
    assert found is not None
    return found


def change_control(api: httpx.Client) -> str:
    """Begin a change of the stored site's control and return its draft."""
    answer = api.post(f"/ui/sites/{OWN_ID}/site/change", data={"step": "control"})
    return answer.headers["Location"].removesuffix("/control")


def test_the_step_asks_how_car_and_water_heater_are_controlled_in_three_languages(
    api: httpx.Client,
) -> None:
    draft = begin(api, CAR, HEATER)
    assert follow(api, draft, ("data", {"source": "nothing", "go": "next"})) == "control"
    for language in ("en", "de", "nl"):
        page = unescape(api.get(f"{draft}/control", headers={"Accept-Language": language}).text)
        for phrase in ("way_vehicles", "way_loads", "way_ocpp", "way_none", "ocpp_nobody"):
            assert wording("setup", phrase, language) in page
        assert "ws://127.0.0.1:8887/ocpp/" in page
    flat = flatten_html(page)
    assert 'name="vehicles-0-way" value="none" checked' in flat
    # A charger is a profile of charge points, no inverter.
    assert '<option value="keba_p30">' in flat


def test_entities_of_home_assistant_are_proposed_and_the_saved_site_commands_them(
    api: httpx.Client, database: Engine, tmp_path: Path
) -> None:
    house = House({})
    house.commands = [
        {"entity_id": "switch.coffee", "state": "off", "attributes": {}},
        {
            "entity_id": "switch.wallbox_charging",
            "state": "off",
            "attributes": {"friendly_name": "Wallbox charging"},
        },
        {
            "entity_id": "number.wallbox_current",
            "state": "6",
            "attributes": {"unit_of_measurement": "A", "friendly_name": "Wallbox current"},
        },
        {
            "entity_id": "select.wallbox_phases",
            "state": "1",
            "attributes": {"options": ["1", "3"], "friendly_name": "Wallbox phases"},
        },
    ]
    draft = begin(api, CAR)
    with serve_home_assistant(house):
        access = {"by": "home_assistant", "url": house.url, "token": TOKEN}
        way = {"vehicles-0-way": "home_assistant"}
        assert follow(api, draft, ("control", access | way | {"go": "connect"})) == "control?look=1"
        page = flatten_html(api.get(f"{draft}/control?look=1").text)
    for entity in ("switch.wallbox_charging", "number.wallbox_current", "select.wallbox_phases"):
        assert f'<option value="{entity}" selected>' in page
    typed = choose(
        "vehicles",
        "home_assistant",
        switch_place="switch.wallbox_charging",
        on_word="on",
        off_word="off",
        current_place="number.wallbox_current",
    )
    saved = access | typed | NEXT
    assert follow(api, draft, ("control", saved)) == "review"
    follow(api, draft, ("review", NEXT))
    assert stored_control(database).by == "home_assistant"
    # Its plan has 6.9 kW, 10 A on three phases, and then nothing.
    states = {"switch.wallbox_charging": "off", "number.wallbox_current": "6"}
    with serve_inverter(Inverter(states)) as inverter:
        assert command_car(database, inverter, tmp_path, charge_kw=6.9) == {
            "switch.wallbox_charging": "on",
            "number.wallbox_current": "10",
        }
        assert (
            command_car(database, inverter, tmp_path, charge_kw=0)["switch.wallbox_charging"]
            == "off"
        )


def command_car(
    database: Engine, inverter: Inverter, folder: Path, *, charge_kw: float
) -> dict[str, str]:
    """Have the saved site follow a plan, and return what its entities stand at."""
    clock = Clock()
    clock.instant = START + timedelta(hours=1 if charge_kw else 2)
    with unit_of_work(database) as connection:
        control.arm(connection, OWN_ID, at=START, by="tests")
        plan = describe_plan(f"{OWN_ID}-{charge_kw}", clock.now(), [BatterySetpoint(mode="hold")])
        flow = VehicleFlow(charge_kwh=charge_kw / 4, soc_end=0.5)
        slots = [plan.slots[0].model_copy(update={"vehicles": {"car": flow}})]
        store_plan(connection, OWN_ID, plan.model_copy(update={"slots": slots}))
    access = HomeAssistantAccess(inverter.url, INVERTER_TOKEN)
    executor = Executor(
        database,
        DeviceConnections(lambda _: HomeAssistantDevice(access), data_folder=folder),
        lambda _: None,
        clock=clock,
        plan_max_age=timedelta(hours=3),
        read_flow=lambda _: None,
    )
    executor.turn(OWN_ID, "vehicle:car")
    executor.close()
    return dict(inverter.states)


def test_topics_are_proposed_and_what_is_written_has_to_be_read(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api, CAR, HEATER)
    page = api.get(f"{draft}/control").text
    assert 'value="car/switch/set"' in page
    car = choose(
        "vehicles",
        "mqtt",
        switch_place="car/set",
        switch_state="car",
        on_word="1",
        off_word="0",
        current_place="car/amps/set",
    )
    heater = choose(
        "loads", "mqtt", switch_place="b/set", switch_state="b", on_word="ON", off_word="OFF"
    )
    typed = {"by": "mqtt", "mqtt_url": "mqtt://127.0.0.1:9"} | car | heater | NEXT
    assert follow(api, draft, ("control", typed)) == "control?check=1"
    shown = unescape(api.get(f"{draft}/control?check=1", headers={"Accept-Language": "en"}).text)
    assert 'name="vehicles-0-mqtt-current_state"' in flatten_html(shown)
    typed["vehicles-0-mqtt-current_state"] = "car/amps"
    follow(api, draft, ("control", typed), ("review", NEXT))
    section = stored_control(database)
    assert section.by == "mqtt"
    assert [(write.to, write.value, write.read_back) for write in section.writes] == [
        ("car/amps/set", "{current_a}", "car/amps"),
        ("car/set", "{mode}", "car"),
        ("b/set", "{mode}", "b"),
    ]


def test_a_charger_in_the_network_is_changed_on_the_site_s_page(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api, BATTERY, CAR)
    charger = choose("vehicles", "profile", profile_place="keba_p30", host_place="192.0.2.7")
    # The battery gets advice alone.
    follow(api, draft, ("control", {"by": "advice"} | charger | NEXT))
    assert "<dd>keba_p30, 192.0.2.7</dd>" in api.get(f"{draft}/review").text
    follow(api, draft, ("review", NEXT))
    section = stored_control(database)
    assert (section.by, section.batteries) == ("profile", ())
    via = Via(profile="keba_p30", host="192.0.2.7")
    assert section.vias_by_place == {"profile:vehicle:car": via}
    change = change_control(api)
    page = flatten_html(api.get(f"{change}/control").text)
    assert 'name="vehicles-0-way" value="profile" checked' in page
    assert 'value="192.0.2.7"' in page
    none = {"by": "advice", "vehicles-0-way": "none"} | NEXT
    assert follow(api, change, ("control", none)) == "review"
    review = flatten_html(api.get(f"{change}/review", headers={"Accept-Language": "en"}).text)
    before = wording("setup", "way_profile")
    after = wording("setup", "way_none")
    assert f"<td>{before}</td><td>{after}</td>" in review
    follow(api, change, ("review", NEXT))
    assert stored_control(database) == Control(by="advice")


def test_a_charge_point_that_calls_by_ocpp_is_named_by_its_identity(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api, CAR)
    point = choose("vehicles", "ocpp", point_place="garage", profile_place="ocpp_generic")
    assert follow(api, draft, ("control", {"by": "advice"} | point | NEXT)) == "review"
    follow(api, draft, ("review", NEXT))
    section = stored_control(database)
    via = Via(profile="ocpp_generic", host="garage")
    assert (section.by, section.vias_by_place) == ("profile", {"profile:vehicle:car": via})
    page = flatten_html(api.get(f"{change_control(api)}/control").text)
    assert 'name="vehicles-0-way" value="ocpp" checked' in page
    assert 'value="garage"' in page


def test_two_servers_and_unknown_phases_are_refused(api: httpx.Client) -> None:
    draft = begin(api, BATTERY, CAR | {"vehicles-0-phases": ""})
    charger = choose("vehicles", "profile", profile_place="keba_p30", host_place="192.0.2.7")
    assert follow(api, draft, ("control", {"by": "advice"} | charger | NEXT)) == "control?check=1"
    page = unescape(api.get(f"{draft}/control?check=1", headers={"Accept-Language": "en"}).text)
    assert wording("setup", "fault_needs_phases") in page
    switched = choose("vehicles", "home_assistant", **SWITCHED)
    battery = {
        "soc_place": "b/soc",
        "mode_place": "b/set",
        "mode_state": "b",
        "word_self_consumption": "self",
        "word_hold": "hold",
    }
    typed: dict[str, Any] = {f"mqtt-0-{name}": text for name, text in battery.items()}
    typed |= {"by": "mqtt", "mqtt_url": "mqtt://127.0.0.1:9"} | switched | NEXT
    assert follow(api, draft, ("control", typed)) == "control?check=1"
    page = unescape(api.get(f"{draft}/control?check=1", headers={"Accept-Language": "en"}).text)
    assert wording("setup", "fault_one_server") in page


def test_a_found_charger_controls_the_car_until_it_is_left() -> None:
    device = NetworkDevice(
        host="192.0.2.7",
        port=502,
        profile="keba_p30",
        title="KEBA",
        kind="charge_point",
        reads=["car_w"],
    )
    taken = take_device({"vehicles": [], "site": {}}, device)
    assert len(taken["vehicles"]) == 1
    answered = taken["control"]["devices"]["vehicles"]["car"]
    assert answered["way"] == "profile"
    assert answered["profile"]["host_place"] == "192.0.2.7"
    left = leave_device(taken, device)
    assert left["control"]["devices"]["vehicles"] == {}


KEBA = {"profile": "keba_p30", "host": "192.168.1.50"}
INVERTER = {
    "profile": "huawei_sun2000",
    "host": "192.168.1.9",
    "proxy": {"port": 1502, "writes": True},
}
# With parts that set-up does not ask for: a pump, an inverter that limits its PV, a proxy port.
WHOLE_CONTROL = {
    "by": "mqtt",
    "batteries": [{"battery": "battery", "via": INVERTER}],
    "vehicles": [{"vehicle": "car", "via": KEBA, "wakes": False}],
    "loads": [
        {
            "load": "pump",
            "modes": {"on": "1", "off": "0"},
            "writes": [{"to": "pump/set", "value": "{mode}", "read_back": "pump"}],
        }
    ],
    "pv": {"via": {"profile": "sunspec_inverter", "host": "192.168.1.20"}},
}


@pytest.fixture
def whole_site(api: httpx.Client, database: Engine) -> Site:
    """A stored site with all that ``control`` can have."""
    document = {
        "name": OWN_ID,
        "timezone": "Europe/Vienna",
        "location": {"latitude": 47.07, "longitude": 15.44},
        "batteries": [
            {"capacity_kwh": 9.6, "min_soc": 0.1, "charge_limit_kw": 4.6, "discharge_limit_kw": 4.6}
        ],
        "vehicles": [{"name": "car", "capacity_kwh": 60, "charger": {"phases": [1, 3]}}],
        "loads": [
            {"name": "pump", "kind": "deferrable", "power_kw": 1, "energy_kwh_per_day": 2},
        ],
        "pv": [{"peak_kw": 8}],
        "control": WHOLE_CONTROL,
    }
    site = parse_site(document)
    with unit_of_work(database) as connection:
        sites.save(connection, site)
    return stored_site(database)


def test_editing_a_site_keeps_what_the_page_does_not_ask_for_of_its_control(
    api: httpx.Client, database: Engine, whole_site: Site
) -> None:
    before = stored_control(database)
    # Another battery method: its device is no longer commanded by Luna, all others are.
    draft = change_control(api)
    typed = {"by": "advice", "go": "store"}
    assert follow(api, draft, ("control", typed)) == f"/ui/sites/{OWN_ID}/site"
    after = stored_control(database)
    assert after == before.model_copy(update={"batteries": ()})
    # Back again, at another number on the bus, and the charger elsewhere.
    fields = {"profile_place": "huawei_sun2000", "host_place": "192.168.1.9", "unit_number": "2"}
    typed = {f"profile-0-{name}": text for name, text in fields.items()}
    typed |= choose("vehicles", "profile", profile_place="keba_p30", host_place="192.168.1.51")
    draft = change_control(api)
    follow(api, draft, ("control", typed | {"by": "profile", "go": "store"}))
    changed = stored_control(database)
    assert (changed.by, changed.pv, changed.loads) == (before.by, before.pv, before.loads)
    assert (changed.vehicles[0].wakes, changed.vehicles[0].via) == (
        False,
        Via(profile="keba_p30", host="192.168.1.51"),
    )
    assert changed.vias["battery"].unit == 2


def list_fields(site: Site) -> dict[str, str]:
    """Return the fields of the step Devices as they are filled for a stored site."""
    fields = {}
    answers = answers_of(site)
    for section in DEVICE_FORMS:
        for place, typed in enumerate(answers[section]):
            fields |= {f"{section}-{place}-{name}": text for name, text in typed.items()}
    return fields | answers["grid"]


@pytest.mark.parametrize("step", ["site", "devices", "tariff"])
def test_another_step_leaves_control_as_it_is(
    api: httpx.Client, database: Engine, whole_site: Site, step: str
) -> None:
    answer = api.post(f"/ui/sites/{OWN_ID}/site/change", data={"step": step})
    draft = answer.headers["Location"].removesuffix(f"/{step}")
    typed = {
        "site": SITE | {"go": "store"},
        "devices": list_fields(whole_site) | {"pv-0-peak_kw": "9", "go": "store"},
        "tariff": TARIFF | {"go": "store"},
    }[step]
    follow(api, draft, (step, typed))
    stored = stored_site(database)
    assert stored != whole_site
    assert stored.control == whole_site.control


def test_a_server_that_other_devices_need_cannot_be_exchanged(
    api: httpx.Client, database: Engine, whole_site: Site
) -> None:
    draft = change_control(api)
    typed = choose("vehicles", "home_assistant", **SWITCHED) | {"by": "advice", "go": "store"}
    assert follow(api, draft, ("control", typed)) == "control?check=1"
    assert wording("setup", "fault_one_server", "en") in unescape(
        api.get(f"{draft}/control?check=1", headers={"Accept-Language": "en"}).text
    )
    assert stored_control(database) == whole_site.control
